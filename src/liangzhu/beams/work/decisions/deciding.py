"""Asking a table, and explaining its answer: which row and why, what failed in the others, near misses."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from liangzhu.beams.work.decisions.table import Row, Table, condition_words, plain_number
from liangzhu.kernel.errors import Problem


class NoRow(Problem):
    """No row of the table speaks of these inputs on this day; the detail names the rows that nearly did."""

    code, title, status = "no_row", "规则没有说到这种情形", 422
    todo = "请核对输入和日期；确属规则没有规定的，请维护人员补充决策表。"


@dataclass(frozen=True)
class Met:
    """One input against one row."""

    name: str
    title: str
    condition: str
    given: str
    met: bool


@dataclass(frozen=True)
class Tried:
    """One row as it was tried. ``used``: it gave (part of) the answer. ``missed`` says in words what kept it from hitting."""

    number: int
    name: str
    basis: str
    span: str
    in_force: bool
    tests: tuple[Met, ...]
    hit: bool
    used: bool

    @property
    def near(self) -> bool:
        """Whether one thing alone kept the row from hitting: one input, or the day."""
        return not self.hit and self._failures() == 1

    @property
    def missed(self) -> str:
        """What kept the row from hitting."""
        if self.hit:
            return "" if self.used else "也命中，但按命中策略没有采用"
        failed = [f"{one.title}：要求{one.condition}，现为{one.given}" for one in self.tests if not one.met]
        if not self.in_force:
            failed.insert(0, f"当日不在有效期（{self.span}）")
        return "；".join(failed)

    def _failures(self) -> int:
        return sum(not one.met for one in self.tests) + (not self.in_force)


@dataclass(frozen=True)
class Decision:
    """An answer with its reasons.

    ``outputs`` maps names to typed values; to lists for a table that collects, None or 0 for what was collected from no
    row. ``rows`` are the names of the rows that gave it, empty when ``otherwise`` did. ``release`` is the number of the
    release (0: a file), ``fingerprint`` its SM3.
    """

    key: str
    title: str
    on: date
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    rows: tuple[str, ...]
    trace: tuple[Tried, ...]
    by_otherwise: bool
    release: int
    fingerprint: str
    words: tuple[tuple[str, str], ...]
    """The outputs in words: (title, value)."""

    @property
    def basis(self) -> tuple[str, ...]:
        """The grounds of the rows that gave the answer."""
        return tuple(dict.fromkeys(one.basis for one in self.trace if one.used))

    @property
    def near_misses(self) -> tuple[Tried, ...]:
        """The rows that one thing alone kept from hitting."""
        return tuple(one for one in self.trace if one.near)

    def as_json(self) -> dict:
        """The decision as plain values, to be kept beside what was decided by it."""
        return {
            "rule": self.key,
            "release": self.release,
            "fingerprint": self.fingerprint,
            "on": self.on.isoformat(),
            "inputs": {name: plain(value) for name, value in self.inputs.items()},
            "outputs": {name: plain(value) for name, value in self.outputs.items()},
            "rows": list(self.rows),
            "basis": list(self.basis),
        }


def plain(value: Any) -> Any:
    """A value of a column as JSON holds it; numbers as text, so that nothing is rounded."""
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def decide_by(table: Table, given: dict[str, Any], on: date) -> Decision:
    """Ask a table. Raises Invalid (inputs, each named) and NoRow."""
    return answer(table, table.read_inputs(given), on)


def answer(table: Table, inputs: dict[str, Any], on: date) -> Decision:
    """Ask a table with inputs that were read already. Raises NoRow."""
    hits = hits_of(table, inputs, on)
    used = chosen(table, hits)
    by_otherwise = not hits and not table.several and table.otherwise is not None
    trace = _trace(table, inputs, on, {row.number for row in hits}, {row.number for row in used})
    if not used and not by_otherwise and not table.several:
        raise NoRow(_nearly(table, trace, on))
    outputs = outputs_of(table, [table.otherwise] if by_otherwise else used)
    return Decision(
        key=table.key,
        title=table.title,
        on=on,
        inputs=inputs,
        outputs=outputs,
        rows=tuple(row.name for row in used),
        trace=trace,
        by_otherwise=by_otherwise,
        release=table.release,
        fingerprint=table.fingerprint,
        words=tuple((column.title, column.words(outputs[column.name])) for column in table.outputs),
    )


def hits_of(table: Table, inputs: dict[str, Any], on: date) -> list[Row]:
    """The rows that hit, in the order of the table."""
    return [
        row
        for row in table.rows
        if row.in_force(on)
        and all(row.meets(column.name, inputs.get(column.name)) for column in table.inputs)
    ]


def chosen(table: Table, hits: list[Row]) -> list[Row]:
    """Of the rows that hit, those that answer, in the order in which they do."""
    if table.hit in ("unique", "any", "first"):
        return hits[:1]
    if table.hit == "priority":
        return sorted(hits, key=table.rank)[:1]
    return sorted(hits, key=table.rank) if table.hit == "output_order" else hits


def outputs_of(table: Table, rows: list[Row]) -> dict[str, Any]:
    """What rows answer together."""
    if not table.several:
        return dict(rows[0].then)
    lists = {column.name: [row.then[column.name] for row in rows] for column in table.outputs}
    match table.aggregate:
        case "count":
            return {name: Decimal(len(values)) for name, values in lists.items()}
        case "sum":
            return {name: sum(values, Decimal(0)) if values else None for name, values in lists.items()}
        case "min":
            return {name: min(values, default=None) for name, values in lists.items()}
        case "max":
            return {name: max(values, default=None) for name, values in lists.items()}
    return lists


def _trace(
    table: Table, inputs: dict[str, Any], on: date, hits: set[int], used: set[int]
) -> tuple[Tried, ...]:
    return tuple(
        Tried(
            number=row.number,
            name=row.name,
            basis=row.basis,
            span=row.span_words(),
            in_force=row.in_force(on),
            tests=tuple(
                Met(
                    column.name,
                    column.title,
                    condition_words(column, row.when.get(column.name, ())),
                    column.words(inputs.get(column.name)),
                    row.meets(column.name, inputs.get(column.name)),
                )
                for column in table.inputs
            ),
            hit=row.number in hits,
            used=row.number in used,
        )
        for row in table.rows
    )


def _nearly(table: Table, trace: tuple[Tried, ...], on: date) -> str:
    near = [f"第 {one.number} 行（{one.missed}）" for one in trace if one.near][:3]
    return f"《{table.title}》在 {on} 没有一行适用。" + (f"最接近的是{'；'.join(near)}。" if near else "")
