"""Every change in a hall: appointments, tickets, windows. Each locks the hall's day first, so two clerks never get one ticket."""

import secrets
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from liangzhu.beams.people.codes import api as codes
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.people.residents.api import Resident
from liangzhu.kernel import keys
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM, Actor
from liangzhu.kernel.errors import Conflict, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.now import SHANGHAI, now, today
from liangzhu.kernel.pack import pack
from liangzhu.kernel.refs import Ref
from liangzhu.pillars.services import behalf, halls, policies, ratings
from liangzhu.pillars.services.models import Appointment, HallDay, Sitting, Ticket

SCOPE = "hall_visit"
"""The kind of business (授权范围) of a mandate that lets somebody book and come for another."""

SWEPT = 200
SWEPT_DAYS = 20


def hold_day(act: Act, hall: str, day: date) -> HallDay:
    """The row of a hall's day, locked; it is made when the first one asks."""
    halls.hall(hall)
    HallDay.objects.bulk_create([HallDay(hall=hall, day=day)], ignore_conflicts=True)
    return act.lock(HallDay, hall=hall, day=day)


# Appointments ---------------------------------------------------------------------------------------------------------


@action("services.book_hall")
def book(act: Act, *, hall: str, business: str, starts_at: datetime) -> Appointment:
    """Book a slot, for oneself or for whom one acts for. Raises Invalid, StepNotAllowed, Conflict (the slot filled up meanwhile)."""
    act.check(policies.book)
    actor: Resident = act.actor
    if not actor.may(kind=SCOPE):
        raise StepNotAllowed(
            "您为对方办事的授权不包括预约和到大厅办事。", todo="请对方把“到大厅办事”加进授权。"
        )
    place, rules, moment = halls.hall(hall), halls.rules(), now()
    day = starts_at.astimezone(SHANGHAI).date()
    most = place.capacity.get(business)
    if most is None:
        raise Invalid({"business": "这项业务不用预约，直接去取号。"})
    if starts_at <= moment:
        raise Invalid({"starts_at": "这个时段已经过了，请选后面的时段。"})
    if day > today() + timedelta(days=rules.days_ahead):
        raise Invalid({"starts_at": f"只能预约 {rules.days_ahead} 天以内的时段。"})
    if starts_at not in place.slots(day):
        raise Invalid({"starts_at": "大厅这个时段不开放，请重新选择。"})
    row = hold_day(act, hall, day)
    open_ones = Appointment.objects.filter(state=Appointment.BOOKED, starts_at__gt=moment)
    mine = open_ones.filter(person_id=int(actor.person.id))
    if mine.filter(starts_at=starts_at).exists():
        raise StepNotAllowed("您在这个时段已经有一个预约。", todo="请选别的时段，或者先取消那一个。")
    if mine.count() >= rules.per_person:
        raise StepNotAllowed(
            f"每人同时最多有 {rules.per_person} 个预约，您已经有 {mine.count()} 个。",
            todo="请先到“我的预约”取消不用的；也可以直接去大厅取号。",
        )
    taken = row.appointments.filter(business=business, starts_at=starts_at).exclude(
        state=Appointment.CANCELLED
    )
    if taken.count() >= most:
        raise Conflict("这个时段刚刚约满。", todo="请选别的时段；也可以直接去大厅取号。")
    used = set(row.appointments.values_list("number", flat=True))
    number = next(one for one in iter(lambda: f"{secrets.randbelow(10**6):06}", "") if one not in used)
    made = Appointment.objects.create(
        day=row,
        business=business,
        starts_at=starts_at,
        number=number,
        person_id=int(actor.person.id),
        holder=str(actor.principal),
        mandate=actor.mandate_id,
        booked_at=moment,
    )
    _tell(made, "booked", "预约成功")
    act.log(
        made.ref,
        hall=hall,
        business=business,
        starts_at=starts_at.isoformat(),
        holder=made.holder,
        mandate=made.mandate,
    )
    return made


def _tell(row: Appointment, step: str, title: str, text: str = "") -> None:
    """A message to who comes, and to whom it is for."""
    place = halls.rules().halls.get(row.day.hall)
    business = halls.rules().businesses.get(row.business)
    when = row.starts_at.astimezone(SHANGHAI)
    where = place.title if place else row.day.hall
    what = business.title if business else row.business
    residents.tell(
        [Ref("natural_person", str(row.person_id)), Ref.parse(row.holder)],
        key=f"appointment:{row.pk}:{step}",
        title=f"{title}：{when:%m月%d日 %H:%M} {where}",
        text=text or f"{what}。到了以后用服务码或预约号 {row.number} 报到。",
        url="/my/appointments/",
        about=row.ref,
    )


@action("services.cancel_hall")
def cancel(act: Act, *, appointment_id: int) -> Appointment:
    """Give a slot back; the next person can have it at once. Raises StepNotAllowed."""
    found = Appointment.objects.filter(pk=appointment_id).select_related("day").first()
    if found is None or not policies.book(act.actor, found):
        raise NotThere("没有找到这个预约。")
    act.lock(HallDay, pk=found.day_id)
    row = act.lock(Appointment, pk=appointment_id)
    act.check(policies.book, row)
    if row.state != Appointment.BOOKED:
        raise StepNotAllowed(f"这个预约{row.get_state_display()}，不能取消。")
    row.state = Appointment.CANCELLED
    row.save(update_fields=["state"])
    _tell(row, "cancelled", "预约已取消", "名额已经让给别人。需要时可以重新预约。")
    act.log(row.ref, state=row.state)
    return row


@action("services.remind_halls")
def remind(act: Act) -> int:
    """Remind whoever has a slot soon. Returns how many."""
    act.check(policies.keep_time)
    moment = now()
    soon = moment + timedelta(hours=halls.rules().remind_hours)
    rows = (
        Appointment.objects.select_for_update(of=("self",))
        .select_related("day")
        .filter(state=Appointment.BOOKED, starts_at__gt=moment, starts_at__lte=soon, reminded_at=None)
    )
    done = list(rows.order_by("starts_at")[:SWEPT])
    for row in done:
        row.reminded_at = moment
        # Booked within the time of the reminder: the confirmation said it all.
        if row.booked_at < row.starts_at - timedelta(hours=halls.rules().remind_hours):
            _tell(row, "soon", "别忘了您的预约")
    Appointment.objects.bulk_update(done, ["reminded_at"])
    act.log(Ref("job", "services.remind_halls"), reminded=len(done))
    return len(done)


@action("services.miss_halls")
def miss(act: Act) -> int:
    """Note who did not come. Returns how many; the slot was lost to others, and the figures say so."""
    act.check(policies.keep_time)
    late = now() - timedelta(minutes=halls.rules().grace_minutes)
    rows = (
        Appointment.objects.select_for_update(of=("self",))
        .select_related("day")
        .filter(state=Appointment.BOOKED, starts_at__lt=late)
    )
    done = list(rows.order_by("starts_at")[:SWEPT])
    for row in done:
        row.state = Appointment.MISSED
        _tell(row, "missed", "您没有按预约的时间报到", "仍然可以去大厅取号，按取号先后办理。")
    Appointment.objects.bulk_update(done, ["state"])
    act.log(Ref("job", "services.miss_halls"), missed=len(done))
    return len(done)


def keep_appointments() -> None:
    """What the clock does with appointments: remind, note who did not come."""
    soon, late = (
        now() + timedelta(hours=halls.rules().remind_hours),
        now() - timedelta(minutes=halls.rules().grace_minutes),
    )
    open_ones = Appointment.objects.filter(state=Appointment.BOOKED)
    while open_ones.filter(starts_at__lt=late).exists():
        miss(SYSTEM)
    while open_ones.filter(starts_at__gt=now(), starts_at__lte=soon, reminded_at=None).exists():
        remind(SYSTEM)


# Tickets --------------------------------------------------------------------------------------------------------------


def _next_number(day: HallDay, business: halls.Business) -> str:
    """The next number of a queue on a day; the day is locked."""
    used = day.tickets.filter(number__startswith=business.letter).count()
    return f"{business.letter}{used + 1:03}"


def _ticket(act: Act, day: HallDay, business: str, **more) -> Ticket:
    known = halls.rules().businesses[business]
    row = Ticket.objects.create(
        day=day,
        business=business,
        number=_next_number(day, known),
        taken_by=str(act.actor.ref),
        **{"since": now()} | more,
    )
    act.log(row.ref, number=row.number, business=business, priority=row.priority, on_time=row.on_time)
    return row


def _open(hall: halls.Hall) -> None:
    if hall.open_at(now()):
        return
    hours = hall.hours_on(today())
    words = "、".join(f"{start:%H:%M}–{end:%H:%M}" for start, end in hours) or "不开放"
    raise StepNotAllowed(f"{hall.title}现在不取号，今天{words}。", todo="可以在网上预约别的时间。")


@action("services.take_ticket")
def take(act: Act, *, hall: str, business: str, priority: str = "") -> Ticket:
    """Take a number at the hall; nobody has to say who he is. Raises Invalid, StepNotAllowed."""
    act.check(policies.take_ticket, hall)
    place = halls.hall(hall)
    wrong = {}
    if business not in {one.key for one in place.businesses}:
        wrong["business"] = "这个大厅不办这项业务，请选别的。"
    if priority and priority not in halls.rules().priorities:
        wrong["priority"] = "没有这种优先，请重新选择。"
    if wrong:
        raise Invalid(wrong)
    _open(place)
    return _ticket(act, hold_day(act, hall, today()), business, priority=priority)


@action("services.arrive")
def arrive(act: Act, *, hall: str, number: str = "", visit: str = "", priority: str = "") -> Ticket:
    """Report for an appointment of today, by its number, or by a service code that was scanned for ``visit``. Raises Invalid.

    Who is later than the grace gets a number like everybody else; who comes early waits until his time, or is called in the
    order of arrival, whichever is first.
    """
    act.check(policies.take_ticket, hall)
    place, rules = halls.hall(hall), halls.rules()
    _open(place)
    day = hold_day(act, hall, today())
    usable = day.appointments.filter(state__in=(Appointment.BOOKED, Appointment.MISSED))
    if visit:
        row = usable.filter(_of_scan(act.actor, visit)).order_by("starts_at").first()
        if row is None:
            raise Invalid({"raw": "这个人今天在这里没有预约，请给他取号。"})
    else:
        row = usable.filter(number=number.strip()).first()
        if row is None:
            raise Invalid(
                {"number": "今天在这里没有这个预约。请核对六位预约号，也可以直接取号。"},
            )
    if hasattr(row, "ticket"):
        raise Invalid({"raw" if visit else "number": f"这个预约已经换过号：{row.ticket.number}。"})
    late = now() > row.starts_at + timedelta(minutes=rules.grace_minutes)
    row.state = Appointment.MISSED if late else Appointment.ARRIVED
    row.save(update_fields=["state"])
    known = priority if priority in rules.priorities else ""
    return _ticket(act, day, row.business, priority=known, appointment=row, on_time=not late)


def _of_scan(actor: Actor, visit: str) -> Q:
    """Appointments of whom a scan named: the holder's, and those that the agent himself will keep."""
    view = codes.good_scan(actor, Ref.parse(visit))
    if view is None:
        raise NotThere("没有找到这次扫码，或者不是您扫的。")
    row = view.row
    found = Q(holder__in=registers.family(str(row.holder))) if row.holder else Q(pk=None)
    for person in (row.person_id, row.agent_id):
        if person:
            found |= Q(person_id=person)
    return found


# The window -----------------------------------------------------------------------------------------------------------


@action("services.open_window")
def open_window(act: Act) -> Sitting:
    """Open one's window. Raises StepNotAllowed where somebody else sits there, and closes what one left open elsewhere."""
    act.check(policies.counter)
    place, window = halls.window_of(act.actor)
    day = hold_day(act, place.key, today())
    return _sit(act, day, window)


def _sit(act: Act, day: HallDay, window: halls.Window) -> Sitting:
    me = str(act.actor.ref)
    if mine := Sitting.objects.filter(clerk=me, closed_at=None).first():
        if (mine.day_id, mine.window) == (day.pk, window.key):
            return mine
        _close(act, mine)
    other = Sitting.objects.filter(day=day, window=window.key, closed_at=None).first()
    if other is not None:
        raise StepNotAllowed(
            f"{window.key}已经有人在叫号。", todo="请在“换窗口”里选择您坐的窗口，或者请他先暂停窗口。"
        )
    row = Sitting.objects.create(day=day, window=window.key, clerk=me, opened_at=now())
    act.log(row.ref, window=window.key, state="open")
    return row


def _close(act: Act, row: Sitting) -> None:
    row.closed_at = now()
    row.save(update_fields=["closed_at"])
    act.log(row.ref, window=row.window, state="closed")


@action("services.close_window")
def close_window(act: Act) -> Sitting:
    """Close one's window (暂停). Raises StepNotAllowed while somebody stands there."""
    act.check(policies.counter)
    row = Sitting.objects.select_for_update().filter(clerk=str(act.actor.ref), closed_at=None).first()
    if row is None:
        raise StepNotAllowed("您的窗口没有打开。")
    if _mine(act.actor) is not None:
        raise StepNotAllowed("还有一个号在您这里。", todo="请先办结、过号或转队，再暂停窗口。")
    _close(act, row)
    return row


def _mine(actor: Actor) -> Ticket | None:
    return Ticket.objects.filter(clerk=str(actor.ref), state__in=Ticket.AT_WINDOW).first()


@action("services.call_next")
def call_next(act: Act) -> Ticket:
    """Call whoever is next for this window; opens the window when it is closed. Raises StepNotAllowed, NotThere (nobody waits).

    Next is: whose appointment has come, by its time; then who has priority, then everybody, each by when the number was taken.
    After ``ordinary_after`` preferential ones in a row an ordinary one comes first, so that nobody waits for ever.
    """
    act.check(policies.counter)
    place, window = halls.window_of(act.actor)
    day = hold_day(act, place.key, today())
    if (held := _mine(act.actor)) is not None:
        raise StepNotAllowed(
            f"{held.number} 还在您这里（{held.get_state_display()}）。",
            todo="请先办结、过号或转队，再叫下一个。",
        )
    sitting = _sit(act, day, window)
    row, why = pick(day, window, sitting.preferred)
    if row is None:
        raise NotThere("现在没有人在等您这个窗口的业务。", todo="有人取号以后，这一页会自己更新。")
    moment = now()
    row.state, row.window, row.clerk, row.why = Ticket.CALLED, window.key, str(act.actor.ref), why
    row.calls, row.called_at = 1, moment
    row.waited = max(int((moment - row.since).total_seconds()), 0)
    row.save(update_fields=["state", "window", "clerk", "why", "calls", "called_at", "waited"])
    sitting.preferred = sitting.preferred + 1 if why in ("appointment", "priority") else 0
    sitting.save(update_fields=["preferred"])
    act.log(row.ref, number=row.number, window=window.key, why=why)
    return row


def pick(day: HallDay, window: halls.Window, preferred: int) -> tuple[Ticket | None, str]:
    """Who is next for a window, and why; ``preferred`` is how many preferential ones it called in a row."""
    waiting = day.tickets.filter(state=Ticket.WAITING, business__in=window.businesses)
    ordinary = waiting.filter(Q(priority="") & (Q(on_time=False) | Q(appointment__starts_at__gt=now())))
    first = ordinary.order_by("since", "id").first()
    if first is not None and preferred >= halls.rules().ordinary_after:
        return first, "turn"
    due = waiting.filter(on_time=True, appointment__starts_at__lte=now())
    if (row := due.order_by("appointment__starts_at", "since", "id").first()) is not None:
        return row, "appointment"
    if (row := waiting.exclude(priority="").order_by("since", "id").first()) is not None:
        return row, "priority"
    return first, "order"


def _own(act: Act, ticket_id: int, *states: str) -> Ticket:
    """One's own ticket in one of some states, its day locked first. Raises Denied, StepNotAllowed."""
    found = Ticket.objects.filter(pk=ticket_id).values_list("day_id", flat=True).first()
    if found is None:
        raise NotThere("没有找到这个号。")
    act.lock(HallDay, pk=found)
    row = act.lock(Ticket, pk=ticket_id)
    act.check(policies.counter, row)
    if row.state not in states or row.clerk != str(act.actor.ref):
        raise StepNotAllowed(
            f"{row.number} 现在是“{row.get_state_display()}”，不能这样办。", todo="请看页面上的最新状态。"
        )
    return row


@action("services.call_again")
def call_again(act: Act, *, ticket_id: int) -> Ticket:
    """Call the same number again; the last time that the rules allow makes it missed."""
    row = _own(act, ticket_id, Ticket.CALLED)
    most = halls.rules().calls_most
    if row.calls >= most:
        raise StepNotAllowed(f"{row.number} 已经叫了 {row.calls} 次。", todo="没有人来，就按“过号”。")
    row.calls += 1
    row.save(update_fields=["calls"])
    act.log(row.ref, number=row.number, calls=row.calls)
    return row


@action("services.pass_over")
def pass_over(act: Act, *, ticket_id: int) -> Ticket:
    """Nobody came (过号), after as many calls as the rules want. Raises StepNotAllowed before."""
    row = _own(act, ticket_id, Ticket.CALLED)
    most = halls.rules().calls_most
    if row.calls < most:
        raise StepNotAllowed(f"{row.number} 才叫了 {row.calls} 次，要叫满 {most} 次。", todo="请再叫一次。")
    return _end(act, row, Ticket.MISSED)


@action("services.start_serving")
def start(act: Act, *, ticket_id: int) -> Ticket:
    """Begin to serve who came. Raises StepNotAllowed."""
    row = _own(act, ticket_id, Ticket.CALLED)
    row.state, row.started_at = Ticket.SERVING, now()
    row.save(update_fields=["state", "started_at"])
    act.log(row.ref, number=row.number, state=row.state)
    return row


@action("services.finish_serving")
def finish(act: Act, *, ticket_id: int) -> Ticket:
    """Done with whoever was served. Raises StepNotAllowed."""
    row = _own(act, ticket_id, Ticket.SERVING)
    ask_rating(act, row)
    row.took = max(int((now() - row.started_at).total_seconds()), 0)
    return _end(act, row, Ticket.SERVED)


def ask_rating(act: Act, row: Ticket) -> None:
    """Ask who is being served for a rating of the window, once; whoever came unknown has number and code on paper or screen."""
    served = behalf.serving(act.actor)
    business = halls.rules().businesses.get(row.business)
    ratings.ask(
        act,
        thing=row.ref,
        title=f"{halls.hall(row.day.hall).title}{row.window}：{business.title if business else row.business}",
        unit_id=act.actor.unit_id,
        clerk=act.actor.ref,
        rater=served.came if served else None,
        code=ratings.code_from(rating_secret(row)),
    )


def rating_secret(row: Ticket) -> str:
    """What the code of a ticket's rating is made of."""
    return keys.blind("services.window_rating", str(row.pk))


ratings.rated("hall_ticket", "窗口服务")


def _end(act: Act, row: Ticket, state: str) -> Ticket:
    row.state, row.ended_at = state, now()
    row.save(update_fields=["state", "ended_at", "took"])
    act.log(row.ref, number=row.number, state=state)
    return row


@action("services.move_ticket")
def move(act: Act, *, ticket_id: int, business: str) -> Ticket:
    """Send somebody to another queue (转队) with a new number and the old place in time. Raises Invalid, StepNotAllowed."""
    row = _own(act, ticket_id, Ticket.CALLED, Ticket.SERVING)
    place = halls.hall(row.day.hall)
    if business not in {one.key for one in place.businesses} or business == row.business:
        raise Invalid({"business": "请选这个大厅的另一项业务。"})
    made = _ticket(act, row.day, business, since=row.since, priority=row.priority, before=row)
    _end(act, row, Ticket.MOVED)
    return made


@action("services.close_hall_days")
def close_days(act: Act) -> int:
    """End what was left over on days that are gone: who was not called any more, windows that nobody closed. Returns how many."""
    act.check(policies.keep_time)
    moment = now()
    open_ones = (Ticket.WAITING, Ticket.CALLED, Ticket.SERVING)
    rows = list(
        Ticket.objects.select_for_update()
        .filter(day__day__lt=today(), state__in=open_ones)
        .order_by("id")[:SWEPT]
    )
    for row in rows:
        row.state = Ticket.SERVED if row.state == Ticket.SERVING else Ticket.LEFT
        row.ended_at = moment
    Ticket.objects.bulk_update(rows, ["state", "ended_at"])
    closed = Sitting.objects.filter(day__day__lt=today(), closed_at=None).update(closed_at=moment)
    act.log(Ref("job", "services.close_hall_days"), tickets=len(rows), windows=closed)
    return len(rows) + closed


@action("services.sweep_halls")
def sweep(act: Act) -> int:
    """Delete days whose time is over, with numbers, appointments and who sat where. Returns how many days."""
    act.check(policies.keep_time)
    rule = pack().toml("retention.toml")["halls"]
    rows = list(_over().order_by("day")[:SWEPT_DAYS])
    for row in rows:
        act.lock(HallDay, pk=row.pk)
        counted = {"tickets": row.tickets.count(), "appointments": row.appointments.count()}
        row.tickets.update(before=None, appointment=None)
        row.tickets.all().delete()
        row.appointments.all().delete()
        row.sittings.all().delete()
        act.log(row.ref, hall=row.hall, day=row.day.isoformat(), rule=rule["source"], **counted)
        row.delete()
    act.log(Ref("job", "services.sweep_halls"), days=len(rows))
    return len(rows)


def _over() -> QuerySet[HallDay]:
    return HallDay.objects.filter(
        day__lt=today() - timedelta(days=pack().toml("retention.toml")["halls"]["days"])
    )


def sweep_old_days() -> None:
    """What the clock does with days that are kept no longer."""
    while _over().exists():
        sweep(SYSTEM)


def close_old_days() -> None:
    """What the clock does with days that are gone."""
    while (
        Ticket.objects.filter(
            day__day__lt=today(), state__in=(Ticket.WAITING, Ticket.CALLED, Ticket.SERVING)
        ).exists()
        or Sitting.objects.filter(day__day__lt=today(), closed_at=None).exists()
    ):
        close_days(SYSTEM)
