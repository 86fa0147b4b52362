"""From text to a :class:`~.model.Reading`: refusal of what is no plan, and the wording of each unit of work."""

import re
from bisect import bisect_right
from datetime import date
from itertools import pairwise

from . import dates, glyphs, head, targets, units, works
from .errors import EmptyFile, NotAPlan, TooLarge, UndecodableText
from .model import Article, Certainty, Doubt, Finding, Kind, Reading
from .works import Section, Work

MAX_CHARACTERS = 1_000_000
"""The longest text that is read; the longest plans have some 200,000 characters."""
_HEADING = 30  # a heading longer than this has lost its full stop
_HEADING_MOST = 50
_CONNECTOR = re.compile(r"按照|根据|依据|围绕|依托|结合|针对|聚焦|对照|通过|立足|为了|遵循")
_COLON_HEADING = re.compile(r"[^,。;:!?\n]{2,20}:")
_DASHED_HEADING = re.compile(r"([^,。;:!?\n—]{2,10}?)\s*——")  # 基本原则——坚持…, its line break lost
_SENTENCE_END = re.compile(r"[。!?]")
_GAP = re.compile(r"[ \t]{2,}")
_PLAN_TITLE = re.compile(
    r"方案|计划|要点|意见|规划|分工|任务|措施|举措|清单|行动|工作安排|分解|责任书|台账|目标"
)
_BARE_PLAN_TITLE = re.compile(r"方案|计划|要点|意见|规划|行动|工作安排")  # a plan even where nobody is named
_OTHER_TITLE = re.compile(r"(?:解读|问答|新闻|报道|公示|公告|名单)$")
_LAW_TITLE = re.compile(r"(?:条例|规定|办法|细则|规则|章程|决定|法)(?:\([^()]*\))?$")
_LAW_CLAUSE = re.compile(rf"^[ \t#*]*第[{glyphs.HAN}]{{1,5}}条", re.MULTILINE)
_FIRST_IS_LEAD = re.compile(
    r"(?:第一位|首位|首个|排名第一|列第一|排在第一)[^。\n]{0,12}(?:为|是)[^。\n]{0,4}牵头"
)
_OTHER_DOCUMENTS = re.compile(r"《[^《》\n]{1,120}》(?:\([^()\n]{1,40}\))?|<[^<>\n]{1,120}>")


def read_text(text: str) -> Reading:
    """Read a plan from its text.

    Raises :class:`~.errors.EmptyFile`, :class:`~.errors.TooLarge`, :class:`~.errors.UndecodableText` (garbled text) or
    :class:`~.errors.NotAPlan`.
    """
    text = glyphs.clean(text)
    if not text.strip():
        raise EmptyFile
    _refuse_garbled(text)
    if _is_data_table(glyphs.shadow(text[:20_000])):
        raise NotAPlan(("内容是逗号分隔的数据表，不是公文",))
    if len(text) > MAX_CHARACTERS:
        raise TooLarge("文字超过 100 万字。")
    shade = glyphs.shadow(text)
    parts = works.sections(text, shade)
    best = max(parts, key=lambda part: (part.assigned, len(part.works) if not part.start else 0, -part.start))
    body_start = min([len(shade), *(item.start for item in (*best.works, *best.chapters))])
    facts = head.read_head(text, shade, body_start, best.end)
    _refuse_other_texts(shade, best, facts)
    return _assemble(text, shade, best, facts)


def read_article(text: str, no: int, start: int, end: int, day: date | None) -> tuple[Article, list[Doubt]]:
    """Read a stretch of a text that was read before as one article, where a person says that one begins.

    ``day`` is the day of the document, to which relative deadlines refer. The article ends where its units are named,
    or before a signature; at ``end`` at the latest.
    """
    shade = glyphs.shadow(text)
    work = works.alone(text, shade, start, end)
    masked = _mask(shade, Section(start, end, [work], [], []))
    base = dates.Base(day, day.year, True, "年份取自成文日期") if day else dates.Base()
    doubts: list[Doubt] = []
    article = _article(text, shade, masked, work, no, base, "责任单位列第一位，按惯例为牵头单位", doubts)
    return article, doubts


# -- refusals ----------------------------------------------------------------------------------------------------


def _refuse_garbled(text: str) -> None:
    sample = text[:20_000]
    letters = [character for character in sample if not character.isspace()]
    lost = sum(
        character == "\N{REPLACEMENT CHARACTER}" or "\ue000" <= character <= "\uf8ff" for character in letters
    )
    latin = sum("\x80" <= character <= "\u024f" and character not in "·×÷°±§" for character in letters)
    as_gbk = sum(map(sample.count, "锛銆鐨"))  # what ，。的 become when UTF-8 is taken for GBK
    if (
        lost * 20 > len(letters)
        or latin * 5 > len(letters)
        or as_gbk * 40 > len(letters)
        or "锟斤拷" in sample
    ):
        raise UndecodableText


def _is_data_table(start: str) -> bool:
    """Tell whether the text is a file of comma-separated values: a header of short names, then rows to match."""
    lines = [line for line in start.split("\n") if line.strip()][:40]
    if len(lines) < 3:
        return False
    commas = lines[0].count(",")
    header = [name.strip(' "') for name in lines[0].split(",")]
    if commas < 2 or any(not name or len(name) > 20 or re.search(r"[。;:!?()]", name) for name in header):
        return False
    return sum(line.count(",") >= commas for line in lines[1:]) * 2 > len(lines) - 1


def _refuse_other_texts(shade: str, section: Section, facts: head.Head) -> None:
    title = glyphs.shadow(facts.title.value) if facts.title else ""
    kind = "" if _OTHER_TITLE.search(title) else title
    count, assigned = len(section.works), section.assigned
    like_law = len(_LAW_CLAUSE.findall(shade)) > 4
    if assigned and assigned * 10 >= count and (count > 1 or _PLAN_TITLE.search(kind)):
        return
    if (
        not assigned
        and count > 2
        and _BARE_PLAN_TITLE.search(kind)
        and not (like_law and _LAW_TITLE.search(kind))
    ):
        return
    reasons = []
    if count < 2:
        reasons.append("没有连续编号的条目")
    if not assigned:
        reasons.append("没有写责任单位（牵头、配合、负责的单位）")
    elif assigned * 10 < count:
        reasons.append(f"{count}个编号条目中只有{assigned}个写了责任单位")
    if like_law and not assigned:
        reasons.append("按“第几条”编写，像法规制度")
    if not title:
        reasons.append("没有方案、计划、意见一类的标题")
    elif not _PLAN_TITLE.search(kind):
        reasons.append(f"标题“{facts.title.value[:40]}”不是方案、计划、意见、任务分工一类")
    raise NotAPlan(tuple(reasons))


# -- assembly ----------------------------------------------------------------------------------------------------


def _assemble(text: str, shade: str, section: Section, facts: head.Head) -> Reading:
    stated = [found for found in (facts.number, facts.title, facts.issuer, facts.date) if found is not None]
    doubts = [_doubt(None, finding) for finding in stated if not finding.sure]
    doubts += [_remark(None, text, *note) for note in (*facts.notes, *section.notes)]
    nos = _article_numbers(section.works)
    if nos != [work.number for work in section.works]:
        doubts.append(Doubt(None, "", f"条目编号各章重新开始或层级不一，已按出现次序编为1到{len(nos)}"))
    if not section.assigned:
        doubts.append(Doubt(None, "", "全文没有写责任单位"))
    convention = "责任单位列第一位，按惯例为牵头单位"
    if _FIRST_IS_LEAD.search(shade):
        convention = "责任单位列第一位，文中说明第一位为牵头"
    masked = _mask(shade, section)
    articles = [
        _article(text, shade, masked, work, no, facts.base, convention, doubts)
        for work, no in zip(section.works, nos, strict=True)
    ]
    starts = [work.start for work in section.works]
    for cite in facts.cites:
        if not cite.sure:
            index = bisect_right(starts, cite.start) - 1
            inside = index >= 0 and cite.start < section.works[index].end
            doubts.append(_doubt(nos[index] if inside else None, cite))
    doubts.sort(key=lambda doubt: (doubt.article is not None, doubt.article or 0))
    return Reading(
        text, facts.number, facts.title, facts.issuer, facts.date, facts.cites,
        tuple(section.chapters), tuple(articles), tuple(doubts),
    )  # fmt: skip


def _article_numbers(found: list[Work]) -> list[int]:
    """Return the printed numbers if they run through the document, else the positions."""
    numbers = [work.number for work in found]
    if (
        None not in numbers
        and len({work.chain for work in found}) == 1
        and all(a < b for a, b in pairwise(numbers))
    ):
        return numbers
    return list(range(1, len(found) + 1))


def _mask(shade: str, section: Section) -> str:
    """Blank out titles of other documents and responsible units, whose dates and numbers are not this plan's."""
    regions = [match.span() for match in _OTHER_DOCUMENTS.finditer(shade)]
    regions += [(naming.start, naming.end) for work in section.works for naming in work.namings]
    return works.blank(shade, sorted(regions), "\x00")


def _article(text, shade, masked, work, no, base, convention, doubts) -> Article:
    """Read one unit of work; what a person must check is added to ``doubts``."""
    doubts += [_remark(no, text, *doubt) for doubt in work.doubts]
    stop = work.spans[-1][1]
    for naming in reversed(work.namings):
        if not (
            work.start <= naming.start < naming.end <= stop
            and re.fullmatch(r"[\s。;,.]*", shade[naming.end : stop])
        ):
            break
        stop = naming.start
    title, body_start = _heading(text, shade, work.spans[0][0], min(stop, work.spans[0][1]))
    spans = [*work.spans[:-1], (work.spans[-1][0], stop)]
    lines = [line.strip() for left, right in spans for line in text[left:right].split("\n")]
    lead, helpers, open_sets = _responsible(text, work, no, convention, doubts)
    deadlines: list[Finding] = []
    for left, right in work.spans:
        deadlines += dates.deadlines(text, masked, left, right, base)
    for left, right in [
        *(time for naming in work.namings for time in naming.clause.times),
        *filter(None, [work.time]),
    ]:
        deadlines += dates.cell_deadline(text, shade, left, right, base)
    times = [finding.span for finding in deadlines]
    measures = [
        found for left, right in work.spans for found in targets.targets(text, masked, left, right, times)
    ]
    doubts += [_doubt(no, found) for found in (title, *deadlines, *measures) if not found.sure]
    return Article(
        no, work.label, work.chapter, work.section, title, "\n".join(filter(None, lines)), work.start, work.end, body_start,
        lead, tuple(helpers), tuple(open_sets), tuple(deadlines), tuple(measures),
    )  # fmt: skip


def _heading(text: str, shade: str, start: int, end: int) -> tuple[Finding, int]:
    """Return the heading of an article and where the wording after it begins."""
    while start < end and shade[start] in " \t\n*#>:、.":
        start += 1

    def heading(stop: int, following: int, why: str, certainty: Certainty = "sure") -> tuple[Finding, int]:
        raw = text[start:stop]
        return Finding("heading", works.one_line(raw), raw, start, stop, certainty, why), following

    line = shade.find("\n", start, end)
    line = end if line < 0 else line
    dash = _DASHED_HEADING.match(shade, start, line)
    if dash:
        return heading(dash.end(1), dash.end(1), "破折号前")
    colon = _COLON_HEADING.match(shade, start, line)
    if colon:
        return heading(colon.end() - 1, colon.end(), "冒号前")
    full_stop = _SENTENCE_END.search(shade, start, line)
    stop, following = full_stop.span() if full_stop else (line, line)
    if stop - start <= _HEADING:
        return heading(stop, following, "第一个句号前" if full_stop else "单独一行")
    connector = _CONNECTOR.search(shade, start + 4, start + _HEADING)
    if connector:
        cut = connector.start()
        return heading(cut, cut, f"标题后缺句号，按“{connector.group()}”断开，请核对", "doubtful")
    gap = _GAP.search(shade, start + 2, start + _HEADING)
    if gap:
        return heading(gap.start(), gap.end(), "标题后缺句号，按空格断开，请核对", "doubtful")
    if stop - start <= _HEADING_MOST and shade[following:end].strip():
        return heading(stop, following, "第一个句号前")
    comma = next((at for at in range(start + 4, min(stop, start + _HEADING_MOST)) if shade[at] in ",;"), None)
    if comma is not None:
        return heading(comma, start, "没有单独的标题，取第一个逗号前的文字", "doubtful")
    return heading(stop, start, "没有单独的标题，取第一句", "doubtful")


def _responsible(text, work, no, convention, doubts):
    """Merge the places that name units: who leads, who helps, and which sets stay open."""
    first_kind = ""
    for naming in work.namings:
        clause = naming.clause
        doubts += [_remark(no, text, *note) for note in clause.notes]
        if naming.note:
            doubts.append(_remark(no, text, naming.start, naming.end, naming.note))
        roles = {member.role for member in clause.members}
        kind = "lead" if "lead" in roles else "plain" if "plain" in roles else ""
        if first_kind and kind and (kind == "lead" or first_kind == "plain"):
            doubts.append(
                _remark(no, text, naming.start, naming.end, "本条不止一处责任单位，已合并，牵头取第一处")
            )
        first_kind = first_kind or kind
    by_name: dict[str, units.Member] = {}
    for naming in work.namings:
        for member in naming.clause.members:
            by_name.setdefault(member.name, member)
    members = list(by_name.values())
    lead = _lead(text, work, members, no, convention, doubts)
    helpers = [
        _finding("helper", text, member, member.why or "责任单位", "sure" if member.sure else "doubtful")
        for member in members
        if not member.open_set and (lead is None or member.start != lead.start)
    ]
    doubts += [_doubt(no, found) for found in helpers if not found.sure]
    open_sets = [_finding("open_set", text, member, member.why) for member in members if member.open_set]
    return lead, helpers, open_sets


def _lead(text, work, members, no, convention, doubts) -> Finding | None:
    """Return who leads: whoever is said to, else by convention the first unit of a plain list, else nobody."""
    named = [member for member in members if not member.open_set]
    leading = [member for member in named if member.role == "lead"]
    plain = [member for member in members if member.role == "plain"]
    labelled = any(naming.clause.labelled for naming in work.namings)
    lead = None
    if leading:
        lead = _finding("lead", text, leading[0], "写明牵头")
        if len(leading) > 1:
            span = leading[0].start, leading[-1].end
            doubts.append(_remark(no, text, *span, "牵头单位不止一个，取第一个，其余列入配合"))
    elif plain and not plain[0].open_set and all(member.role != "lead" for member in members):
        if len(members) == 1:
            lead = _finding("lead", text, plain[0], "唯一的责任单位")
        elif labelled:
            lead = _finding("lead", text, plain[0], convention)
        else:
            lead = _finding("lead", text, plain[0], "没有写明牵头，按惯例取列第一位的单位", "doubtful")
            doubts.append(_doubt(no, lead))
    elif members:
        why = (
            "没有写明牵头，第一位不是具体单位，牵头单位空缺"
            if named
            else "责任单位只写了范围，没有具体单位，牵头单位空缺"
        )
        doubts.append(_remark(no, text, members[0].start, members[-1].end, why))
    if lead is not None:
        member = next(member for member in named if member.start == lead.start)
        if not member.sure:
            doubts.append(_remark(no, text, member.start, member.end, member.why))
    return lead


def _finding(kind: Kind, text: str, member: units.Member, why: str, certainty: Certainty = "sure") -> Finding:
    raw = text[member.start : member.end]
    return Finding(kind, works.one_line(raw), raw, member.start, member.end, certainty, why)


def _doubt(no: int | None, finding: Finding) -> Doubt:
    return Doubt(no, finding.text, finding.why, finding.start, finding.end)


def _remark(no: int | None, text: str, start: int, end: int, why: str) -> Doubt:
    return Doubt(no, text[start:end], why, start, end)
