"""What this app does when others announce something, by the clock, and in a thread of the worker."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from liangzhu.beams.people.access.events import SessionEnded as StaffSessionEnded
from liangzhu.beams.people.applications import (
    actions,
    declared,
    neighbours,
    people,
    provider,
    signing,
    tokens,
)
from liangzhu.beams.people.applications.models import (
    DepartmentApplication,
    Notice,
    SignOn,
    UsedAssertion,
)
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.people.residents.events import ConsentEnded
from liangzhu.beams.people.residents.events import SessionEnded as ResidentSessionEnded
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.events import handles
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.worker import companion, count_failure, may_be_tried, periodic

KEPT_DAYS = 90
"""How long ended sign-ins are kept for their owner's sake; that they were stands in the log anyway."""

CLAIMED = timedelta(seconds=60)
"""So long no other worker tries a notice that one is trying."""

AT_ONCE = 50


@handles(StaffSessionEnded)
def end_with_staff(event: StaffSessionEnded, delivery) -> None:
    """End what a member of staff opened in a session that is over."""
    _end(event.subject, [event.session])


@handles(ResidentSessionEnded)
def end_with_resident(event: ResidentSessionEnded, delivery) -> None:
    """End what a resident opened in sessions that are over."""
    _end(event.subject, [int(one) for one in event.sessions.split()])


def _end(who: Ref, sessions: list[int]) -> None:
    column = "account" if who.kind == "account" else "resident"
    if SignOn.objects.filter(**{column: int(who.id)}, session__in=sessions, ended_at=None).exists():
        actions.end_sessions(SYSTEM, who=who, sessions=sessions)


@handles(ConsentEnded)
def end_with_consent(event: ConsentEnded, delivery) -> None:
    """End the sign-ins to an application to which somebody does not agree any more."""
    source = event.source
    if not source.startswith("department_application:"):
        return
    consent = residents.Consent.objects.get(pk=int(event.subject.id))
    actions.end_consented(SYSTEM, application_id=int(source.partition(":")[2]), subject=consent.subject)


def _source_name(key: str) -> residents.SourceName | None:
    """What a consent to an application is called."""
    kind, _, number = key.partition(":")
    if kind != "department_application" or not number.isdecimal():
        return None
    row = DepartmentApplication.objects.filter(pk=int(number)).first()
    return residents.SourceName(f"应用“{row.title}”", declared.SCOPES) if row else None


residents.name_sources("applications", _source_name)


# Notices --------------------------------------------------------------------------------------------------------------


def tell_owed() -> int:
    """Tell applications that sign-ins are over, as far as it is time; returns how many were tried."""
    due = list(
        Notice.objects.filter(may_be_tried(), told_at=None)
        .select_related("sign_on__application")
        .order_by("pk")[:AT_ONCE]
    )
    mine = [
        row
        for row in due
        if Notice.objects.filter(pk=row.pk, told_at=None, try_at=row.try_at).update(
            try_at=tokens.machine_now() + CLAIMED
        )
    ]
    if not mine:
        return 0
    with ThreadPoolExecutor(min(8, len(mine))) as pool:
        # The tokens are made here: threads of the pool have no connection to the database.
        outcomes = list(pool.map(_post, [_letter(row) for row in mine]))
    for row, problem in zip(mine, outcomes, strict=True):
        if problem is None:
            actions.told(SYSTEM, sign_on_id=row.sign_on_id)
        else:
            row.save(update_fields=count_failure(row, problem))
    return len(mine)


def _letter(row: Notice) -> tuple[str, str]:
    """Where to, and the logout token."""
    one = row.sign_on
    said = declared.by_id(one.application.current_id)
    token = signing.logout_token(
        issuer=provider.issuer(),
        audience=one.application.client_id,
        subject=people.subject(said, one.who),
        session=people.session_number(said, one.who, one.session),
        algorithm=said.algorithm,
        number=f"{one.pk}-{row.attempts}",
    )
    return said.backchannel_uri, token


def _post(letter: tuple[str, str]) -> Exception | None:
    address, token = letter
    if not address:
        return None
    try:
        status = neighbours.call(address, {"logout_token": token})
    except neighbours.Silent as silent:
        return silent
    return None if status in (200, 204) else neighbours.Silent(f"回答 {status}，应为 200 或 204")


def _tell_rounds(stop: threading.Event) -> None:
    while not stop.is_set():
        if not tell_owed():
            stop.wait(1)


companion("applications notices", _tell_rounds)


# By the clock ---------------------------------------------------------------------------------------------------------


@periodic("applications.check_health", minutes=2)
def check_health() -> None:
    """Ask every published application whether it is there; only a change is an event of note."""
    rows = [
        (row, said.health_url)
        for row in DepartmentApplication.objects.filter(state=DepartmentApplication.PUBLISHED)
        if (said := declared.by_id(row.current_id)).health_url
    ]
    if not rows:
        return
    with ThreadPoolExecutor(min(8, len(rows))) as pool:
        notes = list(pool.map(_ask, [address for _, address in rows]))
    for (row, _), note in zip(rows, notes, strict=True):
        state = row.DOWN if note else row.UP
        if row.health != state:
            actions.note_health(SYSTEM, application_id=row.pk, up=not note, note=note)
        else:
            DepartmentApplication.objects.filter(pk=row.pk).update(
                checked_at=tokens.machine_now(), health_note=note[:120]
            )


def _ask(address: str) -> str:
    """Why an application is not well; empty when it is."""
    try:
        status = neighbours.call(address)
    except neighbours.Silent as silent:
        return str(silent)
    return "" if 200 <= status < 300 else f"回答 {status}"


@periodic("applications.sweep", minutes=24 * 60)
def sweep() -> None:
    """Remove ended sign-ins after their time, sign-ins whose session has long run out, and used assertions."""
    moment = tokens.machine_now()
    UsedAssertion.objects.filter(expires_at__lt=moment).delete()
    SignOn.objects.filter(at__lt=moment - timedelta(days=KEPT_DAYS)).delete()
