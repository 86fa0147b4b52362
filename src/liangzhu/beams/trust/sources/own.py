"""The sources that the district holds itself: its registers of persons and organisations, and the certificates it issued."""

from typing import Any

from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.trust.sources.errors import NothingHeld
from liangzhu.beams.trust.sources.registry import ORGANISATION, PERSON, Ask, Field, Source, register
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
