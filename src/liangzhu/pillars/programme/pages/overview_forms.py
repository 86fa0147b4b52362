"""What is asked of the overview: a plan, a day, and which clauses or public tasks."""

from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict

from liangzhu.kernel.now import today
from liangzhu.kernel.ui.forms import DateField, Form


class DayForm(Form):
    """Which day to look at. An address that names none asks for today, and the field says so."""

    day = DateField(label="看哪一天")

    def __init__(self, data: QueryDict, **kwargs: Any):
        if not data.get("day"):
            data = data.copy()
            data["day"] = today().isoformat()
        super().__init__(data, **kwargs)

    def clean_day(self) -> date:
        """Raises ValidationError for a day to come."""
        day = self.cleaned_data["day"]
        if day > today():
            raise forms.ValidationError(f"{day:%Y-%m-%d} 还没有到，只能看今天和以前的日子。")
        return day


class ClauseForm(DayForm):
    """Which clauses to list. The choices are those of the plan on that day."""

    state = forms.ChoiceField(label="状态", required=False)
    unit = forms.ChoiceField(label="牵头单位", required=False)
    chapter = forms.ChoiceField(label="章", required=False)
    kind = forms.ChoiceField(label="条款", required=False)

    def __init__(self, data: QueryDict, *, choices: dict[str, list[tuple[str, str]]]):
        super().__init__(data)
        self.order_fields(["state", "unit", "chapter", "kind", "day"])
        for name, rows in choices.items():
            self.fields[name].choices = [("", "全部"), *rows]
            self.fields[name].error_messages["invalid_choice"] = "这份计划里没有这一项，已显示全部。"


class PublicForm(Form):
    """Which published tasks to show."""

    q = forms.CharField(label="找任务、单位或词", required=False, max_length=50)
    unit = forms.ChoiceField(label="牵头单位", required=False)
    state = forms.ChoiceField(label="进展", required=False)

    def __init__(self, *args: Any, choices: dict[str, list[tuple[str, str]]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name, rows in choices.items():
            self.fields[name].choices = [("", "全部"), *rows]
            self.fields[name].error_messages["invalid_choice"] = "没有公开这一项，已显示全部。"
