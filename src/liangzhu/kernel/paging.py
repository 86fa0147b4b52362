"""Keyset paging: a page begins after the last row seen. No counting, so that a list of a million stays flat."""

import base64
import json
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import F, Q, QuerySet


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
    return condition


def page(
    queryset: QuerySet, request, order: tuple[str, ...], size: int = 50, *, strict: bool = False
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

    def ordered(rows: QuerySet, flip: bool) -> QuerySet:
        return rows.order_by(
            *(
                F(name).desc(nulls_first=flip or None, nulls_last=None if flip else True)
                if descending != flip
                else F(name).asc(nulls_first=flip or None, nulls_last=None if flip else True)
                for name, descending in signed
            )
        )

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
