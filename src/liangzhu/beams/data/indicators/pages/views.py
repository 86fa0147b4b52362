"""The pages of indicators."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from liangzhu.beams.data.indicators import actions, policies, queries
from liangzhu.beams.data.indicators.models import Indicator
from liangzhu.beams.data.indicators.pages.forms import DecideForm, DefineForm, FindForm, ReportForm
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.files import api as files
from liangzhu.kernel.now import today
from liangzhu.kernel.ui.forms import perform
from liangzhu.kernel.web import guarded


@guarded("indicators.read")
def listing(request: HttpRequest) -> HttpResponse:
    """All indicators with their newest value, and what waits for this person."""
    find = FindForm(request.GET)
    text = find.cleaned_data["q"] if find.is_valid() else ""
    return render(
        request,
        "indicators/list.html",
        {
            "find": find,
            "lines": queries.listing(request.actor, text),
            "text": text,
            "to_decide": {row.pk for row in queries.to_decide(request.actor)},
            "may_define": policies.define(request.actor),
        },
    )


@guarded("indicators.read")
def indicator(request: HttpRequest, key: str) -> HttpResponse:
    """One indicator: definition, trend, snapshots, and the form to report."""
    return _indicator(request, queries.one(request.actor, key))


def _indicator(
    request: HttpRequest, row: Indicator, form: ReportForm | None = None, status: int = 200
) -> HttpResponse:
    may_report = row.kind == Indicator.REPORTED and policies.report(request.actor, row)
    values = queries.series(row.key)
    newest = values[-1] if values else None
    return render(
        request,
        "indicators/indicator.html",
        {
            "indicator": row,
            "owner": directory.unit_name(row.owner_unit_id),
            "newest": newest,
            "freshness": queries.freshness(row, newest),
            "points": [(f"{view.as_of:%Y-%m-%d}", view.value) for view in values[-queries.CHART_POINTS :]],
            "snapshots": queries.snapshots(request.actor, row, request),
            "editions": queries.editions(request.actor, row),
            "siblings": queries.siblings(request.actor, row),
            "form": form or (_fresh_form(request, row) if may_report else None),
            "may_measure": row.kind == Indicator.COMPUTED and policies.measure(request.actor, row),
            "may_define": policies.define(request.actor, row),
        },
        status=status,
    )


def _fresh_form(request: HttpRequest, row: Indicator) -> ReportForm:
    return ReportForm(indicator=row, actor=request.actor, initial={"as_of": today()})


@require_POST
@guarded("indicators.report")
def report(request: HttpRequest, key: str) -> HttpResponse:
    """Report a value; on an error the indicator's page with what was typed."""
    row = queries.one(request.actor, key)
    form = ReportForm(request.POST, request.FILES, indicator=row, actor=request.actor)
    done = perform(
        request, form, lambda data, once: actions.report(request.actor, key=key, once=once, **data)
    )
    if done.ok:
        if not done.already:
            messages.success(request, "已填报。由另一人确认以后，检查才会用这个数值。")
        return redirect("indicators:indicator", key)
    return _indicator(request, row, form, done.status)


@require_POST
@guarded("indicators.measure")
def measure(request: HttpRequest, key: str) -> HttpResponse:
    """Measure now."""
    snapshot = actions.measure(request.actor, key=key)
    return redirect("indicators:rows", snapshot.pk)


@guarded("indicators.read")
def rows(request: HttpRequest, snapshot_id: int) -> HttpResponse:
    """A number laid open: rows or evidence, definition, who recorded it; those who may decide do it here."""
    return _rows(request, snapshot_id)


def _rows(
    request: HttpRequest, snapshot_id: int, form: DecideForm | None = None, status: int = 200
) -> HttpResponse:
    opened = queries.opened(request.actor, snapshot_id, request)
    decides = queries.to_decide(request.actor).filter(pk=snapshot_id).exists()
    verify = opened.rows is not None and "verify" in request.GET
    return render(
        request,
        "indicators/rows.html",
        {
            "opened": opened,
            "view": opened.view,
            "indicator": opened.indicator,
            "owner": directory.unit_name(opened.indicator.owner_unit_id),
            "files": files.of(opened.view.ref) if opened.rows is None else [],
            "holds": queries.rows_hold(snapshot_id) if verify else None,
            "form": form or (DecideForm() if decides else None),
        },
        status=status,
    )


@require_POST
@guarded("indicators.decide")
def decide(request: HttpRequest, snapshot_id: int) -> HttpResponse:
    """Confirm a reported value, or send it back."""
    form = DecideForm(request.POST)

    def run(data: dict, once: str):
        if "refuse" in request.POST:
            return actions.refuse(request.actor, snapshot_id=snapshot_id, reason=data["reason"], once=once)
        return actions.confirm(request.actor, snapshot_id=snapshot_id, once=once)

    done = perform(request, form, run)
    if done.ok:
        if not done.already:
            messages.success(request, "已记下您的决定。")
        return redirect("indicators:rows", snapshot_id)
    return _rows(request, snapshot_id, form, done.status)


@guarded("indicators.define")
def define(request: HttpRequest, key: str = "") -> HttpResponse:
    """Define a new indicator, or change a definition."""
    row = queries.one(request.actor, key) if key else None
    form = DefineForm(request.POST or None, indicator=row)

    def run(data: dict, once: str):
        kept = {"group": row.group, "is_default": row.is_default} if row else {}
        return actions.define(request.actor, once=once, **kept, **data)

    done = perform(request, form, run)
    if done.ok:
        return redirect("indicators:indicator", form.cleaned_data["key"])
    return render(request, "indicators/define.html", {"form": form, "indicator": row}, status=done.status)
