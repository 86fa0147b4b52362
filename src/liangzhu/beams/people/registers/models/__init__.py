"""The tables of this app."""

from liangzhu.beams.people.registers.models.mandates import Mandate
from liangzhu.beams.people.registers.models.proposals import Proposal
from liangzhu.beams.people.registers.models.subjects import NaturalPerson, Organisation, OrganisationName

__all__ = ["Mandate", "NaturalPerson", "Organisation", "OrganisationName", "Proposal"]
