"""Navigation: apps register their entries, the shells draw those that the present actor may open.

The registry stands here because the shells are above every app and the apps above the kernel: an entry names its route,
and nobody imports a page.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.http import HttpRequest
from django.urls import reverse

from liangzhu.kernel.actors import Actor
from liangzhu.kernel.policies import get_policy

FACES = ("portal", "workbench", "command", "my")
"""The three faces, and ``my``: the list on the page that residents have of their own.
"""


@dataclass(frozen=True)
class Entry:
    """A registered entry. ``count(actor)`` gives the figure beside it, None or 0 for none; ``when(actor)`` whether there
    is anything to find behind it."""

    face: str
    group: str
    label: str
    url: str
    order: int
    policy: str | None
    count: Callable[[Actor], int | None] | None
    icon: str
    when: Callable[[Actor], bool] | None = None


@dataclass(frozen=True)
class Item:
    """An entry as the present actor sees it."""

    label: str
    url: str
    count: int | None
    current: bool
    icon: str


@dataclass
class Group:
    """Entries under one heading; the heading may be empty."""

    label: str
    items: list[Item] = field(default_factory=list)


_entries: dict[tuple[str, str], Entry] = {}


def nav(
    *,
    face: str,
    label: str,
    url: str,
    group: str = "",
    order: int = 100,
    policy: str | None = None,
    count: Callable[[Actor], int | None] | None = None,
    icon: str = "",
    when: Callable[[Actor], bool] | None = None,
) -> None:
    """Register an entry: ``nav(face="workbench", group="计划", label="任务台账", url="programme:ledger", order=10, …)``.

    ``url`` is a route name without arguments, ``policy`` the name of the policy that opens it (None: open to everybody).
    ``when`` hides an entry that the policy opens but that would lead to an empty tool: asked on every page, so one EXISTS
    at most; entries that share the function share the answer. Lists that fill with the person's own work (an inbox, notices) stay: empty, they say what would be there.
    Raises ValueError for an unknown face and for a route registered twice on one face.
    """
    if face not in FACES:
        raise ValueError(f"unknown face {face!r}; one of {', '.join(FACES)}")
    if (face, url) in _entries:
        raise ValueError(f"navigation entry {url} is registered twice on {face}")
    _entries[face, url] = Entry(face, group, label, url, order, policy, count, icon, when)


def entries(face: str | None = None) -> list[Entry]:
    """Registered entries, of one face or of all, in their order."""
    chosen = [entry for entry in _entries.values() if face in (None, entry.face)]
    return sorted(chosen, key=lambda entry: (entry.order, entry.label))


def items(face: str, actor: Actor, request: HttpRequest | None = None) -> list[Group]:
    """What the actor may open on a face, grouped; a group stands where its first entry stands.

    The entry whose address is the longest beginning of the request's path is the current one.
    """
    allowed = [e for e in entries(face) if e.policy is None or get_policy(e.policy)(actor)]
    filled = {when: when(actor) for when in {entry.when for entry in allowed} if when is not None}
    allowed = [entry for entry in allowed if entry.when is None or filled[entry.when]]
    addresses = {entry.url: reverse(entry.url) for entry in allowed}
    path = request.path if request else ""
    here = max((a for a in addresses.values() if _leads_to(a, path)), key=len, default=None)
    groups: dict[str, Group] = {}
    for entry in allowed:
        address = addresses[entry.url]
        count = entry.count(actor) if entry.count else None
        group = groups.setdefault(entry.group, Group(entry.group))
        group.items.append(Item(entry.label, address, count or None, address == here, entry.icon))
    return list(groups.values())


def _leads_to(address: str, path: str) -> bool:
    """Whether ``path`` is the page at ``address`` or lies under it; the front page leads to itself only."""
    if address == "/":
        return path == "/"
    return path == address or path.startswith(address.rstrip("/") + "/")
