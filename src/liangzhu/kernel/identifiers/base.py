"""What all identifier kinds share: the error, the normal form, reading by fixed fields, the nested frame."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import ClassVar, NamedTuple, Self

from liangzhu.kernel.errors import Problem

# The longest code here, an electronic certificate identifier (电子证照标识), is stored in 128 characters.
LONGEST = 128

DIGITS = "0123456789"
ALPHANUMERIC = DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
VALUE_OF: Mapping[str, int] = MappingProxyType({character: n for n, character in enumerate(ALPHANUMERIC)})

CHECK_THE_ORIGINAL = "请对照原件逐位核对后重新填写。"

# Look-alikes that people type for digits. For a hint only: an identifier is never corrected for its owner.
_DIGIT_LIKE = {"O": "0", "Q": "0", "D": "0", "I": "1", "L": "1", "Z": "2", "S": "5", "B": "8"}

_FULL_WIDTH = str.maketrans(
    {code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
)
_HYPHENS_AND_DOTS = str.maketrans(dict.fromkeys("－‐‑‒–—−", "-") | dict.fromkeys("．。", "."))
_ASCII_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_INVISIBLE = re.compile("[\\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+")


class IdentifierError(Problem):
    """A value that is not an identifier of its kind.

    `kind` is a key of `KINDS`; `part` names the wrong part (`length`, `birth_date`, `check`, …; inside a
    nested code `implementer.check`); `message` says in Chinese what is wrong and `todo` what to do;
    `position` is the (first, last) character concerned, counted from 1 in the normal form of the value, or
    None. Messages quote what was typed: show them to whoever typed it, never write them to a log.
    """

    code, title, status = "identifier", "号码有误", 422

    def __init__(
        self, kind: str, part: str, message: str, todo: str, position: tuple[int, int] | None = None
    ) -> None:
        super().__init__(message, todo=todo)
        self.kind = kind
        self.part = part
        self.position = position

    @property
    def message(self) -> str:
        """What is wrong, in Chinese; the same as `detail`."""
        return self.detail

    def as_json(self) -> dict:
        """The problem document of RFC 9457, with kind, part and position."""
        return super().as_json() | {"kind": self.kind, "part": self.part, "position": self.position}


def normal_form(value: str, *, upper: bool = True) -> str:
    """Return `value` without blanks and invisible characters, full-width letters and digits half-width.

    Letters a–z become upper case unless `upper` is false. This changes how a code is written, never which
    code it is; wrong characters stay and are reported.
    """
    text = _INVISIBLE.sub("", value).translate(_FULL_WIDTH)
    return text.translate(_HYPHENS_AND_DOTS).translate(_ASCII_UPPER) if upper else text


class Field(NamedTuple):
    """A part of fixed length: its name in the result, its Chinese label, its length and what it may hold."""

    name: str
    label: str
    length: int
    alphabet: str
    holds: str


class Frame(NamedTuple):
    """Where reading takes place: a whole value, or a part of it that starts after `offset` characters.

    `label` names what is read; `parts` is set before the names of parts, when a code is nested in another
    one.
    """

    kind: str
    label: str
    offset: int = 0
    parts: str = ""

    def after(self, characters: int) -> Frame:
        """Return this frame moved on by `characters`."""
        return self._replace(offset=self.offset + characters)

    def nested(self, part: str, label: str) -> Frame:
        """Return the frame of a code that forms `part` of this one."""
        return self._replace(label=label, parts=f"{self.parts}{part}.")

    def where(self, first: int, last: int | None = None) -> str:
        """Name the places `first` to `last`, from 1 inside this frame, as people count them: 第 7–14 位."""
        if last is None or last == first:
            return f"第 {first + self.offset} 位"
        return f"第 {first + self.offset}–{last + self.offset} 位"

    def error(
        self,
        part: str,
        message: str,
        todo: str = CHECK_THE_ORIGINAL,
        place: tuple[int, int] | None = None,
    ) -> IdentifierError:
        """Make the error for `part` of this frame; `place` is counted from 1 inside the frame."""
        position = None if place is None else (place[0] + self.offset, place[1] + self.offset)
        return IdentifierError(self.kind, self.parts + part, message, todo, position)

    def wrong_check(
        self, place: int, right: str, found: str, todo: str = CHECK_THE_ORIGINAL
    ) -> IdentifierError:
        """Make the error for a check character at `place` (from 1) that should be `right`."""
        which = f"{self.label}的校验位（{self.where(place)}）" if self.parts else "校验位"
        return self.error("check", f"{which}应为 {right}，现为 {found}", todo, (place, place))

    def wrong_length(self, text: str, right: str, *allowed: int) -> IdentifierError:
        """Make the error for a text of none of the `allowed` lengths; `right` says them in Chinese."""
        nearest = min(allowed, key=lambda length: abs(length - len(text)))
        difference = "少" if len(text) < nearest else "多"
        return self.error(
            "length",
            f"{self.label}应为 {right}，现为 {len(text)} 位",
            f"{difference}了 {abs(nearest - len(text))} 位，请对照原件补正。",
        )

    def read(self, text: str, fields: tuple[Field, ...]) -> dict[str, str]:
        """Cut `text`, which has the length of all `fields`. Raises on the first wrong character."""
        parts = {}
        start = 0
        for field in fields:
            piece = text[start : start + field.length]
            for n, character in enumerate(piece, start + 1):
                if character not in field.alphabet:
                    raise self._wrong_character(field, n, character)
            parts[field.name] = piece
            start += field.length
        return parts

    def _wrong_character(self, field: Field, n: int, character: str) -> IdentifierError:
        if character in VALUE_OF:
            shown = f"字母 {character}" if character > "9" else f"数字 {character}"
        else:
            shown = f"“{printable(character)}”"
        digit = _DIGIT_LIKE.get(character)
        todo = f"请核对原件：这一位是不是数字 {digit}？" if digit else CHECK_THE_ORIGINAL
        message = f"{self.where(n)}不能用{shown}，{field.label}只能用{field.holds}"
        return self.error(field.name, message, todo, (n, n))


class Identifier:
    """An identifier that passed its checks. Subclasses are frozen dataclasses with a field per part.

    `value` is the normal form, the one to store and compare. `str()` and `repr()` are masked, so that a
    number of a person does not slip into a page or a log.
    """

    __slots__ = ()
    kind: ClassVar[str]
    label: ClassVar[str]
    keeps_case: ClassVar[bool] = False
    has_check: ClassVar[bool] = True

    value: str

    @classmethod
    def parse(cls, value: str, *, not_after: date | None = None) -> Self:
        """Read `value` or raise `IdentifierError`.

        `not_after` is the last day the identifier may speak of (a date of birth, the year of a document), as
        a rule today; without it the future is not checked.
        """
        text = normal_form(value, upper=not cls.keeps_case)
        frame = Frame(cls.kind, cls.label)
        if not text:
            raise frame.error("length", f"没有填写{cls.label}", f"请填写{cls.label}。")
        if len(text) > LONGEST:
            raise frame.error("length", f"{cls.label}过长（{len(text)} 个字符）", "请只填写号码本身。")
        try:
            return cls.read(frame, text, not_after)
        except IdentifierError as error:
            if not cls.has_check:
                raise
            hint = _transposition_hint(text, lambda other: cls.read(frame, other, not_after))
            if not hint:
                raise
            raise IdentifierError(
                error.kind, error.part, error.message, f"{error.todo}{hint}", error.position
            ) from None

    @classmethod
    def read(cls, frame: Frame, text: str, not_after: date | None) -> Self:
        """Read a text in normal form inside `frame`; for kinds that contain this one."""
        raise NotImplementedError

    @classmethod
    def completed(cls, body: str) -> str:
        """A value with its check characters, from what comes before them; for kinds that have them."""
        raise NotImplementedError

    @classmethod
    def masked(cls, text: str, *, public: bool) -> str:
        """Return `text`, in normal form, as it may be shown: unchanged, if it is a code of a public kind."""
        try:
            return cls.read(Frame(cls.kind, cls.label), text, None).value
        except IdentifierError:
            return stars(text)

    def __str__(self) -> str:
        return self.masked(self.value, public=False)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"


def _transposition_hint(text: str, read: Callable[[str], object]) -> str:
    """Name the two neighbours that were perhaps swapped, if exactly one such pair makes the code pass."""
    found = []
    for n in range(len(text) - 1):
        if text[n] == text[n + 1]:
            continue
        try:
            read(f"{text[:n]}{text[n + 1]}{text[n]}{text[n + 2 :]}")
        except IdentifierError:
            continue
        found.append(n + 1)
    if len(found) != 1:
        return ""
    return f"可能是第 {found[0]}、{found[0] + 1} 位前后颠倒；系统不会自行改动，请以原件为准。"


def stars(text: str, first: int = 0, last: int = 0) -> str:
    """Replace all but `first` and `last` characters by stars; a text too short to hide any is all stars."""
    hidden = len(text) - first - last
    if hidden <= 0:
        first, last, hidden = 0, 0, len(text)
    return text[:first] + "*" * min(hidden, LONGEST) + text[len(text) - last :]


def printable(text: str) -> str:
    """Return at most 20 characters of what was typed, fit for a message."""
    shown = "".join(c if c.isprintable() else f"[U+{ord(c):04X}]" for c in text[:20])
    return shown + "…" if len(text) > 20 else shown
