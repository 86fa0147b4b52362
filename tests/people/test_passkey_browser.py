"""A passkey in Chromium, with a virtual authenticator: registered, then the only thing needed to sign in."""

import re
import shutil

import pytest

from liangzhu.kernel.models import LogLeaf

pytestmark = pytest.mark.browser

PASSWORD = "a-long-enough-secret"
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def tab(monkeypatch):
    """A tab of Chromium; what the browser complains of is collected in ``tab.complaints``."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("no Chromium here")
    from playwright.sync_api import sync_playwright

    # Playwright's loop runs in this thread; the server, which does the work, has one of its own.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        page.set_default_timeout(10_000)
        page.complaints = []
        page.on("console", lambda message: message.type == "error" and page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        yield page
        browser.close()


def sign_in(tab, url: str) -> None:
    tab.goto(f"{url}/account/login/?next=/access/security/")
    tab.fill("input[name=login]", "lisi")
    tab.fill("input[name=password]", PASSWORD)
    tab.get_by_role("button", name="登录", exact=True).click()
    tab.wait_for_url(f"{url}/access/security/")


def test_a_passkey_is_registered_and_then_signs_in_by_itself(live_server, officer, tab):
    devtools = tab.context.new_cdp_session(tab)
    devtools.send("WebAuthn.enable")
    key = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})["authenticatorId"]

    sign_in(tab, live_server.url)
    tab.get_by_role("link", name="登记", exact=True).click()
    tab.fill("input[name=password]", PASSWORD)
    tab.get_by_role("button", name="确认").click()
    tab.wait_for_url("**/webauthn/add/")
    tab.fill("input[name=name]", "办公室电脑")
    tab.get_by_role("button", name="登记").click()
    tab.wait_for_url("**/recovery-codes/")
    assert "还剩 10 个" in tab.inner_text("main")
    tab.goto(f"{live_server.url}/access/security/")
    assert re.search(r"办公室电脑（可单独登录", tab.inner_text("main"))

    tab.goto(f"{live_server.url}/account/logout/")
    tab.locator("main").get_by_role("button", name="退出登录").click()
    tab.goto(f"{live_server.url}/account/login/?next=/access/security/")
    tab.get_by_role("button", name="用通行密钥登录").click()
    tab.wait_for_url(f"{live_server.url}/access/security/")
    assert "最近使用 今天" in tab.inner_text("main")
    assert (
        '"methods":["webauthn"]' in LogLeaf.objects.filter(action="access.sign_in").latest("id").detail.body
    )
    assert tab.complaints == []

    tab.goto(f"{live_server.url}/account/logout/")
    tab.locator("main").get_by_role("button", name="退出登录").click()
    devtools.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
    tab.goto(f"{live_server.url}/account/login/")
    tab.get_by_role("button", name="用通行密钥登录").click()
    tab.wait_for_selector("[data-passkey-problem]:not([hidden])")
    assert "没有完成" in tab.inner_text("[data-passkey-problem]")


def test_with_a_passkey_as_second_factor_the_password_alone_is_not_enough(live_server, officer, tab):
    devtools = tab.context.new_cdp_session(tab)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    sign_in(tab, live_server.url)
    tab.goto(f"{live_server.url}/account/2fa/webauthn/add/")
    tab.fill("input[name=password]", PASSWORD)
    tab.get_by_role("button", name="确认").click()
    tab.wait_for_url("**/webauthn/add/")
    tab.uncheck("input[name=passwordless]")
    tab.get_by_role("button", name="登记").click()
    tab.wait_for_url("**/recovery-codes/")

    tab.goto(f"{live_server.url}/account/logout/")
    tab.locator("main").get_by_role("button", name="退出登录").click()
    tab.goto(f"{live_server.url}/account/login/?next=/access/security/")
    tab.fill("input[name=login]", "lisi")
    tab.fill("input[name=password]", PASSWORD)
    tab.get_by_role("button", name="登录", exact=True).click()
    tab.wait_for_url("**/2fa/authenticate/")
    tab.get_by_role("button", name="用通行密钥验证").click()
    tab.wait_for_url(f"{live_server.url}/access/security/")
    assert "第二因素，" in tab.inner_text("main")
    assert tab.complaints == []
