"""Whose turn it is: the inbox shows what the process looks to a post for, and who hears of it."""

import pytest

from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters import turns
from liangzhu.kernel.errors import NotThere

pytestmark = pytest.mark.django_db


@pytest.fixture
def li(district):
    return district.officer("甲局", "李四")


def mine(actor) -> list[str]:
    return [row.state for row in matters.inbox(actor, "mine").order_by("id")]


def test_what_nobody_was_given_waits_for_those_whom_the_process_names(district, simple, li):
    simple(li)
    clerk_without_roles = district.staff(district.person("无职责", post := district.post("甲局")), post)
    stranger = district.officer("乙局", "外单位")
    assert mine(li) == ["received"]
    assert mine(clerk_without_roles) == mine(stranger) == []


def test_what_was_given_to_one_leaves_the_inbox_of_the_others(district, simple, li):
    matter = simple(li)
    other = district.officer("甲局", "同事")
    assert mine(other) == ["received"]
    matters.assign(li, matter_id=matter.pk, post_id=li.post_id, version=1)
    assert (mine(li), mine(other)) == (["received"], [])


def test_the_turn_goes_with_the_matter_to_the_next_unit(district, simple, advance, li):
    checker = district.officer("督办室", "核查")
    matter = advance(li, advance(li, simple(li), "accept"), "report", result="完成")
    assert (mine(li), mine(checker)) == ([], ["checking"])
    assert turns.posts(matter) == [checker.post_id]
    advance(checker, matter, "close")
    assert mine(checker) == []


@pytest.mark.parametrize("role", ["access.admin", "kernel.auditor"])
def test_who_only_keeps_the_system_or_its_log_sees_no_matter(district, simple, li, role):
    matter = simple(li)
    keeper = district.staff(district.person("三员", post := district.post("甲局", role)), post)
    assert not matters.inbox(keeper, "unit").exists()
    assert not matters.visible(keeper).exists()
    with pytest.raises(NotThere):
        matters.step(keeper, matter_id=matter.pk, transition="accept", data={})


def test_who_keeps_the_system_and_works_too_sees_the_work(district, simple, li):
    simple(li)
    both = district.staff(
        district.person("兼", post := district.post("甲局", "access.admin", "matters.officer")), post
    )
    assert mine(both) == ["received"]
