"""What the program does by itself: destroy what was read when its time is over."""

from liangzhu.beams.trust.sources import policies, retention
from liangzhu.beams.trust.sources.models import Kept
from liangzhu.kernel import sealing
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.worker import periodic

BATCH = 200


@action("sources.sweep")
def sweep(act: Act) -> int:
    """Destroy what sources answered for things that never became a case, when its days are over. Returns how many."""
    act.check(policies.sweep)
    due = Kept.objects.select_for_update().filter(until__lte=now()).exclude(sealed_key=b"")
    rows = list(due.order_by("until")[:BATCH])
    for row in rows:
        sealing.forget(act, row, rule=retention.ground())
    act.log(Ref("job", "sources.sweep"), destroyed=len(rows))
    return len(rows)


@periodic("sources.sweep", minutes=24 * 60)
def sweep_daily() -> None:
    """Destroy what is over."""
    while sweep(SYSTEM) == BATCH:
        pass
