"""Editing a process in the browser: checked with line numbers, told in words, in force only by a second person."""

import re
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from liangzhu.beams.work.matters import actions, bpmn, editing, process
from liangzhu.kernel import releases
from liangzhu.kernel.errors import Conflict, Denied, Invalid
from liangzhu.kernel.models import Release

from .conftest import SIMPLE

SLOWER = SIMPLE.replace(
    'title = "办理时限"\nunit = "workday"\namount = 10', 'title = "办理时限"\nunit = "workday"\namount = 12'
)
BROKEN = SIMPLE.replace('to = "working"', 'to = "nowhere"', 1)


@pytest.fixture(autouse=True)
def demonstration(settings):
    """In a demonstration administrators work without a second factor."""
    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)


@pytest.fixture
def admin(sign_in, simple):
    """A browser and the actor of an administrator; `simple` has seeded the process."""
    return sign_in("督办室", "管理员", "access.admin")


def edit(client, **fields):
    return client.post(reverse("matters:edit_process", args=["simple"]), fields)


def test_the_page_begins_with_the_text_in_force_and_nothing_to_tell(admin):
    client, _ = admin
    page = client.get(reverse("matters:edit_process", args=["simple"])).content.decode()
    assert "通过检查" in page and "没有实质差别" in page and "ask_help" in page


def test_checking_names_each_fault_with_its_line_and_keeps_the_text(admin):
    client, _ = admin
    answer = edit(client, text=BROKEN, check="1")
    line = next(n for n, text in enumerate(BROKEN.splitlines(), 1) if '"nowhere"' in text)
    page = answer.content.decode()
    assert answer.status_code == 200 and f"第 {line} 行" in page and "nowhere" in page
    assert not Release.objects.filter(key="simple", state=Release.DRAFT).exists()


def test_a_draft_waits_for_another_person_who_reads_what_changes(admin, sign_in):
    client, _ = admin
    page = edit(client, text=SLOWER, check="1").content.decode()
    assert "时限“办理时限”的长短由“10”改为“12”" in page
    assert edit(client, text=SLOWER, draft="1").status_code == 302
    draft = Release.objects.get(key="simple", state=Release.DRAFT)
    address = reverse("matters:release", args=["simple", draft.number])
    assert client.post(address, {}).status_code == 403
    second, _ = sign_in("甲局", "另一人", "access.admin")
    assert "时限“办理时限”的长短由“10”改为“12”" in second.get(address).content.decode()
    assert second.post(address, {}).status_code == 302
    assert process.in_force("simple")[1].clocks["term"].amount == 12


def test_a_faulty_text_is_not_drafted_and_not_lost(admin):
    client, _ = admin
    answer = edit(client, text=BROKEN, draft="1")
    assert answer.status_code == 422 and "nowhere" in answer.content.decode()
    assert not Release.objects.filter(key="simple", state=Release.DRAFT).exists()


def test_an_own_draft_is_replaced_another_person_s_is_not(admin, sign_in):
    _, first = admin
    _, second = sign_in("甲局", "另一人", "access.admin")
    one = actions.draft_process(first, key="simple", text=SLOWER)
    two = actions.draft_process(first, key="simple", text=SLOWER.replace("12", "13"))
    one.refresh_from_db()
    assert (one.state, two.state) == (Release.WITHDRAWN, Release.DRAFT)
    with pytest.raises(Conflict):
        actions.draft_process(second, key="simple", text=SLOWER.replace("12", "14"))
    with pytest.raises(Denied):
        releases.withdraw(second, release_id=two.pk)


@pytest.mark.parametrize(
    ("text", "word"),
    [(SIMPLE, "没有要审核的改动"), (SLOWER.replace('key = "simple"', 'key = "other"', 1), "不能改")],
)
def test_what_is_no_change_or_another_process_is_refused(admin, text, word):
    _, actor = admin
    with pytest.raises(Invalid, match=word):
        actions.draft_process(actor, key="simple", text=text)


@pytest.mark.parametrize("suffix", ["bpmn", "toml"])
def test_a_file_is_taken_into_the_text_for_checking(admin, suffix):
    client, _ = admin
    data = bpmn.export(SLOWER) if suffix == "bpmn" else SLOWER.encode()
    answer = edit(client, text=SIMPLE, load="1", file=SimpleUploadedFile(f"x.{suffix}", data))
    assert "由“10”改为“12”" in answer.content.decode()
    assert not Release.objects.filter(key="simple", state=Release.DRAFT).exists()


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [("x.bpmn", b"<x/>", "definitions"), ("x.toml", b"\xff", "UTF-8"), (None, b"", "请选择要读入的文件")],
)
def test_a_file_that_cannot_be_read_is_named_and_the_text_stays(admin, name, data, word):
    client, _ = admin
    files = {"file": SimpleUploadedFile(name, data)} if name else {}
    answer = edit(client, text=SLOWER, load="1", **files)
    page = answer.content.decode()
    assert answer.status_code in (415, 422) and word in page and "amount = 12" in page


def test_releases_are_had_as_text_bpmn_and_picture(admin, sign_in):
    officer, _ = sign_in("甲局", "李四")
    for form, begin in (("toml", b"key"), ("bpmn", b"<?xml"), ("svg", b"<svg")):
        answer = officer.get(reverse(f"matters:process_{form}", args=["simple", 1]))
        assert answer.status_code == 200 and answer.content.lstrip().startswith(begin)
        assert f"simple-1.{form}" in answer["Content-Disposition"]
        assert officer.get(reverse(f"matters:process_{form}", args=["simple", 99])).status_code == 404


def test_beside_a_matter_stands_the_picture_with_its_state(admin, sign_in, simple):
    officer, li = sign_in("甲局", "李四")
    matter = simple(li)
    page = officer.get(reverse("matters:matter", args=[matter.pk])).content.decode()
    address = reverse("matters:process_svg", args=["simple", 1]) + "?state=received"
    assert f'src="{address}"' in page and "现在在“待受理”" in page
    here, elsewhere = (officer.get(f"{address[:-8]}{state}") for state in ("received", "working"))
    assert "Content-Disposition" not in here and here.content != elsewhere.content


def test_only_administrators_edit(sign_in, simple):
    officer, _ = sign_in("甲局", "李四")
    assert officer.get(reverse("matters:edit_process", args=["simple"])).status_code == 403


def test_every_kind_of_change_is_told():
    old = process.parse(SIMPLE)
    text = (
        SIMPLE.replace('title = "待核查"', 'title = "待复核"')
        .replace('roles = ["matters.officer"] }, { role = "access.admin" }', 'roles = ["matters.head"] }')
        .replace("[clocks.law]", "[clocks.statute]")
        .replace('"law"', '"statute"')
        .replace('not_same_person_as = ["report"]\n', "")
        .replace("due = { workdays = 5 }", "due = { workdays = 3 }")
    )
    said = "\n".join(editing.changes(old, process.parse(text)))
    for words in (
        "状态“待复核”的名称由“待核查”改为“待复核”",
        "步骤“核查办结”的谁可以办有改动",
        "步骤“核查办结”的两人规则有改动",
        "增加时限“法定时限”",
        "取消时限“法定时限”",
        "并行办理“配合意见”的期限有改动",
    ):
        assert words in said, words
    assert editing.changes(old, old) == []


def test_the_script_finds_the_line_of_a_fault_in_the_page(admin):
    client, _ = admin
    page = edit(client, text=BROKEN, check="1").content.decode()
    found = [int(one) for one in re.findall(r'data-line="(\d+)"', page)]
    assert found and all("nowhere" in BROKEN.splitlines()[line - 1] for line in found[:1])
