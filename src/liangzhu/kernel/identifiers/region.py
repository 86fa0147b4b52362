"""区划代码: administrative divisions, GB/T 2260 (6 digits), GB/T 10114 (9) and statistical divisions (12).

Only the structure is checked. Whether a code is in force on a day is a question to the table of regions:
codes are dropped and handed over, and some zones exist in statistics only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal, Self

from liangzhu.kernel.identifiers.base import DIGITS, Field, Frame, Identifier, IdentifierError

Level = Literal["province", "prefecture", "county", "township", "village"]

_FIELDS = (
    Field("province", "省级代码", 2, DIGITS, "数字"),
    Field("prefecture", "地级代码", 2, DIGITS, "数字"),
    Field("county", "县级代码", 2, DIGITS, "数字"),
    Field("township", "乡级代码", 3, DIGITS, "数字"),
    Field("village", "村级代码", 3, DIGITS, "数字"),
)
_TOWNSHIP_KINDS = ((1, 99, "街道"), (100, 199, "镇"), (200, 399, "乡"), (400, 599, "其他"))


@dataclass(frozen=True, slots=True, repr=False)
class Region(Identifier):
    """A division code (区划代码) of 6, 9 or 12 digits; zeros at the end stand for levels that are not named.

    `province` … `village` are the code up to that level (2, 4, 6, 9, 12 digits), None where it is not
    named. A city without counties has towns directly under it: `township` then stands while `county` is
    None.
    """

    kind: ClassVar[str] = "region"
    label: ClassVar[str] = "区划代码"
    has_check: ClassVar[bool] = False

    value: str
    province: str
    prefecture: str | None
    county: str | None
    township: str | None
    village: str | None

    @property
    def level(self) -> Level:
        """The lowest level that the code names."""
        if self.village:
            return "village"
        if self.township:
            return "township"
        if self.county:
            return "county"
        return "prefecture" if self.prefecture else "province"

    @property
    def township_kind(self) -> str | None:
        """街道, 镇, 乡 or 其他 (zones, farms) by the three digits of the township; None without one."""
        if self.township is None:
            return None
        number = int(self.township[6:])
        return next((name for low, high, name in _TOWNSHIP_KINDS if low <= number <= high), None)

    @classmethod
    def read(cls, frame: Frame, text: str, not_after: date | None) -> Self:
        """See `Identifier.read`."""
        if len(text) not in (6, 9, 12):
            raise frame.wrong_length(text, "6 位、9 位或 12 位", 6, 9, 12)
        parts = frame.read(text, _FIELDS)
        if parts["province"] == "00":
            raise frame.error("province", f"{frame.where(1, 2)}省级代码不能为 00", place=(1, 2))
        if parts["prefecture"] == "00" and text[4:].strip("0"):
            raise _gap(frame, "prefecture", "地级", (3, 4))
        if parts["township"] == "000" and parts["village"].strip("0"):
            raise _gap(frame, "township", "乡级", (7, 9))
        return cls(
            text,
            text[:2],
            text[:4] if parts["prefecture"] != "00" else None,
            text[:6] if parts["county"] != "00" else None,
            text[:9] if parts["township"].strip("0") else None,
            text[:12] if parts["village"].strip("0") else None,
        )


def _gap(frame: Frame, part: str, label: str, place: tuple[int, int]) -> IdentifierError:
    message = f"{frame.where(*place)}{label}代码为 0，其后却还有下级代码"
    return frame.error(part, message, place=place)
