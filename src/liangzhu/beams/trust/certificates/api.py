"""The front door of this app."""

from liangzhu.beams.trust.certificates.actions import share
from liangzhu.beams.trust.certificates.issuing import change_state, issue, revoke
from liangzhu.beams.trust.certificates.kinds import Kind, NotIssuer, catalogue, issued_by, kind_of
from liangzhu.beams.trust.certificates.loaders import load_certificates, load_samples
from liangzhu.beams.trust.certificates.papers import TEMPLATES, sealed_document
from liangzhu.beams.trust.certificates.queries import (
    CertificateView,
    held_by,
    paper_pdf,
    papers_of,
    values_of,
)
from liangzhu.beams.trust.certificates.stamping import NoSeal

__all__ = [
    "TEMPLATES",
    "CertificateView",
    "Kind",
    "NoSeal",
    "NotIssuer",
    "catalogue",
    "change_state",
    "held_by",
    "issue",
    "issued_by",
    "kind_of",
    "load_certificates",
    "load_samples",
    "paper_pdf",
    "papers_of",
    "revoke",
    "sealed_document",
    "share",
    "values_of",
]
