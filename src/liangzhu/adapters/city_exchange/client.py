"""The client of the city's exchange: one signed question, one signed answer, within its time.

It is tried again only where that can do no harm: a question reads and changes nothing, so when the connection could not be
made, broke before an answer, or the exchange said that it is busy, it is asked once more under the same request id, if there
is time left.
"""

import http.client
import json
import ssl
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from liangzhu.adapters.city_exchange import signing
from liangzhu.beams.trust.sources.api import Ask, NothingHeld, SourceDown, SourceWrong

MOST_BYTES = 1_000_000
TRIES = 2
BUSY = (429, 502, 503, 504)


class _Again(Exception):
    """No answer came, and asking again is safe."""


@dataclass(frozen=True)
class Answer:
    """An answer whose signature holds."""

    status: int
    body: Any


class Exchange:
    """The exchange at an address. ``key`` is the node's private key (32 bytes), ``public`` the exchange's (65 bytes)."""

    def __init__(self, address: str, *, node: str, key: bytes, public: bytes, seconds: float):
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not an http(s) address: {address}")
        self.parts, self.base = parts, parts.path.rstrip("/")
        self.node, self.key, self.public, self.seconds = node, key, public, seconds

    @property
    def shown(self) -> str:
        """Where it is, as messages say it."""
        return f"{self.parts.hostname}:{self.parts.port or (443 if self.parts.scheme == 'https' else 80)}"

    def query(self, resource: str, ask: Ask) -> dict[str, Any]:
        """The values of one resource. Raises SourceDown, SourceWrong, NothingHeld."""
        body = {
            "subject": {"kind": ask.number_kind, "number": ask.number},
            "fields": list(ask.fields),
            "purpose": ask.purpose,
            "case": ask.case,
            "ground": ask.ground,
            "consent": ask.consent,
            "operator": str(ask.actor.ref),
            "unit": ask.unit,
        }
        answer = self.call("POST", f"/v1/resources/{quote(resource)}/query", body, request_id=ask.request_id)
        if answer.status == 404 and _code(answer) == "nothing_held":
            raise NothingHeld("登记单位没有这个号码的记录。")
        if answer.status != 200:
            raise SourceWrong(f"城市数据交换不受理这次请求（{answer.status} {_code(answer)}）。")
        if not isinstance(answer.body, dict) or not isinstance(answer.body.get("values"), dict):
            raise SourceWrong("城市数据交换的答复里没有数据项。")
        return answer.body["values"]

    def resources(self, request_id: str) -> list[str]:
        """The keys of what this node may ask. Raises SourceDown, SourceWrong."""
        answer = self.call("GET", "/v1/resources", None, request_id=request_id)
        listed = answer.body.get("resources") if isinstance(answer.body, dict) else None
        if answer.status != 200 or not isinstance(listed, list):
            raise SourceWrong(f"城市数据交换没有给出资源目录（{answer.status}）。")
        return [str(one) for one in listed]

    def call(self, method: str, path: str, body: Any, *, request_id: str) -> Answer:
        """One question, tried again where that is safe. Raises SourceDown, SourceWrong (no good signature, no JSON)."""
        deadline = time.monotonic() + self.seconds
        sent = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        why = ""
        for _ in range(TRIES):
            if time.monotonic() >= deadline:
                break
            try:
                return self._once(method, self.base + path, sent, request_id, deadline)
            except _Again as again:
                why = str(again)
            except TimeoutError:
                break
        if why and time.monotonic() < deadline:
            raise SourceDown(f"城市数据交换（{self.shown}）{why}。")
        raise SourceDown(f"城市数据交换（{self.shown}）在 {self.seconds:g} 秒内没有答复。")

    def _once(self, method: str, path: str, sent: bytes, request_id: str, deadline: float) -> Answer:
        made = signing.sign_request(
            self.key,
            method,
            path,
            sent,
            node=self.node,
            timestamp=signing.stamp(),
            request_id=request_id,
        )
        connection = self._connect(deadline)
        try:
            connection.request(
                method, path, body=sent or None, headers=made.headers | {"Content-Type": "application/json"}
            )
            answer = connection.getresponse()
            status, headers = answer.status, dict(answer.headers)
            got = _read(answer, connection, deadline)
        except TimeoutError:
            raise
        except (OSError, http.client.HTTPException) as fault:
            raise _Again(f"连接不上（{type(fault).__name__}）") from fault
        finally:
            connection.close()
        if status in BUSY:
            raise _Again(f"正忙（{status}）")
        try:
            signing.check_answer(self.public, status, got, headers, request_id=request_id, nonce=made.nonce)
        except signing.BadSignature:
            raise SourceWrong("城市数据交换的答复没有通过签名核验，没有采用。") from None
        try:
            return Answer(status, json.loads(got))
        except ValueError:
            raise SourceWrong("城市数据交换的答复读不懂。") from None

    def _connect(self, deadline: float) -> http.client.HTTPConnection:
        left = max(0.05, deadline - time.monotonic())
        if self.parts.scheme == "https":
            return http.client.HTTPSConnection(
                self.parts.hostname, self.parts.port, timeout=left, context=ssl.create_default_context()
            )
        return http.client.HTTPConnection(self.parts.hostname, self.parts.port, timeout=left)


def _read(answer: http.client.HTTPResponse, connection: http.client.HTTPConnection, deadline: float) -> bytes:
    """The body, within the time however slowly it drips. Raises TimeoutError, SourceWrong when it is too long."""
    found = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if connection.sock is not None:
            connection.sock.settimeout(left)
        piece = answer.read1(65536)
        if not piece:
            return found
        found += piece
        if len(found) > MOST_BYTES:
            raise SourceWrong("城市数据交换的答复过长，没有采用。")


def _code(answer: Answer) -> str:
    return str(answer.body.get("code", ""))[:40] if isinstance(answer.body, dict) else ""
