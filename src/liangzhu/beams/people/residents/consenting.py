"""Giving, finding and ending consents. Called by other apps inside their actions, and by the pages here."""

from datetime import date, datetime, time, timedelta

from django.db.models import Q

from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents import policies
from liangzhu.beams.people.residents.events import ConsentEnded, ConsentGiven
from liangzhu.beams.people.residents.models import Consent
from liangzhu.beams.people.residents.resident import Resident
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.errors import Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.now import SHANGHAI, now
from liangzhu.kernel.refs import Ref

LONGEST = timedelta(days=366)
"""No consent is for longer than a year: it is for one case, and a case that lasts longer asks again."""

GENERAL = {"*", "all", "any", "全部", "所有"}


def subject_q(refs: frozenset[str] | set[str]) -> Q:
    """Rows whose ``person`` or ``organisation`` is one of these printed references."""
    numbers: dict[str, list[int]] = {"natural_person": [], "organisation": []}
    for ref in map(Ref.parse, refs):
        numbers[ref.kind].append(int(ref.id))
    asked = Q()
    if numbers["natural_person"]:
        asked |= Q(person__in=numbers["natural_person"])
    if numbers["organisation"]:
        asked |= Q(organisation__in=numbers["organisation"])
    return asked


def columns_of(subject: Ref) -> dict[str, int]:
    """The column that holds a subject, for a new row. Raises Invalid for another kind of Ref."""
    if subject.kind == "natural_person":
        return {"person_id": int(subject.id)}
    if subject.kind == "organisation":
        return {"organisation_id": int(subject.id)}
    raise Invalid({"subject": "只有自然人和组织可以是信息的主体。"})


def give_consent(
    act: Act,
    *,
    subject: Ref,
    source: str,
    fields: list[str],
    purpose: str,
    case: str,
    channel: str,
    until: datetime | date,
    evidence: str = "",
) -> Consent:
    """Inside an action: note that ``subject`` agrees that named fields of a source are read for one case (授权同意).

    ``until`` is an instant, or a day to its end. By the resident himself, or by staff for somebody present; then
    ``evidence`` is the Ref of the scan or of the signed paper. Raises Invalid for anything general or without end, Denied.
    """
    if isinstance(act.actor, Resident):
        act.check(policies.consent, subject)
    else:
        act.check(policies.note_consent)
        if channel == "portal" or not evidence:
            raise Invalid({"evidence": "窗口代为登记同意，要有扫码记录或本人签字的材料。"})
    moment = now()
    if not isinstance(until, datetime):
        until = datetime.combine(until + timedelta(days=1), time(), SHANGHAI)
    errors = {}
    names = list(dict.fromkeys(name.strip() for name in fields))
    if not source.strip() or source in GENERAL:
        errors["source"] = "请写明从哪里读取。"
    if not names or any(not name or name in GENERAL or " " in name for name in names):
        errors["fields"] = "请逐项写明读取哪些内容，不能笼统同意。"
    if not purpose.strip():
        errors["purpose"] = "请写明用来做什么。"
    if not case.strip():
        errors["case"] = "请写明用于哪一件事。"
    if channel not in dict(Consent.CHANNELS):
        errors["channel"] = "请写明以什么方式同意。"
    if not moment < until <= moment + LONGEST:
        errors["until"] = f"同意要有终止时间，最长 {LONGEST.days} 天。"
    if errors:
        raise Invalid(errors)
    row = Consent.objects.create(
        **columns_of(subject),
        source=source,
        fields=" ".join(names),
        purpose=purpose.strip(),
        case=case,
        channel=channel,
        evidence=evidence,
        given_by=str(act.actor.ref),
        given_at=moment,
        until=until,
    )
    act.log(
        row.ref,
        whose=str(subject),
        source=source,
        fields=names,
        case=case,
        channel=channel,
        until=until.isoformat(),
        evidence=evidence,
    )
    act.emit(ConsentGiven(subject=row.ref, source=source, case=case))
    return row


def consent_for(subject: Ref, source: str, case: str) -> Consent | None:
    """The consent under which a source may be read for a case now; of several the one that lasts longest."""
    moment = now()
    rows = Consent.objects.filter(
        subject_q(registers.family(str(subject))), source=source, case=case, ended_at=None, until__gt=moment
    ).select_related("person")
    return rows.order_by("-until").first()


@action("residents.end_consent")
def end_consent(act: Act, *, consent_id: int) -> Consent:
    """End a consent at once (撤回同意). Raises NotThere, also for another's, StepNotAllowed when it is over."""
    row = (
        Consent.objects.select_for_update(of=("self",)).select_related("person").filter(pk=consent_id).first()
    )
    if row is None or not (act.actor.is_system or policies.consent(act.actor, row.subject)):
        raise NotThere("没有找到这项同意。")
    act.check(policies.consent, row.subject)
    moment = now()
    if not row.in_force(moment):
        raise StepNotAllowed("这项同意已经终止。")
    row.ended_at = moment
    row.save(update_fields=["ended_at"])
    act.log(row.ref, whose=str(row.subject), source=row.source, case=row.case)
    act.emit(ConsentEnded(subject=row.ref, source=row.source, case=row.case))
    return row
