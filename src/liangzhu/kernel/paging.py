"""Keyset paging: a page begins after the last row seen. No counting, so that a list of a million stays flat."""

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connection
from django.db.models import F, Model, Q, QuerySet


@dataclass(frozen=True)
class Page:
    """Rows of one page; ``next`` and ``previous`` are query strings, empty where there is no such page."""

    rows: list
    next: str
    previous: str

    def __iter__(self):
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Branch:
    """One source of a merged list: rows of the listed model, or of a narrow table that points at it.

    ``via`` names the relation to the listed model, "" when the rows are it. ``own`` are the listed model's columns
    that the narrow table repeats: they are asked there, all others by a join.
    """

    rows: QuerySet
    via: str = ""
    own: frozenset[str] = frozenset()

    def name(self, field: str) -> str:
        """Where a field of the listed model is found from here."""
        if not self.via or field.partition("__")[0] in self.own:
            return field
        return f"{self.via}_id" if field in ("pk", "id") else f"{self.via}__{field}"

    def asked(self, condition: Q) -> Q:
        """A condition over the listed model, as it is asked here."""
        if not self.via:
            return condition
        found = Q(
            *(
                self.asked(each) if isinstance(each, Q) else (self.name(each[0]), each[1])
                for each in condition.children
            ),
            _connector=condition.connector,
        )
        return ~found if condition.negated else found

    @cached_property
    def where(self) -> "Where | None":
        """The condition of its rows as SQL, compiled once for all the lists made of it; None where that does not do."""
        return None if self.via else _where(self.rows)


SHORT = 1_000
"""Up to how many rows a list is read to be told apart (`Merged.bounded_parts`)."""

Where = tuple[str, tuple]
"""A condition on the columns of one table: SQL and values."""


def _where(rows: QuerySet) -> Where | None:
    """The condition of a queryset; None when it looks beyond its own table. Raises EmptyResultSet when nothing fulfils it."""
    query = rows.query
    if query.annotations or query.is_sliced or query.distinct:
        return None
    compiler = query.get_compiler(connection=connection)
    try:
        sql, values = compiler.compile(query.where)
    except FullResultSet:
        sql, values = "", ()
    if any(used and alias != query.model._meta.db_table for alias, used in query.alias_refcount.items()):
        return None
    return sql, tuple(values)


@dataclass(frozen=True)
class Merged:
    """A list from several sources (有序归并), each read in order through an index of its own.

    An OR over them would make the database sort all that is found, which grows with the table. Here each source gives
    no more rows than the page needs, in one statement; what two sources have in common stands once. Offers of a
    queryset what lists need: filter, order_by, a slice from the start, iteration, exists, count, first. Conditions are
    Q over plain fields; order only by columns without NULL, the last one ``id``.
    """

    model: type[Model]
    branches: tuple[Branch, ...]
    order: tuple[str, ...] = ("id",)
    asked: Q = field(default_factory=Q)

    def filter(self, *conditions: Q, **fields) -> "Merged":
        """The rows that fulfil conditions."""
        asked = Q(*conditions, **fields)
        return replace(self, asked=self.asked & asked) if asked else self

    def order_by(self, *fields: str) -> "Merged":
        """The same rows in another order."""
        return replace(self, order=fields or ("id",))

    def __getitem__(self, part: slice) -> list[Model]:
        if not isinstance(part, slice) or part.start or part.step:
            raise TypeError("a merged list is read from its start: rows[:51]")
        if len(self.branches) == 1 and not self.branches[0].via:
            return list(self.branches[0].rows.filter(self.asked).order_by(*self.order)[part])
        ids = self.ids(part.stop)
        found = self.model._default_manager.in_bulk(ids)
        return [found[one] for one in ids if one in found]

    def __iter__(self) -> Iterator[Model]:
        return iter(self[:None])

    def ids(self, limit: int | None) -> list[int]:
        """The keys of the first rows."""
        found = self._union(limit)
        if found is None:
            return []
        sql, values = found
        order = ", ".join(
            f"k{n} {'DESC' if name.startswith('-') else 'ASC'}" for n, name in enumerate(self.order)
        )
        cut = "" if limit is None else f" LIMIT {int(limit)}"
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT k{len(self.order) - 1} FROM ({sql}) AS u ORDER BY {order}{cut}", values)
            return [row[0] for row in cursor.fetchall()]

    def statement(self, limit: int) -> tuple[str, list]:
        """The statement that finds the first rows; for tests that hold its plan."""
        return self._union(limit)

    def _union(self, limit: int | None, ordered: bool = True) -> tuple[str, list] | None:
        """Every source with its own order and limit, as one statement: SQL and values. The order's columns are k0, k1 …"""
        names = ", ".join(f"k{n}" for n in range(len(self.order)))
        parts, values = [], []
        try:
            asked = _where(self.model._default_manager.filter(self.asked))
        except EmptyResultSet:
            return None
        for n, one in enumerate(self.branches):
            try:
                sql, given = self._plain(one, asked, limit, ordered) or self._asked(one, limit, ordered)
            except EmptyResultSet:
                continue
            parts.append(f"SELECT {names} FROM ({sql}) AS b{n}")
            values += given
        return (" UNION ".join(parts), values) if parts else None

    def _plain(
        self, one: Branch, asked: Where | None, limit: int | None, ordered: bool
    ) -> tuple[str, list] | None:
        """A source of rows of the listed model alone. Said in SQL: a page asks for dozens, and Django's query objects,
        made anew for each, would take more time than the database.
        """
        if asked is None or one.where is None:
            return None
        quote, meta = connection.ops.quote_name, self.model._meta
        columns = [
            f"{quote(meta.db_table)}.{quote(meta.get_field(name.lstrip('-')).column)}" for name in self.order
        ]
        taken = ", ".join(f"{column} AS k{n}" for n, column in enumerate(columns))
        sql = f"SELECT {taken} FROM {quote(meta.db_table)}"
        if conditions := [f"({condition})" for condition, _ in (one.where, asked) if condition]:
            sql += f" WHERE {' AND '.join(conditions)}"
        if ordered:
            sql += " ORDER BY " + ", ".join(
                f"{column} {'DESC' if name.startswith('-') else 'ASC'}"
                for column, name in zip(columns, self.order, strict=True)
            )
        if limit is not None:
            sql += f" LIMIT {int(limit)}"
        return sql, [*one.where[1], *asked[1]]

    def _asked(self, one: Branch, limit: int | None, ordered: bool) -> tuple[str, tuple]:
        """Any source, as Django says it."""
        order = [f"-{one.name(name[1:])}" if name.startswith("-") else one.name(name) for name in self.order]
        keys = {f"k{n}": F(one.name(name.lstrip("-"))) for n, name in enumerate(self.order)}
        rows = one.rows.filter(one.asked(self.asked)).order_by(*order if ordered else ()).values(**keys)
        return (rows if limit is None else rows[:limit]).query.sql_with_params()

    def bounded(self, limit: int) -> int:
        """How many rows, counting no further than ``limit``."""
        return bounded_each([self], limit)[0]

    def bounded_parts(self, parts: dict[str, Q], limit: int) -> dict[str, int]:
        """How many rows fulfil each condition, counting no further than ``limit``.

        A list of few rows is read once and told apart; one that is longer than `SHORT` is asked for each part, so that
        nothing grows with the table.
        """
        if len(self.branches) > 2 and (found := self._told_apart(parts)) is not None:
            return {name: min(count, limit) for name, count in found.items()}
        return dict(
            zip(parts, bounded_each([self.filter(one) for one in parts.values()], limit), strict=True)
        )

    def _told_apart(self, parts: dict[str, Q]) -> dict[str, int] | None:
        """The size of each part of a list that has at most `SHORT` rows; None for a longer one, or other sources."""
        conditions = {name: _where(self.model._default_manager.filter(one)) for name, one in parts.items()}
        if None in conditions.values() or any(one.where is None for one in self.branches):
            return None
        quote, table = connection.ops.quote_name, self.model._meta.db_table
        read = {name for one in parts.values() for name in _fields(one)}
        names = tuple(dict.fromkeys((self.model._meta.pk.name, *sorted(read))))
        found = replace(self, order=names)._union(SHORT + 1, ordered=False)
        if found is None:
            return dict.fromkeys(parts, 0)
        columns = ", ".join(
            f"k{n} AS {quote(self.model._meta.get_field(name).column)}" for n, name in enumerate(names)
        )
        counted = ", ".join(
            f"SUM(CASE WHEN {sql or '1 = 1'} THEN 1 ELSE 0 END)" for sql, _ in conditions.values()
        )
        values = [value for _, given in conditions.values() for value in given]
        rows = f"SELECT {columns} FROM ({found[0]}) AS u LIMIT {SHORT + 1}"
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT COUNT(*), {counted} FROM ({rows}) AS {quote(table)}", [*values, *found[1]]
            )
            length, *each = cursor.fetchone()
        return None if length > SHORT else dict(zip(parts, (one or 0 for one in each), strict=True))

    def exists(self) -> bool:
        """Whether there is any row."""
        return self.bounded(1) > 0

    def count(self) -> int:
        """How many rows there are; not for pages, which use `bounded`."""
        return len(self.ids(None))

    def first(self) -> Model | None:
        """The first row in order."""
        return next(iter(self[:1]), None)


def _fields(condition: Q) -> set[str]:
    """The fields that a condition reads; plain ones, as lists have them."""
    return set().union(
        *(_fields(one) if isinstance(one, Q) else {one[0].partition("__")[0]} for one in condition.children)
    )


def bounded_each(lists: Iterable[Merged], limit: int) -> list[int]:
    """How many rows each list has, counting no further than ``limit``: in one statement."""
    parts, values, places = [], [], []
    for one in lists:
        found = replace(one, order=("id",))._union(limit, ordered=False)
        places.append(found is not None)
        if found is not None:
            parts.append(f"(SELECT COUNT(*) FROM (SELECT k0 FROM ({found[0]}) AS u LIMIT {int(limit)}) AS c)")
            values += found[1]
    if not parts:
        return [0 for _ in places]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", values)
        counted = iter(cursor.fetchone())
    return [next(counted) if there else 0 for there in places]


def _pack(row, fields: list[str]) -> str:
    values = []
    for name in fields:
        value = row
        for part in name.split("__"):
            value = getattr(value, part)
        values.append({"t": value.isoformat()} if isinstance(value, (date, datetime)) else value)
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _unpack(token: str, fields: list[str]) -> list | None:
    try:
        values = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        if not isinstance(values, list) or len(values) != len(fields):
            return None
        out = []
        for value in values:
            if isinstance(value, dict):
                text = value["t"]
                value = datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
            out.append(value)
        return out
    except (ValueError, KeyError, TypeError):
        return None


def _beyond(values: list, signed: list[tuple[str, bool]], *, empty_last: bool) -> Q:
    """Rows strictly after ``values`` in the given order; empty values come last, or first when one walks back."""
    condition = Q()
    same = Q()
    for (name, descending), value in zip(signed, values, strict=True):
        empty = Q(**{f"{name}__isnull": True})
        if value is None:
            step = Q(pk__in=[]) if empty_last else ~empty
        else:
            step = Q(**{f"{name}__{'lt' if descending else 'gt'}": value})
            step = step | empty if empty_last else step
        condition |= same & step
        same &= empty if value is None else Q(**{name: value})
    first, value = signed[0], values[0]
    if value is None:
        return condition
    # Said once more as a plain range: with it an index is entered where the page begins, instead of walked to there.
    reach = Q(**{f"{first[0]}__{'lte' if first[1] else 'gte'}": value})
    return condition & (reach | Q(**{f"{first[0]}__isnull": True}) if empty_last else reach)


def _may_be_empty(rows: QuerySet, name: str) -> bool:
    """Whether a column has NULL: only then the order must say where they stand, which not every index can serve."""
    return "__" in name or name in rows.query.annotations or rows.model._meta.get_field(name).null


def page(
    queryset: QuerySet | Merged, request, order: tuple[str, ...], size: int = 50, *, strict: bool = False
) -> Page:
    """One page of a queryset in ``order`` (field names, "-" for descending, the last one unique).

    Reads ``after`` or ``before`` from the request; a token that cannot be read shows the first page, or raises ValueError
    when ``strict``: a program that pages on must not begin again in silence.
    """
    signed = [(name.lstrip("-"), name.startswith("-")) for name in order]
    fields = [name for name, _ in signed]
    after = _unpack(request.GET.get("after", ""), fields)
    before = _unpack(request.GET.get("before", ""), fields) if after is None else None
    if strict and after is before is None and (request.GET.get("after") or request.GET.get("before")):
        raise ValueError("the place in the list cannot be read")

    def ordered(rows: QuerySet | Merged, flip: bool) -> QuerySet | Merged:
        if isinstance(rows, Merged):
            return rows.order_by(*(f"-{name}" if descending != flip else name for name, descending in signed))
        order = []
        for name, descending in signed:
            ends = {"nulls_first": flip or None, "nulls_last": None if flip else True}
            ends = ends if _may_be_empty(rows, name) else {}
            order.append(F(name).desc(**ends) if descending != flip else F(name).asc(**ends))
        return rows.order_by(*order)

    if before is not None:
        # Walking back: the mirror image of the order, then turned round. Empty values, last in the order, come first.
        flipped = [(name, not descending) for name, descending in signed]
        condition = _beyond(before, flipped, empty_last=False)
        rows = list(ordered(queryset.filter(condition), True)[: size + 1])
        more_before, more_after = len(rows) > size, True
        rows = rows[:size][::-1]
    else:
        narrowed = queryset if after is None else queryset.filter(_beyond(after, signed, empty_last=True))
        rows = list(ordered(narrowed, False)[: size + 1])
        more_before, more_after = after is not None, len(rows) > size
        rows = rows[:size]

    def link(name: str, row) -> str:
        query = request.GET.copy()
        query.pop("after", None)
        query.pop("before", None)
        query[name] = _pack(row, fields)
        return "?" + query.urlencode()

    return Page(
        rows=rows,
        next=link("after", rows[-1]) if rows and more_after else "",
        previous=link("before", rows[0]) if rows and more_before else "",
    )
