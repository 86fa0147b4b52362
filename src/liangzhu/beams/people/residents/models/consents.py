"""Consents (授权同意): that government may read named fields of a named source, for one case."""

from datetime import datetime

from django.db import models

from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import SealedTextField


class Consent(models.Model):
    """One consent. It names subject, source, fields, purpose and case, and ends by itself (``until`` does not count).

    ``fields`` are names with blanks between. ``person`` and ``organisation`` are the subject, one of the two.
    """

    CHANNELS = [
        ("portal", "网上"),
        ("code", "出示服务码"),
        ("counter", "窗口"),
        ("phone", "电话"),
    ]

    person = models.ForeignKey(
        "registers.NaturalPerson", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    organisation = models.ForeignKey(
        "registers.Organisation", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    source = models.CharField("来源", max_length=80)
    fields = models.CharField("内容", max_length=800)
    purpose = SealedTextField("目的", max_length=200, owner="person")
    case = models.CharField("事项", max_length=80)
    channel = models.CharField("途径", max_length=8, choices=CHANNELS)
    evidence = models.CharField(
        max_length=80, blank=True, help_text="Ref of what proves it where staff note it"
    )
    given_by = models.CharField(max_length=80)
    given_at = models.DateTimeField("同意时间")
    until = models.DateTimeField("有效期至")
    ended_at = models.DateTimeField("终止时间", null=True)

    class Meta:
        verbose_name = "授权同意"
        indexes = [
            models.Index(fields=["person", "case"], name="consent_person"),
            models.Index(fields=["organisation", "case"], name="consent_organisation"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(person=None) ^ models.Q(organisation=None), name="consent_one_subject"
            ),
            models.CheckConstraint(
                condition=models.Q(until__gt=models.F("given_at")), name="consent_not_empty"
            ),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this consent."""
        return Ref("consent", str(self.pk))

    @property
    def subject(self) -> Ref:
        """Whose values may be read."""
        if self.person_id:
            return Ref("natural_person", str(self.person_id))
        return Ref("organisation", str(self.organisation_id))

    @property
    def names(self) -> list[str]:
        """The fields."""
        return self.fields.split()

    def in_force(self, moment: datetime) -> bool:
        """Whether it holds at an instant."""
        return self.given_at <= moment < self.until and (self.ended_at is None or moment < self.ended_at)
