"""Who sees a matter, and what it is found by: `Sight` rows and the search index, kept with every change.

Called by `change.Change` at the end of each change, inside its transaction. A step that moves nothing but the state
costs nothing here; one that moves a limit costs one statement; only opening, ending and other units cost more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters.models import Comment, Entry, Matter, Part, Party, Sight
from liangzhu.kernel import keys, search
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.once import steady
from liangzhu.kernel.refs import Ref, describe
from liangzhu.kernel.sealing import on_forget

KIND = "matter"
"""The kind under which matters stand in the search index."""

OPEN = "open"
BATCH = 1000


def seen_by(unit_id: int) -> str:
    """The mark of a unit that sees a matter."""
    return f"u{unit_id}"


def held_by(unit_id: int) -> str:
    """The mark of the unit that holds it."""
    return f"h{unit_id}"


def helped_by(unit_id: int) -> str:
    """The mark of a unit that works on an open part of it."""
    return f"p{unit_id}"


def of_kind(kind: str) -> str:
    """The mark of a kind."""
    return f"k_{kind}"


@dataclass(frozen=True)
class Before:
    """What of a matter decides who sees it where, as it was before a change."""

    holding_unit_id: int
    due_at: datetime
    closed_at: datetime | None

    @classmethod
    def of(cls, matter: Matter) -> "Before":
        """As it is now."""
        return cls(matter.holding_unit_id, matter.due_at, matter.closed_at)


def opened(matter: Matter, parties: dict[str, int], note: str = "") -> None:
    """Keep a matter that was just opened."""
    units = {matter.holding_unit_id, *parties.values()}
    Sight.objects.bulk_create(_sight(matter, unit, False) for unit in sorted(units))
    texts = [*_texts(matter, parties.values()), note]
    search.index(KIND, matter.pk, texts, _marks(matter, units, ()), new=True)


def settle(matter: Matter, before: Before, *, units_moved: bool, note: str = "") -> None:
    """Keep what a change did to a matter. ``units_moved``: parties or parts are others than before."""
    after = Before.of(matter)
    ended = (before.closed_at is None) != (after.closed_at is None)
    moved = None
    if units_moved or ended or before.holding_unit_id != after.holding_unit_id:
        moved = _again(matter)
    elif before != after:
        Sight.objects.filter(matter=matter).update(due_at=matter.due_at, closed_at=matter.closed_at)
    if moved or note:
        search.add(KIND, matter.pk, note, moved)


def remarked(matter: Matter, text: str) -> None:
    """Let a matter be found by a remark."""
    search.add(KIND, matter.pk, text)


def _again(matter: Matter) -> list[str]:
    """Make the rows of one matter what they should be; returns its marks."""
    parties = set(Party.objects.filter(matter=matter).values_list("unit", flat=True))
    parts = list(Part.objects.filter(matter=matter).values_list("unit", "done_at"))
    helping = {unit for unit, done_at in parts if done_at is None}
    units = {matter.holding_unit_id, *parties, *(unit for unit, _ in parts)}
    known = {row.unit_id: row for row in Sight.objects.filter(matter=matter)}
    Sight.objects.filter(pk__in=[row.pk for unit, row in known.items() if unit not in units]).delete()
    Sight.objects.bulk_create(
        _sight(matter, unit, unit in helping) for unit in sorted(units) if unit not in known
    )
    for unit, row in known.items():
        wanted = _sight(matter, unit, unit in helping)
        if unit in units and any(getattr(row, name) != getattr(wanted, name) for name in _COLUMNS):
            wanted.pk = row.pk
            wanted.save(update_fields=_COLUMNS, force_update=True)
    return _marks(matter, units, helping)


_COLUMNS = ["due_at", "closed_at", "helping"]


def _sight(matter: Matter, unit_id: int, helping: bool) -> Sight:
    return Sight(
        matter=matter,
        unit_id=unit_id,
        kind=matter.kind,
        due_at=matter.due_at,
        closed_at=matter.closed_at,
        helping=helping,
    )


def _marks(matter: Matter, units: Iterable[int], helping: Iterable[int]) -> list[str]:
    return marks(matter.holding_unit_id, units, helping, matter.kind, matter.is_open)


def marks(
    holder: int, units: Iterable[int], helping: Iterable[int], kind: str, still_open: bool
) -> list[str]:
    """The marks of a matter in the search index: who sees, holds and helps with it, its kind, whether it is open."""
    return [
        *map(seen_by, sorted(units)),
        held_by(holder),
        *map(helped_by, sorted(helping)),
        of_kind(kind),
        *([OPEN] if still_open else []),
    ]


def _texts(matter: Matter, units: Iterable[int]) -> list[str]:
    """What a matter is found by from the start: number, title, place, applicant, the names of its units."""
    applicant = ""
    if matter.applicant:
        ref = Ref.parse(matter.applicant)
        applicant = steady(("label", ref), lambda: describe([ref], SYSTEM)[ref][0])
    tree, names = directory.units(), {}
    for unit in [matter.holding_unit_id, *units]:
        view = tree.get(unit)
        names |= {view.name: None, view.short: None} if view else {directory.unit_name(unit): None}
    return [matter.number, matter.title, matter.place, applicant, *names]


def rebuild(say=lambda done: None, only_missing: bool = False) -> int:
    """Make every row and the whole index anew, oldest matter first; returns how many matters.

    ``only_missing`` keeps what is there, and adds the matters that have no row yet (after an upgrade or a bulk load).
    The rows of a thousand matters are one transaction of the caller's choice.
    """
    if not only_missing:
        search.clear(KIND)
        Sight.objects.all().delete()
    last, done = 0, 0
    rows = Matter.objects.order_by("id")
    if only_missing:
        rows = rows.filter(sights=None)
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        last = batch[-1].pk
        keep_many(batch)
        done += len(batch)
        say(done)
    return done


def keep_many(matters: list[Matter]) -> None:
    """Keep matters that have no rows yet: those that were written in bulk."""
    with directory.pinned():
        _keep_many(matters)


def _keep_many(matters: list[Matter]) -> None:
    ids, by_id = [matter.pk for matter in matters], {matter.pk: matter for matter in matters}
    parties: dict[int, list[int]] = {}
    for matter_id, unit in Party.objects.filter(matter__in=ids).values_list("matter", "unit"):
        parties.setdefault(matter_id, []).append(unit)
    helped: dict[int, dict[int, bool]] = {}
    for matter_id, unit, done_at in Part.objects.filter(matter__in=ids).values_list(
        "matter", "unit", "done_at"
    ):
        open_before = helped.setdefault(matter_id, {}).get(unit, False)
        helped[matter_id][unit] = open_before or done_at is None
    said: dict[int, list[str]] = {}
    for model, column in ((Entry, "note"), (Comment, "text")):
        for row in model.objects.filter(matter__in=ids).order_by("id"):
            # Under the key of the matter that is at hand.
            row.matter = by_id[row.matter_id]
            if text := getattr(row, column):
                said.setdefault(row.matter_id, []).append(text)
    sights, docs = [], []
    for matter in matters:
        named, parts = parties.get(matter.pk, []), helped.get(matter.pk, {})
        helping = {unit for unit, still in parts.items() if still}
        units = {matter.holding_unit_id, *named, *parts}
        sights += [_sight(matter, unit, unit in helping) for unit in sorted(units)]
        texts = [*_texts(matter, named), *said.get(matter.pk, [])]
        docs.append(search.Doc(matter.pk, tuple(texts), tuple(_marks(matter, units, helping))))
    Sight.objects.bulk_create(sights, batch_size=5000)
    search.index_many(KIND, docs)


def _forgotten(act, matter: Matter) -> dict[str, int]:
    """A matter that was destroyed by rule is found by its number only."""
    search.index(KIND, matter.pk, [matter.number], _again(matter))
    return {"search": 1}


keys.on_rotation("blind", rebuild)
on_forget(Matter, _forgotten)
