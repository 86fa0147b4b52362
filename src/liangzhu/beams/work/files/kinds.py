"""What a file is, told by its content. Its name must agree; what can carry a program is refused by name.

The table holds what offices exchange. Everything else is refused: a type that nobody foresaw is a type nobody
checked.
"""

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

from liangzhu.beams.work.files.names import extension
from liangzhu.kernel.errors import BadFile

ZIP_ENTRIES = 5_000
ZIP_UNPACKED = 300 * 1024 * 1024
ZIP_RATIO = 200
"""Bounds for documents that are archives: parts, bytes unpacked, and how many times smaller than unpacked."""


@dataclass(frozen=True)
class Kind:
    """A kind of file: its key, Chinese title, media type, and the extensions a name may carry."""

    key: str
    title: str
    media_type: str
    extensions: tuple[str, ...]


_OOXML = "application/vnd.openxmlformats-officedocument"
KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in [
        Kind("pdf", "PDF 文档", "application/pdf", ("pdf",)),
        Kind("ofd", "OFD 版式文件", "application/ofd", ("ofd",)),
        Kind("docx", "Word 文档", f"{_OOXML}.wordprocessingml.document", ("docx",)),
        Kind("xlsx", "Excel 表格", f"{_OOXML}.spreadsheetml.sheet", ("xlsx",)),
        Kind("pptx", "PowerPoint 演示文稿", f"{_OOXML}.presentationml.presentation", ("pptx",)),
        Kind("doc", "Word 97 或 WPS 文字", "application/msword", ("doc", "wps")),
        Kind("xls", "Excel 97 或 WPS 表格", "application/vnd.ms-excel", ("xls", "et")),
        Kind("ppt", "PowerPoint 97 或 WPS 演示", "application/vnd.ms-powerpoint", ("ppt", "dps")),
        Kind("png", "PNG 图片", "image/png", ("png",)),
        Kind("jpg", "JPEG 图片", "image/jpeg", ("jpg", "jpeg")),
        Kind("gif", "GIF 图片", "image/gif", ("gif",)),
        Kind("webp", "WebP 图片", "image/webp", ("webp",)),
        Kind("mp4", "MP4 视频", "video/mp4", ("mp4", "m4v")),
        Kind("csv", "CSV 表格", "text/csv", ("csv",)),
        Kind("txt", "纯文本", "text/plain", ("txt",)),
    ]
}

_MAGIC = [
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"%PDF-", "pdf"),
]
_PROGRAMS = (
    b"MZ",  # Windows
    b"\x7fELF",
    b"\xcf\xfa\xed\xfe",  # macOS
    b"\xce\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",  # macOS for several processors, Java
    b"#!",
    b"dex\n",  # Android
    b"L\x00\x00\x00\x01\x14\x02\x00",  # Windows shortcut
)
_PROGRAM_NAMES = frozenset(
    [
        "apk",
        "app",
        "bat",
        "bin",
        "chm",
        "cmd",
        "com",
        "cpl",
        "dll",
        "dmg",
        "exe",
        "hta",
        "iso",
        "jar",
        "jnlp",
        "js",
        "jse",
        "lnk",
        "msi",
        "msp",
        "pif",
        "ps1",
        "reg",
        "scr",
        "sh",
        "sys",
        "vb",
        "vbe",
        "vbs",
        "wsf",
    ]
)
_MARKUP_NAMES = frozenset(
    ["htm", "html", "mht", "mhtml", "shtml", "svg", "svgz", "xht", "xhtml", "xml", "xsl"]
)
_MACRO_NAMES = frozenset(["docm", "dotm", "pptm", "potm", "ppsm", "ppam", "xlsm", "xltm", "xlsb", "xlam"])
_ARCHIVE_NAMES = frozenset(["7z", "bz2", "gz", "rar", "tar", "tgz", "xz", "zip"])
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = [("WordDocument", "doc"), ("Workbook", "xls"), ("Book", "xls"), ("PowerPoint Document", "ppt")]


def identify(name: str, content: bytes, kinds: Iterable[str] | None = None) -> Kind:
    """The kind of a file, of those allowed.

    Raises BadFile saying what is wrong: empty, damaged, an executable, a web page, with macros, an archive or
    a bomb, or a content that is not what the name says.
    """
    if not content:
        raise BadFile(f"“{name}”是空文件。")
    given = extension(name)
    if given in _PROGRAM_NAMES:
        raise BadFile(f"“{name}”是可执行文件或脚本，不接收。", todo="请上传文档、图片或表格。")
    if given in _MARKUP_NAMES:
        raise BadFile(f"“{name}”是网页或 SVG 图形，可能带脚本，不接收。", todo="请另存为 PDF 或图片后上传。")
    if given in _MACRO_NAMES:
        raise BadFile(f"“{name}”是带宏的文档，不接收。", todo="请另存为不带宏的格式（.docx、.xlsx、.pptx）。")
    if given in _ARCHIVE_NAMES:
        raise BadFile(f"“{name}”是压缩包，不接收。", todo="请解压后把其中的文件逐个上传。")
    kind = KINDS[_told_by(name, content)]
    if (
        given
        and given not in kind.extensions
        and not (kind.key in ("csv", "txt") and given in ("csv", "txt"))
    ):
        raise BadFile(
            f"“{name}”的内容是 {kind.title}，与扩展名 .{given} 不符。",
            todo="请核对文件，改用正确的扩展名后上传。",
        )
    if given == "csv":
        kind = KINDS["csv"]
    if kinds is not None and kind.key not in set(kinds):
        wanted = "、".join(KINDS[key].title for key in KINDS if key in set(kinds))
        raise BadFile(f"“{name}”是 {kind.title}，这里只接收：{wanted}。")
    return kind


def _told_by(name: str, content: bytes) -> str:
    if content.startswith(_PROGRAMS):
        raise BadFile(f"“{name}”的内容是可执行文件或脚本，不接收。", todo="请上传文档、图片或表格。")
    for magic, key in _MAGIC:
        if content.startswith(magic):
            _whole(name, key, content)
            return key
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "webp"
    if content[4:8] == b"ftyp":
        return "mp4"
    if content.startswith(b"PK"):
        return _zip_kind(name, content)
    if content.startswith(_OLE):
        return _ole_kind(name, content)
    return _text_kind(name, content)


def _whole(name: str, key: str, content: bytes) -> None:
    """Refuse what was cut off: an upload that broke, or a copy from a full disk."""
    ends = {"pdf": b"%%EOF", "png": b"IEND", "jpg": b"\xff\xd9"}
    if key in ends and ends[key] not in content[-2048:]:
        raise BadFile(f"“{name}”不完整，像是传输或复制时中断了。")


def _zip_kind(name: str, content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            if (
                len(entries) > ZIP_ENTRIES
                or unpacked > ZIP_UNPACKED
                or unpacked > ZIP_RATIO * max(len(content), 65536)
            ):
                raise BadFile(
                    f"“{name}”解开后过大，像是压缩炸弹，不接收。", todo="请拆分文件，或另存为 PDF 后上传。"
                )
            if any(entry.flag_bits & 0x1 for entry in entries):
                raise BadFile(f"“{name}”加了密码，无法检查。", todo="请去掉密码后上传。")
            names = {entry.filename for entry in entries}
            types = b""
            if "[Content_Types].xml" in names:
                with archive.open("[Content_Types].xml") as part:
                    types = part.read(1024 * 1024)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, RuntimeError):
        raise BadFile(f"“{name}”已损坏，打不开。") from None
    lower = {entry.lower() for entry in names}
    if any(entry.endswith("vbaproject.bin") for entry in lower) or b"macroEnabled" in types:
        raise BadFile(f"“{name}”里有宏，不接收。", todo="请另存为不带宏的格式（.docx、.xlsx、.pptx）。")
    for part, key in (
        ("word/document.xml", "docx"),
        ("xl/workbook.xml", "xlsx"),
        ("ppt/presentation.xml", "pptx"),
    ):
        if types and part in lower:
            return key
    if "ofd.xml" in lower:
        return "ofd"
    raise BadFile(f"“{name}”是压缩包，不接收。", todo="请解压后把其中的文件逐个上传。")


def _ole_kind(name: str, content: bytes) -> str:
    if any(mark.encode("utf-16-le") in content for mark in ("_VBA_PROJECT", "_VBA_PROJECT_CUR")):
        raise BadFile(f"“{name}”里有宏，不接收。", todo="请另存为不带宏的格式（.docx、.xlsx、.pptx）。")
    for stream, key in _OLE_STREAMS:
        # Names of streams stand in the directory as UTF-16, ended by a zero.
        if f"{stream}\0".encode("utf-16-le") in content:
            return key
    raise BadFile(f"“{name}”不是可识别的办公文档。")


def _text_kind(name: str, content: bytes) -> str:
    if b"\0" not in content:
        for encoding in ("utf-8-sig", "gb18030"):
            try:
                text = content.decode(encoding)
            except UnicodeDecodeError:
                continue
            start = text.lstrip()[:512].lower()
            if start.startswith(
                ("<!doctype", "<html", "<svg", "<script", "<?xml", "<head", "<body", "<iframe", "{\\rtf")
            ):
                raise BadFile(
                    f"“{name}”的内容是网页、SVG 或标记文本，不接收。", todo="请另存为 PDF 或图片后上传。"
                )
            return "txt"
    raise BadFile(
        f"“{name}”的内容无法识别。", todo="支持：" + "、".join(kind.title for kind in KINDS.values()) + "。"
    )
