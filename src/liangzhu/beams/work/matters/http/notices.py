"""The API of notices."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from liangzhu.beams.work.matters import actions, queries
from liangzhu.beams.work.matters.models import Notice
from liangzhu.kernel.http import Id, Instant, Paging, Router, Schema, paged

router = Router("notices", "提醒")
LEVELS = dict(Notice.LEVELS)


class NoticeOut(Schema):
    """A notice (提醒) to the post."""

    id: Id
    at: Instant
    level: str = Field(description="info 通知，remind 提醒，urge 催办", examples=["remind"])
    level_title: str = Field(examples=["提醒"])
    title: str
    text: str
    matter_id: int | None
    read_at: Instant | None


class NoticeFilter(Paging):
    """Which notices."""

    unread: bool = Field(False, description="只要未读的")


class ReadOut(Schema):
    """What became of marking notices."""

    read: int = Field(description="这次标为已读的条数", examples=[1])


def _notice(row: Notice) -> NoticeOut:
    return NoticeOut.model_construct(
        id=row.pk,
        at=row.at,
        level=row.level,
        level_title=LEVELS.get(row.level, row.level),
        title=row.title,
        text=row.text,
        matter_id=row.matter_id,
        read_at=row.read_at,
    )


@router.read("/notices", policy="matters.own_notices", answer=list[NoticeOut], summary="提醒列表")
def notices(request: HttpRequest, response: HttpResponse, wanted: Query[NoticeFilter]) -> list[NoticeOut]:
    """令牌代表的岗位收到的提醒，新的在前。"""
    found = queries.notices(request.actor, wanted.unread)
    return [_notice(row) for row in paged(request, response, found, ("-id",), wanted.limit)]


@router.change("/notices/read", policy="matters.own_notices", answer=ReadOut, summary="全部标为已读")
def read_all(request: HttpRequest) -> ReadOut:
    """把本岗位的提醒全部标为已读。"""
    return ReadOut(read=actions.read_notices(request.actor))


@router.change(
    "/notices/{notice_id}/read", policy="matters.own_notices", answer=ReadOut, summary="一条标为已读"
)
def read_one(request: HttpRequest, notice_id: Annotated[Id, Field(description="提醒标识")]) -> ReadOut:
    """把一条提醒标为已读。"""
    return ReadOut(read=actions.read_notices(request.actor, notice_id=notice_id))
