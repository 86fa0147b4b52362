"""How true the plan is: each clause is judged from the ledger and from measured indicators, never from what is typed.

A clause is one of four things on a day:

- **kept** (已兑现): its check holds, or its task was checked and closed;
- **overdue** (已逾期): its day has passed without that, a step of it is late, or nobody signed for it in time;
- **under way** (推进中): it has something to be held to, and time is left;
- **not yet measurable** (尚不可衡量): nothing measures it. It is said, and it counts in the denominator.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.kernel.workdays import shanghai_date
from liangzhu.pillars.programme.models import Clause, ClauseDay, PlanDocument, TaskStep

KEPT, UNDER_WAY, OVERDUE, UNMEASURED = (
    ClauseDay.KEPT,
    ClauseDay.UNDER_WAY,
    ClauseDay.OVERDUE,
    ClauseDay.UNMEASURED,
)

LIGHTS = {KEPT: "done", UNDER_WAY: "ok", OVERDUE: "over", UNMEASURED: "none"}
"""The light under which a state of a clause is drawn: the same shapes as a matter's."""

SIGNS = {">=": "≥", "<=": "≤", ">": ">", "<": "<", "=": "="}

INSTANT = timedelta(microseconds=1)
"""A day ends at 24:00, which is the first instant of the next one."""


@dataclass(frozen=True)
class Judged:
    """A clause with its state on a day, why, and what was measured (if anything).

    ``since`` is the limit that an overdue clause has passed, as far as it is known (days that were kept do not say).
    """

    clause: Clause
    state: str
    why: str
    result: "indicators.CheckResult | None" = None
    since: date | None = None

    @property
    def title(self) -> str:
        """The state in words."""
        return dict(ClauseDay.STATES)[self.state]

    @property
    def light(self) -> str:
        """The light under which it is drawn."""
        return LIGHTS[self.state]

    @property
    def check(self) -> str:
        """What it is held to, in words; "" for a task that is judged by the ledger alone."""
        return check_text(self.clause)


@dataclass(frozen=True)
class Truth:
    """All clauses of a document on a day."""

    document: PlanDocument
    day: date
    clauses: list[Judged]

    @property
    def counts(self) -> dict[str, int]:
        """How many clauses are in each state."""
        return {state: sum(judged.state == state for judged in self.clauses) for state, _ in ClauseDay.STATES}

    @property
    def percent(self) -> int:
        """Kept clauses in a hundred, rounded down: a plan is not called true before it is."""
        return 100 * self.counts[KEPT] // len(self.clauses) if self.clauses else 0

    @property
    def failing(self) -> list[Judged]:
        """The clauses that are not kept, the overdue first."""
        order = [OVERDUE, UNMEASURED, UNDER_WAY]
        rest = [judged for judged in self.clauses if judged.state != KEPT]
        return sorted(rest, key=lambda judged: (order.index(judged.state), judged.clause.pk))


def check_text(clause: Clause) -> str:
    """What a clause with a comparison is held to: 一网通办率 ≥ 85% · 2022-12-31; "" for one without."""
    if not clause.op or clause.amount is None:
        return ""
    name = clause.indicator.name if clause.indicator_id else clause.name
    wanted = f"{name} {SIGNS[clause.op]} {clause.amount.normalize():f}{clause.measure}"
    return f"{wanted} · {clause.due_on:%Y-%m-%d}" if clause.due_on else wanted


def judge(document: PlanDocument, day: date, task_id: int | None = None) -> list[Judged]:
    """Judge every clause of a document, or of one task, as it stands, on ``day`` (today, or a day being kept)."""
    of_task = {"task": task_id} if task_id else {}
    clauses = list(
        Clause.objects.filter(task__document=document, dropped=False, task__dropped=False, **of_task)
        .select_related("task", "task__matter", "indicator")
        .order_by("task__article_no", "id")
    )
    steps: dict[int, list[TaskStep]] = {}
    for step in TaskStep.objects.filter(task__document=document, withdrawn=False, **of_task):
        steps.setdefault(step.task_id, []).append(step)
    checks = {
        clause.pk: indicators.Check(clause.indicator.key, clause.op, clause.amount, clause.due_on)
        for clause in clauses
        if clause.indicator_id and clause.op and clause.amount is not None
    }
    results = indicators.evaluate_many(checks, day)
    return [_judge(clause, steps.get(clause.task_id, []), results.get(clause.pk), day) for clause in clauses]


def _judge(
    clause: Clause, steps: list[TaskStep], result: "indicators.CheckResult | None", day: date
) -> Judged:
    if result is not None:
        return _by_check(clause, result, day)
    if clause.kind == Clause.TARGET:
        return Judged(clause, UNMEASURED, "目标已写明，尚未绑定可执行的检查。")
    matter = clause.task.matter
    if matter is None:
        return Judged(clause, UNMEASURED, "任务尚未下达。")
    if matter.closed_at is not None and shanghai_date(matter.closed_at) <= day:
        if matter.state == "withdrawn":
            return Judged(clause, UNMEASURED, "任务已撤销，待修订文件。")
        return Judged(clause, KEPT, f"{shanghai_date(matter.closed_at):%Y-%m-%d} 核查销号。")
    if matter.state == "issued" and matter.promised_at is not None:
        sign_by = shanghai_date(matter.promised_at - INSTANT)
        if day > sign_by:
            return Judged(clause, OVERDUE, f"应于 {sign_by:%Y-%m-%d} 前签收，至今没有签收。", since=sign_by)
    due_on = clause.task.due_on
    if due_on is not None and day > due_on and matter.state != "checking":
        return Judged(clause, OVERDUE, f"期限 {due_on:%Y-%m-%d} 已过，尚未销号。", since=due_on)
    late = [step for step in steps if step.due_on < day and (step.done_on is None or step.done_on > day)]
    if late:
        return Judged(
            clause,
            OVERDUE,
            f"节点“{late[0].title}”应于 {late[0].due_on:%Y-%m-%d} 完成。",
            since=late[0].due_on,
        )
    if matter.state == "checking":
        return Judged(clause, UNDER_WAY, "已申请销号，等待核查。")
    if due_on is None and not steps:
        return Judged(clause, UNMEASURED, "没有期限，也没有节点或指标，无从衡量。")
    done = sum(step.done_on is not None and step.done_on <= day for step in steps)
    parts = [f"节点 {done}/{len(steps)}" if steps else "", f"期限 {due_on:%Y-%m-%d}" if due_on else ""]
    return Judged(clause, UNDER_WAY, "，".join(part for part in parts if part) + "。")


def _by_check(clause: Clause, result: "indicators.CheckResult", day: date) -> Judged:
    wanted = f"{SIGNS[clause.op]} {clause.amount.normalize():f}{clause.measure}"
    if result.state == "unmeasured":
        return Judged(clause, UNMEASURED, f"“{clause.indicator.name}”还没有数值。", result)
    value = f"{result.value.normalize():f}{clause.measure}"
    if result.state == "kept":
        return Judged(clause, KEPT, f"实测 {value}，达到 {wanted}。", result)
    if clause.due_on is not None and day > clause.due_on:
        return Judged(
            clause,
            OVERDUE,
            f"实测 {value}，{clause.due_on:%Y-%m-%d} 前未达到 {wanted}。",
            result,
            clause.due_on,
        )
    return Judged(clause, UNDER_WAY, f"实测 {value}，目标 {wanted}。", result)
