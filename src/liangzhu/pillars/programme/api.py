"""The front door of the programme."""

from liangzhu.pillars.programme.loading import history_exists, load_plan, play_history

__all__ = ["history_exists", "load_plan", "play_history"]
