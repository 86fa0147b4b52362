"""Every read of the programme, scoped to who asks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Prefetch, Q, QuerySet

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.errors import NotThere, Problem
from liangzhu.kernel.now import today
from liangzhu.pillars.programme import policies
from liangzhu.pillars.programme.models import (
    Clause,
    ClauseDay,
    Finding,
    Letter,
    PlanDocument,
    PlanTask,
    Revision,
    TaskStep,
)
from liangzhu.pillars.programme.truth import Judged, Truth, judge


def documents(actor) -> QuerySet[PlanDocument]:
    """Plan documents; all staff may read them."""
    policies.read_ledger.require(actor)
    return PlanDocument.objects.annotate(task_count=Count("tasks")).order_by("-issued_on", "-id")


def document(actor, document_id: int) -> PlanDocument:
    """One document. Raises NotThere."""
    policies.read_ledger.require(actor)
    found = PlanDocument.objects.filter(pk=document_id).first()
    if found is None:
        raise NotThere("没有这份计划文件。")
    return found


def current_document(actor, document_id: str | int | None = None) -> PlanDocument | None:
    """The document asked for, or the newest one with a ledger, or None when there is none."""
    if document_id:
        if not str(document_id).isdigit():
            raise NotThere("没有这份计划文件。")
        return document(actor, int(document_id))
    return documents(actor).filter(state=PlanDocument.IN_FORCE).first()


def revision(actor, revision_id: int) -> Revision:
    """One text of a document. Raises NotThere."""
    policies.read_ledger.require(actor)
    found = Revision.objects.select_related("document").filter(pk=revision_id).first()
    if found is None:
        raise NotThere("没有这一稿。")
    return found


def finding(actor, finding_id: int) -> Finding:
    """One finding. Raises NotThere."""
    policies.manage.require(actor)
    found = Finding.objects.select_related("revision__document").filter(pk=finding_id).first()
    if found is None:
        raise NotThere("没有这一条识读结果。")
    return found


@dataclass(frozen=True)
class Resolution:
    """What the directory says to a unit's name: the unit found, or the message why not."""

    name: str = ""
    kind: str = ""
    message: str = ""
    members: tuple[str, ...] = ()
    unconfirmed: bool = False

    @property
    def ok(self) -> bool:
        """Whether it is one unit, or a known open set."""
        return not self.message


@dataclass(frozen=True)
class ReviewedFinding:
    """A finding with what the directory says about it (units and open sets only)."""

    row: Finding
    resolution: Resolution | None = None


@dataclass(frozen=True)
class ReviewedArticle:
    """Everything found in one article; ``head`` is its title, None for the document's head."""

    no: int | None
    head: Finding | None
    findings: list[ReviewedFinding]

    @property
    def open_count(self) -> int:
        """How many doubts wait for a decision."""
        return sum(found.row.open for found in self.findings) + bool(self.head and self.head.open)

    @property
    def is_task(self) -> bool:
        """Whether it names anybody responsible."""
        return any(
            found.row.kind in ("lead", "helper", "open_set") and found.row.decision != Finding.REJECTED
            for found in self.findings
        )

    @property
    def has_lead(self) -> bool:
        """Whether a lead unit stands."""
        return any(
            found.row.kind == "lead" and found.row.decision != Finding.REJECTED for found in self.findings
        )


def _resolution(row: Finding, day: date | None) -> Resolution | None:
    if row.kind in ("lead", "helper"):
        try:
            unit = directory.resolve_unit(row.value, day)
        except Problem as problem:
            return Resolution(message=problem.detail)
        return Resolution(name=unit.name, kind=directory.kind_title(unit.kind), unconfirmed=unit.unconfirmed)
    if row.kind == "open_set":
        try:
            found = directory.expand_set(row.value, day)
        except Problem as problem:
            return Resolution(message=problem.detail)
        tree = directory.units(day)
        names = tuple(tree.get(unit).name for unit in found.unit_ids)
        return Resolution(name=row.value, kind="概称", members=names, unconfirmed=found.unconfirmed)
    return None


def review(actor, row: Revision) -> list[ReviewedArticle]:
    """All findings of a revision by article, the document's head first."""
    policies.read_ledger.require(actor)
    by_article: dict[int | None, list[Finding]] = {}
    for found in row.findings.order_by("article_no", "start", "id"):
        by_article.setdefault(found.article_no, []).append(found)
    out = []
    for no in sorted(by_article, key=lambda no: (no is not None, no or 0)):
        rows = by_article[no]
        head = next((found for found in rows if found.kind == "article"), None)
        out.append(
            ReviewedArticle(
                no,
                head,
                [
                    ReviewedFinding(found, _resolution(found, row.document.issued_on))
                    for found in rows
                    if found.kind not in ("article", "chapter")
                ],
            )
        )
    return out


@dataclass(frozen=True)
class LedgerRow:
    """One task in the ledger, with its light from the clock and its steps counted."""

    task: PlanTask
    lead: str
    helpers: int
    state: str
    light: "matters.Light | None"
    steps: int
    steps_done: int
    next_step: TaskStep | None


def tasks(actor, row: PlanDocument) -> QuerySet[PlanTask]:
    """The tasks of a document; all staff see the whole ledger."""
    policies.read_ledger.require(actor)
    return (
        PlanTask.objects.filter(document=row)
        .select_related("matter", "matter__release", "document")
        .prefetch_related(
            Prefetch("steps", queryset=TaskStep.objects.filter(withdrawn=False)),
            "helpers",
            "scopes",
        )
        .order_by("article_no")
    )


def ledger(
    actor, row: PlanDocument, *, unit_id: int | None = None, light: str = "", state: str = "", text: str = ""
) -> list[LedgerRow]:
    """The ledger, filtered by lead or helping unit, light, state and words."""
    rows = tasks(actor, row)
    if unit_id:
        rows = rows.filter(Q(lead_unit_id=unit_id) | Q(helpers__unit_id=unit_id)).distinct()
    if text:
        rows = rows.filter(Q(title__icontains=text) | Q(text__icontains=text))
    tree = directory.units()
    out = []
    for task in rows:
        steps = list(task.steps.all())
        left = [step for step in steps if step.done_on is None]
        lead = tree.get(task.lead_unit_id) if task.lead_unit_id else None
        shown = LedgerRow(
            task=task,
            lead=lead.name if lead else "",
            helpers=len(task.helpers.all()),
            state=matters.state_title(task.matter) if task.matter else "待下达",
            light=matters.light(task.matter) if task.matter else None,
            steps=len(steps),
            steps_done=len(steps) - len(left),
            next_step=min(left, key=lambda step: step.due_on, default=None),
        )
        if light and (shown.light is None or shown.light.state != light):
            continue
        if state and (task.matter.state if task.matter else "draft") != state:
            continue
        out.append(shown)
    return out


def task(actor, task_id: int) -> PlanTask:
    """One task. Raises NotThere."""
    policies.read_ledger.require(actor)
    found = PlanTask.objects.select_related("document", "matter").filter(pk=task_id).first()
    if found is None:
        raise NotThere("没有这项任务。")
    return found


def step(actor, step_id: int) -> TaskStep:
    """One step. Raises NotThere."""
    policies.read_ledger.require(actor)
    found = TaskStep.objects.select_related("task__matter", "task__document").filter(pk=step_id).first()
    if found is None:
        raise NotThere("没有这个节点。")
    return found


def clause(actor, clause_id: int) -> Clause:
    """One clause. Raises NotThere."""
    policies.read_ledger.require(actor)
    found = Clause.objects.select_related("task__document", "indicator").filter(pk=clause_id).first()
    if found is None:
        raise NotThere("没有这一条款。")
    return found


def task_panel(actor, matter) -> dict:
    """What the matter page shows of a task."""
    row = (
        PlanTask.objects.select_related("document", "matter")
        .prefetch_related(
            "steps", "helpers__part", "scopes__units", "extensions__matter", "clauses__indicator"
        )
        .get(matter=matter)
    )
    tree = directory.units()
    judged = {found.clause.pk: found for found in judge_task(row)}
    lead_here = policies.work_on_task(actor, row) and matter.closed_at is None
    return {
        "task": row,
        "lead": tree.get(row.lead_unit_id),
        "helpers": [(helper, tree.get(helper.unit_id)) for helper in row.helpers.all()],
        "scopes": [
            (scope.expression, [tree.get(unit.pk).name for unit in scope.units.all() if tree.get(unit.pk)])
            for scope in row.scopes.all()
        ],
        "steps": [
            {
                "row": found,
                "unit": tree.get(found.unit_id).name if tree.get(found.unit_id) else "",
                "late": found.done_on is None and found.due_on < today() and not found.withdrawn,
                "mine": policies.work_on_step(actor, found) and matter.closed_at is None,
            }
            for found in row.steps.all()
        ],
        "clauses": list(judged.values()),
        "extensions": row.extensions.all(),
        "letters": Letter.objects.filter(targets__task=row, state=Letter.SIGNED).distinct(),
        "may_split": lead_here and matter.state != "issued",
        "may_extend": lead_here and matter.state == "working" and row.due_on is not None,
        "may_manage": policies.manage(actor, row),
    }


def judge_task(row: PlanTask) -> list[Judged]:
    """The clauses of one task, judged today."""
    return [found for found in judge(row.document, today()) if found.clause.task_id == row.pk]


def truth(actor, row: PlanDocument) -> Truth:
    """How true the plan is today."""
    policies.read_ledger.require(actor)
    return Truth(row, today(), judge(row, today()))


def truth_on(actor, row: PlanDocument, day: date) -> Truth:
    """How true the plan was on a day that was kept; the nearest kept day before it. Today is judged afresh."""
    policies.read_ledger.require(actor)
    if day >= today():
        return truth(actor, row)
    kept = ClauseDay.objects.filter(clause__task__document=row, day__lte=day).order_by("-day").first()
    if kept is None:
        return Truth(row, day, [])
    rows = ClauseDay.objects.filter(clause__task__document=row, day=kept.day).select_related(
        "clause__task__matter", "clause__indicator"
    )
    return Truth(row, kept.day, [Judged(found.clause, found.state, found.why) for found in rows])


@dataclass(frozen=True)
class Group:
    """Clauses counted by state for one unit or one chapter."""

    key: str
    label: str
    counts: dict[str, int]

    @property
    def total(self) -> int:
        """All clauses of the group."""
        return sum(self.counts.values())

    @property
    def percent(self) -> int:
        """Kept in a hundred, rounded down."""
        return 100 * self.counts[ClauseDay.KEPT] // self.total if self.total else 0


def _group(pairs: Iterable[tuple[str, str, Judged]]) -> list[Group]:
    groups: dict[str, tuple[str, dict[str, int]]] = {}
    for key, label, found in pairs:
        _, counts = groups.setdefault(key, (label, {state: 0 for state, _ in ClauseDay.STATES}))
        counts[found.state] += 1
    return [Group(key, label, counts) for key, (label, counts) in groups.items()]


def by_chapter(found: Truth) -> list[Group]:
    """Counts by chapter, in the order of the plan."""
    return _group((c.clause.task.chapter, c.clause.task.chapter or "未分章", c) for c in found.clauses)


def by_unit(found: Truth) -> list[Group]:
    """Counts by lead unit, most overdue first."""
    tree = directory.units()

    def pairs():
        for judged in found.clauses:
            unit = tree.get(judged.clause.task.lead_unit_id) if judged.clause.task.lead_unit_id else None
            yield str(judged.clause.task.lead_unit_id or 0), unit.name if unit else "未定牵头单位", judged

    return sorted(
        _group(pairs()), key=lambda group: (-group.counts[ClauseDay.OVERDUE], group.percent, group.label)
    )


def over_time(actor, row: PlanDocument) -> list[tuple[date, dict[str, int]]]:
    """Counts by state on each day that was kept, oldest first, and today."""
    policies.read_ledger.require(actor)
    days: dict[date, dict[str, int]] = {}
    kept = (
        ClauseDay.objects.filter(clause__task__document=row, day__lt=today())
        .values("day", "state")
        .annotate(n=Count("id"))
        .order_by("day")
    )
    for found in kept:
        days.setdefault(found["day"], {state: 0 for state, _ in ClauseDay.STATES})[found["state"]] = found[
            "n"
        ]
    return [*days.items(), (today(), truth(actor, row).counts)]


def letters(actor) -> QuerySet[Letter]:
    """Letters: the office sees all, a unit those signed that name it."""
    policies.read_ledger.require(actor)
    rows = Letter.objects.select_related("document").prefetch_related("targets__task")
    if policies.oversee(actor):
        return rows
    return rows.filter(state=Letter.SIGNED, targets__unit_id=getattr(actor, "unit_id", None)).distinct()


def letter(actor, letter_id: int) -> Letter:
    """One letter that the actor may see. Raises NotThere."""
    found = letters(actor).filter(pk=letter_id).first()
    if found is None:
        raise NotThere("没有这份文书。")
    return found


def letter_targets(found: Letter) -> list[dict]:
    """Whom a letter names: unit, task, and what was so on its day."""
    tree = directory.units()
    return [
        {"unit": tree.get(target.unit_id).name, "task": target.task, "situation": target.situation}
        for target in found.targets.select_related("task__matter")
    ]


@dataclass(frozen=True)
class PublicTask:
    """What the public sees of a task."""

    task: PlanTask
    lead: str
    state: str
    light: "matters.Light"
    clauses: list[Judged]


def public_tasks() -> list[PublicTask]:
    """The tasks that the office chose to publish, for everybody."""
    tree = directory.units()
    rows = (
        PlanTask.objects.filter(public=True, matter__isnull=False)
        .select_related("document", "matter", "matter__release")
        .order_by("-document__issued_on", "article_no")
    )
    judged: dict[int, list[Judged]] = {}
    for row in {task.document for task in rows}:
        for found in judge(row, today()):
            judged.setdefault(found.clause.task_id, []).append(found)
    return [
        PublicTask(
            task=row,
            lead=tree.get(row.lead_unit_id).name,
            state=matters.state_title(row.matter),
            light=matters.light(row.matter),
            clauses=judged.get(row.pk, []),
        )
        for row in rows
    ]


def public_task(task_id: int) -> PublicTask:
    """One published task. Raises NotThere, also when it exists and is not published."""
    for found in public_tasks():
        if found.task.pk == task_id:
            return found
    raise NotThere("没有这项公开的任务。")


def indicator_options(actor) -> list[tuple[str, str]]:
    """Indicators that a clause can be bound to."""
    policies.manage.require(actor)
    return [(row.key, row.name) for row in indicators.definitions()]
