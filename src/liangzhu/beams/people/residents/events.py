"""What this app announces. No event carries a personal value."""

from dataclasses import dataclass

from liangzhu.kernel.events import event
from liangzhu.kernel.refs import Ref


@event("residents.consent_given", "授权同意")
@dataclass(frozen=True)
class ConsentGiven:
    """Somebody agreed that a source is read for a case."""

    subject: Ref
    source: str
    case: str


@event("residents.consent_ended", "撤回同意")
@dataclass(frozen=True)
class ConsentEnded:
    """A consent was taken back before its time."""

    subject: Ref
    source: str
    case: str


@event("residents.session_ended", "群众的登录结束")
@dataclass(frozen=True)
class SessionEnded:
    """Sessions of a public account are over; ``sessions`` are their numbers with blanks between."""

    subject: Ref
    sessions: str
