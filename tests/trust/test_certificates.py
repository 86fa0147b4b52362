"""Certificates: issued under a seal, changed by the table of states, shown masked, forgotten."""

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.registers.api import family
from liangzhu.beams.trust.certificates import actions, files, kinds, queries, states, verifying
from liangzhu.beams.trust.certificates import api as certificates
from liangzhu.beams.trust.certificates.models import Certificate, Seal
from liangzhu.beams.trust.sources.models import Read
from liangzhu.kernel import crypto, identifiers, keyring, keys, log, sealing
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Conflict, Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.models import LogLeaf, OutboxEvent
from liangzhu.kernel.now import at
from liangzhu.kernel.pack import Pack, PackError, pack
from liangzhu.kernel.refs import Ref

from .conftest import FIELDS, NAME, NUMBER, PHONE, holder_of, in_a_case, open_unit

pytestmark = pytest.mark.django_db

PERMIT = {
    "name": "竹青门诊部",
    "address": "某市某区新东街道苍梧路8号",
    "legal_representative": NAME,
    "person_in_charge": NAME,
    "subjects": "内科；口腔科",
    "ownership": "私人",
}
ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


# Identifiers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "whole",
    [
        "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
        "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
        "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
    ],
)
def test_an_identifier_gets_the_check_character_of_those_that_were_really_issued(whole):
    body = whole.rpartition(".")[0]
    assert identifiers.complete("certificate", body) == whole
    assert identifiers.complete("certificate", body.removeprefix("1.2.156.3005.2.")) == whole


@settings(max_examples=100)
@given(
    serial=st.text(ALNUM, min_size=1, max_size=32),
    version=st.integers(0, 999),
    place=st.integers(0, 90),
    wrong=st.sampled_from(ALNUM),
)
def test_one_changed_character_of_an_identifier_made_here_is_found(serial, version, place, wrong):
    whole = identifiers.complete(
        "certificate", f"11100000000013338W011.11430000006122244L.{serial}.{version:03d}"
    )
    assert identifiers.check("certificate", whole).serial == serial
    place = len("1.2.156.3005.2.") + place % (len(whole) - len("1.2.156.3005.2."))
    if whole[place] not in (".", wrong):
        with pytest.raises(identifiers.IdentifierError):
            identifiers.check("certificate", whole[:place] + wrong + whole[place + 1 :])


# Seals ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def keepers(put, government):
    return [put(n, u, government, ["certificates.keeper"]) for n, u in (("邵甲", "shao"), ("贺乙", "he"))]


def propose(who, unit, number="1234567890123", **more):
    given = {"use": "certificate", "reason": "新设"} | more
    return actions.propose_seal(who.actor, unit_id=unit.pk, number=number, **given)


def test_a_seal_signs_when_a_second_keeper_has_agreed(keepers, health, issue, seals):
    one, two = keepers
    row = propose(one, health, use="official")
    with pytest.raises(Denied):
        actions.decide_seal(one.actor, seal_id=row.pk, accept=True)
    assert not Seal.objects.get(pk=row.pk).signs_on(date(2022, 10, 20))
    row = actions.decide_seal(two.actor, seal_id=row.pk, accept=True)
    assert row.signs_on(date(2022, 10, 20))
    leaf = LogLeaf.objects.filter(action="certificates.decide_seal", subject=str(row.ref)).get()
    assert keys.current(row.purpose).public.hex() in leaf.detail.body
    with pytest.raises(StepNotAllowed):
        actions.decide_seal(two.actor, seal_id=row.pk, accept=True)


def test_one_use_of_a_unit_has_one_seal_and_only_issuing_units_have_any(keepers, health, seals):
    one, two = keepers
    row = propose(one, health)
    with pytest.raises(Conflict):
        actions.decide_seal(two.actor, seal_id=row.pk, accept=True)
    assert actions.decide_seal(two.actor, seal_id=row.pk, accept=False).state == Seal.REFUSED
    with pytest.raises(kinds.NotIssuer):
        propose(one, open_unit("dangxiao", "某区委党校", None, kind="party_body"))
    for wrong in ({"number": "123"}, {"number": "1234567890123"}, {"use": "x"}, {"reason": " "}):
        with pytest.raises(Invalid):
            propose(one, health, **wrong)


def test_an_ended_seal_signs_nothing_more_and_what_it_signed_stays(keepers, issue, seals):
    one, two = keepers
    row = issue()
    seal = actions.propose_seal_end(one.actor, seal_id=seals["certificate"].pk, reason="换章")
    issue()
    actions.decide_seal(two.actor, seal_id=seal.pk, accept=True)
    with pytest.raises(certificates.NoSeal):
        issue()
    text = row._meta.get_field("statement").plain(Certificate.objects.get(pk=row.pk))
    assert keys.verify(row.key, text.encode(), bytes.fromhex(row.signature))


def test_a_seal_whose_key_was_rotated_signs_with_the_new_one_and_both_verify(issue, seals):
    purpose = seals["certificate"].purpose
    first = issue()
    keyring.rotate(SYSTEM, purpose=purpose)
    second = issue()
    assert [first.key, second.key] == [f"{purpose}:1", f"{purpose}:2"]
    for row in (first, second):
        text = row._meta.get_field("statement").plain(row)
        assert keys.verify(row.key, text.encode(), bytes.fromhex(row.signature))
    assert {first.key, second.key} <= {one["key"] for one in verifying.public_keys()}
    for name in ("stamp/", "stamp/1:2", "stump/1", "stamp/../1"):
        with pytest.raises(keys.NoSuchKey):
            keys.purpose(name)


# Issuing --------------------------------------------------------------------------------------------------------------


def test_a_certificate_is_a_signed_statement_with_identifier_leaf_and_event(issue, health, person):
    row = issue(matter=Ref("matter", "7"))
    found = identifiers.check("certificate", row.identifier)
    assert (found.type, found.issuer) == ("11100000PLACE10152102", "11320706PLACE0020W")
    assert (found.version, row.number, row.state) == ("001", "海卫诊备〔2022〕1号", "01")
    text = row._meta.get_field("statement").plain(row)
    statement = json.loads(text)
    assert text == log.canonical(statement)
    assert statement["issuer"]["name"] == "某区卫生健康委员会" and statement["seal"]["key"] == row.key
    assert keys.verify(row.key, text.encode(), bytes.fromhex(row.signature))
    assert not keys.verify(row.key, text.replace("口腔科", "内科").encode(), bytes.fromhex(row.signature))
    assert json.loads(row.leaf.detail.body)["digest"] == row.digest == crypto.sm3_hex(text.encode())
    event = OutboxEvent.objects.get(name="certificates.issued")
    assert json.loads(event.body)["holder"] == str(person.ref) and NAME not in event.body
    assert issue().number == "海卫诊备〔2022〕2号"


def test_what_everybody_may_see_is_masked(issue):
    view = queries.view_of(issue())
    told = {key: value for key, _, value in view.fields}
    assert view.holder_name == told["legal_representative"] == "欧阳**"
    assert told["phone"] == "139****0077" and told["address"] == FIELDS["address"]


def test_the_plain_statement_is_read_through_reveal_only(issue):
    assert Certificate.objects.get(pk=issue().pk).statement == "***"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"fields": FIELDS | {"name": " "}}, "name"),
        ({"fields": FIELDS | {"name": "诊" * 201}}, "name"),
        ({"fields": FIELDS | {"colour": "红"}}, "colour"),
        ({"holder_name": ""}, "holder_name"),
        ({"valid_until": date(2022, 10, 1)}, "valid_until"),
        ({"operation": "03"}, "operation"),
        ({"operation": "02"}, "previous"),
        ({"operation": "08", "previous_identifier": "1.2.156.3005.2.x"}, "previous"),
    ],
)
def test_what_cannot_be_issued_is_named_beside_its_field(issue, more, field):
    with pytest.raises(Invalid) as caught:
        issue(**more)
    assert field in caught.value.fields
    assert not Certificate.objects.exists()


def test_a_unit_issues_only_its_own_kinds(issue, sports):
    for more in ({"kind": "business_licence"}, {"kind": "sports_risk"}, {"unit_id": sports.pk}):
        with pytest.raises(kinds.NotIssuer):
            issue(**more)


def test_a_renewal_names_its_predecessor_which_ends(issue):
    first = issue("medical_institution", PERMIT)
    assert first.valid_until == date(2027, 10, 19)
    second = issue("medical_institution", PERMIT, previous=first.ref)
    first.refresh_from_db()
    assert (second.operation, second.previous_identifier, first.state) == ("02", first.identifier, "05")
    assert second.number != first.number
    with pytest.raises(StepNotAllowed):
        issue("medical_institution", PERMIT, previous=first.ref, operation="09")
    with pytest.raises(Invalid):
        issue(previous=second.ref)


def test_a_change_keeps_number_and_serial_and_raises_the_version(issue):
    first = issue()
    second = issue(previous=first.ref, operation="09", fields=FIELDS | {"subjects": "内科"})
    old, new = (identifiers.check("certificate", one.identifier) for one in (first, second))
    assert (new.serial, old.version, new.version) == (old.serial, "001", "002")
    assert second.number == first.number and Certificate.objects.get(pk=first.pk).state == "05"


def test_one_that_comes_from_elsewhere_names_a_well_formed_predecessor(issue):
    elsewhere = "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U"
    assert issue(operation="08", previous_identifier=elsewhere).previous_identifier == elsewhere


def test_a_thousand_at_once_would_not_draw_one(issue, officer, health, person):
    def many(act):
        return [
            certificates.issue(
                act,
                kind="clinic_filing",
                holder=person.ref,
                holder_name=NAME,
                fields=FIELDS,
                unit_id=health.pk,
            )
            for _ in range(30)
        ]

    rows = in_a_case(officer.actor, do=many)
    assert len({row.identifier for row in rows}) == len({row.ident for row in rows}) == 30
    assert not any(row.attachment_id for row in rows)


# States ---------------------------------------------------------------------------------------------------------------


def test_every_state_can_be_reached_and_only_by_the_table(issue, officer):
    reachable = {"01"} | {step.target for step in states.STEPS}
    assert reachable == states.STATES.keys()
    for target in states.STATES:
        row = issue()
        allowed = target in {step.target for step in states.steps_from("01")}
        try:
            in_a_case(
                officer.actor,
                do=lambda act, row=row, target=target: certificates.change_state(act, row, target, "依据"),
            )
            assert allowed
        except StepNotAllowed:
            assert not allowed
        assert Certificate.objects.get(pk=row.pk).state == (target if allowed else "01")


def test_a_change_of_state_has_its_ground_its_line_its_leaf_and_its_event(issue, officer):
    row = issue()
    with pytest.raises(Invalid):
        actions.change_by_hand(officer.actor, certificate_id=row.pk, state="02", ground=" ")
    actions.change_by_hand(officer.actor, certificate_id=row.pk, state="02", ground="条例第47条", version=1)
    with pytest.raises(Conflict):
        actions.change_by_hand(officer.actor, certificate_id=row.pk, state="07", ground="同上", version=1)
    detail = queries.certificate(officer.actor, row.pk)
    assert [(line.title, line.state) for line in detail.lines] == [("暂扣", "暂扣"), ("新发", "有效")]
    assert detail.lines[0].change.ground == "条例第47条"
    assert [step.title for step in detail.steps] == ["发还", "撤销", "注销", "吊销"]
    assert json.loads(OutboxEvent.objects.get(name="certificates.changed").body)["state"] == "02"
    with pytest.raises(Invalid):
        in_a_case(officer.actor, do=lambda act: certificates.revoke(act, row, "02", "x"))


def test_only_the_certificate_officer_of_the_unit_changes_and_sees_it(issue, put, sports, health):
    row = issue()
    clerk = put("丁", "ding", health, ["matters.officer"])
    other = put("戊", "wu", sports, ["certificates.issuer"])
    assert queries.certificate(clerk.actor, row.pk).steps == []
    with pytest.raises(NotThere):
        queries.certificate(other.actor, row.pk)
    for who in (clerk, other):
        with pytest.raises(Denied):
            actions.change_by_hand(who.actor, certificate_id=row.pk, state="02", ground="x")


def test_one_whose_last_day_is_over_is_not_valid_before_the_timer_says_so(issue, person):
    row = issue("medical_institution", PERMIT)
    with at("2027-10-20 00:00"):
        assert certificates.held_by(person.ref) == []
        assert queries.view_of(row).standing == "expired"
        actions.expire_daily()
        row.refresh_from_db()
        assert row.state == "05"
        assert row.changes.last().operation == "04"
    with at("2027-10-19 23:59"):
        actions.expire_daily()


# Holders --------------------------------------------------------------------------------------------------------------


def test_what_somebody_holds_is_found_under_every_registration_of_his(issue, person, firm):
    row = issue()
    issue(holder=firm.ref, holder_name=firm.name)
    assert [view.id for view in certificates.held_by(person.ref)] == [row.pk]
    assert certificates.held_by(person.ref, kinds=["radiology"]) == []
    assert certificates.held_by(firm.ref)[0].holder_name == firm.name
    assert family(str(person.ref)) == {str(person.ref)}


def test_values_for_a_source_are_read_with_a_reason_a_leaf_and_a_line_of_the_trail(
    issue, person, reads_logged
):
    row = issue()
    with reads_logged():
        told = certificates.values_of(SYSTEM, row.ref, ["phone", "holder"], reason="办件预填")
    assert told == {"phone": PHONE, "holder": NAME}
    line = Read.objects.get(thing=str(row.ref))
    assert (line.titles, line.person, line.reason) == ("持证主体、联系电话", person, "办件预填")
    with pytest.raises(NotThere):
        certificates.values_of(SYSTEM, Ref("certificate", "999"), ["phone"], reason="x")


def test_a_holder_shows_chosen_fields_once(issue, person, reads_logged):
    row = issue()
    holder = holder_of(person)
    made = certificates.share(holder, certificate_id=row.pk, fields=["name", "person_in_charge", "made_up"])
    assert made.row.fields == "name person_in_charge" and len(made.code) == 9
    for asked in (
        queries.share_by_token(made.token),
        queries.share_by_code(f"{made.code[:3]} {made.code[3:]}"),
    ):
        assert asked == made.row
    with reads_logged():
        used = actions.open_share(SYSTEM, share_id=made.row.pk, verifier="某银行柜面")
        told = actions.share_shown(used, SYSTEM)
    assert told == {"诊所名称": "竹青诊所", "主要负责人": NAME}
    with pytest.raises(actions.ShareUsed):
        actions.open_share(SYSTEM, share_id=made.row.pk, verifier="另一家银行")
    shown = queries.shares_of(row)
    assert (shown[0].fields, shown[0].verifier) == ("诊所名称、主要负责人", "某银行柜面")
    line = Read.objects.get(channel="share")
    assert (line.titles, line.reason) == ("诊所名称、主要负责人", "核验人：某银行柜面")
    bodies = " ".join(leaf.detail.body for leaf in LogLeaf.objects.filter(subject=str(row.ref)))
    assert "person_in_charge" in bodies and NAME not in bodies and "竹青诊所" not in bodies


def test_nobody_shows_what_is_not_his_or_not_valid(issue, person, firm, officer):
    row = issue()
    limited = holder_of(person, mandate_id=1, limits=("medical.clinic",))
    for who in (holder_of(firm), officer.actor, limited):
        with pytest.raises(NotThere):
            certificates.share(who, certificate_id=row.pk, fields=["name"])
    with pytest.raises(Invalid):
        certificates.share(holder_of(person), certificate_id=row.pk, fields=[])
    made = certificates.share(holder_of(person), certificate_id=row.pk, fields=["name"])
    type(made.row).objects.filter(pk=made.row.pk).update(
        ends_at=date(2022, 1, 1).strftime("%Y-%m-%d 00:00:00+00:00")
    )
    with pytest.raises(actions.ShareEnded):
        actions.open_share(SYSTEM, share_id=made.row.pk, verifier="某银行")
    assert queries.share_by_token("x") is None and queries.share_by_code("12345678") is None
    actions.change_by_hand(officer.actor, certificate_id=row.pk, state="02", ground="暂扣")
    with pytest.raises(StepNotAllowed):
        certificates.share(holder_of(person), certificate_id=row.pk, fields=["name"])


def test_a_certificate_goes_with_its_holder_and_its_file_and_its_leaf_stays(issue, person):
    row = issue()
    files.keep_file(SYSTEM, ref=row.ref, pdf=b"%PDF-1.7\n%%EOF\n")
    in_a_case(SYSTEM, do=lambda act: sealing.forget(act, person, rule="测试规则"))
    row.refresh_from_db()
    assert queries.view_of(row).gone and sealing.is_gone(row.shown)
    assert LogLeaf.objects.filter(pk=row.leaf_id).exists()
    assert sealing.is_gone(row.attachment.name)
    assert NUMBER not in str(queries.view_of(row))


# The pack -------------------------------------------------------------------------------------------------------------


def test_the_packs_types_seals_and_samples_load_twice_without_a_second_of_anything():
    directory.load_units(pack())
    for _ in range(2):
        certificates.load_certificates(pack(), demo=True)
        certificates.load_samples(pack())
    held = [queries.view_of(row) for row in Certificate.objects.order_by("id")]
    assert [(one.title, one.valid) for one in held] == [
        ("退役军人优待证", True),
        ("退役军人优待证", True),
        ("医疗机构执业许可证", True),
    ]
    assert Seal.objects.filter(state=Seal.ACTIVE).count() == Seal.objects.count() == 23


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("11100000PLACE10152102", "11100000PLACE10153102", "校验位"),
        ('layout = "voucher"', 'layout = "poster"', "没有版式 poster"),
        ('mask = "phone"', 'mask = "none"', "没有这种脱敏方式"),
        ('key = "clinic_filing"', 'key = "radiology"', "写了两次"),
    ],
)
def test_a_fault_in_the_pack_is_named(tmp_path, root, old, new, words):
    text = (root / "packs" / "haizhou" / "certificates.toml").read_text()
    assert old in text
    (tmp_path / "certificates.toml").write_text(text.replace(old, new))
    with pytest.raises(PackError, match=words):
        kinds.load(Pack(tmp_path))
