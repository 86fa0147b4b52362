"""Letters of supervision in words: what is so with a task, the text a letter begins with, and the paper it becomes."""

from collections.abc import Iterable

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.now import today
from liangzhu.kernel.workdays import shanghai_date
from liangzhu.pillars.programme.models import Letter, PlanDocument, PlanTask, TaskStep
from liangzhu.pillars.programme.papers.gbt9704 import (
    Column,
    Paper,
    Paragraph,
    Table,
    chinese_date,
)
from liangzhu.pillars.programme.papers.office import office_name

LATE_LIGHTS = ("over", "law")

OTHER_CLOCKS = {"issued": "签收", "checking": "核查"}
"""States of a task in which the clock that shows is not that of its limit, with what that clock is for."""


def late_steps(task: PlanTask) -> list[TaskStep]:
    """The steps that should be finished and are not, earliest first. Reads ``task.steps``, which may be prefetched."""
    left = [step for step in task.steps.all() if not step.withdrawn and step.done_on is None]
    return sorted((step for step in left if step.due_on < today()), key=lambda step: step.due_on)


def is_late(task: PlanTask) -> bool:
    """Whether the clock says so: a limit has passed, or that of a step. Nobody can be criticised for less."""
    if task.matter is None or task.matter.closed_at is not None:
        return False
    return _past_limit(task) or bool(late_steps(task))


def _past_limit(task: PlanTask) -> bool:
    """Whether the unit's own clock has run out. While the office checks, the clock that runs is the office's."""
    return task.matter.state != "checking" and matters.light(task.matter).state in LATE_LIGHTS


def situation(task: PlanTask) -> str:
    """What is so with an issued task today, in words, from its clock and steps."""
    light, state = matters.light(task.matter), f"现为“{matters.state_title(task.matter)}”"
    parts = [
        f"节点“{step.title}”应于 {step.due_on:%Y-%m-%d} 完成，已逾期 {(today() - step.due_on).days} 天"
        for step in late_steps(task)[:3]
    ]
    due = f"任务期限 {task.due_on:%Y-%m-%d}" if task.due_on else "任务没有定期限"
    other = OTHER_CLOCKS.get(task.matter.state)
    if other and light.due_at:
        parts.append(f"{state}，{other}{light.text}；{due}")
    else:
        parts.append(f"{state}，{due}" + (f"，{light.text}" if light.due_at else ""))
    return "；".join(parts)[:300]


def _named(tasks: list[PlanTask]) -> str:
    """第 9、13 项."""
    return f"第 {'、'.join(str(task.article_no) for task in tasks)} 项"


def _source(document: PlanDocument) -> str:
    return f"《{document.title}》" + (f"（{document.number}）" if document.number else "")


def urge_text(tasks: list[PlanTask]) -> str:
    """The text that an urging (催办单) begins with; paragraphs are separated by a line break. To be edited by a person."""
    if not tasks:
        return ""
    late = [task for task in tasks if is_late(task)]
    whose = "你单位牵头" if len({task.lead_unit_id for task in tasks}) == 1 else "各单位分别牵头"
    lines = [
        f"{_source(tasks[0].document)}{_named(tasks)}任务由{whose}，截至{chinese_date(today())}办理情况见附表。"
    ]
    if late:
        lines.append(f"其中{_named(late)}已经逾期，请立即说明原因和补救安排，并尽快完成。")
    lines.append(
        "请对照任务原文和期限抓紧办理，在系统内报送进展，写清已做什么、做到什么程度、下一步何时完成。"
    )
    lines.append("确实不能按期完成的，请按程序申请延期并说明理由；没有申请或者未获批准的，原期限不变。")
    return "\n".join(lines)


def criticism_title(tasks: list[PlanTask]) -> str:
    """The title that a notice of criticism (通报) begins with."""
    return f"关于{tasks[0].document.title}部分任务逾期情况的通报"[:200] if tasks else ""


def criticism_text(tasks: list[PlanTask]) -> str:
    """The text that a notice of criticism begins with. It names only what the clock shows."""
    if not tasks:
        return ""
    tree = directory.units()
    lines = [
        f"{_source(tasks[0].document)}部署的任务，截至{chinese_date(today())}有 {len(tasks)} 项没有按期完成，现予通报。"
    ]
    for task in tasks:
        lead = tree.get(task.lead_unit_id)
        lines.append(
            f"第 {task.article_no} 项“{task.title}”，由{lead.name if lead else ''}牵头：{situation(task)}。"
        )
    lines.append(
        "请有关单位认真查找原因，明确整改措施和完成时间，并在系统内报送。其他单位要引以为戒，按期完成各项任务。"
    )
    return "\n".join(lines)


def paper_of(letter: Letter) -> Paper:
    """The letter as an official paper: on screen, as .docx and as .pdf it is the same.

    Units bear the names they had on the day of the letter. A draft has neither number nor date, and says that it is one.
    """
    signed = letter.state == Letter.SIGNED
    day = shanghai_date(letter.signed_at if signed else letter.drafted_at)
    targets = list(letter.targets.select_related("task").order_by("task__article_no", "id"))
    names = {target.unit_id: directory.unit_name(target.unit_id, day) for target in targets}
    flags = [f"草稿（{letter.get_state_display()}）"] if not signed else []
    flags += ["演示数据"] if letter.document.demo else []
    table = Table(
        caption="任务办理情况",
        columns=(Column("条号", 2, "center"), Column("任务", 9), Column("牵头单位", 6), Column("情形", 11)),
        rows=tuple(
            (str(target.task.article_no), target.task.title, names[target.unit_id], target.situation)
            for target in targets
        ),
    )
    return Paper(
        title=letter.title,
        blocks=(*_paragraphs(letter.body.splitlines()), table),
        made_on=day,
        mark=office_name(),
        number=letter.number,
        addressees=tuple(dict.fromkeys(names.values())),
        signature=office_name(),
        signed_on=day if signed else None,
        printed_by=office_name() if signed else "",
        printed_on=day if signed else None,
        flags=tuple(flags),
    )


def _paragraphs(lines: Iterable[str]) -> list[Paragraph]:
    return [Paragraph(line.strip()) for line in lines if line.strip()]
