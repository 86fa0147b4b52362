"""The forms of applying."""

from typing import Any

from django import forms as django_forms

from liangzhu.beams.work.decisions import api as decisions
from liangzhu.beams.work.files.api import StagedFilesField
from liangzhu.kernel.ui.forms import Form
from liangzhu.pillars.services.models import Application


class QuestionsForm(Form):
    """The questions of a bundle, made from the inputs of its table; answers travel in the address."""

    def __init__(self, *args, columns: list[decisions.Column], **kwargs):
        super().__init__(*args, **kwargs)
        self.columns = columns
        for column in columns:
            self.fields[column.name] = _question(column)

    def answers(self) -> dict[str, Any]:
        """The answers as the table reads them."""
        found = {}
        for column in self.columns:
            value = self.cleaned_data[column.name]
            found[column.name] = value == "yes" if column.type == "yesno" else value or None
        return found


def _question(column: decisions.Column) -> django_forms.Field:
    required = not column.optional
    if column.type in ("yesno", "choice"):
        options = [("yes", "是"), ("no", "否")] if column.type == "yesno" else list(column.options)
        return django_forms.ChoiceField(
            label=column.title,
            choices=options,
            required=required,
            widget=django_forms.RadioSelect,
            error_messages={"required": f"请选择：{column.title}。"},
        )
    if column.type == "set":
        return django_forms.MultipleChoiceField(
            label=column.title,
            choices=list(column.options),
            required=False,
            widget=django_forms.CheckboxSelectMultiple,
        )
    return django_forms.CharField(label=column.title, required=required, max_length=100)


class MaterialForm(Form):
    """Files for one material."""

    uploads = StagedFilesField(label="选择文件", help_text="PDF、图片或常用文档；拍照也可以。")

    def __init__(self, *args, actor, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["uploads"].actor = actor


class DeliveryForm(Form):
    """How the results come."""

    delivery = django_forms.ChoiceField(
        label="怎样拿结果", choices=Application.DELIVERIES, widget=django_forms.RadioSelect
    )
    address = django_forms.CharField(
        label="邮寄地址", required=False, max_length=200, help_text="选邮寄的填写：省市区、路名门牌、收件人。"
    )


class PostingForm(Form):
    """Why the postal address is looked at in full."""

    reason = django_forms.CharField(
        label="查看原因", max_length=100, initial="邮寄办理结果", help_text="会记入日志，申请人可以看到。"
    )


class SubmitForm(Form):
    """Sending it."""

    declared = django_forms.BooleanField(label="我已核对，所填内容和材料真实")


class CorrectForm(Form):
    """Answer to a correction notice."""

    explanation = django_forms.CharField(
        label="补正说明", max_length=1000, widget=django_forms.Textarea(attrs={"rows": 4})
    )
    uploads = StagedFilesField(label="补正材料", required=False)

    def __init__(self, *args, actor, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["uploads"].actor = actor


class WithdrawForm(Form):
    """Withdrawing."""

    reason = django_forms.CharField(label="撤回理由", required=False, max_length=200)


class LookUpForm(Form):
    """Number and password."""

    number = django_forms.CharField(label="申办编号", max_length=40)
    password = django_forms.CharField(label="查询密码", max_length=12)


class VerifyForm(Form):
    """Staff verified a material."""

    good = django_forms.ChoiceField(
        label="核验结果", choices=[("yes", "属实"), ("no", "不符")], widget=django_forms.RadioSelect
    )
    note = django_forms.CharField(label="怎样核验、结果如何", max_length=300)
