"""Named queries: how a computed indicator is measured. The parts above register theirs by name."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from liangzhu.kernel.errors import Problem
from liangzhu.kernel.log import sm3
from liangzhu.kernel.refs import Ref


class UnknownQuery(Problem):
    """A definition names a query that no part of the program has."""

    code, title = "unknown_query", "没有这个查询"
    todo = "请核对指标定义里的查询名；也可能是相应的业务模块没有安装。"


@dataclass(frozen=True)
class Measured:
    """What a query found on a day.

    ``value`` is None where there is nothing to measure: no value rather than a flattering one. ``rows`` are the things
    counted in the numerator, ``others`` those that stand only in the denominator.
    """

    value: Decimal | None
    numerator: Decimal | int | None = None
    denominator: Decimal | int | None = None
    rows: Sequence[Ref] = ()
    others: Sequence[Ref] = ()


@dataclass(frozen=True)
class NamedQuery:
    """A registered query. ``version`` goes up when it counts differently, so that a series shows the break."""

    name: str
    version: int
    run: Callable[[date], Measured]


_queries: dict[str, NamedQuery] = {}


def named_query(name: str, version: int = 1) -> Callable:
    """Register ``fn(day) -> Measured`` as the query ``name`` ("programme.closed_rate"). ValueError when taken."""

    def register(run: Callable[[date], Measured]) -> Callable[[date], Measured]:
        if name in _queries and _queries[name].run.__qualname__ != run.__qualname__:
            raise ValueError(f"query {name} is registered twice")
        _queries[name] = NamedQuery(name, version, run)
        return run

    return register


def find_query(name: str) -> NamedQuery:
    """The query of that name. Raises UnknownQuery."""
    try:
        return _queries[name]
    except KeyError:
        known = "、".join(sorted(_queries)) or "（无）"
        raise UnknownQuery(f"没有名为 {name} 的查询；已登记的有：{known}。") from None


def query_names() -> list[str]:
    """Every registered name."""
    return sorted(_queries)


def fingerprint(rows: Iterable[Ref | str], others: Iterable[Ref | str] = ()) -> str:
    """The hex SM3 over the sorted references, one a line; after an empty line those only in the denominator."""
    counted = sorted({str(ref) for ref in rows})
    further = sorted({str(ref) for ref in others} - set(counted))
    return sm3("\n".join([*counted, "", *further] if further else counted).encode())
