"""Ratings in Chromium on a phone: by the code of a paper, badly, followed up at a desk, and rated again."""

import shutil

import pytest
from django.urls import reverse

from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel import worker
from liangzhu.kernel.actors import SYSTEM
from liangzhu.pillars.services.models import Rating

from .test_cases_browser import go, tab_of
from .test_items_browser import look
from .test_ratings import ask

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_rated_by_code_badly_followed_up_and_rated_again(
    live_server, items_loaded, put, as_resident, root, monkeypatch
):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not chromium or not source.exists():
        pytest.skip("Chromium or axe-core is not here")
    from playwright.sync_api import sync_playwright

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    matters.load_processes()
    axe, lin = source.read_text(), as_resident("林晓禾")
    officer = put("ban", "weijianwei", "matters.officer", "matters.head")
    row, code = ask(SYSTEM, rater=lin.person)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        paper = browser.new_page(viewport={"width": 360, "height": 800}, base_url=live_server.url)
        paper.set_default_timeout(15_000)
        paper.goto(reverse("services:rate"))
        look(paper, axe)
        paper.get_by_label("评价号").fill(row.number)
        paper.get_by_label("评价码").fill(code)
        paper.locator("input[name=level][value='1']").check()
        go(paper.get_by_role("button", name="提交评价"))
        # A bad one needs a word; what was typed stays.
        assert (
            "哪里不好" in paper.inner_text(".error-list")
            and paper.get_by_label("评价码").input_value() == code
        )
        look(paper, axe)
        paper.get_by_label("说说哪里好、哪里不好").fill("等了三个小时")
        go(paper.get_by_role("button", name="提交评价"))
        paper.get_by_text("已收到您的评价").wait_for()
        while worker.deliver_due():
            pass

        desk = tab_of(browser, live_server.url, officer.client, 1440)
        desk.goto(reverse("services:ratings"))
        look(desk, axe)
        go(desk.get_by_role("link", name="诊所备案凭证"))
        look(desk, axe)
        matter = Rating.objects.get().matter_id
        for name, field, text in (("contacted", "finding", "属实"), ("mended", "result", "增开窗口")):
            desk.goto(reverse("matters:step", args=[matter, name]))
            desk.fill(f"[name={field}]", text)
            look(desk, axe)
            go(desk.locator("main form.form button[type=submit]").first)
        assert "增开窗口" in desk.inner_text("main")
        while worker.deliver_due():
            pass

        phone = tab_of(browser, live_server.url, lin.client, 360)
        phone.goto(reverse("services:my_ratings"))
        look(phone, axe)
        go(phone.get_by_role("link", name="诊所备案凭证"))
        look(phone, axe)
        phone.locator("input[name=level][value='4']").check()
        go(phone.get_by_role("button", name="提交评价"))
        phone.get_by_text("已收到您的评价").wait_for()
        row.refresh_from_db()
        assert (row.level, row.again) == (1, 4)
        browser.close()
