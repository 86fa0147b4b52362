"""What a reading of a plan document (实施方案, 意见, 行动计划 …) consists of.

All positions are half-open character offsets into :attr:`Reading.text`, the text as it is shown to the person who
checks the reading; nothing in that text has been corrected.  Dates are :class:`datetime.date`.  A fact that the
document does not state is ``None`` or an empty tuple: it is never filled in by guessing.
"""

import datetime
from dataclasses import dataclass
from typing import Literal

Certainty = Literal["sure", "doubtful"]
Kind = Literal[
    "number",
    "title",
    "issuer",
    "date",
    "cite",
    "chapter",
    "heading",
    "lead",
    "helper",
    "open_set",
    "deadline",
    "target",
]
Operator = Literal[">=", ">", "<=", "<"]


@dataclass(frozen=True, slots=True)
class Target:
    """A measurable target (量化指标): ``name`` ``op`` ``value`` ``unit``, for example 一网通办率 ``>=`` 85 ``%``.

    ``unit`` is the unit as written (``亿元``, ``个月``); ``value`` is not converted between units.
    """

    name: str
    op: Operator
    value: int | float
    unit: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact with its place in the text.

    ``value`` is the fact in its standard form (a repaired document number, a date, a :class:`Target`); ``text`` is what
    stands at ``start:end``.  ``why`` says where the fact comes from and, when doubtful, what a person must check.
    """

    kind: Kind
    value: str | datetime.date | Target | None
    text: str
    start: int
    end: int
    certainty: Certainty = "sure"
    why: str = ""

    @property
    def span(self) -> tuple[int, int]:
        """Return ``(start, end)`` as offsets into the text of the reading."""
        return self.start, self.end

    @property
    def sure(self) -> bool:
        """Tell whether the fact needs no check by a person."""
        return self.certainty == "sure"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that a person must check; ``article`` is the article's number, or ``None`` for the document's head."""

    article: int | None
    text: str
    why: str
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Article:
    """One unit of work (任务条目): the level of the outline at which the responsible units (责任单位) stand.

    ``no`` is the number as printed; where the numbering restarts or is mixed, the position in the document, and a doubt
    says so.  ``label`` is the marker as printed (``4.``, ``（十二）``).  ``text`` is the wording without marker and
    without the closing bracket of responsible units, heading included, blank lines dropped; ``start:end`` is the whole
    article from its marker on, ``body_start`` the offset at which the wording after the heading begins.
    """

    no: int
    label: str
    chapter: str
    section: str
    title: Finding
    text: str
    start: int
    end: int
    body_start: int
    lead: Finding | None = None
    helpers: tuple[Finding, ...] = ()
    open_sets: tuple[Finding, ...] = ()
    deadlines: tuple[Finding, ...] = ()
    targets: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that was read from one plan document."""

    text: str
    number: Finding | None
    title: Finding | None
    issuer: Finding | None
    date: Finding | None
    cites: tuple[Finding, ...]
    chapters: tuple[Finding, ...]
    articles: tuple[Article, ...]
    doubts: tuple[Doubt, ...]


def to_json(reading: Reading) -> dict:
    """Return the reading as plain JSON data; dates are ``YYYY-MM-DD``, what is missing is ``""`` or ``[]``.

    The shape is fixed: ``{number, title, issuer, date, cites, articles: [{no, chapter, title, text, lead, helpers,
    open_sets, deadlines: [{text, date}], targets: [{text, name, op, value, unit}]}], doubts: [{article, text, why}]}``.
    """
    return {
        "number": _plain(reading.number),
        "title": _plain(reading.title),
        "issuer": _plain(reading.issuer),
        "date": _plain(reading.date),
        "cites": [_plain(cite) for cite in reading.cites],
        "articles": [
            {
                "no": article.no,
                "chapter": article.chapter,
                "title": _plain(article.title),
                "text": article.text,
                "lead": _plain(article.lead),
                "helpers": [_plain(helper) for helper in article.helpers],
                "open_sets": [_plain(open_set) for open_set in article.open_sets],
                "deadlines": [{"text": found.text, "date": _plain(found)} for found in article.deadlines],
                "targets": [
                    {
                        "text": found.text,
                        "name": found.value.name,
                        "op": found.value.op,
                        "value": found.value.value,
                        "unit": found.value.unit,
                    }
                    for found in article.targets
                ],
            }
            for article in reading.articles
        ],
        "doubts": [
            {"article": doubt.article, "text": doubt.text, "why": doubt.why} for doubt in reading.doubts
        ],
    }


def _plain(finding: Finding | None) -> str:
    if finding is None or finding.value is None:
        return ""
    if isinstance(finding.value, datetime.date):
        return finding.value.isoformat()
    return str(finding.value)
