"""The API of units and posts, read only."""

from datetime import date
from typing import Annotated

from django.http import HttpRequest
from ninja import Query
from pydantic import Field

from liangzhu.beams.people.directory import policies, staff, tree
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.http import Id, Router, Schema, Text

router = Router("units", "单位")
UnitId = Annotated[Id, Field(description="单位标识")]
OnDay = Annotated[
    date, Field(ge=date(1949, 10, 1), le=date(2999, 12, 31), description="哪一天的机构，默认今天")
]


class UnitOut(Schema):
    """A unit as it is on one day (单位)."""

    id: Id
    key: str = Field(description="资料包里的标识", examples=["jiaoyuju"])
    kind: str = Field(examples=["government_department"])
    kind_title: str = Field(examples=["政府工作部门"])
    name: str = Field(examples=["某区教育局"])
    short: str = Field(description="简称", examples=["区教育局"])
    code: str = Field(description="统一社会信用代码或机构代码；没有时为空")
    parent_id: int | None = Field(description="上级单位")
    unconfirmed: bool = Field(description="待确认")


class PostOut(Schema):
    """A post as it is today (岗位)."""

    id: Id
    unit_id: Id
    title: str = Field(examples=["科长"])
    head: bool = Field(description="是否单位负责人")
    roles: list[str] = Field(examples=[["matters.officer"]])
    holder: str = Field(description="现任；空缺为空", examples=["李四"])


class DayFilter(Schema):
    """On which day."""

    day: OnDay | None = None


class UnitFilter(DayFilter):
    """Which units."""

    name: Annotated[Text, Field(max_length=100)] = Field("", description="全称、简称、别名或曾用名；空为全部")


def _unit(view: tree.UnitView) -> UnitOut:
    return UnitOut.model_construct(
        id=view.id,
        key=view.key,
        kind=view.kind,
        kind_title=tree.kind_title(view.kind),
        name=view.name,
        short=view.short,
        code=view.code,
        parent_id=view.parent_id,
        unconfirmed=view.unconfirmed,
    )


def _known(request: HttpRequest, unit_id: int, day: date | None) -> tree.UnitView:
    policies.read.require(request.actor)
    found = tree.units(day).get(unit_id)
    if found is None:
        raise NotThere("没有找到这个单位，或者那一天它还没有设立、已经撤销。")
    return found


@router.read("/units", policy="directory.read", answer=list[UnitOut], summary="单位列表")
def units(request: HttpRequest, wanted: Query[UnitFilter]) -> list[UnitOut]:
    """某一天的全部单位；给出 name 时只有叫这个名字的，曾用名会找到现在的单位。"""
    found = tree.units(wanted.day)
    return [_unit(view) for view in (found.by_name(wanted.name) if wanted.name else found.all())]


@router.read("/units/{unit_id}", policy="directory.read", answer=UnitOut, summary="一个单位")
def unit(request: HttpRequest, unit_id: UnitId, wanted: Query[DayFilter]) -> UnitOut:
    """某一天的一个单位。"""
    return _unit(_known(request, unit_id, wanted.day))


@router.read("/units/{unit_id}/posts", policy="directory.read", answer=list[PostOut], summary="单位的岗位")
def posts(request: HttpRequest, unit_id: UnitId) -> list[PostOut]:
    """单位今天的岗位，负责人在前。"""
    _known(request, unit_id, None)
    return [
        PostOut(
            id=view.id,
            unit_id=view.unit_id,
            title=view.title,
            head=view.is_head,
            roles=sorted(view.roles),
            holder=view.person_name,
        )
        for view in staff.posts(unit_id)
    ]
