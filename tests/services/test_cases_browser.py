"""Applying in Chromium on a phone and at a desk: from the question to the progress, and the officer's side; axe finds nothing."""

import shutil
from datetime import date

import pytest
from django.urls import reverse

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.trust.certificates import api as certificates
from liangzhu.beams.work.decisions import api as decisions
from liangzhu.beams.work.forms import api as forms
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.pack import pack
from liangzhu.pillars.services import bundles, catalogue, offers
from liangzhu.pillars.services.models import Application, Material

from .applying import CLINIC, fill, step, upload
from .test_items_browser import look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def clinic(settings):
    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    offers.forget()
    directory.load_units(pack())
    certificates.load_certificates(pack(), demo=True)
    forms.load_forms()
    decisions.load_rules()
    catalogue.load_items(pack())
    bundles.load_bundles()
    matters.load_processes()
    yield
    offers.forget()


def test_a_resident_applies_on_a_phone_and_the_department_decides(
    live_server, clinic, as_resident, put, root, monkeypatch
):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not chromium or not source.exists():
        pytest.skip("Chromium or axe-core is not here")
    from playwright.sync_api import sync_playwright

    from liangzhu.pillars.services.actions import cases as actions

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    axe, someone = source.read_text(), as_resident()
    officer = put("yi", "weijianwei", "matters.officer")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            phone = tab_of(browser, live_server.url, someone.client, 360)
            faults = []
            phone.on("pageerror", lambda error: faults.append(str(error)))
            phone.goto(reverse("services:guide", args=["zhensuo_beian"]))
            go(phone.get_by_role("link", name="开始办理"))
            go(phone.get_by_role("button", name="看要办什么"))
            assert "请选择：性质" in phone.inner_text("main")
            look(phone, axe)
            said = {
                name: "yes" if value is True else "no" if value is False else value
                for name, value in CLINIC.items()
            }
            for name, value in said.items():
                phone.locator(f"input[name={name}][value={value}]").check()
            go(phone.get_by_role("button", name="看要办什么"))
            assert "14 份材料里，7 份不用您交" in phone.inner_text("main")
            look(phone, axe)
            go(phone.get_by_role("link", name="开始办理"))
            look(phone, axe)
            go(phone.get_by_role("button", name="开始填写"))
            look(phone, axe)
            row = Application.objects.get()
            go(phone.get_by_role("link", name="填写开办诊所、门诊部申请表"))
            look(phone, axe)
            go(phone.get_by_role("button", name="开始填写"))
            assert phone.input_value("[name=person_name]") == "林晓禾"
            look(phone, axe)
            phone.fill("[name=phone]", "13812345678")
            go(phone.get_by_role("button", name="保存并稍后继续"))
            phone.wait_for_url(f"**/my/applications/{row.pk}/")
            fill(someone.actor, row)
            go(phone.get_by_role("link", name="准备材料"))
            look(phone, axe)
            go(phone.get_by_role("link", name="规章制度"))
            look(phone, axe)
            go(phone.get_by_role("button", name="我承诺"))
            assert "已用承诺代替“规章制度”" in phone.inner_text("main")
            go(phone.get_by_role("link", name="建筑平面图"))
            phone.set_input_files(
                "input[type=file]",
                {"name": "平面图.pdf", "mimeType": "application/pdf", "buffer": b"MZ" + b"\0" * 99},
            )
            go(phone.get_by_role("button", name="上传"))
            assert "平面图.pdf" in phone.inner_text(".error-list")
            look(phone, axe)
            for one in row.materials.filter(state=Material.WANTED):
                actions.give(someone.actor, material_id=one.pk, uploads=[upload(someone.actor)])
            for one in row.materials.filter(state=Material.AVAILABLE):
                actions.fetch(someone.actor, application_id=row.pk, keys=[one.key])
            phone.goto(reverse("services:delivery", args=[row.pk]))
            look(phone, axe)
            phone.get_by_label("窗口领取").check()
            go(phone.get_by_role("button", name="确定"))
            look(phone, axe)
            phone.get_by_label("我已核对").check()
            go(phone.get_by_role("button", name="提交申请"))
            phone.get_by_text("已经提交").wait_for()
            look(phone, axe)
            row.refresh_from_db()
            permit = row.cases.get(part="permit")
            step(officer.actor, permit.matter, "ask_correction", missing="平面图要标明牙椅位置")
            phone.goto("/my/")
            look(phone, axe)
            phone.get_by_role("link", name="补正：医疗机构执业登记（门诊部）").first.click()
            look(phone, axe)
            phone.get_by_label("补正说明").fill("已标明")
            go(phone.get_by_role("button", name="提交补正"))
            phone.get_by_text("已提交补正").wait_for()
            phone.goto(reverse("services:withdraw", args=[row.pk]))
            look(phone, axe)
            phone.goto(reverse("services:look_up"))
            phone.get_by_label("申办编号").fill(row.matter.number)
            phone.get_by_label("查询密码").fill("AAAAAAAA")
            go(phone.get_by_role("button", name="查进度"))
            assert "编号或查询密码不对" in phone.inner_text("main")
            look(phone, axe)
            phone.get_by_label("查询密码").fill(row.password)
            go(phone.get_by_role("button", name="查进度"))
            phone.get_by_role("heading", name="查办理进度").wait_for()
            assert "收件" in phone.inner_text("main")
            look(phone, axe)

            desk = tab_of(browser, live_server.url, officer.client, 1440)
            desk.goto(reverse("matters:matter", args=[permit.matter_id]))
            assert "医疗机构管理条例" in desk.inner_text(".kind-panel")
            look(desk, axe)
            go(desk.locator(".kind-panel li", has_text="房屋权属证明").get_by_role("link"))
            desk.get_by_label("属实").check()
            desk.get_by_label("怎样核验").fill("电话向登记中心核实")
            look(desk, axe)
            go(desk.get_by_role("button", name="记下核验结果"))
            desk.get_by_text("已记下核验结果").wait_for()
            go(desk.get_by_role("link", name="申请表", exact=True))
            look(desk, axe)
            assert faults == []
        finally:
            browser.close()


def tab_of(browser, base: str, client, width: int):
    """A tab of somebody who signed in."""
    context = browser.new_context(viewport={"width": width, "height": 800}, base_url=base)
    cookies = [{"name": name, "value": one.value, "url": base} for name, one in client.cookies.items()]
    context.add_cookies(cookies)
    tab = context.new_page()
    tab.set_default_timeout(15_000)
    return tab


def go(control) -> None:
    """Press something that leads to another page, and be there."""
    with control.page.expect_navigation():
        control.click()
