"""Text of a PDF with a text layer: lines broken by the page width are joined again, page numbers dropped.

A new paragraph is seen in the geometry of the page: the line before it ends early, or it is itself indented.
"""

import ctypes
import re
import statistics
import threading
from dataclasses import dataclass

import pypdfium2
import pypdfium2.raw as pdfium

from .errors import DamagedFile, NoTextLayer, PasswordProtected, TooLarge, UndecodableText

MAX_PAGES = 500
_PAGE_NUMBER = re.compile(
    r"[—–\-·~ ]*(?:第 ?)?\d{1,4}(?: ?页)?(?: ?[/,，共] ?(?:共 ?)?\d{1,4} ?页?)?[—–\-·~ ]*"
)
_CJK = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f“”‘’—…]")
_lock = threading.Lock()  # PDFium is not thread-safe


@dataclass(slots=True)
class _Line:
    text: str
    left: float
    right: float
    size: float
    top: float


def text_of_pdf(data: bytes) -> str:
    """Return the text of a PDF, one paragraph per line.

    Raises :class:`~.errors.PasswordProtected`, :class:`~.errors.DamagedFile`, :class:`~.errors.NoTextLayer` (a scan),
    :class:`~.errors.TooLarge` (more than 500 pages) or :class:`~.errors.UndecodableText` (fonts without characters).
    """
    with _lock:
        try:
            document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            if error.err_code == pdfium.FPDF_ERR_PASSWORD:
                raise PasswordProtected from error
            raise DamagedFile from error
        try:
            if len(document) > MAX_PAGES:
                raise TooLarge(f"PDF 有{len(document)}页，超过{MAX_PAGES}页。")
            pages = [_lines(document, index) for index in range(len(document))]
        except pypdfium2.PdfiumError as error:
            raise DamagedFile from error
        finally:
            document.close()
    characters = sum(len(line.text) for page in pages for line in page)
    if characters < 5 * max(1, len(pages)) or characters < 20:
        raise NoTextLayer
    lost = sum(
        1
        for page in pages
        for line in page
        for c in line.text
        if c == "\N{REPLACEMENT CHARACTER}" or "\ue000" <= c <= "\uf8ff"
    )
    if lost * 5 > characters:
        raise UndecodableText(
            "PDF 使用的字体没有文字对照表，取出来是乱码。", "请上传 Word 原件，或用文字识别（OCR）软件转换。"
        )
    _drop_furniture(pages)
    return _join([line for page in pages for line in page])


def _lines(document: pypdfium2.PdfDocument, index: int) -> list[_Line]:
    page = document[index]
    textpage = page.get_textpage()
    found: list[_Line] = []
    try:
        raw = textpage.raw
        box = [ctypes.c_double() for _ in range(4)]
        pending: list[tuple[str, int]] = []

        def edge(position: int) -> tuple[float, float, float, float]:
            pdfium.FPDFText_GetCharBox(raw, position, *(ctypes.byref(value) for value in box))
            left, right, bottom, top = (value.value for value in box)
            return left, right, bottom, top

        def flush() -> None:
            while pending and pending[-1][0].isspace():
                pending.pop()
            while pending and pending[0][0].isspace():
                del pending[0]
            if pending:
                first, last = pending[0][1], pending[-1][1]
                size = pdfium.FPDFText_GetFontSize(raw, first)
                height = abs(edge(first)[3] - edge(first)[2])
                found.append(
                    _Line(
                        "".join(c for c, _ in pending),
                        edge(first)[0],
                        edge(last)[1],
                        max(size, height),
                        edge(first)[3],
                    )
                )
            pending.clear()

        for position in range(pdfium.FPDFText_CountChars(raw)):
            code = pdfium.FPDFText_GetUnicode(raw, position)
            if code in (10, 13):
                flush()
            elif code and code != 0xFFFE:
                pending.append((chr(code) if code < 0x110000 else "\N{REPLACEMENT CHARACTER}", position))
        flush()
    finally:
        textpage.close()
        page.close()
    return found


def _drop_furniture(pages: list[list[_Line]]) -> None:
    """Remove page numbers, and headers or footers that stand on every page."""
    for page in pages:
        for place in (0, -1):
            if page and _PAGE_NUMBER.fullmatch(page[place].text.strip()):
                del page[place]
    for place in (0, -1):
        edges = [page[place].text for page in pages if page]
        if len(edges) >= 3 and len(set(edges)) == 1:
            for page in pages:
                del page[place]


def _room(line: _Line) -> float:
    """Return how much room the line above may have left because the first word here did not fit into it."""
    word = re.match(r"[A-Za-z0-9.,%/+-]+", line.text)
    return max(1.6, 0.65 * len(word.group()) + 0.8 if word else 0) * line.size


def _join(lines: list[_Line]) -> str:
    if not lines:
        return ""
    wide = sorted(line.right for line in lines)
    margin_right = wide[min(len(wide) - 1, int(len(wide) * 0.97))]
    full = [line for line in lines if line.right > margin_right - 1.6 * line.size]
    margin_left = statistics.median(line.left for line in full) if full else min(line.left for line in lines)
    paragraphs: list[str] = []
    before: _Line | None = None
    for line in lines:
        runs_on = (
            before is not None
            and before.right > margin_right - _room(line)
            and line.left < margin_left + 0.8 * line.size
            and abs(line.size - before.size) < 0.2 * before.size
        )
        if not runs_on:
            paragraphs.append(line.text)
        elif (
            _CJK.match(paragraphs[-1][-1])
            or _CJK.match(line.text)
            or not (paragraphs[-1][-1].isalpha() and line.text[0].isalpha())
        ):
            paragraphs[-1] += line.text
        else:
            paragraphs[-1] += " " + line.text
        before = line
    return "\n".join(paragraphs) + "\n"
