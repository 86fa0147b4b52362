"""Checking a code at the counter: read it, take it, ask the issuer, take what it says. Every attempt is a row of `Scan`."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.utils.timezone import now as machine_now  # noqa: TID251 - the issuer's codes live on the machine's clock

from liangzhu.beams.people.codes import actions, outlets, policies
from liangzhu.beams.people.codes.actions import Wish
from liangzhu.beams.people.codes.errors import (
    CodeClock,
    CodeExpired,
    CodeProblem,
    CodeUnknown,
    CodeUsed,
    DeskNeeded,
    NoIssuer,
)
from liangzhu.beams.people.codes.issuers import Asked, Code, Known, Licence, Operator, all_issuers
from liangzhu.beams.people.codes.models import Desk, Scan
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel import limits, masking
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Invalid
from liangzhu.kernel.observing import request_id
from liangzhu.kernel.pack import pack
from liangzhu.kernel.refs import Ref

TYPED_A_MINUTE = 30
"""Typed numbers a minute for one member of staff: nobody tries numbers out at a counter."""

RAW_MOST = 2000


@dataclass(frozen=True)
class Presented:
    """A code that was accepted, or a document that was seen. ``holder`` is None only where a document's holder is not registered.

    ``agent`` shows it for the holder, under ``mandate_id`` or under the issuer's word alone; ``bearer`` is the legal
    representative who shows an enterprise's own code. ``consented`` are "source:field,field". ``scope`` limits the agent.
    """

    holder: Ref | None
    holder_kind: str
    scan_id: int
    agent: Ref | None = None
    bearer: Ref | None = None
    mandate_id: int | None = None
    scope: tuple[str, ...] = ()
    consented: list[str] = field(default_factory=list)
    province: str = ""
    licences: list[Licence] = field(default_factory=list)


def desk_of(actor: Actor) -> Desk | None:
    """Where somebody scans."""
    person = getattr(actor, "person_id", None)
    return Desk.objects.filter(person=person).first() if person is not None else None


def wish_of(
    actor: Actor,
    *,
    case: str | Ref,
    item: str = "",
    title: str = "",
    items: Iterable[str] = (),
    device: str = "",
) -> Wish:
    """What somebody wants to scan for. Raises DeskNeeded, Invalid."""
    desk = desk_of(actor)
    if desk is None:
        raise DeskNeeded()
    known, wanted = outlets.licence_kinds(), tuple(dict.fromkeys(items))
    wrong = {}
    try:
        Ref.parse(str(case))
    except ValueError:
        wrong["case"] = "请写明用于哪一件事。"
    if unknown := [one for one in wanted if one not in known]:
        wrong["items"] = f"没有这种证照：{'、'.join(unknown)}。"
    if wrong:
        raise Invalid(wrong)
    return Wish(str(case)[:80], item[:80], title[:120], wanted, desk.outlet, (device or desk.device)[:60])


def check(
    actor: Actor,
    *,
    raw: str,
    case: str | Ref,
    device: str = "",
    items: Iterable[str] = (),
    item: str = "",
    title: str = "",
) -> Presented:
    """Check a scanned or typed code for one case (printed Ref), one item and named licences.

    Raises CodeProblem (CodeUnknown, CodeForged, CodeExpired, CodeReplaced, CodeUsed, CodeClock, AgentRefused, HolderRefused,
    CodeEmpty, IssuerDown, IssuerWrong), each with what to do and with the scan's number; NoIssuer, DeskNeeded, Denied, TooMany.
    Not inside a transaction: an issuer may be slow, and an attempt stays written down whatever comes after it.
    """
    policies.scan.require(actor)
    if any(not getattr(one, "_from_testcase", False) for one in transaction.get_connection().atomic_blocks):
        raise RuntimeError("a code is not checked inside a transaction: check first, then act")
    wish = wish_of(actor, case=case, item=item, title=title, items=items, device=device)
    known = code = None
    try:
        known, code = _read(actor, raw)
        _fresh(code)
    except CodeProblem as problem:
        row = actions.refuse(actor, wish=wish, outcome=problem.outcome, known=known, code=code)
        problem.scan_id = row.pk
        raise
    row = actions.claim(actor, wish=wish, known=known, code=code)
    if row.result != Scan.ASKING:
        used = CodeUsed(_used_words(actor, row))
        used.scan_id = row.pk
        raise used
    try:
        answer = known.issuer.present(code, _asked(actor, wish))
        row = actions.accept(actor, scan_id=row.pk, wish=wish, known=known, answer=answer)
    except CodeProblem as problem:
        actions.refuse(actor, wish=wish, outcome=problem.outcome, scan_id=row.pk)
        problem.scan_id = row.pk
        raise
    return presented(row, list(answer.licences), own=answer.bearer is not None)


def presented(row: Scan, licences: list[Licence], *, own: bool) -> Presented:
    """A scan as other parts get it."""
    return Presented(
        holder=row.holder,
        holder_kind=row.holder_kind,
        scan_id=row.pk,
        agent=None if own else row.shown_by,
        bearer=row.shown_by if own else None,
        mandate_id=row.mandate_id,
        scope=tuple(row.scope.split()),
        consented=row.consented.split(),
        province=row.province,
        licences=licences,
    )


def _read(actor: Actor, raw: str) -> tuple[Known, Code]:
    """Whose code it is. Raises CodeUnknown, CodeForged, CodeNotAccepted, NoIssuer, TooMany."""
    issuers = all_issuers()
    if not issuers:
        raise NoIssuer()
    if len(raw) > RAW_MOST or not raw.strip():
        raise CodeUnknown("没有扫到内容。" if not raw.strip() else "扫到的内容太长，不是服务码。")
    if len(raw.strip()) < 40:
        # Short enough to be typed; what a scanner reads cannot be guessed.
        limits.take(limits.Rate("typed_code", TYPED_A_MINUTE), str(actor.ref))
    for known in issuers.values():
        if code := known.issuer.read(raw):
            return known, code
    raise CodeUnknown("扫到的不是服务码。")


def _fresh(code: Code) -> None:
    """Whether the time that a code tells is now. Raises CodeExpired, CodeClock."""
    if code.issued is None:
        return
    moment, skew = machine_now(), timedelta(seconds=outlets.number_of("skew_seconds"))
    seconds = min(code.seconds, outlets.number_of("life_seconds"))
    ago = int((moment - code.issued).total_seconds())
    if code.issued > moment + skew:
        raise CodeClock(f"码上的时间比本机快 {-ago} 秒。")
    if moment > code.issued + timedelta(seconds=seconds) + skew:
        when = f"{ago} 秒" if ago < 120 else f"{ago // 60} 分钟"
        raise CodeExpired(f"这个码是 {when}前出示的，只在 {seconds} 秒内有效，可能是截图或照片。")


def _used_words(actor: Actor, row: Scan) -> str:
    first = Scan.objects.filter(code=row.code, result__in=[Scan.ASKING, Scan.ACCEPTED]).first()
    if first is not None and first.operator == str(actor.ref):
        return f"您刚才已经扫过这个码（扫码记录 {first.pk}），结果在“今天的扫码”里。"
    return "这个码已在别的窗口用过，一个码只能用一次。"


def _asked(actor: Actor, wish: Wish) -> Asked:
    desk = desk_of(actor)
    if desk is None:
        raise DeskNeeded()
    unit = directory.units().get(actor.unit_id)
    district = pack().district
    operator = Operator(
        account=str(actor.ref),
        name=actor.label.partition(" · ")[0],
        # The leaf of the claim says that the issuer is told.
        identity_number=str(masking.plain(desk, "identity_number")),
        role=actor.label.partition(" · ")[2],
        unit=unit.name if unit else "",
        unit_code=unit.code if unit else "",
        division=district["name"],
        division_code=district["region_code"],
    )
    return Asked(
        case=wish.case,
        item=wish.item,
        title=wish.title or "窗口办理",
        licences=wish.items,
        operator=operator,
        outlet=outlets.outlet_title(wish.outlet),
        device=wish.device,
        request_id=actor.request_id or request_id(),
    )
