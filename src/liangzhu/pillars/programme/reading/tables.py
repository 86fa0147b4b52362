"""Task tables (任务分工表): rows with cells separated by tabs (or by ``|``) under a header that names a unit column.

The extraction of .docx and .html writes one table row per line, so that tables can be read from the text alone.
"""

import re
from dataclasses import dataclass

from . import units

Cell = tuple[int, int]
_TASK = re.compile(r"任务|内容|事项|措施|举措|项目|目标|要求|要点|名称|工作")
_INDEX = re.compile(r"^(?:序 ?号|编 ?号|任务编号|序列|No\.?|#)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """One task: the cells of its number, its wording, its units (role, cell) and its time."""

    start: int
    end: int
    index: Cell | None
    tasks: tuple[Cell, ...]
    units: tuple[tuple[str, Cell], ...]
    time: Cell | None
    heading: Cell | None


def find(shade: str, start: int, end: int) -> tuple[list[Row], list[tuple[int, int]]]:
    """Return the rows of all task tables between ``start`` and ``end``, and the regions that the tables cover."""
    rows: list[Row] = []
    regions: list[tuple[int, int]] = []
    roles: list[str] | None = None
    heading: Cell | None = None
    region_start, region_end = start, start
    pending: tuple[int, int] | None = None
    for left, right in _lines(shade, start, end):
        cells = _cells(shade, left, right)
        if roles is None or len(cells) > 2:
            header = _roles(shade, cells)
            if header:
                if roles is not None:
                    regions.append((region_start, region_end))
                roles, heading, region_start, region_end, pending = header, None, left, right, None
                continue
        if roles is None:
            continue
        if len(cells) == 1:
            if pending is not None or right - left > 60:
                regions.append((region_start, region_end))
                roles, pending = None, None
            else:
                pending = (left, right)
            continue
        if len(cells) > len(roles) or all(shade[a:b].strip(" -:") == "" for a, b in cells):
            region_end = right
            continue
        if pending is not None:
            heading, pending = _trimmed(shade, pending), None
        region_end = right
        row = _row(shade, left, right, cells, roles, heading)
        if row:
            rows.append(row)
    if roles is not None:
        regions.append((region_start, region_end))
    return rows, regions


def _trimmed(shade: str, cell: Cell) -> Cell:
    """Return the place of a cell's wording without the white space and the bars around it."""
    left, right = cell
    while left < right and shade[left] in " |*\t":
        left += 1
    while left < right and shade[right - 1] in " |*\t":
        right -= 1
    return left, right


def _lines(shade: str, start: int, end: int):
    while start < end:
        stop = shade.find("\n", start, end)
        stop = end if stop < 0 else stop
        if shade[start:stop].strip():
            yield start, stop
        start = stop + 1


def _cells(shade: str, left: int, right: int) -> list[Cell]:
    line = shade[left:right]
    mark = "\t" if "\t" in line else "|" if line.count("|") > 1 else ""
    if not mark:
        return [(left, right)]
    if mark == "|":
        left, right = _trimmed(shade, (left, right))
    found, position = [], left
    while True:
        stop = shade.find(mark, position, right)
        if stop < 0 or len(found) > 40:
            found.append((position, right))
            return found
        found.append((position, stop))
        position = stop + 1


def _roles(shade: str, cells: list[Cell]) -> list[str] | None:
    """Return what each column holds, ``None`` if the cells are no header of a task table."""
    if len(cells) < 2:
        return None
    roles = []
    for cell in cells:
        name = shade[slice(*_trimmed(shade, cell))].replace(" ", "")
        if len(name) > 16:
            return None
        roles.append(
            "index"
            if _INDEX.match(name)
            else units.label_role(name) or ("task" if _TASK.search(name) else "other")
        )
    return roles if "task" in roles and any(role in ("lead", "plain", "help") for role in roles) else None


def _row(shade, left, right, cells, roles, heading):
    by_role: dict[str, list[Cell]] = {}
    named = []
    for role, cell in zip(roles, cells, strict=False):
        place = _trimmed(shade, cell)
        if place[0] == place[1]:
            continue
        by_role.setdefault(role, []).append(place)
        if role in ("lead", "plain", "help"):
            named.append((role, place))
    tasks = by_role.get("task", [])
    if not tasks:
        return None
    index, time = by_role.get("index", [None])[0], by_role.get("time", [None])[0]
    return Row(left, right, index, tuple(tasks), tuple(named), time, heading)
