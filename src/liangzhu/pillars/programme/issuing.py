"""What can be issued: the tasks that wait, with the units that may take part, and what was issued before."""

from dataclasses import dataclass

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import api as matters
from liangzhu.pillars.programme import policies
from liangzhu.pillars.programme.models import PlanDocument, PlanTask

Unit = tuple[int, str]
"""A unit's id and name, as a form offers it."""


@dataclass(frozen=True)
class Scope:
    """An open set (概称) of a task: all units that could take part, and those not offered by a set before it."""

    id: int
    expression: str
    units: list[int]
    choices: list[Unit]


@dataclass(frozen=True)
class Waiting:
    """A task that was not issued yet. ``helpers`` are the units that the plan names."""

    task: PlanTask
    lead: str
    helpers: list[str]
    scopes: list[Scope]


@dataclass(frozen=True)
class Issued:
    """A task that was issued, with its lead and the state of its matter in words."""

    task: PlanTask
    lead: str
    state: str


def waiting(actor, document: PlanDocument) -> list[Waiting]:
    """The tasks of a document that wait for issue. The number of queries does not grow with them."""
    policies.manage.require(actor)
    tasks = (
        PlanTask.objects.filter(document=document, matter=None, dropped=False)
        .prefetch_related("helpers", "scopes__units")
        .order_by("article_no")
    )
    tree = directory.units()
    return [
        Waiting(
            task=task,
            lead=unit.name if (unit := tree.get(task.lead_unit_id)) else "",
            helpers=[directory.unit_name(helper.unit_id) for helper in task.helpers.all()],
            scopes=_scopes(task, tree),
        )
        for task in tasks
    ]


def _scopes(task: PlanTask, tree: "directory.UnitTree") -> list[Scope]:
    named = {task.lead_unit_id, *(helper.unit_id for helper in task.helpers.all())}
    offered: set[int] = set()
    scopes = []
    for scope in task.scopes.all():
        # A unit that no longer exists cannot be given work.
        units = [unit.pk for unit in scope.units.all() if tree.get(unit.pk) and unit.pk not in named]
        choices = [(unit, tree.get(unit).name) for unit in units if unit not in offered]
        offered |= set(units)
        scopes.append(Scope(scope.pk, scope.expression, units, choices))
    return scopes


def issued(actor, document: PlanDocument) -> list[Issued]:
    """The tasks of a document that were issued, the newest first."""
    policies.read_ledger.require(actor)
    tasks = (
        PlanTask.objects.filter(document=document, matter__isnull=False)
        .select_related("matter", "matter__release")
        .order_by("-issued_at", "article_no")
    )
    tree = directory.units()
    return [
        Issued(
            task, unit.name if (unit := tree.get(task.lead_unit_id)) else "", matters.state_title(task.matter)
        )
        for task in tasks
    ]
