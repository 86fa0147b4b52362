"""Reads of somebody's values (查阅): whoever shows them to somebody says so here, and the parts above keep the trail.

    reads.note(actor, person.ref, {"name": "姓名"}, channel="code", case="matter:12", ground="本人出示服务码")

A part below need not know who keeps the trail (trust does): it owns the thing that was read, and says with `belongs` whose
values a thing holds. `masking.reveal` notes by itself.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from liangzhu.kernel.actors import Actor
from liangzhu.kernel.refs import Ref

CHANNELS = {
    "unmask": "查看完整信息",
    "pull": "向来源读取",
    "code": "扫服务码",
    "share": "出示证照",
    "login": "登录应用",
    "form": "查看填报内容",
    "export": "导出",
}
"""How values came before somebody's eyes, as the person reads it."""

DEPTH = 6
"""Steps from a thing to the person whose values it holds; more is a circle."""


@dataclass(frozen=True)
class Read:
    """One reading. ``subject`` is the thing that was read, ``whose`` the persons and organisations whose values it holds.

    ``fields`` are names and titles of what was read, never values. ``case`` is a printed Ref or "", ``ground`` the law or
    consent it rests on, ``reason`` what the reader gave. ``done`` is False for one that was refused or failed.
    """

    actor: Actor
    subject: Ref
    whose: tuple[Ref, ...]
    fields: Mapping[str, str]
    channel: str
    case: str = ""
    ground: str = ""
    reason: str = ""
    done: bool = True


_keepers: list[Callable[[Read], None]] = []
_finders: list[Callable[[Ref, Ref], None]] = []
_parties: set[str] = set()
_belongs: dict[str, Callable[[Ref], Iterable[Ref]]] = {}


def keep(to: Callable[[Read], None]) -> Callable[[Read], None]:
    """Have ``to(read)`` called for every reading, in the transaction of its leaf. What fails there fails the reading."""
    if to not in _keepers:
        _keepers.append(to)
    return to


def party(kind: str) -> None:
    """Say that a kind of Ref is a person or an organisation: a reading of it concerns itself."""
    _parties.add(kind)


def belongs(kind: str) -> Callable[[Callable[[Ref], Iterable[Ref]]], Callable[[Ref], Iterable[Ref]]]:
    """Say whose values a kind of thing holds: ``fn(ref)`` gives Refs of persons, or of things that lead to them."""

    def register(fn: Callable[[Ref], Iterable[Ref]]) -> Callable[[Ref], Iterable[Ref]]:
        if kind in _parties or _belongs.setdefault(kind, fn) is not fn:
            raise ValueError(f"it is said twice whose values {kind} holds")
        return fn

    return register


def known(kind: str) -> bool:
    """Whether it is said whose values a kind holds; a test asks this of every kind with values of grade 3."""
    return kind in _parties or kind in _belongs


def whose(subject: Ref) -> tuple[Ref, ...]:
    """The persons and organisations whose values a thing holds; none where it leads to nobody (yet)."""
    found: dict[Ref, None] = {}
    waiting, seen = [(subject, 0)], {subject}
    while waiting:
        ref, steps = waiting.pop(0)
        if ref.kind in _parties:
            found[ref] = None
        elif ref.kind in _belongs and steps < DEPTH:
            more = [one for one in _belongs[ref.kind](ref) if one not in seen]
            seen.update(more)
            waiting += [(one, steps + 1) for one in more]
    return tuple(found)


def note(
    actor: Actor,
    subject: Ref,
    fields: Mapping[str, str],
    *,
    channel: str,
    case: str = "",
    ground: str = "",
    reason: str = "",
    done: bool = True,
) -> None:
    """Tell the trail of one reading, inside the transaction that writes its leaf. ``fields`` is name to title.

    Raises ValueError for a channel that nobody knows.
    """
    if channel not in CHANNELS:
        raise ValueError(f"no channel {channel!r}; one of {', '.join(CHANNELS)}")
    if _keepers:
        read = Read(actor, subject, whose(subject), dict(fields), channel, case, ground, reason, done)
        for to in _keepers:
            to(read)


def on_found(to: Callable[[Ref, Ref], None]) -> Callable[[Ref, Ref], None]:
    """Have ``to(thing, party)`` called when a thing that led to nobody turns out to hold somebody's values."""
    if to not in _finders:
        _finders.append(to)
    return to


def found(thing: Ref, party: Ref) -> None:
    """Tell whose values a thing held, now that it is known; inside the transaction that made it known."""
    for to in _finders:
        to(thing, party)
