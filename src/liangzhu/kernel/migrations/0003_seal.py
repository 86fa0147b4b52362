"""What people type is sealed: see docs/house.md, Sealing."""

from django.db import migrations

from liangzhu.kernel.sealing import SealedTextField
from liangzhu.kernel.sealing_before import Seal


class Migration(migrations.Migration):
    replaces = [("kernel", "0008_seal")]

    dependencies = [("kernel", "0002_engine")]

    operations = [
        Seal("logdetail", body=SealedTextField(owner="", help_text="canonical JSON")),
        Seal("outboxevent", body=SealedTextField(owner="", help_text="JSON of the event's fields")),
        Seal(
            "delivery",
            error=SealedTextField(owner="", blank=True, help_text="trace of the last try that failed"),
        ),
        Seal("periodicrun", error=SealedTextField(owner="", blank=True)),
    ]
