"""Text of a Word document (.docx): paragraphs and tables in document order, automatic numbers written out.

The parts are read straight from the package (ECMA-376), so that the unpacked size can be bounded, tracked deletions stay
out and both the transitional and the strict name space are understood.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

import lxml.etree

from .errors import DamagedFile, PasswordProtected, TooLarge, UnknownFormat

MAX_PART_BYTES = 24 * 1024 * 1024
_OTHERS = (
    ("xl/", "Excel 表格（.xlsx）", "请把任务分工表复制到 Word 中，另存为 .docx 后上传。"),
    ("ppt/", "PowerPoint 演示文稿（.pptx）", ""),
    ("OFD.xml", "OFD 版式文件", "请上传 Word 原件，或用 OFD 阅读器转换为带文字的 PDF。"),
    ("content.xml", "OpenDocument 文档（.odt）", ""),
)
_HAN_DIGITS = "零一二三四五六七八九"
_DROPPED = frozenset(
    ("del", "moveFrom", "txbxContent", "Fallback", "instrText", "fldSimpleInstr", "pict", "drawing")
)


def text_of_zip(data: bytes) -> str:
    """Return the text of a .docx.

    Raises :class:`~.errors.DamagedFile`, :class:`~.errors.TooLarge`, :class:`~.errors.PasswordProtected` or
    :class:`~.errors.UnknownFormat` (another kind of zip file).
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            names = package.namelist()
            if "[Content_Types].xml" not in names or not any(name.startswith("word/") for name in names):
                _refuse_other(names)
            types = _part(package, "[Content_Types].xml")
            document, styles, numbering = _find_parts(types, names)
            body = _part(package, document)
            numbers = _Numbers(
                _part(package, numbering) if numbering else None, _part(package, styles) if styles else None
            )
    except (
        zipfile.BadZipFile,
        zlib.error,
        lxml.etree.XMLSyntaxError,
        KeyError,
        EOFError,
        OSError,
        ValueError,
    ) as error:
        if isinstance(error, TooLarge | UnknownFormat | DamagedFile | PasswordProtected):
            raise
        raise DamagedFile from error
    except (NotImplementedError, RuntimeError) as error:
        if "encrypted" in str(error) or "password" in str(error):
            raise PasswordProtected from error
        raise DamagedFile from error
    lines = list(_blocks(body, numbers))
    return "\n".join(lines) + "\n"


def _refuse_other(names: list[str]) -> None:
    for start, kind, todo in _OTHERS:
        if any(name.startswith(start) for name in names):
            raise UnknownFormat(f"这是{kind}。", todo)
    if "[Content_Types].xml" in names:
        raise DamagedFile
    raise UnknownFormat(
        "这是压缩包，不是文档。", "请解压后上传其中的方案正文（.docx、.pdf、.html 或 .txt）。"
    )


def _part(package: zipfile.ZipFile, name: str):
    info = package.getinfo(name)
    if info.file_size > MAX_PART_BYTES:
        raise TooLarge("文件解压后过大，不像正常的文档。")
    with package.open(info) as stream:
        content = stream.read(MAX_PART_BYTES + 1)
    if len(content) > MAX_PART_BYTES:
        raise TooLarge("文件解压后过大，不像正常的文档。")
    parser = lxml.etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    root = lxml.etree.fromstring(content, parser)
    if root.getroottree().docinfo.internalDTD is not None:
        raise DamagedFile
    return root


def _find_parts(types, names: list[str]) -> tuple[str, str, str]:
    by_type = {part.get("ContentType", ""): part.get("PartName", "").lstrip("/") for part in types}

    def find(ending: str, default: str) -> str:
        for content_type, part in by_type.items():
            if content_type.endswith(ending) and part in names:
                return part
        return default if default in names else ""

    main = find("main+xml", "word/document.xml")
    if not main:
        raise DamagedFile
    return (
        main,
        find("wordprocessingml.styles+xml", "word/styles.xml"),
        find("wordprocessingml.numbering+xml", "word/numbering.xml"),
    )


# -- paragraphs and tables -------------------------------------------------------------------------------------------


def _local(element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _value(element, name: str = "val") -> str | None:
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return value
    return None


def _child(element, *path: str):
    for name in path:
        if element is None:
            return None
        element = next((child for child in element if _local(child) == name), None)
    return element


def _blocks(container, numbers: "_Numbers") -> Iterator[str]:
    """Yield the lines of a body, a cell or a content control."""
    waiting = [iter(container)]
    while waiting:
        child = next(waiting[-1], None)
        if child is None:
            waiting.pop()
            continue
        kind = _local(child)
        if kind == "p":
            yield from _paragraph(child, numbers)
        elif kind == "tbl":
            yield from _table(child, numbers)
        elif kind in ("body", "sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"):
            waiting.append(iter(child))


def _paragraph(paragraph, numbers: "_Numbers") -> list[str]:
    text = _text(paragraph)
    if text.strip():
        text = numbers.prefix(paragraph) + text
    return text.split("\n")


def _text(paragraph) -> str:
    parts: list[str] = []
    waiting = [iter(paragraph)]
    while waiting:
        child = next(waiting[-1], None)
        if child is None:
            waiting.pop()
            continue
        kind = _local(child)
        if kind == "t":
            parts.append(child.text or "")
        elif kind == "tab":
            parts.append(" ")
        elif kind in ("br", "cr"):
            parts.append("\n")
        elif kind == "noBreakHyphen":
            parts.append("-")
        elif kind == "sym":
            pass
        elif kind not in _DROPPED and kind not in ("pPr", "rPr"):
            waiting.append(iter(child))
    return "".join(parts)


def _table(table, numbers: "_Numbers") -> Iterator[str]:
    """Yield one line per row; a cell merged downwards is repeated, one merged sideways stands once."""
    above: dict[int, str] = {}
    for row in table.iterchildren():
        if _local(row) != "tr":
            continue
        cells: list[str] = []
        column = 0
        for cell in row.iter():
            if _local(cell) != "tc" or _owner(cell, "tr") is not row:
                continue
            properties = _child(cell, "tcPr")
            span = _child(properties, "gridSpan") if properties is not None else None
            merge = _child(properties, "vMerge") if properties is not None else None
            text = " ".join(line.strip() for line in _blocks(cell, numbers) if line.strip()).replace(
                "\t", " "
            )
            if merge is not None and _value(merge) != "restart":
                text = text or above.get(column, "")
            above[column] = text
            cells.append(text)
            width = _value(span) if span is not None else None
            column += int(width) if width and width.isascii() and width.isdigit() and int(width) < 100 else 1
        if any(cells):
            yield "\t".join(cells)


def _owner(element, kind: str):
    element = element.getparent()
    while element is not None and _local(element) != kind:
        element = element.getparent()
    return element


# -- automatic numbering ---------------------------------------------------------------------------------------------


class _Numbers:
    """The numbers that Word shows but does not store: counts per list and level (w:numbering)."""

    def __init__(self, numbering, styles) -> None:
        self._levels: dict[str, dict[int, tuple[str, str, int]]] = {}
        self._lists: dict[str, tuple[str, dict[int, int]]] = {}
        self._styles: dict[str, tuple[str | None, str | None, str | None]] = {}
        self._counts: dict[str, dict[int, int]] = {}
        self._started: set[str] = set()
        for element in numbering if numbering is not None else ():
            kind = _local(element)
            if kind == "abstractNum":
                self._levels[_value(element, "abstractNumId") or ""] = {
                    _integer(_value(level, "ilvl")): self._level(level)
                    for level in element
                    if _local(level) == "lvl"
                }
            elif kind == "num":
                target = _child(element, "abstractNumId")
                restarts = {}
                for override in element:
                    start = _child(override, "startOverride") if _local(override) == "lvlOverride" else None
                    if start is not None:
                        restarts[_integer(_value(override, "ilvl"))] = _integer(_value(start), 1)
                if target is not None:
                    self._lists[_value(element, "numId") or ""] = (_value(target) or "", restarts)
        for style in styles if styles is not None else ():
            if _local(style) == "style":
                number = _child(style, "pPr", "numPr")
                based = _child(style, "basedOn")
                self._styles[_value(style, "styleId") or ""] = (
                    *self._reference(number),
                    _value(based) if based is not None else None,
                )

    @staticmethod
    def _level(level) -> tuple[str, str, int]:
        def read(name: str, default: str) -> str:
            found = _child(level, name)
            return default if found is None else _value(found) or ""

        return read("numFmt", "decimal"), read("lvlText", ""), _integer(read("start", "1"), 1)

    @staticmethod
    def _reference(number) -> tuple[str | None, str | None]:
        if number is None:
            return None, None
        identity, level = _child(number, "numId"), _child(number, "ilvl")
        return (
            _value(identity) if identity is not None else None,
            _value(level) if level is not None else None,
        )

    def prefix(self, paragraph) -> str:
        """Count the paragraph and return its number as shown, ``""`` if it has none."""
        identity, level_text = self._reference(_child(paragraph, "pPr", "numPr"))
        if identity is None:
            style = _child(paragraph, "pPr", "pStyle")
            name = _value(style) if style is not None else None
            for _ in range(10):
                if name not in self._styles:
                    break
                identity, inherited, name = self._styles[name]
                level_text = level_text or inherited
                if identity is not None:
                    break
        level = _integer(level_text)
        abstract, restarts = self._lists.get(identity or "", ("", {}))
        levels = self._levels.get(abstract, {})
        if level not in levels:
            return ""
        counts = self._counts.setdefault(abstract, {})
        if identity not in self._started:
            self._started.add(identity)
            for restarted, start in restarts.items():
                counts[restarted] = start - 1
        counts[level] = counts.get(level, levels[level][2] - 1) + 1
        for deeper in [other for other in counts if other > level]:
            del counts[deeper]
        if levels[level][0] in ("bullet", "none"):
            return ""

        def shown(match: re.Match[str]) -> str:
            other = int(match[1]) - 1
            style, _, start = levels.get(other, ("decimal", "", 1))
            return _format(counts.get(other, start), style)

        return re.sub(r"%([1-9])", shown, levels[level][1])


def _integer(text: str | None, default: int = 0) -> int:
    return int(text) if text and re.fullmatch(r"\d{1,6}", text, re.ASCII) else default


def _format(number: int, style: str) -> str:
    if style in (
        "chineseCounting",
        "chineseCountingThousand",
        "japaneseCounting",
        "taiwaneseCountingThousand",
        "ideographDigital",
    ):
        return _han(number)
    if style.startswith("decimalEnclosedCircle") and 1 <= number <= 20:
        return chr(0x2460 + number - 1)
    if style in ("upperLetter", "lowerLetter") and 1 <= number <= 26:
        return chr((65 if style == "upperLetter" else 97) + number - 1)
    if style in ("upperRoman", "lowerRoman") and 1 <= number < 100:
        tens, ones = divmod(number, 10)
        roman = ["", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC"][tens]
        roman += ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"][ones]
        return roman if style == "upperRoman" else roman.lower()
    if style == "decimalZero":
        return f"{number:02d}"
    return str(number)


def _han(number: int) -> str:
    if not 0 < number < 100:
        return str(number)
    tens, ones = divmod(number, 10)
    text = ("" if tens == 1 else _HAN_DIGITS[tens]) + "十" if tens else ""
    return text + (_HAN_DIGITS[ones] if ones else "")
