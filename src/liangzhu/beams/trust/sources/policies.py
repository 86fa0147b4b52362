"""Who may read from a source, see the trail, and look at how sources do."""

from liangzhu.beams.people.directory.api import does_business
from liangzhu.beams.trust.sources.readers import is_resident
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.policies import policy
from liangzhu.kernel.refs import Ref, describe


def _works_on(actor: Actor, case: Ref) -> bool:
    """Whether a member of staff may open the case: nobody reads for a case that he cannot see."""
    return bool(describe([case], actor)[case][1])


@policy("sources.pull", "为一件事读取政府已有的信息")
def pull(actor: Actor, target=None) -> bool:
    """The one whom it is about, or who acts for him; staff who do business, for a case that they may open; processes.

    ``target`` is (subject, case), both Refs.
    """
    if actor.is_system:
        return True
    if is_resident(actor):
        return target is None or actor.concerns(target[0])
    if not (actor.signed_in and does_business(actor)):
        return False
    return target is None or _works_on(actor, target[1])


@policy("sources.check", "核验来源没有取到的材料")
def check(actor: Actor, target=None) -> bool:
    """Staff who do business, for a case that they may open; ``target`` is the case's Ref."""
    if not (actor.signed_in and does_business(actor)):
        return False
    return target is None or _works_on(actor, target)


@policy("sources.open_check", "登记由工作人员核验的材料")
def open_check(actor: Actor, target=None) -> bool:
    """Whoever may read for the case: a source that failed has no other consequence. ``target`` is the case's Ref."""
    return actor.is_system or is_resident(actor) or check(actor, target)


@policy("sources.watch", "查看数据来源的状况")
def watch(actor: Actor, target=None) -> bool:
    """All staff: whether a source answers is no secret, and who waits for one wants to know."""
    return actor.signed_in


@policy("sources.sweep", "删除到期的取数内容")
def sweep(actor: Actor, target=None) -> bool:
    """The program itself, by the clock."""
    return actor.is_system
