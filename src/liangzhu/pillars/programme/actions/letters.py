"""Letters of supervision: urging by one person, criticism by two."""

from collections.abc import Iterable

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.errors import Conflict, Denied, Invalid, StepNotAllowed
from liangzhu.kernel.now import now, today
from liangzhu.kernel.pack import pack
from liangzhu.kernel.releases import next_number
from liangzhu.pillars.programme import events, policies
from liangzhu.pillars.programme.letters import is_late, situation
from liangzhu.pillars.programme.models import Letter, LetterTarget, PlanTask

SERIES = {Letter.URGE: "urge", Letter.CRITICISM: "criticise"}
"""The pack's number series (`document_series`) for each kind of letter."""


def _number(kind: str) -> str:
    """The number of a letter: the pack names the series (机关代字), the year and number follow."""
    series = next(row for row in pack().district["document_series"] if row["key"] == SERIES[kind])
    return f"{series['prefix']}〔{today().year}〕{next_number(f'programme.{kind}')}号"


def _tasks(act: Act, task_ids: Iterable[int]) -> list[PlanTask]:
    tasks = [act.lock(PlanTask, pk=task_id) for task_id in dict.fromkeys(task_ids)]
    if not tasks:
        raise Invalid({"tasks": "请至少选择一项任务。"})
    if len({task.document_id for task in tasks}) > 1:
        raise Invalid({"tasks": "一份文书只能针对同一份计划文件。"})
    for task in tasks:
        if task.matter_id is None or task.matter.closed_at is not None:
            raise StepNotAllowed(f"任务 {task.article_no} 尚未下达或已经结束。", todo="请去掉这一项再提交。")
    return tasks


def _targets(letter: Letter, tasks: list[PlanTask]) -> None:
    LetterTarget.objects.bulk_create(
        LetterTarget(letter=letter, task=task, unit_id=task.lead_unit_id, situation=situation(task))
        for task in tasks
    )


@action("programme.urge")
def urge(act: Act, *, task_ids: list[int], body: str) -> Letter:
    """Issue an urging (催办单) to the lead units of some tasks; each unit's officers and head get a notice."""
    act.check(policies.manage)
    tasks = _tasks(act, task_ids)
    if not body.strip():
        raise Invalid({"body": "请写明催办要求。"})
    letter = Letter.objects.create(
        document=tasks[0].document,
        kind=Letter.URGE,
        number=_number(Letter.URGE),
        title=f"关于加快办理“{tasks[0].title}”{'等任务' if len(tasks) > 1 else ''}的催办单"[:200],
        body=body.strip(),
        state=Letter.SIGNED,
        drafted_by=str(act.actor.ref),
        drafted_person_id=getattr(act.actor, "person_id", None),
        drafted_label=act.actor.label,
        drafted_at=now(),
        signed_by=str(act.actor.ref),
        signed_label=act.actor.label,
        signed_at=now(),
    )
    _targets(letter, tasks)
    _tell(letter, "urge")
    act.log(letter.ref, number=letter.number, tasks=[task.pk for task in tasks])
    act.emit(events.LetterSigned(subject=letter.ref, kind=letter.kind))
    return letter


@action("programme.draft_criticism")
def draft_criticism(act: Act, *, task_ids: list[int], title: str, body: str) -> Letter:
    """Draft a notice of criticism (通报) about tasks that are late. Only what the clock shows late can be named."""
    act.check(policies.manage)
    tasks = _tasks(act, task_ids)
    if not title.strip() or not body.strip():
        raise Invalid({"title" if not title.strip() else "body": "标题和正文都要填写。"})
    for task in tasks:
        if not is_late(task):
            raise Invalid({"tasks": f"任务 {task.article_no} 没有逾期，不能通报。"}, todo="请改用催办单。")
    letter = Letter.objects.create(
        document=tasks[0].document,
        kind=Letter.CRITICISM,
        title=title.strip()[:200],
        body=body.strip(),
        drafted_by=str(act.actor.ref),
        drafted_person_id=getattr(act.actor, "person_id", None),
        drafted_label=act.actor.label,
        drafted_at=now(),
    )
    _targets(letter, tasks)
    act.log(letter.ref, tasks=[task.pk for task in tasks])
    return letter


@action("programme.sign_letter")
def sign_letter(
    act: Act, *, letter_id: int, accept: bool = True, reason: str = "", version: int | None = None
) -> Letter:
    """Sign a notice of criticism, or send it back with a reason. The drafter cannot sign (两人原则)."""
    letter = act.lock(Letter, pk=letter_id)
    act.check(policies.sign_letter, letter)
    if version is not None and version != letter.version:
        raise Conflict(f"这份文书刚刚被改为“{letter.get_state_display()}”。")
    if letter.state != Letter.DRAFT:
        raise StepNotAllowed(f"这份文书{letter.get_state_display()}，不能再签发。")
    if letter.drafted_person_id and letter.drafted_person_id == getattr(act.actor, "person_id", None):
        raise Denied("起草人不能签发自己起草的通报。", todo="请另一位负责人签发。")
    if not accept and not reason.strip():
        raise Invalid({"reason": "请写明退回理由。"})
    letter.state = Letter.SIGNED if accept else Letter.REFUSED
    letter.refusal = "" if accept else reason.strip()[:300]
    letter.signed_by, letter.signed_label, letter.signed_at = str(act.actor.ref), act.actor.label, now()
    if accept:
        letter.number = _number(Letter.CRITICISM)
    letter.version += 1
    letter.save()
    if accept:
        _tell(letter, "urge")
        act.emit(events.LetterSigned(subject=letter.ref, kind=letter.kind))
    act.log(letter.ref, state=letter.state, number=letter.number)
    return letter


def _tell(letter: Letter, level: str) -> None:
    """Notices to the officers and heads of the units concerned."""
    for target in letter.targets.select_related("task__matter"):
        matters.notify(
            [post.id for post in directory.posts(target.unit_id)],
            key=f"{letter.ref}:{target.pk}",
            title=f"{letter.get_kind_display()} {letter.number}：{target.task.title}"[:200],
            text=target.situation,
            url=f"/programme/letters/{letter.pk}/",
            level=level,
            matter=target.task.matter,
        )
