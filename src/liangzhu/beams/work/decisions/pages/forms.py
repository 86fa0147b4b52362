"""The form that tries a table: one field for each of its inputs."""

from typing import Any

from django import forms

from liangzhu.beams.work.decisions.table import Column, Table
from liangzhu.kernel.now import today
from liangzhu.kernel.ui.forms import DateField, Form

YES_NO = [("yes", "是"), ("no", "否")]
DAY = "On"
"""The name of the day's field; an input cannot be called so, names have no capitals."""


class TryForm(Form):
    """The inputs of a table and the day; sent by GET, because asking changes nothing. Made by `try_form`."""

    table: Table

    def inputs(self) -> dict[str, Any]:
        """The cleaned inputs as `decide` takes them."""
        found = {column.name: self.cleaned_data.get(column.name) for column in self.table.inputs}
        for column in self.table.inputs:
            if column.type == "yesno":
                found[column.name] = {"yes": True, "no": False}.get(found[column.name])
        return found


def try_form(table: Table, data: Any = None) -> TryForm:
    """A form with one field for each input of a table."""
    fields: dict[str, Any] = {column.name: _field(column) for column in table.inputs}
    fields[DAY] = DateField(label="在哪一天", initial=today(), help_text="行有有效期的，按这一天取。")
    return type("TryTable", (TryForm,), fields | {"table": table})(data, prefix="in")


def _field(column: Column) -> forms.Field:
    common = {"label": column.title, "required": not column.optional}
    if column.type == "number":
        return forms.DecimalField(
            min_value=column.least,
            max_value=column.most,
            decimal_places=0 if column.whole else 9,
            widget=forms.TextInput(attrs={"class": "input-short", "inputmode": "decimal"}),
            help_text=f"单位：{column.unit}" if column.unit else "",
            **common,
        )
    if column.type == "date":
        return DateField(**common)
    if column.type == "set":
        common["required"] = False
        return forms.MultipleChoiceField(
            choices=column.options, widget=forms.CheckboxSelectMultiple, **common
        )
    if column.type in ("choice", "yesno"):
        options = YES_NO if column.type == "yesno" else list(column.options)
        if len(options) <= 6:
            blank = [("", "没有给出")] if column.optional else []
            return forms.ChoiceField(choices=[*blank, *options], widget=forms.RadioSelect, **common)
        return forms.ChoiceField(choices=[("", "请选择"), *options], **common)
    return forms.CharField(max_length=500, **common)
