"""The forms of this app."""

from django import forms

from liangzhu.beams.people.directory.fields import PersonField, UnitField, UnitsField
from liangzhu.beams.people.directory.models import Unit, UnitSet
from liangzhu.beams.people.directory.roles import all_roles
from liangzhu.beams.people.directory.tree import unit_name
from liangzhu.kernel.ui.forms import DateField, DateInput, Form, TextField

SOURCE = "文号、网址或会议纪要，供日后核对。"


class DayForm(forms.Form):
    """The day on which one looks at units, and what one looks for."""

    day = DateField(label="查看日期", required=False, widget=DateInput({"class": "input-date input-short"}))
    q = forms.CharField(label="查找", required=False, max_length=60)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["q"].widget.attrs |= {"type": "search", "placeholder": "名称或代码"}


class SearchForm(forms.Form):
    """What one looks for."""

    q = forms.CharField(label="查找", required=False, max_length=60)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["q"].widget.attrs |= {"type": "search", "placeholder": "姓名"}


class OpenUnitForm(Form):
    """A new unit."""

    fieldsets = (
        ("单位", ("kind", "name", "short_name", "code", "parent", "superior")),
        ("依据", ("on", "source", "key")),
    )

    kind = forms.ChoiceField(label="类型", choices=[("", "请选择"), *Unit.KINDS])
    name = forms.CharField(label="全称", max_length=100)
    short_name = forms.CharField(label="简称", max_length=40, required=False, help_text="不填就用全称。")
    code = forms.CharField(
        label="代码", max_length=18, required=False, help_text="区划代码或统一社会信用代码。"
    )
    parent = UnitField(label="上级单位", required=False, help_text="本区以内的上级。")
    superior = forms.CharField(
        label="区外主管部门", max_length=100, required=False, help_text="市级部门派驻的分局填它的主管部门。"
    )
    on = DateField(label="设立日期", help_text="从这一天起存在。")
    source = forms.CharField(label="依据", max_length=200, help_text=SOURCE)
    key = forms.CharField(
        label="标识",
        max_length=60,
        required=False,
        help_text="给程序和资料包用的短名，小写字母和数字；不填自动编。",
    )


class RenameUnitForm(Form):
    """Another name."""

    name = forms.CharField(label="新全称", max_length=100)
    short_name = forms.CharField(label="新简称", max_length=40, required=False, help_text="不填就用全称。")
    on = DateField(label="更名日期", help_text="从这一天起用新名称；之前的事项仍显示旧名称。")
    source = forms.CharField(label="依据", max_length=200, help_text=SOURCE)


class MoveUnitForm(Form):
    """Another superior or code."""

    parent = UnitField(label="上级单位", required=False, help_text="留空表示没有区内上级。")
    code = forms.CharField(label="代码", max_length=18, required=False)
    on = DateField(label="变动日期", help_text="从这一天起按新的隶属和代码。")
    source = forms.CharField(label="依据", max_length=200, help_text=SOURCE)


class ConfirmForm(Form):
    """That somebody checked."""

    source = forms.CharField(label="确认依据", max_length=200, help_text="谁确认的，凭什么文件。")


class CloseUnitForm(Form):
    """The end of a unit."""

    on = DateField(label="撤销日期", help_text="从这一天起不再存在。")
    reason = forms.CharField(label="原因", max_length=200)
    source = forms.CharField(label="依据", max_length=200, help_text=SOURCE)


class ReasonForm(Form):
    """Why."""

    reason = forms.CharField(label="原因", max_length=200, help_text="会留在操作日志里。")


class SucceedUnitForm(Form):
    """Who takes over."""

    successor = UnitField(label="承接单位")
    on = DateField(label="承接日期")
    whole = forms.ChoiceField(
        label="范围",
        choices=[
            ("whole", "整体承接：本单位同日撤销，未结的事项转给承接单位"),
            ("part", "部分承接：只记载，不自动转"),
        ],
        widget=forms.RadioSelect,
        initial="whole",
    )
    scope = forms.CharField(
        label="承接了哪些职能", max_length=200, required=False, help_text="部分承接时填写。"
    )
    reason = forms.CharField(label="原因", max_length=200, required=False)
    source = forms.CharField(label="依据", max_length=200, help_text=SOURCE)


class AliasesForm(Form):
    """Other ways to write a name."""

    aliases = TextField(
        label="别称", required=False, help_text="一行一个；文件里这样写时能认出本单位。", rows=6
    )


class UnitSetForm(Form):
    """An open set and its rule."""

    fieldsets = (
        ("集合", ("expression", "aliases", "mode")),
        ("规则", ("kinds", "under", "members", "excepts")),
        ("依据", ("basis", "source", "unconfirmed", "to_confirm")),
    )

    expression = forms.CharField(label="写法", max_length=100, help_text="文件里怎么写，如“各镇街”。")
    aliases = TextField(label="同义写法", required=False, help_text="一行一个。", rows=3)
    mode = forms.ChoiceField(
        label="含义", choices=UnitSet.MODES, widget=forms.RadioSelect, initial=UnitSet.ALL
    )
    kinds = forms.MultipleChoiceField(
        label="类型",
        choices=Unit.KINDS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="收哪几类单位。",
    )
    under = UnitsField(label="只收这些单位之下的", required=False, help_text="一行一个，隔几层都算。", rows=2)
    members = UnitsField(label="另加单位", required=False, help_text="一行一个。", rows=4)
    excepts = UnitsField(label="除去单位", required=False, help_text="一行一个。", rows=2)
    basis = forms.CharField(label="为什么这样定", max_length=300, required=False)
    source = forms.CharField(label="依据", max_length=200, help_text=SOURCE)
    unconfirmed = forms.BooleanField(label="还没有确认", required=False)
    to_confirm = forms.CharField(label="待确认什么", max_length=200, required=False)

    @staticmethod
    def initial_of(row: UnitSet) -> dict:
        """What the form shows of a set that is changed."""
        rules = {rule: [] for rule in ("kind", "under", "member", "except")}
        for rule in row.rules.order_by("id"):
            rules[rule.rule].append(rule.kind or unit_name(rule.unit_id))
        return {
            "expression": row.expression,
            "aliases": "\n".join(row.aliases.order_by("id").values_list("expression", flat=True)),
            "mode": row.mode,
            "kinds": rules["kind"],
            "under": "\n".join(rules["under"]),
            "members": "\n".join(rules["member"]),
            "excepts": "\n".join(rules["except"]),
            "basis": row.basis,
            "source": row.source,
            "unconfirmed": row.unconfirmed,
            "to_confirm": row.to_confirm,
        }


class PersonForm(Form):
    """A person."""

    name = forms.CharField(label="姓名", max_length=40)


def _role_choices() -> list[tuple[str, str]]:
    return [(role.code, f"{role.title}：{role.description}") for role in all_roles().values()]


class OpenPostForm(Form):
    """A new post in a unit."""

    title = forms.CharField(label="岗位名称", max_length=60, help_text="如“综合科 科长”，不写单位名称。")
    is_head = forms.BooleanField(label="是本单位负责人", required=False)
    roles = forms.MultipleChoiceField(
        label="角色", choices=_role_choices, required=False, widget=forms.CheckboxSelectMultiple
    )


class ChangePostForm(Form):
    """Title of a post, and whether it heads the unit."""

    title = forms.CharField(label="岗位名称", max_length=60)
    is_head = forms.BooleanField(label="是本单位负责人", required=False)


class RoleForm(Form):
    """A role to give."""

    role = forms.ChoiceField(label="角色", widget=forms.RadioSelect)

    def __init__(self, *args, had: list[str], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [pair for pair in _role_choices() if pair[0] not in had]


class OnForm(Form):
    """A day from which something is no more."""

    on = DateField(label="日期", help_text="从这一天起不再有效。")


class HoldForm(Form):
    """Who holds a post from when."""

    person = PersonField(label="人员", help_text="填姓名；重名时连编号一起填。")
    valid_from = DateField(label="任职日期")
    last_day = DateField(label="最后一天", required=False, help_text="不填就是至今。")


class DeputyForm(Form):
    """Who stands in from when to when."""

    person = PersonField(label="代理人", help_text="填姓名；重名时连编号一起填。")
    valid_from = DateField(label="第一天")
    last_day = DateField(label="最后一天", help_text="当天仍由代理人办理，次日自动失效。")
    reason = forms.CharField(label="原因", max_length=200, help_text="如外出培训、休假。")
