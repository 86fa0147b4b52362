"""Who may do what with the plan."""

from liangzhu.beams.people.directory.api import declare_role, does_business
from liangzhu.kernel.policies import policy

declare_role("programme.office", "领导小组办公室承办", "校核方案、下达任务、催办、核查、退回、销号")
declare_role(
    "programme.office_head", "领导小组办公室负责人", "批准延期、签发通报、决定对外公开，与承办互为第二人"
)
declare_role("programme.leader", "区领导", "看全局、批示，不代办")

OFFICE = ("programme.office", "programme.office_head")
OVERSEERS = (*OFFICE, "programme.leader")


@policy("programme.read_ledger", "查看计划台账")
def read_ledger(actor, target=None) -> bool:
    """All staff but those who only keep the system or its log: the plan binds everybody, and all see how far the others are."""
    return actor.signed_in and does_business(actor)


@policy("programme.manage", "维护计划台账")
def manage(actor, target=None) -> bool:
    """The office of the leading group (领导小组办公室): upload, review, issue, publish, bind checks, urge."""
    return actor.has(*OFFICE)


@policy("programme.oversee", "查看督办总览")
def oversee(actor, target=None) -> bool:
    """Leaders and the office."""
    return actor.has(*OVERSEERS)


@policy("programme.sign_letter", "签发通报")
def sign_letter(actor, target=None) -> bool:
    """The head of the office. That it is a second person is checked in the action."""
    return actor.has("programme.office_head")


@policy("programme.publish_task", "决定任务对外公开")
def publish_task(actor, target=None) -> bool:
    """The head of the office. The office proposes, and takes back by itself: what is shown to all needs a second person."""
    return actor.has("programme.office_head")


@policy("programme.work_on_task", "办理本单位牵头的任务")
def work_on_task(actor, target=None) -> bool:
    """Officers and the head of the lead unit: split into steps, ask for an extension."""
    if not actor.has("matters.officer", "matters.head"):
        return False
    return target is None or target.lead_unit_id == getattr(actor, "unit_id", None)


@policy("programme.work_on_step", "办理本单位的节点")
def work_on_step(actor, target=None) -> bool:
    """Officers and the head of the unit that the step belongs to, or of the task's lead unit."""
    if not actor.has("matters.officer", "matters.head"):
        return False
    return target is None or getattr(actor, "unit_id", None) in (target.unit_id, target.task.lead_unit_id)


@policy("programme.read_public", "查看公开的计划任务")
def read_public(actor, target=None) -> bool:
    """Everybody, for tasks that the office published."""
    return target is None or target.public
