"""Every page of the demonstration, as everybody sees it: opened, accessible in both modes, never wider than a phone.

One walk from the front pages along every link, as the public, a resident and each demonstration account. A page is drawn once for
each route and face, whoever reaches it first; that menus lead to open doors is asked of every account. It makes a demonstration
and draws some 160 pages twice, so it runs with the slow tests.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections import deque
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from django.urls import Resolver404, resolve

pytestmark = [pytest.mark.browser, pytest.mark.own_sqlite, pytest.mark.slow]

LIANGZHU = Path(sys.executable).parent / "liangzhu"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OF_THE_MODE = [
    "color-contrast",
    "target-size",
    "scrollable-region-focusable",
    "link-in-text-block",
    "meta-viewport",
]
"""What can differ between the modes: the document is the same, its style is not."""
AXE = "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})"
LINKS = "[...document.querySelectorAll('a[href]')].map(one => [one.href, !!one.closest('nav[aria-label=主导航]')])"
MENU = r'<nav class="[a-z]+-nav".*?</nav>'
SCREENS = r"^/services/halls/[^/]+/window/"
"""Pages that stand on a screen before a window of a hall, and on no phone."""
HIDDEN = {
    "office": [
        "/work/search/?q=登记",
        "/work/many/?ids=1&scope=unit",
        "/access/tokens/",
        "/access/tokens/new/",
    ]
}
"""Pages that forms lead to and not links."""
LEAVES = {"account_logout", "residents:sign_in"}
"""Routes that end or begin a session: the walk would lose whom it walks as."""


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory, migrated):
    """A demonstration that is served: its address, and its accounts with their password."""
    home = tmp_path_factory.mktemp("walked") / "home"
    migrated(home)
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if not name.startswith("LIANGZHU_")}
    env |= {
        "LIANGZHU_HOME": str(home),
        "LIANGZHU_LOG_LEVEL": "WARNING",
        "LIANGZHU_SIGN_IN_RATE": "0",
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [LIANGZHU, "up", "--port", str(port)],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        password = re.search(r"密码都是 (\S+)）", said)
        assert password, said
        accounts = dict.fromkeys(re.findall(r"^  ([a-z.]+?)\s*[\u4e00-\u9fff、]+：", said, re.M))
        yield f"http://localhost:{port}", list(accounts), password[1]
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


class Walk:
    """Goes along links as one person after another, and remembers what was wrong where."""

    def __init__(self, browser, base: str, axe: str):
        self.browser, self.base, self.axe = browser, base, axe
        self.drawn: set[tuple[str, str]] = set()
        self.asked: set[str] = set()
        self.wrong: list[str] = []

    def person(self, name: str):
        """A tab of somebody who is not signed in yet."""
        context = self.browser.new_context(viewport={"width": 1440, "height": 900}, base_url=self.base)
        tab = context.new_page()
        tab.set_default_timeout(20_000)
        tab.on("pageerror", lambda error: self.wrong.append(f"{name} {tab.url}: {error}"))
        tab.on(
            "console",
            # What another program's page misses, as the province's, is not ours.
            lambda said: (
                said.type == "error"
                and tab.url.startswith(self.base)
                and self.wrong.append(f"{name} {tab.url}: {said.text}")
            ),
        )
        return tab

    def along(self, name: str, tab, starts: list[str]) -> None:
        """Everything that can be reached from these addresses and that nobody reached before; of menus every entry."""
        opened: set[str] = set()
        ahead = deque((start, True) for start in starts)
        while ahead:
            address, in_menu = ahead.popleft()
            path = urlsplit(address).path
            try:
                route = resolve(path).view_name
            except Resolver404:
                self.wrong.append(f"{name} {path}: nothing there")
                continue
            if route in LEAVES or route in opened or (route in self.asked and not in_menu):
                continue
            opened.add(route)
            answer = self.ask(tab, address)
            if answer is None:
                continue
            if answer.status >= 400:
                self.wrong.append(f"{name} {address}: {answer.status}")
                continue
            landed = resolve(urlsplit(answer.url).path).view_name
            self.asked.add(landed)
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            text = answer.text()
            if in_menu and "<h1" not in text:
                self.wrong.append(f"{name} {address}: a menu leads to a page without a heading")
            face = "staff" if "face-workbench" in text else "public"
            if (landed, face) not in self.drawn:
                self.drawn.add((landed, face))
                tab.goto(answer.url)
                self.look(name, tab)
                links = tab.evaluate(LINKS)
            else:
                menus = "".join(re.findall(MENU, text, re.S))
                links = [
                    (urljoin(answer.url, found.replace("&amp;", "&")), is_menu)
                    for part, is_menu in ((menus, True), (text, False))
                    for found in re.findall(r'<a [^>]*?href="([^"]+)"', part)
                ]
            ahead.extend((found, menu) for found, menu in links if found.startswith(self.base + "/"))

    def ask(self, tab, address: str):
        """The answer at the end of redirects; None where they lead away from here."""
        for _ in range(6):
            answer = tab.context.request.get(address, max_redirects=0)
            if answer.status not in (301, 302, 303, 307):
                return answer
            address = urljoin(address, answer.headers["location"])
            if not address.startswith(self.base + "/") or resolve(urlsplit(address).path).view_name in LEAVES:
                return None
        self.wrong.append(f"{address}: redirects in a circle")
        return None

    def look(self, name: str, tab) -> None:
        """Both modes, at a desk and on a phone."""
        self.judge(name, tab, "standard 1440")
        tab.set_viewport_size({"width": 360, "height": 800})
        self.fits(name, tab, "standard 360")
        tab.evaluate("document.documentElement.dataset.mode = 'elder'")
        self.judge(name, tab, "elder 360", OF_THE_MODE)
        tab.set_viewport_size({"width": 1440, "height": 900})
        self.fits(name, tab, "elder 1440")

    def judge(self, name: str, tab, how: str, rules: list[str] | None = None) -> None:
        if tab.evaluate("typeof axe") == "undefined":
            tab.evaluate(self.axe)
        for rule in tab.evaluate(AXE, rules or RULES)["violations"]:
            self.wrong.append(
                f"{name} {tab.url} {how}: {rule['id']} {[n['html'][:140] for n in rule['nodes']][:2]}"
            )
        self.fits(name, tab, how)

    def fits(self, name: str, tab, how: str) -> None:
        if re.search(SCREENS, urlsplit(tab.url).path):
            return
        if not tab.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            self.wrong.append(f"{name} {tab.url} {how}: wider than its window")


def test_every_page_that_anybody_reaches(demonstration, root):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not chromium or not source.exists():
        pytest.skip("Chromium or axe-core is not here")
    from playwright.sync_api import sync_playwright

    base, accounts, password = demonstration
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        walk = Walk(browser, base, source.read_text())
        walk.along("public", walk.person("public"), [base + "/", base + "/services/", base + "/offline/"])
        tab = walk.person("resident")
        tab.goto("/my/")
        tab.get_by_role("button").first.click()
        tab.wait_for_url(f"{base}/my/**")
        walk.along("resident", tab, [base + "/my/"])
        for account in accounts:
            tab = walk.person(account)
            tab.goto("/account/login/")
            tab.fill("[name=login]", account)
            tab.fill("[name=password]", password)
            with tab.expect_navigation():
                tab.keyboard.press("Enter")
            walk.along(account, tab, [base + "/start/", *(base + path for path in HIDDEN.get(account, ()))])
            tab.context.close()
        browser.close()
    assert walk.wrong == []
    assert len(walk.drawn) > 100, sorted(walk.drawn)
