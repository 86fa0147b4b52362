"""The pages of tokens: one's own, those of the unit's applications, and all of them for the administrator."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from liangzhu.beams.people.access import actions, policies, queries
from liangzhu.beams.people.access.pages import forms
from liangzhu.kernel.paging import page
from liangzhu.kernel.ui.forms import Done, perform
from liangzhu.kernel.web import guarded

ONLY_ONCE = "令牌只显示一次。没有记下的，请吊销后再创建一个。"


@guarded("access.make_token")
@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """One's own tokens, and the applications for which one may make some."""
    context = {
        "tokens": queries.own_tokens(request.actor),
        "applications": queries.own_applications(request.actor),
        "post": request.actor.label,
    }
    return render(request, "access/tokens.html", context)


@guarded("access.make_token")
@never_cache
def make_token(request: HttpRequest) -> HttpResponse:
    """Make a token for oneself."""
    form = forms.TokenForm(request.POST or None)
    done = perform(request, form, lambda data, once: actions.make_token(request.actor, once=once, **data))
    return _made(
        request, form, done, "创建接口令牌", f"以“{request.actor.label}”的身份办事，权限与本岗位相同。"
    )


@guarded("access.make_application_token")
@never_cache
def make_application_token(request: HttpRequest, application_id: int) -> HttpResponse:
    """Make a token for an application of the own unit."""
    application = queries.application(request.actor, application_id)
    form = forms.TokenForm(request.POST or None)
    done = perform(
        request,
        form,
        lambda data, once: actions.make_application_token(
            request.actor, application_id=application_id, once=once, **data
        ),
    )
    lead = f"应用“{application.name}”以岗位“{application.post.title}”的权限办事。"
    return _made(request, form, done, "创建应用令牌", lead)


def _made(request: HttpRequest, form: forms.TokenForm, done: Done, title: str, lead: str) -> HttpResponse:
    """The form, or the only page that ever shows a token: the answer to the form itself, never kept, never cached."""
    if done.ok and done.already:
        messages.warning(request, ONLY_ONCE)
        return redirect("access:tokens")
    if done.ok:
        return render(request, "access/token_once.html", {"made": done.result})
    context = {
        "form": form,
        "title": title,
        "lead": lead,
        "submit": "创建",
        "back": reverse("access:tokens"),
        "crumbs": [("接口令牌", reverse("access:tokens"))],
        "effect": "创建后显示一次令牌；拿到它的人就能以这个身份办事，请像密码一样保管。",
    }
    return render(request, "directory/ask.html", context, status=done.status)


@guarded("access.read_token")
@never_cache
def token(request: HttpRequest, token_id: int) -> HttpResponse:
    """One token, and what was done with it, the latest first."""
    row = queries.token_to_read(request.actor, token_id)
    found = page(queries.done_with(request.actor, row.token), request, order=("-id",))
    context = {
        "row": row,
        "page": found,
        "done": queries.token_done(request.actor, found.rows),
        "may_revoke": policies.revoke_token(request.actor, row.token),
        "back": _list_of(request),
        "back_title": "接口令牌" if policies.revoke_token(request.actor, row.token) else "操作日志",
    }
    return render(request, "access/token.html", context)


@guarded("access.revoke_token")
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """Revoke a token."""
    token = queries.token(request.actor, token_id)
    form = forms.ReasonForm(request.POST or None)
    done = perform(
        request,
        form,
        lambda data, once: actions.revoke_token(request.actor, token_id=token_id, once=once, **data),
    )
    back = _list_of(request)
    if done.ok:
        if not done.already:
            messages.success(request, f"令牌“{token.name}”已吊销，不能再用。")
        return redirect(back)
    context = {
        "form": form,
        "title": "吊销令牌",
        "lead": f"{token.name}（…{token.hint}）",
        "submit": "吊销",
        "back": back,
        "crumbs": [("接口令牌", back)],
        "effect": "用它的程序下一次请求就被拒绝；不能恢复。",
        "danger": True,
    }
    return render(request, "directory/ask.html", context, status=done.status)


def _list_of(request: HttpRequest) -> str:
    """The list of tokens of whoever asks; the auditor came from the log."""
    if policies.manage(request.actor):
        return reverse("access:all_tokens")
    return reverse("access:tokens" if policies.make_token(request.actor) else "access:log")


# Administration -------------------------------------------------------------------------------------------------------


@guarded("access.manage")
def all_tokens(request: HttpRequest) -> HttpResponse:
    """Every token, the newest first."""
    form = forms.TokenFilter(request.GET)
    form.is_valid()
    wanted = {name: form.cleaned_data.get(name, "") for name in ("q", "state")}
    found = page(queries.tokens(request.actor, wanted["q"], wanted["state"]), request, order=("-id",))
    context = {
        "form": form,
        "narrowed": any(wanted.values()),
        "page": found,
        "tokens": queries.token_rows(found.rows),
    }
    return render(request, "access/all_tokens.html", context)


@guarded("access.manage")
def applications(request: HttpRequest) -> HttpResponse:
    """The application accounts."""
    return render(request, "access/applications.html", {"applications": queries.applications(request.actor)})


@guarded("access.manage")
@never_cache
def open_application(request: HttpRequest) -> HttpResponse:
    """Open an application account."""
    form = forms.ApplicationForm(request.POST or None)
    done = perform(
        request,
        form,
        lambda data, once: actions.open_application(
            request.actor,
            name=data["name"],
            post_id=data["post_id"],
            contact_id=data["contact_id"].pk,
            purpose=data["purpose"],
            once=once,
        ),
    )
    if done.ok:
        messages.success(request, "应用账号已开通；令牌由所在单位负责人或联系人创建。")
        return redirect("access:applications")
    context = {
        "form": form,
        "title": "开通应用账号",
        "submit": "开通",
        "back": reverse("access:applications"),
        "crumbs": [("应用账号", reverse("access:applications"))],
        "effect": "程序以所选岗位的角色办事；办理经过里显示应用名称。",
    }
    return render(request, "directory/ask.html", context, status=done.status)


@guarded("access.manage")
def close_application(request: HttpRequest, application_id: int) -> HttpResponse:
    """Close an application account."""
    application = queries.application(request.actor, application_id)
    form = forms.ReasonForm(request.POST or None)
    done = perform(
        request,
        form,
        lambda data, once: actions.close_application(
            request.actor, application_id=application_id, once=once, **data
        ),
    )
    if done.ok:
        if not done.already:
            messages.success(request, f"应用账号“{application.name}”已停用。")
        return redirect("access:applications")
    context = {
        "form": form,
        "title": "停用应用账号",
        "lead": application.name,
        "submit": "停用",
        "back": reverse("access:applications"),
        "crumbs": [("应用账号", reverse("access:applications"))],
        "effect": "它的令牌立即全部吊销；经手的历史保留。",
        "danger": True,
    }
    return render(request, "directory/ask.html", context, status=done.status)
