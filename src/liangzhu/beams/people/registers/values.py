"""What the registers hold of somebody, in full, for the part that writes down every reading of it (`trust.sources`)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from liangzhu.beams.people.registers.families import subject_ref, survivors
from liangzhu.beams.people.registers.models import NaturalPerson, Organisation
from liangzhu.kernel import masking
from liangzhu.kernel.refs import Ref

SEALED = ("name", "document_number", "phone", "address", "birth")


@dataclass(frozen=True)
class Held:
    """Whom it is about: ``ref`` goes on where rows were merged, ``number`` is what others know the subject by, if asked for.

    ``gone`` is True where the values were destroyed by rule; ``values`` are those that were asked for and are there.
    ``representative`` is the legal representative of an organisation.
    """

    ref: Ref
    number_kind: str = ""
    number: str = ""
    values: dict[str, str] = field(default_factory=dict)
    gone: bool = False
    representative: NaturalPerson | None = None


def held(subject: Ref, names: Iterable[str] = (), *, number: bool = False) -> Held:
    """Named values of a person or an organisation in full, and with ``number`` what others know it by.

    The caller has asked its policy, and writes the reading down itself, in the log and in the trail: nothing is noted here.
    Raises NotThere.
    """
    ref = subject_ref(str(subject))
    names = tuple(names)
    if ref.kind == "organisation":
        return _organisation(ref, names)
    key = int(ref.id)
    row = NaturalPerson.objects.filter(pk=survivors([key])[key]).first()
    if row is None or row.forgotten:
        return Held(ref, gone=True)
    found = {"document_kind": row.get_document_kind_display(), "sex": row.get_sex_display()}
    sealed = [one for one in SEALED if one in names or (number and one == "document_number")]
    found |= {one: masking.plain(row, one) for one in sealed}
    values = {one: found[one] for one in names if found.get(one)}
    return Held(row.ref, row.document_kind, found["document_number"] if number else "", values)


def _organisation(ref: Ref, names: tuple[str, ...]) -> Held:
    row = Organisation.objects.filter(pk=ref.id).select_related("legal_representative").first()
    if row is None:
        return Held(ref, gone=True)
    found = {
        "name": row.name,
        "uscc": row.uscc,
        "kind": row.get_kind_display(),
        "address": row.address,
        "state": row.get_state_display(),
    }
    values = {one: found[one] for one in names if found.get(one)}
    who = row.legal_representative
    return Held(row.ref, "uscc", row.uscc, values, representative=who if who and not who.forgotten else None)
