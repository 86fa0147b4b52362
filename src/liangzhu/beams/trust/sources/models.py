"""The tables of this app."""

from django.db import models
from django.db.models import Q

from liangzhu.kernel.reads import CHANNELS
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import Sealed, SealedTextField, hangs_on


class Read(models.Model):
    """One reading of somebody's values (查阅记录): who, what, when, for which case, on which ground. Only added.

    ``person`` or ``organisation`` is whose values; ``thing`` is the printed Ref of what was read, and all there is while it
    leads to nobody yet. ``fields`` are names with blanks between, ``titles`` what people call them; no values.
    """

    DONE, REFUSED, NOTHING, DOWN, WRONG, PAUSED = "done", "refused", "nothing", "down", "wrong", "paused"
    OUTCOMES = [
        (DONE, "已读取"),
        (REFUSED, "被拒绝，没有读到"),
        (NOTHING, "来源没有这项记录"),
        (DOWN, "来源没有答复，没有读到"),
        (WRONG, "来源的答复不合要求，没有采用"),
        (PAUSED, "来源暂停服务，没有去读"),
    ]
    OWN, STAFF, SYSTEM, OTHER = "own", "staff", "system", "other"
    READERS = [(OWN, "本人"), (STAFF, "工作人员"), (SYSTEM, "系统自动"), (OTHER, "他人")]

    person = models.ForeignKey(
        "registers.NaturalPerson", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    organisation = models.ForeignKey(
        "registers.Organisation", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    thing = models.CharField(max_length=80)
    at = models.DateTimeField("时间")
    reader = models.CharField("谁", max_length=8, choices=READERS)
    operator = models.CharField(max_length=80, help_text="printed Ref of the account or program")
    unit = models.BigIntegerField(null=True, help_text="id of the unit that the reader stood for")
    unit_name = models.CharField(max_length=120, blank=True, help_text="the unit as it was called then")
    channel = models.CharField("方式", max_length=8, choices=CHANNELS.items())
    fields = models.CharField(max_length=1000)
    titles = models.CharField("内容", max_length=1000)
    case = models.CharField("事项", max_length=80, blank=True)
    ground = models.CharField("依据", max_length=200, blank=True)
    reason = SealedTextField("原因", max_length=200, owner="person", blank=True)
    outcome = models.CharField("结果", max_length=8, choices=OUTCOMES, default=DONE)

    class Meta:
        verbose_name = "查阅记录"
        indexes = [
            models.Index(fields=["person", "-id"], name="read_person"),
            models.Index(fields=["organisation", "-id"], name="read_organisation"),
            models.Index(
                fields=["thing"], condition=Q(person=None, organisation=None), name="read_of_nobody"
            ),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this reading."""
        return Ref("data_read", str(self.pk))

    @property
    def names(self) -> list[str]:
        """The names of the fields."""
        return self.fields.split()

    @property
    def whose(self) -> Ref | None:
        """Whose values were read, as far as it is known."""
        if self.person_id:
            return Ref("natural_person", str(self.person_id))
        return Ref("organisation", str(self.organisation_id)) if self.organisation_id else None


class Pull(models.Model):
    """One attempt to read from a source (取数), also a refused or failed one; `read` says who and what.

    ``statement`` is the canonical JSON of the receipt, ``signature`` (hex) the SM2 of key ``key_id`` over it; ``leaf`` commits
    to its SM3. ``receipt`` names it in addresses.
    """

    read = models.OneToOneField(Read, on_delete=models.PROTECT, related_name="pull")
    receipt = models.CharField(max_length=24, unique=True)
    source = models.CharField("来源", max_length=80)
    case = models.CharField("事项", max_length=80)
    outcome = models.CharField("结果", max_length=8, choices=Read.OUTCOMES)
    consent = models.BigIntegerField(null=True, help_text="id of the consent that it rests on")
    at = models.DateTimeField("时间")
    milliseconds = models.PositiveIntegerField("用时（毫秒）")
    statement = SealedTextField(owner="read.person")
    key_id = models.CharField(max_length=40)
    signature = models.CharField(max_length=128)
    leaf = models.ForeignKey("kernel.LogLeaf", on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        verbose_name = "取数"
        indexes = [
            models.Index(fields=["source", "-id"], name="pull_source"),
            models.Index(fields=["case", "-id"], name="pull_case"),
            models.Index(fields=["-at"], name="pull_at"),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this attempt."""
        return Ref("pull", str(self.pk))


class Kept(Sealed):
    """What a source answered, under a key of its own. Forgotten with its case, with its person, or on ``until``.

    ``content`` is JSON: field name to ``{"value", "salt"}``; the receipt commits to each value with its salt.
    """

    pull = models.OneToOneField(Pull, on_delete=models.PROTECT, related_name="kept")
    case = models.CharField(max_length=80)
    subject = models.CharField(max_length=80, help_text="printed Ref of whose values")
    content = SealedTextField("取到的内容", grade=3)
    until = models.DateTimeField(null=True, help_text="none: as long as the case is kept")

    class Meta:
        verbose_name = "取到的内容"
        indexes = [
            models.Index(fields=["case"], name="kept_case"),
            models.Index(fields=["subject"], name="kept_subject"),
            models.Index(fields=["until"], condition=~Q(sealed_key=b""), name="kept_until"),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of what is kept."""
        return Ref("pulled", str(self.pk))


hangs_on(Kept, "case")
hangs_on(Kept, "subject")


class StaffCheck(Sealed):
    """A material that no source gave: staff verify it, and the citizen is not asked for it (由工作人员核验)."""

    OPEN, GOOD, BAD, NO_SOURCE = "open", "good", "bad", "none"
    STATES = [(OPEN, "由工作人员核验"), (GOOD, "已核验，属实"), (BAD, "已核验，不符")]

    case = models.CharField("事项", max_length=80)
    material = models.CharField(max_length=80, help_text="key of the material in the case")
    title = models.CharField("材料", max_length=200)
    source = models.CharField("来源", max_length=80, blank=True)
    why = models.CharField(
        "没有取到的原因", max_length=8, choices=[*Read.OUTCOMES, (NO_SOURCE, "没有可以读取的来源")]
    )
    state = models.CharField("状态", max_length=8, choices=STATES, default=OPEN)
    opened_at = models.DateTimeField("登记时间")
    note = SealedTextField("核验情况", max_length=400, blank=True)
    settled_by = models.CharField(max_length=80, blank=True)
    settled_label = models.CharField(max_length=120, blank=True)
    settled_at = models.DateTimeField("核验时间", null=True)

    class Meta:
        verbose_name = "工作人员核验"
        constraints = [models.UniqueConstraint(fields=["case", "material"], name="staff_check_once")]
        indexes = [models.Index(fields=["-id"], condition=Q(state="open"), name="staff_check_open")]

    @property
    def ref(self) -> Ref:
        """The reference of this check."""
        return Ref("staff_check", str(self.pk))


hangs_on(StaffCheck, "case")


class Question(models.Model):
    """Why was this read? (查阅疑问): asked by the one whose values it was, answered by the unit that read."""

    matter = models.OneToOneField("matters.Matter", on_delete=models.PROTECT, related_name="question")
    read = models.OneToOneField(Read, on_delete=models.PROTECT, related_name="question")
    text = SealedTextField("疑问", max_length=500, owner="matter")
    answer = SealedTextField("答复", owner="matter", blank=True)

    class Meta:
        verbose_name = "查阅疑问"
