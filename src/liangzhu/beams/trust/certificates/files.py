"""The files of certificates and papers: drawn once, when somebody first needs them, kept, and never drawn again.

The PDF of a certificate lies in the default storage as ciphertext under the certificate's own key; that of a paper is an
ordinary attachment of its matter. The SM3 of the bytes stands in the row: an upload that differs in one byte is found.
"""

import json
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.trust.certificates import drawing, policies, stamping
from liangzhu.beams.trust.certificates.models import Certificate, Paper
from liangzhu.beams.work.files import api as attachments
from liangzhu.kernel import crypto, log, masking, sealing
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM, Actor
from liangzhu.kernel.errors import BadFile, NotThere
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.worker import periodic

AAD = b"certificates.file"
DRAW_AT_ONCE = 50
"""Papers that one round of the worker draws."""


def json_file(actor: Actor, row: Certificate | Paper, *, reason: str) -> dict[str, Any]:
    """The file by which a row is checked offline, with the proof of its leaf. The caller has asked its policy.

    Waits for the leaf to be numbered; without a number there is no proof in it.
    """
    _numbered(row)
    return stamping.sealed_file(row, masking.reveal(actor, row, "statement", reason=reason))


def _numbered(row: Certificate | Paper) -> None:
    if row.leaf.number is None and not transaction.get_connection().in_atomic_block:
        try:
            log.wait_for(row.leaf)
        except log.NotSequenced:
            return


def _draw(row: Certificate | Paper) -> bytes:
    """The PDF, drawn by the system: reading the statement for it leaves its leaf."""
    file = json_file(SYSTEM, row, reason="制作版式文件")
    statement = json.loads(file["statement"])
    template = statement["type"]["layout"] if isinstance(row, Certificate) else row.template
    return drawing.draw(template, statement, file, row.check_code)


# Certificates ---------------------------------------------------------------------------------------------------------


def certificate_file(actor: Actor, row: Certificate, *, reason: str) -> bytes:
    """The PDF of a certificate. Who gets it reads everything in it: a leaf says so. The caller has asked its policy."""
    if sealing.is_gone(row.shown):
        raise NotThere("这份证照的内容已依规删除。")
    if not row.file:
        row = keep_file(SYSTEM, certificate_id=row.pk, pdf=_draw(row))
    masking.reveal(actor, row, "statement", reason=reason)
    with default_storage.open(row.file) as file:
        body = crypto.unseal(sealing.key_of(row), file.read(), AAD)
    if crypto.sm3_hex(body) != row.file_print:
        raise BadFile("存放的文件与登记的指纹不符。", todo="请联系系统管理员从备份恢复。", status=500)
    return body


@action("certificates.keep_file")
def keep_file(act: Act, *, certificate_id: int, pdf: bytes) -> Certificate:
    """Keep the PDF of a certificate; where another process was first, its file stays."""
    act.check(policies.keep_time)
    row = act.lock(Certificate, pk=certificate_id)
    if not row.file:
        sealed = crypto.seal(row.own_key(), pdf, AAD)
        row.file = default_storage.save(f"certificates/{row.ident[:2]}/{row.ident}", ContentFile(sealed))
        row.file_print = crypto.sm3_hex(pdf)
        row.save(update_fields=["file", "file_print"])
    act.log(row.ref, file=row.file_print)
    return row


def _destroy_file(act: Act, row: Certificate) -> dict[str, int]:
    told = residents.forget_about(row.ref)
    if not row.file:
        return {"messages": told}
    path = row.file
    transaction.on_commit(lambda: default_storage.delete(path))
    return {"file": 1, "messages": told}


sealing.on_forget(Certificate, _destroy_file)


# Papers ---------------------------------------------------------------------------------------------------------------


def paper_file(row: Paper) -> attachments.Attachment:
    """The PDF of a paper as an attachment of its matter, drawn now if it was not. The caller has asked its policy."""
    if row.attachment_id is None:
        row = attach_paper(SYSTEM, paper_id=row.pk, pdf=_draw(row))
    return row.attachment


@action("certificates.attach_paper")
def attach_paper(act: Act, *, paper_id: int, pdf: bytes) -> Paper:
    """Attach the PDF of a paper to its matter; where another process was first, its file stays."""
    act.check(policies.keep_time)
    row = act.lock(Paper, pk=paper_id)
    if row.attachment_id is None:
        upload = SimpleUploadedFile(f"{row.title} {row.number}.pdf", pdf, "application/pdf")
        kept = attachments.store(act, upload, kinds=("pdf",))
        attachments.attach(act, [kept.pk], Ref.parse(row.matter) if row.matter else row.ref)
        row.attachment, row.file_print = kept, kept.fingerprint
        row.save(update_fields=["attachment", "file_print"])
    act.log(row.ref, file=row.file_print)
    return row


@periodic("certificates.draw_papers", minutes=1)
def draw_papers() -> None:
    """Draw the papers that wait, the oldest first."""
    for row in (
        Paper.objects.filter(attachment=None).exclude(sealed_key=b"").select_related("leaf")[:DRAW_AT_ONCE]
    ):
        paper_file(row)
