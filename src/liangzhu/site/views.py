"""Pages that belong to no app: the front page and the reading mode."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from liangzhu.kernel.policies import get_policy
from liangzhu.kernel.ui import nav
from liangzhu.kernel.web import guarded
from liangzhu.pillars.programme import api as programme
from liangzhu.site.context import MODE_COOKIE, MODES
from liangzhu.site.styleguide import styleguide

__all__ = ["home", "set_mode", "start", "styleguide"]

YEAR = 365 * 24 * 3600


CHANGES_SHOWN = 5
DOING = ("matters.officer", "matters.head", "programme.office", "programme.office_head")
"""Roles that have work waiting in the inbox."""
KEEPING = {"access.admin": "access:accounts", "kernel.auditor": "access:log"}
"""Roles that keep the system or its log, and where their work is."""


@guarded("kernel.public")
def home(request: HttpRequest) -> HttpResponse:
    """The front page of the portal: one question over the published tasks, their state in figures, what changed last."""
    rows = programme.published()
    documents = {row.found.task.document_id: row.found.task.document for row in rows}
    return render(
        request,
        "site/home.html",
        {
            "total": len(rows),
            "documents": list(documents.values()),
            "figures": programme.public_figures(rows),
            "changes": programme.public_changes(rows, CHANGES_SHOWN),
        },
    )


@guarded("kernel.signed_in")
def start(request: HttpRequest) -> HttpResponse:
    """Where one lands after signing in: who only oversees, at the whole; everybody else at the first page open to the post."""
    for role, page in KEEPING.items():
        if request.actor.has(role):
            return redirect(page)
    if get_policy("programme.oversee")(request.actor) and not request.actor.has(*DOING):
        return redirect("programme:truth")
    for group in nav.items("workbench", request.actor):
        for item in group.items:
            return redirect(item.url)
    return redirect("access:security")


@guarded("kernel.public")
@require_POST
def set_mode(request: HttpRequest) -> HttpResponse:
    """Choose the reading mode (``mode``: elder or standard) for this browser and go back to ``next``."""
    chosen = request.POST.get("mode", "")
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()):
        back = "/"
    answer = redirect(back)
    if chosen in MODES:
        answer.set_cookie(
            MODE_COOKIE, chosen, max_age=YEAR, samesite="Lax", secure=request.is_secure(), httponly=True
        )
    return answer
