"""Reads of policies for enterprises."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q, QuerySet, Sum
from django.urls import reverse

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.registers import api as registers
from liangzhu.kernel import reads
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.now import today
from liangzhu.kernel.refs import Ref, register_ref
from liangzhu.pillars.services import bundles, criteria, enterprise, policies
from liangzhu.pillars.services.models import (
    Application,
    Batch,
    Case,
    Incentive,
    IncentiveMatch,
    IncentiveVersion,
    ItemVersion,
    Payout,
    PayoutBatch,
    PolicyDocument,
)

FACTS = enterprise.FACTS


def published() -> QuerySet[IncentiveVersion]:
    """What is published and has not ended, with its document."""
    return (
        IncentiveVersion.objects.filter(state=IncentiveVersion.PUBLISHED)
        .exclude(ends_on__lt=today())
        .select_related("incentive__document", "incentive__unit")
    )


def search(words: str, *, form: str = "", direct: bool = False) -> QuerySet[IncentiveVersion]:
    """What is published and has all the words in name, summary, tags, benefit or number of the document."""
    rows = published()
    for word in words.split()[:8]:
        asked = Q(incentive__document__number__icontains=word)
        for column in ("name", "summary", "tags", "benefit"):
            asked |= Q(**{f"{column}__icontains": word})
        rows = rows.filter(asked)
    if form:
        rows = rows.filter(form=form)
    return rows.filter(direct=True) if direct else rows


def one_published(incentive_id: int) -> IncentiveVersion:
    """The published version of a policy. Raises NotThere."""
    row = published().filter(incentive_id=incentive_id).first()
    if row is None:
        raise NotThere("没有找到这项政策，可能已经到期。", todo="请在惠企政策里查找。")
    return row


def unit_name(row: Incentive | PolicyDocument) -> str:
    """The short name of the unit that pays, or collected."""
    unit = directory.units().get(row.unit_id)
    return unit.short if unit else ""


WINDOWS = {"open": "", "early": "还没有开始申报", "over": "申报已经截止"}


def in_window(row: IncentiveVersion, day: date) -> str:
    """Whether one may apply on a day: open, early, over."""
    if row.window_from and day < row.window_from:
        return "early"
    return "over" if row.window_to and day > row.window_to else "open"


_PLAIN = {
    (criteria.CHOICE, "in"): "是",
    (criteria.CHOICE, "out"): "不是",
    (criteria.MANY, "in"): "有",
    (criteria.MANY, "out"): "没有",
}


def words_of(one: criteria.Criterion) -> str:
    """A condition as the program compares it, "" where a person judges."""
    fact = FACTS.get(one.fact)
    if fact is None:
        return ""
    op = criteria.OPS[fact.type][one.op]
    if fact.type == criteria.YESNO:
        return f"{fact.title}：{'是' if one.values[0] == 'yes' else '否'}"
    if one.op in ("months", "within"):
        return f"{fact.title}距今{'已满' if one.op == 'months' else '不超过'} {one.values[0]} 个月"
    if op_words := _PLAIN.get((fact.type, one.op)):
        return f"{fact.title}{op_words}{'或'.join(fact.words(value) for value in one.values)}"
    said = "、".join(fact.words(value) for value in one.values)
    return f"{fact.title}{op}{said}"


def rule_digest(row: IncentiveVersion) -> str:
    """A fingerprint of what a version demands and gives."""
    return criteria.digest(
        {
            "incentive": row.incentive_id,
            "version": row.number,
            "amount": str(row.amount) if row.amount is not None else "",
            "period": row.period,
            "criteria": [criteria.as_json(one.plain) for one in row.criteria.all()],
        }
    )


def period_of(row: IncentiveVersion, day: date) -> str:
    """The period of a day: its year, or once."""
    return str(day.year) if row.period == IncentiveVersion.YEARLY else IncentiveVersion.ONCE


def faults(row: IncentiveVersion) -> list[str]:
    """What must be mended before a version can be published."""
    terms = [one.plain for one in row.criteria.all()]
    found = []
    if not row.benefit.strip():
        found.append("没有写支持内容")
    if not row.contact.strip():
        found.append("没有写咨询方式")
    if not terms:
        found.append("没有条件：谁都可以享受的，也要照录文件里的适用范围")
    if row.direct and row.amount is None:
        found.append("免申即享要写明每户金额")
    if row.direct and any(not one.fact for one in terms):
        found.append("免申即享的条件里不能有要人工判断的")
    if not row.direct and not (row.how.strip() or row.url or row.apply_with):
        found.append("没有写怎样申报")
    if row.apply_with and not is_online(row.apply_with):
        found.append("网上申报用的事项没有施行，或者不能网上办理")
    found += [f"“{one}”的几个条件互相矛盾，没有企业能同时符合" for one in criteria.dead(terms, FACTS)]
    return found


def applied_with(unit_id: int) -> list[tuple[str, str]]:
    """What a unit's policies may be applied for with: (key, title) of bundles, and of its items that are applied for online."""
    found = [(one.key, one.title) for one in bundles.all_bundles()]
    rows = ItemVersion.objects.filter(
        state=ItemVersion.IN_FORCE, task_state=ItemVersion.ACTIVE, item__unit_id=unit_id
    )
    for key, name in rows.order_by("name").values_list("item__key", "name"):
        if is_online(f"{bundles.ONE_ITEM}{key}"):
            found.append((f"{bundles.ONE_ITEM}{key}", name))
    return found


def is_online(key: str) -> bool:
    """Whether a bundle or an item is applied for online under this key."""
    if key.startswith(bundles.ONE_ITEM):
        return bundles.where_applied(key.removeprefix(bundles.ONE_ITEM)) == key
    return any(one.key == key for one in bundles.all_bundles())


def is_granted(row: Application) -> bool:
    """Whether something was granted of an application, and nothing of it refused or open."""
    return (
        row.cases.filter(outcome=Case.GRANTED).exists()
        and not row.cases.exclude(outcome=Case.GRANTED).exists()
    )


def granted_unpaid(row: Incentive) -> list[Application]:
    """Granted applications for a policy that no list holds yet, the oldest first; at most 1,000."""
    listed = Payout.objects.filter(incentive=row).exclude(state=Payout.DROPPED).values("application")
    rows = (
        Application.objects.filter(incentive=row, submitted_at__isnull=False)
        .exclude(pk__in=listed.filter(application__isnull=False))
        .filter(cases__outcome=Case.GRANTED)
        .exclude(
            pk__in=Case.objects.filter(application__incentive=row)
            .exclude(outcome=Case.GRANTED)
            .values("application")
        )
        .select_related("matter")
        .distinct()
        .order_by("pk")
    )
    return list(rows[:1000])


# The desk -------------------------------------------------------------------------------------------------------------


def documents(actor: Actor, *, scope: str = "unit") -> QuerySet[PolicyDocument]:
    """Documents that one's unit collected, or all."""
    policies.read_incentives.require(actor)
    rows = PolicyDocument.objects.select_related("matter", "unit").annotate(
        offers=Count("incentives", distinct=True)
    )
    return rows if scope == "all" else rows.filter(unit_id=getattr(actor, "unit_id", None))


def document(actor: Actor, document_id: int) -> PolicyDocument:
    """One document. Raises NotThere."""
    row = documents(actor, scope="all").filter(pk=document_id).first()
    if row is None:
        raise NotThere("没有找到这份政策文件。")
    return row


def of_document(row: PolicyDocument) -> list[IncentiveVersion]:
    """The newest version of each policy of a document."""
    newest: dict[int, IncentiveVersion] = {}
    for one in IncentiveVersion.objects.filter(incentive__document=row).order_by("incentive_id", "number"):
        newest[one.incentive_id] = one
    return list(newest.values())


def any_version(actor: Actor, version_id: int) -> IncentiveVersion:
    """A version in any state, for staff. Raises NotThere."""
    policies.read_incentives.require(actor)
    row = (
        IncentiveVersion.objects.filter(pk=version_id)
        .select_related("incentive__document__matter", "incentive__unit")
        .first()
    )
    if row is None:
        raise NotThere("没有找到这一版政策。")
    return row


def imports(actor: Actor) -> QuerySet[Batch]:
    """Imports of documents."""
    policies.edit_incentives.require(actor)
    return Batch.objects.filter(kind=Batch.POLICIES).order_by("-id")


def imported(actor: Actor, batch_id: int) -> Batch:
    """One import of documents. Raises NotThere."""
    row = imports(actor).filter(pk=batch_id).first()
    if row is None:
        raise NotThere("没有找到这个导入批次。")
    return row


def newest(actor: Actor, incentive_id: int) -> IncentiveVersion:
    """The version of a policy that is published, or was last. Raises NotThere."""
    policies.read_incentives.require(actor)
    rows = IncentiveVersion.objects.filter(
        incentive_id=incentive_id, state__in=[IncentiveVersion.PUBLISHED, IncentiveVersion.ENDED]
    )
    row = rows.select_related("incentive").order_by("-number").first()
    if row is None:
        raise NotThere("没有找到这项政策。")
    return row


def matter_of_list(made: PayoutBatch | str) -> int:
    """The matter of a list, or of the one that a form sent twice made at first (its Ref as text)."""
    if isinstance(made, PayoutBatch):
        return made.matter_id
    return PayoutBatch.objects.get(pk=str(made).rpartition(":")[2]).matter_id


def waiting_for(actor: Actor) -> int:
    """Versions that wait for this reviewer."""
    if not policies.review_incentives(actor):
        return 0
    rows = IncentiveVersion.objects.filter(
        state=IncentiveVersion.REVIEW, incentive__unit_id=getattr(actor, "unit_id", None)
    )
    return rows.exclude(drafted_by=str(actor.ref)).count()


def to_match() -> list[int]:
    """Published policies that were not matched today, or not to the end."""
    rows = Incentive.objects.filter(versions__state=IncentiveVersion.PUBLISHED).exclude(
        matched_on=today(), matched_to=None
    )
    return list(rows.values_list("pk", flat=True))


# Coverage -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Coverage:
    """Figures of one policy or one unit: eligible now (matched), told, applied, paid, and yuan paid.

    ``ever`` counts enterprises that were eligible at some time, applied or were paid. ``paid`` and ``applied`` count enterprises, also
    those that are not eligible any more. Rates are None where nobody is counted below the line. No standard defines these rates
    (the plan's 覆盖应用率 of 苏企通 leaves it open): told is of those that fit now, paid of ``ever``, so that neither passes 100 %.
    """

    title: str
    eligible: int
    told: int
    applied: int
    paid: int
    yuan: int
    ever: int
    incentive_id: int | None = None

    @property
    def told_rate(self) -> float | None:
        """Told / eligible (触达率)."""
        return self.told / self.eligible if self.eligible else None

    @property
    def had_rate(self) -> float | None:
        """Enterprises paid / enterprises ever eligible, applying or paid (支付率): whom it reached, of all whom it could."""
        return self.paid / self.ever if self.ever else None


def coverage(actor: Actor) -> tuple[list[Coverage], list[Coverage]]:
    """By policy and by unit; what was published at some time."""
    policies.read_incentives.require(actor)
    matched = {
        row["incentive"]: row
        for row in IncentiveMatch.objects.values("incentive").annotate(
            eligible=Count("pk", filter=Q(ended_at=None)),
            told=Count("pk", filter=Q(ended_at=None, told_at__isnull=False)),
        )
    }
    applied, ever = _reached_by()
    paid = {
        row["incentive"]: row
        for row in Payout.objects.filter(state=Payout.PAID)
        .values("incentive")
        .annotate(ones=Count("organisation", distinct=True), yuan=Sum("amount"))
    }
    rows, units = [], {}
    for one in (
        IncentiveVersion.objects.filter(state__in=[IncentiveVersion.PUBLISHED, IncentiveVersion.ENDED])
        .select_related("incentive")
        .order_by("incentive_id", "-number")
    ):
        if rows and rows[-1].incentive_id == one.incentive_id:
            continue
        got, out = matched.get(one.incentive_id, {}), paid.get(one.incentive_id, {})
        line = (
            got.get("eligible", 0), got.get("told", 0), len(applied.get(one.incentive_id, ())), out.get("ones", 0),
            int(out.get("yuan", 0)), len(ever.get(one.incentive_id, ())),
        )  # fmt: skip
        rows.append(Coverage(one.name, *line, incentive_id=one.incentive_id))
        name = unit_name(one.incentive)
        units[name] = tuple(map(sum, zip(units.get(name, (0,) * 6), line, strict=True)))
    return rows, [Coverage(name, *line) for name, line in sorted(units.items())]


def _reached_by() -> tuple[dict[int, set[int]], dict[int, set[int]]]:
    """By policy: the enterprises that applied, and all that were ever eligible, applied or were paid."""
    applied: dict[int, set[int]] = {}
    ever: dict[int, set[int]] = {}
    sent = Application.objects.filter(incentive__isnull=False, submitted_at__isnull=False)
    for key, applicant in sent.values_list("incentive", "applicant"):
        applied.setdefault(key, set()).add(int(Ref.parse(applicant).id))
    paid = Payout.objects.filter(state=Payout.PAID)
    for rows in (IncentiveMatch.objects.all(), paid):
        for key, organisation in rows.values_list("incentive", "organisation"):
            ever.setdefault(key, set()).add(organisation)
    for key, ones in applied.items():
        ever.setdefault(key, set()).update(ones)
    return applied, ever


def reached() -> tuple[int, int]:
    """(enterprises told of at least one policy that fits, enterprises in being): the coverage of 苏企通, as counted here."""
    told = IncentiveMatch.objects.exclude(told_at=None).values("organisation").distinct().count()
    everyone = registers.Organisation.objects.filter(
        state=registers.Organisation.ACTIVE, kind__in=("enterprise", "individual", "cooperative")
    )
    return told, everyone.count()


# The enterprise's side ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fit:
    """A policy beside one enterprise."""

    version: IncentiveVersion
    verdict: criteria.Verdict
    unit: str
    payout: Payout | None = None

    @property
    def rank(self) -> tuple:
        """What fits first, then what is nearest; among equals the larger amount, then what closes sooner."""
        order = {criteria.YES: 0, criteria.UNKNOWN: 1, criteria.NO: 2}
        way = self.verdict.way
        return (
            order[self.verdict.outcome],
            99 if way is None else len(way),
            -(self.version.amount or 0),
            self.version.window_to or date.max,
            self.version.pk,
        )

    @property
    def words(self) -> str:
        """The outcome in words."""
        return criteria.WORDS[self.verdict.outcome]


def fits(organisation_id: int, versions: Iterable[IncentiveVersion] | None = None) -> list[Fit]:
    """All published policies beside an enterprise, best first."""
    one = registers.Organisation.objects.get(pk=organisation_id)
    known = enterprise.known_of([one])[one.pk]
    rows = published().prefetch_related("criteria") if versions is None else versions
    paid = {
        row.incentive_id: row
        for row in Payout.objects.filter(organisation_id=organisation_id).exclude(
            state__in=[Payout.DROPPED, Payout.LISTED]
        )
    }
    found = [
        Fit(
            row,
            criteria.decide([c.plain for c in row.criteria.all()], FACTS, known, today()),
            unit_name(row.incentive),
            paid.get(row.incentive_id),
        )
        for row in rows
    ]
    return sorted(found, key=lambda fit: fit.rank)


def known(organisation_id: int) -> dict[str, criteria.Known]:
    """What is known of one enterprise."""
    one = registers.Organisation.objects.get(pk=organisation_id)
    return enterprise.known_of([one])[one.pk]


def own_payout(actor: Actor, payout_id: int) -> Payout:
    """A line of the enterprise that one acts for, once it was agreed to. Raises NotThere."""
    row = (
        Payout.objects.select_related("batch__version__incentive", "organisation", "application")
        .filter(pk=payout_id)
        .first()
    )
    if (
        row is None
        or row.state == Payout.LISTED
        or not policies.own_enterprise(actor, Ref("organisation", str(row.organisation_id)))
    ):
        raise NotThere("没有找到这笔支持资金。")
    return row


def payouts_waiting(organisation_id: int) -> QuerySet[Payout]:
    """Lines that wait for this enterprise's account."""
    return Payout.objects.filter(organisation_id=organisation_id, state=Payout.ASKED).select_related(
        "batch__version"
    )


# Lists that are paid --------------------------------------------------------------------------------------------------


def lines(batch: PayoutBatch) -> QuerySet[Payout]:
    """The lines of a list."""
    return batch.lines.select_related("organisation").order_by("pk")


def sums(batch: PayoutBatch) -> list[tuple[str, int, int]]:
    """By state: its title, enterprises, yuan."""
    titles = dict(Payout.STATES)
    rows = batch.lines.values("state").annotate(ones=Count("pk"), yuan=Sum("amount")).order_by("state")
    return [(titles[row["state"]], row["ones"], int(row["yuan"])) for row in rows]


def proof_of(actor: Actor, payout_id: int) -> Payout:
    """A line with its proof, for the unit that pays. Raises NotThere."""
    row = (
        Payout.objects.select_related("batch__version__incentive", "organisation")
        .filter(pk=payout_id)
        .first()
    )
    if row is None or not policies.see_payout(actor, row.incentive):
        raise NotThere("没有找到这一行。")
    return row


def _resolve(ids, actor: Actor) -> dict[str, tuple[str, str]]:
    rows = IncentiveVersion.objects.filter(incentive_id__in=ids, state=IncentiveVersion.PUBLISHED)
    return {
        str(row.incentive_id): (row.name, reverse("services:policy", args=[row.incentive_id])) for row in rows
    }


register_ref("incentive", "惠企政策", _resolve)


@reads.belongs("payout")
def _of_payout(ref: Ref) -> list[Ref]:
    """The enterprise that is paid."""
    row = Payout.objects.filter(pk=ref.id).first()
    return [Ref("organisation", str(row.organisation_id))] if row else []
