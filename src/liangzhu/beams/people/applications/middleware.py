"""The endpoints that programs call, before all that is for browsers: no session, no cookie, and so no forgery across sites."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import resolve

from liangzhu.beams.people.applications.provider import PATHS

MACHINE = frozenset(
    {
        *(PATHS[name] for name in ("token_endpoint", "userinfo_endpoint", "revocation_endpoint", "jwks_uri")),
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    }
)


class MachineMiddleware:
    """Answer what programs ask of the provider here; everything else goes on to sessions and pages.

    Stands behind the middleware that gives a request its id.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer one request."""
        if request.path_info not in MACHINE:
            return self.get_response(request)
        match = resolve(request.path_info)
        request.resolver_match = match
        return match.func(request)
