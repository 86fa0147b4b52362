"""The front door of the programme."""

from liangzhu.pillars.programme.loading import history_exists, load_plan, play_history
from liangzhu.pillars.programme.overview import public_changes, public_figures, published

__all__ = [
    "history_exists",
    "load_plan",
    "play_history",
    "public_changes",
    "public_figures",
    "published",
]
