"""What this app does by itself."""

from liangzhu.beams.people.directory import actions
from liangzhu.beams.people.directory.models import UnitSuccession
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.now import today
from liangzhu.kernel.worker import periodic


@periodic("directory.announce_successions", minutes=60)
def announce_successions() -> None:
    """Announce whole successions that were entered ahead of time and whose day has come."""
    due = UnitSuccession.objects.filter(whole=True, unconfirmed=False, announced_at=None, on__lte=today())
    for succession_id in due.values_list("pk", flat=True):
        actions.announce_succession(SYSTEM, succession_id=succession_id)
