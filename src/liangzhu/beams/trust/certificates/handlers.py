"""What happens by itself: papers are drawn soon after they were issued."""

from liangzhu.beams.trust.certificates.events import PaperIssued
from liangzhu.beams.trust.certificates.files import paper_file
from liangzhu.beams.trust.certificates.models import Paper
from liangzhu.kernel.events import handles


@handles(PaperIssued)
def draw_paper(event: PaperIssued, delivery) -> None:
    """Draw it and attach it to its matter. One whose leaf has no number yet is left to the next round, for its proof."""
    row = Paper.objects.select_related("leaf").filter(pk=event.subject.id).first()
    if row is not None and row.leaf.number is not None and row.sealed_key:
        paper_file(row)
