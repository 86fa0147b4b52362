"""A post's limits as a calendar (iCalendar, RFC 5545).

Nothing personal stands in it: number, kind and light. The calendar lives on other people's servers.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta

from icalendar import Alarm, Calendar, Event

from liangzhu.beams.work.matters import clocks as counting
from liangzhu.beams.work.matters.kinds import kind_of
from liangzhu.beams.work.matters.lights import light
from liangzhu.beams.work.matters.models import Matter
from liangzhu.beams.work.matters.queries import Limits

AGAIN = timedelta(hours=1)
"""How often a calendar program is asked to look again (RFC 7986 §5.7)."""


def calendar(limits: Limits, absolute: Callable[[str], str]) -> bytes:
    """The calendar of a post; ``absolute`` makes an address of a path."""
    made = Calendar()
    made.add("prodid", "-//Liangzhu//matters//ZH-CN")
    made.add("version", "2.0")
    made.add("x-wr-calname", "办理期限")
    made.add("refresh-interval", AGAIN, parameters={"VALUE": "DURATION"})
    made.add("x-published-ttl", AGAIN)
    for row in limits.running:
        made.add_component(_event(row, absolute, limits))
    for row in limits.ended:
        made.add_component(_ended(row, limits))
    return made.to_ical()


def etag(body: bytes) -> str:
    """The entity tag of a calendar."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def uid(matter: Matter) -> str:
    """The same for a matter as long as it lives, whoever holds it."""
    return f"matter-{matter.pk}@liangzhu"


def _event(row: Matter, absolute: Callable[[str], str], limits: Limits) -> Event:
    found, kind = light(row), kind_of(row.kind)
    made = Event()
    made.add("uid", uid(row))
    made.add("dtstamp", limits.touched_at)
    made.add("sequence", row.version)
    made.add("summary", f"{found.word}：{kind.title} {row.number} 到期")
    if counting.ends_with_day(row.due_at):
        day = counting.last_day(row.due_at)
        made.add("dtstart", day)
        made.add("dtend", day + timedelta(days=1))
    else:
        made.add("dtstart", row.due_at)
        made.add("dtend", row.due_at)
    made.add("status", "CONFIRMED")
    made.add("transp", "TRANSPARENT")
    made.add("url", absolute(kind.url_of(row)))
    if row.warn_at and row.warn_at < row.due_at:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", f"临期：{kind.title} {row.number}")
        alarm.add("trigger", row.warn_at)
        made.add_component(alarm)
    return made


def _ended(row: Matter, limits: Limits) -> Event:
    """What is done: the same event, cancelled, so that programs which keep what vanishes take it away."""
    made = Event()
    made.add("uid", uid(row))
    made.add("dtstamp", limits.touched_at)
    made.add("sequence", row.version)
    made.add("summary", f"已办结：{kind_of(row.kind).title} {row.number}")
    made.add("dtstart", counting.local_day(row.closed_at))
    made.add("status", "CANCELLED")
    return made
