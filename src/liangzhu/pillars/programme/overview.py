"""The plan seen as a whole: its truth from every side, the wall, the workbook's rows, and what the public may know.

Every function takes the actor first (the public ones have none) and returns figures together with what they count, so
that each number on a page can open to its rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.now import today
from liangzhu.kernel.workdays import shanghai_date
from liangzhu.pillars.programme import policies, queries
from liangzhu.pillars.programme.models import (
    Clause,
    ClauseDay,
    PlanDocument,
    PlanTask,
    TaskHelper,
    TaskScope,
    TaskStep,
)
from liangzhu.pillars.programme.queries import Group, LedgerRow, PublicTask
from liangzhu.pillars.programme.truth import INSTANT, SIGNS, Judged, Truth

STATES = dict(ClauseDay.STATES)
NO_CHAPTER = "未分章"


# How true the plan is -------------------------------------------------------------------------------------------------


def plans(actor) -> list[PlanDocument]:
    """The plans that have a ledger, the newest first."""
    return list(queries.documents(actor).filter(state=PlanDocument.IN_FORCE))


def select(
    found: Truth, *, state: str = "", unit: str = "", chapter: str = "", kind: str = ""
) -> list[Judged]:
    """The clauses of a truth that a number counts: by state, lead unit (id, "0" for none), chapter title, kind."""
    return [
        judged
        for judged in found.clauses
        if (not state or judged.state == state)
        and (not unit or str(judged.clause.task.lead_unit_id or 0) == unit)
        and (not chapter or (judged.clause.task.chapter or NO_CHAPTER) == chapter)
        and (not kind or judged.clause.kind == kind)
    ]


@dataclass(frozen=True)
class Day:
    """How the clauses stood on a day that was kept (or today)."""

    day: date
    counts: dict[str, int]

    @property
    def total(self) -> int:
        """All clauses of that day."""
        return sum(self.counts.values())

    @property
    def percent(self) -> int:
        """Kept in a hundred, rounded down."""
        return 100 * self.counts[ClauseDay.KEPT] // self.total if self.total else 0


def course(actor, row: PlanDocument, current: Truth | None = None) -> list[Day]:
    """The days that were kept, oldest first, and today."""
    return [Day(day, counts) for day, counts in queries.over_time(actor, row, current)]


@dataclass(frozen=True)
class Target:
    """A clause with a comparison: what is wanted, what was measured, when and by which indicator ("" where nothing did)."""

    judged: Judged
    name: str
    wanted: str
    indicator_key: str
    measured: str
    as_of: date | None
    url: str
    unconfirmed: str

    @property
    def due_on(self) -> date | None:
        """The day by which it is wanted."""
        return self.judged.clause.due_on


def targets(found: Iterable[Judged]) -> list[Target]:
    """The clauses with a comparison, in the order of the plan."""
    return [_target(judged) for judged in found if judged.clause.op and judged.clause.amount is not None]


def _target(judged: Judged) -> Target:
    clause, result = judged.clause, judged.result
    indicator = clause.indicator if clause.indicator_id else None
    snapshot = result.snapshot if result else None
    return Target(
        judged=judged,
        name=indicator.title if indicator else clause.name or clause.text,
        wanted=f"{SIGNS[clause.op]} {_figure(clause.amount)}{clause.measure}",
        indicator_key=indicator.key if indicator else "",
        measured=snapshot.text if snapshot and snapshot.value is not None else "",
        as_of=snapshot.as_of if snapshot and snapshot.value is not None else None,
        url=snapshot.url if snapshot and snapshot.value is not None else "",
        unconfirmed=(indicator.to_confirm or "口径") if indicator and indicator.unconfirmed else "",
    )


def _figure(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


@dataclass(frozen=True)
class LateUnit:
    """A lead unit with overdue clauses. ``days`` since the earliest limit it has passed (None: not known for that day)."""

    group: Group
    worst: Judged
    days: int | None


def late_units(found: Truth, units: list[Group]) -> list[LateUnit]:
    """The units with overdue clauses: those that are late for longest first."""
    out = []
    for group in units:
        late = select(found, state=ClauseDay.OVERDUE, unit=group.key)
        if late:
            worst = min(late, key=lambda judged: judged.since or date.max)
            out.append(LateUnit(group, worst, days_late(worst, found.day)))
    return sorted(out, key=lambda unit: (-(unit.days or 0), -unit.group.counts[ClauseDay.OVERDUE]))


def days_late(judged: Judged, day: date) -> int | None:
    """Natural days since the limit that was passed, None for a clause that is not late or does not say."""
    return (day - judged.since).days if judged.since else None


# The ledger as rows of a workbook -------------------------------------------------------------------------------------


def steps(actor, row: PlanDocument) -> list[TaskStep]:
    """Every step of a document that was not withdrawn."""
    policies.read_ledger.require(actor)
    return list(
        TaskStep.objects.filter(task__document=row, withdrawn=False)
        .select_related("task__matter")
        .order_by("task__article_no", "due_on", "id")
    )


def helpers(actor, row: PlanDocument) -> list[TaskHelper]:
    """Every helping unit of a document, with its part."""
    policies.read_ledger.require(actor)
    return list(
        TaskHelper.objects.filter(task__document=row)
        .select_related("task__matter", "part")
        .order_by("task__article_no", "id")
    )


@dataclass
class OpenSet:
    """An open set (概称) with the units it meant on the day the ledger was opened, and the tasks that name it."""

    expression: str
    units: tuple[str, ...]
    tasks: list[PlanTask]

    @property
    def numbers(self) -> str:
        """The numbers of the tasks."""
        return "、".join(str(task.article_no) for task in self.tasks)


def open_sets(actor, row: PlanDocument, tasks: Iterable[int] | None = None) -> list[OpenSet]:
    """The open sets that a document's tasks (or only those of the given ids) name, in the order of the text.

    Sets of one wording with the same units stand once. The units bear the names they have today.
    """
    policies.read_ledger.require(actor)
    rows = TaskScope.objects.filter(task__document=row, task__dropped=False).select_related("task")
    if tasks is not None:
        rows = rows.filter(task__in=list(tasks))
    found: dict[tuple, OpenSet] = {}
    for scope in rows.prefetch_related("units").order_by("task__article_no", "id"):
        units = tuple(directory.unit_name(unit.pk) for unit in scope.units.all())
        same = found.setdefault((scope.expression, units), OpenSet(scope.expression, units, []))
        same.tasks.append(scope.task)
    return list(found.values())


def helper_state(helper: TaskHelper) -> str:
    """How far a helping unit is, in words."""
    if helper.part is None or helper.task.matter is None:
        return "未下达"
    return matters.process_of(helper.task.matter).flow_of(helper.part.kind).states[helper.part.state].title


# The wall -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """A task as a block of the frame: the light it is drawn with, and its words."""

    row: LedgerRow
    light: str
    words: str


@dataclass(frozen=True)
class Pillar:
    """A chapter as a pillar, its tasks as blocks."""

    title: str
    blocks: list[Block]


@dataclass(frozen=True)
class Urgent:
    """What is late, or due next: ``what`` (签收, 完成, 等办公室核查, or a step) has its limit on ``day``; ``when`` says how far that is."""

    row: LedgerRow
    light: str
    what: str
    day: date
    when: str


@dataclass(frozen=True)
class Wall:
    """Everything the wall shows."""

    truth: Truth
    pillars: list[Pillar]
    late: list[Urgent]
    next: list[Urgent]
    course: list[Day]


def wall(actor, row: PlanDocument) -> Wall:
    """The plan for the wall: its truth, its tasks by chapter, what is late and what is due next."""
    found = queries.truth(actor, row)
    rows = queries.ledger(actor, row)
    pillars: dict[str, list[Block]] = {}
    own = {one.clause.task_id: one for one in found.clauses if one.clause.kind == Clause.TASK}
    for shown in rows:
        light, words = _drawn(shown, own.get(shown.task.pk))
        pillars.setdefault(shown.task.chapter or NO_CHAPTER, []).append(Block(shown, light, words))
    left = [row for row in rows if row.open and not _kept(own.get(row.task.pk))]
    urgent = [one for row in left if (one := _urgent(row))]
    return Wall(
        truth=found,
        pillars=[Pillar(title, blocks) for title, blocks in pillars.items()],
        late=sorted((one for one in urgent if one.light in LATE), key=lambda one: one.day),
        next=sorted((one for one in urgent if one.light not in LATE), key=lambda one: one.day),
        course=course(actor, row, found),
    )


LATE = ("over", "law")

WAITED_FOR = {"issued": "签收", "checking": "等办公室核查"}
"""What the clock of a task is for, in the states in which it is not its own limit."""

STEP_NEAR = 7
"""Natural days before its date from which a step is drawn as near. Steps have no clock, and no light of their own."""


def _kept(clause: Judged | None) -> bool:
    return clause is not None and clause.state == ClauseDay.KEPT


def _drawn(row: LedgerRow, clause: Judged | None) -> tuple[str, str]:
    """Light and words of a task, by what it is held to: the figures beside count the same.

    A task whose check holds is kept before it is closed. A late step makes it late, as it makes its clause overdue. What
    is reported done is no longer the unit's to be late with: the office's time for checking stands in the list.
    """
    if row.light is None:
        return ("done", f"{row.state}，已兑现") if _kept(clause) else ("none", row.state)
    if row.open and _kept(clause):
        return "done", f"{row.state}，已兑现"
    if row.state_key == "checking":
        return "ok", f"{row.state}，{row.light.text}"
    if row.step_late:
        return "over", f"{row.state}，节点逾期"
    if not row.open and row.state_key == "withdrawn":
        return "none", row.state
    return row.light.shape, f"{row.state}，{row.light.text}"


def _urgent(row: LedgerRow) -> Urgent | None:
    """The nearest limit of an open task: that of its clock or of its next step; None when it has none."""
    limits: list[tuple[date, str, str]] = []
    if row.light.due_at is not None:
        last = shanghai_date(row.light.due_at - INSTANT)
        limits.append((last, WAITED_FOR.get(row.state_key, "完成"), row.light.shape))
    if row.next_step is not None and row.light.state != "paused":
        left = (row.next_step.due_on - today()).days
        drawn = "over" if left < 0 else "near" if left <= STEP_NEAR else "ok"
        limits.append((row.next_step.due_on, row.next_step.title, drawn))
    if not limits:
        return None
    day, what, light = min(limits)
    left = (day - today()).days
    when = f"逾期 {-left} 天" if left < 0 else "今天到期" if left == 0 else f"还有 {left} 天"
    return Urgent(row, light, what, day, when)


# What the public may know ---------------------------------------------------------------------------------------------


PUBLIC_STATES = {
    "going": "正在办理",
    "near": "临近期限",
    "late": "已超期限",
    "done": "已完成",
    "withdrawn": "已撤销",
}
"""The states of a published task in plain words, as they can be asked for."""

PUBLIC_LIGHTS = {"going": "ok", "near": "near", "late": "over", "done": "done", "withdrawn": "none"}

PUBLIC_STEPS = (("issued", "下达任务"), ("working", "部门办理"), ("checking", "核查结果"), ("closed", "完成"))


@dataclass(frozen=True)
class Published:
    """A published task as the public sees it: no person, no comment, no file, nothing that is typed inside."""

    found: PublicTask
    state: str

    @property
    def word(self) -> str:
        """The state in plain words."""
        return "已完成，晚于期限" if self.state == "done" and self.found.late else PUBLIC_STATES[self.state]

    @property
    def light(self) -> str:
        """How the state is drawn."""
        return PUBLIC_LIGHTS[self.state]

    @property
    def targets(self) -> list[Target]:
        """Its targets, with what was measured."""
        return targets(self.found.clauses)

    @property
    def path(self) -> list[dict]:
        """Where it is, for the Path. A withdrawn task went no further."""
        order = [key for key, _ in PUBLIC_STEPS]
        here = order.index(self.found.task.matter.state) if self.state != "withdrawn" else -1
        finished = self.state == "done"
        return [
            {
                "title": title,
                "state": "skip"
                if here < 0
                else "done"
                if place < here or finished
                else "now"
                if place == here
                else "todo",
            }
            for place, (_, title) in enumerate(PUBLIC_STEPS)
        ]


def published() -> list[Published]:
    """The tasks that the office chose to publish, for everybody."""
    return [Published(found, _public_state(found)) for found in queries.public_tasks()]


def _public_state(found: PublicTask) -> str:
    matter = found.task.matter
    if matter.closed_at is not None:
        return "withdrawn" if matter.state == "withdrawn" else "done"
    if matter.state == "checking":
        return (
            "going"  # The unit was in time or not, but what runs out now is the office's time for checking.
        )
    return {"over": "late", "law": "late", "near": "near"}.get(found.light.state, "going")


def search_published(
    rows: Iterable[Published], *, text: str = "", unit: str = "", state: str = ""
) -> list[Published]:
    """Published tasks in a state, of a lead unit, with every word of ``text`` in title, summary, chapter, unit or number."""
    words = text.split()
    return [
        row
        for row in rows
        if (not state or row.state == state)
        and (not unit or str(row.found.task.lead_unit_id) == unit)
        and all(_says(row, word) for word in words)
    ]


def _says(row: Published, word: str) -> bool:
    task = row.found.task
    text = f"{task.title}\n{task.summary}\n{task.chapter}\n{row.found.lead}\n{task.document.title}"
    # A bare number means an article, or stands in the words; in a document's number it would be found everywhere.
    named = word == str(task.article_no) if word.isdigit() else word in task.document.number
    return named or word.lower() in text.lower()


def published_task(task_id: int) -> Published:
    """One published task. Raises NotThere, also when it exists and is not published."""
    for row in published():
        if row.found.task.pk == task_id:
            return row
    raise NotThere("没有这项公开的任务。", todo="它可能已经不再公开；请从方案落实情况里查找。")


@dataclass(frozen=True)
class Figure:
    """How many published tasks are in a state, with the address of those very tasks."""

    state: str
    label: str
    light: str
    value: int
    url: str


def public_figures(rows: Iterable[Published]) -> list[Figure]:
    """Published tasks counted by state; only states that occur."""
    counts = {state: 0 for state in PUBLIC_STATES}
    for row in rows:
        counts[row.state] += 1
    return [
        Figure(
            state,
            PUBLIC_STATES[state],
            PUBLIC_LIGHTS[state],
            count,
            f"{reverse('programme:public')}?{urlencode({'state': state})}",
        )
        for state, count in counts.items()
        if count
    ]


@dataclass(frozen=True)
class Change:
    """Something that changed among the published tasks: ``what`` is 公开 or 完成."""

    at: datetime
    what: str
    row: Published
    url: str


def public_changes(rows: Iterable[Published], limit: int) -> list[Change]:
    """The latest changes, newest first. What was done before it was published counts from its publication."""
    changes = []
    for row in rows:
        task = row.found.task
        url = reverse("programme:public_task", args=[task.pk])
        changes.append(Change(task.published_at, "公开", row, url))
        if row.state == "done":
            changes.append(Change(max(task.matter.closed_at, task.published_at), "完成", row, url))
    return sorted(
        changes,
        key=lambda change: (change.at, change.what == "完成", -change.row.found.task.article_no),
        reverse=True,
    )[:limit]


def lead_of(task: PlanTask) -> str:
    """Short name of the unit that leads a task, as people inside say it; empty when there is none."""
    unit = directory.units().get(task.lead_unit_id) if task.lead_unit_id else None
    return unit.short if unit else ""
