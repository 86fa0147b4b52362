"""Every change of this app: a table comes into force by draft and second person, as `kernel.releases` keeps it."""

from liangzhu.beams.work.decisions import checking
from liangzhu.beams.work.decisions.rules import RELEASE_KIND
from liangzhu.kernel import releases
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.models import Release


def release_rule(actor: Actor, *, release_id: int, accept: bool, once: str = "") -> Release:
    """Put a drafted table in force, or refuse it. It is checked again first.

    Raises DataFileError, Denied, StepNotAllowed, NotThere.
    """
    row = Release.objects.filter(pk=release_id, kind=RELEASE_KIND).first()
    if row is None:
        raise NotThere("没有找到这个决策表版本。")
    if accept:
        checking.parse(row.body, row.origin or row.key)
    return releases.release(actor, release_id=release_id, accept=accept, once=once)
