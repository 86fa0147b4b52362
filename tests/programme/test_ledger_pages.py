"""The ledger's pages over HTTP: who sees what, what is refused and named, and that nothing typed is lost."""

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.now import today
from liangzhu.pillars.programme import actions
from liangzhu.pillars.programme.models import Clause, Extension, Letter, PlanDocument, PlanTask

DUE = date(2022, 12, 9)


def page(client: Client, name: str, *args, status: int = 200, **query) -> str:
    answer = client.get(reverse(f"programme:{name}", args=args), query)
    assert answer.status_code == status, answer.content.decode()[:2000]
    return answer.content.decode()


def send(client: Client, name: str, *args, status: int = 302, query: str = "", **data):
    """Send a form as the page drew it: with its hidden fields. Returns the answer."""
    url = reverse(f"programme:{name}", args=args) + query
    drawn = client.get(url).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(once|version|rows)" value="([^"]*)"', drawn))
    answer = client.post(url, {**hidden, **data})
    assert answer.status_code == status, answer.content.decode()[:3000]
    return answer


def rows(html: str) -> list[str]:
    """The numbers of the tasks that the ledger's table lists."""
    return re.findall(r'<tr data-row>.*?class="no">(\d+)<', html, re.S)


# The ledger -----------------------------------------------------------------------------------------------------------


def test_whoever_is_not_signed_in_is_asked_to(desk):
    for name, args in (("ledger", ()), ("checks", ()), ("letters", ()), ("task", (1,)), ("urge", ())):
        answer = Client().get(reverse(f"programme:{name}", args=args))
        assert answer.status_code == 302
        assert "/account/login/" in answer["Location"]


def test_all_staff_see_all_tasks_in_the_order_of_the_plan(desk, stand):
    assert rows(page(desk.browser("jinping_zhen"), "ledger")) == [str(no) for no in range(4, 25)]


def test_without_a_plan_the_page_says_where_one_comes_from(desk, stand):
    PlanDocument.objects.update(state=PlanDocument.READING)
    for name in ("ledger", "checks"):
        assert "还没有台账" in page(desk.browser("office"), name)


def test_the_filters_narrow_by_unit_light_state_and_words(desk, stand):
    desk.issue(8, DUE)
    desk.working(11)
    browser = desk.browser("shichangju")
    assert rows(page(browser, "ledger", unit="mine")) == ["5", "8", "9", "10", "17"]
    assert rows(page(browser, "ledger", unit=str(desk.unit("zuzhibu")))) == ["24"]
    assert rows(page(browser, "ledger", state="issued")) == ["8"]
    assert rows(page(browser, "ledger", light="ok")) == ["8", "11"]
    assert rows(page(browser, "ledger", q="热线")) == ["13"]
    assert rows(page(browser, "ledger", q="组织部")) == ["24"]
    assert rows(page(browser, "ledger", q="21")) == ["21"]
    stand("2022-09-05 09:00")
    assert rows(page(browser, "ledger", light="late")) == ["8"]
    assert "没有符合条件的任务" in page(browser, "ledger", q="没有这样的词")


@pytest.mark.parametrize(
    "query", [{"unit": "x"}, {"unit": "9" * 30}, {"light": "'"}, {"state": "%00"}, {"q": "%_<script>"}]
)
def test_a_spoilt_address_does_no_harm(desk, stand, query):
    assert "<script>alert" not in page(desk.browser("office"), "ledger", **query)


@pytest.mark.parametrize("asked", ["999999", "x"])
def test_a_document_that_does_not_exist_is_named(desk, stand, asked):
    assert "没有这份计划文件" in page(desk.browser("office"), "ledger", document=asked, status=404)


def test_the_own_unit_stands_first_among_the_units(desk, stand):
    html = page(desk.browser("zuzhibu"), "ledger")
    assert re.search(r'<option value="">全部单位</option><option value="mine">[^<]*组织部（本单位）', html)


def test_only_the_office_chooses_tasks_and_only_open_ones(desk, stand):
    desk.issue(8, DUE)
    assert re.findall(r'name="task" value="(\d+)"', page(desk.browser("office"), "ledger")) == [
        str(desk.task(8).pk)
    ]
    assert 'name="task"' not in page(desk.browser("shichangju"), "ledger")


def test_what_is_late_is_ticked_at_once(desk, stand):
    desk.issue(8, DUE)
    desk.issue(11)
    stand("2022-09-05 09:00")
    desk.step("shenpiju", 11, "sign")
    html = page(desk.browser("office"), "ledger", pick="late")
    assert re.findall(r'name="task" value="(\d+)"[^>]* checked', html) == [str(desk.task(8).pk)]


def test_the_number_of_queries_does_not_grow_with_the_rows(desk, stand):
    browser = desk.browser("office")

    def queries(name: str) -> int:
        page(browser, name)
        with CaptureQueriesContext(
            connection,
        ) as caught:
            page(browser, name)
        return len(caught)

    desk.issue(8, DUE)
    before = {name: queries(name) for name in ("ledger", "checks")}
    for no in (11, 12, 13, 22, 24):
        desk.working(no, DUE if no != 13 else None)
        desk.split(no, ("一步", date(2022, 9, 20)), ("两步", date(2022, 9, 30)))
    assert {name: queries(name) for name in before} == before


# A task ---------------------------------------------------------------------------------------------------------------


def test_a_task_before_it_is_issued_shows_the_plan_and_offers_issuing_to_the_office(desk, stand):
    task = desk.task(9)
    html = page(desk.browser("office"), "task", task.pk)
    assert "还没有下达" in html
    assert "区各有关部门和单位" in html
    assert "去下达" not in page(desk.browser("shichangju"), "task", task.pk)


def test_a_task_that_was_issued_is_its_matter(desk, stand):
    task = desk.issue(8, DUE)
    answer = desk.browser("office").get(reverse("programme:task", args=[task.pk]))
    assert answer["Location"] == reverse("matters:matter", args=[task.matter_id])


def matter_page(client: Client, task: PlanTask) -> str:
    answer = client.get(reverse("matters:matter", args=[task.matter_id]))
    assert answer.status_code == 200
    return answer.content.decode()


def links(html: str, task: PlanTask) -> set[str]:
    """Which of the ledger's actions a matter's page offers."""
    names = ("split", "extend", "limit", "helper", "publish")
    found = {name for name in names if f'href="{reverse(f"programme:{name}", args=[task.pk])}"' in html}
    return found | {
        name for name in ("urge", "criticise") if f"{reverse(f'programme:{name}')}?task={task.pk}" in html
    }


def test_the_matter_page_offers_each_what_they_may_do(desk, stand):
    task = desk.working(8, DUE)
    assert links(matter_page(desk.browser("shichangju"), task), task) == {"split", "extend"}
    assert links(matter_page(desk.browser("office"), task), task) == {"helper", "publish", "urge"}
    assert links(matter_page(desk.browser("shenpiju"), task), task) == set()
    stand("2022-12-12 09:00")
    assert "criticise" in links(matter_page(desk.browser("office"), task), task)


def test_the_matter_page_shows_steps_clauses_units_and_publication(desk, stand):
    desk.working(11)
    desk.split(11, ("梳理事项", date(2022, 9, 20)))
    actions.publish_task(
        desk.staff("office.head"), task_id=desk.task(11).pk, public=True, summary="网上办更多。"
    )
    html = matter_page(desk.browser("shenpiju"), desk.task(11))
    for words in (
        "梳理事项",
        "一网通办率 ≥ 85% · 2022-12-31",
        "尚不可衡量",
        "各镇街",
        "已向社会公开",
        "网上办更多。",
    ):
        assert words in html


# Splitting ------------------------------------------------------------------------------------------------------------


def lines(desk, *pairs: tuple[str, str], unit: str = "shichangju") -> dict[str, str]:
    data = {}
    for n, (title, due) in enumerate(pairs, start=1):
        data |= {f"title-{n}": title, f"due_on-{n}": due, f"unit-{n}": str(desk.unit(unit))}
    return data


def test_several_steps_are_made_in_one_form_and_empty_rows_do_not_count(desk, stand):
    task = desk.working(8, DUE)
    data = lines(desk, ("列清单", "2022年9月20日"), ("", ""), ("征集专家", "20221101"), ("", ""))
    send(desk.browser("shichangju"), "split", task.pk, **data)
    assert [(step.title, step.due_on) for step in task.steps.all()] == [
        ("列清单", date(2022, 9, 20)),
        ("征集专家", date(2022, 11, 1)),
    ]


def test_one_more_row_keeps_all_that_was_typed_even_what_is_wrong_and_makes_nothing(desk, stand):
    task = desk.working(8, DUE)
    data = lines(desk, ("列清单", "九月中"), ("", ""), ("", "2022-11-01"), ("", ""))
    html = send(desk.browser("shichangju"), "split", task.pk, add="1", status=200, **data).content.decode()
    assert 'name="title-5"' in html
    assert 'value="列清单"' in html and 'value="九月中"' in html and 'value="2022-11-01"' in html
    assert "需要修改" not in html
    assert not task.steps.exists()


def test_rows_can_be_added_to_the_end_and_not_beyond(desk, stand):
    task = desk.working(8, DUE)
    html = send(
        desk.browser("shichangju"),
        "split",
        task.pk,
        add="1",
        status=200,
        rows="999",
        **lines(desk, ("a", "b")),
    ).content.decode()
    assert 'name="title-30"' in html and 'name="title-31"' not in html
    assert 'name="add"' not in html


def test_what_is_wrong_in_a_row_stands_beside_its_field_and_the_rest_stays(desk, stand):
    task = desk.working(8, DUE)
    data = lines(desk, ("列清单", "2022-02-30"), ("没有日期", ""), ("", "2022-09-20"), ("好的", "2022-09-20"))
    html = send(desk.browser("shichangju"), "split", task.pk, status=422, **data).content.decode()
    assert "2022年2月30日不存在" in html
    assert 'id="id_due_on-2_error"' in html and 'id="id_title-3_error"' in html
    assert 'value="没有日期"' in html and 'value="好的"' in html
    too_late = lines(desk, ("列清单", "2022-09-20"), ("", ""), ("太晚", "2022-12-10"), ("", ""))
    html = send(desk.browser("shichangju"), "split", task.pk, status=422, **too_late).content.decode()
    assert 'id="id_due_on-3_error"' in html and "晚于任务期限" in html
    assert not task.steps.exists()


def test_a_form_that_is_sent_twice_splits_once(desk, stand):
    task = desk.working(8, DUE)
    browser, data = desk.browser("shichangju"), lines(desk, ("列清单", "2022-09-20"))
    for _ in range(2):
        answer = browser.post(
            reverse("programme:split", args=[task.pk]), {"once": "twice-and-no-more", "rows": "1", **data}
        )
        assert answer.status_code == 302
    assert task.steps.count() == 1


@pytest.mark.parametrize("name", ["split", "extend"])
def test_another_units_task_cannot_be_worked_on(desk, stand, name):
    task = desk.working(8, DUE)
    for who in ("shenpiju", "zhengfawei.head", "leader", "office"):
        page(desk.browser(who), name, task.pk, status=403)
    assert desk.browser("shenpiju").post(reverse(f"programme:{name}", args=[task.pk]), {}).status_code == 403


# Steps ----------------------------------------------------------------------------------------------------------------


def test_a_step_is_reported_finished_with_words(desk, stand):
    desk.working(8, DUE)
    (step,) = desk.split(8, ("列清单", date(2022, 9, 20)))
    browser = desk.browser("shichangju")
    html = send(browser, "finish_step", step, status=422, result="", done_on="2022-08-26").content.decode()
    assert 'id="id_result_error"' in html
    html = send(
        browser, "finish_step", step, status=422, result="已列", done_on="2023-01-01"
    ).content.decode()
    assert "完成日期不能晚于今天" in html and "已列</textarea>" in html
    send(browser, "finish_step", step, result="已列", done_on="2022-08-26")
    assert "已列" in matter_page(browser, desk.task(8))


def test_who_edits_a_step_that_changed_meanwhile_reads_so_and_loses_nothing(desk, stand):
    desk.working(8, DUE)
    (step,) = desk.split(8, ("列清单", date(2022, 9, 20)))
    actions.edit_step(desk.staff("shichangju.head"), step_id=step, title="先改", due_on=date(2022, 9, 20))
    url = reverse("programme:step", args=[step])
    data = {"title": "后改的名称", "due_on": "2022-09-21", "version": "1", "once": "a" * 20}
    answer = desk.browser("shichangju").post(url, data)
    assert answer.status_code == 409
    html = answer.content.decode()
    assert "刚刚被别人改过" in html and 'value="后改的名称"' in html and 'name="version" value="2"' in html


def test_a_step_is_withdrawn_and_stays_in_sight(desk, stand):
    desk.working(8, DUE)
    (step,) = desk.split(8, ("列清单", date(2022, 9, 20)))
    send(desk.browser("shichangju"), "step", step, title="列清单", due_on="2022-09-20", withdraw="on")
    assert "已取消" in matter_page(desk.browser("office"), desk.task(8))


def test_a_step_of_another_unit_is_not_touched(desk, stand):
    desk.working(8, DUE)
    (step,) = desk.split(8, ("列清单", date(2022, 9, 20)))
    for name in ("step", "finish_step"):
        page(desk.browser("zhengfawei"), name, step, status=403)
        page(desk.browser("shichangju"), name, 999999, status=404)


# Limits, helpers, publication -----------------------------------------------------------------------------------------


def test_an_extension_leads_to_its_own_page_with_task_old_and_new_limit_and_reason(desk, stand):
    task = desk.working(8, DUE)
    answer = send(
        desk.browser("shichangju"), "extend", task.pk, new_due="2023-01-13", reason="要等市里定专家。"
    )
    extension = Extension.objects.get()
    assert answer["Location"] == reverse("matters:matter", args=[extension.matter_id])
    for who in ("shichangju.head", "office.head", "zhengfawei"):
        html = desk.browser(who).get(answer["Location"]).content.decode()
        for words in ("加强标准建设", "2022年12月9日", "2023年1月13日", "晚 35 天", "要等市里定专家。"):
            assert words in html, (who, words)


def test_an_extension_that_is_none_is_named_beside_its_field(desk, stand):
    task = desk.working(8, DUE)
    html = send(
        desk.browser("shichangju"), "extend", task.pk, status=422, new_due="2022-12-09", reason="想晚点"
    ).content.decode()
    assert "新期限应晚于现期限" in html and "想晚点</textarea>" in html
    assert not Extension.objects.exists()


def test_an_extension_is_asked_from_the_inbox_too_for_a_task_of_the_own_unit(desk, stand):
    task, theirs = desk.working(8, DUE), desk.working(21, DUE)
    browser, address = desk.browser("shichangju"), reverse("matters:open", args=["plan_extension"])
    html = browser.get(address).content.decode()
    assert f'value="{task.pk}"' in html and f'value="{theirs.pk}"' not in html and 'name="title"' not in html
    given = {"task": task.pk, "new_due": "2022-12-09", "reason": "要等市里定专家。"}
    refused = browser.post(address, given)
    assert refused.status_code == 422 and "新期限应晚于现期限" in refused.content.decode()
    assert browser.post(address, given | {"task": theirs.pk, "new_due": "2023-01-13"}).status_code == 422
    answer = browser.post(address, given | {"new_due": "2023-01-13"})
    extension = Extension.objects.get()
    assert answer["Location"] == reverse("matters:matter", args=[extension.matter_id])
    assert f'value="{task.pk}"' not in browser.get(address).content.decode()


def test_the_office_gives_a_limit_where_there_is_none(desk, stand):
    task = desk.working(22)
    office = desk.browser("office")
    assert links(matter_page(office, task), task) >= {"limit"}
    html = send(office, "limit", task.pk, status=422, due_on="2022-08-01", reason="会议定").content.decode()
    assert "不能早于今天" in html
    send(office, "limit", task.pk, due_on="2022-12-09", reason="会议定")
    assert desk.task(22).due_on == DUE
    page(desk.browser("wangxinban"), "limit", task.pk, status=403)


def test_a_helper_is_chosen_among_the_units_of_the_open_sets_that_do_not_help_yet(desk, stand):
    task = desk.issue(8, DUE)
    office = desk.browser("office")
    html = page(office, "helper", task.pk)
    assert '<optgroup label="各镇街">' in html
    assert f'value="{desk.unit("quyang_jiedao")}"' in html
    assert f'value="{desk.unit("shenpiju")}"' not in html, "it is named in the plan and helps already"
    assert send(office, "helper", task.pk, status=422, unit_id="999999")
    send(office, "helper", task.pk, unit_id=str(desk.unit("quyang_jiedao")))
    assert task.helpers.filter(unit=desk.unit("quyang_jiedao")).exists()


def test_publication_is_proposed_decided_changed_and_taken_back(desk, stand):
    task = desk.issue(8, DUE)
    office, head = desk.browser("office"), desk.browser("office.head")
    name = directory.posts(role="programme.office_head")[0].person_name
    assert name in page(office, "publish", task.pk), "the clerk is told who decides"
    send(office, "publish", task.pk, summary="统一办事标准。")
    assert (desk.task(8).public, desk.task(8).summary) == (False, "统一办事标准。")
    assert "统一办事标准。" in page(head, "publish", task.pk)
    send(head, "publish", task.pk, summary="统一办事标准，办事更快。")
    assert (desk.task(8).public, desk.task(8).summary) == (True, "统一办事标准，办事更快。")
    assert 'name="summary"' not in page(office, "publish", task.pk), "what is public is the head's to change"
    send(office, "publish", task.pk)
    assert (desk.task(8).public, desk.task(8).summary) == (False, "统一办事标准，办事更快。")
    send(head, "publish", task.pk, summary="统一办事标准。")
    send(head, "publish", task.pk, summary="统一办事标准。", withdraw="1")
    assert not desk.task(8).public
    assert (
        "最多 300 个字" in send(office, "publish", task.pk, status=422, summary="长" * 301).content.decode()
    )
    page(desk.browser("shichangju"), "publish", task.pk, status=403)


# Checks ---------------------------------------------------------------------------------------------------------------


def test_the_checks_page_shows_every_clause_with_what_it_is_held_to(desk, stand):
    html = page(desk.browser("shichangju"), "checks")
    assert html.count('<tr id="c') == Clause.objects.filter(dropped=False).count()
    assert "一网通办率 ≥ 85% · 2022-12-31" in html
    assert "绑定检查" not in html
    assert "调整检查" in page(desk.browser("office"), "checks")


def test_clauses_are_filtered_by_state_and_by_what_is_not_bound(desk, stand):
    clause = Clause.objects.get(name="一网通办率")
    answer = send(desk.browser("office"), "check", clause.pk, unbind="1", indicator_key="")
    assert answer["Location"].endswith(f"/programme/checks/?document={desk.document.pk}#c{clause.pk}")
    html = page(desk.browser("shichangju"), "checks", show="unbound")
    assert html.count('<tr id="c') == 1 and "还没有绑定指标" in html
    assert "没有这样的条款" in page(desk.browser("shichangju"), "checks", show="kept")


def test_a_check_is_bound_with_its_comparison_and_day(desk, stand):
    clause = desk.issue(22, DUE).clauses.get(kind=Clause.TASK)
    office = desk.browser("office")
    drawn = page(office, "check", clause.pk)
    assert reverse("indicators:new") in drawn, "where no indicator fits, the way on is there"
    assert drawn.count("选填") == 1, "only the day may be left empty"
    html = send(
        office, "check", clause.pk, status=422, indicator_key="programme.signed_rate"
    ).content.decode()
    assert 'id="id_amount_error"' in html and 'id="id_op_error"' in html
    data = {"indicator_key": "programme.signed_rate", "op": ">=", "amount": "100", "due_on": "2022-12-31"}
    send(office, "check", clause.pk, **data)
    assert "签收率 ≥ 100% · 2022-12-31" in page(office, "checks")
    page(desk.browser("wangxinban"), "check", clause.pk, status=403)
    page(office, "check", 999999, status=404)


def test_the_form_of_a_target_offers_no_softer_comparison(desk, stand):
    html = page(desk.browser("office"), "check", Clause.objects.get(name="一网通办率").pk)
    assert 'name="amount"' not in html and 'name="op"' not in html


# Letters --------------------------------------------------------------------------------------------------------------


def test_an_urging_begins_with_the_chosen_tasks_and_their_facts_and_can_be_edited(desk, stand):
    task, other = desk.working(8, DUE), desk.working(11)
    office = desk.browser("office")
    html = page(office, "urge", task=str(task.pk))
    assert re.search(rf'name="tasks" value="{task.pk}"[^>]* checked', html)
    assert not re.search(rf'name="tasks" value="{other.pk}"[^>]* checked', html)
    assert "第 8 项任务由你单位牵头" in html
    answer = send(office, "urge", query=f"?task={task.pk}", tasks=[task.pk], body="请于下周三前报进展。")
    letter = Letter.objects.get()
    assert answer["Location"] == reverse("programme:letter", args=[letter.pk])
    html = page(office, "letter", letter.pk)
    assert "请于下周三前报进展。" in html and letter.number in html and "海州区市场监督管理局：" in html


def test_the_text_is_written_anew_for_another_choice_when_asked_and_nothing_is_sent(desk, stand):
    task, other = desk.working(8, DUE), desk.working(11)
    html = send(
        desk.browser("office"), "urge", status=200, rewrite="1", tasks=[task.pk, other.pk], body="旧"
    ).content.decode()
    assert "第 8、11 项任务由各单位分别牵头" in html
    assert len(re.findall(r'name="tasks" value="\d+"[^>]* checked', html)) == 2
    assert not Letter.objects.exists()


def test_an_urging_without_tasks_or_text_is_refused_and_keeps_what_there_is(desk, stand):
    task = desk.working(8, DUE)
    html = send(desk.browser("office"), "urge", status=422, body="写好的正文").content.decode()
    assert "请至少选一项任务" in html and "写好的正文</textarea>" in html
    html = send(desk.browser("office"), "urge", status=422, tasks=[task.pk], body="").content.decode()
    assert re.search(rf'value="{task.pk}"[^>]* checked', html)


def test_a_task_that_was_closed_while_the_letter_was_written_is_named_and_the_text_stays(desk, stand):
    task = desk.working(8, DUE)
    desk.working(11)
    desk.closed(8)
    html = send(
        desk.browser("office"), "urge", status=422, tasks=[task.pk], body="写好的正文"
    ).content.decode()
    assert "已经办结、撤销或不再符合条件" in html and "写好的正文</textarea>" in html


def test_a_letter_that_is_sent_twice_goes_out_once_and_leads_to_the_same_page(desk, stand):
    task = desk.working(8, DUE)
    office, data = desk.browser("office"), {"tasks": [task.pk], "body": "请抓紧。", "once": "b" * 20}
    places = {office.post(reverse("programme:urge"), data)["Location"] for _ in range(2)}
    assert places == {reverse("programme:letter", args=[Letter.objects.get().pk])}


def late(desk, stand) -> PlanTask:
    desk.working(8, date(2022, 9, 30))
    stand("2022-10-10 09:00")
    return desk.task(8)


def test_criticism_offers_late_tasks_only_and_says_which_were_left_out(desk, stand):
    on_time = desk.working(11)
    task = late(desk, stand)
    html = (
        desk.browser("office")
        .get(reverse("programme:criticise"), {"task": [task.pk, on_time.pk]})
        .content.decode()
    )
    assert re.findall(r'name="tasks" value="(\d+)"', html) == [str(task.pk)]
    assert "任务 11 没有列入" in html
    answer = send(
        desk.browser("office"), "criticise", status=422, tasks=[on_time.pk], title="通报", body="正文"
    )
    assert "不再符合条件" in answer.content.decode()


def test_without_anything_late_there_is_nothing_to_criticise(desk, stand):
    desk.working(8, DUE)
    assert "没有逾期的任务" in page(desk.browser("office"), "criticise")


def drafted(desk, stand) -> Letter:
    task = late(desk, stand)
    send(
        desk.browser("office"),
        "criticise",
        tasks=[task.pk],
        title="关于逾期的通报",
        body="没有完成。\n请整改。",
    )
    return Letter.objects.get()


def test_the_second_person_reads_the_paper_and_signs(desk, stand):
    letter = drafted(desk, stand)
    head = desk.browser("office.head")
    html = page(head, "sign_letter", letter.pk)
    assert "草稿" in html and "没有完成。" in html
    send(head, "sign_letter", letter.pk, reason="")
    letter.refresh_from_db()
    assert letter.state == Letter.SIGNED
    assert letter.number in page(desk.browser("shichangju"), "letter", letter.pk)
    page(head, "sign_letter", letter.pk, status=409)


def test_the_second_person_sends_back_with_a_reason_and_it_is_written_again(desk, stand):
    letter = drafted(desk, stand)
    head = desk.browser("office.head")
    assert "请写明退回理由" in send(head, "sign_letter", letter.pk, status=422, refuse="1").content.decode()
    send(head, "sign_letter", letter.pk, refuse="1", reason="语气太重。")
    office = desk.browser("office")
    assert "语气太重。" in page(office, "letter", letter.pk)
    html = page(office, "criticise", letter=str(letter.pk))
    assert (
        "语气太重。" in html
        and "没有完成。\n请整改。</textarea>" in html
        and 'value="关于逾期的通报"' in html
    )


def test_who_drafted_is_told_that_another_must_sign(desk, stand):
    task = late(desk, stand)
    head = desk.browser("office.head")
    send(head, "criticise", tasks=[task.pk], title="通报", body="正文")
    html = page(head, "sign_letter", Letter.objects.get().pk)
    assert "不能签发自己起草的通报" in html and 'name="refuse"' not in html
    answer = head.post(reverse("programme:sign_letter", args=[Letter.objects.get().pk]), {"version": "1"})
    assert answer.status_code == 403


def test_who_may_not_write_or_sign_letters_is_refused(desk, stand):
    letter = drafted(desk, stand)
    for who in ("shichangju", "leader", "auditor"):
        for name in ("urge", "criticise"):
            page(desk.browser(who), name, status=403)
    for who in ("office", "shichangju.head", "leader"):
        page(desk.browser(who), "sign_letter", letter.pk, status=403)
    page(desk.browser("shichangju"), "letter", letter.pk, status=404)


def test_the_list_of_letters_shows_each_what_concerns_them(desk, stand):
    letter = drafted(desk, stand)
    assert "关于逾期的通报" in page(desk.browser("leader"), "letters")
    assert "没有给本单位的督办文书" in page(desk.browser("shichangju"), "letters")
    assert reverse("programme:sign_letter", args=[letter.pk]) in page(desk.browser("office.head"), "letters")
    assert "没有这样的文书" in page(desk.browser("office"), "letters", kind="urge")
    actions.sign_letter(desk.staff("office.head"), letter_id=letter.pk)
    assert "关于逾期的通报" in page(desk.browser("shichangju"), "letters")
    assert "关于逾期的通报" not in page(desk.browser("zhengfawei"), "letters")


def test_what_people_write_is_shown_as_they_wrote_it_and_never_run(desk, stand):
    task = desk.working(8, DUE)
    bad = "<script>alert(1)</script>"
    send(desk.browser("shichangju"), "split", task.pk, rows="1", **lines(desk, (bad, "2022-09-20")))
    actions.urge(desk.staff("office"), task_ids=[task.pk], body=bad)
    pages = [
        matter_page(desk.browser("office"), task),
        page(desk.browser("office"), "letter", Letter.objects.get().pk),
        page(desk.browser("office"), "ledger"),
    ]
    for html in pages:
        assert bad not in html
    assert "&lt;script&gt;" in pages[0] and "&lt;script&gt;" in pages[1]


def test_a_light_that_is_sent_along_changes_nothing(desk, stand):
    task = desk.working(8, DUE)
    stand("2022-12-12 09:00")
    send(
        desk.browser("shichangju"),
        "extend",
        task.pk,
        new_due=str(today() + timedelta(days=9)),
        reason="难",
        light="ok",
    )
    assert rows(page(desk.browser("office"), "ledger", light="over")) == ["8"]
