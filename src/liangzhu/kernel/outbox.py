"""The outbox as people see it: its state, what failed, and what a person does about it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils.timezone import now as machine_now  # noqa: TID251 - deliveries run on the machine's clock

from liangzhu.kernel import policies
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM, Actor
from liangzhu.kernel.errors import Conflict, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.events import all_couriers, all_handlers, title_of
from liangzhu.kernel.models import Delivery, OutboxEvent, Received
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref, describe, register_ref
from liangzhu.kernel.worker import finish, periodic

BATCH = 1000
"""Rows that one action changes at most."""

COUNT_LIMIT = 99
REASON_MAX = 200


# Reading --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OutboxState:
    """How the outbox stands: for metrics, `doctor` and the page.

    ``pending`` counts what is owed and not given up, ``retrying`` what of it has failed before, ``dead`` what was given
    up, ``unattended`` what is owed to a courier that is switched off; ``oldest`` is the age of the delivery that is due
    the longest, in seconds (0 when nothing is due).
    """

    pending: int
    retrying: int
    dead: int
    unattended: int
    oldest: float

    @property
    def oldest_words(self) -> str:
        """The age in words: 6 分钟, 3 小时, 2 天."""
        minutes = int(self.oldest // 60)
        if minutes < 120:
            return f"{minutes} 分钟"
        return f"{minutes // 60} 小时" if minutes < 48 * 60 else f"{minutes // 1440} 天"


def outbox_state() -> OutboxState:
    """Count now. A few indexed counts; 100,000 owed ones take some tens of milliseconds."""
    owed = Delivery.objects.filter(done_at=None, dead_at=None)
    trouble = Delivery.objects.filter(done_at=None, attempts__gt=0)
    moment = machine_now()
    lanes = ["", *all_couriers()]
    oldest = (
        owed.filter(lane__in=lanes, waits=False, due_at__lte=moment).aggregate(at=models.Min("due_at"))["at"]
        or moment
    )
    return OutboxState(
        pending=owed.count(),
        retrying=trouble.filter(dead_at=None).count(),
        dead=trouble.exclude(dead_at=None).count(),
        unattended=owed.exclude(lane__in=lanes).count(),
        oldest=(moment - oldest).total_seconds(),
    )


def dead_count(actor: Actor) -> int | str | None:
    """How many were given up, as the navigation shows it: 99+ beyond that; None for who may not see them."""
    if not policies.operate(actor):
        return None
    dead = Delivery.objects.filter(done_at=None, attempts__gt=0, dead_at__isnull=False)
    return _bounded(dead)


def _bounded(rows: models.QuerySet) -> int | str:
    count = len(rows.values_list("id")[: COUNT_LIMIT + 1])
    return count if count <= COUNT_LIMIT else f"{COUNT_LIMIT}+"


def troubles(actor: Actor, *, state: str = "dead", handler: str = "") -> models.QuerySet:
    """Deliveries that failed: ``state`` is dead (given up) or retrying. Raises Denied."""
    policies.operate.require(actor)
    rows = Delivery.objects.filter(done_at=None, attempts__gt=0).select_related("event")
    rows = rows.filter(dead_at=None) if state == "retrying" else rows.exclude(dead_at=None)
    return rows.filter(handler=handler) if handler else rows


def trouble(actor: Actor, delivery_id: int) -> Delivery:
    """One delivery that failed and is not finished. Raises Denied, NotThere."""
    policies.operate.require(actor)
    row = (
        Delivery.objects.filter(pk=delivery_id, done_at=None, attempts__gt=0).select_related("event").first()
    )
    if row is None:
        raise NotThere("没有找到这一投递，可能已经送达。")
    return row


@dataclass(frozen=True)
class TroubleRow:
    """A failed delivery as the page shows it; ``thing`` is (label, address) and never more than the actor may see."""

    delivery: Delivery
    title: str
    thing: tuple[str, str]
    behind: int | str
    """How many deliveries wait behind it."""
    known: bool
    """Whether the program still has its handler: without it a replay fails again."""


def trouble_rows(actor: Actor, rows: Iterable[Delivery]) -> list[TroubleRow]:
    """What the page needs of each row: two queries more per row at most, and those are bounded."""
    rows = list(rows)
    things = describe({Ref.parse(row.subject) for row in rows}, actor)
    known = all_handlers().keys() | all_couriers().keys()
    return [
        TroubleRow(
            delivery=row,
            title=title_of(row.event.name),
            thing=things[Ref.parse(row.subject)],
            behind=_bounded(
                Delivery.objects.filter(handler=row.handler, subject=row.subject, done_at=None, id__gt=row.pk)
            ),
            known=row.handler in known,
        )
        for row in rows
    ]


def troubled_handlers(actor: Actor) -> list[tuple[str, int]]:
    """Handlers with deliveries that were given up, and how many."""
    policies.operate.require(actor)
    dead = Delivery.objects.filter(done_at=None, attempts__gt=0, dead_at__isnull=False)
    return list(dead.values_list("handler").annotate(n=models.Count("id")).order_by("handler"))


@dataclass(frozen=True)
class GivenUp:
    """What was given up of one handler, as far as one action takes it: at most 1,000, the last of them ``until``."""

    handler: str
    count: int
    until: int
    things: int
    """How many things they are about."""
    events: list[tuple[str, int]]
    """Which events, and how many of each."""
    more: bool
    """There are more than one action takes."""


def given_up(actor: Actor, handler: str) -> GivenUp:
    """What skipping all of a handler would skip now. Raises Denied, NotThere if there is nothing."""
    policies.operate.require(actor)
    rows = list(_dead(handler).order_by("id").values_list("id", "subject", "event__name")[: BATCH + 1])
    if not rows:
        raise NotThere(f"{handler} 没有已放弃的投递。", todo="请回到投递失败的页面，看现在的情况。")
    taken = rows[:BATCH]
    names = Counter(name for _, _, name in taken)
    return GivenUp(
        handler,
        len(taken),
        taken[-1][0],
        len({subject for _, subject, _ in taken}),
        [(title_of(name), count) for name, count in names.most_common()],
        len(rows) > BATCH,
    )


def _dead(handler: str) -> models.QuerySet:
    return Delivery.objects.filter(handler=handler, done_at=None, attempts__gt=0, dead_at__isnull=False)


def _labels(idents: Iterable[str], actor: Actor) -> dict[str, tuple[str, str]]:
    """What the log shows of a delivery."""
    if not policies.operate(actor) and not policies.read_log(actor):
        return {}
    wanted = [ident for ident in idents if ident.isdecimal()]
    rows = Delivery.objects.filter(pk__in=wanted).values_list("id", "event__name", "handler")
    return {str(ident): (f"{name} → {handler}", "") for ident, name, handler in rows}


register_ref("delivery", "投递", _labels)


# Doing ----------------------------------------------------------------------------------------------------------------


def _replay(act: Act, row: Delivery) -> None:
    row.dead_at, row.due_at, row.lease_until, row.waits = None, machine_now(), None, False
    # A full set of tries again; that it failed before stays to be seen until it succeeds.
    row.attempts = 1
    row.save(update_fields=["dead_at", "due_at", "lease_until", "waits", "attempts"])
    act.log(row.ref, event=row.event.name, handler=row.handler, of=row.subject)


@action("kernel.replay_delivery")
def replay_delivery(act: Act, *, delivery_id: int) -> Delivery:
    """Try a failed delivery again at once, with a full set of tries. Raises NotThere, StepNotAllowed when it is done."""
    row = act.lock(Delivery, pk=delivery_id)
    act.check(policies.operate, row)
    _still_failing(row)
    _replay(act, row)
    return row


@action("kernel.replay_handler")
def replay_handler(act: Act, *, handler: str) -> int:
    """Try again what was given up of one handler, at most 1,000 at once; returns how many. Raises NotThere if nothing."""
    act.check(policies.operate)
    rows = list(_dead(handler).select_for_update().order_by("id")[:BATCH])
    if not rows:
        raise NotThere(f"{handler} 没有已放弃的投递。", todo="请刷新页面看现在的情况。")
    for row in rows:
        _replay(act, row)
    return len(rows)


@action("kernel.skip_delivery")
def skip_delivery(act: Act, *, delivery_id: int, reason: str) -> Delivery:
    """Let a failed delivery go undelivered, for a reason that is logged; those behind it go on.

    Raises Invalid without a reason, NotThere, StepNotAllowed when it is done.
    """
    row = act.lock(Delivery, pk=delivery_id)
    act.check(policies.operate, row)
    _still_failing(row)
    _skip(act, row, _reason(reason))
    return row


@action("kernel.skip_handler")
def skip_handler(act: Act, *, handler: str, until: int, seen: int, reason: str) -> int:
    """Let what was given up of one handler go undelivered, up to the delivery ``until``, at most 1,000; returns how many.

    ``seen`` is how many a person was told of. Raises Conflict when they are not so many any more, Invalid without a reason.
    """
    act.check(policies.operate)
    reason = _reason(reason)
    dead = _dead(handler).filter(id__lte=until).select_related("event")
    rows = list(dead.select_for_update(of=("self",)).order_by("id")[:BATCH])
    if len(rows) != seen:
        raise Conflict(
            f"刚才看到的 {seen} 个里现在有 {len(rows)} 个还没有处理，一个都没有跳过。",
            todo="请回到投递失败的页面，看清现在的情况再跳过。",
        )
    for row in rows:
        _skip(act, row, reason)
    return len(rows)


def _reason(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise Invalid({"reason": "请写明为什么可以不投递。"})
    if len(reason) > REASON_MAX:
        raise Invalid({"reason": f"理由最多 {REASON_MAX} 个字，现在有 {len(reason)} 个。"})
    return reason


def _skip(act: Act, row: Delivery, reason: str) -> None:
    row.skipped = reason
    finish(row)
    act.log(row.ref, event=row.event.name, handler=row.handler, of=row.subject, reason=reason)


def _still_failing(row: Delivery) -> None:
    if row.done_at:
        raise StepNotAllowed("这一投递已经完成，不用再处理。", todo="请刷新页面看现在的情况。")
    if not row.attempts:
        raise StepNotAllowed("这一投递还没有失败过，正在等待投递。", todo="请等后台进程投递。")


# Keeping --------------------------------------------------------------------------------------------------------------


@action("kernel.sweep_outbox")
def sweep_outbox(act: Act, *, event_ids: list[int], received_before: datetime) -> int:
    """Remove events that everybody who was owed them has, and old entries of what was taken in from outside."""
    act.check(policies.operate)
    Delivery.objects.filter(event_id__in=event_ids).delete()
    removed, _ = OutboxEvent.objects.filter(id__in=event_ids).delete()
    taken_in, _ = Received.objects.filter(at__lt=received_before).delete()
    act.log(Ref("outbox", str(event_ids[-1])), removed=removed, taken_in=taken_in)
    return removed


@periodic("kernel.sweep_outbox", minutes=24 * 60)
def sweep() -> None:
    """Remove what was delivered more than LIANGZHU_OUTBOX_DAYS ago; never what is owed to anybody."""
    days = timedelta(days=settings.LIANGZHU_OUTBOX_DAYS)
    owed = Delivery.objects.filter(event=models.OuterRef("pk"), done_at=None)
    old = OutboxEvent.objects.filter(at__lt=now() - days).annotate(owed=models.Exists(owed))
    seen = 0
    # By id, so that a few old ones that are still owed do not have to be read again for every batch.
    while rows := list(old.filter(id__gt=seen).order_by("id").values_list("id", "owed")[:BATCH]):
        seen = rows[-1][0]
        free = [ident for ident, is_owed in rows if not is_owed]
        if free:
            sweep_outbox(SYSTEM, event_ids=free, received_before=machine_now() - days)
