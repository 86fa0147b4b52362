"""What everybody sees without an account: the published tasks, the feed, the front page; and nothing else."""

from datetime import date
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from django.test import Client

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.now import at
from liangzhu.pillars.programme import actions

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def anybody() -> Client:
    return Client()


def publish(desk, no: int, summary: str = "", public: bool = True) -> int:
    actions.publish_task(desk.staff("office.head"), task_id=desk.task(no).pk, public=public, summary=summary)
    return desk.task(no).pk


@pytest.fixture
def shown(desk, stand):
    """Four tasks that the office published, each in another state, with traces of inside work on them."""
    desk.working(20, date(2022, 9, 16))
    desk.working(11, date(2022, 12, 31))
    desk.working(13, date(2022, 10, 21))
    desk.working(17, date(2022, 9, 30))
    desk.split(17, ("内部节点名称", date(2022, 9, 20)))
    matters.comment(desk.staff("leader"), matter_id=desk.task(17).matter_id, text="内部批示文字")
    with at("2022-09-01 10:00"):
        publish(desk, 20, "建立领导小组。")
        publish(desk, 11, "更多事项全程网办。")
        publish(desk, 13)
        publish(desk, 17)
    with at("2022-09-14 10:00"):
        desk.closed(20)
    with at("2022-10-08 10:00"):
        snapshot = indicators.report(
            desk.staff("shenpiju"),
            key="services.online_rate_items",
            as_of=date(2022, 9, 30),
            value=Decimal("81.3"),
            source="测试",
        )
        indicators.confirm(desk.staff("shenpiju.head"), snapshot_id=snapshot.pk)
    stand("2022-10-20 09:00")
    return desk


def titles(tree) -> list[str]:
    return [row.one(".row-title").text for row in tree.find("li[data-row]")]


def test_without_published_tasks_the_page_says_what_would_be_there(desk, anybody, page):
    assert "还没有公开的任务" in page(anybody, "/plan/").text


def test_published_tasks_stand_by_chapter_with_unit_limit_and_state_in_plain_words(shown, anybody, page):
    tree = page(anybody, "/plan/")
    assert [chapter.one("h2").text for chapter in tree.find(".public-chapter")] == [
        "构建协同高效的政府数字化履职能力体系",
        "加快推动数据资源的汇聚共享",
        "加快健全科学规范的管理体制",
    ]
    said = {row.one(".row-title").text: row.text for row in tree.find("li[data-row]")}
    assert len(said) == 4
    for part in ("海州区行政审批局", "2022年9月16日前完成", "已完成", "建立领导小组。"):
        assert part in said["强化组织领导"]
    assert "正在办理" in said["全面推进政务服务一网通办"]
    assert "临近期限" in said["提高12345政务服务热线质效"]
    assert "已超期限" in said["大力推进公共数据开发利用"]


def test_what_was_not_published_is_not_there(shown, anybody, page):
    hidden = shown.working(9, date(2022, 12, 23))
    assert hidden.title not in page(anybody, "/plan/").text
    assert anybody.get(f"/plan/{hidden.pk}/").status_code == 404


def test_a_task_that_is_taken_back_disappears_everywhere(shown, anybody, page):
    task_id = publish(shown, 11, public=False)
    assert "全面推进政务服务一网通办" not in titles(page(anybody, "/plan/"))
    assert anybody.get(f"/plan/{task_id}/").status_code == 404
    assert "全面推进政务服务一网通办" not in anybody.get("/plan/changes.atom").content.decode()


def test_nothing_from_inside_reaches_the_public(shown, anybody):
    task = shown.task(17)
    people = [shown.staff(name).label.split(" · ")[0] for name in ("shenpiju", "leader", "office.head")]
    for url in ("/", "/plan/", f"/plan/{task.pk}/", f"/plan/{shown.task(20).pk}/", "/plan/changes.atom"):
        said = anybody.get(url).content.decode()
        for inside in ("内部节点名称", "内部批示文字", "材料.txt", "抽查属实", "逐项完成", *people):
            assert inside not in said, (url, inside)


def test_a_task_shows_its_path_limit_and_measured_targets(shown, anybody, page):
    tree = page(anybody, f"/plan/{shown.task(11).pk}/")
    steps = [step.text for step in tree.find(".path > li")]
    assert steps == ["下达任务（已办）", "部门办理（正在办理）", "核查结果（未到）", "完成（未到）"]
    rows = [row.text for row in tree.find("table tbody tr")]
    assert any(
        "一网通办率" in row and "≥85%" in row and "81.3%" in row and "2022年9月30日" in row for row in rows
    )
    assert any("苏企通" in row and "还没有测量" in row for row in rows)
    assert "待确认" in rows[0]
    assert "2022年12月31日" in tree.one(".facts").text


def test_a_finished_task_says_when_and_a_late_one_that_it_was_late(shown, anybody, page):
    tree = page(anybody, f"/plan/{shown.task(20).pk}/")
    assert "2022年9月14日" in tree.one(".facts").text
    assert {step.get("class") for step in tree.find(".path > li")} == {"done"}
    steps = shown.task(17).steps.all()
    actions.finish_step(shown.staff("shenpiju"), step_id=steps[0].pk, result="完成")
    shown.closed(17)
    assert "已完成，晚于期限" in page(anybody, f"/plan/{shown.task(17).pk}/").text


def test_a_check_that_takes_long_is_not_told_as_lateness_of_the_unit(shown, anybody, page, stand):
    officer = directory.units().get(shown.task(11).lead_unit_id).key
    shown.step(officer, 11, "report_done", result="逐项完成。", files=shown.evidence(officer))
    stand("2023-02-01 09:00")
    url = f"/plan/{shown.task(11).pk}/"
    assert "正在办理" in page(anybody, url).text
    shown.step("office", 11, "close", finding="抽查属实。")
    assert "晚于期限" not in page(anybody, url).text


def test_a_withdrawn_task_says_so(shown, anybody, page):
    shown.step("office.head", 13, "withdraw", reason="领导小组决定")
    tree = page(anybody, f"/plan/{shown.task(13).pk}/")
    assert "已经撤销" in tree.text
    assert "领导小组决定" not in tree.text


@pytest.mark.parametrize("query", ["q=一网通办", "q=行政审批局 网办", "q=11", "q=114号 一网通办"])
def test_search_finds_by_title_summary_unit_and_number(shown, anybody, page, query):
    assert titles(page(anybody, f"/plan/?{query}")) == ["全面推进政务服务一网通办"]


def test_filters_narrow_by_unit_and_state(shown, anybody, page):
    unit = shown.unit("zhihuizhongxin")
    assert titles(page(anybody, f"/plan/?unit={unit}")) == ["提高12345政务服务热线质效"]
    assert titles(page(anybody, "/plan/?state=done")) == ["强化组织领导"]
    assert "没有找到" in page(anybody, f"/plan/?unit={unit}&state=done").text


def test_a_filter_that_does_not_exist_is_named_and_what_was_typed_stays(shown, anybody, page):
    tree = page(anybody, "/plan/?state=secret&q=一网")
    assert "没有公开这一项" in tree.one(".error").text
    assert tree.one("input[name=q]").get("value") == "一网"
    assert titles(tree) == ["全面推进政务服务一网通办"]


@pytest.mark.parametrize("url", ["/", "/plan/"])
def test_every_public_number_opens_to_as_many_tasks(shown, anybody, page, url):
    links = page(anybody, url).find("a.num, a.chip[data-rows]")
    assert len(links) >= 4
    for link in links:
        count = int(link.get("data-rows") or link.text)
        assert len(titles(page(anybody, link.get("href")))) == count


def test_the_front_page_asks_one_question_and_says_what_changed_last(shown, anybody, page):
    tree = page(anybody, "/")
    assert tree.one("form.search").get("action") == "/plan/"
    changes = [row.text for row in tree.find(".history li")]
    assert changes[0] == "9月14日10:00完成：强化组织领导海州区行政审批局"
    assert len(changes) == 5


def test_no_link_of_the_public_pages_is_dead(shown, anybody, page):
    seen, todo = set(), ["/", "/plan/"]
    while todo:
        url = todo.pop()
        for link in page(anybody, url).find("a[href^='/']"):
            target = link.get("href").partition("#")[0]
            if target in seen:
                continue
            seen.add(target)
            answer = anybody.get(target)
            assert answer.status_code in (200, 302), (url, target, answer.status_code)
            if answer.status_code == 200 and target.startswith("/plan/") and "atom" not in target:
                todo.append(target)
    assert len(seen) > 8


def test_staff_find_the_way_in_and_back(shown, anybody, page):
    assert page(anybody, "/").find("a[href^='/account/login']")
    office = shown.browser("office")
    inside = page(office, "/")
    assert "您已登录" in inside.text
    way = next(link for link in inside.find(".side a") if link.text == "进入工作台")
    assert office.get(way.get("href"), follow=True).status_code == 200


def test_the_feed_tells_what_was_published_and_what_was_done(shown, anybody):
    answer = anybody.get("/plan/changes.atom")
    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    feed = ElementTree.fromstring(answer.content)
    entries = feed.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}title") for entry in entries][:2] == [
        "完成：强化组织领导",
        "公开：全面推进政务服务一网通办",
    ]
    assert len(entries) == 5
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == 5
    assert entries[0].find(f"{ATOM}link").get("href").endswith(f"/plan/{shown.task(20).pk}/")
