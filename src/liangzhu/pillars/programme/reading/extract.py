"""From the bytes of a .txt, .docx, .html or .pdf file to its text, one paragraph or table row per line.

The format is decided by the content, never by the name.  Cells of a table row are separated by tabs.  Sizes are checked
before anything is unpacked.
"""

import re
from pathlib import Path

import lxml.etree
import lxml.html

from . import wordfile
from .errors import EmptyFile, PasswordProtected, TooLarge, UndecodableText, UnknownFormat, UnreadablePath

MAX_BYTES = 20 * 1024 * 1024
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_KNOWN = (
    (b"\x89PNG", "PNG 图片"),
    (b"\xff\xd8\xff", "JPEG 图片"),
    (b"GIF8", "GIF 图片"),
    (b"BM", "BMP 图片"),
    (b"II*\0", "TIFF 图片"),
    (b"MM\0*", "TIFF 图片"),
    (b"MZ", "可执行程序"),
    (b"\x7fELF", "可执行程序"),
    (b"Rar!", "RAR 压缩包"),
    (b"7z\xbc\xaf", "7z 压缩包"),
    (b"\x1f\x8b", "gzip 压缩包"),
    (b"{\\rtf", "RTF 文档"),
    (b"%!PS", "PostScript 文档"),
)
_HTML = re.compile(
    rb"<(?:!doctype html|html|head|body|meta|div|table|p|article|section|title)[\s>/]", re.IGNORECASE
)
_SKIPPED = frozenset((
    "script", "style", "nav", "noscript", "template", "svg", "iframe", "object", "head", "button", "select",
    "option", "textarea", "input", "canvas",
))  # fmt: skip
_BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header",
    "hr", "html", "li", "main", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead",
    "tr", "ul", "caption",
))  # fmt: skip
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_CELL_LIMIT = 1500  # a longer cell belongs to a table that only lays out the page
_CJK = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f“”‘’—…"
_BETWEEN_HAN = re.compile(rf"(?<=[{_CJK}])[ \x02]+(?=[{_CJK}])")


def load(path: str | Path) -> tuple[bytes, str]:
    """Return the bytes of a file and its name; a file over 20 MB is refused before it is read.

    Raises :class:`~.errors.UnreadablePath` and :class:`~.errors.TooLarge`.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TooLarge
        return path.read_bytes(), path.name
    except OSError as error:
        raise UnreadablePath from error


def text_of_bytes(data: bytes, filename: str = "") -> str:
    """Return the text of a document.

    ``filename`` only serves the wording of errors.  Raises the errors of :mod:`.errors` except ``NotAPlan``.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge
    if not data.strip(b" \t\r\n\0\xef\xbb\xbf"):
        raise EmptyFile
    if b"%PDF-" in data[:1024]:
        from . import pdffile  # loading PDFium costs more than reading a plan

        return pdffile.text_of_pdf(data)
    if data.startswith(b"PK\x03\x04") or data.startswith(b"PK\x05\x06"):
        return wordfile.text_of_zip(data)
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise PasswordProtected
        suffix = Path(filename).suffix.lower()
        name = {".xls": "旧版 Excel（.xls）", ".ppt": "旧版 PowerPoint（.ppt）"}.get(
            suffix, "旧版 Word 或 WPS（.doc、.wps）"
        )
        raise UnknownFormat(f"这是{name}文件。", "请用 Word 或 WPS 打开，另存为 .docx 后上传。")
    for magic, name in _KNOWN:
        if data.startswith(magic) and (len(magic) > 2 or b"\0" in data[:4096]):
            raise UnknownFormat(f"这是{name}，不是可读的文档。")
    text = _decode(data)
    if _HTML.search(data[:4096].replace(b"\0", b"")):
        return _text_of_html(text) or text
    return text


# -- plain text --------------------------------------------------------------------------------------------------


def _decode(data: bytes) -> str:
    """Decode text in UTF-8, UTF-16 or GB18030, with or without a byte order mark.

    What a web page declares is not asked: many declare an encoding that they are not in, and the bytes tell.
    """
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return _strict(data[: len(data) // 2 * 2] if encoding == "utf-16" else data, encoding)
    if b"\0" in data[:4096] or _wide(data):
        for encoding in ("utf-16-le", "utf-16-be"):
            text = _attempt(data[: len(data) // 2 * 2], encoding)
            if text is not None and _sensible(text):
                return text
        if b"\0" in data[:4096]:
            raise UnknownFormat("这是二进制文件，不是文字。")
    for encoding in ("utf-8", "gb18030"):
        text = _lenient(data, encoding)
        if text is not None and (encoding == "utf-8" or _sensible(text)):
            if _control(text):
                raise UnknownFormat("这是二进制文件，不是文字。")
            return text
    if sum(byte < 9 or 13 < byte < 32 for byte in data[:4096]) * 50 > len(data[:4096]):
        raise UnknownFormat("这是二进制文件，不是文字。")
    raise UndecodableText


def _lenient(data: bytes, encoding: str) -> str | None:
    """Decode text of which a few bytes may be damaged: they show as \N{REPLACEMENT CHARACTER} instead of losing the file."""
    text = data.decode(encoding, "replace")
    return text if text.count("\N{REPLACEMENT CHARACTER}") * 200 <= len(text) else None


def _strict(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UndecodableText from error


def _attempt(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _wide(data: bytes) -> bool:
    """Tell whether bytes look like UTF-16 without a mark: in Chinese text every other byte lies in 4E–9F, FF or 30."""
    sample = data[:2000]
    if len(sample) < 40:
        return False
    for offset in (0, 1):
        high = sample[offset::2]
        if (
            sum(0x4E <= byte <= 0x9F or byte in (0x00, 0x30, 0xFF) for byte in high) > 0.95 * len(high)
            and _attempt(sample, "utf-8") is None
        ):
            return _attempt(data, "gb18030") is None or not _sensible(_attempt(data, "gb18030") or "")
    return False


def _sensible(text: str) -> bool:
    """Tell whether decoded text is made of what Chinese documents are made of."""
    sample = [character for character in text[:5000] if not character.isspace()]
    common = sum(
        " " <= character <= "~" or "\u4e00" <= character <= "\u9fa5" or "\u3000" <= character <= "\u303f"
        or "\uff00" <= character <= "\uffef" or character in "“”‘’—…·×〇①②③④⑤⑥⑦⑧⑨⑩°℃"
        for character in sample
    )  # fmt: skip
    return bool(sample) and common * 10 >= len(sample) * 9


def _control(text: str) -> bool:
    sample = text[:5000]
    return sum(
        (character < " " and character not in "\t\n\r\f\v") or character == "\x7f" for character in sample
    ) * 50 > len(sample)


# -- web pages ---------------------------------------------------------------------------------------------------


def _text_of_html(source: str) -> str | None:
    """Return the visible text of a page, blocks as lines and cells separated by tabs; ``None`` if it cannot be parsed."""
    source = re.sub(r"^\s*<\?xml[^>]*\?>", "", source).translate({0: None, 2: None})
    parser = lxml.html.HTMLParser(remove_comments=True, remove_pis=True, no_network=True)
    try:
        root = lxml.html.document_fromstring(source, parser=parser)
    except (lxml.etree.LxmlError, ValueError):
        return None
    page = _Page()
    skipping = 0
    for event, element in lxml.etree.iterwalk(root, events=("start", "end")):
        hidden = element.tag in _SKIPPED or bool(_HIDDEN.search(element.get("style") or ""))
        if event == "start":
            skipping += hidden
            if not skipping:
                page.open(element)
        else:
            if not skipping:
                page.close(element)
            skipping -= hidden
            if not skipping:
                page.add(element.tail)
    # A line break of the source is a space, but not between two Chinese characters.
    text = _BETWEEN_HAN.sub(lambda gap: "" if "\x02" in gap.group() else " ", "".join(page.out))
    lines = [line.strip(" ") for line in re.sub(r"[ \x02]+", " ", text).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


class _Page:
    """The text of a page under construction; rows of data tables become lines, layout tables dissolve into blocks."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self._cell_starts: list[int] = []
        self._rows: list[list[tuple[str, int, int]]] = []  # cells as (text, columns, rows)
        self._above: list[dict[int, tuple[int, str]]] = []  # per table: column → (rows still covered, text)

    def add(self, text: str | None) -> None:
        """Add running text."""
        if text:
            self.out.append(_collapse(text))

    def open(self, element) -> None:
        """Start an element."""
        if element.tag == "table":
            self._above.append({})
        if element.tag == "tr":
            self._rows.append([])
        if element.tag in ("td", "th"):
            self._cell_starts.append(len(self.out))
        elif element.tag == "br" or element.tag in _BLOCKS:
            self.out.append("\n")
        if element.tag == "pre":
            self.out.append(element.text or "")
        else:
            self.add(element.text)

    def close(self, element) -> None:
        """End an element."""
        if element.tag in ("td", "th") and self._cell_starts:
            start = self._cell_starts.pop()
            text = "".join(self.out[start:])
            del self.out[start:]
            if self._rows:
                self._rows[-1].append((text, _span(element.get("colspan")), _span(element.get("rowspan"))))
            else:
                self.out.append(f"\n{text}\n")
        elif element.tag == "tr" and self._rows:
            self.out.append(f"\n{self._row(self._rows.pop(), self._above[-1] if self._above else {})}\n")
        elif element.tag in _BLOCKS:
            self.out.append("\n")
        if element.tag == "table" and self._above:
            self._above.pop()

    @staticmethod
    def _row(cells: list[tuple[str, int, int]], above: dict[int, tuple[int, str]]) -> str:
        if any(len(text) > _CELL_LIMIT or "\t" in text for text, _, _ in cells):
            return "\n".join(text for text, _, _ in cells)
        waiting = [(re.sub(r"\s+", " ", text).strip(), columns, rows) for text, columns, rows in cells]
        line: list[str] = []
        column = 0
        while waiting or column in above:
            if column in above:
                rows, text = above[column]
                line.append(text)
                if rows > 1:
                    above[column] = (rows - 1, text)
                else:
                    del above[column]
                column += 1
                continue
            text, columns, rows = waiting.pop(0)
            line.append(text)
            if rows > 1:
                above[column] = (rows - 1, text)
            column += columns
        return "\t".join(line)


def _span(value: str | None) -> int:
    return min(int(value), 50) if value and re.fullmatch(r"[1-9]\d{0,3}", value.strip(), re.ASCII) else 1


def _collapse(text: str) -> str:
    """Collapse white space as a browser does; what held a line break of the source becomes \\x02."""
    text = re.sub(r"[ \t\f]*[\r\n]\s*", "\x02", text.replace("\xa0", " "))
    return re.sub(r"[ \t\f]+", " ", text)
