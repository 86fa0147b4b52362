"""Who is at the browser, for an application: level, means, number; and what an application may learn of him."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import HttpRequest

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.applications import tokens
from liangzhu.beams.people.applications.declared import Declared, sector_of
from liangzhu.beams.people.applications.models import SignOn
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.directory.api import Staff
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents import api as residents
from liangzhu.kernel import masking
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Denied
from liangzhu.kernel.refs import Ref

ACR = "urn:liangzhu:acr:"
"""Before the level: 1 registered, 2 identity checked, 3 seen in person or by face. Staff: 2 with a password, 3 with a second
factor or a passkey; an administrator opened their accounts in person."""

AMR = {
    "password": ("pwd",),
    "totp": ("otp", "mfa"),
    "recovery_codes": ("otp", "mfa"),
    "webauthn": ("hwk", "user", "mfa"),
    "province": ("province",),
}
"""Means in the words of RFC 8176; ``province`` is ours, for the province's sign-in, which does not say by what."""

STRONG = frozenset({"totp", "webauthn", "recovery_codes"})


@dataclass(frozen=True)
class Who:
    """Somebody who signed in here. ``proved_at`` is when he proved who he is last, in seconds since 1970."""

    ref: Ref
    session: int
    level: int
    proved_at: int
    means: str
    post: int | None = None
    principal: str = ""

    @property
    def staff(self) -> bool:
        """Whether it is a member of staff, as such."""
        return self.ref.kind == "account"


def of_request(request: HttpRequest) -> Who | None:
    """Who is at the browser; None when nobody signed in, or only to somebody without a post today."""
    actor = request.actor
    if isinstance(actor, residents.Resident):
        row = residents.standing(actor.session_id)
        if row is None:
            return None
        return Who(
            actor.ref,
            actor.session_id,
            actor.assurance,
            int(row.began_at.timestamp()),
            "province",
            principal=str(actor.principal),
        )
    if not isinstance(actor, Staff):
        return None
    found = access.sign_in_of(request)
    level = 3 if found.means & STRONG else 2
    means = " ".join(sorted(found.means))
    return Who(actor.ref, found.session_id, level, int(found.at.timestamp()), means, post=actor.post_id)


def amr(means: str) -> list[str]:
    """The means of a sign-in, as the claim says them."""
    return list(dict.fromkeys(word for one in means.split() for word in AMR.get(one, ())))


def subject(declared: Declared, who: Ref) -> str:
    """The number that stands for somebody at an application."""
    return tokens.pairwise(sector_of(declared), str(who))


def session_number(declared: Declared, who: Ref, session: int) -> str:
    """The claim ``sid``: the sign-in here, as an application knows it."""
    return tokens.pairwise(sector_of(declared), f"session {who.kind} {session}")


def holds(row: SignOn) -> bool:
    """Whether a sign-in counts still, and so does the session that it came from."""
    if row.ended_at is not None:
        return False
    if row.account_id:
        return access.session_holds(row.account_id, row.session)
    return residents.standing(row.session) is not None


def session_holds(who: Ref, session: int) -> bool:
    """Whether a session counts still."""
    if who.kind == "account":
        return access.session_holds(int(who.id), session)
    return residents.standing(session) is not None


# What an application learns -------------------------------------------------------------------------------------------


def claims(actor: Actor, row: SignOn, why: str) -> dict:
    """What the scopes of a sign-in tell of the person now; what is read of a resident stands in the log and in the trail.

    ``actor`` is the application that asks. The caller has asked its policy.
    """
    return _of_staff(row) if row.account_id else _of_resident(actor, row, why)


def _of_staff(row: SignOn) -> dict:
    person_id = row.account.person_id
    found: dict = {"kind": "staff"}
    if "profile" in row.names:
        found["name"] = row.account.person.name
    if "post" in row.names:
        try:
            actor = directory.staff(person_id, row.post, row.who)
        except Denied:
            actor = None
        if actor is not None:
            unit = directory.units().get(actor.unit_id)
            found["unit"] = {
                "key": unit.key if unit else "",
                "code": unit.code if unit else "",
                "name": unit.name if unit else "",
            }
            found["post"] = directory.post(row.post).title
            found["roles"] = sorted(actor.roles)
    return found


def _of_resident(actor: Actor, row: SignOn, why: str) -> dict:
    found: dict = {"kind": "resident"}
    session = residents.standing(row.session)
    if session is None:
        return found
    names = row.names
    person = session.account.person
    if person.merged_into_id:
        person = registers.NaturalPerson.objects.get(pk=person.merged_into_id)
    fields = [
        *(["name"] if "profile" in names else []),
        *(["document_number"] if "identity" in names else []),
        *(["phone"] if "phone" in names else []),
    ]
    if fields:
        values = masking.reveal(actor, person, *fields, reason=why, case=str(row.ref), channel="login")
        told = dict(zip(fields, (values,) if isinstance(values, str) else values, strict=True))
        found |= {{"phone": "phone_number"}.get(name, name): value for name, value in told.items() if value}
    if "identity" in names:
        found["document_kind"] = person.document_kind
    principal = Ref.parse(row.principal)
    if "organisation" in names and principal.kind == "organisation":
        now = residents.actor_of(session)
        values = registers.held(principal, ["name", "uscc"]).values
        found["organisation"] = {"name": values.get("name", ""), "uscc": values.get("uscc", "")}
        if str(now.principal) == row.principal:
            found["organisation"]["capacity"] = now.capacity
    return found


def actor_for(row_ref: Ref) -> Actor:
    """The person as actor of a leaf."""
    return Actor(ref=row_ref, label="本人")


def moment(seconds: int) -> datetime:
    """An instant from seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
