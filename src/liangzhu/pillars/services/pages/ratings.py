"""Pages of ratings: by number and code, one's own, and the figures."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from liangzhu.beams.people.residents import api as residents
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.limits import Rate, address_key, take
from liangzhu.kernel.paging import page
from liangzhu.kernel.ui.forms import Form, TextField, form_view
from liangzhu.kernel.web import guarded
from liangzhu.pillars.services.actions import ratings as actions
from liangzhu.pillars.services.models import Rating
from liangzhu.pillars.services.queries import ratings as queries

TRIES = Rate("rating.try", 20)
OF_ONE = Rate("rating.one", 10, 3600)
"""A minute and address; an hour and number."""

FOLDER = "services/ratings/"


class RatingForm(Form):
    """Five levels, and a word."""

    level = forms.TypedChoiceField(
        label="您觉得办得怎么样", choices=Rating.LEVELS, coerce=int, widget=forms.RadioSelect
    )
    comment = TextField(
        label="说说哪里好、哪里不好",
        required=False,
        max_length=1000,
        rows=3,
        help_text="评不满意的，请写一句。",
    )


class CodeForm(RatingForm):
    """The same, with number and code."""

    fieldsets = (("凭证上的号码", ("number", "code")),)
    number = forms.CharField(label="评价号", max_length=20, help_text="例如 HP-2022-000001。")
    code = forms.CharField(label="评价码", max_length=20, help_text="8 位字母和数字。")


@guarded("kernel.public")
def rate(request: HttpRequest) -> HttpResponse:
    """Rate with the number and code of a paper, without an account."""
    if request.method == "POST":
        take(TRIES, address_key(request))
    # The QR code on the slip and on the window's screen carries both numbers.
    told = {name: request.GET.get(name, "")[:20] for name in ("number", "code")}
    form = CodeForm(request.POST or None, initial=told)

    def run(data, once):
        number, code = data.pop("number"), data.pop("code")
        row = queries.by_number(number)
        if row is None:
            raise NotThere("没有找到这次评价，或者评价码不对。", todo="请核对受理凭证上的评价号和评价码。")
        take(OF_ONE, row.number)
        return actions.give(request.actor, rating_id=row.pk, code=code, channel="code", once=once, **data)

    return form_view(
        request,
        form,
        run,
        FOLDER + "rate.html",
        {},
        back=reverse("services:rate"),
        done="已收到您的评价，谢谢。",
    )


@residents.resident_page(level=1)
def mine(request: HttpRequest) -> HttpResponse:
    """What one was asked to rate."""
    found = page(queries.own(request.actor), request, ("-asked_at", "-id"), 20)
    return render(request, FOLDER + "mine.html", {"page": found})


@residents.resident_page(level=1)
def my_rating(request: HttpRequest, rating_id: int) -> HttpResponse:
    """Rate one thing, or read what came of it."""
    row = queries.own_one(request.actor, rating_id)
    may = row.state in (row.ASKED, row.DEFAULT) or row.may_again
    return form_view(
        request,
        RatingForm(request.POST or None),
        lambda data, once: actions.give(request.actor, rating_id=row.pk, once=once, **data),
        FOLDER + "my_rating.html",
        {"row": row, "may": may, "back": reverse("services:my_ratings")},
        back=reverse("services:my_ratings"),
        done="已收到您的评价，谢谢。",
    )


@guarded("services.read_ratings")
def desk(request: HttpRequest) -> HttpResponse:
    """Figures by unit, item, clerk; the bad ones of one's unit that are open."""
    by = request.GET.get("by", "unit")
    by = by if by in ("unit", "item", "clerk") else "unit"
    ways = [("unit", "按单位"), ("item", "按事项"), ("clerk", "本单位经办人")]
    context = {
        "rows": queries.figures(request.actor, by),
        "by": by,
        "ways": ways,
        "bad": queries.open_bad(request.actor)[:50],
    }
    return render(request, FOLDER + "desk.html", context)
