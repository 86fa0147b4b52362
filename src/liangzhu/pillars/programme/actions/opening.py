"""Opening the ledger (建账) from a reviewed text or from the pack's facts, and bringing it up to date."""

from datetime import date

from django.db.models import F

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.errors import Conflict, StepNotAllowed
from liangzhu.kernel.now import now
from liangzhu.pillars.programme import events, policies
from liangzhu.pillars.programme.actions.ledger import open_part
from liangzhu.pillars.programme.changes import (
    CHANGED,
    DROPPED,
    KINDS,
    NEW,
    Changes,
    TaskChange,
    planned,
    title_of,
    work_out,
)
from liangzhu.pillars.programme.facts import ArticleFacts, resolve
from liangzhu.pillars.programme.findings import head_of, newest_of
from liangzhu.pillars.programme.models import Clause, PlanDocument, PlanTask, Revision, TaskHelper

ASIDE = 10_000
"""Added to the numbers of tasks that change theirs, so that two can change places."""


@action("programme.open_ledger")
def open_ledger(act: Act, *, revision_id: int, expected: str = "") -> PlanDocument:
    """Open the ledger (建账) from a reviewed revision, or bring it up to date with a revised one.

    ``expected`` is the fingerprint of the changes that a person has seen; others raise Conflict. Tasks that were issued
    keep lead, limit, units and history. A task whose article is gone is marked and left for the office to withdraw.
    """
    act.check(policies.manage)
    revision = act.lock(Revision, pk=revision_id)
    document = act.lock(PlanDocument, pk=revision.document_id)
    latest = newest_of(document)
    if latest is None or latest.pk != revision.pk:
        raise StepNotAllowed(
            "这一稿已经撤回。" if revision.withdrawn else "这一稿已被新稿替代。",
            todo=f"请从第 {latest.no} 稿建账。" if latest else "请上传正确的文件。",
        )
    changes = planned(revision)
    if expected and expected != changes.fingerprint:
        raise Conflict(
            "识读结果或台账刚刚有改动，与您看到的不一样。", todo="请看过下面最新的差异，再提交一次。"
        )
    head = head_of(revision)
    document.number = head.get("number", "")[:60]
    document.title = title_of(document, head)
    document.issuer = head.get("issuer", "")[:100] or document.issuer
    document.issued_on = date.fromisoformat(head["date"]) if head.get("date") else document.issued_on
    document.ledger_revision = revision
    _apply(act, document, changes)
    counts = {kind: len(changes.of(kind)) for kind in KINDS}
    act.log(document.ref, revision=revision.no, **counts)
    act.emit(events.LedgerOpened(subject=document.ref, tasks=len(changes.tasks) - counts[DROPPED]))
    return document


@action("programme.open_ledger_from_facts")
def open_ledger_from_facts(
    act: Act,
    *,
    number: str,
    title: str,
    issuer: str,
    issued_on: date,
    articles: list[ArticleFacts],
    demo: bool = False,
) -> PlanDocument:
    """Open a ledger from facts that the district's pack carries; the text itself is uploaded by a person."""
    act.check(policies.manage)
    document, _ = PlanDocument.objects.select_for_update().get_or_create(
        number=number,
        defaults={
            "title": title,
            "issuer": issuer,
            "issued_on": issued_on,
            "demo": demo,
            "created_at": now(),
        },
    )
    _apply(act, document, work_out(document, resolve(articles, issued_on), {}))
    act.log(document.ref, number=number, tasks=len(articles), demo=demo)
    act.emit(events.LedgerOpened(subject=document.ref, tasks=len(articles)))
    return document


def _apply(act: Act, document: PlanDocument, changes: Changes) -> None:
    """Carry the changes out. The caller holds the document's lock."""
    gone = [one.task.pk for one in changes.of(DROPPED)]
    PlanTask.objects.filter(pk__in=gone).update(dropped=True, version=F("version") + 1)
    moving = [
        one.task.pk for one in changes.tasks if one.task and one.article and one.no != one.task.article_no
    ]
    PlanTask.objects.filter(pk__in=moving).update(article_no=F("article_no") + ASIDE)
    for change in changes.tasks:
        if change.kind in (NEW, CHANGED):
            _apply_task(act, document, change)
    document.state = PlanDocument.IN_FORCE
    document.version += 1
    document.save()


def _apply_task(act: Act, document: PlanDocument, change: TaskChange) -> None:
    facts = change.article.facts
    task = change.task or PlanTask(document=document)
    issued = task.matter_id is not None
    task.article_no, task.dropped = facts.no, False
    task.chapter, task.title, task.text = facts.chapter[:100], facts.title[:200], facts.text or task.text
    if not issued:
        task.lead_unit_id, task.due_on = change.article.lead_id, facts.due_on
    task.version += 1 if task.pk else 0
    task.save()
    _helpers(act, task, change)
    _scopes(task, change)
    _clauses(task, change)


def _helpers(act: Act, task: PlanTask, change: TaskChange) -> None:
    wanted = change.article.helper_ids
    if task.matter_id is None:
        task.helpers.filter(expression="").exclude(unit_id__in=wanted).delete()
    elif task.matter.closed_at is not None:
        return
    have = set(task.helpers.values_list("unit_id", flat=True)) | {task.lead_unit_id}
    new = [TaskHelper(task=task, unit_id=unit) for unit in wanted if unit not in have]
    TaskHelper.objects.bulk_create(new)
    if task.matter_id is not None:
        for helper in task.helpers.filter(unit_id__in=[one.unit_id for one in new]):
            open_part(act, task, helper)


def _scopes(task: PlanTask, change: TaskChange) -> None:
    """Remember which open sets (概称) the plan names; members take part when the office asks them to."""
    named = {task.lead_unit_id, *change.article.helper_ids}
    task.scopes.exclude(expression__in=change.article.members).delete()
    for expression, members in change.article.members.items():
        scope, _ = task.scopes.get_or_create(expression=expression)
        scope.units.set([unit for unit in members if unit not in named])


def _clauses(task: PlanTask, change: TaskChange) -> None:
    """The clause of the task as a whole, and one for each target. A target keeps its check wherever it stands now."""
    facts = change.article.facts
    known = {clause.pk: clause for clause in task.clauses.filter(dropped=False)}
    whole = next((clause for clause in known.values() if clause.kind == Clause.TASK), None)
    wanted = [
        (whole, {"no": str(facts.no), "kind": Clause.TASK, "text": facts.title[:500], "due_on": task.due_on})
    ]
    for place, target in enumerate(facts.targets):
        clause = known.get(change.clauses.get(place))
        values = {
            "no": f"{facts.no}.{place + 1}",
            "kind": Clause.TARGET,
            "text": target.text[:500],
            "name": target.name[:100],
            "op": target.op,
            "amount": target.amount,
            "measure": target.measure[:20],
            # A day that the office gave to a target stands where the plan names none.
            "due_on": target.due_on or (clause.due_on if clause else None),
        }
        if target.indicator_key and (clause is None or clause.indicator_id is None):
            values["indicator_id"] = indicators.indicator_id(target.indicator_key)
        wanted.append((clause, values))
    stay = {clause.pk for clause, _ in wanted if clause is not None}
    task.clauses.filter(pk__in=known.keys() - stay).update(dropped=True, version=F("version") + 1)
    for clause, values in wanted:
        if clause is not None and clause.no != values["no"]:
            # Two targets may change places; until both have their new number, neither may hold the other's.
            Clause.objects.filter(pk=clause.pk).update(no=f"~{clause.pk}"[:10])
    for clause, values in wanted:
        clause = clause or Clause(task=task, version=0)
        before = {name: getattr(clause, name) for name in values}
        if clause.pk and before == values:
            continue
        for name, value in values.items():
            setattr(clause, name, value)
        clause.version += 1
        clause.save()
