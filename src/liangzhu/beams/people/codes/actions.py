"""Every change of this app. `checking` puts them in order: the issuer is asked between two transactions, never inside one."""

import base64
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from liangzhu.beams.people.codes import outlets, policies
from liangzhu.beams.people.codes.errors import AgentRefused, HolderRefused, IssuerWrong
from liangzhu.beams.people.codes.events import CodeAccepted
from liangzhu.beams.people.codes.issuers import ENTERPRISE, Agency, Answer, Code, Known, Licence, Party
from liangzhu.beams.people.codes.models import Desk, Scan
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents import api as residents
from liangzhu.kernel import identifiers, keys, masking, reads, sealing
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Invalid, StepNotAllowed
from liangzhu.kernel.now import SHANGHAI, now, today
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.worker import periodic

BATCH = 200
SOURCE = "service_code"
"""The source, in a consent's words, of licences that came with a code."""


@dataclass(frozen=True)
class Wish:
    """What somebody scans for: one case (printed Ref), one item, named licences, at one desk."""

    case: str
    item: str
    title: str
    items: tuple[str, ...]
    outlet: str
    device: str


# The desk -------------------------------------------------------------------------------------------------------------


@action("codes.set_up_desk")
def set_up_desk(act: Act, *, outlet: str, device: str, identity_number: str = "") -> Desk:
    """Note where one scans, and one's own identity number, which the issuer asks for. An empty number keeps the one that is known.

    Raises Invalid.
    """
    act.check(policies.scan)
    row = Desk.objects.select_for_update().filter(person=act.actor.person_id).first()
    known = outlets.outlets().get(outlet)
    wrong = {}
    if known is None:
        wrong["outlet"] = "请选择网点。"
    elif device not in known.devices:
        wrong["device"] = f"{known.title}没有这台设备，请从列表里选择。"
    if identity_number:
        try:
            identity_number = identifiers.check("person", identity_number).value
        except identifiers.IdentifierError as error:
            wrong["identity_number"] = f"{error.message}。{error.todo}"
    elif row is None:
        wrong["identity_number"] = "请填写身份证号码，只填一次。"
    if wrong:
        raise Invalid(wrong)
    if row is None:
        row = Desk(person_id=act.actor.person_id)
    row.outlet, row.device, row.set_at = outlet, device, now()
    if identity_number:
        row.identity_number = identity_number
    row.save()
    act.log(row.ref, outlet=outlet, device=device, number=bool(identity_number))
    return row


# A scan ---------------------------------------------------------------------------------------------------------------


def _row(act: Act, wish: Wish, known: Known | None, code: Code | None, result: str) -> Scan:
    """A scan, not saved."""
    return Scan(
        at=now(),
        way=Scan.TYPED if code and code.typed else Scan.SCANNED,
        issuer=known.key if known else "",
        province=code.province if code else "",
        code=keys.blind("codes.number", code.number) if code else "",
        case=wish.case,
        item=wish.item,
        items=" ".join(wish.items),
        operator=str(act.actor.ref),
        unit=getattr(act.actor, "unit_id", None),
        outlet=wish.outlet,
        device=wish.device,
        result=result,
    )


@action("codes.claim")
def claim(act: Act, *, wish: Wish, known: Known, code: Code) -> Scan:
    """Take a code for this scan before the issuer is asked; one that another scan has taken becomes a scan that says "used"."""
    act.check(policies.scan)
    row = _row(act, wish, known, code, Scan.ASKING)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        row = _row(act, wish, known, code, "used")
        row.save(force_insert=True)
    act.log(
        row.ref,
        case=wish.case,
        item=wish.item,
        items=list(wish.items),
        outlet=wish.outlet,
        device=wish.device,
        province=code.province,
        result=row.result,
        # What the issuer is told of whoever asks.
        operator_told=["name", "identity_number"] if row.result == Scan.ASKING else [],
    )
    return row


@action("codes.refuse")
def refuse(
    act: Act,
    *,
    wish: Wish,
    outcome: str,
    scan_id: int | None = None,
    known: Known | None = None,
    code: Code | None = None,
) -> Scan:
    """Write down that a code was not accepted. A claim that ends so is given up: where the issuer was down, the code is good still."""
    act.check(policies.scan)
    if scan_id is None:
        row = _row(act, wish, known, code, outcome)
        row.save(force_insert=True)
    else:
        row = act.lock(Scan, pk=scan_id)
        if row.result == Scan.ASKING:
            row.result = outcome
            row.save(update_fields=["result"])
    act.log(row.ref, case=wish.case, outlet=wish.outlet, device=wish.device, result=row.result)
    return row


@dataclass(frozen=True)
class Taken:
    """Whom an answer names, as they stand in the register."""

    holder: Ref
    person: registers.NaturalPerson | None
    agent: registers.NaturalPerson | None


@action("codes.take_parties")
def take_parties(act: Act, *, answer: Answer) -> Taken:
    """The holder of a code and who showed it, from the register; who is not there yet is registered in the issuer's name.

    Raises HolderRefused for the dead and the dissolved, IssuerWrong for numbers that cannot be.
    """
    act.check(policies.assert_holder)
    try:
        shown_by = answer.agency.person if answer.agency else answer.bearer
        agent = _person(act, shown_by) if shown_by else None
        if answer.holder.kind == ENTERPRISE:
            row, _ = registers.register_organisation_from_identity(
                act,
                person=None if answer.agency else agent,
                uscc=answer.holder.number,
                name=answer.holder.name,
                grant=None,
            )
            taken = Taken(row.ref, None, agent)
        else:
            person = _person(act, answer.holder)
            taken = Taken(person.ref, person, agent)
    except StepNotAllowed as wrong:
        raise HolderRefused(wrong.detail) from wrong
    except Invalid as wrong:
        raise IssuerWrong(f"{act.actor.label}给出的身份信息不能用：{wrong.detail}") from wrong
    act.log(taken.holder, agent=str(agent.ref) if agent else "", kind=answer.holder.kind)
    return taken


def _person(act: Act, party: Party) -> registers.NaturalPerson:
    return registers.register_from_identity(
        act, document_kind=party.document_kind, document_number=party.number, name=party.name
    )


@action("codes.accept")
def accept(act: Act, *, scan_id: int, wish: Wish, known: Known, answer: Answer) -> Scan:
    """Take what the issuer said of a claimed code: holder, agent, consents, licences. Raises CodeProblem, and then nothing is kept."""
    act.check(policies.scan)
    row = act.lock(Scan, pk=scan_id)
    if row.result != Scan.ASKING:
        raise StepNotAllowed("这次扫码已经有结果。")
    licences = _fitting(answer, wish)
    taken = take_parties(known.actor, answer=answer)
    if answer.agency:
        row.mandate = _mandate(act, taken, answer.agency, wish)
        row.scope = " ".join(answer.agency.scope)[:400]
    row.holder_kind = answer.holder.kind
    if answer.holder.kind == ENTERPRISE:
        row.organisation_id = int(taken.holder.id)
    else:
        row.person = taken.person
    row.agent = taken.agent
    row.licences = " ".join(one.key for one in licences)
    row.consented = " ".join(f"{source}:{','.join(fields)}" for source, fields in answer.consented)[:1000]
    row.result = Scan.ACCEPTED
    _keep(row, answer, licences)
    row.save()
    until = today() + timedelta(days=outlets.number_of("consent_days"))
    for source, fields in answer.consented:
        residents.give_consent(
            act,
            subject=taken.holder,
            source=source,
            fields=list(fields),
            purpose=wish.title or "窗口办理",
            case=wish.case,
            channel="code",
            until=until,
            evidence=str(row.ref),
        )
    told = {"holder": "持码人姓名和证件号码"} | {one.key: one.title for one in licences}
    ground = "代办人出示服务码" if answer.agency else "本人出示服务码"
    reads.note(act.actor, row.ref, told, channel="code", case=wish.case, ground=ground)
    act.log(
        row.ref,
        case=wish.case,
        holder=str(taken.holder),
        agent=str(taken.agent.ref) if taken.agent else "",
        mandate=row.mandate_id,
        licences=[one.key for one in licences],
        consented=row.consented,
        result=row.result,
    )
    act.emit(CodeAccepted(subject=row.ref, case=wish.case, holder=str(taken.holder)))
    return row


def _fitting(answer: Answer, wish: Wish) -> tuple[Licence, ...]:
    """The licences of an answer. Raises IssuerWrong for one that nobody asked for, or that is somebody else's."""
    parties = [answer.holder, answer.bearer, answer.agency.person if answer.agency else None]
    numbers = {one.number for one in parties if one}
    for one in answer.licences:
        if one.key not in wish.items:
            raise IssuerWrong(f"省里多给了没有请求的证照：{one.title}。")
        if one.holder_number not in numbers:
            raise IssuerWrong(f"省里给的{one.title}不是持码人的。")
    return answer.licences


def _mandate(act: Act, taken: Taken, agency: Agency, wish: Wish) -> registers.Mandate | None:
    """The mandate that an agent acts under; None where only the issuer's assertion stands for it. Raises AgentRefused by name."""
    agent = taken.agent
    if agent is None:
        raise IssuerWrong("省里没有说明代办人是谁。")
    names = registers.party_names({str(taken.holder), str(agent.ref)})
    who, whom = names.get(str(agent.ref), "代办人"), names.get(str(taken.holder), "被代理人")
    scope = registers.Scope(kind=wish.item, case=wish.case)
    if registers.may_act(agent.ref, taken.holder, scope):
        return registers.act_for(act, agent.ref, taken.holder, scope)
    rows = registers.Mandate.objects.filter(
        principal__in=registers.family(str(taken.holder)), agent__in=registers.family(str(agent.ref))
    ).select_related("parent")
    day = today()
    for one in rows.order_by("-pk"):
        if one.in_force(day):
            raise AgentRefused(f"{who}为{whom}办事的授权（编号 {one.pk}）不包括这一件。")
        ended = min((end for end in (one.ended_on, one.valid_to) if end and end <= day), default=None)
        if one.confirmed_on and ended and ended >= agency.granted_on:
            why = one.get_end_reason_display() or "到期"
            raise AgentRefused(
                f"{who}为{whom}办事的授权（编号 {one.pk}）已于 {ended.isoformat()} 终止（{why}）。"
            )
    if agency.until is not None and agency.until <= now():
        when = agency.until.astimezone(SHANGHAI)
        raise AgentRefused(f"{who}为{whom}办事的授权已于 {when:%Y-%m-%d %H:%M} 终止。")
    if agency.granted_on > day:
        raise AgentRefused(f"{who}为{whom}办事的授权从 {agency.granted_on.isoformat()} 起才生效。")
    if agency.scope and wish.item not in agency.scope and wish.case not in agency.scope:
        raise AgentRefused(f"{who}为{whom}办事的授权不包括这一件。")
    return None


def _keep(row: Scan, answer: Answer, licences: Iterable[Licence]) -> None:
    """What pages show, masked, and what the case needs, sealed, for some hours."""
    row.shown = json.dumps(
        {
            "holder": _masked(answer.holder),
            "agent": _masked(answer.agency.person) if answer.agency else "",
            "bearer": _masked(answer.bearer) if answer.bearer else "",
            "until": answer.agency.until.isoformat() if answer.agency and answer.agency.until else "",
            "licences": [
                {
                    "title": one.title,
                    "number": masked_number(one.number),
                    "status": one.status,
                    "valid": one.valid,
                    "issuer": one.issuer,
                    "issued_on": one.issued_on,
                    "pdf": bool(one.pdf),
                }
                for one in licences
            ],
        },
        ensure_ascii=False,
    )
    row.content = json.dumps(
        {
            "holder": asdict(answer.holder),
            "licences": [
                asdict(replace(one, pdf=b"", fields=dict(one.fields)))
                | {"pdf": base64.b64encode(one.pdf).decode()}
                for one in licences
            ],
        },
        ensure_ascii=False,
    )
    row.kept_until = now() + timedelta(hours=outlets.number_of("keep_hours"))


def _masked(party: Party) -> str:
    return party.name if party.kind == ENTERPRISE else masking.name(party.name)


def masked_number(number: str) -> str:
    """A number of a document, of which the last four characters are shown."""
    return "*" * max(len(number) - 4, 0) + number[-4:] if len(number) > 6 else "*" * len(number)


def licences_of(content: str) -> list[Licence]:
    """The licences that `_keep` wrote down."""
    found: list[dict[str, Any]] = json.loads(content)["licences"]
    return [Licence(**one | {"pdf": base64.b64decode(one["pdf"])}) for one in found]


# Without a code -------------------------------------------------------------------------------------------------------

NAME_MOST, NUMBER_MOST, REASON_MOST = 60, 40, 200


@action("codes.check_by_document")
def check_by_document(
    act: Act,
    *,
    wish: Wish,
    name: str,
    document_kind: str,
    document_number: str,
    reason: str,
    seen: bool,
    follows: int | None = None,
) -> Scan:
    """A member of staff looked at the original of a document instead (凭证件办理): the issuer was down, or there is no code.

    Whom the register knows is the holder; else the case has the typed name and number, sealed, and no citizen is sent away.
    ``follows`` is one's own scan that failed before. Raises Invalid.
    """
    act.check(policies.scan)
    name, reason = " ".join(name.split()), " ".join(reason.split())
    number, wrong = identifiers.normal_form(document_number), {}
    if not 0 < len(name) <= NAME_MOST:
        wrong["name"] = f"请填写证件上的姓名，最多 {NAME_MOST} 个字。"
    if document_kind not in dict(registers.NaturalPerson.DOCUMENTS):
        wrong["document_kind"] = "请选择证件类型。"
    elif document_kind == "citizen_id":
        try:
            number = identifiers.check("person", number).value
        except identifiers.IdentifierError as error:
            wrong["document_number"] = f"{error.message}。{error.todo}"
    elif not 0 < len(number) <= NUMBER_MOST:
        wrong["document_number"] = f"请填写证件号码，最多 {NUMBER_MOST} 个字符。"
    if not 0 < len(reason) <= REASON_MOST:
        wrong["reason"] = f"请写明为什么没有扫码，最多 {REASON_MOST} 个字。"
    if not seen:
        wrong["seen"] = "请核对证件原件与本人一致后勾选。"
    if wrong:
        raise Invalid(wrong)
    before = None
    if follows is not None:
        before = Scan.objects.filter(pk=follows, operator=str(act.actor.ref)).first()
    row = _row(act, wish, None, None, Scan.DOCUMENT)
    person = registers.person_of(name, number)
    row.way, row.holder_kind, row.person, row.follows, row.reason = (
        Scan.BY_HAND,
        "person",
        person,
        before,
        reason,
    )
    holder = Party("person", name, document_kind, number)
    _keep(row, Answer(holder), ())
    row.save(force_insert=True)
    told = {"holder": "姓名和证件号码"}
    reads.note(act.actor, row.ref, told, channel="code", case=wish.case, ground="窗口核对证件原件")
    act.log(
        row.ref,
        case=wish.case,
        holder=str(person.ref) if person else "",
        document_kind=document_kind,
        outlet=wish.outlet,
        device=wish.device,
        follows=before.pk if before else None,
        before=before.result if before else "",
        result=row.result,
    )
    act.emit(CodeAccepted(subject=row.ref, case=wish.case, holder=str(person.ref) if person else ""))
    return row


# Showing --------------------------------------------------------------------------------------------------------------


@action("codes.begin_showing")
def begin_showing(act: Act, *, issuer: str, kind: str, consented: list[str]) -> Ref:
    """Note that a resident begins to show his code (出示服务码), as what, and which licences he lets be seen with it."""
    act.check(policies.show)
    act.log(act.actor.ref, issuer=issuer, kind=kind, principal=str(act.actor.principal), consented=consented)
    return act.actor.ref


# Time -----------------------------------------------------------------------------------------------------------------


@action("codes.sweep")
def sweep(act: Act) -> int:
    """Destroy what came with codes when its hours are over. The rows stay and say who scanned what for whom. Returns how many."""
    act.check(policies.keep_time)
    due = Scan.objects.select_for_update().filter(kept_until__lte=now()).exclude(sealed_key=b"")
    rows = list(due.order_by("kept_until")[:BATCH])
    hours = outlets.number_of("keep_hours")
    for row in rows:
        sealing.forget(act, row, rule=f"扫码得到的内容在窗口保存 {hours} 小时；个人信息保护法第19条")
    act.log(Ref("job", "codes.sweep"), destroyed=len(rows))
    return len(rows)


@periodic("codes.sweep", minutes=60)
def sweep_hourly() -> None:
    """Destroy what is over."""
    while Scan.objects.filter(kept_until__lte=now()).exclude(sealed_key=b"").exists():
        if sweep(SYSTEM) < BATCH:
            break
