"""The pages of tokens: made once, shown once, revoked; and the contract as a page."""

import re
import shutil
from datetime import date

import pytest
from django.urls import reverse

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.access import tokens
from liangzhu.beams.people.access.models import Application, Token
from liangzhu.kernel.actors import SYSTEM

from .conftest import ApiClient

NEW = {"name": "同步", "scopes": ["matters:read", "matters:write"], "days": "30", "networks": ""}


@pytest.fixture
def demonstration(settings):
    """In a demonstration administrators work without a second factor."""
    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)


def test_a_token_is_made_shown_once_used_and_revoked(sign_in):
    browser, _ = sign_in("甲局", "李四")
    address = reverse("access:make_token")
    once = {"once": "0123456789abcdef"}
    page = browser.post(address, NEW | once)
    text = re.search(r"lz_[0-9A-Za-z]+", page.content.decode())[0]
    assert page.headers["Cache-Control"].startswith("max-age=0")
    client = ApiClient(text)
    assert client.get("matters").status_code == 200 and client.get("notices").status_code == 403
    again = browser.post(address, NEW | once, follow=True).content.decode()
    assert "令牌只显示一次" in again and "lz_" not in again and Token.objects.count() == 1
    assert "同步" in again and f"…{text[-4:]}" in again
    browser.post(reverse("access:revoke_token", args=[Token.objects.get().pk]), {"reason": "不用了"})
    assert client.get("matters").status_code == 401


def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_lost(sign_in, settings):
    browser, _ = sign_in("甲局", "李四")
    answer = browser.post(reverse("access:make_token"), NEW | {"days": "99999", "networks": "某处"})
    page = answer.content.decode()
    assert answer.status_code == 422 and "有效期应为 1—365 天" in page and "地址无法识别" in page
    assert "同步" in page and page.count("checked") == 2


def test_the_administrator_opens_applications_sees_all_tokens_and_makes_none(
    district, sign_in, demonstration
):
    admin, _ = sign_in("甲局", "顾一", "access.admin")
    head, actor = sign_in("甲局", "王局", "matters.head", head=True)
    post = district.post("甲局", "matters.officer", title="数据对接")
    data = {"name": "收件系统", "post_id": post.pk, "contact_id": "王局", "purpose": "自动受理"}
    assert admin.post(reverse("access:open_application"), data).status_code == 302
    row = Application.objects.get()
    assert admin.get(reverse("access:make_application_token", args=[row.pk])).status_code == 403
    assert admin.get(reverse("access:make_token")).status_code == 403
    page = head.get(reverse("access:tokens")).content.decode()
    assert "为“收件系统”创建令牌" in page
    made = head.post(reverse("access:make_application_token", args=[row.pk]), NEW).content.decode()
    client = ApiClient(re.search(r"lz_[0-9A-Za-z]+", made)[0])
    assert client.get("me").json()["kind"] == "application"
    listed = admin.get(reverse("access:all_tokens"), {"q": "收件"}).content.decode()
    assert "收件系统" in listed and "同步" in listed
    assert "收件系统" in admin.get(reverse("access:applications")).content.decode()
    admin.post(reverse("access:close_application", args=[row.pk]), {"reason": "下线"})
    assert client.get("me").status_code == 401
    assert "没有符合条件的令牌" in admin.get(reverse("access:all_tokens"), {"state": "good"}).content.decode()


def test_nobody_sees_or_revokes_the_tokens_of_others(program, sign_in):
    client = program("甲局", "李四")
    browser, _ = sign_in("甲局", "王五")
    assert "测试" not in browser.get(reverse("access:tokens")).content.decode()
    assert (
        browser.post(reverse("access:revoke_token", args=[client.made.pk]), {"reason": "x"}).status_code
        == 404
    )
    assert client.get("me").status_code == 200
    assert browser.get(reverse("access:all_tokens")).status_code == 403


def test_the_contract_is_a_page_that_loads_nothing_from_elsewhere(client, db):
    page = client.get(reverse("site:api_docs")).content.decode()
    assert "办理一步" in page and "/api/v1/matters/{matter_id}/steps/{name}" in page
    assert not re.findall(r'(?:src|href)="https?://', page)


# In the browser -------------------------------------------------------------------------------------------

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [1440, 360])
def test_every_page_is_accessible_and_fits(
    width, live_server, district, sign_in, demonstration, root, monkeypatch
):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not chromium or not source.exists():
        pytest.skip("no Chromium, or axe-core is not installed (npm ci)")
    from playwright.sync_api import sync_playwright

    head, actor = sign_in("甲局", "王局", "matters.head", head=True)
    admin, _ = sign_in("甲局", "顾一", "access.admin")
    post = district.post("甲局", "matters.officer", title="数据对接")
    row = access.open_application(
        SYSTEM, name="收件系统", post_id=post.pk, contact_id=actor.person_id, purpose="自动受理"
    )
    made = access.make_token(actor, name="同步", scopes=["matters:read"], days=9, networks="10.1.2.0/24")
    access.make_application_token(actor, application_id=row.pk, name="正式", scopes=["matters:write"], days=9)
    Token.objects.filter(pk=made.token.pk).update(used_at=tokens.expiry(0))
    pages = {
        head: [
            reverse("access:tokens"),
            reverse("access:token", args=[made.token.pk]),
            reverse("access:make_token"),
            reverse("access:revoke_token", args=[made.token.pk]),
            reverse("site:api_docs"),
        ],
        admin: [
            reverse("access:applications"),
            reverse("access:open_application"),
            reverse("access:all_tokens"),
            reverse("access:close_application", args=[row.pk]),
        ],
    }
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    script = source.read_text()
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        for who, addresses in pages.items():
            context = chrome.new_context(viewport={"width": width, "height": 800}, base_url=live_server.url)
            cookie = {"name": "sessionid", "value": who.cookies["sessionid"].value, "url": live_server.url}
            context.add_cookies([cookie])
            tab = context.new_page()
            for address in addresses:
                assert tab.goto(address).status == 200, address
                for closed in tab.query_selector_all("details"):
                    closed.evaluate("each => each.open = true")
                tab.evaluate(script)
                found = tab.evaluate(
                    "rules => axe.run(document, {runOnly: rules}).then(r => r.violations.map(v => v.id + ' ' + v.nodes[0].html))",
                    RULES,
                )
                assert found == [], (address, found)
                assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
            if who is head:
                tab.goto(reverse("access:make_token"))
                tab.get_by_label("用途").fill("备份")
                tab.get_by_label("事项：读", exact=True).check()
                tab.get_by_role("button", name="创建").click()
                assert tab.locator("#new-token").inner_text().startswith("lz_")
                assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        chrome.close()
