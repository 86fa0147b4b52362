"""What the province's identity (统一身份认证) says of whoever signs in becomes master data, without a second person.

The province checked the document; an officer who typed it again could only add mistakes. So this is the one way past
the four eyes: called inside the action of a sign-in or of a scanned service code, by the province as actor, and only for what it asserts.
"""

from dataclasses import dataclass
from datetime import date

from liangzhu.beams.people.registers import changes, policies
from liangzhu.beams.people.registers.events import MandateBegan
from liangzhu.beams.people.registers.families import family, survivors
from liangzhu.beams.people.registers.mandating import mandates_of
from liangzhu.beams.people.registers.models import Mandate, NaturalPerson, Organisation
from liangzhu.kernel.actions import Act
from liangzhu.kernel.errors import Conflict, StepNotAllowed
from liangzhu.kernel.now import today
from liangzhu.kernel.refs import Ref

SOURCE = "province"
ENDED_HERE = ("revoked", "resigned")


@dataclass(frozen=True)
class Grant:
    """An agent's right to act for an enterprise as the province knows it: from a day, until a day that does not count."""

    granted_on: date
    until: date


def register_from_identity(act: Act, *, document_kind: str, document_number: str, name: str) -> NaturalPerson:
    """The person of a document as the province asserts it: found by its number, else registered; a new name is taken over.

    Returns the row that goes on, locked. Raises Invalid for a number that cannot be, StepNotAllowed for the dead.
    """
    act.check(policies.register_from_identity)
    number, told = changes.read_number(document_kind, document_number)
    name = " ".join(name.split())
    dated = {"source": SOURCE, "as_of": today().isoformat()}
    known = changes.holder_of(document_kind, number)
    if known is None:
        data = {"name": name, "document_kind": document_kind, "document_number": number, **told, **dated}
        try:
            ref = changes.KINDS["person_new"].apply(act, data, None, None)
        except Conflict:
            # Registered at this very moment, by another sign-in of the same person.
            known = changes.holder_of(document_kind, number)
            if known is None:
                raise
        else:
            act.log(ref, source=SOURCE, fields=sorted(data))
            return act.lock(NaturalPerson, pk=int(ref.id))
    row = act.lock(NaturalPerson, pk=survivors([known.pk])[known.pk])
    if row.state == NaturalPerson.DEAD:
        raise StepNotAllowed(
            "这个证件号码的登记状态是“死亡”，不能再以它办事。",
            todo="登记有误的，请本人携带证件到政务服务中心窗口更正。",
        )
    # A merged row keeps its own document; its name is that of the row that goes on.
    if row.pk == known.pk and not says(row, name):
        data = {"name": name, **dated}
        changes.KINDS["person_change"].apply(act, data, row, None)
        act.log(row.ref, source=SOURCE, fields=sorted(data))
    return row


def says(row: NaturalPerson, name: str) -> bool:
    """Whether a row has this name. Like a blind index it answers equality only; the name is handed to nobody."""
    field = NaturalPerson._meta.get_field("name")
    return field.open(row, field.fetch(row)) == name


def register_organisation_from_identity(
    act: Act, *, person: NaturalPerson | None, uscc: str, name: str, grant: Grant | None
) -> tuple[Organisation, Mandate | None]:
    """The enterprise that ``person`` signed in for: as its legal representative, or with ``grant`` as its agent (经办人).
    Without a person only the enterprise is taken over.

    Registered or brought up to date like a person. An agent gets a mandate for as long as the province's grant; one that
    was ended here after the grant stays ended. Raises Invalid, StepNotAllowed.
    """
    act.check(policies.register_from_identity)
    row = Organisation.objects.select_for_update().filter(uscc=uscc).first()
    data = {"source": SOURCE, "as_of": today().isoformat()}
    if row is not None and row.state == Organisation.DISSOLVED:
        raise StepNotAllowed(
            f"{row.name}已经注销，不能再以它的名义办事。", todo="请以本人身份登录；登记有误的，请到窗口更正。"
        )
    if row is None or row.name != name:
        data |= {"name": name, "name_from": today().isoformat()}
    represents = person is not None and grant is None
    if represents and (row is None or row.legal_representative_id != person.pk):
        data["legal_representative"] = str(person.pk)
    if row is not None and "name" in data and row.names.filter(valid_from__gte=today()).exists():
        # Two names cannot begin on one day; the province is asked again at the next sign-in.
        del data["name"], data["name_from"]
    if row is None or data.keys() - {"source", "as_of"}:
        kind = changes.KINDS["organisation_new" if row is None else "organisation_change"]
        given = kind.check({"uscc": uscc, **data} if row is None else data, row, None)
        ref = kind.apply(act, given, row, None)
        act.log(ref, source=SOURCE, fields=sorted(given))
        row = Organisation.objects.get(pk=int(ref.id))
    return row, _mandate(act, row, person, grant) if person is not None and grant is not None else None


def _mandate(act: Act, row: Organisation, person: NaturalPerson, grant: Grant) -> Mandate:
    """The mandate that stands for a grant of the province."""
    rows = Mandate.objects.filter(principal=str(row.ref), agent__in=family(str(person.ref)))
    day = today()
    for known in rows.select_related("parent").order_by("-pk"):
        if known.in_force(day):
            return known
        if known.end_reason in ENDED_HERE and known.ended_on >= grant.granted_on:
            raise StepNotAllowed(
                f"您为{row.name}办事的授权已于 {known.ended_on.isoformat()} 在本区终止。",
                todo="需要继续经办的，请企业重新授权；也可以以本人身份登录。",
            )
    if not grant.granted_on <= day < grant.until:
        raise StepNotAllowed(
            f"省统一身份认证给出的经办授权只在 {grant.granted_on.isoformat()} 到 {grant.until.isoformat()}（不含）有效。",
            todo="请企业在省平台更新授权；也可以以本人身份登录。",
        )
    mandate = Mandate.objects.create(
        principal=str(row.ref),
        agent=str(person.ref),
        capacity="company_agent",
        asked_by=Mandate.PRINCIPAL,
        valid_from=grant.granted_on,
        valid_to=grant.until,
        basis="企业在省统一身份认证中的经办授权",
        evidence="省统一身份认证在登录时确认",
        confirmed_on=day,
        confirmed_by=str(act.actor.ref),
    )
    act.log(mandate.ref, source=SOURCE, principal=mandate.principal, agent=mandate.agent)
    act.emit(MandateBegan(subject=mandate.ref))
    return mandate


# Whom a person may stand for ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """One whom a person may act for today: ``principal`` and its name (a person's masked), as what, and by which mandate.

    ``mandate`` is None for the legal representative of an organisation.
    """

    principal: Ref
    name: str
    capacity: str
    mandate: Mandate | None = None


def standings(person: Ref, *, on: date | None = None) -> list[Standing]:
    """Whom a person may act for on a day (today): organisations that he represents by law, then those of his mandates."""
    ids = [int(Ref.parse(text).id) for text in family(str(person))]
    found = [
        Standing(row.ref, row.name, "法定代表人")
        for row in Organisation.objects.filter(
            legal_representative__in=ids, state=Organisation.ACTIVE
        ).order_by("name")
    ]
    mandates = mandates_of(person, on=on)
    names = party_names({one.principal for one in mandates})
    found += [
        Standing(Ref.parse(one.principal), names[one.principal], one.get_capacity_display(), one)
        for one in mandates
    ]
    return found


def party_names(refs: set[str]) -> dict[str, str]:
    """The names of parties of mandates by their printed Ref: organisations as published, persons masked."""
    wanted: dict[str, set[int]] = {"natural_person": set(), "organisation": set()}
    for text in refs:
        ref = Ref.parse(text)
        wanted[ref.kind].add(int(ref.id))
    moved = survivors(wanted["natural_person"])
    persons = NaturalPerson.objects.in_bulk(set(moved.values()))
    organisations = Organisation.objects.in_bulk(wanted["organisation"])
    return {f"natural_person:{pk}": str(persons[at].name) for pk, at in moved.items() if at in persons} | {
        str(row.ref): row.name for row in organisations.values()
    }
