"""A timer that keeps failing waits for a person, like a dead letter; one that counts days moves with the calendar."""

import shutil
from datetime import date

import pytest
from django.urls import reverse

from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters import engine, timers
from liangzhu.beams.work.matters.models import Entry, Timer
from liangzhu.kernel import calendar
from liangzhu.kernel.errors import Denied, StepNotAllowed
from liangzhu.kernel.models import LogLeaf
from liangzhu.kernel.now import SHANGHAI, at
from liangzhu.kernel.worker import BACKOFF, drain
from liangzhu.site import metrics

LATER = "2022-10-28 08:00"


@pytest.fixture
def broken(town, monkeypatch):
    """A licence whose timer cannot do its step until the returned list is emptied."""
    case, faults = town.open("licence"), ["受理平台没有应答"]
    real = engine._advance

    def advance(*args, **kwargs):
        if faults:
            raise RuntimeError(faults[0])
        return real(*args, **kwargs)

    monkeypatch.setattr(engine, "_advance", advance)
    return case, faults


def wear_out() -> Timer:
    """Every try of the worker, each when its pause is over."""
    with at(LATER):
        for _ in range(len(BACKOFF) + 3):
            Timer.objects.exclude(try_at=None).update(try_at="2000-01-01T00:00Z")
            timers.fire_owed()
    return Timer.objects.select_related("matter").get(name="silence")


def test_a_failing_timer_is_tried_again_after_a_pause_and_then_given_up(broken):
    case, _ = broken
    with at(LATER):
        assert timers.fire_owed() == 0
        assert timers.fire_owed() == 0
        first = Timer.objects.get(matter=case.matter)
        assert (first.attempts, first.dead_at) == (1, None) and first.try_at
    row = wear_out()
    assert row.attempts == len(BACKOFF) + 1 and row.dead_at and row.fired_at is None
    assert row.words == "RuntimeError：受理平台没有应答" and "Traceback" in row.error
    assert b"\xe5\x8f\x97\xe7\x90\x86" not in bytes(Timer.objects.values_list("error")[0][0].data)
    assert matters.timer_state().dead == 1
    assert 'liangzhu_timers_failed{state="dead"} 1.0' in metrics.exposition().decode()


def test_an_administrator_reads_what_failed_and_tries_it_again(broken, sign_in, settings):
    # Only on a demonstration's day an administrator may do without a second factor.
    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    case, faults = broken
    row = wear_out()
    client, admin = sign_in("督办室", "管理", "access.admin")
    page = client.get(reverse("matters:timers")).content.decode()
    for words in (case.matter.number, "受理平台没有应答", "视为受理", "试过 7 次", "已放弃 1", row.name):
        assert words in page, words
    assert f'href="/work/{case.matter.pk}/"' not in page  # an administrator sees no business
    client.post(reverse("matters:retry_timer", args=[row.pk]))
    assert LogLeaf.objects.filter(action="matters.retry_timer", subject=str(case.matter.ref)).exists()
    with at(LATER):
        assert timers.fire_owed() == 0
        assert matters.timer_state().retrying == 1
        faults.clear()
        timers.retry_timer(admin, timer_id=row.pk)
        assert timers.fire_owed() == 1
        assert Entry.objects.filter(matter=case.matter, transition="deem_accepted").count() == 1
        with pytest.raises(StepNotAllowed, match="已经办成"):
            timers.retry_timer(admin, timer_id=row.pk)
    assert "没有放弃的定时" in client.get(reverse("matters:timers")).content.decode()


def test_only_an_administrator_sees_and_retries(broken, sign_in):
    row = wear_out()
    client, officer = sign_in("甲局", "李四")
    assert client.get(reverse("matters:timers")).status_code == 403
    with pytest.raises(Denied):
        timers.retry_timer(officer, timer_id=row.pk)


def test_what_was_given_up_is_done_when_somebody_comes_to_the_matter(broken):
    case, faults = broken
    wear_out()
    faults.clear()
    with pytest.raises(StepNotAllowed, match="视为受理"):
        case.do("2022-10-31 09:00", "organ", "ask_correction", worker=False, missing="太迟")
    assert case.state == "accepted" and matters.timer_state().dead == 0


# The calendar ------------------------------------------------------------------------------------------------


def last_day(row: Timer) -> str:
    row.refresh_from_db()
    return f"{row.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    "kept", [True, False], ids=["counted from what it keeps", "made before that was kept"]
)
def test_a_day_off_moves_what_counts_working_days_in_a_state(town, district, sign_in, kept):
    case = town.open("licence").do("2022-10-20 10:00", "organ", "ask_correction", missing="全部")
    row = Timer.objects.get(matter=case.matter, counts_from__isnull=False)
    assert last_day(row) == "2022-12-02 00:00"
    if not kept:
        Timer.objects.filter(pk=row.pk).update(counts_from=None)
    _, admin = sign_in("督办室", "管理", "access.admin")
    with at("2022-10-21 09:00"):
        for day in (25, 26):
            calendar.override_day(
                admin,
                day=date(2022, 10, day),
                workday=False,
                reason="防汛停工",
                source="区政府通告〔2022〕9号",
            )
        drain()
        assert last_day(row) == "2022-12-06 00:00"
        line = Entry.objects.filter(matter=case.matter).latest("id")
        assert line.title == "工作日历调整，重新计算期限" and "由 2022-12-01 改为 2022-12-05" in line.note
        calendar.restore_day(admin, day=date(2022, 10, 25))
        drain()
        assert last_day(row) == "2022-12-03 00:00"
    assert case.after("2022-12-02 23:00").state == "correcting"
    assert case.after("2022-12-03 00:10").state == "returned"


def test_a_day_before_the_state_or_after_the_end_moves_nothing(town, sign_in):
    case = town.open("licence").do("2022-10-20 10:00", "organ", "ask_correction", missing="全部")
    _, admin = sign_in("督办室", "管理", "access.admin")
    entries = Entry.objects.filter(matter=case.matter).count()
    with at("2022-10-21 09:00"):
        for month, day in ((10, 19), (12, 5)):
            calendar.override_day(
                admin, day=date(2022, month, day), workday=False, reason="停工", source="通告"
            )
        drain()
    assert Entry.objects.filter(matter=case.matter).count() == entries


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_page_is_accessible_and_fits_a_telephone(
    broken, sign_in, live_server, settings, root, monkeypatch
):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    source = root / "node_modules" / "axe-core" / "axe.min.js"
    if not (chromium and source.exists()):
        pytest.skip("needs Chromium and axe-core (npm ci)")
    from playwright.sync_api import sync_playwright

    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    wear_out()
    client, _ = sign_in("督办室", "管理", "access.admin")
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for width in (1440, 360):
            context = browser.new_context(viewport={"width": width, "height": 800}, base_url=live_server.url)
            context.add_cookies([cookie])
            tab = context.new_page()
            assert tab.goto(reverse("matters:timers")).status == 200
            tab.get_by_text("技术细节").click()
            assert "Traceback" in tab.inner_text(".troubles")
            tab.evaluate(source.read_text())
            found = tab.evaluate("axe.run(document)")["violations"]
            assert [(rule["id"], [n["html"][:120] for n in rule["nodes"]][:2]) for rule in found] == [], width
            wide = tab.evaluate(
                "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth)"
                ".map(e => e.outerHTML.slice(0, 120)).slice(0, 5)"
            )
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, wide)
        browser.close()
