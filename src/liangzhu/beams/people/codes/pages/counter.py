"""The counter: scan or type, see who it is; by document where there is no code; where one sits."""

import secrets

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from liangzhu.beams.people.codes import actions, checking, outlets, queries
from liangzhu.beams.people.codes.errors import CodeProblem
from liangzhu.beams.people.codes.pages import forms
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.now import today
from liangzhu.kernel.refs import Ref, describe
from liangzhu.kernel.ui.forms import form_view, perform
from liangzhu.kernel.web import guarded


def new_visit() -> str:
    """The case of somebody who came to the window without one yet."""
    return f"counter_visit:{today():%Y%m%d}-{secrets.token_hex(4)}"


def _given(request: HttpRequest) -> dict:
    """What a page that leads here says: which case, which item, which licences."""
    return {
        "case": request.GET.get("case") or new_visit(),
        "item": request.GET.get("item", ""),
        "title": request.GET.get("title", ""),
        "items": request.GET.getlist("licence"),
    }


@guarded("codes.scan")
def scan(request: HttpRequest) -> HttpResponse:
    """One field, emptied after every attempt that did not come to anything, so that the next scan stands alone."""
    actor = request.actor
    desk = queries.desk(actor)
    if desk is None:
        messages.info(request, "第一次扫码，请先设置窗口，一次就好。")
        return redirect(f"{reverse('codes:desk')}?{urlencode({'next': request.get_full_path()})}")
    given = _given(request)
    form = forms.ScanForm(request.POST or None, initial=given)
    done = perform(
        request,
        form,
        lambda data, once: checking.check(actor, **data),
    )
    if done.ok:
        return redirect("codes:result", done.result.scan_id)
    problem = form.problem
    if form.is_bound:
        given = {name: form.data.get(name, "") for name in ("case", "item", "title")}
        form.forget_scan()
    instead = given | {"follows": getattr(problem, "scan_id", None) or ""}
    instead.pop("items", None)
    if isinstance(problem, CodeProblem):
        instead["reason"] = problem.title
    context = {
        "form": form,
        "desk": desk,
        "outlet": outlets.outlet_title(desk.outlet),
        "instead": f"{reverse('codes:document')}?{urlencode(instead)}",
        "recent": queries.recent(actor),
        "simulated": [one.title for one in checking.all_issuers().values() if one.simulated],
    }
    return _unkept(render(request, "codes/scan.html", context, status=done.status))


def _unkept(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store, private"
    return response


@guarded("codes.scan")
def result(request: HttpRequest, scan_id: int) -> HttpResponse:
    """Who it is, as what, and what was agreed to, for this case only."""
    view = queries.scan(request.actor, scan_id)
    again = urlencode({"case": view.row.case, "item": view.row.item})
    instead = urlencode(
        {
            "case": view.row.case,
            "item": view.row.item,
            "follows": view.row.pk,
            "reason": view.row.get_result_display(),
        }
    )
    context = {
        "view": view,
        "shown": view.shown,
        "same": f"{reverse('codes:scan')}?{again}",
        "instead": f"{reverse('codes:document')}?{instead}",
    }
    return _unkept(render(request, "codes/result.html", context))


def _place_of(actor: Actor, case: str) -> str:
    """The page on which a case is worked on, "" where it has none."""
    try:
        ref = Ref.parse(case)
    except ValueError:
        return ""
    return describe([ref], actor)[ref][1]


@guarded("codes.scan")
def document(request: HttpRequest) -> HttpResponse:
    """Go by the original of a document (凭证件办理)."""
    actor = request.actor
    if queries.desk(actor) is None:
        return redirect(f"{reverse('codes:desk')}?{urlencode({'next': request.get_full_path()})}")
    follows = request.GET.get("follows", "")
    given = _given(request) | {
        "follows": int(follows) if follows.isascii() and follows.isdecimal() else None,
        "reason": request.GET.get("reason", ""),
    }

    def run(data: dict, once: str):
        wish = checking.wish_of(actor, case=data.pop("case"), item=data.pop("item"), title=data.pop("title"))
        return actions.check_by_document(actor, wish=wish, once=once, **data)

    return _unkept(
        form_view(
            request,
            forms.DocumentForm(request.POST or None, initial=given),
            run,
            "codes/document.html",
            {},
            back=_place_of(actor, given["case"]) or reverse("codes:scan"),
            onward=lambda row: _place_of(actor, row.case) or reverse("codes:result", args=[row.pk]),
        )
    )


@guarded("codes.scan")
def desk(request: HttpRequest) -> HttpResponse:
    """Where one scans, and the number that the issuer asks for."""
    known = queries.desk(request.actor)
    initial = {"place": f"{known.outlet}|{known.device}"} if known else None

    def run(data: dict, once: str):
        outlet, _, device = data["place"].partition("|")
        return actions.set_up_desk(
            request.actor,
            outlet=outlet,
            device=device,
            identity_number=data["identity_number"],
            once=once,
        )

    wanted = request.GET.get("next", "")
    # Only back to a page of ours.
    back = (
        wanted
        if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, None)
        else reverse("codes:scan")
    )
    return form_view(
        request,
        forms.DeskForm(request.POST or None, known=known is not None, initial=initial),
        run,
        "codes/desk.html",
        {"known": known, "unconfirmed": any(one.unconfirmed for one in outlets.outlets().values())},
        back=back,
        done="窗口已设置。",
    )
