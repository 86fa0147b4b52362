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


@periodic("registers.forget_proposals", minutes=24 * 60)
def forget_proposals() -> None:
    """Destroy what proposals held that were refused or withdrawn long enough ago."""
    for ident in list(actions.past_proposals().order_by("pk").values_list("pk", flat=True)):
        actions.forget_proposal(SYSTEM, proposal_id=ident)
