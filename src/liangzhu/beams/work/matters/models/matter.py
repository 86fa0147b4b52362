"""A matter (办理事项), who takes part in it, and the parallel parts inside it."""

from datetime import UTC, datetime

from django.db import models
from django.db.models import Q

from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import Sealed, SealedTextField

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Stands in `Matter.due_at` when no clock runs: a column without NULL lets one index serve order and paging.
"""

OPEN = Q(closed_at=None)
CLOSED = Q(closed_at__isnull=False)
"""Not ``~OPEN``: SQLite uses a partial index only for a condition that is written as the query writes it."""

ENDED_WITH_MATTER = "随事项结束"
"""The result of a part that was still open when its matter ended: it was not done."""


class Matter(Sealed):
    """One thing to be done, of any kind: a case, an order, an event, a document, a task.

    ``state`` is a pointer, the history is `Entry`. Each kind has a typed one-to-one table of its own.
    Instants are UTC. What a list filters or sorts by is a column here, so that no list joins and none
    computes a light:

    ``due_at`` is the nearest end of a running clock (`NEVER` without one), ``warn_at`` the nearest warning,
    ``promised_at`` and ``legal_at`` the nearest end by kind of clock, ``timed_from`` the earliest start among
    those that run, ``clock_paused`` a clock that stands still, ``overran`` the worst that an ended clock left
    behind (0 none ended yet, 1 in time, 2 beyond the promise, 3 beyond the law).
    """

    UNTIMED, IN_TIME, BEYOND_PROMISE, BEYOND_LAW = 0, 1, 2, 3
    URGENCIES = [(0, "平件"), (1, "急件"), (2, "特急")]

    number = models.CharField("编号", max_length=60, unique=True)
    kind = models.CharField("种类", max_length=40)
    release = models.ForeignKey(
        "kernel.Release", on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="流程版本"
    )
    state = models.CharField("状态", max_length=40)
    title = SealedTextField("标题", max_length=200)
    holding_unit = models.ForeignKey(
        "directory.Unit", on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="承办单位"
    )
    assignee = models.ForeignKey(
        "directory.Post",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        db_index=False,
        verbose_name="承办岗位",
    )
    applicant = models.CharField("申请人", max_length=80, blank=True, help_text="Ref kind:id")
    urgency = models.PositiveSmallIntegerField("缓急", choices=URGENCIES, default=0)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="children", verbose_name="上级事项"
    )
    place = SealedTextField("地点", max_length=200, blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(default=NEVER)
    warn_at = models.DateTimeField(null=True)
    promised_at = models.DateTimeField(null=True)
    legal_at = models.DateTimeField(null=True)
    timed_from = models.DateTimeField(null=True)
    clock_paused = models.BooleanField(default=False)
    clock_provisional = models.BooleanField(
        default=False, help_text="a due date lies beyond the published holidays"
    )
    overran = models.PositiveSmallIntegerField(default=UNTIMED)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "事项"
        indexes = [
            models.Index(fields=["holding_unit", "due_at", "id"], condition=OPEN, name="matter_unit_inbox"),
            models.Index(fields=["holding_unit", "-id"], condition=OPEN, name="matter_unit_new"),
            models.Index(fields=["applicant"], condition=OPEN, name="matter_applicant_open"),
            models.Index(fields=["applicant", "-id"], condition=CLOSED, name="matter_applicant_closed"),
            models.Index(
                fields=["holding_unit", "kind", "due_at", "id"], condition=OPEN, name="matter_unit_kind"
            ),
            # Without the empty ones: the planner would take it for "given to nobody", across all units.
            models.Index(
                fields=["assignee", "due_at", "id"],
                condition=OPEN & Q(assignee__isnull=False),
                name="matter_own_inbox",
            ),
            models.Index(
                fields=["holding_unit", "state", "due_at", "id"],
                condition=OPEN & Q(assignee=None),
                name="matter_unit_free",
            ),
            models.Index(fields=["kind", "due_at", "id"], condition=OPEN, name="matter_kind_open"),
            models.Index(fields=["due_at", "id"], condition=OPEN, name="matter_open"),
            models.Index(fields=["release"], condition=OPEN, name="matter_release_pinned"),
            models.Index(
                fields=["holding_unit", "-closed_at", "-id"], condition=CLOSED, name="matter_unit_closed"
            ),
            models.Index(fields=["kind", "-closed_at", "-id"], condition=CLOSED, name="matter_kind_closed"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def ref(self) -> Ref:
        """The reference of this matter."""
        return Ref("matter", str(self.pk))

    @property
    def is_open(self) -> bool:
        """Whether it is still being worked on."""
        return self.closed_at is None


class Party(models.Model):
    """A unit's role in a matter (牵头, 督办 …); the process names the roles, one unit for each."""

    matter = models.ForeignKey(Matter, on_delete=models.PROTECT, related_name="parties", db_index=False)
    name = models.CharField(max_length=40)
    unit = models.ForeignKey("directory.Unit", on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        verbose_name = "参与单位"
        constraints = [models.UniqueConstraint(fields=["matter", "name"], name="party_once_per_name")]
        indexes = [models.Index(fields=["unit", "matter"], name="party_unit")]


class Part(models.Model):
    """Work that runs in parallel inside one matter (协办, 会签, 征求意见), with its own unit, due and result."""

    matter = models.ForeignKey(Matter, on_delete=models.PROTECT, related_name="parts")
    kind = models.CharField(max_length=40)
    unit = models.ForeignKey("directory.Unit", on_delete=models.PROTECT, related_name="+", db_index=False)
    title = SealedTextField(owner="matter", max_length=200)
    state = models.CharField(max_length=40)
    assignee = models.ForeignKey(
        "directory.Post", on_delete=models.PROTECT, related_name="+", null=True, db_index=False
    )
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    warn_at = models.DateTimeField(null=True)
    remind_at = models.DateTimeField(null=True, help_text="when the next reminder is owed")
    done_at = models.DateTimeField(null=True)
    result = SealedTextField(owner="matter", max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "并行办理"
        indexes = [
            models.Index(fields=["unit", "matter"], condition=Q(done_at=None), name="part_unit_open"),
            models.Index(fields=["unit", "matter", "done_at"], name="part_unit"),
            models.Index(fields=["assignee", "matter"], condition=Q(done_at=None), name="part_own_open"),
            models.Index(fields=["remind_at"], condition=Q(done_at=None), name="part_reminder"),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this part."""
        return Ref("matter_part", str(self.pk))

    @property
    def is_open(self) -> bool:
        """Whether this part is still being worked on."""
        return self.done_at is None
