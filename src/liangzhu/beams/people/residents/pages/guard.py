"""`resident_page`: what stands between a request and a page of the resident's side."""

import functools
from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.datastructures import MultiValueDict

from liangzhu.beams.people.residents import sessions
from liangzhu.beams.people.residents.resident import NeedLevel, Resident, answering
from liangzhu.kernel.actions import held_back
from liangzhu.kernel.errors import Problem

POLICY = "residents.own"

OVER = {
    "idle": "您有一段时间没有操作，刚才已自动退出；登录后回到了原来的页面。",
    "ended": "刚才的登录已在别处结束，您重新登录了。",
}
"""What is said after a new sign-in of why the session before was over."""


class ShownAgain(Problem):
    """A form that was kept over a sign-in stands on its page again; nothing of it was done yet."""

    code, title, status = "shown_again", "请核对后再提交", 200
    todo = "核对后请再点一次提交。"

    def __init__(self, files: list[str]):
        super().__init__("刚才填写的内容都在，还没有提交。" + ("附件没有保留，请重新选择。" if files else ""))


def resident_page(level: int = 1) -> Callable[[Callable], Callable]:
    """Let a view run for residents only, from a level of assurance on; others are sent to sign in, and come back.

    What was typed into a form is kept over the sign-in (sealed, without files) and stands on the page again when one comes
    back; it is not sent by itself. Use `need` inside the view or its actions where the level depends on what is asked.
    """

    def wrap(view: Callable) -> Callable:
        @functools.wraps(view)
        def run(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            actor = request.actor
            if not isinstance(actor, Resident) or actor.assurance < level:
                return _away(request, level)
            kept = sessions.take_kept(request) if request.method == "GET" else None
            with answering(actor) as page:
                try:
                    response = (
                        view(request, *args, **kwargs)
                        if kept is None
                        else _again(request, kept, view, *args, **kwargs)
                    )
                except NeedLevel:
                    response = None
            # A form shows problems on top of itself; a level that is missing is mended instead.
            if response is None or page.asked > actor.assurance:
                return _away(request, page.asked)
            if response.status_code == 405 and request.method == "GET":
                # Back from a sign-in at the address of a button, and what was pressed is not kept any more.
                return redirect("residents:home")
            response.headers["Cache-Control"] = "no-store, private"
            return response

        run.policy_name = POLICY
        return run

    return wrap


def _again(request: HttpRequest, kept: sessions.Kept, view: Callable, *args, **kwargs) -> HttpResponse:
    """The page of a form with what was typed in it, while every action is held back."""
    problem = ShownAgain(kept.files)
    request.method = "POST"
    request.POST, request._files = kept.data, MultiValueDict()
    try:
        with held_back(problem):
            return view(request, *args, **kwargs)
    except ShownAgain:
        # A button without a form: nothing was typed, and the page that it stands on is where to press it again.
        messages.info(request, "已认证。请再点一次刚才的按钮。")
        return redirect(kept.back)


def _away(request: HttpRequest, level: int) -> HttpResponse:
    """To the sign-in, and back to this very page."""
    if words := OVER.get(request.resident_over):
        messages.info(request, words)
    home = reverse("residents:home")
    onward = request.get_full_path()
    if request.method == "POST":
        back = sessions.local_path(request, _path_of(request.headers.get("Referer", ""), request), home)
        if not sessions.keep_form(request, back):
            messages.warning(request, "刚才填写的内容太长，没有能保留。请用浏览器的“找回”恢复。")
    asked = {"next": onward, "level": level}
    if request.method == "POST":
        # Browsers do not follow a form to another origin (CSP form-action): one presses once more, on a page of ours.
        asked["pause"] = 1
    return redirect(f"{reverse('residents:sign_in')}?{urlencode(asked)}")


def _path_of(referer: str, request: HttpRequest) -> str:
    """The path of the page that a form was sent from, if that was one of ours."""
    site = f"{request.scheme}://{request.get_host()}"
    return referer.removeprefix(site) if referer.startswith(f"{site}/") else ""
