"""What a process may name: guards, effects, conditions, measures of clocks and sources of choices. Registered by
apps, checked when a process is loaded.

    @guard("parts_finished", takes=("part",), early=True)
    def parts_finished(act, matter, params, data, transition): ...

A guard raises `StepNotAllowed` or `Invalid`; an effect changes things through the engine; a condition
``fn(matter, params) -> bool`` says whether a trigger fires; a measure ``fn(matter, data, params) -> (unit,
amount)`` says how long a clock is. ``needs`` and ``takes`` are the names of parameters that must and may be
given. Parameters called
``party``, ``part``, ``clock``, ``field``, ``step``, ``since``, ``states``, ``children`` (or their plural) are checked against the process that uses them. An ``early``
guard reads no data and writes nothing, so that a page can say beforehand why a step is closed. ``whole`` is
for steps of the matter itself, not of its parts.

Who changes what one of them does, in a way that would matter to a case under way, registers the new one with a
higher ``version`` and leaves the old one in place: a release goes on with the version it was released with.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Rule:
    """A registered guard, effect or condition, in one version."""

    name: str
    run: Callable
    needs: tuple[str, ...]
    takes: tuple[str, ...]
    early: bool = False
    whole: bool = False
    version: int = 1


class Table(dict[str, Rule]):
    """The newest version of each rule by name; older ones by `at`."""

    def __init__(self):
        super().__init__()
        self.versions: dict[tuple[str, int], Rule] = {}

    def add(self, rule: Rule) -> None:
        """Register a rule. Raises ValueError when another function has its name and version."""
        known = self.versions.get((rule.name, rule.version))
        if known is not None and known.run.__qualname__ != rule.run.__qualname__:
            raise ValueError(f"{rule.name} version {rule.version} is registered twice")
        self.versions[rule.name, rule.version] = rule
        if rule.name not in self or self[rule.name].version <= rule.version:
            self[rule.name] = rule

    def at(self, use) -> Rule:
        """The rule in the version that a process means. Raises KeyError."""
        return self.versions[use.name, use.version]


guards = Table()
effects = Table()
conditions = Table()
measures: dict[str, Callable] = {}
sources: dict[str, Callable] = {}
TABLES = {"guard": guards, "effect": effects, "condition": conditions}


def guard(
    name: str,
    *,
    needs: tuple[str, ...] = (),
    takes: tuple[str, ...] = (),
    early: bool = False,
    whole: bool = False,
    version: int = 1,
) -> Callable:
    """Register ``fn(act, matter, params, data, transition)`` as a condition of steps. Raises ValueError when
    taken.
    """

    def register(run: Callable) -> Callable:
        guards.add(Rule(name, run, needs, takes, early, whole, version))
        return run

    return register


def effect(
    name: str,
    *,
    needs: tuple[str, ...] = (),
    takes: tuple[str, ...] = (),
    whole: bool = False,
    version: int = 1,
) -> Callable:
    """Register ``fn(act, matter, params, data, transition)`` as something a step does. Raises ValueError when
    taken.
    """

    def register(run: Callable) -> Callable:
        effects.add(Rule(name, run, needs, takes, False, whole, version))
        return run

    return register


def condition(
    name: str, *, needs: tuple[str, ...] = (), takes: tuple[str, ...] = (), version: int = 1
) -> Callable:
    """Register ``fn(matter, params) -> bool`` as what a trigger waits for. Raises ValueError when taken.

    It is asked again after each step of the matter, when a matter beside or below it ends, and whenever an app
    calls `look_again`.
    """

    def register(run: Callable) -> Callable:
        conditions.add(Rule(name, run, needs, takes, version=version))
        return run

    return register


def measure(name: str) -> Callable:
    """Register ``fn(matter, data, params) -> (unit, amount)`` as a length of clocks; what follows them goes into the
    history. Raises ValueError when taken.
    """
    return _one(measures, name)


def choices(name: str) -> Callable:
    """Register ``fn(actor, matter) -> [(value, label)]`` as the source of a choice field. Raises ValueError
    when taken.
    """
    return _one(sources, name)


def _one(table: dict[str, Callable], name: str) -> Callable:
    def register(run: Callable) -> Callable:
        if name in table and table[name].__qualname__ != run.__qualname__:
            raise ValueError(f"{name} is registered twice")
        table[name] = run
        return run

    return register


class FormSource(Protocol):
    """What the app that keeps forms tells the engine about a form that a step names by its key."""

    def fingerprint(self, key: str) -> str | None:
        """The hash of the form in force, which a release pins; None when there is no such form."""

    def clean(
        self, key: str, fingerprint: str, data: dict[str, Any], actor: Any, matter: Any, part: Any = None
    ) -> dict[str, Any]:
        """The typed values of the form as it was pinned, filled in for a matter or a part of it. Raises Invalid naming every
        field that is wrong.
        """


form_source: FormSource | None = None
"""Set by the app that keeps forms. Without it no step may name a form."""


def keep_forms(source: FormSource) -> None:
    """Say where forms that are named by key are found."""
    global form_source
    form_source = source
