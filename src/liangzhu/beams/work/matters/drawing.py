"""A process drawn: as SVG for pages and files, as Mermaid text for documents, as sentences for whoever does
not see it.

States stand under each other in the order of the path. A step to the next state goes straight down; every
other step leaves on the right, runs in a lane of its own and enters its target from the right. Steps that
stay stand inside the state. What the system does by itself is marked, children stand below in the order in which
they need each other. Pure functions: the same process always gives the same drawing.
"""

from dataclasses import dataclass, field, replace
from xml.sax.saxutils import escape

from liangzhu.beams.work.matters.grammar import (
    UNIT_WORDS,
    Child,
    Flow,
    Process,
    State,
    Timer,
    Transition,
)

BOX, LEFT, PORT, LANE, GAP, CHAR = 190, 16, 24, 16, 54, 13.5
"""Pixels: width of a state, margin, height of a line in it, width of a lane, room between states, width of a
character.
"""

_INK, _SLATE, _LINE, _CELADON, _SOFT, _PAPER = (
    "#1C2A30",
    "#55636A",
    "#D8D5CC",
    "#0B5F66",
    "#E3F0EF",
    "#FFFFFF",
)
_FONT = "'PingFang SC','HarmonyOS Sans SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif"


@dataclass
class _Box:
    state: State
    stays: list[str] = field(default_factory=list)
    leaves: list["_Edge"] = field(default_factory=list)
    enters: list["_Edge"] = field(default_factory=list)
    down: str = ""
    top: float = 0

    @property
    def height(self) -> float:
        return max(44 + 18 * len(self.stays), 14 + PORT * (len(self.leaves) + len(self.enters)))


@dataclass
class _Edge:
    source: int
    target: int
    label: str
    lane: int = 0
    out_y: float = 0
    in_y: float = 0


def svg(process: Process, state: str = "") -> str:
    """The process as one SVG, its parts below it; ``state`` is filled as the present one."""
    pieces, y, width = [], 0.0, 0.0
    flows = _flows(process)
    for flow in flows:
        if len(flows) > 1:
            pieces.append(_text(LEFT, y + 22, flow.title, weight="600"))
            y += 36
        drawn, height, wide = _flow(flow, y, state if flow is flows[0] else "")
        pieces.append(drawn)
        y, width = y + height + 20, max(width, wide)
    name = f"process-{process.key}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="process-drawing" viewBox="0 0 {width:g} {y:g}" '
        f'width="{width:g}" height="{y:g}" role="img" aria-labelledby="{name}-title" '
        f'font-family="{_FONT}" font-size="13">'
        f'<title id="{name}-title">{escape(process.title)}：流程图，下面有文字说明</title>'
        f'<defs><marker id="{name}-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto"><path d="M0 0L8 4L0 8z" fill="{_SLATE}"/></marker></defs>'
        + "".join(pieces).replace("#arrow", f"#{name}-arrow")
        + "</svg>"
    )


def mermaid(process: Process) -> str:
    """The process as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for flow in _flows(process):
        prefix = f"{flow.name}_" if flow.name else ""
        indent = "  "
        if prefix:
            lines.append(f"  state {_quoted(flow.title)} as {flow.name} {{")
            indent = "    "
        for one in flow.states.values():
            lines.append(f"{indent}state {_quoted(one.title)} as {prefix}{one.name}")
        if flow.name != CHILDREN:
            lines.append(f"{indent}[*] --> {prefix}{flow.initial}")
        for step in flow.transitions.values():
            for source in step.sources:
                label = step.title.replace(":", "：")
                lines.append(f"{indent}{prefix}{source} --> {prefix}{step.to or source}: {label}")
        for one in flow.states.values():
            if one.final:
                lines.append(f"{indent}{prefix}{one.name} --> [*]")
        if prefix:
            lines.append("  }")
    return "\n".join(lines) + "\n"


def words(process: Process) -> list[tuple[str, list[str]]]:
    """The process in sentences: (heading, lines) for the process itself and each kind of part."""
    found = []
    for flow in _flows(process)[: 1 + len(process.parts)]:
        lines = []
        for one in ordered(flow):
            steps = [_said(flow, one, step) for step in flow.out_of(one.name)]
            end = "终结。" if one.final else ""
            lines.append(f"{one.title}：{end}{'；'.join(steps)}{'。' if steps else ''}")
        found.append((flow.title, lines))
    alone = [_timer_said(process, timer) for timer in process.timers.values()]
    alone += [
        f"{process.flow.transitions[one.step].title}：条件具备时由系统办理。" for one in process.triggers
    ]
    if alone:
        found.append(("系统自动办理", alone))
    if process.children:
        titles = {name: child.title for name, child in process.children.items()}
        waits = {
            name: "：等" + "".join(f"“{titles[one]}”" for one in child.needs) + "办成" if child.needs else ""
            for name, child in process.children.items()
        }
        found.append(("子事项", [f"{titles[name]}{waits[name]}。" for name in process.children]))
    return found


CHILDREN = "children"


def _flows(process: Process) -> list[Flow]:
    """What is drawn: the process with what happens by itself marked, its kinds of parts, its children."""
    marks = {timer.step: "到时" for timer in process.timers.values() if timer.step}
    marks |= {trigger.step: "自动" for trigger in process.triggers}
    steps = {
        name: replace(step, title=f"{step.title}（{marks[name]}）") if name in marks else step
        for name, step in process.flow.transitions.items()
    }
    found = [replace(process.flow, title=process.title, transitions=steps), *process.parts.values()]
    if process.children:
        found.append(_children(process.children))
    return found


def _children(children: dict[str, Child]) -> Flow:
    """Children as states, their prerequisites as steps between them, each below what it needs."""
    depth: dict[str, int] = {}
    while len(depth) < len(children):
        for name, child in children.items():
            if name not in depth and all(one in depth for one in child.needs):
                depth[name] = 1 + max((depth[one] for one in child.needs), default=0)
    order = sorted(children, key=lambda name: (depth[name], list(children).index(name)))
    states = {name: State(name, children[name].title, order=n) for n, name in enumerate(order)}
    steps = {
        f"{one}_{name}": Transition(f"{one}_{name}", "办成后", "", (one,), name, ())
        for name in order
        for one in children[name].needs
    }
    return Flow(CHILDREN, "子事项", order[0], states, steps)


def _timer_said(process: Process, timer: Timer) -> str:
    if timer.clock:
        title = process.clocks[timer.clock].title
        when = f"“{title}”{'将到期' if timer.at_warn else '期满'}"
    else:
        states = "”“".join(process.flow.states[one].title for one in timer.states)
        when = f"进入“{states}”满 {timer.after[1]} {UNIT_WORDS[timer.after[0]]}"
    if timer.step:
        return f"{when}：系统办理“{process.flow.transitions[timer.step].title}”。"
    return f"{when}：提醒（{timer.title}）。"


def _said(flow: Flow, here: State, step: Transition) -> str:
    to = step.to or here.name
    return f"{step.title}" if to == here.name else f"{step.title} → {flow.states[to].title}"


def ordered(flow: Flow) -> list[State]:
    """The states of the path in their order; each other one after the first state that leads to it."""
    order = [state.name for state in flow.path()] or [flow.initial]
    if flow.initial not in order:
        order.insert(0, flow.initial)
    waiting = [name for name in flow.states if name not in order]
    while waiting:
        for name in waiting:
            sources = [
                s for step in flow.transitions.values() if step.to == name for s in step.sources if s in order
            ]
            if sources:
                # Ends that are off the path come last, so that the path itself stays unbroken.
                place = len(order) if flow.states[name].final else order.index(sources[0]) + 1
                order.insert(place, name)
                waiting.remove(name)
                break
        else:
            order += waiting
            waiting = []
    return [flow.states[name] for name in order]


def _flow(flow: Flow, top: float, present: str) -> tuple[str, float, float]:
    boxes = [_Box(state) for state in ordered(flow)]
    place = {box.state.name: n for n, box in enumerate(boxes)}
    edges: dict[tuple[int, int], _Edge] = {}
    for step in flow.transitions.values():
        for source in step.sources:
            a, b = place[source], place[step.to or source]
            if a == b:
                boxes[a].stays.append(step.title)
            elif b == a + 1:
                boxes[a].down = " / ".join(filter(None, [boxes[a].down, step.title]))
            elif (a, b) in edges:
                edges[a, b].label += f" / {step.title}"
            else:
                edges[a, b] = _Edge(a, b, step.title)
    for edge in edges.values():
        boxes[edge.source].leaves.append(edge)
        boxes[edge.target].enters.append(edge)
    _lanes(list(edges.values()))
    y = top
    for box in boxes:
        box.top = y
        # From the top: what comes from above and goes up, then what goes down and comes from below.
        ports = sorted(
            [
                *((edge.source - edge.target, True, edge) for edge in box.enters),
                *((edge.target - edge.source, False, edge) for edge in box.leaves),
            ],
            key=lambda port: (port[0] > 0, not port[1], port[2].lane),
        )
        for n, (_, entering, edge) in enumerate(ports):
            at = y + 7 + PORT * (n + 0.5)
            if entering:
                edge.in_y = at
            else:
                edge.out_y = at
        y += box.height + GAP
    label = max((_width(edge.label) for edge in edges.values()), default=0)
    first = LEFT + BOX + 12 + label + 8
    lanes = max((edge.lane for edge in edges.values()), default=-1) + 1
    down = max((_width(box.down) + 10 for box in boxes), default=0)
    wide = max(first + lanes * LANE + 8, LEFT + BOX / 2 + down + 16, LEFT + BOX + 16)
    out = [_edge(edge, first + edge.lane * LANE) for edge in edges.values()]
    out += [_box(box, box.state.name == present, n < len(boxes) - 1) for n, box in enumerate(boxes)]
    return "".join(out), y - top - GAP, wide


def _lanes(edges: list[_Edge]) -> None:
    """Give each edge the innermost lane in which it meets no other: short ones first."""
    taken: list[list[tuple[int, int]]] = []
    for edge in sorted(edges, key=lambda e: (abs(e.target - e.source), e.source, e.target)):
        low, high = sorted((edge.source, edge.target))
        lane = next(
            (n for n, spans in enumerate(taken) if all(high < a or b < low for a, b in spans)), len(taken)
        )
        if lane == len(taken):
            taken.append([])
        taken[lane].append((low, high))
        edge.lane = lane


def _edge(edge: _Edge, x: float) -> str:
    right = LEFT + BOX
    line = (
        f'<path d="M{right} {edge.out_y:g}H{x - 5:g}Q{x:g} {edge.out_y:g} {x:g} '
        f"{edge.out_y + (5 if edge.in_y > edge.out_y else -5):g}V{edge.in_y + (-5 if edge.in_y > edge.out_y else 5):g}"
        f'Q{x:g} {edge.in_y:g} {x - 5:g} {edge.in_y:g}H{right + 2}" '
        f'fill="none" stroke="{_SLATE}" marker-end="url(#arrow)"/>'
    )
    return line + _text(right + 10, edge.out_y - 4, edge.label, size="12", fill=_SLATE)


def _box(box: _Box, present: bool, follows: bool) -> str:
    height, middle = box.height, LEFT + BOX / 2
    fill, stroke = (_SOFT, _CELADON) if present else (_PAPER, _INK if not box.state.final else _CELADON)
    out = [
        f'<rect x="{LEFT}" y="{box.top:g}" width="{BOX}" height="{height:g}" rx="6" fill="{fill}" stroke="{stroke}" '
        f'stroke-width="{2 if present or box.state.final else 1}"/>'
    ]
    first = box.top + height / 2 + 5 - 9 * len(box.stays)
    out.append(_text(middle, first, box.state.title, anchor="middle", weight="600", size="14"))
    for n, title in enumerate(box.stays, 1):
        out.append(_text(middle, first + 18 * n + 2, f"↻ {title}", anchor="middle", size="12", fill=_SLATE))
    if follows and box.down:
        bottom = box.top + height
        out.append(
            f'<path d="M{middle:g} {bottom:g}V{bottom + GAP - 2:g}" fill="none" stroke="{_SLATE}" marker-end="url(#arrow)"/>'
        )
        out.append(_text(middle + 10, bottom + GAP / 2 + 4, box.down, size="12", fill=_SLATE))
    return "".join(out)


def _text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    weight: str = "400",
    size: str = "13",
    fill: str = _INK,
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-weight="{weight}" font-size="{size}" fill="{fill}">'
        f"{escape(words)}</text>"
    )


def _width(words: str) -> float:
    """About how wide a label is at 12 px; Latin letters are half as wide."""
    return sum(CHAR * 0.9 if ord(char) > 0x2000 else CHAR * 0.55 for char in words)


def _quoted(words: str) -> str:
    return '"' + words.replace('"', "'") + '"'
