"""Persons, posts, roles, holdings, stand-ins, and the actor that stands for a person in a post."""

from datetime import date, timedelta

import pytest

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import actions
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Denied, Invalid
from liangzhu.kernel.models import LogDetail, OutboxEvent
from liangzhu.kernel.now import at, today


def stand_in(post, person, first: int, last: int, **more):
    day = today()
    return actions.appoint_deputy(
        SYSTEM,
        post_id=post.pk,
        person_id=person.pk,
        valid_from=day + timedelta(days=first),
        last_day=day + timedelta(days=last),
        **({"reason": "外出培训"} | more),
    )


def test_staff_carry_the_roles_and_the_unit_of_their_post(officer, bureau):
    actor = officer.actor
    assert actor.has("matters.officer") and not actor.deputy
    assert (actor.unit_id, str(actor.on_behalf)) == (bureau.pk, f"unit:{bureau.pk}")
    assert actor.label == "李四 · 科长"


def test_a_stand_in_acts_under_the_post_within_the_dates_only(officer, bureau, put):
    head = put("张三", "zhangsan", bureau, roles=["matters.head"], title="局长", is_head=True)
    row = stand_in(head.post, officer.person, 1, 3)
    assert row.valid_to - row.valid_from == timedelta(days=3)
    allowed = {}
    for offset in range(5):
        with at(f"{today() + timedelta(days=offset)} 12:00"):
            allowed[offset] = head.post.pk in {view.id for view in directory.posts_open_to(officer.person.pk)}
            if not allowed[offset]:
                with pytest.raises(Denied):
                    directory.staff(officer.person.pk, head.post.pk, officer.account.ref)
    assert allowed == {0: False, 1: True, 2: True, 3: True, 4: False}


def test_a_stand_in_is_named_with_whom_it_stands_for(officer, bureau, put):
    head = put("张三", "zhangsan", bureau, roles=["matters.head"], title="局长", is_head=True)
    stand_in(head.post, officer.person, 0, 0)
    actor = access.actor_of(officer.username, head.post.key)
    assert actor.label == "李四（代张三）· 局长"
    assert actor.deputy and actor.is_head and actor.has("matters.head")
    assert [view.deputy for view in directory.posts_open_to(officer.person.pk)] == [False, True]


def test_a_stand_in_can_be_ended_at_once(officer, bureau, put):
    head = put("张三", "zhangsan", bureau, title="局长")
    row = stand_in(head.post, officer.person, 0, 5)
    actions.end_deputy(SYSTEM, deputy_id=row.pk)
    with pytest.raises(Denied):
        directory.staff(officer.person.pk, head.post.pk, officer.account.ref)


@pytest.mark.parametrize(
    ("field", "first", "last", "more"),
    [
        ("last_day", 3, 1, {}),
        ("last_day", -5, -1, {}),
        ("reason", 0, 1, {"reason": " "}),
        ("valid_from", 40000, 40001, {}),
    ],
)
def test_a_bad_stand_in_names_its_field(officer, bureau, put, field, first, last, more):
    head = put("张三", "zhangsan", bureau, title="局长")
    with pytest.raises(Invalid) as error:
        stand_in(head.post, officer.person, first, last, **more)
    assert set(error.value.fields) == {field}


def test_two_stand_ins_for_one_post_do_not_overlap(officer, bureau, put):
    head, third = put("张三", "zhangsan", bureau, title="局长"), put("王五", "wangwu", bureau)
    stand_in(head.post, officer.person, 0, 5)
    with pytest.raises(Invalid) as error:
        stand_in(head.post, third.person, 5, 8)
    assert "李四" in error.value.fields["valid_from"]
    assert stand_in(head.post, third.person, 6, 8).pk
    with pytest.raises(Invalid):
        stand_in(head.post, head.person, 10, 11)


def test_one_post_is_held_by_one_person_at_a_time(officer, put, bureau):
    other = put("王五", "wangwu", bureau)
    with pytest.raises(Invalid) as error:
        actions.hold_post(SYSTEM, post_id=officer.post.pk, person_id=other.person.pk, valid_from=today())
    assert "李四" in error.value.fields["valid_from"]
    holding = officer.post.holdings.get()
    actions.end_holding(SYSTEM, holding_id=holding.pk, on=today())
    actions.hold_post(SYSTEM, post_id=officer.post.pk, person_id=other.person.pk, valid_from=today())
    assert directory.post(officer.post.pk).person_name == "王五"
    with at(f"{today() - timedelta(days=1)} 12:00"):
        assert directory.post(officer.post.pk).person_name == "李四"


def test_who_left_a_post_cannot_act_under_it(officer):
    actions.end_holding(SYSTEM, holding_id=officer.post.holdings.get().pk, on=today())
    with pytest.raises(Denied):
        assert officer.actor


def test_a_closed_post_lets_nobody_in(officer):
    actions.close_post(SYSTEM, post_id=officer.post.pk, on=today())
    assert directory.posts_open_to(officer.person.pk) == []
    with pytest.raises(Invalid):
        actions.hold_post(SYSTEM, post_id=officer.post.pk, person_id=officer.person.pk, valid_from=today())


def test_taking_a_role_works_at_once(officer):
    actions.take_role(SYSTEM, post_id=officer.post.pk, role="matters.officer")
    assert not officer.actor.has("matters.officer")
    with pytest.raises(Invalid):
        actions.take_role(SYSTEM, post_id=officer.post.pk, role="matters.officer")


def test_an_undeclared_role_is_refused(officer):
    with pytest.raises(Invalid) as error:
        actions.give_role(SYSTEM, post_id=officer.post.pk, role="matters.emperor")
    assert "role" in error.value.fields


def test_roles_that_exclude_each_other_never_meet_in_one_person(admin, auditor, officer):
    with pytest.raises(Invalid) as error:
        actions.give_role(SYSTEM, post_id=admin.post.pk, role="kernel.auditor")
    assert "不得" in error.value.fields["role"]
    with pytest.raises(Invalid) as error:
        stand_in(auditor.post, admin.person, 0, 2)
    assert "不得由同一人兼任" in error.value.fields["person"]
    second = actions.open_post(SYSTEM, unit_id=officer.post.unit_id, title="审计员", roles=["kernel.auditor"])
    with pytest.raises(Invalid):
        actions.hold_post(SYSTEM, post_id=second.pk, person_id=admin.person.pk, valid_from=today())


def test_posts_are_found_by_unit_role_and_head(officer, bureau, put, admin):
    head = put("张三", "zhangsan", bureau, roles=["matters.head"], title="局长", is_head=True)
    assert [view.id for view in directory.posts(unit_id=bureau.pk)] == [head.post.pk, officer.post.pk]
    assert [view.id for view in directory.posts(unit_id=bureau.pk, head=True)] == [head.post.pk]
    assert [view.person_name for view in directory.posts(role="access.admin")] == ["顾一"]


def test_the_log_holds_no_name_of_a_person(officer):
    actions.rename_person(SYSTEM, person_id=officer.person.pk, name="李四光")
    assert not [detail for detail in LogDetail.objects.all() if "李四" in detail.body]


def test_a_change_of_holder_is_announced(officer):
    before = OutboxEvent.objects.filter(name="directory.holding_changed").count()
    actions.end_holding(SYSTEM, holding_id=officer.post.holdings.get().pk, on=today())
    event = OutboxEvent.objects.filter(name="directory.holding_changed").latest("id")
    assert (event.subject, before) == (str(officer.post.ref), 1)


def test_the_span_of_a_holding_cannot_be_empty_or_absurd(officer, bureau):
    post = actions.open_post(SYSTEM, unit_id=bureau.pk, title="副科长")
    for span in ({"valid_from": today(), "valid_to": today()}, {"valid_from": date(1202, 1, 1)}):
        with pytest.raises(Invalid):
            actions.hold_post(SYSTEM, post_id=post.pk, person_id=officer.person.pk, **span)
