"""Letters of supervision: urging by one person, criticism only of what is late and only by a second person."""

from datetime import date

import pytest

from liangzhu.beams.people.directory import actions as directory_actions
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import AlreadyDone, Conflict, Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.refs import describe
from liangzhu.pillars.programme import actions, letters, queries
from liangzhu.pillars.programme.models import Letter

DUE = date(2022, 9, 30)
AFTER = "2022-10-10 09:00"


def late(desk, stand, no: int = 8):
    """A task in work whose limit has passed."""
    desk.working(no, DUE)
    stand(AFTER)
    return desk.task(no)


def draft(desk, *tasks, by: str = "office") -> Letter:
    return actions.draft_criticism(
        desk.staff(by), task_ids=[task.pk for task in tasks], title="关于逾期的通报", body="没有按期完成。"
    )


def notices(unit: str, key: str) -> dict[str, str]:
    """What the posts of a unit were told about a letter: {post key: level}."""
    posts = {post.id: post.key for post in directory.posts(directory.units().by_key(unit).id)}
    rows = matters.Notice.objects.filter(post__in=posts, key__startswith=f"{key}:")
    return {posts[row.post_id]: row.level for row in rows}


# Urging ---------------------------------------------------------------------------------------------------------------


def test_an_urging_is_numbered_in_its_series_and_reaches_officers_and_head_of_the_lead_unit(desk, stand):
    task = desk.working(8, DUE)
    letter = actions.urge(desk.staff("office"), task_ids=[task.pk], body="请抓紧。")
    assert (letter.state, letter.number) == (Letter.SIGNED, "海数办催〔2022〕1号")
    assert notices("shichangju", str(letter.ref)) == {
        "shichangju": "urge",
        "shichangju.head": "urge",
        "shichangju.deputy": "urge",
    }
    assert (
        actions.urge(desk.staff("office"), task_ids=[task.pk], body="再催。").number == "海数办催〔2022〕2号"
    )


def test_a_letter_keeps_what_was_so_on_its_day(desk, stand):
    desk.working(8, DUE)
    desk.split(8, ("列清单", date(2022, 9, 20)))
    stand("2022-09-26 09:00")
    letter = actions.urge(desk.staff("office"), task_ids=[desk.task(8).pk], body="请抓紧。")
    stand(AFTER)
    (target,) = queries.letter_targets(letter)
    assert target["situation"].startswith("节点“列清单”应于 2022-09-20 完成，已逾期 6 天；现为“办理中”")


def test_one_urging_speaks_to_several_units_about_several_tasks(desk, stand):
    first, second = desk.working(8, DUE), desk.working(11)
    letter = actions.urge(desk.staff("office"), task_ids=[first.pk, second.pk, first.pk], body="请抓紧。")
    assert [row["task"].article_no for row in queries.letter_targets(letter)] == [8, 11]
    assert notices("shenpiju", str(letter.ref))


@pytest.mark.parametrize("who", ["shichangju", "leader", "auditor"])
def test_only_the_office_urges(desk, stand, who):
    task = desk.working(8, DUE)
    with pytest.raises(Denied):
        actions.urge(desk.staff(who), task_ids=[task.pk], body="请抓紧。")


def test_what_is_not_open_cannot_be_urged_and_the_task_is_named(desk, stand):
    office = desk.staff("office")
    with pytest.raises(StepNotAllowed, match="任务 8 "):
        actions.urge(office, task_ids=[desk.task(8).pk], body="请抓紧。")
    desk.working(8, DUE)
    desk.closed(8)
    with pytest.raises(StepNotAllowed, match="任务 8 "):
        actions.urge(office, task_ids=[desk.task(8).pk], body="请抓紧。")


def test_an_urging_names_tasks_and_says_something(desk, stand):
    task = desk.working(8, DUE)
    for tasks, body, field in (([], "请抓紧。", "tasks"), ([task.pk], "  ", "body")):
        with pytest.raises(Invalid) as refused:
            actions.urge(desk.staff("office"), task_ids=tasks, body=body)
        assert field in refused.value.fields
    with pytest.raises(NotThere):
        actions.urge(desk.staff("office"), task_ids=[999999], body="请抓紧。")


def test_a_form_sent_twice_urges_once(desk, stand):
    task = desk.working(8, DUE)
    office = desk.staff("office")
    letter = actions.urge(office, task_ids=[task.pk], body="请抓紧。", once="k" * 20)
    with pytest.raises(AlreadyDone) as again:
        actions.urge(office, task_ids=[task.pk], body="请抓紧。", once="k" * 20)
    assert again.value.result == str(letter.ref)
    assert Letter.objects.count() == 1


# Criticism ------------------------------------------------------------------------------------------------------------


def test_nobody_is_criticised_for_what_the_clock_does_not_show_late(desk, stand):
    task = desk.working(8, DUE)
    with pytest.raises(Invalid, match="没有逾期，不能通报"):
        draft(desk, task)
    stand("2022-09-30 23:00")
    with pytest.raises(Invalid):
        draft(desk, desk.task(8))
    assert not Letter.objects.exists()


def test_one_task_in_time_among_late_ones_stops_the_draft(desk, stand):
    on_time = desk.working(11)
    with pytest.raises(Invalid, match="任务 11 没有逾期"):
        draft(desk, late(desk, stand), on_time)


def test_a_passed_limit_a_late_step_and_a_missing_signature_are_each_late(desk, stand):
    desk.working(8, DUE)
    desk.working(11)
    desk.split(11, ("梳理事项", date(2022, 9, 20)))
    desk.issue(22, date(2022, 12, 1))
    stand(AFTER)
    tasks = [desk.task(no) for no in (8, 11, 22)]
    assert [letters.is_late(task) for task in tasks] == [True] * 3
    assert len(queries.letter_targets(draft(desk, *tasks))) == 3


def test_a_draft_has_no_number_and_nobody_is_told(desk, stand):
    letter = draft(desk, late(desk, stand))
    assert (letter.state, letter.number) == (Letter.DRAFT, "")
    assert not notices("shichangju", str(letter.ref))


def test_a_second_person_signs_and_then_it_is_numbered_and_sent(desk, stand):
    letter = actions.sign_letter(desk.staff("office.head"), letter_id=draft(desk, late(desk, stand)).pk)
    assert (letter.state, letter.number) == (Letter.SIGNED, "海数办通报〔2022〕1号")
    assert set(notices("shichangju", str(letter.ref))) == {
        "shichangju",
        "shichangju.head",
        "shichangju.deputy",
    }


def test_who_drafted_does_not_sign(desk, stand):
    letter = draft(desk, late(desk, stand), by="office.head")
    with pytest.raises(Denied, match="起草人不能签发"):
        actions.sign_letter(desk.staff("office.head"), letter_id=letter.pk)
    other = directory_actions.open_post(
        SYSTEM, unit_id=desk.unit("shenpiju"), title="领导小组办公室 主任", roles=["programme.office_head"]
    )
    desk.deputise("shichangju", other.pk)
    signer = desk.in_role("shichangju", "programme.office_head")
    assert actions.sign_letter(signer, letter_id=letter.pk).state == Letter.SIGNED


@pytest.mark.parametrize("who", ["office", "shichangju", "shichangju.head", "leader"])
def test_only_the_head_of_the_office_signs(desk, stand, who):
    letter = draft(desk, late(desk, stand))
    with pytest.raises(Denied):
        actions.sign_letter(desk.staff(who), letter_id=letter.pk)


def test_a_draft_is_sent_back_with_a_reason_and_stays_what_it_was(desk, stand):
    letter = draft(desk, late(desk, stand))
    head = desk.staff("office.head")
    with pytest.raises(Invalid) as refused:
        actions.sign_letter(head, letter_id=letter.pk, accept=False, reason=" ")
    assert "reason" in refused.value.fields
    back = actions.sign_letter(head, letter_id=letter.pk, accept=False, reason="先当面了解情况。")
    assert (back.state, back.number, back.refusal) == (Letter.REFUSED, "", "先当面了解情况。")
    with pytest.raises(StepNotAllowed, match="已退回"):
        actions.sign_letter(head, letter_id=letter.pk)
    assert not notices("shichangju", str(letter.ref))


def test_a_letter_that_was_decided_meanwhile_is_not_decided_again(desk, stand):
    letter = draft(desk, late(desk, stand))
    head = desk.staff("office.head")
    actions.sign_letter(head, letter_id=letter.pk, version=1)
    with pytest.raises(Conflict, match="已签发"):
        actions.sign_letter(head, letter_id=letter.pk, version=1)


# Who reads ------------------------------------------------------------------------------------------------------------


def test_a_unit_sees_the_signed_letters_that_name_it_and_no_others(desk, stand):
    letter = draft(desk, late(desk, stand))
    named, other = desk.staff("shichangju"), desk.staff("zhengfawei")
    for actor in (named, other):
        assert not queries.letters(actor).exists()
        with pytest.raises(NotThere):
            queries.letter(actor, letter.pk)
    actions.sign_letter(desk.staff("office.head"), letter_id=letter.pk)
    assert queries.letter(named, letter.pk) == letter
    assert describe([letter.ref], named)[letter.ref] == (
        "通报 海数办通报〔2022〕1号",
        f"/programme/letters/{letter.pk}/",
    )
    assert describe([letter.ref], other)[letter.ref][1] == ""
    with pytest.raises(NotThere):
        queries.letter(other, letter.pk)
    assert queries.letter(desk.staff("leader"), letter.pk) == letter


def test_a_draft_waits_in_the_count_of_whoever_may_sign_it(desk, stand):
    letter = draft(desk, late(desk, stand))
    assert queries.letters_to_sign(desk.staff("office.head")) == 1
    assert queries.letters_to_sign(desk.staff("office")) == 0
    actions.sign_letter(desk.staff("office.head"), letter_id=letter.pk)
    assert queries.letters_to_sign(desk.staff("office.head")) == 0


# The words and the paper ----------------------------------------------------------------------------------------------


def test_the_text_begins_with_the_facts_and_names_only_the_late_as_late(desk, stand):
    task, on_time = late(desk, stand), desk.working(11)
    text = letters.urge_text([task, on_time])
    assert "（海政发〔2022〕114号）第 8、11 项任务由各单位分别牵头" in text
    assert "其中第 8 项已经逾期" in text
    assert "其中" not in letters.urge_text([on_time])
    assert letters.urge_text([]) == letters.criticism_text([]) == letters.criticism_title([]) == ""


def test_the_paper_of_a_signed_letter_bears_number_addressees_table_and_day(desk, stand):
    letter = actions.sign_letter(desk.staff("office.head"), letter_id=draft(desk, late(desk, stand)).pk)
    paper = letters.paper_of(letter)
    assert paper.number == letter.number
    assert paper.addressees == ("海州区市场监督管理局",)
    assert paper.signed_on == date(2022, 10, 10)
    assert paper.flags == ("演示数据",)
    assert paper.blocks[-1].rows[0][:3] == ("8", "加强标准建设", "海州区市场监督管理局")


def test_the_paper_of_a_draft_says_that_it_is_one(desk, stand):
    paper = letters.paper_of(draft(desk, late(desk, stand)))
    assert paper.flags[0].startswith("草稿")
    assert (paper.number, paper.signed_on) == ("", None)


def test_a_letter_names_units_as_they_were_called_on_its_day(desk, stand):
    letter = actions.sign_letter(desk.staff("office.head"), letter_id=draft(desk, late(desk, stand)).pk)
    stand("2022-12-01 09:00")
    directory_actions.rename_unit(
        SYSTEM, unit_id=desk.unit("shichangju"), name="海州区市场局", on=date(2022, 12, 1), source="测试"
    )
    assert letters.paper_of(letter).addressees == ("海州区市场监督管理局",)
