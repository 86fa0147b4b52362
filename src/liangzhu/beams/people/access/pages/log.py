"""The auditor's page of the log."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from liangzhu.beams.people.access import queries
from liangzhu.beams.people.access.pages.forms import LogFilter
from liangzhu.kernel.paging import page
from liangzhu.kernel.web import guarded


@guarded("kernel.read_log")
def leaves(request: HttpRequest) -> HttpResponse:
    """Leaves, latest first; each says whether its details still are those it committed to."""
    form = LogFilter(request.GET, actions=queries.action_choices(request.actor))
    form.is_valid()
    wanted = queries.LeafFilter(**{name: value for name, value in form.cleaned_data.items() if value})
    found = page(queries.leaves(request.actor, wanted), request, order=("-id",))
    context = {"form": form, "page": found, "rows": queries.leaf_rows(request.actor, found.rows)}
    return render(request, "access/log.html", context)
