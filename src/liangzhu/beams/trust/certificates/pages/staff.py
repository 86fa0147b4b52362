"""The workbench: a unit's certificates, one of them, issuing by hand, changing state; and the seals."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.trust.certificates import actions, kinds, queries
from liangzhu.beams.trust.certificates.pages import forms
from liangzhu.beams.trust.certificates.pages.holder import download
from liangzhu.beams.trust.certificates.states import STATES
from liangzhu.kernel.errors import Invalid
from liangzhu.kernel.paging import page
from liangzhu.kernel.ui.forms import form_view, perform
from liangzhu.kernel.web import guarded


@guarded("certificates.read")
def certificate_list(request: HttpRequest) -> HttpResponse:
    """The certificates of the unit."""
    wanted = {name: request.GET.get(name, "") for name in ("kind", "state", "number")}
    found = page(queries.of_unit(request.actor, **wanted), request, ("-id",))
    form = forms.FilterForm(request.GET)
    form.fields["kind"].choices = [
        ("", "全部"),
        *((one.key, one.title) for one in kinds.issued_by(request.actor.unit_id)),
    ]
    form.fields["state"].choices = [("", "全部"), *STATES.items()]
    return render(
        request,
        "certificates/list.html",
        {
            "page": found,
            "rows": [queries.view_of(row) for row in found],
            "form": form,
            "filtered": any(wanted.values()),
        },
    )


@guarded("certificates.read")
def certificate(request: HttpRequest, certificate_id: int) -> HttpResponse:
    """One certificate, masked."""
    return _certificate(request, certificate_id, forms.ReasonForm())


def _certificate(request: HttpRequest, certificate_id: int, form: forms.ReasonForm, **given) -> HttpResponse:
    found = queries.certificate(request.actor, certificate_id)
    status = given.pop("status", 200)
    return render(
        request,
        "certificates/certificate.html",
        {"it": found, "view": found.view, "form": form, **given},
        status=status,
    )


@guarded("certificates.read")
@require_POST
def read(request: HttpRequest, certificate_id: int) -> HttpResponse:
    """One certificate in full, for a reason, once."""
    form = forms.ReasonForm(request.POST)
    full: list = []
    done = perform(
        request,
        form,
        lambda data, once: full.extend(queries.read_in_full(request.actor, certificate_id, data["reason"])),
    )
    response = _certificate(request, certificate_id, form, full=full, status=done.status)
    response["Cache-Control"] = "no-store"
    return response


@guarded("certificates.read")
@require_POST
def pdf(request: HttpRequest, certificate_id: int) -> HttpResponse:
    """The PDF, for a reason."""
    form = forms.ReasonForm(request.POST)
    found: list = []
    done = perform(
        request,
        form,
        lambda data, once: found.append(
            queries.staff_file(request.actor, certificate_id, reason=data["reason"])
        ),
    )
    if not done.ok:
        return _certificate(request, certificate_id, form, status=done.status)
    return download(*found[0], "application/pdf")


@guarded("certificates.issue")
def change(request: HttpRequest, certificate_id: int) -> HttpResponse:
    """Another state."""
    found = queries.certificate(request.actor, certificate_id)
    form = forms.StateForm(request.POST or None, steps=found.steps, version=found.view.version)
    return form_view(
        request,
        form,
        lambda data, once: actions.change_by_hand(
            request.actor, certificate_id=certificate_id, once=once, **data
        ),
        "certificates/change.html",
        {"it": found, "view": found.view},
        back=reverse("certificates:certificate", args=[certificate_id]),
        done="证照状态已变更，核验页面立即显示。",
    )


@guarded("certificates.issue")
def choose(request: HttpRequest) -> HttpResponse:
    """Which kind to issue."""
    return render(request, "certificates/choose.html", {"kinds": kinds.issued_by(request.actor.unit_id)})


@guarded("certificates.issue")
def issue(request: HttpRequest, kind: str) -> HttpResponse:
    """Issue one by hand."""
    what = kinds.kind_of(kind)
    form = forms.IssueForm(request.POST or None, kind=what)

    def run(data: dict, once: str):
        holder, name = registers.holder(request.actor, data["holder_kind"], data["holder_number"])
        previous = None
        if data["previous"]:
            previous = queries.own_predecessor(request.actor, data["previous"])
        try:
            return actions.issue_by_hand(
                request.actor,
                kind=kind,
                unit_id=request.actor.unit_id,
                holder=holder,
                holder_name=name,
                fields={one.key: data[f"f_{one.key}"] for one in what.fields},
                operation=data["operation"],
                previous=previous,
                previous_identifier=data["previous"],
                valid_from=data["valid_from"],
                valid_until=data["valid_until"],
                once=once,
            )
        except Invalid as invalid:
            known = {one.key for one in what.fields}
            raise Invalid(
                {f"f_{key}" if key in known else key: words for key, words in invalid.fields.items()}
            ) from None

    return form_view(
        request,
        form,
        run,
        "certificates/issue.html",
        {"kind": what},
        back=reverse("certificates:list"),
        onward=lambda row: reverse("certificates:certificate", args=[row.pk]),
        done="已核发，证照立即可以核验。",
    )


# Seals ----------------------------------------------------------------------------------------------------------------


@guarded("certificates.keep_seals")
def seals(request: HttpRequest) -> HttpResponse:
    """All seals."""
    return render(
        request, "certificates/seals.html", {"page": page(queries.seals(request.actor), request, ("-id",))}
    )


@guarded("certificates.keep_seals")
def new_seal(request: HttpRequest) -> HttpResponse:
    """Propose one."""
    form = forms.SealForm(request.POST or None, units=queries.issuing_units())

    def run(data: dict, once: str):
        unit = int(data.pop("unit_id"))
        return actions.propose_seal(request.actor, unit_id=unit, once=once, **data)

    return form_view(
        request,
        form,
        run,
        "certificates/ask.html",
        {
            "title": "提出启用印章",
            "submit": "提出",
            "effect": "由另一位印章管理员复核后启用。",
            "list": reverse("certificates:seals"),
        },
        back=reverse("certificates:seals"),
        done="已提出，等另一位印章管理员复核。",
    )


@guarded("certificates.keep_seals")
def seal(request: HttpRequest, seal_id: int) -> HttpResponse:
    """One seal; whoever did not propose it decides."""
    row = queries.seal(request.actor, seal_id)
    form = forms.DecideForm(request.POST if request.method == "POST" else None)
    done = perform(
        request,
        form,
        lambda data, once: actions.decide_seal(
            request.actor, seal_id=seal_id, accept="refuse" not in request.POST, once=once
        ),
    )
    if done.ok:
        return redirect("certificates:seal", seal_id)
    decides = row.waits and row.proposed_by != str(request.actor.ref)
    return render(
        request,
        "certificates/seal.html",
        {"row": row, "form": form, "decides": decides, "unit": queries.unit_of(row)},
        status=done.status,
    )


@guarded("certificates.keep_seals")
def end_seal(request: HttpRequest, seal_id: int) -> HttpResponse:
    """Propose its end."""
    row = queries.seal(request.actor, seal_id)
    return form_view(
        request,
        forms.EndSealForm(request.POST or None),
        lambda data, once: actions.propose_seal_end(request.actor, seal_id=seal_id, once=once, **data),
        "certificates/ask.html",
        {
            "title": f"停用{row.get_use_display()}",
            "submit": "提出停用",
            "effect": "另一位印章管理员同意后停用；已经签发的证照仍然有效。",
            "list": reverse("certificates:seals"),
        },
        back=reverse("certificates:seal", args=[seal_id]),
        done="已提出停用。",
    )
