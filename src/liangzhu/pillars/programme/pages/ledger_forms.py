"""The forms of the ledger: splitting, finishing, extending, publishing, binding checks, writing letters."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from liangzhu.kernel.ui.forms import DateField, Form, TextField
from liangzhu.pillars.programme.models import Clause, Finding, PlanTask

FIRST_ROWS, MOST_ROWS = 4, 30
"""Rows of the splitting form: on a fresh page, and at most."""


class SplitForm(Form):
    """Several steps (节点) at once. Row n has the fields ``title-n``, ``due_on-n`` and ``unit-n``; an empty row does not count.

    ``rows`` travels with the form, so that a page without script can ask for one more.
    """

    rows = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, units: Sequence[tuple[int, str]], rows: int = FIRST_ROWS, **kwargs: Any):
        self.count = min(max(rows, 1), MOST_ROWS)
        super().__init__(*args, **kwargs)
        self.initial["rows"] = self.count
        for n in range(1, self.count + 1):
            self.fields[f"title-{n}"] = forms.CharField(
                label="节点名称",
                max_length=200,
                required=n == 1,
                error_messages={"required": "请至少写一个节点。"},
            )
            self.fields[f"due_on-{n}"] = DateField(
                label="计划完成", required=n == 1, error_messages={"required": "请填写计划完成日期。"}
            )
            self.fields[f"unit-{n}"] = forms.TypedChoiceField(label="承担单位", coerce=int, choices=units)

    @staticmethod
    def rows_asked(data: Mapping[str, str]) -> int:
        """How many rows a page that was sent had; a spoilt figure counts as a fresh page."""
        given = str(data.get("rows", ""))
        return int(given) if given.isascii() and given.isdigit() and len(given) < 4 else FIRST_ROWS

    def lines(self) -> list[dict[str, Any]]:
        """The rows for the page: number and bound fields."""
        return [
            {"n": n, "title": self[f"title-{n}"], "due_on": self[f"due_on-{n}"], "unit": self[f"unit-{n}"]}
            for n in range(1, self.count + 1)
        ]

    @property
    def full(self) -> bool:
        """Whether no row can be added."""
        return self.count >= MOST_ROWS

    def clean(self) -> dict[str, Any]:
        """A row needs both its name and its day."""
        data = super().clean() or {}
        for n in range(2, self.count + 1):
            title, due_on = f"title-{n}", f"due_on-{n}"
            if data.get(title) and not data.get(due_on) and due_on not in self.errors:
                self.add_error(due_on, "请填写计划完成日期。")
            if data.get(due_on) and not data.get(title) and title not in self.errors:
                self.add_error(title, "请写明节点名称，或清空这一行的日期。")
        return data

    def error_list(self) -> list[tuple[str, str, str]]:
        """Every error, with the row it is in: the labels of the rows are all the same."""
        named = []
        for target, label, message in super().error_list():
            row = target.rpartition("-")[2]
            named.append((target, f"节点 {row} {label}" if row.isdigit() else label, message))
        return named

    def steps(self) -> list[dict[str, Any]]:
        """The steps of the rows that were filled in."""
        data = self.cleaned_data
        return [
            {
                "row": n,
                "title": data[f"title-{n}"],
                "due_on": data[f"due_on-{n}"],
                "unit_id": data[f"unit-{n}"],
            }
            for n in range(1, self.count + 1)
            if data.get(f"title-{n}")
        ]


class StepForm(Form):
    """Rename a step, move its day, or withdraw it."""

    title = forms.CharField(label="节点名称", max_length=200)
    due_on = DateField(label="计划完成")
    withdraw = forms.BooleanField(
        label="取消这个节点", required=False, help_text="取消的节点仍列在台账里，写明已取消，不再计入完成数。"
    )


class FinishForm(Form):
    """Report a step as finished."""

    result = TextField(
        label="完成情况", max_length=500, help_text="写清做成了什么、怎样核对的；材料在“报进展”里上传。"
    )
    done_on = DateField(label="完成日期")


class ExtensionForm(Form):
    """Ask for a later limit."""

    new_due = DateField(label="申请延至")
    reason = TextField(
        label="理由", max_length=1000, help_text="写清为什么不能按期、已经做到哪一步、新期限怎样保证。"
    )


class LimitForm(Form):
    """Give a limit to a task for which the plan names none."""

    due_on = DateField(label="期限")
    reason = TextField(label="依据", max_length=500, rows=3, help_text="例如领导小组会议决定、上级文件。")


class HelperForm(Form):
    """Choose one more helping unit out of the plan's open sets."""

    unit_id = forms.TypedChoiceField(label="配合单位", coerce=int, help_text="只能从文件写明的参与范围里选。")

    def __init__(self, *args: Any, options: Sequence[tuple[str, list[tuple[int, str]]]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["unit_id"].choices = [("", "请选择"), *options]


class PublishForm(Form):
    """What the public reads about a task."""

    summary = TextField(
        label="公开摘要",
        max_length=300,
        rows=3,
        required=False,
        help_text="用群众看得懂的话写一两句；标题、牵头单位、期限和状态由台账自动给出。",
    )


class CheckForm(Form):
    """Bind a clause to an executable check. A target keeps the comparison of the plan; a task is given one here."""

    indicator_key = forms.ChoiceField(label="指标")
    op = forms.ChoiceField(label="比较")
    amount = forms.DecimalField(label="目标值", max_digits=18, decimal_places=4)
    due_on = DateField(label="考核日", required=False, help_text="到这一天还没有达到，条款就算逾期。")

    def __init__(self, *args: Any, clause: Clause, options: Sequence[tuple[str, str]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["indicator_key"].choices = [("", "请选择"), *options]
        self.fields["op"].choices = [("", "请选择"), *Finding.OPS]
        self.fields["amount"].widget.attrs["class"] = "input-short"
        if clause.kind == Clause.TARGET:
            del self.fields["op"], self.fields["amount"]
        else:
            self.fields["op"].help_text = "文件没有给这项任务写明数值，达到什么才算兑现，由这里定。"


class LetterForm(Form):
    """What an urging and a notice of criticism share: the tasks they are about, and the text."""

    tasks = forms.TypedMultipleChoiceField(
        label="任务",
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "请至少选一项任务。",
            "invalid_choice": "选的任务里有已经办结、撤销或不再符合条件的，已从列表中去掉，请核对后再提交。",
        },
    )
    body = TextField(label="正文", max_length=4000, rows=10, help_text="一行一段。已按台账起草，可以修改。")

    def __init__(self, *args: Any, tasks: Sequence[PlanTask], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["tasks"].choices = [(task.pk, str(task)) for task in tasks]

    @property
    def chosen(self) -> set[str]:
        """The tasks that are ticked, as text."""
        return {str(value) for value in self["tasks"].value() or ()}


class UrgeForm(LetterForm):
    """An urging (催办单)."""


class CriticismForm(LetterForm):
    """A notice of criticism (通报), drafted for a second person to sign."""

    title = forms.CharField(label="标题", max_length=200)

    field_order = ("once", "tasks", "title", "body")


class SignForm(Form):
    """Sign a notice of criticism, or send it back: then a reason is due."""

    reason = TextField(
        label="退回理由", max_length=300, rows=3, required=False, help_text="签发时不填；退回时写清改什么。"
    )
