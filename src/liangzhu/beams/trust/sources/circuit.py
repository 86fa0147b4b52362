"""A source that is down is not asked again for a short while (熔断): who waits is told at once, and the source can recover.

What happened to the last questions stands in the table, so that all processes know the same. After the pause one question
goes through; its answer ends the pause, or begins the next.
"""

from datetime import datetime, timedelta

from liangzhu.beams.trust.sources.models import Pull, Read
from liangzhu.beams.trust.sources.registry import Source
from liangzhu.kernel.now import SHANGHAI, now

FAILURES = 3
"""So many questions in a row without an answer."""
PAUSE = timedelta(seconds=30)

ANSWERED = (Read.DONE, Read.NOTHING, Read.WRONG, Read.DOWN)
"""Outcomes of questions that were really put to the source."""


def open_until(one: Source) -> datetime | None:
    """Until when a source is not asked, or None. What the district holds itself is always asked."""
    if not one.remote:
        return None
    rows = Pull.objects.filter(source=one.key, outcome__in=ANSWERED).order_by("-id")
    return paused(one, list(rows.values_list("outcome", "at")[:FAILURES]))


def paused(one: Source, last: list[tuple[str, datetime]]) -> datetime | None:
    """The same, from outcome and instant of the last questions, the newest first."""
    if not one.remote or len(last) < FAILURES or any(outcome != Read.DOWN for outcome, _ in last):
        return None
    until = last[0][1] + PAUSE
    return until if until > now() else None


def words(until: datetime) -> str:
    """When to try again, as people say it."""
    return f"请在 {until.astimezone(SHANGHAI):%H:%M:%S} 以后"
