"""A matter that was destroyed by rule: nothing of it can be read or found, its pages answer, its leaves prove it."""

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from liangzhu.beams.work.files import api as files
from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters import queries
from liangzhu.beams.work.matters.models import Matter, Notice
from liangzhu.kernel import sealing
from liangzhu.kernel.actions import action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.log import holds
from liangzhu.kernel.models import LogLeaf
from liangzhu.kernel.policies import public
from liangzhu.kernel.worker import drain


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
