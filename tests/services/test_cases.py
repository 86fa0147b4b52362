"""Applying and deciding, through the actions: one application, parallel cases, one delivery."""

from dataclasses import replace
from datetime import date
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.registers.models import NaturalPerson
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.people.residents.models import Message
from liangzhu.beams.trust.certificates import api as certificates
from liangzhu.beams.trust.sources import api as sources
from liangzhu.beams.work.decisions import api as decisions
from liangzhu.beams.work.forms import api as forms
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel import errors, identifiers
from liangzhu.kernel.now import at
from liangzhu.pillars.services import actions as items
from liangzhu.pillars.services import bundles
from liangzhu.pillars.services.actions import cases as actions
from liangzhu.pillars.services.models import Application, Case, Item, Material, Rating
from liangzhu.pillars.services.queries import cases as queries
from liangzhu.pillars.services.queries import items as item_queries

from .applying import CLINIC, fill, ready, send, step, upload, work_off


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


def test_what_is_decided_electronically_ends_by_itself_and_the_applicant_is_told(clinic, as_resident, health):
    someone = as_resident()
    answers = {**CLINIC, "kind": "clinic", "xray": False, "sewage": False}
    row = send(someone, ready(someone, answers=answers))
    filing = by_part(row)["filing"]
    settle(health[0], row)
    step(health[0].actor, filing.matter, "file")
    row.matter.refresh_from_db()
    assert (filing.matter.state, row.matter.state) == ("filed", "closed")
    asked = Rating.objects.get(rated=str(row.ref))
    assert (asked.rater, asked.item) == (str(row.applicant), row.bundle), (
        "asked once, by the whole and not by each department"
    )
    filing.refresh_from_db()
    view = certificates.held_by(someone.person)[0]
    assert (str(view.ref), view.title) == (filing.certificate, "诊所备案凭证")
    assert {key: value for key, _, value in view.fields}["subjects"] == "口腔科"
    titles = [one.title for one in Message.objects.order_by("id")]
    assert "已备案：诊所备案" in titles and "办结：开办诊所、门诊部" in titles
    assert not residents.Consent.objects.filter(case=str(row.ref), ended_at=None).exists()


def test_a_correction_is_asked_once_and_complete_and_withdrawing_one_ends_what_needs_it(
    clinic, as_resident, health
):
    someone = as_resident()
    row = send(someone, ready(someone))
    cases = by_part(row)
    permit = cases["permit"].matter
    step(health[0].actor, permit, "ask_correction", missing="平面图要标明牙椅位置\n缺医疗废物协议")
    view = next(one for one in queries.progress(someone.actor, row) if one.case.part == "permit")
    assert view.may_correct and view.missing.splitlines()[1] == "缺医疗废物协议"
    assert [one.title for one in queries.tasks(someone.actor)] == ["补正：医疗机构执业登记（门诊部）"]
    actions.correct(
        someone.actor, case_id=cases["permit"].pk, explanation="已标明", uploads=[upload(someone.actor)]
    )
    permit.refresh_from_db()
    assert permit.state == "received"
    with pytest.raises(errors.StepNotAllowed, match="最多办理 1 次"):
        step(health[0].actor, permit, "ask_correction", missing="还有一样")
    actions.withdraw_case(someone.actor, case_id=cases["permit"].pk)
    work_off()
    assert {part: one.matter.state for part, one in by_part(row).items()} == {
        "permit": "withdrawn",
        "rays": "lapsed",
        "drain": "received",
    }
    actions.withdraw(someone.actor, application_id=row.pk, reason="不办了")
    work_off()
    assert by_part(row)["drain"].matter.state == "withdrawn"


def test_only_lawful_grounds_stop_the_clock_and_the_head_extends_once(clinic, as_resident, health):
    someone = as_resident()
    permit = by_part(send(someone, ready(someone)))["permit"].matter
    officer, head = health
    step(officer.actor, permit, "accept")
    with pytest.raises(errors.Invalid, match="法定事由"):
        step(officer.actor, permit, "suspend", reason="领导出差", about="等领导")
    step(officer.actor, permit, "suspend", reason="检测", about="消毒设备检测")
    assert matters.clock_of(permit).legal.paused
    step(officer.actor, permit, "resume", outcome="合格")
    with pytest.raises(errors.Denied):
        step(officer.actor, permit, "extend", reason="情况复杂")
    due = matters.clock_of(permit).legal.due_at
    chief = replace(head.actor, is_head=True)
    step(chief, permit, "extend", reason="情况复杂")
    assert matters.clock_of(permit).legal.due_at > due
    with pytest.raises(errors.StepNotAllowed, match="最多办理 1 次"):
        step(chief, permit, "extend", reason="再延")


def test_nothing_is_decided_while_a_hearing_may_be_asked_for_or_was_asked_for(clinic, as_resident, health):
    someone = as_resident()
    permit = by_part(send(someone, ready(someone)))["permit"].matter
    officer, head = health

    def legs():
        return {one.name: one for one in matters.clock_of(permit).all if one.ended_at is None}

    step(officer.actor, permit, "accept")
    step(officer.actor, permit, "inform_hearing", told="楼上住户", interest="诊所的通风口对着住户窗户")
    assert legs()["hearing_ask"].last_day == date(2022, 10, 27)
    with pytest.raises(errors.StepNotAllowed, match="2022-10-27 以前还可以申请听证"):
        step(head.actor, permit, "refuse", reason="不符合")
    with at("2022-10-27 16:00"):
        step(officer.actor, permit, "ask_hearing", asker="楼上住户：噪声和通风")
        assert "hearing_ask" not in legs() and legs()["hearing_hold"].last_day == date(2022, 11, 24)
        with pytest.raises(errors.StepNotAllowed, match="还没有举行"):
            step(head.actor, permit, "refuse", reason="不符合")
        told = {"place": "上午九时，区政务服务中心三楼", "chair": "某处长", "about": "利害关系人申请"}
        for held, chair, said in (
            ("2022-11-04", "某处长", "7 日前"),
            ("2022-11-25", "某处长", "2022-11-24 以前"),
            ("2022-11-10", officer.actor.label, "不得主持"),
        ):
            with pytest.raises(errors.Invalid, match=said):
                step(officer.actor, permit, "announce_hearing", **told | {"held_on": held, "chair": chair})
        step(officer.actor, permit, "announce_hearing", **told, held_on="2022-11-10")
        assert legs()["law"].paused and not legs()["hearing_hold"].paused
    with at("2022-11-10 11:00"):
        step(
            officer.actor,
            permit,
            "close_hearing",
            outcome="住户同意改装通风口",
            files=[upload(officer.actor)],
        )
        assert not legs()["law"].paused and "hearing_hold" not in legs()
        step(head.actor, permit, "refuse", reason="通风口没有改装")


def test_nobody_asked_for_a_hearing_and_the_case_goes_on(clinic, as_resident, health):
    someone = as_resident()
    permit = by_part(send(someone, ready(someone)))["permit"].matter
    officer, head = health
    step(officer.actor, permit, "accept")
    step(officer.actor, permit, "inform_hearing", told="楼上住户", interest="通风口")
    with at("2022-10-28 08:00"):
        matters.fire_owed()
        step(head.actor, permit, "refuse", reason="不符合")


# Faults ---------------------------------------------------------------------------------------------------------------


def test_what_is_sent_twice_is_sent_once(clinic, as_resident):
    someone = as_resident()
    row = ready(someone)
    once = "0123456789abcdef0123"
    send_it = {"application_id": row.pk, "version": row.version, "declared": True}
    actions.submit(someone.actor, **send_it, once=once)
    with pytest.raises(errors.AlreadyDone):
        actions.submit(someone.actor, **send_it, once=once)
    with pytest.raises(errors.StepNotAllowed, match="已经提交"):
        actions.submit(someone.actor, **send_it)
    assert matters.Matter.objects.filter(kind="service_application").count() == 1


def test_another_persons_application_is_not_there_by_number_by_address_or_by_guess(clinic, as_resident):
    lin, he = as_resident(), as_resident("何小鱼")
    row = ready(lin)
    own = row.materials.filter(state=Material.GIVEN).first()
    for tries in (
        lambda: queries.application(he.actor, row.pk),
        lambda: actions.submit(he.actor, application_id=row.pk, version=row.version, declared=True),
        lambda: actions.give(he.actor, material_id=own.pk, uploads=[upload(he.actor)]),
        lambda: actions.fetch(he.actor, application_id=row.pk, keys=[own.key]),
    ):
        with pytest.raises(errors.NotThere):
            tries()
    row = send(lin, row)
    for address in (f"/my/applications/{row.pk}/", f"/forms/sent/{row.snapshot_id}/"):
        assert he.client.get(address).status_code == 404
        assert lin.client.get(address).status_code == 200
    with pytest.raises(errors.NotThere, match="编号或查询密码不对"):
        queries.by_number(row.matter.number, "AAAAAAAA")
    with pytest.raises(errors.NotThere, match="编号或查询密码不对"):
        queries.by_number("SA-2022-9999", row.password)
    assert queries.by_number(row.matter.number.lower(), row.password.lower()) == row


def test_an_item_that_changed_meanwhile_is_named_and_nothing_filled_in_is_lost(
    clinic, as_resident, editor, reviewer
):
    someone = as_resident()
    row = ready(someone)
    given = row.materials.filter(state=Material.GIVEN).count()
    draft = items.begin_draft(editor.actor, item_id=Item.objects.get(key="fangshe_zhenliao").pk)
    items.edit_section(
        editor.actor, version_id=draft.pk, section="handling", values={"promised_note": "含检测"}
    )
    items.submit(editor.actor, version_id=draft.pk, note="补说明", in_force_from=None)
    items.decide(reviewer.actor, version_id=draft.pk, accept=True, note="同意")
    with pytest.raises(actions.ItemChanged, match="放射诊疗许可”有了新版本"):
        send(someone, row)
    row = actions.renew(someone.actor, application_id=row.pk)
    assert row.materials.filter(state=Material.GIVEN).count() == given
    assert send(someone, row).matter_id


def silent(ask):
    raise sources.SourceDown("市自然资源和规划局没有答复。")


def wrong(ask):
    return {"certificate_number": 12, "never_asked": "甲"}


@pytest.mark.parametrize(
    ("answer", "outcome", "why"),
    [(silent, "down", "来源没有答复"), (wrong, "wrong", "来源的答复不合要求")],
)
def test_a_source_that_is_silent_or_wrong_leaves_the_material_to_staff_and_says_so(
    clinic, as_resident, health, answer, outcome, why
):
    someone = as_resident()
    registry = sources.source("exchange.real_estate")
    sources.drop(registry.key)
    sources.register(replace(registry, fetch=answer, off=""))
    try:
        row = actions.begin(someone.actor, bundle="open_clinic", answers=CLINIC)
        premises = row.materials.get(key="premises")
        assert premises.state == Material.AVAILABLE
        actions.fetch(someone.actor, application_id=row.pk, keys=["premises"])
    finally:
        sources.drop(registry.key)
        sources.register(registry)
    premises.refresh_from_db()
    assert (premises.state, premises.outcome, premises.why) == ("to_verify", outcome, why)
    attempt = sources.Pull.objects.get(case=str(row.ref))
    assert attempt.receipt == premises.receipt
    with pytest.raises(errors.StepNotAllowed, match="不用您提交"):
        actions.give(someone.actor, material_id=premises.pk, uploads=[upload(someone.actor)])
    fill(someone.actor, row)
    for one in row.materials.filter(state=Material.WANTED):
        actions.give(someone.actor, material_id=one.pk, uploads=[upload(someone.actor)])
    row.refresh_from_db()
    row = send(someone, row)
    assert "premises" in sources.unsettled(row.ref)
    settle(health[0], row)
    assert not sources.unsettled(row.ref)
    with pytest.raises(errors.Conflict):
        actions.verify(health[0].actor, material_id=premises.pk, good=True, note="再核一次")


def bomb() -> bytes:
    """A document that would unfold to far more than it weighs."""
    held = BytesIO()
    with ZipFile(held, "w", ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", b"0" * 300_000_000)
    return held.getvalue()


def test_an_upload_that_lies_about_its_type_or_is_a_bomb_is_refused_by_name(clinic, as_resident):
    someone = as_resident()
    lies = [("平面图.pdf", b"MZ\x90\x00" + b"\0" * 200), ("平面图.pdf", b"<html><script>1</script></html>")]
    for name, body in [*lies, ("平面图.docx", bomb())]:
        with pytest.raises((errors.BadFile, errors.TooLarge), match="平面图"):
            upload(someone.actor, name, body)


def test_an_agent_whose_mandate_ended_an_hour_ago_is_told_so_and_nothing_is_sent(clinic, as_resident):
    code = identifiers.complete("enterprise", "91320700MA1PLACE")
    boss, agent = as_resident("林晓禾", firm=(code, "虚构口腔有限公司")), as_resident("何俊")
    firm, number = boss.actor.principal, NaturalPerson.objects.get(pk=agent.person.id)
    with at("2022-10-20 09:00"):
        given = registers.give_mandate(
            boss.actor,
            principal=str(firm),
            agent_name="何俊",
            agent_number=number._meta.get_field("document_number").plain(number),
            valid_to=date(2023, 1, 1),
        )
        agent.client.post(f"/my/mandates/{given.pk}/confirm/")
        agent.client.post("/my/acting/", {"principal": str(firm), "mandate": given.pk})
        row = ready(agent)
        assert row.applicant == str(firm)
        boss.client.post(f"/my/mandates/{given.pk}/end/")
    with at("2022-10-20 10:00"):
        here = f"/my/applications/{row.pk}/"
        answer = agent.client.post(here, {"declared": "on", "version": row.version})
        assert answer.status_code == 403 and "被代理人撤销" in answer.content.decode()
        assert agent.client.post(here, {"declared": "on", "version": row.version}).status_code == 404
        assert boss.client.get(here).status_code == 200
    row.refresh_from_db()
    assert row.submitted_at is None and row.materials.filter(state=Material.GIVEN).exists()


# Every bundle of the pack, from its questions to its end ---------------------------------------------------------------

ANSWERS = {
    "text": "一项说明文字写在这里",
    "longtext": "一项说明文字写在这里",
    "number": "50",
    "money": "500000",
    "date": "2022-10-20",
    "yesno": "yes",
    "person": "329999198803125019",
    "phone": "13812345678",
    "uscc": "",
    "address": "海州区某路1号",
}
ROADS = {
    "filing_case": ["file"],
    "registration_case": ["register"],
    "service_case": ["accept", "grant"],
    "recognition_case": ["accept", "grant"],
    "permit_case": ["accept", "grant"],
}


def made_up(fields) -> dict:
    """Something that fits every field of a form."""
    found = {}
    for one in fields:
        if one.prefill and one.prefill.locked:
            continue
        if one.type in ("choice", "choices"):
            keys = [key for key, _ in one.options]
            found[one.name] = keys[0] if one.type == "choice" else keys
        elif one.type == "table":
            # Some of each kind of staff, where a table tells kinds.
            row = made_up(one.fields)
            kinds = [key for part in one.fields if part.name == "staff_kind" for key, _ in part.options]
            found[one.name] = [
                row | {"staff_kind": kind, "staff_number": str(n)} for n, kind in enumerate(kinds, 1)
            ] or [row]
        elif one.name == "partner_number":
            found[one.name] = "329999199106251217"
        elif one.type == "text" and one.least == 24:
            found[one.name] = "2203-320706-99-99-000123"
        elif ANSWERS.get(one.type):
            found[one.name] = ANSWERS[one.type]
    return found


@pytest.mark.parametrize(
    "key",
    [
        "open_clinic",
        "open_sports_venue",
        "start_enterprise",
        "investment_project",
        "retire_soldier",
        "marry",
        "recognise_results",
    ],
)
def test_a_bundle_begins_and_ends(clinic, as_resident, put, key):
    someone = as_resident()
    bundle = bundles.bundle(key)
    table = decisions.in_force(bundle.rule)
    example = max(table.examples, key=lambda one: len(one.gives["part"]))
    form = forms.in_force(bundle.form)
    row = ready(someone, key, dict(example.given), made_up([one for _, one in form.all_fields()]))
    row = send(someone, row)
    staff = {}
    for unit in {case.unit_id for case in row.cases.all()}:
        code = directory.units().get(unit).key
        staff[unit] = (put(f"a{code}", code, "matters.officer"), put(f"b{code}", code, "matters.head"))
    window = put("chuang", bundle.window, "matters.officer")
    for material in row.materials.filter(state=Material.TO_VERIFY):
        unit = material.cases.first().unit_id
        actions.verify(staff[unit][0].actor, material_id=material.pk, good=True, note="已核实")
    for _ in range(8):
        open_cases = [one for one in row.cases.select_related("matter").order_by("id") if one.matter.is_open]
        if not open_cases:
            break
        for case in open_cases:
            decide(case, staff[case.unit_id], window, row)
    row.matter.refresh_from_db()
    assert row.matter.state == "closed"
    ended = {one.part: one for one in row.cases.all()}
    assert {one.outcome for one in ended.values()} == {Case.GRANTED}
    for one in ended.values():
        found = item_queries.decided(one.item)
        assert (found.granted, found.refused, found.share) == (1, 0, 1.0)
        assert bool(one.certificate) == (
            one.certificate_type in certificates.catalogue().kinds
            and not certificates.kind_of(one.certificate_type).foreign
        )


def decide(case, staff, window, row) -> None:
    """Do what is due for a case, if anything is."""
    officer, head = staff
    case.matter.refresh_from_db()
    if case.matter.state == "waiting":
        return
    if case.needs_check and case.kind == "permit_case":
        step(window.actor, row.matter, "call_site_check", check_on="2022-10-21", units=[case.unit_id])
        part = matters.Part.objects.filter(matter=row.matter, kind="site_check").latest("id")
        matters.step(
            officer.actor, matter_id=row.matter_id, part_id=part.pk, transition="record_check", data=CHECK
        )
    for name in ROADS[case.kind]:
        if name == "accept" and bundles.in_release(row).in_person:
            with pytest.raises(errors.StepNotAllowed, match="还没有到场"):
                step(officer.actor, case.matter, "accept")
            step(officer.actor, case.matter, "come", seen="双方到场，核对身份证原件，当面签了声明")
        step(head.actor if name == "grant" else officer.actor, case.matter, name)
