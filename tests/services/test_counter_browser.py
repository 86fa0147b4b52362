"""The counter in Chromium by keyboard and scanner alone: from the call to the printed voucher, then the handing out."""

import os
import re
import shutil

import pytest
from django.urls import reverse

from liangzhu.adapters.service_code import texts
from liangzhu.adapters.service_code.client import Hall
from liangzhu.adapters.service_code.simulator import make
from liangzhu.adapters.service_code.wording import DEMO_APP, DEMO_SECRET
from liangzhu.beams.people.codes import actions as code_actions
from liangzhu.beams.people.codes import api as codes
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.simulating import serving
from liangzhu.pillars.services import actions, halls
from liangzhu.pillars.services.actions import cases
from liangzhu.pillars.services.models import Application, Material
from liangzhu.pillars.services.pages.halls import window_code

from .applying import CLINIC, fill, step, upload, work_off
from .test_cases_browser import clinic
from .test_halls import PACK
from .test_items_browser import look

__all__ = ["clinic"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WINDOW = "综合窗口1号"


def test_a_clerk_applies_for_somebody_and_hands_out_without_a_mouse(
    live_server, clinic, put, root, monkeypatch
):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not chromium or not source.exists():
        pytest.skip("Chromium or axe-core is not here")
    from playwright.sync_api import sync_playwright

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    monkeypatch.setattr(halls.Hall, "open_at", lambda self, moment: True)
    axe, pictures = source.read_text(), os.environ.get("LIANGZHU_TEST_PICTURES")
    clerk = put("jiang", "shenpiju", "codes.window", "matters.officer")
    health = put("yi", "weijianwei", "matters.officer"), put("zhang", "weijianwei", "matters.head")
    building = put("jian", "zhujianju", "matters.officer"), put("zhu", "zhujianju", "matters.head")
    code_actions.set_up_desk(clerk.actor, outlet="hall", device=WINDOW, identity_number="329999198001011239")
    province = make(PACK)

    def code() -> str:
        session = province.begin(province._showing("linxiaohe", ""))
        return texts.write(province.make(session, []).text)

    def take() -> None:
        machine = Actor(ref=Ref("hall_kiosk", "hall"), label="取号机")
        actions.halls.take(machine, hall="hall", business="general")

    with serving(province) as address, sync_playwright() as playwright:
        issuer = Hall(
            address, DEMO_APP, DEMO_SECRET, province.wording, keys=province.public, seconds=5, rest=0
        )
        codes.register_issuer("province", "苏服码", issuer)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=live_server.url)
            cookie = clerk.client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
            tab = context.new_page()
            tab.set_default_timeout(20_000)
            press = tab.keyboard.press

            def see(name: str) -> None:
                for width in (1440, 360):
                    tab.set_viewport_size({"width": width, "height": 900})
                    look(tab, axe)
                    if pictures:
                        tab.screenshot(path=f"{pictures}/counter-{name}-{width}.png", full_page=True)
                tab.set_viewport_size({"width": 1440, "height": 900})

            def reach(found) -> None:
                """Go to a control by the Tab key alone."""
                for _ in range(120):
                    if found.evaluate("e => e === document.activeElement"):
                        return
                    press("Tab")
                raise AssertionError(f"no way by keyboard to {found}")

            def enter(found) -> None:
                reach(found)
                with tab.expect_navigation():
                    press("Enter")

            def call_and_scan() -> None:
                tab.goto(reverse("services:counter"))
                press("Alt+n")
                tab.locator("#id_raw:focus").wait_for()
                tab.keyboard.type(code())
                press("Enter")
                tab.get_by_role("heading", name="林**").wait_for()

            take()
            call_and_scan()
            see("serving")
            press("Alt+1")
            tab.locator("#find-q:focus").wait_for()
            tab.keyboard.type("开诊所")
            press("Enter")
            tab.wait_for_url("**q=*")
            see("find")
            enter(tab.get_by_role("link", name="开办诊所、门诊部"))
            see("questions")
            for name, value in CLINIC.items():
                said = {True: "yes", False: "no"}.get(value, value)
                wanted = tab.locator(f"input[name={name}][value={said}]")
                if said == tab.locator(f"input[name={name}]").first.get_attribute("value"):
                    reach(wanted)
                    press("Space")
                else:
                    reach(tab.locator(f"input[name={name}]").first)
                    while not wanted.is_checked():
                        press("ArrowDown")
            enter(tab.get_by_role("button", name="看要办什么"))
            see("begin")
            reach(tab.get_by_label("本人当面同意"))
            press("Space")
            enter(tab.get_by_role("button", name="开始申办"))
            row = Application.objects.get()
            see("application")
            enter(tab.get_by_role("link", name="和对方一起填写"))
            # The form itself is the one that residents fill in, tested there.
            see("form")
            fill(clerk.actor, row)
            first, *rest = row.materials.filter(state=Material.WANTED)
            for one in rest:
                cases.give(clerk.actor, material_id=one.pk, uploads=[upload(clerk.actor)])
            cases.choose_delivery(clerk.actor, application_id=row.pk, delivery="window")
            tab.goto(reverse("services:counter_material", args=[row.pk, first.pk]))
            see("material")
            tab.goto(reverse("services:counter_application", args=[row.pk]))
            enter(tab.get_by_role("button", name=re.compile(f"已看原件.*{first.title}")))
            see("ready")
            reach(tab.get_by_label("申请人看过屏幕上的内容"))
            press("Space")
            enter(tab.get_by_role("button", name="提交申请"))
            enter(tab.get_by_role("button", name=re.compile("^受理")).first)
            see("sent")
            printed = tab.get_by_role("link", name=re.compile("打印.*受理通知书"))
            reach(printed)
            pdf = context.request.get(printed.get_attribute("href"))
            assert pdf.body().startswith(b"%PDF") and "inline" in pdf.headers["content-disposition"]
            enter(tab.get_by_role("link", name="打印回执单"))
            assert "评价码" in tab.inner_text("main")
            see("slip")

            tab.goto(reverse("services:counter"))
            press("Alt+f")
            tab.get_by_role("button", name="叫下一个").wait_for()
            screen = context.browser.new_page(viewport={"width": 1440, "height": 900})
            screen.goto(
                f"{live_server.url}{reverse('services:hall_window', args=['hall', window_code('hall', WINDOW)])}"
            )
            assert "刚才窗口办得怎么样" in screen.inner_text("main")
            look(screen, axe)
            if pictures:
                screen.screenshot(path=f"{pictures}/counter-window-1440.png")
            screen.close()

            work_off()
            row.refresh_from_db()
            matters = {one.part: one.matter for one in row.cases.select_related("matter")}
            for (officer, head), part in ((health, "permit"), (building, "drain")):
                if matters[part].state == "received":
                    step(officer.actor, matters[part], "accept")
                step(head.actor, matters[part], "refuse", reason="不符合条件")
            take()
            call_and_scan()
            press("Alt+2")
            tab.get_by_role("heading", name="领取结果").wait_for()
            see("results")
            enter(tab.get_by_role("button", name=re.compile("^交给林")))
            tab.get_by_text("已出件，送达回证").wait_for()
            work_off()
            row.matter.refresh_from_db()
            assert row.matter.state == "closed"
        finally:
            codes.drop_issuer("province")
            browser.close()
