"""Which unit sees which matter: what the lists of the inbox are read from."""

from django.db import models
from django.db.models import Q

from liangzhu.beams.work.matters.models.matter import CLOSED, NEVER, OPEN, Matter


class Sight(models.Model):
    """A unit that sees a matter (可见单位): it holds it, is a party of it, or works on a part of it.

    Derived, written by `sights` in the transaction of each change. It repeats the matter's columns that a list is
    ordered by, so that "all I may see" is one walk through one index, however many matters there are.
    ``helping``: a part of the unit is open.
    """

    matter = models.ForeignKey(Matter, on_delete=models.CASCADE, related_name="sights", db_index=False)
    unit = models.ForeignKey("directory.Unit", on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=40)
    due_at = models.DateTimeField(default=NEVER)
    closed_at = models.DateTimeField(null=True)
    helping = models.BooleanField(default=False)

    class Meta:
        verbose_name = "可见单位"
        constraints = [models.UniqueConstraint(fields=["matter", "unit"], name="sight_once")]
        indexes = [
            models.Index(fields=["unit", "due_at", "matter", "kind"], condition=OPEN, name="sight_open"),
            models.Index(
                fields=["unit", "due_at", "matter"],
                condition=OPEN & Q(helping=True),
                name="sight_helping",
            ),
            models.Index(fields=["unit", "-closed_at", "-matter"], condition=CLOSED, name="sight_closed"),
        ]
