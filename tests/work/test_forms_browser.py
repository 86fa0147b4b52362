"""Forms and decision tables in Chromium: accessible, never wider than the window, saved as one types, by keyboard."""

import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from liangzhu.beams.work.decisions import rules
from liangzhu.beams.work.files import api as attachments
from liangzhu.beams.work.forms import actions, cosigning, specs
from liangzhu.beams.work.forms.models import CoSignature, Draft, Snapshot
from liangzhu.kernel import releases

from . import form_sources  # noqa: F401 - registers the sources that the form names
from .test_forms_filling import GOOD, PDF

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PICTURES = os.environ.get("LIANGZHU_TEST_PICTURES", "")
"""A folder: the pages are drawn into it, for whoever wants to look at them."""


@pytest.fixture
def desk(live_server, district, sign_in, settings, monkeypatch, upload):
    """``desk(width)``: a tab signed in as 王示例, with a draft, one waiting for a signature, one sent; complaints are collected."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("no Chromium here")
    from playwright.sync_api import sync_playwright

    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    specs.forget()
    rules.forget()
    for kind, folder in (("form", "forms"), ("rule", "rules")):
        for path in (HERE / folder).glob("*.json"):
            releases.seed(kind, path.stem, path.read_text(encoding="utf-8"), path.name)
    client, wang = sign_in("甲局", "王示例")
    _, li = sign_in("乙局", "李伙伴")

    def finish(actor):
        row = actions.begin(actor, key="clinic_filing")
        paper = attachments.stage(actor, upload=upload("房屋使用证明.pdf", PDF))
        return actions.save(
            actor, draft_id=row.pk, version=row.version, answers=GOOD, files={"papers": [paper.pk]}
        )

    row = finish(wang)
    actions.send(wang, draft_id=row.pk, version=row.version, declared=True)
    theirs = finish(li)
    cosigning.ask_cosigner(
        li, draft_id=theirs.pk, place="partner", person_id=wang.person_id, person_name="王示例"
    )
    # Playwright's loop runs in this thread; the server, which does the work, has one of its own.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )

        def make(width: int, script: bool = True):
            context = browser.new_context(
                viewport={"width": width, "height": 800}, base_url=live_server.url, java_script_enabled=script
            )
            context.add_cookies(
                [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
            )
            tab = context.new_page()
            tab.set_default_timeout(10_000)
            tab.complaints = []
            tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
            tab.on("console", lambda message: message.type == "error" and tab.complaints.append(message.text))
            return tab

        yield make, wang
        browser.close()
    specs.forget()
    rules.forget()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("width", "mode"), [(1440, "standard"), (360, "elder")])
def test_every_page_is_accessible_and_fits(desk, live_server, root, width, mode):
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        pytest.skip("axe-core is not installed (npm ci)")
    make, wang = desk
    script, tab = source.read_text(), make(width)
    row = actions.begin(wang, key="clinic_filing")
    typed = {
        "partnership": True,
        "subjects": ["dental"],
        "xray": True,
        "staff": [{"staff_kind": "doctor"}, {}],
    }
    row = actions.save(
        wang, draft_id=row.pk, version=row.version, answers={**typed, "capital": {"raw": "五万"}}
    )
    asked, sent = CoSignature.objects.get(), Snapshot.objects.get()
    draft = f"/forms/draft/{row.pk}"
    pages = [
        "/forms/",
        "/forms/start/clinic_filing/",
        f"{draft}/step/applicant/?check=1",
        f"{draft}/step/clinic/?check=1",
        f"{draft}/step/people/?check=1",
        f"{draft}/check/",
        f"{draft}/cosign/partner/",
        f"{draft}/drop/",
        f"/forms/sign/{asked.pk}/",
        f"/forms/sent/{sent.pk}/",
        "/forms/kinds/",
        "/forms/kinds/clinic_filing/",
        "/rules/",
        "/rules/clinic_route/?ask=1&in-kind=clinic&in-xray=no&in-On=2022-06-01",
        "/rules/hotline_not_accepted/?ask=1&in-signs=repeated&in-signs=market&in-On=2022-06-01",
        "/rules/data_request_clock/?ask=1&in-share=closed&in-extended=no&in-On=2025-09-01",
    ]
    tab.context.add_cookies([{"name": "mode", "value": mode, "url": live_server.url}])
    for place, address in enumerate(pages):
        assert tab.goto(address).status == 200, address
        if PICTURES:
            tab.screenshot(path=f"{PICTURES}/{width}-{mode}-{place:02}.png", full_page=True)
        tab.evaluate(script)
        found = tab.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
        assert [(rule["id"], [n["html"][:120] for n in rule["nodes"]][:2]) for rule in found] == [], address
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
    assert tab.complaints == []


@pytest.mark.django_db(transaction=True)
def test_what_is_typed_is_saved_and_parts_appear_without_leaving_the_page(desk):
    make, wang = desk
    tab = make(1440)
    row = actions.begin(wang, key="clinic_filing")
    tab.goto(f"/forms/draft/{row.pk}/step/applicant/")
    assert not tab.locator("#id_share").is_visible()
    tab.fill("#id_phone", "138")
    tab.get_by_role("radio", name="是", exact=True).check()
    tab.locator("#id_share").wait_for()
    tab.fill("#id_share", "40")
    with tab.expect_response("**/save/applicant/") as answer:
        pass
    assert answer.value.ok
    answers = Draft.objects.get(pk=row.pk).content["answers"]
    assert answers["phone"] == {"raw": "138"} and answers["share"] == "40"
    # Another device sees it; what both change is told and not overwritten.
    other = make(360)
    other.goto(f"/forms/draft/{row.pk}/step/applicant/")
    assert other.input_value("#id_phone") == "138"
    other.fill("#id_phone", "13900139000")
    other.get_by_text("已保存：").wait_for()
    tab.fill("#id_phone", "13800138000")
    tab.get_by_text("刚在别处").wait_for()
    tab.get_by_role("button", name="下一步").click()
    tab.get_by_text("另一处填的是：13900139000").wait_for()
    assert tab.input_value("#id_phone") == "13800138000"
    tab.get_by_role("button", name="用本页的内容保存").click()
    tab.get_by_text("第 2 步").wait_for()
    assert Draft.objects.get(pk=row.pk).content["answers"]["phone"] == "13800138000"
    assert [one for one in tab.complaints + other.complaints if "409" not in one] == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("script", [True, False])
def test_enter_goes_on_and_errors_lead_to_their_fields_by_keyboard(desk, script):
    make, wang = desk
    tab = make(1440, script)
    row = actions.begin(wang, key="clinic_filing")
    row = actions.save(wang, draft_id=row.pk, version=row.version, answers={"staff": [{"staff_name": "赵"}]})
    tab.goto(f"/forms/draft/{row.pk}/step/people/")
    tab.focus("#id_staff-0-staff_name")
    tab.keyboard.press("Enter")
    tab.get_by_text("处需要修改").wait_for()
    link = tab.get_by_role("link", name="卫生技术人员 第 1 人：请选择类别")
    link.focus()
    tab.keyboard.press("Enter")
    assert tab.url.endswith("#id_staff-0-staff_kind_0")
    tab.get_by_role("button", name="添加一人").click()
    tab.locator("#id_staff-1-staff_name").wait_for()
    assert tab.locator(".repeat-row").count() == 2
    assert [one for one in tab.complaints if "401" not in one] == []
