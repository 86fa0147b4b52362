"""An application for the tests of single sign-on, registered and published through the product's own actions."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from urllib.parse import parse_qs, parse_qsl, urlsplit

from django.test import Client

from liangzhu.beams.people.applications import actions
from liangzhu.beams.people.applications.declared import Declared
from liangzhu.beams.people.applications.models import DepartmentApplication
from liangzhu.beams.people.applications.provider import PATHS

BACK = "http://127.0.0.1:9/back"
VERIFIER = "a" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


def declared(**more) -> Declared:
    """A declaration with what is given changed."""
    return Declared(
        **{
            "title": "执法办案系统",
            "category": "office",
            "purpose": "登记和办理执法案件",
            "contact": "周工 12345",
            "start_url": "http://127.0.0.1:9/start",
            "redirect_uris": (BACK,),
            "staff": True,
            "residents": True,
            "government": True,
            "scopes": {"profile": "页面上称呼您"},
        }
        | more
    )


@dataclass
class Program:
    """An application as its own program sees it: its name, secret, and what it asks for."""

    row: DepartmentApplication
    secret: str = ""
    machine: Client = field(default_factory=lambda: Client(SERVER_NAME="localhost"))

    @property
    def client_id(self) -> str:
        return self.row.client_id

    def ask(self, browser: Client, **more):
        """The browser's request; what comes back."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": BACK,
            "scope": "openid profile",
            "state": "s-1",
            "nonce": "n-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | more
        asked = {name: value for name, value in asked.items() if value is not None}
        return browser.get(PATHS["authorization_endpoint"], asked)

    def code(self, browser: Client, **more) -> str:
        """A code for a browser that needs no further question."""
        return found(self.ask(browser, **more))["code"]

    def token(self, **form):
        """A call of the token endpoint with the secret in the form; ``client_secret=None`` leaves it out."""
        given = {
            "grant_type": "authorization_code",
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
            "client_id": self.client_id,
            "client_secret": self.secret,
        } | form
        return self.post("token_endpoint", given)

    def refresh(self, token: str):
        """The next tokens."""
        return self.token(
            grant_type="refresh_token", refresh_token=token, redirect_uri=None, code_verifier=None
        )

    def post(self, endpoint: str, form: dict, **headers):
        """A call of an endpoint of machines."""
        from urllib.parse import urlencode

        body = urlencode({name: value for name, value in form.items() if value is not None})
        return self.machine.post(
            PATHS[endpoint], body, content_type="application/x-www-form-urlencoded", **headers
        )

    def about(self, access_token: str):
        """Userinfo."""
        return self.machine.get(PATHS["userinfo_endpoint"], HTTP_AUTHORIZATION=f"Bearer {access_token}")


def found(response) -> dict[str, str]:
    """What a redirect to the application says."""
    assert response.status_code == 302, response.content.decode()
    address = response["Location"]
    assert address.startswith(BACK), address
    return dict(parse_qsl(urlsplit(address).query))


def asked_for(response) -> tuple[str, dict]:
    """Where a redirect inside the house leads, and its query."""
    assert response.status_code == 302, response.content.decode()
    parts = urlsplit(response["Location"])
    return parts.path, {name: value[0] for name, value in parse_qs(parts.query).items()}


def claims(token: str) -> dict:
    """The claims of a JWT, unverified: the tests with other people's clients verify."""
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def publish(keeper, reviewer, **more) -> Program:
    """Register, review, publish, and make a secret."""
    row = actions.register(keeper, given=declared(**more))
    actions.review(reviewer, declaration_id=row.declarations.get().pk, accept=True)
    row.refresh_from_db()
    secret = ""
    if more.get("method", "client_secret") == "client_secret":
        secret = actions.make_secret(keeper, application_id=row.pk).text
    return Program(row, secret)
