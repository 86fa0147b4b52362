"""The entrances: what one may open, for staff and for residents."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from liangzhu.beams.people.applications import actions, declared, queries
from liangzhu.beams.people.residents.api import resident_page
from liangzhu.kernel.web import guarded


def _groups(found: list[queries.Tile]) -> list[tuple[str, list[queries.Tile]]]:
    """Tiles under their categories."""
    groups: dict[str, list[queries.Tile]] = {}
    for tile in found:
        groups.setdefault(declared.CATEGORIES[tile.said.category], []).append(tile)
    return list(groups.items())


@guarded("applications.open")
def tiles(request: HttpRequest) -> HttpResponse:
    """The applications for the post acted under."""
    shelves = _groups(queries.tiles(request.actor))
    return render(request, "applications/tiles.html", {"shelves": shelves})


@resident_page()
def own(request: HttpRequest) -> HttpResponse:
    """The applications for whom one acts for, and where one is signed in."""
    context = {"shelves": _groups(queries.tiles(request.actor)), "inside": queries.signed_in(request.actor)}
    return render(request, "applications/own.html", context)


@resident_page()
@require_POST
def end_own(request: HttpRequest, application_id: int) -> HttpResponse:
    """End one's sign-ins to one application."""
    actions.end_own(request.actor, application_id=application_id)
    messages.success(request, "已结束在这个应用里的登录。")
    return redirect("applications:own")
