"""Eight very different kinds of matter run as declarations: each with its legal clock and its odd paths."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters import timers
from liangzhu.beams.work.matters.models import Entry, Link, Matter, Part, Timer
from liangzhu.kernel.errors import Conflict, Denied, Invalid, StepNotAllowed
from liangzhu.kernel.models import OutboxEvent
from liangzhu.kernel.now import at

# A licence (行政许可法) --------------------------------------------------------------------------------------


def test_licence_runs_with_promise_law_and_a_clock_of_its_own_for_delivery(town):
    case = town.open("licence")
    assert case.last_day("notice") == "2022-10-27"
    case.do("2022-10-21 10:00", "organ", "accept")
    assert (case.last_day("promise"), case.last_day("law")) == ("2022-11-04", "2022-11-18")
    with pytest.raises(Denied, match="须由另一人|本人|办理这一步"):
        case.do("2022-11-04 10:00", "organ", "grant")
    case.do("2022-11-04 10:00", "organ.head", "grant")
    assert case.running() == {"deliver"} and case.last_day("deliver") == "2022-11-18"
    case.do("2022-11-18 23:00", "organ", "deliver")
    assert case.state == "granted" and case.matter.overran == Matter.IN_TIME
    said = OutboxEvent.objects.get(name="matters.announced", subject=str(case.matter.ref))
    assert "licence.granted" in said.body


def test_licence_takes_one_complete_correction_notice_and_refuses_a_second(town):
    case = town.open("licence")
    case.do("2022-10-24 10:00", "organ", "ask_correction", missing="营业执照复印件、房屋证明")
    assert case.running() == set()
    case.do("2022-11-01 10:00", "organ", "correct", received_on="2022-10-31")
    # Five working days from the day the complete materials were received, not from when that was entered.
    assert case.last_day("notice") == "2022-11-07"
    with pytest.raises(StepNotAllowed, match="“一次告知补正”最多办理 1 次.*2022-10-24"):
        case.do("2022-11-02 10:00", "organ", "ask_correction", missing="还缺一份")
    blocked = {o.name: o.blocked for o in matters.transitions(case.matter, town.who("甲局"))}
    assert "最多办理 1 次" in blocked["ask_correction"] and not blocked["accept"]


def test_licence_silence_for_five_days_is_acceptance_from_the_day_of_receipt(town):
    case = town.open("licence", received_on="2022-10-19")
    assert case.last_day("notice") == "2022-10-26"
    case.after("2022-10-26 23:59")
    assert case.state == "received"
    case.after("2022-10-27 00:01")
    assert case.state == "accepted"
    # Twenty working days from 19 October, not from the 27th.
    assert case.last_day("law") == "2022-11-16" and case.last_day("promise") == "2022-11-02"
    line = case.entry("deem_accepted")
    assert line.actor_label == "系统"
    assert "2022-10-26 到时" in line.note and "法定决定期限自 2022-10-19 起算，至 2022-11-16" in line.note
    case.after("2022-10-28 00:01")
    assert Entry.objects.filter(matter=case.matter, transition="deem_accepted").count() == 1


def test_licence_silence_counts_also_when_nothing_ran_for_days(town):
    case = town.open("licence")
    case.after("2022-11-03 08:00")
    assert case.state == "accepted" and case.last_day("law") == "2022-11-17"
    assert "系统于 2022-11-03 补办" in case.entry("deem_accepted").note
    assert case.clock("notice").stopped_at < case.clock("notice").due_at
    case.do("2022-11-04 09:00", "organ.head", "grant").do("2022-11-04 10:00", "organ", "deliver")
    # The organ was silent, which the law answers itself; its decision was late against the promise of 10 days.
    assert case.matter.overran == Matter.BEYOND_PROMISE


def test_licence_silence_comes_before_whoever_acts_while_no_worker_runs(town):
    case = town.open("licence")
    with pytest.raises(StepNotAllowed, match="现在是“审查”.*视为受理"):
        case.do("2022-10-31 09:00", "organ", "ask_correction", worker=False, missing="太迟")
    assert case.state == "accepted" and Timer.objects.get(matter=case.matter).fired_at


def test_licence_stands_still_only_for_what_the_law_names(town):
    case = town.open("licence").do("2022-10-20 10:00", "organ", "accept")
    with pytest.raises(Invalid) as refused:
        case.do("2022-10-24 10:00", "organ", "suspend", reason="现场核查", told="告知〔2022〕1号")
    assert "“现场核查”不在可选的范围内" in refused.value.fields["reason"]
    assert "专家评审" in refused.value.fields["reason"]
    case.do("2022-10-24 10:00", "organ", "suspend", reason="专家评审", told="告知〔2022〕1号")
    case.after("2023-02-01 08:00")
    assert case.state == "special"
    # Two of the twenty days were used up by the 24th; the rest begins the day after the result.
    case.do("2022-11-07 16:00", "organ", "resume", outcome="评审通过")
    assert case.last_day("law") == "2022-12-01"


def test_licence_is_extended_once_by_the_head_before_the_end(town):
    case = town.open("licence").do("2022-10-20 10:00", "organ", "accept")
    with pytest.raises(Denied):
        case.do("2022-11-10 10:00", "organ", "extend", reason="需要核对")
    case.do("2022-11-10 10:00", "organ.head", "extend", reason="需要核对图纸")
    assert case.last_day("law") == "2022-12-01"
    with pytest.raises(StepNotAllowed, match="最多办理 1 次"):
        case.do("2022-11-11 10:00", "organ.head", "extend", reason="再延")
    late = town.open("licence").do("2022-10-20 10:00", "organ", "accept")
    with pytest.raises(StepNotAllowed, match="已于 2022-11-17 到期"):
        late.do("2022-11-18 10:00", "organ.head", "extend", reason="晚了")


def test_licence_is_returned_by_itself_when_nothing_is_corrected(town):
    case = town.open("licence").do("2022-10-20 10:00", "organ", "ask_correction", missing="全部")
    case.after("2022-12-01 23:00")
    assert case.state == "correcting"
    assert case.after("2022-12-02 00:10").state == "returned"


# A bundle (一件事) -------------------------------------------------------------------------------------------


def test_bundle_opens_its_children_and_those_with_prerequisites_wait_and_say_so(town):
    case = town.open("bundle").do("2022-10-20 10:00", "window", "dispatch")
    assert case.last_day("joint") == "2022-12-22"
    states = {child.title[:4]: child.state for child in Matter.objects.filter(parent=case.matter)}
    assert states == {
        "营业执照": "working",
        "医疗机构": "waiting",
        "放射诊疗": "waiting",
        "消防安全": "working",
    }
    clinic, shop = case.child("医疗机构"), case.child("营业执照")
    assert clinic.running() == set() and clinic.matter.holding_unit_id == town.district.units["乙局"]
    # The window looks after the whole, and sees how far each of them is; the other organs do not.
    seen = {
        who: matters.visible(town.who(who)).filter(parent=case.matter).count() for who in ("督办室", "丙局")
    }
    assert seen == {"督办室": 4, "丙局": 1}
    options = matters.transitions(clinic.matter, town.who("乙局"))
    assert options[0].blocked == f"等待前置事项：“{shop.matter.title}”（{shop.matter.number}）审查。"
    with pytest.raises(StepNotAllowed, match="等待前置事项"):
        clinic.do("2022-10-21 10:00", "organ", "begin")


def test_bundle_goes_on_when_a_prerequisite_is_granted_and_ends_when_all_have_ended(town):
    case = town.open("bundle").do("2022-10-20 10:00", "window", "dispatch")
    case.child("营业执照").do("2022-10-25 10:00", "organ", "grant")
    clinic = case.child("医疗机构")
    assert clinic.state == "working" and clinic.last_day("law") == "2022-11-22"
    assert case.child("放射诊疗").state == "waiting"
    clinic.do("2022-11-01 10:00", "organ", "grant")
    case.child("放射诊疗").do("2022-11-02 10:00", "organ", "grant")
    assert case.state == "running"
    case.child("消防安全").do("2022-11-03 10:00", "organ", "grant")
    assert case.state == "closed" and case.matter.overran == Matter.IN_TIME


def test_one_refusal_in_a_bundle_ends_only_what_depends_on_it(town):
    case = town.open("bundle").do("2022-10-20 10:00", "window", "dispatch")
    case.child("营业执照").do("2022-10-25 10:00", "organ", "refuse", reason="名称不符")
    assert case.child("医疗机构").state == "lapsed"
    # What needed that in turn ends too; the rest goes on.
    assert case.child("放射诊疗").state == "lapsed"
    fire = case.child("消防安全")
    assert fire.state == "working" and case.state == "running"
    fire.do("2022-11-03 10:00", "organ", "grant")
    assert case.state == "closed"


def test_bundle_is_extended_by_the_head_of_government_and_dropped_as_a_whole(town):
    case = town.open("bundle").do("2022-10-20 10:00", "window", "dispatch")
    case.do("2022-12-01 10:00", "government.head", "extend", reason="评审需要")
    assert case.last_day("joint") == "2023-01-13"
    case.do("2022-12-02 10:00", "window", "withdraw")
    states = set(Matter.objects.filter(parent=case.matter).values_list("state", flat=True))
    assert case.state == "withdrawn" and states == {"dropped"}


def test_a_part_of_the_bundle_that_no_unit_takes_is_not_opened(town):
    case = town.open("bundle")
    case.matter.parties.filter(name="fire").delete()
    case.do("2022-10-20 10:00", "window", "dispatch")
    assert Matter.objects.filter(parent=case.matter).count() == 3


def test_matters_never_wait_for_each_other(town, run):
    case = town.open("bundle").do("2022-10-20 10:00", "window", "dispatch")
    shop, rays = case.child("营业执照").matter, case.child("放射诊疗").matter
    with pytest.raises(StepNotAllowed, match="不能互为前置"):
        run(town.who("甲局"), lambda act: matters.require(act, shop, rays))
    assert Link.objects.filter(matter=shop).count() == 0


# A hotline order (12345) -------------------------------------------------------------------------------------


def test_hotline_order_is_dispatched_signed_answered_and_called_back(town):
    case = town.open("hotline")
    case.do("2022-10-20 16:00", "centre", "dispatch", unit=town.district.units["甲局"])
    # Four working hours from 16:00: until 17:30, and two and a half on Friday morning.
    assert case.due("sign") == "10-21 11:30" and case.last_day("reply") == "2022-10-27"
    case.do("2022-10-21 09:30", "handler", "sign")
    case.do("2022-10-26 10:00", "handler", "reply", answer="已修复")
    assert case.matter.holding_unit_id == town.district.units["督办室"]
    case.do("2022-11-30 10:00", "centre", "close", solved="解决", pleased="满意")
    # The call back was late, which was the centre's time and not the unit's.
    assert case.clock("callback").stopped_at > case.clock("callback").due_at
    assert case.matter.overran == Matter.IN_TIME and matters.light(case.matter).text == "按期办结"


@pytest.mark.parametrize(
    ("kind", "due"),
    [("urgent", "10-20 18:00"), ("consult", "10-25 00:00"), ("complaint", "10-28 00:00")],
)
def test_hotline_order_gets_the_time_of_its_class(town, kind, due):
    case = town.open("hotline", **{"class": kind})
    case.do("2022-10-20 16:00", "centre", "dispatch", unit=town.district.units["甲局"])
    assert case.due("reply") == due


def test_hotline_order_is_returned_with_approval_and_sent_elsewhere(town):
    case = town.open("hotline")
    case.do("2022-10-20 10:00", "centre", "dispatch", unit=town.district.units["甲局"])
    case.do("2022-10-20 11:00", "handler", "ask_return", reason="属乙局职责")
    case.do("2022-10-20 14:00", "centre", "approve_return")
    assert case.running() == set()
    case.do("2022-10-20 14:30", "centre", "dispatch", unit=town.district.units["乙局"])
    assert case.unit("handler") == "乙局" and case.last_day("reply") == "2022-10-27"


def test_a_disputed_order_is_assigned_and_not_returned_again(town):
    case = town.open("hotline")
    case.do("2022-10-20 10:00", "centre", "dispatch", unit=town.district.units["甲局"])
    case.do("2022-10-20 11:00", "handler", "ask_return", reason="有争议")
    case.do("2022-10-20 14:00", "centre.head", "assign_finally", unit=town.district.units["甲局"])
    case.do("2022-10-20 15:00", "handler", "sign")
    with pytest.raises(StepNotAllowed, match="已由热线中心指定，不得退回"):
        case.do("2022-10-20 16:00", "handler", "ask_return", reason="还是不该我办")


def test_a_return_that_is_denied_goes_on_and_the_clock_went_on_meanwhile(town):
    case = town.open("hotline")
    case.do("2022-10-20 10:00", "centre", "dispatch", unit=town.district.units["甲局"])
    case.do("2022-10-20 11:00", "handler", "ask_return", reason="不属本局")
    case.do("2022-10-24 11:00", "centre", "deny_return", reason="属本局职责")
    assert case.state == "working" and case.last_day("reply") == "2022-10-27"


def test_hotline_order_is_redone_after_the_call_back_with_a_clock_of_its_own(town):
    case = town.open("hotline")
    case.do("2022-10-20 10:00", "centre", "dispatch", unit=town.district.units["甲局"])
    case.do("2022-10-20 11:00", "handler", "sign")
    for reply, back in (("2022-10-25 10:00", "2022-10-26 10:00"), ("2022-11-01 10:00", "2022-11-02 10:00")):
        case.do(reply, "handler", "reply", answer="已处理")
        case.do(back, "centre", "redo", reason="来电人说没有解决")
    assert case.last_day("reply") == "2022-11-09"
    case.do("2022-11-03 10:00", "handler", "reply", answer="已彻底处理")
    with pytest.raises(StepNotAllowed, match="最多办理 2 次"):
        case.do("2022-11-04 10:00", "centre", "redo", reason="还不满意")
    case.do("2022-11-04 11:00", "centre", "close", solved="部分解决", pleased="基本满意")
    case.do("2022-11-10 11:00", "centre.head", "reopen", reason="又坏了")
    assert case.state == "working" and case.matter.is_open and case.last_day("reply") == "2022-11-17"


def test_repeated_orders_are_merged_into_the_first(town):
    first, second = town.open("hotline", title="路灯不亮"), town.open("hotline", title="路灯还是不亮")
    first.do("2022-10-20 10:00", "centre", "dispatch", unit=town.district.units["甲局"])
    with pytest.raises(Invalid, match="没有找到"):
        second.do("2022-10-20 11:00", "centre", "merge", into="H-2022-9999")
    with pytest.raises(Invalid, match="没有找到"):
        second.do("2022-10-20 11:00", "centre", "merge", into=second.matter.number)
    second.do("2022-10-20 11:00", "centre", "merge", into=first.matter.number)
    assert second.state == "merged" and Link.objects.get(matter=second.matter).to == first.matter
    assert second.matter.number in first.entry("matters.merged").note
    third = town.open("hotline")
    with pytest.raises(Invalid, match="已经办结（已并单）"):
        third.do("2022-10-20 12:00", "centre", "merge", into=second.matter.number)


def test_orders_are_handled_together_urged_and_extended_once(town):
    case = town.open("hotline")
    case.do("2022-10-20 10:00", "centre", "dispatch", unit=town.district.units["甲局"])
    case.do("2022-10-20 11:00", "handler", "sign")
    case.do("2022-10-20 12:00", "handler", "cohandle", units=[town.district.units["乙局"]])
    with pytest.raises(StepNotAllowed, match="乙局还没有办完"):
        case.do("2022-10-21 10:00", "handler", "reply", answer="好了")
    case.do("2022-10-21 10:30", "centre", "urge")
    assert case.told("handler")[-1] == "催办：示例"
    case.answer("2022-10-21 11:00", "乙局", "feed_back", result="已断电")
    with pytest.raises(Invalid):
        case.do("2022-10-21 11:00", "centre.head", "extend", amount=6, reason="等配件")
    case.do("2022-10-21 11:00", "centre.head", "extend", amount=5, reason="等配件")
    assert case.last_day("reply") == "2022-11-03"
    with pytest.raises(StepNotAllowed, match="最多办理 1 次"):
        case.do("2022-10-24 11:00", "centre.head", "extend", amount=1, reason="再等")


def test_an_order_that_nobody_signs_for_is_told_to_the_centre_once(town):
    case = town.open("hotline")
    case.do("2022-10-20 16:00", "centre", "dispatch", unit=town.district.units["甲局"])
    case.after("2022-10-21 11:29")
    assert "到时未签收：示例" not in case.told("centre")
    case.after("2022-10-21 11:31").after("2022-10-21 14:00")
    assert case.told("centre").count("到时未签收：示例") == 1
    assert case.told("@甲局.head").count("到时未签收：示例") == 1


# A grid event (网格事件) -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "dispatched", "due"),
    [
        ("urgent", "2022-10-21 17:00", "10-21 21:00"),  # hours run through the evening
        ("urgent", "2022-10-21 23:00", "10-22 03:00"),  # and over night
        ("quick", "2022-10-20 09:00", "10-20 17:30"),  # 7 working hours end with the office
        ("quick", "2022-10-21 16:30", "10-24 16:30"),  # Friday afternoon: the rest on Monday
        (
            "quick",
            "2022-10-22 11:00",
            "10-24 17:30",
        ),  # a Saturday: they begin on Monday at nine; 12:00-13:30 is off
        ("quick", "2022-09-30 16:30", "10-08 16:30"),  # 国庆; the Saturday after it is worked
        ("ordinary", "2022-10-20 09:30", "10-26 00:00"),
    ],
)
def test_grid_event_counts_hours_working_hours_or_working_days(town, kind, dispatched, due):
    case = town.open("grid_event", when=dispatched, **{"class": kind})
    case.do(dispatched, "centre", "file")
    case.do(dispatched, "centre", "dispatch", unit=town.district.units["甲局"])
    assert case.due("handle") == due


def test_grid_event_stands_still_while_postponed_and_only_working_hours_are_lost(town):
    case = town.open("grid_event").do("2022-10-20 09:00", "centre", "file")
    case.do("2022-10-20 09:00", "centre", "dispatch", unit=town.district.units["甲局"])
    assert case.due("handle") == "10-20 17:30"
    case.do("2022-10-20 11:00", "centre.head", "postpone", reason="等开挖许可")
    case.do("2022-10-24 14:30", "centre", "resume")
    # Two hours were used; five are left from Monday 14:30: three that day, two on Tuesday.
    assert case.due("handle") == "10-25 11:00"


def test_grid_event_is_reworked_until_it_is_verified_by_another_person(town):
    case = town.open("grid_event").do("2022-10-20 09:10", "centre", "file")
    case.do("2022-10-20 09:20", "centre", "dispatch", unit=town.district.units["甲局"])
    case.do("2022-10-20 10:00", "handler", "send_back", reason="属丙局")
    case.do("2022-10-20 10:05", "centre", "dispatch", unit=town.district.units["丙局"])
    case.do("2022-10-20 11:00", "handler", "feed_back", result="已补盖")
    assert case.due("verify") == "10-20 16:30"
    case.do("2022-10-20 14:00", "centre", "rework", reason="没有盖严")
    case.do("2022-10-20 15:00", "handler", "feed_back", result="已盖严")
    case.do("2022-10-20 16:00", "centre", "close")
    assert case.state == "closed" and case.matter.overran == Matter.IN_TIME


def test_what_is_not_verified_for_a_day_is_told_to_the_head(town):
    case = town.open("grid_event").do("2022-10-20 09:10", "centre", "file")
    case.do("2022-10-20 09:20", "centre", "dispatch", unit=town.district.units["甲局"])
    case.do("2022-10-20 11:00", "handler", "feed_back", result="已补盖")
    case.after("2022-10-24 00:05").after("2022-10-25 00:05")
    assert case.told("centre.head").count("反馈后一日没有核查：示例") == 1
    again = town.open("grid_event").do("2022-10-20 09:10", "centre", "file")
    again.do("2022-10-20 09:20", "centre", "dispatch", unit=town.district.units["甲局"])
    again.do("2022-10-20 11:00", "handler", "feed_back", result="已补盖")
    again.do("2022-10-20 12:00", "centre", "close").after("2022-10-25 00:05")
    assert "反馈后一日没有核查：示例" not in again.told("centre.head")


# A request for data (数据共享) -------------------------------------------------------------------------------


@pytest.mark.parametrize(("sharing", "last"), [("open", "2022-10-21"), ("conditional", "2022-11-03")])
def test_data_request_is_due_by_the_kind_of_sharing(town, sharing, last):
    assert town.open("data_request", sharing=sharing).last_day("answer") == last


def test_data_request_cannot_open_without_the_kind_of_sharing(town):
    with pytest.raises(Invalid) as refused:
        town.open("data_request", sharing="")
    assert "sharing" in refused.value.fields
    with pytest.raises(Invalid):
        town.open("data_request", colour="red")


def test_data_request_is_not_refused_barely_and_asks_for_more_only_once(town):
    case = town.open("data_request")
    with pytest.raises(Invalid) as bare:
        case.do("2022-10-21 10:00", "provider.head", "refuse")
    assert set(bare.value.fields) == {"reason", "law"}
    case.do("2022-10-21 10:00", "provider", "ask_more", missing="使用期限")
    case.do("2022-10-24 10:00", "requester", "supplement", text="一年")
    assert case.last_day("answer") == "2022-11-07"
    with pytest.raises(StepNotAllowed, match="最多办理 1 次"):
        case.do("2022-10-25 10:00", "provider", "ask_more", missing="还要")


def test_data_request_is_extended_by_the_authority_and_provided_within_twenty_days(town):
    case = town.open("data_request")
    with pytest.raises(Denied):
        case.do("2022-11-03 10:00", "provider.head", "extend", amount=10, reason="量大")
    case.do("2022-11-03 10:00", "authority.head", "extend", amount=10, reason="量大")
    assert case.last_day("answer") == "2022-11-17" and "答复期限延长：示例" in case.told("requester")
    case.do("2022-11-17 18:00", "provider.head", "agree")
    assert case.last_day("provide") == "2022-12-15"
    case.do("2022-12-15 18:00", "provider", "provide", way="服务接口")
    assert case.state == "provided" and case.matter.overran == Matter.IN_TIME


def test_data_request_without_an_answer_is_told_to_the_authority(town):
    case = town.open("data_request", sharing="open").after("2022-10-22 00:05")
    assert case.told("authority").count("未按期答复：示例") == 1 and case.state == "submitted"


# A joint review (联审) ---------------------------------------------------------------------------------------

FIVE = ("督办室", "乙局", "丙局", "丁局", "戊局")


def test_five_units_agree_and_the_review_passes(town):
    case = town.open("joint_review").do("2022-10-20 10:00", "lead", "ask")
    for unit in FIVE:
        assert case.state == "reviewing"
        case.answer("2022-10-21 10:00", unit, "agree")
    assert case.state == "collected"
    case.do("2022-10-24 10:00", "lead.head", "approve")
    assert case.state == "approved"


def test_one_veto_blocks_and_is_named_and_only_who_vetoed_is_asked_again(town):
    case = town.open("joint_review").do("2022-10-20 10:00", "lead", "ask")
    for unit in FIVE:
        veto = unit == "丙局"
        case.answer(
            "2022-10-21 10:00",
            unit,
            "object" if veto else "agree",
            **({"result": "没有密码方案"} if veto else {}),
        )
    with pytest.raises(StepNotAllowed, match="示例区丙局：否决|丙局：否决"):
        case.do("2022-10-24 10:00", "lead.head", "approve")
    case.do("2022-10-24 11:00", "lead", "return", reason="补密码方案")
    case.do("2022-10-31 11:00", "builder", "resubmit", changes="已补")
    open_parts = Part.objects.filter(matter=case.matter, done_at=None)
    assert [part.unit_id for part in open_parts] == [town.district.units["丙局"]]
    # The days of amending did not count: 15 working days of which two were used.
    assert case.last_day("review") == "2022-11-17"
    case.answer("2022-11-01 10:00", "丙局", "agree")
    case.do("2022-11-02 10:00", "lead.head", "approve")
    lines = Entry.objects.filter(matter=case.matter, part=case.part_of("丙局")).order_by("id")
    assert [line.transition for line in lines] == ["object", "matters.ask_again", "agree"]


def test_after_a_great_change_all_five_are_asked_again(town):
    case = town.open("joint_review").do("2022-10-20 10:00", "lead", "ask")
    for unit in FIVE:
        case.answer("2022-10-21 10:00", unit, "agree")
    case.do("2022-10-24 11:00", "lead", "return", reason="换技术路线")
    case.do("2022-10-25 11:00", "builder", "resubmit_all", changes="全改")
    assert Part.objects.filter(matter=case.matter, done_at=None).count() == 5
    assert case.state == "reviewing"


# An official document (公文) ---------------------------------------------------------------------------------


def countersigned(town):
    case = town.open("document").do("2022-10-20 10:00", "drafter", "submit", text="正文")
    units = [town.district.units[name] for name in ("乙局", "丙局")]
    case.do("2022-10-20 11:00", "office", "countersign", units=units)
    case.answer("2022-10-21 10:00", "乙局", "agree", rank="head")
    assert case.state == "countersigning"
    return case.answer("2022-10-21 11:00", "丙局", "agree", rank="head")


def test_document_goes_round_its_desks(town):
    case = countersigned(town)
    assert case.state == "to_sign"
    case.do("2022-10-24 10:00", "office.head", "sign")
    case.do("2022-10-24 11:00", "office", "number")
    assert case.entry("number").note == "发文字号：海政发〔2022〕1号"
    case.do("2022-10-24 12:00", "office", "seal").do("2022-10-24 13:00", "office", "distribute")
    case.do("2022-10-25 10:00", "office", "archive")
    assert case.state == "archived" and case.matter.overran == Matter.IN_TIME


def test_a_change_of_substance_after_signature_goes_back_to_the_signer(town):
    case = countersigned(town).do("2022-10-24 10:00", "office.head", "sign")
    case.do("2022-10-24 10:30", "office", "polish", what="错字")
    assert case.state == "signed"
    case.do("2022-10-24 11:00", "office", "number").do("2022-10-24 12:00", "office", "seal")
    case.do("2022-10-24 14:00", "office", "change_substance", what="补贴标准")
    assert case.state == "to_sign" and case.matter.assignee_id == town.who("督办室", "head").post_id
    with pytest.raises(StepNotAllowed):
        case.do("2022-10-24 15:00", "office", "distribute")
    case.do("2022-10-24 15:00", "office.head", "sign").do("2022-10-24 15:30", "office", "number")
    # The paper keeps the number that it was given.
    assert case.entry("number").note == "发文字号：海政发〔2022〕1号"


def test_a_differing_countersignature_sends_the_draft_back_and_all_sign_again(town):
    case = town.open("document").do("2022-10-20 10:00", "drafter", "submit", text="正文")
    units = [town.district.units[name] for name in ("乙局", "丙局")]
    case.do("2022-10-20 11:00", "office", "countersign", units=units)
    case.answer("2022-10-21 10:00", "乙局", "agree", rank="head")
    case.answer("2022-10-21 10:00", "丙局", "differ", rank="head", result="第三条不妥")
    assert case.state == "countersigning"
    case.do("2022-10-21 11:00", "office", "send_back", reason="改第三条")
    case.do("2022-10-21 12:00", "drafter", "submit", text="新正文")
    with pytest.raises(StepNotAllowed, match="改后要再送会签"):
        case.do("2022-10-21 13:00", "office", "pass")
    case.do("2022-10-21 13:00", "office", "countersign_again")
    for unit in ("乙局", "丙局"):
        case.answer("2022-10-21 14:00", unit, "agree", rank="head")
    assert case.state == "to_sign"


def test_whoever_drafted_or_checked_does_not_sign(town):
    case = town.open("document").do("2022-10-20 10:00", "drafter", "submit", text="正文")
    deputy = town.who("督办室", "head")
    # The officer who checked stands in for the head: the person counts, not the post.
    case.do("2022-10-20 11:00", "office", "pass")
    standing_in = town.district.deputy(town.who("督办室").person_id, deputy.post_id)
    with at("2022-10-20 12:00"), pytest.raises(Denied, match="本人办理"):
        matters.step(standing_in, matter_id=case.matter.pk, transition="sign")
    case.do("2022-10-20 13:00", "office.head", "sign")


# A task of the plan (计划任务) -------------------------------------------------------------------------------


def test_plan_task_is_done_with_helpers_and_checked_by_another(town, run):
    case = town.open("plan_task").do("2022-10-20 10:00", "lead", "sign")
    helpers = [town.district.units["乙局"], town.district.units["丙局"]]
    with at("2022-10-20 11:00"):
        for unit in helpers:
            run(
                town.who("甲局"),
                lambda act, unit=unit: matters.add_part(
                    act, case.matter, kind="helper", unit_id=unit, title="配合"
                ),
            )
    case.answer("2022-10-21 10:00", "乙局", "helper_sign")
    case.answer("2022-10-24 10:00", "乙局", "helper_report", result="已接口对接")
    with pytest.raises(Invalid, match="佐证"):
        case.do("2022-12-30 10:00", "lead", "report_done", result="完成")


def test_a_slow_check_by_the_office_is_not_the_delay_of_the_unit(town, monkeypatch):
    case = town.open("plan_task").do("2022-10-20 10:00", "lead", "sign")
    from liangzhu.beams.work.matters import registry

    free = registry.Rule("programme.evidence_given", lambda *args: None, (), ())
    monkeypatch.setitem(registry.guards.versions, ("programme.evidence_given", 1), free)
    case.do("2022-12-30 10:00", "lead", "report_done", result="完成")
    case.do("2023-03-01 10:00", "office.head", "close", finding="现场核查属实")
    check = case.clock("check")
    assert check.stopped_at > check.due_at
    assert case.matter.overran == Matter.IN_TIME and matters.light(case.matter).text == "按期办结"


# All of them -------------------------------------------------------------------------------------------------


def test_people_cannot_fire_timers_or_triggers(town):
    case = town.open("licence")
    row = Timer.objects.get(matter=case.matter)
    with pytest.raises(Denied):
        timers.fire(town.who("甲局"), timer_id=row.pk)
    with pytest.raises(Denied):
        timers.react(town.who("甲局"), matter_id=case.matter.pk)
    with pytest.raises(Denied):
        case.do("2022-10-21 10:00", "organ", "deem_accepted")


def test_a_timer_that_fires_twice_does_its_step_once(town):
    case = town.open("licence")
    row = Timer.objects.get(matter=case.matter)
    with at("2022-10-28 08:00"):
        from liangzhu.kernel.actors import SYSTEM

        timers.fire(SYSTEM, timer_id=row.pk)
        timers.fire(SYSTEM, timer_id=row.pk)
    assert Entry.objects.filter(matter=case.matter, transition="deem_accepted").count() == 1


def test_a_person_who_saw_the_matter_before_a_timer_reads_what_the_system_did(town):
    case = town.open("licence")
    with at("2022-10-31 09:00"), pytest.raises(Conflict, match="系统已于 2022-10-31 09:00 办理“视为受理”"):
        matters.step(
            town.who("甲局"), matter_id=case.matter.pk, transition="accept", version=case.matter.version
        )


def test_a_step_of_a_process_without_timers_does_not_ask_for_any(simple, district, advance):
    li = district.officer("甲局", "李四")
    matter = simple(li)
    with CaptureQueriesContext(connection) as captured:
        advance(li, matter, "accept")
    tables = {"matters_timer", "matters_link", "matters_pin"}
    assert not [q["sql"] for q in captured.captured_queries if any(one in q["sql"] for one in tables)]


def test_two_orders_are_not_merged_into_each_other(town):
    first, second = town.open("hotline"), town.open("hotline")
    first.do("2022-10-20 11:00", "centre", "merge", into=second.matter.number)
    with pytest.raises(Invalid, match="已经办结"):
        second.do("2022-10-20 11:00", "centre", "merge", into=first.matter.number)
    assert second.state == "registered"
