"""Computing clocks: from a start, an amount, the stretches that do not count and the extensions to an end and
a warning.

Nothing here reads or writes a matter; `engine` does. How is counted:

- The day of the start is not counted (民法典 §201); a period of days ends with its last day at 24:00
  Asia/Shanghai. Ends are instants and exclusive: 24:00 of 25 October is 26 October 00:00.
- Months end on the corresponding day of the month in which they end, on its last day where it has none (民法典 §202),
  on the next working day where that is a day off (§203). Stretches and extensions of months are counted in days.
- Working days are those of the calendar (行政许可法 §82). Natural days count every day, also when the last is a
  day off.
- Time that a hearing, inspection or expert review takes is not counted (行政许可法 §45): the day after the notice
  is the first that does not count, the day of the result the last. Who stops on the last day in time still
  has the day of resumption. A stretch that begins after the end changes nothing. Hours stand still exactly.
- A date stays the date: standing still hides its light, and does not move it.
"""

import time as machine
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models.signals import post_delete, post_save

from liangzhu.beams.work.matters.grammar import ClockRule
from liangzhu.beams.work.matters.rules import rules
from liangzhu.kernel.models import DayOverride
from liangzhu.kernel.now import SHANGHAI
from liangzhu.kernel.pack import PackError
from liangzhu.kernel.workdays import Day, WorkCalendar

_HOLD = 60.0
_held: tuple[float, WorkCalendar] | None = None


def work_calendar(*, fresh: bool = False) -> WorkCalendar:
    """The working days with the district's overrides.

    For showing, one that was read within the last minute will do; whoever writes an end asks for a ``fresh``
    one.
    """
    global _held
    if fresh or _held is None or machine.monotonic() - _held[0] > _HOLD:
        overrides = {row.date: (row.workday, row.reason) for row in DayOverride.objects.all()}
        known = _held[1] if _held else None
        # The same overrides keep the calendar with the years it has already worked out.
        same = known is not None and {day: tuple(o) for day, o in known.overrides.items()} == overrides
        _held = (machine.monotonic(), known if same else WorkCalendar(overrides))
    return _held[1]


def forget(**kwargs) -> None:
    """Read the overrides anew the next time."""
    global _held
    _held = None


post_save.connect(forget, sender=DayOverride, dispatch_uid="matters.calendar.saved")
post_delete.connect(forget, sender=DayOverride, dispatch_uid="matters.calendar.deleted")


def workdays_after(first: date, last: date) -> int:
    """The working days after a day up to and with another; negative backwards. Raises NoSuchWorkday."""
    return work_calendar(fresh=True).between(first, last)


def local_day(moment: datetime) -> date:
    """The day of an instant in Asia/Shanghai."""
    return moment.astimezone(SHANGHAI).date()


def start_of(day: date) -> datetime:
    """0:00 of a day in Asia/Shanghai, as UTC."""
    return datetime.combine(day, time.min, SHANGHAI).astimezone(UTC)


def end_of(day: date) -> datetime:
    """24:00 of a day in Asia/Shanghai, as UTC."""
    return start_of(day + timedelta(days=1))


def last_day(due_at: datetime) -> date:
    """The day on which an exclusive end lies: 26 October 00:00 is still 25 October."""
    return local_day(due_at - timedelta(microseconds=1))


def ends_with_day(due_at: datetime) -> bool:
    """Whether an end is the end of a day, as that of every clock but one in hours."""
    return due_at == end_of(last_day(due_at))


@dataclass(frozen=True)
class End:
    """Where a clock ends. ``skipped`` are the holidays left out and the weekend days worked on the way."""

    due_at: datetime
    provisional: bool = False
    skipped: tuple[Day, ...] = ()


def end(
    unit: str,
    amount: int,
    started_at: datetime,
    stops: list[tuple[datetime, datetime]],
    calendar: WorkCalendar,
    extra: int = 0,
) -> End:
    """The end of a clock of ``amount`` working days, days, months, working hours or hours. ``stops`` are finished
    stretches in order of time; ``extra`` is what extensions add: of the unit, or days where that is months.

    Raises NoSuchWorkday when it would lie outside the years that can be counted, PackError when working hours
    are counted and the pack has no office hours.
    """
    if unit == "month":
        first = local_day(started_at)
        amount = (months_after(first, amount) - first).days
    amount += extra
    if unit == "workhour":
        return _end_of_work(amount, started_at, stops, calendar)
    if unit == "hour":
        due_at = started_at + timedelta(hours=amount)
        for begun, ended in stops:
            if begun < due_at:
                due_at += ended - begun
        return End(due_at)
    from_day, left = local_day(started_at), amount
    provisional, skipped = False, []
    for begun, ended in ((local_day(a), local_day(b)) for a, b in stops):
        reached = _count(unit, from_day, left, calendar)
        if begun > reached.date:
            break
        passed = calendar.between(from_day, begun) if unit == "workday" else (begun - from_day).days
        # With nothing left the end may have rolled to the next working day; it spends no more than was left.
        spent = min(passed, left)
        walked = calendar.add(from_day, spent) if unit == "workday" and spent else None
        if walked:
            provisional |= walked.provisional
            skipped += walked.skipped
        from_day, left = ended, left - spent
    reached = _count(unit, from_day, left, calendar)
    return End(end_of(reached.date), provisional or reached.provisional, (*skipped, *reached.skipped))


def months_after(day: date, count: int) -> date:
    """The corresponding day so many months later, or the last day of a month that has none (民法典 §202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class _Reached:
    date: date
    provisional: bool = False
    skipped: tuple[Day, ...] = ()


def _count(unit: str, day: date, amount: int, calendar: WorkCalendar) -> _Reached:
    if unit == "day":
        return _Reached(day + timedelta(days=amount))
    due = calendar.add(day + timedelta(days=amount), 0) if unit == "month" else calendar.add(day, amount)
    return _Reached(due.date, due.provisional, due.skipped)


def _end_of_work(
    amount: int, started_at: datetime, stops: list[tuple[datetime, datetime]], calendar: WorkCalendar
) -> End:
    here, left = started_at, timedelta(hours=amount)
    provisional, skipped = False, []
    for begun, ended in stops:
        reached = _work(here, left, calendar)
        if begun >= reached.due_at:
            break
        left -= worked(here, begun, calendar)
        here = ended
    reached = _work(here, left, calendar)
    for number in range((local_day(reached.due_at) - local_day(started_at)).days + 1):
        day = calendar.is_workday(local_day(started_at) + timedelta(days=number))
        provisional |= day.provisional
        if day.workday != (day.date.weekday() < 5):
            skipped.append(day)
    return End(reached.due_at, provisional, tuple(skipped))


def _work(here: datetime, left: timedelta, calendar: WorkCalendar) -> End:
    """The instant at which so much working time has passed since ``here``."""
    day = local_day(here)
    while True:
        for start, end in office_hours(day, calendar):
            begin = max(start, here)
            if begin < end:
                if left <= end - begin:
                    return End(begin + left)
                left -= end - begin
        day = calendar.next_workday(day)


def _work_back(here: datetime, left: timedelta, calendar: WorkCalendar) -> datetime:
    """The instant from which so much working time is left until ``here``."""
    day = local_day(here)
    while True:
        for start, end in reversed(office_hours(day, calendar)):
            finish = min(end, here)
            if start < finish:
                if left <= finish - start:
                    return finish - left
                left -= finish - start
        day = calendar.add(day, -1).date


def worked(a: datetime, b: datetime, calendar: WorkCalendar) -> timedelta:
    """How much working time lies between two instants; nothing when ``b`` is not after ``a``."""
    total, day, last = timedelta(0), local_day(a), local_day(b)
    while day <= last:
        for start, end in office_hours(day, calendar):
            total += max(min(end, b) - max(start, a), timedelta(0))
        day = calendar.next_workday(day)
    return total


def office_hours(day: date, calendar: WorkCalendar) -> list[tuple[datetime, datetime]]:
    """The working hours of a day as instants; none on a day off. Raises PackError when the pack has none."""
    hours = rules().hours
    if not hours:
        raise PackError("calendar.toml 没有 office_hours.periods，工作时无法计算；请填写本区的作息时间。")
    if not calendar.is_workday(day):
        return []
    return [
        (
            datetime.combine(day, start, SHANGHAI).astimezone(UTC),
            datetime.combine(day, end, SHANGHAI).astimezone(UTC),
        )
        for start, end in hours
    ]


def workdays_before(due_at: datetime, count: int, calendar: WorkCalendar) -> datetime:
    """0:00 of the first day from which at most ``count`` working days are left, the last day included."""
    day = last_day(due_at)
    back = count if calendar.is_workday(day) else count + 1
    return start_of(calendar.add(day, -back).date if back else day)


def warning(
    rule: ClockRule | None, started_at: datetime, due_at: datetime, calendar: WorkCalendar
) -> datetime:
    """From when a clock is near due (临期): by its own rule, else by the district's. Never before its start."""
    if rule is not None and rule.warn is not None:
        unit, amount = rule.warn
        if unit == "workday":
            moment = workdays_before(due_at, amount, calendar)
        elif unit == "day":
            moment = start_of(last_day(due_at) - timedelta(days=amount))
        elif unit == "workhour":
            moment = _work_back(due_at, timedelta(hours=amount), calendar) if amount else due_at
        else:
            moment = due_at - timedelta(hours=amount)
    else:
        near = rules().near
        moments = [due_at - (due_at - started_at) * near.share]
        if ends_with_day(due_at) and near.workdays:
            moments.append(workdays_before(due_at, near.workdays, calendar))
        moment = min(moments)
    return max(moment, started_at)


@dataclass(frozen=True)
class Stage:
    """One reminder that a clock owes: at ``at``, with a ``key`` unique within the clock, to ``role`` ("": the
    officer).
    """

    at: datetime
    key: str
    role: str = ""
    overdue: int = 0


def stages(due_at: datetime, warn_at: datetime, calendar: WorkCalendar, app: str) -> list[Stage]:
    """The reminders of a clock in order of time: before its end to the officer, after it to those the
    district names.

    ``app`` owns the kind of matter: roles of other apps hear nothing of it.
    """
    found = []
    if ends_with_day(due_at):
        found += [
            Stage(workdays_before(due_at, count, calendar), f"before-{count}") for count in rules().before
        ]
    else:
        found += [Stage(warn_at, "near"), Stage(due_at, "end")]
    for row in rules().escalations:
        if row.role.partition(".")[0] not in ("matters", app):
            continue
        day = calendar.add(last_day(due_at), row.workdays).date
        found.append(Stage(start_of(day), f"late-{row.workdays}-{row.role}", row.role, row.workdays))
    return sorted(found, key=lambda stage: stage.at)
