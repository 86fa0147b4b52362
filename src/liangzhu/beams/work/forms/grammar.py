"""Forms (表单) as data: what a form is, and how a file is read and checked.

A form is one JSON file. Its text is kept as a `Release` and never changes; a draft ends under the release it began with.
A form that nobody could finish is refused with file, line and path: an unknown source, check or type, a choice without
options, a condition on a field that comes later. Conditions look back only, so that no two parts can wait for each other and
one pass from top to bottom decides what is shown.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from liangzhu.beams.work.files.api import KINDS
from liangzhu.beams.work.forms import registry
from liangzhu.kernel import located
from liangzhu.kernel.located import Path, Source

TYPES = {
    "text": "一行文字",
    "longtext": "多行文字",
    "number": "数值",
    "money": "金额（元）",
    "date": "日期",
    "choice": "单选",
    "choices": "多选",
    "yesno": "是否",
    "person": "公民身份号码",
    "uscc": "统一社会信用代码",
    "phone": "电话",
    "address": "地址",
    "place": "地点（地址和坐标）",
    "unit": "单位",
    "files": "附件",
    "table": "重复填写的一组",
    "note": "说明文字",
}
ORDERED = ("number", "money", "date")
WORDY = ("text", "longtext", "address")
GRADE_3 = ("person", "phone", "address")
"""Types that are personal (grade 3) whatever the file says."""
IN_TABLE = tuple(kind for kind in TYPES if kind not in ("table", "files", "unit", "place"))
TEXT_MAX = {"text": 200, "longtext": 5000, "address": 200, "place": 200}
OPERATORS = {
    "is": ("text", "number", "money", "date", "choice", "yesno"),
    "is_not": ("text", "number", "money", "date", "choice"),
    "in": ("choice",),
    "not_in": ("choice",),
    "has": ("choices",),
    "has_not": ("choices",),
    "at_least": ORDERED,
    "at_most": ORDERED,
    "more_than": ORDERED,
    "less_than": ORDERED,
    "rows_at_least": ("table",),
    "filled": tuple(kind for kind in TYPES if kind != "note"),
}
"""What a condition may ask, and of which types."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_JOINTS = ("all", "any", "not")
MOST_ROWS = 200
TODAY = "today"


@dataclass(frozen=True)
class Condition:
    """A condition: ``op`` on the value of a field, or ``all``, ``any``, ``not`` of ``parts``."""

    op: str
    field: str = ""
    value: Any = None
    parts: tuple["Condition", ...] = ()

    def fields(self) -> set[str]:
        """The names it asks."""
        return {self.field} - {""} | {name for part in self.parts for name in part.fields()}

    def holds(self, value_of: Callable[[str], Any]) -> bool:
        """Whether it holds. ``value_of`` gives typed values, None for what is hidden, empty or unreadable."""
        match self.op:
            case "all":
                return all(part.holds(value_of) for part in self.parts)
            case "any":
                return any(part.holds(value_of) for part in self.parts)
            case "not":
                return not self.parts[0].holds(value_of)
        value = value_of(self.field)
        if self.op == "filled":
            return (value not in (None, "", [])) == self.value
        if value is None:
            return False
        match self.op:
            case "is":
                return value == self.value
            case "is_not":
                return value != self.value
            case "in":
                return value in self.value
            case "not_in":
                return value not in self.value
            case "has":
                return self.value in value
            case "has_not":
                return self.value not in value
            case "at_least":
                return value >= self.value
            case "at_most":
                return value <= self.value
            case "more_than":
                return value > self.value
            case "less_than":
                return value < self.value
        return len(value) >= self.value


@dataclass(frozen=True)
class Prefill:
    """Where a value comes from (预填): a registered source and a part of its answer. ``locked``: not to be corrected."""

    source: str
    part: str
    locked: bool


@dataclass(frozen=True)
class Field:
    """One field. ``least`` and ``most`` bound length, value, day (ISO or "today"), choices, files or rows by its type.

    ``grade`` 3 is personal (个人信息): shown masked to others. ``fields`` are the columns of a table, ``row`` is what one of
    its rows is called. A note has ``text`` and takes nothing. A place that is ``exact`` must have coordinates.
    """

    name: str
    type: str
    label: str
    help: str = ""
    required: bool = False
    grade: int = 1
    options: tuple[tuple[str, str], ...] = ()
    least: Any = None
    most: Any = None
    whole: bool = False
    exact: bool = False
    unit: str = ""
    kinds: tuple[str, ...] = ()
    text: str = ""
    row: str = ""
    fields: tuple["Field", ...] = ()
    show_if: Condition | None = None
    prefill: Prefill | None = None

    @property
    def takes(self) -> bool:
        """Whether it can be filled in."""
        return self.type != "note"

    def option(self, value: str) -> str:
        """The label of an option."""
        return dict(self.options).get(value, value)


@dataclass(frozen=True)
class Step:
    """One page: one topic."""

    name: str
    title: str
    help: str
    fields: tuple[Field, ...]
    show_if: Condition | None = None


@dataclass(frozen=True)
class Check:
    """A check across fields, by registered name."""

    name: str
    fields: tuple[str, ...]
    params: dict[str, Any] = field(default_factory=dict, hash=False)
    message: str = ""


@dataclass(frozen=True)
class CoSigner:
    """A place for a second person's signature (共同签署).

    ``covers`` are the fields that he signs and sees; empty: all of them. ``text`` is what he says by signing, ``level`` the
    assurance (实名等级) that a resident signs with, ``days`` the calendar days that he has. A place whose ``show_if`` does not
    hold is not asked for.
    """

    name: str
    title: str
    required: bool
    covers: tuple[str, ...] = ()
    text: str = ""
    level: int = 2
    days: int = 7
    show_if: Condition | None = None


@dataclass(frozen=True)
class FormSpec:
    """A form that passed every check. ``release`` and ``release_id`` are 0 for a file."""

    key: str
    title: str
    intro: str
    steps: tuple[Step, ...]
    checks: tuple[Check, ...] = ()
    cosigners: tuple[CoSigner, ...] = ()
    declaration: str = ""
    release: int = 0
    release_id: int = 0
    fingerprint: str = ""

    def step(self, name: str) -> Step | None:
        """The step of that name."""
        return next((step for step in self.steps if step.name == name), None)

    def all_fields(self) -> Iterator[tuple[Step, Field]]:
        """Every field that can be filled in, with its step; columns of tables are not among them."""
        for step in self.steps:
            for one in step.fields:
                if one.takes:
                    yield step, one

    def field(self, name: str) -> Field:
        """The field of that name. Raises KeyError."""
        return next(one for _, one in self.all_fields() if one.name == name)

    def step_of(self, name: str) -> Step:
        """The step on which a field stands."""
        return next(step for step, one in self.all_fields() if one.name == name)

    def sources(self) -> tuple[str, ...]:
        """The sources that prefill it."""
        return tuple(dict.fromkeys(one.prefill.source for _, one in self.all_fields() if one.prefill))


def parse(text: str, file: str = "form.json") -> FormSpec:
    """Read and check a form. Raises DataFileError with every fault found."""
    source = located.read(text, file)
    return _Reader(source).form()


class _Reader:
    """One reading of one document; collects faults instead of stopping at the first."""

    def __init__(self, source: Source):
        self.source = source
        self.known: dict[str, Field] = {}
        """Fields read so far, which conditions may look at."""
        self.steps: list[Step] = []

    def form(self) -> FormSpec:
        source, data = self.source, self.source.data
        source.keys((), data, {"key", "title", "steps"}, {"intro", "checks", "cosign", "declaration"})
        source.stop()
        self.name(("key",), data["key"])
        source.text(("title",), data["title"], longest=100)
        for name in ("intro", "declaration"):
            if name in data:
                source.text((name,), data[name])
        self.collect_names()
        steps = [
            self.step(("steps", place), one)
            for place, one in enumerate(source.listed(("steps",), data["steps"], least=1))
        ]
        source.stop()
        self.steps = steps
        checks = [
            self.check(("checks", place), one)
            for place, one in enumerate(source.listed(("checks",), data.get("checks", [])))
        ]
        cosigners = [
            self.cosigner(("cosign", place), one)
            for place, one in enumerate(source.listed(("cosign",), data.get("cosign", [])))
        ]
        source.stop()
        for kind, names in (
            ("步骤", [one.name for one in steps]),
            ("共同签署人", [one.name for one in cosigners]),
        ):
            for name in {name for name in names if names.count(name) > 1}:
                source.fault(("steps" if kind == "步骤" else "cosign",), f"{kind} {name} 重名。")
        source.stop()
        return FormSpec(
            key=data["key"],
            title=data["title"],
            intro=data.get("intro", ""),
            steps=tuple(steps),
            checks=tuple(checks),
            cosigners=tuple(cosigners),
            declaration=data.get("declaration", ""),
        )

    def name(self, path: Path, value: Any) -> str:
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            self.source.fault(
                path, f"{value!r} 不是名称：小写字母开头，只用小写字母、数字和下划线，最多 40 个。"
            )
            return ""
        return value

    def collect_names(self) -> None:
        """Names and types beforehand, so that a condition on a later field can be told from one on no field."""
        self.later: dict[str, str] = {}

        def walk(value: Any) -> None:
            if isinstance(value, dict):
                if isinstance(value.get("name"), str) and isinstance(value.get("type"), str):
                    self.later.setdefault(value["name"], value["type"])
                for each in value.values():
                    walk(each)
            elif isinstance(value, list):
                for each in value:
                    walk(each)

        walk(self.source.data.get("steps"))

    # Steps and fields ---------------------------------------------------------------------------------

    def step(self, path: Path, one: Any) -> Step:
        source = self.source
        if not source.keys(path, one, {"name", "title", "fields"}, {"help", "show_if"}):
            return Step("", "", "", ())
        # Before its fields: the condition of a step looks at earlier steps only.
        show_if = None
        if "show_if" in one:
            show_if = self.condition((*path, "show_if"), one["show_if"], {})
        fields = [
            self.field((*path, "fields", number), each, None)
            for number, each in enumerate(source.listed((*path, "fields"), one["fields"], least=1))
        ]
        return Step(
            self.name((*path, "name"), one["name"]),
            source.text((*path, "title"), one["title"], longest=60),
            source.text((*path, "help"), one.get("help", ""), empty=True),
            tuple(each for each in fields if each),
            show_if,
        )

    def field(self, path: Path, one: Any, table: dict[str, Field] | None) -> Field | None:
        source = self.source
        if not isinstance(one, dict):
            source.fault(path, "应是一个对象 { … }。")
            return None
        kind = source.one_of((*path, "type"), one.get("type"), TYPES if table is None else IN_TABLE)
        if kind is None:
            return None
        known = self.allowed(kind)
        if table is not None:
            known -= {"prefill"}
        needed = {"name", "type", "label"} if kind != "note" else {"name", "type", "text"}
        if kind in ("choice", "choices"):
            needed |= {"options"}
        if kind == "table":
            needed |= {"fields"}
        if not source.keys(path, one, needed, known):
            return None
        name = self.name((*path, "name"), one["name"])
        if name in self.known or (table is not None and name in table):
            source.fault((*path, "name"), f"{name} 重名；一张表单里的名称都不能相同。")
        columns: dict[str, Field] = {}
        if kind == "table":
            for number, each in enumerate(source.listed((*path, "fields"), one["fields"], least=1)):
                column = self.field((*path, "fields", number), each, columns)
                if column:
                    columns[column.name] = column
        grade = source.whole((*path, "grade"), one.get("grade", 3 if kind in GRADE_3 else 1), least=1, most=3)
        if kind in GRADE_3 and grade != 3:
            source.fault((*path, "grade"), f"{TYPES[kind]}是个人信息，grade 只能是 3。")
        made = Field(
            name=name,
            type=kind,
            label=source.text((*path, "label"), one.get("label", "说明"), longest=100),
            help=source.text((*path, "help"), one.get("help", ""), empty=True, longest=300),
            required=source.flag((*path, "required"), one.get("required", False)),
            grade=grade or 1,
            options=self.options((*path, "options"), one["options"]) if kind in ("choice", "choices") else (),
            whole=source.flag((*path, "whole"), one.get("whole", False)),
            exact=source.flag((*path, "exact"), one.get("exact", False)),
            unit=source.text((*path, "unit"), one.get("unit", ""), empty=True, longest=20),
            kinds=self.kinds((*path, "kinds"), one.get("kinds", [])),
            text=source.text((*path, "text"), one["text"]) if kind == "note" else "",
            row=source.text((*path, "row"), one.get("row", "行"), longest=20),
            fields=tuple(columns.values()),
            prefill=self.prefill((*path, "prefill"), one["prefill"], kind) if "prefill" in one else None,
        )
        made = replace(made, **self.limits(path, one, made))
        if "show_if" in one:
            condition = self.condition((*path, "show_if"), one["show_if"], table or {})
            made = replace(made, show_if=condition)
        if table is None:
            self.known[name] = made
        return made

    @staticmethod
    def allowed(kind: str) -> set[str]:
        """The keys of a field of a type."""
        known = {"help", "required", "show_if", "grade"}
        if kind == "note":
            return {"label", "show_if"}
        if kind in (*ORDERED, *WORDY, "choices", "files", "table"):
            known |= {"least", "most"}
        if kind == "number":
            known |= {"whole", "unit"}
        if kind == "place":
            known |= {"exact"}
        if kind == "files":
            known |= {"kinds"}
        if kind == "table":
            known |= {"row"}
        if kind not in ("table", "files", "longtext"):
            known |= {"prefill"}
        return known

    def options(self, path: Path, table: Any) -> tuple[tuple[str, str], ...]:
        if not isinstance(table, dict) or not table:
            self.source.fault(path, '应是值和名称：{"a": "甲", "b": "乙"}。')
            return ()
        return tuple(
            (value, self.source.text((*path, value), label, longest=100)) for value, label in table.items()
        )

    def kinds(self, path: Path, value: Any) -> tuple[str, ...]:
        return tuple(
            kind
            for place, one in enumerate(self.source.listed(path, value))
            if (kind := self.source.one_of((*path, place), one, KINDS))
        )

    def prefill(self, path: Path, one: Any, kind: str) -> Prefill | None:
        source = self.source
        if not source.keys(path, one, {"source", "part"}, {"locked"}):
            return None
        found = registry.sources.get(one["source"])
        if found is None:
            source.fault(
                (*path, "source"),
                f"没有登记过来源 {one['source']!r}；已有 {'、'.join(sorted(registry.sources))}。",
            )
            return None
        if one["part"] not in found.parts:
            source.fault((*path, "part"), f"{found.title}没有 {one['part']!r}；有 {'、'.join(found.parts)}。")
        elif found.parts[one["part"]] != kind:
            source.fault(
                (*path, "part"), f"{one['part']} 是{TYPES[found.parts[one['part']]]}，不能填进{TYPES[kind]}。"
            )
        return Prefill(one["source"], one["part"], source.flag((*path, "locked"), one.get("locked", False)))

    def limits(self, path: Path, one: dict, made: Field) -> dict[str, Any]:
        """``least`` and ``most``, typed."""
        found: dict[str, Any] = {}
        for bound in ("least", "most"):
            if bound not in one:
                continue
            at, value = (*path, bound), one[bound]
            if made.type == "date":
                found[bound] = value if value == TODAY else self.typed(at, made, value)
            elif made.type in ORDERED:
                found[bound] = self.typed(at, made, value)
            else:
                found[bound] = self.source.whole(
                    at, value, most=MOST_ROWS if made.type == "table" else 20_000
                )
        least, most = found.get("least"), found.get("most")
        if least not in (None, TODAY) and most not in (None, TODAY) and least > most:
            self.source.fault((*path, "least"), f"least {least} 大于 most {most}。")
        return found

    # Conditions ---------------------------------------------------------------------------------------

    def condition(self, path: Path, one: Any, scope: dict[str, Field]) -> Condition | None:
        """A condition. ``scope`` are the columns before it in its table."""
        source = self.source
        if not isinstance(one, dict):
            source.fault(path, '应是一个条件，例如 {"field": "kind", "is": "clinic"}。')
            return None
        joint = next((word for word in _JOINTS if word in one), None)
        if joint:
            if len(one) != 1:
                source.fault(path, f"{joint} 不能和别的并列。")
            if joint == "not":
                part = self.condition((*path, "not"), one["not"], scope)
                return Condition("not", parts=(part,)) if part else None
            parts = [
                self.condition((*path, joint, place), each, scope)
                for place, each in enumerate(source.listed((*path, joint), one[joint], least=1))
            ]
            return Condition(joint, parts=tuple(part for part in parts if part))
        if not source.keys(path, one, {"field"}, set(OPERATORS)):
            return None
        ops = [word for word in one if word in OPERATORS]
        if len(ops) != 1:
            source.fault(path, f"一个条件只问一件事：{'、'.join(OPERATORS)} 之一。")
            return None
        asked = self.asked((*path, "field"), one["field"], scope)
        if asked is None:
            return None
        op, value = ops[0], one[ops[0]]
        if asked.type not in OPERATORS[op]:
            source.fault((*path, op), f"{TYPES[asked.type]}不能用 {op}。")
            return None
        return Condition(op, asked.name, self.operand((*path, op), op, asked, value))

    def asked(self, path: Path, name: Any, scope: dict[str, Field]) -> Field | None:
        if name in scope:
            return scope[name]
        if name in self.known:
            return self.known[name]
        if name in self.later:
            self.source.fault(
                path,
                f"{name} 不在这一项之前（在后面、就是它自己，或在别的表格里）；条件只能往前看，否则两项会互相等待。",
            )
        else:
            self.source.fault(path, f"没有名为 {name!r} 的填写项。")
        return None

    def operand(self, path: Path, op: str, asked: Field, value: Any) -> Any:
        if op == "filled":
            return self.source.flag(path, value)
        if op == "rows_at_least":
            return self.source.whole(path, value, least=1, most=MOST_ROWS)
        if op in ("in", "not_in"):
            return tuple(
                self.typed((*path, place), asked, each)
                for place, each in enumerate(self.source.listed(path, value, least=1))
            )
        return self.typed(path, asked, value)

    def typed(self, path: Path, asked: Field, value: Any) -> Any:
        """A value written in the file for a field."""
        if asked.type in ("choice", "choices"):
            return self.source.one_of(path, value, [option for option, _ in asked.options])
        if asked.type == "yesno":
            return self.source.flag(path, value)
        if asked.type == "date":
            try:
                return date.fromisoformat(value)
            except (TypeError, ValueError):
                self.source.fault(path, f"{value!r} 不是日期，应写成 2022-10-20。")
                return None
        if asked.type in ("number", "money"):
            if isinstance(value, bool) or not isinstance(value, int | Decimal):
                self.source.fault(path, "应是数值。")
                return None
            return Decimal(value)
        return self.source.text(path, value)

    # The rest -----------------------------------------------------------------------------------------

    def check(self, path: Path, one: Any) -> Check:
        source = self.source
        if not source.keys(path, one, {"name", "fields"}, {"message", "params"}):
            return Check("", ())
        rule = registry.checks.get(one["name"])
        if rule is None:
            source.fault(
                (*path, "name"),
                f"没有登记过核对 {one['name']!r}；已有 {'、'.join(sorted(registry.checks))}。",
            )
            return Check("", ())
        names = source.listed((*path, "fields"), one["fields"], least=rule.least)
        for place, name in enumerate(names):
            if name not in self.known:
                source.fault((*path, "fields", place), f"没有名为 {name!r} 的填写项。")
            elif rule.types and self.known[name].type not in rule.types:
                kind = TYPES[self.known[name].type]
                source.fault((*path, "fields", place), f"{one['name']} 不核对{kind}。")
        params = one.get("params", {})
        if source.keys((*path, "params"), params, set(rule.takes), set()) and "column" in params:
            table = self.known.get(names[0]) if names else None
            if table and params["column"] not in {column.name for column in table.fields}:
                source.fault((*path, "params", "column"), f"{table.label}没有 {params['column']!r} 这一列。")
        message = (
            source.text((*path, "message"), one["message"], longest=200) if "message" in one else rule.message
        )
        return Check(one["name"], tuple(names), params, message)

    def cosigner(self, path: Path, one: Any) -> CoSigner:
        source = self.source
        optional = {"required", "covers", "text", "level", "days", "show_if"}
        if not source.keys(path, one, {"name", "title"}, optional):
            return CoSigner("", "", False)
        show_if = self.condition((*path, "show_if"), one["show_if"], {}) if "show_if" in one else None
        return CoSigner(
            self.name((*path, "name"), one["name"]),
            source.text((*path, "title"), one["title"], longest=40),
            source.flag((*path, "required"), one.get("required", True)),
            self.covers(path, one),
            source.text((*path, "text"), one["text"]) if "text" in one else "",
            self.between((*path, "level"), one.get("level", 2), 1, 3),
            self.between((*path, "days"), one.get("days", 7), 1, 60),
            show_if,
        )

    def covers(self, path: Path, one: dict) -> tuple[str, ...]:
        """The fields that a co-signer signs; the name of a step stands for all of its fields."""
        if "covers" not in one:
            return ()
        found: list[str] = []
        for number, name in enumerate(self.source.listed((*path, "covers"), one["covers"], least=1)):
            step = next((each for each in self.steps if each.name == name), None)
            if step is not None:
                found += [each.name for each in step.fields if each.takes]
            elif name in self.known:
                found.append(name)
            else:
                self.source.fault((*path, "covers", number), f"没有名为 {name!r} 的步骤或填写项。")
        return tuple(dict.fromkeys(found))

    def between(self, path: Path, value: Any, least: int, most: int) -> int:
        """A whole number between two."""
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.source.fault(path, f"应是 {least} 到 {most} 的整数。")
            return least
        return value
