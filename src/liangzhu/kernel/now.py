"""The one source of time.

A demonstration stands on a day of its own (演示日期), so that lights and limits mean something; a real installation
runs on today. Everything that belongs to the domain asks here. What guards the doors (sessions, one-time codes,
lock-out) uses the machine's clock inside its libraries: a demonstration day must not weaken them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime

from django.conf import settings

from liangzhu.kernel.workdays import SHANGHAI

_travel: ContextVar[datetime | None] = ContextVar("liangzhu_travel", default=None)


def demo_date() -> date | None:
    """The day a demonstration stands on, or None in a real installation."""
    return settings.LIANGZHU_DEMO_DATE


def now() -> datetime:
    """The present instant, aware, in UTC. In a demonstration: the demonstration day at the present time of day."""
    travelled = _travel.get()
    if travelled is not None:
        return travelled
    real = datetime.now(UTC)  # noqa: TID251 - this is the one place that reads the machine's clock
    day = demo_date()
    if day is None:
        return real
    return datetime.combine(day, real.astimezone(SHANGHAI).timetz()).astimezone(UTC)


def today() -> date:
    """The present day in Asia/Shanghai."""
    return now().astimezone(SHANGHAI).date()


def shanghai(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """An aware instant given in Shanghai time."""
    return datetime(year, month, day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


@contextmanager
def at(moment: str | datetime) -> Iterator[None]:
    """Stand at another moment: ``with at("2022-10-20 09:00"):``. For tests and for generating a demonstration.

    ``moment`` is an aware datetime, or text ``YYYY-MM-DD`` or ``YYYY-MM-DD HH:MM`` in Shanghai time.
    """
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=SHANGHAI)
    token = _travel.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _travel.reset(token)
