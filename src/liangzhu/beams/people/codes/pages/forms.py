"""The forms of the counter."""

from django import forms

from liangzhu.beams.people.codes import outlets
from liangzhu.beams.people.registers.api import NaturalPerson
from liangzhu.kernel.ui.forms import Form

# A scanner types like a keyboard: nothing may be completed, corrected or capitalised on the way.
SCANNER = {
    "autocomplete": "off",
    "autocapitalize": "none",
    "autocorrect": "off",
    "spellcheck": "false",
    "autofocus": True,
}


LONG = 40
"""What is longer came from a scanner, and is of no use a second time."""


class ScannerForm(Form):
    """A form whose field ``raw`` is filled by a scanner or by hand."""

    def forget_scan(self) -> None:
        """Show the field empty again after a scan, for the next one; what was typed stays."""
        if self.is_bound and len(self.data.get("raw", "")) > LONG:
            self.data = self.data.copy()
            self.data["raw"] = ""


class CodeForm(ScannerForm):
    """One field for the scanner and for the typed form, and the licences that are wanted with it."""

    raw = forms.CharField(
        label="服务码",
        max_length=2000,
        strip=False,
        widget=forms.TextInput(attrs=SCANNER),
        error_messages={"required": "没有扫到内容，请把光标放在这里再扫。"},
        help_text="扫码，或者输入对方手机上的手输码，回车核验。",
    )
    items = forms.MultipleChoiceField(
        label="需要一并出示的证照",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="只勾这一件事用得着的；本人没有同意的不会给。",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["items"].choices = [(one.key, one.title) for one in outlets.licence_kinds().values()]


class ScanForm(CodeForm):
    """A code by itself, outside of any queue: for what, and for which case."""

    title = forms.CharField(
        label="办什么事", max_length=60, required=False, help_text="本人在用数轨迹里看得到。"
    )
    item = forms.CharField(widget=forms.HiddenInput, required=False, max_length=80)
    case = forms.CharField(widget=forms.HiddenInput, max_length=80)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["raw"].help_text = "把光标放在这里扫码；也可以输入对方手机上的 12 位手输码，回车核验。"


class DocumentForm(Form):
    """The original of a document instead of a code."""

    name = forms.CharField(label="姓名", max_length=60)
    document_kind = forms.ChoiceField(label="证件类型", choices=NaturalPerson.DOCUMENTS)
    document_number = forms.CharField(
        label="证件号码", max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    reason = forms.CharField(
        label="为什么没有扫码", max_length=200, help_text="如：验码服务没有回应、没有手机。"
    )
    seen = forms.BooleanField(label="我核对了证件原件，与本人一致")
    case = forms.CharField(widget=forms.HiddenInput, max_length=80)
    item = forms.CharField(widget=forms.HiddenInput, required=False, max_length=80)
    title = forms.CharField(widget=forms.HiddenInput, required=False, max_length=60)
    follows = forms.IntegerField(widget=forms.HiddenInput, required=False)


class DeskForm(Form):
    """Where one scans."""

    place = forms.ChoiceField(label="网点和设备")
    identity_number = forms.CharField(
        label="您的身份证号码",
        max_length=18,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args, known: bool, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = [
            (one.title, [(f"{one.key}|{device}", f"{one.title} {device}") for device in one.devices])
            for one in outlets.outlets().values()
        ]
        number = self.fields["identity_number"]
        number.required = not known
        number.help_text = "省里要求每次验码写明经办人。加密保存，只发给发码方" + (
            "；已经登记，不改就不用填。" if known else "。"
        )
