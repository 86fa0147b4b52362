"""Every read of indicators."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.urls import reverse

from liangzhu.beams.data.indicators import measuring, policies
from liangzhu.beams.data.indicators.checks import Check, CheckResult, compare
from liangzhu.beams.data.indicators.models import Edition, Indicator, RowSet, Snapshot
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.actors import SYSTEM, Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.now import today
from liangzhu.kernel.paging import Page, page
from liangzhu.kernel.refs import Ref, describe, ref_kinds, register_ref

PERIOD_DAYS = {"day": 1, "month": 31, "quarter": 92, "year": 366}
"""How old a value may be before its indicator counts as out of date."""

CHART_POINTS = 60


@dataclass(frozen=True)
class SnapshotView:
    """A value at a day, as it is shown. ``text`` carries the unit: 81.3%."""

    snapshot_id: int
    key: str
    name: str
    kind: str
    measure_unit: str
    as_of: date
    at: datetime
    value: Decimal | None
    text: str
    numerator: Decimal | None
    denominator: Decimal | None
    state: str
    state_title: str
    edition: int
    query: str
    query_version: int | None
    row_count: int | None
    rows_hash: str
    source: str
    note: str
    evidence: str
    recorded_label: str
    decided_label: str
    decided_at: datetime | None
    reason: str

    @property
    def ref(self) -> Ref:
        """The reference of the snapshot."""
        return Ref("snapshot", str(self.snapshot_id))

    @property
    def url(self) -> str:
        """Where the number opens: definition, rows or evidence, who recorded and who confirmed it."""
        return reverse("indicators:rows", args=[self.snapshot_id])


def show(value: Decimal | None, decimals: int, unit: str) -> str:
    """A value in words: 81.3%, 1,204 件, — for none."""
    if value is None:
        return "—"
    figures = f"{value:,.{decimals}f}"
    return f"{figures}{unit}" if unit in ("", "%") else f"{figures} {unit}"


def _view(row: Snapshot) -> SnapshotView:
    indicator, rows = row.indicator, row.row_set
    return SnapshotView(
        snapshot_id=row.pk,
        key=indicator.key,
        name=indicator.title,
        kind=indicator.kind,
        measure_unit=indicator.measure_unit,
        as_of=row.as_of,
        at=row.at,
        value=row.value,
        text=show(row.value, indicator.decimals, indicator.measure_unit),
        numerator=row.numerator,
        denominator=row.denominator,
        state=row.state,
        state_title=row.get_state_display(),
        edition=row.edition,
        query=row.query,
        query_version=row.query_version,
        row_count=rows.counted if rows else None,
        rows_hash=rows.fingerprint if rows else "",
        source=row.source,
        note=row.note,
        evidence=row.evidence,
        recorded_label=row.recorded_label,
        decided_label=row.decided_label,
        decided_at=row.decided_at,
        reason=row.reason,
    )


def _that_count() -> QuerySet[Snapshot]:
    return Snapshot.objects.filter(state__in=Snapshot.COUNTS)


def _latest_ids(indicators: QuerySet[Indicator], day: date | None) -> dict[str, int]:
    """{key: id of the newest snapshot that counts on a day}, in one query."""
    newest = _that_count().filter(indicator=OuterRef("pk")).order_by("-as_of", "-id")
    if day is not None:
        newest = newest.filter(as_of__lte=day)
    found = indicators.annotate(newest=Subquery(newest.values("pk")[:1])).filter(newest__isnull=False)
    return dict(found.order_by("key").values_list("key", "newest"))


def _views(ids: Iterable[int]) -> dict[int, SnapshotView]:
    rows = Snapshot.objects.filter(pk__in=list(ids)).select_related("indicator", "row_set")
    return {row.pk: _view(row) for row in rows}


# For other apps -------------------------------------------------------------------------------------------------------


def indicator_id(key: str) -> int:
    """The id of an indicator, for foreign keys. Raises NotThere."""
    found = Indicator.objects.filter(key=key).values_list("pk", flat=True).first()
    if found is None:
        raise NotThere(f"没有键为 {key} 的指标。", todo="请在“指标”页面核对，或先建立这个指标。")
    return found


def owner_of(key: str) -> int:
    """The id of the unit that answers for an indicator. Raises NotThere."""
    return Indicator.objects.values_list("owner_unit_id", flat=True).get(pk=indicator_id(key))


def definitions() -> list[Indicator]:
    """Every indicator in the order of keys."""
    return list(Indicator.objects.all())


def latest(key: str, day: date | None = None) -> SnapshotView | None:
    """The newest value that counts with an as-of day up to ``day``, None when there is none. Raises NotThere."""
    found = _latest_ids(Indicator.objects.filter(pk=indicator_id(key)), day)
    return _views(found.values()).get(found.get(key)) if found else None


def latest_of_all(day: date | None = None) -> list[SnapshotView]:
    """The newest value that counts of each indicator that has one, in the order of keys. Two queries."""
    found = _latest_ids(Indicator.objects.all(), day)
    views = _views(found.values())
    return [views[pk] for pk in found.values()]


def snapshot(snapshot_id: int) -> SnapshotView:
    """One snapshot, whatever its state. Raises NotThere."""
    found = _views([snapshot_id])
    if snapshot_id not in found:
        raise NotThere("没有找到这个指标快照。")
    return found[snapshot_id]


def series(key: str) -> list[SnapshotView]:
    """The values that count, one for each as-of day (the newest), oldest first. Raises NotThere."""
    rows = _that_count().filter(indicator_id=indicator_id(key)).select_related("indicator", "row_set")
    by_day = {row.as_of: row for row in rows.order_by("as_of", "id")}
    return [_view(row) for row in by_day.values()]


def evaluate(check: Check, day: date) -> CheckResult:
    """Judge a check by the newest value up to ``day``."""
    return compare(check, latest(check.indicator_key, day))


def evaluate_many(checks: dict[int, Check], day: date) -> dict[int, CheckResult]:
    """Judge many checks at once, in two queries whatever their number; the keys are the caller's."""
    keys = {check.indicator_key for check in checks.values()}
    found = _latest_ids(Indicator.objects.filter(key__in=keys), day)
    views = _views(found.values())
    return {
        name: compare(check, views.get(found.get(check.indicator_key, 0))) for name, check in checks.items()
    }


# For the pages --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Freshness:
    """How old the newest value is: ``state`` is fresh, stale or none; ``late`` says what a stale one has missed."""

    state: str
    text: str
    late: str = ""


@dataclass(frozen=True)
class Line:
    """An indicator in the list, with what may be done."""

    indicator: Indicator
    owner: str
    latest: SnapshotView | None
    freshness: Freshness
    waiting: SnapshotView | None


def freshness(indicator: Indicator, latest_value: SnapshotView | None) -> Freshness:
    """How fresh a value is for the frequency that its indicator promises."""
    if latest_value is None:
        return Freshness("none", "还没有数值")
    age = (today() - latest_value.as_of).days
    words = {0: "今天", 1: "昨天"}.get(age, f"{age} 天前")
    if age > PERIOD_DAYS[indicator.frequency]:
        return Freshness("stale", words, f"已过{indicator.get_frequency_display()}更新的时间")
    return Freshness("fresh", words)


def listing(actor: Actor, text: str = "") -> list[Line]:
    """All indicators with newest value, freshness and what waits for a second person. Four queries."""
    policies.read.require(actor)
    rows = Indicator.objects.all()
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(caliber__icontains=text) | Q(key__icontains=text))
    rows = list(rows.order_by("kind", "name", "-is_default", "key"))
    found = _latest_ids(Indicator.objects.filter(pk__in=[row.pk for row in rows]), None)
    views = _views(found.values())
    waiting = {
        row.indicator_id: _view(row)
        for row in Snapshot.objects.filter(state=Snapshot.REPORTED)
        .order_by("-as_of")
        .select_related("indicator", "row_set")
    }
    return [
        Line(
            row,
            directory.unit_name(row.owner_unit_id),
            views.get(found.get(row.key, 0)),
            freshness(row, views.get(found.get(row.key, 0))),
            waiting.get(row.pk),
        )
        for row in rows
    ]


def one(actor: Actor, key: str) -> Indicator:
    """One indicator. Raises NotThere."""
    policies.read.require(actor)
    return Indicator.objects.get(pk=indicator_id(key))


def editions(actor: Actor, indicator: Indicator) -> list[Edition]:
    """The editions of a definition, newest first."""
    policies.read.require(actor, indicator)
    return list(indicator.editions.order_by("-number"))


def siblings(actor: Actor, indicator: Indicator) -> list[Indicator]:
    """Other readings of the same official name."""
    policies.read.require(actor, indicator)
    if not indicator.group:
        return []
    return list(Indicator.objects.filter(group=indicator.group).exclude(pk=indicator.pk))


def snapshots(actor: Actor, indicator: Indicator, request, size: int = 30, *, strict: bool = False) -> Page:
    """The snapshots of an indicator as pages of `SnapshotView`, the newest day first. ``strict`` as `kernel.paging.page`."""
    policies.read.require(actor, indicator)
    rows = indicator.snapshots.select_related("indicator", "row_set")
    found = page(rows, request, order=("-as_of", "-id"), size=size, strict=strict)
    return Page([_view(row) for row in found.rows], found.next, found.previous)


def to_decide(actor: Actor) -> QuerySet[Snapshot]:
    """Reported values that this person may confirm or refuse."""
    waiting = Snapshot.objects.filter(state=Snapshot.REPORTED).exclude(recorded_by=str(actor.ref))
    person_id = getattr(actor, "person_id", None)
    if not policies.decide(actor) or person_id is None:
        return waiting.none()
    waiting = waiting.exclude(person_id=person_id)
    if not policies.oversees(actor):
        waiting = waiting.filter(indicator__owner_unit_id=actor.unit_id)
    return waiting


@dataclass(frozen=True)
class RowView:
    """A row behind a number. ``state`` is seen, hidden (exists, but not for this person) or deleted."""

    ref: Ref
    label: str
    url: str
    counted: bool
    state: str


@dataclass(frozen=True)
class Opened:
    """A number laid open. ``rows`` is None for a reported one: its evidence stands in files and ``view.source``."""

    view: SnapshotView
    indicator: Indicator
    edition: Edition
    rows: Page | None
    others: int


def opened(actor: Actor, snapshot_id: int, request, size: int = 100) -> Opened:
    """A snapshot with its rows page by page, those of the numerator first. Raises NotThere."""
    policies.read.require(actor)
    view = snapshot(snapshot_id)
    indicator = Indicator.objects.get(key=view.key)
    edition = indicator.editions.get(number=view.edition)
    if view.row_count is None:
        return Opened(view, indicator, edition, None, 0)
    row_set = RowSet.objects.get(snapshots=snapshot_id)
    found = page(row_set.rows.all(), request, order=("-counted", "id"), size=size)
    refs = [Ref.parse(row.ref) for row in found.rows]
    described, existing = describe(refs, actor), _existing(refs)
    shown = []
    for row, ref in zip(found.rows, refs, strict=True):
        label, url = described[ref]
        state = "deleted" if ref not in existing else "seen" if url else "hidden"
        shown.append(RowView(ref, label, url, row.counted, state))
    return Opened(view, indicator, edition, Page(shown, found.next, found.previous), row_set.others)


def _existing(refs: Sequence[Ref]) -> set[Ref]:
    """Those that still exist for anybody: what the system itself cannot find was deleted."""
    by_kind: dict[str, set[str]] = {}
    for ref in refs:
        by_kind.setdefault(ref.kind, set()).add(ref.id)
    kinds = ref_kinds()
    return {
        Ref(kind, str(ident))
        for kind, ids in by_kind.items()
        if kind in kinds
        for ident in kinds[kind].resolve(ids, SYSTEM)
    }


def rows_hold(snapshot_id: int) -> bool:
    """Whether the kept rows of a computed snapshot still give its hash."""
    row = Snapshot.objects.select_related("row_set").get(pk=snapshot_id)
    members = list(row.row_set.rows.values_list("ref", "counted"))
    counted = [ref for ref, is_counted in members if is_counted]
    others = [ref for ref, is_counted in members if not is_counted]
    return measuring.fingerprint(counted, others) == row.row_set.fingerprint


# References -----------------------------------------------------------------------------------------------------------


def _resolve_indicators(keys: Iterable[str], actor: object) -> dict[str, tuple[str, str]]:
    return {
        row.key: (row.title, reverse("indicators:indicator", args=[row.key]))
        for row in Indicator.objects.filter(key__in=list(keys))
    }


def _resolve_snapshots(ids: Iterable[str], actor: object) -> dict[str, tuple[str, str]]:
    views = _views(int(ident) for ident in ids if ident.isdigit())
    return {
        str(pk): (f"{view.name}：{view.text}（{view.as_of:%Y-%m-%d}）", view.url)
        for pk, view in views.items()
    }


register_ref("indicator", "指标", _resolve_indicators)
register_ref("snapshot", "指标快照", _resolve_snapshots)
