"""What is checked before a table may be asked: overlaps, gaps, rows that never answer, and its own examples.

The values of every input fall into a few cells within which no condition tells two values apart: the points that rows
name and the stretches between them. One value stands for each cell, so that a question about all values becomes one
about finitely many; nothing is sampled, the findings are exact.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import combinations, product
from typing import Any

from liangzhu.beams.work.decisions.deciding import NoRow, answer, plain
from liangzhu.beams.work.decisions.table import Column, Row, Table, read_table
from liangzhu.kernel import located
from liangzhu.kernel.located import Source

MOST_CELLS = 200_000
"""Combinations looked at before a table is refused as too large to be checked."""
MOST_NAMED = 8
_SET_LIMIT = 8


class _TooMuch(Exception):
    """The table is too large to be checked."""


@dataclass(frozen=True)
class Cell:
    """Values that no condition tells apart: one of them, and how they are called."""

    value: Any
    words: str


def parse(text: str, file: str = "rule.json") -> Table:
    """Read and check a table. Raises DataFileError with every fault found."""
    source = located.read(text, file)
    table = read_table(source)
    check(source, table)
    source.stop()
    return table


def check(source: Source, table: Table) -> None:
    """Note what is wrong with a table whose shape is sound."""
    try:
        space = Space(table)
    except _TooMuch:
        source.fault(
            ("inputs",), f"条件里提到的选项太多（一个输入最多 {_SET_LIMIT} 个），查不完；请拆成几个输入。"
        )
        source.stop()
    for row in table.rows:
        for column, allowed in zip(table.inputs, space.allowed[row.number], strict=True):
            if not allowed:
                source.fault(
                    ("rows", row.number - 1, "when", column.name), f"没有任何{column.title}能满足这个条件。"
                )
    source.stop()
    try:
        _overlaps(source, table, space)
        _gaps(source, table, space)
        _never(source, table, space)
    except _TooMuch:
        source.fault(("rows",), "组合太多，查不完有没有缺口；请拆成几张表，或减少条件。")
    _examples(source, table)


class Space:
    """The cells of every input and the periods of the rows, and which rows are met in which."""

    def __init__(self, table: Table):
        self.table = table
        self.cells = [_cells(column, table.rows) for column in table.inputs]
        self.periods = _periods(table.rows)
        self.allowed: dict[int, list[frozenset[int]]] = {
            row.number: [
                frozenset(n for n, cell in enumerate(cells) if row.meets(column.name, cell.value))
                for column, cells in zip(table.inputs, self.cells, strict=True)
            ]
            for row in table.rows
        }
        self.spans = {
            row.number: frozenset(n for n, cell in enumerate(self.periods) if row.in_force(cell.value))
            for row in table.rows
        }
        self.looked = 0

    def meet(self, one: Row, other: Row) -> list[str] | None:
        """How a case reads that meets both rows, or None."""
        shared = [a & b for a, b in zip(self.allowed[one.number], self.allowed[other.number], strict=True)]
        days = self.spans[one.number] & self.spans[other.number]
        if not days or not all(shared):
            return None
        return self.words([min(cells) for cells in shared], min(days))

    def words(self, places: list[int], period: int | None = None) -> list[str]:
        """A case in words."""
        found = [
            f"{column.title} {cells[place].words}"
            for column, cells, place in zip(self.table.inputs, self.cells, places, strict=False)
        ]
        if period is not None and len(self.periods) > 1:
            found.append(self.periods[period].words)
        return found

    def uncovered(self, numbers: frozenset[int], within: Row | None, period: int) -> list[list[int]]:
        """Cases of a period (as places of cells, cut short where the rest does not matter) that none of the rows meets.

        ``within`` looks only at the cases of that row.
        """

        @cache
        def search(place: int, left: frozenset[int]) -> tuple[tuple[int, ...], ...]:
            if not left:
                return ((),)
            if place == len(self.cells):
                return ()
            found: list[tuple[int, ...]] = []
            seen: set[frozenset[int]] = set()
            for cell in range(len(self.cells[place])):
                if within is not None and cell not in self.allowed[within.number][place]:
                    continue
                self.looked += 1
                if self.looked > MOST_CELLS:
                    raise _TooMuch
                still = frozenset(number for number in left if cell in self.allowed[number][place])
                # Cells that leave the same rows have the same gaps behind them: one of them is named.
                if still in seen and still:
                    continue
                seen.add(still)
                found += [(cell, *rest) for rest in search(place + 1, still)]
                if len(found) > MOST_NAMED:
                    break
            return tuple(found[: MOST_NAMED + 1])

        left = frozenset(number for number in numbers if period in self.spans[number])
        return [list(one) for one in search(0, left)]


def _overlaps(source: Source, table: Table, space: Space) -> None:
    """Rows of a table whose rows must not hit together, or not with different answers."""
    if table.hit not in ("unique", "any"):
        return
    for one, other in combinations(table.rows, 2):
        if table.hit == "any" and one.then == other.then:
            continue
        if case := space.meet(one, other):
            end = "；结论不同" if table.hit == "any" else ""
            source.fault(
                ("rows", other.number - 1),
                f"第 {one.number} 行（{one.name}）和第 {other.number} 行（{other.name}）会同时命中："
                f"{'，'.join(case) or '任何情形'}{end}。",
            )


def _gaps(source: Source, table: Table, space: Space) -> None:
    """Cases of which no row speaks, in every period between the first and the last in which some row holds."""
    if table.several or table.otherwise or table.gaps:
        return
    numbers = frozenset(row.number for row in table.rows)
    held = sorted(set().union(*space.spans.values()))
    named: set[tuple[str, ...]] = set()
    for period in range(held[0], held[-1] + 1):
        for places in space.uncovered(numbers, None, period):
            words = tuple(space.words(places))
            if words in named:
                continue
            named.add(words)
            if len(named) > MOST_NAMED:
                source.fault(("rows",), "缺口还有更多，没有一一列出。")
                return
            when = f"（{space.periods[period].words}）" if len(space.periods) > 1 else ""
            source.fault(
                ("rows",),
                f"没有一行说到：{'，'.join(words) or '任何情形'}{when}。"
                "请补上一行，写 otherwise，或在 gaps 里说明为什么不用管。",
            )


def _never(source: Source, table: Table, space: Space) -> None:
    """Rows that can never answer, because others always come first."""
    if table.hit not in ("first", "priority"):
        return
    for row in table.rows:
        ahead = frozenset(
            other.number
            for other in table.rows
            if other is not row
            and (other.number < row.number if table.hit == "first" else table.rank(other) < table.rank(row))
        )
        if all(not space.uncovered(ahead, row, period) for period in space.spans[row.number]):
            source.fault(
                ("rows", row.number - 1), f"第 {row.number} 行（{row.name}）永远轮不到：别的行总是先命中。"
            )


def _examples(source: Source, table: Table) -> None:
    """Every example must come out as it says, and every row must be shown by one."""
    shown: set[str] = set()
    for example in table.examples:
        path = ("examples", example.place)
        if table.dated and example.on is None:
            source.fault(path, "行有有效期，例子要写 on：在哪一天。")
            continue
        day = example.on or date(2000, 1, 1)
        inputs = {column.name: example.given.get(column.name) for column in table.inputs}
        try:
            found = answer(table, inputs, day)
        except NoRow as problem:
            if example.gives is not None:
                source.fault(path, f"例子不成立：{problem.detail}")
            continue
        shown.update(found.rows)
        if example.gives is None:
            if found.rows or found.by_otherwise:
                source.fault(
                    (*path, "gives"),
                    f"例子不成立：应没有结论，却命中 {'、'.join(found.rows) or 'otherwise'}。",
                )
            continue
        for column in table.outputs:
            want, got = example.gives[column.name], found.outputs[column.name]
            if want != got:
                source.fault(
                    (*path, "gives", column.name),
                    f"例子不成立：{column.title}应为 {plain(want)}，算出 {plain(got)}"
                    f"（命中 {'、'.join(found.rows) or 'otherwise'}）。",
                )
        if example.row and example.row not in found.rows:
            source.fault(
                (*path, "row"),
                f"例子不成立：应命中 {example.row}，命中的是 {'、'.join(found.rows) or 'otherwise'}。",
            )
    for row in table.rows:
        if row.name not in shown:
            source.fault(
                ("rows", row.number - 1),
                f"第 {row.number} 行（{row.name}）没有例子：请在 examples 里加一个命中它的。",
            )


def _cells(column: Column, rows: tuple[Row, ...]) -> list[Cell]:
    tests = [test for row in rows for test in row.when.get(column.name, ())]
    if column.type == "yesno":
        found = [Cell(True, "为是"), Cell(False, "为否")]
    elif column.type == "choice":
        found = [Cell(value, f"为{label}") for value, label in column.options]
    elif column.type == "set":
        found = _set_cells(column, tests)
    elif column.type == "text":
        named = sorted({value for test in tests if test.op != "given" for value in _values(test.value)})
        other = "".join(named) + "…"
        found = [*(Cell(value, f"为“{value}”") for value in named), Cell(other, "为其他文字")]
    else:
        found = _stretches(
            column, {value for test in tests if test.op != "given" for value in _values(test.value)}
        )
    if column.optional:
        found.append(Cell(None, "没有给出"))
    return found


def _values(value: Any) -> list[Any]:
    return list(value) if isinstance(value, frozenset) else [value]


def _set_cells(column: Column, tests: list) -> list[Cell]:
    named = {value for test in tests if test.op != "given" for value in _values(test.value)}
    asked = [value for value, _ in column.options if value in named]
    rest = next((value for value, _ in column.options if value not in named), None)
    if len(asked) > _SET_LIMIT:
        raise _TooMuch
    found = []
    members = [*asked, *([rest] if rest is not None else [])]
    for picks in product((False, True), repeat=len(members)):
        value = frozenset(member for member, picked in zip(members, picks, strict=True) if picked)
        found.append(Cell(value, f"为{column.words(value)}"))
    return found


def _stretches(column: Column, points: set[Any]) -> list[Cell]:
    """The points named by conditions, and the stretches between, before and after them, within the bounds."""
    step: Any = timedelta(days=1) if column.type == "date" else 1
    discrete = column.type == "date" or column.whole
    for bound in (column.least, column.most):
        if bound is not None:
            points.add(bound)
    if not points:
        return [Cell(date(2000, 1, 1) if column.type == "date" else Decimal(0), "为任意值")]
    ordered = sorted(points)
    say = column.words
    found: list[Cell] = []
    if column.least is None:
        found.append(
            Cell(
                ordered[0] - step,
                f"小于 {say(ordered[0])}" if column.type == "number" else f"早于 {say(ordered[0])}",
            )
        )
    for place, point in enumerate(ordered):
        found.append(Cell(point, f"为 {say(point)}"))
        if place + 1 < len(ordered):
            after = ordered[place + 1]
            if discrete:
                middle = point + step
                if middle == after:
                    continue
            else:
                middle = (point + after) / 2
            found.append(Cell(middle, f"在 {say(point)} 与 {say(after)} 之间"))
    if column.most is None:
        found.append(
            Cell(
                ordered[-1] + step,
                f"大于 {say(ordered[-1])}" if column.type == "number" else f"晚于 {say(ordered[-1])}",
            )
        )
    return found


def _periods(rows: tuple[Row, ...]) -> list[Cell]:
    """Stretches of days within which the same rows hold."""
    starts = sorted(
        {row.valid_from for row in rows if row.valid_from}
        | {row.valid_to + timedelta(days=1) for row in rows if row.valid_to}
    )
    if not starts:
        return [Cell(date(2000, 1, 1), "任何一天")]
    found = [Cell(starts[0] - timedelta(days=1), f"{starts[0]} 以前")]
    for place, day in enumerate(starts):
        last = f"至 {starts[place + 1] - timedelta(days=1)}" if place + 1 < len(starts) else "起"
        found.append(Cell(day, f"{day} {last}"))
    return found
