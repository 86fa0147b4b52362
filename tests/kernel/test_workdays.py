"""Working days: legal examples, a slow reference, and three calendars of others."""

import csv
import subprocess
import sys
import timeit
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import chinese_calendar
import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liangzhu.kernel.errors import Problem
from liangzhu.kernel.workdays import (
    PUBLISHED_FROM,
    PUBLISHED_UNTIL,
    Day,
    NoSuchWorkday,
    WorkCalendar,
    end_of_day,
    shanghai_date,
)

CALENDAR = WorkCalendar()
ONE_DAY = timedelta(days=1)

# Half of the days lie where a wrong step shows: around holidays, and at both ends of the published calendar.
days = st.one_of(
    st.dates(date(1995, 1, 1), date(2035, 12, 31)),
    st.dates(date(2022, 9, 28), date(2022, 10, 12)),
    st.dates(date(2003, 12, 25), date(2004, 1, 8)),
    st.dates(date(2026, 12, 25), date(2027, 1, 8)),
)
overrides = st.dictionaries(
    st.dates(date(2019, 1, 1), date(2029, 12, 31)), st.tuples(st.booleans(), st.just("市里通知")), max_size=30
)
limits = st.sampled_from([None, date(2020, 6, 30), date(2025, 12, 31), date(2028, 12, 31)])
calendars = st.builds(WorkCalendar, overrides, limits)


def every_day(first: date, last: date):
    while first <= last:
        yield first
        first += ONE_DAY


def walk(calendar: WorkCalendar, start: date, n: int) -> tuple[date, list[Day]]:
    """Count day by day, as a clerk with a wall calendar does. Returns the day and all days looked at."""
    seen = []
    step = ONE_DAY if n >= 0 else -ONE_DAY
    day = start if n else start - ONE_DAY
    left = abs(n) or 1
    while left:
        day += step
        seen.append(calendar.is_workday(day))
        left -= seen[-1].workday
    return day, sorted(seen, key=lambda looked_at: looked_at.date)


@pytest.mark.parametrize(
    ("start", "n", "due"),
    [
        ("2022-09-26", 5, "2022-10-08"),  # a Saturday that is worked
        ("2022-09-26", 20, "2022-10-27"),
        ("2023-01-19", 5, "2023-01-31"),
        ("2024-02-08", 10, "2024-02-28"),
        ("2025-09-28", 10, "2025-10-17"),
        ("2026-02-13", 5, "2026-02-27"),
    ],
)
def test_a_legal_period_ends_on_the_nth_working_day_after_the_day_of_acceptance(start, n, due):
    result = CALENDAR.add(date.fromisoformat(start), n)
    assert result.date == date.fromisoformat(due)
    assert not result.provisional


def test_the_way_to_the_due_date_names_holidays_on_weekdays_and_worked_weekends():
    skipped = CALENDAR.add(date(2022, 9, 26), 20).skipped
    assert [(day.date.isoformat(), day.workday, day.reason) for day in skipped] == [
        ("2022-10-03", False, "国庆节放假"),
        ("2022-10-04", False, "国庆节放假"),
        ("2022-10-05", False, "国庆节放假"),
        ("2022-10-06", False, "国庆节调休放假"),
        ("2022-10-07", False, "国庆节调休放假"),
        ("2022-10-08", True, "国庆节调休上班"),
        ("2022-10-09", True, "国庆节调休上班"),
    ]


def test_the_day_of_the_event_is_not_on_the_way():
    assert [day.date for day in CALENDAR.add(date(2022, 10, 8), 1).skipped] == [date(2022, 10, 9)]
    assert [day.date for day in CALENDAR.add(date(2022, 10, 9), -1).skipped] == [date(2022, 10, 8)]


def test_zero_days_end_today_or_on_the_next_working_day():
    assert CALENDAR.add(date(2022, 9, 30), 0).date == date(2022, 9, 30)
    assert CALENDAR.add(date(2022, 10, 1), 0).date == date(2022, 10, 8)


def test_a_warning_is_due_working_days_before():
    assert CALENDAR.add(date(2022, 10, 10), -3).date == date(2022, 9, 30)


def test_next_workday_is_after_the_day_even_if_that_is_worked():
    assert CALENDAR.next_workday(date(2022, 9, 29)) == date(2022, 9, 30)
    assert CALENDAR.next_workday(date(2022, 9, 30)) == date(2022, 10, 8)


def test_between_excludes_the_first_day_and_includes_the_last():
    assert CALENDAR.between(date(2022, 9, 26), date(2022, 10, 8)) == 5
    assert CALENDAR.between(date(2022, 10, 8), date(2022, 9, 26)) == -5
    assert CALENDAR.between(date(2022, 10, 8), date(2022, 10, 8)) == 0


@given(calendars, days, st.integers(-300, 300))
def test_adding_agrees_with_counting_day_by_day(calendar, start, n):
    result = calendar.add(start, n)
    day, seen = walk(calendar, start, n)
    assert result.date == day
    assert result.provisional == any(looked_at.provisional for looked_at in seen)
    assert result.skipped == tuple(d for d in seen if d.workday != (d.date.weekday() < 5))


@given(calendars, days, st.integers(0, 1200))
def test_between_agrees_with_counting_day_by_day(calendar, a, length):
    b = a + timedelta(days=length)
    expected = sum(calendar.is_workday(day).workday for day in every_day(a + ONE_DAY, b))
    assert calendar.between(a, b) == expected
    assert calendar.between(b, a) == -expected


@given(calendars, days, st.integers(1, 400))
def test_between_undoes_adding(calendar, start, n):
    assert calendar.between(start, calendar.add(start, n).date) == n


@given(days, days, st.integers(1, 60))
def test_a_later_start_never_ends_earlier(one, other, n):
    first, second = sorted((one, other))
    assert CALENDAR.add(first, n).date <= CALENDAR.add(second, n).date


def test_published_days_agree_with_the_package():
    for day in every_day(PUBLISHED_FROM, PUBLISHED_UNTIL):
        assert CALENDAR.is_workday(day).workday == chinese_calendar.is_workday(day), day
        assert not CALENDAR.is_workday(day).provisional


def test_all_days_agree_with_the_notices_of_2007_to_2026(shared):
    with (shared / "data/calendar/holiday_cn_2007_2026.csv").open(encoding="utf-8") as file:
        off = {date.fromisoformat(row["date"]): row["is_off_day"] == "1" for row in csv.DictReader(file)}
    assert len(off) == 678
    for day in every_day(date(2007, 1, 1), date(2026, 12, 31)):
        assert CALENDAR.is_workday(day).workday == (not off.get(day, day.weekday() > 4)), day


def test_2026_agrees_with_the_holidays_package():
    china = holidays.country_holidays("CN", years=2026)
    for day in every_day(date(2026, 1, 1), date(2026, 12, 31)):
        assert CALENDAR.is_workday(day).workday == china.is_working_day(day), day


@pytest.mark.parametrize(
    ("year", "count"),
    [(2020, 249), (2021, 250), (2022, 249), (2023, 249), (2024, 251), (2025, 248), (2026, 248)],
)
def test_a_year_has_its_known_number_of_working_days(year, count):
    assert CALENDAR.between(date(year - 1, 12, 31), date(year, 12, 31)) == count


@pytest.mark.parametrize(
    ("day", "workday", "reason"),
    [
        (date(2022, 10, 8), True, "国庆节调休上班"),
        (date(2022, 10, 7), False, "国庆节调休放假"),
        (date(2022, 10, 1), False, "国庆节放假"),
        (date(2022, 10, 15), False, "周六"),
        (date(2022, 10, 10), True, "工作日"),
    ],
)
def test_each_day_says_why(day, workday, reason):
    assert CALENDAR.is_workday(day) == Day(day, workday, False, reason)
    assert bool(CALENDAR.is_workday(day)) is workday


def test_beyond_the_published_calendar_only_fixed_holidays_are_known():
    off = {
        day
        for day in every_day(date(2027, 1, 1), date(2027, 12, 31))
        if not CALENDAR.is_workday(day) and day.weekday() < 5
    }
    assert off == {date(2027, 1, 1), date(2027, 10, 1)}  # 1 and 2 May, 2 and 3 October are weekend days
    assert not CALENDAR.is_workday(date(2028, 5, 2))
    assert all(
        CALENDAR.is_workday(day).provisional for day in every_day(date(2027, 1, 1), date(2028, 12, 31))
    )


def test_the_second_of_may_is_a_holiday_only_since_2025():
    calendar = WorkCalendar(published_until=date(2023, 12, 31))
    assert calendar.is_workday(date(2024, 5, 2)).workday
    assert not calendar.is_workday(date(2025, 5, 2)).workday


def test_a_period_that_leaves_the_published_calendar_is_provisional_one_that_stays_is_not():
    assert not CALENDAR.add(date(2026, 12, 25), 4).provisional  # 31 December
    assert CALENDAR.add(date(2026, 12, 25), 5).provisional
    assert CALENDAR.add(date(2027, 1, 4), -3).provisional  # looks at the first days of January
    assert CALENDAR.is_workday(date(2003, 12, 31)).provisional
    assert not CALENDAR.is_workday(date(2004, 1, 1)).provisional


def test_before_a_notice_was_out_the_same_period_was_provisional():
    before = WorkCalendar(published_until=date(2021, 12, 31))
    due = before.add(date(2022, 9, 26), 5)
    assert (due.date, due.provisional) == (date(2022, 10, 4), True)


def test_a_notice_entered_as_overrides_makes_the_year_official():
    notice = {date(2027, 1, 1): (False, "元旦放假"), date(2027, 1, 2): (True, "元旦调休上班")}
    calendar = WorkCalendar(notice, published_until=date(2027, 12, 31))
    due = calendar.add(date(2026, 12, 31), 1)
    assert (due.date, due.provisional) == (date(2027, 1, 2), False)
    assert [day.reason for day in due.skipped] == ["元旦放假", "元旦调休上班"]


def test_a_period_over_overridden_days_alone_is_certain_in_a_year_without_notice():
    calendar = WorkCalendar({date(2027, 3, 2): (True, "省里已明确")})
    assert not calendar.add(date(2027, 3, 1), 1).provisional
    assert calendar.add(date(2027, 3, 1), 2).provisional


def test_an_override_wins_and_is_certain():
    reason = "大厅搬迁停办"
    calendar = WorkCalendar({date(2022, 9, 27): (False, reason), date(2030, 3, 2): (True, "加班受理")})
    assert calendar.is_workday(date(2022, 9, 27)) == Day(date(2022, 9, 27), False, False, reason)
    assert calendar.is_workday(date(2030, 3, 2)) == Day(date(2030, 3, 2), True, False, "加班受理")
    assert calendar.add(date(2022, 9, 26), 1).date == date(2022, 9, 28)
    assert calendar.add(date(2022, 9, 26), 1).skipped[0].reason == reason


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: CALENDAR.add(date(2150, 1, 1), 10**9),
        lambda: CALENDAR.add(date(1950, 1, 1), -(10**9)),
        lambda: CALENDAR.next_workday(date(1, 1, 1)),
        lambda: CALENDAR.between(date(2022, 1, 1), date(9999, 12, 31)),
        lambda: end_of_day(date.max),
    ],
)
def test_a_slip_of_the_pen_in_the_year_is_a_named_error(wrong):
    with pytest.raises(NoSuchWorkday) as caught:
        wrong()
    assert isinstance(caught.value, Problem)
    assert caught.value.todo


def test_an_instant_is_not_taken_for_a_day():
    instant = datetime(2022, 9, 30, 17, 0, tzinfo=UTC)  # already 1 October in Shanghai
    for use in (CALENDAR.is_workday, CALENDAR.next_workday, end_of_day):
        with pytest.raises(TypeError):
            use(instant)
    with pytest.raises(TypeError):
        WorkCalendar({instant: (True, "")})


def test_twenty_working_days_take_less_than_twenty_microseconds():
    start = date(2022, 9, 26)
    CALENDAR.add(start, 20)
    best = min(timeit.repeat(lambda: CALENDAR.add(start, 20), number=500, repeat=7)) / 500
    assert best < 20e-6


def test_a_very_long_period_is_counted():
    due = CALENDAR.add(date(2022, 9, 26), 10_000)
    assert CALENDAR.between(date(2022, 9, 26), due.date) == 10_000
    assert due.provisional


def test_a_day_ends_at_24_hours_shanghai_time():
    assert end_of_day(date(2022, 10, 8)) == datetime(2022, 10, 8, 16, 0, tzinfo=UTC)
    assert end_of_day(date(2022, 10, 8)).tzinfo is UTC
    # Summer time was kept from 1986 to 1991.
    assert end_of_day(date(1988, 7, 1)) == datetime(1988, 7, 1, 15, 0, tzinfo=UTC)


@given(st.dates(date(1950, 1, 1), date(2199, 12, 31)))
def test_the_end_of_a_day_is_the_first_instant_of_the_next(day):
    assert shanghai_date(end_of_day(day)) == day + ONE_DAY
    assert shanghai_date(end_of_day(day) - timedelta(microseconds=1)) == day


def test_a_naive_time_has_no_day_in_shanghai():
    with pytest.raises(ValueError, match="aware"):
        shanghai_date(datetime(2022, 10, 8))  # noqa: DTZ001 - the naive time is the point


def test_identifiers_and_working_days_do_without_django():
    code = (
        "import sys, liangzhu.kernel.identifiers, liangzhu.kernel.workdays; sys.exit('django' in sys.modules)"
    )
    source = Path(__file__).resolve().parents[2] / "src"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(source)}, check=True)
