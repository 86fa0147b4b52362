"""The sources that the district holds itself: its registers of persons and organisations, and the certificates it issued."""

from functools import partial
from typing import Any

from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.trust.certificates import api as certificates
from liangzhu.beams.trust.sources.errors import NothingHeld
from liangzhu.beams.trust.sources.registry import (
    ORGANISATION,
    PARTY,
    PERSON,
    Ask,
    Field,
    Source,
    register,
)
from liangzhu.kernel import masking

REPRESENTATIVE = "legal_representative"
BASIS = "《政务数据共享条例》第十九条（已有数据不重复收集）"


def _held(ask: Ask) -> dict[str, Any]:
    found = registers.held(ask.subject, ask.fields)
    values = dict(found.values)
    if REPRESENTATIVE in ask.fields and found.representative is not None:
        # The name of another: published with the organisation (企业信息公示暂行条例 §6), and told to him all the same.
        values[REPRESENTATIVE] = masking.reveal(
            ask.actor, found.representative, "name", reason=ask.purpose, case=ask.case
        )
    if not values:
        raise NothingHeld("本区登记库没有您请求的记录。")
    return values


register(
    Source(
        key="registers.person",
        title="自然人登记库",
        holder="本区自然人登记库",
        subject=PERSON,
        fields={
            "name": Field("姓名", "text"),
            "document_kind": Field("证件类型", "text", 2),
            "document_number": Field("证件号码", "person"),
            "sex": Field("性别", "text", 2),
            "birth": Field("出生日期", "date"),
            "phone": Field("电话", "phone"),
            "address": Field("住址", "address"),
        },
        fetch=_held,
        basis=BASIS,
    )
)
register(
    Source(
        key="registers.organisation",
        title="法人和其他组织登记库",
        holder="本区法人登记库",
        subject=ORGANISATION,
        fields={
            "name": Field("名称", "text", 1),
            "uscc": Field("统一社会信用代码", "uscc", 1),
            "kind": Field("类型", "text", 1),
            "address": Field("住所", "address", 1),
            "state": Field("登记状态", "text", 1),
            REPRESENTATIVE: Field("法定代表人", "text", 3),
        },
        fetch=_held,
        basis=BASIS,
    )
)


# Certificates that the district issued --------------------------------------------------------------------------------

CERTIFICATE_BASIS = (
    "《国务院关于在线政务服务的若干规定》第十条（电子证照与纸质证照具有同等效力）、第十一条（免于重复提交）"
)


def _certificate_source(kind: certificates.Kind) -> Source:
    """A kind of certificate as a source: what stands on the newest valid one."""
    fields = {
        "identifier": Field("电子证照标识", "text", 1),
        "number": Field("证照编号", "text", 1),
        "issuer": Field("核发机关", "text", 1),
        "valid_from": Field("生效日期", "date", 1),
        "valid_until": Field("有效期至", "date", 1),
    } | {
        one.key: Field(one.title, "date" if one.type == "date" else "text", one.grade) for one in kind.fields
    }
    return Source(
        key=f"certificates.{kind.key}",
        title=kind.title,
        holder="本区电子证照库",
        subject={"person": PERSON, "organisation": ORGANISATION}.get(kind.holder, PARTY),
        fields=fields,
        fetch=partial(_certificate, kind),
        basis=CERTIFICATE_BASIS,
        unconfirmed=kind.unconfirmed,
    )


def _certificate(kind: certificates.Kind, ask: Ask) -> dict[str, Any]:
    found = certificates.held_by(ask.subject, [kind.key])
    if not found:
        raise NothingHeld(f"没有有效的{kind.title}。")
    view = found[0]
    values: dict[str, Any] = {
        "identifier": view.identifier,
        "number": view.number,
        "issuer": view.unit_name,
        "valid_from": view.valid_from.isoformat(),
        "valid_until": view.valid_until.isoformat() if view.valid_until else None,
    } | {key: value for key, _, value in view.fields}
    # What is shown masked is read in full where it is asked for; that reading has its own leaf and line.
    if sealed := [one.key for one in kind.fields if one.grade >= 3 and one.key in ask.fields]:
        values |= certificates.values_of(ask.actor, view.ref, sealed, reason=ask.purpose)
    return {name: values[name] for name in ask.fields if values.get(name)}


for _kind in certificates.catalogue().kinds.values():
    if not _kind.foreign:
        register(_certificate_source(_kind))
