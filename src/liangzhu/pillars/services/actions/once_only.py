"""Submit once only (两个免于提交): exemptions that two people sign and that end by themselves, questions raised upwards."""

from datetime import date, timedelta

from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.errors import Denied, Invalid, StepNotAllowed
from liangzhu.kernel.now import now, today
from liangzhu.kernel.refs import Ref
from liangzhu.pillars.services import issued, policies
from liangzhu.pillars.services.models import Exemption, Item, ItemMaterial, ItemVersion, Upward

LONGEST = timedelta(days=366)
"""No exemption lasts longer: whoever needs more asks again, and says why again."""
REASON_MIN = 10


@action("services.propose_exemption")
def propose_exemption(act: Act, *, item_id: int, material: str, reason: str, until: date) -> Exemption:
    """Ask that an item may demand a document that government issues, until a day. A second person signs.

    Raises Invalid (no such material, no reason, an end too far), StepNotAllowed when one stands already.
    """
    item = act.lock(Item, pk=item_id)
    act.check(policies.edit_items, item)
    row = (
        ItemMaterial.objects.filter(version__item=item, key=material)
        .filter(version__state__in=(*ItemVersion.OPEN, ItemVersion.IN_FORCE))
        .order_by("-version__number")
        .first()
    )
    document = issued.match(row.name) if row else None
    problems = {}
    if row is None or (document is None and row.channel != ItemMaterial.GOVERNMENT):
        problems["material"] = "只有清单里由政府核发的材料才要豁免。"
    if len(reason.strip()) < REASON_MIN:
        problems["reason"] = f"理由要公开，请至少写 {REASON_MIN} 个字：为什么不能共享、核验，打算怎样解决。"
    if until <= today():
        problems["until"] = "终止日应在今天以后。"
    elif until > today() + LONGEST:
        problems["until"] = "豁免最长一年，到期确有需要的再申请。"
    if problems:
        raise Invalid(problems)
    if Exemption.objects.filter(
        item=item, material=material, state__in=[Exemption.PROPOSED, Exemption.SIGNED]
    ).exists():
        raise StepNotAllowed("这份材料已有待签署或有效的豁免。", todo="请等签署结果，或等它终止以后再申请。")
    found = Exemption.objects.create(
        item=item,
        material=material,
        material_name=row.name,
        document=document.key if document else "",
        reason=reason.strip(),
        until=until,
        proposed_by=str(act.actor.ref),
        proposed_label=act.actor.label,
        proposed_at=now(),
    )
    act.log(found.ref, item=item.key, material=material, until=until, state=found.state)
    return found


@action("services.sign_exemption")
def sign_exemption(act: Act, *, exemption_id: int, accept: bool) -> Exemption:
    """Sign an exemption, or refuse it. Who asked cannot. Raises Denied, StepNotAllowed."""
    row = act.lock(Exemption, pk=exemption_id)
    act.check(policies.review_items, row)
    if row.state != Exemption.PROPOSED:
        raise StepNotAllowed(f"这项豁免已是“{row.get_state_display()}”，不能签署。")
    if row.proposed_by == str(act.actor.ref):
        raise Denied("申请人不能签署自己申请的豁免。", todo="请另一位事项审核人签署。")
    if accept and row.until <= today():
        raise StepNotAllowed("申请的终止日已过，不能再签署。", todo="请不同意，由申请人重新申请。")
    row.state = Exemption.SIGNED if accept else Exemption.REFUSED
    row.signed_by, row.signed_label, row.signed_at = str(act.actor.ref), act.actor.label, now()
    row.save()
    act.log(row.ref, item=row.item.key, material=row.material, state=row.state)
    return row


@action("services.end_exemption")
def end_exemption(act: Act, *, exemption_id: int) -> Exemption:
    """End an exemption before its day. From now on the document is not asked for. Raises StepNotAllowed."""
    row = act.lock(Exemption, pk=exemption_id)
    act.check(policies.edit_items, row.item)
    return _end(act, row)


@action("services.end_exemptions")
def end_exemptions(act: Act, *, exemption_ids: list[int]) -> int:
    """Note that exemptions reached their end. They held no longer from that day on, noted or not."""
    act.check(policies.keep_time)
    rows = Exemption.objects.select_for_update().filter(
        pk__in=exemption_ids, state__in=[Exemption.SIGNED, Exemption.PROPOSED], until__lte=today()
    )
    rows = list(rows)
    for row in rows:
        _end(act, row, row.until)
    act.log(Ref("job", "services.end_exemptions"), ended=len(rows))
    return len(rows)


def _end(act: Act, row: Exemption, on: date | None = None) -> Exemption:
    if row.state not in (Exemption.SIGNED, Exemption.PROPOSED):
        raise StepNotAllowed(f"这项豁免已是“{row.get_state_display()}”。")
    row.state, row.ended_on = Exemption.ENDED, on or today()
    row.save(update_fields=["state", "ended_on"])
    act.log(row.ref, item=row.item.key, material=row.material, state=row.state)
    return row


# Upwards --------------------------------------------------------------------------------------------------------------


@action("services.raise_upward")
def raise_upward(act: Act, *, item_id: int, element: str, text: str, to: str, material: str = "") -> Upward:
    """Raise a question about an element that the upper level set. Raises Invalid."""
    item = act.lock(Item, pk=item_id)
    act.check(policies.edit_items, item)
    problems = {}
    if len(text.strip()) < REASON_MIN:
        problems["text"] = f"请至少写 {REASON_MIN} 个字：问题是什么，建议怎样改。"
    if not to.strip():
        problems["to"] = "请写明向哪个单位反映。"
    if problems:
        raise Invalid(problems)
    row = Upward.objects.create(
        item=item,
        element=element,
        material=material,
        to=to.strip(),
        text=text.strip(),
        raised_by=str(act.actor.ref),
        raised_label=act.actor.label,
        raised_at=now(),
    )
    act.log(row.ref, item=item.key, element=element, state=row.state)
    return row


@action("services.record_answer")
def record_answer(act: Act, *, upward_id: int, answer: str, outcome: str = "") -> Upward:
    """Write down the upper level's answer; with an outcome (what was done about it here) the question is settled.

    Raises Invalid, StepNotAllowed.
    """
    row = act.lock(Upward, pk=upward_id)
    act.check(policies.edit_items, row.item)
    if row.state == Upward.SETTLED:
        raise StepNotAllowed("这个问题已经办结。")
    if not answer.strip():
        raise Invalid({"answer": "请写明上级怎样答复。"})
    row.answer, row.outcome = answer.strip(), outcome.strip()
    row.answered_at = row.answered_at or now()
    row.state = Upward.SETTLED if row.outcome else Upward.ANSWERED
    row.settled_at = now() if row.outcome else None
    row.save()
    act.log(row.ref, item=row.item.key, state=row.state)
    return row
