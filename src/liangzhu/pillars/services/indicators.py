"""Services measured by itself: named queries for the indicators of the pack. The formulas are those of `figures`.

What stands on cases and ratings speaks of the last whole month before the day (on its last day, of that month), so that a
value does not move while it is read, and its rows are kept once for the whole month. What stands on items speaks of the day.
"""

from datetime import date, timedelta
from decimal import Decimal

from liangzhu.beams.data.indicators.api import Measured, named_query
from liangzhu.pillars.services import figures
from liangzhu.pillars.services.figures import FIGURES, Span
from liangzhu.pillars.services.queries import figures as queries


def _span(figure: figures.Figure, day: date) -> Span:
    if figure.family == figures.ITEMS:
        return Span(day, day)
    return figures.month(day) if day == figures.end_of_month(day) else figures.month(_month_before(day))


def _month_before(day: date) -> date:
    return day.replace(day=1) - timedelta(days=1)


def _measure(key: str, day: date) -> Measured:
    one = FIGURES[key]
    counts, counted, others = queries.measured(one, _span(one, day))
    value = one.of(counts)
    numerator: int | None = counts[one.part]
    if key == "compression":
        numerator = counts[one.whole] - counts[one.part]
    if value is None:
        return Measured(None, None, None, others=others)
    return Measured(Decimal(value), numerator, counts[one.whole], counted, others)


def _register(key: str) -> None:
    def run(day: date) -> Measured:
        return _measure(key, day)

    run.__qualname__ = f"measure_{key}"
    named_query(queries.INDICATORS[key])(run)


for _key in queries.INDICATORS:
    _register(_key)
