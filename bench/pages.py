"""Pages of the demonstration over HTTP, beside a static file from the same server (its limit). Loopback only."""

import http.cookiejar
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from bench._report import Row, options, show

PAGES = ["/work/", "/programme/", "/programme/truth/", "/plan/"]
CLIENTS = 4


def main() -> None:
    """Requests per second with four clients, and the 95th percentile of a single client."""
    arguments = options(__doc__)
    seconds = 2.0 if arguments.quick else 10.0
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        server = subprocess.Popen(
            [sys.executable, "-m", "liangzhu.site.cli", "up", "--port", str(port)],
            env=os.environ | {"LIANGZHU_HOME": home, "LIANGZHU_LOG_LEVEL": "WARNING"},
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            base = f"http://localhost:{port}"
            browser = sign_in(base, wait_for(base, server))
            asset = re.search(r'href="(/static/[^"]+\.css[^"]*)"', fetch(browser, base + "/")).group(1)
            limit = throughput(browser, base + asset, seconds)
            rows, slowest = [Row("静态文件", limit)], 0.0
            for page in PAGES:
                ours, p95 = (
                    throughput(browser, base + page, seconds),
                    latency(browser, base + page, seconds / 2),
                )
                slowest = max(slowest, p95)
                rows.append(Row(page, ours, "静态文件", ours / limit, f"单客户端 p95 {p95:.0f} ms"))
            show(f"页面（{CLIENTS} 个客户端）", rows, arguments, slowest_p95_ms=slowest)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)


def wait_for(base: str, server: subprocess.Popen) -> urllib.request.OpenerDirector:
    """A client with cookies, once the server answers; at most two minutes."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    for _ in range(600):
        if server.poll() is not None:
            raise SystemExit("服务没有启动，请先单独运行 liangzhu up 看提示。")
        try:
            fetch(browser, base + "/")
            return browser
        except OSError:
            time.sleep(0.2)
    raise SystemExit("服务两分钟内没有启动。")


def fetch(browser: urllib.request.OpenerDirector, url: str, data: bytes | None = None) -> str:
    """One request; anything but an answer below 400 raises."""
    with browser.open(url, data, timeout=30) as answer:
        return answer.read().decode(errors="replace")


def sign_in(base: str, browser: urllib.request.OpenerDirector) -> urllib.request.OpenerDirector:
    """Sign in as the office of the demonstration."""
    page = fetch(browser, base + "/account/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page).group(1)
    form = {"csrfmiddlewaretoken": token, "login": "office", "password": "liangzhu-demo-2022"}
    fetch(browser, base + "/account/login/", urllib.parse.urlencode(form).encode())
    return browser


def throughput(browser: urllib.request.OpenerDirector, url: str, seconds: float) -> float:
    """Requests per second of several clients for some seconds."""
    fetch(browser, url)
    end, counts = time.perf_counter() + seconds, [0] * CLIENTS

    def client(position: int) -> None:
        while time.perf_counter() < end:
            fetch(browser, url)
            counts[position] += 1

    threads = [threading.Thread(target=client, args=(position,)) for position in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def latency(browser: urllib.request.OpenerDirector, url: str, seconds: float) -> float:
    """Milliseconds that 95 of 100 requests of one client stay below."""
    end, times = time.perf_counter() + seconds, []
    while time.perf_counter() < end or len(times) < 20:
        start = time.perf_counter()
        fetch(browser, url)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.quantiles(times, n=20)[-1]


if __name__ == "__main__":
    main()
