"""Applying and deciding, through the actions: one application, parallel cases, one delivery."""

import pytest

from liangzhu.beams.trust.certificates import api as certificates
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel import errors
from liangzhu.pillars.services.actions import cases as actions
from liangzhu.pillars.services.models import Application, Case, Material
from liangzhu.pillars.services.queries import cases as queries

from .applying import ready, send, step


@pytest.fixture
def health(put):
    """An officer and a head of the health commission."""
    return put("yi", "weijianwei", "matters.officer"), put("zhang", "weijianwei", "matters.head")


@pytest.fixture
def building(put):
    return put("jian", "zhujianju", "matters.officer"), put("zhu", "zhujianju", "matters.head")


@pytest.fixture
def window(put):
    return put("chuang", "shenpiju", "matters.officer")


def by_part(row):
    return {one.part: one for one in row.cases.select_related("matter")}


def settle(someone, row):
    """Staff verify what no source gave."""
    for one in row.materials.filter(state=Material.TO_VERIFY):
        actions.verify(someone.actor, material_id=one.pk, good=True, note="电话向登记机关核实")


CHECK = {
    "checked_on": "2022-10-20",
    "first": "甲 11",
    "second": "乙 12",
    "result": "符合",
    "findings": "与申报一致",
}


def check_site(window, officer, row, **more):
    step(window.actor, row.matter, "call_site_check", check_on="2022-10-21", units=[officer.actor.unit_id])
    part = matters.Part.objects.filter(matter=row.matter, kind="site_check").latest("id")
    matters.step(
        officer.actor,
        matter_id=row.matter_id,
        part_id=part.pk,
        transition="record_check",
        data={**CHECK, **more},
    )


def test_one_application_becomes_parallel_cases_and_one_delivery(
    clinic, as_resident, health, building, window
):
    someone = as_resident()
    row = send(someone, ready(someone, delivery=Application.WINDOW))
    views = {one.case.part: one for one in queries.progress(someone.actor, row)}
    assert {part: (one.state, one.waits) for part, one in views.items()} == {
        "permit": ("收件", []),
        "rays": ("等待前置", ["医疗机构执业登记（门诊部）"]),
        "drain": ("收件", []),
    }
    codes = [one.case.code for one in views.values()]
    assert len(set(codes)) == 3 and all(one.count("-20221020-0000") == 1 for one in codes)
    assert row.matter.clocks.filter(name="joint").count() == 1

    cases = by_part(row)
    permit, rays, drain = (cases[one].matter for one in ("permit", "rays", "drain"))
    officer, head = health
    step(officer.actor, permit, "accept")
    clock = matters.clock_of(permit)
    assert (clock.promised.term, clock.legal.term) == ("15 个工作日", "45 日")
    with pytest.raises(errors.StepNotAllowed, match="现场核查"):
        step(head.actor, permit, "grant")
    check_site(window, officer, row)
    with pytest.raises(errors.StepNotAllowed, match="要由工作人员核验"):
        step(head.actor, permit, "grant")
    settle(officer, row)
    step(head.actor, permit, "grant")
    assert Case.objects.get(part="permit").outcome == "granted"
    assert permit.state == "granting"

    builder, chief = building
    step(builder.actor, drain, "accept")
    step(chief.actor, drain, "refuse", reason="排水口位置不符合接管条件")
    assert drain.state == "refusing"

    rays.refresh_from_db()
    assert rays.state == "received"
    step(officer.actor, rays, "accept")
    check_site(window, officer, row)
    step(head.actor, rays, "grant")
    row.matter.refresh_from_db()
    assert (row.matter.state, rays.state) == ("handing_out", "granting")
    step(window.actor, row.matter, "hand_out", way="窗口领取", receiver="本人")
    assert row.matter.state == "closed"
    assert {part: one.matter.state for part, one in by_part(row).items()} == {
        "permit": "granted",
        "rays": "granted",
        "drain": "refused",
    }
    told = {one.case.part: one for one in queries.progress(someone.actor, row)}
    assert [told[one].certificate and told[one].certificate.title for one in told] == [
        "医疗机构执业许可证",
        "放射诊疗许可证",
        None,
    ]
    assert [one.title for one in told["permit"].papers] == ["受理通知书", "准予行政许可决定书"]
    assert [one.title for one in told["drain"].papers] == ["受理通知书", "不予行政许可决定书"]
    receipt = certificates.papers_of(row.matter.ref)
    assert [one.title for one in receipt] == ["送达回证"]
