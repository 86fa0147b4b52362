"""Who may do what with accounts, sessions and the log."""

from liangzhu.beams.people.directory.api import Staff, declare_role, does_business
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.now import demo_date
from liangzhu.kernel.policies import policy, read_log

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


# Tokens ---------------------------------------------------------------------------------------------------------------


@policy("access.use_token", "通过接口查看自己")
def use_token(actor: Actor, target=None) -> bool:
    """Whoever came with a token."""
    return actor.signed_in


@policy("access.make_token", "创建接口令牌")
def make_token(actor: Actor, target=None) -> bool:
    """A member of staff at the keyboard, for the post acted under, if it does business; a program makes no tokens."""
    return isinstance(actor, Staff) and does_business(actor) and not actor.by_token


@policy("access.make_application_token", "为应用账号创建令牌")
def make_application_token(actor: Actor, target=None) -> bool:
    """The head of the unit that the application belongs to, or the contact who answers for it; ``target`` is an Application.

    Not the administrator, who opens applications but sees no business (三员分立): whoever makes a token could use it.
    """
    if not make_token(actor):
        return False
    return target is None or (
        actor.unit_id == target.post.unit_id and (actor.is_head or actor.person_id == target.contact_id)
    )


@policy("access.read_token", "查看接口令牌和用它办的事")
def read_token(actor: Actor, target=None) -> bool:
    """Who may revoke it, and the auditor; ``target`` is a Token. A program reads of no token, its own included."""
    if actor.by_token or not actor.signed_in:
        return False
    return read_log(actor) or revoke_token(actor, target)


@policy("access.revoke_token", "吊销接口令牌")
def revoke_token(actor: Actor, target=None) -> bool:
    """Its owner, the administrator, and for that of an application who may make one; ``target`` is a Token."""
    if manage(actor) or target is None:
        return actor.signed_in
    if target.application is not None:
        return make_application_token(actor, target.application)
    return str(target.account.ref) == str(actor.ref)
