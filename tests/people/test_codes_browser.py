"""My code and the window in Chromium: by keyboard and scanner alone, at 360 px and at a desk, in elder mode; axe finds nothing."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from liangzhu.adapters.service_code.client import Hall
from liangzhu.adapters.service_code.simulator import make
from liangzhu.adapters.service_code.wording import DEMO_APP, DEMO_SECRET
from liangzhu.beams.people.codes import actions
from liangzhu.beams.people.codes import api as codes
from liangzhu.kernel.simulating import serving

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PACK = Path(__file__).resolve().parents[2] / "packs" / "haizhou"


def test_a_code_is_shown_on_a_phone_and_checked_at_the_window_by_keyboard_alone(
    live_server, settings, monkeypatch, root, as_resident, put, bureau
):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not chromium or not source.exists():
        pytest.skip("Chromium or axe-core is not here")
    from playwright.sync_api import sync_playwright

    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    script, simulator = source.read_text(), make(PACK)

    def look(tab):
        tab.evaluate(script)
        found = tab.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
        seen = [(rule["id"], [n["html"][:160] for n in rule["nodes"]][:2]) for rule in found]
        assert seen == [], tab.url
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), tab.url

    clerk = put("苏婉", "su", bureau, ["codes.window"])
    actions.set_up_desk(
        clerk.actor, outlet="hall", device="综合窗口1号", identity_number="329999198001011239"
    )
    lin = as_resident("林晓禾")
    with serving(simulator) as address, sync_playwright() as playwright:
        hall = Hall(address, DEMO_APP, DEMO_SECRET, simulator.wording, keys=simulator.public)
        codes.register_issuer("province", "苏服码", hall, simulated=True)
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )

        def tab_of(client, width):
            context = browser.new_context(viewport={"width": width, "height": 800}, base_url=live_server.url)
            cookie = client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
            tab = context.new_page()
            tab.set_default_timeout(15_000)
            tab.complaints = []
            tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
            return tab

        try:
            phone, window = tab_of(lin.client, 360), tab_of(clerk.client, 1440)
            phone.goto("/my/code/")
            phone.get_by_role("img", name="服务码二维码").wait_for()
            phone.get_by_text("一并出示证照").click()
            look(phone)
            phone.get_by_label("居民身份证").check()
            phone.get_by_role("button", name="按选定的换一个新码").click()
            phone.get_by_text("扫码的窗口还能看到").wait_for()
            look(phone)
            typed = phone.locator(".show-code b").inner_text()
            # The field has the focus; the scanner types and ends with Enter.
            window.goto("/counter/scan/")
            look(window)
            window.keyboard.type(typed.lower())
            window.keyboard.press("Enter")
            window.get_by_role("heading", name="林**").wait_for()
            window.get_by_text("只限这一件").wait_for()
            look(window)
            window.keyboard.press("Enter")
            window.locator("#id_raw:focus").wait_for()
            # The same code again: said by name, with the way on.
            window.keyboard.type(typed)
            window.keyboard.press("Enter")
            window.get_by_text("这个码已经用过").first.wait_for()
            look(window)
            window.get_by_role("link", name="没有码，凭证件办理").first.click()
            window.get_by_role("heading", name="凭证件办理").wait_for()
            look(window)
            window.goto("/counter/scan/desk/")
            look(window)
            window.set_viewport_size({"width": 360, "height": 800})
            for address_of in ("/counter/scan/", "/counter/scan/1/", "/counter/scan/2/"):
                window.goto(address_of)
                look(window)
            phone.get_by_role("button", name="长者模式").first.click(force=True)
            phone.goto("/my/code/")
            look(phone)
            assert phone.complaints == window.complaints == []
        finally:
            browser.close()
            codes.drop_issuer("province")
