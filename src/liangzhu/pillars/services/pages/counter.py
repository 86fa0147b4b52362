"""The counter: call, scan, serve, finish, by keyboard and scanner alone; who comes without a machine; the leader's figures."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from liangzhu.beams.people.codes import api as codes
from liangzhu.kernel.errors import NotThere, Problem
from liangzhu.kernel.ui.forms import perform
from liangzhu.kernel.web import guarded
from liangzhu.pillars.services import actions, behalf, halls, queries
from liangzhu.pillars.services.models import Ticket
from liangzhu.pillars.services.pages.halls import kiosk_code, window_code


def _desk_first(request: HttpRequest, problem: Problem) -> HttpResponse:
    messages.info(request, f"{problem.detail or problem.title}{problem.todo}")
    return redirect(
        f"{reverse('codes:desk')}?{urlencode({'next': request.path if request.method == 'GET' else reverse('services:counter')})}"
    )


@guarded("services.counter")
def counter(request: HttpRequest) -> HttpResponse:
    """One's window: whom one called, the field for the scanner, who waits."""
    actor = request.actor
    try:
        view = queries.halls.counter(actor)
    except (codes.DeskNeeded, halls.NoWindow) as problem:
        return _desk_first(request, problem)
    ticket, form, status = view.ticket, None, 200
    if ticket is not None:
        form = codes.CodeForm(request.POST or None)

        def run(data: dict, once: str):
            found = codes.check(
                actor,
                raw=data["raw"],
                case=ticket.ref,
                item=actions.halls.SCOPE,
                title=view.business.title,
                items=data["items"],
            )
            if ticket.state == Ticket.CALLED:
                actions.halls.start(actor, ticket_id=ticket.pk, once=once)
            return found

        done = perform(request, form, run)
        if done.ok:
            return redirect("services:counter")
        status = done.status
        form.forget_scan()
    serving = behalf.serving(actor)
    instead = ""
    if ticket is not None:
        given = {"case": str(ticket.ref), "title": view.business.title}
        problem = form.problem
        if isinstance(problem, codes.CodeProblem):
            given |= {"reason": problem.title, "follows": getattr(problem, "scan_id", None) or ""}
        instead = f"{reverse('codes:document')}?{urlencode(given)}"
    context = {
        "view": view,
        "form": form,
        "serving": serving,
        "offers": halls.offers(actor, serving) if serving else [],
        "instead": instead,
        "calls_most": halls.rules().calls_most,
    }
    answer = render(request, "services/halls/counter.html", context, status=status)
    answer["Cache-Control"] = "no-store, private"
    return answer


_STEPS = {
    "again": actions.halls.call_again,
    "start": actions.halls.start,
    "finish": actions.halls.finish,
    "missed": actions.halls.pass_over,
}


@guarded("services.counter")
@require_POST
def step(request: HttpRequest, step: str) -> HttpResponse:
    """One button of the counter. A problem is said on the counter, where one goes on."""
    actor, once = request.actor, request.POST.get("once", "")[:64]
    try:
        if step == "next":
            actions.halls.call_next(actor)
        elif step == "open":
            actions.halls.open_window(actor)
        elif step == "close":
            actions.halls.close_window(actor)
        else:
            text = request.POST.get("ticket", "")
            number = int(text) if text.isascii() and text.isdecimal() else 0
            if step == "move":
                made = actions.halls.move(
                    actor, ticket_id=number, business=request.POST.get("business", ""), once=once
                )
                messages.success(request, f"已转队，新号 {made.number}，位置按原来取号的时间排。")
            elif step in _STEPS:
                _STEPS[step](actor, ticket_id=number)
            else:
                raise NotThere("没有这个操作。")
    except (codes.DeskNeeded, halls.NoWindow) as problem:
        return _desk_first(request, problem)
    except Problem as problem:
        if problem.status in (403, 404) and step != "next":
            raise
        messages.warning(request, f"{problem.detail}{problem.todo}")
    return redirect("services:counter")


class ArrivalForm(codes.ScannerForm):
    """Somebody at the information desk: by code, by number, or just a number for the queue."""

    raw = forms.CharField(
        label="有预约：扫服务码，或输入预约号",
        max_length=2000,
        required=False,
        strip=False,
        widget=forms.TextInput(attrs=codes.SCANNER),
    )
    business = forms.ChoiceField(label="没有预约：办什么", required=False)
    priority = forms.ChoiceField(label="优先", required=False)

    def __init__(self, *args, hall: halls.Hall, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["business"].choices = [("", "—"), *((one.key, one.title) for one in hall.businesses)]
        self.fields["priority"].choices = [
            ("", "没有"),
            *((one.key, f"{one.title}（{one.who}）") for one in halls.rules().priorities.values()),
        ]

    def clean(self):
        """One of the two."""
        given = super().clean()
        if not given.get("raw", "").strip() and not given.get("business"):
            self.add_error("raw", "请扫码、输入预约号，或者选择办什么。")
        return given


@guarded("services.counter")
def arrivals(request: HttpRequest) -> HttpResponse:
    """The information desk (导办台): report for an appointment by code or number, or take a number."""
    actor = request.actor
    try:
        hall, _ = halls.window_of(actor)
    except (codes.DeskNeeded, halls.NoWindow) as problem:
        return _desk_first(request, problem)
    form = ArrivalForm(request.POST or None, hall=hall)

    def run(data: dict, once: str):
        raw, priority = data["raw"].strip(), data["priority"]
        if not raw:
            return actions.halls.take(
                actor, hall=hall.key, business=data["business"], priority=priority, once=once
            )
        if len(raw) == 6 and raw.isascii() and raw.isdecimal():
            return actions.halls.arrive(actor, hall=hall.key, number=raw, priority=priority, once=once)
        visit = queries.halls.new_visit()
        codes.check(actor, raw=raw, case=visit, title=f"{hall.title}预约报到")
        return actions.halls.arrive(actor, hall=hall.key, visit=str(visit), priority=priority, once=once)

    done = perform(request, form, run)
    if done.ok:
        if not done.already:
            messages.success(request, f"号是 {done.result.number}。")
        return redirect("services:arrivals")
    form.forget_scan()
    (view,) = queries.halls.now_in(actor, [hall.key])
    context = {
        "form": form,
        "hall": hall,
        "view": view,
        "screens": [
            (one.key, reverse("services:hall_window", args=[hall.key, window_code(hall.key, one.key)]))
            for one in hall.windows
        ],
        "machine": request.build_absolute_uri(
            reverse("services:hall_kiosk", args=[hall.key, kiosk_code(hall.key)])
        ),
    }
    return render(request, "services/halls/arrivals.html", context, status=done.status)


@guarded("services.read_halls")
def figures(request: HttpRequest) -> HttpResponse:
    """The leader's figures of halls."""
    found = queries.halls.figures(request.actor)
    return render(request, "services/halls/figures.html", {"figures": found, "rules": halls.rules()})
