"""Keeping the trail: every reading that a part below tells of (`kernel.reads`) becomes a row for each one whose values it was.

Reading that a law keeps secret from the person read about (criminal, security and inspection matters) does not go through
this program at all; nothing here hides a row.
"""

from liangzhu.beams.trust.sources.models import Read
from liangzhu.beams.trust.sources.readers import reader_of
from liangzhu.kernel import reads
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref

_COLUMNS = {"natural_person": "person_id", "organisation": "organisation_id"}


def columns_of(party: Ref | None) -> dict[str, int]:
    """The column that names a person or an organisation; none for nobody."""
    return {_COLUMNS[party.kind]: int(party.id)} if party is not None and party.kind in _COLUMNS else {}


def rows_of(read: reads.Read, outcome: str = "") -> list[Read]:
    """A reading as rows, not saved: one for each whose values it was, or one that leads to nobody yet."""
    outcome = outcome or (Read.DONE if read.done else Read.REFUSED)
    names, moment = sorted(read.fields), now()
    made = []
    for party in read.whose or (None,):
        reader = reader_of(read.actor, party)
        made.append(
            Read(
                **columns_of(party),
                thing=str(read.subject),
                at=moment,
                reader=reader.kind,
                operator=str(read.actor.ref),
                unit=reader.unit,
                unit_name=reader.unit_name,
                channel=read.channel,
                fields=" ".join(names)[:1000],
                titles="、".join(read.fields[name] for name in names)[:1000],
                case=read.case,
                ground=read.ground[:200],
                reason=read.reason[:200],
                outcome=outcome,
            )
        )
    return made


@reads.keep
def keep(read: reads.Read) -> None:
    """Write the rows of a reading, in the transaction of its leaf."""
    for row in rows_of(read):
        row.save(force_insert=True)


@reads.on_found
def found(thing: Ref, party: Ref) -> None:
    """Readings of something that led to nobody belong to whom it led to in the end."""
    if columns := columns_of(party):
        Read.objects.filter(thing=str(thing), person=None, organisation=None).update(**columns)
