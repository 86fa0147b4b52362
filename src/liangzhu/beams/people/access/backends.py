"""Checking a user name and password."""

import unicodedata

from allauth.account.auth_backends import AuthenticationBackend
from django.http import HttpRequest

from liangzhu.beams.people.access.models import Account


def plain_username(text: str | None) -> str:
    """A user name as it is stored and counted: half-width, small letters, no spaces around.

    Lock-out counts by this form; otherwise ADMIN, Admin and admin would have five tries each.
    """
    return unicodedata.normalize("NFKC", text or "").strip().lower()


class StaffBackend(AuthenticationBackend):
    """Staff sign in with a user name and a password."""

    def authenticate(self, request: HttpRequest | None, **credentials) -> Account | None:
        """The account, or None. Names outside ASCII match nothing, whatever the database takes for equal."""
        name = plain_username(credentials.get("username"))
        if not name.isascii():
            name = ""
        return super().authenticate(request, **{**credentials, "username": name})
