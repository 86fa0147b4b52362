"""A resident in Chromium at 360 px: two clicks to be signed in, one to act for the enterprise, one to be out; axe finds nothing."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from liangzhu.adapters.province_identity.client import Province
from liangzhu.adapters.province_identity.simulator import make
from liangzhu.adapters.province_identity.wording import DEMO_CLIENT, DEMO_SECRET
from liangzhu.beams.people.residents import api as residents
from liangzhu.kernel.simulating import serving

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PACK = Path(__file__).resolve().parents[2] / "packs" / "haizhou"
PAGES = ["/my/", "/my/acting/", "/my/mandates/", "/my/mandates/give/", "/my/sessions/", "/my/messages/"]
PAGES += ["/my/consents/", "/my/matters/", "/my/sign-in/back/province/?state=strange"]


@pytest.fixture
def phone(live_server, settings, monkeypatch):
    """A tab of 360 px; the province's simulator stands beside; complaints are collected."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("no Chromium here")
    from playwright.sync_api import sync_playwright

    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    simulator = make(PACK)
    with serving(simulator) as address, sync_playwright() as playwright:
        one = Province(address, DEMO_CLIENT, DEMO_SECRET, simulator.wording)
        residents.register_provider("province", "省统一身份认证", one, simulated=True)
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        try:
            tab = browser.new_page(viewport={"width": 360, "height": 800}, base_url=live_server.url)
            tab.set_default_timeout(15_000)
            tab.complaints = []
            tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
            yield tab
        finally:
            browser.close()
            residents.drop_provider("province")


def test_sign_in_act_for_the_enterprise_and_sign_out(phone, root):
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        pytest.skip("axe-core is not installed (npm ci)")
    script = source.read_text()

    def look():
        phone.evaluate(script)
        found = phone.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
        seen = [(rule["id"], [n["html"][:160] for n in rule["nodes"]][:2]) for rule in found]
        assert seen == [], phone.url
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth"), phone.url

    phone.goto("/")
    phone.get_by_text("菜单").click()
    phone.get_by_role("link", name="登录", exact=True).click()
    phone.wait_for_url("**/authorize?*")
    assert "模拟" in phone.title()
    look()
    phone.get_by_role("button", name="林晓禾 · 虚构一号口腔门诊部有限公司").click()
    band = phone.get_by_role("complementary", name="登录的身份")
    band.get_by_text("正在为 虚构一号口腔门诊部有限公司 办事（法定代表人）").wait_for()
    band.get_by_role("button", name="换回本人").click()
    band.get_by_text("林** · 已实名").wait_for()
    for address in PAGES:
        phone.goto(address)
        look()
    phone.goto("/my/")
    phone.get_by_role("button", name="虚构一号口腔门诊部有限公司").click()
    band.get_by_text("正在为 虚构一号口腔门诊部有限公司 办事").wait_for()
    look()
    band.get_by_role("button", name="退出").click()
    phone.get_by_text("已退出。在公用电脑上").wait_for()
    assert band.count() == 0
    phone.goto("/my/")
    phone.wait_for_url("**/authorize?*")
    assert phone.complaints == []
