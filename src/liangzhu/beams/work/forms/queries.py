"""Every read of forms, scoped to who asks."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.work.files import api as attachments
from liangzhu.beams.work.forms import grammar, policies, registry, showing, specs, state, values
from liangzhu.beams.work.forms.actions import reveal
from liangzhu.beams.work.forms.asked import meant, sought
from liangzhu.beams.work.forms.cosigning import (
    digest_of,
    part_of,
    place_of,
    present,
    read_at_counter,
    read_to_sign,
    signed_part,
)
from liangzhu.beams.work.forms.grammar import Condition, Field, FormSpec
from liangzhu.beams.work.forms.models import CoSignature, Draft, Signer, Snapshot
from liangzhu.kernel import keys, reads, releases
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.located import DataFileError
from liangzhu.kernel.log import canonical, leaf_proof, sm3, wait_for
from liangzhu.kernel.models import Release
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref, describe, register_ref


def draft(actor: Actor, draft_id: int) -> Draft:
    """An own draft. Raises NotThere: absent, and another person's, are not told apart."""
    row = Draft.objects.filter(pk=draft_id, owner=str(actor.ref)).first()
    if row is None or not policies.own_draft(actor, row):
        raise NotThere("没有这份草稿，或者它已经提交、放弃。", todo="请从“表单”里打开正在填写的表单。")
    return row


def draft_of(actor: Actor, key: str, subject: str, part: str = "") -> Draft | None:
    """The own draft of a form for a subject, or for a part of it."""
    return Draft.objects.filter(owner=str(actor.ref), form=key, subject=subject, part=part).first()


def subject_of(
    draft_id: int | None = None, snapshot_id: int | None = None, signature_id: int | None = None, **other
) -> str:
    """The Ref, as text, of what a draft, a snapshot or a request to sign is about; tells who asks nothing else."""
    if signature_id is not None:
        rows = CoSignature.objects.filter(pk=signature_id, person_id=None).values_list("draft__subject")
    elif snapshot_id is not None:
        rows = Snapshot.objects.filter(pk=snapshot_id).values_list("subject")
    else:
        rows = Draft.objects.filter(pk=draft_id).values_list("subject")
    return (rows.first() or ("",))[0]


def page_of(actor: Actor, row: Draft) -> str:
    """The page that a resident's draft belongs to, from which it was begun; "" for staff, whose drafts stand in a list."""
    kind = registry.subjects.get(Ref.parse(row.subject).kind) if row.subject else None
    if actor.signed_in or kind is None or kind.finish is None:
        return ""
    found = kind.finish(actor, Ref.parse(row.subject), row.form, row.part)
    return found[0] if found else ""


@dataclass(frozen=True)
class DraftRow:
    """A draft as listed."""

    draft: Draft
    form: FormSpec
    about: str
    waiting: str


@dataclass(frozen=True)
class Home:
    """A person's forms: begun, waiting for their signature, sent, and those that may be begun."""

    drafts: list[DraftRow]
    to_sign: list[tuple[CoSignature, FormSpec]]
    sent: list[tuple[Snapshot, FormSpec]]
    forms: list[FormSpec]


def home(actor: Actor) -> Home:
    """What the page of forms shows."""
    policies.fill.require(actor)
    drafts = list(
        Draft.objects.filter(owner=str(actor.ref)).prefetch_related("cosigners").order_by("-saved_at")[:50]
    )
    about = describe([Ref.parse(row.subject) for row in drafts if row.subject], actor)
    person = getattr(actor, "person_id", None)
    asked = CoSignature.objects.filter(
        person_id=person, state__in=[CoSignature.INVITED, CoSignature.VOID]
    ).select_related("draft")
    sent = Snapshot.objects.filter(sent_by=str(actor.ref)).order_by("-id")[:20]
    rows = Release.objects.filter(kind=specs.RELEASE_KIND, state=Release.IN_FORCE).order_by("key")
    return Home(
        drafts=[
            DraftRow(
                row,
                specs.by_release_id(row.release_id),
                about[Ref.parse(row.subject)][0] if row.subject else "",
                _waiting(row),
            )
            for row in drafts
        ],
        to_sign=[(row, specs.by_release_id(row.draft.release_id)) for row in asked.order_by("id")[:50]],
        sent=[(row, specs.by_release_id(row.release_id)) for row in sent],
        forms=[specs.of_release(row) for row in rows],
    )


def _waiting(row: Draft) -> str:
    states = [one.state for one in row.cosigners.all()]
    if CoSignature.DECLINED in states:
        return "对方不同意签署"
    if CoSignature.VOID in states:
        return "签名已失效，等待重新签署"
    return "等待共同签署" if CoSignature.INVITED in states else ""


@dataclass(frozen=True)
class Waiting:
    """One place for a co-signer on the summary page: who, in which state, what changed since they signed."""

    place: grammar.CoSigner
    row: CoSignature | None
    good: bool
    changes: list[tuple[str, str, str]]

    @property
    def code(self) -> str:
        """What the applicant passes on to a resident, in groups; "" when it is of no use any more."""
        if self.row is None or not self.row.outside or self.row.state not in CoSignature.WAITING:
            return ""
        text = str(self.row.code)
        return f"{text[:5]}-{text[5:]}"

    @property
    def shown(self) -> str:
        """The number or phone that the applicant gave, masked."""
        return str(self.row.number or self.row.phone) if self.row is not None and self.row.outside else ""


@dataclass(frozen=True)
class Summary:
    """What stands in a draft, in words, before it is sent."""

    draft: Draft
    form: FormSpec
    parts: list[showing.Part]
    waiting: list[Waiting]
    sound: bool
    about: str
    finish: tuple[str, str] | None
    elsewhere: bool

    @property
    def signed(self) -> bool:
        """Whether everybody who must sign has."""
        return all(one.good or (one.row is None and not one.place.required) for one in self.waiting)

    @property
    def ready(self) -> bool:
        """Whether it can be sent."""
        return self.sound and self.signed


def summary(actor: Actor, row: Draft) -> Summary:
    """The summary of an own draft."""
    form = specs.by_release_id(row.release_id)
    content = row.content
    files = attachments.of(row.ref)
    parts = showing.summary(form, content["answers"], origins=content["origins"], files=files, check=True)
    places = state.places(form, content["answers"])
    part = signed_part(form, row) if places else {}
    rows = {one.place: one for one in CoSignature.objects.filter(draft=row).select_related("draft")}
    waiting = [_place(form, place, rows.get(place.name), part_of(form, part, place)) for place in places]
    sound = not any(one.wrong for one in parts)
    finish = None
    if row.subject:
        subject = Ref.parse(row.subject)
        kind = registry.subjects.get(subject.kind)
        finish = kind.finish(actor, subject, row.form, row.part) if kind and kind.finish else None
    return Summary(
        row,
        form,
        parts,
        waiting,
        sound,
        about(actor, row.subject),
        finish,
        registry.finished_elsewhere(row.subject),
    )


def _place(form: FormSpec, place: grammar.CoSigner, row: CoSignature | None, part: dict) -> Waiting:
    changes = []
    if row is not None and row.state == CoSignature.VOID:
        changes = _since(form, row, part)
    good = row is not None and row.state == CoSignature.SIGNED and row.digest == digest_of(part)
    return Waiting(place, row, good, changes)


def voided(row: Draft) -> list[str]:
    """Whose signatures an own change made void."""
    rows = CoSignature.objects.filter(draft=row, state=CoSignature.VOID).select_related("draft")
    return [str(one.person_name) for one in rows]


def _since(form: FormSpec, row: CoSignature, part: dict) -> list[tuple[str, str, str]]:
    """What changed since a co-signer signed."""
    if not row.signed:
        return []
    before = signed_content(row)
    if before["fingerprint"] != form.fingerprint:
        return [("表单版本", f"第 {before['release']} 版", f"第 {form.release} 版")]
    changes = showing.difference_words(form, before["answers"], part["answers"])
    old, new = before["files"], part["files"]
    changes += [("附件", one["name"], "（已去掉）") for pk, one in old.items() if pk not in new]
    changes += [("附件", "（没有）", one["name"]) for pk, one in new.items() if pk not in old]
    return changes


def signed_content(row: CoSignature) -> dict[str, Any]:
    """What a co-signer signed."""
    return json.loads(row.signed)


def about(actor: Actor, subject: str) -> str:
    """What a subject (Ref as text) is called; "" for none."""
    return describe([Ref.parse(subject)], actor)[Ref.parse(subject)][0] if subject else ""


@dataclass(frozen=True)
class Carrying:
    """What a newer release changes for a draft: in words, and the answers that would be left behind."""

    old: FormSpec
    new: FormSpec
    changes: list[str]
    lost: list[tuple[str, str]]


def carrying(actor: Actor, row: Draft) -> Carrying | None:
    """What carrying an own draft over to the release in force would mean; None when it is under that already."""
    new = specs.edition(row.form, row.subject)
    if new.release_id == row.release_id:
        return None
    old = specs.by_release_id(row.release_id)
    _, said, lost = state.fitting(old, new, row.content["answers"])
    words = [(one.label, showing.flat_words(one, value)) for one, value in lost]
    return Carrying(old, new, said, words)


@dataclass(frozen=True)
class ToSign:
    """A draft as its co-signer reads it: what he signs, and nothing else. ``digest`` is what they sign; ``changes`` what differs
    from what they signed before."""

    row: CoSignature
    form: FormSpec
    place: grammar.CoSigner
    parts: list[showing.Part]
    digest: str
    changes: list[tuple[str, str, str]]
    owner: str
    about: str
    complete: bool


def to_sign(actor: Actor, signature_id: int) -> ToSign:
    """What a co-signer was asked to sign; reading it is a leaf. Raises NotThere for anybody else, TooLate."""
    return _to_sign(actor, read_to_sign(actor, signature_id=signature_id))


def to_sign_at_counter(actor: Actor, signature_id: int, scan_id: int) -> ToSign:
    """The same for a co-signer who stands at the counter, by the clerk's own scan; reading it is a leaf. Raises NotThere, TooLate."""
    return _to_sign(actor, read_at_counter(actor, signature_id=signature_id, scan_id=scan_id))


def _to_sign(actor: Actor, row: CoSignature) -> ToSign:
    form = specs.by_release_id(row.draft.release_id)
    content = row.draft.content
    place = place_of(form, row.place)
    whole = signed_part(form, row.draft)
    part = part_of(form, whole, place)
    faults = {name.split("-")[0] for name in state.faults(form, content["answers"])}
    files = [one for one in attachments.of(row.draft.ref) if str(one.pk) in part["files"]]
    return ToSign(
        row=row,
        form=form,
        place=place,
        parts=showing.summary(
            form, whole["answers"], origins=content["origins"], files=files, only=place.covers
        ),
        digest=digest_of(part),
        changes=_since(form, row, part) if row.state == CoSignature.VOID else [],
        owner=_asker(actor, row.draft),
        about="" if row.outside else about(actor, row.draft.subject),
        complete=not (faults & set(place.covers) if place.covers else faults),
    )


def file_to_sign(actor: Actor, signature_id: int, file_id: int) -> attachments.Attachment:
    """A file that is part of what a co-signer signs. Raises NotThere, TooLate."""
    row = read_to_sign(actor, signature_id=signature_id)
    form = specs.by_release_id(row.draft.release_id)
    files = part_of(form, signed_part(form, row.draft), place_of(form, row.place))["files"]
    found = next((one for one in attachments.of(row.draft.ref) if one.pk == file_id), None)
    if found is None or str(file_id) not in files:
        raise NotThere("没有找到这个附件。")
    return found


def _asker(actor: Actor, draft: Draft) -> str:
    """Who asks, by name: whom one is asked by, one is told."""
    owner = Ref.parse(draft.owner)
    account = (
        residents.ResidentAccount.objects.filter(pk=owner.id).first() if owner.kind == "resident" else None
    )
    if account is None:
        return describe([owner], actor)[owner][0]
    person = f"natural_person:{account.person_id}"
    return registers.party_names({person}).get(person, "")


# A resident's own signatures ------------------------------------------------------------------------------


def asked_of(actor: Actor) -> list[CoSignature]:
    """What waits for the signature of a resident, what is due first at the top; at most 50."""
    policies.cosign.require(actor)
    own = () if actor.for_another else actor.principal_refs
    rows = sought(actor.person, own).filter(state__in=CoSignature.WAITING, due_at__gt=now())
    return [row for row in rows.select_related("draft").order_by("due_at")[:50] if meant(actor.person, row)]


@dataclass(frozen=True)
class Own:
    """A resident's signatures: what waits, what was answered and is not sent yet, what was sent."""

    waiting: list[tuple[CoSignature, FormSpec, str]]
    answered: list[tuple[CoSignature, FormSpec, str]]
    sent: list[tuple[Signer, FormSpec]]


def own_signatures(actor: Actor) -> Own:
    """The page of a resident's signatures; at most 50 of each."""
    policies.cosign.require(actor)
    done = (
        CoSignature.objects.filter(party__in=registers.family(str(actor.person)))
        .exclude(state__in=CoSignature.WAITING)
        .select_related("draft")
        .order_by("-answered_at")
    )
    sent = Signer.objects.filter(party__in=registers.family(str(actor.person))).select_related("snapshot")
    return Own(
        *(
            [
                [(row, specs.by_release_id(row.draft.release_id), _asker(actor, row.draft)) for row in rows]
                for rows in (asked_of(actor), done[:50])
            ]
        ),
        [(row, specs.by_release_id(row.snapshot.release_id)) for row in sent.order_by("-id")[:50]],
    )


def waiting_at_counter(actor: Actor, scan_id: int) -> list[CoSignature]:
    """What waits for the signature of who stands at the counter, by the clerk's own scan. Raises Denied, NotThere."""
    policies.cosign_at_counter.require(actor)
    person = present(actor, scan_id)
    rows = sought(person).filter(state__in=CoSignature.WAITING, due_at__gt=now()).select_related("draft")
    return [row for row in rows.order_by("due_at")[:50] if meant(person, row)]


@dataclass(frozen=True)
class Signed:
    """What a resident signed, as it was sent. ``holds``: the signature over it verifies."""

    row: Signer
    form: FormSpec
    said: dict[str, Any]
    parts: list[showing.Part]
    holds: bool

    @property
    def signed_at(self) -> datetime:
        """When."""
        return datetime.fromisoformat(self.said["at"])


def signed(actor: Actor, signer_id: int) -> Signed:
    """One thing that a resident signed, and nothing else of what was sent with it. Raises NotThere."""
    row = Signer.objects.select_related("snapshot", "leaf").filter(pk=signer_id).first()
    if row is None or not policies.read_signed(actor, row):
        raise NotThere("没有这份您签署过的内容。")
    form = specs.by_release_id(row.snapshot.release_id)
    content = row.snapshot.content
    said = next(one for one in content["signatures"] if one["place"] == row.place)
    made = f"{said['row']} {said['digest']}".encode()
    part = {name: content[name] for name in ("form", "release", "fingerprint", "subject", "answers", "files")}
    place = place_of(form, row.place)
    holds = said["digest"] == digest_of(part_of(form, part, place)) and keys.verify(
        said["key"], made, bytes.fromhex(said["signature"])
    )
    return Signed(row, form, said, showing.summary(form, content["answers"], only=place.covers), holds)


def signed_proof(actor: Actor, signer_id: int) -> dict[str, Any]:
    """The proof that the log holds one's signature, for the offline verifier. Raises NotThere, NotSequenced."""
    row = signed(actor, signer_id).row
    wait_for(row.leaf)
    row.leaf.refresh_from_db()
    return leaf_proof(row.leaf.number, details=True)


@dataclass(frozen=True)
class Sent:
    """A snapshot in words. ``holds``: the system's signature over it verifies."""

    row: Snapshot
    form: FormSpec
    content: dict[str, Any]
    parts: list[showing.Part]
    about: tuple[str, str]
    masked: bool
    holds: bool


def typed(row: Snapshot) -> dict[str, Any]:
    """The answers of a snapshot for guards and effects: typed; tables as plain rows."""
    form = specs.by_release_id(row.release_id)
    return {
        name: value if form.field(name).type == "table" else values.typed(form.field(name), value)
        for name, value in row.content["answers"].items()
    }


def in_words(row: Snapshot) -> dict[str, str]:
    """The answers of a snapshot as people read them, for what is made out with them; tables are left out."""
    form = specs.by_release_id(row.release_id)
    return {
        name: showing.flat_words(form.field(name), value)
        for name, value in row.content["answers"].items()
        if form.field(name).type != "table"
    }


def sent(actor: Actor, snapshot_id: int) -> Sent:
    """A snapshot that the actor may read; others than the sender see personal values masked. Raises NotThere."""
    row = Snapshot.objects.filter(pk=snapshot_id).first()
    if row is None or not policies.read_snapshot(actor, row):
        raise NotThere("没有这份填报内容，或者它不在您的查看范围内。")
    return shown(actor, row, masked=not policies.own_words(actor, row))


def sent_in_full(actor: Actor, snapshot_id: int, reason: str) -> Sent:
    """A snapshot with the personal values of somebody else, for a reason that the log keeps. Raises NotThere, Invalid."""
    return shown(actor, reveal(actor, snapshot_id=snapshot_id, reason=reason), masked=False)


def shown(actor: Actor, row: Snapshot, *, masked: bool) -> Sent:
    """A snapshot in words; the caller has made sure that it may be read."""
    form = specs.by_release_id(row.release_id)
    content = row.content
    subject = Ref.parse(row.subject) if row.subject else None
    files = attachments.of(subject or row.ref) if content["files"] else []
    return Sent(
        row=row,
        form=form,
        content=content,
        parts=showing.summary(
            form, content["answers"], origins=content["origins"], files=files, masked=masked
        ),
        about=describe([subject], actor)[subject] if subject else ("", ""),
        masked=masked,
        holds=verifies(row),
    )


def verifies(row: Snapshot) -> bool:
    """Whether the system's signature over a snapshot holds, and the digest is that of what was signed by people."""
    content = row.content
    part = {name: content[name] for name in ("form", "release", "fingerprint", "subject", "answers", "files")}
    return sm3(canonical(part).encode()) == row.digest and keys.verify(
        row.key_id, row.body.encode(), bytes.fromhex(row.signature)
    )


@reads.belongs("form_signature")
def _of_signature(ref: Ref) -> list[Ref]:
    """The resident who was asked, once it is known who that is."""
    party = CoSignature.objects.filter(pk=ref.id).values_list("party", flat=True).first()
    return [Ref.parse(party)] if party else []


# Definitions ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Listed:
    """A form as listed: what is in force, and whether a draft waits for its second person."""

    form: FormSpec
    release: Release
    draft: Release | None


def forms(actor: Actor) -> list[Listed]:
    """The forms in force."""
    policies.read.require(actor)
    rows = Release.objects.filter(
        kind=specs.RELEASE_KIND, state__in=[Release.IN_FORCE, Release.DRAFT]
    ).order_by("key", "number")
    drafts = {row.key: row for row in rows if row.state == Release.DRAFT}
    return [
        Listed(specs.of_release(row), row, drafts.get(row.key))
        for row in rows
        if row.state == Release.IN_FORCE
    ]


@dataclass(frozen=True)
class Defined:
    """One release of a form as it is shown, beside the others of its key (newest first)."""

    row: Release
    releases: list[Release]
    form: FormSpec | None
    faults: list[str]
    before: Release | None
    changes: list[str]
    difference: list[tuple[str, str]]
    drafter: str


def defined(actor: Actor, key: str, number: int | None = None) -> Defined:
    """The release of that number, else the one in force, else the newest. Raises NotThere."""
    policies.read.require(actor)
    rows = list(Release.objects.filter(kind=specs.RELEASE_KIND, key=key).order_by("-number"))
    if not rows:
        raise NotThere("没有这张表单。")
    if number is None:
        row = next((one for one in rows if one.state == Release.IN_FORCE), rows[0])
    else:
        row = next((one for one in rows if one.number == number), None)
        if row is None:
            raise NotThere(f"这张表单没有第 {number} 版。")
    form, faults = _read(row)
    before = next((one for one in rows if one.number < row.number and one.state != Release.REFUSED), None)
    earlier = _read(before)[0] if before else None
    ref = Ref.parse(row.drafted_by)
    return Defined(
        row=row,
        releases=rows,
        form=form,
        faults=faults,
        before=before,
        changes=state.fitting(earlier, form, {})[1] if earlier and form else [],
        difference=releases.difference(before.body, row.body) if before else [],
        drafter="系统载入" if ref.kind == "system" else describe([ref], actor)[ref][0],
    )


def _read(row: Release) -> tuple[FormSpec | None, list[str]]:
    try:
        found = (
            specs.of_release(row)
            if row.state != Release.DRAFT
            else grammar.parse(row.body, row.origin or row.key)
        )
    except DataFileError as error:
        return None, error.detail.splitlines()
    return found, []


_ASKED = {
    "is": "为{}",
    "is_not": "不为{}",
    "in": "为{}",
    "not_in": "不为{}",
    "has": "含{}",
    "has_not": "不含{}",
    "at_least": "不小于 {}",
    "at_most": "不大于 {}",
    "more_than": "大于 {}",
    "less_than": "小于 {}",
    "rows_at_least": "至少 {} 行",
}


def condition_words(form: FormSpec, condition: Condition) -> str:
    """A condition in words: 是否合伙开办为是."""
    match condition.op:
        case "all" | "any":
            joint = "，并且" if condition.op == "all" else "，或者"
            return joint.join(condition_words(form, part) for part in condition.parts)
        case "not":
            return f"不是（{condition_words(form, condition.parts[0])}）"
    columns = (column for _, one in form.all_fields() for column in one.fields)
    asked = next(
        one for one in (*(one for _, one in form.all_fields()), *columns) if one.name == condition.field
    )
    if condition.op == "filled":
        return f"{asked.label}{'已填写' if condition.value else '没有填写'}"
    given = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    words = "或".join(
        "是" if value is True else "否" if value is False else asked.option(str(value)) for value in given
    )
    return f"{asked.label}{_ASKED[condition.op].format(words)}"


def field_words(form: FormSpec, one: Field) -> list[str]:
    """What a form asks of a field, in words."""
    found = [grammar.TYPES[one.type]]
    if one.required:
        found.append("必填")
    if one.exact:
        found.append("要有坐标")
    if one.grade >= 3:
        found.append("个人信息")
    if one.prefill:
        found.append(
            f"预填自{registry.sources[one.prefill.source].title}{'（不可改）' if one.prefill.locked else ''}"
        )
    if one.show_if:
        found.append(f"{condition_words(form, one.show_if)}时才出现")
    return found


# References and downloads ---------------------------------------------------------------------------------


def _snapshot_labels(ids: Iterable[str], actor: Actor) -> dict[str, tuple[str, str]]:
    rows = Snapshot.objects.filter(pk__in=[one for one in ids if one.isdecimal()])
    return {
        str(row.pk): (specs.by_release_id(row.release_id).title, "")
        for row in rows
        if policies.read_snapshot(actor, row)
    }


register_ref("form_snapshot", "填报内容", _snapshot_labels)


def _draft_files(actor: Actor, subject: Ref) -> bool:
    row = Draft.objects.filter(pk=subject.id).first() if subject.id.isdecimal() else None
    if row is None:
        return False
    if policies.own_draft(actor, row):
        return True
    person = getattr(actor, "person_id", None)
    return person is not None and CoSignature.objects.filter(draft=row, person_id=person).exists()


def _snapshot_files(actor: Actor, subject: Ref) -> bool:
    row = Snapshot.objects.filter(pk=subject.id).first() if subject.id.isdecimal() else None
    return row is not None and policies.read_snapshot(actor, row)


attachments.guard_downloads("form_draft", _draft_files)
attachments.guard_downloads("form_snapshot", _snapshot_files)


# Whose values stand in them -------------------------------------------------------------------------------


@reads.belongs("form_snapshot")
def _of_snapshot(ref: Ref) -> list[Ref]:
    """Those whom its subject concerns, and who sent it."""
    row = Snapshot.objects.filter(pk=ref.id).only("subject", "sent_by").first()
    return [Ref.parse(text) for text in (row.subject, row.sent_by) if text] if row else []


@reads.belongs("form_draft")
def _of_draft(ref: Ref) -> list[Ref]:
    """Those whom its subject concerns, and its owner."""
    row = Draft.objects.filter(pk=ref.id).only("subject", "owner").first()
    return [Ref.parse(text) for text in (row.subject, row.owner) if text] if row else []
