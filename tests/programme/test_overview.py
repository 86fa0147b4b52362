"""The leader's page, the rows behind its numbers, papers and workbooks over HTTP, the wall."""

import io
import re
from datetime import date
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pypdf
import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from docx import Document

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.now import at
from liangzhu.pillars.programme import actions
from liangzhu.pillars.programme.facts import ArticleFacts
from liangzhu.pillars.programme.models import Clause, Letter, PlanDocument, PlanTask

TODAY = date(2022, 10, 20)


@pytest.fixture(scope="module")
def worked_on(new_desk, django_db_blocker):
    """A plan that was worked on: closed, under way, late by a step, not signed for; three days were kept."""

    def keep(day: str) -> None:
        with at(f"{day} 18:00"):
            actions.judge_clauses(SYSTEM, document_id=desk.document.pk)

    whole = transaction.atomic()
    with django_db_blocker.unblock():
        whole.__enter__()
        desk = new_desk()
        with at("2022-08-26 14:00"):
            desk.working(20, date(2022, 9, 16))
            desk.working(9, date(2022, 12, 23))
            desk.split(9, ("联动清单", date(2022, 9, 28)), ("试运行", date(2022, 12, 9)))
            desk.working(11, date(2022, 12, 31))
            desk.working(13, date(2022, 10, 31))
        keep("2022-08-26")
        with at("2022-09-15 10:00"):
            desk.closed(20)
        keep("2022-09-20")
        with at("2022-10-08 10:00"):
            measured(desk, "services.online_rate_items", "81.3", date(2022, 9, 30))
        keep("2022-10-10")
        with at("2022-10-12 09:00"):
            desk.issue(24)
    yield desk
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        whole.__exit__(None, None, None)


def measured(desk, key: str, value: str, as_of: date) -> None:
    """A value that its owner reported and a second person confirmed."""
    snapshot = indicators.report(
        desk.staff("shenpiju"), key=key, as_of=as_of, value=Decimal(value), source="测试"
    )
    indicators.confirm(desk.staff("shenpiju.head"), snapshot_id=snapshot.pk)


@pytest.fixture
def lived(worked_on, db, stand):
    """That plan, on 20 October 2022."""
    stand("2022-10-20 09:00")
    return worked_on


@pytest.fixture
def office(lived) -> Client:
    return lived.browser("office")


def figures(tree) -> list[tuple[str, int]]:
    """Every number of a page that opens to clauses, with how many rows it promises."""
    found = []
    for link in tree.find("a.num"):
        url = link.get("href")
        if urlsplit(url).path == "/programme/truth/clauses/":
            found.append((url, int(link.get("data-rows") or link.text)))
    return found


# Every number opens ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", ["", "?day=2022-10-10", "?day=2022-09-25"])
def test_every_number_opens_to_exactly_as_many_rows_as_it_says(office, day, page):
    promised = figures(page(office, f"/programme/truth/{day}"))
    assert len(promised) > 30
    for url, count in set(promised):
        assert len(page(office, url).find("tr[data-row]")) == count, url


def test_the_numbers_of_the_wall_open_too(office, page):
    promised = figures(page(office, "/wall/"))
    assert promised
    for url, count in promised:
        assert len(page(office, url).find("tr[data-row]")) == count, url


def test_the_four_states_make_up_the_whole_and_so_do_units_and_chapters(office, page):
    tree = page(office, "/programme/truth/")
    whole = int(tree.one(".lead .num").text)
    stats = [int(value.text) for value in tree.find(".stat-value")]
    assert sum(stats) == whole
    for table in tree.find("table.figures"):
        totals = [int(row.one('[data-label="合计"]').text) for row in table.find("tbody tr")]
        assert sum(totals) == whole


def test_the_sentence_is_rounded_down_and_names_the_day(office, page):
    tree = page(office, "/programme/truth/")
    kept, whole = int(tree.one(".stat-value").text), int(tree.one(".lead .num").text)
    assert tree.one("h1").text == f"这份计划今天有{100 * kept // whole}%为真"
    assert "2022年10月20日" in tree.one("main time").text


# Days -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["/programme/truth/", "/programme/truth/clauses/?state=kept"])
def test_the_day_that_is_looked_at_stands_in_its_field(office, page, url):
    assert page(office, url).one("input[name=day]").get("value") == "2022-10-20"


def test_the_rows_behind_the_numbers_belong_to_the_same_entry_of_the_rail(office, page):
    for url in ("/programme/truth/", "/programme/truth/clauses/"):
        assert page(office, url).one("nav a[aria-current=page]").text.startswith("计划为真")


def test_a_day_that_was_kept_shows_what_was_so_then(office, page):
    tree = page(office, "/programme/truth/?day=2022-09-20")
    assert tree.one("h1").text.startswith("这份计划2022年9月20日有")
    rows = {
        row.text: row for row in page(office, "/programme/truth/clauses/?day=2022-09-20").find("tr[data-row]")
    }
    assert any("强化组织领导" in row and "已兑现" in row for row in rows)
    assert any("积极推进一网统管" in row and "推进中" in row for row in rows)


def test_a_day_that_was_not_kept_shows_the_one_before_and_says_so(office, page):
    tree = page(office, "/programme/truth/?day=2022-09-25")
    assert "2022年9月25日没有记录，显示此前最近的一天：2022年9月20日" in tree.text


def test_before_the_first_day_nothing_is_claimed(office, page):
    tree = page(office, "/programme/truth/?day=2022-01-01")
    assert tree.one("h1").text == "那一天还没有记录"
    assert figures(tree) == []


@pytest.mark.parametrize(
    ("day", "words"), [("2022-02-30", "2022年2月30日不存在"), ("明天", "请写成"), ("2022-10-21", "还没有到")]
)
def test_a_day_that_cannot_be_is_named_and_today_is_shown(office, day, words, page):
    tree = page(office, f"/programme/truth/?day={day}")
    assert words in tree.one(".error").text
    assert tree.one("h1").text.startswith("这份计划今天有")
    assert tree.one("#id_day").get("value") == day


def test_the_course_of_days_is_a_picture_with_words_and_a_table(office, page):
    tree = page(office, "/programme/truth/")
    assert "从2022-08-26到2022-10-20" in tree.one(".course svg").get("aria-label").replace(" ", "")
    days = [row.one("th").text for row in tree.find("table.days tbody tr")]
    assert days == ["2022-10-20", "2022-10-10", "2022-09-20", "2022-08-26"]


# What fails, and what was measured ------------------------------------------------------------------------------------


def test_failing_clauses_say_why_and_how_late_they_are(office, page):
    tree = page(office, "/programme/truth/")
    rows = [row.text for row in tree.find("table.clauses tr[data-row]")]
    late = next(row for row in rows if "积极推进一网统管" in row)
    assert "节点“联动清单”应于2022-09-28完成。" in late
    assert late.endswith("22天")
    assert "应于2022-10-14前签收" in next(row for row in rows if "加强队伍建设" in row)
    assert not any("强化组织领导" in row for row in rows)


def test_who_is_late_for_longest_comes_first(office, page):
    units = [row.text for row in page(office, "/programme/truth/").find(".late-units li")]
    assert [("政法委" in units[0], "22天" in units[0]), ("组织部" in units[1], "6天" in units[1])] == [
        (True, True)
    ] * 2


def test_a_past_day_knows_how_late_a_clause_was_then(office, page):
    units = [row.text for row in page(office, "/programme/truth/?day=2022-10-10").find(".late-units li")]
    # The last day that was kept on which it was not late is 20 September.
    assert "20天" in units[0]


def test_targets_show_what_was_measured_when_and_by_what(office, page):
    rows = [row.text for row in page(office, "/programme/truth/").find("table.targets tbody tr")]
    online = next(row for row in rows if "一网通办率" in row)
    for part in ("≥85%", "2022-12-31", "81.3%", "2022-09-30", "推进中", "待确认"):
        assert part in online
    assert "尚无测量" in next(row for row in rows if "苏企通" in row)


def test_the_measured_value_opens_to_its_snapshot(office, page):
    tree = page(office, "/programme/truth/")
    link = next(link for link in tree.find("table.targets a.num") if link.text == "81.3%")
    assert link.get("href").startswith("/indicators/snapshots/")
    assert office.get(link.get("href")).status_code == 200


# Filters --------------------------------------------------------------------------------------------------------------


def test_filters_narrow_together(office, lived, page):
    unit = lived.unit("shenpiju")
    rows = page(office, f"/programme/truth/clauses/?unit={unit}&state=kept").find("tr[data-row]")
    assert [row.one("th").text for row in rows] == ["20强化组织领导"]
    targets = page(office, "/programme/truth/clauses/?kind=target").find("tr[data-row]")
    assert len(targets) == 3
    chapter = page(office, "/programme/truth/clauses/?chapter=加快筑牢安全可靠的防护体系").find(
        "tr[data-row]"
    )
    assert len(chapter) == 2


def test_a_filter_that_does_not_exist_is_named_and_everything_is_shown(office, page):
    tree = page(office, "/programme/truth/clauses/?unit=999999&state=nonsense")
    assert len(tree.find(".error")) == 2
    whole = page(office, "/programme/truth/clauses/").find("tr[data-row]")
    assert len(tree.find("tr[data-row]")) == len(whole)


def test_filters_that_leave_nothing_say_so_and_show_the_way_back(office, lived, page):
    tree = page(office, f"/programme/truth/clauses/?state=kept&unit={lived.unit('zhengfawei')}")
    assert "没有符合条件的条款" in tree.text
    assert "/programme/truth/clauses/" in tree.one(".empty a").get("href")


# Several plans, none --------------------------------------------------------------------------------------------------


def second_plan(count: int = 3) -> PlanDocument:
    articles = [
        ArticleFacts(
            no=no,
            chapter=f"第{no % 3}章",
            title=f"新任务{no}",
            lead="区行政审批局",
            due_on=date(2022, 12, 31),
        )
        for no in range(1, count + 1)
    ]
    return actions.open_ledger_from_facts(
        SYSTEM,
        number="示政发〔2022〕9号",
        title="另一份方案",
        issuer="海州区人民政府",
        issued_on=date(2022, 9, 1),
        articles=articles,
    )


def test_one_plan_needs_no_switch_and_two_have_one(office, page):
    assert not page(office, "/programme/truth/").find("nav[aria-label='计划文件']")
    other = second_plan()
    tabs = page(office, "/programme/truth/").find("nav[aria-label='计划文件'] a")
    assert len(tabs) == 2
    there = next(tab for tab in tabs if "9号" in tab.text).get("href")
    assert parse_qs(urlsplit(there).query)["document"] == [str(other.pk)]
    tree = page(office, f"/programme/truth/{there}")
    assert "另一份方案" in tree.text
    for url, count in set(figures(tree)):
        assert len(page(office, url).find("tr[data-row]")) == count, url


def test_a_plan_that_is_not_at_work_yet_does_not_push_the_others_aside(lived, office, page):
    other = second_plan()
    urls = ("/programme/", "/programme/truth/", "/programme/truth/clauses/", "/programme/checks/", "/wall/")
    for url in urls:
        tree = page(office, url).one("main")
        assert lived.document.title in tree.text and other.title not in tree.text, url
    actions.issue_task(lived.staff("office"), task_id=other.tasks.first().pk)
    for url in urls:
        assert other.title in page(office, url).one("main").text, url


@pytest.mark.parametrize("url", ["/programme/checks/", "/wall/"])
def test_checks_and_wall_switch_between_plans_too(office, page, url):
    other = second_plan()
    there = next(tab for tab in page(office, url).find("nav[aria-label='计划文件'] a") if "9号" in tab.text)
    assert there.get("href") == f"?document={other.pk}"
    assert other.title in page(office, url + there.get("href")).one("main").text


@pytest.mark.parametrize("asked", ["999999", "x", "0", "-1", "１"])
def test_a_plan_that_is_not_there_is_not_found(office, asked):
    assert office.get(f"/programme/truth/?document={asked}").status_code in (200, 404)
    assert office.get("/programme/truth/?document=999999").status_code == 404


def test_without_a_plan_every_page_says_what_would_be_there(desk, stand, page):
    PlanDocument.objects.update(state=PlanDocument.READING)
    office = desk.browser("office")
    for url in ("/programme/truth/", "/programme/truth/clauses/", "/wall/"):
        assert "还没有建账的计划" in page(office, url).text
    for url in ("/programme/ledger.xlsx", "/programme/truth/clauses.xlsx", "/programme/truth/report/"):
        assert "请先上传方案、校核并建账" in page(office, url, 422).text


# Who may --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "/programme/truth/",
        "/programme/truth/clauses/",
        "/programme/truth/clauses.xlsx",
        "/programme/ledger.xlsx",
        "/programme/truth/report/",
        "/programme/letters/1/pdf/",
        "/wall/",
    ],
)
def test_without_an_account_one_is_asked_to_sign_in(lived, url):
    answer = Client().get(url)
    assert answer.status_code == 302
    assert "/account/login/" in answer.headers["Location"]


def test_every_unit_sees_how_true_the_plan_is_but_only_office_and_leaders_make_the_report(lived, page):
    officer, leader = lived.browser("wangxinban"), lived.browser("leader")
    assert not page(officer, "/programme/truth/").find("a[href^='/programme/truth/report/']")
    assert officer.get("/programme/truth/report/").status_code == 403
    assert page(leader, "/programme/truth/").find("a[href^='/programme/truth/report/']")
    assert leader.get("/programme/truth/report/?format=docx").status_code == 200


# Queries --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["/programme/truth/", "/programme/truth/clauses/", "/wall/", "/programme/ledger.xlsx"]
)
def test_the_number_of_queries_does_not_grow_with_the_plan(office, lived, url):
    counts = []
    for size in (4, 40):
        document = second_plan(size)
        for task in PlanTask.objects.filter(document=document):
            actions.issue_task(lived.staff("office"), task_id=task.pk)
        office.get(url, {"document": document.pk})
        with CaptureQueriesContext(connection) as asked:
            assert office.get(url, {"document": document.pk}).status_code == 200
        counts.append(len(asked))
        PlanDocument.objects.filter(pk=document.pk).update(number=f"旧{size}", state=PlanDocument.READING)
    assert counts[1] <= counts[0] + 1, counts


# Workbooks ------------------------------------------------------------------------------------------------------------


def book(client: Client, url: str):
    answer = client.get(url)
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    return openpyxl.load_workbook(io.BytesIO(answer.content))


def table(sheet) -> list[dict]:
    head, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_the_ledger_exports_whole_with_real_dates(office):
    found = book(office, "/programme/ledger.xlsx")
    assert found.sheetnames == ["任务", "节点", "条款", "配合单位", "参与范围"]
    tasks = {row["任务"]: row for row in table(found["任务"])}
    assert len(tasks) == 21
    assert tasks[20]["状态"] == "已销号"
    assert tasks[20]["办结日期"].date() == date(2022, 9, 15)
    assert tasks[9]["期限"].date() == date(2022, 12, 23)
    steps = table(found["节点"])
    assert [(row["节点"], row["逾期天数"]) for row in steps] == [("联动清单", 22), ("试运行", 0)]
    assert len(table(found["条款"])) == 24
    assert {row["任务"] for row in table(found["配合单位"])} >= {9, 11}
    assert {row["状态"] for row in table(found["配合单位"])} == {"待签收", "未下达"}


def test_the_ledger_exports_what_the_page_was_narrowed_to(office, lived):
    found = book(office, f"/programme/ledger.xlsx?unit={lived.unit('zhengfawei')}")
    tasks = {row["任务"] for row in table(found["任务"])}
    assert tasks == {9, 10}
    assert {row["任务"] for row in table(found["条款"])} == tasks


def test_whom_the_plan_means_by_an_open_set_stands_in_workbook_page_and_report(office, lived, page):
    task = lived.task(16)
    scope = task.scopes.first()
    members = [directory.unit_name(unit.pk) for unit in scope.units.all()]
    assert len(members) > 10
    sheet = table(book(office, "/programme/ledger.xlsx")["参与范围"])
    rows = [row for row in sheet if (row["任务"], row["概称"]) == (16, scope.expression)]
    assert [row["单位"] for row in rows] == members
    printed = page(office, "/programme/?q=16").one("section.print-only").text
    assert scope.expression in printed and "、".join(members) in printed
    assert "、".join(members) in page(office, f"/programme/tasks/{task.pk}/").one("p.print-only").text
    word = Document(io.BytesIO(office.get("/programme/truth/report/?format=docx").content))
    cells = [cell.text for found in word.tables for row in found.rows for cell in row.cells]
    assert "、".join(members) in cells


def test_clauses_export_as_they_were_filtered(office):
    found = table(book(office, "/programme/truth/clauses.xlsx?kind=target")["条款"])
    online = next(row for row in found if row["内容"].startswith("一网通办率"))
    assert (online["目标值"], online["实测值"], online["比较"]) == (85, 81.3, "不低于")
    assert online["实测时点"].date() == date(2022, 9, 30)
    assert len(found) == 3


def test_what_somebody_typed_does_not_compute_in_a_workbook(office, lived):
    PlanTask.objects.filter(document=lived.document, article_no=9).update(title='=HYPERLINK("http://x")')
    sheet = book(office, "/programme/ledger.xlsx")["任务"]
    cell = next(cell for cell in sheet["B"] if str(cell.value).startswith("="))
    assert (cell.data_type, cell.quotePrefix) == ("s", True)


def test_a_file_for_a_day_to_come_is_refused_by_name(office, page):
    assert "还没有到" in page(office, "/programme/truth/clauses.xlsx?day=2023-01-01", 422).text
    assert "还没有到" in page(office, "/programme/truth/report/?day=2023-01-01", 422).text


# The report -----------------------------------------------------------------------------------------------------------


def test_the_report_says_in_word_what_the_page_says(office, page):
    answer = office.get("/programme/truth/report/?format=docx")
    word = Document(io.BytesIO(answer.content))
    said = "\n".join(line.text for line in word.paragraphs)
    tree = page(office, "/programme/truth/")
    percent = tree.one("h1 .num").text
    assert f"这份计划当日有 {percent} 为真" in said
    assert "截至2022年10月20日" in said
    assert "区委、" in said
    assert word.sections[0].header.paragraphs[0].text == "送审稿　演示数据"
    tables = {element.rows[0].cells[0].text: element for element in word.tables if element.rows}
    units = [[cell.text for cell in row.cells] for row in tables["牵头单位"].rows]
    assert len(units) == 1 + len(tree.one("table.figures").find("tbody tr"))
    cells = [cell.text for element in word.tables for row in element.rows for cell in row.cells]
    assert "节点“联动清单”应于 2022-09-28 完成。" in cells
    assert "一网通办率（事项口径，单位填报）（待确认）" in cells
    assert "尚无测量" in cells
    assert "口径待确认" in said


def test_the_report_compares_with_a_month_before(office):
    said = "\n".join(
        line.text for line in Document(io.BytesIO(office.get("/programme/truth/report/").content)).paragraphs
    )
    assert re.search(r"与2022年9月20日相比，兑现比例由 \d+% 变为 \d+%", said)


def test_the_report_says_in_pdf_what_it_says_in_word(office):
    answer = office.get("/programme/truth/report/?format=pdf&day=2022-10-10")
    assert answer.headers["Content-Type"] == "application/pdf"
    said = re.sub(
        r"\s+", "", "".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(answer.content)).pages)
    )
    for part in ("送审稿", "演示数据", "截至2022年10月10日", "一、总体情况", "量化目标", "待确认", "—1—"):
        assert part in said, part


def test_a_format_that_is_none_is_refused_by_name(office, page):
    assert "请选择docx或pdf" in page(office, "/programme/truth/report/?format=exe", 422).text


# Letters --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def draft(lived) -> Letter:
    return actions.draft_criticism(
        lived.staff("office"),
        task_ids=[lived.task(9).pk],
        title="关于节点逾期的通报",
        body="第一段。\n第二段。",
    )


def header(client: Client, letter: Letter) -> str:
    answer = client.get(f"/programme/letters/{letter.pk}/docx/")
    assert answer.status_code == 200
    return Document(io.BytesIO(answer.content)).sections[0].header.paragraphs[0].text


def test_a_draft_says_that_it_is_one_on_every_page(office, draft):
    assert "草稿" in header(office, draft)
    answer = office.get(f"/programme/letters/{draft.pk}/pdf/")
    for sheet in pypdf.PdfReader(io.BytesIO(answer.content)).pages:
        assert "草稿" in sheet.extract_text()


def test_a_signed_letter_has_number_date_and_imprint_and_is_no_draft(office, lived, draft):
    signed = actions.sign_letter(lived.staff("office.head"), letter_id=draft.pk)
    assert "草稿" not in header(office, draft)
    answer = office.get(f"/programme/letters/{draft.pk}/pdf/")
    said = re.sub(
        r"\s+", "", "".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(answer.content)).pages)
    )
    for part in (
        signed.number,
        "关于节点逾期的通报",
        "第一段。",
        "第二段。",
        "联动清单",
        "2022年10月20日印发",
    ):
        assert part in said, part


def test_a_letter_opens_to_those_whom_it_names_and_to_nobody_else(lived, draft):
    named, other = lived.browser("zhengfawei"), lived.browser("wangxinban")
    url = f"/programme/letters/{draft.pk}/pdf/"
    assert named.get(url).status_code == 404, "nobody sees a draft but the office"
    actions.sign_letter(lived.staff("office.head"), letter_id=draft.pk)
    assert named.get(url).status_code == 200
    assert other.get(url).status_code == 404


def test_a_letter_in_another_format_is_no_address(office, draft):
    assert office.get(f"/programme/letters/{draft.pk}/exe/").status_code == 404


# The wall -------------------------------------------------------------------------------------------------------------


def test_the_wall_shows_every_task_in_its_chapter_with_its_light_in_words(office, page):
    tree = page(office, "/wall/")
    pillars = tree.find(".pillar")
    assert len(pillars) == 5
    blocks = {block.one(".no").text: block for block in tree.find(".block")}
    assert len(blocks) == 21
    assert "已销号" in blocks["20"].text
    assert "over" in blocks["9"].get("class")
    assert "节点逾期" in blocks["9"].text
    assert "待下达" in blocks["4"].text


def test_a_task_whose_check_holds_stands_on_the_wall_as_it_is_counted(lived, office, page):
    clause = lived.task(9).clauses.get(kind=Clause.TASK)
    actions.bind_check(
        lived.staff("office"),
        clause_id=clause.pk,
        indicator_key="services.online_rate_items",
        op=">=",
        amount=Decimal(80),
    )
    tree = page(office, "/wall/")
    (block,) = (block for block in tree.find(".block") if block.one(".no").text == "9")
    assert "done" in block.get("class").split() and "已兑现" in block.text
    assert not any("积极推进一网统管" in row.text for row in tree.find(".loud li")), (
        "it is held to nothing more"
    )


def test_a_task_that_is_being_checked_is_nobodys_lateness_but_the_list_says_who_is_waited_for(lived, page):
    with at("2022-10-10 09:00"):
        lived.step("shenpiju", 11, "report_done", result="做完", files=lived.evidence("shenpiju"))
    tree = page(lived.browser("office"), "/wall/")
    (block,) = (block for block in tree.find(".block") if block.one(".no").text == "11")
    assert "ok" in block.get("class").split() and "待核查" in block.text
    (row,) = (row.text for row in tree.one(".loud").find("li") if "等办公室核查" in row.text)
    assert row.endswith("逾期3天")


def test_the_wall_lists_what_is_late_and_what_comes_next(office, page):
    late, upcoming = page(office, "/wall/").find(".loud")
    rows = [row.text for row in late.find("li")]
    assert "联动清单" in rows[0]
    assert rows[0].endswith("逾期22天")
    assert "签收" in rows[1]
    assert rows[1].endswith("逾期6天")
    assert "还有11天" in upcoming.one("li").text


def test_the_wall_renews_itself_with_and_without_script(office, page):
    source = office.get("/wall/").content.decode()
    assert '<noscript><meta http-equiv="refresh" content="60"></noscript>' in source
    assert "programme/wall.js" in source
    tree = page(office, "/wall/")
    assert {part.get("data-live") for part in tree.find("[data-live]")} == {"time", "main", "side"}


def test_a_long_course_lists_the_last_month_by_day_and_earlier_months_by_their_last_day(lived, page):
    for day in ("2022-08-30", "2022-08-31", "2022-09-01", "2022-09-18"):
        with at(f"{day} 18:00"):
            actions.judge_clauses(SYSTEM, document_id=lived.document.pk)
    tree = page(lived.browser("office"), "/programme/truth/")
    days = [row.one("th").text for row in tree.find("table.days tbody tr")]
    assert days == ["2022-10-20", "2022-10-10", "2022-09-20", "2022-08-31"]
