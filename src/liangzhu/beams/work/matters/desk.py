"""Changes that a post makes to its own desk: views, the address of its calendar, how it wants to be told."""

import hashlib
import secrets

from liangzhu.beams.work.matters import policies, queries
from liangzhu.beams.work.matters.models import Desk, Notice, NoticeRule, View
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.errors import Invalid, NotThere
from liangzhu.kernel.now import now

MOST_VIEWS = 30
"""Views of one post: they are tabs, not an archive."""


def desk_of(act: Act) -> Desk:
    """The desk of the post acted under, locked; it is made when first something is changed in it."""
    Desk.objects.get_or_create(post_id=act.actor.post_id)
    return act.lock(Desk, post=act.actor.post_id)


# Views ------------------------------------------------------------------------------------------------------


@action("matters.save_view")
def save_view(
    act: Act,
    *,
    name: str,
    scope: str,
    filters: queries.Filters,
    closed: bool = False,
    newest: bool = False,
    columns: tuple[str, ...] = (),
    shared: bool = False,
    first: bool = False,
) -> View:
    """Keep a view under a name; the post's own view of that name is replaced. ``first`` makes it the default view.

    Raises Invalid.
    """
    act.check(policies.keep_views)
    name = name.strip()
    if not name:
        raise Invalid({"name": "请给视图起个名字。"})
    if len(name) > View._meta.get_field("name").max_length:
        raise Invalid({"name": "名称最多 20 个字。"})
    if shared:
        act.check(policies.share_views)
    own = View.objects.filter(post=act.actor.post_id)
    row = own.filter(name=name).first() or View(post_id=act.actor.post_id, name=name)
    if row.pk is None and own.count() >= MOST_VIEWS:
        raise Invalid({"name": f"每个岗位最多 {MOST_VIEWS} 个视图，请先删去不用的。"})
    row.unit_id, row.shared = act.actor.unit_id, shared
    row.scope, row.closed, row.newest, row.columns = scope, closed, newest, ",".join(columns)
    row.kind, row.state, row.light, row.held_by_id = filters.kind, filters.state, filters.light, filters.unit
    row.urgency, row.opened_from, row.opened_to = filters.urgency, filters.opened_from, filters.opened_to
    row.applicant, row.text = filters.applicant, filters.text
    row.save()
    if first:
        desk = desk_of(act)
        desk.default_view = row
        desk.save(update_fields=["default_view"])
    act.log(row.ref, shared=shared, first=first)
    return row


@action("matters.drop_view")
def drop_view(act: Act, *, view_id: int) -> View:
    """Delete a view of one's own. Raises Denied, NotThere."""
    row = queries.view(act.actor, view_id)
    act.check(policies.keep_views, row)
    act.log(row.ref, dropped=True)
    row.delete()
    return row


@action("matters.open_with")
def open_with(act: Act, *, view_id: int | None) -> Desk:
    """Choose the view that opens when the post enters its inbox; None: the usual inbox. Raises NotThere."""
    act.check(policies.keep_views)
    row = None if view_id is None else queries.view(act.actor, view_id)
    desk = desk_of(act)
    desk.default_view = row
    desk.save(update_fields=["default_view"])
    act.log(desk.ref, default_view=view_id)
    return desk


# The calendar of limits -------------------------------------------------------------------------------------


def digest(token: str) -> str:
    """What is kept of the secret in a calendar's address. It has 256 bits, so a plain digest cannot be reversed."""
    return hashlib.sha256(token.encode()).hexdigest()


@action("matters.renew_feed")
def renew_feed(act: Act) -> tuple[Desk, str]:
    """Give the post a new secret address for its calendar; the one before ends. Returns the secret, which is shown once."""
    act.check(policies.keep_feed)
    desk, token = desk_of(act), secrets.token_urlsafe(32)
    desk.token, desk.token_at = digest(token), now()
    desk.save(update_fields=["token", "token_at"])
    act.log(desk.ref, feed="renewed")
    return desk, token


@action("matters.withdraw_feed")
def withdraw_feed(act: Act) -> Desk:
    """End the address of the post's calendar."""
    act.check(policies.keep_feed)
    desk = desk_of(act)
    if not desk.token:
        raise NotThere("这个岗位没有日历订阅地址。")
    desk.token, desk.token_at = "", None
    desk.save(update_fields=["token", "token_at"])
    act.log(desk.ref, feed="withdrawn")
    return desk


# Notices ----------------------------------------------------------------------------------------------------

CHOOSABLE = (Notice.INFO, Notice.REMIND)
"""Levels that a post may hold back. What urges, and what is overdue, comes at once: that is what it is for."""


@action("matters.choose_notices")
def choose_notices(act: Act, *, ways: dict[tuple[str, str], str], quiet: bool) -> Desk:
    """Say how the post wants to hear of notices: {(level, kind or ""): now, digest or none}. Raises Invalid."""
    act.check(policies.own_notices)
    for (level, _), way in ways.items():
        if level not in CHOOSABLE or way not in dict(NoticeRule.WAYS):
            raise Invalid({"ways": "催办和超期提醒不能推迟或关闭。"})
        if level == Notice.REMIND and way == NoticeRule.NONE:
            raise Invalid({"ways": "临期提醒可以汇总，不能关闭。"})
    desk = desk_of(act)
    NoticeRule.objects.filter(post=act.actor.post_id).delete()
    NoticeRule.objects.bulk_create(
        NoticeRule(post_id=act.actor.post_id, level=level, kind=kind, way=way)
        for (level, kind), way in ways.items()
        if way != NoticeRule.NOW or kind
    )
    desk.quiet = quiet
    desk.save(update_fields=["quiet"])
    act.log(desk.ref, rules=len(ways), quiet=quiet)
    return desk
