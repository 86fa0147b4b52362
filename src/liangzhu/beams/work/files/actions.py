"""Every change of this app."""

from datetime import timedelta

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction

from liangzhu.beams.work.files import policies, storing
from liangzhu.beams.work.files.models import Attachment
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.worker import periodic

LOOSE_DAYS = 7
"""Days after which a file that was uploaded and never attached is removed."""


@action("files.stage")
def stage(act: Act, *, upload: File, kinds: tuple[str, ...] | None = None) -> Attachment:
    """Keep a file (上传附件) before its form is complete, so that nothing is uploaded twice. Raises TooLarge, BadFile."""
    act.check(policies.upload)
    return storing.store(act, upload, kinds=kinds)


@action("files.sweep")
def sweep(act: Act, *, limit: int = 1000) -> int:
    """Remove files that nobody attached within a week, and content that nothing else names. Returns how many."""
    act.check(policies.sweep)
    old = now() - timedelta(days=LOOSE_DAYS)
    rows = list(Attachment.objects.select_for_update().filter(subject="", uploaded_at__lt=old)[:limit])
    Attachment.objects.filter(pk__in=[row.pk for row in rows]).delete()
    paths = {row.path for row in rows}
    unused = paths - set(Attachment.objects.filter(path__in=paths).values_list("path", flat=True))
    act.log(Ref("job", "files.sweep"), removed=len(rows), contents=len(unused))
    # Content goes only when the rows are gone for good, or a rolled back sweep would leave rows without it.
    transaction.on_commit(lambda: [default_storage.delete(path) for path in sorted(unused)])
    return len(rows)


@periodic("files.sweep", minutes=24 * 60)
def sweep_daily() -> None:
    """Remove what was uploaded and never used."""
    while sweep(SYSTEM) == 1000:
        pass
