"""Reads of halls: who waits (public, numbers only), one's appointments, one's window, the leader's figures."""

import math
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Avg, Count, Q, QuerySet
from django.db.models.functions import ExtractHour
from django.urls import reverse

from liangzhu.beams.people.codes import api as codes
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents.api import Resident, Task
from liangzhu.kernel import keys
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.now import SHANGHAI, now, today
from liangzhu.kernel.refs import Ref, register_ref
from liangzhu.pillars.services import behalf, halls, policies
from liangzhu.pillars.services.models import Appointment, HallDay, Sitting, Ticket

# Everybody ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Queue:
    """One queue: how many wait, at how many open windows, and for how long the next one would; None where nobody can say."""

    business: halls.Business
    waiting: int
    windows: int
    minutes: int | None


@dataclass(frozen=True)
class HallView:
    """A hall now."""

    hall: halls.Hall
    open: bool
    hours: str
    weekend: str
    queues: list[Queue]

    @property
    def waiting(self) -> int:
        """How many wait, in all queues."""
        return sum(one.waiting for one in self.queues)

    @property
    def windows(self) -> int:
        """At most so many windows are open for one queue."""
        return max((one.windows for one in self.queues), default=0)


def hours_words(hours) -> str:
    """Hours as they are told to people."""
    return "、".join(f"{start:%H:%M}–{end:%H:%M}" for start, end in hours) or "不开放"


def now_in(actor: Actor, keys_of: list[str] | None = None) -> list[HallView]:
    """Every hall (or some) as it is now, four statements for all of them."""
    rules = halls.rules()
    chosen = [rules.halls[key] for key in keys_of or rules.halls if key in rules.halls]
    days = {row.hall: row.pk for row in HallDay.objects.filter(day=today(), hall__in=[h.key for h in chosen])}
    waiting = {
        (day, business): n
        for day, business, n in Ticket.objects.filter(day__in=days.values(), state=Ticket.WAITING)
        .values_list("day", "business")
        .annotate(n=Count("id"))
    }
    sitting: dict[int, list[str]] = {}
    for day, window in Sitting.objects.filter(day__in=days.values(), closed_at=None).values_list(
        "day", "window"
    ):
        sitting.setdefault(day, []).append(window)
    took = _took([one.key for one in chosen]) if any(waiting.values()) or sitting else {}
    moment, found = now(), []
    for hall in chosen:
        day = days.get(hall.key)
        open_windows = [w for key in sitting.get(day, []) if (w := hall.window(key))]
        queues = []
        for one in hall.businesses:
            serving = sum(one.key in window.businesses for window in open_windows)
            # A window serves all its queues in turn: whoever waits there is before the next one.
            shared = {
                key for window in open_windows if one.key in window.businesses for key in window.businesses
            }
            ahead = sum(waiting.get((day, key), 0) for key in shared or {one.key})
            mean = took.get((hall.key, one.key))
            minutes = round(ahead * mean / serving / 60) if serving and mean is not None else None
            queues.append(Queue(one, waiting.get((day, one.key), 0), serving, minutes))
        found.append(
            HallView(
                hall,
                hall.open_at(moment),
                hours_words(hall.hours_on(today())),
                hours_words(hall.weekend_hours),
                queues,
            )
        )
    return found


def _took(chosen: list[str]) -> dict[tuple[str, str], float]:
    """Seconds that one visit takes, by hall and business: the mean of the last ones that were really served."""
    rules, found = halls.rules(), {}
    recent = Ticket.objects.filter(
        state=Ticket.SERVED,
        took__isnull=False,
        day__hall__in=chosen,
        day__day__gte=today() - timedelta(days=30),
    )
    for hall, business in recent.values_list("day__hall", "business").distinct().order_by():
        last = recent.filter(day__hall=hall, business=business).order_by("-id").values_list("took", flat=True)
        seconds = list(last[: rules.estimate_from])
        if len(seconds) >= rules.estimate_least:
            found[hall, business] = sum(seconds) / len(seconds)
    return found


@dataclass(frozen=True)
class Screen:
    """What hangs in the hall: numbers and windows, nobody's name. ``calls`` is newest first."""

    view: HallView
    calls: list[Ticket]
    serving: list[Ticket]


def screen(actor: Actor, key: str) -> Screen:
    """The screen of a hall. Raises NotThere."""
    hall = halls.hall(key)
    (view,) = now_in(actor, [hall.key])
    day = HallDay.objects.filter(hall=key, day=today()).first()
    if day is None:
        return Screen(view, [], [])
    at_window = list(day.tickets.filter(state__in=Ticket.AT_WINDOW).order_by("-called_at"))
    return Screen(
        view,
        [one for one in at_window if one.state == Ticket.CALLED],
        [one for one in at_window if one.state == Ticket.SERVING],
    )


def last_at(actor: Actor, hall: str, window: str) -> Ticket | None:
    """The number that was called last to a window today."""
    rows = Ticket.objects.select_related("day").filter(day__hall=hall, day__day=today(), window=window)
    return rows.order_by("-called_at").first()


@dataclass(frozen=True)
class Place:
    """Where a number stands: how many are before it, in the words of the hall."""

    ticket: Ticket
    business: halls.Business
    before: int
    minutes: int | None
    slip: str


def place(hall: str, number: str, slip: str) -> Place | None:
    """Where a number of today stands; ``slip`` proves that one holds the slip. None where there is no such number."""
    row = (
        Ticket.objects.select_related("day", "appointment")
        .filter(day__hall=hall, day__day=today(), number=number)
        .first()
    )
    if row is None or slip != slip_of(row):
        return None
    return place_of(row)


def slip_of(row: Ticket) -> str:
    """The end of the address on a slip: nobody guesses another's."""
    return keys.blind("services.slip", str(row.pk))


def place_of(row: Ticket) -> Place:
    """Where a ticket stands."""
    business = halls.rules().businesses[row.business]
    ahead = 0
    (view,) = now_in(None, [row.day.hall])
    queue = next((one for one in view.queues if one.business.key == row.business), None)
    if row.state == Ticket.WAITING:
        # Nobody is before whoever has priority but those who have it too; an appointment is called at its time.
        earlier = Q(since__lt=row.since) | Q(since=row.since, pk__lt=row.pk)
        before = row.day.tickets.filter(earlier, state=Ticket.WAITING, business=row.business)
        ahead = (before.exclude(priority="") if row.priority else before).count()
    minutes = None
    if queue and queue.minutes is not None and queue.waiting:
        minutes = round(queue.minutes * ahead / queue.waiting)
    return Place(row, business, ahead, minutes, slip_of(row))


# Residents ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Slot:
    """A half-hour that can be booked, and how many places are left."""

    starts_at: datetime
    left: int

    @property
    def local(self) -> datetime:
        """When it begins, as clocks here show it."""
        return self.starts_at.astimezone(SHANGHAI)


def days_to_book(hall: halls.Hall) -> list[date]:
    """The days from today on that the hall is open and can be booked."""
    days = [today() + timedelta(days=n) for n in range(halls.rules().days_ahead + 1)]
    return [day for day in days if any(slot > now() for slot in hall.slots(day))]


def slots(actor: Actor, hall: halls.Hall, business: str, day: date) -> list[Slot]:
    """The slots of a day that are still to come."""
    most = hall.capacity.get(business, 0)
    taken = dict(
        Appointment.objects.filter(day__hall=hall.key, day__day=day, business=business)
        .exclude(state=Appointment.CANCELLED)
        .values_list("starts_at")
        .annotate(n=Count("id"))
        .order_by()
    )
    return [Slot(moment, max(most - taken.get(moment, 0), 0)) for moment in hall.slots(day) if moment > now()]


@dataclass(frozen=True)
class AppointmentView:
    """An appointment as the resident sees it."""

    row: Appointment
    hall: str
    business: str
    for_whom: str
    can_cancel: bool


def _own(actor: Resident) -> QuerySet[Appointment]:
    mine = Q(holder__in=actor.principal_refs | {str(actor.principal)})
    if not actor.for_another:
        people = {Ref.parse(one).id for one in actor.principal_refs | {str(actor.principal)}}
        mine |= Q(person_id__in=[int(one) for one in people])
    return Appointment.objects.filter(mine).select_related("day")


def appointments(actor: Resident) -> list[AppointmentView]:
    """One's own appointments, the newest first, at most fifty."""
    policies.book.require(actor)
    rows, rules = list(_own(actor).order_by("-starts_at")[:50]), halls.rules()
    names = registers.party_names({row.holder for row in rows})
    return [
        AppointmentView(
            row,
            rules.halls[row.day.hall].title if row.day.hall in rules.halls else row.day.hall,
            rules.businesses[row.business].title if row.business in rules.businesses else row.business,
            "" if row.holder == f"natural_person:{row.person_id}" else names.get(row.holder, ""),
            row.state == Appointment.BOOKED and row.starts_at > now(),
        )
        for row in rows
    ]


def tasks(actor: Resident) -> list[Task]:
    """What stands on /my/: slots that come."""
    if not policies.book(actor):
        return []
    rules = halls.rules()
    rows = _own(actor).filter(state=Appointment.BOOKED, starts_at__gt=now()).order_by("starts_at")
    return [
        Task(
            f"到{rules.halls[row.day.hall].title}",
            reverse("services:my_appointments"),
            note=f"预约号 {row.number}",
            due_at=row.starts_at,
        )
        for row in rows
        if row.day.hall in rules.halls
    ]


# The window -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counter:
    """What a clerk sees: the window, whom he called, who waits for it, what was done today."""

    hall: halls.Hall
    window: halls.Window
    sitting: Sitting | None
    ticket: Ticket | None
    business: halls.Business | None
    priority: halls.Priority | None
    scan: codes.ScanView | None
    queues: list[Queue]
    moves: list[halls.Business]
    served: int

    @property
    def waiting(self) -> int:
        """How many wait for this window."""
        return sum(one.waiting for one in self.queues)

    @property
    def calls_left(self) -> int:
        """How often the number can still be called."""
        return max(halls.rules().calls_most - self.ticket.calls, 0) if self.ticket else 0


def counter(actor: Actor) -> Counter:
    """One's window now. Raises DeskNeeded, NoWindow."""
    policies.counter.require(actor)
    hall, window = halls.window_of(actor)
    (view,) = now_in(actor, [hall.key])
    me, ticket = str(actor.ref), behalf.ticket_of(actor)
    sitting = Sitting.objects.filter(clerk=me, closed_at=None, day__day=today(), window=window.key).first()
    rules = halls.rules()
    return Counter(
        hall,
        window,
        sitting,
        ticket,
        rules.businesses.get(ticket.business) if ticket else None,
        rules.priorities.get(ticket.priority) if ticket else None,
        codes.good_scan(actor, ticket.ref) if ticket else None,
        [one for one in view.queues if one.business.key in window.businesses],
        [one for one in hall.businesses if ticket is None or one.key != ticket.business],
        Ticket.objects.filter(clerk=me, state=Ticket.SERVED, day__day=today()).count(),
    )


def new_visit() -> Ref:
    """The case that a code is scanned for at the information desk."""
    return Ref("counter_visit", f"{today():%Y%m%d}-{secrets.token_hex(4)}")


# Figures --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    """A hall over some days; waits in seconds, None where nobody was called. ``hours`` is (hour, people served)."""

    hall: halls.Hall
    tickets: int
    served: int
    missed: int
    left: int
    wait_half: int | None
    wait_most: int | None
    took: float | None
    hours: list[tuple[int, int]]
    booked: int
    no_shows: int
    scans: int

    @property
    def no_show_rate(self) -> float | None:
        """Who did not come, of those whose time has come and who had not cancelled; None without any."""
        return self.no_shows / self.booked if self.booked else None


@dataclass(frozen=True)
class AllFigures:
    """Every hall, and how many outlets scan codes."""

    since: date
    until: date
    halls: list[Figures]
    coverage: codes.Coverage


def figures(actor: Actor, days: int = 30) -> AllFigures:
    """The last days, today included. Waits are the percentiles 50 and 90 (nearest rank) of all tickets that were called."""
    policies.read_halls.require(actor)
    until, since = today() + timedelta(days=1), today() - timedelta(days=days - 1)
    coverage = codes.coverage(actor, since, until)
    within = Q(day__day__gte=since, day__day__lt=until)
    counted = {
        row["day__hall"]: row
        for row in Ticket.objects.filter(within)
        .values("day__hall")
        .order_by()
        .annotate(
            all=Count("id", filter=~Q(state=Ticket.MOVED)),
            served=Count("id", filter=Q(state=Ticket.SERVED)),
            missed=Count("id", filter=Q(state=Ticket.MISSED)),
            left=Count("id", filter=Q(state=Ticket.LEFT)),
            called=Count("id", filter=Q(waited__isnull=False)),
            mean=Avg("took", filter=Q(state=Ticket.SERVED)),
        )
    }
    hours: dict[str, dict[int, int]] = {}
    for hall, hour, n in (
        Ticket.objects.filter(within, state=Ticket.SERVED, ended_at__isnull=False)
        .annotate(hour=ExtractHour("ended_at", tzinfo=SHANGHAI))
        .values_list("day__hall", "hour")
        .order_by()
        .annotate(n=Count("id"))
    ):
        hours.setdefault(hall, {})[hour] = n
    kept = (Appointment.ARRIVED, Appointment.MISSED)
    booked = {
        hall: (n, missed)
        for hall, n, missed in Appointment.objects.filter(within, state__in=kept)
        .values_list("day__hall")
        .order_by()
        .annotate(n=Count("id"), missed=Count("id", filter=Q(state=Appointment.MISSED)))
    }
    found = []
    for hall in halls.rules().halls.values():
        row = counted.get(hall.key, {})
        called = row.get("called", 0)
        n, missed = booked.get(hall.key, (0, 0))
        known = hours.get(hall.key, {})
        found.append(
            Figures(
                hall,
                row.get("all", 0),
                row.get("served", 0),
                row.get("missed", 0),
                row.get("left", 0),
                _rank(hall.key, within, called, 0.5),
                _rank(hall.key, within, called, 0.9),
                row.get("mean"),
                [(hour, known.get(hour, 0)) for hour in range(min(known), max(known) + 1)] if known else [],
                n,
                missed,
                coverage.scans.get(hall.key, 0),
            )
        )
    return AllFigures(since, until - timedelta(days=1), found, coverage)


def _rank(hall: str, within: Q, called: int, share: float) -> int | None:
    """The wait that this share of those called did not exceed."""
    if not called:
        return None
    waits = Ticket.objects.filter(within, day__hall=hall, waited__isnull=False).order_by("waited")
    place = math.ceil(called * share) - 1
    return waits.values_list("waited", flat=True)[place]


# References -----------------------------------------------------------------------------------------------------------


def _coming(refs: set[str]) -> QuerySet[Appointment]:
    """Appointments that are still to come, of these persons or organisations."""
    people = [int(one.id) for one in map(Ref.parse, refs) if one.kind == "natural_person"]
    return Appointment.objects.filter(
        Q(holder__in=refs) | Q(person__in=people), state=Appointment.BOOKED, starts_at__gt=now()
    )


registers.add_referrer(
    "services.appointments",
    "大厅预约",
    open_for=lambda refs: _coming(refs).count(),
    # Who serves somebody works on a ticket, which names nobody; nobody works on an appointment.
    works_on=lambda actor, refs: False,
)


def _ticket_refs(ids, actor) -> dict[str, tuple[str, str]]:
    rows = dict(
        Ticket.objects.filter(pk__in=[one for one in ids if one.isdecimal()]).values_list("pk", "number")
    )
    url = reverse("services:counter") if policies.counter(actor) else ""
    return {
        one: (f"窗口办理 {rows.get(int(one), '')}" if one.isdecimal() else "窗口办理", url) for one in ids
    }


def _plain(title: str):
    return lambda ids, actor: {one: (f"{title} {one}", "") for one in ids}


register_ref("hall_ticket", "排队号", _ticket_refs)
register_ref("hall_appointment", "预约", _plain("预约"))
register_ref("hall_day", "大厅的一天", _plain("大厅的一天"))
register_ref("hall_sitting", "窗口值守", _plain("窗口值守"))
