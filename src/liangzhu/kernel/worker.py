"""The worker: delivers what is owed by the outbox, and runs periodic jobs. Many may run side by side.

At least once, in order per subject: a delivery waits while an earlier one of the same handler and subject is
unfinished. The handler's changes and the mark "done" commit together, so effects in the database happen once.
"""

import logging
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import close_old_connections, connection, models, transaction
from django.utils.timezone import now as machine_now  # noqa: TID251 - leases run on the machine's clock

from liangzhu.kernel.events import all_handlers, restore
from liangzhu.kernel.models import Delivery, PeriodicRun

logger = logging.getLogger("liangzhu.worker")

LEASE = timedelta(seconds=60)
BACKOFF = [5, 30, 120, 600, 3600, 6 * 3600]
"""Seconds before the next try; after the last one the delivery is dead and a person must look."""


@dataclass(frozen=True)
class Periodic:
    """A job that runs every so many minutes."""

    name: str
    minutes: int
    run: Callable[[], None]


_periodic: dict[str, Periodic] = {}


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


def _claim(limit: int) -> list[int]:
    """Lease some deliveries that are due and whose predecessors are finished."""
    moment = machine_now()
    earlier = Delivery.objects.filter(
        handler=models.OuterRef("handler"),
        subject=models.OuterRef("subject"),
        done_at=None,
        id__lt=models.OuterRef("id"),
    )
    with transaction.atomic():
        free = (
            Delivery.objects.filter(done_at=None, dead_at=None, due_at__lte=moment)
            .filter(models.Q(lease_until=None) | models.Q(lease_until__lt=moment))
            .filter(~models.Exists(earlier))
            .order_by("id")
        )
        locking = {"skip_locked": True} if connection.features.has_select_for_update_skip_locked else {}
        ids = list(free.select_for_update(**locking).values_list("id", flat=True)[:limit])
        Delivery.objects.filter(id__in=ids).update(lease_until=moment + LEASE)
    return ids


def deliver(delivery_id: int) -> bool:
    """Run one leased delivery. Returns whether it is done; a failure is kept with its trace and tried again later."""
    handlers = all_handlers()
    try:
        with transaction.atomic():
            delivery = Delivery.objects.select_for_update().select_related("event").get(pk=delivery_id)
            if delivery.done_at is not None:
                return True
            handlers[delivery.handler].run(restore(delivery.event), delivery)
            delivery.done_at, delivery.lease_until, delivery.error = machine_now(), None, ""
            delivery.attempts += 1
            delivery.save(update_fields=["done_at", "lease_until", "error", "attempts"])
        return True
    except Exception:
        logger.exception("delivery %s failed", delivery_id)
        with transaction.atomic():
            delivery = Delivery.objects.select_for_update().get(pk=delivery_id)
            delivery.attempts += 1
            delivery.error = traceback.format_exc()[-4000:]
            delivery.lease_until = None
            if delivery.attempts > len(BACKOFF):
                delivery.dead_at = machine_now()
            else:
                delivery.due_at = machine_now() + timedelta(seconds=BACKOFF[delivery.attempts - 1])
            delivery.save(update_fields=["attempts", "error", "lease_until", "dead_at", "due_at"])
        return False


def deliver_due(limit: int = 100) -> int:
    """Deliver what is due now; returns how many were taken up."""
    ids = _claim(limit)
    for ident in ids:
        deliver(ident)
    return len(ids)


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


def work(stop: threading.Event, pause: float = 0.5) -> None:
    """Work until told to stop."""
    logger.info("worker started")
    while not stop.is_set():
        close_old_connections()
        try:
            run_periodic()
            taken = deliver_due()
        except Exception:
            # The database may be away for a moment; what is owed is still owed.
            logger.exception("worker round failed")
            taken = 0
        if not taken:
            stop.wait(pause)
