"""The pages of this app."""

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from liangzhu.beams.work.files import queries
from liangzhu.beams.work.files.storing import content
from liangzhu.kernel.web import guarded


@guarded("files.download")
@require_safe
def download(request: HttpRequest, attachment_id: int) -> HttpResponse:
    """A file, always as a download: what somebody uploaded is never run as a page of ours."""
    row = queries.attachment(request.actor, attachment_id)
    text = row.media_type.startswith("text/")
    response = HttpResponse(
        content(row), content_type=f"{row.media_type}; charset=utf-8" if text else row.media_type
    )
    response.headers["Content-Disposition"] = content_disposition_header(True, row.name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    return response
