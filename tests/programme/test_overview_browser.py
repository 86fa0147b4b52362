"""The overview in a browser: accessible, never wider than its window; the wall fits its screen and renews itself.

The pages are fetched with Django's test client first, inside the test's own transaction; the browser, in a thread of its own,
is given those answers: no server, no port.
"""

import mimetypes
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.now import at
from liangzhu.pillars.programme import actions

pytestmark = pytest.mark.browser

HOST = "http://localhost"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def visit():
    """visit(answers, do, width, height): in a window, with the answers to its requests in turn (the last one stays), do."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("no Chromium here")
    from playwright.sync_api import sync_playwright

    def start():
        playwright = sync_playwright().start()
        options = ["--no-sandbox", "--disable-background-networking"]
        return playwright, playwright.chromium.launch(executable_path=chromium, args=options)

    def look(answers: list, do: Callable, width: int, height: int):
        # Only what the test serves is there: no worker of the portal.
        context = chrome.new_context(viewport={"width": width, "height": height}, service_workers="block")
        try:
            page = context.new_page()
            page.complaints = []
            page.on("pageerror", lambda error: page.complaints.append(str(error)))
            page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))
            left = list(answers)

            def serve(route):
                path = urlsplit(route.request.url).path
                if path.startswith("/static/"):
                    file = Path(finders.find(path.removeprefix("/static/")))
                    route.fulfill(body=file.read_bytes(), content_type=mimetypes.guess_type(path)[0])
                    return
                answer = left.pop(0) if len(left) > 1 else left[0]
                route.fulfill(status=answer.status_code, headers=dict(answer.headers), body=answer.content)

            page.route("**/*", serve)
            return do(page)
        finally:
            context.close()

    with ThreadPoolExecutor(1) as thread:
        playwright, chrome = thread.submit(start).result()
        yield lambda answers, do, width=1440, height=900: thread.submit(
            look, answers, do, width, height
        ).result()
        thread.submit(chrome.close).result()
        thread.submit(playwright.stop).result()


@pytest.fixture(scope="module")
def axe(root: Path) -> str:
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        pytest.skip("axe-core is not installed (npm ci)")
    return source.read_text()


@pytest.fixture
def lived(desk, stand):
    """A little of everything, some of it published."""
    desk.working(20, date(2022, 9, 16))
    desk.working(9, date(2022, 12, 23))
    desk.split(9, ("联动清单", date(2022, 9, 28)))
    for no in (4, 5, 6, 7, 8, 10, 12, 14):
        desk.working(no, date(2022, 11, 30))
    desk.working(11, date(2022, 12, 31))
    desk.working(13, date(2022, 10, 26))
    with at("2022-09-14 10:00"):
        desk.closed(20)
        for no in (9, 11, 20):
            actions.publish_task(
                desk.staff("office.head"), task_id=desk.task(no).pk, public=True, summary="说明"
            )
    for day in ("2022-09-13", "2022-10-10"):
        with at(f"{day} 18:00"):
            actions.judge_clauses(SYSTEM, document_id=desk.document.pk)
    stand("2022-10-20 09:00")
    return desk


def pages(desk) -> dict[str, str]:
    return {
        "/programme/truth/": "office",
        "/programme/truth/?day=2022-02-30": "office",
        "/programme/truth/clauses/?state=nonsense": "office",
        "/wall/": "office",
        "/plan/": "",
        f"/plan/{desk.task(11).pk}/": "",
        "/": "",
    }


@pytest.mark.parametrize("width", [1440, 360])
def test_every_page_is_accessible_and_no_wider_than_its_window(lived, visit, axe, width):
    def check(page):
        page.goto(HOST)
        page.evaluate(axe)
        found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        return (
            [(one["id"], [node["target"] for node in one["nodes"]]) for one in found],
            wide,
            page.complaints,
        )

    for url, username in pages(lived).items():
        client = lived.browser(username) if username else Client()
        assert visit([client.get(url)], check, width) == ([], False, []), url


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1440, 900), (3840, 2160)])
def test_the_wall_fits_its_screen_and_cuts_no_title(lived, visit, width, height):
    def check(page):
        page.goto(HOST)
        return page.evaluate("""() => {
            const all = where => [...document.querySelectorAll(where)];
            const size = where => parseFloat(getComputedStyle(document.querySelector(where)).fontSize) / innerHeight;
            return {
                whole: [document.documentElement.scrollWidth, document.documentElement.scrollHeight],
                below: all(".block, .loud li, .chart-names").filter(
                    part => part.getBoundingClientRect().bottom > innerHeight).length,
                cut: all(".block .name").filter(name => {
                    const words = document.createRange();
                    words.selectNodeContents(name);
                    const lines = new Set([...words.getClientRects()].map(line => Math.round(line.top))).size;
                    return lines > Math.round(name.clientHeight / parseFloat(getComputedStyle(name).lineHeight));
                }).map(name => name.textContent),
                sizes: [".wall-truth .num", ".wall-figures .num", ".loud a", ".block .name"].map(size),
            };
        }""")

    seen = visit([lived.browser("office").get("/wall/")], check, width, height)
    assert seen["whole"] == [width, height]
    assert (seen["below"], seen["cut"]) == (0, [])
    # In parts of the screen's height: what is read from six metres, and what is read when one steps nearer.
    for size, least in zip(seen["sizes"], (0.1, 0.045, 0.02, 0.017), strict=True):
        assert size >= least


def test_the_wall_renews_itself_and_touches_only_what_changed(lived, visit):
    client = lived.browser("office")
    before = client.get("/wall/")
    actions.finish_step(lived.staff("zhengfawei"), step_id=lived.task(9).steps.get().pk, result="已完成")
    after = client.get("/wall/")

    def check(page):
        page.clock.install()
        page.goto(HOST)
        late = page.inner_text(".block.over")
        page.evaluate(
            "document.querySelector('.wall-main').mark = document.querySelector('.wall-truth').mark = 1"
        )
        page.clock.run_for(61_000)
        page.wait_for_timeout(100)
        untouched = page.evaluate(
            "document.querySelector('.frame').isConnected && document.querySelector('.wall-truth').mark"
        )
        page.clock.run_for(61_000)
        # Not wait_for_function: the policy of the page forbids the eval by which it asks a second time.
        page.locator(f'.block.over[href$="/tasks/{task_id}/"]').wait_for(state="detached")
        return late, untouched, page.is_hidden("[data-stale]"), page.complaints

    task_id = lived.task(9).pk
    late, untouched, hidden, complaints = visit([before, before, after], check, 1920, 1080)
    assert "节点逾期" in late
    assert untouched == 1, "nothing changed, nothing was exchanged"
    assert hidden
    assert complaints == []


def test_a_wall_that_cannot_renew_says_so_and_keeps_its_picture(lived, visit):
    client = lived.browser("office")
    first = client.get("/wall/")
    client.logout()

    def check(page):
        page.clock.install()
        page.goto(HOST)
        page.clock.run_for(61_000)
        page.wait_for_selector("[data-stale]:not([hidden])")
        return page.locator(".block").count()

    assert visit([first, client.get("/wall/")], check, 1920, 1080) == 21
