"""Which requests to sign mean a resident."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.work.forms.models import CoSignature
from liangzhu.kernel.refs import Ref


def sought(person: Ref, refs: Iterable[str] = ()) -> QuerySet[CoSignature]:
    """Requests that name a natural person by Ref, or by a number of his and perhaps not by his name: `meant` tells.

    ``refs`` are all references of the person, where they are known already.
    """
    refs = refs or registers.family(str(person))
    numbers, phones = registers.sought_by(refs)
    return CoSignature.objects.filter(
        Q(party__in=refs) | Q(party="", number_blind__in=numbers) | Q(party="", phone_blind__in=phones)
    )


def meant(person: Ref, row: CoSignature) -> bool:
    """Whether a request means this natural person: known already, or by name and number."""
    if not row.outside:
        return False
    if row.party:
        return row.party in registers.family(str(person))
    return sought(person).filter(pk=row.pk).exists() and registers.is_person(
        person, name=str(row.person_name)
    )
