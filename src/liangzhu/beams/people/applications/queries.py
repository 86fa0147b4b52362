"""What is read of applications, each scoped to who asks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.db.models import Count, Q

from liangzhu.beams.people.applications import declared, people, policies, provider
from liangzhu.beams.people.applications.declared import Declared
from liangzhu.beams.people.applications.models import Declaration, DepartmentApplication, Notice, SignOn
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.directory.api import Staff
from liangzhu.beams.people.residents.api import Resident
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.refs import register_ref


@dataclass(frozen=True)
class Tile:
    """An application as those see it for whom it is."""

    row: DepartmentApplication
    said: Declared
    url: str
    unit: str
    signed_in: bool = False

    @property
    def down(self) -> bool:
        """Whether it does not answer now."""
        return self.row.health == self.row.DOWN


def for_whom(actor: Actor, said: Declared) -> bool:
    """Whether an application is for somebody, as he acts now."""
    if isinstance(actor, Resident):
        return said.enterprises if actor.organisation else said.residents
    return isinstance(actor, Staff) and said.for_post(actor.unit_id, actor.roles)


def tiles(actor: Actor) -> list[Tile]:
    """The applications that one may open, by category and name."""
    (policies.open_own if isinstance(actor, Resident) else policies.open_applications).require(actor)
    rows = DepartmentApplication.objects.filter(state=DepartmentApplication.PUBLISHED).order_by("title", "pk")
    mine = [(row, said) for row in rows if for_whom(actor, said := declared.by_id(row.current_id))]
    inside = set()
    if isinstance(actor, Resident):
        own = SignOn.objects.filter(resident=actor.account_id, session=actor.session_id, ended_at=None)
        inside = set(own.values_list("application", flat=True))
    order = list(declared.CATEGORIES)
    found = [
        Tile(row, said, _entrance(said), directory.unit_name(row.unit_id), row.pk in inside)
        for row, said in mine
    ]
    return sorted(found, key=lambda one: (order.index(one.said.category), one.said.title))


def _entrance(said: Declared) -> str:
    """The address to open an application at; it is told who sent it (OpenID Connect Core 1.0 §4)."""
    parts = urlsplit(said.start_url)
    query = "&".join(part for part in (parts.query, urlencode({"iss": provider.issuer()})) if part)
    return urlunsplit(parts._replace(query=query))


@dataclass(frozen=True)
class Line:
    """An application in the register."""

    row: DepartmentApplication
    unit: str
    waiting: Declaration | None
    to_review: bool


def register(actor: Actor) -> list[Line]:
    """The applications of the own unit, and for a reviewer all; what waits for him first."""
    policies.read.require(actor)
    rows = DepartmentApplication.objects.order_by("title", "pk")
    if not actor.has("applications.reviewer"):
        rows = rows.filter(unit__in=_units_of(actor))
    waiting = {
        one.application_id: one
        for one in Declaration.objects.filter(state=Declaration.WAITING, application__in=rows)
    }
    found = [
        Line(
            row,
            directory.unit_name(row.unit_id),
            waiting.get(row.pk),
            row.pk in waiting and _may_review(actor, row, waiting[row.pk]),
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (not one.to_review, one.row.state == one.row.WITHDRAWN))


def _units_of(actor: Staff) -> list[int]:
    """The own unit and those that it took over from."""
    known = DepartmentApplication.objects.values_list("unit", flat=True).distinct()
    return [one for one in known if one == actor.unit_id or directory.successor(one) == actor.unit_id]


def _may_review(actor: Actor, row: DepartmentApplication, version: Declaration) -> bool:
    return policies.review(actor, row) and version.made_by != str(actor.ref)


def waiting_count(actor: Actor) -> int:
    """How many declarations wait for a reviewer."""
    if not policies.review(actor):
        return 0
    return (
        Declaration.objects.filter(state=Declaration.WAITING)
        .exclude(Q(application__unit=actor.unit_id) | Q(made_by=str(actor.ref)))
        .count()
    )


@dataclass(frozen=True)
class View:
    """One application as its keepers and reviewers see it."""

    row: DepartmentApplication
    unit: str
    said: Declared | None
    lines: list[tuple[str, str]]
    versions: list[Declaration]
    waiting: Declaration | None
    difference: list[tuple[str, str, str]]
    may_change: bool
    may_review: bool
    may_withdraw: bool
    open_now: int
    last_90: int
    owed: int


def application(actor: Actor, application_id: int) -> View:
    """One application. Raises NotThere, also for that of another unit."""
    row = DepartmentApplication.objects.filter(pk=application_id).first()
    if row is None or not policies.read(actor, row):
        raise NotThere("没有找到这个应用。")
    versions = list(row.declarations.order_by("-number")[:50])
    waiting = next((one for one in versions if one.state == Declaration.WAITING), None)
    current = declared.by_id(row.current_id) if row.current_id else None
    shown = current or declared.of(versions[0])
    counts = SignOn.objects.filter(application=row).aggregate(
        open=Count("pk", filter=Q(ended_at=None)), all=Count("pk")
    )
    return View(
        row,
        directory.unit_name(row.unit_id),
        shown,
        [(label, text) for label, text in declared.lines(shown) if text],
        versions,
        waiting,
        declared.difference(current, declared.of(waiting)) if waiting else [],
        policies.register(actor, row) and row.state != row.WITHDRAWN,
        waiting is not None and _may_review(actor, row, waiting),
        policies.withdraw(actor, row) and row.state == row.PUBLISHED,
        counts["open"],
        counts["all"],
        Notice.objects.filter(sign_on__application=row, told_at=None).count(),
    )


def latest(actor: Actor, application_id: int) -> Declared:
    """What stands in the form for a change: the latest that was declared. Raises NotThere."""
    view = application(actor, application_id)
    return declared.of(view.versions[0])


@dataclass(frozen=True)
class Inside:
    """An application in which a resident is signed in."""

    row: DepartmentApplication
    since: datetime


def signed_in(actor: Resident) -> list[Inside]:
    """The applications in which one is signed in now, from any device."""
    policies.open_own.require(actor)
    rows = (
        SignOn.objects.filter(resident=actor.account_id, ended_at=None)
        .select_related("application")
        .order_by("application__title", "at")
    )
    first: dict[int, Inside] = {}
    for one in rows:
        first.setdefault(one.application_id, Inside(one.application, one.at))
    return list(first.values())


# For the provider, which speaks for applications that proved themselves or show a token ---------------------------------


def by_client_id(client_id: str) -> DepartmentApplication | None:
    """The application of that name, if it was ever published: to leave one that is withdrawn is no secret."""
    return DepartmentApplication.objects.filter(client_id=client_id[:40], current__isnull=False).first()


def sign_on(sign_on_id: int) -> SignOn | None:
    """The sign-in that a token of ours names."""
    rows = SignOn.objects.select_related("application", "account__person")
    return rows.filter(pk=sign_on_id).first()


def claims(actor: Actor, row: SignOn) -> dict:
    """What an application is told of who signed in to it, with the reasons that it registered in the trail."""
    policies.use_tokens.require(actor, row)
    said = declared.by_id(row.application.current_id)
    why = "；".join(said.scopes[name] for name in row.names if name in said.scopes)
    return people.claims(
        actor, row, (f"登录应用“{said.title}”：{why}" if why else f"登录应用“{said.title}”")[:200]
    )


def has_sign_on(application: DepartmentApplication, sign_on_id: int) -> bool:
    """Whether a sign-in is one to that application."""
    return SignOn.objects.filter(pk=sign_on_id, application=application).exists()


# References -----------------------------------------------------------------------------------------------------------


def _application_refs(ids: Iterable[str], actor: Actor) -> dict[str, tuple[str, str]]:
    """The names of applications are public."""
    numbers = [int(one) for one in ids if one.isdecimal()]
    rows = DepartmentApplication.objects.filter(pk__in=numbers).values_list("pk", "title")
    return {str(pk): (f"应用“{title}”", "") for pk, title in rows}


def _sign_on_refs(ids: Iterable[str], actor: Actor) -> dict[str, tuple[str, str]]:
    """A sign-in is named by its application."""
    numbers = [int(one) for one in ids if one.isdecimal()]
    rows = SignOn.objects.filter(pk__in=numbers).values_list("pk", "application__title")
    return {str(pk): (f"登录“{title}”", "") for pk, title in rows}


register_ref("department_application", "部门应用", _application_refs)
register_ref("sign_on", "应用登录", _sign_on_refs)
