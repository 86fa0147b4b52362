"""The outline of a plan: numbered headings at several levels, brackets and sections.

A marker such as ``4.``, ``（十二）`` or ``第三条`` is believed only as part of consecutive numbering, so that 1.5亿 or a
year never becomes an article.  Everything here runs on the shadow text and in time linear in its length.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from . import glyphs

_HAN = f"[{glyphs.HAN}]{{1,5}}"
_ORDINAL = rf"(?:{_HAN}|\d{{1,3}})"
_FORMS = (
    rf"第 ?(?P<part>{_ORDINAL}) ?(?:章|部分|编|篇)(?![、,])",
    rf"第 ?(?P<clause>{_ORDINAL}) ?条(?=[\s:.、]|[^款第、,。])",
    rf"(?P<han>{_HAN}) ?[、.](?! ?(?:{_HAN}) ?[、.])",
    rf"[(〔] ?(?P<han_paren>{_HAN}) ?[)〕]",
    r"(?P<arabic>\d{1,3}) ?(?:\.(?![0-9A-Za-z])|、(?!\d))",
    r"\( ?(?P<paren>\d{1,2}) ?\)",
    r"(?P<half_paren>\d{1,2}) ?\)",
    r"(?P<sign>[①-⑳⑴-⒇⒈-⒛㈠-㈩])",
)
_MARKER = re.compile(
    rf"(?:^|(?<=[\n。;!?:\"”’)\]〕】]))(?P<indent>[ \t#>*]*)(?:{'|'.join(_FORMS)})", re.ASCII | re.MULTILINE
)
# In text that lost its line breaks a marker may follow anything: …本方案 一、总体要求 1. 指导思想。
_LOOSE = (
    re.compile(rf"(?<= )(?P<indent>)(?:{'|'.join(_FORMS)})", re.ASCII),
    re.compile(rf"(?<![{glyphs.HAN}统唯第之其同单万专、—])(?P<indent>)(?P<han>{_HAN})、(?=[一-鿿]{{4}})"),
)
_LONG_LINES = 1500
# A heading that ends without a full stop lets the first number below it follow at once: 一、便利度（一）优化…
_NEXT_BELOW = re.compile(
    rf"[^。;\n()]{{2,50}}?(?:[(] ?(?P<han_paren>{_HAN}) ?[)]|(?<![0-9A-Za-z])(?P<arabic>\d{{1,3}})[.、](?![0-9A-Za-z]))",
    re.ASCII,
)
_RANKS = {
    "part": 0, "clause": 1, "han": 2, "han_paren": 3, "arabic": 4, "paren": 5, "half_paren": 6, "sign": 7,
}  # fmt: skip
_MOST_MARKERS = 20_000  # no plan has as many; text made to exhaust the reader has
_MOST_ANNEXES = 60
_CLOSERS = {")": "(", "〕": "〔", "]": "[", "】": "【"}
_ANNEX = re.compile(
    r"^[ \t#*]*附 ?(?:件|录|表)[ \t]*(?:\d{1,2}|[一二三四五六七八九十]{1,2})?[ \t]*(?::.*|[ \t]*)$",
    re.MULTILINE,
)
_LOOSE_ANNEX = re.compile(r"(?<=[。 ])附 ?件 ?\d{0,2} ?:")
_TAIL = re.compile(
    r"^[ \t]*(?:抄 ?送|主 ?送|\(?此件|\(?信息公开|公开方式|责任编辑|编辑:|打印|关闭|\[?打印|扫一扫|手机扫|分享|上一篇|下一篇|相关(?:链接|附件|解读|文档))",
    re.MULTILINE,
)


@dataclass(eq=False)
class Marker:
    """A number in front of a heading: its style (``arabic``, ``han_paren`` …), its value and its place."""

    style: str
    number: int
    start: int
    end: int
    own_line: bool
    rank: int = 0
    chain: int = -1
    flaw: str = ""


@dataclass(eq=False)
class Node:
    """A heading with everything below it, up to the next marker of the same or a higher level."""

    marker: Marker
    end: int
    parent: "Node | None" = None
    children: list["Node"] = field(default_factory=list)

    @property
    def start(self) -> int:
        """Return the offset of the marker."""
        return self.marker.start

    @property
    def style(self) -> tuple[str, int]:
        """Return what nodes of one level share."""
        return self.marker.style, self.marker.rank

    def walk(self) -> Iterator["Node"]:
        """Yield the node and everything below it, in document order."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(node.children)


def sections(shade: str) -> list[tuple[int, int]]:
    """Cut the text at headings of annexes (附件); the first section is the document itself."""
    annex = _LOOSE_ANNEX if run_together(shade) else _ANNEX
    starts = [0] + [match.start() for match in islice(annex.finditer(shade), _MOST_ANNEXES)]
    return [
        (left, right) for left, right in zip(starts, [*starts[1:], len(shade)], strict=True) if left < right
    ]


def run_together(shade: str) -> bool:
    """Tell whether a text has lost its line breaks."""
    return len(shade) > _LONG_LINES * (1 + shade.count("\n"))


def tail(shade: str, start: int, end: int) -> int:
    """Return where the closing matter (抄送, 此件公开发布, links of the page) begins, at most ``end``."""
    match = _TAIL.search(shade, start, end)
    return match.start() if match else end


def brackets(shade: str) -> dict[int, int]:
    """Return opening → closing position of every bracket that is closed within its line."""
    matched: dict[int, int] = {}
    waiting: list[int] = []
    for match in re.finditer(r"[()〔〕\[\]【】\n]", shade):
        character, position = match.group(), match.start()
        if character == "\n":
            waiting.clear()
        elif character not in _CLOSERS:
            waiting.append(position)
        elif waiting and shade[waiting[-1]] == _CLOSERS[character]:
            matched[waiting.pop()] = position
        elif len(waiting) == 1:
            matched[waiting.pop()] = position  # 〔…) and the like, where it is clear which one is meant
    return matched


def starts_marker(shade: str, position: int) -> bool:
    """Tell whether a number in front of a heading may stand at ``position``."""
    return bool(_MARKER.match(shade, position))


def _candidates(shade: str, start: int, end: int) -> list[Marker]:
    found: dict[int, Marker] = {}
    for pattern in (_MARKER, *(_LOOSE if run_together(shade) else ())):
        for match in islice(pattern.finditer(shade, start, end), _MOST_MARKERS):
            place = match.end("indent")
            own_line = not shade[max(shade.rfind("\n", 0, place) + 1, place - 40) : place].strip(" \t#>*")
            _note(found, match, place, own_line)
            if match.lastgroup in ("part", "han", "han_paren"):
                below = _NEXT_BELOW.match(shade, match.end(), min(end, match.end() + 70))
                if below:
                    place = below.start(below.lastgroup)
                    if below.lastgroup == "han_paren":
                        place = shade.rindex("(", 0, place)
                    _note(found, below, place, False)
    return [found[place] for place in sorted(found)]


def _note(found: dict[int, Marker], match: re.Match[str], place: int, own_line: bool) -> None:
    style = match.lastgroup
    number = glyphs.number(match[style].replace(" ", ""))
    if number:
        found.setdefault(place, Marker(style, number, place, match.end(), own_line))


def _chains(candidates: list[Marker]) -> list[Marker]:
    """Keep the markers that continue a numbering; a numbering inside another one becomes a level of its own."""
    kept: list[Marker] = []
    chains = 0
    for style, rank in _RANKS.items():
        markers = [marker for marker in candidates if marker.style == style]
        headings = [marker.start for marker in candidates if _RANKS[marker.style] < rank]
        active: list[list[Marker]] = []  # numberings that may go on, innermost last
        numberings: list[list[Marker]] = []
        for marker, following in zip(markers, [*markers[1:], None], strict=False):
            depth = _continued(active, marker, headings)
            if depth is None and marker.own_line:
                depth = _tolerated(active, marker, following)
            if depth is not None:
                for member in (member for inner in active[depth + 1 :] for member in inner):
                    member.rank += 1  # this numbering was resumed: what opened since then lies inside it
                del active[depth + 1 :]
                active[depth].append(marker)
            elif marker.number == 1 or (not active and _starts_late(marker, following)):
                active.append([marker])
                numberings.append(active[-1])
        for numbering in numberings:
            if len(numbering) == 1 and not numbering[0].own_line:
                continue
            chains += 1
            for marker in numbering:
                marker.chain = chains
                marker.rank += 10 * rank
            kept += numbering
    return sorted(kept, key=lambda marker: marker.start)


def _continued(active: list[list[Marker]], marker: Marker, headings: list[int]) -> int | None:
    """Return which numbering the marker continues; past another one only if that one lies inside the last item."""
    for depth in range(len(active) - 1, max(-1, len(active) - 9), -1):
        last = active[depth][-1]
        if depth + 1 < len(active):
            inner = active[depth + 1][0]
            if bisect_left(headings, last.start) != bisect_left(headings, inner.start):
                return None
        if last.number + 1 == marker.number:
            return depth
    return None


def _starts_late(marker: Marker, following: Marker | None) -> bool:
    """Accept the first number of an excerpt, if the numbering goes on."""
    if not (marker.own_line and following and following.own_line and following.number == marker.number + 1):
        return False
    marker.flaw = f"编号从{marker.number}开始，前面的条目可能缺失"
    return True


def _tolerated(active: list[list[Marker]], marker: Marker, following: Marker | None) -> int | None:
    """Accept a gap or a repeated number on a line of its own if the numbering goes on after it."""
    if not active:
        return None
    last = active[-1][-1]
    if marker.number == last.number and marker.number > 1 and last.own_line:
        marker.flaw = f"编号{marker.number}重复"
        return len(active) - 1
    goes_on = following is None or following.number == marker.number + 1
    small = last.number + 1 < marker.number <= last.number + 3
    if goes_on and small and last.own_line and (following or len(active[-1]) > 1):
        marker.flaw = f"编号不连续：{last.number}之后是{marker.number}"
        return len(active) - 1
    return None


def tree(shade: str, start: int, end: int) -> list[Node]:
    """Return the headings between ``start`` and ``end`` as a forest of nodes in document order."""
    markers = _chains(_candidates(shade, start, end))
    _swap_levels(markers)
    markers = _without_lists_before(markers)
    roots: list[Node] = []
    open_nodes: list[Node] = []
    for marker in markers:
        while open_nodes and open_nodes[-1].marker.rank >= marker.rank:
            open_nodes.pop().end = marker.start
        node = Node(marker, end, open_nodes[-1] if open_nodes else None)
        (open_nodes[-1].children if open_nodes else roots).append(node)
        open_nodes.append(node)
    return roots


def _without_lists_before(markers: list[Marker]) -> list[Marker]:
    """Leave out numbered lists that end before the first chapter: the navigation of a page, the points of a notice."""
    top = min((marker.rank for marker in markers), default=0)
    tops = [marker for marker in markers if marker.rank == top]
    if len(tops) < 2 or tops[0].number != 1:
        return markers
    going_on = {marker.chain for marker in markers if marker.start >= tops[0].start}
    return [marker for marker in markers if marker.chain in going_on]


def _swap_levels(markers: list[Marker]) -> None:
    """Exchange two levels where a document uses them the other way round: 1. above （一）, or 一、 above 第一条."""
    for upper, lower in (
        ("clause", "han"),
        ("han", "han_paren"),
        ("han_paren", "arabic"),
        ("han", "arabic"),
        ("arabic", "paren"),
    ):
        first = [m for m in markers if m.style == upper]
        second = [m for m in markers if m.style == lower]
        if not first or not second or second[0].start > first[0].start:
            continue
        if len({m.chain for m in second}) == 1 and (len({m.chain for m in first}) > 1 or upper == "clause"):
            shift = 10 * (_RANKS[lower] - _RANKS[upper])
            for marker in first:
                marker.rank += shift
            for marker in second:
                marker.rank -= shift


def deepest(roots: list[Node], position: int) -> Node | None:
    """Return the innermost node that covers ``position``."""
    found, level = None, roots
    while level:
        index = bisect_right(level, position, key=lambda node: node.start) - 1
        if index < 0 or position >= level[index].end:
            return found
        found = level[index]
        level = found.children
    return found
