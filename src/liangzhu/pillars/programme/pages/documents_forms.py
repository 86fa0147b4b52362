"""The forms of the documents: upload, the decision on a finding, what a person adds, and issuing a task."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms

from liangzhu.kernel.ui.forms import DateField, Form
from liangzhu.pillars.programme.issuing import Scope
from liangzhu.pillars.programme.models import Finding, PlanDocument
from liangzhu.pillars.programme.reading.extract import MAX_BYTES


class UploadForm(Form):
    """A plan file, and which document it is a text of."""

    file = forms.FileField(
        label="方案文件",
        help_text=f"支持 .docx、.txt、.html 和带文字的 .pdf，不超过 {MAX_BYTES // 1024 // 1024} MB。扫描件请先做文字识别；旧版 .doc 请另存为 .docx。",
        widget=forms.FileInput(attrs={"accept": ".docx,.txt,.html,.htm,.pdf"}),
        error_messages={"empty": "文件是空的，没有任何文字。请检查是否选错了文件，或重新导出后上传。"},
    )
    document = forms.TypedChoiceField(
        label="属于哪份文件",
        required=False,
        coerce=int,
        empty_value=None,
        help_text="通常不用选：程序按文号认出修订稿。没有文号，或文号也改了的修订稿，请在这里指明。",
    )

    def __init__(self, *args: Any, documents: Iterable[PlanDocument], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["document"].choices = [
            ("", "按文号自动识别"),
            *(
                (row.pk, f"修订稿：{' '.join(filter(None, [row.number, row.title]))[:60]}")
                for row in documents
            ),
        ]


class TextValueForm(Form):
    """A finding that is a line of text."""

    value = forms.CharField(
        label="更正为", max_length=500, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class DayValueForm(Form):
    """A date or a limit."""

    value = DateField(label="更正为", help_text="例如 2022-10-31。")


class EverywhereForm(Form):
    """What is written so at several places of a text can be corrected at all of them; ``others`` says at how many more."""

    def __init__(self, *args: Any, others: int = 0, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if others:
            self.fields["everywhere"] = forms.BooleanField(
                label=f"本稿另外 {others} 处同样的写法，也这样办", required=False
            )


class UnitValueForm(EverywhereForm):
    """A unit. Where several are called so, ``candidates`` (id, label) are offered to choose from."""

    value = forms.CharField(
        label="单位名称",
        max_length=200,
        help_text="输入几个字，从名录里选；全称、简称都可以。",
        widget=forms.TextInput(attrs={"list": "units", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, candidates: Sequence[tuple[int, str]] = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        if candidates:
            self.fields["unit_id"] = forms.TypedChoiceField(
                label="是哪一个",
                choices=candidates,
                coerce=int,
                widget=forms.RadioSelect,
                required=False,
                empty_value=None,
            )
            self.order_fields(["value", "unit_id", "everywhere"])


class SetValueForm(EverywhereForm):
    """An open set (概称) as the directory knows it."""

    value = forms.CharField(
        label="概称范围",
        max_length=200,
        help_text="写法要与机构名录登记的一致，可从列表里选。",
        widget=forms.TextInput(attrs={"list": "sets", "autocomplete": "off"}),
    )


class TargetForm(Form):
    """A quantified target: name, comparison, figure, unit of measure."""

    name = forms.CharField(
        label="指标名称", max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    op = forms.ChoiceField(label="比较", choices=Finding.OPS)
    amount = forms.DecimalField(
        label="目标值",
        max_digits=18,
        decimal_places=4,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "input-short", "autocomplete": "off"}),
        error_messages={"invalid": "目标值应为数字，例如 85 或 99.5。"},
    )
    measure = forms.CharField(
        label="计量单位",
        max_length=20,
        required=False,
        help_text="例如 %、个、亿元。",
        widget=forms.TextInput(attrs={"class": "input-short", "autocomplete": "off"}),
    )


class ArticleForm(Form):
    """An article that the reader missed: where it begins, its number, its heading. ``places`` are (offset, first words)."""

    start = forms.TypedChoiceField(label="从哪一句开始", coerce=int, widget=forms.RadioSelect)
    no = forms.IntegerField(
        label="第几条",
        min_value=1,
        max_value=999,
        help_text="按原文的编号；不能与已有的条重复。",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "input-short", "autocomplete": "off"}),
    )
    title = forms.CharField(
        label="标题",
        max_length=500,
        required=False,
        help_text="不填，就取这一条开头的标题。",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, places: Sequence[tuple[int, str]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["start"].choices = places


VALUE_FORMS: dict[str, type[Form]] = {
    "lead": UnitValueForm,
    "helper": UnitValueForm,
    "open_set": SetValueForm,
    "date": DayValueForm,
    "deadline": DayValueForm,
    "target": TargetForm,
}


def form_for(kind: str) -> type[Form]:
    """The form in which a person says what a finding of that kind means."""
    return VALUE_FORMS.get(kind, TextValueForm)


class IssueForm(Form):
    """One task in the table of tasks to issue: whether, until when, and which units out of its open sets take part."""

    issue = forms.BooleanField(label="下达", required=False)
    due_on = DateField(label="期限", required=False)

    def __init__(self, *args: Any, no: int, scopes: Sequence[Scope] = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._scopes = scopes
        self.fields["due_on"].widget.attrs["aria-label"] = f"任务 {no} 的期限"
        if scopes:
            self.fields["scopes"] = self._several(
                "整个范围", [(scope.id, f"{scope.expression}（{len(scope.units)} 个）") for scope in scopes]
            )
            self.fields["helpers"] = self._several(
                "逐个选择", [unit for scope in scopes for unit in scope.choices]
            )

    @staticmethod
    def _several(label: str, choices: Sequence[tuple[int, str]]) -> forms.TypedMultipleChoiceField:
        return forms.TypedMultipleChoiceField(
            label=label, choices=choices, coerce=int, required=False, widget=forms.CheckboxSelectMultiple
        )

    @property
    def chosen(self) -> bool:
        """Whether this task was ticked."""
        return self.is_bound and self.add_prefix("issue") in self.data

    @property
    def boxes(self) -> list[tuple[str, list[forms.boundfield.BoundWidget]]]:
        """The boxes of single units under the words of the plan."""
        if not self._scopes:
            return []
        boxes = {str(box.data["value"]): box for box in self["helpers"].subwidgets}
        groups = [
            (scope.expression, [boxes[str(unit)] for unit, _ in scope.choices]) for scope in self._scopes
        ]
        return [group for group in groups if group[1]]

    def units(self) -> list[int]:
        """The units that were chosen, one by one and by whole sets; after `is_valid`."""
        whole = set(self.cleaned_data.get("scopes") or ())
        chosen = list(self.cleaned_data.get("helpers") or ())
        chosen += [unit for scope in self._scopes if scope.id in whole for unit in scope.units]
        return list(dict.fromkeys(chosen))
