"""The forms of this app."""

from django import forms

from liangzhu.beams.trust.certificates import kinds
from liangzhu.beams.trust.certificates.models import Seal
from liangzhu.beams.trust.certificates.states import OPERATIONS, Step
from liangzhu.kernel.ui.forms import DateField, Form, TextField

HOLDER_KINDS = [("natural_person", "自然人"), ("organisation", "组织")]
BY_HAND = ("01", "02", "09", "08")


class FindForm(Form):
    """A number or identifier with its check code."""

    number = forms.CharField(
        label="证照编号、文号或电子证照标识", max_length=128, help_text="照证面上写的填，符号和汉字都要。"
    )
    code = forms.CharField(label="核验码", max_length=12, help_text="二维码旁边的 8 位，例如 7K4M-2QXD。")


class FileForm(Form):
    """A file to be checked."""

    file = forms.FileField(
        widget=forms.FileInput(attrs={"accept": ".pdf,.json"}),
        label="证照或文书的文件",
        help_text="下载得到的 PDF 或 JSON 原件。只用来核对，不会保存。",
    )


class CodeForm(Form):
    """The typed form of a showing."""

    code = forms.CharField(
        label="出示码",
        max_length=16,
        help_text="持证人手机上的 9 位数字，三分钟内有效。",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )


class VerifierForm(Form):
    """Who looks."""

    verifier = forms.CharField(
        label="您的单位或姓名", max_length=60, min_length=2, help_text="持证人会在查看记录里看到。"
    )


class StaffVerifierForm(Form):
    """Staff are known already."""


class ShowForm(Form):
    """Which fields are shown."""

    fields_shown = forms.MultipleChoiceField(
        label="出示哪些内容", widget=forms.CheckboxSelectMultiple, help_text="只有选中的内容会被看到。"
    )

    def __init__(self, *args, choices=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["fields_shown"].choices = list(choices)


class FilterForm(forms.Form):
    """Narrows the list of a unit's certificates."""

    kind = forms.ChoiceField(label="类型", required=False)
    state = forms.ChoiceField(label="状态", required=False)
    number = forms.CharField(label="编号或标识", required=False, max_length=128)


class IssueForm(Form):
    """A certificate issued by hand: its holder, its fields, its days."""

    holder_kind = forms.ChoiceField(label="持证主体", choices=HOLDER_KINDS, widget=forms.RadioSelect)
    holder_number = forms.CharField(
        label="证件号码或统一社会信用代码", max_length=40, help_text="持证主体要先在“自然人和组织”里登记。"
    )
    operation = forms.ChoiceField(label="操作类型", choices=[(key, OPERATIONS[key]) for key in BY_HAND])
    previous = forms.CharField(
        label="前一证照的电子证照标识",
        required=False,
        max_length=128,
        help_text="延续、变更、转入必须填写。",
    )
    valid_from = DateField(label="生效日期", required=False, help_text="不填为今天。")
    valid_until = DateField(label="有效期至", required=False, help_text="不填按证照类型的有效期。")

    def __init__(self, *args, kind: kinds.Kind, **kwargs):
        super().__init__(*args, **kwargs)
        self.kind = kind
        for one in kind.fields:
            name = f"f_{one.key}"
            given = {"label": one.title, "required": one.required}
            if one.type == "date":
                self.fields[name] = DateField(**given)
            elif one.long:
                self.fields[name] = TextField(rows=3, max_length=1000, **given)
            else:
                self.fields[name] = forms.CharField(max_length=200, **given)
            if one.required:
                verb = "请填写"
                self.fields[name].error_messages["required"] = f"{verb}{one.title}。"
        if kind.holder != "any":
            only = "natural_person" if kind.holder == "person" else "organisation"
            self.fields["holder_kind"].choices = [pair for pair in HOLDER_KINDS if pair[0] == only]
            self.fields["holder_kind"].initial = only
        self.fieldsets = (
            ("持证主体", ("holder_kind", "holder_number")),
            ("证照内容", tuple(f"f_{one.key}" for one in kind.fields)),
            ("期限和来源", ("operation", "previous", "valid_from", "valid_until")),
        )


class StateForm(Form):
    """Another state, with its ground."""

    state = forms.ChoiceField(label="改为")
    ground = TextField(label="理由和依据", max_length=400, rows=3, help_text="写明事实和法律依据的条款。")

    def __init__(self, *args, steps: list[Step] = (), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["state"].choices = [(step.target, step.title) for step in steps]


class ReasonForm(Form):
    """Why something is read in full."""

    reason = forms.CharField(label="查看原因", max_length=100, help_text="会记入日志，持证人可以看到。")


class SealForm(Form):
    """A seal that is proposed."""

    unit_id = forms.ChoiceField(label="单位")
    use = forms.ChoiceField(label="用途", choices=Seal.USES)
    number = forms.CharField(
        label="印章编码",
        max_length=20,
        help_text="公安机关备案的 13 位数字。",
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    legend = forms.CharField(
        label="章面单位名称", required=False, max_length=30, help_text="不填为单位现在的全称。"
    )
    valid_from = DateField(label="启用日期", required=False, help_text="不填为今天。")
    valid_to = DateField(label="停止使用日期", required=False, help_text="从这一天起不再使用；不填为长期。")
    reason = forms.CharField(label="理由", max_length=200)

    def __init__(self, *args, units=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["unit_id"].choices = list(units)


class DecideForm(Form):
    """The second person's decision."""


class EndSealForm(Form):
    """Why a seal is ended."""

    reason = forms.CharField(label="停用理由", max_length=200)
