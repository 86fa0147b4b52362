"""Who may do what with accounts, sessions and the log."""

from liangzhu.beams.people.directory.api import declare_role
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.now import demo_date
from liangzhu.kernel.policies import policy

# 三员分立: who manages accounts does not read the log, and the other way round.
declare_role(
    "access.admin",
    "系统管理员",
    "开通和停用账号、安排机构和岗位；不看业务内容，不改日志",
    second_factor=True,
    business=False,
)
declare_role("kernel.auditor", "安全审计员", "查阅和核验操作日志，不做任何业务", business=False)


@policy("access.own", "维护自己的账号")
def own(actor: Actor, target=None) -> bool:
    """Everybody who signed in, for the own account; ``target`` is an Account."""
    return actor.signed_in and (target is None or str(target.ref) == str(actor.ref))


@policy("access.sign_in", "登录")
def sign_in(actor: Actor, target=None) -> bool:
    """Everybody: who does not know the password does not get in."""
    return True


@policy("access.manage", "维护账号")
def manage(actor: Actor, target=None) -> bool:
    """The system administrator."""
    return actor.has("access.admin")


@policy("access.enrol", "启用第二因素后使用管理功能")
def enrol(actor: Actor, target=None) -> bool:
    """Whoever has roles that do not work yet for want of a second factor."""
    return demo_date() is None and bool(getattr(actor, "withheld", ()))
