"""Every change of persons, organisations and mandates. What identifies changes by proposal and second person only."""

import json

from liangzhu.beams.people.registers import changes, ending, mandating, policies
from liangzhu.beams.people.registers.models import Mandate, Proposal
from liangzhu.kernel import reads
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.errors import Conflict, Denied, Invalid, StepNotAllowed
from liangzhu.kernel.now import now, today
from liangzhu.kernel.refs import Ref

REASON_MAX = 200


def _reason(text: str, field: str = "reason", label: str = "理由") -> str:
    text = " ".join(text.split())
    if not text:
        raise Invalid({field: f"请填写{label}。"})
    if len(text) > REASON_MAX:
        raise Invalid({field: f"{label}最多 {REASON_MAX} 个字。"})
    return text


def _given(data: dict) -> dict[str, str]:
    """What was filled in, as text; what was left empty is not there."""
    return {name: str(value).strip() for name, value in data.items() if value not in (None, "", False)}


@action("registers.propose_change")
def propose_change(
    act: Act, *, kind: str, data: dict, reason: str, subject: str = "", other: str = ""
) -> Proposal:
    """Propose a change of master data: a kind of `changes.KINDS`, the Refs it concerns, field to text, and why.

    Nothing changes until another officer releases it. Raises Invalid beside the fields, StepNotAllowed, NotThere.
    """
    act.check(policies.record)
    if kind not in changes.KINDS:
        raise Invalid({"kind": "没有这种登记事由。"})
    what = changes.KINDS[kind]
    reason = _reason(reason)
    row = changes.row_of(kind, subject) if what.subject else None
    second = changes.row_of(kind, other) if what.other and other else None
    clean = what.check(_given(data), row, second)
    proposal = Proposal.objects.create(
        kind=kind,
        subject=str(row.ref) if row else "",
        other=str(second.ref) if second else "",
        base=row.version if row else None,
        payload=json.dumps(clean, ensure_ascii=False),
        reason=reason,
        proposed_by=str(act.actor.ref),
        proposed_label=act.actor.label,
        proposed_at=now(),
    )
    act.log(proposal.ref, kind=kind, about=proposal.subject, other=proposal.other, fields=sorted(clean))
    return proposal


@action("registers.decide_proposal")
def decide_proposal(act: Act, *, proposal_id: int, accept: bool, reason: str = "") -> Proposal:
    """Release a proposal, which then takes effect, or refuse it with a reason. Its proposer cannot (四眼原则).

    Raises Denied, StepNotAllowed, Conflict (the subject changed meanwhile), Invalid (it no longer passes the checks).
    """
    proposal = act.lock(Proposal, pk=proposal_id)
    if proposal.proposed_by == str(act.actor.ref):
        raise Denied("提出人不能复核自己的申请。", todo="请另一位登记管理员复核，或撤回后重新提出。")
    act.check(policies.decide, proposal)
    _still_open(proposal)
    if accept:
        proposal.decision = " ".join(reason.split())[:REASON_MAX]
        proposal.result = str(_perform(act, proposal))
        proposal.state = Proposal.RELEASED
        if not proposal.subject:
            reads.found(proposal.ref, Ref.parse(proposal.result))
    else:
        proposal.decision = _reason(reason, label="不通过的理由")
        proposal.state = Proposal.REFUSED
    proposal.decided_by, proposal.decided_label, proposal.decided_at = (
        str(act.actor.ref),
        act.actor.label,
        now(),
    )
    # Releasing a deletion destroys what earlier proposals held; this one holds nothing of the person.
    proposal.save(update_fields=["state", "result", "decision", "decided_by", "decided_label", "decided_at"])
    act.log(
        proposal.ref,
        kind=proposal.kind,
        about=proposal.subject,
        result=proposal.result,
        state=proposal.state,
        proposed_by=proposal.proposed_by,
    )
    return proposal


def _still_open(proposal: Proposal) -> None:
    if proposal.state != Proposal.OPEN:
        raise StepNotAllowed(f"这份申请已是“{proposal.get_state_display()}”。")


def _perform(act: Act, proposal: Proposal):
    """Check a proposal against what is registered now, and do it. Returns the Ref of what came of it."""
    kind = changes.KINDS[proposal.kind]
    row = changes.row_of(proposal.kind, proposal.subject, act) if kind.subject else None
    other = changes.row_of(proposal.kind, proposal.other, act) if proposal.other else None
    # A mandate changes neither of its parties; what they are now is checked below.
    if row is not None and kind.subject != "party" and row.version != proposal.base:
        raise Conflict("提出之后，登记内容又有变动。", todo="请不通过这份申请，由提出人核对后重新提出。")
    data = json.loads(proposal.payload)
    kind.check(data, row, other)
    result = kind.apply(act, data, row, other)
    if not any(leaf.subject == str(result) for leaf in act.leaves):
        act.log(result, proposal=str(proposal.ref), fields=sorted(data))
    return result


@action("registers.withdraw_proposal")
def withdraw_proposal(act: Act, *, proposal_id: int) -> Proposal:
    """Take back a proposal of one's own."""
    proposal = act.lock(Proposal, pk=proposal_id)
    act.check(policies.record)
    if proposal.proposed_by != str(act.actor.ref):
        raise Denied("只能撤回自己提出的申请。")
    _still_open(proposal)
    proposal.state, proposal.decided_at = Proposal.WITHDRAWN, now()
    proposal.save(update_fields=["state", "decided_at"])
    act.log(proposal.ref, state=proposal.state)
    return proposal


# Mandates -------------------------------------------------------------------------------------------------------------


@action("registers.confirm_mandate")
def confirm_mandate(act: Act, *, mandate_id: int, evidence: str) -> Mandate:
    """Note that the side that did not ask agreed, and by what that is seen; from today on the mandate can hold."""
    mandate = act.lock(Mandate, pk=mandate_id)
    act.check(policies.record)
    if mandate.confirmed_on or mandate.ended_on:
        raise StepNotAllowed("这份授权已经确认过，或者已经终止。")
    for side, ref in (("principal", mandate.principal), ("agent", mandate.agent)):
        changes.stands(changes.row_of("mandate_new", ref), side)
    return mandating.begin(act, mandate, _reason(evidence, "evidence", "确认凭据"))


@action("registers.end_mandate")
def end_mandate(act: Act, *, mandate_id: int, side: str, reason: str) -> Mandate:
    """End a mandate at once because its principal revokes it (撤销) or its agent resigns (辞任); no second person is needed."""
    mandate = act.lock(Mandate, pk=mandate_id)
    act.check(policies.record)
    if side not in dict(Mandate.SIDES):
        raise Invalid({"side": "请选择由谁提出。"})
    if mandate.ended_on:
        raise StepNotAllowed("这份授权已经终止。")
    why = _reason(reason)
    ending.end(act, mandate, "revoked" if side == Mandate.PRINCIPAL else "resigned", today())
    act.log(mandate.ref, why=why)
    return mandate


@action("registers.end_due_mandates")
def end_due_mandates(act: Act, *, mandate_ids: list[int]) -> None:
    """Note the end of mandates whose last day is over. Whether one holds never waits for this."""
    act.check(policies.keep_time)
    rows = Mandate.objects.select_for_update().filter(
        pk__in=mandate_ids, ended_on=None, valid_to__lte=today()
    )
    for mandate in rows.order_by("pk"):
        ending.end(act, mandate, "adult" if mandate.until_adult else "expired", mandate.valid_to)
