"""The tables of this app."""

from liangzhu.beams.people.access.models.account import Account
from liangzhu.beams.people.access.models.token import Application, Token

__all__ = ["Account", "Application", "Token"]
