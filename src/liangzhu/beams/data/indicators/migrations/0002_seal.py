"""What people type is sealed: see docs/house.md, Sealing."""

from django.db import migrations

from liangzhu.kernel.sealing import SealedTextField
from liangzhu.kernel.sealing_before import Seal


class Migration(migrations.Migration):
    dependencies = [("indicators", "0001_initial"), ("kernel", "0003_seal")]

    operations = [
        Seal(
            "snapshot",
            note=SealedTextField(verbose_name="说明", owner="", blank=True),
            reason=SealedTextField(verbose_name="退回理由", owner="", blank=True),
        ),
    ]
