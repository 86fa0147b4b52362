"""Proposals: changes of master data that wait for a second person (四眼原则)."""

from django.db import models

from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import Sealed, SealedTextField


class Proposal(Sealed):
    """A change that one officer proposed and another releases or refuses. What it holds is sealed under its own key.

    ``subject`` is the Ref that it changes, empty for something new; ``result`` is what came of it. ``base`` is the
    version of the subject that the proposer saw.
    """

    OPEN, RELEASED, REFUSED, WITHDRAWN = "open", "released", "refused", "withdrawn"
    STATES = [(OPEN, "待复核"), (RELEASED, "已生效"), (REFUSED, "未通过"), (WITHDRAWN, "已撤回")]

    kind = models.CharField("事由", max_length=24)
    subject = models.CharField(max_length=80, blank=True)
    other = models.CharField(
        max_length=80, blank=True, help_text="a second Ref: who is merged, who is the agent"
    )
    base = models.PositiveIntegerField(null=True)
    payload = SealedTextField("内容", help_text="JSON of field to text")
    reason = SealedTextField("理由", max_length=200)
    state = models.CharField("状态", max_length=10, choices=STATES, default=OPEN)
    proposed_by = models.CharField(max_length=80)
    proposed_label = models.CharField(max_length=120)
    proposed_at = models.DateTimeField()
    decided_by = models.CharField(max_length=80, blank=True)
    decided_label = models.CharField(max_length=120, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision = SealedTextField("复核意见", max_length=200, blank=True)
    result = models.CharField(max_length=80, blank=True)

    class Meta:
        verbose_name = "登记申请"
        indexes = [
            models.Index(fields=["state", "proposed_at"]),
            models.Index(fields=["proposed_by", "proposed_at"]),
            models.Index(fields=["subject"]),
            models.Index(fields=["other"]),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this proposal."""
        return Ref("proposal", str(self.pk))
