"""Every read of files, scoped to who asks."""

from collections.abc import Callable, Iterable

from liangzhu.beams.work.files import policies
from liangzhu.beams.work.files.models import Attachment
from liangzhu.beams.work.files.storing import loose
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.refs import Ref

_guards: dict[str, Callable[[Actor, Ref], bool]] = {}


def guard_downloads(ref_kind: str, allowed: Callable[[Actor, Ref], bool]) -> None:
    """Say who may download what is attached to a kind of thing. A kind that nobody registered stays closed."""
    if ref_kind in _guards and _guards[ref_kind] is not allowed:
        raise ValueError(f"downloads of {ref_kind} are guarded twice")
    _guards[ref_kind] = allowed


def attachment(actor: Actor, attachment_id: int) -> Attachment:
    """One file that the actor may have. Raises NotThere: absent, and out of sight, are not told apart."""
    policies.download.require(actor)
    row = Attachment.objects.filter(pk=attachment_id).first()
    if row is None or not _may_have(actor, row):
        raise NotThere("没有找到这个附件。")
    return row


def _may_have(actor: Actor, row: Attachment) -> bool:
    if not row.subject:
        return row.uploaded_by == str(actor.ref)
    subject = Ref.parse(row.subject)
    guard = _guards.get(subject.kind)
    return guard is not None and guard(actor, subject)


def staged(actor: Actor, ids: list[int]) -> list[Attachment]:
    """Of these, the files that the actor uploaded and has not attached, in the order given."""
    rows = Attachment.objects.filter(loose(actor), pk__in=ids).in_bulk()
    return [rows[one] for one in dict.fromkeys(ids) if one in rows]


def of_each(subjects: Iterable[Ref]) -> dict[Ref, list[Attachment]]:
    """The files of several things in one query, oldest first. The caller has made sure that the things may be seen."""
    found: dict[Ref, list[Attachment]] = {one: [] for one in subjects}
    for row in Attachment.objects.filter(subject__in=[str(one) for one in found]).order_by("id"):
        found[Ref.parse(row.subject)].append(row)
    return found


def of(subject: Ref) -> list[Attachment]:
    """The files of a thing, oldest first. The caller has made sure that the thing may be seen."""
    return list(Attachment.objects.filter(subject=str(subject)).order_by("id"))
