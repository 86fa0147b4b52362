import django.db.models.deletion
import liangzhu.kernel.sealing
from django.db import migrations, models
from liangzhu.kernel.migrating import CreateModels


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("directory", "0002_seal"),
        ("files", "0003_contents"),
        ("kernel", "0003_seal"),
    ]

    operations = [
        CreateModels(
            migrations.CreateModel(
                name="PlatformCertificate",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("version", models.PositiveSmallIntegerField(unique=True)),
                    ("der", models.BinaryField()),
                ],
                options={
                    "verbose_name": "平台签名证书",
                },
            ),
            migrations.CreateModel(
                name="Certificate",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("sealed_key", liangzhu.kernel.sealing.SealedKeyField(default=b"", max_length=64)),
                    (
                        "ident",
                        models.CharField(
                            help_text="26 characters, 130 random bits", max_length=26, unique=True
                        ),
                    ),
                    ("check_code", liangzhu.kernel.sealing.SealedTextField(max_length=12)),
                    (
                        "matter",
                        models.CharField(
                            blank=True, help_text="the case that it came from, a Ref", max_length=80
                        ),
                    ),
                    ("statement", liangzhu.kernel.sealing.SealedTextField(grade=3)),
                    ("shown", liangzhu.kernel.sealing.SealedTextField()),
                    ("key", models.CharField(help_text="id of the key that signed", max_length=60)),
                    ("signature", models.CharField(help_text="hex SM2, r and s", max_length=128)),
                    ("digest", models.CharField(help_text="hex SM3 of the statement", max_length=64)),
                    ("issued_at", models.DateTimeField()),
                    ("issued_on", models.DateField()),
                    (
                        "file_print",
                        models.CharField(
                            blank=True, help_text="hex SM3 of the PDF, once it was drawn", max_length=64
                        ),
                    ),
                    ("kind", models.CharField(max_length=40, verbose_name="证照类型")),
                    (
                        "identifier",
                        models.CharField(max_length=128, unique=True, verbose_name="电子证照标识"),
                    ),
                    ("number", models.CharField(max_length=80, verbose_name="证照编号")),
                    ("holder", models.CharField(max_length=80)),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("01", "有效"),
                                ("02", "暂扣"),
                                ("03", "撤销"),
                                ("04", "注销"),
                                ("05", "失效"),
                                ("06", "办理转出"),
                                ("07", "吊销"),
                                ("99", "其他"),
                            ],
                            default="01",
                            max_length=2,
                            verbose_name="状态",
                        ),
                    ),
                    (
                        "operation",
                        models.CharField(
                            choices=[
                                ("01", "新发"),
                                ("02", "延续"),
                                ("03", "暂扣"),
                                ("04", "过期失效"),
                                ("05", "注销（撤销、吊销、转出）"),
                                ("06", "暂扣发还"),
                                ("07", "其他"),
                                ("08", "转入"),
                                ("09", "变更"),
                                ("10", "取消转出"),
                            ],
                            default="01",
                            max_length=2,
                            verbose_name="操作类型",
                        ),
                    ),
                    ("valid_from", models.DateField(verbose_name="生效日期")),
                    (
                        "valid_until",
                        models.DateField(
                            help_text="the last day; none: without end", null=True, verbose_name="有效期至"
                        ),
                    ),
                    ("previous_identifier", models.CharField(blank=True, max_length=128)),
                    ("version", models.PositiveIntegerField(default=1)),
                    (
                        "attachment",
                        models.ForeignKey(
                            help_text="the PDF, once drawn",
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="files.attachment",
                        ),
                    ),
                    (
                        "leaf",
                        models.ForeignKey(
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="kernel.logleaf",
                        ),
                    ),
                    (
                        "previous",
                        models.ForeignKey(
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="next",
                            to="certificates.certificate",
                        ),
                    ),
                    (
                        "unit",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT, related_name="+", to="directory.unit"
                        ),
                    ),
                ],
                options={
                    "verbose_name": "证照",
                    "indexes": [
                        models.Index(fields=["holder", "-id"], name="certificate_holder_482ff5_idx"),
                        models.Index(fields=["unit", "-id"], name="certificate_unit_id_b828fd_idx"),
                        models.Index(fields=["unit", "kind", "-id"], name="certificate_unit_id_b26195_idx"),
                        models.Index(
                            condition=models.Q(("state", "01")),
                            fields=["valid_until"],
                            name="certificate_to_expire",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("valid_until", None),
                                ("valid_until__gte", models.F("valid_from")),
                                _connector="OR",
                            ),
                            name="certificate_not_empty",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="Change",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "operation",
                        models.CharField(
                            choices=[
                                ("01", "新发"),
                                ("02", "延续"),
                                ("03", "暂扣"),
                                ("04", "过期失效"),
                                ("05", "注销（撤销、吊销、转出）"),
                                ("06", "暂扣发还"),
                                ("07", "其他"),
                                ("08", "转入"),
                                ("09", "变更"),
                                ("10", "取消转出"),
                            ],
                            max_length=2,
                        ),
                    ),
                    (
                        "from_state",
                        models.CharField(
                            blank=True,
                            choices=[
                                ("01", "有效"),
                                ("02", "暂扣"),
                                ("03", "撤销"),
                                ("04", "注销"),
                                ("05", "失效"),
                                ("06", "办理转出"),
                                ("07", "吊销"),
                                ("99", "其他"),
                            ],
                            max_length=2,
                        ),
                    ),
                    (
                        "to_state",
                        models.CharField(
                            choices=[
                                ("01", "有效"),
                                ("02", "暂扣"),
                                ("03", "撤销"),
                                ("04", "注销"),
                                ("05", "失效"),
                                ("06", "办理转出"),
                                ("07", "吊销"),
                                ("99", "其他"),
                            ],
                            max_length=2,
                        ),
                    ),
                    (
                        "ground",
                        liangzhu.kernel.sealing.SealedTextField(
                            max_length=400, owner="certificate", verbose_name="理由和依据"
                        ),
                    ),
                    ("at", models.DateTimeField()),
                    ("actor", models.CharField(max_length=80)),
                    ("actor_label", models.CharField(max_length=120)),
                    (
                        "certificate",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="changes",
                            to="certificates.certificate",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "证照变动",
                    "ordering": ["id"],
                },
            ),
            migrations.CreateModel(
                name="Seal",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "use",
                        models.CharField(
                            choices=[
                                ("official", "公章"),
                                ("approval", "行政审批专用章"),
                                ("certificate", "证照专用章"),
                            ],
                            max_length=12,
                            verbose_name="用途",
                        ),
                    ),
                    ("legend", models.CharField(max_length=40, verbose_name="章面单位名称")),
                    ("number", models.CharField(max_length=13, unique=True, verbose_name="印章编码")),
                    ("valid_from", models.DateField(verbose_name="启用日期")),
                    (
                        "valid_to",
                        models.DateField(
                            help_text="the first day on which it no longer signs",
                            null=True,
                            verbose_name="停止使用日期",
                        ),
                    ),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("proposed", "待复核"),
                                ("active", "启用"),
                                ("refused", "未通过"),
                                ("ending", "待复核停用"),
                                ("ended", "停用"),
                            ],
                            default="proposed",
                            max_length=10,
                            verbose_name="状态",
                        ),
                    ),
                    (
                        "reason",
                        liangzhu.kernel.sealing.SealedTextField(
                            max_length=200, owner="", verbose_name="理由"
                        ),
                    ),
                    ("proposed_by", models.CharField(max_length=80)),
                    ("proposed_label", models.CharField(max_length=120)),
                    ("proposed_at", models.DateTimeField()),
                    ("decided_by", models.CharField(blank=True, max_length=80)),
                    ("decided_label", models.CharField(blank=True, max_length=120)),
                    ("decided_at", models.DateTimeField(null=True)),
                    (
                        "unit",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT, related_name="+", to="directory.unit"
                        ),
                    ),
                ],
                options={
                    "verbose_name": "印章",
                    "constraints": [
                        models.UniqueConstraint(
                            condition=models.Q(("state__in", ["active", "ending"])),
                            fields=("unit", "use"),
                            name="seal_one_in_use",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("valid_to", None), ("valid_to__gt", models.F("valid_from")), _connector="OR"
                            ),
                            name="seal_not_empty",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="Paper",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("sealed_key", liangzhu.kernel.sealing.SealedKeyField(default=b"", max_length=64)),
                    (
                        "ident",
                        models.CharField(
                            help_text="26 characters, 130 random bits", max_length=26, unique=True
                        ),
                    ),
                    ("check_code", liangzhu.kernel.sealing.SealedTextField(max_length=12)),
                    (
                        "matter",
                        models.CharField(
                            blank=True, help_text="the case that it came from, a Ref", max_length=80
                        ),
                    ),
                    ("statement", liangzhu.kernel.sealing.SealedTextField(grade=3)),
                    ("shown", liangzhu.kernel.sealing.SealedTextField()),
                    ("key", models.CharField(help_text="id of the key that signed", max_length=60)),
                    ("signature", models.CharField(help_text="hex SM2, r and s", max_length=128)),
                    ("digest", models.CharField(help_text="hex SM3 of the statement", max_length=64)),
                    ("issued_at", models.DateTimeField()),
                    ("issued_on", models.DateField()),
                    (
                        "file_print",
                        models.CharField(
                            blank=True, help_text="hex SM3 of the PDF, once it was drawn", max_length=64
                        ),
                    ),
                    ("template", models.CharField(max_length=24, verbose_name="文种")),
                    ("title", models.CharField(max_length=60)),
                    ("number", models.CharField(max_length=80, unique=True, verbose_name="文号")),
                    (
                        "attachment",
                        models.ForeignKey(
                            help_text="the PDF, once drawn",
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="files.attachment",
                        ),
                    ),
                    (
                        "leaf",
                        models.ForeignKey(
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="kernel.logleaf",
                        ),
                    ),
                    (
                        "unit",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT, related_name="+", to="directory.unit"
                        ),
                    ),
                    (
                        "seal",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="certificates.seal",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "文书",
                    "indexes": [
                        models.Index(fields=["matter", "id"], name="certificate_matter_b90a71_idx"),
                        models.Index(
                            condition=models.Q(("attachment", None)), fields=["id"], name="paper_to_draw"
                        ),
                    ],
                },
            ),
        ),
        migrations.AddField(
            model_name="certificate",
            name="seal",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="certificates.seal"
            ),
        ),
        migrations.CreateModel(
            name="Share",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "token",
                    models.CharField(
                        help_text="hex SM3 of what stands in the address", max_length=64, unique=True
                    ),
                ),
                ("code", models.CharField(help_text="keyed digest of the typed form", max_length=16)),
                ("fields", models.CharField(help_text="keys, blanks between", max_length=400)),
                ("shared_by", models.CharField(max_length=80)),
                ("shared_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(help_text="UTC, the machine's clock")),
                ("used_at", models.DateTimeField(null=True)),
                ("used_by", models.CharField(blank=True, max_length=80)),
                (
                    "verifier",
                    liangzhu.kernel.sealing.SealedTextField(
                        blank=True, max_length=60, owner="certificate", verbose_name="核验人"
                    ),
                ),
                (
                    "certificate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="shares",
                        to="certificates.certificate",
                    ),
                ),
            ],
            options={
                "verbose_name": "出示",
                "indexes": [
                    models.Index(fields=["code"], name="certificate_code_d325fd_idx"),
                    models.Index(fields=["certificate", "-id"], name="certificate_certifi_e20ada_idx"),
                ],
            },
        ),
    ]
