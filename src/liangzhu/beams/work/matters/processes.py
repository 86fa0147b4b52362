"""Guards, effects and conditions that every process may use, and the loading of process files.

| Guard | Refuses |
|---|---|
| `parts_finished` (part) | while parallel work, of one kind or any, is still going on |
| `parts_ended_in` (part, states, at_least) | unless every part, or so many, ended in one of these states; names who did not (一票否决) |
| `children_closed` | while a matter below is open |
| `prerequisites_met` | while a prerequisite is not granted, naming it |
| `at_most` (times, step, since) | this step, or the named one, more than so many times; counted anew after `since` |
| `not_after` (steps, since, reason) | once one of these steps was done |
| `only_after` (steps, since) | until one of these steps was done |
| `in_time` (clock) | when that clock has ended, or does not run |
| `decision` (table, output, value, inputs) | unless the decision table gives that value; the ground is named |

| Effect | Does |
|---|---|
| `hand_to` (party, field) | hands the matter to that party's unit; `field` names a field with the post that gets it |
| `hand_to_doer` (step) | hands it to whoever did that step last |
| `assign` (field) | gives the matter to the post chosen in the field |
| `set_party` (party, field) | makes the unit chosen in the field this party |
| `add_parts` (part, field, title) | asks each unit chosen in the field for parallel work |
| `ask_parties` (part, parties, title) | asks the units of these parties for parallel work |
| `ask_again` (part, states) | asks again those whose part ended in these states, or all |
| `extend_clock` (clock, field or amount, reason) | a later end: a date, or a number of the clock's unit |
| `open_children` (children) | opens the declared children, or these, with their prerequisites |
| `merge_into` (field) | ties the matter to the one whose number is in the field, which answers for both |
| `notify` (party, title, urge) | tells officers and heads of that party |

| Condition of a trigger | Holds |
|---|---|
| `parts_finished` (part) | parallel work was asked for, and all of it is done |
| `children_ended` | there are matters below, and all of them ended |
| `prerequisites_met`, `prerequisite_failed` | all prerequisites were granted; one ended without being granted |
| `parent_ended` | the matter above has ended |
"""

from pathlib import Path

from django.db import OperationalError

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import bpmn, decided, drawing, engine, events, formed, notices, queries
from liangzhu.beams.work.matters import clocks as counting
from liangzhu.beams.work.matters.grammar import Process
from liangzhu.beams.work.matters.kinds import all_kinds, process_files
from liangzhu.beams.work.matters.models import Clock, Entry, Link, Matter, Notice, Part
from liangzhu.beams.work.matters.process import (
    RELEASE_KIND,
    ProcessError,
    in_force,
    of_release,
    parse,
    pin,
)
from liangzhu.beams.work.matters.registry import condition, effect, guard, keep_forms, measure
from liangzhu.beams.work.matters.rules import rules
from liangzhu.kernel import releases
from liangzhu.kernel.errors import Conflict, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.models import Release
from liangzhu.kernel.now import now

keep_forms(formed.Forms())


@guard("parts_finished", takes=("part",), early=True)
def parts_finished(act, matter, params: dict, data: dict, transition) -> None:
    """Refuse while parallel work is going on."""
    rows = Part.objects.filter(matter=matter, done_at=None)
    if "part" in params:
        rows = rows.filter(kind=params["part"])
    names = [directory.unit_name(unit) for unit in rows.values_list("unit_id", flat=True)[:4]]
    if names:
        raise StepNotAllowed(
            f"{'、'.join(names[:3])}{'等' if len(names) > 3 else ''}还没有办完。",
            todo="请等并行办理完成，或催办。",
        )


@guard("parts_ended_in", needs=("part", "states"), takes=("at_least",), early=True)
def parts_ended_in(act, matter, params: dict, data: dict, transition) -> None:
    """Refuse unless parts ended as wanted; who stands against it is named with what was said."""
    process = engine.process_of(matter)
    flow = process.parts[params["part"]]
    rows = list(Part.objects.filter(matter=matter, kind=params["part"]).order_by("id"))
    good = [part for part in rows if not part.is_open and part.state in params["states"]]
    bad = [part for part in rows if part not in good]
    if len(good) >= params.get("at_least", len(rows)) and rows:
        return
    said = [f"{directory.unit_name(one.unit_id)}：{flow.states[one.state].title}" for one in bad[:5]]
    raise StepNotAllowed(
        f"“{flow.title}”还不能通过。{'；'.join(said)}{'等' if len(bad) > 5 else ''}。"
        if rows
        else f"还没有请任何单位办理“{flow.title}”。",
        todo="请等待或按意见修改后再次征求意见。",
    )


@guard("children_closed", early=True)
def children_closed(act, matter, params: dict, data: dict, transition) -> None:
    """Refuse while a matter below is open."""
    child = Matter.objects.filter(parent=matter, closed_at=None).first()
    if child:
        raise StepNotAllowed(f"下级事项 {child.number} 还没有办结。", todo="请先办结下级事项。")


@guard("prerequisites_met", early=True, whole=True)
def prerequisites_met(act, matter, params: dict, data: dict, transition) -> None:
    """Refuse while something this matter needs first is not granted; each is named with where it stands."""
    waiting = [
        f"“{one.title}”（{one.number}）{engine.state_title(one)}"
        for one, granted in engine.prerequisites(matter)
        if not granted
    ]
    if waiting:
        raise StepNotAllowed(f"等待前置事项：{'；'.join(waiting)}。", todo="前置事项办成后本事项自动继续。")


def _doings(matter: Matter, steps: list[str], since: str | None) -> list[Entry]:
    """The lines of history of these steps, after the last doing of ``since``."""
    rows = Entry.objects.filter(matter=matter, part=None)
    last = rows.filter(transition=since).order_by("-id").first() if since else None
    return list(rows.filter(transition__in=steps, id__gt=last.pk if last else 0).order_by("id"))


@guard("at_most", takes=("times", "step", "since"), early=True, whole=True)
def at_most(act, matter, params: dict, data: dict, transition) -> None:
    """Refuse a step that was done as often as it may be."""
    times = params.get("times", 1)
    rows = _doings(matter, [params.get("step", transition.name)], params.get("since"))
    if len(rows) >= times:
        raise StepNotAllowed(
            f"“{rows[-1].title}”最多办理 {times} 次，"
            f"{rows[-1].actor_label}已于 {counting.local_day(rows[-1].at):%Y-%m-%d} 办理。",
            todo="请改用其他步骤。",
        )


@guard("not_after", needs=("steps",), takes=("since", "reason"), early=True, whole=True)
def not_after(act, matter, params: dict, data: dict, transition) -> None:
    """Refuse once one of the steps was done."""
    rows = _doings(matter, params["steps"], params.get("since"))
    if rows:
        why = params.get("reason") or f"已办理“{rows[-1].title}”，不能再“{transition.title}”。"
        raise StepNotAllowed(why, todo="请改用其他步骤。")


@guard("only_after", needs=("steps",), takes=("since",), early=True, whole=True)
def only_after(act, matter, params: dict, data: dict, transition) -> None:
    """Refuse until one of the steps was done."""
    if not _doings(matter, params["steps"], params.get("since")):
        steps = engine.process_of(matter).flow.transitions
        named = "或".join(f"“{steps[name].title}”" for name in params["steps"])
        raise StepNotAllowed(f"要先办理{named}，才能“{transition.title}”。", todo=f"请先办理{named}。")


@guard("in_time", needs=("clock",), early=True, whole=True)
def in_time(act, matter, params: dict, data: dict, transition) -> None:
    """Refuse when a clock has ended or does not run: what must be asked for before the end."""
    title = engine.process_of(matter).clocks[params["clock"]].title
    clock = Clock.objects.filter(matter=matter, name=params["clock"], stopped_at=None).first()
    if clock is None or (not clock.paused and clock.due_at <= now()):
        state = "没有在计时" if clock is None else f"已于 {counting.last_day(clock.due_at):%Y-%m-%d} 到期"
        raise StepNotAllowed(f"“{title}”{state}，不能“{transition.title}”。", todo="请在期满前提出。")


guard("decision", needs=("table", "output", "value"), takes=("inputs",), whole=True)(decided.as_decided)
measure("decision")(decided.by_table)


@effect("hand_to", needs=("party",), takes=("field",))
def hand_to(act, matter, params: dict, data: dict, transition) -> None:
    """Hand the matter to a party's unit."""
    with engine.joined(act, matter, "matters.hand_over", "移交") as change:
        unit = change.parties.get(params["party"])
        if unit is None:
            title = change.process.parties.get(params["party"], params["party"])
            raise StepNotAllowed(f"这一事项没有{title}，不能移交。", todo="请先确定参与单位。")
        change.hand_to(unit, data.get(params.get("field", "")))


@effect("hand_to_doer", needs=("step",), whole=True)
def hand_to_doer(act, matter, params: dict, data: dict, transition) -> None:
    """Hand the matter to whoever did a step last: the post of that person, or the unit when it is no longer held."""
    row = _doings(matter, [params["step"]], None)[-1:]
    if not row or row[0].unit_id is None:
        return
    own = [
        post.id for post in directory.posts(row[0].unit_id) if post.person_id == row[0].person_id is not None
    ]
    with engine.joined(act, matter, "matters.hand_over", "移交") as change:
        change.hand_to(row[0].unit_id, own[0] if own else None)


@effect("assign", needs=("field",))
def assign(act, matter, params: dict, data: dict, transition) -> None:
    """Give the matter to a post of the unit that holds it."""
    post = directory.post(data[params["field"]]) if params["field"] in data else None
    with engine.joined(act, matter, "matters.assign", "分派") as change:
        if post and post.unit_id != matter.holding_unit_id:
            raise Invalid({params["field"]: f"{post.full_title}不是承办单位的岗位。"})
        matter.assignee_id = post.id if post else None
        if post:
            change.said.append(f"承办：{post.person_name} {post.title}".replace("  ", " "))


@effect("set_party", needs=("party", "field"))
def set_party(act, matter, params: dict, data: dict, transition) -> None:
    """Make the chosen unit a party."""
    if params["field"] in data:
        engine.set_party(act, matter, params["party"], data[params["field"]])


@effect("add_parts", needs=("part", "field"), takes=("title",))
def add_parts(act, matter, params: dict, data: dict, transition) -> None:
    """Ask units for parallel work."""
    chosen = data.get(params["field"], [])
    for unit_id in chosen if isinstance(chosen, list) else [chosen]:
        engine.add_part(
            act, matter, kind=params["part"], unit_id=unit_id, title=params.get("title", matter.title)
        )


@effect("ask_parties", needs=("part", "parties"), takes=("title",), whole=True)
def ask_parties(act, matter, params: dict, data: dict, transition) -> None:
    """Ask the units of named parties for parallel work; one that was asked before is not asked twice."""
    asked = set(Part.objects.filter(matter=matter, kind=params["part"]).values_list("unit_id", flat=True))
    with engine.joined(act, matter, "matters.add_part", "增加并行办理") as change:
        for name in params["parties"]:
            unit = change.parties.get(name)
            if unit is None:
                title = change.process.parties.get(name, name)
                raise StepNotAllowed(f"这一事项没有{title}，不能征求意见。", todo="请先确定参与单位。")
            if unit not in asked:
                engine.add_part(
                    act,
                    matter,
                    kind=params["part"],
                    unit_id=unit,
                    title=params.get("title", matter.title),
                )
                asked.add(unit)


@effect("ask_again", needs=("part",), takes=("states",), whole=True)
def ask_again(act, matter, params: dict, data: dict, transition) -> None:
    """Let parts be done again."""
    engine.ask_again(act, matter, kind=params["part"], states=params.get("states", ()))


@effect("open_children", takes=("children",), whole=True)
def open_children(act, matter, params: dict, data: dict, transition) -> None:
    """Open the children whose parties all take part, each under its own process, with their prerequisites."""
    with engine.joined(act, matter, "matters.open_children", "登记子事项") as change:
        opened: dict[str, Matter] = {}
        for child in change.process.children.values():
            if child.name not in params.get("children", [child.name]):
                continue
            parties = {theirs: change.parties.get(own) for theirs, own in child.parties.items()}
            if None in parties.values():
                continue
            opened[child.name] = engine.open_matter(
                act,
                kind=child.kind,
                title=f"{child.title}：{matter.title}",
                parties=parties,
                holding_unit_id=next(iter(parties.values())),
                parent=matter,
                applicant=matter.applicant,
                place=matter.place,
                urgency=matter.urgency,
                opening="由上级事项登记",
            )
            change.said.append(f"{child.title}：{opened[child.name].number}")
        if not opened:
            raise StepNotAllowed("没有可以登记的子事项。", todo="请先确定各子事项的承办单位。")
        for name, row in opened.items():
            for other in change.process.children[name].needs:
                if other in opened:
                    engine.require(act, row, opened[other])


@effect("merge_into", needs=("field",), whole=True)
def merge_into(act, matter, params: dict, data: dict, transition) -> None:
    """Tie the matter to another of its kind that goes on for both. The step itself ends this one."""
    field, number = params["field"], str(data.get(params["field"], "")).strip()
    other = queries.visible(act.actor).filter(number=number, kind=matter.kind).first()
    if other is None or other.pk == matter.pk:
        raise Invalid({field: f"没有找到编号为“{number}”的另一同类事项，请核对编号。"})
    try:
        # Two that are merged into each other at once must not both end: whoever comes second is refused.
        other = Matter.objects.select_for_update(nowait=True).get(pk=other.pk)
    except OperationalError:
        raise Conflict(f"{number} 正在被办理。", todo="请稍后再并。") from None
    if not other.is_open:
        raise Invalid({field: f"{number} 已经办结（{engine.state_title(other)}），请并入仍在办理的事项。"})
    Link.objects.create(matter=matter, to=other, kind=Link.MERGED)
    with engine.joined(act, matter, "matters.merge", "并入") as change:
        change.said.append(f"并入 {other.number}《{other.title}》")
    act.emit(events.MatterMerged(subject=matter.ref, kind=matter.kind, into_id=other.pk))


@effect("extend_clock", needs=("clock",), takes=("field", "amount", "reason"))
def extend_clock(act, matter, params: dict, data: dict, transition) -> None:
    """Let a clock end later, as the field says or by the amount."""
    value = params["amount"] if "amount" in params else data.get(params["field"])
    reason = str(data.get(params.get("reason", "reason")) or transition.title)
    if engine.process_of(matter).clocks[params["clock"]].unit == "date":
        engine.extend_clock(act, matter, params["clock"], new_due_on=value, reason=reason)
    else:
        engine.extend_clock(act, matter, params["clock"], amount=int(value or 0), reason=reason)


@effect("notify", needs=("party", "title"), takes=("urge",))
def notify(act, matter, params: dict, data: dict, transition) -> None:
    """Tell a party."""
    with engine.joined(act, matter, "matters.notify", "通知") as change:
        unit = change.parties.get(params["party"])
    if unit is not None:
        notices.notify(
            [post.id for post in directory.posts(unit)],
            key=f"step:{matter.pk}:{matter.version}:{transition.name}",
            title=f"{params['title']}：{matter.title}",
            level=Notice.URGE if params.get("urge") else Notice.INFO,
            matter=matter,
        )


@condition("parts_finished", takes=("part",))
def all_parts_finished(matter, params: dict) -> bool:
    """Parallel work was asked for, and none is open."""
    rows = Part.objects.filter(matter=matter, **({"kind": params["part"]} if "part" in params else {}))
    return rows.exists() and not rows.filter(done_at=None).exists()


@condition("children_ended")
def children_ended(matter, params: dict) -> bool:
    """There are matters below, and none is open."""
    rows = Matter.objects.filter(parent=matter)
    return rows.exists() and not rows.filter(closed_at=None).exists()


@condition("prerequisites_met")
def all_granted(matter, params: dict) -> bool:
    """Everything that is needed first was granted; also when nothing is."""
    return all(granted for _, granted in engine.prerequisites(matter))


@condition("prerequisite_failed")
def one_failed(matter, params: dict) -> bool:
    """Something that is needed first ended without being granted."""
    return any(granted is False for _, granted in engine.prerequisites(matter))


@condition("parent_ended")
def parent_ended(matter, params: dict) -> bool:
    """The matter above has ended."""
    return matter.parent_id is not None and not matter.parent.is_open


# Files ----------------------------------------------------------------------------------------------------


def read_process_file(file: Path | str) -> str:
    """The text of a process file, or of a BPMN drawing turned into one; checked.

    Raises ProcessError naming file and line, BpmnError naming line and element.
    """
    path = Path(file)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ProcessError(str(path), [(1, f"文件读不出来：{error.strerror}")]) from None
    if path.suffix != ".toml":
        return bpmn.read(data)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProcessError(str(path), [(line, "不是 UTF-8 文本")]) from None
    parse(text, str(path))
    return text


def process_in_force(key: str) -> Process:
    """The process in force. Raises NotThere."""
    return in_force(key)[1]


def process_text(key: str) -> str:
    """The text of the process in force. Raises NotThere."""
    return in_force(key)[0].body


def shipped_process_text(key: str) -> str:
    """The text of a process as its file says, released or not. Raises NotThere when no app has it, ProcessError."""
    path = next((path for path in process_files() if path.stem == key), None)
    if path is None:
        raise NotThere(
            f"没有流程 {key}。", todo=f"已有的流程：{'、'.join(path.stem for path in process_files())}。"
        )
    return read_process_file(path)


def draw_process(text: str, form: str = "svg") -> str:
    """A process file as ``svg``, ``mermaid`` or ``bpmn``. Raises ProcessError; ValueError for another form."""
    if form == "bpmn":
        return bpmn.export(text).decode()
    forms = {"svg": drawing.svg, "mermaid": drawing.mermaid}
    if form not in forms:
        raise ValueError(f"a process is drawn as svg, mermaid or bpmn, not as {form!r}")
    return forms[form](parse(text))


def load_processes() -> list[Release]:
    """Check every process file and make it known: release 1 in force, a changed file as a draft for the
    second person.

    Every registered kind must have a process, and every release under which open matters run must still be
    readable. Raises ProcessError.
    """
    root = Path(__file__).resolve().parents[4]
    seeded = []
    for path in process_files():
        origin = str(path.relative_to(root)) if path.is_relative_to(root) else path.name
        text = path.read_text(encoding="utf-8")
        process = parse(text, origin)
        if process.key != path.stem:
            raise ProcessError(origin, [(1, f"文件名应与 key 相同：{process.key}.toml")])
        if any(clock.unit == "workhour" for clock in process.clocks.values()) and not rules().hours:
            raise ProcessError(origin, [(1, "用到工作时，但本区的 calendar.toml 没有 office_hours.periods")])
        for child in process.children.values():
            if child.kind not in all_kinds():
                raise ProcessError(origin, [(1, f"子事项 {child.name!r} 的种类 {child.kind!r} 没有登记")])
        seeded.append(releases.seed(RELEASE_KIND, process.key, text, origin))
    known = {path.stem for path in process_files()}
    for kind in all_kinds().values():
        if kind.process not in known:
            raise ProcessError(kind.process, [(1, f"事项种类“{kind.title}”的流程 {kind.process} 没有文件")])
    open_matters = Matter.objects.filter(closed_at=None)
    for release in Release.objects.filter(kind=RELEASE_KIND).exclude(state__in=Release.NEVER_RAN):
        if release.state == Release.IN_FORCE or open_matters.filter(release=release).exists():
            # Reading it refuses when a guard that it pins is no longer in the program.
            of_release(release)
            pin(release)
    return seeded
