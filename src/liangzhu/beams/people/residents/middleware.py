"""The resident in a request, after the staff's middleware found nobody."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from liangzhu.beams.people.residents import actions, sessions
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.web import problem_response


class ResidentMiddleware:
    """Set ``request.actor`` to the resident of the browser's session; ``request.resident_over`` says why there is none any more.

    ``request.resident_account`` is the account that this browser was signed in with last, also after its end: what was
    typed then is given back to nobody else.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:  # noqa: D102
        request.resident_account, request.resident_over, request.resident_refused = None, "", None
        if not request.user.is_authenticated:
            self._find(request)
        return self.get_response(request)

    def _find(self, request: HttpRequest) -> None:
        found = sessions.find(request)
        if found.row is None:
            return
        row = found.row
        request.resident_account = row.account_id
        if found.over:
            request.resident_over = found.over
            if row.ended_at is None:
                actions.close_session(SYSTEM, session_id=row.pk, reason=found.over, at=sessions.machine_now())
            return
        if found.ended:
            actions.stop_acting(SYSTEM, session_id=row.pk, why=found.ended.detail)
            row.organisation = row.mandate = None
            # What was asked was asked for another; nothing of it may be done in one's own name.
            request.resident_refused = found.ended
        request.actor = sessions.actor_of(row, request.request_id)
        sessions.keep_alive(request, row)

    def process_view(
        self, request: HttpRequest, view: Callable, args: tuple, kwargs: dict
    ) -> HttpResponse | None:
        """Answer with the reason where the right to act for another has just ended."""
        if request.resident_refused is not None:
            return problem_response(request, request.resident_refused)
        return None
