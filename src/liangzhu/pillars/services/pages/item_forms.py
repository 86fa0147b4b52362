"""The forms of items, made from the columns: what is locked is shown and cannot be changed."""

from typing import Any

from django import forms
from django.db import models

from liangzhu.kernel.ui.forms import DateField, Form, TextField
from liangzhu.pillars.services import checks, sheets
from liangzhu.pillars.services.models import ItemVersion
from liangzhu.pillars.services.models.items import ONLINE_DEPTHS, SERVED, TASK_TYPES, WAYS

LISTS: dict[str, tuple[dict[str, str], str]] = {
    "served": (SERVED, " "),
    "ways": (WAYS, " "),
    "online_depths": (ONLINE_DEPTHS, "^"),
}
HELP = {
    "catalog_code": "12 位，省事项库下发。",
    "task_code": "31 位：实施主体代码 18 位、行使层级 1 位、基本编码 12 位。",
    "handle_code": "33 位：实施编码加 2 位顺序号。",
    "legal_amount": "只填数字，单位在下一项；当场办结填 0。",
    "promised_amount": "只填数字；不能长于法定。",
    "says": "一行一个：群众平时怎么叫这件事。用来搜索，不公开显示。",
    "served": "这件事谁来办。",
    "visits": "全程网办填 0。",
    "visits_why": "次数不为 0 时写明原因和依据。",
    "contact": "带区号的电话，和投诉电话不同。",
    "complaints": "带区号的电话。",
    "hours": "写明工作日还是全天。",
    "address": "写到楼层、窗口或房间。",
    "unconfirmed": "还要向谁确认什么；确认后清空。",
    "case_kind": "办件流程的键，不在这里办的留空。",
    "window_unit": "单位的键；留空用本区综合窗口。",
    "place": "从 0 起，小的在前。",
    "free": "政府核发的材料应选一种；本地增加的不选就不能发布。",
    "source": "数据来源的键。",
    "certificate_type": "证照类型的键。",
}


class _ColumnsForm(Form):
    """Fields made from the columns of a model."""

    def add(
        self, model: type[models.Model], names: tuple[str, ...], row: Any, locked: frozenset[str]
    ) -> None:
        """Add a field for each column, with the row's values; those ``locked`` are shown only."""
        for name in names:
            field = _field(model._meta.get_field(name), name if model is ItemVersion else "")
            field.help_text = HELP.get(name, "")
            field.initial = (
                getattr(row, name) if row is not None else model._meta.get_field(name).get_default()
            )
            if name in LISTS and model is ItemVersion:
                field.initial = [one for one in str(field.initial).split(LISTS[name][1]) if one]
            if name in locked:
                field.disabled = True
                field.help_text = "上级统一的要素，本地不能改；可以向上反映。"
            self.fields[name] = field

    def values(self, data: dict[str, Any]) -> dict[str, Any]:
        """What was filled in, as columns."""
        return {
            name: LISTS[name][1].join(value) if isinstance(value, list) else value
            for name, value in data.items()
        }


def _field(column: models.Field, name: str) -> forms.Field:
    label = str(column.verbose_name)
    if name in LISTS:
        return forms.MultipleChoiceField(
            label=label,
            choices=list(LISTS[name][0].items()),
            required=False,
            widget=forms.CheckboxSelectMultiple,
        )
    if isinstance(column, models.BooleanField):
        return forms.BooleanField(label=label, required=False)
    required = not column.blank and not column.null and not column.has_default()
    if isinstance(column, models.IntegerField):
        return forms.IntegerField(label=label, required=required, min_value=0, max_value=9999)
    if column.flatchoices:
        choices = list(column.flatchoices)
        return forms.ChoiceField(
            label=label,
            choices=[("", "（不填）"), *choices] if column.blank else choices,
            required=not column.blank,
        )
    if isinstance(column, models.TextField):
        return TextField(label=label, required=required, max_length=4000, rows=4)
    if (column.max_length or 0) >= 300:
        return TextField(label=label, required=required, max_length=column.max_length, rows=2)
    return forms.CharField(label=label, required=required, max_length=column.max_length)


class SectionForm(_ColumnsForm):
    """The columns of a section of a draft, with what the checks say beside them."""

    def __init__(self, *args, section: str, row: ItemVersion, findings: list[checks.Finding] = (), **kwargs):
        super().__init__(*args, **kwargs)
        self.add(ItemVersion, sheets.SECTIONS[section][1], row, row.locked_names)
        for one in findings:
            if one.element in self.fields:
                field = self.fields[one.element]
                mark = "要改正" if one.blocks else "提示"
                field.help_text = f"{field.help_text} {mark}：{one.message}。{one.fix}（{one.rule}）".strip()


MATERIAL_UPPER = ("name", "kind", "necessity", "channel", "issuer", "spec", "standard", "basis")


class RowForm(_ColumnsForm):
    """A row below a draft."""

    def __init__(self, *args, kind: str, row: Any, locked: bool, **kwargs):
        super().__init__(*args, **kwargs)
        names = tuple(name for name in sheets.row_columns(kind) if name not in ("key", "local"))
        upper = kind == "materials" and row is not None and locked and not row.local
        self.add(sheets.ROWS[kind], (*names, "place"), row, frozenset(MATERIAL_UPPER if upper else ()))
        self.fields["place"].label = "顺序"
        self.fields["place"].required = False


class NewItemForm(Form):
    """A new item."""

    name = forms.CharField(label="事项名称", max_length=200)
    key = forms.CharField(
        label="键", max_length=40, help_text="小写拼音或英文，定了不再改，例如 zhensuo_beian。"
    )
    task_type = forms.ChoiceField(label="事项类型", choices=list(TASK_TYPES.items()))
    unit_id = forms.ChoiceField(label="实施主体")

    def __init__(self, *args, units=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["unit_id"].choices = list(units)


class SubmitForm(Form):
    """Handing a draft to the second person."""

    note = TextField(
        label="修改说明", max_length=300, rows=3, help_text="改了什么、为什么，审核人和以后的人要看。"
    )
    in_force_from = DateField(label="生效日期", required=False, help_text="不填为审核通过的当天。")


class DecideForm(Form):
    """The second person's decision."""

    note = TextField(
        label="审核意见", max_length=300, rows=3, required=False, help_text="不同意的必须写明原因。"
    )


class PlainForm(Form):
    """A button and nothing else."""


class UpwardForm(Form):
    """A question to the upper level."""

    element = forms.ChoiceField(label="哪个要素")
    to = forms.CharField(label="向哪个单位反映", max_length=100)
    text = TextField(label="问题和建议", max_length=500, rows=5)

    def __init__(self, *args, elements=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["element"].choices = list(elements)


class AnswerForm(Form):
    """The upper level's answer."""

    answer = TextField(label="上级的答复", max_length=500, rows=4)
    outcome = TextField(
        label="处理结果",
        max_length=300,
        rows=2,
        required=False,
        help_text="本区据此做了什么；填写后这个问题办结。",
    )


class ExemptionForm(Form):
    """Asking for an exemption."""

    material = forms.ChoiceField(label="材料")
    reason = TextField(
        label="理由", max_length=300, rows=4, help_text="会公开：为什么不能共享、核验，打算怎样解决。"
    )
    until = DateField(label="终止日", help_text="从这一天起不再有效，最长一年。")

    def __init__(self, *args, materials=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["material"].choices = list(materials)


class ImportForm(Form):
    """A file of items."""

    file = forms.FileField(
        label="文件", help_text="json、csv、xlsx：国家表结构，或有事项名称、事项类型、实施主体的清单。"
    )
    title = forms.CharField(label="来源", max_length=200)
    rest = forms.ChoiceField(
        label="名录里找不到的实施主体", required=False, help_text="不选的，这些行不收入，原因写在报告里。"
    )

    def __init__(self, *args, units=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["rest"].choices = [("", "不收入"), *units]
