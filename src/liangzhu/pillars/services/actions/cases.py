"""Applying: begun from a route, filled in, materials fetched or given, sent, corrected, withdrawn."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.trust.sources import api as sources
from liangzhu.beams.work.files import api as files
from liangzhu.beams.work.forms import api as forms
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel import masking
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Conflict, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.log import canonical
from liangzhu.kernel.now import now, today
from liangzhu.kernel.pack import pack
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.releases import next_number
from liangzhu.pillars.services import behalf, bundles, counting, guide, policies
from liangzhu.pillars.services.actions import incentives
from liangzhu.pillars.services.actions.halls import ask_rating
from liangzhu.pillars.services.models import Application, Case, Material
from liangzhu.pillars.services.offers import OfferMaterial

CONSENT_DAYS = 180
"""How long a consent for an application holds at most; its end ends it earlier."""
PASSWORD_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without letters and figures that are taken for each other."""


class ItemChanged(Conflict):
    """What is applied for has another version now. What was filled in stays; the route is laid out anew."""

    code, title = "item_changed", "事项有了新的版本"
    todo = "请点“按新版本更新”，已填写的内容和材料都会保留，再核对一遍后提交。"


# Beginning ------------------------------------------------------------------------------------------------------------


@action("services.begin_application")
def begin(
    act: Act,
    *,
    bundle: str,
    answers: dict[str, Any],
    incentive_id: int | None = None,
    prefill: bool = False,
) -> Application:
    """Begin to apply for what follows from the answers, for whom the resident acts, or whom a clerk serves;
    ``incentive_id``: for that policy.

    ``prefill``: whoever stands at the window agreed that the form's sources are read; a resident agrees by asking himself.

    Raises Denied, NotThere, StepNotAllowed (not within the mandate), NobodyServed, NotRegistered, Invalid (each question named),
    decisions.NoRow.
    """
    act.check(policies.apply)
    one = bundles.bundle(bundle)
    who = behalf.applying(act.actor, kind=bundle, title=one.title)
    if incentive_id is not None:
        incentives.may_apply(act.actor, incentive_id, bundle)
    found = guide.route(one, answers)
    row = Application.objects.create(
        incentive_id=incentive_id,
        bundle=bundle,
        release_id=one.release_id,
        title=one.title,
        applicant=str(who.principal),
        begun_by=str(act.actor.ref),
        mandate_id=who.mandate_id,
        channel=who.channel,
        scan_id=who.scan_id,
        route=canonical(found.decision) if found.decision else "",
        begun_at=now(),
    )
    _lay_out(act, row, found, who)
    if prefill and who.channel == Application.COUNTER:
        for source, names in _asked_by(one.form, who.principal.kind).items():
            _consent(act, row, who, source, names)
    act.log(
        row.ref,
        bundle=bundle,
        release=one.number,
        cases=len(found.parts),
        applicant=row.applicant,
        channel=row.channel,
        scan=row.scan_id,
    )
    return row


def _lay_out(act: Act, row: Application, found: guide.Route, who: behalf.Applying) -> None:
    """Cases and materials of a route; what was given or fetched before for the same material stays."""
    before = {one.key: one for one in row.materials.all()}
    row.cases.all().delete()
    cases = {part.name: _case(row, part) for part in found.parts}
    Case.objects.bulk_create(cases.values())
    offered = {one.key: one for part in found.parts for one in part.offer.materials}
    again = (Material.WANTED, Material.MADE, Material.AVAILABLE, Material.TO_VERIFY)
    for place, wanted in enumerate(found.materials):
        material = before.pop(wanted.material, None) or Material(application=row, key=wanted.material)
        one = offered[wanted.material]
        material.place, material.title, material.required = place, wanted.title, wanted.required
        material.on_promise = one.on_promise
        if material.pk is None or (material.state in again and not material.outcome):
            material.source = ""
            material.why = wanted.why
            if wanted.made:
                material.state = Material.MADE
            elif not wanted.why:
                material.state = Material.WANTED
            else:
                _spare(who, material, one)
        material.save()
        material.cases.set([cases[name] for name in wanted.parts])
    for gone in before.values():
        files.detach(act, [one.pk for one in files.of(gone.ref)], gone.ref)
        gone.delete()


def _spare(who: behalf.Applying, material: Material, one: OfferMaterial) -> None:
    """How a material that government has comes here: by the sign-in or the scan, from a source, or by staff."""
    identity = pack().toml("services.toml").get("identity_certificate")
    if identity and one.certificate_type == identity and who.identified:
        material.state, material.why = Material.HELD, who.identified
        return
    known = sources.all_sources().get(one.source)
    if known is not None and not known.off and known.knows(who.principal.kind):
        material.state, material.source = Material.AVAILABLE, one.source
        return
    material.state, material.outcome = Material.TO_VERIFY, sources.StaffCheck.NO_SOURCE


def _case(row: Application, part: guide.RoutePart) -> Case:
    one = part.offer
    return Case(
        application=row,
        part=part.name,
        item=one.key,
        item_version=one.version_id,
        name=one.name,
        unit_id=one.unit_id,
        basis=part.why[:500],
        kind=one.kind,
        legal_amount=one.legal.amount if one.legal else None,
        legal_unit=one.legal.unit if one.legal else "",
        promised_amount=one.promised.amount if one.promised else None,
        promised_unit=one.promised.unit if one.promised else "",
        immediate=one.immediate,
        needs_check=one.needs_check,
        result=one.result,
        certificate_type=one.certificate_type,
    )


def _own(act: Act, application_id: int, version: int | None = None) -> Application:
    """An application of one's own that was not sent yet, locked. Raises NotThere, StepNotAllowed, Conflict."""
    row = act.lock(Application, pk=application_id)
    if not policies.own_application(act.actor, row):
        raise NotThere("没有找到这项申办。")
    act.check(policies.own_application, row)
    if row.submitted_at is not None:
        raise StepNotAllowed("申请已经提交，不能再改。", todo="要补正或撤回的，请在办理进度页操作。")
    if version is not None and row.version != version:
        raise Conflict("这项申办刚在别处（另一个窗口或另一台设备）改过。", todo="请刷新后再操作。")
    return row


def _who(act: Act, row: Application) -> behalf.Applying:
    return behalf.applying(act.actor, kind=row.bundle, title=row.title, case=str(row.ref))


def _own_material(act: Act, material_id: int) -> Material:
    material = act.lock(Material, pk=material_id)
    material.application = _own(act, material.application_id)
    return material


@action("services.renew_application")
def renew(act: Act, *, application_id: int) -> Application:
    """Lay the application out anew under the versions in force; form and materials stay. Raises NotThere, StepNotAllowed."""
    row = _own(act, application_id)
    one = bundles.bundle(row.bundle)
    found = guide.route(one, row.answers)
    row.release_id, row.title = one.release_id, one.title
    row.route = canonical(found.decision) if found.decision else ""
    row.version += 1
    row.save()
    _lay_out(act, row, found, _who(act, row))
    act.log(row.ref, renewed=True, release=one.number, cases=len(found.parts))
    return row


@action("services.drop_application")
def drop(act: Act, *, application_id: int) -> None:
    """Give up an application that was not sent, with what was given for it. Raises NotThere, StepNotAllowed."""
    row = _own(act, application_id)
    for material in row.materials.all():
        files.detach(act, [one.pk for one in files.of(material.ref)], material.ref)
    act.log(row.ref, dropped=True)
    row.cases.all().delete()
    row.materials.all().delete()
    row.delete()


# Materials ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Agreed:
    """What was agreed to be read from one source: under which consent, for which materials."""

    source: str
    consent_id: int
    fields: tuple[str, ...]
    materials: tuple[int, ...]


def fetch(actor: Actor, *, application_id: int, keys: Iterable[str]) -> dict[str, str]:
    """Fetch what the applicant agreed to, one source after another; returns what became of each material, by key.

    What no source gives is left to staff, with the reason, and not asked of the applicant. Each source is asked outside of
    any transaction and noted by an action of its own, so that one that is silent holds nothing else up. Raises NotThere,
    StepNotAllowed.
    """
    found: dict[str, str] = {}
    row, agreed = agree(actor, application_id=application_id, keys=list(keys))
    for one in agreed:
        try:
            pulled = sources.pull(
                actor,
                source=one.source,
                subject=Ref.parse(row.applicant),
                fields=one.fields,
                purpose=f"办理“{row.title}”",
                case=row.ref,
                consent_id=one.consent_id,
            )
        except sources.SourceTrouble as trouble:
            got = {"outcome": trouble.outcome, "receipt": trouble.receipt_id, "why": trouble.title}
        else:
            got = {"outcome": "", "receipt": pulled.receipt_id, "why": f"来自{pulled.source_title}"}
        found |= note_fetched(actor, application_id=row.pk, material_ids=list(one.materials), **got)
    return found


@action("services.agree_to_sources")
def agree(act: Act, *, application_id: int, keys: list[str]) -> tuple[Application, list[Agreed]]:
    """Consent to the reading of the named materials from their sources, for this application only."""
    row = _own(act, application_id)
    who = _who(act, row)
    by_source: dict[str, list[int]] = {}
    for material in row.materials.filter(key__in=keys).exclude(source=""):
        if material.state in (Material.AVAILABLE, Material.TO_VERIFY):
            by_source.setdefault(material.source, []).append(material.pk)
    agreed = []
    for key, materials in by_source.items():
        names = tuple(sources.source(key).fields)
        consent = _consent(act, row, who, key, names)
        agreed.append(Agreed(key, consent.pk, names, tuple(materials)))
    act.log(row.ref, agreed=sorted(by_source))
    return row, agreed


def _asked_by(form: str, kind: str) -> dict[str, tuple[str, ...]]:
    """The sources that a form is prefilled from and that know this kind of subject, with the fields that it asks."""
    known, found = sources.all_sources(), {}
    for _, one in forms.in_force(form).all_fields():
        if one.prefill and (source := known.get(one.prefill.source)) and source.knows(kind):
            found[source.key] = tuple(dict.fromkeys((*found.get(source.key, ()), one.prefill.part)))
    return found


def _consent(
    act: Act, row: Application, who: behalf.Applying, source: str, names: tuple[str, ...]
) -> residents.Consent:
    return residents.give_consent(
        act,
        subject=Ref.parse(row.applicant),
        source=source,
        fields=list(names),
        purpose=f"办理“{row.title}”",
        case=str(row.ref),
        channel=_channel(who, source, names),
        until=today() + timedelta(days=CONSENT_DAYS),
        evidence=f"code_scan:{who.scan_id}" if who.scan_id else "",
    )


def _channel(who: behalf.Applying, source: str, names: tuple[str, ...]) -> str:
    """How the consent was given: online, with the code that was scanned, or by word at the window."""
    if who.channel == Application.ONLINE:
        return "portal"
    return "code" if set(names) <= (who.consented or {}).get(source, frozenset()) else "counter"


@action("services.note_fetched")
def note_fetched(
    act: Act, *, application_id: int, material_ids: list[int], outcome: str, receipt: str, why: str
) -> dict[str, str]:
    """Note what became of materials that were asked for at their source; state by key."""
    row = _own(act, application_id)
    found = {}
    for material in row.materials.filter(pk__in=material_ids):
        material.state = Material.TO_VERIFY if outcome else Material.HELD
        material.outcome, material.receipt, material.why = outcome, receipt, why[:300]
        material.save(update_fields=["state", "outcome", "receipt", "why"])
        found[material.key] = material.state
    act.log(row.ref, materials=found, outcome=outcome, receipt=receipt)
    return found


@action("services.bring_material")
def bring(act: Act, *, material_id: int) -> Material:
    """The applicant would rather bring a material that government has: nobody is made to consent. Raises NotThere, StepNotAllowed."""
    material = _own_material(act, material_id)
    if material.state not in (Material.AVAILABLE, Material.HELD, Material.TO_VERIFY) or not material.source:
        raise StepNotAllowed("这份材料不用您提交。")
    at_counter = material.application.channel == Application.COUNTER
    if at_counter and material.state == Material.TO_VERIFY:
        raise StepNotAllowed("来源没有回应的，由工作人员核验，不向申请人收取。")
    material.state, material.outcome = Material.WANTED, ""
    material.why = "申请人选择自己提供" if at_counter else "您选择自己提供"
    material.save(update_fields=["state", "outcome", "why"])
    act.log(material.ref, state=material.state)
    return material


@action("services.give_material")
def give(act: Act, *, material_id: int, uploads: list[int]) -> Material:
    """Give a material as files. Raises NotThere, StepNotAllowed, Invalid."""
    material = _own_material(act, material_id)
    if not uploads:
        raise Invalid({"uploads": "请选择文件。"})
    if material.state not in (Material.WANTED, Material.GIVEN, Material.PROMISED):
        raise StepNotAllowed("这份材料不用您提交。")
    files.attach(act, uploads, material.ref)
    material.state, material.why = Material.GIVEN, ""
    material.save(update_fields=["state", "why"])
    act.log(material.ref, state=material.state, files=len(uploads))
    return material


@action("services.see_original")
def see_original(act: Act, *, material_id: int) -> Material:
    """A clerk saw the original of a material and keeps no copy. Raises NotThere, StepNotAllowed."""
    material = _own_material(act, material_id)
    act.check(policies.counter)
    if material.state != Material.WANTED:
        raise StepNotAllowed("这份材料不用再看原件。")
    material.state, material.why = Material.GIVEN, "窗口已看原件，没有留件"
    material.save(update_fields=["state", "why"])
    act.log(material.ref, state=material.state, original_seen=True)
    return material


@action("services.take_back_file")
def take_back(act: Act, *, material_id: int, file_id: int) -> Material:
    """Take a file out again. Raises NotThere, StepNotAllowed."""
    material = _own_material(act, material_id)
    given = [one.pk for one in files.of(material.ref)]
    if file_id not in given:
        raise NotThere("没有找到这个文件。")
    files.detach(act, [file_id], material.ref)
    if len(given) == 1:
        material.state = Material.WANTED
        material.save(update_fields=["state"])
    act.log(material.ref, state=material.state, files=len(given) - 1)
    return material


@action("services.promise_material")
def promise(act: Act, *, material_id: int) -> Material:
    """Promise in writing what a material would show (告知承诺), where the item allows it. Raises NotThere, StepNotAllowed."""
    material = _own_material(act, material_id)
    if not material.on_promise or material.state != Material.WANTED:
        raise StepNotAllowed("这份材料不能用承诺代替。")
    material.state, material.why = Material.PROMISED, "不实的，撤销决定并记入信用记录"
    material.save(update_fields=["state", "why"])
    act.log(material.ref, state=material.state)
    return material


@action("services.choose_delivery")
def choose_delivery(act: Act, *, application_id: int, delivery: str, address: str = "") -> Application:
    """Say how the results shall come. Raises NotThere, Invalid."""
    row = _own(act, application_id)
    if delivery not in dict(Application.DELIVERIES):
        raise Invalid({"delivery": "请选择送达方式。"})
    if delivery == Application.POST and len(address.strip()) < 6:
        raise Invalid({"address": "请填写能寄到的详细地址。"})
    row.delivery, row.address = delivery, address.strip() if delivery == Application.POST else ""
    row.version += 1
    row.save()
    act.log(row.ref, delivery=delivery)
    return row


# Sending --------------------------------------------------------------------------------------------------------------


@action("services.submit_application")
def submit(act: Act, *, application_id: int, version: int, declared: bool = False) -> Application:
    """Send the application: one matter, and below it a case for each part, which all begin at once (并联审批).

    Raises NotThere, Conflict, ItemChanged, StepNotAllowed (what is missing, by name), forms.NotReady, Invalid.
    """
    row = _own(act, application_id, version)
    cases = list(row.cases.order_by("id"))
    one = bundles.bundle(row.bundle)
    found = guide.route(one, row.answers)
    _unchanged(cases, found)
    wanted = row.materials.filter(state__in=[Material.WANTED, Material.AVAILABLE], required=True)
    if missing := [f"“{each.title}”" for each in wanted]:
        raise StepNotAllowed(
            f"还有材料没有准备好：{'、'.join(missing)}。", todo="请在“准备材料”里同意获取，或者上传。"
        )
    row.snapshot_id = _send_form(act, row, one.form, declared)
    window = directory.units().by_key(one.window)
    government = directory.units().by_key(pack().district["government"])
    row.matter = matters.open_matter(
        act,
        kind="service_application",
        title=row.title,
        parties={"window": window.id, "government": government.id},
        holding_unit_id=window.id,
        applicant=row.applicant,
        opening="窗口代为提交申请" if row.channel == Application.COUNTER else "网上提交申请",
    )
    row.submitted_at, row.version = now(), row.version + 1
    row.password = "".join(secrets.choice(PASSWORD_LETTERS) for _ in range(8))
    row.save()
    _open_cases(act, row, cases, found, window.id)
    for material in row.materials.filter(state=Material.TO_VERIFY):
        sources.to_verify(
            act,
            case=row.ref,
            material=material.key,
            title=material.title,
            why=material.outcome,
            source=material.source,
            receipt_id=material.receipt,
        )
    if found.plan.limit is not None:
        matters.advance(act, row.matter, "start_joint")
    if row.incentive_id is not None:
        incentives.note_applied(act, application=row)
    if row.channel == Application.COUNTER and (ticket := behalf.ticket_of(act.actor)) is not None:
        # Before the number ends: its number and code stand on the slip that the applicant takes along.
        ask_rating(act, ticket)
    act.log(row.ref, submitted=True, matter=row.matter_id, cases=[case.code for case in cases])
    return row


def _open_cases(act: Act, row: Application, cases: list[Case], found: guide.Route, window_id: int) -> None:
    """A matter for each case; those that need others wait, the rest begin."""
    parts = {part.name: part for part in found.parts}
    rows = {}
    for case in cases:
        code = parts[case.part].offer.code or case.item
        case.code = f"{code}-{today():%Y%m%d}-{next_number(f'services:{code}'):05d}"
        case.application = row
        case.matter = matters.open_matter(
            act,
            kind=case.kind,
            title=case.name,
            parties={"organ": case.unit_id, "window": window_id},
            holding_unit_id=case.unit_id,
            parent=row.matter,
            applicant=row.applicant,
            opening="由申办分发",
        )
        rows[case.part] = case
    counting.note_received(row, cases)
    Case.objects.bulk_update(cases, ["code", "matter", *counting.RECEIVED])
    for case in cases:
        for need in sorted(parts[case.part].needs):
            matters.require(act, case.matter, rows[need].matter)
    for case in cases:
        if not parts[case.part].needs:
            matters.advance(act, case.matter, "receive")


def _unchanged(cases: list[Case], found: guide.Route) -> None:
    """The items are still the same ones, in the versions that were shown."""
    shown = {case.part: (case.item_version, case.name) for case in cases}
    due = {part.name: (part.offer.version_id, part.offer.name) for part in found.parts}
    if shown == due:
        return
    words = [
        f"“{name}”有了新版本" for part, (version, name) in due.items() if shown.get(part, (0,))[0] != version
    ]
    words += [f"“{name}”不再需要" for part, (_, name) in shown.items() if part not in due]
    raise ItemChanged(f"您填写期间，{'，'.join(words)}。")


def _send_form(act: Act, row: Application, key: str, declared: bool) -> int:
    draft = forms.draft_of(act.actor, key, str(row.ref))
    if draft is None:
        raise StepNotAllowed("还没有填写申请表。", todo="请先填写申请表。")
    snapshot = forms.send(
        act.actor, draft_id=draft.pk, version=draft.version, declared=declared, by_owner=True
    )
    return snapshot.pk


# Afterwards -----------------------------------------------------------------------------------------------------------


def _own_case(act: Act, case_id: int) -> Case:
    case = act.lock(Case, pk=case_id)
    case.application = Application.objects.select_related("matter").get(pk=case.application_id)
    if not policies.own_application(act.actor, case.application) or case.matter_id is None:
        raise NotThere("没有找到这个办件。")
    act.check(policies.own_application, case.application)
    return case


@action("services.correct_case")
def correct(act: Act, *, case_id: int, explanation: str, uploads: Iterable[int] = ()) -> Case:
    """Answer a correction notice (提交补正). Raises NotThere, StepNotAllowed, Invalid."""
    case = _own_case(act, case_id)
    matters.advance(act, case.matter, "correct", data={"explanation": explanation, "files": list(uploads)})
    act.log(case.ref, corrected=True)
    return case


@action("services.withdraw_case")
def withdraw_case(act: Act, *, case_id: int, reason: str = "") -> Case:
    """Withdraw one case; those that need it end too. Raises NotThere, StepNotAllowed."""
    case = _own_case(act, case_id)
    matters.advance(act, case.matter, "withdraw", data={"reason": reason})
    act.log(case.ref, withdrawn=True)
    return case


@action("services.withdraw_application")
def withdraw(act: Act, *, application_id: int, reason: str = "") -> Application:
    """Withdraw all of it; decisions that were taken stand. Raises NotThere, StepNotAllowed."""
    row = act.lock(Application, pk=application_id)
    if not policies.own_application(act.actor, row) or row.matter_id is None:
        raise NotThere("没有找到这项申办。")
    act.check(policies.own_application, row)
    matters.advance(act, row.matter, "withdraw", data={"reason": reason})
    act.log(row.ref, withdrawn=True)
    return row


# Staff ----------------------------------------------------------------------------------------------------------------


@action("services.verify_material")
def verify(act: Act, *, material_id: int, good: bool, note: str) -> Material:
    """Staff verified what no source gave (部门核验): true or not, and how they know. Raises Denied, NotThere, Conflict, Invalid."""
    material = act.lock(Material, pk=material_id)
    act.check(policies.verify_material, material)
    application = material.application
    check = next(
        (one for one in sources.checks_of(act.actor, application.ref) if one.material == material.key), None
    )
    if check is None:
        raise StepNotAllowed("这份材料不在等待核验。")
    sources.settle(act.actor, check_id=check.pk, good=good, note=note)
    material.state = Material.VERIFIED if good else Material.UNTRUE
    material.save(update_fields=["state"])
    act.log(material.ref, state=material.state, check=check.pk)
    return material


@action("services.end_consents")
def end_consents(act: Act, *, application_id: int) -> int:
    """The application is over: what was agreed to for it holds no longer. Returns how many consents."""
    act.check(policies.keep_time)
    row = act.lock(Application, pk=application_id)
    open_ones = residents.Consent.objects.filter(case=str(row.ref), ended_at=None, until__gt=now())
    ids = list(open_ones.values_list("pk", flat=True))
    for one in ids:
        residents.end_consent(act.actor, consent_id=one)
    act.log(row.ref, consents_ended=len(ids))
    return len(ids)


# At the counter -------------------------------------------------------------------------------------------------------


@action("services.accept_at_counter")
def accept(act: Act, *, case_id: int) -> Case:
    """Accept a case at the window (受理) where its process lets the window do so. Raises NotThere, Denied, StepNotAllowed."""
    case = _own_case(act, case_id)
    act.check(policies.counter)
    matters.advance(act, case.matter, "accept")
    act.log(case.ref, accepted=True)
    return case


@action("services.hand_over")
def hand_over(act: Act, *, application_id: int) -> Application:
    """Hand all results out at the window to whoever is being served; his scan is the signature. Raises NotThere, StepNotAllowed."""
    row = act.lock(Application, pk=application_id)
    if row.matter_id is None or not policies.collect(act.actor, row):
        raise NotThere("没有找到要领取的结果。")
    act.check(policies.collect, row)
    served = behalf.serving(act.actor)
    came = registers.NaturalPerson.objects.get(pk=int(served.came.id))
    name = masking.reveal(act.actor, came, "name", reason="送达回证写明领取人", case=str(row.ref))
    how = "出示证件" if served.by_document else "出示服务码"
    whose = "代办人" if served.agent else "本人"
    receiver = f"{name}（{whose}，{how}确认，扫码记录 {served.scan_id}）"
    matters.advance(act, row.matter, "hand_out", data={"way": "窗口领取", "receiver": receiver})
    act.log(row.ref, handed_to=str(served.came), scan=served.scan_id, agent=str(served.agent or ""))
    return row
