"""Every change of this app."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from liangzhu.beams.work.files import api as attachments
from liangzhu.beams.work.forms import events, grammar, policies, prefilling, registry, specs, state, values
from liangzhu.beams.work.forms.grammar import Field, FormSpec
from liangzhu.beams.work.forms.models import CoSignature, Draft, Snapshot
from liangzhu.kernel import keys, reads, releases
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
SIGNING_KEY = "form"

keys.declare(SIGNING_KEY, keys.SM2, "签署表单")


class Elsewhere(Conflict):
    """The draft was saved elsewhere meanwhile. ``theirs`` are the fields that both changed, with what stands there now."""

    def __init__(self, theirs: dict[str, Any], version: int, at):
        self.theirs, self.version, self.at = theirs, version, at
        super().__init__(
            "这份草稿刚在别处（另一个窗口或另一台设备）改过。", code="draft_elsewhere", title="草稿在别处改过"
        )


class NotReady(StepNotAllowed):
    """A form that cannot be sent yet; the detail says what is missing."""

    code, title = "form_not_ready", "表单还不能提交"
    todo = "请按所列的步骤补齐，再提交。"


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
) -> Draft:
    """Keep what was typed: kept values by field name; what is not named stays as it is.

    ``files`` are uploads of the actor that belong to nothing yet, to be added to a field of files. What was changed elsewhere
    since ``version`` and differs here raises Elsewhere, unless ``over``; the rest of both is joined. Locked values stay.
    Raises NotThere, Denied, Invalid.
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
    theirs = {name: kept.get(name) for name in changed if touched.get(name, 0) > version}
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
        _void(act, draft, form)
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
    _void(act, draft, form)
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
    _void(act, draft, new)
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


# Co-signing -----------------------------------------------------------------------------------------------


def signed_part(form: FormSpec, draft: Draft) -> dict[str, Any]:
    """What a signature over a draft covers."""
    return covered(form, draft.subject, draft.content["answers"], attachments.of(draft.ref))


def covered(
    form: FormSpec, subject: str, given: state.Answers, rows: list[attachments.Attachment]
) -> dict[str, Any]:
    """What a signature covers: which form in which release, the answers that count, the files by their fingerprints."""
    answers = state.counted(form, given)
    wanted = {
        one for _, each in form.all_fields() if each.type == "files" for one in answers.get(each.name, ())
    }
    files = {str(row.pk): {"name": row.name, "sm3": row.fingerprint} for row in rows if row.pk in wanted}
    return {
        "form": form.key,
        "release": form.release,
        "fingerprint": form.fingerprint,
        "subject": subject,
        "answers": answers,
        "files": files,
    }


def _void(act: Act, draft: Draft, form: FormSpec) -> None:
    """Signatures over other answers than the present ones are void; who signed is told, and can sign again."""
    rows = list(CoSignature.objects.filter(draft=draft, state=CoSignature.SIGNED).select_related("draft"))
    if not rows:
        return
    digest = sm3(canonical(signed_part(form, draft)).encode())
    for row in rows:
        if row.digest != digest:
            row.state = CoSignature.VOID
            row.save(update_fields=["state"])
            act.log(row.ref, draft=draft.pk, void=True)
            act.emit(
                events.CoSignAsked(
                    subject=row.ref, person_id=row.person_id, form_title=form.title, again=True
                )
            )


@action("forms.ask_cosigner")
def ask_cosigner(act: Act, *, draft_id: int, place: str, person_id: int, person_name: str) -> CoSignature:
    """Ask a person to sign; asking another one in the same place takes the first request back.

    Raises NotThere, Denied, Invalid, NotReady (the form itself is not complete yet).
    """
    draft = act.lock(Draft, pk=draft_id)
    act.check(policies.fill, draft)
    form = specs.by_release_id(draft.release_id)
    wanted = next((one for one in form.cosigners if one.name == place), None)
    if wanted is None:
        raise NotThere("这张表单没有这个共同签署人。")
    if person_id == getattr(act.actor, "person_id", None):
        raise Invalid({"person": f"{wanted.title}不能是您自己，请选另一个人。"})
    taken = CoSignature.objects.filter(draft=draft, person_id=person_id).exclude(place=place)
    if taken.exists():
        raise Invalid({"person": "这个人已在另一个位置签署，请选另一个人。"})
    _complete(form, draft)
    CoSignature.objects.filter(draft=draft, place=place).delete()
    row = CoSignature(
        draft=draft, place=place, person_id=person_id, person_name=person_name, invited_at=now()
    )
    row.save()
    act.log(row.ref, draft=draft.pk, place=place, person=person_id)
    act.emit(events.CoSignAsked(subject=row.ref, person_id=person_id, form_title=form.title, again=False))
    return row


def _complete(form: FormSpec, draft: Draft) -> None:
    wrong = state.unfinished(form, draft.content["answers"])
    if wrong:
        raise NotReady(f"还有步骤没有填好：{'、'.join(step.title for step in wrong)}。")


@action("forms.answer_cosign")
def answer_cosign(act: Act, *, signature_id: int, digest: str, sign: bool, reason: str = "") -> CoSignature:
    """Sign what was read (its digest), or decline with a reason.

    Raises NotThere, Denied, Invalid, Conflict (it changed since it was read), StepNotAllowed (answered already).
    """
    row = act.lock(CoSignature, pk=signature_id)
    act.check(policies.cosign, row)
    draft = act.lock(Draft, pk=row.draft_id)
    row.draft = draft
    form = specs.by_release_id(draft.release_id)
    if row.state == CoSignature.SIGNED:
        raise StepNotAllowed("您已经签署过，内容没有再变。")
    if not sign and not reason.strip():
        raise Invalid({"reason": "不同意签署时请写明理由，填表人会看到。"})
    body = canonical(signed_part(form, draft))
    if sm3(body.encode()) != digest:
        raise Conflict("您阅读期间，填表人又改了内容。", todo="请重新看过内容，再决定是否签署。")
    if sign:
        _complete(form, draft)
        made = keys.sign(SIGNING_KEY, f"{row.ref} {digest}".encode())
        row.signed, row.digest, row.key_id, row.signature = body, digest, made.key_id, made.signature.hex()
        row.reason = ""
    else:
        row.reason = reason.strip()[:300]
    row.state = CoSignature.SIGNED if sign else CoSignature.DECLINED
    row.answered_at = now()
    row.save()
    act.log(row.ref, draft=draft.pk, digest=digest, signed=sign)
    act.emit(
        events.CoSignAnswered(
            subject=row.ref, person_id=draft.person_id, draft_id=draft.pk, form_title=form.title, signed=sign
        )
    )
    return row


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
    _complete(form, draft)
    if form.declaration and not declared:
        raise Invalid({"declared": "请阅读并勾选承诺。"})
    part = signed_part(form, draft)
    signatures = _signatures(form, draft, sm3(canonical(part).encode()))
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
    if needed := [one.title for one in form.cosigners if one.required]:
        raise NotReady(
            f"这张表单要由{'、'.join(needed)}共同签署，不能直接提交。", todo="请在页面上填写并邀请签署。"
        )
    given, errors = _read(form, answers)
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
    act.log(snapshot.ref, form=form.key, release=form.release, about=about, body=sm3(body.encode()))
    act.emit(events.FormSent(subject=snapshot.ref, form=form.key, about=about))
    return snapshot


def _signatures(form: FormSpec, draft: Draft, digest: str) -> list[dict[str, Any]]:
    rows = {row.place: row for row in CoSignature.objects.filter(draft=draft).select_related("draft")}
    found, missing = [], []
    for wanted in form.cosigners:
        row = rows.get(wanted.name)
        if row is not None and row.state == CoSignature.SIGNED and row.digest == digest:
            found.append(
                {
                    "place": wanted.name,
                    "title": wanted.title,
                    "person": row.person_id,
                    "name": str(row.person_name),
                    "at": row.answered_at.isoformat(),
                    "row": str(row.ref),
                    "digest": row.digest,
                    "key": row.key_id,
                    "signature": row.signature,
                }
            )
        elif wanted.required or row is not None:
            missing.append(f"{wanted.title}（{row.get_state_display() if row else '还没有邀请'}）")
    if missing:
        raise NotReady(
            f"还缺共同签署：{'、'.join(missing)}。", todo="请等对方签署，或在下面改请别人、收回邀请。"
        )
    return found


@action("forms.take_back_cosign")
def take_back(act: Act, *, draft_id: int, place: str) -> None:
    """Take a request to sign back. Raises NotThere, Denied."""
    draft = act.lock(Draft, pk=draft_id)
    act.check(policies.fill, draft)
    CoSignature.objects.filter(draft=draft, place=place).delete()
    act.log(draft.ref, place=place, taken_back=True)


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
    _note(act, row.ref, row.release_id, row.subject, reason.strip()[:200])
    return row


def _note(act: Act, ref: Ref, release_id: int, case: str, reason: str) -> None:
    """Tell the trail that a form's personal values were read."""
    form = specs.by_release_id(release_id)
    fields = {one.name: one.label for _, one in form.all_fields() if one.grade >= 3}
    if fields:
        reads.note(act.actor, ref, fields, channel="form", case=case, reason=reason)


@action("forms.read_to_sign")
def read_to_sign(act: Act, *, signature_id: int) -> CoSignature:
    """A co-signer reads the whole form: the leaf says who read whose. Raises NotThere."""
    row = CoSignature.objects.filter(pk=signature_id).select_related("draft").first()
    if row is None or not policies.cosign(act.actor, row):
        raise NotThere("没有请您签署的这份表单，或者邀请已收回、表单已提交。")
    act.check(policies.cosign, row)
    act.log(row.ref, read=row.draft.form, draft=row.draft_id)
    _note(act, row.draft.ref, row.draft.release_id, row.draft.subject, "共同签署前查看")
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
