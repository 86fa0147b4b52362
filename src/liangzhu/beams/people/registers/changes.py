"""What can be proposed: for each kind of change what it needs, and what its release does."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import Q

from liangzhu.beams.people.registers import ending
from liangzhu.beams.people.registers.events import (
    OrganisationChanged,
    PersonChanged,
    PersonForgotten,
    PersonMerged,
)
from liangzhu.beams.people.registers.families import family, subject_ref, survivors
from liangzhu.beams.people.registers.links import referrers
from liangzhu.beams.people.registers.models import (
    Mandate,
    NaturalPerson,
    Organisation,
    OrganisationName,
    Proposal,
)
from liangzhu.beams.people.registers.models.subjects import SOURCES, phone_form, year_only
from liangzhu.beams.people.registers.retention import rule
from liangzhu.kernel import identifiers, masking, sealing, search
from liangzhu.kernel.actions import Act
from liangzhu.kernel.errors import Conflict, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.now import today
from liangzhu.kernel.refs import Ref

PERSON = "natural_person"
ORGANISATION = "organisation"
EARLIEST = date(1900, 1, 1)

# Reading what was filled in -------------------------------------------------------------------------------------------


def _text(data: dict, name: str, label: str, most: int) -> str:
    text = " ".join(data[name].split())
    if not text:
        raise Invalid({name: f"请填写{label}。"})
    if len(text) > most:
        raise Invalid({name: f"{label}最多 {most} 个字。"})
    return text


def _choice(data: dict, name: str, choices: list[tuple[str, str]], label: str) -> str:
    if data.get(name) not in dict(choices):
        raise Invalid({name: f"请选择{label}。"})
    return data[name]


def _day(data: dict, name: str, label: str, *, future: bool = False) -> date:
    try:
        day = date.fromisoformat(data.get(name, ""))
    except ValueError:
        raise Invalid({name: f"请填写{label}，如 2022-10-20。"}) from None
    if day < EARLIEST or (not future and day > today()):
        raise Invalid({name: f"{label} {day.isoformat()} 不对，请核对年份。"})
    return day


NUMBERED = {
    "citizen_id": ("resident",),
    "hmt_permit": ("hongkong", "macao", "taiwan"),
    "foreign_card": ("foreign",),
}
"""Kinds of documents whose number is built as GB 11643, and whose holders have them."""

FORMS = {"passport": r"[A-Z0-9]{5,20}", "hm_travel": r"[HM][0-9]{8,10}", "tw_travel": r"[0-9]{8}"}


def read_number(kind: str, number: str) -> tuple[str, dict[str, str]]:
    """A document's number in its usual form, and what it says of its holder (birth, sex). Raises Invalid."""
    if kind in NUMBERED:
        try:
            found = identifiers.check("person", number, not_after=today())
        except identifiers.IdentifierError as error:
            raise Invalid({"document_number": f"{error.message}。{error.todo}"}) from None
        if found.holder not in NUMBERED[kind]:
            right = next(each for each, holders in NUMBERED.items() if found.holder in holders)
            title = dict(NaturalPerson.DOCUMENTS)[right]
            raise Invalid({"document_kind": f"这是{title}的号码，请核对证件类型。"})
        return found.value, {"birth": found.birth_date.isoformat(), "sex": found.sex}
    text = sealing.plain_form(identifiers.normal_form(number))
    if not re.fullmatch(FORMS.get(kind, r"[A-Z0-9]{4,30}"), text):
        raise Invalid({"document_number": "号码与证件类型不符，请对照证件核对。"})
    return text, {}


def _phone(text: str) -> str:
    digits = phone_form(text)
    if not re.fullmatch(r"1[3-9][0-9]{9}|(0[12][0-9]|0[3-9][0-9]{2})[2-8][0-9]{6,7}", digits):
        raise Invalid({"phone": "请填写 11 位手机号，或带区号的固定电话。"})
    return digits


def holder_of(kind: str, number: str) -> NaturalPerson | None:
    """The row under a document's number."""
    return NaturalPerson.objects.filter(document_kind=kind, document_blind=number).first()


# Persons --------------------------------------------------------------------------------------------------------------


def _person_values(data: dict, row: NaturalPerson | None) -> dict[str, str]:
    """What is given of a person, read and checked; of a known one only what is to change."""
    found: dict[str, str] = {}
    if "name" in data:
        found["name"] = _text(data, "name", "姓名", 60)
    if "document_kind" in data or "document_number" in data:
        kind = data.get("document_kind") or (row.document_kind if row else "")
        _choice({"document_kind": kind}, "document_kind", NaturalPerson.DOCUMENTS, "证件类型")
        if "document_number" not in data:
            raise Invalid({"document_number": "请填写证件号码。"})
        number, told = read_number(kind, data["document_number"])
        other = holder_of(kind, number)
        if other is not None and (row is None or other.pk != row.pk):
            raise Invalid(
                {
                    "document_number": f"这个号码已经登记（编号 {other.pk}）。同一号码是同一个人，请直接变更，或申请合并。"
                }
            )
        found |= {"document_kind": kind, "document_number": number} | told
    derived = "birth" in found or (row is not None and row.document_kind in NUMBERED)
    if "birth" in data and not derived:
        found["birth"] = _day(data, "birth", "出生日期").isoformat()
    if "sex" in data and not derived:
        found["sex"] = _choice(data, "sex", NaturalPerson.SEXES, "性别")
    if "phone" in data:
        found["phone"] = _phone(data["phone"])
    if "address" in data:
        found["address"] = _text(data, "address", "住址", 200)
    if data.get("state") == NaturalPerson.DEAD:
        found |= {
            "state": NaturalPerson.DEAD,
            "died_on": _day(data, "died_on", "死亡日期").isoformat(),
        }
    elif data.get("state") == NaturalPerson.ALIVE:
        found["state"] = NaturalPerson.ALIVE
    if not found:
        raise Invalid("没有填写要变更的内容，请至少填写一项。")
    found["source"] = _choice(data, "source", SOURCES, "数据来源")
    found["as_of"] = _day(data, "as_of", "数据日期").isoformat()
    return found


def _check_new_person(data: dict, row: None, other: None) -> dict[str, str]:
    for name, label in (("name", "姓名"), ("document_kind", "证件类型"), ("document_number", "证件号码")):
        if not data.get(name):
            raise Invalid({name: f"请填写{label}。"})
    return _person_values({key: text for key, text in data.items() if key not in ("state", "died_on")}, None)


def _check_person(data: dict, row: NaturalPerson, other: None) -> dict[str, str]:
    _goes_on(row)
    found = _person_values(data, row)
    if found.get("state") == row.state:
        del found["state"]
    if not found.keys() - {"source", "as_of"}:
        raise Invalid({"state": f"登记状态已经是“{row.get_state_display()}”。"})
    return found


def _goes_on(row: NaturalPerson) -> None:
    if row.forgotten:
        raise StepNotAllowed("这个人的登记内容已依规删除。")
    if row.merged_into_id:
        raise StepNotAllowed(f"这条登记已并入编号 {row.merged_into_id}，请在那一条上办理。")


def _save(row: NaturalPerson | Organisation) -> None:
    """Write a row. Raises Conflict where the same number was registered at the same moment."""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Conflict("这个号码刚刚被登记。", todo="请查找已有的登记，在它上面变更。") from None


def _apply_person(act: Act, data: dict, row: NaturalPerson | None, other: None) -> Ref:
    new = row is None
    row = NaturalPerson() if new else row
    for name, text in data.items():
        setattr(row, name, date.fromisoformat(text) if name in ("as_of", "died_on") else text)
    if data.get("state") == NaturalPerson.ALIVE:
        row.died_on = None
    row.touched_on = today()
    row.version = 1 if new else row.version + 1
    _save(row)
    if "name" in data:
        search.index(PERSON, row.pk, [data["name"]])
    act.emit(PersonChanged(subject=row.ref, fields=" ".join(sorted(data))))
    if data.get("state") == NaturalPerson.DEAD:
        ending.end_all(
            act,
            Q(principal__in=family(str(row.ref))) | Q(agent__in=family(str(row.ref))),
            "death",
            row.died_on,
        )
    if "birth" in data and not new:
        for mandate in Mandate.objects.select_for_update().filter(
            principal__in=family(str(row.ref)), until_adult=True, ended_on=None
        ):
            grown = adult_on(date.fromisoformat(data["birth"]))
            mandate.valid_to = max(grown, date.fromordinal(mandate.valid_from.toordinal() + 1))
            mandate.version += 1
            mandate.save(update_fields=["valid_to", "version"])
            act.log(mandate.ref, valid_to=mandate.valid_to.isoformat(), why="birth corrected")
    return row.ref


def _check_merge(data: dict, row: NaturalPerson, other: NaturalPerson | None) -> dict[str, str]:
    _goes_on(row)
    if other is None or other.pk == row.pk:
        raise Invalid({"other": "请填写保留的那一条登记的编号，不能是这一条自己。"})
    _goes_on(other)
    if row.state != other.state:
        raise Invalid({"other": "两条登记一条正常、一条死亡，请先更正状态再合并。"})
    return {}


def _apply_merge(act: Act, data: dict, row: NaturalPerson, other: NaturalPerson) -> Ref:
    name = masking.reveal(act.actor, row, "name", reason="合并登记，按原姓名仍可查到")
    NaturalPerson.objects.filter(merged_into=row).update(merged_into=other)
    Organisation.objects.filter(legal_representative=row).update(legal_representative=other)
    row.state, row.merged_into, row.version, row.touched_on = (
        NaturalPerson.MERGED,
        other,
        row.version + 1,
        today(),
    )
    row.save(update_fields=["state", "merged_into", "version", "touched_on"])
    other.version, other.touched_on = other.version + 1, today()
    other.save(update_fields=["version", "touched_on"])
    search.remove(PERSON, row.pk)
    search.add(PERSON, other.pk, name)
    refs = family(str(other.ref))
    ending.end_all(act, Q(principal__in=refs, agent__in=refs), "merged", today())
    act.log(row.ref, merged_into=str(other.ref))
    act.emit(PersonMerged(subject=row.ref, survivor_id=other.pk))
    return other.ref


def _check_forget(data: dict, row: NaturalPerson, other: None) -> dict[str, str]:
    _goes_on(row)
    if why := kept_for(row):
        raise StepNotAllowed("；".join(why) + "，还不能删除。", todo="请在这些事项结束、保存期满之后再申请。")
    return {}


def kept_for(row: NaturalPerson) -> list[str]:
    """Why the values of a person may not be destroyed yet, in words; nothing: the time has come."""
    refs = family(str(row.ref))
    why = [f"{one.title}还有 {count} 件未结" for one in referrers() if (count := one.open_for(refs))]
    mandates = Mandate.objects.filter(Q(principal__in=refs) | Q(agent__in=refs))
    if count := mandates.filter(Q(ended_on=None) | Q(ended_on__gt=today())).count():
        why.append(f"还有 {count} 份没有终止的授权")
    waiting = Proposal.objects.filter(Q(subject__in=refs) | Q(other__in=refs), state=Proposal.OPEN)
    if count := waiting.exclude(kind="person_forget").count():
        why.append(f"还有 {count} 份待复核的申请")
    if (
        count := Organisation.objects.filter(legal_representative=row)
        .exclude(state=Organisation.DISSOLVED)
        .count()
    ):
        why.append(f"是 {count} 个存续组织的法定代表人")
    rows = NaturalPerson.objects.filter(Q(pk=row.pk) | Q(merged_into=row))
    last = max(
        day
        for day in (
            *rows.values_list("touched_on", flat=True),
            row.died_on,
            *mandates.values_list("ended_on", flat=True),
        )
        if day is not None
    )
    given = rule()
    if given.unconfirmed:
        why.append(f"保存期限待确认（{given.unconfirmed}）")
    if (until := given.until(last)) > today():
        why.append(f"保存到 {until.isoformat()}")
    return why


def _apply_forget(act: Act, data: dict, row: NaturalPerson, other: None) -> Ref:
    ground = rule().ground
    refs = family(str(row.ref))
    touched = Q(subject__in=refs) | Q(other__in=refs) | Q(result__in=refs)
    for each in [
        *NaturalPerson.objects.select_for_update().filter(Q(pk=row.pk) | Q(merged_into=row)),
        *Mandate.objects.select_for_update().filter(Q(principal__in=refs) | Q(agent__in=refs)),
        *Proposal.objects.select_for_update().filter(touched).exclude(state=Proposal.OPEN),
    ]:
        if each.sealed_key:
            sealing.forget(act, each, rule=ground)
    act.emit(PersonForgotten(subject=row.ref))
    return row.ref


def _forget_words(act: Act, row: NaturalPerson) -> dict[str, int]:
    search.remove(PERSON, row.pk)
    return {"search": 1}


sealing.on_forget(NaturalPerson, _forget_words)


# Organisations --------------------------------------------------------------------------------------------------------


def _organisation_values(data: dict, row: Organisation | None) -> dict[str, str]:
    found: dict[str, str] = {}
    if "name" in data:
        found["name"] = _text(data, "name", "名称", 120)
        found["name_from"] = _day(data, "name_from", "名称启用日期").isoformat()
        last = row.names.first() if row else None
        if last is not None and date.fromisoformat(found["name_from"]) <= last.valid_from:
            raise Invalid({"name_from": f"现用名称自 {last.valid_from.isoformat()} 启用，新名称应在这之后。"})
    if "legal_representative" in data:
        number = data["legal_representative"]
        person = (
            NaturalPerson.objects.filter(pk=number).first() if number.isdigit() and len(number) < 19 else None
        )
        if person is None:
            raise Invalid({"legal_representative": "没有这个编号的自然人，请先登记。"})
        _goes_on(person)
        found["legal_representative"] = str(person.pk)
    if "address" in data:
        found["address"] = _text(data, "address", "住所", 200)
    if "state" in data and (row is None or data["state"] != row.state):
        found["state"] = _choice(data, "state", Organisation.STATES, "状态")
        if found["state"] == Organisation.DISSOLVED:
            found["ended_on"] = _day(data, "ended_on", "注销日期").isoformat()
    if not found:
        raise Invalid("没有填写要变更的内容，请至少填写一项。")
    found["source"] = _choice(data, "source", SOURCES, "数据来源")
    found["as_of"] = _day(data, "as_of", "数据日期").isoformat()
    return found


def _check_new_organisation(data: dict, row: None, other: None) -> dict[str, str]:
    if "name" not in data:
        raise Invalid({"name": "请填写名称。"})
    try:
        code = identifiers.check("enterprise", data.get("uscc", ""))
    except identifiers.IdentifierError as error:
        raise Invalid({"uscc": f"{error.message}。{error.todo}"}) from None
    known = Organisation.objects.filter(uscc=code.value).first()
    if known is not None:
        raise Invalid({"uscc": f"这个代码已经登记：{known.name}。"})
    kind = Organisation.BY_CODE.get(code.authority + code.category, "other")
    return {"uscc": code.value, "kind": kind} | _organisation_values(
        {key: text for key, text in data.items() if key not in ("state", "ended_on")}, None
    )


def _check_organisation(data: dict, row: Organisation, other: None) -> dict[str, str]:
    return _organisation_values(data, row)


def _apply_organisation(act: Act, data: dict, row: Organisation | None, other: None) -> Ref:
    new = row is None
    row = Organisation() if new else row
    for name, text in data.items():
        if name == "legal_representative":
            row.legal_representative_id = survivors([int(text)])[int(text)]
        elif name != "name_from":
            setattr(row, name, date.fromisoformat(text) if name in ("as_of", "ended_on") else text)
    if data.get("state", Organisation.DISSOLVED) != Organisation.DISSOLVED:
        row.ended_on = None
    row.version = 1 if new else row.version + 1
    _save(row)
    if "name" in data:
        since = date.fromisoformat(data["name_from"])
        row.names.filter(valid_to=None).update(valid_to=since)
        OrganisationName.objects.create(organisation=row, name=data["name"], valid_from=since)
        search.index(ORGANISATION, row.pk, row.names.values_list("name", flat=True))
    act.emit(OrganisationChanged(subject=row.ref, fields=" ".join(sorted(data))))
    if data.get("state") == Organisation.DISSOLVED:
        refs = {str(row.ref)}
        ending.end_all(act, Q(principal__in=refs) | Q(agent__in=refs), "dissolved", row.ended_on)
    return row.ref


# Mandates -------------------------------------------------------------------------------------------------------------

KIND_CODE = r"[a-z]+(\.[a-z0-9_]+)*"


def adult_on(born: date) -> date:
    """The 18th birthday (民法典 §17); who was born on 29 February comes of age on the last of the month (§202)."""
    try:
        return born.replace(year=born.year + 18)
    except ValueError:
        return date(born.year + 18, 2, 28)


def stands(row: NaturalPerson | Organisation, field: str) -> None:
    """Raises Invalid unless the one can still act or be acted for."""
    if isinstance(row, Organisation):
        if row.state == Organisation.DISSOLVED:
            raise Invalid({field: f"{row.name}已经注销。"})
    elif row.forgotten or row.state != NaturalPerson.ALIVE:
        raise Invalid({field: f"编号 {row.pk} 的登记状态是“{row.get_state_display()}”，不能授权或代理。"})


def _check_mandate(data: dict, row, other) -> dict[str, str]:
    if other is None or other.ref == row.ref:
        raise Invalid({"other": "请填写代理人，不能是被代理人自己。"})
    stands(row, "subject")
    stands(other, "other")
    found = {
        "capacity": _choice(data, "capacity", Mandate.CAPACITIES, "身份"),
        "scope_kind": _choice(data, "scope_kind", Mandate.SCOPES, "范围"),
        "asked_by": _choice(data, "asked_by", Mandate.SIDES, "由谁提出"),
        "basis": _text(data, "basis", "依据", 400),
        "valid_from": _day(data, "valid_from", "生效日期", future=True).isoformat(),
        "may_delegate": "yes" if data.get("may_delegate") == "yes" else "",
    }
    if found["scope_kind"] != Mandate.ALL:
        scopes = data.get("scopes", "").replace("，", " ").replace(",", " ").split()
        form = KIND_CODE if found["scope_kind"] == Mandate.KINDS else r"[a-z_]+:[0-9A-Za-z_-]+"
        if not scopes or not all(re.fullmatch(form, one) for one in scopes):
            raise Invalid({"scopes": "请填写业务代码（如 programme.task）或一件事项的编号（如 matter:12）。"})
        if found["scope_kind"] == Mandate.CASE and len(scopes) != 1:
            raise Invalid({"scopes": "范围是一件事项时只能填写一件。"})
        found["scopes"] = " ".join(scopes)
        if len(found["scopes"]) > 400:
            raise Invalid({"scopes": "业务太多，请分成几份授权。"})
    if data.get("valid_to"):
        found["valid_to"] = _day(data, "valid_to", "终止日期", future=True).isoformat()
        if found["valid_to"] <= found["valid_from"]:
            raise Invalid({"valid_to": "终止日期应在生效日期之后。"})
    person, capacity = isinstance(row, NaturalPerson), found["capacity"]
    if capacity == "company_agent" and (person or not isinstance(other, NaturalPerson)):
        raise Invalid({"capacity": "单位经办人由组织授权给自然人。"})
    if capacity in ("guardian", "entrusted") and not person:
        raise Invalid({"capacity": "监护和受托代办的被代理人是自然人。"})
    if capacity != "guardian" and "valid_to" not in found:
        raise Invalid({"valid_to": "请填写终止日期；只有监护可以不填。"})
    if data.get("parent"):
        found["parent"] = _derived(data["parent"], row, found)
    return found


def _derived(number: str, row, found: dict[str, str]) -> str:
    """The mandate that another one is derived from. Raises Invalid where that one does not allow it."""
    parent = (
        Mandate.objects.select_related("parent").filter(pk=number).first()
        if number.isdigit() and len(number) < 19
        else None
    )
    if parent is None or parent.principal not in family(str(row.ref)) or not parent.in_force(today()):
        raise Invalid({"parent": "没有这份有效的授权，或者它不是这个被代理人的。"})
    if not parent.may_delegate or parent.parent_id:
        raise Invalid({"parent": "这份授权不允许转委托。"})
    if found["may_delegate"]:
        raise Invalid({"may_delegate": "转委托得来的授权不能再转委托。"})
    if date.fromisoformat(found["valid_from"]) < parent.valid_from or (
        parent.valid_to and not ("valid_to" in found and found["valid_to"] <= parent.valid_to.isoformat())
    ):
        raise Invalid({"valid_to": "转委托的期限不能超出原授权。"})
    if parent.scope_kind != Mandate.ALL and not (
        parent.scope_kind == found["scope_kind"]
        and set(found.get("scopes", "").split()) <= set(parent.scopes.split())
    ):
        raise Invalid({"scopes": "转委托的范围不能超出原授权。"})
    return str(parent.pk)


def _apply_mandate(act: Act, data: dict, row, other) -> Ref:
    start, end = date.fromisoformat(data["valid_from"]), data.get("valid_to")
    mandate = Mandate(
        principal=str(row.ref),
        agent=str(other.ref),
        valid_from=start,
        valid_to=date.fromisoformat(end) if end else None,
        may_delegate=bool(data["may_delegate"]),
        parent_id=int(data["parent"]) if "parent" in data else None,
        **{name: data.get(name, "") for name in ("capacity", "scope_kind", "scopes", "basis", "asked_by")},
    )
    if mandate.capacity == "guardian" and row.birth:
        grown = adult_on(
            date.fromisoformat(masking.reveal(act.actor, row, "birth", reason="核定监护的终止日期"))
        )
        if grown > start and (mandate.valid_to is None or grown <= mandate.valid_to):
            mandate.valid_to, mandate.until_adult = grown, True
    mandate.save()
    return mandate.ref


def _check_extension(data: dict, row: Mandate, other: None) -> dict[str, str]:
    if row.ended_on or (row.valid_to and row.valid_to <= today()):
        raise StepNotAllowed("这份授权已经终止，不能延长。", todo="请由被代理人重新授权。")
    if _choice(data, "asked_by", Mandate.SIDES, "由谁提出") != Mandate.PRINCIPAL:
        raise Invalid({"asked_by": "代理人不能延长自己的授权，应由被代理人提出。"})
    if row.until_adult:
        raise StepNotAllowed("监护到被监护人满十八周岁为止，不能延长。")
    until = _day(data, "valid_to", "终止日期", future=True)
    if row.valid_to is None or until <= row.valid_to:
        raise Invalid({"valid_to": "新的终止日期应在现在的终止日期之后。"})
    if row.parent and row.parent.valid_to and until > row.parent.valid_to:
        raise Invalid({"valid_to": "转委托的期限不能超出原授权。"})
    return {"valid_to": until.isoformat(), "asked_by": Mandate.PRINCIPAL}


def _apply_extension(act: Act, data: dict, row: Mandate, other: None) -> Ref:
    row.valid_to, row.version = date.fromisoformat(data["valid_to"]), row.version + 1
    row.save(update_fields=["valid_to", "version"])
    return row.ref


# The kinds ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A kind of change. ``check(data, row, other)`` reads what was filled in, ``apply(act, data, row, other)`` does it."""

    title: str
    subject: str
    check: Callable[[dict, object, object], dict[str, str]]
    apply: Callable[[Act, dict, object, object], Ref]
    other: bool = False


KINDS: dict[str, Kind] = {
    "person_new": Kind("新登记自然人", "", _check_new_person, _apply_person),
    "person_change": Kind("变更自然人登记", PERSON, _check_person, _apply_person),
    "person_merge": Kind("合并自然人登记", PERSON, _check_merge, _apply_merge, other=True),
    "person_forget": Kind("依规删除自然人登记", PERSON, _check_forget, _apply_forget),
    "organisation_new": Kind("新登记组织", "", _check_new_organisation, _apply_organisation),
    "organisation_change": Kind("变更组织登记", ORGANISATION, _check_organisation, _apply_organisation),
    "mandate_new": Kind("登记授权", "party", _check_mandate, _apply_mandate, other=True),
    "mandate_extend": Kind("延长授权", "mandate", _check_extension, _apply_extension),
}

Mask = Callable[[str], str] | None

FIELDS: dict[str, tuple[str, Mask, dict[str, str]]] = {
    "name": ("姓名或名称", None, {}),
    "document_kind": ("证件类型", None, dict(NaturalPerson.DOCUMENTS)),
    "document_number": ("证件号码", masking.citizen_id, {}),
    "phone": ("电话", masking.phone, {}),
    "birth": ("出生日期", year_only, {}),
    "sex": ("性别", None, dict(NaturalPerson.SEXES)),
    "address": ("住址或住所", None, {}),
    "state": ("状态", None, dict([*NaturalPerson.STATES, *Organisation.STATES])),
    "died_on": ("死亡日期", None, {}),
    "uscc": ("统一社会信用代码", None, {}),
    "kind": ("类型", None, dict(Organisation.KINDS)),
    "name_from": ("名称启用日期", None, {}),
    "ended_on": ("注销日期", None, {}),
    "legal_representative": ("法定代表人编号", None, {}),
    "capacity": ("身份", None, dict(Mandate.CAPACITIES)),
    "scope_kind": ("范围", None, dict(Mandate.SCOPES)),
    "scopes": ("业务或事项", None, {}),
    "valid_from": ("生效日期", None, {}),
    "valid_to": ("终止日期", None, {}),
    "may_delegate": ("允许转委托", None, {"yes": "允许", "": "不允许"}),
    "parent": ("所依据的授权", None, {}),
    "asked_by": ("由谁提出", None, dict(Mandate.SIDES)),
    "basis": ("依据", masking.mask_text, {}),
    "source": ("数据来源", None, dict(SOURCES)),
    "as_of": ("数据日期", None, {}),
}
"""What a proposal may hold: its label, its mask, its words."""


def shown(kind: str, name: str, text: str) -> str:
    """A value of a proposal as it is shown: in words, masked where it tells of a person."""
    _, mask, words = FIELDS[name]
    if kind.startswith("person") and name in ("name", "address"):
        mask = masking.name if name == "name" else masking.address
    return words.get(text, text) if words else mask(text) if mask else text


def row_of(kind: str, text: str, act: Act | None = None):
    """The row that a reference of a proposal names, locked when an action asks. Raises NotThere."""
    if KINDS[kind].subject == "mandate":
        model, number = Mandate, text.removeprefix("mandate:")
    else:
        ref = subject_ref(text)
        model = NaturalPerson if ref.kind == PERSON else Organisation
        number = ref.id
        if KINDS[kind].subject in (PERSON, ORGANISATION) and ref.kind != KINDS[kind].subject:
            raise NotThere("没有找到要变更的登记。")
        if KINDS[kind].subject == "party" and model is NaturalPerson:
            number = survivors([int(number)])[int(number)]
    if act is not None:
        return act.lock(model, pk=number)
    row = model.objects.filter(pk=number).first()
    if row is None:
        raise NotThere(f"没有找到这一{model._meta.verbose_name}。")
    return row
