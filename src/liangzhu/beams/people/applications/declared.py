"""What an application declares of itself, read and checked: addresses, audience, what it wants to know and why."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import jwt

from liangzhu.beams.people.applications.models import Declaration
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.errors import Invalid
from liangzhu.kernel.simulating import is_loopback

CATEGORIES = {
    "office": "办公",
    "approval": "审批办理",
    "government": "城市治理",
    "data": "数据和统计",
    "life": "生活服务",
    "enterprise": "企业服务",
    "other": "其他",
}

SCOPES = {
    "openid": "一个只在这个应用里有效的编号",
    "profile": "姓名",
    "post": "单位、岗位和角色（只有工作人员有）",
    "organisation": "所代表企业的名称、统一社会信用代码和代办身份",
    "identity": "证件类型和号码",
    "phone": "手机号",
}
"""What can be asked for, in words that people read before they agree."""

METHODS = {
    "client_secret": "密钥（client_secret_basic 或 client_secret_post）",
    "private_key_jwt": "自己的私钥签名，这里只存公钥（private_key_jwt）",
}

ALGORITHMS = {"RS256": "RS256（所有客户端都支持）", "ES256": "ES256（更快、更短）"}

ASSERTION_ALGORITHMS = ("RS256", "PS256", "ES256")
"""How an application may sign its assertions. Never a symmetric one, never `none`."""

MOST_ADDRESSES = 10


@dataclass(frozen=True)
class Declared:
    """A declaration, ready for use. ``scopes`` is name to the reason why it is needed; ``units`` and ``roles`` narrow the
    staff (none: all). ``government`` is an application of the government's own, which residents are not asked about.
    ``level`` is the least level of assurance. ``sector`` is within which its numbers for people are the same.
    """

    title: str
    category: str
    purpose: str
    contact: str
    start_url: str
    redirect_uris: tuple[str, ...]
    logout_uris: tuple[str, ...] = ()
    backchannel_uri: str = ""
    health_url: str = ""
    staff: bool = False
    residents: bool = False
    enterprises: bool = False
    units: tuple[int, ...] = ()
    roles: tuple[str, ...] = ()
    scopes: Mapping[str, str] = field(default_factory=dict)
    government: bool = False
    level: int = 1
    method: str = "client_secret"
    jwks: str = ""
    algorithm: str = "RS256"
    sector: str = ""

    @property
    def wanted(self) -> list[str]:
        """The scopes it may ask for."""
        return ["openid", *(one for one in SCOPES if one in self.scopes)]

    @property
    def audience(self) -> str:
        """For whom it is, in words."""
        people = []
        if self.staff:
            units = "、".join(directory.unit_name(one) for one in self.units)
            roles = "、".join(directory.role_title(one) for one in self.roles)
            narrow = "；".join(part for part in (units, roles) if part)
            people.append(f"工作人员（{narrow}）" if narrow else "全部工作人员")
        people += ["群众"] if self.residents else []
        people += ["企业"] if self.enterprises else []
        return "、".join(people)

    def for_post(self, unit_id: int, roles: frozenset[str]) -> bool:
        """Whether it is for staff of that unit, with those roles of the post acted under."""
        if not self.staff or (self.roles and roles.isdisjoint(self.roles)):
            return False
        return not self.units or unit_id in _reach(self.units)

    def public_keys(self) -> list[jwt.PyJWK]:
        """The public keys that its assertions are checked by."""
        return _keys(self.jwks)

    def body(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self) | {"scopes": dict(self.scopes)}


def _reach(units: tuple[int, ...]) -> set[int]:
    """The units and all below them; one that is no more is what took its place."""
    tree = directory.units()
    found = set()
    for unit_id in units:
        here = unit_id if tree.get(unit_id) else directory.successor(unit_id)
        if here is not None:
            found |= {here, *(view.id for view in tree.under(here))}
    return found


@lru_cache(maxsize=256)
def _keys(text: str) -> list[jwt.PyJWK]:
    return [jwt.PyJWK.from_dict(one) for one in json.loads(text)["keys"]] if text else []


@lru_cache(maxsize=512)
def _read(declaration_id: int, body: str) -> Declared:
    found = json.loads(body)
    for name in ("redirect_uris", "logout_uris", "units", "roles"):
        found[name] = tuple(found[name])
    return Declared(**found)


_by_id: dict[int, Declared] = {}


def of(declaration: Declaration) -> Declared:
    """What a version says."""
    return _read(declaration.pk, json.dumps(declaration.body, sort_keys=True))


def by_id(declaration_id: int) -> Declared:
    """What a version says; a version never changes, so it is read once a process."""
    found = _by_id.get(declaration_id)
    if found is None:
        if len(_by_id) > 1000:
            _by_id.clear()
        found = of(Declaration.objects.get(pk=declaration_id))
        _by_id[declaration_id] = found
    return found


def forget() -> None:
    """Forget what was read: in tests, where rows vanish and numbers come again."""
    _by_id.clear()
    _read.cache_clear()


# Checking -------------------------------------------------------------------------------------------------------------


def address_problem(text: str) -> str:
    """Why an address cannot be used; empty when it can. https only, but on this machine; exact, without fragment or ``*``."""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return "无法识别"
    if not text.isascii() or any(one.isspace() or ord(one) < 33 for one in text) or len(text) > 500:
        return "不能有空格和中文，最多 500 个字符"
    if parts.scheme not in ("https", "http") or not host:
        return "应以 https:// 开头"
    if parts.scheme == "http" and not is_loopback(host):
        return "应以 https:// 开头，http:// 只能用于本机调试"
    if "#" in text or "*" in text or parts.username or parts.password:
        return "不能有 #、* 和用户名密码"
    return ""


def _address_errors(name: str, given: tuple[str, ...], errors: dict[str, str], *, needed: bool) -> None:
    wrong = [f"{one}：{why}" for one in given if (why := address_problem(one))]
    if wrong:
        errors[name] = "；".join(wrong) + "。"
    elif needed and not given:
        errors[name] = "请填写地址。"
    elif len(given) > MOST_ADDRESSES:
        errors[name] = f"最多 {MOST_ADDRESSES} 个地址。"


def _jwks_problem(text: str) -> str:
    try:
        found = json.loads(text)
        keys = found["keys"]
        if not keys or any(not isinstance(one, dict) or one.get("kty") not in ("RSA", "EC") for one in keys):
            return "应是 JWKS：{“keys”: [ … ]}，里面是 RSA 或 EC 公钥。"
        if any(one.get("d") for one in keys):
            return "里面有私钥（d）。请马上换掉这对密钥，只登记公钥。"
        for one in keys:
            jwk = jwt.PyJWK.from_dict(one)
            if one["kty"] == "RSA" and jwk.key.key_size < 2048:
                return "RSA 密钥至少 2048 位。"
    except (ValueError, KeyError, TypeError, jwt.PyJWTError):
        return "应是 JWKS：{“keys”: [ … ]}，里面是 RSA 或 EC 公钥。"
    return ""


def checked(given: Declared) -> Declared:
    """The declaration, if it can be registered. Raises Invalid with every mistake beside its field."""
    errors: dict[str, str] = {}
    for name, most in (("title", 60), ("purpose", 200), ("contact", 100)):
        if not 0 < len(getattr(given, name).strip()) <= most:
            errors[name] = f"请填写，最多 {most} 个字。"
    if given.category not in CATEGORIES:
        errors["category"] = "请选择类别。"
    _address_errors("start_url", (given.start_url,) if given.start_url else (), errors, needed=True)
    _address_errors("redirect_uris", given.redirect_uris, errors, needed=True)
    _address_errors("logout_uris", given.logout_uris, errors, needed=False)
    for name in ("backchannel_uri", "health_url"):
        value = getattr(given, name)
        _address_errors(name, (value,) if value else (), errors, needed=False)
    if not (given.staff or given.residents or given.enterprises):
        errors["audience"] = "请至少选一类使用的人。"
    if not given.staff and (given.units or given.roles):
        errors["units"] = "单位和角色只用来限定工作人员；请勾选“工作人员”，或清空单位和角色。"
    unknown = set(given.roles) - directory.all_roles().keys()
    if unknown:
        errors["roles"] = f"没有这样的角色：{'、'.join(sorted(unknown))}。"
    for name, why in given.scopes.items():
        if name not in SCOPES or not 0 < len(why.strip()) <= 100:
            errors[f"scope_{name}"] = "请写明为什么需要，最多 100 个字。"
    if given.level not in (1, 2, 3):
        errors["level"] = "请选择等级。"
    if given.method not in METHODS:
        errors["method"] = "请选择应用怎样证明自己。"
    if given.algorithm not in ALGORITHMS:
        errors["algorithm"] = "请选择签名算法。"
    if given.method == "private_key_jwt":
        if problem := _jwks_problem(given.jwks):
            errors["jwks"] = problem
    elif given.jwks:
        errors["jwks"] = "用密钥的应用不用填公钥。"
    hosts = {urlsplit(one).hostname for one in given.redirect_uris if not address_problem(one)}
    if not given.sector and len(hosts) > 1:
        errors["sector"] = "回调地址在几个主机上，请写明编号在哪个范围内一致，如其中一个主机名。"
    if given.sector and (not given.sector.isascii() or not 0 < len(given.sector) <= 100):
        errors["sector"] = "应是主机名那样的写法，最多 100 个字符。"
    if errors:
        raise Invalid(errors)
    return given


def sector_of(declared: Declared) -> str:
    """Within what the numbers for people are the same (OpenID Connect Core 1.0 §8.1): as declared, or the callback's host."""
    return declared.sector or urlsplit(declared.redirect_uris[0]).hostname or ""


def difference(old: Declared | None, new: Declared) -> list[tuple[str, str, str]]:
    """What changes, as (what, before, after) in words; everything that is said where there is nothing before."""
    was = dict(lines(old)) if old else {}
    return [(label, was.get(label, ""), text) for label, text in lines(new) if was.get(label, "") != text]


def lines(one: Declared) -> list[tuple[str, str]]:
    """A declaration in words, line by line."""
    return [
        ("名称", one.title),
        ("类别", CATEGORIES[one.category]),
        ("用途", one.purpose),
        ("联系人", one.contact),
        ("打开地址", one.start_url),
        ("回调地址", "\n".join(one.redirect_uris)),
        ("退出后返回地址", "\n".join(one.logout_uris)),
        ("接收退出通知的地址", one.backchannel_uri),
        ("健康检查地址", one.health_url),
        ("谁使用", one.audience),
        ("需要知道什么", "\n".join(f"{SCOPES[name]}：{why}" for name, why in sorted(one.scopes.items()))),
        ("政府自己的应用", "是，群众登录时不另行征求同意" if one.government else "否，群众登录时征求同意"),
        ("最低实名等级", str(one.level)),
        ("怎样证明自己", METHODS[one.method]),
        ("公钥", one.jwks),
        ("签名算法", one.algorithm),
        ("编号一致的范围", sector_of(one)),
    ]
