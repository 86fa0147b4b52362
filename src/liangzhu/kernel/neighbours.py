"""Neighbours: systems outside that an adapter speaks to. An adapter registers here by itself; nobody imports one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """One line about a neighbour: ``level`` is good, warn or bad, ``todo`` what to do about it."""

    level: str
    detail: str
    todo: str = ""


@dataclass(frozen=True)
class Neighbour:
    """A neighbour that is switched on. ``check_config()`` asks it how things stand and never raises for its absence.

    ``simulated``: what stands there is a simulator, which nobody beyond this machine may take for the real one.
    """

    key: str
    title: str
    check_config: Callable[[], Iterator[Report]]
    simulated: bool = False


_neighbours: dict[str, Neighbour] = {}


def neighbour(one: Neighbour) -> None:
    """Register a neighbour. Raises ValueError for a key registered twice."""
    if one.key in _neighbours:
        raise ValueError(f"neighbour {one.key} is registered twice")
    _neighbours[one.key] = one


def all_neighbours() -> dict[str, Neighbour]:
    """Every neighbour that is switched on, by key."""
    return dict(_neighbours)
