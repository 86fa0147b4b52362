"""What is known of an enterprise (企业画像): from the register, from sources that it agreed to, and what it said of itself.

A value from the register or a source goes before what was said; what was said is always marked so.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from liangzhu.beams.people.registers import api as registers
from liangzhu.kernel.errors import Invalid
from liangzhu.kernel.now import now, today
from liangzhu.kernel.pack import pack
from liangzhu.pillars.services import criteria
from liangzhu.pillars.services.criteria import Fact, Known
from liangzhu.pillars.services.models import EnterpriseFact

SIZES = (("large", "大型"), ("medium", "中型"), ("small", "小型"), ("micro", "微型"))
"""Classes of size (统计上大中小微型企业划分办法（2017）, 国统字〔2017〕213号)."""
QUALIFICATIONS = (
    ("high_tech", "高新技术企业"),
    ("tech_small", "科技型中小企业"),
    ("innovative", "创新型中小企业"),
    ("specialised", "专精特新中小企业"),
    ("little_giant", "专精特新“小巨人”企业"),
    ("above_scale", "规模以上企业"),
    ("leading_farm", "农业产业化龙头企业"),
    ("service_training", "就业见习单位"),
)
FACTS: dict[str, Fact] = {
    one.key: one
    for one in (
        Fact("kind", "类型", criteria.CHOICE, options=tuple(registers.Organisation.KINDS), fixed=True),
        Fact("state", "登记状态", criteria.CHOICE, options=tuple(registers.Organisation.STATES), fixed=True),
        Fact("local", "住所在本区", criteria.YESNO),
        Fact("established_on", "成立日期", criteria.DATE, fixed=True),
        Fact("registered_capital", "注册资本", criteria.NUMBER, "元"),
        Fact("industry", "行业", criteria.INDUSTRY, help="国民经济行业代码（GB/T 4754），例如 3912；不清楚的写门类字母。"),
        Fact("size", "规模", criteria.CHOICE, options=SIZES, help="按国统字〔2017〕213号划分。"),
        Fact("headcount", "从业人数", criteria.NUMBER, "人"),
        Fact("insured", "参加社会保险的人数", criteria.NUMBER, "人"),
        Fact("turnover", "上年营业收入", criteria.NUMBER, "万元"),
        Fact("research", "上年研发费用", criteria.NUMBER, "万元"),
        Fact("investment", "当年固定资产投资", criteria.NUMBER, "万元"),
        Fact("new_hires", "当年新招用的高校毕业生", criteria.NUMBER, "人"),
        Fact("qualifications", "资质和称号", criteria.MANY, options=QUALIFICATIONS),
        Fact("tax_credit", "纳税信用级别", criteria.CHOICE, options=tuple((one, one) for one in "ABMCD")),
        Fact("dishonest", "列入严重失信主体名单", criteria.YESNO),
    )
}  # fmt: skip
FROM_REGISTER = ("kind", "state", "local")
SOURCES = {
    "exchange.enterprise": {"established_on": "established_on", "registered_capital": "registered_capital"}
}
"""Sources that give facts: name of the fact to the field of the source."""

_COUNTY = re.compile(r"[\u4e00-\u9fff]{1,8}?(?:区|县)")


def sayable() -> list[Fact]:
    """What an enterprise may tell of itself."""
    return [one for name, one in FACTS.items() if name not in FROM_REGISTER]


def clean(name: str, value: Any) -> Any:
    """A value that was told, as it is kept. Raises Invalid beside the fact."""
    fact = FACTS[name]
    if fact.type == criteria.INDUSTRY:
        code = str(value).strip().upper()
        if criteria.fault(criteria.Criterion("x", name, "in", (code,)), FACTS):
            raise Invalid({name: "请写国民经济行业代码：门类字母，或 2 至 4 位数字。"})
        return code
    if fact.type == criteria.NUMBER:
        return str(value)
    if fact.type == criteria.DATE:
        if value > today():
            raise Invalid({name: "日期不能晚于今天。"})
        return value.isoformat()
    if fact.type == criteria.YESNO:
        return value == "yes"
    return value


def _local(address: str) -> bool | None:
    """Whether an address names this district; None where it names none."""
    if not address:
        return None
    if pack().district["name"] in address:
        return True
    return False if _COUNTY.search(address) else None


def of_register(one: registers.Organisation) -> dict[str, Known]:
    """What the register says."""
    said = {
        "title": dict(registers.Organisation._meta.get_field("source").flatchoices)[one.source],
        "at": one.as_of.isoformat(),
    }
    found = {"kind": Known(one.kind, **said), "state": Known(one.state, **said)}
    if (local := _local(one.address)) is not None:
        found["local"] = Known(local, **said)
    return found


def known_of(organisations: Iterable[registers.Organisation]) -> dict[int, dict[str, Known]]:
    """All that is known of some enterprises, by id: three statements however many."""
    rows = list(organisations)
    found = {one.pk: of_register(one) for one in rows}
    held = EnterpriseFact.objects.filter(organisation_id__in=found, until__gt=now()).order_by("at", "id")
    for row in held:
        have = found[row.organisation_id]
        before = have.get(row.fact)
        if row.fact in FACTS and not (before is not None and before.proven and row.origin == criteria.SELF):
            have[row.fact] = Known(
                json.loads(row.value), row.origin, row.source_title, row.at.date().isoformat(), row.receipt
            )
    return found
