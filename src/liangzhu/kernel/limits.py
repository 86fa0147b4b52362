"""Rates: so many requests in so many seconds, for a token or an address, counted for all processes together.

A token bucket stands in the database. A process takes a handful from it at once and spends that from memory, so that
counting costs one small write in many requests; the rate is never exceeded by more than one handful for each process.
"""

import math
import threading
import time
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils.timezone import now as machine_now  # noqa: TID251 - rates run on the machine's clock

from liangzhu.kernel.crypto import hmac_sm3
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.models import Bucket
from liangzhu.kernel.worker import periodic

SHARE = 50
"""A handful is this part of the rate."""

HELD = 10
"""Seconds for which a handful is good."""


@dataclass(frozen=True)
class Rate:
    """At most ``count`` in ``seconds``, all at once or spread; 0 is no limit."""

    name: str
    count: int
    seconds: int = 60

    @property
    def policy(self) -> str:
        """The header ``RateLimit-Policy`` (draft-ietf-httpapi-ratelimit-headers)."""
        return f'"{self.name}";q={self.count};w={self.seconds}'


@dataclass
class Left:
    """What a process holds of a bucket: its own handful, and what it saw beyond it."""

    mine: int
    beyond: int
    until: float


class TooMany(Problem):
    """More requests than the rate allows."""

    code, title, status = "too_many_requests", "请求太频繁", 429

    def __init__(self, rate: Rate, wait: int):
        super().__init__(
            f"每 {rate.seconds} 秒最多 {rate.count} 次，已经用完。",
            todo=f"请在 {wait} 秒后重试，并放慢速度。",
        )
        self.headers = {"Retry-After": str(wait)} | headers(rate, 0)


_held: dict[str, Left] = {}
_lock = threading.Lock()


def headers(rate: Rate, left: int) -> dict[str, str]:
    """What a client is told of a rate."""
    full = math.ceil((rate.count - left) * rate.seconds / rate.count)
    return {"RateLimit-Policy": rate.policy, "RateLimit": f'"{rate.name}";r={left};t={full}'}


def take(rate: Rate, of: str) -> int:
    """Use one of a rate for ``of``; returns about how many are left. Raises TooMany, which says how long to wait."""
    if not rate.count:
        return 0
    key = f"{rate.name}:{of}"
    with _lock:
        held = _held.get(key)
        if held and held.until > time.monotonic():
            if held.mine > 0:
                held.mine -= 1
                return held.mine + held.beyond
            if held.mine < 0:
                raise TooMany(rate, math.ceil(held.until - time.monotonic()))
    granted, level = _draw(rate, key)
    with _lock:
        if len(_held) > 10_000:
            _held.clear()
        if granted:
            _held[key] = Left(granted - 1, level, time.monotonic() + HELD)
            return granted - 1 + level
        wait = math.ceil((1 - level) * rate.seconds / rate.count)
        # Until then nobody of this process need ask the database again.
        _held[key] = Left(-1, 0, time.monotonic() + min(wait, HELD))
    raise TooMany(rate, wait)


def _draw(rate: Rate, key: str) -> tuple[int, float]:
    """Take a handful from the bucket: how many, and the level after it."""
    with transaction.atomic():
        moment = machine_now()
        Bucket.objects.bulk_create([Bucket(key=key, level=rate.count, at=moment)], ignore_conflicts=True)
        row = Bucket.objects.select_for_update().get(key=key)
        passed = max((moment - row.at).total_seconds(), 0)
        level = min(rate.count, row.level + passed * rate.count / rate.seconds)
        granted = min(max(rate.count // SHARE, 1), int(level))
        row.level, row.at = level - granted, moment
        row.save(update_fields=["level", "at"])
    return granted, int(row.level) if granted else row.level


def forget() -> None:
    """Drop what this process holds."""
    with _lock:
        _held.clear()


def client_address(request: HttpRequest) -> str:
    """Where a request comes from. ``X-Forwarded-For`` is believed as far as proxies of ours wrote it."""
    if settings.LIANGZHU_PROXIES:
        passed = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(passed) >= settings.LIANGZHU_PROXIES:
            return passed[-settings.LIANGZHU_PROXIES].strip()
    return request.META.get("REMOTE_ADDR", "")


def address_key(request: HttpRequest) -> str:
    """An address as it is counted: a keyed digest, so that the table tells nobody who was here."""
    return hmac_sm3(settings.SECRET_KEY.encode(), b"address:" + client_address(request).encode()).hex()[:32]


@periodic("kernel.sweep_buckets", minutes=60)
def sweep_buckets() -> None:
    """Delete buckets that have long been full again."""
    Bucket.objects.filter(at__lt=machine_now() - timedelta(days=1)).delete()
