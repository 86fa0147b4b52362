"""The list column of the inbox: what an address asks for, and the rows it gives."""

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.urls import reverse

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import policies, processes, queries
from liangzhu.beams.work.matters.kinds import all_kinds
from liangzhu.beams.work.matters.lights import RUNNING, WORDS
from liangzhu.beams.work.matters.models import Matter, View
from liangzhu.beams.work.matters.nav import shown
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.paging import Page, page
from liangzhu.kernel.refs import Ref, describe

FILTERS = ("kind", "state", "light", "unit", "urgency", "from", "to", "applicant", "q")
SETTINGS = ("scope", "closed", "order", *FILTERS, "cols")
"""What of an address says which list it is."""

LIST = (*SETTINGS, "view", "after", "before")
"""What of an address belongs to the list, and goes along when a matter is opened from it."""

COLUMNS = {
    "number": "编号",
    "kind": "种类",
    "state": "状态",
    "unit": "承办单位",
    "assignee": "承办人",
    "opened": "登记日期",
    "due": "到期日",
}
"""What a row may say below its title."""

USUAL = {
    "mine": ("kind", "state"),
    "unit": ("kind", "state", "assignee"),
    "helping": ("kind", "state", "unit"),
    "all": ("kind", "state", "unit"),
}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def read_filters(given: QueryDict) -> queries.Filters:
    """The filters of an address; what cannot be read is left out."""
    kind, light, urgency = given.get("kind", ""), given.get("light", ""), _number(given.get("urgency", ""))
    applicant = given.get("applicant", "")
    return queries.Filters(
        kind=kind if kind in all_kinds() else "",
        state=given.get("state", "")[:40],
        light=light if light in LIGHTS else "",
        unit=_number(given.get("unit", "")),
        urgency=urgency if urgency in dict(Matter.URGENCIES) else None,
        opened_from=_day(given.get("from", "")),
        opened_to=_day(given.get("to", "")),
        applicant=applicant[:80] if ":" in applicant else "",
        text=given.get("q", "").strip()[:100],
    )


def write_filters(filters: queries.Filters) -> dict[str, str]:
    """Filters as they stand in an address."""
    pairs = {
        "kind": filters.kind,
        "state": filters.state,
        "light": filters.light,
        "unit": filters.unit,
        "urgency": filters.urgency,
        "from": filters.opened_from,
        "to": filters.opened_to,
        "applicant": filters.applicant,
        "q": filters.text,
    }
    return {name: str(value) for name, value in pairs.items() if value not in ("", None)}


def address_of(view: View) -> str:
    """The address of a saved view."""
    asked = {"scope": view.scope} | write_filters(queries.filters_of(view))
    asked |= {"closed": "1"} if view.closed else {}
    asked |= {"order": "new"} if view.newest else {}
    asked |= {"cols": view.columns} if view.columns else {}
    return f"{reverse('matters:inbox')}?{urlencode(asked | {'view': view.pk})}"


LIGHTS = {name: WORDS[name] for name in (*RUNNING, "paused", "none")}
"""The lights one can ask for."""


@dataclass
class Listing:
    """The list column: one inbox, filtered, one page of it. It looks the same beside a matter as alone."""

    request: HttpRequest
    open_id: int | None = None

    @property
    def actor(self) -> Actor:
        """Who looks."""
        return self.request.actor

    @cached_property
    def counts(self) -> dict[str, int]:
        """The size of each inbox, bounded."""
        return queries.sizes(self.actor)

    def sizes(self, lights: tuple[str, ...]) -> dict[str, int]:
        """How many of this inbox show each light, bounded."""
        return queries.sizes_by_light(self.actor, self.scope, lights)

    @cached_property
    def scope(self) -> str:
        """The inbox asked for; without one the first that is not empty."""
        asked = self.request.GET.get("scope", "")
        if asked in queries.SCOPES:
            return asked
        return next((name for name in ("mine", "unit", "helping") if self.counts[name]), "mine")

    @property
    def closed(self) -> bool:
        """Whether the finished ones are asked for."""
        return self.request.GET.get("closed") == "1"

    @property
    def newest(self) -> bool:
        """Whether the newest shall stand first. Only where an index has that order: my own, and my unit's."""
        return self.request.GET.get("order") == "new" and self.scope in ("mine", "unit") and not self.closed

    @cached_property
    def filters(self) -> queries.Filters:
        """What narrows the inbox."""
        found = read_filters(self.request.GET)
        # What is finished has no running light.
        return replace(found, light="") if self.closed else found

    @property
    def lights_by_name(self) -> dict[str, str]:
        """The lights one can ask for."""
        return LIGHTS

    @property
    def found(self) -> queries.Merged:
        """Every row of the list, unordered."""
        return queries.inbox(self.actor, self.scope, filters=self.filters, closed=self.closed)

    @property
    def order(self) -> tuple[str, ...]:
        """In which order."""
        return queries.CLOSED_ORDER if self.closed else queries.NEWEST_ORDER if self.newest else queries.ORDER

    @cached_property
    def page(self) -> Page:
        """The rows of this page, as `queries.Row`."""
        rows = page(self.found, self.request, self.order)
        unit = self.actor.unit_id if self.scope == "helping" and not self.closed else None
        return Page(queries.rows(rows, unit), rows.next, rows.previous)

    @property
    def filtered(self) -> bool:
        """Whether anything narrows the inbox."""
        return bool(self.filters)

    @property
    def further(self) -> bool:
        """Whether anything narrows it that stands among the further conditions."""
        plain = replace(self.filters, text="")
        return bool(plain) or self.closed or self.newest or bool(self.request.GET.get("cols"))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """What each row says below its title."""
        asked = ",".join(self.request.GET.getlist("cols")).split(",")
        return tuple(name for name in COLUMNS if name in asked) or USUAL[self.scope]

    @property
    def column_choices(self) -> list[tuple[str, str, bool]]:
        """Every column with whether it is shown."""
        return [(name, title, name in self.columns) for name, title in COLUMNS.items()]

    @property
    def scopes(self) -> list[dict]:
        """The inboxes with their sizes."""
        return [
            {
                "name": name,
                "title": queries.SCOPES[name],
                "count": shown(count),
                "url": f"{reverse('matters:inbox')}?scope={name}",
                "on": name == self.scope and not self.view_id,
            }
            for name, count in self.counts.items()
        ]

    @property
    def view_id(self) -> int | None:
        """The saved view that is open."""
        return _number(self.request.GET.get("view", ""))

    @cached_property
    def views(self) -> list[dict]:
        """The saved views as tabs."""
        return [
            {"title": row.name, "url": address_of(row), "on": row.pk == self.view_id, "shared": row.shared}
            for row in queries.views(self.actor)
        ]

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """The kinds one can ask for."""
        return [(kind.key, kind.title) for kind in all_kinds().values()]

    @property
    def states(self) -> list[tuple[str, str]]:
        """The states of the kind that is asked for; without a kind none, because names mean different things."""
        if not self.filters.kind:
            return []
        process = processes.process_in_force(all_kinds()[self.filters.kind].process)
        return [(state.name, state.title) for state in process.flow.states.values()]

    @property
    def units(self) -> list[tuple[int, str]]:
        """The units one can ask for: where one sees more than the own unit's."""
        if self.scope not in ("all", "helping"):
            return []
        return [(unit.id, unit.short) for unit in directory.units().all()]

    @property
    def urgencies(self) -> list[tuple[int, str]]:
        """The degrees of urgency."""
        return Matter.URGENCIES

    @property
    def applicant(self) -> str:
        """Who is asked for as applicant, in words."""
        try:
            ref = Ref.parse(self.filters.applicant)
        except ValueError:
            return ""
        return describe([ref], self.actor)[ref][0]

    @property
    def may_share(self) -> bool:
        """Whether the actor may give views to the unit."""
        return policies.share_views(self.actor)

    @cached_property
    def may_choose(self) -> bool:
        """Whether rows can be chosen for a step in bulk."""
        return not self.closed and self.open_id is None and self.scope in ("mine", "unit", "all")

    @cached_property
    def carried(self) -> str:
        """What of the present address belongs to the list."""
        return urlencode(
            [(name, value) for name in LIST for value in self.request.GET.getlist(name) if value]
        )

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The same as pairs, for forms that send it along."""
        return [("scope", self.scope)] + [
            (name, value)
            for name in LIST
            if name != "scope"
            for value in self.request.GET.getlist(name)
            if value
        ]

    @cached_property
    def kept(self) -> set[int]:
        """The matters that are ticked when the list appears."""
        return {int(one) for one in self.request.GET.getlist("ids") if _number(one) is not None}

    @property
    def settings(self) -> str:
        """What of the present address says which list it is: without the page, and without the view it came from."""
        given = {name: self.request.GET.get(name) for name in SETTINGS if name not in ("scope", "cols")}
        chosen = {"cols": ",".join(self.columns)} if self.request.GET.get("cols") else {}
        return urlencode({"scope": self.scope} | {n: v for n, v in given.items() if v} | chosen)

    @cached_property
    def query(self) -> str:
        """What goes along in the address of a matter, so that the list stays."""
        return (
            self.carried
            if self.request.GET.get("scope")
            else f"scope={self.scope}&{self.carried}".rstrip("&")
        )

    @cached_property
    def names(self) -> dict[int, str]:
        """Who holds the posts of the own unit, for rows that say to whom they are assigned."""
        if "assignee" not in self.columns or not any(row.matter.assignee_id for row in self.page):
            return {}
        return {post.id: post.person_name for post in directory.posts(self.actor.unit_id)}
