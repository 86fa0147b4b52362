"""The same request sent twice is done once (draft-ietf-httpapi-idempotency-key-header).

Where an action claims a form's key (`once`) and answers the second sending with AlreadyDone, a program gets the very
answer of the first one. The answer commits with the change: after a crash either both are there, or neither.
"""

import json
import re
import threading
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now as machine_now  # noqa: TID251 - keys end by the machine's clock

from liangzhu.kernel import rows
from liangzhu.kernel.crypto import hmac_sm3, seal, sm3_hex, unseal
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.models import Replay
from liangzhu.kernel.worker import periodic

KEPT = ("Content-Type", "ETag", "Location")
"""Headers that belong to an answer."""

_FORM = re.compile(r'"?([\x21\x23-\x5b\x5d-\x7e]{8,200})"?')


class BadKey(Problem):
    """An idempotency key that cannot be one."""

    code, title, status = "idempotency_key", "幂等键无法识别", 400
    todo = "请用 8—200 个可见 ASCII 字符，例如一个 UUID；每件事用一个新的。"


class KeyReused(Problem):
    """The key came before, with another request."""

    code, title, status = "idempotency_key_reused", "幂等键已用于另一请求", 422
    todo = "每件事请用一个新的 Idempotency-Key；重试时原样发送同一请求。"


class UnderWay(Problem):
    """The first request with this key is still being worked on."""

    code, title, status = "idempotency_under_way", "同一请求正在办理", 409
    todo = "请稍后原样重试，届时返回第一次的结果。"
    headers = {"Retry-After": "1"}


_under_way: set[str] = set()
_lock = threading.Lock()


def once(request: HttpRequest, run: Callable[[], HttpResponse]) -> HttpResponse:
    """Run a request, or give the answer that it got before. Without the header ``Idempotency-Key`` it just runs.

    Only what succeeded is kept: a request that was refused changed nothing and may be sent again, corrected if need be.
    Raises BadKey, KeyReused, UnderWay.
    """
    header = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if header is None:
        return run()
    found = _FORM.fullmatch(header.strip())
    if not found:
        raise BadKey("Idempotency-Key 应为 8—200 个可见字符。")
    actor = request.actor
    secret = settings.SECRET_KEY.encode()
    name = f"{actor.ref}|{getattr(actor, 'post_id', '')}|{found[1]}".encode()
    mark = hmac_sm3(secret, b"replay:" + name).hex()
    key = hmac_sm3(secret, b"answer:" + name)[:16]
    print_ = _fingerprint(request)
    with _lock:
        if mark in _under_way:
            raise UnderWay("第一次的请求还没有办完。")
        _under_way.add(mark)
    try:
        with transaction.atomic():
            _claim(mark)
            row = rows.get(Replay, mark)
            if row is not None and row.ends_at <= machine_now():
                row.delete()
            elif row is not None:
                if row.fingerprint != print_:
                    raise KeyReused("这个 Idempotency-Key 先前随另一请求用过。")
                return _again(row, key)
            response = run()
            if response.status_code < 300:
                _keep(mark, print_, response, key)
            else:
                transaction.set_rollback(True)
        return response
    finally:
        with _lock:
            _under_way.discard(mark)


def _claim(mark: str) -> None:
    """Hold the key against other processes until the transaction ends. SQLite's one writer has done so already."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_try_advisory_xact_lock(%s)",
                [int.from_bytes(bytes.fromhex(mark[:16]), signed=True)],
            )
            if not cursor.fetchone()[0]:
                raise UnderWay("第一次的请求还没有办完。")


def _fingerprint(request: HttpRequest) -> str:
    """What makes two requests the same: method, address and content; of files the content, not how it was wrapped."""
    if request.content_type == "multipart/form-data":
        parts = [f"{name}={values}" for name, values in sorted(request.POST.lists())]
        for name, files in sorted(request.FILES.lists()):
            for file in files:
                parts.append(f"{name}:{file.name}:{sm3_hex(file.read())}")
                file.seek(0)
        content = "\n".join(parts).encode()
    else:
        content = request.body
    return sm3_hex(f"{request.method} {request.get_full_path()}\n".encode() + content)


def _keep(mark: str, print_: str, response: HttpResponse, key: bytes) -> None:
    headers = {name: response.headers[name] for name in KEPT if name in response.headers}
    plain = json.dumps(headers).encode() + b"\n" + response.content
    rows.insert(
        Replay(
            key=mark,
            fingerprint=print_,
            status=response.status_code,
            answer=seal(key, plain, mark.encode()),
            ends_at=machine_now() + timedelta(hours=settings.LIANGZHU_IDEMPOTENCY_HOURS),
        )
    )


def _again(row: Replay, key: bytes) -> HttpResponse:
    headers, _, body = unseal(key, bytes(row.answer), row.key.encode()).partition(b"\n")
    response = HttpResponse(body, status=row.status)
    for name, value in json.loads(headers).items():
        response.headers[name] = value
    response.headers["Idempotent-Replayed"] = "true"
    return response


@periodic("kernel.sweep_replays", minutes=60)
def sweep_replays() -> None:
    """Delete answers whose time is over."""
    Replay.objects.filter(ends_at__lt=machine_now()).delete()
