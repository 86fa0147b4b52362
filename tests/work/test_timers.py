"""Reminders, the succession of units, and notices."""

from datetime import date

import pytest

from liangzhu.beams.people.directory.events import UnitSucceeded
from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters import clocks, timers
from liangzhu.beams.work.matters.models import Clock, Entry, Notice, Party
from liangzhu.beams.work.matters.rules import Escalation, NearDue, Rules
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Denied
from liangzhu.kernel.models import OutboxEvent
from liangzhu.kernel.now import at
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.worker import drain, run_periodic


@pytest.fixture(autouse=True)
def own_rules(monkeypatch):
    """Three days and one day before, on the day; the head on the first day after, an app's leader on the
    third.
    """
    found = Rules(
        NearDue(0, 3),
        (3, 1, 0),
        (Escalation("matters.head", 1), Escalation("programme.leader", 3)),
    )
    monkeypatch.setattr(clocks, "rules", lambda: found)


@pytest.fixture
def people(district):
    """An officer and the head of 甲局."""
    return district.officer("甲局", "李四"), district.head("甲局", "王局")


def titles(actor) -> list[str]:
    rows = Notice.objects.filter(post=actor.post_id).exclude(level=Notice.INFO).order_by("id")
    return [row.title for row in rows]


def test_reminders_come_before_on_the_day_and_then_to_the_head(people, dated):
    li, wang = people
    matter = dated(li, date(2022, 10, 28))
    sent = {}
    for day in (
        "2022-10-21",
        "2022-10-25",
        "2022-10-26",
        "2022-10-27",
        "2022-10-28",
        "2022-10-31",
        "2022-11-01",
    ):
        with at(f"{day} 08:30"):
            before = len(titles(li)), len(titles(wang))
            timers.remind_owed()
            sent[day] = (len(titles(li)) - before[0], len(titles(wang)) - before[1])
    assert sent == {
        "2022-10-21": (0, 0),
        "2022-10-25": (1, 0),
        "2022-10-26": (0, 0),
        "2022-10-27": (1, 0),
        "2022-10-28": (1, 0),
        "2022-10-31": (1, 1),
        "2022-11-01": (0, 0),
    }
    assert titles(wang) == [f"超期提醒：{matter.title}（超承诺 3 天）"]
    assert Notice.objects.get(post=wang.post_id, level=Notice.URGE).url == f"/work/{matter.pk}/"
    assert OutboxEvent.objects.filter(name="matters.reminder_sent", subject=str(matter.ref)).count() == 4


def test_days_on_which_nothing_ran_are_caught_up_with_one_reminder_each(people, dated):
    li, wang = people
    dated(li, date(2022, 10, 28))
    with at("2022-11-07 03:00"):
        timers.remind_owed()
        timers.remind_owed()
    assert len(titles(li)) == 2 and len(titles(wang)) == 1  # one as officer, one with the head's
    assert Clock.objects.get().remind_at is None


def test_the_job_finds_only_what_is_owed_and_runs_twice_without_harm(
    people, dated, django_assert_num_queries
):
    li, _ = people
    for _ in range(3):
        dated(li, date(2022, 12, 30))
    with django_assert_num_queries(2):
        timers.remind_owed()
    assert run_periodic(force=True)
    assert titles(li) == []


def test_the_assignee_alone_is_reminded_when_there_is_one(district, people, dated, run):
    li, wang = people
    second = district.officer("甲局", "李二")
    matter = dated(li, date(2022, 10, 25))
    matters.assign(wang, matter_id=matter.pk, post_id=second.post_id)
    with at("2022-10-24 08:00"):
        timers.remind_owed()
    assert titles(second) and not titles(li)


def test_an_extension_moves_the_reminders(people, dated, advance):
    li, wang = people
    matter = dated(li, date(2022, 10, 21))
    advance(wang, matter, "extend", until="2022-11-30", reason="等文件")
    with at("2022-10-24 08:00"):
        timers.remind_owed()
    assert titles(li) == []
    assert clocks.local_day(Clock.objects.get(matter=matter).remind_at) == date(2022, 11, 25)


def test_nothing_is_owed_while_a_clock_stands_still(people, simple, advance):
    li, _ = people
    advance(li, advance(li, simple(li), "accept"), "hold", reason="评审")
    with at("2023-02-01 08:00"):
        timers.remind_owed()
    assert titles(li) == []


def test_a_part_reminds_its_own_unit(district, people, simple, advance):
    li, _ = people
    helper = district.officer("乙局", "赵六")
    matter = advance(li, simple(li), "accept")
    advance(li, matter, "ask_help", helpers=[district.units["乙局"]])
    with at("2022-10-27 08:00"):
        timers.remind_owed()
    assert any("今天到期" in title for title in titles(helper))


def test_people_cannot_run_what_timers_run(people, dated):
    li, _ = people
    dated(li, date(2022, 10, 28))
    with pytest.raises(Denied):
        timers.remind_of_clock(li, clock_id=Clock.objects.get().pk)


def test_the_unit_that_gets_a_matter_hears_of_it_once(district, people, simple, advance):
    li, _ = people
    zhou = district.officer("督办室", "周五")
    matter = advance(li, advance(li, simple(li), "accept"), "report", result="完成")
    drain()
    drain()
    assert [n.title for n in Notice.objects.filter(post=zhou.post_id)] == ["轮到办理：一般事项《示例事项》"]
    assert matter.holding_unit_id == zhou.unit_id


def test_open_matters_pass_to_the_unit_that_took_over(district, people, simple, advance, run):
    li, _ = people
    zhou = district.officer("督办室", "周五")
    working = advance(li, simple(li, assignee_id=li.post_id), "accept")
    advance(li, working, "ask_help", helpers=[district.units["乙局"]])
    reported = advance(li, advance(li, simple(li), "accept"), "report", result="完成")
    closed = advance(zhou, advance(li, advance(li, simple(li), "accept"), "report", result="完成"), "close")
    old, new = district.units["甲局"], district.units["乙局"]
    run(
        SYSTEM,
        lambda act: act.emit(UnitSucceeded(subject=Ref("unit", str(old)), successor_id=new, on="2022-10-20")),
    )
    drain()
    for row in (working, reported, closed):
        row.refresh_from_db()
    assert (working.holding_unit_id, working.assignee_id) == (new, None)
    assert reported.holding_unit_id == district.units["督办室"]
    assert Party.objects.get(matter=reported, name="lead").unit_id == new
    assert (
        closed.holding_unit_id == district.units["督办室"]
        and Party.objects.get(matter=closed, name="lead").unit_id == old
    )
    line = Entry.objects.filter(matter=working).last()
    assert line.title == "机构调整" and line.note == "示例区甲局的职责由示例区乙局承接，本事项随之转交。"
    assert not Entry.objects.filter(matter=closed, transition="matters.pass_on").exists()
    successor = district.officer("乙局", "赵六")
    assert advance(successor, working, "note_progress", progress="接着办").state == "working"


def test_a_notice_reaches_a_post_once(district, people):
    li, wang = people
    posts = [li.post_id, wang.post_id, li.post_id]
    assert matters.notify(posts, key="k", title="一") == 2
    assert matters.notify(posts, key="k", title="一") == 0
    assert Notice.objects.count() == 2
