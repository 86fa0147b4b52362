"""Changes of policies for enterprises: collected, drafted, published by a second person, matched, paid without application."""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Sum
from django.urls import reverse

from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.trust.sources import api as sources
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Conflict, Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.now import now, today
from liangzhu.kernel.refs import Ref
from liangzhu.pillars.services import criteria, enterprise, policies, policy_text
from liangzhu.pillars.services.events import IncentivePublished
from liangzhu.pillars.services.models import (
    Application,
    EnterpriseFact,
    Incentive,
    IncentiveCriterion,
    IncentiveMatch,
    IncentiveVersion,
    Payout,
    PayoutBatch,
    PolicyDocument,
)
from liangzhu.pillars.services.queries import incentives as queries

COLLECTION, PAYOUT = "policy_collection", "incentive_payout"
SAID_FOR = timedelta(days=365)
"""How long what an enterprise said of itself, or agreed to have read, is used."""
PURPOSE = "匹配惠企政策，核算免申即享"
COLUMNS = (
    "name", "summary", "tags", "form", "amount", "benefit", "period", "budget", "direct", "starts_on", "ends_on",
    "window_from", "window_to", "materials", "how", "apply_with", "url", "contact",
)  # fmt: skip
BATCH = 500
MOST_LINES = 1000


# Collecting -----------------------------------------------------------------------------------------------------------


@action("services.collect_policy")
def collect(
    act: Act,
    *,
    title: str,
    issuer: str,
    published_on: date,
    unit_id: int,
    number: str = "",
    url: str = "",
    text: str = "",
    source: str = "",
) -> PolicyDocument:
    """Collect a policy document; a matter of the unit begins whose clock runs from the day of publication.

    Raises Invalid, Denied, Conflict when the document is there already.
    """
    act.check(policies.edit_incentives, PolicyDocument(unit_id=unit_id))
    return collect_row(
        act,
        title=title,
        issuer=issuer,
        published_on=published_on,
        unit_id=unit_id,
        number=number,
        url=url,
        text=text,
        source=source,
    )


def collect_row(act: Act, *, published_on: date, unit_id: int, **said: str) -> PolicyDocument:
    """Within an action that asked who may: collect one document, as `collect` and imports do. Raises Invalid, Conflict."""
    row = PolicyDocument(
        published_on=published_on,
        unit_id=unit_id,
        collected_at=now(),
        **{name: value if name == "text" else value.strip() for name, value in said.items()},
    )
    _clean(row, ["matter", "unit"])
    if published_on > today():
        raise Invalid({"published_on": "公布日期不能晚于今天。"})
    if row.number and PolicyDocument.objects.filter(number=row.number, title=row.title).exists():
        raise Conflict(f"{row.number}已经归集过。", todo="请在政策文件里找到它，接着整理。")
    row.matter = matters.open_matter(
        act,
        kind=COLLECTION,
        title=f"归集《{row.title}》"[:200],
        parties={"unit": unit_id},
        holding_unit_id=unit_id,
        data={"published_on": published_on},
        opening="归集",
    )
    row.save(force_insert=True)
    act.log(row.ref, number=row.number, published_on=published_on, unit=unit_id)
    return row


def _clean(row, exclude: Iterable[str]) -> None:
    try:
        row.clean_fields(exclude=list(exclude))
    except ValidationError as error:
        raise Invalid({name: " ".join(texts) for name, texts in error.message_dict.items()}) from None


# Drafting and publishing ----------------------------------------------------------------------------------------------


@action("services.begin_incentive")
def begin(act: Act, *, document_id: int, unit_id: int | None = None) -> IncentiveVersion:
    """Begin a policy of a document, with a first draft: what can be read out of its text stands in it already."""
    document = act.lock(PolicyDocument, pk=document_id)
    act.check(policies.edit_incentives, document)
    return first_draft(act, document, unit_id=unit_id)


def first_draft(
    act: Act, document: PolicyDocument, *, unit_id: int | None = None, tags: str = "", contact: str = ""
) -> IncentiveVersion:
    """Within an action that asked who may: the first draft of a policy of a document."""
    row = Incentive.objects.create(document=document, unit_id=unit_id or document.unit_id, created_at=now())
    found = policy_text.read(document.text)
    version = IncentiveVersion.objects.create(
        incentive=row,
        number=1,
        name=document.title[:120],
        benefit="",
        tags=tags,
        contact=contact,
        how=found.how,
        materials=found.materials,
        starts_on=document.published_on,
        **_drafter(act),
    )
    IncentiveCriterion.objects.bulk_create(
        IncentiveCriterion(
            version=version,
            place=place,
            wording=one.wording,
            fact=one.fact,
            op=one.op,
            values=" ".join(one.values),
        )
        for place, one in enumerate(found.terms)
    )
    act.log(version.ref, document=document.pk, number=1)
    return version


def _drafter(act: Act) -> dict[str, Any]:
    return {"drafted_by": str(act.actor.ref), "drafted_label": act.actor.label, "drafted_at": now()}


@action("services.redraft_incentive")
def redraft(act: Act, *, incentive_id: int) -> IncentiveVersion:
    """Begin a next version that says what the last one says. Raises StepNotAllowed when one is open."""
    row = act.lock(Incentive, pk=incentive_id)
    act.check(policies.edit_incentives, row)
    if row.versions.filter(state__in=IncentiveVersion.OPEN).exists():
        raise StepNotAllowed("已经有一版正在起草或待审核。", todo="请接着改那一版。")
    last = row.versions.latest("number")
    version = IncentiveVersion.objects.create(
        incentive=row,
        number=last.number + 1,
        **{name: getattr(last, name) for name in COLUMNS},
        **_drafter(act),
    )
    for one in last.criteria.all():
        one.pk, one.version = None, version
        one.save(force_insert=True)
    act.log(version.ref, number=version.number)
    return version


def _draft(act: Act, version_id: int, revision: int | None) -> IncentiveVersion:
    row = act.lock(IncentiveVersion, pk=version_id)
    act.check(policies.edit_incentives, row.incentive)
    if row.state != IncentiveVersion.DRAFT:
        raise StepNotAllowed(f"这一版已是“{row.get_state_display()}”，不能再改。", todo="请起草一个新版本。")
    if revision is not None and revision != row.revision:
        raise Conflict("这份草稿刚刚在别处保存过。")
    return row


def _kept(act: Act, row: IncentiveVersion, **details: Any) -> IncentiveVersion:
    row.revision += 1
    for name, value in _drafter(act).items():
        setattr(row, name, value)
    row.save()
    act.log(row.ref, number=row.number, revision=row.revision, **details)
    return row


@action("services.edit_incentive")
def edit(
    act: Act, *, version_id: int, values: Mapping[str, Any], version: int | None = None
) -> IncentiveVersion:
    """Write what a draft says. ``version`` is the revision that was read. Raises Invalid, Conflict."""
    row = _draft(act, version_id, version)
    for name, value in values.items():
        if name not in COLUMNS:
            raise Invalid({name: "没有这一项。"})
        setattr(row, name, value)
    _clean(row, [one.name for one in row._meta.fields if one.name not in values])
    if row.ends_on and row.ends_on < row.starts_on:
        raise Invalid({"ends_on": "有效期至不能早于施行日期。"})
    if row.window_from and row.window_to and row.window_to < row.window_from:
        raise Invalid({"window_to": "申报截止不能早于申报开始。"})
    return _kept(act, row)


@action("services.put_criterion")
def put_criterion(
    act: Act,
    *,
    version_id: int,
    wording: str,
    fact: str = "",
    op: str = "",
    values: str = "",
    group: str = "",
    article: str = "",
    criterion_id: int | None = None,
    version: int | None = None,
) -> IncentiveVersion:
    """Add a condition to a draft, or write one. ``values`` are parted by blanks. Raises Invalid, NotThere, Conflict."""
    draft = _draft(act, version_id, version)
    row = draft.criteria.filter(pk=criterion_id).first() if criterion_id else None
    if criterion_id and row is None:
        raise NotThere("没有找到这个条件，可能刚刚被删去。")
    if row is None:
        row = IncentiveCriterion(version=draft, place=draft.criteria.count())
    row.wording, row.article, row.fact, row.group = wording.strip(), article.strip(), fact, group.strip()
    row.op, row.values = (op, " ".join(values.split())) if fact else ("", "")
    if message := criteria.fault(row.plain, enterprise.FACTS):
        raise Invalid(
            {"values" if wording.strip() and op else "op" if wording.strip() else "wording": message}
        )
    _clean(row, ["version"])
    row.save()
    return _kept(act, draft, criterion=row.pk)


@action("services.remove_criterion")
def remove_criterion(
    act: Act, *, version_id: int, criterion_id: int, version: int | None = None
) -> IncentiveVersion:
    """Take a condition out of a draft. Raises NotThere."""
    draft = _draft(act, version_id, version)
    row = draft.criteria.filter(pk=criterion_id).first()
    if row is None:
        raise NotThere("没有找到这个条件，可能刚刚被删去。")
    row.delete()
    return _kept(act, draft, removed=criterion_id)


@action("services.submit_incentive")
def submit(act: Act, *, version_id: int, version: int | None = None) -> IncentiveVersion:
    """Hand a draft to the second person. Raises NotReady with everything that must be mended."""
    row = _draft(act, version_id, version)
    _ready(row)
    row.state = IncentiveVersion.REVIEW
    return _kept(act, row, state=row.state)


def _ready(row: IncentiveVersion) -> None:
    if found := queries.faults(row):
        raise StepNotAllowed("；".join(found), todo="请改正后再提交；已填写的内容都保留着。")


@action("services.decide_incentive")
def decide(act: Act, *, version_id: int, accept: bool, note: str = "") -> IncentiveVersion:
    """Publish a version, or send it back. Who drafted it cannot. Raises Denied, Invalid, StepNotAllowed."""
    row = act.lock(IncentiveVersion, pk=version_id)
    act.check(policies.review_incentives, row.incentive)
    if row.state != IncentiveVersion.REVIEW:
        raise StepNotAllowed(f"这一版已是“{row.get_state_display()}”，不能审核。")
    if row.drafted_by == str(act.actor.ref):
        raise Denied("起草人不能审核自己起草的政策。", todo="请本单位另一位惠企政策审核人审核。")
    if not accept and not note.strip():
        raise Invalid({"note": "不同意的，请写明原因。"})
    if accept:
        _ready(row)
        act.lock(Incentive, pk=row.incentive_id)
        for before in row.incentive.versions.filter(state=IncentiveVersion.PUBLISHED):
            before.state = IncentiveVersion.ENDED
            before.save(update_fields=["state"])
            act.log(before.ref, state=before.state, followed_by=row.number)
    row.state = IncentiveVersion.PUBLISHED if accept else IncentiveVersion.REFUSED
    row.decided_by, row.decided_label, row.decided_at = str(act.actor.ref), act.actor.label, now()
    row.decision_note = note.strip()
    row.save()
    act.log(row.ref, number=row.number, state=row.state, digest=queries.rule_digest(row))
    if accept:
        act.emit(IncentivePublished(subject=row.incentive.ref, version_id=row.pk))
    return row


# What is known of an enterprise ---------------------------------------------------------------------------------------


@action("services.say_facts")
def say(act: Act, *, organisation: Ref, values: Mapping[str, Any]) -> EnterpriseFact | None:
    """An enterprise tells of itself (自行填报); what it leaves empty it does not tell. Raises Denied, Invalid."""
    act.check(policies.own_enterprise, organisation)
    moment, last = now(), None
    EnterpriseFact.objects.filter(organisation_id=int(organisation.id), origin=criteria.SELF).delete()
    for one in enterprise.sayable():
        value = values.get(one.key)
        if value in (None, "", []):
            continue
        last = EnterpriseFact.objects.create(
            organisation_id=int(organisation.id),
            fact=one.key,
            value=json.dumps(enterprise.clean(one.key, value), ensure_ascii=False),
            origin=criteria.SELF,
            source_title="企业自行填报",
            said_by=str(act.actor.ref),
            at=moment,
            until=moment + SAID_FOR,
        )
    act.log(organisation, told=[name for name, value in values.items() if value not in (None, "", [])])
    match_one(act, int(organisation.id))
    return last


@action("services.agree_facts")
def _agree(act: Act, *, organisation: Ref, source: str) -> Any:
    act.check(policies.own_enterprise, organisation)
    found = residents.consent_for(organisation, source, str(organisation))
    if found is not None:
        act.log(found.ref, still=True)
        return found
    return residents.give_consent(
        act,
        subject=organisation,
        source=source,
        fields=list(enterprise.SOURCES[source].values()),
        purpose=PURPOSE,
        case=str(organisation),
        channel="portal",
        until=today() + SAID_FOR,
    )


@action("services.keep_pulled")
def _keep(act: Act, *, organisation: Ref, source: str, pulled: sources.Pulled, until: datetime) -> None:
    act.check(policies.own_enterprise, organisation)
    EnterpriseFact.objects.filter(organisation_id=int(organisation.id), source=source).delete()
    for name, field in enterprise.SOURCES[source].items():
        if field in pulled.values:
            EnterpriseFact.objects.create(
                organisation_id=int(organisation.id),
                fact=name,
                value=json.dumps(pulled.values[field], ensure_ascii=False),
                origin=criteria.SOURCE,
                source=source,
                source_title=pulled.source_title,
                receipt=pulled.receipt_id,
                said_by=str(act.actor.ref),
                at=pulled.at,
                until=until,
            )
    act.log(organisation, source=source, receipt=pulled.receipt_id)
    match_one(act, int(organisation.id))


def read_source(actor: Actor, *, organisation: Ref, source: str) -> sources.Pulled:
    """An enterprise agrees, and a source is read: consent, pull with receipt, facts. Not inside a transaction.

    Raises what `sources.pull` raises, Denied, NotThere.
    """
    if source not in enterprise.SOURCES:
        raise NotThere("没有这个数据来源。")
    consent = _agree(actor, organisation=organisation, source=source)
    pulled = sources.pull(
        actor,
        source=source,
        subject=organisation,
        fields=list(enterprise.SOURCES[source].values()),
        purpose=PURPOSE,
        case=organisation,
        consent_id=consent.pk,
    )
    _keep(actor, organisation=organisation, source=source, pulled=pulled, until=consent.until)
    return pulled


@action("services.drop_pulled")
def drop_pulled(act: Act, *, case: str, source: str) -> None:
    """Destroy what was read under a consent that ended."""
    act.check(policies.keep_time)
    organisation = Ref.parse(case)
    EnterpriseFact.objects.filter(organisation_id=int(organisation.id), source=source).delete()
    act.log(organisation, dropped=source)
    match_one(act, int(organisation.id))


# Matching -------------------------------------------------------------------------------------------------------------


@action("services.match_slice")
def _match_slice(act: Act, *, incentive_id: int) -> bool:
    """Match the next `BATCH` enterprises with a policy, in the run of today. Returns whether any are left."""
    act.check(policies.keep_time)
    row = act.lock(Incentive, pk=incentive_id)
    if row.matched_on == today() and row.matched_to is None:
        act.log(row.ref, matched=True)
        return False
    if row.matched_on != today():
        row.matched_on, row.matched_to = today(), 0
    version = row.versions.filter(state=IncentiveVersion.PUBLISHED).first()
    if version is not None and version.ends_on and version.ends_on < today():
        version.state = IncentiveVersion.ENDED
        version.save(update_fields=["state"])
        act.log(version.ref, state=version.state)
        version = None
    everyone = registers.Organisation.objects.filter(
        state=registers.Organisation.ACTIVE, pk__gt=row.matched_to
    ).order_by("pk")
    some = list(everyone[:BATCH]) if version else []
    if some:
        terms = [one.plain for one in version.criteria.all()]
        verdicts = {
            pk: criteria.decide(terms, enterprise.FACTS, known, today())
            for pk, known in enterprise.known_of(some).items()
        }
        _note_all(version, verdicts)
    else:
        gone = row.matches.filter(ended_at=None)
        if version is not None:
            gone = gone.exclude(organisation__state=registers.Organisation.ACTIVE)
        gone.update(ended_at=now())
    row.matched_to = some[-1].pk if some else None
    row.save(update_fields=["matched_on", "matched_to"])
    act.log(row.ref, matched=len(some), to=row.matched_to, version=version.number if version else 0)
    return bool(some)


def match(actor: Actor, *, incentive_id: int) -> int:
    """Work out whom a policy fits today, note it, and tell those whom it fits newly. Returns how many it fits.

    `BATCH` enterprises in a transaction; what broke off goes on where it stood. Not inside a transaction of its own.
    """
    while _match_slice(actor, incentive_id=incentive_id):
        pass
    return IncentiveMatch.objects.filter(incentive_id=incentive_id, ended_at=None).count()


@action("services.match_again")
def match_again(act: Act, *, incentive_id: int) -> None:
    """Have a policy matched anew: it was published, or what it demands has changed."""
    act.check(policies.keep_time)
    row = act.lock(Incentive, pk=incentive_id)
    row.matched_on = row.matched_to = None
    row.save(update_fields=["matched_on", "matched_to"])
    act.log(row.ref, again=True)


def match_one(act: Act, organisation_id: int) -> None:
    """Within an action: work out which policies fit one enterprise now."""
    one = registers.Organisation.objects.get(pk=organisation_id)
    known = enterprise.known_of([one])[one.pk]
    for version in queries.published().prefetch_related("criteria"):
        terms = [row.plain for row in version.criteria.all()]
        _note_all(version, {one.pk: criteria.decide(terms, enterprise.FACTS, known, today())})


def _note_all(version: IncentiveVersion, verdicts: Mapping[int, criteria.Verdict]) -> None:
    """Keep what came of matching a policy with some enterprises, and tell those whom it newly fits; few statements."""
    before = {
        one.organisation_id: one
        for one in IncentiveMatch.objects.filter(
            incentive_id=version.incentive_id, organisation_id__in=verdicts.keys()
        )
    }
    made, kept, told = [], [], []
    for pk, verdict in verdicts.items():
        row = before.get(pk)
        if verdict.outcome != criteria.YES:
            if row is not None and row.ended_at is None:
                row.ended_at = now()
                kept.append(row)
            continue
        if row is None:
            row = IncentiveMatch(incentive_id=version.incentive_id, organisation_id=pk, since=now())
        elif row.ended_at is not None:
            row.since, row.ended_at = now(), None
        elif (row.version_id, row.proven) == (version.pk, verdict.proven) and row.told_at is not None:
            continue
        row.version, row.proven = version, verdict.proven
        if row.told_at is None:
            row.told_at = now()
            told.append(Ref("organisation", str(pk)))
        (kept if row.pk else made).append(row)
    IncentiveMatch.objects.bulk_create(made, batch_size=BATCH)
    IncentiveMatch.objects.bulk_update(
        kept, ["since", "ended_at", "version", "proven", "told_at"], batch_size=100
    )
    if told:
        residents.tell(
            told,
            key=f"incentive:{version.incentive_id}",
            title=f"有一项政策适合您：{version.name}"[:200],
            text=version.summary or version.benefit[:200],
            url=reverse("services:my_policy", args=[version.incentive_id]),
            about=Ref("incentive", str(version.incentive_id)),
        )


def may_apply(actor: Actor, incentive_id: int, bundle: str) -> IncentiveVersion:
    """The version of a policy that one may apply for now, for an enterprise, with this bundle or item.

    Raises NotThere, StepNotAllowed, Denied.
    """
    version = queries.one_published(incentive_id)
    firm = getattr(actor, "organisation", None)
    if firm is None:
        raise StepNotAllowed("惠企政策由企业申报。", todo="请在“我的”里切换到要代表的企业，再点“开始申报”。")
    policies.own_enterprise.require(actor, firm)
    if version.direct or not version.apply_with or version.apply_with != bundle:
        raise StepNotAllowed("这项政策不是这样申报的。", todo="请从政策页面按“怎样得到”办理。")
    if words := queries.WINDOWS[queries.in_window(version, today())]:
        raise StepNotAllowed(f"“{version.name}”{words}。")
    period = queries.period_of(version, today())
    if (
        Payout.objects.filter(incentive_id=incentive_id, organisation_id=int(firm.id), period=period)
        .exclude(state=Payout.DROPPED)
        .exists()
    ):
        raise StepNotAllowed(f"{period_words(period)}已经享受过“{version.name}”，或者正在拨付。")
    return version


def note_applied(act: Act, *, application: Application) -> None:
    """Within the sending of an application: an enterprise applied for a policy. Raises what `may_apply` raises."""
    may_apply(act.actor, application.incentive_id, application.bundle)
    firm = Ref.parse(application.applicant)
    row = IncentiveMatch.objects.filter(
        incentive_id=application.incentive_id, organisation_id=int(firm.id)
    ).first()
    if row is not None:
        row.applied, row.applied_at = str(application.ref), now()
        row.save(update_fields=["applied", "applied_at"])
        act.log(row.ref, applied=row.applied)


# Paying without application -------------------------------------------------------------------------------------------


@action("services.propose_granted")
def propose_granted(
    act: Act, *, incentive_id: int, amounts: Mapping[int, Decimal] | None = None
) -> PayoutBatch:
    """List those whose application for a policy was granted and not listed yet (申请兑现), for the second person.

    ``amounts`` in yuan by application, where the policy has no equal amount for everybody; who is not named is not listed.
    Raises StepNotAllowed (nobody, over budget), Invalid.
    """
    row = act.lock(Incentive, pk=incentive_id)
    act.check(policies.edit_incentives, row)
    version = row.versions.filter(state=IncentiveVersion.PUBLISHED).first()
    version = version or row.versions.filter(state=IncentiveVersion.ENDED).order_by("-number").first()
    given, seen, lines = amounts or {}, set(), []
    for one in queries.granted_unpaid(row):
        amount = version.amount if version.amount is not None else given.get(one.pk)
        if amount is None or one.applicant in seen:
            continue
        if amount <= 0:
            raise Invalid({f"amount_{one.pk}": "金额要大于 0。"})
        seen.add(one.applicant)
        lines.append((one, amount))
    if not lines:
        raise StepNotAllowed(
            "没有可以列入的申请。", todo="准予的申请才列入；没有统一金额的政策，要逐户填写核定的金额。"
        )
    period = queries.period_of(version, today())
    bodies = [
        (int(Ref.parse(one.applicant).id), amount, _granted_proof(version, one), one) for one, amount in lines
    ]
    had = Payout.objects.filter(incentive=row).exclude(state=Payout.DROPPED)
    return _list(act, row, version, period, had, bodies, f"申请兑现：{version.name}")


def _granted_proof(version: IncentiveVersion, application: Application) -> dict[str, Any]:
    """What a line rests on where somebody applied: the application, and each decision on it."""
    return {
        "policy": version.name,
        "version": version.number,
        "rule": queries.rule_digest(version),
        "criteria": [],
        "answers": [],
        "facts": {},
        "application": application.matter.number,
        "decisions": [
            {"case": case.code, "item": case.name, "outcome": case.outcome, "on": case.decided_at.isoformat()}
            for case in application.cases.order_by("id")
        ],
    }


@action("services.propose_payout")
def propose_payout(act: Act, *, incentive_id: int) -> PayoutBatch:
    """List whom a policy is paid to without application in the present period: proven by what government holds only.

    Who is on a list of this period already is left out. Raises StepNotAllowed (not such a policy, nobody, over budget).
    """
    row = act.lock(Incentive, pk=incentive_id)
    act.check(policies.edit_incentives, row)
    version = row.versions.filter(state=IncentiveVersion.PUBLISHED).first()
    if version is None or not version.direct or version.amount is None:
        raise StepNotAllowed(
            "这项政策不是已发布的免申即享政策。", todo="请先发布写明每户金额的免申即享版本。"
        )
    day = today()
    if day < version.starts_on or (version.ends_on and day > version.ends_on):
        raise StepNotAllowed("今天不在政策的有效期内。")
    period = queries.period_of(version, day)
    had = Payout.objects.filter(incentive=row).exclude(state=Payout.DROPPED)
    if version.period == IncentiveVersion.YEARLY:
        had = had.filter(period=period)
    matched = row.matches.filter(ended_at=None, proven=True).exclude(
        organisation__in=had.values("organisation")
    )
    ones = list(
        registers.Organisation.objects.filter(
            pk__in=matched.values("organisation"), state=registers.Organisation.ACTIVE
        ).order_by("pk")[:MOST_LINES]
    )
    terms, lines = [one.plain for one in version.criteria.all()], []
    for pk, known in enterprise.known_of(ones).items():
        body = _proof(version, terms, known, day)
        if body["proven"]:
            lines.append((pk, body))
    if not lines:
        raise StepNotAllowed(
            "这一期没有还可以列入的企业。", todo="只有政府数据证实全部条件的企业才列入；自行填报的不算。"
        )
    bodies = [(pk, version.amount, body, None) for pk, body in lines]
    return _list(act, row, version, period, had, bodies, f"免申即享：{version.name}")


def _list(
    act: Act,
    row: Incentive,
    version: IncentiveVersion,
    period: str,
    had,
    bodies: list[tuple[int, Decimal, dict[str, Any], Application | None]],
    title: str,
) -> PayoutBatch:
    """A list with a line each of (organisation, yuan, proof, application), as a matter for the second person."""
    total = sum((amount for _, amount, _, _ in bodies), Decimal(0))
    spent = had.filter(period=period).aggregate(total=Sum("amount"))["total"] or Decimal(0)
    if version.budget is not None and spent + total > version.budget:
        raise StepNotAllowed(
            f"{len(bodies)} 户共 {total} 元，加上本期已列的 {spent} 元，超过预算 {version.budget} 元。",
            todo="请调整预算，发布新版本后再列名单。",
        )
    matter = matters.open_matter(
        act,
        kind=PAYOUT,
        title=f"{title}（{period_words(period)}，{len(bodies)}户）"[:200],
        parties={"unit": row.unit_id},
        holding_unit_id=row.unit_id,
        opening="提出名单",
    )
    batch = PayoutBatch.objects.create(
        matter=matter, version=version, period=period, rule_digest=queries.rule_digest(version)
    )
    for pk, amount, body, application in bodies:
        line = Payout(
            batch=batch,
            incentive=row,
            organisation_id=pk,
            application=application,
            period=period,
            amount=amount,
            proof=json.dumps(body, ensure_ascii=False),
            proof_digest=criteria.digest(body),
        )
        line.save(force_insert=True)
        act.log(line.ref, batch=batch.pk, organisation=pk, proof=line.proof_digest)
    act.log(batch.ref, lines=len(bodies), total=str(total), rule=batch.rule_digest)
    return batch


def period_words(period: str) -> str:
    """A period as people read it."""
    return "一次性" if period == IncentiveVersion.ONCE else f"{period}年度"


def _proof(version: IncentiveVersion, terms, known, day: date) -> dict[str, Any]:
    return {
        **criteria.proof(terms, enterprise.FACTS, known, day),
        "policy": version.name,
        "version": version.number,
        "rule": queries.rule_digest(version),
        "amount": str(version.amount),
    }


def approve_payout(act: Act, matter: matters.Matter) -> None:
    """Effect: the second person agrees. Every line is worked out again; who does not meet the policy any more, or whose grant
    does not stand, is dropped."""
    batch = PayoutBatch.objects.select_related("version").get(matter=matter)
    terms = [one.plain for one in batch.version.criteria.all()]
    lines = list(batch.lines.select_related("organisation", "application"))
    known = enterprise.known_of(one.organisation for one in lines)
    for line in lines:
        verdict = criteria.decide(terms, enterprise.FACTS, known[line.organisation_id], today())
        stands = verdict.proven if line.application is None else queries.is_granted(line.application)
        active = line.organisation.state == registers.Organisation.ACTIVE
        line.state = Payout.ASKED if stands and active else Payout.DROPPED
        line.why = "" if line.state == Payout.ASKED else "复核时已不符合条件，或依据的授权已撤回"
        line.save(update_fields=["state", "why"])
        act.log(line.ref, state=line.state)
        if line.state == Payout.ASKED:
            residents.tell(
                [line.organisation.ref],
                key=f"payout.asked:{line.pk}",
                title=(
                    f"您不用申请，就可以得到“{batch.version.name}”{line.amount}元"
                    if line.application is None
                    else f"您申报的“{batch.version.name}”已经核定 {line.amount} 元"
                )[:200],
                text="请确认收款账户，确认后由兑现单位拨付。",
                url=reverse("services:my_payout", args=[line.pk]),
                about=line.ref,
            )


def order_payout(act: Act, matter: matters.Matter) -> None:
    """Effect: payment is ordered for who confirmed an account; who did not can be listed again. Raises StepNotAllowed."""
    batch = PayoutBatch.objects.get(matter=matter)
    ready = list(batch.lines.filter(state=Payout.CONFIRMED))
    if not ready:
        raise StepNotAllowed("还没有企业确认收款账户。", todo="请等企业确认，或打电话提醒。")
    _move(act, ready, Payout.ORDERED)
    _move(
        act,
        batch.lines.filter(state=Payout.ASKED),
        Payout.DROPPED,
        why="下达支付前没有确认收款账户，可以再列入",
    )


def refuse_payout(act: Act, matter: matters.Matter) -> None:
    """Effect: the list is not agreed to; its lines are dropped."""
    _move(act, Payout.objects.filter(batch__matter=matter), Payout.DROPPED, why="名单没有通过复核")


def pay_out(act: Act, matter: matters.Matter, voucher: str) -> None:
    """Effect: the treasury paid; each enterprise is told."""
    batch = PayoutBatch.objects.select_related("version").get(matter=matter)
    batch.voucher = voucher
    batch.save(update_fields=["voucher"])
    lines = list(batch.lines.filter(state=Payout.ORDERED).select_related("organisation"))
    _move(act, lines, Payout.PAID, paid_at=now())
    for line in lines:
        residents.tell(
            [line.organisation.ref],
            key=f"payout.paid:{line.pk}",
            title=f"“{batch.version.name}”{line.amount}元已经拨付"[:200],
            text="没有到账的，请联系兑现单位。",
            url=reverse("services:my_payout", args=[line.pk]),
            about=line.ref,
        )


def _move(act: Act, lines: Iterable[Payout], state: str, **given: Any) -> None:
    for line in lines:
        line.state = state
        for name, value in given.items():
            setattr(line, name, value)
        line.save(update_fields=["state", *given])
        act.log(line.ref, state=state)


@action("services.confirm_account")
def confirm_account(act: Act, *, payout_id: int, account: str, bank: str) -> Payout:
    """The enterprise names the account to be paid to. Raises NotThere for another's, StepNotAllowed, Invalid."""
    line = Payout.objects.select_for_update().filter(pk=payout_id).first()
    if line is None or not policies.own_enterprise(act.actor, Ref("organisation", str(line.organisation_id))):
        raise NotThere("没有找到这笔支持资金。")
    act.check(policies.own_enterprise, Ref("organisation", str(line.organisation_id)))
    residents.need(2)
    if line.state not in (Payout.ASKED, Payout.CONFIRMED):
        raise StepNotAllowed(f"这笔资金“{line.get_state_display()}”，不能再改账户。")
    number = "".join(account.split())
    if not (number.isdigit() and 8 <= len(number) <= 32):
        raise Invalid({"account": "请填写开户银行给的账号，8 至 32 位数字。"})
    if not bank.strip():
        raise Invalid({"bank": "请填写开户银行，写到支行。"})
    line.account, line.bank, line.state = number, bank.strip(), Payout.CONFIRMED
    line.confirmed_by, line.confirmed_at = str(act.actor.ref), now()
    line.save()
    act.log(line.ref, state=line.state)
    return line
