"""Local changes to the working-day calendar, as actions: a day that the district works, or does not, by notice."""

from dataclasses import dataclass
from datetime import date

from liangzhu.kernel import policies
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.errors import Invalid
from liangzhu.kernel.events import event
from liangzhu.kernel.models import DayOverride
from liangzhu.kernel.refs import Ref


@event("kernel.calendar_changed", "工作日历变动")
@dataclass(frozen=True)
class CalendarChanged:
    """A day (YYYY-MM-DD) counts differently from now on; running clocks that cross it are computed again."""

    subject: Ref
    day: str


@action("kernel.override_day")
def override_day(act: Act, *, day: date, workday: bool, reason: str, source: str) -> DayOverride:
    """Make a day a working day, or a day off, against the national calendar. Raises Invalid without reason or source."""
    act.check(policies.manage_calendar)
    missing = {
        name: "请填写。" for name, text in (("reason", reason), ("source", source)) if not text.strip()
    }
    if missing:
        raise Invalid(missing)
    row, _ = DayOverride.objects.update_or_create(
        date=day,
        defaults={"workday": workday, "reason": reason.strip()[:200], "source": source.strip()[:200]},
    )
    act.log(row.ref, workday=workday, reason=row.reason, source=row.source)
    act.emit(CalendarChanged(subject=row.ref, day=day.isoformat()))
    return row


@action("kernel.restore_day")
def restore_day(act: Act, *, day: date) -> None:
    """Let the national calendar hold again for a day."""
    act.check(policies.manage_calendar)
    row = act.lock(DayOverride, date=day)
    act.log(row.ref, workday=row.workday, restored=True)
    act.emit(CalendarChanged(subject=row.ref, day=day.isoformat()))
    row.delete()
