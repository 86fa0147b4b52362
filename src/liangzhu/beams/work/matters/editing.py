"""What an edited process would change, in words, before and after a second person decides."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from liangzhu.beams.work.matters import drawing
from liangzhu.beams.work.matters.process import Flow, Process, ProcessError, parse
from liangzhu.kernel import releases

_WORDS = {
    "title": "名称",
    "effect_text": "办理后的说明",
    "sources": "从哪些状态",
    "to": "到哪个状态",
    "who": "谁可以办",
    "not_same_person_as": "两人规则",
    "guards": "条件",
    "effects": "动作",
    "fields": "填写项",
    "clocks": "时限动作",
    "final": "是否终结",
    "order": "在路径上的位置",
    "turn": "轮到谁",
    "kind": "种类",
    "unit": "单位",
    "amount": "长短",
    "warn": "临期提醒",
    "due": "期限",
    "initial": "起始状态",
    "parties": "参与方",
    "timers": "定时",
    "triggers": "触发",
    "children": "下级事项",
    "opening": "登记时的填写项",
    "form": "表单",
}


@dataclass(frozen=True)
class Fault:
    """A fault of a text: its line, what is wrong, and the line itself."""

    line: int
    message: str
    quoted: str


@dataclass(frozen=True)
class Draft:
    """An edited text beside the text in force. Without faults it has a drawing and the changes in words."""

    faults: list[Fault]
    svg: str
    changes: list[str]
    difference: list[tuple[str, str]]


def look(text: str, in_force: str, file: str) -> Draft:
    """Check an edited text, draw it, and say what it changes."""
    difference = releases.difference(in_force, text)
    try:
        process = parse(text, file)
    except ProcessError as error:
        lines = text.splitlines() or [""]
        faults = [
            Fault(line, message, lines[min(line, len(lines)) - 1].strip()) for line, message in error.faults
        ]
        return Draft(faults, "", [], difference)
    return Draft([], drawing.svg(process), changes(parse(in_force, file), process), difference)


def changes(old: Process, new: Process) -> list[str]:
    """What differs between two editions of a process, one sentence each; empty when they mean the same."""
    said = _attributes("流程", old, new, skip={"key", "release", "flow", "parts", "clocks"})
    said += _rows("时限", old.clocks, new.clocks)
    said += _flow("", old.flow, new.flow)
    for name in old.parts.keys() | new.parts.keys():
        before, after = old.parts.get(name), new.parts.get(name)
        if before is None or after is None:
            said.append(f"{'增加' if before is None else '取消'}并行办理“{(after or before).title}”")
        else:
            said += _attributes(f"并行办理“{after.title}”", before, after, skip={"states", "transitions"})
            said += _flow(f"{after.title}：", before, after)
    return said


def _flow(prefix: str, old: Flow, new: Flow) -> list[str]:
    said = (
        []
        if prefix
        else _attributes("流程", old, new, skip={"name", "title", "states", "transitions", "due"})
    )
    return [
        *said,
        *_rows(f"{prefix}状态", old.states, new.states),
        *_rows(f"{prefix}步骤", old.transitions, new.transitions),
    ]


def _rows(word: str, old: Mapping, new: Mapping) -> list[str]:
    """Rows that came, went or changed, in the order of the new edition, then those that went."""
    said = []
    for name, row in new.items():
        if name not in old:
            said.append(f"增加{word}“{row.title}”")
        elif row != old[name]:
            said += _attributes(f"{word}“{row.title}”", old[name], row, skip={"name"})
    return said + [f"取消{word}“{row.title}”" for name, row in old.items() if name not in new]


def _attributes(subject: str, old, new, skip: set[str]) -> list[str]:
    """One sentence for each attribute that differs; short values are told from what to what."""
    said = []
    for field in fields(new):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if field.name in skip or before == after:
            continue
        word = _WORDS.get(field.name, field.name)
        if all(isinstance(value, str | int | bool | None) for value in (before, after)):
            said.append(f"{subject}的{word}由“{_plain(before)}”改为“{_plain(after)}”")
        else:
            said.append(f"{subject}的{word}有改动")
    return said


def _plain(value: str | int | bool | None) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return "无" if value in (None, "") else str(value)
