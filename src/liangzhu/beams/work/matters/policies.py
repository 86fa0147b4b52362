"""Who may do what with matters, and the roles that units give for it."""

from dataclasses import dataclass

from liangzhu.beams.people.directory.api import declare_role, does_business
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.work.matters.grammar import Transition, Who
from liangzhu.beams.work.matters.models import Matter, Part, View
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.policies import policy

declare_role("matters.officer", "承办人", "代表本单位签收、办理、报进展、提交材料")
declare_role("matters.head", "单位负责人", "代表本单位报送办结、同意延期申请，分派本单位事项")


@dataclass(frozen=True)
class Attempt:
    """A step that somebody wants to do: what `step` is asked about. ``parties`` maps party names to unit ids."""

    matter: Matter
    transition: Transition
    parties: dict[str, int]
    part: Part | None = None


def fits(actor: Actor, who: Who, attempt: Attempt) -> bool:
    """Whether an actor is the one that an alternative of a process speaks of."""
    if who.system:
        return actor.is_system
    if who.applicant:
        applicant = attempt.matter.applicant
        return bool(applicant) and residents.stands_for(actor, applicant)
    unit = getattr(actor, "unit_id", None)
    if unit is None:
        return False
    if who.party == "part":
        if attempt.part is None or attempt.part.unit_id != unit:
            return False
    elif who.party and attempt.parties.get(who.party) != unit:
        return False
    if who.holding and attempt.matter.holding_unit_id != unit:
        return False
    if who.head and not getattr(actor, "is_head", False):
        return False
    return not who.roles or actor.has(*who.roles)


@policy("matters.work", "办理事项")
def work(actor: Actor, target=None) -> bool:
    """Staff with a post that does business: those who only keep the system or its log see no matters (三员分立).

    Which matters are seen is decided row by row in `queries.visible`.
    """
    return actor.signed_in and getattr(actor, "unit_id", None) is not None and does_business(actor)


@policy("matters.read_processes", "查看办理流程")
def read_processes(actor: Actor, target=None) -> bool:
    """All staff: how things move is no secret, and who releases a process must see it."""
    return actor.signed_in


@policy("matters.step", "办理这一步")
def step(actor: Actor, target: Attempt | None = None) -> bool:
    """Whoever the process names for the step."""
    if target is None:
        return work(actor)
    return any(fits(actor, who, target) for who in target.transition.who)


@policy("matters.open", "登记事项")
def open_one(actor: Actor, target=None) -> bool:
    """Whoever does business; which kinds is for the policies of their openings."""
    return work(actor)


@policy("matters.assign", "分派承办人")
def assign(actor: Actor, target: Matter | Part | None = None) -> bool:
    """Heads and officers, for what their own unit holds."""
    if not work(actor) or not (actor.has("matters.officer", "matters.head") or actor.is_head):
        return False
    unit = None if target is None else target.unit_id if isinstance(target, Part) else target.holding_unit_id
    return unit in (None, actor.unit_id)


@policy("matters.comment", "批注事项")
def comment(actor: Actor, target: Matter | None = None) -> bool:
    """Whoever works and sees the matter; the action asks `queries.matter` for it."""
    return work(actor)


@policy("matters.own_notices", "查看本岗位的提醒")
def own_notices(actor: Actor, target=None) -> bool:
    """The post that a notice is for; ``target`` is a Notice."""
    return (
        actor.signed_in
        and getattr(actor, "post_id", None) is not None
        and (target is None or target.post_id == actor.post_id)
    )


@policy("matters.read_calendar", "查看工作日历")
def read_calendar(actor: Actor, target=None) -> bool:
    """All staff: which days count decides every limit. Who changes it is `kernel.manage_calendar`."""
    return actor.signed_in


@policy("matters.destroy", "依规销毁期满事项")
def destroy(actor: Actor, target=None) -> bool:
    """Nobody by hand: the command that acts on an approved list does it as the system."""
    return actor.is_system


@policy("matters.time", "按规则计时和提醒")
def time(actor: Actor, target=None) -> bool:
    """Timers only: reminders, recomputation, the succession of units."""
    return actor.is_system


@policy("matters.keep_views", "保存收件箱视图")
def keep_views(actor: Actor, target: View | None = None) -> bool:
    """Whoever has an inbox, for the views of the post; a shared one is changed by the post that made it."""
    return work(actor) and (target is None or target.post_id == actor.post_id)


@policy("matters.share_views", "共用收件箱视图")
def share_views(actor: Actor, target: View | None = None) -> bool:
    """Heads and officers: what is shared stands in the inbox of everybody in the unit."""
    return keep_views(actor, target) and (actor.has("matters.officer", "matters.head") or actor.is_head)


@policy("matters.keep_feed", "订阅期限日历")
def keep_feed(actor: Actor, target=None) -> bool:
    """Whoever has an inbox. The address of a post is the post's: a deputy who ends takes it along, so deputies may not."""
    return work(actor) and not getattr(actor, "deputy", False)
