"""Working days: ours beside the package that the calendar comes from."""

import random
from datetime import date, timedelta

import chinese_calendar

from bench._report import Row, options, rate, show
from liangzhu.kernel.workdays import WorkCalendar


def main() -> None:
    """Add 20 and 250 working days to random days of 2010-2025, and count working days between two."""
    arguments = options(__doc__)
    seconds = 1.0 if arguments.quick else 5.0
    chance = random.Random(114)
    days = [date(2010, 1, 4) + timedelta(days=chance.randrange(5000)) for _ in range(200)]
    calendar = WorkCalendar()
    rows = []
    for n in (20, 250):
        theirs = (
            rate(lambda n=n: [chinese_calendar.find_workday(n, day) for day in days[:20]], seconds=seconds)
            * 20
        )
        ours = rate(lambda n=n: [calendar.add(day, n) for day in days], seconds=seconds) * 200
        assert all(
            calendar.add(day, n).date == chinese_calendar.find_workday(n, day) for day in days if _works(day)
        )
        rows += [
            Row(f"加 {n} 个工作日，chinesecalendar", theirs),
            Row(f"加 {n} 个工作日，梁柱", ours, "chinesecalendar", ours / theirs),
        ]
    pairs = [(day, day + timedelta(days=chance.randrange(400))) for day in days if day.year < 2025]
    theirs = (
        rate(lambda: [len(chinese_calendar.get_workdays(a, b)) for a, b in pairs[:20]], seconds=seconds) * 20
    )
    ours = rate(lambda: [calendar.between(a, b) for a, b in pairs], seconds=seconds) * len(pairs)
    rows += [
        Row("数两日之间的工作日，chinesecalendar", theirs),
        Row("数两日之间的工作日，梁柱", ours, "chinesecalendar", ours / theirs),
    ]
    show("工作日", rows, arguments, ratio=min(row.ratio for row in rows if row.ratio))


def _works(day: date) -> bool:
    return chinese_calendar.is_workday(day)


if __name__ == "__main__":
    main()
