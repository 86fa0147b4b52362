"""The one locked write path of a matter. Everything that alters one goes through a `Change`, and leaves one
line of history.

A change locks the row, lets the caller alter holder, parties and clocks, and ends by settling clock columns and
timers, counting the version and writing the entry. Functions that are called while a change of the same
matter is under way (by an effect of a step) join it, and what they have to say becomes part of its line.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from liangzhu.beams.people.directory.api import unit_name
from liangzhu.beams.work.matters import answers, registry, sights
from liangzhu.beams.work.matters import clocks as counting
from liangzhu.beams.work.matters.grammar import EVERY, OPENING, ClockRule, Process, Since
from liangzhu.beams.work.matters.kinds import kind_of
from liangzhu.beams.work.matters.models import (
    NEVER,
    Answer,
    Clock,
    ClockExtension,
    ClockStop,
    Entry,
    Matter,
    Part,
    Party,
    Timer,
)
from liangzhu.beams.work.matters.process import by_release_id
from liangzhu.kernel.actions import Act
from liangzhu.kernel.errors import Conflict, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.now import SHANGHAI, now
from liangzhu.kernel.rows import insert, update, values


class Change:
    """A change of one matter that is under way. ``said`` are remarks for its line in the history.

    ``at`` is when it is done, ``counts_at`` the instant that clocks go by: an earlier one when a timer was owed
    while nothing ran. ``values`` is what was filled in.
    """

    def __init__(self, act: Act, matter: Matter):
        self.act = act
        self.matter = matter
        self.process: Process = by_release_id(matter.release_id)
        self.at = self.counts_at = now()
        self.values: dict[str, Any] = {}
        self.said: list[str] = []
        self.handed_to: int | None = None
        self.handed = False
        self.changed = True
        self.units_moved = False
        self.before = sights.Before.of(matter)
        self._parties: dict[str, int] | None = None
        self._clocks: list[Clock] | None = None
        self._timers: list[Timer] | None = None

    # -- who ------------------------------------------------------------------------------------------------

    @property
    def parties(self) -> dict[str, int]:
        """Unit ids by party name."""
        if self._parties is None:
            self._parties = dict(values(Party, ("name", "unit"), "matter", self.matter.pk))
        return self._parties

    def set_party(self, name: str, unit_id: int) -> None:
        """Make a unit this party of the matter."""
        Party.objects.update_or_create(matter=self.matter, name=name, defaults={"unit_id": unit_id})
        self.parties[name] = unit_id
        self.units_moved = True
        self.said.append(f"{self.process.parties.get(name, name)}：{unit_name(unit_id)}")

    def hand_to(self, unit_id: int, post_id: int | None = None) -> None:
        """Let a unit hold the matter. Its assignee is ``post_id``, or nobody when the unit is another one."""
        self.handed = True
        if unit_id != self.matter.holding_unit_id:
            self.matter.holding_unit_id = self.handed_to = unit_id
            self.matter.assignee_id = post_id
            self.said.append(f"转{unit_name(unit_id)}办理")
        elif post_id is not None:
            self.matter.assignee_id = post_id

    # -- clocks ---------------------------------------------------------------------------------------------

    @property
    def clocks(self) -> list[Clock]:
        """The clocks that have not ended."""
        if self._clocks is None:
            self._clocks = list(self.matter.clocks.filter(stopped_at=None).order_by("id"))
        return self._clocks

    def clock(self, name: str) -> Clock | None:
        """The clock of that name that has not ended."""
        return next((clock for clock in self.clocks if clock.name == name), None)

    def start(self, name: str, due_on: date | None = None, since: Since | None = None) -> Clock:
        """Start a clock; one that runs goes on. A date clock that ran before keeps its date unless another is
        given. ``since`` lets it count from an earlier instant.

        Raises Invalid when a date clock has no date, or when it would begin in the future.
        """
        running = self.clock(name)
        if running is not None:
            return running
        rule = self._rule(name)
        calendar = counting.work_calendar(fresh=True)
        began = self._since(since) if since else self.counts_at
        unit, amount = rule.unit, rule.amount
        if rule.unit == "date":
            if due_on is None:
                before = Clock.objects.filter(matter=self.matter, name=name).order_by("-id").first()
                if before is None:
                    raise Invalid({rule.field: f"请给出{rule.title}的日期。"})
                found = counting.End(before.due_at)
            else:
                found = counting.End(counting.end_of(due_on))
        else:
            if rule.amounts:
                unit, amount = self._amount(rule)
            found = counting.end(unit, amount, began, [], calendar)
        clock = Clock(
            matter=self.matter,
            name=name,
            kind=rule.kind,
            unit=unit,
            amount=amount,
            started_at=began,
            due_at=found.due_at,
            provisional=found.provisional,
        )
        self._plan(clock, rule, calendar, since=self.at)
        clock.save()
        self.clocks.append(clock)
        if since:
            self.said.append(
                f"{rule.title}自 {counting.local_day(began):%Y-%m-%d} 起算，"
                f"至 {counting.last_day(clock.due_at):%Y-%m-%d}"
            )
        return clock

    def _since(self, since: Since) -> datetime:
        """The instant from which a clock counts that is started later."""
        if since.kind == "opened":
            return self.matter.opened_at
        if since.kind == "clock":
            found = Clock.objects.filter(matter=self.matter, name=since.name).order_by("-id").first()
            return found.started_at if found else self.counts_at
        if since.kind == "state":
            rows = Entry.objects.filter(matter=self.matter, part=None, to_state=since.name)
            found = rows.exclude(from_state=since.name).order_by("-id").first()
            return found.at if found else self.counts_at
        day = self.values[since.name]
        if day > counting.local_day(self.at):
            raise Invalid({since.name: "起算的日期不能晚于今天。"})
        return self.counts_at if day == counting.local_day(self.at) else counting.start_of(day)

    def _amount(self, rule: ClockRule) -> tuple[str, int]:
        """How long a clock is whose length hangs on what was filled in. Raises Invalid when nothing was."""
        amounts = rule.amounts
        if amounts.rule:
            unit, amount, *said = registry.measures[amounts.rule](self.matter, self.values, amounts.params)
            self.said += said
            return unit, amount
        value = self.values.get(amounts.of_field)
        if value is None:
            value = answers.last_value(self.matter, amounts.of_field)
        found = amounts.by.get(str(value), amounts.otherwise)
        if found is None:
            raise Invalid({amounts.of_field: f"{rule.title}要按这一项确定，请从可选的范围里选择。"})
        return found

    def stop(self, names: Iterable[str]) -> None:
        """End clocks for good, and remember on the matter what they left behind, unless they were the time of one
        party (``of``). Names that do not run are passed over.
        """
        names = list(names)
        for clock in [clock for clock in self.clocks if EVERY in names or clock.name in names]:
            held = ClockStop.objects.filter(clock=clock, ended_at=None).first() if clock.paused else None
            rule = self.process.clocks.get(clock.name)
            if rule is None or not rule.of:
                left = Matter.IN_TIME
                if (held.begun_at if held else self.counts_at) >= clock.due_at:
                    left = Matter.BEYOND_LAW if clock.kind == Clock.LEGAL else Matter.BEYOND_PROMISE
                self.matter.overran = max(self.matter.overran, left)
            if held:
                held.ended_at = self.counts_at
                held.save(update_fields=["ended_at"])
            clock.stopped_at, clock.remind_at, clock.paused = self.counts_at, None, False
            clock.save(update_fields=["stopped_at", "remind_at", "paused"])
            self.clocks.remove(clock)

    def suspend(self, name: str, reason: str) -> None:
        """Let a clock stand still, with the ground for it (行政许可法 §45). One that does not run is passed over."""
        clock = self.clock(name)
        if clock is None or clock.paused:
            return
        ClockStop.objects.create(clock=clock, begun_at=self.counts_at, reason=reason[:500])
        clock.paused, clock.remind_at = True, None
        clock.save(update_fields=["paused", "remind_at"])

    def resume(self, name: str) -> None:
        """Let a clock go on; its end moves by what was not counted. One that does not stand still is passed
        over.
        """
        clock = self.clock(name)
        if clock is None or not clock.paused:
            return
        ClockStop.objects.filter(clock=clock, ended_at=None).update(ended_at=self.counts_at)
        clock.paused = False
        self._count(clock)

    def extend(
        self, name: str, *, amount: int = 0, new_due_on: date | None = None, reason: str, by: str
    ) -> Clock:
        """Let a clock end later: by ``amount`` of its unit, or a date clock on another day.

        Raises StepNotAllowed when it does not run, Invalid when it would not end later.
        """
        clock = self.clock(name)
        if clock is None:
            raise StepNotAllowed(f"“{self._rule(name).title}”没有在计时，不能延期。")
        old_due = clock.due_at
        if clock.unit == "date":
            if new_due_on is None or counting.end_of(new_due_on) <= old_due:
                raise Invalid({"new_due_on": f"新的期限应晚于 {counting.last_day(old_due):%Y-%m-%d}。"})
            new_due = counting.end_of(new_due_on)
        elif amount < 1:
            raise Invalid({"amount": "延长的数量应为正数。"})
        else:
            new_due = old_due
        row = ClockExtension.objects.create(
            clock=clock,
            amount=0 if clock.unit == "date" else amount,
            old_due=old_due,
            new_due=new_due,
            reason=reason[:500],
            by=by,
            at=self.at,
        )
        if clock.unit == "date":
            clock.due_at = new_due
        self._count(clock)
        if row.new_due != clock.due_at:
            row.new_due = clock.due_at
            row.save(update_fields=["new_due"])
        old, new = counting.last_day(old_due), counting.last_day(clock.due_at)
        self.said.append(f"{self._rule(name).title}由 {old:%Y-%m-%d} 延至 {new:%Y-%m-%d}：{reason}")
        return clock

    def recount(self) -> list[tuple[Clock, datetime]]:
        """Count every clock again with the present calendar; returns those whose end moved, with the old end."""
        moved = []
        for clock in self.clocks:
            old_due = clock.due_at
            self._count(clock)
            if clock.due_at != old_due:
                moved.append((clock, old_due))
                old, new = counting.last_day(old_due), counting.last_day(clock.due_at)
                self.said.append(f"{self._rule(clock.name).title}由 {old:%Y-%m-%d} 改为 {new:%Y-%m-%d}")
        return moved

    def _rule(self, name: str) -> ClockRule:
        rule = self.process.clocks.get(name)
        if rule is None:
            raise KeyError(
                f"process {self.process.key} has no clock {name!r}; it has: {', '.join(self.process.clocks)}"
            )
        return rule

    def _count(self, clock: Clock) -> None:
        """Work out and save the end of a clock from its stretches and extensions. A date keeps its day."""
        calendar = counting.work_calendar(fresh=True)
        if clock.unit != "date":
            stops = list(
                clock.stops.exclude(ended_at=None)
                .order_by("begun_at", "id")
                .values_list("begun_at", "ended_at")
            )
            extra = sum(clock.extensions.values_list("amount", flat=True))
            found = counting.end(clock.unit, clock.amount, clock.started_at, stops, calendar, extra)
            clock.due_at, clock.provisional = found.due_at, found.provisional
        self._plan(
            clock, self._rule(clock.name), calendar, since=counting.start_of(counting.local_day(self.at))
        )
        clock.save(update_fields=["due_at", "warn_at", "remind_at", "paused", "provisional"])

    def _plan(self, clock: Clock, rule: ClockRule, calendar, since: datetime) -> None:
        """Set when a clock warns, and the first reminder that it owes after ``since``."""
        clock.warn_at = counting.warning(rule, clock.started_at, clock.due_at, calendar)
        stages = counting.stages(clock.due_at, clock.warn_at, calendar, kind_of(self.matter.kind).app)
        clock.remind_at = (
            None if clock.paused else next((stage.at for stage in stages if stage.at > since), None)
        )

    def _settle(self) -> None:
        """Copy to the matter's columns what its clocks say."""
        if self._clocks is None:
            return
        running = [clock for clock in self._clocks if not clock.paused]

        def nearest(kind: str) -> datetime | None:
            return min((clock.due_at for clock in running if clock.kind == kind), default=None)

        matter = self.matter
        matter.promised_at, matter.legal_at = nearest(Clock.PROMISED), nearest(Clock.LEGAL)
        matter.due_at = min((clock.due_at for clock in running), default=NEVER)
        matter.warn_at = min((clock.warn_at for clock in running), default=None)
        matter.timed_from = min((clock.started_at for clock in running), default=None)
        matter.clock_paused = any(clock.paused for clock in self._clocks)
        matter.clock_provisional = any(clock.provisional for clock in self._clocks)

    # -- timers ---------------------------------------------------------------------------------------------

    @property
    def timers(self) -> list[Timer]:
        """Everything the matter owes by time, or owed."""
        if self._timers is None:
            self._timers = list(Timer.objects.filter(matter=self.matter).order_by("id"))
        return self._timers

    def owed(self) -> Timer | None:
        """The first step that the system owes by now and has not done."""
        rules = self.process.timers
        rows = [
            row
            for row in (self.timers if rules else ())
            if row.fired_at is None and row.at and row.at <= self.at and rules[row.name].step
        ]
        return min(rows, key=lambda row: (row.at, row.pk), default=None)

    def _settle_timers(self, from_state: str) -> None:
        """Bring what is owed by time in line with the clocks that run and the state the matter came into."""
        for rule in self.process.timers.values():
            rows = [row for row in self.timers if row.name == rule.name]
            row = next((one for one in rows if one.fired_at is None), None)
            if rule.clock:
                clock = self.clock(rule.clock)
                owed = clock is not None
                at = None
                if clock is not None and not clock.paused:
                    at = clock.warn_at if rule.at_warn else clock.due_at
                if row is not None and clock is not None and row.clock_id == clock.pk:
                    self._move_timer(row, at)
                    continue
                # What was done for this clock is owed again only when its end moved beyond that.
                done = [one.at for one in rows if clock is not None and one.clock_id == clock.pk and one.at]
                owed = owed and not (done and (at is None or at <= max(done)))
            else:
                inside, clock, found = self.matter.state in rule.states, None, None
                if inside and from_state in rule.states:
                    continue
                owed, at = inside, None
                if owed:
                    found = counting.end(*rule.after, self.counts_at, [], counting.work_calendar(fresh=True))
                    at = found.due_at
            if row is not None:
                row.delete()
                self.timers.remove(row)
            if owed:
                self.timers.append(
                    Timer.objects.create(
                        matter=self.matter,
                        name=rule.name,
                        clock=clock,
                        at=at,
                        counts_from=None if rule.clock else self.counts_at,
                        provisional=not rule.clock and found.provisional,
                    )
                )

    def recount_timers(self) -> int:
        """Count again, with the present calendar, what is owed so long after the matter came into a state; returns how
        many moved. Timers of clocks follow their clocks.
        """
        moved = 0
        for row in self.timers:
            rule = self.process.timers[row.name]
            if row.fired_at is not None or rule.clock:
                continue
            began = row.counts_from or self._came_into(rule.states)
            found = counting.end(*rule.after, began, [], counting.work_calendar(fresh=True))
            if row.provisional != found.provisional:
                row.provisional = found.provisional
                row.save(update_fields=["provisional"])
            old = row.at
            if self._move_timer(row, found.due_at):
                moved += 1
                days = (counting.last_day(each) for each in (old, row.at))
                self.said.append("{}由 {:%Y-%m-%d} 改为 {:%Y-%m-%d}".format(rule.title, *days))
        return moved

    def _came_into(self, states: tuple[str, ...]) -> datetime:
        """When the matter last came into one of the states: for timers made before that instant was kept with them."""
        rows = Entry.objects.filter(matter=self.matter, part=None, to_state__in=states)
        return rows.exclude(from_state__in=states).order_by("-id").values_list("at", flat=True)[0]

    @staticmethod
    def _move_timer(row: Timer, at: datetime | None) -> bool:
        """Let a timer be owed at another instant, with a full set of tries; returns whether it is another one."""
        if row.at == at:
            return False
        row.at, row.attempts, row.try_at, row.dead_at = at, 0, None, None
        row.save(update_fields=["at", "attempts", "try_at", "dead_at"])
        return True

    # -- the end --------------------------------------------------------------------------------------------

    def finish(
        self,
        transition: str,
        title: str,
        *,
        from_state: str,
        to_state: str,
        note: str = "",
        answer: Answer | None = None,
        part: Part | None = None,
    ) -> Entry:
        """Save what changed and add the line of history. A step of a part counts the part's version, else the
        matter's.
        """
        self._settle()
        if part is None:
            if self.process.timers:
                self._settle_timers(from_state)
            self.matter.version += 1
        else:
            part.version += 1
            update(part)
        update(self.matter)
        said = "\n".join(text for text in (note.strip(), *self.said) if text)
        if transition == OPENING:
            sights.opened(self.matter, self.parties, said)
        else:
            moved = self.units_moved or part is not None
            sights.settle(self.matter, self.before, units_moved=moved, note=said)
        return self._line(transition, title, from_state, to_state, said, answer, part)

    def line_of_part(self, part: Part, transition: str, title: str, from_state: str) -> Entry:
        """Save a part that an effect moved, with a line of its own."""
        part.version += 1
        update(part)
        return self._line(transition, title, from_state, part.state, part=part)

    def _line(
        self,
        transition: str,
        title: str,
        from_state: str,
        to_state: str,
        note: str = "",
        answer: Answer | None = None,
        part: Part | None = None,
    ) -> Entry:
        actor = self.act.actor
        row = Entry(
            matter=self.matter,
            part=part,
            at=self.at,
            actor_ref=str(actor.ref),
            actor_label=actor.label,
            person_id=getattr(actor, "person_id", None),
            unit_id=getattr(actor, "unit_id", None),
            transition=transition,
            title=title[:120],
            from_state=from_state,
            to_state=to_state,
            note=note,
            answer=answer,
            version=self.matter.version if part is None else part.version,
        )
        return insert(row)


def lock(matter: Matter) -> None:
    """Lock the row of a matter and bring the object up to date; others wait. Raises NotThere."""
    try:
        matter.refresh_from_db(from_queryset=Matter.objects.select_for_update())
    except Matter.DoesNotExist:
        raise NotThere("没有找到这一事项。") from None


def reread(part: Part, matter: Matter) -> None:
    """Bring a part of a locked matter up to date. Raises NotThere when it belongs to another one."""
    part.refresh_from_db(from_queryset=Part.objects.select_related("matter"))
    if part.matter_id != matter.pk:
        raise NotThere("这项并行办理不属于该事项。")
    part.matter = matter


@contextmanager
def begin(act: Act, matter: Matter) -> Iterator[Change]:
    """Lock a matter and open a change of it. The caller finishes it. Raises RuntimeError inside another
    change of it.
    """
    if getattr(matter, "_change", None) is not None:
        raise RuntimeError("a step cannot be done inside another step of the same matter")
    if not act.holds(matter):
        lock(matter)
        act.hold(matter)
    matter._change = Change(act, matter)
    try:
        yield matter._change
    finally:
        del matter._change


@contextmanager
def joined(act: Act, matter: Matter, name: str, title: str, note: str = "") -> Iterator[Change]:
    """A change that joins the one under way, or stands alone with a line ``name`` of its own.

    Alone it is refused after the end of the matter (StepNotAllowed); with ``changed = False`` it writes
    nothing.
    """
    current = getattr(matter, "_change", None)
    if current is not None:
        if note:
            current.said.append(note)
        yield current
        return
    with begin(act, matter) as change:
        if not matter.is_open:
            raise StepNotAllowed(f"事项 {matter.number} 已经办结。")
        yield change
        if change.changed:
            entry = change.finish(name, title, from_state=matter.state, to_state=matter.state, note=note)
            act.log(matter.ref, entry=entry.pk, transition=name, version=matter.version)


def refuse_stale(matter: Matter, part: Part | None, version: int | None) -> None:
    """Raise Conflict, saying who did what meanwhile, when ``version`` is not that of the row. None is not
    checked.
    """
    current = matter.version if part is None else part.version
    if version is None or version == current:
        return
    rows = Entry.objects.filter(matter=matter, part=part, version__gt=version).order_by("-id")[:3]
    lines = [
        f"{row.actor_label}已于 {row.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M} 办理“{row.title}”"
        for row in reversed(rows)
    ]
    raise Conflict("；".join(lines) + "。" if lines else f"页面上是第 {version} 版，现在是第 {current} 版。")
