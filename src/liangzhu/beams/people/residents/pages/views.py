"""Sign-in, and the pages of one's own side: front page, whom one acts for, sessions, consents, messages."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents import actions, consenting, hooks, queries, sessions
from liangzhu.beams.people.residents.pages import forms
from liangzhu.beams.people.residents.pages.guard import resident_page
from liangzhu.beams.people.residents.providers import Ask, Known, ProviderDown, all_providers
from liangzhu.beams.people.residents.resident import LEVEL_WORDS, Resident
from liangzhu.kernel import limits
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.paging import page
from liangzhu.kernel.ui import nav
from liangzhu.kernel.ui.forms import form_view
from liangzhu.kernel.web import guarded

# Sign-in --------------------------------------------------------------------------------------------------------------


class NoProvider(Problem):
    """Nobody says who residents are: the installation is not connected yet."""

    code, title, status = "no_provider", "还不能登录", 503
    todo = "本区尚未接通省统一身份认证。急用请到政务服务中心窗口办理。"


class StrangeSignIn(Problem):
    """A way back from the province that this browser did not begin, or that was used before."""

    code, title, status = "strange_sign_in", "这次登录不能用", 400
    todo = "请从这里重新登录；如果您没有点过“登录”，不要理会刚才的链接。"


class LevelTooLow(Problem):
    """The province says a lower level than was asked for."""

    code, title, status = "level_too_low", "实名等级不够", 403
    todo = "请先在省平台完成更高等级的实名认证，再回来办理；也可以到政务服务中心窗口当面核验。"


def _problem(request: HttpRequest, problem: Problem, onward: str, level: int) -> HttpResponse:
    """A sign-in that did not come to its end: what happened, and a way to try again that leads to the same page."""
    again = f"{reverse('residents:sign_in')}?{urlencode({'next': onward, 'level': level})}"
    context = {"problem": problem, "again": again, "onward": onward}
    return render(request, "residents/sign_in_problem.html", context, status=problem.status)


def _level(text: str) -> int:
    return int(text) if text in ("1", "2", "3") else 1


@guarded("kernel.public")
@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """Send the browser to the province, and remember where it wanted to go."""
    onward = sessions.local_path(request, request.GET.get("next", ""), reverse("residents:home"))
    level = _level(request.GET.get("level", ""))
    if (
        isinstance(request.actor, Resident)
        and request.actor.assurance >= level
        and "again" not in request.GET
    ):
        return redirect(onward)
    known = all_providers()
    if not known:
        return _problem(request, NoProvider(), onward, level)
    chosen = known.get(request.GET.get("by", "")) or (next(iter(known.values())) if len(known) == 1 else None)
    if (
        chosen is None
        or "pause" in request.GET
        or (request.user.is_authenticated and "leave" not in request.GET)
    ):
        context = {"providers": known.values(), "onward": onward, "level": level}
        return render(request, "residents/sign_in.html", context)
    limits.take(
        limits.Rate("resident_sign_in", settings.LIANGZHU_RESIDENT_SIGN_IN_RATE), limits.address_key(request)
    )
    back = request.build_absolute_uri(reverse("residents:back", args=[chosen.key]))
    ask = Ask.new(level, back)
    try:
        address = chosen.provider.authorize_url(ask)
    except ProviderDown as down:
        return _problem(request, down, onward, level)
    sessions.note_asked(request, ask, chosen.key, onward)
    return redirect(address)


@guarded("kernel.public")
@never_cache
def back(request: HttpRequest, provider: str) -> HttpResponse:
    """The way back from the province: take in who signed in, and go on to where one wanted to go."""
    home, state = reverse("residents:home"), request.GET.get("state", "")
    asked = sessions.take_asked(request, state)
    if asked is None:
        # The same address opened twice (double click, "back", a reload): the sign-in it belongs to is done.
        finished = sessions.finished_with(request, state)
        if finished is not None and isinstance(request.actor, Resident):
            return redirect(finished)
        return _problem(request, StrangeSignIn("它不是从这个浏览器开始的，或者已经用过、已经放弃。"), home, 1)
    known, ask = all_providers().get(provider), asked.ask
    if known is None or asked.provider != provider:
        return _problem(request, StrangeSignIn("回来的地址与开始登录时的不一致。"), asked.onward, ask.level)
    if asked.late:
        return _problem(request, StrangeSignIn("在省平台停留太久，这次登录已失效。"), asked.onward, ask.level)
    try:
        return _finish(request, known, asked)
    except Problem as problem:
        return _problem(request, problem, asked.onward, ask.level)


def _finish(request: HttpRequest, known: Known, asked: sessions.Asked) -> HttpResponse:
    identity = known.provider.finish(asked.ask, request.GET.dict())
    if identity.level < asked.ask.level:
        raise LevelTooLow(
            f"这一页需要“{LEVEL_WORDS[asked.ask.level]}”，您在{known.title}现在是“{LEVEL_WORDS[identity.level]}”。"
        )
    before = request.actor if isinstance(request.actor, Resident) else None
    row = actions.sign_in(
        known.actor,
        identity=identity,
        device=access.device(request.headers.get("User-Agent", "")),
        address=limits.client_address(request),
        at=sessions.machine_now(),
        previous=before.session_id if before else None,
    )
    sessions.begin(request, row, asked.ask.state, asked.onward)
    if before and before.account_id != row.account_id:
        messages.warning(request, "已换成另一个人登录。前一个人填写而没有提交的内容不会显示。")
    return redirect(asked.onward)


@guarded("kernel.public")
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; nothing of it stays in this browser's session."""
    if isinstance(request.actor, Resident):
        actions.leave(request)
        messages.success(request, "已退出。在公用电脑上，请同时在省平台退出。")
    return redirect("/")


# The front page -------------------------------------------------------------------------------------------------------


@resident_page()
def home(request: HttpRequest) -> HttpResponse:
    """One's own side of the portal: what waits for one, what is under way, what is new, and where the rest stands."""
    actor = request.actor
    panels = [
        (panel.template, found) for panel in hooks.panels() if (found := panel.context(actor)) is not None
    ]
    context = {
        "tasks": hooks.tasks_of(actor),
        "panels": panels,
        "news": list(queries.messages(actor).order_by("-id")[:5]),
        "choices": queries.choices(actor),
        "entries": [item for group in nav.items("my", actor, request) for item in group.items],
        "level": LEVEL_WORDS[actor.assurance],
    }
    return render(request, "residents/home.html", context)


# Acting for another ---------------------------------------------------------------------------------------------------


@resident_page()
def acting(request: HttpRequest) -> HttpResponse:
    """Whom one may act for; one click switches (POST)."""
    if request.method != "POST":
        return render(request, "residents/acting.html", {"choices": queries.choices(request.actor)})
    mandate = request.POST.get("mandate", "")
    row = actions.act_for(
        request.actor,
        principal=request.POST.get("principal", ""),
        mandate_id=int(mandate) if mandate.isdecimal() else None,
    )
    now = sessions.actor_of(row)
    messages.success(
        request,
        f"现在以{now.principal_name}（{now.capacity}）的身份办事。"
        if now.for_another
        else "现在以本人身份办事。",
    )
    wanted = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure()):
        wanted = reverse("residents:home")
    return redirect(wanted)


# Mandates -------------------------------------------------------------------------------------------------------------


@resident_page()
def mandates(request: HttpRequest) -> HttpResponse:
    """Who may act for one, and for whom one may act."""
    context = {
        "rows": registers.own_mandates(request.actor),
        "speaks": bool(registers.spoken_for(request.actor)),
    }
    return render(request, "residents/mandates.html", context)


@resident_page(registers.CHECKED)
def give_mandate(request: HttpRequest) -> HttpResponse:
    """Let somebody act for oneself, or for the organisation that one represents."""
    actor = request.actor
    form = forms.GiveMandateForm(request.POST or None, actor=actor)

    def run(data: dict, once: str):
        # Names and numbers could be tried out here; nobody gives twenty mandates an hour.
        limits.take(limits.Rate("give_mandate", 20, 3600), str(actor.account_id))
        return registers.give_mandate(actor, principal=str(actor.principal), once=once, **form.values(data))

    return form_view(
        request,
        form,
        run,
        "residents/give_mandate.html",
        {"speaks": bool(registers.spoken_for(actor))},
        back=reverse("residents:mandates"),
        done="已授权，等对方确认以后生效。",
    )


@resident_page(registers.CHECKED)
@require_POST
def confirm_mandate(request: HttpRequest, mandate_id: int) -> HttpResponse:
    """Agree to a mandate."""
    registers.confirm_own_mandate(request.actor, mandate_id=mandate_id)
    messages.success(request, "已确认，授权从今天起有效。")
    return redirect("residents:mandates")


@resident_page(registers.CHECKED)
@require_POST
def end_mandate(request: HttpRequest, mandate_id: int) -> HttpResponse:
    """End a mandate at once."""
    registers.end_own_mandate(request.actor, mandate_id=mandate_id)
    messages.success(request, "已终止，对方从现在起不能再据此代办。")
    return redirect("residents:mandates")


# Sessions -------------------------------------------------------------------------------------------------------------

CLAIMS = [
    ("姓名", "核对登记，写进您提交的申请"),
    ("证件类型和号码", "认出同一个人；号码加密保存，页面上只显示一部分"),
    ("实名等级", "决定您现在可以办哪些事"),
    ("企业名称、统一社会信用代码和您在企业的身份", "只有您选择以企业身份登录时才有"),
]
"""What the province tells at a sign-in, and what for (个人信息保护法 §17). The adapter reads nothing else."""


@resident_page()
def own_sessions(request: HttpRequest) -> HttpResponse:
    """Where one is signed in."""
    context = {
        "sessions": queries.sessions(request.actor),
        "claims": CLAIMS,
        "minutes": settings.LIANGZHU_RESIDENT_MINUTES,
    }
    return render(request, "residents/sessions.html", context)


@resident_page()
@require_POST
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """End one of one's sessions."""
    actions.end_session(request.actor, session_id=session_id, at=sessions.machine_now())
    if session_id == request.actor.session_id:
        request.session.flush()
        return redirect("/")
    messages.success(request, "已结束，那边下一次点击就要重新登录。")
    return redirect("residents:sessions")


@resident_page()
@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """End all of one's sessions but this one."""
    ended = actions.end_sessions(request.actor, at=sessions.machine_now())
    messages.success(request, f"其他 {ended} 处登录都已结束。" if ended else "没有其他登录。")
    return redirect("residents:sessions")


# Consents -------------------------------------------------------------------------------------------------------------


@resident_page()
def consents(request: HttpRequest) -> HttpResponse:
    """What one agreed to: who may read what, for which case, until when."""
    return render(request, "residents/consents.html", {"rows": queries.consents(request.actor)})


@resident_page()
@require_POST
def end_consent(request: HttpRequest, consent_id: int) -> HttpResponse:
    """Take a consent back."""
    consenting.end_consent(request.actor, consent_id=consent_id)
    messages.success(request, "已撤回，从现在起不能再据此读取。已经读取的，可以在用数轨迹里看到。")
    return redirect("residents:consents")


# Messages -------------------------------------------------------------------------------------------------------------


@resident_page()
def own_messages(request: HttpRequest) -> HttpResponse:
    """The messages of whom one acts for, newest first."""
    found = page(queries.messages(request.actor), request, order=("-id",), size=30)
    return render(
        request, "residents/messages.html", {"page": found, "new": queries.unread_count(request.actor)}
    )


@resident_page()
def message(request: HttpRequest, message_id: int) -> HttpResponse:
    """One message; opening it notes that it was read."""
    row = queries.message(request.actor, message_id)
    if row.read_at is None:
        actions.read_message(request.actor, message_id=row.pk)
    return render(request, "residents/message.html", {"message": row})


@resident_page()
@require_POST
def read_messages(request: HttpRequest) -> HttpResponse:
    """Note that all messages were read."""
    actions.read_all_messages(request.actor)
    return redirect("residents:messages")
