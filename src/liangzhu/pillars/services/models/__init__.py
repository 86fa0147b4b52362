"""The tables of services."""

from liangzhu.pillars.services.models.cases import Application, Case, Material
from liangzhu.pillars.services.models.halls import Appointment, HallDay, Sitting, Ticket
from liangzhu.pillars.services.models.incentives import (
    EnterpriseFact,
    Incentive,
    IncentiveCriterion,
    IncentiveMatch,
    IncentiveVersion,
    Payout,
    PayoutBatch,
    PolicyDocument,
)
from liangzhu.pillars.services.models.items import (
    ON_REQUEST,
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
from liangzhu.pillars.services.models.ratings import Rating

__all__ = [
    "ON_REQUEST",
    "Application",
    "Appointment",
    "Batch",
    "Case",
    "EnterpriseFact",
    "Exemption",
    "HallDay",
    "Incentive",
    "IncentiveCriterion",
    "IncentiveMatch",
    "IncentiveVersion",
    "Item",
    "ItemBasis",
    "ItemFee",
    "ItemMaterial",
    "ItemQuestion",
    "ItemStep",
    "ItemVersion",
    "Material",
    "Payout",
    "PayoutBatch",
    "PolicyDocument",
    "Rating",
    "Sitting",
    "SourceRecord",
    "Ticket",
    "Upward",
]
