"""Who may do what with units, persons and posts."""

from liangzhu.kernel.actors import Actor
from liangzhu.kernel.policies import policy


@policy("directory.read", "查看机构和岗位")
def read(actor: Actor, target=None) -> bool:
    """Every member of staff: units, sets, posts and who holds them today are no secret inside government."""
    return actor.signed_in


@policy("directory.manage_units", "维护机构和单位集合")
def manage_units(actor: Actor, target=None) -> bool:
    """The system administrator."""
    return actor.has("access.admin")


@policy("directory.manage_people", "维护人员、岗位和代理")
def manage_people(actor: Actor, target=None) -> bool:
    """The system administrator."""
    return actor.has("access.admin")
