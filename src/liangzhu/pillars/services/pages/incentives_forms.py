"""Forms of policies for enterprises."""

from typing import Any

from django import forms
from django.core.validators import URLValidator

from liangzhu.kernel.ui.forms import DateField, Form, TextField
from liangzhu.pillars.services import criteria, enterprise
from liangzhu.pillars.services.models import Application, IncentiveVersion


class _Url(forms.URLField):
    def __init__(self, **kwargs: Any):
        super().__init__(
            required=False,
            max_length=500,
            assume_scheme="https",
            error_messages={"invalid": "请写完整的网址，以 https:// 开头。"},
            **kwargs,
        )
        self.validators = [
            URLValidator(schemes=["http", "https"], message="请写完整的网址，以 https:// 开头。")
        ]


class DocumentForm(Form):
    """A policy document that is collected."""

    title = forms.CharField(label="标题", max_length=200)
    number = forms.CharField(label="文号", max_length=60, required=False, help_text="没有文号的留空。")
    issuer = forms.CharField(label="发文单位", max_length=120)
    published_on = DateField(label="公布日期", help_text="归集时限从这一天起算，3个工作日。")
    url = _Url(label="原文地址")
    text = TextField(label="原文", required=False, max_length=100_000, rows=12)


class ImportForm(Form):
    """A file of policy documents."""

    file = forms.FileField(
        label="文件", help_text="json、csv、xlsx：每行一份文件，有标题、文号、发文机关、发布日期、链接、原文、关键词等列。"
    )  # fmt: skip
    title = forms.CharField(label="来源", max_length=120, help_text="例如：市政府网站政策文件库。")
    issuer = forms.CharField(label="没有写发文单位的，按", max_length=120, required=False)
    published_on = DateField(
        label="没有写公布日期的，按", required=False, help_text="不填的，这些行不收入，原因写在报告里。"
    )


class VersionForm(Form):
    """What a draft says."""

    fieldsets = (
        ("是什么", ("name", "summary", "tags")),
        ("给什么", ("form", "benefit", "amount", "period", "budget", "direct")),
        ("什么时候", ("starts_on", "ends_on", "window_from", "window_to")),
        ("怎样得到", ("apply_with", "materials", "how", "url", "contact")),
    )
    name = forms.CharField(label="名称", max_length=120, help_text="企业看得懂的名称，例如“首次升规奖励”。")
    summary = forms.CharField(label="一句话说明", max_length=200, required=False)
    tags = forms.CharField(
        label="标签", max_length=200, required=False, help_text="用空格隔开，例如：制造业 研发。"
    )
    form = forms.ChoiceField(label="支持方式", choices=IncentiveVersion.FORMS)
    benefit = TextField(
        label="支持内容", max_length=2000, rows=4, help_text="照录文件：多少钱，怎样算，封顶多少。"
    )
    amount = forms.DecimalField(
        label="每户金额（元）", required=False, min_value=0, max_digits=14, decimal_places=2,
        help_text="每户一样的才填；要核算的留空，写在支持内容里。",
    )  # fmt: skip
    period = forms.ChoiceField(label="享受次数", choices=IncentiveVersion.PERIODS)
    budget = forms.DecimalField(
        label="每期预算（元）", required=False, min_value=0, max_digits=16, decimal_places=2
    )
    direct = forms.BooleanField(
        label="免申即享", required=False, help_text="全部条件都能由政府已有的数据证实的，企业不用申请。"
    )
    starts_on = DateField(label="施行日期")
    ends_on = DateField(label="有效期至", required=False, help_text="长期有效的留空。")
    window_from = DateField(label="申报开始", required=False)
    window_to = DateField(label="申报截止", required=False)
    apply_with = forms.ChoiceField(
        label="网上申报用", required=False,
        help_text="企业在政策页面点“开始申报”，就用这件事的申请表办理；不选的，写怎样申报或者网办地址。",
    )  # fmt: skip
    materials = TextField(label="申报材料", required=False, max_length=2000, rows=3)
    how = TextField(label="怎样申报", required=False, max_length=2000, rows=3)
    url = _Url(label="网办地址")
    contact = forms.CharField(label="咨询方式", max_length=200)

    def __init__(self, *args, offered: list[tuple[str, str]] = (), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["apply_with"].choices = [("", "不在这里申报"), *offered]


_OPS = [
    (one, f"{words}")
    for one, words in dict(pair for ops in criteria.OPS.values() for pair in ops.items()).items()
]


class CriterionForm(Form):
    """One condition."""

    wording = TextField(label="文件原文", max_length=1000, rows=3, help_text="照录，不改写。")
    article = forms.CharField(label="条款", max_length=60, required=False)
    fact = forms.ChoiceField(
        label="比较哪项企业信息",
        required=False,
        choices=[("", "需人工判断"), *((one.key, one.title) for one in enterprise.FACTS.values())],
        help_text="数据说不清的选“需人工判断”，原文照样公开。",
    )
    op = forms.ChoiceField(label="怎样比较", required=False, choices=[("", "（不比较）"), *_OPS])
    values = forms.CharField(
        label="值", max_length=400, required=False,
        help_text="几个值用空格隔开。是否类写 yes 或 no；行业写代码；选项写编号，写错会列出可选的。",
    )  # fmt: skip
    group = forms.CharField(
        label="组", max_length=20, required=False, help_text="同组的条件满足一个就行；单独的条件留空。"
    )


class GrantedForm(Form):
    """The amount of each granted application, where the policy has none for everybody."""

    def __init__(self, *args, applications: list[Application], **kwargs):
        super().__init__(*args, **kwargs)
        for row in applications:
            self.fields[f"amount_{row.pk}"] = forms.DecimalField(
                label=f"{row.matter.number}（元）", required=False, max_digits=14, decimal_places=2,
                help_text=f"{row.title}，{row.submitted_at.astimezone():%Y-%m-%d}提交。不列入的留空。",
            )  # fmt: skip

    def amounts(self, data: dict[str, Any]) -> dict[int, Any]:
        """Yuan by application."""
        return {
            int(name.removeprefix("amount_")): value
            for name, value in data.items()
            if name.startswith("amount_") and value is not None
        }


class DecideForm(Form):
    """The second person's opinion."""

    note = TextField(label="审核意见", required=False, max_length=400, rows=3)


class FactsForm(Form):
    """What an enterprise tells of itself; whatever is left empty is not told."""

    def __init__(self, *args: Any, said: dict[str, criteria.Known], **kwargs: Any):
        super().__init__(*args, **kwargs)
        for one in enterprise.sayable():
            have = said.get(one.key)
            if have is not None and have.proven:
                continue
            self.fields[one.key] = _of(one)
            if have is not None:
                value = have.value
                if one.type == criteria.YESNO:
                    value = "yes" if value else "no"
                self.fields[one.key].initial = value


def _of(one: criteria.Fact) -> forms.Field:
    label = f"{one.title}（{one.unit}）" if one.unit else one.title
    given = {"label": label, "required": False, "help_text": one.help}
    if one.type == criteria.NUMBER:
        return forms.DecimalField(min_value=0, max_digits=16, decimal_places=2, **given)
    if one.type == criteria.DATE:
        return DateField(**given)
    if one.type == criteria.MANY:
        return forms.MultipleChoiceField(choices=one.options, widget=forms.CheckboxSelectMultiple, **given)
    if one.type == criteria.YESNO:
        return forms.ChoiceField(choices=[("", "不填"), ("yes", "是"), ("no", "否")], **given)
    if one.type == criteria.CHOICE:
        return forms.ChoiceField(choices=[("", "不填"), *one.options], **given)
    return forms.CharField(max_length=10, **given)


class AccountForm(Form):
    """The account that a payment goes to."""

    account = forms.CharField(label="收款账号", max_length=50, help_text="本企业的对公账户。")
    bank = forms.CharField(label="开户银行", max_length=100, help_text="写到支行。")
