"""The tables of this app."""

from liangzhu.beams.people.residents.models.accounts import ResidentAccount, ResidentSession
from liangzhu.beams.people.residents.models.consents import Consent
from liangzhu.beams.people.residents.models.messages import Message

__all__ = ["Consent", "Message", "ResidentAccount", "ResidentSession"]
