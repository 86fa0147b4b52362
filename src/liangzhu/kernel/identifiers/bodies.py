"""Codes of legal persons and other organisations.

组织机构代码, GB 11714-1997, and 统一社会信用代码, GB 32100-2015 with amendment 1 of 2016, which contains the
former in places 9 to 17; both check characters must hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import ClassVar, Self

from liangzhu.kernel.identifiers.base import (
    ALPHANUMERIC,
    DIGITS,
    VALUE_OF,
    Field,
    Frame,
    Identifier,
)

_ORGANISATION_BODY = (Field("body", "本体代码", 8, ALPHANUMERIC, "数字和字母"),)
_ORGANISATION_CHECK = (Field("check", "校验位", 1, DIGITS + "X", "数字或 X"),)
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

# 31 characters: I, O, S, V and Z are left out.
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ALPHABET_VALUE = {character: n for n, character in enumerate(_ALPHABET)}
_HOLDS = "数字和 I、O、S、V、Z 以外的字母"
_ENTERPRISE = (
    Field("authority", "登记管理部门代码", 1, _ALPHABET, _HOLDS),
    Field("category", "机构类别代码", 1, _ALPHABET, _HOLDS),
    Field("region", "登记管理机关行政区划码", 6, DIGITS, "数字"),
    Field("body", "主体标识码", 9, _ALPHABET, _HOLDS),
    Field("check", "校验位", 1, _ALPHABET, _HOLDS),
)
_ENTERPRISE_WEIGHTS = tuple(pow(3, n, 31) for n in range(17))

AUTHORITIES = MappingProxyType(
    {
        "1": "机构编制",
        "2": "外交",
        "3": "司法行政",
        "4": "文化",
        "5": "民政",
        "6": "旅游",
        "7": "宗教",
        "8": "工会",
        "9": "工商",
        "A": "中央军委改革和编制办公室",
        "N": "农业",
        "Y": "其他",
    }
)
"""登记管理部门代码, GB 32100-2015 with amendment 1. Market regulation still registers under 9 (工商)."""

CATEGORIES = MappingProxyType(
    {
        "11": "机关",
        "12": "事业单位",
        "13": "中央编办直接管理机构编制的群众团体",
        "19": "其他",
        "21": "外国常驻新闻机构",
        "29": "其他",
        "31": "律师执业机构",
        "32": "公证处",
        "33": "基层法律服务所",
        "34": "司法鉴定机构",
        "35": "仲裁委员会",
        "39": "其他",
        "41": "外国在华文化中心",
        "49": "其他",
        "51": "社会团体",
        "52": "民办非企业单位",
        "53": "基金会",
        "59": "其他",
        "61": "外国旅游部门常驻代表机构",
        "62": "港澳台地区旅游部门常驻内地（大陆）代表机构",
        "69": "其他",
        "71": "宗教活动场所",
        "72": "宗教院校",
        "79": "其他",
        "81": "基层工会",
        "89": "其他",
        "91": "企业",
        "92": "个体工商户",
        "93": "农民专业合作社",
        "A1": "军队事业单位",
        "A9": "其他",
        "N1": "组级集体经济组织",
        "N2": "村级集体经济组织",
        "N3": "乡镇级集体经济组织",
        "N9": "其他",
        "Y1": "其他",
    }
)
"""机构类别代码 after its authority. An unlisted one is no error: authorities add categories of their own."""


@dataclass(frozen=True, slots=True, repr=False)
class Organisation(Identifier):
    """An organisation code (组织机构代码): eight characters, perhaps a hyphen, and a check character.

    `value` has no hyphen.
    """

    kind: ClassVar[str] = "organisation"
    label: ClassVar[str] = "组织机构代码"

    value: str
    body: str
    check: str

    @property
    def hyphenated(self) -> str:
        """The form printed on certificates: XXXXXXXX-X."""
        return f"{self.body}-{self.check}"

    @classmethod
    def read(cls, frame: Frame, text: str, not_after: date | None) -> Self:
        """See `Identifier.read`."""
        hyphen = text[8:9] == "-"
        body, check = text[:8], text[9:] if hyphen else text[8:]
        stray = (body + check).find("-")
        if stray >= 0:
            place = stray + 1 if stray < 8 else stray + 1 + hyphen
            what = f"{frame.where(place)}的连字符位置不对，只能在末位校验位之前"
            raise frame.error("hyphen", what, place=(place, place))
        if len(body + check) != 9:
            raise frame.wrong_length(body + check, "9 位（连字符不计）", 9)
        frame.read(body, _ORGANISATION_BODY)
        frame.after(len(text) - 1).read(check, _ORGANISATION_CHECK)
        right = _organisation_check(body)
        if check != right:
            raise frame.wrong_check(len(text), right, check)
        return cls(body + check, body, check)


@dataclass(frozen=True, slots=True, repr=False)
class Enterprise(Identifier):
    """A unified social credit code (统一社会信用代码), of an enterprise or any other organisation."""

    kind: ClassVar[str] = "enterprise"
    label: ClassVar[str] = "统一社会信用代码"

    value: str
    authority: str
    category: str
    region: str
    body: str
    check: str

    @property
    def authority_name(self) -> str | None:
        """Name of the registering authority (登记管理部门), None when the standard does not list the code."""
        return AUTHORITIES.get(self.authority)

    @property
    def category_name(self) -> str | None:
        """Name of the category of body (机构类别), None when the standard does not list the code."""
        return CATEGORIES.get(self.authority + self.category)

    @property
    def organisation(self) -> Organisation:
        """The organisation code that places 9 to 17 are."""
        return Organisation(self.body, self.body[:8], self.body[8])

    @classmethod
    def completed(cls, body: str) -> str:
        """See `complete`."""
        whole = body + _organisation_check(body[8:])
        return whole + _enterprise_check(whole)

    @classmethod
    def read(cls, frame: Frame, text: str, not_after: date | None) -> Self:
        """See `Identifier.read`."""
        if len(text) != 18:
            raise frame.wrong_length(text, "18 位", 18)
        parts = frame.read(text, _ENTERPRISE)
        body = parts["body"]
        right = _organisation_check(body[:8])
        if body[8] != right:
            what = f"主体标识码（{frame.where(9, 17)}）自带的校验位应为 {right}，现为 {body[8]}"
            raise frame.error("body", what, place=(9, 17))
        right = _enterprise_check(text[:17])
        if parts["check"] != right:
            todo = f"主体标识码已通过自身校验，请重点核对{frame.where(1, 8)}和{frame.where(18)}。"
            raise frame.wrong_check(18, right, parts["check"], todo)
        return cls(text, **parts)


def _organisation_check(body: str) -> str:
    total = sum(VALUE_OF[c] * weight for c, weight in zip(body, _ORGANISATION_WEIGHTS, strict=True))
    return "0X987654321"[total % 11]


def _enterprise_check(body: str) -> str:
    total = sum(_ALPHABET_VALUE[c] * weight for c, weight in zip(body, _ENTERPRISE_WEIGHTS, strict=True))
    return _ALPHABET[-total % 31]
