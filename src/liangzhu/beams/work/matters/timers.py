"""What happens by the clock and not by a person: timers and triggers of processes, reminders, counting again, the
succession of units.

Each matter is a transaction of its own: what fails for one is logged, and does not hold up the others. A timer that
fails is tried again with growing pauses; after the last try it waits on `/work/timers/` for an administrator.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import date

from django.db import transaction
from django.db.models import Q

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import clocks as counting
from liangzhu.beams.work.matters import engine, events, policies, turns
from liangzhu.beams.work.matters.change import begin, lock
from liangzhu.beams.work.matters.kinds import kind_of
from liangzhu.beams.work.matters.lights import light, part_light
from liangzhu.beams.work.matters.models import Clock, Matter, Notice, Part, Party, Timer
from liangzhu.beams.work.matters.notices import notify
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM, Actor
from liangzhu.kernel.errors import NotThere, StepNotAllowed
from liangzhu.kernel.now import now
from liangzhu.kernel.policies import operate
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.workdays import PUBLISHED_UNTIL
from liangzhu.kernel.worker import count_failure, may_be_tried

logger = logging.getLogger("liangzhu.matters")

BATCH = 1000
"""Matters that pass to a successor in one transaction."""


# Timers and triggers ---------------------------------------------------------------------------------------


def fire_owed() -> int:
    """Do everything that processes let happen by time and that is owed by now; returns how many were served."""
    rows = Timer.objects.filter(may_be_tried(), fired_at=None, at__lte=now()).order_by("at", "id")
    return _each(
        rows.values_list("id", flat=True), lambda one: fire(SYSTEM, timer_id=one), "timer", _keep_failure
    )


def _keep_failure(timer_id: int, error: Exception) -> None:
    """Keep why a timer failed, and when it is tried again; after the last pause it is given up."""
    with transaction.atomic():
        rows = Timer.objects.select_for_update(of=("self",)).select_related("matter")
        row = rows.filter(pk=timer_id, fired_at=None, dead_at=None).first()
        if row is None:
            return
        row.save(update_fields=count_failure(row, error))


def catch_up(matter_id: int) -> None:
    """Do what one matter owes by now, in order of time, also what follows from that. Somebody waits for it: what has
    failed before is tried as well, and no try is counted.
    """
    for _ in range(20):
        rows = Timer.objects.filter(matter=matter_id, fired_at=None, at__lte=now())
        first = rows.order_by("at", "id").values_list("id", flat=True).first()
        if first is None or not _each([first], lambda one: fire(SYSTEM, timer_id=one), "timer"):
            return


@action("matters.fire")
def fire(act: Act, *, timer_id: int) -> Matter:
    """Do what a timer owes (到时办理); nothing when it is no longer owed."""
    act.check(policies.time)
    row = Timer.objects.select_related("matter").filter(pk=timer_id).first()
    if row is None:
        raise NotThere("这项定时已经取消。")
    fired = engine.fire(act, row.matter, timer_id)
    act.log(row.matter.ref, timer=row.name, fired=fired)
    return row.matter


@action("matters.retry_timer")
def retry_timer(act: Act, *, timer_id: int) -> Timer:
    """Try a timer that failed again, with a full set of tries. Raises NotThere, StepNotAllowed when it did not fail."""
    row = act.lock(Timer, pk=timer_id)
    act.check(operate, row)
    if row.fired_at:
        raise StepNotAllowed("这项定时已经办成，不用再处理。", todo="请刷新页面看现在的情况。")
    if not row.attempts:
        raise StepNotAllowed("这项定时还没有失败过。", todo="到时以后由后台进程办理。")
    # That it failed before stays to be seen until it succeeds.
    row.attempts, row.try_at, row.dead_at = 1, None, None
    row.save(update_fields=["attempts", "try_at", "dead_at"])
    act.log(row.matter.ref, timer=row.name, retried=row.pk)
    return row


@action("matters.react")
def react(act: Act, *, matter_id: int) -> Matter:
    """Do what a matter's triggers do now (条件具备时办理), one step; what follows is asked again."""
    act.check(policies.time)
    matter = Matter.objects.get(pk=matter_id)
    done = engine.react(act, matter)
    act.log(matter.ref, reacted=done)
    return matter


@action("matters.note_merged")
def note_merged(act: Act, *, matter_id: int, from_id: int) -> Matter:
    """Write into the history of a matter that another was merged into it (并入)."""
    act.check(policies.time)
    matter, merged = Matter.objects.get(pk=matter_id), Matter.objects.get(pk=from_id)
    with begin(act, matter) as change:
        change.said.append(f"{merged.number}《{merged.title}》并入本事项，一并办理、一并答复。")
        change.finish("matters.merged", "并入", from_state=matter.state, to_state=matter.state)
    act.log(matter.ref, merged=from_id)
    return matter


# Reminders ------------------------------------------------------------------------------------------------


def remind_owed() -> int:
    """Send every reminder that is owed by now; returns how many clocks and parts were served."""
    moment = now()
    clocks = (
        Clock.objects.filter(stopped_at=None, remind_at__lte=moment)
        .order_by("remind_at")
        .values_list("id", flat=True)
    )
    parts = (
        Part.objects.filter(done_at=None, remind_at__lte=moment)
        .order_by("remind_at")
        .values_list("id", flat=True)
    )
    served = _each(clocks, lambda one: remind_of_clock(SYSTEM, clock_id=one), "reminder of clock")
    return served + _each(parts, lambda one: remind_of_part(SYSTEM, part_id=one), "reminder of part")


@action("matters.remind_of_clock")
def remind_of_clock(act: Act, *, clock_id: int) -> Matter:
    """Send what a clock owes by now: one reminder to each, however many were missed."""
    act.check(policies.time)
    matter = Clock.objects.select_related("matter").get(pk=clock_id).matter
    lock(matter)
    clock = act.lock(Clock, pk=clock_id)
    if clock.stopped_at is None and not clock.paused and clock.remind_at and clock.remind_at <= now():
        holder = turns.posts(matter)
        text = light(matter).text
        clock.remind_at = _remind(
            act, matter, clock, f"clock:{clock.pk}", matter.holding_unit_id, holder, text
        )
        clock.save(update_fields=["remind_at"])
    act.log(matter.ref, clock=clock.pk, next=clock.remind_at)
    return matter


@action("matters.remind_of_part")
def remind_of_part(act: Act, *, part_id: int) -> Matter:
    """Send what a part owes by now."""
    act.check(policies.time)
    matter = Part.objects.select_related("matter").get(pk=part_id).matter
    lock(matter)
    part = act.lock(Part, pk=part_id)
    if part.is_open and part.remind_at and part.remind_at <= now():
        holder = [part.assignee_id] if part.assignee_id else turns.officers(part.unit_id)
        part.remind_at = _remind(
            act, matter, part, f"part:{part.pk}", part.unit_id, holder, part_light(part).text
        )
        part.save(update_fields=["remind_at"])
    act.log(matter.ref, part=part.pk, next=part.remind_at)
    return matter


def _remind(
    act: Act, matter: Matter, row: Clock | Part, key: str, unit_id: int, holder: list[int], text: str
):
    """Send the stages owed since ``row.remind_at``, the latest for each addressee; returns when the next one
    is owed.
    """
    moment, app = now(), kind_of(matter.kind).app
    stages = counting.stages(row.due_at, row.warn_at, counting.work_calendar(fresh=True), app)
    owed = {stage.role: stage for stage in stages if row.remind_at <= stage.at <= moment}
    for role, stage in owed.items():
        if role.startswith("matters."):
            posts = [*(post.id for post in directory.posts(unit_id, role=role)), *holder]
        elif role:
            posts = [post.id for post in directory.posts(role=role)]
        else:
            posts = holder
        late = row.due_at <= moment
        title = f"{'超期' if late else '临期'}提醒：{matter.title if isinstance(row, Clock) else row.title}（{text}）"
        sent = notify(
            posts,
            key=f"{key}:{counting.last_day(row.due_at)}:{stage.key}",
            title=title if len(title) <= 200 else f"{title[:197]}…",
            text=f"到期：{counting.last_day(row.due_at):%Y-%m-%d}；承办：{directory.unit_name(unit_id)}。",
            level=Notice.URGE if late else Notice.REMIND,
            matter=matter,
        )
        if sent:
            act.emit(events.ReminderSent(subject=matter.ref, kind=matter.kind, stage=stage.key, posts=sent))
    return next((stage.at for stage in stages if stage.at > moment), None)


# Counting again -------------------------------------------------------------------------------------------


def recompute_across(day: date) -> int:
    """Count again every running clock and timer whose term covers a day that now counts differently."""
    begin, end = counting.start_of(day), counting.end_of(day)
    clocks = Clock.objects.filter(stopped_at=None).exclude(unit="hour")
    clocks = clocks.filter(Q(due_at__gt=begin) | Q(paused=True), started_at__lt=end)
    waiting = Timer.objects.filter(fired_at=None, clock=None, at__gt=begin)
    return _recompute(clocks, waiting.filter(Q(counts_from=None) | Q(counts_from__lt=end)))


def recompute_guessed() -> int:
    """Count again the clocks and timers whose end was a guess and now lies within the published calendar."""
    end = counting.end_of(PUBLISHED_UNTIL)
    return _recompute(
        Clock.objects.filter(stopped_at=None, provisional=True, due_at__lte=end),
        Timer.objects.filter(fired_at=None, provisional=True, at__lte=end),
    )


def _recompute(*found) -> int:
    ids = {one for rows in found for one in rows.values_list("matter_id", flat=True)}
    return _each(sorted(ids), lambda one: recompute(SYSTEM, matter_id=one), "recount of matter")


@action("matters.recompute")
def recompute(act: Act, *, matter_id: int) -> Matter:
    """Count the clocks and timers of a matter again; its history says what moved."""
    act.check(policies.time)
    matter = act.lock(Matter, pk=matter_id)
    moved = matter.is_open and engine.recompute(act, matter)
    act.log(matter.ref, recomputed=bool(moved))
    return matter


def _each(
    ids: Iterable[int],
    run: Callable[[int], object],
    what: str,
    failed: Callable[[int, Exception], None] = lambda one, error: None,
) -> int:
    done = 0
    for one in list(ids):
        try:
            run(one)
            done += 1
        except Exception as error:
            logger.exception("%s %s failed", what, one)
            failed(one, error)
    return done


# Succession -----------------------------------------------------------------------------------------------


def pass_on(actor: Actor, *, predecessor_id: int, successor_id: int) -> int:
    """Let a batch of open matters pass to the unit that took over; returns how many. Call it until it is 0."""
    held = Matter.objects.filter(closed_at=None, holding_unit=predecessor_id)
    taking_part = Party.objects.filter(unit=predecessor_id, matter__closed_at=None).values("matter")
    helping = Part.objects.filter(unit=predecessor_id, done_at=None).values("matter")
    rows = (
        held
        | Matter.objects.filter(pk__in=taking_part)
        | Matter.objects.filter(pk__in=helping, closed_at=None)
    )
    ids = list(rows.order_by("id").values_list("id", flat=True)[:BATCH])
    if ids:
        pass_batch(actor, matter_ids=ids, predecessor_id=predecessor_id, successor_id=successor_id)
    return len(ids)


@action("matters.pass_batch")
def pass_batch(act: Act, *, matter_ids: list[int], predecessor_id: int, successor_id: int) -> None:
    """Hand matters, their party rows and open parts from a unit to its successor; the history keeps the old
    name.
    """
    act.check(policies.time)
    old, new = directory.unit_name(predecessor_id), directory.unit_name(successor_id)
    for matter in Matter.objects.filter(pk__in=matter_ids).order_by("id"):
        with begin(act, matter) as change:
            if not matter.is_open:
                continue
            if matter.holding_unit_id == predecessor_id:
                matter.holding_unit_id, matter.assignee_id = successor_id, None
            Party.objects.filter(matter=matter, unit=predecessor_id).update(unit=successor_id)
            Part.objects.filter(matter=matter, unit=predecessor_id, done_at=None).update(
                unit=successor_id, assignee=None
            )
            change.units_moved = True
            entry = change.finish(
                "matters.pass_on",
                "机构调整",
                from_state=matter.state,
                to_state=matter.state,
                note=f"{old}的职责由{new}承接，本事项随之转交。",
            )
        act.log(matter.ref, entry=entry.pk, predecessor=predecessor_id, successor=successor_id)
    act.log(Ref("unit", str(predecessor_id)), successor=successor_id, matters=len(matter_ids))
