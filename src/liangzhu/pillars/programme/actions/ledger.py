"""Working with the ledger: issue, split, extend, publish, measure."""

from datetime import date
from decimal import Decimal

from django.urls import reverse

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.errors import Conflict, Invalid, StepNotAllowed
from liangzhu.kernel.now import now, today
from liangzhu.kernel.pack import pack
from liangzhu.kernel.workdays import end_of_day, shanghai_date
from liangzhu.pillars.programme import events, policies
from liangzhu.pillars.programme.models import (
    Clause,
    ClauseDay,
    Extension,
    Finding,
    PlanDocument,
    PlanTask,
    TaskHelper,
    TaskStep,
)
from liangzhu.pillars.programme.truth import judge

FARTHEST = 20
"""Years: a limit further away than this is a slip of the finger."""


def _same(row, version: int | None, what: str) -> None:
    if version is not None and version != row.version:
        raise Conflict(f"{what}刚刚被别人改过，现为第 {row.version} 版。")


def _sensible_day(field: str, day: date | None) -> None:
    if day is not None and not 2000 <= day.year <= today().year + FARTHEST:
        raise Invalid({field: f"{day:%Y-%m-%d} 不在合理范围内，请核对年份。"})


@action("programme.issue_task")
def issue_task(
    act: Act,
    *,
    task_id: int,
    due_on: date | None = None,
    helper_ids: list[int] | None = None,
    version: int | None = None,
) -> PlanTask:
    """Issue (下达) a task: a matter opens at the lead unit, with a part for each helping unit.

    ``due_on`` replaces the limit read in the plan (or gives one where the plan names none). ``helper_ids`` are further
    units out of the plan's open sets. The other members of open sets get a notice.
    """
    act.check(policies.manage)
    task = act.lock(PlanTask, pk=task_id)
    _same(task, version, f"任务 {task.article_no} ")
    if task.matter_id is not None:
        raise StepNotAllowed(
            f"任务 {task.article_no} 已于 {task.issued_at:%Y-%m-%d} 下达。", todo="不必重复下达。"
        )
    if task.dropped:
        raise StepNotAllowed(f"任务 {task.article_no} 在修订稿中已删去，不能下达。")
    if task.document.state != PlanDocument.IN_FORCE:
        raise StepNotAllowed("文件还没有建账。", todo="请先校核并建账。")
    if due_on is not None:
        _sensible_day("due_on", due_on)
        if due_on < today():
            raise Invalid({"due_on": f"期限 {due_on:%Y-%m-%d} 早于今天，请核对。"})
        task.due_on = due_on
    office = directory.units().by_key(pack().district["programme_office"]["unit"]).id
    matter = matters.open_matter(
        act,
        kind="plan_task",
        title=f"{task.article_no}. {task.title}",
        parties={"lead": task.lead_unit_id, "office": office},
        holding_unit_id=task.lead_unit_id,
        applicant=str(task.document.ref),
        due_on=task.due_on,
    )
    task.matter, task.issued_at = matter, now()
    task.version += 1
    task.save()
    task.clauses.filter(kind=Clause.TASK).update(due_on=task.due_on)
    offered = {
        unit: scope.expression
        for scope in task.scopes.all()
        for unit in scope.units.values_list("id", flat=True)
    }
    for unit_id in helper_ids or []:
        if unit_id not in offered:
            raise Invalid({"helper_ids": f"{directory.unit_name(unit_id)}不在文件写明的参与范围内。"})
        TaskHelper.objects.get_or_create(
            task=task, unit_id=unit_id, defaults={"expression": offered[unit_id]}
        )
    for helper in task.helpers.filter(part=None):
        open_part(act, task, helper)
    taking_part = set(task.helpers.values_list("unit_id", flat=True)) | {task.lead_unit_id}
    told = [
        post.id for unit in offered if unit not in taking_part for post in directory.posts(unit, head=True)
    ]
    if told:
        matters.notify(
            told,
            key=f"{task.ref}:scope",
            title=f"请知悉：计划任务 {task.article_no}《{task.title}》",
            text="文件以概称写明本单位在参与范围内；需要承担具体工作时，领导小组办公室会另行交办。",
            matter=matter,
        )
    act.log(task.ref, matter=matter.pk, lead=task.lead_unit_id, due=task.due_on, helpers=len(taking_part) - 1)
    act.emit(events.TaskIssued(subject=task.ref, matter_id=matter.pk))
    return task


def open_part(act: Act, task: PlanTask, helper: TaskHelper) -> None:
    """Give a helping unit of an issued task its part of the matter, with the task's limit.

    A unit that is asked after the limit has passed gets none: nobody is late with what was not asked for in time.
    """
    in_time = task.due_on is not None and task.due_on >= today()
    helper.part = matters.add_part(
        act,
        task.matter,
        kind="helper",
        unit_id=helper.unit_id,
        title=f"配合：{task.title}"[:200],
        due_at=end_of_day(task.due_on) if in_time else None,
    )
    helper.save(update_fields=["part"])


@action("programme.add_helper")
def add_helper(act: Act, *, task_id: int, unit_id: int) -> TaskHelper:
    """Ask one more unit out of the plan's open sets to help with an issued task."""
    act.check(policies.manage)
    task = act.lock(PlanTask, pk=task_id)
    if task.matter_id is None or task.matter.closed_at is not None:
        raise StepNotAllowed("任务尚未下达或已经结束，不能增加配合单位。")
    scope = task.scopes.filter(units=unit_id).first()
    if scope is None:
        raise Invalid({"unit_id": "该单位不在文件写明的参与范围内。"})
    helper, created = TaskHelper.objects.get_or_create(
        task=task, unit_id=unit_id, defaults={"expression": scope.expression}
    )
    if not created:
        raise Invalid({"unit_id": f"{directory.unit_name(unit_id)}已是配合单位。"})
    open_part(act, task, helper)
    act.log(task.ref, helper=unit_id, expression=scope.expression)
    return helper


@action("programme.set_limit")
def set_limit(act: Act, *, task_id: int, due_on: date, reason: str, version: int | None = None) -> PlanTask:
    """Give a limit to an issued task for which the plan names none. A limit that exists changes by extension only."""
    act.check(policies.manage)
    task = act.lock(PlanTask, pk=task_id)
    _same(task, version, f"任务 {task.article_no} ")
    if task.due_on is not None:
        raise StepNotAllowed(
            f"任务 {task.article_no} 已有期限 {task.due_on:%Y-%m-%d}。", todo="改期请由牵头单位申请延期。"
        )
    if task.matter_id is None or task.matter.state not in ("issued", "working"):
        raise StepNotAllowed("只有待签收或办理中的任务可以补定期限。")
    _sensible_day("due_on", due_on)
    if due_on < today():
        raise Invalid({"due_on": "期限不能早于今天。"})
    if not reason.strip():
        raise Invalid({"reason": "请写明依据。"})
    task.due_on = due_on
    task.version += 1
    task.save()
    matters.start_clock(act, task.matter, "task", due_on=due_on)
    matters.move_parts(act, task.matter, kind="helper", due_at=end_of_day(due_on))
    task.clauses.filter(kind=Clause.TASK).update(due_on=due_on)
    act.log(task.ref, due=due_on, reason=reason)
    return task


def _in_work(task: PlanTask, what: str) -> None:
    """Steps belong to a task that is being worked on; once completion is reported they stand as they are."""
    if task.matter_id is None or task.matter.closed_at is not None:
        raise StepNotAllowed(f"任务尚未下达或已经结束，不能{what}。")
    if task.matter.state == "issued":
        raise StepNotAllowed("任务还没有签收。", todo=f"请先签收，再{what}。")
    if task.matter.state != "working":
        raise StepNotAllowed(f"任务已申请销号，正在核查，不能{what}。", todo="核查退回后可以继续调整节点。")


@action("programme.split_steps")
def split_steps(act: Act, *, task_id: int, steps: list[dict]) -> PlanTask:
    """Split a task into steps (节点): each ``{"title", "due_on", "unit_id"}``; the unit is the lead or a helper.

    ``row`` may say which row of a form a step came from; Invalid names fields ``title-<row>``, ``due_on-<row>`` and
    ``unit-<row>``. All steps are made, or none.
    """
    task = act.lock(PlanTask, pk=task_id)
    act.check(policies.work_on_task, task)
    _in_work(task, "拆分节点")
    if not steps:
        raise Invalid({"": "请至少填写一个节点。"})
    units = {task.lead_unit_id, *task.helpers.values_list("unit_id", flat=True)}
    made, wrong = [], {}
    for position, step in enumerate(steps, start=1):
        row = step.get("row", position)
        title, due_on, unit_id = (
            step["title"].strip(),
            step["due_on"],
            step.get("unit_id") or task.lead_unit_id,
        )
        if not title:
            wrong[f"title-{row}"] = f"第 {row} 个节点没有名称。"
        day = _step_day(task, due_on)
        if day:
            wrong[f"due_on-{row}"] = day
        if unit_id not in units:
            wrong[f"unit-{row}"] = "节点只能由牵头或配合单位承担。"
        made.append(TaskStep(task=task, unit_id=unit_id, title=title[:200], due_on=due_on))
    if wrong:
        raise Invalid(wrong)
    TaskStep.objects.bulk_create(made)
    act.log(task.ref, steps=[[step.title, step.due_on, step.unit_id] for step in made])
    return task


def _step_day(task: PlanTask, day: date) -> str:
    """What is wrong with the planned day of a step; "" when nothing is."""
    if day < today():
        return f"{day:%Y-%m-%d} 早于今天，请核对。"
    if task.due_on and day > task.due_on:
        return f"晚于任务期限 {task.due_on:%Y-%m-%d}；确需更晚时，请先申请延期。"
    if day.year > today().year + FARTHEST:
        return f"{day:%Y-%m-%d} 不在合理范围内，请核对年份。"
    return ""


@action("programme.edit_step")
def edit_step(
    act: Act, *, step_id: int, title: str, due_on: date, withdraw: bool = False, version: int | None = None
) -> TaskStep:
    """Rename a step, move its date (never past the task's limit), or withdraw it. The log keeps what it was."""
    step = act.lock(TaskStep, pk=step_id)
    act.check(policies.work_on_task, step.task)
    _same(step, version, "这个节点")
    _in_work(step.task, "调整节点")
    if step.done_on:
        raise StepNotAllowed("节点已完成，不能再改。")
    if step.due_on < today() and due_on > step.due_on:
        raise Invalid({"due_on": "节点已经逾期，日期不能往后改。"}, todo="请报完成情况，或为任务申请延期。")
    wrong = _step_day(step.task, due_on) if due_on != step.due_on else ""
    if wrong:
        raise Invalid({"due_on": wrong})
    if not title.strip():
        raise Invalid({"title": "请写明节点名称。"})
    before = [step.title, step.due_on, step.withdrawn]
    step.title, step.due_on, step.withdrawn = title.strip()[:200], due_on, withdraw
    step.version += 1
    step.save()
    act.log(step.ref, before=before, after=[step.title, step.due_on, step.withdrawn])
    return step


@action("programme.finish_step")
def finish_step(
    act: Act, *, step_id: int, result: str, done_on: date | None = None, version: int | None = None
) -> TaskStep:
    """Report a step as finished, saying what was done. ``done_on`` is today unless given, and never in the future."""
    step = act.lock(TaskStep, pk=step_id)
    act.check(policies.work_on_step, step)
    _same(step, version, "这个节点")
    _in_work(step.task, "报节点完成")
    if step.done_on or step.withdrawn:
        raise StepNotAllowed("节点已完成或已取消。")
    done_on = done_on or today()
    if done_on > today():
        raise Invalid({"done_on": "完成日期不能晚于今天。"})
    if done_on < shanghai_date(step.task.issued_at):
        raise Invalid({"done_on": f"早于任务下达日 {shanghai_date(step.task.issued_at):%Y-%m-%d}，请核对。"})
    if not result.strip():
        raise Invalid({"result": "请写明完成情况。"})
    step.done_on, step.result = done_on, result.strip()[:500]
    step.version += 1
    step.save()
    act.log(step.ref, done_on=done_on)
    return step


@action("programme.ask_extension")
def ask_extension(act: Act, *, task_id: int, new_due: date, reason: str) -> Extension:
    """Ask for a later limit (延期申请). The unit's head agrees, the head of the office approves; three persons."""
    task = act.lock(PlanTask, pk=task_id)
    act.check(policies.work_on_task, task)
    if task.matter_id is None or task.matter.state != "working":
        raise StepNotAllowed("只有办理中的任务可以申请延期。")
    if task.due_on is None:
        raise StepNotAllowed("这项任务没有期限，不需要延期。")
    if task.extensions.filter(matter__closed_at=None).exists():
        raise StepNotAllowed("已有一份延期申请在审批。", todo="请等审批结果。")
    _sensible_day("new_due", new_due)
    if new_due <= task.due_on:
        raise Invalid({"new_due": f"新期限应晚于现期限 {task.due_on:%Y-%m-%d}。"})
    if not reason.strip():
        raise Invalid({"reason": "请写明延期理由。"})
    matter = matters.open_matter(
        act,
        kind="plan_extension",
        title=f"延期申请：{task.title}（至 {new_due:%Y-%m-%d}）"[:200],
        parties={party.name: party.unit_id for party in task.matter.parties.all()},
        holding_unit_id=task.lead_unit_id,
        parent=task.matter,
    )
    extension = Extension.objects.create(
        task=task, matter=matter, old_due=task.due_on, new_due=new_due, reason=reason.strip()[:1000]
    )
    act.log(extension.ref, task=task.pk, old=task.due_on, new=new_due)
    return extension


@action("programme.propose_publication")
def propose_publication(act: Act, *, task_id: int, summary: str, version: int | None = None) -> PlanTask:
    """Draft what the public would read of a task, and ask the head of the office to decide on it (拟公开)."""
    act.check(policies.manage)
    task = act.lock(PlanTask, pk=task_id)
    _same(task, version, f"任务 {task.article_no} ")
    _issued(task)
    if task.public:
        raise StepNotAllowed("这项任务已经公开。", todo="改公开摘要由办公室负责人办理；也可以先撤回公开。")
    task.summary = summary.strip()[:300]
    task.version += 1
    task.save()
    matters.notify(
        [post.id for post in directory.posts(role="programme.office_head")],
        key=f"{task.ref}:publish:{task.version}",
        title=f"请决定是否公开：任务 {task}"[:200],
        text=task.summary or "没有写摘要。",
        url=reverse("programme:publish", args=[task.pk]),
        matter=task.matter,
    )
    act.log(task.ref, proposed=task.summary)
    return task


def _issued(task: PlanTask) -> None:
    if task.matter_id is None:
        raise StepNotAllowed("尚未下达的任务不能公开。")


@action("programme.publish_task")
def publish_task(
    act: Act, *, task_id: int, public: bool, summary: str | None = None, version: int | None = None
) -> PlanTask:
    """Show a task to the public, or take it back. The public sees title, lead unit, limit, state and the summary.

    The head of the office decides what is shown; anybody of the office takes it back. ``summary`` None leaves it as it is.
    """
    act.check(policies.publish_task if public else policies.manage)
    task = act.lock(PlanTask, pk=task_id)
    _same(task, version, f"任务 {task.article_no} ")
    if public:
        _issued(task)
    task.public = public
    if summary is not None:
        task.summary = summary.strip()[:300]
    task.published_at = now() if public else None
    task.version += 1
    task.save()
    act.log(task.ref, public=public)
    act.emit(events.TaskPublished(subject=task.ref, public=public))
    return task


@action("programme.bind_check")
def bind_check(
    act: Act,
    *,
    clause_id: int,
    indicator_key: str,
    op: str = "",
    amount: Decimal | None = None,
    due_on: date | None = None,
    version: int | None = None,
) -> Clause:
    """Bind a clause to an executable check: an indicator with a comparison and a day. An empty key unbinds it.

    For a target the comparison stays what the plan says, and the indicator must count in the same unit; for a task as
    a whole the comparison is given here.
    """
    act.check(policies.manage)
    clause = act.lock(Clause, pk=clause_id)
    _same(clause, version, f"条款 {clause.no} ")
    _sensible_day("due_on", due_on)
    if indicator_key:
        clause.indicator_id = indicators.indicator_id(indicator_key)
        measure = next(row.measure_unit for row in indicators.definitions() if row.key == indicator_key)
        if clause.kind == Clause.TASK:
            if op not in dict(Finding.OPS) or amount is None:
                raise Invalid({"amount": "请给出比较方式和目标值。"})
            clause.op, clause.amount, clause.measure = op, amount, measure
        elif clause.measure != measure:
            raise Invalid(
                {
                    "indicator_key": f"文件的目标以“{clause.measure or '无单位'}”计，"
                    f"这个指标以“{measure or '无单位'}”计，不能比较。"
                }
            )
    else:
        clause.indicator = None
        if clause.kind == Clause.TASK:
            clause.op, clause.amount, clause.measure, clause.due_on = "", None, "", clause.task.due_on
    if due_on is not None:
        clause.due_on = due_on
    clause.version += 1
    clause.save()
    act.log(clause.ref, indicator=indicator_key, op=clause.op, amount=str(clause.amount), due=clause.due_on)
    return clause


@action("programme.judge_clauses")
def judge_clauses(act: Act, *, document_id: int, day: date | None = None) -> PlanDocument:
    """Keep the state of every clause for a day (today unless given). Judging a day again replaces what was kept."""
    act.check(policies.manage)
    document = act.lock(PlanDocument, pk=document_id)
    day = day or today()
    states = judge(document, day)
    ClauseDay.objects.bulk_create(
        [
            ClauseDay(clause_id=state.clause.pk, day=day, state=state.state, why=state.why[:200])
            for state in states
        ],
        update_conflicts=True,
        unique_fields=["clause", "day"],
        update_fields=["state", "why"],
    )
    kept = sum(state.state == ClauseDay.KEPT for state in states)
    act.log(document.ref, day=day, kept=kept, total=len(states))
    act.emit(events.ClausesJudged(subject=document.ref, day=day.isoformat(), kept=kept, total=len(states)))
    return document
