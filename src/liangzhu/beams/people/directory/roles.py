"""Roles: what a post may be given. The app that asks for a role declares it; which post carries it is data."""

from dataclasses import dataclass

from liangzhu.kernel.actors import Actor
from liangzhu.kernel.pack import pack


@dataclass(frozen=True)
class Role:
    """A declared role.

    ``second_factor``: outside a demonstration it works only for those who enrolled one. ``business`` is False for roles
    that keep the system or its log and see no business of the units (三员分立).
    """

    code: str
    title: str
    description: str
    second_factor: bool = False
    business: bool = True


_roles: dict[str, Role] = {}


def declare_role(
    code: str, title: str, description: str, *, second_factor: bool = False, business: bool = True
) -> Role:
    """Declare ``matters.officer`` (app label, name) with a Chinese title and what it allows. Raises ValueError when twice."""
    role = Role(code, title, description, second_factor, business)
    if _roles.setdefault(code, role) != role:
        raise ValueError(f"role {code} is declared twice")
    return role


def all_roles() -> dict[str, Role]:
    """Every declared role by code."""
    return dict(_roles)


def role_title(code: str) -> str:
    """The Chinese title of a role, the code itself when no app declares it."""
    return _roles[code].title if code in _roles else code


def does_business(actor: Actor) -> bool:
    """Whether the post acted under sees the business of its unit: not when all its roles only keep the system or its log.

    Roles that are withheld for want of a second factor count as well: they must not open what they would close.
    """
    roles = actor.roles | getattr(actor, "withheld", frozenset())
    return not roles or any(code not in _roles or _roles[code].business for code in roles)


def clashes(codes: set[str]) -> list[tuple[str, str]]:
    """Pairs of roles that one person must not hold together (不得兼任), by the pack's `roles.toml`."""
    found = set()
    for entry in pack().toml("roles.toml").get("role", []):
        if entry["code"] in codes:
            found |= {
                tuple(sorted((entry["code"], other)))
                for other in entry.get("exclusive_with", ())
                if other in codes
            }
    return sorted(found)
