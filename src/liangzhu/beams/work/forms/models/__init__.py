"""The tables of this app."""

from liangzhu.beams.work.forms.models.draft import CoSignature, Draft
from liangzhu.beams.work.forms.models.snapshot import Snapshot

__all__ = ["CoSignature", "Draft", "Snapshot"]
