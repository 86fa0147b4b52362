"""Really at once: threads with connections of their own, on either database."""

import contextlib
from collections.abc import Callable
from threading import Barrier, BrokenBarrierError, Thread

import pytest
from django.db import connections

from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters import processes, timers
from liangzhu.beams.work.matters.models import Entry, Link, Matter, Timer
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Conflict, Problem
from liangzhu.kernel.now import at


def together(moment: str, *jobs: Callable[[], object]) -> list[object]:
    """Run jobs at once, each with a connection of its own; what each returned, or the problem it met."""
    start, results = Barrier(len(jobs)), [None] * len(jobs)

    def run(place: int, job: Callable[[], object]) -> None:
        # A thread begins with an empty context, so it has to stand on the same day again.
        with at(moment):
            start.wait(30)
            try:
                results[place] = job()
            except Problem as problem:
                results[place] = problem
            finally:
                connections.close_all()

    threads = [Thread(target=run, args=each) for each in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "they wait for each other"
    return results


@pytest.mark.django_db(transaction=True)
def test_of_many_who_act_at_once_one_wins_and_the_others_read_who_it_was(district, simple):
    people = [district.officer("甲局", name) for name in ("李四", "王五", "赵六", "钱七")]
    matter = simple(people[0])

    def act(actor) -> Callable[[], str]:
        def step() -> str:
            matters.step(actor, matter_id=matter.pk, transition="accept", version=1)
            return actor.label

        return step

    results = together("2022-10-20 09:00", *map(act, people))
    winners = [found for found in results if isinstance(found, str)]
    losers = [found for found in results if isinstance(found, Conflict)]
    assert len(winners) == 1 and len(losers) == 3
    assert all(winners[0] in loser.detail for loser in losers)
    assert Entry.objects.filter(matter=matter, transition="accept").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_fire_one_timer_do_its_step_once(town):
    case = town.open("licence")
    row = Timer.objects.get(matter=case.matter)
    results = together(
        "2022-10-28 08:00", *[lambda: timers.fire(SYSTEM, timer_id=row.pk)] * 2, *[timers.fire_owed] * 2
    )
    assert not any(isinstance(found, Exception) for found in results)
    assert Entry.objects.filter(matter=case.matter, transition="deem_accepted").count() == 1
    row.refresh_from_db()
    assert row.fired_at and row.attempts == 0 and case.state == "accepted"


@pytest.mark.django_db(transaction=True)
def test_two_that_are_merged_into_each_other_at_once_never_both_end(town, monkeypatch):
    first, second = town.open("hotline"), town.open("hotline")
    meeting, visible = Barrier(2), processes.queries.visible

    def met(actor):
        # Both hold their own matter here, where the database lets two write; with one writer nobody else comes.
        with contextlib.suppress(BrokenBarrierError):
            meeting.wait(1)
        return visible(actor)

    actor = town.who("督办室")

    def merge(one, other) -> Callable[[], object]:
        return lambda: matters.step(
            actor, matter_id=one.matter.pk, transition="merge", data={"into": other.matter.number}
        )

    with monkeypatch.context() as patch:
        patch.setattr(processes.queries, "visible", met)
        results = together("2022-10-20 11:00", merge(first, second), merge(second, first))
    refused = [found for found in results if isinstance(found, Problem)]
    assert refused and len(refused) == 2 - Link.objects.count()
    assert Matter.objects.filter(closed_at=None).count() == 1 + (len(refused) == 2)
    if len(refused) == 2:
        assert all("正在被办理" in str(each.detail) for each in refused)
        with at("2022-10-20 11:05"):
            merge(first, second)()
    assert Link.objects.get().kind == Link.MERGED
