"""The tables of this app."""

from liangzhu.beams.work.matters.models.clock import Clock, ClockExtension, ClockStop
from liangzhu.beams.work.matters.models.desk import Desk, NoticeRule, View
from liangzhu.beams.work.matters.models.due import Link, Pin, Timer
from liangzhu.beams.work.matters.models.history import Answer, Comment, Entry
from liangzhu.beams.work.matters.models.matter import ENDED_WITH_MATTER, NEVER, Matter, Part, Party
from liangzhu.beams.work.matters.models.notice import Notice
from liangzhu.beams.work.matters.models.sight import Sight

__all__ = [
    "ENDED_WITH_MATTER",
    "NEVER",
    "Answer",
    "Clock",
    "ClockExtension",
    "ClockStop",
    "Comment",
    "Desk",
    "Entry",
    "Link",
    "Matter",
    "Notice",
    "NoticeRule",
    "Part",
    "Party",
    "Pin",
    "Sight",
    "Timer",
    "View",
]
