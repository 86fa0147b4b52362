"""政务服务事项编码: codes of government service items, GB/T 39554.1-2020.

    basic code (基本编码)             12   area 2, type 2, department 2, main item 3, sub-item 3
    implementation code (实施编码)    31   code of the implementing body 18, level 1, basic code 12
    handling code (业务办理项编码)    33   implementation code 31, sequence 2

Provinces use values of type and department that the national lists do not have: of those only the form is
checked. The implementing body (实施主体) stands with its unified social credit code, which must pass its
checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import ClassVar, Literal, Self

from liangzhu.kernel.identifiers.base import DIGITS, Field, Frame, Identifier
from liangzhu.kernel.identifiers.bodies import Enterprise

LEVELS = MappingProxyType(
    {
        "1": "国家级",
        "2": "省级",
        "3": "市级",
        "4": "县级",
        "5": "镇（乡、街道）级",
        "6": "村（社区）级",
    }
)
"""行使层级: the level at which the power is exercised."""

ITEM_TYPES = MappingProxyType(
    {
        "01": "行政许可",
        "02": "行政处罚",
        "03": "行政强制",
        "04": "行政征收",
        "05": "行政给付",
        "06": "行政检查",
        "07": "行政确认",
        "08": "行政奖励",
        "09": "行政裁决",
        "10": "其他行政权力",
        "20": "公共服务",
    }
)
"""事项类型 of the national list."""

_BASIC = (
    Field("area", "区划代码", 2, DIGITS, "数字"),
    Field("task_type", "事项类型代码", 2, DIGITS, "数字"),
    Field("department", "部门代码", 2, DIGITS, "数字"),
    Field("main", "主项代码", 3, DIGITS, "数字"),
    Field("sub", "子项代码", 3, DIGITS, "数字"),
)
_LEVEL = (Field("level", "行使层级代码", 1, "".join(LEVELS), "数字 1–6"),)
_HANDLING = (Field("handling", "业务办理项顺序号", 2, DIGITS, "数字"),)


@dataclass(frozen=True, slots=True, repr=False)
class Item(Identifier):
    """A service item code (政务服务事项编码) of 12, 31 or 33 characters.

    `implementer` and `level` are None in a basic code, `handling` is None unless there are 33 characters.
    `area` is 00 for a national basic item, else the province; `sub` is 000 when there is no sub-item.
    """

    kind: ClassVar[str] = "item"
    label: ClassVar[str] = "政务服务事项编码"

    value: str
    area: str
    task_type: str
    department: str
    main: str
    sub: str
    implementer: Enterprise | None
    level: str | None
    handling: str | None

    @property
    def form(self) -> Literal["basic", "implementation", "handling"]:
        """Which of the three codes this is."""
        if self.handling is not None:
            return "handling"
        return "basic" if self.implementer is None else "implementation"

    @property
    def basic(self) -> str:
        """The basic code (基本编码), 12 digits."""
        return self.area + self.task_type + self.department + self.main + self.sub

    @property
    def level_name(self) -> str | None:
        """Name of the level (行使层级), None in a basic code."""
        return None if self.level is None else LEVELS[self.level]

    @property
    def task_type_name(self) -> str | None:
        """Name of the item type (事项类型), None for a value that only a province uses."""
        return ITEM_TYPES.get(self.task_type)

    @classmethod
    def read(cls, frame: Frame, text: str, not_after: date | None) -> Self:
        """See `Identifier.read`."""
        if len(text) == 12:
            return cls(text, **frame.read(text, _BASIC), implementer=None, level=None, handling=None)
        if len(text) not in (31, 33):
            right = "12 位（基本编码）、31 位（实施编码）或 33 位（业务办理项编码）"
            raise frame.wrong_length(text, right, 12, 31, 33)
        implementer = Enterprise.read(frame.nested("implementer", "实施主体代码"), text[:18], not_after)
        level = frame.after(18).read(text[18], _LEVEL)["level"]
        basic = frame.after(19).read(text[19:31], _BASIC)
        handling = frame.after(31).read(text[31:], _HANDLING)["handling"]
        return cls(text, **basic, implementer=implementer, level=level, handling=handling or None)
