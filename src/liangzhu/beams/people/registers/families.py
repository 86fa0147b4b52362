"""One person under several references: rows that were merged name the same one."""

from collections.abc import Iterable

from liangzhu.beams.people.registers.models import NaturalPerson
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.refs import Ref

KINDS = ("natural_person", "organisation")


def subject_ref(text: str) -> Ref:
    """Read the reference of a person or an organisation. Raises NotThere."""
    try:
        ref = Ref.parse(text)
    except ValueError:
        ref = Ref("", "")
    if ref.kind not in KINDS or not (ref.id.isascii() and ref.id.isdigit() and len(ref.id) < 19):
        raise NotThere("没有找到这个自然人或组织。")
    return ref


def family(text: str) -> set[str]:
    """All references, printed, of the one that a reference names; itself where nothing was merged."""
    ref = subject_ref(text)
    found = {str(ref)}
    if ref.kind == "natural_person":
        survivor = survivors([int(ref.id)])[int(ref.id)]
        merged = NaturalPerson.objects.filter(merged_into=survivor).values_list("pk", flat=True)
        found |= {f"natural_person:{pk}" for pk in (survivor, *merged)}
    return found


def survivors(ids: Iterable[int]) -> dict[int, int]:
    """Each person's number to the number of the row that goes on."""
    wanted = set(ids)
    moved = NaturalPerson.objects.filter(pk__in=wanted).exclude(merged_into=None)
    return {pk: pk for pk in wanted} | dict(moved.values_list("pk", "merged_into"))
