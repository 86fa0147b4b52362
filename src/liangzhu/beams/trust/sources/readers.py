"""Who reads: in which capacity, for which unit."""

from dataclasses import dataclass

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.trust.sources.models import Read
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.refs import Ref


@dataclass(frozen=True)
class Reader:
    """A reader as the trail shows it: a code of `Read.READERS`, and the unit that it stood for, by id and name."""

    kind: str
    unit: int | None
    unit_name: str


def is_resident(actor: Actor) -> bool:
    """Whether somebody signed in through the province acts."""
    return isinstance(actor, residents.Resident)


def reader_of(actor: Actor, whose: Ref | None) -> Reader:
    """Who an actor is to the one whose values are read (None: nobody yet)."""
    unit = getattr(actor, "unit_id", None)
    if unit is None and actor.on_behalf is not None and actor.on_behalf.kind == "unit":
        unit = int(actor.on_behalf.id)
    name = directory.unit_name(unit) if unit is not None else ""
    if actor.is_system:
        return Reader(Read.SYSTEM, unit, name)
    if actor.signed_in:
        return Reader(Read.STAFF, unit, name)
    if is_resident(actor) and whose is not None and (actor.concerns(whose) or actor.person == whose):
        return Reader(Read.OWN, None, "")
    return Reader(Read.OTHER, None, "")
