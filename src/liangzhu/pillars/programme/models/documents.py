"""A plan document, its revisions, and what the reader found in each (with place, certainty and correction)."""

from django.db import models

from liangzhu.kernel.refs import Ref

READING_ORDER = (
    models.F("article_no").asc(nulls_first=True),
    models.F("start").asc(nulls_first=True),
    "id",
)
"""As one reads: the head of the document, then its articles. Databases disagree on where an empty value stands."""


class PlanDocument(models.Model):
    """A plan (实施方案) that the district works by. Its facts are those of the reviewed revision."""

    READING, IN_FORCE = "reading", "in_force"
    STATES = [(READING, "识读校核中"), (IN_FORCE, "已建账")]

    number = models.CharField("文号", max_length=60, blank=True, db_index=True)
    title = models.CharField("标题", max_length=200)
    issuer = models.CharField("发文机关", max_length=100, blank=True)
    issued_on = models.DateField("成文日期", null=True)
    state = models.CharField(max_length=10, choices=STATES, default=READING)
    ledger_revision = models.ForeignKey(
        "Revision",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="the text the ledger was last built from",
    )
    demo = models.BooleanField("演示数据", default=False)
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "计划文件"

    def __str__(self) -> str:
        return self.number or self.title

    @property
    def ref(self) -> Ref:
        """The reference of this document."""
        return Ref("plan_document", str(self.pk))


class Revision(models.Model):
    """One text of a document, as uploaded. The text is never altered; a revised text is another row."""

    document = models.ForeignKey(PlanDocument, on_delete=models.PROTECT, related_name="revisions")
    no = models.PositiveSmallIntegerField("第几稿")
    text = models.TextField("正文", blank=True)
    filename = models.CharField("文件名", max_length=200, blank=True)
    fingerprint = models.CharField("指纹（SM3）", max_length=64, blank=True)
    attachment_id = models.BigIntegerField(null=True, help_text="files.Attachment holding the original")
    read_at = models.DateTimeField()
    read_by = models.CharField(max_length=80)
    read_label = models.CharField(max_length=100, blank=True)
    withdrawn = models.BooleanField(
        "已撤回", default=False, help_text="the wrong file; never the text of a ledger"
    )

    class Meta:
        verbose_name = "文件稿次"
        constraints = [models.UniqueConstraint(fields=["document", "no"], name="revision_once")]
        indexes = [models.Index(fields=["fingerprint"])]
        ordering = ["document", "-no"]

    def __str__(self) -> str:
        return f"第 {self.no} 稿"

    @property
    def ref(self) -> Ref:
        """The reference of this revision."""
        return Ref("plan_revision", str(self.pk))


class Article(models.Model):
    """One article (条) of a revision as the reader cut it out: its place, and its wording without marker and units.

    ``start:end`` are offsets into the revision's text, from the marker (``4.``) on. ``no`` is the number as printed, or
    the position where the numbering restarts. What the article means stands in its findings.
    """

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="articles")
    no = models.PositiveSmallIntegerField("条")
    label = models.CharField("编号原样", max_length=40, blank=True)
    chapter = models.CharField("章", max_length=200, blank=True)
    title = models.CharField("标题", max_length=500)
    text = models.TextField("正文", blank=True)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()

    class Meta:
        verbose_name = "条目"
        constraints = [models.UniqueConstraint(fields=["revision", "no"], name="article_once_per_revision")]
        ordering = ["revision", "start"]


class Finding(models.Model):
    """One thing understood in the text, or added by a person, with its place and how sure it is.

    ``value`` holds what is meant: a unit's name, an ISO date, a document number, a title. A target also fills
    ``name``, ``op``, ``amount`` and ``measure``; a unit that a person chose among several of one name fills ``unit``.
    ``read_value`` is what the reader said and never changes: a decision stands beside it. A ``note`` is something to
    check that is no fact. A lead without a value says that an article has responsible units and names no lead.
    """

    KINDS = [
        ("number", "文号"),
        ("title", "标题"),
        ("issuer", "发文机关"),
        ("date", "成文日期"),
        ("cite", "引用文件"),
        ("chapter", "章"),
        ("article", "条目标题"),
        ("lead", "牵头单位"),
        ("helper", "配合单位"),
        ("open_set", "概称范围"),
        ("deadline", "期限"),
        ("target", "量化目标"),
        ("note", "提示"),
    ]
    OF_DOCUMENT = ("number", "title", "issuer", "date", "cite", "chapter")
    OF_ARTICLE = ("article", "lead", "helper", "open_set", "deadline", "target")
    SINGLE = ("number", "title", "issuer", "date", "article", "lead")
    SURE, DOUBTFUL = "sure", "doubtful"
    CERTAINTIES = [(SURE, "确定"), (DOUBTFUL, "存疑")]
    PROPOSED, CONFIRMED, CORRECTED, REJECTED = "proposed", "confirmed", "corrected", "rejected"
    DECISIONS = [(PROPOSED, "待校核"), (CONFIRMED, "已确认"), (CORRECTED, "已更正"), (REJECTED, "已剔除")]
    OPS = [(">=", "不低于"), ("<=", "不高于"), (">", "高于"), ("<", "低于"), ("=", "等于")]

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="findings")
    article_no = models.PositiveSmallIntegerField("条", null=True)
    kind = models.CharField(max_length=10, choices=KINDS)
    quote = models.CharField("原文", max_length=500, blank=True)
    start = models.PositiveIntegerField(null=True)
    end = models.PositiveIntegerField(null=True)
    value = models.CharField("含义", max_length=500, blank=True)
    name = models.CharField("指标名称", max_length=100, blank=True)
    op = models.CharField("比较", max_length=2, blank=True, choices=OPS)
    amount = models.DecimalField("目标值", max_digits=18, decimal_places=4, null=True)
    measure = models.CharField("计量单位", max_length=20, blank=True)
    unit = models.ForeignKey("directory.Unit", on_delete=models.PROTECT, null=True, related_name="+")
    certainty = models.CharField(max_length=8, choices=CERTAINTIES, default=SURE)
    why = models.CharField("理由", max_length=300, blank=True)
    added = models.BooleanField("人工补充", default=False)
    decision = models.CharField(max_length=10, choices=DECISIONS, default=PROPOSED)
    read_value = models.CharField(
        "识读原值", max_length=500, blank=True, help_text="what the reader said before a correction"
    )
    decided_by = models.CharField(max_length=80, blank=True)
    decided_label = models.CharField(max_length=100, blank=True)
    decided_at = models.DateTimeField(null=True)
    carried_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="carried_to")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "识读结果"
        indexes = [models.Index(fields=["revision", "article_no", "kind"])]
        ordering = READING_ORDER

    @property
    def ref(self) -> Ref:
        """The reference of this finding."""
        return Ref("plan_finding", str(self.pk))

    @property
    def open(self) -> bool:
        """Doubtful, and nobody has decided yet."""
        return self.certainty == self.DOUBTFUL and self.decision == self.PROPOSED

    @property
    def stands(self) -> bool:
        """Whether it counts: it was not rejected, and says something."""
        return self.decision != self.REJECTED and bool(self.value) and self.kind != "note"

    @property
    def blocks(self) -> bool:
        """An undecided doubt that a ledger cannot be opened over; cited documents play no part in it."""
        return self.open and self.kind != "cite"
