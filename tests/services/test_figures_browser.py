"""The leader's figures in Chromium, at a desk and on a phone: a number leads to its rows, axe finds nothing."""

import os
import shutil

import pytest
from django.urls import reverse

from liangzhu.kernel.now import at
from liangzhu.pillars.services.actions import ratings as actions
from liangzhu.pillars.services.models import Rating

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def test_a_leader_opens_a_number_and_reads_the_page_on_a_phone(
    live_server, all_items, put, as_resident, root, monkeypatch
):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not chromium or not source.exists():
        pytest.skip("Chromium or axe-core is not here")
    from playwright.sync_api import sync_playwright

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    axe, pictures = source.read_text(), os.environ.get("LIANGZHU_TEST_PICTURES")
    leader, unit = put("lingdao", "shenpiju", "programme.leader"), put("yi", "weijianwei").actor.unit_id
    with at("2022-10-20 09:00"):
        for number, level in enumerate((5, 4, 5, 3), 1):
            Rating.objects.create(
                number=f"HP-2022-{number:06d}",
                code_digest="",
                rated=f"certificate:{number}",
                title="诊所备案凭证",
                unit_id=unit,
                item="zhensuo_beian",
                state=Rating.GIVEN,
                level=level,
                asked_at=actions.now(),
            )

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        for width in (1440, 360):
            context = browser.new_context(viewport={"width": width, "height": 900}, base_url=live_server.url)
            cookie = leader.client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
            tab = context.new_page()
            tab.set_default_timeout(30_000)

            def look(name, tab=tab, width=width):
                if pictures:
                    tab.screenshot(path=f"{pictures}/{name}-{width}.png", full_page=True)
                tab.evaluate(axe)
                found = tab.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
                assert [(rule["id"], [n["html"][:160] for n in rule["nodes"]][:2]) for rule in found] == []
                assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), tab.url

            tab.goto(reverse("services:figures"))
            tab.get_by_text("还算不出").first.wait_for()
            look("figures")
            tab.locator("#groups").get_by_role("link", name="好差评", exact=True).click()
            tab.locator("#groups").get_by_role("link", name="按事项", exact=True).click()
            tab.get_by_role("link", name="有效评价 4 次，看明细").first.click()
            tab.get_by_role("heading", name="有效评价：4 次").wait_for()
            assert tab.locator("[data-row]").count() == 4
            look("rows")
            context.close()
        browser.close()
