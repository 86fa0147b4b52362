"""`filling`: what stands between a request and a page on which staff or residents fill in a form."""

import functools
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from liangzhu.beams.people.residents.api import Resident, resident_page
from liangzhu.beams.work.forms import queries, registry
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.web import guarded


def filling(policy_name: str) -> Callable[[Callable], Callable]:
    """Let a view run for whom the policy allows; who is not signed in is sent to where forms of that kind are filled in from.

    Residents go to the province and come back with what they typed; everybody else signs in as staff.
    """

    def wrap(view: Callable) -> Callable:
        staff, resident = guarded(policy_name)(view), resident_page()(view)

        @functools.wraps(view)
        def run(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            if isinstance(request.actor, Resident) or (
                not request.actor.signed_in and _for_residents(request, kwargs)
            ):
                return resident(request, *args, **kwargs)
            return staff(request, *args, **kwargs)

        run.policy_name = policy_name
        return run

    return wrap


def _for_residents(request: HttpRequest, kwargs: dict) -> bool:
    """Whether what is asked for is about a kind of thing that residents fill in forms about."""
    subject = (
        queries.subject_of(**kwargs)
        if kwargs.keys() & {"draft_id", "snapshot_id", "signature_id"}
        else request.GET.get("for", "")
    )
    try:
        kind = registry.subjects.get(Ref.parse(subject).kind) if subject else None
    except ValueError:
        return False
    return kind is not None and kind.residents
