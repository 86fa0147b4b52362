"""What every page knows: the shells, the district, the demonstration day, the mode, and who is at work."""

from typing import Any

from django.http import HttpRequest

from liangzhu.kernel.now import demo_date
from liangzhu.kernel.pack import pack

SHELLS = {
    "portal": "site/portal.html",
    "workbench": "site/workbench.html",
    "command": "site/command.html",
}
MODES = ("standard", "elder")
MODE_COOKIE = "mode"


def mode_of(request: HttpRequest) -> str:
    """The reading mode chosen in this browser: ``standard`` or ``elder`` (长者模式)."""
    chosen = request.COOKIES.get(MODE_COOKIE, "")
    return chosen if chosen in MODES else MODES[0]


def site(request: HttpRequest) -> dict[str, Any]:
    """The context processor of the site.

    ``shells`` names the base templates, ``shells.current`` the one for whoever asks: pages that staff and the public share
    extend that. ``face`` is its name, ``mode`` standard or elder, ``district`` the names and telephone of the pack.
    """
    face = "workbench" if request.actor.signed_in else "portal"
    return {
        "shells": {**SHELLS, "current": SHELLS[face]},
        "face": face,
        "mode": mode_of(request),
        "demo_date": demo_date(),
        "district": pack().district,
    }
