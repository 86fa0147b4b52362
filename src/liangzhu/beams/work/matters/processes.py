"""Guards and effects that every process may use, and the loading of process files.

| Guard | Refuses while |
|---|---|
| `parts_finished` (part) | parallel work, of one kind or any, is still going on |
| `children_closed` | a matter below is open |

| Effect | Does |
|---|---|
| `hand_to` (party, field) | hands the matter to that party's unit; `field` names a field with the post that gets it |
| `assign` (field) | gives the matter to the post chosen in the field |
| `set_party` (party, field) | makes the unit chosen in the field this party |
| `add_parts` (part, field, title) | asks each unit chosen in the field for parallel work |
| `extend_clock` (clock, field, reason) | a later end: the field is a date, or a number of the clock's unit |
| `notify` (party, title) | tells officers and heads of that party |
"""

from pathlib import Path

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import bpmn, drawing, engine, notices
from liangzhu.beams.work.matters.kinds import all_kinds, process_files
from liangzhu.beams.work.matters.models import Matter, Part
from liangzhu.beams.work.matters.process import (
    RELEASE_KIND,
    Process,
    ProcessError,
    in_force,
    of_release,
    parse,
)
from liangzhu.beams.work.matters.registry import effect, guard
from liangzhu.kernel import releases
from liangzhu.kernel.errors import Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.models import Release


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


@guard("children_closed", early=True)
def children_closed(act, matter, params: dict, data: dict, transition) -> None:
    """Refuse while a matter below is open."""
    child = Matter.objects.filter(parent=matter, closed_at=None).first()
    if child:
        raise StepNotAllowed(f"下级事项 {child.number} 还没有办结。", todo="请先办结下级事项。")


@effect("hand_to", needs=("party",), takes=("field",))
def hand_to(act, matter, params: dict, data: dict, transition) -> None:
    """Hand the matter to a party's unit."""
    with engine.joined(act, matter, "matters.hand_over", "移交") as change:
        unit = change.parties.get(params["party"])
        if unit is None:
            title = change.process.parties.get(params["party"], params["party"])
            raise StepNotAllowed(f"这一事项没有{title}，不能移交。", todo="请先确定参与单位。")
        change.hand_to(unit, data.get(params.get("field", "")))


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


@effect("extend_clock", needs=("clock", "field"), takes=("reason",))
def extend_clock(act, matter, params: dict, data: dict, transition) -> None:
    """Let a clock end later, as the field says."""
    value = data.get(params["field"])
    reason = str(data.get(params.get("reason", "reason")) or transition.title)
    if engine.process_of(matter).clocks[params["clock"]].unit == "date":
        engine.extend_clock(act, matter, params["clock"], new_due_on=value, reason=reason)
    else:
        engine.extend_clock(act, matter, params["clock"], amount=int(value or 0), reason=reason)


@effect("notify", needs=("party", "title"))
def notify(act, matter, params: dict, data: dict, transition) -> None:
    """Tell a party."""
    with engine.joined(act, matter, "matters.notify", "通知") as change:
        unit = change.parties.get(params["party"])
    if unit is not None:
        notices.notify(
            [post.id for post in directory.posts(unit)],
            key=f"step:{matter.pk}:{matter.version}:{transition.name}",
            title=f"{params['title']}：{matter.title}",
            matter=matter,
        )


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
        seeded.append(releases.seed(RELEASE_KIND, process.key, text, origin))
    known = {path.stem for path in process_files()}
    for kind in all_kinds().values():
        if kind.process not in known:
            raise ProcessError(kind.process, [(1, f"事项种类“{kind.title}”的流程 {kind.process} 没有文件")])
    open_matters = Matter.objects.filter(closed_at=None)
    for release in Release.objects.filter(kind=RELEASE_KIND).exclude(state__in=Release.NEVER_RAN):
        if open_matters.filter(release=release).exists():
            of_release(release)
    return seeded
