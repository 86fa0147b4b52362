"""Accounts that are locked for too many wrong passwords or codes (django-axes)."""

import functools
from collections.abc import Callable
from datetime import datetime

from allauth.account.stages import LoginStageController
from allauth.mfa.stages import AuthenticateStage
from axes.models import AccessAttempt
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now as machine_now  # noqa: TID251 - lock-out runs on the machine's clock

from liangzhu.beams.people.access.backends import plain_username
from liangzhu.kernel import limits
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.now import SHANGHAI
from liangzhu.kernel.web import problem_response


class Locked(Problem):
    """Too many wrong passwords or codes."""

    code, title, status = "locked", "账号已锁定", 429


def locks(usernames: list[str]) -> dict[str, datetime]:
    """{user name: when its lock ends, by the machine's clock} of those that are locked; one query."""
    since = machine_now() - settings.AXES_COOLOFF_TIME
    failures: dict[str, int] = {}
    last: dict[str, datetime] = {}
    for row in AccessAttempt.objects.filter(username__in=usernames, attempt_time__gte=since):
        failures[row.username] = failures.get(row.username, 0) + row.failures_since_start
        last[row.username] = max(row.attempt_time, last.get(row.username, row.attempt_time))
    locked = {name for name, count in failures.items() if count >= settings.AXES_FAILURE_LIMIT}
    return {name: last[name] + settings.AXES_COOLOFF_TIME for name in locked}


def answer(
    request: HttpRequest, original: HttpResponse | None = None, credentials: dict | None = None
) -> HttpResponse:
    """The answer to somebody whose account is locked: until when, and what to do."""
    name = plain_username((credentials or {}).get("username", ""))
    until = locks([name]).get(name, machine_now() + settings.AXES_COOLOFF_TIME).astimezone(SHANGHAI)
    times = settings.AXES_FAILURE_LIMIT
    return problem_response(
        request,
        Locked(
            f"已连续 {times} 次输错密码或验证码，这个用户名锁定到"
            f" {until.month}月{until.day}日 {until:%H:%M}（北京时间）。",
            todo="请到时再试；急用请联系系统管理员解锁。如果不是您本人在输，请告诉系统管理员。",
        ),
    )


def not_too_often(view: Callable) -> Callable:
    """Refuse sign-ins that come too fast from one address; counted for all processes together."""

    @functools.wraps(view)
    def run(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if request.method == "POST":
            limits.take(limits.Rate("sign_in", settings.LIANGZHU_SIGN_IN_RATE), limits.address_key(request))
        return view(request, *args, **kwargs)

    return run


def unless_locked(view: Callable) -> Callable:
    """Refuse one-time and recovery codes of a locked account; allauth itself asks for the lock at passwords only."""

    @functools.wraps(view)
    def run(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        account = request.user
        if request.method == "POST" and not account.is_authenticated:
            stage = LoginStageController.enter(request, AuthenticateStage.key)
            account = stage.login.user if stage else None
        if request.method == "POST" and account is not None and locks([account.username]):
            return answer(request, credentials={"username": account.username})
        return view(request, *args, **kwargs)

    return run
