"""What residents do with mandates of their own: give, confirm, end. Both sides signed in with a checked identity, so each
speaks for itself, and no officer has to note what they said."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from liangzhu.beams.people.registers import changes, ending, mandating, policies
from liangzhu.beams.people.registers.events import MandateAsked
from liangzhu.beams.people.registers.families import family, survivors
from liangzhu.beams.people.registers.identities import party_names, says
from liangzhu.beams.people.registers.models import Mandate, NaturalPerson, Organisation
from liangzhu.beams.people.registers.queries import mandate_state
from liangzhu.kernel import identifiers
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.now import today
from liangzhu.kernel.refs import Ref

MOST = 200
NOBODY = "没有找到姓名和证件号码都相符的人。请对方先登录一次本区门户，再来授权。"


@action("registers.give_mandate")
def give_mandate(
    act: Act,
    *,
    principal: str,
    agent_name: str,
    agent_number: str,
    scope_kind: str = Mandate.ALL,
    scopes: str = "",
    valid_to: date,
) -> Mandate:
    """Let somebody act for ``principal`` (授权他人代办), who is oneself or the organisation that one represents by law.

    The agent is named by name and document number, has to confirm, and only then the mandate holds. Raises Invalid, Denied.
    """
    act.check(policies.give_mandate, principal)
    row = changes.row_of("mandate_new", principal, act)
    found = person_of(agent_name, agent_number)
    if found is None:
        raise Invalid({"agent_number": NOBODY})
    other = changes.row_of("mandate_new", str(found.ref), act)
    kind = changes.KINDS["mandate_new"]
    data = kind.check(
        {
            "capacity": "company_agent" if isinstance(row, Organisation) else "entrusted",
            "scope_kind": scope_kind,
            "scopes": scopes,
            "asked_by": Mandate.PRINCIPAL,
            "basis": "被代理人登录后在线授权",
            "valid_from": today().isoformat(),
            "valid_to": valid_to.isoformat(),
        },
        row,
        other,
    )
    ref = kind.apply(act, data, row, other)
    act.log(
        ref, principal=str(row.ref), agent=str(other.ref), scope=data["scope_kind"], until=data["valid_to"]
    )
    act.emit(MandateAsked(subject=ref))
    return Mandate.objects.get(pk=int(ref.id))


def person_of(name: str, number: str) -> NaturalPerson | None:
    """The one living person of this name and number; whether only one of the two is right is told to nobody."""
    number = identifiers.normal_form(number)
    rows = NaturalPerson.objects.filter(document_blind=number)[:2] if number else []
    if len(rows) != 1:
        return None
    row = NaturalPerson.objects.get(pk=survivors([rows[0].pk])[rows[0].pk])
    return row if says(rows[0], " ".join(name.split())) and row.state == NaturalPerson.ALIVE else None


def is_person(person: Ref, *, name: str, number: str = "", phone: str = "") -> bool:
    """Whether a registered person has this name and, where they are given, this document number and this phone.

    Answers equality only, and tells nobody which of them is wrong.
    """
    rows = NaturalPerson.objects.filter(pk__in=[Ref.parse(one).id for one in family(str(person))])
    if number:
        rows = rows.filter(document_blind=identifiers.normal_form(number))
    if phone:
        rows = rows.filter(phone_blind=phone)
    return any(says(row, " ".join(name.split())) for row in rows)


def sought_by(refs: Iterable[str]) -> tuple[QuerySet, QuerySet]:
    """The blind indexes of document numbers and phones of one person, by all his references (`family`), to be compared with the same
    kind in other tables; asks nothing yet."""
    rows = NaturalPerson.objects.filter(pk__in=[Ref.parse(one).id for one in refs])
    return (
        rows.exclude(document_blind="").values("document_blind"),
        rows.exclude(phone_blind="").values("phone_blind"),
    )


def _own(act: Act, mandate_id: int) -> Mandate:
    """A mandate of one's own, locked. Raises NotThere, also for others'."""
    mandate = Mandate.objects.select_for_update().filter(pk=mandate_id).first()
    if mandate is None or not policies.own_mandate(act.actor, mandate):
        raise NotThere("没有找到这份授权。")
    act.check(policies.own_mandate, mandate)
    return mandate


@action("registers.confirm_own_mandate")
def confirm_own_mandate(act: Act, *, mandate_id: int) -> Mandate:
    """Agree to a mandate that the other side asked for (确认授权); it can hold from today on."""
    mandate = _own(act, mandate_id)
    if mandate.confirmed_on or mandate.ended_on:
        raise StepNotAllowed("这份授权已经确认过，或者已经终止。")
    if mandate.valid_to is not None and mandate.valid_to <= today():
        raise StepNotAllowed("这份授权的期限已过，不能再确认。", todo="请对方重新授权。")
    if not policies.speaks_for(act.actor, getattr(mandate, mandate.other_side)):
        raise Denied(f"这份授权由{mandate.confirming}确认，不是由您。", todo="请等对方确认。")
    for side, ref in (("principal", mandate.principal), ("agent", mandate.agent)):
        changes.stands(changes.row_of("mandate_new", ref), side)
    return mandating.begin(act, mandate, "登录后在线确认")


@action("registers.end_own_mandate")
def end_own_mandate(act: Act, *, mandate_id: int) -> Mandate:
    """End a mandate of one's own at once, from whichever side (撤销、辞任), or decline one that waits for one's confirmation."""
    mandate = _own(act, mandate_id)
    if mandate.ended_on:
        raise StepNotAllowed("这份授权已经终止。")
    if mandate.capacity == "guardian":
        raise StepNotAllowed(
            "监护关系不能在网上终止。", todo="变更监护人请到窗口办理；被监护人满十八周岁时自动终止。"
        )
    revoked = policies.speaks_for(act.actor, mandate.principal)
    ending.end(act, mandate, "revoked" if revoked else "resigned", today())
    return mandate


# Reading --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OwnMandate:
    """A mandate as one of its sides sees it. ``given``: one is the principal; ``other`` is the other side, a person masked.

    ``holds``: today; ``waits_for_me``: for one's own confirmation; ``may_end``: by oneself.
    """

    mandate: Mandate
    given: bool
    other: str
    state: str
    holds: bool
    waits_for_me: bool
    may_end: bool


def own_mandates(actor: Actor) -> list[OwnMandate]:
    """The mandates of whom an actor speaks for, on either side: those that wait for him, those that hold, then the rest."""
    refs = policies.spoken_for(actor)
    if not refs:
        return []
    rows = list(
        Mandate.objects.filter(Q(principal__in=refs) | Q(agent__in=refs))
        .select_related("parent")
        .order_by("-pk")[:MOST]
    )
    names = party_names({text for row in rows for text in (row.principal, row.agent)})
    day = today()
    found = []
    for row in rows:
        given = row.principal in refs
        open_still = row.ended_on is None and (row.valid_to is None or row.valid_to > day)
        waits = open_still and row.confirmed_on is None and getattr(row, row.other_side) in refs
        found.append(
            OwnMandate(
                row,
                given,
                names.get(row.agent if given else row.principal, ""),
                mandate_state(row),
                row.in_force(day),
                waits,
                open_still and row.capacity != "guardian",
            )
        )
    return sorted(found, key=lambda one: (not one.waits_for_me, not one.holds))


def sides(mandate_ref: Ref) -> tuple[Mandate, dict[str, str]] | None:
    """A mandate and the names of its sides, for who tells them of it. None where it is gone."""
    row = Mandate.objects.filter(pk=int(mandate_ref.id)).first()
    return None if row is None else (row, party_names({row.principal, row.agent}))
