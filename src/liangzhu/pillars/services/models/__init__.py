"""The tables of services."""

from liangzhu.pillars.services.models.items import (
    Item,
    ItemMaterial,
    ItemQuestion,
    ItemStep,
    ItemVersion,
)

__all__ = ["Item", "ItemMaterial", "ItemQuestion", "ItemStep", "ItemVersion"]
