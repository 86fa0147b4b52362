"""A resident's own matters: the list and one of them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from liangzhu.beams.people.residents.api import resident_page
from liangzhu.beams.work.matters import own, queries
from liangzhu.kernel.paging import page


@resident_page()
def matters(request: HttpRequest) -> HttpResponse:
    """What one applied for, newest first; open ones, or with ``?closed=1`` those that are over."""
    closed = request.GET.get("closed") == "1"
    rows = queries.own_matters(request.actor).filter(parent=None, closed_at__isnull=not closed)
    found = page(rows, request, order=("-id",), size=20)
    context = {"page": found, "matters": own.own(found.rows), "closed": closed}
    return render(request, "matters/own_list.html", context)


@resident_page()
def matter(request: HttpRequest, matter_id: int) -> HttpResponse:
    """One matter: where it is, until when, in whose hands, and what happened so far."""
    row = queries.own_matter(request.actor, matter_id)
    below = queries.own_matters(request.actor).filter(parent=row).order_by("id")
    context = {"row": own.own([row])[0], "matter": row, "below": own.own(below)}
    return render(request, "matters/own_matter.html", context)
