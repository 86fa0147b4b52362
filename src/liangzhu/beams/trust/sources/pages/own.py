"""Pages of the resident's side: who read my data, one reading, a receipt."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from liangzhu.beams.people.residents.api import resident_page
from liangzhu.beams.trust.sources import actions, queries
from liangzhu.kernel.paging import page
from liangzhu.kernel.ui.forms import Form, TextField, form_view

LEVEL = 2


class WhyForm(Form):
    """What one wants to know of a reading."""

    text = TextField(
        label="您想问什么", rows=3, max_length=500, help_text="例如：我没有办这件事，为什么查我的户籍？"
    )


@resident_page(level=LEVEL)
@require_safe
def trail(request: HttpRequest) -> HttpResponse:
    """Every reading of one's data, the newest first; with ``?others=1`` without what one read oneself."""
    others = request.GET.get("others") == "1"
    found = page(queries.own_trail(request.actor, others=others), request, order=("-id",), size=20)
    lines = queries.lines(request.actor, found.rows)
    return render(request, "sources/trail.html", {"page": found, "lines": lines, "others": others})


@resident_page(level=LEVEL)
def read(request: HttpRequest, read_id: int) -> HttpResponse:
    """One reading; and asking the unit why."""
    line = queries.own_read(request.actor, read_id)
    return form_view(
        request,
        WhyForm(request.POST or None),
        lambda data, once: actions.ask_why(request.actor, read_id=read_id, once=once, text=data["text"]),
        "sources/read.html",
        {"line": line},
        back=reverse("sources:own_read", args=[read_id]),
        done="已经转给读取单位。答复会发到“我的消息”。",
    )


@resident_page(level=LEVEL)
@require_safe
def receipt(request: HttpRequest, receipt: str) -> HttpResponse:
    """One receipt: what was read, by whom, for what, on which ground; and how to check it."""
    return render(request, "sources/receipt.html", {"row": queries.receipt(request.actor, receipt)})


@resident_page(level=LEVEL)
@require_safe
def receipt_file(request: HttpRequest, receipt: str) -> HttpResponse:
    """The receipt as a file for the offline verifier; ``?values=1`` with what was read."""
    made = queries.receipt_file(request.actor, receipt, values=request.GET.get("values") == "1")
    answer = JsonResponse(made, json_dumps_params={"ensure_ascii": False, "indent": 1})
    answer["Content-Disposition"] = f'attachment; filename="receipt-{receipt}.json"'
    return answer
