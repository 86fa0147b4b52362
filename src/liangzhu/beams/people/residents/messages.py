"""Telling residents and enterprises: a message each, once however often it is asked for."""

from collections.abc import Iterable

from liangzhu.beams.people.residents.consenting import columns_of
from liangzhu.beams.people.residents.models import Message
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref

PERSONS = {"natural_person", "organisation"}


def tell(
    refs: Iterable[Ref],
    *,
    key: str,
    title: str,
    text: str = "",
    url: str = "",
    about: Ref | None = None,
) -> int:
    """Send a message to persons or organisations, inside the caller's transaction; returns how many got it now.

    The same ``key`` reaches a reader once. ``url`` is a page of the resident's side; ``about`` what it tells of: when that is
    destroyed by rule, `forget_about` takes the message along. Other kinds of Ref are passed over.
    """
    sent = 0
    for ref in dict.fromkeys(one for one in refs if one.kind in PERSONS):
        columns = columns_of(ref)
        if Message.objects.filter(**columns, key=key[:120]).exists():
            continue
        row = Message(
            **columns,
            key=key[:120],
            title=title[:200],
            text=text[:1000],
            url=url,
            about=str(about or ""),
            at=now(),
        )
        if row.person_id and row.person.forgotten:
            continue
        # Two workers may send at once; the constraint decides, and neither fails.
        Message.objects.bulk_create([row], ignore_conflicts=True)
        sent += 1
    return sent


def forget_about(ref: Ref) -> int:
    """Delete what was told of a thing that is destroyed by rule; returns how many messages."""
    return Message.objects.filter(about=str(ref)).delete()[0]
