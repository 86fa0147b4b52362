"""The leader's figures of services (政务服务运行指标): periods, formulas, and what each number counts. Pure.

A figure is computed from named counts (``COUNTS``); each count is that of rows which a page lists. Shares are percent with
one decimal, rounded half up; None where nothing is there to count, which pages show as such and never as 0.
"""

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

Counts = Mapping[str, int]

ITEMS, RECEIVED, DECIDED, OPEN, MATERIALS, RATINGS = (
    "items",
    "received",
    "decided",
    "open",
    "materials",
    "ratings",
)
"""Families of counts. Items are those in force on the last day of a period; cases received, their materials, cases decided
and ratings asked for are those of the period; open ones those of this moment."""


# Periods --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Span:
    """Days from ``first`` to ``last``, both included (Asia/Shanghai)."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first:%Y-%m-%d} 至 {self.last:%Y-%m-%d}"

    def before(self) -> "Span":
        """The period before: as many whole months where this one is whole months, else as many days."""
        months = 12 * (self.last.year - self.first.year) + self.last.month - self.first.month + 1
        if self.first.day == 1 and self.last == end_of_month(self.last):
            return Span(months_on(self.first, -months), self.first - timedelta(days=1))
        days = (self.last - self.first).days + 1
        return Span(self.first - timedelta(days=days), self.first - timedelta(days=1))


def end_of_month(day: date) -> date:
    """The last day of its month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def months_on(day: date, months: int) -> date:
    """The first day of the month that lies so many months on, or back."""
    place = 12 * day.year + day.month - 1 + months
    return date(place // 12, place % 12 + 1, 1)


def month(day: date) -> Span:
    """The month of a day."""
    return Span(day.replace(day=1), end_of_month(day))


def quarter(day: date) -> Span:
    """The quarter of a day."""
    first = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
    return Span(first, end_of_month(months_on(first, 2)))


def year(day: date) -> Span:
    """The year of a day."""
    return Span(date(day.year, 1, 1), date(day.year, 12, 31))


PERIODS: dict[str, tuple[str, Callable[[date], Span]]] = {
    "month": ("月", month),
    "quarter": ("季度", quarter),
    "year": ("年", year),
}


# Arithmetic -----------------------------------------------------------------------------------------------------------


def share(part: int | None, whole: int | None) -> Decimal | None:
    """``part`` / ``whole`` in percent, one decimal; None for an empty whole."""
    if not whole:
        return None
    return (Decimal(100) * (part or 0) / whole).quantize(Decimal("0.1"), ROUND_HALF_UP)


def mean(total: int | None, number: int | None) -> Decimal | None:
    """``total`` / ``number`` with two decimals; None for no number."""
    if not number:
        return None
    return (Decimal(total or 0) / number).quantize(Decimal("0.01"), ROUND_HALF_UP)


# Formulas -------------------------------------------------------------------------------------------------------------


def online_possible(found: Counts) -> Decimal | None:
    """网上可办率, percent: items that can be done online / items on request. 国办「网上可办率」通行口径."""
    return share(found.get("items_online"), found.get("items"))


def whole_online(found: Counts) -> Decimal | None:
    """一网通办率 by items (事项口径), percent: level Ⅳ without a visit / items on request. The plan
    names a share and no formula; which reading is checked is 待确认 (decision 20).
    """
    return share(found.get("items_whole"), found.get("items"))


def online_done(found: Counts) -> Decimal | None:
    """实际网办率, percent, the same rate by cases (办件口径): cases that came in online / cases received."""
    return share(found.get("received_online"), found.get("received"))


def mobile_possible(found: Counts) -> Decimal | None:
    """掌上可办率, percent: items that can be done on a mobile / items on request."""
    return share(found.get("items_mobile"), found.get("items"))


def immediate(found: Counts) -> Decimal | None:
    """即办率, percent: items that are done at once (即办件) / items on request."""
    return share(found.get("items_immediate"), found.get("items"))


def same_day(found: Counts) -> Decimal | None:
    """当日办结率, percent: cases decided on the day they came in / cases decided."""
    return share(found.get("same_day"), found.get("decided"))


def compression(found: Counts) -> Decimal | None:
    """时限压缩率, percent: Σ(legal − promised) / Σ legal in working days, over items whose law names working days and whose
    promise can be compared; done at once counts as 0 days.
    """
    legal = found.get("legal_days") or 0
    return share(legal - (found.get("promised_days") or 0), legal)


def visits(found: Counts) -> Decimal | None:
    """平均跑动次数, visits an item, two decimals: Σ 到办事现场次数 / items that state it."""
    return mean(found.get("visits"), found.get("items_visits"))


def spared(found: Counts) -> Decimal | None:
    """免提交率, percent: materials not asked of the applicant / materials in question, of the cases received."""
    return share(found.get("spared"), found.get("materials"))


def vowed(found: Counts) -> Decimal | None:
    """告知承诺占比, percent: materials replaced by a written promise / materials in question."""
    return share(found.get("vowed"), found.get("materials"))


def in_promise(found: Counts) -> Decimal | None:
    """按时办结率 by the promised limit (承诺), percent: decided within it / decided under one."""
    return share(found.get("in_promise"), found.get("under_promise"))


def in_law(found: Counts) -> Decimal | None:
    """法定期限内办结率, percent: decided within the legal limit, lawful pauses and extensions included / decided under one.
    行政许可法 §42, §45.
    """
    return share(found.get("in_law"), found.get("under_law"))


def good(found: Counts) -> Decimal | None:
    """好评率, percent: 非常满意, 满意, 基本满意 / valid ratings; default ones (系统默认) are in neither. 国办发〔2019〕51号."""
    return share(found.get("good"), found.get("valid"))


def bad(found: Counts) -> Decimal | None:
    """不满意率, percent: 不满意, 非常不满意 / valid ratings."""
    return share(found.get("bad"), found.get("valid"))


def active(found: Counts) -> Decimal | None:
    """主动评价率, percent: given by people themselves / asked for."""
    return share(found.get("given"), found.get("asked"))


def followed(found: Counts) -> Decimal | None:
    """差评办结率, percent: bad ratings whose follow-up ended / bad ratings, those not adopted in the end included.
    国办发〔2019〕51号 demands 100 for those with a name.
    """
    return share(found.get("bad_ended"), found.get("bad_all"))


# What is counted ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Count:
    """A named count: rows of a family. ``rows`` names the count whose rows it sums, where it is not a number of rows."""

    title: str
    family: str
    measure: str = "件"
    rows: str = ""


COUNTS: dict[str, Count] = {
    "items": Count("依申请事项", ITEMS, "项"),
    "items_online": Count("网上可办的事项", ITEMS, "项"),
    "items_whole": Count("全程网办的事项", ITEMS, "项"),
    "items_mobile": Count("移动端可办的事项", ITEMS, "项"),
    "items_immediate": Count("即办件事项", ITEMS, "项"),
    "items_limited": Count("比较时限的事项", ITEMS, "项"),
    "items_unlike": Count("时限不能比较的事项", ITEMS, "项"),
    "legal_days": Count("法定时限合计", ITEMS, "工作日", "items_limited"),
    "promised_days": Count("承诺时限合计", ITEMS, "工作日", "items_limited"),
    "items_visits": Count("写明到现场次数的事项", ITEMS, "项"),
    "visits": Count("到现场次数合计", ITEMS, "次", "items_visits"),
    "received": Count("收到的办件", RECEIVED),
    "received_online": Count("网上申请的办件", RECEIVED),
    "materials": Count("应提交的材料", MATERIALS, "份"),
    "spared": Count("免提交的材料", MATERIALS, "份"),
    "vowed": Count("以告知承诺代替的材料", MATERIALS, "份"),
    "decided": Count("作出决定的办件", DECIDED),
    "same_day": Count("当日办结的办件", DECIDED),
    "under_promise": Count("有承诺时限的办件", DECIDED),
    "in_promise": Count("承诺时限内办结的办件", DECIDED),
    "beyond_promise": Count("超过承诺时限办结的办件", DECIDED),
    "under_law": Count("有法定时限的办件", DECIDED),
    "in_law": Count("法定时限内办结的办件", DECIDED),
    "beyond_law": Count("超过法定时限办结的办件", DECIDED),
    "late": Count("现在在办、已超过时限的办件", OPEN),
    "asked": Count("邀请的评价", RATINGS, "次"),
    "given": Count("主动作出的评价", RATINGS, "次"),
    "valid": Count("有效评价", RATINGS, "次"),
    "level_5": Count("非常满意", RATINGS, "次"),
    "level_4": Count("满意", RATINGS, "次"),
    "level_3": Count("基本满意", RATINGS, "次"),
    "level_2": Count("不满意", RATINGS, "次"),
    "level_1": Count("非常不满意", RATINGS, "次"),
    "good": Count("好评", RATINGS, "次"),
    "bad": Count("差评", RATINGS, "次"),
    "default": Count("系统默认", RATINGS, "次"),
    "waiting": Count("待评价", RATINGS, "次"),
    "void": Count("不予采纳", RATINGS, "次"),
    "bad_all": Count("收到的差评，含不予采纳", RATINGS, "次"),
    "bad_open": Count("差评办理中", RATINGS, "次"),
    "bad_late": Count("差评超过整改时限", RATINGS, "次"),
    "bad_ended": Count("差评已办结", RATINGS, "次"),
    "again": Count("整改后再评", RATINGS, "次"),
    "again_good": Count("再评为满意", RATINGS, "次"),
}


@dataclass(frozen=True)
class Figure:
    """A figure: its formula over counts, and what is said of it beside the number. ``up``: more is better.

    ``part`` and ``whole`` are the counts it divides; both open to their rows.
    """

    key: str
    title: str
    of: Callable[[Counts], Decimal | None]
    part: str
    whole: str
    formula: str
    caliber: str
    source: str = "通行口径，待确认"
    measure: str = "%"
    up: bool = True

    @property
    def family(self) -> str:
        """The family of the counts it stands on."""
        return COUNTS[self.whole].family


_PLAN = "计划只写了要达到多少，没有给出算法；按哪个口径考核待确认"
_RATED = "国办发〔2019〕51号"

FIGURES: dict[str, Figure] = {
    one.key: one
    for one in (
        Figure(
            "whole_online",
            "一网通办率（事项口径）",
            whole_online,
            "items_whole",
            "items",
            "全程网办事项 ÷ 依申请事项",
            "期末在用的依申请事项里，网办等级Ⅳ级、到现场 0 次的",
            _PLAN,
        ),
        Figure(
            "online_done",
            "实际网办率（办件口径）",
            online_done,
            "received_online",
            "received",
            "网上申请的办件 ÷ 收到的办件",
            "期内收到的办件；只含本系统的办件，别的业务系统的不在内",
            _PLAN,
        ),
        Figure(
            "online_possible",
            "网上可办率",
            online_possible,
            "items_online",
            "items",
            "网上可办事项 ÷ 依申请事项",
            "期末在用的依申请事项里，能在网上申请的",
        ),
        Figure(
            "mobile_possible",
            "掌上可办率",
            mobile_possible,
            "items_mobile",
            "items",
            "移动端可办事项 ÷ 依申请事项",
            "期末在用的依申请事项里，移动端可办的",
        ),
        Figure(
            "immediate",
            "即办率",
            immediate,
            "items_immediate",
            "items",
            "即办件事项 ÷ 依申请事项",
            "期末在用的依申请事项里，办件类型为即办件的",
        ),
        Figure(
            "same_day",
            "当日办结率",
            same_day,
            "same_day",
            "decided",
            "收件当日作出决定的办件 ÷ 作出决定的办件",
            "期内作出准予或者不予决定的办件",
        ),
        Figure(
            "compression",
            "时限压缩率",
            compression,
            "promised_days",
            "legal_days",
            "Σ（法定 − 承诺）÷ Σ 法定",
            "期末在用、法定时限以工作日计、承诺时限可比的依申请事项；即办按 0 日",
        ),
        Figure(
            "visits",
            "平均跑动次数",
            visits,
            "visits",
            "items_visits",
            "Σ 到现场次数 ÷ 写明次数的事项",
            "期末在用的依申请事项里，写明到办事现场次数的",
            measure="次",
            up=False,
        ),
        Figure(
            "spared",
            "免提交率",
            spared,
            "spared",
            "materials",
            "免提交材料 ÷ 应提交材料",
            "期内收到的办件；几件都要的材料每件各计一份；可不交而没有交的不计",
        ),
        Figure(
            "vowed",
            "告知承诺占比",
            vowed,
            "vowed",
            "materials",
            "告知承诺代替的材料 ÷ 应提交材料",
            "期内收到的办件；不算在免提交里",
        ),
        Figure(
            "in_promise",
            "按时办结率（承诺）",
            in_promise,
            "in_promise",
            "under_promise",
            "承诺时限内办结 ÷ 办结",
            "期内作出决定、有承诺时限的办件；依法不计入的时间不算",
        ),
        Figure(
            "in_law",
            "法定时限内办结率",
            in_law,
            "in_law",
            "under_law",
            "法定时限内办结 ÷ 办结",
            "期内作出决定、有法定时限的办件；依法延长的按延长后的时限",
            "行政许可法第四十二条、第四十五条",
        ),
        Figure(
            "good",
            "好评率",
            good,
            "good",
            "valid",
            "基本满意以上 ÷ 有效评价",
            "期内邀请的评价；系统默认和不予采纳的不计",
            _RATED,
        ),
        Figure(
            "bad",
            "不满意率",
            bad,
            "bad",
            "valid",
            "不满意和非常不满意 ÷ 有效评价",
            "期内邀请的评价；系统默认和不予采纳的不计",
            _RATED,
            up=False,
        ),
        Figure(
            "active",
            "主动评价率",
            active,
            "given",
            "asked",
            "主动评价 ÷ 邀请的评价",
            "期内邀请的评价",
            _RATED,
        ),
        Figure(
            "followed",
            "差评办结率",
            followed,
            "bad_ended",
            "bad_all",
            "回访整改办结的差评 ÷ 差评",
            "期内邀请的评价里的差评，含经核实不予采纳的",
            _RATED,
        ),
    )
}
