"""Every read of this app, scoped to who asks."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.trust.sources import circuit, policies, receipts, registry
from liangzhu.beams.trust.sources.models import Kept, Pull, Question, Read, StaffCheck
from liangzhu.beams.trust.sources.pulling import holder_title
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel import masking, reads
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref, describe, register_ref

LOOK_BACK = timedelta(hours=24)
ROWS = 20_000
"""So many of the last questions make the figures of sources."""


# The trail ------------------------------------------------------------------------------------------------------------


def trail(subject: Ref) -> QuerySet[Read]:
    """Every reading of somebody's values, the newest first; merged rows are one person. The caller asked its policy."""
    ids: dict[str, list[int]] = {"natural_person": [], "organisation": []}
    for text in registers.family(str(subject)):
        ref = Ref.parse(text)
        ids[ref.kind].append(int(ref.id))
    rows = Read.objects.select_related("person", "pull").order_by("-id")
    if subject.kind == "organisation":
        return rows.filter(organisation__in=ids["organisation"])
    return rows.filter(person__in=ids["natural_person"])


@dataclass(frozen=True)
class Line:
    """A reading as its subject sees it: ``who`` and ``how`` in words, ``case`` as (label, address)."""

    read: Read
    who: str
    how: str
    case: tuple[str, str]
    receipt: str
    question: Question | None


def own_trail(actor: Actor, *, others: bool = False) -> QuerySet[Read]:
    """The trail of whom a resident speaks for; ``others``: without what he read himself. Take ("-id",). Raises Denied."""
    policies.own_trail.require(actor, actor.principal)
    rows = trail(actor.principal)
    return rows.exclude(reader=Read.OWN) if others else rows


def lines(actor: Actor, rows: list[Read]) -> list[Line]:
    """Readings of one's own trail in words; the cases are described together."""
    cases = case_words(actor, [row.case for row in rows])
    questions = {row.read_id: row for row in Question.objects.filter(read__in=rows).select_related("matter")}
    return [
        Line(
            read=row,
            who=_who(row),
            how=_how(row),
            case=cases.get(row.case, ("", "")),
            receipt=row.pull.receipt if hasattr(row, "pull") else "",
            question=questions.get(row.pk),
        )
        for row in rows
    ]


def _who(row: Read) -> str:
    if row.reader == Read.STAFF:
        return row.unit_name or "工作人员"
    return {Read.OWN: "您自己", Read.SYSTEM: "系统自动", Read.OTHER: "他人"}[row.reader]


def _how(row: Read) -> str:
    """The way, with where from: a source that is no longer registered is named by its key."""
    if not hasattr(row, "pull"):
        # Nobody scanned it: the person had a code made to be shown.
        own_code = row.reader == Read.OWN and row.channel == "code"
        return "取出服务码" if own_code else row.get_channel_display()
    one = registry.all_sources().get(row.pull.source)
    return f"从“{one.title if one else row.pull.source}”读取"


def own_read(actor: Actor, read_id: int) -> Line:
    """One reading of one's own trail. Raises NotThere."""
    row = Read.objects.filter(pk=read_id).select_related("person", "pull").first()
    if row is None or not policies.own_trail(actor, row):
        raise NotThere("没有找到这条记录。")
    return lines(actor, [row])[0]


# Sources and how they do ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Health:
    """How a source does: what it answered lately, how quickly, since when it is not asked.

    All of it of the last 24 hours: ``counts`` by outcome, ``p50`` and ``p95`` milliseconds of the answers, None without any.
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
        if self.source.off:
            return "none"
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
        if self.source.off:
            return self.source.off
        return {
            "law": "没有答复，暂停询问",
            "none": "24 小时内没有用过",
            "near": "上次没有答复",
            "ok": "正常",
        }[self.state]

    @property
    def failures(self) -> int:
        """How many questions of the last 24 hours had no answer, or a wrong one."""
        return sum(self.counts.get(one, 0) for one in (Read.DOWN, Read.WRONG))

    @property
    def asked(self) -> int:
        """How many questions were put in the last 24 hours."""
        return sum(self.counts.get(one, 0) for one in circuit.ANSWERED)


Asked = tuple[str, datetime, int]
"""Outcome, when, milliseconds."""


def health(actor: Actor) -> list[Health]:
    """How every source does: what is down first, then by title."""
    policies.watch.require(actor)
    found = _healths(list(registry.all_sources().values()))
    return sorted(found, key=lambda one: (one.state not in ("law", "near"), one.source.title))


def source(actor: Actor, key: str) -> Health:
    """How one source does. Raises UnknownSource."""
    policies.watch.require(actor)
    return _healths([registry.source(key)])[0]


def _healths(wanted: list[registry.Source]) -> list[Health]:
    """The figures of the last 24 hours; one query, of the last `ROWS` questions at most."""
    rows = Pull.objects.filter(at__gte=now() - LOOK_BACK)
    if len(wanted) == 1:
        rows = rows.filter(source=wanted[0].key)
    asked: dict[str, list[Asked]] = {}
    for key, *rest in rows.order_by("-at", "-id").values_list("source", "outcome", "at", "milliseconds")[
        :ROWS
    ]:
        asked.setdefault(key, []).append(tuple(rest))
    return [_health(one, asked.get(one.key, [])) for one in wanted]


def _health(one: registry.Source, told: list[Asked]) -> Health:
    counts: dict[str, int] = {}
    for outcome, _, _ in told:
        counts[outcome] = counts.get(outcome, 0) + 1
    put = [row for row in told if row[0] in circuit.ANSWERED]
    good = [row for row in put if row[0] in (Read.DONE, Read.NOTHING)]
    bad = [row for row in put if row[0] in (Read.DOWN, Read.WRONG)]
    times = sorted(row[2] for row in good)
    return Health(
        source=one,
        holder=holder_title(one),
        counts=counts,
        answered_at=good[0][1] if good else None,
        failed_at=bad[0][1] if bad else None,
        p50=times[len(times) // 2] if times else None,
        p95=times[min(len(times) - 1, len(times) * 95 // 100)] if times else None,
        paused_until=circuit.paused(one, [row[:2] for row in put[: circuit.FAILURES]]),
    )


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
    """The attempt of a receipt, for who may see it. Raises NotThere."""
    row = (
        Pull.objects.filter(receipt=receipt)
        .select_related("read__person", "read__organisation", "leaf", "kept")
        .first()
    )
    if row is None or not policies.receipt(actor, row):
        raise NotThere("没有找到这份回执。")
    return row


def receipt(actor: Actor, receipt_id: str) -> ReceiptView:
    """One receipt. Raises NotThere, also for another's."""
    row = _pull(actor, receipt_id)
    said = receipts.said(row)
    kept = getattr(row, "kept", None)
    return ReceiptView(
        pull=row,
        said=said,
        fields=[(one["title"], "commitment" in one) for one in said["fields"]],
        case=case_words(actor, [row.case])[row.case],
        holds=receipts.holds(row),
        number=row.leaf.number,
        kept=kept is not None and bool(kept.sealed_key) and policies.own_trail(actor, row.read),
    )


def receipt_file(actor: Actor, receipt_id: str, *, values: bool = False) -> dict:
    """The receipt as a file for the offline verifier; with values and salts, which no agent gets, if asked for.

    Raises NotThere, NotSequenced.
    """
    row = _pull(actor, receipt_id)
    kept = getattr(row, "kept", None)
    open_to = values and kept is not None and kept.sealed_key and policies.own_trail(actor, row.read)
    if not open_to:
        return receipts.as_file(row)
    return receipts.as_file(row, json.loads(masking.reveal(actor, kept, "content", reason="本人下载回执")))


def case_words(actor: Actor, cases: list[str]) -> dict[str, tuple[str, str]]:
    """What cases are called to a resident, and their addresses; the bare number of what is not his."""
    refs = {case: Ref.parse(case) for case in cases if case}
    words = describe(refs.values(), actor)
    numbers = [ref.id for ref in refs.values() if ref.kind == "matter"]
    own = matters.own_matters(actor).filter(pk__in=numbers) if numbers else ()
    for row in own:
        words[row.ref] = (f"{row.title}（{row.number}）", matters.kind_of(row.kind).own_url_of(row))
    return {
        case: ("本人填表" if ref.kind == "resident" else words[ref][0], words[ref][1])
        for case, ref in refs.items()
    }


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


# References -----------------------------------------------------------------------------------------------------------


def _source_name(key: str) -> residents.SourceName | None:
    one = registry.all_sources().get(key)
    return residents.SourceName(one.title, one.titles(one.fields)) if one else None


residents.name_sources("sources", _source_name)


@reads.belongs("pulled")
def _of_kept(ref: Ref) -> list[Ref]:
    """The one whose values a source gave."""
    row = Kept.objects.filter(pk=ref.id).values_list("subject", flat=True).first()
    return [Ref.parse(row)] if row else []


@reads.belongs("resident")
def _of_resident(ref: Ref) -> list[Ref]:
    """The person of an account."""
    person = residents.ResidentAccount.objects.filter(pk=ref.id).values_list("person_id", flat=True).first()
    return [Ref("natural_person", str(person))] if person else []


def _labels(ids, actor: Actor) -> dict[str, tuple[str, str]]:
    rows = StaffCheck.objects.filter(pk__in=[one for one in ids if one.isdecimal()])
    return {str(row.pk): (row.title, "") for row in rows}


register_ref("staff_check", "工作人员核验", _labels)
