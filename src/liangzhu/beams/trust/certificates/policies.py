"""Who may do what with certificates and seals."""

from liangzhu.beams.people.directory.api import declare_role, does_business, successor
from liangzhu.beams.people.residents.api import Resident, add_scopes
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.policies import policy

ISSUER, KEEPER = "certificates.issuer", "certificates.keeper"
SCOPE = "certificates"
"""What a limited mandate must reach for an agent to see and show the principal's certificates."""

add_scopes("certificates", lambda actor: [(SCOPE, "查看和出示证照")])
declare_role(ISSUER, "制证员", "代表本单位核发证照、变更证照状态", second_factor=True)
declare_role(KEEPER, "印章管理员", "提出和复核印章的启用、停用，一人提出，另一人复核", second_factor=True)


def _own(actor: Actor, unit_id: int) -> bool:
    """Whether a unit is the actor's own, or one that his has taken the place of."""
    mine = getattr(actor, "unit_id", None)
    return mine is not None and mine in (unit_id, successor(unit_id))


@policy("certificates.read", "查看本单位的证照")
def read(actor: Actor, target=None) -> bool:
    """Who does the business of a unit that issues: the certificates of that unit, masked."""
    if actor.is_system:
        return True
    if not (actor.signed_in and does_business(actor) and getattr(actor, "unit_id", None)):
        return False
    return target is None or _own(actor, target.unit_id)


@policy("certificates.issue", "核发证照、变更证照状态")
def issue(actor: Actor, target=None) -> bool:
    """The certificate officer (制证员) of the unit. ``target`` is a certificate, a seal, or anything with ``unit_id``."""
    return actor.has(ISSUER) and (target is None or _own(actor, target.unit_id))


@policy("certificates.keep_seals", "管理印章")
def keep_seals(actor: Actor, target=None) -> bool:
    """The keeper of seals (印章管理员). Who proposed something cannot decide on it; the action sees to that."""
    return actor.has(KEEPER)


@policy("certificates.hold", "查看和出示证照")
def hold(actor: Actor, target=None) -> bool:
    """A resident, for the person or organisation that he acts for; with a mandate that is limited, one for this.

    With a certificate: when the principal holds it, also under an earlier registration that was merged.
    """
    if not isinstance(actor, Resident) or not actor.may(kind=SCOPE):
        return False
    return target is None or actor.concerns(target.holder)


@policy("certificates.verify", "核验证照和文书")
def verify(actor: Actor, target=None) -> bool:
    """Everybody, without an account."""
    return True


@policy("certificates.keep_time", "到期失效、制作文件")
def keep_time(actor: Actor, target=None) -> bool:
    """The program itself."""
    return actor.is_system
