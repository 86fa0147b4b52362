"""What a clerk sees of whoever is being served: what was begun at windows, what can be collected, the papers to print."""

from dataclasses import dataclass

from django.urls import reverse

from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.trust.certificates import api as certificates
from liangzhu.beams.work.files import api as files
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.pillars.services import behalf, policies
from liangzhu.pillars.services.halls import Serving
from liangzhu.pillars.services.models import Application, Case
from liangzhu.pillars.services.queries import cases

SHOWN = 20


def served(actor: Actor) -> Serving:
    """Who is being served. Raises NobodyServed, NotRegistered."""
    policies.counter.require(actor)
    found = behalf.serving(actor)
    if found is None:
        raise behalf.NobodyServed()
    if found.holder is None:
        raise behalf.NotRegistered()
    return found


def application(actor: Actor, pk: int) -> Application:
    """An application of whoever is being served, made at a window. Raises NobodyServed, NotRegistered, NotThere."""
    served(actor)
    row = Application.objects.select_related("matter").filter(pk=pk).first()
    if row is None or not policies.own_application(actor, row):
        raise NotThere(
            "没有找到这项申办，或者不是正在办理的人在窗口办的。", todo="请核对号和人，重新扫码后再打开。"
        )
    return row


def begun(actor: Actor) -> list[Application]:
    """What was begun at windows for whoever is being served, the newest first."""
    holder = served(actor).holder
    rows = Application.objects.filter(
        applicant__in=registers.family(str(holder)), channel=Application.COUNTER
    ).select_related("matter")
    return [row for row in rows.order_by("-id")[:SHOWN] if policies.own_application(actor, row)]


def collectable(actor: Actor) -> list[Application]:
    """What is decided and waits to be handed out to whoever is being served, applied for online or not."""
    found = behalf.serving(actor)
    if found is None or found.holder is None:
        return []
    rows = Application.objects.filter(
        applicant__in=registers.family(str(found.holder)), matter__state="handing_out"
    ).select_related("matter")
    return [row for row in rows.order_by("id")[:SHOWN] if policies.collect(actor, row)]


@dataclass(frozen=True)
class Result:
    """Something to collect: the decisions, and whether this clerk's unit hands it out, else why not."""

    row: Application
    cases: list[Case]
    against: str


def results(actor: Actor) -> list[Result]:
    """What can be collected, with what is handed out."""
    served(actor)
    found = []
    for row in collectable(actor):
        steps = {one.step.name: one.blocked for one in matters.transitions(row.matter, actor)}
        against = steps.get("hand_out", "由受理这件事的综合窗口出件。")
        found.append(Result(row, list(row.cases.exclude(outcome="").order_by("id")), against))
    return found


@dataclass(frozen=True)
class CaseAtCounter:
    """A case of a sent application: where it is, its papers, whether the window accepts it."""

    view: cases.CaseView
    may_accept: bool
    against: str
    url: str


def sent(actor: Actor, row: Application) -> list[CaseAtCounter]:
    """The cases of a sent application."""
    seen = set(
        matters.visible(actor)
        .filter(pk__in=row.cases.exclude(matter=None).values("matter"))
        .values_list("pk", flat=True)
    )
    found = []
    for view in cases.progress(actor, row):
        steps = {one.step.name: one.blocked for one in matters.transitions(view.case.matter, actor)}
        found.append(
            CaseAtCounter(
                view,
                "accept" in steps and not steps["accept"],
                steps.get("accept", ""),
                reverse("matters:matter", args=[view.case.matter_id]) if view.case.matter_id in seen else "",
            )
        )
    return found


def paper(actor: Actor, pk: int, case_id: int, paper_id: int) -> files.Attachment:
    """A paper of a case of whoever is being served, as PDF. Raises NotThere."""
    row = application(actor, pk)
    case = row.cases.select_related("matter").filter(pk=case_id).exclude(matter=None).first()
    if case is None:
        raise NotThere("没有找到这份文书。")
    return certificates.paper_pdf(case.matter.ref, paper_id)
