"""Measurable targets (量化指标): from wording to name, comparison, value and unit.

Only a number that is compared counts: 达到85%, 压缩至4个月以内, 不少于20家, 覆盖率100%, 新建5个.  以上, 以下 and 以内
include the number itself (民法典 第一千二百五十九条), 超过 and 低于 do not.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from . import glyphs
from .model import Finding, Operator, Target

_DIGITS = r"(?<![0-9A-Za-z.第〔])\d{1,9}(?:\.\d{1,4})?(?![0-9])"
_HAN_PERCENT = rf"百分之[{glyphs.HAN}]{{1,5}}(?:点[{glyphs.HAN}]{{1,2}})?"
_TENTHS = r"[一二三四五六七八九]成[一二三四五六七八九半]?"
_FRACTION = r"[二三四五六七八九十]分之[一二三四五六七八九]"
_SCALE = r"(?:万亿|百万|千万|十万|亿|万|千|百)?"
_UNIT = (
    r"个百分点|百分点|%|‰|个工作日|工作日|个自然日|个月|小时|分钟|秒|天|日|"
    rf"{_SCALE}(?:元|人次|人|户|家|个|项|件|台|套|座|处|条|张|名|次|倍|批|门|所|种|类|场|期|位|辆|册|篇|部|支|株|"
    r"平方公里|平方千米|平方米|公里|千米|立方米|米|亩|公顷|吨|兆瓦|千瓦时|千瓦|PB|TB|Gbps|Mbps)|亿|万"
    r"|(?![年月级岁周层号度等])[一-鿿]{1,3}?(?=及?以[上下])"
)
_LEAST = (
    r"不低于|不少于|不小于|不得低于|不得少于|不得小于|至少达到|至少|力争达到|达到|(?<![传表下到直抵发])达|≥|"
    r"(?:提高|提升|增加|增长|扩大|上升|拓展|扩充|延长)(?:到|至)|保持在|稳定在|维持在"
)
_OVER = r"超过|突破|高于|大于|多于"
_MOST = r"≤|不超过|不高于|不大于|不多于|不得超过|不得高于|不突破|控制在|限制在|(?:压缩|压减|缩短|缩减|减少|精简|降低|下降|降|减|缩)(?:到|至|为)"
_UNDER = r"低于|少于|小于"
_CUT = r"压缩|压减|缩短|缩减|减少|精简|降低|下降|减"
_RISE = r"(?:年均|同比)?(?:增长|提高|提升|增加|上升)"
_VALUE = rf"(?:(?P<digits>{_DIGITS}) ?(?P<unit>{_UNIT})?|(?P<han>{_HAN_PERCENT}|{_TENTHS}|{_FRACTION}))"
_TARGET = re.compile(
    rf"(?:(?P<least>{_LEAST})|(?P<over>{_OVER})|(?P<most>{_MOST})|(?P<under>{_UNDER})|(?P<cut>{_CUT})|(?P<rise>{_RISE}))?"
    rf"(?P<filler>了|约|近|为|平均|原则上|在|人均)?{_VALUE}"
    r"(?P<after>(?:\(?含\)?)?(?:及?以上|及?以下|以内|之内|左右|(?<=[日月时钟天])内))?",
    re.ASCII,
)
_COUNTING = re.compile(
    r"(?:新增|新建|建成|建设|打造|培育|引进|培训|改造|完成|创建|组建|设立|开展|举办|推出|实施|发放|开发|上线|选树|遴选|认定|布设|增设|落地)"
)
_LEADING = re.compile(
    r"(?:确保|力争|争取|努力|实现|全面|基本|推动|推进|促进|保持|使得|使|将|把|让|其中|并且|并|且|也|均|要|进一步|切实|不断|稳步|持续|积极|"
    r"大力|加快|做到|达成|保证|年内|今年|以及|同时|逐步|\d{4}年(?:底|末)?(?:前)?|[\s、“\"])+"
)
_TRAILING = re.compile(r"(?:总体|平均|原则上|要|应|均|需|将|可|必须|力争|都|全部|不|分别|的|[\s“\"])+$")
_MEASURE = re.compile(r"(?:率|比例|占比|比重|覆盖面|满意度|程度|指数)$")
_GENERIC = re.compile(
    r"^(?:覆盖|应用|使用|普及|推广|办结|满意|知晓|完成|达标|合格|及时|准确|按时|按期|办理|接入|上线|整改|响应|回复|公开|共享|归集|签约|参与|录入|"
    r"面|全|总)+(?:率|比例|度|面)$|^(?:占比|比例|比重|覆盖面|总量|总数)$"
)
_OBJECT = re.compile(
    r"^(?:加快|推进|推动|加强|深化|完善|建立|建设|做好|开展|实施|扩大|提高|提升|优化|积极|大力|全面|持续|进一步)+"
)
_OBJECT_END = re.compile(r"(?:推广应用|推广使用|应用推广|推广|应用|使用|建设|工作|普及|覆盖)+$")
_NOUN = re.compile(r"的?([一-鿿A-Za-z0-9“”\"]{2,16})")
_CLAIM = re.compile(r"(?:实现|确保|做到|力争|推动)[^,。;:]{0,20}$")
_CONDITION = "未没不仍尚的者且还"  # 超过5日未办结的: a condition, no target
_TIMES = re.compile(r"时限|时间|周期|期限|时长|成本|率$|比例$|占比$|比重$")
_TIME_UNITS = frozenset(
    ("日", "天", "小时", "分钟", "秒", "个月", "工作日", "个工作日", "个自然日", "期", "类", "次", "元")
)
_DONE = re.compile(r"(?:已|已经|曾)$")
_NUMBER_OF = tuple("年月号届期级条章次款时点-—~")  # 2022年, 第5次: a number that counts nothing
_BREAK = ",。;:!?\n\t()《》\x00"


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a number is compared: the operator, the name, the end of the wording, and what must be checked."""

    op: Operator
    name: str
    end: int
    doubt: str = ""


def targets(
    original: str, shade: str, start: int, end: int, times: list[tuple[int, int]]
) -> Iterator[Finding]:
    """Yield the targets written between ``start`` and ``end``.

    ``shade`` is the shadow of ``original`` in which titles of other documents and responsible units were blanked out;
    ``times`` are the places of deadlines, which belong neither to the number nor to the name.
    """
    times = sorted(times)
    floor = start
    for match in _TARGET.finditer(shade, start, end):
        if _touching(times, match.start("digits" if match["digits"] else "han"), match.end()):
            continue
        left, subject_end = _subject(shade, floor, match.start(), times)
        subject = shade[left:subject_end]
        read, value = _compare(match, shade, end, subject), _value(match)
        if read is None or value is None:
            continue
        doubt, why = read.doubt, ""
        if not read.name:
            doubt = "前文没有写明是什么指标"
        elif _GENERIC.match(read.name):
            guess = _guess(shade, start, left, read.name)
            doubt = f"指标名按原文取“{read.name}”；联系前文可能指“{guess}”，请核对" if guess else doubt
        elif match["han"] and re.fullmatch(_FRACTION, match["han"]):
            why = f"{match['han']}折算为{value}%"
        names = read.name.split("、")
        if not all(_MEASURE.search(name) for name in names):
            names = [read.name]  # 教育、医疗覆盖面: one name; 办结率、满意率: two targets
        floor = read.end
        unit = (match["unit"] or "") if match["digits"] else "%"
        text = original[left : read.end]
        certainty = "doubtful" if doubt else "sure"
        for name in names:
            yield Finding(
                "target", Target(name, read.op, value, unit), text, left, read.end, certainty, doubt or why
            )


def _touching(times: list[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """Return the spans that overlap ``start:end``; deadlines do not overlap each other, so two neighbours suffice."""
    index = bisect_left(times, (end,))
    return [span for span in times[max(0, index - 2) : index] if span[0] < end and start < span[1]]


def _subject(shade: str, floor: int, end: int, times: list[tuple[int, int]]) -> tuple[int, int]:
    """Return the place of the noun before the comparison: from the last punctuation on, without verbs and dates."""
    start = max(floor, end - 60)
    for index in range(end - 1, start - 1, -1):
        if shade[index] in _BREAK:
            start = index + 1
            break
    moved = True
    while moved and start < end:
        moved = False
        for _, right in _touching(times, start, start + 1):
            if right <= end:
                start, moved = right, True
        leading = _LEADING.match(shade, start, end)
        if leading:
            start, moved = leading.end(), True
    trailing = _TRAILING.search(shade, start, end)
    return start, (trailing.start() if trailing else end)


def _compare(match: re.Match[str], shade: str, end: int, subject: str) -> _Reading | None:
    """Tell how the number is compared, ``None`` if it is not."""
    stop, unit, after = match.end(), match["unit"] or "", match["after"] or ""
    following = shade[stop : min(stop + 1, end)]
    if _DONE.search(shade[max(0, match.start() - 2) : match.start()]) or (
        not unit and match["digits"] and following in _NUMBER_OF
    ):
        return None
    below = "下" in after or "内" in after
    if match["over"] or match["under"]:
        return (
            None
            if following and following in _CONDITION
            else _Reading(">" if match["over"] else "<", subject, stop)
        )
    if match["most"]:
        return _Reading("<=", subject, stop, "前后说法方向不一，请核对" if "上" in after else "")
    if not (unit or match["han"] or (match["least"] and _MEASURE.search(subject))):
        return None
    if match["least"]:
        doubt = "写的是“左右”，请核对" if after == "左右" else "前后说法方向不一，请核对" if below else ""
        return _Reading("<=" if below else ">=", subject, stop, doubt)
    if match["cut"] and below:
        return _Reading("<=", subject, stop, "按“压缩到…以内”理解，请核对")
    if match["cut"] or match["rise"]:
        verb = match["cut"] or match["rise"]
        name, right = (subject + verb, stop) if subject else _noun_after(shade, stop, end, verb)
        what = (
            "写的是“左右”，请核对"
            if after == "左右"
            else "写的是降幅，不是目标值，请核对"
            if match["cut"]
            else "写的是增幅，请核对基数"
        )
        return _Reading(">=", name, right, what)
    return _without_words(match, shade, end, subject, below)


def _without_words(match, shade, end, subject, below) -> _Reading | None:
    """Read a number with nothing but 以上, 以下 or a rate around it."""
    stop, unit, after = match.end(), match["unit"] or "", match["after"] or ""
    percent = unit in ("%", "‰") or bool(match["han"])
    if after in ("左右", "内") or (below and not _TIMES.search(subject)):
        return None
    counts = bool(_COUNTING.fullmatch(subject))
    if after:
        if shade[stop : stop + 1] == "的" and not percent:
            return None  # 10万人以上的城市
        op: Operator = "<=" if below else ">="
        if percent and not subject:
            name, right = _noun_after(shade, stop, end)
            return _Reading(op, name, right, "指标名取自后文，请核对") if name else None
        return _Reading(op, *(_noun_after(shade, stop, end, subject) if counts else (subject, stop)))
    if percent and _MEASURE.search(subject):
        return _Reading(">=", subject, stop)
    if (
        percent
        and match["digits"] == "100"
        and _CLAIM.search(shade, max(0, match.start() - 30), match.start())
    ):
        name, right = _noun_after(shade, stop, end, subject)
        return _Reading(">=", name, right, "指标名由前后文合成，请核对") if right > stop else None
    if not percent and unit not in _TIME_UNITS and _COUNTING.match(subject):
        name, right = _noun_after(shade, stop, end, subject) if counts else (subject, stop)
        return _Reading(">=", name, right, "没有写“以上”“不少于”等字样，按不少于理解")
    return None


def _noun_after(shade: str, start: int, end: int, before: str = "") -> tuple[str, int]:
    """Return ``before`` and the noun behind the number, as in 建成20个以上示范社区, with its end."""
    match = _NOUN.match(shade, start, end)
    return (before + re.sub('[“”"]', "", match[1]), match.end()) if match else (before, start)


def _guess(shade: str, start: int, subject_start: int, name: str) -> str:
    """Name the object of a bare 覆盖率 by the clause before it: 加快某平台推广应用,实现覆盖应用率 → 某平台覆盖应用率."""
    left = max(start, subject_start - 60)
    before = re.split(r"[。;:!?\n\t()\x00]", shade[left:subject_start])[-1]
    clauses = [clause for clause in before.split(",")[:-1] if clause.strip()]
    if not clauses:
        return ""
    clause = re.split(r"\d|不[低少超高]|达|超过|[一-十]成|百分之", clauses[-1].strip())[0]
    thing = _OBJECT_END.sub("", _OBJECT.sub("", clause))
    return thing + name if 2 <= len(thing) <= 15 else ""


def _value(match: re.Match[str]) -> int | float | None:
    if match["digits"]:
        value = float(match["digits"])
        return int(value) if value.is_integer() else value
    han = match["han"]
    if han.startswith("百分之"):
        whole, _, fraction = han[3:].partition("点")
        number = glyphs.number(whole)
        if number is None:
            return None
        decimals = "".join(str(glyphs.HAN_DIGITS[digit]) for digit in fraction if digit in glyphs.HAN_DIGITS)
        return float(f"{number}.{decimals}") if decimals else number
    if "分之" in han:
        below, above = (glyphs.number(part) for part in han.split("分之"))
        return round(100 * above / below, 2) if above and below and above < below else None
    tens, _, rest = han.partition("成")
    return glyphs.HAN_DIGITS[tens] * 10 + (5 if rest == "半" else glyphs.HAN_DIGITS.get(rest, 0))
