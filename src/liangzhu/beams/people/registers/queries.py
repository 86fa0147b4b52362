"""Every read, scoped to who asks. What comes back is masked; in full is read for a reason, with a leaf."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.urls import NoReverseMatch, reverse

from liangzhu.beams.people.registers import changes, policies
from liangzhu.beams.people.registers.families import family, survivors
from liangzhu.beams.people.registers.models import Mandate, NaturalPerson, Organisation, Proposal
from liangzhu.beams.people.registers.retention import Rule, rule
from liangzhu.kernel import identifiers, masking, reads, search
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Invalid, NotThere
from liangzhu.kernel.now import today
from liangzhu.kernel.refs import Ref, describe, register_ref
from liangzhu.kernel.sealing import GONE

FOUND_MAX = 50
IN_FULL = ("name", "document_number", "phone", "address", "birth")
"""The fields of a person that are masked."""


@dataclass(frozen=True)
class Found:
    """What a search found."""

    persons: list[NaturalPerson]
    organisations: list[Organisation]


def find(actor: Actor, *, name: str = "", number: str = "", phone: str = "") -> Found:
    """Persons and organisations by words of the name, or by an equal number (document or 统一社会信用代码) or phone.

    Numbers and phones are compared whole; a merged row leads to the one that goes on. At most `FOUND_MAX` of each.
    """
    policies.record.require(actor)
    persons, organisations = NaturalPerson.objects.none(), Organisation.objects.none()
    if number:
        persons = NaturalPerson.objects.filter(document_blind__in=_forms(number))
        organisations = Organisation.objects.filter(uscc=identifiers.normal_form(number))
    elif phone:
        persons = NaturalPerson.objects.filter(phone_blind=phone)
    elif name:
        hits = search.find(name, kind=changes.PERSON, limit=FOUND_MAX)
        persons = NaturalPerson.objects.filter(pk__in=[hit.ident for hit in hits])
        hits = search.find(name, kind=changes.ORGANISATION, limit=FOUND_MAX)
        organisations = Organisation.objects.filter(pk__in=[hit.ident for hit in hits])
    ids = survivors(persons.values_list("pk", flat=True)).values()
    return Found(
        list(NaturalPerson.objects.filter(pk__in=ids).order_by("-pk")[:FOUND_MAX]),
        list(organisations.order_by("-pk")[:FOUND_MAX]),
    )


def _forms(number: str) -> list[str]:
    """A document's number as it was typed, and as an identity number of the first generation is kept."""
    try:
        return [number, identifiers.check("person", number).value]
    except identifiers.IdentifierError:
        return [number]


def person(actor: Actor, person_id: int) -> NaturalPerson:
    """One person, masked. Raises NotThere, also for whom the actor has no business with."""
    row = NaturalPerson.objects.filter(pk=person_id).first()
    if row is None or not policies.read_person(actor, row):
        raise NotThere("没有找到这个自然人，或者您没有正在办理的事项与他有关。")
    return row


def read_in_full(actor: Actor, person_id: int, fields: Iterable[str], reason: str) -> dict[str, str]:
    """Fields of a person in full, for a reason; one leaf names person, fields and reason. Raises Invalid, NotThere."""
    row = person(actor, person_id)
    fields = tuple(fields)
    if not fields or set(fields) - set(IN_FULL):
        raise Invalid({"fields": "请选择要查看的内容。"})
    texts = masking.reveal(actor, row, *fields, reason=reason)
    return dict(zip(fields, (texts,) if len(fields) == 1 else texts, strict=True))


def organisation(actor: Actor, organisation_id: int) -> Organisation:
    """One organisation. Raises NotThere."""
    policies.read_organisation.require(actor)
    row = Organisation.objects.select_related("legal_representative").filter(pk=organisation_id).first()
    if row is None:
        raise NotThere("没有找到这个组织。")
    return row


def find_by_uscc(actor: Actor, uscc: str) -> Organisation:
    """The organisation of a 统一社会信用代码. Raises Invalid (check digits), NotThere."""
    policies.read_organisation.require(actor)
    try:
        code = identifiers.check("enterprise", uscc).value
    except identifiers.IdentifierError as error:
        raise Invalid({"uscc": f"{error.message}。{error.todo}"}) from None
    row = Organisation.objects.select_related("legal_representative").filter(uscc=code).first()
    if row is None:
        raise NotThere("没有登记这个统一社会信用代码的组织。")
    return row


@dataclass(frozen=True)
class MandateRow:
    """A mandate with its parties in words."""

    mandate: Mandate
    principal: tuple[str, str]
    agent: tuple[str, str]
    state: str

    @property
    def last_day(self):
        """The last day on which it may hold."""
        ends = [day for day in (self.mandate.valid_to, self.mandate.ended_on) if day]
        return min(ends).fromordinal(min(ends).toordinal() - 1) if ends else None


def mandate(actor: Actor, mandate_id: int) -> MandateRow:
    """One mandate, for an officer. Raises NotThere."""
    policies.record.require(actor)
    row = Mandate.objects.select_related("parent").filter(pk=mandate_id).first()
    if row is None:
        raise NotThere("没有找到这份授权。")
    return _mandate_rows(actor, [row])[0]


def mandates(actor: Actor, subject: Ref) -> list[MandateRow]:
    """The mandates of somebody on either side, the newest first. The caller has read the subject in its scope."""
    refs = family(str(subject))
    rows = Mandate.objects.filter(Q(principal__in=refs) | Q(agent__in=refs)).select_related("parent")
    return _mandate_rows(actor, rows.order_by("-pk")[:FOUND_MAX])


def _mandate_rows(actor: Actor, rows: Iterable[Mandate]) -> list[MandateRow]:
    rows = list(rows)
    names = describe({Ref.parse(text) for row in rows for text in (row.principal, row.agent)}, actor)
    return [
        MandateRow(row, names[Ref.parse(row.principal)], names[Ref.parse(row.agent)], mandate_state(row))
        for row in rows
    ]


def mandate_state(row: Mandate) -> str:
    """The state of a mandate today, in words."""
    if row.ended_on is not None:
        return f"已终止：{row.get_end_reason_display()}"
    if row.valid_to is not None and row.valid_to <= today():
        return "已到期"
    if row.confirmed_on is None:
        return f"待{row.confirming}确认"
    return "有效" if row.in_force(today()) else "未到生效日期"


# Proposals ------------------------------------------------------------------------------------------------------------


def to_review(actor: Actor) -> QuerySet[Proposal]:
    """Open proposals of others, for a second person."""
    policies.decide.require(actor)
    return Proposal.objects.filter(state=Proposal.OPEN).exclude(proposed_by=str(actor.ref))


def own_proposals(actor: Actor) -> QuerySet[Proposal]:
    """What the actor proposed."""
    policies.record.require(actor)
    return Proposal.objects.filter(proposed_by=str(actor.ref))


def review_count(actor: Actor) -> int:
    """How many wait for this actor."""
    return to_review(actor)[:100].count() if policies.decide(actor) else 0


@dataclass(frozen=True)
class Line:
    """One value that a proposal changes, masked; ``before`` is empty where there was none."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class ProposalView:
    """A proposal, what it concerns, and its difference."""

    proposal: Proposal
    title: str
    subject: tuple[str, str] | None
    other: tuple[str, str] | None
    result: tuple[str, str] | None
    lines: list[Line]
    gone: bool


def proposal(actor: Actor, proposal_id: int) -> ProposalView:
    """One proposal with its masked difference. Raises NotThere."""
    policies.record.require(actor)
    row = Proposal.objects.filter(pk=proposal_id).first()
    if row is None:
        raise NotThere("没有找到这份申请。")
    refs = {text: Ref.parse(text) for text in (row.subject, row.other, row.result) if text}
    names = describe(refs.values(), actor)
    named = {text: names[ref] for text, ref in refs.items()}
    gone = not row.sealed_key
    return ProposalView(
        row,
        kind_title(row.kind),
        named.get(row.subject),
        named.get(row.other),
        named.get(row.result),
        [] if gone else _difference(row),
        gone,
    )


def proposal_in_full(actor: Actor, proposal_id: int, reason: str) -> list[Line]:
    """What a proposal holds, in full, for a reason, so that it can be held against the original; one leaf tells of it.

    Raises Invalid, NotThere.
    """
    row = proposal(actor, proposal_id).proposal
    if not row.sealed_key:
        return []
    payload = masking.reveal(actor, row, "payload", reason=reason)
    return [
        Line(label, "", words.get(text, text))
        for name, text in json.loads(payload).items()
        for label, _, words in [changes.FIELDS[name]]
    ]


def _difference(row: Proposal) -> list[Line]:
    """What a proposal changes. What is registered is shown beside it while it is open: afterwards it is the same."""
    now = None
    if row.state == Proposal.OPEN and row.subject and changes.KINDS[row.kind].subject != "party":
        now = changes.row_of(row.kind, row.subject)
    lines = []
    for name, text in json.loads(row.payload).items():
        before = getattr(now, f"{name}_id" if name == "legal_representative" else name, "") if now else ""
        # Sealed values come masked from the row; masking them again would spoil them.
        sealed = isinstance(now, NaturalPerson) and name in IN_FULL
        before = "" if before in (None, "") else str(before)
        lines.append(
            Line(
                changes.FIELDS[name][0],
                before if sealed or not before else changes.shown(row.kind, name, before),
                changes.shown(row.kind, name, text),
            )
        )
    return lines


def kind_title(kind: str) -> str:
    """What a kind of proposal is called."""
    return changes.KINDS[kind].title


# Pages ----------------------------------------------------------------------------------------------------------------


def party(actor: Actor, kind: str, text: str, field: str) -> Ref:
    """Whom a form names: by the number of the registration, a document's number, or a 统一社会信用代码.

    Raises Invalid beside ``field``.
    """
    policies.record.require(actor)
    text = identifiers.normal_form(text)
    model = NaturalPerson if kind == changes.PERSON else Organisation
    rows = model.objects.filter(pk=text) if text.isascii() and text.isdigit() and len(text) < 12 else None
    if rows is None or not rows.exists():
        rows = (
            NaturalPerson.objects.filter(document_blind__in=_forms(text))
            if model is NaturalPerson
            else Organisation.objects.filter(uscc=text)
        )
    found = list(rows[:2])
    if len(found) != 1:
        raise Invalid({field: "没有找到这一登记，请核对编号或号码；没有登记的，请先登记。"})
    return found[0].ref


def holder(actor: Actor, kind: str, number: str) -> tuple[Ref, str]:
    """The registered person or organisation of a number that was typed from an original, with the name in full.

    For what names its holder (a certificate). The caller has asked its policy, and the name goes into what it makes.
    Raises Invalid beside ``holder_number``.
    """
    text = identifiers.normal_form(number)
    model = NaturalPerson if kind == changes.PERSON else Organisation
    found = (
        NaturalPerson.objects.filter(document_blind__in=_forms(text))
        if model is NaturalPerson
        else Organisation.objects.filter(uscc=text)
    )
    rows = list(found[:2])
    if len(rows) != 1:
        raise Invalid({"holder_number": "没有登记这个号码的自然人或组织，请核对号码；没有登记的，请先登记。"})
    row = rows[0]
    if model is NaturalPerson and row.merged_into_id:
        row = row.merged_into
    name = (
        row.name
        if model is Organisation
        else masking.reveal(actor, row, "name", reason="核发证照时填写持证主体")
    )
    return row.ref, name


def person_facts(row: NaturalPerson, full: dict[str, str]) -> list[tuple[str, str]]:
    """What a person's page says: masked, but for what was read in full."""
    return [
        ("姓名", full.get("name", row.name)),
        (row.get_document_kind_display(), full.get("document_number", row.document_number)),
        ("性别", row.get_sex_display()),
        ("出生日期", full.get("birth", row.birth)),
        ("电话", full.get("phone", row.phone)),
        ("住址", full.get("address", row.address)),
        ("数据来源", f"{row.get_source_display()}，{row.as_of.isoformat()}"),
    ]


def represented(actor: Actor, row: NaturalPerson) -> list[Organisation]:
    """The organisations whose legal representative a person is. The caller has read the person in its scope."""
    return list(Organisation.objects.filter(legal_representative=row).order_by("name")[:FOUND_MAX])


def representative(actor: Actor, row: Organisation) -> tuple[str, str] | None:
    """The legal representative of an organisation, masked; an address for whom he concerns."""
    found = row.legal_representative
    if found is None:
        return None
    label = GONE if found.forgotten else str(found.name)
    return (label, _address("registers:person", found.pk) if policies.read_person(actor, found) else "")


@dataclass(frozen=True)
class Retention:
    """The rule for keeping, and why a person is still kept."""

    rule: Rule
    why: list[str]


def retention(actor: Actor, row: NaturalPerson) -> Retention:
    """How long a person is kept."""
    policies.record.require(actor)
    return Retention(rule(), changes.kept_for(row))


# References -----------------------------------------------------------------------------------------------------------


def _address(route: str, number: int) -> str:
    try:
        return reverse(route, args=[number])
    except NoReverseMatch:
        return ""


def person_label(row: NaturalPerson) -> str:
    """A person in a list: the name masked and the number masked."""
    return GONE if row.forgotten else f"{row.name}（{row.document_number}）"


def _person_refs(ids: Iterable[str], actor: Actor) -> dict[str, tuple[str, str]]:
    """Persons whom the actor may see, masked; one that was merged shows who goes on."""
    wanted = {int(one) for one in ids if one.isascii() and one.isdigit()}
    moved = survivors(wanted)
    rows = NaturalPerson.objects.in_bulk(set(moved.values()))
    found = {}
    for ident, pk in moved.items():
        row = rows.get(pk)
        if row is not None and row.forgotten:
            found[str(ident)] = (GONE, "")
        elif row is not None and policies.read_person(actor, row):
            found[str(ident)] = (person_label(row), _address("registers:person", row.pk))
    return found


def _organisation_refs(ids: Iterable[str], actor: Actor) -> dict[str, tuple[str, str]]:
    if not policies.read_organisation(actor):
        return {}
    rows = Organisation.objects.filter(pk__in=[one for one in ids if one.isascii() and one.isdigit()])
    return {str(row.pk): (row.name, _address("registers:organisation", row.pk)) for row in rows}


def _mandate_refs(ids: Iterable[str], actor: Actor) -> dict[str, tuple[str, str]]:
    if not policies.record(actor):
        return {}
    return {one: (f"授权 {one}", _address("registers:mandate", int(one))) for one in ids if one.isdigit()}


def _proposal_refs(ids: Iterable[str], actor: Actor) -> dict[str, tuple[str, str]]:
    if not policies.record(actor):
        return {}
    rows = Proposal.objects.filter(pk__in=[one for one in ids if one.isdigit()])
    return {
        str(row.pk): (f"{kind_title(row.kind)}（申请 {row.pk}）", _address("registers:proposal", row.pk))
        for row in rows
    }


register_ref("natural_person", "自然人", _person_refs)
register_ref("organisation", "组织", _organisation_refs)
register_ref("mandate", "授权", _mandate_refs)
register_ref("proposal", "登记申请", _proposal_refs)


reads.party(changes.PERSON)
reads.party(changes.ORGANISATION)


@reads.belongs("proposal")
def _of_proposal(ref: Ref) -> list[Ref]:
    """Whom a proposal is about; of somebody new nobody, until it is released."""
    row = Proposal.objects.filter(pk=ref.id).first()
    texts = (row.subject, row.other, row.result) if row else ()
    return [Ref.parse(text) for text in texts if text]


@reads.belongs("mandate")
def _of_mandate(ref: Ref) -> list[Ref]:
    """Both sides."""
    row = Mandate.objects.filter(pk=ref.id).first()
    return [Ref.parse(row.principal), Ref.parse(row.agent)] if row else []
