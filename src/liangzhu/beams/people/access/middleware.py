"""Who acts in a request, and what stands in the way before anything else."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from liangzhu.beams.people.access.queries import current_staff
from liangzhu.beams.people.directory.api import pinned
from liangzhu.kernel.actors import ANONYMOUS
from liangzhu.kernel.policies import get_policy

FREE = frozenset({"account_logout", "account_change_password", "account_reauthenticate", "site:mode"})
"""Routes that stay open while the password must be changed."""


class ActorMiddleware:
    """Set ``request.actor`` from the session's post."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with pinned():
            request.actor = current_staff(request)
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
        return None
