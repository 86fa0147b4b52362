"""The simulator (模拟器): a province whose people are made up, programmable, and which can be slow, wrong or silent.

Speaks what the client expects: authorization endpoint with a page to choose who signs in, token endpoint, keys. Codes are
good once and for a minute, PKCE and the client's secret are asked for. Works without Django.
"""

import base64
import hashlib
import hmac
import html
import json
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import time as machine_time  # noqa: TID251 - tokens live on the machine's clock
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from liangzhu.adapters.province_identity.wording import DEMO_CLIENT, DEMO_SECRET, Wording, read_wording
from liangzhu.kernel.simulating import (
    Answer,
    Request,
    SimulatedApp,
    Simulator,
    as_json,
    as_page,
    is_loopback,
    redirect,
)

CODE_SECONDS, TOKEN_SECONDS = 60, 300
ASKED_MOST = 1000


@dataclass(frozen=True)
class Person:
    """A made-up person; ``level`` is the highest that this person can show."""

    key: str
    name: str
    number: str
    level: int
    kind: str = "citizen_id"
    about: str = ""


@dataclass(frozen=True)
class Firm:
    """A made-up enterprise: its legal representative and its agents, (person, granted on, until), by keys of persons."""

    uscc: str
    name: str
    legal: str
    agents: tuple[tuple[str, str, str], ...] = ()


@dataclass
class Asked:
    """One authorization request that waits for somebody to choose, or its code."""

    redirect_uri: str
    state: str
    nonce: str
    challenge: str
    level: int
    claims: dict[str, Any] | None = None
    until: float = 0


class ProvinceSimulator(SimulatedApp):
    """The application. ``configure`` also takes ``people`` and ``enterprises``: lists of tables as in ``residents.toml``."""

    title = "省统一身份认证"
    wrongs: Mapping[str, str] = {
        "signature": "身份凭证的签名不对",
        "algorithm": "身份凭证用约定之外的算法签名",
        "unsigned": "身份凭证没有签名",
        "issuer": "身份凭证由别的系统签发",
        "audience": "身份凭证签发给别的单位",
        "nonce": "身份凭证是为另一次登录签发的",
        "expired": "身份凭证已经过期",
        "claims": "没有给出证件号码",
        "garbage": "回答不是约定的格式",
        "fault": "内部故障（500）",
        "refuse": "不受理（error）",
    }

    def __init__(self, wording: Wording, people: list[dict], enterprises: list[dict]):
        super().__init__()
        self.wording = wording
        self._key, self._other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self._kid = secrets.token_hex(8)
        self._asked: dict[str, Asked] = {}
        self._codes: dict[str, Asked] = {}
        self._take(people, enterprises)
        self.routes = {
            f"GET {wording.paths['authorize']}": self._authorize,
            "POST /choose": self._choose,
            f"POST {wording.paths['token']}": self._token,
            f"GET {wording.paths['keys']}": self._keys,
            "GET /": self._front,
        }

    def _take(self, people: list[dict], enterprises: list[dict]) -> None:
        self.people = {
            one["key"]: Person(**{name: value for name, value in one.items() if name != "demo"})
            for one in people
        }
        self.firms = [
            Firm(
                one["uscc"],
                one["name"],
                one["legal"],
                tuple(
                    (agent["person"], str(agent["granted_on"]), str(agent["until"]))
                    for agent in one.get("agent", ())
                ),
            )
            for one in enterprises
        ]

    def configure(self, given: Mapping[str, Any]) -> None:
        """Faults, and whom there is. Raises ValueError."""
        super().configure(given)
        if "people" in given or "enterprises" in given:
            try:
                self._take(list(given.get("people", [])), list(given.get("enterprises", [])))
            except (KeyError, TypeError) as error:
                raise ValueError(f"人员或企业的写法不对：{error}") from None

    # -- pages ----------------------------------------------------------------------------------------------

    def _front(self, request: Request) -> Answer:
        return as_page(
            self.title, '<p>从本区门户点“登录”进入。<a href="/config">设置（变慢、出错、不回答）</a></p>'
        )

    def _authorize(self, request: Request) -> Answer:
        given = request.given
        if given.get("client_id") != DEMO_CLIENT or not _on_loopback(given.get("redirect_uri", "")):
            # Never send a browser to an address that is not known.
            return as_page(
                "不认识这个应用", "<p>应用标识或返回地址不对；模拟器只回到本机的地址。</p>", "400 Bad Request"
            )
        level = self.wording.levels.get(given.get(self.wording.level_parameter, ""), 1)
        asked = Asked(
            given["redirect_uri"],
            given.get("state", ""),
            given.get("nonce", ""),
            given.get("code_challenge", ""),
            level,
        )
        if (
            given.get("response_type") != "code"
            or given.get("code_challenge_method") != "S256"
            or not all((asked.state, asked.nonce, asked.challenge))
        ):
            return self._back(asked, error="invalid_request")
        if self.faults.wrong == "refuse":
            return self._back(asked, error="temporarily_unavailable")
        ticket = secrets.token_urlsafe(16)
        with self.lock:
            while len(self._asked) >= ASKED_MOST:
                del self._asked[next(iter(self._asked))]
            self._asked[ticket] = asked
        return as_page("选择由谁登录", self._people(ticket, level))

    def _people(self, ticket: str, level: int) -> str:
        words = {1: "已注册", 2: "已实名", 3: "现场或人脸核验"}
        rows = [f"<p>本区要求：{words[level]}。点一个人，就以这个人登录。</p>"]
        for person in self.people.values():
            shown = min(max(level, 2 if person.level > 1 else 1), person.level)
            rows.append(
                _button(
                    ticket,
                    person.key,
                    "",
                    f"{person.name}",
                    " · ".join(filter(None, (words[shown], person.about))),
                )
            )
            for place, firm in enumerate(self.firms):
                if role := _role(firm, person.key):
                    rows.append(
                        _button(
                            ticket,
                            person.key,
                            str(place),
                            f"{person.name} · {firm.name}",
                            f"法人登录：{role}",
                        )
                    )
        rows.append(_button(ticket, "", "", "取消", "不登录，回到本区"))
        return "".join(rows)

    def _choose(self, request: Request) -> Answer:
        with self.lock:
            asked = self._asked.pop(request.given.get("ticket", ""), None)
        if asked is None:
            return as_page("这一页已经用过", "<p>请回到本区重新点“登录”。</p>", "400 Bad Request")
        person = self.people.get(request.given.get("person", ""))
        if person is None:
            return self._back(asked, error="access_denied")
        asked.claims = self._claims(person, request.given.get("firm", ""), asked.level)
        asked.until = machine_time() + CODE_SECONDS
        code = secrets.token_urlsafe(24)
        with self.lock:
            self._codes[code] = asked
        return self._back(asked, code=code)

    def _back(self, asked: Asked, **given: str) -> Answer:
        mark = "&" if "?" in asked.redirect_uri else "?"
        return redirect(f"{asked.redirect_uri}{mark}{urlencode({**given, 'state': asked.state})}")

    # -- machine to machine ---------------------------------------------------------------------------------

    def _claims(self, person: Person, firm: str, level: int) -> dict[str, Any]:
        names = self.wording.claims
        shown = min(max(level, 2 if person.level > 1 else 1), person.level)
        claims: dict[str, Any] = {
            # Pairwise: another application would be told another one.
            "sub": hashlib.sha256(f"{DEMO_CLIENT}:{person.number}".encode()).hexdigest()[:32],
            names["name"]: person.name,
            names["document_kind"]: self.wording.word_of_document(person.kind),
            names["document_number"]: person.number,
            names["level"]: self.wording.word_of_level(shown),
        }
        if firm.isdecimal() and int(firm) < len(self.firms):
            chosen, words = self.firms[int(firm)], self.wording.enterprise
            grant = next((one for one in chosen.agents if one[0] == person.key), None)
            told = {words["uscc"]: chosen.uscc, words["name"]: chosen.name}
            if chosen.legal == person.key:
                claims[names["enterprise"]] = told | {words["role"]: "legal"}
            elif grant:
                claims[names["enterprise"]] = told | {
                    words["role"]: self.wording.agent_word,
                    words["granted_on"]: grant[1],
                    words["until"]: grant[2],
                }
        return claims

    def _token(self, request: Request) -> Answer:
        if fault := self._fault():
            return fault
        given, basic = request.given, request.headers.get("authorization", "")
        try:
            client, _, secret = base64.b64decode(basic.removeprefix("Basic ")).decode().partition(":")
        except ValueError:
            client = secret = ""
        known = unquote(client) == DEMO_CLIENT and hmac.compare_digest(unquote(secret), DEMO_SECRET)
        if not known:
            return as_json({"error": "invalid_client"}, "401 Unauthorized")
        with self.lock:
            asked = self._codes.pop(given.get("code", ""), None)
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        if (
            asked is None
            or asked.claims is None
            or machine_time() > asked.until
            or given.get("redirect_uri") != asked.redirect_uri
            or base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked.challenge
        ):
            return as_json({"error": "invalid_grant"}, "400 Bad Request")
        token = self._signed(asked, f"http://{request.headers.get('host', '')}")
        return as_json({"id_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS})

    def _signed(self, asked: Asked, issuer: str) -> str:
        """The ID token, or one that is wrong in the way that /config says."""
        wrong, moment = self.faults.wrong, int(machine_time())
        claims = {
            **(asked.claims or {}),
            "iss": "http://elsewhere.example" if wrong == "issuer" else issuer,
            "aud": "somebody-else" if wrong == "audience" else DEMO_CLIENT,
            "nonce": "of-another-sign-in" if wrong == "nonce" else asked.nonce,
            "iat": moment - (7200 if wrong == "expired" else 0),
            "exp": moment + (-3600 if wrong == "expired" else TOKEN_SECONDS),
        }
        if wrong == "claims":
            claims.pop(self.wording.claims["document_number"], None)
        header = {"kid": self._kid}
        if wrong == "unsigned":
            return jwt.encode(claims, None, algorithm="none", headers=header)
        if wrong == "algorithm":
            # The classic confusion: signed with a secret, which a careless client takes the public key for.
            return jwt.encode(claims, DEMO_SECRET * 2, algorithm="HS256", headers=header)
        key = self._other if wrong == "signature" else self._key
        return jwt.encode(claims, key, algorithm="ES256", headers=header)

    def _keys(self, request: Request) -> Answer:
        if self.faults.wrong in ("garbage", "fault") and (fault := self._fault()):
            return fault
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key()))
        return as_json({"keys": [public | {"kid": self._kid, "alg": "ES256", "use": "sig"}]})

    def _fault(self) -> Answer | None:
        if self.faults.wrong == "garbage":
            return Answer(b"<html>not what was agreed</html>")
        if self.faults.wrong == "fault":
            return Answer(b"", "500 Internal Server Error")
        return None


def _role(firm: Firm, person: str) -> str:
    if firm.legal == person:
        return "法定代表人"
    return next((f"经办人，{until} 前有效" for who, _, until in firm.agents if who == person), "")


def _button(ticket: str, person: str, firm: str, words: str, note: str) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(value)}">'
        for name, value in (("ticket", ticket), ("person", person), ("firm", firm))
    )
    text = f"{html.escape(words)}<small>{html.escape(note)}</small>"
    return f'<form method="post" action="/choose">{hidden}<button type="submit">{text}</button></form>'


def _on_loopback(address: str) -> bool:
    parts = urlsplit(address)
    return is_loopback(parts.hostname or "") and parts.scheme in ("http", "https")


def made_up(folder: Path) -> tuple[list[dict], list[dict]]:
    """The people and enterprises of a pack's demonstration."""
    path = folder / "residents.toml"
    given = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    people = [one for one in given.get("person", ()) if one.get("demo")]
    return people, list(given.get("enterprise", ()))


def make(folder: Path) -> ProvinceSimulator:
    """The simulator with the wording and the made-up people of a pack. Raises WordingError, OSError."""
    return ProvinceSimulator(read_wording(folder), *made_up(folder))


SIMULATOR = Simulator(
    name="province-identity",
    title="省统一身份认证",
    port=8101,
    make=make,
    environ=lambda address: {
        "LIANGZHU_IDENTITY": address,
        "LIANGZHU_IDENTITY_CLIENT": DEMO_CLIENT,
        "LIANGZHU_IDENTITY_SECRET": DEMO_SECRET,
    },
)
