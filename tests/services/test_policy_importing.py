"""Importing policy documents: each row is kept, collected as a draft or refused with its reason; nothing is published."""

import json
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Denied
from liangzhu.kernel.now import at
from liangzhu.pillars.services.actions.policy_importing import import_policies
from liangzhu.pillars.services.models import IncentiveVersion, PolicyDocument, SourceRecord

ROWS = """标题,文号,发文机关,发布日期,原文,关键词,咨询电话,办理地点
支持措施,某工信〔2022〕1号,区工信局,2022年10月18日,"申请企业应当符合下列条件：（一）从业人员20人以上；（二）经营良好。","稳岗,制造业",85800000,三楼
,某工信〔2022〕2号,区工信局,2022-10-18,,,,
没有日期的,某工信〔2022〕3号,区工信局,,,,,
将来的,某工信〔2022〕4号,区工信局,2030-01-01,,,,
"""


@pytest.fixture(autouse=True)
def _day(items_loaded):
    with at("2022-10-20 09:00"):
        matters.load_processes()
        yield


def take(actor=SYSTEM, data=ROWS.encode(), name="政策.csv", **more):
    unit = directory.units().by_key("gongxinju").id
    return import_policies(actor, title="政策库", data=data, name=name, unit_id=unit, **more)


def test_each_row_is_kept_and_becomes_a_draft_or_says_why_not():
    batch = take()
    assert (batch.taken, batch.unchanged, batch.refused) == (1, 0, 3)
    version = IncentiveVersion.objects.get()
    assert (version.state, version.tags, version.contact) == ("draft", "稳岗 制造业", "85800000")
    assert [one.fact for one in version.criteria.all()] == ["headcount", ""]
    records = list(SourceRecord.objects.order_by("place"))
    assert records[0].document.source == "政策库" and records[0].unmapped == "办理地点"
    assert json.loads(records[0].body)["办理地点"] == "三楼"
    assert [one.refused for one in records[1:3]] == ["没有标题", "没有公布日期，导入时也没有指明按哪天算"]
    assert "晚于今天" in records[3].refused
    again = take(published_on=date(2022, 10, 1))
    assert (again.taken, again.unchanged, again.refused) == (1, 1, 2)
    assert PolicyDocument.objects.count() == 2


def test_the_desk_imports_and_reads_the_report_and_nobody_else_does(put):
    editor = put("zheng", "gongxinju", "services.incentive_editor", "matters.officer")
    other = put("yuan", "gongxinju", "matters.officer")
    with pytest.raises(Denied):
        take(other.actor)
    answer = editor.client.post(
        reverse("services:policy_imports"),
        {"title": "政策库", "file": SimpleUploadedFile("政策.csv", ROWS.encode())},
        follow=True,
    )
    page = answer.content.decode()
    assert "没有标题" in page and "支持措施" in page and "办理地点（1 行）" in page


def test_a_real_corpus_is_taken_in_row_by_row(shared):
    data = (shared / "data" / "policy_kb_tianhe" / "documents_fulltext.json").read_bytes()
    with at("2026-09-01 09:00"):
        batch = take(data=data, name="documents.json")
    rows = json.loads(data)
    assert batch.taken + batch.unchanged + batch.refused == len(rows) == batch.records.count()
    assert batch.taken >= 30
    assert not IncentiveVersion.objects.exclude(state=IncentiveVersion.DRAFT).exists()
    print(batch.taken, batch.unchanged, batch.refused)
