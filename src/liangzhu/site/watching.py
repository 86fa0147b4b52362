"""The outermost layer of a request: its id, its line in the log, its figures; health and metrics for machines.

Health and metrics are answered here, before hosts, sessions and pages: a probe comes by address and without a cookie.
"""

import hmac
import ipaddress
import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from liangzhu.kernel.observing import about, request_id
from liangzhu.site import health, metrics, serving

logger = logging.getLogger("liangzhu.access")

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def is_here(request: HttpRequest) -> bool:
    """Whether a request comes from this machine itself, and not through a proxy on it."""
    remote = request.META.get("REMOTE_ADDR", "")
    if "HTTP_X_FORWARDED_FOR" in request.META or "HTTP_FORWARDED" in request.META:
        return False
    try:
        # A Unix socket has no address.
        return not remote or ipaddress.ip_address(remote).is_loopback
    except ValueError:
        return False


class WatchMiddleware:
    """Give a request its id, answer what machines ask, and write one line for everything else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response
        self.machines = {"/healthz": _healthz, "/readyz": _readyz, "/metrics": _metrics}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer one request."""
        started = time.perf_counter()
        request.request_id = request_id(request.headers.get("X-Request-Id", ""))
        with about(request_id=request.request_id):
            machine = self.machines.get(request.path_info)
            if machine:
                response = machine(request)
            elif not is_here(request) and (reasons := serving.loopback_only()):
                response = _refused(reasons)
            else:
                response = self.get_response(request)
                self._note(request, response, time.perf_counter() - started)
        response.headers["X-Request-Id"] = request.request_id
        return response

    @staticmethod
    def _note(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        """The line: a route's name and never its address, which may hold a person's number."""
        match = request.resolver_match
        static = request.path_info.startswith(settings.STATIC_URL)
        route = (match.view_name or match.route) if match else "static" if static else "none"
        method = request.method if request.method in METHODS else "OTHER"
        metrics.answered(route, method, response.status_code, seconds)
        if static:
            return
        actor = getattr(request, "actor", None)
        said = {
            "method": method,
            "route": route,
            "status": response.status_code,
            "ms": round(seconds * 1000, 1),
            "actor": str(actor.ref) if actor else "",
        }
        logger.info("%(method)s %(route)s %(status)s %(ms)sms %(actor)s", said, extra=said)


def _healthz(request: HttpRequest) -> HttpResponse:
    """The process lives. Touches nothing."""
    return JsonResponse({"alive": True})


def _readyz(request: HttpRequest) -> HttpResponse:
    """Whether work can be done: 200, or 503 with what stands in the way."""
    checks = health.ready()
    well = all(check.ok for check in checks)
    body = {"ready": well, "checks": {check.name: check.detail or "ok" for check in checks}}
    return JsonResponse(body, status=200 if well else 503)


def _metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' figures, for this machine or with the token."""
    wanted = settings.LIANGZHU_METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    known = bool(wanted) and hmac.compare_digest(given.encode(), f"Bearer {wanted}".encode())
    if not known and (wanted or not is_here(request)):
        return HttpResponse("forbidden\n", status=403, content_type="text/plain")
    return HttpResponse(metrics.exposition(), content_type="text/plain; version=0.0.4; charset=utf-8")


def _refused(reasons: list[str]) -> HttpResponse:
    return HttpResponse(
        f"不能对外提供服务：{'；'.join(reasons)}。\n", status=403, content_type="text/plain; charset=utf-8"
    )
