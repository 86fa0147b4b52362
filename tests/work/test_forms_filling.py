"""Filling a form in: saved as one types, joined between devices, prefilled, co-signed, sent; and its pages without script."""

import json
import re
import threading
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from liangzhu.beams.work.files import api as attachments
from liangzhu.beams.work.forms import actions, cosigning, queries, specs, state, values
from liangzhu.beams.work.forms.models import CoSignature, Draft, Snapshot
from liangzhu.beams.work.matters.models import Notice
from liangzhu.kernel import crypto, keys, releases, worker
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Conflict, Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.log import canonical
from liangzhu.kernel.models import LogDetail, LogLeaf
from liangzhu.kernel.now import at

from . import form_sources
from .form_sources import CASE

RULE = (Path(__file__).parent / "rules" / "clinic_route.json").read_text(encoding="utf-8")
BUDGETS = Path(__file__).parent / "query_budgets_forms.json"
BODY = (Path(__file__).parent / "forms" / "clinic_filing.json").read_text(encoding="utf-8")
PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"

GOOD = {
    "applicant": "王示例",
    "identity": "11010519491231002X",
    "phone": "13800138000",
    "partnership": False,
    "name": "示例诊所",
    "place": "示例路 1 号 2 栋",
    "subjects": ["dental"],
    "xray": False,
    "capital": "50000.00",
    "opens": "2022-12-01",
    "staff": [{"staff_name": "赵示例", "staff_kind": "doctor", "staff_number": "A1", "staff_years": "6"}],
}


@pytest.fixture(autouse=True)
def sources_answer():
    form_sources.state["police"] = "answers"
    specs.forget()
    yield
    form_sources.state["police"] = "answers"
    specs.forget()


@pytest.fixture
def form(district):
    releases.seed("form", "clinic_filing", BODY, "clinic_filing.json")
    return specs.in_force("clinic_filing")


@pytest.fixture
def wang(form, sign_in):
    """A browser and actor: whoever fills the form in."""
    return sign_in("甲局", "王示例")


@pytest.fixture
def filled(wang, upload):
    """A draft in which nothing is missing."""
    _, actor = wang
    row = actions.begin(actor, key="clinic_filing")
    paper = attachments.stage(actor, upload=upload("房屋.pdf", PDF))
    return actions.save(
        actor, draft_id=row.pk, version=row.version, answers=GOOD, files={"papers": [paper.pk]}
    )


def save(actor, row, **answers):
    return actions.save(actor, draft_id=row.pk, version=row.version, answers=answers)


# Drafts ---------------------------------------------------------------------------------------------------


def test_there_is_one_draft_per_person_form_and_subject(wang, sign_in):
    _, actor = wang
    row = actions.begin(actor, key="clinic_filing")
    save(actor, row, name="示例诊所")
    assert actions.begin(actor, key="clinic_filing").pk == row.pk
    assert actions.begin(actor, key="clinic_filing", subject=str(CASE)).pk != row.pk
    _, other = sign_in("甲局", "李四")
    assert actions.begin(other, key="clinic_filing").pk != row.pk
    with pytest.raises(NotThere):
        queries.draft(other, row.pk)
    with pytest.raises(Denied):
        save(other, row, name="别人的")


def test_a_subject_is_filled_in_for_only_where_its_kind_allows(wang):
    _, actor = wang
    for subject in ("toy_case:closed", "nobody_knows:1"):
        with pytest.raises(Denied):
            actions.begin(actor, key="clinic_filing", subject=subject)


def test_what_two_devices_change_in_different_fields_is_joined(wang):
    _, actor = wang
    row = actions.begin(actor, key="clinic_filing")
    seen = row.version
    actions.save(actor, draft_id=row.pk, version=seen, answers={"name": "示例诊所"})
    after = actions.save(actor, draft_id=row.pk, version=seen, answers={"capital": "5.00"})
    assert after.content["answers"]["name"] == "示例诊所" and after.content["answers"]["capital"] == "5.00"


def test_what_both_changed_is_shown_and_neither_is_lost(wang):
    _, actor = wang
    row = actions.begin(actor, key="clinic_filing")
    seen = row.version
    actions.save(actor, draft_id=row.pk, version=seen, answers={"name": "甲诊所"})
    with pytest.raises(actions.Elsewhere) as caught:
        actions.save(actor, draft_id=row.pk, version=seen, answers={"name": "乙诊所"})
    assert caught.value.theirs == {"name": "甲诊所"}
    after = actions.save(actor, draft_id=row.pk, version=seen, answers={"name": "乙诊所"}, over=True)
    assert after.content["answers"]["name"] == "乙诊所"


def test_saving_the_same_again_changes_nothing(wang):
    _, actor = wang
    row = save(actor, actions.begin(actor, key="clinic_filing"), name="甲诊所")
    assert save(actor, row, name="甲诊所").version == row.version


def test_an_old_draft_is_swept_and_leaves_a_leaf(wang):
    _, actor = wang
    row = actions.begin(actor, key="clinic_filing")
    with at("2023-06-01 09:00"):
        assert actions.sweep(SYSTEM) == 1
    assert not Draft.objects.filter(pk=row.pk).exists()
    assert LogLeaf.objects.filter(subject=str(row.ref), action="forms.sweep").exists()


def test_a_draft_that_is_given_up_takes_its_files_with_it(wang, filled):
    _, actor = wang
    pk = filled.content["answers"]["papers"][0]
    actions.drop(actor, draft_id=filled.pk)
    assert attachments.Attachment.objects.get(pk=pk).subject == ""
    assert not Draft.objects.exists()


def test_files_of_others_and_files_of_nowhere_cannot_be_claimed(wang, sign_in, upload):
    _, actor = wang
    _, other = sign_in("甲局", "李四")
    row = actions.begin(actor, key="clinic_filing")
    foreign = attachments.stage(other, upload=upload("别人.pdf", PDF))
    assert "papers" not in save(actor, row, papers=[foreign.pk, 999999]).content["answers"]
    with pytest.raises(Invalid):
        actions.save(actor, draft_id=row.pk, version=row.version, answers={}, files={"papers": [foreign.pk]})


# Prefill --------------------------------------------------------------------------------------------------


def test_a_prefilled_value_says_where_it_came_from_and_a_correction_keeps_what_came(wang):
    _, actor = wang
    row = actions.begin(actor, key="clinic_filing")
    content = row.content
    assert content["answers"]["identity"] == "11010519491231002X"
    assert content["origins"]["identity"]["title"] == "人口库"
    after = save(actor, row, identity="440524188001010014")
    part = next(part for part in queries.summary(actor, after).parts if part.step.name == "applicant")
    origin = next(line for line in part.lines if line.name == "identity").origin
    assert (origin.kind, origin.original) == ("corrected", "11010519491231002X")


def test_a_locked_value_cannot_be_changed(wang):
    _, actor = wang
    row = actions.begin(actor, key="clinic_filing")
    before = row.content["answers"]["unit_name"]
    assert save(actor, row, unit_name="乙局").content["answers"]["unit_name"] == before


@pytest.mark.parametrize(
    ("behaviour", "word"),
    [("silent", "没有按时答复"), ("broken", "暂时取不到"), ("empty", "没有这个人的记录")],
)
def test_a_source_that_fails_is_named_and_the_person_types(wang, behaviour, word):
    client, actor = wang
    form_sources.state["police"], form_sources.release = behaviour, threading.Event()
    row = actions.begin(actor, key="clinic_filing")
    form_sources.release.set()
    assert word in row.content["origins"]["identity"]["failed"]
    page = client.get(f"/forms/draft/{row.pk}/step/applicant/").content.decode()
    assert f"人口库{word}" in page and "再取一次" in page
    typed = save(actor, row, identity="440524188001010014")
    part = queries.summary(actor, typed).parts[0]
    assert next(line for line in part.lines if line.name == "identity").origin.kind == "typed"
    form_sources.state["police"] = "answers"
    again = actions.ask_again(actor, draft_id=row.pk)
    assert again.content["answers"]["identity"] == "440524188001010014"
    assert again.content["origins"]["identity"]["value"] == "11010519491231002X"


# Releases -------------------------------------------------------------------------------------------------


@pytest.fixture
def newer(form, sign_in):
    """A second release, in which the remark is gone and a number is asked."""

    def release():
        data = json.loads(BODY)
        fields = data["steps"][3]["fields"]
        fields[:] = [one for one in fields if one["name"] != "remark"]
        data["steps"][1]["fields"].append(
            {"name": "beds", "type": "number", "label": "观察床", "required": True}
        )
        _, drafter = sign_in("督办室", "赵六", "access.admin")
        _, second = sign_in("督办室", "钱七", "access.admin")
        row = releases.draft(
            drafter, kind="form", key="clinic_filing", body=json.dumps(data, ensure_ascii=False)
        )
        with pytest.raises(Denied):
            actions.release_form(drafter, release_id=row.pk, accept=True)
        return actions.release_form(second, release_id=row.pk, accept=True)

    return release


def test_a_draft_ends_under_the_release_it_began_with(wang, filled, newer):
    client, actor = wang
    newer()
    assert "这张表单有了第 2 版" in client.get(f"/forms/draft/{filled.pk}/check/").content.decode()
    sent = actions.send(actor, draft_id=filled.pk, version=filled.version, declared=True)
    assert sent.content["release"] == 1


def test_carrying_over_shows_what_changes_and_what_is_left_behind(wang, filled, newer):
    client, actor = wang
    filled = save(actor, filled, remark="周末不营业")
    newer()
    page = client.get(f"/forms/draft/{filled.pk}/carry/").content.decode()
    assert "新增“观察床”（必填）" in page and "周末不营业" in page
    after = actions.carry_over(actor, draft_id=filled.pk, version=filled.version)
    assert "remark" not in after.content["answers"] and after.content["answers"]["name"] == "示例诊所"
    with pytest.raises(actions.NotReady, match="诊所"):
        actions.send(actor, draft_id=after.pk, version=after.version, declared=True)


# Co-signing -----------------------------------------------------------------------------------------------


@pytest.fixture
def partner(sign_in):
    return sign_in("乙局", "李伙伴")


def test_a_page_that_stood_open_puts_nothing_back_that_was_typed_elsewhere(wang, filled):
    _, actor = wang
    base = {name: state.mark(filled.content["answers"].get(name)) for name in ("capital", "xray")}
    save(actor, filled, capital="70000.00")
    with pytest.raises(actions.Elsewhere) as clash:
        actions.save(actor, draft_id=filled.pk, version=99, answers={"capital": "1.00"}, base=base)
    assert clash.value.theirs == {"capital": "70000.00"}
    kept = actions.save(actor, draft_id=filled.pk, version=1, answers={"xray": True}, base=base)
    assert (kept.content["answers"]["capital"], kept.content["answers"]["xray"]) == ("70000.00", True)
    assert state.mark(False) != state.mark(None) == state.mark([])


@pytest.fixture
def asked(wang, filled, partner):
    _, actor = wang
    _, other = partner
    return cosigning.ask_cosigner(
        actor, draft_id=filled.pk, place="partner", person_id=other.person_id, person_name="李伙伴"
    )


def answer(actor, row, *, sign=True, reason=""):
    digest = queries.to_sign(actor, row.pk).digest
    return cosigning.answer_cosign(actor, signature_id=row.pk, digest=digest, sign=sign, reason=reason)


def test_a_partner_signs_and_the_snapshot_carries_a_signature_that_verifies(wang, filled, partner, asked):
    _, actor = wang
    _, other = partner
    with pytest.raises(actions.NotReady, match="等待签署"):
        actions.send(actor, draft_id=filled.pk, version=filled.version, declared=True)
    answer(other, asked)
    sent = actions.send(actor, draft_id=filled.pk, version=filled.version, declared=True)
    signature = sent.content["signatures"][0]
    assert (signature["title"], signature["name"], signature["digest"]) == ("合伙人", "李伙伴", sent.digest)
    message = f"{signature['row']} {signature['digest']}".encode()
    assert keys.verify(signature["key"], message, bytes.fromhex(signature["signature"]))
    assert not keys.verify(signature["key"], message + b"x", bytes.fromhex(signature["signature"]))


def test_who_is_asked_and_who_asked_are_told(wang, filled, partner, asked):
    _, actor = wang
    _, other = partner
    answer(other, asked)
    save(actor, filled, capital="2.00")
    worker.drain()
    told = {(row.post_id, row.title, row.url) for row in Notice.objects.all()}
    sign, check = f"/forms/sign/{asked.pk}/", f"/forms/draft/{filled.pk}/check/"
    assert (other.post_id, "请您签署：诊所备案信息表", sign) in told
    assert (other.post_id, "内容有改动，请重新签署：诊所备案信息表", sign) in told
    assert (actor.post_id, "对方已签署：诊所备案信息表", check) in told
    worker.drain()
    assert Notice.objects.count() == len(told) == 3


def test_a_change_after_signing_voids_the_signature_and_says_what_changed(wang, filled, partner, asked):
    client, actor = wang
    partner_client, other = partner
    answer(other, asked)
    changed = save(actor, filled, capital="60000.00")
    asked.refresh_from_db()
    assert asked.state == CoSignature.VOID
    for page in (
        client.get(f"/forms/draft/{filled.pk}/check/"),
        partner_client.get(f"/forms/sign/{asked.pk}/"),
    ):
        assert "开办资金：原为 50,000.00 元，现为 60,000.00 元" in page.content.decode()
    with pytest.raises(actions.NotReady, match="失效"):
        actions.send(actor, draft_id=changed.pk, version=changed.version, declared=True)
    answer(other, asked)
    assert actions.send(actor, draft_id=changed.pk, version=changed.version, declared=True)


def test_a_change_of_what_is_hidden_voids_nothing(wang, filled, partner, asked):
    _, actor = wang
    _, other = partner
    answer(other, asked)
    save(actor, filled, share="50", device="XR-1")
    asked.refresh_from_db()
    assert asked.state == CoSignature.SIGNED


def test_what_changed_while_it_was_read_is_not_signed(wang, filled, partner, asked):
    _, actor = wang
    _, other = partner
    digest = queries.to_sign(other, asked.pk).digest
    save(actor, filled, capital="1.00")
    with pytest.raises(Conflict, match="又改了内容"):
        cosigning.answer_cosign(other, signature_id=asked.pk, digest=digest, sign=True)


def test_a_partner_declines_with_a_reason_only(wang, filled, partner, asked):
    client, actor = wang
    _, other = partner
    with pytest.raises(Invalid):
        answer(other, asked, sign=False)
    answer(other, asked, sign=False, reason="出资比例不对")
    assert "出资比例不对" in client.get(f"/forms/draft/{filled.pk}/check/").content.decode()
    cosigning.take_back(actor, draft_id=filled.pk, place="partner")
    assert actions.send(actor, draft_id=filled.pk, version=filled.version, declared=True)


def test_reading_what_one_is_asked_to_sign_is_in_the_log(partner, asked):
    client, actor = partner
    client.get(f"/forms/sign/{asked.pk}/")
    assert LogLeaf.objects.get(action="forms.read_to_sign").actor == str(actor.ref)


def test_nobody_else_signs_and_nobody_signs_twice_or_for_oneself(wang, filled, partner, asked, sign_in):
    _, actor = wang
    _, stranger = sign_in("甲局", "孙八")
    with pytest.raises(NotThere):
        queries.to_sign(stranger, asked.pk)
    with pytest.raises(Denied):
        cosigning.answer_cosign(stranger, signature_id=asked.pk, digest="x", sign=True)
    with pytest.raises(Invalid, match="自己"):
        cosigning.ask_cosigner(
            actor, draft_id=filled.pk, place="partner", person_id=actor.person_id, person_name="王"
        )
    _, other = partner
    answer(other, asked)
    with pytest.raises(StepNotAllowed):
        cosigning.answer_cosign(other, signature_id=asked.pk, digest=asked.digest, sign=True)


# Sending --------------------------------------------------------------------------------------------------


def test_a_snapshot_is_canonical_signed_and_never_changes(wang, filled):
    client, actor = wang
    paper = filled.content["answers"]["papers"][0]
    sent = actions.send(actor, draft_id=filled.pk, version=filled.version, declared=True)
    sent = Snapshot.objects.get(pk=sent.pk)
    content = sent.content
    assert canonical(content) == sent.body
    assert content["answers"]["capital"] == "50000.00" and "share" not in content["answers"]
    assert content["files"][str(paper)]["sm3"] == crypto.sm3_hex(PDF)
    assert content["declaration"].startswith("我承诺")
    assert queries.verifies(sent)
    with pytest.raises(TypeError):
        sent.save()
    with pytest.raises(TypeError):
        sent.delete()
    assert attachments.of(sent.ref)[0].pk == paper and not Draft.objects.exists()
    assert client.get(f"/files/{paper}/").status_code == 200


def test_an_altered_snapshot_is_told(wang, filled):
    _, actor = wang
    sent = actions.send(actor, draft_id=filled.pk, version=filled.version, declared=True)
    sent.body = sent.body.replace("50000.00", "90000.00")
    assert not queries.verifies(sent)


def test_nothing_unfinished_undeclared_or_unread_is_sent(wang, filled):
    _, actor = wang
    with pytest.raises(Invalid, match="承诺"):
        actions.send(actor, draft_id=filled.pk, version=filled.version)
    with pytest.raises(actions.Elsewhere):
        actions.send(actor, draft_id=filled.pk, version=filled.version - 1, declared=True)
    broken = save(actor, filled, opens=values.raw("明年"))
    with pytest.raises(actions.NotReady, match="诊所"):
        actions.send(actor, draft_id=broken.pk, version=broken.version, declared=True)


def test_others_read_a_snapshot_masked_and_only_if_its_subject_lets_them(wang, sign_in, upload):
    _, actor = wang
    row = actions.begin(actor, key="clinic_filing", subject=str(CASE))
    paper = attachments.stage(actor, upload=upload("房屋.pdf", PDF))
    row = actions.save(
        actor, draft_id=row.pk, version=row.version, answers=GOOD, files={"papers": [paper.pk]}
    )
    sent = actions.send(actor, draft_id=row.pk, version=row.version, declared=True)
    assert attachments.of(CASE)[0].pk == paper.pk
    reader, _ = sign_in("乙局", "周九")
    page = reader.get(f"/forms/sent/{sent.pk}/").content.decode()
    assert (
        "110105********002X" in page
        and "11010519491231002X" not in page
        and "王示例" not in re.sub(r"于 .*提交", "", page.split("申请人姓名")[1][:200])
    )
    refused = reader.post(f"/forms/sent/{sent.pk}/", {"reason": " "})
    assert refused.status_code == 422 and "11010519491231002X" not in refused.content.decode()
    whole = reader.post(f"/forms/sent/{sent.pk}/", {"reason": "核对申请人"}).content.decode()
    assert "11010519491231002X" in whole
    leaf = LogLeaf.objects.get(action="forms.reveal_snapshot")
    assert leaf.subject == str(sent.ref) and "核对申请人" in LogDetail.objects.get(leaf=leaf).body
    alone = actions.begin(actor, key="clinic_filing")
    alone = actions.save(
        actor,
        draft_id=alone.pk,
        version=alone.version,
        answers=GOOD,
        files={"papers": [attachments.stage(actor, upload=upload("房屋.pdf", PDF)).pk]},
    )
    private = actions.send(actor, draft_id=alone.pk, version=alone.version, declared=True)
    assert reader.get(f"/forms/sent/{private.pk}/").status_code == 404


def test_no_typed_value_stands_readable_in_the_tables_or_the_log(wang, filled, partner, asked):
    _, actor = wang
    _, other = partner
    answer(other, asked, sign=False, reason="暗语九千")
    answer(other, asked)
    actions.send(actor, draft_id=filled.pk, version=filled.version, declared=True)
    again = save(actor, actions.begin(actor, key="clinic_filing"), **GOOD)
    assert again.pk
    needles = [
        word.encode()
        for word in ("王示例", "11010519491231002X", "13800138000", "示例路", "赵示例", "暗语九千")
    ]
    with connection.cursor() as cursor:
        for table in ("forms_draft", "forms_cosignature", "forms_snapshot"):
            cursor.execute(f"SELECT * FROM {table}")
            for row in cursor.fetchall():
                held = b"|".join(
                    bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode()
                    for cell in row
                )
                assert not [needle for needle in needles if needle in held], table
    assert not [
        row for row in LogDetail.objects.all() if any(needle.decode() in row.body for needle in needles)
    ]


# Pages without script -------------------------------------------------------------------------------------


class Page:
    """A form page as a browser without script sees it: sends what the page offers, with what one types."""

    def __init__(self, client, address: str):
        self.client = client
        self.open(address)

    def open(self, address: str) -> None:
        self.answer = self.client.get(address, follow=True)
        self._read()

    def _read(self) -> None:
        self.address = (
            self.answer.redirect_chain[-1][0]
            if getattr(self.answer, "redirect_chain", None)
            else self.answer.request["PATH_INFO"]
        )
        self.text = self.answer.content.decode()

    def send(self, go: str, **typed) -> "Page":
        version = re.search(r'name="version" value="(\d+)"', self.text)
        data = {
            "version": version[1] if version else "",
            "has": re.findall(r'name="has" value="([^"]+)">', self.text),
            "go": go,
            **{
                f"rows-{name}": count
                for name, count in re.findall(r'name="rows-([a-z_]+)" value="(\d+)"', self.text)
            },
            **dict(re.findall(r'<input type="text" name="([^"]+)" value="([^"]*)"', self.text)),
            **typed,
        }
        self.answer = self.client.post(self.address.split("?")[0].split("#")[0], data, follow=True)
        self._read()
        return self


def test_a_form_is_filled_in_and_sent_without_script(wang, upload):
    client, _ = wang
    start = client.get("/forms/start/clinic_filing/").content.decode()
    assert "开始填写" in start and "放射设备" in start
    client.post("/forms/start/clinic_filing/")
    page = Page(client, f"/forms/draft/{Draft.objects.get().pk}/")
    assert "第 1 步，共 3 步" in page.text and "来自 人口库" in page.text
    page.send("next", phone="138", partnership="yes")
    assert "有 2 处需要修改" in page.text and 'href="#id_phone"' in page.text and 'value="138"' in page.text
    page.send("next", phone="13800138000", partnership="yes", share="40")
    assert "第 2 步" in page.text
    page.send(
        "next",
        name="示例诊所",
        place="示例路 1 号 2 栋",
        subjects="dental",
        capital="5万",
        opens="2022-12-01",
    )
    assert "请选择配置 X 射线设备" in page.text and "请只写数字" in page.text and 'value="5万"' in page.text
    page.send("next", subjects="dental", xray="yes", capital="50000")
    assert "放射设备" in page.text and "第 3 步，共 4 步" in page.text
    page.send("next", device="XR-1")
    page.send("add:staff")
    page.send("add:staff", **{"staff-0-staff_name": "赵示例", "staff-0-staff_kind": "doctor"})
    assert page.text.count("repeat-row") == 2
    page.send("out:staff:1")
    assert page.text.count("repeat-row") == 1 and 'value="赵示例"' in page.text
    page.send("next", **{"staff-0-staff_kind": "doctor", "papers": upload("坏.pdf", b"MZ not a pdf")})
    assert "坏.pdf" in page.text
    page.send(
        "next",
        **{
            "staff-0-staff_kind": "doctor",
            "staff-0-staff_number": "A1",
            "staff-0-staff_years": "6",
            "papers": upload("房屋.pdf", PDF),
        },
    )
    assert "核对并提交" in page.text and "房屋.pdf" in page.text and "还不能提交" not in page.text
    page.send("send")
    assert "请阅读并勾选承诺" in page.text
    page.send("send", declared="on")
    assert "已提交" in page.text and "系统签名" in page.text
    sent = Snapshot.objects.get().content
    assert sent["answers"]["share"] == "40" and sent["answers"]["staff"][0]["staff_years"] == "6"


def test_leaving_goes_on_from_another_browser(wang, client):
    first, actor = wang
    row = actions.begin(actor, key="clinic_filing")
    Page(first, f"/forms/draft/{row.pk}/step/clinic/").send("later", name="半截", capital="五万")
    client.force_login(
        __import__("django.contrib.auth", fromlist=["x"]).get_user_model().objects.get(pk=int(actor.ref.id)),
        backend="liangzhu.beams.people.access.backends.StaffBackend",
    )
    text = client.get(f"/forms/draft/{row.pk}/step/clinic/").content.decode()
    assert 'value="半截"' in text and 'value="五万"' in text


def test_a_change_elsewhere_is_shown_beside_what_was_typed_here(wang):
    client, actor = wang
    row = actions.begin(actor, key="clinic_filing")
    page = Page(client, f"/forms/draft/{row.pk}/step/clinic/")
    save(actor, row, name="别处诊所")
    page.send("next", name="此处诊所")
    assert page.answer.status_code == 409
    assert "另一处填的是：别处诊所" in page.text and 'value="此处诊所"' in page.text
    page.send("over", name="此处诊所")
    assert Draft.objects.get(pk=row.pk).content["answers"]["name"] == "此处诊所"


def test_autosave_answers_with_what_is_shown_now(wang):
    client, actor = wang
    row = actions.begin(actor, key="clinic_filing")
    data = {"version": row.version, "has": ["partnership", "phone"], "partnership": "yes", "phone": "13"}
    said = client.post(f"/forms/draft/{row.pk}/save/applicant/", data).json()
    assert "share" in said["shown"] and said["version"] == row.version + 1
    assert Draft.objects.get().content["answers"]["phone"] == {"raw": "13"}
    save(actor, Draft.objects.get(), phone="13800138000")
    again = client.post(f"/forms/draft/{row.pk}/save/applicant/", data)
    assert again.status_code == 409 and "别处" in again.json()["detail"]


def test_what_the_page_does_not_offer_is_not_taken(wang):
    client, actor = wang
    row = actions.begin(actor, key="clinic_filing")
    data = {
        "version": row.version,
        "go": "later",
        "has": ["unit_name", "phone", "device"],
        "unit_name": "乙局",
        "capital": "9",
        "device": "X",
    }
    client.post(f"/forms/draft/{row.pk}/step/applicant/", data)
    answers = Draft.objects.get().content["answers"]
    assert answers["unit_name"] != "乙局" and "capital" not in answers and "device" not in answers


def test_definitions_are_read_by_staff_with_their_releases(wang, newer):
    client, _ = wang
    newer()
    assert "诊所备案信息表" in client.get("/forms/kinds/").content.decode()
    text = client.get("/forms/kinds/clinic_filing/").content.decode()
    assert "新增“观察床”（必填）" in text and "预填自人口库" in text
    assert "是否合伙开办为是时才出现" in text and "配置 X 射线设备为是时才出现" in text
    assert client.get("/forms/kinds/clinic_filing/1/").status_code == 200
    assert client.get("/forms/kinds/nothing/").status_code == 404


def test_pages_of_another_persons_draft_do_not_exist(wang, sign_in):
    _, actor = wang
    row = actions.begin(actor, key="clinic_filing")
    other, _ = sign_in("甲局", "李四")
    for page in ("", "step/applicant/", "check/", "drop/", "carry/", "cosign/partner/"):
        assert other.get(f"/forms/draft/{row.pk}/{page}").status_code == 404
    assert other.post(f"/forms/draft/{row.pk}/save/applicant/", {}).status_code == 404
    assert row.begun_at - row.saved_at == timedelta()


def test_pages_keep_their_query_budgets(wang, filled, partner, asked):
    """Budgets are committed. A page that needs more has to say why; one that needs far fewer lowers its figure."""
    client, actor = wang
    partner_client, _ = partner
    releases.seed("rule", "clinic_route", RULE, "clinic_route.json")
    alone = actions.begin(actor, key="clinic_filing", subject=str(CASE))
    alone = actions.save(actor, draft_id=alone.pk, version=alone.version, answers=GOOD)
    sent = actions.send_answers(
        actor, key="clinic_filing", subject="", answers=GOOD | {"papers": _paper(actor)}, declared=True
    )
    pages = {
        "home": (client, "/forms/"),
        "start": (client, "/forms/start/clinic_filing/"),
        "step": (client, f"/forms/draft/{filled.pk}/step/people/"),
        "check": (client, f"/forms/draft/{filled.pk}/check/"),
        "sign": (partner_client, f"/forms/sign/{asked.pk}/"),
        "sent": (client, f"/forms/sent/{sent.pk}/"),
        "definition": (client, "/forms/kinds/clinic_filing/"),
        "rule": (client, "/rules/clinic_route/?ask=1&in-kind=clinic&in-xray=no&in-On=2022-06-01"),
    }
    found = {}
    for name, (browser, address) in pages.items():
        browser.get(address)
        with CaptureQueriesContext(connection) as caught:
            assert browser.get(address).status_code == 200
        found[name] = len(caught)
    with CaptureQueriesContext(connection) as caught:
        client.post(
            f"/forms/draft/{filled.pk}/save/people/",
            {"version": filled.version, "has": ["remark"], "remark": "周末不营业"},
        )
    found["autosave"] = len(caught)
    budgets = json.loads(BUDGETS.read_text())
    assert found.keys() == budgets.keys()
    assert {name: n for name, n in found.items() if not budgets[name] - 5 <= n <= budgets[name]} == {}, found


def _paper(actor) -> list[int]:
    return [attachments.stage(actor, upload=SimpleUploadedFile("房屋.pdf", PDF)).pk]


def test_a_form_is_sent_at_once_with_typed_values(wang):
    _, actor = wang
    typed = GOOD | {"opens": date(2022, 12, 1), "capital": Decimal("50000"), "papers": _paper(actor)}
    sent = actions.send_answers(actor, key="clinic_filing", subject="", answers=typed, declared=True)
    assert sent.content["answers"]["capital"] == "50000.00" and attachments.of(sent.ref)
    with pytest.raises(Invalid) as caught:
        actions.send_answers(
            actor,
            key="clinic_filing",
            subject="",
            answers={
                "name": "甲",
                "capital": "五万",
                "staff": [{"staff_kind": "cook", "wage": 1}],
                "colour": "red",
            },
        )
    wrong = caught.value.fields
    assert {"name", "capital", "staff-0-wage", "staff-0-staff_kind", "colour", "declared", "phone"} <= set(
        wrong
    )
