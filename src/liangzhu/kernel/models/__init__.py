"""The kernel's tables."""

from liangzhu.kernel.models.calendar import DayOverride
from liangzhu.kernel.models.key import Key
from liangzhu.kernel.models.limits import Bucket, Replay
from liangzhu.kernel.models.log import LogDetail, LogHead, LogLeaf, LogTile, Submission
from liangzhu.kernel.models.outbox import Delivery, OutboxEvent, PeriodicRun, Received
from liangzhu.kernel.models.release import Release, Series
from liangzhu.kernel.models.search import SearchDoc

__all__ = [
    "Bucket",
    "DayOverride",
    "Delivery",
    "Key",
    "LogDetail",
    "LogHead",
    "LogLeaf",
    "LogTile",
    "OutboxEvent",
    "PeriodicRun",
    "Received",
    "Release",
    "Replay",
    "SearchDoc",
    "Series",
    "Submission",
]
