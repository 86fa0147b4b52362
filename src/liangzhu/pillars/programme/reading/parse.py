"""From text to a :class:`~.model.Reading`: which numbered items are the units of work, and what each one says."""

import re
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from . import dates, glyphs, head, outline, tables, targets, units
from .errors import EmptyFile, NotAPlan, TooLarge, UndecodableText
from .model import Article, Doubt, Finding, Reading

MAX_CHARACTERS = 5_000_000
_CLAUSE_LIMIT = 3000
_HEADING = 30  # a heading longer than this has lost its full stop
_HEADING_MOST = 50
_CONNECTOR = re.compile(r"按照|根据|依据|围绕|依托|结合|针对|聚焦|对照|通过|立足|为了|遵循")
_PLAN_TITLE = re.compile(
    r"方案|计划|要点|意见|规划|分工|任务|措施|举措|清单|行动|工作安排|分解|责任书|台账|目标"
)
_LAW_TITLE = re.compile(r"(?:条例|规定|办法|细则|规则|章程|决定|法)(?:\([^()]*\))?$")
_OTHER_TITLE = re.compile(r"(?:解读|问答|新闻|报道|公示|公告|名单)$")
_OPENING = re.compile(r"(?P<bracket>[(〔\[【])[ \t]*|(?:^|(?<=[。;]))(?P<line>[ \t]*)", re.MULTILINE)
_ENDS_ITEM = re.compile(r"[。;,.\s]*?(?:\n|\Z)|[。;]?(?=\()")
_FIRST_IS_LEAD = re.compile(
    r"(?:第一位|首位|首个|排名第一|列第一|排在第一)[^。\n]{0,12}(?:为|是)[^。\n]{0,4}牵头"
)


@dataclass(eq=False)
class _Found:
    """A clause of responsible units with its place, its brackets included."""

    start: int
    end: int
    clause: units.Clause
    own_line: bool
    note: str = ""


@dataclass(eq=False)
class _Draft:
    """An article before its wording is read."""

    start: int
    end: int
    label: str
    number: int | None
    spans: list[tuple[int, int]]
    clauses: list[_Found]
    chapter: str = ""
    section: str = ""
    cell_time: tuple[int, int] | None = None
    doubts: list[tuple[int, int, str]] = field(default_factory=list)
    node: outline.Node | None = None


@dataclass(eq=False)
class _Section:
    drafts: list[_Draft]
    chapters: list[Finding]
    notes: list[tuple[int, int, str]]
    start: int
    end: int

    @property
    def assigned(self) -> int:
        """Return how many articles name somebody."""
        return sum(any(found.clause.members for found in draft.clauses) for draft in self.drafts)


def read_text(text: str) -> Reading:
    """Read a plan from its text.

    Raises :class:`~.errors.EmptyFile`, :class:`~.errors.TooLarge`, :class:`~.errors.UndecodableText` (garbled text) or
    :class:`~.errors.NotAPlan`.
    """
    text = glyphs.clean(text)
    if not text.strip():
        raise EmptyFile
    if len(text) > MAX_CHARACTERS:
        raise TooLarge("文字超过 500 万字。")
    _refuse_garbled(text)
    shade = glyphs.shadow(text)
    if _is_data_table(shade):
        raise NotAPlan(("内容是逗号分隔的数据表，不是公文",))
    matched = outline.brackets(shade)
    parts = [_read_section(text, shade, matched, start, end) for start, end in outline.sections(shade)]
    best = max(
        parts, key=lambda part: (part.assigned, len(part.drafts) if not part.start else 0, -part.start)
    )
    body_start = min((draft.start for draft in best.drafts), default=len(shade))
    body_start = min([body_start, *(chapter.start for chapter in best.chapters)])
    facts = head.read_head(text, shade, body_start, best.end)
    _refuse_other_texts(best, facts)
    return _assemble(text, shade, best, facts)


# -- refusals ----------------------------------------------------------------------------------------------------


def _refuse_garbled(text: str) -> None:
    sample = text[:20_000]
    letters = [character for character in sample if not character.isspace()]
    lost = sum(
        character == "\N{REPLACEMENT CHARACTER}" or "\ue000" <= character <= "\uf8ff" for character in letters
    )
    latin = sum("\x80" <= character <= "\u024f" and character not in "·×÷°±§" for character in letters)
    mojibake = sample.count("锟斤拷") + sample.count("烫烫烫") + sample.count("Ã") + sample.count("ï¼")
    if lost * 20 > len(letters) or latin * 5 > len(letters) or mojibake > 5:
        raise UndecodableText


def _is_data_table(shade: str) -> bool:
    """Tell whether the text is a file of comma-separated values: a header of short names, then rows to match."""
    lines = [line for line in shade[:20_000].split("\n") if line.strip()][:40]
    if len(lines) < 3:
        return False
    commas = lines[0].count(",")
    header = [name.strip(' "') for name in lines[0].split(",")]
    if commas < 2 or any(not name or len(name) > 20 or re.search(r"[。;:!?()]", name) for name in header):
        return False
    return sum(line.count(",") >= commas for line in lines[1:]) * 2 > len(lines) - 1


def _refuse_other_texts(section: _Section, facts: head.Head) -> None:
    reasons = []
    title = glyphs.shadow(facts.title.value) if facts.title else ""
    planned = bool(_PLAN_TITLE.search(title)) and not _OTHER_TITLE.search(title)
    count, assigned = len(section.drafts), section.assigned
    by_clauses = sum(draft.label.startswith("第") for draft in section.drafts) * 2 > count
    if assigned and count and (count >= 2 or planned) and assigned * 10 >= count:
        return
    if not assigned and count >= 3 and planned and not (by_clauses and _LAW_TITLE.search(title)):
        return
    if count < 2:
        reasons.append("没有连续编号的条目")
    if not assigned:
        reasons.append("没有写责任单位（牵头、配合、负责的单位）")
    elif assigned * 10 < count:
        reasons.append(f"{count}个编号条目中只有{assigned}个写了责任单位")
    if by_clauses and not assigned:
        reasons.append("按“第几条”编写，像法规制度")
    if not planned:
        reasons.append(
            f"标题“{facts.title.value[:40]}”不是方案、计划、意见、任务分工一类"
            if facts.title
            else "没有方案、计划、意见一类的标题"
        )
    raise NotAPlan(tuple(reasons))


# -- units of work -----------------------------------------------------------------------------------------------


def _read_section(text, shade, matched, start, end) -> _Section:
    end = outline.tail(shade, start, end)
    rows, regions = tables.find(shade, start, end)
    body = shade
    for left, right in regions:
        body = body[:left] + re.sub(r"[^\n]", " ", body[left:right]) + body[right:]
    roots = outline.tree(body, start, end)
    found = _clauses(body, matched, start, end)
    section = _from_outline(text, body, roots, found, start, end)
    if rows:
        tabled = _from_rows(text, shade, rows, start, end)
        if tabled.assigned > section.assigned:
            tabled.notes += section.notes
            return tabled
    return section


def _clauses(shade, matched, start, end) -> list[_Found]:
    """Find every bracket or line that names responsible units."""
    opened: dict[int, str] = {}
    for match in _OPENING.finditer(shade, start, end):
        if units.LABEL.match(shade, match.end(), end):
            opened[match.start() if match["bracket"] else match.end()] = (
                "bracket" if match["bracket"] else "line"
            )
    for position, close in matched.items():
        if start <= position < end and 4 <= close - position <= _CLAUSE_LIMIT and position not in opened:
            opened[position] = "words"
    found: list[_Found] = []
    done = start
    for position in sorted(opened):
        if position < done:
            continue
        kind = opened[position]
        item = (
            _worded(shade, matched, position, end)
            if kind == "words"
            else _labelled(shade, matched, position, end, kind)
        )
        if item and (item.clause.members or item.clause.times or item.clause.notes):
            found.append(item)
            done = item.end
    return found


def _labelled(shade, matched, position, end, kind) -> _Found | None:
    note = ""
    line_end = shade.find("\n", position, end)
    line_end = min(end if line_end < 0 else line_end, position + _CLAUSE_LIMIT)
    if kind == "line":
        if shade[position - 1 : position] in ("。", ";"):
            stop = shade.find("。", position, line_end)
            line_end = stop + 1 if stop >= 0 else line_end
        inside, close = position, line_end
        # 责任单位:A、B) whose opening bracket was lost
        note = "缺左括号" if shade[position:line_end].count(")") > shade[position:line_end].count("(") else ""
    else:
        inside, close = position + 1, matched.get(position)
        if close is None or close > position + _CLAUSE_LIMIT:
            stop = shade.find("。", position, line_end)
            close = stop if stop >= 0 else line_end
            note = "缺右括号"
    clause = units.parse_clause(shade[inside:close], inside, None)
    if clause is None:
        return None
    stop = close if note == "缺右括号" or kind == "line" else close + 1
    return _Found(position, min(stop, end), clause, _own_line(shade, position), note)


def _worded(shade, matched, position, end) -> _Found | None:
    """Read a bracket without a label: (X牵头，Y配合), (由X负责), or nothing but names, at the end of an item."""
    close = matched[position]
    inside = shade[position + 1 : close]
    if "\n" in inside or not re.search(
        r"负责|牵头|职责|会同|配合|协办|、|局$|委$|办$|部$|府$|道$|镇$", inside
    ):
        return None
    before = shade[max(0, position - 3) : position].rstrip()[-1:]
    ends_item = bool(_ENDS_ITEM.match(shade, close + 1, min(end, close + 20))) or outline.starts_marker(
        shade, close + 1
    )
    after_sentence = before in tuple('。;!?”"') or _own_line(shade, position)
    if not (ends_item or after_sentence):
        return None
    clause = units.parse_clause(inside, position + 1, None)
    if clause is None and ends_item:
        clause = units.parse_bare_list(inside, position + 1)
    if clause is None or not clause.members:
        return None
    return _Found(position, close + 1, clause, _own_line(shade, position))


def _own_line(shade: str, position: int) -> bool:
    line = shade.rfind("\n", max(0, position - 20), position)
    if line < 0 and position > 20:
        return False
    return not shade[line + 1 : position].strip()


def _from_outline(text, shade, roots, found, start, end) -> _Section:
    nodes = [node for root in roots for node in root.walk()]
    owned: dict[outline.Node, list[_Found]] = {}
    for item in found:
        node = outline.deepest(roots, item.start)
        if node is not None:
            owned.setdefault(node, []).append(item)
    _lift(nodes, owned)
    style = _main_style(nodes, owned)
    drafts: list[_Draft] = []
    if style is not None:
        carrying = _carrying(nodes, style)
        owning = _carrying(nodes, None, owned)
        for root in roots:
            drafts += _drafts(root, style, carrying, owning, owned)
    notes = [(n.marker.start, n.marker.end, n.marker.flaw) for n in nodes if n.marker.flaw]
    for index, draft in enumerate(drafts):
        _name_parents(text, shade, draft)
        if index == len(drafts) - 1:
            _cut_last(shade, draft)
        draft.spans = [(draft.spans[0][0], draft.end)]
    starts = {draft.start for draft in drafts}
    chapters = []
    if drafts:
        for root in roots:
            if root.start not in starts:
                left, right = root.start, _heading_end(shade, root)
                chapters.append(
                    Finding("chapter", _one_line(text[left:right]), text[left:right], left, right)
                )
    body_end = drafts[-1].end if drafts else end
    return _Section(drafts, chapters, notes, start, body_end)


def _lift(nodes, owned) -> None:
    """Give a bracket behind the last of several sub-items to the item above, where it is always behind the last one."""
    for rank in sorted({node.marker.rank for node in owned}, reverse=True):
        level = [node for node in owned if node.marker.rank == rank and node.parent is not None]
        by_parent: dict[outline.Node, list[outline.Node]] = {}
        for node in level:
            by_parent.setdefault(node.parent, []).append(node)
        if not by_parent or any(node.parent is None for node in owned if node.marker.rank == rank):
            continue

        if all(_liftable(parent, children, rank, owned) for parent, children in by_parent.items()):
            for parent, (child,) in by_parent.items():
                owned[parent] = owned.get(parent, []) + owned.pop(child)


def _liftable(parent, children, rank, owned) -> bool:
    siblings = [child for child in parent.children if child.marker.rank == rank]
    if len(siblings) < 2 or children != siblings[-1:]:
        return False
    return parent.parent is not None or all(item.own_line for item in owned[siblings[-1]])


def _main_style(nodes, owned):
    """Return the level of the outline at which the responsible units stand."""
    counts = Counter(node.style for node in owned if any(item.clause.members for item in owned[node]))
    if not counts:
        counts = Counter(
            node.style for node in nodes if node.marker.style not in ("part", "paren", "half_paren", "sign")
        )
        if not counts:
            return None
        return max(counts, key=lambda style: (counts[style], style[1]))
    style = max(counts, key=lambda style: (counts[style], style[1]))
    # Articles of which some are split into sub-items with a bracket each are still the articles' level.
    carriers = _carrying(nodes, None, owned)
    for upper in sorted(counts, key=lambda one: one[1]):
        if upper[1] >= style[1]:
            break
        groups: dict[object, list[bool]] = {}
        for node in nodes:
            if node.style == upper and node in carriers:
                groups.setdefault(node.parent, []).append(node in owned)
        mixed = [group for group in groups.values() if any(group) and not all(group)]
        if sum(map(sum, mixed)) * 3 >= sum(map(len, mixed)) > 0:
            return upper
    return style


def _carrying(nodes, style, owned=None):
    """Return the nodes that are of ``style`` (or own a clause), together with everything above them."""
    found = set()
    for node in nodes:
        if (node in owned) if owned is not None else (node.style == style):
            while node is not None and node not in found:
                found.add(node)
                node = node.parent
    return found


def _drafts(root, style, carrying, owning, owned):
    """Yield the units of work below ``root`` in document order."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.style == style:
            split = [child for child in node.children if child in owning]
            if node not in owned and len(split) > 1 and 2 * len(split) >= len(node.children):
                for child in node.children:
                    yield _draft(child, owned, label=node.marker, split=True)
            else:
                yield _draft(node, owned)
        elif node in carrying:
            below = list(reversed(node.children))
            waiting += below
            if node in owned:
                # 责任单位 of a whole section: said once, meant for every item below.
                for child in node.walk():
                    if child.style == style and child not in owning:
                        owned[child] = owned[node]
        elif node in owned:
            yield _draft(node, owned)
        elif node in owning:
            waiting += reversed(node.children)


def _draft(node, owned, label=None, split=False) -> _Draft:
    clauses = sorted(
        (item for one in node.walk() for item in owned.get(one, ())), key=lambda item: item.start
    )
    doubts = []
    if (clauses and clauses[0].start < node.start) or any(item.start >= node.end for item in clauses):
        doubts.append(
            (clauses[0].start, clauses[0].end, "责任单位写在上一级标题下，按适用于其中各条理解，请核对")
        )
    return _Draft(
        node.start,
        node.end,
        "",
        None if split else node.marker.number,
        [(node.marker.end, node.end)],
        clauses,
        node=node,
        doubts=doubts,
    )


def _name_parents(text, shade, draft) -> None:
    marker = draft.node.marker
    draft.label = text[marker.start : marker.end].strip()
    above = []
    node = draft.node.parent
    while node is not None:
        above.append(_one_line(text[node.start : _heading_end(shade, node)]))
        node = node.parent
    draft.chapter = above[-1] if above else ""
    draft.section = above[0] if len(above) > 1 else ""


def _heading_end(shade, node) -> int:
    """Return where the heading of a chapter or section ends: line end, full stop or the first marker below it."""
    stop = min(node.end, node.marker.end + 60)
    if node.children:
        stop = min(stop, node.children[0].start)
    for mark in "\n。":
        position = shade.find(mark, node.marker.end, stop)
        if position >= 0:
            stop = position
    return stop


def _cut_last(shade, draft) -> None:
    """End the last article at its bracket, or before the signature, so that closing remarks stay outside."""
    inside = [item for item in draft.clauses if draft.start <= item.start < draft.end]
    if inside:
        draft.end = inside[-1].end
        return
    for match in re.finditer(r"\n[ \t]*(?P<date>[^\n]*)(?=\n|\Z)", shade[draft.start : draft.end]):
        line = match["date"].strip()
        if dates.FULL_DATE.fullmatch(line) or dates.BARE_DIGITS.fullmatch(line):
            draft.end = draft.start + match.start()
            previous = shade.rfind("\n", draft.start, draft.end)
            if previous > 0 and units.looks_like_unit(shade[previous : draft.end].strip()):
                draft.end = previous
            return


def _from_rows(text, shade, rows, start, end) -> _Section:
    drafts = []
    for row in rows:
        members, notes = [], []
        for role, (left, right) in row.units:
            clause = units.parse_clause(shade[left:right], left, role)
            if clause:
                members += clause.members
                notes += clause.notes
        label = shade[slice(*row.index)].strip() if row.index else ""
        number = glyphs.number(label.strip(".、()")) if label else None
        clause = units.Clause(tuple(members), (), tuple(notes))
        drafts.append(
            _Draft(
                row.start, row.end, label, number, list(row.tasks), [_Found(row.start, row.start, clause, True)],
                chapter=_one_line(row.heading), cell_time=row.time,
            )
        )  # fmt: skip
    return _Section(drafts, [], [], start, rows[-1].end)


# -- assembly ----------------------------------------------------------------------------------------------------


def _assemble(text, shade, section, facts) -> Reading:
    base = dates.Base(
        facts.date.value if facts.date else None,
        facts.date.value.year if facts.date and facts.date.value else facts.year,
        bool(facts.date and facts.date.sure),
    )
    doubts: list[Doubt] = []
    for finding in (facts.number, facts.title, facts.issuer, facts.date):
        if finding is not None and not finding.sure:
            doubts.append(_doubt(None, finding))
    doubts += [Doubt(None, text[left:right], why, left, right) for left, right, why in facts.notes]
    numbers = [draft.number for draft in section.drafts]
    printed = None not in numbers and all(a < b for a, b in pairwise(numbers)) and _one_chain(section)
    if not printed and section.drafts:
        doubts.append(Doubt(None, "", f"条目编号各章重新开始或层级不一，已按出现次序编为1到{len(numbers)}"))
    doubts += [Doubt(None, text[left:right], why, left, right) for left, right, why in section.notes]
    if section.drafts and not section.assigned:
        doubts.append(Doubt(None, "", "全文没有写责任单位"))
    articles = []
    convention = "责任单位列第一位" + (
        "，文中说明第一位为牵头" if _FIRST_IS_LEAD.search(shade) else "，按惯例为牵头单位"
    )
    starts = [draft.start for draft in section.drafts]
    nos = numbers if printed else list(range(1, len(numbers) + 1))
    # A plan leaves its date's year to the reader: 10月底前; without a date the year of its number has to do.
    masked = _mask(shade, section)
    for draft, no in zip(section.drafts, nos, strict=True):
        article, found = _article(text, shade, masked, draft, no, base, convention)
        articles.append(article)
        doubts += found
    for cite in facts.cites:
        if not cite.sure:
            index = bisect_right(starts, cite.start) - 1
            within = index >= 0 and cite.start < section.drafts[index].end
            doubts.append(_doubt(nos[index] if within else None, cite))
    doubts.sort(key=lambda doubt: (doubt.article is not None, doubt.article or 0))
    return Reading(
        text, facts.number, facts.title, facts.issuer, facts.date, facts.cites,
        tuple(section.chapters), tuple(articles), tuple(doubts),
    )  # fmt: skip


def _one_chain(section) -> bool:
    chains = {draft.node.marker.chain if draft.node else 0 for draft in section.drafts}
    return len(chains) == 1


def _mask(shade, section) -> str:
    """Blank out titles of other documents and responsible units, whose dates and numbers are not this plan's."""
    pieces = [
        (match.start(), match.end())
        for match in re.finditer(r"《[^《》\n]{1,120}》(?:\([^()\n]{1,40}\))?|<[^<>\n]{1,120}>", shade)
    ]
    pieces += [
        (item.start, item.end) for draft in section.drafts for item in draft.clauses if item.end > item.start
    ]
    result, position = [], 0
    for left, right in sorted(pieces):
        if left < position:
            left = position
        if right <= left:
            continue
        result += [shade[position:left], "\x00" * (right - left)]
        position = right
    return "".join(result) + shade[position:]


def _article(text, shade, masked, draft, no, base, convention):
    doubts: list[Doubt] = [Doubt(no, text[left:right], why, left, right) for left, right, why in draft.doubts]
    first, last = draft.spans[0][0], draft.spans[-1][1]
    inside = [
        item for item in draft.clauses if draft.start <= item.start < draft.end and item.end > item.start
    ]
    stop = last
    for item in reversed(inside):
        if re.fullmatch(r"[\s。;,.]*", shade[item.end : stop]):
            stop = item.start
        else:
            break
    wording_start, heading_end, body_start, sure, why = _heading(shade, first, stop)
    title = Finding(
        "heading", _one_line(text[wording_start:heading_end]), text[wording_start:heading_end], wording_start, heading_end,
        "sure" if sure else "doubtful", why,
    )  # fmt: skip
    if not sure:
        doubts.append(_doubt(no, title))
    spans = [*draft.spans[:-1], (draft.spans[-1][0], stop)]
    wording = "\n".join(
        line
        for left, right in spans
        for line in (part.strip() for part in text[left:right].split("\n"))
        if line
    )
    lead, helpers, open_sets = _responsible(text, draft, no, convention, doubts)
    deadlines, found_targets = [], []
    for left, right in draft.spans:
        deadlines += dates.deadlines(text, masked, left, right, base)
    for item in draft.clauses:
        for left, right in item.clause.times:
            deadlines += dates.cell_deadline(text, shade, left, right, base)
    if draft.cell_time:
        deadlines += dates.cell_deadline(text, shade, *draft.cell_time, base)
    times = [finding.span for finding in deadlines]
    for left, right in draft.spans:
        found_targets += targets.targets(text, masked, left, right, times)
    for finding in [*deadlines, *found_targets]:
        if not finding.sure:
            doubts.append(_doubt(no, finding))
    article = Article(
        no, draft.label, draft.chapter, draft.section, title, wording, draft.start, draft.end, body_start,
        lead, tuple(helpers), tuple(open_sets), tuple(deadlines), tuple(found_targets),
    )  # fmt: skip
    return article, doubts


def _heading(shade, start, end):
    """Return (start, end of the heading, start of what follows, sure, why)."""
    while start < end and shade[start] in " \t\n*#>:、.":
        start += 1
    line = shade.find("\n", start, end)
    line = end if line < 0 else line
    colon = re.compile(r"[^,。;:!?\n]{2,20}:").match(shade, start, line)
    if colon:
        return start, colon.end() - 1, colon.end(), True, "冒号前"
    full_stop = re.compile(r"[。!?]").search(shade, start, line)
    stop = full_stop.start() if full_stop else line
    following = full_stop.end() if full_stop else line
    if stop - start <= _HEADING:
        return start, stop, following, True, "第一个句号前" if full_stop else "单独一行"
    connector = _CONNECTOR.search(shade, start + 4, start + _HEADING)
    if connector:
        return (
            start,
            connector.start(),
            connector.start(),
            False,
            f"标题后缺句号，按“{connector.group()}”断开，请核对",
        )
    gap = re.compile(r"[ \t]{2,}").search(shade, start + 2, start + _HEADING)
    if gap:
        return start, gap.start(), gap.end(), False, "标题后缺句号，按空格断开，请核对"
    if stop - start <= _HEADING_MOST and shade[following:end].strip():
        return start, stop, following, True, "第一个句号前"
    comma = re.compile(r"[,;]").search(shade, start + 4, min(stop, start + _HEADING_MOST))
    if comma:
        return start, comma.start(), start, False, "没有单独的标题，取第一个逗号前的文字"
    return start, stop, start, False, "没有单独的标题，取第一句"


def _responsible(text, draft, no, convention, doubts):
    """Merge the clauses of an article: who leads, who helps, and which sets stay open."""
    members: list[units.Member] = []
    earlier_lead = ""
    for item in draft.clauses:
        clause = item.clause
        doubts += [Doubt(no, text[left:right], why, left, right) for left, right, why in clause.notes]
        if item.note:
            doubts.append(
                Doubt(no, text[item.start : item.end], f"{item.note}，按到此为止理解", item.start, item.end)
            )
        roles = {member.role for member in clause.members}
        if earlier_lead and ("lead" in roles or ("plain" in roles and earlier_lead == "plain")):
            doubts.append(
                Doubt(
                    no,
                    text[item.start : item.end],
                    "本条不止一处责任单位，已合并，牵头取第一处",
                    item.start,
                    item.end,
                )
            )
        if not earlier_lead:
            earlier_lead = "lead" if "lead" in roles else "plain" if "plain" in roles else ""
        members += clause.members
    seen: set[str] = set()
    members = [m for m in members if not (m.name in seen or seen.add(m.name))]
    leading = [m for m in members if m.role == "lead" and not m.open_set]
    plain = [m for m in members if m.role == "plain"]
    labelled = any(item.clause.labelled for item in draft.clauses)
    lead = None
    if leading:
        lead = _finding("lead", text, leading[0], "写明牵头")
        if len(leading) > 1:
            doubts.append(
                Doubt(
                    no,
                    text[leading[0].start : leading[-1].end],
                    "牵头单位不止一个，取第一个，其余列入配合",
                    leading[0].start,
                    leading[-1].end,
                )
            )
    elif plain and not plain[0].open_set and not any(m.role == "lead" for m in members):
        lone = len(plain) == 1 and len(members) == 1
        if labelled or lone:
            lead = _finding("lead", text, plain[0], "唯一的责任单位" if lone else convention)
        else:
            lead = _finding("lead", text, plain[0], "没有写明牵头，按惯例取列第一位的单位", "doubtful")
            doubts.append(_doubt(no, lead))
    elif members:
        left, right = members[0].start, members[-1].end
        every = all(m.open_set for m in members)
        why = (
            "责任单位只写了范围，没有具体单位，牵头单位空缺"
            if every
            else "没有写明牵头，第一位不是具体单位，牵头单位空缺"
        )
        doubts.append(Doubt(no, text[left:right], why, left, right))
    helpers, open_sets = [], []
    for member in members:
        if member.open_set:
            open_sets.append(_finding("open_set", text, member, member.why))
        elif lead is None or member.start != lead.start:
            helpers.append(
                _finding(
                    "helper", text, member, member.why or "责任单位", "sure" if member.sure else "doubtful"
                )
            )
    for finding, member in [(lead, None)] if lead else []:
        del member
        named = next(m for m in members if m.start == finding.start)
        if not named.sure:
            doubts.append(Doubt(no, finding.text, named.why, finding.start, finding.end))
    doubts += [_doubt(no, helper) for helper in helpers if not helper.sure]
    return lead, helpers, open_sets


def _finding(kind, text, member, why, certainty="sure") -> Finding:
    raw = text[member.start : member.end]
    return Finding(kind, _one_line(raw), raw, member.start, member.end, certainty, why)


def _doubt(no, finding: Finding) -> Doubt:
    return Doubt(no, finding.text, finding.why, finding.start, finding.end)


def _one_line(text: str) -> str:
    return re.sub(r"\s*\n\s*", "", text).strip()
