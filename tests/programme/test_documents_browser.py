"""The first job of the programme in a browser: a plan is uploaded, corrected, opened as a ledger and issued."""

import re
import shutil
from pathlib import Path

import pytest

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.now import at
from liangzhu.kernel.pack import pack
from liangzhu.pillars.programme.models import PlanTask

pytestmark = pytest.mark.browser

PLAN = Path(__file__).parent / "data" / "plan.txt"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def district(live_server, settings):
    """The pack's units and people behind a running server, on the demonstration day."""
    settings.LIANGZHU_DEMO_DATE = pack().district["demo_date"]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with at("2022-08-26 09:00"):
        directory.load_units(pack())
        directory.load_people(pack())
        access.load_accounts(pack())
        matters.load_processes()
        indicators.load_indicators(pack())
    return live_server


@pytest.fixture
def open_tab(monkeypatch):
    """open_tab(width): a tab of Chromium; what the browser complains of is collected in ``.complaints``."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("no Chromium here")
    from playwright.sync_api import sync_playwright

    # Playwright's loop runs in this thread; the server, which does the work, has one of its own.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )

        def make(width: int, **options):
            tab = browser.new_context(viewport={"width": width, "height": 800}, **options).new_page()
            tab.set_default_timeout(10_000)
            tab.complaints = []
            tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
            tab.on("console", lambda message: message.type == "error" and tab.complaints.append(message.text))
            return tab

        yield make
        browser.close()


@pytest.fixture
def sound(root):
    """sound(tab): nothing on the page breaks a rule of accessibility, and nothing is wider than the window."""
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        pytest.skip("axe-core is not installed (npm ci)")
    script = source.read_text()

    def check(tab) -> None:
        tab.evaluate(script)
        found = tab.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
        assert [(rule["id"], [node["target"] for node in rule["nodes"]][:3]) for rule in found] == [], tab.url
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), tab.url

    return check


def sign_in(tab, server) -> None:
    tab.goto(f"{server.url}/account/login/?next=/programme/documents/")
    tab.fill("input[name=login]", "office")
    tab.fill("input[name=password]", pack().toml("accounts.toml")["demo_password"])
    tab.get_by_role("button", name="登录", exact=True).click()
    tab.wait_for_url("**/programme/documents/")


def upload(tab) -> str:
    """Upload the plan from the guide of an empty installation; returns the address of the review."""
    tab.get_by_role("link", name="上传第一份方案").click()
    tab.set_input_files("input[type=file]", PLAN)
    tab.get_by_role("button", name="上传并识读").click()
    tab.wait_for_url("**/revisions/*/")
    return tab.url


def test_a_plan_goes_from_the_file_to_an_issued_task_by_mouse_and_keyboard(district, open_tab, sound):
    tab = open_tab(1440)
    sign_in(tab, district)
    sound(tab)
    review = upload(tab)
    sound(tab)

    # From doubt to doubt: c confirms, e opens the correction over the page.
    tab.keyboard.press("n")
    assert "海政发〔2022200号" in tab.locator(".finding:focus").inner_text()
    with tab.expect_navigation():
        tab.keyboard.press("c")
    assert re.search(r"#f\d+$", tab.url)
    assert "已确认" in tab.locator(".finding:target").inner_text()
    tab.keyboard.press("n")
    tab.keyboard.press("e")
    sheet = tab.locator("dialog[open]")
    sheet.locator("input[name=amount]").fill("80")
    sound(tab)
    with tab.expect_navigation():
        sheet.get_by_role("button", name="按此更正").click()
    assert "不低于 80门" in tab.locator(".finding:target").inner_text()
    tab.keyboard.press("n")
    tab.keyboard.press("e")
    sheet.locator("input[name=value]").fill("区民政局")
    with tab.expect_navigation():
        sheet.get_by_role("button", name="填入").click()

    # A unit that nobody knows, found by its filter.
    tab.get_by_role("link", name=re.compile("对不上的单位")).click()
    tab.locator(".finding.unresolved [data-sheet]").click()
    sheet.locator("input[name=value]").fill("区行政审批局")
    with tab.expect_navigation():
        sheet.get_by_role("button", name="按此更正").click()

    # Both ends light up.
    tab.goto(review)
    tab.locator(".plan-text mark a", has_text="区委党校").hover()
    assert tab.locator(".finding.lit").inner_text().startswith("区委党校")

    tab.get_by_role("button", name=re.compile("确认全部")).click()
    tab.get_by_role("link", name="建账", exact=True).click()
    sound(tab)
    tab.get_by_role("button", name=re.compile("建账，生成 6 项任务")).click()
    tab.wait_for_url("**/issue/")
    sound(tab)
    tab.get_by_role("checkbox", name="下达任务 2").check()
    tab.get_by_role("button", name="下达所选任务").click()
    tab.get_by_text("已下达 1 项：第 2 条").wait_for()
    assert PlanTask.objects.get(article_no=2).matter is not None
    assert tab.complaints == []


def test_on_a_phone_without_script_a_place_in_the_text_opens_its_finding(district, open_tab):
    tab = open_tab(360, java_script_enabled=False)
    sign_in(tab, district)
    upload(tab)
    sheet = tab.locator(".finding:target")
    assert not tab.locator(".found").first.is_visible()
    tab.locator(".plan-text mark.open a").nth(1).click()
    assert "上线课程 不低于 60门" in sheet.inner_text()
    assert sheet.bounding_box()["y"] + sheet.bounding_box()["height"] == pytest.approx(800, abs=2)
    sheet.get_by_role("button", name="确认").click()
    assert "已确认" in sheet.inner_text()
    sheet.get_by_role("link", name="关闭").click()
    assert tab.locator(".finding:target").count() == 0
    tab.get_by_role("link", name="识读结果").click()
    assert tab.locator(".found h3").first.is_visible()
    assert not tab.locator(".plan-text").first.is_visible()


def test_the_pages_are_sound_on_a_phone(district, open_tab, sound):
    tab = open_tab(360)
    sign_in(tab, district)
    sound(tab)
    tab.goto(f"{district.url}/programme/documents/upload/")
    sound(tab)
    tab.goto(f"{district.url}/programme/documents/")
    review = upload(tab)
    sound(tab)
    tab.goto(f"{review}?view=found")
    sound(tab)
    tab.locator(".finding.open [data-sheet]").first.click()
    tab.locator("dialog[open]").wait_for()
    sound(tab)
    tab.goto(f"{review}ledger/")
    sound(tab)
    assert tab.complaints == []
