"""The units of work (任务条目) of a plan: which numbered items or table rows carry the responsible units.

The level is not fixed: one plan puts 责任单位 behind ``1.``, another behind ``（一）``, a third behind each ``（1）`` of some
articles, a fourth in a table.  The level at which most brackets stand is the level of the articles.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from . import dates, glyphs, outline, tables, units
from .model import Finding
from .outline import Node

Span = tuple[int, int]
_CLAUSE_LIMIT = 3000  # characters; no list of units is longer
_OPENING = re.compile(r"(?P<bracket>[(〔\[【])[ \t]*|(?:^|(?<=[。;]))(?P<line>[ \t]*)", re.MULTILINE)
_TALKS_OF_UNITS = re.compile(r"负责|牵头|职责|会同|配合|协办|、|[局委办部府道镇]$")
_ANY_MARKER = re.compile(
    r"[ \t\u3000]*(?:[（(]?(?:[一二三四五六七八九十]{1,4}|\d{1,3}|[a-zA-Z])[）)、.．]|[\u2460-\u249b·•◆■▲●○*#—-]+)[ \t\u3000]*"
)
_ENDS_ITEM = re.compile(r"[。;,.\s]*?(?:\n|\Z)|[。;]?(?=\()")


@dataclass(eq=False)
class Naming:
    """A bracket, a line or a row's cells that name responsible units; ``note`` says what was damaged."""

    start: int
    end: int
    clause: units.Clause
    own_line: bool = True
    note: str = ""


@dataclass(eq=False)
class Work:
    """A unit of work before its wording is read; ``spans`` are the places of its wording."""

    start: int
    end: int
    label: str
    number: int | None
    chain: int
    spans: list[Span]
    namings: list[Naming]
    chapter: str = ""
    section: str = ""
    time: Span | None = None
    doubts: list[tuple[int, int, str]] = field(default_factory=list)

    @property
    def assigned(self) -> bool:
        """Tell whether somebody is named."""
        return any(naming.clause.members for naming in self.namings)


@dataclass(eq=False)
class Section:
    """A document or one of its annexes; ``notes`` are flaws of the numbering: (start, end, why)."""

    start: int
    end: int
    works: list[Work]
    chapters: list[Finding]
    notes: list[tuple[int, int, str]]

    @property
    def assigned(self) -> int:
        """Return how many units of work name somebody."""
        return sum(work.assigned for work in self.works)


def sections(text: str, shade: str) -> list[Section]:
    """Return the document and its annexes with their units of work."""
    closed = outline.brackets(shade)
    opened = sorted(closed)
    found = []
    for start, end in outline.sections(shade):
        inside = opened[bisect_left(opened, start) : bisect_left(opened, end)]
        rows, regions = tables.find(shade, start, end)
        running = blank(shade, regions, " ") if regions else shade
        section = _from_outline(text, running, _namings(running, closed, inside, start, end), start, end)
        if rows:
            tabled = _from_rows(text, shade, rows, start)
            section = tabled if tabled.assigned > section.assigned else section
        found.append(section)
    return found


def blank(shade: str, regions: list[Span], filling: str) -> str:
    """Return the shadow with regions (in order) filled in, line ends kept, so that offsets stay as they are."""
    result, position = [], 0
    for left, right in regions:
        left = max(left, position)
        if left < right:
            result += [shade[position:left], re.sub(r"[^\n]", filling, shade[left:right])]
            position = right
    return "".join(result) + shade[position:]


def one_line(text: str) -> str:
    """Return a heading or a name without line breaks and marks of emphasis."""
    return re.sub(r"\s*\n\s*", "", text).strip(" \t\u3000*#")


def alone(text: str, shade: str, start: int, end: int) -> Work:
    """Return a stretch as one unit of work, because a person says that it is one; its marker may be any sign or none."""
    closed = outline.brackets(shade)
    marker = _ANY_MARKER.match(text, start, end)
    stop = marker.end() if marker else start
    label = text[start:stop].strip()
    named = _namings(shade, closed, sorted(at for at in closed if start <= at < end), start, end)
    work = Work(start, end, label, glyphs.number(label.strip(" .、()（）")), 0, [(stop, end)], named)
    _cut_last(shade, work)
    work.spans = [(stop, work.end)]
    return work


# -- where responsible units are named -----------------------------------------------------------------------------


def _namings(shade: str, closed: dict[int, int], opened: list[int], start: int, end: int) -> list[Naming]:
    places: dict[int, str] = {}
    for match in _OPENING.finditer(shade, start, end):
        label = units.OPENING_LABEL if match["bracket"] else units.LABEL
        if label.match(shade, match.end(), end):
            places[match.start() if match["bracket"] else match.end()] = (
                "bracket" if match["bracket"] else "line"
            )
    for position in opened:
        if 4 <= closed[position] - position <= _CLAUSE_LIMIT:
            places.setdefault(position, "words")
    found: list[Naming] = []
    done = start
    for position in sorted(places):
        if position < done:
            continue
        if places[position] == "words":
            naming = _worded(shade, position, closed[position], end)
        elif places[position] == "line":
            naming = _line(shade, position, end)
        else:
            naming = _bracket(shade, position, closed.get(position), end)
        if naming is not None:
            done = naming.end
            if naming.clause.members or naming.clause.times or naming.clause.notes:
                found.append(naming)
    return found


def _bracket(shade: str, position: int, close: int | None, end: int) -> Naming:
    """Read (责任单位:…); where the closing bracket was lost, up to the full stop or the end of the line."""
    if close is not None and close <= position + _CLAUSE_LIMIT:
        clause = units.parse_labelled(shade[position + 1 : close], position + 1)
        return Naming(position, close + 1, clause, _own_line(shade, position))
    stop = _line_end(shade, position, end)
    full_stop = shade.find("。", position, stop)
    stop = full_stop if full_stop >= 0 else stop
    clause = units.parse_labelled(shade[position + 1 : stop], position + 1)
    return Naming(position, stop, clause, _own_line(shade, position), "缺右括号，按到此为止理解，请核对")


def _line(shade: str, position: int, end: int) -> Naming:
    """Read 责任单位:… on a line of its own or behind the last sentence."""
    stop = _line_end(shade, position, end)
    if shade[position - 1 : position] in ("。", ";"):
        full_stop = shade.find("。", position, stop)
        stop = full_stop + 1 if full_stop >= 0 else stop
    words = shade[position:stop]
    note = "缺左括号，请核对" if words.count(")") > words.count("(") else ""
    return Naming(position, stop, units.parse_labelled(words, position), _own_line(shade, position), note)


def _worded(shade: str, position: int, close: int, end: int) -> Naming | None:
    """Read a bracket without a label: (X牵头，Y配合), (由X负责), or nothing but names, at the end of an item."""
    words = shade[position + 1 : close]
    if not _TALKS_OF_UNITS.search(words):
        return None
    own_line = _own_line(shade, position)
    after_sentence = own_line or shade[max(0, position - 3) : position].rstrip()[-1:] in tuple('。;!?”"')
    ends_item = bool(_ENDS_ITEM.match(shade, close + 1, min(end, close + 20))) or outline.starts_marker(
        shade, close + 1
    )
    if not (ends_item or after_sentence):
        return None
    clause = units.parse_worded(words, position + 1)
    if clause is None and ends_item:
        clause = units.parse_names(words, position + 1)
    return Naming(position, close + 1, clause, own_line) if clause else None


def _line_end(shade: str, position: int, end: int) -> int:
    stop = shade.find("\n", position, end)
    return min(end if stop < 0 else stop, position + _CLAUSE_LIMIT)


def _own_line(shade: str, position: int) -> bool:
    line = shade.rfind("\n", max(0, position - 20), position)
    return (line >= 0 or position <= 20) and not shade[line + 1 : position].strip()


# -- from the outline ----------------------------------------------------------------------------------------------


def _from_outline(text: str, shade: str, namings: list[Naming], start: int, end: int) -> Section:
    roots = outline.tree(shade, start, end)
    nodes = [node for root in roots for node in root.walk()]
    owned: dict[Node, list[Naming]] = {}
    for naming in namings:
        node = outline.deepest(roots, naming.start)
        if node is not None:
            owned.setdefault(node, []).append(naming)
    _lift(owned)
    headings = {node: _heading_end(shade, node, owned.get(node, ())) for node in nodes}
    works: list[Work] = []
    style = _articles_style(nodes, owned)
    above_style = _with_parents([node for node in nodes if node.style == style])
    above_owner = _with_parents(list(owned))
    for root in roots:
        works += _works(text, headings, root, style, above_style, above_owner, owned)
    if works:
        _cut_last(shade, works[-1])
    firsts = {work.start for work in works}
    chapters = []
    for root in roots if works else ():
        if root.start not in firsts:
            left, right = root.start, headings[root]
            chapters.append(Finding("chapter", one_line(text[left:right]), text[left:right], left, right))
    flaws = [(node.start, node.marker.end, node.marker.flaw) for node in nodes if node.marker.flaw]
    return Section(start, works[-1].end if works else end, works, chapters, flaws)


def _lift(owned: dict[Node, list[Naming]]) -> None:
    """Give a bracket behind the last of several sub-items to the item above, where it is always behind the last one."""
    for rank in sorted({node.marker.rank for node in owned}, reverse=True):
        level = [node for node in owned if node.marker.rank == rank]
        if any(node.parent is None for node in level):
            continue
        by_parent: dict[Node, list[Node]] = {}
        for node in level:
            by_parent.setdefault(node.parent, []).append(node)
        if all(_behind_last(parent, children, owned) for parent, children in by_parent.items()):
            for parent, (child,) in by_parent.items():
                owned[parent] = owned.get(parent, []) + owned.pop(child)


def _behind_last(parent: Node, owners: list[Node], owned: dict[Node, list[Naming]]) -> bool:
    siblings = [child for child in parent.children if child.marker.rank == owners[0].marker.rank]
    if len(siblings) < 2 or owners != siblings[-1:]:
        return False
    # The last article of a chapter keeps its bracket: what a bracket in its line says, it says of that article.
    return parent.parent is not None or all(naming.own_line for naming in owned[siblings[-1]])


def _articles_style(nodes: list[Node], owned: dict[Node, list[Naming]]):
    """Return the level of the outline at which the responsible units stand, ``None`` if there is no outline."""
    counts = Counter(node.style for node in owned if any(naming.clause.members for naming in owned[node]))
    if not counts:
        counts = Counter(
            node.style for node in nodes if node.marker.style in ("clause", "han", "han_paren", "arabic")
        )
    if not counts:
        return None
    style = max(counts, key=lambda one: (counts[one], one[1]))
    # Where some articles of a chapter have one bracket and others one per sub-item, the articles are the level above.
    above = _with_parents(list(owned))
    for upper in sorted(counts, key=lambda one: one[1]):
        if upper[1] >= style[1]:
            break
        by_parent: dict[Node | None, list[bool]] = {}
        for node in nodes:
            if node.style == upper and node in above:
                heads_articles = any(child.style == style for child in node.walk())
                by_parent.setdefault(node.parent, []).append(node in owned and not heads_articles)
        mixed = [owning for owning in by_parent.values() if any(owning) and not all(owning)]
        if sum(map(sum, mixed)) * 3 >= sum(map(len, mixed)) > 0:
            return upper
    return style


def _with_parents(nodes: list[Node]) -> set[Node]:
    found: set[Node] = set()
    for node in nodes:
        while node is not None and node not in found:
            found.add(node)
            node = node.parent
    return found


def _works(text, headings, root, style, above_style, above_owner, owned):
    """Yield the units of work below ``root`` in document order."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.style == style:
            owners = [child for child in node.children if child in above_owner]
            if node not in owned and len(owners) > 1 and 2 * len(owners) >= len(node.children):
                for child in node.children:
                    yield _work(text, headings, child, owned, printed=False)
            else:
                yield _work(text, headings, node, owned)
        elif node in above_style:
            waiting += reversed(node.children)
            for child in node.walk() if node in owned else ():
                if child.style == style and child not in above_owner:
                    owned[child] = owned[node]  # said once under the heading, meant for every item below it
        elif node in owned:
            yield _work(text, headings, node, owned)
        elif node in above_owner:
            waiting += reversed(node.children)


def _work(text, headings, node, owned, printed=True) -> Work:
    namings = sorted(
        (naming for one in node.walk() for naming in owned.get(one, ())), key=lambda one: one.start
    )
    above = []
    parent = node.parent
    while parent is not None:
        above.append(one_line(text[parent.start : headings[parent]]))
        parent = parent.parent
    work = Work(
        node.start,
        node.end,
        text[node.start : node.marker.end].strip(),
        node.marker.number if printed else None,
        node.marker.chain,
        [(node.marker.end, node.end)],
        namings,
        chapter=above[-1] if above else "",
        section=above[0] if len(above) > 1 else "",
    )
    for naming in namings:
        if not node.start <= naming.start < node.end:
            work.doubts.append(
                (naming.start, naming.end, "责任单位写在上一级标题下，按适用于其中各条理解，请核对")
            )
            break
    return work


def _heading_end(shade: str, node: Node, namings: Iterable[Naming]) -> int:
    """Return where the heading of a chapter ends: line end, full stop, bracket of units or the first marker below it."""
    below = [child.start for child in node.children[:1]]
    stop = min([node.end, node.marker.end + 60, *below, *(naming.start for naming in namings)])
    return min(
        [stop, *(at for at in (shade.find(mark, node.marker.end, stop) for mark in "\n。") if at >= 0)]
    )


def _cut_last(shade: str, work: Work) -> None:
    """End the last one at its bracket, or before the signature, so that closing remarks stay outside."""
    inside = [naming for naming in work.namings if work.start <= naming.start < work.end]
    if inside:
        work.end = inside[-1].end
    else:
        work.end = outline.tail(shade, work.start, work.end)
        for match in re.finditer(r"\n[ \t]*([^\n]*)", shade[work.start : work.end]):
            line = match[1].strip()
            if dates.FULL_DATE.fullmatch(line) or dates.BARE_DIGITS.fullmatch(line):
                work.end = work.start + match.start()
                signature = shade.rfind("\n", work.start, work.end)
                if signature > 0 and units.looks_like_unit(shade[signature : work.end].strip()):
                    work.end = signature
                break
    work.spans = [(work.spans[0][0], work.end)]


# -- from a table --------------------------------------------------------------------------------------------------


def _from_rows(text: str, shade: str, rows: list[tables.Row], start: int) -> Section:
    works = []
    for row in rows:
        members: list[units.Member] = []
        notes: list[tuple[int, int, str]] = []
        for role, (left, right) in row.units:
            clause = units.parse_cell(shade[left:right], left, role)
            members += clause.members
            notes += clause.notes
        label = shade[slice(*row.index)].strip() if row.index else ""
        number = glyphs.number(label.strip(".、()")) if label else None
        naming = Naming(row.start, row.start, units.Clause(tuple(members), (), tuple(notes)))
        works.append(
            Work(
                row.start, row.end, label, number, 0, list(row.tasks), [naming],
                chapter=one_line(text[slice(*row.heading)]) if row.heading else "", time=row.time,
            )
        )  # fmt: skip
    return Section(start, rows[-1].end, works, [], [])
