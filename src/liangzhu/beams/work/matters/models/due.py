"""What a matter is tied to: what it owes by time, other matters, and the edition it runs under."""

from django.db import models
from django.db.models import F, Q

from liangzhu.beams.work.matters.models.clock import Clock
from liangzhu.beams.work.matters.models.matter import Matter
from liangzhu.kernel.sealing import SealedTextField


class Timer(models.Model):
    """Something that happens to a matter by time (定时), as its process declares it: owed from ``at`` on, once.

    ``at`` is None while its clock stands still. What is no longer owed is deleted, what happened stays. What fails is
    tried again from ``try_at`` on (the machine's clock); ``dead_at`` is set when it was given up and a person must look.
    """

    matter = models.ForeignKey(Matter, on_delete=models.PROTECT, related_name="timers")
    name = models.CharField(max_length=40)
    clock = models.ForeignKey(Clock, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    at = models.DateTimeField(null=True)
    fired_at = models.DateTimeField(null=True)
    counts_from = models.DateTimeField(
        null=True, help_text="without a clock: the instant the matter came into the state"
    )
    provisional = models.BooleanField(
        default=False, help_text="without a clock: the instant lies beyond the published holidays"
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    try_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)
    words = SealedTextField(
        owner="matter", max_length=300, blank=True, help_text="why the last try failed, in words"
    )
    error = SealedTextField(owner="matter", blank=True, help_text="trace of the last try that failed")

    class Meta:
        verbose_name = "定时"
        constraints = [
            models.UniqueConstraint(
                fields=["matter", "name"], condition=Q(fired_at=None), name="timer_owed_once"
            )
        ]
        indexes = [
            models.Index(fields=["at"], condition=Q(fired_at=None), name="timer_owed"),
            models.Index(fields=["id"], condition=Q(fired_at=None, attempts__gt=0), name="timer_trouble"),
        ]


class Link(models.Model):
    """A tie between two matters: ``matter`` needs ``to`` to be granted first (前置), or was merged into it (并入)."""

    NEEDS, MERGED = "needs", "merged"
    KINDS = [(NEEDS, "前置"), (MERGED, "并入")]

    matter = models.ForeignKey(Matter, on_delete=models.PROTECT, related_name="links", db_index=False)
    to = models.ForeignKey(Matter, on_delete=models.PROTECT, related_name="linked")
    kind = models.CharField(max_length=10, choices=KINDS)

    class Meta:
        verbose_name = "事项关联"
        constraints = [
            models.UniqueConstraint(fields=["matter", "to", "kind"], name="link_once"),
            models.CheckConstraint(condition=~Q(matter=F("to")), name="link_not_to_itself"),
        ]


class Pin(models.Model):
    """What a release of a process was released with: the version of each guard, effect and condition, the hash of each
    form. ``kind`` "edition" is the hash (SM3, hex) over the text of the process and all of these.
    """

    EDITION = "edition"

    release = models.ForeignKey("kernel.Release", on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=10)
    name = models.CharField(max_length=80)
    mark = models.CharField(max_length=64)

    class Meta:
        verbose_name = "版本依赖"
        constraints = [models.UniqueConstraint(fields=["release", "kind", "name"], name="pin_once")]
