"""An action checks, logs and announces in one transaction, or changes nothing."""

from datetime import date

import pytest

from liangzhu.kernel import calendar, policies
from liangzhu.kernel.actions import NothingLogged, PolicyNotChecked, action, all_actions, held_back
from liangzhu.kernel.actors import ANONYMOUS, SYSTEM, Actor
from liangzhu.kernel.errors import AlreadyDone, Denied, Invalid, NotThere
from liangzhu.kernel.log import holds
from liangzhu.kernel.models import DayOverride, LogDetail, LogLeaf, OutboxEvent, Submission
from liangzhu.kernel.now import at
from liangzhu.kernel.refs import Ref

pytestmark = pytest.mark.django_db

ADMIN = Actor(ref=Ref("account", "1"), label="管理员", roles=frozenset({"access.admin"}), request_id="r1")
OTHER_ADMIN = Actor(ref=Ref("account", "2"), label="另一位", roles=frozenset({"access.admin"}))
OFFICER = Actor(ref=Ref("account", "3"), label="承办人", roles=frozenset({"matters.officer"}))
DAY = date(2022, 10, 1)


def close_day(actor, **kwargs):
    return calendar.override_day(
        actor, **({"day": DAY, "workday": False, "reason": "大厅检修", "source": "通告"} | kwargs)
    )


@pytest.fixture
def throwaway():
    """Actions made inside a test are taken out of the registry again."""
    before = set(all_actions())
    yield
    from liangzhu.kernel import actions

    for name in set(actions._actions) - before:
        del actions._actions[name]


def test_a_change_leaves_one_leaf_and_one_event_with_actor_and_request():
    with at("2022-09-30 10:00"):
        close_day(ADMIN)
    leaf = LogLeaf.objects.get(action="kernel.override_day")
    assert (leaf.actor, leaf.subject, leaf.request_id) == ("account:1", "day_override:2022-10-01", "r1")
    assert leaf.number is None
    assert OutboxEvent.objects.get(name="kernel.calendar_changed").subject == leaf.subject


def test_the_leaf_holds_no_value_and_its_commitment_tells_a_changed_detail():
    close_day(ADMIN, reason="只有细节里有的话")
    leaf = LogLeaf.objects.get()
    assert all("只有细节里有的话" not in str(value) for value in LogLeaf.objects.values_list().get())
    assert holds(leaf) is True
    LogDetail.objects.filter(leaf=leaf).update(body=leaf.detail.body.replace("只有", "没有"))
    assert holds(LogLeaf.objects.get()) is False


def test_a_leaf_outlives_its_destroyed_details():
    close_day(ADMIN)
    LogDetail.objects.all().delete()
    assert holds(LogLeaf.objects.get()) is None


def test_equal_details_have_different_commitments():
    close_day(ADMIN)
    close_day(ADMIN)
    first, second = LogLeaf.objects.all()
    assert first.detail.body == second.detail.body
    assert first.commitment != second.commitment


@pytest.mark.parametrize("actor", [OFFICER, ANONYMOUS])
def test_who_may_not_is_told_so_and_nothing_remains(actor):
    with pytest.raises(Denied) as denied:
        close_day(actor)
    assert "维护工作日历" in denied.value.detail
    assert not DayOverride.objects.exists() and not LogLeaf.objects.exists()


def test_what_is_invalid_rolls_everything_back():
    with pytest.raises(Invalid) as invalid:
        close_day(ADMIN, source=" ")
    assert invalid.value.fields == {"source": "请填写。"}
    assert not LogLeaf.objects.exists() and not OutboxEvent.objects.exists()


def test_an_action_that_checks_no_policy_raises_and_changes_nothing(throwaway):
    @action("kernel.test_forgets_policy")
    def careless(act):
        row = DayOverride.objects.create(date=DAY, workday=True, reason="x", source="x")
        act.log(row.ref)

    with pytest.raises(PolicyNotChecked):
        careless(ADMIN)
    assert not DayOverride.objects.exists()


def test_an_action_that_logs_nothing_raises_and_changes_nothing(throwaway):
    @action("kernel.test_forgets_log")
    def silent(act):
        act.check(policies.manage_calendar)
        DayOverride.objects.create(date=DAY, workday=True, reason="x", source="x")

    with pytest.raises(NothingLogged):
        silent(ADMIN)
    assert not DayOverride.objects.exists()


def test_two_actions_cannot_have_one_name(throwaway):
    @action("kernel.test_name")
    def one(act): ...

    with pytest.raises(ValueError, match="registered twice"):
        action("kernel.test_name")(lambda act: None)


def test_a_form_sent_twice_is_done_once_and_points_to_the_first_result():
    close_day(ADMIN, once="form-1")
    with pytest.raises(AlreadyDone) as again:
        close_day(ADMIN, once="form-1", reason="第二次")
    assert again.value.result == "day_override:2022-10-01"
    assert DayOverride.objects.get().reason == "大厅检修"
    assert LogLeaf.objects.count() == 1


def test_the_key_of_somebody_elses_form_reveals_nothing():
    close_day(ADMIN, once="form-1")
    with pytest.raises(AlreadyDone) as again:
        close_day(OTHER_ADMIN, once="form-1")
    assert again.value.result == ""


def test_a_form_that_failed_may_be_sent_again():
    with pytest.raises(Invalid):
        close_day(ADMIN, once="form-1", reason="")
    assert not Submission.objects.exists()
    close_day(ADMIN, once="form-1")
    assert DayOverride.objects.count() == 1


def test_locking_what_is_not_there_is_a_named_error():
    with pytest.raises(NotThere) as missing:
        calendar.restore_day(ADMIN, day=DAY)
    assert "工作日调整" in missing.value.detail


def test_the_system_may_act_and_the_leaf_says_so():
    close_day(SYSTEM)
    assert LogLeaf.objects.get().actor == "system:worker"


def test_nothing_is_done_while_actions_are_held_back():
    with held_back(Invalid("请核对后再提交")), pytest.raises(Invalid, match="请核对"):
        close_day(ADMIN)
    assert not DayOverride.objects.exists() and not LogLeaf.objects.exists()
    close_day(ADMIN)
    assert DayOverride.objects.exists()
