"""Ratings of services (政务服务好差评; 国办发〔2019〕51号)."""

from django.db import models

from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import Sealed, SealedTextField


class Rating(Sealed):
    """One rating of one service done: asked for, given or taken as good by default (系统默认, counted apart).

    ``rated`` is the printed Ref of what was done, ``rater`` of who is asked, "" for somebody without an account, who uses
    ``number`` and code. ``again`` is what the same person said after a bad one was dealt with; the first level stays.
    """

    LEVELS = [(5, "非常满意"), (4, "满意"), (3, "基本满意"), (2, "不满意"), (1, "非常不满意")]
    BAD = (1, 2)
    CHANNELS = [("online", "网上"), ("window", "窗口"), ("hotline", "热线"), ("code", "扫码")]
    ASKED, GIVEN, DEFAULT, VOID = "asked", "given", "default", "void"
    STATES = [(ASKED, "待评价"), (GIVEN, "已评价"), (DEFAULT, "系统默认"), (VOID, "不予采纳")]

    number = models.CharField("评价号", max_length=20, unique=True)
    code_digest = models.CharField(max_length=64)
    rated = models.CharField(max_length=80)
    title = models.CharField("所办的事", max_length=200)
    unit = models.ForeignKey("directory.Unit", on_delete=models.PROTECT, verbose_name="办理单位")
    item = models.CharField("事项", max_length=40, blank=True)
    clerk = models.CharField("经办人", max_length=80, blank=True)
    rater = models.CharField(max_length=80, blank=True)
    channel = models.CharField("渠道", max_length=8, choices=CHANNELS, blank=True)
    state = models.CharField("状态", max_length=8, choices=STATES, default=ASKED)
    level = models.PositiveSmallIntegerField("评价", choices=LEVELS, null=True)
    again = models.PositiveSmallIntegerField("整改后评价", choices=LEVELS, null=True)
    comment = SealedTextField("说明", max_length=1000, owner="self", blank=True)
    asked_at = models.DateTimeField("邀请时间")
    given_at = models.DateTimeField("评价时间", null=True)
    matter = models.OneToOneField(
        "matters.Matter", on_delete=models.PROTECT, null=True, related_name="bad_rating"
    )

    class Meta:
        verbose_name = "评价"
        constraints = [models.UniqueConstraint(fields=["rated"], name="rating_once")]
        indexes = [
            models.Index(fields=["rater", "state"]),
            models.Index(fields=["state", "asked_at"]),
            models.Index(fields=["asked_at", "unit", "item", "state", "level"], name="rating_figures"),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this rating."""
        return Ref("rating", str(self.pk))

    @property
    def bad(self) -> bool:
        """Whether it is a bad one (差评)."""
        return self.level in self.BAD

    @property
    def may_again(self) -> bool:
        """Whether it may be rated again: a bad one whose matter ended, adopted, not yet rated again."""
        return (
            self.state == self.GIVEN
            and self.again is None
            and self.matter is not None
            and not self.matter.is_open
        )
