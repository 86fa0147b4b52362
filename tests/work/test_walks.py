"""Whatever people do in whatever order, the history tells the state and no clock runs after the end."""

import random
from datetime import timedelta

import pytest

from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters import sights
from liangzhu.beams.work.matters.engine import process_of
from liangzhu.beams.work.matters.models import NEVER, Clock, ClockStop, Entry, Part, Party, Sight
from liangzhu.kernel import search
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.now import at, shanghai

DATA = {
    "note_progress": lambda d: {"progress": "继续"},
    "ask_help": lambda d: {"helpers": [d.units["乙局"]]},
    "hold": lambda d: {"reason": "评审"},
    "report": lambda d: {"result": "完成"},
    "send_back": lambda d: {"reason": "不全"},
    "answer": lambda d: {"result": "同意"},
}


def check(matter) -> None:
    matter.refresh_from_db()
    flow = process_of(matter).flow
    lines = list(Entry.objects.filter(matter=matter).order_by("id"))
    # The history, replayed, gives the present state of the matter and of each part; versions only grow.
    places = {None: (matter.state, matter.version)}
    places |= {part.pk: (part.state, part.version) for part in Part.objects.filter(matter=matter)}
    for part_id, (state, version) in places.items():
        own = [line for line in lines if line.part_id == part_id]
        here = "" if part_id is None else "asked"
        for line in own:
            assert line.from_state == here
            here = line.to_state
        assert here == state
        versions = [line.version for line in own]
        assert versions == sorted(set(versions))
        if own:
            assert versions[-1] == version
    # What runs, runs once; what ended owes nothing; the columns say what the clocks say.
    clocks = Clock.objects.filter(matter=matter)
    running = [clock for clock in clocks if clock.stopped_at is None]
    assert len({clock.name for clock in running}) == len(running)
    assert all(clock.remind_at is None for clock in clocks if clock.stopped_at or clock.paused)
    assert all(clock.started_at <= clock.warn_at <= clock.due_at for clock in clocks)
    assert ClockStop.objects.filter(clock__matter=matter, ended_at=None).count() == sum(
        c.paused for c in running
    )
    assert matter.due_at == min((c.due_at for c in running if not c.paused), default=NEVER)
    assert matter.clock_paused == any(clock.paused for clock in running)
    assert (matter.closed_at is not None) == flow.states[matter.state].final
    check_sights(matter)
    if matter.closed_at:
        assert not running and not Part.objects.filter(matter=matter, done_at=None).exists()


def check_sights(matter) -> None:
    """Whoever holds, takes part or works on a part sees it, in the order of its limit, and nobody else does."""
    parts = Part.objects.filter(matter=matter).values_list("unit", "done_at")
    helping = {unit for unit, done in parts if done is None}
    units = {matter.holding_unit_id, *(unit for unit, _ in parts)}
    units |= set(Party.objects.filter(matter=matter).values_list("unit", flat=True))
    rows = {row.unit_id: row for row in Sight.objects.filter(matter=matter)}
    assert rows.keys() == units
    for unit, row in rows.items():
        assert (row.due_at, row.closed_at, row.kind) == (matter.due_at, matter.closed_at, matter.kind)
        assert row.helping == (unit in helping)
    for mark, there in ((sights.OPEN, matter.is_open), *((sights.seen_by(unit), True) for unit in units)):
        assert bool(search.find(matter.number, kind="matter", any_of=[mark])) is there
    held = [sights.held_by(unit) for unit in units if unit != matter.holding_unit_id]
    assert search.find(matter.number, kind="matter", any_of=held) == []


@pytest.mark.parametrize("seed", range(12))
def test_random_walks_keep_history_and_clocks_in_order(district, simple, seed):
    dice = random.Random(seed)
    people = [
        district.officer("甲局", "李四"),
        district.head("甲局", "王五"),
        district.officer("乙局", "赵六"),
        district.officer("督办室", "周五"),
    ]
    moment = shanghai(2022, 10, 20, 9)
    with at(moment):
        matter = simple(people[0])
    done = 0
    for _ in range(40):
        moment += timedelta(hours=dice.choice([1, 5, 26, 80]))
        actor = dice.choice(people)
        with at(moment):
            parts = [None, *Part.objects.filter(matter=matter)]
            part = dice.choice(parts)
            flow = process_of(matter).flow_of(part.kind if part else None)
            # Half of the time something possible, else anything at all, also what must be refused.
            options = (
                [o.name for o in matters.transitions(matter, actor, part)]
                if dice.random() < 0.7
                else list(flow.transitions)
            )
            if not options:
                continue
            name = dice.choice(options)
            try:
                matters.step(
                    actor,
                    matter_id=matter.pk,
                    transition=name,
                    data=DATA.get(name, lambda d: {})(district),
                    part_id=part.pk if part else None,
                )
                done += 1
            except Problem:
                pass
            check(matter)
    assert done > 5
