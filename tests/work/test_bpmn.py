"""Processes as BPMN: what is written is read back, runs in another's engine the same way, and nothing is dropped silently."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from SpiffWorkflow.bpmn.parser import BpmnParser, BpmnValidator
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState
from tests.work.conftest import DATED, SIMPLE

from liangzhu.beams.work.matters import bpmn, process, toml
from liangzhu.beams.work.matters.bpmn import BPMN, BpmnError
from liangzhu.beams.work.matters.kinds import process_files

SHIPPED = {path.stem: path.read_text(encoding="utf-8") for path in process_files()}
assert {"plan_task", "plan_extension"} <= SHIPPED.keys()
ALL = {"simple": SIMPLE, "dated": DATED, **SHIPPED}


def elements(data: bytes, tag: str):
    return etree.fromstring(data).findall(f".//{{{BPMN}}}{tag}")


# Writing and reading back -------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", sorted(ALL))
def test_a_process_survives_the_way_out_and_back(key):
    assert process.parse(bpmn.read(bpmn.export(ALL[key]))) == process.parse(ALL[key])


@pytest.mark.parametrize("key", sorted(ALL))
def test_it_is_bpmn_as_others_check_it(key):
    validator = BpmnValidator()
    validator.validate(etree.fromstring(bpmn.export(ALL[key])), f"{key}.bpmn")


def test_the_diagram_shows_every_node_and_every_flow():
    data = bpmn.export(SIMPLE)
    drawn = {one.get("bpmnElement") for one in etree.fromstring(data).iter("{*}BPMNShape", "{*}BPMNEdge")}
    nodes = {
        one.get("id")
        for tag in ("startEvent", "endEvent", "userTask", "exclusiveGateway", "sequenceFlow")
        for one in elements(data, tag)
    }
    assert nodes and nodes == drawn


def test_a_step_that_another_tool_renamed_comes_back_renamed_with_its_rules():
    data = bpmn.export(SIMPLE)
    root = etree.fromstring(data)
    flow = next(one for one in root.iter(f"{{{BPMN}}}sequenceFlow") if one.get("name") == "受理")
    flow.set("name", "准予受理")
    step = process.parse(bpmn.read(etree.tostring(root))).flow.transitions["accept"]
    assert step.title == "准予受理"
    assert step.clocks == process.parse(SIMPLE).flow.transitions["accept"].clocks


# Another's engine as judge ------------------------------------------------------------------------------------


def judge(data: bytes, key: str) -> BpmnWorkflow:
    parser = BpmnParser()
    parser.add_bpmn_str(data)
    return BpmnWorkflow(parser.get_spec(key))


@pytest.mark.parametrize("key", sorted(ALL))
def test_random_walks_end_where_another_engine_ends(key):
    """Each step taken in our flow is taken in SpiffWorkflow too; both stand in the same state after it."""
    flow, data = process.parse(ALL[key]).flow, bpmn.export(ALL[key])
    for seed in range(12):
        chance, theirs = random.Random(seed), judge(data, key)
        state = flow.initial
        theirs.do_engine_steps()
        for _ in range(15):
            (task,) = theirs.get_tasks(state=TaskState.READY, manual=True)
            assert task.task_spec.bpmn_id == f"{key}.{state}"
            steps = flow.out_of(state)
            step = chance.choice(steps)
            task.data["step"] = step.name
            task.run()
            theirs.do_engine_steps()
            state = step.to or state
            if flow.states[state].final and not flow.out_of(state):
                assert theirs.is_completed()
                break
            assert not theirs.is_completed()


def test_an_end_that_may_be_taken_up_again_can_also_rest():
    theirs = judge(bpmn.export(DATED), "dated")
    theirs.do_engine_steps()
    for step in ("finish", "reopen", "finish", ""):
        (task,) = theirs.get_tasks(state=TaskState.READY, manual=True)
        task.data["step"] = step
        task.run()
        theirs.do_engine_steps()
    assert theirs.is_completed()


# Files of another's making ------------------------------------------------------------------------------------

FOREIGN = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="{ns}" targetNamespace="urn:x">
  <collaboration id="c"><participant id="p" processRef="Process_1"/></collaboration>
  <process id="Process_1" name="请假">
    <laneSet id="ls">
      <lane id="Lane_A" name="申请单位"><flowNodeRef>Activity_1</flowNodeRef></lane>
      <lane id="Lane_B" name="审批单位"><flowNodeRef>Activity_2</flowNodeRef></lane>
    </laneSet>
    <startEvent id="Event_0"><outgoing>f0</outgoing></startEvent>
    <userTask id="Activity_1" name="填写"/>
    <task id="Activity_2" name="审批"/>
    <exclusiveGateway id="Gateway_1" name="同意？"/>
    <endEvent id="Event_1" name="准假"/>
    <sequenceFlow id="f0" sourceRef="Event_0" targetRef="Activity_1"/>
    <sequenceFlow id="f1" name="提交" sourceRef="Activity_1" targetRef="Activity_2"/>
    <sequenceFlow id="f2" sourceRef="Activity_2" targetRef="Gateway_1"/>
    <sequenceFlow id="f3" name="同意" sourceRef="Gateway_1" targetRef="Event_1"/>
    <sequenceFlow id="f4" name="退回" sourceRef="Gateway_1" targetRef="Activity_1"/>
    {more}
  </process>
</definitions>
"""


def foreign(more: str = "") -> bytes:
    return FOREIGN.format(ns=BPMN, more=more).encode()


def test_a_file_of_another_tool_becomes_a_process_with_lanes_as_parties():
    made = process.parse(bpmn.read(foreign()))
    assert made.title == "请假"
    assert list(made.parties.values()) == ["申请单位", "审批单位"]
    assert [(s.title, s.final) for s in made.flow.states.values()] == [
        ("填写", False),
        ("审批", False),
        ("准假", True),
    ]
    review = next(name for name, state in made.flow.states.items() if state.title == "审批")
    assert [step.title for step in made.flow.out_of(review)] == ["同意", "退回"]
    assert all(step.who[0].party for step in made.flow.transitions.values())


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ('<parallelGateway id="g2"/>', "并行网关"),
        ('<serviceTask id="s1" name="发短信"/>', "发短信"),
        ('<callActivity id="s1"/>', "调用活动"),
        ('<subProcess id="s1"/>', "子流程"),
        ('<boundaryEvent id="b" attachedToRef="Activity_1"/>', "边界事件"),
        ('<dataObjectReference id="d"/>', "数据对象"),
        (
            '<userTask id="t9"><multiInstanceLoopCharacteristics/></userTask>',
            "multiInstanceLoopCharacteristics",
        ),
        ('<startEvent id="e9"><timerEventDefinition/></startEvent>', "timerEventDefinition"),
        ('<endEvent id="e9"><terminateEventDefinition/></endEvent>', "terminateEventDefinition"),
        ('<somethingNew id="x"/>', "somethingNew"),
    ],
)
def test_what_a_process_cannot_hold_is_refused_by_name_and_line(more, word):
    with pytest.raises(BpmnError) as caught:
        bpmn.read(foreign(more))
    line = next(n for n, text in enumerate(foreign(more).decode().splitlines(), 1) if more in text)
    assert any(at == line and word in message for at, message in caught.value.faults)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "XML"),
        (b"\xff\xfe\x00", "XML"),
        (b"<a/>", "definitions"),
        (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "DTD"),
        (b"<" + b"a" * 100, "XML"),
        (foreign().replace(b'targetRef="Activity_2"/>', b'targetRef="Nowhere"/>'), "不存在"),
        (foreign('<startEvent id="again"/>'), "一个开始事件"),
        (foreign('<userTask id="stuck" name="悬空"/>'), "没有出路"),
        (foreign().replace(b"</definitions>", b'<process id="other"/></definitions>'), "2 个"),
        (b"x" * (bpmn.LARGEST + 1), "超过"),
    ],
)
def test_bad_files_are_named(data, word):
    with pytest.raises(BpmnError, match=word):
        bpmn.read(data)


def test_gateways_that_lead_round_in_a_circle_are_named():
    more = '<exclusiveGateway id="g2"/>' + "".join(
        f'<sequenceFlow id="z{n}" sourceRef="{a}" targetRef="{b}"/>'
        for n, (a, b) in enumerate([("Gateway_1", "g2"), ("g2", "Gateway_1")])
    )
    with pytest.raises(BpmnError, match="圈"):
        bpmn.read(foreign(more))


def test_a_drawing_that_would_strand_a_matter_is_refused_like_a_file():
    more = (
        '<userTask id="loop" name="空转"/>'
        '<sequenceFlow id="z1" sourceRef="Gateway_1" targetRef="loop"/>'
        '<sequenceFlow id="z2" sourceRef="loop" targetRef="loop"/>'
    )
    with pytest.raises(process.ProcessError, match="走不到终结状态"):
        bpmn.read(foreign(more))


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_by_name(data):
    with pytest.raises((BpmnError, process.ProcessError)):
        bpmn.read(data)


# The text of process files ------------------------------------------------------------------------------------

scalars = (
    st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.text(st.characters(blacklist_categories=("Cs",)), max_size=12)
)
keys = st.text("abcdefgh_我", min_size=1, max_size=6)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)
)
tables = st.dictionaries(keys, values, max_size=3)
blocks = st.dictionaries(keys, tables, max_size=3)


@given(
    tables,
    st.fixed_dictionaries(
        {},
        optional={
            "states": blocks,
            "clocks": blocks,
            "transitions": st.lists(tables, min_size=1, max_size=3),
            "parties": st.dictionaries(keys, st.text("甲乙", max_size=3), max_size=2),
            "parts": st.dictionaries(
                keys, st.fixed_dictionaries({"title": scalars, "states": blocks}), max_size=2
            ),
        },
    ),
)
def test_what_is_written_as_toml_is_read_back(plain, blocks):
    raw = plain | blocks
    assert toml.loads(toml.dumps(raw)) == raw


@pytest.mark.parametrize("key", sorted(ALL))
def test_a_process_file_written_anew_is_the_same_process(key):
    assert process.parse(toml.dumps(toml.loads(ALL[key]))) == process.parse(ALL[key])


def test_the_written_file_names_faults_by_line():
    text = toml.dumps(toml.loads(SIMPLE)).replace('to = "working"', 'to = "nowhere"', 1)
    with pytest.raises(process.ProcessError) as caught:
        process.parse(text, "x.toml")
    line = next(n for n, words in enumerate(text.splitlines(), 1) if '"nowhere"' in words)
    assert caught.value.faults[0][0] == line
