"""How true the plan is: every state of a clause, the days that were kept, and that nobody can type a light."""

import json
from datetime import date
from decimal import Decimal

import pytest
from django import forms as django_forms
from django.apps import apps
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Conflict, Denied, Invalid, NotThere, Problem
from liangzhu.kernel.now import at, today
from liangzhu.kernel.refs import describe
from liangzhu.pillars.programme import actions, queries
from liangzhu.pillars.programme.models import Clause, ClauseDay, PlanTask
from liangzhu.pillars.programme.pages import ledger_forms
from liangzhu.pillars.programme.truth import KEPT, OVERDUE, UNDER_WAY, UNMEASURED, Truth, check_text, judge

DUE = date(2022, 12, 9)
ONLINE = "services.online_rate_items"


def of_task(desk, no: int) -> queries.Judged:
    """The clause of a task as a whole, judged today."""
    return next(
        found for found in judge(desk.document, today(), desk.task(no).pk) if found.clause.kind == Clause.TASK
    )


def of_target(desk, no: int, name: str) -> queries.Judged:
    return next(
        found for found in judge(desk.document, today(), desk.task(no).pk) if found.clause.name == name
    )


def measured(desk, value: str, key: str = ONLINE, by: str = "shenpiju", as_of: date | None = None):
    """A value that the owner reported and a second person confirmed."""
    snapshot = indicators.report(
        desk.staff(by), key=key, as_of=as_of or today(), value=Decimal(value), source="测试"
    )
    indicators.confirm(desk.staff(f"{by}.head"), snapshot_id=snapshot.pk)
    return snapshot


# A task as a whole ----------------------------------------------------------------------------------------------------


def test_a_task_that_was_not_issued_is_not_measurable(desk, stand):
    assert (of_task(desk, 8).state, of_task(desk, 8).why) == (UNMEASURED, "任务尚未下达。")


def test_a_task_in_work_is_under_way_and_says_how_far_it_is(desk, stand):
    desk.working(8, DUE)
    first, _ = desk.split(8, ("列清单", date(2022, 9, 20)), ("征集专家", date(2022, 11, 1)))
    actions.finish_step(desk.staff("shichangju"), step_id=first, result="已列")
    found = of_task(desk, 8)
    assert (found.state, found.why) == (UNDER_WAY, "节点 1/2，期限 2022-12-09。")


def test_a_task_without_limit_and_steps_is_not_measurable_until_it_has_some(desk, stand):
    desk.working(10)
    assert of_task(desk, 10).state == UNMEASURED
    desk.split(10, ("列出领域", date(2022, 11, 1)), by="zhengfawei")
    assert of_task(desk, 10).state == UNDER_WAY


def test_what_nobody_signs_for_in_time_is_overdue(desk, stand):
    desk.issue(8, DUE)
    stand("2022-08-30 18:00")
    assert of_task(desk, 8).state == UNDER_WAY, "two working days after Friday: Tuesday is still in time"
    stand("2022-08-31 00:01")
    assert of_task(desk, 8).state == OVERDUE


def test_a_late_step_makes_its_task_overdue_and_is_named(desk, stand):
    desk.working(8, DUE)
    (step,) = desk.split(8, ("列清单", date(2022, 9, 20)))
    stand("2022-09-20 23:59")
    assert of_task(desk, 8).state == UNDER_WAY
    stand("2022-09-21 00:01")
    assert of_task(desk, 8).state == OVERDUE
    assert "列清单" in of_task(desk, 8).why
    actions.finish_step(desk.staff("shichangju"), step_id=step, result="补上了")
    assert of_task(desk, 8).state == UNDER_WAY


def test_a_withdrawn_step_holds_nobody(desk, stand):
    desk.working(8, DUE)
    (step,) = desk.split(8, ("列清单", date(2022, 9, 20)))
    actions.edit_step(
        desk.staff("shichangju"), step_id=step, title="列清单", due_on=date(2022, 9, 20), withdraw=True
    )
    stand("2022-09-21 09:00")
    assert of_task(desk, 8).state == UNDER_WAY


def test_a_limit_that_passed_makes_a_task_overdue_unless_its_check_by_the_office_is_waited_for(desk, stand):
    desk.working(8, DUE)
    stand("2022-12-09 20:00")
    assert of_task(desk, 8).state == UNDER_WAY
    desk.step("shichangju", 8, "report_done", result="做完", files=desk.evidence("shichangju"))
    stand("2022-12-12 09:00")
    assert of_task(desk, 8).state == UNDER_WAY, "the unit was in time, the office is checking"
    desk.step("office", 8, "send_back", reason="缺材料")
    assert of_task(desk, 8).state == OVERDUE


def test_only_what_was_checked_and_closed_is_kept(desk, stand):
    desk.working(8, DUE)
    desk.closed(8)
    assert (of_task(desk, 8).state, of_task(desk, 8).why) == (KEPT, "2022-08-26 核查销号。")


def test_a_withdrawn_task_is_not_counted_as_kept(desk, stand):
    desk.working(8, DUE)
    desk.step("office.head", 8, "withdraw", reason="领导小组决定并入任务 9。")
    assert of_task(desk, 8).state == UNMEASURED


# Targets --------------------------------------------------------------------------------------------------------------


def test_a_target_is_bound_to_the_indicator_of_the_pack_and_says_so_while_nothing_was_measured(desk, stand):
    desk.issue(11)
    found = of_target(desk, 11, "一网通办率")
    assert found.state == UNMEASURED
    assert "还没有数值" in found.why
    assert found.check == "一网通办率 ≥ 85% · 2022-12-31"


def test_a_target_below_its_mark_is_under_way_until_its_day_and_overdue_after(desk, stand):
    desk.working(11)
    stand("2022-10-17 09:00")
    measured(desk, "81.3")
    assert (of_target(desk, 11, "一网通办率").state, of_target(desk, 11, "一网通办率").why) == (
        UNDER_WAY,
        "实测 81.3%，目标 ≥ 85%。",
    )
    stand("2022-12-31 23:00")
    assert of_target(desk, 11, "一网通办率").state == UNDER_WAY
    stand("2023-01-01 00:01")
    assert of_target(desk, 11, "一网通办率").state == OVERDUE


def test_a_target_that_is_reached_is_kept_whatever_its_task_does(desk, stand):
    desk.working(11)
    stand("2022-10-17 09:00")
    measured(desk, "85")
    assert of_target(desk, 11, "一网通办率").state == KEPT
    assert of_task(desk, 11).state == UNDER_WAY


def test_a_value_that_nobody_confirmed_does_not_count(desk, stand):
    desk.working(11)
    stand("2022-10-17 09:00")
    indicators.report(desk.staff("shenpiju"), key=ONLINE, as_of=today(), value=Decimal(99), source="测试")
    assert of_target(desk, 11, "一网通办率").state == UNMEASURED


def test_without_an_indicator_a_target_is_not_measurable_and_stays_in_the_count(desk, stand):
    clause = of_target(desk, 11, "一网通办率").clause
    total = len(judge(desk.document, today()))
    actions.bind_check(desk.staff("office"), clause_id=clause.pk, indicator_key="")
    found = of_target(desk, 11, "一网通办率")
    assert (found.state, found.why) == (UNMEASURED, "目标已写明，尚未绑定可执行的检查。")
    assert len(judge(desk.document, today())) == total


# Binding --------------------------------------------------------------------------------------------------------------


def test_a_task_can_be_held_to_a_measured_value_too(desk, stand):
    desk.working(10)
    clause = of_task(desk, 10).clause
    office = desk.staff("office")
    bound = actions.bind_check(
        office,
        clause_id=clause.pk,
        indicator_key="programme.signed_rate",
        op=">=",
        amount=Decimal(100),
        due_on=date(2022, 12, 31),
    )
    assert check_text(bound) == "签收率 ≥ 100% · 2022-12-31"
    indicators.measure_all(today())
    assert of_task(desk, 10).state == KEPT, "the one task that was issued was signed for"
    actions.bind_check(office, clause_id=clause.pk, indicator_key="")
    assert of_task(desk, 10).state == UNMEASURED
    assert check_text(Clause.objects.get(pk=clause.pk)) == ""


def test_the_comparison_of_a_target_is_the_plans_and_is_not_softened(desk, stand):
    clause = of_target(desk, 11, "一网通办率").clause
    bound = actions.bind_check(
        desk.staff("office"), clause_id=clause.pk, indicator_key=ONLINE, op="<=", amount=Decimal(10)
    )
    assert (bound.op, bound.amount) == (">=", Decimal(85))


def test_a_target_is_not_compared_with_what_counts_in_another_unit(desk, stand):
    clause = of_target(desk, 11, "一网通办率").clause
    indicators.define(
        SYSTEM,
        key="test.cases",
        name="办件量",
        kind="reported",
        caliber="全部办件",
        formula="计数",
        owner_unit_id=desk.unit("shenpiju"),
        source="测试",
        frequency="month",
        measure_unit="件",
    )
    with pytest.raises(Invalid, match="不能比较"):
        actions.bind_check(desk.staff("office"), clause_id=clause.pk, indicator_key="test.cases")


def test_a_task_is_not_bound_without_a_comparison_nor_to_what_does_not_exist(desk, stand):
    clause = of_task(desk, 10).clause
    office = desk.staff("office")
    with pytest.raises(Invalid):
        actions.bind_check(office, clause_id=clause.pk, indicator_key="programme.signed_rate")
    with pytest.raises(NotThere):
        actions.bind_check(office, clause_id=clause.pk, indicator_key="no.such", op=">=", amount=Decimal(1))
    with pytest.raises(Denied):
        actions.bind_check(desk.staff("zhengfawei"), clause_id=clause.pk, indicator_key="")
    with pytest.raises(Conflict):
        actions.bind_check(office, clause_id=clause.pk, indicator_key="", version=clause.version + 1)


# The whole, and over time ---------------------------------------------------------------------------------------------


def test_the_percentage_counts_all_clauses_and_is_never_rounded_up(desk, stand):
    states = [KEPT] * 2 + [OVERDUE] + [UNMEASURED] * 4
    truth = Truth(
        desk.document, today(), [queries.Judged(Clause(pk=n), state, "") for n, state in enumerate(states)]
    )
    assert truth.percent == 28
    assert [found.state for found in truth.failing] == [OVERDUE] + [UNMEASURED] * 4


def test_a_day_that_was_kept_stays_what_it_was(desk, stand):
    desk.working(8, DUE)
    actions.judge_clauses(SYSTEM, document_id=desk.document.pk)
    stand("2022-12-12 09:00")
    actions.judge_clauses(SYSTEM, document_id=desk.document.pk)
    actor = desk.staff("leader")
    then = queries.truth_on(actor, desk.document, date(2022, 8, 26))
    now = queries.truth(actor, desk.document)
    clause = of_task(desk, 8).clause
    assert {found.clause.pk: found.state for found in then.clauses}[clause.pk] == UNDER_WAY
    assert {found.clause.pk: found.state for found in now.clauses}[clause.pk] == OVERDUE
    course = dict(queries.over_time(actor, desk.document))
    assert course[date(2022, 8, 26)][UNDER_WAY] == 1
    assert sum(course[date(2022, 8, 26)].values()) == sum(now.counts.values())


def test_judging_a_day_again_replaces_it(desk, stand):
    for _ in range(2):
        actions.judge_clauses(SYSTEM, document_id=desk.document.pk)
    rows = ClauseDay.objects.filter(clause__task__document=desk.document)
    assert rows.count() == len(judge(desk.document, today()))


# The ledger measured by itself ----------------------------------------------------------------------------------------


def test_the_ledgers_own_rates_open_to_the_tasks_they_count(desk, stand):
    signed, waiting = desk.working(8, DUE), desk.issue(22, DUE)
    measured_now = indicators.find_query("programme.signed_rate").run(today())
    assert (measured_now.value, measured_now.numerator, measured_now.denominator) == (Decimal("50.0"), 1, 2)
    assert list(measured_now.rows) == [signed.ref]
    assert list(measured_now.others) == [waiting.ref]
    assert describe([signed.ref], desk.staff("leader"))[signed.ref] == (
        "任务 8. 加强标准建设",
        f"/work/{signed.matter_id}/",
    )


def test_a_rate_of_nothing_has_no_value(desk, stand):
    for name in ("signed_rate", "closed_rate", "on_time_rate", "report_rate"):
        assert indicators.find_query(f"programme.{name}").run(today()).value is None, name


def test_what_is_closed_after_its_limit_counts_against_the_rate_of_those_in_time(desk, stand):
    desk.working(8, DUE)
    desk.working(22, date(2022, 9, 30))
    stand("2022-09-20 09:00")
    desk.closed(8)
    stand("2022-10-10 09:00")
    desk.closed(22)
    found = indicators.find_query("programme.on_time_rate").run(today())
    assert (found.value, list(found.rows)) == (Decimal("50.0"), [desk.task(8).ref])
    assert indicators.find_query("programme.closed_rate").run(date(2022, 9, 30)).value == Decimal("50.0")


def test_last_months_reports_are_counted_over_the_tasks_open_then(desk, stand):
    desk.working(8, DUE)
    desk.working(22, DUE)
    stand("2022-09-15 09:00")
    desk.step("shichangju", 8, "report_progress", progress="清单列出一半。")
    stand("2022-10-10 09:00")
    found = indicators.find_query("programme.report_rate").run(today())
    assert (found.value, list(found.rows)) == (Decimal("50.0"), [desk.task(8).ref])


# Nobody types a light -------------------------------------------------------------------------------------------------


def test_no_table_has_a_column_for_a_light():
    for label in ("programme", "matters"):
        for model in apps.get_app_config(label).get_models():
            # A saved view filters by a light; it gives none to anything.
            names = {field.name for field in model._meta.get_fields() if model._meta.label != "matters.View"}
            assert not {name for name in names if "light" in name or "colour" in name}, model


def test_no_form_has_a_field_for_a_light_or_for_the_state_of_a_clause():
    kinds = [kind for kind in vars(ledger_forms).values() if isinstance(kind, type)]
    for kind in kinds:
        if issubclass(kind, django_forms.Form):
            assert not {name for name in kind.base_fields if name in ("light", "state", "overdue", "kept")}, (
                kind
            )


def test_no_step_of_the_process_asks_for_a_light(desk):
    for key in ("plan_task", "plan_extension"):
        process = matters.process_in_force(key)
        for flow in [process.flow, *process.parts.values()]:
            for step in flow.transitions.values():
                assert not {field.name for field in step.fields} & {"light", "state"}, step.name


# Whatever people do ---------------------------------------------------------------------------------------------------

DAYS = st.integers(min_value=1, max_value=40)
KEPT_SEEN: set[str] = set()


class Ledger(RuleBasedStateMachine):
    """People work on three tasks in any order, and time passes. Steps that the rules refuse change nothing."""

    desk = None
    tasks = Bundle("tasks")

    def __init__(self):
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.day = date(2022, 8, 29)
        self.moment = at("2022-08-29 09:00")
        self.moment.__enter__()

    def teardown(self):
        self.moment.__exit__(None, None, None)
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    def attempt(self, do):
        try:
            do()
        except Problem:
            return

    @rule(target=tasks, no=st.sampled_from([8, 11, 22]))
    def issue(self, no):
        self.attempt(lambda: self.desk.issue(no, DUE if no == 8 else None))
        return no

    @rule(no=tasks, step=st.sampled_from(["sign", "report_progress", "withdraw", "send_back", "close"]))
    def move(self, no, step):
        by = (
            "office.head"
            if step == "withdraw"
            else "office"
            if step in ("send_back", "close")
            else self.lead(no)
        )
        words = {"progress": "在做", "reason": "依据", "finding": "看过"}
        wanted = {
            "report_progress": "progress",
            "withdraw": "reason",
            "send_back": "reason",
            "close": "finding",
        }
        data = {wanted[step]: words[wanted[step]]} if step in wanted else {}
        self.attempt(lambda: self.desk.step(by, no, step, **data))

    @rule(no=tasks, evidence=st.booleans())
    def report_done(self, no, evidence):
        files = self.desk.evidence(self.lead(no)) if evidence else []
        self.attempt(lambda: self.desk.step(self.lead(no), no, "report_done", result="做完", files=files))

    @rule(no=tasks)
    def go_to_the_end(self, no):
        for step in ("sign", "finish", "report_done", "close"):
            if step == "finish":
                self.finish(no)
            elif step == "report_done":
                self.report_done(no, True)
            else:
                self.move(no, step)

    @rule(no=tasks, ahead=DAYS)
    def split(self, no, ahead):
        due = date.fromordinal(self.day.toordinal() + ahead)
        self.attempt(lambda: self.desk.split(no, ("一步", due), by=self.lead(no)))

    @rule(no=tasks)
    def finish(self, no):
        step = self.desk.task(no).steps.filter(done_on=None, withdrawn=False).first()
        if step:
            self.attempt(
                lambda: actions.finish_step(self.desk.staff(self.lead(no)), step_id=step.pk, result="做完")
            )

    @rule(no=tasks, ahead=DAYS)
    def extend(self, no, ahead):
        def whole():
            due = self.desk.task(no).due_on
            until = date.fromordinal((due or self.day).toordinal() + ahead)
            found = actions.ask_extension(
                self.desk.staff(self.lead(no)), task_id=self.desk.task(no).pk, new_due=until, reason="难"
            )
            for who, what in ((f"{self.lead(no)}.head", "agree"), ("office.head", "approve")):
                matters.step(self.desk.staff(who), matter_id=found.matter_id, transition=what, data={})

        self.attempt(whole)

    @rule(value=st.integers(min_value=0, max_value=100))
    def measure(self, value):
        self.attempt(lambda: measured(self.desk, str(value)))

    @precondition(lambda self: self.day < date(2023, 3, 1))
    @rule(days=DAYS)
    def wait(self, days):
        self.day = date.fromordinal(self.day.toordinal() + days)
        self.moment.__exit__(None, None, None)
        self.moment = at(f"{self.day} 09:00")
        self.moment.__enter__()

    def lead(self, no):
        return {8: "shichangju", 11: "shenpiju", 22: "wangxinban"}[no]

    @invariant()
    def every_clause_is_in_one_state_and_what_is_kept_was_closed_with_evidence_or_passes_its_check(self):
        truth = Truth(self.desk.document, today(), judge(self.desk.document, today()))
        assert (
            sum(truth.counts.values()) == len(truth.clauses) == Clause.objects.filter(dropped=False).count()
        )
        assert len(truth.failing) == len(truth.clauses) - truth.counts[KEPT]
        for found in truth.clauses:
            if found.state != KEPT:
                continue
            if found.result is not None:
                assert found.result.state == "kept"
                KEPT_SEEN.add("check")
                continue
            matter = PlanTask.objects.get(pk=found.clause.task_id).matter
            reported, closed = (
                matter.entries.filter(transition=name).last() for name in ("report_done", "close")
            )
            assert closed is not None
            assert reported.person_id != closed.person_id
            assert json.loads(reported.answer.body)["files"]
            KEPT_SEEN.add(found.clause.kind)


def test_no_order_of_steps_makes_a_clause_kept_without_ground(desk):
    machine = type("OnThisLedger", (Ledger,), {"desk": desk})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        ),
    )
    assert {"task", "check"} == KEPT_SEEN, "the walk never came to a kept clause, so it proved nothing"
