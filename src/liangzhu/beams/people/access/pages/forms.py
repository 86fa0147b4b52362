"""The forms of this app."""

from django import forms

from liangzhu.beams.people.access.models.account import USERNAME
from liangzhu.beams.people.access.queries import STATES, TOKEN_STATES, open_posts_for_programs
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.http import all_scopes
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


class TokenForm(Form):
    """What a token may do, for how long, and from where."""

    name = forms.CharField(
        label="用途", max_length=60, help_text="日后凭它认出这个令牌，例如“收件系统同步”。"
    )
    scopes = forms.MultipleChoiceField(
        label="范围",
        choices=lambda: list(all_scopes().items()),
        widget=forms.CheckboxSelectMultiple,
        help_text="只勾用得到的；能办理的也能读。",
    )
    days = forms.IntegerField(
        label="有效天数", initial=90, min_value=1, widget=forms.NumberInput({"class": "input-short"})
    )
    networks = forms.CharField(
        label="只能从这些地址使用",
        required=False,
        max_length=400,
        help_text="例如 10.1.2.3 或 10.1.2.0/24，多个用空格隔开；不填则不限。",
    )


class TokenFilter(forms.Form):
    """Which tokens."""

    q = forms.CharField(label="查找", required=False, max_length=60)
    state = forms.ChoiceField(label="状态", required=False, choices=list(TOKEN_STATES.items()))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["q"].widget.attrs |= {"type": "search", "placeholder": "用途、用户名或应用"}


class ApplicationForm(Form):
    """A program, its post, and who answers for it."""

    name = forms.CharField(label="应用名称", max_length=60, help_text="会写进办理经过。")
    post_id = forms.TypedChoiceField(
        label="岗位",
        coerce=int,
        choices=lambda: [("", "请选择"), *((post.id, post.full_title) for post in open_posts_for_programs())],
        help_text="只列没有人任职的岗位。没有合适的，先在“机构和岗位”里为它单设一个。",
    )
    contact_id = directory.PersonField(label="联系人", help_text="岗位所在单位的现任人员，对这个程序负责。")
    purpose = forms.CharField(label="用途", max_length=200)


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
