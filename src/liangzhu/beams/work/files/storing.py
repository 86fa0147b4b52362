"""Storing content by its fingerprint, in Django's default storage (a folder, or S3 by configuration)."""

from collections.abc import Iterable

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q

from liangzhu.beams.work.files.kinds import identify
from liangzhu.beams.work.files.models import Attachment
from liangzhu.beams.work.files.names import clean_name, extension
from liangzhu.kernel.actions import Act
from liangzhu.kernel.errors import BadFile, Invalid, NotThere, TooLarge
from liangzhu.kernel.log import sm3
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import hangs_on, is_gone, on_forget


def store(act: Act, upload: File, *, kinds: Iterable[str] | None = None) -> Attachment:
    """Keep an uploaded file; it belongs to nothing yet. ``kinds`` are keys of `kinds.KINDS` to accept (None:
    all).

    Raises TooLarge, BadFile. Content that is there already is not stored twice.
    """
    name = clean_name(upload.name or "")
    limit = settings.LIANGZHU_MAX_UPLOAD
    if upload.size > limit:
        raise TooLarge(f"“{name}”有 {_megabytes(upload.size)}，超过上限 {_megabytes(limit)}。")
    upload.seek(0)
    body = upload.read()
    kind = identify(name, body, kinds)
    if not extension(name):
        name = f"{name}.{kind.extensions[0]}"
    fingerprint = sm3(body)
    attachment = Attachment.objects.create(
        fingerprint=fingerprint,
        size=len(body),
        media_type=kind.media_type,
        name=name,
        path=_keep(fingerprint, body),
        uploaded_by=str(act.actor.ref),
        uploaded_at=now(),
    )
    act.log(attachment.ref, fingerprint=fingerprint, size=attachment.size, media_type=kind.media_type)
    return attachment


def _keep(fingerprint: str, body: bytes) -> str:
    """Write content under its fingerprint unless it is there whole; returns the path."""
    path = f"{fingerprint[:2]}/{fingerprint[2:4]}/{fingerprint}"
    if default_storage.exists(path):
        if default_storage.size(path) == len(body):
            return path
        # A write that was interrupted left part of it; the fingerprint says what belongs here.
        default_storage.delete(path)
    return default_storage.save(path, ContentFile(body))


def content(attachment: Attachment) -> bytes:
    """The bytes of a file. Raises BadFile when they are gone, or are no longer those that were given."""
    if is_gone(attachment.name):
        raise NotThere("这个附件已依规删除。")
    try:
        with default_storage.open(attachment.path) as file:
            body = file.read()
    except FileNotFoundError:
        body = b""
    if sm3(body) != attachment.fingerprint:
        raise BadFile(
            f"“{attachment.name}”存放的内容与上传时的指纹 {attachment.short} 不符。",
            code="file_altered",
            title="文件已损坏或被改动",
            todo="请联系系统管理员从备份恢复。",
            status=500,
        )
    return body


def _destroy_content(act: Act, attachment: Attachment) -> dict[str, int]:
    """Delete the content of a file that is forgotten, once that is certain, unless another file has the same."""
    if (
        Attachment.objects.filter(path=attachment.path)
        .exclude(pk=attachment.pk)
        .exclude(sealed_key=b"")
        .exists()
    ):
        return {}
    transaction.on_commit(lambda: default_storage.delete(attachment.path))
    return {"content": 1}


hangs_on(Attachment, "subject")
on_forget(Attachment, _destroy_content)


def attach(act: Act, attachment_ids: Iterable[int], subject: Ref) -> list[Attachment]:
    """Attach files to what they belong to. Only who uploaded a file attaches it, and only once.

    Raises Invalid when one of them is not there for this actor.
    """
    ids = list(dict.fromkeys(int(one) for one in attachment_ids))
    if not ids:
        return []
    rows = {
        row.pk: row for row in Attachment.objects.select_for_update().filter(loose(act.actor), pk__in=ids)
    }
    if missing := [one for one in ids if one not in rows]:
        raise Invalid(f"有 {len(missing)} 个附件已不可用，请重新上传。")
    Attachment.objects.filter(pk__in=ids).update(subject=str(subject))
    found = [rows[one] for one in ids]
    for row in found:
        row.subject = str(subject)
    act.log(subject, files=[row.fingerprint for row in found])
    return found


def hand_on(act: Act, attachment_ids: Iterable[int], source: Ref, target: Ref) -> int:
    """Let files that belong to one thing belong to another. The caller holds both. Returns how many."""
    rows = Attachment.objects.filter(pk__in=list(attachment_ids), subject=str(source))
    return rows.update(subject=str(target))


def detach(act: Act, attachment_ids: Iterable[int], source: Ref) -> int:
    """Let files belong to nothing again: they are swept after a week from their uploading. Returns how many."""
    rows = Attachment.objects.filter(pk__in=list(attachment_ids), subject=str(source))
    return rows.update(subject="")


def loose(actor) -> Q:
    """The files that an actor has uploaded and not yet attached."""
    return Q(subject="", uploaded_by=str(actor.ref))


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MB"
