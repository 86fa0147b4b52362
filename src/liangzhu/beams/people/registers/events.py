"""What this app announces. No event carries a personal value."""

from dataclasses import dataclass

from liangzhu.kernel.events import event
from liangzhu.kernel.refs import Ref


@event("registers.person_changed", "自然人登记变动")
@dataclass(frozen=True)
class PersonChanged:
    """A person was registered, or values of it changed. ``fields`` are their names with blanks between."""

    subject: Ref
    fields: str


@event("registers.person_merged", "自然人登记合并")
@dataclass(frozen=True)
class PersonMerged:
    """Two rows were one person; ``subject`` goes on as ``survivor_id``."""

    subject: Ref
    survivor_id: int


@event("registers.person_forgotten", "自然人登记依规删除")
@dataclass(frozen=True)
class PersonForgotten:
    """The values of a person were destroyed by rule."""

    subject: Ref


@event("registers.organisation_changed", "组织登记变动")
@dataclass(frozen=True)
class OrganisationChanged:
    """An organisation was registered, or values of it changed. ``fields`` are their names with blanks between."""

    subject: Ref
    fields: str


@event("registers.mandate_asked", "在线授权待确认")
@dataclass(frozen=True)
class MandateAsked:
    """A resident gave a mandate; the other side has to confirm it."""

    subject: Ref


@event("registers.mandate_began", "授权确认")
@dataclass(frozen=True)
class MandateBegan:
    """The other side confirmed a mandate."""

    subject: Ref


@event("registers.mandate_ended", "授权终止")
@dataclass(frozen=True)
class MandateEnded:
    """A mandate holds no longer from ``on`` (ISO day); ``reason`` is a code of `Mandate.REASONS`."""

    subject: Ref
    reason: str
    on: str
