"""A matter as whoever applied for it sees it: where it is, until when, in whose hands; nothing of the office's own notes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.work.matters import queries, showing
from liangzhu.beams.work.matters.kinds import all_kinds, kind_of
from liangzhu.beams.work.matters.lights import Light, light
from liangzhu.beams.work.matters.models import Entry, Matter
from liangzhu.beams.work.matters.process import by_release_id
from liangzhu.kernel.actions import Act
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import on_forget

SHOWN = 5
"""Open matters on the front page; the rest stand in the list."""


@dataclass(frozen=True)
class Step:
    """A change of state, as it is told to the applicant."""

    at: datetime
    title: str


@dataclass(frozen=True)
class OwnMatter:
    """One matter: ``path`` for `{% path %}`, ``holder`` is the office whose turn it is ("" when it is over)."""

    matter: Matter
    kind: str
    state: str
    light: Light
    holder: str
    path: list[dict]
    steps: list[Step]
    url: str


def own(rows: Iterable[Matter]) -> list[OwnMatter]:
    """Matters as their applicant sees them; one query for all their histories. The caller has them from `own_matters`."""
    rows = list(rows)
    entries: dict[int, list[Entry]] = {}
    told = Entry.objects.filter(matter__in=rows, part=None).only("matter_id", "at", "to_state", "from_state")
    for entry in told.order_by("id") if rows else ():
        entries.setdefault(entry.matter_id, []).append(entry)
    found, kinds = [], all_kinds()
    for row in rows:
        flow = by_release_id(row.release_id).flow
        past = entries.get(row.pk, [])
        lines = [
            SimpleNamespace(entry=SimpleNamespace(to_state=one.to_state, at=one.at, part_id=None))
            for one in past
        ]
        moves = [
            Step(one.at, flow.states[one.to_state].title)
            for one in past
            if one.to_state in flow.states and one.to_state != one.from_state
        ]
        found.append(
            OwnMatter(
                row,
                kinds[row.kind].title,
                flow.states[row.state].title,
                light(row),
                directory.unit_name(row.holding_unit_id) if row.is_open else "",
                showing.path(row, flow, lines),
                moves,
                kinds[row.kind].own_url_of(row),
            )
        )
    return found


def _panel(actor: residents.Resident) -> dict:
    """What is under way, for the front page of residents."""
    rows = list(queries.own_matters(actor).filter(closed_at=None, parent=None).order_by("-id")[: SHOWN + 1])
    return {"matters": own(rows[:SHOWN]), "more": len(rows) > SHOWN}


residents.add_panel("matters.own", order=10, template="matters/own_panel.html", context=_panel)


def tell_applicant(matter: Matter, key: str, word: str) -> None:
    """Send the applicant a message about a matter; a matter below another is told of there."""
    if matter.applicant and matter.parent_id is None:
        kind = kind_of(matter.kind)
        residents.tell(
            [Ref.parse(matter.applicant)],
            key=key,
            title=f"{word}：{matter.title}",
            text=f"{kind.title} {matter.number}",
            url=kind.own_url_of(matter),
            about=matter.ref,
        )


def _forget_messages(act: Act, matter: Matter) -> dict[str, int]:
    return {"messages": residents.forget_about(matter.ref)}


on_forget(Matter, _forget_messages)
