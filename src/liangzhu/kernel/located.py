"""JSON whose every value knows its line, so that what is declared as data can be refused by file, line and path.

    source = read('{"rows": [{"days": -1}]}', "rules/x.json")
    source.fault(("rows", 0, "days"), "不能小于 0。")
    source.stop()               # DataFileError: rules/x.json:1: rows[0].days：不能小于 0。

Stricter than JSON: a name given twice in one object is refused, and so are NaN and Infinity. Numbers with a point are
`Decimal`, so that money stays what was written.
"""

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from json.decoder import scanstring
from typing import Any

from liangzhu.kernel.errors import Problem

Path = tuple[str | int, ...]
"""The way to a value: names of objects and places of arrays."""

LONGEST_NUMBER = 40
_BLANK = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")
_WORDS = {"true": True, "false": False, "null": None}


class DataFileError(Problem):
    """A file of data that cannot be used; ``faults`` are (line, message), the detail names file and line of each."""

    code, title, status = "data_file", "文件有误", 422
    todo = "请按所列的行修改文件后重新检查。"

    def __init__(self, file: str, faults: list[tuple[int, str]]):
        self.file = file
        self.faults = sorted(faults)
        super().__init__("\n".join(f"{file}:{line}: {message}" for line, message in self.faults))


def path_words(path: Path) -> str:
    """A path as one writes it: ``rows[0].when``; the whole document is ``$``."""
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else part
    return out or "$"


@dataclass
class Source:
    """One document: its ``data``, the line of each path, and the faults found so far."""

    file: str
    data: Any
    lines: dict[Path, int]
    faults: list[tuple[int, str]] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """The line of a path, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def fault(self, path: Path, message: str) -> None:
        """Note a fault and go on, so that all are told at once."""
        self.faults.append((self.line(path), f"{path_words(path)}：{message}"))

    def stop(self) -> None:
        """Raise DataFileError when a fault was noted."""
        if self.faults:
            raise DataFileError(self.file, self.faults)

    def keys(self, path: Path, table: Any, needed: set[str], known: set[str]) -> bool:
        """Note what is missing in an object and what nobody knows; whether it is sound enough to read on."""
        if not isinstance(table, dict):
            self.fault(path, "应是一个对象 { … }。")
            return False
        for name in sorted(table.keys() - needed - known):
            self.fault((*path, name), f"没有名为 {name} 的项；可用的有 {'、'.join(sorted(needed | known))}。")
        missing = sorted(needed - table.keys())
        for name in missing:
            self.fault(path, f"缺少 {name}。")
        return not missing

    def text(self, path: Path, value: Any, *, longest: int = 2000, empty: bool = False) -> str:
        """A text; notes a fault and returns "" for anything else."""
        if not isinstance(value, str) or (not empty and not value.strip()):
            self.fault(path, "应是不为空的文字。" if not empty else "应是文字。")
            return ""
        if len(value) > longest:
            self.fault(path, f"最多 {longest} 个字，现在有 {len(value)} 个。")
        return value

    def whole(self, path: Path, value: Any, *, least: int = 0, most: int = 1_000_000) -> int | None:
        """A whole number within bounds; notes a fault and returns None for anything else."""
        if isinstance(value, bool) or not isinstance(value, int):
            self.fault(path, "应是整数。")
            return None
        if not least <= value <= most:
            self.fault(path, f"应在 {least} 到 {most} 之间，现为 {value}。")
            return None
        return value

    def flag(self, path: Path, value: Any) -> bool:
        """true or false; notes a fault for anything else."""
        if not isinstance(value, bool):
            self.fault(path, "应是 true 或 false。")
            return False
        return value

    def one_of(self, path: Path, value: Any, known: Any) -> Any:
        """One of the words; notes a fault and returns None for anything else."""
        if not isinstance(value, str) or value not in known:
            self.fault(path, f"{value!r} 不认识；可用的有 {'、'.join(known)}。")
            return None
        return value

    def listed(self, path: Path, value: Any, *, least: int = 0) -> list:
        """A list; notes a fault and returns [] for anything else."""
        if not isinstance(value, list):
            self.fault(path, "应是一个列表 [ … ]。")
            return []
        if len(value) < least:
            self.fault(path, f"至少要有 {least} 项。")
        return value


def read(text: str, file: str = "data.json") -> Source:
    """Read a document. Raises DataFileError for what is not JSON, naming the line."""
    reader = _Reader(text, file)
    try:
        place, data = reader.value(reader.blank(0), ())
        place = reader.blank(place)
    except json.JSONDecodeError as error:
        raise DataFileError(
            file, [(error.lineno, f"不是有效的 JSON：第 {error.colno} 列，{error.msg}")]
        ) from None
    except RecursionError:
        raise DataFileError(file, [(1, "嵌套太深。")]) from None
    if place != len(text):
        raise DataFileError(file, [(reader.line(place), "文件末尾有多余的内容。")])
    return Source(file, data, reader.lines)


class _Reader:
    """A JSON reader that notes where things stand."""

    def __init__(self, text: str, file: str):
        self.text, self.file = text, file
        self.lines: dict[Path, int] = {}
        self.starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def line(self, place: int) -> int:
        low, high = 0, len(self.starts)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.starts[middle] <= place else (low, middle)
        return low + 1

    def blank(self, place: int) -> int:
        return _BLANK.match(self.text, place).end()

    def fail(self, message: str, place: int) -> json.JSONDecodeError:
        return json.JSONDecodeError(message, self.text, min(place, len(self.text)))

    def value(self, place: int, path: Path) -> tuple[int, Any]:
        self.lines.setdefault(path, self.line(place))
        head = self.text[place : place + 1]
        if head == "{":
            return self.table(place + 1, path)
        if head == "[":
            return self.array(place + 1, path)
        if head == '"':
            found, end = scanstring(self.text, place + 1, True)
            return end, found
        for word, meaning in _WORDS.items():
            if self.text.startswith(word, place):
                return place + len(word), meaning
        if number := _NUMBER.match(self.text, place):
            if len(number[0]) > LONGEST_NUMBER:
                raise self.fail("数字太长", place)
            return number.end(), Decimal(number[0]) if number[1] or number[2] else int(number[0])
        raise self.fail("这里应有一个值", place)

    def table(self, place: int, path: Path) -> tuple[int, dict]:
        found: dict[str, Any] = {}
        place = self.blank(place)
        if self.text[place : place + 1] == "}":
            return place + 1, found
        while True:
            if self.text[place : place + 1] != '"':
                raise self.fail("这里应有一个带引号的名称", place)
            name, end = scanstring(self.text, place + 1, True)
            if name in found:
                raise self.fail(f"{name} 写了两次", place)
            self.lines[*path, name] = self.line(place)
            end = self.blank(end)
            if self.text[end : end + 1] != ":":
                raise self.fail("这里应有冒号", end)
            place, found[name] = self.value(self.blank(end + 1), (*path, name))
            place = self.blank(place)
            mark = self.text[place : place + 1]
            if mark == "}":
                return place + 1, found
            if mark != ",":
                raise self.fail("这里应有逗号或右花括号", place)
            place = self.blank(place + 1)

    def array(self, place: int, path: Path) -> tuple[int, list]:
        found: list[Any] = []
        place = self.blank(place)
        if self.text[place : place + 1] == "]":
            return place + 1, found
        while True:
            place, value = self.value(place, (*path, len(found)))
            found.append(value)
            place = self.blank(place)
            mark = self.text[place : place + 1]
            if mark == "]":
                return place + 1, found
            if mark != ",":
                raise self.fail("这里应有逗号或右方括号", place)
            place = self.blank(place + 1)
