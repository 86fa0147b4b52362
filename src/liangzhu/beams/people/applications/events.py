"""What this app announces."""

from dataclasses import dataclass

from liangzhu.kernel.events import event
from liangzhu.kernel.refs import Ref


@event("applications.published", "应用发布")
@dataclass(frozen=True)
class ApplicationPublished:
    """An application may be opened from now on."""

    subject: Ref


@event("applications.withdrawn", "应用撤下")
@dataclass(frozen=True)
class ApplicationWithdrawn:
    """An application may not be opened any more."""

    subject: Ref
