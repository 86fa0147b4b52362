"""Ratings: one for one thing done, bad ones followed to the end, rated again, counted apart."""

from datetime import date

import pytest
from django.urls import reverse

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.residents.models import Message
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.actions import action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.now import at
from liangzhu.kernel.policies import public
from liangzhu.kernel.refs import Ref
from liangzhu.pillars.services import ratings
from liangzhu.pillars.services.actions import ratings as actions
from liangzhu.pillars.services.models import Rating
from liangzhu.pillars.services.queries import ratings as queries

pytestmark = pytest.mark.django_db
THING = Ref("certificate", "7")


@pytest.fixture(autouse=True)
def _day(items_loaded):
    with at("2022-10-20 09:00"):
        matters.load_processes()
        yield


@action("test.ask_rating")
def ask(act, *, thing=THING, **given):
    act.check(public)
    unit = directory.units().by_key("weijianwei").id
    row, code = ratings.ask(
        act, thing=thing, title="诊所备案凭证", unit_id=unit, item="zhensuo_beian", **given
    )
    act.log(row.ref)
    return row, code


@pytest.fixture
def officer(put):
    return put("ban", "weijianwei", "matters.officer")


@pytest.fixture
def head(put):
    return put("tou", "weijianwei", "matters.head", "matters.officer")


@pytest.fixture
def lin(as_resident):
    return as_resident("林晓禾")


def step(actor, row, name, **data):
    matter = Rating.objects.get(pk=row.pk).matter
    return matters.step(actor, matter_id=matter.pk, transition=name, version=matter.version, data=data)


def test_one_thing_is_asked_for_once_and_rated_once_by_whom_it_was_done_for(lin, as_resident):
    row, code = ask(SYSTEM, rater=lin.person)
    assert len(code) == 8 and ask(SYSTEM, rater=lin.person) == (row, "")
    assert Message.objects.filter(key=f"rating:{row.number}").count() == 1
    address = reverse("services:my_rating", args=[row.pk])
    assert as_resident("周宁").client.get(address).status_code == 404
    assert lin.client.post(address, {"level": "4"}).status_code == 302
    with pytest.raises(StepNotAllowed, match="一件事评一次"):
        actions.give(lin.actor, rating_id=row.pk, level=5)


def test_number_and_code_rate_without_an_account_and_a_wrong_code_says_no_more_than_that(client):
    row, code = ask(SYSTEM)
    address = reverse("services:rate")
    wrong = client.post(address, {"number": row.number, "code": "22222222", "level": "5"})
    nothing = client.post(address, {"number": "HP-2022-999999", "code": code, "level": "5"})
    assert wrong.status_code == nothing.status_code == 404
    assert "评价码不对" in wrong.content.decode() and "评价码不对" in nothing.content.decode()
    typed = f" {code[:4].lower()} {code[4:]}"
    assert (
        client.post(address, {"number": row.number.lower(), "code": typed, "level": "5"}).status_code == 302
    )
    row.refresh_from_db()
    assert (row.level, row.channel, row.state) == (5, "code", Rating.GIVEN)


def test_a_bad_one_needs_a_word_is_contacted_in_a_day_mended_in_fifteen_and_rated_again(lin, officer, head):
    row, _ = ask(SYSTEM, rater=lin.person, clerk=officer.actor.ref)
    with pytest.raises(Invalid, match="哪里不好"):
        actions.give(lin.actor, rating_id=row.pk, level=1)
    actions.give(lin.actor, rating_id=row.pk, level=1, comment="等了三个小时")
    row.refresh_from_db()
    due = {one.name: matters.last_day(one.due_at) for one in row.matter.clocks.all()}
    assert due == {"contact": date(2022, 10, 21), "mend": date(2022, 11, 10)}
    with pytest.raises(StepNotAllowed):
        actions.give(lin.actor, rating_id=row.pk, level=5)
    step(officer.actor, row, "contacted", finding="属实")
    step(officer.actor, row, "mended", result="增开窗口")
    (figures,) = queries.figures(officer.actor, "unit")
    assert (figures.bad, figures.good_rate, figures.followed_rate) == (1, 0, 1)
    actions.give(lin.actor, rating_id=row.pk, level=4)
    row.refresh_from_db()
    assert (row.level, row.again) == (1, 4)
    (figures,) = queries.figures(officer.actor, "clerk")
    assert figures.bad == 1


def test_a_malicious_one_is_not_adopted_only_after_a_second_person_looked(lin, officer, head):
    row, _ = ask(SYSTEM, rater=lin.person)
    actions.give(lin.actor, rating_id=row.pk, level=2, comment="骂人的话")
    step(head.actor, row, "contacted", finding="查看录像")
    step(head.actor, row, "doubt", ground="当天没有来过")
    with pytest.raises(Denied):
        step(head.actor, row, "void", result="属实")
    with pytest.raises((Denied, StepNotAllowed)):
        step(officer.actor, row, "void", result="属实")


def test_what_the_head_verifies_after_an_officer_doubted_it_is_void_and_in_no_rate(lin, officer, head):
    row, _ = ask(SYSTEM, rater=lin.person)
    actions.give(lin.actor, rating_id=row.pk, level=2, comment="骂人的话")
    step(officer.actor, row, "contacted", finding="查看录像")
    step(officer.actor, row, "doubt", ground="当天没有来过")
    step(head.actor, row, "void", result="属实")
    (figures,) = queries.figures(officer.actor, "unit")
    assert (figures.void, figures.valid, figures.good_rate) == (1, 0, None)


def test_silence_is_counted_apart_and_may_still_be_broken(lin):
    row, _ = ask(SYSTEM, rater=lin.person)
    assert actions.default(SYSTEM) == 0
    with at("2022-10-31 09:00"):
        assert actions.default(SYSTEM) == 1
    (figures,) = queries.figures(SYSTEM, "unit")
    assert (figures.default, figures.good, figures.good_rate) == (1, 0, None)
    actions.give(lin.actor, rating_id=row.pk, level=3)
    row.refresh_from_db()
    assert row.state == Rating.GIVEN


def test_a_kind_that_nobody_registered_is_not_rated():
    with pytest.raises(ValueError, match="not registered"):
        ask(SYSTEM, thing=Ref("nothing", "1"))
    with pytest.raises(NotThere):
        actions.give(SYSTEM, rating_id=0, level=5)


def test_the_pages_of_staff_and_of_residents_open(lin, officer):
    row, _ = ask(SYSTEM, rater=lin.person)
    actions.give(lin.actor, rating_id=row.pk, level=2, comment="等了三个小时")
    assert "诊所备案凭证" in lin.client.get(reverse("services:my_ratings")).content.decode()
    for by in ("unit", "item", "clerk"):
        assert officer.client.get(reverse("services:ratings"), {"by": by}).status_code == 200
    row.refresh_from_db()
    page = officer.client.get(reverse("matters:matter", args=[row.matter_id])).content.decode()
    assert "等了三个小时" in page
