import datetime
import django.db.models.deletion
import liangzhu.kernel.sealing
from django.db import migrations, models
from liangzhu.kernel.migrating import CreateModels


class Migration(migrations.Migration):
    replaces = [
        ("matters", "0002_sight"),
        ("matters", "0003_timers_links_pins"),
        ("matters", "0004_own_inbox"),
        ("matters", "0005_desk"),
        ("matters", "0007_applicant"),
        ("matters", "0008_timers_tried"),
        ("matters", "0009_applicant_closed"),
    ]

    dependencies = [
        ("directory", "0002_seal"),
        ("matters", "0002_seal"),
    ]

    operations = [
        CreateModels(
            migrations.CreateModel(
                name="Desk",
                fields=[
                    (
                        "post",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.PROTECT,
                            primary_key=True,
                            related_name="+",
                            serialize=False,
                            to="directory.post",
                        ),
                    ),
                    ("quiet", models.BooleanField(default=False, verbose_name="只在工作时间提醒")),
                    ("token", models.CharField(blank=True, max_length=64)),
                    ("token_at", models.DateTimeField(null=True)),
                ],
                options={
                    "verbose_name": "工作台设置",
                    "constraints": [
                        models.UniqueConstraint(
                            condition=models.Q(("token", ""), _negated=True),
                            fields=("token",),
                            name="desk_token_once",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="Link",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "kind",
                        models.CharField(choices=[("needs", "前置"), ("merged", "并入")], max_length=10),
                    ),
                    (
                        "matter",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="links",
                            to="matters.matter",
                        ),
                    ),
                    (
                        "to",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="linked",
                            to="matters.matter",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "事项关联",
                    "constraints": [
                        models.UniqueConstraint(fields=("matter", "to", "kind"), name="link_once"),
                        models.CheckConstraint(
                            condition=models.Q(("matter", models.F("to")), _negated=True),
                            name="link_not_to_itself",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="NoticeRule",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("level", models.CharField(max_length=10)),
                    ("kind", models.CharField(blank=True, max_length=40)),
                    (
                        "way",
                        models.CharField(
                            choices=[("now", "随时"), ("digest", "每日汇总"), ("none", "不提醒")],
                            max_length=10,
                        ),
                    ),
                    (
                        "post",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="directory.post",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "提醒方式",
                    "constraints": [
                        models.UniqueConstraint(fields=("post", "level", "kind"), name="notice_rule_once")
                    ],
                },
            ),
            migrations.CreateModel(
                name="Pin",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("kind", models.CharField(max_length=10)),
                    ("name", models.CharField(max_length=80)),
                    ("mark", models.CharField(max_length=64)),
                    (
                        "release",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="kernel.release",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "版本依赖",
                    "constraints": [
                        models.UniqueConstraint(fields=("release", "kind", "name"), name="pin_once")
                    ],
                },
            ),
            migrations.CreateModel(
                name="Sight",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("kind", models.CharField(max_length=40)),
                    (
                        "due_at",
                        models.DateTimeField(
                            default=datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
                        ),
                    ),
                    ("closed_at", models.DateTimeField(null=True)),
                    ("helping", models.BooleanField(default=False)),
                    (
                        "matter",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="sights",
                            to="matters.matter",
                        ),
                    ),
                    (
                        "unit",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="directory.unit",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "可见单位",
                    "indexes": [
                        models.Index(
                            condition=models.Q(("closed_at", None)),
                            fields=["unit", "due_at", "matter", "kind"],
                            name="sight_open",
                        ),
                        models.Index(
                            condition=models.Q(("closed_at", None), ("helping", True)),
                            fields=["unit", "due_at", "matter"],
                            name="sight_helping",
                        ),
                        models.Index(
                            condition=models.Q(("closed_at__isnull", False)),
                            fields=["unit", "-closed_at", "-matter"],
                            name="sight_closed",
                        ),
                    ],
                    "constraints": [models.UniqueConstraint(fields=("matter", "unit"), name="sight_once")],
                },
            ),
            migrations.CreateModel(
                name="Timer",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("name", models.CharField(max_length=40)),
                    ("at", models.DateTimeField(null=True)),
                    ("fired_at", models.DateTimeField(null=True)),
                    ("attempts", models.PositiveSmallIntegerField(default=0)),
                    (
                        "counts_from",
                        models.DateTimeField(
                            help_text="without a clock: the instant the matter came into the state", null=True
                        ),
                    ),
                    ("dead_at", models.DateTimeField(null=True)),
                    (
                        "error",
                        liangzhu.kernel.sealing.SealedTextField(
                            blank=True, help_text="trace of the last try that failed", owner="matter"
                        ),
                    ),
                    (
                        "provisional",
                        models.BooleanField(
                            default=False,
                            help_text="without a clock: the instant lies beyond the published holidays",
                        ),
                    ),
                    ("try_at", models.DateTimeField(null=True)),
                    (
                        "words",
                        liangzhu.kernel.sealing.SealedTextField(
                            blank=True,
                            help_text="why the last try failed, in words",
                            max_length=300,
                            owner="matter",
                        ),
                    ),
                    (
                        "clock",
                        models.ForeignKey(
                            db_index=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="matters.clock",
                        ),
                    ),
                    (
                        "matter",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="timers",
                            to="matters.matter",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "定时",
                    "indexes": [
                        models.Index(
                            condition=models.Q(("fired_at", None)), fields=["at"], name="timer_owed"
                        ),
                        models.Index(
                            condition=models.Q(("attempts__gt", 0), ("fired_at", None)),
                            fields=["id"],
                            name="timer_trouble",
                        ),
                    ],
                    "constraints": [
                        models.UniqueConstraint(
                            condition=models.Q(("fired_at", None)),
                            fields=("matter", "name"),
                            name="timer_owed_once",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="View",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("name", models.CharField(max_length=20, verbose_name="名称")),
                    ("shared", models.BooleanField(default=False, verbose_name="本单位共用")),
                    ("scope", models.CharField(default="mine", max_length=10)),
                    ("closed", models.BooleanField(default=False)),
                    ("kind", models.CharField(blank=True, max_length=40)),
                    ("state", models.CharField(blank=True, max_length=40)),
                    ("light", models.CharField(blank=True, max_length=10)),
                    (
                        "urgency",
                        models.PositiveSmallIntegerField(
                            choices=[(0, "平件"), (1, "急件"), (2, "特急")], null=True
                        ),
                    ),
                    ("opened_from", models.DateField(null=True)),
                    ("opened_to", models.DateField(null=True)),
                    ("applicant", models.CharField(blank=True, help_text="Ref kind:id", max_length=80)),
                    ("text", liangzhu.kernel.sealing.SealedTextField(blank=True, max_length=100, owner="")),
                    (
                        "newest",
                        models.BooleanField(
                            default=False, help_text="newest first, instead of what ends first"
                        ),
                    ),
                    (
                        "columns",
                        models.CharField(
                            blank=True,
                            help_text="names separated by commas; empty: the usual ones",
                            max_length=80,
                        ),
                    ),
                    (
                        "held_by",
                        models.ForeignKey(
                            db_index=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="directory.unit",
                        ),
                    ),
                    (
                        "post",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="directory.post",
                        ),
                    ),
                    (
                        "unit",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="directory.unit",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "视图",
                    "indexes": [
                        models.Index(
                            condition=models.Q(("shared", True)), fields=["unit"], name="view_shared"
                        )
                    ],
                    "constraints": [models.UniqueConstraint(fields=("post", "name"), name="view_name_once")],
                },
            ),
        ),
        migrations.RemoveIndex(
            model_name="matter",
            name="matter_own_inbox",
        ),
        migrations.RemoveIndex(
            model_name="matter",
            name="matter_unit_closed",
        ),
        migrations.RemoveIndex(
            model_name="matter",
            name="matter_kind_closed",
        ),
        migrations.AddField(
            model_name="notice",
            name="shown_from",
            field=models.DateTimeField(
                help_text="held back until then: a daily digest, or quiet hours", null=True
            ),
        ),
        migrations.AlterField(
            model_name="clock",
            name="unit",
            field=models.CharField(
                choices=[
                    ("workday", "工作日"),
                    ("day", "日"),
                    ("workhour", "工作时"),
                    ("hour", "小时"),
                    ("date", "指定日期"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                condition=models.Q(("person_id__isnull", False)),
                fields=["person_id", "-id"],
                name="entry_person",
            ),
        ),
        migrations.AddIndex(
            model_name="matter",
            index=models.Index(
                condition=models.Q(("closed_at", None), ("assignee", None)),
                fields=["holding_unit", "state", "due_at", "id"],
                name="matter_unit_free",
            ),
        ),
        migrations.AddIndex(
            model_name="matter",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", False)),
                fields=["holding_unit", "-closed_at", "-id"],
                name="matter_unit_closed",
            ),
        ),
        migrations.AddIndex(
            model_name="matter",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", False)),
                fields=["kind", "-closed_at", "-id"],
                name="matter_kind_closed",
            ),
        ),
        migrations.AddIndex(
            model_name="matter",
            index=models.Index(
                condition=models.Q(("closed_at", None), ("assignee__isnull", False)),
                fields=["assignee", "due_at", "id"],
                name="matter_own_inbox",
            ),
        ),
        migrations.AddIndex(
            model_name="matter",
            index=models.Index(
                condition=models.Q(("closed_at", None)),
                fields=["holding_unit", "-id"],
                name="matter_unit_new",
            ),
        ),
        migrations.AddIndex(
            model_name="matter",
            index=models.Index(
                condition=models.Q(("closed_at", None)), fields=["applicant"], name="matter_applicant_open"
            ),
        ),
        migrations.AddIndex(
            model_name="matter",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", False)),
                fields=["applicant", "-id"],
                name="matter_applicant_closed",
            ),
        ),
        migrations.AddField(
            model_name="desk",
            name="default_view",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="matters.view",
            ),
        ),
    ]
