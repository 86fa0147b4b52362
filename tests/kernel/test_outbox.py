"""Events are owed to handlers: at least once, in order per subject, with back-off, until a person must look."""

import time
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread

import pytest
from django.db import connection, connections, transaction
from django.utils.timezone import now as machine_now  # noqa: TID251 - deliveries run on the machine's clock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liangzhu.kernel import events, outbox, worker
from liangzhu.kernel.actors import SYSTEM, Actor
from liangzhu.kernel.errors import Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.models import Delivery, LogLeaf, OutboxEvent, PeriodicRun
from liangzhu.kernel.now import at
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
        handler = ""

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

    (Bell.handler,) = (handler.key for handler in events._handlers["kernel.test_rang"])
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


def test_a_handler_that_says_when_is_owed_no_others(bell):
    chosen = []

    @events.handles(bell.Event, when=lambda event: event.times > 1)
    def hear_often(event, delivery):
        chosen.append(event.times)

    for times in (1, 2, 3):
        bell.ring("a", times)
    assert Delivery.objects.filter(handler__endswith="hear_often").count() == 2
    worker.drain()
    assert chosen == [2, 3] and len(bell.heard) == 3


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
    assert len(worker._claim(10)[0]) == 1
    assert worker._claim(10)[0] == [] and worker._claim_lost()[0] == []
    Delivery.objects.update(lease_until="2000-01-01T00:00Z")
    assert worker._claim(10)[0] == []
    assert len(worker._claim_lost()[0]) == 1


def test_a_delivery_that_was_done_meanwhile_is_not_done_again(bell):
    bell.ring("a", 1)
    (ident,), _ = worker._claim(10)
    worker.deliver(ident)
    worker.deliver(ident)
    assert bell.heard == [("a", 1)]


def test_an_event_goes_with_its_transaction(bell):
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


PAST = "2000-01-01T00:00Z"
ADMIN = Actor(ref=Ref("account", "7"), label="系统管理员", roles=frozenset({"access.admin"}))
OFFICER = Actor(ref=Ref("account", "8"), label="承办人", roles=frozenset({"matters.officer"}))


def let_die(bell, *times: int) -> None:
    """Fail these until they are given up."""
    bell.fail |= set(times)
    for _ in range(len(worker.BACKOFF) + 1):
        Delivery.objects.filter(done_at=None).update(due_at=PAST)
        worker.drain()


# Order, and what it costs ---------------------------------------------------------------------------------------------


def fill(bell, *, subjects: int, each: int) -> None:
    """A backlog: one event and its delivery, copied inside the database."""
    event = bell.ring("0", 0)
    delivery = Delivery.objects.get(event=event)
    Delivery.objects.update(due_at=PAST)
    series = (
        f"WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series "
        f"WHERE n < {subjects * each - 1})"
    )
    for row, changed in ((event, {}), (delivery, {"event_id": f"{event.pk} + n"})):
        changed |= {"id": f"{row.pk} + n", "subject": f"'bell:' || (n % {subjects})"}
        columns = [field.column for field in row._meta.local_fields]
        chosen = [changed.get(column, column) for column in columns]
        table = row._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                f"{series} INSERT INTO {table} ({', '.join(columns)}) "
                f"SELECT {', '.join(chosen)} FROM {table}, series WHERE id = {row.pk}"
            )
            if connection.vendor == "postgresql":
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
                )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def test_a_claim_reads_a_backlog_of_a_hundred_thousand_by_index_only(bell):
    fill(bell, subjects=1000, each=100)
    wanted = worker._candidates(machine_now(), "").filter(lease_until=None)
    said = wanted.values_list("id", "first")[: worker.EXAMINED].explain()
    if connection.vendor == "postgresql":
        assert "Index Scan using delivery_owed" in said, said
        assert "Index Only Scan using delivery_order" in said, said
    else:
        assert "USING INDEX delivery_owed" in said, said
        assert "USING COVERING INDEX delivery_order" in said, said
    assert "SCAN kernel" not in said and "Seq Scan" not in said and "Sort" not in said, said
    start = time.perf_counter()
    heads, _ = worker._claim(100)
    assert len(heads) == 100
    assert time.perf_counter() - start < 1
    assert len(set(Delivery.objects.filter(id__in=heads).values_list("subject", flat=True))) == 100


def test_a_long_line_that_stands_still_costs_nothing_and_holds_up_nobody(bell):
    fill(bell, subjects=1, each=5_000)
    bell.fail = {0}
    worker.drain(rounds=1)
    worker.drain()
    assert Delivery.objects.filter(waits=False, done_at=None).count() == 1
    bell.ring("other", 1)
    start = time.perf_counter()
    worker.deliver_due()
    assert time.perf_counter() - start < 0.5
    assert bell.heard == [("other", 1)]


def test_the_next_of_a_line_is_called_when_the_first_is_done(bell):
    for times in range(5):
        bell.ring("a", times)
    worker.deliver_due()
    assert Delivery.objects.filter(waits=True).count() == 3
    assert worker.drain() == 4
    assert [times for _, times in bell.heard] == [0, 1, 2, 3, 4]


def test_who_waits_for_nobody_is_called_back(bell):
    bell.ring("a", 1)
    Delivery.objects.update(waits=True)
    assert worker.drain() == 0
    worker.call_back()
    assert worker.drain() == 1


@dataclass
class Model:
    """What should happen: of each subject the events in order, each once, none past one that fails."""

    published: dict
    failing: set

    def expected(self, subject: str) -> list[int]:
        line = self.published.get(subject, [])
        stop = next((place for place, times in enumerate(line) if times in self.failing), len(line))
        return line[:stop]


STEP = st.one_of(
    st.tuples(st.just("publish"), st.sampled_from("abc")),
    st.tuples(st.just("claim"), st.integers(0, 2)),
    st.tuples(st.just("claim lost"), st.integers(0, 2)),
    st.tuples(st.just("deliver"), st.integers(0, 2)),
    st.tuples(st.just("forget"), st.integers(0, 2)),
    st.tuples(st.just("break"), st.integers(0, 12)),
    st.tuples(st.just("mend"), st.integers(0, 12)),
    st.tuples(st.just("time"), st.just(0)),
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, max_size=40))
def test_however_workers_meet_each_subject_is_heard_in_order_and_each_event_once(bell, steps):
    """Three workers claim, deliver, are killed with what they hold, and come late; handlers fail and are mended."""
    bell.heard.clear()
    bell.fail.clear()
    model, held, serial = Model({}, bell.fail), {0: [], 1: [], 2: []}, iter(range(1000))
    with transaction.atomic():
        for what, which in steps:
            if what == "publish":
                times = next(serial)
                bell.ring(which, times)
                model.published.setdefault(which, []).append(times)
            elif what in ("claim", "claim lost"):
                ids, lease = worker._claim(2) if what == "claim" else worker._claim_lost()
                held[which] += [(ident, lease) for ident in ids]
            elif what == "deliver" and held[which]:
                worker.deliver(*held[which].pop(0))
            elif what == "forget":
                held[which].clear()
            elif what == "break":
                bell.fail.add(which)
            elif what == "mend":
                bell.fail.discard(which)
            elif what == "time":
                Delivery.objects.filter(done_at=None).update(due_at=PAST)
                Delivery.objects.exclude(lease_until=None).update(lease_until=PAST)
            for subject, line in model.published.items():
                heard = [times for name, times in bell.heard if name == subject]
                assert heard == line[: len(heard)]
        # In the end everything whose line does not stand still has been heard.
        for _ in range(len(worker.BACKOFF) + 2):
            Delivery.objects.filter(done_at=None).update(due_at=PAST)
            Delivery.objects.exclude(lease_until=None).update(lease_until=PAST)
            worker.drain()
        for dead in Delivery.objects.filter(done_at=None).exclude(dead_at=None):
            if dead.event_id and events.restore(dead.event).times not in bell.fail:
                outbox.replay_delivery(ADMIN, delivery_id=dead.pk)
        worker.drain()
        for subject in model.published:
            assert [times for name, times in bell.heard if name == subject] == model.expected(subject)
        transaction.set_rollback(True)


# Leases ---------------------------------------------------------------------------------------------------------------


def test_who_lost_the_lease_leaves_the_delivery_alone(bell):
    bell.ring("a", 1)
    (ident,), late = worker._claim(10)
    Delivery.objects.update(lease_until=PAST)
    (again,), fresh = worker._claim_lost()
    assert worker.deliver(ident, late) is False and bell.heard == []
    assert worker.deliver(again, fresh) is True and bell.heard == [("a", 1)]


def test_what_is_not_begun_in_half_a_lease_is_given_back(bell, monkeypatch):
    monkeypatch.setattr(worker, "LEASE", timedelta(0))
    for name in "abc":
        bell.ring(name, 1)
    assert worker.deliver_due() == 1
    assert not Delivery.objects.exclude(lease_until=None).exists()
    monkeypatch.undo()
    worker.drain()
    assert len(bell.heard) == 3


def test_a_delivery_that_ends_its_worker_again_and_again_is_taken_alone_and_given_up_in_the_end(bell):
    """Of two that were lost together each is soon taken alone; the one that ends workers is given up."""
    bell.ring("deadly", 1)
    bell.ring("harmless", 2)
    worker._claim(10)
    for _ in range(len(worker.BACKOFF) + 3):
        Delivery.objects.exclude(lease_until=None).update(lease_until=PAST)
        ids, lease = worker._claim_lost()
        if Delivery.objects.filter(id__in=ids, subject="bell:deadly").exists():
            continue
        for ident in ids:
            worker.deliver(ident, lease)
    dead = Delivery.objects.get(subject="bell:deadly")
    assert dead.dead_at and dead.reason == Delivery.WORKER_LOST and "中断" in dead.words
    worker.drain()
    assert bell.heard == [("harmless", 2)]


@pytest.mark.django_db(transaction=True)
def test_a_handler_that_outlasts_its_lease_is_not_run_by_a_second_worker(bell, monkeypatch):
    began, end, ran = Event(), Event(), []

    def slow(event, delivery):
        ran.append(event.times)
        began.set()
        end.wait(10)

    (handler,) = events._handlers["kernel.test_rang"]
    events._handlers["kernel.test_rang"] = [events.Handler(handler.key, handler.event, slow)]
    monkeypatch.setattr(worker, "LEASE", timedelta(milliseconds=50))
    bell.ring("a", 1)
    ids, lease = worker._claim(10)

    def run():
        try:
            worker.deliver(ids[0], lease)
        finally:
            connections.close_all()

    first = Thread(target=run)
    first.start()
    assert began.wait(10)
    time.sleep(0.1)
    if connection.vendor == "sqlite":
        # The running handler holds the only place to write: a second worker waits, and then finds it done.
        Thread(target=lambda: (time.sleep(0.3), end.set())).start()
    assert worker.deliver_due() == 0
    end.set()
    first.join()
    assert worker.drain() == 0
    assert ran == [1]
    assert Delivery.objects.get().done_at is not None


# What a person sees and does ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["handler", "event", "fields"])
def test_what_the_program_no_longer_knows_is_given_up_with_the_reason(bell, what):
    if what == "fields":
        OutboxEvent.objects.filter(pk=bell.ring("a", 1).pk).update(body='{"other":1}')
    else:
        bell.ring("a", 1)
    if what == "handler":
        events._handlers["kernel.test_rang"].clear()
    if what == "event":
        del events._events["kernel.test_rang"]
    for _ in range(worker.GONE_TRIES):
        assert Delivery.objects.filter(dead_at=None).exists()
        Delivery.objects.update(due_at=PAST)
        worker.drain()
    dead = Delivery.objects.get()
    assert dead.dead_at is not None
    assert dead.reason == (Delivery.HANDLER_GONE if what == "handler" else Delivery.EVENT_GONE)
    assert dead.words.startswith("程序")


def test_one_that_was_given_up_holds_up_its_line_until_it_is_replayed(bell):
    for times in (1, 2, 3):
        bell.ring("a", times)
    let_die(bell, 1)
    assert bell.heard == []
    (row,) = outbox.trouble_rows(ADMIN, outbox.troubles(ADMIN))
    assert row.behind == 2 and row.known and row.delivery.words == "RuntimeError：cannot hear 1"
    assert outbox.dead_count(ADMIN) == 1 and outbox.dead_count(OFFICER) is None
    bell.fail.clear()
    outbox.replay_delivery(ADMIN, delivery_id=row.delivery.pk)
    worker.drain()
    assert bell.heard == [("a", 1), ("a", 2), ("a", 3)]
    assert LogLeaf.objects.filter(action="kernel.replay_delivery", subject=str(row.delivery.ref)).count() == 1
    assert outbox.dead_count(ADMIN) == 0


def test_one_that_was_given_up_is_skipped_with_a_reason_and_its_line_goes_on(bell):
    for times in (1, 2):
        bell.ring("a", times)
    let_die(bell, 1)
    dead = Delivery.objects.exclude(dead_at=None).get()
    with pytest.raises(Invalid):
        outbox.skip_delivery(ADMIN, delivery_id=dead.pk, reason="  ")
    outbox.skip_delivery(ADMIN, delivery_id=dead.pk, reason="事项已撤销，不再提醒")
    worker.drain()
    assert bell.heard == [("a", 2)]
    dead.refresh_from_db()
    assert dead.skipped == "事项已撤销，不再提醒" and dead.done_at
    leaf = LogLeaf.objects.get(action="kernel.skip_delivery")
    assert "事项已撤销" in leaf.detail.body
    with pytest.raises(StepNotAllowed):
        outbox.skip_delivery(ADMIN, delivery_id=dead.pk, reason="再来一次")


def test_all_of_a_handler_are_replayed_at_once_with_a_leaf_each(bell):
    for name in "abc":
        bell.ring(name, 1)
    let_die(bell, 1)
    assert outbox.troubled_handlers(ADMIN) == [(bell.handler, 3)]
    bell.fail.clear()
    assert outbox.replay_handler(ADMIN, handler=bell.handler) == 3
    assert worker.drain() == 3
    assert LogLeaf.objects.filter(action="kernel.replay_handler").count() == 3
    with pytest.raises(NotThere):
        outbox.replay_handler(ADMIN, handler=bell.handler)


def test_only_the_administrator_sees_and_replays(bell):
    bell.ring("a", 1)
    let_die(bell, 1)
    dead = Delivery.objects.get()
    for act in (
        lambda: outbox.troubles(OFFICER),
        lambda: outbox.trouble(OFFICER, dead.pk),
        lambda: outbox.replay_delivery(OFFICER, delivery_id=dead.pk),
        lambda: outbox.skip_delivery(OFFICER, delivery_id=dead.pk, reason="x"),
        lambda: outbox.replay_handler(OFFICER, handler=bell.handler),
    ):
        with pytest.raises(Denied):
            act()


def test_the_state_counts_what_is_owed_what_failed_and_how_old_it_is(bell):
    assert outbox.outbox_state() == outbox.OutboxState(0, 0, 0, 0, 0)
    for name in "abcd":
        bell.ring(name, 1 if name == "a" else 2)
    let_die(bell, 1)
    bell.fail = {2}
    bell.ring("e", 2)
    worker.drain()
    bell.ring("f", 3)
    Delivery.objects.filter(subject="bell:f").update(due_at=machine_now() - timedelta(seconds=90))
    state = outbox.outbox_state()
    assert (state.pending, state.retrying, state.dead, state.unattended) == (2, 1, 1, 0)
    assert 90 <= state.oldest < 100
    Delivery.objects.filter(subject="bell:f").update(lane="gone")
    assert outbox.outbox_state().unattended == 1


def test_what_was_delivered_long_ago_is_removed_and_what_is_owed_stays(bell, settings):
    settings.LIANGZHU_OUTBOX_DAYS = 30
    bell.fail = {2}
    with at("2022-01-01 09:00"):
        bell.ring("old", 1)
        owed = bell.ring("owed", 2)
        worker.drain()
    with at("2022-03-01 09:00"):
        fresh = bell.ring("fresh", 3)
        worker.drain()
        outbox.sweep()
        assert set(OutboxEvent.objects.values_list("pk", flat=True)) == {owed.pk, fresh.pk}
        assert LogLeaf.objects.filter(action="kernel.sweep_outbox").count() == 1
        outbox.sweep()
    assert LogLeaf.objects.filter(action="kernel.sweep_outbox").count() == 1


# How soon -------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_worker_hears_of_an_event_within_a_moment(bell):
    """From commit to handler: a fraction of a second, on a machine that is busy with other things."""
    stop, lags = Event(), []

    def run():
        try:
            worker._deliver_rounds(stop)
        finally:
            connections.close_all()

    thread = Thread(target=run)
    thread.start()
    try:
        for times in range(5):
            time.sleep(0.4)
            bell.ring("a", times)
            start = time.perf_counter()
            while len(bell.heard) <= times and time.perf_counter() - start < 10:
                time.sleep(0.001)
            lags.append(time.perf_counter() - start)
    finally:
        stop.set()
        thread.join()
    assert len(bell.heard) == 5
    assert sorted(lags)[2] < 0.5, lags
