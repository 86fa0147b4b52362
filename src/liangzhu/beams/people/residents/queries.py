"""Every read of this app, scoped to the resident who asks."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents import hooks, policies
from liangzhu.beams.people.residents.consenting import subject_q
from liangzhu.beams.people.residents.models import Consent, Message, ResidentSession
from liangzhu.beams.people.residents.providers import all_providers
from liangzhu.beams.people.residents.resident import LEVEL_WORDS, Resident
from liangzhu.beams.people.residents.sessions import idle_limit, machine_now
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import register_ref


@dataclass(frozen=True)
class Choice:
    """Whom one may act for, as a button: ``principal`` and ``mandate`` are what it sends."""

    principal: str
    mandate: int | None
    name: str
    capacity: str
    current: bool
    until: str = ""


def choices(actor: Resident) -> list[Choice]:
    """Oneself, and everybody whom one may act for today."""
    policies.own.require(actor)
    own = ResidentSession.objects.select_related("account__person").get(pk=actor.session_id)
    found = [Choice(str(actor.person), None, str(own.account.person.name), "本人", not actor.for_another)]
    for one in registers.standings(actor.person):
        mandate = one.mandate
        until = f"{mandate.valid_to.isoformat()} 前有效" if mandate and mandate.valid_to else ""
        found.append(
            Choice(
                str(one.principal),
                mandate.pk if mandate else None,
                one.name,
                one.capacity,
                actor.principal == one.principal and actor.mandate_id == (mandate.pk if mandate else None),
                until,
            )
        )
    return found


@dataclass(frozen=True)
class SessionRow:
    """One session as its owner sees it."""

    id: int
    device: str
    address: str
    began: datetime
    seen: datetime
    level: str
    acting: str
    current: bool


def sessions(actor: Resident) -> list[SessionRow]:
    """The sessions of one's account that still count, the one used last first."""
    policies.own.require(actor)
    rows = ResidentSession.objects.filter(
        account=actor.account_id, ended_at=None, seen_at__gt=machine_now() - idle_limit()
    ).select_related("account__person", "organisation", "mandate")
    return [
        SessionRow(
            row.pk,
            row.device,
            row.address,
            row.began_at,
            row.seen_at,
            LEVEL_WORDS[row.assurance],
            row.organisation.name if row.organisation else "被代理人" if row.mandate else "本人",
            row.pk == actor.session_id,
        )
        for row in rows.order_by("-seen_at")
    ]


def messages(actor: Resident, unread: bool = False) -> QuerySet[Message]:
    """The messages of whom one acts for. Take ("-id",)."""
    policies.read_messages.require(actor)
    found = Message.objects.filter(subject_q(actor.principal_refs)).select_related("person")
    return found.filter(read_at=None) if unread else found


def unread_count(actor: Resident) -> int:
    """How many messages are new, at most 100."""
    return messages(actor, unread=True).order_by()[:100].count() if policies.own(actor) else 0


def message(actor: Resident, message_id: int) -> Message:
    """One message. Raises NotThere."""
    found = messages(actor).filter(pk=message_id).first()
    if found is None:
        raise NotThere("没有找到这条消息。")
    return found


@dataclass(frozen=True)
class ConsentRow:
    """A consent in words."""

    consent: Consent
    source: str
    fields: list[str]
    state: str
    open: bool


def consents(actor: Resident) -> list[ConsentRow]:
    """The consents of whom one acts for: those that hold first, then what is over, the newest first; at most 200."""
    policies.consent.require(actor)
    moment = now()
    rows = (
        Consent.objects.filter(subject_q(actor.principal_refs)).select_related("person").order_by("-pk")[:200]
    )
    found = []
    for row in rows:
        name = hooks.source_name(row.source)
        state = "有效" if row.in_force(moment) else "已撤回" if row.ended_at else "已到期"
        fields = [name.fields.get(one, one) for one in row.names]
        found.append(ConsentRow(row, name.title, fields, state, state == "有效"))
    return sorted(found, key=lambda one: not one.open)


@dataclass(frozen=True)
class Header:
    """What every page of the portal shows of who signed in. The choices cost queries: pages that offer them ask."""

    actor: Resident

    @property
    def level(self) -> str:
        """The level of assurance in words."""
        return LEVEL_WORDS[self.actor.assurance]

    @property
    def unread(self) -> int:
        """New messages."""
        return unread_count(self.actor)


def providers() -> list:
    """The providers that one can sign in with."""
    return list(all_providers().values())


def _resident_refs(ids, actor) -> dict[str, tuple[str, str]]:
    """Accounts are named to staff by their number only: who it is stands with what he did."""
    return {one: (f"公众账号 {one}", "") for one in ids}


def _provider_refs(ids, actor) -> dict[str, tuple[str, str]]:
    known = all_providers()
    return {one: (known[one].title if one in known else one, "") for one in ids}


register_ref("resident", "公众账号", _resident_refs)
register_ref("identity_provider", "身份提供方", _provider_refs)
