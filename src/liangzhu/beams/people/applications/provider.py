"""The OpenID Connect provider: what requests may say is oauthlib's (RFC 6749, 7636, OpenID Connect Core 1.0), who and whether
is ours.

oauthlib knows the grammar of requests and errors; `Validator` answers its questions. Only the code flow exists, always with
PKCE by S256. Nothing is written before a code is redeemed: a code is a sealed text (`tokens`), a sign-in begins with its
redemption.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

import jwt
from django.conf import settings
from oauthlib.common import Request
from oauthlib.oauth2 import RequestValidator as OAuthValidator
from oauthlib.oauth2.rfc6749 import errors
from oauthlib.oauth2.rfc6749.endpoints import AuthorizationEndpoint, TokenEndpoint
from oauthlib.oauth2.rfc6749.grant_types.authorization_code import code_challenge_method_s256
from oauthlib.oauth2.rfc6749.tokens import BearerToken
from oauthlib.openid.connect.core.grant_types import AuthorizationCodeGrant, RefreshTokenGrant

from liangzhu.beams.people.applications import actions, declared, people, signing, tokens
from liangzhu.beams.people.applications.declared import Declared
from liangzhu.beams.people.applications.models import DepartmentApplication, SignOn
from liangzhu.kernel.actors import Actor

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LONGEST = 3600
"""Seconds that a client assertion may be good for: so long its number is remembered."""

LEEWAY = 30
"""Seconds by which clocks may differ."""

PATHS = {
    "authorization_endpoint": "/oidc/authorize/",
    "token_endpoint": "/oidc/token/",
    "userinfo_endpoint": "/oidc/userinfo/",
    "revocation_endpoint": "/oidc/revoke/",
    "end_session_endpoint": "/oidc/logout/",
    "jwks_uri": "/oidc/jwks.json",
}
"""Where what stands, below the issuer; `pages/urls` serves them, and a test holds the two together."""


def issuer() -> str:
    """Who signs: the public address of the portal, for ever the same."""
    return settings.LIANGZHU_ADDRESS.rstrip("/")


def metadata() -> dict[str, Any]:
    """The provider's metadata (OpenID Connect Discovery 1.0, RFC 8414)."""
    algorithms = list(declared.ASSERTION_ALGORITHMS)
    methods = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
    return (
        {"issuer": issuer()}
        | {name: issuer() + path for name, path in PATHS.items()}
        | {
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": list(declared.ALGORITHMS),
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": algorithms,
            "revocation_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": list(declared.SCOPES),
            "claims_supported": [
                *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash"),
                *("kind", "name", "unit", "post", "roles", "organisation"),
                *("document_kind", "document_number", "phone_number"),
            ],
            "acr_values_supported": [f"{people.ACR}{level}" for level in (1, 2, 3)],
            "prompt_values_supported": ["none", "login", "consent"],
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
            "authorization_response_iss_parameter_supported": True,
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
            "ui_locales_supported": ["zh-CN"],
        }
    )


class NotSupported(errors.OAuth2Error):
    """A parameter of OpenID Connect that this provider does not take (Core 1.0 §3.1.2.6)."""

    def __init__(self, name: str, request: Request):
        self.error = f"{name}_not_supported"
        super().__init__(request=request)


@dataclass
class Found:
    """What was found on the way through one request, beside what the client may call its parameters."""

    code: actions.Code | None = None
    late: bool = False
    sign_on: SignOn | None = None
    refreshed: tuple[int, int] | None = None


def found(request: Request) -> Found:
    """The findings of a request."""
    return request.__dict__.setdefault("found", Found())


def program(application: DepartmentApplication) -> Actor:
    """An application as actor, once it proved itself."""
    return Actor(ref=application.ref, label=application.title)


class Validator(OAuthValidator):
    """Answers oauthlib's questions."""

    # -- the request of a browser --------------------------------------------------------------------------

    def validate_client_id(self, client_id: str, request: Request, *args, **kwargs) -> bool:
        """Whether an application of that name may be opened."""
        request.client = DepartmentApplication.objects.filter(
            client_id=client_id[:40], state=DepartmentApplication.PUBLISHED
        ).first()
        return request.client is not None

    def validate_redirect_uri(
        self, client_id: str, redirect_uri: str, request: Request, *args, **kwargs
    ) -> bool:
        """Whether an address is registered, letter by letter."""
        return redirect_uri in said(request).redirect_uris

    def get_default_redirect_uri(self, client_id: str, request: Request, *args, **kwargs) -> None:
        """None: it is always said."""
        return None

    def validate_response_type(self, client_id, response_type, client, request, *args, **kwargs) -> bool:
        """The code flow only."""
        return response_type == "code"

    def is_pkce_required(self, client_id: str, request: Request) -> bool:
        """Always, for those with a secret as well (RFC 9700 §2.1.1)."""
        return True

    def get_default_scopes(self, client_id: str, request: Request, *args, **kwargs) -> list[str]:
        """None: what is not asked for is not given, and without ``openid`` it is no sign-in."""
        return []

    def validate_scopes(self, client_id, scopes, client, request, *args, **kwargs) -> bool:
        """Whether an application may ask for that. What nobody here knows is left out (Core 1.0 §3.1.2.1)."""
        known = [one for one in dict.fromkeys(scopes) if one in declared.SCOPES]
        request.scopes = known
        return "openid" in known and set(known) <= set(said(request).wanted)

    def validate_user_match(self, id_token_hint, scopes, claims, request) -> bool:
        """Asked where the person is known (`pages.protocol`)."""
        return True

    def validate_silent_login(self, request: Request) -> bool:
        """Asked where the person is known."""
        return True

    def validate_silent_authorization(self, request: Request) -> bool:
        """Asked where the person is known."""
        return True

    # -- who asks for tokens -------------------------------------------------------------------------------

    def client_authentication_required(self, request: Request, *args, **kwargs) -> bool:
        """Always: there are no public clients."""
        return True

    def authenticate_client(self, request: Request, *args, **kwargs) -> bool:
        """Whether the application is who it says, by the means that it registered."""
        body = dict(request.decoded_body or [])
        header = _basic(request.headers.get("Authorization", ""))
        if request.headers.get("Authorization") and header is None:
            return False
        ways = [header is not None, "client_secret" in body, "client_assertion" in body]
        if sum(ways) != 1:
            return False
        if "client_assertion" in body:
            return self._by_assertion(request, body)
        client_id, secret = header or (body.get("client_id", ""), body["client_secret"])
        if body.get("client_id", client_id) != client_id:
            return False
        if not self.validate_client_id(client_id, request):
            return False
        return said(request).method == "client_secret" and opens(request.client, secret)

    def authenticate_client_id(self, client_id: str, request: Request, *args, **kwargs) -> bool:
        """Never: there are no public clients."""
        return False

    def _by_assertion(self, request: Request, body: dict[str, str]) -> bool:
        """``private_key_jwt`` (Core 1.0 §9, RFC 7523): signed by a registered key, meant for us, short, and used once."""
        if body.get("client_assertion_type") != ASSERTION:
            return False
        text = body["client_assertion"]
        try:
            head = jwt.get_unverified_header(text)
            name = jwt.decode(text, options={"verify_signature": False}).get("sub", "")
        except jwt.PyJWTError:
            return False
        if not isinstance(name, str) or body.get("client_id", name) != name:
            return False
        if not self.validate_client_id(name, request) or said(request).method != "private_key_jwt":
            return False
        keys = [one for one in said(request).public_keys() if head.get("kid") in (None, one.key_id)]
        claims = next((one for key in keys if (one := _claims(text, key, name)) is not None), None)
        if claims is None or claims["exp"] > tokens.seconds() + ASSERTION_LONGEST + LEEWAY:
            return False
        until = datetime.fromtimestamp(claims["exp"] + LEEWAY, UTC)
        return actions.use_assertion(program(request.client), number=claims["jti"], until=until)

    def validate_grant_type(self, client_id, grant_type, client, request, *args, **kwargs) -> bool:
        """A code, or the next tokens of a sign-in."""
        return grant_type in ("authorization_code", "refresh_token")

    # -- codes ---------------------------------------------------------------------------------------------

    def validate_code(self, client_id, code, client, request, *args, **kwargs) -> bool:
        """Whether a code is ours, for this application, and the session that it came from counts still."""
        opened = tokens.opened(tokens.CODE, code)
        if opened is None:
            return False
        known = found(request)
        known.late, known.code = opened[0], actions.Code.of(opened[1])
        request.scopes = list(known.code.scopes)
        if known.code.application_id != client.pk:
            return False
        return known.late or people.session_holds(known.code.who.ref, known.code.who.session)

    def get_code_challenge(self, code: str, request: Request) -> str:
        """What the verifier must hash to."""
        return found(request).code.challenge

    def get_code_challenge_method(self, code: str, request: Request) -> str:
        """Always S256."""
        return "S256"

    def confirm_redirect_uri(self, client_id, code, redirect_uri, client, request, *args, **kwargs) -> bool:
        """Whether it is the address that the code was sent to."""
        return hmac.compare_digest(found(request).code.redirect_uri.encode(), redirect_uri.encode())

    def get_authorization_code_nonce(self, client_id, code, redirect_uri, request) -> str:
        """The nonce of the request, for the ID token."""
        return found(request).code.nonce

    def invalidate_authorization_code(self, client_id, code, request, *args, **kwargs) -> None:
        """Done with the redemption itself."""

    # -- tokens --------------------------------------------------------------------------------------------

    def rotate_refresh_token(self, request: Request) -> bool:
        """Always."""
        return True

    def validate_refresh_token(self, refresh_token, client, request, *args, **kwargs) -> bool:
        """Whether it is one of ours, for a sign-in to this application."""
        content = tokens.read(tokens.REFRESH, refresh_token)
        if content is None or not SignOn.objects.filter(pk=content[0], application=client).exists():
            return False
        found(request).refreshed = (content[0], content[1])
        return True

    def get_original_scopes(self, refresh_token: str, request: Request, *args, **kwargs) -> list[str]:
        """The scopes of the sign-in."""
        return SignOn.objects.get(pk=found(request).refreshed[0]).names

    def refresh_id_token(self, request: Request) -> bool:
        """An ID token comes with new tokens too, about the same sign-in (Core 1.0 §12.2)."""
        return True

    def save_bearer_token(self, token: dict, request: Request, *args, **kwargs) -> str:
        """Nothing is kept of a token."""
        return ""

    def get_id_token(self, token: dict, token_handler, request: Request) -> str:
        """The signed ID token (Core 1.0 §2)."""
        known, saying = found(request), said(request)
        row = known.sign_on
        moment = tokens.seconds()
        claims = {
            "iss": issuer(),
            "sub": people.subject(saying, row.who),
            "aud": request.client.client_id,
            "iat": moment,
            "exp": moment + tokens.ACCESS_SECONDS,
            "auth_time": int(row.proved_at.timestamp()),
            "acr": f"{people.ACR}{row.level}",
            "amr": people.amr(row.means),
            "sid": people.session_number(saying, row.who, row.session),
            "at_hash": signing.half_hash(token["access_token"]),
        }
        if known.code is not None and known.code.nonce:
            claims["nonce"] = known.code.nonce
        return signing.sign(claims, saying.algorithm)


def said(request: Request) -> Declared:
    """What the application of a request declares."""
    return declared.by_id(request.client.current_id)


def opens(application: DepartmentApplication, secret: str) -> bool:
    """Whether a secret is the application's, or the one before, as long as that opens."""
    given = tokens.digest(secret)
    if application.secret and hmac.compare_digest(application.secret, given):
        return True
    old, until = application.old_secret, application.old_secret_until
    return (
        bool(old) and until is not None and until > tokens.machine_now() and hmac.compare_digest(old, given)
    )


def _basic(header: str) -> tuple[str, str] | None:
    """Name and secret of a header ``Basic`` (RFC 6749 §2.3.1: each form-encoded), None when it is none."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (unquote_plus(name), unquote_plus(secret)) if colon else None


def _claims(text: str, key: jwt.PyJWK, name: str) -> dict[str, Any] | None:
    """What an assertion says, if that key signed it for us."""
    try:
        claims = jwt.decode(
            text,
            key.key,
            algorithms=list(declared.ASSERTION_ALGORITHMS),
            audience=[issuer(), issuer() + PATHS["token_endpoint"], issuer() + PATHS["revocation_endpoint"]],
            issuer=name,
            subject=name,
            leeway=LEEWAY,
            options={"require": ["exp", "iss", "sub", "aud", "jti"]},
        )
    except (jwt.PyJWTError, TypeError, ValueError):
        return None
    return claims if isinstance(claims["jti"], str) and 0 < len(claims["jti"]) <= 500 else None


def _unsupported(request: Request) -> dict:
    """Refuse what this provider does not take, instead of leaving it out unseen."""
    given = dict(request.uri_query_params)
    for name in ("request", "request_uri", "registration"):
        if name in given:
            raise NotSupported(name, request)
    if given.get("response_mode", "query") != "query":
        raise errors.InvalidRequestError("Only response_mode=query is supported.", request=request)
    return {}


def _access(request: Request) -> str:
    """Begin or go on with a sign-in, and make its access token. Raises InvalidGrantError."""
    known, who = found(request), program(request.client)
    if known.refreshed is not None:
        number, generation = known.refreshed
        row = actions.refresh(who, sign_on_id=number, generation=generation)
    else:
        row = actions.sign_on(
            people.actor_for(known.code.who.ref),
            code=known.code,
            digest=tokens.digest(request.code),
            application=request.client,
            late=known.late,
        )
    if row is None:
        raise errors.InvalidGrantError(request=request)
    known.sign_on = row
    return tokens.make(tokens.ACCESS, [row.pk], tokens.ACCESS_SECONDS)


def _refresh(request: Request) -> str:
    row = found(request).sign_on
    return tokens.make(tokens.REFRESH, [row.pk, row.generation])


class Server(AuthorizationEndpoint, TokenEndpoint):
    """The two endpoints that oauthlib reads."""

    def __init__(self) -> None:
        validator = Validator()
        code = AuthorizationCodeGrant(validator)
        code.proxy_target._code_challenge_methods = {"S256": code_challenge_method_s256}
        code.custom_validators.pre_auth.append(_unsupported)
        refresh = RefreshTokenGrant(validator)
        bearer = BearerToken(validator, _access, tokens.ACCESS_SECONDS, _refresh)
        AuthorizationEndpoint.__init__(
            self, default_response_type="code", default_token_type=bearer, response_types={"code": code}
        )
        TokenEndpoint.__init__(
            self,
            default_grant_type="authorization_code",
            default_token_type=bearer,
            grant_types={"authorization_code": code, "refresh_token": refresh},
        )


server = Server()
validator = Validator()
