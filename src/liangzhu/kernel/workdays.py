"""Working days (工作日) and the instants at which days end.

Administrative periods run in working days without statutory holidays (行政许可法 §82), the day of the event
is not counted (民法典 §201) and a period ends when the day ends (§203). The State Council publishes each
year's holidays and make-up working days (调休) in the autumn before; the package chinesecalendar carries
them from 2004 on. A district adds its own exceptions as overrides.

    calendar = WorkCalendar()
    calendar.add(date(2022, 9, 26), 5)      # Due(date=2022-10-08, provisional=False, skipped=(…))

Beyond the published calendar a day is judged by its weekday and by the holidays that have a fixed date. Such
an answer is `provisional` and has to be computed again when the notice is out: mostly it is early, because
holidays by the lunar calendar are not foreseen, rarely late, because make-up days are not foreseen either. A
notice can still swap the last days of the year before (2018-12-29, 2018-12-31); who wants these to be
provisional too sets `published_until` to an earlier day.

A calendar is immutable; each change of overrides makes a new one. No Django in here, and no clock.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chinese_calendar import Holiday, holidays, in_lieu_days, workdays

from liangzhu.kernel.errors import Problem

SHANGHAI = ZoneInfo("Asia/Shanghai")

FIRST_YEAR, LAST_YEAR = 1900, 2200
"""Years in which days can be counted. A date outside is a slip of the pen."""

PUBLISHED_FROM = date(min(holidays).year, 1, 1)
PUBLISHED_UNTIL = date(max(holidays).year, 12, 31)
"""First and last day of the calendar that the installed chinesecalendar carries."""

_ORDINARY = "工作日"
_WEEKEND = ("周六", "周日")


class NoSuchWorkday(Problem):
    """A date, or a result, outside the years in which days can be counted."""

    code, title, status = "no_such_workday", "日期超出范围", 422
    todo = f"请核对日期和天数，可计算的年份为 {FIRST_YEAR}–{LAST_YEAR} 年。"


class Override(NamedTuple):
    """A local exception: whether the day is a working day, and why (shown to people)."""

    workday: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Day:
    """What a day is. True in a condition if it is a working day."""

    date: date
    workday: bool
    provisional: bool
    reason: str

    def __bool__(self) -> bool:
        return self.workday


@dataclass(frozen=True, slots=True)
class Due:
    """The end of a period of working days.

    `provisional`: a day that was counted lies outside the published calendar. `skipped`: the notable days
    on the way, for the explanation: weekdays that were not counted because of a holiday and weekend days
    that were counted because they are worked (`Day.workday` tells which), in order of date.
    """

    date: date
    provisional: bool
    skipped: tuple[Day, ...]


class _Year(NamedTuple):
    first: int  # ordinal of 1 January
    workdays: tuple[int, ...]  # ordinals of the working days
    until: tuple[int, ...]  # [n]: working days among the first n days of the year
    provisional: tuple[int, ...]  # [n]: provisional days among the first n days of the year
    notable: tuple[Day, ...]  # days that differ from Monday to Friday
    notable_ordinals: tuple[int, ...]


class WorkCalendar:
    """The working days of a district.

    `overrides` maps a date to `(workday, reason)` and wins over everything; an overridden day is never
    provisional. `published_until` is the last day for which the calendar is official: by default that of
    the installed package. Set it later when the next notice has been entered as overrides, or earlier to
    compute as people had to before a notice was out.
    """

    def __init__(
        self,
        overrides: Mapping[date, tuple[bool, str]] | None = None,
        published_until: date | None = None,
    ) -> None:
        given = {_day(day): Override(*override) for day, override in (overrides or {}).items()}
        self.overrides: Mapping[date, Override] = MappingProxyType(given)
        self.published_until = _day(published_until) if published_until else PUBLISHED_UNTIL
        self._years: dict[int, _Year] = {}

    def is_workday(self, day: date) -> Day:
        """Say whether `day` is a working day, whether that is certain, and why."""
        override = self.overrides.get(_day(day))
        if override is not None:
            return Day(day, override.workday, False, override.reason)
        official = PUBLISHED_FROM <= day <= self.published_until
        workday, reason = _by_notice(day) if official and day <= PUBLISHED_UNTIL else _by_fixed_dates(day)
        return Day(day, workday, not official, reason)

    def add(self, start: date, n: int) -> Due:
        """Return the `n`-th working day after `start`, which is not counted itself.

        A negative `n` counts back: -3 is the third working day before `start`. With 0 the period ends on
        `start` or, if that is a day off, on the next working day (民法典 §203). Raises `NoSuchWorkday` when
        the way leaves the years `FIRST_YEAR` to `LAST_YEAR`.
        """
        year = self._year(_day(start).year)
        here = start.toordinal()
        before, upto = year.until[here - year.first], year.until[here - year.first + 1]
        # The place of the day sought among the working days of `year`, from 1; it may lie in another year.
        place = upto + n if n > 0 else before + n + 1
        number = start.year
        while place > len(year.workdays):
            place -= len(year.workdays)
            number += 1
            year = self._year(number)
        while place < 1:
            number -= 1
            year = self._year(number)
            place += len(year.workdays)
        end = year.workdays[place - 1]
        if n > 0:
            provisional, skipped = self._span(here + 1, end, range(start.year, number + 1))
        elif n == 0:
            provisional, skipped = self._span(here, end, range(start.year, number + 1))
        else:
            provisional, skipped = self._span(end, here - 1, range(number, start.year + 1))
        return Due(date.fromordinal(end), provisional, skipped)

    def between(self, a: date, b: date) -> int:
        """Count the working days after `a` up to and including `b`; negative when `b` is before `a`."""
        if _day(b) < _day(a):
            return -self.between(b, a)
        first, last = self._year(a.year), self._year(b.year)
        whole_years = sum(len(self._year(number).workdays) for number in range(a.year, b.year))
        passed = first.until[a.toordinal() - first.first + 1]
        return whole_years + last.until[b.toordinal() - last.first + 1] - passed

    def next_workday(self, day: date) -> date:
        """Return the first working day after `day`."""
        return self.add(day, 1).date

    def _span(self, first: int, last: int, years: range) -> tuple[bool, tuple[Day, ...]]:
        """Whether a day from ordinal `first` to `last`, all in `years`, is provisional; the notable ones."""
        provisional = False
        notable: tuple[Day, ...] = ()
        for number in years:
            year = self._year(number)
            low = max(first - year.first, 0)
            high = min(last - year.first + 1, len(year.provisional) - 1)
            provisional = provisional or year.provisional[high] > year.provisional[low]
            notable += year.notable[
                bisect_left(year.notable_ordinals, first) : bisect_right(year.notable_ordinals, last)
            ]
        return provisional, notable

    def _year(self, number: int) -> _Year:
        year = self._years.get(number)
        if year is None:
            if not FIRST_YEAR <= number <= LAST_YEAR:
                raise NoSuchWorkday(f"{number} 年不在可以计算工作日的年份之内")
            first = date(number, 1, 1).toordinal()
            ordinals = range(first, date(number, 12, 31).toordinal() + 1)
            days = [self.is_workday(date.fromordinal(ordinal)) for ordinal in ordinals]
            notable = tuple(day for day in days if day.workday != (day.date.weekday() < 5))
            year = self._years[number] = _Year(
                first,
                tuple(ordinal for ordinal, day in zip(ordinals, days, strict=True) if day.workday),
                tuple(accumulate((day.workday for day in days), initial=0)),
                tuple(accumulate((day.provisional for day in days), initial=0)),
                notable,
                tuple(day.date.toordinal() for day in notable),
            )
        return year


def end_of_day(day: date) -> datetime:
    """Return the instant at which `day` ends in Shanghai (24:00 Asia/Shanghai), aware, in UTC.

    It is the first instant of the next day: something done at `moment` is in time if `moment <
    end_of_day(due)`.
    """
    if not FIRST_YEAR <= _day(day).year <= LAST_YEAR:
        raise NoSuchWorkday(f"{day.year} 年不在可以计算的年份之内")
    return datetime.combine(day + timedelta(days=1), time.min, SHANGHAI).astimezone(UTC)


def shanghai_date(instant: datetime) -> date:
    """Return the day it is in Shanghai at an aware `instant`. A naive datetime is a `ValueError`."""
    if instant.tzinfo is None:
        raise ValueError("shanghai_date() needs an aware datetime")
    return instant.astimezone(SHANGHAI).date()


def _day(day: date) -> date:
    # A datetime is a date to Python, but whose day it is depends on the time zone.
    if isinstance(day, datetime) or not isinstance(day, date):
        raise TypeError(f"a date is needed, not {type(day).__name__}; of an instant take shanghai_date()")
    return day


def _by_notice(day: date) -> tuple[bool, str]:
    if day in workdays:
        return True, f"{Holiday(workdays[day]).chinese}调休上班"
    if day in holidays:
        return False, f"{Holiday(holidays[day]).chinese}{'调休放假' if day in in_lieu_days else '放假'}"
    return _by_weekday(day)


def _by_fixed_dates(day: date) -> tuple[bool, str]:
    """Judge a day without a notice: by the holidays of 全国年节及纪念日放假办法 with a fixed date."""
    month_day = (day.month, day.day)
    if month_day == (1, 1):
        return False, "元旦放假"
    # 2 May is a holiday since the revision in force from 1 January 2025 (国务院令第795号).
    if month_day == (5, 1) or (month_day == (5, 2) and day.year >= 2025):
        return False, "劳动节放假"
    if month_day in ((10, 1), (10, 2), (10, 3)):
        return False, "国庆节放假"
    return _by_weekday(day)


def _by_weekday(day: date) -> tuple[bool, str]:
    weekday = day.weekday()
    return (True, _ORDINARY) if weekday < 5 else (False, _WEEKEND[weekday - 5])
