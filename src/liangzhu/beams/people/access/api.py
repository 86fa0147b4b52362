"""The front door of this app."""

from liangzhu.beams.people.access.actions import Opened, open_account, open_first_administrator
from liangzhu.beams.people.access.loaders import demo_password, load_accounts
from liangzhu.beams.people.access.models import Account
from liangzhu.beams.people.access.queries import account_for, actor_of, current_staff, demo_accounts_exist

__all__ = [
    "Account",
    "Opened",
    "account_for",
    "actor_of",
    "current_staff",
    "demo_accounts_exist",
    "demo_password",
    "load_accounts",
    "open_account",
    "open_first_administrator",
]
