"""Whether one may act for another, and acting for him."""

from datetime import date

from liangzhu.beams.people.registers.events import MandateBegan
from liangzhu.beams.people.registers.families import family
from liangzhu.beams.people.registers.models import Mandate
from liangzhu.beams.people.registers.models.mandates import Scope
from liangzhu.kernel.actions import Act
from liangzhu.kernel.errors import Denied
from liangzhu.kernel.now import today
from liangzhu.kernel.refs import Ref

ANYTHING = Scope()


def may_act(agent: Ref, principal: Ref, scope: Scope = ANYTHING, *, on: date | None = None) -> Mandate | None:
    """The mandate under which ``agent`` may do what ``scope`` says for ``principal`` on a day (today), or None.

    Merged persons are one. Whoever then acts uses `act_for`, which leaves a leaf. Raises NotThere for a strange Ref.
    """
    day = on or today()
    rows = Mandate.objects.filter(
        agent__in=family(str(agent)), principal__in=family(str(principal)), confirmed_on__lte=day
    ).select_related("parent")
    return next((one for one in rows.order_by("pk") if one.in_force(day) and one.covers(scope)), None)


def mandates_of(agent: Ref, *, on: date | None = None) -> list[Mandate]:
    """The mandates that an agent holds on a day (today), the oldest first."""
    day = on or today()
    rows = Mandate.objects.filter(agent__in=family(str(agent)), confirmed_on__lte=day).select_related(
        "parent"
    )
    return [one for one in rows.order_by("pk") if one.in_force(day)]


def act_for(act: Act, agent: Ref, principal: Ref, scope: Scope = ANYTHING) -> Mandate:
    """Inside an action: act for another today. Leaves a leaf that names the mandate. Raises Denied without one."""
    mandate = may_act(agent, principal, scope)
    if mandate is None:
        raise Denied("没有有效的授权，不能代办。", todo="请核对授权的范围和期限，或请被代理人授权。")
    act.log(
        mandate.ref, used=True, agent=str(agent), principal=str(principal), kind=scope.kind, case=scope.case
    )
    return mandate


def begin(act: Act, mandate: Mandate, evidence: str) -> Mandate:
    """Inside an action: the side that did not ask agreed, as ``evidence`` shows; the mandate can hold from today on."""
    mandate.evidence = evidence
    mandate.confirmed_on, mandate.confirmed_by = today(), str(act.actor.ref)
    mandate.version += 1
    mandate.save(update_fields=["evidence", "confirmed_on", "confirmed_by", "version"])
    act.log(mandate.ref, confirmed_by_side=mandate.other_side)
    act.emit(MandateBegan(subject=mandate.ref))
    return mandate
