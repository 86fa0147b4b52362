"""The files of certificates and papers: drawn once, when somebody first needs them, kept, and never drawn again.

They are attachments, sealed like all of them: a certificate's is forgotten with it, a paper's with its matter. The SM3 of
the bytes stands in the row: an upload that differs in one byte is found.
"""

import json
import logging
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.trust.certificates import drawing, kinds, policies, stamping
from liangzhu.beams.trust.certificates.models import Certificate, Paper
from liangzhu.beams.work.files import api as attachments
from liangzhu.kernel import log, masking, sealing
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM, Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.worker import periodic

logger = logging.getLogger("liangzhu.certificates")

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


def paper_file(row: Paper) -> attachments.Attachment:
    """The PDF of a paper as an attachment of its matter, drawn now if it was not. The caller has asked its policy."""
    return _kept(row).attachment


def certificate_file(actor: Actor, row: Certificate, *, reason: str) -> bytes:
    """The PDF of a certificate. Who gets it reads everything in it: a leaf says so. The caller has asked its policy."""
    if sealing.is_gone(row.shown):
        raise NotThere("这份证照的内容已依规删除。")
    row = _kept(row)
    masking.reveal(actor, row, "statement", reason=reason)
    return attachments.content(row.attachment)


def _kept(row: Certificate | Paper) -> Certificate | Paper:
    return row if row.attachment_id else keep_file(SYSTEM, ref=row.ref, pdf=_draw(row))


@action("certificates.keep_file")
def keep_file(act: Act, *, ref: Ref, pdf: bytes) -> Certificate | Paper:
    """Keep the PDF of a certificate or paper; where another process was first, its file stays.

    A paper's belongs to its matter, so that it lies with everything else of the case.
    """
    act.check(policies.keep_time)
    row = act.lock(Certificate if ref.kind == "certificate" else Paper, pk=ref.id)
    if row.attachment_id is None:
        title = row.title if isinstance(row, Paper) else kinds.title_of(row.kind)
        upload = SimpleUploadedFile(f"{title} {row.number}.pdf", pdf, "application/pdf")
        kept = attachments.store(act, upload, kinds=("pdf",))
        of_matter = isinstance(row, Paper) and row.matter
        attachments.attach(act, [kept.pk], Ref.parse(row.matter) if of_matter else row.ref)
        row.attachment, row.file_print = kept, kept.fingerprint
        row.save(update_fields=["attachment", "file_print"])
    act.log(row.ref, file=row.file_print)
    return row


def _forget_messages(act: Act, row: Certificate) -> dict[str, int]:
    return {"messages": residents.forget_about(row.ref)}


sealing.on_forget(Certificate, _forget_messages)


@periodic("certificates.draw_papers", minutes=1)
def draw_papers() -> None:
    """Draw the papers that wait, the oldest first. One that cannot be drawn holds up no other; it fails the round at its end."""
    fault = None
    waiting = (
        Paper.objects.filter(attachment=None).exclude(sealed_key=b"").select_related("leaf").order_by("id")
    )
    for row in waiting[:DRAW_AT_ONCE]:
        try:
            paper_file(row)
        except Exception as error:
            logger.exception("paper %s cannot be drawn", row.pk)
            fault = error
    if fault is not None:
        raise fault
