"""The ledger through its actions: issuing, signing, steps, evidence, helpers, limits, closing by a second person."""

from datetime import date
from decimal import Decimal

import pytest

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters.api import Notice
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Conflict, Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.now import today
from liangzhu.pillars.programme import actions
from liangzhu.pillars.programme.letters import is_late
from liangzhu.pillars.programme.models import Clause, PlanTask

DUE = date(2022, 12, 9)


def held(task: PlanTask) -> str:
    return directory.units().get(task.matter.holding_unit_id).key


# Issuing --------------------------------------------------------------------------------------------------------------


def test_an_issued_task_lies_with_its_lead_unit_and_waits_for_its_signature(desk, stand):
    task = desk.issue(8, DUE)
    assert task.matter.state == "issued"
    assert held(task) == "shichangju"
    assert task.due_on == DUE
    assert task.clauses.get(kind=Clause.TASK).due_on == DUE


def test_the_limit_of_the_plan_stands_unless_the_office_gives_another(desk, stand):
    assert desk.issue(13).due_on == date(2022, 10, 31)
    assert desk.issue(11, date(2022, 12, 1)).due_on == date(2022, 12, 1)
    assert desk.issue(10).due_on is None


def test_each_unit_named_in_the_plan_gets_a_part_of_its_own(desk, stand):
    task = desk.issue(8, DUE)
    (helper,) = task.helpers.all()
    assert (helper.part.unit_id, helper.part.state) == (desk.unit("shenpiju"), "waiting")


def test_a_unit_chosen_out_of_an_open_set_gets_a_part_and_keeps_the_words_it_was_chosen_by(desk, stand):
    task = desk.issue(8, DUE, helpers=("quyang_jiedao",))
    chosen = task.helpers.get(unit=desk.unit("quyang_jiedao"))
    assert chosen.part.state == "waiting"
    assert chosen.expression == "各镇街"


def told(key: str) -> set[str]:
    heads = {post.id for post in directory.posts(directory.units().by_key(key).id, head=True)}
    return {notice.title for notice in matters.Notice.objects.filter(post__in=heads)}


def test_the_other_members_of_an_open_set_are_told_and_those_who_take_part_are_not_told_twice(desk, stand):
    task = desk.issue(8, DUE, helpers=("quyang_jiedao",))
    assert any(task.title in title for title in told("jinping_zhen"))
    assert not any("请知悉" in title for title in told("quyang_jiedao"))
    assert not any("请知悉" in title for title in told("shichangju"))


def test_a_unit_outside_the_open_sets_cannot_be_made_to_help(desk, stand):
    with pytest.raises(Invalid) as refused:
        desk.issue(22, DUE, helpers=("jinping_zhen",))
    assert "不在文件写明的参与范围内" in refused.value.fields["helper_ids"]
    assert desk.task(22).matter is None


def test_a_task_is_issued_once(desk, stand):
    desk.issue(8, DUE)
    with pytest.raises(StepNotAllowed, match="已于 2022-08-26 下达"):
        desk.issue(8, DUE)


@pytest.mark.parametrize("due", [date(2022, 8, 25), date(2222, 1, 1)])
def test_a_limit_that_cannot_be_meant_is_named(desk, stand, due):
    with pytest.raises(Invalid) as refused:
        desk.issue(8, due)
    assert "due_on" in refused.value.fields


@pytest.mark.parametrize("who", ["shichangju", "shichangju.head", "leader", "auditor", "admin"])
def test_only_the_office_issues(desk, stand, who):
    with pytest.raises(Denied):
        desk.issue(8, DUE, by=who)


def test_a_task_that_changed_meanwhile_is_not_issued_over(desk, stand):
    task = desk.task(8)
    with pytest.raises(Conflict):
        actions.issue_task(desk.staff("office"), task_id=task.pk, version=task.version + 1)


# Helpers --------------------------------------------------------------------------------------------------------------


def test_a_helping_unit_signs_for_its_part_and_reports_it_without_waiting_for_the_lead(desk, stand):
    part = desk.issue(8, DUE).helpers.get().part_id
    desk.step("shenpiju", 8, "helper_sign", part=part)
    task = desk.step("shenpiju", 8, "helper_report", part=part, result="标准清单已核对。")
    assert task.helpers.get().part.state == "done"
    assert task.matter.state == "issued"


def test_a_unit_does_not_sign_for_another_units_part(desk, stand):
    part = desk.issue(8, DUE).helpers.get().part_id
    with pytest.raises(Denied):
        desk.step("caizhengju", 8, "helper_sign", part=part)


def test_the_office_adds_a_helper_later_out_of_the_open_sets_only(desk, stand):
    task = desk.issue(22, DUE)
    office = desk.staff("office")
    added = actions.add_helper(office, task_id=task.pk, unit_id=desk.unit("minzhengju"))
    assert added.part.state == "waiting"
    with pytest.raises(Invalid, match="已是配合单位"):
        actions.add_helper(office, task_id=task.pk, unit_id=desk.unit("minzhengju"))
    with pytest.raises(Invalid, match="不在文件写明的参与范围内"):
        actions.add_helper(office, task_id=task.pk, unit_id=desk.unit("jinping_zhen"))


# Steps ----------------------------------------------------------------------------------------------------------------


def test_a_signed_task_is_split_into_steps_in_the_order_of_their_days(desk, stand):
    desk.working(8, DUE)
    desk.split(8, ("征集专家", date(2022, 11, 1)), ("列清单", date(2022, 9, 20)))
    assert [step.title for step in desk.task(8).steps.all()] == ["列清单", "征集专家"]


def test_nobody_splits_before_signing(desk, stand):
    desk.issue(8, DUE)
    with pytest.raises(StepNotAllowed, match="还没有签收"):
        desk.split(8, ("列清单", date(2022, 9, 20)), by="shichangju")


def test_only_the_lead_unit_splits(desk, stand):
    desk.working(8, DUE)
    for other in ("shenpiju", "office", "wangxinban.head"):
        with pytest.raises(Denied):
            desk.split(8, ("列清单", date(2022, 9, 20)), by=other)


def test_all_that_is_wrong_with_the_steps_is_said_at_once_by_row_and_none_is_made(desk, stand):
    task = desk.working(8, DUE)
    rows = [
        {"row": 1, "title": "太晚", "due_on": date(2022, 12, 10)},
        {"row": 3, "title": " ", "due_on": date(2022, 9, 20)},
        {"row": 4, "title": "太早", "due_on": date(2022, 8, 25)},
        {"row": 5, "title": "别家", "due_on": date(2022, 9, 20), "unit_id": desk.unit("minzhengju")},
        {"row": 6, "title": "好的", "due_on": date(2022, 9, 20)},
    ]
    with pytest.raises(Invalid) as refused:
        actions.split_steps(desk.staff("shichangju"), task_id=task.pk, steps=rows)
    assert set(refused.value.fields) == {"due_on-1", "title-3", "due_on-4", "unit-5"}
    assert not task.steps.exists()


def test_a_step_can_be_given_to_a_helping_unit_which_then_reports_it(desk, stand):
    task = desk.working(8, DUE)
    row = {"title": "核对清单", "due_on": date(2022, 9, 20), "unit_id": desk.unit("shenpiju")}
    actions.split_steps(desk.staff("shichangju"), task_id=task.pk, steps=[row])
    step = task.steps.get()
    with pytest.raises(Denied):
        actions.finish_step(desk.staff("caizhengju"), step_id=step.pk, result="做完")
    done = actions.finish_step(desk.staff("shenpiju"), step_id=step.pk, result="核对无误")
    assert done.done_on == today()


def test_a_step_is_finished_neither_in_the_future_nor_before_the_task_was_issued_nor_without_words(
    desk, stand
):
    desk.working(8, DUE)
    (step,) = desk.split(8, ("列清单", date(2022, 9, 20)))
    stand("2022-09-16 10:00")
    officer = desk.staff("shichangju")
    for bad in ({"done_on": date(2022, 9, 17)}, {"done_on": date(2022, 8, 25)}):
        with pytest.raises(Invalid) as refused:
            actions.finish_step(officer, step_id=step, result="做完", **bad)
        assert "done_on" in refused.value.fields
    with pytest.raises(Invalid) as refused:
        actions.finish_step(officer, step_id=step, result="  ")
    assert "result" in refused.value.fields
    actions.finish_step(officer, step_id=step, result="做完", done_on=date(2022, 9, 15))
    with pytest.raises(StepNotAllowed):
        actions.finish_step(officer, step_id=step, result="再做一次")


def test_a_step_that_is_late_cannot_be_put_off(desk, stand):
    desk.working(8, DUE)
    (step,) = desk.split(8, ("列清单", date(2022, 9, 20)))
    officer = desk.staff("shichangju")
    moved = actions.edit_step(officer, step_id=step, title="列出清单", due_on=date(2022, 9, 30))
    assert (moved.title, moved.due_on) == ("列出清单", date(2022, 9, 30))
    stand("2022-10-08 09:00")
    with pytest.raises(Invalid, match="已经逾期"):
        actions.edit_step(officer, step_id=step, title="列出清单", due_on=date(2022, 10, 30))


def test_no_step_lies_beyond_the_limit_of_its_task(desk, stand):
    desk.working(8, DUE)
    (step,) = desk.split(8, ("列清单", date(2022, 9, 20)))
    with pytest.raises(Invalid, match="晚于任务期限"):
        actions.edit_step(desk.staff("shichangju"), step_id=step, title="列清单", due_on=date(2022, 12, 10))


def test_two_who_edit_a_step_at_once_do_not_overwrite_each_other(desk, stand):
    desk.working(8, DUE)
    (step,) = desk.split(8, ("列清单", date(2022, 9, 20)))
    officer, head = desk.staff("shichangju"), desk.staff("shichangju.head")
    actions.edit_step(officer, step_id=step, title="先改", due_on=date(2022, 9, 20), version=1)
    with pytest.raises(Conflict):
        actions.edit_step(head, step_id=step, title="后改", due_on=date(2022, 9, 20), version=1)


# Reporting, checking, closing -----------------------------------------------------------------------------------------


def test_completion_is_not_reported_without_evidence(desk, stand):
    desk.working(8, DUE)
    with pytest.raises(Invalid) as refused:
        desk.step("shichangju", 8, "report_done", result="都做完了")
    assert "files" in refused.value.fields
    assert desk.task(8).matter.state == "working"


def test_an_indicator_with_its_value_is_evidence_too(desk, stand):
    desk.working(11)
    stand("2022-09-05 09:00")
    snapshot = indicators.report(
        desk.staff("shenpiju"),
        key="services.online_rate_items",
        as_of=date(2022, 8, 31),
        value=Decimal(86),
        source="测试",
    )
    indicators.confirm(desk.staff("shenpiju.head"), snapshot_id=snapshot.pk)
    task = desk.step("shenpiju", 11, "report_done", result="达到目标。", indicator=str(snapshot.pk))
    assert task.matter.state == "checking"


def test_completion_is_not_reported_while_a_step_is_open_and_the_step_is_named(desk, stand):
    desk.working(8, DUE)
    first, second = desk.split(8, ("列清单", date(2022, 9, 20)), ("征集专家", date(2022, 11, 1)))
    officer = desk.staff("shichangju")
    actions.finish_step(officer, step_id=first, result="已列")
    with pytest.raises(Invalid, match="征集专家"):
        desk.step("shichangju", 8, "report_done", result="都做完了", files=desk.evidence("shichangju"))
    actions.edit_step(officer, step_id=second, title="征集专家", due_on=date(2022, 11, 1), withdraw=True)
    task = desk.step("shichangju", 8, "report_done", result="都做完了", files=desk.evidence("shichangju"))
    assert task.matter.state == "checking"
    assert held(task) == "shenpiju"


def test_steps_stand_still_while_the_office_checks(desk, stand):
    desk.working(8, DUE)
    desk.step("shichangju", 8, "report_done", result="做完", files=desk.evidence("shichangju"))
    with pytest.raises(StepNotAllowed, match="正在核查"):
        desk.split(8, ("再来一步", date(2022, 9, 20)))


def test_a_report_that_is_sent_back_goes_to_the_lead_unit_and_its_limit_runs_again(desk, stand):
    desk.working(8, DUE)
    desk.step("shichangju", 8, "report_done", result="做完", files=desk.evidence("shichangju"))
    stand("2022-12-12 09:00")
    assert not is_late(desk.task(8)), "while it is checked the clock of the unit stands"
    task = desk.step("office", 8, "send_back", reason="缺专家名单。")
    assert task.matter.state == "working"
    assert held(task) == "shichangju"
    assert matters.light(task.matter).state == "over"
    assert is_late(task)


def test_a_report_of_completion_gives_the_office_a_day_by_which_it_checks(desk, stand):
    desk.working(8, DUE)
    desk.step("shichangju", 8, "report_done", result="做完", files=desk.evidence("shichangju"))
    offered = matters.transitions(desk.task(8).matter, desk.staff("office"))
    assert [option.name for option in offered] == ["close", "send_back"], "what usually follows comes first"
    light = matters.light(desk.task(8).matter)
    assert (light.state, matters.last_day(light.due_at)) == ("ok", date(2022, 9, 2)), "five working days"
    stand("2022-09-05 09:00")
    assert matters.light(desk.task(8).matter).state == "over"
    with pytest.raises(Invalid, match="没有逾期"):
        actions.draft_criticism(
            desk.staff("office"), task_ids=[desk.task(8).pk], title="通报", body="请说明。"
        )
    back = desk.step("office", 8, "send_back", reason="缺专家名单。")
    assert matters.last_day(matters.light(back.matter).due_at) == DUE, "the unit's limit is what it was"


def test_the_office_says_what_it_checked_when_it_closes(desk, stand):
    desk.working(8, DUE)
    desk.step("shichangju", 8, "report_done", result="做完", files=desk.evidence("shichangju"))
    with pytest.raises(Invalid) as refused:
        desk.step("office", 8, "close")
    assert "finding" in refused.value.fields
    assert desk.step("office", 8, "close", finding="抽查三份标准。").matter.state == "closed"


def test_nobody_closes_what_they_reported_themselves(desk, stand):
    desk.working(4, DUE)
    # One person in two posts: reports as the unit's officer, and would close as the office.
    account = access.Account.objects.get(username="shenpiju")
    desk.second_post(account.person_id, "shenpiju", "领导小组办公室 见习", ["programme.office"])
    desk.step("shenpiju", 4, "report_done", result="做完", files=desk.evidence("shenpiju"))
    as_office = desk.in_role("shenpiju", "programme.office")
    with pytest.raises((Denied, StepNotAllowed), match="本人"):
        matters.step(
            as_office, matter_id=desk.task(4).matter_id, transition="close", data={"finding": "自己看过。"}
        )
    assert desk.step("office", 4, "close", finding="抽查属实。").matter.state == "closed"


@pytest.mark.parametrize("who", ["shichangju", "shichangju.head", "shenpiju.head", "leader"])
def test_only_the_office_closes(desk, stand, who):
    desk.working(8, DUE)
    desk.step("shichangju", 8, "report_done", result="做完", files=desk.evidence("shichangju"))
    with pytest.raises(Denied):
        desk.step(who, 8, "close", finding="没有资格。")


# Limits ---------------------------------------------------------------------------------------------------------------


def ask(desk, by: str = "shichangju", until: date = date(2023, 1, 13), no: int = 8):
    return actions.ask_extension(
        desk.staff(by), task_id=desk.task(no).pk, new_due=until, reason="专家名单要市里确定。"
    )


def decide(desk, by: str, extension, transition: str, post: str | None = None, **data) -> None:
    matters.step(desk.staff(by, post), matter_id=extension.matter_id, transition=transition, data=data)


def test_an_extension_is_agreed_by_the_units_head_and_approved_by_the_head_of_the_office(desk, stand):
    desk.working(8, DUE)
    extension = ask(desk)
    assert desk.task(8).due_on == DUE, "until it is approved the old limit stands"
    decide(desk, "shichangju.head", extension, "agree")
    decide(desk, "office.head", extension, "approve")
    task = desk.task(8)
    assert task.due_on == date(2023, 1, 13)
    assert task.clauses.get(kind=Clause.TASK).due_on == date(2023, 1, 13)
    stand("2022-12-15 09:00")
    assert matters.light(task.matter).state in ("ok", "near"), "the clock was extended with the limit"
    stand("2023-01-16 09:00")
    assert matters.light(desk.task(8).matter).state == "over"


def last_days(task: PlanTask) -> set[date | None]:
    """The last days of the parts of a task that are open."""
    ends = [helper.part.due_at for helper in task.helpers.filter(part__done_at=None)]
    return {end and matters.last_day(end) for end in ends}


def test_those_who_help_have_the_limit_of_the_task_and_it_moves_with_it(desk, stand):
    task = desk.issue(8, DUE, helpers=("quyang_jiedao",))
    desk.step("shichangju", 8, "sign")
    assert last_days(task) == {DUE}
    done = task.helpers.get(unit=desk.unit("shenpiju")).part_id
    desk.step("shenpiju", 8, "helper_sign", part=done)
    desk.step("shenpiju", 8, "helper_report", part=done, result="已配合。")
    extension = ask(desk)
    assert not extension.matter.applicant, "the parent matter says whose limit it is"
    decide(desk, "shichangju.head", extension, "agree")
    decide(desk, "office.head", extension, "approve")
    assert last_days(task) == {extension.new_due}
    assert matters.last_day(task.helpers.get(part=done).part.due_at) == DUE, "what is done stays as it was"
    line = desk.task(8).matter.entries.order_by("id").last()
    assert "配合任务 1 项，期限改为 2023-01-13" in line.note


def test_a_limit_that_is_given_later_is_that_of_the_helpers_too_but_one_that_has_passed_is_not(desk, stand):
    task = desk.working(10)
    actions.add_helper(desk.staff("office"), task_id=task.pk, unit_id=desk.unit("quyang_jiedao"))
    assert last_days(task) == {None}
    actions.set_limit(desk.staff("office"), task_id=task.pk, due_on=DUE, reason="会议定。")
    assert last_days(task) == {DUE}
    stand("2022-12-15 09:00")
    actions.add_helper(desk.staff("office"), task_id=task.pk, unit_id=desk.unit("xinhai_jiedao"))
    assert last_days(task) == {DUE, None}, "nobody is late with what was not asked for in time"


@pytest.mark.parametrize(
    ("who", "what"), [("shichangju", "agree"), ("office", "agree"), ("office.head", "approve")]
)
def test_no_step_of_an_extension_is_skipped(desk, stand, who, what):
    desk.working(8, DUE)
    extension = ask(desk)
    with pytest.raises((Denied, StepNotAllowed)):
        decide(desk, who, extension, what)
    assert desk.task(8).due_on == DUE


def test_the_office_without_its_head_does_not_approve(desk, stand):
    desk.working(8, DUE)
    extension = ask(desk)
    decide(desk, "shichangju.head", extension, "agree")
    with pytest.raises(Denied):
        decide(desk, "office", extension, "approve")


def test_who_asked_does_not_agree_as_the_deputy_of_the_head(desk, stand):
    desk.working(8, DUE)
    stand("2022-10-11 09:00")
    extension = ask(desk, by="shichangju.deputy")
    with pytest.raises((Denied, StepNotAllowed), match="本人"):
        decide(desk, "shichangju.deputy", extension, "agree", post="shichangju.head")


def test_a_refused_extension_leaves_the_limit_and_another_can_be_asked_for(desk, stand):
    desk.working(8, DUE)
    extension = ask(desk)
    with pytest.raises(StepNotAllowed, match="已有一份"):
        ask(desk)
    decide(desk, "shichangju.head", extension, "decline", reason="先赶一赶。")
    assert desk.task(8).due_on == DUE
    assert ask(desk).new_due == date(2023, 1, 13)


@pytest.mark.parametrize("until", [DUE, date(2022, 9, 1), date(2522, 9, 1)])
def test_an_extension_ends_later_and_in_a_year_that_can_be_meant(desk, stand, until):
    desk.working(8, DUE)
    with pytest.raises(Invalid) as refused:
        ask(desk, until=until)
    assert "new_due" in refused.value.fields


def test_a_task_that_is_closed_meanwhile_is_not_extended(desk, stand):
    desk.working(8, DUE)
    extension = ask(desk)
    decide(desk, "shichangju.head", extension, "agree")
    desk.closed(8)
    with pytest.raises(StepNotAllowed):
        decide(desk, "office.head", extension, "approve")
    assert desk.task(8).due_on == DUE


def test_a_limit_is_given_once_where_the_plan_names_none(desk, stand):
    task = desk.working(10)
    assert matters.light(task.matter).state == "none"
    office = desk.staff("office")
    actions.set_limit(office, task_id=task.pk, due_on=DUE, reason="领导小组第二次会议定。")
    assert matters.light(desk.task(10).matter).state == "ok"
    with pytest.raises(StepNotAllowed, match="已有期限"):
        actions.set_limit(office, task_id=task.pk, due_on=date(2023, 6, 1), reason="再放宽。")
    with pytest.raises(Denied):
        actions.set_limit(desk.staff("shenpiju"), task_id=task.pk, due_on=DUE, reason="自己定。")


# Publication ----------------------------------------------------------------------------------------------------------


def test_the_office_proposes_what_the_public_sees_and_its_head_decides(desk, stand):
    office, head = desk.staff("office"), desk.staff("office.head")
    with pytest.raises(StepNotAllowed, match="尚未下达"):
        actions.publish_task(head, task_id=desk.task(8).pk, public=True, summary="早了")
    with pytest.raises(StepNotAllowed, match="尚未下达"):
        actions.propose_publication(office, task_id=desk.task(8).pk, summary="早了")
    task = desk.issue(8, DUE)
    proposed = actions.propose_publication(office, task_id=task.pk, summary="统一办事标准。")
    assert (proposed.public, proposed.summary) == (False, "统一办事标准。")
    asked = Notice.objects.filter(post=head.post_id)
    assert [row.text for row in asked if row.title.startswith("请决定是否公开")] == ["统一办事标准。"]
    for other in ("office", "leader", "shichangju.head"):
        with pytest.raises(Denied):
            actions.publish_task(desk.staff(other), task_id=task.pk, public=True)
    published = actions.publish_task(head, task_id=task.pk, public=True)
    assert (published.public, published.summary) == (True, "统一办事标准。")


def test_the_office_takes_back_what_is_public_but_does_not_rewrite_it(desk, stand):
    task = desk.issue(8, DUE)
    actions.publish_task(desk.staff("office.head"), task_id=task.pk, public=True, summary="统一办事标准。")
    with pytest.raises(StepNotAllowed, match="已经公开"):
        actions.propose_publication(desk.staff("office"), task_id=task.pk, summary="换个说法。")
    with pytest.raises(Denied):
        actions.publish_task(desk.staff("shichangju"), task_id=task.pk, public=False)
    taken = actions.publish_task(desk.staff("office"), task_id=task.pk, public=False)
    assert (taken.public, taken.summary, taken.published_at) == (False, "统一办事标准。", None)


def test_what_does_not_exist_is_said_not_to(desk, stand):
    with pytest.raises(NotThere):
        actions.publish_task(desk.staff("office.head"), task_id=999999, public=True)
    with pytest.raises(NotThere):
        actions.finish_step(desk.staff("shichangju"), step_id=999999, result="做完")


def test_the_system_may_judge_but_a_stranger_may_not(desk, stand):
    actions.judge_clauses(SYSTEM, document_id=desk.document.pk)
    with pytest.raises(Denied):
        actions.judge_clauses(desk.staff("shichangju"), document_id=desk.document.pk)
