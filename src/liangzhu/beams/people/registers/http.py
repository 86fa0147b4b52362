"""The API of organisations, mandates and persons, read only. Persons have a scope of their own and are read for a reason."""

from datetime import date
from typing import Annotated
from urllib.parse import unquote

from django.http import HttpRequest
from ninja import Header, Query
from pydantic import Field

from liangzhu.beams.people.registers import mandating, policies, queries
from liangzhu.beams.people.registers.families import subject_ref
from liangzhu.beams.people.registers.models.mandates import Scope
from liangzhu.kernel.http import Id, Router, Schema, Text

router = Router("registers", "组织和授权")
persons = Router("persons", "自然人")


class NameOut(Schema):
    """A name with its days."""

    name: str
    valid_from: date
    valid_to: date | None = Field(description="从这一天起不再使用；现用名称为空")


class OrganisationOut(Schema):
    """An organisation (法人和其他组织)."""

    id: Id
    ref: str = Field(examples=["organisation:7"])
    uscc: str = Field(description="统一社会信用代码", examples=["91350100M000100Y43"])
    name: str
    kind: str = Field(examples=["enterprise"])
    kind_title: str = Field(examples=["企业"])
    state: str = Field(description="active 存续、revoked 吊销、dissolved 注销", examples=["active"])
    ended_on: date | None
    address: str
    legal_representative: str = Field(description="法定代表人，脱敏；没有登记为空", examples=["张*"])
    names: list[NameOut] = Field(description="名称沿革，新的在前")


class CheckOut(Schema):
    """Whether somebody may act for another."""

    allowed: bool
    mandate_id: int | None = Field(description="依据哪一份授权；没有为空")
    capacity: str = Field(description="company_agent、representative、guardian、entrusted；没有为空")
    valid_to: date | None = Field(description="从这一天起不再有效")


Party = Annotated[
    Text,
    Field(max_length=40, description="natural_person:编号 或 organisation:编号", examples=["organisation:7"]),
]


class Asked(Schema):
    """Who, for whom, what, when."""

    agent: Party
    principal: Party
    kind: Annotated[Text, Field(max_length=80)] = Field("", description="业务代码；空为不限定")
    case: Annotated[Text, Field(max_length=80)] = Field("", description="一件事项，如 matter:12；空为不限定")
    day: Annotated[date, Field(ge=date(1949, 10, 1), le=date(2999, 12, 31))] | None = Field(
        None, description="哪一天，默认今天"
    )


class PersonOut(Schema):
    """A natural person in full (自然人)."""

    id: Id
    ref: str = Field(examples=["natural_person:7"])
    name: str
    document_kind: str = Field(examples=["citizen_id"])
    document_number: str
    birth: str = Field(description="出生日期；没有登记为空", examples=["1949-12-31"])
    sex: str = Field(description="male、female、unknown")
    phone: str
    address: str
    state: str = Field(description="alive 正常、dead 死亡、merged 已合并")
    merged_into: int | None = Field(description="已并入哪个编号")


@router.read(
    "/organisations/{uscc}",
    policy="registers.read_organisation",
    answer=OrganisationOut,
    summary="按统一社会信用代码查组织",
)
def organisation(
    request: HttpRequest, uscc: Annotated[Text, Field(max_length=40, description="统一社会信用代码")]
) -> OrganisationOut:
    """两个校验位都核对；法定代表人脱敏。"""
    row = queries.find_by_uscc(request.actor, uscc)
    representative = queries.representative(request.actor, row)
    return OrganisationOut(
        id=row.pk,
        ref=str(row.ref),
        uscc=row.uscc,
        name=row.name,
        kind=row.kind,
        kind_title=row.get_kind_display(),
        state=row.state,
        ended_on=row.ended_on,
        address=row.address,
        legal_representative=representative[0] if representative else "",
        names=[
            NameOut(name=one.name, valid_from=one.valid_from, valid_to=one.valid_to)
            for one in row.names.all()
        ],
    )


@router.read("/mandates/check", policy="registers.check_mandate", answer=CheckOut, summary="核对授权")
def check_mandate(request: HttpRequest, asked: Query[Asked]) -> CheckOut:
    """代理人这一天能不能替被代理人办这件事；不限定业务和事项时，只有全部事项的授权才算。"""
    policies.check_mandate.require(request.actor)
    found = mandating.may_act(
        subject_ref(asked.agent), subject_ref(asked.principal), Scope(asked.kind, asked.case), on=asked.day
    )
    return CheckOut(
        allowed=found is not None,
        mandate_id=found.pk if found else None,
        capacity=found.capacity if found else "",
        valid_to=found.valid_to if found else None,
    )


@persons.read("/persons/{person_id}", policy="registers.read_person", answer=PersonOut, summary="一个自然人")
def person(
    request: HttpRequest,
    person_id: Annotated[Id, Field(description="登记编号")],
    reason: Annotated[
        Text,
        Header(
            alias="X-Reason",
            max_length=1000,
            description="查看原因，UTF-8 百分号编码，解码后最多 200 字；记入操作日志",
        ),
    ],
) -> PersonOut:
    """完整内容。每次读取都在操作日志留下读了谁、读了什么、为什么。"""
    row = queries.person(request.actor, person_id)
    told = queries.read_in_full(request.actor, person_id, queries.IN_FULL, unquote(reason))
    return PersonOut(
        id=row.pk,
        ref=str(row.ref),
        document_kind=row.document_kind,
        sex=row.sex,
        state=row.state,
        merged_into=row.merged_into_id,
        **told,
    )
