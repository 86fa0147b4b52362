"""The workbench in Chromium: accessible, never wider than its window, by keyboard, and nothing typed is lost."""

import shutil
from datetime import date

import pytest
from django.urls import reverse

from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters.models import Matter, Part

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def desk(live_server, district, sign_in, simple, advance, settings, monkeypatch):
    """``desk(width)``: a tab signed in as an officer of 甲局, with a few matters; complaints are collected."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("no Chromium here")
    from playwright.sync_api import sync_playwright

    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    client, li = sign_in("甲局", "李四")
    first = advance(li, simple(li, title="第一件：执业登记"), "accept")
    advance(li, first, "ask_help", helpers=[district.units["乙局"], district.units["督办室"]])
    simple(li, title="第二件：噪声扰民")
    matters.comment(li, matter_id=first.pk, text="请补充依据。")
    # Playwright's loop runs in this thread; the server, which does the work, has one of its own.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )

        def make(width: int):
            context = browser.new_context(viewport={"width": width, "height": 800}, base_url=live_server.url)
            context.add_cookies(
                [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
            )
            tab = context.new_page()
            tab.set_default_timeout(10_000)
            tab.complaints = []
            tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
            tab.on("console", lambda message: message.type == "error" and tab.complaints.append(message.text))
            return tab

        yield make
        browser.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [1440, 360])
def test_every_page_is_accessible_and_fits(desk, root, width):
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        pytest.skip("axe-core is not installed (npm ci)")
    script, tab = source.read_text(), desk(width)
    first = Matter.objects.earliest("id")
    part = Part.objects.earliest("id")
    pages = [
        "/work/?scope=unit",
        "/work/?scope=helping",
        f"/work/{first.pk}/?scope=unit",
        f"/work/{first.pk}/step/note_progress/?scope=unit",
        f"/work/{first.pk}/step/report/",
        f"/work/{first.pk}/clock/",
        f"/work/{first.pk}/assign/",
        reverse("matters:part_step", args=[first.pk, part.pk, "answer"]),
        "/work/notices/?show=all",
        "/work/search/?q=登记",
        "/work/?scope=all&closed=1&cols=number&cols=due",
        "/work/?scope=unit&kind=simple&q=登记&from=2022-10-01",
        f"/work/many/?ids={first.pk}&scope=unit",
        f"/work/many/?ids={first.pk}&scope=unit&do=note_progress",
        "/work/done/",
        "/work/views/",
        "/work/subscription/",
        "/work/notices/rules/",
        "/work/processes/",
        "/work/processes/simple/",
        "/work/calendar/",
    ]
    for address in pages:
        assert tab.goto(address).status == 200, address
        tab.evaluate(script)
        found = tab.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
        assert [(rule["id"], [n["html"][:120] for n in rule["nodes"]][:2]) for rule in found] == [], address
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
    assert tab.complaints == []


@pytest.mark.django_db(transaction=True)
def test_a_matter_is_done_by_keyboard_and_the_list_stays(desk):
    tab = desk(1440)
    tab.goto("/work/?scope=unit")
    tab.keyboard.press("j")
    assert tab.evaluate("document.activeElement.textContent") == "第二件：噪声扰民"
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/work/*/?scope=unit")
    assert tab.locator("[data-row]").count() == 2 and "第二件" in tab.inner_text("li.on")
    tab.keyboard.press("a")
    assert tab.evaluate("document.activeElement.textContent").startswith("受理")
    tab.keyboard.press("Enter")
    # The step says what it will do and asks; only then it is done.
    tab.locator("dialog[open]").get_by_text("受理并开始计时：10 个工作日").wait_for()
    assert next(row for row in Matter.objects.all() if row.title.startswith("第二件")).state == "received"
    tab.locator("dialog[open] .btn:not(.quiet, .plain)").click()
    tab.get_by_text("已办理“受理”").wait_for()
    assert next(row for row in Matter.objects.all() if row.title.startswith("第二件")).state == "working"
    assert tab.complaints == []


@pytest.mark.django_db(transaction=True)
def test_what_was_typed_is_offered_again_after_leaving(desk):
    tab = desk(1440)
    first = Matter.objects.earliest("id")
    address = f"/work/{first.pk}/step/note_progress/"
    tab.goto(address)
    tab.fill("textarea[name=progress]", "写了一半")
    tab.get_by_text("已在本机保存").wait_for()
    tab.goto("/work/")
    tab.goto(address)
    tab.get_by_role("button", name="找回").click()
    assert tab.input_value("textarea[name=progress]") == "写了一半"


@pytest.mark.django_db(transaction=True)
def test_rows_are_chosen_by_keyboard_and_done_together(desk):
    tab = desk(1440)
    tab.goto("/work/?scope=unit&kind=simple&state=received")
    tab.keyboard.press("j")
    tab.keyboard.press("x")
    tab.get_by_text("已选 1 件").wait_for()
    tab.keyboard.press("x")
    assert tab.inner_text("[data-many-count]") == ""
    tab.keyboard.press("x")
    tab.get_by_role("button", name="批量办理选中的").click()
    tab.get_by_role("button", name="受理").click()
    tab.get_by_text("对下面 1 件办理“受理”").wait_for()
    tab.get_by_role("button", name="受理 1 件").click()
    tab.get_by_text("全部办成").wait_for()
    assert next(row for row in Matter.objects.all() if row.title.startswith("第二件")).state == "working"
    assert tab.complaints == []
