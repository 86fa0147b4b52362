"""The bundle planner: the critical path, what a promise rests on, and each material asked once."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liangzhu.pillars.services.planning import Circular, Need, Part, Term, fewest, plan


def part(key, days=None, *needs, legal=None, steps=None, unit="workday"):
    return Part(
        key,
        f"事项{key}",
        legal=Term(legal, "workday") if legal is not None else None,
        promised=Term(days, unit) if days is not None else None,
        needs=frozenset(needs),
        steps=steps,
    )


CLINIC = [
    part("shop", 1, legal=3),
    part("clinic", 15, "shop", legal=45, steps=14),
    part("rays", 10, "clinic", legal=20),
    part("drain", 7, legal=20),
]


def test_parallel_parts_take_as_long_as_their_longest_chain():
    found = plan(CLINIC)
    assert found.critical == ("shop", "clinic", "rays")
    assert (found.promised_days, found.one_by_one) == (26, 33)
    assert (found.promised["rays"].begins, found.promised["drain"].begins) == (16, 0)
    assert found.proved and found.legal_days == 68


def test_a_promise_that_is_shorter_than_the_longest_chain_is_not_proved_and_says_by_how_much():
    found = plan(CLINIC, promise=20)
    assert [one.why for one in found.doubts] == ["最长的一条路要 26 个工作日，承诺的 20 个不够"]
    assert plan(CLINIC, promise=26).proved


def test_doubts_name_the_part_and_the_reason():
    found = plan([part("a", None, legal=20), part("b", 5, steps=8), part("c", 30, legal=20), part("d")])
    assert {(one.part, one.why) for one in found.doubts} == {
        ("a", "没有承诺时限，按法定时限计"),
        ("b", "各环节共需 8 个工作日，承诺只有 5 个"),
        ("c", "承诺 30 日，长于法定的 20 日"),
        ("d", "既没有承诺时限，也没有法定时限"),
    }


def test_joint_handling_is_bound_by_forty_five_days_of_law():
    assert not plan([part("a", 30, legal=45), part("b", 20, "a", legal=20)]).proved
    assert plan([part("a", 50, legal=60)]).proved


def test_who_is_late_moves_what_hangs_on_him_and_nothing_else():
    found = plan(CLINIC, taken={"shop": 1, "clinic": 20})
    assert found.promised["rays"].begins == 20 and found.promised["rays"].ends == 30
    assert found.promised["drain"].ends == 7


def test_parts_that_wait_for_each_other_are_refused_by_name():
    with pytest.raises(Circular) as refused:
        plan([part("a", 1, "b"), part("b", 1, "a"), part("c", 1)])
    assert set(refused.value.parts) == {"a", "b"}
    with pytest.raises(KeyError, match="which is not in the bundle"):
        plan([part("a", 1, "x")])


def test_on_the_spot_takes_no_day_and_hours_are_rounded_up():
    assert plan([part("a", 0, unit="spot"), part("b", 9, "a", unit="hour")]).promised_days == 2


@st.composite
def bundles(draw):
    count = draw(st.integers(1, 6))
    return [
        part(
            str(n),
            draw(st.integers(0, 30)),
            *(str(m) for m in range(n) if draw(st.booleans())),
        )
        for n in range(count)
    ]


def slowly(parts):
    """The length of the longest chain, by trying every order of every subset that is a chain."""
    days = {one.key: one.promised.amount for one in parts}
    needs = {one.key: one.needs for one in parts}
    longest = 0
    for size in range(1, len(parts) + 1):
        for chain in permutations(days, size):
            if all(one in needs[other] for one, other in zip(chain, chain[1:], strict=False)):
                longest = max(longest, sum(days[one] for one in chain))
    return longest


@given(bundles())
def test_the_plan_is_the_longest_chain_and_its_critical_path_is_that_chain(parts):
    found = plan(parts)
    days = {one.key: one.promised.amount for one in parts}
    assert found.promised_days == slowly(parts) == sum(days[key] for key in found.critical)
    assert found.promised_days <= found.one_by_one


def test_each_material_is_asked_once_and_what_government_makes_or_holds_is_not():
    wanted = fewest(
        [
            Need("shop", "lease", "房屋使用证明"),
            Need("clinic", "lease", "房屋使用证明", required=False),
            Need("clinic", "licence", "营业执照", made_by="shop"),
            Need("clinic", "doctors", "医师执业证书", held="区卫健委 医师注册库"),
            Need("rays", "doctors", "医师执业证书"),
            Need("rays", "report", "放射防护评价报告"),
        ]
    )
    assert [(one.material, one.parts, bool(one.why)) for one in wanted] == [
        ("lease", ("shop", "clinic"), False),
        ("licence", ("clinic",), True),
        ("doctors", ("clinic", "rays"), True),
        ("report", ("rays",), False),
    ]
    assert wanted[0].required and "shop" in wanted[1].why
