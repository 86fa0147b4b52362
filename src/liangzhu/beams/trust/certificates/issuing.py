"""Issuing certificates and changing their state, inside the action of whoever does it (a case's decision, a page).

The caller has asked its policy. Nothing is drawn here: the PDF is made when somebody first needs it, so that a thousand
certificates can be issued in one transaction.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.trust.certificates import kinds, stamping
from liangzhu.beams.trust.certificates.events import CertificateChanged, CertificateIssued
from liangzhu.beams.trust.certificates.models import Certificate, Change
from liangzhu.beams.trust.certificates.states import (
    CHANGED,
    FOLLOWS,
    ISSUED,
    OPERATIONS,
    RENEWED,
    STATES,
    VALID,
    find_step,
    succession,
)
from liangzhu.kernel import identifiers, masking
from liangzhu.kernel.actions import Act
from liangzhu.kernel.errors import Invalid, StepNotAllowed
from liangzhu.kernel.now import now, today
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.releases import next_number
from liangzhu.kernel.rows import insert, update

GROUND_MAX, VALUE_MAX, LONG_MAX, NAME_MAX = 400, 200, 1000, 120


def issue(
    act: Act,
    *,
    kind: str,
    holder: Ref,
    holder_name: str,
    fields: Mapping[str, Any],
    unit_id: int,
    matter: Ref | None = None,
    valid_from: date | None = None,
    valid_until: date | None = None,
    previous: Ref | None = None,
    operation: str = "",
    previous_identifier: str = "",
    number: str = "",
) -> Certificate:
    """Issue a certificate of a unit under its seal: identifier with check character, state 有效, leaf, event.

    ``valid_from`` is today if absent, ``valid_until`` what the kind says. ``previous`` is the certificate that this one
    follows (``operation`` 延续, unless said); a change (变更) keeps serial and number and raises the version. One that
    comes from elsewhere (转入) names its ``previous_identifier``. Raises NotIssuer, NoSeal, Invalid, StepNotAllowed.
    """
    what = kinds.kind_of(kind)
    issuer = kinds.issuer_of(unit_id)
    if what.foreign or issuer.unit not in what.issuers:
        raise kinds.NotIssuer(f"{directory.unit_name(unit_id)}不核发{what.title}。")
    operation = operation or (RENEWED if previous else ISSUED)
    before = _predecessor(act, what, operation, previous)
    if before is not None:
        previous_identifier = before.identifier
    previous_identifier = _previous_identifier(operation, previous_identifier)
    values = _values(what, fields)
    holder_name = " ".join(holder_name.split())
    if not 0 < len(holder_name) <= NAME_MAX:
        raise Invalid({"holder_name": f"请填写持证主体名称，最多 {NAME_MAX} 个字。"})
    start = valid_from or today()
    until = valid_until or _end(what, start)
    if until is not None and until < start:
        raise Invalid({"valid_until": "有效期至不能早于生效日期。"})
    seal = stamping.seal_in_use(unit_id, what.seal)
    identifier, number = _names(what, issuer, before if operation == CHANGED else None, number)
    personal = holder.kind != "organisation"
    statement = {
        "kind": "liangzhu-certificate-1",
        "id": stamping.new_ident(),
        "identifier": identifier,
        "number": number,
        "type": {"key": what.key, "code": what.code, "title": what.title, "layout": what.layout},
        "issuer": {"name": directory.units().get(unit_id).name, "code": issuer.code},
        "holder": {"kind": holder.kind, "name": holder_name},
        "fields": [
            {"key": one.key, "title": one.title, "value": values[one.key]}
            for one in what.fields
            if values[one.key]
        ],
        "operation": operation,
        "previous": previous_identifier,
        "issued_on": today().isoformat(),
        "valid_from": start.isoformat(),
        "valid_until": until.isoformat() if until else "",
    }
    shown = {
        **statement,
        "holder": {"kind": holder.kind, "name": masking.name(holder_name) if personal else holder_name},
        "fields": [
            {**one, "value": what.field(one["key"]).shown(one["value"])} for one in statement["fields"]
        ],
    }
    row = insert(
        Certificate(
            **stamping.stamp(act, seal, statement, shown),
            kind=what.key,
            identifier=identifier,
            number=number,
            holder=str(holder),
            unit_id=unit_id,
            matter=str(matter or ""),
            operation=operation,
            valid_from=start,
            valid_until=until,
            previous=before,
            previous_identifier=previous_identifier,
            issued_at=now(),
            issued_on=today(),
        )
    )
    _remember(act, row, operation, "", VALID, "")
    if before is not None:
        _follow(act, before, operation, row)
    row.leaf = act.log(
        row.ref,
        digest=row.digest,
        key=row.key,
        identifier=identifier,
        operation=operation,
        state=VALID,
        matter=row.matter,
        previous=previous_identifier,
    )
    update(row, "leaf")
    act.emit(CertificateIssued(row.ref, kind=row.kind, unit_id=unit_id, holder=row.holder, matter=row.matter))
    return row


def change_state(act: Act, certificate: Certificate, state: str, ground: str) -> Certificate:
    """Bring a certificate into another state (`states.STEPS`), with its ground. Locks it.

    Raises StepNotAllowed for a step that there is not, Invalid without a ground.
    """
    return _change(act, certificate, state, _ground(ground), by_hand=True)


def revoke(act: Act, certificate: Certificate, state: str, ground: str) -> Certificate:
    """End a certificate: 03 撤销, 04 注销 or 07 吊销. As `change_state`."""
    if state not in ("03", "04", "07"):
        raise Invalid({"state": "请选择撤销、注销或吊销。"})
    return change_state(act, certificate, state, ground)


def expire(act: Act, certificate: Certificate) -> Certificate:
    """Note that the last day is over (过期失效)."""
    return _change(act, certificate, "05", f"有效期至 {certificate.valid_until:%Y-%m-%d}", by_hand=False)


def _change(act: Act, certificate: Certificate, state: str, ground: str, *, by_hand: bool) -> Certificate:
    row = certificate if act.holds(certificate) else act.lock(Certificate, pk=certificate.pk)
    step = find_step(row.state, state, by_hand=by_hand)
    if step is None or state not in kinds.states_of(row.kind):
        raise StepNotAllowed(f"证照现为“{STATES[row.state]}”，不能改为“{STATES.get(state, state)}”。")
    before = row.state
    _move(act, row, step.operation, state, ground)
    act.log(row.ref, operation=step.operation, before=before, state=state, digest=row.digest)
    certificate.state = state
    return row


def _move(act: Act, row: Certificate, operation: str, state: str, ground: str) -> None:
    before, row.state = row.state, state
    row.version += 1
    row.save(update_fields=["state", "version"])
    _remember(act, row, operation, before, state, ground)
    act.emit(CertificateChanged(row.ref, kind=row.kind, holder=row.holder, operation=operation, state=state))


def _remember(act: Act, row: Certificate, operation: str, before: str, state: str, ground: str) -> None:
    insert(
        Change(
            certificate=row,
            operation=operation,
            from_state=before,
            to_state=state,
            ground=ground,
            at=now(),
            actor=str(act.actor.ref),
            actor_label=act.actor.label,
        )
    )


def _predecessor(act: Act, what: kinds.Kind, operation: str, previous: Ref | None) -> Certificate | None:
    if operation not in {*FOLLOWS, ISSUED}:
        raise Invalid({"operation": f"不能以“{OPERATIONS.get(operation, operation)}”核发。"})
    if previous is None:
        return None
    if operation == ISSUED:
        raise Invalid({"operation": "新发的证照没有前一证照；延续、变更、转入请选择相应的操作类型。"})
    row = act.lock(Certificate, pk=int(previous.id))
    if row.kind != what.key:
        raise Invalid({"previous": "前一证照不是同一种证照。"})
    if succession(operation, row.state) is None:
        raise StepNotAllowed(f"前一证照现为“{STATES[row.state]}”，不能{OPERATIONS[operation]}。")
    return row


def _previous_identifier(operation: str, given: str) -> str:
    """The identifier of what came before, checked; mandatory where one follows another (associatedZzeCertID)."""
    if operation in FOLLOWS and not given:
        raise Invalid({"previous": f"{OPERATIONS[operation]}必须写明前一证照的电子证照标识。"})
    if not given:
        return ""
    try:
        return identifiers.check("certificate", given).value
    except identifiers.IdentifierError as error:
        raise Invalid({"previous": f"{error.message}。{error.todo}"}) from None


def _follow(act: Act, before: Certificate, operation: str, row: Certificate) -> None:
    """What becomes of the one before."""
    step = succession(operation, before.state)
    _move(act, before, operation, step.target, f"{step.title}：{row.identifier}")
    act.log(before.ref, operation=operation, state=before.state, next=row.identifier, digest=before.digest)


def _values(what: kinds.Kind, given: Mapping[str, Any]) -> dict[str, str]:
    """What was filled in, as text, for every field of the kind. Raises Invalid beside the fields."""
    unknown = set(given) - {one.key for one in what.fields}
    wrong = {name: f"{what.title}没有这一项。" for name in sorted(unknown)}
    values = {}
    for one in what.fields:
        value = given.get(one.key, "")
        text = value.isoformat() if isinstance(value, date) else " ".join(str(value or "").split())
        values[one.key] = text
        most = LONG_MAX if one.long else VALUE_MAX
        if not text and one.required:
            wrong[one.key] = f"请填写{one.title}。"
        elif len(text) > most:
            wrong[one.key] = f"{one.title}最多 {most} 个字。"
    if wrong:
        raise Invalid(wrong)
    return values


def _end(what: kinds.Kind, start: date) -> date | None:
    """The last day: so many years later, the day before. The 29th of February ends with the 28th."""
    if not what.years:
        return None
    year = start.year + what.years
    try:
        return date(year, start.month, start.day) - timedelta(days=1)
    except ValueError:
        return date(year, 2, 28)


def _names(
    what: kinds.Kind, issuer: kinds.Issuer, before: Certificate | None, number: str
) -> tuple[str, str]:
    """Identifier and number: both count in one series of the unit and the type. A change keeps serial and number."""
    if before is not None:
        old = identifiers.check("certificate", before.identifier)
        serial, version, number = old.serial, int(old.version) + 1, number or before.number
    else:
        count = next_number(f"certificate:{what.code}.{issuer.code}")
        serial, version = f"{today().year}{count:07d}", 1
        number = number or what.number.format(mark=issuer.mark, year=today().year, serial=count)
    body = f"{what.code}.{issuer.code}.{serial}.{version:03d}"
    return identifiers.complete("certificate", body), number


def _ground(text: str) -> str:
    text = " ".join(text.split())
    if not text or len(text) > GROUND_MAX:
        raise Invalid({"ground": "请写明理由和依据。" if not text else f"最多 {GROUND_MAX} 个字。"})
    return text
