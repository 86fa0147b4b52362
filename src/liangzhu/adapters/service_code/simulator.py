"""The simulator (模拟器): a province that issues codes to made-up people, validates them once, and can be slow, wrong or silent.

Speaks `wire`. A code is replaced by the next one of the same showing, so that a photographed one is found. ``/`` is a phone: choose
somebody, hold the code before the scanner. ``/config`` also takes ``skew`` (seconds by which its clock is ahead), ``life`` (of a
code), ``licences`` ([{number, licence, holder, code, issuer, issued_on}]), ``end_session``. Works without Django.
"""

import base64
import html
import json
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import time as machine_time  # noqa: TID251 - codes live on the machine's clock
from typing import Any

import segno

from liangzhu.adapters.service_code import texts, wire
from liangzhu.adapters.service_code.wording import DEMO_APP, DEMO_SECRET, Wording, read_wording
from liangzhu.kernel import crypto
from liangzhu.kernel.simulating import Answer, Request, SimulatedApp, Simulator, as_json, as_page

TOKEN_SECONDS = 600
MOST = 100_000
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@dataclass
class Showing:
    """Somebody who shows codes: one phone, one sign-in."""

    kind: str
    person: dict[str, str]
    principal: dict[str, str]
    scope: list[str] = field(default_factory=list)
    grant_date: str = ""
    end_time: str = ""
    province: str = ""
    last: str = ""
    over: bool = False


@dataclass
class Made:
    """One code."""

    text: texts.Text
    session: str
    consent: list[str]
    until: float
    used: bool = False


def demo_key(province: str) -> bytes:
    """The published key of a simulated province, good for loopback only."""
    return crypto.sm3(f"simulated service codes of {province}, good for loopback only".encode())


class CodeSimulator(SimulatedApp):
    """The province. ``licences`` maps number of a holder to what it holds."""

    title = "服务码"
    wrongs: Mapping[str, str] = {
        "signature": "发的码签名不对",
        "garbage": "回答不是约定的格式",
        "fault": "内部故障（500）",
        "code": "返回码不在约定之内",
        "empty": "验码通过，但不说持码人是谁",
        "stranger": "给出别人的证照",
        "more": "多给没有请求的证照",
        "pdf": "证照文件不是 PDF",
        "long": "回答长得没有尽头",
        "dead_token": "不认刚给的令牌",
    }

    def __init__(self, wording: Wording, people: list[dict], firms: list[dict], licences: list[dict]):
        super().__init__()
        self.wording = wording
        self.people = {one["key"]: one for one in people}
        self.firms = firms
        self.held: dict[str, list[dict]] = {}
        self._hold(licences)
        self.keys = {one.key: demo_key(one.key) for one in wording.provinces}
        self.public = {key: crypto.public_of(secret) for key, secret in self.keys.items()}
        self.skew, self.life = 0.0, wording.life
        self.showings: dict[str, Showing] = {}
        self.made: dict[str, Made] = {}
        self.tokens: dict[str, float] = {}
        self.validated: dict[str, tuple[Made, dict]] = {}
        self.asked: list[dict[str, Any]] = []
        paths = wording.paths
        self.routes = {
            f"POST {paths['token']}": self._token,
            f"POST {paths['validate']}": self._validate,
            f"POST {paths['licences']}": self._licences,
            f"POST {paths['issue']}": self._issue,
            "GET /": self._front,
            "POST /phone": self._phone,
        }

    def _hold(self, licences: list[dict]) -> None:
        for one in licences:
            self.held.setdefault(one["holder"], []).append(one)

    def configure(self, given: Mapping[str, Any]) -> None:
        """Also: skew, life, licences, end_session (True: everybody is signed out). Raises ValueError."""
        super().configure(given)
        with self.lock:
            self.skew = float(given.get("skew") or 0)
            self.life = min(max(int(given.get("life") or self.wording.life), 1), 3600)
            self._hold(list(given.get("licences") or []))
            if given.get("end_session"):
                for one in self.showings.values():
                    one.over = True

    def config(self) -> dict[str, Any]:
        """Also the clock, the life of a code, and how many were checked."""
        return super().config() | {"skew": self.skew, "life": self.life, "asked": len(self.asked)}

    # -- machine to machine ---------------------------------------------------------------------------------

    def _fault(self) -> Answer | None:
        if self.faults.wrong == "garbage":
            return Answer(b"<html>not what was agreed</html>")
        if self.faults.wrong == "fault":
            return Answer(b"", "500 Internal Server Error")
        if self.faults.wrong == "code":
            return as_json({"code": "987654"})
        if self.faults.wrong == "long":
            return Answer(b'{"code":"' + b"0" * 13_000_000 + b'"}', type="application/json")
        return None

    def _says(self, name: str, **more: Any) -> Answer:
        return as_json({"code": self.wording.answer(name), **more})

    def _token(self, request: Request) -> Answer:
        given = request.given
        if (given.get("client_id"), given.get("client_secret")) != (DEMO_APP, DEMO_SECRET) or given.get(
            "grant_type"
        ) != "client_credentials":
            return as_json({"error": "invalid_client"}, "401 Unauthorized")
        token = secrets.token_urlsafe(24)
        with self.lock:
            self.tokens[token] = machine_time() + TOKEN_SECONDS
        return as_json({"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS})

    def _bearer(self, request: Request) -> Answer | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.faults.wrong == "dead_token" or self.tokens.get(token, 0) < machine_time():
            return as_json({"error": "invalid_token"}, "401 Unauthorized")
        return self._fault()

    def _validate(self, request: Request) -> Answer:
        if stop := self._bearer(request):
            return stop
        given = dict(request.given)
        who = given.get("operator")
        named = isinstance(who, dict) and all(who.get(one) for one in ("account", "name", "identity_num"))
        complete = all(given.get(one) for one in ("qrcode", "casename", "caseid", "num", "equipmentCode"))
        if not named or not complete or request.headers.get("qrctoken") != wire.qrctoken(DEMO_APP):
            return as_json({"code": "100099", "message": "missing"})
        try:
            text = texts.read(given["qrcode"], self.wording.marks)
        except texts.BadText:
            text = None
        if text is None:
            return self._says("unknown")
        if not text.typed:
            province = self.wording.province_of(text.prefix)
            if not texts.holds(text, self.public[province.key]):
                return self._says("forged")
        with self.lock:
            self.asked.append(given)
            made = self.made.get(text.number)
            if made is None:
                return self._says("unknown" if text.typed else "forged")
            showing = self.showings[made.session]
            if made.used:
                return self._says("used")
            if showing.last != text.number or showing.over:
                return self._says("replaced")
            if machine_time() > made.until:
                return self._says("expired")
            made.used = True
            token = secrets.token_urlsafe(24)
            self.validated[token] = (made, given)
        return self._says("ok", data={"validatetoken": token})

    def _licences(self, request: Request) -> Answer:
        if stop := self._bearer(request):
            return stop
        with self.lock:
            found = self.validated.pop(request.headers.get("authtoken", ""), None)
        if found is None:
            return self._says("unknown")
        made, given = found
        showing = self.showings[made.session]
        if self.faults.wrong == "empty":
            return self._says("ok", data=[], agent={}, extra={})
        wanted = [code for code in given.get("items", ()) if code in made.consent]
        if self.faults.wrong == "more":
            wanted = [code for _, code in self.wording.licences.values()]
        holder = showing.principal
        held = self.held.get(holder["identity_num"], [])
        if self.faults.wrong in ("stranger", "more"):
            held = [one for many in self.held.values() for one in many]
        rows = [self._licence(one, holder) for one in held if self._code(one) in wanted]
        extra: dict[str, Any] = {"holder": holder}
        if made.consent:
            extra["consent"] = [{"source": wire.LICENCES, "fields": made.consent}]
        agent: dict[str, Any] = {}
        if showing.kind == "enterprise":
            extra["bearer"] = showing.person
        elif showing.kind == "agent":
            agent["agentInfo"] = showing.person | {
                "scope": showing.scope,
                "grant_date": showing.grant_date,
                "end_time": showing.end_time,
            }
        return self._says("ok", data=rows, agent=agent, extra=extra)

    def _code(self, one: dict) -> str:
        return self.wording.licences[one["licence"]][1]

    def _licence(self, one: dict, holder: dict[str, str]) -> dict[str, Any]:
        title, code = self.wording.licences[one["licence"]]
        stranger = self.faults.wrong in ("stranger", "more") and one["holder"] != holder["identity_num"]
        name = "别人" if stranger else holder["name"]
        days = str(one["issued_on"])
        values = {
            "ZZMC": title,
            "ZZHM": one["number"],
            "CYRMC": name,
            "CYRSFZJLX": holder["identity_type"],
            "CYRSFZJHM": one["holder"],
            "FZRQ": days.replace("-", ""),
            "FZJGMC": one["issuer"],
        }
        body = b"no file at all" if self.faults.wrong == "pdf" else PDF
        return {
            "name": title,
            "pdf": base64.b64encode(body).decode(),
            "liscenseInfo": {
                "name": title,
                "license_code": one["number"],
                "license_type": "CERTIFICATE",
                "license_status": one.get("status", wire.ISSUED),
                "holder_name": name,
                "holder_identity_type": holder["identity_type"],
                "holder_identity_num": one["holder"],
                "issue_org_name": one["issuer"],
                "issue_date": days,
                "certificate_type_code": code,
                "data_fields": json.dumps(values, ensure_ascii=False),
            },
        }

    def _issue(self, request: Request) -> Answer:
        if stop := self._bearer(request):
            return stop
        given = dict(request.given)
        session = str(given.get("session") or "")
        with self.lock:
            known = self.showings.get(session)
        if session and (known is None or known.over):
            return self._says("session")
        if not session:
            person = given.get("person")
            if not isinstance(person, dict) or not person.get("identity_num"):
                return self._says("unknown")
            end = f"{given['end_date']}T00:00:00+08:00" if given.get("end_date") else ""
            session = self.begin(
                Showing(
                    str(given.get("kind")),
                    person,
                    given.get("principal") or person,
                    list(given.get("scope") or []),
                    str(given.get("grant_date") or ""),
                    end,
                )
            )
        made = self.make(session, list(given.get("consent") or []))
        return self._says(
            "ok",
            data={
                "session": session,
                "qrcode": texts.write(made.text),
                "typed": made.text.number,
                "seconds": self.life,
            },
        )

    # -- codes ----------------------------------------------------------------------------------------------

    def begin(self, showing: Showing) -> str:
        """Somebody opens the code on a phone; returns the session."""
        session = secrets.token_urlsafe(16)
        with self.lock:
            while len(self.showings) >= MOST:
                del self.showings[next(iter(self.showings))]
            self.showings[session] = showing
        return session

    def make(self, session: str, consent: list[str] | None = None) -> Made:
        """The next code of a showing. The one before is good no more."""
        with self.lock:
            showing = self.showings[session]
            province = next(
                (one for one in self.wording.provinces if one.key == showing.province), self.wording.own
            )
            issued = datetime.fromtimestamp(int(machine_time() + self.skew), UTC)
            text = texts.Text(
                province.prefix, texts.new_number(province.mark), showing.kind, issued, self.life
            )
            key = (
                crypto.generate_keypair()[0] if self.faults.wrong == "signature" else self.keys[province.key]
            )
            made = Made(texts.sign(text, key), session, consent or [], machine_time() + self.life)
            while len(self.made) >= MOST:
                del self.made[next(iter(self.made))]
            self.made[text.number] = made
            showing.last = text.number
        return made

    # -- the phone ------------------------------------------------------------------------------------------

    def _front(self, request: Request) -> Answer:
        rows = ["<p>选一个人，手机上就出示他的码；拿到窗口的扫码页扫，或者把手输码抄过去。</p>"]
        rows += [self._choice(key, "", one["name"], one.get("about", "")) for key, one in self.people.items()]
        for place, firm in enumerate(self.firms):
            rows.append(self._choice(firm["legal"], str(place), firm["name"], "法定代表人出示企业码"))
            rows += [
                self._choice(
                    agent["person"],
                    str(place),
                    f"{self.people[agent['person']]['name']} · {firm['name']}",
                    f"经办人代办，授权到 {agent['until']}",
                )
                for agent in firm.get("agent", ())
            ]
        return as_page(
            "手机上的服务码", "".join(rows) + '<p><a href="/config">设置（变慢、出错、不回答）</a></p>'
        )

    def _choice(self, person: str, firm: str, name: str, about: str) -> str:
        options = "".join(
            f'<option value="{one.key}">{html.escape(one.title)}</option>' for one in self.wording.provinces
        )
        boxes = "".join(
            f'<label><input type="checkbox" name="consent_{key}" value="1" checked'
            f' style="display:inline;width:auto"> 同意出示{html.escape(title)}</label>'
            for key, (title, _) in self.wording.licences.items()
        )
        return f"""<details><summary>{html.escape(name)}<small>{html.escape(about)}</small></summary>
<form method="post" action="/phone"><input type="hidden" name="person" value="{html.escape(person)}">
<input type="hidden" name="firm" value="{firm}"><label>哪里的码<select name="province">{options}</select></label>{boxes}
<button type="submit">出示</button></form></details>"""

    def _phone(self, request: Request) -> Answer:
        given = request.given
        consent = [
            code for key, (_, code) in self.wording.licences.items() if given.get(f"consent_{key}") == "1"
        ]
        session = given.get("session", "")
        if session not in self.showings:
            showing = self._showing(given.get("person", ""), given.get("firm", ""))
            if showing is None:
                return as_page("没有这个人", "", "404 Not Found")
            showing.province = given.get("province", "")
            session = self.begin(showing)
        made = self.make(session, consent)
        code = segno.make(texts.write(made.text), error="m", micro=False).svg_inline(scale=6, border=4)
        again = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(str(value))}">'
            for name, value in {**given, "session": session}.items()
        )
        body = f"""<p>{code}</p><p>手输码 <b>{texts.grouped(made.text.number)}</b>，{self.life} 秒内有效，只能用一次。</p>
<p><small>扫码枪读到的内容</small><input readonly value="{html.escape(texts.write(made.text))}" aria-label="扫码枪读到的内容"></p>
<form method="post" action="/phone">{again}<button type="submit">换一个新码</button></form><p><a href="/">换一个人</a></p>"""
        return as_page("出示服务码", body)

    def _showing(self, person: str, firm: str) -> Showing | None:
        who = self.people.get(person)
        if who is None:
            return None
        told = self.told(who)
        if not firm.isdecimal() or int(firm) >= len(self.firms):
            return Showing("person", told, told)
        chosen = self.firms[int(firm)]
        company = {
            "name": chosen["name"],
            "identity_type": self.wording.documents["uscc"],
            "identity_num": chosen["uscc"],
        }
        if chosen["legal"] == person:
            return Showing("enterprise", told, company)
        for agent in chosen.get("agent", ()):
            if agent["person"] == person:
                until = f"{agent['until']}T00:00:00+08:00"
                return Showing("agent", told, company, [], str(agent["granted_on"]), until)
        return None

    def told(self, who: dict) -> dict[str, str]:
        """A made-up person as the wire names him."""
        return {
            "name": who["name"],
            "identity_type": self.wording.documents[who.get("kind", "citizen_id")],
            "identity_num": who["number"],
        }


def made_up(folder: Path) -> tuple[list[dict], list[dict], list[dict]]:
    """The people, enterprises and licences of a pack's demonstration."""
    given = tomllib.loads((folder / "residents.toml").read_text(encoding="utf-8"))
    people, firms = list(given.get("person", ())), list(given.get("enterprise", ()))
    numbers = {one["key"]: one["number"] for one in people}
    held = tomllib.loads((folder / "codes.toml").read_text(encoding="utf-8")).get("demo", ())
    licences = [one | {"holder": one.get("uscc") or numbers[one["person"]]} for one in held]
    return people, firms, licences


def make(folder: Path) -> CodeSimulator:
    """The simulator with the made-up people of a pack. Raises WordingError, OSError."""
    return CodeSimulator(read_wording(folder), *made_up(folder))


def _environ(address: str) -> dict[str, str]:
    public = {
        name: crypto.public_of(demo_key(name)).hex() for name in ("jiangsu", "shanghai", "zhejiang", "anhui")
    }
    return {
        "LIANGZHU_CODE": address,
        "LIANGZHU_CODE_APP": DEMO_APP,
        "LIANGZHU_CODE_SECRET": DEMO_SECRET,
        "LIANGZHU_CODE_PUBLIC": ",".join(f"{name}={key}" for name, key in public.items()),
    }


SIMULATOR = Simulator(name="service-code", title="服务码", port=8141, make=make, environ=_environ)
