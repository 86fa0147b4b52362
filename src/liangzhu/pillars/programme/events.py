"""What the programme announces."""

from dataclasses import dataclass

from liangzhu.kernel.events import event
from liangzhu.kernel.refs import Ref


@event("programme.document_read", "方案识读")
@dataclass(frozen=True)
class DocumentRead:
    """A text was read; findings wait for review."""

    subject: Ref
    revision_no: int


@event("programme.ledger_opened", "计划建账")
@dataclass(frozen=True)
class LedgerOpened:
    """A reviewed document became a ledger (建账)."""

    subject: Ref
    tasks: int


@event("programme.task_issued", "任务下达")
@dataclass(frozen=True)
class TaskIssued:
    """A task was issued (下达) to its lead unit."""

    subject: Ref
    matter_id: int


@event("programme.task_published", "任务公开")
@dataclass(frozen=True)
class TaskPublished:
    """A task became visible to the public, or is no longer."""

    subject: Ref
    public: bool


@event("programme.limit_extended", "任务延期")
@dataclass(frozen=True)
class LimitExtended:
    """The limit of a task was extended; dates as YYYY-MM-DD."""

    subject: Ref
    old_due: str
    new_due: str


@event("programme.letter_signed", "督办函签发")
@dataclass(frozen=True)
class LetterSigned:
    """A letter of supervision was signed."""

    subject: Ref
    kind: str


@event("programme.clauses_judged", "条款判定")
@dataclass(frozen=True)
class ClausesJudged:
    """The state of all clauses of a document was kept for a day (YYYY-MM-DD)."""

    subject: Ref
    day: str
    kept: int
    total: int
