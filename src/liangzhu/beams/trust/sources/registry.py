"""Sources (来源): what government holds, of whom, in which fields, and how one asks.

    sources.register(Source(
        key="registers.person", title="自然人登记", holder="shenpiju", subject="natural_person",
        fields={"name": Field("姓名", "text", 3)}, fetch=fetch, basis="…第…条"))

``fetch(ask)`` returns field name to value, only what was asked for; a field may be absent or None where the holder has nothing
of it. It raises NothingHeld, SourceDown, SourceWrong. A remote one runs in a thread with a time limit and does not touch the
database.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from liangzhu.beams.trust.sources.errors import SourceWrong, UnknownSource
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.refs import Ref

TYPES = ("text", "longtext", "number", "money", "date", "yesno", "person", "uscc", "phone", "address")
"""Types of a field, as forms call them."""
PERSON, ORGANISATION, PARTY = "natural_person", "organisation", "party"
"""Whom a source knows: persons, organisations, or either."""
LONGEST = 5000


@dataclass(frozen=True)
class Field:
    """One item that a source gives: what it is called, its type, its grade (DB32/T 4608.1: 1 to 4)."""

    title: str
    type: str = "text"
    grade: int = 3


@dataclass(frozen=True)
class Ask:
    """One question to a source: about whom, which fields, for what. ``number`` is what the holder knows the subject by.

    ``actor`` asks, for the unit named ``unit``. ``request_id`` stands on both sides' records.
    """

    actor: Actor
    source: str
    subject: Ref
    number: str
    number_kind: str
    fields: tuple[str, ...]
    purpose: str
    case: str
    ground: str
    consent: str
    unit: str
    request_id: str


@dataclass(frozen=True)
class Source:
    """A source. ``holder`` names who keeps it: the key of a unit, or its title. ``basis`` is the ground on which it may be read.

    A ``remote`` one is asked over the network and has ``seconds`` to answer. ``unconfirmed``: fields or holder of it were not
    confirmed yet (待确认). ``off`` says why it is not in use here; who asks is told so.
    """

    key: str
    title: str
    holder: str
    subject: str
    fields: Mapping[str, Field]
    fetch: Callable[[Ask], Mapping[str, Any]]
    basis: str
    remote: bool = False
    seconds: float = 3.0
    unconfirmed: bool = False
    off: str = ""

    def knows(self, kind: str) -> bool:
        """Whether it holds something of this kind of subject."""
        return kind == self.subject or (self.subject == PARTY and kind in (PERSON, ORGANISATION))

    def titles(self, names) -> dict[str, str]:
        """Names of fields to what people call them."""
        return {name: self.fields[name].title for name in names}


_sources: dict[str, Source] = {}
_watchers: list[Callable[[Source], None]] = []


def register(one: Source) -> Source:
    """Register a source. Raises ValueError when twice, or when it declares what nobody could ask for."""
    if one.key in _sources:
        raise ValueError(f"source {one.key} is registered twice")
    if one.subject not in (PERSON, ORGANISATION, PARTY) or not one.fields or not one.basis.strip():
        raise ValueError(f"source {one.key} names a subject, its fields and its legal basis")
    if bad := [name for name, field in one.fields.items() if field.type not in TYPES or " " in name]:
        raise ValueError(f"source {one.key}: {', '.join(bad)} has no type of {', '.join(TYPES)}")
    _sources[one.key] = one
    for watcher in _watchers:
        watcher(one)
    return one


def drop(key: str) -> None:
    """Take a source out of use; for an adapter that is stopped, and for tests."""
    _sources.pop(key, None)


def on_register(watcher: Callable[[Source], None]) -> Callable[[Source], None]:
    """Have ``watcher(source)`` called for every source, also those that are registered already."""
    _watchers.append(watcher)
    for one in _sources.values():
        watcher(one)
    return watcher


def all_sources() -> dict[str, Source]:
    """Every source by key."""
    return dict(_sources)


def source(key: str) -> Source:
    """The source of that key. Raises UnknownSource."""
    if key not in _sources:
        raise UnknownSource(f"没有名为“{key}”的数据来源。")
    return _sources[key]


# What an answer must look like ----------------------------------------------------------------------------------------


def fitted(one: Source, names: tuple[str, ...], answer: Any) -> dict[str, Any]:
    """The values of an answer that fit what was asked and declared; what is absent or empty is left out.

    Raises SourceWrong for whatever else it holds: a source that gives more than it was asked for is not trusted either.
    """
    if not isinstance(answer, Mapping):
        raise SourceWrong(f"{one.title}的答复不是一组数据项。")
    if extra := [name for name in answer if name not in names]:
        raise SourceWrong(f"{one.title}给出了没有请求的内容：{'、'.join(map(str, extra))[:100]}。")
    found = {}
    for name in names:
        value = answer.get(name)
        if value is None or value == "":
            continue
        if not _fits(one.fields[name].type, value):
            raise SourceWrong(f"{one.title}的“{one.fields[name].title}”不合约定的格式。")
        found[name] = value
    return found


def _fits(kind: str, value: Any) -> bool:
    if kind == "yesno":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind in ("number", "money"):
        try:
            return isinstance(value, int | float | str) and Decimal(str(value)).is_finite()
        except InvalidOperation:
            return False
    if not isinstance(value, str) or len(value) > LONGEST:
        return False
    if kind == "date":
        try:
            date.fromisoformat(value)
        except ValueError:
            return False
        return len(value) == 10
    return True
