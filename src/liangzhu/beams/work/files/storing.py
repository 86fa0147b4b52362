"""Storing content by its fingerprint, sealed, in Django's default storage (a folder, or S3 by configuration).

A stored file is the mark `SEALED` and SM4-GCM of the content, bound to its fingerprint. Its key is random; whoever gives
the same content again takes file and key over from one who has them.
"""

import os
from collections.abc import Iterable

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q

from liangzhu.beams.work.files.kinds import identify
from liangzhu.beams.work.files.models import Attachment
from liangzhu.beams.work.files.names import clean_name, extension
from liangzhu.kernel import crypto
from liangzhu.kernel.actions import Act
from liangzhu.kernel.errors import BadFile, Invalid, NotThere, TooLarge
from liangzhu.kernel.log import sm3
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import hangs_on, is_gone, on_forget

SEALED = b"LZ-SM4-GCM\x01"
"""How a stored file begins."""

OVERHEAD = len(SEALED) + crypto.NONCE_SIZE + crypto.TAG_SIZE
"""Bytes by which a stored file is longer than its content."""


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
    path, key = _keep(fingerprint, body)
    attachment = Attachment.objects.create(
        fingerprint=fingerprint,
        size=len(body),
        media_type=kind.media_type,
        name=name,
        path=path,
        content_key=key.hex(),
        uploaded_by=str(act.actor.ref),
        uploaded_at=now(),
    )
    act.log(attachment.ref, fingerprint=fingerprint, size=attachment.size, media_type=kind.media_type)
    return attachment


def _keep(fingerprint: str, body: bytes) -> tuple[str, bytes]:
    """Write content unless it is there whole; returns path and key."""
    # Locked: who sweeps or forgets that row meanwhile comes before, and takes the content along, or after, and leaves it.
    rows = Attachment.objects.select_for_update().filter(fingerprint=fingerprint).exclude(sealed_key=b"")
    known = rows.order_by("id").first()
    if known is not None and (key := _key_of(known)):
        if not default_storage.exists(known.path):
            return write_sealed(known.path, fingerprint, body, key), key
        if default_storage.size(known.path) == len(body) + OVERHEAD:
            return known.path, key
        # A write that was interrupted left part of it; the fingerprint says what belongs here.
        default_storage.delete(known.path)
        return write_sealed(known.path, fingerprint, body, key), key
    # A name of its own: two who give the same for the first time at once do not write over each other's file.
    path, key = f"{folder(fingerprint)}-{os.urandom(6).hex()}", crypto.new_key()
    return write_sealed(path, fingerprint, body, key), key


def folder(fingerprint: str) -> str:
    """Where content with that fingerprint lies."""
    return f"{fingerprint[:2]}/{fingerprint[2:4]}/{fingerprint}"


def write_sealed(path: str, fingerprint: str, body: bytes, key: bytes) -> str:
    """Write content to a path where nothing lies; returns the path."""
    sealed = SEALED + crypto.seal(key, body, _bound_to(fingerprint))
    return default_storage.save(path, ContentFile(sealed))


def _bound_to(fingerprint: str) -> bytes:
    return f"file content {fingerprint}".encode()


def _key_of(attachment: Attachment) -> bytes:
    """The key of a file's content; b"" when it is gone or does not open."""
    try:
        return bytes.fromhex(attachment.content_key)
    except ValueError:
        return b""


def content(attachment: Attachment) -> bytes:
    """The bytes of a file. Raises BadFile when they are gone, or are no longer those that were given."""
    if is_gone(attachment.name):
        raise NotThere("这个附件已依规删除。")
    try:
        with default_storage.open(attachment.path) as file:
            stored = file.read()
        body = crypto.unseal(
            _key_of(attachment), stored.removeprefix(SEALED), _bound_to(attachment.fingerprint)
        )
    except (FileNotFoundError, crypto.CryptoError):
        body = None
    if body is None or sm3(body) != attachment.fingerprint:
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
