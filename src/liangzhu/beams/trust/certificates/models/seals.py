"""Electronic seals (电子印章): one per unit and use, with a key of its own."""

from datetime import date

from django.db import models
from django.db.models import F, Q

from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import SealedTextField


class Seal(models.Model):
    """A seal of a unit for one use. Two people put it into use, two people end it; what it signed stays valid.

    ``legend`` is the name on its arc. Its SM2 key is the purpose ``stamp/<id>`` of `kernel.keys`, made when it is put
    into use.
    """

    OFFICIAL, APPROVAL, CERTIFICATE = "official", "approval", "certificate"
    USES = [(OFFICIAL, "公章"), (APPROVAL, "行政审批专用章"), (CERTIFICATE, "证照专用章")]
    PROPOSED, ACTIVE, REFUSED, ENDING, ENDED = "proposed", "active", "refused", "ending", "ended"
    STATES = [
        (PROPOSED, "待复核"),
        (ACTIVE, "启用"),
        (REFUSED, "未通过"),
        (ENDING, "待复核停用"),
        (ENDED, "停用"),
    ]

    unit = models.ForeignKey("directory.Unit", on_delete=models.PROTECT, related_name="+")
    use = models.CharField("用途", max_length=12, choices=USES)
    legend = models.CharField("章面单位名称", max_length=40)
    number = models.CharField("印章编码", max_length=13, unique=True)
    valid_from = models.DateField("启用日期")
    valid_to = models.DateField(
        "停止使用日期", null=True, help_text="the first day on which it no longer signs"
    )
    state = models.CharField("状态", max_length=10, choices=STATES, default=PROPOSED)
    reason = SealedTextField("理由", max_length=200, owner="")
    proposed_by = models.CharField(max_length=80)
    proposed_label = models.CharField(max_length=120)
    proposed_at = models.DateTimeField()
    decided_by = models.CharField(max_length=80, blank=True)
    decided_label = models.CharField(max_length=120, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "印章"
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "use"], condition=Q(state__in=["active", "ending"]), name="seal_one_in_use"
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="seal_not_empty"
            ),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this seal."""
        return Ref("seal", str(self.pk))

    @property
    def purpose(self) -> str:
        """The name of its key."""
        return f"stamp/{self.pk}"

    @property
    def waits(self) -> bool:
        """Whether it waits for a second person."""
        return self.state in (self.PROPOSED, self.ENDING)

    def signs_on(self, day: date) -> bool:
        """Whether it signs on a day. One whose end waits for the second person still does."""
        in_time = self.valid_from <= day and (self.valid_to is None or day < self.valid_to)
        return in_time and self.state in (self.ACTIVE, self.ENDING)
