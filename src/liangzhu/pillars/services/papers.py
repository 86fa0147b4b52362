"""The numbered papers of a case, and the certificate that it gives out (行政许可法 §32, §38, §39, §44)."""

from typing import Any

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.trust.certificates import api as certificates
from liangzhu.beams.work.forms import api as forms
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.actions import Act
from liangzhu.kernel.now import today
from liangzhu.kernel.pack import pack
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.workdays import shanghai_date
from liangzhu.pillars.services import bundles
from liangzhu.pillars.services.models import Application, Case, Material

HEARING_ASK = 5
"""Working days within which a hearing may be asked for (行政许可法 §47); as the clock of the process has it."""

NOT_NEEDED = "依法不需要"
"""How the ground of a case begins for which nothing need be applied for."""


def make_paper(act: Act, case: Case, paper: str, data: dict[str, Any]) -> None:
    """Make out a paper of a case: acceptance, correction, non_acceptance, special, hearing_right, hearing, extension, grant, refusal, notice, no."""
    template, more = _PAPERS[paper](case, data)
    context = {"applicant": applicant_name(case), "item": case.name, "case_number": case.code, **more}
    certificates.sealed_document(
        act, template=template, context=context, unit_id=case.unit_id, matter=case.matter.ref
    )


def make_receipt(
    act: Act, application: Application, cases: list[Case], data: dict[str, Any], unit_id: int
) -> None:
    """The receipt of one delivery (送达回证) for all that was handed out with it."""
    first = cases[0]
    first.application = application
    context = {
        "applicant": applicant_name(first),
        "item": application.title,
        "case_number": application.matter.number,
        "documents": [
            f"{case.name}：{case.result or case.get_outcome_display()}（{case.code}）" for case in cases
        ],
        "method": data["way"],
        "delivered_on": today(),
        "recipient": data["receiver"],
    }
    certificates.sealed_document(
        act, template="delivery", context=context, unit_id=unit_id, matter=application.matter.ref
    )


def make_certificate(act: Act, case: Case) -> Ref:
    """Issue the certificate of a granted case to the applicant, out of the answers of the form."""
    kind, answers = certificates.kind_of(case.certificate_type), _answers(case)
    renamed = bundles.in_release(case.application).parts[case.part].certificate
    fields = {one.key: answers.get(renamed.get(one.key, one.key), "") for one in kind.fields}
    made = certificates.issue(
        act,
        kind=case.certificate_type,
        holder=Ref.parse(case.application.applicant),
        holder_name=applicant_name(case),
        fields={key: value for key, value in fields.items() if value},
        unit_id=case.unit_id,
        matter=case.matter.ref,
    )
    return made.ref


def applicant_name(case: Case) -> str:
    """The applicant as stated in the form: the organisation, else the person."""
    answers = _answers(case)
    return answers.get("organisation") or answers.get("person_name") or "申请人"


def _answers(case: Case) -> dict[str, str]:
    row = case.application
    if not hasattr(row, "in_words"):
        row.in_words = (
            forms.in_words(forms.Snapshot.objects.get(pk=row.snapshot_id)) if row.snapshot_id else {}
        )
    return row.in_words


def _received(case: Case):
    return shanghai_date(case.application.submitted_at)


def _due(case: Case) -> dict[str, Any]:
    clock = matters.clock_of(case.matter)
    leg = clock.promised or clock.legal if clock else None
    return {"due_on": shanghai_date(leg.due_at)} if leg else {}


def _acceptance(case: Case, data):
    words = _term(case.promised_amount, case.promised_unit, "承诺") or _term(
        case.legal_amount, case.legal_unit, "法定"
    )
    seen = [
        one.title
        for one in Material.objects.filter(cases=case).exclude(
            state__in=[Material.WANTED, Material.AVAILABLE]
        )
    ]
    return "acceptance", {
        "received_on": _received(case),
        "accepted_on": today(),
        "limit": words or "办理时限以实施清单为准",
        "materials": seen,
    }


def _term(amount: int | None, unit: str, kind: str) -> str:
    if amount is None:
        return ""
    words = {"workday": "个工作日", "day": "日", "month": "个月", "hour": "小时"}.get(unit)
    return f"{kind}时限为 {amount} {words}" if words else f"{kind}当场办结"


def _correction(case: Case, data):
    lines = [line.strip() for line in str(data.get("missing", "")).splitlines() if line.strip()]
    return "correction", {"received_on": _received(case), "missing": lines}


def _non_acceptance(case: Case, data):
    """§32: what needs no permit is told at once; what is another's business is decided, with where to go."""
    if data["ground"].startswith(NOT_NEEDED):
        return "no_need", {"received_on": _received(case), "reason": data["ground"]}
    return "not_accepted", {
        "received_on": _received(case),
        "reason": data["ground"],
        "where": data.get("where", ""),
        **_remedies(),
    }


def _special(case: Case, data):
    return "special_procedure", {
        "procedure": data.get("reason", ""),
        "reason": data.get("about", ""),
        "starts_on": today(),
        "expected": "结束后次日继续计时，结果另行告知",
    }


def _hearing(case: Case, data):
    return "special_procedure", {
        "procedure": "听证",
        "reason": data["about"],
        "starts_on": today(),
        "expected": f"{data['held_on']:%Y年%-m月%-d日}举行（{data['place']}，主持人{data['chair']}），结束后次日继续计时",
    }


def _hearing_right(case: Case, data):
    return "hearing_right", {
        "told": data["told"],
        "interest": data["interest"],
        "until": matters.work_calendar(fresh=True).add(today(), HEARING_ASK).date,
    }


def _extension(case: Case, data):
    return "extension", {"reason": data.get("reason", ""), "basis": "行政许可法第四十二条"}


def _granted(case: Case, data):
    return "granted", {
        "basis": case.basis or "有关法律、法规",
        "decision": case.result or case.name,
        "certificate": case.result if case.certificate_type else "",
        **_remedies(),
    }


def _refused(case: Case, data):
    return "refused", {
        "basis": case.basis or "有关法律、法规",
        "facts": "经审查，申请不符合法定条件、标准",
        "reason": data.get("reason", ""),
        **_remedies(),
    }


def _notice(case: Case, data):
    made = case.result if case.certificate else ""
    return "notice", {
        "decision": case.result or f"“{case.name}”已经办结",
        "basis": case.basis,
        "certificate": made,
    }


def _no(case: Case, data):
    """A negative end of what is no permit: reason and remedies, in the notice."""
    told = _remedies()
    where = "；".join(
        words
        for words in (
            f"可以在六十日内向{told['review_body']}申请行政复议" if told["review_body"] else "",
            f"或者在六个月内向{told['court']}起诉" if told["court"] else "",
        )
        if words
    )
    text = f"对“{case.name}”的申请不予办理。理由：{data.get('reason', '')}"
    return "notice", {"decision": f"{text}。{where}" if where else text, "basis": case.basis}


def _remedies() -> dict[str, str]:
    district = pack().district
    government = directory.units().by_key(district["government"])
    return {"review_body": government.name if government else "", "court": district.get("court", "")}


_PAPERS = {
    "acceptance": _acceptance,
    "correction": _correction,
    "non_acceptance": _non_acceptance,
    "special": _special,
    "hearing_right": _hearing_right,
    "hearing": _hearing,
    "extension": _extension,
    "grant": _granted,
    "refusal": _refused,
    "notice": _notice,
    "no": _no,
}
