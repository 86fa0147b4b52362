"""Writing leaves, and holding details against what their leaf committed to."""

import json
import secrets
from datetime import UTC, date, datetime

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
    """Add a leaf and its details inside the caller's transaction. Where a program acts, they say with which token (``via``)."""
    via = str(actor.token or "")
    if via:
        details = details | {"via": via}
    salt, body = secrets.token_bytes(16), canonical(details)
    leaf = insert(
        LogLeaf(
            at=now(),
            action=action,
            actor=str(actor.ref),
            on_behalf=str(actor.on_behalf or ""),
            subject=str(subject),
            request_id=actor.request_id,
            via=via,
            commitment=commit(salt, body),
        )
    )
    insert(LogDetail(leaf=leaf, salt=salt, body=body))
    return leaf


def stamp(moment: datetime) -> str:
    """A moment as it is hashed and signed: UTC with microseconds, ``2022-10-20T01:02:03.000004Z``."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


LEAF_FIELDS = ("action", "actor", "at", "commitment", "on_behalf", "recorded_at", "request_id", "subject")
"""The fields of a leaf that its hash covers. A change here would break every proof that was ever given."""


def leaf_text(leaf: LogLeaf) -> str:
    """What is hashed of a leaf (叶): canonical JSON of its fields. ``leaf`` is a row or anything with their names."""
    return canonical(
        {
            name: stamp(value) if isinstance(value := getattr(leaf, name), datetime) else value
            for name in LEAF_FIELDS
        }
    )


def holds(leaf: LogLeaf) -> bool | None:
    """Whether the kept details are those the leaf committed to; None when they were destroyed by rule."""
    detail = getattr(leaf, "detail", None)
    return None if detail is None else commit(bytes(detail.salt), detail.body) == leaf.commitment
