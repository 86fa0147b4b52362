"""Policies for enterprises (惠企政策): documents, what each offers, what is known of enterprises, who was told and paid."""

from django.db import models
from django.db.models import F, Q

from liangzhu.kernel import masking
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import Sealed, SealedTextField
from liangzhu.pillars.services.criteria import ORIGINS, Criterion


class PolicyDocument(models.Model):
    """A policy document (政策文件) as it was collected (归集). Its matter holds the clock: three working days from publication."""

    matter = models.OneToOneField("matters.Matter", on_delete=models.PROTECT, related_name="policy_document")
    title = models.CharField("标题", max_length=200)
    number = models.CharField("文号", max_length=60, blank=True)
    issuer = models.CharField("发文单位", max_length=120)
    unit = models.ForeignKey("directory.Unit", on_delete=models.PROTECT, verbose_name="归集单位")
    published_on = models.DateField("公布日期")
    url = models.URLField("原文地址", max_length=500, blank=True)
    text = models.TextField("原文", blank=True)
    collected_at = models.DateTimeField("归集时间")
    source = models.CharField(
        "来自", max_length=120, blank=True, help_text="a collection that it was imported from"
    )

    class Meta:
        verbose_name = "政策文件"
        constraints = [
            models.UniqueConstraint(
                fields=["number", "title"], condition=~Q(number=""), name="policy_document_once"
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def ref(self) -> Ref:
        """The reference of this document."""
        return Ref("policy_document", str(self.pk))


class Incentive(models.Model):
    """What a document offers to enterprises (政策事项), one line for all its versions.

    Matching goes over all enterprises in slices: ``matched_to`` is the last one that was done in the run of ``matched_on``, None
    when the run is over.
    """

    document = models.ForeignKey(PolicyDocument, on_delete=models.PROTECT, related_name="incentives")
    unit = models.ForeignKey("directory.Unit", on_delete=models.PROTECT, verbose_name="兑现单位")
    created_at = models.DateTimeField()
    matched_on = models.DateField(null=True, help_text="day of the last matching; null: to be matched")
    matched_to = models.BigIntegerField(null=True, help_text="registers.Organisation")

    class Meta:
        verbose_name = "惠企政策"

    @property
    def ref(self) -> Ref:
        """The reference of this policy."""
        return Ref("incentive", str(self.pk))


class IncentiveVersion(models.Model):
    """All that is said about a policy, in one version: drafted by one person, published by another (四眼原则).

    What was published never changes; the one before it ends on the same day. ``ends_on`` is the last day, ``window_*`` the
    days on which one may apply, inclusive. ``amount`` is what one enterprise gets in one period, in yuan.
    """

    DRAFT, REVIEW, PUBLISHED, ENDED, REFUSED = "draft", "review", "published", "ended", "refused"
    STATES = [
        (DRAFT, "草稿"),
        (REVIEW, "待审核"),
        (PUBLISHED, "已发布"),
        (ENDED, "已终止"),
        (REFUSED, "未通过"),
    ]
    FORMS = [
        ("subsidy", "补贴补助"),
        ("award", "奖励"),
        ("relief", "税费减免"),
        ("interest", "贷款贴息"),
        ("other", "其他支持"),
    ]
    ONCE, YEARLY = "once", "yearly"
    PERIODS = [(ONCE, "只享受一次"), (YEARLY, "每年一次")]

    incentive = models.ForeignKey(Incentive, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField("版本")
    state = models.CharField("状态", max_length=10, choices=STATES, default=DRAFT)
    name = models.CharField("名称", max_length=120)
    summary = models.CharField("一句话说明", max_length=200, blank=True)
    tags = models.CharField("标签", max_length=200, blank=True, help_text="blanks between")
    form = models.CharField("支持方式", max_length=10, choices=FORMS, default="subsidy")
    amount = models.DecimalField("每户金额（元）", max_digits=14, decimal_places=2, null=True, blank=True)
    benefit = models.TextField("支持内容", max_length=2000)
    period = models.CharField("享受次数", max_length=8, choices=PERIODS, default=ONCE)
    budget = models.DecimalField("每期预算（元）", max_digits=16, decimal_places=2, null=True, blank=True)
    direct = models.BooleanField("免申即享", default=False)
    starts_on = models.DateField("施行日期")
    ends_on = models.DateField("有效期至", null=True, blank=True)
    window_from = models.DateField("申报开始", null=True, blank=True)
    window_to = models.DateField("申报截止", null=True, blank=True)
    materials = models.TextField("申报材料", max_length=2000, blank=True)
    how = models.TextField("怎样申报", max_length=2000, blank=True)
    apply_with = models.CharField(
        "网上申报用", max_length=80, blank=True, default="", help_text="key of a bundle, or item:KEY"
    )
    url = models.URLField("网办地址", max_length=500, blank=True)
    contact = models.CharField("咨询方式", max_length=200)
    revision = models.PositiveIntegerField(default=1)
    drafted_by = models.CharField(max_length=80)
    drafted_label = models.CharField(max_length=120)
    drafted_at = models.DateTimeField()
    decided_by = models.CharField(max_length=80, blank=True)
    decided_label = models.CharField(max_length=120, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision_note = models.CharField("审核意见", max_length=400, blank=True)

    OPEN = (DRAFT, REVIEW)

    class Meta:
        verbose_name = "惠企政策版本"
        constraints = [
            models.UniqueConstraint(fields=["incentive", "number"], name="incentive_version_number"),
            models.UniqueConstraint(
                fields=["incentive"], condition=Q(state="published"), name="incentive_published_once"
            ),
            models.UniqueConstraint(
                fields=["incentive"], condition=Q(state__in=["draft", "review"]), name="incentive_open_once"
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")), name="incentive_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def ref(self) -> Ref:
        """The reference of this version."""
        return Ref("incentive_version", str(self.pk))


class IncentiveCriterion(models.Model):
    """One condition of a version: the document's own words, and what they compare. Without ``fact`` a person judges it."""

    version = models.ForeignKey(IncentiveVersion, on_delete=models.CASCADE, related_name="criteria")
    place = models.PositiveIntegerField(default=0)
    wording = models.TextField("文件原文", max_length=1000)
    article = models.CharField("条款", max_length=60, blank=True)
    fact = models.CharField("企业信息", max_length=40, blank=True)
    op = models.CharField("比较", max_length=10, blank=True)
    values = models.CharField("值", max_length=400, blank=True, help_text="blanks between")
    group = models.CharField("组", max_length=20, blank=True)

    class Meta:
        verbose_name = "条件"
        ordering = ["place", "id"]

    @property
    def plain(self) -> Criterion:
        """The condition as the logic takes it."""
        return Criterion(
            self.wording, self.fact, self.op, tuple(self.values.split()), self.group, self.article
        )


class EnterpriseFact(models.Model):
    """A value of an enterprise, from a source (with receipt) or said by itself; not used after ``until``. Only added."""

    organisation = models.ForeignKey("registers.Organisation", on_delete=models.CASCADE, related_name="+")
    fact = models.CharField(max_length=40)
    value = SealedTextField("值", owner="", help_text="JSON")
    origin = models.CharField(max_length=8, choices=list(ORIGINS.items()))
    source = models.CharField(max_length=80, blank=True)
    source_title = models.CharField(max_length=120, blank=True)
    receipt = models.CharField(max_length=80, blank=True)
    said_by = models.CharField(max_length=80)
    at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        verbose_name = "企业信息"
        indexes = [models.Index(fields=["organisation", "until"])]


class IncentiveMatch(models.Model):
    """That an enterprise meets a policy (匹配), since when, whether it was told, and what came of it."""

    incentive = models.ForeignKey(Incentive, on_delete=models.CASCADE, related_name="matches")
    version = models.ForeignKey(IncentiveVersion, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey("registers.Organisation", on_delete=models.CASCADE, related_name="+")
    proven = models.BooleanField("政府数据证实")
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    applied = models.CharField(max_length=80, blank=True, help_text="printed Ref of the case")
    applied_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "政策匹配"
        constraints = [
            models.UniqueConstraint(fields=["incentive", "organisation"], name="incentive_match_once")
        ]
        indexes = [models.Index(fields=["organisation", "ended_at"])]

    @property
    def ref(self) -> Ref:
        """The reference of this match."""
        return Ref("incentive_match", str(self.pk))


class PayoutBatch(models.Model):
    """A list of enterprises that a unit pays for one period, without application (免申即享) or after granted ones; its matter is
    the payment order."""

    matter = models.OneToOneField("matters.Matter", on_delete=models.PROTECT, related_name="payout_batch")
    version = models.ForeignKey(IncentiveVersion, on_delete=models.PROTECT, related_name="+")
    period = models.CharField("享受期", max_length=10, help_text='a year, or "once"')
    rule_digest = models.CharField(max_length=64)
    voucher = models.CharField("支付凭证号", max_length=60, blank=True)

    class Meta:
        verbose_name = "免申即享名单"

    @property
    def ref(self) -> Ref:
        """The reference of this list."""
        return Ref("payout_batch", str(self.pk))


class Payout(Sealed):
    """One enterprise's line. One policy pays one enterprise once in a period: the constraint holds it whatever the code does.

    ``application`` is the granted one that it rests on; None where nobody needed to apply.
    """

    LISTED, ASKED, CONFIRMED, ORDERED, PAID, DROPPED = (
        "listed", "asked", "confirmed", "ordered", "paid", "dropped",
    )  # fmt: skip
    STATES = [
        (LISTED, "待复核"),
        (ASKED, "待企业确认账户"),
        (CONFIRMED, "已确认账户"),
        (ORDERED, "已下达支付"),
        (PAID, "已到账"),
        (DROPPED, "不付"),
    ]

    batch = models.ForeignKey(PayoutBatch, on_delete=models.PROTECT, related_name="lines")
    incentive = models.ForeignKey(Incentive, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey("registers.Organisation", on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey(
        "services.Application", on_delete=models.PROTECT, null=True, related_name="+"
    )
    period = models.CharField(max_length=10)
    amount = models.DecimalField("金额（元）", max_digits=14, decimal_places=2)
    state = models.CharField("状态", max_length=10, choices=STATES, default=LISTED)
    why = models.CharField("原因", max_length=200, blank=True)
    proof = SealedTextField("依据", owner="self", help_text="JSON of criteria.proof")
    proof_digest = models.CharField(max_length=64)
    account = SealedTextField(
        "收款账号", max_length=40, grade=3, mask=masking.bank_card, owner="self", blank=True
    )
    bank = SealedTextField("开户银行", max_length=100, owner="self", blank=True)
    confirmed_by = models.CharField(max_length=80, blank=True)
    confirmed_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "惠企资金支付"
        constraints = [
            models.UniqueConstraint(
                fields=["incentive", "organisation", "period"],
                condition=~Q(state="dropped"),
                name="payout_once",
            )
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this line."""
        return Ref("payout", str(self.pk))
