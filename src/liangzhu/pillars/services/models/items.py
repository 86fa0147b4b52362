"""Service items (政务服务事项实施清单) with the national fields of tables C0109 and C0117, in versions.

A version that came into force never changes; a change is a new version, drafted by one person and released by another.
``help_text`` names the column of the national library.
"""

from django.db import models
from django.db.models import F, Q

from liangzhu.kernel.identifiers.item import ITEM_TYPES, LEVELS
from liangzhu.kernel.refs import Ref

UNITS = [("workday", "个工作日"), ("day", "日"), ("hour", "小时"), ("month", "个月"), ("spot", "当场")]
"""Units of limits (时限单位): an enumeration of our own, because the dictionaries in use differ."""

TASK_TYPES = dict(ITEM_TYPES)
ON_REQUEST = ("01", "05", "07", "08", "09", "10", "20")
"""Kinds that are done on request (依申请): the six powers and public services."""
DEPTHS = {
    "1": "Ⅰ级（信息公布）",
    "2": "Ⅱ级（表格下载）",
    "3": "Ⅲ级（网上预审、受理）",
    "4": "Ⅳ级（全程网办）",
}
ONLINE_DEPTHS = {
    "1": "互联网咨询",
    "2": "互联网收件",
    "3": "互联网预审",
    "4": "互联网受理",
    "5": "互联网办理",
    "6": "互联网办理结果信息反馈",
    "7": "互联网电子证照反馈",
    "8": "其他",
}
"""网上办理深度 of the national library, several at once: another thing than the four levels of ``DEPTHS``."""
RESULTS = {"certificate": "出证办结", "document": "出文办结", "approval": "审批办结", "other": "其他"}
WAYS = {"window": "窗口办理", "online": "网上办理", "post": "快递申请"}
SERVED = {
    "person": "自然人",
    "organisation": "企业法人",
    "institution": "事业法人",
    "society": "社会组织法人",
    "unincorporated": "非法人企业",
    "government": "行政机关",
    "other": "其他组织",
}


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
    """One version of an item with all that it says (实施清单), in force on the days [in_force_from, in_force_to).

    ``locked`` names the elements that the upper level set (事项要素统一): they are not edited here. Terms are amount and
    unit; ``legal`` is 法定办结时限, ``promised`` 承诺办结时限. ``revision`` counts the saves of a draft.
    """

    DRAFT, SUBMITTED, SCHEDULED = "draft", "submitted", "scheduled"
    IN_FORCE, SUPERSEDED, REFUSED, WITHDRAWN = "in_force", "superseded", "refused", "withdrawn"
    STATES = [
        (DRAFT, "草稿"),
        (SUBMITTED, "待审核"),
        (SCHEDULED, "待生效"),
        (IN_FORCE, "在用"),
        (SUPERSEDED, "已替代"),
        (REFUSED, "未通过"),
        (WITHDRAWN, "已撤回"),
    ]
    OPEN = (DRAFT, SUBMITTED, SCHEDULED)
    RELEASED = (SCHEDULED, IN_FORCE, SUPERSEDED)
    IMMEDIATE, PROMISED = "1", "2"
    ACTIVE, PAUSED, CANCELLED = "1", "2", "3"

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField("版本", help_text="task_version")
    state = models.CharField(max_length=12, choices=STATES, default=DRAFT)
    revision = models.PositiveIntegerField(default=1)
    in_force_from = models.DateField("生效日期", null=True, help_text="plan_effective_date")
    in_force_to = models.DateField("失效日期", null=True, help_text="plan_cancel_date")
    drafted_by = models.CharField(max_length=80)
    drafted_label = models.CharField(max_length=120, blank=True)
    drafted_at = models.DateTimeField()
    released_by = models.CharField(max_length=80, blank=True)
    released_label = models.CharField(max_length=120, blank=True)
    released_at = models.DateTimeField(null=True)
    change_note = models.CharField("修改说明", max_length=300, blank=True)
    decision_note = models.CharField("审核意见", max_length=300, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True, help_text="SM3 of the entry it came from")
    locked = models.TextField("上级锁定的要素", blank=True, help_text="names of elements, by spaces")
    source = models.CharField("来源", max_length=300, blank=True)
    unconfirmed = models.CharField("待确认", max_length=300, blank=True)

    name = models.CharField("事项名称", max_length=200, help_text="task_name")
    catalog_code = models.CharField("基本编码", max_length=12, blank=True, help_text="catalog_code")
    task_code = models.CharField("实施编码", max_length=31, blank=True, help_text="task_code")
    handle_code = models.CharField("业务办理项编码", max_length=33, blank=True, help_text="task_handle_item")
    local_catalog_code = models.CharField(
        "地方基本编码", max_length=100, blank=True, help_text="local_catalog_code"
    )
    local_code = models.CharField("地方实施编码", max_length=100, blank=True, help_text="local_task_code")
    licence_number = models.CharField("许可清单编号", max_length=20, blank=True, help_text="license_list_no")
    task_type = models.CharField(
        "事项类型", max_length=2, choices=list(TASK_TYPES.items()), help_text="task_type"
    )
    task_state = models.CharField(
        "事项状态",
        max_length=1,
        choices=[(ACTIVE, "在用"), (PAUSED, "暂停"), (CANCELLED, "取消")],
        default=ACTIVE,
        help_text="task_state",
    )
    power_source = models.CharField("权力来源", max_length=60, blank=True, help_text="power_source")
    level = models.CharField(
        "行使层级", max_length=1, choices=list(LEVELS.items()), default="4", help_text="use_level"
    )
    body_name = models.CharField("实施主体", max_length=100, blank=True, help_text="dept_name")
    body_code = models.CharField("实施主体编码", max_length=18, blank=True, help_text="dept_code")
    body_type = models.CharField("实施主体性质", max_length=30, blank=True, help_text="dept_type")
    entrusted = models.CharField("委托部门", max_length=100, blank=True, help_text="entrust_name")
    conditions = models.TextField("受理条件", blank=True, help_text="accept_condition")
    flow = models.TextField("办理流程说明", blank=True, help_text="handle_flow")
    legal_amount = models.PositiveSmallIntegerField(
        "法定办结时限", null=True, blank=True, help_text="anticipate_day"
    )
    legal_unit = models.CharField(
        "法定时限单位", max_length=8, choices=UNITS, blank=True, help_text="anticipate_type"
    )
    legal_note = models.CharField("法定时限说明", max_length=300, blank=True, help_text="anticipate_explain")
    promised_amount = models.PositiveSmallIntegerField(
        "承诺办结时限", null=True, blank=True, help_text="promise_day"
    )
    promised_unit = models.CharField(
        "承诺时限单位", max_length=8, choices=UNITS, blank=True, help_text="promise_type"
    )
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
    served = models.CharField("服务对象", max_length=90, help_text="server_type, by spaces")
    person_topics = models.CharField("自然人主题", max_length=200, blank=True, help_text="user_topic_type")
    organisation_topics = models.CharField(
        "法人主题", max_length=200, blank=True, help_text="corp_topic_type"
    )
    ways = models.CharField("办理形式", max_length=60, blank=True, help_text="handle_type, by spaces")
    visits = models.PositiveSmallIntegerField(
        "到办事现场次数", null=True, blank=True, help_text="limit_scene_num"
    )
    visits_why = models.CharField(
        "必须现场办理原因", max_length=300, blank=True, help_text="limit_scene_explain"
    )
    online = models.BooleanField("网上办理", default=False, help_text="is_online")
    depth = models.CharField(
        "网办等级", max_length=1, choices=list(DEPTHS.items()), blank=True, help_text="Ⅰ–Ⅳ, mapped by name"
    )
    online_depths = models.CharField(
        "网上办理深度", max_length=30, blank=True, help_text="online_handle_depth, by ^"
    )
    online_url = models.CharField("网上办理地址", max_length=300, blank=True, help_text="online_handle_url")
    link_url = models.CharField("跳转地址", max_length=300, blank=True, help_text="link_addr")
    mobile_url = models.CharField(
        "移动端办理地址", max_length=300, blank=True, help_text="mobile_terminal_url"
    )
    mobile = models.BooleanField("移动端可办", default=False)
    single_login = models.BooleanField("单点登录", default=False, help_text="is_single_login")
    app_single_login = models.BooleanField("移动端单点登录", default=False, help_text="app_is_single_login")
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
    town_name = models.CharField("镇街名称", max_length=60, blank=True, help_text="town_name")
    town_code = models.CharField("镇街代码", max_length=20, blank=True, help_text="town_code")
    village_name = models.CharField("村居名称", max_length=60, blank=True, help_text="village_name")
    village_code = models.CharField("村居代码", max_length=20, blank=True, help_text="village_code")

    case_kind = models.CharField(
        "办件流程", max_length=40, blank=True, help_text="kind of matter of its cases"
    )
    certificate_type = models.CharField("发给的证照", max_length=40, blank=True)
    site_check = models.BooleanField("现场核查", default=False)
    form = models.CharField("申请表", max_length=80, default="service_item")
    window_unit = models.CharField("综合窗口", max_length=40, blank=True, help_text="key of the unit")
    says = models.TextField("群众的说法", blank=True, help_text="one to a line")

    class Meta:
        verbose_name = "实施清单版本"
        constraints = [
            models.UniqueConstraint(fields=["item", "number"], name="services_item_version_once"),
            models.UniqueConstraint(
                fields=["item"], condition=Q(state="in_force"), name="services_item_one_in_force"
            ),
            models.UniqueConstraint(
                fields=["item"],
                condition=Q(state__in=["draft", "submitted", "scheduled"]),
                name="services_item_one_open",
            ),
            models.CheckConstraint(
                condition=Q(in_force_to=None) | Q(in_force_to__gte=F("in_force_from")),
                name="services_item_days",
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

    @property
    def locked_names(self) -> frozenset[str]:
        """The elements that are not edited here."""
        return frozenset(self.locked.split())


class ItemMaterial(models.Model):
    """A material that a version asks for (申请材料). ``local``: added here, not by the upper level."""

    OWN, GOVERNMENT, OTHER = "10", "20", "99"
    CHANNELS = [(OWN, "申请人自备"), (GOVERNMENT, "政府部门核发"), (OTHER, "其他")]
    NECESSITY = [("must", "必要"), ("may", "非必要"), ("later", "容缺后补")]
    KINDS = ["原件", "复印件", "原件和复印件"]
    FORMS = ["纸质", "电子", "纸质或电子"]
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
    kind = models.CharField("材料类型", max_length=20, default="原件", choices=[(one, one) for one in KINDS])
    form = models.CharField("材料形式", max_length=20, default="电子", choices=[(one, one) for one in FORMS])
    necessity = models.CharField("材料必要性", max_length=8, choices=NECESSITY, default="must")
    channel = models.CharField("来源渠道", max_length=2, choices=CHANNELS, default=OWN)
    issuer = models.CharField("来源渠道说明", max_length=100, blank=True, help_text="who issues it")
    copies = models.PositiveSmallIntegerField("纸质份数", default=0)
    spec = models.CharField("规格", max_length=100, blank=True)
    notes = models.CharField("填报须知", max_length=300, blank=True)
    standard = models.CharField("受理标准", max_length=300, blank=True)
    basis = models.CharField("要求提供的依据", max_length=300, blank=True)
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

    def __str__(self) -> str:
        return self.name


class ItemFee(models.Model):
    """A fee (收费项目) with its standard and legal ground."""

    version = models.ForeignKey(ItemVersion, on_delete=models.CASCADE, related_name="fees")
    place = models.PositiveSmallIntegerField()
    name = models.CharField("收费项目", max_length=100)
    standard = models.CharField("收费标准", max_length=200)
    basis = models.CharField("收费依据", max_length=300, blank=True)
    relief = models.CharField("减免情形", max_length=300, blank=True)

    class Meta:
        verbose_name = "收费项目"
        ordering = ["version", "place"]

    def __str__(self) -> str:
        return self.name


class ItemQuestion(models.Model):
    """A common question (常见问题)."""

    version = models.ForeignKey(ItemVersion, on_delete=models.CASCADE, related_name="questions")
    place = models.PositiveSmallIntegerField()
    question = models.CharField("问", max_length=200)
    answer = models.TextField("答")

    class Meta:
        verbose_name = "常见问题"
        ordering = ["version", "place"]

    def __str__(self) -> str:
        return self.question


class ItemBasis(models.Model):
    """A legal ground (设定依据): the law and its article."""

    version = models.ForeignKey(ItemVersion, on_delete=models.CASCADE, related_name="bases")
    place = models.PositiveSmallIntegerField()
    law = models.CharField("依据名称", max_length=200)
    article = models.CharField("条款", max_length=100, blank=True)

    class Meta:
        verbose_name = "设定依据"
        ordering = ["version", "place"]

    def __str__(self) -> str:
        return f"{self.law}{self.article}"


class Exemption(models.Model):
    """A signed exemption (豁免) from the once-only rule: one item may ask for one document until a day (not included)."""

    PROPOSED, SIGNED, REFUSED, ENDED = "proposed", "signed", "refused", "ended"
    STATES = [(PROPOSED, "待签署"), (SIGNED, "有效"), (REFUSED, "未同意"), (ENDED, "已终止")]

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="exemptions")
    material = models.CharField("材料", max_length=60, help_text="key of the material")
    material_name = models.CharField("材料名称", max_length=200)
    document = models.CharField("政府核发的证件", max_length=60, help_text="key in documents.toml")
    reason = models.CharField("理由", max_length=300)
    until = models.DateField("终止日", help_text="the first day on which it no longer holds")
    state = models.CharField(max_length=10, choices=STATES, default=PROPOSED)
    proposed_by = models.CharField(max_length=80)
    proposed_label = models.CharField(max_length=120)
    proposed_at = models.DateTimeField()
    signed_by = models.CharField(max_length=80, blank=True)
    signed_label = models.CharField(max_length=120, blank=True)
    signed_at = models.DateTimeField(null=True)
    ended_on = models.DateField(null=True)

    class Meta:
        verbose_name = "豁免"
        constraints = [
            models.UniqueConstraint(
                fields=["item", "material"],
                condition=Q(state__in=["proposed", "signed"]),
                name="services_exemption_once",
            )
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this exemption."""
        return Ref("service_exemption", str(self.pk))


class Upward(models.Model):
    """A question raised to the upper level (向上反映) about an element that is locked here, followed to its end."""

    RAISED, ANSWERED, SETTLED = "raised", "answered", "settled"
    STATES = [(RAISED, "已反映，待答复"), (ANSWERED, "已答复"), (SETTLED, "已办结")]

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="upwards")
    element = models.CharField("要素", max_length=60)
    material = models.CharField("材料", max_length=60, blank=True)
    to = models.CharField("上级单位", max_length=100)
    text = models.CharField("问题和建议", max_length=500)
    state = models.CharField(max_length=10, choices=STATES, default=RAISED)
    answer = models.CharField("答复", max_length=500, blank=True)
    outcome = models.CharField("处理结果", max_length=300, blank=True)
    raised_by = models.CharField(max_length=80)
    raised_label = models.CharField(max_length=120)
    raised_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "向上反映的问题"

    @property
    def ref(self) -> Ref:
        """The reference of this question."""
        return Ref("service_upward", str(self.pk))


class Batch(models.Model):
    """One import (导入批次) of items or of policy documents, with its counts; every row of the source is kept below it."""

    ITEMS, POLICIES = "items", "policies"
    KINDS = [(ITEMS, "政务服务事项"), (POLICIES, "政策文件")]

    kind = models.CharField("导入的是", max_length=10, choices=KINDS, default=ITEMS)
    title = models.CharField("来源", max_length=200)
    fingerprint = models.CharField(max_length=64)
    at = models.DateTimeField()
    by = models.CharField(max_length=80)
    by_label = models.CharField(max_length=120)
    taken = models.PositiveIntegerField("收入", default=0)
    unchanged = models.PositiveIntegerField("没有变化", default=0)
    refused = models.PositiveIntegerField("未收入", default=0)

    class Meta:
        verbose_name = "导入批次"

    @property
    def ref(self) -> Ref:
        """The reference of this import."""
        return Ref("service_import", str(self.pk))


class SourceRecord(models.Model):
    """A row as the source had it (来源记录), with every column, mapped or not, and what became of it."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="records")
    version = models.ForeignKey(ItemVersion, on_delete=models.SET_NULL, null=True, related_name="records")
    document = models.ForeignKey(
        "services.PolicyDocument", on_delete=models.SET_NULL, null=True, related_name="records"
    )
    place = models.PositiveIntegerField("行")
    body = models.TextField("原始内容", help_text="JSON object, column to text")
    unmapped = models.TextField("没有收进要素的列", blank=True, help_text="names of columns, by spaces")
    refused = models.CharField("未收入的原因", max_length=300, blank=True)

    class Meta:
        verbose_name = "来源记录"
        ordering = ["batch", "place"]
