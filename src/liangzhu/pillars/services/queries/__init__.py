"""Every read of services."""

from liangzhu.pillars.services.queries import items

__all__ = ["items"]
