"""What this app announces."""

from dataclasses import dataclass

from liangzhu.kernel.events import event
from liangzhu.kernel.refs import Ref


@event("indicators.snapshot_taken", "指标数值生效")
@dataclass(frozen=True)
class SnapshotTaken:
    """A value began to count: it was computed, or a reported one was confirmed. ``subject`` is the snapshot.

    ``as_of`` is a day as YYYY-MM-DD, ``value`` the plain decimal or None.
    """

    subject: Ref
    indicator_key: str
    as_of: str
    value: str | None


@event("indicators.value_reported", "指标数值上报")
@dataclass(frozen=True)
class ValueReported:
    """A unit reported a value; a second person has to confirm it. ``subject`` is the snapshot."""

    subject: Ref
    indicator_key: str
    as_of: str


@event("indicators.value_refused", "指标数值退回")
@dataclass(frozen=True)
class ValueRefused:
    """A reported value was sent back with a reason. ``subject`` is the snapshot."""

    subject: Ref
    indicator_key: str
    as_of: str
