"""What the programme does by itself: the state of the clauses is kept once a day."""

from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.now import today
from liangzhu.kernel.worker import periodic
from liangzhu.pillars.programme.actions import judge_clauses
from liangzhu.pillars.programme.models import ClauseDay, PlanDocument


@periodic("programme.judge_clauses", minutes=60)
def keep_today() -> None:
    """Judge the clauses of every plan in force, once for each day."""
    for document in PlanDocument.objects.filter(state=PlanDocument.IN_FORCE):
        if not ClauseDay.objects.filter(clause__task__document=document, day=today()).exists():
            judge_clauses(SYSTEM, document_id=document.pk)
