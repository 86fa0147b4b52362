"""Every read, scoped to who asks. What comes back is masked; in full is read for a reason, with a leaf."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, QuerySet
from django.urls import NoReverseMatch, reverse

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.trust.certificates import kinds, policies, verifying
from liangzhu.beams.trust.certificates.files import certificate_file, json_file, paper_file
from liangzhu.beams.trust.certificates.models import Certificate, Change, Paper, Seal, Share
from liangzhu.beams.trust.certificates.states import OPERATIONS, STATES, VALID, Step, steps_from
from liangzhu.beams.work.files import api as attachments
from liangzhu.kernel import crypto, keys, masking, reads, sealing
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.now import today
from liangzhu.kernel.refs import Ref, register_ref

OWN = "本人查看"
SHARES_SHOWN = 20


@dataclass(frozen=True)
class CertificateView:
    """A certificate as it may be shown: masked. ``fields`` are (key, title, value)."""

    id: int
    ref: Ref
    kind: str
    title: str
    identifier: str
    number: str
    state: str
    state_title: str
    standing: str
    standing_title: str
    light: str
    holder: str
    holder_name: str
    unit_id: int
    unit_name: str
    issued_on: date
    valid_from: date
    valid_until: date | None
    fields: tuple[tuple[str, str, str], ...]
    version: int
    matter: str = ""
    gone: bool = False

    @property
    def valid(self) -> bool:
        """Whether it holds today."""
        return self.standing == "valid"


def view_of(row: Certificate) -> CertificateView:
    """A row as it may be shown."""
    gone = sealing.is_gone(row.shown) or not row.sealed_key
    shown = {} if gone else json.loads(row.shown)
    state, _ = verifying.standing(row, today())
    title, light = verifying.WORDS[state]
    return CertificateView(
        id=row.pk,
        ref=row.ref,
        kind=row.kind,
        title=shown["type"]["title"] if shown else kinds.title_of(row.kind),
        identifier=row.identifier,
        number=row.number,
        state=row.state,
        state_title=STATES[row.state],
        standing=state,
        standing_title=title if state != "ended" else STATES[row.state],
        light=light,
        holder=row.holder,
        holder_name=shown["holder"]["name"] if shown else sealing.GONE,
        unit_id=row.unit_id,
        unit_name=shown["issuer"]["name"] if shown else directory.unit_name(row.unit_id, row.issued_on),
        issued_on=row.issued_on,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        fields=tuple((one["key"], one["title"], one["value"]) for one in shown.get("fields", ())),
        version=row.version,
        matter=row.matter,
        gone=gone,
    )


def titles(row: Certificate) -> dict[str, str]:
    """What stands on a certificate: key to title."""
    return {"holder": "持证主体"} | {one["key"]: one["title"] for one in json.loads(row.shown)["fields"]}


# For other apps -------------------------------------------------------------------------------------------------------


def held_by(holder: Ref, kinds: Iterable[str] | None = None, *, valid: bool = True) -> list[CertificateView]:
    """The certificates of a person or an organisation, masked, the newest first; valid ones only, unless asked.

    For prefill and for sources: the caller has made sure that it may know.
    """
    rows = Certificate.objects.filter(holder__in=registers.family(str(holder)))
    if kinds is not None:
        rows = rows.filter(kind__in=list(kinds))
    if valid:
        rows = rows.filter(state=VALID).filter(Q(valid_until=None) | Q(valid_until__gte=today()))
    return [view_of(row) for row in rows.order_by("-id")]


def values_of(
    actor: Actor, certificate: Ref, fields: Iterable[str], *, reason: str, case: str = ""
) -> dict[str, str]:
    """Fields of a certificate in full, key to value; "holder" is the holder's name. One leaf tells who and why, the
    holder's trail which. ``case`` is the printed Ref of what it is read for.

    The caller has asked its policy or holds a consent. Raises NotThere, Invalid.
    """
    row = Certificate.objects.filter(pk=certificate.id).first() if certificate.kind == "certificate" else None
    if row is None or not row.sealed_key:
        raise NotThere("没有找到这份证照。")
    wanted = list(fields)
    told = "、".join(title for name, title in titles(row).items() if name in wanted)
    text = masking.reveal(actor, row, "statement", reason=reason, case=case, title=told)
    statement = json.loads(text)
    known = {one["key"]: one["value"] for one in statement["fields"]} | {
        "holder": statement["holder"]["name"]
    }
    return {name: known.get(name, "") for name in wanted}


def papers_of(matter: Ref) -> list[Paper]:
    """The papers of a matter, the oldest first. The caller has made sure that the matter may be seen."""
    return list(Paper.objects.filter(matter=str(matter)).select_related("attachment").order_by("id"))


def paper_pdf(matter: Ref, paper_id: int) -> attachments.Attachment:
    """The PDF of a paper of a matter, drawn now if need be. The caller has made sure that the matter may be seen."""
    row = Paper.objects.select_related("leaf", "attachment").filter(pk=paper_id, matter=str(matter)).first()
    if row is None or not row.sealed_key:
        raise NotThere("没有找到这份文书。")
    return paper_file(row)


# Staff ----------------------------------------------------------------------------------------------------------------


def of_unit(actor: Actor, *, kind: str = "", state: str = "", number: str = "") -> QuerySet[Certificate]:
    """The certificates of the actor's unit, narrowed by kind, state, and number or identifier as a whole."""
    policies.read.require(actor)
    rows = Certificate.objects.filter(unit_id__in=_units_of(actor))
    if kind:
        rows = rows.filter(kind=kind)
    if state in STATES:
        rows = rows.filter(state=state)
    if number := number.strip():
        rows = rows.filter(Q(number=number) | Q(identifier=number.upper()))
    return rows


def _units_of(actor: Actor) -> list[int]:
    """The actor's unit, and those whose place it has taken."""
    own = getattr(actor, "unit_id", None)
    if own is None:
        return []
    issuing = [directory.units().by_key(key) for key in kinds.catalogue().issuers]
    others = {one.id for one in issuing if one is not None and directory.successor(one.id) == own}
    past = set(Seal.objects.values_list("unit_id", flat=True).distinct()) - {own}
    others |= {unit for unit in past if directory.successor(unit) == own}
    return [own, *sorted(others)]


@dataclass(frozen=True)
class Line:
    """One line of a certificate's history."""

    change: Change
    title: str
    state: str


@dataclass(frozen=True)
class Detail:
    """A certificate with its history and what may be done with it."""

    row: Certificate
    view: CertificateView
    lines: list[Line]
    previous: tuple[str, str] | None
    next: list[tuple[str, str]]
    steps: list[Step]
    seal: Seal
    may_change: bool


def certificate(actor: Actor, certificate_id: int) -> Detail:
    """One certificate of the actor's unit. Raises NotThere: absent, and out of sight, are not told apart."""
    row = Certificate.objects.select_related("seal", "leaf", "previous").filter(pk=certificate_id).first()
    if row is None or not policies.read(actor, row):
        raise NotThere("没有找到这份证照，或者不是本单位核发的。")
    may = policies.issue(actor, row)
    allowed = kinds.states_of(row.kind)
    return Detail(
        row=row,
        view=view_of(row),
        lines=_lines(row),
        previous=_follower(row.previous, row.previous_identifier),
        next=[_follower(one, one.identifier) for one in row.next.order_by("id")],
        steps=[step for step in steps_from(row.state) if step.target in allowed] if may else [],
        seal=row.seal,
        may_change=may,
    )


def _follower(row: Certificate | None, identifier: str) -> tuple[str, str] | None:
    if row is not None:
        return identifier, reverse("certificates:certificate", args=[row.pk])
    return (identifier, "") if identifier else None


def _lines(row: Certificate) -> list[Line]:
    changes = row.changes.select_related("certificate").order_by("-id")
    return [Line(one, OPERATIONS[one.operation], STATES[one.to_state]) for one in changes]


def own_predecessor(actor: Actor, identifier: str) -> Ref | None:
    """The certificate of the actor's unit under an identifier; None when it is not of this system or this unit."""
    row = of_unit(actor, number=identifier).filter(identifier=identifier.strip().upper()).first()
    return row.ref if row else None


def read_in_full(actor: Actor, certificate_id: int, reason: str) -> list[tuple[str, str]]:
    """Everything a certificate says, for a reason; one leaf tells of it. Raises NotThere, Invalid."""
    found = certificate(actor, certificate_id)
    row = found.row
    return _said(json.loads(masking.reveal(actor, row, "statement", reason=reason)))


def _said(statement: dict) -> list[tuple[str, str]]:
    return [
        ("持证主体", statement["holder"]["name"]),
        *((one["title"], one["value"]) for one in statement["fields"]),
    ]


def staff_file(actor: Actor, certificate_id: int, *, reason: str) -> tuple[str, bytes]:
    """Name and bytes of the PDF, for staff of the unit, with a reason."""
    found = certificate(actor, certificate_id)
    return _named(found.row, "pdf"), certificate_file(actor, found.row, reason=reason)


def _named(row: Certificate, extension: str) -> str:
    return f"{kinds.title_of(row.kind)}{row.number}.{extension}"


# Seals ----------------------------------------------------------------------------------------------------------------


def seals(actor: Actor) -> QuerySet[Seal]:
    """All seals, for their keepers."""
    policies.keep_seals.require(actor)
    return Seal.objects.order_by("-id")


def seal(actor: Actor, seal_id: int) -> Seal:
    """One seal. Raises NotThere."""
    row = seals(actor).filter(pk=seal_id).first()
    if row is None:
        raise NotThere("没有找到这枚印章。")
    return row


def unit_of(row: Seal) -> str:
    """The name of a seal's unit today."""
    return directory.unit_name(row.unit_id)


def seals_waiting(actor: Actor) -> int:
    """How many proposals about seals wait for this actor."""
    if not policies.keep_seals(actor):
        return 0
    waiting = Seal.objects.filter(state__in=[Seal.PROPOSED, Seal.ENDING]).exclude(proposed_by=str(actor.ref))
    return waiting[:100].count()


def issuing_units() -> list[tuple[str, str]]:
    """(id, name) of the units that issue."""
    tree = directory.units()
    found = [tree.by_key(key) for key in kinds.catalogue().issuers]
    return [(str(unit.id), unit.name) for unit in found if unit is not None]


# Holders --------------------------------------------------------------------------------------------------------------


def mine(actor: Actor) -> list[CertificateView]:
    """The certificates of whom the actor acts for, also those that ended; valid ones first."""
    policies.hold.require(actor)
    found = held_by(actor.principal, valid=False)
    return sorted(found, key=lambda one: not one.valid)


def own(actor: Actor, certificate_id: int) -> Certificate:
    """One certificate of whom the actor acts for. Raises NotThere."""
    row = Certificate.objects.select_related("seal", "leaf").filter(pk=certificate_id).first()
    if row is None or not policies.hold(actor, row):
        raise NotThere("没有找到这份证照。", todo="请从“我的证照”进入；证照可能登记在您的另一个身份下。")
    return row


def own_in_full(actor: Actor, row: Certificate) -> list[tuple[str, str]]:
    """What one's own certificate says, in full; a leaf tells of it."""
    if not row.sealed_key:
        return []
    return _said(json.loads(masking.reveal(actor, row, "statement", reason=OWN)))


def own_file(actor: Actor, certificate_id: int) -> tuple[str, bytes]:
    """Name and bytes of one's own certificate as PDF."""
    row = own(actor, certificate_id)
    return _named(row, "pdf"), certificate_file(actor, row, reason=OWN)


def own_json(actor: Actor, certificate_id: int) -> tuple[str, bytes]:
    """Name and bytes of the file by which it is checked offline."""
    row = own(actor, certificate_id)
    body = json.dumps(json_file(actor, row, reason=OWN), ensure_ascii=False, indent=1)
    return _named(row, "json"), body.encode()


@dataclass(frozen=True)
class Shown:
    """One showing in the holder's list."""

    at: datetime
    fields: str
    used_at: datetime | None
    verifier: str


def shares_of(row: Certificate) -> list[Shown]:
    """The showings of a certificate, the newest first. The caller has read it in its scope."""
    known = titles(row)
    rows = row.shares.select_related("certificate").order_by("-id")[:SHARES_SHOWN]
    return [
        Shown(
            one.shared_at,
            "、".join(known.get(name, name) for name in one.fields.split()),
            one.used_at,
            one.verifier,
        )
        for one in rows
    ]


def own_share(actor: Actor, share_id: int) -> Share:
    """One's own showing. Raises NotThere."""
    row = Share.objects.select_related("certificate").filter(pk=share_id, shared_by=str(actor.ref)).first()
    if row is None:
        raise NotThere("没有找到这次出示。")
    return row


def share_typed(share_id: int | None) -> Share | None:
    """The showing whose code was typed in this session."""
    return Share.objects.select_related("certificate__seal").filter(pk=share_id).first() if share_id else None


def share_by_token(token: str) -> Share | None:
    """The showing whose address holds this, for whoever was shown it."""
    found = Share.objects.select_related("certificate__seal").filter(token=crypto.sm3_hex(token.encode()))
    return found.first()


def share_by_code(code: str) -> Share | None:
    """The newest showing with that typed code."""
    digits = "".join(char for char in code if char.isdigit())
    if len(digits) != 9:
        return None
    found = Share.objects.select_related("certificate__seal").filter(
        code=keys.blind("certificates.share", digits)
    )
    return found.order_by("-id").first()


# References -----------------------------------------------------------------------------------------------------------


def _address(route: str, number: int) -> str:
    try:
        return reverse(route, args=[number])
    except NoReverseMatch:
        return ""


def _certificate_refs(ids: Iterable[str], actor: Actor) -> dict[str, tuple[str, str]]:
    rows = Certificate.objects.filter(pk__in=[one for one in ids if str(one).isdecimal()])
    found = {}
    for row in rows:
        label = f"{kinds.title_of(row.kind)} {row.number}"
        if policies.read(actor, row):
            found[str(row.pk)] = (label, _address("certificates:certificate", row.pk))
        elif policies.hold(actor, row):
            found[str(row.pk)] = (label, _address("certificates:own", row.pk))
    return found


def _open_for(refs: set[str]) -> int:
    return Certificate.objects.filter(holder__in=refs, state__in=[VALID, "02", "06"]).count()


register_ref("certificate", "证照", _certificate_refs)
registers.add_referrer(
    "certificates.holder", "持有的证照", open_for=_open_for, works_on=lambda actor, refs: False
)


@reads.belongs("certificate")
def _of_certificate(ref: Ref) -> list[Ref]:
    """The holder."""
    found = Certificate.objects.filter(pk=ref.id).values_list("holder", flat=True).first()
    return [Ref.parse(found)] if found else []


@reads.belongs("paper")
def _of_paper(ref: Ref) -> list[Ref]:
    """Those whom its matter concerns."""
    found = Paper.objects.filter(pk=ref.id).values_list("matter", flat=True).first()
    return [Ref.parse(found)] if found else []


sealing.hangs_on(Certificate, "holder")
sealing.hangs_on(Paper, "matter")
