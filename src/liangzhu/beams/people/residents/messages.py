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
    wanted = [(ref, columns_of(ref)) for ref in dict.fromkeys(one for one in refs if one.kind in PERSONS)]
    have: set[tuple[str, int]] = set()
    for name in ("person_id", "organisation_id"):
        ids = [columns[name] for _, columns in wanted if columns.get(name)]
        if ids:
            rows = Message.objects.filter(**{f"{name}__in": ids}, key=key[:120])
            have |= {(name, pk) for pk in rows.values_list(name, flat=True)}
    made = []
    for _, columns in wanted:
        if any((name, pk) in have for name, pk in columns.items() if pk):
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
        made.append(row)
    # Two workers may send at once; the constraint decides, and neither fails.
    Message.objects.bulk_create(made, ignore_conflicts=True, batch_size=500)
    return len(made)


def forget_about(ref: Ref) -> int:
    """Delete what was told of a thing that is destroyed by rule; returns how many messages."""
    return Message.objects.filter(about=str(ref)).delete()[0]
