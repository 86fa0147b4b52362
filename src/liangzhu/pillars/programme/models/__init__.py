"""The tables of the programme: documents and what was read in them, the ledger, its measures, letters."""

from liangzhu.pillars.programme.models.documents import Article, Finding, PlanDocument, Revision
from liangzhu.pillars.programme.models.ledger import (
    Clause,
    ClauseDay,
    Extension,
    PlanTask,
    TaskHelper,
    TaskScope,
    TaskStep,
)
from liangzhu.pillars.programme.models.letters import Letter, LetterTarget

__all__ = [
    "Article",
    "Clause",
    "ClauseDay",
    "Extension",
    "Finding",
    "Letter",
    "LetterTarget",
    "PlanDocument",
    "PlanTask",
    "Revision",
    "TaskHelper",
    "TaskScope",
    "TaskStep",
]
