"""The matters of services: kinds, guards, effects, conditions and limits. The processes themselves are the files beside.

| Guard | Refuses |
|---|---|
| `services.materials_seen` | acceptance while a required material is wanted from the applicant |
| `services.materials_verified` | a favourable decision while a material waits for staff to verify it |
| `services.needs_granted` | beginning before what a case waits for was granted |
| `services.two_checkers` | a site check by fewer than two persons (行政许可法 §34) |
| `services.site_checked` | a favourable decision on an item with a site check before its unit recorded one that passed |
| `services.hearing_notice` | a hearing on less than seven working days' notice, after its time, or chaired by who accepted the case (§47-48) |
| `services.must_come` | noting a presence where nobody must come |
| `services.came` | acceptance before those who must come in person came (`mode = "all_in_person"`) |
| `services.heard` | a decision while a hearing may still be asked for, or was asked for and not held (§47) |
"""

from datetime import date

from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.errors import Invalid, StepNotAllowed
from liangzhu.kernel.now import now, today
from liangzhu.pillars.services import bundles, counting, papers
from liangzhu.pillars.services.models import Application, Case, Material

APPLICATION = "service_application"
CASE_KINDS = {
    "permit_case": "行政许可",
    "filing_case": "备案",
    "registration_case": "登记",
    "service_case": "服务办件",
    "recognition_case": "结果互认",
}
AWAITING = ("granting", "refusing")
"""States of a case that was decided and is not yet delivered."""

FAILED_CHECK = "不符合"
"""The conclusion of a site check that stands against a permit; an option in `service_application.toml`."""

NOTICE_DAYS = 7
"""Working days before a hearing on which it is announced (行政许可法 §48)."""


def case_of(matter) -> Case:
    """The case that a matter moves."""
    return Case.objects.select_related("application__matter", "matter").get(matter=matter)


# How long ------------------------------------------------------------------------------------------------------


@matters.measure("services.legal")
def legal_limit(matter, data: dict, params: dict) -> tuple:
    """The legal limit of the item's version; where the law names none, the promised one."""
    case = case_of(matter)
    if case.legal_amount is None:
        return (*_limit(case.promised_amount, case.promised_unit), "法律没有规定期限，按承诺时限计")
    return (*_limit(case.legal_amount, case.legal_unit), f"依据《{case.name}》实施清单")


@matters.measure("services.promised")
def promised_limit(matter, data: dict, params: dict) -> tuple:
    """The promised limit of the item's version; without one the legal limit."""
    case = case_of(matter)
    if case.promised_amount is None:
        return (*_limit(case.legal_amount, case.legal_unit), "没有承诺时限，按法定时限计")
    return _limit(case.promised_amount, case.promised_unit)


def _limit(amount: int | None, unit: str) -> tuple[str, int]:
    if unit == "spot":
        return "workday", 0
    return unit or "workday", amount or 0


# Guards ---------------------------------------------------------------------------------------------------------


@matters.guard("services.materials_seen", early=True)
def materials_seen(act, matter, params: dict, data: dict, transition) -> None:
    """Nothing that is required is still wanted from the applicant."""
    missing = _in_state(matter, Material.WANTED)
    if missing:
        raise StepNotAllowed(
            f"还缺必要材料：{'、'.join(missing)}。", todo="请一次告知补正，或等申请人补齐后再受理。"
        )


@matters.guard("services.materials_verified", early=True)
def materials_verified(act, matter, params: dict, data: dict, transition) -> None:
    """What government holds and no source gave was verified by staff, and is true; it is never asked of the applicant."""
    if waiting := _in_state(matter, Material.TO_VERIFY):
        raise StepNotAllowed(
            f"还有材料要由工作人员核验：{'、'.join(waiting)}。", todo="请在“材料”里核验，不要向申请人收取。"
        )
    if untrue := _in_state(matter, Material.UNTRUE):
        raise StepNotAllowed(
            f"核验不符：{'、'.join(untrue)}。", todo="请告知申请人补正，或者说明理由，作出不予的决定。"
        )


def _in_state(matter, state: str) -> list[str]:
    rows = Material.objects.filter(cases__matter=matter, state=state, required=True)
    return [f"“{one}”" for one in rows.values_list("title", flat=True)[:5]]


@matters.guard("services.needs_granted", early=True)
def after_needs(act, matter, params: dict, data: dict, transition) -> None:
    """Not before what the case waits for was granted (前置)."""
    if not needs_granted(matter, {}):
        raise StepNotAllowed("前置事项还没有办成。", todo="前置事项准予以后，自动进入收件。")


@matters.guard("services.two_checkers")
def two_checkers(act, matter, params: dict, data: dict, transition) -> None:
    """Two different persons check a site."""
    first, second = (str(data.get(name) or "").strip() for name in ("first", "second"))
    if first and first == second:
        raise Invalid({"second": "核查应由两名以上工作人员进行（行政许可法第三十四条），请写另一个人。"})
    if data.get("checked_on") and data["checked_on"] > today():
        raise Invalid({"checked_on": "核查日期不能晚于今天。"})


@matters.guard("services.site_checked", early=True)
def site_checked(act, matter, params: dict, data: dict, transition) -> None:
    """An item with a site check is decided after the check of its own unit, or after the unit's head spared it."""
    case = case_of(matter)
    if not case.needs_check:
        return
    rows = matters.Part.objects.select_related("matter").filter(
        matter=case.application.matter_id,
        kind="site_check",
        unit_id=case.unit_id,
        state__in=("done", "not_needed"),
    )
    last = rows.order_by("-id").first()
    if last is None:
        raise StepNotAllowed(
            "这一件要现场核查，还没有核查结果。", todo="请综合窗口约定联合现场核查，由本单位登记结果。"
        )
    if last.state == "done" and last.result == FAILED_CHECK:
        raise StepNotAllowed("现场核查的结论是“不符合”。", todo="整改后请重新核查，或者作出不予许可的决定。")


@matters.guard("services.must_come", early=True)
def must_come(act, matter, params: dict, data: dict, transition) -> None:
    """Only where all must come in person (双方到场)."""
    if not _in_person(matter):
        raise StepNotAllowed("这一件不要求到场。", todo="直接办理就行。")


@matters.guard("services.came", early=True)
def came(act, matter, params: dict, data: dict, transition) -> None:
    """Where all must come in person, their presence was noted."""
    if _in_person(matter) and not _labels(matter, "come"):
        raise StepNotAllowed(
            "应当到场的人还没有到场。", todo="等双方一起到场、核对证件、当面签字以后，先“登记到场”。"
        )


def _in_person(matter) -> bool:
    return bundles.in_release(case_of(matter).application).in_person


@matters.guard("services.hearing_notice")
def hearing_notice(act, matter, params: dict, data: dict, transition) -> None:
    """Announced seven working days before, held in the time since it was asked for, chaired by who did not examine the case."""
    wrong: dict[str, str] = {}
    held, clock = data.get("held_on"), _running(matter, "hearing_hold")
    if held and _days_between(today(), held) < NOTICE_DAYS:
        wrong["held_on"] = f"应在举行的 {NOTICE_DAYS} 日前通知申请人和利害关系人（行政许可法第四十八条）。"
    elif held and clock and clock.last_day < held:
        wrong["held_on"] = (
            f"应在 {clock.last_day:%Y-%m-%d} 以前组织（收到听证申请后二十日内，行政许可法第四十七条）。"
        )
    chair = str(data.get("chair") or "").strip()
    if chair and any(chair in label for label in _labels(matter, "accept")):
        wrong["chair"] = "审查这一申请的工作人员不得主持听证（行政许可法第四十八条），请另行指定。"
    if wrong:
        raise Invalid(wrong)


@matters.guard("services.heard", early=True)
def heard(act, matter, params: dict, data: dict, transition) -> None:
    """No decision while somebody may still ask for a hearing, or one that was asked for was not held (行政许可法 §47)."""
    if clock := _running(matter, "hearing_ask"):
        raise StepNotAllowed(
            f"已经告知听证权利，{clock.last_day:%Y-%m-%d} 以前还可以申请听证。",
            todo="请等期满，或者登记书面放弃听证的材料。",
        )
    if _running(matter, "hearing_hold"):
        raise StepNotAllowed("有人申请了听证，还没有举行。", todo="请先通知举行听证，听证结束后再作决定。")


def _running(matter, name: str):
    """The leg of a clock that still runs, or None."""
    legs = matters.clock_of(matter).all
    return next((one for one in legs if one.name == name and one.ended_at is None), None)


def _labels(matter, step: str) -> list[str]:
    return [one.actor_label for one in matters.entries_of([matter.pk], step, today())]


def _days_between(first: date, last: date) -> int:
    """Working days after the first day up to and with the last; 0 when it is not later."""
    return matters.workdays_after(first, last)


# Conditions -----------------------------------------------------------------------------------------------------


@matters.condition("services.needs_granted")
def needs_granted(matter, params: dict) -> bool:
    """Everything that the case waits for was granted, delivered or not: waiting for the handing out would be waiting in a ring."""
    needed = matters.needs_of([matter.pk]).get(matter.pk, [])
    return Case.objects.filter(matter__in=needed, outcome=Case.GRANTED).count() == len(needed)


@matters.condition("services.needs_failed")
def needs_failed(matter, params: dict) -> bool:
    """Something that the case waits for was refused, or ended without a decision."""
    needed = matters.needs_of([matter.pk]).get(matter.pk, [])
    rows = Case.objects.filter(matter__in=needed)
    return (
        rows.filter(outcome=Case.REFUSED).exists()
        or rows.filter(matter__closed_at__isnull=False, outcome="").exists()
    )


@matters.condition("services.electronic_delivery")
def electronic_delivery(matter, params: dict) -> bool:
    """The applicant chose to be served electronically (电子送达): what was decided is delivered by being there."""
    if matter.state not in AWAITING:
        return False
    return case_of(matter).application.delivery == Application.ELECTRONIC


@matters.condition("services.all_decided")
def all_decided(matter, params: dict) -> bool:
    """Every case is decided or ended, and there is something to hand out at the window or to post."""
    application = Application.objects.filter(matter=matter).first()
    if application is None or application.delivery == Application.ELECTRONIC:
        return False
    rows = matters.Matter.objects.filter(parent=matter)
    return (
        application.cases.exclude(outcome="").exists()
        and not rows.filter(closed_at=None).exclude(state__in=AWAITING).exists()
    )


@matters.condition("services.all_over")
def all_over(matter, params: dict) -> bool:
    """Every case ended, and nothing is left to hand out."""
    if matters.Matter.objects.filter(parent=matter, closed_at=None).exists():
        return False
    application = Application.objects.filter(matter=matter).first()
    return application is not None and (
        application.delivery == Application.ELECTRONIC or not application.cases.exclude(outcome="").exists()
    )


# Effects --------------------------------------------------------------------------------------------------------


@matters.effect("services.decide", needs=("granted",), whole=True)
def decide(act, matter, params: dict, data: dict, transition) -> None:
    """Note the decision; where the item gives out a certificate, it is made out."""
    case = case_of(matter)
    case.outcome = Case.GRANTED if params["granted"] else Case.REFUSED
    case.decided_at = now()
    counting.note_decided(case, matter)
    if params["granted"] and case.certificate_type:
        case.certificate = str(papers.make_certificate(act, case))
    case.save(update_fields=["outcome", "decided_at", "certificate", *counting.DECIDED])
    act.log(case.ref, outcome=case.outcome, certificate=case.certificate)
    _look_around(act, case.application)


def _look_around(act, application: Application) -> None:
    """A decision may be what the application, or a case that waits, waited for."""
    matters.look_again(act, application.matter)
    for row in application.cases.filter(matter__state="waiting").select_related("matter"):
        matters.look_again(act, row.matter)


@matters.effect("services.voucher", needs=("paper",), whole=True)
def voucher(act, matter, params: dict, data: dict, transition) -> None:
    """Make out the numbered paper of the step, with seal and date (行政许可法 §32, §38)."""
    papers.make_paper(act, case_of(matter), params["paper"], data)


@matters.effect("services.hand_out", whole=True)
def hand_out(act, matter, params: dict, data: dict, transition) -> None:
    """Deliver all that was decided: delivery is one, with one receipt; the decisions stay apart."""
    application = Application.objects.select_related("matter").get(matter=matter)
    decided = list(application.cases.exclude(outcome="").order_by("id"))
    steps = {"granting": "deliver", "refusing": "deliver_refusal"}
    for row in matters.Matter.objects.filter(parent=matter, state__in=steps).order_by("id"):
        matters.advance(act, row, steps[row.state])
    papers.make_receipt(act, application, decided, data, matter.holding_unit_id)


def _register() -> None:
    from liangzhu.pillars.services.queries import cases as queries

    matters.register_kind(
        APPLICATION,
        "申办",
        process=APPLICATION,
        own_url=queries.own_url,
        panels=[("services/panels/application.html", queries.application_panel)],
        elsewhere="群众在网上提交申请时登记。",
    )
    for kind, title in CASE_KINDS.items():
        matters.register_kind(
            kind,
            title,
            process=kind,
            own_url=queries.own_url_of_case,
            elsewhere="随申办一起登记。",
            panels=[("services/panels/case.html", queries.case_panel)],
        )


_register()
