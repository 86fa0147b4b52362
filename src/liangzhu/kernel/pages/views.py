"""Deliveries that failed: what, for which thing, why, what waits behind; and what a person does about it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from liangzhu.kernel import outbox
from liangzhu.kernel.pages.forms import SkipAllForm, SkipForm
from liangzhu.kernel.paging import page
from liangzhu.kernel.ui.forms import perform, press
from liangzhu.kernel.web import guarded


@guarded("kernel.operate")
def deliveries(request: HttpRequest) -> HttpResponse:
    """What was given up (``state=dead``) or is being tried again (``retrying``), of all handlers or one."""
    state = "retrying" if request.GET.get("state") == "retrying" else "dead"
    handler = request.GET.get("handler", "")[:120]
    rows = outbox.troubles(request.actor, state=state, handler=handler)
    found = page(rows, request, order=("-id",), size=20)
    context = {
        "state": state,
        "handler": handler,
        "page": found,
        "rows": outbox.trouble_rows(request.actor, found.rows),
        "handlers": outbox.troubled_handlers(request.actor),
        "now": outbox.outbox_state(),
    }
    return render(request, "kernel/deliveries.html", context)


@guarded("kernel.operate")
@require_POST
def replay(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Try one again now."""
    press(
        request,
        lambda: outbox.replay_delivery(request.actor, delivery_id=delivery_id),
        "已重新排入投递；仍然失败的话会再次出现在这里。",
    )
    return redirect("kernel:deliveries")


@guarded("kernel.operate")
@require_POST
def replay_handler(request: HttpRequest) -> HttpResponse:
    """Try again everything that was given up of one handler."""
    handler = request.POST.get("handler", "")[:120]
    press(
        request,
        lambda: outbox.replay_handler(request.actor, handler=handler),
        lambda count: f"已重新排入 {count} 个投递。",
    )
    return redirect("kernel:deliveries")


@guarded("kernel.operate")
def skip(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Let one go undelivered, with a reason."""
    row = outbox.trouble(request.actor, delivery_id)
    form = SkipForm(request.POST or None)
    done = perform(
        request,
        form,
        lambda data, once: outbox.skip_delivery(
            request.actor, delivery_id=delivery_id, reason=data["reason"], once=once
        ),
    )
    if done.ok:
        messages.success(request, "已跳过，理由已记入操作日志；排在后面的继续投递。")
        return redirect("kernel:deliveries")
    context = {"form": form, "row": outbox.trouble_rows(request.actor, [row])[0]}
    return render(request, "kernel/skip.html", context, status=done.status)


@guarded("kernel.operate")
def skip_handler(request: HttpRequest) -> HttpResponse:
    """Let what was given up of one handler go undelivered, with one reason: as many as the page said, and no more."""
    seen = outbox.given_up(request.actor, request.GET.get("handler", "")[:120])
    form = SkipAllForm(request.POST or None, initial={"until": seen.until, "seen": seen.count})
    done = perform(
        request,
        form,
        lambda data, once: outbox.skip_handler(request.actor, handler=seen.handler, once=once, **data),
    )
    if done.ok:
        if not done.already:
            messages.success(request, f"已跳过 {done.result} 个，理由已记入操作日志；排在后面的继续投递。")
        return redirect("kernel:deliveries")
    return render(request, "kernel/skip_handler.html", {"form": form, "seen": seen}, status=done.status)
