"""A partner co-signs an application: he sees what he signs, a stranger sees nothing, and a change sends it back to him."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest
from django.urls import reverse

from liangzhu.beams.people.codes import api as codes
from liangzhu.beams.people.codes.models import Scan
from liangzhu.beams.people.residents.models import Message
from liangzhu.beams.trust.sources import api as sources
from liangzhu.beams.work.forms import api as forms
from liangzhu.beams.work.forms import cosigning
from liangzhu.beams.work.forms import queries as form_queries
from liangzhu.beams.work.forms.models import CoSignature, Signer
from liangzhu.kernel import identifiers, log
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Conflict, Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.models import LogLeaf
from liangzhu.kernel.now import at, now
from liangzhu.pillars.services.actions import cases as actions
from liangzhu.pillars.services.queries import cases as queries

from .applying import FORM, ready, send, work_off

PARTNERS = {**FORM, "ownership": "partner"}
NUMBER = identifiers.complete("person", "32999919850505601")
HERS = "13812345678"


@pytest.fixture
def owner(clinic, as_resident):
    return as_resident("林晓禾")


@pytest.fixture
def row(owner):
    """An application of a partnership: all is ready but the partner's signature."""
    return ready(owner, given=PARTNERS)


def draft_of(owner, row):
    return forms.draft_of(owner.actor, "open_clinic", str(row.ref))


def ask(owner, row, name="周同舟", number=NUMBER):
    return forms.ask_resident(
        owner.actor, draft_id=draft_of(owner, row).pk, place="partner", name=name, number=number
    )


def answer(someone, asked, *, sign=True, reason=""):
    digest = form_queries.to_sign(someone.actor, asked.pk).digest
    return cosigning.answer_cosign(
        someone.actor, signature_id=asked.pk, digest=digest, sign=sign, reason=reason
    )


def change(owner, row, **given):
    draft = draft_of(owner, row)
    return forms.save(owner.actor, draft_id=draft.pk, version=draft.version, answers=given)


def told(person):
    work_off()
    rows = Message.objects.filter(person_id=person.id).select_related("person").order_by("id")
    return [str(one.title) for one in rows]


def test_it_is_not_sent_before_the_partner_signed_and_says_who_is_missing(owner, row, as_resident):
    with pytest.raises(forms.NotReady, match="合伙人（还没有邀请）"):
        actions.submit(owner.actor, application_id=row.pk, version=row.version, declared=True)
    step = next(one for one in queries.preparing(owner.actor, row).steps if one.name == "cosign")
    assert not step.done and "还没有邀请" in step.note
    asked = ask(owner, row)
    with pytest.raises(forms.NotReady, match="合伙人（周同舟，等待签署）"):
        actions.submit(owner.actor, application_id=row.pk, version=row.version, declared=True)
    partner = as_resident("周同舟", number=NUMBER)
    assert "请您共同签署" in partner.client.get("/my/").content.decode()
    answer(partner, asked)
    assert "周同舟已经签署：开办诊所、门诊部申请表" in told(owner.person)
    assert queries.preparing(owner.actor, row).ready
    sent = send(owner, row)
    carried = forms.Snapshot.objects.get(pk=sent.snapshot_id).content["signatures"][0]
    assert (carried["party"], carried["assurance"], carried["name"]) == (str(partner.person), 2, "周同舟")
    signer = Signer.objects.get()
    page = partner.client.get(reverse("forms:signed", args=[signer.pk])).content.decode()
    assert "晓禾口腔门诊部" in page and carried["digest"] in page and "核验不通过" not in page
    assert HERS not in page and "牙片机" not in page
    assert as_resident("孙路人").client.get(reverse("forms:signed", args=[signer.pk])).status_code == 404


def test_the_log_proves_a_signature_to_the_offline_verifier(owner, row, as_resident, root, tmp_path):
    asked = ask(owner, row)
    answer(as_resident("周同舟", number=NUMBER), asked)
    log.sequence_now()
    leaf = LogLeaf.objects.get(action="forms.answer_cosign")
    assert CoSignature.objects.get().leaf_id == leaf.pk
    proof = tmp_path / "证明.json"
    proof.write_text(json.dumps(log.leaf_proof(leaf.number, details=True), ensure_ascii=False))
    done = subprocess.run(
        [sys.executable, root / "docs/verify/verify.py", "proof", proof], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_partner_sees_what_he_signs_and_nothing_else_and_his_reading_is_in_her_trail(
    owner, row, as_resident
):
    asked = ask(owner, row)
    partner = as_resident("周同舟", number=NUMBER)
    page = partner.client.get(reverse("forms:sign", args=[asked.pk])).content.decode()
    assert "晓禾口腔门诊部" in page and "我是这家机构的合伙人" in page and "林晓禾" in page
    for hidden in (HERS, "牙片机", "110320706000001", "接市政管网"):
        assert hidden not in page
    for address in (
        reverse("services:application", args=[row.pk]),
        reverse("forms:check", args=[draft_of(owner, row).pk]),
    ):
        assert partner.client.get(address).status_code == 404
    read = [one for one in sources.trail(owner.person) if one.channel == "form"]
    assert read and LogLeaf.objects.filter(action="forms.read_to_sign", actor=str(partner.actor.ref)).exists()


@pytest.mark.parametrize("name, number", [("孙路人", NUMBER), ("周同舟", "")])
def test_a_stranger_of_the_name_or_of_the_number_alone_sees_nothing(owner, row, as_resident, name, number):
    asked = ask(owner, row)
    stranger = as_resident(name, number=number)
    assert form_queries.asked_of(stranger.actor) == []
    assert stranger.client.get(reverse("forms:sign", args=[asked.pk])).status_code == 404
    with pytest.raises(Denied):
        cosigning.answer_cosign(stranger.actor, signature_id=asked.pk, digest="x", sign=True)
    with pytest.raises(NotThere):
        cosigning.come_with_code(stranger.actor, code=str(asked.code))


def test_who_is_named_by_phone_comes_with_the_code_and_with_the_name(owner, row, as_resident):
    asked = ask(owner, row, number="138 1111 2222")
    partner, other = as_resident("周同舟"), as_resident("孙路人")
    assert form_queries.asked_of(partner.actor) == []
    assert other.client.post(reverse("forms:code"), {"code": str(asked.code)}).status_code == 404
    came = partner.client.post(
        reverse("forms:code"), {"code": f" {str(asked.code).lower()[:5]}-{str(asked.code)[5:]}"}
    )
    assert came.url == reverse("forms:sign", args=[asked.pk])
    assert [one.pk for one in form_queries.asked_of(partner.actor)] == [asked.pk]
    # Now that it is known who is meant, the code opens it to no namesake.
    namesake = as_resident("周同舟", number=identifiers.complete("person", "32999919850505603"))
    with pytest.raises(NotThere):
        cosigning.come_with_code(namesake.actor, code=str(asked.code))


def test_a_change_of_what_he_signed_voids_it_and_both_are_told_another_change_does_not(
    owner, row, as_resident
):
    asked, partner = ask(owner, row), as_resident("周同舟", number=NUMBER)
    answer(partner, asked)
    change(owner, row, outlets="两处")
    asked.refresh_from_db()
    assert asked.state == CoSignature.SIGNED
    change(owner, row, capital="600000.00")
    asked.refresh_from_db()
    assert asked.state == CoSignature.VOID
    assert "您改了内容，周同舟的签名已失效：开办诊所、门诊部申请表" in told(owner.person)
    assert "内容有改动，原来的签名失效，请重新签署：开办诊所、门诊部申请表" in told(partner.person)
    page = partner.client.get(reverse("forms:sign", args=[asked.pk])).content.decode()
    assert "原为 500,000.00 元，现为 600,000.00 元" in page
    with pytest.raises(forms.NotReady, match="失效"):
        actions.submit(owner.actor, application_id=row.pk, version=row.version, declared=True)
    answer(partner, asked)
    assert queries.preparing(owner.actor, row).ready


def test_what_changed_while_he_read_is_not_signed_and_a_refusal_needs_a_reason(owner, row, as_resident):
    asked, partner = ask(owner, row), as_resident("周同舟", number=NUMBER)
    digest = form_queries.to_sign(partner.actor, asked.pk).digest
    change(owner, row, capital="1.00")
    with pytest.raises(Conflict, match="又改了内容"):
        cosigning.answer_cosign(partner.actor, signature_id=asked.pk, digest=digest, sign=True)
    with pytest.raises(Invalid):
        answer(partner, asked, sign=False)
    answer(partner, asked, sign=False, reason="出资不对")
    assert "周同舟不同意签署：开办诊所、门诊部申请表" in told(owner.person)
    page = owner.client.get(reverse("forms:check", args=[draft_of(owner, row).pk])).content.decode()
    assert "出资不对" in page
    with pytest.raises(forms.NotReady, match="不同意签署"):
        actions.submit(owner.actor, application_id=row.pk, version=row.version, declared=True)


def test_a_low_assurance_is_sent_to_the_province_first(owner, row, as_resident):
    asked, partner = ask(owner, row), as_resident("周同舟", number=NUMBER, level=1)
    page = partner.client.get(reverse("forms:sign", args=[asked.pk]))
    digest = page.context["found"].digest
    came = partner.client.post(
        reverse("forms:sign", args=[asked.pk]), {"go": "sign", "digest": digest, "reason": ""}
    )
    assert came.status_code == 302 and "level=2" in came.url
    asked.refresh_from_db()
    assert asked.state == CoSignature.INVITED


def test_time_is_kept_a_reminder_then_the_end(owner, row, as_resident):
    partner = as_resident("周同舟", number=NUMBER)
    asked = ask(owner, row)
    with at(now() + timedelta(days=6)):
        assert cosigning.keep_time(SYSTEM) == 1 and cosigning.keep_time(SYSTEM) == 0
        assert "签署快到期了：开办诊所、门诊部申请表" in told(partner.person)
    with at(now() + timedelta(days=8)):
        with pytest.raises(cosigning.TooLate):
            form_queries.to_sign(partner.actor, asked.pk)
        assert cosigning.keep_time(SYSTEM) == 1
        assert "周同舟没有在期限内签署：开办诊所、门诊部申请表" in told(owner.person)
        with pytest.raises(forms.NotReady, match="过了期限"):
            actions.submit(owner.actor, application_id=row.pk, version=row.version, declared=True)
        again = ask(owner, row)
        assert again.due_at > now()


@pytest.mark.parametrize(
    "name, number, field",
    [("林晓禾", "own", "number"), ("周同舟", "329999198505056010", "number"), ("周", NUMBER, "name")],
)
def test_whom_one_cannot_ask(owner, row, name, number, field):
    if number == "own":
        from liangzhu.beams.people.registers.models import NaturalPerson

        person = NaturalPerson.objects.get(pk=owner.person.id)
        column = NaturalPerson._meta.get_field("document_number")
        number = column.open(person, column.fetch(person))
    with pytest.raises(Invalid) as found:
        ask(owner, row, name, number)
    assert field in found.value.fields


def test_a_partner_at_the_counter_signs_by_the_scan_of_his_code(owner, row, as_resident, put):
    clerk, other = (
        put("kuang", "shenpiju", "matters.officer", codes.WINDOW),
        put("bie", "shenpiju", "matters.officer", codes.WINDOW),
    )
    asked, partner, stranger = ask(owner, row), as_resident("周同舟", number=NUMBER), as_resident("孙路人")

    def scan(person, by=clerk, **more):
        return Scan.objects.create(
            at=more.pop("at", now()), way=Scan.SCANNED, holder_kind="person", person_id=int(person.id),
            operator=str(by.actor.ref), result=Scan.ACCEPTED, case="hall_ticket:1", **more,
        ).pk  # fmt: skip

    good = scan(partner.person)
    assert [one.pk for one in forms.waiting_at_counter(clerk.actor, good)] == [asked.pk]
    assert forms.waiting_at_counter(clerk.actor, scan(stranger.person)) == []
    shown = forms.to_sign_at_counter(clerk.actor, asked.pk, good)

    def sign(clerk, scan_id):
        return forms.answer_at_counter(
            clerk.actor, signature_id=asked.pk, scan_id=scan_id, digest=shown.digest, sign=True
        )

    with pytest.raises(NotThere):
        sign(clerk, scan(stranger.person))
    with pytest.raises(NotThere):
        sign(other, good)
    with pytest.raises(StepNotAllowed, match="不能作为"):
        sign(clerk, scan(partner.person, at=now() - timedelta(hours=1)))
    with pytest.raises(Denied):
        sign(partner, good)
    signed = sign(clerk, good)
    assert (signed.state, signed.assurance, signed.ground) == (CoSignature.SIGNED, 3, f"code_scan:{good}")
    assert queries.preparing(owner.actor, row).ready


def test_who_is_not_a_partnership_asks_nobody(owner):
    row = ready(owner)
    assert "cosign" not in {one.name for one in queries.preparing(owner.actor, row).steps}
    assert send(owner, row).submitted_at
