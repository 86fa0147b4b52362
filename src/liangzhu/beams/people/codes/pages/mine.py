"""My code: for myself, for the enterprise that I represent, for whom I act for."""

from datetime import timedelta

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe

from liangzhu.beams.people.codes import checking, outlets, showing
from liangzhu.beams.people.codes.errors import CodeProblem, NoIssuer
from liangzhu.beams.people.residents.api import resident_page
from liangzhu.kernel.now import SHANGHAI

KEPT = "codes_showing"
"""In the browser's session: for whom one shows, and the issuer's name for this showing."""

KIND_WORDS = {"person": "本人", "enterprise": "企业", "agent": "代办"}


def qr(text: str) -> SafeString:
    """A QR code (GB/T 18284) as SVG without a size of its own; upper case only, so that it needs few dots."""
    code = segno.make(text, error="m", micro=False)
    return mark_safe(code.svg_inline(omitsize=True, border=4, svgclass="qr", lineclass=None))


@resident_page(level=2)
def show(request: HttpRequest) -> HttpResponse:
    """A fresh code. Every opening of the page is a new one; the one before is good no more."""
    actor = request.actor
    chosen = list(showing.wanted_of(actor, request.GET.getlist("licence")))
    of = "enterprise" if actor.organisation is not None else "person"
    context = {
        "licences": [
            (one.key, one.title, one.key in chosen)
            for one in outlets.licence_kinds().values()
            if one.of == of
        ],
        "chosen": [one.title for key, one in outlets.licence_kinds().items() if key in chosen],
        "kind": KIND_WORDS[showing.kind_of(actor)],
        "name": actor.principal_name,
        "again": f"{reverse('codes:show')}?{urlencode({'licence': chosen}, doseq=True)}".rstrip("?"),
    }
    me = [actor.session_id, str(actor.principal), actor.mandate_id]
    kept = request.session.get(KEPT)
    session = kept[1] if kept and kept[0] == me else ""
    status = 200
    try:
        made = showing.show(actor, session=session, licences=chosen)
    except (CodeProblem, NoIssuer) as problem:
        context["problem"], status = problem, problem.status
    else:
        if made.session != session:
            request.session[KEPT] = [me, made.session]
        until = checking.machine_now() + timedelta(seconds=made.seconds)
        context |= {"made": made, "qr": qr(made.content), "until": f"{until.astimezone(SHANGHAI):%H:%M:%S}"}
    return render(request, "codes/show.html", context, status=status)
