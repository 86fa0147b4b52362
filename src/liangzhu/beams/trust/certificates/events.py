"""What this app announces. No event carries a personal value."""

from dataclasses import dataclass

from liangzhu.kernel.events import event
from liangzhu.kernel.refs import Ref


@event("certificates.issued", "证照核发", outside=("kind", "unit_id"))
@dataclass(frozen=True)
class CertificateIssued:
    """A certificate came into being. ``holder`` and ``matter`` are Refs as text; ``matter`` may be empty."""

    subject: Ref
    kind: str
    unit_id: int
    holder: str
    matter: str


@event("certificates.changed", "证照状态变动", outside=("kind", "state"))
@dataclass(frozen=True)
class CertificateChanged:
    """A certificate came into another state (01 有效 … 99)."""

    subject: Ref
    kind: str
    holder: str
    operation: str
    state: str


@event("certificates.shared", "证照出示")
@dataclass(frozen=True)
class CertificateShown:
    """Somebody looked at what a holder showed. ``fields`` are names with blanks between."""

    subject: Ref
    holder: str
    share_id: int
    fields: str
    used_by: str


@event("certificates.paper_issued", "文书出具")
@dataclass(frozen=True)
class PaperIssued:
    """A numbered voucher or decision was issued."""

    subject: Ref
    template: str
    matter: str
