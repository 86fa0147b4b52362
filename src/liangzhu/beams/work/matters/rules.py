"""The district's rules of time (`calendar.toml` of the pack): when a matter is near due, who is reminded, who
hears of it late, and the hours that count as working hours.

A pack that leaves a rule out has none: no warning before the end, no reminders.
"""

from dataclasses import dataclass
from datetime import time

from liangzhu.kernel.pack import Pack, PackError, pack


@dataclass(frozen=True)
class NearDue:
    """Near due (临期): less than ``share`` of the term is left, or at most ``workdays`` working days; whichever
    is first.
    """

    share: float = 0.0
    workdays: int = 0


@dataclass(frozen=True)
class Escalation:
    """From the ``workdays``-th working day after the end those with ``role`` are told."""

    role: str
    workdays: int


@dataclass(frozen=True)
class Rules:
    """All of them. ``before`` are working days before the end on which the officer is reminded, 0 is the day
    itself; ``hours`` are the working hours (工作时) of a working day, in order and apart.
    """

    near: NearDue
    before: tuple[int, ...]
    escalations: tuple[Escalation, ...]
    hours: tuple[tuple[time, time], ...] = ()


def _hours(periods) -> tuple[tuple[time, time], ...]:
    found = tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in periods)
    moments = [moment for period in found for moment in period]
    if moments != sorted(set(moments)):
        raise PackError(
            'calendar.toml：office_hours.periods 应按先后排列，互不重叠，例如 [["09:00", "12:00"], ["13:30", "17:30"]]。'
        )
    return found


_read: dict[Pack, Rules] = {}


def rules() -> Rules:
    """The rules of the pack in use. Raises PackError when its calendar.toml cannot be read."""
    current = pack()
    if current not in _read:
        table = current.toml("calendar.toml")
        near = table.get("near_due", {})
        _read[current] = Rules(
            near=NearDue(float(near.get("share", 0)), int(near.get("working_days", 0))),
            before=tuple(sorted(table.get("reminders", {}).get("working_days_before", ()), reverse=True)),
            escalations=tuple(
                sorted(
                    (
                        Escalation(row["to_role"], row["working_days_overdue"])
                        for row in table.get("escalation", ())
                    ),
                    key=lambda row: row.workdays,
                )
            ),
            hours=_hours(table.get("office_hours", {}).get("periods", ())),
        )
    return _read[current]
