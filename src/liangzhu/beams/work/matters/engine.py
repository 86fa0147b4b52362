"""The engine: opens matters and moves them by their process. Every function runs inside the caller's action.

    matter = open_matter(act, kind="…", title="…", parties={"lead": 7}, holding_unit_id=7)
    advance(act, matter, "sign", version=1)

The object that is passed in holds the new state afterwards. Who may do a step, the two-person rule, guards,
fields and effects are the process's; the policy `matters.step` is asked here, so that page, API, import and
timer obey the same rule.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.files import api as attachments
from liangzhu.beams.work.matters import answers, events, policies, registry, turns
from liangzhu.beams.work.matters import clocks as counting
from liangzhu.beams.work.matters.change import Change, begin, joined, refuse_stale, reread
from liangzhu.beams.work.matters.grammar import OPENING, Flow, Process, Transition
from liangzhu.beams.work.matters.kinds import kind_of
from liangzhu.beams.work.matters.models import (
    ENDED_WITH_MATTER,
    Clock,
    Entry,
    Link,
    Matter,
    Notice,
    Part,
    Party,
)
from liangzhu.beams.work.matters.notices import notify
from liangzhu.beams.work.matters.policies import Attempt
from liangzhu.beams.work.matters.process import by_release_id, in_force, pinned_form
from liangzhu.kernel.actions import Act
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Conflict, Denied, Invalid, Problem, StepNotAllowed
from liangzhu.kernel.log import sm3
from liangzhu.kernel.now import now
from liangzhu.kernel.rows import insert, update
from liangzhu.kernel.rows import values as columns


class TimerOwed(Conflict):
    """The system has yet to do what the process says happens by itself; until then nobody else is first."""

    def __init__(self, matter: Matter, step: Transition):
        self.matter_id = matter.pk
        super().__init__(f"按时限应由系统先办“{step.title}”，正在补办。")


def process_of(matter: Matter) -> Process:
    """The process under which a matter runs: that of the release it began with."""
    return by_release_id(matter.release_id)


def state_title(matter: Matter) -> str:
    """The Chinese title of a matter's state."""
    return process_of(matter).flow.states[matter.state].title


def open_matter(
    act: Act,
    *,
    kind: str,
    title: str,
    parties: dict[str, int],
    holding_unit_id: int,
    parent: Matter | None = None,
    applicant: str = "",
    due_on: date | None = None,
    urgency: int = 0,
    place: str = "",
    assignee_id: int | None = None,
    opening: str = "登记",
    note: str = "",
    data: dict[str, Any] | None = None,
    files: Iterable[int] = (),
) -> Matter:
    """Open a matter under the release of its process that is in force.

    ``parties`` maps party names to unit ids; ``due_on`` is the day for the clock that ends on a date;
    ``opening`` is what the history calls this; ``data`` is what the applicant or clerk filled in: checked when
    the process declares ``[opening]``, else kept as it is. Raises Invalid, NotThere.
    """
    rule = kind_of(kind)
    release, process = in_force(rule.process)
    title = title.strip()
    if not title:
        raise Invalid({"title": "请填写标题。"})
    if process.parties and (unknown := parties.keys() - process.parties.keys()):
        raise ValueError(f"process {process.key} has no party {', '.join(sorted(unknown))}")
    matter = Matter.objects.create(
        number=rule.next_number(act),
        kind=kind,
        release=release,
        state=process.flow.initial,
        title=title[:200],
        holding_unit_id=holding_unit_id,
        assignee_id=assignee_id,
        applicant=applicant,
        urgency=urgency,
        parent=parent,
        place=place,
        opened_at=now(),
        version=0,
    )
    # Nobody else can see the row before this transaction ends.
    act.hold(matter)
    Party.objects.bulk_create(Party(matter=matter, name=name, unit_id=unit) for name, unit in parties.items())
    change = Change(act, matter)
    change._parties, change._clocks, change._timers = dict(parties), [], []
    values = change.values = dict(data or {})
    if process.opening is not None:
        values = change.values = _clean(act, matter, opening, process.opening, process.opening_form, data)
    dated = process.opening_date_clock()
    if due_on is not None and dated is None:
        raise ValueError(f"process {process.key} has no clock that ends on a given date")
    for clock in process.clocks.values():
        if clock.at_open and (clock.unit != "date" or due_on is not None):
            since = process.opening_since if clock.unit != "date" else None
            change.start(clock.name, due_on if clock is dated else None, since)
    given = list(files)
    attached = [one for f in process.opening or () if f.type == "files" for one in values.get(f.name, ())]
    attachments.attach(act, [*given, *attached], matter.ref)
    answer = answers.keep(matter, f"{process.key}/{OPENING}", values, given)
    entry = change.finish(OPENING, opening, from_state="", to_state=matter.state, note=note, answer=answer)
    act.log(matter.ref, entry=entry.pk, kind=kind, release=release.pk, unit=holding_unit_id, due=due_on)
    act.emit(
        events.MatterOpened(
            subject=matter.ref, kind=kind, state=matter.state, unit_id=holding_unit_id, entry_id=entry.pk
        )
    )
    _look_at_own(act, change)
    return matter


def advance(
    act: Act,
    matter: Matter,
    transition: str,
    *,
    data: dict[str, Any] | None = None,
    note: str = "",
    files: Iterable[int] = (),
    version: int | None = None,
    part: Part | None = None,
    behind: bool = False,
) -> Entry:
    """Do a step of a matter, or of one of its parts. ``version`` is the one seen by whoever decided (None:
    not checked). ``behind``: also when the system owes a step that it could not do.

    Raises Conflict (somebody else was first; says who), StepNotAllowed (not in this state, or a guard),
    Denied (not this person), Invalid (fields, each named), NotThere, TimerOwed.
    """
    with begin(act, matter) as change:
        if part is not None:
            reread(part, matter)
        refuse_stale(matter, part, version)
        if not behind and (owed := change.owed()):
            raise TimerOwed(matter, change.process.flow.transitions[change.process.timers[owed.name].step])
        return _advance(act, change, transition, data=data, note=note, files=files, part=part)


def _advance(
    act: Act,
    change: Change,
    name: str,
    *,
    data: dict[str, Any] | None = None,
    note: str = "",
    files: Iterable[int] = (),
    part: Part | None = None,
) -> Entry:
    """Do a step within a change that is under way, and finish it."""
    matter, process = change.matter, change.process
    flow = process.flow_of(part.kind if part else None)
    step = allowed(act, change, flow, name, part)
    values = change.values = _clean(act, matter, step.title, step.fields, step.form, data, part)
    for use in step.guards:
        registry.guards.at(use).run(act, matter, use.params, values, step)
    row = part or matter
    from_state, row.state = row.state, step.to or row.state
    _move_clocks(change, step, values, note)
    ended = flow.states[row.state].final
    if part is not None:
        if ended != (part.done_at is not None):
            part.done_at = change.at if ended else None
        part.result = str(values.get("result") or flow.states[row.state].title)[:200] if ended else ""
        _plan_part(change, part)
    else:
        if matter.closed_at and not ended:
            matter.closed_at = None
            _resume_parts(change)
        elif ended and matter.closed_at is None:
            matter.closed_at = change.at
    for use in step.effects:
        registry.effects.at(use).run(act, matter, use.params, values, step)
    turn = flow.states[row.state].turn
    if part is None and turn in change.parties and not change.handed:
        change.hand_to(change.parties[turn])
    if part is None and ended:
        _end_parts(change)
    given = [*files, *(one for f in step.fields if f.type == "files" for one in values.get(f.name, ()))]
    attachments.attach(act, given, matter.ref)
    answer = answers.keep(matter, f"{process.key}/{step.name}", values, list(files))
    entry = change.finish(
        step.name,
        step.title,
        from_state=from_state,
        to_state=row.state,
        note=note,
        answer=answer,
        part=part,
    )
    act.log(
        matter.ref,
        entry=entry.pk,
        transition=step.name,
        states=[from_state, row.state],
        part=part.pk if part else None,
        version=entry.version,
        answer=sm3(answer.body.encode()) if answer else "",
    )
    act.emit(
        events.MatterAdvanced(
            subject=matter.ref,
            kind=matter.kind,
            transition=step.name,
            from_state=from_state,
            to_state=row.state,
            entry_id=entry.pk,
            part_id=part.pk if part else None,
            handed_to=change.handed_to,
        )
    )
    if step.announce:
        act.emit(
            events.Announced(
                subject=matter.ref,
                name=step.announce,
                kind=matter.kind,
                entry_id=entry.pk,
                part_id=part.pk if part else None,
            )
        )
    if part is None and ended:
        act.emit(
            events.MatterClosed(
                subject=matter.ref, kind=matter.kind, state=matter.state, overran=matter.overran
            )
        )
        _look_around(act, matter)
    _look_at_own(act, change)
    return entry


def _clean(
    act: Act,
    matter: Matter,
    title: str,
    fields,
    form: str,
    data: dict[str, Any] | None,
    part: Part | None = None,
) -> dict[str, Any]:
    """What was filled in, typed: the fields of the process, and those of the form that is named beside them."""
    if not form:
        return answers.clean(title, fields, data, act.actor, matter)
    names = {one.name for one in fields}
    own = {name: value for name, value in (data or {}).items() if name in names}
    rest = {name: value for name, value in (data or {}).items() if name not in names}
    mark = pinned_form(matter.release_id, form)
    return {
        **registry.form_source.clean(form, mark, rest, act.actor, matter, part),
        **answers.clean(title, fields, own, act.actor, matter),
    }


# What happens by itself ------------------------------------------------------------------------------------


def fire(act: Act, matter: Matter, timer_id: int) -> bool:
    """Do what a timer owes by now, once; returns whether it was still owed. Clocks go by the instant it was owed."""
    with begin(act, matter) as change:
        row = next((one for one in change.timers if one.pk == timer_id), None)
        if row is None or row.fired_at is not None or row.at is None or row.at > change.at:
            return False
        rule = change.process.timers[row.name]
        row.fired_at = change.at
        row.save(update_fields=["fired_at"])
        owed_on = counting.last_day(row.at)
        if rule.step:
            # An end is exclusive: the last instant of the day that counts, not the first of the next.
            change.counts_at = min(row.at - timedelta(microseconds=1), change.at)
            words = f"{rule.title}：{owed_on:%Y-%m-%d} 到时"
            late = counting.local_day(change.at)
            if late > owed_on + timedelta(days=1):
                words += f"，系统于 {late:%Y-%m-%d} 补办，时限仍按到时之日计算"
            change.said.append(words)
            _advance(act, change, rule.step)
        else:
            posts = turns.posts_of(rule.notify, change.parties, matter.holding_unit_id)
            notify(
                posts,
                key=f"timer:{row.pk}",
                title=f"{rule.title}：{matter.title}",
                text=f"承办：{directory.unit_name(matter.holding_unit_id)}。",
                level=Notice.URGE,
                matter=matter,
            )
            act.emit(
                events.ReminderSent(
                    subject=matter.ref, kind=matter.kind, stage=f"timer-{rule.name}", posts=len(posts)
                )
            )
        return True


def react(act: Act, matter: Matter) -> bool:
    """Do the first step for which a trigger's condition holds now; returns whether there was one."""
    with begin(act, matter) as change:
        for trigger in change.process.triggers:
            step = change.process.flow.transitions[trigger.step]
            if matter.state not in step.sources:
                continue
            if not registry.conditions.at(trigger.on).run(matter, trigger.on.params):
                continue
            try:
                for use in step.guards:
                    registry.guards.at(use).run(act, matter, use.params, {}, step)
            except Problem:
                continue
            _advance(act, change, step.name)
            return True
    return False


def look_again(act: Act, matter: Matter) -> None:
    """Let the conditions of a matter's triggers be asked again soon: something they hang on has changed.

    They are asked once this action is done, so that once in it is enough.
    """
    if not act.said(events.LookAgain.event_name, matter.ref):
        act.emit(events.LookAgain(subject=matter.ref, kind=matter.kind))


def _look_at_own(act: Act, change: Change) -> None:
    flow, state = change.process.flow, change.matter.state
    if any(state in flow.transitions[trigger.step].sources for trigger in change.process.triggers):
        look_again(act, change.matter)


def _look_around(act: Act, matter: Matter) -> None:
    """The end of a matter may be what others wait for: the one above, those below, those that need it."""
    found = list(Matter.objects.filter(parent=matter, closed_at=None))
    found += Matter.objects.filter(links__to=matter, links__kind=Link.NEEDS, closed_at=None)
    if matter.parent_id:
        found += Matter.objects.filter(pk=matter.parent_id, closed_at=None)
    for other in found:
        if process_of(other).triggers:
            look_again(act, other)


# Ties between matters --------------------------------------------------------------------------------------


def require(act: Act, matter: Matter, prerequisite: Matter) -> None:
    """Let a matter wait for another to be granted (前置). Raises StepNotAllowed when they would wait for each other."""
    seen, waiting = set(), [prerequisite.pk]
    while waiting:
        here = waiting.pop()
        if here == matter.pk:
            raise StepNotAllowed(
                f"{prerequisite.number} 已经（直接或间接）以 {matter.number} 为前置，不能互为前置。"
            )
        if here not in seen:
            seen.add(here)
            waiting += [
                to for to, kind in columns(Link, ("to", "kind"), "matter", here) if kind == Link.NEEDS
            ]
    if prerequisite.pk not in [
        to for to, kind in columns(Link, ("to", "kind"), "matter", matter.pk) if kind == Link.NEEDS
    ]:
        insert(Link(matter=matter, to=prerequisite, kind=Link.NEEDS))
    with joined(act, matter, "matters.require", "确定前置事项") as change:
        change.said.append(f"前置事项：{prerequisite.title}（{prerequisite.number}）")


def prerequisites(matter: Matter) -> list[tuple[Matter, bool | None]]:
    """What a matter needs to be granted first, and whether it was: None while it is open."""
    found = Matter.objects.filter(linked__matter=matter, linked__kind=Link.NEEDS).order_by("id")
    return [(one, granted(one)) for one in found]


def granted(matter: Matter) -> bool | None:
    """Whether a matter ended with what was asked for; None while it is open."""
    return None if matter.is_open else not process_of(matter).flow.states[matter.state].failed


def allowed(act: Act, change: Change, flow: Flow, name: str, part: Part | None) -> Transition:
    """The step, if state, policy and two-person rule let this actor do it now.

    Raises StepNotAllowed, Denied.
    """
    matter, row = change.matter, part or change.matter
    step = flow.transitions.get(name)
    state = flow.states[row.state]
    if step is None:
        raise StepNotAllowed(f"流程里没有名为 {name!r} 的步骤。")
    if row.state not in step.sources or (part is not None and not matter.is_open):
        last = Entry.objects.filter(matter=matter).order_by("-id").first()
        raise StepNotAllowed(
            f"现在是“{state.title if matter.is_open else state_title(matter)}”，不能“{step.title}”；"
            f"上一步是{last.actor_label}办理的“{last.title}”。"
        )
    act.check(policies.step, Attempt(matter, step, change.parties, part))
    if clash := same_person(act.actor, matter, step, part):
        raise Denied(clash, title="须由另一人办理", todo="请本单位另一位有权限的同志办理。")
    return step


def same_person(actor: Actor, matter: Matter, step: Transition, part: Part | None = None) -> str:
    """The two-person rule (两人原则): what this person, under whatever post, did before; "" when nothing forbids
    the step.

    Of each step named by the rule the latest doing counts.
    """
    if not step.not_same_person_as or actor.is_system:
        return ""
    person = getattr(actor, "person_id", None)
    if person is None:
        return f"“{step.title}”要由另一个人把关，程序不能办理。"
    latest: dict[str, Entry] = {}
    rows = Entry.objects.filter(matter=matter, transition__in=step.not_same_person_as).order_by("id")
    for row in rows:
        if row.part_id in (None, part.pk if part else None):
            latest[row.transition] = row
    for row in latest.values():
        if row.person_id == person:
            return f"“{row.title}”是您本人办理的，“{step.title}”须由另一人办理。"
    return ""


@dataclass(frozen=True)
class Option:
    """A step that an actor may take in the present state. ``blocked`` says why not yet; "" when nothing
    stands against.
    """

    step: Transition
    blocked: str = ""

    @property
    def name(self) -> str:
        """The step's name."""
        return self.step.name

    @property
    def title(self) -> str:
        """The step's title."""
        return self.step.title

    @property
    def effect_text(self) -> str:
        """What the step will do."""
        return self.step.effect_text


def transitions(
    matter: Matter, actor: Actor, part: Part | None = None, parties: dict[str, int] | None = None
) -> list[Option]:
    """The steps that an actor may take now, in the order of the process."""
    if part is not None and not matter.is_open:
        return []
    process = process_of(matter)
    steps = process.flow_of(part.kind if part else None).out_of((part or matter).state)
    if steps and parties is None:
        parties = dict(Party.objects.filter(matter=matter).values_list("name", "unit_id"))
    found = []
    for step in steps:
        if policies.step(actor, Attempt(matter, step, parties, part)):
            found.append(
                Option(step, same_person(actor, matter, step, part) or _guarded(actor, matter, step))
            )
    return found


def _guarded(actor: Actor, matter: Matter, step: Transition) -> str:
    """What an early guard has against a step."""
    for use in step.guards:
        rule = registry.guards.at(use)
        if rule.early:
            try:
                rule.run(Act(actor, "matters.look"), matter, use.params, {}, step)
            except Problem as problem:
                return problem.detail
    return ""


def _move_clocks(change: Change, step: Transition, values: dict[str, Any], note: str) -> None:
    moves = step.clocks
    if moves.stop:
        change.stop(moves.stop)
    for name in moves.suspend:
        change.suspend(name, str(values.get("reason") or note or step.title))
    for name in moves.resume:
        change.resume(name)
    for name in moves.start:
        change.start(name, values.get(change.process.clocks[name].field), moves.since)


# Parts ----------------------------------------------------------------------------------------------------


def add_part(
    act: Act, matter: Matter, *, kind: str, unit_id: int, title: str, due_at: datetime | None = None
) -> Part:
    """Ask a unit for parallel work. ``due_at`` is exclusive; without one the process's own term for such
    parts counts.
    """
    with joined(act, matter, "matters.add_part", "增加并行办理") as change:
        flow = change.process.parts.get(kind)
        if flow is None:
            raise KeyError(
                f"process {change.process.key} has no part {kind!r}; it has: {', '.join(change.process.parts)}"
            )
        if due_at is None and flow.due:
            unit, amount = flow.due
            due_at = counting.end(unit, amount, change.at, [], counting.work_calendar(fresh=True)).due_at
        part = Part(
            matter=matter,
            kind=kind,
            unit_id=unit_id,
            title=title[:200],
            state=flow.initial,
            opened_at=change.at,
            due_at=due_at,
        )
        _plan_part(change, part)
        part.save()
        change.units_moved = True
        change.said.append(f"{flow.title}：{directory.unit_name(unit_id)}")
        act.emit(events.PartOpened(subject=matter.ref, kind=matter.kind, part_id=part.pk, unit_id=unit_id))
    return part


def ask_again(act: Act, matter: Matter, *, kind: str, states: Iterable[str] = ()) -> int:
    """Let parts of a kind that are done be done again: those in these ``states``, or all. Returns how many."""
    with joined(act, matter, "matters.ask_again", "再次征求意见") as change:
        flow = change.process.parts[kind]
        rows = Part.objects.filter(matter=matter, kind=kind).exclude(done_at=None).order_by("id")
        rows = list(rows.filter(state__in=states) if states else rows)
        for part in rows:
            from_state, part.state, part.done_at, part.result = part.state, flow.initial, None, ""
            part.opened_at = change.at
            if flow.due:
                unit, amount = flow.due
                calendar = counting.work_calendar(fresh=True)
                part.due_at = counting.end(unit, amount, change.at, [], calendar).due_at
            _plan_part(change, part)
            change.units_moved = True
            change.line_of_part(part, "matters.ask_again", "再次征求意见", from_state)
            act.emit(
                events.PartOpened(subject=matter.ref, kind=matter.kind, part_id=part.pk, unit_id=part.unit_id)
            )
        if rows:
            named = "、".join(directory.unit_name(part.unit_id) for part in rows)
            change.said.append(f"再请{named}办理“{flow.title}”")
    return len(rows)


def move_parts(act: Act, matter: Matter, *, kind: str, due_at: datetime) -> int:
    """Let the open parts of a kind end at another instant (exclusive), with one line of history; returns how many
    moved.
    """
    ends_otherwise = Part.objects.filter(matter=matter, kind=kind, done_at=None).exclude(due_at=due_at)
    if not ends_otherwise.exists():
        return 0
    with joined(act, matter, "matters.move_parts", "调整并行办理期限") as change:
        rows = list(ends_otherwise.all())
        for part in rows:
            part.due_at = due_at
            _plan_part(change, part)
        Part.objects.bulk_update(rows, ["due_at", "warn_at", "remind_at"])
        title = change.process.parts[kind].title
        change.said.append(f"{title} {len(rows)} 项，期限改为 {counting.last_day(due_at):%Y-%m-%d}")
    return len(rows)


def _plan_part(change: Change, part: Part) -> None:
    """Set when a part warns and what reminder it owes next."""
    if part.due_at is None or not part.is_open:
        part.warn_at = part.remind_at = None
        return
    calendar = counting.work_calendar(fresh=True)
    part.warn_at = counting.warning(None, part.opened_at, part.due_at, calendar)
    stages = counting.stages(part.due_at, part.warn_at, calendar, kind_of(change.matter.kind).app)
    part.remind_at = next((stage.at for stage in stages if stage.at > change.at), None)


def _end_parts(change: Change) -> None:
    """What still runs beside a matter ends with it. The line of the matter's own step says so."""
    rows = list(change.matter.parts.filter(done_at=None))
    for part in rows:
        part.done_at, part.result = change.at, ENDED_WITH_MATTER
        _plan_part(change, part)
        update(part, *_ENDING)
    if rows:
        change.said.append(f"{len(rows)} 项未完成的并行办理随之结束")


def _resume_parts(change: Change) -> None:
    """What ended only because the matter did goes on when the matter is taken up again."""
    for part in change.matter.parts.exclude(done_at=None):
        if not change.process.parts[part.kind].states[part.state].final:
            part.done_at, part.result = None, ""
            _plan_part(change, part)
            update(part, *_ENDING)


_ENDING = ["done_at", "warn_at", "remind_at", "result"]


# Holder and clocks, for effects and for actions of other apps ---------------------------------------------


def hand_over(act: Act, matter: Matter, unit_id: int, post_id: int | None = None) -> None:
    """Let a unit hold the matter, with or without an assignee."""
    with joined(act, matter, "matters.hand_over", "移交") as change:
        change.hand_to(unit_id, post_id)


def set_party(act: Act, matter: Matter, name: str, unit_id: int) -> None:
    """Make a unit a party of the matter."""
    with joined(act, matter, "matters.set_party", "调整参与单位") as change:
        change.set_party(name, unit_id)


def start_clock(act: Act, matter: Matter, name: str, *, due_on: date | None = None) -> Clock:
    """Start a clock of the process; ``due_on`` for one that ends on a date. Raises Invalid, StepNotAllowed."""
    with joined(act, matter, "matters.start_clock", "开始计时") as change:
        clock = change.start(name, due_on)
        change.said.append(
            f"{change.process.clocks[name].title}：至 {counting.last_day(clock.due_at):%Y-%m-%d}"
        )
    return clock


def stop_clock(act: Act, matter: Matter, name: str) -> None:
    """End a clock for good."""
    with joined(act, matter, "matters.stop_clock", "结束计时") as change:
        change.stop([name])
        change.said.append(change.process.clocks[name].title)


def suspend_clock(act: Act, matter: Matter, name: str, *, reason: str) -> None:
    """Let a clock stand still, naming the ground."""
    with joined(act, matter, "matters.suspend_clock", "中止计时", note=reason) as change:
        change.suspend(name, reason)


def resume_clock(act: Act, matter: Matter, name: str) -> None:
    """Let a clock go on."""
    with joined(act, matter, "matters.resume_clock", "恢复计时") as change:
        change.resume(name)


def extend_clock(
    act: Act, matter: Matter, name: str, *, amount: int = 0, new_due_on: date | None = None, reason: str
) -> Clock:
    """Let a clock end later by ``amount`` of its unit, or on another day. Raises Invalid, StepNotAllowed."""
    with joined(act, matter, "matters.extend_clock", "延期") as change:
        running = change.clock(name)
        old_due = running.due_at if running else None
        clock = change.extend(name, amount=amount, new_due_on=new_due_on, reason=reason, by=act.actor.label)
        act.emit(
            events.ClockExtended(
                subject=matter.ref,
                kind=matter.kind,
                clock=name,
                old_due=old_due.isoformat(),
                new_due=clock.due_at.isoformat(),
            )
        )
    return clock


def recompute(act: Act, matter: Matter) -> bool:
    """Count clocks and timers again after the calendar changed; returns whether anything moved. The history says
    from when to when.
    """
    with joined(act, matter, "matters.recompute", "工作日历调整，重新计算期限") as change:
        # Both: the timers of clocks follow when the change is finished.
        moved = len(change.recount()) + change.recount_timers()
        change.changed = bool(moved)
        if not moved:
            change._settle()
            matter.save()
    return bool(moved)
