"""Decision tables as DMN 1.4 XML, out and in.

Out: everything; what DMN has no place for (labels of options, units, examples) stands in an extension of ours, so that a
table comes back as it went. Dated rows become a first input of type date, called as `DAY`. In: tables whose cells are
literals, lists, ranges, comparisons, ``not(…)`` and ``list contains``; any other expression is refused by name. A table from
elsewhere has no examples and no grounds beyond its annotations: the check then says which are missing.
"""

import json
import re
from datetime import date
from decimal import Decimal
from typing import Any

from lxml import etree

from liangzhu.beams.work.decisions.deciding import plain
from liangzhu.beams.work.decisions.table import Ask, Column, Row, Table, plain_number
from liangzhu.kernel.errors import Problem

MODEL = "https://www.omg.org/spec/DMN/20211108/MODEL/"
MODELS = (
    MODEL,
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
)
OURS = "urn:liangzhu:rule:1"
DAY = "valid_on"
LARGEST = 2 * 1024 * 1024
"""Characters of a file that is read."""
_HITS = {
    "unique": "UNIQUE",
    "any": "ANY",
    "first": "FIRST",
    "priority": "PRIORITY",
    "collect": "COLLECT",
    "rule_order": "RULE ORDER",
    "output_order": "OUTPUT ORDER",
}
_TYPES = {
    "text": "string",
    "number": "number",
    "date": "date",
    "yesno": "boolean",
    "choice": "string",
    "set": "Any",
}
_SIGNS = {"at_least": ">=", "more_than": ">", "at_most": "<=", "less_than": "<"}
_STRING = r'"((?:[^"\\]|\\.)*)"'


class DmnRefused(Problem):
    """A DMN file, or a table, that says what the other side cannot hold; the detail names it."""

    code, title, status = "dmn_refused", "DMN 文件里有不支持的内容", 422
    todo = "请把它改写成字面值、列表、区间、比较或 not(…)，再导入。"


# Out ------------------------------------------------------------------------------------------------------


def to_dmn(table: Table) -> str:
    """The table as DMN XML. Raises DmnRefused for a condition that one cell cannot hold."""
    root = etree.Element(f"{{{MODEL}}}definitions", nsmap={None: MODEL, "lz": OURS})
    root.set("id", f"definitions_{table.key}")
    root.set("name", table.title)
    root.set("namespace", "urn:liangzhu:rule")
    decision = _add(root, "decision", id=table.key, name=table.title)
    if table.about:
        _add(decision, "description").text = table.about
    extra = etree.SubElement(_add(decision, "extensionElements"), f"{{{OURS}}}rule")
    extra.text = json.dumps(_extra(table), ensure_ascii=False)
    found = _add(decision, "decisionTable", id=f"{table.key}_table", hitPolicy=_HITS[table.hit])
    if table.hit == "collect" and table.aggregate != "list":
        found.set("aggregation", table.aggregate.upper())
    if table.dated:
        _input(found, Column(DAY, "在哪一天", "date"))
    for column in table.inputs:
        _input(found, column)
    for column in table.outputs:
        output = _add(found, "output", id=f"out_{column.name}", name=column.name, label=column.title)
        output.set("typeRef", _TYPES[column.type])
        if column.options:
            _text(_add(output, "outputValues"), ",".join(_literal(value) for value, _ in column.options))
        if table.otherwise:
            _text(_add(output, "defaultOutputEntry"), _literal(table.otherwise.then[column.name]))
    for name in ("name", "basis"):
        _add(found, "annotation", name=name)
    for row in table.rows:
        rule = _add(found, "rule", id=f"rule_{row.name}")
        if table.dated:
            _text(_add(rule, "inputEntry"), _span(row))
        for column in table.inputs:
            _text(_add(rule, "inputEntry"), cell(column, row.when.get(column.name, ())))
        for column in table.outputs:
            _text(_add(rule, "outputEntry"), _literal(row.then[column.name]))
        for words in (row.name, row.basis):
            _text(_add(rule, "annotationEntry"), words)
    return etree.tostring(root, encoding="unicode", pretty_print=True)


def _extra(table: Table) -> dict[str, Any]:
    """What DMN has no place for."""
    return {
        "inputs": {
            one.name: {
                "type": one.type,
                "options": dict(one.options),
                "optional": one.optional,
                "unit": one.unit,
                "whole": one.whole,
                "least": plain(one.least),
                "most": plain(one.most),
            }
            for one in table.inputs
        },
        "outputs": {
            one.name: {"type": one.type, "options": dict(one.options), "unit": one.unit}
            for one in table.outputs
        },
        "unconfirmed": [row.name for row in table.rows if row.unconfirmed],
        "otherwise": {"basis": table.otherwise.basis, "unconfirmed": table.otherwise.unconfirmed}
        if table.otherwise
        else None,
        "gaps": table.gaps,
        "examples": [
            {
                "on": one.on.isoformat() if one.on else None,
                "given": {name: plain(value) for name, value in one.given.items()},
                "gives": None
                if one.gives is None
                else {name: plain(value) for name, value in one.gives.items()},
                "row": one.row,
            }
            for one in table.examples
        ],
    }


def _add(parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{MODEL}}}{tag}", attributes)


def _text(parent: etree._Element, words: str) -> None:
    _add(parent, "text").text = words


def _input(parent: etree._Element, column: Column) -> None:
    found = _add(parent, "input", id=f"in_{column.name}", label=column.title)
    expression = _add(found, "inputExpression", typeRef=_TYPES[column.type])
    _text(expression, column.name)
    if column.options and column.type == "choice":
        _text(_add(found, "inputValues"), ",".join(_literal(value) for value, _ in column.options))


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, date):
        return f'date("{value.isoformat()}")'
    return json.dumps(str(value), ensure_ascii=False)


def _span(row: Row) -> str:
    tests = []
    if row.valid_from:
        tests.append(Ask("at_least", row.valid_from))
    if row.valid_to:
        tests.append(Ask("at_most", row.valid_to))
    return cell(Column(DAY, "在哪一天", "date"), tuple(tests))


def cell(column: Column, tests: tuple[Ask, ...]) -> str:
    """A condition as a FEEL unary test. Raises DmnRefused for one that a single cell cannot hold."""
    if not tests:
        return "-"
    if len(tests) == 2:
        low = next((test for test in tests if test.op in ("at_least", "more_than")), None)
        high = next((test for test in tests if test.op in ("at_most", "less_than")), None)
        if low and high:
            left, right = "[" if low.op == "at_least" else "(", "]" if high.op == "at_most" else ")"
            return f"{left}{_literal(low.value)}..{_literal(high.value)}{right}"
    if len(tests) > 1:
        ops = "、".join(test.op for test in tests)
        raise DmnRefused(f"{column.title}同时问 {ops}，DMN 的一格放不下。", todo="请把这一行拆成几行。")
    test = tests[0]
    match test.op:
        case "is":
            return _literal(test.value)
        case "is_not":
            return f"not({_literal(test.value)})"
        case "in" | "not_in":
            words = ",".join(sorted(_literal(value) for value in test.value))
            return words if test.op == "in" else f"not({words})"
        case "given":
            return "not(null)" if test.value else "null"
        case "has":
            return _contains([test.value], "and")
        case "has_all":
            return _contains(sorted(test.value), "and")
        case "has_any":
            return _contains(sorted(test.value), "or")
        case "has_none":
            return f"not({_contains(sorted(test.value), 'or')})"
    return f"{_SIGNS[test.op]} {_literal(test.value)}"


def _contains(values: list[str], joint: str) -> str:
    return f" {joint} ".join(f"list contains(?, {_literal(value)})" for value in values)


# In -------------------------------------------------------------------------------------------------------


def from_dmn(text: str) -> str:
    """The rule file (JSON) that a DMN file with one decision table says. Raises DmnRefused naming what it cannot hold.

    The file is not checked yet: `checking.parse` does.
    """
    if len(text) > LARGEST:
        raise DmnRefused(f"文件超过 {LARGEST // 1024 // 1024} MB。")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise DmnRefused(f"不是有效的 XML：{error.msg}") from None
    if root.getroottree().docinfo.doctype:
        raise DmnRefused("带有 DTD 的文件不能导入。")
    model = etree.QName(root).namespace
    if model not in MODELS or etree.QName(root).localname != "definitions":
        raise DmnRefused(f"不是 DMN 1.2 到 1.4 的文件（根元素 {root.tag}）。")
    return json.dumps(_Reading(root, model).rule(), ensure_ascii=False, indent=2) + "\n"


class _Reading:
    """One reading of one DMN document."""

    def __init__(self, root: etree._Element, model: str):
        self.root, self.ns = root, {"d": model, "lz": OURS}

    def all(self, parent: etree._Element, path: str) -> list[etree._Element]:
        return parent.xpath(path, namespaces=self.ns)

    def words(self, parent: etree._Element, path: str = "d:text") -> str:
        found = self.all(parent, path)
        return (found[0].text or "").strip() if found else ""

    def rule(self) -> dict[str, Any]:
        decisions = self.all(self.root, "d:decision")
        if len(decisions) != 1:
            raise DmnRefused(f"要有一个 decision，文件里有 {len(decisions)} 个。")
        decision = decisions[0]
        for odd in self.all(
            decision,
            "*[not(self::d:description or self::d:extensionElements or self::d:decisionTable or self::d:variable or self::d:question or self::d:allowedAnswers)]",
        ):
            raise DmnRefused(f"不支持 decision 里的 {etree.QName(odd).localname}。")
        tables = self.all(decision, "d:decisionTable")
        if len(tables) != 1:
            raise DmnRefused("decision 里没有 decisionTable。")
        table = tables[0]
        extra = json.loads(self.words(decision, "d:extensionElements/lz:rule") or "{}")
        hit = next((name for name, word in _HITS.items() if word == table.get("hitPolicy", "UNIQUE")), None)
        if hit is None:
            raise DmnRefused(f"不支持命中策略 {table.get('hitPolicy')}。")
        out: dict[str, Any] = {
            "key": _name(decision.get("id", "")),
            "title": decision.get("name") or "决策表",
            "hit": hit,
        }
        if about := self.words(decision, "d:description"):
            out["about"] = about
        if table.get("aggregation"):
            out["aggregate"] = table.get("aggregation").lower()
        inputs = [self.column(one, extra.get("inputs", {}), True) for one in self.all(table, "d:input")]
        outputs = [self.column(one, extra.get("outputs", {}), False) for one in self.all(table, "d:output")]
        out["inputs"] = [one for one in inputs if one["name"] != DAY]
        out["outputs"] = outputs
        defaults = [self.words(one, "d:defaultOutputEntry/d:text") for one in self.all(table, "d:output")]
        if any(defaults):
            then = {one["name"]: _value(words, one) for one, words in zip(outputs, defaults, strict=True)}
            out["otherwise"] = {
                "then": then,
                **{"basis": "导入的 DMN 默认结论", **_given(extra.get("otherwise"))},
            }
        if extra.get("gaps"):
            out["gaps"] = extra["gaps"]
        unconfirmed = set(extra.get("unconfirmed", ()))
        titles = [one.get("name", "") for one in self.all(table, "d:annotation")]
        out["rows"] = [
            self.row(place, one, inputs, outputs, titles, unconfirmed)
            for place, one in enumerate(self.all(table, "d:rule"), 1)
        ]
        out["examples"] = [_given(one, keep=("gives",)) for one in extra.get("examples", ())]
        return out

    def column(self, one: etree._Element, extra: dict[str, Any], is_input: bool) -> dict[str, Any]:
        expression = self.words(one, "d:inputExpression/d:text") if is_input else one.get("name", "")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", expression):
            raise DmnRefused(f"输入或结论 {expression!r} 不是一个名称；表达式不支持。")
        kind = (
            self.all(one, "d:inputExpression")[0].get("typeRef", "") if is_input else one.get("typeRef", "")
        )
        types = {
            "string": "text",
            "number": "number",
            "integer": "number",
            "long": "number",
            "double": "number",
        }
        types |= {"boolean": "yesno", "date": "date", "": "text"}
        known = extra.get(expression, {})
        if not known and kind not in types:
            raise DmnRefused(f"{expression} 的类型 {kind} 不支持。")
        out = {
            "name": _name(expression),
            "title": one.get("label") or expression,
            "type": known.get("type") or types[kind],
        }
        values = self.words(one, f"d:{'inputValues' if is_input else 'outputValues'}/d:text")
        if known:
            out |= {
                name: value
                for name, value in known.items()
                if name != "type" and value not in (None, "", False, {})
            }
        elif values and out["type"] == "text":
            options = [json.loads(f'"{value}"') for value in re.findall(_STRING, values)]
            out |= {"type": "choice", "options": {value: value for value in options}}
        for bound in ("least", "most"):
            if bound in out and out["type"] == "number":
                out[bound] = _number(out[bound])
        return out

    def row(
        self,
        place: int,
        one: etree._Element,
        inputs: list[dict],
        outputs: list[dict],
        titles: list[str],
        unconfirmed: set[str],
    ) -> dict[str, Any]:
        entries = [self.words(each) for each in self.all(one, "d:inputEntry")]
        ends = [self.words(each) for each in self.all(one, "d:outputEntry")]
        notes = dict(
            zip(titles, [self.words(each) for each in self.all(one, "d:annotationEntry")], strict=False)
        )
        if len(entries) != len(inputs) or len(ends) != len(outputs):
            raise DmnRefused(f"第 {place} 行的格数与列数不同。")
        name = notes.get("name") or f"row_{place}"
        out: dict[str, Any] = {"name": name, "when": {}}
        for column, words in zip(inputs, entries, strict=True):
            condition = _condition(words, column, place)
            if condition is None:
                continue
            if column["name"] == DAY:
                out |= _days(condition, place)
            else:
                out["when"][column["name"]] = condition
        out["then"] = {
            column["name"]: _value(words, column) for column, words in zip(outputs, ends, strict=True)
        }
        out["basis"] = (
            notes.get("basis") or self.words(one, "d:description") or next(iter(notes.values()), "")
        )
        if name in unconfirmed:
            out["unconfirmed"] = True
        return out


def _given(table: dict[str, Any] | None, keep: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        name: value for name, value in (table or {}).items() if name in keep or value not in (None, "", False)
    }


def _name(text: str) -> str:
    """A name of ours from an identifier of theirs: snake case."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", text).lower().strip("_")[:40]


def _number(text: str) -> Any:
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    # As text where a float would round; a column reads both.
    return float(text) if Decimal(repr(float(text))) == Decimal(text) else text


def _value(words: str, column: dict[str, Any]) -> Any:
    """A literal. Raises DmnRefused for an expression."""
    if found := re.fullmatch(_STRING, words):
        return json.loads(words)
    if words in ("true", "false"):
        return words == "true"
    if re.fullmatch(r"-?\d+(\.\d+)?", words):
        return _number(words)
    if found := re.fullmatch(rf"date\({_STRING}\)", words):
        return found[1]
    raise DmnRefused(f"{column['title']}里的 {words!r} 不是字面值。")


_ATOM = rf"(?:{_STRING}|true|false|-?\d+(?:\.\d+)?|date\({_STRING}\))"


def _condition(words: str, column: dict[str, Any], place: int) -> Any:
    """A unary test as a condition of ours; None for "-". Raises DmnRefused."""
    if words in ("-", ""):
        return None
    if words in ("null", "not(null)"):
        return {"given": words != "null"}
    inner = re.fullmatch(r"not\((.*)\)", words, re.DOTALL)
    contained = inner[1] if inner else words
    if "list contains" in contained:
        return _contained(contained, bool(inner), column, place)
    if found := re.fullmatch(rf"([\[(\]])\s*({_ATOM})\s*\.\.\s*({_ATOM})\s*([\])\[])", words):
        low, high = _value(found[2], column), _value(found[5], column)
        return {
            "at_least" if found[1] == "[" else "more_than": low,
            "at_most" if found[8] == "]" else "less_than": high,
        }
    if found := re.fullmatch(rf"(>=|>|<=|<)\s*({_ATOM})", words):
        op = next(name for name, sign in _SIGNS.items() if sign == found[1])
        return {op: _value(found[2], column)}
    if re.fullmatch(rf"{_ATOM}(\s*,\s*{_ATOM})*", contained):
        values = [_value(found[0], column) for found in re.finditer(_ATOM, contained)]
        if len(values) == 1:
            return {"is_not": values[0]} if inner else values[0]
        return {"not_in" if inner else "in": values}
    raise DmnRefused(f"第 {place} 行，{column['title']}：{words!r} 不支持。")


def _contained(words: str, negated: bool, column: dict[str, Any], place: int) -> dict[str, Any]:
    one = rf"list contains\(\?,\s*{_STRING}\)"
    for joint, op in (("and", "has_all"), ("or", "has_any")):
        if re.fullmatch(rf"{one}( {joint} {one})*", words):
            values = [json.loads(f'"{value}"') for value in re.findall(one, words)]
            if negated:
                if joint == "and" and len(values) > 1:
                    continue
                return {"has_none": values}
            return {"has": values[0]} if len(values) == 1 else {op: values}
    raise DmnRefused(f"第 {place} 行，{column['title']}：{words!r} 不支持。")


def _days(condition: Any, place: int) -> dict[str, str]:
    """The days of a row from the condition on the day."""
    if not isinstance(condition, dict) or condition.keys() - {"at_least", "at_most"}:
        raise DmnRefused(f"第 {place} 行的有效期不是含两头的区间。")
    names = {"at_least": "from", "at_most": "to"}
    return {names[op]: value for op, value in condition.items()}
