"""What stands between a request and a view: the guard, the request's identity, and problems as pages."""

import functools
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render

from liangzhu.kernel import masking
from liangzhu.kernel.actors import ANONYMOUS
from liangzhu.kernel.errors import Denied, Problem
from liangzhu.kernel.observing import request_id
from liangzhu.kernel.once import remembering
from liangzhu.kernel.policies import get_policy

logger = logging.getLogger("liangzhu.web")


def guarded(policy_name: str) -> Callable[[Callable], Callable]:
    """Let a view run only for those whom the policy allows. Those not signed in are sent to sign in first."""

    def wrap(view: Callable) -> Callable:
        @functools.wraps(view)
        def run(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            policy = get_policy(policy_name)
            if not policy(request.actor):
                if not request.actor.signed_in:
                    return redirect_to_login(request.get_full_path())
                raise Denied(f"当前岗位（{request.actor.label}）不能“{policy.title}”。")
            return view(request, *args, **kwargs)

        run.policy_name = policy_name
        return run

    return wrap


class CompressMiddleware(GZipMiddleware):
    """Compress pages, and nothing else: files have their length, answers of the API their ETag.

    Django adds random bytes to each page (Heal the Breach), and the tokens of forms change with each page, so the length of a page
    does not give away what stands in it.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Compress where the browser can read it."""
        if response.streaming or not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)


class RequestMiddleware:
    """Give each request an id and an actor, and turn problems into pages or problem documents (RFC 9457)."""

    def __init__(self, get_response: Callable):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer one request."""
        _ready(request)
        reading = remembering() if request.method in ("GET", "HEAD") else nullcontext()
        with masking.collecting() as reads, reading:
            response = self.get_response(request)
        # Nothing that was read in full leaves before the log says so.
        masking.write(reads)
        if response.streaming:
            response.streaming_content = _written_first(response.streaming_content)
        response.headers["X-Request-Id"] = request.request_id
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a Problem; anything else is the program's fault and goes on to the error page."""
        if not isinstance(error, Problem):
            return None
        logger.info("%s %s", error.code, error.detail)
        return problem_response(request, error)


def _written_first(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """A streamed answer, with what each piece needed to read written down before the piece leaves."""
    pieces = iter(pieces)
    while True:
        with masking.collecting() as reads:
            piece = next(pieces, None)
        masking.write(reads)
        if piece is None:
            return
        yield piece


def problem_response(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The answer for a problem, as a page or as a problem document."""
    if request.headers.get("Accept", "").startswith(("application/json", "application/problem+json")):
        response = JsonResponse(
            problem.as_json() | {"instance": f"urn:request:{request.request_id}"},
            status=problem.status,
            content_type="application/problem+json",
            json_dumps_params={"ensure_ascii": False},
        )
    else:
        response = render(request, "ui/problem.html", {"problem": problem}, status=problem.status)
    for name, value in problem.headers.items():
        response.headers[name] = value
    return response


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's 404, in our words."""
    problem = Problem(
        "没有这个页面，它可能已经移动。",
        code="not_there",
        title="没有找到",
        todo="请从首页或菜单重新进入。",
        status=404,
    )
    return problem_response(_ready(request), problem)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's 403, in our words."""
    return problem_response(_ready(request), Denied())


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token: usually a page that was open for too long."""
    problem = Problem(
        "页面停留太久，安全校验已过期。",
        code="csrf",
        title="请重新提交",
        todo="请返回上一页刷新后再提交；已填写的内容由浏览器保留，可点“找回”恢复。",
        status=403,
    )
    return problem_response(_ready(request), problem)


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of the program: say so, with the id that finds it in the log."""
    problem = Problem(
        "系统出现故障，工作人员已能从日志看到。",
        code="fault",
        title="系统故障",
        todo="请稍后重试；报修时请提供页面下方的请求编号。",
        status=500,
    )
    try:
        return problem_response(_ready(request), problem)
    except Exception:
        if settings.DEBUG:
            raise
        logger.exception("the error page itself failed")
        return HttpResponse("系统故障，请稍后重试。", status=500, content_type="text/plain; charset=utf-8")


def _ready(request: HttpRequest) -> HttpRequest:
    """Give a request the id and actor that it does not have yet."""
    if not hasattr(request, "request_id"):
        request.request_id = request_id(request.headers.get("X-Request-Id", ""))
    if not hasattr(request, "actor"):
        request.actor = ANONYMOUS
    return request
