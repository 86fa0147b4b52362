"""The ledger as a workbook (.xlsx): real dates, frozen heads, filters, print set-up, and no cell that computes.

What people typed may begin like a formula; such a cell is written as text and marked as quoted, so that it stays text
when somebody edits it or saves the sheet as CSV.
"""

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from liangzhu.kernel.still import still

Cell = str | int | float | date | None

_FORMULA = re.compile(r"[=+\-@\t\r]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LINE = Side(style="thin", color="D8D5CC")
_BOX = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_HEAD = PatternFill("solid", fgColor="E3F0EF")


@dataclass(frozen=True)
class Sheet:
    """A sheet: its name, its columns as (title, width in characters), its rows."""

    name: str
    columns: Sequence[tuple[str, float]]
    rows: Iterable[Sequence[Cell]]


def as_xlsx(title: str, note: str, sheets: Sequence[Sheet], made_on: date) -> bytes:
    """The workbook, the same bytes for the same facts. ``note`` stands on every printed page, ``made_on`` in the file."""
    book = Workbook()
    book.remove(book.active)
    for sheet in sheets:
        _sheet(book.create_sheet(sheet.name), sheet, title, note)
    facts = book.properties
    facts.title, facts.creator, facts.description, facts.language = title, "", note, "zh-CN"
    facts.created = facts.modified = datetime.combine(made_on, time())
    out = io.BytesIO()
    # Not book.save(): it writes the machine's clock over the day.
    ExcelWriter(book, ZipFile(out, "w", ZIP_DEFLATED)).save()
    return still(out.getvalue(), made_on)


def _sheet(page: Worksheet, sheet: Sheet, title: str, note: str) -> None:
    page.append([name for name, _ in sheet.columns])
    for cell in page[1]:
        cell.font, cell.fill, cell.border = Font(bold=True), _HEAD, _BOX
        cell.alignment = Alignment(vertical="center", horizontal="center", wrap_text=True)
    for line, row in enumerate(sheet.rows, start=2):
        for place, value in enumerate(row, start=1):
            _write(page.cell(line, place), value)
    for place, (_, width) in enumerate(sheet.columns, start=1):
        page.column_dimensions[get_column_letter(place)].width = width
    page.row_dimensions[1].height = 28
    page.freeze_panes = "C2"
    page.auto_filter.ref = page.dimensions
    page.print_title_rows = "1:1"
    page.page_setup.orientation, page.page_setup.paperSize = "landscape", page.PAPERSIZE_A4
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.oddHeader.center.text = f"{_plain(title)}　{sheet.name}"
    page.oddFooter.left.text, page.oddFooter.right.text = _plain(note), "第 &P 页，共 &N 页"


def _plain(text: str) -> str:
    """An ampersand begins a code in heads and feet."""
    return text.replace("&", "&&")


def _write(cell, value: Cell) -> None:
    cell.border = _BOX
    cell.alignment = Alignment(vertical="top", wrap_text=isinstance(value, str))
    if isinstance(value, str):
        cell.value = _CONTROL.sub("", value)
        cell.data_type = "s"
        cell.quotePrefix = bool(_FORMULA.match(value))
        return
    cell.value = value
    if isinstance(value, date):
        cell.number_format = "yyyy-mm-dd"
