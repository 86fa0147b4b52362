"""What happens by itself: papers are drawn soon after they were issued, holders are told."""

from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.trust.certificates import kinds
from liangzhu.beams.trust.certificates.events import CertificateChanged, CertificateIssued, PaperIssued
from liangzhu.beams.trust.certificates.files import paper_file
from liangzhu.beams.trust.certificates.models import Paper
from liangzhu.beams.trust.certificates.states import STATES
from liangzhu.kernel.events import handles
from liangzhu.kernel.refs import Ref


@handles(PaperIssued)
def draw_paper(event: PaperIssued, delivery) -> None:
    """Draw it and attach it to its matter. One whose leaf has no number yet is left to the next round, for its proof."""
    row = Paper.objects.select_related("leaf").filter(pk=event.subject.id).first()
    if row is not None and row.leaf.number is not None and row.sealed_key:
        paper_file(row)


@handles(CertificateIssued)
def tell_of_issue(event: CertificateIssued, delivery) -> None:
    """Tell the holder that there is a certificate."""
    _tell(event, f"{kinds.title_of(event.kind)}已核发", "在“我的证照”里可以查看、下载和出示。")


@handles(CertificateChanged)
def tell_of_change(event: CertificateChanged, delivery) -> None:
    """Tell the holder that the state is another one."""
    words = f"{kinds.title_of(event.kind)}的状态变为“{STATES[event.state]}”"
    _tell(
        event, words, "对这一变动有异议的，可以向核发单位申请复核，也可以依法申请行政复议或者提起行政诉讼。"
    )


def _tell(event: CertificateIssued | CertificateChanged, title: str, text: str) -> None:
    state = getattr(event, "state", "")
    residents.tell(
        [Ref.parse(event.holder)],
        key=f"{event.event_name}:{event.subject}:{state}",
        title=title,
        text=text,
        url=f"/my/certificates/{event.subject.id}/",
        about=event.subject,
    )
