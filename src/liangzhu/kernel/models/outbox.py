"""The outbox: events written in the transaction of the change, delivered at least once, in order per subject."""

from django.db import models


class OutboxEvent(models.Model):
    """Something that happened. Written with the change; never altered."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=80)
    subject = models.CharField(max_length=80)
    body = models.TextField(help_text="JSON of the event's fields")
    actor = models.CharField(max_length=80)
    request_id = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = "事件"
        indexes = [models.Index(fields=["subject", "id"])]


class Delivery(models.Model):
    """One event owed to one handler. ``dead_at`` is set when it was given up and a person must look."""

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(OutboxEvent, on_delete=models.PROTECT, related_name="deliveries")
    handler = models.CharField(max_length=120)
    subject = models.CharField(max_length=80)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(help_text="machine's clock: not before")
    lease_until = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = "投递"
        constraints = [models.UniqueConstraint(fields=["event", "handler"], name="delivery_once_per_handler")]
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(done_at=None, dead_at=None), name="delivery_owed"
            ),
            models.Index(
                fields=["handler", "subject", "id"], condition=models.Q(done_at=None), name="delivery_order"
            ),
        ]


class PeriodicRun(models.Model):
    """When a periodic job last ran, and who holds it now."""

    name = models.CharField(max_length=80, primary_key=True)
    last_at = models.DateTimeField(null=True, help_text="machine's clock")
    lease_until = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
