"""Verification without an account: by scan, by number and check code, by file, by what a holder shows."""

import base64

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from liangzhu.beams.trust.certificates import actions, queries, verifying
from liangzhu.beams.trust.certificates.drawing import platform_certificate
from liangzhu.beams.trust.certificates.pages import forms
from liangzhu.kernel import keys
from liangzhu.kernel.crypto import sm3_hex
from liangzhu.kernel.errors import TooLarge
from liangzhu.kernel.limits import Rate, address_key, take
from liangzhu.kernel.ui.forms import perform
from liangzhu.kernel.web import guarded

SCANS = Rate("verify.scan", 120)
TRIES = Rate("verify.try", 20)
OF_ONE = Rate("verify.one", 30, 3600)
"""A minute and address: what was scanned, what was typed or uploaded. An hour and number: tries at one check code."""


def _private(response: HttpResponse) -> HttpResponse:
    """Answers about one certificate belong into no cache and no search engine, and their address goes nowhere."""
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "same-origin"
    return response


def _page(request: HttpRequest, status: int = 200, **given) -> HttpResponse:
    context = {"find": forms.FindForm(), "file": forms.FileForm(), "code": forms.CodeForm(), **given}
    return _private(render(request, "certificates/verify.html", context, status=status))


def _answer(request: HttpRequest, verdict: verifying.Verdict, how: str) -> HttpResponse:
    status = 404 if verdict.state == "unknown" and how == "scan" else 200
    if request.headers.get("Accept", "").startswith("application/json"):
        told = {"ensure_ascii": False, "indent": 1}
        return _private(JsonResponse(verdict.as_json(), status=status, json_dumps_params=told))
    return _private(
        render(
            request,
            "certificates/verified.html",
            {"it": verdict, "row": verdict.row, "how": how},
            status=status,
        )
    )


@guarded("certificates.verify")
def verify(request: HttpRequest) -> HttpResponse:
    """The ways to verify; a number with its check code is answered here."""
    if request.method != "POST":
        return _page(request)
    take(TRIES, address_key(request))
    form = forms.FindForm(request.POST)
    if not form.is_valid():
        return _page(request, 422, find=form)
    number = form.cleaned_data["number"].strip()
    take(OF_ONE, sm3_hex(number.upper().encode())[:32])
    verdict = verifying.by_number(number, form.cleaned_data["code"])
    if verdict.state == "unknown":
        return _page(request, find=form, verdict=verdict)
    return _answer(request, verdict, "number")


@guarded("certificates.verify")
@require_safe
def verified(request: HttpRequest, ident: str) -> HttpResponse:
    """What the address of a QR code leads to."""
    take(SCANS, address_key(request))
    return _answer(request, verifying.by_ident(ident), "scan")


@guarded("certificates.verify")
@require_POST
def verify_file(request: HttpRequest) -> HttpResponse:
    """Check an uploaded PDF or JSON; it is not kept."""
    take(TRIES, address_key(request))
    form = forms.FileForm(request.POST, request.FILES)
    found: list[verifying.Verdict] = []

    def check(data: dict, once: str) -> None:
        upload = data["file"]
        if upload.size > settings.LIANGZHU_MAX_UPLOAD:
            raise TooLarge("文件太大，不是这里发出的证照或文书。")
        found.append(verifying.by_file(upload.name or "", upload.read()))

    done = perform(request, form, check)
    if not done.ok:
        return _page(request, done.status, file=form)
    return _answer(request, found[0], "file")


@guarded("certificates.verify")
@require_POST
def share_by_code(request: HttpRequest) -> HttpResponse:
    """The typed way to what a holder shows: the same page as by scanning."""
    take(TRIES, address_key(request))
    form = forms.CodeForm(request.POST)
    if not form.is_valid():
        return _page(request, 422, code=form)
    row = queries.share_by_code(form.cleaned_data["code"])
    if row is None:
        form.problem = actions.ShareUnknown("没有这个出示码。")
        return _page(request, 404, code=form)
    request.session["certificate_share"] = row.pk
    return redirect("certificates:shared", token="code")


@guarded("certificates.verify")
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """What a holder shows: who looks says who he is, and sees it once."""
    take(SCANS if request.method == "GET" else TRIES, address_key(request))
    row = queries.share_typed(request.session.get("certificate_share")) if token == "code" else None
    row = row or queries.share_by_token(token)
    if row is None:
        raise actions.ShareUnknown("没有这次出示。")
    actions.open_still(row)
    staff = request.actor.signed_in
    sent = request.POST if request.method == "POST" else None
    form = (forms.StaffVerifierForm if staff else forms.VerifierForm)(sent)
    done = perform(
        request,
        form,
        lambda data, once: actions.open_share(
            request.actor, share_id=row.pk, verifier=data.get("verifier", ""), once=once
        ),
    )
    context = {"view": queries.view_of(row.certificate), "form": form, "row": row}
    if done.ok and not done.already:
        request.session.pop("certificate_share", None)
        context |= {"facts": actions.share_shown(done.result, request.actor), "seal": row.certificate.seal}
    return _private(render(request, "certificates/shared.html", context, status=done.status))


@guarded("certificates.verify")
@require_safe
def seal_keys(request: HttpRequest) -> HttpResponse:
    """The public keys of all seals, as JSON, for whoever verifies offline."""
    return JsonResponse(
        {"seals": verifying.public_keys()}, json_dumps_params={"ensure_ascii": False, "indent": 1}
    )


@guarded("certificates.verify")
@require_safe
def platform(request: HttpRequest) -> HttpResponse:
    """The platform's X.509 certificate, which readers of PDF can be told to trust."""
    text = base64.encodebytes(platform_certificate(keys.current("paper"))).decode()
    body = f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"
    return HttpResponse(body, content_type="application/x-pem-file")
