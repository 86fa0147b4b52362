"""The ledger measured by itself: named queries whose every number opens to the tasks behind it."""

from datetime import date, datetime, time
from decimal import Decimal

from liangzhu.beams.data.indicators.api import Measured, named_query
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.now import SHANGHAI
from liangzhu.kernel.workdays import shanghai_date
from liangzhu.pillars.programme.models import PlanTask


def _issued(day: date) -> list[PlanTask]:
    """Tasks issued by the end of the day."""
    end = datetime.combine(day, time.max, tzinfo=SHANGHAI)
    return list(PlanTask.objects.filter(issued_at__lte=end, dropped=False).select_related("matter"))


def _rate(rows: list[PlanTask], good: list[PlanTask]) -> Measured:
    """Percent with one decimal; nothing to count gives no value rather than a flattering one."""
    value = round(Decimal(100 * len(good)) / len(rows), 1) if rows else None
    counted = {row.pk for row in good}
    return Measured(
        value=value,
        numerator=len(good),
        denominator=len(rows),
        rows=[row.ref for row in good],
        others=[row.ref for row in rows if row.pk not in counted],
    )


@named_query("programme.signed_rate")
def signed_rate(day: date) -> Measured:
    """签收率: issued tasks that their lead unit has signed for, of all issued tasks."""
    rows = _issued(day)
    signed = {entry.matter_id for entry in matters.entries_of([row.matter_id for row in rows], "sign", day)}
    return _rate(rows, [row for row in rows if row.matter_id in signed])


@named_query("programme.closed_rate")
def closed_rate(day: date) -> Measured:
    """办结率: tasks checked and closed, of all issued tasks."""
    rows = _issued(day)
    return _rate(rows, [row for row in rows if _closed(row, day)])


@named_query("programme.on_time_rate")
def on_time_rate(day: date) -> Measured:
    """按期办结率: of the tasks whose limit has passed or that are closed, those closed whose completion was reported
    within their limit. How long the office takes to check is the office's time.
    """
    rows = [row for row in _issued(day) if _closed(row, day) or (row.due_on and row.due_on < day)]
    # The last report before the close counts: one that was sent back was not completion.
    reported = {
        entry.matter_id: shanghai_date(entry.at)
        for entry in matters.entries_of([row.matter_id for row in rows], "report_done", day)
    }
    good = [
        row
        for row in rows
        if _closed(row, day)
        and (
            row.due_on is None
            or reported.get(row.matter_id, shanghai_date(row.matter.closed_at)) <= row.due_on
        )
    ]
    return _rate(rows, good)


@named_query("programme.report_rate")
def report_rate(day: date) -> Measured:
    """进展按期报送率: of the tasks open at the start of the month before, those that reported progress in that month."""
    first_of_this = day.replace(day=1)
    last_of_previous = date.fromordinal(first_of_this.toordinal() - 1)
    first_of_previous = last_of_previous.replace(day=1)
    rows = [
        row
        for row in _issued(first_of_previous)
        if row.matter.closed_at is None or shanghai_date(row.matter.closed_at) > last_of_previous
    ]
    reported = {
        entry.matter_id
        for entry in matters.entries_of([row.matter_id for row in rows], "report_progress", last_of_previous)
        if shanghai_date(entry.at) >= first_of_previous
    }
    return _rate(rows, [row for row in rows if row.matter_id in reported])


def _closed(row: PlanTask, day: date) -> bool:
    return (
        row.matter.state == "closed"
        and row.matter.closed_at is not None
        and shanghai_date(row.matter.closed_at) <= day
    )
