"""Pages for staff: which sources there are, and how they do."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from liangzhu.beams.trust.sources import queries
from liangzhu.kernel.web import guarded


@guarded("sources.watch")
def listing(request: HttpRequest) -> HttpResponse:
    """Every source with its state; what is down stands first."""
    rows = queries.health(request.actor)
    return render(
        request,
        "sources/list.html",
        {"rows": rows, "down": [row for row in rows if row.state == "law"]},
    )


@guarded("sources.watch")
def one(request: HttpRequest, key: str) -> HttpResponse:
    """One source: its fields, its ground, its figures."""
    return render(request, "sources/one.html", {"row": queries.source(request.actor, key)})
