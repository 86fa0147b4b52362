"""Three-valued conditions: unknown stays unknown, the way is the shortest, a proof can be run again."""

from datetime import date
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liangzhu.pillars.services.criteria import (
    NO,
    UNKNOWN,
    YES,
    Criterion,
    Fact,
    Known,
    add_months,
    agree,
    all_of,
    any_of,
    dead,
    decide,
    fault,
    proof,
    recheck,
)

FACTS = {
    one.key: one
    for one in (
        Fact("staff", "从业人数", "number", "人"),
        Fact("since", "成立日期", "date", fixed=True),
        Fact("size", "规模", "choice", options=(("small", "小型"), ("micro", "微型"), ("large", "大型"))),
        Fact("titles", "资质", "many", options=(("high", "高新"), ("sme", "科技型"))),
        Fact("industry", "行业", "industry"),
        Fact("bad", "严重失信", "yesno"),
    )
}
DAY = date(2022, 10, 20)
SMALL = Criterion("小微企业", "size", "in", ("small", "micro"))
TWENTY = Criterion("从业人数20人以上", "staff", "ge", ("20",))
HONEST = Criterion("未列入严重失信", "bad", "is", ("no",))
YEAR = Criterion("登记满一年", "since", "months", ("12",))
HAND = Criterion("生产经营状况良好")


def ask(criteria, **known):
    return decide(
        criteria, FACTS, {k: v if isinstance(v, Known) else Known(v) for k, v in known.items()}, DAY
    )


def test_what_nobody_knows_is_unknown_and_no_outweighs_it():
    assert ask([SMALL, TWENTY], size="small").outcome == UNKNOWN
    assert ask([SMALL, TWENTY], size="large").outcome == NO
    assert ask([SMALL, TWENTY], size="small", staff="20").outcome == YES
    assert ask([]).outcome == UNKNOWN


def test_one_alternative_is_enough_even_when_the_other_is_unknown():
    either = [
        Criterion("高新", "titles", "in", ("high",), group="a"),
        Criterion("20人", "staff", "ge", ("20",), group="a"),
    ]
    assert ask(either, titles=["high"]).outcome == YES
    assert ask(either, titles=[]).outcome == UNKNOWN
    assert ask(either, titles=[], staff=3).outcome == NO


def test_what_a_person_must_judge_is_never_met_by_the_program_and_stands_on_the_way():
    found = ask([SMALL, HAND], size="small")
    assert found.outcome == UNKNOWN
    assert [(one.kind, one.criterion) for one in found.way] == [("judge", HAND)]


def test_what_an_enterprise_says_of_itself_counts_for_a_match_but_proves_nothing():
    said = Known("small", "self")
    assert (ask([SMALL], size=said).outcome, ask([SMALL], size=said).proven) == (YES, False)
    assert ask([SMALL], size=Known("small", "source")).proven


def test_the_way_names_the_fewest_facts_and_prefers_telling_to_changing():
    rows = [
        Criterion("高新", "titles", "in", ("high",), group="a"),
        Criterion("30人", "staff", "ge", ("30",), group="a"),
        TWENTY,
        HONEST,
    ]
    found = ask(rows, staff=5, titles=[], bad=False)
    assert [(one.kind, one.criterion.fact) for one in found.way] == [("change", "staff")] * 2
    found = ask(rows, staff=5, bad=False)
    assert found.outcome == NO
    assert {one.criterion.fact for one in found.way} == {"staff"}


def test_time_that_will_pass_is_waited_for_and_what_cannot_change_has_no_way():
    found = ask([YEAR], since="2022-02-28")
    assert (found.outcome, found.way[0].kind, found.way[0].on) == (NO, "wait", date(2023, 2, 28))
    assert found.next_review == date(2023, 2, 28)
    young = Criterion("2020年以后成立", "since", "from", ("2020-01-01",))
    assert ask([young], since="2019-05-01").way is None


def test_an_industry_lies_in_its_division_and_section_and_a_coarse_code_decides_nothing():
    rows = [Criterion("电子", "industry", "in", ("39",))]
    assert ask(rows, industry="3912").outcome == YES
    assert ask(rows, industry="4011").outcome == NO
    assert ask(rows, industry="C").outcome == UNKNOWN
    assert ask(rows, industry="A").outcome == NO
    assert ask([Criterion("制造业", "industry", "in", ("C",))], industry="43").outcome == YES


def test_a_clause_that_nobody_can_meet_is_found():
    more = Criterion("不超过10人", "staff", "le", ("10",))
    assert dead([TWENTY, more], FACTS) == ["从业人数"]
    assert dead([TWENTY, Criterion("少于300人", "staff", "lt", ("300",))], FACTS) == []
    assert not agree([SMALL, Criterion("大型", "size", "in", ("large",))], FACTS)


@pytest.mark.parametrize(
    ("op", "values", "word"),
    [("ge", ("许多",), "数字"), ("in", ("1",), "比较方式"), ("ge", (), "值"), ("ge", ("NaN",), "数字")],
)
def test_a_condition_that_says_nothing_is_refused_with_what_to_write(op, values, word):
    assert word in fault(Criterion("x", "staff", op, values), FACTS)


def test_a_month_that_has_no_such_day_ends_on_its_last():
    assert add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert add_months(date(2022, 10, 31), 1) == date(2022, 11, 30)


KNOWN = st.fixed_dictionaries(
    {},
    optional={
        "staff": st.integers(0, 40).map(Known),
        "size": st.sampled_from(["small", "micro", "large"]).map(Known),
        "bad": st.booleans().map(lambda one: Known(one, "self")),
        "since": st.dates(date(2018, 1, 1), DAY).map(lambda one: Known(one.isoformat())),
    },
)
TERMS = st.lists(
    st.tuples(st.sampled_from([SMALL, TWENTY, HONEST, YEAR, HAND]), st.sampled_from(["", "a", "b"])),
    max_size=6,
).map(lambda rows: [Criterion(r.wording, r.fact, r.op, r.values, group) for r, group in rows])


@given(TERMS, KNOWN)
def test_to_learn_more_never_turns_an_answer_and_a_proof_runs_again(terms, known):
    found = decide(terms, FACTS, known, DAY)
    assert recheck(proof(terms, FACTS, known, DAY))
    fuller = {
        "staff": Known(25),
        "size": Known("small"),
        "bad": Known(False),
        "since": Known("2019-01-01"),
    } | known
    if found.outcome != UNKNOWN:
        assert decide(terms, FACTS, fuller, DAY).outcome == found.outcome


def test_a_proof_with_one_changed_value_does_not_run_again():
    body = proof([TWENTY], FACTS, {"staff": Known(25)}, DAY)
    body["facts"]["staff"]["value"] = 5
    assert not recheck(body)


def test_and_and_or_are_kleenes():
    truth = {YES: 1.0, UNKNOWN: 0.5, NO: 0.0}
    for a, b in product(truth, truth):
        assert truth[all_of([a, b])] == min(truth[a], truth[b])
        assert truth[any_of([a, b])] == max(truth[a], truth[b])
