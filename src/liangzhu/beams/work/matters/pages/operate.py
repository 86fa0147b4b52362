"""Timers whose step failed: of which matter, why, and what an administrator does about it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from liangzhu.beams.work.matters import queries
from liangzhu.beams.work.matters import timers as by_time
from liangzhu.kernel.paging import page
from liangzhu.kernel.ui.forms import press
from liangzhu.kernel.web import guarded


@guarded("kernel.operate")
def timers(request: HttpRequest) -> HttpResponse:
    """What was given up (``state=dead``), or is being tried again (``retrying``)."""
    state = "retrying" if request.GET.get("state") == "retrying" else "dead"
    found = page(queries.failed_timers(request.actor, state=state), request, order=("-id",), size=20)
    context = {
        "state": state,
        "page": found,
        "rows": queries.failed_timer_rows(request.actor, found.rows),
        "now": queries.timer_state(),
    }
    return render(request, "matters/timers.html", context)


@guarded("kernel.operate")
@require_POST
def retry(request: HttpRequest, timer_id: int) -> HttpResponse:
    """Try one again."""
    press(
        request,
        lambda: by_time.retry_timer(request.actor, timer_id=timer_id),
        "已重新排入，后台进程一分钟内再办；仍然失败的话会再次出现在这里。",
    )
    return redirect("matters:timers")
