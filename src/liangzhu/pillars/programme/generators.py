"""Generating plan tasks with their documents, helpers, clauses and requests for extension."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Max

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import generators as matters
from liangzhu.beams.work.matters.api import last_day
from liangzhu.kernel.pack import pack
from liangzhu.kernel.workdays import end_of_day, shanghai_date
from liangzhu.pillars.programme.models import Clause, Extension, PlanDocument, PlanTask, TaskHelper

FULL = 30_000
"""Articles after which a list of tasks gets a second volume."""

REASONS = (
    "项目招标流标，需重新组织。",
    "涉及的市级系统接口尚未开放。",
    "方案征求意见时间较长。",
    "受汛期影响，现场施工暂停。",
    "财政预算调整后方可实施。",
)


def _number(year: int, unit: int, volume: int) -> str:
    return f"虚构清单〔{year}〕{unit}-{volume}号"


@dataclass
class Task:
    """What a walk keeps of its task until the end."""

    id: int
    document: int
    no: int
    title: str
    due_on: date
    lead: int
    version: int = 2


@matters.generates
class TaskRecipe(matters.Recipe):
    """计划任务: one article of a made-up yearly list of its lead unit."""

    kind = "plan_task"
    guards = frozenset({"programme.evidence_given", "programme.steps_finished"})
    effects = {"programme.cite_indicator": lambda walk, params, values: None}

    def __init__(self):
        self.lists: dict[tuple[int, int, int], list[int]] = {}
        self.next: Task | None = None
        self.office: int | None = None

    def _article(self, maker: matters.Maker, year: int, unit: int) -> tuple[int, int]:
        """The document and number of a unit's next task of a year."""
        for volume in range(1, 100):
            found = self._list(maker, year, unit, volume)
            if found[1] < FULL:
                found[1] += 1
                return found[0], found[1]
        raise RuntimeError(f"unit {unit} has too many tasks in {year}")

    def _list(self, maker: matters.Maker, year: int, unit: int, volume: int) -> list[int]:
        key = (year, unit, volume)
        if key not in self.lists:
            number = _number(year, unit, volume)
            row = PlanDocument.objects.filter(number=number).annotate(last=Max("tasks__article_no")).first()
            if row is None:
                day = date(year, 1, 5)
                made = maker.book[PlanDocument].add(
                    number=number,
                    title=f"{maker.names[unit]}{year}年度重点工作清单（虚构）",
                    issuer=maker.names[unit],
                    issued_on=day,
                    state=PlanDocument.IN_FORCE,
                    demo=True,
                    created_at=end_of_day(day) - timedelta(hours=14),
                )
                self.lists[key] = [made, 0]
            else:
                self.lists[key] = [row.pk, row.last or 0]
        return self.lists[key]

    def open(self, maker, process, at):
        """The next task of some unit, issued by the office."""
        rng, lead = maker.rng, maker.unit()
        unit, day = lead.id, shanghai_date(at)
        due = day + timedelta(days=rng.randint(20, 240))
        if rng.random() < 0.6:
            due = due.replace(day=monthrange(due.year, due.month)[1])
        document, no = self._article(maker, day.year, unit)
        title = maker.topic(lead, at)
        self.next = Task(maker.book[PlanTask].new_id(), document, no, title, due, unit)
        if self.office is None:
            self.office = directory.units().by_key(pack().district["programme_office"]["unit"]).id
        return matters.Opening(
            title=f"{no}. {title}",
            parties={"lead": unit, "office": self.office},
            holding_unit_id=unit,
            actor=rng.choice(maker.cast.anywhere("programme.office") or [matters.SYSTEM_HAND]),
            action="programme.issue_task",
            applicant=f"plan_document:{document}",
            due_on=due,
            urgency=rng.choices((0, 1, 2), (90, 8, 2))[0],
        )

    def begun(self, walk):
        """The helping units and their parts."""
        task = walk.own = self.next
        rng, helpers = walk.rng, set()
        for _ in range(rng.choices((0, 1, 2, 3), (70, 18, 8, 4))[0]):
            unit = walk.maker.unit().id
            if unit != task.lead and unit not in helpers:
                helpers.add(unit)
                part = walk.add_part("helper", unit, f"配合：{task.title}", end_of_day(task.due_on))
                walk.alone("matters.add_part", "增加并行办理")
                walk.book[TaskHelper].add(task_id=task.id, unit_id=unit, part_id=part.id)
        walk.leaf(
            f"plan_task:{task.id}", matter=walk.id, lead=task.lead, due=task.due_on, helpers=len(helpers)
        )

    def answers(self, walk, step, values):
        """A report of completion has its evidence."""
        if step.name == "report_done" and "files" not in values:
            values["files"] = [walk.maker.evidence(walk, walk.actor)]
        return values

    def after(self, walk, step):
        """Now and then a unit asks for a later limit."""
        rng, task, maker = walk.rng, walk.own, walk.maker
        clock = walk.clock("task")
        if walk.state != "working" or clock is None or maker.room < 1 or rng.random() > 0.09:
            return
        if clock.due - walk.at < timedelta(days=5):
            return
        moment = maker.times.working(walk.at + (clock.due - walk.at) * rng.uniform(0.5, 0.95), walk.at, rng)
        officers = maker.cast.of(task.lead, "matters.officer")
        if moment >= maker.times.last or moment >= clock.due or not officers:
            return
        walk.work_on_parts(moment)
        walk.at = max(walk.at, moment)
        new_due = last_day(clock.due) + timedelta(days=rng.randint(15, 90))
        reason = rng.choice(REASONS)
        maker.room -= 1
        child = matters.Walk(
            maker,
            "plan_extension",
            walk.at,
            matters.Opening(
                title=f"延期申请：{task.title}（至 {new_due:%Y-%m-%d}）",
                parties=walk.parties,
                holding_unit_id=task.lead,
                actor=rng.choice(officers),
                action="programme.ask_extension",
            ),
            parent=walk,
        )
        walk.book[Extension].add(
            task_id=task.id, matter_id=child.id, old_due=task.due_on, new_due=new_due, reason=reason
        )
        child.live()
        if child.closed is None:
            walk.waits = True
            return
        walk.work_on_parts(child.closed)
        walk.at = max(walk.at, child.closed)
        if child.state != "approved":
            return
        walk.actor, walk.action = child.actor, "matters.step"
        task.due_on = new_due
        task.version += 1
        walk.extend("task", new_due_on=new_due, reason=reason)
        walk.alone("matters.extend_clock", "延期")
        if count := walk.move_parts("helper", end_of_day(new_due)):
            walk.said.append(f"配合任务 {count} 项，期限改为 {new_due:%Y-%m-%d}")
            walk.alone("matters.move_parts", "调整并行办理期限")

    def ended(self, walk):
        """The task's own rows."""
        task = walk.own
        walk.book[PlanTask].add(
            id=task.id,
            document_id=task.document,
            article_no=task.no,
            chapter="重点工作",
            title=task.title,
            lead_unit_id=task.lead,
            due_on=task.due_on,
            matter_id=walk.id,
            issued_at=walk.opened,
            version=task.version,
        )
        walk.book[Clause].add(
            task_id=task.id, no=str(task.no), kind=Clause.TASK, text=task.title, due_on=task.due_on
        )


@matters.generates
class ExtensionRecipe(matters.Recipe):
    """延期申请: opened by the walk of its task, which also carries out what was granted."""

    kind = "plan_extension"
    share = 0.0
    effects = {"programme.extend_task": lambda walk, params, values: None}


matters.also_writes(PlanDocument, PlanTask, TaskHelper, Clause, Extension)
