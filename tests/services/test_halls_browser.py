"""Halls in Chromium: the counter by keyboard alone, pages on a phone, the screen on a television; axe finds nothing."""

import os
import shutil
from datetime import date

import pytest
from django.urls import reverse

from liangzhu.beams.people.codes import actions as code_actions
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.now import at
from liangzhu.kernel.refs import Ref
from liangzhu.pillars.services import actions, halls

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
MACHINE = Actor(ref=Ref("hall_kiosk", "hall"), label="取号机")


def test_a_clerk_works_by_keyboard_and_everybody_reads_the_pages(
    live_server, items_loaded, put, as_resident, root, monkeypatch, settings
):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not chromium or not source.exists():
        pytest.skip("Chromium or axe-core is not here")
    from playwright.sync_api import sync_playwright

    from liangzhu.pillars.services.pages.halls import kiosk_code

    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    # The time of day runs on in a demonstration: the hall is open whenever the test is run.
    monkeypatch.setattr(halls.Hall, "open_at", lambda self, moment: True)
    axe, pictures = source.read_text(), os.environ.get("LIANGZHU_TEST_PICTURES")

    def look(tab, name):
        if pictures:
            tab.screenshot(path=f"{pictures}/{name}-{tab.viewport_size['width']}.png")
        tab.evaluate(axe)
        found = tab.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
        assert [(rule["id"], [n["html"][:160] for n in rule["nodes"]][:2]) for rule in found] == [], tab.url
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), tab.url

    clerk, lin = put("jiang", "shenpiju", "codes.window"), as_resident("林晓禾")
    code_actions.set_up_desk(
        clerk.actor, outlet="hall", device="综合窗口1号", identity_number="329999198001011239"
    )
    for priority in ("", "elderly", ""):
        actions.halls.take(MACHINE, hall="hall", business="general", priority=priority)
    with at("2022-10-20 08:00"):
        actions.halls.book(
            lin.actor,
            hall="hall",
            business="general",
            starts_at=halls.hall("hall").slots(date(2022, 10, 21))[1],
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )

        def tab_of(client, width, height=900):
            context = browser.new_context(
                viewport={"width": width, "height": height}, base_url=live_server.url
            )
            if client is not None:
                cookie = client.cookies["sessionid"].value
                context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
            tab = context.new_page()
            tab.set_default_timeout(20_000)
            return tab

        window = tab_of(clerk.client, 1440)
        window.goto(reverse("services:counter"))
        window.get_by_text("3 人在等您的窗口").wait_for()
        look(window, "idle")
        window.keyboard.press("Alt+n")
        window.get_by_role("heading", name="A002").wait_for()
        # The scanner can type at once; what it typed is no code, and is said so by name.
        window.locator("#id_raw:focus").wait_for()
        look(window, "called")
        window.keyboard.type("HELLO")
        window.keyboard.press("Enter")
        window.get_by_text("没有开通").or_(window.get_by_text("不是服务码")).or_(
            window.get_by_text("还没有接通")
        ).first.wait_for()
        screen = tab_of(None, 1920, 1080)
        screen.goto(reverse("services:hall_screen", args=["hall"]))
        screen.get_by_text("A002").first.wait_for()
        look(screen, "screen")
        for _ in range(2):
            window.keyboard.press("Alt+r")
            window.wait_for_load_state()
            window.locator("#id_raw:focus").wait_for()
        window.keyboard.press("Alt+s")
        window.get_by_role("button", name="办结").wait_for()
        window.keyboard.press("Alt+f")
        window.get_by_role("button", name="叫下一个").wait_for()
        window.keyboard.press("Alt+n")
        window.get_by_role("heading", name="A001").wait_for()
        # The screen renews itself.
        screen.get_by_text("A001").first.wait_for()
        for name in ("arrivals", "hall_figures"):
            window.goto(reverse(f"services:{name}"))
            look(window, name)
        for width in (360, 1440):
            phone = tab_of(lin.client, width)
            for name, address in {
                "halls": reverse("services:halls"),
                "hall": reverse("services:hall", args=["hall"]),
                "book": reverse("services:hall_book", args=["hall", "general"]) + "?day=2022-10-21",
                "mine": reverse("services:my_appointments"),
                "kiosk": reverse("services:hall_kiosk", args=["hall", kiosk_code("hall")]),
            }.items():
                phone.goto(address)
                look(phone, name)
        phone.get_by_label("综合业务").check()
        phone.get_by_role("button", name="取号").click()
        phone.get_by_text("前面还有").or_(phone.get_by_text("下一个就是您")).first.wait_for()
        look(phone, "slip")
        window.set_viewport_size({"width": 360, "height": 800})
        for name in ("counter", "arrivals", "hall_figures"):
            window.goto(reverse(f"services:{name}"))
            look(window, name)
        browser.close()
