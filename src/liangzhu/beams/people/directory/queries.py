"""What the pages read of units, persons and posts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import QuerySet
from django.urls import reverse

from liangzhu.beams.people.directory import policies
from liangzhu.beams.people.directory.models import (
    Deputy,
    Holding,
    Person,
    Post,
    Unit,
    UnitSet,
    UnitSetRule,
    UnitSpell,
    UnitSuccession,
)
from liangzhu.beams.people.directory.staff import PostView, posts, spans
from liangzhu.beams.people.directory.tree import SetView, UnitTree, UnitView, expand_set, unit_name, units
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.now import today
from liangzhu.kernel.refs import register_ref


@dataclass
class Branch:
    """A unit with the branches below it."""

    unit: UnitView
    below: list["Branch"] = field(default_factory=list)


def branches(actor: Actor, tree: UnitTree, top: int | None = None) -> list[Branch]:
    """The tree of a day as nested branches."""
    policies.read.require(actor)
    return [Branch(view, branches(actor, tree, view.id)) for view in tree.children(top)]


def search(actor: Actor, tree: UnitTree, text: str) -> list[UnitView]:
    """Units of a day whose name, short name or code contains the text, then those formerly called so."""
    policies.read.require(actor)
    text = text.strip()
    found = [view for view in tree.all() if text in view.name or text in view.short or text == view.code]
    return found or tree.by_name(text)


@dataclass(frozen=True)
class SpellRow:
    """A stretch of a unit's history; ``last_day`` is the last day that counts."""

    spell: UnitSpell
    parent_name: str
    last_day: date | None
    code_moved: bool


@dataclass(frozen=True)
class UnitPage:
    """All of one unit. ``view`` is None on a day when it does not exist."""

    unit: Unit
    view: UnitView | None
    name: str
    above: list[UnitView]
    below: list[UnitView]
    spells: list[SpellRow]
    successions: list[UnitSuccession]
    inheritances: list[UnitSuccession]
    aliases: list[str]
    posts: list[PostView]
    closed_on: date | None


def unit_page(actor: Actor, unit_id: int, day: date) -> UnitPage:
    """One unit with its history, successions and posts. Raises NotThere."""
    policies.read.require(actor)
    unit = Unit.objects.filter(pk=unit_id).first()
    if unit is None:
        raise NotThere("没有找到这个单位。")
    tree = units(day)
    view = tree.get(unit_id)
    above, parent = [], view and view.parent_id
    while parent and (up := tree.get(parent)):
        above.insert(0, up)
        parent = up.parent_id
    spells, rows = list(unit.spells.order_by("valid_from")), []
    for place, spell in enumerate(spells):
        rows.append(
            SpellRow(
                spell,
                unit_name(spell.parent_id, spell.valid_from) if spell.parent_id else "",
                spell.valid_to - timedelta(days=1) if spell.valid_to else None,
                place > 0 and spells[place - 1].code != spell.code,
            )
        )
    return UnitPage(
        unit=unit,
        view=view,
        name=unit_name(unit_id, day),
        above=above,
        below=tree.children(unit_id) if view else [],
        spells=rows[::-1],
        successions=_named(unit.successions.all(), "successor_id"),
        inheritances=_named(unit.inheritances.all(), "predecessor_id"),
        aliases=list(unit.aliases.order_by("name").values_list("name", flat=True)),
        posts=posts(unit_id=unit_id),
        closed_on=spells[-1].valid_to if spells else None,
    )


def _named(rows: QuerySet[UnitSuccession], other: str) -> list[UnitSuccession]:
    """Successions with ``other_id`` and ``other_name``, the other unit as it was called on that day."""
    found = list(rows.order_by("on"))
    for row in found:
        row.other_id = getattr(row, other)
        row.other_name = unit_name(row.other_id, row.on)
    return found


def succession(actor: Actor, succession_id: int) -> UnitSuccession:
    """One succession. Raises NotThere."""
    policies.read.require(actor)
    found = _named(UnitSuccession.objects.filter(pk=succession_id), "successor_id")
    if not found:
        raise NotThere("没有找到这项承接。")
    return found[0]


@dataclass(frozen=True)
class SetPage:
    """A set with its rule in words and its members on a day."""

    row: UnitSet
    view: SetView
    members: list[UnitView]
    rules: dict[str, list]
    aliases: list[str]


def sets(actor: Actor, day: date) -> list[SetPage]:
    """Every set with its members on a day; four queries whatever their number."""
    policies.read.require(actor)
    tree = units(day)
    rows = UnitSet.objects.order_by("id").prefetch_related("rules", "aliases")
    return [_set_page(row, tree) for row in rows]


def set_page(actor: Actor, set_id: int, day: date) -> SetPage:
    """One set. Raises NotThere."""
    policies.read.require(actor)
    row = UnitSet.objects.filter(pk=set_id).prefetch_related("rules", "aliases").first()
    if row is None:
        raise NotThere("没有找到这个单位集合。")
    return _set_page(row, units(day))


def _set_page(row: UnitSet, tree: UnitTree) -> SetPage:
    view = expand_set(row.expression, tree.day)
    rules: dict[str, list] = {rule: [] for rule, _ in UnitSetRule.RULES}
    for rule in row.rules.all():
        rules[rule.rule].append(rule.get_kind_display() if rule.kind else unit_name(rule.unit_id, tree.day))
    return SetPage(
        row,
        view,
        [tree.get(i) for i in view.unit_ids],
        rules,
        [alias.expression for alias in row.aliases.all()],
    )


@dataclass(frozen=True)
class PersonRow:
    """A person with the posts held today."""

    person: Person
    posts: list[str]


def persons(actor: Actor, text: str = "") -> QuerySet[Person]:
    """Persons whose name contains the text; for paging, then `with_posts`."""
    policies.manage_people.require(actor)
    rows = Person.objects.all()
    return rows.filter(name__icontains=text.strip()) if text.strip() else rows


def with_posts(actor: Actor, people: list[Person]) -> list[PersonRow]:
    """The persons of one page with their posts of today; one query."""
    policies.manage_people.require(actor)
    held: dict[int, list[str]] = {}
    tree = units()
    for row in Holding.objects.filter(spans(today()), person__in=people).select_related("post"):
        unit = tree.get(row.post.unit_id)
        held.setdefault(row.person_id, []).append(f"{unit.short if unit else ''} {row.post.title}".strip())
    return [PersonRow(person, held.get(person.pk, [])) for person in people]


@dataclass(frozen=True)
class TermRow:
    """A holding or a stand-in, with the state it is in today: now, past or future."""

    row: Holding | Deputy
    last_day: date | None
    state: str
    place: str


def _terms(rows: QuerySet) -> list[TermRow]:
    found, tree = [], units()
    for row in rows.select_related("person", "post").order_by("-valid_from", "-id"):
        over = row.valid_to is not None and row.valid_to <= today()
        state = "past" if over else "future" if row.valid_from > today() else "now"
        last_day = row.valid_to - timedelta(days=1) if row.valid_to else None
        unit = tree.get(row.post.unit_id)
        short = unit.short if unit else unit_name(row.post.unit_id)
        found.append(TermRow(row, last_day, state, f"{short} {row.post.title}"))
    return found


@dataclass(frozen=True)
class PersonPage:
    """A person with all holdings and stand-ins."""

    person: Person
    holdings: list[TermRow]
    deputies: list[TermRow]


def person_page(actor: Actor, person_id: int) -> PersonPage:
    """One person. Raises NotThere."""
    policies.manage_people.require(actor)
    person = Person.objects.filter(pk=person_id).first()
    if person is None:
        raise NotThere("没有找到这个人员。")
    return PersonPage(
        person,
        _terms(Holding.objects.filter(person=person)),
        _terms(Deputy.objects.filter(person=person)),
    )


@dataclass(frozen=True)
class PostPage:
    """A post with its roles and everybody who held it or stood in."""

    post: Post
    unit_name: str
    roles: list[str]
    holdings: list[TermRow]
    deputies: list[TermRow]


def post_page(actor: Actor, post_id: int) -> PostPage:
    """One post. Raises NotThere."""
    policies.manage_people.require(actor)
    post = Post.objects.filter(pk=post_id).first()
    if post is None:
        raise NotThere("没有找到这个岗位。")
    return PostPage(
        post,
        unit_name(post.unit_id),
        list(post.roles.order_by("role").values_list("role", flat=True)),
        _terms(post.holdings.all()),
        _terms(post.deputies.all()),
    )


def holding(actor: Actor, holding_id: int) -> Holding:
    """One holding. Raises NotThere."""
    policies.manage_people.require(actor)
    row = Holding.objects.filter(pk=holding_id).select_related("person", "post").first()
    if row is None:
        raise NotThere("没有找到这次任职。")
    return row


def deputies(actor: Actor) -> list[TermRow]:
    """Stand-ins that run now or will; those that are over stand on the pages of their posts."""
    policies.manage_people.require(actor)
    return _terms(Deputy.objects.filter(valid_to__gt=today()))


def person_names(actor: Actor, person_ids: Iterable[int]) -> dict[int, str]:
    """Names of persons, for the pages of other apps."""
    policies.read.require(actor)
    return dict(Person.objects.filter(pk__in=list(person_ids)).values_list("pk", "name"))


# References -----------------------------------------------------------------------------------------------------------


def _unit_refs(ids: Iterable[str], actor: Actor) -> dict[str, tuple[str, str]]:
    """Names of units are public; their pages are for staff."""
    may = policies.read(actor)
    names = {ident: unit_name(int(ident)) for ident in ids if ident.isdecimal()}
    return {
        i: (name, reverse("directory:unit", args=[i]) if may else "") for i, name in names.items() if name
    }


def _post_refs(ids: Iterable[str], actor: Actor) -> dict[str, tuple[str, str]]:
    if not policies.read(actor):
        return {}
    may, tree, found = policies.manage_people(actor), units(), {}
    for row in Post.objects.filter(pk__in=[i for i in ids if i.isdecimal()]):
        unit = tree.get(row.unit_id)
        label = f"{unit.short if unit else unit_name(row.unit_id)} {row.title}"
        found[str(row.pk)] = (label, reverse("directory:post", args=[row.pk]) if may else "")
    return found


def _person_refs(ids: Iterable[str], actor: Actor) -> dict[str, tuple[str, str]]:
    if not policies.read(actor):
        return {}
    may = policies.manage_people(actor)
    names = person_names(actor, [int(i) for i in ids if i.isdecimal()])
    return {str(i): (name, reverse("directory:person", args=[i]) if may else "") for i, name in names.items()}


register_ref("unit", "机构", _unit_refs)
register_ref("post", "岗位", _post_refs)
register_ref("person", "人员", _person_refs)
