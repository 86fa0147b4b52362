"""Messages (消息) to residents and enterprises: to the person or the organisation, whether an account exists yet or not."""

from django.db import models
from django.db.models import Q

from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import SealedTextField


class Message(models.Model):
    """One message. ``key`` makes sending it again harmless; ``about`` is the Ref of what it tells of, and goes with it."""

    person = models.ForeignKey(
        "registers.NaturalPerson", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    organisation = models.ForeignKey(
        "registers.Organisation", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    key = models.CharField(max_length=120)
    title = SealedTextField("标题", max_length=200, owner="person")
    text = SealedTextField("内容", max_length=1000, owner="person", blank=True)
    url = models.CharField(max_length=200, blank=True)
    about = models.CharField(max_length=80, blank=True)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "消息"
        indexes = [
            models.Index(fields=["person", "-id"], name="message_person"),
            models.Index(fields=["organisation", "-id"], name="message_organisation"),
            models.Index(fields=["about"], name="message_about"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(person=None) ^ Q(organisation=None), name="message_one_reader"
            ),
            models.UniqueConstraint(
                fields=["person", "key"], condition=Q(organisation=None), name="message_once_person"
            ),
            models.UniqueConstraint(
                fields=["organisation", "key"], condition=Q(person=None), name="message_once_organisation"
            ),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this message."""
        return Ref("message", str(self.pk))
