"""What a process may name: guards, effects and sources of choices. Registered by apps, checked when a process
is loaded.

    @guard("parts_finished", takes=("part",), early=True)
    def parts_finished(act, matter, params, data, transition): ...

A guard raises `StepNotAllowed` or `Invalid`; an effect changes things through the engine. ``needs`` and
``takes`` are the names of parameters that must and may be given. Parameters called ``party``, ``part``,
``clock`` and ``field`` are checked against the process that uses them. An ``early`` guard reads no data and
writes nothing, so that a page can say beforehand why a step is closed.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A registered guard or effect."""

    name: str
    run: Callable
    needs: tuple[str, ...]
    takes: tuple[str, ...]
    early: bool = False


guards: dict[str, Rule] = {}
effects: dict[str, Rule] = {}
sources: dict[str, Callable] = {}


def guard(
    name: str, *, needs: tuple[str, ...] = (), takes: tuple[str, ...] = (), early: bool = False
) -> Callable:
    """Register ``fn(act, matter, params, data, transition)`` as a condition of steps. Raises ValueError when
    taken.
    """

    def register(run: Callable) -> Callable:
        _add(guards, Rule(name, run, needs, takes, early))
        return run

    return register


def effect(name: str, *, needs: tuple[str, ...] = (), takes: tuple[str, ...] = ()) -> Callable:
    """Register ``fn(act, matter, params, data, transition)`` as something a step does. Raises ValueError when
    taken.
    """

    def register(run: Callable) -> Callable:
        _add(effects, Rule(name, run, needs, takes))
        return run

    return register


def choices(name: str) -> Callable:
    """Register ``fn(actor, matter) -> [(value, label)]`` as the source of a choice field. Raises ValueError
    when taken.
    """

    def register(run: Callable) -> Callable:
        if name in sources and sources[name].__qualname__ != run.__qualname__:
            raise ValueError(f"{name} is registered twice")
        sources[name] = run
        return run

    return register


def _add(table: dict[str, Rule], rule: Rule) -> None:
    if rule.name in table and table[rule.name].run.__qualname__ != rule.run.__qualname__:
        raise ValueError(f"{rule.name} is registered twice")
    table[rule.name] = rule
