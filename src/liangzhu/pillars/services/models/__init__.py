"""The tables of services."""

from liangzhu.pillars.services.models.items import (
    Batch,
    Exemption,
    Item,
    ItemBasis,
    ItemFee,
    ItemMaterial,
    ItemQuestion,
    ItemStep,
    ItemVersion,
    SourceRecord,
    Upward,
)

__all__ = [
    "Batch",
    "Exemption",
    "Item",
    "ItemBasis",
    "ItemFee",
    "ItemMaterial",
    "ItemQuestion",
    "ItemStep",
    "ItemVersion",
    "SourceRecord",
    "Upward",
]
