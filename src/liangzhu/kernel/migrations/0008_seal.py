"""What people type is sealed: see docs/house.md, Sealing."""

from django.db import migrations

from liangzhu.kernel.sealing import SealedTextField
from liangzhu.kernel.sealing_before import Seal


class Migration(migrations.Migration):
    dependencies = [("kernel", "0007_limits")]

    operations = [
        Seal("logdetail", body=SealedTextField(owner="", help_text="canonical JSON")),
        Seal("outboxevent", body=SealedTextField(owner="", help_text="JSON of the event's fields")),
        Seal(
            "delivery",
            error=SealedTextField(owner="", blank=True, help_text="trace of the last try that failed"),
            words=SealedTextField(
                owner="", max_length=300, blank=True, help_text="why the last try failed, in words"
            ),
            skipped=SealedTextField(
                owner="", max_length=200, blank=True, help_text="why a person let it go undelivered"
            ),
        ),
        Seal("received", refused=SealedTextField(owner="", max_length=300, blank=True)),
        Seal("periodicrun", error=SealedTextField(owner="", blank=True)),
    ]
