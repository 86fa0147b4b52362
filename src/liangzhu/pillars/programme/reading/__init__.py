"""The plan reader: a government plan (实施方案, 意见, 行动计划, 任务分工表) becomes facts, each with its place in the text.

Pure functions without database and without network.  :func:`read_file`, :func:`read_bytes` and :func:`read_text` return
a :class:`Reading` or raise a :class:`ReadingError`, which says in Chinese what is wrong and what to do;
:func:`to_json` turns a reading into plain data.
"""

from pathlib import Path

from . import extract
from .errors import (
    DamagedFile,
    EmptyFile,
    NotAPlan,
    NoTextLayer,
    PasswordProtected,
    ReadingError,
    TooLarge,
    UndecodableText,
    UnknownFormat,
    UnreadablePath,
)
from .model import Article, Doubt, Finding, Reading, Target, to_json
from .parse import read_article, read_text

__all__ = [
    "Article",
    "DamagedFile",
    "Doubt",
    "EmptyFile",
    "Finding",
    "NoTextLayer",
    "NotAPlan",
    "PasswordProtected",
    "Reading",
    "ReadingError",
    "Target",
    "TooLarge",
    "UndecodableText",
    "UnknownFormat",
    "UnreadablePath",
    "read_article",
    "read_bytes",
    "read_file",
    "read_text",
    "to_json",
]


def read_bytes(data: bytes, filename: str = "") -> Reading:
    """Read an uploaded file: .txt, .docx, .html or .pdf, decided by its content; at most 20 MB.

    Raises a subclass of :class:`ReadingError`.
    """
    return read_text(extract.text_of_bytes(data, filename))


def read_file(path: str | Path) -> Reading:
    """Read a file from disk; a file over 20 MB is refused without being read.

    Raises a subclass of :class:`ReadingError`.
    """
    return read_bytes(*extract.load(path))
