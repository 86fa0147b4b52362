"""A department's application in Chromium, through its life: registered, reviewed, published, opened by single sign-on, withdrawn.

The application stands on another site, so what this shows beside the pages is that CSP (``form-action 'self'``) lets nobody be stuck
between a form of ours and the application.
"""

import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from liangzhu.beams.people.applications import declared
from liangzhu.beams.people.applications.models import DepartmentApplication
from liangzhu.beams.people.applications.provider import PATHS

from .conftest import PASSWORD
from .oidc import CHALLENGE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Site(BaseHTTPRequestHandler):
    """The application's own program, as far as a browser sees it."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write("<!doctype html><link rel=icon href=data:,><h1>应用</h1>".encode())

    def log_message(self, *words):
        pass


@pytest.fixture
def site():
    """Another site; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_application_is_registered_reviewed_opened_and_withdrawn(
    live_server, site, demo_day, put, government, bureau, officer, as_resident, root, monkeypatch
):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not chromium or not source.exists():
        pytest.skip("Chromium or axe-core is not here")
    from playwright.sync_api import expect, sync_playwright

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    declared.forget()
    keeper = put("周工", "zhou", bureau, ["applications.keeper"])
    reviewer = put("吴科", "wu", government, ["applications.reviewer"])
    axe, complaints = source.read_text(), []

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )

        def tab_of(client, width):
            context = browser.new_context(viewport={"width": width, "height": 800}, base_url=live_server.url)
            cookie = client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
            tab = context.new_page()
            tab.set_default_timeout(20_000)
            tab.on("console", lambda said: said.type == "error" and complaints.append(said.text))
            return tab

        def look(tab):
            tab.evaluate(axe)
            found = tab.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
            assert [(r["id"], [n["html"][:120] for n in r["nodes"]][:2]) for r in found] == [], tab.url
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), tab.url

        def asked(row, **more) -> str:
            """The application's own request to sign somebody in."""
            query = {
                "response_type": "code",
                "client_id": row.client_id,
                "redirect_uri": f"{site}/back",
                "scope": "openid profile",
                "state": "s-1",
                "nonce": "n-1",
                "code_challenge": CHALLENGE,
                "code_challenge_method": "S256",
            } | more
            return f"{PATHS['authorization_endpoint']}?{urlencode(query)}"

        def arrived(tab) -> dict:
            tab.wait_for_url(f"{site}/back?*")
            return parse_qs(urlsplit(tab.url).query)

        desk = tab_of(keeper.client, 360)
        desk.goto("/apps/register/")
        desk.get_by_role("link", name="登记").last.click()
        desk.wait_for_url("**/apps/register/new/")
        look(desk)
        desk.fill("[name=title]", "执法办案系统")
        desk.select_option("[name=category]", "office")
        desk.fill("[name=purpose]", "登记和办理执法案件")
        desk.fill("[name=contact]", "周工 12345")
        desk.fill("[name=start_url]", f"{site}/start")
        for who in ("staff", "residents"):
            desk.check(f"[name=audience][value={who}]")
        desk.fill("[name=scope_profile]", "页面上称呼您")
        desk.fill("[name=redirect_uris]", f"{site}/back#x")
        desk.locator("main form.form button[type=submit]").first.click()
        desk.locator(".error-list").wait_for()
        assert desk.input_value("[name=title]") == "执法办案系统"
        look(desk)
        desk.fill("[name=redirect_uris]", f"{site}/back")
        desk.locator("main form.form button[type=submit]").first.click()
        desk.get_by_role("heading", name="第 1 版等待审核").wait_for()
        look(desk)
        row = DepartmentApplication.objects.get()

        second = tab_of(reviewer.client, 1440)
        second.goto(f"/apps/register/{row.pk}/")
        look(second)
        second.get_by_role("button", name="通过", exact=True).click()
        second.get_by_role("heading", name="生效的登记").wait_for()
        look(second)
        desk.goto(f"/apps/register/{row.pk}/secret/")
        look(desk)
        desk.locator("main form.form button[type=submit]").first.click()
        desk.get_by_text("密钥只显示这一次").wait_for()
        look(desk)

        # A resident: asked what the application may know, and then there, out of a form.
        phone = tab_of(as_resident("林晓禾").client, 360)
        phone.goto("/my/apps/")
        look(phone)
        phone.get_by_role("link", name="执法办案系统").click()
        phone.wait_for_url(f"{site}/start?*")
        row.refresh_from_db()
        phone.goto(live_server.url + asked(row))
        look(phone)
        phone.get_by_role("button", name="同意并登录").click()
        assert "code" in arrived(phone)
        phone.goto(live_server.url + asked(row, prompt="none"))
        assert "code" in arrived(phone)

        # Staff: signed in already, then asked for the password once more.
        work = tab_of(officer.client, 1440)
        work.goto("/apps/")
        look(work)
        work.goto(live_server.url + asked(row))
        assert arrived(work)["state"] == ["s-1"]
        work.goto(live_server.url + asked(row, prompt="login"))
        work.wait_for_url("**/account/reauthenticate/?*")
        look(work)
        work.fill("[name=password]", PASSWORD)
        work.keyboard.press("Enter")
        assert "code" in arrived(work)

        desk.goto(f"/apps/register/{row.pk}/")
        desk.get_by_role("link", name="撤下").click()
        look(desk)
        desk.fill("[name=reason]", "系统停用")
        desk.locator("main form.form button[type=submit]").first.click()
        desk.locator("dialog[open] .btn").first.or_(desk.get_by_text("系统停用")).first.wait_for()
        if desk.locator("dialog[open]").count():
            desk.locator("dialog[open] .btn:not(.quiet, .plain)").click()
        desk.get_by_text("系统停用").first.wait_for()
        work.goto(live_server.url + "/apps/")
        expect(work.get_by_role("link", name="执法办案系统")).to_have_count(0)
        work.goto(live_server.url + asked(row))
        work.get_by_text("没有这个应用，或者它已经撤下").wait_for()
        look(work)
        # The last page is a refusal, which the browser notes as such.
        assert [text for text in complaints if "400" not in text and "422" not in text] == []
        browser.close()
