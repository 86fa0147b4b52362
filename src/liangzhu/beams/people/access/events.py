"""What this app announces."""

from dataclasses import dataclass

from liangzhu.kernel.events import event
from liangzhu.kernel.refs import Ref


@event("access.session_ended", "工作人员的登录结束")
@dataclass(frozen=True)
class SessionEnded:
    """A session of a member of staff is over: signed out, ended elsewhere, or run out. ``session`` is its number."""

    subject: Ref
    session: int
