"""Tags of the pages of services."""

from django import template

from liangzhu.beams.people.directory import api as directory
from liangzhu.pillars.services.guide import Route
from liangzhu.pillars.services.planning import Term

register = template.Library()

_UNITS = {"workday": "个工作日", "day": "日", "month": "个月", "hour": "小时"}


@register.filter
def term_words(term: Term | None) -> str:
    """A limit in words: 承诺 15 个工作日; 当场办结."""
    if term is None:
        return ""
    return f"承诺 {limit(term)}" if term.unit in _UNITS else "当场办结"


@register.filter
def limit(term: Term | None) -> str:
    """How long a limit is: 45 日; 当场."""
    if term is None:
        return ""
    return f"{term.amount} {_UNITS[term.unit]}" if term.unit in _UNITS else "当场"


@register.simple_tag
def part_title(route: Route, name: str) -> str:
    """The name of a part's item."""
    return route.title(name)


@register.filter
def in_state(materials, state: str) -> list:
    """The materials of one state."""
    return [one for one in materials if one.row.state == state]


@register.filter
def own(materials) -> list:
    """What only the applicant has, or chose to bring."""
    return [one for one in materials if one.own]


@register.filter
def spared(materials) -> list:
    """What the applicant need not bring."""
    return [one for one in materials if not one.own]


@register.filter
def unit_name(unit_id: int) -> str:
    """The name of a unit."""
    return directory.unit_name(unit_id)


_FOR_STAFF = {
    "wanted": "等申请人提供",
    "available": "政府已有，申请人没有要求读取",
    "given": "申请人已提供",
    "held": "政府已有，已经取得",
    "made": "由同批事项产生",
    "to_verify": "由本单位核验，不向申请人收取",
    "promised": "申请人已书面承诺",
}


@register.filter
def for_staff(material) -> str:
    """The state of a material as staff read it."""
    return _FOR_STAFF.get(material.state, material.get_state_display())
