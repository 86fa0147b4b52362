"""The forms of the kernel's pages."""

from django import forms

from liangzhu.kernel.outbox import REASON_MAX
from liangzhu.kernel.ui.forms import Form, TextField


class SkipForm(Form):
    """Why a delivery may be let go."""

    reason = TextField(
        label="理由", rows=3, max_length=REASON_MAX, help_text="会留在操作日志里，请写明为什么不投递也可以。"
    )


class SkipAllForm(SkipForm):
    """The same for what was given up of one handler: ``seen`` of them, up to the delivery ``until``."""

    until = forms.IntegerField(widget=forms.HiddenInput)
    seen = forms.IntegerField(widget=forms.HiddenInput)
