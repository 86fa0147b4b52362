"""What the review shows: a stored text in full, each finding at its place, and beside it what was understood.

The text is cut into blocks (head, chapters, articles, the rest) that follow each other without a gap, so that what is shown
is exactly what is stored.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date
from difflib import SequenceMatcher
from itertools import pairwise

from django.db.models import Count, Q

from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.errors import NotThere, Problem
from liangzhu.pillars.programme import policies
from liangzhu.pillars.programme.facts import target_words
from liangzhu.pillars.programme.findings import day_of, head_of, newest_of
from liangzhu.pillars.programme.matching import Wording, match
from liangzhu.pillars.programme.models import Article, Finding, PlanDocument, Revision
from liangzhu.pillars.programme.models.documents import READING_ORDER

ALL, DOUBTFUL, TASKS, UNRESOLVED = "all", "doubtful", "tasks", "unresolved"
SHOWS = {ALL: "全部", DOUBTFUL: "存疑", TASKS: "任务", UNRESOLVED: "对不上的单位"}

HEAD, CHAPTER, ARTICLE, REST = "head", "chapter", "article", "rest"

PLAIN_KINDS = ("government_department", "government_office")
"""Kinds of unit that need no tag: what a reader expects in a district's plan."""

WITH_DIGITS = ("number", "date", "cite", "deadline")
GROUPS = [
    ("number", "文号"),
    ("title", "标题"),
    ("issuer", "发文机关"),
    ("date", "成文日期"),
    ("cite", "引用文件"),
    ("lead", "牵头"),
    ("helper", "配合"),
    ("open_set", "概称范围"),
    ("deadline", "期限"),
    ("target", "目标"),
    ("note", "提示"),
]


@dataclass(frozen=True)
class Resolution:
    """What the directory says to a unit's name or to an open set: what is meant, or the message why it is not known."""

    name: str = ""
    tag: str = ""
    message: str = ""
    members: tuple[str, ...] = ()
    basis: str = ""
    unconfirmed: str = ""
    former: str = ""
    choose: bool = False

    @property
    def ok(self) -> bool:
        """Whether it is one unit, or a known open set."""
        return not self.message


def resolve(row: Finding, day: date | None) -> Resolution | None:
    """What the directory says on the day of the document; None for findings that are no unit."""
    if not row.value:
        return None
    if row.kind in ("lead", "helper"):
        try:
            unit = (row.unit_id and directory.units(day).get(row.unit_id)) or directory.resolve_unit(
                row.value, day
            )
        except Problem as problem:
            return Resolution(message=problem.detail)
        return Resolution(
            name=unit.name,
            tag="" if unit.kind in PLAIN_KINDS else directory.kind_title(unit.kind),
            unconfirmed=(unit.to_confirm or "单位信息待确认") if unit.unconfirmed else "",
            former=unit.former_name,
        )
    if row.kind == "open_set":
        try:
            found = directory.expand_set(row.value, day)
        except Problem as problem:
            return Resolution(message=problem.detail)
        return Resolution(
            name=found.expression,
            members=tuple(directory.unit_name(unit, day) for unit in found.unit_ids),
            basis=found.basis,
            unconfirmed=(found.to_confirm or found.basis) if found.unconfirmed else "",
            choose=found.mode == "candidates",
        )
    return None


@dataclass
class Shown:
    """A finding as it is shown. ``where`` is the article in which a cited document stands; ``form`` decides on it."""

    row: Finding
    resolution: Resolution | None = None
    where: int | None = None
    placed: bool = False
    form: object | None = None

    @property
    def unresolved(self) -> bool:
        """A unit or open set that the directory does not know, and that still counts."""
        return bool(self.resolution and not self.resolution.ok and self.row.decision != Finding.REJECTED)

    @property
    def state(self) -> str:
        """For the look: open (an undecided doubt), sure, confirmed, corrected, rejected."""
        if self.row.decision != Finding.PROPOSED:
            return self.row.decision
        return "open" if self.row.open else "sure"

    @property
    def settled(self) -> bool:
        """Whether there is nothing to decide and nothing to explain beyond the reason of the reader."""
        return self.state in ("sure", "confirmed") and not self.unresolved and not self.row.added

    @property
    def compact(self) -> bool:
        """Whether its name says enough."""
        return self.settled and self.row.kind in ("helper", "cite") and not self.repaired

    @property
    def repaired(self) -> str:
        """The wording of the text where it differs from what was understood, else ""."""
        row, day = self.row, self.day
        said = f"{day.year}年{day.month}月{day.day}日" if day else row.value
        if row.kind not in WITH_DIGITS or "".join(row.quote.split()) in ("", row.value, said):
            return ""
        return row.quote

    @property
    def words(self) -> str:
        """A target as it is said."""
        row = self.row
        if row.kind != "target" or row.amount is None:
            return row.value
        return target_words(row.name, row.op, row.amount, row.measure)

    @property
    def day(self) -> date | None:
        """The value of a date or limit as a day."""
        if self.row.kind not in ("date", "deadline") or not self.row.value:
            return None
        return date.fromisoformat(self.row.value)


@dataclass(frozen=True)
class Piece:
    """A stretch of text under the same findings. The innermost finding comes first in ``ids``; ``anchors`` begin here."""

    text: str
    ids: tuple[int, ...] = ()
    anchors: tuple[int, ...] = ()
    state: str = ""
    kind: str = ""


@dataclass
class Line:
    """A paragraph, with the line breaks that follow it."""

    pieces: list[Piece] = field(default_factory=list)

    @property
    def blank(self) -> bool:
        """Whether there is nothing to see."""
        return not any(piece.text.strip() for piece in self.pieces)


@dataclass
class Block:
    """A part of the text with what was understood in it. ``hidden`` findings were left out by the filter.

    ``is_task``: it names somebody responsible. ``has_lead``: a lead stands. ``lead_waits``: there is a place for one.
    """

    kind: str
    start: int
    end: int
    article: Article | None = None
    heading: Shown | None = None
    groups: list[tuple[str, str, list[Shown]]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    hidden: int = 0
    is_task: bool = False
    has_lead: bool = False
    lead_waits: bool = False

    @property
    def anchor(self) -> str:
        """The id of the block on the page."""
        return f"a{self.article.no}" if self.article else f"t{self.start}"

    @property
    def findings(self) -> list[Shown]:
        """Everything shown beside the text, the heading first."""
        rest = [shown for _, _, rows in self.groups for shown in rows]
        return [self.heading, *rest] if self.heading else rest

    @property
    def open(self) -> int:
        """How many doubts wait for a decision."""
        return sum(shown.row.open for shown in self.findings)


@dataclass(frozen=True)
class Review:
    """A revision on its way into the ledger."""

    revision: Revision
    blocks: list[Block]
    latest: Revision | None
    doubts: int
    decided: int
    blocking: int
    articles: int
    tasks: int
    leads: int
    sure_left: int
    unresolved: int
    folded: int

    @property
    def editable(self) -> bool:
        """Whether it is the newest text."""
        return self.latest is not None and self.revision.pk == self.latest.pk

    @property
    def left(self) -> int:
        """Doubts that nobody has decided yet."""
        return self.doubts - self.decided


def review(actor, revision: Revision, show: str = ALL) -> Review:
    """The review of a revision, narrowed to what ``show`` asks for (a key of `SHOWS`; others count as all)."""
    policies.read_ledger.require(actor)
    rows = list(revision.findings.select_related("carried_from__revision").order_by(*READING_ORDER))
    articles = list(revision.articles.order_by("start"))
    day = day_of(revision)
    shown = [
        Shown(row, resolve(row, day), placed=row.start is not None and row.end > row.start) for row in rows
    ]
    blocks = _blocks(revision.text, articles, rows)
    _place_text(revision.text, blocks, rows)
    _place_findings(blocks, shown, articles)
    units = [one for one in shown if one.unresolved]
    doubts = [row for row in rows if row.certainty == Finding.DOUBTFUL]
    sure = [one for one in shown if one.state == "sure" and not one.unresolved]
    tasks = [block for block in blocks if block.article and block.is_task]
    leads = sum(block.has_lead for block in tasks)
    kept = [_narrow(block, show) for block in blocks]
    return Review(
        revision=revision,
        blocks=[block for block in kept if block],
        latest=newest_of(revision.document),
        doubts=len(doubts),
        decided=sum(row.decision != Finding.PROPOSED for row in doubts),
        blocking=sum(row.blocks for row in doubts),
        articles=len(articles),
        tasks=len(tasks),
        leads=leads,
        sure_left=len(sure),
        unresolved=len(units),
        folded=sum(block is None for block in kept),
    )


def block_at(actor, revision: Revision, at: int) -> Block:
    """The part of a text in which an offset lies, without its findings; the first when there is no such offset."""
    policies.read_ledger.require(actor)
    rows = list(revision.findings.filter(kind="chapter"))
    blocks = _blocks(revision.text, list(revision.articles.order_by("start")), rows)
    return next((block for block in blocks if block.start <= at < block.end), blocks[0])


def free_number(revision: Revision, at: int) -> int | None:
    """The number that an article after this place most likely has: one more than the article before, if it is free."""
    numbers = {one.no: one.start for one in revision.articles.all()}
    wanted = max((no for no, start in numbers.items() if start <= at), default=0) + 1
    return None if wanted in numbers else wanted


def _blocks(text: str, articles: list[Article], rows: list[Finding]) -> list[Block]:
    """Cut the text at chapters and articles, without gap or overlap."""
    marks = [
        (row.start, row.end, CHAPTER, None) for row in rows if row.kind == "chapter" and row.start is not None
    ]
    marks += [(one.start, one.end, ARTICLE, one) for one in articles]
    blocks, at, kind = [], 0, HEAD
    for start, end, what, article in sorted(marks, key=lambda mark: (mark[0], mark[2] == ARTICLE)):
        start = max(start, at)
        if start > at:
            blocks.append(Block(kind, at, start))
        blocks.append(Block(what, start, max(end, start), article))
        at, kind = max(end, start), REST
    if at < len(text) or not blocks:
        blocks.append(Block(kind, at, len(text)))
    if blocks[0].kind != HEAD:
        blocks.insert(0, Block(HEAD, 0, 0))
    return _join_blanks(text, blocks)


def _join_blanks(text: str, blocks: list[Block]) -> list[Block]:
    """Nothing but white space between two blocks belongs to the one before it."""
    out: list[Block] = []
    for block in blocks:
        if block.kind == REST and out and not text[block.start : block.end].strip():
            out[-1].end = block.end
        else:
            out.append(block)
    return out


def _place_text(text: str, blocks: list[Block], rows: list[Finding]) -> None:
    """Fill each block with its paragraphs, cut at the ends of findings; nested and overlapping findings share pieces."""
    spans = {row.pk: row for row in rows if row.start is not None and row.end > row.start}
    opens: dict[int, list[Finding]] = {}
    closes: dict[int, list[Finding]] = {}
    for row in spans.values():
        opens.setdefault(row.start, []).append(row)
        closes.setdefault(row.end, []).append(row)
    lines = {0} | {
        place + 1 for place, sign in enumerate(text) if sign == "\n" and text[place + 1 : place + 2] != "\n"
    }
    cuts = {0, len(text), *lines, *opens, *closes}
    for block in blocks:
        cuts |= {block.start, block.end}
    points = sorted(cut for cut in cuts if cut <= len(text))
    starts = [block.start for block in blocks]
    active: dict[int, Finding] = {}
    for start, end in pairwise(points):
        for row in closes.get(start, ()):
            active.pop(row.pk, None)
        for row in opens.get(start, ()):
            active[row.pk] = row
        block = blocks[bisect_right(starts, start) - 1]
        if start in lines or not block.lines:
            block.lines.append(Line())
        inner = sorted(active.values(), key=lambda row: (row.end - row.start, row.pk))
        block.lines[-1].pieces.append(
            Piece(
                text=text[start:end],
                ids=tuple(row.pk for row in inner),
                anchors=tuple(row.pk for row in opens.get(start, ())),
                state=_state(inner),
                kind=inner[0].kind if inner else "",
            )
        )


def _state(rows: list[Finding]) -> str:
    if not rows:
        return ""
    if any(row.open for row in rows):
        return "open"
    return "off" if all(row.decision == Finding.REJECTED for row in rows) else "sure"


def _place_findings(blocks: list[Block], shown: list[Shown], articles: list[Article]) -> None:
    of_article = {block.article.no: block for block in blocks if block.article}
    of_chapter = {block.start: block for block in blocks if block.kind == CHAPTER}
    starts = [article.start for article in articles]
    sorted_into: dict[int, dict[str, list[Shown]]] = {}
    for one in shown:
        row = one.row
        block = of_article.get(row.article_no, blocks[0])
        if row.kind == "article" and row.article_no in of_article:
            block.heading = one
            continue
        if row.kind == "chapter":
            if row.start in of_chapter:
                of_chapter[row.start].heading = one
            continue
        if row.kind == "cite" and row.start is not None:
            place = bisect_right(starts, row.start) - 1
            if place >= 0 and row.start < articles[place].end:
                one.where = articles[place].no
        sorted_into.setdefault(id(block), {}).setdefault(row.kind, []).append(one)
    for block in blocks:
        kinds = sorted_into.get(id(block), {})
        block.groups = [(kind, title, kinds[kind]) for kind, title in GROUPS if kind in kinds]
        stand = {one.row.kind for rows in kinds.values() for one in rows if one.row.stands}
        block.is_task = bool(stand & {"lead", "helper", "open_set"})
        block.has_lead = "lead" in stand
        block.lead_waits = any(one.state != Finding.REJECTED for one in kinds.get("lead", ()))


def _narrow(block: Block, show: str) -> Block | None:
    """The block with what is asked for, None when it has none of it."""
    if show == TASKS:
        return block if block.article and block.is_task else None
    if show not in (DOUBTFUL, UNRESOLVED):
        return block

    def wanted(one: Shown) -> bool:
        return one.row.certainty == Finding.DOUBTFUL if show == DOUBTFUL else one.unresolved

    groups = [(kind, title, [one for one in rows if wanted(one)]) for kind, title, rows in block.groups]
    block.hidden = sum(not wanted(one) for _, _, rows in block.groups for one in rows)
    block.groups = [group for group in groups if group[2]]
    if block.groups or (block.heading and wanted(block.heading)):
        return block
    return None


# The list of documents --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DocumentRow:
    """A document in the list, with its newest text and what there is to do."""

    document: PlanDocument
    latest: Revision | None
    revisions: int
    left: int
    tasks: int
    waiting: int

    @property
    def behind(self) -> bool:
        """Whether the ledger was not built from the newest text."""
        opened = self.document.state == PlanDocument.IN_FORCE
        return opened and self.latest is not None and self.document.ledger_revision_id != self.latest.pk


def document_rows(actor) -> list[DocumentRow]:
    """All documents, the newest first. The number of queries does not grow with them."""
    policies.read_ledger.require(actor)
    documents = list(
        PlanDocument.objects.annotate(
            all_tasks=Count("tasks", filter=Q(tasks__dropped=False)),
            not_issued=Count("tasks", filter=Q(tasks__dropped=False, tasks__matter=None)),
        ).order_by("-issued_on", "-id")
    )
    revisions: dict[int, list[Revision]] = {}
    for row in Revision.objects.filter(document__in=documents, withdrawn=False).defer("text").order_by("-no"):
        revisions.setdefault(row.document_id, []).append(row)
    newest = [rows[0].pk for rows in revisions.values()]
    left = dict(
        Finding.objects.filter(revision__in=newest, certainty=Finding.DOUBTFUL, decision=Finding.PROPOSED)
        .exclude(kind="cite")
        .values_list("revision")
        .annotate(n=Count("id"))
    )
    return [
        DocumentRow(
            document=document,
            latest=rows[0] if rows else None,
            revisions=len(rows),
            left=left.get(rows[0].pk, 0) if rows else 0,
            tasks=document.all_tasks,
            waiting=document.not_issued,
        )
        for document in documents
        for rows in [revisions.get(document.pk, [])]
    ]


# Two revisions side by side ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """A stretch of text that was kept (""), taken out (del) or put in (ins)."""

    text: str
    how: str = ""


@dataclass(frozen=True)
class ArticleDifference:
    """An article in both texts, or in one. ``before`` and ``after`` are its findings that the other text has not."""

    old: Article | None
    new: Article | None
    words: list[Change]
    before: list[Finding]
    after: list[Finding]

    @property
    def how(self) -> str:
        """new, gone, changed or same."""
        if self.old is None or self.new is None:
            return "gone" if self.new is None else "new"
        renamed = (self.old.no, self.old.title) != (self.new.no, self.new.title)
        return (
            "changed"
            if renamed or self.before or self.after or any(one.how for one in self.words)
            else "same"
        )


@dataclass(frozen=True)
class Difference:
    """Two texts of a document compared."""

    old: Revision
    new: Revision
    head: list[tuple[str, str, str]]
    articles: list[ArticleDifference]

    @property
    def changed(self) -> list[ArticleDifference]:
        """The articles that are not the same."""
        return [one for one in self.articles if one.how != "same"]


def difference(actor, new: Revision, old_no: int | None = None) -> Difference:
    """A revision against another one of its document (the one before unless given). Raises NotThere."""
    policies.read_ledger.require(actor)
    others = new.document.revisions.filter(withdrawn=False).exclude(pk=new.pk)
    old = (
        (others.filter(no=old_no) if old_no is not None else others.filter(no__lt=new.no))
        .order_by("-no")
        .first()
    )
    if old is None:
        raise NotThere("没有可以比较的另一稿。")
    if old.no > new.no:
        old, new = new, old
    old_articles, new_articles = list(old.articles.order_by("start")), list(new.articles.order_by("start"))
    moved = match(
        [Wording(one.no, one.no, one.title, one.text) for one in old_articles],
        [Wording(one.no, one.no, one.title, one.text) for one in new_articles],
    )
    came_from = {to: came for came, to in moved.items()}
    old_by_no = {one.no: one for one in old_articles}
    old_rows, new_rows = _standing(old), _standing(new)
    pairs = [(old_by_no.get(came_from.get(one.no)), one) for one in new_articles]
    pairs += [(one, None) for one in old_articles if one.no not in moved]
    articles = []
    for before, after in pairs:
        was = old_rows.get(before.no, []) if before else []
        now = new_rows.get(after.no, []) if after else []
        articles.append(
            ArticleDifference(
                before,
                after,
                changes(before.text if before else "", after.text if after else ""),
                [row for row in was if (row.kind, row.value) not in {(one.kind, one.value) for one in now}],
                [row for row in now if (row.kind, row.value) not in {(one.kind, one.value) for one in was}],
            )
        )
    heads = (head_of(old), head_of(new))
    head = [
        (title, heads[0].get(kind, ""), heads[1].get(kind, ""))
        for kind, title in GROUPS[:4]
        if heads[0].get(kind, "") != heads[1].get(kind, "")
    ]
    return Difference(old, new, head, articles)


def _standing(revision: Revision) -> dict[int | None, list[Finding]]:
    found: dict[int | None, list[Finding]] = {}
    for row in revision.findings.exclude(kind__in=("article", "chapter", "note")).order_by("start", "id"):
        if row.stands:
            found.setdefault(row.article_no, []).append(row)
    return found


def changes(before: str, after: str) -> list[Change]:
    """The words that were taken out and put in, in the order of reading."""
    if before == after:
        return [Change(after)] if after else []
    out: list[Change] = []
    for how, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if how == "equal":
            out.append(Change(after[c:d]))
        else:
            out += [Change(before[a:b], "del")] if b > a else []
            out += [Change(after[c:d], "ins")] if d > c else []
    return out
