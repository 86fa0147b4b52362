"""The page of a locked account (django-axes)."""

from datetime import datetime

from axes.models import AccessAttempt
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now as machine_now  # noqa: TID251 - lock-out runs on the machine's clock

from liangzhu.beams.people.access.backends import plain_username
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.now import SHANGHAI
from liangzhu.kernel.web import problem_response


class Locked(Problem):
    """Too many wrong passwords or codes."""

    code, title, status = "locked", "账号已锁定", 429


def locked_until(username: str) -> datetime | None:
    """When the lock of a user name ends (machine's clock), None when it is not locked."""
    since = machine_now() - settings.AXES_COOLOFF_TIME
    rows = AccessAttempt.objects.filter(username=plain_username(username), attempt_time__gte=since)
    last = max((row.attempt_time for row in rows), default=None)
    if last is None or sum(row.failures_since_start for row in rows) < settings.AXES_FAILURE_LIMIT:
        return None
    return last + settings.AXES_COOLOFF_TIME


def answer(
    request: HttpRequest, original: HttpResponse | None = None, credentials: dict | None = None
) -> HttpResponse:
    """The answer to somebody whose account is locked: until when, and what to do."""
    until = (
        locked_until((credentials or {}).get("username", "")) or machine_now() + settings.AXES_COOLOFF_TIME
    )
    local = until.astimezone(SHANGHAI)
    times = settings.AXES_FAILURE_LIMIT
    return problem_response(
        request,
        Locked(
            f"连续 {times} 次输错密码或验证码，这个用户名锁定到 {local.month}月{local.day}日 {local:%H:%M}（北京时间）。",
            todo="请到时再试；急用请联系系统管理员解锁。如果不是您本人在输，请告诉系统管理员。",
        ),
    )
