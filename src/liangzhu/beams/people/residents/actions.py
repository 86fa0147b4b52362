"""Every change of accounts, sessions and of whom one acts for."""

from datetime import datetime

from django.http import HttpRequest

from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents import policies, sessions
from liangzhu.beams.people.residents.consenting import subject_q
from liangzhu.beams.people.residents.events import SessionEnded
from liangzhu.beams.people.residents.models import Message, ResidentAccount, ResidentSession
from liangzhu.beams.people.residents.providers import Identity, ProviderRefused
from liangzhu.beams.people.residents.resident import Resident
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.errors import Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref

# Sign-in --------------------------------------------------------------------------------------------------------------


@action("residents.sign_in")
def sign_in(
    act: Act,
    *,
    identity: Identity,
    device: str,
    address: str,
    at: datetime,
    previous: int | None = None,
) -> ResidentSession:
    """Take in who signed in (登录): register the person if need be, open the account at the first time, begin a session.

    ``previous`` is the session that this browser had: a higher level was asked for, or somebody else sits there now; it
    ends, and the same person goes on acting for whom he acted for. ``at`` is the machine's time. Raises ProviderRefused,
    StepNotAllowed.
    """
    act.check(policies.assert_identity)
    organisation = mandate = None
    try:
        person = registers.register_from_identity(
            act,
            document_kind=identity.document_kind,
            document_number=identity.document_number,
            name=identity.name,
        )
        if firm := identity.enterprise:
            grant = registers.Grant(firm.granted_on, firm.until) if firm.agent else None
            organisation, mandate = registers.register_organisation_from_identity(
                act, person=person, uscc=firm.uscc, name=firm.name, grant=grant
            )
    except Invalid as wrong:
        raise ProviderRefused(
            f"{act.actor.label}给出的身份信息不能用：{wrong.detail}", code="identity_invalid"
        ) from wrong
    account, new = ResidentAccount.objects.get_or_create(person=person)
    if not account.is_active:
        raise StepNotAllowed("这个账号已停用。", todo="请到政务服务中心窗口办理，或打咨询电话询问。")
    before = ResidentSession.objects.select_for_update().filter(pk=previous, ended_at=None).first()
    if before is not None:
        _end(act, before, "replaced", at)
        if before.account_id == account.pk and organisation is None:
            organisation, mandate = before.organisation, before.mandate
    account.person = person
    session = ResidentSession.objects.create(
        account=account,
        provider=act.actor.ref.id,
        assurance=identity.level,
        organisation=organisation,
        mandate=mandate,
        device=device[:60],
        address=address,
        began_at=at,
        seen_at=at,
    )
    act.log(
        account.ref,
        session=session.pk,
        level=identity.level,
        first=new,
        organisation=str(organisation.ref) if organisation else "",
        mandate=mandate.pk if mandate else None,
        replaced=before.pk if before else None,
    )
    return session


def _end(act: Act, row: ResidentSession, reason: str, at: datetime) -> None:
    row.ended_at, row.end_reason = at, reason
    row.save(update_fields=["ended_at", "end_reason"])
    _tell_ended(act, row.account_id, [row.pk])


def _end_all(act: Act, account: ResidentAccount, keep: int | None, reason: str, at: datetime) -> int:
    rows = ResidentSession.objects.filter(account=account, ended_at=None).exclude(pk=keep)
    numbers = list(rows.select_for_update().values_list("pk", flat=True))
    ResidentSession.objects.filter(pk__in=numbers).update(ended_at=at, end_reason=reason)
    if numbers:
        _tell_ended(act, account.pk, numbers)
    return len(numbers)


def _tell_ended(act: Act, account_id: int, numbers: list[int]) -> None:
    act.emit(
        SessionEnded(subject=Ref("resident", str(account_id)), sessions=" ".join(str(one) for one in numbers))
    )


@action("residents.sign_out")
def sign_out(act: Act, *, at: datetime) -> ResidentSession:
    """End the session one is in (退出)."""
    row = act.lock(ResidentSession, pk=act.actor.session_id)
    act.check(policies.own, row)
    if row.ended_at is None:
        _end(act, row, "own", at)
    act.log(row.account.ref, session=row.pk)
    return row


def leave(request: HttpRequest) -> None:
    """End the session that a resident's browser is in; nothing of it stays in the browser's session."""
    sign_out(request.actor, at=sessions.machine_now())
    request.session.flush()


@action("residents.end_session")
def end_session(act: Act, *, session_id: int, at: datetime) -> ResidentSession:
    """End one of one's own sessions (结束登录). Raises NotThere, also for that of somebody else."""
    row = ResidentSession.objects.select_for_update().filter(pk=session_id, ended_at=None).first()
    if row is None or not policies.own(act.actor, row):
        raise NotThere("没有找到这次登录，它可能已经结束。")
    act.check(policies.own, row)
    _end(act, row, "ended", at)
    act.log(row.account.ref, session=row.pk)
    return row


@action("residents.end_sessions")
def end_sessions(act: Act, *, at: datetime) -> int:
    """End all of one's own sessions but the present one (结束其他登录); returns how many."""
    account = act.lock(ResidentAccount, pk=act.actor.account_id)
    act.check(policies.own, account)
    ended = _end_all(act, account, act.actor.session_id, "ended", at)
    act.log(account.ref, sessions=ended)
    return ended


@action("residents.close_session")
def close_session(act: Act, *, session_id: int, reason: str, at: datetime) -> None:
    """End a session for a reason that is not the resident's own choice; ended already, it stays as it is."""
    act.check(policies.end_session)
    row = act.lock(ResidentSession, pk=session_id)
    if row.ended_at is None:
        _end(act, row, reason, at)
    act.log(row.account.ref, session=row.pk, reason=reason)


@action("residents.close_account")
def close_account(act: Act, *, person_id: int, at: datetime) -> None:
    """Close the account of a person who was forgotten by rule; its sessions end, what they knew of devices is gone."""
    act.check(policies.end_session)
    account = act.lock(ResidentAccount, person=person_id)
    account.is_active = False
    account.save(update_fields=["is_active"])
    _end_all(act, account, None, "person", at)
    act.log(account.ref, closed=True)


# Acting for another ---------------------------------------------------------------------------------------------------


@action("residents.act_for")
def act_for(act: Act, *, principal: str, mandate_id: int | None = None) -> ResidentSession:
    """From now on act in this session for ``principal`` (printed Ref): oneself, an organisation that one represents by law,
    or by a mandate (切换身份). Raises Denied when one may not.
    """
    row = act.lock(ResidentSession, pk=act.actor.session_id)
    act.check(policies.own, row)
    actor: Resident = act.actor
    if principal == str(actor.person):
        row.organisation = row.mandate = None
    else:
        found = next(
            (
                one
                for one in registers.standings(actor.person)
                if str(one.principal) == principal and (one.mandate.pk if one.mandate else None) == mandate_id
            ),
            None,
        )
        if found is None:
            raise Denied(
                "没有找到有效的授权，不能以这个身份办事。",
                todo="授权可能刚刚终止。请刷新页面看还有哪些身份，或请对方重新授权。",
            )
        row.mandate = found.mandate
        is_organisation = found.principal.kind == "organisation"
        row.organisation_id = int(found.principal.id) if is_organisation else None
    row.save(update_fields=["organisation", "mandate"])
    act.log(row.account.ref, session=row.pk, principal=principal, mandate=mandate_id)
    if row.mandate is not None:
        act.log(row.mandate.ref, used=True, agent=str(actor.person), principal=principal)
    return row


@action("residents.stop_acting")
def stop_acting(act: Act, *, session_id: int, why: str) -> None:
    """Let a session act for its owner again, because the right to act for another is over."""
    act.check(policies.end_session)
    row = act.lock(ResidentSession, pk=session_id)
    row.organisation = row.mandate = None
    row.save(update_fields=["organisation", "mandate"])
    act.log(row.account.ref, session=row.pk, why=why)


# Messages -------------------------------------------------------------------------------------------------------------


@action("residents.read_message")
def read_message(act: Act, *, message_id: int) -> Message:
    """Note that a message was read. Raises NotThere."""
    row = (
        Message.objects.select_for_update(of=("self",)).select_related("person").filter(pk=message_id).first()
    )
    if row is None or not policies.read_messages(act.actor, row):
        raise NotThere("没有找到这条消息。")
    act.check(policies.read_messages, row)
    if row.read_at is None:
        row.read_at = now()
        row.save(update_fields=["read_at"])
    act.log(row.ref)
    return row


@action("residents.read_all_messages")
def read_all_messages(act: Act) -> int:
    """Note that all messages of whom one acts for were read; returns how many were new."""
    act.check(policies.read_messages)
    actor: Resident = act.actor
    rows = Message.objects.filter(subject_q(actor.principal_refs), read_at=None)
    count = rows.update(read_at=now())
    act.log(actor.ref, read=count)
    return count
