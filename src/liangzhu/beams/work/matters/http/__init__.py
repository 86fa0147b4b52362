"""The API of this app: matters, notices, processes and the calendar."""

from liangzhu.beams.work.matters.http import calendar, matters, notices, processes

__all__ = ["calendar", "matters", "notices", "processes"]
