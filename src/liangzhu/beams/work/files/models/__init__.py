"""The tables of this app."""

from liangzhu.beams.work.files.models.attachment import Attachment

__all__ = ["Attachment"]
