"""Events are owed to handlers: at least once, in order per subject, with back-off, until a person must look."""

from dataclasses import dataclass

import pytest

from liangzhu.kernel import events, worker
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.models import Delivery, LogLeaf, OutboxEvent, PeriodicRun
from liangzhu.kernel.refs import Ref

pytestmark = pytest.mark.django_db


@pytest.fixture
def bell():
    """An event of its own and a handler that notes what it gets; both leave the registries afterwards."""
    known_events, known_handlers = dict(events._events), {k: list(v) for k, v in events._handlers.items()}

    @events.event("kernel.test_rang")
    @dataclass(frozen=True)
    class Rang:
        subject: Ref
        times: int

    class Bell:
        Event = Rang
        heard: list = []
        fail: set = set()

        @staticmethod
        def ring(subject: str, times: int) -> OutboxEvent:
            return events.publish(Rang(subject=Ref("bell", subject), times=times), SYSTEM)

    Bell.heard, Bell.fail = [], set()

    @events.handles(Rang)
    def hear(event, delivery):
        if event.times in Bell.fail:
            LogLeaf.objects.create(
                at="2022-01-01T00:00Z", action="half", actor="x:1", subject="x:1", commitment=""
            )
            raise RuntimeError(f"cannot hear {event.times}")
        Bell.heard.append((event.subject.id, event.times))

    yield Bell
    events._events.clear()
    events._events.update(known_events)
    events._handlers.clear()
    events._handlers.update(known_handlers)


def test_an_event_reaches_its_handler_once(bell):
    bell.ring("a", 1)
    assert worker.drain() == 1
    assert worker.drain() == 0
    assert bell.heard == [("a", 1)]


def test_events_of_one_subject_come_in_order_and_wait_for_a_failing_one(bell):
    bell.fail = {2}
    for times in (1, 2, 3):
        bell.ring("a", times)
    bell.ring("b", 9)
    worker.drain()
    assert bell.heard == [("a", 1), ("b", 9)]
    bell.fail = set()
    Delivery.objects.filter(done_at=None).update(due_at="2000-01-01T00:00Z")
    worker.drain()
    assert bell.heard == [("a", 1), ("b", 9), ("a", 2), ("a", 3)]


def test_a_failing_handler_leaves_nothing_half_done_and_keeps_its_error(bell):
    bell.fail = {1}
    bell.ring("a", 1)
    worker.drain()
    delivery = Delivery.objects.get()
    assert not LogLeaf.objects.filter(action="half").exists()
    assert "cannot hear 1" in delivery.error
    assert delivery.attempts == 1 and delivery.done_at is None and delivery.lease_until is None


def test_after_the_last_try_a_person_must_look(bell):
    bell.fail = {1}
    bell.ring("a", 1)
    for _ in range(len(worker.BACKOFF) + 1):
        Delivery.objects.update(due_at="2000-01-01T00:00Z")
        worker.drain()
    delivery = Delivery.objects.get()
    assert delivery.dead_at is not None
    Delivery.objects.update(due_at="2000-01-01T00:00Z")
    assert worker.drain() == 0


def test_a_lease_keeps_others_away_until_it_ends(bell):
    bell.ring("a", 1)
    assert len(worker._claim(10)) == 1
    assert worker._claim(10) == []
    Delivery.objects.update(lease_until="2000-01-01T00:00Z")
    assert len(worker._claim(10)) == 1


def test_a_delivery_that_was_done_meanwhile_is_not_done_again(bell):
    bell.ring("a", 1)
    (ident,) = worker._claim(10)
    worker.deliver(ident)
    worker.deliver(ident)
    assert bell.heard == [("a", 1)]


def test_an_event_goes_with_its_transaction(bell):
    from django.db import transaction

    with pytest.raises(RuntimeError), transaction.atomic():
        bell.ring("a", 1)
        raise RuntimeError
    assert not OutboxEvent.objects.exists() and not Delivery.objects.exists()


def test_a_periodic_job_runs_when_due_once_and_keeps_its_error():
    ran = []

    @worker.periodic("kernel.test_job", minutes=10)
    def job():
        ran.append(1)
        if len(ran) == 2:
            raise RuntimeError("second time")

    try:
        assert "kernel.test_job" in worker.run_periodic()
        assert "kernel.test_job" not in worker.run_periodic()
        PeriodicRun.objects.filter(name="kernel.test_job").update(last_at="2000-01-01T00:00Z")
        worker.run_periodic()
        assert "second time" in PeriodicRun.objects.get(name="kernel.test_job").error
        assert len(ran) == 2
    finally:
        del worker._periodic["kernel.test_job"]
