"""The front door of this app."""

from liangzhu.beams.work.decisions.checking import parse
from liangzhu.beams.work.decisions.deciding import Decision, NoRow, decide_by
from liangzhu.beams.work.decisions.rules import decide, in_force, load_rules, read_rule
from liangzhu.beams.work.decisions.table import Table

__all__ = [
    "Decision",
    "NoRow",
    "Table",
    "decide",
    "decide_by",
    "in_force",
    "load_rules",
    "parse",
    "read_rule",
]
