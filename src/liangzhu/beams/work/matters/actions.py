"""Every change that people or timers make to matters themselves. Apps that own a kind add their own on the
engine.
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import answers, engine, policies, process, queries, sights, timers
from liangzhu.beams.work.matters.change import begin, refuse_stale, reread
from liangzhu.beams.work.matters.models import Comment, Matter, Notice, Part
from liangzhu.beams.work.matters.notices import notify
from liangzhu.kernel import releases
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Conflict, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.models import Release
from liangzhu.kernel.now import now
from liangzhu.kernel.policies import get_policy
from liangzhu.kernel.refs import Ref

COMMENT_MAX = 2000
"""Characters of a remark."""


class OpenedElsewhere(StepNotAllowed):
    """Matters of this kind are not opened here; the detail says where they are."""

    code, title = "opened_elsewhere", "这种事项不在这里登记"
    todo = "请按所说的地方办理；可以直接登记的种类见“可登记的事项”。"


def open_new(
    actor: Actor,
    *,
    kind: str,
    title: str = "",
    data: dict[str, Any] | None = None,
    note: str = "",
    files: Iterable[int] = (),
    once: str = "",
) -> Matter:
    """Open a matter (登记事项) of a kind, through the kind's own action. Page and API share it.

    Raises Invalid (unknown kind, fields), OpenedElsewhere, Denied, and what the kind's action raises.
    """
    rule = queries.kind_to_open(actor, kind)
    if rule.opening is None:
        raise OpenedElsewhere(f"“{rule.title}”不能直接登记：{rule.elsewhere}。")
    opening = rule.opening
    get_policy(opening.policy).require(actor)
    title = title.strip()
    if not opening.titled and title:
        raise Invalid({"title": f"“{rule.title}”的标题由系统按所填内容拟定，不用给出。"})
    if opening.fields:
        data = answers.clean(opening.title, opening.fields, data, actor, None)
    return opening.run(
        actor, title=title, data=dict(data or {}), note=note.strip(), files=list(files), once=once
    )


def step(actor: Actor, *, matter_id: int, **kwargs) -> Matter:
    """Do a step (办理步骤) of a matter the actor sees, or of one of its parts: `do_step`, after what the system owes.

    Where a timer came due and no worker has run yet, the timer is first, as it would have been.
    """
    try:
        return do_step(actor, matter_id=matter_id, **kwargs)
    except engine.TimerOwed:
        timers.catch_up(matter_id)
    return do_step(actor, matter_id=matter_id, behind=True, **kwargs)


@action("matters.step")
def do_step(
    act: Act,
    *,
    matter_id: int,
    transition: str,
    version: int | None = None,
    data: dict[str, Any] | None = None,
    note: str = "",
    files: Iterable[int] = (),
    part_id: int | None = None,
    behind: bool = False,
) -> Matter:
    """Do a step (办理步骤). Raises what `engine.advance` raises, and NotThere."""
    matter = queries.matter_to_change(act, matter_id)
    part = queries.part(act.actor, matter, part_id) if part_id is not None else None
    engine.advance(
        act,
        matter,
        transition,
        data=data,
        note=note,
        files=files,
        version=version,
        part=part,
        behind=behind,
    )
    return matter


@action("matters.assign")
def assign(
    act: Act, *, matter_id: int, post_id: int | None, version: int | None = None, part_id: int | None = None
) -> Matter:
    """Give (分派) a matter that the unit holds, or a part of it, to one of the unit's posts; None takes it back.

    Raises Conflict, Denied, Invalid, NotThere, StepNotAllowed.
    """
    matter = queries.matter(act.actor, matter_id)
    part = queries.part(act.actor, matter, part_id) if part_id is not None else None
    give(act, matter, part, own_post(act.actor, post_id), version)
    return matter


def own_post(actor: Actor, post_id: int | None) -> directory.PostView | None:
    """A post of the actor's unit; None for None. Raises Invalid."""
    if post_id is None:
        return None
    post = next((one for one in directory.posts(actor.unit_id) if one.id == post_id), None)
    if post is None:
        raise Invalid({"post_id": "只能分派给本单位的岗位，请重新选择。"})
    return post


def give(
    act: Act, matter: Matter, part: Part | None, post: directory.PostView | None, version: int | None
) -> None:
    """Let a post do a matter or a part of it, and tell the post. Raises Conflict, Denied, StepNotAllowed."""
    with begin(act, matter) as change:
        if part is not None:
            reread(part, matter)
        refuse_stale(matter, part, version)
        row: Matter | Part = part or matter
        act.check(policies.assign, row)
        if not matter.is_open or not row.is_open:
            raise StepNotAllowed(f"事项 {matter.number} 已经办结，不用再分派。")
        row.assignee_id = post.id if post else None
        title = f"分派给{post.person_name or ''}（{post.title}）" if post else "收回分派"
        entry = change.finish("matters.assign", title, from_state=row.state, to_state=row.state, part=part)
    act.log(matter.ref, entry=entry.pk, part=part.pk if part else None, assignee=post.id if post else None)
    if post and post.id != act.actor.post_id:
        notify([post.id], key=f"assigned:{entry.pk}", title=f"分派给您：{matter.title}", matter=matter)


@action("matters.comment")
def comment(act: Act, *, matter_id: int, text: str) -> Comment:
    """Add a remark (批注) to a matter the actor sees; who it is assigned to hears of it. Raises Invalid, NotThere."""
    matter = queries.matter(act.actor, matter_id)
    act.check(policies.comment, matter)
    text = text.strip()
    if not text:
        raise Invalid({"text": "请写批注内容。"})
    if len(text) > COMMENT_MAX:
        raise Invalid({"text": f"批注最多 {COMMENT_MAX} 个字，现在有 {len(text)} 个。"})
    actor = act.actor
    row = Comment.objects.create(
        matter=matter,
        at=now(),
        actor_ref=str(actor.ref),
        actor_label=actor.label,
        unit_id=getattr(actor, "unit_id", None),
        text=text,
    )
    sights.remarked(matter, text)
    act.log(row.ref, matter=matter.pk)
    if matter.assignee_id and matter.assignee_id != getattr(actor, "post_id", None):
        notify(
            [matter.assignee_id],
            key=f"comment:{row.pk}",
            title=f"新批注：{matter.title}",
            text=text[:200],
            matter=matter,
        )
    return row


@action("matters.read_notices")
def read_notices(act: Act, *, notice_id: int | None = None) -> int:
    """Mark one notice of the own post as read (提醒已读), or all of them. Returns how many were new. Raises NotThere."""
    act.check(policies.own_notices)
    rows = Notice.objects.filter(post=act.actor.post_id)
    if notice_id is not None:
        rows = rows.filter(pk=notice_id)
        if not rows.exists():
            raise NotThere("没有找到这条提醒。")
    count = rows.filter(read_at=None).update(read_at=now())
    act.log(Ref("post", str(act.actor.post_id)), notice=notice_id, read=count)
    return count


def release_process(actor: Actor, *, release_id: int, accept: bool, once: str = "") -> Release:
    """Put a drafted process in force, or refuse it; the second person of `kernel.releases`. It is checked
    again first, because guards and roles may have changed since. Raises ProcessError, Denied, StepNotAllowed,
    NotThere.
    """
    row = Release.objects.filter(pk=release_id, kind=process.RELEASE_KIND).first()
    if row is None:
        raise NotThere("没有找到这个流程版本。")
    if not accept:
        return releases.release(actor, release_id=release_id, accept=False, once=once)
    with transaction.atomic():
        process.parse(row.body, row.origin or row.key)
        done = releases.release(actor, release_id=release_id, accept=True, once=once)
        process.pin(done)
    return done


def draft_process(actor: Actor, *, key: str, text: str, once: str = "") -> Release:
    """Draft another edition of a process, which a second person puts in force. An own draft that still waits is taken back.

    Raises ProcessError (file and line), Invalid (nothing changed, another key), Conflict (somebody else's draft waits),
    Denied, NotThere.
    """
    release, current = process.in_force(key)
    found = process.parse(text, f"{key}.toml")
    if (found.key, found.kind) != (current.key, current.kind):
        raise Invalid({"text": f"key 和 kind 不能改，应仍为 {current.key!r} 和 {current.kind!r}。"})
    if text == release.body:
        raise Invalid({"text": f"与生效的第 {release.number} 版相同，没有要审核的改动。"})
    with transaction.atomic():
        rows = Release.objects.filter(kind=process.RELEASE_KIND, key=key, state=Release.DRAFT)
        for waiting in rows.select_for_update():
            if waiting.drafted_by != str(actor.ref):
                raise Conflict(
                    f"第 {waiting.number} 版草稿还在等待审核，是别人起草的。",
                    todo="请先审核那一版，再起草新的。",
                )
            releases.withdraw(actor, release_id=waiting.pk)
        return releases.draft(actor, kind=process.RELEASE_KIND, key=key, body=text, once=once)
