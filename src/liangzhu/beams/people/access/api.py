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
    account_for,
    actor_of,
    current_staff,
    demo_accounts_exist,
    device,
)

__all__ = [
    "Account",
    "Application",
    "Made",
    "Opened",
    "Token",
    "account_for",
    "actor_of",
    "current_staff",
    "demo_accounts_exist",
    "demo_password",
    "device",
    "load_accounts",
    "make_application_token",
    "make_token",
    "open_account",
    "open_application",
    "open_first_administrator",
    "revoke_token",
]
