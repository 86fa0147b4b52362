"""Sealed papers (文书): vouchers and decisions with number, seal and date."""

from django.db import models

from liangzhu.beams.trust.certificates.models.stamped import Stamped
from liangzhu.kernel.refs import Ref


class Paper(Stamped):
    """A numbered voucher or decision. Its PDF belongs to the matter once it was drawn."""

    template = models.CharField("文种", max_length=24)
    title = models.CharField(max_length=60)
    number = models.CharField("文号", max_length=80, unique=True)

    class Meta:
        verbose_name = "文书"
        indexes = [
            models.Index(fields=["matter", "id"]),
            models.Index(fields=["id"], condition=models.Q(attachment=None), name="paper_to_draw"),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this paper."""
        return Ref("paper", str(self.pk))


class PlatformCertificate(models.Model):
    """The X.509 certificate of one version of the platform's key, which signs PDF files (PAdES)."""

    version = models.PositiveSmallIntegerField(unique=True)
    der = models.BinaryField()

    class Meta:
        verbose_name = "平台签名证书"
