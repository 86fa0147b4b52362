"""What people type is sealed: see docs/house.md, Sealing."""

from django.db import migrations

from liangzhu.kernel.sealing import SealedTextField
from liangzhu.kernel.sealing_before import Seal


class Migration(migrations.Migration):
    dependencies = [("programme", "0001_initial"), ("matters", "0002_seal")]

    operations = [
        Seal(
            "letter",
            title=SealedTextField(verbose_name="标题", owner="", max_length=200),
            body=SealedTextField(
                verbose_name="正文", owner="", help_text="paragraphs separated by a line break"
            ),
            refusal=SealedTextField(verbose_name="退回理由", owner="", max_length=300, blank=True),
        ),
        Seal("lettertarget", situation=SealedTextField(verbose_name="情形", owner="", max_length=300)),
        Seal(
            "taskstep",
            title=SealedTextField(verbose_name="节点", owner="", max_length=200),
            result=SealedTextField(verbose_name="完成情况", owner="", max_length=500, blank=True),
        ),
        Seal("extension", reason=SealedTextField(verbose_name="理由", owner="matter", max_length=1000)),
    ]
