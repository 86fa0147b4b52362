"""What this app announces. ``kind`` is the kind of the matter, ``entry_id`` the line of its history."""

from dataclasses import dataclass

from liangzhu.kernel.events import event
from liangzhu.kernel.refs import Ref


@event("matters.opened", "事项登记")
@dataclass(frozen=True)
class MatterOpened:
    """A matter was opened (登记)."""

    subject: Ref
    kind: str
    state: str
    unit_id: int
    entry_id: int


@event("matters.advanced", "事项推进")
@dataclass(frozen=True)
class MatterAdvanced:
    """A step was done. With ``part_id`` the states are those of that part. ``handed_to`` is the unit that now
    holds the matter, if that changed.
    """

    subject: Ref
    kind: str
    transition: str
    from_state: str
    to_state: str
    entry_id: int
    part_id: int | None = None
    handed_to: int | None = None

    @property
    def moved(self) -> bool:
        """Whether the matter itself came into another state."""
        return self.part_id is None and self.to_state != self.from_state


@event("matters.closed", "事项办结")
@dataclass(frozen=True)
class MatterClosed:
    """A matter reached an end. ``overran``: 0 untimed, 1 in time, 2 beyond the promise, 3 beyond the law."""

    subject: Ref
    kind: str
    state: str
    overran: int


@event("matters.announced", "步骤通告")
@dataclass(frozen=True)
class Announced:
    """A step that its process announces under a ``name`` of its own ("licence.granted")."""

    subject: Ref
    name: str
    kind: str
    entry_id: int
    part_id: int | None = None


@event("matters.look_again", "条件变化")
@dataclass(frozen=True)
class LookAgain:
    """Something changed that the triggers of this matter may wait for."""

    subject: Ref
    kind: str


@event("matters.merged", "并入")
@dataclass(frozen=True)
class MatterMerged:
    """A matter was merged into another (并入), which answers for both."""

    subject: Ref
    kind: str
    into_id: int


@event("matters.part_opened", "请求配合")
@dataclass(frozen=True)
class PartOpened:
    """Parallel work was asked of a unit."""

    subject: Ref
    kind: str
    part_id: int
    unit_id: int


@event("matters.clock_extended", "时限延长")
@dataclass(frozen=True)
class ClockExtended:
    """A clock ends later. Instants are ISO 8601 in UTC and exclusive."""

    subject: Ref
    kind: str
    clock: str
    old_due: str
    new_due: str


@event("matters.reminder_sent", "发出提醒")
@dataclass(frozen=True)
class ReminderSent:
    """Somebody was reminded. ``stage`` is before-N, near, end or late-N-role; ``posts`` how many posts were
    told.
    """

    subject: Ref
    kind: str
    stage: str
    posts: int
