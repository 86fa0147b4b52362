"""Codes and tokens: sealed texts (SM4-GCM) that carry what they stand for, so that none of them is kept anywhere.

A code names who signed in and for what; an access or refresh token names a row of `SignOn`, which is read at every use.
The application sees letters; another kind, another installation or one changed letter opens nothing.
"""

import base64
import binascii
import json
import secrets
from typing import Any

from django.conf import settings
from django.utils.timezone import now as machine_now  # noqa: TID251 - tokens run on the machine's clock

from liangzhu.kernel import crypto, keys

keys.declare("sign_on", keys.SM4, "应用登录的凭据")
keys.declare("sign_on_subject", keys.HMAC, "应用内编号")

CODE, ACCESS, REFRESH = "lzc", "lza", "lzr"
CODE_SECONDS, ACCESS_SECONDS = 60, 600
"""A code is for the way back of one browser, an access token for a few calls; both are refused afterwards."""


def seconds() -> int:
    """Seconds since 1970, as tokens count them."""
    return int(machine_now().timestamp())


def make(kind: str, content: list, lasting: int | None = None) -> str:
    """A text that stands for ``content`` for so many seconds (None: as long as what it names)."""
    key = keys.current("sign_on")
    until = 0 if lasting is None else seconds() + lasting
    plain = json.dumps([until, secrets.token_hex(8), *content], separators=(",", ":")).encode()
    sealed = key.version.to_bytes(2, "big") + crypto.seal(key.secret, plain, kind.encode())
    return f"{kind}_{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"


def opened(kind: str, text: str) -> tuple[bool, list[Any]] | None:
    """Whether the time of a text of that kind is over, and what it stands for; None when it is none of ours, or altered."""
    head, _, body = text.partition("_")
    if head != kind or len(body) > 6000 or not body.isascii():
        return None
    try:
        sealed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        key = keys.material("sign_on", int.from_bytes(sealed[:2], "big"))
        until, _random, *content = json.loads(crypto.unseal(key.secret, sealed[2:], kind.encode()))
    except (binascii.Error, ValueError, crypto.CryptoError, keys.NoSuchKey):
        return None
    return bool(until) and until < seconds(), content


def read(kind: str, text: str) -> list[Any] | None:
    """What a text of that kind stands for; None when it is none of ours, altered, or its time is over."""
    found = opened(kind, text)
    return None if found is None or found[0] else found[1]


def digest(text: str) -> str:
    """What is kept of a code, of a secret and of an assertion's number: HMAC-SM3 under the key of this installation."""
    return crypto.hmac_sm3(settings.SECRET_KEY.encode(), b"sign-on:" + text.encode()).hex()


def pairwise(sector: str, what: str) -> str:
    """A number that means ``what`` within a sector and nothing outside of it: 43 letters of base64url.

    Always by the first key: who was told a number must find the same one for ever.
    """
    keys.current("sign_on_subject")
    key = keys.material("sign_on_subject", 1).secret
    found = crypto.hmac_sm3(key, f"{sector}\n{what}".encode())
    return base64.urlsafe_b64encode(found).decode().rstrip("=")
