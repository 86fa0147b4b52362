import django.db.models.deletion
import liangzhu.kernel.sealing
from django.db import migrations, models
from liangzhu.kernel.migrating import CreateModels


class Migration(migrations.Migration):
    replaces = [("forms", "0001_first"), ("forms", "0002_owner_person"), ("forms", "0003_draft_part")]

    initial = True

    dependencies = [
        ("kernel", "0003_seal"),
    ]

    operations = [
        CreateModels(
            migrations.CreateModel(
                name="Draft",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("sealed_key", liangzhu.kernel.sealing.SealedKeyField(default=b"", max_length=64)),
                    ("owner", models.CharField(help_text="Ref of the account", max_length=80)),
                    ("form", models.CharField(max_length=80)),
                    (
                        "subject",
                        models.CharField(
                            blank=True, help_text="Ref of what it is filled in for", max_length=80
                        ),
                    ),
                    ("body", liangzhu.kernel.sealing.SealedTextField()),
                    ("version", models.PositiveIntegerField(default=1)),
                    ("begun_at", models.DateTimeField()),
                    ("saved_at", models.DateTimeField()),
                    (
                        "person_id",
                        models.BigIntegerField(help_text="the owner as a person of the directory", null=True),
                    ),
                    (
                        "part",
                        models.CharField(
                            blank=True,
                            default="",
                            help_text="the part of the subject; empty: the whole",
                            max_length=40,
                        ),
                    ),
                    (
                        "release",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT, related_name="+", to="kernel.release"
                        ),
                    ),
                ],
                options={
                    "verbose_name": "表单草稿",
                    "indexes": [models.Index(fields=["saved_at"], name="forms_draft_age")],
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("owner", "form", "subject", "part"), name="forms_one_draft"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="CoSignature",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("place", models.CharField(help_text="name of the co-signer in the form", max_length=40)),
                    ("person_id", models.BigIntegerField()),
                    ("person_name", liangzhu.kernel.sealing.SealedTextField(max_length=60, owner="draft")),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("invited", "等待签署"),
                                ("signed", "已签署"),
                                ("declined", "不同意签署"),
                                ("void", "签署后有改动，签名已失效"),
                            ],
                            default="invited",
                            max_length=10,
                        ),
                    ),
                    ("reason", liangzhu.kernel.sealing.SealedTextField(max_length=300, owner="draft")),
                    ("signed", liangzhu.kernel.sealing.SealedTextField(owner="draft")),
                    ("digest", models.CharField(blank=True, max_length=64)),
                    ("key_id", models.CharField(blank=True, max_length=40)),
                    ("signature", models.CharField(blank=True, max_length=128)),
                    ("invited_at", models.DateTimeField()),
                    ("answered_at", models.DateTimeField(null=True)),
                    (
                        "draft",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="cosigners",
                            to="forms.draft",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "共同签署",
                    "indexes": [models.Index(fields=["person_id", "state"], name="forms_signature_of")],
                    "constraints": [
                        models.UniqueConstraint(fields=("draft", "place"), name="forms_one_signature")
                    ],
                },
            ),
            migrations.CreateModel(
                name="Snapshot",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("sealed_key", liangzhu.kernel.sealing.SealedKeyField(default=b"", max_length=64)),
                    ("form", models.CharField(max_length=80)),
                    ("subject", models.CharField(blank=True, max_length=80)),
                    ("body", liangzhu.kernel.sealing.SealedTextField()),
                    ("digest", models.CharField(max_length=64)),
                    ("key_id", models.CharField(max_length=40)),
                    ("signature", models.CharField(max_length=128)),
                    ("sent_by", models.CharField(max_length=80)),
                    ("sent_at", models.DateTimeField()),
                    (
                        "release",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT, related_name="+", to="kernel.release"
                        ),
                    ),
                ],
                options={
                    "verbose_name": "填报快照",
                    "indexes": [
                        models.Index(fields=["subject", "id"], name="forms_snapshot_subject"),
                        models.Index(fields=["sent_by", "-id"], name="forms_snapshot_sender"),
                    ],
                },
            ),
        ),
    ]
