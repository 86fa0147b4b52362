"""What people fill in about indicators."""

from django import forms

from liangzhu.beams.data.indicators import measuring
from liangzhu.beams.data.indicators.models import Indicator
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.files.api import StagedFilesField
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.ui.forms import DateField, Form, TextField

_NUMBER = {"invalid": "请填数字，例如 81.3。"}


class FindForm(Form):
    """What the list is narrowed by."""

    q = forms.CharField(label="名称或口径", max_length=60, required=False)


class ReportForm(Form):
    """A value, what it speaks of and what proves it."""

    fieldsets = (
        ("数值", ("as_of", "value", "numerator", "denominator")),
        ("佐证（材料和出处至少填一项）", ("files", "source", "note")),
    )

    as_of = DateField(label="时点", help_text="数值说的是哪一天，不是填报的日子。")
    value = forms.DecimalField(label="数值", localize=False, error_messages=_NUMBER)
    numerator = forms.DecimalField(label="分子", required=False, error_messages=_NUMBER)
    denominator = forms.DecimalField(label="分母", required=False, error_messages=_NUMBER)
    files = StagedFilesField(label="佐证材料", required=False)
    source = forms.CharField(
        label="出处",
        max_length=300,
        required=False,
        help_text="没有文件时写明：哪个系统的哪张表，或哪份文件。",
    )
    note = TextField(label="说明", max_length=1000, required=False, rows=3)

    def __init__(self, *args, indicator: Indicator, actor: Actor, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["files"].actor = actor
        unit = indicator.measure_unit
        self.fields["value"].label = f"数值（{unit}）" if unit else "数值"
        self.fields["value"].help_text = (
            f"保留 {indicator.decimals} 位小数。" if indicator.decimals else "整数。"
        )
        self.fields["numerator"].help_text = f"可不填；填了会与数值核对。算式：{indicator.formula}"


class DecideForm(Form):
    """Confirm, or send back with a reason."""

    reason = TextField(label="退回理由", max_length=500, required=False, rows=3, help_text="退回时必填。")


class DefineForm(Form):
    """A definition."""

    fieldsets = (
        ("名称", ("key", "name", "reading", "kind", "query")),
        ("口径", ("caliber", "formula", "measure_unit", "decimals", "better")),
        ("责任", ("owner_unit_id", "frequency", "source", "unconfirmed", "to_confirm")),
    )

    key = forms.CharField(label="键", max_length=80, help_text="领域.名称，小写字母，启用后不再改。")
    name = forms.CharField(label="名称", max_length=60)
    reading = forms.CharField(
        label="读法", max_length=40, required=False, help_text="同名指标有几种算法时写明。"
    )
    kind = forms.ChoiceField(label="来源", choices=Indicator.KINDS)
    query = forms.ChoiceField(label="查询", required=False, help_text="系统计算的指标用哪个查询。")
    caliber = TextField(label="口径", max_length=1000)
    formula = TextField(label="算式", max_length=500, rows=2)
    measure_unit = forms.CharField(label="计量单位", max_length=12, required=False)
    decimals = forms.IntegerField(label="小数位", min_value=0, max_value=6, initial=1)
    better = forms.ChoiceField(label="方向", choices=Indicator.BETTER)
    owner_unit_id = forms.TypedChoiceField(label="责任单位", coerce=int)
    frequency = forms.ChoiceField(label="更新频率", choices=Indicator.FREQUENCIES)
    source = forms.CharField(label="依据", max_length=300)
    unconfirmed = forms.BooleanField(label="口径还没有得到确认", required=False)
    to_confirm = forms.CharField(label="要确认什么", max_length=200, required=False)

    def __init__(self, *args, indicator: Indicator | None = None, **kwargs):
        if indicator:
            kwargs["version"] = indicator.version
            kwargs["initial"] = {
                name: getattr(indicator, name) for name in self.base_fields if name != "once"
            }
        super().__init__(*args, **kwargs)
        self.fields["query"].choices = [("", "—"), *((name, name) for name in measuring.query_names())]
        units = sorted(directory.units().all(), key=lambda unit: unit.name)
        self.fields["owner_unit_id"].choices = [("", "请选择"), *((unit.id, unit.name) for unit in units)]
        if indicator:
            for name in ("key", "kind"):
                self.fields[name].disabled = True
