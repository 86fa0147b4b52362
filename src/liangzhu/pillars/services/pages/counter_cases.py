"""Applying on behalf at the counter: find, ask, begin, materials, send, print, hand out. Everything by keyboard and scanner."""

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST

from liangzhu.beams.work.decisions import api as decisions
from liangzhu.beams.work.files import api as files
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere, Problem
from liangzhu.kernel.ui.forms import Form, form_view, press
from liangzhu.kernel.web import guarded
from liangzhu.pillars.services import behalf, bundles, finding, guide, halls, queries
from liangzhu.pillars.services.actions import cases as actions
from liangzhu.pillars.services.models import Material
from liangzhu.pillars.services.pages.cases_forms import DeliveryForm, MaterialForm, QuestionsForm
from liangzhu.pillars.services.pages.halls import rating_of

FOLDER = "services/counter/"


def serving_page(view):
    """Let a view of the counter run for window staff; who serves nobody that is known is told so at the counter itself."""

    def run(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        try:
            answer = view(request, *args, **kwargs)
        except (behalf.NobodyServed, behalf.NotRegistered) as problem:
            messages.warning(request, f"{problem.title}。{problem.todo}")
            return redirect("services:counter")
        answer.headers["Cache-Control"] = "no-store, private"
        return answer

    return guarded("services.counter")(run)


halls.offer_at_counter("services.apply", "代为申办", lambda actor, served: _find_address(served))
halls.offer_at_counter("services.collect", "领取结果", lambda actor, served: _collect_address(actor))


def _find_address(served: halls.Serving) -> str:
    return reverse("services:counter_find") if served.holder else ""


def _collect_address(actor: Actor) -> str:
    return reverse("services:counter_results") if queries.counter.collectable(actor) else ""


# Beginning ------------------------------------------------------------------------------------------------------------


@serving_page
def find(request: HttpRequest) -> HttpResponse:
    """Everyday words to bundles and items, and what was begun for this person before."""
    served = queries.counter.served(request.actor)
    asked = request.GET.get("q", "").strip()[:100]
    found = finding.find(asked) if asked else []
    rows = finding.rows(found)
    together = bundles.found(asked, [row.item.key for row in rows[:2]]) if asked else bundles.all_bundles()
    named = {one.key for one in together}
    places = {row.pk: bundles.where_applied(row.item.key) for row in rows}
    context = {
        "served": served,
        "asked": asked,
        "together": together,
        "items": [
            (row, queries.items.unit_name(row), places[row.pk]) for row in rows if places[row.pk] not in named
        ],
        "begun": queries.counter.begun(request.actor),
    }
    return render(request, FOLDER + "find.html", context)


class BeginForm(Form):
    """Beginning it: what the person said about the form's sources."""

    prefill = django_forms.BooleanField(
        label="已说明：从登记库带出姓名、证件号码、电话等预填申请表，本人当面同意",
        required=False,
        help_text="不同意就不勾，逐项填写。",
    )


@serving_page
def begin(request: HttpRequest, key: str) -> HttpResponse:
    """The guide's questions, asked together; then what follows, and beginning it for whoever is being served."""
    actor = request.actor
    served = queries.counter.served(actor)
    one = bundles.bundle(key)
    columns = guide.questions(one)
    asked = "asked" in request.GET or any(column.name in request.GET for column in columns)
    questions = QuestionsForm(request.GET if asked else None, columns=columns)
    context = {"bundle": one, "served": served, "questions": questions, "columns": columns}
    if columns and not (asked and questions.is_valid()):
        return render(request, FOLDER + "questions.html", context, status=422 if asked else 200)
    answers = questions.answers() if columns else {}
    try:
        found = guide.route(one, answers)
    except (decisions.NoRow, Problem) as problem:
        questions.problem = problem
        return render(request, FOLDER + "questions.html", context, status=problem.status)
    return form_view(
        request,
        BeginForm(request.POST or None),
        lambda data, once: actions.begin(actor, bundle=key, answers=answers, once=once, **data),
        FOLDER + "begin.html",
        {**context, "route": found, "again": reverse("services:counter_begin", args=[key])},
        back=reverse("services:counter_find"),
        onward=lambda row: reverse("services:counter_application", args=[row.pk]),
    )


# An application -------------------------------------------------------------------------------------------------------


class SendForm(Form):
    """Sending it for whoever is being served."""

    declared = django_forms.BooleanField(label="申请人看过屏幕上的内容，确认所填内容和材料真实")


@serving_page
def application(request: HttpRequest, pk: int) -> HttpResponse:
    """All of it on one page: the form, each material and where it comes from, delivery, sending; then the papers to print."""
    actor = request.actor
    row = queries.counter.application(actor, pk)
    served = queries.counter.served(actor)
    if row.submitted_at is not None:
        context = {"application": row, "served": served, "cases": queries.counter.sent(actor, row)}
        context["collect"] = row.matter.state == "handing_out"
        return render(request, FOLDER + "sent.html", context)
    found = queries.cases.preparing(actor, row)
    who = behalf.applying(actor, kind=row.bundle, title=row.title, case=str(row.ref))
    return form_view(
        request,
        SendForm(request.POST or None, version=row.version),
        lambda data, once: actions.submit(
            actor, application_id=pk, version=data["version"], declared=data["declared"], once=once
        ),
        FOLDER + "application.html",
        {"application": row, "served": served, "found": found, "carried": set(who.consented or ())},
        back=_address(pk),
        done="已经提交。下面可以受理，打印凭证。",
    )


def _address(pk: int) -> str:
    return reverse("services:counter_application", args=[pk])


@require_POST
@serving_page
def renew(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on under the items' new versions."""
    row = queries.counter.application(request.actor, pk)
    press(
        request,
        lambda: actions.renew(request.actor, application_id=row.pk),
        "已按新版本更新，填写的内容和材料都在。",
    )
    return redirect(_address(pk))


@serving_page
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Give up an application that was not sent."""
    row = queries.counter.application(request.actor, pk)
    return form_view(
        request,
        Form(request.POST or None),
        lambda data, once: actions.drop(request.actor, application_id=pk, once=once),
        FOLDER + "drop.html",
        {"application": row},
        back=_address(pk),
        done="已删除这份没有提交的申请。",
        onward=lambda _: reverse("services:counter"),
    )


# Materials ------------------------------------------------------------------------------------------------------------


@require_POST
@serving_page
def fetch(request: HttpRequest, pk: int) -> HttpResponse:
    """Fetch what the person agreed to: with the code, or by word at the window."""
    row = queries.counter.application(request.actor, pk)
    keys = request.POST.getlist("key")
    if not keys:
        messages.warning(request, "没有勾选材料。对方不同意读取的，点“改为提交原件”。")
        return redirect(_address(pk))
    if not request.POST.get("agreed"):
        messages.warning(
            request,
            "请先把要读取的内容念给对方听，对方同意以后勾选“本人当面同意”；服务码带来的同意也要说明。",
        )
        return redirect(_address(pk))
    states = list(actions.fetch(request.actor, application_id=row.pk, keys=keys).values())
    held, late = states.count(Material.HELD), states.count(Material.TO_VERIFY)
    if held:
        messages.success(request, f"已取得 {held} 份，不用提交。")
    if late:
        messages.info(request, f"{late} 份来源没有给，由工作人员核验，已记入日志，不要向对方收取。")
    return redirect(_address(pk))


_MATERIAL_STEPS = {
    "seen": (actions.see_original, "已记下看过原件：{}。"),
    "bring": (actions.bring, "改为提交原件：{}。"),
    "promise": (actions.promise, "已用书面承诺代替：{}。"),
}


@require_POST
@serving_page
def material_step(request: HttpRequest, pk: int, material_id: int, step: str) -> HttpResponse:
    """One button of a material: the original was seen, the person brings it, or promises in writing."""
    found = _material(request, pk, material_id)
    if step not in _MATERIAL_STEPS:
        raise NotThere("没有这个操作。")
    run, words = _MATERIAL_STEPS[step]
    press(
        request,
        lambda: run(request.actor, material_id=found.row.pk),
        words.format(f"“{found.row.title}”"),
    )
    return redirect(f"{_address(pk)}#material-{material_id}")


def _material(request: HttpRequest, pk: int, material_id: int) -> queries.cases.MaterialView:
    row = queries.counter.application(request.actor, pk)
    found = next((one for one in queries.cases.materials(row) if one.row.pk == material_id), None)
    if found is None:
        raise NotThere("没有找到这份材料。")
    return found


@serving_page
def material(request: HttpRequest, pk: int, material_id: int) -> HttpResponse:
    """Scan a material in, as files."""
    row = queries.counter.application(request.actor, pk)
    found = _material(request, pk, material_id)
    return form_view(
        request,
        MaterialForm(request.POST or None, request.FILES or None, actor=request.actor),
        lambda data, once: actions.give(
            request.actor, material_id=material_id, uploads=data["uploads"], once=once
        ),
        FOLDER + "material.html",
        {"application": row, "material": found},
        back=_address(pk),
        done=f"已收到“{found.row.title}”。",
    )


@require_POST
@serving_page
def take_back(request: HttpRequest, pk: int, material_id: int, file_id: int) -> HttpResponse:
    """Take a file out again."""
    found = _material(request, pk, material_id)
    actions.take_back(request.actor, material_id=found.row.pk, file_id=file_id)
    messages.success(request, "已删除这个文件。")
    return redirect("services:counter_material", pk, material_id)


@serving_page
def delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask how the results shall come."""
    row = queries.counter.application(request.actor, pk)
    return form_view(
        request,
        DeliveryForm(request.POST or None, initial={"delivery": row.delivery, "address": row.address or ""}),
        lambda data, once: actions.choose_delivery(request.actor, application_id=pk, once=once, **data),
        FOLDER + "delivery.html",
        {"application": row},
        back=_address(pk),
        done="已记下。",
    )


# Afterwards -----------------------------------------------------------------------------------------------------------


@require_POST
@serving_page
def accept(request: HttpRequest, pk: int, case_id: int) -> HttpResponse:
    """Accept one case at the window; its numbered paper can be printed at once."""
    row = queries.counter.application(request.actor, pk)
    case = row.cases.filter(pk=case_id).first()
    if case is None:
        raise NotThere("没有找到这个办件。")
    press(
        request,
        lambda: actions.accept(request.actor, case_id=case.pk),
        f"已受理“{case.name}”，请打印受理通知书交给对方。",
    )
    return redirect(_address(pk))


@serving_page
def paper(request: HttpRequest, pk: int, case_id: int, paper_id: int) -> HttpResponse:
    """A numbered paper as PDF, shown by the browser, which prints it."""
    row = queries.counter.paper(request.actor, pk, case_id, paper_id)
    response = HttpResponse(files.content(row), content_type=row.media_type)
    response.headers["Content-Disposition"] = content_disposition_header(False, row.name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@serving_page
def slip(request: HttpRequest, pk: int) -> HttpResponse:
    """What the applicant takes along: numbers, the password, the papers' numbers, and how to rate the window."""
    actor = request.actor
    row = queries.counter.application(actor, pk)
    if row.submitted_at is None:
        return redirect(_address(pk))
    context = {"application": row, "cases": queries.counter.sent(actor, row)}
    return render(request, FOLDER + "slip.html", context | rating_of(request, behalf.ticket_of(actor)))


@serving_page
def results(request: HttpRequest) -> HttpResponse:
    """What waits to be handed out to whoever is being served."""
    context = {
        "served": queries.counter.served(request.actor),
        "results": queries.counter.results(request.actor),
    }
    return render(request, FOLDER + "results.html", context)


@require_POST
@serving_page
def hand_over(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand the results of one application out; the scan of this number is the signature."""
    queries.counter.served(request.actor)
    press(
        request,
        lambda: actions.hand_over(request.actor, application_id=pk),
        lambda row: f"“{row.title}”已出件，送达回证 {queries.cases.receipts(row)[-1].number}。",
    )
    return redirect("services:counter_results")
