"""The pages of plan documents over HTTP: upload, review, opening the ledger, issuing; who may, and what is refused."""

import re
from datetime import date
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from liangzhu.beams.people.directory import actions as directory_actions
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.actors import SYSTEM
from liangzhu.pillars.programme import actions
from liangzhu.pillars.programme.findings import undecided
from liangzhu.pillars.programme.models import (
    Clause,
    Finding,
    PlanDocument,
    PlanTask,
    Revision,
    TaskHelper,
    TaskScope,
)
from liangzhu.pillars.programme.review import review as review_of

PLAN = (Path(__file__).parent / "data" / "plan.txt").read_text()


@pytest.fixture
def office(desk) -> Client:
    return desk.browser("office")


@pytest.fixture
def revision(desk) -> Revision:
    """The plan, read by the office."""
    upload = SimpleUploadedFile("方案.txt", PLAN.encode(), "text/plain")
    return actions.read_document(desk.staff("office"), upload=upload)


@pytest.fixture
def reviewed(desk, revision) -> Revision:
    """The plan with every doubt decided and every unit found."""
    staff = desk.staff("office")
    for row in undecided(revision):
        given = {"decision": "confirmed"} if row.value else {"decision": "corrected", "value": "区民政局"}
        actions.decide_finding(staff, finding_id=row.pk, **given)
    unknown = revision.findings.get(value="区数据资源管理局")
    actions.decide_finding(staff, finding_id=unknown.pk, decision="corrected", value="区行政审批局")
    actions.confirm_sure(staff, revision_id=revision.pk)
    return revision


@pytest.fixture
def opened(desk, reviewed) -> PlanDocument:
    """The plan as a ledger, nothing issued."""
    return actions.open_ledger(desk.staff("office"), revision_id=reviewed.pk)


def url(name: str, *args) -> str:
    return reverse(f"programme:{name}", args=args)


def hidden(html: str, action: str = "") -> dict[str, str]:
    """The hidden fields of the form that leads to an address; of the first in the page without one."""
    for form in re.findall(r"<form.*?</form>", html, re.S):
        where = re.search(r'^<form[^>]*action="([^"]*)"', form)
        if 'name="once"' in form and (not action or (where and where[1].partition("?")[0] == action)):
            return dict(
                re.findall(r'<input type="hidden" name="(once|version|expected)" value="([^"]*)"', form)
            )
    raise AssertionError(f"no form leads to {action}")


def send(client: Client, address: str, data: dict, drawn: str = "", status: int = 302):
    """Send a form as the page ``drawn`` (default: at its own address) shows it."""
    html = client.get(drawn or address).content.decode()
    answer = client.post(address, {**hidden(html, address.partition("?")[0] if drawn else ""), **data})
    assert answer.status_code == status, answer.content.decode()[:3000]
    return answer


def upload(client: Client, content: bytes | str, name: str = "方案.txt", status: int = 302, **data):
    content = content.encode() if isinstance(content, str) else content
    return send(client, url("upload"), {"file": SimpleUploadedFile(name, content), **data}, status=status)


def one(revision: Revision, kind: str, article: int | None = None) -> Finding:
    return revision.findings.filter(kind=kind, article_no=article).order_by("id").first()


# Who may --------------------------------------------------------------------------------------------------------------


def test_others_read_what_was_understood_and_decide_nothing(desk, revision):
    officer = desk.browser("shenpiju")
    html = officer.get(url("review", revision.pk)).content.decode()
    assert "举办干部轮训班" in html
    assert "<form" not in html.partition("<main")[2].partition("</main>")[0]
    finding = one(revision, "target", 3)
    for address in (
        url("upload"),
        url("finding", finding.pk),
        url("add_finding", revision.pk) + "?article=1&kind=lead",
        url("open_ledger", revision.pk),
        url("issue", revision.document_id),
    ):
        assert officer.get(address).status_code == 403
        assert officer.post(address, {"decision": "confirmed"}).status_code == 403
    for address in (url("confirm_sure", revision.pk), url("withdraw_revision", revision.pk)):
        assert officer.post(address).status_code == 403
    assert not revision.findings.exclude(decision="proposed").exists()


def test_whoever_is_not_signed_in_is_asked_to(desk, revision):
    for name, args in (
        ("documents", ()),
        ("upload", ()),
        ("review", (revision.pk,)),
        ("difference", (revision.pk,)),
    ):
        answer = Client().get(url(name, *args))
        assert answer.status_code == 302
        assert "/account/login/" in answer["Location"]


# The list and the upload ------------------------------------------------------------------------------------------------


def test_an_empty_installation_says_what_to_do_first(desk, page):
    for model in (Clause, TaskHelper, TaskScope, PlanTask, PlanDocument):
        model.objects.all().delete()
    guide = page(desk.browser("office"), url("documents"))
    assert "从一份方案开始" in guide.text
    assert guide.one("main .btn").get("href") == url("upload")
    assert "还没有计划文件" in page(desk.browser("shenpiju"), url("documents")).text


def test_the_list_says_of_each_document_what_comes_next(desk, office, page, revision):
    rows = {row.one("th").text: row.text for row in page(office, url("documents")).find("tbody tr")}
    mine = next(text for title, text in rows.items() if "数字素养" in title)
    packs = next(text for title, text in rows.items() if "数字政府" in title)
    assert "校核中" in mine
    assert "校核3处存疑" in mine
    assert "没有原文" in packs
    assert "上传原文" in packs
    assert "下达21项任务" in packs


def test_a_plan_is_uploaded_and_shown(office):
    answer = upload(office, PLAN)
    made = Revision.objects.get()
    assert answer["Location"] == url("review", made.pk)
    assert "已读入新文件，读出 7 条" in office.get(answer["Location"]).content.decode()


def test_a_revision_is_announced_with_what_it_was_recognised_by(office, revision):
    answer = upload(office, PLAN.replace("专款专用", "专账管理"))
    assert "按文号 海政发〔2022〕200号认作" in office.get(answer["Location"]).content.decode()
    bare = PLAN.replace("海政发〔2022200号\n\n", "")
    answer = upload(office, bare, document=str(revision.document_id))
    html = office.get(answer["Location"]).content.decode()
    assert "按您的选择认作" in html
    assert "的第 3 稿" in html


@pytest.mark.parametrize(
    ("name", "content", "status", "words"),
    [
        ("方案.txt", b"", 422, "文件是空的"),
        ("方案.txt", b" \n ", 415, "文件是空的"),
        ("方案.txt", bytes(range(256)) * 50, 415, "二进制文件"),
        ("方案.docx", b"PK\x03\x04 broken", 415, "文件已损坏"),
        ("方案.pdf", b"%PDF-1.4 broken", 415, "文件已损坏"),
        ("方案.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), 415, "另存为 .docx"),
        ("方案.txt", "今天天气很好。".encode(), 415, "不像工作方案"),
        ("方案.docx", b"x" * (50 * 1024 * 1024), 413, "有 50 MB，超过 20 MB 的上限"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_on_the_form(office, name, content, status, words):
    html = upload(office, content, name, status=status).content.decode()
    assert words in html
    assert 'role="alert"' in html
    assert not Revision.objects.exists()


def test_a_scan_without_text_is_named(office):
    page_of_a_scan = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n"
        b"trailer<</Root 1 0 R>>\n%%EOF\n"
    )
    html = upload(office, page_of_a_scan, "扫描.pdf", status=415).content.decode()
    assert "扫描件" in html
    assert "OCR" in html


def test_no_file_at_all_is_named(office):
    assert "请选择文件" in send(office, url("upload"), {}, status=422).content.decode()


def test_the_same_file_again_leads_to_where_it_was_read(office, revision):
    html = upload(office, PLAN, status=409).content.decode()
    assert "内容完全相同" in html
    assert url("review", revision.pk) in html


def test_a_form_sent_twice_reads_once(office):
    drawn = office.get(url("upload")).content.decode()
    data = hidden(drawn)
    for _ in range(2):
        answer = office.post(url("upload"), {**data, "file": SimpleUploadedFile("方案.txt", PLAN.encode())})
        assert answer.status_code == 302
    assert Revision.objects.count() == 1
    assert answer["Location"] == url("review", Revision.objects.get().pk)


# The review -------------------------------------------------------------------------------------------------------------


def test_the_text_shown_is_the_text_stored(desk, office, page, revision):
    shown = page(office, url("review", revision.pk))
    assert "".join(part.text for part in shown.find(".plan-text")) == re.sub(r"\s+", "", revision.text)
    exact = review_of(desk.staff("office"), revision)
    pieces = [piece.text for block in exact.blocks for line in block.lines for piece in line.pieces]
    assert "".join(pieces) == revision.text


def test_every_finding_is_linked_to_its_place_and_back(office, page, revision):
    shown = page(office, url("review", revision.pk))
    ids = {node.get("id") for node in shown.find("[id]")}
    for row in revision.findings.all():
        assert f"f{row.pk}" in ids
        assert (f"m{row.pk}" in ids) == (row.start is not None)
    targets = {link.get("href") for link in shown.find(".plan-text mark a")}
    assert targets <= {f"#{one}" for one in ids}
    assert len(ids) == len(shown.find("[id]"))


def test_overlapping_and_nested_places_are_all_marked(office, page, revision):
    body = revision.articles.get(no=2)
    at = revision.text.index("参训率达到95%")
    Finding.objects.create(revision=revision, article_no=2, kind="note", start=at - 3, end=at + 3, why="跨界")
    Finding.objects.create(
        revision=revision, article_no=2, kind="note", start=at + 2, end=at + 5, why="套在里面"
    )
    inner = Finding.objects.get(why="套在里面")
    shown = page(office, url("review", revision.pk))
    marks = [mark for mark in shown.find(f"#a{body.no} mark") if str(inner.pk) in mark.get("data-f").split()]
    assert "".join(mark.text for mark in marks) == revision.text[inner.start : inner.end]
    assert "".join(part.text for part in shown.find(".plan-text")) == re.sub(r"\s+", "", revision.text)


def test_the_original_can_be_had_back(desk, page, revision):
    officer = desk.browser("shenpiju")
    link = next(one for one in page(officer, url("review", revision.pk)).find("main a") if one.text == "原件")
    assert b"".join(officer.get(link.get("href"))).decode() == PLAN


def test_a_repaired_number_shows_what_was_written(office, page, revision):
    shown = page(office, url("review", revision.pk)).one(f"#f{one(revision, 'number').pk}").text
    assert "海政发〔2022200号→海政发〔2022〕200号" in shown
    assert "存疑" in shown


def test_units_are_told_apart_and_open_sets_say_whom_they_mean(office, page, revision):
    seventh = page(office, url("review", revision.pk)).one("#a7").text
    assert "市级派驻" in seventh
    assert "党委机构" in seventh
    fourth = page(office, url("review", revision.pk)).one("#a4").text
    assert "19个单位" in fourth
    assert "锦屏镇" in fourth
    assert "待确认" in fourth


def test_a_unit_that_nobody_knows_is_named(office, page, revision):
    shown = page(office, url("review", revision.pk) + "?show=unresolved")
    assert [block.get("id") for block in shown.find(".pair")] == ["a5"]
    assert "没有叫“区数据资源管理局”的单位" in shown.one("#a5").text


def test_a_unit_that_nobody_knows_cannot_be_confirmed_and_is_counted(office, page, revision):
    row = revision.findings.get(value="区数据资源管理局")
    shown = page(office, url("review", revision.pk))
    assert "还有1个单位对不上" in shown.one(".review-bar").text
    answer = office.post(url("finding", row.pk), {"decision": "confirmed", "version": row.version})
    assert answer.status_code == 422 and "没有叫“区数据资源管理局”的单位" in answer.content.decode()
    row.refresh_from_db()
    assert row.decision == Finding.PROPOSED


def test_the_progress_is_counted(office, page, revision):
    assert "存疑3处，已校核0处" in page(office, url("review", revision.pk)).text
    row = one(revision, "target", 3)
    send(office, url("finding", row.pk), {"decision": "confirmed"}, url("review", revision.pk))
    bar = page(office, url("review", revision.pk)).one(".review-bar").text
    assert "存疑3处，已校核1处" in bar
    assert "本方案7条，其中6条有责任单位" in bar
    assert "5条有牵头" in bar


@pytest.mark.parametrize(
    ("show", "blocks"), [("doubtful", ["head", "a3", "a4"]), ("tasks", ["a2", "a3", "a4", "a5", "a6", "a7"])]
)
def test_the_filters_leave_what_was_asked_for(office, page, revision, show, blocks):
    shown = page(office, url("review", revision.pk) + f"?show={show}")
    assert [block.get("id") for block in shown.find(".pair")] == blocks
    assert "存疑3处" in shown.one(".review-bar").text
    assert "不列入台账" not in shown.text


def test_a_decision_returns_to_where_it_was_made(office, revision):
    row = one(revision, "target", 3)
    there = url("review", revision.pk) + "?show=doubtful&view=found"
    answer = send(
        office, url("finding", row.pk) + "?show=doubtful&view=found", {"decision": "confirmed"}, there
    )
    assert answer["Location"] == f"{there}#f{row.pk}"
    row.refresh_from_db()
    assert row.decision == "confirmed"


def test_a_correction_is_made_on_a_page_of_its_own(office, page, revision):
    row = one(revision, "target", 3)
    form = page(office, url("finding", row.pk))
    assert form.one("input[name=amount]").get("value") == "60"
    assert "上线课程60门" in form.one("blockquote").text
    given = {"decision": "corrected", "name": "课程数", "op": ">=", "amount": "80", "measure": "门"}
    send(office, url("finding", row.pk), given)
    row.refresh_from_db()
    assert row.value == "课程数 >= 80门"
    shown = page(office, url("review", revision.pk)).one(f"#f{row.pk}").text
    assert "课程数不低于80门" in shown
    assert "识读为“上线课程>=60门”" in shown


def test_days_are_accepted_as_people_write_them_and_named_when_they_cannot_be(office, revision):
    row = one(revision, "deadline", 2)
    html = send(
        office, url("finding", row.pk), {"decision": "corrected", "value": "2022年11月31日"}, status=422
    ).content.decode()
    assert "2022年11月31日不存在" in html
    send(office, url("finding", row.pk), {"decision": "corrected", "value": "2022年12月15日"})
    row.refresh_from_db()
    assert row.value == "2022-12-15"


def test_a_unit_that_does_not_exist_is_named_and_what_was_typed_stays(office, page, revision):
    row = one(revision, "lead", 4)
    html = send(office, url("finding", row.pk), {"decision": "corrected", "value": "区不存在局"}, status=422)
    assert "没有叫“区不存在局”的单位" in html.content.decode()
    assert 'value="区不存在局"' in html.content.decode()
    options = page(office, url("finding", row.pk)).find("#units option")
    assert len(options) == len(directory.units(revision.document.issued_on).all())


def test_the_same_words_at_other_places_can_be_decided_with_it(office, page, revision):
    sixth = revision.findings.get(kind="open_set", article_no=6, value="各镇街")
    assert "另外1处" in page(office, url("finding", sixth.pk)).text
    send(office, url("finding", sixth.pk), {"decision": "rejected", "everywhere": "on"})
    assert one(revision, "open_set", 4).decision == "rejected"


def test_of_two_units_of_one_name_the_page_offers_both(desk, office, page, revision):
    for under in ("xinba_zhen", "jinping_zhen"):
        directory_actions.open_unit(
            SYSTEM,
            name="综合治理中心",
            on=date(2022, 1, 1),
            kind="public_institution",
            source="测试",
            parent_id=desk.unit(under),
        )
    row = one(revision, "lead", 4)
    html = send(
        office, url("finding", row.pk), {"decision": "corrected", "value": "综合治理中心"}, status=422
    )
    choices = re.findall(r'name="unit_id" value="(\d+)"', html.content.decode())
    assert len(choices) == 2
    assert "新坝镇" in html.content.decode()
    send(
        office,
        url("finding", row.pk),
        {"decision": "corrected", "value": "综合治理中心", "unit_id": choices[1]},
    )
    row.refresh_from_db()
    assert str(row.unit_id) == choices[1]


def test_two_people_on_one_finding_are_told_of_each_other(desk, office, revision):
    row = one(revision, "target", 3)
    drawn = office.get(url("review", revision.pk)).content.decode()
    actions.decide_finding(desk.staff("office.head"), finding_id=row.pk, decision="rejected")
    answer = office.post(
        url("finding", row.pk), {**hidden(drawn, url("finding", row.pk)), "decision": "confirmed"}
    )
    assert answer.status_code == 409
    assert "韩立诚" in answer.content.decode()
    assert "已剔除" in answer.content.decode()
    row.refresh_from_db()
    assert row.decision == "rejected"


def test_a_decision_sent_twice_is_made_once(office, revision):
    row = one(revision, "target", 3)
    drawn = office.get(url("review", revision.pk)).content.decode()
    data = {**hidden(drawn, url("finding", row.pk)), "decision": "rejected"}
    for _ in range(2):
        assert office.post(url("finding", row.pk), data).status_code == 302
    row.refresh_from_db()
    assert row.version == 2


def test_a_gap_cannot_be_confirmed(office, revision):
    row = one(revision, "lead", 4)
    html = send(office, url("finding", row.pk), {"decision": "confirmed"}, status=422).content.decode()
    assert "没有读出牵头单位" in html


def test_all_that_is_sure_is_confirmed_at_once(office, revision):
    send(office, url("confirm_sure", revision.pk), {}, url("review", revision.pk))
    left = revision.findings.filter(decision="proposed")
    assert {row.certainty for row in left} == {"sure", "doubtful"}
    assert [row.value for row in left if row.certainty == "sure"] == ["区数据资源管理局"]


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("lead", {"value": "区政府办公室"}, "区政府办公室"),
        ("deadline", {"value": "2023年10月8日"}, "2023-10-08"),
        ("target", {"name": "会用率", "op": ">=", "amount": "90", "measure": "%"}, "会用率 >= 90%"),
        ("open_set", {"value": "各镇街"}, "各镇街"),
    ],
)
def test_what_the_reader_did_not_find_is_added(office, revision, kind, given, value):
    answer = send(office, url("add_finding", revision.pk) + f"?article=1&kind={kind}", given)
    assert answer["Location"].endswith("#a1")
    assert one(revision, kind, 1).value == value


def test_an_article_that_was_missed_is_added_from_where_it_is_missing(desk, office, page):
    text = PLAN.replace("\n5. 落实经费", "\n· 落实经费")
    upload = SimpleUploadedFile("漏.txt", text.encode(), "text/plain")
    revision = actions.read_document(desk.staff("office"), upload=upload)
    entry = page(office, f"/programme/documents/revisions/{revision.pk}/").one(
        "section.rest a[href*='/article/']"
    )
    form = page(office, entry.get("href"))
    begins = [(box.get("value"), box.text) for box in form.find("input[name=start]")]
    assert begins[0][0] == str(revision.text.index("· 落实经费"))
    assert form.one("input[name=no]").get("value") == "5"
    refused = office.post(entry.get("href"), {"start": begins[0][0], "no": "4", "title": "经费"})
    assert refused.status_code == 422
    assert "已有第 4 条" in refused.content.decode() and 'value="经费"' in refused.content.decode()
    done = office.post(entry.get("href"), {"start": begins[0][0], "no": "5"})
    assert done.status_code == 302 and done["Location"].endswith("#a5")
    assert "区财政局" in page(office, done["Location"]).one("#a5 .found").text


def test_what_cannot_be_added_is_said(office, revision):
    assert office.get(url("add_finding", revision.pk) + "?article=1&kind=article").status_code == 409
    assert office.get(url("add_finding", revision.pk) + "?article=99&kind=lead").status_code == 409
    html = send(
        office, url("add_finding", revision.pk) + "?article=2&kind=lead", {"value": "区民政局"}, status=422
    ).content.decode()
    assert "已有牵头单位“区委党校”" in html


def test_an_older_revision_is_shown_and_cannot_be_changed(desk, office, page, revision):
    newer = actions.read_document(
        desk.staff("office"),
        upload=SimpleUploadedFile("方案2.txt", PLAN.replace("专款专用", "专账管理").encode()),
    )
    shown = page(office, url("review", revision.pk))
    assert "只能查看" in shown.text
    assert url("review", newer.pk) in [link.get("href") for link in shown.find(".notice a")]
    assert not shown.find("main form")
    row = one(revision, "target", 3)
    assert send(office, url("finding", row.pk), {"decision": "confirmed"}, status=409)


def test_what_was_carried_over_says_so(desk, office, page, revision):
    actions.decide_finding(
        desk.staff("office"), finding_id=one(revision, "lead", 4).pk, decision="corrected", value="区民政局"
    )
    newer = actions.read_document(
        desk.staff("office"),
        upload=SimpleUploadedFile("方案2.txt", PLAN.replace("专款专用", "专账管理").encode()),
    )
    assert (
        "沿用第1稿的更正" in page(office, url("review", newer.pk)).one(f"#f{one(newer, 'lead', 4).pk}").text
    )


def test_two_revisions_are_compared_in_words_and_findings(desk, office, page, revision):
    changed = PLAN.replace("专款专用", "专账管理").replace("区文体旅游局）", "区文体旅游局、区人社局）")
    newer = actions.read_document(
        desk.staff("office"), upload=SimpleUploadedFile("方案2.txt", changed.encode())
    )
    shown = page(office, url("difference", newer.pk))
    assert "2条不同" in shown.text
    assert {part.text for part in shown.find(".words ins")} == {"账管理"}
    assert {part.text for part in shown.find(".words del")} == {"款专用"}
    assert [part.text for part in shown.find(".difference-findings ins")] == ["区人社局"]
    assert office.get(url("difference", revision.pk)).status_code == 404
    assert page(office, url("difference", revision.pk) + "?with=2").find(".words ins")


def test_a_wrong_file_is_withdrawn_from_its_review(office, page, revision):
    send(office, url("withdraw_revision", revision.pk), {}, url("review", revision.pk))
    assert "已经撤回，只能查看" in page(office, url("review", revision.pk)).text
    assert upload(office, PLAN)["Location"] == url("review", revision.pk + 1)


def test_the_number_of_queries_does_not_grow_with_the_findings(desk, office, revision):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            office.get(url("review", revision.pk))
        return len(queries)

    count()  # what is read once and kept
    before = count()
    for no in range(1, 8):
        for value in ("区民政局", "区商务局", "区司法局", "区审计局"):
            Finding.objects.create(
                revision=revision, article_no=no, kind="helper", value=value, certainty="doubtful", why="测试"
            )
    assert count() == before


# The ledger -------------------------------------------------------------------------------------------------------------


def test_before_everything_is_decided_the_page_says_what_is_left(office, page, revision):
    shown = page(office, url("open_ledger", revision.pk))
    assert "还有3处存疑没有校核" in shown.text
    links = {link.get("href") for link in shown.find(".waiting-list a")}
    assert f"{url('review', revision.pk)}#f{one(revision, 'lead', 4).pk}" in links
    assert not shown.find("main form")


def test_units_that_nobody_knows_are_named_by_article(desk, office, page, revision):
    for row in undecided(revision):
        actions.decide_finding(
            desk.staff("office"), finding_id=row.pk, decision="confirmed" if row.value else "rejected"
        )
    shown = page(office, url("open_ledger", revision.pk)).text
    assert "第4条：没有牵头单位" in shown
    assert "第5条：2022-10-08这一天没有叫“区数据资源管理局”的单位" in shown


def test_the_ledger_is_opened_and_leads_to_issuing(office, page, reviewed):
    shown = page(office, url("open_ledger", reviewed.pk))
    assert len(shown.find("tbody tr")) == 6
    assert "参训率不低于95%" in shown.text
    answer = send(office, url("open_ledger", reviewed.pk), {}, url("open_ledger", reviewed.pk))
    assert answer["Location"] == url("issue", reviewed.document_id)
    assert reviewed.document.tasks.count() == 6


def test_what_changed_after_the_page_was_drawn_is_shown_before_it_is_done(desk, office, reviewed):
    drawn = office.get(url("open_ledger", reviewed.pk)).content.decode()
    actions.decide_finding(
        desk.staff("office"), finding_id=one(reviewed, "lead", 2).pk, decision="corrected", value="区民政局"
    )
    answer = office.post(url("open_ledger", reviewed.pk), hidden(drawn, url("open_ledger", reviewed.pk)))
    assert answer.status_code == 409
    assert "与您看到的不一样" in answer.content.decode()
    assert not reviewed.document.tasks.exists()
    # The page now shows what is so, and can be sent.
    answer = office.post(
        url("open_ledger", reviewed.pk), hidden(answer.content.decode(), url("open_ledger", reviewed.pk))
    )
    assert answer.status_code == 302


def test_an_update_shows_the_differences_first(desk, office, page, opened):
    actions.issue_task(desk.staff("office"), task_id=opened.tasks.get(article_no=2).pk)
    changed = PLAN.replace("责任单位：区委党校、区人社局", "责任单位：区人社局、区教育局").replace(
        "专款专用", "专账管理"
    )
    newer = actions.read_document(
        desk.staff("office"), upload=SimpleUploadedFile("方案2.txt", changed.encode())
    )
    for row in undecided(newer):
        actions.decide_finding(desk.staff("office"), finding_id=row.pk, decision="confirmed")
    shown = page(office, url("open_ledger", newer.pk))
    assert "更新台账" in shown.one("h1").text
    kept = [line.text for line in shown.find(".changes .kept")]
    assert any("牵头单位" in line and "台账不变" in line for line in kept)
    assert "另有4项任务没有改动" in shown.text
    send(office, url("open_ledger", newer.pk), {}, url("open_ledger", newer.pk))
    assert opened.tasks.get(article_no=5).text.endswith("专账管理。")


# Issuing ----------------------------------------------------------------------------------------------------------------


def fields(html: str) -> dict[str, str]:
    """Every hidden and every filled-in text field of the table of tasks to issue."""
    table = html.partition('class="issue-form"')[2].partition("</form>")[0]
    found = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', table))
    return found | dict(re.findall(r'<input type="text" name="(t\d+-due_on)" value="([^"]*)"', table))


def test_the_limit_of_the_plan_is_filled_in(office, page, opened):
    second = opened.tasks.get(article_no=2)
    shown = page(office, url("issue", opened.pk))
    assert shown.one(f"input[name=t{second.pk}-due_on]").get("value") == "2022-11-30"
    assert len(shown.find("tr[id]")) == 6


def test_the_tasks_that_were_ticked_are_issued_and_the_others_are_not(desk, office, page, opened):
    second, fourth = opened.tasks.get(article_no=2), opened.tasks.get(article_no=4)
    data = fields(office.get(url("issue", opened.pk)).content.decode())
    scope = fourth.scopes.get()
    data |= {
        f"t{second.pk}-issue": "on",
        f"t{second.pk}-due_on": "2022年12月5日",
        f"t{fourth.pk}-issue": "on",
        f"t{fourth.pk}-scopes": str(scope.pk),
    }
    answer = office.post(url("issue", opened.pk), data)
    assert answer.status_code == 302
    second.refresh_from_db()
    fourth.refresh_from_db()
    assert second.due_on == date(2022, 12, 5)
    assert second.matter is not None
    assert fourth.helpers.count() == 19
    assert opened.tasks.filter(matter=None).count() == 4
    shown = page(office, url("issue", opened.pk))
    assert "已下达2项：第2、4条" in shown.text
    assert "待签收" in shown.text


def test_single_units_out_of_an_open_set_take_part(desk, office, opened):
    sixth = opened.tasks.get(article_no=6)
    chosen = [desk.unit("jinping_zhen"), desk.unit("shenjiju")]
    data = fields(office.get(url("issue", opened.pk)).content.decode())
    data |= {f"t{sixth.pk}-issue": "on", f"t{sixth.pk}-helpers": [str(unit) for unit in chosen]}
    assert office.post(url("issue", opened.pk), data).status_code == 302
    assert {helper.unit_id for helper in sixth.helpers.all()} == set(chosen)


def test_what_fails_is_named_and_what_was_typed_stays_while_the_rest_goes_out(office, opened):
    second, third, fifth = (opened.tasks.get(article_no=no) for no in (2, 3, 5))
    data = fields(office.get(url("issue", opened.pk)).content.decode())
    data |= {
        f"t{second.pk}-issue": "on",
        f"t{third.pk}-issue": "on",
        f"t{third.pk}-due_on": "2022-01-01",
        f"t{fifth.pk}-due_on": "2022-12-24",
    }
    answer = office.post(url("issue", opened.pk), data)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "期限 2022-01-01 早于今天" in html
    assert "第 2 条已进入" in html
    assert f'name="t{third.pk}-due_on" value="2022-01-01"' in html
    assert f'name="t{fifth.pk}-due_on" value="2022-12-24"' in html
    assert [row.article_no for row in opened.tasks.exclude(matter=None)] == [2]
    # Mended and sent again, the rest goes out; what went out before is not touched.
    data = fields(html) | {f"t{third.pk}-issue": "on", f"t{third.pk}-due_on": "2023-06-30"}
    assert office.post(url("issue", opened.pk), data).status_code == 302
    assert [row.article_no for row in opened.tasks.exclude(matter=None)] == [2, 3]


def test_nothing_ticked_is_said(office, opened):
    answer = office.post(
        url("issue", opened.pk), fields(office.get(url("issue", opened.pk)).content.decode())
    )
    assert answer.status_code == 422
    assert "没有选中任务" in answer.content.decode()


def test_a_task_that_somebody_else_changed_meanwhile_is_not_issued(office, opened):
    second = opened.tasks.get(article_no=2)
    data = fields(office.get(url("issue", opened.pk)).content.decode()) | {f"t{second.pk}-issue": "on"}
    PlanTask.objects.filter(pk=second.pk).update(version=second.version + 1)
    answer = office.post(url("issue", opened.pk), data)
    assert answer.status_code == 422
    assert "刚刚被别人改过" in answer.content.decode()
    assert not opened.tasks.exclude(matter=None).exists()


def test_the_number_of_queries_does_not_grow_with_the_tasks(office, opened):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            office.get(url("issue", opened.pk))
        return len(queries)

    count()  # what is read once and kept
    before = count()
    fourth = opened.tasks.get(article_no=4)
    for no in range(20, 40):
        task = PlanTask.objects.create(
            document=opened, article_no=no, title=f"任务{no}", lead_unit_id=fourth.lead_unit_id
        )
        task.scopes.create(expression="各镇街").units.set(fourth.scopes.get().units.all())
    assert count() == before
