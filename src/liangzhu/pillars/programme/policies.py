"""Who may do what with the plan."""

from liangzhu.kernel.policies import policy

OFFICE = ("programme.office", "programme.office_head")
OVERSEERS = (*OFFICE, "programme.leader")


@policy("programme.read_ledger", "查看计划台账")
def read_ledger(actor, target=None) -> bool:
    """All staff: the plan binds everybody, and everybody sees how far the others are."""
    return actor.signed_in


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
