"""Halls for everybody: where they are and who waits, booking a slot, the machine that gives numbers, the screen."""

import secrets
from datetime import date, datetime

import segno
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST

from liangzhu.beams.people.residents.api import resident_page
from liangzhu.kernel import keys, limits
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.ui.forms import Form, form_view, perform
from liangzhu.kernel.web import guarded
from liangzhu.pillars.services import actions, queries, ratings
from liangzhu.pillars.services import halls as roster
from liangzhu.pillars.services.models import Ticket

KIOSK_A_MINUTE = 30
"""Numbers that one machine gives out in a minute."""


@guarded("kernel.public")
def home(request: HttpRequest) -> HttpResponse:
    """Every hall: open or not, how many wait, for how long."""
    return render(
        request,
        "services/halls/home.html",
        {"views": queries.halls.now_in(request.actor), "rules": roster.rules()},
    )


@guarded("kernel.public")
def hall(request: HttpRequest, key: str) -> HttpResponse:
    """One hall: hours, queues, what can be booked."""
    found = roster.hall(key)
    (view,) = queries.halls.now_in(request.actor, [key])
    bookable = [one for one in found.businesses if one.key in found.capacity]
    context = {"view": view, "hall": found, "bookable": bookable, "rules": roster.rules()}
    return render(request, "services/halls/hall.html", context)


@guarded("kernel.public")
def screen(request: HttpRequest, key: str) -> HttpResponse:
    """What hangs in the hall; it renews itself, without script too."""
    answer = render(
        request,
        "services/halls/screen.html",
        {"screen": queries.halls.screen(request.actor, key), "moment": now()},
    )
    answer["Cache-Control"] = "no-store"
    return answer


# Appointments ---------------------------------------------------------------------------------------------------------


class BookForm(Form):
    """A slot of one day."""

    starts_at = forms.ChoiceField(label="时段", widget=forms.RadioSelect)

    def __init__(self, *args, slots: list, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["starts_at"].choices = [
            (one.starts_at.isoformat(), f"{one.local:%H:%M}，还有 {one.left} 个") for one in slots if one.left
        ]
        # One that filled up meanwhile is told by name, so what was chosen has to reach the action.
        self.fields["starts_at"].valid_value = lambda value: True


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise NotThere("没有这个时段。", todo="请从页面上选择时段。")
    return found


@resident_page(level=2)
def book(request: HttpRequest, key: str, business: str) -> HttpResponse:
    """Choose a day, then a half-hour."""
    found = roster.hall(key)
    what = roster.rules().businesses.get(business)
    if what is None or business not in found.capacity:
        raise NotThere("这项业务不用预约。", todo="请直接去大厅取号。")
    days = queries.halls.days_to_book(found)
    try:
        day = date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        day = None
    if day not in days:
        day = days[0] if days else None
    slots = queries.halls.slots(request.actor, found, business, day) if day else []
    form = BookForm(request.POST or None, slots=slots)

    def run(data: dict, once: str):
        moment = _moment(data["starts_at"])
        return actions.halls.book(request.actor, hall=key, business=business, starts_at=moment, once=once)

    context = {"hall": found, "business": what, "days": days, "day": day, "slots": slots}
    context["free"] = any(one.left for one in slots)
    return form_view(
        request,
        form,
        run,
        "services/halls/book.html",
        context,
        back=reverse("services:my_appointments"),
        done="已预约。到了以后用服务码或预约号报到。",
    )


@resident_page()
def mine(request: HttpRequest) -> HttpResponse:
    """One's own appointments."""
    rows = queries.halls.appointments(request.actor)
    return render(request, "services/halls/mine.html", {"rows": rows})


@resident_page()
@require_POST
def cancel(request: HttpRequest, appointment_id: int) -> HttpResponse:
    """Give a slot back."""
    actions.halls.cancel(request.actor, appointment_id=appointment_id)
    messages.success(request, "预约已取消，名额让给了别人。")
    return redirect("services:my_appointments")


# The machine ----------------------------------------------------------------------------------------------------------


def window_code(hall: str, window: str) -> str:
    """The end of the address of the screen that a window turns to whoever sits before it."""
    return keys.blind("services.window_screen", f"{hall}/{window}")


@guarded("kernel.public")
def window_screen(request: HttpRequest, key: str, code: str) -> HttpResponse:
    """The screen before a window: the number at work; when it is done, how to rate, which the clerk cannot do."""
    found = roster.hall(key)
    window = next(
        (one for one in found.windows if secrets.compare_digest(code, window_code(key, one.key))), None
    )
    if window is None:
        raise NotThere("窗口屏的地址不对。", todo="请工作人员在“报到取号”页重新打开窗口屏。")
    ticket = queries.halls.last_at(request.actor, key, window.key)
    done = ticket is not None and ticket.state not in Ticket.AT_WINDOW
    context = {"hall": found, "window": window, "ticket": None if done else ticket, "moment": now()}
    if done:
        context |= rating_of(request, ticket)
    answer = render(request, "services/halls/window.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


def rating_of(request: HttpRequest, ticket: Ticket | None) -> dict:
    """Number, code and QR code of a ticket's rating; {} where nobody was asked, or it was given."""
    row = queries.ratings.of_thing(ticket.ref) if ticket is not None else None
    if row is None or row.state not in (row.ASKED, row.DEFAULT):
        return {}
    code = ratings.code_from(actions.halls.rating_secret(ticket))
    address = f"{reverse('services:rate')}?{urlencode({'number': row.number, 'code': code})}"
    drawn = segno.make(request.build_absolute_uri(address), error="m", micro=False)
    return {
        "rating": row,
        "code": code,
        "qr": mark_safe(drawn.svg_inline(scale=4, border=2, omitsize=True)),
    }


def kiosk_code(key: str) -> str:
    """The end of the address of a hall's machine: whoever does not have it cannot take numbers from home."""
    return keys.blind("services.kiosk", key)


class KioskForm(Form):
    """What one came for; who is called before others says so."""

    business = forms.ChoiceField(label="办什么", widget=forms.RadioSelect, required=False)
    priority = forms.ChoiceField(label="优先", required=False)
    number = forms.CharField(
        label="有预约的，输入预约号",
        max_length=6,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def __init__(self, *args, hall: roster.Hall, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["business"].choices = [
            (one.key, f"{one.title}（{one.about}）") for one in hall.businesses
        ]
        self.fields["priority"].choices = [
            ("", "没有"),
            *((one.key, f"{one.title}（{one.who}）") for one in roster.rules().priorities.values()),
        ]

    def clean(self):
        """One of the two: a business, or the number of an appointment."""
        given = super().clean()
        if not given.get("business") and not given.get("number"):
            self.add_error("business", "请选择办什么，或者输入预约号。")
        return given


@guarded("kernel.public")
def kiosk(request: HttpRequest, key: str, code: str) -> HttpResponse:
    """The machine of a hall: a number in two touches; for an appointment by its number."""
    found = roster.hall(key)
    if not secrets.compare_digest(code, kiosk_code(key)):
        raise NotThere("取号机的地址不对。", todo="请工作人员在“报到取号”页重新打开取号机。")
    machine = Actor(ref=Ref("hall_kiosk", key), label=f"{found.title}取号机")
    form = KioskForm(request.POST or None, hall=found)

    def run(data: dict, once: str):
        limits.take(limits.Rate("hall_kiosk", KIOSK_A_MINUTE), key)
        if data["number"]:
            return actions.halls.arrive(
                machine, hall=key, number=data["number"], priority=data["priority"], once=once
            )
        return actions.halls.take(
            machine, hall=key, business=data["business"], priority=data["priority"], once=once
        )

    done = perform(request, form, run)
    if done.ok and not done.already:
        row = done.result
        address = reverse("services:hall_number", args=[key, row.number, queries.halls.slip_of(row)])
        return redirect(f"{address}?back={code}")
    if done.already:
        return redirect(request.path)
    return render(request, "services/halls/kiosk.html", {"form": form, "hall": found}, status=done.status)


@guarded("kernel.public")
def number(request: HttpRequest, key: str, number: str, slip: str) -> HttpResponse:
    """Where one's number stands: on the slip, and on the phone of whoever scans it."""
    place = queries.halls.place(key, number, slip)
    if place is None:
        raise NotThere("没有找到这个号，或者不是今天的。", todo="请重新取号。")
    back = request.GET.get("back", "")
    again = reverse("services:hall_kiosk", args=[key, back]) if back == kiosk_code(key) else ""
    context = {"place": place, "hall": roster.hall(key), "again": again}
    answer = render(request, "services/halls/number.html", context)
    answer["Cache-Control"] = "no-store"
    return answer
