"""Contents that lie in plain form are sealed: see docs/decisions/0006-sealing.md."""

import logging

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, migrations, models, transaction
from django.db.models.functions import Length

from liangzhu.kernel import crypto
from liangzhu.kernel.sealing import SealedTextField, key_of, sealed_bytes

logger = logging.getLogger("liangzhu.files")

SEALED, ENDING, BATCH = b"LZ-SM4-GCM\x01", ".sm4", 1000


def seal_contents(apps, schema_editor) -> None:
    """Content by content, each committed before its plain file goes; stopped at any point, it goes on from there."""
    model = apps.get_model("files", "Attachment")
    _finish(model)
    length = Length(models.F("content_key"), output_field=models.IntegerField())
    plain = model.objects.alias(length=length).filter(length=0).exclude(sealed_key=b"")
    last = ""
    while path := plain.filter(path__gt=last).order_by("path").values_list("path", flat=True).first():
        last = path
        if default_storage.exists(path) and not path.endswith(ENDING):
            _seal(model, path)


def _finish(model) -> None:
    """Remove the plain files whose sealed ones were committed just before it was stopped."""
    for path in model.objects.filter(path__endswith=ENDING).values_list("path", flat=True).distinct():
        if default_storage.exists(path.removesuffix(ENDING)):
            default_storage.delete(path.removesuffix(ENDING))


def _seal(model, path: str) -> None:
    field, target = model._meta.get_field("content_key"), f"{path}{ENDING}"
    rows = model.objects.filter(path=path)
    fingerprint = rows.values_list("fingerprint", flat=True)[0]
    with default_storage.open(path) as file:
        body = file.read()
    key = crypto.new_key()
    if default_storage.exists(target):
        # Written, and stopped before it was committed: nobody has its key.
        default_storage.delete(target)
    default_storage.save(
        target, ContentFile(SEALED + crypto.seal(key, body, f"file content {fingerprint}".encode()))
    )
    with transaction.atomic():
        seen = 0
        while some := list(rows.filter(pk__gt=seen).exclude(sealed_key=b"").order_by("pk")[:BATCH]):
            seen = some[-1].pk
            given = [(sealed_bytes(key.hex(), key_of(row), field.place), row.pk) for row in some]
            with connection.cursor() as cursor:
                cursor.executemany("UPDATE files_attachment SET content_key = %s WHERE id = %s", given)
        rows.update(path=target)
    default_storage.delete(path)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("files", "0002_seal"), ("kernel", "0003_seal")]

    operations = [
        migrations.AddField(
            "attachment",
            "content_key",
            SealedTextField(blank=True, help_text="hex of the SM4 key that seals the content", max_length=32),
        ),
        migrations.RunPython(seal_contents, migrations.RunPython.noop, elidable=False),
    ]
