"""Units valid in time: setting up, renaming, moving, ending, passing on; and the tree in memory."""

from datetime import date, timedelta

import pytest

from liangzhu.beams.people.directory import actions, handlers
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Denied, Invalid, StepNotAllowed
from liangzhu.kernel.models import LogLeaf, OutboxEvent
from liangzhu.kernel.now import at, today

DAY = date(2021, 6, 1)
BEFORE = DAY - timedelta(days=1)


def names(unit, *days):
    return [directory.unit_name(unit.pk, day) for day in days]


def test_a_renamed_unit_keeps_its_old_name_on_the_days_before(bureau):
    actions.rename_unit(SYSTEM, unit_id=bureau.pk, name="某区教育体育局", on=DAY, source="某发1号")
    assert names(bureau, BEFORE, DAY, today()) == ["某区教育局", "某区教育体育局", "某区教育体育局"]


def test_renaming_on_the_first_day_corrects_instead_of_adding(bureau):
    first = bureau.spells.get().valid_from
    actions.rename_unit(SYSTEM, unit_id=bureau.pk, name="某区教育委员会", on=first, source="勘误")
    assert [spell.name for spell in bureau.spells.all()] == ["某区教育委员会"]


def test_a_rename_reaches_through_later_changes_of_the_code_but_not_of_the_name(bureau):
    later = date(2022, 1, 1)
    actions.move_unit(SYSTEM, unit_id=bureau.pk, parent_id=None, code="100009", on=later, source="代码表")
    actions.rename_unit(SYSTEM, unit_id=bureau.pk, name="某区教体局", on=DAY, source="某发1号")
    assert names(bureau, BEFORE, DAY, later) == ["某区教育局", "某区教体局", "某区教体局"]
    actions.rename_unit(SYSTEM, unit_id=bureau.pk, name="某区旧教育局", on=date(2020, 6, 1), source="补记")
    assert names(bureau, BEFORE, DAY) == ["某区旧教育局", "某区教体局"]


def test_a_moved_code_is_found_by_day(bureau, government):
    actions.move_unit(
        SYSTEM, unit_id=bureau.pk, parent_id=government.pk, code="100002", on=DAY, source="代码表"
    )
    assert directory.units(BEFORE).by_code("100001").id == bureau.pk
    assert directory.units(BEFORE).by_code("100002") is None
    assert directory.units(DAY).by_code("100002").id == bureau.pk


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("on", {"on": date(2019, 12, 31)}),
        ("on", {"on": date(1202, 1, 1)}),
        ("on", {"on": date(2999, 1, 1)}),
        ("name", {"name": "  "}),
        ("name", {"name": "某区教育局", "short_name": "区教育局"}),
        ("source", {"source": ""}),
    ],
)
def test_a_bad_rename_names_its_field(bureau, field, change):
    given = {"name": "新名", "on": DAY, "source": "某发1号"} | change
    with pytest.raises(Invalid) as error:
        actions.rename_unit(SYSTEM, unit_id=bureau.pk, **given)
    assert set(error.value.fields) == {field}


def test_two_units_of_one_name_under_one_superior_are_refused(government, bureau, make_unit):
    with pytest.raises(Invalid) as error:
        make_unit("某区教育局", government)
    assert "name" in error.value.fields


def test_a_code_belongs_to_one_unit_at_a_time(government, bureau, make_unit):
    with pytest.raises(Invalid) as error:
        make_unit("某区卫健委", government, code="100001")
    assert "某区教育局" in error.value.fields["code"]
    actions.close_unit(SYSTEM, unit_id=bureau.pk, on=DAY, reason="机构改革", source="某发1号")
    assert make_unit("某区卫健委", government, on=DAY, code="100001").pk


def test_a_unit_cannot_be_put_below_itself_or_its_own_children(government, bureau, make_unit):
    section = make_unit("某区教育局招生办", bureau)
    for parent in (bureau, section):
        with pytest.raises(Invalid) as error:
            actions.move_unit(
                SYSTEM, unit_id=bureau.pk, parent_id=parent.pk, code="", on=DAY, source="某发1号"
            )
        assert "parent" in error.value.fields


def test_a_superior_must_exist_on_that_day(bureau, make_unit):
    late = make_unit("某区教育工委", on=date(2022, 1, 1), kind="party_body")
    with pytest.raises(Invalid) as error:
        actions.move_unit(SYSTEM, unit_id=bureau.pk, parent_id=late.pk, code="", on=DAY, source="某发1号")
    assert "不存在" in error.value.fields["parent"]


def test_a_unit_with_units_below_it_cannot_end(government, bureau):
    with pytest.raises(Invalid) as error:
        actions.close_unit(SYSTEM, unit_id=government.pk, on=DAY, reason="撤销", source="某发1号")
    assert "区教育局" in error.value.fields["on"]


def test_a_unit_that_ends_takes_its_posts_along(bureau, officer):
    actions.close_unit(SYSTEM, unit_id=bureau.pk, on=today(), reason="撤销", source="某发1号")
    assert directory.units().get(bureau.pk) is None
    assert directory.units(today() - timedelta(days=1)).get(bureau.pk)
    assert directory.posts(unit_id=bureau.pk) == []
    assert directory.posts_open_to(officer.person.pk) == []


def test_an_end_entered_by_mistake_can_be_taken_back(bureau):
    actions.close_unit(SYSTEM, unit_id=bureau.pk, on=DAY, reason="撤销", source="某发1号")
    actions.reopen_unit(SYSTEM, unit_id=bureau.pk, reason="录错单位")
    assert directory.units().get(bureau.pk).name == "某区教育局"


def test_a_whole_succession_ends_the_unit_and_is_announced(bureau, government, make_unit):
    heir = make_unit("某区教育体育局", government, short_name="区教体局")
    actions.succeed_unit(SYSTEM, unit_id=bureau.pk, successor_id=heir.pk, on=DAY, source="某发1号")
    assert directory.successor(bureau.pk, BEFORE) is None
    assert directory.successor(bureau.pk, DAY) == heir.pk
    assert directory.units(DAY).get(bureau.pk) is None
    found = directory.resolve_unit("区教育局")
    assert (found.id, found.former_name) == (heir.pk, "区教育局")
    event = OutboxEvent.objects.get(name="directory.unit_succeeded")
    assert (event.subject, f'"successor_id":{heir.pk}' in event.body) == (str(bureau.ref), True)
    with pytest.raises(StepNotAllowed):
        actions.reopen_unit(SYSTEM, unit_id=bureau.pk, reason="反悔")


def test_successions_are_followed_to_the_end_of_the_chain(bureau, government, make_unit):
    second, third = make_unit("乙局", government), make_unit("丙局", government)
    actions.succeed_unit(SYSTEM, unit_id=bureau.pk, successor_id=second.pk, on=DAY, source="一")
    actions.succeed_unit(SYSTEM, unit_id=second.pk, successor_id=third.pk, on=date(2022, 1, 1), source="二")
    assert directory.successor(bureau.pk, DAY) == second.pk
    assert directory.successor(bureau.pk, date(2022, 1, 1)) == third.pk


def test_a_succession_entered_ahead_of_time_is_announced_on_its_day(bureau, government, make_unit):
    heir = make_unit("乙局", government)
    day = today() + timedelta(days=10)
    actions.succeed_unit(SYSTEM, unit_id=bureau.pk, successor_id=heir.pk, on=day, source="一")
    told = OutboxEvent.objects.filter(name="directory.unit_succeeded")
    handlers.announce_successions()
    assert not told.exists()
    with at(f"{day.isoformat()} 00:30"):
        handlers.announce_successions()
        handlers.announce_successions()
    assert told.count() == 1


def test_an_unconfirmed_or_partial_succession_moves_nothing(bureau, government, make_unit):
    heir = make_unit("某区数据局", government)
    partial = actions.succeed_unit(
        SYSTEM,
        unit_id=bureau.pk,
        successor_id=heir.pk,
        on=DAY,
        source="报道",
        whole=False,
        scope="数据归集",
        unconfirmed=True,
    )
    actions.confirm_succession(SYSTEM, succession_id=partial.pk, source="某编1号")
    assert directory.units().get(bureau.pk) and directory.successor(bureau.pk) is None
    assert not OutboxEvent.objects.filter(name="directory.unit_succeeded").exists()


def test_confirming_a_whole_succession_carries_it_out(bureau, government, make_unit):
    heir = make_unit("乙局", government)
    row = actions.succeed_unit(
        SYSTEM, unit_id=bureau.pk, successor_id=heir.pk, on=DAY, source="报道", unconfirmed=True
    )
    assert directory.units(DAY).get(bureau.pk)
    actions.confirm_succession(SYSTEM, succession_id=row.pk, source="某编1号")
    assert directory.units(DAY).get(bureau.pk) is None
    assert directory.successor(bureau.pk, DAY) == heir.pk


def test_units_cannot_take_over_from_each_other(bureau, government, make_unit):
    other = make_unit("乙局", government)
    later = date(2023, 1, 1)
    actions.succeed_unit(SYSTEM, unit_id=other.pk, successor_id=bureau.pk, on=later, source="一")
    with pytest.raises(Invalid) as error:
        actions.succeed_unit(SYSTEM, unit_id=bureau.pk, successor_id=other.pk, on=DAY, source="二")
    assert "successor" in error.value.fields


def test_who_does_not_administer_changes_nothing(bureau, officer):
    with pytest.raises(Denied):
        actions.rename_unit(officer.actor, unit_id=bureau.pk, name="新名", on=DAY, source="某发1号")
    assert names(bureau, today()) == ["某区教育局"]


def test_every_change_leaves_a_leaf_on_the_unit(admin, bureau):
    actions.rename_unit(admin.actor, unit_id=bureau.pk, name="某区教体局", on=DAY, source="某发1号")
    leaf = LogLeaf.objects.filter(subject=str(bureau.ref)).latest("id")
    assert (leaf.action, leaf.actor) == ("directory.rename_unit", str(admin.account.ref))


def test_a_name_that_two_units_bear_is_ambiguous_until_the_code_is_added(government, make_unit):
    east, west = make_unit("东镇", government, kind="town"), make_unit("西镇", government, kind="town")
    one = make_unit("服务中心", east, code="1001")
    two = make_unit("服务中心", west)
    with pytest.raises(directory.AmbiguousUnit) as error:
        directory.resolve_unit("服务中心")
    assert {view.id for view in error.value.candidates} == {one.pk, two.pk}
    assert directory.resolve_unit("服务中心（1001）").id == one.pk
    assert directory.resolve_unit(f"服务中心({two.key})").id == two.pk


def test_an_unknown_name_says_what_to_do(bureau):
    with pytest.raises(directory.UnknownUnit) as error:
        directory.resolve_unit("某区不存在局")
    assert "某区不存在局" in error.value.detail and "登记" in error.value.todo


def test_a_unit_is_found_by_alias_and_by_its_own_former_name(bureau):
    actions.name_aliases(SYSTEM, unit_id=bureau.pk, aliases=["区教育主管部门", ""])
    actions.rename_unit(SYSTEM, unit_id=bureau.pk, name="某区教体局", on=DAY, source="某发1号")
    assert directory.resolve_unit("区教育主管部门").id == bureau.pk
    assert directory.resolve_unit("某区教育局").former_name == "某区教育局"


def test_a_rolled_back_change_leaves_no_trace_in_the_tree(bureau):
    with directory.pinned():
        assert directory.units().get(bureau.pk).name == "某区教育局"
        with pytest.raises(Invalid):
            # The new spell is cut off first, then the code is refused.
            actions.move_unit(
                SYSTEM, unit_id=bureau.pk, parent_id=bureau.pk, code="", on=DAY, source="某发1号"
            )
        assert directory.units().get(bureau.pk).name == "某区教育局"
    assert bureau.spells.count() == 1


def test_a_pinned_tree_asks_for_its_version_once(bureau, django_assert_num_queries):
    directory.units()
    with directory.pinned(), django_assert_num_queries(1):
        for _ in range(50):
            directory.unit_name(bureau.pk)
            directory.units().by_name("区教育局")


def test_a_change_by_another_process_is_seen_at_the_next_look(bureau):
    assert directory.unit_name(bureau.pk) == "某区教育局"
    actions.rename_unit(SYSTEM, unit_id=bureau.pk, name="某区教体局", on=DAY, source="某发1号")
    assert directory.unit_name(bureau.pk) == "某区教体局"


def test_an_open_set_is_expanded_by_kind_superior_members_and_exceptions(government, bureau, make_unit):
    town = make_unit("东镇", government, kind="town", code="101")
    street = make_unit("西街道", government, kind="street", code="102")
    zone = make_unit("开发区管委会", kind="zone_office")
    far = make_unit("南街道", zone, kind="street", code="103")
    actions.save_unit_set(
        SYSTEM,
        expression="各镇街",
        aliases=["各镇、街道"],
        source="某发1号",
        kinds=["town", "street"],
        under=[government.pk],
        members=[zone.pk],
        excepts=[street.pk],
    )
    assert set(directory.expand_set("各镇、街道").unit_ids) == {town.pk, zone.pk}
    assert far.pk not in directory.expand_set("各镇街").unit_ids
    assert directory.expand_set("各镇街", date(2019, 1, 1)).unit_ids == ()
    with pytest.raises(directory.UnknownUnit):
        directory.expand_set("各村居")


def test_an_expression_belongs_to_one_set(government):
    given = {"source": "某发1号", "kinds": ["town"]}
    actions.save_unit_set(SYSTEM, expression="各镇街", aliases=["各镇"], **given)
    with pytest.raises(Invalid) as error:
        actions.save_unit_set(SYSTEM, expression="各镇", **given)
    assert "expression" in error.value.fields
    with pytest.raises(Invalid) as error:
        actions.save_unit_set(SYSTEM, expression="各街道", source="某发1号", kinds=[])
    assert "kinds" in error.value.fields
