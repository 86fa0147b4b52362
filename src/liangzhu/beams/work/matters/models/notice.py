"""Notices (提醒) to posts."""

from datetime import date

from django.db import models
from django.db.models import Q

from liangzhu.beams.work.matters.models.matter import Matter
from liangzhu.kernel.now import SHANGHAI
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import SealedTextField


class Notice(models.Model):
    """Something a post should know. ``key`` makes sending it again harmless."""

    INFO, REMIND, URGE = "info", "remind", "urge"
    LEVELS = [(INFO, "通知"), (REMIND, "提醒"), (URGE, "催办")]

    post = models.ForeignKey("directory.Post", on_delete=models.PROTECT, related_name="+", db_index=False)
    matter = models.ForeignKey(
        Matter, on_delete=models.PROTECT, null=True, related_name="notices", db_index=False
    )
    key = models.CharField(max_length=120)
    level = models.CharField(max_length=10, choices=LEVELS, default=INFO)
    title = SealedTextField(owner="matter", max_length=200)
    text = SealedTextField(owner="matter", max_length=500, blank=True)
    url = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    shown_from = models.DateTimeField(
        null=True, help_text="held back until then: a daily digest, or quiet hours"
    )
    read_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "提醒"
        constraints = [models.UniqueConstraint(fields=["post", "key"], name="notice_once_per_post")]
        indexes = [
            models.Index(fields=["post", "-id"], name="notice_post"),
            models.Index(fields=["post", "-id"], condition=Q(read_at=None), name="notice_unread"),
        ]

    @property
    def day(self) -> date:
        """The day in Asia/Shanghai on which it appeared: notices are shown by day."""
        return (self.shown_from or self.at).astimezone(SHANGHAI).date()

    @property
    def ref(self) -> Ref:
        """The reference of this notice."""
        return Ref("notice", str(self.pk))
