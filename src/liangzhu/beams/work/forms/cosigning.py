"""Co-signing (共同签署): who is asked, what exactly they sign, and what a change does to it.

Forms of staff are signed by staff. A form about a kind of thing that residents fill in is signed by residents: the applicant names one
by name and document number or phone, who sees it under his own sign-in, or comes with the code that he was given.
"""

import re
import secrets
from datetime import timedelta
from typing import Any

from django.db.models import Q

from liangzhu.beams.people.codes import api as codes
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.work.files import api as attachments
from liangzhu.beams.work.forms import events, policies, registry, specs, state
from liangzhu.beams.work.forms.asked import meant
from liangzhu.beams.work.forms.grammar import CoSigner, FormSpec
from liangzhu.beams.work.forms.models import CoSignature, Draft
from liangzhu.kernel import identifiers, keys, reads
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM, Actor
from liangzhu.kernel.errors import Conflict, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.log import canonical, sm3
from liangzhu.kernel.now import now
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.worker import periodic

SIGNING_KEY = "form"
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without letters and figures that are taken for each other."""
CODE_LENGTH = 10
REMIND = timedelta(days=2)
"""So long before the end a co-signer is reminded, once."""
SCAN_GOOD = timedelta(minutes=30)
"""So long after a scan its holder is taken to stand at the counter."""
AT_COUNTER = 3
"""The level of assurance of somebody who was seen with a code or a document (现场核验)."""
_PHONE = re.compile(r"1[3-9]\d{9}")

keys.declare(SIGNING_KEY, keys.SM2, "签署表单")


class NotReady(StepNotAllowed):
    """A form that cannot be sent yet; the detail says what is missing."""

    code, title = "form_not_ready", "表单还不能提交"
    todo = "请按所列的步骤补齐，再提交。"


class TooLate(StepNotAllowed):
    """The time in which a co-signer could answer is over."""

    code, title, todo = "cosign_late", "签署的期限已过", "请填表人重新发出邀请。"


# What is signed -------------------------------------------------------------------------------------------


def signed_part(form: FormSpec, draft: Draft) -> dict[str, Any]:
    """All that counts of a draft, as it is sent."""
    return covered(form, draft.subject, draft.content["answers"], attachments.of(draft.ref))


def covered(
    form: FormSpec, subject: str, given: state.Answers, rows: list[attachments.Attachment]
) -> dict[str, Any]:
    """What counts: which form in which release, the answers, the files by their fingerprints."""
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


def part_of(form: FormSpec, part: dict[str, Any], place: CoSigner) -> dict[str, Any]:
    """What a signature in a place covers: all, or the fields that the place names, and what is said by signing."""
    if not place.covers and not place.text:
        return part
    names = place.covers or tuple(part["answers"])
    answers = {name: value for name, value in part["answers"].items() if name in names}
    kept = {
        str(one)
        for _, each in form.all_fields()
        if each.type == "files"
        for one in answers.get(each.name, ())
    }
    files = {pk: one for pk, one in part["files"].items() if pk in kept}
    return part | {"answers": answers, "files": files, "place": place.name, "text": place.text}


def digest_of(part: dict[str, Any]) -> str:
    """The fingerprint (SM3) of what is signed."""
    return sm3(canonical(part).encode())


def place_of(form: FormSpec, name: str) -> CoSigner:
    """A place of a form. Raises NotThere."""
    found = next((one for one in form.cosigners if one.name == name), None)
    if found is None:
        raise NotThere("这张表单没有这个共同签署人。")
    return found


def complete(form: FormSpec, draft: Draft, covers: tuple[str, ...] = ()) -> None:
    """That a form, or the fields of it that are named, can be signed. Raises NotReady."""
    answers = draft.content["answers"]
    wrong = state.unfinished(form, answers)
    if covers:
        names = {name.split("-")[0] for name in state.faults(form, answers)} & set(covers)
        wrong = [step for step in wrong if names & {one.name for one in step.fields}]
    if wrong:
        raise NotReady(f"还有步骤没有填好：{'、'.join(step.title for step in wrong)}。")


def void(act: Act, draft: Draft, form: FormSpec) -> list[CoSignature]:
    """Signatures over other answers than the present ones are void; who signed is told, and can sign again."""
    rows = list(CoSignature.objects.filter(draft=draft, state=CoSignature.SIGNED).select_related("draft"))
    if not rows:
        return []
    part, gone = signed_part(form, draft), []
    for row in rows:
        place = next((one for one in form.cosigners if one.name == row.place), None)
        if place is not None and row.digest == digest_of(part_of(form, part, place)):
            continue
        row.state = CoSignature.VOID
        if row.outside:
            row.due_at, row.reminded_at = now() + timedelta(days=place.days if place else 7), None
        row.save(update_fields=["state", "due_at", "reminded_at"])
        act.log(row.ref, draft=draft.pk, void=True)
        act.emit(
            events.CoSignAsked(subject=row.ref, person_id=row.person_id, form_title=form.title, again=True)
        )
        gone.append(row)
    return gone


def collected(form: FormSpec, draft: Draft, part: dict[str, Any]) -> list[dict[str, Any]]:
    """The signatures that a snapshot carries. Raises NotReady naming whose is missing."""
    rows = {row.place: row for row in CoSignature.objects.filter(draft=draft).select_related("draft")}
    found, missing = [], []
    for wanted in state.places(form, part["answers"]):
        row = rows.get(wanted.name)
        if (
            row is not None
            and row.state == CoSignature.SIGNED
            and row.digest == digest_of(part_of(form, part, wanted))
        ):
            found.append(_carried(wanted, row))
        elif wanted.required or row is not None:
            who = f"{row.person_name}，{row.get_state_display()}" if row else "还没有邀请"
            missing.append(f"{wanted.title}（{who}）")
    if missing:
        raise NotReady(
            f"还缺共同签署：{'、'.join(missing)}。", todo="请等对方签署，或在下面改请别人、收回邀请。"
        )
    return found


def _carried(wanted: CoSigner, row: CoSignature) -> dict[str, Any]:
    said = {
        "place": wanted.name,
        "title": wanted.title,
        "name": str(row.person_name),
        "at": row.answered_at.isoformat(),
        "row": str(row.ref),
        "digest": row.digest,
        "key": row.key_id,
        "signature": row.signature,
    }
    if not row.outside:
        return said | {"person": row.person_id}
    return said | {
        "party": row.party,
        "assurance": row.assurance,
        "ground": row.ground,
        "covers": list(wanted.covers),
        "text": wanted.text,
        "leaf": row.leaf_id,
    }


# Asking ---------------------------------------------------------------------------------------------------


def for_residents(draft: Draft) -> bool:
    """Whether a draft is signed by residents: it is about a kind of thing that they fill forms in for."""
    kind = registry.subjects.get(Ref.parse(draft.subject).kind) if draft.subject else None
    return kind is not None and kind.residents


def _own(act: Act, draft_id: int, place: str) -> tuple[Draft, FormSpec, CoSigner]:
    draft = act.lock(Draft, pk=draft_id)
    act.check(policies.fill, draft)
    form = specs.by_release_id(draft.release_id)
    return draft, form, place_of(form, place)


def _ask(act: Act, row: CoSignature, form: FormSpec, **said) -> CoSignature:
    CoSignature.objects.filter(draft=row.draft, place=row.place).delete()
    row.save()
    act.log(row.ref, draft=row.draft_id, place=row.place, **said)
    act.emit(events.CoSignAsked(subject=row.ref, person_id=row.person_id, form_title=form.title, again=False))
    return row


@action("forms.ask_cosigner")
def ask_cosigner(act: Act, *, draft_id: int, place: str, person_id: int, person_name: str) -> CoSignature:
    """Ask a member of staff to sign; asking another one in the same place takes the first request back.

    Raises NotThere, Denied, Invalid, NotReady (what he would sign is not complete yet), StepNotAllowed (residents sign it).
    """
    draft, form, wanted = _own(act, draft_id, place)
    if for_residents(draft):
        raise StepNotAllowed("这张表由群众共同签署，不由工作人员签署。")
    if person_id == getattr(act.actor, "person_id", None):
        raise Invalid({"person": f"{wanted.title}不能是您自己，请选另一个人。"})
    taken = CoSignature.objects.filter(draft=draft, person_id=person_id).exclude(place=place)
    if taken.exists():
        raise Invalid({"person": "这个人已在另一个位置签署，请选另一个人。"})
    complete(form, draft, wanted.covers)
    row = CoSignature(
        draft=draft, place=place, person_id=person_id, person_name=person_name, invited_at=now()
    )
    return _ask(act, row, form, person=person_id)


@action("forms.ask_resident")
def ask_resident(act: Act, *, draft_id: int, place: str, name: str, number: str) -> CoSignature:
    """Ask a resident to sign, named by name and document number or mobile phone; who has not signed in yet is known when he does.

    A request in the same place is taken back. Raises NotThere, Denied, Invalid, NotReady, StepNotAllowed (staff sign it).
    """
    draft, form, wanted = _own(act, draft_id, place)
    if not for_residents(draft):
        raise StepNotAllowed("这张表由工作人员共同签署。")
    name, number = " ".join(name.split())[:60], identifiers.normal_form(number)
    phone = registers.phone_form(number)
    by_phone = bool(_PHONE.fullmatch(phone))
    if len(name) < 2:
        raise Invalid({"name": "请填写对方的真实姓名。"})
    if not by_phone:
        _check_number(number)
    found = None if by_phone else registers.person_of(name, number)
    applicant = _applicant(draft)
    known = {"phone": phone} if by_phone else {"number": number}
    if applicant is not None and (
        (found is not None and str(found.ref) in registers.family(str(applicant)))
        or registers.is_person(applicant, name=name, **known)
    ):
        raise Invalid({"number": f"{wanted.title}不能是您自己，请填另一个人。"})
    others = CoSignature.objects.filter(draft=draft).exclude(place=place)
    if others.filter(Q(phone_blind=phone) if by_phone else Q(number_blind=number)).exists() or (
        found is not None and others.filter(party__in=registers.family(str(found.ref))).exists()
    ):
        raise Invalid({"number": "这个人已在另一个位置签署，请填另一个人。"})
    complete(form, draft, wanted.covers)
    row = CoSignature(
        draft=draft,
        place=place,
        person_name=name,
        party=str(found.ref) if found else "",
        code="".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH)),
        invited_at=now(),
        due_at=now() + timedelta(days=wanted.days),
        **known,
    )
    return _ask(act, row, form, known=found is not None, due=row.due_at.isoformat())


def _check_number(number: str) -> None:
    if re.fullmatch(r"[0-9X]{15}|[0-9X]{18}", number):
        try:
            identifiers.check("person", number)
        except identifiers.IdentifierError as error:
            raise Invalid({"number": f"{error.message}。{error.todo}"}) from None
    elif not re.fullmatch(r"[0-9A-Z]{7,40}", number):
        raise Invalid({"number": "请填写对方的证件号码，或 11 位手机号。"})


def _applicant(draft: Draft) -> Ref | None:
    """The natural person who fills a draft in; None for staff at a counter."""
    owner = Ref.parse(draft.owner)
    if owner.kind != "resident":
        return None
    account = residents.ResidentAccount.objects.filter(pk=owner.id).first()
    return Ref("natural_person", str(account.person_id)) if account else None


@action("forms.take_back_cosign")
def take_back(act: Act, *, draft_id: int, place: str) -> None:
    """Take a request to sign back. Raises NotThere, Denied."""
    draft = act.lock(Draft, pk=draft_id)
    act.check(policies.fill, draft)
    CoSignature.objects.filter(draft=draft, place=place).delete()
    act.log(draft.ref, place=place, taken_back=True)


# Who was asked --------------------------------------------------------------------------------------------


@action("forms.come_with_code")
def come_with_code(act: Act, *, code: str) -> CoSignature:
    """A resident comes with the code that he was given; from then on it is known that he is the one who is meant.

    His name must be the one that the applicant wrote, and his number where one was given. Raises NotThere, the same for whatever
    does not fit, and TooLate.
    """
    act.check(policies.cosign)
    typed = re.sub(r"[^0-9A-Z]", "", identifiers.normal_form(code))
    row = (
        CoSignature.objects.select_for_update(of=("self",))
        .select_related("draft")
        .filter(code_blind=typed)
        .exclude(code_blind="")
        .first()
        if typed
        else None
    )
    person = getattr(act.actor, "person", None)
    fits = row is not None and person is not None
    if fits and row.party:
        fits = row.party in registers.family(str(person))
    elif fits:
        numbers, _ = registers.sought_by(registers.family(str(person)))
        fits = registers.is_person(person, name=str(row.person_name)) and (
            not row.number_blind or CoSignature.objects.filter(pk=row.pk, number_blind__in=numbers).exists()
        )
    if not fits:
        raise NotThere(
            "没有请您签署的这份表单。", todo="请核对签署码；登录的须是填表人写明的那个人，姓名要一致。"
        )
    _in_time(row)
    _bind(act, row, person)
    act.log(row.ref, draft=row.draft_id, came="code")
    return row


def _bind(act: Act, row: CoSignature, person: Ref) -> None:
    """Note who is meant, once that is known."""
    if not row.party:
        row.party = str(person)
        row.save(update_fields=["party"])
        reads.found(row.ref, person)


def _in_time(row: CoSignature) -> None:
    if row.state == CoSignature.LATE or (
        row.state in CoSignature.WAITING and row.due_at is not None and row.due_at <= now()
    ):
        raise TooLate("填表人给的签署期限已经过了。")


# Answering ------------------------------------------------------------------------------------------------


@action("forms.read_to_sign")
def read_to_sign(act: Act, *, signature_id: int) -> CoSignature:
    """A co-signer reads what he is asked to sign: the leaf says who read whose. Raises NotThere, TooLate."""
    row = CoSignature.objects.filter(pk=signature_id).select_related("draft").first()
    if row is None or not policies.cosign(act.actor, row):
        raise NotThere("没有请您签署的这份表单，或者邀请已收回、表单已提交。")
    act.check(policies.cosign, row)
    if row.outside:
        _in_time(row)
        _bind(act, row, act.actor.person)
    _read(act, row, "共同签署前查看")
    return row


@action("forms.read_at_counter")
def read_at_counter(act: Act, *, signature_id: int, scan_id: int) -> CoSignature:
    """Staff show a co-signer who stands before them what he is asked to sign. Raises Denied, NotThere, StepNotAllowed, TooLate."""
    row = CoSignature.objects.filter(pk=signature_id).select_related("draft").first()
    act.check(policies.cosign_at_counter)
    person = present(act.actor, scan_id)
    if row is None or not meant(person, row):
        raise NotThere("没有请这个人签署的表单，或者邀请已收回、表单已提交。")
    _in_time(row)
    _bind(act, row, person)
    _read(act, row, "窗口共同签署前查看", scan=scan_id)
    return row


def _read(act: Act, row: CoSignature, reason: str, **said) -> None:
    form = specs.by_release_id(row.draft.release_id)
    covers = next((one.covers for one in form.cosigners if one.name == row.place), ())
    act.log(row.ref, read=row.draft.form, draft=row.draft_id, fields=list(covers), **said)
    note_read(act, row.draft.ref, row.draft.release_id, row.draft.subject, reason, covers)


def note_read(
    act: Act, ref: Ref, release_id: int, case: str, reason: str, covers: tuple[str, ...] = ()
) -> None:
    """Tell the trail that a form's personal values were read; ``covers``: only these fields of it."""
    form = specs.by_release_id(release_id)
    fields = {
        one.name: one.label
        for _, one in form.all_fields()
        if one.grade >= 3 and (not covers or one.name in covers)
    }
    if fields:
        reads.note(act.actor, ref, fields, channel="form", case=case, reason=reason)


@action("forms.answer_cosign")
def answer_cosign(act: Act, *, signature_id: int, digest: str, sign: bool, reason: str = "") -> CoSignature:
    """Sign what was read (its digest), or decline with a reason.

    Raises NotThere, Denied, Invalid, Conflict (it changed since it was read), StepNotAllowed (answered already), TooLate,
    residents.NeedLevel.
    """
    row = act.lock(CoSignature, pk=signature_id)
    draft = act.lock(Draft, pk=row.draft_id)
    row.draft = draft
    act.check(policies.cosign, row)
    if row.outside:
        _in_time(row)
        _bind(act, row, act.actor.person)
        place = place_of(specs.by_release_id(draft.release_id), row.place)
        if sign and act.actor.assurance < place.level:
            residents.need(place.level)
        row.assurance = act.actor.assurance
    return _answer(act, row, digest=digest, sign=sign, reason=reason)


@action("forms.answer_at_counter")
def answer_at_counter(
    act: Act, *, signature_id: int, scan_id: int, digest: str, sign: bool, reason: str = ""
) -> CoSignature:
    """A co-signer who stands at the counter signs or declines; the ground is the scan of his code or document by this clerk.

    Raises Denied, NotThere, Invalid, Conflict, StepNotAllowed, TooLate.
    """
    act.check(policies.cosign_at_counter)
    person = present(act.actor, scan_id)
    row = act.lock(CoSignature, pk=signature_id)
    draft = act.lock(Draft, pk=row.draft_id)
    row.draft = draft
    if not meant(person, row):
        raise NotThere("没有请这个人签署的表单，或者邀请已收回、表单已提交。")
    _in_time(row)
    _bind(act, row, person)
    row.assurance, row.ground = AT_COUNTER, str(Ref("code_scan", str(scan_id)))
    return _answer(act, row, digest=digest, sign=sign, reason=reason)


def present(actor: Actor, scan_id: int) -> Ref:
    """The natural person whom a clerk's own scan shows to stand at the counter. Raises NotThere, StepNotAllowed."""
    scan = codes.scan(actor, scan_id)
    if not scan.good or scan.row.at + SCAN_GOOD < now():
        raise StepNotAllowed("这次扫码不能作为签署的依据。", todo="请对方再出示一次服务码或证件，重新扫码。")
    found = scan.row.agent_id or scan.row.person_id
    if found is None:
        raise StepNotAllowed("这次扫码没有确认到自然人。", todo="共同签署由本人签，请扫本人的服务码。")
    return Ref("natural_person", str(found))


def _answer(act: Act, row: CoSignature, *, digest: str, sign: bool, reason: str) -> CoSignature:
    draft = row.draft
    form = specs.by_release_id(draft.release_id)
    if row.state == CoSignature.SIGNED:
        raise StepNotAllowed("您已经签署过，内容没有再变。")
    if not sign and not reason.strip():
        raise Invalid({"reason": "不同意签署时请写明理由，填表人会看到。"})
    place = place_of(form, row.place)
    body = canonical(part_of(form, signed_part(form, draft), place))
    if sm3(body.encode()) != digest:
        raise Conflict("您阅读期间，填表人又改了内容。", todo="请重新看过内容，再决定是否签署。")
    if sign:
        complete(form, draft, place.covers)
        made = keys.sign(SIGNING_KEY, f"{row.ref} {digest}".encode())
        row.signed, row.digest, row.key_id, row.signature = body, digest, made.key_id, made.signature.hex()
        row.reason = ""
    else:
        row.reason = reason.strip()[:300]
    row.state = CoSignature.SIGNED if sign else CoSignature.DECLINED
    row.answered_at, row.answered_by = now(), str(act.actor.ref)
    row.leaf = act.log(
        row.ref, draft=draft.pk, digest=digest, signed=sign, assurance=row.assurance, ground=row.ground
    )
    row.save()
    asked_by = draft.person_id
    act.emit(
        events.CoSignAnswered(
            subject=row.ref, person_id=asked_by, draft_id=draft.pk, form_title=form.title, signed=sign
        )
    )
    return row


# Time -----------------------------------------------------------------------------------------------------


@action("forms.keep_cosign_time")
def keep_time(act: Act, *, limit: int = 200) -> int:
    """Remind co-signers whose time is nearly over, and note those whose time is. Returns how many."""
    act.check(policies.sweep)
    rows = list(
        CoSignature.objects.select_for_update(of=("self",))
        .select_related("draft")
        .filter(state__in=CoSignature.WAITING, due_at__lte=now() + REMIND)
        .filter(Q(reminded_at=None) | Q(due_at__lte=now()))
        .order_by("id")[:limit]
    )
    for row in rows:
        over = row.due_at <= now()
        row.reminded_at = now()
        row.state = CoSignature.LATE if over else row.state
        row.save(update_fields=["reminded_at", "state"])
        act.log(row.ref, over=over)
        title = specs.by_release_id(row.draft.release_id).title
        act.emit(events.CoSignLate(subject=row.ref, draft_id=row.draft_id, form_title=title, over=over))
    act.log(Ref("job", "forms.keep_cosign_time"), rows=len(rows))
    return len(rows)


@periodic("forms.cosign_time", minutes=60)
def keep_time_hourly() -> None:
    """Keep the time of those who were asked to sign."""
    while keep_time(SYSTEM) == 200:
        pass
