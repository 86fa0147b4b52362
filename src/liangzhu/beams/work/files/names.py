"""File names as they are kept: without paths, without what could deceive the eye, of bounded length."""

import re
import unicodedata
from pathlib import PurePosixPath

MAX_CHARS = 100
MAX_BYTES = 240
"""Of a whole name in UTF-8: file systems stop at 255, and browsers add “ (1)”."""

_FORBIDDEN = re.compile(r'[<>:"|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)


def clean_name(given: str) -> str:
    """A name that is safe to show, to store and to send.

    Takes the last part of a path of either system, removes control characters, direction overrides (which can
    make ``gpj.exe`` read ``exe.jpg``) and characters of no width, and shortens the stem, never the extension.
    """
    name = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    # Cc: control, Cf: format (direction, zero width), Cs/Co/Cn: half a character, private, none.
    name = "".join(
        " " if char.isspace() else char for char in name if unicodedata.category(char) not in _UNSEEN
    )
    name = " ".join(_FORBIDDEN.sub("_", name).split()).strip(". ")
    path = PurePosixPath(name)
    stem, suffix = (path.stem, path.suffix) if name else ("", "")
    if len(suffix) > 10:
        stem, suffix = name, ""
    if _RESERVED.fullmatch(stem):
        stem = f"_{stem}"
    stem = stem[: MAX_CHARS - len(suffix)]
    while len((stem + suffix).encode()) > MAX_BYTES:
        stem = stem[:-1]
    return (stem.rstrip(". ") or "未命名") + suffix.lower()


_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}


def extension(name: str) -> str:
    """The extension in lower case without its dot, "" when there is none."""
    return PurePosixPath(name).suffix.lower().lstrip(".")
