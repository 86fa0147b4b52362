"""A matter that was destroyed by rule: nothing of it can be read or found, its pages answer, its leaves prove it."""

import json

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from tests.site.test_sealed_texts import readable

from liangzhu.beams.work.files import api as files
from liangzhu.beams.work.forms import actions as filling
from liangzhu.beams.work.forms import cosigning, specs
from liangzhu.beams.work.forms.models import CoSignature, Draft, Snapshot
from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters import queries
from liangzhu.beams.work.matters.models import Matter, Notice
from liangzhu.kernel import releases, sealing
from liangzhu.kernel.actions import action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.log import holds
from liangzhu.kernel.models import LogDetail, LogLeaf
from liangzhu.kernel.policies import public
from liangzhu.kernel.worker import drain

from .conftest import SIMPLE


@action("test.forget")
def forget(act, *, matter_id: int):
    act.check(public)
    row = act.lock(Matter, pk=matter_id)
    sealing.forget(act, row, rule="档案到期销毁清册第 3 号")
    return row


@pytest.fixture
def gone(simple, sign_in, advance, django_capture_on_commit_callbacks):
    """A matter with everything in it, after it was forgotten, and who had it."""
    browser, li = sign_in("甲局", "李四")
    upload = SimpleUploadedFile("王五的申请.txt", "王五的申请".encode())
    file = files.stage(li, upload=upload)
    matter = simple(li, "王五噪声投诉", place="王五家", note="王五来电", files=[file.pk])
    advance(li, matter, "accept")
    advance(li, matter, "note_progress", progress="已上门见到王五")
    advance(li, matter, "hold", reason="王五外出")
    matters.comment(li, matter_id=matter.pk, text="王五要求回电")
    matters.notify([li.post_id], key="k", title="王五的事", text="请回电王五", matter=matter)
    drain()
    assert [row.pk for row in queries.search(li, "王五").matters] == [matter.pk]
    with django_capture_on_commit_callbacks(execute=True):
        forget(SYSTEM, matter_id=matter.pk)
    return li, Matter.objects.get(pk=matter.pk), file, browser


def test_nothing_of_it_is_read_or_found(gone):
    li, matter, file, _ = gone
    assert (matter.title, matter.place) == ("已依规删除", "已依规删除")
    assert queries.search(li, "王五").matters == []
    assert [row.pk for row in queries.search(li, matter.number).matters] == [matter.pk]
    lines = queries.history(li, matter)
    assert {line.entry.note for line in lines} <= {"", "已依规删除"}
    assert all(line.fields == () for line in lines)
    assert {row.text for row in queries.comments(li, matter)} == {"已依规删除"}
    assert {row.title for row in Notice.objects.filter(matter=matter)} == {"已依规删除"}
    assert not default_storage.exists(file.path)
    with pytest.raises(NotThere, match="已依规删除"):
        files.content(files.of(matter.ref)[0])


def test_its_pages_answer(gone):
    _, matter, _, browser = gone
    pages = [reverse(f"matters:{name}") for name in ("inbox", "notices")]
    for address in (reverse("matters:matter", args=[matter.pk]), *pages):
        response = browser.get(address)
        assert response.status_code == 200, address
        assert "王五" not in response.content.decode()


def test_the_leaves_stay_and_one_proves_it(gone):
    _, matter, _, _ = gone
    leaves = LogLeaf.objects.filter(subject=str(matter.ref))
    assert leaves.count() > 3
    last = leaves.order_by("-id")[0]
    assert "档案到期销毁清册第 3 号" in last.detail.body
    assert "王五" not in last.detail.body
    assert holds(last) is True
    assert holds(leaves.order_by("id")[0]) is None


# Forms ----------------------------------------------------------------------------------------------------

NAME, NUMBER = "公冶长青", "110105194912310021"
ASKED = [
    {"name": "who", "type": "text", "label": "姓名", "required": True, "grade": 3},
    {"name": "number", "type": "person", "label": "公民身份号码", "required": True},
    {"name": "papers", "type": "files", "label": "材料"},
]
STEPS = [{"name": "one", "title": "申请人", "fields": ASKED}]
SENT = {"key": "sent_form", "title": "申请表", "steps": STEPS}
BEGUN = {
    "key": "begun_form",
    "title": "说明表",
    "steps": STEPS,
    "cosign": [{"name": "other", "title": "同事"}],
}


@pytest.fixture
def filled(transactional_db, district, seed_process, sign_in, run):
    """A matter with a form that was sent, a draft with a co-signature, and files of both; and who has them."""
    specs.forget()
    for form in (SENT, BEGUN):
        releases.seed("form", form["key"], json.dumps(form, ensure_ascii=False), "x.json")
    text = SIMPLE
    for step, form in (('name = "accept"\n', "sent_form"), ('name = "note_progress"\n', "begun_form")):
        text = text.replace(step, f'{step}form = "{form}"\n', 1)
    seed_process(text)
    browser, li = sign_in("甲局", "李四")
    mate_browser, mate = sign_in("甲局", "赵六")
    unit = district.units["甲局"]
    matter = run(
        li,
        lambda act: matters.open_matter(
            act, kind="simple", title="申请", parties={"lead": unit, "office": unit}, holding_unit_id=unit
        ),
    )

    def fill(form: str):
        draft = filling.begin(li, key=form, subject=str(matter.ref))
        file = files.stage(li, upload=SimpleUploadedFile(f"{NAME}.txt", f"{NAME}{NUMBER}{form}".encode()))
        return filling.save(
            li,
            draft_id=draft.pk,
            version=1,
            answers={"who": NAME, "number": NUMBER},
            files={"papers": [file.pk]},
        )

    draft = fill("sent_form")
    matters.step(
        li,
        matter_id=matter.pk,
        transition="accept",
        data={"form_draft": draft.pk, "form_version": draft.version},
    )
    draft = fill("begun_form")
    asked = cosigning.ask_cosigner(
        li, draft_id=draft.pk, place="other", person_id=mate.person_id, person_name=NAME
    )
    page = mate_browser.get(reverse("forms:sign", args=[asked.pk])).content.decode()
    digest = page.partition('name="digest" value="')[2].partition('"')[0]
    cosigning.answer_cosign(mate, signature_id=asked.pk, digest=digest, sign=True)
    drain()
    specs.forget()
    yield matter, browser, li
    specs.forget()


def test_forms_are_forgotten_with_their_matter(filled):
    matter, browser, li = filled
    snapshot, draft, signature = Snapshot.objects.get(), Draft.objects.get(), CoSignature.objects.get()
    sent, begun = (reverse("forms:sent", args=[snapshot.pk]), reverse("forms:check", args=[draft.pk]))
    assert NAME in browser.get(sent).content.decode() and NAME in browser.get(begun).content.decode()
    assert NAME in snapshot.body and NAME in draft.body and NAME in signature.signed
    assert readable(NAME, NUMBER) == []
    paths = [row.path for row in files.of(matter.ref) + files.of(draft.ref)]
    assert len(paths) == 2 and all(default_storage.exists(path) for path in paths)
    forget(SYSTEM, matter_id=matter.pk)
    rows = (Snapshot.objects.get(), Draft.objects.get())
    assert [bytes(row.sealed_key) for row in rows] == [b"", b""]
    signature = CoSignature.objects.select_related("draft").get()
    assert {*(row.body for row in rows), signature.signed, signature.person_name} == {"已依规删除"}
    assert not any(default_storage.exists(path) for path in paths)
    assert readable(NAME, NUMBER) == []
    # What the log keeps of them is that they were, and that they were destroyed.
    for ref in (snapshot.ref, draft.ref, signature.ref):
        leaves = LogLeaf.objects.filter(subject=str(ref))
        kept = LogDetail.objects.filter(leaf__in=leaves)
        assert leaves.count() >= 1 and all("forgotten" in one.body for one in kept), ref
    for address in (sent, begun, reverse("forms:resume", args=[draft.pk])):
        answer = browser.get(address)
        assert answer.status_code == 404 and "已依规删除" in answer.content.decode(), address
    assert browser.get(reverse("forms:home")).status_code == 200
    assert browser.get(reverse("matters:matter", args=[matter.pk])).status_code == 200
    filling.drop(li, draft_id=draft.pk)
    assert not Draft.objects.exists()
