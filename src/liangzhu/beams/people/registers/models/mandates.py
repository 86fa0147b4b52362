"""Mandates: that one acts for another (授权、代办、监护)."""

from dataclasses import dataclass
from datetime import date

from django.db import models
from django.db.models import F, Q

from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import Sealed, SealedTextField


@dataclass(frozen=True)
class Scope:
    """What somebody wants to do for another: a kind of business, one case (a Ref); nothing named: anything at all."""

    kind: str = ""
    case: str = ""


class Mandate(Sealed):
    """That ``agent`` may act for ``principal``, both Refs of a natural person or an organisation.

    Days are half-open: ``valid_from`` counts, ``valid_to`` does not. It begins no earlier than the day on which the
    other side confirmed it, and ends early on ``ended_on``. One derived from another (转委托) holds while that one does.
    """

    CAPACITIES = [
        ("company_agent", "单位经办人"),
        ("representative", "授权代表"),
        ("guardian", "监护人"),
        ("entrusted", "受托代办"),
    ]
    ALL, KINDS, CASE = "all", "kinds", "case"
    SCOPES = [(ALL, "全部事项"), (KINDS, "指定业务"), (CASE, "一件事项")]
    PRINCIPAL, AGENT = "principal", "agent"
    SIDES = [(PRINCIPAL, "被代理人"), (AGENT, "代理人")]
    REASONS = [
        ("revoked", "被代理人撤销"),
        ("resigned", "代理人辞任"),
        ("expired", "到期"),
        ("adult", "被监护人满十八周岁"),
        ("death", "死亡"),
        ("dissolved", "组织终止"),
        ("parent", "所依据的授权终止"),
        ("merged", "双方登记合并为一人"),
    ]

    principal = models.CharField("被代理人", max_length=80)
    agent = models.CharField("代理人", max_length=80)
    capacity = models.CharField("身份", max_length=16, choices=CAPACITIES)
    scope_kind = models.CharField("范围", max_length=8, choices=SCOPES, default=ALL)
    scopes = models.CharField(
        "业务或事项", max_length=400, blank=True, help_text="kinds of business, or one Ref; blanks between"
    )
    valid_from = models.DateField("生效日期")
    valid_to = models.DateField("终止日期", null=True)
    until_adult = models.BooleanField(default=False, help_text="valid_to is the ward's 18th birthday")
    basis = SealedTextField("依据", max_length=400)
    may_delegate = models.BooleanField("允许转委托", default=False)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="derived")
    asked_by = models.CharField("由谁提出", max_length=10, choices=SIDES)
    confirmed_on = models.DateField("对方确认日期", null=True)
    confirmed_by = models.CharField(max_length=80, blank=True, help_text="Ref of the officer who saw it")
    evidence = SealedTextField("确认凭据", max_length=400, blank=True)
    ended_on = models.DateField("提前终止日期", null=True)
    end_reason = models.CharField("终止原因", max_length=10, choices=REASONS, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "授权"
        indexes = [
            models.Index(fields=["agent", "principal"]),
            models.Index(fields=["principal"]),
            models.Index(fields=["valid_to"], condition=Q(ended_on=None), name="mandate_to_end"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="mandate_not_empty"
            ),
            models.CheckConstraint(condition=~Q(principal=F("agent")), name="mandate_of_two"),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this mandate."""
        return Ref("mandate", str(self.pk))

    @property
    def other_side(self) -> str:
        """Who has to confirm: the side that did not ask."""
        return self.AGENT if self.asked_by == self.PRINCIPAL else self.PRINCIPAL

    @property
    def confirming(self) -> str:
        """The other side in words."""
        return dict(self.SIDES)[self.other_side]

    def in_force(self, day: date) -> bool:
        """Whether it holds on a day, and so does what it is derived from."""
        if self.confirmed_on is None or day < max(self.valid_from, self.confirmed_on):
            return False
        if any(end is not None and day >= end for end in (self.valid_to, self.ended_on)):
            return False
        return self.parent is None or self.parent.in_force(day)

    def covers(self, asked: Scope) -> bool:
        """Whether what is asked lies within it. What names nothing is covered by a mandate for everything only."""
        if self.scope_kind == self.ALL:
            return True
        return (asked.kind if self.scope_kind == self.KINDS else asked.case) in self.scopes.split()
