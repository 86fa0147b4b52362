"""Every change of applications, of their secrets, and of who is signed in to them."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction

from liangzhu.beams.people.applications import declared, people, policies, tokens
from liangzhu.beams.people.applications.declared import Declared
from liangzhu.beams.people.applications.events import ApplicationPublished, ApplicationWithdrawn
from liangzhu.beams.people.applications.models import (
    Declaration,
    DepartmentApplication,
    Notice,
    SignOn,
    UsedAssertion,
)
from liangzhu.beams.people.residents import api as residents
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.errors import Conflict, Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.now import now, today
from liangzhu.kernel.refs import Ref

# Registering and reviewing --------------------------------------------------------------------------------------------


@action("applications.register")
def register(act: Act, *, given: Declared) -> DepartmentApplication:
    """Register an application of the own unit (登记应用); somebody of another unit reviews it. Raises Invalid."""
    act.check(policies.register)
    given = declared.checked(given)
    row = DepartmentApplication.objects.create(
        client_id=f"lz-{secrets.token_hex(8)}", title=given.title, unit_id=act.actor.unit_id
    )
    version = _declare(act, row, given)
    act.log(row.ref, unit=row.unit_id, version=version.number)
    return row


@action("applications.change")
def change(act: Act, *, application_id: int, given: Declared) -> Declaration:
    """Propose a change of what an application declares (变更登记). What is in force stays until the change is reviewed.

    Raises Invalid, StepNotAllowed, Conflict where another change waits.
    """
    row = act.lock(DepartmentApplication, pk=application_id)
    act.check(policies.register, row)
    _not_withdrawn(row)
    if row.declarations.filter(state=Declaration.WAITING).exists():
        raise Conflict("已有一份变更在等审核。", todo="请先撤回它，或等审核完再提。")
    given = declared.checked(given)
    if row.current_id and not declared.difference(declared.by_id(row.current_id), given):
        raise Invalid("和现在生效的一样，没有变更。")
    version = _declare(act, row, given)
    act.log(row.ref, version=version.number)
    return version


def _declare(act: Act, row: DepartmentApplication, given: Declared) -> Declaration:
    last = row.declarations.order_by("-number").first()
    return Declaration.objects.create(
        application=row,
        number=last.number + 1 if last else 1,
        body=given.body(),
        made_by=str(act.actor.ref),
        made_label=act.actor.label,
    )


def _not_withdrawn(row: DepartmentApplication) -> None:
    if row.state == row.WITHDRAWN:
        raise StepNotAllowed("这个应用已经撤下。", todo="需要再用的，请重新登记一个。")


def _waiting(act: Act, declaration_id: int) -> tuple[DepartmentApplication, Declaration]:
    known = Declaration.objects.filter(pk=declaration_id).values_list("application", flat=True).first()
    if known is None:
        raise NotThere("没有找到这份登记内容。")
    row = act.lock(DepartmentApplication, pk=known)
    version = act.lock(Declaration, pk=declaration_id)
    if version.state != Declaration.WAITING:
        raise StepNotAllowed(f"第 {version.number} 版已是“{version.get_state_display()}”。")
    return row, version


@action("applications.take_back")
def take_back(act: Act, *, declaration_id: int) -> Declaration:
    """Take back what waits for review (撤回登记). Raises Denied, NotThere, StepNotAllowed."""
    row, version = _waiting(act, declaration_id)
    act.check(policies.register, row)
    version.state = Declaration.TAKEN_BACK
    version.save(update_fields=["state"])
    act.log(row.ref, version=version.number, state=version.state)
    return version


@action("applications.review")
def review(act: Act, *, declaration_id: int, accept: bool, decision: str = "") -> Declaration:
    """Accept or refuse what was declared (审核应用). The first that is accepted publishes the application.

    Another unit than the application's, and never who made it (四眼原则). Raises Denied, Invalid, StepNotAllowed.
    """
    row, version = _waiting(act, declaration_id)
    act.check(policies.review, row)
    if version.made_by == str(act.actor.ref):
        raise Denied("提出的人不能审核自己提出的内容。", todo="请另一位应用审核员审核。")
    _not_withdrawn(row)
    decision = decision.strip()
    if len(decision) > 200:
        raise Invalid({"decision": "最多 200 个字。"})
    if not accept and not decision:
        raise Invalid({"decision": "不通过的，请写明原因和怎样改。"})
    version.decided_by, version.decided_label = str(act.actor.ref), act.actor.label
    version.decided_at, version.decision = now(), decision
    version.state = Declaration.IN_FORCE if accept else Declaration.REFUSED
    if accept:
        row.declarations.filter(state=Declaration.IN_FORCE).update(state=Declaration.SUPERSEDED)
        said = declared.of(version)
        row.current, row.title = version, said.title
        if said.method == "private_key_jwt":
            # What opened before must not go on opening beside the key.
            row.secret = row.old_secret = ""
        if row.state == row.DRAFT:
            row.state, row.published_at = row.PUBLISHED, now()
            act.emit(ApplicationPublished(subject=row.ref))
        row.save()
    version.save()
    act.log(row.ref, version=version.number, state=version.state)
    return version


@action("applications.withdraw")
def withdraw(act: Act, *, application_id: int, reason: str) -> DepartmentApplication:
    """Withdraw an application for good (撤下应用): nobody opens it, its tokens and sessions end at once. Raises Invalid."""
    row = act.lock(DepartmentApplication, pk=application_id)
    act.check(policies.withdraw, row)
    _not_withdrawn(row)
    reason = reason.strip()
    if not 0 < len(reason) <= 200:
        raise Invalid({"reason": "请写明原因，最多 200 个字。"})
    row.state, row.withdrawn_at, row.withdrawn_for = row.WITHDRAWN, now(), reason
    row.secret = row.old_secret = row.health = ""
    row.save()
    row.declarations.filter(state=Declaration.WAITING).update(state=Declaration.TAKEN_BACK)
    ended = _end(act, SignOn.objects.filter(application=row, ended_at=None), "application")
    act.emit(ApplicationWithdrawn(subject=row.ref))
    act.log(row.ref, reason=reason, sign_ons=ended)
    return row


# Secrets --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """A secret with its text, which is shown once and kept nowhere."""

    application: DepartmentApplication
    text: str

    @property
    def ref(self) -> Ref:
        """The reference of the application."""
        return self.application.ref


@action("applications.make_secret")
def make_secret(act: Act, *, application_id: int, hours: int = 0) -> Made:
    """Make a new secret (生成密钥); the one before opens for so many hours more, so that the program can be changed.

    Raises StepNotAllowed for an application that has its own key, Invalid.
    """
    row = act.lock(DepartmentApplication, pk=application_id)
    act.check(policies.register, row)
    if row.state != row.PUBLISHED:
        raise StepNotAllowed("应用还没有发布，或者已经撤下。", todo="审核通过后再生成密钥。")
    if declared.by_id(row.current_id).method == "private_key_jwt":
        raise StepNotAllowed(
            "这个应用用自己的私钥证明身份，没有密钥。", todo="换密钥对的，请变更登记的公钥。"
        )
    if not 0 <= hours <= 168:
        raise Invalid({"hours": "应为 0—168 小时。"})
    text = f"lzs_{secrets.token_urlsafe(32)}"
    row.old_secret = row.secret if hours else ""
    row.old_secret_until = tokens.machine_now() + timedelta(hours=hours) if row.old_secret else None
    row.secret, row.secret_made_at = tokens.digest(text), tokens.machine_now()
    row.save(update_fields=["secret", "secret_made_at", "old_secret", "old_secret_until"])
    act.log(row.ref, hours=hours)
    return Made(row, text)


# Signing in to an application -----------------------------------------------------------------------------------------


@action("applications.consent")
def consent(act: Act, *, application_id: int, scopes: list[str]) -> residents.Consent:
    """Agree that an application learns named things of oneself (同意应用获知信息), for a year or until it is taken back."""
    row = act.lock(DepartmentApplication, pk=application_id)
    act.check(policies.sign_on, row)
    said = declared.by_id(row.current_id)
    return residents.give_consent(
        act,
        subject=act.actor.principal,
        source=str(row.ref),
        fields=scopes,
        purpose=said.purpose,
        case=str(row.ref),
        channel="portal",
        until=date.fromordinal(today().toordinal() + 364),
    )


@dataclass(frozen=True)
class Code:
    """What a code stands for."""

    application_id: int
    who: people.Who
    redirect_uri: str
    challenge: str
    nonce: str
    scopes: tuple[str, ...]

    def content(self) -> list:
        """As the code carries it."""
        who = self.who
        return [
            self.application_id,
            str(who.ref),
            who.session,
            who.level,
            who.proved_at,
            who.means,
            who.post,
            who.principal,
            self.redirect_uri,
            self.challenge,
            self.nonce,
            " ".join(self.scopes),
        ]

    @classmethod
    def of(cls, content: list) -> "Code":
        """From what a code carries."""
        application, ref, session, level, proved_at, means, post, principal, uri, challenge, nonce, scopes = (
            content
        )
        who = people.Who(Ref.parse(ref), session, level, proved_at, means, post, principal)
        return cls(application, who, uri, challenge, nonce, tuple(scopes.split()))


@action("applications.sign_on")
def sign_on(
    act: Act, *, code: Code, digest: str, application: DepartmentApplication, late: bool = False
) -> SignOn | None:
    """Redeem a code (登录应用): the sign-in begins here. None for a code that was redeemed before: what came of it the first
    time ends then, for somebody else may hold it (RFC 6749 §4.1.2). None as well for one whose time is over (``late``).
    """
    act.check(policies.sign_on, application)
    who = code.who
    if late:
        return _replayed(act, digest, application)
    row = SignOn(
        application_id=code.application_id,
        session=who.session,
        post=who.post,
        principal=who.principal,
        code=digest,
        scopes=" ".join(code.scopes),
        level=who.level,
        means=who.means,
        proved_at=people.moment(who.proved_at),
        at=tokens.machine_now(),
    )
    if who.staff:
        row.account_id = int(who.ref.id)
    else:
        row.resident_id = int(who.ref.id)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return _replayed(act, digest, application)
    act.log(row.ref, application=str(application.ref), scopes=row.names, level=row.level)
    return row


def _replayed(act: Act, digest: str, application: DepartmentApplication) -> None:
    first = SignOn.objects.select_for_update().filter(code=digest).first()
    if first is not None:
        _end(act, SignOn.objects.filter(pk=first.pk, ended_at=None), "replayed")
    act.log(first.ref if first else application.ref, application=str(application.ref), refused="code")


@action("applications.refresh")
def refresh(act: Act, *, sign_on_id: int, generation: int) -> SignOn | None:
    """Take the next generation of tokens (续期). None where the sign-in is over, or the token was used before: then the
    sign-in ends, for two hold it (RFC 9700 §4.14.2).
    """
    row = SignOn.objects.select_for_update().filter(pk=sign_on_id).first()
    act.check(policies.use_tokens, row)
    if row is None or not people.holds(row):
        act.log(Ref("sign_on", str(sign_on_id)), refused="over")
        return None
    if row.generation != generation:
        _end(act, SignOn.objects.filter(pk=row.pk, ended_at=None), "replayed")
        act.log(row.ref, replayed=True)
        return None
    row.generation += 1
    row.save(update_fields=["generation"])
    act.log(row.ref, generation=row.generation)
    return row


@action("applications.revoke")
def revoke(act: Act, *, sign_on_id: int) -> None:
    """An application gives its tokens back (RFC 7009): the sign-in to it ends; that here goes on."""
    row = act.lock(SignOn, pk=sign_on_id)
    act.check(policies.use_tokens, row)
    if row.ended_at is None:
        row.ended_at, row.end_reason = tokens.machine_now(), "revoked"
        row.save(update_fields=["ended_at", "end_reason"])
    act.log(row.ref, revoked=True)


@action("applications.use_assertion")
def use_assertion(act: Act, *, number: str, until: datetime) -> bool:
    """Note that a client assertion was used (RFC 7523 §3); False where it was before."""
    act.check(policies.use_tokens)
    mark = tokens.digest(f"{act.actor.ref} {number}")
    try:
        with transaction.atomic():
            UsedAssertion.objects.create(digest=mark, expires_at=until)
    except IntegrityError:
        act.log(act.actor.ref, assertion="replayed")
        return False
    act.log(act.actor.ref, assertion=mark)
    return True


# Ending ---------------------------------------------------------------------------------------------------------------


def _end(act: Act, rows, reason: str) -> int:
    """End sign-ins and owe their applications the notice; returns how many."""
    found = list(rows.select_for_update(of=("self",)).select_related("application"))
    moment = tokens.machine_now()
    SignOn.objects.filter(pk__in=[row.pk for row in found]).update(ended_at=moment, end_reason=reason)
    told: dict = {}
    for row in found:
        # One notice ends all that an application has of a session.
        key = (row.application_id, row.who, row.session)
        current = row.application.current_id
        if current and declared.by_id(current).backchannel_uri:
            told.setdefault(key, Notice(sign_on=row, owed_at=moment))
    Notice.objects.bulk_create(told.values(), ignore_conflicts=True)
    return len(found)


@action("applications.end_sessions")
def end_sessions(act: Act, *, who: Ref, sessions: Iterable[int]) -> int:
    """End what hangs on sessions that are over (随登录结束)."""
    act.check(policies.maintain)
    ended = _end(act, _of(who).filter(session__in=list(sessions), ended_at=None), "session")
    act.log(who, sign_ons=ended)
    return ended


@action("applications.end_consented")
def end_consented(act: Act, *, application_id: int, subject: Ref) -> int:
    """End the sign-ins to an application of who took the consent back (撤回同意)."""
    act.check(policies.maintain)
    rows = SignOn.objects.filter(application=application_id, principal=str(subject), ended_at=None)
    ended = _end(act, rows, "consent")
    act.log(Ref("department_application", str(application_id)), sign_ons=ended)
    return ended


def _of(who: Ref):
    column = "account" if who.kind == "account" else "resident"
    return SignOn.objects.filter(**{column: int(who.id)})


@action("applications.end_own")
def end_own(act: Act, *, application_id: int) -> int:
    """End one's own sign-ins to an application (结束应用登录). Raises NotThere when there is none."""
    act.check(policies.own_sign_on)
    rows = SignOn.objects.filter(application=application_id, resident=act.actor.account_id, ended_at=None)
    ended = _end(act, rows, "own")
    if not ended:
        raise NotThere("没有找到在这个应用的登录，它可能已经结束。")
    act.log(Ref("department_application", str(application_id)), sign_ons=ended)
    return ended


@action("applications.told")
def told(act: Act, *, sign_on_id: int) -> None:
    """Note that an application was told of the end of a sign-in (已通知退出)."""
    act.check(policies.maintain)
    Notice.objects.filter(sign_on=sign_on_id).update(told_at=tokens.machine_now(), try_at=None)
    act.log(Ref("sign_on", str(sign_on_id)), told=True)


# Health ---------------------------------------------------------------------------------------------------------------


@action("applications.note_health")
def note_health(act: Act, *, application_id: int, up: bool, note: str) -> DepartmentApplication:
    """Note that an application began or ceased to answer (健康检查)."""
    act.check(policies.maintain)
    row = act.lock(DepartmentApplication, pk=application_id)
    row.health = row.UP if up else row.DOWN
    row.health_note, row.health_since, row.checked_at = note[:120], tokens.machine_now(), tokens.machine_now()
    row.save(update_fields=["health", "health_note", "health_since", "checked_at"])
    act.log(row.ref, health=row.health, note=note[:120])
    return row
