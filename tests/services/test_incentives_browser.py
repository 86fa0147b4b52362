"""Policies for enterprises in Chromium: accessible and never wider than their window, on a phone and at a desk."""

import shutil
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.now import at
from liangzhu.pillars.services.actions import incentives as actions

pytestmark = pytest.mark.browser
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def look(tab, axe: str) -> None:
    """Nothing for axe to complain of, nothing wider than the window."""
    tab.evaluate(axe)
    found = tab.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
    assert [(rule["id"], [n["html"][:120] for n in rule["nodes"]][:2]) for rule in found] == [], tab.url
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), tab.url


@pytest.mark.django_db(transaction=True)
def test_an_enterprise_compares_itself_on_a_phone_and_editors_publish_at_a_desk(
    live_server, items_loaded, put, as_resident, root, monkeypatch, tmp_path
):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not chromium or not source.exists():
        pytest.skip("Chromium or axe-core is not here")
    from playwright.sync_api import sync_playwright

    with at("2022-10-20 09:00"):
        matters.load_processes()
        editor = put("zheng", "gongxinju", "services.incentive_editor", "matters.officer")
        reviewer = put("fu", "gongxinju", "services.incentive_reviewer", "matters.officer")
        document = actions.collect(
            editor.actor,
            title="关于支持工业企业稳定发展的若干措施",
            number="某工信〔2022〕7号",
            issuer="区工业和信息化局",
            published_on=date(2022, 10, 19),
            unit_id=directory.units().by_key("gongxinju").id,
        )
        draft = actions.begin(editor.actor, document_id=document.pk)
        values = {
            "name": "小微企业稳岗奖励",
            "summary": "稳住二十人以上岗位的小微企业，一次性奖励一万元。",
            "benefit": "每户一次性奖励一万元。",
            "how": "到企业服务科申报。",
            "contact": "企业服务科，0518-12345",
            "amount": Decimal(10000),
        }
        actions.edit(editor.actor, version_id=draft.pk, values=values)
        for wording, fact, op, value in (
            ("小型、微型企业", "size", "in", "small micro"),
            ("从业人员20人以上", "headcount", "ge", "20"),
            ("未列入严重失信主体名单", "dishonest", "is", "no"),
            ("生产经营状况良好", "", "", ""),
        ):
            actions.put_criterion(
                editor.actor, version_id=draft.pk, wording=wording, fact=fact, op=op, values=value
            )
        actions.submit(editor.actor, version_id=draft.pk)
        policy = actions.decide(reviewer.actor, version_id=draft.pk, accept=True).incentive
        more = actions.redraft(editor.actor, incentive_id=policy.pk)
    firm = as_resident("林晓禾", level=3, firm=("913299990000000198", "某某电子有限公司"))
    desk = [
        reverse("services:policy_desk"),
        reverse("services:collect_policy"),
        reverse("services:policy_document", args=[document.pk]),
        reverse("services:policy_version", args=[more.pk]),
        reverse("services:edit_policy", args=[more.pk]),
        reverse("services:new_criterion", args=[more.pk]),
        reverse("services:policy_figures"),
        reverse("matters:matter", args=[document.matter_id]),
    ]
    axe = source.read_text()
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        for width in (360, 1440):
            for client, addresses in (
                (
                    firm.client,
                    [
                        reverse("services:policies"),
                        reverse("services:policy", args=[policy.pk]),
                        reverse("services:my_policies"),
                        reverse("services:my_facts"),
                        reverse("services:my_policy", args=[policy.pk]),
                    ],
                ),
                (editor.client, desk),
            ):
                context = browser.new_context(
                    viewport={"width": width, "height": 800}, base_url=live_server.url
                )
                context.add_cookies(
                    [
                        {"name": name, "value": one.value, "url": live_server.url}
                        for name, one in client.cookies.items()
                    ]
                )
                tab = context.new_page()
                tab.set_default_timeout(20_000)
                for place, address in enumerate(addresses):
                    answer = tab.goto(address)
                    assert answer.status == 200, address
                    tab.screenshot(path=str(tmp_path / f"{width}-{len(address)}-{place}.png"))
                    look(tab, axe)
                context.close()
        browser.close()
