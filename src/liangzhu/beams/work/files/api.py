"""The front door of this app."""

from liangzhu.beams.work.files.actions import stage
from liangzhu.beams.work.files.fields import StagedFilesField
from liangzhu.beams.work.files.kinds import KINDS
from liangzhu.beams.work.files.models import Attachment
from liangzhu.beams.work.files.queries import attachment, guard_downloads, of, of_each, staged
from liangzhu.beams.work.files.storing import attach, content, detach, hand_on, store

__all__ = [
    "KINDS",
    "Attachment",
    "StagedFilesField",
    "attach",
    "attachment",
    "content",
    "detach",
    "guard_downloads",
    "hand_on",
    "of",
    "of_each",
    "stage",
    "staged",
    "store",
]
