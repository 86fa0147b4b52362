"""What a form may name: sources that prefill, checks across fields, and the kinds of things it may be filled in for.

    @source("register.enterprise", "企业登记库", parts={"name": "text", "uscc": "uscc"}, remote=True)
    def enterprise(actor, subject) -> dict: ...

    @check("in_order", least=2)
    def in_order(values, params) -> bool: ...

Registered by apps when Django is ready; names that nobody registered are refused when a form is loaded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.refs import Ref


class NoAnswer(Problem):
    """A source has nothing for this person or thing, or cannot be reached. The form goes on without it."""

    code, title, status = "no_answer", "没有取到", 502


@dataclass(frozen=True)
class Answer:
    """What a source gives: ``values`` by part, who gave it, and the page that proves it."""

    values: dict[str, Any]
    title: str = ""
    url: str = ""


@dataclass(frozen=True)
class Source:
    """A registered source. ``parts`` maps the names of what it gives to the field types they fit.

    A ``remote`` source is asked with a time limit (``seconds``) in a thread of its own, so it must not use the database. A
    source that is a generator, called with the wanted parts as well, yields what is to run in that thread and is sent what
    came of it (or the exception, thrown); around that it may use the database. Several are asked at once.
    """

    name: str
    title: str
    run: Callable[[Actor, Ref | None], dict[str, Any]]
    parts: dict[str, str]
    remote: bool
    seconds: float


@dataclass(frozen=True)
class Check:
    """A registered check over the values of at ``least`` so many fields; ``message`` is what it says when it fails."""

    name: str
    run: Callable[[list[Any], dict[str, Any]], bool]
    least: int
    types: tuple[str, ...]
    message: str
    takes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SubjectKind:
    """A kind of thing that forms are filled in for: who may fill in which form, who may read what was sent.

    ``may_fill(actor, subject, form key, part)`` is asked for a part of the subject, or "" for the whole.
    ``finish(actor, subject, form key, part)`` is (address, button) of the page that sends the finished form on; without it the form's
    own summary sends it. ``edition(subject, form key)`` is the hash of the release that the thing is bound to, "" for that in
    force. ``residents``: residents fill them in too; other kinds stay with staff, whatever ``may_fill`` says.
    """

    kind: str
    may_fill: Callable[[Actor, Ref, str, str], bool]
    may_read: Callable[[Actor, Ref], bool]
    finish: Callable[[Actor, Ref, str, str], tuple[str, str] | None] | None = None
    edition: Callable[[Ref, str], str] | None = None
    residents: bool = False


sources: dict[str, Source] = {}
checks: dict[str, Check] = {}
subjects: dict[str, SubjectKind] = {}


def source(
    name: str, title: str, *, parts: dict[str, str], remote: bool = False, seconds: float = 3.0
) -> Callable:
    """Register ``fn(actor, subject) -> {part: value}`` as a source of prefilled values (预填来源).

    It raises NoAnswer when it has nothing; whatever else goes wrong in it is told as that, and never blocks the form.
    """

    def register(run: Callable) -> Callable:
        _add(sources, name, Source(name, title, run, parts, remote, seconds))
        return run

    return register


def check(
    name: str, *, least: int = 1, types: tuple[str, ...] = (), message: str = "", takes: tuple[str, ...] = ()
) -> Callable:
    """Register ``fn(values, params) -> bool`` as a check across fields; values are None where nothing was given."""

    def register(run: Callable) -> Callable:
        _add(checks, name, Check(name, run, least, types, message, takes))
        return run

    return register


def subject_kind(
    kind: str,
    *,
    may_fill: Callable[[Actor, Ref, str, str], bool],
    may_read: Callable[[Actor, Ref], bool],
    finish: Callable[[Actor, Ref, str, str], tuple[str, str] | None] | None = None,
    edition: Callable[[Ref, str], str] | None = None,
    residents: bool = False,
) -> None:
    """Say for whom and by whom forms may be filled in about a kind of thing. A kind that nobody registered stays closed."""
    if kind in subjects and subjects[kind].may_fill is not may_fill:
        raise ValueError(f"{kind} is registered twice")
    subjects[kind] = SubjectKind(kind, may_fill, may_read, finish, edition, residents)


def finished_elsewhere(subject: str) -> bool:
    """Whether forms about a subject (Ref as text, or "") are sent by the app that owns it, not from their own summary."""
    kind = subjects.get(Ref.parse(subject).kind) if subject else None
    return kind is not None and kind.finish is not None


def _add(table: dict, name: str, one: Any) -> None:
    if name in table and table[name].run.__qualname__ != one.run.__qualname__:
        raise ValueError(f"{name} is registered twice")
    table[name] = one


# Checks that every form may use ---------------------------------------------------------------------------


@check("in_order", least=2, types=("date", "number", "money"), message="后一项不能小于（早于）前一项。")
def in_order(values: list[Any], params: dict[str, Any]) -> bool:
    """Each value is not less than the one before; what was not given is passed over."""
    given = [value for value in values if value is not None]
    return all(one <= other for one, other in pairwise(given))


@check("one_of", least=2, message="至少填写其中一项。")
def one_of(values: list[Any], params: dict[str, Any]) -> bool:
    """At least one is given."""
    return any(value not in (None, "", []) for value in values)


@check("all_or_none", least=2, message="要么都填，要么都不填。")
def all_or_none(values: list[Any], params: dict[str, Any]) -> bool:
    """Either all are given or none is."""
    return len({value not in (None, "", []) for value in values}) == 1


@check("different", least=2, message="几项内容不能相同。")
def different(values: list[Any], params: dict[str, Any]) -> bool:
    """No two given values are equal."""
    given = [value for value in values if value not in (None, "", [])]
    return len(given) == len(set(map(str, given)))


@check("column_differs", types=("table",), takes=("column",), message="表中有重复的内容。")
def column_differs(values: list[Any], params: dict[str, Any]) -> bool:
    """No value of a column stands in two rows of a table."""
    column = [
        row.get(params["column"]) for row in values[0] or () if row.get(params["column"]) not in (None, "")
    ]
    return len(column) == len(set(map(str, column)))


@check("column_has", types=("table",), takes=("column", "values"), message="表中还缺必须有的。")
def column_has(values: list[Any], params: dict[str, Any]) -> bool:
    """Each of these ``values`` stands in the column; an empty table is another check's business."""
    given = {row.get(params["column"]) for row in values[0] or ()}
    return not given or set(params["values"]) <= given


@check("shaped", types=("text",), takes=("shape",), message="写法不对。")
def shaped(values: list[Any], params: dict[str, Any]) -> bool:
    """Written like the ``shape``: a 9 stands for a digit, everything else for itself."""
    shape, given = params["shape"], values[0]
    return not given or (
        len(given) == len(shape)
        and all(
            one.isascii() and one.isdigit() if place == "9" else one == place
            for one, place in zip(given, shape, strict=True)
        )
    )


@check(
    "column_total",
    least=2,
    types=("table", "number", "money"),
    takes=("column",),
    message="各行合计与总数不符。",
)
def column_total(values: list[Any], params: dict[str, Any]) -> bool:
    """The sum of a column of the first field, a table, is the second field."""
    rows, total = values[0], values[1]
    if rows is None or total is None:
        return True
    return sum((row.get(params["column"]) or Decimal(0) for row in rows), Decimal(0)) == total
