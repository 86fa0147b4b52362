"""Generating matters of every registered kind: each walks its own process from opening to end, or to where it stands.

A walk keeps to what `engine` and `change` do, without the database: the same states, holders, clocks, parts, lines of
history and leaves. What a kind has of its own is told by a `Recipe`, which the app that owns the kind registers in its
`generators.py`; without one a kind gets units, titles and answers that fit its process. A step with a guard or effect
that nobody explained is not taken.
"""

import random
import time as machine
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from django.core.files.uploadedfile import SimpleUploadedFile

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.files import api as attachments
from liangzhu.beams.work.matters import clocks as counting
from liangzhu.beams.work.matters import policies, sights
from liangzhu.beams.work.matters.kinds import Kind, all_kinds
from liangzhu.beams.work.matters.models import (
    ENDED_WITH_MATTER,
    NEVER,
    Answer,
    Clock,
    ClockExtension,
    ClockStop,
    Comment,
    Entry,
    Matter,
    Notice,
    Part,
    Party,
    Sight,
)
from liangzhu.beams.work.matters.process import (
    EVERY,
    OPENING,
    ClockRule,
    Flow,
    Process,
    Transition,
    Use,
    Who,
    in_force,
)
from liangzhu.kernel import generating, search
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.generating import Book, District, generator
from liangzhu.kernel.log import canonical, sm3
from liangzhu.kernel.models import LogDetail, LogLeaf, Series
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.workdays import WorkCalendar

BATCH = 2000
"""Matters in one transaction."""

MANY = 20_000
"""From so many matters on the indexes are left out while the tables are filled."""

LONGEST = 40
"""Steps after which a matter goes straight to its end."""


class Hand(NamedTuple):
    """A member of staff at a post, as history keeps it."""

    ref: str
    label: str
    person_id: int
    post_id: int
    unit_id: int
    roles: frozenset[str]
    is_head: bool


SYSTEM_HAND = Hand(str(SYSTEM.ref), SYSTEM.label, None, None, None, frozenset(), False)


@dataclass
class Opening:
    """How a matter begins: what `engine.open_matter` is told. ``action`` is the one that opens such matters."""

    title: str
    parties: dict[str, int]
    holding_unit_id: int
    actor: Hand
    action: str = "matters.open"
    applicant: str = ""
    applicant_label: str = ""
    due_on: date | None = None
    urgency: int = 0
    place: str = ""
    opening: str = "登记"


class Recipe:
    """What the owner of a kind adds to the walk. ``share`` is its part of all matters that open by themselves.

    ``guards`` are those that the answers of this recipe satisfy; ``effects`` maps names to
    ``fn(walk, params, values)``.
    """

    kind: str = ""
    share: float = 1.0
    guards: frozenset[str] = frozenset()
    effects: dict[str, Callable] = {}

    def number(self, kind: Kind, year: int, count: int) -> str:
        """The number of the ``count``-th matter of a year. Kinds with numbers of their own say how they are made."""
        return f"{kind.initials}-{year}-{count:04d}"

    def open(self, maker: "Maker", process: Process, at: datetime) -> Opening:
        """How the next matter of this kind begins."""
        parties = {name: maker.unit().id for name in process.parties}
        turn = process.flow.states[process.flow.initial].turn
        holder = parties.get(turn) or next(iter(parties.values()), None) or maker.unit().id
        topic = maker.rng.choice(TOPICS)
        return Opening(
            title=f"{maker.names[holder]}：{topic}",
            parties=parties,
            holding_unit_id=holder,
            actor=maker.rng.choice(maker.cast.of(holder) or [SYSTEM_HAND]),
            due_on=counting.local_day(at) + timedelta(days=maker.rng.randint(15, 180)),
        )

    def begun(self, walk: "Walk") -> None:
        """Right after opening: rows of the kind's own, parts."""

    def after(self, walk: "Walk", step: Transition) -> None:
        """After each step of the matter itself."""

    def ended(self, walk: "Walk") -> None:
        """When the walk is over, whether or not the matter is."""

    def answers(self, walk: "Walk", step: Transition, values: dict[str, Any]) -> dict[str, Any] | None:
        """The answers to a step, from those that were made up; None when it cannot be done."""
        return values


_recipes: dict[str, type[Recipe]] = {}


def generates(recipe: type[Recipe]) -> type[Recipe]:
    """Register the recipe of a kind; each run makes one of it. Raises ValueError when the kind has one."""
    if recipe.kind in _recipes and _recipes[recipe.kind].__qualname__ != recipe.__qualname__:
        raise ValueError(f"kind {recipe.kind} has two recipes")
    _recipes[recipe.kind] = recipe
    return recipe


TOPICS = (
    "排查整治背街小巷环境",
    "更新政务服务事项办事指南",
    "核对部门数据目录",
    "检查办公区消防设施",
    "整理历史档案并数字化",
    "走访辖区企业并收集诉求",
    "推进老旧小区改造前期工作",
    "开展网络安全自查",
    "落实河道保洁责任",
    "汇总季度经济运行情况",
    "优化窗口排队叫号",
    "公示行政许可结果",
    "修订应急预案",
    "复核低保对象信息",
    "组织业务培训",
)
REMARKS = (
    "已联系对方单位，约定本周内回复。",
    "材料基本齐全，还差一份盖章件。",
    "现场看过，与报送情况一致。",
    "涉及两个科室，由综合科牵头。",
    "请注意时限，节前要有结果。",
    "数据口径已与统计部门核对。",
)
TEXTS = (
    "已按要求完成，材料附后。",
    "已召集相关科室研究，明确了责任人和完成时间。",
    "前期调研结束，正在起草方案，下一步征求意见。",
    "经核查，情况属实，已落实整改。",
    "因涉及多个单位，需要进一步协调，计划下周召开协调会。",
    "已完成系统对接测试，问题清单逐项销号。",
)
SAMPLE = "演示材料"
EVIDENCE = ("现场照片说明", "会议纪要", "验收单", "整改前后对照表", "台账摘录", "测试记录", "公示截图说明")


class Cast:
    """Who there is to act, by unit and role."""

    def __init__(self):
        accounts = dict(access.Account.objects.values_list("person_id", "id"))
        self.by_unit: dict[int, list[Hand]] = {}
        self.all: list[Hand] = []
        for view in sorted(directory.posts(), key=lambda view: view.id):
            if view.person_id in accounts:
                hand = Hand(
                    f"account:{accounts[view.person_id]}",
                    f"{view.person_name} · {view.title}",
                    view.person_id,
                    view.id,
                    view.unit_id,
                    view.roles,
                    view.is_head,
                )
                self.by_unit.setdefault(view.unit_id, []).append(hand)
                self.all.append(hand)
        self._known: dict[tuple, list[Hand]] = {}

    def of(self, unit_id: int, *roles: str) -> list[Hand]:
        """The hands of a unit, those with one of the roles when roles are named."""
        return self.able(Who(roles=roles), unit_id)

    def anywhere(self, *roles: str) -> list[Hand]:
        """Everybody with one of the roles."""
        return self.able(Who(roles=roles), None)

    def able(self, who: Who, unit_id: int | None) -> list[Hand]:
        """Everybody whom an alternative of a process means, at that unit or (None) anywhere."""
        key = (who.roles, who.head, unit_id)
        if key not in self._known:
            pool = self.all if unit_id is None else self.by_unit.get(unit_id, [])
            self._known[key] = [
                hand
                for hand in pool
                if (hand.is_head or not who.head) and (not who.roles or not hand.roles.isdisjoint(who.roles))
            ]
        return self._known[key]


class Times:
    """When people work: the days and hours of a district, with its seasons."""

    MONTHS = (0, 8, 5, 9, 9, 9, 10, 9, 8, 10, 8, 11, 12)
    """How much is begun in a month, against the others: little around the Spring Festival, much before the year ends."""

    def __init__(self, first: datetime, last: datetime, calendar: WorkCalendar):
        self.calendar = calendar
        self.last = last
        day, end = counting.local_day(first), counting.local_day(last)
        self.days: list[date] = []
        self.upto: list[float] = []
        weight, length = 0.0, max((end - day).days, 1)
        for passed in range((end - day).days + 1):
            here = day + timedelta(days=passed)
            # A district takes to the program year by year; on days off little is begun.
            share = self.MONTHS[here.month] * (0.5 + passed / length)
            weight += share if calendar.is_workday(here) else share * 0.03
            self.days.append(here)
            self.upto.append(weight)
        self._next: dict[date, date] = {}
        self._start: dict[date, datetime] = {}

    def opening(self, share: float, rng: random.Random) -> datetime:
        """The moment before which that share of everything was begun; a little earlier than the end of the last day."""
        place = min(bisect_left(self.upto, share * self.upto[-1]), len(self.days) - 1)
        return min(self._at(self.days[place], rng), self.last - timedelta(minutes=rng.randint(1, 90)))

    def start(self, day: date) -> datetime:
        """0:00 of a day, kept."""
        found = self._start.get(day)
        if found is None:
            found = self._start[day] = counting.start_of(day)
        return found

    def _at(self, day: date, rng: random.Random) -> datetime:
        """Some working moment of a day: most between nine and twelve, and between two and half past five."""
        if rng.random() < 0.55:
            minutes = 540 + 180 * rng.betavariate(2, 2)
        elif rng.random() < 0.9:
            minutes = 840 + 210 * rng.betavariate(2, 2.4)
        else:
            minutes = 450 + 840 * rng.random()
        return self.start(day) + timedelta(seconds=int(minutes * 60))

    def working(self, wanted: datetime, after: datetime, rng: random.Random) -> datetime:
        """A working moment near the wanted one, later than ``after``."""
        day = counting.local_day(wanted)
        found = self._next.get(day)
        if found is None:
            found = self._next[day] = (
                day if self.calendar.is_workday(day) else self.calendar.next_workday(day)
            )
        moment = self._at(found, rng)
        return moment if moment > after else after + timedelta(seconds=rng.randint(120, 5400))


class Run:
    """A clock of a walk, as `models.Clock` with its stretches and extensions."""

    __slots__ = ("due", "extra", "id", "paused", "provisional", "rule", "started", "stopped", "stops", "warn")

    def __init__(self, ident: int, rule: ClockRule, started: datetime):
        self.id, self.rule, self.started = ident, rule, started
        self.due = self.warn = self.stopped = None
        self.provisional = self.paused = False
        self.stops: list[list] = []
        self.extra: list[dict] = []


class PartRun:
    """A part of a walk, as `models.Part`, and the step it takes next."""

    __slots__ = (
        "done",
        "due",
        "flow",
        "id",
        "moment",
        "next",
        "opened",
        "result",
        "state",
        "title",
        "unit",
        "version",
    )

    def __init__(self, ident: int, flow: Flow, unit: int, title: str, opened: datetime, due: datetime | None):
        self.id, self.flow, self.unit, self.title = ident, flow, unit, title
        self.opened, self.due, self.state, self.version = opened, due, flow.initial, 1
        self.done = self.moment = self.next = None
        self.result = ""


class Maker:
    """What all walks share: the cast, the times, the sheets."""

    def __init__(self, district: District):
        self.district = district
        self.rng = district.random("maker")
        self.calendar = WorkCalendar(dict(counting.work_calendar(fresh=True).overrides))
        # A million walks ask for the same few thousand days.
        for name in ("add", "between"):
            setattr(self.calendar, name, _kept(getattr(self.calendar, name)))
        self.times = Times(district.first, district.last, self.calendar)
        self.cast = Cast()
        self.units = [unit for unit in directory.units().all() if self.cast.of(unit.id, "matters.officer")]
        if not self.units:
            raise RuntimeError("a district needs staff before it has matters")
        rng = district.random("units")
        # Some units have much more to do than others.
        self._busy = list(accumulate(min(rng.paretovariate(1.2), 12) for _ in self.units))
        self.names = {unit.id: unit.name for unit in directory.units().all()}
        self.called = {unit.id: {unit.name: None, unit.short: None} for unit in directory.units().all()}
        self.docs: list[search.Doc] = []
        self.kinds = all_kinds()
        self.recipes = {key: _recipes.get(key, Recipe)() for key in self.kinds}
        self.processes: dict[str, tuple[int, Process]] = {}
        for key, kind in self.kinds.items():
            if kind.number and type(self.recipes[key]).number is Recipe.number:
                raise RuntimeError(f"kind {key} makes its own numbers: its recipe must say how")
            release, process = in_force(kind.process)
            self.processes[key] = (release.pk, process)
        self.counts = {
            (row.name, row.year): row.last for row in Series.objects.filter(name__startswith="matter:")
        }
        self.book = Book(self.rng)
        self.made = 0
        self.files = [row for row in _samples() if not row.subject]
        self._ends: dict[tuple, counting.End] = {}

    def seed(self, name: object) -> None:
        """Begin anew with a chance of its own, so that a run that was interrupted goes on with the same rows."""
        self.rng = self.book.rng = self.district.random("matters", name)

    def unit(self) -> directory.UnitView:
        """A unit with work of its own, busy ones more often."""
        return self.rng.choices(self.units, cum_weights=self._busy)[0]

    def number(self, kind: Kind, at: datetime) -> str:
        """The next number of a kind."""
        year = counting.local_day(at).year
        key = (f"matter:{kind.initials}", year)
        self.counts[key] = self.counts.get(key, 0) + 1
        return self.recipes[kind.key].number(kind, year, self.counts[key])

    def end(self, rule: ClockRule, amount: int, started: datetime, stops: list) -> counting.End:
        """The end of a clock; those without a stop are kept by their day."""
        if stops or rule.unit == "hour":
            return counting.end(rule.unit, amount, started, stops, self.calendar)
        key = (rule.unit, amount, counting.local_day(started))
        if key not in self._ends:
            self._ends[key] = counting.end(rule.unit, amount, started, [], self.calendar)
        return self._ends[key]

    def evidence(self, walk: "Walk", hand: Hand) -> tuple[int, str]:
        """A file of the walk's matter (its content is shared by many); returns its id and fingerprint."""
        shared = self.rng.choice(self.files)
        number = self.book[attachments.Attachment].add(
            fingerprint=shared.fingerprint,
            size=shared.size,
            media_type=shared.media_type,
            name=shared.name,
            path=shared.path,
            content_key=shared.content_key,
            uploaded_by=hand.ref,
            uploaded_at=walk.at,
            subject=f"matter:{walk.id}",
        )
        return number, shared.fingerprint


def _kept(fn: Callable) -> Callable:
    known: dict = {}

    def run(*key):
        if key not in known:
            known[key] = fn(*key)
        return known[key]

    return run


class Walk:
    """One matter on its way, in memory."""

    def __init__(self, maker: Maker, kind: str, at: datetime, opening: Opening, parent: "Walk | None" = None):
        self.maker, self.kind, self.at = maker, maker.kinds[kind], at
        self.rng, self.book, self.recipe = maker.rng, maker.book, maker.recipes[kind]
        self.release_id, self.process = maker.processes[kind]
        self.id = self.book[Matter].new_id()
        self.parent = parent
        self.title, self.place = opening.title[:200], opening.place
        self.applicant, self.applicant_label = opening.applicant, opening.applicant_label
        self.urgency = opening.urgency
        self.number = maker.number(self.kind, at)
        self.state = self.process.flow.initial
        self.parties = dict(opening.parties)
        self.unit, self.assignee = opening.holding_unit_id, None
        self.opened = at
        self.closed: datetime | None = None
        self.version = 0
        self.overran = Matter.UNTIMED
        self.running: list[Run] = []
        self.clocks: list[Run] = []
        self.parts: list[PartRun] = []
        self.said: list[str] = []
        self.words: list[str] = []
        self.steps = 0
        self.waits = False
        """Nothing more is done: something outside has to come first."""
        self.own: Any = None
        """What the recipe keeps."""
        self.lazy = self.rng.random() < 0.02
        self.doers: dict[tuple, int] = {}
        self.actor, self.action = opening.actor, opening.action
        maker.made += 1
        dated = self.process.opening_date_clock()
        due_on = opening.due_on if dated else None
        for clock in self.process.clocks.values():
            if clock.at_open and (clock.unit != "date" or due_on is not None):
                self.start(clock.name, due_on if clock is dated else None)
        entry = self.entry(OPENING, opening.opening, "", self.state)
        self.log(entry=entry, kind=kind, release=self.release_id, unit=self.unit, due=due_on)
        self.recipe.begun(self)
        self._assign()

    # -- as Change does it ----------------------------------------------------------------------------------

    def log(self, **details) -> None:
        """A leaf about the matter, by whoever acts now."""
        self.leaf(f"matter:{self.id}", **details)

    def leaf(self, subject: str, **details) -> None:
        """A leaf about something else of the same action."""
        behalf = f"unit:{self.actor.unit_id}" if self.actor.unit_id else ""
        self.book.leaf(self.at, self.actor.ref, behalf, self.action, subject, details)

    def entry(
        self,
        transition: str,
        title: str,
        before: str,
        after: str,
        note: str = "",
        answer: int | None = None,
        part: PartRun | None = None,
    ) -> int:
        """A line of history; counts the version. Returns its id."""
        if part is None:
            self.version += 1
        else:
            part.version += 1
        note = "\n".join(text for text in (note, *self.said) if text)
        if note:
            self.words.append(note)
        number = self.book[Entry].add(
            matter_id=self.id,
            part_id=part.id if part else None,
            at=self.at,
            actor_ref=self.actor.ref,
            actor_label=self.actor.label[:120],
            person_id=self.actor.person_id,
            unit_id=self.actor.unit_id,
            transition=transition,
            title=title[:120],
            from_state=before,
            to_state=after,
            note=note,
            answer_id=answer,
            version=self.version if part is None else part.version,
        )
        self.said = []
        self.doers[transition, part.id if part else None] = self.actor.person_id
        return number

    def alone(self, transition: str, title: str, note: str = "") -> None:
        """A line and a leaf of the engine's own, outside a step."""
        entry = self.entry(transition, title, self.state, self.state, note)
        self.log(entry=entry, transition=transition, version=self.version)

    def hand_to(self, unit_id: int) -> None:
        """Let a unit hold the matter."""
        if unit_id != self.unit:
            self.unit, self.assignee = unit_id, None
            self.said.append(f"转{self.maker.names[unit_id]}办理")

    def clock(self, name: str) -> Run | None:
        """The clock of that name that has not ended."""
        return next((run for run in self.running if run.rule.name == name), None)

    def start(self, name: str, due_on: date | None = None) -> None:
        """Start a clock unless it runs."""
        if self.clock(name):
            return
        rule = self.process.clocks[name]
        run = Run(self.book[Clock].new_id(), rule, self.at)
        if rule.unit == "date":
            before = next((old for old in reversed(self.clocks) if old.rule.name == name), None)
            run.due = counting.end_of(due_on) if due_on else before.due
        else:
            found = self.maker.end(rule, rule.amount, self.at, [])
            run.due, run.provisional = found.due_at, found.provisional
        run.warn = counting.warning(rule, run.started, run.due, self.maker.calendar)
        self.running.append(run)
        self.clocks.append(run)

    def stop(self, names: tuple[str, ...]) -> None:
        """End clocks for good."""
        for run in [run for run in self.running if EVERY in names or run.rule.name in names]:
            held = run.stops[-1] if run.paused else None
            left = Matter.IN_TIME
            if (held[0] if held else self.at) >= run.due:
                left = Matter.BEYOND_LAW if run.rule.kind == Clock.LEGAL else Matter.BEYOND_PROMISE
            self.overran = max(self.overran, left)
            if held:
                held[1] = self.at
            run.stopped, run.paused = self.at, False
            self.running.remove(run)

    def suspend(self, name: str, reason: str) -> None:
        """Let a clock stand still."""
        run = self.clock(name)
        if run and not run.paused:
            run.stops.append([self.at, None, reason[:500]])
            run.paused = True

    def resume(self, name: str) -> None:
        """Let a clock go on."""
        run = self.clock(name)
        if run and run.paused:
            run.stops[-1][1] = self.at
            run.paused = False
            self._count(run)

    def extend(self, name: str, *, amount: int = 0, new_due_on: date | None = None, reason: str) -> None:
        """Let a clock end later."""
        run = self.clock(name)
        old = run.due
        row = {
            "amount": amount,
            "old_due": old,
            "reason": reason[:500],
            "by": self.actor.label,
            "at": self.at,
        }
        run.extra.append(row)
        if run.rule.unit == "date":
            run.due = counting.end_of(new_due_on)
        self._count(run)
        row["new_due"] = run.due
        first, last = counting.last_day(old), counting.last_day(run.due)
        self.said.append(f"{run.rule.title}由 {first:%Y-%m-%d} 延至 {last:%Y-%m-%d}：{reason}")

    def _count(self, run: Run) -> None:
        if run.rule.unit != "date":
            amount = run.rule.amount + sum(row["amount"] for row in run.extra)
            stops = [(begun, ended) for begun, ended, _ in run.stops if ended]
            found = self.maker.end(run.rule, amount, run.started, stops)
            run.due, run.provisional = found.due_at, found.provisional
        run.warn = counting.warning(run.rule, run.started, run.due, self.maker.calendar)

    def add_part(self, kind: str, unit_id: int, title: str, due: datetime | None = None) -> PartRun:
        """Ask a unit for parallel work, with a line of its own."""
        flow = self.process.parts[kind]
        if due is None and flow.due:
            unit, amount = flow.due
            due = counting.end(unit, amount, self.at, [], self.maker.calendar).due_at
        part = PartRun(self.book[Part].new_id(), flow, unit_id, title[:200], self.at, due)
        self.parts.append(part)
        self._plan(part)
        self.said.append(f"{flow.title}：{self.maker.names[unit_id]}")
        return part

    def move_parts(self, kind: str, due: datetime) -> int:
        """Let the open parts of a kind end at another instant; returns how many moved."""
        rows = [part for part in self.parts if part.flow.name == kind and not part.done and part.due != due]
        for part in rows:
            part.due = due
        return len(rows)

    # -- the walk -------------------------------------------------------------------------------------------

    def live(self) -> None:
        """Go on until the matter ends, nobody can do anything, or the district's last moment is there."""
        last = self.maker.times.last
        while self.closed is None and not self.waits:
            step, hand = self._choose(self.process.flow, self.state, None)
            if step is None:
                break
            moment = self._when(step)
            self.work_on_parts(min(moment, last))
            if moment >= last:
                break
            self.at = max(self.at, moment)
            self.take(step, hand)
            if self.closed is None:
                self.recipe.after(self, step)
                if self.rng.random() < 0.06:
                    self._remark()
        if self.closed is None:
            self.work_on_parts(last)
        self._close()

    def _choose(self, flow: Flow, state: str, part: PartRun | None) -> tuple[Transition | None, Hand | None]:
        """The next step, most often the one that leads on, and who does it."""
        steps, weights = [], []
        for step in flow.out_of(state):
            weight = self._weight(flow, state, step)
            if weight and all(map(self._passes, step.guards)) and all(map(self._knows, step.effects)):
                steps.append(step)
                weights.append(weight)
        while steps:
            step = steps[0] if len(steps) == 1 else self.rng.choices(steps, weights)[0]
            hand = self._hand(step, part)
            if hand:
                return step, hand
            place = steps.index(step)
            del steps[place], weights[place]
        return None, None

    def _weight(self, flow: Flow, state: str, step: Transition) -> float:
        here, to = flow.states[state], flow.states[step.to or state]
        onward = sorted(
            flow.states[other.to].order
            for other in flow.out_of(state)
            if other.to and flow.states[other.to].order and flow.states[other.to].order > (here.order or 0)
        )
        if to.order and onward and to.order == onward[0] and to is not here:
            return 1.0
        if self.steps > LONGEST:
            return 1.0 if to.final else 0.0
        if to is here:
            return 0.5 if self.steps < 12 else 0.0
        if to.final and not onward:
            return 1.0
        if to.order and here.order and to.order < here.order:
            return 0.14
        return 0.05 if flow.name == "" or to.final is False else 0.3

    def _passes(self, use: Use) -> bool:
        if use.name == "parts_finished":
            kind = use.params.get("part")
            return all(part.done for part in self.parts if kind in (None, part.flow.name))
        if use.name == "children_closed":
            return True
        return use.name in self.recipe.guards

    def _knows(self, use: Use) -> bool:
        if use.name == "extend_clock" and self.clock(use.params["clock"]) is None:
            return False
        return use.name in self.recipe.effects or use.name in KNOWN_EFFECTS

    def _hand(self, step: Transition, part: PartRun | None) -> Hand | None:
        """Somebody whom the process lets do the step, the officers rather than the heads."""
        barred = set()
        for name in step.not_same_person_as:
            for key in ((name, None), (name, part.id if part else None)):
                barred.add(self.doers.get(key))
        barred.discard(None)
        for who in step.who:
            if who.system:
                return SYSTEM_HAND
            if who.applicant:
                continue
            unit = None
            if who.party:
                unit = part.unit if who.party == "part" and part else self.parties.get(who.party)
                if unit is None:
                    continue
            if who.holding:
                if unit not in (None, self.unit):
                    continue
                unit = self.unit
            hand = self._one_of(who, unit, barred)
            if hand:
                return hand
        return None

    def _one_of(self, who: Who, unit: int | None, barred: set) -> Hand | None:
        """One of those who may; whom the matter was given to comes first."""
        pool = self.maker.cast.able(who, unit)
        if not pool:
            return None
        if self.assignee:
            given = next((hand for hand in pool if hand.post_id == self.assignee), None)
            if given and given.person_id not in barred:
                return given
        for _ in range(4):
            hand = self.rng.choice(pool)
            if hand.person_id not in barred:
                return hand
        return next((hand for hand in pool if hand.person_id not in barred), None)

    def _when(self, step: Transition) -> datetime:
        rng = self.rng
        dues = [run.due for run in self.running if not run.paused]
        due = min(dues, default=None)
        hours = any(run.rule.unit == "hour" for run in self.running)
        if due is None or due <= self.at:
            wait = timedelta(days=min(rng.expovariate(0.25), 60))
        else:
            chance = rng.random()
            if self.lazy:
                share = 1.2 + rng.expovariate(0.7)
            elif chance < 0.93:
                share = 0.98 * rng.betavariate(2.2, 1.7)
            else:
                share = 1.0 + rng.expovariate(5)
            if step.to in ("", self.state):
                share *= 0.3
            wait = (due - self.at) * share
        moment = self.at + max(wait, timedelta(minutes=2))
        if hours:
            return moment.replace(microsecond=0)
        return self.maker.times.working(moment, self.at, rng)

    def take(self, step: Transition, hand: Hand, part: PartRun | None = None) -> None:
        """Do a step as `engine.advance` does."""
        self.actor, self.action = hand, "matters.step"
        self.steps += 1
        made_up = self._values(step)
        values = made_up if part else self.recipe.answers(self, step, made_up)
        flow = part.flow if part else self.process.flow
        before = part.state if part else self.state
        after = step.to or before
        moves = step.clocks
        if part is None:
            self.state = after
            if moves.stop:
                self.stop(moves.stop)
            for name in moves.suspend:
                self.suspend(name, str(values.get("reason") or step.title))
            for name in moves.resume:
                self.resume(name)
            for name in moves.start:
                self.start(name, values.get(self.process.clocks[name].field))
        else:
            part.state = after
        ended = flow.states[after].final
        if part is not None:
            part.done = (part.done or self.at) if ended else None
            part.result = str(values.get("result") or flow.states[after].title)[:200] if ended else ""
        elif ended:
            self.closed = self.at
        for use in step.effects:
            known = self.recipe.effects.get(use.name)
            if known:
                known(self, use.params, values)
            else:
                KNOWN_EFFECTS[use.name](self, use.params, values, step)
        if part is None:
            turn = flow.states[after].turn
            if turn in self.parties and not any(use.name == "hand_to" for use in step.effects):
                self.hand_to(self.parties[turn])
            if ended:
                self._end_parts()
        answer, body = None, ""
        prints = [
            one[1] for field in step.fields if field.type == "files" for one in values.get(field.name, ())
        ]
        kept = values
        if prints:
            files = {field.name for field in step.fields if field.type == "files"}
            kept = {
                name: [one[0] for one in value] if name in files else value for name, value in values.items()
            }
        if kept:
            body = canonical(kept)
            answer = self.book[Answer].add(
                matter_id=self.id, form=f"{self.process.key}/{step.name}", body=body, at=self.at
            )
        if prints:
            self.log(files=prints)
        entry = self.entry(step.name, step.title, before, after, answer=answer, part=part)
        self.log(
            entry=entry,
            transition=step.name,
            states=[before, after],
            part=part.id if part else None,
            version=part.version if part else self.version,
            answer=sm3(body.encode()) if body else "",
        )

    def _values(self, step: Transition) -> dict[str, Any]:
        rng, values = self.rng, {}
        needed = {self.process.clocks[name].field for name in step.clocks.start}
        needed |= {use.params[key] for use in step.effects for key in ("field",) if key in use.params}
        for one in step.fields:
            if not one.required and one.name not in needed and (one.source or rng.random() < 0.7):
                continue
            match one.type:
                case "text" | "longtext":
                    values[one.name] = rng.choice(TEXTS)[: one.max or 200]
                case "date":
                    values[one.name] = counting.local_day(self.at) + timedelta(days=rng.randint(10, 90))
                case "number":
                    values[one.name] = str(rng.randint(1, min(int(one.max or 10), 10)))
                case "choice" if one.options:
                    values[one.name] = rng.choice(one.options)[0]
                case "unit":
                    values[one.name] = self.maker.unit().id
                case "units":
                    values[one.name] = sorted({self.maker.unit().id for _ in range(3)})
                case "post":
                    pool = self.maker.cast.of(self.unit)
                    if pool:
                        values[one.name] = rng.choice(pool).post_id
                case "files":
                    values[one.name] = [self.maker.evidence(self, self.actor)]
        for use in step.effects:
            if use.name == "extend_clock" and self.process.clocks[use.params["clock"]].unit == "date":
                old = counting.last_day(self.clock(use.params["clock"]).due)
                values[use.params["field"]] = old + timedelta(days=rng.randint(10, 60))
        return values

    def _assign(self) -> None:
        """A head gives some matters to an officer, a little after they came."""
        heads = self.maker.cast.of(self.unit, "matters.head")
        officers = self.maker.cast.of(self.unit, "matters.officer")
        if not heads or not officers or self.rng.random() > 0.3:
            return
        moment = self.at + timedelta(seconds=self.rng.randint(300, 20_000))
        if moment >= self.maker.times.last:
            return
        self.at, self.actor, self.action = moment, self.rng.choice(heads), "matters.assign"
        chosen = self.rng.choice(officers)
        self.assignee = chosen.post_id
        entry = self.entry(
            "matters.assign", "分派", self.state, self.state, f"承办：{chosen.label.replace(' · ', ' ')}"
        )
        self.log(entry=entry, post=chosen.post_id, part=None, version=self.version)

    def _remark(self) -> None:
        hand = self.actor if self.actor.unit_id else None
        if hand is None:
            return
        self.at += timedelta(seconds=self.rng.randint(60, 3000))
        if self.at >= self.maker.times.last:
            self.at = self.maker.times.last - timedelta(seconds=1)
        text = self.rng.choice(REMARKS)
        self.words.append(text)
        number = self.book[Comment].add(
            matter_id=self.id,
            at=self.at,
            actor_ref=hand.ref,
            actor_label=hand.label[:120],
            unit_id=hand.unit_id,
            text=text,
        )
        self.action = "matters.comment"
        self.log(comment=number)

    # -- parts ----------------------------------------------------------------------------------------------

    def _plan(self, part: PartRun) -> None:
        """Choose what a part does next, and when."""
        part.next = None
        if part.done:
            return
        step, _ = self._choose(part.flow, part.state, part)
        if step is None:
            return
        due = part.due
        span = (due - self.at) if due and due > self.at else timedelta(days=20)
        share = self.rng.betavariate(1.6, 2.6) if self.rng.random() < 0.9 else 1.0 + self.rng.random()
        part.next = step
        part.moment = self.maker.times.working(self.at + span * share, self.at, self.rng)

    def work_on_parts(self, until: datetime) -> None:
        """Let the parts do what comes before a moment."""
        while True:
            waiting = [part for part in self.parts if part.next and not part.done and part.moment < until]
            if not waiting:
                return
            part = min(waiting, key=lambda one: (one.moment, one.id))
            self.at = max(self.at, part.moment)
            hand = self._hand(part.next, part)
            if hand is None or self.at >= until:
                part.next = None
                continue
            self.take(part.next, hand, part)
            self._plan(part)

    def _end_parts(self) -> None:
        left = [part for part in self.parts if not part.done]
        for part in left:
            part.done, part.result = self.at, ENDED_WITH_MATTER
        if left:
            self.said.append(f"{len(left)} 项未完成的并行办理随之结束")

    # -- the rows -------------------------------------------------------------------------------------------

    def _close(self) -> None:
        """Write the rows of what can still change until the walk is over."""
        book, last = self.book, self.maker.times.last
        self.recipe.ended(self)
        for name, unit in self.parties.items():
            book[Party].add(matter_id=self.id, name=name, unit_id=unit)
        running = [run for run in self.running if not run.paused]
        self.due_at = min((run.due for run in running), default=NEVER)
        promised = [run.due for run in running if run.rule.kind == Clock.PROMISED]
        legal = [run.due for run in running if run.rule.kind == Clock.LEGAL]
        book[Matter].add(
            id=self.id,
            number=self.number,
            kind=self.kind.key,
            release_id=self.release_id,
            state=self.state,
            title=self.title,
            holding_unit_id=self.unit,
            assignee_id=self.assignee,
            applicant=self.applicant,
            urgency=self.urgency,
            parent_id=self.parent.id if self.parent else None,
            place=self.place,
            opened_at=self.opened,
            closed_at=self.closed,
            due_at=self.due_at,
            warn_at=min((run.warn for run in running), default=None),
            promised_at=min(promised, default=None),
            legal_at=min(legal, default=None),
            timed_from=min((run.started for run in running), default=None),
            clock_paused=any(run.paused for run in self.running),
            clock_provisional=any(run.provisional for run in self.running),
            overran=self.overran,
            version=self.version,
        )
        self._show()
        for run in self.clocks:
            stages = self._stages(run.due, run.warn) if run.stopped is None and not run.paused else ()
            book[Clock].add(
                id=run.id,
                matter_id=self.id,
                name=run.rule.name,
                kind=run.rule.kind,
                unit=run.rule.unit,
                amount=run.rule.amount,
                started_at=run.started,
                due_at=run.due,
                warn_at=run.warn,
                remind_at=next((stage.at for stage in stages if stage.at > last), None),
                paused=run.paused,
                stopped_at=run.stopped,
                provisional=run.provisional,
            )
            for begun, ended, reason in run.stops:
                book[ClockStop].add(clock_id=run.id, begun_at=begun, ended_at=ended, reason=reason)
            for row in run.extra:
                book[ClockExtension].add(clock_id=run.id, **row)
            self._notices(
                run, [stage for stage in stages if run.started < stage.at <= last and not stage.role]
            )
        for part in self.parts:
            warn = remind = None
            if part.due and not part.done:
                warn = counting.warning(None, part.opened, part.due, self.maker.calendar)
                remind = next((stage.at for stage in self._stages(part.due, warn) if stage.at > last), None)
            book[Part].add(
                id=part.id,
                matter_id=self.id,
                kind=part.flow.name,
                unit_id=part.unit,
                title=part.title,
                state=part.state,
                opened_at=part.opened,
                due_at=part.due,
                warn_at=warn,
                remind_at=remind,
                done_at=part.done,
                result=part.result,
                version=part.version,
            )

    def _show(self) -> None:
        """Who sees it, and what it is found by, as `sights` keeps both."""
        helping = {part.unit for part in self.parts if not part.done}
        units = {self.unit, *self.parties.values(), *(part.unit for part in self.parts)}
        for unit in sorted(units):
            self.book[Sight].add(
                matter_id=self.id,
                unit_id=unit,
                kind=self.kind.key,
                due_at=self.due_at,
                closed_at=self.closed,
                helping=unit in helping,
            )
        names: dict[str, None] = {}
        for unit in [self.unit, *self.parties.values()]:
            names |= self.maker.called[unit]
        texts = [self.number, self.title, self.place, self.applicant_label, *names, *self.words]
        marks = sights.marks(self.unit, units, helping, self.kind.key, self.closed is None)
        self.maker.docs.append(search.Doc(self.id, tuple(texts), tuple(marks)))

    def _stages(self, due: datetime, warn: datetime) -> list:
        return counting.stages(due, warn, self.maker.calendar, self.kind.app)

    def _notices(self, run: Run, passed: list) -> None:
        """The latest reminder of a clock that runs, as `timers` would have sent it."""
        if not passed:
            return
        stage = passed[-1]
        posts = (
            [self.assignee]
            if self.assignee
            else [hand.post_id for hand in self.maker.cast.of(self.unit, "matters.officer")[:3]]
        )
        day = counting.last_day(run.due)
        late = run.due <= stage.at
        for post in posts:
            read = self.rng.random() < 0.6
            self.book[Notice].add(
                post_id=post,
                matter_id=self.id,
                key=f"clock:{run.id}:{day}:{stage.key}",
                level=Notice.URGE if late else Notice.REMIND,
                title=f"{'超期' if late else '临期'}提醒：{self.title}"[:200],
                text=f"到期：{day:%Y-%m-%d}；承办：{self.maker.names[self.unit]}。",
                url=self.kind.url_of(_Numbered(self.id)),
                at=stage.at,
                read_at=min(stage.at + timedelta(hours=self.rng.randint(1, 30)), self.maker.times.last)
                if read
                else None,
            )


class _Numbered(NamedTuple):
    pk: int


# What effects do, without the database --------------------------------------------------------------------------------


def _hand_to(walk: Walk, params: dict, values: dict, step: Transition) -> None:
    walk.hand_to(walk.parties[params["party"]])
    post = values.get(params.get("field", ""))
    if post:
        walk.assignee = post


def _assign(walk: Walk, params: dict, values: dict, step: Transition) -> None:
    walk.assignee = values.get(params["field"])


def _set_party(walk: Walk, params: dict, values: dict, step: Transition) -> None:
    unit = values.get(params["field"])
    if unit:
        name = params["party"]
        walk.parties[name] = unit
        walk.said.append(f"{walk.process.parties.get(name, name)}：{walk.maker.names[unit]}")


def _add_parts(walk: Walk, params: dict, values: dict, step: Transition) -> None:
    chosen = values.get(params["field"], [])
    for unit in chosen if isinstance(chosen, list) else [chosen]:
        walk.add_part(params["part"], unit, params.get("title", walk.title))


def _extend(walk: Walk, params: dict, values: dict, step: Transition) -> None:
    value = values.get(params["field"])
    reason = str(values.get(params.get("reason", "reason")) or step.title)
    if walk.process.clocks[params["clock"]].unit == "date":
        walk.extend(params["clock"], new_due_on=value, reason=reason)
    else:
        walk.extend(params["clock"], amount=int(value), reason=reason)


def _nothing(walk: Walk, params: dict, values: dict, step: Transition) -> None:
    """What leaves no row of its own here."""


KNOWN_EFFECTS: dict[str, Callable] = {
    "hand_to": _hand_to,
    "assign": _assign,
    "set_party": _set_party,
    "add_parts": _add_parts,
    "extend_clock": _extend,
    "notify": _nothing,
}


# The generators -------------------------------------------------------------------------------------------------------


def _samples() -> list[attachments.Attachment]:
    """The shared files that `samples` made."""
    rows = attachments.Attachment.objects.filter(uploaded_by=str(SYSTEM.ref)).order_by("id")
    return [row for row in rows if row.name.startswith(f"{SAMPLE} ")]


@generator(
    "matters.samples",
    order=30,
    done=lambda district: bool(_samples()),
)
def samples(district: District) -> None:
    """The contents that all generated files share, each saying that it is made up."""
    for name in EVIDENCE:
        text = f"{SAMPLE}（虚构）\n{name}\n这份材料由程序生成，许多事项共用同一份内容。\n"
        upload = SimpleUploadedFile(f"{SAMPLE} {name}.txt", text.encode(), "text/plain")
        attachments.stage(SYSTEM, upload=upload)


def _note(district: District) -> Path:
    return district.folder / "make-district.indexes.json"


def _complete(district: District) -> bool:
    return Matter.objects.count() - district.base >= district.matters and not _note(district).exists()


@generator("matters.matters", order=50, done=_complete)
def matters(district: District) -> None:
    """Matters of all kinds, batch by batch; a run that was interrupted goes on after its last whole batch."""
    written = [Matter, Party, Part, Entry, Answer, Comment, Clock, ClockStop, ClockExtension, Notice, Sight]
    written += [attachments.Attachment, LogLeaf, LogDetail, *_extra_models]
    tables = [model._meta.db_table for model in written] if district.matters >= MANY else []
    done = Matter.objects.count() - district.base
    with (
        generating.hurried(),
        generating.without_indexes(tables, _note(district)),
    ):
        maker = Maker(district)
        started, before, said = machine.monotonic(), done, machine.monotonic()
        while done < district.matters:
            size = min(BATCH, district.matters - done)
            rows = generate_batch(SYSTEM, maker=maker, first=done, size=size)
            done += size
            if machine.monotonic() - said > 5 or done == district.matters:
                said = machine.monotonic()
                rate = (done - before) / (said - started)
                left = (district.matters - done) / rate
                district.say(
                    f"事项 {done:,} / {district.matters:,}，每秒 {rate:,.0f} 件（约 {rows / size:.0f} 行一件），"
                    f"还需约 {left / 60:.0f} 分钟"
                )
        district.say("建立索引……")
    generating.know_sizes()


_extra_models: list[type] = []


def also_writes(*models: type) -> None:
    """Tables that recipes fill beside those of this app: they are hurried and counted with them."""
    _extra_models.extend(model for model in models if model not in _extra_models)


@action("matters.generate_batch")
def generate_batch(act: Act, *, maker: Maker, first: int, size: int) -> int:
    """Write the matters ``first`` to ``first + size`` (生成一批虚构事项); returns how many rows they are."""
    act.check(policies.time)
    maker.seed(first)
    maker.book.begin()
    maker.made, maker.docs = 0, []
    kinds = [key for key, recipe in maker.recipes.items() if recipe.share > 0]
    shares = [maker.recipes[key].share for key in kinds]
    while maker.made < size:
        maker.room = size - maker.made - 1
        at = maker.times.opening(
            (first + maker.made + maker.rng.random()) / maker.district.matters, maker.rng
        )
        kind = maker.rng.choices(kinds, shares)[0]
        opening = maker.recipes[kind].open(maker, maker.processes[kind][1], at)
        Walk(maker, kind, at, opening).live()
    rows = maker.book.write()
    search.index_many(sights.KIND, sorted(maker.docs, key=lambda doc: doc.ident))
    generating.give_numbers(maker.counts)
    act.log(Ref("district", str(maker.district.seed)), first=first, matters=size, rows=rows, made_up=True)
    return rows
