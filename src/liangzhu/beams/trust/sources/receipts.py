"""Receipts (数据使用回执): what was read of whom, by whom, for what, when, on which ground; signed, and provable in the log.

A receipt is a statement (canonical JSON, no values), the district's SM2 signature over it (key "receipt"), and the proof that
a leaf of the log commits to its SM3. ``docs/verify/verify.py receipt FILE`` checks all of it without this program. Values are
committed to by salted SM3: whoever gets value and salt as well (the person) can show that this and nothing else was read.
"""

import json
import secrets
from typing import Any

from liangzhu.beams.trust.sources.models import Pull
from liangzhu.beams.trust.sources.registry import Ask, Source
from liangzhu.kernel import keys, log
from liangzhu.kernel.log import canonical, leaf_proof, sm3
from liangzhu.kernel.log.leaves import stamp

KIND = "liangzhu-receipt-1"
PURPOSE = "receipt"

keys.declare(PURPOSE, keys.SM2, "签署数据使用回执")


def new_id() -> str:
    """A name that tells nothing and cannot be guessed."""
    return secrets.token_hex(10)


def salted(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each value with a salt of 16 bytes (hex)."""
    return {name: {"value": value, "salt": secrets.token_hex(16)} for name, value in values.items()}


def commitment(entry: dict[str, Any]) -> str:
    """What a receipt says of a value: hex SM3 of the salt and the value's canonical JSON."""
    return sm3(bytes.fromhex(entry["salt"]) + canonical(entry["value"]).encode())


def statement(row: Pull, source: Source, holder: str, question: Ask, kept: dict[str, dict[str, Any]]) -> str:
    """The text that is signed."""
    fields = [
        {"name": name, "title": source.fields[name].title}
        | ({"commitment": commitment(kept[name])} if name in kept else {})
        for name in question.fields
    ]
    return canonical(
        {
            "kind": KIND,
            "receipt": row.receipt,
            "at": stamp(row.at),
            "outcome": row.outcome,
            "subject": str(question.subject),
            "source": {"key": source.key, "title": source.title, "holder": holder},
            "fields": fields,
            "reader": {
                "operator": str(question.actor.ref),
                "unit": question.unit,
                "request": question.request_id,
            },
            "case": question.case,
            "purpose": question.purpose,
            "ground": question.ground,
            "consent": question.consent,
        }
    )


def digest(text: str) -> str:
    """What the leaf commits to."""
    return sm3(text.encode())


def sign(text: str) -> keys.Signature:
    """The district's signature."""
    return keys.sign(PURPOSE, text.encode())


def holds(row: Pull) -> bool:
    """Whether the signature over the statement verifies."""
    return keys.verify(row.key_id, row.statement.encode(), bytes.fromhex(row.signature))


def as_file(row: Pull, openings: dict[str, dict[str, Any]] | None = None) -> dict[str, Any]:
    """The receipt as one file for the offline verifier. Waits until the leaf stands in the tree.

    ``openings`` are values with their salts, for the one whose values they are. Raises NotSequenced.
    """
    if row.leaf.number is None:
        log.wait_for(row.leaf)
    made = {
        "kind": KIND,
        "statement": row.statement,
        "key": row.key_id,
        "public_key": keys.public(row.key_id).hex(),
        "signature": row.signature,
        "proof": leaf_proof(row.leaf.number, details=True),
    }
    return made | ({"openings": openings} if openings else {})


def said(row: Pull) -> dict[str, Any]:
    """The statement, read."""
    return json.loads(row.statement)
