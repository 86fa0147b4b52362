"""Official papers (公文) by GB/T 9704-2012 党政机关公文格式: what a paper is made of, and the measures of the standard.

`pdf.py` and `docx.py` draw the same `Paper` from the same measures. Lengths are millimetres, sizes of type points.
Clause numbers of the standard stand beside each measure. A character (字) is the width of one character of the grid, a
line (行) one line of it.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

PAGE_WIDTH, PAGE_HEIGHT = 210.0, 297.0
"""5.1 A4."""

TOP, BOTTOM, LEFT, RIGHT = 37.0, 35.0, 28.0, 26.0
"""5.2.1 天头 37, 订口 28; 版心 156 x 225 leaves 26 on the right and 35 below."""

BODY_WIDTH, BODY_HEIGHT = 156.0, 225.0
LINES, CHARS = 22, 28
"""5.2.3 lines on a page, characters in a line, filling the body."""

LINE = BODY_HEIGHT / LINES
CHAR = BODY_WIDTH / CHARS

SIZE_2, SIZE_3, SIZE_4, SIZE_5 = 22.0, 16.0, 14.0, 10.5
"""二号 title, 三号 text, 四号 page numbers and 版记, 五号 tables."""

MARK_FROM_TOP = 35.0
"""7.2.4 from the top of the body to the issuer's mark (发文机关标志)."""

RULE_BELOW_NUMBER = 4.0
"""7.2.7 the red line is this far below the document number."""

NUMBER_BELOW_BODY = 7.0
"""7.5 from the bottom of the body to the dashes of the page number."""

MARK_LARGEST = 46.0
"""7.2.4 leaves the size of the mark to taste; a long name gets a smaller one, so that it stays in one line."""

RED = "D7000F"
"""5.2.4 and 6.2: red that is not dark on screen and paper."""

FANGSONG = ("FangSong_GB2312", "仿宋_GB2312", "FangSong", "仿宋", "STFangsong", "Noto Serif CJK SC", "serif")
HEITI = ("SimHei", "黑体", "STHeiti", "Noto Sans CJK SC", "sans-serif")
KAITI = (
    "KaiTi_GB2312",
    "楷体_GB2312",
    "KaiTi",
    "楷体",
    "STKaiti",
    "AR PL KaitiM GB",
    "Noto Serif CJK SC",
    "serif",
)
XIAOBIAOSONG = (
    "FZXiaoBiaoSong-B05S",
    "方正小标宋简体",
    "STZhongsong",
    "华文中宋",
    "Noto Serif CJK SC",
    "serif",
)
SONGTI = ("SimSun", "宋体", "STSong", "Noto Serif CJK SC", "serif")
"""The faces that the standard asks for, each with what stands in for it where it is not installed."""

DIGITS = "零一二三四五六七八九"


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 to 4 (7.3.3: 一、 黑体, （一） 楷体, 1. and （1） 仿宋); ``rest`` runs on in the same paragraph."""

    level: int
    text: str
    rest: str = ""


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of running text, indented by two characters."""

    text: str


@dataclass(frozen=True)
class Column:
    """A column of a table. ``width`` counts for its share of the body; ``align`` is left, center or right."""

    title: str
    width: float
    align: str = "left"


@dataclass(frozen=True)
class Table:
    """A table with its caption; the head is repeated on every page, a row is never broken."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]

    def shares(self) -> list[float]:
        """Widths of the columns in mm."""
        whole = sum(column.width for column in self.columns)
        return [BODY_WIDTH * column.width / whole for column in self.columns]


Block = Heading | Paragraph | Table


@dataclass(frozen=True)
class Paper:
    """One paper. What is empty is left out.

    ``mark`` 发文机关标志, ``number`` 发文字号, ``signer`` 签发人 (only on papers that go up, 7.2.6), ``addressees`` 主送机关,
    ``signature`` 署名 and ``signed_on`` 成文日期 with room for the seal (7.3.5.1), ``copies`` 抄送机关, ``printed_by`` and
    ``printed_on`` 印发机关和印发日期. ``flags`` stand outside the body on every page: 草稿, 演示数据. ``made_on`` is the day
    that the file itself carries, so that the same paper is the same file.
    """

    title: str
    blocks: tuple[Block, ...]
    made_on: date
    mark: str = ""
    number: str = ""
    signer: str = ""
    addressees: tuple[str, ...] = ()
    signature: str = ""
    signed_on: date | None = None
    copies: tuple[str, ...] = ()
    printed_by: str = ""
    printed_on: date | None = None
    flags: tuple[str, ...] = field(default=())

    def numbered(self) -> Iterator[tuple[str, Block]]:
        """The blocks with the number that each heading bears ("" for the others). A level starts again under a higher one."""
        counts = [0, 0, 0, 0]
        for block in self.blocks:
            if not isinstance(block, Heading):
                yield "", block
                continue
            counts[block.level - 1] += 1
            counts[block.level :] = [0] * (4 - block.level)
            yield heading_number(block.level, counts[block.level - 1]), block

    @property
    def mark_size(self) -> float:
        """Size of type of the mark in points, so that it keeps to one line."""
        return min(MARK_LARGEST, round(points(BODY_WIDTH) / max(width(self.mark), 1) - 0.5, 1))

    def signature_indents(self) -> tuple[float, float]:
        """How many characters signature and date stand off the right edge: the date four, the signature centred on it."""
        name, day = width(self.signature), width(chinese_date(self.signed_on)) if self.signed_on else 0.0
        over = (name - day) / 2
        if over <= 0:
            return 4.0 - over, 4.0
        edge = max(4.0 - over, 0.0)
        return edge, edge + over


def points(millimetres: float) -> float:
    """Millimetres as points."""
    return millimetres * 72 / 25.4


def width(text: str) -> float:
    """Width of a text in characters: what is narrow counts half."""
    return sum(1.0 if unicodedata.east_asian_width(char) in "WFA" else 0.5 for char in text)


def chinese_date(day: date) -> str:
    """2022年10月8日 (7.3.5.4: Arabic figures, the year in full, no leading zero)."""
    return f"{day.year}年{day.month}月{day.day}日"


def chinese_count(number: int) -> str:
    """一 to 九十九. Raises ValueError beyond."""
    if not 1 <= number <= 99:
        raise ValueError(f"no heading has the number {number}")
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{DIGITS[tens]}十"
    return head + (DIGITS[ones] if ones else "")


def heading_number(level: int, count: int) -> str:
    """一、 （一） 1. （1）."""
    return (f"{chinese_count(count)}、", f"（{chinese_count(count)}）", f"{count}.", f"（{count}）")[
        level - 1
    ]


_WHOLE = re.compile(r"[\u4e00-\u9fff]{0,3}〔[^〕]*〕\d+号|[0-9A-Za-z.%％]+")
_BOOK = re.compile(r"《[^《》]*》")
_NOT_FIRST = "，。、；：？！）》〉”’】〕%％的"
_NOT_LAST = "（《〈“‘【〔"


def title_lines(title: str, size: float = SIZE_2) -> list[str]:
    """A title in as few lines as it needs, of about the same length; figures stay whole, names of papers if they can (7.3.1)."""
    room = points(BODY_WIDTH) / size
    costs = [_break_cost(title, place) for place in range(len(title) + 1)]
    for count in range(1, 10):
        lines = _split(title, costs, count, room)
        if lines:
            return lines
    return [title]


def _break_cost(title: str, place: int) -> float:
    """What it costs to begin a line at ``place``: infinite where the rules forbid it, less than nothing where it is welcome."""
    if not 0 < place < len(title):
        return 0.0
    if title[place] in _NOT_FIRST or title[place - 1] in _NOT_LAST:
        return float("inf")
    if any(found.start() < place < found.end() for found in _WHOLE.finditer(title)):
        return 200.0
    if any(found.start() < place < found.end() for found in _BOOK.finditer(title)):
        return 30.0
    return -10.0 if title[place] == "《" or title[place - 1] == "》" else 0.0


def _split(title: str, costs: Sequence[float], count: int, room: float) -> list[str] | None:
    """The cheapest way to cut a title into ``count`` lines, or None when one would not fit."""
    goal = width(title) / count
    best: list[dict[int, tuple[float, int]]] = [{0: (0.0, 0)}]
    for _ in range(count):
        reached: dict[int, tuple[float, int]] = {}
        for start, (spent, _) in best[-1].items():
            for end in range(start + 1, len(title) + 1):
                length = width(title[start:end])
                if length > room:
                    break
                cost = spent + (length - goal) ** 2 + costs[end]
                if cost < reached.get(end, (float("inf"), 0))[0]:
                    reached[end] = (cost, start)
        best.append(reached)
    if len(title) not in best[-1]:
        return None
    lines, end = [], len(title)
    for reached in reversed(best[1:]):
        start = reached[end][1]
        lines.insert(0, title[start:end])
        end = start
    return lines
