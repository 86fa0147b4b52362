"""The front door of this app."""

from liangzhu.beams.people.registers.families import family
from liangzhu.beams.people.registers.identities import (
    Grant,
    Standing,
    party_names,
    register_from_identity,
    register_organisation_from_identity,
    standings,
)
from liangzhu.beams.people.registers.links import add_referrer
from liangzhu.beams.people.registers.mandating import act_for, mandates_of, may_act
from liangzhu.beams.people.registers.models import Mandate, NaturalPerson, Organisation
from liangzhu.beams.people.registers.models.mandates import Scope
from liangzhu.beams.people.registers.models.subjects import phone_form
from liangzhu.beams.people.registers.own import (
    OwnMandate,
    confirm_own_mandate,
    end_own_mandate,
    give_mandate,
    is_person,
    own_mandates,
    person_of,
    sides,
    sought_by,
)
from liangzhu.beams.people.registers.policies import CHECKED, spoken_for
from liangzhu.beams.people.registers.queries import find_by_uscc, holder
from liangzhu.beams.people.registers.values import Held, held

__all__ = [
    "CHECKED",
    "Grant",
    "Held",
    "Mandate",
    "NaturalPerson",
    "Organisation",
    "OwnMandate",
    "Scope",
    "Standing",
    "act_for",
    "add_referrer",
    "confirm_own_mandate",
    "end_own_mandate",
    "family",
    "find_by_uscc",
    "give_mandate",
    "held",
    "holder",
    "is_person",
    "mandates_of",
    "may_act",
    "own_mandates",
    "party_names",
    "person_of",
    "phone_form",
    "register_from_identity",
    "register_organisation_from_identity",
    "sides",
    "sought_by",
    "spoken_for",
    "standings",
]
