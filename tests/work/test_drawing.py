"""Processes drawn."""

import os
from xml.etree import ElementTree

import pytest

from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters import drawing
from liangzhu.beams.work.matters.process import parse

from .conftest import SIMPLE
from .eight import FILES


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


def test_what_happens_by_itself_and_children_are_drawn_and_told():
    licence = parse(FILES["licence"].read_text(encoding="utf-8"))
    assert "视为受理（到时）" in drawing.svg(licence) and "视为受理（到时）" in drawing.mermaid(licence)
    told = dict(drawing.words(licence))["系统自动办理"]
    assert told[0] == "“受理或一次告知期限”期满：系统办理“视为受理”。"
    assert told[1] == "进入“待补正”满 30 个工作日：系统办理“退件”。"
    bundle = parse(FILES["bundle"].read_text(encoding="utf-8"))
    told = dict(drawing.words(bundle))
    assert "医疗机构执业登记：等“营业执照”办成。" in told["子事项"]
    assert "统一出件：条件具备时由系统办理。" in told["系统自动办理"]
    assert "children_shop --> children_clinic: 办成后" in drawing.mermaid(bundle)


@pytest.mark.parametrize("kind", FILES)
def test_each_of_the_eight_kinds_is_drawn_whole(kind):
    found = parse(FILES[kind].read_text(encoding="utf-8"))
    text = drawing.svg(found)
    ElementTree.fromstring(text)
    titles = [state.title for flow in (found.flow, *found.parts.values()) for state in flow.states.values()]
    titles += [child.title for child in found.children.values()]
    titles += [step.title for step in found.flow.transitions.values()]
    assert not [title for title in titles if title not in text]


PAGE = """# 办理流程图

给写流程和核对流程的人。每个流程一张图，由流程文件画出；文件改了，图不跟着改，测试就不通过（`LIANGZHU_TEST_SNAPSHOT=write` 重画）。
正在办的事项，页面上画的是它自己那一版，标出现在在哪一步。`liangzhu process draw 名称` 画当前生效的版本。
"""


def test_the_pictures_in_the_docs_are_those_of_the_processes(root):
    """What comes with the product, and the eight kinds that the tests run."""
    chapters = {
        "随产品的流程": sorted((root / "src").glob("**/processes/*.toml")),
        "测试里的八种事项": [file for _, file in sorted(FILES.items())],
    }
    written = PAGE
    for chapter, files in chapters.items():
        written += f"\n## {chapter}\n"
        for file in files:
            text = file.read_text(encoding="utf-8")
            title = parse(text, file.stem).title
            picture = matters.draw_process(text, "mermaid").strip()
            written += f"\n### {title}（`{file.stem}`）\n\n```mermaid\n{picture}\n```\n"
    page = root / "docs" / "processes.md"
    if os.environ.get("LIANGZHU_TEST_SNAPSHOT") == "write":
        page.write_text(written, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == written
