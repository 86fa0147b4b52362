"""Every change of services."""

from liangzhu.pillars.services.actions import cases, halls
from liangzhu.pillars.services.actions.importing import import_items
from liangzhu.pillars.services.actions.items import (
    begin_draft,
    begin_item,
    bring_into_force,
    decide,
    edit_section,
    put_row,
    remove_row,
    submit,
    take_in,
    withdraw,
)
from liangzhu.pillars.services.actions.once_only import (
    end_exemption,
    end_exemptions,
    propose_exemption,
    raise_upward,
    record_answer,
    sign_exemption,
)

__all__ = [
    "begin_draft",
    "begin_item",
    "bring_into_force",
    "cases",
    "decide",
    "edit_section",
    "end_exemption",
    "end_exemptions",
    "halls",
    "import_items",
    "propose_exemption",
    "put_row",
    "raise_upward",
    "record_answer",
    "remove_row",
    "sign_exemption",
    "submit",
    "take_in",
    "withdraw",
]
