"""What was loaded from the district's pack."""

from django.db import models


class PackEntry(models.Model):
    """What the pack said of one thing when it was last loaded, as fingerprints.

    If the thing still is what ``applied`` says, nobody changed it by hand and a newer pack may be applied. If not,
    people's change stands, and ``refused`` remembers which edition was set aside, so that it is logged once.
    """

    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=150)
    ref = models.CharField(max_length=80, help_text="the thing, as Ref")
    applied = models.CharField(
        max_length=64, blank=True, help_text="hex SM3 of the canonical entry; empty: never applied"
    )
    refused = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = "资料包载入记录"
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="pack_entry_once")]
