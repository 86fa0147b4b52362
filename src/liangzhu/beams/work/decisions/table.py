"""Decision tables (决策表) as data: what a table is, how one value meets one condition, and how a file is read.

A table is one JSON file. Its text is kept as a `Release` and never changes. A table that could answer twice, not at all
or wrongly is refused with file and line: see `checking.py`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from liangzhu.kernel.errors import Invalid
from liangzhu.kernel.located import Path, Source

TYPES = {
    "text": "文字",
    "number": "数值",
    "date": "日期",
    "yesno": "是否",
    "choice": "选项",
    "set": "多个选项",
}
OUTPUT_TYPES = ("text", "number", "date", "yesno", "choice")
ORDERED = ("number", "date")
HITS = {
    "unique": "只有一行命中",
    "any": "命中的各行结论相同",
    "first": "取最先命中的一行",
    "priority": "取结论优先的一行",
    "collect": "汇总命中的各行",
    "rule_order": "依行序列出命中的各行",
    "output_order": "依结论优先次序列出命中的各行",
}
"""Hit policies (命中策略) of DMN 1.4: U, A, F, P, C, R, O."""
SEVERAL = ("collect", "rule_order", "output_order")
AGGREGATES = {"list": "逐行列出", "sum": "求和", "min": "取最小", "max": "取最大", "count": "计数"}
TESTS = {
    "is": ("text", "number", "date", "yesno", "choice"),
    "is_not": ("text", "number", "date", "choice"),
    "in": ("text", "number", "date", "choice"),
    "not_in": ("text", "number", "date", "choice"),
    "at_least": ORDERED,
    "more_than": ORDERED,
    "at_most": ORDERED,
    "less_than": ORDERED,
    "has": ("set",),
    "has_all": ("set",),
    "has_any": ("set",),
    "has_none": ("set",),
    "given": tuple(TYPES),
}
"""What a condition may ask, and of which types."""
_LISTS = ("in", "not_in", "has_all", "has_any", "has_none")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
MOST_ROWS = 500
TEXT_MAX = 500


@dataclass(frozen=True)
class Column:
    """An input (输入) or output (结论) of a table.

    ``options`` are (value, label) of a choice or set, for an output in the order of priority. An input that is not
    ``optional`` must be given; ``least`` and ``most`` bound a number or a date.
    """

    name: str
    title: str
    type: str
    options: tuple[tuple[str, str], ...] = ()
    optional: bool = False
    unit: str = ""
    whole: bool = False
    least: Any = None
    most: Any = None

    def label(self, value: str) -> str:
        """The label of an option."""
        return dict(self.options).get(value, value)

    def words(self, value: Any) -> str:
        """A value in words."""
        if value is None:
            return "没有给出"
        if isinstance(value, list | tuple):
            return "、".join(self.words(one) for one in value) or "没有"
        if isinstance(value, frozenset):
            return "、".join(label for option, label in self.options if option in value) or "一个也没有"
        if isinstance(value, bool):
            return "是" if value else "否"
        if isinstance(value, Decimal):
            return f"{plain_number(value)}{f' {self.unit}' if self.unit else ''}"
        return self.label(str(value)) if self.type == "choice" else str(value)

    def read(self, given: Any) -> Any:
        """A value of this column: str, Decimal, date, bool, or frozenset; None when nothing was given.

        Raises ValueError with a Chinese message that says what would be right.
        """
        if given is None or given == "":
            return None
        if self.type == "set":
            if not isinstance(given, list | tuple | set | frozenset):
                raise ValueError("应是选项的列表")
            return frozenset(self._option(one) for one in given)
        if self.type == "yesno":
            if not isinstance(given, bool):
                raise ValueError("应是 true 或 false")
            return given
        if self.type == "choice":
            return self._option(given)
        if self.type == "text":
            if not isinstance(given, str) or len(given) > TEXT_MAX:
                raise ValueError(f"应是不超过 {TEXT_MAX} 个字的文字")
            return given.strip() or None
        value = self._ordered(given)
        if self.least is not None and value < self.least:
            raise ValueError(f"不能小于 {self.words(self.least)}")
        if self.most is not None and value > self.most:
            raise ValueError(f"不能大于 {self.words(self.most)}")
        return value

    def _option(self, given: Any) -> str:
        if not isinstance(given, str) or given not in dict(self.options):
            raise ValueError(f"{given!r} 不在选项里：{'、'.join(value for value, _ in self.options)}")
        return given

    def _ordered(self, given: Any) -> Any:
        if self.type == "date":
            try:
                day = given if type(given) is date else date.fromisoformat(given)
            except (TypeError, ValueError):
                raise ValueError("应是 2022-10-20 这样的日期") from None
            if not 1900 <= day.year <= 2999:
                raise ValueError("应在 1900 年到 2999 年之间")
            return day
        if isinstance(given, bool) or not isinstance(given, int | Decimal | str):
            raise ValueError("应是数值")
        try:
            value = Decimal(given)
        except ArithmeticError:
            raise ValueError("应是数值") from None
        # Within these bounds a sum or a middle of two values is exact, on which the checks rely.
        if not value.is_finite() or (value and value.adjusted() > 12) or value.as_tuple().exponent < -9:
            raise ValueError("应是数值，整数最多 13 位、小数最多 9 位")
        if self.whole and value != value.to_integral_value():
            raise ValueError("应是整数")
        return value


@dataclass(frozen=True)
class Ask:
    """One question about one value."""

    op: str
    value: Any

    def meets(self, given: Any) -> bool:
        """Whether a value (read by its column) meets this. What was not given meets only ``given: false``."""
        if self.op == "given":
            return (given is not None) == self.value
        if given is None:
            return False
        match self.op:
            case "is":
                return given == self.value
            case "is_not":
                return given != self.value
            case "in":
                return given in self.value
            case "not_in":
                return given not in self.value
            case "at_least":
                return given >= self.value
            case "more_than":
                return given > self.value
            case "at_most":
                return given <= self.value
            case "less_than":
                return given < self.value
            case "has":
                return self.value in given
            case "has_all":
                return given >= self.value
            case "has_any":
                return bool(given & self.value)
        return not given & self.value


@dataclass(frozen=True)
class Row:
    """A row (规则行): what must hold, what then follows, from when to when, and on what ground."""

    number: int
    name: str
    when: dict[str, tuple[Ask, ...]] = field(hash=False)
    then: dict[str, Any] = field(hash=False)
    basis: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    unconfirmed: bool = False

    def in_force(self, day: date) -> bool:
        """Whether the row holds on a day; both ends count."""
        return not ((self.valid_from and day < self.valid_from) or (self.valid_to and day > self.valid_to))

    def meets(self, name: str, given: Any) -> bool:
        """Whether one input meets this row."""
        return all(test.meets(given) for test in self.when.get(name, ()))

    def span_words(self) -> str:
        """From when to when: 2022-05-01 起; empty when it always holds."""
        first = f"{self.valid_from} 起" if self.valid_from else ""
        last = f"至 {self.valid_to}" if self.valid_to else ""
        return " ".join(part for part in (first, last) if part)


@dataclass(frozen=True)
class Example:
    """An example stored beside the rows. ``gives`` None: no row may hit. ``row``: the row expected to decide."""

    place: int
    given: dict[str, Any] = field(hash=False)
    on: date | None
    gives: dict[str, Any] | None = field(hash=False)
    row: str = ""


@dataclass(frozen=True)
class Table:
    """A table that passed every check. ``release`` is the number of its release, 0 for a file."""

    key: str
    title: str
    hit: str
    aggregate: str
    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]
    rows: tuple[Row, ...]
    examples: tuple[Example, ...]
    otherwise: Row | None = None
    gaps: str = ""
    about: str = ""
    release: int = 0
    fingerprint: str = ""

    @property
    def dated(self) -> bool:
        """Whether the day matters."""
        return any(row.valid_from or row.valid_to for row in self.rows)

    @property
    def several(self) -> bool:
        """Whether more than one row may answer."""
        return self.hit in SEVERAL

    def rank(self, row: Row) -> tuple:
        """The place of a row by the order of its outputs' options (DMN: output priority)."""
        found = []
        for column in self.outputs:
            values = [value for value, _ in column.options]
            found.append(
                values.index(row.then[column.name]) if row.then[column.name] in values else len(values)
            )
        return (*found, row.number)

    def read_inputs(self, given: dict[str, Any]) -> dict[str, Any]:
        """The inputs, typed. Raises Invalid naming every one that is missing, unknown or wrong."""
        errors: dict[str, str] = {}
        known = {column.name for column in self.inputs}
        for name in given.keys() - known:
            errors[name] = f"“{self.title}”没有名为 {name} 的输入；有 {'、'.join(sorted(known))}。"
        values: dict[str, Any] = {}
        for column in self.inputs:
            try:
                values[column.name] = column.read(given.get(column.name))
            except ValueError as error:
                errors[column.name] = f"{column.title}{error}。"
            else:
                if values[column.name] is None and not column.optional:
                    errors[column.name] = f"请给出{column.title}。"
        if errors:
            raise Invalid(errors)
        return values


def plain_number(value: Decimal) -> str:
    """A number without exponent and without useless noughts."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def condition_words(column: Column, tests: Iterable[Ask]) -> str:
    """A condition in words: ≥ 20 且 < 100; 任意 when there is none."""
    signs = {
        "at_least": "≥ ",
        "more_than": "> ",
        "at_most": "≤ ",
        "less_than": "< ",
        "is": "",
        "is_not": "不是 ",
        "has": "含 ",
        "has_all": "含全部：",
        "has_any": "含其一：",
        "has_none": "不含：",
        "in": "",
        "not_in": "不是 ",
    }
    if column.type == "date":
        signs |= {"at_least": "不早于 ", "more_than": "晚于 ", "at_most": "不晚于 ", "less_than": "早于 "}
    found = []
    for test in tests:
        if test.op == "given":
            found.append("给出了" if test.value else "没有给出")
        elif test.op in _LISTS:
            values = [value for value, _ in column.options if value in test.value] or sorted(test.value)
            joint = "、" if test.op != "in" else " 或 "
            found.append(signs[test.op] + joint.join(column.words(value) for value in values))
        else:
            found.append(signs[test.op] + column.words(test.value))
    return " 且 ".join(found) or "任意"


# Reading --------------------------------------------------------------------------------------------------


def read_table(source: Source) -> Table:
    """The table that a document describes; its shape is checked here. Raises DataFileError."""
    data = source.data
    source.keys(
        (),
        data,
        {"key", "title", "hit", "inputs", "outputs", "rows", "examples"},
        {"about", "aggregate", "otherwise", "gaps"},
    )
    source.stop()
    for name in ("title", "about", "gaps"):
        if name in data:
            source.text((name,), data[name])
    _name(source, ("key",), data["key"])
    hit = source.one_of(("hit",), data["hit"], HITS)
    aggregate = source.one_of(("aggregate",), data.get("aggregate", "list"), AGGREGATES)
    if "aggregate" in data and hit != "collect":
        source.fault(("aggregate",), "只有 hit 为 collect 时才汇总。")
    inputs = _columns(source, "inputs", data["inputs"], tuple(TYPES))
    outputs = _columns(source, "outputs", data["outputs"], OUTPUT_TYPES)
    for name in {one.name for one in inputs} & {one.name for one in outputs}:
        source.fault(("outputs",), f"{name} 既是输入又是结论。")
    source.stop()
    if aggregate in ("sum", "min", "max") and (len(outputs) != 1 or outputs[0].type != "number"):
        source.fault(("aggregate",), f"{AGGREGATES[aggregate]}只能用于唯一的数值结论。")
    if hit in ("priority", "output_order") and not outputs[0].options:
        source.fault(("hit",), "按结论优先，第一个结论须是 choice，选项的次序就是优先次序。")
    rows = _rows(source, data["rows"], inputs, outputs)
    otherwise = None
    if "otherwise" in data:
        otherwise = _row(
            source, ("otherwise",), 0, data["otherwise"], (), outputs, {"then", "basis"}, {"unconfirmed"}
        )
        if hit in SEVERAL:
            source.fault(("otherwise",), "命中多行的表不需要 otherwise：没有命中就是空。")
        if "gaps" in data:
            source.fault(("gaps",), "有 otherwise 就没有缺口。")
    examples = _examples(
        source, data["examples"], inputs, outputs, {row.name for row in rows}, hit, aggregate
    )
    source.stop()
    return Table(
        key=data["key"],
        title=data["title"],
        hit=hit,
        aggregate=aggregate,
        inputs=inputs,
        outputs=outputs,
        rows=rows,
        examples=examples,
        otherwise=otherwise,
        gaps=data.get("gaps", ""),
        about=data.get("about", ""),
    )


def _name(source: Source, path: Path, value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        source.fault(path, f"{value!r} 不是名称：小写字母开头，只用小写字母、数字和下划线，最多 40 个。")
        return ""
    return value


def _columns(source: Source, part: str, value: Any, types: tuple[str, ...]) -> tuple[Column, ...]:
    found: list[Column] = []
    known = {"options"}
    if part == "inputs":
        known |= {"optional", "unit", "whole", "least", "most"}
    else:
        known |= {"unit"}
    for place, one in enumerate(source.listed((part,), value, least=1)):
        path: Path = (part, place)
        if not source.keys(path, one, {"name", "title", "type"}, known):
            continue
        name = _name(source, (*path, "name"), one["name"])
        if name in {each.name for each in found}:
            source.fault((*path, "name"), f"{name} 重名。")
        kind = source.one_of((*path, "type"), one["type"], types)
        options: list[tuple[str, str]] = []
        if kind in ("choice", "set"):
            table = one.get("options")
            if not isinstance(table, dict) or not table:
                source.fault(path, f"{kind} 要有 options：值和名称。")
            else:
                for option, label in table.items():
                    options.append((option, source.text((*path, "options", option), label, longest=100)))
        elif "options" in one:
            source.fault((*path, "options"), f"{kind} 没有 options。")
        if kind not in ORDERED and {"least", "most"} & one.keys():
            source.fault(path, "least、most 只用于数值和日期。")
        if kind != "number" and {"whole", "unit"} & one.keys():
            source.fault(path, "whole、unit 只用于数值。")
        column = Column(
            name=name,
            title=source.text((*path, "title"), one["title"], longest=60),
            type=kind or "text",
            options=tuple(options),
            optional=source.flag((*path, "optional"), one.get("optional", False)),
            unit=source.text((*path, "unit"), one.get("unit", ""), empty=True, longest=20),
            whole=source.flag((*path, "whole"), one.get("whole", False)),
        )
        bounds = {
            bound: _read(source, (*path, bound), column, one[bound])
            for bound in ("least", "most")
            if bound in one
        }
        found.append(Column(**{**column.__dict__, **bounds}))
    return tuple(found)


def _read(source: Source, path: Path, column: Column, value: Any) -> Any:
    try:
        read = column.read(value)
    except ValueError as error:
        source.fault(path, f"{error}。")
        return None
    if read is None:
        source.fault(path, "这里要有一个值。")
    return read


def _rows(
    source: Source, value: Any, inputs: tuple[Column, ...], outputs: tuple[Column, ...]
) -> tuple[Row, ...]:
    given = source.listed(("rows",), value, least=1)
    if len(given) > MOST_ROWS:
        source.fault(("rows",), f"最多 {MOST_ROWS} 行。")
    found: list[Row] = []
    for place, one in enumerate(given):
        known = {"from", "to", "unconfirmed"}
        row = _row(
            source, ("rows", place), place + 1, one, inputs, outputs, {"name", "when", "then", "basis"}, known
        )
        if row and row.name in {each.name for each in found}:
            source.fault(("rows", place, "name"), f"{row.name} 重名。")
        if row:
            found.append(row)
    return tuple(found)


def _row(
    source: Source,
    path: Path,
    number: int,
    one: Any,
    inputs: tuple[Column, ...],
    outputs: tuple[Column, ...],
    needed: set[str],
    known: set[str],
) -> Row | None:
    if not source.keys(path, one, needed, known):
        return None
    when: dict[str, tuple[Ask, ...]] = {}
    columns = {column.name: column for column in inputs}
    for name, condition in (one.get("when") or {}).items():
        if name not in columns:
            source.fault((*path, "when", name), f"没有名为 {name} 的输入；有 {'、'.join(columns)}。")
        else:
            when[name] = _tests(source, (*path, "when", name), columns[name], condition)
    then: dict[str, Any] = {}
    if source.keys((*path, "then"), one["then"], {column.name for column in outputs}, set()):
        for column in outputs:
            then[column.name] = _read(source, (*path, "then", column.name), column, one["then"][column.name])
    days = {}
    for bound in ("from", "to"):
        days[bound] = _day(source, (*path, bound), one[bound]) if bound in one else None
    if days["from"] and days["to"] and days["to"] < days["from"]:
        source.fault((*path, "to"), f"{days['to']} 早于 {days['from']}。")
    return Row(
        number=number,
        name=_name(source, (*path, "name"), one["name"]) if "name" in one else "",
        when=when,
        then=then,
        basis=source.text((*path, "basis"), one["basis"], longest=400),
        valid_from=days["from"],
        valid_to=days["to"],
        unconfirmed=source.flag((*path, "unconfirmed"), one.get("unconfirmed", False)),
    )


def _day(source: Source, path: Path, value: Any) -> date | None:
    return _read(source, path, Column("day", "日期", "date"), value)


def _tests(source: Source, path: Path, column: Column, condition: Any) -> tuple[Ask, ...]:
    """A condition: a plain value is equality, an object asks several things at once."""
    if not isinstance(condition, dict):
        if column.type == "set":
            source.fault(path, "多个选项用 has、has_all、has_any、has_none 来问。")
            return ()
        return (Ask("is", _read(source, path, column, condition)),)
    found = []
    for op, value in condition.items():
        at = (*path, op)
        if op not in TESTS:
            source.fault(at, f"没有条件 {op}；可用的有 {'、'.join(TESTS)}。")
        elif column.type not in TESTS[op]:
            source.fault(at, f"{TYPES[column.type]}不能用 {op}。")
        elif op == "given":
            if not column.optional:
                source.fault(at, f"{column.title}总是给出的；可以不给的输入要写 optional。")
            found.append(Ask(op, source.flag(at, value)))
        elif op in _LISTS:
            values = source.listed(at, value, least=1)
            single = Column(**{**column.__dict__, "type": "choice"}) if column.type == "set" else column
            found.append(
                Ask(
                    op,
                    frozenset(_read(source, (*at, place), single, each) for place, each in enumerate(values)),
                )
            )
        else:
            single = Column(**{**column.__dict__, "type": "choice"}) if column.type == "set" else column
            found.append(Ask(op, _read(source, at, single, value)))
    if not condition:
        source.fault(path, "空的条件；不限时就不写这一项。")
    return tuple(found)


def _examples(
    source: Source,
    value: Any,
    inputs: tuple[Column, ...],
    outputs: tuple[Column, ...],
    rows: set[str],
    hit: str | None,
    aggregate: str | None,
) -> tuple[Example, ...]:
    found = []
    for place, one in enumerate(source.listed(("examples",), value, least=1)):
        path: Path = ("examples", place)
        if not source.keys(path, one, {"given", "gives"}, {"on", "row", "about"}):
            continue
        given = {}
        if source.keys(
            (*path, "given"),
            one["given"],
            {column.name for column in inputs if not column.optional},
            {column.name for column in inputs},
        ):
            for column in inputs:
                if column.name in one["given"]:
                    at = (*path, "given", column.name)
                    given[column.name] = _read(source, at, column, one["given"][column.name])
        gives = None
        if one["gives"] is not None:
            gives = _expected(source, (*path, "gives"), one["gives"], outputs, hit, aggregate)
        row = one.get("row", "")
        if row and row not in rows:
            source.fault((*path, "row"), f"没有名为 {row} 的行。")
        day = _day(source, (*path, "on"), one["on"]) if "on" in one else None
        found.append(Example(place, given, day, gives, row))
    return tuple(found)


def _expected(
    source: Source,
    path: Path,
    value: Any,
    outputs: tuple[Column, ...],
    hit: str | None,
    aggregate: str | None,
) -> dict[str, Any]:
    """What an example expects: single values, lists for several rows, a count."""
    found: dict[str, Any] = {}
    if not source.keys(path, value, {column.name for column in outputs}, set()):
        return found
    for column in outputs:
        at, one = (*path, column.name), value[column.name]
        if hit in SEVERAL and aggregate == "count":
            found[column.name] = Decimal(source.whole(at, one) or 0)
        elif hit in SEVERAL and aggregate == "list":
            found[column.name] = [
                _read(source, (*at, place), column, each) for place, each in enumerate(source.listed(at, one))
            ]
        else:
            found[column.name] = _read(source, at, column, one) if one is not None else None
    return found
