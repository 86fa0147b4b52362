"""Notices to posts: sent once however often they are asked for, in the way that each post chose.

Channels (渠道) are where notices go. There is one here, the list in the workbench; an adapter adds another with
`channel`, and gets the same rows.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, time

from liangzhu.beams.work.matters import clocks as counting
from liangzhu.beams.work.matters.kinds import kind_of
from liangzhu.beams.work.matters.models import NEVER, Desk, Matter, Notice, NoticeRule
from liangzhu.beams.work.matters.rules import rules
from liangzhu.kernel.now import SHANGHAI, now

DAY_BEGINS, DAY_ENDS = time(9), time(17, 30)
"""Office hours where the pack gives none."""

_channels: dict[str, Callable[[list[Notice]], None]] = {}


def channel(name: str) -> Callable[[Callable], Callable]:
    """Register a channel: ``send(rows)`` takes notices that are new, ``shown_from`` says when each may be told.

    It runs inside the transaction of whatever is told of: a channel that leaves the house hands its rows to an outbox.
    """

    def register(send: Callable[[list[Notice]], None]) -> Callable:
        if name in _channels and _channels[name].__qualname__ != send.__qualname__:
            raise ValueError(f"channel {name} is registered twice")
        _channels[name] = send
        return send

    return register


@channel("workbench")
def keep(rows: list[Notice]) -> None:
    """The list in the workbench."""
    # Two workers may send at once; the constraint decides, and neither fails.
    Notice.objects.bulk_create(rows, ignore_conflicts=True)


def notify(
    posts: Iterable[int],
    *,
    key: str,
    title: str,
    text: str = "",
    url: str = "",
    level: str = Notice.INFO,
    matter: Matter | None = None,
) -> int:
    """Send a notice to posts; returns how many got it now. The same ``key`` reaches a post once.

    ``url`` is the page it opens, that of ``matter`` when empty. ``level`` is info, remind or urge; what urges is never
    held back, what is for information may be, or not be sent at all, as the post chose.
    """
    posts = list(dict.fromkeys(posts))
    had = set(Notice.objects.filter(post__in=posts, key=key).values_list("post_id", flat=True))
    url = url or (kind_of(matter.kind).url_of(matter) if matter else "")
    moment, new = now(), [post for post in posts if post not in had]
    held = _held_back(new, level, matter, moment) if level != Notice.URGE else {}
    rows = [
        Notice(
            post_id=post,
            matter=matter,
            key=key,
            level=level,
            title=title[:200],
            text=text[:500],
            url=url,
            at=moment,
            shown_from=held.get(post),
        )
        for post in new
        if held.get(post) != NEVER
    ]
    for send in _channels.values():
        send(rows)
    return len(rows)


def _held_back(posts: list[int], level: str, matter: Matter | None, moment: datetime) -> dict[int, datetime]:
    """Until when posts that chose so are not told; `NEVER` for those who are not told at all."""
    kind = matter.kind if matter else ""
    ways: dict[int, str] = {}
    # A rule for the kind comes after the one for all kinds, and replaces it.
    for rule in NoticeRule.objects.filter(post__in=posts, level=level, kind__in=["", kind]).order_by("kind"):
        ways[rule.post_id] = rule.way
    quiet = set(Desk.objects.filter(post__in=posts, quiet=True).values_list("post_id", flat=True))
    held = {}
    for post in posts:
        way = ways.get(post, NoticeRule.NOW)
        # Whoever does the matter must hear of it: what was given to one's post is not "other people's".
        own = matter is not None and matter.assignee_id == post
        if way == NoticeRule.NONE and not own:
            held[post] = NEVER
        elif way == NoticeRule.DIGEST or (post in quiet and not in_hours(moment)):
            held[post] = next_opening(moment)
    return held


def _hours() -> list[tuple[time, time]]:
    return list(rules().hours) or [(DAY_BEGINS, DAY_ENDS)]


def in_hours(moment: datetime) -> bool:
    """Whether an instant lies between the beginning and the end of a working day; the lunch break counts."""
    local = moment.astimezone(SHANGHAI)
    hours = _hours()
    return bool(counting.work_calendar().is_workday(local.date())) and (
        hours[0][0] <= local.time() < hours[-1][1]
    )


def next_opening(moment: datetime) -> datetime:
    """When the next working day begins, counting the present one if it is yet to begin."""
    local, calendar, begins = moment.astimezone(SHANGHAI), counting.work_calendar(), _hours()[0][0]
    day = local.date()
    if not (calendar.is_workday(day) and local.time() < begins):
        day = calendar.next_workday(day)
    return datetime.combine(day, begins, SHANGHAI)
