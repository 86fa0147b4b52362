"""Matters and processes put into words and shapes for pages. Reads only; everything here follows from rows
and process.
"""

from dataclasses import dataclass
from datetime import date

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.files import api as attachments
from liangzhu.beams.work.matters import clocks as counting
from liangzhu.beams.work.matters import drawing, editing, queries
from liangzhu.beams.work.matters.engine import Option, process_of, transitions
from liangzhu.beams.work.matters.grammar import EVERY, Flow, Process, Since, Transition, Who
from liangzhu.beams.work.matters.kinds import Kind
from liangzhu.beams.work.matters.lights import Leg, Light, light
from liangzhu.beams.work.matters.models import Matter, Part
from liangzhu.beams.work.matters.process import ProcessError, in_force, of_release, parse
from liangzhu.beams.work.matters.rules import NearDue, rules
from liangzhu.kernel import releases
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.models import Release
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref, describe
from liangzhu.kernel.workdays import Day

WEEKDAYS = "一二三四五六日"
BEAMS = 4
"""Parallel parts drawn on the path; the rest are only in the list below it."""
RECENT = 15
"""Lines of history that are open; the earlier ones are folded."""


def day_words(day: date) -> str:
    """10月25日（周二）; with the year when it is not the present one."""
    year = "" if day.year == counting.local_day(now()).year else f"{day.year}年"
    return f"{year}{day.month}月{day.day}日（周{WEEKDAYS[day.weekday()]}）"


def holidays(skipped: tuple[Day, ...]) -> str:
    """What the calendar did to a term: 国庆节放假、调休已计入."""
    names = []
    for day in skipped:
        name = day.reason.replace("调休", "").removesuffix("放假").removesuffix("上班") or day.reason
        if name not in names:
            names.append(name)
    if not names:
        return ""
    worked = any(day.workday for day in skipped)
    return f"{'、'.join(names)}放假{'和调休' if worked else ''}已计入"


def end_words(leg: Leg) -> str:
    """The end of a clock: 10月25日（周二）, with the time for one in hours."""
    if leg.by_day:
        return day_words(leg.last_day)
    local = leg.due_at.astimezone(counting.SHANGHAI)
    return f"{day_words(local.date())}{local:%H:%M}"


def words(leg: Leg) -> str:
    """A clock in one sentence: 还剩 3 个工作日 · 10月25日（周二）到期，国庆节放假和调休已计入."""
    end = end_words(leg)
    if leg.ended_at:
        return f"已于 {leg.ended_at.astimezone(counting.SHANGHAI):%Y-%m-%d} 结束计时，原定 {end}"
    if leg.paused:
        return f"中止计时：{leg.stops[-1].reason}"
    rest = holidays(leg.skipped)
    about = "，年度放假安排公布后可能变动" if leg.provisional else ""
    if leg.late:
        return f"{end}到期，已超期 {leg.number} {leg.measure}{about}"
    left = "今天到期" if leg.number == "今天" else f"还剩 {leg.number} {leg.measure}"
    return f"{left} · {end}到期{f'，{rest}' if rest else ''}{about}"


@dataclass(frozen=True)
class Shown:
    """A matter as its page shows it."""

    process: Process
    state: str
    light: Light
    path: list[dict]
    options: list[Option]
    holder: str
    assignee: str
    parties: list[tuple[str, str]]
    parts: list[tuple[queries.PartView, list[Option]]]
    """The parallel parts, each with the steps that the actor may take in it."""
    files: list[attachments.Attachment]
    earlier: list[queries.Line]
    history: list[queries.Line]

    @property
    def own_parts(self) -> list[tuple[queries.PartView, list[Option]]]:
        """The parts of the actor's own unit, with the steps that are that unit's own to take now."""
        own = [
            (view, [one for one in options if any(who.party == "part" for who in one.step.who)])
            for view, options in self.parts
            if view.mine
        ]
        return [(view, options) for view, options in own if options]


def show(actor: Actor, matter: Matter) -> Shown:
    """Gather what the page of a matter shows."""
    process = process_of(matter)
    files = attachments.of(matter.ref)
    lines = queries.history(actor, matter, files)
    parties = dict(matter.parties.values_list("name", "unit_id"))
    options = transitions(matter, actor, parties=parties)
    parts = [
        (view, transitions(matter, actor, view.part, parties) if matter.is_open else [])
        for view in queries.parts(actor, matter)
    ]
    told = queries.folded(lines)
    post = directory.post(matter.assignee_id) if matter.assignee_id else None
    return Shown(
        process=process,
        state=process.flow.states[matter.state].title,
        light=light(matter),
        path=path(matter, process.flow, lines, parts, bool(options)),
        options=options,
        holder=directory.unit_name(matter.holding_unit_id),
        assignee=f"{post.person_name or '（空缺）'} · {post.title}" if post else "",
        parties=[
            (process.parties[name], directory.unit_name(unit))
            for name, unit in parties.items()
            if name in process.parties and unit != matter.holding_unit_id
        ],
        parts=parts,
        files=files,
        earlier=told[:-RECENT],
        history=told[-RECENT:],
    )


def path(
    matter: Matter,
    flow: Flow,
    lines: list[queries.Line],
    parts: list[tuple[queries.PartView, list[Option]]] = (),
    mine: bool = False,
) -> list[dict]:
    """The steps of `{% path %}`: the main path with the present state on it, and parts as parallel beams.

    Of several ends only the one that was reached is shown, or the first. A state that was jumped over is
    marked so.
    """
    here = flow.states[matter.state]
    been = {line.entry.to_state: line.entry.at for line in lines if line.entry.part_id is None}
    states = flow.path()
    ends = [state for state in states if state.final]
    shown_end = here if here.final else next(iter(ends), None)
    states = [state for state in states if not state.final or state is shown_end]
    if here not in states:
        # A state off the path stands where the matter left it: after the last one that it passed.
        passed = [n for n, state in enumerate(states) if state.name in been and not state.final]
        states.insert(passed[-1] + 1 if passed else 0, here)
    place = states.index(here)
    steps = []
    for n, state in enumerate(states):
        if n == place:
            word = "done" if state.final else "now"
        elif n < place:
            word = "done" if state.name in been else "skip"
        else:
            word = "todo"
        when = been.get(state.name) if word in ("done", "now") else None
        step = {"title": state.title, "state": word, "mine": n == place and mine}
        if when:
            local = when.astimezone(counting.SHANGHAI)
            step["note"] = f"{local.month}月{local.day}日"
        if n == place and not state.final and parts:
            # The own unit's part is always among those drawn, and what is open comes before what is done.
            drawn = sorted(parts, key=lambda pair: (not pair[0].mine, not pair[0].part.is_open))
            step["parts"] = [
                {
                    "title": view.unit,
                    "state": "now" if view.part.is_open else "done",
                    "note": view.state if view.part.is_open else "",
                    "mine": view.mine and bool(options),
                    "url": f"#part-{view.part.pk}",
                }
                for view, options in drawn[:BEAMS]
            ]
            if len(parts) > BEAMS:
                rest = [view for view, _ in drawn[BEAMS:]]
                over = all(not view.part.is_open for view in rest)
                step["parts"].append(
                    {"title": f"其余 {len(rest)} 家", "state": "done" if over else "now", "url": "#parts"}
                )
        steps.append(step)
    return steps


def opening_consequences(kind: Kind) -> list[str]:
    """What opening a matter of a kind will do, in sentences."""
    process = in_force(kind.process)[1]
    said = [f"登记为“{process.flow.states[process.flow.initial].title}”，编号由系统给出"]
    for rule in process.clocks.values():
        if rule.at_open and rule.unit != "date":
            said.append(f"{rule.title}开始计时：{rule.term}{since_words(process, process.opening_since)}")
    return said


def consequences(matter: Matter, step: Transition, part: Part | None = None) -> list[str]:
    """What a step will do, in sentences: where it leads, who holds the matter then, which clocks start, stop
    or move.
    """
    process = process_of(matter)
    flow = process.flow_of(part.kind if part else None)
    here = (part or matter).state
    said = [step.effect_text]
    if step.to and step.to != here:
        said.append(f"状态由“{flow.states[here].title}”变为“{flow.states[step.to].title}”")
    said += [f"{process.clocks[name].title}中止计时" for name in step.clocks.suspend]
    said += [f"{process.clocks[name].title}恢复计时" for name in step.clocks.resume]
    for name in step.clocks.start:
        rule = process.clocks[name]
        if rule.unit == "date":
            said.append(f"{rule.title}开始计时")
        elif rule.amounts or step.clocks.since:
            said.append(f"{rule.title}开始计时：{rule.term}{since_words(process, step.clocks.since)}")
        else:
            end = counting.end(rule.unit, rule.amount, now(), [], counting.work_calendar())
            when = day_words(counting.last_day(end.due_at)) if counting.ends_with_day(end.due_at) else ""
            said.append(f"{rule.title}开始计时：{rule.term}{f'，{when}到期' if when else ''}")
    if step.clocks.stop and EVERY not in step.clocks.stop:
        said += [f"{process.clocks[name].title}结束计时" for name in step.clocks.stop]
    if step.to and flow.states[step.to].final and part is None:
        said.append("事项就此办结")
    if step.not_same_person_as:
        titles = [
            flow.transitions[name].title for name in step.not_same_person_as if name in flow.transitions
        ]
        said.append(f"须由办理“{'”“'.join(titles)}”以外的人办理" if titles else "须由登记人以外的人办理")
    return said


def since_words(process: Process, since: Since | None) -> str:
    """From when a clock counts that is started later: ，自“补正告知时限”起算之日起算."""
    if since is None:
        return ""
    words = {
        "opened": lambda: "登记之日",
        "clock": lambda: f"“{process.clocks[since.name].title}”起算之日",
        "state": lambda: f"进入“{process.flow.states[since.name].title}”之日",
        "field": lambda: "所填日期",
    }
    return f"，自{words[since.kind]()}起算"


def why_not(matter: Matter, part: Part | None, step: Transition) -> str:
    """Why a step is not open to whoever asks: the state, or the post."""
    flow = process_of(matter).flow_of(part.kind if part else None)
    here = flow.states[(part or matter).state]
    if here.name not in step.sources:
        return f"现在是“{here.title}”，不能“{step.title}”。"
    return f"当前岗位不能办理“{step.title}”；现由{directory.unit_name(matter.holding_unit_id)}办理。"


def near_rule() -> NearDue:
    """When a clock without a rule of its own is near due."""
    return rules().near


# Processes ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ShownRelease:
    """A release as its page shows it. ``process`` is None when the text does not pass the checks; ``faults``
    say why.
    """

    row: Release
    process: Process | None
    faults: list[str]
    svg: str
    words: list[tuple[str, list[str]]]
    before: Release | None
    difference: list[tuple[str, str]]
    changes: list[str]
    steps: list["ShownStep"]
    people: dict[str, str]


@dataclass(frozen=True)
class ShownStep:
    """A step in words: of which flow, from where to where, by whom."""

    flow: str
    title: str
    sources: str
    to: str
    who: list[str]
    second: str


def release(rows: list[Release], number: int | None, actor: Actor) -> ShownRelease:
    """One of the releases (newest first): that of the number, else the one in force, else the newest.

    Raises NotThere for an unknown number.
    """
    if number is None:
        row = next((one for one in rows if one.state == Release.IN_FORCE), rows[0])
    else:
        row = next((one for one in rows if one.number == number), None)
        if row is None:
            raise NotThere(f"这个流程没有第 {number} 版。")
    process, faults = None, []
    try:
        process = of_release(row) if row.state != Release.DRAFT else parse(row.body, row.origin or row.key)
    except ProcessError as error:
        faults = error.detail.splitlines()
    before = next(
        (
            one
            for one in rows
            if one.number < row.number and one.state not in (Release.REFUSED, Release.WITHDRAWN)
        ),
        None,
    )
    return ShownRelease(
        row=row,
        process=process,
        faults=faults,
        svg=drawing.svg(process) if process else "",
        words=drawing.words(process) if process else [],
        before=before,
        difference=releases.difference(before.body, row.body) if before else [],
        changes=editing.changes(of_release(before), process) if before and process else [],
        steps=_steps(process) if process else [],
        people=_people(rows, actor),
    )


def _people(rows: list[Release], actor: Actor) -> dict[str, str]:
    """Who drafted and released, by the text of their reference."""
    texts = {text for row in rows for text in (row.drafted_by, row.released_by) if text}
    found = describe([Ref.parse(text) for text in texts], actor)
    return {str(ref): "系统载入" if ref.kind == "system" else label for ref, (label, _) in found.items()}


def _steps(process: Process) -> list[ShownStep]:
    found = []
    for flow in (process.flow, *process.parts.values()):
        for step in flow.transitions.values():
            names = [
                flow.transitions[one].title for one in step.not_same_person_as if one in flow.transitions
            ]
            found.append(
                ShownStep(
                    flow=flow.title,
                    title=step.title,
                    sources="、".join(flow.states[one].title for one in step.sources),
                    to=flow.states[step.to].title if step.to else "状态不变",
                    who=[who_words(process, one) for one in step.who],
                    second="、".join(names),
                )
            )
    return found


def who_words(process: Process, who: Who) -> str:
    """One alternative of who may act: 牵头单位的承办人、单位负责人."""
    if who.system:
        return "系统自动办理"
    if who.applicant:
        return "申请人"
    unit = process.parties.get(who.party, "参与单位") if who.party not in ("", "part") else ""
    unit = "配合单位" if who.party == "part" else "承办单位" if who.holding else unit
    roles = "、".join(directory.role_title(role) for role in who.roles)
    person = "、".join(text for text in (roles, "负责人" if who.head else "") if text) or "工作人员"
    return f"{unit}的{person}" if unit else person
