"""The look in a browser: accessible in every face and mode, usable by keyboard, without a line, without script."""

import os
import re
import shutil
from datetime import date

import pytest
from django.urls import path

from liangzhu.site import views
from liangzhu.site.urls import urlpatterns as site_urls

urlpatterns = [*site_urls, path("guide/", views.styleguide, name="guide")]

pytestmark = pytest.mark.browser

FACES = ("portal", "workbench", "command")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("no Chromium here")
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright's loop runs in this thread; the server, which does the work, has one of its own.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        chrome = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield chrome
        chrome.close()


@pytest.fixture(scope="module")
def axe(root):
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        pytest.skip("axe-core is not installed (npm ci)")
    return source.read_text()


@pytest.fixture
def guide(live_server, settings):
    settings.ROOT_URLCONF = __name__
    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    return f"{live_server.url}/guide/"


@pytest.fixture
def tab(browser):
    """Open pages of a given width; every complaint of the browser is collected in ``.complaints``."""
    contexts = []

    def open_tab(width: int = 1440, **options):
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda message: message.type == "error" and page.complaints.append(message.text))
        return page

    yield open_tab
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [1440, 360])
@pytest.mark.parametrize("mode", ["standard", "elder"])
@pytest.mark.parametrize("face", FACES)
def test_every_face_is_accessible_and_never_wider_than_its_window(guide, tab, axe, face, mode, width):
    page = tab(width)
    page.goto(f"{guide}?face={face}&as={mode}")
    page.evaluate(axe)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
    assert [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.complaints == []


def test_targets_on_a_phone_are_large_enough(guide, tab):
    page = tab(360)
    page.goto(f"{guide}?face=portal")
    small = page.evaluate(
        """[...document.querySelectorAll('.btn, .chip, .choices label, .toggle summary')]
             .filter(e => e.offsetParent && e.getBoundingClientRect().height < 44).map(e => e.textContent)"""
    )
    assert small == []


def test_the_list_is_walked_by_keys_and_typing_stays_typing(guide, tab):
    page = tab()
    page.goto(guide)
    focused = "document.activeElement.textContent.trim()"
    first = page.locator("[data-list] .row-title").all_inner_texts()
    page.keyboard.press("j")
    assert page.evaluate(focused) == first[3], "from the open row to the next"
    page.keyboard.press("k")
    assert page.evaluate(focused) == first[2]
    page.keyboard.press("a")
    assert page.evaluate("document.activeElement.closest('.actions') !== null")
    page.keyboard.press("?")
    assert page.locator("dialog[open]").inner_text().startswith("快捷键")
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    page.locator("#id_title").focus()
    page.keyboard.type("j/k?")
    assert page.locator("#id_title").input_value() == "j/k?"
    assert page.locator("dialog[open]").count() == 0


def test_without_a_line_the_page_stays_and_what_was_typed_is_found_again(guide, tab):
    page = tab()
    page.goto(guide)
    page.locator("#id_text").fill("已完成三项")
    page.locator(".keep-state", has_text="已在本机保存").wait_for()
    page.context.set_offline(True)
    page.get_by_role("button", name="报送").click()
    page.get_by_text("网络中断，内容已保存在本机").wait_for()
    assert page.locator("#id_text").input_value() == "已完成三项"
    page.context.set_offline(False)
    page.goto(guide)
    page.get_by_role("button", name=re.compile("找回 .* 未提交的内容")).click()
    assert page.locator("#id_text").input_value() == "已完成三项"
    fill_rest(page)
    page.get_by_role("button", name="报送").click()
    page.get_by_text("示例表单已通过检查").wait_for()
    assert page.locator(".keep-offer").count() == 0
    page.goto(guide)
    assert page.locator(".keep-offer").count() == 0, "what was accepted is not offered again"


def fill_rest(page) -> None:
    page.locator("#id_title").fill("示例")
    page.locator("#id_unit").select_option("a")
    page.locator("#id_due").fill("2022年10月25日")
    page.get_by_label("按计划推进").check()
    page.get_by_label("我已核对以上内容").check()


def test_a_refused_form_keeps_its_text_and_leads_to_the_field(guide, tab):
    page = tab()
    page.goto(guide)
    page.locator("#id_text").fill("已完成三项")
    page.get_by_role("button", name="报送").click()
    page.locator(".error-list").wait_for()
    assert page.evaluate("document.activeElement.matches('.notice.error')")
    assert page.title().startswith("有误：")
    page.get_by_role("link", name="请填写完成日期。").click()
    assert page.url.endswith("#id_due")
    assert page.locator("#id_text").input_value() == "已完成三项"
    assert page.locator(".keep-offer").count() == 0


def test_a_second_click_sends_nothing(guide, tab):
    page = tab()
    page.goto(guide)
    fill_rest(page)
    page.locator("#id_text").fill("一次")
    posts = []
    page.on("request", lambda request: request.method == "POST" and posts.append(request.url))
    page.evaluate(
        "const b = document.querySelector('form.form [type=submit]'); b.click(); b.click(); b.click()"
    )
    page.get_by_text("示例表单已通过检查").wait_for()
    assert len(posts) == 1


def test_everything_works_without_script(guide, tab):
    page = tab(360, java_script_enabled=False)
    page.goto(guide)
    assert page.locator(".rail-nav").is_hidden()
    page.locator("summary", has_text="菜单").click()
    assert page.locator(".rail-body").is_visible()
    assert page.get_by_role("button", name="打印").count() == 0, "no button that does nothing"
    fill_rest(page)
    page.locator("#id_text").fill("无脚本")
    page.get_by_role("button", name="报送").click()
    page.get_by_text("示例表单已通过检查").wait_for()
    page.goto(page.url.split("/guide/")[0] + "/")
    page.get_by_role("button", name="长者模式").last.click()
    assert page.locator("html").get_attribute("data-mode") == "elder"


def test_print_leaves_out_what_paper_cannot_use(guide, tab):
    page = tab()
    page.goto(guide)
    page.emulate_media(media="print")
    for name in (".rail", ".list", ".toolbar", ".buttons", ".actions"):
        assert page.locator(name).first.is_hidden(), name
    assert page.locator(".num").first.is_visible()


def test_pages_keep_the_content_security_policy(live_server, tab):
    page = tab()
    answer = page.goto(live_server.url)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert page.complaints == []
    assert os.path.basename(page.evaluate("document.styleSheets[0].href")).startswith("ui")
