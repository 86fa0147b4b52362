"""Letters of supervision: urging (催办单) and notices of criticism (通报)."""

from django.db import models

from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import SealedTextField
from liangzhu.pillars.programme.models.documents import PlanDocument
from liangzhu.pillars.programme.models.ledger import PlanTask


class Letter(models.Model):
    """An urging, which one person issues, or a notice of criticism, which a second person signs."""

    URGE, CRITICISM = "urge", "criticism"
    KINDS = [(URGE, "催办单"), (CRITICISM, "通报")]
    DRAFT, SIGNED, REFUSED = "draft", "signed", "refused"
    STATES = [(DRAFT, "待签发"), (SIGNED, "已签发"), (REFUSED, "已退回")]

    document = models.ForeignKey(PlanDocument, on_delete=models.PROTECT, related_name="letters")
    kind = models.CharField(max_length=9, choices=KINDS)
    number = models.CharField("编号", max_length=60, blank=True)
    title = SealedTextField("标题", owner="", max_length=200)
    body = SealedTextField("正文", owner="", help_text="paragraphs separated by a line break")
    state = models.CharField(max_length=7, choices=STATES, default=DRAFT)
    drafted_by = models.CharField(max_length=80)
    drafted_person_id = models.BigIntegerField(null=True)
    drafted_label = models.CharField(max_length=100)
    drafted_at = models.DateTimeField()
    signed_by = models.CharField(max_length=80, blank=True)
    signed_label = models.CharField(max_length=100, blank=True)
    signed_at = models.DateTimeField(null=True)
    refusal = SealedTextField("退回理由", owner="", max_length=300, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "督办文书"
        ordering = ["-id"]

    @property
    def ref(self) -> Ref:
        """The reference of this letter."""
        return Ref("plan_letter", str(self.pk))


class LetterTarget(models.Model):
    """A unit that a letter goes to, for a task, with what was so on the day of the letter."""

    letter = models.ForeignKey(Letter, on_delete=models.PROTECT, related_name="targets")
    task = models.ForeignKey(PlanTask, on_delete=models.PROTECT, related_name="+")
    unit = models.ForeignKey("directory.Unit", on_delete=models.PROTECT, related_name="+")
    situation = SealedTextField("情形", owner="", max_length=300)

    class Meta:
        verbose_name = "督办对象"
        ordering = ["id"]
