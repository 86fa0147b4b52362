"""What people type is sealed: see docs/house.md, Sealing."""

from django.db import migrations

from liangzhu.kernel.sealing import SealedTextField
from liangzhu.kernel.sealing_before import Seal


class Migration(migrations.Migration):
    dependencies = [("files", "0001_initial"), ("kernel", "0003_seal")]

    operations = [
        Seal("attachment", keyed=True, name=SealedTextField(max_length=200)),
    ]
