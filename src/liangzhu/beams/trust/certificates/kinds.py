"""Certificate types (证照类型), issuing units and number series, as the pack's `certificates.toml` holds them.

A certificate says all about itself in its statement, so that a change here never changes what was issued.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.trust.certificates.models import Seal
from liangzhu.beams.trust.certificates.states import STATES
from liangzhu.kernel import identifiers, masking
from liangzhu.kernel.errors import NotThere, Problem
from liangzhu.kernel.pack import Pack, PackError, pack

FILE = "certificates.toml"
LAYOUTS = {"permit": "许可证", "voucher": "凭证", "card": "卡证"}
HOLDERS = {"person": "自然人", "organisation": "组织", "any": "自然人或组织"}
MASKS: dict[str, Callable[[str], str]] = {
    "name": masking.name,
    "citizen_id": masking.citizen_id_public,
    "phone": masking.phone,
    "address": masking.address,
}


class NotIssuer(Problem):
    """The unit may not issue such a thing here."""

    code, title, status = "not_issuer", "本单位不核发这种证照", 409
    todo = "请由核发单位办理；核发权限有变动的，请系统管理员更新地区资料包。"


@dataclass(frozen=True)
class Field:
    """One field of a certificate. ``grade`` 3 is shown by ``mask`` only (hidden altogether without one)."""

    key: str
    title: str
    grade: int = 1
    mask: str = ""
    required: bool = True
    long: bool = False
    type: str = "text"

    def shown(self, value: str) -> str:
        """The value as everybody may see it."""
        if self.grade < 3 or not value:
            return value
        return MASKS[self.mask](value) if self.mask else "***"


@dataclass(frozen=True)
class Kind:
    """A certificate type.

    ``code`` is the 证照类型代码 (21 characters); a ``foreign`` one is issued by others and only known here. ``years`` is
    how long it is valid, 0 without end. ``number`` is the pattern of 证照编号 with {mark}, {year}, {serial}.
    """

    key: str
    title: str
    code: str
    layout: str
    holder: str
    fields: tuple[Field, ...]
    foreign: bool = False
    issuers: tuple[str, ...] = ()
    seal: str = Seal.CERTIFICATE
    number: str = ""
    years: int = 0
    states: tuple[str, ...] = tuple(STATES)
    source: str = ""
    unconfirmed: bool = False
    to_confirm: str = ""

    def field(self, key: str) -> Field:
        """One of its fields. Raises NotThere."""
        found = next((one for one in self.fields if one.key == key), None)
        if found is None:
            raise NotThere(f"{self.title}没有“{key}”这一项。")
        return found


@dataclass(frozen=True)
class Issuer:
    """A unit that issues: its key, 统一社会信用代码 and 机关代字."""

    unit: str
    code: str
    mark: str
    unconfirmed: bool = False
    to_confirm: str = ""


@dataclass(frozen=True)
class Catalogue:
    """What the pack says, read and checked."""

    kinds: dict[str, Kind] = field(default_factory=dict)
    issuers: dict[str, Issuer] = field(default_factory=dict)
    papers: dict[str, str] = field(default_factory=dict)


def load(district: Pack) -> Catalogue:
    """Read and check the pack's file. Raises PackError, which names the entry and what is wrong with it."""
    return _read(district, str(district.folder))


@lru_cache(maxsize=8)
def _read(district: Pack, folder: str) -> Catalogue:
    text = district.toml(FILE)
    issuers = {}
    for row in text.get("issuer", ()):
        _identifier("enterprise", row["code"], f"核发机关 {row['unit']}")
        issuers[row["unit"]] = Issuer(
            row["unit"], row["code"], row["mark"], row.get("unconfirmed", False), row.get("to_confirm", "")
        )
    kinds: dict[str, Kind] = {}
    for row in text.get("kind", ()):
        kind = _kind(row, issuers)
        if kind.key in kinds or kind.code in {one.code for one in kinds.values()}:
            raise PackError(f"{FILE} 的证照类型 {kind.key} 写了两次，或类型代码与别的相同。")
        kinds[kind.key] = kind
    papers = {row["key"]: row["mark"] for row in text.get("paper", ())}
    return Catalogue(kinds, issuers, papers)


def _identifier(kind: str, value: str, where: str) -> None:
    try:
        identifiers.check(kind, value)
    except identifiers.IdentifierError as error:
        raise PackError(f"{FILE} 的{where}：{error.message}") from None


def _kind(row: dict, issuers: dict[str, Issuer]) -> Kind:
    where = f"{FILE} 的证照类型 {row.get('key', '?')}"
    try:
        fields = tuple(Field(**one) for one in row["field"])
        given = {name: value for name, value in row.items() if name != "field"}
        given |= {name: tuple(given[name]) for name in ("issuers", "states") if name in given}
        kind = Kind(fields=fields, **given)
    except (KeyError, TypeError) as error:
        raise PackError(f"{where}缺少或多出一项：{error}") from None
    _identifier("enterprise", kind.code[:18], f"证照类型 {kind.key} 的定义机构")
    faults = [
        (len(kind.code) != 21 or not kind.code[18:].isdigit(), "类型代码应为 18 位机构代码加 3 位数字"),
        (kind.layout not in LAYOUTS, f"没有版式 {kind.layout}"),
        (kind.holder not in HOLDERS, f"没有持证主体 {kind.holder}"),
        (kind.seal not in dict(Seal.USES), f"没有印章用途 {kind.seal}"),
        (bool(set(kind.states) - STATES.keys()), "状态代码不在标准里"),
        (bool(set(kind.issuers) - issuers.keys()), "核发单位没有写在 issuer 里"),
        (not kind.foreign and not (kind.issuers and kind.number), "本区核发的要写 issuers 和 number"),
        (any(one.mask and one.mask not in MASKS for one in kind.fields), "没有这种脱敏方式"),
        (len({one.key for one in kind.fields}) != len(kind.fields), "有两项同键"),
    ]
    if wrong := [words for fault, words in faults if fault]:
        raise PackError(f"{where}：{'；'.join(wrong)}。")
    return kind


def catalogue() -> Catalogue:
    """The pack in use."""
    return load(pack())


def kind_of(key: str) -> Kind:
    """A certificate type. Raises NotThere."""
    found = catalogue().kinds.get(key)
    if found is None:
        raise NotThere("没有这种证照类型。", todo=f"已有的：{'、'.join(catalogue().kinds)}。")
    return found


def title_of(key: str) -> str:
    """What a type is called; its key where the pack holds it no more."""
    found = catalogue().kinds.get(key)
    return found.title if found else key


def states_of(key: str) -> tuple[str, ...]:
    """The states that certificates of a type may have; all where the pack holds it no more."""
    found = catalogue().kinds.get(key)
    return found.states if found else tuple(STATES)


def issuer_of(unit_id: int) -> Issuer:
    """What is known of an issuing unit. Raises NotIssuer."""
    unit = directory.units().get(unit_id)
    found = catalogue().issuers.get(unit.key) if unit else None
    if found is None:
        raise NotIssuer(f"{unit.name if unit else '这个单位'}没有登记为核发机关。")
    return found


def issued_by(unit_id: int) -> list[Kind]:
    """The certificate types that a unit issues."""
    unit = directory.units().get(unit_id)
    return [one for one in catalogue().kinds.values() if unit and unit.key in one.issuers and not one.foreign]
