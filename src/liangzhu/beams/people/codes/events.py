"""What this app announces. No event carries a personal value."""

from dataclasses import dataclass

from liangzhu.kernel.events import event
from liangzhu.kernel.refs import Ref


@event("codes.accepted", "服务码核验通过")
@dataclass(frozen=True)
class CodeAccepted:
    """A code was checked at a counter, or its holder by document. ``subject`` is the scan."""

    subject: Ref
    case: str
    holder: str
