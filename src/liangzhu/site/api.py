"""The API: the routers of all apps under ``/api/v1/``, on a path of its own without session, cookie or messages."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from ninja import NinjaAPI
from pydantic_core import to_json

from liangzhu.beams.people.directory.api import pinned
from liangzhu.kernel import http
from liangzhu.kernel.web import guarded

ROOT = "/api/v1/"
DESCRIPTION = (
    "事项、并行办理、提醒、流程、单位、附件、指标和工作日历。令牌、幂等、分页、错误和限流见 docs/api.md。"
)

api = NinjaAPI(
    title="梁柱接口",
    version="1.0.0",
    description=DESCRIPTION,
    openapi_url=None,
    docs_url=None,
    urls_namespace="api",
    renderer=http.JsonRenderer(),
    parser=http.JsonParser(),
)
for router in http.all_routers():
    api.add_router("", router)
api.add_exception_handler(Exception, http.on_failure)


patterns = ([each for each in api.urls[0] if each.name != "api-root"], "api")


def schema() -> dict:
    """The contract, OpenAPI 3.1."""
    return api.get_openapi_schema(path_prefix=ROOT.strip("/"))


@guarded("kernel.public")
def openapi(request: HttpRequest) -> HttpResponse:
    """The contract; it is no secret."""
    return HttpResponse(to_json(schema()), content_type="application/json")


class ApiMiddleware:
    """Answer what is under ``/api/`` here; everything else goes on to sessions and pages.

    Stands behind the middleware that gives a request its id, and before all that is for browsers.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer one request."""
        if not request.path_info.startswith("/api/"):
            return self.get_response(request)
        try:
            with pinned():
                response = _answer(request)
        except Exception as error:
            response = http.on_failure(request, error)
        response.headers.setdefault("Cache-Control", "no-store")
        if not response.streaming:
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response


def _answer(request: HttpRequest) -> HttpResponse:
    try:
        match = resolve(request.path_info)
    except Resolver404:
        raise http.no_such_route() from None
    request.resolver_match = match
    response = match.func(request, *match.args, **match.kwargs)
    if response.status_code == 405:
        raise http.wrong_method(response.headers["Allow"])
    return response
