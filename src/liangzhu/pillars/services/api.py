"""The front door of this app."""

from liangzhu.pillars.services.bundles import load_bundles
from liangzhu.pillars.services.catalogue import load_items

__all__ = ["load_bundles", "load_items"]
