"""Service items (政务服务事项实施清单) with the national fields of C0109 and C0117, in versions.

A version that came into force never changes; a change is a new version, drafted by one person and released by another.
Names in brackets are the columns of the national library.
"""

from django.db import models

from liangzhu.kernel.refs import Ref

UNITS = [("workday", "个工作日"), ("day", "日"), ("hour", "小时"), ("spot", "当场")]

TASK_TYPES = {
    "01": "行政许可",
    "02": "行政处罚",
    "03": "行政强制",
    "04": "行政征收",
    "05": "行政给付",
    "06": "行政检查",
    "07": "行政确认",
    "08": "行政奖励",
    "09": "行政裁决",
    "10": "其他行政权力",
    "20": "公共服务",
}
ON_REQUEST = ("01", "05", "07", "08", "09", "10", "20")
"""Kinds that are done on request (依申请): the six powers and public services."""
LEVELS = {
    "1": "国家级",
    "2": "省级",
    "3": "市级",
    "4": "县级",
    "5": "镇（乡、街道）级",
    "6": "村（社区）级",
}
DEPTHS = {
    "1": "Ⅰ级（信息公布）",
    "2": "Ⅱ级（表格下载）",
    "3": "Ⅲ级（网上预审、受理）",
    "4": "Ⅳ级（全程网办）",
}
RESULTS = {"certificate": "出证办结", "document": "出文办结", "approval": "审批办结", "other": "其他"}


class Item(models.Model):
    """An item (事项): what stays the same over its versions. ``key`` never changes."""

    key = models.CharField(max_length=40, unique=True)
    unit = models.ForeignKey("directory.Unit", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "政务服务事项"

    def __str__(self) -> str:
        return self.key

    @property
    def ref(self) -> Ref:
        """The reference of this item."""
        return Ref("service_item", str(self.pk))


class ItemVersion(models.Model):
    """One version of an item with all that it says (实施清单).

    ``locked`` names the fields that the upper level set (事项要素统一): they are not edited here. Terms are amount and unit;
    ``legal`` is 法定办结时限 (anticipate_*), ``promised`` 承诺办结时限 (promise_*).
    """

    DRAFT, IN_FORCE, SUPERSEDED, REFUSED = "draft", "in_force", "superseded", "refused"
    STATES = [(DRAFT, "草稿"), (IN_FORCE, "在用"), (SUPERSEDED, "已替代"), (REFUSED, "未通过")]
    IMMEDIATE, PROMISED = "1", "2"

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField("版本")
    state = models.CharField(max_length=12, choices=STATES, default=DRAFT)
    in_force_from = models.DateField("生效日期")
    in_force_to = models.DateField("失效日期", null=True)
    drafted_by = models.CharField(max_length=80)
    drafted_at = models.DateTimeField()
    released_by = models.CharField(max_length=80, blank=True)
    released_at = models.DateTimeField(null=True)
    fingerprint = models.CharField(
        max_length=64, blank=True, help_text="SM3 of the pack's entry it came from"
    )
    locked = models.TextField("上级锁定的要素", blank=True, help_text="names of fields, by spaces")
    source = models.CharField("来源", max_length=300, blank=True)
    unconfirmed = models.CharField("待确认", max_length=300, blank=True)

    name = models.CharField("事项名称", max_length=200, help_text="task_name")
    catalog_code = models.CharField("基本编码", max_length=12, blank=True, help_text="catalog_code")
    task_code = models.CharField("实施编码", max_length=31, blank=True, help_text="task_code")
    handle_code = models.CharField("业务办理项编码", max_length=33, blank=True, help_text="task_handle_item")
    local_code = models.CharField("地方编码", max_length=60, blank=True, help_text="local_task_code")
    task_type = models.CharField(
        "事项类型", max_length=2, choices=list(TASK_TYPES.items()), help_text="task_type"
    )
    power_source = models.CharField("权力来源", max_length=60, blank=True, help_text="power_source")
    level = models.CharField(
        "行使层级", max_length=1, choices=list(LEVELS.items()), default="4", help_text="use_level"
    )
    body_code = models.CharField("实施主体编码", max_length=18, blank=True, help_text="dept_code")
    body_type = models.CharField("实施主体性质", max_length=30, blank=True, help_text="dept_type")
    entrusted = models.CharField("委托部门", max_length=100, blank=True, help_text="entrust_name")
    basis = models.TextField("设定依据", blank=True, help_text="by_law")
    conditions = models.TextField("受理条件", blank=True, help_text="accept_condition")
    flow = models.TextField("办理流程", blank=True, help_text="handle_flow")
    legal_amount = models.PositiveSmallIntegerField("法定办结时限", null=True, help_text="anticipate_day")
    legal_unit = models.CharField(max_length=8, choices=UNITS, blank=True, help_text="anticipate_type")
    legal_note = models.CharField("法定时限说明", max_length=300, blank=True, help_text="anticipate_explain")
    promised_amount = models.PositiveSmallIntegerField("承诺办结时限", null=True, help_text="promise_day")
    promised_unit = models.CharField(max_length=8, choices=UNITS, blank=True, help_text="promise_type")
    promised_note = models.CharField("承诺时限说明", max_length=300, blank=True, help_text="promise_explain")
    project_type = models.CharField(
        "办件类型",
        max_length=1,
        choices=[(IMMEDIATE, "即办件"), (PROMISED, "承诺件")],
        default=PROMISED,
        help_text="project_type",
    )
    review = models.CharField(
        "审查类型", max_length=12, choices=[("spot", "即审即办"), ("after", "前审后批")], default="after"
    )
    special_procedure = models.CharField(
        "特别程序", max_length=200, blank=True, help_text="special_procedure"
    )
    served = models.CharField(
        "服务对象", max_length=30, help_text="server_type: person, organisation, by spaces"
    )
    person_topics = models.CharField("自然人主题", max_length=200, blank=True, help_text="user_topic_type")
    organisation_topics = models.CharField(
        "法人主题", max_length=200, blank=True, help_text="corp_topic_type"
    )
    ways = models.CharField(
        "办理形式", max_length=60, blank=True, help_text="handle_type: window online post"
    )
    visits = models.PositiveSmallIntegerField("到办事现场次数", null=True, help_text="limit_scene_num")
    visits_why = models.CharField(
        "必须现场办理原因", max_length=300, blank=True, help_text="limit_scene_explain"
    )
    online = models.BooleanField("是否网办", default=False, help_text="is_online")
    depth = models.CharField(
        "网上办理深度",
        max_length=1,
        choices=list(DEPTHS.items()),
        blank=True,
        help_text="Ⅰ–Ⅳ, by name; not the multi-select of online_handle_depth",
    )
    online_depths = models.CharField(
        "网上办理深度（多选）", max_length=30, blank=True, help_text="online_handle_depth, by ^"
    )
    online_url = models.CharField("网上办理地址", max_length=300, blank=True, help_text="online_handle_url")
    mobile_url = models.CharField(
        "移动端办理地址", max_length=300, blank=True, help_text="mobile_terminal_url"
    )
    mobile = models.BooleanField("移动端可办", default=False)
    single_login = models.BooleanField("单点登录", default=False, help_text="is_single_login")
    address = models.TextField("办理地点", blank=True, help_text="transact_addr")
    hours = models.CharField("办理时间", max_length=300, blank=True, help_text="transact_time")
    contact = models.CharField("咨询方式", max_length=200, blank=True, help_text="link_way")
    complaints = models.CharField("监督投诉方式", max_length=200, blank=True, help_text="supervise_way")
    in_centre = models.BooleanField("进驻大厅", default=True, help_text="is_entry_center")
    area = models.CharField("通办范围", max_length=60, blank=True, help_text="handle_area")
    joint_units = models.CharField("联办机构", max_length=300, blank=True, help_text="other_dept")
    intermediary = models.CharField("中介服务", max_length=300, blank=True, help_text="service_type")
    quota = models.CharField("数量限制", max_length=300, blank=True, help_text="limit_explain")
    fee = models.BooleanField("收费", default=False, help_text="is_fee")
    fee_basis = models.CharField("收费依据", max_length=300, blank=True, help_text="fee_basis")
    pays_online = models.BooleanField("网上支付", default=False, help_text="is_pay_online")
    appointments = models.BooleanField("预约办理", default=False, help_text="is_schedule")
    express = models.BooleanField("物流快递", default=False, help_text="is_express")
    terminals = models.BooleanField("自助终端", default=False, help_text="is_service_terminals")
    result_type = models.CharField(
        "审批结果类型", max_length=12, choices=list(RESULTS.items()), blank=True, help_text="result_type"
    )
    result = models.CharField("审批结果名称", max_length=100, blank=True, help_text="result_name")
    result_sample = models.CharField("结果样本", max_length=300, blank=True, help_text="result_guid")

    case_kind = models.CharField(
        "办件流程", max_length=40, blank=True, help_text="kind of matter of its cases"
    )
    certificate_type = models.CharField("发给的证照", max_length=40, blank=True)
    site_check = models.BooleanField("要现场核查", default=False)
    form = models.CharField("申请表", max_length=80, default="service_item")
    window_unit = models.CharField("综合窗口", max_length=40, blank=True, help_text="key of the unit")
    says = models.TextField("群众的说法", blank=True, help_text="one to a line")

    class Meta:
        verbose_name = "实施清单版本"
        constraints = [
            models.UniqueConstraint(fields=["item", "number"], name="services_item_version_once"),
            models.UniqueConstraint(
                fields=["item"], condition=models.Q(state="in_force"), name="services_item_one_in_force"
            ),
        ]
        indexes = [models.Index(fields=["state", "task_type"], name="services_item_state")]

    def __str__(self) -> str:
        return f"{self.name}（第 {self.number} 版）"

    @property
    def ref(self) -> Ref:
        """The reference of this version."""
        return Ref("service_item_version", str(self.pk))

    @property
    def on_request(self) -> bool:
        """Whether it is done on request (依申请)."""
        return self.task_type in ON_REQUEST

    @property
    def whole_online(self) -> bool:
        """Whether it is done online from end to end (全程网办): level Ⅳ without a visit."""
        return self.depth == "4" and self.visits == 0


class ItemMaterial(models.Model):
    """A material that a version asks for (申请材料)."""

    OWN, GOVERNMENT, OTHER = "10", "20", "99"
    CHANNELS = [(OWN, "申请人自备"), (GOVERNMENT, "政府部门核发"), (OTHER, "其他")]
    NECESSITY = [("must", "必要"), ("may", "非必要"), ("later", "容缺后补")]
    FREE = [
        ("certificate", "电子证照"),
        ("share", "数据共享"),
        ("verify", "部门核验"),
        ("promise", "告知承诺"),
        ("none", "不免"),
    ]

    version = models.ForeignKey(ItemVersion, on_delete=models.CASCADE, related_name="materials")
    place = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=60, help_text="the same for the same thing in every item")
    name = models.CharField("材料名称", max_length=200)
    kind = models.CharField("材料类型", max_length=20, default="原件")
    form = models.CharField("材料形式", max_length=20, default="电子")
    necessity = models.CharField("材料必要性", max_length=8, choices=NECESSITY, default="must")
    channel = models.CharField("来源渠道", max_length=2, choices=CHANNELS, default=OWN)
    issuer = models.CharField("来源渠道说明", max_length=100, blank=True, help_text="who issues it")
    copies = models.PositiveSmallIntegerField("纸质份数", default=0)
    spec = models.CharField("规格", max_length=100, blank=True)
    notes = models.CharField("填报须知", max_length=300, blank=True)
    standard = models.CharField("受理标准", max_length=300, blank=True)
    basis = models.CharField("依据", max_length=300, blank=True)
    blank = models.CharField("空白表格", max_length=300, blank=True)
    sample = models.CharField("示例样表", max_length=300, blank=True)
    free = models.CharField("免提交方式", max_length=12, choices=FREE, default="none")
    source = models.CharField("数据来源", max_length=80, blank=True, help_text="key in trust.sources")
    certificate_type = models.CharField("证照类型", max_length=40, blank=True)
    local = models.BooleanField("本地增加", default=False)

    class Meta:
        verbose_name = "申请材料"
        ordering = ["version", "place"]
        constraints = [models.UniqueConstraint(fields=["version", "key"], name="services_item_material_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def spared(self) -> bool:
        """Whether the applicant need not bring it."""
        return self.free in ("certificate", "share", "verify")


class ItemStep(models.Model):
    """A step of the flow (办理环节) with its working days."""

    version = models.ForeignKey(ItemVersion, on_delete=models.CASCADE, related_name="steps")
    place = models.PositiveSmallIntegerField()
    name = models.CharField("环节", max_length=30)
    days = models.PositiveSmallIntegerField("工作日", default=0)
    who = models.CharField("办理人", max_length=60, blank=True)
    standard = models.CharField("审查标准", max_length=300, blank=True)

    class Meta:
        verbose_name = "办理环节"
        ordering = ["version", "place"]


class ItemQuestion(models.Model):
    """A common question (常见问题)."""

    version = models.ForeignKey(ItemVersion, on_delete=models.CASCADE, related_name="questions")
    place = models.PositiveSmallIntegerField()
    question = models.CharField("问", max_length=200)
    answer = models.TextField("答")

    class Meta:
        verbose_name = "常见问题"
        ordering = ["version", "place"]
