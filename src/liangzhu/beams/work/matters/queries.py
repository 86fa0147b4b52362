"""Every read of matters, scoped to who asks.

Inbox lists walk one index for each source of theirs: its tail is the order (`due_at`, `id`). A light is a range on
columns, words go through the search index, and nothing is counted beyond `COUNT_LIMIT`.
"""

from calendar import Calendar, isleap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.work.files import api as attachments
from liangzhu.beams.work.matters import answers, policies, sights, turns
from liangzhu.beams.work.matters import clocks as counting
from liangzhu.beams.work.matters.grammar import OPENING, Field, Process
from liangzhu.beams.work.matters.kinds import Kind, all_kinds
from liangzhu.beams.work.matters.lights import Light, light, light_q, part_light
from liangzhu.beams.work.matters.models import (
    NEVER,
    Comment,
    Desk,
    Entry,
    Link,
    Matter,
    Notice,
    NoticeRule,
    Part,
    Sight,
    Timer,
    View,
)
from liangzhu.beams.work.matters.process import RELEASE_KIND, by_release_id, in_force
from liangzhu.kernel import reads
from liangzhu.kernel import search as index
from liangzhu.kernel.actions import Act
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Invalid, NotThere
from liangzhu.kernel.models import DayOverride, Release
from liangzhu.kernel.now import now
from liangzhu.kernel.once import once
from liangzhu.kernel.paging import Branch, Merged, bounded_each
from liangzhu.kernel.policies import get_policy, operate
from liangzhu.kernel.refs import Ref, describe, register_ref
from liangzhu.kernel.rows import get
from liangzhu.kernel.workdays import FIRST_YEAR, LAST_YEAR, Day, Due

COUNT_LIMIT = 99
ORDER = ("due_at", "id")
"""The order of every inbox list: what ends first stands first, what has no clock last."""

CLOSED_ORDER = ("-closed_at", "-id")
"""The order of lists of what is finished: the latest first."""

SCOPES = {"mine": "我的", "unit": "本单位", "helping": "协办", "all": "全部可见"}

NEWEST_ORDER = ("-id",)
"""The order of open matters when the newest shall stand first."""

TEXT_LIMIT = 300
"""Of what a text finds, the newest that a list narrows itself to. The search page goes on to the end."""

_REPEATED = frozenset({"kind", "due_at", "closed_at"})
"""Columns of a matter that `Sight` repeats."""


def _opened(actor: Actor) -> dict[str, Q | bool]:
    """The kinds that open rows to an actor beyond those of its unit: all of them (True), or a condition."""
    found = {kind.key: kind.visible(actor) for kind in all_kinds().values() if kind.visible}
    return {key: opened for key, opened in found.items() if opened}


def visible(actor: Actor) -> QuerySet[Matter]:
    """The matters an actor may see: those its unit holds or takes part in, and what their kinds open to it.

    To ask for certain rows. Lists of all that one sees are `inbox`: an OR cannot be read in order.
    """
    if actor.is_system:
        return Matter.objects.all()
    if not policies.work(actor):
        return Matter.objects.none()
    seen = Q(Exists(Sight.objects.filter(matter=OuterRef("pk"), unit=actor.unit_id)))
    for kind, opened in _opened(actor).items():
        seen |= Q(kind=kind) if opened is True else Q(kind=kind) & opened
    return Matter.objects.filter(seen)


def own_matters(actor: residents.Resident) -> QuerySet[Matter]:
    """The matters of which a resident's principal is the applicant, within the mandate that he acts under.

    A scope of its own: `visible` opens files, remarks and the whole history, which are the office's. Take ("-id",).
    """
    if not isinstance(actor, residents.Resident):
        return Matter.objects.none()
    rows = Matter.objects.filter(applicant__in=actor.principal_refs)
    if actor.limits:
        cases = [int(one[7:]) for one in actor.limits if one.startswith("matter:") and one[7:].isdecimal()]
        rows = rows.filter(Q(kind__in=actor.limits) | Q(pk__in=cases) | Q(parent__in=cases))
    return rows


def own_matter(actor: residents.Resident, matter_id: int) -> Matter:
    """One of a resident's own matters. Raises NotThere: absent, and somebody else's, are not told apart."""
    found = own_matters(actor).filter(pk=matter_id).first()
    if found is None:
        raise NotThere("没有找到这件事。请核对编号；也可能要切换到办这件事时的身份。")
    return found


def matter(actor: Actor, matter_id: int) -> Matter:
    """One matter. Raises NotThere: absent, and out of sight, are not told apart."""
    found = get(Matter, matter_id)
    if found is None or not _sees(actor, found):
        raise NotThere("没有找到这一事项。")
    return found


def kind_to_open(actor: Actor, key: str) -> Kind:
    """The kind that somebody wants to open a matter of. Raises Invalid, naming those that the actor may open."""
    policies.open_one.require(actor)
    found = all_kinds().get(key)
    if found is None:
        may = "、".join(f"{one.key}（{one.title}）" for one in openable(actor))
        raise Invalid({"kind": f"没有“{key[:40]}”这种事项。可以登记的有：{may or '没有'}。"})
    return found


def openable(actor: Actor) -> list[Kind]:
    """The kinds of which the actor may open matters."""
    if not policies.open_one(actor):
        return []
    return [kind for kind in all_kinds().values() if kind.opening and get_policy(kind.opening.policy)(actor)]


def opening_fields(kind: Kind) -> tuple[tuple[Field, ...], str]:
    """What is asked when a matter of a kind is opened: fields, and the key of a form ("" for none). Raises NotThere."""
    process = in_force(kind.process)[1]
    return kind.opening.fields or process.opening or (), process.opening_form


def matter_to_change(act: Act, matter_id: int) -> Matter:
    """One matter that the actor sees, locked for the rest of the action. Raises NotThere."""
    found = get(Matter, matter_id, lock=True)
    if found is None or not _sees(act.actor, found):
        raise NotThere("没有找到这一事项。")
    act.hold(found)
    return found


def _sees(actor: Actor, one: Matter) -> bool:
    """The rule of `visible` for one row; what the own unit holds needs no query."""
    if not actor.is_system and policies.work(actor) and one.holding_unit_id == actor.unit_id:
        return True
    return visible(actor).filter(pk=one.pk).exists()


def part(actor: Actor, of: Matter, part_id: int) -> Part:
    """One part of a matter that the actor sees. Raises NotThere."""
    found = of.parts.filter(pk=part_id).first()
    if found is None:
        raise NotThere("没有找到这项并行办理。")
    return found


@dataclass(frozen=True)
class Filters:
    """What narrows an inbox; empty values do not. ``light`` is a state of `lights`, ``opened_from`` and ``opened_to``
    are days (both included), ``applicant`` a Ref, ``text`` words of the matter.
    """

    kind: str = ""
    state: str = ""
    light: str = ""
    unit: int | None = None
    urgency: int | None = None
    opened_from: date | None = None
    opened_to: date | None = None
    applicant: str = ""
    text: str = ""

    def __bool__(self) -> bool:
        return self != Filters()

    def condition(self) -> Q:
        """All but the text, as a condition over the columns of a matter."""
        asked = light_q(self.light) if self.light else Q()
        if self.kind:
            asked &= Q(kind=self.kind)
        if self.state:
            asked &= Q(state=self.state)
        if self.unit is not None:
            asked &= Q(holding_unit=self.unit)
        if self.urgency is not None:
            asked &= Q(urgency=self.urgency)
        if self.opened_from:
            asked &= Q(opened_at__gte=counting.start_of(self.opened_from))
        if self.opened_to:
            asked &= Q(opened_at__lt=counting.end_of(self.opened_to))
        if self.applicant:
            asked &= Q(applicant=self.applicant)
        return asked


def inbox(
    actor: Actor,
    scope: str = "mine",
    kind: str | None = None,
    light: str | None = None,
    text: str = "",
    *,
    filters: Filters | None = None,
    closed: bool = False,
) -> Merged:
    """Open matters: ``mine`` (given to my post, or my turn), ``unit`` (my unit's), ``helping`` (with open parts of my unit),
    ``all`` I may see. ``closed``: the finished ones instead.

    Unordered: lists take `ORDER`, of finished matters `CLOSED_ORDER`.
    """
    asked = filters or Filters(kind=kind or "", light=light or "", text=text)
    if not policies.work(actor):
        return Merged(Matter, ())
    rows = once(
        ("inbox", actor, scope, closed), lambda: Merged(Matter, tuple(_branches(actor, scope, closed)))
    )
    if asked.text.strip():
        rows = rows.filter(pk__in=_ids_of_text(actor, scope, asked.text, closed))
    return rows.filter(asked.condition())


def own_size(actor: Actor) -> int:
    """How many wait for the post acted under, at most `COUNT_LIMIT` + 1."""
    return once(("own size", actor), lambda: bounded(inbox(actor)))


def sizes(actor: Actor) -> dict[str, int]:
    """The size of each inbox, at most `COUNT_LIMIT` + 1."""
    own = {"mine": own_size(actor)}
    return own | counts({name: inbox(actor, name) for name in SCOPES if name not in own})


def sizes_by_light(actor: Actor, scope: str, lights: Iterable[str]) -> dict[str, int]:
    """How many of an inbox show each light, at most `COUNT_LIMIT` + 1."""
    return inbox(actor, scope).bounded_parts({name: light_q(name) for name in lights}, COUNT_LIMIT + 1)


def _branches(actor: Actor, scope: str, closed: bool) -> Iterator[Branch]:
    """The index walks that make up a scope. No branch of "mine" meets another."""
    ended = Q(closed_at__isnull=not closed)
    rows = Matter.objects.filter(ended)
    held = rows.filter(holding_unit=actor.unit_id)
    if scope == "mine" and closed:
        yield Branch(held.filter(assignee=actor.post_id))
    elif scope == "mine":
        # What was given to a post is held by its unit; should the unit change, the assignment ends with it.
        yield Branch(held.filter(assignee=actor.post_id))
        for state, releases in turns.states(actor).items():
            yield Branch(held.filter(assignee=None, state=state, release__in=releases))
    elif scope == "unit":
        yield Branch(held)
    else:
        seen = Sight.objects.filter(ended, unit=actor.unit_id)
        yield Branch(seen.filter(helping=True) if scope == "helping" else seen, "matter", _REPEATED)
        if scope != "helping":
            for opened_kind, opened in _opened(actor).items():
                of_kind = rows.filter(kind=opened_kind)
                yield Branch(of_kind if opened is True else of_kind.filter(opened))


def _ids_of_text(actor: Actor, scope: str, text: str, closed: bool) -> list[int]:
    """The newest matters of a scope that a text finds; the number as it stands comes before everything."""
    exact = Matter.objects.filter(number=text.strip()).values_list("pk", flat=True)
    if found := list(exact):
        return found
    if scope in ("mine", "unit"):
        marks = [sights.held_by(actor.unit_id)]
    elif scope == "helping":
        marks = [sights.helped_by(actor.unit_id)]
    else:
        marks = _marks(actor)
    state = [] if closed else [sights.OPEN]
    hits = index.find(text, kind=sights.KIND, any_of=marks, all_of=state, limit=TEXT_LIMIT)
    return [hit.ident for hit in hits]


def _marks(actor: Actor) -> list[str]:
    """The marks of the index that stand for what an actor may see."""
    return [sights.seen_by(actor.unit_id), *map(sights.of_kind, _opened(actor))]


def bounded(rows: QuerySet | Merged) -> int:
    """How many rows, counting no further than one beyond `COUNT_LIMIT`."""
    if isinstance(rows, Merged):
        return rows.bounded(COUNT_LIMIT + 1)
    return rows.order_by()[: COUNT_LIMIT + 1].count()


def counts(lists: dict[str, Merged]) -> dict[str, int]:
    """The size of each list, at most `COUNT_LIMIT` + 1, in one statement."""
    return dict(zip(lists, bounded_each(lists.values(), COUNT_LIMIT + 1), strict=True))


@dataclass(frozen=True)
class Found:
    """A page of what a search found, newest first. ``next`` and ``previous`` are places, None where there is nothing."""

    matters: list[Matter]
    next: int | None = None
    previous: int | None = None


SEARCH_ROUNDS = 20
"""How often a page asks the index again, should hits turn out to be out of sight."""


def search(
    actor: Actor, text: str, *, before: int | None = None, after: int | None = None, size: int = 30
) -> Found:
    """Matters, open or closed: the one of that number, else those that the words find, newest first.

    ``before`` and ``after`` are places of an earlier page. The index narrows to what the actor's unit sees; what is
    shown is decided by `visible`.
    """
    text = text.strip()
    if not text or not policies.work(actor):
        return Found([])
    if exact := visible(actor).filter(number=text).first():
        return Found([exact])
    back, further, kept = after is not None, before is not None, []
    for _ in range(SEARCH_ROUNDS):
        hits = index.find(
            text,
            kind=sights.KIND,
            any_of=None if actor.is_system else _marks(actor),
            before=None if back else before,
            after=after if back else None,
            limit=size + 1,
        )
        rows = visible(actor).in_bulk([hit.ident for hit in hits])
        seen = [(hit.place, rows[hit.ident]) for hit in hits if hit.ident in rows]
        kept = [*seen, *kept] if back else [*kept, *seen]
        if len(kept) > size or len(hits) <= size:
            break
        before, after = hits[-1].place, hits[0].place
    more = len(kept) > size
    kept = (kept[-size:] if back else kept[:size]) if more else kept
    if not kept:
        return Found([])
    newer, older = (more, True) if back else (further, more)
    return Found(
        [row for _, row in kept],
        next=kept[-1][0] if older else None,
        previous=kept[0][0] if newer else None,
    )


@dataclass(frozen=True)
class Row:
    """One row of a list, ready to be shown."""

    matter: Matter
    light: Light
    kind: str
    state: str
    unit: str

    @property
    def url(self) -> str:
        """The page of the matter."""
        return all_kinds()[self.matter.kind].url_of(self.matter)


def rows(found: Iterable[Matter], helping_unit: int | None = None) -> list[Row]:
    """Matters as rows of a list: no query for each, however many there are.

    With ``helping_unit`` a row says how far the open part of that unit is, instead of the matter as a whole.
    """
    found = list(found)
    if not found:
        return []
    asked = (
        {
            part.matter_id: part
            for part in Part.objects.filter(matter__in=found, unit=helping_unit, done_at=None)
        }
        if helping_unit
        else {}
    )
    calendar, tree, kinds = counting.work_calendar(), directory.units(), all_kinds()
    out = []
    for one in found:
        unit, kind = tree.get(one.holding_unit_id), kinds[one.kind]
        out.append(
            Row(
                matter=one,
                light=light(one, calendar=calendar),
                kind=kind.title,
                state=_state_title(one, asked.get(one.pk)),
                unit=unit.short if unit else directory.unit_name(one.holding_unit_id),
            )
        )
    return out


def _state_title(matter: Matter, part: Part | None) -> str:
    """The state of a matter, or of the part that a unit has in it."""
    process = by_release_id(matter.release_id)
    return (
        process.parts[part.kind].states[part.state].title if part else process.flow.states[matter.state].title
    )


# One matter -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One line of the history as it is shown. ``fields`` are (label, value, type) of what was filled in."""

    entry: Entry
    from_title: str
    to_title: str
    unit: str
    part: str
    fields: tuple[tuple[str, object, str], ...]
    files: tuple[attachments.Attachment, ...]


def history(actor: Actor, of: Matter, files: list[attachments.Attachment] | None = None) -> list[Line]:
    """What happened to a matter, oldest first, with what was filled in and attached at each step.

    Units appear under the name they had on that day. The caller has the matter from `matter`, and its
    ``files`` if it has read them already.
    """
    process = by_release_id(of.release_id)
    entries = list(of.entries.select_related("answer", "part").order_by("id"))
    for entry in entries:
        if entry.answer:
            entry.answer.matter = of
    given = {row.pk: row for row in (attachments.of(of.ref) if files is None else files)}
    out = []
    for entry in entries:
        flow = process.flow_of(entry.part.kind if entry.part else None)
        step = flow.transitions.get(entry.transition)
        values = answers.read(entry.answer) if entry.answer else {}
        asked = step.fields if step else process.opening or () if entry.transition == OPENING else ()
        known = {field.name: field for field in asked}
        fields, attached = [], []
        snapshot = values.get("form_snapshot")
        for name, value in values.items():
            field = known.get(name)
            if snapshot and field is None and name != "files":
                # What stands in the form is read there, masked for others; here it is only named.
                if name == "form_snapshot":
                    fields.append(("表单", value, "snapshot"))
                continue
            if (field and field.type == "files") or (field is None and name == "files"):
                attached += [given[one] for one in value if one in given]
            else:
                shown = _shown(field.type if field else "text", value, entry, step, of, actor, field)
                fields.append((field.label if field else name, shown, field.type if field else "text"))
        out.append(
            Line(
                entry=entry,
                from_title=flow.states[entry.from_state].title if entry.from_state in flow.states else "",
                to_title=flow.states[entry.to_state].title if entry.to_state in flow.states else "",
                unit=directory.unit_name(entry.unit_id, counting.local_day(entry.at))
                if entry.unit_id
                else "",
                part=directory.unit_name(entry.part.unit_id, counting.local_day(entry.at))
                if entry.part
                else "",
                fields=tuple(fields),
                files=tuple(attached),
            )
        )
    return out


def folded(lines: list[Line]) -> list[Line]:
    """The history with what was asked of many units in one go on one line."""
    out: list[Line] = []
    for line in lines:
        last = out[-1] if out else None
        same = (
            last is not None
            and line.entry.transition == last.entry.transition == "matters.add_part"
            and line.entry.actor_label == last.entry.actor_label
            and line.entry.at - last.entry.at < timedelta(minutes=1)
        )
        if same:
            last.entry.note = f"{last.entry.note}、{line.entry.note.partition('：')[2]}"
        else:
            out.append(line)
    return out


def _shown(kind: str, value, entry: Entry, step, of: Matter, actor: Actor, field) -> object:
    """A kept value in words."""
    day = counting.local_day(entry.at)
    if kind == "date":
        return date.fromisoformat(value)
    if kind == "unit":
        return directory.unit_name(value, day)
    if kind == "units":
        return "、".join(directory.unit_name(one, day) for one in value)
    if kind == "post":
        return directory.post(value).full_title
    if kind == "choice":
        return dict(answers.options(field, actor, of)).get(value, value)
    return value


@dataclass(frozen=True)
class PartView:
    """A part as it is shown."""

    part: Part
    title: str
    unit: str
    state: str
    light: Light
    mine: bool


def parts(actor: Actor, of: Matter) -> list[PartView]:
    """The parallel work of a matter, in the order it was asked for."""
    process = by_release_id(of.release_id)
    tree = directory.units()
    calendar = counting.work_calendar()
    out = []
    for row in of.parts.order_by("id"):
        flow = process.parts[row.kind]
        unit = tree.get(row.unit_id)
        out.append(
            PartView(
                part=row,
                title=flow.title,
                unit=unit.short if unit else directory.unit_name(row.unit_id),
                state=flow.states[row.state].title,
                light=part_light(row, calendar=calendar),
                mine=row.is_open and row.unit_id == getattr(actor, "unit_id", None),
            )
        )
    return out


def comments(actor: Actor, of: Matter) -> list[Comment]:
    """The remarks beside a matter, oldest first."""
    return list(of.comments.order_by("id"))


def entries_of(matter_ids: Iterable[int], transition: str, day: date) -> list[Entry]:
    """The lines of many matters for one step, up to and including a day. For indicators, which count and do
    not show.
    """
    end = counting.end_of(day)
    return list(
        Entry.objects.filter(
            matter__in=list(matter_ids), transition=transition, at__lt=end, part=None
        ).order_by("id")
    )


def may_read(actor: Actor, ref: Ref) -> bool:
    """Whether an actor sees the matter of that reference: the guard of its files."""
    return ref.id.isdecimal() and visible(actor).filter(pk=int(ref.id)).exists()


def _resolve(ids: Iterable[str], actor: Actor) -> dict[str, tuple[str, str]]:
    found = visible(actor).filter(pk__in=[int(one) for one in ids if str(one).isdecimal()])
    return {str(row.pk): (f"{row.number} {row.title}", all_kinds()[row.kind].url_of(row)) for row in found}


def _open_of(refs: set[str]) -> QuerySet[Matter]:
    return Matter.objects.filter(applicant__in=refs, closed_at=None)


def _works_on(actor: Actor, refs: set[str]) -> bool:
    """Whether an open matter of the applicant is in the hands of the actor's unit: seeing it is not enough."""
    if not policies.work(actor):
        return False
    helping = Part.objects.filter(matter=OuterRef("pk"), unit=actor.unit_id, done_at=None)
    return _open_of(refs).filter(Q(holding_unit=actor.unit_id) | Exists(helping)).exists()


register_ref("matter", "事项", _resolve)
registers.add_referrer(
    "matters.applicant", "申请的事项", open_for=lambda refs: _open_of(refs).count(), works_on=_works_on
)
attachments.guard_downloads("matter", may_read)


@reads.belongs("matter")
def _of_matter(ref: Ref) -> list[Ref]:
    """The applicant."""
    found = Matter.objects.filter(pk=ref.id).values_list("applicant", flat=True).first()
    return [Ref.parse(found)] if found else []


# Notices --------------------------------------------------------------------------------------------------


def notices(actor: Actor, unread: bool = False) -> QuerySet[Notice]:
    """The notices of the post acted under."""
    if not policies.own_notices(actor):
        return Notice.objects.none()
    found = Notice.objects.filter(post=actor.post_id).select_related("matter")
    found = found.filter(Q(shown_from=None) | Q(shown_from__lte=now()))
    return found.filter(read_at=None) if unread else found


def notice(actor: Actor, notice_id: int) -> Notice:
    """One notice of the post acted under. Raises NotThere."""
    found = notices(actor).filter(pk=notice_id).first()
    if found is None:
        raise NotThere("没有找到这条提醒。")
    return found


def unread_count(actor: Actor) -> int:
    """How many notices wait to be read, at most `COUNT_LIMIT` + 1."""
    return bounded(notices(actor, unread=True).select_related(None))


def notice_rules(actor: Actor) -> dict[tuple[str, str], str]:
    """How the post acted under wants to hear of notices: {(level, kind or ""): way}; what is not there comes at once."""
    if not policies.own_notices(actor):
        return {}
    rows = NoticeRule.objects.filter(post=actor.post_id)
    return {(row.level, row.kind): row.way for row in rows}


# The desk of a post ---------------------------------------------------------------------------------------


def desk(actor: Actor) -> Desk:
    """What the post acted under chose for itself; an unsaved one when it chose nothing yet."""
    found = None
    if getattr(actor, "post_id", None) is not None:
        found = Desk.objects.select_related("default_view").filter(post=actor.post_id).first()
    return found or Desk(post_id=getattr(actor, "post_id", None))


def views(actor: Actor) -> list[View]:
    """The views of the post, then those that others of the unit share; by name."""
    if not policies.keep_views(actor):
        return []
    open_to = Q(post=actor.post_id) | Q(unit=actor.unit_id, shared=True)
    found = View.objects.filter(open_to).order_by("name", "id")
    return sorted(found, key=lambda row: row.post_id != actor.post_id)


def view(actor: Actor, view_id: int) -> View:
    """One view of the post, or one shared in its unit. Raises NotThere."""
    found = next((row for row in views(actor) if row.pk == view_id), None)
    if found is None:
        raise NotThere("没有这个视图，它可能已经被删去。")
    return found


def filters_of(row: View) -> Filters:
    """What narrows a view."""
    return Filters(
        kind=row.kind,
        state=row.state,
        light=row.light,
        unit=row.held_by_id,
        urgency=row.urgency,
        opened_from=row.opened_from,
        opened_to=row.opened_to,
        applicant=row.applicant,
        text=row.text,
    )


def done(actor: Actor) -> QuerySet[Entry]:
    """What the person did, under whatever post, newest first: of each matter the latest line. Take ("-id",)."""
    if not policies.work(actor):
        return Entry.objects.none()
    later = Entry.objects.filter(matter=OuterRef("matter"), person_id=actor.person_id, id__gt=OuterRef("id"))
    return Entry.objects.filter(~Exists(later), person_id=actor.person_id).select_related("matter")


def seen_again(actor: Actor, ids: Iterable[int]) -> list[Matter]:
    """Those matters of a list of ids that the actor still sees, in the order of the list."""
    ids = list(ids)
    found = visible(actor).in_bulk(ids) if ids else {}
    return [found[one] for one in ids if one in found]


FEED_MOST, FEED_ENDED_DAYS = 500, 30
"""Events of a calendar of limits, and how long what ended stays in it as cancelled."""


@dataclass(frozen=True)
class Limits:
    """The calendar of a post: its matters with a limit, those that ended lately, and when the address was made."""

    desk: Desk
    running: list[Matter]
    ended: list[Matter]
    touched_at: datetime


def limits(token_digest: str) -> Limits:
    """What the calendar of an address shows: the address is the right to it. Raises NotThere.

    A post that nobody holds, or whose roles do no business any more, shows nothing.
    """
    found = Desk.objects.filter(token=token_digest).exclude(token="").first()
    if found is None:
        raise NotThere("没有这个日历，地址可能已经更换或停用。")
    post = directory.post(found.post_id)
    if post.person_id is None or not directory.does_business(post):
        return Limits(found, [], [], found.token_at)
    reader = _Reader(post.id, post.unit_id, post.roles, post.is_head)
    mine = Merged(Matter, tuple(_branches(reader, "mine", False))).filter(due_at__lt=NEVER)
    running = mine.order_by(*ORDER)[:FEED_MOST]
    since = now() - timedelta(days=FEED_ENDED_DAYS)
    ended = Merged(Matter, tuple(_branches(reader, "mine", True))).filter(closed_at__gte=since)
    shown = [*running, *ended.order_by(*CLOSED_ORDER)[: FEED_MOST - len(running)]]
    last = Entry.objects.filter(matter__in=[row.pk for row in shown]).aggregate(at=Max("at"))["at"]
    turned = [
        at for row in running for at in (row.warn_at, row.promised_at, row.legal_at) if at and at <= now()
    ]
    return Limits(
        found, running, shown[len(running) :], max([found.token_at, *turned, *([last] if last else [])])
    )


@dataclass(frozen=True)
class _Reader:
    """A post as the inbox "mine" needs it, without anybody signed in."""

    post_id: int
    unit_id: int
    roles: frozenset[str]
    is_head: bool


# Processes ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ProcessRow:
    """A process as listed: what is in force, and whether a draft waits for its second person."""

    process: Process
    release: Release
    kinds: tuple[str, ...]
    draft: Release | None


def processes(actor: Actor) -> list[ProcessRow]:
    """The processes in force. Every member of staff may read them."""
    policies.read_processes.require(actor)
    releases = Release.objects.filter(
        kind=RELEASE_KIND, state__in=[Release.IN_FORCE, Release.DRAFT]
    ).order_by("key", "number")
    drafts = {row.key: row for row in releases if row.state == Release.DRAFT}
    return [
        ProcessRow(
            process=by_release_id(row.pk),
            release=row,
            kinds=tuple(kind.title for kind in all_kinds().values() if kind.process == row.key),
            draft=drafts.get(row.key),
        )
        for row in releases
        if row.state == Release.IN_FORCE
    ]


def process_releases(actor: Actor, key: str) -> list[Release]:
    """All releases of a process, newest first. Raises NotThere."""
    policies.read_processes.require(actor)
    found = list(Release.objects.filter(kind=RELEASE_KIND, key=key).order_by("-number"))
    if not found:
        raise NotThere("没有这个流程。")
    return found


def open_under(actor: Actor, rows: list[Release]) -> int:
    """How many open matters run under these releases, at most `COUNT_LIMIT` + 1: a new one does not touch them."""
    policies.read_processes.require(actor)
    return bounded(Matter.objects.filter(release__in=[row.pk for row in rows], closed_at=None))


# Calendar -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Year:
    """A year of the working-day calendar: twelve months of weeks, each of seven days or None outside the month."""

    number: int
    months: tuple[tuple[tuple[Day | None, ...], ...], ...]
    workdays: int
    provisional: bool
    overrides: tuple[DayOverride, ...]


def calendar_year(actor: Actor, number: int) -> Year:
    """The days of a year as they count here. Raises NotThere outside the years that can be counted."""
    policies.read_calendar.require(actor)
    if not FIRST_YEAR < number < LAST_YEAR:
        raise NotThere(f"工作日历只能查看 {FIRST_YEAR + 1}—{LAST_YEAR - 1} 年。")
    calendar = counting.work_calendar(fresh=True)
    days = {
        (day := date(number, 1, 1) + timedelta(days=n)): calendar.is_workday(day)
        for n in range(365 + isleap(number))
    }
    months = tuple(
        tuple(tuple(days.get(day) if day.month == month else None for day in week) for week in weeks)
        for month in range(1, 13)
        for weeks in [Calendar().monthdatescalendar(number, month)]
    )
    return Year(
        number=number,
        months=months,
        workdays=sum(day.workday for day in days.values()),
        provisional=any(day.provisional for day in days.values()),
        overrides=tuple(DayOverride.objects.filter(date__year=number).order_by("date")),
    )


def needs_of(matter_ids: Iterable[int]) -> dict[int, list[int]]:
    """Which matters each of these waits for (前置), by id. The caller has made sure that they may be seen."""
    found: dict[int, list[int]] = {}
    rows = Link.objects.filter(matter__in=list(matter_ids), kind=Link.NEEDS).values_list("matter", "to")
    for matter_id, to_id in rows.order_by("id"):
        found.setdefault(matter_id, []).append(to_id)
    return found


def due(actor: Actor, since: date, workdays: int) -> Due:
    """The day that lies so many working days after another, which is not counted. Raises NoSuchWorkday."""
    policies.read_calendar.require(actor)
    return counting.work_calendar(fresh=True).add(since, workdays)


def workdays_between(actor: Actor, since: date, until: date) -> int:
    """The working days after a day up to and including another; negative backwards. Raises NoSuchWorkday."""
    policies.read_calendar.require(actor)
    return counting.work_calendar(fresh=True).between(since, until)


# What failed ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TimerState:
    """Timers that failed: ``retrying`` are tried again, ``dead`` were given up. For metrics, `doctor` and the page."""

    retrying: int
    dead: int


@dataclass(frozen=True)
class FailedTimer:
    """A timer that failed as the page shows it: names of the process, and the matter as far as the actor may see it."""

    timer: Timer
    key: str
    process: str
    title: str
    step: str
    state: str
    thing: tuple[str, str]


def _failed() -> QuerySet:
    return Timer.objects.filter(fired_at=None, attempts__gt=0)


def timer_state() -> TimerState:
    """Count now."""
    return TimerState(_failed().filter(dead_at=None).count(), _failed().exclude(dead_at=None).count())


def given_up_timers(actor: Actor) -> int:
    """How many were given up, at most `COUNT_LIMIT` + 1; 0 for who may not see them."""
    return bounded(_failed().exclude(dead_at=None)) if operate(actor) else 0


def failed_timers(actor: Actor, *, state: str = "dead") -> QuerySet:
    """Timers that failed: ``state`` is dead (given up) or retrying. Raises Denied."""
    operate.require(actor)
    rows = _failed().select_related("matter")
    return rows.filter(dead_at=None) if state == "retrying" else rows.exclude(dead_at=None)


def failed_timer_rows(actor: Actor, rows: Iterable[Timer]) -> list[FailedTimer]:
    """What the page needs of each row."""
    rows = list(rows)
    things = describe({row.matter.ref for row in rows}, actor)
    found = []
    for row in rows:
        process = by_release_id(row.matter.release_id)
        rule = process.timers[row.name]
        step = process.flow.transitions[rule.step].title if rule.step else ""
        state = process.flow.states[row.matter.state].title
        thing = things[row.matter.ref]
        found.append(FailedTimer(row, process.key, process.title, rule.title, step, state, thing))
    return found
