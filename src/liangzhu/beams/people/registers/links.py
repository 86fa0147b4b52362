"""Who above refers to persons and organisations: asked before a person is forgotten, and for who works on whose matter."""

from collections.abc import Callable
from dataclasses import dataclass

from liangzhu.kernel.actors import Actor


@dataclass(frozen=True)
class Referrer:
    """``open_for(refs)``: how many open things refer to one of these; ``works_on(actor, refs)``: whether the actor works on
    one of them. Refs are printed ("natural_person:7"), all those of one person.
    """

    name: str
    title: str
    open_for: Callable[[set[str]], int]
    works_on: Callable[[Actor, set[str]], bool]


_referrers: dict[str, Referrer] = {}


def add_referrer(
    name: str,
    title: str,
    *,
    open_for: Callable[[set[str]], int],
    works_on: Callable[[Actor, set[str]], bool],
) -> None:
    """Register a part above whose things name persons or organisations by Ref. Raises ValueError when twice."""
    if name in _referrers:
        raise ValueError(f"referrer {name} is registered twice")
    _referrers[name] = Referrer(name, title, open_for, works_on)


def referrers() -> list[Referrer]:
    """All of them."""
    return list(_referrers.values())
