"""Processes drawn."""

from xml.etree import ElementTree

from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters import drawing
from liangzhu.beams.work.matters.process import parse

from .conftest import SIMPLE


def test_the_svg_is_well_formed_without_style_and_names_every_state_and_step():
    found = parse(SIMPLE)
    text = matters.draw_process(SIMPLE)
    ElementTree.fromstring(text)
    assert "style=" not in text
    for flow in (found.flow, *found.parts.values()):
        assert all(state.title in text for state in flow.states.values())
        assert all(step.title in text for step in flow.transitions.values())
    assert text == matters.draw_process(SIMPLE)


def test_no_two_lines_share_a_lane():
    """Edges that overlap in height run in lanes of their own, so that none covers another."""
    edges = [
        drawing._Edge(0, 3, "a"),
        drawing._Edge(1, 3, "b"),
        drawing._Edge(3, 1, "c"),
        drawing._Edge(4, 6, "d"),
    ]
    drawing._lanes(edges)
    for one in edges:
        for other in edges:
            if one is not other and one.lane == other.lane:
                assert max(one.source, one.target) < min(other.source, other.target) or max(
                    other.source, other.target
                ) < min(one.source, one.target)


def test_mermaid_and_words_tell_the_same():
    found = parse(SIMPLE)
    text = matters.draw_process(SIMPLE, "mermaid")
    assert (
        text.startswith("stateDiagram-v2")
        and "checking --> closed: 核查办结" in text
        and "closed --> [*]" in text
    )
    (_, lines), (part, _) = drawing.words(found)
    assert "待核查：退回 → 办理中；核查办结 → 已办结。" in lines and part == "配合意见"
