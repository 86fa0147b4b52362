"""Tokens as a program shows them: their form, their digest, and whom one stands for.

A request costs one indexed query: the token's row is read every time, so that a revocation counts at once in every
process. What the post of its owner may do is remembered for `REMEMBERED` seconds.
"""

import binascii
import ipaddress
import re
import secrets
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest
from django.utils.timezone import now as machine_now  # noqa: TID251 - a token ends by the machine's clock

from liangzhu.beams.people.access.models import Token
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.crypto import hmac_sm3
from liangzhu.kernel.errors import Denied
from liangzhu.kernel.http import Pass, Unauthenticated
from liangzhu.kernel.limits import client_address
from liangzhu.kernel.now import today
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.rows import Prepared

REMEMBERED = 3
"""Seconds for which an actor is remembered: so long a post that was lost goes on working."""

USE_NOTED = timedelta(minutes=5)
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(r"lz_[0-9A-Za-z]{40}[0-9a-f]{8}")


def make() -> str:
    """A new token: ``lz_``, 40 random letters and digits (238 bits), and a checksum that tells a typing error."""
    body = "lz_" + "".join(secrets.choice(_LETTERS) for _ in range(40))
    return body + _checksum(body)


def _checksum(body: str) -> str:
    return f"{binascii.crc32(body.encode()):08x}"


def well_formed(token: str) -> bool:
    """Whether a text can be a token at all; what is not costs no query."""
    return bool(_FORM.fullmatch(token)) and _checksum(token[:-8]) == token[-8:]


def digest(token: str) -> str:
    """What is kept of a token: HMAC-SM3 under the key of this installation, 64 hex characters."""
    return hmac_sm3(settings.SECRET_KEY.encode(), b"token:" + token.encode()).hex()


@dataclass(frozen=True, kw_only=True)
class Service(Actor):
    """An application acting under its post: no person, never the head of a unit, nobody's deputy."""

    post_id: int
    unit_id: int
    is_head: bool = False
    deputy: bool = False
    withheld: frozenset[str] = frozenset()


_remembered: dict[tuple, tuple[float, Actor]] = {}


def forget() -> None:
    """Ask anew who stands behind each token."""
    _remembered.clear()


_by_digest = Prepared(
    lambda mark: Token.objects.filter(digest=mark).values_list(
        "id",
        "account_id",
        "account__person_id",
        "account__is_active",
        "post_id",
        "application_id",
        "application__name",
        "application__post_id",
        "application__closed_at",
        "scopes",
        "networks",
        "expires_at",
        "used_at",
        "revoked_at",
    )
)


def identify(request: HttpRequest, token: str) -> Pass:
    """Whom a token stands for. Raises Unauthenticated, saying only to the holder of a real one what is wrong with it."""
    mark = digest(token)
    found = _by_digest(mark) if well_formed(token) else []
    row = found[0] if found else None
    if row is None:
        raise Unauthenticated("没有这个令牌。")
    (
        pk,
        account,
        person,
        active,
        post,
        application,
        title,
        own_post,
        closed,
        scopes,
        networks,
        *times,
    ) = row
    expires, used, revoked = times
    moment = machine_now()
    if revoked is not None:
        raise Unauthenticated("这个令牌已经吊销。")
    if expires <= moment:
        raise Unauthenticated("这个令牌已经过期。")
    if application is None and not active:
        raise Unauthenticated("这个令牌的账号已经停用。")
    if application is not None and closed is not None:
        raise Unauthenticated("这个令牌的应用账号已经停用。")
    if networks and not comes_from(client_address(request), networks):
        raise Unauthenticated("这个令牌不能在当前地址使用。")
    if used is None or moment - used > USE_NOTED:
        Token.objects.filter(pk=pk).update(used_at=moment)
    key = (mark, today())
    deadline, actor = _remembered.get(key, (0.0, None))
    if deadline < time.monotonic():
        if len(_remembered) > 10_000:
            _remembered.clear()
        actor = (
            _staff(person, post, account, pk)
            if application is None
            else _service(application, title, own_post, pk)
        )
        _remembered[key] = (time.monotonic() + REMEMBERED, actor)
    return Pass(f"token:{pk}", actor, frozenset(scopes.split()))


def comes_from(address: str, networks: str) -> bool:
    """Whether an address lies in one of the networks."""
    try:
        here = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(here in ipaddress.ip_network(one) for one in networks.split())


def _staff(person_id: int, post_id: int, account_id: int, token_id: int) -> Actor:
    try:
        staff = directory.staff(person_id, post_id, Ref("account", str(account_id)))
    except Denied as error:
        raise Unauthenticated(error.detail, todo="任职或代理恢复后可继续使用；否则请另建令牌。") from None
    return weakened(replace(staff, label=f"{staff.label}（接口）", token=_ref(token_id)))


def _ref(token_id: int) -> Ref:
    return Ref("token", str(token_id))


def _service(application_id: int, title: str, post_id: int, token_id: int) -> Actor:
    try:
        post = directory.vacant_post(post_id)
    except Denied as error:
        raise Unauthenticated(f"应用账号“{title}”：{error.detail}", todo="请联系系统管理员。") from None
    return weakened(
        Service(
            ref=Ref("application", str(application_id)),
            label=f"{title}（应用）",
            roles=post.roles,
            on_behalf=Ref("unit", str(post.unit_id)),
            post_id=post.id,
            unit_id=post.unit_id,
            token=_ref(token_id),
        )
    )


def weakened(actor: Actor) -> Actor:
    """The same actor without roles that demand a second factor: a token is one factor only."""
    strict = frozenset(
        code for code, role in directory.all_roles().items() if role.second_factor and code in actor.roles
    )
    return replace(actor, roles=actor.roles - strict, withheld=strict) if strict else actor


def expiry(days: int) -> datetime:
    """The end of a token that is made now."""
    return machine_now() + timedelta(days=days)
