"""Facts of a plan on their way into the ledger, whoever gives them: a reviewed reading, or the district's pack."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.errors import Invalid, Problem
from liangzhu.pillars.programme.models import Finding


def target_words(name: str, op: str, amount: Decimal, measure: str) -> str:
    """A target as it is said: 一网通办率 不低于 85%."""
    return f"{name} {dict(Finding.OPS)[op]} {amount.normalize():f}{measure}"


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

    @property
    def words(self) -> str:
        """The target as it is said: 一网通办率 不低于 85%."""
        return target_words(self.name, self.op, self.amount, self.measure)


@dataclass(frozen=True)
class ArticleFacts:
    """One article that has a responsible unit. Units and open sets are names, as the plan writes them.

    ``unit_ids`` says which unit a name means where a person chose among several of that name.
    """

    no: int
    chapter: str
    title: str
    lead: str
    helpers: tuple[str, ...] = ()
    open_sets: tuple[str, ...] = ()
    text: str = ""
    due_on: date | None = None
    targets: tuple[TargetFact, ...] = ()
    unit_ids: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ResolvedArticle:
    """The same with units of the district's directory; ``members`` maps each open set, as the directory writes it."""

    facts: ArticleFacts
    lead_id: int
    helper_ids: tuple[int, ...]
    members: dict[str, tuple[int, ...]] = field(default_factory=dict)


def resolve(articles: list[ArticleFacts], day: date | None) -> list[ResolvedArticle]:
    """Find every unit on the day of the plan. Raises Invalid with a line for every article that names none or an unknown one."""
    wrong: dict[str, str] = {}
    resolved: list[ResolvedArticle] = []
    for article in articles:
        problems: list[str] = []
        found = _resolve(article, day, problems)
        if problems:
            wrong[f"article-{article.no}"] = f"第 {article.no} 条：{''.join(problems)}"
        else:
            resolved.append(found)
    if wrong:
        raise Invalid(
            wrong,
            title="有单位对不上机构名录",
            todo="请在校核页更正这些单位，或请系统管理员在机构名录里补录后再建账。",
        )
    return resolved


def _resolve(article: ArticleFacts, day: date | None, problems: list[str]) -> ResolvedArticle:
    def unit(name: str) -> int:
        if name in article.unit_ids:
            return article.unit_ids[name]
        try:
            return directory.resolve_unit(name, day).id
        except Problem as problem:
            problems.append(problem.detail)
            return 0

    if not article.lead:
        problems.append("没有牵头单位，请先补充。")
    lead = unit(article.lead) if article.lead else 0
    helpers = tuple(dict.fromkeys(unit(name) for name in article.helpers))
    members: dict[str, tuple[int, ...]] = {}
    for expression in article.open_sets:
        try:
            found = directory.expand_set(expression, day)
        except Problem as problem:
            problems.append(problem.detail)
        else:
            members[found.expression] = found.unit_ids
    return ResolvedArticle(article, lead, tuple(helper for helper in helpers if helper != lead), members)
