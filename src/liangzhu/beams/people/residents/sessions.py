"""Sessions of residents: the one behind a request, how long it lives, and what a browser keeps of it.

Django's session holds only the number of the row `ResidentSession`; whether it still counts is read from the row at every
request, so that a session that is ended somewhere else is over at the next click. Runs on the machine's clock.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, QueryDict
from django.middleware.csrf import rotate_token
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.timezone import now as machine_now  # noqa: TID251 - sessions run on the machine's clock

from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents.models import ResidentSession
from liangzhu.beams.people.residents.providers import Ask
from liangzhu.beams.people.residents.resident import Resident
from liangzhu.kernel import crypto, keys
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.now import today
from liangzhu.kernel.refs import Ref

KEY, ASKED, KEPT, FINISHED = "resident", "resident_asked", "resident_kept", "resident_finished"
"""What stands in Django's session: the row, sign-ins under way by state, forms kept over a sign-in, the state that led here."""

LONGEST = timedelta(hours=8)
"""A session ends after this, however busy it was: nobody is at an office counter for longer."""

ASKING = timedelta(minutes=15)
"""How long one may take at the province."""

ASKED_MOST, KEPT_MOST = 5, 3
KEPT_BYTES = 200_000
_PLACE = "residents.kept"


class ActingEnded(Problem):
    """The right to act for another is over: what was asked was not done, and from now on one acts for oneself."""

    code, title, status = "acting_ended", "不能再代为办理", 403
    todo = "这一步没有办理。您现在是以本人身份登录；需要继续代办的，请对方重新授权，再切换身份。"


def idle_limit() -> timedelta:
    """After how long without use a session ends."""
    return timedelta(minutes=settings.LIANGZHU_RESIDENT_MINUTES)


# The session behind a request -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """What a request's session is: the row and its actor; ``over`` is a reason of ResidentSession, ``ended`` a right to act for
    another that no longer holds."""

    row: ResidentSession | None = None
    actor: Resident | None = None
    over: str = ""
    ended: ActingEnded | None = None


def find(request: HttpRequest) -> Found:
    """The session that a request's browser holds."""
    number = request.session.get(KEY)
    return Found() if number is None else _judge(number, request.request_id)


def standing(number: int) -> ResidentSession | None:
    """The session of that number if it counts still; whom one acted for in it may be over (`actor_of` does not ask)."""
    found = _judge(number)
    return None if found.over else found.row


def _judge(number: int, request_id: str = "") -> Found:
    row = (
        ResidentSession.objects.select_related("account__person", "organisation", "mandate__parent")
        .filter(pk=number)
        .first()
    )
    if row is None:
        return Found(over="ended")
    moment = machine_now()
    if row.ended_at is not None:
        return Found(row, over=row.end_reason)
    if moment - row.seen_at > idle_limit() or moment - row.began_at > LONGEST:
        return Found(row, over="idle")
    person = row.account.person
    if not row.account.is_active or person.forgotten or person.state == person.DEAD:
        return Found(row, over="person")
    ended = _acting_over(row)
    return Found(row, None if ended else actor_of(row, request_id), ended=ended)


def _person(row: ResidentSession) -> int:
    """The number of the person's row that goes on."""
    person = row.account.person
    return person.merged_into_id or person.pk


def _acting_over(row: ResidentSession) -> ActingEnded | None:
    """Why one may no longer act for whom one acts for."""
    mandate, organisation = row.mandate, row.organisation
    if mandate is not None and not mandate.in_force(today()):
        day = min((one for one in (mandate.ended_on, mandate.valid_to) if one), default=None)
        why = mandate.get_end_reason_display() or "到期"
        when = f"已于 {day.year}年{day.month}月{day.day}日终止（{why}）" if day else "已经失效"
        name = organisation.name if organisation else "被代理人"
        return ActingEnded(f"您为{name}办事的授权（编号 {mandate.pk}）{when}。")
    if organisation is not None and organisation.state != organisation.ACTIVE:
        return ActingEnded(f"{organisation.name}的登记状态已是“{organisation.get_state_display()}”。")
    if organisation is not None and mandate is None and organisation.legal_representative_id != _person(row):
        return ActingEnded(f"登记的{organisation.name}法定代表人已经不是您。")
    return None


def actor_of(row: ResidentSession, request_id: str = "") -> Resident:
    """The actor of a session."""
    name, mandate = str(row.account.person.name), row.mandate
    person = Ref("natural_person", str(_person(row)))
    organisation = row.organisation.ref if row.organisation else None
    ward = Ref.parse(mandate.principal) if mandate and organisation is None else None
    principal = organisation or ward or person
    label, capacity, title = name, "", ""
    if principal != person:
        capacity = mandate.get_capacity_display() if mandate else "法定代表人"
        title = row.organisation.name if row.organisation else registers.party_names({str(ward)})[str(ward)]
        label = f"{title}（{capacity} {name}）"
    limits = () if mandate is None or mandate.scope_kind == mandate.ALL else tuple(mandate.scopes.split())
    return Resident(
        ref=row.account.ref,
        label=label,
        on_behalf=principal if principal != person else None,
        request_id=request_id,
        account_id=row.account_id,
        session_id=row.pk,
        person=person,
        organisation=organisation,
        ward=ward,
        mandate_id=row.mandate_id,
        assurance=row.assurance,
        limits=limits,
        principal_name=title or name,
        capacity=capacity,
    )


def keep_alive(request: HttpRequest, row: ResidentSession) -> None:
    """Note that a session was used, at most once in a tenth of its idle life: every page would be a writer else."""
    moment = machine_now()
    if moment - row.seen_at >= idle_limit() / 10:
        ResidentSession.objects.filter(pk=row.pk, ended_at=None).update(seen_at=moment)
        # Django's own session must live as long as this one.
        request.session["seen"] = int(moment.timestamp())


def begin(request: HttpRequest, row: ResidentSession, state: str, onward: str) -> None:
    """Make the browser's session that of a resident: under a new key, without anything of whoever used it before."""
    kept = request.session.get(KEPT)
    if request.user.is_authenticated:
        # One browser holds one of both; this also tells the log that the member of staff is out.
        logout(request)
    else:
        request.session.flush()
    request.session[KEY] = row.pk
    request.session[FINISHED] = [state, onward]
    if kept:
        request.session[KEPT] = kept
    request.session.set_expiry(0)
    rotate_token(request)


# Sign-ins under way ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A sign-in that this browser began: the asking, by which provider, and where it leads afterwards."""

    ask: Ask
    provider: str
    onward: str
    at: datetime

    @property
    def late(self) -> bool:
        """Whether it took too long."""
        return machine_now() - self.at > ASKING


def note_asked(request: HttpRequest, ask: Ask, provider: str, onward: str) -> None:
    """Remember a sign-in in the browser's session; several tabs may have one each."""
    asked = dict(request.session.get(ASKED, {}))
    while len(asked) >= ASKED_MOST:
        del asked[next(iter(asked))]
    asked[ask.state] = [
        ask.nonce,
        ask.verifier,
        ask.level,
        ask.redirect_uri,
        provider,
        onward,
        machine_now().timestamp(),
    ]
    request.session[ASKED] = asked


def take_asked(request: HttpRequest, state: str) -> Asked | None:
    """The sign-in of a state, once; None for one that this browser did not begin, or that was taken already."""
    asked = dict(request.session.get(ASKED, {}))
    found = asked.pop(state, None) if state else None
    if found is None:
        return None
    request.session[ASKED] = asked
    nonce, verifier, level, redirect_uri, provider, onward, at = found
    began = datetime.fromtimestamp(at, tz=machine_now().tzinfo)
    return Asked(Ask(state, nonce, verifier, level, redirect_uri), provider, onward, began)


def finished_with(request: HttpRequest, state: str) -> str | None:
    """Where the sign-in led that this very state finished; None when it was another."""
    found = request.session.get(FINISHED)
    return found[1] if found and state and found[0] == state else None


# Forms kept over a sign-in --------------------------------------------------------------------------------------------


def keep_form(request: HttpRequest, back: str) -> bool:
    """Keep what was typed, sealed, until the browser comes back to this address; files are not kept.

    Returns whether it could be kept. ``back`` is the page that the form stood on.
    """
    if request.method != "POST":
        return False
    data = request.POST.copy()
    data.pop("csrfmiddlewaretoken", None)
    body = json.dumps({"body": data.urlencode(), "files": sorted(request.FILES)}).encode()
    if len(body) > KEPT_BYTES:
        return False
    version, key = keys.column_key(_PLACE)
    kept = [one for one in request.session.get(KEPT, []) if one[0] != request.get_full_path()]
    kept.append(
        [
            request.get_full_path(),
            back,
            request.resident_account,
            version,
            crypto.seal(key, body, _PLACE.encode()).hex(),
        ]
    )
    request.session[KEPT] = kept[-KEPT_MOST:]
    return True


@dataclass(frozen=True)
class Kept:
    """A form that was kept: what was typed, the page it stood on, and the names of files that must be chosen again."""

    data: QueryDict
    back: str
    files: list[str]


def take_kept(request: HttpRequest) -> Kept | None:
    """The form kept for this address, once. One that somebody else typed in this browser is dropped unseen."""
    rows = request.session.get(KEPT, [])
    found = next((one for one in rows if one[0] == request.get_full_path()), None)
    if found is None:
        return None
    request.session[KEPT] = [one for one in rows if one is not found]
    _, back, account_id, version, sealed = found
    if account_id not in (None, request.actor.account_id):
        return None
    _, key = keys.column_key(_PLACE, version)
    body = json.loads(crypto.unseal(key, bytes.fromhex(sealed), _PLACE.encode()))
    return Kept(QueryDict(body["body"]), back, body["files"])


def local_path(request: HttpRequest, wanted: str, otherwise: str) -> str:
    """An address on this site, or another where ``wanted`` leads elsewhere."""
    safe = wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, request.is_secure()
    )
    return wanted if safe else otherwise
