"""Simulators (模拟器) of neighbours: small programs that stand where a neighbour would, and can be made slow, wrong or silent.

An adapter brings one in its ``simulator.py`` as ``SIMULATOR``; ``liangzhu simulate NAME`` runs it, a demonstration runs all
of them beside the product, and tests start them in a thread (`serving`). Works without Django, on loopback only.
"""

import html
import ipaddress
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

BODY_MOST = 1_000_000
SILENT_SECONDS = 120
"""A silent simulator keeps a request that long, and then closes it without an answer of any use."""


@dataclass(frozen=True)
class Request:
    """One request, read: ``given`` is the query, or of a POST the form or the JSON object."""

    method: str
    path: str
    given: Mapping[str, Any]
    headers: Mapping[str, str]
    raw: bytes = b""


@dataclass(frozen=True)
class Answer:
    """One answer."""

    body: bytes
    status: str = "200 OK"
    type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


def as_json(value: object, status: str = "200 OK") -> Answer:
    """A JSON answer."""
    return Answer(json.dumps(value, ensure_ascii=False).encode(), status, "application/json")


def redirect(address: str) -> Answer:
    """A way on."""
    return Answer(b"", "303 See Other", headers=(("Location", address),))


def as_page(title: str, body: str, status: str = "200 OK") -> Answer:
    """A page that says that it is a simulation. ``body`` is HTML."""
    return Answer(_PAGE.format(title=html.escape(title), body=body).encode(), status)


_PAGE = """<!doctype html><html lang="zh-Hans"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title} · 模拟</title>
<style>body{{font:18px/1.6 "PingFang SC","HarmonyOS Sans SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;color:#1C2A30;
background:#F4F1EA;margin:0}}main{{max-width:40rem;margin:0 auto;padding:1rem}}header{{background:#8A5A00;color:#fff;padding:.5rem 1rem;
text-align:center}}h1{{font-size:1.5rem}}h2{{font-size:1.15rem}}button,input,select{{font:inherit}}button{{display:block;width:100%;
text-align:left;padding:.75rem 1rem;margin:.5rem 0;min-height:44px;background:#fff;color:#0B5F66;border:1px solid #0B5F66;
border-radius:6px;cursor:pointer}}button:focus-visible{{outline:3px solid #0B5F66;outline-offset:2px}}small{{display:block;color:#55636A}}
label{{display:block;margin:.75rem 0}}input,select{{display:block;width:100%;padding:.5rem;box-sizing:border-box;border:1px solid #55636A;
border-radius:6px;background:#fff}}</style></head><body>
<header role="banner"><b>模拟</b>：这不是真正的系统，人员和企业都是虚构的，只用于演示和测试</header><main><h1>{title}</h1>{body}</main></body></html>"""


@dataclass
class Faults:
    """What is wrong with the simulated neighbour now: ``delay`` seconds before every answer, ``silent`` gives none, ``wrong``
    names one of the faults that the simulator offers."""

    delay: float = 0
    silent: bool = False
    wrong: str = ""


class SimulatedApp:
    """A WSGI application: routes, the page ``/config``, and the faults that it sets.

    ``routes`` maps "METHOD /path" to a function of `Request`; ``wrongs`` names the faults it offers, in words.
    """

    title = ""
    wrongs: Mapping[str, str] = {}

    def __init__(self) -> None:
        self.faults = Faults()
        self.routes: dict[str, Callable[[Request], Answer]] = {}
        self.stopping = threading.Event()
        self.lock = threading.Lock()

    def configure(self, given: Mapping[str, Any]) -> None:
        """Take over what was posted to /config. Raises ValueError for a fault that there is not."""
        wrong = str(given.get("wrong", ""))
        if wrong and wrong not in self.wrongs:
            raise ValueError(f"没有这种错误：{wrong}；可用：{'、'.join(self.wrongs)}")
        silent = given.get("silent", False)
        self.faults = Faults(
            delay=min(max(float(given.get("delay") or 0), 0), 60),
            silent=silent in (True, "1", "true", "on"),
            wrong=wrong,
        )

    def config(self) -> dict[str, Any]:
        """How it is configured now."""
        return {"delay": self.faults.delay, "silent": self.faults.silent, "wrong": self.faults.wrong}

    def __call__(self, environ: dict, start_response: Callable) -> list[bytes]:  # noqa: D102
        try:
            answer = self._answer(_read(environ))
        except ValueError as error:
            answer = as_page("请求不对", f"<p>{html.escape(str(error))}</p>", "400 Bad Request")
        headers = [
            ("Content-Type", answer.type),
            ("Content-Length", str(len(answer.body))),
            ("Cache-Control", "no-store"),
            ("X-Simulated", "1"),
            *answer.headers,
        ]
        start_response(answer.status, headers)
        return [answer.body]

    def _answer(self, request: Request) -> Answer:
        if request.path == "/config":
            return self._config(request)
        faults = self.faults
        if faults.silent:
            self.stopping.wait(SILENT_SECONDS)
            return Answer(b"", "504 Gateway Timeout")
        if faults.delay:
            self.stopping.wait(faults.delay)
        found = self.routes.get(f"{request.method} {request.path}")
        if found is None:
            return as_page("没有这个地址", "", "404 Not Found")
        return found(request)

    def _config(self, request: Request) -> Answer:
        wants_json = "json" in request.headers.get("content-type", "") + request.headers.get("accept", "")
        if request.method == "POST":
            self.configure(request.given)
            return as_json(self.config()) if wants_json else redirect("/config")
        if wants_json:
            return as_json(self.config())
        options = "".join(
            f'<option value="{html.escape(key)}"{" selected" if key == self.faults.wrong else ""}>{html.escape(words)}</option>'
            for key, words in {"": "没有错误", **self.wrongs}.items()
        )
        body = f"""<p>让{html.escape(self.title)}变慢、出错或者不回答，看产品怎样应对。</p><form method="post">
<label>每次回答前等几秒<input name="delay" inputmode="decimal" value="{self.faults.delay:g}"></label>
<label>错误<select name="wrong">{options}</select></label>
<label>回答<select name="silent"><option value="0">照常回答</option><option value="1"{" selected" if self.faults.silent else ""}>一直不回答</option></select></label>
<button type="submit">保存</button></form>"""
        return as_page("模拟器设置", body)


def _read(environ: dict) -> Request:
    """Read a WSGI request. Raises ValueError."""
    method = environ["REQUEST_METHOD"]
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    headers["content-type"] = environ.get("CONTENT_TYPE") or ""
    raw = b""
    given: Any = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    if method == "POST":
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > BODY_MOST:
            raise ValueError("请求太大")
        raw = environ["wsgi.input"].read(length)
        if "json" in headers["content-type"]:
            given = json.loads(raw or b"{}")
            if not isinstance(given, dict):
                raise ValueError("应是 JSON 对象")
        else:
            given = dict(parse_qsl(raw.decode(), keep_blank_values=True))
    return Request(method, environ.get("PATH_INFO", "/"), given, headers, raw)


@dataclass(frozen=True)
class Simulator:
    """A simulator that can be run: ``make(folder)`` builds its application from the pack's folder, ``environ(address)`` are
    the settings with which the product uses it at that address. ``port`` is the usual one.
    """

    name: str
    title: str
    port: int
    make: Callable[[Path], SimulatedApp]
    environ: Callable[[str], dict[str, str]] = field(default=lambda address: {})


class NotLoopback(ValueError):
    """A simulator answers on the own machine only: what it says would be believed."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind without asking a name server what this machine is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing: a demonstration prints its own lines."""


def listen(app: SimulatedApp, host: str = "127.0.0.1", port: int = 0) -> WSGIServer:
    """A server of the application, bound and not yet running; port 0 is a free one. Raises NotLoopback, OSError."""
    if not is_loopback(host):
        raise NotLoopback(f"模拟器只能在本机使用，不能监听 {host}。")
    kind = _Server6 if ":" in host else _Server
    return make_server(host, port, app, server_class=kind, handler_class=_Quiet)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens at ``host`` (a name or an address)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@contextmanager
def serving(app: SimulatedApp) -> Iterator[str]:
    """Run the application in a thread on a free port of loopback: ``with serving(app) as address:``."""
    server = listen(app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        app.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
