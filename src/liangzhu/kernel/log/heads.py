"""Heads of the log (树头): the tree at one size, signed, stored, and written to a file outside the database.

The file is what an altered, cut or replaced database is held against. Its lines are

    key <id> <public key, hex>                              before the first head that the key signed
    head <size> <root, hex> <time> <key id> <signature>     one for each head, in order
"""

import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from liangzhu.kernel import crypto, keys
from liangzhu.kernel.log.leaves import stamp
from liangzhu.kernel.models import LogHead

TAIL = 4096
"""Bytes that surely hold the last line of the file."""


def signed_text(size: int, root: str, at: str) -> bytes:
    """The bytes that a head's signature covers. ``root`` is hex, ``at`` as `stamp` writes it."""
    return f"liangzhu log head 1\n{size}\n{root}\n{at}\n".encode()


def make_head(size: int, root: bytes, at: datetime) -> LogHead:
    """A signed head, not yet saved."""
    signed = keys.sign("log", signed_text(size, root.hex(), stamp(at)))
    return LogHead(size=size, root=root.hex(), at=at, key=signed.key_id, signature=signed.signature.hex())


def signature_holds(head: LogHead) -> bool:
    """Whether the head was signed by the key it names. A key that is unknown here signed nothing."""
    try:
        return keys.verify(
            head.key, signed_text(head.size, head.root, stamp(head.at)), bytes.fromhex(head.signature)
        )
    except (ValueError, keys.NoSuchKey, crypto.CryptoError):
        return False


def latest_head() -> LogHead | None:
    """The last head, or None in a log without leaves."""
    return LogHead.objects.order_by("-size").first()


def as_json(head: LogHead) -> dict:
    """A head as it is published: all that is needed to check it, but trust in the key."""
    return {
        "size": head.size,
        "root": head.root,
        "time": stamp(head.at),
        "key": head.key,
        "public_key": keys.public(head.key).hex(),
        "signature": head.signature,
    }


# The file --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One line of the file: a key (``public`` is set) or a head."""

    key: str
    public: str = ""
    size: int = 0
    root: str = ""
    at: str = ""
    signature: str = ""


def heads_file() -> Path:
    """Where this installation writes its heads."""
    return settings.LIANGZHU_HOME / "heads.txt"


def parse_line(text: str) -> Line:
    """Read one line. Raises ValueError."""
    match text.split():
        case ["key", key, public]:
            return Line(key, public=public)
        case ["head", size, root, at, key, signature]:
            return Line(key, size=int(size), root=root, at=at, signature=signature)
    raise ValueError(f"not a line of a heads file: {text[:80]!r}")


def read_file(path: Path) -> Iterator[tuple[int, Line | None]]:
    """The lines with their numbers, from 1; None for a line that cannot be read. Nothing when there is no file."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, text in enumerate(file, 1):
            try:
                yield number, parse_line(text)
            except ValueError:
                yield number, None


def last_in_file(path: Path) -> Line | None:
    """The last head of the file, or None."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        return _last(file)


def _last(file) -> Line | None:
    file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
    for text in reversed(file.read().decode(errors="replace").splitlines()):
        try:
            line = parse_line(text)
        except ValueError:
            continue
        if not line.public:
            return line
    return None


def append_missing() -> int:
    """Bring the file up to the database, and onto the disk; returns how many heads were added.

    Several processes may do so at once. A head that the database lost stays in the file: that is its purpose.
    """
    path = heads_file()
    with path.open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _drop_torn_line(file)
        last = _last(file)
        key, added = last.key if last else None, []
        for head in LogHead.objects.filter(size__gt=last.size if last else 0).order_by("size").iterator():
            if head.key != key:
                key = head.key
                added.append(f"key {key} {keys.public(key).hex()}\n")
            added.append(f"head {head.size} {head.root} {stamp(head.at)} {head.key} {head.signature}\n")
        if added:
            file.write("".join(added).encode())
            file.flush()
            os.fsync(file.fileno())
    return sum(line.startswith("head") for line in added)


def _drop_torn_line(file) -> None:
    """After a loss of power the last line may be half written; the database still has that head."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - TAIL))
    tail = file.read()
    if tail and not tail.endswith(b"\n"):
        file.truncate(end - len(tail) + tail.rfind(b"\n") + 1)
