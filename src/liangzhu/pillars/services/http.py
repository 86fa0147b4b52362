"""The API of service items, read only: search, list, one item in the national shape."""

from datetime import date
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from liangzhu.kernel.http import Id, Paging, Router, Schema, Text, paged
from liangzhu.pillars.services import finding, national, sheets
from liangzhu.pillars.services.models import ItemVersion
from liangzhu.pillars.services.queries import items

router = Router("services", "政务服务事项")
Key = Annotated[Text, Field(max_length=40, description="事项的键", examples=["zhensuo_beian"])]


class ItemOut(Schema):
    """An item in force (事项)."""

    key: str = Field(examples=["zhensuo_beian"])
    version_id: Id = Field(description="版本标识；钉住它，内容不会再变")
    version: int = Field(description="第几版")
    in_force_from: date | None = Field(description="生效日期")
    title: str = Field(examples=["诊所备案"])
    kind: str = Field(description="事项类型代码", examples=["10"])
    kind_title: str = Field(examples=["其他行政权力"])
    unit_id: Id
    unit_title: str
    code: str = Field(description="实施编码，没有时为基本编码或地方编码")
    promised: str = Field(description="承诺办结时限", examples=["5 个工作日"])
    legal: str = Field(description="法定办结时限")
    visits: int | None = Field(description="到办事现场次数")
    unconfirmed: bool = Field(description="有待确认的内容")


class MaterialOut(Schema):
    """A material and whether it is to be brought (申请材料)."""

    key: str
    title: str
    needed: bool = Field(description="要申请人提供")
    why: str = Field(description="不用提供的原因，或说明")
    source: str = Field(description="政府哪个部门持有")


class DetailOut(ItemOut):
    """An item with everything that it says (实施清单)."""

    materials: list[MaterialOut]
    tables: dict[str, list[dict[str, str]]] = Field(description="国家表结构（C0109、C0117）的各表")


class FoundOut(Schema):
    """An item that a search found."""

    key: str
    title: str
    version_id: Id
    score: float = Field(description="0 到 1，越大越像")
    phrase: str = Field(description="最像的说法")


class ItemFilter(Schema):
    """Which items."""

    topic: Annotated[Text, Field(max_length=60)] = Field("", description="主题")
    unit: Annotated[Text, Field(max_length=60)] = Field("", description="实施主体的键")
    kind: Annotated[Text, Field(max_length=2)] = Field("", description="事项类型代码")
    served: Annotated[Text, Field(max_length=20)] = Field("", description="服务对象，例如 person")


class Asking(Schema):
    """What is looked for."""

    q: Annotated[Text, Field(min_length=1, max_length=100, description="日常的话或编码", examples=["开诊所"])]
    limit: Annotated[int, Field(ge=1, le=20, description="最多几个")] = 10


def _out(row: ItemVersion) -> dict:
    return {
        "key": row.item.key,
        "version_id": row.pk,
        "version": row.number,
        "in_force_from": row.in_force_from,
        "title": row.name,
        "kind": row.task_type,
        "kind_title": row.get_task_type_display(),
        "unit_id": row.item.unit_id,
        "unit_title": items.unit_name(row),
        "code": row.task_code or row.catalog_code or row.local_code,
        "promised": sheets.term(row.promised_amount, row.promised_unit),
        "legal": sheets.term(row.legal_amount, row.legal_unit),
        "visits": row.visits,
        "unconfirmed": bool(row.unconfirmed),
    }


@router.read("/items", policy="services.read_items", answer=list[ItemOut], summary="政务服务事项列表")
def item_list(
    request: HttpRequest, response: HttpResponse, given: Query[ItemFilter], paging: Query[Paging]
) -> list[ItemOut]:
    """在用的事项。"""
    rows = items.on_shelf(**given.model_dump())
    return [ItemOut(**_out(row)) for row in paged(request, response, rows, ("name", "id"), paging.limit)]


@router.read("/items/search", policy="services.read_items", answer=list[FoundOut], summary="查找事项")
def item_search(request: HttpRequest, given: Query[Asking]) -> list[FoundOut]:
    """用日常的话查事项，最像的在前。"""
    return [
        FoundOut(key=one.key, title=one.name, version_id=one.version_id, score=one.score, phrase=one.phrase)
        for one in finding.find(given.q, limit=given.limit)
    ]


@router.read("/items/{key}", policy="services.read_items", answer=DetailOut, summary="一个政务服务事项")
def item_detail(request: HttpRequest, key: Key) -> DetailOut:
    """一个事项的全部内容；材料按今天是否要申请人提供。"""
    row = items.in_force(key)
    asked = items.materials_asked(row)
    return DetailOut(
        **_out(row),
        materials=[
            MaterialOut(
                key=one.row.key, title=one.row.name, needed=one.needed, why=one.why, source=one.source
            )
            for one in asked
        ],
        tables=national.tables([items.sheet(row)]),
    )
