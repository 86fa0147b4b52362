"""The front door of this app."""

from liangzhu.beams.people.registers.families import family
from liangzhu.beams.people.registers.links import add_referrer
from liangzhu.beams.people.registers.mandating import act_for, mandates_of, may_act
from liangzhu.beams.people.registers.models.mandates import Scope
from liangzhu.beams.people.registers.queries import find_by_uscc

__all__ = ["Scope", "act_for", "add_referrer", "family", "find_by_uscc", "mandates_of", "may_act"]
