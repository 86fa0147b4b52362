import django.db.models.deletion
import liangzhu.kernel.sealing
from django.db import migrations, models
from liangzhu.kernel.migrating import CreateModels


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("kernel", "0003_seal"),
        ("matters", "0003_engine"),
        ("registers", "0001_initial"),
    ]

    operations = [
        CreateModels(
            migrations.CreateModel(
                name="Read",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("thing", models.CharField(max_length=80)),
                    ("at", models.DateTimeField(verbose_name="时间")),
                    (
                        "reader",
                        models.CharField(
                            choices=[
                                ("own", "本人"),
                                ("staff", "工作人员"),
                                ("system", "系统自动"),
                                ("other", "他人"),
                            ],
                            max_length=8,
                            verbose_name="谁",
                        ),
                    ),
                    (
                        "operator",
                        models.CharField(help_text="printed Ref of the account or program", max_length=80),
                    ),
                    (
                        "unit",
                        models.BigIntegerField(
                            help_text="id of the unit that the reader stood for", null=True
                        ),
                    ),
                    (
                        "unit_name",
                        models.CharField(
                            blank=True, help_text="the unit as it was called then", max_length=120
                        ),
                    ),
                    (
                        "channel",
                        models.CharField(
                            choices=[
                                ("unmask", "查看完整信息"),
                                ("pull", "向来源读取"),
                                ("code", "扫服务码"),
                                ("share", "出示证照"),
                                ("login", "登录应用"),
                                ("form", "查看填报内容"),
                                ("export", "导出"),
                            ],
                            max_length=8,
                            verbose_name="方式",
                        ),
                    ),
                    ("fields", models.CharField(max_length=1000)),
                    ("titles", models.CharField(max_length=1000, verbose_name="内容")),
                    ("case", models.CharField(blank=True, max_length=80, verbose_name="事项")),
                    ("ground", models.CharField(blank=True, max_length=200, verbose_name="依据")),
                    (
                        "reason",
                        liangzhu.kernel.sealing.SealedTextField(
                            blank=True, max_length=200, owner="person", verbose_name="原因"
                        ),
                    ),
                    (
                        "outcome",
                        models.CharField(
                            choices=[
                                ("done", "已读取"),
                                ("refused", "被拒绝，没有读到"),
                                ("nothing", "来源没有这项记录"),
                                ("down", "来源没有答复，没有读到"),
                                ("wrong", "来源的答复不合要求，没有采用"),
                                ("paused", "来源暂停服务，没有去读"),
                            ],
                            default="done",
                            max_length=8,
                            verbose_name="结果",
                        ),
                    ),
                    (
                        "organisation",
                        models.ForeignKey(
                            db_index=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="registers.organisation",
                        ),
                    ),
                    (
                        "person",
                        models.ForeignKey(
                            db_index=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="registers.naturalperson",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "查阅记录",
                    "indexes": [
                        models.Index(fields=["person", "-id"], name="read_person"),
                        models.Index(fields=["organisation", "-id"], name="read_organisation"),
                        models.Index(
                            condition=models.Q(("organisation", None), ("person", None)),
                            fields=["thing"],
                            name="read_of_nobody",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="Question",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "text",
                        liangzhu.kernel.sealing.SealedTextField(
                            max_length=500, owner="matter", verbose_name="疑问"
                        ),
                    ),
                    (
                        "answer",
                        liangzhu.kernel.sealing.SealedTextField(
                            blank=True, owner="matter", verbose_name="答复"
                        ),
                    ),
                    (
                        "matter",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="question",
                            to="matters.matter",
                        ),
                    ),
                    (
                        "read",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="question",
                            to="sources.read",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "查阅疑问",
                },
            ),
            migrations.CreateModel(
                name="Pull",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("receipt", models.CharField(max_length=24, unique=True)),
                    ("source", models.CharField(max_length=80, verbose_name="来源")),
                    ("case", models.CharField(max_length=80, verbose_name="事项")),
                    (
                        "outcome",
                        models.CharField(
                            choices=[
                                ("done", "已读取"),
                                ("refused", "被拒绝，没有读到"),
                                ("nothing", "来源没有这项记录"),
                                ("down", "来源没有答复，没有读到"),
                                ("wrong", "来源的答复不合要求，没有采用"),
                                ("paused", "来源暂停服务，没有去读"),
                            ],
                            max_length=8,
                            verbose_name="结果",
                        ),
                    ),
                    (
                        "consent",
                        models.BigIntegerField(help_text="id of the consent that it rests on", null=True),
                    ),
                    ("at", models.DateTimeField(verbose_name="时间")),
                    ("milliseconds", models.PositiveIntegerField(verbose_name="用时（毫秒）")),
                    ("statement", liangzhu.kernel.sealing.SealedTextField(owner="read.person")),
                    ("key_id", models.CharField(max_length=40)),
                    ("signature", models.CharField(max_length=128)),
                    (
                        "leaf",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="kernel.logleaf",
                        ),
                    ),
                    (
                        "read",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="pull",
                            to="sources.read",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "取数",
                    "indexes": [
                        models.Index(fields=["source", "-id"], name="pull_source"),
                        models.Index(fields=["case", "-id"], name="pull_case"),
                        models.Index(fields=["-at"], name="pull_at"),
                    ],
                },
            ),
            migrations.CreateModel(
                name="StaffCheck",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("sealed_key", liangzhu.kernel.sealing.SealedKeyField(default=b"", max_length=64)),
                    ("case", models.CharField(max_length=80, verbose_name="事项")),
                    (
                        "material",
                        models.CharField(help_text="key of the material in the case", max_length=80),
                    ),
                    ("title", models.CharField(max_length=200, verbose_name="材料")),
                    ("source", models.CharField(blank=True, max_length=80, verbose_name="来源")),
                    (
                        "why",
                        models.CharField(
                            choices=[
                                ("done", "已读取"),
                                ("refused", "被拒绝，没有读到"),
                                ("nothing", "来源没有这项记录"),
                                ("down", "来源没有答复，没有读到"),
                                ("wrong", "来源的答复不合要求，没有采用"),
                                ("paused", "来源暂停服务，没有去读"),
                                ("none", "没有可以读取的来源"),
                            ],
                            max_length=8,
                            verbose_name="没有取到的原因",
                        ),
                    ),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("open", "由工作人员核验"),
                                ("good", "已核验，属实"),
                                ("bad", "已核验，不符"),
                            ],
                            default="open",
                            max_length=8,
                            verbose_name="状态",
                        ),
                    ),
                    ("opened_at", models.DateTimeField(verbose_name="登记时间")),
                    (
                        "note",
                        liangzhu.kernel.sealing.SealedTextField(
                            blank=True, max_length=400, verbose_name="核验情况"
                        ),
                    ),
                    ("settled_by", models.CharField(blank=True, max_length=80)),
                    ("settled_label", models.CharField(blank=True, max_length=120)),
                    ("settled_at", models.DateTimeField(null=True, verbose_name="核验时间")),
                ],
                options={
                    "verbose_name": "工作人员核验",
                    "indexes": [
                        models.Index(
                            condition=models.Q(("state", "open")), fields=["-id"], name="staff_check_open"
                        )
                    ],
                    "constraints": [
                        models.UniqueConstraint(fields=("case", "material"), name="staff_check_once")
                    ],
                },
            ),
            migrations.CreateModel(
                name="Kept",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("sealed_key", liangzhu.kernel.sealing.SealedKeyField(default=b"", max_length=64)),
                    ("case", models.CharField(max_length=80)),
                    ("subject", models.CharField(help_text="printed Ref of whose values", max_length=80)),
                    ("content", liangzhu.kernel.sealing.SealedTextField(grade=3, verbose_name="取到的内容")),
                    ("until", models.DateTimeField(help_text="none: as long as the case is kept", null=True)),
                    (
                        "pull",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="kept",
                            to="sources.pull",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "取到的内容",
                    "indexes": [
                        models.Index(fields=["case"], name="kept_case"),
                        models.Index(fields=["subject"], name="kept_subject"),
                        models.Index(
                            condition=models.Q(("sealed_key", b""), _negated=True),
                            fields=["until"],
                            name="kept_until",
                        ),
                    ],
                },
            ),
        ),
    ]
