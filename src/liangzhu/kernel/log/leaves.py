"""Writing leaves, and holding details against what their leaf committed to."""

import json
import secrets
from datetime import date, datetime

from liangzhu.kernel.actors import Actor
from liangzhu.kernel.crypto import sm3_hex as sm3
from liangzhu.kernel.models import LogDetail, LogLeaf
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.rows import insert


def _plain(value):
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (Ref,)):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot stand in the log")


def canonical(details: dict) -> str:
    """JSON with sorted keys and no spaces: the same details always give the same bytes."""
    return json.dumps(details, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)


def commit(salt: bytes, body: str) -> str:
    """The commitment of a leaf: hex SM3 of a 16-byte salt followed by the canonical details."""
    return sm3(salt + body.encode())


def write_leaf(actor: Actor, action: str, subject: Ref, details: dict) -> LogLeaf:
    """Add a leaf and its details inside the caller's transaction."""
    salt, body = secrets.token_bytes(16), canonical(details)
    leaf = insert(
        LogLeaf(
            at=now(),
            action=action,
            actor=str(actor.ref),
            on_behalf=str(actor.on_behalf or ""),
            subject=str(subject),
            request_id=actor.request_id,
            commitment=commit(salt, body),
        )
    )
    insert(LogDetail(leaf=leaf, salt=salt, body=body))
    return leaf


def holds(leaf: LogLeaf) -> bool | None:
    """Whether the kept details are those the leaf committed to; None when they were destroyed by rule."""
    detail = getattr(leaf, "detail", None)
    return None if detail is None else commit(bytes(detail.salt), detail.body) == leaf.commitment
