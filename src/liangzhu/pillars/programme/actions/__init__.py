"""Every change of the programme."""

from liangzhu.pillars.programme.actions.documents import (
    ADDABLE,
    add_article,
    add_finding,
    confirm_sure,
    decide_finding,
    read_document,
    withdraw_revision,
)
from liangzhu.pillars.programme.actions.ledger import (
    add_helper,
    ask_extension,
    bind_check,
    edit_step,
    finish_step,
    issue_task,
    judge_clauses,
    propose_publication,
    publish_task,
    set_limit,
    split_steps,
)
from liangzhu.pillars.programme.actions.letters import draft_criticism, sign_letter, urge
from liangzhu.pillars.programme.actions.opening import open_ledger, open_ledger_from_facts

__all__ = [
    "ADDABLE",
    "add_article",
    "add_finding",
    "add_helper",
    "ask_extension",
    "bind_check",
    "confirm_sure",
    "decide_finding",
    "draft_criticism",
    "edit_step",
    "finish_step",
    "issue_task",
    "judge_clauses",
    "open_ledger",
    "open_ledger_from_facts",
    "propose_publication",
    "publish_task",
    "read_document",
    "set_limit",
    "sign_letter",
    "split_steps",
    "urge",
    "withdraw_revision",
]
