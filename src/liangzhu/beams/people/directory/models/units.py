"""Units, and what of a unit changes with time. All spans are half-open days: ``valid_from`` counts, ``valid_to`` does not."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

from liangzhu.kernel.refs import Ref

SLUG = RegexValidator(r"^[a-z0-9][a-z0-9_.-]*$", "只能用小写字母、数字、下划线、点和短横，以字母或数字开头。")


class Unit(models.Model):
    """A unit (机构): what stays the same while its name, code and superior change.

    ``superior`` names a body outside the district that leads it (市级部门派驻的分局), as text.
    """

    GOVERNMENT, DEPARTMENT, OFFICE, PARTY = (
        "government",
        "government_department",
        "government_office",
        "party_body",
    )
    KINDS = [
        (GOVERNMENT, "政府"),
        (OFFICE, "政府办公室"),
        (DEPARTMENT, "政府部门"),
        (PARTY, "党委机构"),
        ("city_branch", "市级派驻分局"),
        ("zone_office", "高新区机构"),
        ("town", "镇"),
        ("street", "街道"),
        ("farm_or_park", "农林场、园区"),
        ("public_institution", "事业单位"),
        ("command_group", "领导小组、指挥部"),
        ("collective", "集体收件单位"),
    ]

    key = models.CharField(max_length=60, unique=True, validators=[SLUG])
    kind = models.CharField(max_length=24, choices=KINDS)
    superior = models.CharField(max_length=100, blank=True)

    class Meta:
        verbose_name = "机构"

    @property
    def ref(self) -> Ref:
        """The reference of this unit."""
        return Ref("unit", str(self.pk))


class UnitSpell(models.Model):
    """One stretch of days in which a unit has one name, one code and one superior. A unit's spells join without gap."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="spells")
    name = models.CharField(max_length=100)
    short_name = models.CharField(max_length=40)
    code = models.CharField(max_length=18, blank=True, help_text="区划代码或统一社会信用代码")
    parent = models.ForeignKey(Unit, null=True, on_delete=models.PROTECT, related_name="+")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    source = models.CharField(max_length=200)
    unconfirmed = models.BooleanField(default=False)
    to_confirm = models.CharField(
        max_length=200, blank=True, help_text="what nobody of the district has confirmed yet"
    )

    class Meta:
        verbose_name = "机构沿革"
        ordering = ["unit_id", "valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["unit", "valid_from"], name="spell_one_start"),
            models.UniqueConstraint(fields=["unit"], condition=Q(valid_to=None), name="spell_one_open"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="spell_not_empty"
            ),
            models.CheckConstraint(condition=~Q(parent=F("unit")), name="spell_not_own_parent"),
        ]


class UnitAlias(models.Model):
    """Another way people write a unit's name (别称); found by `by_name`, never shown as the name."""

    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, related_name="aliases")
    name = models.CharField(max_length=100)

    class Meta:
        verbose_name = "机构别称"
        constraints = [models.UniqueConstraint(fields=["unit", "name"], name="alias_once")]


class UnitSuccession(models.Model):
    """Which unit took over from which, from what day.

    ``whole`` is True where the predecessor ended and everything passed on; otherwise ``scope`` says which duties moved and
    nothing passes by itself. ``announced_at`` is set when the event went out; an unconfirmed succession is only shown.
    """

    predecessor = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="successions")
    successor = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="inheritances")
    on = models.DateField()
    whole = models.BooleanField(default=True)
    scope = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=200)
    unconfirmed = models.BooleanField(default=False)
    to_confirm = models.CharField(max_length=200, blank=True)
    announced_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "职能承接"
        ordering = ["on", "id"]
        constraints = [
            models.UniqueConstraint(fields=["predecessor", "successor", "on"], name="succession_once"),
            models.UniqueConstraint(
                fields=["predecessor"],
                condition=Q(whole=True, unconfirmed=False),
                name="succession_one_whole",
            ),
            models.CheckConstraint(condition=~Q(predecessor=F("successor")), name="succession_of_another"),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this succession."""
        return Ref("unit_succession", str(self.pk))


class UnitSet(models.Model):
    """An open set of units as documents write it (“各镇街”), expanded by rules on the day that matters.

    ``mode`` "all": every member is meant. "candidates": somebody chooses among the members (“各有关部门”).
    """

    ALL, CANDIDATES = "all", "candidates"
    MODES = [(ALL, "全部单位"), (CANDIDATES, "候选，由下达人选定")]

    key = models.CharField(max_length=60, unique=True, validators=[SLUG])
    expression = models.CharField(max_length=100, unique=True)
    mode = models.CharField(max_length=12, choices=MODES, default=ALL)
    basis = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=200)
    unconfirmed = models.BooleanField(default=False)
    to_confirm = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = "单位集合"

    @property
    def ref(self) -> Ref:
        """The reference of this set."""
        return Ref("unit_set", str(self.pk))


class UnitSetAlias(models.Model):
    """Another expression for the same set."""

    unit_set = models.ForeignKey(UnitSet, on_delete=models.CASCADE, related_name="aliases")
    expression = models.CharField(max_length=100, unique=True)

    class Meta:
        verbose_name = "单位集合别称"


class UnitSetRule(models.Model):
    """One line of a set's rule. Members = (units of the kinds, and below the units named ``under``) + members − except."""

    KIND, UNDER, MEMBER, EXCEPT = "kind", "under", "member", "except"
    RULES = [(KIND, "类型"), (UNDER, "隶属于"), (MEMBER, "另加"), (EXCEPT, "除去")]

    unit_set = models.ForeignKey(UnitSet, on_delete=models.CASCADE, related_name="rules")
    rule = models.CharField(max_length=8, choices=RULES)
    kind = models.CharField(max_length=24, choices=Unit.KINDS, blank=True)
    unit = models.ForeignKey(Unit, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "单位集合规则"
        constraints = [
            models.CheckConstraint(
                condition=Q(rule="kind", unit=None) & ~Q(kind="")
                | ~Q(rule="kind") & Q(kind="", unit__isnull=False),
                name="set_rule_names_kind_or_unit",
            ),
            models.UniqueConstraint(fields=["unit_set", "rule", "kind", "unit"], name="set_rule_once"),
        ]


class TreeVersion(models.Model):
    """One row, whose token changes whenever anything of the tree does, so that processes know when to read it again.

    A random token, not a count: a count taken in a transaction that rolls back would be given again to other contents.
    """

    token = models.CharField(max_length=32)

    class Meta:
        verbose_name = "机构树版本"
