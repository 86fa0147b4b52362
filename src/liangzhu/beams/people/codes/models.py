"""Scans of service codes (扫码记录), and where members of staff scan."""

from django.db import models
from django.db.models import Q

from liangzhu.kernel import masking
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import Sealed, SealedTextField


class Desk(Sealed):
    """Where a member of staff works at the counter, and the identity number that the issuer asks for with every check."""

    person = models.OneToOneField("directory.Person", on_delete=models.PROTECT, related_name="+")
    identity_number = SealedTextField("身份证号码", max_length=18, grade=3, mask=masking.citizen_id)
    outlet = models.CharField("网点", max_length=40)
    device = models.CharField("设备", max_length=60)
    set_at = models.DateTimeField()

    class Meta:
        verbose_name = "窗口设置"

    @property
    def ref(self) -> Ref:
        """The reference of this desk."""
        return Ref("counter_desk", str(self.pk))


class Scan(Sealed):
    """One scan, also a refused one. Written before the issuer is asked; what became of it is added once.

    ``code`` is a keyed digest of the code's number: among scans that are being asked or were accepted it stands once, which is
    how a code is good once. ``person`` or ``organisation`` is the holder, ``agent`` who showed it for another (or for his
    enterprise). ``items`` are the licences that were wanted, ``licences`` those that came, ``consented`` as "source:field,field";
    blanks between. ``shown`` is masked, for pages; ``content`` is everything, for the case, until ``kept_until``.
    """

    ASKING, ACCEPTED, DOCUMENT = "asking", "accepted", "document"
    RESULTS = [
        (ASKING, "没有得到结果"),
        (ACCEPTED, "已核验"),
        (DOCUMENT, "凭证件办理"),
        ("unknown", "不是服务码"),
        ("not_accepted", "本区不接收的码"),
        ("forged", "伪造"),
        ("expired", "过期"),
        ("replaced", "已被新码代替"),
        ("used", "已用过"),
        ("clock", "时间对不上"),
        ("empty", "没有返回持码人"),
        ("down", "验码服务没有回应"),
        ("wrong", "答复不合要求"),
        ("agent", "没有有效授权"),
        ("holder", "持码人状态不能办理"),
    ]
    SCANNED, TYPED, BY_HAND = "scanned", "typed", "document"
    WAYS = [(SCANNED, "扫码"), (TYPED, "手输"), (BY_HAND, "证件")]

    at = models.DateTimeField("时间")
    way = models.CharField("方式", max_length=8, choices=WAYS)
    issuer = models.CharField(max_length=40, blank=True)
    province = models.CharField(max_length=20, blank=True)
    code = models.CharField(max_length=64, blank=True)
    holder_kind = models.CharField(
        "持码人", max_length=10, blank=True, choices=[("person", "个人"), ("enterprise", "企业")]
    )
    person = models.ForeignKey(
        "registers.NaturalPerson", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    organisation = models.ForeignKey(
        "registers.Organisation", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    agent = models.ForeignKey(
        "registers.NaturalPerson", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    mandate = models.ForeignKey(
        "registers.Mandate", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    scope = models.CharField(max_length=400, blank=True)
    case = models.CharField("事项", max_length=80)
    item = models.CharField(max_length=80, blank=True)
    items = models.CharField(max_length=400, blank=True)
    licences = models.CharField(max_length=400, blank=True)
    consented = models.CharField(max_length=1000, blank=True)
    operator = models.CharField(max_length=80)
    unit = models.BigIntegerField(null=True)
    outlet = models.CharField("网点", max_length=40)
    device = models.CharField("设备", max_length=60)
    result = models.CharField("结果", max_length=12, choices=RESULTS)
    follows = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="followed",
        help_text="of staff by document: the scan that failed before",
    )
    reason = SealedTextField("原因", max_length=200, blank=True)
    shown = SealedTextField()
    content = SealedTextField("随码出示的内容", grade=3)
    kept_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "扫码"
        constraints = [
            models.UniqueConstraint(
                fields=["code"],
                condition=Q(result__in=["asking", "accepted"]) & ~Q(code=""),
                name="scan_code_once",
            ),
        ]
        indexes = [
            models.Index(fields=["operator", "-id"], name="scan_operator"),
            models.Index(fields=["case"], name="scan_case"),
            models.Index(fields=["outlet", "at"], condition=Q(result="accepted"), name="scan_coverage"),
            models.Index(fields=["kept_until"], condition=Q(kept_until__isnull=False), name="scan_kept"),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this scan."""
        return Ref("code_scan", str(self.pk))

    @property
    def holder(self) -> Ref | None:
        """Whose code it was, as far as it is known."""
        if self.person_id:
            return Ref("natural_person", str(self.person_id))
        return Ref("organisation", str(self.organisation_id)) if self.organisation_id else None

    @property
    def shown_by(self) -> Ref | None:
        """Who showed it for another."""
        return Ref("natural_person", str(self.agent_id)) if self.agent_id else None
