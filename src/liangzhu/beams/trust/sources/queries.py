"""Every read of this app, scoped to who asks."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet

from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.trust.sources import circuit, policies, receipts, registry
from liangzhu.beams.trust.sources.models import Kept, Pull, Read, StaffCheck
from liangzhu.beams.trust.sources.pulling import holder_title
from liangzhu.beams.trust.sources.readers import is_resident
from liangzhu.kernel import masking, reads
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref, register_ref

LOOK_BACK = timedelta(hours=24)
ANSWERS = 200
"""So many last answers make the figures of a source."""


# The trail ------------------------------------------------------------------------------------------------------------


def trail(subject: Ref) -> QuerySet[Read]:
    """Every reading of somebody's values, the newest first; merged rows are one person. The caller asked its policy."""
    ids: dict[str, list[int]] = {"natural_person": [], "organisation": []}
    for text in registers.family(str(subject)):
        ref = Ref.parse(text)
        ids[ref.kind].append(int(ref.id))
    rows = Read.objects.select_related("person", "pull")
    if subject.kind == "organisation":
        return rows.filter(organisation__in=ids["organisation"])
    return rows.filter(person__in=ids["natural_person"])


# Sources and how they do ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Health:
    """How a source does: what it answered lately, how quickly, since when it is not asked.

    ``counts`` are the outcomes of the last 24 hours; ``p50`` and ``p95`` milliseconds of the last answers, None without any.
    """

    source: registry.Source
    holder: str
    counts: dict[str, int]
    answered_at: datetime | None
    failed_at: datetime | None
    p50: int | None
    p95: int | None
    paused_until: datetime | None

    @property
    def state(self) -> str:
        """The state as a light: ok, near (it fails now and then), law (it is down), none (nobody asked yet)."""
        if self.paused_until:
            return "law"
        if self.answered_at is None and self.failed_at is None:
            return "none"
        if self.failed_at and (self.answered_at is None or self.failed_at > self.answered_at):
            return "near"
        return "ok"

    @property
    def words(self) -> str:
        """The state in words."""
        return {"law": "没有答复，暂停询问", "none": "还没有用过", "near": "上次没有答复", "ok": "正常"}[
            self.state
        ]

    @property
    def failures(self) -> int:
        """How many questions of the last 24 hours had no answer, or a wrong one."""
        return sum(self.counts.get(one, 0) for one in (Read.DOWN, Read.WRONG))

    @property
    def asked(self) -> int:
        """How many questions were put in the last 24 hours."""
        return sum(self.counts.get(one, 0) for one in circuit.ANSWERED)


def health(actor: Actor) -> list[Health]:
    """How every source does, by title."""
    policies.watch.require(actor)
    since = now() - LOOK_BACK
    counted: dict[str, dict[str, int]] = {}
    for row in Pull.objects.filter(at__gte=since).values("source", "outcome").annotate(n=Count("id")):
        counted.setdefault(row["source"], {})[row["outcome"]] = row["n"]
    found = [_health(one, counted.get(one.key, {})) for one in registry.all_sources().values()]
    return sorted(found, key=lambda one: (one.state not in ("law", "near"), one.source.title))


def _health(one: registry.Source, counts: dict[str, int]) -> Health:
    last = list(
        Pull.objects.filter(source=one.key, outcome__in=circuit.ANSWERED)
        .order_by("-id")
        .values_list("outcome", "at", "milliseconds")[:ANSWERS]
    )
    good = [row for row in last if row[0] in (Read.DONE, Read.NOTHING)]
    bad = [row for row in last if row[0] in (Read.DOWN, Read.WRONG)]
    times = sorted(row[2] for row in good)
    return Health(
        source=one,
        holder=holder_title(one),
        counts=counts,
        answered_at=good[0][1] if good else None,
        failed_at=bad[0][1] if bad else None,
        p50=times[len(times) // 2] if times else None,
        p95=times[min(len(times) - 1, len(times) * 95 // 100)] if times else None,
        paused_until=circuit.open_until(one),
    )


def source(actor: Actor, key: str) -> Health:
    """How one source does. Raises UnknownSource."""
    policies.watch.require(actor)
    one = registry.source(key)
    rows = Pull.objects.filter(source=key, at__gte=now() - LOOK_BACK).values("outcome")
    return _health(one, {row["outcome"]: row["n"] for row in rows.annotate(n=Count("id"))})


# Receipts -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReceiptView:
    """A receipt as its page shows it. ``fields`` are (title, whether a value came); ``number`` its place in the log."""

    pull: Pull
    said: dict
    fields: list[tuple[str, bool]]
    case: tuple[str, str]
    holds: bool
    number: int | None
    kept: bool


def _pull(actor: Actor, receipt: str) -> Pull:
    """The attempt of a receipt, for the one whose values were read, and who acts for him. Raises NotThere."""
    row = (
        Pull.objects.filter(receipt=receipt)
        .select_related("read__person", "read__organisation", "leaf", "kept")
        .first()
    )
    if row is None or not is_resident(actor) or not actor.concerns(_whose(row)):
        raise NotThere("没有找到这份回执。")
    return row


def _whose(row: Pull) -> Ref:
    read = row.read
    if read.person_id:
        return Ref("natural_person", str(read.person_id))
    return Ref("organisation", str(read.organisation_id))


def receipt(actor: Actor, receipt_id: str) -> ReceiptView:
    """One receipt. Raises NotThere, also for another's."""
    row = _pull(actor, receipt_id)
    said = receipts.said(row)
    kept = getattr(row, "kept", None)
    return ReceiptView(
        pull=row,
        said=said,
        fields=[(one["title"], "commitment" in one) for one in said["fields"]],
        case=case_words(actor, row.case),
        holds=receipts.holds(row),
        number=row.leaf.number,
        kept=kept is not None and bool(kept.sealed_key),
    )


def receipt_file(actor: Actor, receipt_id: str, *, values: bool = False) -> dict:
    """The receipt as a file for the offline verifier; with the values and salts, which only the subject gets, if asked for.

    Raises NotThere, NotSequenced.
    """
    row = _pull(actor, receipt_id)
    kept = getattr(row, "kept", None)
    if not (values and kept is not None and kept.sealed_key):
        return receipts.as_file(row)
    return receipts.as_file(row, json.loads(masking.reveal(actor, kept, "content", reason="本人下载回执")))


def case_words(actor: Actor, case: str) -> tuple[str, str]:
    """What a case is called to an actor, and its address; its bare number where he may not open it."""
    from liangzhu.kernel.refs import describe

    if not case:
        return "", ""
    ref = Ref.parse(case)
    return describe([ref], actor)[ref]


# For cases ------------------------------------------------------------------------------------------------------------


def pulls_of(actor: Actor, case: Ref | str) -> list[Pull]:
    """What was read for a case, the newest first: source, fields, outcome; no values. Raises Denied."""
    case = Ref.parse(str(case))
    if not actor.is_system:
        policies.check.require(actor, case)
    rows = Pull.objects.filter(case=str(case)).select_related("read")
    return list(rows.order_by("-id")[:200])


def values_of(actor: Actor, pull_id: int, reason: str) -> dict[str, object]:
    """What a source answered for a case, in full, for a reason; a leaf and the person's trail tell of it.

    Raises NotThere (also when it was destroyed by rule), Denied, Invalid.
    """
    row = Kept.objects.filter(pull=pull_id).select_related("pull").first()
    if row is None or not row.sealed_key:
        raise NotThere("没有这次取数的内容，或者已依规删除。")
    policies.check.require(actor, Ref.parse(row.case))
    content = json.loads(masking.reveal(actor, row, "content", reason=reason, case=row.case))
    return {name: one["value"] for name, one in content.items()}


def checks_of(actor: Actor, case: Ref | str) -> list[StaffCheck]:
    """What staff have to verify, or verified, for a case. The caller shows it to who may see the case."""
    return list(StaffCheck.objects.filter(case=str(case)).order_by("id"))


def open_checks(actor: Actor) -> QuerySet[StaffCheck]:
    """Every material that waits for staff; the page shows those whose case the actor may open."""
    policies.check.require(actor)
    return StaffCheck.objects.filter(Q(state=StaffCheck.OPEN))


# References -----------------------------------------------------------------------------------------------------------


@reads.belongs("pulled")
def _of_kept(ref: Ref) -> list[Ref]:
    """The one whose values a source gave."""
    row = Kept.objects.filter(pk=ref.id).values_list("subject", flat=True).first()
    return [Ref.parse(row)] if row else []


def _labels(ids, actor: Actor) -> dict[str, tuple[str, str]]:
    rows = StaffCheck.objects.filter(pk__in=[one for one in ids if one.isdecimal()])
    return {str(row.pk): (row.title, "") for row in rows}


register_ref("staff_check", "工作人员核验", _labels)
