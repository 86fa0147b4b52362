"""Releases: things that are data (processes, forms, rules) change by draft and second person, never in place."""

import difflib

from django.db import connection

from liangzhu.kernel import policies
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Denied, NotThere, StepNotAllowed
from liangzhu.kernel.log import sm3
from liangzhu.kernel.models import Release
from liangzhu.kernel.now import now, today
from liangzhu.kernel.once import forget, once, steady


def in_force(kind: str, key: str) -> Release:
    """The release in force. Raises NotThere."""
    release = steady(
        ("release", kind, key),
        lambda: Release.objects.filter(kind=kind, key=key, state=Release.IN_FORCE).first(),
    )
    if release is None:
        raise NotThere(f"{kind} {key} 没有生效的版本。", todo="请运行 liangzhu up 或在管理页面发布一个版本。")
    return release


def any_in_force(kind: str) -> bool:
    """Whether anything of a kind is in force: without, a page that lists the kind would be empty."""
    return kind in once("kinds in force", _kinds_in_force)


def _kinds_in_force() -> frozenset[str]:
    return frozenset(
        Release.objects.filter(state=Release.IN_FORCE).order_by().values_list("kind", flat=True).distinct()
    )


def seed(kind: str, key: str, body: str, origin: str = "") -> Release:
    """Make sure that a file's content is known: release 1 in force, or a draft for the second person when it changed."""
    fingerprint = sm3(body.encode())
    known = Release.objects.filter(kind=kind, key=key, fingerprint=fingerprint).order_by("-number").first()
    if known is not None:
        return known
    return draft(SYSTEM, kind=kind, key=key, body=body, origin=origin)


@action("kernel.draft_release")
def draft(act: Act, *, kind: str, key: str, body: str, origin: str = "") -> Release:
    """Add a release as a draft; the very first one of a key comes into force at once (nothing runs under it yet)."""
    act.check(policies.release)
    last = Release.objects.select_for_update().filter(kind=kind, key=key).order_by("-number").first()
    first = last is None
    release = Release.objects.create(
        kind=kind,
        key=key,
        number=1 if first else last.number + 1,
        body=body,
        fingerprint=sm3(body.encode()),
        state=Release.IN_FORCE if first else Release.DRAFT,
        origin=origin,
        drafted_by=str(act.actor.ref),
        drafted_at=now(),
        released_by=str(act.actor.ref) if first else "",
        released_at=now() if first else None,
    )
    forget()
    act.log(release.ref, kind=kind, key=key, number=release.number, fingerprint=release.fingerprint)
    return release


@action("kernel.release")
def release(act: Act, *, release_id: int, accept: bool = True) -> Release:
    """Put a draft in force, or refuse it. The person who drafted it cannot release it (四眼原则)."""
    row = act.lock(Release, pk=release_id)
    act.check(policies.release, row)
    if row.state != Release.DRAFT:
        raise StepNotAllowed(f"第 {row.number} 版已是“{row.get_state_display()}”，不能再审核。")
    if row.drafted_by == str(act.actor.ref):
        raise Denied("起草人不能审核自己起草的版本。", todo="请另一位系统管理员审核发布。")
    if accept:
        Release.objects.filter(kind=row.kind, key=row.key, state=Release.IN_FORCE).update(
            state=Release.SUPERSEDED
        )
    row.state = Release.IN_FORCE if accept else Release.REFUSED
    row.released_by, row.released_at = str(act.actor.ref), now()
    row.save(update_fields=["state", "released_by", "released_at"])
    forget()
    act.log(row.ref, number=row.number, state=row.state)
    return row


@action("kernel.withdraw_release")
def withdraw(act: Act, *, release_id: int) -> Release:
    """Take back a draft of one's own (撤回草稿), so that another can be drafted. Raises Denied, NotThere, StepNotAllowed."""
    row = act.lock(Release, pk=release_id)
    act.check(policies.release, row)
    if row.state != Release.DRAFT:
        raise StepNotAllowed(f"第 {row.number} 版已是“{row.get_state_display()}”，不能撤回。")
    if row.drafted_by != str(act.actor.ref):
        raise Denied("只能撤回自己起草的版本。", todo="请审核这个版本，或请起草人撤回。")
    row.state = Release.WITHDRAWN
    row.save(update_fields=["state"])
    act.log(row.ref, number=row.number, state=row.state)
    return row


def difference(old: str, new: str) -> list[tuple[str, str]]:
    """The difference of two bodies as (sign, line); sign is "+", "-" or " "."""
    lines = difflib.ndiff(old.splitlines(), new.splitlines())
    return [(line[0], line[2:]) for line in lines if line[0] in "+- "]


def next_number(name: str, year: int | None = None) -> int:
    """The next number of a series within the caller's transaction; gaps stay gaps, nothing is given twice."""
    with connection.cursor() as cursor:
        # One statement that also locks the row; both databases know it.
        cursor.execute(_NEXT, [name, year or today().year])
        return cursor.fetchone()[0]


_NEXT = (
    "INSERT INTO kernel_series (name, year, last) VALUES (%s, %s, 1)"
    " ON CONFLICT (name, year) DO UPDATE SET last = kernel_series.last + 1 RETURNING last"
)
