"""The API of files: given first, then named in a step."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from ninja import File, UploadedFile
from pydantic import Field

from liangzhu.beams.work.files import actions, queries
from liangzhu.beams.work.files.models import Attachment
from liangzhu.beams.work.files.storing import content
from liangzhu.kernel.http import Id, Instant, Router, Schema

router = Router("files", "附件")
FileId = Annotated[Id, Field(description="附件标识")]


class AttachmentOut(Schema):
    """A file (附件)."""

    id: Id
    name: str = Field(examples=["方案.pdf"])
    size: int = Field(description="字节", examples=[20480])
    media_type: str = Field(description="按内容识别", examples=["application/pdf"])
    fingerprint: str = Field(description="内容的 SM3（GB/T 32905），十六进制")
    uploaded_at: Instant


def _file(row: Attachment) -> AttachmentOut:
    return AttachmentOut(
        id=row.pk,
        name=row.name,
        size=row.size,
        media_type=row.media_type,
        fingerprint=row.fingerprint,
        uploaded_at=row.uploaded_at,
    )


@router.change(
    "/files",
    policy="files.upload",
    answer=AttachmentOut,
    summary="上传附件",
    status=201,
    media="multipart/form-data",
)
def upload(request: HttpRequest, file: File[UploadedFile]) -> AttachmentOut:
    """上传一个文件，办理步骤时用它的标识。七天内没有用到的会清除。"""
    return _file(actions.stage(request.actor, upload=file))


@router.read("/files/{file_id}", policy="files.download", answer=AttachmentOut, summary="一个附件")
def file(request: HttpRequest, file_id: FileId) -> AttachmentOut:
    """附件的名称、大小和指纹。"""
    return _file(queries.attachment(request.actor, file_id))


@router.read(
    "/files/{file_id}/content", policy="files.download", answer=None, summary="下载附件", binary=True
)
def download(request: HttpRequest, file_id: FileId) -> HttpResponse:
    """附件的内容。"""
    row = queries.attachment(request.actor, file_id)
    response = HttpResponse(content(row), content_type=row.media_type)
    response.headers["Content-Disposition"] = content_disposition_header(True, row.name)
    return response
