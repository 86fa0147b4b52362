"""The tables of this app."""

from liangzhu.beams.work.forms.models.draft import CoSignature, Draft
from liangzhu.beams.work.forms.models.snapshot import Signer, Snapshot

__all__ = ["CoSignature", "Draft", "Signer", "Snapshot"]
