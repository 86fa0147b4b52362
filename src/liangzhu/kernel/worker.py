"""The worker: delivers what is owed by the outbox, and runs periodic jobs. Many may run side by side.

At least once, in order per subject: a delivery waits while an earlier one of the same handler and subject is
unfinished. The handler's changes and the mark "done" commit together, so effects in the database happen once.

A worker takes deliveries by lease. While a handler runs, its row is locked by the running transaction, so that
nobody takes it however long it lasts; the lease covers the time before, and ends by itself when the worker is gone.
"""

import logging
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, models, transaction
from django.utils.timezone import now as machine_now  # noqa: TID251 - leases run on the machine's clock

from liangzhu.kernel import rows
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.events import Courier, CourierAway, all_couriers, all_handlers, restore
from liangzhu.kernel.log import sequencer
from liangzhu.kernel.models import Delivery, OutboxEvent, PeriodicRun
from liangzhu.kernel.observing import about, tell

logger = logging.getLogger("liangzhu.worker")

LEASE = timedelta(seconds=10)
BACKOFF = [5, 30, 120, 600, 3600, 6 * 3600]
"""Seconds before the next try; after the last one the delivery is dead and a person must look."""

GONE_TRIES = 3
"""Tries for what this program does not know: while a new version is rolled out, a worker of the old one still runs."""

BATCH = 100
LOST_BATCH = 10
EXAMINED = 500
"""How many deliveries one claim looks at once; those behind others are set aside and not looked at again."""

QUICK, SLOW = 0.02, 0.25
"""Seconds between two looks into the outbox: after something happened, and when nothing does (PostgreSQL)."""

PERIODIC_PAUSE = 15.0


class Unknown(Exception):
    """What is owed cannot be delivered by this program; ``reason`` is one of Delivery.REASONS."""

    def __init__(self, reason: str, words: str):
        super().__init__(words)
        self.reason = reason


@dataclass(frozen=True)
class Periodic:
    """A job that runs every so many minutes."""

    name: str
    minutes: int
    run: Callable[[], None]


_periodic: dict[str, Periodic] = {}
_companions: dict[str, Callable[[threading.Event], None]] = {}


def periodic(name: str, *, minutes: int) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Run the function every ``minutes`` in the worker; one worker at a time. It may run twice: make it idempotent."""

    def register(run: Callable[[], None]) -> Callable[[], None]:
        if name in _periodic and _periodic[name].run.__qualname__ != run.__qualname__:
            raise ValueError(f"periodic job {name} is registered twice")
        _periodic[name] = Periodic(name, minutes, run)
        return run

    return register


def all_periodic() -> dict[str, Periodic]:
    """Every periodic job by name."""
    return dict(_periodic)


def companion(name: str, run: Callable[[threading.Event], None]) -> None:
    """Run ``run(stop)`` in a thread of every worker until ``stop`` is set; when it fails, again after a pause."""
    if name in _companions:
        raise ValueError(f"companion {name} is registered twice")
    _companions[name] = run


companion("sequencer", sequencer.run)


# Claiming -------------------------------------------------------------------------------------------------------------


def _line_of(row: models.OuterRef | str, subject: models.OuterRef | str) -> models.QuerySet:
    """The unfinished deliveries of one handler and subject, the first one first."""
    return Delivery.objects.filter(handler=row, subject=subject, done_at=None).order_by("id")


def _candidates(moment: datetime, lane: str) -> models.QuerySet:
    """Deliveries that are due, with the first of their line as ``first``; those due longest come first."""
    first = _line_of(models.OuterRef("handler"), models.OuterRef("subject")).values("id")[:1]
    return (
        Delivery.objects.filter(lane=lane, done_at=None, dead_at=None, waits=False, due_at__lte=moment)
        .order_by("due_at", "id")
        .annotate(first=models.Subquery(first))
    )


def _locked(rows: models.QuerySet) -> models.QuerySet:
    locking = {"skip_locked": True} if connection.features.has_select_for_update_skip_locked else {}
    return rows.select_for_update(of=("self",) if connection.vendor == "postgresql" else (), **locking)


def _is_owed(lane: str = "") -> bool:
    """Whether a claim would find something to look at. Cheap, without a transaction."""
    moment = machine_now()
    owed = Delivery.objects.filter(lane=lane, done_at=None, dead_at=None, waits=False, due_at__lte=moment)
    return owed.filter(models.Q(lease_until=None) | models.Q(lease_until__lt=moment)).exists()


def _claim(limit: int, lane: str = "") -> tuple[list[int], datetime]:
    """Lease some deliveries that are due and first in their line; returns their ids and the end of the lease.

    Who stands behind another one is set aside (``waits``) and comes back when that one is finished: a line that
    stands still costs nothing, however long it is.
    """
    free: list[int] = []
    until = machine_now() + LEASE
    while len(free) < limit:
        moment = machine_now()
        until = moment + LEASE
        with transaction.atomic():
            found = list(
                _locked(_candidates(moment, lane).filter(lease_until=None)).values_list("id", "first")[
                    :EXAMINED
                ]
            )
            heads = [ident for ident, first in found if ident == first][: limit - len(free)]
            behind = [ident for ident, first in found if ident != first]
            Delivery.objects.filter(id__in=heads).update(lease_until=until)
            Delivery.objects.filter(id__in=behind).update(waits=True)
        free += heads
        if behind:
            # The one before may have been finished while this one was set aside, and looked for it in vain.
            _call_back(Delivery.objects.filter(id__in=behind))
        if len(found) < EXAMINED:
            break
    Delivery.objects.filter(id__in=free).update(lease_until=until)
    return free, until


def _claim_lost(lane: str = "") -> tuple[list[int], datetime]:
    """Lease a few deliveries whose worker went away; one that was lost before is taken alone.

    If it is what ends workers, it then ends this one alone, and is given up after as many tries as any other.
    """
    moment = machine_now()
    until = moment + LEASE
    lost = Delivery.objects.filter(lane=lane, done_at=None, dead_at=None, waits=False)
    lost = lost.filter(due_at__lte=moment, lease_until__lt=moment).order_by("due_at", "id")
    with transaction.atomic():
        rows = list(_locked(lost.filter(attempts__lt=2))[:LOST_BATCH]) or list(_locked(lost)[:1])
        for row in rows:
            row.attempts += 1
            row.lease_until = until
            if row.attempts > len(BACKOFF):
                _give_up(row, Delivery.WORKER_LOST, "投递它的后台进程多次中断，没有留下出错信息。", "")
            row.save()
    return [row.pk for row in rows if row.dead_at is None], until


def _call_back(rows: models.QuerySet) -> int:
    """Let those take part again that wait for nobody any more."""
    first = _line_of(models.OuterRef("handler"), models.OuterRef("subject")).values("id")[:1]
    heads = rows.filter(waits=True, done_at=None).annotate(first=models.Subquery(first))
    idents = list(heads.filter(first=models.F("id")).values_list("id", flat=True))
    return Delivery.objects.filter(id__in=idents).update(waits=False) if idents else 0


# Without asking whether it waits: whoever is setting it aside just now must meet this change.
_CALL_NEXT = (
    "UPDATE kernel_delivery SET waits = %s WHERE id = (SELECT id FROM kernel_delivery"
    " WHERE handler = %s AND subject = %s AND done_at IS NULL AND id > %s ORDER BY id LIMIT 1)"
)


def finish(delivery: Delivery) -> None:
    """Mark a locked delivery as done and call the next one of its line, in the caller's transaction."""
    delivery.done_at, delivery.lease_until, delivery.dead_at, delivery.waits = (
        machine_now(),
        None,
        None,
        False,
    )
    rows.update(delivery, "done_at", "lease_until", "dead_at", "waits", "attempts", "skipped")
    with connection.cursor() as cursor:
        cursor.execute(_CALL_NEXT, [False, delivery.handler, delivery.subject, delivery.pk])


# Delivering -----------------------------------------------------------------------------------------------------------


def deliver(delivery_id: int, lease: datetime | None = None) -> bool:
    """Run one leased delivery. Returns whether it is done; a failure is kept with its trace and tried again later.

    With ``lease``, does nothing when somebody else has taken it over meanwhile.
    """
    delivery = None
    try:
        with transaction.atomic():
            delivery = rows.get(Delivery, delivery_id, lock=True)
            if delivery is None:
                return False
            if delivery.done_at or delivery.dead_at or lease not in (None, delivery.lease_until):
                return delivery.done_at is not None
            handler = all_handlers().get(delivery.handler)
            if handler is None:
                raise Unknown(Delivery.HANDLER_GONE, f"程序里没有 {delivery.handler}，可能已随升级取消。")
            delivery.event = rows.get(OutboxEvent, delivery.event_id)
            with about(
                event=delivery.event_id, handler=delivery.handler, request_id=delivery.event.request_id
            ):
                handler.run(_restored(delivery), delivery)
            delivery.attempts += 1
            finish(delivery)
        tell("delivery", handler=delivery.handler, outcome="done")
        return True
    except Exception as error:
        name = delivery.handler if isinstance(delivery, Delivery) else ""
        with about(delivery=delivery_id, handler=name):
            logger.warning("delivery failed", exc_info=not isinstance(error, Unknown))
        tell("delivery", handler=name, outcome="failed")
        _fail(delivery_id, lease, error)
        return False


def _restored(delivery: Delivery):
    try:
        return restore(delivery.event)
    except (KeyError, TypeError, ValueError) as error:
        words = f"程序不认识事件 {delivery.event.name} 或它的内容，可能已随升级改变。"
        raise Unknown(Delivery.EVENT_GONE, words) from error


def _fail(delivery_id: int, lease: datetime | None, error: Exception) -> None:
    """Keep why it failed, and when it is tried again."""
    trace = "".join(traceback.format_exception(error))[-4000:]
    reason = error.reason if isinstance(error, Unknown) else Delivery.FAILED
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update().get(pk=delivery_id)
        if delivery.done_at or lease not in (None, delivery.lease_until):
            return
        delivery.attempts += 1
        delivery.lease_until = None
        if delivery.attempts > (len(BACKOFF) if reason == Delivery.FAILED else GONE_TRIES - 1):
            _give_up(delivery, reason, in_words(error), trace)
        else:
            delivery.reason, delivery.words, delivery.error = reason, in_words(error), trace
            delivery.due_at = machine_now() + timedelta(seconds=BACKOFF[delivery.attempts - 1])
        delivery.save()


def _give_up(delivery: Delivery, reason: str, words: str, trace: str) -> None:
    delivery.dead_at, delivery.lease_until = machine_now(), None
    delivery.reason, delivery.words, delivery.error = reason, words, trace


def in_words(error: Exception) -> str:
    """What went wrong in one sentence, at most 300 characters."""
    if isinstance(error, Problem):
        return f"{error.title}：{error.detail}"[:300]
    if isinstance(error, Unknown):
        return str(error)[:300]
    return f"{type(error).__name__}：{error}"[:300]


def may_be_tried() -> models.Q:
    """Rows that keep their own tries (``try_at``, ``dead_at``, see `count_failure`) and whose pause is over."""
    return models.Q(dead_at=None) & (models.Q(try_at=None) | models.Q(try_at__lte=machine_now()))


def count_failure(row: models.Model, error: Exception) -> list[str]:
    """Count a failure on a row with ``attempts``, ``try_at``, ``dead_at``, ``words`` and ``error``, with the pauses of a
    delivery; after the last one it is given up. Returns the names of what changed; the caller saves.
    """
    row.attempts += 1
    if row.attempts > len(BACKOFF):
        row.dead_at = machine_now()
    else:
        row.try_at = machine_now() + timedelta(seconds=BACKOFF[row.attempts - 1])
    row.words, row.error = in_words(error), "".join(traceback.format_exception(error))[-4000:]
    return ["attempts", "try_at", "dead_at", "words", "error"]


def deliver_due(limit: int = BATCH) -> int:
    """Deliver what is due now; returns how many were taken up.

    What is not begun within half of the lease is given back, so that it is not waited for.
    """
    return _deliver_some(*_claim(limit)) + _deliver_some(*_claim_lost())


def _deliver_some(ids: list[int], lease: datetime) -> int:
    half = lease - LEASE / 2
    for place, ident in enumerate(ids):
        if machine_now() > half:
            Delivery.objects.filter(id__in=ids[place:], lease_until=lease).update(lease_until=None)
            return max(place, 1)
        deliver(ident, lease)
    return len(ids)


def carry_due(courier: Courier, limit: int = 2 * BATCH) -> int:
    """Let a courier carry what is due; returns how many were taken up. Raises CourierAway when the neighbour is not there.

    What could not be carried because of that stays owed and has not been tried.
    """
    ids, lease = _claim(limit, courier.key)
    if not ids:
        ids, lease = _claim_lost(courier.key)
    rows = list(Delivery.objects.filter(id__in=ids).select_related("event").order_by("id"))
    if not rows:
        return 0
    try:
        outcomes = courier.carry([row.event for row in rows])
    except CourierAway:
        Delivery.objects.filter(id__in=ids, lease_until=lease).update(lease_until=None)
        raise
    except Exception as error:
        outcomes = [error] * len(rows)
    carried = {row.pk for row, outcome in zip(rows, outcomes, strict=True) if outcome is None}
    with transaction.atomic():
        for row in Delivery.objects.select_for_update().filter(id__in=carried, done_at=None).order_by("id"):
            row.attempts += 1
            finish(row)
    away = [outcome for outcome in outcomes if isinstance(outcome, CourierAway)]
    if away:
        left = [
            row.pk for row, outcome in zip(rows, outcomes, strict=True) if isinstance(outcome, CourierAway)
        ]
        Delivery.objects.filter(id__in=left, lease_until=lease).update(lease_until=None)
    for row, outcome in zip(rows, outcomes, strict=True):
        if outcome is not None and not isinstance(outcome, CourierAway):
            logger.warning("courier %s could not carry event %s: %s", courier.key, row.event_id, outcome)
            _fail(row.pk, lease, outcome)
    if away:
        raise away[0]
    return len(rows)


def drain(rounds: int = 1000) -> int:
    """Deliver until nothing is due. For tests and loaders."""
    total = 0
    for _ in range(rounds):
        taken = deliver_due()
        if not taken:
            break
        total += taken
    return total


def run_periodic(force: bool = False) -> list[str]:
    """Run the periodic jobs whose time has come; returns their names."""
    ran = []
    for job in _periodic.values():
        moment = machine_now()
        PeriodicRun.objects.get_or_create(name=job.name)
        mine = PeriodicRun.objects.filter(name=job.name).filter(
            models.Q(lease_until=None) | models.Q(lease_until__lt=moment)
        )
        if not force:
            mine = mine.filter(
                models.Q(last_at=None) | models.Q(last_at__lte=moment - timedelta(minutes=job.minutes))
            )
        if not mine.update(lease_until=moment + timedelta(minutes=max(job.minutes, 5))):
            continue
        error = ""
        try:
            job.run()
        except Exception:
            logger.exception("periodic job %s failed", job.name)
            error = traceback.format_exc()[-4000:]
        PeriodicRun.objects.filter(name=job.name).update(lease_until=None, last_at=moment, error=error)
        ran.append(job.name)
    return ran


@periodic("kernel.call_back", minutes=60)
def call_back() -> None:
    """Whoever waits for nobody takes part again; a worker that was killed at the wrong moment may have left one."""
    waiting = Delivery.objects.filter(waits=True, done_at=None)
    seen = 0
    while idents := list(waiting.filter(id__gt=seen).order_by("id").values_list("id", flat=True)[:1000]):
        seen = idents[-1]
        if called := _call_back(Delivery.objects.filter(id__in=idents)):
            logger.warning("%s deliveries waited for nobody", called)


# Working --------------------------------------------------------------------------------------------------------------


class Watch:
    """Waits until a lane may hold something to deliver.

    SQLite tells cheaply whether anybody wrote (`PRAGMA data_version`), so it is asked every 20 ms. PostgreSQL is asked
    for a due row, the less often the longer nothing came.
    """

    def __init__(self, stop: threading.Event, lane: str = ""):
        self.stop, self.lane = stop, lane
        self.version = 0

    def arm(self) -> None:
        """Remember how things stand, before one looks: what is written from now on ends the next wait."""
        if connection.vendor == "sqlite":
            self.version = self._version()

    def wait(self, longest: float = 1.0) -> None:
        """Return when something may be due, when ``longest`` seconds have passed, or when told to stop."""
        waited, pause = 0.0, QUICK
        while waited < longest and not self.stop.wait(pause):
            waited += pause
            if connection.vendor == "sqlite":
                if self._version() != self.version:
                    return
            else:
                if _is_owed(self.lane):
                    return
                pause = min(pause * 1.5, SLOW)

    def _version(self) -> int:
        with connection.cursor() as cursor:
            return cursor.execute("PRAGMA data_version").fetchone()[0]


def work(stop: threading.Event) -> None:
    """Work until told to stop: handlers here, periodic jobs, couriers and companions in threads of their own."""
    jobs: dict[str, Callable[[threading.Event], None]] = {"periodic": _run_periodic, **_companions}
    jobs |= {f"courier {one.key}": _courier_rounds(one) for one in all_couriers().values()}
    threads = [
        threading.Thread(target=_keep_going, args=(name, job, stop), name=name, daemon=True)
        for name, job in jobs.items()
    ]
    for thread in threads:
        thread.start()
    logger.info("worker started")
    _keep_going("deliveries", _deliver_rounds, stop)
    for thread in threads:
        thread.join(5)


def _keep_going(name: str, job: Callable[[threading.Event], None], stop: threading.Event) -> None:
    """Run a job until told to stop. The database may be away for a moment; what is owed is still owed."""
    while not stop.is_set():
        try:
            job(stop)
        except Exception:
            logger.exception("%s failed", name)
            stop.wait(1)
        finally:
            connection.close()


def _deliver_rounds(stop: threading.Event) -> None:
    watch = Watch(stop)
    while not stop.is_set():
        watch.arm()
        if not (_is_owed() and deliver_due()):
            watch.wait()


def _courier_rounds(courier: Courier) -> Callable[[threading.Event], None]:
    def run(stop: threading.Event) -> None:
        watch, away = Watch(stop, courier.key), 0
        while not stop.is_set():
            watch.arm()
            try:
                taken = _is_owed(courier.key) and carry_due(courier)
                away = 0
            except CourierAway as error:
                away += 1
                if away == 1:
                    logger.warning("%s cannot be reached: %s", courier.title, error)
                stop.wait(min(2 ** (away - 1), 30))
                continue
            if not taken:
                watch.wait()

    return run


def _run_periodic(stop: threading.Event) -> None:
    while not stop.is_set():
        run_periodic()
        stop.wait(PERIODIC_PAUSE)
