"""Every read of services."""

from liangzhu.pillars.services.queries import cases, incentives, items

__all__ = ["cases", "incentives", "items"]
