"""Importing policy documents: every row of a file is kept, collected with a first draft for people, or refused with its reason."""

import json
import re
from datetime import date
from typing import Any

from django.db import transaction

from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.errors import Conflict, Problem
from liangzhu.kernel.log import sm3
from liangzhu.kernel.now import now
from liangzhu.pillars.services import national, policies
from liangzhu.pillars.services.actions import incentives
from liangzhu.pillars.services.models import Batch, PolicyDocument, SourceRecord

COLUMNS = {
    "title": ("标题", "文档标题", "文件标题", "文件名称", "政策名称", "title"),
    "number": ("文号", "发文字号", "doc_no", "number"),
    "issuer": ("发文机关", "发文单位", "发布机构", "责任部门", "source", "issuer"),
    "published_on": ("发布日期", "公布日期", "成文日期", "印发日期", "publish_date", "published_on"),
    "url": ("出处链接", "原文链接", "链接", "网址", "source_url", "url"),
    "text": ("原文", "正文", "全文", "原文关键条款", "通俗解答", "original_text", "text"),
    "tags": ("关键词", "标签", "tags", "keywords"),
    "contact": ("咨询电话", "咨询方式", "联系电话", "contact"),
}
"""What a column may be called; what follows in brackets is not looked at."""
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
TAGS = 200


class _Refused(Exception):
    """A row that is not collected; the text says why."""


@action("services.import_policies")
def import_policies(
    act: Act,
    *,
    title: str,
    data: bytes,
    name: str,
    unit_id: int,
    issuer: str = "",
    published_on: date | None = None,
) -> Batch:
    """Collect the documents of a file (json, csv, xlsx), each with a first draft; nothing is published.

    ``issuer`` and ``published_on`` stand for rows that do not say so themselves. A document that is there already, by number and
    title, changes nothing. Raises BadFile, TooLarge, Denied.
    """
    act.check(policies.import_policies, PolicyDocument(unit_id=unit_id))
    tables = national.read_tables(data, name)
    batch = Batch.objects.create(
        kind=Batch.POLICIES,
        title=title[:200],
        fingerprint=sm3(data),
        at=now(),
        by=str(act.actor.ref),
        by_label=act.actor.label,
    )
    records = []
    for place, line in enumerate((row for rows in tables.values() for row in rows), 2):
        record = SourceRecord(
            batch=batch, place=place, body=json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        )
        said, unmapped = _read(line)
        record.unmapped = " ".join(unmapped)
        try:
            with transaction.atomic():
                record.document = _take(act, batch, unit_id, said, issuer, published_on)
            batch.taken += 1
        except Conflict:
            record.document = PolicyDocument.objects.filter(
                number=said["number"].strip(), title=said["title"].strip()
            ).first()
            batch.unchanged += 1
        except (_Refused, Problem) as refusal:
            record.refused = (getattr(refusal, "detail", "") or str(refusal))[:300]
            batch.refused += 1
        records.append(record)
    SourceRecord.objects.bulk_create(records, batch_size=500)
    batch.save(update_fields=["taken", "unchanged", "refused"])
    act.log(
        batch.ref,
        fingerprint=batch.fingerprint,
        taken=batch.taken,
        unchanged=batch.unchanged,
        refused=batch.refused,
    )
    return batch


def _read(line: dict[str, Any]) -> tuple[dict[str, str], list[str]]:
    """What a row says, by our names, and the columns that nothing takes."""
    names = {re.split(r"[(（]", key)[0].strip(): key for key in line}
    said, used = {}, set()
    for ours, theirs in COLUMNS.items():
        key = next((names[one] for one in theirs if str(line.get(names.get(one, "")) or "").strip()), None)
        said[ours] = str(line[key]).strip() if key else ""
        used |= {names[one] for one in theirs if one in names} & {key}
    return said, [key for key, value in line.items() if key not in used and str(value or "").strip()]


def _take(
    act: Act, batch: Batch, unit_id: int, said: dict[str, str], issuer: str, published_on: date | None
) -> PolicyDocument:
    if not said["title"]:
        raise _Refused("没有标题")
    if said["published_on"]:
        found = _DATE.search(said["published_on"])
        try:
            published_on = date(*map(int, found.groups())) if found else None
        except ValueError:
            published_on = None
        if published_on is None:
            raise _Refused(f"公布日期“{said['published_on'][:40]}”无法识别")
    if published_on is None:
        raise _Refused("没有公布日期，导入时也没有指明按哪天算")
    row = incentives.collect_row(
        act,
        title=said["title"],
        number=said["number"],
        issuer=said["issuer"] or issuer or "（来源没有写发文单位）",
        published_on=published_on,
        unit_id=unit_id,
        url=said["url"],
        text=said["text"],
        source=batch.title[:120],
    )
    words = dict.fromkeys(filter(None, re.split(r"[\s,，;；、]+", said["tags"])))
    tags = ""
    for word in words:
        if len(f"{tags} {word}") <= TAGS:
            tags = f"{tags} {word}".strip()
    incentives.first_draft(act, row, tags=tags, contact=said["contact"][:200])
    return row
