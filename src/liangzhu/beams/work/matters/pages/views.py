"""The inbox, one matter, its steps, notices and search."""

from datetime import date
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from liangzhu.beams.work.matters import actions, engine, formed, policies, queries, showing
from liangzhu.beams.work.matters.kinds import kind_of
from liangzhu.beams.work.matters.lights import RUNNING, WORDS, clock_of
from liangzhu.beams.work.matters.models import Matter, Part
from liangzhu.beams.work.matters.nav import shown
from liangzhu.beams.work.matters.pages.forms import (
    AssignForm,
    CommentForm,
    OverrideForm,
    given,
    opening_form,
    step_form,
)
from liangzhu.beams.work.matters.pages.listing import Listing, address_of
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.calendar import override_day
from liangzhu.kernel.calendar import restore_day as let_national_hold
from liangzhu.kernel.errors import NotThere, StepNotAllowed
from liangzhu.kernel.models import DayOverride
from liangzhu.kernel.now import today
from liangzhu.kernel.paging import Page, page
from liangzhu.kernel.policies import get_policy
from liangzhu.kernel.refs import Ref, describe
from liangzhu.kernel.ui.forms import Form, perform
from liangzhu.kernel.web import guarded


@guarded("matters.work")
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """What waits: for my post, for my unit, for our help. Entered without an address of a list, the default view opens."""
    if not request.GET and (first := queries.desk(request.actor).default_view):
        return redirect(address_of(first))
    listing = Listing(request)
    tiles = [
        {
            "state": state,
            "word": WORDS[state],
            "count": shown(count),
            "url": f"{reverse('matters:inbox')}?scope={listing.scope}&light={state}",
        }
        for state, count in listing.sizes(RUNNING).items()
    ]
    context = {
        "listing": listing,
        "tiles": tiles,
        "scope": queries.SCOPES[listing.scope],
        "may_open": bool(queries.openable(request.actor)),
        "recent": queries.rows(queries.seen_again(request.actor, request.session.get(RECENT, ())[:8])),
    }
    return render(request, "matters/inbox.html", context)


@guarded("matters.work")
@require_safe
def matter(request: HttpRequest, matter_id: int) -> HttpResponse:
    """One matter: where it is, until when, what can be done, what happened."""
    row = queries.matter(request.actor, matter_id)
    seen = [one for one in request.session.get(RECENT, ()) if one != row.pk]
    if len(seen) == len(request.session.get(RECENT, ())) or request.session[RECENT][0] != row.pk:
        request.session[RECENT] = [row.pk, *seen][:RECENT_MOST]
    return _matter_page(request, row)


RECENT, RECENT_MOST = "recent_matters", 20
"""Where a session remembers which matters were opened last, and how many."""


def _matter_page(
    request: HttpRequest, row: Matter, comment: Form | None = None, status: int = 200
) -> HttpResponse:
    actor, kind = request.actor, kind_of(row.kind)
    shown_matter = showing.show(actor, row)
    panels = [
        render_to_string(template, {"matter": row, **context(actor, row)}, request)
        for template, context in kind.panels
    ]
    context = {
        "listing": Listing(request, row.pk),
        "matter": row,
        "kind": kind,
        "shown": shown_matter,
        "panels": panels,
        "comments": queries.comments(actor, row),
        "comment_form": comment or CommentForm(),
        "keep": f"comment-{row.pk}",
        "may_assign": row.is_open and policies.assign(actor, row),
        "may_assign_parts": policies.assign(actor),
        "applicant": _label(row.applicant, actor),
        "parent": _label(str(Ref("matter", str(row.parent_id))) if row.parent_id else "", actor),
        "children": queries.rows(queries.visible(actor).filter(parent=row).order_by("id")[:50]),
    }
    return render(request, "matters/matter.html", context, status=status)


def _label(text: str, actor: Actor) -> tuple[str, str] | None:
    """Label and address of a reference given as text."""
    if not text:
        return None
    ref = Ref.parse(text)
    return describe([ref], actor)[ref]


@guarded("matters.work")
def step(request: HttpRequest, matter_id: int, transition: str, part_id: int | None = None) -> HttpResponse:
    """One step: its form, what it will do, and doing it. A step without fields is sent from the matter's
    page.
    """
    actor = request.actor
    row = queries.matter(actor, matter_id)
    part = queries.part(actor, row, part_id) if part_id is not None else None
    flow = engine.process_of(row).flow_of(part.kind if part else None)
    chosen = flow.transitions.get(transition)
    if chosen is None:
        raise StepNotAllowed("流程里没有这一步。")
    carried = Listing(request).carried
    back = kind_of(row.kind).url_of(row) + (f"?{carried}" if carried else "")
    at_step = formed.at_step(actor, row, chosen, part) if chosen.form else None
    if at_step and at_step.stale(request.POST):
        messages.warning(request, "表单的内容刚刚改过，请重新核对再办理。")
        return redirect(request.get_full_path())
    form = step_form(
        chosen,
        actor,
        row,
        request.POST if request.method == "POST" else None,
        request.FILES if request.method == "POST" else None,
        version=(part or row).version,
        at_step=at_step,
    )

    def run(data: dict, once: str) -> Matter:
        return actions.step(
            actor,
            matter_id=row.pk,
            transition=transition,
            version=data.pop("version"),
            data=given(data),
            part_id=part_id,
            once=once,
        )

    done = perform(request, form, run)
    if done.ok:
        if not done.already:
            messages.success(request, f"已办理“{chosen.title}”。")
        return redirect(back)
    closed = ""
    if request.method != "POST":
        # Whoever comes by an old link reads why the step is not open, instead of a form that leads nowhere.
        option = next((one for one in engine.transitions(row, actor, part) if one.name == transition), None)
        closed = option.blocked if option else showing.why_not(row, part, chosen)
    context = {
        "listing": Listing(request, row.pk),
        "matter": row,
        "part": part,
        "step": chosen,
        "form": form,
        "back": back,
        "closed": closed,
        "at_step": at_step,
        "keep": f"step-{row.pk}-{part_id or 0}-{transition}",
        "consequences": showing.consequences(row, chosen, part),
    }
    return render(request, "matters/step.html", context, status=done.status)


@guarded("matters.open")
@require_safe
def openings(request: HttpRequest) -> HttpResponse:
    """The kinds of which one may open a matter."""
    return render(request, "matters/openings.html", {"kinds": queries.openable(request.actor)})


@guarded("matters.open")
def open_new(request: HttpRequest, kind: str) -> HttpResponse:
    """Open a matter of a kind: what is asked for it, what it will do, and doing it."""
    actor = request.actor
    chosen = next((one for one in queries.openable(actor) if one.key == kind), None)
    if chosen is None:
        raise NotThere("没有这种可以登记的事项。", todo="请从“登记事项”里选，或切换到有权限的岗位。")
    asked, key = queries.opening_fields(chosen)
    at_step = formed.at_opening(actor, kind, key) if key else None
    if at_step and at_step.stale(request.POST):
        messages.warning(request, "表单的内容刚刚改过，请重新核对再登记。")
        return redirect(request.get_full_path())
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = opening_form(chosen, asked, actor, *sent, at_step=at_step)

    def run(data: dict, once: str) -> Matter:
        title = data.pop("title", "") if chosen.opening.titled else ""
        return actions.open_new(actor, kind=kind, title=title, data=given(data), once=once)

    done = perform(request, form, run)
    if done.ok and done.already:
        return redirect("matters:inbox")
    if done.ok:
        messages.success(request, f"已登记，编号 {done.result.number}。")
        return redirect(chosen.url_of(done.result))
    context = {
        "kind": chosen,
        "form": form,
        "at_step": at_step,
        "keep": f"open-{kind}",
        "consequences": showing.opening_consequences(chosen),
    }
    return render(request, "matters/open.html", context, status=done.status)


@guarded("matters.assign")
def assign(request: HttpRequest, matter_id: int, part_id: int | None = None) -> HttpResponse:
    """Give a matter, or a part of it, to a post of the own unit; ``post_id=me`` takes it oneself."""
    actor = request.actor
    row = queries.matter(actor, matter_id)
    part = queries.part(actor, row, part_id) if part_id is not None else None
    target: Matter | Part = part or row
    back = f"{kind_of(row.kind).url_of(row)}?{Listing(request).carried}"
    data = request.POST.copy() if request.method == "POST" else None
    if data is not None and data.get("post_id") == "me":
        data["post_id"] = str(actor.post_id)
    form = AssignForm(
        actor.unit_id, data, version=target.version, initial={"post_id": str(target.assignee_id or "")}
    )

    def run(values: dict, once: str) -> Matter:
        post = values["post_id"]
        return actions.assign(
            actor,
            matter_id=row.pk,
            part_id=part_id,
            post_id=int(post) if post else None,
            version=values["version"],
            once=once,
        )

    done = perform(request, form, run)
    if done.ok:
        if not done.already:
            messages.success(request, "已分派。" if data and data.get("post_id") else "已收回分派。")
        return redirect(back)
    context = {"listing": Listing(request, row.pk), "matter": row, "part": part, "form": form, "back": back}
    return render(request, "matters/assign.html", context, status=done.status)


@guarded("matters.comment")
@require_POST
def comment(request: HttpRequest, matter_id: int) -> HttpResponse:
    """Add a remark."""
    row = queries.matter(request.actor, matter_id)
    form = CommentForm(request.POST)
    done = perform(
        request,
        form,
        lambda data, once: actions.comment(request.actor, matter_id=row.pk, text=data["text"], once=once),
    )
    if done.ok:
        return redirect(f"{kind_of(row.kind).url_of(row)}?{Listing(request).carried}#comments")
    return _matter_page(request, row, form, done.status)


@guarded("matters.work")
@require_safe
def clock(request: HttpRequest, matter_id: int) -> HttpResponse:
    """Which clock made this light: start, term, what did not count, extensions, end, holidays on the way."""
    row = queries.matter(request.actor, matter_id)
    context = {
        "listing": Listing(request, row.pk),
        "matter": row,
        "clocks": clock_of(row),
        "back": f"{kind_of(row.kind).url_of(row)}?{Listing(request).carried}",
        "near": showing.near_rule(),
    }
    return render(request, "matters/clock.html", context)


@guarded("matters.work")
@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """The notices of the post: those not read, or all."""
    every = request.GET.get("show") == "all"
    found = page(queries.notices(request.actor, unread=not every), request, ("-id",))
    context = {"page": found, "every": every, "unread": shown(queries.unread_count(request.actor))}
    return render(request, "matters/notices.html", context)


@guarded("matters.own_notices")
@require_safe
def notice(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Open what a notice is about. Opening is reading."""
    row = queries.notice(request.actor, notice_id)
    if row.read_at is None:
        actions.read_notices(request.actor, notice_id=row.pk)
    if not url_has_allowed_host_and_scheme(row.url, allowed_hosts=None):
        return redirect("matters:notices")
    return redirect(row.url)


@guarded("matters.own_notices")
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark every notice of the post as read."""
    count = actions.read_notices(request.actor)
    messages.success(request, f"{count} 条提醒已标为已读。" if count else "没有未读的提醒。")
    return redirect("matters:notices")


@guarded("matters.work")
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Matters by their words, open and closed, newest first."""
    text = request.GET.get("q", "").strip()[:100]
    found = queries.search(
        request.actor, text, before=_place(request, "before"), after=_place(request, "after")
    )
    rows = Page(
        queries.rows(found.matters),
        f"?{urlencode({'q': text, 'before': found.next})}" if found.next else "",
        f"?{urlencode({'q': text, 'after': found.previous})}" if found.previous else "",
    )
    return render(request, "matters/search.html", {"q": text, "page": rows})


@guarded("matters.work")
@require_safe
def done(request: HttpRequest) -> HttpResponse:
    """What I did: each matter once, by my latest step in it."""
    entries = page(queries.done(request.actor), request, ("-id",), size=30)
    rows = {row.matter.pk: row for row in queries.rows([entry.matter for entry in entries])}
    found = Page([(entry, rows[entry.matter_id]) for entry in entries], entries.next, entries.previous)
    return render(request, "matters/done.html", {"page": found})


def _place(request: HttpRequest, name: str) -> int | None:
    """A place in the search index out of an address; one that cannot be read is none."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


@guarded("matters.read_calendar")
def calendar(request: HttpRequest) -> HttpResponse:
    """The working days of a year, and for whom it falls to: making a day count otherwise."""
    asked = request.GET.get("year", "")
    year = queries.calendar_year(request.actor, int(asked) if asked.isdecimal() else today().year)
    form = OverrideForm(request.POST if request.method == "POST" else None)

    def run(data: dict, once: str) -> DayOverride:
        return override_day(
            request.actor,
            day=data["day"],
            workday=data["workday"] == "on",
            reason=data["reason"],
            source=data["source"],
            once=once,
        )

    done = perform(request, form, run)
    if done.ok:
        messages.success(request, "已调整。跨过这一天的在办事项正在重新计算期限。")
        return redirect(f"{reverse('matters:calendar')}?year={form.cleaned_data['day'].year}")
    may_change = get_policy("kernel.manage_calendar")(request.actor)
    context = {"year": year, "form": form, "may_change": may_change, "today": today()}
    return render(request, "matters/calendar.html", context, status=done.status)


@guarded("kernel.manage_calendar")
@require_POST
def restore_day(request: HttpRequest) -> HttpResponse:
    """Let the national calendar hold again for a day."""
    try:
        day = date.fromisoformat(request.POST.get("day", ""))
    except ValueError:
        raise NotThere("没有这一天的调整。") from None
    let_national_hold(request.actor, day=day)
    messages.success(request, f"{day:%Y-%m-%d} 已恢复按国家日历计算。")
    return redirect(f"{reverse('matters:calendar')}?year={day.year}")


@guarded("matters.read_processes")
@require_safe
def processes(request: HttpRequest) -> HttpResponse:
    """The processes in force."""
    return render(request, "matters/processes.html", {"rows": queries.processes(request.actor)})


@guarded("matters.read_processes")
def process(request: HttpRequest, key: str, number: int | None = None) -> HttpResponse:
    """A process drawn, its releases, what changed between them, and the second person's decision on a draft."""
    releases = queries.process_releases(request.actor, key)
    shown_release = showing.release(releases, number, request.actor)
    may_release = get_policy("kernel.release")(request.actor)
    form = Form(request.POST if request.method == "POST" else None)
    done = perform(
        request,
        form,
        lambda data, once: actions.release_process(
            request.actor, release_id=shown_release.row.pk, accept="refuse" not in request.POST, once=once
        ),
    )
    if done.ok:
        messages.success(request, "流程版本已发布。" if "refuse" not in request.POST else "已退回该版本。")
        return redirect("matters:process", key=key)
    context = {
        "releases": releases,
        "shown": shown_release,
        "form": form,
        "may_release": may_release,
        "key": key,
    }
    return render(request, "matters/process.html", context, status=done.status)
