"""The forms of the register."""

from typing import Any

from django import forms

from liangzhu.beams.people.applications import declared
from liangzhu.beams.people.applications.declared import CATEGORIES, SCOPES, Declared
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.residents.api import LEVEL_WORDS
from liangzhu.kernel.ui.forms import Form, TextField

ASKED = [name for name in SCOPES if name != "openid"]


class DeclarationForm(Form):
    """What an application declares of itself."""

    fieldsets = (
        ("应用", ("title", "category", "purpose", "contact", "start_url", "health_url")),
        ("谁使用", ("audience", "units", "roles", "level", "government")),
        ("登录后需要知道什么", tuple(f"scope_{name}" for name in ASKED)),
        (
            "登录接口",
            (
                "redirect_uris",
                "logout_uris",
                "backchannel_uri",
                "method",
                "jwks",
                "algorithm",
                "sector",
            ),
        ),
    )

    title = forms.CharField(label="名称", max_length=60)
    category = forms.ChoiceField(label="类别", choices=list(CATEGORIES.items()))
    purpose = forms.CharField(label="用途", max_length=200, help_text="一句话，使用的人看得到。")
    contact = forms.CharField(label="联系人", max_length=100, help_text="出了问题找谁：姓名、电话。")
    start_url = forms.CharField(
        label="打开地址", max_length=500, help_text="点入口时打开；应从这里开始登录。"
    )
    health_url = forms.CharField(
        label="健康检查地址",
        max_length=500,
        required=False,
        help_text="每两分钟访问一次，2xx 为正常；不填就不检查。",
    )
    audience = forms.MultipleChoiceField(
        label="使用的人",
        choices=[("staff", "工作人员"), ("residents", "群众"), ("enterprises", "企业")],
        widget=forms.CheckboxSelectMultiple,
    )
    units = directory.UnitsField(
        label="限这些单位", rows=3, required=False, help_text="一行一个，含下属；不填为全部单位。"
    )
    roles = forms.MultipleChoiceField(
        label="限这些角色", required=False, widget=forms.CheckboxSelectMultiple, help_text="不选为全部岗位。"
    )
    level = forms.TypedChoiceField(
        label="最低实名等级",
        coerce=int,
        initial=1,
        choices=list(LEVEL_WORDS.items()),
        help_text="不够的，登录时要求提升；工作人员用第二因素登录为 3。",
    )
    government = forms.BooleanField(
        label="政府自己的应用",
        required=False,
        help_text="群众登录时不另行征求同意；企业运营的不能勾。",
    )
    redirect_uris = TextField(
        label="回调地址", rows=3, help_text="一行一个，逐字核对；https://，本机调试可用 http://localhost。"
    )
    logout_uris = TextField(label="退出后返回地址", rows=2, required=False, help_text="一行一个。")
    backchannel_uri = forms.CharField(
        label="接收退出通知的地址",
        max_length=500,
        required=False,
        help_text="登录在别处结束时，把签名的通知送到这里。",
    )
    method = forms.ChoiceField(label="应用怎样证明自己", choices=list(declared.METHODS.items()))
    jwks = TextField(label="公钥（JWKS）", rows=3, required=False, help_text="用自己私钥签名的应用填。")
    algorithm = forms.ChoiceField(label="身份凭证的签名算法", choices=list(declared.ALGORITHMS.items()))
    sector = forms.CharField(
        label="编号一致的范围",
        max_length=100,
        required=False,
        help_text="不填为回调地址的主机。范围不同，同一个人的编号不同，不能互相比对。",
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["roles"].choices = [
            (role.code, role.title) for role in directory.all_roles().values() if role.business
        ]
        for name in ASKED:
            self.fields[f"scope_{name}"] = forms.CharField(
                label=SCOPES[name],
                max_length=100,
                required=False,
                help_text="为什么需要；不需要就留空。" if name == ASKED[0] else "",
            )


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def declared_of(data: dict[str, Any]) -> Declared:
    """The declaration that a form says."""
    return Declared(
        title=data["title"],
        category=data["category"],
        purpose=data["purpose"],
        contact=data["contact"],
        start_url=data["start_url"],
        redirect_uris=_addresses(data["redirect_uris"]),
        logout_uris=_addresses(data["logout_uris"]),
        backchannel_uri=data["backchannel_uri"],
        health_url=data["health_url"],
        staff="staff" in data["audience"],
        residents="residents" in data["audience"],
        enterprises="enterprises" in data["audience"],
        units=tuple(view.id for view in data["units"]),
        roles=tuple(data["roles"]),
        scopes={name: why.strip() for name in ASKED if (why := data[f"scope_{name}"]).strip()},
        government=data["government"],
        level=data["level"],
        method=data["method"],
        jwks=data["jwks"].strip(),
        algorithm=data["algorithm"],
        sector=data["sector"].strip(),
    )


def initial_of(said: Declared) -> dict[str, Any]:
    """What stands in the form for a change."""
    found = {
        name: getattr(said, name)
        for name in (
            *("title", "category", "purpose", "contact", "start_url", "health_url", "backchannel_uri"),
            *("roles", "level", "government", "method", "jwks", "algorithm", "sector"),
        )
    }
    found["audience"] = [one for one in ("staff", "residents", "enterprises") if getattr(said, one)]
    found["units"] = "\n".join(directory.unit_name(one) for one in said.units)
    for name in ("redirect_uris", "logout_uris"):
        found[name] = "\n".join(getattr(said, name))
    return found | {f"scope_{name}": why for name, why in said.scopes.items()}


class ReviewForm(Form):
    """Accept or refuse."""

    decision = forms.CharField(
        label="审核意见", max_length=200, required=False, help_text="不通过的，写明原因和怎样改。"
    )


class SecretForm(Form):
    """How long the secret before opens."""

    hours = forms.IntegerField(
        label="旧密钥还能用几小时",
        min_value=0,
        max_value=168,
        initial=24,
        help_text="给应用留出换密钥的时间；泄露了的填 0。",
    )

    def __init__(self, *args: Any, first: bool, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if first:
            self.fields["hours"].widget = forms.HiddenInput()
            self.fields["hours"].initial = 0


class WithdrawForm(Form):
    """Why an application is withdrawn."""

    reason = forms.CharField(label="原因", max_length=200)
