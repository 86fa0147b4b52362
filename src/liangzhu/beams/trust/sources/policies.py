"""Who may read from a source, see the trail, and look at how sources do."""

from liangzhu.beams.people.directory.api import does_business
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.trust.sources.readers import is_resident
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.policies import policy
from liangzhu.kernel.refs import Ref, describe


def _works_on(actor: Actor, case: Ref) -> bool:
    """Whether a member of staff may open the case: nobody reads for a case that he cannot see."""
    return bool(describe([case], actor)[case][1])


@policy("sources.pull", "为一件事读取政府已有的信息")
def pull(actor: Actor, target=None) -> bool:
    """The one whom it is about, or who acts for him (an agent may read his own as well); staff who do business, for a case that they may open; processes.

    ``target`` is (subject, case), both Refs.
    """
    if actor.is_system:
        return True
    if is_resident(actor):
        return target is None or actor.concerns(target[0]) or target[0] == actor.person
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


@policy("sources.own_trail", "查看谁读取过自己的信息")
def own_trail(actor: Actor, target=None) -> bool:
    """A resident, for himself or for the organisation that he represents by law; an agent sees no trail of another.

    ``target`` is a Read, or the Ref of whose trail it is.
    """
    if not is_resident(actor):
        return False
    if target is None:
        return True
    whose = target if isinstance(target, Ref) else target.whose
    return whose is not None and str(whose) in registers.spoken_for(actor)


@policy("sources.receipt", "查看数据使用回执")
def receipt(actor: Actor, target=None) -> bool:
    """As the trail; and an agent for the case that his mandate reaches. ``target`` is a Pull."""
    if not is_resident(actor):
        return False
    if target is None or own_trail(actor, target.read):
        return True
    return actor.concerns(target.read.whose) and actor.may(case=target.case)


@policy("sources.watch", "查看数据来源的状况")
def watch(actor: Actor, target=None) -> bool:
    """All staff: whether a source answers is no secret, and who waits for one wants to know."""
    return actor.signed_in


@policy("sources.sweep", "删除到期的取数内容")
def sweep(actor: Actor, target=None) -> bool:
    """The program itself, by the clock."""
    return actor.is_system
