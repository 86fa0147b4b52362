"""The pages of one's own account and of the administration of accounts."""

from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from liangzhu.beams.people.access import actions, policies, queries
from liangzhu.beams.people.access.pages import forms
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.paging import page
from liangzhu.kernel.ui.forms import perform
from liangzhu.kernel.web import guarded

ONLY_ONCE = "初始密码只显示一次。没有记下的，请再重置一次密码。"

# One's own account ----------------------------------------------------------------------------------------------------


@guarded("kernel.public")
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out."""
    adapter = get_adapter(request)
    adapter.logout(request)
    return redirect(adapter.get_logout_redirect_url(request))


@guarded("access.own")
@require_POST
def switch_post(request: HttpRequest) -> HttpResponse:
    """Act under another post from now on, and go back to where one was."""
    wanted = request.POST.get("post", "")
    if not wanted.isdecimal():
        raise NotThere("没有找到这个岗位。")
    chosen = actions.switch_post(request.actor, account_id=request.user.pk, post_id=int(wanted))
    request.session["post_id"] = chosen.id
    messages.success(request, f"已切换到：{chosen.full_title}。")
    back = request.POST.get("next", "")
    # The page one stood on may be closed to the new post; the way back is its front page then.
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()):
        back = get_adapter(request).get_login_redirect_url(request)
    return redirect(back)


@guarded("access.own")
@never_cache
def security(request: HttpRequest) -> HttpResponse:
    """One's own password, second factors, posts and sessions."""
    context = {
        "account": request.user,
        "posts": directory.posts_open_to(request.user.person_id),
        "may_make_tokens": policies.make_token(request.actor),
        "factors": queries.factors(request.actor, request.user),
        "sessions": queries.sessions(request.actor, request.user, request.session.session_key),
    }
    return render(request, "access/security.html", context)


@guarded("access.own")
@require_POST
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """End one of one's own sessions."""
    actions.end_session(request.actor, account_id=request.user.pk, session_id=session_id)
    messages.success(request, "这个会话已结束，那边下一次点击就要重新登录。")
    return redirect("access:security")


@guarded("access.own")
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """End all of one's own sessions but this one."""
    actions.end_other_sessions(request.actor, account_id=request.user.pk, keep=request.session.session_key)
    messages.success(request, "其他会话都已结束。")
    return redirect("access:security")


# Administration -------------------------------------------------------------------------------------------------------


@guarded("access.manage")
def accounts(request: HttpRequest) -> HttpResponse:
    """Accounts, by user name."""
    form = forms.AccountFilter(request.GET)
    form.is_valid()
    wanted = {name: form.cleaned_data.get(name, "") for name in ("q", "state")}
    rows = queries.accounts(request.actor, wanted["q"], wanted["state"])
    found = page(rows, request, order=("username", "id"))
    context = {
        "form": form,
        "narrowed": any(wanted.values()),
        "page": found,
        "rows": queries.account_rows(request.actor, found.rows),
    }
    return render(request, "access/accounts.html", context)


@guarded("access.manage")
@never_cache
def account(request: HttpRequest, account_id: int) -> HttpResponse:
    """One account."""
    row = queries.account(request.actor, account_id)
    context = {
        "row": row,
        "mine": row.account.ref == request.actor.ref,
        "factors": queries.factors(request.actor, row.account),
        "sessions": queries.sessions(request.actor, row.account),
    }
    return render(request, "access/account.html", context)


@guarded("access.manage")
def account_of_person(request: HttpRequest, person_id: int) -> HttpResponse:
    """A person's account, or the page that opens one."""
    found = queries.account_for(person_id)
    return redirect("access:account", found.pk) if found else redirect("access:open_account", person_id)


@guarded("access.manage")
def choose_person(request: HttpRequest) -> HttpResponse:
    """Choose for whom to open an account."""
    form = forms.PersonFilter(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    found = page(queries.without_account(request.actor, text), request, order=("name", "id"))
    context = {
        "form": form,
        "query": text,
        "page": found,
        "rows": directory.with_posts(request.actor, found.rows),
    }
    return render(request, "access/choose_person.html", context)


@guarded("access.manage")
@never_cache
def open_account(request: HttpRequest, person_id: int) -> HttpResponse:
    """Open a person's account; the initial password is shown once."""
    name = queries.person_name(request.actor, person_id)
    form = forms.OpenAccountForm(request.POST or None)
    done = perform(
        request,
        form,
        lambda data, once: actions.open_account(request.actor, person_id=person_id, once=once, **data),
    )
    if done.ok:
        return _shown_once(request, done, name, "已开通账号")
    return render(
        request,
        "directory/ask.html",
        {
            "form": form,
            "title": f"为{name}开通账号",
            "submit": "开通",
            "back": reverse("access:accounts"),
            "crumbs": [("账号", reverse("access:accounts"))],
            "effect": "开通后显示一次初始密码；本人首次登录必须修改。",
        },
        status=done.status,
    )


def _shown_once(request: HttpRequest, done, name: str, title: str) -> HttpResponse:
    """The only page that ever shows an initial password: the answer to the form itself, never kept, never cached."""
    if done.already:
        messages.warning(request, ONLY_ONCE)
        return redirect("access:accounts")
    context = {"opened": done.result, "name": name, "title": title}
    return render(request, "access/password_once.html", context)


def _with_reason(
    request: HttpRequest,
    account_id: int,
    run: Callable[..., Any],
    *,
    title: str,
    submit: str,
    effect: str,
    done: str,
    danger: bool = True,
) -> HttpResponse:
    """A page that asks for the reason, then runs the action on the account."""
    row = queries.account(request.actor, account_id)
    form = forms.ReasonForm(request.POST or None)
    outcome = perform(
        request, form, lambda data, once: run(request.actor, account_id=account_id, once=once, **data)
    )
    if outcome.ok and run is actions.reset_password:
        return _shown_once(request, outcome, row.person_name, done)
    if outcome.ok:
        if not outcome.already:
            messages.success(request, f"{done}。")
        return redirect("access:account", account_id)
    back = reverse("access:account", args=[account_id])
    context = {
        "form": form,
        "title": title,
        "submit": submit,
        "back": back,
        "crumbs": [("账号", reverse("access:accounts")), (row.account.username, back)],
        "lead": f"{row.person_name}（{row.account.username}）",
        "effect": effect,
        "danger": danger,
    }
    return render(request, "directory/ask.html", context, status=outcome.status)


@guarded("access.manage")
def close_account(request: HttpRequest, account_id: int) -> HttpResponse:
    """Close an account."""
    return _with_reason(
        request,
        account_id,
        actions.close_account,
        title="停用账号",
        submit="停用",
        effect="立即下线，不能再登录；经手的历史保留。",
        done="已停用",
    )


@guarded("access.manage")
def reopen_account(request: HttpRequest, account_id: int) -> HttpResponse:
    """Open a closed account again."""
    return _with_reason(
        request,
        account_id,
        actions.reopen_account,
        title="恢复账号",
        submit="恢复",
        effect="可以用原来的密码和第二因素登录。",
        done="已恢复",
        danger=False,
    )


@guarded("access.manage")
@never_cache
def reset_password(request: HttpRequest, account_id: int) -> HttpResponse:
    """Give an account a new initial password."""
    return _with_reason(
        request,
        account_id,
        actions.reset_password,
        title="重置密码",
        submit="重置密码",
        effect="立即下线并解锁；新的初始密码只显示一次，本人登录后必须修改。",
        done="已重置密码",
    )


@guarded("access.manage")
def unlock_account(request: HttpRequest, account_id: int) -> HttpResponse:
    """Lift a lock."""
    return _with_reason(
        request,
        account_id,
        actions.unlock_account,
        title="解锁账号",
        submit="解锁",
        effect="失败次数清零，可以马上再试。请先确认是本人在输。",
        done="已解锁",
        danger=False,
    )


@guarded("access.manage")
def end_all_sessions(request: HttpRequest, account_id: int) -> HttpResponse:
    """End all sessions of an account."""
    return _with_reason(
        request,
        account_id,
        actions.end_all_sessions,
        title="强制下线",
        submit="强制下线",
        effect="所有设备上的登录立即结束；密码不变，可以重新登录。",
        done="已强制下线",
    )


@guarded("access.manage")
def drop_second_factors(request: HttpRequest, account_id: int) -> HttpResponse:
    """Remove the second factors of an account."""
    return _with_reason(
        request,
        account_id,
        actions.drop_second_factors,
        title="移除第二因素",
        submit="移除",
        effect="验证器、通行密钥和恢复码全部移除，立即下线；请先当面核实身份。",
        done="已移除第二因素",
    )
