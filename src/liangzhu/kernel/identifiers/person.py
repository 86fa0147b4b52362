"""Identity numbers of natural persons: 公民身份号码, GB 11643-1999, and the numbers built like it.

The check character is ISO 7064 MOD 11-2. The same form is used by the residence permit for residents of
Hong Kong, Macao and Taiwan (港澳台居民居住证: 810000, 820000, 830000) and, since 1 December 2023, by the
foreign permanent resident identity card (外国人永久居留身份证: 9, province of acceptance, nationality as
three digits of GB/T 2659).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal, Self

from liangzhu.kernel.identifiers.base import DIGITS, Field, Frame, Identifier, stars

Holder = Literal["resident", "hongkong", "macao", "taiwan", "foreign"]

_LONG = (
    Field("region", "地址码", 6, DIGITS, "数字"),
    Field("birth_date", "出生日期", 8, DIGITS, "数字"),
    Field("sequence", "顺序码", 3, DIGITS, "数字"),
    Field("check", "校验位", 1, DIGITS + "X", "数字或 X"),
)
_SHORT = (
    Field("region", "地址码", 6, DIGITS, "数字"),
    Field("birth_date", "出生日期", 6, DIGITS, "数字"),
    Field("sequence", "顺序码", 3, DIGITS, "数字"),
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"

# Provinces of GB/T 2260. The rest is not looked up: people keep the code of a county that is gone.
_PROVINCES = frozenset(
    str(code)
    for group in ((11, 16), (21, 24), (31, 38), (41, 47), (50, 55), (61, 66), (71, 72))
    for code in range(*group)
)
_PERMITS: dict[str, Holder] = {"810000": "hongkong", "820000": "macao", "830000": "taiwan"}
_EARLIEST_YEAR = 1800
_FORM = re.compile(r"[0-9]{17}[0-9X]|[0-9]{15}")
_OLD_FOREIGN_CARD = re.compile(r"[A-Z]{3}[0-9]{12}")


@dataclass(frozen=True, slots=True, repr=False)
class Person(Identifier):
    """An identity number (公民身份号码) and what it says about its holder.

    `value` has 18 characters; `written` is what was given, 18 characters or 15 of the first generation (GB
    11643-1989, no check character, all read as born in 19xx). `region` is the region of first registration,
    six digits and not necessarily one that exists today; for `holder` "foreign" it is the two-digit province
    of acceptance, and `nationality` (three digits, GB/T 2659) is set, None for everyone else.
    """

    kind: ClassVar[str] = "person"
    label: ClassVar[str] = "公民身份号码"

    value: str
    written: str
    holder: Holder
    region: str
    nationality: str | None
    birth_date: date
    sequence: str
    check: str

    @property
    def sex(self) -> Literal["male", "female"]:
        """Sex by the last digit of the sequence: odd male, even female."""
        return "male" if int(self.sequence) % 2 else "female"

    @classmethod
    def read(cls, frame: Frame, text: str, not_after: date | None) -> Self:
        """See `Identifier.read`."""
        if _OLD_FOREIGN_CARD.fullmatch(text):
            raise frame.error(
                "length",
                "这是旧版外国人永久居留身份证号码（3 位字母加 12 位数字），不是 18 位号码",
                "请填写新版证件上以 9 开头的 18 位号码；尚未换证的，请按其他证件填写。",
            )
        if len(text) == 18:
            parts = frame.read(text, _LONG)
            place, digits = (7, 14), parts["birth_date"]
        elif len(text) == 15:
            parts = frame.read(text, _SHORT)
            place, digits = (7, 12), "19" + parts["birth_date"]
        else:
            raise frame.wrong_length(text, "18 位（第一代证为 15 位）", 18)

        holder, region, nationality = _holder(frame, parts["region"])
        birth_date = _birth_date(frame, place, parts["birth_date"], digits, not_after)
        body = parts["region"] + digits + parts["sequence"]
        right = _check(body)
        check = parts.get("check", right)
        if check != right:
            raise frame.wrong_check(18, right, check)
        return cls(body + check, text, holder, region, nationality, birth_date, parts["sequence"], check)

    @classmethod
    def completed(cls, body: str) -> str:
        """See `complete`."""
        return body + _check(body)

    @classmethod
    def masked(cls, text: str, *, public: bool) -> str:
        """Keep at most the first six and the last four characters; in public only the last four."""
        if not _FORM.fullmatch(text):
            return stars(text)
        return stars(text, 0 if public else 6, 4 if len(text) == 18 else 3)


def _check(body: str) -> str:
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return _CHECKS[total % 11]


def _holder(frame: Frame, region: str) -> tuple[Holder, str, str | None]:
    if region in _PERMITS:
        return _PERMITS[region], region, None
    if region[0] == "9":
        if region[1:3] not in _PROVINCES:
            what = f"{frame.where(2, 3)}受理地省级代码 {region[1:3]} 不存在"
            raise frame.error("region", what, place=(2, 3))
        return "foreign", region[1:3], region[3:]
    if region[0] == "8":
        raise frame.error(
            "region",
            f"{frame.where(1, 6)}地址码 {region} 不存在",
            "港澳台居民居住证以 810000、820000 或 830000 开头，请对照证件核对。",
            (1, 6),
        )
    if region[:2] not in _PROVINCES:
        raise frame.error("region", f"{frame.where(1, 2)}省级代码 {region[:2]} 不存在", place=(1, 2))
    return "resident", region, None


def _birth_date(
    frame: Frame, place: tuple[int, int], written: str, digits: str, not_after: date | None
) -> date:
    what = f"{frame.where(*place)}出生日期 {written}"
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise frame.error("birth_date", f"{what} 不存在", place=place) from None
    if day.year < _EARLIEST_YEAR:
        raise frame.error("birth_date", f"{what} 早于 {_EARLIEST_YEAR} 年", place=place)
    if not_after is not None and day > not_after:
        raise frame.error("birth_date", f"{what} 晚于 {not_after:%Y-%m-%d}", place=place)
    return day
