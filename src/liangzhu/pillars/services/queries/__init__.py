"""Every read of services."""

from liangzhu.pillars.services.queries import cases, counter, halls, incentives, items, ratings

__all__ = ["cases", "counter", "halls", "incentives", "items", "ratings"]
