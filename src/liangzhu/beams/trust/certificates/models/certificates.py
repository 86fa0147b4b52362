"""Certificates (证照), what happened to them, and how their holders show them."""

from django.db import models
from django.db.models import F, Q

from liangzhu.beams.trust.certificates.models.stamped import Stamped
from liangzhu.beams.trust.certificates.states import OPERATIONS, STATES
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import SealedTextField


class Certificate(Stamped):
    """A certificate under its identifier (电子证照标识, GB/T 36904). The state is a pointer; history is `Change` rows.

    ``holder`` is the Ref of a person or an organisation. ``previous`` is the certificate that this one follows, where it
    is ours; ``previous_identifier`` names it in any case.
    """

    kind = models.CharField("证照类型", max_length=40)
    identifier = models.CharField("电子证照标识", max_length=128, unique=True)
    number = models.CharField("证照编号", max_length=80)
    holder = models.CharField(max_length=80)
    state = models.CharField("状态", max_length=2, choices=STATES.items(), default="01")
    operation = models.CharField("操作类型", max_length=2, choices=OPERATIONS.items(), default="01")
    valid_from = models.DateField("生效日期")
    valid_until = models.DateField("有效期至", null=True, help_text="the last day; none: without end")
    previous = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="next")
    previous_identifier = models.CharField(max_length=128, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "证照"
        indexes = [
            models.Index(fields=["holder", "-id"]),
            models.Index(fields=["unit", "-id"]),
            models.Index(fields=["unit", "kind", "-id"]),
            models.Index(fields=["valid_until"], condition=Q(state="01"), name="certificate_to_expire"),
        ]
        constraints = [
            # A change keeps the number; versions of one certificate differ in their identifiers.
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="certificate_not_empty",
            ),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this certificate."""
        return Ref("certificate", str(self.pk))


class Change(models.Model):
    """One operation on a certificate (操作类型), only added."""

    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="changes")
    operation = models.CharField(max_length=2, choices=OPERATIONS.items())
    from_state = models.CharField(max_length=2, choices=STATES.items(), blank=True)
    to_state = models.CharField(max_length=2, choices=STATES.items())
    ground = SealedTextField("理由和依据", max_length=400, owner="certificate")
    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    actor_label = models.CharField(max_length=120)

    class Meta:
        verbose_name = "证照变动"
        ordering = ["id"]


class Share(models.Model):
    """That a holder shows chosen fields once (亮证): for minutes, to whoever has the address or types the code.

    Address and code are kept as digests. ``fields`` are names, never values.
    """

    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="shares")
    token = models.CharField(max_length=64, unique=True, help_text="hex SM3 of what stands in the address")
    code = models.CharField(max_length=16, help_text="keyed digest of the typed form")
    fields = models.CharField(max_length=400, help_text="keys, blanks between")
    shared_by = models.CharField(max_length=80)
    shared_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="UTC, the machine's clock")
    used_at = models.DateTimeField(null=True)
    used_by = models.CharField(max_length=80, blank=True)
    verifier = SealedTextField("核验人", max_length=60, owner="certificate", blank=True)

    class Meta:
        verbose_name = "出示"
        indexes = [models.Index(fields=["code"]), models.Index(fields=["certificate", "-id"])]

    @property
    def ref(self) -> Ref:
        """The reference of this showing."""
        return Ref("certificate_share", str(self.pk))
