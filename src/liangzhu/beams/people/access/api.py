"""The front door of this app."""

from liangzhu.beams.people.access.models import Account
from liangzhu.beams.people.access.queries import account_for, actor_of, current_staff, demo_accounts_exist

__all__ = ["Account", "account_for", "actor_of", "current_staff", "demo_accounts_exist"]
