"""Every read of services."""

from liangzhu.pillars.services.queries import cases, halls, incentives, items, ratings

__all__ = ["cases", "halls", "incentives", "items", "ratings"]
