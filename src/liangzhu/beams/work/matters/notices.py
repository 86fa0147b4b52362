"""Notices to posts: sent once however often they are asked for."""

from collections.abc import Iterable

from liangzhu.beams.work.matters.kinds import kind_of
from liangzhu.beams.work.matters.models import Matter, Notice
from liangzhu.kernel.now import now


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

    ``url`` is the page it opens, that of ``matter`` when empty. ``level`` is info, remind or urge.
    """
    posts = list(dict.fromkeys(posts))
    had = set(Notice.objects.filter(post__in=posts, key=key).values_list("post_id", flat=True))
    url = url or (kind_of(matter.kind).url_of(matter) if matter else "")
    rows = [
        Notice(
            post_id=post,
            matter=matter,
            key=key,
            level=level,
            title=title[:200],
            text=text[:500],
            url=url,
            at=now(),
        )
        for post in posts
        if post not in had
    ]
    # Two workers may send at once; the constraint decides, and neither fails.
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)
