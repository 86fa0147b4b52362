"""The API of this app: who one is."""

from django.http import HttpRequest
from pydantic import Field

from liangzhu.beams.people.access import tokens
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.http import Id, Router, Schema, identify_by

identify_by(tokens.identify)
router = Router("access", "令牌")


class MeOut(Schema):
    """For whom the token acts."""

    label: str = Field(description="写进办理经过的名称", examples=["李四 · 科长（接口）"])
    kind: str = Field(description="account 人员账号，application 应用账号", examples=["account"])
    post_id: Id
    unit_id: Id
    unit_title: str = Field(examples=["区教育局"])
    roles: list[str] = Field(description="岗位的角色", examples=[["matters.officer"]])
    withheld_roles: list[str] = Field(description="要求第二因素、令牌不能使用的角色", examples=[[]])
    scopes: list[str] = Field(description="令牌的范围", examples=[["matters:write"]])


@router.read("/me", policy="access.use_token", answer=MeOut, summary="令牌代表谁", free=True)
def me(request: HttpRequest) -> MeOut:
    """岗位、单位、角色和令牌范围；任何有效令牌都能查。"""
    actor = request.actor
    return MeOut(
        label=actor.label,
        kind=actor.ref.kind,
        post_id=actor.post_id,
        unit_id=actor.unit_id,
        unit_title=directory.unit_name(actor.unit_id),
        roles=sorted(actor.roles),
        withheld_roles=sorted(actor.withheld),
        scopes=sorted(request.scopes),
    )
