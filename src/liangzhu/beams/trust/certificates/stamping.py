"""Putting a seal to a statement, and the file by which anybody can check it offline.

The statement is canonical JSON in UTF-8 with sorted keys; the seal signs exactly those bytes (SM2 with SM3, identity
1234567812345678). A leaf of the log commits to its digest. `docs/verify/verify.py` checks the file with Python alone.
"""

import secrets
from datetime import date
from typing import Any

from django.conf import settings

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.trust.certificates.models import Seal
from liangzhu.kernel import crypto, keys, log
from liangzhu.kernel.actions import Act
from liangzhu.kernel.errors import StepNotAllowed
from liangzhu.kernel.now import today

keys.declare_family("stamp", keys.SM2, "印章")

FILE_KIND = "liangzhu-sealed-1"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Of check codes: digits and letters that nobody takes for another (Crockford's base 32)."""

_LOOKALIKES = str.maketrans("OILU", "011V")


class NoSeal(StepNotAllowed):
    """The unit has no seal for this use that signs today."""

    code, title = "no_seal", "没有可用的印章"
    todo = "请印章管理员提出启用印章，由另一人复核后再办理。"


def new_ident() -> str:
    """What stands in an address and cannot be guessed: 26 characters, 130 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(26)).lower()


def new_check_code() -> str:
    """A code to type: 8 characters, 40 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(8))


def plain_code(text: str) -> str:
    """A code as it is compared: without blanks and hyphens, letters large, look-alikes as what they stand for."""
    return "".join(char for char in text.upper() if char.isalnum()).translate(_LOOKALIKES)


def written_code(code: str) -> str:
    """A code as people read it: 7K4M-2QXD."""
    return f"{code[:4]}-{code[4:]}"


def address_of(ident: str) -> str:
    """The address that the QR code of a certificate or paper leads to."""
    return f"{settings.LIANGZHU_ADDRESS.rstrip('/')}/verify/{ident}/"


def seal_in_use(unit_id: int, use: str, day: date | None = None) -> Seal:
    """The seal of a unit for a use that signs on a day. Raises NoSeal."""
    rows = Seal.objects.filter(unit=unit_id, use=use, state__in=[Seal.ACTIVE, Seal.ENDING])
    found = next((row for row in rows if row.signs_on(day or today())), None)
    if found is None:
        raise NoSeal(f"{directory.unit_name(unit_id)}今天没有启用中的{dict(Seal.USES)[use]}。")
    return found


def stamp(act: Act, seal: Seal, statement: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """Sign a statement; the columns of a `Stamped` row, without leaf. ``shown`` is the statement as everybody may see it.

    The statement gets a salt: its digest tells nothing of what it says.
    """
    key = keys.current(seal.purpose)
    about_seal = {
        "use": seal.get_use_display(),
        "unit": seal.legend,
        "number": seal.number,
        "key": key.id,
        "public_key": key.public.hex(),
    }
    text = log.canonical({**statement, "seal": about_seal, "salt": secrets.token_hex(16)})
    return {
        "ident": statement["id"],
        "check_code": new_check_code(),
        "seal": seal,
        "statement": text,
        "shown": log.canonical(shown),
        "key": key.id,
        "signature": crypto.sign(key.secret, text.encode()).hex(),
        "digest": crypto.sm3_hex(text.encode()),
    }


def sealed_file(row: Any, statement: str) -> dict[str, Any]:
    """The file of a stamped row: the statement, its signature and key, and, once the leaf has its number, the proof."""
    leaf = row.leaf
    made = {
        "kind": FILE_KIND,
        "statement": statement,
        "key": row.key,
        "public_key": keys.public(row.key).hex(),
        "signature": row.signature,
    }
    return made if leaf.number is None else {**made, "proof": log.leaf_proof(leaf.number, details=True)}
