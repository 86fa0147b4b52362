"""The API: the routers of all apps under ``/api/v1/``, on a path of its own without session, cookie or messages."""

import functools
from collections.abc import Callable, Iterator

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from pydantic_core import from_json, to_json

from liangzhu.beams.people.directory.api import pinned
from liangzhu.kernel import http
from liangzhu.kernel.policies import get_policy
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
for kind in (Exception, Http404, HttpError, ValidationError):
    # ninja has handlers of its own for the narrower ones, which would come first.
    api.add_exception_handler(kind, http.on_failure)


patterns = ([each for each in api.urls[0] if each.name != "api-root"], "api")


PROBLEMS = {
    400: "请求无法读取",
    401: "没有令牌，或令牌无效",
    403: "岗位没有权限，或令牌没有这个范围",
    404: "不存在，或不在可见范围",
    409: "现在不能办：别人先办了一步、当前状态不能办，或同一请求正在办理",
    412: "If-Match 与现在的版本不符",
    413: "内容过大",
    415: "内容格式不支持",
    422: "内容有误，errors 逐项说明",
    429: "请求太频繁，见 Retry-After",
    500: "系统故障",
    503: "系统繁忙，见 Retry-After",
}
PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457 问题文档",
    "required": ["type", "title", "status", "detail", "todo", "instance"],
    "properties": {
        "type": {
            "type": "string",
            "description": "稳定的问题代码",
            "examples": ["urn:liangzhu:problem:conflict"],
        },
        "title": {"type": "string", "examples": ["刚刚有人先办了一步"]},
        "status": {"type": "integer", "examples": [409]},
        "detail": {"type": "string", "description": "发生了什么"},
        "todo": {"type": "string", "description": "现在该做什么"},
        "instance": {
            "type": "string",
            "description": "请求编号，报修时提供",
            "examples": ["urn:request:5f0c"],
        },
        "errors": {
            "type": "array",
            "description": "逐项的错误",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "请求内容里的位置（JSON Pointer）",
                        "examples": ["#/data/result"],
                    },
                    "parameter": {
                        "type": "string",
                        "description": "地址或查询里的参数",
                        "examples": ["limit"],
                    },
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
RATE_HEADERS = {
    "RateLimit-Policy": {"description": "限额：q 次，每 w 秒", "schema": {"type": "string"}},
    "RateLimit": {"description": "还剩 r 次，t 秒后恢复满额", "schema": {"type": "string"}},
}


def _header(name: str, description: str, example: str) -> dict:
    schema = {"type": "string", "examples": [example]}
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


KEY = _header(
    "Idempotency-Key",
    "每件事一个新的值（8—200 个可见字符），重试时不变：只办一次",
    "8e03978e-40d5-43dd-bc93-6894a57f9324",
)
MATCH = _header("If-Match", "读取时的 ETag；已不是这一版时返回 412", '"3"')


@functools.cache
def schema() -> dict:
    """The contract, OpenAPI 3.1: what ninja knows, and what every operation of ours has besides."""
    contract = api.get_openapi_schema(path_prefix=ROOT.strip("/"))
    for view, each in _described(contract):
        rule = view.rule
        each["security"] = [{"token": []}]
        each["x-scope"], each["x-policy"] = rule.scope, rule.policy
        each["description"] += (
            f"\n\n令牌范围：{rule.scope or '任何'}。权限：{get_policy(rule.policy).title}。"
        )
        for parameter in each["parameters"]:
            # ninja lifts them out of the schema, where a list of them is right, to a place that wants names.
            parameter.pop("examples", None)
        codes = [401, 403, 404, 422, 429, 500]
        if rule.media:
            codes += [400, 409, 413, 415, 503]
            each["parameters"].append(KEY)
        if rule.versioned:
            codes.append(412)
            each["parameters"].append(MATCH)
        for answer in each["responses"].values():
            answer["description"] = "完成"
            answer["headers"] = RATE_HEADERS
            if rule.binary:
                answer["content"] = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
        for code in sorted(codes):
            each["responses"][code] = {"$ref": f"#/components/responses/{code}"}
    parts = contract["components"]
    parts["schemas"]["Problem"] = PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    parts["responses"] = {
        str(code): {"description": text, "content": content} for code, text in PROBLEMS.items()
    }
    parts["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "接口令牌：Authorization: Bearer lz_…"}
    }
    contract["tags"] = [{"name": title} for title in http.AREAS.values()]
    # Through JSON and back: keys are text, and nothing is shared.
    return from_json(to_json(contract))


def _described(contract: dict) -> Iterator[tuple[Callable, dict]]:
    """Every operation with its description in the contract."""
    views = {
        operation.operation_id: operation.view_func
        for router in http.all_routers()
        for path in router.path_operations.values()
        for operation in path.operations
    }
    for path in contract["paths"].values():
        for each in path.values():
            yield views[each["operationId"]], each


@guarded("kernel.public")
def openapi(request: HttpRequest) -> HttpResponse:
    """The contract; it is no secret."""
    return HttpResponse(to_json(schema()), content_type="application/json")


@guarded("kernel.public")
def docs(request: HttpRequest) -> HttpResponse:
    """The contract for people to read: a page of ours, without a script and with nothing loaded from elsewhere."""
    return render(
        request, "site/api.html", {"areas": _chapters(), "problems": PROBLEMS, "contract": schema()}
    )


@functools.cache
def _chapters() -> list[tuple[str, list[dict]]]:
    """The operations by area, each with what a reader wants to know of it."""
    contract, chapters = schema(), {}
    for path, methods in contract["paths"].items():
        for method, each in methods.items():
            about, _, rights = each["description"].rpartition("\n\n")
            answer = next(iter(each["responses"].values()))
            body = each.get("requestBody", {}).get("content", {})
            chapters.setdefault(each["tags"][0], []).append(
                {
                    "id": each["operationId"],
                    "method": method.upper(),
                    "path": path,
                    "summary": each["summary"],
                    "about": about,
                    "rights": rights,
                    "parameters": each["parameters"],
                    "media": next(iter(body), ""),
                    "body": [row for one in body.values() for row in _fields(one["schema"], contract)],
                    "answer": [
                        row
                        for one in answer.get("content", {}).values()
                        for row in _fields(one["schema"], contract)
                    ],
                    "several": any(
                        one["schema"].get("type") == "array" for one in answer.get("content", {}).values()
                    ),
                    "problems": [code for code in each["responses"] if int(code) >= 400],
                }
            )
    return list(chapters.items())


def _fields(schema: dict, contract: dict) -> list[dict]:
    """The fields of a body, one level deep, as (name, type, whether it must be there, description, example)."""
    schema = _resolved(schema, contract)
    if schema.get("type") == "array":
        schema = _resolved(schema["items"], contract)
    return [
        {
            "name": name,
            "type": _type(each, contract),
            "required": name in schema.get("required", ()),
            "about": each.get("description") or _resolved(each, contract).get("description", ""),
            "example": (each.get("examples") or [""])[0],
        }
        for name, each in schema.get("properties", {}).items()
    ]


def _resolved(schema: dict, contract: dict) -> dict:
    name = schema.get("$ref", "").rpartition("/")[2]
    return contract["components"]["schemas"][name] if name else schema


_TYPES = {
    "string": "文本",
    "integer": "整数",
    "number": "数",
    "boolean": "真假",
    "null": "空",
    "object": "对象",
}


def _type(schema: dict, contract: dict) -> str:
    """A type in words."""
    if "anyOf" in schema:
        return "或".join(dict.fromkeys(_type(each, contract) for each in schema["anyOf"]))
    schema = _resolved(schema, contract)
    if schema.get("type") == "array":
        return f"{_type(schema['items'], contract)}列表"
    if "enum" in schema:
        return "、".join(f"“{value}”" for value in schema["enum"])
    return {"date-time": "时刻", "date": "日期", "binary": "文件"}.get(
        schema.get("format", ""), _TYPES.get(schema.get("type", ""), "任意")
    )


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
