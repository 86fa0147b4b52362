"""What is data changes by draft and second person; numbers are given out once."""

import pytest

from liangzhu.kernel import releases
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Denied, NotThere, StepNotAllowed
from liangzhu.kernel.models import Release
from liangzhu.kernel.refs import Ref

pytestmark = pytest.mark.django_db

ONE = Actor(ref=Ref("account", "1"), label="甲", roles=frozenset({"access.admin"}))
TWO = Actor(ref=Ref("account", "2"), label="乙", roles=frozenset({"access.admin"}))


def test_a_file_seeds_release_one_in_force_and_seeding_again_changes_nothing():
    first = releases.seed("process", "p", "a = 1")
    assert (first.number, first.state) == (1, Release.IN_FORCE)
    assert releases.seed("process", "p", "a = 1") == first
    assert Release.objects.count() == 1


def test_a_changed_file_waits_as_a_draft():
    first = releases.seed("process", "p", "a = 1")
    second = releases.seed("process", "p", "a = 2")
    assert (second.number, second.state) == (2, Release.DRAFT)
    assert releases.in_force("process", "p") == first


def test_the_drafter_cannot_release_but_another_can():
    releases.seed("process", "p", "a = 1")
    draft = releases.draft(ONE, kind="process", key="p", body="a = 2")
    with pytest.raises(Denied, match="起草人"):
        releases.release(ONE, release_id=draft.pk)
    releases.release(TWO, release_id=draft.pk)
    assert releases.in_force("process", "p").number == 2
    assert Release.objects.get(number=1).state == Release.SUPERSEDED


def test_a_refused_draft_never_comes_into_force():
    releases.seed("process", "p", "a = 1")
    draft = releases.draft(ONE, kind="process", key="p", body="a = 2")
    releases.release(TWO, release_id=draft.pk, accept=False)
    assert releases.in_force("process", "p").number == 1
    with pytest.raises(StepNotAllowed):
        releases.release(TWO, release_id=draft.pk)


def test_what_was_never_released_is_not_there():
    with pytest.raises(NotThere):
        releases.in_force("process", "none")


def test_the_difference_shows_what_was_taken_and_given():
    assert releases.difference("a\nb", "a\nc") == [(" ", "a"), ("-", "b"), ("+", "c")]


def test_numbers_of_a_series_are_given_once_a_year():
    assert [
        releases.next_number("s", 2022),
        releases.next_number("s", 2022),
        releases.next_number("s", 2023),
    ] == [1, 2, 1]
