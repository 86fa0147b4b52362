"""Every change of this app."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from liangzhu.beams.work.files import api as attachments
from liangzhu.beams.work.forms import (
    cosigning,
    events,
    grammar,
    policies,
    prefilling,
    registry,
    specs,
    state,
    values,
)
from liangzhu.beams.work.forms.cosigning import SIGNING_KEY, NotReady, covered, note_read, signed_part
from liangzhu.beams.work.forms.grammar import Field, FormSpec
from liangzhu.beams.work.forms.models import Draft, Signer, Snapshot
from liangzhu.kernel import keys, releases
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM, Actor
from liangzhu.kernel.errors import Conflict, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.log import canonical, sm3
from liangzhu.kernel.models import Release
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.worker import periodic

DRAFT_DAYS = 90
"""Days after the last save after which a draft is removed."""


class Elsewhere(Conflict):
    """The draft was saved elsewhere meanwhile. ``theirs`` are the fields that both changed, with what stands there now."""

    def __init__(self, theirs: dict[str, Any], version: int, at):
        self.theirs, self.version, self.at = theirs, version, at
        super().__init__(
            "这份草稿刚在别处（另一个窗口或另一台设备）改过。", code="draft_elsewhere", title="草稿在别处改过"
        )


# Drafts ---------------------------------------------------------------------------------------------------


def begin(actor: Actor, *, key: str, subject: str = "", part: str = "", once: str = "") -> Draft:
    """The own draft of a form for a subject ("" or a Ref as text), or for a ``part`` of it: the one begun before, or a new one
    that the sources prefill.

    It is filled in under the release that the subject is bound to, else under that in force. Raises NotThere, Denied. The
    sources are asked before the transaction: they take time, and write down for themselves who asked.
    """
    if not actor.is_system:
        policies.fill.require(actor, (key, subject, part))
    form, origins = specs.edition(key, subject), None
    if not Draft.objects.filter(owner=str(actor.ref), form=key, subject=subject, part=part).exists():
        origins = prefilling.ask(form, actor, Ref.parse(subject) if subject else None)
    return _begin(actor, key=key, subject=subject, part=part, origins=origins or {}, once=once)


@action("forms.begin_draft")
def _begin(act: Act, *, key: str, subject: str, part: str, origins: dict[str, dict]) -> Draft:
    """Find the draft, or make it with what the sources gave."""
    act.check(policies.fill, (key, subject, part))
    form = specs.edition(key, subject)
    owner, person = str(act.actor.ref), getattr(act.actor, "person_id", None)
    found = Draft.objects.filter(owner=owner, form=key, subject=subject, part=part).first()
    if found is None:
        answers = {name: one["value"] for name, one in origins.items() if "value" in one}
        try:
            with transaction.atomic():
                found = Draft(
                    owner=owner,
                    person_id=person,
                    form=key,
                    release_id=form.release_id,
                    subject=subject,
                    part=part,
                )
                found.begun_at = found.saved_at = now()
                found.content = {"answers": answers, "origins": origins, "touched": {}}
                found.save()
        except IntegrityError:
            # Another window began it at the same moment: it is the same draft.
            found = Draft.objects.get(owner=owner, form=key, subject=subject, part=part)
    act.log(found.ref, form=key, release=form.release, about=subject)
    return found


@action("forms.save_draft")
def save(
    act: Act,
    *,
    draft_id: int,
    version: int,
    answers: dict[str, Any],
    files: dict[str, Iterable[int]] | None = None,
    over: bool = False,
    base: dict[str, str] | None = None,
) -> Draft:
    """Keep what was typed: kept values by field name; what is not named stays as it is.

    ``files`` are uploads of the actor that belong to nothing yet, to be added to a field of files. What was changed elsewhere
    since ``version`` and differs here raises Elsewhere, unless ``over``; the rest of both is joined. ``base`` are the marks
    (`state.mark`) of the values that the fields were changed from; where it names one, it counts and not the version. Locked
    values stay. Raises NotThere, Denied, Invalid.
    """
    draft = act.lock(Draft, pk=draft_id)
    act.check(policies.fill, draft)
    form = specs.by_release_id(draft.release_id)
    content = draft.content
    kept, touched, origins = content["answers"], content["touched"], content["origins"]
    known = {one.name: one for _, one in form.all_fields()}
    if unknown := answers.keys() - known.keys():
        raise Invalid({name: f"表单里没有名为 {name} 的填写项。" for name in unknown})
    given = {name: value for name, value in answers.items() if not origins.get(name, {}).get("locked")}
    added: dict[str, list[int]] = {}
    for name, ids in (files or {}).items():
        added[name] = [row.pk for row in attachments.attach(act, ids, draft.ref)]
        given[name] = [*(given.get(name, kept.get(name)) or []), *added[name]]
    own = (
        {row.pk for row in attachments.of(draft.ref)}
        if any(known[name].type == "files" for name in given)
        else set()
    )
    for name in given:
        if known[name].type == "files":
            given[name] = [one for one in given[name] or () if one in own] or None
    changed = {name: value for name, value in given.items() if value != kept.get(name)}
    base = base or {}
    theirs = {
        name: kept.get(name)
        for name in changed
        if (base[name] != state.mark(kept.get(name)) if name in base else touched.get(name, 0) > version)
    }
    if theirs and not over:
        raise Elsewhere(theirs, draft.version, draft.saved_at)
    if changed:
        draft.version += 1
        for name, value in changed.items():
            touched[name] = draft.version
            if value in (None, []):
                kept.pop(name, None)
            else:
                kept[name] = value
        _write(act, draft, content)
        _let_go(act, draft, known, content["answers"], own)
        cosigning.void(act, draft, form)
    act.log(draft.ref, fields=sorted(changed), version=draft.version)
    return draft


def _write(act: Act, draft: Draft, content: dict) -> None:
    draft.content = content
    draft.saved_at = now()
    draft.save(update_fields=["body", "version", "saved_at", "release"])


def _let_go(act: Act, draft: Draft, known: dict, answers: dict[str, Any], own: set[int]) -> None:
    """Files that were taken out of the form belong to nothing again, and are swept in a week."""
    still = {one for name, field in known.items() if field.type == "files" for one in answers.get(name) or ()}
    if gone := own - still:
        attachments.detach(act, gone, draft.ref)


def ask_again(actor: Actor, *, draft_id: int) -> Draft:
    """Ask the sources again whose answer was missing; what was typed meanwhile stays. Raises NotThere, Denied."""
    draft = Draft.objects.filter(pk=draft_id).first()
    if draft is None or not policies.fill(actor, draft):
        raise NotThere("没有找到这份草稿。")
    missing = {name for name, one in draft.content["origins"].items() if "value" not in one}
    subject = Ref.parse(draft.subject) if draft.subject else None
    found = prefilling.ask(specs.by_release_id(draft.release_id), actor, subject, missing)
    return _take(actor, draft_id=draft_id, found=found)


@action("forms.ask_sources")
def _take(act: Act, *, draft_id: int, found: dict[str, dict]) -> Draft:
    """Take over what the sources gave now."""
    draft = act.lock(Draft, pk=draft_id)
    act.check(policies.fill, draft)
    form = specs.by_release_id(draft.release_id)
    content = draft.content
    names = {one.name for _, one in form.all_fields()}
    found = {name: one for name, one in found.items() if name in names}
    came = {name: one for name, one in found.items() if "value" in one}
    draft.version += 1
    for name, one in found.items():
        content["origins"][name] = one
    for name, one in came.items():
        if one["locked"] or content["answers"].get(name) is None:
            content["answers"][name] = one["value"]
            content["touched"][name] = draft.version
    _write(act, draft, content)
    cosigning.void(act, draft, form)
    act.log(draft.ref, sources=sorted({one["source"] for one in found.values()}), came=sorted(came))
    return draft


@action("forms.carry_over")
def carry_over(act: Act, *, draft_id: int, version: int) -> Draft:
    """Let a draft go on under the release in force; answers that no longer fit are left behind, as `queries.carrying` showed.

    Raises NotThere, Denied, Conflict, StepNotAllowed (it is under that release already).
    """
    draft = act.lock(Draft, pk=draft_id)
    act.check(policies.fill, draft)
    if draft.version != version:
        raise Elsewhere({}, draft.version, draft.saved_at)
    old, new = specs.by_release_id(draft.release_id), specs.edition(draft.form, draft.subject)
    if new.release_id == draft.release_id:
        raise StepNotAllowed("草稿已经在现行版本下。")
    content = draft.content
    kept, _, _ = state.fitting(old, new, content["answers"])
    names = {one.name for _, one in new.all_fields()}
    draft.version += 1
    draft.release_id = new.release_id
    content["answers"] = kept
    content["origins"] = {name: one for name, one in content["origins"].items() if name in names}
    content["touched"] = {name: draft.version for name in names}
    _write(act, draft, content)
    cosigning.void(act, draft, new)
    act.log(draft.ref, release=[old.release, new.release], version=draft.version)
    return draft


@action("forms.drop_draft")
def drop(act: Act, *, draft_id: int) -> None:
    """Remove a draft with what was typed and uploaded. Raises NotThere, Denied."""
    draft = act.lock(Draft, pk=draft_id)
    act.check(policies.drop, draft)
    ref = draft.ref
    _remove(act, draft)
    act.log(ref, form=draft.form, dropped=True)


def _remove(act: Act, draft: Draft) -> None:
    attachments.detach(act, [row.pk for row in attachments.of(draft.ref)], draft.ref)
    draft.delete()


@action("forms.sweep")
def sweep(act: Act, *, limit: int = 200) -> int:
    """Remove drafts that nobody saved for `DRAFT_DAYS` days. Returns how many."""
    act.check(policies.sweep)
    old = now() - timedelta(days=DRAFT_DAYS)
    rows = list(Draft.objects.select_for_update().filter(saved_at__lt=old).order_by("id")[:limit])
    for draft in rows:
        ref = draft.ref
        _remove(act, draft)
        act.log(ref, form=draft.form, expired=True)
    act.log(Ref("job", "forms.sweep"), removed=len(rows))
    return len(rows)


@periodic("forms.sweep", minutes=24 * 60)
def sweep_daily() -> None:
    """Remove what was begun and forgotten."""
    while sweep(SYSTEM) == 200:
        pass


# Sending --------------------------------------------------------------------------------------------------


@action("forms.send")
def send(
    act: Act,
    *,
    draft_id: int,
    version: int,
    declared: bool = False,
    by_owner: bool = False,
    about: str = "",
) -> Snapshot:
    """Send a finished form (提交表单): an immutable snapshot takes the place of the draft. Files pass to the subject, or to the snapshot.

    ``by_owner``: the app that owns the subject sends it, as part of what it does; only so where the subject's kind has a
    ``finish`` of its own. ``about`` (a Ref as text) takes the place of the subject: what was made with the form. Raises NotThere, Denied, Elsewhere (it changed since it was read), NotReady, Invalid (declaration not confirmed).
    """
    draft = act.lock(Draft, pk=draft_id)
    act.check(policies.fill, draft)
    if draft.version != version:
        raise Elsewhere({}, draft.version, draft.saved_at)
    form = specs.by_release_id(draft.release_id)
    if not by_owner and registry.finished_elsewhere(draft.subject):
        raise StepNotAllowed("这张表单随办理步骤一并提交。", todo="请回到事项，办理对应的步骤。")
    cosigning.complete(form, draft)
    if form.declaration and not declared:
        raise Invalid({"declared": "请阅读并勾选承诺。"})
    part = signed_part(form, draft)
    signatures = cosigning.collected(form, draft, part)
    origins = {name: one for name, one in draft.content["origins"].items() if name in part["answers"]}
    about = about or draft.subject
    snapshot = _keep(act, form, part, origins, signatures, about)
    sent = [int(one) for one in part["files"]]
    attachments.hand_on(act, sent, draft.ref, Ref.parse(about) if about else snapshot.ref)
    _remove(act, draft)
    return snapshot


@action("forms.send_answers")
def send_answers(
    act: Act,
    *,
    key: str,
    subject: str,
    answers: dict[str, Any],
    part: str = "",
    fingerprint: str = "",
    declared: bool = False,
) -> Snapshot:
    """Send a form at once (提交表单), without a draft: for imports and the API. Values as people type them, or typed (date, Decimal, bool).

    ``fingerprint`` names the release, that of the subject if absent. Files are ids of uploads of the actor. Raises NotThere,
    Denied, NotReady (it needs co-signers), Invalid naming every field that is wrong.
    """
    act.check(policies.fill, (key, subject, part))
    form = specs.by_fingerprint(key, fingerprint) if fingerprint else specs.edition(key, subject)
    given, errors = _read(form, answers)
    if needed := [one.title for one in state.places(form, given) if one.required]:
        raise NotReady(
            f"这张表单要由{'、'.join(needed)}共同签署，不能直接提交。", todo="请在页面上填写并邀请签署。"
        )
    errors |= {name: message for name, message in state.faults(form, given).items() if name not in errors}
    if form.declaration and not declared:
        errors["declared"] = "请确认承诺。"
    if errors:
        raise Invalid(errors)
    ids = [one for _, each in form.all_fields() if each.type == "files" for one in given.get(each.name) or ()]
    target = Ref.parse(subject) if subject else None
    sent = covered(form, subject, given, attachments.staged(act.actor, ids))
    snapshot = _keep(act, form, sent, {}, [], subject)
    attachments.attach(act, ids, target or snapshot.ref)
    return snapshot


def _read(form: FormSpec, answers: dict[str, Any]) -> tuple[state.Answers, dict[str, str]]:
    """Given values as kept ones, and what cannot be read, by the name on the page."""
    known = {one.name: one for _, one in form.all_fields()}
    given: state.Answers = {}
    errors: dict[str, str] = {}
    for name, value in answers.items():
        one = known.get(name)
        if one is None:
            errors[name] = f"“{form.title}”没有名为 {name} 的填写项。"
        elif one.type != "table":
            given[name] = _one(one, value, name, errors)
        elif not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            errors[name] = f"{one.label}应是列表，每行一个对象。"
        else:
            given[name] = _table(one, value, errors)
    return given, errors


def _table(table: Field, rows: list[dict[str, Any]], errors: dict[str, str]) -> list[dict[str, Any]]:
    columns = {column.name: column for column in table.fields if column.takes}
    found = []
    for place, row in enumerate(rows):
        found.append({})
        for name, value in row.items():
            where = state.html_name(table.name, place, name)
            if name not in columns:
                errors[where] = f"{table.label}没有名为 {name} 的栏目。"
            elif (read := _one(columns[name], value, where, errors)) is not None:
                found[-1][name] = read
    return found


def _one(field: Field, value: Any, where: str, errors: dict[str, str]) -> Any:
    try:
        return values.read(field, value)
    except (ValueError, TypeError) as error:
        errors[where] = str(error) if isinstance(error, ValueError) else "内容无法识别，请重新填写。"
        return None


def _keep(
    act: Act,
    form: FormSpec,
    part: dict[str, Any],
    origins: dict[str, Any],
    signatures: list[dict[str, Any]],
    about: str,
) -> Snapshot:
    """Write the snapshot, its leaf and its event. ``about`` may be another thing than the subject that was signed."""
    body = canonical(
        part
        | {
            "about": about,
            "title": form.title,
            "origins": origins,
            "signatures": signatures,
            "declaration": form.declaration,
            "by": {"ref": str(act.actor.ref), "label": act.actor.label},
            "at": now().isoformat(),
        }
    )
    made = keys.sign(SIGNING_KEY, body.encode())
    snapshot = Snapshot(
        form=form.key,
        release_id=form.release_id,
        subject=about,
        body=body,
        digest=sm3(canonical(part).encode()),
        key_id=made.key_id,
        signature=made.signature.hex(),
        sent_by=str(act.actor.ref),
        sent_at=now(),
    )
    snapshot.save()
    Signer.objects.bulk_create(
        Signer(snapshot=snapshot, party=one["party"], place=one["place"], leaf_id=one["leaf"])
        for one in signatures
        if one.get("party")
    )
    act.log(snapshot.ref, form=form.key, release=form.release, about=about, body=sm3(body.encode()))
    act.emit(events.FormSent(subject=snapshot.ref, form=form.key, about=about))
    return snapshot


# Reading what is personal ---------------------------------------------------------------------------------


@action("forms.reveal_snapshot")
def reveal(act: Act, *, snapshot_id: int, reason: str) -> Snapshot:
    """A snapshot to be read in full by another than its sender, for a reason; the leaf keeps both. Raises NotThere, Invalid."""
    row = Snapshot.objects.filter(pk=snapshot_id).first()
    if row is None or not policies.read_snapshot(act.actor, row):
        raise NotThere("没有这份填报内容，或者它不在您的查看范围内。")
    act.check(policies.read_snapshot, row)
    if not reason.strip():
        raise Invalid({"reason": "请写明为什么要看全部内容。"})
    act.log(row.ref, read=row.form, reason=reason.strip()[:200])
    note_read(act, row.ref, row.release_id, row.subject, reason.strip()[:200])
    return row


# Releases -------------------------------------------------------------------------------------------------


def release_form(actor: Actor, *, release_id: int, accept: bool, once: str = "") -> Release:
    """Put a drafted form in force, or refuse it; the second person of `kernel.releases`. It is checked again first.

    Raises DataFileError, Denied, StepNotAllowed, NotThere.
    """
    row = Release.objects.filter(pk=release_id, kind=specs.RELEASE_KIND).first()
    if row is None:
        raise NotThere("没有找到这个表单版本。")
    if accept:
        grammar.parse(row.body, row.origin or row.key)
    return releases.release(actor, release_id=release_id, accept=accept, once=once)
