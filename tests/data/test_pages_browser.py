"""The pages of indicators in Chromium: accessible, and never wider than their window, however long the course is."""

import shutil
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.now import at

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def tab(live_server, signed_in, monkeypatch):
    """``tab(width)``: a tab of the head of the unit that owns the indicators."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("no Chromium here")
    from playwright.sync_api import sync_playwright

    session = signed_in("head").cookies["sessionid"].value
    # Playwright's loop runs in this thread; the server, which does the work, has one of its own.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )

        def make(width: int):
            context = browser.new_context(viewport={"width": width, "height": 800}, base_url=live_server.url)
            context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
            page = context.new_page()
            page.set_default_timeout(10_000)
            return page

        yield make
        browser.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [1440, 360])
def test_every_page_of_an_indicator_is_accessible_and_fits(
    tab, people, reported, computed, finds, root, width
):
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        pytest.skip("axe-core is not installed (npm ci)")
    for days in range(40):
        with at(f"{date(2022, 9, 1) + timedelta(days=days)} 09:00"):
            finds(indicators.Measured(Decimal(days) + Decimal("0.5"), days + 1, 200, [], []))
            measured = indicators.measure(SYSTEM, key=computed.key)
    waiting = indicators.report(
        people.officer, key=reported.key, as_of=date(2022, 10, 15), value=Decimal("81.3"), source="统计表"
    )
    script, page = source.read_text(), tab(width)
    pages = [
        reverse("indicators:list"),
        reverse("indicators:indicator", args=[computed.key]),
        reverse("indicators:indicator", args=[reported.key]),
        reverse("indicators:rows", args=[measured.pk]),
        reverse("indicators:rows", args=[waiting.pk]),
    ]
    for address in pages:
        assert page.goto(address).status == 200, address
        page.evaluate(script)
        found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
        assert [(rule["id"], [n["html"][:120] for n in rule["nodes"]][:2]) for rule in found] == [], address
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
    assert page.goto(pages[1]).status == 200 and page.locator("main svg").count()
