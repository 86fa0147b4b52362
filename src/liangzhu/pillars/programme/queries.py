"""Every read of the programme, scoped to who asks."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Exists, F, Max, OuterRef, Prefetch, Q, QuerySet
from django.urls import reverse

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.errors import NotThere, Problem
from liangzhu.kernel.now import today
from liangzhu.kernel.refs import register_ref
from liangzhu.kernel.workdays import shanghai_date
from liangzhu.pillars.programme import policies
from liangzhu.pillars.programme.letters import is_late
from liangzhu.pillars.programme.models import (
    Clause,
    ClauseDay,
    Extension,
    Finding,
    Letter,
    PlanDocument,
    PlanTask,
    Revision,
    TaskHelper,
    TaskStep,
)
from liangzhu.pillars.programme.truth import Judged, Truth, judge

NEWEST_FIRST = (F("issued_on").desc(nulls_last=True), "-id")
"""The order of plan documents; one without a date comes last on every database."""


def documents(actor) -> QuerySet[PlanDocument]:
    """Plan documents; all staff may read them."""
    policies.read_ledger.require(actor)
    return PlanDocument.objects.annotate(task_count=Count("tasks")).order_by(*NEWEST_FIRST)


def document(actor, document_id: int) -> PlanDocument:
    """One document. Raises NotThere."""
    policies.read_ledger.require(actor)
    found = PlanDocument.objects.filter(pk=document_id).first()
    if found is None:
        raise NotThere("没有这份计划文件。")
    return found


def current_document(actor, document_id: str | int | None = None) -> PlanDocument | None:
    """The document asked for; else the newest with a ledger that is at work (tasks of it were issued), else the newest
    with a ledger; None when there is none.

    A plan whose ledger was opened this minute does not push aside the one that everybody works by.
    """
    if document_id:
        if not str(document_id).isdigit():
            raise NotThere("没有这份计划文件。")
        return document(actor, int(document_id))
    issued = PlanTask.objects.filter(document=OuterRef("pk"), matter__isnull=False)
    in_force = documents(actor).filter(state=PlanDocument.IN_FORCE)
    return in_force.alias(at_work=Exists(issued)).order_by("-at_work", *NEWEST_FIRST).first()


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


LATE = "late"
"""Filters like a light: whatever is past a limit, be it only that of a step."""

LIGHT_ORDER = ("law", "over", "near", "ok", "paused", "none", "done")
"""Lights as they are listed, the worst first."""

DRAFT = "draft"
"""Stands for the state of a task that was not issued yet, and so has no matter."""

STATE_ORDER = (DRAFT, "issued", "working", "checking", "closed", "withdrawn")


@dataclass(frozen=True)
class LedgerRow:
    """One task in the ledger, with its light from the clock and its steps counted.

    ``role`` is what the actor's unit is in it: lead, help or "". ``late`` says that a limit, of the task or of a step, has
    passed: such a task may be named in a notice of criticism.
    """

    task: PlanTask
    lead: str
    helpers: int
    state: str
    light: "matters.Light | None"
    steps: int
    steps_done: int
    next_step: TaskStep | None
    lead_short: str = ""
    state_key: str = DRAFT
    role: str = ""
    late: bool = False

    @property
    def open(self) -> bool:
        """Whether it was issued and is not at its end."""
        return self.task.matter is not None and self.task.matter.closed_at is None

    @property
    def step_late(self) -> bool:
        """Whether the next step is past its day."""
        return self.open and self.next_step is not None and self.next_step.due_on < today()


@dataclass(frozen=True)
class Ledger:
    """What the ledger's page shows: the rows, and what the filters can be set to, each with the rows it would give.

    ``lights`` are (state, word, count), ``states`` (key, title, count), ``units`` (id, name) with the actor's own first.
    """

    rows: list[LedgerRow]
    lights: list[tuple[str, str, int]]
    states: list[tuple[str, str, int]]
    units: list[tuple[int, str]]
    total: int


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


def _with_words(rows: QuerySet[PlanTask], text: str) -> QuerySet[PlanTask]:
    """Tasks whose title, wording, number or units contain the words."""
    named = [unit.id for unit in directory.units().all() if text in unit.name or text in unit.short]
    found = (
        Q(title__icontains=text)
        | Q(text__icontains=text)
        | Q(lead_unit__in=named)
        | Q(helpers__unit__in=named)
    )
    if text.isascii() and text.isdigit() and len(text) < 5:
        found |= Q(article_no=int(text))
    return rows.filter(found).distinct()


def ledger(
    actor, row: PlanDocument, *, unit_id: int | None = None, light: str = "", state: str = "", text: str = ""
) -> list[LedgerRow]:
    """The ledger, filtered by lead or helping unit, light, state and words."""
    rows = tasks(actor, row)
    if unit_id:
        rows = rows.filter(Q(lead_unit_id=unit_id) | Q(helpers__unit_id=unit_id)).distinct()
    if text:
        rows = _with_words(rows, text)
    tree = directory.units()
    shown = [_ledger_row(task, tree, getattr(actor, "unit_id", None)) for task in rows]
    return [found for found in shown if _shows(found, light, state)]


def _ledger_row(task: PlanTask, tree: "directory.UnitTree", own_unit: int | None) -> LedgerRow:
    steps = list(task.steps.all())
    left = [step for step in steps if step.done_on is None]
    lead = tree.get(task.lead_unit_id) if task.lead_unit_id else None
    helping = {helper.unit_id for helper in task.helpers.all()}
    return LedgerRow(
        task=task,
        lead=lead.name if lead else "",
        lead_short=lead.short if lead else "",
        helpers=len(helping),
        state=matters.state_title(task.matter) if task.matter else "待下达",
        light=matters.light(task.matter) if task.matter else None,
        steps=len(steps),
        steps_done=len(steps) - len(left),
        next_step=min(left, key=lambda step: step.due_on, default=None),
        state_key=task.matter.state if task.matter else DRAFT,
        role=""
        if own_unit is None
        else "lead"
        if task.lead_unit_id == own_unit
        else "help"
        if own_unit in helping
        else "",
        late=is_late(task),
    )


def _shows(row: LedgerRow, light: str, state: str) -> bool:
    lit = row.late if light == LATE else row.light is not None and row.light.state == light
    return (not light or lit) and (not state or row.state_key == state)


def ledger_page(
    actor, row: PlanDocument, *, unit_id: int | None = None, light: str = "", state: str = "", text: str = ""
) -> Ledger:
    """The ledger with its filters. Each filter counts what the others leave; the number of queries does not grow."""
    everything = ledger(actor, row, unit_id=unit_id, text=text)
    lights: dict[str, tuple[str, int]] = {}
    states: dict[str, tuple[str, int]] = {}
    for found in everything:
        if found.late and _shows(found, "", state):
            lights[LATE] = ("逾期（含节点）", lights.get(LATE, ("", 0))[1] + 1)
        if found.light and _shows(found, "", state):
            lights[found.light.state] = (found.light.word, lights.get(found.light.state, ("", 0))[1] + 1)
        if _shows(found, light, ""):
            states[found.state_key] = (found.state, states.get(found.state_key, ("", 0))[1] + 1)
    tree, own = directory.units(), getattr(actor, "unit_id", None)
    involved = set(PlanTask.objects.filter(document=row).values_list("lead_unit_id", flat=True))
    involved |= set(TaskHelper.objects.filter(task__document=row).values_list("unit_id", flat=True))
    units = [(unit.id, unit.name) for unit in tree.all() if unit.id in involved]
    units.sort(key=lambda pair: pair[0] != own)
    order = {key: place for place, key in enumerate(STATE_ORDER)}
    return Ledger(
        rows=[found for found in everything if _shows(found, light, state)],
        lights=[(key, *lights[key]) for key in (LATE, *LIGHT_ORDER) if key in lights],
        states=[(key, *states[key]) for key in sorted(states, key=lambda key: order.get(key, len(order)))],
        units=units,
        total=len(everything),
    )


def open_rows(actor, row: PlanDocument) -> list[LedgerRow]:
    """The tasks that can be urged: issued, and not at their end; the late ones first."""
    return sorted((found for found in ledger(actor, row) if found.open), key=lambda found: not found.late)


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


def place_in_text(row: PlanTask) -> tuple[int, int] | None:
    """Where a task stands in the text its ledger was built from, else in the newest: (revision id, finding id)."""
    heads = Finding.objects.filter(
        revision__document=row.document_id, kind="article", article_no=row.article_no, start__isnull=False
    )
    if row.document.ledger_revision_id:
        heads = heads.filter(revision=row.document.ledger_revision_id)
    return heads.order_by("-revision__no").values_list("revision_id", "pk").first()


def _part_title(row: PlanTask, part: "matters.Part") -> str:
    """The state of a helping unit's part, in words."""
    return matters.process_of(row.matter).flow_of(part.kind).states[part.state].title


def _unconfirmed_set(expression: str) -> str:
    """What the district has still to confirm about an open set, "" when nothing."""
    try:
        found = directory.expand_set(expression)
    except Problem as problem:
        return problem.detail
    return (found.to_confirm or found.basis) if found.unconfirmed else ""


def task_facts(actor, row: PlanTask) -> dict:
    """What a task is, issued or not: its article, units, open sets and clauses."""
    policies.read_ledger.require(actor)
    tree = directory.units()
    helpers = [
        {
            "unit": tree.get(helper.unit_id),
            "name": unit.short if (unit := tree.get(helper.unit_id)) else directory.unit_name(helper.unit_id),
            "expression": helper.expression,
            "part": helper.part,
            "state": _part_title(row, helper.part) if helper.part else "",
        }
        for helper in row.helpers.select_related("part")
    ]
    taking_part = {helper["unit"].id for helper in helpers if helper["unit"]} | {row.lead_unit_id}
    scopes = []
    for scope in row.scopes.prefetch_related("units"):
        members = [tree.get(unit.pk) for unit in scope.units.all()]
        units = [unit for unit in members if unit is not None]
        scopes.append(
            {
                "expression": scope.expression,
                "units": units,
                "free": [unit for unit in units if unit.id not in taking_part],
                "unconfirmed": _unconfirmed_set(scope.expression),
            }
        )
    return {
        "task": row,
        "lead": tree.get(row.lead_unit_id) if row.lead_unit_id else None,
        "helpers": helpers,
        "helper_states": list(Counter(helper["state"] for helper in helpers if helper["state"]).items()),
        "scopes": scopes,
        "clauses": judged(actor, row),
        "place": place_in_text(row),
        "may_manage": policies.manage(actor, row),
    }


def judged(actor, row: PlanTask) -> list[Judged]:
    """The clauses of one task, judged today."""
    policies.read_ledger.require(actor)
    return judge(row.document, today(), row.pk)


EXTENSIBLE_SHOWN = 200


def extensible(actor) -> list[PlanTask]:
    """The tasks that the actor's unit leads, is at work on, and may ask a later limit for."""
    if not policies.work_on_task(actor):
        return []
    asked = Extension.objects.filter(task=OuterRef("pk"), matter__closed_at=None)
    rows = PlanTask.objects.filter(lead_unit=actor.unit_id, matter__state="working", due_on__isnull=False)
    return list(rows.exclude(Exists(asked)).order_by("due_on", "id")[:EXTENSIBLE_SHOWN])


def task_panel(actor, matter) -> dict:
    """What the matter page shows of a task: its facts, steps, extensions and letters, and what the actor may do."""
    row = PlanTask.objects.select_related("document", "matter", "matter__release").get(matter=matter)
    facts = task_facts(actor, row)
    tree = directory.units()
    working, is_open = matter.state == "working", matter.closed_at is None
    lead_here = policies.work_on_task(actor, row)
    extensions = list(row.extensions.select_related("matter", "matter__release").order_by("-id"))
    asked = any(extension.matter.closed_at is None for extension in extensions)
    return {
        **facts,
        "steps": [
            {
                "row": found,
                "unit": unit.short if (unit := tree.get(found.unit_id)) else "",
                "late": is_open and found.done_on is None and found.due_on < today() and not found.withdrawn,
                "may_finish": working
                and found.done_on is None
                and not found.withdrawn
                and policies.work_on_step(actor, found),
                "may_edit": working and found.done_on is None and lead_here,
            }
            for found in row.steps.select_related("task").order_by("withdrawn", "due_on", "id")
        ],
        "extensions": [(extension, matters.state_title(extension.matter)) for extension in extensions],
        "letters": letters(actor).filter(targets__task=row).distinct(),
        "may_split": lead_here and working,
        "may_extend": lead_here and working and row.due_on is not None and not asked,
        "may_limit": facts["may_manage"] and row.due_on is None and matter.state in ("issued", "working"),
        "may_help": facts["may_manage"] and is_open and any(scope["free"] for scope in facts["scopes"]),
        "may_publish": facts["may_manage"],
        "may_urge": facts["may_manage"] and is_open,
        "may_criticise": facts["may_manage"] and is_late(row),
    }


def helper_options(actor, row: PlanTask) -> list[tuple[str, list[tuple[int, str]]]]:
    """Units out of the open sets of a task that do not help yet, by the words of the plan; each unit once."""
    seen: set[int] = set()
    options = []
    for scope in task_facts(actor, row)["scopes"]:
        free = [(unit.id, unit.name) for unit in scope["free"] if unit.id not in seen]
        seen |= {unit_id for unit_id, _ in free}
        if free:
            options.append((scope["expression"], free))
    return options


def step_units(row: PlanTask) -> list[tuple[int, str]]:
    """Units that a step of a task can be given to: the lead first, then the helpers."""
    ids = [row.lead_unit_id, *row.helpers.values_list("unit_id", flat=True)]
    return [(unit_id, directory.unit_name(unit_id)) for unit_id in ids if unit_id]


def extension_panel(actor, matter) -> dict:
    """What the matter page shows of a request for extension: the task, both limits, the reason."""
    found = Extension.objects.select_related(
        "matter", "task__document", "task__matter", "task__matter__release"
    ).get(matter=matter)
    unit = directory.units().get(found.task.lead_unit_id)
    return {
        "extension": found,
        "task": found.task,
        "lead": unit.name if unit else "",
        "days": (found.new_due - found.old_due).days,
        "light": matters.light(found.task.matter),
        "others": [
            (other, matters.state_title(other.matter))
            for other in found.task.extensions.exclude(pk=found.pk).select_related(
                "matter", "matter__release"
            )
        ],
    }


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
    rows = (
        ClauseDay.objects.filter(clause__task__document=row, day=kept.day)
        .select_related("clause__task__matter", "clause__indicator")
        .order_by("clause__task__article_no", "clause")
    )
    since = _last_in_time(row, kept.day)
    judged = [
        Judged(found.clause, found.state, found.why, since=since.get(found.clause_id)) for found in rows
    ]
    return Truth(row, kept.day, judged)


def _last_in_time(row: PlanDocument, day: date) -> dict[int, date]:
    """For each clause that was overdue on a day that was kept: the last day before on which it was not."""
    overdue = ClauseDay.objects.filter(clause__task__document=row, day=day, state=ClauseDay.OVERDUE)
    before = (
        ClauseDay.objects.filter(clause__in=overdue.values("clause"), day__lt=day)
        .exclude(state=ClauseDay.OVERDUE)
        .values_list("clause")
        .annotate(last=Max("day"))
    )
    return dict(before)


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
            yield str(judged.clause.task.lead_unit_id or 0), unit.short if unit else "未定牵头单位", judged

    return sorted(
        _group(pairs()), key=lambda group: (-group.counts[ClauseDay.OVERDUE], group.percent, group.label)
    )


def over_time(actor, row: PlanDocument, current: Truth | None = None) -> list[tuple[date, dict[str, int]]]:
    """Counts by state on each day that was kept, oldest first, and today (``current`` if the caller has it already)."""
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
    return [*days.items(), (today(), (current or truth(actor, row)).counts)]


def letters(actor) -> QuerySet[Letter]:
    """Letters: the office sees all, a unit those signed that name it."""
    policies.read_ledger.require(actor)
    rows = Letter.objects.select_related("document").prefetch_related("targets__task")
    if policies.oversee(actor):
        return rows
    return rows.filter(state=Letter.SIGNED, targets__unit_id=getattr(actor, "unit_id", None)).distinct()


def letter_units(found: Letter) -> list[str]:
    """The units that a letter goes to, each once."""
    return list(dict.fromkeys(directory.unit_name(target.unit_id) for target in found.targets.all()))


def letters_to_sign(actor) -> int:
    """How many drafts wait for the actor as the second person."""
    if not policies.sign_letter(actor):
        return 0
    waiting = Letter.objects.filter(state=Letter.DRAFT)
    return waiting.exclude(drafted_person_id=getattr(actor, "person_id", None)).count()


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
    """What the public sees of a task. ``late``: its completion was reported after its limit."""

    task: PlanTask
    lead: str
    state: str
    light: "matters.Light"
    clauses: list[Judged]
    late: bool


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
    reported = {
        entry.matter_id: shanghai_date(entry.at)
        for entry in matters.entries_of([row.matter_id for row in rows], "report_done", today())
    }
    return [
        PublicTask(
            task=row,
            lead=tree.get(row.lead_unit_id).name,
            state=matters.state_title(row.matter),
            light=matters.light(row.matter),
            clauses=judged.get(row.pk, []),
            late=row.due_on is not None and reported.get(row.matter_id, row.due_on) > row.due_on,
        )
        for row in rows
    ]


def who_publishes() -> list[str]:
    """Who may decide today that a task is shown to the public: name and post."""
    posts = directory.posts(role="programme.office_head")
    return [f"{post.person_name}（{post.title}）" for post in posts if post.person_name]


def indicator_options(actor) -> list[tuple[str, str]]:
    """Indicators that a clause can be bound to."""
    policies.manage.require(actor)
    return [
        (row.key, f"{row.title}（{row.measure_unit}）" if row.measure_unit else row.title)
        for row in indicators.definitions()
    ]


# References -----------------------------------------------------------------------------------------------------------


def task_url(row: PlanTask) -> str:
    """The page of a task: its matter once it was issued, what the plan says of it before."""
    if row.matter_id:
        return reverse("matters:matter", args=[row.matter_id])
    return reverse("programme:task", args=[row.pk])


def clause_url(row: Clause) -> str:
    """Where a clause stands among those of its document."""
    return f"{reverse('programme:checks')}?document={row.task.document_id}#c{row.pk}"


def _refs(rows: QuerySet, label: Callable[[Any], str], url: Callable[[Any], str]) -> Callable:
    """A resolver of references to rows that all staff may read."""

    def resolve(ids: Iterable[str], actor) -> dict[str, tuple[str, str]]:
        if not policies.read_ledger(actor):
            return {}
        known = [ident for ident in ids if ident.isascii() and ident.isdigit()]
        return {str(row.pk): (label(row), url(row)) for row in rows.filter(pk__in=known)}

    return resolve


register_ref(
    "plan_document",
    "计划文件",
    _refs(PlanDocument.objects.all(), str, lambda row: f"{reverse('programme:ledger')}?document={row.pk}"),
)
register_ref("plan_task", "计划任务", _refs(PlanTask.objects.all(), lambda row: f"任务 {row}", task_url))
register_ref(
    "plan_step",
    "任务节点",
    _refs(
        TaskStep.objects.select_related("task"),
        lambda row: f"节点：{row.title}",
        lambda row: task_url(row.task),
    ),
)
register_ref(
    "plan_clause",
    "条款",
    _refs(
        Clause.objects.select_related("task"),
        lambda row: f"条款 {row.no}：{row.text[:40]}",
        clause_url,
    ),
)
register_ref(
    "plan_extension",
    "延期申请",
    _refs(
        Extension.objects.select_related("task"),
        lambda row: f"延期申请：{row.task.title}",
        lambda row: reverse("matters:matter", args=[row.matter_id]),
    ),
)


def _letter_refs(ids: Iterable[str], actor) -> dict[str, tuple[str, str]]:
    """Letters are read by those who oversee and by the units they name."""
    if not policies.read_ledger(actor):
        return {}
    known = [ident for ident in ids if ident.isascii() and ident.isdigit()]
    return {
        str(row.pk): (
            f"{row.get_kind_display()} {row.number or row.title}",
            reverse("programme:letter", args=[row.pk]),
        )
        for row in letters(actor).filter(pk__in=known)
    }


register_ref("plan_letter", "督办文书", _letter_refs)
