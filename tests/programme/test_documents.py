"""Plan documents through their actions: reading, deciding, revised texts, opening and updating the ledger."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liangzhu.beams.people.directory import actions as directory_actions
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.files import api as files
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import BadFile, Conflict, Denied, Invalid, Problem, StepNotAllowed, TooLarge
from liangzhu.pillars.programme import actions
from liangzhu.pillars.programme.changes import planned
from liangzhu.pillars.programme.findings import day_of, facts_of, undecided, unit_of
from liangzhu.pillars.programme.models import Finding, PlanDocument, PlanTask, Revision

PLAN = (Path(__file__).parent / "data" / "plan.txt").read_text()
HEAD, MAIN, ANNEX = re.split(r"(?=^一、开展培训)|(?=^附件：)", PLAN, flags=re.MULTILINE)
BLOCKS = [re.sub(r"^\d+\. ", "", block) for block in MAIN.strip().split("\n\n")]
"""Chapter headings and articles of the plan in their order, the articles without their numbers."""


def heading(block: str) -> bool:
    return bool(re.match(r"[一二]、", block))


def numbered(blocks: list[str]) -> str:
    """The plan with these blocks, its articles numbered anew."""
    numbers = iter(range(1, 100))
    lines = [block if heading(block) else f"{next(numbers)}. {block}" for block in blocks]
    return HEAD + "\n\n".join(lines) + "\n\n" + ANNEX


def place_of(no: int) -> int:
    """Where the article of a number stands among the blocks; one past the last is the end."""
    places = [place for place, block in enumerate(BLOCKS) if not heading(block)]
    return places[no - 1] if no <= len(places) else len(BLOCKS)


def with_article(no: int, body: str) -> str:
    """The plan with another article, which takes this number."""
    place = place_of(no)
    return numbered([*BLOCKS[:place], body, *BLOCKS[place:]])


def without_article(no: int) -> str:
    """The plan without an article."""
    place = place_of(no)
    return numbered([*BLOCKS[:place], *BLOCKS[place + 1 :]])


@pytest.fixture
def office(desk):
    return desk.staff("office")


@pytest.fixture
def read(office) -> Callable[..., Revision]:
    """read(text): read a text as the office does."""

    def run(text: str = PLAN, name: str = "方案.txt", document: int | None = None) -> Revision:
        upload = SimpleUploadedFile(name, text.encode(), "text/plain")
        return actions.read_document(office, upload=upload, document_id=document)

    return run


def one(revision: Revision, kind: str, article: int | None = None, value: str | None = None) -> Finding:
    """The only finding of a kind in an article (of that value)."""
    rows = revision.findings.filter(kind=kind, article_no=article)
    return rows.get(value=value) if value is not None else rows.get()


@pytest.fixture
def decide(office):
    """decide(finding, "confirmed"): decide as the office does."""

    def run(row: Finding, decision: str, **what) -> Finding:
        return actions.decide_finding(
            office, finding_id=row.pk, decision=decision, version=row.version, **what
        )

    return run


@pytest.fixture
def settle(office, decide):
    """settle(revision): every doubt decided, every unit found."""

    def run(revision: Revision) -> None:
        for row in undecided(revision):
            if row.kind == "lead" and not row.value:
                decide(row, "corrected", value="区民政局")
            else:
                decide(row, "confirmed")
        for row in revision.findings.filter(value="区数据资源管理局").exclude(decision="corrected"):
            decide(row, "corrected", value="区行政审批局")
        actions.confirm_sure(office, revision_id=revision.pk)

    return run


@pytest.fixture
def opened(read, settle, office) -> Revision:
    """The plan read, reviewed and opened as a ledger."""
    revision = read()
    settle(revision)
    actions.open_ledger(office, revision_id=revision.pk)
    return Revision.objects.select_related("document").get(pk=revision.pk)


def task(revision: Revision, no: int) -> PlanTask:
    return revision.document.tasks.get(article_no=no, dropped=False)


# Reading --------------------------------------------------------------------------------------------------------------


def test_a_plan_becomes_a_document_with_articles_and_findings_in_their_places(read):
    revision = read()
    assert (revision.no, revision.document.number) == (1, "海政发〔2022〕200号")
    assert [row.no for row in revision.articles.all()] == [1, 2, 3, 4, 5, 6, 7]
    for row in revision.findings.exclude(start=None):
        assert revision.text[row.start : row.end][:500] == row.quote
    assert (one(revision, "number").quote, one(revision, "number").value) == (
        "海政发〔2022200号",
        "海政发〔2022〕200号",
    )
    assert one(revision, "deadline", 2).value == "2022-11-30"
    target = one(revision, "target", 2)
    assert (target.name, target.op, target.amount, target.measure) == ("参训率", ">=", 95, "%")


def test_an_article_ends_where_it_ends(read):
    revision = read()
    seventh = revision.articles.get(no=7)
    assert seventh.text == "做好宣传。通过报纸和广播介绍经验做法，推出一批好教员。"
    assert "附件" not in revision.text[seventh.start : seventh.end]


def test_units_without_a_lead_leave_a_place_for_one(read, decide):
    revision = read()
    gap = one(revision, "lead", 4)
    assert (gap.value, gap.certainty, gap.quote) == ("", Finding.DOUBTFUL, "各镇街")
    with pytest.raises(Invalid) as refused:
        decide(gap, "confirmed")
    assert "value" in refused.value.fields
    assert decide(gap, "corrected", value="区民政局").stands


def test_a_doubt_stands_on_the_finding_it_is_about_and_no_other(read):
    revision = read()
    doubtful = {(row.article_no, row.kind) for row in revision.findings.filter(certainty="doubtful")}
    assert doubtful == {(None, "number"), (3, "target"), (4, "lead")}


def test_the_original_is_kept_by_its_fingerprint(read, office):
    revision = read()
    assert files.content(files.attachment(office, revision.attachment_id)).decode() == PLAN


def test_of_a_web_page_the_text_is_kept_without_its_script(read, office):
    page = f"<html><body><script>alert(1)</script>{''.join(f'<p>{line}</p>' for line in PLAN.splitlines())}</body></html>"
    revision = read(page, name="方案.html")
    kept = files.attachment(office, revision.attachment_id)
    assert kept.name == "方案.txt"
    assert "举办干部轮训班" in files.content(kept).decode()
    assert "script" not in files.content(kept).decode()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"   \n\n", "empty"),
        (bytes(range(256)) * 50, "unknown_format"),
        (b"PK\x03\x04 broken", "damaged"),
        (b"%PDF-1.4 broken", "damaged"),
        ("今天天气很好。".encode(), "not_a_plan"),
    ],
)
def test_a_file_that_is_no_plan_is_refused_by_name_and_says_what_to_do(office, content, code):
    with pytest.raises(BadFile) as refused:
        actions.read_document(office, upload=SimpleUploadedFile("方案.txt", content))
    assert refused.value.code == code
    assert refused.value.detail
    assert refused.value.todo
    assert not Revision.objects.exists()


def test_a_huge_file_is_refused_without_being_read(office):
    upload = SimpleUploadedFile("方案.docx", b"x")
    upload.size = 50 * 1024 * 1024
    with pytest.raises(TooLarge, match="50 MB"):
        actions.read_document(office, upload=upload)


def test_only_the_office_reads_documents(desk):
    with pytest.raises(Denied):
        actions.read_document(desk.staff("shenpiju"), upload=SimpleUploadedFile("方案.txt", PLAN.encode()))


def test_the_same_file_again_leads_to_where_it_was_read(read):
    revision = read()
    with pytest.raises(Conflict) as refused:
        read(name="另一个名字.txt")
    assert refused.value.code == "same_file"
    assert refused.value.revision_id == revision.pk


def test_a_text_of_a_known_number_is_the_next_revision(read):
    first, second = read(), read(PLAN.replace("专款专用", "专账管理"))
    assert (second.document_id, second.no) == (first.document_id, 2)


def test_a_text_without_a_number_is_a_revision_of_the_document_chosen_by_hand(read):
    first = read()
    bare = PLAN.replace("海政发〔2022200号\n\n", "")
    assert read(bare, document=first.document_id).document_id == first.document_id
    assert read(bare + "\n").document_id != first.document_id


def test_a_wrong_file_is_withdrawn_and_the_text_before_counts_again(read, decide, office):
    first = read()
    decide(one(first, "lead", 4), "corrected", value="区民政局")
    wrong = read(
        numbered(
            [
                "一、开展活动",
                "办运动会。发动群众参加。（责任单位：区文体旅游局）",
                "修健身步道。分段施工。（责任单位：区住建局）",
            ]
        )
    )
    with pytest.raises(StepNotAllowed):
        decide(one(first, "lead", 4), "rejected")
    actions.withdraw_revision(office, revision_id=wrong.pk)
    decide(one(first, "target", 3), "confirmed")
    third = read(PLAN.replace("专款专用", "专账管理"))
    assert third.no == 3
    assert one(third, "lead", 4).value == "区民政局"


def test_the_text_of_a_ledger_cannot_be_withdrawn(opened, office):
    with pytest.raises(StepNotAllowed, match="台账"):
        actions.withdraw_revision(office, revision_id=opened.pk)


# Deciding -------------------------------------------------------------------------------------------------------------


def test_a_correction_stands_beside_what_was_read_and_confirming_undoes_it(read, decide):
    revision = read()
    row = decide(one(revision, "target", 3), "corrected", name="课程数", op=">=", amount="80", measure="门")
    assert (row.value, row.read_value, row.amount) == ("课程数 >= 80门", "上线课程 >= 60门", 80)
    row = decide(row, "confirmed")
    assert (row.value, row.name, row.amount) == ("上线课程 >= 60门", "上线课程", 60)


def test_who_decides_on_what_somebody_else_just_decided_is_told(read, decide):
    revision = read()
    stale = one(revision, "target", 3)
    decide(stale, "rejected")
    with pytest.raises(Conflict, match="陆敏之.*已剔除"):
        decide(stale, "confirmed")


@pytest.mark.parametrize(
    ("kind", "article", "what", "field"),
    [
        ("deadline", 2, {"value": "2022-02-30"}, "value"),
        ("deadline", 2, {"value": "2222-02-20"}, "value"),
        ("date", None, {"value": "1022-10-08"}, "value"),
        ("lead", 2, {"value": "区不存在局"}, "value"),
        ("lead", 2, {"value": "  "}, "value"),
        ("open_set", 4, {"value": "各色人等"}, "value"),
        ("title", None, {"value": "长" * 501}, "value"),
        ("target", 2, {"name": "参训率", "op": "约", "amount": "95"}, "op"),
        ("target", 2, {"name": "参训率", "op": ">=", "amount": "很多"}, "amount"),
        ("target", 2, {"name": "参训率", "op": ">=", "amount": "NaN"}, "amount"),
        ("target", 2, {"name": "参训率", "op": ">=", "amount": "1e40"}, "amount"),
        ("target", 2, {"name": "", "op": ">=", "amount": "95"}, "name"),
    ],
)
def test_a_correction_that_cannot_be_is_named_at_its_field(read, decide, kind, article, what, field):
    revision = read()
    row = revision.findings.filter(kind=kind, article_no=article).first()
    with pytest.raises(Invalid) as refused:
        decide(row, "corrected", **what)
    assert field in refused.value.fields
    row.refresh_from_db()
    assert row.decision == Finding.PROPOSED


def test_of_two_units_of_one_name_one_is_chosen(desk, read, decide, settle, office):
    for under in ("xinba_zhen", "jinping_zhen"):
        directory_actions.open_unit(
            SYSTEM,
            name="综合治理中心",
            on=date(2022, 1, 1),
            kind="public_institution",
            source="测试",
            parent_id=desk.unit(under),
        )
    revision = read()
    row = one(revision, "lead", 5)
    with pytest.raises(Invalid) as refused:
        decide(row, "corrected", value="综合治理中心")
    assert "请从下面选一个" in refused.value.fields["value"]
    chosen = directory.units().by_name("综合治理中心")[1]
    assert decide(row, "corrected", value="综合治理中心", unit_id=chosen.id).unit_id == chosen.id
    settle(revision)
    actions.open_ledger(office, revision_id=revision.pk)
    assert task(revision, 5).lead_unit_id == chosen.id


def test_a_unit_written_wrong_at_many_places_is_corrected_once(read, decide):
    revision = read(PLAN.replace("责任单位：区委党校、", "责任单位：区数据资源管理局、"))
    decided = one(revision, "lead", 2)
    row = decide(one(revision, "helper", 5), "corrected", value="区行政审批局", everywhere=True)
    decided.refresh_from_db()
    assert (decided.value, decided.read_value, decided.decision) == (
        row.value,
        "区数据资源管理局",
        "corrected",
    )
    assert one(revision, "lead", 5).decision == "proposed"


def test_what_was_decided_already_is_left_when_the_rest_is_rejected(read, decide):
    revision = read()
    decide(one(revision, "open_set", 4), "confirmed")
    decide(one(revision, "open_set", 6, "各镇街"), "rejected", everywhere=True)
    assert one(revision, "open_set", 4).decision == "confirmed"
    assert one(revision, "open_set", 6, "区各有关部门和单位").decision == "proposed"


def test_what_the_reader_is_sure_of_is_confirmed_at_once_except_units_that_nobody_knows(read, office):
    revision = read()
    actions.confirm_sure(office, revision_id=revision.pk)
    left = revision.findings.filter(decision=Finding.PROPOSED, certainty=Finding.SURE)
    assert [row.value for row in left] == ["区数据资源管理局"]
    assert revision.findings.filter(decision=Finding.CONFIRMED).first().version == 2


@pytest.mark.parametrize(
    ("kind", "article", "what"),
    [
        ("lead", 2, {"value": "区民政局"}),
        ("lead", 99, {"value": "区民政局"}),
        ("lead", None, {"value": "区民政局"}),
        ("article", 2, {"value": "标题"}),
        ("number", None, {"value": "海政发〔2022〕1号"}),
        ("helper", 2, {"value": "区人社局"}),
    ],
)
def test_what_is_there_already_or_has_no_place_cannot_be_added(read, office, kind, article, what):
    revision = read()
    with pytest.raises(Invalid):
        actions.add_finding(office, revision_id=revision.pk, kind=kind, article_no=article, **what)


def test_an_article_without_units_becomes_a_task_when_a_lead_is_added(read, office):
    revision = read()
    assert 1 not in [facts.no for facts in facts_of(revision)]
    actions.add_finding(office, revision_id=revision.pk, kind="lead", article_no=1, value="区政府办公室")
    actions.add_finding(office, revision_id=revision.pk, kind="deadline", article_no=1, value="2023-10-08")
    facts = next(facts for facts in facts_of(revision) if facts.no == 1)
    assert (facts.lead, facts.due_on) == ("区政府办公室", date(2023, 10, 8))


# An article that the reader missed ------------------------------------------------------------------------------------

SWALLOWED = PLAN.replace("\n\n3. 建设线上课堂", "建设线上课堂")
"""The third article has lost its number and its line: the reader takes it for a part of the second."""


def begin(revision: Revision, words: str) -> int:
    return revision.text.index(words)


@pytest.mark.parametrize("mark", ["5.", "·", "⑸", ""])
def test_an_article_whose_number_the_reader_cannot_know_is_added_with_all_that_it_says(read, office, mark):
    revision = read(PLAN.replace("\n5. 落实经费", f"\n{mark} 落实经费"))
    if mark == "5.":
        with pytest.raises(Invalid, match="已有第 5 条"):
            actions.add_article(office, revision_id=revision.pk, no=5, start=begin(revision, "把培训经费"))
        return
    assert not revision.articles.filter(no=5).exists()
    start = begin(revision, f"{mark} 落实经费".strip())
    article = actions.add_article(office, revision_id=revision.pk, no=5, start=start)
    assert (article.title, article.label, article.chapter) == ("落实经费", mark, "二、强化保障")
    assert article.text == "落实经费。把培训经费列入年度预算，专款专用。"
    assert (one(revision, "lead", 5).value, one(revision, "helper", 5).value) == (
        "区财政局",
        "区数据资源管理局",
    )
    heading = one(revision, "article", 5)
    assert (heading.value, heading.decision, heading.added) == ("落实经费", "corrected", True)
    assert 5 in [facts.no for facts in facts_of(revision)]
    for row in revision.findings.exclude(start=None):
        assert revision.text[row.start : row.end][:500] == row.quote


def test_an_article_is_cut_out_of_the_one_that_swallowed_it(read, office, decide):
    revision = read(SWALLOWED)
    second = revision.articles.get(no=2)
    assert "课程60门" in second.text
    kept = decide(
        one(revision, "target", 2, "参训率 >= 95%"),
        "corrected",
        name="参训率",
        op=">=",
        amount="90",
        measure="%",
    )
    moved = next(row for row in revision.findings.filter(article_no=2, kind="target") if row.name != "参训率")
    decide(moved, "confirmed")
    actions.add_article(
        office, revision_id=revision.pk, no=3, start=begin(revision, "建设线上课堂"), title="线上课堂"
    )
    second, third = (revision.articles.get(no=no) for no in (2, 3))
    assert "课程60门" not in second.text and second.end <= third.start
    assert third.title == one(revision, "article", 3).value == "线上课堂"
    assert one(revision, "lead", 2).value == "区委党校"
    assert one(revision, "lead", 3).value == "区行政审批局"
    kept.refresh_from_db()
    moved.refresh_from_db()
    assert (kept.article_no, kept.amount) == (2, 90)
    assert (moved.article_no, moved.decision) == (3, "confirmed")
    assert revision.findings.filter(article_no=3, kind="target").count() == 1
    places = [(row.kind, row.article_no, row.start, row.end) for row in revision.findings.exclude(start=None)]
    assert len(places) == len(set(places))


def test_a_cut_article_goes_into_the_ledger_and_a_text_that_misses_it_again_asks(read, settle, office):
    revision = read(SWALLOWED)
    actions.add_article(office, revision_id=revision.pk, no=3, start=begin(revision, "建设线上课堂"))
    settle(revision)
    actions.open_ledger(office, revision_id=revision.pk)
    assert task(revision, 3).lead_unit_id == directory.resolve_unit("区行政审批局").id
    again = read(SWALLOWED.replace("专款专用", "专账管理"))
    assert any(
        "第 3 条《建设线上课堂》在本稿中没有找到" in row.why for row in again.findings.filter(kind="note")
    )


@pytest.mark.parametrize(
    ("what", "field"),
    [
        ({"no": 8, "words": "4. 组织"}, "start"),
        ({"no": 8, "words": "二、强化"}, "start"),
        ({"no": 8, "words": "听众以"}, "start"),
        ({"no": 4, "words": "每季度通报"}, "no"),
        ({"no": 0, "words": "每季度通报"}, "no"),
    ],
)
def test_where_no_article_can_begin_none_is_added(read, office, what, field):
    revision = read()
    before = list(revision.findings.values_list("pk", "version").order_by("pk"))
    with pytest.raises(Invalid) as caught:
        actions.add_article(
            office, revision_id=revision.pk, no=what["no"], start=begin(revision, what["words"])
        )
    assert field in caught.value.fields
    assert list(revision.findings.values_list("pk", "version").order_by("pk")) == before


def test_a_revision_that_was_replaced_is_read_only(read, decide, office):
    first = read()
    read(PLAN.replace("专款专用", "专账管理"))
    for attempt in (
        lambda: decide(one(first, "target", 3), "confirmed"),
        lambda: actions.confirm_sure(office, revision_id=first.pk),
        lambda: actions.add_finding(
            office, revision_id=first.pk, kind="lead", article_no=1, value="区民政局"
        ),
        lambda: actions.open_ledger(office, revision_id=first.pk),
    ):
        with pytest.raises(StepNotAllowed):
            attempt()


# Revised texts --------------------------------------------------------------------------------------------------------


def test_decisions_follow_an_article_to_its_new_number(read, decide):
    first = read()
    decide(one(first, "lead", 4), "corrected", value="区民政局")
    decide(one(first, "target", 3), "corrected", name="课程数", op=">=", amount="80", measure="门")
    decide(one(first, "helper", 2, "区人社局"), "rejected")
    second = read(with_article(2, "组织摸底。先做一次调查。（责任单位：区审计局）"))
    assert [row.title for row in second.articles.all()][:3] == ["总体安排", "组织摸底", "举办干部轮训班"]
    lead, target, helper = (
        one(second, "lead", 5),
        one(second, "target", 4),
        one(second, "helper", 3, "区人社局"),
    )
    assert (lead.value, lead.decision, lead.carried_from.revision_id) == ("区民政局", "corrected", first.pk)
    assert (target.amount, target.decision, target.read_value) == (80, "corrected", "上线课程 >= 60门")
    assert helper.decision == "rejected"
    assert one(second, "lead", 2).decision == "proposed"


def test_decisions_follow_an_article_that_was_retitled(read, decide):
    first = read()
    decide(one(first, "target", 3), "corrected", name="课程数", op=">=", amount="80", measure="门")
    second = read(PLAN.replace("建设线上课堂。", "建好线上线下课堂。"))
    assert one(second, "target", 3).amount == 80


def test_an_inserted_article_does_not_inherit_from_the_number_it_takes(read, decide):
    first = read()
    decide(one(first, "lead", 2), "corrected", value="区民政局")
    text = with_article(2, "清理旧账。把欠费结清。（责任单位：区审计局）")
    second = read(text.replace("举办干部轮训班。", "办好干部轮训班。"))
    assert (one(second, "lead", 2).value, one(second, "lead", 2).decision) == ("区审计局", "proposed")
    assert (one(second, "lead", 3).value, one(second, "lead", 3).decision) == ("区民政局", "corrected")


def test_the_work_on_an_article_that_is_gone_becomes_a_doubt(read, decide, office):
    first = read()
    decide(one(first, "lead", 4), "corrected", value="区民政局")
    actions.add_finding(office, revision_id=first.pk, kind="deadline", article_no=4, value="2023-03-31")
    second = read(without_article(4))
    note = one(second, "note")
    assert note.open
    assert "组织进社区宣讲" in note.why
    assert "区民政局" in note.why
    assert not second.findings.filter(value="2023-03-31").exists()


def test_a_correction_whose_wording_is_gone_is_kept_as_a_doubt(read, decide):
    first = read()
    decide(one(first, "deadline", 2), "corrected", value="2022-12-15")
    second = read(PLAN.replace("11月底前完成首轮培训", "尽快完成首轮培训"))
    kept = one(second, "deadline", 2)
    assert (kept.value, kept.added, kept.open) == ("2022-12-15", True, True)


def test_a_new_text_that_says_what_a_person_said_needs_no_correction(read, decide):
    first = read()
    decide(one(first, "lead", 5), "corrected", value="区民政局")
    second = read(PLAN.replace("责任单位：区财政局、", "责任单位：区民政局、"))
    assert (one(second, "lead", 5).value, one(second, "lead", 5).decision) == ("区民政局", "confirmed")


def test_a_new_text_that_contradicts_a_person_asks(read, decide):
    first = read()
    decide(one(first, "lead", 5), "corrected", value="区民政局")
    second = read(PLAN.replace("责任单位：区财政局、", "责任单位：区审计局、"))
    lead = one(second, "lead", 5)
    assert (lead.value, lead.open) == ("区审计局", True)
    assert "区民政局" in lead.why


def test_a_lead_added_by_a_person_meets_the_lead_of_the_new_text_as_one_finding(read, decide):
    first = read()
    decide(one(first, "lead", 4), "corrected", value="区民政局")
    second = read(PLAN.replace("（责任单位：各镇街）", "（责任单位：区教育局、各镇街）"))
    lead = one(second, "lead", 4)
    assert (lead.value, lead.open) == ("区教育局", True)
    assert "区民政局" in lead.why


def test_additions_travel_through_every_revision_decided_or_not(read, decide, office):
    first = read()
    actions.add_finding(office, revision_id=first.pk, kind="helper", article_no=7, value="区教育局")
    decide(one(first, "deadline", 2), "corrected", value="2022-12-15")
    read(PLAN.replace("11月底前完成首轮培训", "尽快完成首轮培训"))
    third = read(PLAN.replace("11月底前完成首轮培训", "早日完成首轮培训"))
    assert one(third, "helper", 7, "区教育局").decision == "corrected"
    assert one(third, "deadline", 2).open


@st.composite
def histories(draw) -> tuple[list[tuple[int, str]], int, str]:
    """Which findings are decided and how, before which article another one is put, and what that one says."""
    decisions = draw(
        st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["confirmed", "corrected", "rejected"])))
    )
    no = draw(st.integers(1, 8))
    body = draw(
        st.sampled_from(
            [
                "总体要求。用一年时间让机关干部普遍会用数据。",
                "举办群众轮训班。面向群众开设课程，11月底前完成。（责任单位：区委党校、区人社局）",
                "组织摸底。先做一次调查，年内完成率达到95%。（责任单位：区审计局、各镇街）",
                "加强考核评价。把结果报区政府。（责任单位：区委组织部）",
            ]
        )
    )
    return decisions, no, body


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(histories())
def test_whatever_was_decided_survives_an_inserted_article_on_its_own_article(read, decide, history):
    decisions, no, body = history
    with transaction.atomic():
        first = read()
        rows = list(first.findings.exclude(kind="note").order_by("id"))
        for index, decision in dict(decisions).items():
            row = rows[index % len(rows)]
            row.refresh_from_db()
            try:
                decide(row, decision, **_correction(row))
            except Invalid:
                assert decision == "confirmed", "only a gap and an unknown unit cannot be confirmed"
                row.value, row.unit_id = row.read_value, None
                assert row.value == "" or unit_of(row, day_of(first)) is None
        second = read(with_article(no, body))
        assert second.articles.count() == first.articles.count() + 1
        titles = {row.no: row.title for row in first.articles.all()}
        new_titles = {row.no: row.title for row in second.articles.all()}
        carried = {row.carried_from_id: row for row in second.findings.exclude(carried_from=None)}
        for old in first.findings.all():
            if old.decision == Finding.PROPOSED:
                assert old.pk not in carried
                continue
            new = carried.pop(old.pk)
            for name in ("decision", "value", "name", "op", "amount", "measure", "unit_id", "decided_label"):
                assert getattr(new, name) == getattr(old, name), name
            assert new_titles.get(new.article_no) == titles.get(old.article_no)
        assert not carried
        assert not second.findings.filter(kind="note").exists()
        transaction.set_rollback(True)


def _correction(row: Finding) -> dict:
    """Something else that the finding could mean."""
    if row.kind == "target":
        return {"name": "另一个指标", "op": "<=", "amount": Decimal("12.5"), "measure": "个"}
    values = {
        "date": "2022-09-30",
        "deadline": "2023-01-15",
        "lead": "区民政局",
        "helper": "区商务局",
        "open_set": "高新区各园区办",
    }
    return {"value": values.get(row.kind, "更正后的文字")}


# The ledger -----------------------------------------------------------------------------------------------------------


def test_doubts_keep_the_ledger_shut_and_are_named_by_article(read, office):
    revision = read()
    with pytest.raises(Invalid) as refused:
        actions.open_ledger(office, revision_id=revision.pk)
    assert "还有 3 处存疑没有校核：文号、第 3 条、第 4 条" in refused.value.detail
    assert PlanDocument.objects.get(pk=revision.document_id).state == PlanDocument.READING


def test_unknown_units_keep_the_ledger_shut_and_are_named_by_article(read, decide, office):
    revision = read()
    for row in undecided(revision):
        decide(row, "confirmed") if row.value else decide(row, "rejected")
    with pytest.raises(Invalid) as refused:
        actions.open_ledger(office, revision_id=revision.pk)
    assert refused.value.fields.keys() == {"article-4", "article-5"}
    assert "没有牵头单位" in refused.value.fields["article-4"]
    assert "区数据资源管理局" in refused.value.fields["article-5"]


def test_a_cited_document_in_doubt_does_not_keep_the_ledger_shut(read, settle, office):
    revision = read(PLAN.replace("苏政发〔2022〕44号", "苏政发〔202244号"))
    settle(revision)
    assert one(revision, "cite").open
    actions.open_ledger(office, revision_id=revision.pk)


def test_the_ledger_holds_what_was_reviewed(opened, desk):
    document = opened.document
    assert (document.state, document.ledger_revision_id) == (PlanDocument.IN_FORCE, opened.pk)
    assert [row.article_no for row in document.tasks.all()] == [2, 3, 4, 5, 6, 7]
    second = task(opened, 2)
    assert (second.chapter, second.due_on) == ("开展培训", date(2022, 11, 30))
    assert (
        second.text
        == "举办干部轮训班。面向机关干部开设数据应用课程，11月底前完成首轮培训，参训率达到95%。每季度通报一次参训情况。"
    )
    assert second.lead_unit_id == directory.resolve_unit("区委党校").id
    assert {helper.unit_id for helper in second.helpers.all()} == {
        directory.resolve_unit(name).id for name in ("区人社局", "区行政审批局")
    }
    assert [(row.no, row.text) for row in second.clauses.all()] == [
        ("2", "举办干部轮训班"),
        ("2.1", "参训率达到95%"),
    ]
    assert task(opened, 4).scopes.get().units.count() == 19


def test_a_target_is_due_when_its_own_sentence_says_and_the_task_when_all_of_it_is(opened):
    third = task(opened, 3)
    assert third.due_on == date(2023, 6, 30)
    assert third.clauses.get(no="3.1").due_on == date(2022, 12, 31)


def test_two_documents_of_one_number_are_not_opened(opened, read, settle, decide, office):
    other = read(PLAN.replace("海政发〔2022200号", "海政发〔2022〕300号").replace("专款专用", "专账管理"))
    assert other.document_id != opened.document_id
    decide(one(other, "number"), "corrected", value="海政发〔2022〕200号")
    settle(other)
    with pytest.raises(Invalid, match="已有另一份文件"):
        actions.open_ledger(office, revision_id=other.pk)


def test_opening_again_changes_nothing(opened, office):
    before = [(row.pk, row.version) for row in opened.document.tasks.all()]
    assert not planned(opened).any
    actions.open_ledger(office, revision_id=opened.pk)
    assert [(row.pk, row.version) for row in opened.document.tasks.all()] == before


def test_what_was_seen_is_what_is_done(read, settle, decide, office):
    revision = read()
    settle(revision)
    seen = planned(revision).fingerprint
    decide(one(revision, "lead", 2), "corrected", value="区民政局")
    with pytest.raises(Conflict):
        actions.open_ledger(office, revision_id=revision.pk, expected=seen)
    actions.open_ledger(office, revision_id=revision.pk, expected=planned(revision).fingerprint)


def test_a_renumbered_article_keeps_its_task(opened, read, settle, office):
    ids = {row.title: row.pk for row in opened.document.tasks.all()}
    second = read(with_article(2, "组织摸底。先做一次调查。（责任单位：区审计局）"))
    settle(second)
    actions.open_ledger(office, revision_id=second.pk)
    now = {row.title: (row.pk, row.article_no) for row in opened.document.tasks.filter(dropped=False)}
    assert {title: now[title][0] for title in ids} == ids
    assert now["举办干部轮训班"][1] == 3
    assert task(second, 3).clauses.filter(dropped=False).values_list("no", flat=True)[0] == "3"


def test_articles_that_change_places_keep_their_tasks(opened, read, settle, office):
    ids = {row.title: row.pk for row in opened.document.tasks.all()}
    second = read(numbered([*BLOCKS[:-3], BLOCKS[-1], *BLOCKS[-3:-1]]))
    settle(second)
    actions.open_ledger(office, revision_id=second.pk)
    assert {row.title: row.pk for row in opened.document.tasks.filter(dropped=False)} == ids
    assert task(second, 5).title == "做好宣传"


def test_a_task_whose_article_is_gone_is_marked_and_comes_back_with_it(opened, read, settle, office):
    gone = task(opened, 6)
    second = read(without_article(6))
    settle(second)
    changes = planned(second)
    assert [(change.no, change.kind) for change in changes.tasks if change.kind != "same"][-1] == (
        6,
        "dropped",
    )
    actions.open_ledger(office, revision_id=second.pk)
    gone.refresh_from_db()
    assert gone.dropped
    assert task(second, 6).title == "做好宣传"
    third = read(PLAN.replace("专款专用", "专账管理"))
    settle(third)
    actions.open_ledger(office, revision_id=third.pk)
    gone.refresh_from_db()
    assert (gone.dropped, gone.article_no) == (False, 6)


def test_an_issued_task_keeps_lead_limit_and_helpers_and_the_difference_is_shown(
    opened, read, settle, decide, office
):
    issued = task(opened, 2)
    actions.issue_task(office, task_id=issued.pk)
    second = read(
        PLAN.replace("责任单位：区委党校、区人社局、区行政审批局", "责任单位：区人社局、区教育局").replace(
            "11月底前", "12月底前"
        )
    )
    settle(second)
    lines = {line.what: line for line in next(one for one in planned(second).tasks if one.no == 2).lines}
    assert lines["牵头单位"].kept
    assert lines["期限"].kept
    assert lines["减少配合单位"].kept
    assert not lines["增加配合单位"].kept
    actions.open_ledger(office, revision_id=second.pk)
    issued.refresh_from_db()
    assert issued.lead_unit_id == directory.resolve_unit("区委党校").id
    assert issued.due_on == date(2022, 11, 30)
    helpers = {helper.unit_id: helper for helper in issued.helpers.all()}
    assert helpers.keys() == {
        directory.resolve_unit(name).id for name in ("区人社局", "区行政审批局", "区教育局")
    }
    assert helpers[directory.resolve_unit("区教育局").id].part is not None


def test_a_task_that_was_not_issued_follows_the_new_text(opened, read, settle, office):
    second = read(PLAN.replace("责任单位：区委党校、区人社局、区行政审批局", "责任单位：区人社局、区教育局"))
    settle(second)
    actions.open_ledger(office, revision_id=second.pk)
    now = task(second, 2)
    assert now.lead_unit_id == directory.resolve_unit("区人社局").id
    assert [helper.unit_id for helper in now.helpers.all()] == [directory.resolve_unit("区教育局").id]


def test_a_target_keeps_its_check_when_another_is_put_before_it(opened, read, settle, office):
    clause = task(opened, 2).clauses.get(no="2.1")
    actions.bind_check(office, clause_id=clause.pk, indicator_key="services.online_rate_items")
    second = read(PLAN.replace("参训率达到95%", "开课数达到12门以上，参训率达到96%"))
    settle(second)
    actions.open_ledger(office, revision_id=second.pk)
    clause.refresh_from_db()
    assert (clause.no, clause.name, clause.amount, clause.dropped) == ("2.2", "参训率", 96, False)
    assert clause.indicator.key == "services.online_rate_items"
    assert task(second, 2).clauses.get(no="2.1", dropped=False).indicator is None


# The plan of the pack, opened without a text ----------------------------------------------------------------------------


@pytest.fixture
def real(shared) -> str:
    return (shared / "plan" / "haizhou-2022-114.txt").read_text()


def test_the_text_of_the_packs_plan_fills_the_articles_in_and_leaves_the_rest(
    desk, real, read, decide, office
):
    desk.issue(15, due=date(2022, 11, 30), helpers=("caizhengju",))
    before = {
        row.article_no: (
            row.pk,
            row.lead_unit_id,
            row.matter_id,
            set(row.helpers.values_list("unit_id", flat=True)),
        )
        for row in desk.document.tasks.all()
    }
    clauses = set(desk.document.tasks.values_list("clauses__pk", "clauses__indicator"))
    revision = read(real)
    assert revision.document_id == desk.document.pk
    assert revision.articles.count() == 24
    lead = one(revision, "lead", 15)
    assert (lead.unit_id, lead.open) == (desk.unit("shenpiju"), True)
    for row in undecided(revision):
        decide(row, "confirmed")
    actions.open_ledger(office, revision_id=revision.pk, expected=planned(revision).fingerprint)
    tasks = {row.article_no: row for row in desk.document.tasks.all()}
    assert all(row.text for row in tasks.values())
    assert before == {
        no: (row.pk, row.lead_unit_id, row.matter_id, set(row.helpers.values_list("unit_id", flat=True)))
        for no, row in tasks.items()
    }
    assert set(desk.document.tasks.values_list("clauses__pk", "clauses__indicator")) == clauses
    assert not desk.document.tasks.filter(clauses__dropped=True).exists()
    assert tasks[15].due_on == date(2022, 11, 30)
    assert PlanDocument.objects.get(pk=desk.document.pk).title == desk.document.title


def test_the_reader_finds_what_the_pack_says(desk, real, read):
    revision = read(real)
    assert {row.value for row in revision.findings.filter(kind="cite")} >= {
        "国发〔2022〕14号",
        "海政办发〔2021〕31号",
    }
    facts = facts_of(revision)
    assert [row.no for row in facts] == list(range(4, 25))
    day = desk.document.issued_on
    unknown = []
    for row in revision.findings.filter(kind__in=("lead", "helper")).exclude(value=""):
        try:
            directory.resolve_unit(row.value, day)
        except Problem as problem:
            unknown.append(problem.detail)
    assert unknown == []
