"""Lights (亮灯): now against the instants of the clocks. Computed whenever asked, stored and typed nowhere."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from liangzhu.beams.work.matters import clocks as counting
from liangzhu.beams.work.matters.grammar import UNIT_WORDS
from liangzhu.beams.work.matters.models import ENDED_WITH_MATTER, NEVER, Clock, ClockStop, Matter, Part
from liangzhu.beams.work.matters.process import by_release_id
from liangzhu.kernel.now import now
from liangzhu.kernel.workdays import Day, WorkCalendar

OK, NEAR, OVER, LAW, PAUSED, NONE, DONE = "ok", "near", "over", "law", "paused", "none", "done"
WORDS = {
    OK: "正常",
    NEAR: "临期",
    OVER: "超承诺",
    LAW: "超法定",
    PAUSED: "中止计时",
    NONE: "未起算",
    DONE: "办结",
}
RUNNING = (LAW, OVER, NEAR, OK)
"""The lights of a clock that runs, worst first."""


_CLOSED = {
    Matter.UNTIMED: (DONE, "办结"),
    Matter.IN_TIME: (DONE, "按期办结"),
    Matter.BEYOND_PROMISE: (OVER, "超承诺办结"),
    Matter.BEYOND_LAW: (LAW, "超法定办结"),
}


@dataclass(frozen=True)
class Light:
    """A light: ``state`` as above, its ``word``, the ``text`` beside it, and the end it was judged by
    (exclusive).
    """

    state: str
    word: str
    text: str
    due_at: datetime | None = None

    @property
    def shape(self) -> str:
        """The state under which `kernel.ui` draws it: what stands still has no light of its own there."""
        return NONE if self.state == PAUSED else self.state


def light(matter: Matter, at: datetime | None = None, calendar: WorkCalendar | None = None) -> Light:
    """The light of a matter now, or at an instant, from its columns alone."""
    if not matter.is_open:
        state, text = _CLOSED[matter.overran]
        return Light(state, WORDS[state], text)
    if matter.due_at == NEVER:
        return (
            Light(PAUSED, WORDS[PAUSED], WORDS[PAUSED])
            if matter.clock_paused
            else Light(NONE, WORDS[NONE], WORDS[NONE])
        )
    at = at or now()
    if matter.legal_at and matter.legal_at <= at:
        return Light(LAW, WORDS[LAW], f"超法定 {_past(matter.legal_at, at)}", matter.legal_at)
    if matter.promised_at and matter.promised_at <= at:
        return Light(OVER, WORDS[OVER], f"超承诺 {_past(matter.promised_at, at)}", matter.promised_at)
    state = NEAR if matter.warn_at and matter.warn_at <= at else OK
    return Light(state, WORDS[state], left(matter.due_at, at, calendar), matter.due_at)


def part_light(part: Part, at: datetime | None = None, calendar: WorkCalendar | None = None) -> Light:
    """The light of a part: against its own end."""
    if not part.is_open and part.result == ENDED_WITH_MATTER:
        return Light(NONE, ENDED_WITH_MATTER, f"未完成，{ENDED_WITH_MATTER}")
    if not part.is_open:
        late = part.due_at is not None and part.done_at >= part.due_at
        return Light(OVER, "逾期", "逾期完成") if late else Light(DONE, WORDS[DONE], "已完成")
    if part.due_at is None:
        return Light(NONE, "未定期限", "未定期限")
    at = at or now()
    if part.due_at <= at:
        return Light(OVER, "逾期", f"逾期 {_past(part.due_at, at)}", part.due_at)
    state = NEAR if part.warn_at and part.warn_at <= at else OK
    return Light(state, WORDS[state], left(part.due_at, at, calendar), part.due_at)


def light_q(state: str, at: datetime | None = None) -> Q:
    """The open matters that show a light now, as a condition on indexed columns. Raises KeyError for another
    state.
    """
    at = at or now()
    lawful = Q(legal_at=None) | Q(legal_at__gt=at)
    return (
        Q(closed_at=None)
        & {
            LAW: Q(due_at__lte=at, legal_at__lte=at),
            OVER: Q(due_at__lte=at, promised_at__lte=at) & lawful,
            NEAR: Q(due_at__gt=at, due_at__lt=NEVER, warn_at__lte=at),
            OK: Q(due_at__gt=at, due_at__lt=NEVER, warn_at__gt=at),
            PAUSED: Q(due_at=NEVER, clock_paused=True),
            NONE: Q(due_at=NEVER, clock_paused=False),
        }[state]
    )


def bar(matter: Matter, at: datetime | None = None) -> tuple[float, float | None]:
    """Shares in percent for the clock in a row: of the longest term what is used, and where the promise ends
    in it.
    """
    ends = [moment for moment in (matter.promised_at, matter.legal_at) if moment]
    if not ends or matter.timed_from is None:
        return 0.0, None
    whole = max((max(ends) - matter.timed_from).total_seconds(), 1)

    def share(moment: datetime) -> float:
        return round(min(max((moment - matter.timed_from).total_seconds() / whole, 0), 1) * 100, 1)

    return share(matter.closed_at or at or now()), share(min(ends)) if len(ends) == 2 else None


def left(due_at: datetime, at: datetime, calendar: WorkCalendar | None = None) -> str:
    """What is left until an end: 还剩 3 个工作日, 今天到期, 还剩 6 小时."""
    if not counting.ends_with_day(due_at):
        minutes = max(int((due_at - at).total_seconds() // 60), 1)
        return f"还剩 {minutes // 60} 小时" if minutes >= 60 else f"还剩 {minutes} 分钟"
    here, last = counting.local_day(at), counting.last_day(due_at)
    if here == last:
        return "今天到期"
    workdays = (calendar or counting.work_calendar()).between(here, last)
    return f"还剩 {workdays} 个工作日" if workdays else f"还剩 {(last - here).days} 天"


def _past(due_at: datetime, at: datetime) -> str:
    if counting.ends_with_day(due_at):
        return f"{(counting.local_day(at) - counting.last_day(due_at)).days} 天"
    hours = int((at - due_at).total_seconds() // 3600)
    return f"{hours // 24} 天" if hours >= 24 else f"{max(hours, 1)} 小时"


@dataclass(frozen=True)
class Leg:
    """One clock as it is explained and drawn: shares of its term in percent, the words for what is left."""

    name: str
    title: str
    kind: str
    unit: str
    amount: int
    started_at: datetime
    due_at: datetime
    ended_at: datetime | None
    paused: bool
    provisional: bool
    used: float
    number: str
    measure: str
    stops: tuple[ClockStop, ...]
    stretches: tuple[tuple[float, float], ...]
    extensions: tuple
    skipped: tuple[Day, ...]

    @property
    def last_day(self):
        """The last day, in Asia/Shanghai."""
        return counting.last_day(self.due_at)

    @property
    def by_day(self) -> bool:
        """Whether it ends with a day, not at an hour."""
        return counting.ends_with_day(self.due_at)

    @property
    def kind_title(self) -> str:
        """承诺 or 法定."""
        return dict(Clock.KINDS)[self.kind]

    @property
    def term(self) -> str:
        """The term in words: 20 个工作日."""
        return f"{self.amount} {UNIT_WORDS[self.unit]}" if self.unit in UNIT_WORDS else "指定日期"

    @property
    def late(self) -> bool:
        """Whether it is past its end, or ended past it."""
        return (self.ended_at or now()) >= self.due_at and not self.paused


@dataclass(frozen=True)
class ClockView:
    """The clocks of a matter: the ``promised`` and the ``legal`` one that matter now, and ``all`` of them,
    newest first.
    """

    promised: Leg | None
    legal: Leg | None
    all: tuple[Leg, ...]


def clock_of(matter: Matter, at: datetime | None = None, calendar: WorkCalendar | None = None) -> ClockView:
    """The clocks of a matter, explained: start, term, stretches that did not count, extensions, end, holidays
    on the way.
    """
    at = at or now()
    calendar = calendar or counting.work_calendar()
    process = by_release_id(matter.release_id)
    rows = matter.clocks.prefetch_related("stops", "extensions").order_by("-id")
    legs = []
    for row in rows:
        rule = process.clocks.get(row.name)
        legs.append(_leg(row, rule.title if rule else row.name, at, calendar))

    def first(kind: str) -> Leg | None:
        live = [leg for leg in legs if leg.kind == kind and leg.ended_at is None]
        return min(live, key=lambda leg: (leg.paused, leg.due_at), default=None)

    return ClockView(first(Clock.PROMISED), first(Clock.LEGAL), tuple(legs))


def _leg(row: Clock, title: str, at: datetime, calendar: WorkCalendar) -> Leg:
    stops = tuple(sorted(row.stops.all(), key=lambda stop: (stop.begun_at, stop.pk)))
    here = row.stopped_at or (stops[-1].begun_at if row.paused else at)
    whole = max((row.due_at - row.started_at).total_seconds(), 1)

    def share(moment: datetime) -> float:
        return round(min(max((moment - row.started_at).total_seconds() / whole, 0), 1) * 100, 1)

    if row.paused:
        number, measure = "—", "中止计时"
    elif here >= row.due_at:
        number, _, measure = _past(row.due_at, here).partition(" ")
    else:
        number, measure = _remaining(row, here, calendar)
    skipped: tuple[Day, ...] = ()
    if row.unit in ("workday", "workhour", "date"):
        skipped = calendar.add(
            counting.local_day(row.started_at),
            max(calendar.between(counting.local_day(row.started_at), counting.last_day(row.due_at)), 0),
        ).skipped
    return Leg(
        name=row.name,
        title=title,
        kind=row.kind,
        unit=row.unit,
        amount=row.amount,
        started_at=row.started_at,
        due_at=row.due_at,
        ended_at=row.stopped_at,
        paused=row.paused,
        provisional=row.provisional,
        used=share(here),
        number=number,
        measure=measure,
        stops=stops,
        stretches=tuple((share(stop.begun_at), share(stop.ended_at or at)) for stop in stops),
        extensions=tuple(row.extensions.all()),
        skipped=skipped,
    )


def _remaining(row: Clock, here: datetime, calendar: WorkCalendar) -> tuple[str, str]:
    if row.unit in ("hour", "workhour"):
        rest = counting.worked(here, row.due_at, calendar) if row.unit == "workhour" else row.due_at - here
        minutes = max(int(rest.total_seconds() // 60), 1)
        word = "工作时" if row.unit == "workhour" else "小时"
        return (str(minutes // 60), word) if minutes >= 60 else (str(minutes), "分钟")
    first, last = counting.local_day(here), counting.last_day(row.due_at)
    if first == last:
        return "今天", "到期"
    if row.unit in ("day", "month"):
        return str((last - first).days), "天"
    days = calendar.between(first, last)
    return (str(days), "个工作日") if days else (str((last - first).days), "天")
