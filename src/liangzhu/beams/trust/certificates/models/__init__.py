"""The tables of this app."""

from liangzhu.beams.trust.certificates.models.certificates import Certificate, Change, Share
from liangzhu.beams.trust.certificates.models.papers import Paper, PlatformCertificate
from liangzhu.beams.trust.certificates.models.seals import Seal

__all__ = ["Certificate", "Change", "Paper", "PlatformCertificate", "Seal", "Share"]
