"""Forms at steps (步骤表单): a step that names a form is done with what was filled in there.

The form is filled in under the release that the matter's process pinned; the finished draft is sent in the transaction of the
step. Guards and effects see its values by name, the history shows the snapshot. Whoever brings values instead of a draft (the
API, an import) has them checked and kept the same way.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from liangzhu.beams.work.forms import api as forms
from liangzhu.beams.work.matters import engine, queries
from liangzhu.beams.work.matters.grammar import Transition
from liangzhu.beams.work.matters.kinds import all_kinds, kind_of
from liangzhu.beams.work.matters.models import Matter, Part
from liangzhu.beams.work.matters.process import in_force, pinned_form
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.policies import get_policy
from liangzhu.kernel.refs import Ref, register_ref

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
        self,
        key: str,
        fingerprint: str,
        data: dict[str, Any],
        actor: Actor,
        matter: Matter,
        part: Part | None = None,
    ) -> dict[str, Any]:
        """Send the form and give its typed values. Raises Invalid, NotReady, Conflict, Denied, StepNotAllowed."""
        try:
            snapshot = self._send(key, fingerprint, dict(data), actor, matter, str(part.pk) if part else "")
        except Invalid as invalid:
            # The promise has another name beside the fields of a step.
            fields = {DECLARED if name == "declared" else name: text for name, text in invalid.fields.items()}
            raise Invalid(fields) from None
        return {**forms.typed(snapshot), SNAPSHOT: snapshot.pk}

    def _send(
        self, key: str, fingerprint: str, data: dict[str, Any], actor: Actor, matter: Matter, place: str
    ) -> forms.Snapshot:
        declared = bool(data.pop(DECLARED, False))
        if DRAFT in data:
            # What is filled in to open a matter was begun before there was one.
            subject = str(matter.ref) if matter.version else str(kind_ref(matter.kind))
            draft = forms.draft_of(actor, key, subject, place)
            if draft is None or draft.pk != data[DRAFT]:
                raise StepNotAllowed("这一步的表单草稿不在了，可能已经提交或放弃。", todo="请重新填写表单。")
            if not matter.version and forms.edition(key, subject).release_id != draft.release_id:
                raise StepNotAllowed(
                    "填写期间表单有了新版，登记要用新版。", todo="请打开草稿，看过变化，转到新版后再登记。"
                )
            if not isinstance(data.get(VERSION), int):
                raise Invalid({VERSION: "请写明看过的是草稿的哪一版。"})
            return forms.send(
                actor,
                draft_id=draft.pk,
                version=data[VERSION],
                declared=declared,
                by_owner=True,
                about=str(matter.ref),
            )
        return forms.send_answers(
            actor,
            key=key,
            fingerprint=fingerprint,
            subject=str(matter.ref),
            part=place,
            answers=data,
            declared=declared,
        )


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


def at_step(actor: Actor, matter: Matter, step: Transition, part: Part | None = None) -> AtStep:
    """The form that a step of a matter or of one of its parts names, and the actor's draft of it."""
    return _asked(actor, step.form, str(matter.ref), str(part.pk) if part else "")


def at_opening(actor: Actor, kind: str, form: str) -> AtStep:
    """The form that is filled in to open a matter of a kind, and the actor's draft of it."""
    return _asked(actor, form, str(kind_ref(kind)))


def _asked(actor: Actor, form: str, subject: str, part: str = "") -> AtStep:
    draft = forms.draft_of(actor, form, subject, part)
    return AtStep(
        form=forms.edition(form, subject),
        found=forms.summary(actor, draft) if draft else None,
        start=f"{reverse('forms:start', args=[form])}?for={subject}{f'&part={part}' if part else ''}",
    )


def _open_step(actor: Actor, matter: Matter, key: str, place: str) -> tuple[Transition, Part | None] | None:
    """The step with this form that the actor may do now, of the matter or of that part of it."""
    part = None
    if place:
        part = Part.objects.filter(matter=matter, pk=place).first() if place.isdecimal() else None
        if part is None:
            return None
    for option in engine.transitions(matter, actor, part):
        if option.step.form == key and not option.blocked:
            return option.step, part
    return None


def _matter(actor: Actor, subject: Ref) -> Matter | None:
    try:
        return queries.matter(actor, int(subject.id)) if subject.id.isdecimal() else None
    except NotThere:
        return None


def _may_fill(actor: Actor, subject: Ref, key: str, part: str) -> bool:
    # A matter that is just being opened: nobody else can see it before the transaction that opens it ends.
    if Matter.objects.filter(pk=subject.id, version=0).exists():
        return True
    matter = _matter(actor, subject)
    return matter is not None and _open_step(actor, matter, key, part) is not None


def _finish(actor: Actor, subject: Ref, key: str, place: str) -> tuple[str, str] | None:
    matter = _matter(actor, subject)
    found = _open_step(actor, matter, key, place) if matter else None
    if found is None:
        return None
    step, part = found
    if part is not None:
        return reverse("matters:part_step", args=[matter.pk, part.pk, step.name]), f"下一步：{step.title}"
    return reverse("matters:step", args=[matter.pk, step.name]), f"下一步：{step.title}"


def _edition(subject: Ref, key: str) -> str:
    release = Matter.objects.filter(pk=subject.id).values_list("release_id", flat=True).first()
    return pinned_form(release, key) if release else ""


def kind_ref(kind: str) -> Ref:
    """A kind of matter as the subject of a form: what is filled in before there is a matter."""
    return Ref("matter_kind", kind)


def _may_open(actor: Actor, subject: Ref, key: str, part: str) -> bool:
    kind = all_kinds().get(subject.id)
    if kind is None or kind.opening is None or part or not get_policy(kind.opening.policy)(actor):
        return False
    return in_force(kind.process)[1].opening_form == key


def _open_it(actor: Actor, subject: Ref, key: str, part: str) -> tuple[str, str] | None:
    if not _may_open(actor, subject, key, part):
        return None
    return reverse("matters:open", args=[subject.id]), f"下一步：{kind_of(subject.id).opening.title}"


def _edition_in_force(subject: Ref, key: str) -> str:
    kind = all_kinds().get(subject.id)
    return pinned_form(in_force(kind.process)[0].pk, key) if kind else ""


def _kind_titles(ids: Iterable[str], actor: Actor) -> dict[str, tuple[str, str]]:
    known = all_kinds()
    return {one: (f"登记{known[one].title}", "") for one in ids if one in known}


register_ref("matter_kind", "事项种类", _kind_titles)
# Nothing that was sent stays with a kind: it passes to the matter that was opened with it.
forms.subject_kind(
    "matter_kind",
    may_fill=_may_open,
    may_read=lambda actor, subject: False,
    finish=_open_it,
    edition=_edition_in_force,
)
forms.subject_kind("matter", may_fill=_may_fill, may_read=queries.may_read, finish=_finish, edition=_edition)
