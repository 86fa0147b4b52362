"""Dates and deadlines (完成时限): from wording to a calendar day.

Rules (the practice of 督查督办): 年内 and N年底前 are 31 December; X月底前 is the last day of the month; 到N年 is the end of
that year; 持续推进, 长期 and 常态化 have no day.  A wording without a year takes the year of the document.
"""

import calendar
import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass

from . import glyphs
from .model import Finding

_HAN_YEAR = "[〇零○Oo一二三四五六七八九]{4}"
_HAN_DAY = "[元正一二三四五六七八九十廿卅]{1,3}"
FULL_DATE = re.compile(
    rf"(?<![0-9])(?:(\d{{4}}) *年 *(\d{{1,2}}) *月 *(\d{{1,2}}) *日|(\d{{4}}) *[-./] *(\d{{1,2}}) *[-./] *(\d{{1,2}})(?![0-9])"
    rf"|({_HAN_YEAR}) *年 *({_HAN_DAY}) *月 *({_HAN_DAY}) *日)",
    re.ASCII,
)
"""A complete date, in digits or Chinese numerals (shadow text)."""
BARE_DIGITS = re.compile(r"(?<![0-9])(\d{4}) ?(\d{2,4})(?![0-9])", re.ASCII)
"""A date whose 年, 月, 日 were lost in conversion: ``2022826``."""


def day(year: int, month: int, day_of_month: int) -> datetime.date | None:
    """Return the date, or ``None`` where the calendar has no such day or the year is no year of a plan."""
    if not 1949 <= year <= 2099:
        return None
    try:
        return datetime.date(year, month, day_of_month)
    except ValueError:
        return None


def month_end(year: int, month: int) -> datetime.date | None:
    """Return the last day of a month, ``None`` where there is no such month."""
    if not (1949 <= year <= 2099 and 1 <= month <= 12):
        return None
    return datetime.date(year, month, calendar.monthrange(year, month)[1])


def full_date(match: re.Match[str]) -> datetime.date | None:
    """Return the date of a match of :data:`FULL_DATE`."""
    numbers = [group for group in match.groups() if group]
    if match.group(7):
        year = glyphs.year(match.group(7).replace("O", "〇").replace("o", "〇"))
        month, day_of_month = (glyphs.number(re.sub("[元正]", "一", text)) for text in numbers[1:])
        return day(year, month, day_of_month) if year and month and day_of_month else None
    return day(*(int(text) for text in numbers))


def decompositions(year: str, rest: str) -> list[datetime.date]:
    """Return every date that ``2022`` + ``826`` can stand for; months and days carry no leading zero unless all do."""
    found = []
    for cut in range(1, len(rest)):
        month, day_of_month = rest[:cut], rest[cut:]
        if len(month) > 2 or len(day_of_month) > 2:
            continue
        if len(rest) < 4 and (month[0] == "0" or day_of_month[0] == "0"):
            continue
        candidate = day(int(year), int(month), int(day_of_month))
        if candidate:
            found.append(candidate)
    return found


@dataclass(frozen=True, slots=True)
class Base:
    """What relative wordings refer to: the document's date, or at least its year, and where the year comes from."""

    date: datetime.date | None = None
    year: int | None = None
    sure: bool = False
    why: str = ""


_YEAR = r"(?:(?P<{0}y>\d{{4}})[ ]?年(?:度)?[ ]?|(?P<{0}ry>今年|明年|后年|本年度?|当年))"
_MONTH = r"(?P<{0}>1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])[ ]?月(?:份)?[ ]?"
_BEFORE = r"(?:之|以)?前(?!后|期|置|列|沿|往|提|端|台|述|景|瞻|来)"
_DONE = r"(?:全部|全面|基本|力争)?(?:完成|建成|竣工|上线|办结|投用|到位)"
_LEAD = r"(?:(?:力争|争取|确保)?(?:到|至|截至|截止到?|于|在)|力争|争取|确保)"
_RANGE = r"(?<![0-9第一二三四五六七八九十每])(?<!\d[-—–~至])(?<!\d年[-—–~至])"
_WORDING = re.compile(
    rf"""
    {_RANGE}{_YEAR.format("d")}?{_MONTH.format("dm")}(?P<dd>3[01]|[12][0-9]|0?[1-9])[ ]?日(?:{_BEFORE}|止|(?={_DONE}))
  | {_RANGE}{_YEAR.format("m")}?{_MONTH.format("mm")}(?P<mpart>底|末|初|上旬|中旬|下旬)(?P<mbef>{_BEFORE})?
  | {_RANGE}{_YEAR.format("n")}?{_MONTH.format("nm")}{_BEFORE}
  | {_RANGE}{_YEAR.format("c")}?{_MONTH.format("cm")}(?={_DONE})
  | {_RANGE}{_YEAR.format("h")}?(?P<half>上半年|下半年)(?:底|末|内|结束)?(?:{_BEFORE})?
  | {_RANGE}{_YEAR.format("q")}?第?(?P<quarter>[一二三四1-4])季度(?:末|底|内|结束)?(?:{_BEFORE})?
  | {_RANGE}{_YEAR.format("e")}(?:年?底|年?末|年?终|内)(?P<ebef>{_BEFORE})?
  | {_LEAD}(?P<to>\d{{4}})年(?!度|[底末内年终前\d]|[之以]前|[上下]半年|第?[一二三四1-4]季度|[ ]?[十一二三四五六七八九]{{1,2}}月|[-—–~至])
  | {_RANGE}(?P<before>\d{{4}})年{_BEFORE}
  | {_RANGE}(?P<bare>\d{{4}})年(?=[,:]?(?:全面|基本|力争|确保|争取|完成|实现|建成|达到|底))
  | (?<![0-9一二两三四五六七八九十几近多每数半今明后去往历])(?P<rel>年底|年末|年终|年内|年度内)(?P<relbef>{_BEFORE})?
  | (?P<mrel>(?<![0-9个每一二三四五六七八九十])(?:本|当|下|次)?月底){_BEFORE}
  | (?:自|从)?(?:本[^,。;]{{0,6}})?(?:印发|发布|下发|公布)(?:之日|后)?起?,?(?P<span>\d{{1,3}}|[一二两三四五六七八九十]{{1,3}})(?P<spanunit>个工作日|个月|日|天|年)(?:之|以)?内
  | (?<![0-9近去前])(?P<years>\d|[一二两三四五六七八九十])年(?:之|以)?内
  | [“"]?(?P<plan>十[一二三四五六七八九])五[”"]?(?:规划)?(?P<planpart>期?末|结束{_BEFORE}|(?:时期|期间)(?:内)?)
  | (?P<periodic>每(?:年|半年|季度?|月|周)(?:[^,。;]{{0,6}})?{_BEFORE})
  | (?P<ongoing>持续推进|常态化(?:推进|开展|实施|运行|进行)|长期(?:坚持|推进|开展|实施|任务|工作|落实))
    """,
    re.VERBOSE | re.ASCII,
)
_PAST = re.compile(
    r"[,:]?(?:(?!完成|实现|建成|达到|推进|力争|确保|争取|全面|基本)[^,。;]){0,8}?(?:已(?!建|有)|以来|起[,至]|之后|以后|后,)"
)
_CELL_MONTH = re.compile(r"(?:(\d{4})[年.\-/] *)?(1[0-2]|0?[1-9])(?:月|(?![0-9]))", re.ASCII)
_CELL_YEAR = re.compile(r"(\d{4})年?(?:全年|度|底)?$|全年$", re.ASCII)


def deadlines(original: str, shade: str, start: int, end: int, base: Base) -> Iterator[Finding]:
    """Yield the deadlines written in running text.

    ``shade`` is the shadow of ``original`` in which titles of other documents and responsible units were blanked out.
    A wording that speaks of the past (2021年底已…) or gives the range of another plan (2022-2024年) is left out.
    """
    context: tuple[int, int] | None = None  # (year, end of its sentence): 2023年3月底前…,6月底前…
    for match in _WORDING.finditer(shade, start, end):
        if context and match.start() > context[1]:
            context = None
        resolved = _resolve(match, shade, end, base, context[0] if context else None)
        if resolved is None:
            continue
        value, sure, why, explicit_year = resolved
        if explicit_year:
            limit = min(end, match.end() + 300)
            stop = shade.find("。", match.end(), limit)
            context = (explicit_year, stop if stop >= 0 else limit)
        yield Finding(
            "deadline",
            value,
            original[match.start() : match.end()],
            *match.span(),
            "sure" if sure else "doubtful",
            why,
        )


def cell_deadline(original: str, shade: str, start: int, end: int, base: Base) -> list[Finding]:
    """Read a table cell or a label such as 完成时限: whatever stands there is the deadline, with or without a day."""
    found = list(deadlines(original, shade, start, end, base))
    if found:
        return found
    text, wording = original[start:end], shade[start:end]
    value, sure, why = None, True, "没有写明具体日期"
    date = FULL_DATE.search(wording)
    month = _CELL_MONTH.search(wording)
    year = _CELL_YEAR.search(wording)
    if date:
        value, why = full_date(date), ""
    elif year and (year.group(1) or base.year):
        value, sure = month_end(int(year.group(1) or base.year), 12), bool(year.group(1)) or base.sure
        why = "按年底计" + ("" if year.group(1) else f"，{base.why}")
    elif month:
        given = month.group(1)
        if given or base.year:
            value, sure = month_end(int(given or base.year), int(month.group(2))), bool(given) or base.sure
            why = "按当月最后一天计" + ("" if given else f"，{base.why}")
    elif re.search(r"\d", wording):
        sure, why = False, "看不懂这个时限，请填写日期"
    return [Finding("deadline", value, text, start, end, "sure" if sure else "doubtful", why)]


def _resolve(match, shade, end, base, context):
    """Return (date, sure, why, explicit year) of a wording, or ``None`` if it is no deadline."""
    get = match.groupdict().get
    if get("ongoing"):
        return None, True, "长期性工作，没有完成日期", None
    if get("periodic"):
        return None, True, "周期性要求，没有单一的完成日期", None
    strict = match.group().endswith("前") or match.group().endswith("止")
    if not strict and _PAST.match(shade, match.end(), min(end, match.end() + 12)):
        return None
    explicit = next(
        (
            int(get(key))
            for key in ("dy", "my", "ny", "cy", "hy", "qy", "ey", "to", "before", "bare")
            if get(key)
        ),
        None,
    )
    relative = next((get(key) for key in ("dry", "mry", "nry", "cry", "hry", "qry", "ery") if get(key)), None)
    year, sure, why = _year(explicit, relative, base, context)
    if explicit and base.year and explicit < base.year and not strict:
        return None
    if get("plan"):
        ordinal = glyphs.number(get("plan"))
        value = day(1955 + 5 * ordinal, 12, 31)
        part = get("planpart")
        return (
            value,
            "期间" not in part and "时期" not in part,
            f"第{ordinal}个五年规划到{value.year}年底",
            None,
        )
    if get("span"):
        return *_from_issue(get("span"), get("spanunit"), base), None
    if get("years"):
        count = glyphs.number(get("years"))
        if base.date is None or not count:
            return None, False, "没有成文日期，算不出截止日", None
        return (
            day(base.date.year + count, base.date.month, min(base.date.day, 28)),
            False,
            "从成文日期起算，请核对",
            None,
        )
    if year is None:
        return None, False, "文件没有日期，算不出是哪一年", explicit
    value = _day_in(year, get, base)
    if value is None:
        return None, False, "日历上没有这个日子，请核对", None
    if not explicit and not relative and context is None and base.date and value < base.date:
        later = _day_in(year + 1, get, base)
        return later, False, "这个日子在成文日期之前，按下一年理解，请核对", None
    if explicit and base.date and value < base.date:
        sure, why = False, "早于成文日期，请核对"
    if get("nm") or get("before"):
        sure, why = False, "“前”是否含当月（年）不明，按此前最后一天计"
    elif get("bare") or get("cm") or get("mpart") == "初":
        sure, why = False, "没有写“前”或“底”，请核对"
    return value, sure, why, explicit


def _year(explicit, relative, base, context):
    if explicit:
        return explicit, True, "年份见原文"
    if context:
        return context, True, f"年份承前（{context}年）"
    if base.year is None:
        return None, False, ""
    shift = {"明年": 1, "后年": 2}.get(relative or "", 0)
    return base.year + shift, base.sure, base.why


def _day_in(year, get, base):
    if get("dd"):
        return day(year, glyphs.number(get("dm")), int(get("dd")))
    if get("mm"):
        part = {"上旬": 10, "中旬": 20, "初": 10}.get(get("mpart"))
        month = glyphs.number(get("mm"))
        return day(year, month, part) if part else month_end(year, month)
    if get("cm"):
        return month_end(year, glyphs.number(get("cm")))
    if get("nm"):
        month = glyphs.number(get("nm"))
        return month_end(year, month - 1) if month > 1 else month_end(year - 1, 12)
    if get("half"):
        return month_end(year, 6 if get("half") == "上半年" else 12)
    if get("quarter"):
        return month_end(year, 3 * glyphs.number(get("quarter")))
    if get("before"):
        return month_end(year - 1, 12)
    if get("mrel"):
        if base.date is None:
            return None
        month = base.date.month + (get("mrel")[0] in "下次")
        return month_end(base.date.year + month // 13, (month - 1) % 12 + 1)
    return month_end(year, 12)


def _from_issue(count_text, unit, base):
    """Return (date, sure, why) for 自印发之日起30日内."""
    count = glyphs.number(count_text)
    if base.date is None or not count:
        return None, False, "没有成文日期，算不出截止日"
    if unit == "个工作日":
        return None, False, "工作日要按节假日安排计算，请填写日期"
    if unit in "日天":
        return base.date + datetime.timedelta(days=count), base.sure, "从成文日期起算"
    months = base.date.month - 1 + (count if unit == "个月" else 12 * count)
    last = month_end(base.date.year + months // 12, months % 12 + 1)
    if last is None:
        return None, False, "算不出截止日"
    return last.replace(day=min(base.date.day, last.day)), base.sure, "从成文日期起算"
