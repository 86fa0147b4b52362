"""The page of what could not be delivered: an administrator sees it, reads why, replays and skips."""

import shutil
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils.timezone import now as machine_now  # noqa: TID251 - deliveries run on the machine's clock

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory.models import Holding, Person, Post, PostRole, Unit, UnitSpell
from liangzhu.kernel import events, worker
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.models import Delivery, LogLeaf
from liangzhu.kernel.refs import Ref

FROM = date(2020, 1, 1)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def sign_in(db, settings):
    """``sign_in("access.admin")``: a browser signed in under a post with that role."""
    # Only on a demonstration's day an administrator may do without a second factor.
    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    unit = Unit.objects.create(key="ban", kind=Unit.DEPARTMENT)
    UnitSpell.objects.create(
        unit=unit, name="示例区办公室", short_name="办公室", valid_from=FROM, source="测试"
    )

    def enter(role: str) -> Client:
        post = Post.objects.create(key=role, unit=unit, title="科长")
        PostRole.objects.create(post=post, role=role)
        person = Person.objects.create(name="李四")
        Holding.objects.create(post=post, person=person, valid_from=FROM)
        account = access.Account.objects.create(username=f"u{person.pk}", person=person, demo=True)
        client = Client()
        client.force_login(account, backend="liangzhu.beams.people.access.backends.StaffBackend")
        return client

    return enter


@pytest.fixture
def failing(db):
    """``failing(3)``: so many things whose notices were given up, each with one more behind it."""
    known_events, known_handlers = dict(events._events), {k: list(v) for k, v in events._handlers.items()}

    @events.event("kernel.test_rang", "门铃响")
    @dataclass(frozen=True)
    class Rang:
        subject: Ref
        times: int

    broken = {1}

    @events.handles(Rang)
    def hear(event, delivery):
        if event.times in broken:
            raise RuntimeError("铃锤断了，" * 12)

    def make(things: int) -> set:
        for thing in range(things):
            for times in (1, 2):
                events.publish(Rang(subject=Ref("bell", f"{thing}"), times=times), SYSTEM)
        for _ in range(len(worker.BACKOFF) + 1):
            Delivery.objects.filter(done_at=None).update(due_at="2000-01-01T00:00Z")
            worker.drain()
        return broken

    yield make
    events._events.clear()
    events._events.update(known_events)
    events._handlers.clear()
    events._handlers.update(known_handlers)


def test_the_page_says_what_why_how_often_and_what_waits(sign_in, failing):
    failing(2)
    page = sign_in("access.admin").get("/operate/deliveries/").content.decode()
    for words in (
        "门铃响：bell 0",
        "铃锤断了",
        "处理出错",
        "试过 7 次",
        "后面等着 1 个",
        "已放弃 2",
        "Traceback",
    ):
        assert words in page
    assert '<span class="count">2' in page


def test_one_is_replayed_and_its_line_goes_on(sign_in, failing):
    failing(1).clear()
    client = sign_in("access.admin")
    dead = Delivery.objects.exclude(dead_at=None).get()
    answer = client.post(f"/operate/deliveries/{dead.pk}/replay/", follow=True).content.decode()
    assert "已重新排入投递" in answer and "没有放弃的投递" in answer
    worker.drain()
    assert not Delivery.objects.filter(done_at=None).exists()
    answer = client.post(f"/operate/deliveries/{dead.pk}/replay/", follow=True).content.decode()
    assert "已经完成" in answer


def test_all_of_a_handler_are_replayed(sign_in, failing):
    failing(3).clear()
    client, handler = sign_in("access.admin"), Delivery.objects.first().handler
    answer = client.post("/operate/deliveries/replay/", {"handler": handler}, follow=True).content.decode()
    assert "已重新排入 3 个投递" in answer
    assert worker.drain() == 6


def test_one_is_skipped_only_with_a_reason(sign_in, failing):
    failing(1)
    client, dead = sign_in("access.admin"), Delivery.objects.exclude(dead_at=None).get()
    address = f"/operate/deliveries/{dead.pk}/skip/"
    assert "等在后面的 1 个接着投递" in client.get(address).content.decode()
    answer = client.post(address, {"reason": " "})
    assert answer.status_code == 422 and Delivery.objects.filter(pk=dead.pk, done_at=None).exists()
    assert client.post(address, {"reason": "铃已拆除"}).status_code == 302
    assert LogLeaf.objects.filter(action="kernel.skip_delivery").count() == 1
    worker.drain()
    assert not Delivery.objects.filter(done_at=None).exists()
    assert client.get(address).status_code == 404


def test_all_of_a_handler_are_skipped_with_one_reason_and_no_more_than_were_seen(sign_in, failing):
    failing(3)
    client, handler = sign_in("access.admin"), Delivery.objects.first().handler
    address = f"/operate/deliveries/skip/?handler={handler}"
    page = client.get(address)
    assert "跳过 3 个已放弃的投递" in page.content.decode() and "门铃响 3 个" in page.content.decode()
    seen = page.context["form"].initial
    assert client.post(address, {**seen, "reason": " "}).status_code == 422
    # One was replayed by somebody else meanwhile.
    client.post(f"/operate/deliveries/{seen['until']}/replay/")
    answer = client.post(address, {**seen, "reason": "铃已拆除"})
    assert answer.status_code == 409 and "现在有 2 个" in answer.content.decode()
    assert not LogLeaf.objects.filter(action="kernel.skip_handler").exists()
    seen = client.get(address).context["form"].initial
    answer = client.post(address, {**seen, "reason": "铃已拆除"}, follow=True).content.decode()
    assert "已跳过 2 个" in answer
    assert LogLeaf.objects.filter(action="kernel.skip_handler").count() == 2
    assert (
        sorted(row.skipped for row in Delivery.objects.filter(event__name="kernel.test_rang")).count(
            "铃已拆除"
        )
        == 2
    )
    assert worker.drain() >= 2
    assert client.get(address).status_code == 404


def test_a_stopped_worker_is_said_on_the_page(sign_in, failing):
    failing(1)
    Delivery.objects.filter(dead_at__isnull=False).update(
        dead_at=None, due_at=machine_now() - timedelta(hours=3), attempts=1
    )
    page = sign_in("access.admin").get("/operate/deliveries/?state=retrying").content.decode()
    assert "投递停顿" in page and "3 小时" in page and "立即重试" in page


def test_who_does_not_keep_the_system_neither_sees_nor_replays(sign_in, failing):
    failing(1)
    client, dead = sign_in("matters.officer"), Delivery.objects.exclude(dead_at=None).get()
    assert client.get("/operate/deliveries/").status_code == 403
    assert client.post(f"/operate/deliveries/{dead.pk}/replay/").status_code == 403
    assert client.get(f"/operate/deliveries/skip/?handler={dead.handler}").status_code == 403
    assert "投递失败" not in client.get("/work/").content.decode()


def test_the_page_asks_the_database_no_more_for_many(sign_in, failing, django_assert_max_num_queries):
    """A page of twenty: what waits behind each is one bounded question each; all else does not grow."""
    failing(25)
    client = sign_in("access.admin")
    client.get("/operate/deliveries/")
    with django_assert_max_num_queries(45):
        first = client.get("/operate/deliveries/").content.decode()
    assert "after=" in first and first.count("重新投递</button>") == 21


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [1440, 360])
def test_the_page_is_accessible_and_fits_and_works(
    live_server, sign_in, failing, root, monkeypatch, width, tmp_path
):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not chromium or not source.exists():
        pytest.skip("no Chromium or axe-core here")
    from playwright.sync_api import sync_playwright

    failing(3).clear()
    client, dead = sign_in("access.admin"), Delivery.objects.exclude(dead_at=None).first()
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        context = browser.new_context(viewport={"width": width, "height": 900}, base_url=live_server.url)
        context.add_cookies(
            [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
        )
        tab = context.new_page()
        tab.set_default_timeout(15_000)
        complaints = []
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        for address in (
            "/operate/deliveries/",
            "/operate/deliveries/?state=retrying",
            f"/operate/deliveries/skip/?handler={dead.handler}",
            f"/operate/deliveries/{dead.pk}/skip/",
        ):
            assert tab.goto(address).status == 200, address
            if address == "/operate/deliveries/":
                tab.locator("summary", has_text="技术细节").first.click()
            tab.evaluate(source.read_text())
            found = tab.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
            assert [(rule["id"], [n["html"][:120] for n in rule["nodes"]][:2]) for rule in found] == []
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
            tab.screenshot(
                path=tmp_path / f"{width}-{address.strip('/').replace('/', '-')[:40]}.png", full_page=True
            )
        tab.fill("textarea[name=reason]", "铃已拆除")
        tab.get_by_role("button", name="跳过").click()
        tab.get_by_text("已跳过").wait_for()
        tab.get_by_role("button", name="全部重新投递").click()
        tab.locator("dialog[open] .btn:not(.quiet, .plain)").click()
        tab.get_by_text("已重新排入 2 个投递").wait_for()
        assert complaints == []
        browser.close()
    assert worker.drain() == 5
