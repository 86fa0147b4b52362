"""What is measured, and how: the definition of an indicator and its editions."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from liangzhu.kernel.refs import Ref

KEY = RegexValidator(
    r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$",
    "键写成“领域.名称”，只用小写字母、数字和下划线，例如 services.online_rate。",
)


class Indicator(models.Model):
    """An indicator (指标) as it is defined now.

    ``computed`` ones are measured by a named query, ``reported`` ones are reported by their owner unit. Several
    readings (读法) of one official name share a ``group``; one of them is the default. ``unconfirmed``: nobody of
    the district has confirmed the caliber (口径) yet, ``to_confirm`` says what has to be asked.
    """

    COMPUTED, REPORTED = "computed", "reported"
    KINDS = [(COMPUTED, "系统计算"), (REPORTED, "单位填报")]
    UP, DOWN = "up", "down"
    BETTER = [(UP, "越高越好"), (DOWN, "越低越好")]
    FREQUENCIES = [("day", "每日"), ("month", "每月"), ("quarter", "每季"), ("year", "每年")]

    key = models.CharField("键", max_length=80, unique=True, validators=[KEY])
    name = models.CharField("名称", max_length=60)
    reading = models.CharField("读法", max_length=40, blank=True)
    group = models.CharField("同名指标", max_length=80, blank=True)
    is_default = models.BooleanField("默认读法", default=True)
    kind = models.CharField("来源", max_length=8, choices=KINDS)
    query = models.CharField("查询", max_length=80, blank=True)
    measure_unit = models.CharField("计量单位", max_length=12, blank=True)
    decimals = models.PositiveSmallIntegerField("小数位", default=1)
    better = models.CharField("方向", max_length=4, choices=BETTER, default=UP)
    caliber = models.TextField("口径")
    formula = models.TextField("算式")
    frequency = models.CharField("频率", max_length=8, choices=FREQUENCIES)
    owner_unit = models.ForeignKey(
        "directory.Unit", on_delete=models.PROTECT, related_name="+", verbose_name="责任单位"
    )
    source = models.CharField("依据", max_length=300)
    unconfirmed = models.BooleanField("待确认", default=False)
    to_confirm = models.CharField("要确认什么", max_length=200, blank=True)
    edition = models.PositiveIntegerField(default=1)
    version = models.PositiveIntegerField(default=1)
    changed_by = models.CharField(max_length=80)
    changed_label = models.CharField(max_length=80)
    changed_at = models.DateTimeField()
    pack_print = models.CharField(
        max_length=64, blank=True, help_text="hex SM3 of the pack's entry that was applied last"
    )

    class Meta:
        verbose_name = "指标"
        ordering = ["key"]
        constraints = [
            models.CheckConstraint(
                condition=(Q(kind="computed") & ~Q(query="")) | Q(kind="reported", query=""),
                name="indicator_query_if_computed",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def ref(self) -> Ref:
        """The reference of this indicator."""
        return Ref("indicator", self.key)

    @property
    def title(self) -> str:
        """Name with its reading: 一网通办率（事项口径）."""
        return f"{self.name}（{self.reading}）" if self.reading else self.name


class Edition(models.Model):
    """What a definition said from a moment on. Only added: a value is judged by the edition that it was measured by."""

    indicator = models.ForeignKey(Indicator, on_delete=models.PROTECT, related_name="editions")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=60)
    caliber = models.TextField()
    formula = models.TextField()
    measure_unit = models.CharField(max_length=12, blank=True)
    query = models.CharField(max_length=80, blank=True)
    at = models.DateTimeField()
    recorded_by = models.CharField(max_length=80)
    recorded_label = models.CharField(max_length=80)

    class Meta:
        verbose_name = "指标定义版次"
        ordering = ["indicator_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["indicator", "number"], name="indicator_edition_once"),
        ]
