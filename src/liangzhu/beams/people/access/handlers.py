"""What the sign-in libraries tell us, written to the log; and the sweeping of sessions that ran out."""

from importlib import import_module

from allauth.account.signals import password_changed, user_logged_in
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
)
from allauth.usersessions.models import UserSession
from axes.signals import user_locked_out
from django.conf import settings
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from liangzhu.beams.people.access import actions
from liangzhu.beams.people.access.models import Account
from liangzhu.kernel.actors import ANONYMOUS, SYSTEM, Actor
from liangzhu.kernel.worker import periodic


def _owner(request: HttpRequest, account: Account) -> Actor:
    """The owner of an account as actor, before a post is known."""
    return Actor(ref=account.ref, label=account.username, request_id=getattr(request, "request_id", ""))


def _nobody(request: HttpRequest) -> Actor:
    return Actor(ref=ANONYMOUS.ref, label=ANONYMOUS.label, request_id=getattr(request, "request_id", ""))


@receiver(user_logged_in, dispatch_uid="access.signed_in")
def on_signed_in(sender: type, request: HttpRequest, user: Account, **kwargs) -> None:
    """A sign-in was completed, second factor and all."""
    records = request.session.get("account_authentication_methods", [])
    methods = [record.get("type", record["method"]) for record in records]
    actions.signed_in(_owner(request, user), account_id=user.pk, methods=methods)


@receiver(user_logged_out, dispatch_uid="access.signed_out")
def on_signed_out(sender: type, request: HttpRequest, user: Account | None, **kwargs) -> None:
    """Somebody signed out."""
    if user is not None:
        key = request.session.session_key or ""
        actions.signed_out(_owner(request, user), account_id=user.pk, key=key)


@receiver(user_login_failed, dispatch_uid="access.sign_in_failed")
def on_sign_in_failed(
    sender: object, credentials: dict, request: HttpRequest | None = None, **kwargs
) -> None:
    """A name, password or code was wrong, or the name is locked."""
    if request is not None:
        actions.sign_in_failed(
            _nobody(request),
            username=credentials.get("username", ""),
            means=credentials.get("means", "password"),
        )


@receiver(user_locked_out, dispatch_uid="access.locked_out")
def on_locked_out(sender: object, request: HttpRequest, username: str, **kwargs) -> None:
    """A name has just been locked; tries while it is locked are told by `on_sign_in_failed` alone."""
    if request.axes_failures_since_start == settings.AXES_FAILURE_LIMIT:
        actions.locked_out(_nobody(request), username=username or "")


@receiver(authentication_failed, dispatch_uid="access.code_failed")
def on_code_failed(sender: type, request: HttpRequest, user: Account, authenticator, **kwargs) -> None:
    """A one-time or recovery code was wrong: it counts towards the lock like a password."""
    user_login_failed.send(
        sender=sender,
        credentials={"username": user.username, "means": authenticator.type},
        request=request,
    )


def _changed(request: HttpRequest, user: Account, kind: str, change: str) -> None:
    actions.second_factor_changed(_owner(request, user), account_id=user.pk, kind=kind, change=change)


@receiver(authenticator_added, dispatch_uid="access.factor_added")
def on_factor_added(sender: type, request: HttpRequest, user: Account, authenticator, **kwargs) -> None:
    """A second factor was added."""
    _changed(request, user, authenticator.type, "added")


@receiver(authenticator_removed, dispatch_uid="access.factor_removed")
def on_factor_removed(sender: type, request: HttpRequest, user: Account, authenticator, **kwargs) -> None:
    """A second factor was removed."""
    _changed(request, user, authenticator.type, "removed")


@receiver(authenticator_reset, dispatch_uid="access.factor_reset")
def on_factor_reset(sender: type, request: HttpRequest, user: Account, authenticator, **kwargs) -> None:
    """The recovery codes were made anew."""
    _changed(request, user, authenticator.type, "replaced")


@receiver(password_changed, dispatch_uid="access.password_changed")
def on_password_changed(sender: type, request: HttpRequest, user: Account, **kwargs) -> None:
    """The owner chose another password."""
    actions.password_changed(
        _owner(request, user), account_id=user.pk, keep=request.session.session_key or ""
    )


@periodic("access.sweep_sessions", minutes=24 * 60)
def sweep_sessions() -> None:
    """Delete sessions that ran out, and what is remembered of them."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    if over := [row.pk for row in UserSession.objects.iterator() if not row.exists()]:
        actions.sweep_sessions(SYSTEM, session_ids=over)
