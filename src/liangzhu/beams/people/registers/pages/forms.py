"""The forms of this app. None keeps what is typed in the browser: it is personal."""

from django import forms

from liangzhu.beams.people.registers.models import Mandate, NaturalPerson, Organisation
from liangzhu.beams.people.registers.models.subjects import SOURCES
from liangzhu.beams.people.registers.queries import IN_FULL
from liangzhu.kernel.ui.forms import DateField, Form, TextField

PICK = [("", "请选择")]
SAME = [("", "不变")]
SOURCE_CHOICES = [*PICK, *(pair for pair in SOURCES if pair[0] not in ("made_up", "province"))]
PARTY = "已登记的编号；自然人也可填证件号码，组织也可填统一社会信用代码。"
KINDS_OF_PARTY = [("natural_person", "自然人"), ("organisation", "组织")]


class FindForm(Form):
    """What one looks for."""

    by = forms.ChoiceField(
        label="查找方式",
        choices=[
            ("name", "姓名或名称"),
            ("number", "证件号码或统一社会信用代码"),
            ("phone", "电话"),
        ],
    )
    q = forms.CharField(label="查找内容", max_length=60, help_text="号码和电话须填写完整，不能只填一部分。")


class ReasonForm(Form):
    """Why."""

    reason = forms.CharField(label="理由", max_length=200, help_text="复核人会看到。")


class _Sourced(ReasonForm):
    source = forms.ChoiceField(label="数据来源", choices=SOURCE_CHOICES)
    as_of = DateField(label="数据日期", help_text="原件或来源数据的日期。")


class PersonForm(_Sourced):
    """A person to be registered."""

    fieldsets = (
        ("身份", ("name", "document_kind", "document_number", "birth", "sex")),
        ("联系", ("phone", "address")),
        ("依据", ("source", "as_of", "reason")),
    )

    name = forms.CharField(label="姓名", max_length=60)
    document_kind = forms.ChoiceField(label="证件类型", choices=[*PICK, *NaturalPerson.DOCUMENTS])
    document_number = forms.CharField(label="证件号码", max_length=40)
    birth = DateField(label="出生日期", required=False, help_text="身份证和居住证由号码得出，不用填。")
    sex = forms.ChoiceField(
        label="性别",
        choices=[*PICK, *NaturalPerson.SEXES],
        required=False,
        help_text="身份证和居住证由号码得出，不用选。",
    )
    phone = forms.CharField(label="电话", max_length=30, required=False)
    address = forms.CharField(label="住址", max_length=200, required=False)


class ChangePersonForm(PersonForm):
    """What is to change of a person; empty fields stay as they are."""

    fieldsets = (
        ("身份", ("name", "document_kind", "document_number", "birth", "sex", "state", "died_on")),
        *PersonForm.fieldsets[1:],
    )

    name = forms.CharField(label="姓名", max_length=60, required=False)
    document_kind = forms.ChoiceField(
        label="证件类型", choices=[*SAME, *NaturalPerson.DOCUMENTS], required=False
    )
    document_number = forms.CharField(label="证件号码", max_length=40, required=False)
    sex = forms.ChoiceField(label="性别", choices=[*SAME, *NaturalPerson.SEXES], required=False)
    state = forms.ChoiceField(
        label="状态",
        choices=[*SAME, (NaturalPerson.DEAD, "死亡"), (NaturalPerson.ALIVE, "正常（更正误登的死亡）")],
        required=False,
    )
    died_on = DateField(label="死亡日期", required=False)

    def __init__(self, *args, row: NaturalPerson, **kwargs):
        super().__init__(*args, **kwargs)
        for name in IN_FULL:
            self.fields[name].help_text = f"现为 {getattr(row, name) or '空'}；不变就不填。"


class MergeForm(ReasonForm):
    """Who goes on."""

    other = forms.CharField(label="保留哪一条", max_length=40, help_text="另一条登记的编号或证件号码。")
    field_order = ("other", "reason")


class OrganisationForm(_Sourced):
    """An organisation to be registered."""

    fieldsets = (
        ("组织", ("uscc", "name", "name_from", "legal_representative", "address")),
        ("依据", ("source", "as_of", "reason")),
    )

    uscc = forms.CharField(label="统一社会信用代码", max_length=30, help_text="类型由代码得出。")
    name = forms.CharField(label="名称", max_length=120)
    name_from = DateField(label="名称启用日期")
    legal_representative = forms.CharField(
        label="法定代表人", max_length=40, required=False, help_text="已登记的自然人的编号或证件号码。"
    )
    address = forms.CharField(label="住所", max_length=200, required=False)


class ChangeOrganisationForm(OrganisationForm):
    """What is to change of an organisation; empty fields stay as they are."""

    fieldsets = (
        ("变更", ("name", "name_from", "legal_representative", "address", "state", "ended_on")),
        ("依据", ("source", "as_of", "reason")),
    )

    uscc = None
    name = forms.CharField(label="新名称", max_length=120, required=False)
    name_from = DateField(label="新名称启用日期", required=False)
    state = forms.ChoiceField(label="状态", choices=[*SAME, *Organisation.STATES], required=False)
    ended_on = DateField(label="注销日期", required=False)


class MandateForm(ReasonForm):
    """A mandate to be registered."""

    fieldsets = (
        ("代理人", ("other_kind", "other", "capacity", "asked_by")),
        ("范围和期限", ("scope_kind", "scopes", "valid_from", "valid_to", "may_delegate", "parent")),
        ("依据", ("basis", "reason")),
    )

    other_kind = forms.ChoiceField(label="代理人是", choices=KINDS_OF_PARTY)
    other = forms.CharField(label="代理人", max_length=40, help_text=PARTY)
    capacity = forms.ChoiceField(label="身份", choices=[*PICK, *Mandate.CAPACITIES])
    asked_by = forms.ChoiceField(
        label="由谁提出", choices=[*PICK, *Mandate.SIDES], help_text="另一方确认之后才生效。"
    )
    scope_kind = forms.ChoiceField(label="范围", choices=[*PICK, *Mandate.SCOPES])
    scopes = forms.CharField(
        label="业务或事项",
        max_length=400,
        required=False,
        help_text="业务代码，空格分开（如 programme.task）；一件事项填它的编号（如 matter:12）。全部事项不用填。",
    )
    valid_from = DateField(label="生效日期")
    valid_to = DateField(
        label="终止日期", required=False, help_text="从这一天起不再有效；监护可以不填，到满十八周岁为止。"
    )
    may_delegate = forms.BooleanField(label="允许转委托", required=False)
    parent = forms.CharField(
        label="所依据的授权", max_length=18, required=False, help_text="转委托时填原授权的编号。"
    )
    basis = TextField(label="依据", max_length=400, rows=2, help_text="授权委托书、户口簿、判决书等。")


class ExtendForm(ReasonForm):
    """A later end."""

    asked_by = forms.ChoiceField(
        label="由谁提出", choices=[*PICK, *Mandate.SIDES], help_text="代理人不能延长自己的授权。"
    )
    valid_to = DateField(label="新的终止日期", help_text="从这一天起不再有效。")
    field_order = ("asked_by", "valid_to", "reason")


class ConfirmForm(Form):
    """That the other side agreed."""

    evidence = forms.CharField(label="确认凭据", max_length=200, help_text="本人到场签字、签收回执等。")


class EndForm(Form):
    """The end of a mandate."""

    side = forms.ChoiceField(
        label="由谁提出",
        choices=[("principal", "被代理人撤销"), ("agent", "代理人辞任")],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label="理由", max_length=200)


class ReadForm(Form):
    """What is to be read in full, and why."""

    wanted = forms.MultipleChoiceField(
        label="查看哪些内容",
        choices=[(name, NaturalPerson._meta.get_field(name).verbose_name) for name in IN_FULL],
        widget=forms.CheckboxSelectMultiple,
    )
    reason = forms.CharField(
        label="查看原因", max_length=200, help_text="操作日志会记下您看了什么、为什么看。"
    )


class ReadReasonForm(Form):
    """Why something is to be read in full."""

    reason = forms.CharField(
        label="查看原因", max_length=200, help_text="操作日志会记下您看了什么、为什么看。"
    )


class DecideForm(Form):
    """Release or refuse."""

    reason = forms.CharField(
        label="复核意见", max_length=200, required=False, help_text="不通过时必须写明理由。"
    )
