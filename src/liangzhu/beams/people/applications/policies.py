"""Who may do what with applications."""

from liangzhu.beams.people.applications.models import DepartmentApplication
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.residents.api import Resident
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.policies import policy

directory.declare_role(
    "applications.keeper",
    "应用登记员",
    "登记和变更本单位的应用、保管密钥、撤下应用；由别的单位审核",
    second_factor=True,
)
directory.declare_role(
    "applications.reviewer", "应用审核员", "审核别的单位登记的应用，必要时撤下", second_factor=True
)


def _own_unit(actor: Actor, row: DepartmentApplication) -> bool:
    """Whether an application is of the actor's unit, or of one that it took over from."""
    own = getattr(actor, "unit_id", None)
    return own is not None and (row.unit_id == own or directory.successor(row.unit_id) == own)


@policy("applications.open", "打开应用")
def open_applications(actor: Actor, target=None) -> bool:
    """Any member of staff, at the keyboard."""
    return actor.signed_in and not actor.by_token


@policy("applications.open_own", "打开面向群众和企业的应用")
def open_own(actor: Actor, target=None) -> bool:
    """A resident who signed in."""
    return isinstance(actor, Resident)


@policy("applications.register", "登记应用")
def register(actor: Actor, target: DepartmentApplication | None = None) -> bool:
    """Who keeps the applications of his unit; ``target`` is one of them."""
    if not actor.has("applications.keeper") or actor.by_token:
        return False
    return target is None or _own_unit(actor, target)


@policy("applications.review", "审核应用")
def review(actor: Actor, target: DepartmentApplication | None = None) -> bool:
    """Who reviews, in another unit than the application's."""
    if not actor.has("applications.reviewer") or actor.by_token:
        return False
    return target is None or not _own_unit(actor, target)


@policy("applications.read", "查看应用登记")
def read(actor: Actor, target: DepartmentApplication | None = None) -> bool:
    """Who keeps them for the unit, and every reviewer."""
    return register(actor, target) or (actor.has("applications.reviewer") and not actor.by_token)


@policy("applications.withdraw", "撤下应用")
def withdraw(actor: Actor, target: DepartmentApplication | None = None) -> bool:
    """Who keeps it, and who reviews."""
    return register(actor, target) or review(actor, target)


@policy("applications.sign_on", "登录应用")
def sign_on(actor: Actor, target: DepartmentApplication | None = None) -> bool:
    """Who signed in, to a published application; whether it is for him was asked when the code was given."""
    kinds = ("account", "resident")
    return actor.ref.kind in kinds and (target is None or target.state == target.PUBLISHED)


@policy("applications.use_tokens", "使用登录凭据")
def use_tokens(actor: Actor, target=None) -> bool:
    """An application that proved itself, for a sign-in of its own; ``target`` is a SignOn."""
    return actor.ref.kind == "department_application" and (
        target is None or str(target.application_id) == actor.ref.id
    )


@policy("applications.own_sign_on", "结束自己的应用登录")
def own_sign_on(actor: Actor, target=None) -> bool:
    """The person; ``target`` is a SignOn."""
    return isinstance(actor, Resident) and (target is None or target.resident_id == actor.account_id)


@policy("applications.maintain", "维护应用状态")
def maintain(actor: Actor, target=None) -> bool:
    """The program itself: health, sessions that ended, notices."""
    return actor.is_system
