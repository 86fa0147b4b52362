"""The last app to seal what people type cleans up behind all of them. Not atomic: no database vacuums in a transaction."""

from django.db import migrations

from liangzhu.kernel.sealing_before import clean_up


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("programme", "0002_seal"),
        ("indicators", "0002_seal"),
        ("matters", "0002_seal"),
        ("files", "0002_seal"),
        ("directory", "0002_seal"),
        ("kernel", "0003_seal"),
    ]

    operations = [migrations.RunPython(clean_up, migrations.RunPython.noop, elidable=True)]
