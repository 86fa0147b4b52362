"""The tree of units on any day, kept in memory until a change anywhere gives it a new version.

One small query asks for the version; within a web request it is asked once (`pinned`), so that a page that names a
thousand units costs what a page that names one does.
"""

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from uuid import uuid4

from django.db.models.signals import post_delete, post_save

from liangzhu.beams.people.directory.models import (
    TreeVersion,
    Unit,
    UnitAlias,
    UnitSet,
    UnitSetAlias,
    UnitSetRule,
    UnitSpell,
    UnitSuccession,
)
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.now import today
from liangzhu.kernel.once import forget, steady
from liangzhu.kernel.rows import Prepared

KIND_TITLES = dict(Unit.KINDS)
_KIND_ORDER = {kind: place for place, (kind, _) in enumerate(Unit.KINDS)}


class UnknownUnit(Problem):
    """No unit, and no set of units, is called so."""

    code, title, status = "unknown_unit", "没有这个单位", 422
    todo = "请核对名称，或从机构树中选择；新设的单位请先由系统管理员登记。"


class AmbiguousUnit(Problem):
    """Several units are called so; ``candidates`` are the UnitViews."""

    code, title, status = "ambiguous_unit", "有重名单位", 422
    todo = "请改写单位全称，或从列出的单位中选一个。"

    def __init__(self, text: str, candidates: list["UnitView"]):
        self.candidates = candidates
        names = "、".join(f"{unit.name}（{unit.code or unit.key}）" for unit in candidates[:6])
        super().__init__(f"“{text}”可能是：{names}。")


@dataclass(frozen=True)
class UnitView:
    """A unit as it is on one day.

    ``former_name`` is set by `UnitTree.by_name` when the text was a name that no longer holds: the unit's own earlier
    name, or that of a unit this one took over from.
    """

    id: int
    key: str
    kind: str
    name: str
    short: str
    code: str
    parent_id: int | None
    unconfirmed: bool
    to_confirm: str = ""
    superior: str = ""
    former_name: str = ""


@dataclass(frozen=True)
class SetView:
    """A set of units on one day. ``mode`` is "all" or "candidates" (somebody chooses among them)."""

    expression: str
    unit_ids: tuple[int, ...]
    basis: str
    unconfirmed: bool
    mode: str = UnitSet.ALL
    key: str = ""
    source: str = ""
    to_confirm: str = ""


@dataclass(frozen=True)
class _Spell:
    name: str
    short: str
    code: str
    parent_id: int | None
    start: date
    end: date | None
    unconfirmed: bool
    to_confirm: str


@dataclass
class _Contents:
    """Everything of the directory's units as read at one version."""

    units: dict[int, tuple[str, str, str]]
    spells: dict[int, list[_Spell]]
    aliases: dict[str, set[int]]
    names: dict[str, set[int]]
    heirs: dict[int, tuple[date, int]]
    sets: dict[str, UnitSet]
    rules: dict[int, list[UnitSetRule]]
    trees: dict[date, "UnitTree"] = field(default_factory=dict)

    def spell(self, unit_id: int, day: date) -> _Spell | None:
        """The spell that holds on a day."""
        spells = self.spells.get(unit_id, [])
        place = bisect_right(spells, day, key=lambda spell: spell.start) - 1
        if place < 0:
            return None
        found = spells[place]
        return found if found.end is None or day < found.end else None


def _fold(text: str) -> str:
    """A name as compared: without spaces, brackets of one width."""
    return "".join(text.split()).translate(str.maketrans("()", "（）"))


def _read() -> _Contents:
    spells: dict[int, list[_Spell]] = {}
    names: dict[str, set[int]] = {}
    for row in UnitSpell.objects.order_by("unit_id", "valid_from"):
        spells.setdefault(row.unit_id, []).append(
            _Spell(
                row.name,
                row.short_name,
                row.code,
                row.parent_id,
                row.valid_from,
                row.valid_to,
                row.unconfirmed,
                row.to_confirm,
            )
        )
        for name in (row.name, row.short_name):
            names.setdefault(_fold(name), set()).add(row.unit_id)
    aliases: dict[str, set[int]] = {}
    for alias in UnitAlias.objects.all():
        aliases.setdefault(_fold(alias.name), set()).add(alias.unit_id)
    sets = {row.pk: row for row in UnitSet.objects.order_by("id")}
    expressions = {_fold(row.expression): row for row in sets.values()}
    for other in UnitSetAlias.objects.all():
        expressions[_fold(other.expression)] = sets[other.unit_set_id]
    rules: dict[int, list[UnitSetRule]] = {}
    for rule in UnitSetRule.objects.order_by("id"):
        rules.setdefault(rule.unit_set_id, []).append(rule)
    return _Contents(
        units={row.pk: (row.key, row.kind, row.superior) for row in Unit.objects.all()},
        spells=spells,
        aliases=aliases,
        names=names,
        heirs={
            row.predecessor_id: (row.on, row.successor_id)
            for row in UnitSuccession.objects.filter(whole=True, unconfirmed=False)
        },
        sets=expressions,
        rules=rules,
    )


@lru_cache(maxsize=4)
def _kept(token: str) -> _Contents:
    return _read()


_pin: ContextVar[list[str] | None] = ContextVar("liangzhu_directory_pin", default=None)


_latest = Prepared(lambda key: TreeVersion.objects.order_by("pk").values_list("token")[:1])


def _token() -> str:
    found = steady("directory.tree", lambda: _latest(""))
    return found[0][0] if found else ""


def _contents() -> _Contents:
    pin = _pin.get()
    token = pin[0] if pin else _token()
    if pin is not None and not pin:
        pin.append(token)
    # Before the first unit there is no version, and nothing to keep.
    return _kept(token) if token else _read()


@contextmanager
def pinned() -> Iterator[None]:
    """Ask for the tree's version once until the block ends, or until something is changed in it."""
    mark = _pin.set([])
    try:
        yield
    finally:
        _pin.reset(mark)


def bump(**kwargs) -> None:
    """Give the tree a new version, inside the caller's transaction.

    The pin is gone for the rest of the request: the change may yet be rolled back.
    """
    TreeVersion.objects.update_or_create(pk=1, defaults={"token": uuid4().hex})
    _pin.set(None)
    forget()


for _model in (Unit, UnitSpell, UnitAlias, UnitSuccession, UnitSet, UnitSetAlias, UnitSetRule):
    post_save.connect(bump, sender=_model, dispatch_uid=f"directory.bump.{_model.__name__}")
    post_delete.connect(bump, sender=_model, dispatch_uid=f"directory.bump.{_model.__name__}")


class UnitTree:
    """The units that exist on one day."""

    def __init__(self, contents: _Contents, day: date):
        self.day = day
        self._contents = contents
        self._views: dict[int, UnitView] = {}
        self._children: dict[int | None, list[UnitView]] = {}
        for unit_id, (key, kind, superior) in contents.units.items():
            spell = contents.spell(unit_id, day)
            if spell:
                self._views[unit_id] = UnitView(
                    unit_id,
                    key,
                    kind,
                    spell.name,
                    spell.short,
                    spell.code,
                    spell.parent_id,
                    spell.unconfirmed,
                    spell.to_confirm,
                    superior,
                )
        self._by_key = {view.key: view for view in self._views.values()}
        for view in sorted(self._views.values(), key=_place):
            # A superior that does not exist on this day leaves the unit at the top rather than out of sight.
            parent = view.parent_id if view.parent_id in self._views else None
            self._children.setdefault(parent, []).append(view)

    def get(self, unit_id: int) -> UnitView | None:
        """The unit on this day, None when it did not exist then."""
        return self._views.get(unit_id)

    def by_key(self, key: str) -> UnitView | None:
        """The unit of that key on this day."""
        return self._by_key.get(key)

    def by_code(self, code: str) -> UnitView | None:
        """The unit that carries a code on this day."""
        return next((view for view in self._views.values() if code and view.code == code), None)

    def children(self, unit_id: int | None) -> list[UnitView]:
        """The units directly below, by kind and code; of None, those at the top."""
        return list(self._children.get(unit_id, ()))

    def under(self, unit_id: int) -> list[UnitView]:
        """All units below at any depth, nearest first."""
        found, rest = [], self.children(unit_id)
        while rest:
            found += rest
            rest = [child for view in rest for child in self._children.get(view.id, ())]
        return found

    def all(self) -> list[UnitView]:
        """Every unit of the day, by kind and code."""
        return sorted(self._views.values(), key=_place)

    def by_name(self, text: str) -> list[UnitView]:
        """Units called so: by name or short name, then by alias, then by a former name (the heir, where there is one)."""
        folded = _fold(text)
        if not folded:
            return []
        known = self._contents.names.get(folded, set())
        current = [
            self._views[unit_id]
            for unit_id in known & self._views.keys()
            if folded in {_fold(self._views[unit_id].name), _fold(self._views[unit_id].short)}
        ]
        if not current:
            also = self._contents.aliases.get(folded, set())
            current = [self._views[unit_id] for unit_id in also & self._views.keys()]
        if current:
            return sorted(current, key=_place)
        former: dict[int, UnitView] = {}
        for unit_id in known | self._contents.aliases.get(folded, set()):
            # A name that only begins after this day was never this unit's former name.
            if all(spell.start > self.day for spell in self._contents.spells[unit_id]):
                continue
            heir = unit_id if unit_id in self._views else _heir(self._contents, unit_id, self.day)
            if heir in self._views:
                former[heir] = replace(self._views[heir], former_name=text.strip())
        return sorted(former.values(), key=_place)


def _place(view: UnitView) -> tuple:
    return (_KIND_ORDER.get(view.kind, 99), view.code or "~", view.id)


def _heir(contents: _Contents, unit_id: int, day: date) -> int | None:
    """Who stands in the place of a unit on a day; chains are followed to their end."""
    seen = {unit_id}
    found = None
    while unit_id in contents.heirs:
        since, unit_id = contents.heirs[unit_id]
        if since > day or unit_id in seen:
            break
        seen.add(unit_id)
        found = unit_id
    return found


def units(day: date | None = None) -> UnitTree:
    """The tree on a day (default: today)."""
    day = day or today()
    contents = _contents()
    tree = contents.trees.get(day)
    if tree is None:
        if len(contents.trees) > 64:
            contents.trees.clear()
        tree = contents.trees[day] = UnitTree(contents, day)
    return tree


def kind_title(kind: str) -> str:
    """The Chinese title of a kind of unit."""
    return KIND_TITLES.get(kind, kind)


def resolve_unit(text: str, day: date | None = None) -> UnitView:
    """The one unit called so, also by its code, its key, or as "name（code）". Raises UnknownUnit, AmbiguousUnit."""
    tree = units(day)
    _, _, mark = _fold(text).removesuffix("）").partition("（")
    found = tree.by_name(text)
    if len(found) != 1:
        # Two of one name are told apart by what `AmbiguousUnit` shows in brackets.
        exact = [
            tree.by_code(mark) or tree.by_key(mark),
            tree.by_code(text.strip()) or tree.by_key(text.strip()),
        ]
        found = [view for view in exact if view][:1] or found
    if not found:
        raise UnknownUnit(f"{_on(tree.day)}没有叫“{text.strip()}”的单位。")
    if len(found) > 1:
        raise AmbiguousUnit(text.strip(), found)
    return found[0]


def _on(day: date) -> str:
    return "" if day == today() else f"{day.isoformat()} 这一天"


def expand_set(expression: str, day: date | None = None) -> SetView:
    """The members of an open set on a day. Raises UnknownUnit when no set is written so."""
    contents, tree = _contents(), units(day)
    row = contents.sets.get(_fold(expression))
    if row is None:
        raise UnknownUnit(
            f"没有登记过“{expression.strip()}”这样的单位集合。",
            todo="请核对写法，或请系统管理员在“单位集合”中登记。",
        )
    rules = contents.rules.get(row.pk, [])
    kinds = {rule.kind for rule in rules if rule.rule == UnitSetRule.KIND}
    roots = [rule.unit_id for rule in rules if rule.rule == UnitSetRule.UNDER]
    chosen: set[int] = set()
    if kinds or roots:
        below = {view.id for root in roots for view in tree.under(root)}
        chosen = {
            view.id
            for view in tree.all()
            if (not kinds or view.kind in kinds) and (not roots or view.id in below)
        }
    chosen |= {rule.unit_id for rule in rules if rule.rule == UnitSetRule.MEMBER}
    chosen -= {rule.unit_id for rule in rules if rule.rule == UnitSetRule.EXCEPT}
    return SetView(
        row.expression,
        tuple(view.id for view in tree.all() if view.id in chosen),
        row.basis,
        row.unconfirmed,
        row.mode,
        row.key,
        row.source,
        row.to_confirm,
    )


def set_expressions() -> list[str]:
    """The expressions of all sets, without their aliases."""
    return list(dict.fromkeys(row.expression for row in _contents().sets.values()))


def unit_name(unit_id: int, day: date | None = None) -> str:
    """The unit's name on a day; before its first or after its last day, the nearest name it had. "" when unknown."""
    contents, day = _contents(), day or today()
    spell = contents.spell(unit_id, day)
    if spell is None:
        spells = contents.spells.get(unit_id)
        if not spells:
            return ""
        spell = spells[0] if day < spells[0].start else spells[-1]
    return spell.name


def successor(unit_id: int, day: date | None = None) -> int | None:
    """The unit that stands in this one's place on a day, None when it still stands itself or nobody took over."""
    return _heir(_contents(), unit_id, day or today())
