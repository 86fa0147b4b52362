"""The front door of this app."""

from liangzhu.beams.data.indicators.actions import (
    confirm,
    define,
    measure,
    measure_all,
    refuse,
    report,
    report_value,
)
from liangzhu.beams.data.indicators.checks import OPERATORS, Check, CheckResult
from liangzhu.beams.data.indicators.loading import load_indicators
from liangzhu.beams.data.indicators.measuring import Measured, UnknownQuery, find_query, named_query
from liangzhu.beams.data.indicators.policies import let_oversee
from liangzhu.beams.data.indicators.queries import (
    SnapshotView,
    definitions,
    evaluate,
    evaluate_many,
    indicator_id,
    latest,
    latest_of_all,
    series,
    snapshot,
)

__all__ = [
    "OPERATORS",
    "Check",
    "CheckResult",
    "Measured",
    "SnapshotView",
    "UnknownQuery",
    "confirm",
    "define",
    "definitions",
    "evaluate",
    "evaluate_many",
    "find_query",
    "indicator_id",
    "latest",
    "latest_of_all",
    "let_oversee",
    "load_indicators",
    "measure",
    "measure_all",
    "named_query",
    "refuse",
    "report",
    "report_value",
    "series",
    "snapshot",
]
