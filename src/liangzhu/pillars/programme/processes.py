"""The matters of the programme: their kinds, guards and effects. The processes themselves are the files beside."""

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.beams.work.files import api as files
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.errors import Invalid, StepNotAllowed
from liangzhu.kernel.now import today
from liangzhu.kernel.workdays import end_of_day
from liangzhu.pillars.programme import actions, events, queries
from liangzhu.pillars.programme.models import Clause, Extension, PlanTask


@matters.choices("programme.indicators")
def indicator_choices(actor, matter) -> list[tuple[str, str]]:
    """Indicators that have a value, newest value shown; what is cited is that very snapshot."""
    return [
        (str(view.snapshot_id), f"{view.name}：{view.text}（{view.as_of:%Y-%m-%d}）")
        for view in indicators.latest_of_all(today())
    ]


@matters.guard("programme.evidence_given")
def evidence_given(act, matter, params: dict, data: dict, transition) -> None:
    """A report of completion carries evidence: a file with its fingerprint, or a measured indicator."""
    if not data.get("files") and not data.get("indicator"):
        raise Invalid({"files": "申请销号要有佐证：上传材料，或引用一个指标。"})


@matters.guard("programme.steps_finished", early=True)
def steps_finished(act, matter, params: dict, data: dict, transition) -> None:
    """All steps are finished or withdrawn before completion is reported."""
    task = PlanTask.objects.get(matter=matter)
    left = task.steps.filter(done_on=None, withdrawn=False)
    if left:
        names = "、".join(f"“{step.title}”" for step in left[:5])
        raise Invalid(
            f"还有 {len(left)} 个节点没有完成：{names}。", todo="请先报完成这些节点，或取消不再需要的节点。"
        )


@matters.effect("programme.cite_indicator")
def cite_indicator(act, matter, params: dict, data: dict, transition) -> None:
    """Remember in the log which snapshot was cited as evidence."""
    if data.get("indicator"):
        view = indicators.snapshot(int(data["indicator"]))
        act.log(matter.ref, cited=str(view.ref), value=view.text)


@matters.effect("programme.extend_task")
def extend_task(act, matter, params: dict, data: dict, transition) -> None:
    """An approved extension moves the limit of the task, its clause, its clock and the parts of its helpers."""
    extension = Extension.objects.select_related("task__matter").get(matter=matter)
    task = extension.task
    if task.matter.closed_at is not None:
        raise StepNotAllowed("任务已经结束，不能再延期。", todo="请选“不予延期”，注明任务已经结束。")
    old = task.due_on
    task.due_on = extension.new_due
    task.version += 1
    task.save(update_fields=["due_on", "version"])
    task.clauses.filter(kind=Clause.TASK).update(due_on=extension.new_due)
    matters.extend_clock(act, task.matter, "task", new_due_on=extension.new_due, reason=extension.reason)
    matters.move_parts(act, task.matter, kind="helper", due_at=end_of_day(extension.new_due))
    act.log(task.ref, old_due=old, new_due=extension.new_due, extension=extension.pk)
    act.emit(
        events.LimitExtended(subject=task.ref, old_due=old.isoformat(), new_due=extension.new_due.isoformat())
    )


@matters.choices("programme.tasks_to_extend")
def tasks_to_extend(actor, matter) -> list[tuple[str, str]]:
    """The tasks of the own unit for which a later limit may be asked."""
    return [
        (str(task.pk), f"{task.article_no}. {task.title}（{task.due_on:%Y-%m-%d}）")
        for task in queries.extensible(actor)
    ]


def open_extension(actor, *, title, data, note, files, once=""):
    """Ask for a later limit, as the page of the task does; the matter is that of the request."""
    if note or files:
        what = "note" if note else "files"
        raise Invalid({what: "延期申请不另收说明和附件，请写进理由。"})
    asked = actions.ask_extension(
        actor, task_id=int(data["task"]), new_due=data["new_due"], reason=data["reason"], once=once
    )
    return asked.matter


def task_panel(actor, matter) -> dict:
    """What the matter page shows of a task: article, helpers, steps, clauses, extensions, letters."""
    return queries.task_panel(actor, matter)


def extension_panel(actor, matter) -> dict:
    """What the matter page shows of a request for extension: the task, both limits, the reason."""
    return queries.extension_panel(actor, matter)


matters.register_kind(
    "plan_task",
    "计划任务",
    process="plan_task",
    panels=[("programme/panels/task.html", task_panel)],
    visible=lambda actor: True,
    elsewhere="领导小组办公室在“任务台账”里下达任务时登记",
)
matters.register_kind(
    "plan_extension",
    "延期申请",
    process="plan_extension",
    panels=[("programme/panels/extension.html", extension_panel)],
    visible=lambda actor: True,
    opening=matters.Opening(
        open_extension,
        policy="programme.work_on_task",
        title="申请延期",
        titled=False,
        fields=(
            matters.Field(
                "task",
                "任务",
                type="choice",
                required=True,
                source="programme.tasks_to_extend",
                help="本单位牵头、正在办理、有期限的任务。",
            ),
            matters.Field("new_due", "申请延至", type="date", required=True),
            matters.Field("reason", "理由", type="longtext", required=True, max=1000),
        ),
    ),
)


def _may_read_evidence(actor, ref) -> bool:
    return actor.signed_in


files.guard_downloads("plan_revision", _may_read_evidence)
