"""A generated district is what the engine would have made: the same rules hold of every row."""

import json
from collections import Counter, defaultdict

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import override_settings

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.directory.models import Person, Post
from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters import clocks as counting
from liangzhu.beams.work.matters import engine, generators, policies, sights
from liangzhu.beams.work.matters import queries as matter_queries
from liangzhu.beams.work.matters.models import (
    ENDED_WITH_MATTER,
    NEVER,
    Clock,
    ClockExtension,
    ClockStop,
    Entry,
    Matter,
    Notice,
    Part,
    Party,
    Sight,
)
from liangzhu.beams.work.matters.policies import Attempt
from liangzhu.beams.work.matters.timers import recompute
from liangzhu.kernel import log, search
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.generating import MADE_UP, indexes
from liangzhu.kernel.models import LogLeaf, Series
from liangzhu.kernel.now import shanghai
from liangzhu.kernel.pack import pack
from liangzhu.kernel.refs import Ref
from liangzhu.pillars.programme.models import Extension, PlanTask, TaskHelper
from liangzhu.site import district
from liangzhu.site.loading import WrongKind

COUNT = 400

pytestmark = pytest.mark.django_db


# First, while nothing is generated yet.
def test_a_real_installation_is_refused(settings, tmp_path):
    settings.HOME, settings.LIANGZHU_DEMO_DATE = tmp_path, None
    directory.load_units(pack())
    with pytest.raises(WrongKind):
        _make()


@pytest.fixture(scope="module")
def made(django_db_setup, django_db_blocker, tmp_path_factory):
    """One district for the whole module, rolled back at its end."""
    home = tmp_path_factory.mktemp("district")
    with (
        django_db_blocker.unblock(),
        override_settings(HOME=home, LIANGZHU_DEMO_DATE=None),
        pytest.MonkeyPatch.context() as patch,
        transaction.atomic(),
    ):
        # Several batches, so that numbers and keys are carried on from one to the next.
        patch.setattr(generators, "BATCH", 200)
        said = []
        district.make(people=20_000, number=COUNT, seed=7, add=False, say=said.append)
        yield said
        transaction.set_rollback(True)


@pytest.fixture
def walks(made):
    """Every matter with its process and history."""
    entries = defaultdict(list)
    for row in Entry.objects.order_by("id"):
        entries[row.matter_id].append(row)
    return [(row, engine.process_of(row), entries[row.pk]) for row in Matter.objects.all()]


def _paths(walks):
    """(flow, row that moves, its lines) of matters and parts."""
    for matter, process, entries in walks:
        yield process.flow, matter, [row for row in entries if row.part_id is None]
        for part in Part.objects.filter(matter=matter):
            yield process.parts[part.kind], part, [row for row in entries if row.part_id == part.pk]


def test_it_has_exactly_the_matters_that_were_asked_for_and_says_how_fast(made):
    assert Matter.objects.count() == COUNT
    assert "每秒" in made[-1]
    assert not (settings.HOME / "make-district.json").exists()


def test_keys_point_somewhere(made):
    connection.check_constraints()


def test_numbers_are_unique_and_the_series_go_on_after_them(made):
    last = Counter()
    for number in Matter.objects.values_list("number", flat=True):
        initials, year, count = number.split("-")
        last[f"matter:{initials}", int(year)] = max(last[f"matter:{initials}", int(year)], int(count))
    assert dict(last) == {
        (row.name, row.year): row.last for row in Series.objects.filter(name__startswith="matter:")
    }


def test_every_state_is_reached_by_steps_of_the_process(walks):
    for flow, row, lines in _paths(walks):
        state = flow.initial
        for line in lines:
            if line.transition == "open":
                assert line.to_state == state
                continue
            assert line.from_state == state, (row, line.transition)
            if not line.transition.startswith("matters."):
                step = flow.transitions[line.transition]
                assert state in step.sources and line.to_state == (step.to or state)
            state = line.to_state
        assert row.state == state


def test_versions_count_the_lines_and_time_runs_forward(walks):
    for _, row, lines in _paths(walks):
        first = 1 if isinstance(row, Matter) else 2
        assert [line.version for line in lines] == list(range(first, first + len(lines)))
        assert row.version == (lines[-1].version if lines else 1)
    for matter, _, entries in walks:
        moments = [row.at for row in entries]
        assert moments == sorted(moments)
        assert moments[0] == matter.opened_at


def test_a_matter_is_closed_when_its_state_is_final_and_what_ran_beside_it_ended(walks):
    for matter, process, entries in walks:
        final = process.flow.states[matter.state].final
        assert final == (matter.closed_at is not None)
        parts = Part.objects.filter(matter=matter)
        if final:
            assert matter.closed_at == entries[-1].at
            assert not Clock.objects.filter(matter=matter, stopped_at=None).exists()
            assert not parts.filter(done_at=None).exists()
        for part in parts:
            ended = process.parts[part.kind].states[part.state].final
            assert ended or part.done_at is None or part.result == ENDED_WITH_MATTER


def test_those_who_acted_were_allowed_to_and_never_checked_themselves(walks):
    staff = {}
    acted = [Ref.parse(ref) for ref in Entry.objects.values_list("actor_ref", flat=True).distinct()]
    for account in access.Account.objects.filter(pk__in=[ref.id for ref in acted if ref.kind == "account"]):
        for view in directory.posts_open_to(account.person_id)[:1]:
            staff[str(account.ref)] = directory.staff(account.person_id, view.id, account.ref)
    for matter, process, entries in walks:
        parties = dict(Party.objects.filter(matter=matter).values_list("name", "unit_id"))
        parts = {part.pk: part for part in Part.objects.filter(matter=matter)}
        latest = {}
        for line in entries:
            part = parts.get(line.part_id)
            flow = process.flow_of(part.kind if part else None)
            step = flow.transitions.get(line.transition)
            # Applicants, and what ends because another thing ended, hold no post.
            if step and Ref.parse(line.actor_ref).kind == "account":
                actor = staff[line.actor_ref]
                # The demonstration's own people may act under a second post.
                if actor.unit_id == line.unit_id:
                    assert policies.step(actor, Attempt(matter, step, parties, part)), (
                        line.transition,
                        actor,
                    )
                for other in step.not_same_person_as:
                    assert latest.get(other) != line.person_id
            latest[line.transition] = line.person_id


def test_clocks_end_where_their_stops_and_extensions_say(made):
    calendar = counting.work_calendar(fresh=True)
    stops, extensions = ClockStop.objects, ClockExtension.objects
    for row in Clock.objects.select_related("matter"):
        rule = engine.process_of(row.matter).clocks[row.name]
        own = list(extensions.filter(clock=row).order_by("id"))
        if row.unit == "date":
            assert counting.ends_with_day(row.due_at)
        else:
            held = [
                (one.begun_at, one.ended_at) for one in stops.filter(clock=row).order_by("id") if one.ended_at
            ]
            amount = row.amount + sum(one.amount for one in own)
            found = counting.end(row.unit, amount, row.started_at, held, calendar)
            assert (row.due_at, row.provisional) == (found.due_at, found.provisional)
        if own:
            stopped_since = stops.filter(clock=row, begun_at__gte=own[-1].at).exists()
            assert own[-1].new_due == row.due_at or (stopped_since and own[-1].new_due < row.due_at)
            assert own[0].old_due < own[0].new_due
        assert row.warn_at == counting.warning(rule, row.started_at, row.due_at, calendar)
        assert row.paused == stops.filter(clock=row, ended_at=None).exists()
        assert row.stopped_at is None or row.remind_at is None


def test_columns_are_what_the_clocks_say(made):
    for matter in Matter.objects.all():
        live = list(Clock.objects.filter(matter=matter, stopped_at=None))
        running = [row for row in live if not row.paused]
        assert matter.due_at == min((row.due_at for row in running), default=NEVER)
        assert matter.warn_at == min((row.warn_at for row in running), default=None)
        assert matter.timed_from == min((row.started_at for row in running), default=None)
        for kind in ("promised", "legal"):
            ends = [row.due_at for row in running if row.kind == kind]
            assert getattr(matter, f"{kind}_at") == min(ends, default=None)
        assert matter.clock_paused == any(row.paused for row in live)
        rules = engine.process_of(matter).clocks
        ended = Clock.objects.filter(matter=matter).exclude(stopped_at=None)
        left = 0
        for row in (row for row in ended if not rules[row.name].of):
            begun = ClockStop.objects.filter(clock=row, ended_at=row.stopped_at).values_list(
                "begun_at", flat=True
            )
            late = (begun[0] if begun else row.stopped_at) >= row.due_at
            left = max(left, (3 if row.kind == "legal" else 2) if late else 1)
        assert matter.overran == left


def test_sights_and_search_are_what_a_rebuild_makes(made):
    columns = ("matter", "unit", "kind", "due_at", "closed_at", "helping")
    before = set(Sight.objects.values_list(*columns))
    matter = Matter.objects.order_by("id")[COUNT // 2]
    found = [hit.ident for hit in search.find(matter.number, kind="matter")]
    assert found == [matter.pk]
    every = search.find("季度", kind="matter", limit=COUNT)
    held = search.find("季度", kind="matter", all_of=["open"], limit=COUNT)
    sights.rebuild()
    assert set(Sight.objects.values_list(*columns)) == before
    assert [hit.ident for hit in search.find("季度", kind="matter", limit=COUNT)] == [
        hit.ident for hit in every
    ]
    again_held = search.find("季度", kind="matter", all_of=["open"], limit=COUNT)
    assert [hit.ident for hit in again_held] == [hit.ident for hit in held]
    assert 0 < len(held) < len(every)


def test_counting_again_moves_nothing(made):
    for matter in Matter.objects.filter(closed_at=None):
        before = {name: getattr(matter, name) for name in ("due_at", "warn_at", "promised_at", "version")}
        after = recompute(SYSTEM, matter_id=matter.pk)
        assert before == {name: getattr(after, name) for name in before}


def test_every_line_has_its_leaf_and_every_leaf_holds(made):
    named = set()
    for leaf in LogLeaf.objects.select_related("detail"):
        assert log.holds(leaf)
        entry = json.loads(leaf.detail.body).get("entry")
        if entry:
            named.add((leaf.subject, entry, leaf.at))
    assert {(f"matter:{row.matter_id}", row.pk, row.at) for row in Entry.objects.all()} <= named


def test_the_shares_are_believable(made):
    last = Matter.objects.filter(closed_at=None)
    assert 0.03 < last.count() / COUNT < 0.4
    overdue = sum(row.due_at < district_end() for row in last)
    assert 0 < overdue < last.count() / 2
    closed = Counter(Matter.objects.exclude(closed_at=None).values_list("overran", flat=True))
    assert closed[Matter.IN_TIME] > closed[Matter.BEYOND_PROMISE] > 0
    opened = [counting.local_day(row) for row in Matter.objects.values_list("opened_at", flat=True)]
    assert len({day.year for day in opened}) >= 4
    calendar = counting.work_calendar()
    assert sum(bool(calendar.is_workday(day)) for day in opened) > 0.95 * COUNT
    assert Extension.objects.exists() and TaskHelper.objects.exists() and Notice.objects.exists()
    assert ClockExtension.objects.exists() and ClockStop.objects.exists()


def district_end():
    day = settings.LIANGZHU_DEMO_DATE
    return shanghai(day.year, day.month, day.day, 17, 30)


def test_names_say_that_they_are_made_up(made):
    pack_people = {row["name"] for row in pack().toml("accounts.toml")["person"]}
    names = set(Person.objects.values_list("name", flat=True))
    assert all(name.endswith(MADE_UP) for name in names - pack_people)


def test_the_work_goes_on_with_the_ordinary_actions(made):
    officers = Post.objects.filter(roles__role="matters.officer", key__startswith="gen.")
    waiting = Matter.objects.filter(kind="plan_task", state="working", assignee=None)
    matter = waiting.filter(holding_unit__in=officers.values("unit")).first()
    account = access.Account.objects.filter(
        person__holdings__post__in=officers.filter(unit=matter.holding_unit_id)
    ).first()
    actor = access.actor_of(account.username)
    assert "report_progress" in [option.name for option in matters.transitions(matter, actor)]
    data = {"progress": "又有进展"}
    done = matters.step(
        actor, matter_id=matter.pk, transition="report_progress", version=matter.version, data=data
    )
    assert done.version == matter.version + 1
    assert matter_queries.history(actor, done)


def test_each_task_has_its_matter(made):
    tasks = PlanTask.objects.exclude(matter=None).select_related("matter", "document")
    assert tasks.count() == Matter.objects.filter(kind="plan_task").count()
    for task in tasks:
        assert task.matter.title == f"{task.article_no}. {task.title}"
        assert task.document.demo
        ends = Clock.objects.filter(matter=task.matter, name="task").values_list("due_at", flat=True)
        assert all(counting.last_day(end) == task.due_on for end in ends)


# Making it ------------------------------------------------------------------------------------------------------------


class Interrupted(Exception):
    pass


def _make(**wish):
    district.make(**{"people": 3000, "number": 60, "seed": 3, "add": True, "say": lambda line: None} | wish)


def test_who_is_interrupted_goes_on_and_gets_the_same_rows(made, monkeypatch):
    monkeypatch.setattr(generators, "BATCH", 20)
    monkeypatch.setattr(generators, "MANY", 40)  # without indexes, as a large one
    there = _index_names()
    with transaction.atomic():
        _make()
        whole = _lines()
        assert _index_names() == there
        transaction.set_rollback(True)
    done = []

    real = generators.generate_batch

    def falters(actor, **given):
        if len(done) == 2:
            raise Interrupted
        done.append(1)
        return real(actor, **given)

    monkeypatch.setattr(generators, "generate_batch", falters)
    with pytest.raises(Interrupted):
        _make()
    assert Matter.objects.count() == COUNT + 40 and _index_names() != there
    with pytest.raises(district.NotEmpty, match="seed=3"):
        _make(seed=4)
    monkeypatch.setattr(generators, "generate_batch", real)
    _make()
    assert _lines() == whole
    assert _index_names() == there


def _lines():
    # The ciphertext is another in every run; what it says is not.
    matters_of = [
        (row.pk, row.number, row.state, row.title, row.version, row.due_at)
        for row in Matter.objects.order_by("pk")
    ]
    return matters_of, list(
        Entry.objects.order_by("pk").values_list("matter", "at", "transition", "actor_label")
    )


def _index_names():
    return {name for name, _ in indexes([Matter._meta.db_table, Entry._meta.db_table])}


def test_another_seed_makes_another_district(made):
    def titles(seed):
        with transaction.atomic():
            _make(number=25, seed=seed)
            found = [(row.title, row.state, row.due_at) for row in Matter.objects.order_by("pk")]
            transaction.set_rollback(True)
        return found

    first = titles(5)
    assert first == titles(5)
    assert first != titles(6)


def test_a_target_with_matters_is_refused_unless_told(made):
    with pytest.raises(district.NotEmpty, match=f"{COUNT} 件"):
        _make(add=False)
    _make(number=10)
    assert Matter.objects.count() == COUNT + 10
