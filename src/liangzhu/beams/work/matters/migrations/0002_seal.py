"""What people type is sealed: see docs/house.md, Sealing."""

from django.db import migrations

from liangzhu.kernel.sealing import SealedTextField
from liangzhu.kernel.sealing_before import Seal


class Migration(migrations.Migration):
    replaces = [("matters", "0006_seal")]

    dependencies = [("matters", "0001_initial"), ("kernel", "0003_seal")]

    operations = [
        Seal(
            "matter",
            keyed=True,
            title=SealedTextField(verbose_name="标题", max_length=200),
            place=SealedTextField(verbose_name="地点", max_length=200, blank=True),
        ),
        Seal(
            "part",
            title=SealedTextField(owner="matter", max_length=200),
            result=SealedTextField(owner="matter", max_length=200, blank=True),
        ),
        Seal(
            "answer",
            body=SealedTextField(owner="matter", help_text="canonical JSON: field name to plain value"),
        ),
        Seal("entry", note=SealedTextField(owner="matter", blank=True)),
        Seal("comment", text=SealedTextField(owner="matter")),
        Seal("clockstop", reason=SealedTextField(owner="clock.matter", max_length=500)),
        Seal("clockextension", reason=SealedTextField(owner="clock.matter", max_length=500)),
        Seal(
            "notice",
            title=SealedTextField(owner="matter", max_length=200),
            text=SealedTextField(owner="matter", max_length=500, blank=True),
        ),
    ]
