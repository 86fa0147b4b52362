"""Checks: an indicator compared with a target on a day."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

KEPT, FAILING, UNMEASURED = "kept", "failing", "unmeasured"

OPERATORS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}


@dataclass(frozen=True)
class Check:
    """That the indicator's value stands in relation ``op`` (one of OPERATORS) to ``target``, at the latest on ``due``."""

    indicator_key: str
    op: str
    target: Decimal
    due: date | None = None

    def __post_init__(self) -> None:
        if self.op not in OPERATORS:
            raise ValueError(f"unknown comparison {self.op!r}; one of {', '.join(OPERATORS)}")


@dataclass(frozen=True)
class CheckResult:
    """The answer on a day: ``state`` is kept, failing or unmeasured.

    ``gap`` is how far the value is from the target, 0 when kept, None when unmeasured; ``snapshot`` what was compared.
    """

    state: str
    value: Decimal | None
    snapshot: object | None
    gap: Decimal | None


def compare(check: Check, snapshot) -> CheckResult:
    """Judge a check by a snapshot (`queries.SnapshotView`) or None."""
    if snapshot is None or snapshot.value is None:
        return CheckResult(UNMEASURED, None, snapshot, None)
    if OPERATORS[check.op](snapshot.value, check.target):
        return CheckResult(KEPT, snapshot.value, snapshot, Decimal(0))
    return CheckResult(FAILING, snapshot.value, snapshot, abs(check.target - snapshot.value))
