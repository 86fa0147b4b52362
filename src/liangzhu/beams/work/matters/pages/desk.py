"""Batches, saved views, the calendar of limits, and how a post wants to be told."""

from datetime import datetime
from email.utils import format_datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_POST, require_safe

from liangzhu.beams.work.matters import bulk, desk, feed, policies, queries
from liangzhu.beams.work.matters.kinds import all_kinds
from liangzhu.beams.work.matters.models import Notice, NoticeRule
from liangzhu.beams.work.matters.pages.forms import AssignForm, given, step_form
from liangzhu.beams.work.matters.pages.listing import Listing, address_of
from liangzhu.kernel.errors import NotThere, Problem
from liangzhu.kernel.ui.forms import Form, perform
from liangzhu.kernel.web import guarded

ASSIGN = "assign"
"""Stands for giving to a post where a batch names its step."""


# Batches ----------------------------------------------------------------------------------------------------


def _chosen_ids(request: HttpRequest, listing: Listing) -> list[int]:
    """The matters that were chosen: ticked ones, or everything in the list as far as a batch goes."""
    if request.GET.get("all"):
        return [row.pk for row in listing.found.order_by(*listing.order)[: bulk.MOST]]
    return [
        int(one) for one in request.GET.getlist("ids") if one.isascii() and one.isdecimal() and len(one) < 19
    ]


@guarded("matters.work")
def many(request: HttpRequest) -> HttpResponse:
    """A step for many matters: which are chosen, what is possible for all, what it will do, and what became of it."""
    listing = Listing(request)
    rows = bulk.chosen(request.actor, _chosen_ids(request, listing))
    back = f"{reverse('matters:inbox')}?{listing.carried}"
    name = request.GET.get("do", "")
    choices = bulk.choices(request.actor, rows)
    may_assign = bool(rows) and all(policies.assign(request.actor, row) for row in rows)
    context = {
        "listing": listing,
        "rows": queries.rows(rows),
        "choices": choices,
        "may_assign": may_assign,
        "back": back,
        "most": bulk.MOST,
        "ids": [row.pk for row in rows],
    }
    choice = next((one for one in choices if one.step.name == name), None)
    if not rows or (choice is None and not (name == ASSIGN and may_assign)):
        return render(request, "matters/many.html", context)
    posted = request.POST if request.method == "POST" else None
    if choice:
        form = step_form(choice.step, request.actor, rows[0], posted, request.FILES or None)
    else:
        form = AssignForm(request.actor.unit_id, posted)
    seen = {row.pk: row.version for row in rows}
    if posted is not None:
        # The versions are those of the page that was confirmed, not of this moment.
        seen = {pk: _version(posted, pk, version) for pk, version in seen.items()}

    def run(data: dict, once: str) -> bulk.Outcome:
        if choice:
            return bulk.step_many(
                request.actor, rows=list(seen.items()), transition=name, data=given(data), once=once
            )
        post = data["post_id"]
        return bulk.assign_many(
            request.actor, rows=list(seen.items()), post_id=int(post) if post else None, once=once
        )

    performed = perform(request, form, run)
    if performed.ok and performed.already:
        return redirect(back)
    context |= {
        "form": form,
        "step": choice.step if choice else None,
        "title": choice.step.title if choice else "分派",
        "versions": seen,
    }
    if performed.ok:
        return render(request, "matters/many_done.html", context | _became(performed.result, rows, name))
    return render(request, "matters/many.html", context, status=performed.status)


def _version(posted, pk: int, otherwise: int) -> int:
    text = posted.get(f"version-{pk}", "")
    return int(text) if text.isascii() and text.isdecimal() else otherwise


def _became(outcome: bulk.Outcome, rows: list, name: str) -> dict:
    by_id = {row.pk: row for row in rows}
    return {
        "done": len(outcome.done),
        "failed": [(by_id[pk], reason) for pk, reason in outcome.failed],
        "failed_ids": [pk for pk, _ in outcome.failed],
        "do": name,
    }


# Views ------------------------------------------------------------------------------------------------------


@guarded("matters.keep_views")
@require_safe
def views(request: HttpRequest) -> HttpResponse:
    """The saved views: which opens first, and which to delete."""
    chosen = queries.desk(request.actor).default_view_id
    rows = [
        {
            "view": row,
            "url": address_of(row),
            "own": row.post_id == request.actor.post_id,
            "first": row.pk == chosen,
        }
        for row in queries.views(request.actor)
    ]
    return render(request, "matters/views.html", {"rows": rows, "chosen": chosen})


@guarded("matters.keep_views")
@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep the list of the address under a name."""
    listing = Listing(request)
    try:
        row = desk.save_view(
            request.actor,
            name=request.POST.get("name", ""),
            scope=listing.scope,
            filters=listing.filters,
            closed=listing.closed,
            newest=listing.newest,
            columns=listing.columns if request.GET.get("cols") else (),
            shared="shared" in request.POST,
            first="first" in request.POST,
        )
    except Problem as problem:
        fields = getattr(problem, "fields", {})
        messages.error(request, "；".join(map(str, fields.values())) or problem.detail)
        return redirect(f"{reverse('matters:inbox')}?{listing.carried}")
    messages.success(request, f"已存为视图“{row.name}”。")
    return redirect(address_of(row))


@guarded("matters.keep_views")
@require_POST
def drop_view(request: HttpRequest, view_id: int) -> HttpResponse:
    """Delete a view."""
    row = desk.drop_view(request.actor, view_id=view_id)
    messages.success(request, f"已删去视图“{row.name}”。")
    return redirect("matters:views")


@guarded("matters.keep_views")
@require_POST
def open_with(request: HttpRequest) -> HttpResponse:
    """Choose what the inbox opens with."""
    text = request.POST.get("view", "")
    desk.open_with(request.actor, view_id=int(text) if text.isascii() and text.isdecimal() else None)
    messages.success(request, "已设为打开收件箱时显示的视图。" if text else "打开收件箱时按平常显示。")
    return redirect("matters:views")


# The calendar of limits -------------------------------------------------------------------------------------


@guarded("matters.keep_feed")
@require_safe
def subscription(request: HttpRequest) -> HttpResponse:
    """Whether the post has an address for its calendar; make, renew or withdraw it."""
    return render(request, "matters/feed.html", {"desk": queries.desk(request.actor), "address": ""})


@guarded("matters.keep_feed")
@require_POST
def renew_feed(request: HttpRequest) -> HttpResponse:
    """Make a new address. It is shown on this page only: what is kept does not tell it."""
    row, token = desk.renew_feed(request.actor)
    address = request.build_absolute_uri(reverse("matters:feed", args=[token]))
    answer = render(request, "matters/feed.html", {"desk": row, "address": address})
    answer.headers["Cache-Control"] = "no-store"
    return answer


@guarded("matters.keep_feed")
@require_POST
def withdraw_feed(request: HttpRequest) -> HttpResponse:
    """End the address."""
    desk.withdraw_feed(request.actor)
    messages.success(request, "订阅地址已停用，日历软件不再收到更新。")
    return redirect("matters:subscription")


@guarded("kernel.public")
@require_safe
def calendar_feed(request: HttpRequest, token: str) -> HttpResponse:
    """The calendar of limits behind a secret address (iCalendar, RFC 5545). Whoever has the address may read it."""
    try:
        found = queries.limits(desk.digest(token))
    except NotThere:
        # A calendar program reads no page; it stops asking at this status.
        return HttpResponse("没有这个日历。\n", status=404, content_type="text/plain; charset=utf-8")
    body = feed.calendar(found, lambda path: request.build_absolute_uri(path))
    moment: datetime = found.touched_at.replace(microsecond=0)
    tag = feed.etag(body)
    answer = get_conditional_response(request, tag, int(moment.timestamp()))
    if answer is None:
        answer = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    answer.headers["ETag"] = tag
    answer.headers["Last-Modified"] = format_datetime(moment, usegmt=True)
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


# Notices ----------------------------------------------------------------------------------------------------


@guarded("matters.own_notices")
def notice_rules(request: HttpRequest) -> HttpResponse:
    """How the post wants to hear of notices."""
    rules, levels = queries.notice_rules(request.actor), dict(Notice.LEVELS)
    every = [("", "各类事项"), *((kind.key, kind.title) for kind in all_kinds().values())]
    rows = [
        {
            "name": f"{level}:{kind}",
            "level": levels[level],
            "kind": title,
            "way": rules.get((level, kind), "" if kind else NoticeRule.NOW),
            "ways": [
                *([("", "同“各类事项”")] if kind else []),
                *(
                    (way, word)
                    for way, word in NoticeRule.WAYS
                    if (level, way) != (Notice.REMIND, NoticeRule.NONE)
                ),
            ],
        }
        for level in desk.CHOOSABLE
        for kind, title in every
    ]
    form = Form(request.POST if request.method == "POST" else None)

    def run(data: dict, once: str):
        ways = {
            tuple(row["name"].split(":", 1)): request.POST[row["name"]]
            for row in rows
            if request.POST.get(row["name"])
        }
        return desk.choose_notices(request.actor, ways=ways, quiet="quiet" in request.POST, once=once)

    performed = perform(request, form, run)
    if performed.ok:
        messages.success(request, "提醒方式已保存。")
        return redirect("matters:notice_rules")
    context = {"rows": rows, "desk": queries.desk(request.actor), "form": form}
    return render(request, "matters/notice_rules.html", context, status=performed.status)
