"""Pages of policies for enterprises: the public's, the enterprise's own, and the desk."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.trust.sources import api as sources
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.now import today
from liangzhu.kernel.paging import page
from liangzhu.kernel.ui.forms import form_view, press
from liangzhu.kernel.web import guarded
from liangzhu.pillars.services import criteria, enterprise, policies
from liangzhu.pillars.services.actions import incentives as actions
from liangzhu.pillars.services.actions.policy_importing import import_policies
from liangzhu.pillars.services.models import IncentiveVersion, PolicyDocument
from liangzhu.pillars.services.pages import incentives_forms as forms
from liangzhu.pillars.services.queries import incentives as queries
from liangzhu.pillars.services.queries import items

FOLDER = "services/incentives/"


def _apply(version: IncentiveVersion) -> str:
    """Where one applies for a policy online; "" where one does not."""
    if not version.apply_with or version.direct or not queries.is_online(version.apply_with):
        return ""
    return f"{reverse('services:bundle', args=[version.apply_with])}?policy={version.incentive_id}"


def _terms(version: IncentiveVersion) -> list[dict[str, Any]]:
    """The conditions as they are read: each group of alternatives together."""
    groups: dict[str, list] = {}
    for one in version.criteria.all():
        plain = one.plain
        groups.setdefault(plain.group or f"#{one.pk}", []).append((one, queries.words_of(plain)))
    return [{"rows": rows, "any": len(rows) > 1} for rows in groups.values()]


def _context(version: IncentiveVersion) -> dict[str, Any]:
    window = queries.in_window(version, today())
    return {
        "one": version,
        "document": version.incentive.document,
        "unit": queries.unit_name(version.incentive),
        "terms": _terms(version),
        "closed": queries.WINDOWS[window],
        "apply": _apply(version) if window == "open" else "",
    }


# The public -----------------------------------------------------------------------------------------------------------


@guarded("kernel.public")
def search(request: HttpRequest) -> HttpResponse:
    """Find policies by words, way of support, without application."""
    words, form = request.GET.get("q", "").strip()[:60], request.GET.get("form", "")
    direct = request.GET.get("direct") == "1"
    form = form if form in dict(IncentiveVersion.FORMS) else ""
    found = page(queries.search(words, form=form, direct=direct), request, ("-decided_at", "-id"), 20)
    context = {
        "page": found,
        "rows": [(row, queries.unit_name(row.incentive)) for row in found.rows],
        "words": words,
        "form": form,
        "direct": direct,
        "forms": IncentiveVersion.FORMS,
    }
    return render(request, FOLDER + "search.html", context)


@guarded("kernel.public")
def policy(request: HttpRequest, incentive_id: int) -> HttpResponse:
    """One policy as everybody reads it."""
    return render(request, FOLDER + "policy.html", _context(queries.one_published(incentive_id)))


# The enterprise -------------------------------------------------------------------------------------------------------


@residents.resident_page(level=1)
def mine(request: HttpRequest) -> HttpResponse:
    """All policies beside the enterprise that one acts for: those that fit, the nearest, the others."""
    firm = request.actor.organisation
    if firm is None:
        return render(request, FOLDER + "no_firm.html")
    policies.own_enterprise.require(request.actor, firm)
    fits = queries.fits(int(firm.id))
    return render(
        request,
        FOLDER + "mine.html",
        {
            "fits": [one for one in fits if one.verdict.outcome == criteria.YES],
            "near": [
                one for one in fits if one.verdict.outcome != criteria.YES and one.verdict.way is not None
            ],
            "others": [one for one in fits if one.verdict.way is None],
            "waiting": queries.payouts_waiting(int(firm.id)),
            "known": _known(queries.known(int(firm.id))),
        },
    )


def _known(known: dict[str, criteria.Known]) -> list[tuple[str, str, criteria.Known]]:
    return [
        (one.title, one.words(known[name].value), known[name])
        for name, one in enterprise.FACTS.items()
        if name in known
    ]


def _firm(request: HttpRequest):
    firm = request.actor.organisation
    if firm is None:
        raise NotThere("您现在是为自己办事。", todo="请在“我的”里切换到要代表的企业。")
    policies.own_enterprise.require(request.actor, firm)
    return firm


@residents.resident_page(level=1)
def my_policy(request: HttpRequest, incentive_id: int) -> HttpResponse:
    """One policy beside the enterprise: each condition with its answer and why, and what would make it fit."""
    firm = _firm(request)
    version = queries.one_published(incentive_id)
    fit = queries.fits(int(firm.id), [version])[0]
    steps = [
        (
            one,
            enterprise.FACTS[one.criterion.fact].title if one.criterion.fact else "",
            queries.words_of(one.criterion),
        )
        for one in fit.verdict.way or ()
    ]
    compared = [
        (
            group,
            [
                (
                    one,
                    queries.words_of(one.criterion),
                    enterprise.FACTS[one.criterion.fact].words(one.known.value) if one.known else "",
                    dict(criteria.ORIGINS).get(one.known.origin, "") if one.known else "",
                )
                for one in group.tested
            ],
        )
        for group in fit.verdict.groups
    ]
    return render(
        request,
        FOLDER + "my_policy.html",
        {**_context(version), "fit": fit, "steps": steps, "compared": compared},
    )


@residents.resident_page(level=1)
def facts(request: HttpRequest) -> HttpResponse:
    """Tell what government does not know; have read what it holds."""
    firm = _firm(request)
    said = queries.known(int(firm.id))
    offered = [
        (
            key,
            sources.all_sources()[key].title,
            "、".join(enterprise.FACTS[one].title for one in names),
            any(name in said and said[name].origin == criteria.SOURCE for name in names),
        )
        for key, names in enterprise.SOURCES.items()
        if key in sources.all_sources()
    ]
    return form_view(
        request,
        forms.FactsForm(request.POST or None, said=said),
        lambda data, once: actions.say(request.actor, organisation=firm, values=data, once=once),
        FOLDER + "facts.html",
        {"known": _known(said), "sources": offered, "back": reverse("services:my_policies")},
        back=reverse("services:my_policies"),
        done="已记下，下面按新的情况匹配。",
    )


@residents.resident_page(level=2)
@require_POST
def read_source(request: HttpRequest) -> HttpResponse:
    """Agree that a source is read, and read it."""
    press(
        request,
        lambda: actions.read_source(
            request.actor, organisation=_firm(request), source=request.POST.get("source", "")
        ),
        "已按您的同意读取，回执在“谁看过我的信息”里。",
    )
    return redirect("services:my_facts")


@residents.resident_page(level=2)
def my_payout(request: HttpRequest, payout_id: int) -> HttpResponse:
    """Money that comes without application: why, how much, to which account."""
    line = queries.own_payout(request.actor, payout_id)
    open_ = line.state in (line.ASKED, line.CONFIRMED)
    proof = json.loads(line.proof)
    rows = [
        (one["wording"], proof["facts"].get(one["fact"], {}).get("source", ""))
        for one, answer in zip(proof["criteria"], proof["answers"], strict=True)
        if answer == criteria.YES
    ]
    return form_view(
        request,
        forms.AccountForm(request.POST or None),
        lambda data, once: actions.confirm_account(request.actor, payout_id=line.pk, once=once, **data),
        FOLDER + "my_payout.html",
        {
            "line": line,
            "one": line.batch.version,
            "unit": queries.unit_name(line.batch.version.incentive),
            "rows": rows,
            "open": open_,
            "back": reverse("services:my_policies"),
            "period": actions.period_words(line.period),
        },
        back=reverse("services:my_payout", args=[line.pk]),
        done="已确认收款账户。",
    )


# The desk -------------------------------------------------------------------------------------------------------------


@guarded("services.read_incentives")
def desk(request: HttpRequest) -> HttpResponse:
    """Documents collected by one's unit or all, with the light of each."""
    scope = "all" if request.GET.get("scope") == "all" else "unit"
    found = page(queries.documents(request.actor, scope=scope), request, ("-published_on", "-id"), 50)
    return render(
        request,
        FOLDER + "desk.html",
        {"page": found, "scope": scope, "may_edit": policies.edit_incentives(request.actor)},
    )


@guarded("services.edit_incentives")
def collect(request: HttpRequest) -> HttpResponse:
    """Collect a document."""
    return form_view(
        request,
        forms.DocumentForm(request.POST or None),
        lambda data, once: actions.collect(request.actor, unit_id=request.actor.unit_id, once=once, **data),
        FOLDER + "form.html",
        {
            "title": "归集政策文件",
            "submit": "归集",
            "effect": "登记后按公布日期计算归集时限",
            "keep": "policy",
        },
        back=reverse("services:policy_desk"),
        onward=_document_url,
    )


def _document_url(row: Any) -> str:
    pk = row.pk if isinstance(row, PolicyDocument) else str(row).partition(":")[2]
    return reverse("services:policy_document", args=[pk])


@guarded("services.edit_incentives")
def imports(request: HttpRequest) -> HttpResponse:
    """Import documents from a file, and what was imported so far."""
    return form_view(
        request,
        forms.ImportForm(request.POST or None, request.FILES or None),
        lambda data, once: import_policies(
            request.actor,
            title=data["title"],
            data=data["file"].read(),
            name=data["file"].name,
            unit_id=request.actor.unit_id,
            issuer=data["issuer"],
            published_on=data["published_on"],
            once=once,
        ),
        FOLDER + "imports.html",
        {"batches": queries.imports(request.actor)[:30]},
        back=reverse("services:policy_imports"),
        onward=lambda batch: reverse(
            "services:policies_imported", args=[str(getattr(batch, "ref", batch)).rpartition(":")[2]]
        ),
    )


@guarded("services.edit_incentives")
def imported(request: HttpRequest, batch_id: int) -> HttpResponse:
    """What became of each row of an import."""
    batch = queries.imported(request.actor, batch_id)
    rows = batch.records.select_related("document")
    found = page(rows, request, ("place", "id"), 50)
    return render(
        request,
        FOLDER + "imported.html",
        {"batch": batch, "page": found, "reasons": items.refusals(batch), "unmapped": items.unmapped(batch)},
    )


@guarded("services.read_incentives")
def document(request: HttpRequest, document_id: int) -> HttpResponse:
    """One document, its clock, and what was made of it."""
    row = queries.document(request.actor, document_id)
    return render(
        request,
        FOLDER + "document.html",
        {
            "document": row,
            "unit": queries.unit_name(row),
            "rows": queries.of_document(row),
            "may_edit": policies.edit_incentives(request.actor, row) and row.matter.is_open,
        },
    )


@guarded("services.edit_incentives")
@require_POST
def begin(request: HttpRequest, document_id: int) -> HttpResponse:
    """Begin a policy of a document."""
    row = actions.begin(request.actor, document_id=document_id)
    return redirect("services:policy_version", row.pk)


@guarded("services.read_incentives")
def version(request: HttpRequest, version_id: int) -> HttpResponse:
    """One version: what it says, what must be mended, what may be done."""
    row = queries.any_version(request.actor, version_id)
    mine = policies.edit_incentives(request.actor, row.incentive)
    newest = row.incentive.versions.latest("number").pk == row.pk
    return render(
        request,
        FOLDER + "version.html",
        {
            **_context(row),
            "faults": queries.faults(row),
            "editable": mine and row.state == row.DRAFT,
            "may_decide": policies.review_incentives(request.actor, row.incentive)
            and row.state == row.REVIEW
            and row.drafted_by != str(request.actor.ref),
            "may_redraft": mine and newest and row.state not in row.OPEN,
            "may_pay": mine and row.state == row.PUBLISHED and row.direct,
            "granted": len(queries.granted_unpaid(row.incentive)) if mine and not row.direct else 0,
            "versions": row.incentive.versions.order_by("-number"),
        },
    )


def _version_page(request, form, run, row, title, **more) -> HttpResponse:
    back = reverse("services:policy_version", args=[row.pk])
    context = {"title": title, "about": f"{row.name} · 第 {row.number} 版", "submit": "保存", **more}
    return form_view(request, form, run, FOLDER + "form.html", {**context, "back": back}, back=back)


@guarded("services.edit_incentives")
def edit(request: HttpRequest, version_id: int) -> HttpResponse:
    """Edit what a draft says."""
    row = queries.any_version(request.actor, version_id)
    initial = {name: getattr(row, name) for name in actions.COLUMNS}
    form = forms.VersionForm(
        request.POST or None,
        initial=initial,
        version=row.revision,
        offered=queries.applied_with(row.incentive.unit_id),
    )

    def run(data: dict[str, Any], once: str):
        seen = data.pop("version", None)
        return actions.edit(request.actor, version_id=row.pk, values=data, version=seen, once=once)

    return _version_page(request, form, run, row, "修改政策", keep=f"policy-{row.pk}")


@guarded("services.edit_incentives")
def criterion(request: HttpRequest, version_id: int, criterion_id: int | None = None) -> HttpResponse:
    """Add a condition, or edit one; "remove" takes it out."""
    row = queries.any_version(request.actor, version_id)
    one = row.criteria.filter(pk=criterion_id).first() if criterion_id else None
    if criterion_id and one is None:
        raise NotThere("没有找到这个条件，可能刚刚被删去。")
    initial = {} if one is None else {
        name: getattr(one, name) for name in ("wording", "article", "fact", "op", "values", "group")
    }  # fmt: skip
    form = forms.CriterionForm(request.POST or None, initial=initial, version=row.revision)

    def run(data: dict[str, Any], once: str):
        if one is not None and "remove" in request.POST:
            return actions.remove_criterion(
                request.actor, version_id=row.pk, criterion_id=one.pk, version=data["version"], once=once
            )
        return actions.put_criterion(
            request.actor, version_id=row.pk, criterion_id=criterion_id, once=once, **data
        )

    also = {"also": "删去", "also_name": "remove"} if one is not None else {}
    return _version_page(request, form, run, row, "修改条件" if one else "增加条件", **also)


@guarded("services.edit_incentives")
@require_POST
def submit(request: HttpRequest, version_id: int) -> HttpResponse:
    """Hand a draft to the second person."""
    actions.submit(request.actor, version_id=version_id)
    messages.success(request, "已提交，请本单位另一位惠企政策审核人审核。")
    return redirect("services:policy_version", version_id)


@guarded("services.review_incentives")
def decide(request: HttpRequest, version_id: int) -> HttpResponse:
    """Publish, or send back."""
    row = queries.any_version(request.actor, version_id)
    return _version_page(
        request,
        forms.DecideForm(request.POST or None),
        lambda data, once: actions.decide(
            request.actor, version_id=row.pk, accept="refuse" not in request.POST, once=once, **data
        ),
        row,
        "审核发布",
        submit="同意发布",
        also="不同意",
        also_name="refuse",
        effect="发布后马上公开，并告知符合条件的企业",
    )


@guarded("services.edit_incentives")
@require_POST
def redraft(request: HttpRequest, incentive_id: int) -> HttpResponse:
    """Begin a next version."""
    return redirect("services:policy_version", actions.redraft(request.actor, incentive_id=incentive_id).pk)


@guarded("services.edit_incentives")
@require_POST
def propose(request: HttpRequest, incentive_id: int) -> HttpResponse:
    """List whom the policy is paid to without application."""
    batch = actions.propose_payout(request.actor, incentive_id=incentive_id)
    return redirect("matters:matter", batch.matter_id)


@guarded("services.edit_incentives")
def propose_granted(request: HttpRequest, incentive_id: int) -> HttpResponse:
    """List those whose application was granted, with the amount of each."""
    version = queries.newest(request.actor, incentive_id)
    found = queries.granted_unpaid(version.incentive)
    form = forms.GrantedForm(request.POST or None, applications=[] if version.amount is not None else found)
    return form_view(
        request,
        form,
        lambda data, once: actions.propose_granted(
            request.actor, incentive_id=incentive_id, amounts=form.amounts(data), once=once
        ),
        FOLDER + "form.html",
        {
            "title": "提出支付名单",
            "about": f"{version.name}：{len(found)} 件申请已准予，还没有列入"
            + (f"，每户 {version.amount} 元" if version.amount is not None else ""),
            "submit": "送复核",
            "effect": "另一人复核后，请企业确认收款账户",
        },
        back=reverse("services:policy_version", args=[version.pk]),
        onward=lambda batch: reverse("matters:matter", args=[queries.matter_of_list(batch)]),
    )


@guarded("services.see_payout")
def proof(request: HttpRequest, payout_id: int) -> HttpResponse:
    """The proof of one line, as the auditor takes it."""
    line = queries.proof_of(request.actor, payout_id)
    body = {"proof": json.loads(line.proof), "digest": line.proof_digest, "subject": str(line.ref)}
    answer = JsonResponse(body, json_dumps_params={"ensure_ascii": False, "indent": 1})
    answer.headers["Content-Disposition"] = f'attachment; filename="payout-{line.pk}.json"'
    return answer


@guarded("services.read_incentives")
def figures(request: HttpRequest) -> HttpResponse:
    """Coverage by policy and by unit."""
    rows, units = queries.coverage(request.actor)
    told, everyone = queries.reached()
    return render(
        request,
        FOLDER + "figures.html",
        {"rows": rows, "units": units, "told": told, "everyone": everyone, "rate": told / everyone if everyone else None},
    )  # fmt: skip
