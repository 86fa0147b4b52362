"""Facts of a plan on their way into the ledger, whoever gives them: a reviewed reading, or the district's pack."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.errors import Invalid, Problem


@dataclass(frozen=True)
class TargetFact:
    """A quantified target: ``name`` ``op`` ``amount`` ``measure`` (e.g. 一网通办率 >= 85 %), with its wording and day."""

    text: str
    name: str
    op: str
    amount: Decimal
    measure: str
    due_on: date | None = None
    indicator_key: str = ""


@dataclass(frozen=True)
class ArticleFacts:
    """One article that has a responsible unit. Units and open sets are names, as the plan writes them."""

    no: int
    chapter: str
    title: str
    lead: str
    helpers: tuple[str, ...] = ()
    open_sets: tuple[str, ...] = ()
    text: str = ""
    due_on: date | None = None
    targets: tuple[TargetFact, ...] = ()


@dataclass(frozen=True)
class ResolvedArticle:
    """The same with units of the district's directory; ``members`` maps each open set to its members."""

    facts: ArticleFacts
    lead_id: int
    helper_ids: tuple[int, ...]
    members: dict[str, tuple[int, ...]] = field(default_factory=dict)


def resolve(articles: list[ArticleFacts], day: date | None) -> list[ResolvedArticle]:
    """Find every unit on the day of the plan. Raises Invalid listing, by article, every name that is not one unit."""
    wrong: list[str] = []
    resolved: list[ResolvedArticle] = []

    def unit(no: int, name: str) -> int | None:
        try:
            return directory.resolve_unit(name, day).id
        except Problem as problem:
            wrong.append(f"第 {no} 条：{problem.detail}")
            return None

    for article in articles:
        if not article.lead:
            wrong.append(f"第 {article.no} 条没有牵头单位，请先补充。")
            continue
        lead = unit(article.no, article.lead)
        helpers = tuple(dict.fromkeys(unit(article.no, name) for name in article.helpers))
        members: dict[str, tuple[int, ...]] = {}
        for expression in article.open_sets:
            try:
                members[expression] = directory.expand_set(expression, day).unit_ids
            except Problem as problem:
                wrong.append(f"第 {article.no} 条：{problem.detail}")
        if lead is not None and None not in helpers:
            resolved.append(ResolvedArticle(article, lead, tuple(h for h in helpers if h != lead), members))
    if wrong:
        raise Invalid(
            {"": "；".join(wrong)},
            title="有单位对不上机构名录",
            todo="请在校核页更正这些单位，或请系统管理员在机构名录里补录后再建账。",
        )
    return resolved
