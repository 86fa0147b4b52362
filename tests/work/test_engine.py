"""The engine moves matters by their process, for whoever the process names, and leaves a history."""

from datetime import date, timedelta

import pytest

from liangzhu.beams.work.files import api as files
from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters.actions import release_process
from liangzhu.beams.work.matters.engine import Attempt, process_of
from liangzhu.beams.work.matters.models import Answer, Clock, Entry, Matter, Party
from liangzhu.beams.work.matters.policies import step as may_step
from liangzhu.kernel import releases
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.calendar import override_day
from liangzhu.kernel.errors import (
    AlreadyDone,
    Conflict,
    Denied,
    Invalid,
    NotThere,
    StepNotAllowed,
)
from liangzhu.kernel.models import LogLeaf, OutboxEvent
from liangzhu.kernel.now import at, now
from liangzhu.kernel.worker import drain

from .conftest import DATED, SIMPLE


@pytest.fixture
def li(district):
    """An officer of the leading unit."""
    return district.officer("甲局", "李四")


@pytest.fixture
def zhou(district):
    """An officer of the checking unit."""
    return district.officer("督办室", "周五")


# Opening and stepping -------------------------------------------------------------------------------------


def test_a_matter_opens_in_the_first_state_with_number_history_and_running_clock(simple, li):
    matter = simple(li)
    assert matter.state == "received" and matter.version == 1 and matter.number == "S-2022-0001"
    entry = Entry.objects.get(matter=matter)
    assert (entry.transition, entry.to_state, entry.actor_label) == ("open", "received", "李四 · 科长")
    assert Clock.objects.get(matter=matter).name == "accept"
    assert matters.light(matter).text == "还剩 2 个工作日"
    assert simple(li).number == "S-2022-0002"


def test_a_step_moves_state_and_clocks_and_leaves_line_leaf_and_event(simple, li, advance):
    matter = advance(li, simple(li), "accept", version=1)
    assert (matter.state, matter.version) == ("working", 2)
    running = Clock.objects.filter(matter=matter, stopped_at=None)
    assert set(running.values_list("name", flat=True)) == {"term", "law"}
    assert [line.to_state for line in Entry.objects.filter(matter=matter)] == ["received", "working"]
    assert matter.promised_at < matter.legal_at == running.get(name="law").due_at
    assert LogLeaf.objects.filter(subject=str(matter.ref), action="matters.step").count() == 1
    assert OutboxEvent.objects.filter(subject=str(matter.ref), name="matters.advanced").count() == 1


def test_only_whom_the_process_names_may_do_a_step(district, simple, li, zhou, advance):
    matter = simple(li)
    with pytest.raises(Denied, match="办理这一步"):
        advance(zhou, matter, "accept")
    without_role = district.staff(district.person("无角色", post := district.post("甲局")), post)
    with pytest.raises(Denied):
        advance(without_role, matter, "accept")


def test_who_takes_no_part_does_not_find_the_matter(district, simple, li, advance):
    with pytest.raises(NotThere):
        advance(district.officer("乙局", "外人"), simple(li), "accept")


def test_a_step_of_another_state_is_refused_naming_the_state_and_the_last_step(simple, li, advance):
    matter = advance(li, simple(li), "accept")
    with pytest.raises(StepNotAllowed, match=r"办理中.*李四.*受理"):
        advance(li, matter, "accept")


def test_the_second_of_two_people_reads_who_was_first(district, simple, li, advance):
    matter = simple(li)
    wang = district.head("甲局", "王五")
    advance(wang, matter, "accept", version=1)
    with pytest.raises(Conflict, match="王五 · 局长已于 2022-10-20 09:00 办理“受理”"):
        advance(li, matter, "accept", version=1)


def test_a_form_that_is_sent_twice_is_done_once(simple, li):
    matter = simple(li)
    key = "0123456789abcdef0"
    matters.step(li, matter_id=matter.pk, transition="accept", version=1, once=key)
    with pytest.raises(AlreadyDone) as again:
        matters.step(li, matter_id=matter.pk, transition="accept", version=1, once=key)
    assert again.value.result == str(matter.ref)
    assert Entry.objects.filter(matter=matter, transition="accept").count() == 1


def test_a_refused_step_leaves_nothing_behind(simple, li, advance):
    matter = advance(li, simple(li), "accept")
    before = (
        Entry.objects.count(),
        Clock.objects.count(),
        LogLeaf.objects.count(),
        OutboxEvent.objects.count(),
    )
    with pytest.raises(Invalid):
        advance(li, matter, "report")
    matter.refresh_from_db()
    assert matter.state == "working" and matter.version == 2
    assert before == (
        Entry.objects.count(),
        Clock.objects.count(),
        LogLeaf.objects.count(),
        OutboxEvent.objects.count(),
    )


def test_the_turn_hands_the_matter_to_the_party_and_back(district, simple, li, zhou, advance):
    matter = advance(li, simple(li, assignee_id=li.post_id), "accept")
    matter = advance(li, matter, "report", result="完成")
    assert matter.holding_unit_id == district.units["督办室"] and matter.assignee_id is None
    matter = advance(zhou, matter, "send_back", reason="缺材料")
    assert matter.holding_unit_id == district.units["甲局"]


def test_history_rows_cannot_be_changed_or_deleted(simple, li):
    entry = Entry.objects.get(matter=simple(li))
    entry.title = "别的"
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()


def test_a_matter_ends_under_the_release_it_began_with(simple, dated, li, district, advance):
    matter = dated(li, None)
    draft = releases.seed("process", "dated", DATED.replace('title = "完成"', 'title = "办完"'), "dated.toml")
    release_process(SYSTEM_LIKE, release_id=draft.pk, accept=True)
    assert process_of(matter).flow.transitions["finish"].title == "完成"
    assert process_of(dated(li, None)).flow.transitions["finish"].title == "办完"


SYSTEM_LIKE = type(SYSTEM)(ref=SYSTEM.ref.__class__("system", "second"), label="第二人")


# Who: deputies, two persons -------------------------------------------------------------------------------


def test_a_deputy_acts_under_the_post_and_history_says_for_whom(district, simple, li, advance):
    holder = district.officer("甲局", "张三")
    deputy = district.deputy(li.person_id, holder.post_id)
    matter = advance(deputy, simple(li), "accept")
    assert Entry.objects.filter(matter=matter).last().actor_label.startswith("李四（代张三）")


def test_two_persons_are_told_apart_by_person_not_by_post(district, simple, li, zhou, advance):
    """Whoever reported cannot check, not even as deputy under a post of the checking unit."""
    matter = advance(li, simple(li), "accept")
    matter = advance(li, matter, "report", result="完成")
    as_deputy = district.deputy(li.person_id, zhou.post_id)
    attempt = Attempt(matter, process_of(matter).flow.transitions["close"], dict(_parties(matter)))
    assert may_step(as_deputy, attempt)
    with pytest.raises(Denied, match="“报送办结”是您本人办理的"):
        advance(as_deputy, matter, "close")
    assert matters.transitions(matter, as_deputy)[-1].blocked
    assert advance(zhou, matter, "close").state == "closed"


def test_the_latest_doing_counts_for_the_two_person_rule(district, simple, li, zhou, advance):
    """Who reported first may check what somebody else reported again."""
    wang = district.head("甲局", "王五")
    post = district.post("督办室", "matters.officer")
    wang_there = district.deputy(wang.person_id, post.pk)
    matter = advance(wang, advance(li, simple(li), "accept"), "report", result="初稿")
    matter = advance(zhou, matter, "send_back", reason="不全")
    matter = advance(li, matter, "report", result="补全")
    assert advance(wang_there, matter, "close").state == "closed"


def _parties(matter):
    return Party.objects.filter(matter=matter).values_list("name", "unit_id")


# Fields ---------------------------------------------------------------------------------------------------


def test_fields_are_checked_and_kept_as_they_were(simple, li, advance):
    matter = advance(li, simple(li), "accept")
    advance(
        li, matter, "note_progress", progress="完成一半\r\n继续", when="2022-11-01", share="50.5", mood="good"
    )
    answer = Answer.objects.get(matter=matter)
    assert answer.form == "simple/note_progress"
    assert answer.body == ('{"mood":"good","progress":"完成一半\\n继续","share":"50.5","when":"2022-11-01"}')
    line = matters.history(li, matter)[-1]
    assert ("情况", "顺利", "choice") in line.fields and (
        "完成日期",
        date(2022, 11, 1),
        "date",
    ) in line.fields


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "progress"),
        ({"progress": "   "}, "progress"),
        ({"progress": "好", "when": "2022-13-01"}, "when"),
        ({"progress": "好", "share": "101"}, "share"),
        ({"progress": "好", "share": "NaN"}, "share"),
        ({"progress": "好", "mood": "fine"}, "mood"),
        ({"progress": "好", "files": ["x"]}, "files"),
        ({"progress": "好", "surprise": "1"}, "surprise"),
        ({"progress": "好" * 5001}, "progress"),
    ],
)
def test_a_wrong_field_is_named(simple, li, advance, data, field):
    matter = advance(li, simple(li), "accept")
    with pytest.raises(Invalid) as wrong:
        advance(li, matter, "note_progress", **data)
    assert list(wrong.value.fields) == [field]


def test_an_early_guard_is_shown_before_and_holds_at_the_step(district, simple, li, advance, run):
    matter = advance(li, simple(li), "accept")
    advance(li, matter, "ask_help", helpers=[district.units["乙局"]])
    blocked = {option.name: option.blocked for option in matters.transitions(matter, li)}
    assert blocked["report"] == "示例区乙局还没有办完。" and not blocked["hold"]
    with pytest.raises(StepNotAllowed, match="示例区乙局还没有办完"):
        advance(li, matter, "report", result="完成")


# Parts ----------------------------------------------------------------------------------------------------


def test_a_part_runs_beside_the_matter_with_its_own_unit_term_and_result(district, simple, li, advance):
    matter = advance(li, simple(li), "accept")
    advance(li, matter, "ask_help", helpers=[district.units["乙局"]])
    part = matters.Part.objects.get(matter=matter)
    assert part.due_at == matters.end_of(date(2022, 10, 27)) and part.title == matter.title
    helper = district.officer("乙局", "赵六")
    version = matter.version
    advance(helper, matter, "answer", part=part, result="同意")
    part.refresh_from_db()
    assert (part.state, part.result, part.version) == ("given", "同意", 2) and part.done_at
    assert matter.version == version
    advance(li, matter, "ask_again", part=part)
    part.refresh_from_db()
    assert part.is_open and part.result == ""


def test_a_part_can_only_be_done_by_its_unit(district, simple, li, advance):
    matter = advance(li, simple(li), "accept")
    advance(li, matter, "ask_help", helpers=[district.units["乙局"]])
    part = matters.Part.objects.get(matter=matter)
    with pytest.raises(Denied):
        advance(li, matter, "answer", part=part, result="代答")


def test_two_helpers_do_not_get_in_each_others_way_and_one_part_knows_its_conflicts(
    district, simple, li, advance
):
    matter = advance(li, simple(li), "accept")
    advance(li, matter, "ask_help", helpers=[district.units["乙局"], district.units["督办室"]])
    first, second = matters.Part.objects.filter(matter=matter).order_by("id")
    zhao, zhou = district.officer("乙局", "赵六"), district.officer("督办室", "周五")
    advance(zhao, matter, "answer", part=first, version=1, result="同意")
    advance(zhou, matter, "answer", part=second, version=1, result="同意")
    with pytest.raises(Conflict, match="赵六"):
        advance(district.officer("乙局", "钱七"), matter, "answer", part=first, version=1, result="再答")


def test_what_still_runs_beside_a_matter_ends_with_it(district, simple, seed_process, li, zhou, advance):
    simple(li)
    seed_process(
        SIMPLE.replace('guards = [{ name = "parts_finished" }]\n', "").replace(
            'key = "simple"', 'key = "loose"'
        )
    )
    matter = advance(li, simple(li), "accept")
    advance(li, matter, "ask_help", helpers=[district.units["乙局"]])
    advance(zhou, advance(li, matter, "report", result="完成"), "close")
    part = matters.Part.objects.get(matter=matter)
    assert part.result == "随事项结束" and part.remind_at is None
    with pytest.raises(StepNotAllowed):
        advance(district.officer("乙局", "赵六"), matter, "answer", part=part, result="迟到")


# Clocks of a matter ---------------------------------------------------------------------------------------


def test_a_suspended_clock_shows_no_light_and_goes_on_where_it_stood(simple, li, advance):
    matter = advance(li, simple(li), "accept")
    before = matter.promised_at
    matter = advance(li, matter, "hold", reason="专家评审")
    assert matters.light(matter).state == "paused" and matter.promised_at is None
    with at("2022-10-24 10:00"):
        matter = advance(li, matter, "go_on")
    # Friday 21 and Monday 24 did not count.
    assert matters.last_day(matter.promised_at) == matters.last_day(before) + timedelta(days=4)
    leg = matters.clock_of(matter).promised
    assert [stop.reason for stop in leg.stops] == ["专家评审"]


def test_a_clock_that_ended_late_is_remembered_when_the_matter_closes(simple, li, zhou, advance):
    matter = advance(li, simple(li), "accept")
    with at("2022-11-10 09:00"):
        matter = advance(li, matter, "report", result="完成")
        assert matters.light(matter).text == "超承诺 7 天"
        matter = advance(zhou, matter, "close")
    assert matter.overran == Matter.BEYOND_PROMISE and matters.light(matter).text == "超承诺办结"


def test_a_matter_closed_in_time_says_so(simple, li, zhou, advance):
    matter = advance(zhou, advance(li, advance(li, simple(li), "accept"), "report", result="完成"), "close")
    assert matters.light(matter).text == "按期办结" and not Clock.objects.filter(
        matter=matter, stopped_at=None
    )


def test_a_date_given_at_opening_runs_and_moves_only_by_extension(district, dated, li, advance):
    head = district.head("甲局", "局长")
    matter = dated(li, date(2022, 10, 25))
    assert matters.light(matter).text == "还剩 3 个工作日"
    matter = advance(head, matter, "extend", until="2022-11-30", reason="等配套文件")
    assert matters.last_day(matter.promised_at) == date(2022, 11, 30)
    assert (
        "完成期限由 2022-10-25 延至 2022-11-30：等配套文件" in Entry.objects.filter(matter=matter).last().note
    )
    with pytest.raises(Invalid, match="应晚于 2022-11-30"):
        advance(head, matter, "extend", until="2022-11-29", reason="提前")


def test_reopening_goes_on_with_the_same_date(district, dated, li, advance):
    head = district.head("甲局", "局长")
    matter = advance(li, dated(li, date(2022, 10, 25)), "finish")
    assert not matter.is_open
    matter = advance(head, matter, "reopen")
    assert matter.is_open and matters.last_day(matter.promised_at) == date(2022, 10, 25)


def test_without_a_date_nothing_runs_until_one_is_given(dated, li, run):
    matter = dated(li, None)
    assert matters.light(matter).state == "none"
    run(li, lambda act: matters.start_clock(act, matter, "due", due_on=date(2022, 12, 1)))
    assert matters.last_day(matter.promised_at) == date(2022, 12, 1) and matter.version == 2


def test_a_day_off_by_notice_moves_the_ends_that_cross_it(simple, li, advance):
    matter = advance(li, simple(li), "accept")
    other = simple(li)
    before = matter.promised_at
    override_day(SYSTEM, day=date(2022, 10, 27), workday=False, reason="大厅停电检修", source="通知")
    drain()
    matter.refresh_from_db()
    other.refresh_from_db()
    assert matter.promised_at == before + timedelta(days=1)
    assert "由 2022-11-03 改为 2022-11-04" in Entry.objects.filter(matter=matter).last().note
    assert other.version == 1  # its two days end before


def test_a_clock_beyond_the_published_holidays_says_that_it_is_a_guess(simple, li, advance):
    with at("2026-12-20 09:00"):
        matter = advance(li, simple(li), "accept")
        assert matter.clock_provisional
        assert matters.clock_of(matter).legal.provisional


# Lights and their conditions ------------------------------------------------------------------------------


def test_every_open_matter_is_found_under_the_light_it_shows_and_no_other(
    district, simple, dated, li, advance
):
    rows = [simple(li), dated(li, None), dated(li, date(2022, 10, 20)), dated(li, date(2022, 12, 30))]
    rows.append(advance(li, advance(li, simple(li), "accept"), "hold", reason="评审"))
    rows.append(advance(li, simple(li), "accept"))
    seen = set()
    for moment in (
        "2022-10-20 09:00",
        "2022-10-24 09:00",
        "2022-11-08 12:00",
        "2022-12-01 09:00",
        "2023-01-05 09:00",
    ):
        with at(moment):
            for row in rows:
                row.refresh_from_db()
                state = matters.light(row).state
                seen.add(state)
                found = [
                    name
                    for name in ("law", "over", "near", "ok", "paused", "none")
                    if Matter.objects.filter(matters.light_q(name), pk=row.pk).exists()
                ]
                assert found == [state], (row.title, moment)
    assert seen == {"law", "over", "near", "ok", "paused", "none"}


@pytest.mark.parametrize(
    ("moment", "state", "text"),
    [
        ("2022-10-20 23:59", "ok", "还剩 3 个工作日"),
        ("2022-10-25 23:59", "near", "今天到期"),
        ("2022-10-26 00:00", "over", "超承诺 1 天"),
        ("2022-10-22 10:00", "ok", "还剩 2 个工作日"),
    ],
)
def test_a_day_ends_at_midnight_in_shanghai(dated, li, monkeypatch, moment, state, text):
    from liangzhu.beams.work.matters import clocks, rules

    monkeypatch.setattr(clocks, "rules", lambda: rules.Rules(rules.NearDue(0, 1), (), ()))
    matter = dated(li, date(2022, 10, 25))
    with at(moment):
        found = matters.light(matter)
    assert (found.state, found.text) == (state, text)


# Assignment, remarks --------------------------------------------------------------------------------------


def test_a_head_gives_a_matter_to_a_post_of_the_unit_which_hears_of_it(district, simple, li):
    matter = simple(li)
    head = district.head("甲局", "局长")
    matters.assign(head, matter_id=matter.pk, post_id=li.post_id, version=1)
    matter.refresh_from_db()
    assert matter.assignee_id == li.post_id
    assert list(matters.inbox(li, "mine")) == [matter]
    assert matters.Notice.objects.get(post=li.post_id).title.startswith("分派给您")
    with pytest.raises(Invalid):
        matters.assign(head, matter_id=matter.pk, post_id=district.post("乙局").pk, version=2)
    with pytest.raises(Conflict, match="局长"):
        matters.assign(li, matter_id=matter.pk, post_id=None, version=1)


def test_another_unit_cannot_assign(district, simple, li, zhou):
    with pytest.raises(Denied):
        matters.assign(zhou, matter_id=simple(li).pk, post_id=zhou.post_id)


def test_a_remark_moves_nothing_and_tells_the_assignee(simple, li, zhou):
    matter = simple(li, assignee_id=li.post_id)
    matters.comment(zhou, matter_id=matter.pk, text="请补充依据")
    matter.refresh_from_db()
    assert matter.version == 1
    assert matters.Notice.objects.get(post=li.post_id).text == "请补充依据"
    with pytest.raises(Invalid):
        matters.comment(zhou, matter_id=matter.pk, text="  ")


def test_files_given_at_a_step_belong_to_the_matter(simple, li, advance, upload):
    matter = advance(li, simple(li), "accept")
    given = files.stage(li, upload=upload("进展.txt", "内容"))
    advance(li, matter, "note_progress", progress="见附件", files=[given.pk])
    assert [row.name for row in files.of(matter.ref)] == ["进展.txt"]
    assert [row.name for row in matters.history(li, matter)[-1].files] == ["进展.txt"]


def test_a_file_of_somebody_else_cannot_be_given(district, simple, li, advance, upload):
    matter = advance(li, simple(li), "accept")
    other = files.stage(district.officer("乙局", "赵六"), upload=upload("别人的.txt", "内容"))
    with pytest.raises(Invalid, match="附件已不可用"):
        advance(li, matter, "note_progress", progress="见附件", files=[other.pk])


# From other apps ------------------------------------------------------------------------------------------


def test_work_of_another_app_on_a_matter_leaves_one_line_of_its_own(district, simple, li, advance, run):
    matter = advance(li, simple(li), "accept")
    run(li, lambda act: matters.extend_clock(act, matter, "term", amount=5, reason="案情复杂"))
    line = Entry.objects.filter(matter=matter).last()
    assert line.transition == "matters.extend_clock" and "延至 2022-11-10：案情复杂" in line.note
    assert matter.version == line.version == 3
    run(li, lambda act: matters.hand_over(act, matter, district.units["乙局"]))
    assert Entry.objects.filter(matter=matter).last().note == "转示例区乙局办理"
    assert matter.holding_unit_id == district.units["乙局"]


def test_a_closed_matter_is_left_alone(simple, li, zhou, advance, run):
    matter = advance(zhou, advance(li, advance(li, simple(li), "accept"), "report", result="完"), "close")
    with pytest.raises(StepNotAllowed, match="已经办结"):
        run(li, lambda act: matters.start_clock(act, matter, "term"))
    with pytest.raises(StepNotAllowed):
        matters.assign(zhou, matter_id=matter.pk, post_id=None)


def test_the_object_passed_in_holds_the_new_state(simple, li, run):
    matter = simple(li)
    stale = Matter.objects.get(pk=matter.pk)
    run(li, lambda act: matters.advance(act, stale, "accept"))
    assert (stale.state, stale.version) == ("working", 2) and stale.opened_at <= now()


def test_parts_that_ended_with_a_matter_go_on_when_it_is_taken_up_again(
    district, simple, seed_process, li, zhou, advance
):
    text = SIMPLE.replace('guards = [{ name = "parts_finished" }]\n', "").replace(
        'key = "simple"', 'key = "again"'
    )
    text = text.replace(
        "[parts.opinion]",
        '[[transitions]]\nname = "reopen"\ntitle = "重办"\neffect_text = "重新办理"\nfrom = ["closed"]\n'
        'to = "working"\nwho = [{ party = "office" }]\n\n[parts.opinion]',
        1,
    )
    simple(li)
    seed_process(text)
    matter = advance(li, simple(li), "accept")
    advance(li, matter, "ask_help", helpers=[district.units["乙局"]])
    matter = advance(zhou, advance(li, matter, "report", result="完成"), "close")
    matter = advance(zhou, matter, "reopen")
    part = matters.Part.objects.get(matter=matter)
    assert matter.is_open and part.is_open and part.remind_at
