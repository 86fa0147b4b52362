"""Characters: cleaning, a same-length shadow of the text for matching, and Chinese numerals.

Plans mix half- and full-width punctuation.  Matching runs on :func:`shadow`, in which every character keeps its place,
so that an offset found there is an offset in the text shown to people.
"""

import re
import unicodedata

HAN_DIGITS = dict(zip("零〇○一二两三四五六七八九", (0, 0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
HAN = "一二三四五六七八九十百零〇"  # what numerals of articles and chapters are made of

_SHADOW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_SHADOW |= dict.fromkeys([0xA0, 0x3000, *range(0x2000, 0x200B), 0x202F, 0x205F], " ")
_SHADOW |= {
    ord(key): value
    for key, value in {"﹝": "〔", "﹞": "〕", "∶": ":", "﹕": ":", "﹐": ",", "﹔": ";"}.items()
}

# Kangxi radicals, which some PDF writers put in place of the characters that look the same.
_CLEAN = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)}
_CLEAN |= dict.fromkeys([0, 0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF], None)
_CLEAN |= dict.fromkeys([0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x85, 0x2028, 0x2029], "\n")
_CLEAN |= dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}")


def clean(text: str) -> str:
    """Return the text as it is shown: line ends as ``\\n``, invisible characters removed, nothing else changed."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_CLEAN)


def shadow(text: str) -> str:
    """Return ``text`` with full-width forms replaced by half-width ones, character for character."""
    return text.translate(_SHADOW)


def number(numeral: str) -> int | None:
    """Return the value of an Arabic or Chinese numeral below 1000 (``12``, ``二十四``, ``①``), ``None`` if it is none."""
    if numeral.isascii():
        return int(numeral) if numeral.isdigit() else None
    if len(numeral) == 1 and numeral not in HAN_DIGITS and numeral not in "十百":
        value = unicodedata.numeric(numeral, None)
        return None if value is None else int(value)
    total, digit, unit_before = 0, None, 1000
    for character in numeral:
        if character in "十百":
            unit = 10 if character == "十" else 100
            if unit >= unit_before or digit == 0:
                return None
            total += (1 if digit is None else digit) * unit
            digit, unit_before = None, unit
        elif character in "零〇○":
            digit = None
        elif character in HAN_DIGITS and digit is None:
            digit = HAN_DIGITS[character]
        else:
            return None
    return total + (digit or 0) or None


def year(numeral: str) -> int | None:
    """Return a year written with four digits, Arabic or Chinese (``2022``, ``二〇二二``)."""
    if re.fullmatch(r"\d{4}", numeral, re.ASCII):
        return int(numeral)
    if len(numeral) == 4 and all(character in HAN_DIGITS for character in numeral):
        return int("".join(str(HAN_DIGITS[character]) for character in numeral))
    return None
