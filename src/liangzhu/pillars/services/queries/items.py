"""Reads of items: what is in force on a day (public), drafts and findings (staff), the once-only figures (public)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby

from django.db.models import Count, Q, QuerySet
from django.urls import reverse

from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.now import now, today
from liangzhu.kernel.pack import pack
from liangzhu.kernel.refs import register_ref
from liangzhu.pillars.services import checks, issued, policies, sheets
from liangzhu.pillars.services.models import (
    Batch,
    Case,
    Exemption,
    Item,
    ItemMaterial,
    ItemVersion,
    SourceRecord,
    Upward,
)

# For other parts ------------------------------------------------------------------------------------------------------


def in_force(key: str, *, on: date | None = None) -> ItemVersion:
    """The version of an item in force on a day (today). Pin its ``pk``: it never changes. Raises NotThere."""
    day = on or today()
    row = (
        ItemVersion.objects.select_related("item")
        .filter(item__key=key, state__in=ItemVersion.RELEASED, in_force_from__lte=day)
        .filter(Q(in_force_to=None) | Q(in_force_to__gt=day))
        .order_by("-number")
        .first()
    )
    if row is None:
        raise NotThere("没有找到这个事项，它可能还没有发布，或已经取消。", todo="请从搜索或目录重新进入。")
    return row


def version(version_id: int) -> ItemVersion:
    """A version that is or was in force, as it was pinned. Raises NotThere."""
    row = ItemVersion.objects.select_related("item").filter(
        pk=version_id, state__in=(ItemVersion.IN_FORCE, ItemVersion.SUPERSEDED)
    )
    if not row:
        raise NotThere("没有找到事项的这个版本。")
    return row[0]


def published() -> QuerySet[ItemVersion]:
    """Everything that the public can ask for today."""
    return ItemVersion.objects.filter(
        state=ItemVersion.IN_FORCE, task_state=ItemVersion.ACTIVE
    ).select_related("item")


def exempt(item_id: int, on: date | None = None) -> frozenset[str]:
    """Keys of the materials of an item that a signed exemption covers on a day (today)."""
    rows = Exemption.objects.filter(item_id=item_id, state=Exemption.SIGNED, until__gt=on or today())
    return frozenset(rows.values_list("material", flat=True))


def sheet(row: ItemVersion, *, on: date | None = None) -> sheets.Sheet:
    """A version with its rows and the exemptions of a day."""
    return sheets.Sheet.of(row, exempt(row.item_id, on))


@dataclass(frozen=True)
class Asked:
    """A material as the public reads it: whether it is to be brought, and why, or why not.

    ``promised``: a written promise (告知承诺) takes its place. ``exemption``: what allows to demand it.
    """

    row: ItemMaterial
    needed: bool
    why: str
    promised: bool = False
    exemption: Exemption | None = None

    @property
    def source(self) -> str:
        """Who has it in government."""
        document = issued.match(self.row.name)
        return self.row.issuer or (document.issuer if document else "")


def materials_asked(row: ItemVersion, *, on: date | None = None) -> list[Asked]:
    """What an applicant has to bring on a day, and what not. An exemption that ended does not count any more."""
    day = on or today()
    exemptions = {
        one.material: one
        for one in Exemption.objects.filter(item_id=row.item_id, state=Exemption.SIGNED, until__gt=day)
    }
    return [_asked(one, exemptions.get(one.key)) for one in row.materials.all()]


def _asked(one: ItemMaterial, exemption: Exemption | None) -> Asked:
    document = issued.match(one.name)
    who = one.issuer or (document.issuer if document else "政府部门")
    if one.free == "certificate":
        return Asked(one, False, f"用电子证照，由系统向{who}核验")
    if one.free == "share":
        return Asked(one, False, f"{who}已有，由系统取得")
    if one.free == "verify":
        return Asked(one, False, f"由工作人员向{who}核实")
    if one.free == "promise":
        return Asked(one, True, "可以写一份承诺书代替", promised=True)
    if issued.vetoed(one):
        if exemption is None:
            return Asked(one, False, f"由{who}核发，政府自己查，不要您交")
        return Asked(one, True, f"暂时还要您交：{exemption.reason}", exemption=exemption)
    return Asked(one, True, one.notes)


# Public pages ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Guide:
    """The guide of an item (办事指南)."""

    version: ItemVersion
    unit: str
    needed: list[Asked]
    spared: list[Asked]
    sheet: sheets.Sheet
    newest: bool

    @property
    def total(self) -> int:
        """How many materials the item has."""
        return len(self.needed) + len(self.spared)

    @property
    def legal(self) -> str:
        """The legal limit in words."""
        return sheets.term(self.version.legal_amount, self.version.legal_unit)

    @property
    def promised(self) -> str:
        """The promised limit in words."""
        return sheets.term(self.version.promised_amount, self.version.promised_unit)

    @property
    def served(self) -> str:
        """Who may apply, in words."""
        return sheets.words("served", self.version.served)

    @property
    def ways(self) -> str:
        """How it is done, in words."""
        return sheets.words("ways", self.version.ways)


def guide(key: str, *, version_id: int | None = None) -> Guide:
    """The guide of the item in force, or of an earlier version. Raises NotThere."""
    row = in_force(key) if version_id is None else version(version_id)
    if row.item.key != key:
        raise NotThere("没有找到事项的这个版本。")
    asked = materials_asked(row)
    return Guide(
        version=row,
        unit=unit_name(row),
        needed=[one for one in asked if one.needed],
        spared=[one for one in asked if not one.needed],
        sheet=sheet(row),
        newest=row.state == ItemVersion.IN_FORCE,
    )


def unit_name(row: ItemVersion) -> str:
    """Whom an item belongs to, as it is called today; for what came from elsewhere, as it was written."""
    view = directory.units().get(row.item.unit_id)
    return row.body_name or (view.name if view else "")


@dataclass(frozen=True)
class Shelf:
    """What stands together on the browse page: a title, its mark in addresses, how many."""

    key: str
    title: str
    count: int


def shelves() -> dict[str, list[Shelf]]:
    """Topics, units and kinds with their counts, the fullest first."""
    topics: Counter[str] = Counter()
    units: Counter[int] = Counter()
    kinds: Counter[str] = Counter()
    rows = published().values_list("person_topics", "organisation_topics", "item__unit_id", "task_type")
    for person, organisation, unit_id, kind in rows:
        for topic in {*_split(person), *_split(organisation)}:
            topics[topic] += 1
        units[unit_id] += 1
        kinds[kind] += 1
    tree = directory.units()
    named = {unit_id: tree.get(unit_id) for unit_id in units}
    return {
        "topic": [Shelf(topic, topic, count) for topic, count in topics.most_common()],
        "unit": [
            Shelf(named[unit_id].key, named[unit_id].short, count)
            for unit_id, count in units.most_common()
            if named[unit_id] is not None
        ],
        "type": [
            Shelf(kind, ItemVersion(task_type=kind).get_task_type_display(), count)
            for kind, count in kinds.most_common()
        ],
    }


def _split(text: str) -> list[str]:
    return [one for one in text.replace("、", " ").split() if one]


def on_shelf(*, topic: str = "", unit: str = "", kind: str = "", served: str = "") -> QuerySet[ItemVersion]:
    """What is published under a topic, a unit (key), a kind or for whom."""
    rows = published()
    if topic:
        rows = rows.filter(Q(person_topics__contains=topic) | Q(organisation_topics__contains=topic))
    if unit:
        view = directory.units().by_key(unit)
        rows = rows.filter(item__unit_id=view.id if view else 0)
    if kind:
        rows = rows.filter(task_type=kind)
    if served:
        rows = rows.filter(served__contains=served)
    return rows


@dataclass(frozen=True)
class OnceOnly:
    """The once-only figures (两个免于提交), public: shares are None when there is nothing to count.

    ``spare_rate`` 免提交率 = spared / materials that government issues; ``exemption_rate`` = items with a valid exemption /
    items.
    """

    items: int
    materials: int
    issued: int
    spared: int
    upper: int
    exemptions: list[Exemption]
    exempt_items: int
    raised: int

    @property
    def spare_rate(self) -> float | None:
        """Of the materials that government issues, how many nobody has to bring."""
        return self.spared / self.issued if self.issued else None

    @property
    def exemption_rate(self) -> float | None:
        """Of the items, how many may still demand what government issues."""
        return self.exempt_items / self.items if self.items else None


def once_only() -> OnceOnly:
    """The figures of today over everything published."""
    day = today()
    count = published().count()
    rows = ItemMaterial.objects.filter(version__in=published()).select_related("version")
    total = issued_count = spared = upper = 0
    exemptions = list(
        Exemption.objects.filter(state=Exemption.SIGNED, until__gt=day)
        .select_related("item")
        .order_by("until", "id")
    )
    held = {(one.item_id, one.material) for one in exemptions}
    for one in rows:
        total += 1
        if one.channel != ItemMaterial.GOVERNMENT and issued.match(one.name) is None:
            continue
        issued_count += 1
        exempted = one.local and (one.version.item_id, one.key) in held
        if one.free == "none" and not one.local:
            upper += 1
        elif not exempted:
            spared += 1
    names = dict(published().values_list("item_id", "name"))
    for one in exemptions:
        one.item_name = names.get(one.item_id, one.item.key)
    return OnceOnly(
        items=count,
        materials=total,
        issued=issued_count,
        spared=spared,
        upper=upper,
        exemptions=exemptions,
        exempt_items=len({one.item_id for one in exemptions}),
        raised=Upward.objects.count(),
    )


# Time -----------------------------------------------------------------------------------------------------------------


def due_versions() -> list[int]:
    """Released versions whose day has come."""
    rows = ItemVersion.objects.filter(state=ItemVersion.SCHEDULED, in_force_from__lte=today())
    return list(rows.values_list("pk", flat=True))


def due_exemptions() -> list[int]:
    """Exemptions that reached their end and are not noted as ended."""
    rows = Exemption.objects.filter(state__in=[Exemption.SIGNED, Exemption.PROPOSED], until__lte=today())
    return list(rows.values_list("pk", flat=True))


# Staff ----------------------------------------------------------------------------------------------------------------


@dataclass
class Row:
    """An item in the list of staff: its version in force and the one that is open."""

    item: Item
    current: ItemVersion | None
    open: ItemVersion | None
    unit: str
    findings: list[checks.Finding] = field(default_factory=list)

    @property
    def shown(self) -> ItemVersion | None:
        """What the list shows: in force, else open."""
        return self.current or self.open

    @property
    def errors(self) -> int:
        """How many findings block."""
        return sum(one.blocks for one in self.findings)

    @property
    def warnings(self) -> int:
        """How many do not."""
        return len(self.findings) - self.errors


def items_of(actor: Actor, *, scope: str = "unit", words: str = "", open_only: str = "") -> QuerySet[Item]:
    """Items for the list: of the own unit, or all; narrowed by words of the name or a code, or by an open version's state."""
    policies.read_items.require(actor)
    rows = Item.objects.all()
    if scope == "unit":
        rows = rows.filter(unit_id=getattr(actor, "unit_id", 0) or 0)
    kept = ItemVersion.objects.exclude(
        state__in=[ItemVersion.REFUSED, ItemVersion.WITHDRAWN, ItemVersion.SUPERSEDED]
    )
    if words := words.strip():
        found = Q(name__contains=words)
        for name in ("catalog_code", "task_code", "handle_code", "local_code"):
            found |= Q(**{name: words})
        rows = rows.filter(Q(key=words) | Q(pk__in=kept.filter(found).values("item_id")))
    if open_only:
        rows = rows.filter(pk__in=kept.filter(state=open_only).values("item_id"))
    return rows


def rows_of(items: Iterable[Item]) -> list[Row]:
    """Items with what the list shows of them: a fixed number of queries."""
    items = list(items)
    found = {one.pk: Row(one, None, None, "") for one in items}
    tree = directory.units()
    rows = ItemVersion.objects.filter(
        item__in=found, state__in=(*ItemVersion.OPEN, ItemVersion.IN_FORCE)
    ).prefetch_related(*sheets.ROWS)
    exempted = _exempt(found)
    for row in rows:
        one = found[row.item_id]
        if row.state == ItemVersion.IN_FORCE:
            one.current = row
        else:
            one.open = row
    for one in found.values():
        view = tree.get(one.item.unit_id)
        one.unit = view.short if view else ""
        if one.shown is not None:
            one.findings = checks.check(sheets.Sheet.of(one.shown, exempted.get(one.item.pk, ())))
    return list(found.values())


def _exempt(item_ids: Iterable[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    rows = Exemption.objects.filter(state=Exemption.SIGNED, until__gt=today(), item__in=list(item_ids))
    for item_id, material in rows.values_list("item_id", "material"):
        found.setdefault(item_id, []).append(material)
    return found


@dataclass
class Examined:
    """What the checks found over the whole catalogue."""

    items: int = 0
    clean: int = 0
    rules: Counter = field(default_factory=Counter)
    gaps: Counter = field(default_factory=Counter)
    """Of those, what is not filled in, by rule."""
    units: dict[str, list[int]] = field(default_factory=dict)
    """Unit to items, items with errors, errors, warnings."""
    rows: list[tuple[Row, checks.Finding]] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """Findings that block."""
        return sum(finding.blocks for _, finding in self.rows)

    @property
    def lines(self) -> list[tuple[Row, checks.Finding]]:
        """The rows for reading: what an item has not filled in is one."""
        by_row = groupby(self.rows, key=lambda one: one[0])
        return [(row, one) for row, some in by_row for one in checks.gathered([each for _, each in some])]

    @property
    def wrong(self) -> int:
        """Findings of entries that are wrong, over the whole catalogue."""
        return self.rules.total() - self.gaps.total()


BATCH = 400


def examine(actor: Actor, *, rule: str = "", unit: str = "") -> Examined:
    """Run every check over every item (in force, else open); ``rows`` are narrowed by rule and unit."""
    policies.read_items.require(actor)
    found = Examined()
    ids = list(Item.objects.order_by("unit_id", "key").values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        for row in rows_of(Item.objects.filter(pk__in=ids[start : start + BATCH]).order_by("unit_id", "key")):
            if row.shown is None:
                continue
            found.items += 1
            found.clean += not row.findings
            line = found.units.setdefault(row.unit, [0, 0, 0, 0])
            line[0] += 1
            line[1] += row.errors > 0
            line[2] += row.errors
            line[3] += row.warnings
            for one in row.findings:
                found.rules[one.rule] += 1
                found.gaps[one.rule] += one.gap
                if (not rule or one.rule == rule) and (not unit or row.unit == unit):
                    found.rows.append((row, one))
    return found


@dataclass(frozen=True)
class Decided:
    """How many cases of an item were decided, and how: of examination results, how many were recognised (互认率)."""

    granted: int = 0
    refused: int = 0

    @property
    def whole(self) -> int:
        """Decided cases."""
        return self.granted + self.refused

    @property
    def share(self) -> float | None:
        """Granted of decided, 0 to 1; None without any."""
        return self.granted / self.whole if self.whole else None


def decided(key: str) -> Decided:
    """The decided cases of an item, whoever applied."""
    rows = Case.objects.filter(item=key).exclude(outcome="").values_list("outcome").annotate(Count("pk"))
    return Decided(**dict(rows.order_by()))


@dataclass(frozen=True)
class Detail:
    """An item for staff: versions, what is wrong with the open one (else the current), exemptions, questions."""

    item: Item
    unit: str
    current: ItemVersion | None
    open: ItemVersion | None
    versions: list[ItemVersion]
    findings: list[checks.Finding]
    exemptions: list[Exemption]
    upwards: list[Upward]
    records: list[SourceRecord]
    decided: "Decided"
    may_edit: bool
    may_review: bool

    @property
    def shown(self) -> ItemVersion:
        """What the page is about: open, else in force, else the last."""
        return self.open or self.current or self.versions[0]

    @property
    def blocked(self) -> bool:
        """Whether errors keep it from being released."""
        return any(one.blocks for one in self.findings)


def detail(actor: Actor, key: str) -> Detail:
    """An item with all that staff see of it. Raises NotThere."""
    policies.read_items.require(actor)
    item = Item.objects.filter(key=key).first()
    if item is None:
        raise NotThere("没有找到这个事项。")
    versions = list(item.versions.order_by("-number"))
    current = next((one for one in versions if one.state == ItemVersion.IN_FORCE), None)
    open_one = next((one for one in versions if one.state in ItemVersion.OPEN), None)
    shown = open_one or current or versions[0]
    view = directory.units().get(item.unit_id)
    return Detail(
        item=item,
        unit=view.name if view else "",
        current=current,
        open=open_one,
        versions=versions,
        findings=checks.check(sheet(shown)),
        exemptions=list(item.exemptions.order_by("-id")),
        upwards=list(item.upwards.order_by("-id")),
        records=list(SourceRecord.objects.filter(version__item=item).select_related("batch")[:5]),
        decided=decided(item.key),
        may_edit=policies.edit_items(actor, item),
        may_review=policies.review_items(actor, item),
    )


def any_version(actor: Actor, version_id: int) -> ItemVersion:
    """A version in any state, for staff. Raises NotThere."""
    policies.read_items.require(actor)
    row = ItemVersion.objects.select_related("item").filter(pk=version_id).first()
    if row is None:
        raise NotThere("没有找到事项的这个版本。")
    return row


def row_of(actor: Actor, version_id: int, kind: str, row_id: int):
    """A row below a version. Raises NotThere."""
    found = sheets.ROWS[kind].objects.filter(version=any_version(actor, version_id), pk=row_id).first()
    if found is None:
        raise NotThere("没有找到这一行，可能刚刚被删去。")
    return found


def changes(actor: Actor, row: ItemVersion) -> tuple[ItemVersion | None, list[sheets.Change]]:
    """What a version changes against the last released one before it."""
    policies.read_items.require(actor)
    before = (
        ItemVersion.objects.filter(item=row.item_id, number__lt=row.number, state__in=ItemVersion.RELEASED)
        .order_by("-number")
        .first()
    )
    old = sheets.Sheet.of(before).body() if before else None
    return before, sheets.difference(old, sheets.Sheet.of(row).body())


def waiting_for(actor: Actor) -> int:
    """How many versions and exemptions wait for a reviewer; for the navigation."""
    if not policies.review_items(actor):
        return 0
    return (
        ItemVersion.objects.filter(state=ItemVersion.SUBMITTED).exclude(drafted_by=str(actor.ref)).count()
        + Exemption.objects.filter(state=Exemption.PROPOSED).exclude(proposed_by=str(actor.ref)).count()
    )


def exemptions(actor: Actor) -> QuerySet[Exemption]:
    """All exemptions, for staff."""
    policies.read_items.require(actor)
    return Exemption.objects.select_related("item")


def exemption(actor: Actor, exemption_id: int) -> Exemption:
    """One exemption. Raises NotThere."""
    row = exemptions(actor).filter(pk=exemption_id).first()
    if row is None:
        raise NotThere("没有找到这项豁免。")
    return row


def upwards(actor: Actor, *, open_only: bool = False) -> QuerySet[Upward]:
    """Questions raised upwards, for staff."""
    policies.read_items.require(actor)
    rows = Upward.objects.select_related("item")
    return rows.exclude(state=Upward.SETTLED) if open_only else rows


def upward(actor: Actor, upward_id: int) -> Upward:
    """One question. Raises NotThere."""
    row = upwards(actor).filter(pk=upward_id).first()
    if row is None:
        raise NotThere("没有找到这个问题。")
    return row


def batches(actor: Actor) -> QuerySet[Batch]:
    """All imports of items."""
    policies.keep_items.require(actor)
    return Batch.objects.filter(kind=Batch.ITEMS).order_by("-id")


def batch(actor: Actor, batch_id: int) -> Batch:
    """One import. Raises NotThere."""
    row = batches(actor).filter(pk=batch_id).first()
    if row is None:
        raise NotThere("没有找到这个导入批次。")
    return row


def refused_records(actor: Actor, batch_id: int) -> QuerySet[SourceRecord]:
    """The rows of an import that were not taken in."""
    return batch(actor, batch_id).records.exclude(refused="")


def refusals(batch: Batch) -> list[tuple[str, int]]:
    """Why rows of an import were refused, with counts, the commonest first."""
    rows = batch.records.exclude(refused="").values_list("refused", flat=True)
    return Counter(rows).most_common()


def unmapped(batch: Batch) -> list[tuple[str, int]]:
    """The columns of an import that no element takes, with counts; their values stand in the records."""
    rows = batch.records.exclude(unmapped="").values_list("unmapped", flat=True)
    return Counter(name for row in rows for name in row.split()).most_common()


def days_waiting(row: Upward) -> int:
    """Natural days since a question was raised."""
    return (now() - row.raised_at).days


# Portal ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Journey:
    """A thing people do in life or business, with its items in the usual order."""

    key: str
    title: str
    items: list[ItemVersion]


def journeys() -> list[Journey]:
    """The journeys of the pack, with what is published of their items."""
    table = pack().toml("services.toml").get("journey", ())
    keys = {key for row in table for key in row["items"]}
    known = {row.item.key: row for row in published().filter(item__key__in=keys)}
    found = [
        Journey(row["key"], row["title"], [known[key] for key in row["items"] if key in known])
        for row in table
    ]
    return [one for one in found if one.items]


def shelf_title(*, topic: str = "", unit: str = "", kind: str = "", served: str = "") -> str:
    """What a shelf is called."""
    view = directory.units().by_key(unit) if unit else None
    parts = [
        topic,
        view.name if view else "",
        ItemVersion(task_type=kind).get_task_type_display() if kind else "",
        sheets.words("served", served),
    ]
    return " · ".join(one for one in parts if one) or "全部事项"


def published_sheets() -> list[sheets.Sheet]:
    """Everything published with its rows, in the order of keys: a fixed number of queries."""
    rows = list(published().order_by("item__key").prefetch_related(*sheets.ROWS))
    exempted = _exempt([row.item_id for row in rows])
    return [sheets.Sheet.of(row, exempted.get(row.item_id, ())) for row in rows]


def _resolve_items(ids: list[str], actor: Actor) -> dict[str, tuple[str, str]]:
    rows = ItemVersion.objects.filter(item__in=ids, state=ItemVersion.IN_FORCE).select_related("item")
    return {str(row.item_id): (row.name, reverse("services:guide", args=[row.item.key])) for row in rows}


def _resolve_versions(ids: list[str], actor: Actor) -> dict[str, tuple[str, str]]:
    rows = ItemVersion.objects.filter(pk__in=ids).select_related("item")
    return {
        str(row.pk): (str(row), reverse("services:guide_version", args=[row.item.key, row.pk]))
        for row in rows
        if row.state in (ItemVersion.IN_FORCE, ItemVersion.SUPERSEDED)
    }


register_ref("service_item", "政务服务事项", _resolve_items)
register_ref("service_item_version", "实施清单版本", _resolve_versions)
