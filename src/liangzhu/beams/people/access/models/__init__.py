"""The tables of this app."""

from liangzhu.beams.people.access.models.account import Account

__all__ = ["Account"]
