"""Whoever does whatever in whatever order: no kind strands a matter, leaves a clock behind, or lets one person be two."""

import random
from datetime import timedelta

import pytest

from liangzhu.beams.work.matters import answers, engine, timers
from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters.models import NEVER, Clock, ClockStop, Entry, Matter, Part, Timer
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.now import SHANGHAI, at, shanghai, today
from liangzhu.kernel.worker import drain

from .eight import KINDS

STEPS, LAST = 35, 40


def filled(step, dice: random.Random, town, matter) -> dict:
    """Something for each field of a step; now and then nothing, or nonsense."""
    data = {}
    for one in step.fields:
        if one.type == "choice":
            options = answers.options(one, town.who("甲局"), matter)
            value = dice.choice(options)[0] if options else ""
        elif one.type == "date":
            value = (today() - timedelta(days=dice.choice([0, 1, 5, -3]))).isoformat()
        elif one.type == "number":
            value = dice.randint(1, one.max or 9)
        elif one.type == "unit":
            value = dice.choice(list(town.district.units.values()))
        elif one.type == "units":
            value = dice.sample(list(town.district.units.values()), 2)
        elif one.type == "files":
            continue
        else:
            others = Matter.objects.filter(kind=matter.kind).exclude(pk=matter.pk)
            value = dice.choice(["说明", *others.values_list("number", flat=True)[:3]])
        if dice.random() < 0.95:
            data[one.name] = value
    return data


def check(matter: Matter) -> None:
    matter.refresh_from_db()
    process = engine.process_of(matter)
    lines = list(Entry.objects.filter(matter=matter).order_by("id"))
    # The history, replayed, gives the present state of the matter and of each part; versions only grow.
    places = {None: ("", matter.state, matter.version, process.flow)}
    for part in Part.objects.filter(matter=matter):
        flow = process.parts[part.kind]
        places[part.pk] = (flow.initial, part.state, part.version, flow)
    for part_id, (here, state, version, flow) in places.items():
        own = [line for line in lines if line.part_id == part_id]
        for line in own:
            assert line.from_state == here
            step = flow.transitions.get(line.transition)
            assert step is None or (here in step.sources and line.to_state == (step.to or here))
            here = line.to_state
        assert here == state
        versions = [line.version for line in own]
        assert versions == sorted(set(versions)) and (not own or versions[-1] == version)
        two_persons(
            own if part_id is None else [one for one in lines if one.part_id in (None, part_id)], flow
        )
    # What runs, runs once; what ended owes nothing; the columns say what the clocks say.
    clocks = list(Clock.objects.filter(matter=matter))
    running = [clock for clock in clocks if clock.stopped_at is None]
    assert len({clock.name for clock in running}) == len(running)
    assert all(clock.remind_at is None for clock in clocks if clock.stopped_at or clock.paused)
    # A date keeps its day: one that is taken up again after it is overdue from its start.
    assert all(c.started_at <= c.warn_at and (c.warn_at <= c.due_at or c.unit == "date") for c in clocks)
    stopped = ClockStop.objects.filter(clock__matter=matter, ended_at=None).count()
    assert stopped == sum(clock.paused for clock in running)
    assert matter.due_at == min((c.due_at for c in running if not c.paused), default=NEVER)
    assert matter.clock_paused == any(clock.paused for clock in running)
    assert (matter.closed_at is not None) == process.flow.states[matter.state].final
    owed = list(Timer.objects.filter(matter=matter, fired_at=None))
    for row in owed:
        rule = process.timers[row.name]
        if rule.clock:
            clock = next(clock for clock in running if clock.pk == row.clock_id)
            assert row.at == (None if clock.paused else clock.warn_at if rule.at_warn else clock.due_at)
        else:
            assert matter.state in rule.states
    if matter.closed_at:
        assert not running and not owed and not Part.objects.filter(matter=matter, done_at=None).exists()


def two_persons(lines: list[Entry], flow) -> None:
    """No line was written by a person who may not: the rule asked again of the bare history."""
    for n, line in enumerate(lines):
        step = flow.transitions.get(line.transition)
        for other in step.not_same_person_as if step else ():
            before = [one for one in lines[:n] if one.transition == other]
            if before and line.person_id is not None:
                assert before[-1].person_id != line.person_id, (line.title, before[-1].title)


def distances(flow) -> dict[str, int]:
    """How many steps each state is from an end."""
    found = {name: 0 for name, state in flow.states.items() if state.final}
    while True:
        more = {
            source: 1 + min(found[step.to] for step in flow.out_of(source) if step.to in found)
            for source in flow.states
            if source not in found and any(step.to in found for step in flow.out_of(source))
        }
        if not more:
            return found
        found |= more


def family(matter: Matter) -> list[Matter]:
    return [*Matter.objects.filter(parent=matter, closed_at=None).order_by("id"), matter]


def bring_to_an_end(town, people, matter: Matter, moment, dice) -> None:
    """Somebody can always end it: the nearest way to an end is open to one of those who are there."""
    for _ in range(LAST):
        moment += timedelta(hours=20)
        with at(moment):
            timers.fire_owed()
            drain()
            matter.refresh_from_db()
            if not matter.is_open:
                return
            for row in family(matter):
                near = distances(engine.process_of(row).flow)
                ways = [
                    (near.get(option.step.to or row.state, 99), n, actor, option.step)
                    for n, actor in enumerate(people)
                    for option in matters.transitions(row, actor)
                    if not option.blocked and option.step.to
                ]
                # First what leads on; what only another step makes possible (a guard on data) comes by chance.
                ways.sort(key=lambda way: (way[0], dice.random()))
                done = False
                for _, _, actor, step in ways:
                    try:
                        matters.step(
                            actor,
                            matter_id=row.pk,
                            transition=step.name,
                            data=filled(step, random.Random(1), town, row),
                        )
                        done = True
                        break
                    except Problem:
                        continue
                parts = Part.objects.filter(matter=row, done_at=None)
                for part in parts if row.is_open else ():
                    for actor in people:
                        for option in matters.transitions(row, actor, part):
                            if not option.blocked and option.step.to and not done:
                                try:
                                    matters.step(
                                        actor,
                                        matter_id=row.pk,
                                        transition=option.name,
                                        part_id=part.pk,
                                        data=filled(option.step, random.Random(1), town, row),
                                    )
                                    done = True
                                except Problem:
                                    continue
    raise AssertionError(f"{matter.kind} is stranded in {matter.state}")


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 20))])
@pytest.mark.parametrize("kind", KINDS)
def test_random_walks(town, kind, seed):
    dice = random.Random(f"{kind}{seed}")
    case, other = town.open(kind), town.open(kind)
    people = [town.who(unit, rank) for unit in town.district.units for rank in ("officer", "head")]
    # One stands in for the head of another unit, and is still the same person.
    people.append(town.district.deputy(town.who("督办室").person_id, town.who("督办室", "head").post_id))
    moment, done = shanghai(2022, 10, 20, 9), 0
    for _ in range(STEPS):
        moment += timedelta(hours=dice.choice([1, 2, 5, 20, 30, 90]))
        if not case.matter.is_open and dice.random() < 0.5:
            case = town.open(kind, when=f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}")
        with at(moment):
            if dice.random() < 0.6:
                timers.fire_owed()
                drain()
            row = dice.choice(family(case.matter))
            row.refresh_from_db()
            part = dice.choice([None, None, *Part.objects.filter(matter=row)])
            flow = engine.process_of(row).flow_of(part.kind if part else None)
            # Mostly somebody who may do something, else anybody anything, also what must be refused.
            for actor in dice.sample(people, 8):
                options = [one.name for one in matters.transitions(row, actor, part)]
                if options:
                    break
            if not options or dice.random() < 0.1:
                options = list(flow.transitions)
            name = dice.choice(options)
            try:
                matters.step(
                    actor,
                    matter_id=row.pk,
                    transition=name,
                    data=filled(flow.transitions[name], dice, town, row),
                    part_id=part.pk if part else None,
                )
                done += 1
            except Problem:
                pass
            for one in family(case.matter):
                check(one)
    assert done > 4, done
    bring_to_an_end(town, people, case.matter, moment, dice)
    for one in (case.matter, other.matter, *Matter.objects.filter(parent=case.matter)):
        check(one)
