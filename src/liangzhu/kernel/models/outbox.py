"""The outbox: events written in the transaction of the change, delivered at least once, in order per subject."""

from django.db import models

from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import SealedTextField


class OutboxEvent(models.Model):
    """Something that happened. Written with the change; never altered."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=80)
    subject = models.CharField(max_length=80)
    body = SealedTextField(owner="", help_text="JSON of the event's fields")
    actor = models.CharField(max_length=80)
    request_id = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = "事件"
        indexes = [models.Index(fields=["subject", "id"])]


class Delivery(models.Model):
    """One event owed to one handler. ``dead_at`` is set when it was given up and a person must look.

    The unfinished deliveries of one handler and subject are a line (队列): only its first one is delivered.
    """

    HANDLER_GONE = "handler_gone"
    EVENT_GONE = "event_gone"
    WORKER_LOST = "worker_lost"
    FAILED = "failed"
    REASONS = {
        HANDLER_GONE: "处理程序已不存在",
        EVENT_GONE: "事件无法识别",
        WORKER_LOST: "后台进程中断",
        FAILED: "处理出错",
    }

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(OutboxEvent, on_delete=models.PROTECT, related_name="deliveries")
    handler = models.CharField(max_length=120)
    lane = models.CharField(
        max_length=20, blank=True, help_text="the courier that carries it; empty: a handler of the program"
    )
    subject = models.CharField(max_length=80)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(help_text="machine's clock: not before")
    waits = models.BooleanField(
        default=False, help_text="an earlier one of its line was unfinished when it was last looked at"
    )
    lease_until = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=20, blank=True, choices=tuple(REASONS.items()))
    words = SealedTextField(
        owner="", max_length=300, blank=True, help_text="why the last try failed, in words"
    )
    error = SealedTextField(owner="", blank=True, help_text="trace of the last try that failed")
    skipped = SealedTextField(
        owner="", max_length=200, blank=True, help_text="why a person let it go undelivered"
    )

    class Meta:
        verbose_name = "投递"
        constraints = [models.UniqueConstraint(fields=["event", "handler"], name="delivery_once_per_handler")]
        indexes = [
            models.Index(
                fields=["lane", "due_at", "id"],
                condition=models.Q(done_at=None, dead_at=None, waits=False),
                name="delivery_owed",
            ),
            # done_at is always empty here; as a column it lets SQLite answer from the index alone.
            models.Index(
                fields=["handler", "subject", "id", "done_at"],
                condition=models.Q(done_at=None),
                name="delivery_order",
            ),
            models.Index(
                fields=["id"], condition=models.Q(done_at=None, attempts__gt=0), name="delivery_trouble"
            ),
        ]

    @property
    def ref(self) -> Ref:
        """``delivery:id``."""
        return Ref("delivery", str(self.pk))


class PeriodicRun(models.Model):
    """When a periodic job last ran, and who holds it now."""

    name = models.CharField(max_length=80, primary_key=True)
    last_at = models.DateTimeField(null=True, help_text="machine's clock")
    lease_until = models.DateTimeField(null=True)
    error = SealedTextField(owner="", blank=True)


class Received(models.Model):
    """A message from outside that was taken in, by its source and id: sent twice, it is taken in once.

    ``event`` is what it became here; with ``refused`` it became nothing, and a person may ask why.
    """

    id = models.BigAutoField(primary_key=True)
    source = models.CharField(max_length=200)
    ident = models.CharField(max_length=200)
    type = models.CharField(max_length=200)
    at = models.DateTimeField(help_text="machine's clock")
    event = models.ForeignKey(OutboxEvent, null=True, on_delete=models.SET_NULL, related_name="+")
    refused = SealedTextField(owner="", max_length=300, blank=True)

    class Meta:
        verbose_name = "来件"
        constraints = [models.UniqueConstraint(fields=["source", "ident"], name="received_once")]
        indexes = [models.Index(fields=["at"], name="received_at")]
