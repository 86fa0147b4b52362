"""Every change of accounts, sessions and second factors, and what is only written down: sign-in, failure, lock-out."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.hmac import HMAC
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.crypto import get_random_string

from liangzhu.beams.people.access import policies, tokens
from liangzhu.beams.people.access.backends import plain_username
from liangzhu.beams.people.access.events import SessionEnded
from liangzhu.beams.people.access.models import Account, Application, Token
from liangzhu.beams.people.access.models.account import USERNAME
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.errors import Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.http import all_scopes
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref

# Without the letters and digits that are taken for one another when read aloud or copied from paper.
PASSWORD_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True)
class Opened:
    """An account with the initial password, which is shown once and kept nowhere."""

    account: Account
    password: str

    @property
    def ref(self) -> Ref:
        """The reference of the account."""
        return self.account.ref


def _initial_password() -> str:
    return "-".join(get_random_string(4, PASSWORD_LETTERS) for _ in range(4))


def _reason(text: str) -> str:
    if not text.strip():
        raise Invalid({"reason": "请填写原因，它会留在操作日志里。"})
    return text.strip()


# Accounts -------------------------------------------------------------------------------------------------------------


@action("access.open_account")
def open_account(act: Act, *, person_id: int, username: str) -> Opened:
    """Open a person's account (开通账号) with an initial password that must be changed at first sign-in. Raises Invalid."""
    act.check(policies.manage)
    username = plain_username(username)
    try:
        USERNAME(username)
    except ValidationError as error:
        raise Invalid({"username": error.messages[0]}) from None
    if Account.objects.filter(username=username).exists():
        raise Invalid({"username": f"用户名 {username} 已有人在用，请换一个。"})
    if Account.objects.filter(person_id=person_id).exists():
        raise Invalid({"person": "此人已有账号；一个人只有一个账号，岗位在账号里切换。"})
    password = _initial_password()
    account = Account(username=username, person_id=person_id, must_change_password=True)
    account.set_password(password)
    account.save()
    act.log(account.ref, person=person_id)
    return Opened(account, password)


@action("access.load_demo_accounts")
def load_demo_accounts(act: Act, *, persons: dict[str, int], password: str) -> None:
    """Open the accounts of a demonstration (载入演示账号): {user name: person}, one hashed password for all."""
    act.check(policies.manage)
    for username, person_id in persons.items():
        account = Account.objects.create(username=username, person_id=person_id, demo=True, password=password)
        act.log(account.ref, person=person_id, demo=True)


@action("access.close_account")
def close_account(act: Act, *, account_id: int, reason: str) -> Account:
    """Close an account (停用账号): its sessions and tokens end at once and nobody signs in with it. Raises StepNotAllowed."""
    account = act.lock(Account, pk=account_id)
    act.check(policies.manage, account)
    if not account.is_active:
        raise StepNotAllowed("这个账号已经停用。")
    if account.ref == act.actor.ref:
        raise StepNotAllowed("不能停用自己正在用的账号。", todo="请另一位系统管理员办理。")
    account.is_active = False
    account.save(update_fields=["is_active"])
    ended = _end_tokens(act, account.tokens.all())
    act.log(account.ref, reason=_reason(reason), sessions=_end_sessions(act, account), tokens=ended)
    return account


@action("access.reopen_account")
def reopen_account(act: Act, *, account_id: int, reason: str) -> Account:
    """Open a closed account again (恢复账号). Raises StepNotAllowed."""
    account = act.lock(Account, pk=account_id)
    act.check(policies.manage, account)
    if account.is_active:
        raise StepNotAllowed("这个账号没有停用。")
    account.is_active = True
    account.save(update_fields=["is_active"])
    act.log(account.ref, reason=_reason(reason))
    return account


@action("access.reset_password")
def reset_password(act: Act, *, account_id: int, reason: str) -> Opened:
    """Give an account a new initial password (重置密码); sessions and tokens end, its lock is lifted."""
    account = act.lock(Account, pk=account_id)
    act.check(policies.manage, account)
    password = _initial_password()
    account.set_password(password)
    account.must_change_password = not account.demo
    account.save(update_fields=["password", "must_change_password"])
    _unlock(account)
    ended = _end_tokens(act, account.tokens.all())
    act.log(account.ref, reason=_reason(reason), sessions=_end_sessions(act, account), tokens=ended)
    return Opened(account, password)


@action("access.unlock_account")
def unlock_account(act: Act, *, account_id: int, reason: str) -> Account:
    """Lift the lock that wrong passwords brought (解锁账号). Raises StepNotAllowed when there is none."""
    account = act.lock(Account, pk=account_id)
    act.check(policies.manage, account)
    if not _unlock(account):
        raise StepNotAllowed("这个账号没有锁定，也没有失败记录。")
    act.log(account.ref, reason=_reason(reason))
    return account


def _unlock(account: Account) -> int:
    return AccessAttempt.objects.filter(username=account.username).delete()[0]


@action("access.end_all_sessions")
def end_all_sessions(act: Act, *, account_id: int, reason: str) -> Account:
    """End all sessions of an account (强制下线)."""
    account = act.lock(Account, pk=account_id)
    act.check(policies.manage, account)
    ended = _end_sessions(act, account)
    if not ended:
        raise StepNotAllowed("这个账号现在没有登录。")
    act.log(account.ref, reason=_reason(reason), sessions=ended)
    return account


@action("access.drop_second_factors")
def drop_second_factors(act: Act, *, account_id: int, reason: str) -> Account:
    """Remove an account's second factors when they are lost (移除第二因素); its sessions end. Raises StepNotAllowed."""
    account = act.lock(Account, pk=account_id)
    act.check(policies.manage, account)
    kinds = sorted(Authenticator.objects.filter(user=account).values_list("type", flat=True))
    if not kinds:
        raise StepNotAllowed("这个账号没有启用第二因素。")
    Authenticator.objects.filter(user=account).delete()
    act.log(account.ref, reason=_reason(reason), kinds=kinds, sessions=_end_sessions(act, account))
    return account


def _end_sessions(act: Act, account: Account, keep: str = "") -> int:
    rows = list(UserSession.objects.filter(user=account).exclude(session_key=keep))
    for row in rows:
        _end_session(act, row)
    return len(rows)


def _end_session(act: Act, row: UserSession) -> None:
    act.emit(SessionEnded(subject=Ref("account", str(row.user_id)), session=row.pk))
    row.end()


# One's own account ----------------------------------------------------------------------------------------------------


@action("access.end_session")
def end_session(act: Act, *, account_id: int, session_id: int) -> Account:
    """End one of one's own sessions (结束会话): who uses it is out at the next click. Raises NotThere for others'."""
    account = act.lock(Account, pk=account_id)
    act.check(policies.own, account)
    row = UserSession.objects.filter(user=account, pk=session_id).first()
    if row is None:
        raise NotThere("没有找到这个会话，它可能已经结束。")
    _end_session(act, row)
    act.log(account.ref, session=session_id)
    return account


@action("access.end_other_sessions")
def end_other_sessions(act: Act, *, account_id: int, keep: str) -> Account:
    """End all of one's own sessions but the present one (结束其他会话)."""
    account = act.lock(Account, pk=account_id)
    act.check(policies.own, account)
    act.log(account.ref, sessions=_end_sessions(act, account, keep))
    return account


@action("access.switch_post")
def switch_post(act: Act, *, account_id: int, post_id: int) -> directory.PostView:
    """Act under another of one's posts from now on (切换岗位), own or stood in for. Raises Denied when it is not open."""
    account = act.lock(Account, pk=account_id)
    act.check(policies.own, account)
    staff = directory.staff(account.person_id, post_id, account.ref)
    act.log(account.ref, post=post_id, deputy=staff.deputy)
    return directory.post(post_id)


@action("access.change_password")
def password_changed(act: Act, *, account_id: int, keep: str) -> Account:
    """Write down that the owner changed the password (修改密码); the account's other sessions end."""
    account = act.lock(Account, pk=account_id)
    act.check(policies.own, account)
    account.must_change_password = False
    account.save(update_fields=["must_change_password"])
    act.log(account.ref, sessions=_end_sessions(act, account, keep))
    return account


# Tokens of the API ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """A token with its text, which is shown once and kept nowhere."""

    token: Token
    text: str

    @property
    def ref(self) -> Ref:
        """The reference of the token."""
        return self.token.ref


@action("access.make_token")
def make_token(act: Act, *, name: str, scopes: Iterable[str], days: int, networks: str = "") -> Made:
    """Make a token (创建接口令牌) that acts for oneself under the present post, with exactly its roles. Raises Invalid."""
    act.check(policies.make_token)
    account_id = int(act.actor.ref.id)
    return _make(act, name, scopes, days, networks, account_id=account_id, post_id=act.actor.post_id)


@action("access.make_application_token")
def make_application_token(
    act: Act, *, application_id: int, name: str, scopes: Iterable[str], days: int, networks: str = ""
) -> Made:
    """Make a token for an application of the own unit (创建应用令牌). Raises Denied, Invalid, NotThere, StepNotAllowed."""
    application = act.lock(Application, pk=application_id)
    act.check(policies.make_application_token, application)
    if application.closed_at:
        raise StepNotAllowed("这个应用账号已经停用。")
    return _make(act, name, scopes, days, networks, application_id=application_id)


def _make(act: Act, name: str, scopes: Iterable[str], days: int, networks: str, **owner: int) -> Made:
    errors = {}
    name, wanted = name.strip(), sorted(set(scopes))
    if not 0 < len(name) <= 60:
        errors["name"] = "请写用途，最多 60 个字，日后凭它认出这个令牌。"
    if not wanted or not all_scopes().keys() >= set(wanted):
        errors["scopes"] = "请至少选一个范围。"
    if not 1 <= days <= settings.LIANGZHU_TOKEN_DAYS:
        errors["days"] = f"有效期应为 1—{settings.LIANGZHU_TOKEN_DAYS} 天。"
    try:
        places = " ".join(
            str(ipaddress.ip_network(one)) for one in networks.replace(",", " ").replace("，", " ").split()
        )
    except ValueError as error:
        errors["networks"] = f"地址无法识别（{error}）。写成 10.1.2.3 或 10.1.2.0/24，多个用空格隔开。"
    if errors:
        raise Invalid(errors)
    text = tokens.make()
    token = Token.objects.create(
        name=name,
        digest=tokens.digest(text),
        hint=text[-4:],
        scopes=" ".join(wanted),
        networks=places,
        made_by=str(act.actor.ref),
        made_at=tokens.expiry(0),
        expires_at=tokens.expiry(days),
        **owner,
    )
    act.log(token.ref, scopes=wanted, days=days, networks=places, **owner)
    return Made(token, text)


@action("access.revoke_token")
def revoke_token(act: Act, *, token_id: int, reason: str = "") -> Token:
    """Revoke a token (吊销接口令牌): the next request with it is refused. Raises NotThere, StepNotAllowed."""
    token = act.lock(Token, pk=token_id)
    act.check(policies.revoke_token, token)
    if token.revoked_at:
        raise StepNotAllowed("这个令牌已经吊销。")
    _end_tokens(act, Token.objects.filter(pk=token.pk))
    act.log(token.ref, reason=reason.strip())
    token.refresh_from_db()
    return token


def _end_tokens(act: Act, rows) -> int:
    return rows.filter(revoked_at=None).update(revoked_at=tokens.expiry(0), revoked_by=str(act.actor.ref))


@action("access.open_application")
def open_application(act: Act, *, name: str, post_id: int, contact_id: int, purpose: str) -> Application:
    """Open an application account (开通应用账号) under a post that nobody holds and that carries ordinary roles only.

    ``contact_id`` is a person of the post's unit. Raises Invalid.
    """
    act.check(policies.manage)
    errors = {}
    name, purpose = name.strip(), purpose.strip()
    if not 0 < len(name) <= 60:
        errors["name"] = "请写应用名称，最多 60 个字。"
    elif Application.objects.filter(name=name).exists():
        errors["name"] = "已有同名的应用账号。"
    if not 0 < len(purpose) <= 200:
        errors["purpose"] = "请写用途，最多 200 个字。"
    try:
        post = directory.vacant_post(post_id)
    except Denied as error:
        errors["post"] = error.detail
    else:
        roles = directory.all_roles()
        strict = [roles[one].title for one in sorted(post.roles) if one in roles and not roles[one].business]
        if strict:
            errors["post"] = f"岗位有“{'、'.join(strict)}”角色，这些角色不能交给程序。"
        elif Application.objects.filter(post_id=post.id).exists():
            errors["post"] = "这个岗位已经给了另一个应用账号，请为每个应用单设岗位。"
        if contact_id not in {one.person_id for one in directory.posts(post.unit_id)}:
            errors["contact"] = "联系人应为本单位现任人员。"
    if errors:
        raise Invalid(errors)
    row = Application.objects.create(name=name, post_id=post_id, contact_id=contact_id, purpose=purpose)
    act.log(row.ref, post=post_id, contact=contact_id)
    return row


@action("access.close_application")
def close_application(act: Act, *, application_id: int, reason: str) -> Application:
    """Close an application account (停用应用账号); its tokens end at once. Raises StepNotAllowed."""
    row = act.lock(Application, pk=application_id)
    act.check(policies.manage, row)
    if row.closed_at:
        raise StepNotAllowed("这个应用账号已经停用。")
    row.closed_at = now()
    row.save(update_fields=["closed_at"])
    ended = _end_tokens(act, Token.objects.filter(application=row))
    act.log(row.ref, reason=_reason(reason), tokens=ended)
    return row


@action("access.sweep_sessions")
def sweep_sessions(act: Act, *, session_ids: list[int]) -> None:
    """Forget sessions that ran out (清理过期登录)."""
    act.check(policies.manage)
    for row in UserSession.objects.filter(pk__in=session_ids):
        _end_session(act, row)
    act.log(Ref("account", "sweep"), sessions=len(session_ids))


# What is only written down --------------------------------------------------------------------------------------------


@action("access.sign_in")
def signed_in(act: Act, *, account_id: int, methods: list[str]) -> None:
    """Write down a sign-in (登录) and by what means."""
    act.check(policies.sign_in)
    act.log(Ref("account", str(account_id)), methods=methods)


@action("access.sign_out")
def signed_out(act: Act, *, account_id: int, key: str = "") -> None:
    """Write down a sign-out (退出) of the session with that key."""
    act.check(policies.sign_in)
    for row in UserSession.objects.filter(user=account_id, session_key=key):
        _end_session(act, row)
    act.log(Ref("account", str(account_id)))


def name_token(username: str) -> str:
    """A keyed commitment to a user name: equal names give equal tokens, and nobody reads the name from it.

    People type their password into the wrong field; so a failed name never stands in the log.
    """
    mac = HMAC(settings.SECRET_KEY.encode(), SM3())
    mac.update(plain_username(username).encode())
    return mac.finalize().hex()


def _subject(username: str) -> Ref:
    account = Account.objects.filter(username=plain_username(username)).first()
    return account.ref if account else Ref("account", "unknown")


@action("access.sign_in_failed")
def sign_in_failed(act: Act, *, username: str, means: str) -> None:
    """Write down a failed sign-in (登录失败): wrong name, password or code. The name only as a commitment."""
    act.check(policies.sign_in)
    act.log(_subject(username), name_token=name_token(username), means=means)


@action("access.locked_out")
def locked_out(act: Act, *, username: str) -> None:
    """Write down that a user name was locked (账号锁定)."""
    act.check(policies.sign_in)
    act.log(_subject(username), name_token=name_token(username), failures=settings.AXES_FAILURE_LIMIT)


@action("access.second_factor_changed")
def second_factor_changed(act: Act, *, account_id: int, kind: str, change: str) -> None:
    """Write down that the owner added, replaced or removed a second factor (变更第二因素)."""
    act.check(policies.sign_in)
    act.log(Ref("account", str(account_id)), kind=kind, change=change)


# The first administrator ----------------------------------------------------------------------------------------------


@action("access.open_first_administrator")
def open_first_administrator(act: Act, *, unit_key: str, name: str, username: str) -> Opened:
    """Give a new installation its first administrator (首位系统管理员): person, post, account. From the command line only.

    Raises StepNotAllowed when somebody administers already, Invalid for an unknown unit or a bad user name.
    """
    act.check(policies.manage)
    for view in directory.posts(role="access.admin"):
        if view.person_id and Account.objects.filter(person_id=view.person_id, is_active=True).exists():
            raise StepNotAllowed("已有系统管理员，请由其开通账号。")
    unit = directory.units().by_key(unit_key)
    if unit is None:
        raise Invalid({"unit": f"没有标识为 {unit_key} 的单位；标识见资料包的 units.toml。"})
    holding = directory.appoint(
        act.actor, unit_id=unit.id, name=name, title="系统管理员", roles=["access.admin"]
    )
    opened = open_account(act.actor, person_id=holding.person_id, username=username)
    act.log(opened.ref, unit=unit.id)
    return opened
