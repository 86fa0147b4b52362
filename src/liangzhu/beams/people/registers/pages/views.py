"""The pages of persons, organisations, mandates and proposals."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from liangzhu.beams.people.registers import actions, queries
from liangzhu.beams.people.registers.pages import forms
from liangzhu.kernel.now import today
from liangzhu.kernel.paging import page
from liangzhu.kernel.policies import get_policy
from liangzhu.kernel.ui.forms import Form, perform, press
from liangzhu.kernel.web import guarded

HOME = "自然人和组织"
SENT = "已提出，等另一位登记管理员复核；复核通过后生效。"
EFFECT = "提出后由另一位登记管理员复核，通过才生效。"


def _ask(
    request: HttpRequest,
    form: Form,
    run: Callable[[dict[str, Any], str], Any],
    *,
    title: str,
    back: str,
    submit: str = "提交复核",
    lead: str = "",
    effect: str = EFFECT,
    danger: bool = False,
    done: str = SENT,
    onward: Callable[[Any], str] | None = None,
) -> HttpResponse:
    """A page with one form. ``done`` is said when it was performed, ``onward(result)`` is where one goes then."""
    outcome = perform(request, form, run)
    if outcome.ok:
        if not outcome.already:
            messages.success(request, done)
        return redirect(onward(outcome.result) if onward and not outcome.already else back)
    context = {
        "form": form,
        "title": title,
        "back": back,
        "submit": submit,
        "crumbs": [(HOME, reverse("registers:home"))],
        "lead": lead,
        "effect": effect,
        "danger": danger,
    }
    return render(request, "directory/ask.html", context, status=outcome.status)


def _propose(
    request: HttpRequest, kind: str, form: Form, back: str, subject: str = "", **more: Any
) -> HttpResponse:
    """A page that proposes a change; fields that name somebody become references."""

    def run(data: dict, once: str):
        other = ""
        reason = data.pop("reason")
        if "other" in data:
            party = queries.party(
                request.actor, data.pop("other_kind", "natural_person"), data.pop("other"), "other"
            )
            other = str(party)
        if data.get("legal_representative"):
            name = "legal_representative"
            data[name] = queries.party(request.actor, "natural_person", data[name], name).id
        data["may_delegate"] = "yes" if data.get("may_delegate") else ""
        return actions.propose_change(
            request.actor, kind=kind, subject=subject, other=other, data=data, reason=reason, once=once
        )

    return _ask(request, form, run, back=back, title=queries.kind_title(kind), onward=_to_proposal, **more)


def _to_proposal(row: Any) -> str:
    return reverse("registers:proposal", args=[row.pk])


@guarded("registers.record")
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """Look for a person or an organisation. The question is sent, not put into the address: addresses are logged."""
    form = forms.FindForm(request.POST or None)
    found = None
    if form.is_bound and form.is_valid():
        found = queries.find(request.actor, **{form.cleaned_data["by"]: form.cleaned_data["q"]})
    context = {"form": form, "found": found, "waiting": queries.review_count(request.actor)}
    return render(request, "registers/home.html", context)


# Persons --------------------------------------------------------------------------------------------------------------


def _person_url(person_id: int) -> str:
    return reverse("registers:person", args=[person_id])


@guarded("registers.read_person")
@never_cache
def person(request: HttpRequest, person_id: int) -> HttpResponse:
    """One person, masked. One that was merged leads to the one that goes on."""
    row = queries.person(request.actor, person_id)
    if row.merged_into_id:
        messages.info(request, f"编号 {person_id} 已并入这一条登记。")
        return redirect("registers:person", row.merged_into_id)
    return _person_page(request, row, forms.ReadForm())


@guarded("registers.read_person")
@require_POST
@never_cache
def read_person(request: HttpRequest, person_id: int) -> HttpResponse:
    """The person with the wanted fields in full, once; the log keeps who read what and why."""
    form = forms.ReadForm(request.POST)
    outcome = perform(
        request,
        form,
        lambda data, once: queries.read_in_full(request.actor, person_id, data["wanted"], data["reason"]),
    )
    row = queries.person(request.actor, person_id)
    full = outcome.result if outcome.ok else {}
    return _person_page(request, row, forms.ReadForm() if outcome.ok else form, full, outcome.status)


def _person_page(
    request: HttpRequest, row: Any, form: Form, full: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    officer = get_policy("registers.record")(request.actor)
    context = {
        "row": row,
        "facts": queries.person_facts(row, full or {}),
        "in_full": bool(full),
        "form": form,
        "officer": officer,
        "mandates": queries.mandates(request.actor, row.ref) if officer else [],
        "represents": queries.represented(request.actor, row),
        "retention": queries.retention(request.actor, row) if officer and not row.forgotten else None,
    }
    return render(request, "registers/person.html", context, status=status)


@guarded("registers.record")
@never_cache
def new_person(request: HttpRequest) -> HttpResponse:
    """Propose to register a person."""
    form = forms.PersonForm(request.POST or None, initial={"as_of": today()})
    return _propose(request, "person_new", form, reverse("registers:home"))


@guarded("registers.record")
@never_cache
def change_person(request: HttpRequest, person_id: int) -> HttpResponse:
    """Propose to change what is registered of a person."""
    row = queries.person(request.actor, person_id)
    form = forms.ChangePersonForm(request.POST or None, initial={"as_of": today()}, row=row)
    return _propose(
        request, "person_change", form, _person_url(person_id), str(row.ref), lead=queries.person_label(row)
    )


@guarded("registers.record")
@never_cache
def merge_person(request: HttpRequest, person_id: int) -> HttpResponse:
    """Propose that this row and another one are one person."""
    row = queries.person(request.actor, person_id)
    return _propose(
        request,
        "person_merge",
        forms.MergeForm(request.POST or None),
        _person_url(person_id),
        str(row.ref),
        lead=f"{queries.person_label(row)} 并入另一条登记。",
        effect="复核通过后，这一条的引用、授权都转到保留的那一条，不能撤回。",
        danger=True,
    )


@guarded("registers.record")
@never_cache
def forget_person(request: HttpRequest, person_id: int) -> HttpResponse:
    """Propose to destroy a person's values by rule."""
    row = queries.person(request.actor, person_id)
    return _propose(
        request,
        "person_forget",
        forms.ReasonForm(request.POST or None),
        _person_url(person_id),
        str(row.ref),
        lead=queries.person_label(row),
        effect="复核通过后，这个人的登记内容连同密钥一并销毁，不能恢复；操作日志保留。",
        danger=True,
    )


@guarded("registers.record")
@never_cache
def authorise_for_person(request: HttpRequest, person_id: int) -> HttpResponse:
    """Propose a mandate whose principal is a person."""
    row = queries.person(request.actor, person_id)
    return _authorise(request, row, queries.person_label(row), _person_url(person_id))


# Organisations --------------------------------------------------------------------------------------------------------


@guarded("registers.read_organisation")
def organisation(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """One organisation with its names and mandates."""
    row = queries.organisation(request.actor, organisation_id)
    officer = get_policy("registers.record")(request.actor)
    context = {
        "row": row,
        "representative": queries.representative(request.actor, row),
        "officer": officer,
        "mandates": queries.mandates(request.actor, row.ref) if officer else [],
    }
    return render(request, "registers/organisation.html", context)


@guarded("registers.record")
@never_cache
def new_organisation(request: HttpRequest) -> HttpResponse:
    """Propose to register an organisation."""
    form = forms.OrganisationForm(request.POST or None, initial={"as_of": today()})
    return _propose(request, "organisation_new", form, reverse("registers:home"))


@guarded("registers.record")
@never_cache
def change_organisation(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """Propose to change what is registered of an organisation."""
    row = queries.organisation(request.actor, organisation_id)
    back = reverse("registers:organisation", args=[organisation_id])
    form = forms.ChangeOrganisationForm(request.POST or None, initial={"as_of": today()})
    return _propose(
        request, "organisation_change", form, back, str(row.ref), lead=f"{row.name}，不变的不填。"
    )


@guarded("registers.record")
@never_cache
def authorise_for_organisation(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """Propose a mandate whose principal is an organisation."""
    row = queries.organisation(request.actor, organisation_id)
    return _authorise(request, row, row.name, reverse("registers:organisation", args=[organisation_id]))


# Mandates -------------------------------------------------------------------------------------------------------------


def _authorise(request: HttpRequest, row: Any, label: str, back: str) -> HttpResponse:
    form = forms.MandateForm(request.POST or None, initial={"valid_from": today()})
    return _propose(request, "mandate_new", form, back, str(row.ref), lead=f"被代理人：{label}")


def _mandate_url(mandate_id: int) -> str:
    return reverse("registers:mandate", args=[mandate_id])


@guarded("registers.record")
def mandate(request: HttpRequest, mandate_id: int) -> HttpResponse:
    """One mandate."""
    row = queries.mandate(request.actor, mandate_id)
    return render(request, "registers/mandate.html", {"row": row, "scopes": row.mandate.scopes.split()})


@guarded("registers.record")
def confirm_mandate(request: HttpRequest, mandate_id: int) -> HttpResponse:
    """Note that the other side agreed."""
    row = queries.mandate(request.actor, mandate_id)
    return _ask(
        request,
        forms.ConfirmForm(request.POST or None),
        lambda data, once: actions.confirm_mandate(request.actor, mandate_id=mandate_id, once=once, **data),
        title=f"{row.mandate.confirming}确认授权",
        back=_mandate_url(mandate_id),
        submit="确认",
        effect="从今天起，授权在期限之内有效。",
        done="已确认。",
    )


@guarded("registers.record")
def extend_mandate(request: HttpRequest, mandate_id: int) -> HttpResponse:
    """Propose a later end."""
    row = queries.mandate(request.actor, mandate_id)
    back = _mandate_url(mandate_id)
    return _propose(
        request, "mandate_extend", forms.ExtendForm(request.POST or None), back, str(row.mandate.ref)
    )


@guarded("registers.record")
def end_mandate(request: HttpRequest, mandate_id: int) -> HttpResponse:
    """End a mandate at once."""
    queries.mandate(request.actor, mandate_id)
    return _ask(
        request,
        forms.EndForm(request.POST or None),
        lambda data, once: actions.end_mandate(request.actor, mandate_id=mandate_id, once=once, **data),
        title="终止授权",
        back=_mandate_url(mandate_id),
        submit="立即终止",
        effect="立即失效，由它转委托的授权一并终止；不需要复核。",
        danger=True,
        done="已终止。",
    )


# Proposals ------------------------------------------------------------------------------------------------------------


@guarded("registers.decide")
def proposals(request: HttpRequest) -> HttpResponse:
    """What waits for a second person, or what I proposed."""
    own = request.GET.get("show") == "own"
    rows = queries.own_proposals(request.actor) if own else queries.to_review(request.actor)
    found = page(rows, request, ("-proposed_at", "-id") if own else ("proposed_at", "id"))
    titled = [(row, queries.kind_title(row.kind)) for row in found]
    return render(request, "registers/proposals.html", {"own": own, "page": found, "rows": titled})


@guarded("registers.record")
@never_cache
def proposal(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """One proposal with its difference; another officer decides here."""
    view = queries.proposal(request.actor, proposal_id)
    decides = view.proposal.state == view.proposal.OPEN and get_policy("registers.decide")(
        request.actor, view.proposal
    )
    form = forms.DecideForm(request.POST or None)
    outcome = perform(
        request,
        form,
        lambda data, once: actions.decide_proposal(
            request.actor,
            proposal_id=proposal_id,
            accept="refuse" not in request.POST,
            once=once,
            **data,
        ),
    )
    if outcome.ok:
        if not outcome.already:
            messages.success(request, "已复核。")
        return redirect("registers:proposal", proposal_id)
    context = {"decides": decides, "form": form, "read_form": forms.ReadReasonForm(auto_id="read_%s")}
    return _proposal_page(request, view, context, outcome.status)


def _proposal_page(request: HttpRequest, view: Any, context: dict, status: int = 200) -> HttpResponse:
    own = view.proposal.proposed_by == str(request.actor.ref)
    context = {"view": view, "row": view.proposal, "own": own} | context
    return render(request, "registers/proposal.html", context, status=status)


@guarded("registers.record")
@require_POST
@never_cache
def read_proposal(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """What a proposal holds, in full, once; the log keeps who read it and why."""
    form = forms.ReadReasonForm(request.POST, auto_id="read_%s")
    outcome = perform(
        request,
        form,
        lambda data, once: queries.proposal_in_full(request.actor, proposal_id, data["reason"]),
    )
    view = queries.proposal(request.actor, proposal_id)
    context = {"read_form": form, "full": outcome.result if outcome.ok else None}
    return _proposal_page(request, view, context, outcome.status)


@guarded("registers.record")
@require_POST
def withdraw(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """Take back a proposal of one's own."""
    press(request, lambda: actions.withdraw_proposal(request.actor, proposal_id=proposal_id), "已撤回。")
    return redirect("registers:proposal", proposal_id)
