"""Clocks: ends, warnings and stretches that do not count, against tables and against a slow count by hand."""

import csv
import random
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from liangzhu.beams.work.matters import clocks
from liangzhu.beams.work.matters.grammar import ClockRule
from liangzhu.beams.work.matters.rules import Escalation, NearDue, Rules
from liangzhu.beams.work.matters.rules import _hours as office_hours_of
from liangzhu.kernel.now import SHANGHAI, shanghai
from liangzhu.kernel.pack import PackError
from liangzhu.kernel.workdays import WorkCalendar

CALENDAR = WorkCalendar()


def day(text: str) -> date:
    return date.fromisoformat(text)


def noon(on: date) -> datetime:
    return shanghai(on.year, on.month, on.day, 12)


@pytest.mark.parametrize(
    ("start", "amount", "last"),
    [
        ("2022-09-26", 5, "2022-10-08"),  # 国庆: the Saturday is worked
        ("2022-09-26", 20, "2022-10-27"),
        ("2023-01-19", 5, "2023-01-31"),  # 春节
        ("2024-02-08", 10, "2024-02-28"),
        ("2025-09-28", 10, "2025-10-17"),
        ("2026-02-13", 5, "2026-02-27"),
        ("2022-10-22", 1, "2022-10-24"),  # begun on a Saturday
    ],
)
def test_working_days_end_at_midnight_of_the_last_one(start, amount, last):
    end = clocks.end("workday", amount, noon(day(start)), [], CALENDAR)
    assert clocks.last_day(end.due_at) == day(last)
    assert end.due_at == shanghai(*(day(last) + timedelta(days=1)).timetuple()[:3])


def test_a_clock_started_late_in_the_evening_counts_from_the_shanghai_day():
    # 16:30 UTC on the 20th is half past midnight on the 21st in Shanghai.
    started = shanghai(2022, 10, 21, 0, 30)
    assert clocks.last_day(clocks.end("workday", 1, started, [], CALENDAR).due_at) == date(2022, 10, 24)


def test_natural_days_count_holidays_and_do_not_roll():
    end = clocks.end("day", 5, noon(day("2022-09-27")), [], CALENDAR)
    assert clocks.last_day(end.due_at) == day("2022-10-02")


def test_hours_run_exactly_and_stand_still_exactly():
    start = shanghai(2022, 10, 20, 9)
    assert clocks.end("hour", 48, start, [], CALENDAR).due_at == start + timedelta(hours=48)
    stop = (start + timedelta(hours=2), start + timedelta(hours=5, minutes=30))
    assert clocks.end("hour", 48, start, [stop], CALENDAR).due_at == start + timedelta(hours=51, minutes=30)


@pytest.mark.parametrize(
    ("start", "amount", "last"),
    [
        ("2022-08-22", 1, "2022-09-22"),
        ("2022-01-31", 1, "2022-02-28"),  # no 31st: the last day
        ("2024-01-31", 1, "2024-02-29"),
        ("2022-09-03", 1, "2022-10-08"),  # the 3rd is in 国庆: the first working day after, a Saturday
        ("2022-11-30", 3, "2023-02-28"),
        ("2022-10-20", 12, "2023-10-20"),
    ],
)
def test_months_end_on_the_corresponding_day(start, amount, last):
    # 民法典 §202, §203
    end = clocks.end("month", amount, noon(day(start)), [], CALENDAR)
    assert clocks.last_day(end.due_at) == day(last)


@pytest.mark.parametrize(
    ("begun", "ended", "last"),
    [
        ("2022-10-12", "2022-10-12", "2022-10-24"),  # notice and result on one day: nothing is lost
        ("2022-10-12", "2022-10-14", "2022-10-26"),  # 13th and 14th do not count
        ("2022-10-14", "2022-10-17", "2022-10-25"),  # over a week-end: only Monday does not count
        ("2022-10-24", "2022-10-31", "2022-10-31"),  # stopped on the last day: the day of resumption is left
        ("2022-10-24", "2022-10-29", "2022-10-31"),  # resumed on a Saturday: the next working day is left
        ("2022-10-25", "2022-10-31", "2022-10-24"),  # stopped when it was over: nothing changes
    ],
)
def test_the_days_after_the_notice_up_to_the_result_do_not_count(begun, ended, last):
    # 10 working days from 10 October end on 24 October.
    stops = [(noon(day(begun)), noon(day(ended)))]
    end = clocks.end("workday", 10, noon(day("2022-10-10")), stops, CALENDAR)
    assert clocks.last_day(end.due_at) == day(last)


def slow_end(
    start: date, amount: int, stops: list[tuple[date, date]], is_workday=CALENDAR.is_workday
) -> date:
    """Walk day by day; count a working day unless it lies in (begun, ended] of a stretch that began in time."""
    left, here, last = amount, start, start
    spans: list[tuple[date, date]] = []
    pending = sorted(stops)
    while True:
        # A stretch begins at the end of its day, if the clock is not over by then.
        while pending and pending[0][0] <= here:
            begun, ended = pending.pop(0)
            spans.append((begun, ended))
            if left == 0:
                # Stopped on the last day in time: the day of resumption, or the next working day, is left.
                here = ended
                while not is_workday(here):
                    here += timedelta(days=1)
                last = here
        if left == 0 and not (pending and pending[0][0] <= last):
            return last
        here += timedelta(days=1)
        if is_workday(here) and not any(a < here <= b for a, b in spans):
            left -= 1
            last = here


@settings(max_examples=150, deadline=None)
@example(
    start=date(2021, 2, 1), amount=7, gaps=[(8, 2), (6, 0)]
)  # the end rolled over 春节, then stopped again
@given(
    start=st.dates(date(2021, 1, 1), date(2024, 6, 1)),
    amount=st.integers(1, 40),
    gaps=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=3),
)
def test_stops_agree_with_a_walk_day_by_day(start, amount, gaps):
    stops, here = [], start
    for before, length in gaps:
        # Stretches do not touch, so that each has a day of its own between them to end or not to end on.
        begun = here + timedelta(days=before + (1 if stops else 0))
        here = begun + timedelta(days=length)
        stops.append((begun, here))
    end = clocks.end("workday", amount, noon(start), [(noon(a), noon(b)) for a, b in stops], CALENDAR)
    assert clocks.last_day(end.due_at) == slow_end(start, amount, stops)


# Twenty years, against the holidays as another source has them ------------------------------------------------

YEARS = st.builds(
    lambda on, minute: datetime.combine(on, time(minute // 60, minute % 60), SHANGHAI),
    st.dates(date(2007, 1, 1), date(2026, 6, 30)),
    st.integers(0, 1439),
)
GAPS = st.lists(
    st.tuples(st.integers(0, 9 * 1440), st.one_of(st.integers(0, 600), st.integers(0, 12 * 1440))), max_size=4
)
"""Minutes until a stretch begins after the last one ended (they may touch), and how long it is."""


def stretches(start: datetime, gaps: list[tuple[int, int]]) -> list[tuple[datetime, datetime]]:
    """Stretches in order of time."""
    found, here = [], start
    for before, length in gaps:
        begun = here + timedelta(minutes=before)
        here = begun + timedelta(minutes=length)
        found.append((begun, here))
    return found


@pytest.fixture(scope="module")
def off(shared) -> dict[date, bool]:
    """Days that differ from Monday to Friday, 2007-2026: whether they are off."""
    with (shared / "data/calendar/holiday_cn_2007_2026.csv").open(encoding="utf-8") as file:
        return {day(row["date"]): row["is_off_day"] == "1" for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def is_workday(off):
    """Whether a day is worked, by that source alone."""
    return lambda one: not off[one] if one in off else one.weekday() < 5


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=YEARS, amount=st.integers(1, 60), gaps=GAPS, unit=st.sampled_from(["workday", "day"]))
def test_days_agree_with_a_walk_day_by_day_over_twenty_years(is_workday, start, amount, gaps, unit):
    stops = stretches(start, gaps)
    days = [(a.date(), b.date()) for a, b in stops]
    counts = is_workday if unit == "workday" else lambda one: True
    found = clocks.end(
        unit, amount, start.astimezone(UTC), [(a.astimezone(UTC), b) for a, b in stops], CALENDAR
    )
    expected = slow_end(start.date(), amount, days, counts)
    assume(expected <= date(2026, 12, 31))
    assert clocks.last_day(found.due_at) == expected and clocks.ends_with_day(found.due_at)
    assert not found.provisional


def slow_month_end(start: date, months: int, stops: list[tuple[date, date]], is_workday) -> date:
    """Walk to the corresponding day, then as many days that count; the end waits for the next working day."""
    here, left, gone = start, 0, 0
    while gone < months or (here.day != start.day and (here + timedelta(days=1)).month == here.month):
        here += timedelta(days=1)
        left += 1
        gone += here.day == 1
    here, last, pending = start, None, list(stops)
    while True:
        if last is None and not left:
            last = here
            while not is_workday(last):
                last += timedelta(days=1)
        if pending and pending[0][0] == here:
            here, last = pending.pop(0)[1], None
        elif last is not None and not (pending and pending[0][0] <= last):
            return last
        else:
            here += timedelta(days=1)
            left -= last is None


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.dates(date(2007, 1, 1), date(2025, 6, 30)),
    months=st.integers(1, 8),
    gaps=st.lists(st.tuples(st.integers(1, 40), st.integers(0, 30)), max_size=3),
)
@example(start=date(2022, 9, 3), months=1, gaps=[(33, 10)])  # stopped while the end waits for the holiday
def test_months_agree_with_a_walk_day_by_day(is_workday, start, months, gaps):
    stops, here = [], start
    for before, length in gaps:
        begun = here + timedelta(days=before)
        here = begun + timedelta(days=length)
        stops.append((begun, here))
    found = clocks.end("month", months, noon(start), [(noon(a), noon(b)) for a, b in stops], CALENDAR)
    expected = slow_month_end(start, months, stops, is_workday)
    assume(expected <= date(2026, 12, 31))
    assert clocks.last_day(found.due_at) == expected and not found.provisional


OFFICE = ((time(9), time(12)), (time(13, 30), time(17, 30)))


def slow_minutes(start: datetime, amount: int, stops, counts) -> datetime:
    """Walk minute by minute; a minute counts unless it lies in a stretch that began before the end."""
    left, here = amount * 60, start
    while left:
        if counts(here) and not any(a <= here < b for a, b in stops):
            left -= 1
        here += timedelta(minutes=1)
    return here


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=YEARS,
    amount=st.integers(1, 16),
    gaps=st.lists(st.tuples(st.integers(0, 1440), st.integers(0, 2880)), max_size=3),
)
@example(start=datetime(2022, 9, 30, 17, 29, tzinfo=SHANGHAI), amount=1, gaps=[])  # over 国庆
@example(start=datetime(2022, 10, 20, 9, tzinfo=SHANGHAI), amount=3, gaps=[(180, 60)])  # over when it stops
@example(start=datetime(2022, 10, 20, 12, tzinfo=SHANGHAI), amount=4, gaps=[(0, 90)])
def test_working_hours_agree_with_a_walk_minute_by_minute(is_workday, start, amount, gaps):
    stops = stretches(start, gaps)

    def counts(minute: datetime) -> bool:
        return is_workday(minute.date()) and any(a <= minute.time() < b for a, b in OFFICE)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clocks, "rules", lambda: Rules(NearDue(), (), (), OFFICE))
        found = clocks.end("workhour", amount, start.astimezone(UTC), stops, CALENDAR)
        assert found.due_at == slow_minutes(start, amount, stops, counts)
        # What is worked until the end, less what is worked in the stretches before it, is the amount.
        inside = [clocks.worked(a, min(b, found.due_at), CALENDAR) for a, b in stops if a < found.due_at]
        whole = clocks.worked(start, found.due_at, CALENDAR)
        assert whole - sum(inside, timedelta()) == timedelta(hours=amount)
        rule = ClockRule("x", "promised", "x", "workhour", amount, warn=("workhour", 1))
        warned = clocks.warning(rule, start, found.due_at, CALENDAR)
        assert warned == start or clocks.worked(warned, found.due_at, CALENDAR) == timedelta(hours=1)


@settings(max_examples=80, deadline=None)
@given(
    start=YEARS,
    amount=st.integers(1, 48),
    gaps=st.lists(st.tuples(st.integers(0, 1440), st.integers(0, 2880)), max_size=3),
)
def test_hours_agree_with_a_walk_minute_by_minute(start, amount, gaps):
    stops = stretches(start, gaps)
    found = clocks.end("hour", amount, start.astimezone(UTC), stops, CALENDAR)
    assert found.due_at == slow_minutes(start, amount, stops, lambda minute: True)


@pytest.mark.parametrize("hours", [[["09:00", "12:00"], ["11:00", "17:00"]], [["13:00", "09:00"]]])
def test_office_hours_that_overlap_or_run_backwards_are_refused(hours):
    with pytest.raises(PackError, match="office_hours"):
        office_hours_of(hours)


def test_working_hours_need_office_hours(monkeypatch):
    monkeypatch.setattr(clocks, "rules", lambda: Rules(NearDue(), (), ()))
    with pytest.raises(PackError, match="office_hours"):
        clocks.end("workhour", 1, noon(day("2022-10-20")), [], CALENDAR)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(6))
def test_a_matter_counts_as_the_walk_does(town, is_workday, seed):
    dice = random.Random(seed)
    case = town.open("licence").do("2022-10-20 10:00", "organ", "accept")
    here, stops, more = date(2022, 10, 20), [], 0
    for _ in range(3):
        # As an officer would: only while the clock has not ended.
        begun = here + timedelta(days=dice.randint(0, 6))
        ended = begun + timedelta(days=dice.randint(0, 12))
        if begun > day(case.last_day("law")):
            break
        if not more and dice.random() < 0.5:
            case.do(f"{begun} 09:00", "organ.head", "extend", reason="情况复杂")
            more = 10
        case.do(f"{begun} 10:00", "organ", "suspend", reason="鉴定", told="告知1号")
        case.do(f"{ended} 23:59", "organ", "resume", outcome="合格")
        stops.append((begun, ended))
        here = ended
        assert day(case.last_day("law")) == slow_end(date(2022, 10, 20), 20 + more, stops, is_workday)


@settings(max_examples=200, deadline=None)
@given(due=st.dates(date(2021, 1, 1), date(2025, 6, 1)), count=st.integers(0, 15))
def test_the_warning_is_the_first_moment_with_so_few_working_days_left(due, count):
    moment = clocks.workdays_before(clocks.end_of(due), count, CALENDAR)
    first = clocks.local_day(moment)
    assert CALENDAR.between(first, due) <= count < CALENDAR.between(first - timedelta(days=1), due)


def test_a_rule_of_its_own_warns_so_long_before_and_never_before_the_start():
    rule = ClockRule("x", "promised", "x", "workday", 2, warn=("workday", 1))
    start = noon(day("2022-10-20"))
    due = clocks.end("workday", 2, start, [], CALENDAR).due_at
    assert clocks.warning(rule, start, due, CALENDAR) == shanghai(2022, 10, 21)
    long = ClockRule("x", "promised", "x", "workday", 2, warn=("workday", 9))
    assert clocks.warning(long, start, due, CALENDAR) == start


def test_the_districts_rule_warns_at_the_share_or_the_days_whichever_is_first(monkeypatch):
    monkeypatch.setattr(clocks, "rules", lambda: Rules(NearDue(0.2, 5), (), ()))
    start, due = shanghai(2022, 10, 1), clocks.end_of(date(2023, 1, 8))
    assert clocks.warning(None, start, due, CALENDAR) == due - timedelta(days=20)
    soon = clocks.end_of(date(2022, 10, 21))
    assert clocks.warning(None, start, soon, CALENDAR) == shanghai(2022, 10, 14)


def test_reminders_stand_before_the_end_and_escalations_after_it(monkeypatch):
    monkeypatch.setattr(
        clocks,
        "rules",
        lambda: Rules(
            NearDue(),
            (3, 0),
            (Escalation("matters.head", 1), Escalation("programme.leader", 3)),
        ),
    )
    due = clocks.end_of(date(2022, 10, 25))
    here = clocks.stages(due, due, CALENDAR, "services")
    assert [(stage.at, stage.key) for stage in here] == [
        (shanghai(2022, 10, 20), "before-3"),
        (shanghai(2022, 10, 25), "before-0"),
        (shanghai(2022, 10, 26), "late-1-matters.head"),
    ]
    # Roles of an app hear only of the kinds that this app owns.
    assert [stage.role for stage in clocks.stages(due, due, CALENDAR, "programme")][-1] == "programme.leader"
