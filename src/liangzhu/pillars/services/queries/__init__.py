"""Every read of services."""

from liangzhu.pillars.services.queries import cases, items

__all__ = ["cases", "items"]
