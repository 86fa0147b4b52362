import django.db.models.deletion
import liangzhu.beams.people.registers.models.subjects
import liangzhu.kernel.masking
import liangzhu.kernel.sealing
from django.db import migrations, models
from liangzhu.kernel.migrating import CreateModels


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        CreateModels(
            migrations.CreateModel(
                name="NaturalPerson",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("sealed_key", liangzhu.kernel.sealing.SealedKeyField(default=b"", max_length=64)),
                    (
                        "name",
                        liangzhu.kernel.sealing.SealedTextField(
                            grade=3, mask=liangzhu.kernel.masking.name, max_length=60, verbose_name="姓名"
                        ),
                    ),
                    (
                        "document_kind",
                        models.CharField(
                            choices=[
                                ("citizen_id", "居民身份证"),
                                ("hmt_permit", "港澳台居民居住证"),
                                ("foreign_card", "外国人永久居留身份证"),
                                ("passport", "护照"),
                                ("hm_travel", "港澳居民来往内地通行证"),
                                ("tw_travel", "台湾居民来往大陆通行证"),
                                ("other", "其他证件"),
                            ],
                            max_length=16,
                            verbose_name="证件类型",
                        ),
                    ),
                    (
                        "document_number",
                        liangzhu.kernel.sealing.SealedTextField(
                            grade=3,
                            mask=liangzhu.kernel.masking.citizen_id,
                            max_length=40,
                            verbose_name="证件号码",
                        ),
                    ),
                    (
                        "document_blind",
                        liangzhu.kernel.sealing.BlindIndexField(
                            default="", source="document_number", what="person.document"
                        ),
                    ),
                    (
                        "phone",
                        liangzhu.kernel.sealing.SealedTextField(
                            blank=True,
                            grade=3,
                            mask=liangzhu.kernel.masking.phone,
                            max_length=20,
                            verbose_name="电话",
                        ),
                    ),
                    (
                        "phone_blind",
                        liangzhu.kernel.sealing.BlindIndexField(
                            default="",
                            form=liangzhu.beams.people.registers.models.subjects.phone_form,
                            source="phone",
                            what="person.phone",
                        ),
                    ),
                    (
                        "address",
                        liangzhu.kernel.sealing.SealedTextField(
                            blank=True,
                            grade=3,
                            mask=liangzhu.kernel.masking.address,
                            max_length=200,
                            verbose_name="住址",
                        ),
                    ),
                    (
                        "birth",
                        liangzhu.kernel.sealing.SealedTextField(
                            blank=True,
                            grade=3,
                            mask=liangzhu.beams.people.registers.models.subjects.year_only,
                            max_length=10,
                            verbose_name="出生日期",
                        ),
                    ),
                    (
                        "sex",
                        models.CharField(
                            choices=[("male", "男"), ("female", "女"), ("unknown", "未说明")],
                            default="unknown",
                            max_length=8,
                            verbose_name="性别",
                        ),
                    ),
                    (
                        "source",
                        models.CharField(
                            choices=[
                                ("counter", "窗口核验原件"),
                                ("authority", "登记主管部门提供"),
                                ("application", "随事项申请提交"),
                                ("province", "省统一身份认证"),
                                ("made_up", "虚构数据"),
                            ],
                            max_length=12,
                            verbose_name="数据来源",
                        ),
                    ),
                    ("as_of", models.DateField(verbose_name="数据日期")),
                    (
                        "state",
                        models.CharField(
                            choices=[("alive", "正常"), ("dead", "死亡"), ("merged", "已合并")],
                            default="alive",
                            max_length=8,
                            verbose_name="状态",
                        ),
                    ),
                    ("died_on", models.DateField(null=True, verbose_name="死亡日期")),
                    (
                        "touched_on",
                        models.DateField(help_text="day of the last change; retention counts from it"),
                    ),
                    ("version", models.PositiveIntegerField(default=1)),
                    (
                        "merged_into",
                        models.ForeignKey(
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="merged",
                            to="registers.naturalperson",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "自然人",
                    "indexes": [models.Index(fields=["phone_blind"], name="registers_n_phone_b_622202_idx")],
                    "constraints": [
                        models.UniqueConstraint(
                            condition=models.Q(("document_blind", ""), _negated=True),
                            fields=("document_blind", "document_kind"),
                            name="natural_person_document_once",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("merged_into__isnull", False), ("state", "merged")),
                                models.Q(
                                    models.Q(("state", "merged"), _negated=True),
                                    ("merged_into__isnull", True),
                                ),
                                _connector="OR",
                            ),
                            name="natural_person_merged_into",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="Organisation",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("uscc", models.CharField(max_length=18, unique=True, verbose_name="统一社会信用代码")),
                    ("name", models.CharField(max_length=120, verbose_name="名称")),
                    (
                        "kind",
                        models.CharField(
                            choices=[
                                ("enterprise", "企业"),
                                ("individual", "个体工商户"),
                                ("cooperative", "农民专业合作社"),
                                ("agency", "机关"),
                                ("institution", "事业单位"),
                                ("association", "社会团体"),
                                ("service", "社会服务机构"),
                                ("foundation", "基金会"),
                                ("village", "农村集体经济组织"),
                                ("other", "其他组织"),
                            ],
                            max_length=16,
                            verbose_name="类型",
                        ),
                    ),
                    (
                        "state",
                        models.CharField(
                            choices=[("active", "存续"), ("revoked", "吊销"), ("dissolved", "注销")],
                            default="active",
                            max_length=12,
                            verbose_name="状态",
                        ),
                    ),
                    ("ended_on", models.DateField(null=True, verbose_name="注销日期")),
                    ("address", models.CharField(blank=True, max_length=200, verbose_name="住所")),
                    (
                        "source",
                        models.CharField(
                            choices=[
                                ("counter", "窗口核验原件"),
                                ("authority", "登记主管部门提供"),
                                ("application", "随事项申请提交"),
                                ("province", "省统一身份认证"),
                                ("made_up", "虚构数据"),
                            ],
                            max_length=12,
                            verbose_name="数据来源",
                        ),
                    ),
                    ("as_of", models.DateField(verbose_name="数据日期")),
                    ("version", models.PositiveIntegerField(default=1)),
                    (
                        "legal_representative",
                        models.ForeignKey(
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="represents",
                            to="registers.naturalperson",
                            verbose_name="法定代表人",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "组织",
                },
            ),
            migrations.CreateModel(
                name="OrganisationName",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("name", models.CharField(max_length=120, verbose_name="名称")),
                    ("valid_from", models.DateField()),
                    ("valid_to", models.DateField(null=True)),
                    (
                        "organisation",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="names",
                            to="registers.organisation",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "组织名称",
                    "ordering": ["-valid_from"],
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("organisation", "valid_from"), name="organisation_name_one_start"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("valid_to", None), ("valid_to__gt", models.F("valid_from")), _connector="OR"
                            ),
                            name="organisation_name_not_empty",
                        ),
                    ],
                },
            ),
            migrations.CreateModel(
                name="Proposal",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("sealed_key", liangzhu.kernel.sealing.SealedKeyField(default=b"", max_length=64)),
                    ("kind", models.CharField(max_length=24, verbose_name="事由")),
                    ("subject", models.CharField(blank=True, max_length=80)),
                    (
                        "other",
                        models.CharField(
                            blank=True,
                            help_text="a second Ref: who is merged, who is the agent",
                            max_length=80,
                        ),
                    ),
                    ("base", models.PositiveIntegerField(null=True)),
                    (
                        "payload",
                        liangzhu.kernel.sealing.SealedTextField(
                            help_text="JSON of field to text", verbose_name="内容"
                        ),
                    ),
                    ("reason", liangzhu.kernel.sealing.SealedTextField(max_length=200, verbose_name="理由")),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("open", "待复核"),
                                ("released", "已生效"),
                                ("refused", "未通过"),
                                ("withdrawn", "已撤回"),
                            ],
                            default="open",
                            max_length=10,
                            verbose_name="状态",
                        ),
                    ),
                    ("proposed_by", models.CharField(max_length=80)),
                    ("proposed_label", models.CharField(max_length=120)),
                    ("proposed_at", models.DateTimeField()),
                    ("decided_by", models.CharField(blank=True, max_length=80)),
                    ("decided_label", models.CharField(blank=True, max_length=120)),
                    ("decided_at", models.DateTimeField(null=True)),
                    (
                        "decision",
                        liangzhu.kernel.sealing.SealedTextField(
                            blank=True, max_length=200, verbose_name="复核意见"
                        ),
                    ),
                    ("result", models.CharField(blank=True, max_length=80)),
                ],
                options={
                    "verbose_name": "登记申请",
                    "indexes": [
                        models.Index(fields=["state", "proposed_at"], name="registers_p_state_71c86c_idx"),
                        models.Index(
                            fields=["proposed_by", "proposed_at"], name="registers_p_propose_a68e37_idx"
                        ),
                        models.Index(fields=["subject"], name="registers_p_subject_85ba7c_idx"),
                        models.Index(fields=["other"], name="registers_p_other_001ef4_idx"),
                    ],
                },
            ),
            migrations.CreateModel(
                name="Mandate",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("sealed_key", liangzhu.kernel.sealing.SealedKeyField(default=b"", max_length=64)),
                    ("principal", models.CharField(max_length=80, verbose_name="被代理人")),
                    ("agent", models.CharField(max_length=80, verbose_name="代理人")),
                    (
                        "capacity",
                        models.CharField(
                            choices=[
                                ("company_agent", "单位经办人"),
                                ("representative", "授权代表"),
                                ("guardian", "监护人"),
                                ("entrusted", "受托代办"),
                            ],
                            max_length=16,
                            verbose_name="身份",
                        ),
                    ),
                    (
                        "scope_kind",
                        models.CharField(
                            choices=[("all", "全部事项"), ("kinds", "指定业务"), ("case", "一件事项")],
                            default="all",
                            max_length=8,
                            verbose_name="范围",
                        ),
                    ),
                    (
                        "scopes",
                        models.CharField(
                            blank=True,
                            help_text="kinds of business, or one Ref; blanks between",
                            max_length=400,
                            verbose_name="业务或事项",
                        ),
                    ),
                    ("valid_from", models.DateField(verbose_name="生效日期")),
                    ("valid_to", models.DateField(null=True, verbose_name="终止日期")),
                    (
                        "until_adult",
                        models.BooleanField(default=False, help_text="valid_to is the ward's 18th birthday"),
                    ),
                    ("basis", liangzhu.kernel.sealing.SealedTextField(max_length=400, verbose_name="依据")),
                    ("may_delegate", models.BooleanField(default=False, verbose_name="允许转委托")),
                    (
                        "asked_by",
                        models.CharField(
                            choices=[("principal", "被代理人"), ("agent", "代理人")],
                            max_length=10,
                            verbose_name="由谁提出",
                        ),
                    ),
                    ("confirmed_on", models.DateField(null=True, verbose_name="对方确认日期")),
                    (
                        "confirmed_by",
                        models.CharField(
                            blank=True, help_text="Ref of the officer who saw it", max_length=80
                        ),
                    ),
                    (
                        "evidence",
                        liangzhu.kernel.sealing.SealedTextField(
                            blank=True, max_length=400, verbose_name="确认凭据"
                        ),
                    ),
                    ("ended_on", models.DateField(null=True, verbose_name="提前终止日期")),
                    (
                        "end_reason",
                        models.CharField(
                            blank=True,
                            choices=[
                                ("revoked", "被代理人撤销"),
                                ("resigned", "代理人辞任"),
                                ("expired", "到期"),
                                ("adult", "被监护人满十八周岁"),
                                ("death", "死亡"),
                                ("dissolved", "组织终止"),
                                ("parent", "所依据的授权终止"),
                                ("merged", "双方登记合并为一人"),
                            ],
                            max_length=10,
                            verbose_name="终止原因",
                        ),
                    ),
                    ("version", models.PositiveIntegerField(default=1)),
                    (
                        "parent",
                        models.ForeignKey(
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="derived",
                            to="registers.mandate",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "授权",
                    "indexes": [
                        models.Index(fields=["agent", "principal"], name="registers_m_agent_6909fb_idx"),
                        models.Index(fields=["principal"], name="registers_m_princip_e53cd1_idx"),
                        models.Index(
                            condition=models.Q(("ended_on", None)), fields=["valid_to"], name="mandate_to_end"
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("valid_to", None), ("valid_to__gt", models.F("valid_from")), _connector="OR"
                            ),
                            name="mandate_not_empty",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("principal", models.F("agent")), _negated=True),
                            name="mandate_of_two",
                        ),
                    ],
                },
            ),
        ),
    ]
