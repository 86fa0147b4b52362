"""Search, guide and desk in Chromium: accessible and never wider than their window, on a phone and at a desk."""

import shutil
from datetime import date

import pytest
from django.urls import reverse

from liangzhu.kernel.pack import pack
from liangzhu.pillars.services import actions, catalogue
from liangzhu.pillars.services.models import Item

pytestmark = pytest.mark.browser
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def look(tab, axe: str) -> None:
    """Nothing for axe to complain of, nothing wider than the window."""
    tab.evaluate(axe)
    found = tab.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
    assert [(rule["id"], [n["html"][:120] for n in rule["nodes"]][:2]) for rule in found] == [], tab.url
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), tab.url


@pytest.mark.django_db(transaction=True)
def test_the_public_finds_an_item_and_reads_what_it_needs_on_a_phone_and_editors_keep_it(
    live_server, items_loaded, keeper, root, monkeypatch
):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not chromium or not source.exists():
        pytest.skip("Chromium or axe-core is not here")
    from playwright.sync_api import sync_playwright

    catalogue.load_items(pack())
    draft = actions.begin_draft(keeper.actor, item_id=Item.objects.get(key="gaowei_tiyu").pk)
    actions.edit_section(
        keeper.actor, version_id=draft.pk, section="handling", values={"promised_note": "含实地核查"}
    )
    actions.propose_exemption(
        keeper.actor,
        item_id=draft.item_id,
        material="premises",
        reason="共享接口还没有开通，期间核对原件",
        until=date(2022, 12, 1),
    )
    cookie = keeper.client.cookies["sessionid"].value
    axe = source.read_text()
    public = [
        reverse("services:home"),
        reverse("services:browse"),
        reverse("services:once_only"),
    ]
    desk = [
        reverse("services:desk") + "?scope=all",
        reverse("services:item", args=["gaowei_tiyu"]),
        reverse("services:section", args=[draft.pk, "channels"]),
        reverse("services:new_row", args=[draft.pk, "materials"]),
        reverse("services:submit", args=[draft.pk]),
        reverse("services:checks"),
        reverse("services:exemptions"),
        reverse("services:raise_upward", args=["gaowei_tiyu"]),
        reverse("services:imports"),
    ]
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        for width in (360, 1440):
            context = browser.new_context(viewport={"width": width, "height": 800}, base_url=live_server.url)
            tab = context.new_page()
            tab.set_default_timeout(20_000)
            tab.goto(reverse("services:home"))
            tab.get_by_label("您想办什么事").fill("健身房带泳池")
            tab.keyboard.press("Enter")
            tab.get_by_role("link", name="经营高危险性体育项目许可").first.wait_for()
            look(tab, axe)
            tab.get_by_role("link", name="经营高危险性体育项目许可").first.click()
            tab.get_by_role("heading", name="不用您交的").wait_for()
            look(tab, axe)
            for address in public:
                tab.goto(address)
                look(tab, axe)
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
            for address in desk:
                tab.goto(address)
                look(tab, axe)
            context.close()
        browser.close()
