"""Serving: portal, workbench and worker as one group of processes that starts and ends together."""

import atexit
import contextlib
import ctypes
import errno
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from liangzhu.kernel.errors import Problem
from liangzhu.kernel.simulating import is_loopback

READY_SECONDS = 60
"""How long the first answer may take; a cold start on a slow disk needs most of it."""

STOP_SECONDS = 10


_REASONS = {
    errno.EADDRINUSE: "已有程序在使用",
    errno.EADDRNOTAVAIL: "本机没有这个地址",
    errno.EACCES: "没有权限（1024 以下的端口要系统管理员才能使用）",
    socket.EAI_NONAME: "主机名无法识别",
}


class PortTaken(Problem):
    """The address cannot be listened at, as a rule because another program does."""

    code, title = "port_taken", "端口不能使用"


class NotBeyondLoopback(Problem):
    """Demonstration secrets must not be served to a network."""

    code, title = "not_beyond_loopback", "不能对外提供服务"


class ServerFailed(Problem):
    """The server ended by itself, or never answered."""

    code, title = "server_failed", "服务没有启动"
    todo = "请看上面的日志；也可以运行 liangzhu doctor 检查设置。"


def require_own_secrets(host: str, *, own_key: bool, own_master: bool, demo_accounts: bool) -> None:
    """Raise NotBeyondLoopback if ``host`` is reachable from elsewhere while secrets are those of a demonstration.

    ``own_key``, ``own_master``: that key was made by the program and not given as a setting. ``demo_accounts``: accounts with the
    published password exist.
    """
    if is_loopback(host):
        return
    if demo_accounts:
        raise NotBeyondLoopback(
            f"数据库里有演示账号，密码是公开的，不能在 {host} 上提供服务。",
            todo="演示请只在本机使用（--host 127.0.0.1）；正式使用请换一个空的 LIANGZHU_HOME 或 LIANGZHU_DATABASE。",
        )
    if own_key:
        raise NotBeyondLoopback(
            f"没有设置 LIANGZHU_SECRET_KEY，不能在 {host} 上提供服务。",
            todo="请设置 LIANGZHU_SECRET_KEY（至少 50 个随机字符），并妥善保管；同时设置 LIANGZHU_HOSTS 和 LIANGZHU_HTTPS。",
        )
    if own_master:
        raise NotBeyondLoopback(
            f"没有设置 LIANGZHU_MASTER_KEY，不能在 {host} 上提供服务：主密钥和数据在同一个目录里，等于没有加密。",
            todo="请用 openssl rand -hex 16 生成主密钥，写入 LIANGZHU_MASTER_KEY，与备份分开保管；然后运行 liangzhu keys rewrap。",
        )


_here_only: list[str] = []


def unsafe() -> list[str]:
    """Why this installation must stay on its own machine, in words; empty when it may be reached from elsewhere."""
    from django.conf import settings

    from liangzhu.kernel.neighbours import all_neighbours
    from liangzhu.site.loading import kind_of_database

    simulated = [one.title for one in all_neighbours().values() if one.simulated]
    reasons = {
        "没有设置 LIANGZHU_SECRET_KEY": settings.LIANGZHU_OWN_KEY,
        "没有设置 LIANGZHU_MASTER_KEY": settings.LIANGZHU_OWN_MASTER_KEY,
        "LIANGZHU_DEBUG 已打开": settings.DEBUG,
        "设置了演示日期 LIANGZHU_DEMO_DATE": settings.LIANGZHU_DEMO_DATE is not None,
        "数据库里有密码公开的演示账号": bool(kind_of_database()),
        f"{'、'.join(simulated)}用的是模拟器": bool(simulated),
    }
    return [words for words, holds in reasons.items() if holds]


def guard() -> None:
    """For every process that serves or works, whoever started it: refuse names beyond loopback with such secrets.

    Raises NotBeyondLoopback. What is bound cannot be seen here, so requests from elsewhere are refused one by one
    (`loopback_only`).
    """
    from django.conf import settings

    _here_only[:] = unsafe()
    beyond = [host for host in settings.ALLOWED_HOSTS if not is_loopback(host)]
    if beyond and _here_only:
        raise NotBeyondLoopback(
            f"LIANGZHU_HOSTS 写了 {'、'.join(beyond)}，但{'；'.join(_here_only)}。",
            todo="请设置自己的密钥，关闭调试和演示日期，不用演示数据；或去掉 LIANGZHU_HOSTS，只在本机使用。",
        )


def require_served_safely(host: str) -> None:
    """Raise NotBeyondLoopback for an address beyond loopback, whatever the reason."""
    if reasons := unsafe():
        raise NotBeyondLoopback(
            f"不能在 {host} 上提供服务：{'；'.join(reasons)}。", todo="请改正后再启动，或只在本机使用。"
        )


def loopback_only() -> list[str]:
    """Why requests from elsewhere are refused, as `guard` found it when this process started."""
    return _here_only


def require_free_port(host: str, port: int) -> None:
    """Raise PortTaken if something listens already.

    The server binds with SO_REUSEPORT: without this question a forgotten one would silently keep half of the traffic.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as error:
            raise PortTaken(
                f"不能使用 {host}:{port}：{_REASONS.get(error.errno, error.strerror)}。",
                todo=f"请结束占用它的程序，或换一个端口，例如 --port {port + 1 if port < 65535 else 8000}。",
            ) from None


def _count_together() -> None:
    """Give all processes one empty folder to count in, so that a scrape of any of them sees them all."""
    folder = Path(tempfile.mkdtemp(prefix="liangzhu-metrics-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def serve(
    host: str, port: int, workers: int, ready: Callable[[], None], beside: list[list[str]] | None = None
) -> int:
    """Run server and worker until a signal ends them; ``ready`` is called once the first page can be answered.

    ``beside`` are commands that run as long: the simulators of a demonstration.

    Returns the exit status: 0 after SIGINT or SIGTERM. A worker that dies is started again: what is owed stands in the
    database. A server that dies ends everything. Raises ServerFailed when no answer comes.
    """
    stopping: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.append(number)

    _count_together()
    # Children are started with the default handlers; only this process waits for them.
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    web = _start(granian(host, port, workers))
    worker = _start([sys.executable, "-m", "liangzhu.site.cli", "worker"])
    others = [_start(command) for command in beside or ()]
    try:
        _wait_for_answer(host, port, web, stopping)
        if not stopping:
            ready()
        while not stopping:
            if web.poll() is not None:
                raise ServerFailed(f"网页服务意外结束（状态 {web.returncode}）。")
            if worker.poll() is not None:
                print(
                    f"后台进程意外结束（状态 {worker.returncode}），正在重新启动。",
                    file=sys.stderr,
                    flush=True,
                )
                time.sleep(1)
                worker = _start(worker.args)
            for place, other in enumerate(others):
                if other.poll() is not None:
                    time.sleep(1)
                    others[place] = _start(other.args)
            time.sleep(0.2)
        return 0
    finally:
        _end([web, worker, *others])
        for number, handler in before.items():
            signal.signal(number, handler)


def granian(host: str, port: int, workers: int) -> list[str]:
    """The command that serves all pages, and the API, at an address."""
    options = {
        "--interface": "wsgi",
        "--host": host.strip("[]"),
        "--port": str(port),
        "--workers": str(workers),
        # One thread each: several would only wait for each other's interpreter lock. Processes stand beside each other.
        "--blocking-threads": "1",
        "--http": "1",
        "--log-level": "warning",
        "--workers-kill-timeout": "5",
    }
    words = [word for pair in options.items() for word in pair]
    switches = ["--no-ws", "--respawn-failed-workers"]
    return [sys.executable, "-m", "granian", *words, *switches, "liangzhu.site.wsgi:application"]


def _start(command: list[str]) -> subprocess.Popen:
    return subprocess.Popen(command, preexec_fn=end_with_parent)


def end_with_parent() -> None:
    """Linux: have the kernel end this process when its parent is killed, so that no server is left behind."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def _wait_for_answer(host: str, port: int, web: subprocess.Popen, stopping: list[int]) -> None:
    address = "127.0.0.1" if host in ("0.0.0.0", "localhost") else "::1" if host == "::" else host.strip("[]")
    deadline = time.monotonic() + READY_SECONDS
    while not stopping:
        if web.poll() is not None:
            raise ServerFailed(f"网页服务没有启动（状态 {web.returncode}）。")
        if time.monotonic() > deadline:
            raise ServerFailed(f"{READY_SECONDS} 秒内没有响应。")
        connection = http.client.HTTPConnection(address, port, timeout=5)
        try:
            connection.request("HEAD", "/", headers={"Host": "localhost"})
            connection.getresponse()
            return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()


def _end(children: list[subprocess.Popen]) -> None:
    """Ask the children to end, and make those end that do not."""
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def default_workers() -> int:
    """Server processes for this machine: one for each processor, at least two, so that one slow page stops nobody else."""
    return max(2, min(8, os.cpu_count() or 2))
