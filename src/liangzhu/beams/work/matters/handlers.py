"""What this app does when others announce something, and what it does by the clock."""

from datetime import date

from django.urls import reverse

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.directory.events import UnitSucceeded
from liangzhu.beams.work.forms.events import CoSignAnswered, CoSignAsked
from liangzhu.beams.work.matters import own, timers, turns
from liangzhu.beams.work.matters.engine import process_of
from liangzhu.beams.work.matters.events import (
    LookAgain,
    MatterAdvanced,
    MatterMerged,
    MatterOpened,
    PartOpened,
)
from liangzhu.beams.work.matters.kinds import kind_of
from liangzhu.beams.work.matters.models import Matter, Part
from liangzhu.beams.work.matters.notices import notify
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.calendar import CalendarChanged
from liangzhu.kernel.events import handles
from liangzhu.kernel.worker import periodic


@handles(MatterOpened)
def tell_first_holder(event: MatterOpened, delivery) -> None:
    """Tell the unit that a matter came to it."""
    _tell_holder(event.subject.id, event.unit_id, f"came:{event.entry_id}", "新事项")


@handles(MatterOpened)
def tell_applicant_opened(event: MatterOpened, delivery) -> None:
    """Tell whoever applied that the matter was taken in."""
    own.tell_applicant(Matter.objects.get(pk=event.subject.id), f"matter:{event.entry_id}", "已登记")


@handles(MatterAdvanced, when=lambda event: event.moved)
def tell_applicant_moved(event: MatterAdvanced, delivery) -> None:
    """Tell whoever applied where the matter is now."""
    matter = Matter.objects.get(pk=event.subject.id)
    word = process_of(matter).flow.states[event.to_state].title
    own.tell_applicant(matter, f"matter:{event.entry_id}", word)


@handles(MatterAdvanced, when=lambda event: event.handed_to is not None)
def tell_next_holder(event: MatterAdvanced, delivery) -> None:
    """Tell the unit that a matter was handed to it."""
    _tell_holder(event.subject.id, event.handed_to, f"came:{event.entry_id}", "轮到办理")


@handles(PartOpened)
def tell_helper(event: PartOpened, delivery) -> None:
    """Tell the unit that its help was asked for."""
    part = Part.objects.select_related("matter").get(pk=event.part_id)
    notify(
        turns.officers(part.unit_id),
        key=f"part:{part.pk}",
        title=f"请配合：{part.title}",
        matter=part.matter,
    )


@handles(LookAgain)
def ask_triggers(event: LookAgain, delivery) -> None:
    """Do what the conditions of a matter's triggers now allow."""
    timers.react(SYSTEM, matter_id=int(event.subject.id))


@handles(MatterMerged)
def note_merged(event: MatterMerged, delivery) -> None:
    """Let the matter that answers for both say so."""
    timers.note_merged(SYSTEM, matter_id=event.into_id, from_id=int(event.subject.id))


@periodic("matters.fire", minutes=1)
def fire() -> None:
    """Do what processes let happen by time. What came due while nothing ran is done with the day that counts."""
    timers.fire_owed()


@handles(CoSignAsked)
def tell_cosigner(event: CoSignAsked, delivery) -> None:
    """Tell a person at their own posts that their signature is waited for."""
    word = "内容有改动，请重新签署" if event.again else "请您签署"
    notify(
        _posts_of(event.person_id),
        key=f"cosign:{delivery.event_id}",
        title=f"{word}：{event.form_title}",
        url=reverse("forms:sign", args=[event.subject.id]),
    )


@handles(CoSignAnswered)
def tell_who_asked(event: CoSignAnswered, delivery) -> None:
    """Tell whoever fills the form in what became of the request."""
    notify(
        _posts_of(event.person_id),
        key=f"cosigned:{delivery.event_id}",
        title=f"{'对方已签署' if event.signed else '对方不同意签署'}：{event.form_title}",
        url=reverse("forms:check", args=[event.draft_id]),
    )


def _posts_of(person_id: int | None) -> list[int]:
    if person_id is None:
        return []
    return [post.id for post in directory.posts_open_to(person_id) if not post.deputy]


def _tell_holder(matter_id: str, unit_id: int, key: str, word: str) -> None:
    matter = Matter.objects.get(pk=matter_id)
    # By the time this runs the matter may have moved on; whoever held it meanwhile need not hear of it.
    if matter.is_open and matter.holding_unit_id == unit_id:
        title = f"{word}：{kind_of(matter.kind).title}《{matter.title}》"
        notify(turns.posts(matter), key=key, title=title, matter=matter)


@handles(UnitSucceeded)
def pass_to_successor(event: UnitSucceeded, delivery) -> None:
    """Let the unit that took over have the open matters of the one that ended."""
    old, new = int(event.subject.id), event.successor_id
    while timers.pass_on(SYSTEM, predecessor_id=old, successor_id=new):
        pass


@periodic("matters.remind", minutes=15)
def remind() -> None:
    """Send the reminders that are owed by now. Days on which nothing ran are caught up with one reminder
    each.
    """
    timers.remind_owed()


@handles(CalendarChanged)
def count_again(event: CalendarChanged, delivery) -> None:
    """A day counts differently: count again the clocks that cross it."""
    timers.recompute_across(date.fromisoformat(event.day))


@periodic("matters.recompute", minutes=60)
def recompute_guessed() -> None:
    """The next year's holidays may have come with an update: count again the clocks that had to guess."""
    timers.recompute_guessed()
