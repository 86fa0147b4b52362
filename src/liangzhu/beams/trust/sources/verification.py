"""Materials that no source gave (由工作人员核验): written down, shown as such, and not asked of the citizen."""

from collections.abc import Iterable

from liangzhu.beams.trust.sources import policies
from liangzhu.beams.trust.sources.models import StaffCheck
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.errors import Conflict, Invalid
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref


def to_verify(
    act: Act, *, case: Ref | str, material: str, title: str, why: str, source: str = "", receipt_id: str = ""
) -> StaffCheck:
    """Inside an action: a material of a case could not be read; staff verify it, the citizen need not bring it.

    ``why`` is the ``outcome`` of what `pull` raised, ``receipt_id`` names that attempt. Once per case and material: called
    again, an open one stays as it is. Raises Denied.
    """
    case = str(case)
    act.check(policies.open_check, Ref.parse(case))
    row, new = StaffCheck.objects.get_or_create(
        case=case,
        material=material,
        defaults={"title": title[:200], "source": source, "why": why, "opened_at": now()},
    )
    if new:
        act.log(row.ref, case=case, material=material, source=source, why=why, attempt=receipt_id)
    return row


def came_after_all(act: Act, *, case: Ref | str, material: str) -> bool:
    """Inside an action: the material was read after all, or brought; nobody need verify it. Whether there was one open."""
    row = StaffCheck.objects.filter(case=str(case), material=material, state=StaffCheck.OPEN).first()
    if row is None:
        return False
    act.check(policies.open_check, Ref.parse(str(case)))
    act.log(row.ref, case=str(case), material=material, came=True)
    row.delete()
    return True


@action("sources.settle_check")
def settle(act: Act, *, check_id: int, good: bool, note: str) -> StaffCheck:
    """Staff verified a material: true or not, and how they know. Raises NotThere, Denied, Conflict, Invalid."""
    row = act.lock(StaffCheck, pk=check_id)
    act.check(policies.check, Ref.parse(row.case))
    if row.state != StaffCheck.OPEN:
        raise Conflict(f"“{row.title}”已由{row.settled_label}核验。")
    note = note.strip()
    if not note or len(note) > 400:
        raise Invalid({"note": "请写明怎样核验的。" if not note else "最多 400 个字。"})
    row.state = StaffCheck.GOOD if good else StaffCheck.BAD
    row.note, row.settled_at = note, now()
    row.settled_by, row.settled_label = str(act.actor.ref), act.actor.label
    row.save(update_fields=["state", "note", "settled_at", "settled_by", "settled_label"])
    act.log(row.ref, case=row.case, material=row.material, good=good)
    return row


def unsettled(case: Ref | str, materials: Iterable[str] | None = None) -> list[str]:
    """The keys of materials of a case that staff still have to verify; for guards of a process."""
    rows = StaffCheck.objects.filter(case=str(case), state=StaffCheck.OPEN)
    if materials is not None:
        rows = rows.filter(material__in=list(materials))
    return list(rows.order_by("id").values_list("material", flat=True))
