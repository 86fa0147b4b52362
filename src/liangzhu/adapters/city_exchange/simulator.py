"""The simulator (模拟器): an exchange on loopback with made-up people, which can be slow, wrong, busy, dripping or silent.

``/config`` takes, beside ``delay``, ``silent`` and ``wrong`` of every simulator: ``people`` ({number: {resource: {field: value}}}),
``only`` (resources to which the faults are limited), ``busy`` (so many questions are refused, then no more), ``reset``. It
checks the node's signature, its clock (five minutes), and that no nonce comes twice.
"""

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from liangzhu.adapters.city_exchange import signing
from liangzhu.kernel import crypto
from liangzhu.kernel.simulating import Answer, Request, SimulatedApp, Simulator

CLOCK_SECONDS = 300
DRIP_SECONDS = 0.2
DEMO_NODE = "liangzhu-demo"
DEMO_NODE_KEY = crypto.sm3(b"simulated node, good for loopback only")
DEMO_KEY = crypto.sm3(b"simulated exchange, good for loopback only")
"""Published keys: whoever uses them is served on loopback only."""

EVERYBODY: dict[str, dict[str, Any]] = {
    "hukou": {
        "name": "虚构人",
        "household_number": "V329999000001",
        "address": "虚构市虚构区虚构街道1号",
        "registered_on": "2010-03-01",
    },
    "marriage": {"status": "未婚"},
    "marriage_national": {"status": "未婚"},
    "social_insurance": {"insured": True, "employer": "虚构商贸有限公司", "since": "2018-07-01"},
    "enterprise": {
        "name": "虚构的企业",
        "state": "存续",
        "established_on": "2021-05-06",
        "registered_capital": 1000000,
        "scope": "医疗服务（依法须经批准的项目除外）",
    },
}
"""What is held of every number; of other resources only what the pack's demonstration or ``/config`` says."""

RESOURCES = (
    "hukou",
    "marriage",
    "marriage_national",
    "exam_results",
    "doctor",
    "nurse",
    "social_insurance",
    "real_estate",
    "enterprise",
    "veteran",
    "fire_acceptance",
)
_STATUS = {200: "200 OK", 403: "403 Forbidden", 404: "404 Not Found", 409: "409 Conflict", 503: "503 Busy"}


class CitySimulator(SimulatedApp):
    """The exchange. ``node_keys`` are public keys of nodes by name, ``key`` its own private key."""

    title = "城市数据交换"
    wrongs: Mapping[str, str] = {
        "values": "给出不合格式的内容",
        "extra": "多给没有请求的内容",
        "signature": "用别的密钥签名",
        "down": "一直说正忙",
        "drip": "一个字节一个字节地慢慢给",
    }

    def __init__(self, *, key: bytes, node_keys: dict[str, bytes], people: dict[str, dict] | None = None):
        super().__init__()
        self.key, self.public = key, crypto.public_of(key)
        self.node_keys, self.first = node_keys, people or {}
        self._reset()

    def _reset(self) -> None:
        self.people = {number: dict(held) for number, held in self.first.items()}
        self.only: list[str] = []
        self.busy = 0
        self.nonces: set[str] = set()
        self.asked: list[dict[str, Any]] = []
        self.refused: list[str] = []

    def configure(self, given: Mapping[str, Any]) -> None:
        """Also: people, only, busy, reset. Raises ValueError."""
        super().configure(given)
        with self.lock:
            if given.get("reset"):
                self._reset()
            for number, held in dict(given.get("people") or {}).items():
                self.people.setdefault(number, {}).update(held)
            self.only = list(given.get("only") or [])
            self.busy = int(given.get("busy") or 0)

    def config(self) -> dict[str, Any]:
        """Also what was asked, how often."""
        return super().config() | {"only": self.only, "busy": self.busy, "asked": len(self.asked)}

    def __call__(self, environ: dict, start_response: Callable) -> list[bytes] | Iterator[bytes]:  # noqa: D102
        body = super().__call__(environ, start_response)
        path = environ.get("PATH_INFO", "")
        return self._dripping(body[0]) if self._fault("drip", _resource(path)) else body

    def _dripping(self, body: bytes) -> Iterator[bytes]:
        for place in range(len(body)):
            if self.stopping.wait(DRIP_SECONDS):
                return
            yield body[place : place + 1]

    def _fault(self, name: str, resource: str) -> bool:
        return self.faults.wrong == name and (not self.only or resource in self.only)

    def _answer(self, request: Request) -> Answer:
        resource = _resource(request.path)
        if request.path != "/config" and self.only and resource not in self.only:
            # The faults are for others.
            return self._told(request, resource)
        if request.path == "/v1/resources" or resource:
            self.routes[f"{request.method} {request.path}"] = lambda asked: self._told(asked, resource)
        return super()._answer(request)

    def _told(self, request: Request, resource: str) -> Answer:
        status, given = self._decide(request, resource)
        return self._signed(request, status, given, resource)

    def _decide(self, request: Request, resource: str) -> tuple[int, dict[str, Any]]:
        headers = request.headers
        with self.lock:
            refuse = self._fault("down", resource) or self.busy > 0
            self.busy -= self.busy > 0
            if refuse:
                self.refused.append(headers.get("x-request-id", ""))
        if refuse:
            return 503, {"code": "busy"}
        known = self.node_keys.get(headers.get("x-node", ""))
        if known is None:
            return 403, {"code": "unknown_node"}
        try:
            signing.check_request(known, request.method, request.path, request.raw, headers)
        except signing.BadSignature:
            return 403, {"code": "bad_signature"}
        nonce, age = headers.get("x-nonce", ""), signing.age(headers.get("x-timestamp", ""))
        with self.lock:
            again = not nonce or nonce in self.nonces
            self.nonces.add(nonce)
        if again:
            return 409, {"code": "replayed"}
        if age is None or abs(age) > CLOCK_SECONDS:
            return 403, {"code": "clock"}
        if not resource:
            return 200, {"resources": list(RESOURCES)}
        return self._held(request, resource)

    def _held(self, request: Request, resource: str) -> tuple[int, dict[str, Any]]:
        question = dict(request.given)
        with self.lock:
            self.asked.append(question | {"resource": resource})
            own = self.people.get(question["subject"]["number"], {})
        held = own.get(resource, EVERYBODY.get(resource))
        if resource not in RESOURCES:
            return 404, {"code": "no_such_resource"}
        if held is None:
            return 404, {"code": "nothing_held"}
        values: dict[str, Any] = {name: held.get(name) for name in question["fields"]}
        if self._fault("values", resource):
            values = {name: {"不": "是这样"} for name in values}
        if self._fault("extra", resource):
            values["not_asked"] = "多给的"
        return 200, {"values": values}

    def _signed(self, request: Request, status: int, given: dict[str, Any], resource: str) -> Answer:
        body, timestamp = json.dumps(given, ensure_ascii=False).encode(), signing.stamp()
        text = signing.answer_text(
            status,
            body,
            request_id=request.headers.get("x-request-id", ""),
            nonce=request.headers.get("x-nonce", ""),
            timestamp=timestamp,
        )
        key = crypto.generate_keypair()[0] if self._fault("signature", resource) else self.key
        headers = (("X-Timestamp", timestamp), ("X-Signature", crypto.sign(key, text).hex()))
        return Answer(body, _STATUS[status], "application/json", headers)


def _resource(path: str) -> str:
    parts = path.strip("/").split("/")
    return parts[2] if len(parts) == 4 and parts[:2] == ["v1", "resources"] and parts[3] == "query" else ""


def made_up(folder: Path) -> dict[str, dict[str, Any]]:
    """What the demonstration of a pack holds of its made-up people: number to resource to fields."""
    people = tomllib.loads((folder / "residents.toml").read_text(encoding="utf-8"))
    numbers = {one["key"]: one["number"] for one in people.get("person", ())}
    held: dict[str, dict[str, Any]] = {}
    for one in tomllib.loads((folder / "exchange.toml").read_text(encoding="utf-8")).get("demo", ()):
        number = one.get("uscc") or numbers[one["person"]]
        held.setdefault(number, {})[one["resource"]] = dict(one["values"])
    return held


def make(folder: Path) -> CitySimulator:
    """The simulator with the made-up people of a pack. Raises OSError."""
    nodes = {DEMO_NODE: crypto.public_of(DEMO_NODE_KEY)}
    return CitySimulator(key=DEMO_KEY, node_keys=nodes, people=made_up(folder))


SIMULATOR = Simulator(
    name="city-exchange",
    title="城市数据交换",
    port=8121,
    make=make,
    environ=lambda address: {
        "LIANGZHU_EXCHANGE": address,
        "LIANGZHU_EXCHANGE_NODE": DEMO_NODE,
        "LIANGZHU_EXCHANGE_KEY": DEMO_NODE_KEY.hex(),
        "LIANGZHU_EXCHANGE_PUBLIC": crypto.public_of(DEMO_KEY).hex(),
    },
)
