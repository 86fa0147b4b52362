"""The guide of a bundle, and the pages of whoever applies."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST

from liangzhu.beams.people.residents.api import resident_page
from liangzhu.beams.work.decisions import api as decisions
from liangzhu.beams.work.files import api as files
from liangzhu.kernel import limits
from liangzhu.kernel.errors import NotThere, Problem
from liangzhu.kernel.ui.forms import Form, form_view, perform
from liangzhu.kernel.web import guarded
from liangzhu.pillars.services import bundles, guide
from liangzhu.pillars.services.actions import cases as actions
from liangzhu.pillars.services.models import Application, ItemVersion, Material
from liangzhu.pillars.services.pages import items
from liangzhu.pillars.services.pages.cases_forms import (
    CorrectForm,
    DeliveryForm,
    LookUpForm,
    MaterialForm,
    PostingForm,
    QuestionsForm,
    SubmitForm,
    VerifyForm,
    WithdrawForm,
)
from liangzhu.pillars.services.queries import cases as queries
from liangzhu.pillars.services.queries import incentives

LOOK_UPS = limits.Rate("services_look_up", 30)
"""How often one address may try numbers and passwords in a minute."""


def _where(version: ItemVersion) -> str:
    key = bundles.where_applied(version.item.key)
    return reverse("services:bundle", args=[key]) if key else ""


items.apply_by(_where)

# The guide ------------------------------------------------------------------------------------------------------


@guarded("kernel.public")
def bundle(request: HttpRequest, key: str) -> HttpResponse:
    """A bundle: its questions, then what follows from the answers. Nobody need sign in for it."""
    one = bundles.bundle(key)
    columns = guide.questions(one)
    asked = "asked" in request.GET or any(column.name in request.GET for column in columns)
    form = QuestionsForm(request.GET if asked else None, columns=columns)
    context = {"bundle": one, "form": form, "columns": columns, "kept": _policy(request.GET)}
    if columns and not (asked and form.is_valid()):
        return render(request, "services/cases/questions.html", context, status=422 if asked else 200)
    answers = form.answers() if columns else {}
    try:
        found = guide.route(one, answers)
    except (decisions.NoRow, Problem) as problem:
        form.problem = problem
        return render(request, "services/cases/questions.html", context, status=problem.status)
    given = [*_given(request.GET, columns), *_policy(request.GET)]
    return render(
        request,
        "services/cases/route.html",
        {**context, "route": found, "begin": f"{reverse('services:begin', args=[key])}?{urlencode(given)}"},
    )


def _policy(data: QueryDict) -> list[tuple[str, str]]:
    """The policy that one is about to apply for, as it stands in an address."""
    number = data.get("policy", "")
    return [("policy", number)] if number.isdecimal() and len(number) < 10 else []


def _given(data: QueryDict, columns: list[decisions.Column]) -> list[tuple[str, str]]:
    """The answers as they stand in an address."""
    return [(one.name, value) for one in columns for value in data.getlist(one.name)]


@resident_page(level=2)
def begin(request: HttpRequest, key: str) -> HttpResponse:
    """For whom one is about to apply, and for what; then it begins. The answers travel in the address."""
    one = bundles.bundle(key)
    columns = guide.questions(one)
    asked = QuestionsForm(request.GET, columns=columns)
    given = [*_given(request.GET, columns), *_policy(request.GET)]
    policy = int(_policy(request.GET)[0][1]) if _policy(request.GET) else None
    back = f"{reverse('services:bundle', args=[key])}?{urlencode(given)}"
    if columns and not asked.is_valid():
        return redirect(back)
    answers = asked.answers() if columns else {}
    form = Form(request.POST or None)
    return form_view(
        request,
        form,
        lambda data, once: actions.begin(
            request.actor, bundle=key, answers=answers, incentive_id=policy, once=once
        ),
        "services/cases/begin.html",
        {
            "bundle": one,
            "route": guide.route(one, answers),
            "actor": request.actor,
            "policy": incentives.one_published(policy) if policy else None,
        },
        back=back,
        onward=lambda row: reverse("services:application", args=[row.pk]),
    )


# An application ---------------------------------------------------------------------------------------------


@resident_page()
def application(request: HttpRequest, pk: int) -> HttpResponse:
    """One application: what is left to do before it is sent, then where each case is."""
    row = queries.application(request.actor, pk)
    if row.submitted_at is not None:
        cases = queries.progress(request.actor, row)
        context = {
            "application": row,
            "cases": cases,
            "materials": queries.materials(row),
            "receipt": queries.receipts(row),
            "may_withdraw": row.matter.state == "running" and any(one.may_withdraw for one in cases),
        }
        return render(request, "services/cases/progress.html", context)
    found = queries.preparing(request.actor, row)
    form = SubmitForm(request.POST or None, version=row.version)
    context = {"application": row, "found": found}

    def run(data, once):
        return actions.submit(
            request.actor,
            application_id=pk,
            version=data["version"],
            declared=data["declared"],
            once=once,
        )

    here = reverse("services:application", args=[pk])
    return form_view(
        request,
        form,
        run,
        "services/cases/prepare.html",
        context,
        back=here,
        done="已经提交。各部门同时开始办理，进展会在这里和消息里告诉您。",
    )


@require_POST
@resident_page()
def renew(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on under the items' new versions."""
    actions.renew(request.actor, application_id=pk)
    messages.success(request, "已按新版本更新。已填写的内容和材料都在，请再核对一遍。")
    return redirect("services:application", pk)


@resident_page()
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Give up an application that was not sent."""
    row = queries.application(request.actor, pk)
    form = WithdrawForm(request.POST or None)
    del form.fields["reason"]
    return form_view(
        request,
        form,
        lambda data, once: actions.drop(request.actor, application_id=pk, once=once),
        "services/cases/drop.html",
        {"application": row},
        back=reverse("residents:home"),
        done="已删除这份没有提交的申请。",
    )


@resident_page()
def materials(request: HttpRequest, pk: int) -> HttpResponse:
    """The materials: which government has, which are made on the way, which only the applicant has."""
    row = queries.application(request.actor, pk)
    if row.submitted_at is not None:
        return redirect("services:application", pk)
    return render(
        request,
        "services/cases/materials.html",
        {"application": row, "materials": queries.materials(row)},
    )


@require_POST
@resident_page()
def fetch(request: HttpRequest, pk: int) -> HttpResponse:
    """Fetch what the applicant ticked, with his consent."""
    keys = request.POST.getlist("key")
    if not keys:
        messages.warning(request, "没有勾选材料。不同意获取的，可以自己上传。")
        return redirect("services:materials", pk)
    states = list(actions.fetch(request.actor, application_id=pk, keys=keys).values())
    held, late = states.count(Material.HELD), states.count(Material.TO_VERIFY)
    if held:
        messages.success(request, f"已取得 {held} 份，不用您提交。")
    if late:
        messages.info(request, f"{late} 份没有取到，由工作人员核验，也不用您提交。")
    return redirect("services:materials", pk)


@require_POST
@resident_page()
def bring(request: HttpRequest, pk: int, material_id: int) -> HttpResponse:
    """Rather bring a material oneself."""
    actions.bring(request.actor, material_id=_material(request, pk, material_id).row.pk)
    return redirect("services:material", pk, material_id)


@require_POST
@resident_page()
def promise(request: HttpRequest, pk: int, material_id: int) -> HttpResponse:
    """Promise in writing what a material would show."""
    found = _material(request, pk, material_id)
    actions.promise(request.actor, material_id=found.row.pk)
    messages.success(request, f"已用承诺代替“{found.row.title}”。")
    return redirect("services:materials", pk)


@require_POST
@resident_page()
def take_back(request: HttpRequest, pk: int, material_id: int, file_id: int) -> HttpResponse:
    """Take a file out again."""
    found = _material(request, pk, material_id)
    actions.take_back(request.actor, material_id=found.row.pk, file_id=file_id)
    messages.success(request, "已删除这个文件。")
    return redirect("services:material", pk, material_id)


def _material(request: HttpRequest, pk: int, material_id: int) -> queries.MaterialView:
    """A material of one's own application. Raises NotThere."""
    row = queries.application(request.actor, pk)
    found = next((one for one in queries.materials(row) if one.row.pk == material_id), None)
    if found is None:
        raise NotThere("没有找到这份材料。")
    return found


@resident_page()
def material(request: HttpRequest, pk: int, material_id: int) -> HttpResponse:
    """Upload files for one material."""
    row = queries.application(request.actor, pk)
    found = _material(request, pk, material_id)
    form = MaterialForm(request.POST or None, request.FILES or None, actor=request.actor)
    return form_view(
        request,
        form,
        lambda data, once: actions.give(
            request.actor, material_id=material_id, uploads=data["uploads"], once=once
        ),
        "services/cases/material.html",
        {"application": row, "material": found},
        back=reverse("services:materials", args=[pk]),
        done=f"已收到“{found.row.title}”。",
    )


@resident_page()
def delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose how the results come."""
    row = queries.application(request.actor, pk)
    form = DeliveryForm(
        request.POST or None,
        initial={"delivery": row.delivery, "address": queries.own_address(request.actor, row)},
    )
    return form_view(
        request,
        form,
        lambda data, once: actions.choose_delivery(request.actor, application_id=pk, once=once, **data),
        "services/cases/delivery.html",
        {"application": row},
        back=reverse("services:application", args=[pk]),
        done="已记下。",
    )


@resident_page()
def correct(request: HttpRequest, pk: int, case_id: int) -> HttpResponse:
    """Answer a correction notice."""
    row = queries.application(request.actor, pk)
    view = next((one for one in queries.progress(request.actor, row) if one.case.pk == case_id), None)
    if view is None or not view.may_correct:
        return redirect("services:application", pk)
    form = CorrectForm(request.POST or None, request.FILES or None, actor=request.actor)
    return form_view(
        request,
        form,
        lambda data, once: actions.correct(request.actor, case_id=case_id, once=once, **data),
        "services/cases/correct.html",
        {"application": row, "view": view},
        back=reverse("services:application", args=[pk]),
        done="已提交补正，承办部门会接着办。",
    )


@resident_page()
def withdraw(request: HttpRequest, pk: int, case_id: int | None = None) -> HttpResponse:
    """Withdraw one case, or all of it."""
    row = queries.application(request.actor, pk)
    view = None
    if case_id is not None:
        view = next((one for one in queries.progress(request.actor, row) if one.case.pk == case_id), None)
        if view is None or not view.may_withdraw:
            return redirect("services:application", pk)
    form = WithdrawForm(request.POST or None)

    def run(data, once):
        if case_id is None:
            return actions.withdraw(request.actor, application_id=pk, once=once, **data)
        return actions.withdraw_case(request.actor, case_id=case_id, once=once, **data)

    return form_view(
        request,
        form,
        run,
        "services/cases/withdraw.html",
        {"application": row, "view": view},
        back=reverse("services:application", args=[pk]),
        done="已撤回。",
    )


@resident_page()
def paper(request: HttpRequest, pk: int, case_id: int, paper_id: int) -> HttpResponse:
    """A paper of one's own case, as PDF."""
    return _file(queries.paper_file(request.actor, pk, case_id, paper_id))


def _file(row: files.Attachment) -> HttpResponse:
    response = HttpResponse(files.content(row), content_type=row.media_type)
    response.headers["Content-Disposition"] = content_disposition_header(True, row.name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@guarded("kernel.public")
def look_up(request: HttpRequest) -> HttpResponse:
    """Where an application is, by number and password, without an account."""
    form = LookUpForm(request.POST or None)

    def run(data, once):
        limits.take(LOOK_UPS, limits.address_key(request))
        return queries.by_number(data["number"], data["password"])

    done = perform(request, form, run)
    context = {"form": form}
    if done.ok:
        row: Application = done.result
        context |= {"application": row, "cases": queries.public_progress(row)}
    return render(request, "services/cases/look_up.html", context, status=done.status)


# Staff ------------------------------------------------------------------------------------------------------------


@guarded("services.verify_material")
def verify(request: HttpRequest, material_id: int, matter_id: int) -> HttpResponse:
    """Note that a material was verified by staff."""
    row = queries.material_to_verify(request.actor, material_id, matter_id)
    form = VerifyForm(request.POST or None)
    return form_view(
        request,
        form,
        lambda data, once: actions.verify(
            request.actor, material_id=row.pk, good=data["good"] == "yes", note=data["note"], once=once
        ),
        "services/cases/verify.html",
        {"material": row},
        back=reverse("matters:matter", args=[matter_id]),
        done="已记下核验结果。",
    )


@guarded("services.post_results")
def posting(request: HttpRequest, matter_id: int) -> HttpResponse:
    """Where to post the results, shown once for a reason."""
    row = queries.posting(request.actor, matter_id)
    form = PostingForm(request.POST or None)
    done = perform(
        request,
        form,
        lambda data, once: queries.posting_address(request.actor, matter_id, data["reason"]),
    )
    context = {
        "form": form,
        "application": row,
        "address": done.result if done.ok else "",
        "matter_id": matter_id,
    }
    return render(request, "services/cases/posting.html", context, status=done.status)


@guarded("matters.work")
def case_paper(request: HttpRequest, matter_id: int, paper_id: int) -> HttpResponse:
    """A paper of a case, as PDF."""
    return _file(queries.paper_of_case(request.actor, matter_id, paper_id))
