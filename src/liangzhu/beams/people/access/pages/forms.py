"""The forms of this app."""

from django import forms

from liangzhu.beams.people.access.models.account import USERNAME
from liangzhu.beams.people.access.queries import STATES
from liangzhu.kernel.ui.forms import DateField, DateInput, Form


class AccountFilter(forms.Form):
    """Which accounts."""

    q = forms.CharField(label="查找", required=False, max_length=60)
    state = forms.ChoiceField(label="状态", required=False, choices=list(STATES.items()))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["q"].widget.attrs |= {"type": "search", "placeholder": "用户名或姓名"}


class PersonFilter(forms.Form):
    """Whose account."""

    q = forms.CharField(label="查找", required=False, max_length=60)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["q"].widget.attrs |= {"type": "search", "placeholder": "姓名"}


class OpenAccountForm(Form):
    """A user name."""

    username = forms.CharField(
        label="用户名",
        max_length=40,
        help_text=USERNAME.message + "开通后不能改。",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ReasonForm(Form):
    """Why."""

    reason = forms.CharField(label="原因", max_length=200, help_text="会留在操作日志里。")


class LogFilter(forms.Form):
    """Which leaves of the log."""

    actor = forms.CharField(label="谁", required=False, max_length=80)
    action = forms.ChoiceField(label="动作", required=False)
    subject = forms.CharField(label="对象", required=False, max_length=80)
    since = DateField(label="从", required=False, widget=DateInput({"class": "input-date input-short"}))
    until = DateField(label="到", required=False, widget=DateInput({"class": "input-date input-short"}))

    def __init__(self, *args, actions: list[tuple[str, str]], **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["action"].choices = [("", "全部"), *actions]
        self.fields["actor"].widget.attrs["placeholder"] = "用户名"
        self.fields["subject"].widget.attrs["placeholder"] = "如 unit:12"

    def clean(self) -> dict:
        """Refuse a stretch that ends before it begins."""
        data = super().clean()
        if data.get("since") and data.get("until") and data["until"] < data["since"]:
            self.add_error("until", "结束日早于起始日，请核对。")
        return data
