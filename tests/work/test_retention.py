"""Deletion by rule: what is due and confirmed loses its content, a leaf proves it, everything else stays."""

import json

import pytest

from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters import retention
from liangzhu.beams.work.matters.models import Matter
from liangzhu.beams.work.matters.retention import Rule
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.log import holds
from liangzhu.kernel.models import LogLeaf
from liangzhu.kernel.now import at


@pytest.fixture
def rule(monkeypatch):
    """Matters of the kind `simple` are kept ten years."""
    found = Rule("simple", "一般事项", 10, "测试")
    monkeypatch.setattr(retention, "rules", lambda: [found])
    return found


@pytest.fixture
def closed(simple, sign_in, advance):
    """``closed(day)``: a matter that ended on a day."""
    _, li = sign_in("甲局", "李四")
    _, chief = sign_in("督办室", "主任")

    def make(day: str) -> Matter:
        with at(f"{day} 10:00"):
            matter = simple(li, title="王五的事项")
            advance(li, matter, "accept")
            advance(li, matter, "report", result="王五已办妥")
            advance(chief, matter, "close")
        return matter

    return make


@pytest.mark.parametrize(
    ("day", "is_due"), [("2012-12-30", False), ("2011-12-31", True), ("2012-01-04", False)]
)
def test_the_years_begin_with_the_year_after_the_end(closed, rule, day, is_due):
    matter = closed(day)
    with at("2022-12-31 10:00"):
        assert (matter in retention.due(rule)) is is_due
    with at("2023-01-01 10:00"):
        assert matter in retention.due(rule)


def test_what_is_due_is_destroyed_once_and_proved(closed, rule):
    old, young = closed("2011-06-01"), closed("2020-06-01")
    leaf = LogLeaf.objects.filter(subject=str(old.ref)).first()
    assert holds(leaf)
    assert matters.destroy_due(SYSTEM, kind="simple", approved="销毁清册〔2022〕3号") == 1
    assert matters.destroy_due(SYSTEM, kind="simple", approved="销毁清册〔2022〕3号") == 0
    old, young = Matter.objects.get(pk=old.pk), Matter.objects.get(pk=young.pk)
    assert (old.title, young.title) == ("已依规删除", "王五的事项")
    leaf.refresh_from_db()
    assert holds(LogLeaf.objects.get(pk=leaf.pk)) is None
    proof = LogLeaf.objects.filter(action="matters.destroy").latest("id")
    assert "销毁清册〔2022〕3号" in json.loads(proof.detail.body)["forgotten"]


def test_an_open_matter_below_keeps_it(closed, simple, sign_in, rule):
    matter = closed("2011-06-01")
    _, other = sign_in("甲局", "赵六")
    child = simple(other)
    Matter.objects.filter(pk=child.pk).update(parent=matter)
    assert list(retention.due(rule)) == []


def test_a_rule_that_nobody_confirmed_destroys_nothing(closed, monkeypatch):
    closed("2011-06-01")
    monkeypatch.setattr(retention, "rules", lambda: [Rule("simple", "一般事项", 10, "测试", "由档案馆确认")])
    with pytest.raises(StepNotAllowed, match="由档案馆确认"):
        matters.destroy_due(SYSTEM, kind="simple", approved="清册")
    assert [count for _, count in matters.retention()] == [1]


def test_without_a_rule_a_list_or_the_system_nothing_is_destroyed(closed, rule, sign_in):
    matter = closed("2011-06-01")
    _, admin = sign_in("督办室", "管理员", "access.admin")
    with pytest.raises(NotThere):
        matters.destroy_due(SYSTEM, kind="other", approved="清册")
    with pytest.raises(Invalid):
        matters.destroy_due(SYSTEM, kind="simple", approved=" ")
    with pytest.raises(Denied):
        retention.destroy(admin, matter_id=matter.pk, rule="手工")
    assert Matter.objects.get(pk=matter.pk).title == "王五的事项"


def test_the_pack_s_rules_are_shown_with_their_ground(db):
    found = {rule.kind: rule for rule, _ in matters.retention()}
    assert found["plan_task"].years == 30 and found["plan_task"].unconfirmed and found["plan_task"].source
