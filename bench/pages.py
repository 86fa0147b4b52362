"""Pages of the demonstration over HTTP, beside a static file from the same server (its limit), and on a phone. Loopback only.

On a phone: every public page and every page of a resident that links lead to, one of each kind, judged by Lighthouse on its mobile
settings (a slow phone, slow 4G, simulated) where npm's ``lighthouse`` is found: in ``BENCH_LIGHTHOUSE`` (a folder ``node_modules``),
else in this project's. Wanted of each page: 95 or more for performance, accessibility and best practices, and a first view under
200 kB. A machine that is busy with other things costs performance points: a page below 95 is measured again, the better run counts.
"""

import http.cookiejar
import json
import os
import re
import shutil
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
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench._report import Row, options, show

PAGES = ["/work/", "/programme/", "/programme/truth/", "/plan/"]
CLIENTS = 4
STARTS = ["/", "/services/?q=开诊所", "/plan/", "/offline/", "/account/login/"]
QUICK = ["/", "/services/"]
WANTED, KILOBYTES = 95, 200
CATEGORIES = ("performance", "accessibility", "best-practices")
LEAVES = {"account_logout", "residents:sign_in"}
"""Routes that end or begin a session."""


def main() -> None:
    """Requests per second with four clients, and the 95th percentile of a single client."""
    arguments = options(__doc__)
    seconds = 0.5 if arguments.quick else 10.0
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
            on_a_phone(base, arguments)
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


# On a phone -----------------------------------------------------------------------------------------------------


def on_a_phone(base: str, arguments) -> None:
    """Judge the pages of the public and of a resident, and print each one and the least of all."""
    modules = Path(os.environ.get("BENCH_LIGHTHOUSE") or Path(__file__).parents[1] / "node_modules")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not (modules / "lighthouse").exists() or not shutil.which("node") or not chromium:
        print("\n手机：没有找到 lighthouse（npm i --no-save lighthouse，见 bench/README.md），没有测。")
        return
    from playwright.sync_api import sync_playwright

    found: list[dict] = []
    print(f"\n手机（Lighthouse，移动设置）：{' / '.join(CATEGORIES)}，首屏", flush=True)

    def measure(ask, pages: list[str]) -> None:
        for page in pages:
            one = best(ask, base + page)
            scores = [one["scores"][name] for name in CATEGORIES]
            good = min(scores) >= WANTED and one["bytes"] < 1000 * KILOBYTES
            words = "" if good else f"  未达到：{'、'.join(one['failed'])}"
            shown = " / ".join(f"{score:3}" for score in scores)
            print(
                f"  {shown}  {one['bytes'] / 1000:6.1f} kB  {urllib.parse.unquote(page)}{words}", flush=True
            )
            found.append(one)

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        context = playwright.chromium.launch_persistent_context(
            Path(folder) / "profile",
            executable_path=chromium,
            args=["--no-sandbox", "--disable-background-networking", f"--remote-debugging-port={port}"],
        )
        with judge(Path(folder), modules, port) as ask:
            tab, seen = context.pages[0], set()
            if arguments.quick:
                measure(ask, QUICK)
            else:
                measure(ask, reached(context, base, STARTS, seen))
                tab.goto(base + "/my/")
                tab.get_by_role("button").first.click()
                tab.wait_for_url(f"{base}/my/**")
                measure(ask, reached(context, base, ["/my/"], seen))
        context.close()
    least = {name.replace("-", "_"): min(one["scores"][name] for one in found) for name in CATEGORIES}
    most = max(one["bytes"] for one in found) / 1000
    show(f"手机：{len(found)} 页的最低", [], arguments, **least, most_kb=most)


@contextmanager
def judge(folder: Path, modules: Path, port: int) -> Iterator:
    """``ask(address)`` is what Lighthouse says of a page in the browser on that port."""
    (folder / "node_modules").symlink_to(modules.resolve())
    shutil.copy(Path(__file__).with_name("lighthouse.mjs"), folder)
    process = subprocess.Popen(
        ["node", "lighthouse.mjs", str(port), ",".join(CATEGORIES)],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def ask(address: str) -> dict:
        process.stdin.write(address + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise SystemExit("Lighthouse 意外结束，请看上面的提示。")
        said = json.loads(line)
        if said["error"]:
            raise SystemExit(f"{address}：{said['error']}")
        return said

    try:
        yield ask
    finally:
        process.stdin.close()
        process.wait(30)


def best(ask, address: str) -> dict:
    """The better of two runs, the second only where the first was not enough."""
    first = ask(address)
    if first["scores"]["performance"] >= WANTED:
        return first
    return max(first, ask(address), key=lambda one: one["scores"]["performance"])


def reached(context, base: str, starts: list[str], seen: set[str]) -> list[str]:
    """Paths of pages that links lead to from these, one for each route; ``seen`` are the routes that had theirs."""
    import django
    from django.urls import Resolver404, resolve

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liangzhu.site.settings")
    django.setup()
    pages, ahead = [], deque(base + start for start in starts)
    while ahead:
        address = ahead.popleft()
        parts = urllib.parse.urlsplit(address)
        try:
            route = resolve(urllib.parse.unquote(parts.path)).view_name
        except Resolver404:
            continue
        if not address.startswith(base + "/") or route in seen | LEAVES or "/work/" in parts.path:
            continue
        answer = context.request.get(address, max_redirects=0)
        if "location" in answer.headers:
            onward = urllib.parse.urljoin(address, answer.headers["location"])
            # Who is sent to sign in comes again once somebody signed in.
            ahead.extend([onward] if "login" not in onward and "sign-in" not in onward else [])
            continue
        if not answer.ok or not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        seen.add(route)
        pages.append(address.removeprefix(base))
        links = re.findall(r'<a [^>]*?href="([^"#]+)', answer.text())
        ahead.extend(urllib.parse.urljoin(address, link.replace("&amp;", "&")) for link in links)
    return pages


if __name__ == "__main__":
    main()
