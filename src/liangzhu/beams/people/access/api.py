"""The front door of this app."""

from liangzhu.beams.people.access.actions import (
    Made,
    Opened,
    make_application_token,
    make_token,
    open_account,
    open_application,
    open_first_administrator,
    revoke_token,
)
from liangzhu.beams.people.access.loaders import demo_password, load_accounts
from liangzhu.beams.people.access.models import Account, Application, Token
from liangzhu.beams.people.access.queries import (
    SignIn,
    account_for,
    actor_of,
    current_staff,
    demo_accounts_exist,
    device,
    has_second_factor,
    session_holds,
    sign_in_of,
)

__all__ = [
    "Account",
    "Application",
    "Made",
    "Opened",
    "SignIn",
    "Token",
    "account_for",
    "actor_of",
    "current_staff",
    "demo_accounts_exist",
    "demo_password",
    "device",
    "has_second_factor",
    "load_accounts",
    "make_application_token",
    "make_token",
    "open_account",
    "open_application",
    "open_first_administrator",
    "revoke_token",
    "session_holds",
    "sign_in_of",
]
