"""What happened to a matter: rows that are only added."""

from django.db import models
from django.db.models import Q

from liangzhu.beams.work.matters.models.matter import Matter, Part
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import SealedTextField


class AddOnly(models.Model):
    """A row that is written once. Saving it again or deleting it is a fault of the program."""

    class Meta:
        abstract = True

    def save(self, *args, **kwargs) -> None:
        """Write the row. Raises TypeError when it was written before."""
        if not self._state.adding:
            raise TypeError(f"{type(self).__name__} rows are only added")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        """Refused: raises TypeError."""
        raise TypeError(f"{type(self).__name__} rows are only added")


class Answer(AddOnly):
    """What was filled in at one step (填报内容), as it was. ``form`` is "process/transition" of the matter's
    release.
    """

    matter = models.ForeignKey(Matter, on_delete=models.PROTECT, related_name="answers")
    form = models.CharField(max_length=120)
    body = SealedTextField(owner="matter", help_text="canonical JSON: field name to plain value")
    at = models.DateTimeField()

    class Meta:
        verbose_name = "填报内容"


class Entry(AddOnly):
    """One line of the history (办理经过): who did which step when, and where the matter stood before and after.

    ``transition`` is the name of a step of the process, or "matters.…" for what the engine itself records
    (assignment, extension, pause, succession). ``version`` is that of the matter (or part) after the step.
    """

    matter = models.ForeignKey(Matter, on_delete=models.PROTECT, related_name="entries", db_index=False)
    part = models.ForeignKey(
        Part, on_delete=models.PROTECT, related_name="entries", null=True, db_index=False
    )
    at = models.DateTimeField()
    actor_ref = models.CharField(max_length=80)
    actor_label = models.CharField(max_length=120)
    person_id = models.BigIntegerField(null=True)
    unit_id = models.BigIntegerField(null=True)
    transition = models.CharField(max_length=60)
    title = models.CharField(max_length=120)
    from_state = models.CharField(max_length=40, blank=True)
    to_state = models.CharField(max_length=40)
    note = SealedTextField(owner="matter", blank=True)
    answer = models.OneToOneField(Answer, on_delete=models.PROTECT, null=True, related_name="entry")
    version = models.PositiveIntegerField()

    class Meta:
        verbose_name = "办理经过"
        indexes = [
            models.Index(fields=["matter", "id"], name="entry_matter"),
            models.Index(
                fields=["person_id", "-id"], condition=Q(person_id__isnull=False), name="entry_person"
            ),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this line."""
        return Ref("matter_entry", str(self.pk))


class Comment(AddOnly):
    """A remark beside a matter (批注). It moves nothing."""

    matter = models.ForeignKey(Matter, on_delete=models.PROTECT, related_name="comments")
    at = models.DateTimeField()
    actor_ref = models.CharField(max_length=80)
    actor_label = models.CharField(max_length=120)
    unit_id = models.BigIntegerField(null=True)
    text = SealedTextField(owner="matter")

    class Meta:
        verbose_name = "批注"

    @property
    def ref(self) -> Ref:
        """The reference of this remark."""
        return Ref("matter_comment", str(self.pk))
