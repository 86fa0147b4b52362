"""What parts above add to a resident's pages: panels of the front page, tasks that wait, names of sources, scopes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from liangzhu.beams.people.residents.resident import Resident
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.refs import Ref


@dataclass(frozen=True)
class Panel:
    """A part of the page /my/: a template, and the context for it. ``context(actor)`` returns None where there is nothing
    to show."""

    name: str
    order: int
    template: str
    context: Callable[[Resident], dict[str, Any] | None]


@dataclass(frozen=True)
class Task:
    """Something that waits for the resident: what it is, where it is answered, until when."""

    title: str
    url: str
    note: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True)
class SourceName:
    """What a source of values is called, and its fields by name."""

    title: str
    fields: dict[str, str]


_panels: dict[str, Panel] = {}
_tasks: dict[str, Callable[[Resident], Iterable[Task]]] = {}
_sources: dict[str, Callable[[str], SourceName | None]] = {}
_scopes: dict[str, Callable[[Resident], Iterable[tuple[str, str]]]] = {}
_stand: dict[str, Callable[[Actor, Ref | str], bool]] = {}


def _add(registry: dict, name: str, entry: object) -> None:
    if name in registry:
        raise ValueError(f"{name} is registered twice")
    registry[name] = entry


def add_panel(
    name: str, *, order: int, template: str, context: Callable[[Resident], dict[str, Any] | None]
) -> None:
    """Put a panel on /my/. Raises ValueError when twice."""
    _add(_panels, name, Panel(name, order, template, context))


def add_tasks(name: str, tasks: Callable[[Resident], Iterable[Task]]) -> None:
    """Say what waits for a resident. Raises ValueError when twice."""
    _add(_tasks, name, tasks)


def name_sources(name: str, names: Callable[[str], SourceName | None]) -> None:
    """Say what sources are called; ``names(key)`` returns None for one that it does not know. Raises ValueError when twice."""
    _add(_sources, name, names)


def add_scopes(name: str, scopes: Callable[[Resident], Iterable[tuple[str, str]]]) -> None:
    """Offer kinds of business, (code, title), that a mandate can be limited to. Raises ValueError when twice."""
    _add(_scopes, name, scopes)


def panels() -> list[Panel]:
    """All panels in their order."""
    return sorted(_panels.values(), key=lambda one: (one.order, one.name))


def tasks_of(actor: Resident) -> list[Task]:
    """What waits for a resident; what is due first stands first, what has no limit last."""
    found = [task for tell in _tasks.values() for task in tell(actor)]
    return sorted(found, key=lambda task: (task.due_at is None, task.due_at, task.title))


def source_name(key: str) -> SourceName:
    """What a source is called; its key where nobody knows it."""
    return next((found for names in _sources.values() if (found := names(key))), SourceName(key, {}))


def scopes_for(actor: Resident) -> list[tuple[str, str]]:
    """Kinds of business that a mandate can be limited to."""
    return [pair for scopes in _scopes.values() for pair in scopes(actor)]


def let_stand(name: str, test: Callable[[Actor, Ref | str], bool]) -> None:
    """Say who, without being a resident, does for one what he asks for: ``test(actor, ref)``. Raises ValueError when twice."""
    _add(_stand, name, test)


def stands_for(actor: Actor, ref: Ref | str) -> bool:
    """Whether what an actor does counts as done by that person or organisation: the resident, or who stands for him now."""
    if isinstance(actor, Resident):
        return actor.concerns(ref)
    return any(test(actor, ref) for test in _stand.values())
