"""The tables of services."""

from liangzhu.pillars.services.models.cases import Application, Case, Material
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
    "Application",
    "Batch",
    "Case",
    "Exemption",
    "Item",
    "ItemBasis",
    "ItemFee",
    "ItemMaterial",
    "ItemQuestion",
    "ItemStep",
    "ItemVersion",
    "Material",
    "SourceRecord",
    "Upward",
]
