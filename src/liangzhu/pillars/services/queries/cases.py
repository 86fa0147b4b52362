"""Applications and cases, for whom they concern and for who works on them."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.crypto import constant_time_compare

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.trust.certificates import api as certificates
from liangzhu.beams.trust.sources import api as sources
from liangzhu.beams.work.files import api as files
from liangzhu.beams.work.forms import api as forms
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel import masking, reads, sealing
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.refs import Ref, register_ref
from liangzhu.pillars.services import bundles, policies
from liangzhu.pillars.services.models import Application, Case, Material, Rating
from liangzhu.pillars.services.queries import items

UNSENT_SHOWN = 20


def application(actor: Actor, pk: int) -> Application:
    """One application of one's own. Raises NotThere: absent, and somebody else's, are not told apart."""
    row = Application.objects.select_related("matter").filter(pk=pk).first()
    if row is None or not policies.own_application(actor, row):
        raise NotThere(
            "没有找到这项申办。", todo="请从“我的”里打开；替别人办的，请先切换到办这件事时的身份。"
        )
    return row


def own_address(actor: Actor, row: Application) -> str:
    """The postal address as the applicant typed it, for himself; "" when there is none."""
    policies.own_application.require(actor, row)
    return (
        masking.reveal(actor, row, "address", reason="本人核对邮寄地址", case=str(row.ref))
        if row.address
        else ""
    )


def posting(actor: Actor, matter_id: int) -> Application:
    """The application whose results the actor's unit is to post now. Raises NotThere."""
    row = Application.objects.select_related("matter").filter(matter=matter_id).first()
    if row is None or not policies.post_results(actor, row):
        raise NotThere("没有找到要由本单位邮寄的申办。")
    return row


def posting_address(actor: Actor, matter_id: int, reason: str) -> str:
    """Where the results are posted to, in full, for a reason that the log keeps. Raises NotThere, Invalid."""
    row = posting(actor, matter_id)
    return masking.reveal(actor, row, "address", reason=reason, case=str(row.matter.ref))


# Materials ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MaterialView:
    """A material on a page: its row, and what was given for it."""

    row: Material
    given: list[files.Attachment]

    @property
    def asked(self) -> bool:
        """Whether the applicant has something to do about it."""
        return self.row.state in (Material.WANTED, Material.AVAILABLE)

    @property
    def own(self) -> bool:
        """Whether only the applicant has it, or chose to bring it."""
        return self.row.state in (Material.WANTED, Material.GIVEN, Material.PROMISED)

    @property
    def may_bring(self) -> bool:
        """Whether the applicant may rather bring it."""
        return bool(self.row.source) and self.row.state in (
            Material.AVAILABLE,
            Material.HELD,
            Material.TO_VERIFY,
        )


def materials(row: Application) -> list[MaterialView]:
    """The materials of an application, as laid out."""
    found = list(row.materials.all())
    given = files.of_each(one.ref for one in found)
    return [MaterialView(one, given[one.ref]) for one in found]


@dataclass(frozen=True)
class Step:
    """A step of applying: what it is, whether it is done, where it is done."""

    name: str
    title: str
    note: str
    url: str
    done: bool


@dataclass(frozen=True)
class Preparing:
    """An application before it is sent."""

    steps: list[Step]
    materials: list[MaterialView]
    cases: list[Case]
    declaration: str

    @property
    def ready(self) -> bool:
        """Whether it can be sent."""
        return all(step.done for step in self.steps)

    @property
    def spared(self) -> list[MaterialView]:
        """What the applicant need not bring."""
        return [one for one in self.materials if not one.own]


def preparing(actor: Actor, row: Application) -> Preparing:
    """What is done and what is left before an application can be sent."""
    key = bundles.in_release(row).form
    found = materials(row)
    spared = sum(not one.own for one in found)
    draft = forms.draft_of(actor, key, str(row.ref))
    said = forms.summary(actor, draft) if draft else None
    filled = said is not None and said.sound
    form = forms.edition(key, str(row.ref))
    fill = reverse("forms:resume", args=[draft.pk]) if draft else _start(key, row)
    wanted = [one for one in found if one.asked and one.row.required]
    note = f"{len(found)} 份里有 {spared} 份不用您提交" if spared else f"{len(found)} 份"
    to_materials = reverse("services:materials", args=[row.pk])
    how = reverse("services:delivery", args=[row.pk])
    return Preparing(
        [
            Step("form", f"填写{form.title}", "各部门要问的，每一项只问一次", fill, filled),
            *_signing(said),
            Step("materials", "准备材料", note, to_materials, not wanted),
            Step("delivery", "怎样拿结果", row.get_delivery_display(), how, True),
        ],
        found,
        list(row.cases.order_by("id")),
        form.declaration,
    )


def _signing(said: forms.Summary | None) -> list[Step]:
    """A step for who else signs, where the answers ask for somebody."""
    if said is None or not said.waiting:
        return []
    words = [
        f"{one.place.title}{f' {one.row.person_name}：{one.row.get_state_display()}' if one.row else '还没有邀请'}"
        for one in said.waiting
    ]
    url = f"{reverse('forms:check', args=[said.draft.pk])}#cosign"
    return [Step("cosign", "请别人共同签署", "；".join(words), url, said.signed)]


def _start(key: str, row: Application) -> str:
    return f"{reverse('forms:start', args=[key])}?for={row.ref}"


# Progress -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CaseView:
    """A case on a page: where it is, what it waits for, its papers, what the applicant may do now."""

    case: Case
    unit: str
    state: str
    waits: list[str]
    papers: list[Any]
    certificate: certificates.CertificateView | None
    may_correct: bool
    may_withdraw: bool
    missing: str

    @property
    def open(self) -> bool:
        """Whether it is still being worked on."""
        return self.case.matter.is_open


def progress(actor: Actor, row: Application) -> list[CaseView]:
    """Where each case of a sent application is."""
    cases = list(row.cases.select_related("matter").order_by("id"))
    needs = _needs(cases)
    held = {str(one.ref): one for one in certificates.held_by(Ref.parse(row.applicant), valid=False)}
    found = []
    for case in cases:
        case.application = row
        steps = {one.step.name for one in matters.transitions(case.matter, actor) if not one.blocked}
        waiting = case.matter.is_open and case.matter.state == "waiting"
        found.append(
            CaseView(
                case=case,
                unit=directory.unit_name(case.unit_id),
                state=matters.state_title(case.matter),
                waits=needs.get(case.pk, []) if waiting else [],
                papers=certificates.papers_of(case.matter.ref),
                certificate=held.get(case.certificate),
                may_correct="correct" in steps,
                may_withdraw="withdraw" in steps,
                missing=missing(case) if "correct" in steps else "",
            )
        )
    return found


def _needs(cases: list[Case]) -> dict[int, list[str]]:
    """Which other cases each one waits for, by name; those that were granted are waited for no more."""
    by_matter = {case.matter_id: case for case in cases}
    return {
        by_matter[matter_id].pk: [by_matter[one].name for one in needed if not by_matter[one].outcome]
        for matter_id, needed in matters.needs_of(by_matter).items()
    }


def missing(case: Case) -> str:
    """What the correction notice asked for."""
    return matters.last_value(case.matter, "missing") or ""


def receipts(row: Application) -> list[Any]:
    """The receipts of delivery (送达回证)."""
    return certificates.papers_of(row.matter.ref) if row.matter else []


def paper_file(actor: Actor, pk: int, case_id: int, paper_id: int) -> files.Attachment:
    """A paper of one's own case as PDF. Raises NotThere."""
    row = application(actor, pk)
    case = row.cases.select_related("matter").filter(pk=case_id).exclude(matter=None).first()
    if case is None:
        raise NotThere("没有找到这份文书。")
    return certificates.paper_pdf(case.matter.ref, paper_id)


def by_number(number: str, password: str) -> Application:
    """A sent application by its number and query password, without an account. Raises NotThere, the same for either fault."""
    row = (
        Application.objects.select_related("matter")
        .filter(matter__number=number.strip().upper(), submitted_at__isnull=False)
        .first()
    )
    given = password.strip().upper()
    if row is None or not row.password or not constant_time_compare(row.password, given):
        raise NotThere("编号或查询密码不对。", todo="请核对提交申请后页面上给您的编号和密码。")
    return row


def public_progress(row: Application) -> list[CaseView]:
    """Where each case is, and nothing else: for who has the number and the password."""
    return [
        CaseView(
            case,
            directory.unit_name(case.unit_id),
            matters.state_title(case.matter),
            [],
            [],
            None,
            False,
            False,
            "",
        )
        for case in row.cases.select_related("matter").order_by("id")
    ]


def tell(matter_id: int, state: str, key: str) -> None:
    """Send the applicant a message that a case came into another state."""
    case = Case.objects.filter(matter=matter_id).select_related("application", "matter").first()
    if case is None:
        return
    word = matters.process_of(case.matter).flow.states[state].title
    residents.tell(
        [Ref.parse(case.application.applicant)],
        key=key,
        title=f"{word}：{case.name}",
        text=f"{case.application.title} · 办件编码 {case.code}",
        url=reverse("services:application", args=[case.application_id]),
        about=case.matter.ref,
    )


def application_of(matter_id: int | str) -> Application | None:
    """The application whose matter this is."""
    return Application.objects.select_related("matter").filter(matter=matter_id).first()


# Staff ----------------------------------------------------------------------------------------------------------------


def material_to_verify(actor: Actor, pk: int, matter_id: int) -> Material:
    """A material of a case that the actor sees. Raises NotThere."""
    row = Material.objects.select_related("application").filter(pk=pk, cases__matter=matter_id).first()
    if row is None or not matters.visible(actor).filter(pk=matter_id).exists():
        raise NotThere("没有找到这份材料。")
    return row


def paper_of_case(actor: Actor, matter_id: int, paper_id: int) -> files.Attachment:
    """A paper of a case, as PDF, for who works on it. Raises NotThere."""
    row = matters.visible(actor).filter(pk=matter_id).first()
    if row is None:
        raise NotThere("没有找到这份文书。")
    return certificates.paper_pdf(row.ref, paper_id)


def application_panel(actor: Actor, matter) -> dict[str, Any]:
    """What the page of an application's matter shows to staff."""
    row = Application.objects.get(matter=matter)
    return {
        "application": row,
        "cases": _rows(row),
        "materials": materials(row),
        "may_post": policies.post_results(actor, row),
    }


def case_panel(actor: Actor, matter) -> dict[str, Any]:
    """What the page of a case's matter shows to the department: item, law, materials, form, papers, the cases beside it."""
    case = Case.objects.select_related("application").get(matter=matter)
    row = case.application
    own = set(Material.objects.filter(cases=case).values_list("pk", flat=True))
    checks = {one.material: one for one in sources.checks_of(actor, row.ref)}
    version = items.version(case.item_version)
    return {
        "case": case,
        "application": row,
        "laws": [str(one) for one in version.bases.all()],
        "materials": [(one, checks.get(one.row.key)) for one in materials(row) if one.row.pk in own],
        "may_verify": policies.verify_material(actor),
        "papers": certificates.papers_of(matter.ref),
        "siblings": [one for one in _rows(row) if one.pk != case.pk],
    }


def _rows(row: Application) -> list[Case]:
    return list(row.cases.select_related("matter").order_by("id"))


# The resident's pages -------------------------------------------------------------------------------------------------


def own_url(matter) -> str:
    """The page of an application for whoever applied."""
    row = Application.objects.filter(matter=matter).only("pk").first()
    return reverse("services:application", args=[row.pk]) if row else ""


def own_url_of_case(matter) -> str:
    """The same page for a case of it."""
    row = Case.objects.filter(matter=matter).only("application_id").first()
    return reverse("services:application", args=[row.application_id]) if row else ""


def _unsent(actor: residents.Resident) -> dict[str, Any] | None:
    rows = Application.objects.filter(applicant__in=actor.principal_refs, submitted_at=None).order_by("-id")
    found = [row for row in rows[:UNSENT_SHOWN] if policies.own_application(actor, row)]
    return {"applications": found} if found else None


residents.add_panel("services.unsent", order=5, template="services/cases/unsent.html", context=_unsent)


def tasks(actor: residents.Resident) -> list[residents.Task]:
    """Correction notices that wait for an answer."""
    cases = Case.objects.filter(
        application__applicant__in=actor.principal_refs, matter__state="correcting", matter__closed_at=None
    ).select_related("application", "matter")
    return [
        residents.Task(
            f"补正：{case.name}",
            reverse("services:correct", args=[case.application_id, case.pk]),
            "逾期不补正的，退回申请",
        )
        for case in cases
        if policies.own_application(actor, case.application)
    ]


residents.add_tasks("services.corrections", tasks)
residents.add_scopes(
    "services.bundles", lambda actor: [(one.key, one.title) for one in bundles.all_bundles()]
)


# References -----------------------------------------------------------------------------------------------------------


def _applications(ids: list[str], actor: Actor) -> dict[str, tuple[str, str]]:
    rows = Application.objects.filter(pk__in=[one for one in ids if one.isdecimal()]).select_related("matter")
    found = {}
    for row in rows:
        if policies.own_application(actor, row):
            found[str(row.pk)] = (row.title, _page(actor, row.pk))
        elif actor.is_system:
            found[str(row.pk)] = (row.title, "")
        elif (seen := _seen(actor, row)) is not None:
            found[str(row.pk)] = (row.title, reverse("matters:matter", args=[seen]))
    return found


def _page(actor: Actor, pk: int | str) -> str:
    """Where somebody goes on with an application: its resident online, a clerk at the counter."""
    name = "application" if isinstance(actor, residents.Resident) else "counter_application"
    return reverse(f"services:{name}", args=[pk])


def _seen(actor: Actor, row: Application) -> int | None:
    """A matter of a sent application that a member of staff sees."""
    if row.matter_id is None or not policies.read_items(actor):
        return None
    ids = [row.matter_id, *row.cases.exclude(matter=None).values_list("matter_id", flat=True)]
    return matters.visible(actor).filter(pk__in=ids).values_list("pk", flat=True).order_by("pk").first()


register_ref("service_application", "申办", _applications)


@reads.belongs("service_application")
def _of_application(ref: Ref) -> list[Ref]:
    """The applicant."""
    found = Application.objects.filter(pk=ref.id).values_list("applicant", flat=True).first()
    return [Ref.parse(found)] if found else []


def _parts(row: Application) -> list[Ref]:
    return [*(one.ref for one in row.materials.all()), *(one.ref for one in row.cases.all())]


sealing.hangs_on(Application, "applicant")
sealing.goes_with(Application, "matter")
sealing.has_parts(Application, _parts)
sealing.hangs_on(Rating, "rated")
sealing.hangs_on(Rating, "rater")


def _row_of(subject: Ref) -> Application | None:
    return Application.objects.filter(pk=subject.id).first() if subject.id.isdecimal() else None


def _may_fill(actor: Actor, subject: Ref, key: str, part: str) -> bool:
    row = _row_of(subject)
    return (
        row is not None
        and not part
        and row.submitted_at is None
        and policies.own_application(actor, row)
        and bundles.in_release(row).form == key
    )


def _may_read(actor: Actor, subject: Ref) -> bool:
    row = _row_of(subject)
    return row is not None and (policies.own_application(actor, row) or _seen(actor, row) is not None)


def _finish(actor: Actor, subject: Ref, key: str, part: str) -> tuple[str, str]:
    return _page(actor, subject.id), "回到申办，准备材料"


forms.subject_kind(
    "service_application", may_fill=_may_fill, may_read=_may_read, finish=_finish, residents=True
)


def _may_have(actor: Actor, subject: Ref) -> bool:
    material = Material.objects.filter(pk=subject.id).first() if subject.id.isdecimal() else None
    return material is not None and _may_read(actor, Ref("service_application", str(material.application_id)))


files.guard_downloads("service_material", _may_have)
files.guard_downloads("service_application", _may_read)
