"""What every page knows: the shells, the district, the demonstration day, the mode, and who is at work."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse_lazy

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.residents import api as residents
from liangzhu.kernel.now import demo_date
from liangzhu.kernel.pack import pack
from liangzhu.kernel.policies import get_policy

SHELLS = {
    "portal": "site/portal.html",
    "workbench": "site/workbench.html",
    "command": "site/command.html",
}
LINKS = {"api_docs": reverse_lazy("site:api_docs"), "start": reverse_lazy("site:start")}
"""Pages of the site that pages of the apps may lead to."""

MODES = ("standard", "elder")
MODE_COOKIE = "mode"


class Me:
    """Who is at work, for the rail: unit, name and post, and the posts to switch to; one alone leaves nothing to switch to."""

    def __init__(self, staff: directory.Staff):
        self.label = staff.label
        self.unit = directory.unit_name(staff.unit_id)
        self.post_id = staff.post_id
        self.withheld = staff.withheld
        self.posts = staff.open_posts


def mode_of(request: HttpRequest) -> str:
    """The reading mode chosen in this browser: ``standard`` or ``elder`` (长者模式)."""
    chosen = request.COOKIES.get(MODE_COOKIE, "")
    return chosen if chosen in MODES else MODES[0]


def site(request: HttpRequest) -> dict[str, Any]:
    """The context processor of the site.

    ``links`` are pages that apps may lead to. ``shells`` names the base templates, ``shells.current`` the one for whoever asks: pages that staff and the
    public share extend that. ``face`` is its name, ``mode`` standard or elder, ``district`` what `pack.toml` says,
    ``me`` who is at work or None, ``works`` whether the post has an inbox (who only keeps the system has none),
    ``resident`` the resident who signed in or None, ``may_sign_in`` whether residents can (a provider is connected).
    """
    face = "workbench" if request.actor.signed_in else "portal"
    return {
        "links": LINKS,
        "shells": {**SHELLS, "current": SHELLS[face]},
        "face": face,
        "mode": mode_of(request),
        "demo_date": demo_date(),
        "district": pack().district,
        "works": get_policy("matters.work")(request.actor),
        "me": Me(request.actor) if isinstance(request.actor, directory.Staff) else None,
        "resident": residents.Header(request.actor)
        if isinstance(request.actor, residents.Resident)
        else None,
        "may_sign_in": bool(residents.all_providers()),
    }
