"""Who may do what with persons, organisations and mandates."""

from liangzhu.beams.people.directory.api import declare_role, does_business
from liangzhu.beams.people.registers.families import family
from liangzhu.beams.people.registers.links import referrers
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.policies import policy

OFFICER = "registers.officer"
declare_role(OFFICER, "登记管理员", "登记和复核自然人、组织和授权，凭理由查看完整信息", second_factor=True)


@policy("registers.record", "登记自然人、组织和授权")
def record(actor: Actor, target=None) -> bool:
    """The registry officer (登记管理员). A change takes effect when a second one released it."""
    return actor.has(OFFICER)


@policy("registers.decide", "复核登记申请")
def decide(actor: Actor, target=None) -> bool:
    """A registry officer, and not the one who proposed it (四眼原则)."""
    return actor.has(OFFICER) and (target is None or target.proposed_by != str(actor.ref))


@policy("registers.read_person", "查看自然人登记")
def read_person(actor: Actor, target=None) -> bool:
    """The registry officer; and whoever works on an open matter in which the person is the applicant."""
    if actor.is_system or actor.has(OFFICER):
        return True
    if not (actor.signed_in and does_business(actor)):
        return False
    return target is None or any(one.works_on(actor, family(str(target.ref))) for one in referrers())


@policy("registers.read_organisation", "查看组织登记")
def read_organisation(actor: Actor, target=None) -> bool:
    """All staff: what is registered of an organisation is published anyway."""
    return actor.is_system or actor.signed_in


@policy("registers.check_mandate", "核对授权")
def check_mandate(actor: Actor, target=None) -> bool:
    """Staff and programs that do business: whether somebody may act for another."""
    return actor.is_system or (actor.signed_in and does_business(actor))


@policy("registers.register_from_identity", "按省统一身份认证和服务码的结果登记")
def register_from_identity(actor: Actor, target=None) -> bool:
    """A provider of identities or an issuer of service codes, speaking for itself; never a person."""
    return actor.ref.kind in ("identity_provider", "code_issuer")


def spoken_for(actor: Actor) -> set[str]:
    """The printed Refs of whom a resident speaks for himself: his own, or of the organisation that he represents by law.

    An agent or a guardian acts within a mandate; he does not dispose of it in the name of the other.
    """
    person, organisation = getattr(actor, "person", None), getattr(actor, "organisation", None)
    if person is None or getattr(actor, "mandate_id", None) is not None:
        return set()
    return {str(organisation)} if organisation is not None else family(str(person))


def speaks_for(actor: Actor, text: str) -> bool:
    """Whether a resident speaks for the party of that printed Ref."""
    return text in spoken_for(actor)


CHECKED = 2
"""The level of assurance from which on a resident may give and take rights: the province checked the document."""


@policy("registers.give_mandate", "授权他人代办")
def give_mandate(actor: Actor, target=None) -> bool:
    """A resident whose identity was checked, for whom he speaks; ``target`` is the principal's printed Ref."""
    if getattr(actor, "assurance", 0) < CHECKED:
        return False
    return bool(spoken_for(actor)) if target is None else speaks_for(actor, target)


@policy("registers.own_mandate", "确认或终止自己的授权")
def own_mandate(actor: Actor, target=None) -> bool:
    """Either side of a mandate, its identity checked; ``target`` is a Mandate."""
    if getattr(actor, "assurance", 0) < CHECKED:
        return False
    own = spoken_for(actor)
    return bool(own) if target is None else not own.isdisjoint({target.principal, target.agent})


@policy("registers.keep_time", "到期终止授权")
def keep_time(actor: Actor, target=None) -> bool:
    """The program itself, by the clock."""
    return actor.is_system
