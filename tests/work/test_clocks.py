"""Clocks: ends, warnings and stretches that do not count, against tables and against a slow count by hand."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from liangzhu.beams.work.matters import clocks
from liangzhu.beams.work.matters.process import ClockRule
from liangzhu.beams.work.matters.rules import Escalation, NearDue, Rules
from liangzhu.kernel.now import shanghai
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


def slow_end(start: date, amount: int, stops: list[tuple[date, date]]) -> date:
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
                while not CALENDAR.is_workday(here):
                    here += timedelta(days=1)
                last = here
        if left == 0 and not (pending and pending[0][0] <= last):
            return last
        here += timedelta(days=1)
        if CALENDAR.is_workday(here) and not any(a < here <= b for a, b in spans):
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
