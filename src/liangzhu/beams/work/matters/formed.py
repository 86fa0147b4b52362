"""Forms at steps (步骤表单): a step that names a form is done with what was filled in there.

The form is filled in under the release that the matter's process pinned; the finished draft is sent in the transaction of the
step. Guards and effects see its values by name, the history shows the snapshot. Whoever brings values instead of a draft (the
API, an import) has them checked and kept the same way.
"""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from liangzhu.beams.work.forms import api as forms
from liangzhu.beams.work.matters import engine, queries
from liangzhu.beams.work.matters.grammar import Transition
from liangzhu.beams.work.matters.models import Matter, Part
from liangzhu.beams.work.matters.process import pinned_form
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere, StepNotAllowed
from liangzhu.kernel.refs import Ref

SNAPSHOT = "form_snapshot"
"""Under which name the answer of a step keeps the id of the snapshot."""
DRAFT, VERSION, DECLARED = "form_draft", "form_version", "form_declared"
"""Under which names a step brings a finished draft."""


class Forms:
    """What the engine asks about forms."""

    def fingerprint(self, key: str) -> str | None:
        """The hash of the form in force; None when there is no such form."""
        return forms.fingerprint(key)

    def clean(
        self, key: str, fingerprint: str, data: dict[str, Any], actor: Actor, matter: Matter
    ) -> dict[str, Any]:
        """Send the form and give its typed values. Raises Invalid, NotReady, Conflict, Denied, StepNotAllowed."""
        data = dict(data)
        declared = bool(data.pop(DECLARED, False))
        if DRAFT in data:
            draft = forms.draft_of(actor, key, str(matter.ref))
            if draft is None or draft.pk != data[DRAFT]:
                raise StepNotAllowed("这一步的表单草稿不在了，可能已经提交或放弃。", todo="请重新填写表单。")
            snapshot = forms.send(
                actor, draft_id=draft.pk, version=data[VERSION], declared=declared, by_owner=True
            )
        else:
            snapshot = forms.send_answers(
                actor,
                key=key,
                fingerprint=fingerprint,
                subject=str(matter.ref),
                answers=data,
                declared=declared,
            )
        return {**forms.typed(snapshot), SNAPSHOT: snapshot.pk}


@dataclass(frozen=True)
class AtStep:
    """The form of a step for whoever does it: begun or not, what is in it, and where it is filled in."""

    form: forms.FormSpec
    found: Any
    start: str

    @property
    def ready(self) -> bool:
        """Whether nothing is missing any more."""
        return self.found is not None and self.found.ready

    def stale(self, post: Any) -> bool:
        """Whether a page was sent that shows another version of the draft, or one that is not finished any more."""
        if VERSION not in post:
            return False
        return not self.ready or post[VERSION] != str(self.found.draft.version)


def at_step(actor: Actor, matter: Matter, step: Transition) -> AtStep:
    """The form that a step names, and the actor's draft of it."""
    subject = str(matter.ref)
    draft = forms.draft_of(actor, step.form, subject)
    return AtStep(
        form=forms.edition(step.form, subject),
        found=forms.summary(actor, draft) if draft else None,
        start=f"{reverse('forms:start', args=[step.form])}?for={subject}",
    )


def _open_step(actor: Actor, matter: Matter, key: str) -> tuple[Transition, Part | None] | None:
    """The step with this form that the actor may do now, of the matter or of a part of the own unit."""
    unit = getattr(actor, "unit_id", None)
    parts = Part.objects.filter(matter=matter, unit=unit, done_at=None) if unit else ()
    for part in (None, *parts):
        for option in engine.transitions(matter, actor, part):
            if option.step.form == key and not option.blocked:
                return option.step, part
    return None


def _matter(actor: Actor, subject: Ref) -> Matter | None:
    try:
        return queries.matter(actor, int(subject.id)) if subject.id.isdecimal() else None
    except NotThere:
        return None


def _may_fill(actor: Actor, subject: Ref, key: str) -> bool:
    # A matter that is just being opened: nobody else can see it before the transaction that opens it ends.
    if Matter.objects.filter(pk=subject.id, version=0).exists():
        return True
    matter = _matter(actor, subject)
    return matter is not None and _open_step(actor, matter, key) is not None


def _finish(actor: Actor, subject: Ref, key: str) -> tuple[str, str] | None:
    matter = _matter(actor, subject)
    found = _open_step(actor, matter, key) if matter else None
    if found is None:
        return None
    step, part = found
    if part is not None:
        return reverse("matters:part_step", args=[matter.pk, part.pk, step.name]), f"下一步：{step.title}"
    return reverse("matters:step", args=[matter.pk, step.name]), f"下一步：{step.title}"


def _edition(subject: Ref, key: str) -> str:
    release = Matter.objects.filter(pk=subject.id).values_list("release_id", flat=True).first()
    return pinned_form(release, key) if release else ""


forms.subject_kind("matter", may_fill=_may_fill, may_read=queries.may_read, finish=_finish, edition=_edition)
