"""Signed tokens: by RS256 or ES256 under keys that rotate (`liangzhu keys rotate sign_on_rs`), published as JWKS."""

import base64
import hashlib
import json
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from liangzhu.beams.people.applications import tokens
from liangzhu.kernel import keys

PURPOSES = {"RS256": "sign_on_rs", "ES256": "sign_on_es"}
keys.declare("sign_on_rs", keys.RSA, "签署应用登录（RS256）")
keys.declare("sign_on_es", keys.P256, "签署应用登录（ES256）")


@lru_cache(maxsize=64)
def _private(secret: bytes, algorithm: str) -> Any:
    if algorithm == "RS256":
        return load_der_private_key(secret, None)
    return ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())


@lru_cache(maxsize=64)
def _public(public: bytes, algorithm: str) -> Any:
    if algorithm == "RS256":
        return load_der_public_key(public)
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)


def _name(key: keys.Material) -> str:
    """The name of a key (``kid``): its version and a hash of it, so that two installations never share one."""
    mark = base64.urlsafe_b64encode(hashlib.sha256(key.public).digest()[:12]).decode()
    return f"{key.version}-{mark}"


def sign(claims: dict[str, Any], algorithm: str, kind: str = "JWT") -> str:
    """A JWT under the newest key of an algorithm."""
    key = keys.current(PURPOSES[algorithm])
    head = {"kid": _name(key), "typ": kind}
    return jwt.encode(claims, _private(key.secret, algorithm), algorithm, headers=head)


def half_hash(text: str) -> str:
    """The claim ``at_hash`` (OpenID Connect Core 1.0 §3.1.3.6), for both algorithms by SHA-256."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).decode().rstrip("=")


def _versions(algorithm: str) -> list[keys.Material]:
    """All keys of an algorithm, the newest first: what an old one signed is verified still."""
    newest = keys.current(PURPOSES[algorithm])
    return [keys.material(PURPOSES[algorithm], number) for number in range(newest.version, 0, -1)]


def jwks() -> dict[str, Any]:
    """The public keys (RFC 7517): of each algorithm the present one and the one before, which may still be in use."""
    found = []
    for algorithm, to_jwk in (("RS256", RSAAlgorithm.to_jwk), ("ES256", ECAlgorithm.to_jwk)):
        for key in _versions(algorithm)[:2]:
            jwk = json.loads(to_jwk(_public(key.public, algorithm)))
            jwk.pop("key_ops", None)
            found.append(jwk | {"kid": _name(key), "use": "sig", "alg": algorithm})
    return {"keys": found}


def hint(text: str, issuer: str) -> dict[str, Any] | None:
    """What an ID token of ours says, however old it is (an ``id_token_hint``); None for anything else."""
    try:
        head = jwt.get_unverified_header(text)
    except jwt.PyJWTError:
        return None
    algorithm = head.get("alg")
    if algorithm not in PURPOSES:
        return None
    for key in _versions(algorithm):
        if _name(key) != head.get("kid"):
            continue
        try:
            claims = jwt.decode(
                text,
                _public(key.public, algorithm),
                algorithms=[algorithm],
                issuer=issuer,
                options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
            )
        except jwt.PyJWTError:
            return None
        # A logout token is signed by the same key, and is no ID token.
        return claims if "events" not in claims else None
    return None


def logout_token(
    *, issuer: str, audience: str, subject: str, session: str, algorithm: str, number: str
) -> str:
    """A logout token (OpenID Connect Back-Channel Logout 1.0 §2.4), good for two minutes."""
    moment = tokens.seconds()
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "sid": session,
        "iat": moment,
        "exp": moment + 120,
        "jti": number,
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }
    return sign(claims, algorithm, "logout+jwt")
