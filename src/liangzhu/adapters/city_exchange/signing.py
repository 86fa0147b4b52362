"""What is signed on the wire, on both sides. Pure: no Django, so that the simulator uses it too.

A request carries ``X-Node`` (who asks), ``X-Request-Id`` (the same when it is tried again), ``X-Timestamp`` (UTC,
``2022-10-20T01:02:03Z``), ``X-Nonce`` (fresh each time) and ``X-Signature``: hex SM2 over

    liangzhu exchange request 1 ⏎ METHOD ⏎ PATH ⏎ SM3 of the body, hex ⏎ node ⏎ timestamp ⏎ nonce ⏎ request id ⏎

An answer carries ``X-Timestamp`` and ``X-Signature`` over

    liangzhu exchange answer 1 ⏎ status ⏎ request id ⏎ nonce of the request ⏎ SM3 of the body, hex ⏎ timestamp ⏎

so that no answer fits another question. SM2 as in GB/T 32918 with the default identity, signature r and s (64 bytes).
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from liangzhu.kernel import crypto


class BadSignature(ValueError):
    """A message without a signature, or with one that does not hold."""


STAMP = "%Y-%m-%dT%H:%M:%SZ"


def machine_now() -> datetime:
    """The machine's time: a demonstration's day fools no other system."""
    return datetime.now(UTC)  # noqa: TID251 - the other side compares it with its own clock


def stamp() -> str:
    """The machine's time as it stands on the wire."""
    return machine_now().strftime(STAMP)


def age(text: str) -> float | None:
    """Seconds since a stamp, less than nothing for one of the future; None for what is no stamp."""
    try:
        return (machine_now() - datetime.strptime(text, STAMP).replace(tzinfo=UTC)).total_seconds()
    except ValueError:
        return None


def request_text(
    method: str, path: str, body: bytes, *, node: str, timestamp: str, nonce: str, request_id: str
) -> bytes:
    """The bytes that the signature of a request covers."""
    lines = (method, path, crypto.sm3_hex(body), node, timestamp, nonce, request_id)
    return ("liangzhu exchange request 1\n" + "".join(f"{one}\n" for one in lines)).encode()


def answer_text(status: int, body: bytes, *, request_id: str, nonce: str, timestamp: str) -> bytes:
    """The bytes that the signature of an answer covers."""
    lines = (str(status), request_id, nonce, crypto.sm3_hex(body), timestamp)
    return ("liangzhu exchange answer 1\n" + "".join(f"{one}\n" for one in lines)).encode()


@dataclass(frozen=True)
class Signed:
    """A signed request: its headers and its nonce, which the answer's signature covers."""

    headers: dict[str, str]
    nonce: str


def sign_request(
    key: bytes, method: str, path: str, body: bytes, *, node: str, timestamp: str, request_id: str
) -> Signed:
    """Sign a request with a fresh nonce."""
    nonce = secrets.token_hex(12)
    text = request_text(
        method, path, body, node=node, timestamp=timestamp, nonce=nonce, request_id=request_id
    )
    headers = {
        "X-Node": node,
        "X-Request-Id": request_id,
        "X-Timestamp": timestamp,
        "X-Nonce": nonce,
        "X-Signature": crypto.sign(key, text).hex(),
    }
    return Signed(headers, nonce)


def check_answer(
    public: bytes, status: int, body: bytes, headers: Mapping[str, str], *, request_id: str, nonce: str
) -> None:
    """Raises BadSignature unless the exchange signed this answer to this question."""
    said = _lower(headers)
    text = answer_text(
        status, body, request_id=request_id, nonce=nonce, timestamp=said.get("x-timestamp", "")
    )
    _check(public, text, said.get("x-signature", ""))


def check_request(public: bytes, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Raises BadSignature unless the node signed this request."""
    said = _lower(headers)
    text = request_text(
        method,
        path,
        body,
        node=said.get("x-node", ""),
        timestamp=said.get("x-timestamp", ""),
        nonce=said.get("x-nonce", ""),
        request_id=said.get("x-request-id", ""),
    )
    _check(public, text, said.get("x-signature", ""))


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _check(public: bytes, text: bytes, signature: str) -> None:
    try:
        good = crypto.verify(public, text, bytes.fromhex(signature)) if signature else False
    except (ValueError, crypto.CryptoError):
        good = False
    if not good:
        raise BadSignature("the signature is missing or does not hold")
