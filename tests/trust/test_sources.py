"""Reading from sources: with consent or by law, named fields only; every attempt leaves line, leaf and receipt, and no value."""

import json
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.db import transaction

from liangzhu.beams.people.registers.models import NaturalPerson, Organisation
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.trust.sources import actions, circuit, pulling, queries, receipts, verification
from liangzhu.beams.trust.sources import api as sources
from liangzhu.beams.trust.sources.models import Kept, Pull, Read, StaffCheck
from liangzhu.kernel import log, masking, reads, sealing
from liangzhu.kernel.actions import action
from liangzhu.kernel.actors import SYSTEM, Actor
from liangzhu.kernel.errors import Conflict, Denied, Invalid, NotThere
from liangzhu.kernel.models import LogDetail, LogLeaf
from liangzhu.kernel.now import at, now
from liangzhu.kernel.policies import public
from liangzhu.kernel.refs import Ref, register_ref

pytestmark = pytest.mark.django_db

CASE = Ref("pull_case", "1")
LAW = "《政务数据共享条例》第十九条"
CLERK = Actor(
    ref=Ref("account", "7"), label="窗口", roles=frozenset({"matters.officer"}), request_id="req-12345678"
)
STRANGER = Actor(ref=Ref("account", "8"), label="别处")

register_ref(
    "pull_case",
    "试验事项",
    lambda ids, actor: {} if actor == STRANGER else {one: (f"事项{one}", f"/toy/{one}/") for one in ids},
)


@pytest.fixture(autouse=True)
def _day():
    with at("2022-10-20 09:00"):
        yield


@pytest.fixture
def signed_in(as_resident):
    return as_resident("欧阳竹青")


@pytest.fixture
def resident(signed_in):
    return signed_in.actor


@pytest.fixture
def person(resident):
    row = NaturalPerson.objects.get(pk=resident.person.id)
    row.phone = "13961300077"
    row.save()
    return row


@action("toy.agree")
def give_consent(act, **given):
    return residents.give_consent(act, **given)


@action("toy.forget")
def forget(act, *, row):
    act.check(public)
    sealing.forget(act, row, rule="试验")


@action("toy.mark")
def mark(act):
    act.log(CASE, asked=True)
    return sources.to_verify(act, case=CASE, material="licence", title="医师执业证书", why="down")


@pytest.fixture
def agree(resident):
    """agree(["level"], case=…): the resident consents to the reading of fields of the doctors' source."""

    def run(fields, case=CASE):
        return give_consent(
            resident,
            subject=resident.person,
            source="toy.doctor",
            fields=fields,
            purpose="核对医师资格",
            case=str(case),
            channel="portal",
            until=now() + timedelta(days=30),
        )

    return run


@pytest.fixture
def doctor():
    """A remote source whose answer the test decides."""
    answers = {"level": "执业医师", "scope": "口腔专业"}

    def fetch(ask):
        fetch.asked.append(ask)
        if isinstance(fetch.answer, Exception):
            raise fetch.answer
        if isinstance(fetch.answer, threading.Event):
            fetch.answer.wait(5)
            return {}
        if fetch.answer is None:
            return {name: answers[name] for name in ask.fields if name in answers}
        return fetch.answer

    fetch.asked, fetch.answer = [], None
    fields = {
        "level": sources.Field("级别"),
        "scope": sources.Field("执业范围"),
        "since": sources.Field("日期", "date"),
    }
    sources.register(
        sources.Source(
            "toy.doctor",
            "医师执业注册",
            "某卫健委",
            "natural_person",
            fields,
            fetch,
            LAW,
            remote=True,
            seconds=0.3,
        )
    )
    yield fetch
    sources.drop("toy.doctor")


def pull(actor, person, fields=("level", "scope"), **more):
    given = {"source": "toy.doctor", "purpose": "核对医师资格", "case": CASE} | more
    return sources.pull(actor, subject=person.ref, fields=list(fields), **given)


class TestGround:
    def test_with_consent_for_this_case_values_come_with_receipt(self, doctor, agree, resident, person):
        consent = agree(["level", "scope", "since"])
        found = pull(resident, person, ["level", "scope", "since"])
        assert found.values == {"level": "执业医师", "scope": "口腔专业"}
        assert found.missing == ("since",)
        (ask,) = doctor.asked
        assert (ask.number, ask.number_kind, ask.consent, ask.case) == (
            pulling.registers.held(person.ref, number=True).number,
            "citizen_id",
            str(consent.ref),
            str(CASE),
        )
        row = Pull.objects.get(receipt=found.receipt_id)
        assert (row.outcome, row.consent, row.read.reader, row.read.titles) == (
            "done",
            consent.pk,
            "own",
            "级别、执业范围、日期",
        )

    def test_without_consent_nothing_is_asked_and_the_attempt_stays_written(self, doctor, resident, person):
        with pytest.raises(sources.NoConsent) as refused:
            pull(resident, person)
        assert doctor.asked == []
        row = Pull.objects.get(receipt=refused.value.receipt_id)
        assert (row.outcome, row.read.outcome, row.leaf.action) == ("refused", "refused", "sources.pull")
        assert "同意" in refused.value.todo

    def test_a_consent_reaches_no_further_than_it_says(self, doctor, agree, resident, person):
        agree(["level", "scope"], Ref("pull_case", "2"))
        few = agree(["level"])
        with pytest.raises(sources.NoConsent):
            pull(resident, person)
        with pytest.raises(sources.NoConsent):
            pull(resident, person, ["level"], consent_id=few.pk + 1)
        assert doctor.asked == []
        assert pull(resident, person, ["level"], consent_id=few.pk).values == {"level": "执业医师"}
        residents.end_consent(resident, consent_id=few.pk)
        with pytest.raises(sources.NoConsent):
            pull(resident, person, ["level"])

    def test_staff_read_by_law_for_a_case_that_they_may_open(self, doctor, person):
        assert pull(CLERK, person, legal_basis=LAW).values["level"] == "执业医师"
        with pytest.raises(sources.NotAllowed):
            pull(STRANGER, person, legal_basis=LAW)
        done, refused = Read.objects.order_by("id")
        assert (done.ground, done.reader, done.outcome) == (LAW, "staff", "done")
        assert (refused.operator, refused.outcome) == ("account:8", "refused")

    def test_a_law_is_named_with_its_article_and_no_resident_names_one(self, doctor, resident, person):
        with pytest.raises(Invalid) as error:
            pull(CLERK, person, legal_basis="工作需要")
        assert "legal_basis" in error.value.fields
        with pytest.raises(sources.NoConsent):
            pull(resident, person, legal_basis=LAW)

    def test_nobody_reads_another_person(self, doctor, resident, person):
        other = NaturalPerson.objects.create(
            name="王五",
            document_kind="passport",
            document_number="E1",
            source="counter",
            as_of="2022-10-01",
            touched_on="2022-10-01",
        )
        with pytest.raises(sources.NotAllowed):
            pull(resident, other)
        assert Read.objects.get().reader == "other"
        assert doctor.asked == []

    def test_what_the_district_holds_is_shown_to_its_own_subject(self, resident, person, reads_logged):
        with reads_logged():
            found = sources.pull(
                resident,
                source="registers.person",
                subject=person.ref,
                fields=["name", "phone"],
                purpose="填表",
                case=CASE,
            )
        assert found.values == {"name": "欧阳竹青", "phone": "13961300077"}
        assert "第四十五条" in Read.objects.get().ground

    def test_the_name_of_a_legal_representative_is_told_to_him_as_well(self, person, reads_logged):
        company = Organisation.objects.create(
            uscc="91350100M000100Y43",
            name="某门诊",
            kind="enterprise",
            legal_representative=person,
            source="counter",
            as_of="2022-10-01",
        )
        with reads_logged():
            found = sources.pull(
                CLERK,
                source="registers.organisation",
                subject=company.ref,
                fields=["name", "legal_representative"],
                purpose="核对",
                case=CASE,
                legal_basis=LAW,
            )
        assert found.values == {"name": "某门诊", "legal_representative": "欧阳竹青"}
        assert [row.channel for row in queries.trail(person.ref)] == ["unmask"]
        assert [row.channel for row in queries.trail(company.ref)] == ["pull"]

    def test_a_question_that_nobody_may_ask_is_named(self, doctor, person):
        for more in ({"purpose": " "}, {"case": "没有"}):
            with pytest.raises(Invalid):
                pull(CLERK, person, legal_basis=LAW, **more)
        for fields in ([], ["salary"]):
            with pytest.raises(Invalid):
                pull(CLERK, person, fields, legal_basis=LAW)
        with pytest.raises(sources.UnknownSource):
            pull(CLERK, person, source="nobody", legal_basis=LAW)


class TestAnswers:
    @pytest.mark.parametrize(
        ("answer", "error", "outcome"),
        [
            ({"level": "执业医师", "salary": 9}, sources.SourceWrong, "wrong"),
            ({"level": ["执业医师"]}, sources.SourceWrong, "wrong"),
            ({"level": True}, sources.SourceWrong, "wrong"),
            ("执业医师", sources.SourceWrong, "wrong"),
            ({}, sources.NothingHeld, "nothing"),
            ({"level": None, "scope": ""}, sources.NothingHeld, "nothing"),
            (sources.NothingHeld(), sources.NothingHeld, "nothing"),
            (KeyError("bug"), sources.SourceDown, "down"),
        ],
    )
    def test_an_answer_that_does_not_fit_is_named_and_nothing_of_it_is_taken(
        self, doctor, person, answer, error, outcome
    ):
        doctor.answer = answer
        with pytest.raises(error) as raised:
            pull(CLERK, person, legal_basis=LAW)
        assert raised.value.todo
        assert Pull.objects.get(receipt=raised.value.receipt_id).outcome == outcome
        assert not Kept.objects.exists()

    def test_too_slow_counts_as_down(self, doctor, person):
        doctor.answer = waiting = threading.Event()
        with pytest.raises(sources.SourceDown, match="0.3 秒"):
            pull(CLERK, person, legal_basis=LAW)
        waiting.set()

    def test_a_source_that_is_down_is_left_alone_and_then_asked_once(self, doctor, person):
        doctor.answer = sources.SourceDown("没有答复。")
        for _ in range(circuit.FAILURES):
            with pytest.raises(sources.SourceDown):
                pull(CLERK, person, legal_basis=LAW)
        with pytest.raises(sources.SourceDown) as paused:
            pull(CLERK, person, legal_basis=LAW)
        assert paused.value.paused
        assert len(doctor.asked) == circuit.FAILURES
        health = queries.source(CLERK, "toy.doctor")
        assert (health.state, health.failures, health.asked) == ("law", 3, 3)
        with at(now() + circuit.PAUSE):
            with pytest.raises(sources.SourceDown) as again:
                pull(CLERK, person, legal_basis=LAW)
            assert not again.value.paused
            assert queries.source(CLERK, "toy.doctor").state == "law"
        doctor.answer = {"level": "执业医师"}
        with at(now() + 3 * circuit.PAUSE):
            pull(CLERK, person, legal_basis=LAW)
            assert queries.source(CLERK, "toy.doctor").state == "ok"

    def test_a_source_is_not_asked_inside_a_transaction(self, doctor, person):
        with pytest.raises(RuntimeError, match="transaction"), transaction.atomic():
            pull(CLERK, person, legal_basis=LAW)
        assert doctor.asked == []


class TestKeeping:
    def test_no_value_stands_in_the_log_and_what_came_is_sealed(self, doctor, person):
        found = pull(CLERK, person, legal_basis=LAW)
        assert all("执业" not in row.body or "执业医师" not in row.body for row in LogDetail.objects.all())
        kept = Kept.objects.get()
        assert "执业医师" not in str(kept.content)
        assert queries.values_of(CLERK, kept.pull_id, "复核材料") == found.values
        assert [row.channel for row in queries.trail(person.ref)] == ["unmask", "pull"]
        with pytest.raises(Denied):
            queries.values_of(STRANGER, kept.pull_id, "看看")

    def test_it_goes_with_its_person(self, doctor, person):
        pull(CLERK, person, legal_basis=LAW)

        forget(SYSTEM, row=person)
        with pytest.raises(NotThere):
            queries.values_of(CLERK, Pull.objects.get().pk, "复核")
        assert sealing.is_gone(Pull.objects.get().statement)
        assert queries.trail(person.ref).count() == 1

    def test_what_never_became_a_case_goes_after_its_days(self, doctor, person):
        pull(CLERK, person, legal_basis=LAW)
        with at(now() + timedelta(days=89)):
            assert actions.sweep(SYSTEM) == 0
        with at(now() + timedelta(days=91)):
            assert actions.sweep(SYSTEM) == 1
            assert actions.sweep(SYSTEM) == 0
        assert not Kept.objects.get().sealed_key


class TestReceipts:
    def test_the_offline_verifier_accepts_it_and_finds_every_change(
        self, doctor, resident, person, agree, tmp_path, root
    ):
        agree(["level", "scope"])
        found = pull(resident, person)
        log.sequence_now()
        plain = queries.receipt_file(resident, found.receipt_id)
        assert "执业医师" not in json.dumps(plain, ensure_ascii=False)
        whole = queries.receipt_file(resident, found.receipt_id, values=True)
        key = plain["proof"]["head"]["public_key"]

        def verify(receipt, *more):
            path = tmp_path / "receipt.json"
            path.write_text(json.dumps(receipt, ensure_ascii=False), encoding="utf-8")
            command = [sys.executable, "-I", root / "docs/verify/verify.py", "receipt", path, "--key", key]
            done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
            return done.returncode, done.stdout

        assert verify(plain)[0] == 0
        status, said = verify(whole)
        assert (status, "级别" in said, "核对医师资格" in said) == (0, True, True)

        opened = json.loads(json.dumps(whole))
        opened["openings"]["level"]["value"] = "执业助理医师"
        assert "承诺" in verify(opened)[1]
        altered = json.loads(json.dumps(plain))
        altered["statement"] = altered["statement"].replace("核对医师资格", "核对护士资格")
        assert "签名不对" in verify(altered)[1]
        # Signed anew with the right key, it still is not what the log committed to.
        altered["signature"] = receipts.sign(altered["statement"]).signature.hex()
        assert "不是这份回执" in verify(altered)[1]

    def test_only_the_one_whose_values_were_read_gets_it(self, doctor, resident, person, as_resident):
        found = pull(CLERK, person, legal_basis=LAW)
        view = queries.receipt(resident, found.receipt_id)
        assert view.holds
        assert view.fields == [("级别", True), ("执业范围", True)]
        other = as_resident("别人").actor
        for actor in (other, CLERK):
            with pytest.raises(NotThere):
                queries.receipt(actor, found.receipt_id)

    def test_a_failed_attempt_has_one_too(self, doctor, resident, person):
        doctor.answer = sources.NothingHeld()
        with pytest.raises(sources.NothingHeld) as raised:
            pull(CLERK, person, legal_basis=LAW)
        view = queries.receipt(resident, raised.value.receipt_id)
        assert (view.said["outcome"], view.fields) == ("nothing", [("级别", False), ("执业范围", False)])


class TestVerification:
    def test_a_material_that_did_not_come_waits_for_staff_once(self, db):
        row = mark(SYSTEM)
        assert (row.get_state_display(), sources.unsettled(CASE)) == ("由工作人员核验", ["licence"])
        leaves = LogLeaf.objects.filter(subject=str(row.ref)).count()

        assert mark(SYSTEM).pk == row.pk
        assert LogLeaf.objects.filter(subject=str(row.ref)).count() == leaves == 1
        with pytest.raises(Denied):
            verification.settle(STRANGER, check_id=row.pk, good=True, note="看过")
        with pytest.raises(Invalid):
            verification.settle(CLERK, check_id=row.pk, good=True, note=" ")
        settled = verification.settle(CLERK, check_id=row.pk, good=True, note="电话向发证机关核实")
        assert (settled.state, sources.unsettled(CASE)) == (StaffCheck.GOOD, [])
        with pytest.raises(Conflict):
            verification.settle(CLERK, check_id=row.pk, good=False, note="再看")


class TestTrail:
    def test_every_kind_with_values_of_grade_3_says_whose_they_are(self):
        for field in sealing.grade_3_fields():
            if field.model.__module__.startswith("liangzhu."):
                assert reads.known(field.model(pk=1).ref.kind), f"{field}: reads.belongs is missing"

    def test_an_unmasking_stands_in_the_trail_with_its_reason(self, person):
        masking.reveal(CLERK, person, "name", "phone", reason="核对原件", case=str(CASE))
        row = queries.trail(person.ref).get()
        assert (row.titles, row.reason, row.case, row.operator, row.reader) == (
            "姓名、电话",
            "核对原件",
            str(CASE),
            "account:7",
            "staff",
        )

    def test_what_a_failing_trail_cannot_keep_is_not_read(self, person, monkeypatch):
        monkeypatch.setattr(reads, "_keepers", [lambda read: 1 / 0])
        with pytest.raises(ZeroDivisionError):
            masking.reveal(CLERK, person, "name", reason="核对")
        assert not LogLeaf.objects.filter(action="kernel.read").exists()

    def test_a_reading_before_somebody_was_registered_is_his_afterwards(self, person):
        reads.note(CLERK, Ref("proposal", "404"), {"payload": "内容"}, channel="unmask", reason="复核")
        assert queries.trail(person.ref).count() == 0
        reads.found(Ref("proposal", "404"), person.ref)
        assert queries.trail(person.ref).get().reason == "复核"

    def test_whoever_was_merged_has_one_trail(self, person):
        old = NaturalPerson.objects.create(
            name="欧阳竹",
            document_kind="passport",
            document_number="E2",
            source="counter",
            as_of="2022-10-01",
            touched_on="2022-10-01",
            state="merged",
            merged_into=person,
        )
        masking.reveal(CLERK, old, "name", reason="核对")
        assert queries.trail(person.ref).count() == 1
