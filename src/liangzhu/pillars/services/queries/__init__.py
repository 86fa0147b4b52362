"""Every read of services."""

from liangzhu.pillars.services.queries import cases, counter, figures, halls, incentives, items, ratings

__all__ = ["cases", "counter", "figures", "halls", "incentives", "items", "ratings"]
