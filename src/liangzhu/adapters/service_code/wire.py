"""What stands on the wire of the provincial hall protocol (厅端扫码接口), as seen in public code, misspellings included. Pure: no Django.

    1. token:     POST form client_id, client_secret, grant_type=client_credentials, scope     → access_token, expires_in
    2. validate:  POST JSON `question`, headers Authorization: Bearer, qrctoken = base64(app key) → data.validatetoken
    3. licences:  POST, headers Authorization: Bearer, authtoken = validatetoken
                  → code "000001", data[] {name, pdf, liscenseInfo{…}}, agent{agentInfo}, extra

What is inside `extra` and `agentInfo`, and the call that issues codes, is not published and is this project's own (待确认).
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from liangzhu.adapters.service_code.wording import Wording

PDF_MOST = 2_000_000
LICENCES_MOST = 20
TEXT_MOST = 400
LICENCES, OUR_SOURCE = "licences", "service_code"
ISSUED = "ISSUED"
_STATUS = {
    "ISSUED": "有效",
    "SUSPENDED": "暂停",
    "REVOKED": "已撤销",
    "EXPIRED": "已过期",
    "CANCELLED": "已注销",
}
_DAY = re.compile(r"(\d{4})\D?(\d{1,2})\D?(\d{1,2})(?:\D.*)?")


class BadAnswer(ValueError):
    """An answer that is not what was agreed; the message says what is wrong with it."""


@dataclass(frozen=True)
class Party:
    """A person or an enterprise."""

    kind: str
    name: str
    document_kind: str
    number: str


@dataclass(frozen=True)
class Agent:
    """Who shows a code for another."""

    person: Party
    scope: tuple[str, ...]
    granted_on: date
    until: datetime | None


@dataclass(frozen=True)
class Told:
    """The answer of the third call."""

    holder: Party | None
    bearer: Party | None
    agent: Agent | None
    consented: tuple[tuple[str, tuple[str, ...]], ...] = ()
    licences: tuple[dict[str, Any], ...] = ()
    """Each as the keywords of `codes.Licence`: that module needs Django, this one must not."""


def qrctoken(app: str) -> str:
    """The header of that name."""
    return base64.b64encode(app.encode()).decode()


def question(wording: Wording, raw: str, asked: Any) -> dict[str, Any]:
    """The body of the second call. ``asked`` is `codes.Asked`."""
    who = asked.operator
    return {
        "qrcode": raw,
        "casecode": asked.item,
        "casename": asked.title,
        "description": f"{asked.outlet} {asked.title}",
        "items": [wording.licences[one][1] for one in asked.licences],
        "num": asked.case,
        "operator": {
            "account": who.account,
            "name": who.name,
            "identity_num": who.identity_number,
            "role": who.role,
            "division": who.division,
            "division_code": who.division_code,
            "service_org_code": who.unit_code,
            "service_org": who.unit,
        },
        "equipmentName": f"{asked.outlet} {asked.device}",
        "equipmentCode": asked.device,
        "caseid": asked.case,
        "ouguid": who.unit_code,
        "itemOuName": who.unit,
    }


def read_answer(wording: Wording, body: dict[str, Any]) -> Told:
    """Read the third answer. Raises BadAnswer."""
    rows = body.get("data")
    if not isinstance(rows, list) or len(rows) > LICENCES_MOST:
        raise BadAnswer("证照列表不对")
    licences = tuple(_licence(wording, one) for one in rows)
    extra, agent = body.get("extra") or {}, body.get("agent") or {}
    if not isinstance(extra, dict) or not isinstance(agent, dict):
        raise BadAnswer("持码人或代办人不对")
    holder = _party(wording, extra.get("holder")) if extra.get("holder") else _holder_of(wording, rows)
    return Told(
        holder,
        _party(wording, extra["bearer"]) if extra.get("bearer") else None,
        _agent(wording, agent["agentInfo"]) if agent.get("agentInfo") else None,
        _consented(wording, extra.get("consent") or []),
        licences,
    )


def _text(given: dict[str, Any], name: str, *, most: int = TEXT_MOST) -> str:
    value = given.get(name)
    if value is None:
        return ""
    if not isinstance(value, str | int) or len(str(value)) > most:
        raise BadAnswer(f"{name} 不对")
    return " ".join(str(value).split())


def _party(wording: Wording, given: Any) -> Party:
    if not isinstance(given, dict):
        raise BadAnswer("持码人不对")
    kind = wording.document_of(_text(given, "identity_type"))
    found = Party(
        "enterprise" if kind == "uscc" else "person",
        _text(given, "name", most=120),
        kind,
        _text(given, "identity_num", most=40),
    )
    if not found.name or not found.number:
        raise BadAnswer("持码人没有姓名或号码")
    return found


def _holder_of(wording: Wording, rows: list[Any]) -> Party | None:
    """The holder as the licences name him, where all name the same."""
    found = set()
    for one in rows:
        info = one["liscenseInfo"]
        given = {
            "identity_type": info.get("holder_identity_type"),
            "identity_num": info.get("holder_identity_num"),
            "name": info.get("holder_name"),
        }
        found.add(_party(wording, given))
    return found.pop() if len(found) == 1 else None


def _agent(wording: Wording, given: Any) -> Agent:
    if not isinstance(given, dict):
        raise BadAnswer("代办人不对")
    scope = given.get("scope") or []
    if not isinstance(scope, list) or any(not isinstance(one, str) or " " in one for one in scope):
        raise BadAnswer("代办范围不对")
    try:
        granted = date.fromisoformat(_text(given, "grant_date"))
        end = _text(given, "end_time")
        until = datetime.fromisoformat(end) if end else None
    except ValueError:
        raise BadAnswer("代办期限不对") from None
    if until is not None and until.tzinfo is None:
        raise BadAnswer("代办期限没有时区")
    return Agent(_party(wording, given), tuple(scope), granted, until)


def _consented(wording: Wording, given: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What the holder agreed to. Licences are named by their type codes; other sources as they call themselves."""
    found = []
    if not isinstance(given, list):
        raise BadAnswer("同意的内容不对")
    for one in given:
        fields = one.get("fields") if isinstance(one, dict) else None
        if not isinstance(fields, list) or not all(isinstance(name, str) for name in fields):
            raise BadAnswer("同意的内容不对")
        source = _text(one, "source", most=80)
        if source == LICENCES:
            keys = [wording.licence_of(code) for code in fields]
            source, fields = OUR_SOURCE, [key for key in keys if key]
        if fields:
            found.append((source, tuple(fields)))
    return tuple(found)


def _licence(wording: Wording, given: Any) -> dict[str, Any]:
    info = given.get("liscenseInfo") if isinstance(given, dict) else None
    if not isinstance(info, dict):
        raise BadAnswer("证照没有 liscenseInfo")
    key = wording.licence_of(_text(info, "certificate_type_code"))
    if key is None:
        raise BadAnswer("有没有请求过的证照")
    values = _values(wording, info.get("data_fields"))
    status = _text(info, "license_status")
    return {
        "key": key,
        "title": _text(given, "name") or _text(info, "name") or wording.licences[key][0],
        "number": values.get("number") or _text(info, "license_code"),
        "status": _STATUS.get(status, status),
        "valid": status == ISSUED,
        "holder_name": _text(info, "holder_name"),
        "holder_number": _text(info, "holder_identity_num"),
        "issuer": values.get("issuer") or _text(info, "issue_org_name"),
        "issued_on": _day(values.get("issued_on") or _text(info, "issue_date")),
        "fields": values,
        "pdf": _pdf(given.get("pdf")),
    }


def _values(wording: Wording, given: Any) -> dict[str, str]:
    """``data_fields`` by our names. It is JSON inside a text; keys that nobody knows are not taken."""
    if not given:
        return {}
    try:
        read = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise BadAnswer("data_fields 不对")
    return {ours: _text(read, theirs) for theirs, ours in wording.fields.items() if read.get(theirs)}


def _day(text: str) -> str:
    """A day as 2021-05-06; what is none stays as it was written."""
    found = _DAY.fullmatch(text)
    try:
        return date(*(int(one) for one in found.groups())).isoformat() if found else text
    except ValueError:
        return text


def _pdf(given: Any) -> bytes:
    if not given:
        return b""
    try:
        found = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise BadAnswer("证照文件不对") from None
    if len(found) > PDF_MOST:
        raise BadAnswer("证照文件太大")
    if not found.startswith(b"%PDF-"):
        raise BadAnswer("证照文件不是 PDF")
    return found
