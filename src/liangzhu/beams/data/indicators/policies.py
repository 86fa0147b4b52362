"""Who may do what with indicators. The target is an `Indicator`."""

from liangzhu.kernel.actors import Actor
from liangzhu.kernel.policies import policy

OFFICERS = ("matters.officer", "matters.head")

_overseers: set[str] = set()


def let_oversee(*roles: str) -> None:
    """Give roles of the parts above the care of all indicators: define, measure, report and confirm for any unit."""
    _overseers.update(roles)


def oversees(actor: Actor) -> bool:
    """Whether the actor cares for all indicators."""
    return actor.has(*_overseers)


def _of_owner(actor: Actor, target) -> bool:
    return target is None or getattr(actor, "unit_id", None) == target.owner_unit_id


@policy("indicators.read", "查看指标")
def read(actor: Actor, target=None) -> bool:
    """All staff: a number that is kept from colleagues is not trusted."""
    return actor.signed_in


@policy("indicators.define", "维护指标定义")
def define(actor: Actor, target=None) -> bool:
    """Those who oversee all indicators."""
    return oversees(actor)


@policy("indicators.measure", "测算指标")
def measure(actor: Actor, target=None) -> bool:
    """Overseers, and officers of the owner unit."""
    return oversees(actor) or (actor.has(*OFFICERS) and _of_owner(actor, target))


@policy("indicators.report", "填报指标数值")
def report(actor: Actor, target=None) -> bool:
    """Officers of the owner unit, and overseers."""
    return oversees(actor) or (actor.has(*OFFICERS) and _of_owner(actor, target))


@policy("indicators.decide", "确认指标数值")
def decide(actor: Actor, target=None) -> bool:
    """The head of the owner unit, and overseers. That it is another person is checked in the action."""
    return oversees(actor) or (actor.has("matters.head") and _of_owner(actor, target))
