"""The front door of this app. README.md says what is promised."""

from liangzhu.beams.trust.sources.errors import (
    NoConsent,
    NotAllowed,
    NothingHeld,
    SourceDown,
    SourceTrouble,
    SourceWrong,
    UnknownSource,
)
from liangzhu.beams.trust.sources.models import Pull, StaffCheck
from liangzhu.beams.trust.sources.pulling import Pulled, pull
from liangzhu.beams.trust.sources.queries import checks_of, pulls_of, receipt_file, trail, values_of
from liangzhu.beams.trust.sources.registry import Ask, Field, Source, all_sources, drop, register, source
from liangzhu.beams.trust.sources.verification import came_after_all, settle, to_verify, unsettled

__all__ = [
    "Ask",
    "Field",
    "NoConsent",
    "NotAllowed",
    "NothingHeld",
    "Pull",
    "Pulled",
    "Source",
    "SourceDown",
    "SourceTrouble",
    "SourceWrong",
    "StaffCheck",
    "UnknownSource",
    "all_sources",
    "came_after_all",
    "checks_of",
    "drop",
    "pull",
    "pulls_of",
    "receipt_file",
    "register",
    "settle",
    "source",
    "to_verify",
    "trail",
    "unsettled",
    "values_of",
]
