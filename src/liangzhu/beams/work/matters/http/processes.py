"""The API of processes: how each kind of matter moves."""

from typing import Annotated

from django.http import HttpRequest
from pydantic import Field

from liangzhu.beams.work.matters import queries
from liangzhu.beams.work.matters.process import ClockRule, Flow
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.http import Id, Instant, Router, Schema, Text

router = Router("processes", "流程")


class ProcessOut(Schema):
    """A process in force (流程)."""

    key: str = Field(examples=["plan_task"])
    title: str = Field(examples=["任务"])
    kind: str = Field(description="事项种类", examples=["plan_task"])
    release: int = Field(description="生效的版本", examples=[1])
    release_id: Id
    released_at: Instant | None


class StateOut(Schema):
    """A state."""

    name: str = Field(examples=["working"])
    title: str = Field(examples=["办理中"])
    final: bool = Field(description="办到这里就办结")


class TransitionOut(Schema):
    """A step."""

    name: str = Field(examples=["accept"])
    title: str = Field(examples=["受理"])
    effect: str
    sources: list[str] = Field(description="在哪些状态可以办", examples=[["received"]])
    to: str = Field(description="办后的状态；空为不变", examples=["working"])
    two_persons: list[str] = Field(description="须与这些步骤的经办人不是同一人；程序不能办", examples=[[]])


class FlowOut(Schema):
    """States and steps."""

    name: str = Field(description="并行办理的种类；主流程为空")
    title: str
    initial: str
    states: list[StateOut]
    transitions: list[TransitionOut]


class ClockRuleOut(Schema):
    """A clock (时限)."""

    name: str = Field(examples=["term"])
    title: str = Field(examples=["办理时限"])
    kind: str = Field(description="promised 承诺，legal 法定", examples=["promised"])
    amount: int = Field(description="多少个 unit；date 为 0", examples=[10])
    unit: str = Field(description="workday 工作日，day 日，hour 小时，date 指定日期", examples=["workday"])


class ProcessDetailOut(ProcessOut):
    """A process with all it says."""

    parties: dict[str, str] = Field(description="参与方：名称到标题", examples=[{"lead": "承办单位"}])
    clocks: list[ClockRuleOut]
    flow: FlowOut
    parts: list[FlowOut]


def _summary(row: queries.ProcessRow) -> dict:
    return {
        "key": row.process.key,
        "title": row.process.title,
        "kind": row.process.kind,
        "release": row.release.number,
        "release_id": row.release.pk,
        "released_at": row.release.released_at,
    }


def _clock(clock: ClockRule) -> ClockRuleOut:
    return ClockRuleOut(
        name=clock.name, title=clock.title, kind=clock.kind, amount=clock.amount, unit=clock.unit
    )


def _flow(flow: Flow) -> FlowOut:
    return FlowOut(
        name=flow.name,
        title=flow.title,
        initial=flow.initial,
        states=[
            StateOut(name=name, title=state.title, final=state.final) for name, state in flow.states.items()
        ],
        transitions=[
            TransitionOut(
                name=step.name,
                title=step.title,
                effect=step.effect_text,
                sources=list(step.sources),
                to=step.to,
                two_persons=list(step.not_same_person_as),
            )
            for step in flow.transitions.values()
        ],
    )


@router.read("/processes", policy="matters.read_processes", answer=list[ProcessOut], summary="流程列表")
def processes(request: HttpRequest) -> list[ProcessOut]:
    """生效的流程。"""
    return [ProcessOut(**_summary(row)) for row in queries.processes(request.actor)]


@router.read("/processes/{key}", policy="matters.read_processes", answer=ProcessDetailOut, summary="一个流程")
def process(
    request: HttpRequest,
    key: Annotated[Text, Field(max_length=80, description="流程的键", examples=["plan_task"])],
) -> ProcessDetailOut:
    """流程的状态、步骤、时限和并行办理。在办事项按它开始时的版本办，可能与此不同。"""
    found = next((row for row in queries.processes(request.actor) if row.process.key == key), None)
    if found is None:
        raise NotThere("没有这个流程。")
    of = found.process
    return ProcessDetailOut(
        **_summary(found),
        parties=of.parties,
        clocks=[_clock(clock) for clock in of.clocks.values()],
        flow=_flow(of.flow),
        parts=[_flow(part) for part in of.parts.values()],
    )
