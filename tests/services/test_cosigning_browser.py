"""Two devices and two people in Chromium: what is typed at the desk goes on from the phone, and the partner signs on his own."""

import shutil

import pytest
from django.urls import reverse

from liangzhu.beams.work.forms import api as forms
from liangzhu.beams.work.forms.models import CoSignature, Signer
from liangzhu.kernel import identifiers
from liangzhu.pillars.services.actions import cases as actions
from liangzhu.pillars.services.models import Material

from .applying import CLINIC, FORM, fill, upload
from .test_cases_browser import clinic, go, tab_of  # noqa: F401
from .test_items_browser import look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NUMBER = identifiers.complete("person", "32999919850505601")


def test_she_types_at_the_desk_goes_on_from_the_phone_and_her_partner_signs_on_his(
    live_server,
    clinic,  # noqa: F811
    as_resident,
    root,
    monkeypatch,
):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not chromium or not source.exists():
        pytest.skip("Chromium or axe-core is not here")
    from playwright.sync_api import sync_playwright

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    axe, her = source.read_text(), as_resident("林晓禾")
    also_her, partner = as_resident("林晓禾"), as_resident("周同舟", number=NUMBER)
    row = actions.begin(her.actor, bundle="open_clinic", answers=CLINIC)
    draft = forms.begin(her.actor, key="open_clinic", subject=str(row.ref))
    clinic_step = reverse("forms:step", args=[draft.pk, "clinic"])

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            desk = tab_of(browser, live_server.url, her.client, 1440)
            phone = tab_of(browser, live_server.url, also_her.client, 360)
            his = tab_of(browser, live_server.url, partner.client, 360)
            # What she types at the desk is there on the phone, without a button pressed.
            desk.goto(clinic_step)
            desk.fill("[name=name]", "晓禾口腔门诊部")
            desk.get_by_text("已保存：").wait_for()
            phone.goto(reverse("services:application", args=[row.pk]))
            go(phone.get_by_role("link", name="填写开办诊所、门诊部申请表"))
            phone.goto(clinic_step)
            assert phone.input_value("[name=name]") == "晓禾口腔门诊部"
            # Both change the same field: the second is told what the first wrote, and keeps what she typed.
            phone.fill("[name=name]", "同舟口腔门诊部")
            phone.fill("[name=area]", "120")
            phone.get_by_text("已保存：").wait_for()
            desk.fill("[name=name]", "晓禾综合门诊部")
            desk.fill("[name=capital]", "500000")
            desk.get_by_text("改过").wait_for()
            go(desk.get_by_role("button", name="保存并稍后继续"))
            told = desk.inner_text("main")
            assert "另一处填的是：同舟口腔门诊部" in told and "草稿在别处改过" in told
            assert desk.input_value("[name=name]") == "晓禾综合门诊部"
            look(desk, axe)
            go(desk.get_by_role("button", name="用本页的内容保存"))
            kept = forms.draft_of(her.actor, "open_clinic", str(row.ref)).content["answers"]
            assert (kept["name"], kept["area"], kept["capital"]) == ("晓禾综合门诊部", "120", "500000.00")
            # Her partner.
            fill(her.actor, row, {**FORM, "ownership": "partner"})
            phone.goto(reverse("services:application", args=[row.pk]))
            look(phone, axe)
            go(phone.get_by_role("link", name="请别人共同签署"))
            look(phone, axe)
            go(phone.get_by_role("link", name="邀请合伙人"))
            phone.get_by_label("姓名").fill("周同舟")
            phone.get_by_label("证件号码或手机号").fill(NUMBER[:-1] + "0")
            go(phone.get_by_role("button", name="发出邀请"))
            assert "校验位" in phone.inner_text(".error-list")
            look(phone, axe)
            phone.get_by_label("证件号码或手机号").fill(NUMBER)
            go(phone.get_by_role("button", name="发出邀请"))
            assert "周同舟" in phone.inner_text("#cosign") and NUMBER not in phone.content()
            look(phone, axe)
            his.goto("/my/")
            his.get_by_role("link", name="请您共同签署：开办诊所、门诊部申请表").first.click()
            his.get_by_role("button", name="签署", exact=True).wait_for()
            assert "13812345678" not in his.content() and "晓禾口腔门诊部" in his.inner_text("main")
            look(his, axe)
            go(his.get_by_role("button", name="不同意签署"))
            assert "请写明理由" in his.inner_text("main")
            go(his.get_by_role("button", name="签署", exact=True))
            his.get_by_text("已签署。").wait_for()
            look(his, axe)
            his.goto(reverse("forms:code"))
            look(his, axe)
            # She changes what he signed: both see that it is void; he signs again.
            phone.goto(clinic_step)
            phone.fill("[name=capital]", "600000")
            go(phone.get_by_role("button", name="下一步"))
            assert "周同舟的签名已失效" in phone.inner_text("main")
            look(phone, axe)
            his.goto(reverse("forms:sign", args=[CoSignature.objects.get().pk]))
            assert "原为 500,000.00 元，现为 600,000.00 元" in his.inner_text("main")
            look(his, axe)
            go(his.get_by_role("button", name="签署", exact=True))
            for one in row.materials.filter(state=Material.WANTED):
                actions.give(her.actor, material_id=one.pk, uploads=[upload(her.actor)])
            keys = [one.key for one in row.materials.filter(state=Material.AVAILABLE)]
            actions.fetch(her.actor, application_id=row.pk, keys=keys)
            phone.goto(reverse("services:application", args=[row.pk]))
            phone.get_by_label("我已核对").check()
            go(phone.get_by_role("button", name="提交申请"))
            phone.get_by_text("已经提交").wait_for()
            his.goto(reverse("forms:own"))
            look(his, axe)
            his.goto(reverse("forms:signed", args=[Signer.objects.get().pk]))
            look(his, axe)
            with his.expect_download() as came:
                his.get_by_role("link", name="下载日志证明").click()
            assert "forms.answer_cosign" in came.value.path().read_text()
        finally:
            browser.close()
