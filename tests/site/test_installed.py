"""The portal on a phone's home screen: installable, honest without a network, and nothing personal in its cache."""

import shutil

import pytest
from django.test import Client

from liangzhu.kernel.web import CompressMiddleware

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def test_the_offline_page_is_the_same_for_everybody(as_resident):
    mine, anybodys = as_resident("林晓禾").client.get("/offline/"), Client().get("/offline/")
    assert mine.content == anybodys.content and not mine.cookies
    assert "没有连上网络" in mine.content.decode()


def test_addresses_of_static_files_carry_their_content_and_are_kept_for_good(client, db):
    from django.templatetags.static import static

    assert static("ui/icon.svg").startswith("/static/ui/icon.svg?v=")
    assert static("no/such.css") == "/static/no/such.css"
    assert "immutable" in client.get(static("ui/icon.svg")).headers["Cache-Control"]


def test_pages_are_compressed_and_answers_of_programs_are_left_alone(rf):
    from django.http import HttpResponse

    asked = rf.get("/", headers={"Accept-Encoding": "gzip"})
    for kind, packed in (("text/html; charset=utf-8", True), ("application/json", False)):
        answer = CompressMiddleware(lambda request, kind=kind: HttpResponse("长" * 900, content_type=kind))(
            asked
        )
        assert answer.has_header("Content-Encoding") is packed, kind


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_installable_offline_in_words_and_nothing_personal_is_kept(
    live_server, as_resident, root, tmp_path, monkeypatch
):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not chromium or not source.exists():
        pytest.skip("Chromium or axe-core is not here")
    from playwright.sync_api import sync_playwright

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    someone = as_resident("林晓禾").client.cookies["sessionid"].value
    with sync_playwright() as playwright:
        # A profile of its own, since a private window installs nothing.
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=chromium,
            args=["--no-sandbox", "--disable-background-networking"],
            viewport={"width": 360, "height": 800},
            base_url=live_server.url,
        )
        try:
            context.add_cookies([{"name": "sessionid", "value": someone, "url": live_server.url}])
            tab, complaints = context.new_page(), []
            tab.set_default_timeout(15_000)
            tab.on("pageerror", lambda error: complaints.append(str(error)))
            tab.goto("/offline/")
            tab.goto("/my/")
            tab.evaluate("navigator.serviceWorker.ready")
            tab.wait_for_function("navigator.serviceWorker.controller !== null")
            chrome = context.new_cdp_session(tab)
            manifest = chrome.send("Page.getAppManifest")
            assert manifest["errors"] == [] and "政务服务" in manifest["data"]
            assert chrome.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
            tab.goto("/my/")
            assert "林**" in tab.inner_text("body")

            kept = tab.evaluate("""async () => {
                const found = []
                for (const name of await caches.keys()) {
                  const cache = await caches.open(name)
                  for (const one of await cache.keys()) found.push([new URL(one.url).pathname, await (await cache.match(one)).text()])
                }
                return found
            }""")
            assert all(path == "/offline/" or path.startswith("/static/") for path, _ in kept), kept
            assert "/offline/" in dict(kept) and not any("林*" in text for _, text in kept)

            context.set_offline(True)
            tab.goto("/my/matters/")
            tab.get_by_role("heading", name="没有连上网络").wait_for()
            assert "再试一次" in tab.inner_text("main") and "窗口照常办理" in tab.inner_text("main")
            assert tab.url.endswith("/my/matters/")
            assert tab.get_by_role("link", name="再试一次").evaluate("one => one.href") == tab.url
            tab.evaluate(source.read_text())
            found = tab.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
            assert [rule["id"] for rule in found] == []
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
            context.set_offline(False)
            tab.get_by_role("link", name="再试一次").click()
            tab.get_by_role("heading", name="我的办件").wait_for()
            assert complaints == []
        finally:
            context.close()


def test_the_manifest_speaks_of_the_district_and_leads_to_real_pages(client, db):
    from django.urls import resolve

    from liangzhu.kernel.pack import pack

    said = client.get("/manifest.webmanifest").json()
    assert said["name"].startswith(pack().district["name"]) and said["lang"] == "zh-Hans"
    for address in [said["start_url"], *(one["url"] for one in said["shortcuts"])]:
        assert resolve(address)
    for icon in said["icons"]:
        content = b"".join(client.get(icon["src"]).streaming_content)
        if icon["type"] == "image/png":
            width = int.from_bytes(content[16:20])
            assert icon["sizes"] == f"{width}x{width}"
