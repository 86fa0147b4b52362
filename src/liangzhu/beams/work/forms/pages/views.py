"""The pages of this app. Every step is drawn from the draft, so that it is the same on whatever device it is opened."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from liangzhu.beams.people.residents.api import resident_page
from liangzhu.beams.work.files import api as attachments
from liangzhu.beams.work.forms import actions, cosigning, queries, showing, specs, state, values
from liangzhu.beams.work.forms.grammar import FormSpec, Step
from liangzhu.beams.work.forms.models import Draft
from liangzhu.beams.work.forms.pages.forms import (
    FEW,
    AnswerForm,
    CodeForm,
    CoSignerForm,
    DeclareForm,
    ResidentSignerForm,
    RevealForm,
    changed,
    drawn_with,
    marks,
    step_form,
    subject_of,
    uploads,
)
from liangzhu.beams.work.forms.pages.forms import (
    sent as read_sent,
)
from liangzhu.beams.work.forms.pages.guard import filling
from liangzhu.kernel import limits
from liangzhu.kernel.errors import NotThere, Problem
from liangzhu.kernel.policies import get_policy
from liangzhu.kernel.ui.forms import Form, perform
from liangzhu.kernel.ui.templatetags.ui import cn_when
from liangzhu.kernel.web import guarded

CODES = limits.Rate("forms_cosign_code", 10)
"""How often one address may try codes in a minute."""


@filling("forms.fill")
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What one has begun, what waits for one's signature, what one sent, and what one may begin."""
    if not request.actor.signed_in:
        return redirect("residents:home")
    return render(request, "forms/home.html", {"home": queries.home(request.actor)})


@filling("forms.fill")
def start(request: HttpRequest, key: str) -> HttpResponse:
    """What a form will ask; beginning it, or going on."""
    try:
        subject = subject_of(request.GET.get("for", ""))
    except ValueError:
        raise NotThere("网址里的事项编号无法识别。") from None
    part = request.GET.get("part", "")
    if part and (not subject or len(part) > 40):
        raise NotThere("网址里的事项编号无法识别。")
    get_policy("forms.fill").require(request.actor, (key, subject, part))
    form = specs.edition(key, subject)
    begun = queries.draft_of(request.actor, key, subject, part)
    if request.method == "POST":
        row = actions.begin(request.actor, key=key, subject=subject, part=part)
        return redirect("forms:resume", row.pk)
    return render(request, "forms/start.html", {"form": form, "begun": begun, "page": Form()})


@filling("forms.fill")
@require_safe
def resume(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Go on where something is missing; with nothing missing, to the summary."""
    row = queries.draft(request.actor, draft_id)
    form = specs.by_release_id(row.release_id)
    open_steps = state.unfinished(form, row.content["answers"])
    if open_steps:
        return redirect("forms:step", row.pk, open_steps[0].name)
    return redirect("forms:check", row.pk)


def _step_of(form: FormSpec, name: str) -> Step:
    found = form.step(name)
    if found is None:
        raise NotThere("这张表单没有这一步。")
    return found


@filling("forms.fill")
def step(request: HttpRequest, draft_id: int, step: str) -> HttpResponse:
    """One step: drawn from the draft; what is sent is kept first, and then it goes where the button says."""
    row = queries.draft(request.actor, draft_id)
    form = specs.by_release_id(row.release_id)
    chosen = _step_of(form, step)
    if request.method != "POST":
        return _draw(request, row, form, chosen, check="check" in request.GET)
    before = row.content
    given = read_sent(form, chosen, request.POST, before["answers"])
    base = drawn_with(request.POST)
    given = changed(given, base)
    _edit_rows(chosen, request.POST.get("go", ""), given, before["answers"])
    files, refused = uploads(request, chosen, before["answers"], request.actor)
    try:
        row = actions.save(
            request.actor,
            draft_id=row.pk,
            version=_version(request, row),
            answers=given,
            files=files,
            over=request.POST.get("go") == "over",
            base=base,
        )
    except actions.Elsewhere as clash:
        drawn = marks(chosen, before["answers"])
        row.content = {**before, "answers": {**before["answers"], **given}}
        return _draw(request, row, form, chosen, clash=clash, drawn=drawn, status=clash.status)
    if refused:
        return _draw(request, row, form, chosen, refused=refused, status=422)
    return _onward(request, row, form, chosen, before["answers"])


def _version(request: HttpRequest, row: Draft) -> int:
    text = request.POST.get("version", "")
    return int(text) if text.isdecimal() else row.version


def _edit_rows(chosen: Step, go: str, given: dict[str, Any], answers: dict[str, Any]) -> None:
    """Add a row to a table, or take one out, as the button says."""
    verb, _, rest = go.partition(":")
    name, _, place = rest.partition(":")
    table = next((one for one in chosen.fields if one.name == name and one.type == "table"), None)
    if table is None or verb not in ("add", "out"):
        return
    rows = list(given.get(name, answers.get(name)) or [])
    if verb == "add" and len(rows) < (table.most or values.ROWS_MAX):
        rows.append({})
    if verb == "out" and place.isdecimal() and int(place) < len(rows):
        rows.pop(int(place))
    given[name] = rows or None


def _onward(
    request: HttpRequest, row: Draft, form: FormSpec, chosen: Step, before: dict[str, Any]
) -> HttpResponse:
    """Where the button leads after saving."""
    go = request.POST.get("go", "next")
    here = reverse("forms:step", args=[row.pk, chosen.name])
    verb, _, rest = go.partition(":")
    if verb in ("add", "out"):
        name = rest.partition(":")[0]
        return redirect(f"{here}#part-{name}")
    if verb == "later":
        messages.success(request, "已保存。换一台设备登录，也可以从这里继续。")
        return redirect(queries.page_of(request.actor, row) or "forms:home")
    if verb == "sources":
        actions.ask_again(request.actor, draft_id=row.pk)
        return redirect(here)
    if verb == "stay":
        messages.success(request, "已保存。")
        return redirect(here)
    answers = row.content["answers"]
    seen = state.view(form, answers)
    if verb == "step" and form.step(rest):
        return redirect("forms:step", row.pk, rest)
    order = [one for one in form.steps if one.name in seen.steps]
    place = order.index(chosen) if chosen in order else 0
    if verb == "back":
        return redirect("forms:step", row.pk, order[max(place - 1, 0)].name)
    if state.faults(form, answers, chosen):
        return redirect(f"{here}?check=1")
    came = seen.fields - state.view(form, before).fields
    if any(one.takes and one.name in came and answers.get(one.name) is None for one in chosen.fields):
        messages.info(request, "按您的回答，本页多了几项，请接着填写。")
        return redirect(here)
    for name, message in state.doubts(form, answers, chosen).items():
        if answers.get(name) != before.get(name):
            messages.warning(request, f"{form.field(name).label}：{message}")
    if place + 1 < len(order):
        return redirect("forms:step", row.pk, order[place + 1].name)
    return redirect("forms:check", row.pk)


def _draw(
    request: HttpRequest,
    row: Draft,
    form: FormSpec,
    chosen: Step,
    *,
    check: bool = False,
    clash: actions.Elsewhere | None = None,
    refused: dict[str, str] | None = None,
    drawn: str = "",
    status: int = 200,
) -> HttpResponse:
    content = row.content
    seen = state.view(form, content["answers"])
    wrong = state.faults(form, content["answers"], chosen) if check else {}
    page = step_form(
        form,
        chosen,
        content,
        version=clash.version if clash else row.version,
        files=attachments.of(row.ref),
        wrong=wrong | (refused or {}),
    )
    order = [one for one in form.steps if one.name in seen.steps]
    unfinished = set(state.unfinished(form, content["answers"]))
    theirs = []
    if clash:
        theirs = [
            (one.label, showing.flat_words(one, clash.theirs[one.name]))
            for one in chosen.fields
            if one.name in clash.theirs
        ]
    context = {
        "draft": row,
        "form": form,
        "step": chosen,
        "page": page,
        "drawn": drawn or marks(chosen, content["answers"]),
        "steps": [
            {"step": one, "state": "now" if one is chosen else "todo" if one in unfinished else "done"}
            for one in order
        ],
        "place": order.index(chosen) + 1 if chosen in order else 1,
        "shown": chosen in order,
        "last": order and order[-1] is chosen,
        "clash": clash,
        "theirs": theirs,
        "failed": [
            block for block in page.blocks if block.origin and block.origin.failed and not block.hidden
        ],
        "newer": queries.carrying(request.actor, row),
        "void": queries.voided(row) if form.cosigners else [],
        "about": queries.about(request.actor, row.subject),
        "days": actions.DRAFT_DAYS,
    }
    return render(request, "forms/step.html", context, status=status)


@filling("forms.fill")
@require_POST
def autosave(request: HttpRequest, draft_id: int, step: str) -> JsonResponse:
    """Keep what is being typed, for the script: the new version, and which parts are shown now. 409 when it changed elsewhere."""
    row = queries.draft(request.actor, draft_id)
    form = specs.by_release_id(row.release_id)
    chosen = _step_of(form, step)
    typed, base = read_sent(form, chosen, request.POST, row.content["answers"]), drawn_with(request.POST)
    try:
        row = actions.save(
            request.actor,
            draft_id=row.pk,
            version=_version(request, row),
            answers=changed(typed, base),
            base=base,
        )
    except Problem as problem:
        return JsonResponse({"title": problem.title, "detail": problem.detail}, status=problem.status)
    shown = state.view(form, row.content["answers"]).names()
    drawn = marks(chosen, row.content["answers"] | typed)
    return JsonResponse(
        {"version": row.version, "saved": cn_when(row.saved_at), "shown": shown, "drawn": drawn}
    )


@filling("forms.fill")
def check(request: HttpRequest, draft_id: int) -> HttpResponse:
    """The summary before sending: everything in words, what is missing, who signs; and sending it."""
    row = queries.draft(request.actor, draft_id)
    found = queries.summary(request.actor, row)
    page = DeclareForm(request.POST if request.method == "POST" else None, version=row.version)
    done = perform(
        request,
        page,
        lambda data, once: actions.send(
            request.actor, draft_id=row.pk, version=data["version"], declared=data["declared"], once=once
        ),
    )
    if done.ok:
        messages.success(request, f"《{found.form.title}》已提交。")
        return redirect("forms:sent", _pk(done.result))
    context = {
        "found": found,
        "page": page,
        "wrong": _wrong(found),
        "newer": queries.carrying(request.actor, row),
    }
    return render(request, "forms/check.html", context, status=done.status)


def _wrong(found: queries.Summary) -> list[tuple[Step, str, str, str]]:
    """What is wrong, for the list on top: (step, id of the control on its page, label, message)."""
    answers = found.draft.content["answers"]
    out = []
    for part in found.parts:
        if not part.wrong:
            continue
        for name, message in state.faults(found.form, answers, part.step).items():
            table, _, rest = name.partition("-")
            one = found.form.field(table)
            label = f"{one.label} 第 {int(rest.partition('-')[0]) + 1} {one.row}" if rest else one.label
            several = one.type in ("place", "choices", "yesno") or (
                one.type == "choice" and len(one.options) <= FEW
            )
            target = f"part-{name}" if one.type == "table" and not rest else f"id_{name}{'_0' * several}"
            out.append((part.step, target, "" if label in message else label, message))
    return out


def _pk(result: Any) -> int:
    """The number of what an action made, or of what its first sending made."""
    return int(str(result).rpartition(":")[2]) if isinstance(result, str) else result.pk


@filling("forms.fill")
def ask(request: HttpRequest, draft_id: int, place: str) -> HttpResponse:
    """Ask somebody to sign, or take the request back (``back``)."""
    row = queries.draft(request.actor, draft_id)
    form = specs.by_release_id(row.release_id)
    wanted = cosigning.place_of(form, place)
    if request.method == "POST" and "back" in request.POST:
        cosigning.take_back(request.actor, draft_id=row.pk, place=place)
        messages.success(request, "已收回邀请。")
        return redirect("forms:check", row.pk)
    outside = cosigning.for_residents(row)
    page = (ResidentSignerForm if outside else CoSignerForm)(
        request.POST if request.method == "POST" else None
    )

    def run(data: dict, once: str):
        if outside:
            return cosigning.ask_resident(request.actor, draft_id=row.pk, place=place, once=once, **data)
        return cosigning.ask_cosigner(
            request.actor,
            draft_id=row.pk,
            place=place,
            person_id=data["person"].pk,
            person_name=data["person"].name,
            once=once,
        )

    done = perform(request, page, run)
    if done.ok:
        word = "请把下面的签署码也告诉对方" if outside else "对方会收到提醒"
        messages.success(request, f"已请{wanted.title}签署，{word}。")
        return redirect("forms:check", row.pk)
    context = {"draft": row, "form": form, "wanted": wanted, "page": page, "outside": outside}
    return render(request, "forms/ask.html", context, status=done.status)


@filling("forms.fill")
def carry(request: HttpRequest, draft_id: int) -> HttpResponse:
    """What a newer release of the form changes for a draft, and going over to it."""
    row = queries.draft(request.actor, draft_id)
    found = queries.carrying(request.actor, row)
    if found is None:
        return redirect("forms:resume", row.pk)
    page = Form(request.POST if request.method == "POST" else None, version=row.version)
    done = perform(
        request,
        page,
        lambda data, once: actions.carry_over(
            request.actor, draft_id=row.pk, version=data["version"], once=once
        ),
    )
    if done.ok:
        messages.success(request, f"已转到第 {found.new.release} 版，请核对变动的几项。")
        return redirect("forms:resume", row.pk)
    return render(
        request, "forms/carry.html", {"draft": row, "found": found, "page": page}, status=done.status
    )


@filling("forms.drop")
def drop(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Give a draft up; asked first."""
    row = queries.draft(request.actor, draft_id)
    form = specs.by_release_id(row.release_id)
    page = Form(request.POST if request.method == "POST" else None)
    back = queries.page_of(request.actor, row) or "forms:home"
    done = perform(request, page, lambda data, once: actions.drop(request.actor, draft_id=row.pk, once=once))
    if done.ok:
        messages.success(request, "草稿已放弃，填写的内容和附件都已删除。")
        return redirect(back)
    return render(request, "forms/drop.html", {"draft": row, "form": form, "page": page}, status=done.status)


@filling("forms.cosign")
def sign(request: HttpRequest, signature_id: int) -> HttpResponse:
    """What a co-signer is asked to sign, what changed since they did, and their answer."""
    found = queries.to_sign(request.actor, signature_id)
    page = AnswerForm(request.POST if request.method == "POST" else None)
    agree = request.POST.get("go") == "sign"
    done = perform(
        request,
        page,
        lambda data, once: cosigning.answer_cosign(
            request.actor,
            signature_id=signature_id,
            digest=request.POST.get("digest", ""),
            sign=agree,
            reason=data["reason"],
            once=once,
        ),
    )
    if done.ok:
        messages.success(request, "已签署。" if agree else "已告知填表人您不同意签署。")
        return redirect("forms:own" if found.row.outside else "forms:home")
    return render(request, "forms/sign.html", {"found": found, "page": page}, status=done.status)


@filling("forms.cosign")
@require_safe
def file_to_sign(request: HttpRequest, signature_id: int, file_id: int) -> HttpResponse:
    """A file that is part of what a co-signer is asked to sign."""
    row = queries.file_to_sign(request.actor, signature_id, file_id)
    response = HttpResponse(attachments.content(row), content_type=row.media_type)
    response.headers["Content-Disposition"] = content_disposition_header(True, row.name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@resident_page()
@require_safe
def own(request: HttpRequest) -> HttpResponse:
    """What waits for one's signature, and what one signed."""
    return render(request, "forms/own.html", {"own": queries.own_signatures(request.actor)})


@resident_page(level=2)
def code(request: HttpRequest) -> HttpResponse:
    """The way in for who was given a code; the address may carry it."""
    page = CodeForm(
        request.POST if request.method == "POST" else None, initial={"code": request.GET.get("code")}
    )

    def run(data: dict, once: str):
        limits.take(CODES, limits.address_key(request))
        return cosigning.come_with_code(request.actor, once=once, **data)

    done = perform(request, page, run)
    if done.ok:
        return redirect("forms:sign", _pk(done.result))
    return render(request, "forms/code.html", {"page": page}, status=done.status)


@resident_page()
@require_safe
def signed(request: HttpRequest, signer_id: int) -> HttpResponse:
    """What one signed, as it was sent."""
    return render(request, "forms/signed.html", {"found": queries.signed(request.actor, signer_id)})


@resident_page()
@require_safe
def signed_proof(request: HttpRequest, signer_id: int) -> JsonResponse:
    """The proof that the log holds one's signature, as a file for the offline verifier."""
    response = JsonResponse(
        queries.signed_proof(request.actor, signer_id), json_dumps_params={"ensure_ascii": False, "indent": 1}
    )
    response.headers["Content-Disposition"] = content_disposition_header(True, f"签署证明-{signer_id}.json")
    return response


@filling("forms.read_snapshot")
def sent(request: HttpRequest, snapshot_id: int) -> HttpResponse:
    """A form as it was sent; made to be printed. Others than the sender see it in full for a reason, which is logged."""
    page = RevealForm(request.POST if request.method == "POST" else None)
    done = perform(
        request,
        page,
        lambda data, once: queries.sent_in_full(request.actor, snapshot_id, data["reason"]),
    )
    found = done.result if done.ok else queries.sent(request.actor, snapshot_id)
    answer = render(request, "forms/sent.html", {"found": found, "page": page}, status=done.status)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@guarded("forms.read")
@require_safe
def kinds(request: HttpRequest) -> HttpResponse:
    """The forms in force, as definitions."""
    return render(request, "forms/kinds.html", {"rows": queries.forms(request.actor)})


@guarded("forms.read")
def kind(request: HttpRequest, key: str, number: int | None = None) -> HttpResponse:
    """What a form asks, its releases, what changed, and the second person's decision on a draft."""
    found = queries.defined(request.actor, key, number)
    page = Form(request.POST if request.method == "POST" else None)
    accept = "refuse" not in request.POST
    done = perform(
        request,
        page,
        lambda data, once: actions.release_form(
            request.actor, release_id=found.row.pk, accept=accept, once=once
        ),
    )
    if done.ok:
        messages.success(
            request,
            "表单已发布；正在填写的草稿可以按原版本填完，也可以转到新版。" if accept else "已退回该版本。",
        )
        return redirect("forms:kind", key=key)
    lines = []
    if found.form:
        lines = [
            (
                one_step,
                queries.condition_words(found.form, one_step.show_if) if one_step.show_if else "",
                [(one, queries.field_words(found.form, one)) for one in one_step.fields if one.takes],
            )
            for one_step in found.form.steps
        ]
    context = {
        "found": found,
        "page": page,
        "key": key,
        "lines": lines,
        "may_release": get_policy("kernel.release")(request.actor),
    }
    return render(request, "forms/kind.html", context, status=done.status)
