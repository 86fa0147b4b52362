"""On behalf (窗口代办): for whom something is applied, and on what ground, whether a resident or a clerk at a window asks.

A clerk does for whoever is being served at his window what that person would do online: within what the scan of this
ticket says, and only until it ends. Who came as an agent is asked for the mandate at every step.
"""

from dataclasses import dataclass

from django.utils.dateparse import parse_datetime

from liangzhu.beams.people.codes import api as codes
from liangzhu.beams.people.directory.api import does_business
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.people.residents.api import Resident
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Problem, StepNotAllowed
from liangzhu.kernel.now import SHANGHAI, now, today
from liangzhu.kernel.once import once
from liangzhu.kernel.refs import Ref
from liangzhu.pillars.services.halls import Serving
from liangzhu.pillars.services.models import Application, Ticket

REAL_NAME = 2
"""The level of assurance (实名等级) at which the province has checked the identity card itself."""


class NobodyServed(Problem):
    """Nobody who is known is being served at the clerk's window."""

    code, title, status = "nobody_served", "窗口上没有核验过的人", 409
    todo = "请先叫号，扫服务码或者凭证件核验，再开始办理。"


class NotRegistered(Problem):
    """The document that was looked at belongs to nobody whom the register knows."""

    code, title, status = "not_registered", "这个人还没有登记", 409
    todo = "请先请登记管理员登记，或者请对方出示服务码：省里确认身份以后自动登记。"


@dataclass(frozen=True)
class Applying:
    """For whom one applies and on what ground. ``identified`` says how the identity was checked, "" where it was not."""

    principal: Ref
    mandate_id: int | None
    channel: str
    identified: str
    scan_id: int | None = None
    consented: dict[str, frozenset[str]] | None = None


def at_counter(actor: Actor) -> bool:
    """Whether somebody works at windows at all."""
    return actor.signed_in and actor.has(codes.WINDOW) and does_business(actor)


def ticket_of(actor: Actor) -> Ticket | None:
    """The number that stands at a clerk's window."""
    return (
        Ticket.objects.select_related("day", "appointment")
        .filter(clerk=str(actor.ref), state__in=Ticket.AT_WINDOW)
        .first()
    )


def serving(actor: Actor) -> Serving | None:
    """Who stands at a clerk's window and was identified for this very ticket; None where nobody is, or nobody was asked yet."""
    if not at_counter(actor):
        return None
    return once(("services.serving", str(actor.ref)), lambda: _serving(actor))


def _serving(actor: Actor) -> Serving | None:
    ticket = ticket_of(actor)
    if ticket is None or ticket.state != Ticket.SERVING:
        return None
    view = codes.good_scan(actor, ticket.ref)
    if view is None:
        return None
    row = view.row
    own = bool(view.shown.get("bearer"))
    return Serving(
        ticket=ticket.ref,
        number=ticket.number,
        business=ticket.business,
        holder=row.holder,
        holder_kind=row.holder_kind,
        agent=None if own else row.shown_by,
        came=row.shown_by or row.holder,
        name=view.shown.get("holder", ""),
        agent_name=view.shown.get("agent") or view.shown.get("bearer") or "",
        mandate_id=row.mandate_id,
        until=parse_datetime(view.shown.get("until") or ""),
        by_document=row.way == row.BY_HAND,
        consented=tuple(row.consented.split()),
        scan_id=row.pk,
    )


def trouble(served: Serving, scope: registers.Scope | None = None) -> str:
    """Why an agent may not do this (None: anything at all) for the other, by name and day; "" where nothing is against it."""
    if served.agent is None or served.holder is None:
        return ""
    if served.mandate_id is None:
        if served.until is None or now() < served.until:
            return ""
        return f"{_names(served)}已于 {served.until.astimezone(SHANGHAI):%Y-%m-%d %H:%M} 终止。"
    row = registers.Mandate.objects.select_related("parent").get(pk=served.mandate_id)
    if row.in_force(today()):
        # Another mandate may reach what the one that was found at the scan does not.
        if scope is None or row.covers(scope) or registers.may_act(served.agent, served.holder, scope):
            return ""
        return f"{_names(served)}（编号 {row.pk}）不包括这一件。"
    if scope is not None and registers.may_act(served.agent, served.holder, scope):
        return ""
    ended = min((end for end in (row.ended_on, row.valid_to) if end), default=today())
    return f"{_names(served)}（编号 {row.pk}）已于 {ended.isoformat()} 终止（{row.get_end_reason_display() or '到期'}）。"


def _names(served: Serving) -> str:
    names = registers.party_names({str(served.agent), str(served.holder)})
    who, whom = names.get(str(served.agent), "代办人"), names.get(str(served.holder), "被代理人")
    return f"{who}为{whom}办事的授权"


def stands_for(actor: Actor, whom: Ref | str) -> bool:
    """Whether a clerk serves that very person or enterprise now."""
    served = serving(actor)
    return (
        served is not None
        and served.holder is not None
        and str(whom) in registers.family(str(served.holder))
        and not trouble(served)
    )


residents.let_stand("services.counter", stands_for)


def reaches(actor: Actor, row: Application) -> bool:
    """Whether an application is one that a clerk may go on with: made at a window, for whoever is being served."""
    served = serving(actor)
    return (
        row.channel == Application.COUNTER
        and served is not None
        and served.holder is not None
        and row.applicant in registers.family(str(served.holder))
        and not trouble(served, registers.Scope(kind=row.bundle, case=str(row.ref)))
    )


def applying(actor: Actor, *, kind: str, title: str, case: str = "") -> Applying:
    """For whom an actor applies for something. Raises StepNotAllowed, NobodyServed, NotRegistered."""
    if isinstance(actor, Resident):
        if not actor.may(kind=kind, case=case):
            raise StepNotAllowed(
                f"您的授权不包括“{title}”。", todo="请委托您的人补充授权，或者切换为本人办理。"
            )
        known = "登录时已经实名核验" if actor.assurance >= REAL_NAME else ""
        return Applying(actor.principal, actor.mandate_id, Application.ONLINE, known)
    served = serving(actor)
    if served is None:
        raise NobodyServed()
    if served.holder is None:
        raise NotRegistered()
    if why := trouble(served, registers.Scope(kind=kind, case=case)):
        raise StepNotAllowed(why, todo="请本人来办，或者请对方重新授权，再扫一次码。")
    consented: dict[str, frozenset[str]] = {}
    for one in served.consented:
        source, _, names = one.partition(":")
        consented[source] = frozenset(names.split(","))
    known = "窗口已经核对证件原件" if served.by_document else "窗口扫服务码已经核验"
    return Applying(served.holder, served.mandate_id, Application.COUNTER, known, served.scan_id, consented)
