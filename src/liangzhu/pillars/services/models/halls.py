"""Queues of halls: days, windows that are open, appointments (预约), tickets (排队号).

A ticket names nobody: who is served is in the scan of the service code that was made for it.
"""

from django.db import models
from django.db.models import Q

from liangzhu.kernel.refs import Ref


class HallDay(models.Model):
    """A hall on a day. Its row is the lock: whoever books, takes a number or calls the next one holds it."""

    hall = models.CharField(max_length=40)
    day = models.DateField()

    class Meta:
        verbose_name = "大厅的一天"
        constraints = [models.UniqueConstraint(fields=["hall", "day"], name="hall_day_once")]

    @property
    def ref(self) -> Ref:
        """The reference of this day."""
        return Ref("hall_day", str(self.pk))


class Sitting(models.Model):
    """A clerk at an open window, from ``opened_at`` until ``closed_at``. ``clerk`` is a printed Ref."""

    day = models.ForeignKey(HallDay, on_delete=models.PROTECT, related_name="sittings")
    window = models.CharField("窗口", max_length=60)
    clerk = models.CharField(max_length=80)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    preferred = models.PositiveSmallIntegerField(
        default=0, help_text="preferential tickets called one after another"
    )

    class Meta:
        verbose_name = "窗口值守"
        constraints = [
            models.UniqueConstraint(
                fields=["day", "window"], condition=Q(closed_at=None), name="sitting_window_once"
            ),
            models.UniqueConstraint(fields=["clerk"], condition=Q(closed_at=None), name="sitting_clerk_once"),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this sitting."""
        return Ref("hall_sitting", str(self.pk))


class Appointment(models.Model):
    """A slot that a person booked for himself, for an enterprise or for whom he acts for. ``person`` is who comes.

    ``number`` is what one says at the hall; among the bookings of a day it stands once.
    """

    BOOKED, ARRIVED, CANCELLED, MISSED = "booked", "arrived", "cancelled", "missed"
    STATES = [(BOOKED, "已预约"), (ARRIVED, "已报到"), (CANCELLED, "已取消"), (MISSED, "没有来")]

    day = models.ForeignKey(HallDay, on_delete=models.PROTECT, related_name="appointments")
    business = models.CharField("业务", max_length=40)
    starts_at = models.DateTimeField("时段")
    number = models.CharField("预约号", max_length=6)
    person = models.ForeignKey(
        "registers.NaturalPerson", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    holder = models.CharField(
        "为谁", max_length=80, help_text="printed Ref of the person or organisation it is for"
    )
    mandate = models.BigIntegerField(null=True)
    state = models.CharField("状态", max_length=10, choices=STATES, default=BOOKED)
    booked_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "预约"
        constraints = [models.UniqueConstraint(fields=["day", "number"], name="appointment_number_once")]
        indexes = [
            models.Index(fields=["person", "-starts_at"], name="appointment_person"),
            models.Index(fields=["holder", "-starts_at"], name="appointment_holder"),
            models.Index(fields=["day", "business", "starts_at"], name="appointment_slot"),
            models.Index(fields=["starts_at"], condition=Q(state="booked"), name="appointment_open"),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this appointment."""
        return Ref("hall_appointment", str(self.pk))


class Ticket(models.Model):
    """A number in a queue. ``since`` is what it is ordered by: when it was taken, also after it was moved to another queue.

    ``why`` says why it was called before others. ``waited`` (from ``since`` to the first call) and ``took`` are seconds.
    """

    WAITING, CALLED, SERVING, SERVED = "waiting", "called", "serving", "served"
    MISSED, MOVED, LEFT = "missed", "moved", "left"
    STATES = [
        (WAITING, "等候"),
        (CALLED, "正在叫号"),
        (SERVING, "正在办理"),
        (SERVED, "办结"),
        (MISSED, "过号"),
        (MOVED, "转到别的队"),
        (LEFT, "没有等到"),
    ]
    AT_WINDOW = (CALLED, SERVING)
    WHYS = [
        ("appointment", "预约时间到了"),
        ("priority", "优先"),
        ("order", "按取号先后"),
        ("turn", "连续叫了几个优先，轮到按取号先后的"),
    ]

    day = models.ForeignKey(HallDay, on_delete=models.PROTECT, related_name="tickets")
    business = models.CharField("业务", max_length=40)
    number = models.CharField("号", max_length=8)
    since = models.DateTimeField("取号时间")
    priority = models.CharField("优先", max_length=20, blank=True)
    appointment = models.OneToOneField(
        Appointment, on_delete=models.PROTECT, null=True, related_name="ticket"
    )
    on_time = models.BooleanField(default=False, help_text="the appointment was kept: called at its time")
    before = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    taken_by = models.CharField(max_length=80)
    state = models.CharField("状态", max_length=10, choices=STATES, default=WAITING)
    window = models.CharField("窗口", max_length=60, blank=True)
    clerk = models.CharField(max_length=80, blank=True)
    why = models.CharField("为什么先叫", max_length=12, choices=WHYS, blank=True)
    calls = models.PositiveSmallIntegerField("叫了几次", default=0)
    called_at = models.DateTimeField("叫号时间", null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    waited = models.PositiveIntegerField("等候秒数", null=True)
    took = models.PositiveIntegerField("办理秒数", null=True)

    class Meta:
        verbose_name = "排队号"
        constraints = [
            models.UniqueConstraint(fields=["day", "number"], name="ticket_number_once"),
            models.UniqueConstraint(
                fields=["day", "window"],
                condition=Q(state__in=["called", "serving"]),
                name="ticket_window_once",
            ),
        ]
        indexes = [
            models.Index(fields=["day", "business", "state", "since"], name="ticket_queue"),
            models.Index(
                fields=["clerk"], condition=Q(state__in=["called", "serving"]), name="ticket_at_window"
            ),
            models.Index(fields=["day", "waited"], condition=Q(waited__isnull=False), name="ticket_waited"),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this ticket: the case that codes are scanned for at its window."""
        return Ref("hall_ticket", str(self.pk))
