"""The district's rules of time (`calendar.toml` of the pack): when a matter is near due, who is reminded, who
hears of it late.

A pack that leaves a rule out has none: no warning before the end, no reminders.
"""

from dataclasses import dataclass

from liangzhu.kernel.pack import Pack, pack


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
    itself.
    """

    near: NearDue
    before: tuple[int, ...]
    escalations: tuple[Escalation, ...]


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
        )
    return _read[current]
