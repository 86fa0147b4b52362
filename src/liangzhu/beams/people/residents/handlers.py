"""What this app does when others announce something, and by the clock."""

from datetime import timedelta

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from liangzhu.beams.people.registers.events import PersonForgotten
from liangzhu.beams.people.residents import actions, sessions
from liangzhu.beams.people.residents.models import ResidentAccount, ResidentSession
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.events import handles
from liangzhu.kernel.worker import periodic

KEPT_DAYS = 30
"""How long ended sessions are kept for their owner's sake; that they were stands in the log anyway."""


@receiver(user_logged_in, dispatch_uid="residents.staff_signed_in")
def end_beside_staff(sender: type, request: HttpRequest | None, user, **kwargs) -> None:
    """One browser holds one of both: a member of staff who signs in ends the resident's session that was there."""
    session = getattr(request, "session", None)
    number = session.pop(sessions.KEY, None) if session is not None else None
    if number is not None and ResidentSession.objects.filter(pk=number).exists():
        actions.close_session(SYSTEM, session_id=number, reason="staff", at=sessions.machine_now())


@handles(PersonForgotten)
def close_forgotten(event: PersonForgotten, delivery) -> None:
    """Close the account of a person who was forgotten by rule."""
    for person_id in ResidentAccount.objects.filter(person=int(event.subject.id), is_active=True).values_list(
        "person", flat=True
    ):
        actions.close_account(SYSTEM, person_id=person_id, at=sessions.machine_now())


@periodic("residents.sweep_sessions", minutes=24 * 60)
def sweep_sessions() -> None:
    """Delete sessions that were not used for long: they are over, whether anybody came back to notice or not."""
    ResidentSession.objects.filter(seen_at__lt=sessions.machine_now() - timedelta(days=KEPT_DAYS)).delete()
