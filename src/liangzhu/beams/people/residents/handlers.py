"""What this app does when others announce something, and by the clock."""

from datetime import timedelta

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.urls import reverse

from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.registers.events import MandateAsked, MandateBegan, MandateEnded, PersonForgotten
from liangzhu.beams.people.residents import actions, hooks, sessions
from liangzhu.beams.people.residents.messages import tell
from liangzhu.beams.people.residents.models import ResidentAccount, ResidentSession
from liangzhu.beams.people.residents.resident import Resident
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.events import handles
from liangzhu.kernel.refs import Ref
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


def _mandate_tasks(actor: Resident) -> list[hooks.Task]:
    """Mandates that wait for one's confirmation."""
    return [
        hooks.Task(
            f"{one.other}请您代办，请确认" if not one.given else f"{one.other}申请代您办事，请确认",
            reverse("residents:mandates"),
            one.mandate.get_capacity_display(),
        )
        for one in registers.own_mandates(actor)
        if one.waits_for_me
    ]


hooks.add_tasks("residents.mandates", _mandate_tasks)


def _tell_sides(subject: Ref, word: str, *, asked_only: bool = False) -> None:
    """Tell the sides of a mandate what became of it; each hears the name of the other."""
    found = registers.sides(subject)
    if found is None:
        return
    mandate, names = found
    for side, other in ((mandate.principal, mandate.agent), (mandate.agent, mandate.principal)):
        if asked_only and side != getattr(mandate, mandate.other_side):
            continue
        role = "由您代办" if side == mandate.agent else "代您办事"
        tell(
            [Ref.parse(side)],
            key=f"mandate:{mandate.pk}:{word}",
            title=f"授权{word}：{names.get(other, '对方')}（{role}）",
            url=reverse("residents:mandates"),
            about=mandate.ref,
        )


@handles(MandateAsked)
def tell_asked(event: MandateAsked, delivery) -> None:
    """Tell the side that has to confirm."""
    _tell_sides(event.subject, "待您确认", asked_only=True)


@handles(MandateBegan)
def tell_began(event: MandateBegan, delivery) -> None:
    """Tell both sides that a mandate holds."""
    _tell_sides(event.subject, "生效")


@handles(MandateEnded)
def tell_ended(event: MandateEnded, delivery) -> None:
    """Tell both sides that a mandate holds no longer."""
    _tell_sides(event.subject, "终止")


@periodic("residents.sweep_sessions", minutes=24 * 60)
def sweep_sessions() -> None:
    """Delete sessions that were not used for long: they are over, whether anybody came back to notice or not."""
    ResidentSession.objects.filter(seen_at__lt=sessions.machine_now() - timedelta(days=KEPT_DAYS)).delete()
