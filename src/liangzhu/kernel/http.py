"""What every endpoint of the API stands on: a router whose operations carry policy and scope, problems, paging.

    router = Router("matters", "事项")

    @router.read("/matters/{matter_id}", policy="matters.work", answer=MatterOut)
    def matter(request, matter_id: Id): ...

An operation runs for a token that was checked, whose scope covers it, and whose actor its policy allows; reads then go
through the app's queries, changes through its actions. No session, no cookie, and so no forgery across sites.
"""

import functools
import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

import ninja
from django.conf import settings
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.db import OperationalError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from ninja.decorators import decorate_view
from ninja.errors import HttpError
from ninja.errors import ValidationError as Malformed
from ninja.operation import Operation
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from pydantic import AfterValidator, BaseModel, Field, PlainSerializer, WithJsonSchema
from pydantic_core import to_json

from liangzhu.kernel import limits, replay
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Conflict, Denied, Invalid, Problem, TooLarge
from liangzhu.kernel.now import SHANGHAI
from liangzhu.kernel.paging import Page, page
from liangzhu.kernel.policies import get_policy

logger = logging.getLogger("liangzhu.api")

READ, WRITE = "read", "write"
JSON = "application/json"
PAGE_SIZE, PAGE_MAX = 50, 200

# Types ----------------------------------------------------------------------------------------------------------------

Id = Annotated[int, Field(ge=1, le=2**63 - 1, description="标识，正整数", examples=[1])]
"""The key of a row."""

Instant = Annotated[
    datetime,
    PlainSerializer(lambda value: value.astimezone(SHANGHAI).isoformat(timespec="seconds"), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2022-10-20T09:00:00+08:00"]}),
]
"""An instant: ISO 8601 with offset, on the clock of the district."""


class Schema(BaseModel):
    """A body of the API; what it does not know is refused, so that a misspelt name is not lost in silence.

    Not ninja's Schema: that wraps every object to read models by dotted names, which a long list pays for.
    """

    model_config = {"extra": "forbid"}


# Problems -------------------------------------------------------------------------------------------------------------


class Unauthenticated(Problem):
    """No token, or none that opens anything."""

    code, title, status = "unauthenticated", "令牌无效", 401
    todo = "请在请求头写 Authorization: Bearer 令牌；令牌在工作台“接口令牌”页面创建。"

    @property
    def headers(self) -> dict[str, str]:
        """RFC 6750 §3: the challenge says what is wrong with the token that was sent."""
        return {
            "WWW-Authenticate": f'Bearer realm="liangzhu", error="{self.error}"'
            if self.error
            else 'Bearer realm="liangzhu"'
        }

    def __init__(self, detail: str = "", *, error: str = "invalid_token", **kwargs):
        self.error = error
        super().__init__(detail, **kwargs)


class OutOfScope(Denied):
    """The token was not made for this."""

    code, title = "insufficient_scope", "令牌没有这个范围"
    todo = "请换一个含有该范围的令牌，或重新创建。"

    def __init__(self, scope: str):
        super().__init__(f"令牌的范围不含 {scope}。")
        self.headers = {
            "WWW-Authenticate": f'Bearer realm="liangzhu", error="insufficient_scope", scope="{scope}"'
        }


class WrongMediaType(Problem):
    """A body of a kind that the operation does not read."""

    code, title, status = "media_type", "请求格式不支持", 415
    todo = "请按接口文档的格式发送，并写明 Content-Type。"


class Unreadable(Problem):
    """A request that cannot be read at all."""

    code, title, status = "unreadable", "请求无法读取", 400
    todo = "请检查请求的编码和格式。"


def pointers(fields: dict[str, str], prefix: str = "") -> list[dict[str, str]]:
    """The fields of an Invalid as RFC 9457 lists them, each with a JSON pointer (RFC 6901) into the body."""
    return [
        {"pointer": f"#{prefix}/{_escape(name)}" if name else f"#{prefix}", "detail": message}
        for name, message in fields.items()
    ]


@contextmanager
def below(prefix: str, beside: frozenset[str] = frozenset()) -> Iterator[None]:
    """The fields that an action finds wrong stand below ``prefix`` of the body, except those ``beside`` it."""
    try:
        yield
    except Invalid as error:
        error.entries = [
            entry
            for name, message in error.fields.items()
            for entry in pointers({name: message}, "" if name in beside else prefix)
        ]
        raise


def _escape(name: object) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")


def problem(request: HttpRequest, error: Problem) -> HttpResponse:
    """A problem as a problem document (RFC 9457)."""
    body = error.as_json() | {"instance": f"urn:request:{request.request_id}"}
    if isinstance(error, Invalid):
        body["errors"] = getattr(error, "entries", None) or pointers(error.fields)
    response = HttpResponse(
        json.dumps(body, ensure_ascii=False), status=error.status, content_type="application/problem+json"
    )
    for name, value in error.headers.items():
        response.headers[name] = value
    logger.info("%s %s %s", request.request_id, error.code, error.detail)
    return response


WORDS = {
    "missing": "缺少这一项。",
    "extra_forbidden": "没有这一项，请核对名称。",
    "string_too_long": "最多 {max_length} 个字。",
    "string_too_short": "至少 {min_length} 个字。",
    "greater_than_equal": "不能小于 {ge}。",
    "less_than_equal": "不能大于 {le}。",
    "int_parsing": "应为整数。",
    "int_type": "应为整数。",
    "int_from_float": "应为整数。",
    "string_type": "应为文本。",
    "bool_parsing": "应为 true 或 false。",
    "list_type": "应为列表。",
    "dict_type": "应为对象。",
    "model_attributes_type": "应为对象。",
    "literal_error": "应为 {expected} 之一。",
    "date_from_datetime_parsing": "应为 2022-10-20 这样的日期。",
    "date_parsing": "应为 2022-10-20 这样的日期。",
}


def malformed(error: Malformed) -> Invalid:
    """What the schema has against a request, as an Invalid: bodies by JSON pointer, parameters by name."""
    fields, entries = {}, []
    for one in error.errors:
        source, *place = one["loc"]
        if source in ("body", "form", "file"):
            # ninja puts the argument of the function first; the client knows the body only.
            place = place[1:] if source == "body" else place
            where = {"pointer": "#" + "".join(f"/{_escape(part)}" for part in place)}
        else:
            where = {"parameter": ".".join(map(str, place))}
        words = WORDS.get(one["type"])
        context = one.get("ctx", {})
        text = (
            words.format(**context) if words else str(context.get("error") or f"无法识别（{one['type']}）。")
        )
        entries.append(where | {"detail": text})
        fields[next(iter(where.values()))] = text
    found = Invalid(fields)
    found.entries = entries
    return found


# Reading and writing --------------------------------------------------------------------------------------------------

_BAD = re.compile(r"\\u0000|\\u[dD][89a-fA-F]")


def plain_text(text: str) -> str:
    """Text that every database can hold. Raises ValueError."""
    if "\x00" in text:
        raise ValueError("不能含有空字符（NUL）。")
    return text


Text = Annotated[str, AfterValidator(plain_text)]


class JsonParser(Parser):
    """Reads bodies: JSON in UTF-8 without NUL and without halves of surrogate pairs, which no database keeps."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The value. Raises Unreadable."""
        try:
            text = request.body.decode()
            value = json.loads(text)
            if _BAD.search(text):
                json.dumps(value, ensure_ascii=False).encode()
                if "\\u0000" in json.dumps(value):
                    raise ValueError("NUL")
        except (ValueError, RecursionError):
            raise Unreadable("请求内容不是 UTF-8 编码的 JSON。") from None
        return value


class JsonRenderer(BaseRenderer):
    """Writes bodies."""

    media_type = JSON

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        """UTF-8 without escapes."""
        return to_json(data)


def paged(
    request: HttpRequest, response: HttpResponse, rows: QuerySet, order: tuple[str, ...], limit: int
) -> list:
    """One page of a queryset by keyset, with its neighbours in the header ``Link``. Raises Invalid."""
    return linked(request, response, lambda: page(rows, request, order, limit, strict=True))


def linked(request: HttpRequest, response: HttpResponse, read: Callable[[], Page]) -> list:
    """The rows of a page; where its neighbours are stands in the header ``Link`` (RFC 8288). Raises Invalid."""
    try:
        found = read()
    except (ValueError, TypeError, OverflowError, ValidationError):
        raise Invalid({"after": "这个位置无法识别，请使用响应头 Link 给出的地址。"}) from None
    links = [(found.next, "next"), (found.previous, "prev")]
    value = ", ".join(f'<{request.path}{query}>; rel="{rel}"' for query, rel in links if query)
    if value:
        response.headers["Link"] = value
    return found.rows


Limit = Annotated[int, Field(ge=1, le=PAGE_MAX, description="一页多少条")]
After = Annotated[Text, Field(max_length=500, description="从这个位置往后；取自响应头 Link，不要自己拼写")]
Before = Annotated[Text, Field(max_length=500, description="从这个位置往前；取自响应头 Link")]


class Paging(Schema):
    """Where in a list one stands."""

    limit: Limit = PAGE_SIZE
    after: After = ""
    before: Before = ""


class Stale(Conflict):
    """The thing is no longer as the header ``If-Match`` says. ``detail`` says who did what meanwhile."""

    code, status = "precondition_failed", 412
    todo = "请重新读取，核对后带上新的 ETag 再提交。"


_TAG = re.compile(r'"(\d{1,9})"')


@contextmanager
def matching(request: HttpRequest, version: int | None) -> Iterator[int | None]:
    """The version to be checked by an action: that of the body, else that of the header ``If-Match`` (RFC 9110 §13.1.1).

    Raises Conflict (409) where the body's is stale, Stale (412) where the header's is, Unreadable for a strange header.
    """
    header = request.META.get("HTTP_IF_MATCH", "").strip()
    if version is not None or header in ("", "*"):
        yield version
        return
    found = _TAG.fullmatch(header)
    if not found:
        raise Unreadable("If-Match 应为读取时响应头 ETag 的原样内容。")
    try:
        yield int(found[1])
    except Conflict as error:
        if type(error) is not Conflict:
            raise
        raise Stale(error.detail) from None


# Who may --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pass:
    """What a token opens: for whom it acts, and its scopes ("matters:read"). ``key`` names the token in limits."""

    key: str
    actor: Actor
    scopes: frozenset[str]


_identify: Callable[[HttpRequest, str], Pass] | None = None
AREAS: dict[str, str] = {}
"""The areas that a scope may name, with their titles."""


def identify_by(check: Callable[[HttpRequest, str], Pass]) -> None:
    """Say who tells tokens apart: ``check(request, token)`` returns a Pass or raises Unauthenticated."""
    global _identify
    _identify = check


def covers(scopes: frozenset[str], scope: str) -> bool:
    """Whether scopes hold one; who may write an area may read it."""
    area, _, kind = scope.partition(":")
    return scope in scopes or (kind == READ and f"{area}:{WRITE}" in scopes)


def enter(request: HttpRequest, scope: str, policy_name: str) -> dict[str, str]:
    """Let a request in, set its actor, and return what its answer says of the rate.

    Raises Unauthenticated, TooMany, OutOfScope, Denied. Only what fails is counted by address: many programs share one.
    """
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    token = token.strip()
    try:
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("请求没有带令牌。", error="")
        found = _identify(request, token)
    except Unauthenticated:
        limits.take(limits.Rate("address", settings.LIANGZHU_FAILURE_RATE), limits.address_key(request))
        raise
    rate = limits.Rate("token", settings.LIANGZHU_API_RATE)
    left = limits.take(rate, found.key)
    request.actor = replace(found.actor, request_id=request.request_id)
    request.scopes = found.scopes
    if scope and not covers(found.scopes, scope):
        raise OutOfScope(scope)
    get_policy(policy_name).require(request.actor)
    return limits.headers(rate, left) if rate.count else {}


@functools.cache
def _known_query(operation: Operation) -> frozenset[str]:
    """The query parameters that an operation knows."""
    return frozenset(
        name
        for model in operation.models
        if model.__ninja_param_source__ == "query"
        for name in model.__ninja_flatten_map__
    )


def _check_query(request: HttpRequest, operation: Operation) -> None:
    """Refuse query parameters that nobody asked for: a misspelt filter would be no filter. Raises Invalid."""
    unknown = sorted(set(request.GET) - _known_query(operation)) if request.META.get("QUERY_STRING") else ()
    if unknown:
        error = Invalid(dict.fromkeys(unknown, WORDS["extra_forbidden"]))
        error.entries = [{"parameter": name, "detail": WORDS["extra_forbidden"]} for name in unknown]
        raise error


FORM_SLACK = 1024 * 1024
"""Bytes that a form may have besides its file."""


def _check_body(request: HttpRequest, media: str) -> None:
    """Refuse a body of another kind, or one that is too large, before it is read. Raises WrongMediaType, TooLarge."""
    size = int(request.META.get("CONTENT_LENGTH") or 0)
    most = (
        settings.LIANGZHU_MAX_UPLOAD + FORM_SLACK
        if media == "multipart/form-data"
        else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    )
    if size > most:
        raise TooLarge(f"请求有 {size} 字节，最多 {most} 字节。", todo="请减少内容后重试。")
    if request.content_type != media and size:
        raise WrongMediaType(f"请用 {media}，收到的是 {request.content_type or '没有写明的格式'}。")


_routers: dict[str, "Router"] = {}


def all_routers() -> list["Router"]:
    """The routers of all apps, by area; complete when every app has loaded its shelves."""
    return [_routers[area] for area in sorted(_routers)]


def all_scopes() -> dict[str, str]:
    """Every scope that some operation asks for, with its title: {"matters:read": "事项：读", "matters:write": "事项：办理"}."""
    found = {}
    for router in all_routers():
        for kind, title in ((READ, "读"), (WRITE, "办理")):
            if f"{router.area}:{kind}" in router.asked:
                found[f"{router.area}:{kind}"] = f"{AREAS[router.area]}：{title}"
    return found


class Router(ninja.Router):
    """The operations of one area; scopes are named by it. Made in an app's `http.py`, it is part of the API."""

    def __init__(self, area: str, title: str):
        super().__init__(tags=[title])
        self.area = area
        self.asked: set[str] = set()
        if area in _routers:
            raise ValueError(f"area {area} is declared twice")
        AREAS[area], _routers[area] = title, self

    def read(
        self, path: str, *, policy: str, answer: Any, summary: str, free: bool = False, binary: bool = False
    ) -> Callable:
        """An operation that changes nothing (GET). ``free``: any token, whatever its scopes. ``binary``: a file."""
        scope = "" if free else f"{self.area}:{READ}"
        return self._add("GET", path, _Rule(policy, scope, binary=binary), {200: answer}, summary)

    def change(
        self,
        path: str,
        *,
        policy: str,
        answer: Any,
        summary: str,
        status: int = 200,
        media: str = JSON,
        versioned: bool = False,
    ) -> Callable:
        """An operation that runs an action (POST) on a body of ``media``. ``versioned``: it heeds ``If-Match``."""
        rule = _Rule(policy, f"{self.area}:{WRITE}", media=media, versioned=versioned)
        return self._add("POST", path, rule, {status: answer}, summary)

    def _add(self, method: str, path: str, rule: "_Rule", answers: dict, summary: str) -> Callable:
        self.asked.add(rule.scope)

        def register(view: Callable) -> Callable:
            view.policy_name, view.rule = rule.policy, rule
            decorate_view(rule.around)(view)
            name = f"{self.area}_{view.__name__}"
            add = self.api_operation(
                [method], path, response=answers, summary=summary, operation_id=name, url_name=name
            )
            return add(view)

        return register


@dataclass(frozen=True)
class _Rule:
    """What is asked before an operation runs."""

    policy: str
    scope: str
    media: str = ""
    versioned: bool = False
    binary: bool = False

    def around(self, run: Callable) -> Callable:
        """``run``, bound to its operation, behind token, rate, scope, policy, parameters, body and idempotency key."""
        operation = run.__self__

        @functools.wraps(run)
        def go(request: HttpRequest, **given: Any) -> HttpResponse:
            told = {}
            try:
                told = enter(request, self.scope, self.policy)
                _check_query(request, operation)
                if self.media:
                    _check_body(request, self.media)
                    response = replay.once(request, lambda: run(request, **given))
                else:
                    response = run(request, **given)
            except Exception as error:
                response = on_failure(request, error)
            for name, value in told.items():
                response.headers.setdefault(name, value)
            return response

        return go


# Failures -------------------------------------------------------------------------------------------------------------


class Busy(Problem):
    """The database had too many writers for too long."""

    code, title, status = "busy", "系统繁忙", 503
    todo = "请稍后原样重试；带上 Idempotency-Key 就不会重复办理。"
    headers = {"Retry-After": "2"}


def on_failure(request: HttpRequest, error: Exception) -> HttpResponse:
    """The answer to whatever was raised. What is the program's own fault is written down with the request's id."""
    if isinstance(error, Malformed):
        error = malformed(error)
    elif isinstance(error, HttpError | SuspiciousOperation | MultiPartParserError | UnreadablePostError):
        error = Unreadable("请求内容不是 UTF-8 编码的 JSON，或者不完整。")
    elif isinstance(error, Http404):
        error = no_such_route()
    elif isinstance(error, OperationalError) and "locked" in str(error):
        error = Busy()
    if isinstance(error, Problem):
        return problem(request, error)
    logger.error("%s %s failed", request.request_id, request.path, exc_info=error)
    return problem(
        request,
        Problem(
            "系统出现故障，工作人员已能从日志看到。",
            code="fault",
            title="系统故障",
            todo="请稍后重试；报修时请提供 instance 里的请求编号。",
            status=500,
        ),
    )


def no_such_route() -> Problem:
    """No such address."""
    return Problem(
        "没有这个接口地址。",
        code="no_such_route",
        title="没有找到",
        todo="请对照接口文档核对地址。",
        status=404,
    )


def wrong_method(allowed: str) -> Problem:
    """The address knows other methods."""
    error = Problem(
        f"这个地址只接受 {allowed}。",
        code="wrong_method",
        title="方法不支持",
        todo="请对照接口文档核对方法。",
        status=405,
    )
    error.headers = {"Allow": allowed}
    return error
