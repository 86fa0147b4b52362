"""What was measured: snapshots, and the rows behind a number."""

from django.db import models
from django.db.models import Q

from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import SealedTextField


class RowSet(models.Model):
    """The rows behind a number, by their fingerprint: a number that stands on the same rows for a month keeps them once.

    ``fingerprint`` is the hex SM3 over the sorted references, see `measuring.fingerprint`.
    """

    fingerprint = models.CharField(max_length=64, unique=True)
    counted = models.PositiveIntegerField(help_text="rows in the numerator")
    others = models.PositiveIntegerField(default=0, help_text="further rows of the denominator")

    class Meta:
        verbose_name = "指标明细"


class Row(models.Model):
    """One row behind a number. ``counted``: it stands in the numerator; otherwise only in the denominator."""

    row_set = models.ForeignKey(RowSet, on_delete=models.PROTECT, related_name="rows")
    ref = models.CharField(max_length=80)
    counted = models.BooleanField(default=True)

    class Meta:
        verbose_name = "指标明细行"
        constraints = [models.UniqueConstraint(fields=["row_set", "ref"], name="indicator_row_once")]


class Snapshot(models.Model):
    """A value at a day (快照). Value and evidence never change; a reported one is decided on by a second person.

    ``as_of`` is the day the value speaks of, ``at`` the instant it was recorded. A computed value counts at once, a
    reported one when it is confirmed. ``value`` is None where there was nothing to measure.
    """

    MEASURED, REPORTED, CONFIRMED, REFUSED = "measured", "reported", "confirmed", "refused"
    STATES = [(MEASURED, "已测算"), (REPORTED, "待确认"), (CONFIRMED, "已确认"), (REFUSED, "已退回")]
    COUNTS = (MEASURED, CONFIRMED)

    indicator = models.ForeignKey("indicators.Indicator", on_delete=models.PROTECT, related_name="snapshots")
    edition = models.PositiveIntegerField()
    as_of = models.DateField("时点")
    at = models.DateTimeField()
    value = models.DecimalField("数值", max_digits=20, decimal_places=6, null=True)
    numerator = models.DecimalField("分子", max_digits=20, decimal_places=6, null=True)
    denominator = models.DecimalField("分母", max_digits=20, decimal_places=6, null=True)
    query = models.CharField(max_length=80, blank=True)
    query_version = models.PositiveIntegerField(null=True)
    row_set = models.ForeignKey(RowSet, on_delete=models.PROTECT, null=True, related_name="snapshots")
    source = models.CharField("出处", max_length=300, blank=True)
    note = SealedTextField("说明", owner="", blank=True)
    evidence = models.CharField(max_length=80, blank=True, help_text="reference of what proves it, if any")
    state = models.CharField(max_length=9, choices=STATES)
    recorded_by = models.CharField(max_length=80)
    recorded_label = models.CharField(max_length=80)
    person_id = models.BigIntegerField(null=True, help_text="person who reported, whatever the post")
    decided_by = models.CharField(max_length=80, blank=True)
    decided_label = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True)
    reason = SealedTextField("退回理由", owner="", blank=True)

    class Meta:
        verbose_name = "指标快照"
        indexes = [
            models.Index(
                fields=["indicator", "-as_of", "-id"],
                condition=Q(state__in=("measured", "confirmed")),
                name="snapshot_that_counts",
            ),
            models.Index(
                fields=["indicator", "as_of"], condition=Q(state="reported"), name="snapshot_to_decide"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["indicator", "as_of"], condition=Q(state="reported"), name="snapshot_one_to_decide"
            ),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this snapshot."""
        return Ref("snapshot", str(self.pk))
