"""发文字号: numbers of official documents, 党政机关公文处理工作条例 §9 and GB/T 9704-2012 §7.2.5.

Issuer, year, number: 国发〔2022〕14号. Hexagonal brackets, the year in full, no 第, no leading zero.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Self

from liangzhu.kernel.identifiers.base import Frame, Identifier, IdentifierError, printable

_EXAMPLE = "正确写法如“国发〔2022〕14号”：六角括号、四位年份、序号不加“第”、不编虚位。"
_ROUND = "（(）)"
_OPENING = "〔[［【{｛﹝〖<＜《（("
_CLOSING = "〕]］】}｝﹞〗>＞》）)"
_CHINESE_DIGITS = "〇零一二三四五六七八九十百千○"

# Any wrongly written number of a document must match, so that each fault gets its own name. The year stands
# in the last pair of brackets; before it only round ones may occur, around the name of a bureau.
_ANY = re.escape(_OPENING + _CLOSING)
_BEFORE = re.escape("".join(c for c in _OPENING + _CLOSING if c not in _ROUND))
_SHAPE = re.compile(
    rf"(?P<issuer>[^{_BEFORE}]*?)(?P<open>[{re.escape(_OPENING)}])(?P<year>[^{_ANY}]*)"
    rf"(?P<close>[{re.escape(_CLOSING)}])(?P<rest>[^{_ANY}]*)"
)
# Letters and figures occur in abbreviations (12345).
_ISSUER = re.compile(
    r"[\u3400-\u9fffA-Za-z0-9]*[\u3400-\u9fffA-Za-z](?:（[\u3400-\u9fff]+）[\u3400-\u9fff]*)?"
)


@dataclass(frozen=True, slots=True, repr=False)
class DocumentNumber(Identifier):
    """The number of an official document (发文字号): issuer (机关代字), year and number in that year."""

    kind: ClassVar[str] = "document_number"
    label: ClassVar[str] = "发文字号"
    keeps_case: ClassVar[bool] = True
    has_check: ClassVar[bool] = False

    value: str
    issuer: str
    year: int
    number: int

    @classmethod
    def read(cls, frame: Frame, text: str, not_after: date | None) -> Self:
        """See `Identifier.read`."""
        match = _SHAPE.fullmatch(text)
        if match is None:
            raise _no_brackets(frame, text)
        issuer = match["issuer"]
        if _ISSUER.fullmatch(issuer) is None:
            place = (1, len(issuer)) if issuer else (1, 1)
            what = f"机关代字“{printable(issuer)}”只能用汉字和字母" if issuer else "缺少机关代字"
            raise frame.error("issuer", what, _EXAMPLE, place)
        for group, right in (("open", "〔"), ("close", "〕")):
            if match[group] != right:
                place = (match.start(group) + 1, match.end(group))
                what = f"{frame.where(*place)}年份括号应为六角括号“{right}”，现为“{match[group]}”"
                raise frame.error("bracket", what, _EXAMPLE, place)
        year = _year(frame, match, not_after)
        number = _number(frame, match)
        return cls(text, issuer, year, number)


def _no_brackets(frame: Frame, text: str) -> IdentifierError:
    opened = any(character in _OPENING for character in text)
    closed = any(character in _CLOSING for character in text)
    if opened != closed:
        missing = "右括号“〕”" if opened else "左括号“〔”"
        return frame.error("bracket", f"年份缺少{missing}", _EXAMPLE)
    if opened:
        return frame.error("bracket", "括号的位置或个数不对，只有年份加一对括号", _EXAMPLE)
    return frame.error("bracket", "年份没有加六角括号“〔〕”", _EXAMPLE)


def _year(frame: Frame, match: re.Match[str], not_after: date | None) -> int:
    text = match["year"]
    place = (match.start("year") + 1, max(match.end("year"), match.start("year") + 1))
    if text and all(character in _CHINESE_DIGITS for character in text):
        raise frame.error("year", f"年份“{text}”应用阿拉伯数字", _EXAMPLE, place)
    if re.fullmatch(r"[0-9]{2}", text):
        raise frame.error("year", f"年份 {text} 应写全四位", _EXAMPLE, place)
    if re.fullmatch(r"[0-9]{4}年", text):
        raise frame.error("year", f"括号内只写年份数字，不加“年”：{text}", _EXAMPLE, place)
    if not re.fullmatch(r"(19|20)[0-9]{2}", text):
        what = f"年份“{printable(text)}”不是四位公历年份" if text else "括号内缺少年份"
        raise frame.error("year", what, _EXAMPLE, place)
    year = int(text)
    if not_after is not None and year > not_after.year:
        raise frame.error("year", f"年份 {year} 晚于 {not_after.year} 年", _EXAMPLE, place)
    return year


def _number(frame: Frame, match: re.Match[str]) -> int:
    rest = match["rest"]
    at = match.start("rest")
    if rest.startswith("第"):
        raise frame.error("number", "序号前不加“第”", _EXAMPLE, (at + 1, at + 1))
    place = (at + 1, at + max(len(rest), 1))
    if "号" in rest[:-1]:
        raise frame.error("number", "“号”后不能再有文字", _EXAMPLE, place)
    if not rest.endswith("号"):
        raise frame.error("number", "序号后缺少“号”", _EXAMPLE, place)
    digits = rest[:-1]
    if digits and all(character in _CHINESE_DIGITS for character in digits):
        raise frame.error("number", f"序号“{digits}”应用阿拉伯数字", _EXAMPLE, place)
    if not re.fullmatch(r"[0-9]{1,6}", digits):
        what = f"序号“{printable(digits)}”不是阿拉伯数字序号" if digits else "“号”前缺少序号"
        raise frame.error("number", what, _EXAMPLE, place)
    if digits.strip("0") == "":
        raise frame.error("number", "序号从 1 编起，不能为 0", _EXAMPLE, place)
    if digits[0] == "0":
        raise frame.error("number", f"序号不编虚位：{digits} 应写作 {int(digits)}", _EXAMPLE, place)
    return int(digits)
