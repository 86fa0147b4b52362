"""Releases (immutable, two persons) and number series."""

from django.db import models

from liangzhu.kernel.refs import Ref


class Release(models.Model):
    """One edition of a thing that is data: a process, a form, a rule.

    The body never changes after it was written. Release 1 is seeded from a file; a changed file makes a draft, which a
    second person puts in force. What runs ends under the release it began with.
    """

    DRAFT, IN_FORCE, SUPERSEDED, REFUSED = "draft", "in_force", "superseded", "refused"
    WITHDRAWN = "withdrawn"
    STATES = [
        (DRAFT, "草稿"),
        (IN_FORCE, "生效"),
        (SUPERSEDED, "已被替代"),
        (REFUSED, "未通过"),
        (WITHDRAWN, "已撤回"),
    ]
    NEVER_RAN = (DRAFT, REFUSED, WITHDRAWN)

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=80)
    number = models.PositiveIntegerField()
    body = models.TextField()
    fingerprint = models.CharField(max_length=64, help_text="hex SM3 of the body")
    state = models.CharField(max_length=12, choices=STATES, default=DRAFT)
    origin = models.CharField(max_length=200, blank=True, help_text="file, relative to the source tree")
    drafted_by = models.CharField(max_length=80)
    drafted_at = models.DateTimeField()
    released_by = models.CharField(max_length=80, blank=True)
    released_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "发布版本"
        constraints = [
            models.UniqueConstraint(fields=["kind", "key", "number"], name="release_number_once"),
            models.UniqueConstraint(
                fields=["kind", "key"], condition=models.Q(state="in_force"), name="release_one_in_force"
            ),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this release."""
        return Ref("release", str(self.pk))


class Series(models.Model):
    """A series of numbers that are given out once: ``name`` and year, the last one given."""

    name = models.CharField(max_length=80)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "编号序列"
        constraints = [models.UniqueConstraint(fields=["name", "year"], name="series_once_a_year")]
