"""Who may do what with forms. Who releases one is `kernel.release`."""

from liangzhu.beams.people.directory.api import does_business
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents.api import Resident
from liangzhu.beams.work.forms import registry
from liangzhu.beams.work.forms.asked import meant
from liangzhu.beams.work.forms.models import CoSignature, Draft, Signer, Snapshot
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.policies import policy
from liangzhu.kernel.refs import Ref


@policy("forms.fill", "填写表单")
def fill(actor: Actor, target: Draft | tuple[str, str, str] | None = None) -> bool:
    """One's own draft, or a (form key, subject, part) that the subject's kind opens to one; to residents only of kinds for them."""
    if not actor.identified:
        return False
    if isinstance(target, Draft):
        return target.owner == str(actor.ref) and _open(actor, target.form, target.subject, target.part)
    return target is None or _open(actor, *target)


def _open(actor: Actor, form: str, subject: str, part: str) -> bool:
    if not subject:
        return actor.signed_in
    ref = Ref.parse(subject)
    kind = registry.subjects.get(ref.kind)
    if kind is None or not (actor.signed_in or kind.residents):
        return False
    return kind.may_fill(actor, ref, form, part)


@policy("forms.drop", "放弃草稿")
def drop(actor: Actor, target: Draft | None = None) -> bool:
    """The own draft, also of a form that is no longer open to them; timers, when it is old."""
    return actor.identified and (target is None or target.owner == str(actor.ref))


@policy("forms.cosign", "共同签署")
def cosign(actor: Actor, target: CoSignature | None = None) -> bool:
    """Whoever was asked to: a member of staff, or the resident who is meant, whomever he acts for now."""
    if isinstance(actor, Resident):
        return target is None or meant(actor.person, target)
    person = getattr(actor, "person_id", None)
    return actor.signed_in and person is not None and (target is None or target.person_id == person)


@policy("forms.cosign_at_counter", "窗口共同签署")
def cosign_at_counter(actor: Actor, target=None) -> bool:
    """Staff who do business, for a co-signer whose code or document they scanned themselves."""
    return actor.signed_in and does_business(actor)


@policy("forms.read_signed", "查看自己签署过的内容")
def read_signed(actor: Actor, target: Signer | None = None) -> bool:
    """The resident who signed it."""
    if not isinstance(actor, Resident):
        return False
    return target is None or target.party in registers.family(str(actor.person))


@policy("forms.read_snapshot", "查看填报内容")
def read_snapshot(actor: Actor, target: Snapshot | None = None) -> bool:
    """Whoever sent it, and those whom the kind of its subject lets read it."""
    if not actor.identified:
        return False
    if target is None or own_words(actor, target):
        return True
    if not target.subject:
        return False
    ref = Ref.parse(target.subject)
    kind = registry.subjects.get(ref.kind)
    return kind is not None and (actor.signed_in or kind.residents) and kind.may_read(actor, ref)


def own_words(actor: Actor, row: Snapshot) -> bool:
    """Whether somebody sent his own words. What staff took down for a resident at a counter is not theirs to read later."""
    return row.sent_by == str(actor.ref) and not taken_down(actor, row.subject)


def own_draft(actor: Actor, row: Draft) -> bool:
    """Whether somebody may look at a draft: one's own; what staff take down for a resident only while they may go on with it."""
    return row.owner == str(actor.ref) and (not taken_down(actor, row.subject) or fill(actor, row))


def taken_down(actor: Actor, subject: str) -> bool:
    """Whether a member of staff fills this in for a resident, at a counter."""
    kind = registry.subjects.get(Ref.parse(subject).kind) if subject and actor.signed_in else None
    return kind is not None and kind.residents


@policy("forms.read", "查看表单的定义")
def read(actor: Actor, target=None) -> bool:
    """All staff: what is asked of people is no secret."""
    return actor.signed_in


@policy("forms.sweep", "清理过期的草稿")
def sweep(actor: Actor, target=None) -> bool:
    """Timers only."""
    return actor.is_system
