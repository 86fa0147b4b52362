"""Who acts in a request, and what stands in the way before anything else."""

from collections.abc import Callable
from dataclasses import replace

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from liangzhu.beams.people.access.lockout import machine_now
from liangzhu.beams.people.access.queries import current_staff
from liangzhu.beams.people.directory.api import Staff, pinned
from liangzhu.kernel.actors import ANONYMOUS
from liangzhu.kernel.policies import get_policy

FREE = frozenset(
    {"account_logout", "access:logout", "account_change_password", "account_reauthenticate", "site:mode"}
)
"""Routes that stay open while the password must be changed."""


class ActorMiddleware:
    """Set ``request.actor`` from the session's post."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:  # noqa: D102
        with pinned():
            request.actor = current_staff(request)
            if request.user.is_authenticated:
                _keep_alive(request)
            return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable, args: tuple, kwargs: dict
    ) -> HttpResponse | None:
        """Send on who must change the password; explain to who has no post today, or no second factor yet."""
        if not request.user.is_authenticated or request.resolver_match.view_name in FREE:
            return None
        if request.user.must_change_password:
            return redirect("account_change_password")
        name = getattr(view, "policy_name", None)
        if name is None or get_policy(name)(request.actor):
            return None
        if request.actor is ANONYMOUS:
            return render(request, "access/no_post.html", status=403)
        actor = request.actor
        if isinstance(actor, Staff) and actor.withheld:
            policy = get_policy(name)
            if policy(replace(actor, roles=actor.roles | actor.withheld)):
                return render(
                    request, "access/second_factor_needed.html", {"title": policy.title}, status=403
                )
        return None


def _keep_alive(request: HttpRequest) -> None:
    """Push the end of a session that is used, and note when it was seen; at most once in a tenth of its life.

    Saving it at every click would make every page a writer.
    """
    moment = machine_now()
    seen = request.session.get("seen", 0)
    if moment.timestamp() - seen < min(settings.SESSION_COOKIE_AGE / 10, 300):
        return
    request.session["seen"] = int(moment.timestamp())
    UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=moment)
