"""Clocks (时限): what runs, since when, until when, and where it stood still."""

from django.db import models
from django.db.models import Q

from liangzhu.beams.work.matters.models.matter import Matter
from liangzhu.kernel.sealing import SealedTextField


class Clock(models.Model):
    """One run of a clock that the process declares. ``due_at`` is exclusive: a day ends at 24:00
    Asia/Shanghai.

    ``stopped_at`` ends it for good; a pause is a `ClockStop`. While it is paused ``due_at`` is what it was,
    and counts for nothing. ``amount`` is a number of ``unit``; a date has amount 0.
    """

    PROMISED, LEGAL = "promised", "legal"
    KINDS = [(PROMISED, "承诺"), (LEGAL, "法定")]
    UNITS = [
        ("workday", "工作日"),
        ("day", "日"),
        ("month", "个月"),
        ("workhour", "工作时"),
        ("hour", "小时"),
        ("date", "指定日期"),
    ]

    matter = models.ForeignKey(Matter, on_delete=models.PROTECT, related_name="clocks")
    name = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=KINDS)
    unit = models.CharField(max_length=10, choices=UNITS)
    amount = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    due_at = models.DateTimeField()
    warn_at = models.DateTimeField()
    remind_at = models.DateTimeField(null=True, help_text="when the next reminder is owed")
    paused = models.BooleanField(default=False)
    stopped_at = models.DateTimeField(null=True)
    provisional = models.BooleanField(
        default=False, help_text="the due date lies beyond the published holidays"
    )

    class Meta:
        verbose_name = "时限"
        constraints = [
            models.UniqueConstraint(
                fields=["matter", "name"], condition=Q(stopped_at=None), name="clock_runs_once"
            )
        ]
        indexes = [
            models.Index(fields=["remind_at"], condition=Q(stopped_at=None), name="clock_reminder"),
            models.Index(fields=["due_at"], condition=Q(stopped_at=None), name="clock_running"),
            models.Index(
                fields=["due_at"], condition=Q(stopped_at=None, provisional=True), name="clock_guessed"
            ),
        ]


class ClockStop(models.Model):
    """A stretch that is not counted (中止计时), with its ground. Only one is open at a time."""

    clock = models.ForeignKey(Clock, on_delete=models.PROTECT, related_name="stops")
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    reason = SealedTextField(owner="clock.matter", max_length=500)

    class Meta:
        verbose_name = "中止计时"
        constraints = [
            models.UniqueConstraint(
                fields=["clock"], condition=Q(ended_at=None), name="clock_stands_still_once"
            )
        ]


class ClockExtension(models.Model):
    """A later end (延期), who granted it and why. ``amount`` is in the clock's unit, in days where that is months; a date has the new day
    instead.
    """

    clock = models.ForeignKey(Clock, on_delete=models.PROTECT, related_name="extensions")
    amount = models.PositiveIntegerField(default=0)
    old_due = models.DateTimeField()
    new_due = models.DateTimeField()
    reason = SealedTextField(owner="clock.matter", max_length=500)
    by = models.CharField(max_length=120, help_text="label of who granted it")
    at = models.DateTimeField()

    class Meta:
        verbose_name = "延期"
