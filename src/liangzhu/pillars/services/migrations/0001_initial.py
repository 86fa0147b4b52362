import django.db.models.deletion
import liangzhu.kernel.masking
import liangzhu.kernel.sealing
from django.db import migrations, models
from liangzhu.kernel.migrating import CreateModels


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("directory", "0002_seal"),
        ("kernel", "0003_seal"),
        ("matters", "0003_engine"),
        ("registers", "0001_initial"),
    ]

    operations = [
        CreateModels(
            migrations.CreateModel(
                name="Batch",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("title", models.CharField(max_length=200, verbose_name="来源")),
                    ("fingerprint", models.CharField(max_length=64)),
                    ("at", models.DateTimeField()),
                    ("by", models.CharField(max_length=80)),
                    ("by_label", models.CharField(max_length=120)),
                    ("taken", models.PositiveIntegerField(default=0, verbose_name="收入")),
                    ("unchanged", models.PositiveIntegerField(default=0, verbose_name="没有变化")),
                    ("refused", models.PositiveIntegerField(default=0, verbose_name="未收入")),
                ],
                options={
                    "verbose_name": "导入批次",
                },
            ),
            migrations.CreateModel(
                name="Application",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("sealed_key", liangzhu.kernel.sealing.SealedKeyField(default=b"", max_length=64)),
                    ("bundle", models.CharField(db_index=True, max_length=80, verbose_name="一件事或事项")),
                    ("title", models.CharField(max_length=120, verbose_name="名称")),
                    (
                        "applicant",
                        models.CharField(
                            db_index=True, help_text="Ref of a person or an organisation", max_length=80
                        ),
                    ),
                    (
                        "begun_by",
                        models.CharField(help_text="Ref of the resident or member of staff", max_length=80),
                    ),
                    (
                        "mandate_id",
                        models.BigIntegerField(
                            help_text="registers.Mandate under which it was done", null=True
                        ),
                    ),
                    (
                        "channel",
                        models.CharField(
                            choices=[("online", "网上"), ("counter", "窗口")],
                            default="online",
                            max_length=10,
                            verbose_name="渠道",
                        ),
                    ),
                    (
                        "route",
                        liangzhu.kernel.sealing.SealedTextField(
                            help_text="canonical JSON of the decision", verbose_name="情形"
                        ),
                    ),
                    ("snapshot_id", models.BigIntegerField(help_text="forms.Snapshot", null=True)),
                    (
                        "delivery",
                        models.CharField(
                            choices=[("electronic", "电子送达"), ("window", "窗口领取"), ("post", "邮寄")],
                            default="electronic",
                            max_length=12,
                            verbose_name="送达方式",
                        ),
                    ),
                    (
                        "address",
                        liangzhu.kernel.sealing.SealedTextField(
                            blank=True,
                            grade=3,
                            mask=liangzhu.kernel.masking.address,
                            max_length=200,
                            verbose_name="邮寄地址",
                        ),
                    ),
                    (
                        "password",
                        liangzhu.kernel.sealing.SealedTextField(
                            blank=True, max_length=12, verbose_name="查询密码"
                        ),
                    ),
                    ("begun_at", models.DateTimeField()),
                    ("submitted_at", models.DateTimeField(null=True)),
                    ("version", models.PositiveIntegerField(default=1)),
                    (
                        "matter",
                        models.OneToOneField(
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="services_application",
                            to="matters.matter",
                        ),
                    ),
                    (
                        "release",
                        models.ForeignKey(
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="kernel.release",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "申办",
                    "indexes": [models.Index(fields=["applicant", "-id"], name="services_app_applicant")],
                },
            ),
            migrations.CreateModel(
                name="Case",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("part", models.CharField(help_text="name of the part in the bundle", max_length=40)),
                    ("item", models.CharField(db_index=True, max_length=80, verbose_name="事项")),
                    ("item_version", models.BigIntegerField(null=True)),
                    ("name", models.CharField(max_length=200, verbose_name="事项名称")),
                    (
                        "code",
                        models.CharField(max_length=60, null=True, unique=True, verbose_name="办件编码"),
                    ),
                    ("unit_id", models.BigIntegerField(db_index=True, verbose_name="实施主体")),
                    ("basis", models.CharField(blank=True, max_length=500, verbose_name="办理这一件的依据")),
                    ("kind", models.CharField(help_text="kind of matter", max_length=40)),
                    ("legal_amount", models.PositiveSmallIntegerField(null=True, verbose_name="法定时限")),
                    ("legal_unit", models.CharField(blank=True, max_length=10)),
                    ("promised_amount", models.PositiveSmallIntegerField(null=True, verbose_name="承诺时限")),
                    ("promised_unit", models.CharField(blank=True, max_length=10)),
                    ("immediate", models.BooleanField(default=False, verbose_name="即办件")),
                    ("needs_check", models.BooleanField(default=False, verbose_name="要现场核查")),
                    ("result", models.CharField(blank=True, max_length=100, verbose_name="结果名称")),
                    ("certificate_type", models.CharField(blank=True, max_length=40)),
                    (
                        "outcome",
                        models.CharField(
                            blank=True,
                            choices=[("granted", "准予"), ("refused", "不予")],
                            max_length=10,
                            verbose_name="决定",
                        ),
                    ),
                    ("decided_at", models.DateTimeField(null=True)),
                    (
                        "certificate",
                        models.CharField(blank=True, help_text="Ref of the certificate", max_length=80),
                    ),
                    (
                        "application",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="cases",
                            to="services.application",
                        ),
                    ),
                    (
                        "matter",
                        models.OneToOneField(
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="services_case",
                            to="matters.matter",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "办件",
                    "constraints": [
                        models.UniqueConstraint(fields=("application", "part"), name="services_case_once")
                    ],
                },
            ),
            migrations.CreateModel(
                name="EnterpriseFact",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("fact", models.CharField(max_length=40)),
                    (
                        "value",
                        liangzhu.kernel.sealing.SealedTextField(
                            help_text="JSON", owner="", verbose_name="值"
                        ),
                    ),
                    (
                        "origin",
                        models.CharField(
                            choices=[("register", "登记信息"), ("source", "政府数据"), ("self", "自行填报")],
                            max_length=8,
                        ),
                    ),
                    ("source", models.CharField(blank=True, max_length=80)),
                    ("source_title", models.CharField(blank=True, max_length=120)),
                    ("receipt", models.CharField(blank=True, max_length=80)),
                    ("said_by", models.CharField(max_length=80)),
                    ("at", models.DateTimeField()),
                    ("until", models.DateTimeField()),
                    (
                        "organisation",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="+",
                            to="registers.organisation",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "企业信息",
                    "indexes": [
                        models.Index(fields=["organisation", "until"], name="services_en_organis_01e165_idx")
                    ],
                },
            ),
            migrations.CreateModel(
                name="HallDay",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("hall", models.CharField(max_length=40)),
                    ("day", models.DateField()),
                ],
                options={
                    "verbose_name": "大厅的一天",
                    "constraints": [models.UniqueConstraint(fields=("hall", "day"), name="hall_day_once")],
                },
            ),
            migrations.CreateModel(
                name="Appointment",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("business", models.CharField(max_length=40, verbose_name="业务")),
                    ("starts_at", models.DateTimeField(verbose_name="时段")),
                    ("number", models.CharField(max_length=6, verbose_name="预约号")),
                    (
                        "holder",
                        models.CharField(
                            help_text="printed Ref of the person or organisation it is for",
                            max_length=80,
                            verbose_name="为谁",
                        ),
                    ),
                    ("mandate", models.BigIntegerField(null=True)),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("booked", "已预约"),
                                ("arrived", "已报到"),
                                ("cancelled", "已取消"),
                                ("missed", "没有来"),
                            ],
                            default="booked",
                            max_length=10,
                            verbose_name="状态",
                        ),
                    ),
                    ("booked_at", models.DateTimeField()),
                    ("reminded_at", models.DateTimeField(null=True)),
                    (
                        "person",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="registers.naturalperson",
                        ),
                    ),
                    (
                        "day",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="appointments",
                            to="services.hallday",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "预约",
                    "indexes": [
                        models.Index(fields=["person", "-starts_at"], name="appointment_person"),
                        models.Index(fields=["holder", "-starts_at"], name="appointment_holder"),
                        models.Index(fields=["day", "business", "starts_at"], name="appointment_slot"),
                        models.Index(
                            condition=models.Q(("state", "booked")),
                            fields=["starts_at"],
                            name="appointment_open",
                        ),
                    ],
                    "constraints": [
                        models.UniqueConstraint(fields=("day", "number"), name="appointment_number_once")
                    ],
                },
            ),
            migrations.CreateModel(
                name="Incentive",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("created_at", models.DateTimeField()),
                    (
                        "unit",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            to="directory.unit",
                            verbose_name="兑现单位",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "惠企政策",
                },
            ),
            migrations.CreateModel(
                name="IncentiveVersion",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("number", models.PositiveIntegerField(verbose_name="版本")),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("draft", "草稿"),
                                ("review", "待审核"),
                                ("published", "已发布"),
                                ("ended", "已终止"),
                                ("refused", "未通过"),
                            ],
                            default="draft",
                            max_length=10,
                            verbose_name="状态",
                        ),
                    ),
                    ("name", models.CharField(max_length=120, verbose_name="名称")),
                    ("summary", models.CharField(blank=True, max_length=200, verbose_name="一句话说明")),
                    (
                        "tags",
                        models.CharField(
                            blank=True, help_text="blanks between", max_length=200, verbose_name="标签"
                        ),
                    ),
                    (
                        "form",
                        models.CharField(
                            choices=[
                                ("subsidy", "补贴补助"),
                                ("award", "奖励"),
                                ("relief", "税费减免"),
                                ("interest", "贷款贴息"),
                                ("other", "其他支持"),
                            ],
                            default="subsidy",
                            max_length=10,
                            verbose_name="支持方式",
                        ),
                    ),
                    (
                        "amount",
                        models.DecimalField(
                            blank=True,
                            decimal_places=2,
                            max_digits=14,
                            null=True,
                            verbose_name="每户金额（元）",
                        ),
                    ),
                    ("benefit", models.TextField(max_length=2000, verbose_name="支持内容")),
                    (
                        "period",
                        models.CharField(
                            choices=[("once", "只享受一次"), ("yearly", "每年一次")],
                            default="once",
                            max_length=8,
                            verbose_name="享受次数",
                        ),
                    ),
                    (
                        "budget",
                        models.DecimalField(
                            blank=True,
                            decimal_places=2,
                            max_digits=16,
                            null=True,
                            verbose_name="每期预算（元）",
                        ),
                    ),
                    ("direct", models.BooleanField(default=False, verbose_name="免申即享")),
                    ("starts_on", models.DateField(verbose_name="施行日期")),
                    ("ends_on", models.DateField(blank=True, null=True, verbose_name="有效期至")),
                    ("window_from", models.DateField(blank=True, null=True, verbose_name="申报开始")),
                    ("window_to", models.DateField(blank=True, null=True, verbose_name="申报截止")),
                    ("materials", models.TextField(blank=True, max_length=2000, verbose_name="申报材料")),
                    ("how", models.TextField(blank=True, max_length=2000, verbose_name="怎样申报")),
                    ("url", models.URLField(blank=True, max_length=500, verbose_name="网办地址")),
                    ("contact", models.CharField(max_length=200, verbose_name="咨询方式")),
                    ("revision", models.PositiveIntegerField(default=1)),
                    ("drafted_by", models.CharField(max_length=80)),
                    ("drafted_label", models.CharField(max_length=120)),
                    ("drafted_at", models.DateTimeField()),
                    ("decided_by", models.CharField(blank=True, max_length=80)),
                    ("decided_label", models.CharField(blank=True, max_length=120)),
                    ("decided_at", models.DateTimeField(null=True)),
                    ("decision_note", models.CharField(blank=True, max_length=400, verbose_name="审核意见")),
                    (
                        "incentive",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="versions",
                            to="services.incentive",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "惠企政策版本",
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("incentive", "number"), name="incentive_version_number"
                        ),
                        models.UniqueConstraint(
                            condition=models.Q(("state", "published")),
                            fields=("incentive",),
                            name="incentive_published_once",
                        ),
                        models.UniqueConstraint(
                            condition=models.Q(("state__in", ["draft", "review"])),
                            fields=("incentive",),
                            name="incentive_open_once",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("ends_on", None), ("ends_on__gte", models.F("starts_on")), _connector="OR"
                            ),
                            name="incentive_not_empty",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="IncentiveMatch",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("proven", models.BooleanField(verbose_name="政府数据证实")),
                    ("since", models.DateTimeField()),
                    ("ended_at", models.DateTimeField(null=True)),
                    ("told_at", models.DateTimeField(null=True)),
                    (
                        "applied",
                        models.CharField(blank=True, help_text="printed Ref of the case", max_length=80),
                    ),
                    ("applied_at", models.DateTimeField(null=True)),
                    (
                        "incentive",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="matches",
                            to="services.incentive",
                        ),
                    ),
                    (
                        "organisation",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="+",
                            to="registers.organisation",
                        ),
                    ),
                    (
                        "version",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="services.incentiveversion",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "政策匹配",
                    "indexes": [
                        models.Index(
                            fields=["organisation", "ended_at"], name="services_in_organis_72da96_idx"
                        )
                    ],
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("incentive", "organisation"), name="incentive_match_once"
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="IncentiveCriterion",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("place", models.PositiveIntegerField(default=0)),
                    ("wording", models.TextField(max_length=1000, verbose_name="文件原文")),
                    ("article", models.CharField(blank=True, max_length=60, verbose_name="条款")),
                    ("fact", models.CharField(blank=True, max_length=40, verbose_name="企业信息")),
                    ("op", models.CharField(blank=True, max_length=10, verbose_name="比较")),
                    (
                        "values",
                        models.CharField(
                            blank=True, help_text="blanks between", max_length=400, verbose_name="值"
                        ),
                    ),
                    ("group", models.CharField(blank=True, max_length=20, verbose_name="组")),
                    (
                        "version",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="criteria",
                            to="services.incentiveversion",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "条件",
                    "ordering": ["place", "id"],
                },
            ),
            migrations.CreateModel(
                name="Item",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("key", models.CharField(max_length=40, unique=True)),
                    ("created_at", models.DateTimeField()),
                    (
                        "unit",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT, related_name="+", to="directory.unit"
                        ),
                    ),
                ],
                options={
                    "verbose_name": "政务服务事项",
                },
            ),
            migrations.CreateModel(
                name="Exemption",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "material",
                        models.CharField(help_text="key of the material", max_length=60, verbose_name="材料"),
                    ),
                    ("material_name", models.CharField(max_length=200, verbose_name="材料名称")),
                    (
                        "document",
                        models.CharField(
                            help_text="key in documents.toml", max_length=60, verbose_name="政府核发的证件"
                        ),
                    ),
                    ("reason", models.CharField(max_length=300, verbose_name="理由")),
                    (
                        "until",
                        models.DateField(
                            help_text="the first day on which it no longer holds", verbose_name="终止日"
                        ),
                    ),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("proposed", "待签署"),
                                ("signed", "有效"),
                                ("refused", "未同意"),
                                ("ended", "已终止"),
                            ],
                            default="proposed",
                            max_length=10,
                        ),
                    ),
                    ("proposed_by", models.CharField(max_length=80)),
                    ("proposed_label", models.CharField(max_length=120)),
                    ("proposed_at", models.DateTimeField()),
                    ("signed_by", models.CharField(blank=True, max_length=80)),
                    ("signed_label", models.CharField(blank=True, max_length=120)),
                    ("signed_at", models.DateTimeField(null=True)),
                    ("ended_on", models.DateField(null=True)),
                    (
                        "item",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="exemptions",
                            to="services.item",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "豁免",
                    "constraints": [
                        models.UniqueConstraint(
                            condition=models.Q(("state__in", ["proposed", "signed"])),
                            fields=("item", "material"),
                            name="services_exemption_once",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="ItemVersion",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("number", models.PositiveIntegerField(help_text="task_version", verbose_name="版本")),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("draft", "草稿"),
                                ("submitted", "待审核"),
                                ("scheduled", "待生效"),
                                ("in_force", "在用"),
                                ("superseded", "已替代"),
                                ("refused", "未通过"),
                                ("withdrawn", "已撤回"),
                            ],
                            default="draft",
                            max_length=12,
                        ),
                    ),
                    (
                        "in_force_from",
                        models.DateField(help_text="plan_effective_date", null=True, verbose_name="生效日期"),
                    ),
                    (
                        "in_force_to",
                        models.DateField(help_text="plan_cancel_date", null=True, verbose_name="失效日期"),
                    ),
                    ("drafted_by", models.CharField(max_length=80)),
                    ("drafted_at", models.DateTimeField()),
                    ("released_by", models.CharField(blank=True, max_length=80)),
                    ("released_at", models.DateTimeField(null=True)),
                    (
                        "fingerprint",
                        models.CharField(
                            blank=True, help_text="SM3 of the entry it came from", max_length=64
                        ),
                    ),
                    (
                        "locked",
                        models.TextField(
                            blank=True,
                            help_text="names of elements, by spaces",
                            verbose_name="上级锁定的要素",
                        ),
                    ),
                    ("source", models.CharField(blank=True, max_length=300, verbose_name="来源")),
                    ("unconfirmed", models.CharField(blank=True, max_length=300, verbose_name="待确认")),
                    (
                        "name",
                        models.CharField(help_text="task_name", max_length=200, verbose_name="事项名称"),
                    ),
                    (
                        "catalog_code",
                        models.CharField(
                            blank=True, help_text="catalog_code", max_length=12, verbose_name="基本编码"
                        ),
                    ),
                    (
                        "task_code",
                        models.CharField(
                            blank=True, help_text="task_code", max_length=31, verbose_name="实施编码"
                        ),
                    ),
                    (
                        "handle_code",
                        models.CharField(
                            blank=True,
                            help_text="task_handle_item",
                            max_length=33,
                            verbose_name="业务办理项编码",
                        ),
                    ),
                    (
                        "local_code",
                        models.CharField(
                            blank=True,
                            help_text="local_task_code",
                            max_length=100,
                            verbose_name="地方实施编码",
                        ),
                    ),
                    (
                        "task_type",
                        models.CharField(
                            choices=[
                                ("01", "行政许可"),
                                ("02", "行政处罚"),
                                ("03", "行政强制"),
                                ("04", "行政征收"),
                                ("05", "行政给付"),
                                ("06", "行政检查"),
                                ("07", "行政确认"),
                                ("08", "行政奖励"),
                                ("09", "行政裁决"),
                                ("10", "其他行政权力"),
                                ("20", "公共服务"),
                            ],
                            help_text="task_type",
                            max_length=2,
                            verbose_name="事项类型",
                        ),
                    ),
                    (
                        "power_source",
                        models.CharField(
                            blank=True, help_text="power_source", max_length=60, verbose_name="权力来源"
                        ),
                    ),
                    (
                        "level",
                        models.CharField(
                            choices=[
                                ("1", "国家级"),
                                ("2", "省级"),
                                ("3", "市级"),
                                ("4", "县级"),
                                ("5", "镇（乡、街道）级"),
                                ("6", "村（社区）级"),
                            ],
                            default="4",
                            help_text="use_level",
                            max_length=1,
                            verbose_name="行使层级",
                        ),
                    ),
                    (
                        "body_code",
                        models.CharField(
                            blank=True, help_text="dept_code", max_length=18, verbose_name="实施主体编码"
                        ),
                    ),
                    (
                        "body_type",
                        models.CharField(
                            blank=True, help_text="dept_type", max_length=30, verbose_name="实施主体性质"
                        ),
                    ),
                    (
                        "entrusted",
                        models.CharField(
                            blank=True, help_text="entrust_name", max_length=100, verbose_name="委托部门"
                        ),
                    ),
                    (
                        "conditions",
                        models.TextField(blank=True, help_text="accept_condition", verbose_name="受理条件"),
                    ),
                    (
                        "flow",
                        models.TextField(blank=True, help_text="handle_flow", verbose_name="办理流程说明"),
                    ),
                    (
                        "legal_amount",
                        models.PositiveSmallIntegerField(
                            blank=True, help_text="anticipate_day", null=True, verbose_name="法定办结时限"
                        ),
                    ),
                    (
                        "legal_unit",
                        models.CharField(
                            blank=True,
                            choices=[
                                ("workday", "个工作日"),
                                ("day", "日"),
                                ("hour", "小时"),
                                ("month", "个月"),
                                ("spot", "当场"),
                            ],
                            help_text="anticipate_type",
                            max_length=8,
                            verbose_name="法定时限单位",
                        ),
                    ),
                    (
                        "legal_note",
                        models.CharField(
                            blank=True,
                            help_text="anticipate_explain",
                            max_length=300,
                            verbose_name="法定时限说明",
                        ),
                    ),
                    (
                        "promised_amount",
                        models.PositiveSmallIntegerField(
                            blank=True, help_text="promise_day", null=True, verbose_name="承诺办结时限"
                        ),
                    ),
                    (
                        "promised_unit",
                        models.CharField(
                            blank=True,
                            choices=[
                                ("workday", "个工作日"),
                                ("day", "日"),
                                ("hour", "小时"),
                                ("month", "个月"),
                                ("spot", "当场"),
                            ],
                            help_text="promise_type",
                            max_length=8,
                            verbose_name="承诺时限单位",
                        ),
                    ),
                    (
                        "promised_note",
                        models.CharField(
                            blank=True,
                            help_text="promise_explain",
                            max_length=300,
                            verbose_name="承诺时限说明",
                        ),
                    ),
                    (
                        "project_type",
                        models.CharField(
                            choices=[("1", "即办件"), ("2", "承诺件")],
                            default="2",
                            help_text="project_type",
                            max_length=1,
                            verbose_name="办件类型",
                        ),
                    ),
                    (
                        "review",
                        models.CharField(
                            choices=[("spot", "即审即办"), ("after", "前审后批")],
                            default="after",
                            max_length=12,
                            verbose_name="审查类型",
                        ),
                    ),
                    (
                        "special_procedure",
                        models.CharField(
                            blank=True, help_text="special_procedure", max_length=200, verbose_name="特别程序"
                        ),
                    ),
                    (
                        "served",
                        models.CharField(
                            help_text="server_type, by spaces", max_length=90, verbose_name="服务对象"
                        ),
                    ),
                    (
                        "person_topics",
                        models.CharField(
                            blank=True, help_text="user_topic_type", max_length=200, verbose_name="自然人主题"
                        ),
                    ),
                    (
                        "organisation_topics",
                        models.CharField(
                            blank=True, help_text="corp_topic_type", max_length=200, verbose_name="法人主题"
                        ),
                    ),
                    (
                        "ways",
                        models.CharField(
                            blank=True,
                            help_text="handle_type, by spaces",
                            max_length=60,
                            verbose_name="办理形式",
                        ),
                    ),
                    (
                        "visits",
                        models.PositiveSmallIntegerField(
                            blank=True, help_text="limit_scene_num", null=True, verbose_name="到办事现场次数"
                        ),
                    ),
                    (
                        "visits_why",
                        models.CharField(
                            blank=True,
                            help_text="limit_scene_explain",
                            max_length=300,
                            verbose_name="必须现场办理原因",
                        ),
                    ),
                    (
                        "online",
                        models.BooleanField(default=False, help_text="is_online", verbose_name="网上办理"),
                    ),
                    (
                        "depth",
                        models.CharField(
                            blank=True,
                            choices=[
                                ("1", "Ⅰ级（信息公布）"),
                                ("2", "Ⅱ级（表格下载）"),
                                ("3", "Ⅲ级（网上预审、受理）"),
                                ("4", "Ⅳ级（全程网办）"),
                            ],
                            help_text="Ⅰ–Ⅳ, mapped by name",
                            max_length=1,
                            verbose_name="网办等级",
                        ),
                    ),
                    (
                        "online_depths",
                        models.CharField(
                            blank=True,
                            help_text="online_handle_depth, by ^",
                            max_length=30,
                            verbose_name="网上办理深度",
                        ),
                    ),
                    (
                        "online_url",
                        models.CharField(
                            blank=True,
                            help_text="online_handle_url",
                            max_length=300,
                            verbose_name="网上办理地址",
                        ),
                    ),
                    (
                        "mobile_url",
                        models.CharField(
                            blank=True,
                            help_text="mobile_terminal_url",
                            max_length=300,
                            verbose_name="移动端办理地址",
                        ),
                    ),
                    ("mobile", models.BooleanField(default=False, verbose_name="移动端可办")),
                    (
                        "single_login",
                        models.BooleanField(
                            default=False, help_text="is_single_login", verbose_name="单点登录"
                        ),
                    ),
                    (
                        "address",
                        models.TextField(blank=True, help_text="transact_addr", verbose_name="办理地点"),
                    ),
                    (
                        "hours",
                        models.CharField(
                            blank=True, help_text="transact_time", max_length=300, verbose_name="办理时间"
                        ),
                    ),
                    (
                        "contact",
                        models.CharField(
                            blank=True, help_text="link_way", max_length=200, verbose_name="咨询方式"
                        ),
                    ),
                    (
                        "complaints",
                        models.CharField(
                            blank=True, help_text="supervise_way", max_length=200, verbose_name="监督投诉方式"
                        ),
                    ),
                    (
                        "in_centre",
                        models.BooleanField(
                            default=True, help_text="is_entry_center", verbose_name="进驻大厅"
                        ),
                    ),
                    (
                        "area",
                        models.CharField(
                            blank=True, help_text="handle_area", max_length=60, verbose_name="通办范围"
                        ),
                    ),
                    (
                        "joint_units",
                        models.CharField(
                            blank=True, help_text="other_dept", max_length=300, verbose_name="联办机构"
                        ),
                    ),
                    (
                        "intermediary",
                        models.CharField(
                            blank=True, help_text="service_type", max_length=300, verbose_name="中介服务"
                        ),
                    ),
                    (
                        "quota",
                        models.CharField(
                            blank=True, help_text="limit_explain", max_length=300, verbose_name="数量限制"
                        ),
                    ),
                    ("fee", models.BooleanField(default=False, help_text="is_fee", verbose_name="收费")),
                    (
                        "fee_basis",
                        models.CharField(
                            blank=True, help_text="fee_basis", max_length=300, verbose_name="收费依据"
                        ),
                    ),
                    (
                        "pays_online",
                        models.BooleanField(
                            default=False, help_text="is_pay_online", verbose_name="网上支付"
                        ),
                    ),
                    (
                        "appointments",
                        models.BooleanField(default=False, help_text="is_schedule", verbose_name="预约办理"),
                    ),
                    (
                        "express",
                        models.BooleanField(default=False, help_text="is_express", verbose_name="物流快递"),
                    ),
                    (
                        "terminals",
                        models.BooleanField(
                            default=False, help_text="is_service_terminals", verbose_name="自助终端"
                        ),
                    ),
                    (
                        "result_type",
                        models.CharField(
                            blank=True,
                            choices=[
                                ("certificate", "出证办结"),
                                ("document", "出文办结"),
                                ("approval", "审批办结"),
                                ("other", "其他"),
                            ],
                            help_text="result_type",
                            max_length=12,
                            verbose_name="审批结果类型",
                        ),
                    ),
                    (
                        "result",
                        models.CharField(
                            blank=True, help_text="result_name", max_length=100, verbose_name="审批结果名称"
                        ),
                    ),
                    (
                        "result_sample",
                        models.CharField(
                            blank=True, help_text="result_guid", max_length=300, verbose_name="结果样本"
                        ),
                    ),
                    (
                        "case_kind",
                        models.CharField(
                            blank=True,
                            help_text="kind of matter of its cases",
                            max_length=40,
                            verbose_name="办件流程",
                        ),
                    ),
                    (
                        "certificate_type",
                        models.CharField(blank=True, max_length=40, verbose_name="发给的证照"),
                    ),
                    ("site_check", models.BooleanField(default=False, verbose_name="现场核查")),
                    ("form", models.CharField(default="service_item", max_length=80, verbose_name="申请表")),
                    (
                        "window_unit",
                        models.CharField(
                            blank=True, help_text="key of the unit", max_length=40, verbose_name="综合窗口"
                        ),
                    ),
                    (
                        "says",
                        models.TextField(blank=True, help_text="one to a line", verbose_name="群众的说法"),
                    ),
                    (
                        "app_single_login",
                        models.BooleanField(
                            default=False, help_text="app_is_single_login", verbose_name="移动端单点登录"
                        ),
                    ),
                    (
                        "body_name",
                        models.CharField(
                            blank=True, help_text="dept_name", max_length=100, verbose_name="实施主体"
                        ),
                    ),
                    ("change_note", models.CharField(blank=True, max_length=300, verbose_name="修改说明")),
                    ("decision_note", models.CharField(blank=True, max_length=300, verbose_name="审核意见")),
                    ("drafted_label", models.CharField(blank=True, max_length=120)),
                    (
                        "licence_number",
                        models.CharField(
                            blank=True,
                            help_text="license_list_no",
                            max_length=20,
                            verbose_name="许可清单编号",
                        ),
                    ),
                    (
                        "link_url",
                        models.CharField(
                            blank=True, help_text="link_addr", max_length=300, verbose_name="跳转地址"
                        ),
                    ),
                    (
                        "local_catalog_code",
                        models.CharField(
                            blank=True,
                            help_text="local_catalog_code",
                            max_length=100,
                            verbose_name="地方基本编码",
                        ),
                    ),
                    ("released_label", models.CharField(blank=True, max_length=120)),
                    ("revision", models.PositiveIntegerField(default=1)),
                    (
                        "task_state",
                        models.CharField(
                            choices=[("1", "在用"), ("2", "暂停"), ("3", "取消")],
                            default="1",
                            help_text="task_state",
                            max_length=1,
                            verbose_name="事项状态",
                        ),
                    ),
                    (
                        "town_code",
                        models.CharField(
                            blank=True, help_text="town_code", max_length=20, verbose_name="镇街代码"
                        ),
                    ),
                    (
                        "town_name",
                        models.CharField(
                            blank=True, help_text="town_name", max_length=60, verbose_name="镇街名称"
                        ),
                    ),
                    (
                        "village_code",
                        models.CharField(
                            blank=True, help_text="village_code", max_length=20, verbose_name="村居代码"
                        ),
                    ),
                    (
                        "village_name",
                        models.CharField(
                            blank=True, help_text="village_name", max_length=60, verbose_name="村居名称"
                        ),
                    ),
                    (
                        "item",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="versions",
                            to="services.item",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "实施清单版本",
                    "indexes": [models.Index(fields=["state", "task_type"], name="services_item_state")],
                    "constraints": [
                        models.UniqueConstraint(fields=("item", "number"), name="services_item_version_once"),
                        models.UniqueConstraint(
                            condition=models.Q(("state", "in_force")),
                            fields=("item",),
                            name="services_item_one_in_force",
                        ),
                        models.UniqueConstraint(
                            condition=models.Q(("state__in", ["draft", "submitted", "scheduled"])),
                            fields=("item",),
                            name="services_item_one_open",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("in_force_to", None),
                                ("in_force_to__gte", models.F("in_force_from")),
                                _connector="OR",
                            ),
                            name="services_item_days",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="ItemStep",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("place", models.PositiveSmallIntegerField()),
                    ("name", models.CharField(max_length=30, verbose_name="环节")),
                    ("days", models.PositiveSmallIntegerField(default=0, verbose_name="工作日")),
                    ("who", models.CharField(blank=True, max_length=60, verbose_name="办理人")),
                    ("standard", models.CharField(blank=True, max_length=300, verbose_name="审查标准")),
                    (
                        "version",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="steps",
                            to="services.itemversion",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "办理环节",
                    "ordering": ["version", "place"],
                },
            ),
            migrations.CreateModel(
                name="ItemQuestion",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("place", models.PositiveSmallIntegerField()),
                    ("question", models.CharField(max_length=200, verbose_name="问")),
                    ("answer", models.TextField(verbose_name="答")),
                    (
                        "version",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="questions",
                            to="services.itemversion",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "常见问题",
                    "ordering": ["version", "place"],
                },
            ),
            migrations.CreateModel(
                name="ItemMaterial",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("place", models.PositiveSmallIntegerField()),
                    (
                        "key",
                        models.CharField(
                            help_text="the same for the same thing in every item", max_length=60
                        ),
                    ),
                    ("name", models.CharField(max_length=200, verbose_name="材料名称")),
                    (
                        "kind",
                        models.CharField(
                            choices=[
                                ("原件", "原件"),
                                ("复印件", "复印件"),
                                ("原件和复印件", "原件和复印件"),
                            ],
                            default="原件",
                            max_length=20,
                            verbose_name="材料类型",
                        ),
                    ),
                    (
                        "form",
                        models.CharField(
                            choices=[("纸质", "纸质"), ("电子", "电子"), ("纸质或电子", "纸质或电子")],
                            default="电子",
                            max_length=20,
                            verbose_name="材料形式",
                        ),
                    ),
                    (
                        "necessity",
                        models.CharField(
                            choices=[("must", "必要"), ("may", "非必要"), ("later", "容缺后补")],
                            default="must",
                            max_length=8,
                            verbose_name="材料必要性",
                        ),
                    ),
                    (
                        "channel",
                        models.CharField(
                            choices=[("10", "申请人自备"), ("20", "政府部门核发"), ("99", "其他")],
                            default="10",
                            max_length=2,
                            verbose_name="来源渠道",
                        ),
                    ),
                    (
                        "issuer",
                        models.CharField(
                            blank=True, help_text="who issues it", max_length=100, verbose_name="来源渠道说明"
                        ),
                    ),
                    ("copies", models.PositiveSmallIntegerField(default=0, verbose_name="纸质份数")),
                    ("spec", models.CharField(blank=True, max_length=100, verbose_name="规格")),
                    ("notes", models.CharField(blank=True, max_length=300, verbose_name="填报须知")),
                    ("standard", models.CharField(blank=True, max_length=300, verbose_name="受理标准")),
                    ("basis", models.CharField(blank=True, max_length=300, verbose_name="要求提供的依据")),
                    ("blank", models.CharField(blank=True, max_length=300, verbose_name="空白表格")),
                    ("sample", models.CharField(blank=True, max_length=300, verbose_name="示例样表")),
                    (
                        "free",
                        models.CharField(
                            choices=[
                                ("certificate", "电子证照"),
                                ("share", "数据共享"),
                                ("verify", "部门核验"),
                                ("promise", "告知承诺"),
                                ("none", "不免"),
                            ],
                            default="none",
                            max_length=12,
                            verbose_name="免提交方式",
                        ),
                    ),
                    (
                        "source",
                        models.CharField(
                            blank=True,
                            help_text="key in trust.sources",
                            max_length=80,
                            verbose_name="数据来源",
                        ),
                    ),
                    (
                        "certificate_type",
                        models.CharField(blank=True, max_length=40, verbose_name="证照类型"),
                    ),
                    ("local", models.BooleanField(default=False, verbose_name="本地增加")),
                    (
                        "version",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="materials",
                            to="services.itemversion",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "申请材料",
                    "ordering": ["version", "place"],
                    "constraints": [
                        models.UniqueConstraint(fields=("version", "key"), name="services_item_material_once")
                    ],
                },
            ),
            migrations.CreateModel(
                name="ItemFee",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("place", models.PositiveSmallIntegerField()),
                    ("name", models.CharField(max_length=100, verbose_name="收费项目")),
                    ("standard", models.CharField(max_length=200, verbose_name="收费标准")),
                    ("basis", models.CharField(blank=True, max_length=300, verbose_name="收费依据")),
                    ("relief", models.CharField(blank=True, max_length=300, verbose_name="减免情形")),
                    (
                        "version",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="fees",
                            to="services.itemversion",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "收费项目",
                    "ordering": ["version", "place"],
                },
            ),
            migrations.CreateModel(
                name="ItemBasis",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("place", models.PositiveSmallIntegerField()),
                    ("law", models.CharField(max_length=200, verbose_name="依据名称")),
                    ("article", models.CharField(blank=True, max_length=100, verbose_name="条款")),
                    (
                        "version",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="bases",
                            to="services.itemversion",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "设定依据",
                    "ordering": ["version", "place"],
                },
            ),
            migrations.CreateModel(
                name="Material",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("place", models.PositiveSmallIntegerField()),
                    ("key", models.CharField(max_length=80)),
                    ("title", models.CharField(max_length=200, verbose_name="材料")),
                    ("required", models.BooleanField(default=True, verbose_name="必要")),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("wanted", "请您提供"),
                                ("available", "政府已有，同意后获取"),
                                ("given", "您已提供"),
                                ("held", "政府已有，不用您提交"),
                                ("made", "由同批事项产生，不用您提交"),
                                ("to_verify", "由工作人员核验，不用您提交"),
                                ("promised", "您已承诺"),
                                ("verified", "工作人员已核验"),
                                ("untrue", "核验不符"),
                            ],
                            max_length=10,
                        ),
                    ),
                    ("why", models.CharField(blank=True, max_length=300, verbose_name="为什么不用提交")),
                    ("source", models.CharField(blank=True, max_length=80)),
                    (
                        "outcome",
                        models.CharField(
                            blank=True, help_text="what came of asking the source", max_length=12
                        ),
                    ),
                    (
                        "receipt",
                        models.CharField(
                            blank=True,
                            help_text="sources.Pull that brought it",
                            max_length=40,
                            verbose_name="回执",
                        ),
                    ),
                    ("on_promise", models.BooleanField(default=False, verbose_name="可以承诺代替")),
                    (
                        "application",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="materials",
                            to="services.application",
                        ),
                    ),
                    ("cases", models.ManyToManyField(related_name="materials", to="services.case")),
                ],
                options={
                    "verbose_name": "申办材料",
                    "ordering": ["application", "place"],
                    "constraints": [
                        models.UniqueConstraint(fields=("application", "key"), name="services_material_once")
                    ],
                },
            ),
            migrations.CreateModel(
                name="PayoutBatch",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    (
                        "period",
                        models.CharField(help_text='a year, or "once"', max_length=10, verbose_name="享受期"),
                    ),
                    ("rule_digest", models.CharField(max_length=64)),
                    ("voucher", models.CharField(blank=True, max_length=60, verbose_name="支付凭证号")),
                    (
                        "matter",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="payout_batch",
                            to="matters.matter",
                        ),
                    ),
                    (
                        "version",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="services.incentiveversion",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "免申即享名单",
                },
            ),
            migrations.CreateModel(
                name="Payout",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("sealed_key", liangzhu.kernel.sealing.SealedKeyField(default=b"", max_length=64)),
                    ("period", models.CharField(max_length=10)),
                    (
                        "amount",
                        models.DecimalField(decimal_places=2, max_digits=14, verbose_name="金额（元）"),
                    ),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("listed", "待复核"),
                                ("asked", "待企业确认账户"),
                                ("confirmed", "已确认账户"),
                                ("ordered", "已下达支付"),
                                ("paid", "已到账"),
                                ("dropped", "不付"),
                            ],
                            default="listed",
                            max_length=10,
                            verbose_name="状态",
                        ),
                    ),
                    ("why", models.CharField(blank=True, max_length=200, verbose_name="原因")),
                    (
                        "proof",
                        liangzhu.kernel.sealing.SealedTextField(
                            help_text="JSON of criteria.proof", verbose_name="依据"
                        ),
                    ),
                    ("proof_digest", models.CharField(max_length=64)),
                    (
                        "account",
                        liangzhu.kernel.sealing.SealedTextField(
                            blank=True,
                            grade=3,
                            mask=liangzhu.kernel.masking.bank_card,
                            max_length=40,
                            verbose_name="收款账号",
                        ),
                    ),
                    (
                        "bank",
                        liangzhu.kernel.sealing.SealedTextField(
                            blank=True, max_length=100, verbose_name="开户银行"
                        ),
                    ),
                    ("confirmed_by", models.CharField(blank=True, max_length=80)),
                    ("confirmed_at", models.DateTimeField(null=True)),
                    ("paid_at", models.DateTimeField(null=True)),
                    (
                        "incentive",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="services.incentive",
                        ),
                    ),
                    (
                        "organisation",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="registers.organisation",
                        ),
                    ),
                    (
                        "batch",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="lines",
                            to="services.payoutbatch",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "免申即享支付",
                    "constraints": [
                        models.UniqueConstraint(
                            condition=models.Q(("state", "dropped"), _negated=True),
                            fields=("incentive", "organisation", "period"),
                            name="payout_once",
                        )
                    ],
                },
            ),
            migrations.CreateModel(
                name="PolicyDocument",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("title", models.CharField(max_length=200, verbose_name="标题")),
                    ("number", models.CharField(blank=True, max_length=60, verbose_name="文号")),
                    ("issuer", models.CharField(max_length=120, verbose_name="发文单位")),
                    ("published_on", models.DateField(verbose_name="公布日期")),
                    ("url", models.URLField(blank=True, max_length=500, verbose_name="原文地址")),
                    ("text", models.TextField(blank=True, verbose_name="原文")),
                    ("collected_at", models.DateTimeField(verbose_name="归集时间")),
                    (
                        "source",
                        models.CharField(
                            blank=True,
                            help_text="a collection that it was imported from",
                            max_length=120,
                            verbose_name="来自",
                        ),
                    ),
                    (
                        "matter",
                        models.OneToOneField(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="policy_document",
                            to="matters.matter",
                        ),
                    ),
                    (
                        "unit",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            to="directory.unit",
                            verbose_name="归集单位",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "政策文件",
                    "constraints": [
                        models.UniqueConstraint(
                            condition=models.Q(("number", ""), _negated=True),
                            fields=("number", "title"),
                            name="policy_document_once",
                        )
                    ],
                },
            ),
        ),
        migrations.AddField(
            model_name="incentive",
            name="document",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="incentives",
                to="services.policydocument",
            ),
        ),
        CreateModels(
            migrations.CreateModel(
                name="Rating",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("sealed_key", liangzhu.kernel.sealing.SealedKeyField(default=b"", max_length=64)),
                    ("number", models.CharField(max_length=20, unique=True, verbose_name="评价号")),
                    ("code_digest", models.CharField(max_length=64)),
                    ("rated", models.CharField(max_length=80)),
                    ("title", models.CharField(max_length=200, verbose_name="所办的事")),
                    ("item", models.CharField(blank=True, max_length=40, verbose_name="事项")),
                    ("clerk", models.CharField(blank=True, max_length=80, verbose_name="经办人")),
                    ("rater", models.CharField(blank=True, max_length=80)),
                    (
                        "channel",
                        models.CharField(
                            blank=True,
                            choices=[
                                ("online", "网上"),
                                ("window", "窗口"),
                                ("hotline", "热线"),
                                ("code", "扫码"),
                            ],
                            max_length=8,
                            verbose_name="渠道",
                        ),
                    ),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("asked", "待评价"),
                                ("given", "已评价"),
                                ("default", "系统默认"),
                                ("void", "不予采纳"),
                            ],
                            default="asked",
                            max_length=8,
                            verbose_name="状态",
                        ),
                    ),
                    (
                        "level",
                        models.PositiveSmallIntegerField(
                            choices=[
                                (5, "非常满意"),
                                (4, "满意"),
                                (3, "基本满意"),
                                (2, "不满意"),
                                (1, "非常不满意"),
                            ],
                            null=True,
                            verbose_name="评价",
                        ),
                    ),
                    (
                        "again",
                        models.PositiveSmallIntegerField(
                            choices=[
                                (5, "非常满意"),
                                (4, "满意"),
                                (3, "基本满意"),
                                (2, "不满意"),
                                (1, "非常不满意"),
                            ],
                            null=True,
                            verbose_name="整改后评价",
                        ),
                    ),
                    (
                        "comment",
                        liangzhu.kernel.sealing.SealedTextField(
                            blank=True, max_length=1000, verbose_name="说明"
                        ),
                    ),
                    ("asked_at", models.DateTimeField(verbose_name="邀请时间")),
                    ("given_at", models.DateTimeField(null=True, verbose_name="评价时间")),
                    (
                        "matter",
                        models.OneToOneField(
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="bad_rating",
                            to="matters.matter",
                        ),
                    ),
                    (
                        "unit",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            to="directory.unit",
                            verbose_name="办理单位",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "评价",
                    "indexes": [
                        models.Index(fields=["rater", "state"], name="services_ra_rater_283c18_idx"),
                        models.Index(fields=["state", "asked_at"], name="services_ra_state_bfed80_idx"),
                    ],
                    "constraints": [models.UniqueConstraint(fields=("rated",), name="rating_once")],
                },
            ),
            migrations.CreateModel(
                name="Sitting",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("window", models.CharField(max_length=60, verbose_name="窗口")),
                    ("clerk", models.CharField(max_length=80)),
                    ("opened_at", models.DateTimeField()),
                    ("closed_at", models.DateTimeField(null=True)),
                    (
                        "preferred",
                        models.PositiveSmallIntegerField(
                            default=0, help_text="preferential tickets called one after another"
                        ),
                    ),
                    (
                        "day",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="sittings",
                            to="services.hallday",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "窗口值守",
                    "constraints": [
                        models.UniqueConstraint(
                            condition=models.Q(("closed_at", None)),
                            fields=("day", "window"),
                            name="sitting_window_once",
                        ),
                        models.UniqueConstraint(
                            condition=models.Q(("closed_at", None)),
                            fields=("clerk",),
                            name="sitting_clerk_once",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="SourceRecord",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("place", models.PositiveIntegerField(verbose_name="行")),
                    (
                        "body",
                        models.TextField(help_text="JSON object, column to text", verbose_name="原始内容"),
                    ),
                    (
                        "unmapped",
                        models.TextField(
                            blank=True,
                            help_text="names of columns, by spaces",
                            verbose_name="没有收进要素的列",
                        ),
                    ),
                    ("refused", models.CharField(blank=True, max_length=300, verbose_name="未收入的原因")),
                    (
                        "batch",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="records",
                            to="services.batch",
                        ),
                    ),
                    (
                        "version",
                        models.ForeignKey(
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="records",
                            to="services.itemversion",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "来源记录",
                    "ordering": ["batch", "place"],
                },
            ),
            migrations.CreateModel(
                name="Ticket",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("business", models.CharField(max_length=40, verbose_name="业务")),
                    ("number", models.CharField(max_length=8, verbose_name="号")),
                    ("since", models.DateTimeField(verbose_name="取号时间")),
                    ("priority", models.CharField(blank=True, max_length=20, verbose_name="优先")),
                    (
                        "on_time",
                        models.BooleanField(
                            default=False, help_text="the appointment was kept: called at its time"
                        ),
                    ),
                    ("taken_by", models.CharField(max_length=80)),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("waiting", "等候"),
                                ("called", "正在叫号"),
                                ("serving", "正在办理"),
                                ("served", "办结"),
                                ("missed", "过号"),
                                ("moved", "转到别的队"),
                                ("left", "没有等到"),
                            ],
                            default="waiting",
                            max_length=10,
                            verbose_name="状态",
                        ),
                    ),
                    ("window", models.CharField(blank=True, max_length=60, verbose_name="窗口")),
                    ("clerk", models.CharField(blank=True, max_length=80)),
                    (
                        "why",
                        models.CharField(
                            blank=True,
                            choices=[
                                ("appointment", "预约时间到了"),
                                ("priority", "优先"),
                                ("order", "按取号先后"),
                                ("turn", "连续叫了几个优先，轮到按取号先后的"),
                            ],
                            max_length=12,
                            verbose_name="为什么先叫",
                        ),
                    ),
                    ("calls", models.PositiveSmallIntegerField(default=0, verbose_name="叫了几次")),
                    ("called_at", models.DateTimeField(null=True, verbose_name="叫号时间")),
                    ("started_at", models.DateTimeField(null=True)),
                    ("ended_at", models.DateTimeField(null=True)),
                    ("waited", models.PositiveIntegerField(null=True, verbose_name="等候秒数")),
                    ("took", models.PositiveIntegerField(null=True, verbose_name="办理秒数")),
                    (
                        "appointment",
                        models.OneToOneField(
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="ticket",
                            to="services.appointment",
                        ),
                    ),
                    (
                        "before",
                        models.ForeignKey(
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="services.ticket",
                        ),
                    ),
                    (
                        "day",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="tickets",
                            to="services.hallday",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "排队号",
                    "indexes": [
                        models.Index(fields=["day", "business", "state", "since"], name="ticket_queue"),
                        models.Index(
                            condition=models.Q(("state__in", ["called", "serving"])),
                            fields=["clerk"],
                            name="ticket_at_window",
                        ),
                        models.Index(
                            condition=models.Q(("waited__isnull", False)),
                            fields=["day", "waited"],
                            name="ticket_waited",
                        ),
                    ],
                    "constraints": [
                        models.UniqueConstraint(fields=("day", "number"), name="ticket_number_once"),
                        models.UniqueConstraint(
                            condition=models.Q(("state__in", ["called", "serving"])),
                            fields=("day", "window"),
                            name="ticket_window_once",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="Upward",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("element", models.CharField(max_length=60, verbose_name="要素")),
                    ("material", models.CharField(blank=True, max_length=60, verbose_name="材料")),
                    ("to", models.CharField(max_length=100, verbose_name="上级单位")),
                    ("text", models.CharField(max_length=500, verbose_name="问题和建议")),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("raised", "已反映，待答复"),
                                ("answered", "已答复"),
                                ("settled", "已办结"),
                            ],
                            default="raised",
                            max_length=10,
                        ),
                    ),
                    ("answer", models.CharField(blank=True, max_length=500, verbose_name="答复")),
                    ("outcome", models.CharField(blank=True, max_length=300, verbose_name="处理结果")),
                    ("raised_by", models.CharField(max_length=80)),
                    ("raised_label", models.CharField(max_length=120)),
                    ("raised_at", models.DateTimeField()),
                    ("answered_at", models.DateTimeField(null=True)),
                    ("settled_at", models.DateTimeField(null=True)),
                    (
                        "item",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="upwards",
                            to="services.item",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "向上反映的问题",
                },
            ),
        ),
    ]
