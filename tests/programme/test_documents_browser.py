"""The first job of the programme in a browser: a plan is uploaded, corrected, opened as a ledger and issued."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from liangzhu.kernel.pack import pack

pytestmark = pytest.mark.browser

PLAN = (Path(__file__).parent / "data" / "plan.txt").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SERVE = """
import sys
import django
from django.conf import settings
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
django.setup()
from django.core.management import call_command
from liangzhu.beams.data.indicators import api as indicators
from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.now import at
from liangzhu.kernel.pack import pack
with at("2022-08-26 09:00"):
    directory.load_units(pack())
    directory.load_people(pack())
    access.load_accounts(pack())
    matters.load_processes()
    indicators.load_indicators(pack())
call_command("runserver", f"127.0.0.1:{sys.argv[1]}", "--noreload")
"""
"""An installation of its own, with the pack's people and no plan. The tests' own database has a transaction open for as
long as this folder runs, which a server beside it could not see."""


@pytest.fixture(scope="module")
def address(tmp_path_factory, root, migrated):
    """The address of a running installation that has people and no plan yet."""
    home = tmp_path_factory.mktemp("installation")
    migrated(home)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if not name.startswith("LIANGZHU_")}
    env |= {
        "LIANGZHU_HOME": str(home),
        "LIANGZHU_DEMO_DATE": "2022-10-20",
        "DJANGO_SETTINGS_MODULE": "liangzhu.site.settings",
        "PYTHONPATH": str(root / "src"),
    }
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen([sys.executable, "-c", SERVE, str(port)], env=env, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 90
        while True:
            assert server.poll() is None, (home / "server.log").read_text()
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/account/login/", timeout=5).close()
                break
            except OSError:
                assert time.monotonic() < deadline, (home / "server.log").read_text()
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


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


def sign_in(tab, address: str) -> None:
    tab.goto(f"{address}/account/login/?next=/programme/documents/")
    tab.fill("input[name=login]", "office")
    tab.fill("input[name=password]", pack().toml("accounts.toml")["demo_password"])
    tab.get_by_role("button", name="登录", exact=True).click()
    tab.wait_for_url("**/programme/documents/")


def upload(tab, number: int) -> str:
    """Upload the plan under a number of its own; returns the address of the review."""
    tab.get_by_role("link", name=re.compile("^上传(第一份方案|文件)$")).click()
    text = PLAN.replace("海政发〔2022200号", f"海政发〔2022{number}号")
    tab.set_input_files(
        "input[type=file]", {"name": "方案.txt", "mimeType": "text/plain", "buffer": text.encode()}
    )
    tab.get_by_role("button", name="上传并识读").click()
    tab.wait_for_url("**/revisions/*/")
    return tab.url


def test_a_plan_goes_from_the_file_to_an_issued_task_by_mouse_and_keyboard(address, open_tab, sound):
    tab = open_tab(1440)
    sign_in(tab, address)
    sound(tab)
    review = upload(tab, 200)
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
    tab.get_by_role("link", name="2. 举办干部轮训班").click()
    assert "待签收" in tab.inner_text("main")
    assert tab.complaints == []


def test_on_a_phone_without_script_a_place_in_the_text_opens_its_finding(address, open_tab):
    tab = open_tab(360, java_script_enabled=False)
    sign_in(tab, address)
    upload(tab, 201)
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


def test_the_pages_are_sound_on_a_phone(address, open_tab, sound):
    tab = open_tab(360)
    sign_in(tab, address)
    sound(tab)
    tab.goto(f"{address}/programme/documents/upload/")
    sound(tab)
    tab.goto(f"{address}/programme/documents/")
    review = upload(tab, 202)
    sound(tab)
    tab.goto(f"{review}?view=found")
    sound(tab)
    tab.locator(".finding.open [data-sheet]").first.click()
    tab.locator("dialog[open]").wait_for()
    sound(tab)
    tab.goto(f"{review}ledger/")
    sound(tab)
    assert tab.complaints == []
