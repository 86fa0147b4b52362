"""The front door of this app."""

from liangzhu.pillars.services.actions import import_items
from liangzhu.pillars.services.actions.policy_importing import import_policies
from liangzhu.pillars.services.behalf import serving
from liangzhu.pillars.services.bundles import load_bundles
from liangzhu.pillars.services.catalogue import load_items
from liangzhu.pillars.services.checks import rules
from liangzhu.pillars.services.finding import find
from liangzhu.pillars.services.halls import Serving, offer_at_counter
from liangzhu.pillars.services.history import history_begins, history_exists, play_history
from liangzhu.pillars.services.national import WRITERS
from liangzhu.pillars.services.policies import let_see_figures
from liangzhu.pillars.services.queries.items import (
    examine,
    in_force,
    published_sheets,
    refusals,
    unmapped,
    version,
)

__all__ = [
    "WRITERS",
    "Serving",
    "examine",
    "find",
    "history_begins",
    "history_exists",
    "import_items",
    "import_policies",
    "in_force",
    "let_see_figures",
    "load_bundles",
    "load_items",
    "offer_at_counter",
    "play_history",
    "published_sheets",
    "refusals",
    "rules",
    "serving",
    "unmapped",
    "version",
]
