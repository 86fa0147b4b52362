"""Generating matters of every registered kind: each walks its own process from opening to end, or to where it stands.

A walk keeps to what `engine` and `change` do, without the database: the same states, holders, clocks, parts, lines of
history and leaves. What a kind has of its own is told by a `Recipe`, which the app that owns the kind registers in its
`generators.py`; without one a kind gets an applicant, units, titles and answers that fit its process. A kind that keeps
rows of its own, or whose process names what this file does not know, is refused until it has one (`refuse_unknown`).
"""

import random
import time as machine
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from django.core.files.uploadedfile import SimpleUploadedFile

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.registers import generators as registers
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
    Link,
    Matter,
    Notice,
    Part,
    Party,
    Sight,
    Timer,
)
from liangzhu.beams.work.matters.process import (
    EVERY,
    OPENING,
    ClockRule,
    Field,
    Flow,
    Process,
    Since,
    Transition,
    Use,
    Who,
    in_force,
)
from liangzhu.kernel import generating, search
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.generating import Book, District, generator
from liangzhu.kernel.log import canonical, sm3
from liangzhu.kernel.models import LogDetail, LogLeaf, Series
from liangzhu.kernel.refs import Ref, describe
from liangzhu.kernel.workdays import WorkCalendar

BATCH = 2000
"""Matters in one transaction."""

MANY = 20_000
"""From so many matters on the indexes are left out while the tables are filled."""

FAMILIAR = 0.02
"""The part of all matters of applicants that belongs to those as whom one can sign in to a demonstration."""

LAZY = 0.02
"""The part of all matters that nobody looks after, so that what happens by itself happens."""

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


def outsider(ref: str, label: str) -> Hand:
    """Somebody who is no member of staff, by a printed Ref."""
    return Hand(ref, label, None, None, None, frozenset(), False)


SYSTEM_HAND = Hand(str(SYSTEM.ref), SYSTEM.label, None, None, None, frozenset(), False)


@dataclass
class Opening:
    """How a matter begins: what `engine.open_matter` is told. ``action`` is the one that opens such matters; ``applicant`` a
    printed Ref; ``data`` the answers to what the process asks at its opening, None: those are made up.
    """

    title: str
    parties: dict[str, int]
    holding_unit_id: int
    actor: Hand
    action: str = "matters.open"
    applicant: str = ""
    due_on: date | None = None
    urgency: int = 0
    place: str = ""
    opening: str = "登记"
    data: dict[str, Any] | None = None


class Recipe:
    """What the owner of a kind adds to the walk. ``share`` is its part of all matters that open by themselves.

    ``applicants`` are the kinds of Refs that apply for such a matter, empty for the house's own business. ``guards`` are
    those that the answers of this recipe satisfy, ``forms`` those that `answers` (or ``Opening.data``) fills in;
    ``effects`` maps names to ``fn(walk, params, values)``, ``conditions`` to ``fn(walk, params) -> bool``, ``measures``
    to ``fn(walk, values, params) -> (unit, amount, *said)``. A step that needs another one is not taken.
    """

    kind: str = ""
    share: float = 1.0
    applicants: tuple[str, ...] = ("natural_person", "organisation")
    below: int = 0
    """Matters below it, at most, that its process does not name and `begun` opens."""
    guards: frozenset[str] = frozenset()
    forms: frozenset[str] = frozenset()
    effects: dict[str, Callable] = {}
    conditions: dict[str, Callable] = {}
    measures: dict[str, Callable] = {}

    def number(self, kind: Kind, year: int, count: int) -> str:
        """The number of the ``count``-th matter of a year. Kinds with numbers of their own say how they are made."""
        return f"{kind.initials}-{year}-{count:04d}"

    def open(self, maker: "Maker", process: Process, at: datetime) -> Opening:
        """How the next matter of this kind begins."""
        parties = {name: maker.unit().id for name in process.parties}
        turn = process.flow.states[process.flow.initial].turn
        holder = parties.get(turn) or next(iter(parties.values()), None) or maker.unit().id
        topic = maker.topic(maker.by_id[holder], at)
        return Opening(
            title=f"{maker.names[holder]}：{topic}",
            parties=parties,
            holding_unit_id=holder,
            actor=maker.rng.choice(maker.cast.of(holder) or [SYSTEM_HAND]),
            applicant=maker.applicant(self.applicants),
            due_on=counting.local_day(at) + timedelta(days=maker.rng.randint(15, 180))
            if process.opening_date_clock()
            else None,
        )

    def prepare(self, walk: "Walk") -> None:
        """Before its clocks start and its first line is written: what the kind's own rules ask of it."""

    def begun(self, walk: "Walk") -> None:
        """Right after opening: rows of the kind's own, parts, matters below it that its process does not name."""

    def passes(self, walk: "Walk", use: Use) -> bool:
        """Whether one of `guards` is satisfied now."""
        return True

    def after(self, walk: "Walk", step: Transition) -> None:
        """After each step of the matter itself."""

    def ended(self, walk: "Walk") -> None:
        """When the walk is over, whether or not the matter is."""

    def answers(self, walk: "Walk", step: Transition, values: dict[str, Any]) -> dict[str, Any]:
        """The answers to a step, from those that were made up."""
        return values


_recipes: dict[str, type[Recipe]] = {}


def generates(recipe: type[Recipe]) -> type[Recipe]:
    """Register the recipe of a kind; each run makes one of it. Raises ValueError when the kind has one."""
    if recipe.kind in _recipes and _recipes[recipe.kind].__qualname__ != recipe.__qualname__:
        raise ValueError(f"kind {recipe.kind} has two recipes")
    _recipes[recipe.kind] = recipe
    return recipe


ANYWHERE = (
    "更新权责清单和办事指南",
    "核对并更新部门数据目录",
    "整理历史档案并数字化",
    "开展网络安全自查和整改",
    "修订应急预案并组织演练",
    "组织业务培训和考核",
    "办理人大代表建议和政协提案",
    "汇总{quarter}工作情况",
    "落实{quarter}政务公开任务",
    "检查办公区消防设施",
)
OFFICES = (
    (
        "街道|镇",
        "整治{own}背街小巷环境",
        "推进{own}老旧小区改造前期工作",
        "落实{own}河道保洁责任",
        "走访{own}低收入家庭",
    ),
    (
        "审批",
        "公示{quarter}行政许可结果",
        "优化窗口排队叫号",
        "把高频事项下沉到{place}便民服务中心",
        "压减审批环节和材料",
    ),
    ("发改", "调度{quarter}重点项目进度", "编制政府投资项目储备清单", "开展{place}节能监察"),
    ("工信|科经", "走访{place}工业企业并收集诉求", "组织中小企业数字化诊断", "核实工业技改项目进度"),
    (
        "数据|智慧|网信",
        "归集部门共享数据并反馈质量问题",
        "接入{place}物联感知设备",
        "复核政务系统等级保护情况",
    ),
    ("教育|党校", "排查{place}校园安全隐患", "公布{quarter}民办培训机构检查结果", "核定秋季学位供给"),
    ("公安", "整治{place}交通事故易发路口", "推进户籍窗口跨省通办", "开展{place}反诈宣传"),
    ("民政", "复核{place}低保对象信息", "检查{place}养老服务机构", "规范{place}地名标志"),
    ("司法|政法", "审核{quarter}规范性文件", "规范{place}人民调解工作室", "开展行政执法案卷评查"),
    ("财政|金融|审计", "清理{quarter}财政存量资金", "核查{place}专项资金使用情况", "推进预算绩效评价整改"),
    ("人社|组织|退役", "举办{quarter}专场招聘会", "核查{place}欠薪线索", "落实{place}优待证办理"),
    ("自然资源|规划", "核实{place}卫星图斑", "办理{place}临时用地复垦验收", "清理批而未供土地"),
    ("住建", "推进{place}老旧小区改造前期工作", "排查{place}自建房安全隐患", "检查{quarter}在建工地扬尘"),
    ("交通", "养护{place}农村公路", "优化{place}公交线路", "检查{quarter}危货运输企业"),
    ("农业|农场|林场", "检查{place}农产品质量安全", "落实{place}高标准农田管护", "做好{quarter}动物疫病防控"),
    ("商务|市场", "检查{place}农贸市场", "抽检{quarter}重点工业产品", "统计{quarter}限上商贸企业数据"),
    ("文体", "维护{place}健身器材", "检查{place}文化场所", "排定{quarter}惠民演出"),
    ("卫健|疫情", "规范{place}卫生院预检分诊", "检查{quarter}医疗废物处置", "推进{place}家庭医生签约"),
    ("应急|安全|执法|安监", "检查{place}小化工企业", "整改{quarter}挂牌隐患", "整治{place}占道经营"),
    ("开发区|高新区|园区", "帮办{quarter}落户项目手续", "更新园区企业台账", "完善园区道路和管网"),
)
"""What offices do, by a word of their names; the first that fits. ``{place}`` is a town or street, ``{own}`` the unit itself."""


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

    __slots__ = (
        "amount",
        "due",
        "extra",
        "id",
        "paused",
        "provisional",
        "rule",
        "started",
        "stopped",
        "stops",
        "unit",
        "warn",
    )

    def __init__(self, ident: int, rule: ClockRule, started: datetime):
        self.id, self.rule, self.started = ident, rule, started
        self.unit, self.amount = rule.unit, rule.amount
        self.due = self.warn = self.stopped = None
        self.provisional = self.paused = False
        self.stops: list[list] = []
        self.extra: list[dict] = []


class Owed:
    """What a walk owes by time, as `models.Timer`."""

    __slots__ = ("at", "clock", "counts_from", "fired", "id", "name", "provisional")

    def __init__(self, ident: int, name: str, clock: Run | None, at: datetime | None):
        self.id, self.name, self.clock, self.at = ident, name, clock, at
        self.counts_from = self.fired = None
        self.provisional = False


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
        self.by_id = {unit.id: unit for unit in directory.units().all()}
        self.towns = [unit for unit in self.units if unit.kind in ("street", "town")]
        self._work: dict[int, tuple[str, ...]] = {}
        self.called = {unit.id: {unit.name: None, unit.short: None} for unit in directory.units().all()}
        self.docs: list[search.Doc] = []
        self.kinds = all_kinds()
        self.recipes = {key: _recipes.get(key, Recipe)() for key in self.kinds}
        refuse_unknown()
        self.processes: dict[str, tuple[int, Process]] = {}
        for key, kind in self.kinds.items():
            release, process = in_force(kind.process)
            self.processes[key] = (release.pk, process)
        below = {child.kind for _, process in self.processes.values() for child in process.children.values()}
        self.opened = [key for key, recipe in self.recipes.items() if recipe.share > 0 and key not in below]
        """The kinds that open by themselves, not below another."""
        self.sizes = {key: 1 + self._below(key) + self.recipes[key].below for key in self.kinds}
        """How many matters one of a kind may become."""
        self.parties, self.familiar = registers.made_up_parties(), registers.demo_parties()
        self.room = 0
        """How many more matters may be begun in this batch."""
        self.counts = {
            (row.name, row.year): row.last for row in Series.objects.filter(name__startswith="matter:")
        }
        self.book = Book(self.rng)
        self.made = 0
        self.files = [row for row in _samples() if not row.subject]
        self._ends: dict[tuple, counting.End] = {}

    def _below(self, kind: str) -> int:
        return sum(1 + self._below(child.kind) for child in self.processes[kind][1].children.values())

    def applicant(self, kinds: tuple[str, ...]) -> str:
        """Somebody of one of these kinds whom this generator has registered, as a printed Ref; "" when there is nobody."""
        known = [kind for kind in kinds if self.parties.get(kind)]
        if not known:
            return ""
        kind = self.rng.choice(known)
        # Whoever can sign in to a demonstration should find something there.
        often = self.familiar.get(kind) if self.rng.random() < FAMILIAR else None
        return f"{kind}:{self.rng.choice(often or self.parties[kind])}"

    def seed(self, name: object) -> None:
        """Begin anew with a chance of its own, so that a run that was interrupted goes on with the same rows."""
        self.rng = self.book.rng = self.district.random("matters", name)

    def unit(self) -> directory.UnitView:
        """A unit with work of its own, busy ones more often."""
        return self.rng.choices(self.units, cum_weights=self._busy)[0]

    def topic(self, unit: directory.UnitView, at: datetime) -> str:
        """Something that a unit of this name does, begun at that moment."""
        if unit.id not in self._work:
            fits = (said for words, *said in OFFICES if any(word in unit.short for word in words.split("|")))
            self._work[unit.id] = (*next(fits, ()), *ANYWHERE)
        work, rng = self._work[unit.id], self.rng
        # Its own business three times in four, where it has any.
        own = len(work) - len(ANYWHERE)
        said = work[rng.randrange(own)] if own and rng.random() < 0.75 else rng.choice(ANYWHERE)
        place = rng.choice(self.towns).short if self.towns else unit.short
        return said.format(
            own=unit.short, place=place, quarter=f"{'一二三四'[(counting.local_day(at).month - 1) // 3]}季度"
        )

    def number(self, kind: Kind, at: datetime) -> str:
        """The next number of a kind."""
        year = counting.local_day(at).year
        key = (f"matter:{kind.initials}", year)
        self.counts[key] = self.counts.get(key, 0) + 1
        return self.recipes[kind.key].number(kind, year, self.counts[key])

    def end(
        self, unit: str, amount: int, started: datetime, stops: list | tuple = (), extra: int = 0
    ) -> counting.End:
        """The end of so many units; those of whole days without a stop are kept by their day."""
        if stops or unit in ("hour", "workhour"):
            return counting.end(unit, amount, started, list(stops), self.calendar, extra)
        key = (unit, amount, extra, counting.local_day(started))
        if key not in self._ends:
            self._ends[key] = counting.end(unit, amount, started, [], self.calendar, extra)
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
        self.applicant = opening.applicant
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
        self.lazy = self.rng.random() < LAZY
        self.doers: dict[tuple, int] = {}
        self.hands: dict[str, Hand] = {}
        """Who did each step of the matter last."""
        self.lines: list[tuple[str, str, str, datetime]] = []
        """The steps of the matter itself: name, state before and after, instant."""
        self.given: dict[str, Any] = {}
        """What was filled in last under each name."""
        self.owed: list[Owed] = []
        self.children: list[Walk] = []
        self.raised = False
        """Of one below another: whether it has gone its way."""
        self.needs: list[Walk] = []
        self.handed = False
        self.actor, self.action = opening.actor, opening.action
        self.counts_at = at
        maker.made += 1
        self.recipe.prepare(self)
        values = self.values = self._opening_values(opening)
        dated = self.process.opening_date_clock()
        due_on = opening.due_on if dated else None
        for clock in self.process.clocks.values():
            if clock.at_open and (clock.unit != "date" or due_on is not None):
                since = self.process.opening_since if clock.unit != "date" else None
                self.start(clock.name, due_on if clock is dated else None, since)
        answer, _ = self._keep(OPENING, self.process.opening or (), values)
        entry = self.entry(OPENING, opening.opening, "", self.state, answer=answer)
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
            if self.process.timers:
                self._settle_timers(before)
            self.version += 1
            self.lines.append((transition, before, after, self.at))
            self.hands[transition] = self.actor
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

    def hand_to(self, unit_id: int, post_id: int | None = None) -> None:
        """Let a unit hold the matter."""
        self.handed = True
        if unit_id != self.unit:
            self.unit, self.assignee = unit_id, post_id
            self.said.append(f"转{self.maker.names[unit_id]}办理")
        elif post_id is not None:
            self.assignee = post_id

    def clock(self, name: str) -> Run | None:
        """The clock of that name that has not ended."""
        return next((run for run in self.running if run.rule.name == name), None)

    def start(self, name: str, due_on: date | None = None, since: Since | None = None) -> None:
        """Start a clock unless it runs."""
        if self.clock(name):
            return
        rule = self.process.clocks[name]
        run = Run(self.book[Clock].new_id(), rule, self._since(since) if since else self.counts_at)
        if rule.unit == "date":
            before = next((old for old in reversed(self.clocks) if old.rule.name == name), None)
            run.due = counting.end_of(due_on) if due_on else before.due
        else:
            if rule.amounts:
                run.unit, run.amount = self._amount(rule)
            found = self.maker.end(run.unit, run.amount, run.started)
            run.due, run.provisional = found.due_at, found.provisional
        run.warn = counting.warning(rule, run.started, run.due, self.maker.calendar)
        self.running.append(run)
        self.clocks.append(run)
        if since:
            first, last = counting.local_day(run.started), counting.last_day(run.due)
            self.said.append(f"{rule.title}自 {first:%Y-%m-%d} 起算，至 {last:%Y-%m-%d}")

    def _since(self, since: Since) -> datetime:
        if since.kind == "opened":
            return self.opened
        if since.kind == "clock":
            found = next((run for run in reversed(self.clocks) if run.rule.name == since.name), None)
            return found.started if found else self.counts_at
        if since.kind == "state":
            came = [at for _, before, after, at in self.lines if after == since.name != before]
            return came[-1] if came else self.counts_at
        day = self.values[since.name]
        return self.counts_at if day == counting.local_day(self.at) else counting.start_of(day)

    def _amount(self, rule: ClockRule) -> tuple[str, int]:
        amounts = rule.amounts
        if amounts.rule:
            measure = self.recipe.measures[amounts.rule]
            unit, amount, *said = measure(self, self.values, amounts.params)
            self.said += said
            return unit, amount
        return amounts.by.get(str(self.given.get(amounts.of_field)), amounts.otherwise)

    def stop(self, names: tuple[str, ...]) -> None:
        """End clocks for good."""
        for run in [run for run in self.running if EVERY in names or run.rule.name in names]:
            held = run.stops[-1] if run.paused else None
            if not run.rule.of:
                left = Matter.IN_TIME
                if (held[0] if held else self.counts_at) >= run.due:
                    left = Matter.BEYOND_LAW if run.rule.kind == Clock.LEGAL else Matter.BEYOND_PROMISE
                self.overran = max(self.overran, left)
            if held:
                held[1] = self.counts_at
            run.stopped, run.paused = self.counts_at, False
            self.running.remove(run)

    def suspend(self, name: str, reason: str) -> None:
        """Let a clock stand still."""
        run = self.clock(name)
        if run and not run.paused:
            run.stops.append([self.counts_at, None, reason[:500]])
            run.paused = True

    def resume(self, name: str) -> None:
        """Let a clock go on."""
        run = self.clock(name)
        if run and run.paused:
            run.stops[-1][1] = self.counts_at
            run.paused = False
            self._count(run)

    def extend(self, name: str, *, amount: int = 0, new_due_on: date | None = None, reason: str) -> None:
        """Let a clock end later."""
        run = self.clock(name)
        old = run.due
        row = {
            "amount": 0 if run.unit == "date" else amount,
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
        if run.unit != "date":
            extra = sum(row["amount"] for row in run.extra)
            stops = [(begun, ended) for begun, ended, _ in run.stops if ended]
            found = self.maker.end(run.unit, run.amount, run.started, stops, extra)
            run.due, run.provisional = found.due_at, found.provisional
        run.warn = counting.warning(run.rule, run.started, run.due, self.maker.calendar)

    def add_part(self, kind: str, unit_id: int, title: str, due: datetime | None = None) -> PartRun:
        """Ask a unit for parallel work, with a line of its own."""
        flow = self.process.parts[kind]
        if due is None and flow.due:
            unit, amount = flow.due
            due = self.maker.end(unit, amount, self.at).due_at
        part = PartRun(self.book[Part].new_id(), flow, unit_id, title[:200], self.at, due)
        self.parts.append(part)
        self._plan(part)
        self.said.append(f"{flow.title}：{self.maker.names[unit_id]}")
        return part

    def ask_again(self, kind: str, states: tuple[str, ...] = ()) -> None:
        """Let parts that are done be done again, each with a line of its own."""
        rows = [
            part
            for part in self.parts
            if part.flow.name == kind and part.done and (not states or part.state in states)
        ]
        said, self.said = self.said, []
        for part in rows:
            before, part.state = part.state, part.flow.initial
            part.done, part.result, part.opened = None, "", self.at
            if part.flow.due:
                part.due = self.maker.end(*part.flow.due, self.at).due_at
            self.entry("matters.ask_again", "再次征求意见", before, part.state, part=part)
            self._plan(part)
        self.said = said
        if rows:
            named = "、".join(self.maker.names[part.unit] for part in rows)
            self.said.append(f"再请{named}办理“{rows[0].flow.title}”")

    def open_children(self, names: list[str] | None = None) -> None:
        """Open the declared children, or these; they go their way when the step is done."""
        opened: dict[str, Walk] = {}
        for child in self.process.children.values():
            if names and child.name not in names:
                continue
            parties = {theirs: self.parties[own] for theirs, own in child.parties.items()}
            self.maker.room -= 1
            opened[child.name] = Walk(
                self.maker,
                child.kind,
                self.at,
                Opening(
                    title=f"{child.title}：{self.title}",
                    parties=parties,
                    holding_unit_id=next(iter(parties.values())),
                    actor=self.actor,
                    action=self.action,
                    applicant=self.applicant,
                    urgency=self.urgency,
                    place=self.place,
                    opening="由上级事项登记",
                ),
                parent=self,
            )
            self.said.append(f"{child.title}：{opened[child.name].number}")
        for name, walk in opened.items():
            for other in self.process.children[name].needs:
                need = opened[other]
                walk.needs.append(need)
                walk.actor, walk.action = self.actor, self.action
                walk.alone("matters.require", "确定前置事项", f"前置事项：{need.title}（{need.number}）")
        self.children += opened.values()

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
        self._react()
        while self.closed is None and not self.waits:
            step, hand = self._choose(self.process.flow, self.state, None)
            moment = self._when(step) if step else last
            if self._pass_to(min(moment, last), eager=step is None):
                continue
            if moment >= last:
                break
            self.at = max(self.at, moment)
            self.take(step, hand)
            self.raise_children()
            self._react()
            if self.closed is None:
                self.recipe.after(self, step)
                if self.rng.random() < 0.06:
                    self._remark()
        if self.closed is None:
            self.work_on_parts(last)
        self._close()

    def _pass_to(self, until: datetime, *, eager: bool = False) -> bool:
        """Let what comes before a moment happen: parts, what is owed by time. Returns whether that moved the matter;
        ``eager``: also whether a part ended.
        """
        # What is owed in the very last minute is left to the program when it runs.
        limit = min(until, self.maker.times.last - timedelta(seconds=61))
        while self.closed is None:
            owed = [one for one in self.owed if one.at and not one.fired and one.at < limit > self.at]
            first = min(owed, key=lambda one: (one.at, one.id), default=None)
            if self.work_on_parts(first.at if first else until, eager=eager):
                return True
            if first is None:
                return False
            if self._fire(first):
                return True
        return True

    def _fire(self, owed: Owed) -> bool:
        """Do what is owed by time, as the worker does a little later; returns whether that was a step."""
        rule = self.process.timers[owed.name]
        self.at = owed.fired = max(self.at, owed.at) + timedelta(seconds=self.rng.randint(1, 60))
        self.actor = SYSTEM_HAND
        if rule.step and self._may(self.process.flow.transitions[rule.step]):
            self.counts_at = min(owed.at - timedelta(microseconds=1), self.at)
            self.said.append(f"{rule.title}：{counting.last_day(owed.at):%Y-%m-%d} 到时")
            self.take(self.process.flow.transitions[rule.step], SYSTEM_HAND, action="matters.fire")
            self.log(timer=owed.name, fired=True)
            self.raise_children()
            self._react()
            return True
        self.action = "matters.fire"
        hands = [hand for who in rule.notify for hand in self._all_of(who)]
        text = f"承办：{self.maker.names[self.unit]}。"
        self.tell(hands, f"timer:{owed.id}", f"{rule.title}：{self.title}", text, urge=True)
        self.log(timer=owed.name, fired=True)
        return False

    def _may(self, step: Transition) -> bool:
        return self.state in step.sources and all(self._allows(step, use) for use in step.guards)

    def _react(self) -> bool:
        """Do the steps for which a trigger's condition holds; returns whether there was one."""
        done = False
        for _ in range(LONGEST):
            trigger = next(
                (
                    one
                    for one in self.process.triggers
                    if self.closed is None
                    and self._may(self.process.flow.transitions[one.step])
                    and self._holds(one.on)
                ),
                None,
            )
            moment = self.at + timedelta(seconds=self.rng.randint(1, 20)) if trigger else self.at
            if trigger is None or moment >= self.maker.times.last:
                break
            self.at, done = moment, True
            self.take(self.process.flow.transitions[trigger.step], SYSTEM_HAND, action="matters.react")
            self.log(reacted=True)
            self.raise_children()
        return done

    def _holds(self, use: Use) -> bool:
        """Whether a condition holds now."""
        if use.name in self.recipe.conditions:
            return self.recipe.conditions[use.name](self, use.params)
        match use.name:
            case "parts_finished":
                rows = [part for part in self.parts if use.params.get("part") in (None, part.flow.name)]
                return bool(rows) and all(part.done for part in rows)
            case "children_ended":
                return bool(self.children) and all(child.closed for child in self.children)
            case "prerequisites_met":
                return all(one.granted for one in self.needs)
            case "prerequisite_failed":
                return any(one.granted is False for one in self.needs)
            case "parent_ended":
                return self.parent is not None and self.parent.closed is not None
        return False

    @property
    def granted(self) -> bool | None:
        """Whether it ended with what was asked for; None while it is open."""
        return None if self.closed is None else not self.process.flow.states[self.state].failed

    def raise_children(self) -> None:
        """Let the matters below go their way, each after those that it needs; the one above waits for their ends."""
        fresh = [child for child in self.children if not child.raised]
        if not fresh:
            return
        while fresh:
            child = next(one for one in fresh if all(need.raised for need in one.needs))
            fresh.remove(child)
            child.raised = True
            failed = [one.closed for one in child.needs if one.granted is False]
            ended = [one.closed for one in child.needs]
            if failed:
                child.at = max(child.at, min(failed))
            elif ended and all(ended):
                child.at = max(child.at, *ended)
            child.live()
        self.waits = not all(child.closed for child in self.children)
        if not self.waits:
            self._pass_to(max(child.closed for child in self.children))
            if self.closed is None:
                self.at = max(self.at, *(child.closed for child in self.children))

    def _choose(self, flow: Flow, state: str, part: PartRun | None) -> tuple[Transition | None, Hand | None]:
        """The next step, most often the one that leads on, and who does it."""
        steps, weights = [], []
        for step in flow.out_of(state):
            weight = self._weight(flow, state, step) if step.by_person and self._fills(step) else 0
            if (
                weight
                and all(self._allows(step, use) for use in step.guards)
                and all(map(self._knows, step.effects))
            ):
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

    def _fills(self, step: Transition) -> bool:
        return not step.form or step.form in self.recipe.forms

    def _doings(self, steps: list[str], since: str | None) -> int:
        names = [line[0] for line in self.lines]
        if since in names:
            names = names[len(names) - names[::-1].index(since) :]
        return sum(name in steps for name in names)

    def _passes(self, use: Use) -> bool:
        params = use.params
        match use.name:
            case "parts_finished":
                return all(part.done for part in self.parts if params.get("part") in (None, part.flow.name))
            case "parts_ended_in":
                rows = [part for part in self.parts if part.flow.name == params["part"]]
                good = sum(part.done is not None and part.state in params["states"] for part in rows)
                return bool(rows) and good >= params.get("at_least", len(rows))
            case "children_closed":
                return all(child.closed for child in self.children)
            case "prerequisites_met":
                return all(one.granted for one in self.needs)
            case "not_after":
                return not self._doings(params["steps"], params.get("since"))
            case "only_after":
                return bool(self._doings(params["steps"], params.get("since")))
            case "in_time":
                run = self.clock(params["clock"])
                return run is not None and (run.paused or run.due > self.at)
        return use.name in self.recipe.guards and self.recipe.passes(self, use)

    def _allows(self, step: Transition, use: Use) -> bool:
        if use.name == "at_most":
            params = use.params
            return self._doings([params.get("step", step.name)], params.get("since")) < params.get("times", 1)
        return self._passes(use)

    def _knows(self, use: Use) -> bool:
        if use.name == "extend_clock" and self.clock(use.params["clock"]) is None:
            return False
        if use.name == "open_children" and self.maker.room < len(self.process.children):
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
            if not who.of_staff:
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
        moment = moment.replace(microsecond=0) if hours else self.maker.times.working(moment, self.at, rng)
        for use in step.guards:
            run = self.clock(use.params["clock"]) if use.name == "in_time" else None
            if run and not run.paused and moment >= run.due:
                moment = self.at + (run.due - self.at) * 0.9
        return moment

    def take(
        self, step: Transition, hand: Hand, part: PartRun | None = None, action: str = "matters.step"
    ) -> None:
        """Do a step as `engine.advance` does."""
        self.actor, self.action, self.handed = hand, action, False
        if action != "matters.fire":
            self.counts_at = self.at
        self.steps += 1
        made_up = self._values(step)
        values = made_up if part else self.recipe.answers(self, step, made_up)
        self.values = values
        self.given |= values
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
                self.start(name, values.get(self.process.clocks[name].field), moves.since)
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
            if turn in self.parties and not self.handed:
                self.hand_to(self.parties[turn])
            if ended:
                self._end_parts()
        answer, body = self._keep(step.name, step.fields, values)
        entry = self.entry(step.name, step.title, before, after, answer=answer, part=part)
        self.log(
            entry=entry,
            transition=step.name,
            states=[before, after],
            part=part.id if part else None,
            version=part.version if part else self.version,
            answer=sm3(body.encode()) if body else "",
        )

    def _keep(self, name: str, fields: tuple[Field, ...], values: dict[str, Any]) -> tuple[int | None, str]:
        """Keep the answers to a step; returns their row and its text."""
        if not values:
            return None, ""
        files = {field.name for field in fields if field.type == "files"} & values.keys()
        kept = {
            key: [one[0] for one in value] if key in files else value for key, value in values.items()
        } if files else values  # fmt: skip
        body = canonical(kept)
        answer = self.book[Answer].add(
            matter_id=self.id, form=f"{self.process.key}/{name}", body=body, at=self.at
        )
        if files:
            self.log(files=[one[1] for key in files for one in values[key]])
        return answer, body

    def _opening_values(self, opening: Opening) -> dict[str, Any]:
        if opening.data is not None:
            values = dict(opening.data)
        else:
            topic = self.title.rpartition("：")[2]
            values = self._fill(self.process.opening or (), set(), set(), (topic,))
        self.given |= values
        return values

    def _values(self, step: Transition) -> dict[str, Any]:
        later = {self.process.clocks[name].field for name in step.clocks.start}
        later |= {
            use.params["field"]
            for use in step.effects
            if use.name == "extend_clock" and "field" in use.params
        }
        needed = later | {use.params["field"] for use in step.effects if "field" in use.params}
        values = self._fill(step.fields, needed, later, TEXTS)
        for use in step.effects:
            if use.name == "extend_clock" and self.process.clocks[use.params["clock"]].unit == "date":
                old = counting.last_day(self.clock(use.params["clock"]).due)
                values[use.params["field"]] = old + timedelta(days=self.rng.randint(10, 60))
        return values

    def _fill(
        self, fields: tuple[Field, ...], needed: set[str], later: set[str], texts: tuple[str, ...]
    ) -> dict[str, Any]:
        """Answers to fields: ``needed`` ones always; dates are today, those in ``later`` lie ahead."""
        rng, values = self.rng, {}
        for one in fields:
            if not one.required and one.name not in needed and (one.source or rng.random() < 0.7):
                continue
            match one.type:
                case "text" | "longtext":
                    values[one.name] = rng.choice(texts)[: one.max or 200]
                case "date":
                    ahead = rng.randint(10, 90) if one.name in later else 0
                    values[one.name] = counting.local_day(self.at) + timedelta(days=ahead)
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
        return values

    # -- what is owed by time -------------------------------------------------------------------------------

    def _settle_timers(self, before: str) -> None:
        """Bring what is owed in line with clocks and state, as `Change` does at the end of each."""
        for rule in self.process.timers.values():
            rows = [one for one in self.owed if one.name == rule.name]
            row = next((one for one in rows if not one.fired), None)
            run = at = found = None
            if rule.clock:
                run = self.clock(rule.clock)
                if run and not run.paused:
                    at = run.warn if rule.at_warn else run.due
                if row and run and row.clock is run:
                    row.at = at
                    continue
                done = [one.at for one in rows if run and one.clock is run and one.fired and one.at]
                owed = run is not None and not (done and (at is None or at <= max(done)))
            else:
                owed = self.state in rule.states
                if owed and before in rule.states:
                    continue
                if owed:
                    found = self.maker.end(*rule.after, self.counts_at)
                    at = found.due_at
            if row:
                self.owed.remove(row)
            if owed:
                made = Owed(self.book[Timer].new_id(), rule.name, run, at)
                if found:
                    made.counts_from, made.provisional = self.counts_at, found.provisional
                self.owed.append(made)

    def _all_of(self, who: Who) -> list[Hand]:
        """Everybody whom a notice of the process means."""
        if who.party and who.party not in self.parties:
            return []
        unit = self.parties[who.party] if who.party else self.unit if who.holding else None
        cast = self.maker.cast
        return (
            cast.of(unit, "matters.officer")
            if unit and not who.roles and not who.head
            else cast.able(who, unit)
        )

    def tell(self, hands: list[Hand], key: str, title: str, text: str = "", *, urge: bool = False) -> None:
        """Send a notice to posts; most have read theirs."""
        for post in dict.fromkeys(hand.post_id for hand in hands):
            self._notice(post, key, title, text, self.at, urge)

    def _notice(self, post: int, key: str, title: str, text: str, at: datetime, urge: bool) -> None:
        read = min(at + timedelta(hours=self.rng.randint(1, 30)), self.maker.times.last)
        self.book[Notice].add(
            post_id=post,
            matter_id=self.id,
            key=key,
            level=Notice.URGE if urge else Notice.REMIND,
            title=title[:200],
            text=text,
            url=self.kind.url_of(_Numbered(self.id)),
            at=at,
            read_at=read if self.rng.random() < 0.6 else None,
        )

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

    def work_on_parts(self, until: datetime, *, eager: bool = False) -> bool:
        """Let the parts do what comes before a moment; returns whether that moved the matter. ``eager``: stop when one
        ended.
        """
        while self.closed is None:
            waiting = [part for part in self.parts if part.next and not part.done and part.moment < until]
            if not waiting:
                return False
            part = min(waiting, key=lambda one: (one.moment, one.id))
            hand = self._hand(part.next, part)
            if hand is None:
                part.next = None
                continue
            moment = max(self.at, part.moment)
            if moment >= until:
                return False
            self.at = moment
            self.take(part.next, hand, part)
            self._plan(part)
            if self._react() or (eager and part.done):
                return True
        return True

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
        for one in self.owed:
            book[Timer].add(
                id=one.id,
                matter_id=self.id,
                name=one.name,
                clock_id=one.clock.id if one.clock else None,
                at=one.at,
                fired_at=one.fired,
                counts_from=one.counts_from,
                provisional=one.provisional,
            )
        for need in self.needs:
            book[Link].add(matter_id=self.id, to_id=need.id, kind=Link.NEEDS)
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
                unit=run.unit,
                amount=run.amount,
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
        texts = [self.number, self.title, self.place, self.applicant, *names, *self.words]
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
        title = f"{'超期' if late else '临期'}提醒：{self.title}"
        text = f"到期：{day:%Y-%m-%d}；承办：{self.maker.names[self.unit]}。"
        for post in posts:
            self._notice(post, f"clock:{run.id}:{day}:{stage.key}", title, text, stage.at, late)


class _Numbered(NamedTuple):
    pk: int


# What effects do, without the database --------------------------------------------------------------------------------


def _hand_to(walk: Walk, params: dict, values: dict, step: Transition) -> None:
    walk.hand_to(walk.parties[params["party"]], values.get(params.get("field", "")))


def _hand_to_doer(walk: Walk, params: dict, values: dict, step: Transition) -> None:
    hand = walk.hands.get(params["step"])
    if hand and hand.unit_id:
        walk.hand_to(hand.unit_id, hand.post_id)


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


def _ask_parties(walk: Walk, params: dict, values: dict, step: Transition) -> None:
    asked = {part.unit for part in walk.parts if part.flow.name == params["part"]}
    for name in params["parties"]:
        if walk.parties[name] not in asked:
            walk.add_part(params["part"], walk.parties[name], params.get("title", walk.title))
            asked.add(walk.parties[name])


def _ask_again(walk: Walk, params: dict, values: dict, step: Transition) -> None:
    walk.ask_again(params["part"], params.get("states", ()))


def _open_children(walk: Walk, params: dict, values: dict, step: Transition) -> None:
    walk.open_children(params.get("children"))


def _tell(walk: Walk, params: dict, values: dict, step: Transition) -> None:
    unit = walk.parties.get(params["party"])
    if unit is not None:
        key = f"step:{walk.id}:{walk.version}:{step.name}"
        title = f"{params['title']}：{walk.title}"
        walk.tell(walk.maker.cast.of(unit), key, title, urge=bool(params.get("urge")))


def _extend(walk: Walk, params: dict, values: dict, step: Transition) -> None:
    value = params["amount"] if "amount" in params else values.get(params["field"])
    reason = str(values.get(params.get("reason", "reason")) or step.title)
    if walk.process.clocks[params["clock"]].unit == "date":
        walk.extend(params["clock"], new_due_on=value, reason=reason)
    else:
        walk.extend(params["clock"], amount=int(value), reason=reason)


KNOWN_EFFECTS: dict[str, Callable] = {
    "hand_to": _hand_to,
    "hand_to_doer": _hand_to_doer,
    "assign": _assign,
    "set_party": _set_party,
    "add_parts": _add_parts,
    "ask_parties": _ask_parties,
    "ask_again": _ask_again,
    "extend_clock": _extend,
    "open_children": _open_children,
    "notify": _tell,
}
KNOWN_GUARDS = frozenset(
    [
        "parts_finished",
        "parts_ended_in",
        "children_closed",
        "prerequisites_met",
        "at_most",
        "not_after",
        "only_after",
        "in_time",
    ]
)
KNOWN_CONDITIONS = frozenset(
    ["parts_finished", "children_ended", "prerequisites_met", "prerequisite_failed", "parent_ended"]
)
NOT_TAKEN = frozenset(("merge_into", "decision"))
"""Rules of the engine that no generated matter needs: steps with them are left out."""


class NoRecipe(Problem):
    """A kind keeps rows, or its process names rules, of which the generator knows nothing."""

    code, title = "no_recipe", "有的事项种类不会生成"


def refuse_unknown() -> None:
    """Raise NoRecipe naming every kind that would come out broken, with what is missing."""
    missing = []
    for key, kind in all_kinds().items():
        recipe, (_, process) = _recipes.get(key, Recipe), in_force(kind.process)
        if recipe.share == 0 and recipe is not Recipe and not _unnumbered(kind, recipe):
            continue
        if found := _missing(kind, process, recipe):
            missing.append(f"{kind.title}（{key}）：{'、'.join(found)}")
    if missing:
        raise NoRecipe(
            f"不知道怎样生成 {'；'.join(missing)}。",
            todo="请在所属应用的 generators.py 里登记这一种类的 Recipe；不生成的写 share = 0。",
        )


def _unnumbered(kind: Kind, recipe: type[Recipe]) -> bool:
    return kind.number is not None and recipe.number is Recipe.number


def _missing(kind: Kind, process: Process, recipe: type[Recipe]) -> list[str]:
    found = []
    if recipe is Recipe and (kind.panels or kind.url or kind.own_url):
        found.append("有自己的页面内容")
    if _unnumbered(kind, recipe):
        found.append("有自己的编号")
    known = {
        "guard": KNOWN_GUARDS | NOT_TAKEN | recipe.guards,
        "effect": KNOWN_EFFECTS.keys() | NOT_TAKEN | recipe.effects.keys(),
        "condition": KNOWN_CONDITIONS | recipe.conditions.keys(),
    }
    words = {"guard": "条件", "effect": "效果", "condition": "触发条件"}
    found += [f"{words[sort]} {use.name}" for sort, use in process.uses() if use.name not in known[sort]]
    found += [f"表单 {form}" for form in process.forms() if form not in recipe.forms]
    measures = [clock.amounts.rule for clock in process.clocks.values() if clock.amounts]
    found += [f"时限 {name}" for name in measures if name and name not in recipe.measures]
    if recipe is Recipe:
        steps = [
            step for flow in (process.flow, *process.parts.values()) for step in flow.transitions.values()
        ]
        fields = [*(process.opening or ()), *(one for step in steps for one in step.fields)]
        found += [f"选项 {one.source}" for one in fields if one.required and one.source]
    return list(dict.fromkeys(found))


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
    written += [Timer, Link, attachments.Attachment, LogLeaf, LogDetail, *_extra_models]
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


def _named(docs: list[search.Doc]) -> list[search.Doc]:
    """The same with the applicants called as the index knows them."""
    place = 3
    refs = {doc.texts[place]: Ref.parse(doc.texts[place]) for doc in docs if doc.texts[place]}
    called = describe(list(refs.values()), SYSTEM)
    return [
        replace(doc, texts=(*doc.texts[:place], called[refs[doc.texts[place]]][0], *doc.texts[place + 1 :]))
        if doc.texts[place]
        else doc
        for doc in docs
    ]


@action("matters.generate_batch")
def generate_batch(act: Act, *, maker: Maker, first: int, size: int) -> int:
    """Write the matters ``first`` to ``first + size`` (生成一批虚构事项); returns how many rows they are."""
    act.check(policies.time)
    maker.seed(first)
    maker.book.begin()
    maker.made, maker.docs = 0, []
    while maker.made < size:
        maker.room = size - maker.made - 1
        fitting = [key for key in maker.opened if maker.sizes[key] <= maker.room + 1]
        kinds = fitting or maker.opened
        shares = [maker.recipes[key].share for key in kinds]
        at = maker.times.opening(
            (first + maker.made + maker.rng.random()) / maker.district.matters, maker.rng
        )
        kind = maker.rng.choices(kinds, shares)[0]
        opening = maker.recipes[kind].open(maker, maker.processes[kind][1], at)
        Walk(maker, kind, at, opening).live()
    rows = maker.book.write()
    search.index_many(sights.KIND, sorted(_named(maker.docs), key=lambda doc: doc.ident))
    generating.give_numbers(maker.counts)
    act.log(Ref("district", str(maker.district.seed)), first=first, matters=size, rows=rows, made_up=True)
    return rows
