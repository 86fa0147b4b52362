"""The pages of this app."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from liangzhu.beams.work.decisions import actions, queries
from liangzhu.beams.work.decisions.deciding import decide_by
from liangzhu.beams.work.decisions.dmn import to_dmn
from liangzhu.beams.work.decisions.pages.forms import DAY, try_form
from liangzhu.beams.work.decisions.table import AGGREGATES, HITS, Table, condition_words
from liangzhu.kernel.errors import Invalid, NotThere, Problem
from liangzhu.kernel.policies import get_policy
from liangzhu.kernel.ui.forms import Form, perform
from liangzhu.kernel.web import guarded


@guarded("decisions.read")
@require_safe
def tables(request: HttpRequest) -> HttpResponse:
    """The tables in force."""
    return render(request, "decisions/tables.html", {"rows": queries.tables(request.actor)})


@guarded("decisions.read")
def table(request: HttpRequest, key: str, number: int | None = None) -> HttpResponse:
    """A table: its rows, a form to try it with its trace, its releases, and the second person's decision on a draft."""
    found = queries.shown(request.actor, key, number)
    form = Form(request.POST if request.method == "POST" else None)
    accept = "refuse" not in request.POST
    done = perform(
        request,
        form,
        lambda data, once: actions.release_rule(
            request.actor, release_id=found.row.pk, accept=accept, once=once
        ),
    )
    if done.ok:
        messages.success(request, "决策表已发布。" if accept else "已退回该版本。")
        return redirect("decisions:table", key=key)
    context = {
        "shown": found,
        "form": form,
        "key": key,
        "may_release": get_policy("kernel.release")(request.actor),
    }
    if found.table:
        asked = "ask" in request.GET
        trial = try_form(found.table, request.GET if asked else None)
        context |= {"lines": _lines(found.table), "trial": trial, "hit": HITS[found.table.hit]}
        if found.table.hit == "collect":
            context["hit"] += f"：{AGGREGATES[found.table.aggregate]}"
        if asked and trial.is_valid():
            try:
                context["decision"] = decide_by(found.table, trial.inputs(), trial.cleaned_data[DAY])
            except Invalid as invalid:
                for name, message in invalid.fields.items():
                    trial.add_error(name if name in trial.fields else None, message)
            except Problem as problem:
                context["nothing"] = problem
    return render(request, "decisions/table.html", context, status=done.status)


@guarded("decisions.read")
@require_safe
def dmn(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """A release as DMN XML, to take away."""
    found = queries.shown(request.actor, key, number)
    if found.table is None:
        raise NotThere("这个版本没有通过检查，不能写成 DMN。")
    answer = HttpResponse(to_dmn(found.table), content_type="application/xml; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{key}-{number}.dmn"'
    return answer


def _lines(table: Table) -> list[dict]:
    """The rows as they are shown."""
    rows = [*table.rows, *([table.otherwise] if table.otherwise else [])]
    return [
        {
            "row": row,
            "when": [
                (column.title, condition_words(column, row.when.get(column.name, ())))
                for column in table.inputs
            ],
            "then": [(column.title, column.words(row.then[column.name])) for column in table.outputs],
        }
        for row in rows
    ]
