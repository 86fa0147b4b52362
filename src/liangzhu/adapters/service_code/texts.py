"""The text of a code: what stands in the QR code, and the form that is typed. Pure: no Django, the simulator writes what the client reads.

In the QR code, upper case only, so that a keyboard wedge under caps lock and QR's own alphanumeric mode both carry it:

    SFM1.J7KM4E2X9WTD.P.1666229400.60.<SM2 signature of 64 bytes, base32 without padding>

prefix of the province and version, number, kind (P person, E enterprise, A agent), second of issue, seconds of life. Signed is
``service code 1 ⏎ prefix ⏎ number ⏎ kind ⏎ issued ⏎ seconds ⏎``. The number is the typed form: the mark of the province,
ten random characters, a check character; written in three groups of four. What the province really writes is 待确认.
"""

import base64
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

from liangzhu.kernel import crypto

ALPHABET = "23456789ACDEFHJKMNPRTWX"
"""Twenty-three characters, a prime number: no 0 O Q, 1 I L, Z beside 2, S beside 5, B beside 8, G beside 6, U V Y."""

LENGTH = 12
KINDS = {"P": "person", "E": "enterprise", "A": "agent"}
LETTERS = {word: letter for letter, word in KINDS.items()}
_READ_AS = str.maketrans({"Z": "2", "S": "5", "B": "8", "G": "6"})
_GROUPS = re.compile(r"[\s\-－—_·.]+")
_LONGEST = 400


class BadText(ValueError):
    """A text that looks like a code and is not one; the message is for the person at the counter."""


@dataclass(frozen=True)
class Text:
    """A code as it was read. ``issued`` (UTC) and ``seconds`` are those of the QR code; a typed number does not tell them."""

    prefix: str
    number: str
    kind: str = ""
    issued: datetime | None = None
    seconds: int = 0
    signature: bytes = b""

    @property
    def typed(self) -> bool:
        """Whether it was typed."""
        return not self.signature

    def signed_text(self) -> bytes:
        """The bytes that the signature covers."""
        issued = int(self.issued.timestamp()) if self.issued else 0
        lines = (
            "service code 1",
            self.prefix,
            self.number,
            LETTERS[self.kind],
            str(issued),
            str(self.seconds),
        )
        return "".join(f"{one}\n" for one in lines).encode()


def check_character(body: str) -> str:
    """The check character of eleven: weights 1 to 11 modulo 23. Finds every wrong character and every two that changed places."""
    total = sum(place * ALPHABET.index(one) for place, one in enumerate(body, 1))
    return ALPHABET[total % len(ALPHABET)]


def new_number(mark: str) -> str:
    """A fresh number of a province: 45 random bits, good for a minute."""
    body = mark + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 2))
    return body + check_character(body)


def grouped(number: str) -> str:
    """A number as people read it: ``J7KM-4E2X-9WTD``."""
    return "-".join(number[at : at + 4] for at in range(0, len(number), 4))


def plain(raw: str) -> str:
    """What was scanned or typed, without what keyboards add: full width, lower case, blanks around."""
    return unicodedata.normalize("NFKC", raw).strip().upper()


def write(text: Text) -> str:
    """The content of the QR code."""
    issued = int(text.issued.timestamp()) if text.issued else 0
    signature = base64.b32encode(text.signature).decode().rstrip("=")
    return f"{text.prefix}1.{text.number}.{LETTERS[text.kind]}.{issued}.{text.seconds}.{signature}"


def sign(text: Text, key: bytes) -> Text:
    """The text with the province's signature."""
    signature = crypto.sign(key, text.signed_text())
    return Text(text.prefix, text.number, text.kind, text.issued, text.seconds, signature)


def holds(text: Text, public: bytes) -> bool:
    """Whether the province's key made the signature."""
    try:
        return crypto.verify(public, text.signed_text(), text.signature)
    except crypto.CryptoError:
        return False


def read(raw: str, marks: dict[str, str]) -> Text | None:
    """Read a scan or a typed number; ``marks`` maps mark to prefix. None for what is no code at all. Raises BadText."""
    text = plain(raw[:_LONGEST])
    # A field that was not emptied before the next scan holds two codes: the last one counts.
    starts = [found for prefix in marks.values() if (found := text.rfind(f"{prefix}1.")) >= 0]
    if starts:
        return _scanned(text[max(starts) :])
    number = _GROUPS.sub("", text).translate(_READ_AS)
    if len(number) != LENGTH or number[0] not in marks or any(one not in ALPHABET for one in number):
        return None
    if check_character(number[:-1]) != number[-1]:
        raise BadText("手输的码有一位对不上，可能输错了一个字符，或者前后颠倒。")
    return Text(marks[number[0]], number)


def _scanned(text: str) -> Text:
    parts = text.split(".")
    try:
        head, number, kind, issued, seconds, signature = parts
        found = Text(
            head.removesuffix("1"),
            number,
            KINDS[kind],
            datetime.fromtimestamp(int(issued), UTC),
            int(seconds),
            base64.b32decode(signature + "=" * (-len(signature) % 8)),
        )
    except (ValueError, KeyError, OverflowError, OSError):
        raise BadText("码没有扫完整。") from None
    sound = len(found.signature) == 64 and 0 < found.seconds < 3600 and len(number) == LENGTH
    if not sound or any(one not in ALPHABET for one in number) or write(found) != text:
        raise BadText("码没有扫完整。")
    if check_character(number[:-1]) != number[-1]:
        raise BadText("码没有扫完整。")
    return found
