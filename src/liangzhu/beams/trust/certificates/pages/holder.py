"""A holder's own certificates: list, one in full, its files, and showing chosen fields."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from liangzhu.beams.people.residents.api import resident_page
from liangzhu.beams.trust.certificates import actions, queries
from liangzhu.beams.trust.certificates.drawing import qr
from liangzhu.beams.trust.certificates.pages import forms
from liangzhu.beams.trust.certificates.stamping import address_of, written_code
from liangzhu.kernel.ui.forms import perform


@resident_page()
def mine(request: HttpRequest) -> HttpResponse:
    """My certificates, masked."""
    return render(request, "certificates/mine.html", {"rows": queries.mine(request.actor)})


@resident_page(level=2)
def own(request: HttpRequest, certificate_id: int) -> HttpResponse:
    """One of my certificates, in full."""
    row = queries.own(request.actor, certificate_id)
    view = queries.view_of(row)
    response = render(
        request,
        "certificates/own.html",
        {
            "row": row,
            "view": view,
            "facts": queries.own_in_full(request.actor, row),
            "shares": queries.shares_of(row),
            "qr": qr(address_of(row.ident)),
            "code": "" if view.gone else written_code(row.check_code),
        },
    )
    response["Cache-Control"] = "no-store"
    return response


@resident_page(level=2)
@require_safe
def own_pdf(request: HttpRequest, certificate_id: int) -> HttpResponse:
    """My certificate as PDF."""
    return download(*queries.own_file(request.actor, certificate_id), "application/pdf")


@resident_page(level=2)
@require_safe
def own_json(request: HttpRequest, certificate_id: int) -> HttpResponse:
    """The file by which my certificate is checked offline."""
    return download(*queries.own_json(request.actor, certificate_id), "application/json")


def download(name: str, body: bytes, media_type: str) -> HttpResponse:
    """A file, always as a download, never kept by a cache."""
    response = HttpResponse(body, content_type=media_type)
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


@resident_page(level=2)
def show(request: HttpRequest, certificate_id: int) -> HttpResponse:
    """Choose fields, then hold out the QR code, or say the code; both are equal, and good for three minutes."""
    row = queries.own(request.actor, certificate_id)
    view = queries.view_of(row)
    choices = [("holder", "持证主体"), *((key, title) for key, title, _ in view.fields)]
    form = forms.ShowForm(request.POST or None, choices=choices)
    done = perform(
        request,
        form,
        lambda data, once: actions.share(
            request.actor, certificate_id=row.pk, fields=data["fields_shown"], once=once
        ),
    )
    context = {"row": row, "view": view, "form": form}
    if done.ok and not done.already:
        made = done.result
        address = address_of("s")[:-1] + f"/{made.token}/"
        context |= {
            "qr": qr(address),
            "address": address,
            "code": f"{made.code[:3]} {made.code[3:6]} {made.code[6:]}",
            "seconds": actions.SHARE_SECONDS,
            "chosen": [title for key, title in choices if key in made.row.fields.split()],
        }
    response = render(request, "certificates/show.html", context, status=done.status)
    response["Cache-Control"] = "no-store"
    return response
