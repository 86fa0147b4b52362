"""What this app announces."""

from dataclasses import dataclass

from liangzhu.kernel.events import event
from liangzhu.kernel.refs import Ref


@event("forms.cosign_asked")
@dataclass(frozen=True)
class CoSignAsked:
    """A person was asked to sign a form, or to sign it again because it changed. ``subject`` is the signature's row.

    ``person_id`` is a member of staff; None for a resident.
    """

    subject: Ref
    person_id: int | None
    form_title: str
    again: bool


@event("forms.cosign_answered")
@dataclass(frozen=True)
class CoSignAnswered:
    """A co-signer signed or declined. ``person_id`` is whose draft it is."""

    subject: Ref
    person_id: int | None
    draft_id: int
    form_title: str
    signed: bool


@event("forms.cosign_late")
@dataclass(frozen=True)
class CoSignLate:
    """A co-signer did not answer in time: ``over``; else the time is nearly over."""

    subject: Ref
    draft_id: int
    form_title: str
    over: bool


@event("forms.sent")
@dataclass(frozen=True)
class FormSent:
    """A form was sent. ``about`` is the Ref of what it was filled in for, as text; it may be empty."""

    subject: Ref
    form: str
    about: str
