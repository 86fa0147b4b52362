"""The portal as an application on a phone's home screen: manifest, service worker, and the page shown without a network.

W3C Web Application Manifest; Service Workers. What the worker keeps is the offline page and static files, never a personal page.
"""

import hashlib
import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import get_template, render_to_string
from django.templatetags.static import static
from django.urls import reverse

from liangzhu.kernel.now import demo_date
from liangzhu.kernel.pack import pack
from liangzhu.kernel.ui.templatetags.ui import bundle
from liangzhu.kernel.web import guarded

ICONS = (("ui/icon-192.png", "192x192", "any"), ("ui/icon-512.png", "512x512", "any"))
MASKABLE = ("ui/icon-maskable-512.png", "512x512", "maskable")
"""Drawn from `ui/icon.svg` by `tools/icons.py`; a maskable one fills its square, its mark inside the safe circle."""

SHORTCUTS = (
    ("找要办的事", "services:home"),
    ("我的办件", "residents:home"),
    ("查办理进度", "services:look_up"),
)
ACTION, PAPER = "#0b5f66", "#fbfaf7"


@guarded("kernel.public")
def manifest(request: HttpRequest) -> HttpResponse:
    """Name, marks and first page of the installed portal."""
    district = pack().district
    icons = [
        {"src": static(name), "sizes": sizes, "type": "image/png", "purpose": purpose}
        for name, sizes, purpose in (*ICONS, MASKABLE)
    ]
    icons.append({"src": static("ui/icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"})
    answer = JsonResponse(
        {
            "id": "/",
            "name": f"{district['name']}政务服务",
            "short_name": f"{district['short']}政务",
            "description": f"{district['name']}的办事指南、网上申请、办件进度和证照核验。",
            "lang": "zh-Hans",
            "dir": "ltr",
            "start_url": reverse("site:home"),
            "scope": "/",
            "display": "standalone",
            "background_color": PAPER,
            "theme_color": ACTION,
            "categories": ["government"],
            "icons": icons,
            "shortcuts": [{"name": name, "url": reverse(route)} for name, route in SHORTCUTS],
        },
        content_type="application/manifest+json; charset=utf-8",
        json_dumps_params={"ensure_ascii": False},
    )
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer


@guarded("kernel.public")
def service_worker(request: HttpRequest) -> HttpResponse:
    """The worker's script; it lies at the root because its scope is everything below its own address."""
    keep = [*bundle(), static("ui/icon.svg")]
    page = _offline()
    source = get_template("site/service_worker.js").template.source
    version = hashlib.sha256("\n".join([source, page, *keep]).encode()).hexdigest()[:12]
    settings = {
        "name": f"liangzhu-{version}",
        "page": reverse("site:offline"),
        "keep": keep,
        "static": static(""),
    }
    script = f"const SETTINGS = {json.dumps(settings)};\n{source}"
    answer = HttpResponse(script, content_type="text/javascript; charset=utf-8")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@guarded("kernel.public")
def offline(request: HttpRequest) -> HttpResponse:
    """What a phone without a network shows instead of a page. The same for everybody, whoever asks: browsers keep it."""
    return HttpResponse(_offline())


def _offline() -> str:
    context = {"district": pack().district, "demo_date": demo_date(), "mode": "elder"}
    return render_to_string("site/offline.html", context)
