"""Files: told by their content, refused by name, stored once, seen only by whom the subject admits."""

import importlib
import io
import struct
import zipfile

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse

from liangzhu.beams.work.files import actions, kinds, queries, storing
from liangzhu.beams.work.files import api as files
from liangzhu.beams.work.files.models import Attachment
from liangzhu.beams.work.files.names import clean_name
from liangzhu.kernel import sealing
from liangzhu.kernel.actions import action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import BadFile, Denied, Invalid, NotThere, TooLarge
from liangzhu.kernel.log import sm3
from liangzhu.kernel.now import at, now
from liangzhu.kernel.policies import public
from liangzhu.kernel.refs import Ref

migration = importlib.import_module("liangzhu.beams.work.files.migrations.0003_contents")

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20 + b"IEND\xaeB`\x82"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
JPG = b"\xff\xd8\xff\xe0" + b"x" * 40 + b"\xff\xd9"


def packed(**parts: bytes | str) -> bytes:
    """A zip archive; ``__`` in a name stands for a slash, ``_`` before the extension for a dot."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return out.getvalue()


DOCX = packed(**{"[Content_Types].xml": "<Types/>", "word/document.xml": "<document/>"})
XLSX = packed(**{"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>"})
OFD = packed(**{"OFD.xml": "<OFD/>", "Doc_0/Document.xml": "<Document/>"})
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512


def ole(*streams: str) -> bytes:
    return OLE + b"".join(f"{name}\0".encode("utf-16-le").ljust(64, b"\0") for name in streams)


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("方案.pdf", PDF, "pdf"),
        ("公文.ofd", OFD, "ofd"),
        ("说明.docx", DOCX, "docx"),
        ("台账.xlsx", XLSX, "xlsx"),
        ("旧稿.doc", ole("WordDocument"), "doc"),
        ("金山.wps", ole("WordDocument"), "doc"),
        ("旧表.xls", ole("Workbook"), "xls"),
        ("照片.PNG", PNG, "png"),
        ("照片.jpeg", JPG, "jpg"),
        ("视频.mp4", b"\0\0\0\x18ftypmp42" + b"\0" * 32, "mp4"),
        ("名单.csv", "姓名,单位\n".encode("gb18030"), "csv"),
        ("记录.txt", "内容".encode(), "txt"),
        ("没有扩展名", PDF, "pdf"),
    ],
)
def test_a_kind_is_told_by_the_content(name, body, kind):
    assert kinds.identify(clean_name(name), body).key == kind


BOMB = packed(**{"[Content_Types].xml": "<Types/>", "word/document.xml": b"\0" * (14 * 1024 * 1024)})
MACRO = packed(**{"[Content_Types].xml": "<Types/>", "word/document.xml": "x", "word/vbaProject.bin": "x"})
MACRO_TYPE = packed(**{"[Content_Types].xml": "<x ct='application/vnd.ms-word.document.macroEnabled.main+xml'/>", "word/document.xml": "x"})  # fmt: skip


@pytest.mark.parametrize(
    ("name", "body", "word"),
    [
        ("空.txt", b"", "空文件"),
        ("程序.exe", b"MZ", "可执行"),
        ("伪装.pdf", b"MZ\x90\0", "可执行"),
        ("脚本.txt", b"#!/bin/sh\nrm", "可执行"),
        ("图.svg", b"<svg/>", "SVG"),
        ("网页.txt", b"  <HTML><script>", "网页"),
        ("图.txt", b"<svg onload=alert(1)>", "SVG"),
        ("带宏.docm", b"PK", "带宏"),
        ("带宏.docx", MACRO, "有宏"),
        ("带宏二.docx", MACRO_TYPE, "有宏"),
        ("带宏.doc", ole("WordDocument", "_VBA_PROJECT"), "有宏"),
        ("炸弹.docx", BOMB, "压缩炸弹"),
        ("打包.zip", packed(a="b"), "压缩包"),
        ("打包.docx", packed(a="b"), "压缩包"),
        ("破损.docx", DOCX[:-30], "已损坏"),
        ("半个.pdf", PDF[:-8], "不完整"),
        ("半张.png", PNG[:20], "不完整"),
        ("改名.pdf", PNG, "与扩展名 .pdf 不符"),
        ("改名.png", DOCX, "与扩展名 .png 不符"),
        ("不明.dat", b"\0\1\2\3", "无法识别"),
        ("安装.doc", OLE, "不是可识别的办公文档"),
    ],
)
def test_what_may_harm_or_deceive_is_refused_by_name(name, body, word):
    with pytest.raises(BadFile, match=word) as refused:
        kinds.identify(name, body)
    assert name in refused.value.detail and refused.value.todo


def test_an_archive_with_a_password_is_refused():
    body = bytearray(DOCX)
    # The flag of the first entry in the local header and in the directory.
    body[6] |= 1
    start = body.find(b"PK\x01\x02")
    struct.pack_into("<H", body, start + 8, 1)
    with pytest.raises(BadFile, match="密码"):
        kinds.identify("密.docx", bytes(body))


def test_only_the_kinds_asked_for_are_taken():
    with pytest.raises(BadFile, match="只接收：PDF 文档"):
        kinds.identify("照片.png", PNG, ["pdf"])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/报告.PDF", "报告.pdf"),
        ("C:\\Users\\a\\报告.pdf", "报告.pdf"),
        ("报\x00告\n.pdf", "报 告.pdf".replace(" ", "")),
        ("\u202egpj.exe", "gpj.exe"),
        ("a\u200bb\ufeff.txt", "ab.txt"),
        ('a<b>:"c|d?*.txt', "a_b___c_d__.txt"),
        ("CON.txt", "_CON.txt"),
        ("  .  ", "未命名"),
        ("", "未命名"),
        ("长" * 300 + ".docx", None),
    ],
)
def test_names_are_made_safe(given, kept):
    name = clean_name(given)
    assert kept is None or name == kept
    assert len(name) <= 100 and len(name.encode()) <= 240
    if kept is None:
        assert name.endswith(".docx")


@pytest.fixture
def li(district):
    return district.officer("甲局", "李四")


def test_content_is_stored_once_under_its_fingerprint(li, upload):
    first = files.stage(li, upload=upload("一.txt", "同样的内容"))
    second = files.stage(li, upload=upload("二.txt", "同样的内容"))
    assert first.fingerprint == second.fingerprint == sm3("同样的内容".encode())
    assert first.path == second.path and first.pk != second.pk
    assert files.content(second).decode() == files.content(first).decode() == "同样的内容"


@action("test.forget_file")
def forget_file(act, *, file_id: int) -> None:
    act.check(public)
    sealing.forget(act, act.lock(Attachment, pk=file_id), rule="到期")


def test_content_is_sealed_and_no_copy_of_it_opens_once_every_giving_is_forgotten(
    li, upload, django_capture_on_commit_callbacks
):
    text = "上官望舒的申请，320706198203040512"
    first, second = (files.stage(li, upload=upload(f"{one}.txt", text)) for one in "一二")
    with default_storage.open(first.path) as file:
        copy = file.read()
    assert copy.startswith(storing.SEALED) and text.encode() not in copy
    assert len(copy) == len(text.encode()) + storing.OVERHEAD
    held = [bytes(one.data) for one in Attachment.objects.values_list("content_key", flat=True)]
    assert len(set(held)) == 2 and first.content_key == second.content_key
    with django_capture_on_commit_callbacks(execute=True):
        forget_file(SYSTEM, file_id=first.pk)
    assert files.content(Attachment.objects.get(pk=second.pk)).decode() == text
    with pytest.raises(NotThere):
        files.content(Attachment.objects.get(pk=first.pk))
    with django_capture_on_commit_callbacks(execute=True):
        forget_file(SYSTEM, file_id=second.pk)
    assert not default_storage.exists(first.path)
    # The same given again is sealed anew: what somebody kept of the old file stays closed to everybody.
    third = files.stage(li, upload=upload("三.txt", text))
    assert third.path != first.path and third.content_key != held[0]
    default_storage.delete(third.path)
    default_storage.save(third.path, ContentFile(copy))
    with pytest.raises(BadFile, match="指纹"):
        files.content(third)


def _plain(name: str, body: str, **given) -> Attachment:
    """A file as it lay before contents were sealed."""
    path = f"{sm3(body.encode())[:2]}/{sm3(body.encode())[2:4]}/{sm3(body.encode())}"
    if not default_storage.exists(path):
        default_storage.save(path, ContentFile(body.encode()))
    return Attachment.objects.create(
        fingerprint=sm3(body.encode()),
        size=len(body.encode()),
        media_type="text/plain",
        name=name,
        path=path,
        uploaded_by="person:1",
        uploaded_at=now(),
        **given,
    )


@pytest.mark.parametrize("stopped", ["", "before the commit", "after the commit"])
def test_contents_that_lay_plain_are_sealed_by_the_upgrade_wherever_it_was_stopped(db, monkeypatch, stopped):
    shared = [_plain(f"{one}.txt", "上官望舒，13961300078") for one in "一二"]
    alone = _plain("三.txt", "另一份")
    lost = _plain("四.txt", "丢了的")
    default_storage.delete(lost.path)
    if stopped:
        broken = "path" if stopped == "before the commit" else "delete"
        with monkeypatch.context() as patch:

            def stop(*args, **kwargs):
                raise KeyboardInterrupt

            if broken == "path":
                patch.setattr(migration.transaction, "atomic", stop)
            else:
                patch.setattr(migration.default_storage, "delete", stop)
            with pytest.raises(KeyboardInterrupt):
                migration.seal_contents(apps, None)
    migration.seal_contents(apps, None)
    migration.seal_contents(apps, None)
    first, second = (Attachment.objects.get(pk=one.pk) for one in shared)
    assert first.path == second.path != shared[0].path
    assert files.content(first) == files.content(second) == "上官望舒，13961300078".encode()
    assert files.content(Attachment.objects.get(pk=alone.pk)).decode() == "另一份"
    for before in (shared[0], alone):
        assert not default_storage.exists(before.path)
    with pytest.raises(BadFile):
        files.content(Attachment.objects.get(pk=lost.pk))


def test_what_was_cut_off_on_the_disk_is_written_again(li, upload):
    first = files.stage(li, upload=upload("一.txt", "内容内容"))
    with default_storage.open(first.path, "wb") as file:
        file.write(b"x")
    assert files.content(files.stage(li, upload=upload("二.txt", "内容内容"))).decode() == "内容内容"


def test_altered_content_is_not_given_out(li, upload):
    row = files.stage(li, upload=upload("一.txt", "原来的内容"))
    with default_storage.open(row.path) as file:
        whole = file.read()
    for altered in ("改过的内容".encode(), whole[:-1], whole[:40] + bytes([whole[40] ^ 1]) + whole[41:]):
        with default_storage.open(row.path, "wb") as file:
            file.write(altered)
        with pytest.raises(BadFile, match="指纹"):
            files.content(row)


def test_a_file_beyond_the_limit_is_refused_with_both_sizes(li, upload, settings):
    settings.LIANGZHU_MAX_UPLOAD = 1024 * 1024
    with pytest.raises(TooLarge, match=r"1\.5 MB.*1\.0 MB"):
        files.stage(li, upload=upload("大.txt", "x" * 1536 * 1024))


def test_a_file_is_attached_once_and_only_by_who_uploaded_it(district, li, upload, run):
    row = files.stage(li, upload=upload("一.txt", "内容"))
    other = district.officer("甲局", "王五")
    with pytest.raises(Invalid):
        run(other, lambda act: files.attach(act, [row.pk], Ref("matter", "1")))
    run(li, lambda act: files.attach(act, [row.pk], Ref("matter", "1")))
    with pytest.raises(Invalid):
        run(li, lambda act: files.attach(act, [row.pk], Ref("matter", "2")))
    assert [one.name for one in files.of(Ref("matter", "1"))] == ["一.txt"]


def test_unattached_files_are_seen_by_who_uploaded_them_and_no_other_subject_without_a_guard(
    district, li, upload, run
):
    row = files.stage(li, upload=upload("一.txt", "内容"))
    assert queries.attachment(li, row.pk) == row
    other = district.officer("甲局", "王五")
    with pytest.raises(NotThere):
        queries.attachment(other, row.pk)
    run(li, lambda act: files.attach(act, [row.pk], Ref("nobody_guards_this", "1")))
    with pytest.raises(NotThere):
        queries.attachment(li, row.pk)


def test_files_of_a_matter_go_to_those_who_see_it(district, simple, li, upload, run):
    matter = simple(li)
    row = files.stage(li, upload=upload("一.txt", "内容"))
    run(li, lambda act: files.attach(act, [row.pk], matter.ref))
    assert queries.attachment(district.officer("督办室", "周五"), row.pk) == row
    with pytest.raises(NotThere):
        queries.attachment(district.officer("乙局", "外人"), row.pk)


def test_what_nobody_attached_is_removed_after_a_week_with_content_that_nothing_else_names(
    li, upload, run, django_capture_on_commit_callbacks
):
    kept = files.stage(li, upload=upload("留.txt", "共同"))
    run(li, lambda act: files.attach(act, [kept.pk], Ref("matter", "1")))
    shared = files.stage(li, upload=upload("同.txt", "共同"))
    alone = files.stage(li, upload=upload("独.txt", "单独"))
    with at("2022-10-26 09:00"):
        assert actions.sweep(SYSTEM) == 0
    with at("2022-10-28 09:00"), django_capture_on_commit_callbacks(execute=True):
        assert actions.sweep(SYSTEM) == 2
    assert set(Attachment.objects.values_list("pk", flat=True)) == {kept.pk}
    assert default_storage.exists(shared.path) and not default_storage.exists(alone.path)
    with pytest.raises(Denied):
        actions.sweep(li)


# Over HTTP ------------------------------------------------------------------------------------------------


def test_a_download_is_an_attachment_with_its_type_and_name(district, simple, sign_in, upload, run):
    client, li = sign_in("甲局", "李四")
    row = files.stage(li, upload=upload("附件 一.txt", "内容"))
    answer = client.get(reverse("files:download", args=[row.pk]))
    assert answer.status_code == 200 and answer.content.decode() == "内容"
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Content-Disposition"] == (
        "attachment; filename*=utf-8''%E9%99%84%E4%BB%B6%20%E4%B8%80.txt"
    )
    assert answer["X-Content-Type-Options"] == "nosniff" and "no-store" in answer["Cache-Control"]


def test_a_file_out_of_sight_is_not_found_and_a_stranger_signs_in_first(district, sign_in, upload, client):
    owner, li = sign_in("甲局", "李四")
    row = files.stage(li, upload=upload("一.txt", "内容"))
    other, _ = sign_in("甲局", "王五")
    assert other.get(reverse("files:download", args=[row.pk])).status_code == 404
    assert client.get(reverse("files:download", args=[row.pk])).status_code == 302


def test_files_uploaded_with_a_wrong_form_are_kept_for_the_next_sending(
    district, simple, sign_in, upload, advance
):
    client, li = sign_in("甲局", "李四")
    matter = advance(li, simple(li), "accept")
    url = reverse("matters:step", args=[matter.pk, "note_progress"])
    first = client.post(url, {"version": 2, "progress": "", "files": upload("进展.txt", "内容")})
    row = Attachment.objects.get()
    assert first.status_code == 422 and f'value="{row.pk}" checked' in first.content.decode()
    assert row.short in first.content.decode()
    second = client.post(url, {"version": 2, "progress": "已开工", "files_kept": [row.pk]})
    assert second.status_code == 302
    assert [one.name for one in files.of(matter.ref)] == ["进展.txt"]


def test_one_bad_file_of_several_is_named_and_the_others_stay(district, simple, sign_in, upload, advance):
    client, li = sign_in("甲局", "李四")
    matter = advance(li, simple(li), "accept")
    url = reverse("matters:step", args=[matter.pk, "note_progress"])
    answer = client.post(
        url, {"version": 2, "progress": "好", "files": [upload("好.txt", "内容"), upload("坏.exe", b"MZ")]}
    )
    page = answer.content.decode()
    assert answer.status_code == 422 and "坏.exe" in page and Attachment.objects.get().name == "好.txt"


def test_ids_of_other_peoples_files_are_ignored_in_a_form(district, simple, sign_in, upload, advance):
    client, li = sign_in("甲局", "李四")
    foreign = files.stage(district.officer("乙局", "赵六"), upload=upload("他人.txt", "内容"))
    matter = advance(li, simple(li), "accept")
    url = reverse("matters:step", args=[matter.pk, "note_progress"])
    client.post(url, {"version": 2, "progress": "好", "files_kept": [foreign.pk, "x"]})
    foreign.refresh_from_db()
    assert foreign.subject == "" and files.of(matter.ref) == []
