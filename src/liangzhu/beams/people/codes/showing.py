"""Showing one's code (出示服务码): of oneself, of the enterprise that one represents, or as an agent of whom one acts for."""

from collections.abc import Iterable
from dataclasses import dataclass

from liangzhu.beams.people.codes import actions, outlets, policies
from liangzhu.beams.people.codes.errors import IssuerWrong, NoIssuer
from liangzhu.beams.people.codes.issuers import (
    AGENT,
    ENTERPRISE,
    PERSON,
    Known,
    Party,
    SessionOver,
    ShowFor,
    all_issuers,
)
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents.api import Resident
from liangzhu.kernel import masking
from liangzhu.kernel.now import today


@dataclass(frozen=True)
class Shown:
    """A code to be shown: content of the QR code, typed form, seconds it is good for, as what, by which issuer.

    ``session`` goes on with this showing at the next `show`, so that the issuer is not told again who it is.
    """

    content: str
    typed: str
    seconds: int
    kind: str
    issuer: str
    simulated: bool
    session: str


def kind_of(actor: Resident) -> str:
    """As what a resident shows: person, enterprise (its legal representative), agent."""
    if actor.mandate_id is not None:
        return AGENT
    return ENTERPRISE if actor.organisation is not None else PERSON


def wanted_of(actor: Resident, licences: Iterable[str]) -> tuple[str, ...]:
    """Of the licences that were chosen those that the principal can have."""
    of = "enterprise" if actor.organisation is not None else "person"
    known = outlets.licence_kinds()
    return tuple(one for one in dict.fromkeys(licences) if one in known and known[one].of == of)


def show(actor: Resident, *, session: str = "", licences: Iterable[str] = ()) -> Shown:
    """A fresh code. ``licences`` are those that may be seen with it, for the one case that it is scanned for; none unless chosen.

    Raises NoIssuer, IssuerDown, IssuerWrong, Denied.
    """
    policies.show.require(actor)
    known = next(iter(all_issuers().values()), None)
    if known is None:
        raise NoIssuer()
    kind, chosen = kind_of(actor), wanted_of(actor, licences)
    if session:
        try:
            return _shown(known, kind, ShowFor(session=session, kind=kind, licences=chosen))
        except SessionOver:
            # A new one begins.
            pass
    actions.begin_showing(actor, issuer=known.key, kind=kind, consented=list(chosen))
    try:
        return _shown(known, kind, _who(actor, kind, chosen))
    except SessionOver:
        raise IssuerWrong("省里没有开始这次出示。") from None


def _shown(known: Known, kind: str, wanted: ShowFor) -> Shown:
    made = known.issuer.issue(wanted)
    return Shown(made.content, made.typed, made.seconds, kind, known.title, known.simulated, made.session)


def _who(actor: Resident, kind: str, licences: tuple[str, ...]) -> ShowFor:
    """What the issuer is told of who shows: name and number, which it knows already. One leaf and a line of the trail say so."""
    person = _party(actor, int(actor.person.id))
    if kind == PERSON:
        return ShowFor(kind=kind, person=person, licences=licences)
    if actor.organisation is not None:
        firm = registers.Organisation.objects.get(pk=actor.organisation.id)
        principal = Party("enterprise", firm.name, "uscc", firm.uscc)
    else:
        principal = _party(actor, int(actor.principal.id))
    if kind == ENTERPRISE:
        return ShowFor(kind=kind, person=person, principal=principal, licences=licences)
    mandate = registers.Mandate.objects.get(pk=actor.mandate_id)
    return ShowFor(
        kind=kind,
        person=person,
        principal=principal,
        scope=actor.limits,
        granted_on=max(mandate.valid_from, mandate.confirmed_on or today()),
        until=mandate.valid_to,
        licences=licences,
    )


def _party(actor: Resident, number: int) -> Party:
    row = registers.NaturalPerson.objects.get(pk=number)
    name, document = masking.reveal(
        actor, row, "name", "document_number", reason="向发码方取服务码", channel="code"
    )
    return Party("person", name, row.document_kind, document)
