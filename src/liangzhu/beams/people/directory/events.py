"""What this app announces. Days are ISO text (YYYY-MM-DD): the day from which it holds."""

from dataclasses import dataclass

from liangzhu.kernel.events import event
from liangzhu.kernel.refs import Ref


@event("directory.unit_opened", "单位设立")
@dataclass(frozen=True)
class UnitOpened:
    """A unit was set up (设立)."""

    subject: Ref
    on: str


@event("directory.unit_renamed", "单位更名")
@dataclass(frozen=True)
class UnitRenamed:
    """A unit has another name (更名)."""

    subject: Ref
    name: str
    on: str


@event("directory.unit_moved", "单位隶属变动")
@dataclass(frozen=True)
class UnitMoved:
    """A unit has another superior or code (隶属、代码变动)."""

    subject: Ref
    on: str


@event("directory.unit_closed", "单位撤销")
@dataclass(frozen=True)
class UnitClosed:
    """A unit ended (撤销). Who took over, if anybody, is told by UnitSucceeded."""

    subject: Ref
    on: str


@event("directory.unit_succeeded", "单位承接")
@dataclass(frozen=True)
class UnitSucceeded:
    """A unit ended and another took over everything (整体承接). Sent on the day itself, never before it.

    A succession that moved only some duties, or that nobody confirmed, is not announced: people decide what passes on.
    """

    subject: Ref
    successor_id: int
    on: str


@event("directory.holding_changed", "任职变动")
@dataclass(frozen=True)
class HoldingChanged:
    """Who holds or stands in for a post has changed. ``subject`` is the post."""

    subject: Ref
    person_id: int
    on: str
