"""Processes as BPMN 2.0 (ISO/IEC 19510): written for other tools, read from them as far as a process can hold it.

A state is a user task, a step a sequence flow out of it, a choice of steps an exclusive gateway, an end an end event, a
kind of parallel work a process of its own. What BPMN has no word for (who may, guards, fields, clocks, timers) stands as
JSON in ``extensionElements`` under our namespace: a tool that keeps extensions gives back the same process. In a file of
another's making a lane is a party, and whoever holds the matter acts where there is none. Elements that a process cannot
hold are refused by name and line, never dropped.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from liangzhu.beams.work.matters.drawing import ordered
from liangzhu.beams.work.matters.grammar import Flow, Process
from liangzhu.beams.work.matters.process import parse
from liangzhu.beams.work.matters.toml import dumps, loads
from liangzhu.kernel.errors import Problem

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
DI = "http://www.omg.org/spec/DD/20100524/DI"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
OURS = "urn:liangzhu:process:1"

LARGEST = 2 * 1024 * 1024
"""Bytes of a file that is read."""

TASKS = {"task", "userTask", "manualTask"}
SILENT = {
    "documentation",
    "extensionElements",
    "laneSet",
    "lane",
    "incoming",
    "outgoing",
    "conditionExpression",
    "flowNodeRef",
    "textAnnotation",
    "association",
    "text",
}
"""What is read together with its element, or says nothing about the order of work."""

NAMES = {
    "parallelGateway": "并行网关（请改为并行办理）",
    "inclusiveGateway": "包容网关",
    "eventBasedGateway": "事件网关",
    "complexGateway": "复杂网关",
    "serviceTask": "服务任务（系统自动办理请用定时或触发）",
    "scriptTask": "脚本任务",
    "sendTask": "发送任务",
    "receiveTask": "接收任务",
    "businessRuleTask": "业务规则任务（请用决策表）",
    "callActivity": "调用活动",
    "subProcess": "子流程（请改为并行办理或下级事项）",
    "adHocSubProcess": "自由子流程",
    "transaction": "事务子流程",
    "boundaryEvent": "边界事件（请用时限和定时）",
    "intermediateCatchEvent": "中间捕获事件",
    "intermediateThrowEvent": "中间抛出事件",
    "dataObject": "数据对象",
    "dataObjectReference": "数据对象引用",
    "dataStoreReference": "数据存储",
    "messageFlow": "消息流",
    "group": "分组",
}


class BpmnError(Problem):
    """A BPMN file that cannot be read as a process; ``faults`` are (line, message)."""

    code, title, status = "bpmn_error", "BPMN 文件不能导入", 422
    todo = "请按所列的行修改图后重新导入；流程能表达的元素见办理流程的说明。"

    def __init__(self, faults: list[tuple[int, str]]):
        self.faults = sorted(faults)
        super().__init__("\n".join(f"第 {line} 行：{message}" for line, message in self.faults))


# Writing ------------------------------------------------------------------------------------------------------


def export(text: str, file: str = "process.toml") -> bytes:
    """A process file as BPMN 2.0 with diagram. Raises ProcessError when the process itself is faulty."""
    process, raw = parse(text, file), loads(text)
    root = etree.Element(
        f"{{{BPMN}}}definitions",
        nsmap={"bpmn": BPMN, "bpmndi": BPMNDI, "dc": DC, "di": DI, "xsi": XSI, "lz": OURS},
        targetNamespace=f"{OURS}:{process.key}",
        id=f"definitions_{process.key}",
        exporter="Liangzhu",
    )
    rest = {key: value for key, value in raw.items() if key not in ("states", "transitions", "initial")}
    parts = rest.get("parts", {})
    rest["parts"] = {name: {} for name in parts}
    drawn = [_write_flow(root, process.key, process.flow, raw, {"process": rest})]
    for name, body in parts.items():
        kept = {key: value for key, value in body.items() if key not in ("states", "transitions", "initial")}
        identity = {"part": {"name": name, **kept}}
        drawn.append(_write_flow(root, f"{process.key}.{name}", process.parts[name], body, identity))
    for number, (flow_id, shapes, edges) in enumerate(drawn):
        _write_diagram(root, number, flow_id, shapes, edges)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _write_flow(root, flow_id: str, flow: Flow, raw: dict, identity: dict) -> tuple:
    """One process element; returns its id, its shapes (id to x, y, width, height) and its edges (id, from, to)."""
    holder = _add(root, "process", id=flow_id, name=flow.title, isExecutable="true")
    _extend(holder, identity)
    lanes = _write_lanes(holder, flow, identity.get("process", {}).get("parties", {}))
    shapes: dict[str, tuple] = {"start": (180, 40, 36, 36)}
    edges: list[tuple[str, str, str]] = []
    _add(holder, "startEvent", id=f"{flow_id}.start")
    steps = {body["name"]: (place, body) for place, body in enumerate(raw["transitions"])}
    middle = 198
    for place, state in enumerate(ordered(flow)):
        y = 120 + 170 * place
        leaving = flow.out_of(state.name)
        kind = "endEvent" if state.final and not leaving else "userTask"
        node = _add(holder, kind, id=f"{flow_id}.{state.name}", name=state.title)
        _extend(
            node,
            {
                "state": {"name": state.name, "n": list(raw["states"]).index(state.name)}
                | raw["states"][state.name]
            },
        )
        if state.name in lanes:
            _add(lanes[state.name], "flowNodeRef").text = node.get("id")
        shapes[state.name] = (middle - 18, y, 36, 36) if kind == "endEvent" else (middle - 70, y, 140, 60)
        if state.final and leaving:
            _add(holder, "endEvent", id=f"{flow_id}.{state.name}.end")
            shapes[f"{state.name}.end"] = (60, y + 90, 36, 36)
    _flow(holder, edges, f"{flow_id}.begin", flow_id, "start", flow.initial)
    for place, state in enumerate(ordered(flow)):
        leaving = flow.out_of(state.name)
        ends = state.final and leaving
        source = state.name
        if len(leaving) + bool(ends) > 1:
            source = f"{state.name}.choice"
            _add(holder, "exclusiveGateway", id=f"{flow_id}.{source}")
            shapes[source] = (middle - 20, 120 + 170 * place + 85, 40, 40)
            _flow(holder, edges, f"{flow_id}.{state.name}.decide", flow_id, state.name, source)
        for step in leaving:
            n, body = steps[step.name]
            link = _flow(
                holder,
                edges,
                f"{flow_id}.{state.name}.{step.name}",
                flow_id,
                source,
                step.to or state.name,
                name=step.title,
            )
            kept = {key: value for key, value in body.items() if key not in ("from", "to", "title")}
            _extend(link, {"step": {"n": n, "stays": not step.to, "every": body["from"] == ["*"]} | kept})
            if source != state.name:
                _condition(link, step.name)
        if ends:
            link = _flow(holder, edges, f"{flow_id}.{state.name}.rest", flow_id, source, f"{state.name}.end")
            _extend(link, {"rest": True})
            if source != state.name:
                _condition(link, "")
    return flow_id, shapes, edges


def _write_lanes(holder, flow: Flow, parties: dict[str, str]) -> dict[str, etree._Element]:
    """A lane for each party whose turn it is somewhere; returns the lane of each state that has one."""
    turns = [name for name in parties if any(state.turn == name for state in flow.states.values())]
    if not turns:
        return {}
    lanes = _add(holder, "laneSet", id=f"{holder.get('id')}.lanes")
    made = {}
    for name in turns:
        made[name] = _add(lanes, "lane", id=f"{holder.get('id')}.lane.{name}", name=parties[name])
        _extend(made[name], {"party": name})
    return {state.name: made[state.turn] for state in flow.states.values() if state.turn in made}


def _flow(
    holder, edges: list, identity: str, flow_id: str, source: str, target: str, **more
) -> etree._Element:
    edges.append((identity, source, target))
    return _add(
        holder,
        "sequenceFlow",
        id=identity,
        sourceRef=f"{flow_id}.{source}",
        targetRef=f"{flow_id}.{target}",
        **more,
    )


def _condition(link: etree._Element, step: str) -> None:
    """The answer of whoever decides: the name of the step, empty for letting it rest."""
    condition = _add(link, "conditionExpression")
    condition.set(f"{{{XSI}}}type", "bpmn:tFormalExpression")
    condition.text = f"step == '{step}'"


def _add(parent, tag: str, **attributes) -> etree._Element:
    return etree.SubElement(parent, f"{{{BPMN}}}{tag}", **attributes)


def _extend(element: etree._Element, body: dict) -> None:
    """What BPMN has no word for, as JSON in our namespace. BPMN wants it first in its element."""
    holder = etree.Element(f"{{{BPMN}}}extensionElements")
    element.insert(0, holder)
    ((word, value),) = body.items()
    etree.SubElement(holder, f"{{{OURS}}}{word}").text = json.dumps(value, ensure_ascii=False)


def _write_diagram(root, number: int, flow_id: str, shapes: dict, edges: list) -> None:
    diagram = etree.SubElement(root, f"{{{BPMNDI}}}BPMNDiagram", id=f"diagram_{number}")
    plane = etree.SubElement(diagram, f"{{{BPMNDI}}}BPMNPlane", id=f"plane_{number}", bpmnElement=flow_id)
    for name, (x, y, width, height) in shapes.items():
        shape = etree.SubElement(
            plane, f"{{{BPMNDI}}}BPMNShape", id=f"shape.{flow_id}.{name}", bpmnElement=f"{flow_id}.{name}"
        )
        etree.SubElement(shape, f"{{{DC}}}Bounds", x=str(x), y=str(y), width=str(width), height=str(height))
    for lane, (identity, source, target) in enumerate(edges):
        line = etree.SubElement(plane, f"{{{BPMNDI}}}BPMNEdge", id=f"edge.{identity}", bpmnElement=identity)
        for x, y in _waypoints(shapes[source], shapes[target], lane):
            etree.SubElement(line, f"{{{DI}}}waypoint", x=f"{x:g}", y=f"{y:g}")


def _waypoints(source: tuple, target: tuple, lane: int) -> list[tuple[float, float]]:
    """Straight down to what stands directly below, else round on the right in a lane of its own."""
    x1, y1 = source[0] + source[2] / 2, source[1] + source[3]
    x2, y2 = target[0] + target[2] / 2, target[1]
    if 0 < y2 - y1 < 120 and x1 == x2:
        return [(x1, y1), (x2, y2)]
    right = 330 + 14 * lane
    begin, end = (
        (source[0] + source[2], source[1] + source[3] / 2),
        (target[0] + target[2], target[1] + target[3] / 2),
    )
    return [begin, (right, begin[1]), (right, end[1]), end]


# Reading ------------------------------------------------------------------------------------------------------


@dataclass
class _Node:
    """A flow node as read. ``kind`` is its BPMN tag."""

    kind: str
    identity: str
    title: str
    line: int
    extension: dict
    party: str = ""
    out: list["_Link"] = field(default_factory=list)


@dataclass
class _Link:
    """A sequence flow as read."""

    identity: str
    title: str
    line: int
    extension: dict
    target: _Node


def read(data: bytes) -> str:
    """A BPMN file as the text of a process file, checked as every process is.

    Raises BpmnError for what cannot be held (each element by name and line), ProcessError for what could strand a
    matter.
    """
    if len(data) > LARGEST:
        raise BpmnError([(1, f"文件超过 {LARGEST // 1024 // 1024} MB")])
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise BpmnError([(error.lineno or 1, f"不是有效的 XML：{error.msg}")]) from None
    if root.getroottree().docinfo.doctype:
        raise BpmnError([(1, "带有 DTD 的文件不能导入")])
    if root.tag != f"{{{BPMN}}}definitions":
        raise BpmnError([(root.sourceline or 1, "根元素不是 BPMN 2.0 的 definitions")])
    return _Import(root).text()


class _Import:
    """One reading of one file; collects faults instead of stopping at the first."""

    def __init__(self, root: etree._Element):
        self.root = root
        self.faults: list[tuple[int, str]] = []
        self.taken: set[str] = set()

    def fault(self, line: int, message: str) -> None:
        self.faults.append((line, message))

    def stop(self) -> None:
        if self.faults:
            raise BpmnError(self.faults)

    def text(self) -> str:
        found = self.root.findall(f"{{{BPMN}}}process")
        for element in self.root.iterfind(f"{{{BPMN}}}*"):
            tag = _tag(element)
            if tag == "collaboration":
                if len(element.findall(f"{{{BPMN}}}participant")) > 1:
                    self.fault(element.sourceline, "协作图有多个参与者：请一次导入一个流程")
                for flow in element.iterfind(f"{{{BPMN}}}messageFlow"):
                    self.refuse(flow)
            elif tag not in ("process", "documentation", "extensionElements"):
                self.refuse(element)
        main = [one for one in found if "part" not in _extension(one)]
        parts = [one for one in found if "part" in _extension(one)]
        if len(main) != 1:
            self.fault(self.root.sourceline, f"文件里应有一个流程，现在有 {len(main)} 个")
        self.stop()
        kept = dict(_extension(main[0]).get("process", {}))
        key = kept.pop("key", None) or self.name(main[0].get("id", ""), "imported")
        raw = {
            "key": key,
            "kind": kept.pop("kind", key),
            "title": main[0].get("name") or kept.get("title") or key,
        }
        kept.pop("title", None)
        flow = self.flow(main[0], kept)
        parties = {"parties": kept.pop("parties")} if "parties" in kept else {}
        raw |= {"initial": flow.pop("initial")} | parties | flow | kept
        raw["parts"] = {}
        for element in parts:
            body = dict(_extension(element)["part"])
            name = body.pop("name")
            body["title"] = element.get("name") or body.get("title") or name
            self.taken = set()
            raw["parts"][name] = body | self.flow(element, {})
        if not raw["parts"]:
            del raw["parts"]
        self.stop()
        text = dumps(raw)
        parse(text, f"{key}.toml")
        return text

    def refuse(self, element: etree._Element) -> None:
        tag = _tag(element)
        known = NAMES.get(tag)
        said = f"“{element.get('name')}”" if element.get("name") else ""
        self.fault(element.sourceline, f"流程不能表达 {tag}{said}{'：' + known if known else ''}")

    def flow(self, holder: etree._Element, kept: dict) -> dict:
        """States, steps and the initial state of one process element; lanes become parties in ``kept``."""
        nodes = self.nodes(holder, kept)
        start = [node for node in nodes.values() if node.kind == "startEvent"]
        if len(start) != 1:
            self.fault(holder.sourceline, f"流程应有一个开始事件，现在有 {len(start)} 个")
        self.stop()
        first = [link.target for link, _ in self.reach(start[0], [])]
        if len(first) != 1 or first[0].kind not in TASKS:
            self.fault(start[0].line, "开始事件之后应直接是一个任务")
        self.stop()
        tasks = [node for node in nodes.values() if node.kind in TASKS or node.kind == "endEvent"]
        resting = {
            link.target.identity for node in nodes.values() for link in node.out if "rest" in link.extension
        }
        tasks = [node for node in tasks if node.identity not in resting]
        names = {
            node.identity: node.extension.get("state", {}).get("name") or self.name(node.identity, "state")
            for node in tasks
        }
        tasks.sort(key=lambda node: node.extension.get("state", {}).get("n", len(tasks)))
        states = {names[node.identity]: self.state(node, kept) for node in tasks}
        steps = self.steps(tasks, names)
        return {"initial": names[first[0].identity], "states": states, "transitions": steps}

    def state(self, node: _Node, kept: dict) -> dict:
        body = {
            key: value for key, value in node.extension.get("state", {}).items() if key not in ("name", "n")
        }
        body["title"] = (
            node.title or body.get("title") or ("结束" if node.kind == "endEvent" else node.identity)
        )
        if node.kind == "endEvent":
            body["final"] = True
        if node.party:
            body["turn"] = node.party
        return body

    def steps(self, tasks: list[_Node], names: dict[str, str]) -> list[dict]:
        """The steps: of each task every way through gateways to the next task or end."""
        made: dict[str, dict] = {}
        for node in tasks:
            ways = [(link, path) for link, path in self.reach(node, []) if "rest" not in link.extension]
            if node.kind == "endEvent" and ways:
                self.fault(node.line, f"结束事件“{node.title}”之后还有连线")
            if node.kind in TASKS and not ways and not node.out:
                self.fault(node.line, f"任务“{node.title}”没有出路，请连到下一个任务或结束事件")
            for link, path in ways:
                own = next((one.extension["step"] for one in path if "step" in one.extension), None)
                here, target = names[node.identity], names[link.target.identity]
                title = next((one.title for one in reversed(path) if one.title), "")
                if own is not None:
                    body = made.setdefault(
                        own["name"], {"own": own, "from": [], "title": title or own["name"]}
                    )
                    body["from"].append(here)
                    body["to"] = "" if own.get("stays") and target == here else target
                    continue
                name = self.name(path[-1].identity, "step")
                made[name] = {
                    "own": {
                        "name": name,
                        "effect_text": f"转到“{link.target.title or target}”",
                        "who": [
                            {"party": node.party} if node.party else {"holding": True},
                        ],
                    },
                    "from": [here],
                    "to": target,
                    "title": title or f"转{link.target.title or target}",
                }
        rows = []
        for body in sorted(made.values(), key=lambda body: body["own"].get("n", len(made))):
            own = {key: value for key, value in body["own"].items() if key not in ("n", "stays", "every")}
            row = {"name": own.pop("name"), "title": body["title"], "from": body["from"]}
            if body["own"].get("every"):
                row["from"] = ["*"]
            if body["to"]:
                row["to"] = body["to"]
            rows.append(row | own)
        return rows

    def reach(self, node: _Node, path: list[_Link]) -> Iterator[tuple[_Link, list[_Link]]]:
        """Every way from a node through gateways: the last link, and all links on the way."""
        for link in node.out:
            if link in path:
                self.fault(link.line, "网关之间的连线绕成了圈")
                continue
            way = [*path, link]
            if link.target.kind == "exclusiveGateway":
                yield from self.reach(link.target, way)
            else:
                yield link, way

    def nodes(self, holder: etree._Element, kept: dict) -> dict[str, _Node]:
        nodes: dict[str, _Node] = {}
        links = []
        for element in holder.iterfind(f"{{{BPMN}}}*"):
            tag = _tag(element)
            if tag == "sequenceFlow":
                links.append(element)
            elif tag in TASKS or tag in ("startEvent", "endEvent", "exclusiveGateway"):
                self.plain(element, tag)
                nodes[element.get("id", "")] = _Node(
                    tag,
                    element.get("id", ""),
                    element.get("name", "").strip(),
                    element.sourceline,
                    _extension(element),
                )
            elif tag not in SILENT:
                self.refuse(element)
        for element in links:
            source, target = nodes.get(element.get("sourceRef", "")), nodes.get(element.get("targetRef", ""))
            if source is None or target is None:
                # A link to an element that was refused is not a second fault.
                if not self.faults:
                    self.fault(element.sourceline, f"连线 {element.get('id')} 的一端不存在")
                continue
            title = (element.get("name") or "").strip()
            source.out.append(
                _Link(element.get("id", ""), title, element.sourceline, _extension(element), target)
            )
        self.lanes(holder, nodes, kept)
        return nodes

    def plain(self, element: etree._Element, tag: str) -> None:
        """Refuse what an element carries beyond its plain kind: timers, messages, loops."""
        for child in element.iterfind(f"{{{BPMN}}}*"):
            name = _tag(child)
            if name not in SILENT and name not in ("ioSpecification", "property"):
                said = f"“{element.get('name')}”" if element.get("name") else f" {element.get('id')}"
                self.fault(child.sourceline, f"{tag}{said} 带有流程不能表达的 {name}")

    def lanes(self, holder: etree._Element, nodes: dict[str, _Node], kept: dict) -> None:
        """Lanes are parties: whose turn it is in the tasks that stand in them."""
        parties = dict(kept.get("parties", {}))
        for lane in holder.iterfind(f"{{{BPMN}}}laneSet/{{{BPMN}}}lane"):
            name = _extension(lane).get("party") or self.name(lane.get("id", ""), "party")
            parties[name] = lane.get("name") or parties.get(name) or name
            for ref in lane.iterfind(f"{{{BPMN}}}flowNodeRef"):
                node = nodes.get((ref.text or "").strip())
                if node is not None and node.kind in TASKS:
                    node.party = name
        if parties:
            kept["parties"] = parties

    def name(self, identity: str, fallback: str) -> str:
        """A name of ours made from an id of theirs, unique in this file."""
        name = re.sub(r"[^a-z0-9]+", "_", identity.lower()).strip("_")[:34]
        if not re.match(r"[a-z]", name):
            name = f"{fallback}_{name}".rstrip("_")
        base, n = name, 2
        while name in self.taken:
            name, n = f"{base}_{n}", n + 1
        self.taken.add(name)
        return name


def _tag(element: etree._Element) -> str:
    return etree.QName(element).localname


def _extension(element: etree._Element) -> dict:
    """What stands in an element under our namespace: word to value. Raises BpmnError when it is not JSON."""
    found = {}
    for child in element.iterfind(f"{{{BPMN}}}extensionElements/{{{OURS}}}*"):
        try:
            found[_tag(child)] = json.loads(child.text or "null")
        except ValueError:
            raise BpmnError([(child.sourceline, f"扩展内容 {_tag(child)} 不是有效的 JSON")]) from None
    return found


__all__ = ["BpmnError", "Process", "export", "read"]
