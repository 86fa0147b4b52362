"""The front door of this app."""

from liangzhu.beams.work.decisions.checking import parse
from liangzhu.beams.work.decisions.deciding import Decision, NoRow, decide_by
from liangzhu.beams.work.decisions.dmn import DmnRefused, from_dmn, to_dmn
from liangzhu.beams.work.decisions.rules import (
    by_release_id,
    decide,
    in_force,
    load_rules,
    read_rule,
    rule_files,
)
from liangzhu.beams.work.decisions.table import Column, Table

__all__ = [
    "Column",
    "Decision",
    "DmnRefused",
    "NoRow",
    "Table",
    "by_release_id",
    "decide",
    "decide_by",
    "from_dmn",
    "in_force",
    "load_rules",
    "parse",
    "read_rule",
    "rule_files",
    "to_dmn",
]
