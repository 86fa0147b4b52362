"""Local changes to the working-day calendar."""

from django.db import models

from liangzhu.kernel.refs import Ref


class DayOverride(models.Model):
    """A day that the district works, or does not, against the national calendar (e.g. halls closed by notice)."""

    date = models.DateField(unique=True)
    workday = models.BooleanField()
    reason = models.CharField(max_length=200)
    source = models.CharField(max_length=200, help_text="number or address of the notice")

    class Meta:
        verbose_name = "工作日调整"

    @property
    def ref(self) -> Ref:
        """The reference of this override."""
        return Ref("day_override", self.date.isoformat())
