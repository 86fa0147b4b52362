"""From a reading to findings in the database, with what people decided before; and from reviewed findings to facts.

A revised text brings new findings. What was decided on the text before is carried over to the same article, wherever it
stands now; what cannot be carried over becomes a doubt, so that nobody's work disappears unseen.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import Q, QuerySet

from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.errors import Problem
from liangzhu.pillars.programme.facts import ArticleFacts, TargetFact
from liangzhu.pillars.programme.matching import Goal, Wording, match, match_goals
from liangzhu.pillars.programme.models import Article, Clause, Finding, PlanDocument, PlanTask, Revision
from liangzhu.pillars.programme.models.documents import READING_ORDER
from liangzhu.pillars.programme.reading import read_article
from liangzhu.pillars.programme.reading.model import Article as ReadArticle
from liangzhu.pillars.programme.reading.model import Doubt, Reading, Target
from liangzhu.pillars.programme.reading.model import Finding as Read

LARGEST = Decimal(10) ** 14
"""Amounts from here on do not fit the column."""

NO_LEAD = "没有写明牵头单位"

_CHAPTER_MARK = re.compile(
    r"^\s*(?:第[一二三四五六七八九十百\d]+[章部编]|[（(]?[一二三四五六七八九十]+[)）]?)[、.．\s]*"
)
_SENTENCE_END = re.compile(r"[。；;！!？?\n]")
_TARGET = re.compile(
    r"(?P<name>.+) (?P<op>>=|<=|>|<|=) (?P<amount>-?\d+(?:\.\d+)?)(?P<measure>.*)", re.DOTALL
)


def target_text(name: str, op: str, amount: Decimal, measure: str) -> str:
    """A target in one line, as it stands in ``value``: ``一网通办率 >= 85%``."""
    return f"{name} {op} {amount.normalize():f}{measure}"


def read_target(row: Finding) -> tuple[str, str, Decimal, str] | None:
    """Name, op, amount and measure as the reader gave them, from ``read_value``; None when there were none."""
    found = _TARGET.fullmatch(row.read_value)
    return (found["name"], found["op"], Decimal(found["amount"]), found["measure"]) if found else None


# A reading as rows ------------------------------------------------------------------------------------------------------


def rows_of(revision: Revision, reading: Reading) -> tuple[list[Article], list[Finding]]:
    """A reading as unsaved articles and findings. A doubt goes to the finding at its place; else it is a note."""
    articles = [_article_of(revision, read, read.chapter) for read in reading.articles]
    rows = [
        _row(revision, kind, read, None)
        for kind, read in [
            ("number", reading.number),
            ("title", reading.title),
            ("issuer", reading.issuer),
            ("date", reading.date),
        ]
        if read is not None
    ]
    rows += [_row(revision, "cite", read, None) for read in reading.cites]
    rows += [_row(revision, "chapter", read, None) for read in reading.chapters]
    for article in reading.articles:
        rows += _rows_of_article(revision, article)
    _place_doubts(revision, reading.doubts, rows)
    return articles, rows


def read_again(revision: Revision, no: int, start: int, end: int) -> tuple[Article, list[Finding]]:
    """A stretch of a text as an article of that number, with its findings; nothing is saved."""
    read, doubts = read_article(revision.text, no, start, end, day_of(revision))
    rows = _rows_of_article(revision, read)
    _place_doubts(revision, doubts, rows)
    above = revision.findings.filter(kind="chapter", start__lte=start).exclude(decision=Finding.REJECTED)
    chapter = above.order_by("-start").first()
    return _article_of(revision, read, chapter.value if chapter else ""), rows


def _article_of(revision: Revision, read: ReadArticle, chapter: str) -> Article:
    return Article(
        revision=revision,
        no=read.no,
        label=read.label[:40],
        chapter=chapter[:200],
        title=str(read.title.value)[:500],
        text=read.text,
        start=read.start,
        end=read.end,
    )


def _row(revision: Revision, kind: str, read: Read, article_no: int | None) -> Finding:
    row = Finding(
        revision=revision,
        article_no=article_no,
        kind=kind,
        quote=read.text[:500],
        start=read.start,
        end=read.end,
        certainty=read.certainty,
        why=read.why[:300],
    )
    if isinstance(read.value, Target):
        amount = Decimal(str(read.value.value))
        if not amount.is_finite() or abs(amount) >= LARGEST:
            row.certainty, row.why = Finding.DOUBTFUL, "数值过大，请核对"
        else:
            row.name, row.op, row.measure = read.value.name[:100], read.value.op, read.value.unit[:20]
            row.amount = round(amount, 4)
            row.value = target_text(row.name, row.op, row.amount, row.measure)
    else:
        row.value = read.value.isoformat() if isinstance(read.value, date) else (read.value or "")
    row.value = row.value[:500]
    row.read_value = row.value
    return row


def _rows_of_article(revision: Revision, article: ReadArticle) -> list[Finding]:
    rows = [_row(revision, "article", article.title, article.no)]
    if article.lead is not None:
        rows.append(_row(revision, "lead", article.lead, article.no))
    rows += [_row(revision, "helper", read, article.no) for read in article.helpers]
    rows += [_row(revision, "open_set", read, article.no) for read in article.open_sets]
    rows += [_row(revision, "deadline", read, article.no) for read in article.deadlines]
    rows += [_row(revision, "target", read, article.no) for read in article.targets]
    named = [*article.helpers, *article.open_sets]
    if article.lead is None and named:
        start, end = min(read.start for read in named), max(read.end for read in named)
        text = revision.text[start:end]
        rows.insert(
            1,
            Finding(
                revision=revision,
                article_no=article.no,
                kind="lead",
                quote=text[:500],
                start=start,
                end=end,
                certainty=Finding.DOUBTFUL,
                why=NO_LEAD,
            ),
        )
    return rows


def _place_doubts(revision: Revision, doubts: Iterable[Doubt], rows: list[Finding]) -> None:
    by_place: dict[tuple[int, int], list[Finding]] = {}
    for row in rows:
        by_place.setdefault((row.start, row.end), []).append(row)
    for doubt in doubts:
        here = by_place.get((doubt.start, doubt.end), []) if doubt.end > doubt.start else []
        # The place of a lead that is missing is the whole list of units, which may be one open set and no more.
        gaps = [
            row for row in here if row.kind == "lead" and not row.value and row.article_no == doubt.article
        ]
        row = next(iter(gaps or [row for row in here if row.article_no in (doubt.article, None)]), None)
        if row is None:
            place = (doubt.text, doubt.start, doubt.end) if doubt.end > doubt.start else ()
            rows.append(_note(revision, doubt.article, doubt.why, *place))
        elif row.certainty == Finding.SURE or doubt.why not in row.why:
            known = "" if row in gaps else row.why
            row.certainty, row.why = Finding.DOUBTFUL, "；".join(filter(None, [known, doubt.why]))[:300]


def _note(
    revision: Revision,
    article_no: int | None,
    why: str,
    quote: str = "",
    start: int | None = None,
    end: int | None = None,
) -> Finding:
    """Something to check that is no fact."""
    return Finding(
        revision=revision,
        article_no=article_no,
        kind="note",
        quote=quote[:500],
        start=start,
        end=end,
        read_value=why[:500],
        certainty=Finding.DOUBTFUL,
        why=why[:300],
    )


# Decisions carried over -------------------------------------------------------------------------------------------------

KEPT = ("value", "name", "op", "amount", "measure", "unit_id")
DECIDED = ("decision", "decided_by", "decided_label", "decided_at")


def _copy(old: Finding, row: Finding, names: Iterable[str]) -> None:
    for name in names:
        setattr(row, name, getattr(old, name))


def _by_person(row: Finding) -> bool:
    return row.decision != Finding.PROPOSED or row.added


@dataclass
class _Carrying:
    """The findings of one kind in one article before, and those of the same article now, as far as they have no pair."""

    before: list[Finding] = field(default_factory=list)
    now: list[Finding] = field(default_factory=list)

    def pair(self, same: Callable[[Finding, Finding], bool]) -> list[tuple[Finding, Finding]]:
        """Pair what is the same, in order, and leave the rest."""
        made = []
        for old in list(self.before):
            row = next((row for row in self.now if same(old, row)), None)
            if row is not None:
                self.before.remove(old)
                self.now.remove(row)
                made.append((old, row))
        return made


def carry(previous: Revision, articles: list[Article], rows: list[Finding], revision: Revision) -> int:
    """Carry what people decided on the previous text over to these rows, which are not saved yet.

    The same wording read the same way keeps its decision. A correction or a rejection of the same wording is kept even
    if it is read differently now. A correction whose wording is gone, or that contradicts the new text, becomes a doubt.
    Returns how many decisions were carried over or turned into doubts.
    """
    before = list(previous.articles.all())
    moved: dict[int | None, int | None] = dict(
        match(
            [Wording(old.no, old.no, old.title, old.text) for old in before],
            [Wording(new.no, new.no, new.title, new.text) for new in articles],
        )
    )
    moved[None] = None
    groups: dict[tuple[int | None, str], _Carrying] = {}
    for row in rows:
        groups.setdefault((row.article_no, row.kind), _Carrying()).now.append(row)
    gone: dict[int, list[Finding]] = {}
    for old in previous.findings.order_by(*READING_ORDER):
        if old.article_no not in moved:
            gone.setdefault(old.article_no, []).append(old)
        else:
            key = (moved[old.article_no], old.kind)
            groups.setdefault(key, _Carrying()).before.append(old)
    carried = 0
    for (article_no, _), group in groups.items():
        carried += _carry_group(group, article_no, rows, revision)
    titles = {old.no: old.title for old in before}
    for no, lost in gone.items():
        work = [
            old for old in lost if _by_person(old) and old.decision != Finding.REJECTED and old.kind != "note"
        ]
        work = [old for old in work if old.added or old.decision == Finding.CORRECTED]
        if work:
            said = "、".join(f"{old.get_kind_display()}“{old.value[:40]}”" for old in work[:4])
            why = f"上一稿第 {no} 条《{titles.get(no, '')[:40]}》在本稿中没有找到，{len(work)} 处人工校核（{said}）没有沿用，请确认该条已经删去"
            rows.append(_note(revision, None, why))
            carried += len(work)
    return carried


def _carry_group(group: _Carrying, article_no: int | None, rows: list[Finding], revision: Revision) -> int:
    carried = 0
    read_alike = group.pair(
        lambda old, row: not old.added and (old.quote, old.read_value) == (row.quote, row.read_value)
    )
    read_alike += group.pair(
        lambda old, row: (
            not old.added
            and old.read_value == row.read_value
            and (bool(row.read_value) or row.kind == "lead")
        )
    )
    for old, row in read_alike:
        if old.decision != Finding.PROPOSED:
            _copy(old, row, (*KEPT, *DECIDED))
            row.carried_from = old
            carried += 1
    for old, row in group.pair(lambda old, row: not old.added and old.quote and old.quote == row.quote):
        if old.decision == Finding.CORRECTED:
            _copy(old, row, KEPT)
        if old.decision in (Finding.CORRECTED, Finding.REJECTED):
            _copy(old, row, DECIDED)
            row.carried_from = old
            carried += 1
    for old, row in group.pair(
        lambda old, row: _by_person(old) and old.value and old.value == row.read_value
    ):
        _copy(old, row, ("unit_id",))
        if old.decision in (Finding.CONFIRMED, Finding.CORRECTED):
            # The text now says what a person had said before it.
            _copy(old, row, DECIDED)
            row.decision, row.carried_from = Finding.CONFIRMED, old
        carried += 1
    if group.now and group.now[0].kind in Finding.SINGLE:
        for old, row in group.pair(lambda old, row: True):
            carried += _contradict(old, row)
    for old in group.before:
        row = _keep(old, article_no, revision)
        if row is not None:
            rows.append(row)
            carried += 1
    return carried


def _contradict(old: Finding, row: Finding) -> int:
    """There can be one such finding only, and the new text says something else than a person did."""
    if not (old.added or old.decision == Finding.CORRECTED) or old.decision == Finding.REJECTED:
        return 0
    if row.kind == "lead" and not row.value:
        _copy(old, row, KEPT)
        row.added = True
        if old.added and old.decision != Finding.PROPOSED:
            # Neither text names a lead: who was named by a person stays.
            _copy(old, row, DECIDED)
        else:
            row.why = f"{row.why}；上一稿校核为“{old.value}”，请确认是否仍然适用"[:300]
    else:
        row.certainty = Finding.DOUBTFUL
        said = f"上一稿校核为“{old.value[:80]}”，本稿写的是“{row.value[:80]}”，请核对"
        row.why = "；".join(filter(None, [row.why, said]))[:300]
    row.carried_from = old
    return 1


def _keep(old: Finding, article_no: int | None, revision: Revision) -> Finding | None:
    """A finding of the previous text that no finding of the new one answers; None when nothing needs to be kept."""
    if old.decision == Finding.REJECTED or old.kind in ("note", "article", "chapter"):
        return None
    if not old.added and old.decision != Finding.CORRECTED:
        return None
    row = Finding(revision=revision, article_no=article_no, kind=old.kind, added=True, carried_from=old)
    _copy(old, row, KEPT)
    if old.added:
        _copy(old, row, (*DECIDED, "certainty", "why"))
    else:
        row.certainty = Finding.DOUBTFUL
        row.why = "上一稿的更正在本稿中找不到对应原文，请确认是否仍然适用"
    return row


# Proposals from a ledger that had no text -------------------------------------------------------------------------------


def propose(document: PlanDocument, articles: list[Article], rows: list[Finding], revision: Revision) -> None:
    """Compare a first text with a ledger that was opened without one, and ask about what the text does not say.

    The ledger's lead of an article that names none, its helpers and its targets become doubtful additions: confirmed, they
    stay as they are in the ledger.
    """
    tasks = list(document.tasks.filter(dropped=False).prefetch_related("helpers", "clauses"))
    moved = match(
        [Wording(task.pk, task.article_no, task.title, task.text) for task in tasks],
        [Wording(new.no, new.no, new.title, new.text) for new in articles],
    )
    day = document.issued_on
    for task in tasks:
        no = moved.get(task.pk)
        if no is None:
            why = f"台账里的任务 {task.article_no}《{task.title[:60]}》在原文中没有找到对应条目，请核对"
            rows.append(_note(revision, None, why))
            continue
        mine = [row for row in rows if row.article_no == no]
        _propose_lead(task, mine, day)
        named = {
            unit for row in mine if row.kind in ("lead", "helper") for unit in [unit_of(row, day)] if unit
        }
        for helper in task.helpers.all():
            if not helper.expression and helper.unit_id not in named:
                why = "台账里有这个配合单位，原文没有写，请确认保留或剔除"
                rows.append(
                    _added(
                        revision, no, "helper", why, directory.unit_name(helper.unit_id, day), helper.unit_id
                    )
                )
        _propose_targets(task, no, mine, rows, revision)


def _propose_lead(task: PlanTask, mine: list[Finding], day: date | None) -> None:
    row = next((row for row in mine if row.kind == "lead"), None)
    if row is None or task.lead_unit_id is None or unit_of(row, day) == task.lead_unit_id:
        return
    name = directory.unit_name(task.lead_unit_id, day)
    if row.value:
        row.certainty = Finding.DOUBTFUL
        row.why = f"{row.why}；台账里的牵头单位是“{name}”，请核对"[:300]
    else:
        row.added, row.value, row.unit_id = True, name, task.lead_unit_id
        row.why = f"{row.why}；台账里的牵头单位是“{name}”，请确认"[:300]


def _propose_targets(
    task: PlanTask, no: int, mine: list[Finding], rows: list[Finding], revision: Revision
) -> None:
    clauses = [one for one in task.clauses.all() if one.kind == Clause.TARGET and not one.dropped]
    read = [row for row in mine if row.kind == "target" and row.amount is not None]
    same = match_goals(
        [Goal(one.pk, one.name, one.op, one.amount, one.measure) for one in clauses],
        [Goal(id(row), row.name, row.op, row.amount, row.measure) for row in read],
    )
    by_id = {id(row): row for row in read}
    for clause in clauses:
        row = by_id.get(same.get(clause.pk))
        if row is None:
            why = "台账里有这项目标，原文没有写成数字，请确认保留或剔除"
            value = target_text(clause.name, clause.op, clause.amount, clause.measure)
            made = _added(revision, no, "target", why, value)
            made.name, made.op, made.amount, made.measure = (
                clause.name,
                clause.op,
                clause.amount,
                clause.measure,
            )
            rows.append(made)
        elif row.name != clause.name:
            row.certainty = Finding.DOUBTFUL
            row.why = "；".join(filter(None, [row.why, f"台账里的名称是“{clause.name}”，请核对"]))[:300]


def _added(
    revision: Revision, no: int, kind: str, why: str, value: str, unit_id: int | None = None
) -> Finding:
    return Finding(
        revision=revision,
        article_no=no,
        kind=kind,
        value=value,
        unit_id=unit_id,
        added=True,
        certainty=Finding.DOUBTFUL,
        why=why,
    )


def unit_of(row: Finding, day: date | None) -> int | None:
    """The unit that a finding means: the one a person chose, else the one of that name; None when it is not one unit."""
    if row.unit_id:
        return row.unit_id
    try:
        return directory.resolve_unit(row.value, day).id if row.value else None
    except Problem:
        return None


UNITS = ("lead", "helper")


def same_words(row: Finding, value: str) -> QuerySet[Finding]:
    """The other places of a text where a unit, or an open set, is written so and nobody has decided yet."""
    kinds = UNITS if row.kind in UNITS else ("open_set",) if row.kind == "open_set" else ()
    rows = Finding.objects.filter(revision=row.revision_id, kind__in=kinds, decision=Finding.PROPOSED)
    return rows.filter(value=value).exclude(pk=row.pk) if value else rows.none()


# From reviewed findings to facts ----------------------------------------------------------------------------------------


def facts_of(revision: Revision) -> list[ArticleFacts]:
    """The articles with responsible units, as the reviewed findings say. What was rejected does not count."""
    by_article: dict[int | None, list[Finding]] = {}
    for row in revision.findings.all():
        if row.stands:
            by_article.setdefault(row.article_no, []).append(row)
    chapters = sorted(
        (row for row in by_article.get(None, ()) if row.kind == "chapter" and row.start is not None),
        key=lambda row: row.start,
    )
    facts = []
    for article in revision.articles.all():
        mine = by_article.get(article.no, [])
        units = {kind: [row for row in mine if row.kind == kind] for kind in ("lead", "helper", "open_set")}
        if not any(units.values()):
            continue
        head = next((row for row in mine if row.kind == "article"), None)
        above = [row.value for row in chapters if row.start <= article.start]
        days = [row for row in mine if row.kind == "deadline"]
        facts.append(
            ArticleFacts(
                no=article.no,
                chapter=_CHAPTER_MARK.sub("", above[-1] if above else article.chapter),
                title=head.value if head else article.title,
                lead=units["lead"][0].value if units["lead"] else "",
                helpers=tuple(dict.fromkeys(row.value for row in units["helper"])),
                open_sets=tuple(dict.fromkeys(row.value for row in units["open_set"])),
                text=article.text,
                due_on=max((date.fromisoformat(row.value) for row in days), default=None),
                targets=tuple(
                    TargetFact(
                        text=row.quote or row.value,
                        name=row.name,
                        op=row.op,
                        amount=row.amount,
                        measure=row.measure,
                        due_on=_due_of(row, days, revision.text),
                    )
                    for row in mine
                    if row.kind == "target" and row.amount is not None
                ),
                unit_ids={row.value: row.unit_id for row in mine if row.unit_id},
            )
        )
    return facts


def _due_of(target: Finding, deadlines: list[Finding], text: str) -> date | None:
    """The day of a target: a limit in its own sentence, or one that a person gave to the whole article; never another's."""
    whole = [row for row in deadlines if row.start is None]
    near = [
        row
        for row in deadlines
        if row.start is not None
        and target.start is not None
        and not _SENTENCE_END.search(text, min(row.end, target.end), max(row.start, target.start))
    ]
    return max((date.fromisoformat(row.value) for row in near or whole), default=None)


def head_of(revision: Revision) -> dict[str, str]:
    """Number, title, issuer and date (YYYY-MM-DD) of the document as reviewed; absent where nothing stands."""
    rows = revision.findings.filter(article_no=None, kind__in=("number", "title", "issuer", "date")).order_by(
        "-id"
    )
    return {row.kind: row.value for row in rows if row.stands}


def day_of(revision: Revision) -> date | None:
    """The day on which the units of a text are looked up: its date as reviewed, else that of the document."""
    read = head_of(revision).get("date")
    return date.fromisoformat(read) if read else revision.document.issued_on


_PLACE = re.compile(r"(?:^|(?<=[。；！？）\n]))[ \t\u3000]*(?=[^\s，。；、：）])")
_NO_PLACE = re.compile(r"\s*[（(](?![一二三四五六七八九十\d])")


def places(revision: Revision) -> list[int]:
    """Where an article could begin that the reader missed: at every sentence, and behind every bracket (its predecessor's units).

    Not where an article or a chapter begins already.
    """
    text = revision.text
    taken = set(revision.articles.values_list("start", flat=True))
    chapters = revision.findings.filter(kind="chapter").exclude(decision=Finding.REJECTED)
    taken |= set(chapters.values_list("start", flat=True))
    found = [match.end() for match in _PLACE.finditer(text)]
    return [at for at in found if at < len(text) and at not in taken and not _NO_PLACE.match(text, at)]


def newest_of(document: PlanDocument) -> Revision | None:
    """The newest text of a document that was not withdrawn."""
    return document.revisions.filter(withdrawn=False).order_by("-no").first()


def undecided(revision: Revision) -> list[Finding]:
    """The doubts that a ledger cannot be opened over, in the order of the text."""
    rows = revision.findings.filter(Q(certainty=Finding.DOUBTFUL, decision=Finding.PROPOSED))
    return [row for row in rows.order_by(*READING_ORDER) if row.blocks]
