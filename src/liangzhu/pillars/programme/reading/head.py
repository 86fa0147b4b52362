"""Facts about the document as a whole: 发文字号, title, issuer, 成文日期, cited documents.

Web pages lose ``〕`` and 年, 月, 日 in conversion: ``县政发〔2022114`` stands for number 114 of 2022, ``2022826`` for 26
August.  The repair follows 《党政机关公文处理工作条例》 (a document number is code, four-digit year, number without
leading zeros) and is called sure only when another place of the text confirms it.
"""

import datetime
import re
from dataclasses import dataclass, replace

from . import dates
from .glyphs import shadow
from .model import Finding
from .outline import run_together
from .units import looks_like_unit

_CODE = r"[一-鿿]{1,14}"
_NUMBER = re.compile(
    rf"(?P<code>{_CODE})(?:"
    r" ?[〔\[(【［] ?(?P<year>\d{4}) ?年? ?[〕\])】］] ?第?(?P<serial>\d{1,5}) ?号?"
    r"|[〔\[【](?P<joined>\d{5,9}) ?号?"
    r"|(?P<open_year>(?:19|20)\d{2})[〕】](?P<open_serial>\d{1,5}) ?号?"
    r"|(?P<bare>(?:19|20)\d{3,7})号)",
    re.ASCII,
)
_CODE_END = re.compile(r"(?:发|函|办|字|规|令|通|电|传|政|委|府|厅|局|组|告|秘|文|议|复|明|笺)$")
_PROSE = re.compile(
    r".*(?:按照|根据|依据|贯彻|落实|印发|转发|执行|文件|字号|文号|编号|的|了|和|及|与|由|对|将|即|见|以|为|号|中|届|年|月|日|下称)(?=.)"
)
_ORDER = re.compile(
    r"(?P<name>[一-鿿]{1,18}令) ?(?:[〔\[(]\d{4}[〕\])] ?)?(?:第 ?)?\d{1,4} ?号|(?P<before>[一-鿿]{0,14})第 ?\d{1,4} ?号令",
    re.ASCII,
)
_LABELLED_NUMBER = re.compile(r"(?:文|发文字)[ \t]*号[ \t]*:?[ \t]*$|发文文号[ \t]*:?[ \t]*$")
_KINDS = r"通知|意见|方案|计划|要点|规划|分工|决定|措施|清单|任务书|安排|办法|通报|通告|公告|批复|函|细则|预案|纲要|行动|分解表?|任务表|分工表|责任书|台账|若干政策|报告|举措|(?:重点|工作|目标)任务"
_TITLE_END = re.compile(rf"(?:{_KINDS})(?:\((?:[^()]{{1,20}})\))?$")
_NOTICE = re.compile(r"关于.*(?:通知|意见|决定|方案|计划|函|办法|批复|通报)(?:\([^()]{1,20}\))?$")
_NOT_TITLE = re.compile(
    r"[。;:!?]|^(?:附|抄送|各|一、|第一)|您当前|位置|首页|政策解读|^\d(?!\d{3}年)|^《[^》]*》(?:已|经|业)|下载"
)
_TITLE_LABEL = re.compile(
    r"^[ \t]*(?:标[ \t]*题|名[ \t]*称|文件名称|信息名称|公文名称)[ \t]*:?[ \t]+|^[ \t]*(?:标[ \t]*题|名[ \t]*称)[ \t]*:[ \t]*"
)
_DATE_LABEL = re.compile(
    r"(?P<made>成[ \t]*文[ \t]*日[ \t]*期|发[ \t]*文[ \t]*日[ \t]*期|签发日期|制发日期)|(?P<shown>发[ \t]*布[ \t]*(?:日[ \t]*期|时间)|公开日期|生成日期|印发日期|时间|日期)"
)
_ISSUER_LABEL = re.compile(
    r"(?:发[ \t]*文[ \t]*(?:机关|单位|机构)|发布(?:机构|单位)|制发机关|制定机关)[ \t]*:?[ \t]*([一-鿿]{2,30})"
)
_SIGNED = re.compile(r"(?:人民政府|政府|办公室|办公厅|委员会|管委会|领导小组|指挥部|办事处|国务院)$")
_HEAD_LIMIT, _TAIL_LIMIT = 6000, 4000


@dataclass(frozen=True, slots=True)
class Head:
    """The facts and, in ``notes``, what a person must know about those that are missing: (start, end, why)."""

    number: Finding | None
    title: Finding | None
    issuer: Finding | None
    date: Finding | None
    cites: tuple[Finding, ...]
    base: dates.Base
    notes: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    text: str  # shadow, trimmed


def read_head(text: str, shade: str, body_start: int, body_end: int) -> Head:
    """Read the facts; ``body_start:body_end`` is where the articles stand, the head is before and the tail after."""
    head_lines = _lines(shade, 0, min(body_start, _HEAD_LIMIT))
    tail_lines = _lines(shade, max(body_end, len(shade) - _TAIL_LIMIT), len(shade))
    notes: list[tuple[int, int, str]] = []
    number, cites = _numbers(text, shade, head_lines)
    if number is None:
        notes.append((0, 0, "没有找到发文字号"))
    title = _title(text, shade, head_lines)
    if title is None:
        notes.append((0, 0, "没有找到文件标题"))
    date, date_line = _date(text, shade, head_lines, tail_lines, notes)
    issuer = _issuer(text, shade, head_lines, tail_lines, date_line, title)
    if issuer is None:
        notes.append((0, 0, "没有找到发文机关"))
    return Head(number, title, issuer, date, cites, _base(number, title, date, date_line), tuple(notes))


def _lines(shade: str, start: int, end: int) -> list[_Line]:
    found = []
    # Where line breaks became spaces, the pieces between spaces are the lines.
    for match in re.finditer(r"[^\n ]+" if run_together(shade) else r"[^\n]+", shade[start:end]):
        raw = match.group()
        trimmed = raw.strip(" \t#*|")
        if trimmed:
            left = start + match.start() + raw.index(trimmed[0])
            found.append(_Line(left, left + len(trimmed), trimmed))
    return found


# -- document numbers --------------------------------------------------------------------------------------------


def _numbers(text, shade, head_lines):
    """Return the document's own number and the cited ones, in order of their first occurrence."""
    found: list[tuple[Finding, bool]] = []  # with: stands where a document's own number stands
    alone = {line.start: line for line in head_lines}
    for match in _NUMBER.finditer(shade):
        finding = _number(text, shade, match)
        if finding is None:
            continue
        line = alone.get(finding.start)
        before = shade[max(0, finding.start - 20) : finding.start]
        own = finding.start < (head_lines[-1].end if head_lines else 0) and bool(
            (line and re.fullmatch(r"号?\s*(?:签发人.*)?", shade[finding.end : line.end]))
            or _LABELLED_NUMBER.search(before)
        )
        found.append((finding, own))
    for match in _ORDER.finditer(shade):
        start = match.start() + _prose_length(match["name"] or match["before"] or "")
        raw = text[start : match.end()]
        found.append(
            (
                Finding(
                    "cite", raw.replace(" ", ""), raw, start, match.end(), "sure", "以令发布的文件，按原文"
                ),
                False,
            )
        )
    found.sort(key=lambda pair: pair[0].start)
    best: dict[str, Finding] = {}
    repaired: set[str] = set()
    intact: set[str] = set()
    for finding, _ in found:
        (intact if finding.sure else repaired).add(finding.value)
        kept = best.get(finding.value)
        if kept is None:
            best[finding.value] = finding
    confirmed = repaired & intact
    own_value = next((f.value for f, own in found if own and f.sure), None) or next(
        (f.value for f, own in found if own), None
    )
    number, cites = None, []
    for value, finding in best.items():
        if value in confirmed:
            finding = replace(finding, certainty="sure", why="转换时丢了括号，已按另一处完整的文号核对")
        if value == own_value:
            own = next((f for f, is_own in found if is_own and f.value == value and f.sure), finding)
            number = replace(own, kind="number", why=own.why or "文件头的发文字号")
        else:
            cites.append(finding)
    return number, tuple(cites)


def _number(text, shade, match):
    start = match.start() + _prose_length(match["code"])
    code = shade[start : match.end("code")]
    if not _CODE_END.search(code):
        return None
    joined = match["joined"] or match["bare"]
    year, serial = match["year"] or match["open_year"], match["serial"] or match["open_serial"]
    if joined:
        year, serial = joined[:4], joined[4:]
    if not 1949 <= int(year) <= 2099 or not serial.strip("0"):
        return None
    value = f"{text[start : match.end('code')]}〔{year}〕{int(serial)}号"
    raw = text[start : match.end()]
    intact = bool(match["year"]) and raw.rstrip().endswith("号")
    if serial.startswith("0"):
        intact = False
    why = "" if intact else f"原文为“{raw}”，转换时丢了括号或“号”，已修复，请核对"
    return Finding("cite", value, raw, start, match.end(), "sure" if intact else "doubtful", why)


def _prose_length(name: str) -> int:
    """Return how many characters in front of an agency's code belong to the sentence, not to the code."""
    prose = _PROSE.match(name)
    return prose.end() if prose else 0


# -- title -------------------------------------------------------------------------------------------------------


def _title(text, shade, lines):
    """Find the title: a labelled line or up to five short lines that together end as titles end."""
    labelled = ""
    for line in lines[:60]:
        match = _TITLE_LABEL.match(line.text)
        if match and _TITLE_END.search(line.text):
            labelled = re.sub(r"\s", "", line.text[match.end() :])
            break
    candidates = []
    for first in range(min(len(lines), 120)):
        value = ""
        for last in range(first, min(first + 5, len(lines))):
            line = lines[last]
            if _NOT_TITLE.search(line.text) or len(line.text) > 90 or _TITLE_LABEL.match(line.text):
                break
            if last > first and shade.count("\n", lines[last - 1].end, line.start) > 3:
                break
            value += re.sub(r"\s", "", text[line.start : line.end])
            if len(value) > 140 or (last > first and dates.FULL_DATE.fullmatch(line.text)):
                break
            if len(value) >= 6 and _TITLE_END.search(line.text):
                candidates.append((value, lines[first].start, line.end, last - first))
                break
    if not candidates:
        if labelled:
            position = next(line for line in lines if re.sub(r"\s", "", line.text).endswith(labelled))
            start = shade.index(labelled[0], position.start)
            return Finding(
                "title", labelled, text[start : position.end], start, position.end, "sure", "取自“标题”栏"
            )
        return None
    plain = [shadow(value) for value, *_ in candidates]

    def rank(index: int) -> tuple:
        extra_lines = candidates[index][3]
        return (
            plain[index] == labelled,
            bool(_NOTICE.search(plain[index])) and bool(re.match(r".{0,40}关于", plain[index])),
            bool(_issuer_in_front(plain[index])),
            plain.count(plain[index]),
            -extra_lines,
            -index,
        )

    value, start, end, extra_lines = candidates[max(range(len(candidates)), key=rank)]
    why = "标题分行，已连接" if extra_lines else "文件标题"
    return Finding("title", value, text[start:end], start, end, "sure", why)


def _issuer_in_front(title: str) -> re.Match[str] | None:
    """Match the issuing body with which a title begins: X关于印发…的通知."""
    prefix = re.match(r"(.{2,40}?)关于", title)
    return prefix if prefix and (looks_like_unit(prefix[1]) or _SIGNED.search(prefix[1])) else None


# -- date and issuer ---------------------------------------------------------------------------------------------


def _date(text, shade, head_lines, tail_lines, notes):
    """Return the date of the document (成文日期) and the line on which it stands."""
    evidence: dict[datetime.date, str] = {}
    stated: list[tuple[datetime.date, int, int, str]] = []
    for line in head_lines + tail_lines:
        for match in dates.FULL_DATE.finditer(line.text):
            value = dates.full_date(match)
            if value is None:
                continue
            before, after = line.text[: match.start()], line.text[match.end() : match.end() + 3]
            label = max(_DATE_LABEL.finditer(before[-16:]), key=lambda found: found.start(), default=None)
            place = (line.start + match.start(), line.start + match.end())
            if label and label["made"]:
                stated.append((value, *place, "取自“成文（发文）日期”栏"))
                evidence.setdefault(value, "成文日期栏")
            elif label:
                evidence.setdefault(value, "发布日期")
            elif after.startswith("印发"):
                evidence.setdefault(value, "印发日期")
    lines = head_lines + tail_lines
    whole = [
        line for line in lines if (found := dates.FULL_DATE.fullmatch(line.text)) and dates.full_date(found)
    ]
    broken = [line for line in lines if dates.BARE_DIGITS.fullmatch(line.text)]
    # A line such as 2022-08-26 without a body above it was put there by the page.
    for line in [
        *(one for one in whole if _signature_above(lines, one)),
        *(one for one in whole if "年" in one.text),
    ]:
        value = dates.full_date(dates.FULL_DATE.fullmatch(line.text))
        return Finding(
            "date", value, text[line.start : line.end], line.start, line.end, "sure", "落款日期"
        ), line
    for line in whole:
        evidence.setdefault(dates.full_date(dates.FULL_DATE.fullmatch(line.text)), "网页上的日期")
    for line in [*(one for one in broken if _signature_above(lines, one)), *broken]:
        year, rest = dates.BARE_DIGITS.fullmatch(line.text).groups()
        possible = dates.decompositions(year, rest)
        if not possible:
            continue
        raw = text[line.start : line.end]
        confirmed = [value for value in possible if value in evidence]
        if len(confirmed) == 1:
            why = f"原文“{raw}”丢了年、月、日，与{evidence[confirmed[0]]}一致"
            return Finding("date", confirmed[0], raw, line.start, line.end, "sure", why), line
        guesses = "或".join(value.isoformat() for value in possible)
        why = f"日期“{raw}”丢了年、月、日，可能是{guesses}，没有别处可以印证，请填写"
        return Finding("date", None, raw, line.start, line.end, "doubtful", why), line
    inline = _inline_signature(shade, tail_lines) or _inline_signature(shade, head_lines)
    if inline:
        match, line = inline
        place = (line.start + match.start("date"), line.start + match.end("date"))
        value = dates.full_date(dates.FULL_DATE.match(match["date"]))
        return Finding("date", value, text[slice(*place)], *place, "sure", "文末落款日期"), line
    if stated:
        value, start, end, why = stated[0]
        return Finding("date", value, text[start:end], start, end, "sure", why), None
    if evidence:
        value, source = next(iter(evidence.items()))
        for line in lines:
            for match in dates.FULL_DATE.finditer(line.text):
                if dates.full_date(match) == value:
                    start, end = line.start + match.start(), line.start + match.end()
                    why = f"没有成文日期，暂取{source}，请核对"
                    return Finding("date", value, text[start:end], start, end, "doubtful", why), None
    notes.append((0, 0, "没有找到成文日期"))
    return None, None


_INLINE = re.compile(
    rf"(?:^|[。!)\]] ?)(?P<issuer>[一-鿿]{{3,30}}?) ?(?P<date>{dates.FULL_DATE.pattern})(?= ?(?:\((?:此件|公开)|$|印发))",
    re.ASCII,
)


def _inline_signature(shade, lines):
    for line in lines:
        window = line.text[-400:]
        for match in _INLINE.finditer(window):
            if looks_like_unit(match["issuer"]) or _SIGNED.search(match["issuer"]):
                shift = len(line.text) - len(window)
                return match, _Line(line.start + shift, line.end, window)
    return None


def _signature_above(lines, line):
    """Return the lines above a date that name the issuing bodies."""
    index = lines.index(line)
    found = []
    for above in reversed(lines[max(0, index - 8) : index]):
        names = re.split(r"[ \t]{1,}", above.text)
        joined = "".join(names)
        if len(joined) > 60 or re.search(r"[,。;:!?、]", joined):
            break
        each = all(looks_like_unit(name) or _SIGNED.search(name) for name in names)
        if not each and not (looks_like_unit(joined) and len(joined) <= 30):
            break
        found.insert(0, above)
    return found


def _issuer(text, shade, head_lines, tail_lines, date_line, title):
    lines = head_lines + tail_lines
    if date_line is not None and date_line in lines:
        above = _signature_above(lines, date_line)
        if above:
            names = []
            for line in above:
                raw = text[line.start : line.end]
                parts = [part for part in re.split(r"\s{2,}|\t", raw) if part]
                names += [re.sub(r"\s", "", part) for part in parts]
            start, end = above[0].start, above[-1].end
            return Finding("issuer", "、".join(names), text[start:end], start, end, "sure", "落款")
    for group in (tail_lines, head_lines):
        inline = _inline_signature(shade, group)
        if inline:
            match, line = inline
            start, end = line.start + match.start("issuer"), line.start + match.end("issuer")
            return Finding("issuer", text[start:end], text[start:end], start, end, "sure", "文末落款")
    if title is not None:
        prefix = _issuer_in_front(title.value)
        if prefix:
            raw_end = title.start + len(prefix[1])
            sure = len(prefix[1]) > 3
            why = "没有落款，取自标题" + ("" if sure else "中的简称，请核对")
            return Finding(
                "issuer",
                prefix[1],
                text[title.start : raw_end],
                title.start,
                raw_end,
                "sure" if sure else "doubtful",
                why,
            )
    for line in head_lines:
        masthead = re.fullmatch(r"([一-鿿]{3,30})文件", line.text)
        if masthead and looks_like_unit(masthead[1]):
            return Finding(
                "issuer", masthead[1], masthead[1], line.start, line.start + len(masthead[1]), "sure", "版头"
            )
    for line in head_lines:
        label = _ISSUER_LABEL.search(line.text)
        if label:
            start, end = line.start + label.start(1), line.start + label.end(1)
            sure = looks_like_unit(label[1])
            why = "取自发布机构栏" + ("" if sure else "，不像完整的机关名称，请核对")
            return Finding(
                "issuer", text[start:end], text[start:end], start, end, "sure" if sure else "doubtful", why
            )
    return None


def _year_of_title(title: Finding | None) -> int | None:
    """Return the one year that a title speaks of (2023年工作要点), ``None`` for a range of years."""
    wording = shadow(title.value) if title is not None else ""
    years = set(re.findall(r"(?<!\d)(20\d\d)年", wording))
    return int(years.pop()) if len(years) == 1 and not re.search(r"\d{4}年?[-—–~至]", wording) else None


def _base(number, title, date, date_line) -> dates.Base:
    """Return what relative deadlines refer to: the date, where that is missing the year of the title or the number."""
    titled = _year_of_title(title)
    if date is not None and date.value is not None:
        if titled == date.value.year + 1:  # next year's plan, issued in December
            return dates.Base(date.value, titled, False, "年份取自标题")
        return dates.Base(date.value, date.value.year, date.sure, "年份取自成文日期")
    if titled:
        return dates.Base(None, titled, False, "年份取自标题")
    if date_line is not None and date_line.text[:4].isdigit():
        return dates.Base(None, int(date_line.text[:4]), False, "年份取自残缺的成文日期")
    if number is not None:
        return dates.Base(None, int(re.search(r"〔(\d{4})〕", number.value)[1]), False, "年份取自文号")
    return dates.Base()
