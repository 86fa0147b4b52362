"""What somebody applied for: the application, its cases, its materials."""

import json

from django.db import models

from liangzhu.kernel import masking
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import Sealed, SealedTextField


class Application(Sealed):
    """An application (申办): one person or organisation, one bundle or item, one or more cases.

    ``applicant`` is the Ref whom it concerns, ``begun_by`` the Ref of who entered it (a resident, or a clerk at a counter,
    then ``scan_id`` says who stood there).
    ``route`` is canonical JSON of the decision by which the cases were found. Until it is sent there is no matter.
    """

    ELECTRONIC, WINDOW, POST = "electronic", "window", "post"
    DELIVERIES = [(ELECTRONIC, "电子送达"), (WINDOW, "窗口领取"), (POST, "邮寄")]
    ONLINE, COUNTER = "online", "counter"
    CHANNELS = [(ONLINE, "网上"), (COUNTER, "窗口")]

    matter = models.OneToOneField(
        "matters.Matter", on_delete=models.PROTECT, null=True, related_name="services_application"
    )
    bundle = models.CharField("一件事或事项", max_length=80, db_index=True)
    release = models.ForeignKey("kernel.Release", on_delete=models.PROTECT, null=True, related_name="+")
    title = models.CharField("名称", max_length=120)
    applicant = models.CharField(max_length=80, db_index=True, help_text="Ref of a person or an organisation")
    begun_by = models.CharField(max_length=80, help_text="Ref of the resident or member of staff")
    incentive = models.ForeignKey(
        "services.Incentive",
        on_delete=models.PROTECT,
        null=True,
        related_name="applications",
        verbose_name="申报的政策",
    )
    mandate_id = models.BigIntegerField(null=True, help_text="registers.Mandate under which it was done")
    channel = models.CharField("渠道", max_length=10, choices=CHANNELS, default=ONLINE)
    scan_id = models.BigIntegerField(null=True, help_text="codes.Scan that is the ground at a counter")
    route = SealedTextField("情形", help_text="canonical JSON of the decision")
    snapshot_id = models.BigIntegerField(null=True, help_text="forms.Snapshot")
    delivery = models.CharField("送达方式", max_length=12, choices=DELIVERIES, default=ELECTRONIC)
    address = SealedTextField("邮寄地址", max_length=200, blank=True, grade=3, mask=masking.address)
    password = SealedTextField("查询密码", max_length=12, blank=True)
    begun_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "申办"
        indexes = [models.Index(fields=["applicant", "-id"], name="services_app_applicant")]

    def __str__(self) -> str:
        return self.title

    @property
    def ref(self) -> Ref:
        """The reference of this application."""
        return Ref("service_application", str(self.pk))

    @property
    def answers(self) -> dict:
        """What was answered in the guide, by input of the table; {} for a single item."""
        return json.loads(self.route)["inputs"] if self.route else {}


class Case(models.Model):
    """A case (办件): one item for one applicant, at one department, with its own code, clocks and decision.

    What it stands under is that of the item's version when it was sent; a later version changes nothing here.
    What the leader's figures count stands here as well, written once when it was sent and once when it was decided, so
    that they are summed up from an index: the days (Asia/Shanghai), channel and materials of its application
    (``asked``: in question; ``spared``: not asked of the applicant; ``vowed``: promised in writing, 告知承诺), and whether
    the decision kept the promised and the legal limit (None: not decided).
    """

    GRANTED, REFUSED = "granted", "refused"
    OUTCOMES = [(GRANTED, "准予"), (REFUSED, "不予")]

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="cases")
    matter = models.OneToOneField(
        "matters.Matter", on_delete=models.PROTECT, null=True, related_name="services_case"
    )
    part = models.CharField(max_length=40, help_text="name of the part in the bundle")
    item = models.CharField("事项", max_length=80, db_index=True)
    item_version = models.BigIntegerField(null=True)
    name = models.CharField("事项名称", max_length=200)
    code = models.CharField("办件编码", max_length=60, unique=True, null=True)
    unit_id = models.BigIntegerField("实施主体", db_index=True)
    basis = models.CharField("办理这一件的依据", max_length=500, blank=True)
    kind = models.CharField(max_length=40, help_text="kind of matter")
    legal_amount = models.PositiveSmallIntegerField("法定时限", null=True)
    legal_unit = models.CharField(max_length=10, blank=True)
    promised_amount = models.PositiveSmallIntegerField("承诺时限", null=True)
    promised_unit = models.CharField(max_length=10, blank=True)
    immediate = models.BooleanField("即办件", default=False)
    needs_check = models.BooleanField("要现场核查", default=False)
    result = models.CharField("结果名称", max_length=100, blank=True)
    certificate_type = models.CharField(max_length=40, blank=True)
    outcome = models.CharField("决定", max_length=10, choices=OUTCOMES, blank=True)
    decided_at = models.DateTimeField(null=True)
    certificate = models.CharField(max_length=80, blank=True, help_text="Ref of the certificate")
    received_on = models.DateField("收件日期", null=True)
    channel = models.CharField("渠道", max_length=10, choices=Application.CHANNELS, blank=True)
    asked = models.PositiveSmallIntegerField("应提交材料", default=0)
    spared = models.PositiveSmallIntegerField("免提交材料", default=0)
    vowed = models.PositiveSmallIntegerField("告知承诺材料", default=0)
    decided_on = models.DateField("决定日期", null=True)
    in_promise = models.BooleanField("承诺时限内", null=True)
    in_law = models.BooleanField("法定时限内", null=True)

    class Meta:
        verbose_name = "办件"
        constraints = [models.UniqueConstraint(fields=["application", "part"], name="services_case_once")]
        indexes = [
            models.Index(
                fields=["received_on", "unit_id", "item", "channel", "asked", "spared", "vowed"],
                name="services_case_received",
            ),
            models.Index(
                fields=["decided_on", "unit_id", "item", "received_on", "in_promise", "in_law"],
                name="services_case_decided",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}（{self.code or '未提交'}）"

    @property
    def ref(self) -> Ref:
        """The reference of this case."""
        return Ref("service_case", str(self.pk))


class Material(models.Model):
    """A material (材料) of an application, once, however many of its cases need it.

    ``state``: *wanted* from the applicant; *available* at a source once he consents; *given* by him; *promised* in writing
    (告知承诺); *held*: taken from a source, with its receipt, or known by the sign-in; *made* by another case of the same
    application; *to_verify*: government has it, but no source gave it, so that staff verify it and the applicant is not asked
    (两个免于提交); *verified* or *untrue*: what staff found. ``outcome`` is what came of the last asking
    (`sources` codes).
    """

    WANTED, AVAILABLE, GIVEN, PROMISED = "wanted", "available", "given", "promised"
    HELD, MADE, TO_VERIFY, VERIFIED, UNTRUE = "held", "made", "to_verify", "verified", "untrue"
    SPARED = (HELD, MADE, TO_VERIFY, VERIFIED, UNTRUE)
    STATES = [
        (WANTED, "请您提供"),
        (AVAILABLE, "政府已有，同意后获取"),
        (GIVEN, "您已提供"),
        (HELD, "政府已有，不用您提交"),
        (MADE, "由同批事项产生，不用您提交"),
        (TO_VERIFY, "由工作人员核验，不用您提交"),
        (PROMISED, "您已承诺"),
        (VERIFIED, "工作人员已核验"),
        (UNTRUE, "核验不符"),
    ]

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="materials")
    place = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=80)
    title = models.CharField("材料", max_length=200)
    required = models.BooleanField("必要", default=True)
    state = models.CharField(max_length=10, choices=STATES)
    why = models.CharField("为什么不用提交", max_length=300, blank=True)
    source = models.CharField(max_length=80, blank=True)
    outcome = models.CharField(max_length=12, blank=True, help_text="what came of asking the source")
    receipt = models.CharField("回执", max_length=40, blank=True, help_text="sources.Pull that brought it")
    on_promise = models.BooleanField("可以承诺代替", default=False)
    cases = models.ManyToManyField(Case, related_name="materials")

    class Meta:
        verbose_name = "申办材料"
        ordering = ["application", "place"]
        constraints = [models.UniqueConstraint(fields=["application", "key"], name="services_material_once")]

    def __str__(self) -> str:
        return self.title

    @property
    def ref(self) -> Ref:
        """The reference of this material; what was given for it is attached to it."""
        return Ref("service_material", str(self.pk))
