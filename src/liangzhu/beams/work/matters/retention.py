"""Deletion by rule (依规销毁): what ended so many years ago loses its content; its leaves stay and prove it.

The years stand in the pack (`retention.toml`) by kind of matter. A rule that nobody confirmed (待确认) destroys nothing, and a
kind without a rule is kept. Every run names the approved list (销毁清册) on which it acts.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from liangzhu.beams.work.matters import clocks as counting
from liangzhu.beams.work.matters import policies
from liangzhu.beams.work.matters.kinds import all_kinds, kind_of
from liangzhu.beams.work.matters.models import Matter
from liangzhu.kernel import sealing
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.now import today
from liangzhu.kernel.pack import pack


@dataclass(frozen=True)
class Rule:
    """How many years after its end a matter of a kind is kept, and on what ground."""

    kind: str
    title: str
    years: int
    source: str
    unconfirmed: str = ""


def rules() -> list[Rule]:
    """The rules of the pack for kinds that are registered. Raises PackError."""
    table = pack().toml("retention.toml")
    known = all_kinds()
    return [
        Rule(
            kind=row["kind"],
            title=known[row["kind"]].title,
            years=int(row["years"]),
            source=row.get("source", table["source"]),
            unconfirmed=row.get("to_confirm", "待确认") if row.get("unconfirmed") else "",
        )
        for row in table.get("matters", ())
        if row["kind"] in known
    ]


def due(rule: Rule) -> QuerySet[Matter]:
    """Matters whose time is over: ended long enough ago, still with content, with nothing open above or below them."""
    below = Matter.objects.filter(parent=OuterRef("pk"), closed_at=None)
    return (
        Matter.objects.filter(kind=rule.kind, closed_at__lt=_before(rule.years))
        .exclude(sealed_key=b"")
        .exclude(parent__isnull=False, parent__closed_at=None)
        .exclude(Exists(below))
        .order_by("closed_at", "id")
    )


def retention() -> list[tuple[Rule, int]]:
    """Every rule, with how many matters are due under it."""
    return [(rule, due(rule).count()) for rule in rules()]


def _before(years: int) -> datetime:
    """The instant before which a matter must have ended: the years are whole calendar years (从次年1月1日起算)."""
    day = today()
    return counting.start_of(day.replace(year=day.year - years, month=1, day=1))


def destroy_due(actor: Actor, *, kind: str, approved: str, most: int = 1000) -> int:
    """Destroy what is due of a kind, each matter in a transaction of its own; returns how many.

    ``approved`` names the approved list. Raises NotThere (no rule), StepNotAllowed (rule not confirmed), Invalid, Denied.
    """
    rule = next((one for one in rules() if one.kind == kind), None)
    if rule is None:
        raise NotThere(
            f"“{kind}”没有保存期限的规则。", todo="请在资料包的 retention.toml 里写明，并注明依据。"
        )
    if rule.unconfirmed:
        raise StepNotAllowed(
            f"“{rule.title}”的保存期限还没有确认：{rule.unconfirmed}。",
            todo="请先确认期限，去掉 retention.toml 里的 unconfirmed，再销毁。",
        )
    if not approved.strip():
        raise Invalid({"approved": "请写明经批准的销毁清册的文号。"})
    ids = list(due(rule).values_list("pk", flat=True)[:most])
    for one in ids:
        destroy(
            actor, matter_id=one, rule=f"{kind_of(kind).title}保存 {rule.years} 年期满；{approved.strip()}"
        )
    return len(ids)


@action("matters.destroy")
def destroy(act: Act, *, matter_id: int, rule: str) -> Matter:
    """Destroy the content of one matter: its key, its texts, its files, the details of its leaves."""
    act.check(policies.destroy)
    matter = act.lock(Matter, pk=matter_id)
    sealing.forget(act, matter, rule=rule)
    return matter
