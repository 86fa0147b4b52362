"""Asking for a rating (邀请评价): what can be rated registers here, and whoever finished it asks.

ratings.rated("case", "办件")
ratings.ask(act, thing=case.ref, title=…, unit_id=…, item=…, clerk=act.actor.ref, rater=case.applicant)
"""

import hmac
import secrets

from django.urls import reverse

from liangzhu.beams.people.residents import api as residents
from liangzhu.kernel.actions import Act
from liangzhu.kernel.crypto import sm3_hex
from liangzhu.kernel.now import now, today
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.releases import next_number
from liangzhu.pillars.services.models import Rating

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Signs of codes: none that is mistaken for another."""

_kinds: dict[str, str] = {}


def rated(kind: str, title: str) -> None:
    """Say that things of a kind of Ref can be rated. Raises ValueError when twice."""
    if kind in _kinds:
        raise ValueError(f"{kind} is registered twice")
    _kinds[kind] = title


def kinds() -> dict[str, str]:
    """What can be rated: kind to title."""
    return dict(_kinds)


def ask(
    act: Act,
    *,
    thing: Ref,
    title: str,
    unit_id: int,
    item: str = "",
    clerk: Ref | None = None,
    rater: Ref | None = None,
    code: str = "",
) -> tuple[Rating, str]:
    """Within an action: ask once for the rating of something that was done; returns it with the code for a paper.

    The second time the code is "", for it is kept as a digest only; whoever can make it again gives it (`code_from`). Who has an account gets a message. Raises ValueError
    for a kind that nobody registered.
    """
    if thing.kind not in _kinds:
        raise ValueError(f"{thing.kind} is not registered with ratings.rated")
    row = Rating.objects.filter(rated=str(thing)).first()
    if row is not None:
        return row, ""
    code = code or "".join(secrets.choice(ALPHABET) for _ in range(8))
    row = Rating(
        number=f"HP-{today().year}-{next_number('rating'):06d}",
        rated=str(thing),
        title=title[:200],
        unit_id=unit_id,
        item=item,
        clerk=str(clerk or ""),
        rater=str(rater or ""),
        asked_at=now(),
    )
    row.code_digest = _digest(row.number, code)
    row.save(force_insert=True)
    act.log(row.ref, rated=str(thing), unit=unit_id)
    if rater is not None:
        residents.tell(
            [rater],
            key=f"rating:{row.number}",
            title=f"“{row.title[:150]}”办得怎么样？",
            text="请您评一评，说实话就好；不想评可以不评。",
            url=reverse("services:my_rating", args=[row.pk]),
            about=row.ref,
        )
    return row, code


def code_from(secret: str) -> str:
    """A code out of a secret (hex, 16 digits or more): the same whenever the paper is printed again."""
    return "".join(ALPHABET[int(secret[n : n + 2], 16) % len(ALPHABET)] for n in range(0, 16, 2))


def _digest(number: str, code: str) -> str:
    return sm3_hex(f"rating:{number}:{code}".encode())


def opens(row: Rating, code: str) -> bool:
    """Whether a code belongs to a rating, however it was typed."""
    typed = "".join(code.split()).upper()
    return hmac.compare_digest(row.code_digest, _digest(row.number, typed))
