"""The desk of a post: views, batches, what I did, the calendar of limits, how notices come."""

import re
from datetime import date, datetime, timedelta

import icalendar
import pytest

from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters import bulk, desk, notices, queries
from liangzhu.beams.work.matters.models import Desk, Entry, Matter, Notice, View
from liangzhu.kernel.errors import Denied, Invalid, NotThere
from liangzhu.kernel.models import LogLeaf
from liangzhu.kernel.now import at, now, shanghai

from .test_pages import flood, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk_of(sign_in):
    """A browser and the actor of an officer of the leading unit."""
    return sign_in("甲局", "李四")


# Views ------------------------------------------------------------------------------------------------------


def test_a_list_is_kept_as_a_view_and_becomes_a_tab(district, simple, desk_of):
    client, li = desk_of
    urgent = simple(li, title="加急的", urgency=1)
    simple(li, title="平常的")
    address = f"{url('save_view')}?scope=unit&kind=simple&state=received&urgency=1&from=2022-10-01&cols=number&cols=due"
    answer = client.post(address, {"name": "急件", "first": "1"})
    view = View.objects.get()
    assert (view.urgency, view.opened_from, view.columns) == (1, date(2022, 10, 1), "number,due")
    page = client.get(answer["Location"])
    assert [row.matter for row in page.context["listing"].page] == [urgent]
    assert f"{urgent.number} · " in page.content.decode() and ">急件</a>" in page.content.decode()
    # It is the default now: the bare address leads to it.
    assert client.get(url("inbox"))["Location"] == answer["Location"]
    client.post(url("open_with"), {"view": ""})
    assert client.get(url("inbox")).status_code == 200


def test_a_view_of_the_same_name_is_replaced_and_one_without_a_name_refused(simple, desk_of):
    client, li = desk_of
    simple(li)
    client.post(f"{url('save_view')}?scope=unit", {"name": "我看"})
    client.post(f"{url('save_view')}?scope=all&q=噪声", {"name": "我看"})
    assert [(row.scope, row.text) for row in View.objects.all()] == [("all", "噪声")]
    page = client.post(f"{url('save_view')}?scope=all", {"name": "  "}, follow=True)
    assert "请给视图起个名字" in page.content.decode() and View.objects.count() == 1


def test_a_shared_view_is_seen_in_the_unit_and_changed_by_its_post_only(simple, desk_of, sign_in):
    client, li = desk_of
    simple(li)
    client.post(f"{url('save_view')}?scope=unit", {"name": "共用的", "shared": "1"})
    client.post(f"{url('save_view')}?scope=unit", {"name": "自用的"})
    shared = View.objects.get(shared=True)
    colleague, wang = sign_in("甲局", "王五")
    page = colleague.get(url("views")).content.decode()
    assert "共用的" in page and "自用的" not in page
    assert colleague.post(url("drop_view", shared.pk)).status_code == 403
    _, outsider = sign_in("乙局", "外人")
    assert queries.views(outsider) == []
    with pytest.raises(NotThere):
        desk.open_with(outsider, view_id=shared.pk)
    desk.open_with(wang, view_id=shared.pk)
    client.post(url("drop_view", shared.pk))
    assert queries.desk(wang).default_view is None and View.objects.count() == 1


def test_who_has_no_business_role_in_the_unit_shares_nothing(district, simple, sign_in):
    _, clerk = sign_in("甲局", "文员", "programme.reader")
    with pytest.raises(Denied):
        desk.save_view(clerk, name="x", scope="unit", filters=queries.Filters(), shared=True)


@pytest.mark.parametrize(
    "query",
    [
        "urgency=9",
        "urgency=x",
        "unit=x",
        "from=2022-13-01",
        "light=gone",
        "kind=gone",
        "applicant=x",
        "cols=gone",
        "view=x",
        "ids=x",
    ],
)
def test_an_address_that_makes_no_sense_narrows_nothing(simple, desk_of, query):
    client, li = desk_of
    simple(li)
    page = client.get(f"{url('inbox')}?scope=unit&{query}")
    assert page.status_code == 200 and len(page.context["listing"].page) == 1


def test_filters_narrow_by_what_they_say(district, simple, advance, desk_of):
    client, li = desk_of
    with at("2022-10-18 09:00"):
        old = simple(li, title="早的", applicant="unit:1")
    new = simple(li, title="晚的")
    closed = simple(li, title="办完的")
    Matter.objects.filter(pk=closed.pk).update(closed_at=now(), state="closed")

    def shown(query: str) -> list[int]:
        page = client.get(f"{url('inbox')}?scope=unit&{query}")
        return [row.matter.pk for row in page.context["listing"].page]

    assert shown("to=2022-10-19") == [old.pk] and shown("from=2022-10-19") == [new.pk]
    assert shown("applicant=unit:1") == [old.pk] and shown("closed=1") == [closed.pk]
    assert shown("order=new") == [new.pk, old.pk] and shown("") == [old.pk, new.pk]
    assert shown("kind=simple&state=working") == []


# Batches ----------------------------------------------------------------------------------------------------


def versions(*rows: Matter) -> list[tuple[int, int]]:
    return [(row.pk, row.version) for row in rows]


def test_a_step_is_done_for_many_each_with_its_own_line_and_leaf(simple, desk_of):
    client, li = desk_of
    rows = [simple(li) for _ in range(3)]
    ids = "&".join(f"ids={row.pk}" for row in rows)
    page = client.get(f"{url('many')}?{ids}&scope=unit").content.decode()
    assert "受理…" in page and "分派…" in page
    page = client.get(f"{url('many')}?{ids}&scope=unit&do=accept").content.decode()
    assert "对下面 3 件办理“受理”" in page and "受理并开始计时：10 个工作日" in page
    before = LogLeaf.objects.count()
    sent = dict(re.findall(r'name="(version-\d+|once)" value="(\w+)"', page))
    page = client.post(f"{url('many')}?{ids}&scope=unit&do=accept", sent).content.decode()
    assert "办成 3 件" in page
    assert set(Matter.objects.values_list("state", flat=True)) == {"working"}
    assert Entry.objects.filter(transition="accept").count() == 3
    assert LogLeaf.objects.count() == before + 4
    again = client.post(f"{url('many')}?{ids}&scope=unit&do=accept", sent)
    assert again.status_code in (200, 302) and Entry.objects.filter(transition="accept").count() == 3


def test_what_fails_is_named_stays_chosen_and_does_not_hold_up_the_rest(simple, advance, desk_of, sign_in):
    client, li = desk_of
    rows = [simple(li, title=f"第{n}件") for n in range(3)]
    ids = "&".join(f"ids={row.pk}" for row in rows)
    page = client.get(f"{url('many')}?{ids}&do=accept").content.decode()
    sent = dict(re.findall(r'name="(version-\d+|once)" value="(\w+)"', page))
    # Somebody was quicker with the second one, in a way that leaves the step open.
    _, wang = sign_in("甲局", "王五")
    matters.assign(wang, matter_id=rows[1].pk, post_id=wang.post_id, version=1)
    page = client.post(f"{url('many')}?{ids}&do=accept", sent).content.decode()
    assert "办成 2 件，没办成 1 件" in page and "第1件" in page and "王五" in page
    assert re.findall(r'name="ids" value="(\d+)"', page) == [str(rows[1].pk)]
    assert list(Matter.objects.order_by("id").values_list("state", flat=True)) == [
        "working",
        "received",
        "working",
    ]


def test_only_what_suits_all_is_offered(district, simple, dated, advance, desk_of):
    _, li = desk_of
    first, second, other = simple(li), advance(li, simple(li), "accept"), dated(li, date(2022, 11, 1))
    names = [choice.step.name for choice in bulk.choices(li, [first, simple(li)])]
    assert names == ["accept"] and bulk.choices(li, [first, second]) == []
    assert bulk.choices(li, [first, other]) == [] and bulk.choices(li, []) == []
    progress = next(c.step for c in bulk.choices(li, [second]) if c.step.name == "note_progress")
    assert [field.name for field in progress.fields] == ["progress", "when", "share", "mood"]


def test_a_batch_keeps_to_what_one_may_see_and_do(simple, desk_of, sign_in):
    client, li = desk_of
    matter = simple(li)
    outsider, actor = sign_in("乙局", "外人")
    assert bulk.chosen(actor, [matter.pk]) == []
    assert "还没有选事项" in outsider.get(f"{url('many')}?ids={matter.pk}&do=accept").content.decode()
    outcome = bulk.step_many(actor, rows=versions(matter), transition="accept", data={})
    assert outcome.done == [] and outcome.failed == [(matter.pk, "没有找到这一事项。")]


def test_a_batch_has_an_end(simple, desk_of):
    _, li = desk_of
    with pytest.raises(Invalid, match="1,000"):
        bulk.step_many(li, rows=[(n, 1) for n in range(1001)], transition="accept", data={})
    with pytest.raises(Invalid):
        bulk.step_many(li, rows=[], transition="accept", data={})


def test_the_whole_list_can_be_chosen_and_given_to_a_post(district, simple, desk_of):
    client, li = desk_of
    flood(district, simple(li).release, 60)
    page = client.get(f"{url('many')}?all=1&scope=unit&q=批量")
    assert len(page.context["rows"]) == 60
    post = district.post("甲局", "matters.officer", title="科员")
    district.person("赵六", post)
    rows = list(Matter.objects.filter(number__startswith="F"))
    outcome = bulk.assign_many(li, rows=versions(*rows), post_id=post.pk)
    assert len(outcome.done) == 60 and Matter.objects.filter(assignee=post.pk).count() == 60
    stranger = district.post("乙局", "matters.officer")
    with pytest.raises(Invalid):
        bulk.assign_many(li, rows=versions(*rows), post_id=stranger.pk)


def test_values_that_are_wrong_are_refused_before_anything_is_done(simple, advance, desk_of):
    client, li = desk_of
    rows = [advance(li, simple(li), "accept") for _ in range(2)]
    address = f"{url('many')}?ids={rows[0].pk}&ids={rows[1].pk}&do=report"
    answer = client.post(address, {"result": ""})
    assert answer.status_code == 422 and not Entry.objects.filter(transition="report").exists()
    assert "办成 2 件" in client.post(address, {"result": "都完成了"}).content.decode()


# What I did -------------------------------------------------------------------------------------------------


def test_what_i_did_stands_once_with_my_latest_step(simple, advance, desk_of, sign_in):
    client, li = desk_of
    first, second = simple(li, title="第一件"), simple(li, title="第二件")
    advance(li, first, "accept")
    _, wang = sign_in("甲局", "王五")
    advance(wang, second, "accept")
    rows = list(queries.done(li).order_by("-id"))
    assert [(row.matter.title, row.transition) for row in rows] == [("第一件", "accept"), ("第二件", "open")]
    page = client.get(url("done")).content.decode()
    assert page.count("data-row") == 2 and "受理" in page


def test_what_was_opened_last_is_offered_again_and_only_while_it_may_be_seen(simple, desk_of):
    client, li = desk_of
    first, second = simple(li, title="第一件"), simple(li, title="第二件")
    for row in (first, second, first):
        client.get(url("matter", row.pk))
    recent = client.get(f"{url('inbox')}?scope=unit").context["recent"]
    assert [row.matter.title for row in recent] == ["第一件", "第二件"]


# The calendar of limits -------------------------------------------------------------------------------------


@pytest.fixture
def address(desk_of):
    """The secret address of the post's calendar, as the page shows it once."""
    client, _ = desk_of
    page = client.post(url("renew_feed")).content.decode()
    return re.search(r'id="feed-address">http://testserver(/\S+?)<', page)[1]


def events(body: bytes) -> dict[str, icalendar.Event]:
    return {str(event["uid"]): event for event in icalendar.Calendar.from_ical(body).walk("VEVENT")}


def unfolded(body: bytes) -> list[str]:
    """The lines of a calendar, read by a reader of our own: RFC 5545 §3.1, nothing else."""
    assert body.endswith(b"\r\n") and all(len(line) <= 75 for line in body.split(b"\r\n"))
    return body.decode().replace("\r\n ", "").split("\r\n")


def test_the_calendar_says_number_kind_and_light_and_nothing_else(simple, advance, desk_of, address, client):
    _, li = desk_of
    matter = advance(li, simple(li, title="张三投诉噪声", place="中山路1号"), "accept")
    answer = client.get(address)  # a program that is not signed in
    assert answer["Content-Type"].startswith("text/calendar")
    body = answer.content
    event = events(body)[f"matter-{matter.pk}@liangzhu"]
    assert event["summary"] == f"正常：一般事项 {matter.number} 到期"
    assert event["dtstart"].dt == date(2022, 11, 3) and event["status"] == "CONFIRMED"
    assert event.walk("VALARM")[0]["trigger"].dt == matter.warn_at
    assert "张三" not in body.decode() and "噪声" not in body.decode() and "中山路" not in body.decode()
    lines = unfolded(body)
    assert lines[0] == "BEGIN:VCALENDAR" and "DTSTART;VALUE=DATE:20221103" in lines
    assert f"UID:matter-{matter.pk}@liangzhu" in lines and "DTEND;VALUE=DATE:20221104" in lines
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") == 1


def test_what_is_done_is_cancelled_and_what_is_another_posts_not_there(
    district, simple, dated, advance, desk_of, address, client, sign_in
):
    _, li = desk_of
    _, wang = sign_in("甲局", "王五")
    own = dated(li, date(2022, 11, 1))
    matters.assign(li, matter_id=own.pk, post_id=li.post_id)
    other = simple(li)
    matters.assign(li, matter_id=other.pk, post_id=wang.post_id)
    assert list(events(client.get(address).content)) == [f"matter-{own.pk}@liangzhu"]
    advance(li, own, "finish")
    event = events(client.get(address).content)[f"matter-{own.pk}@liangzhu"]
    assert event["status"] == "CANCELLED" and event["sequence"] > 1
    with at("2022-12-20 09:00"):
        assert events(client.get(address).content) == {}


def test_the_calendar_is_sent_again_only_when_it_changed(simple, advance, desk_of, address, client):
    _, li = desk_of
    matter = simple(li)
    first = client.get(address)
    assert client.get(address, headers={"if-none-match": first["ETag"]}).status_code == 304
    assert client.get(address, headers={"if-modified-since": first["Last-Modified"]}).status_code == 304
    with at(datetime(2022, 10, 20, 3, tzinfo=now().tzinfo)):
        advance(li, matter, "accept")
        changed = client.get(address, headers={"if-none-match": first["ETag"]})
        assert changed.status_code == 200 and changed["ETag"] != first["ETag"]


def test_an_address_that_was_renewed_or_withdrawn_leads_nowhere_and_is_not_kept(desk_of, address, client):
    browser, _ = desk_of
    token = address.split("/")[-1].removesuffix(".ics")
    assert (
        token not in str(Desk.objects.values_list("token", flat=True))
        and client.get(address).status_code == 200
    )
    assert "只在这里显示一次" not in browser.get(url("subscription")).content.decode()
    browser.post(url("renew_feed"))
    assert client.get(address).status_code == 404
    assert browser.post(url("withdraw_feed")).status_code == 302
    assert Desk.objects.get().token == "" and browser.post(url("withdraw_feed")).status_code == 404
    assert client.get("/work/subscription/x.ics").status_code == 404


# Notices ----------------------------------------------------------------------------------------------------


def titles(actor) -> list[str]:
    return [notice.title for notice in queries.notices(actor).order_by("id")]


def tell(actor, level: str, title: str, matter=None) -> None:
    matters.notify([actor.post_id], key=title, title=title, level=level, matter=matter)


def test_a_digest_waits_for_the_next_working_morning(simple, desk_of):
    _, li = desk_of
    desk.choose_notices(li, ways={("info", ""): "digest"}, quiet=False)
    tell(li, Notice.INFO, "通知一")
    tell(li, Notice.REMIND, "临期一")
    assert titles(li) == ["临期一"] and queries.unread_count(li) == 1
    with at("2022-10-21 09:00"):
        assert titles(li) == ["通知一", "临期一"] and queries.unread_count(li) == 2


def test_quiet_hours_end_with_the_calendar_and_hold_back_no_urging(simple, desk_of):
    _, li = desk_of
    desk.choose_notices(li, ways={}, quiet=True)
    with at("2022-09-30 20:00"):  # the eve of a week of holidays
        tell(li, Notice.REMIND, "临期")
        tell(li, Notice.URGE, "超期")
        assert titles(li) == ["超期"]
    with at("2022-10-07 23:00"):
        assert titles(li) == ["超期"]
    with at("2022-10-08 09:00"):  # a Saturday on which people work
        assert titles(li) == ["临期", "超期"]
    with at("2022-10-20 10:00"):
        tell(li, Notice.INFO, "上班时间")
        assert "上班时间" in titles(li)


def test_what_one_does_oneself_is_always_told_and_other_peoples_need_not_be(simple, desk_of):
    _, li = desk_of
    other, own = simple(li), simple(li, assignee_id=li.post_id)
    desk.choose_notices(li, ways={("info", ""): "now", ("info", "simple"): "none"}, quiet=False)
    tell(li, Notice.INFO, "别人的", other)
    tell(li, Notice.INFO, "自己的", own)
    tell(li, Notice.INFO, "没有事项的")
    tell(li, Notice.URGE, "催办", other)
    assert titles(li) == ["自己的", "没有事项的", "催办"]


@pytest.mark.parametrize(
    "ways", [{("urge", ""): "digest"}, {("remind", ""): "none"}, {("info", ""): "later"}]
)
def test_what_the_law_requires_cannot_be_turned_off(simple, desk_of, ways):
    _, li = desk_of
    with pytest.raises(Invalid):
        desk.choose_notices(li, ways=ways, quiet=False)


def test_the_page_keeps_the_choices(simple, desk_of):
    client, li = desk_of
    simple(li)
    page = client.get(url("notice_rules")).content.decode()
    assert "各类事项" in page and "不提醒" in page
    sent = {"info:": "digest", "info:simple": "", "remind:": "now", "quiet": "1"}
    assert client.post(url("notice_rules"), sent).status_code == 302
    assert queries.notice_rules(li) == {("info", ""): "digest"} and queries.desk(li).quiet
    assert client.post(url("notice_rules"), {"remind:": "none"}).status_code == 422


def test_another_channel_gets_the_same_rows(simple, desk_of, monkeypatch):
    _, li = desk_of
    sent: list[Notice] = []
    monkeypatch.setitem(notices._channels, "test", sent.extend)
    tell(li, Notice.INFO, "一条")
    assert [row.title for row in sent] == ["一条"] == titles(li)


def test_notices_are_shown_by_day(desk_of):
    client, li = desk_of
    with at("2022-10-19 10:00"):
        tell(li, Notice.INFO, "昨天的")
    tell(li, Notice.INFO, "今天的")
    page = client.get(f"{url('notices')}?show=all").content.decode()
    assert (
        page.index("2022年10月20日")
        < page.index("今天的")
        < page.index("2022年10月19日")
        < page.index("昨天的")
    )


def test_the_next_opening_is_the_beginning_of_a_working_day():
    for moment, opening in (
        (shanghai(2022, 10, 20, 7), shanghai(2022, 10, 20, 9)),
        (shanghai(2022, 10, 20, 18), shanghai(2022, 10, 21, 9)),
        (shanghai(2022, 10, 21, 18), shanghai(2022, 10, 24, 9)),
    ):
        assert notices.next_opening(moment) == opening
        assert notices.in_hours(opening) and not notices.in_hours(opening - timedelta(minutes=1))
