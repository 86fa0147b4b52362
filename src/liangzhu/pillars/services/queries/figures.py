"""The leader's figures: counts grouped in the database, and the rows behind each of them.

Nothing is rolled up: a count and its rows are the same condition over the same table, so that they cannot disagree. What is
summed up over cases stands in two indexes of `Case` (`counting` writes it), which a period is read from alone.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case as Choose
from django.db.models import Count, F, IntegerField, Q, QuerySet, Sum, Value, When

from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.now import SHANGHAI, now, today
from liangzhu.kernel.once import once
from liangzhu.kernel.refs import Ref, describe, register_ref
from liangzhu.pillars.services import bundles, counting, figures, policies
from liangzhu.pillars.services.figures import COUNTS, FIGURES, Figure, Span
from liangzhu.pillars.services.models import (
    ON_REQUEST,
    Application,
    Case,
    Item,
    ItemVersion,
    Material,
    Rating,
)

TREND_MONTHS = 12


# Conditions -----------------------------------------------------------------------------------------------------------

_AT_ONCE = Q(project_type=ItemVersion.IMMEDIATE) | Q(promised_unit="spot")
_LIMITED = Q(legal_unit="workday", legal_amount__gt=0) & (
    _AT_ONCE | Q(promised_unit="workday", promised_amount__isnull=False)
)
_GIVEN = Q(state=Rating.GIVEN)
_BAD = Q(level__in=Rating.BAD, state__in=(Rating.GIVEN, Rating.VOID))


def _conditions() -> dict[str, Q]:
    """What each count counts, within its family."""
    return {
        "items": Q(),
        "items_online": Q(online=True),
        "items_whole": Q(depth="4", visits=0),
        "items_mobile": Q(mobile=True),
        "items_immediate": Q(project_type=ItemVersion.IMMEDIATE),
        "items_limited": _LIMITED,
        "items_unlike": Q(legal_amount__gt=0) & ~Q(_LIMITED),
        "items_visits": Q(visits__isnull=False),
        "received": Q(),
        "received_online": Q(channel=Application.ONLINE),
        "materials": Q(),
        "spared": Q(material__state__in=Material.SPARED),
        "vowed": Q(material__state=Material.PROMISED),
        "decided": Q(),
        "same_day": Q(decided_on=F("received_on")),
        "under_promise": Q(in_promise__isnull=False),
        "in_promise": Q(in_promise=True),
        "beyond_promise": Q(in_promise=False),
        "under_law": Q(in_law__isnull=False),
        "in_law": Q(in_law=True),
        "beyond_law": Q(in_law=False),
        "late": Q(),
        "asked": Q(),
        "given": Q(state__in=(Rating.GIVEN, Rating.VOID)),
        "valid": _GIVEN,
        "level_5": _GIVEN & Q(level=5),
        "level_4": _GIVEN & Q(level=4),
        "level_3": _GIVEN & Q(level=3),
        "level_2": _GIVEN & Q(level=2),
        "level_1": _GIVEN & Q(level=1),
        "good": _GIVEN & Q(level__gte=3),
        "bad": _GIVEN & Q(level__in=Rating.BAD),
        "default": Q(state=Rating.DEFAULT),
        "waiting": Q(state=Rating.ASKED),
        "void": Q(state=Rating.VOID),
        "bad_all": _BAD,
        "bad_open": _BAD & Q(matter__closed_at=None),
        "bad_late": _BAD & Q(matter__closed_at=None, matter__due_at__lte=now()),
        "bad_ended": _BAD & Q(matter__closed_at__isnull=False),
        "again": _BAD & Q(again__isnull=False),
        "again_good": _BAD & Q(again__gte=3),
    }


_SUMS = {
    "legal_days": Sum("legal_amount", filter=_LIMITED, default=0),
    "promised_days": Sum(
        Choose(When(_AT_ONCE, then=Value(0)), default=F("promised_amount"), output_field=IntegerField()),
        filter=_LIMITED,
        default=0,
    ),
    "visits": Sum("visits", default=0),
    "materials": Sum("asked", default=0),
    "spared": Sum("spared", default=0),
    "vowed": Sum("vowed", default=0),
}
"""Counts that are sums: those of materials stand on the case."""

_DAYS = {figures.RECEIVED: "received_on", figures.DECIDED: "decided_on"}
"""The day of a case, by family: the first column of its index."""

ORDERS = {
    figures.RECEIVED: ("-received_on", "-id"),
    figures.DECIDED: ("-decided_on", "-id"),
    figures.RATINGS: ("-asked_at", "-id"),
}
"""How rows are listed, by family: the newest first, along the index."""

_UNIT = {figures.ITEMS: "item__unit_id", figures.MATERIALS: "case__unit_id"}
_ITEM = {figures.ITEMS: "item__key", figures.MATERIALS: "case__item"}


def _in_force(day: date) -> Q:
    return Q(in_force_from__lte=day) & (Q(in_force_to=None) | Q(in_force_to__gt=day))


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)


def _rows(family: str, span: Span) -> QuerySet[Any]:
    """The rows of a family in a period."""
    if family == figures.ITEMS:
        return ItemVersion.objects.filter(
            _in_force(min(span.last, today())),
            state__in=ItemVersion.RELEASED,
            task_state=ItemVersion.ACTIVE,
            task_type__in=ON_REQUEST,
        )
    if family == figures.RECEIVED:
        return Case.objects.filter(received_on__range=(span.first, span.last))
    if family == figures.DECIDED:
        return Case.objects.filter(decided_on__range=(span.first, span.last))
    if family == figures.OPEN:
        return Case.objects.filter(
            decided_on=None,
            received_on__isnull=False,
            matter__closed_at=None,
            matter__due_at__lte=now(),
        )
    if family == figures.MATERIALS:
        return Material.cases.through.objects.filter(
            case__received_on__range=(span.first, span.last), material__state__in=counting.IN_QUESTION
        )
    return Rating.objects.filter(
        asked_at__gte=_moment(span.first), asked_at__lt=_moment(span.last + timedelta(days=1))
    )


def _within(rows: QuerySet[Any], family: str, units: frozenset[int] | None, item: str) -> QuerySet[Any]:
    """Only those of some units (None: all), and of one item or bundle."""
    if units is not None:
        rows = rows.filter(**{f"{_UNIT.get(family, 'unit_id')}__in": units})
    if item:
        # A rating of an application for one item is kept under the application's own key.
        keys = [item, bundles.ONE_ITEM + item] if family == figures.RATINGS else [item]
        rows = rows.filter(**{f"{_ITEM.get(family, 'item')}__in": keys})
    return rows


# Who sees what --------------------------------------------------------------------------------------------------------


def scope(actor: Actor, unit_id: int | None = None) -> frozenset[int] | None:
    """The units whose figures the actor sees, narrowed to one and what is below it; None: the whole district.

    Raises Denied; NotThere for a unit outside of what the actor sees.
    """
    policies.read_figures.require(actor)
    own = None if policies.sees_all_figures(actor) else _with_below(getattr(actor, "unit_id", None) or 0)
    if unit_id is None:
        return own
    if own is not None and unit_id not in own:
        raise NotThere("没有找到这个单位的数，或者不在您的查看范围。", todo="请从本单位的数里点开。")
    return _with_below(unit_id)


def _with_below(unit_id: int) -> frozenset[int]:
    return frozenset([unit_id, *(one.id for one in directory.units().under(unit_id))])


# Counting -------------------------------------------------------------------------------------------------------------

Key = tuple[int, str]
"""A unit's id and the key of an item or bundle."""

_FOLLOWED = ("bad_all", "bad_open", "bad_late", "bad_ended", "again", "again_good")
"""Counts of bad ratings: they look at the matter, so that they are asked of the bad ones alone."""


def counted(
    span: Span, units: frozenset[int] | None = None, item: str = "", *, late: bool = True
) -> dict[Key, Counter[str]]:
    """All counts of a period by unit and item. ``late``: with what is late at this moment."""
    conditions = _conditions()
    asked: list[tuple[str, QuerySet[Any], list[str]]] = []
    for family in (figures.ITEMS, figures.RECEIVED, figures.DECIDED, figures.RATINGS, figures.OPEN):
        rows = _within(_rows(family, span), family, units, item)
        names = [name for name, count in COUNTS.items() if count.family == family and name not in _FOLLOWED]
        if family == figures.RECEIVED:
            names += [name for name, count in COUNTS.items() if count.family == figures.MATERIALS]
        if family != figures.OPEN or late:
            asked.append((family, rows, names))
        if family == figures.RATINGS:
            asked.append((family, rows.filter(_BAD), list(_FOLLOWED)))
    found: dict[Key, Counter[str]] = {}
    for family, rows, names in asked:
        unit, key = _UNIT.get(family, "unit_id"), _ITEM.get(family, "item")
        sums = {f"n_{name}": _SUMS.get(name) or Count("pk", filter=conditions[name]) for name in names}
        for row in rows.order_by().values(unit, key).annotate(**sums):
            place = (row[unit], row[key].removeprefix(bundles.ONE_ITEM))
            found.setdefault(place, Counter()).update({name: row[f"n_{name}"] for name in names})
    return found


def _together(found: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in found:
        total.update(one)
    return total


# The page -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A figure of the whole: its value, that of the period before, and the counts it stands on."""

    figure: Figure
    value: Decimal | None
    before: Decimal | None
    counts: Mapping[str, int]

    @property
    def change(self) -> Decimal | None:
        """Value less the one before, in the figure's own unit; None where one of the two is missing."""
        return None if self.value is None or self.before is None else self.value - self.before

    @property
    def better(self) -> bool | None:
        """Whether the change is for the better; None without one."""
        return None if not self.change else (self.change > 0) == self.figure.up


@dataclass(frozen=True)
class Group:
    """The figures of one unit, or of one item or bundle."""

    key: str
    title: str
    counts: Mapping[str, int]

    def value(self, figure: str) -> Decimal | None:
        """One of them."""
        return FIGURES[figure].of(self.counts)


@dataclass(frozen=True)
class Board:
    """All figures of a period."""

    span: Span
    before: Span
    counts: Mapping[str, int]
    lines: dict[str, Line]
    units: list[Group]
    items: list[Group]


def board(actor: Actor, span: Span, unit_id: int | None = None) -> Board:
    """The figures of a period within what the actor sees. Raises Denied, NotThere."""
    units = scope(actor, unit_id)
    found, before = counted(span, units), counted(span.before(), units, late=False)
    total, earlier = _together(found.values()), _together(before.values())
    lines = {key: Line(one, one.of(total), one.of(earlier), total) for key, one in FIGURES.items()}
    by_unit: dict[int, list[Counter[str]]] = {}
    by_item: dict[str, list[Counter[str]]] = {}
    for (unit, item), counts in found.items():
        by_unit.setdefault(unit, []).append(counts)
        by_item.setdefault(item, []).append(counts)
    names = titles()
    return Board(
        span,
        span.before(),
        total,
        lines,
        [Group(str(unit), directory.unit_name(unit), _together(some)) for unit, some in by_unit.items()],
        [
            Group(item, names.get(item, item) or "没有写明事项", _together(some))
            for item, some in by_item.items()
        ],
    )


def titles() -> dict[str, str]:
    """Names of items and bundles by key, as they are called now."""

    def make() -> dict[str, str]:
        rows = ItemVersion.objects.filter(state__in=ItemVersion.RELEASED).order_by("number")
        return dict(rows.values_list("item__key", "name")) | {
            one.key: one.title for one in bundles.all_bundles()
        }

    return once("services.figures.titles", make)


def trend(
    actor: Actor, figure: str, last: date, unit_id: int | None = None
) -> list[tuple[str, Decimal | None]]:
    """A figure over the twelve months up to that of ``last``: (month, value)."""
    units, one, conditions = scope(actor, unit_id), FIGURES[figure], _conditions()
    months = [figures.month(figures.months_on(last, back)) for back in range(1 - TREND_MONTHS, 1)]
    family = figures.RECEIVED if one.family == figures.MATERIALS else one.family
    wanted = {name: _SUMS.get(name) or Count("pk", filter=conditions[name]) for name in (one.part, one.whole)}
    counts: dict[date, Counter[str]] = {}
    if family in _DAYS:
        # By the day, as the index has it: cutting a date down to its month is a call for each row in SQLite.
        rows = _within(_rows(family, Span(months[0].first, months[-1].last)), family, units, "")
        grouped = rows.order_by().values(_DAYS[family])
        for row in grouped.annotate(**{f"n_{name}": how for name, how in wanted.items()}):
            found = counts.setdefault(row[_DAYS[family]].replace(day=1), Counter())
            found.update({name: row[f"n_{name}"] for name in wanted})
    else:
        for span in months:
            if span.first <= today():
                rows = _within(_rows(family, span), family, units, "")
                if set(wanted) & set(_FOLLOWED):
                    rows = rows.filter(_BAD)
                found = rows.aggregate(**{f"n_{name}": how for name, how in wanted.items()})
                counts[span.first] = Counter({name: found[f"n_{name}"] for name in wanted})
    return [(f"{span.first:%Y-%m}", one.of(counts.get(span.first, {}))) for span in months]


# The rows behind a number ---------------------------------------------------------------------------------------------


def rows(
    actor: Actor, count: str, span: Span, unit_id: int | None = None, item: str = ""
) -> tuple[str, QuerySet[Any]]:
    """The rows that a count counts, and their family. Raises Denied, NotThere."""
    units = scope(actor, unit_id)
    if count not in COUNTS:
        raise NotThere("没有这个数。", todo="请从指标页面点开。")
    name = COUNTS[count].rows or count
    family = COUNTS[name].family
    found = _within(_rows(family, span), family, units, item).filter(_conditions()[name])
    related = {
        figures.ITEMS: ("item",),
        figures.MATERIALS: ("case", "material__application"),
        figures.RATINGS: ("matter",),
    }
    return family, found.select_related(*related.get(family, ("matter",)))


# For everybody --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Public:
    """What the public sees: online rate in both readings and the exemption rate, of this year until now."""

    span: Span
    lines: list[Line]


def public() -> Public:
    """The rates of the whole district, for everybody: three counts, each over one index."""
    span, conditions = Span(date(today().year, 1, 1), today()), _conditions()
    counts: dict[str, int] = {}
    for family, names in (
        (figures.ITEMS, ("items", "items_whole", "items_online")),
        (figures.RECEIVED, ("received", "received_online", "materials", "spared")),
    ):
        wanted = {f"n_{name}": _SUMS.get(name) or Count("pk", filter=conditions[name]) for name in names}
        found = _rows(family, span).aggregate(**wanted)
        counts.update({name: found[f"n_{name}"] for name in names})
    shown = ("online_possible", "whole_online", "online_done", "spared")
    return Public(span, [Line(FIGURES[key], FIGURES[key].of(counts), None, counts) for key in shown])


# What the page asks besides -------------------------------------------------------------------------------------------

INDICATORS = {
    "whole_online": "services.whole_online",
    "online_done": "services.online_done",
    "immediate": "services.immediate",
    "compression": "services.compression",
    "visits": "services.visits",
    "spared": "services.spared",
    "in_promise": "services.in_promise",
    "good": "services.good",
    "followed": "services.followed",
}
"""Figures that are indicators as well (`indicators.py`), by key."""


def sees_all(actor: Actor) -> bool:
    """Whether the actor sees the whole district."""
    return policies.sees_all_figures(actor)


def units(actor: Actor) -> list[tuple[str, str]]:
    """The units that keep items, of those whose figures the actor sees: (id, name)."""
    seen = scope(actor)
    keeping = set(Item.objects.order_by().values_list("unit_id", flat=True).distinct())
    rows = [one for one in directory.units().all() if one.id in keeping and (seen is None or one.id in seen)]
    return [(str(one.id), one.short) for one in rows]


# For indicators -------------------------------------------------------------------------------------------------------


def measured(one: Figure, span: Span) -> tuple[dict[str, int], list[Ref], list[Ref]]:
    """The counts of a figure over the whole district, the rows of its part, and those only in its whole.

    Where it is computed from sums the rows are those that were summed up; of materials, the cases that needed them.
    """
    conditions = _conditions()
    family = figures.RECEIVED if one.family == figures.MATERIALS else one.family
    whole = _rows(family, span)
    names = {one.part: COUNTS[one.part], one.whole: COUNTS[one.whole]}
    wanted = {f"n_{name}": _SUMS.get(name) or Count("pk", filter=conditions[name]) for name in names}
    found = whole.aggregate(**wanted)
    counts = {name: found[f"n_{name}"] for name in names}
    summed = one.part in _SUMS

    def refs(count: str) -> set[int]:
        name = COUNTS[count].rows or count
        condition = Q() if COUNTS[name].family == figures.MATERIALS else conditions[name]
        return set(whole.filter(condition).values_list("pk", flat=True))

    everything = refs(one.whole)
    part = everything if summed else refs(one.part)
    kind = {figures.ITEMS: "service_item_version", figures.RATINGS: "rating"}.get(family, "service_case")
    return (
        counts,
        [Ref(kind, str(pk)) for pk in sorted(part)],
        [Ref(kind, str(pk)) for pk in sorted(everything - part)],
    )


def _case_refs(ids: Iterable[str], actor: Actor) -> dict[str, tuple[str, str]]:
    """Item and code of cases; the address where the actor may read the matter."""
    return _by_matter(
        Case.objects.filter(pk__in=list(ids)), actor, lambda one: f"{one.name} {one.code or ''}".strip()
    )


def _rating_refs(ids: Iterable[str], actor: Actor) -> dict[str, tuple[str, str]]:
    """What was rated and how; the address where the actor may read the follow-up."""
    rows = Rating.objects.filter(pk__in=list(ids))
    return _by_matter(
        rows, actor, lambda one: f"{one.title} {one.get_level_display() or one.get_state_display()}"
    )


def _by_matter(rows: Iterable[Any], actor: Actor, label: Callable[[Any], str]) -> dict[str, tuple[str, str]]:
    if not (actor.is_system or policies.read_figures(actor) or policies.read_items(actor)):
        return {}
    rows = list(rows)
    seen = describe([Ref("matter", str(one.matter_id)) for one in rows if one.matter_id], actor)
    return {
        str(one.pk): (label(one), seen.get(Ref("matter", str(one.matter_id)), ("", ""))[1]) for one in rows
    }


register_ref("service_case", "办件", _case_refs)
register_ref("rating", "评价", _rating_refs)
