"""The front door of this app."""

from liangzhu.beams.people.residents.actions import leave, sign_in, sign_out
from liangzhu.beams.people.residents.consenting import consent_for, end_consent, give_consent
from liangzhu.beams.people.residents.hooks import (
    SourceName,
    Task,
    add_panel,
    add_scopes,
    add_tasks,
    let_stand,
    name_sources,
    stands_for,
)
from liangzhu.beams.people.residents.messages import forget_about, tell
from liangzhu.beams.people.residents.models import Consent, ResidentAccount
from liangzhu.beams.people.residents.pages.guard import resident_page
from liangzhu.beams.people.residents.providers import (
    Ask,
    Enterprise,
    Identity,
    Known,
    Provider,
    ProviderDown,
    ProviderRefused,
    all_providers,
    drop_provider,
    register_provider,
)
from liangzhu.beams.people.residents.queries import Header
from liangzhu.beams.people.residents.resident import LEVEL_WORDS, NeedLevel, Resident, answering, need
from liangzhu.beams.people.residents.sessions import actor_of, standing

__all__ = [
    "LEVEL_WORDS",
    "Ask",
    "Consent",
    "Enterprise",
    "Header",
    "Identity",
    "Known",
    "NeedLevel",
    "Provider",
    "ProviderDown",
    "ProviderRefused",
    "Resident",
    "ResidentAccount",
    "SourceName",
    "Task",
    "actor_of",
    "add_panel",
    "add_scopes",
    "add_tasks",
    "all_providers",
    "answering",
    "consent_for",
    "drop_provider",
    "end_consent",
    "forget_about",
    "give_consent",
    "leave",
    "let_stand",
    "name_sources",
    "need",
    "register_provider",
    "resident_page",
    "sign_in",
    "sign_out",
    "standing",
    "stands_for",
    "tell",
]
