"""How a post keeps its desk: saved views, its default view, its calendar address, what it wants to be told."""

from django.db import models
from django.db.models import Q

from liangzhu.beams.work.matters.models.matter import Matter
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import SealedTextField


class View(models.Model):
    """A saved view of the inbox (视图): a scope, what narrows it, the columns of its rows. ``shared``: the whole unit sees it."""

    post = models.ForeignKey("directory.Post", on_delete=models.PROTECT, related_name="+", db_index=False)
    unit = models.ForeignKey("directory.Unit", on_delete=models.PROTECT, related_name="+", db_index=False)
    name = models.CharField("名称", max_length=20)
    shared = models.BooleanField("本单位共用", default=False)
    scope = models.CharField(max_length=10, default="mine")
    closed = models.BooleanField(default=False)
    kind = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=40, blank=True)
    light = models.CharField(max_length=10, blank=True)
    held_by = models.ForeignKey(
        "directory.Unit", on_delete=models.PROTECT, related_name="+", null=True, db_index=False
    )
    urgency = models.PositiveSmallIntegerField(choices=Matter.URGENCIES, null=True)
    opened_from = models.DateField(null=True)
    opened_to = models.DateField(null=True)
    applicant = models.CharField(max_length=80, blank=True, help_text="Ref kind:id")
    text = SealedTextField(owner="", max_length=100, blank=True)
    newest = models.BooleanField(default=False, help_text="newest first, instead of what ends first")
    columns = models.CharField(
        max_length=80, blank=True, help_text="names separated by commas; empty: the usual ones"
    )

    class Meta:
        verbose_name = "视图"
        constraints = [models.UniqueConstraint(fields=["post", "name"], name="view_name_once")]
        indexes = [models.Index(fields=["unit"], condition=Q(shared=True), name="view_shared")]

    @property
    def ref(self) -> Ref:
        """The reference of this view."""
        return Ref("matter_view", str(self.pk))


class Desk(models.Model):
    """What a post chose for itself; a post without a row has the usual.

    ``default_view`` opens when the inbox is entered. ``quiet``: notices come in working hours only. ``token`` is the
    keyed digest of the secret in the address of the calendar of limits; empty: there is no such address.
    """

    post = models.OneToOneField(
        "directory.Post", on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    default_view = models.ForeignKey(
        View, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    quiet = models.BooleanField("只在工作时间提醒", default=False)
    token = models.CharField(max_length=64, blank=True)
    token_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "工作台设置"
        constraints = [
            models.UniqueConstraint(fields=["token"], condition=~Q(token=""), name="desk_token_once")
        ]

    @property
    def ref(self) -> Ref:
        """The reference of the post's desk."""
        return Ref("desk", str(self.pk))


class NoticeRule(models.Model):
    """How a post wants to hear of notices of a level, for a kind of matter or ("") for every kind."""

    NOW, DIGEST, NONE = "now", "digest", "none"
    WAYS = [(NOW, "随时"), (DIGEST, "每日汇总"), (NONE, "不提醒")]

    post = models.ForeignKey("directory.Post", on_delete=models.PROTECT, related_name="+", db_index=False)
    level = models.CharField(max_length=10)
    kind = models.CharField(max_length=40, blank=True)
    way = models.CharField(max_length=10, choices=WAYS)

    class Meta:
        verbose_name = "提醒方式"
        constraints = [models.UniqueConstraint(fields=["post", "level", "kind"], name="notice_rule_once")]
