"""What this app does by the clock."""

from liangzhu.beams.people.registers import actions
from liangzhu.beams.people.registers.models import Mandate
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.now import today
from liangzhu.kernel.worker import periodic

BATCH = 500


@periodic("registers.end_mandates", minutes=30)
def end_mandates() -> None:
    """Announce the end of mandates that ran out."""
    due = Mandate.objects.filter(ended_on=None, valid_to__lte=today())
    while ids := list(due.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        actions.end_due_mandates(SYSTEM, mandate_ids=ids)
