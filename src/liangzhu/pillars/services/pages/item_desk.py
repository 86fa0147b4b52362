"""The desk where items are kept: drafts by section, difference, release, checks, exemptions, questions upwards, imports."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.pack import pack
from liangzhu.kernel.paging import page
from liangzhu.kernel.ui.forms import form_view
from liangzhu.kernel.web import guarded
from liangzhu.pillars.services import actions, checks, issued, policies, sheets
from liangzhu.pillars.services.models import Exemption, ItemMaterial, ItemVersion, Upward
from liangzhu.pillars.services.pages import item_forms as forms
from liangzhu.pillars.services.queries import items

FORM = "services/items/desk_form.html"
STATES = [
    ("", "全部状态"),
    ("draft", "有草稿"),
    ("submitted", "待审核"),
    ("scheduled", "待生效"),
    ("in_force", "在用"),
]


def _units(actor: Actor) -> list[tuple[int, str]]:
    own = getattr(actor, "unit_id", None)
    rows = [(one.id, one.short) for one in directory.units().all()]
    return rows if actor.has(policies.KEEPER) else [one for one in rows if one[0] == own]


# Items ----------------------------------------------------------------------------------------------------------------


@guarded("services.read_items")
def item_list(request: HttpRequest) -> HttpResponse:
    """The items of one's unit, or all, with what the checks say."""
    scope = "all" if request.GET.get("scope") == "all" else "unit"
    words, state = request.GET.get("q", "")[:60], request.GET.get("state", "")
    found = page(
        items.items_of(request.actor, scope=scope, words=words, open_only=state), request, ("key", "id"), 50
    )
    return render(
        request,
        "services/items/desk.html",
        {
            "page": found,
            "rows": items.rows_of(found.rows),
            "scope": scope,
            "words": words,
            "state": state,
            "states": STATES,
            "may_edit": policies.edit_items(request.actor),
            "may_keep": policies.keep_items(request.actor),
        },
    )


@guarded("services.read_items")
def item(request: HttpRequest, key: str) -> HttpResponse:
    """One item: what it says by section, what is wrong with it, its versions and what may be done."""
    found = items.detail(request.actor, key)
    sheet = items.sheet(found.shown)
    sections = [
        (
            name,
            title,
            [(sheets.title_of(one), sheets.words(one, getattr(found.shown, one))) for one in names],
            sum(one.section == name for one in found.findings),
        )
        for name, (title, names) in sheets.SECTIONS.items()
    ]
    kinds = [
        (
            kind,
            sheets.title_of(kind),
            getattr(sheet, kind),
            sum(one.section == kind for one in found.findings),
            kind in found.shown.locked_names and kind != "materials",
        )
        for kind in sheets.ROWS
    ]
    editable = found.may_edit and found.shown.state == ItemVersion.DRAFT
    return render(
        request,
        "services/items/item.html",
        {"it": found, "one": found.shown, "sections": sections, "kinds": kinds, "editable": editable},
    )


@guarded("services.edit_items")
def new_item(request: HttpRequest) -> HttpResponse:
    """Begin a new item."""
    return form_view(
        request,
        forms.NewItemForm(request.POST or None, units=_units(request.actor)),
        lambda data, once: actions.begin_item(
            request.actor, once=once, **{**data, "unit_id": int(data["unit_id"])}
        ),
        FORM,
        {"title": "新增事项", "submit": "起草", "crumb": "新增事项"},
        back=reverse("services:desk"),
        onward=lambda row: reverse("services:item", args=[row.item.key]),
    )


@guarded("services.edit_items")
@require_POST
def begin(request: HttpRequest, key: str) -> HttpResponse:
    """Begin a draft from what is in force."""
    actions.begin_draft(request.actor, item_id=items.detail(request.actor, key).item.pk)
    return redirect("services:item", key)


def _section_url(version: ItemVersion) -> str:
    return reverse("services:item", args=[version.item.key])


@guarded("services.edit_items")
def section(request: HttpRequest, version_id: int, section: str) -> HttpResponse:
    """Edit a section of a draft; what is wrong stands beside the fields."""
    row = items.any_version(request.actor, version_id)
    if section not in sheets.SECTIONS:
        raise NotThere("没有这一节。")
    form = forms.SectionForm(
        request.POST or None,
        section=section,
        row=row,
        findings=checks.check(items.sheet(row)),
        version=row.revision,
    )

    def run(data: dict[str, Any], once: str) -> ItemVersion:
        version = data.pop("version", None)
        return actions.edit_section(
            request.actor,
            version_id=row.pk,
            section=section,
            values=form.values(data),
            version=version,
            once=once,
        )

    title = sheets.SECTIONS[section][0]
    return form_view(
        request,
        form,
        run,
        FORM,
        {
            "title": title,
            "about": str(row),
            "submit": "保存",
            "crumb": row.name,
            "crumb_url": _section_url(row),
            "keep": f"item-{row.pk}-{section}",
        },
        back=_section_url(row),
        done=f"“{title}”已保存。",
    )


@guarded("services.edit_items")
def row(request: HttpRequest, version_id: int, kind: str, row_id: int | None = None) -> HttpResponse:
    """Add a row below a draft, or edit one."""
    version = items.any_version(request.actor, version_id)
    if kind not in sheets.ROWS:
        raise NotThere("没有这一类内容。")
    found = items.row_of(request.actor, version_id, kind, row_id) if row_id else None
    locked = kind in version.locked_names
    form = forms.RowForm(request.POST or None, kind=kind, row=found, locked=locked, version=version.revision)

    def run(data: dict[str, Any], once: str) -> ItemVersion:
        revision = data.pop("version", None)
        values = {name: value for name, value in form.values(data).items() if value is not None}
        return actions.put_row(
            request.actor,
            version_id=version.pk,
            kind=kind,
            row_id=row_id,
            values=values,
            version=revision,
            once=once,
        )

    title = sheets.title_of(kind)
    return form_view(
        request,
        form,
        run,
        FORM,
        {
            "title": f"{'修改' if found else '增加'}{title}",
            "about": str(version),
            "submit": "保存",
            "crumb": version.name,
            "crumb_url": _section_url(version),
            "effect": "本地增加的材料：政府自己核发的不能要求提交。"
            if kind == "materials" and not found and locked
            else "",
            "keep": f"item-{version.pk}-{kind}-{row_id or 'new'}",
        },
        back=_section_url(version),
        done="已保存。",
    )


@guarded("services.edit_items")
def remove_row(request: HttpRequest, version_id: int, kind: str, row_id: int) -> HttpResponse:
    """Take a row out of a draft."""
    version = items.any_version(request.actor, version_id)
    if kind not in sheets.ROWS:
        raise NotThere("没有这一类内容。")
    found = items.row_of(request.actor, version_id, kind, row_id)
    return form_view(
        request,
        forms.PlainForm(request.POST or None, version=version.revision),
        lambda data, once: actions.remove_row(
            request.actor, version_id=version.pk, kind=kind, row_id=row_id, once=once, **data
        ),
        FORM,
        {
            "title": f"删去{sheets.title_of(kind)}",
            "about": getattr(found, "name", "") or getattr(found, "question", "") or str(found),
            "submit": "删去",
            "danger": True,
            "crumb": version.name,
            "crumb_url": _section_url(version),
        },
        back=_section_url(version),
        done="已删去。",
    )


@guarded("services.read_items")
def changes(request: HttpRequest, version_id: int) -> HttpResponse:
    """What a version changes against the one before it."""
    row = items.any_version(request.actor, version_id)
    before, found = items.changes(request.actor, row)
    return render(request, "services/items/changes.html", {"one": row, "before": before, "changes": found})


@guarded("services.edit_items")
def submit(request: HttpRequest, version_id: int) -> HttpResponse:
    """Hand a draft to the second person."""
    row = items.any_version(request.actor, version_id)
    before, found = items.changes(request.actor, row)
    findings = checks.check(items.sheet(row))
    return form_view(
        request,
        forms.SubmitForm(request.POST or None, version=row.revision),
        lambda data, once: actions.submit(request.actor, version_id=row.pk, once=once, **data),
        "services/items/decide.html",
        {
            "title": "提交审核",
            "one": row,
            "before": before,
            "changes": found,
            "findings": findings,
            "submit": "提交审核",
            "effect": "另一位事项审核人同意后生效。",
        },
        back=_section_url(row),
        done="已提交审核。",
    )


@guarded("services.review_items")
def decide(request: HttpRequest, version_id: int) -> HttpResponse:
    """Release a version or refuse it."""
    row = items.any_version(request.actor, version_id)
    before, found = items.changes(request.actor, row)
    refuse = "refuse" in request.POST
    return form_view(
        request,
        forms.DecideForm(request.POST or None),
        lambda data, once: actions.decide(
            request.actor, version_id=row.pk, accept=not refuse, once=once, **data
        ),
        "services/items/decide.html",
        {
            "title": "审核发布",
            "one": row,
            "before": before,
            "changes": found,
            "findings": checks.check(items.sheet(row)),
            "submit": "同意发布",
            "also": "不同意",
            "effect": "同意后按生效日期公开，正在办的件仍按原来的版本办完。",
        },
        back=_section_url(row),
        done="没有同意，已退回。" if refuse else "已同意发布。",
    )


@guarded("services.edit_items")
def withdraw(request: HttpRequest, version_id: int) -> HttpResponse:
    """Take back a version that is not in force."""
    row = items.any_version(request.actor, version_id)
    return form_view(
        request,
        forms.PlainForm(request.POST or None),
        lambda data, once: actions.withdraw(request.actor, version_id=row.pk, once=once),
        FORM,
        {
            "title": f"撤回第 {row.number} 版",
            "about": row.name,
            "submit": "撤回",
            "danger": True,
            "effect": "这一版不再生效，内容保留可查。",
            "crumb": row.name,
            "crumb_url": _section_url(row),
        },
        back=_section_url(row),
        done="已撤回。",
    )


@guarded("services.read_items")
def checks_page(request: HttpRequest) -> HttpResponse:
    """The checks over the whole catalogue, with figures by rule and unit."""
    rule, unit = request.GET.get("rule", ""), request.GET.get("unit", "")
    found = items.examine(request.actor, rule=rule, unit=unit)
    lines = found.lines
    titles = checks.rules()
    return render(
        request,
        "services/items/checks.html",
        {
            "found": found,
            "rows": lines[:300],
            "more": max(0, len(lines) - 300),
            "rules": [
                (
                    code,
                    titles[code],
                    found.rules[code],
                    found.rules[code] - found.gaps[code],
                    found.gaps[code],
                )
                for code in titles
            ],
            "units": sorted(found.units.items(), key=lambda one: (-one[1][2], -one[1][3])),
            "rule": rule,
            "rule_title": titles.get(rule, ""),
            "unit": unit,
        },
    )


# Once only ------------------------------------------------------------------------------------------------------------


@guarded("services.read_items")
def exemptions(request: HttpRequest) -> HttpResponse:
    """All exemptions."""
    found = page(items.exemptions(request.actor), request, ("-id",))
    return render(request, "services/items/exemptions.html", {"page": found, "rows": found.rows})


@guarded("services.edit_items")
def propose_exemption(request: HttpRequest, key: str) -> HttpResponse:
    """Ask for an exemption."""
    found = items.detail(request.actor, key)
    materials = [
        (one.key, one.name)
        for one in items.sheet(found.shown).materials
        if one.channel == ItemMaterial.GOVERNMENT or issued.match(one.name)
    ]
    return form_view(
        request,
        forms.ExemptionForm(request.POST or None, materials=materials),
        lambda data, once: actions.propose_exemption(request.actor, item_id=found.item.pk, once=once, **data),
        FORM,
        {
            "title": "申请豁免",
            "about": found.shown.name,
            "submit": "申请",
            "effect": "另一位事项审核人签署后有效，理由和期限对外公开，到期自动终止。",
            "crumb": found.shown.name,
            "crumb_url": reverse("services:item", args=[key]),
        },
        back=reverse("services:item", args=[key]),
        done="已申请豁免，等待签署。",
    )


@guarded("services.read_items")
def exemption(request: HttpRequest, exemption_id: int) -> HttpResponse:
    """One exemption: sign, refuse, or end it before its day."""
    row = items.exemption(request.actor, exemption_id)
    may_sign = row.state == Exemption.PROPOSED and policies.review_items(request.actor)
    may_end = row.state in (Exemption.PROPOSED, Exemption.SIGNED) and policies.edit_items(
        request.actor, row.item
    )
    ending = "end" in request.POST

    def run(data: dict[str, Any], once: str) -> Exemption:
        if ending:
            return actions.end_exemption(request.actor, exemption_id=row.pk, once=once)
        return actions.sign_exemption(
            request.actor, exemption_id=row.pk, accept="refuse" not in request.POST, once=once
        )

    return form_view(
        request,
        forms.PlainForm(request.POST or None),
        run,
        "services/items/exemption.html",
        {"one": row, "document": issued.by_key(row.document), "may_sign": may_sign, "may_end": may_end},
        back=reverse("services:exemptions"),
        done="已办理。",
    )


@guarded("services.read_items")
def upwards(request: HttpRequest) -> HttpResponse:
    """Questions raised upwards, the open ones first."""
    open_only = request.GET.get("open") == "1"
    found = page(items.upwards(request.actor, open_only=open_only), request, ("-id",))
    return render(
        request,
        "services/items/upwards.html",
        {
            "page": found,
            "rows": [(one, sheets.title_of(one.element), items.days_waiting(one)) for one in found.rows],
            "open_only": open_only,
        },
    )


@guarded("services.edit_items")
def raise_upward(request: HttpRequest, key: str) -> HttpResponse:
    """Raise a question about an element that the upper level set."""
    found = items.detail(request.actor, key)
    elements = [(name, sheets.title_of(name)) for name in found.shown.locked.split()]
    upper = pack().toml("services.toml")["upper_unit"]
    return form_view(
        request,
        forms.UpwardForm(
            request.POST or None,
            elements=elements,
            initial={"to": upper, "element": request.GET.get("element", "")},
        ),
        lambda data, once: actions.raise_upward(request.actor, item_id=found.item.pk, once=once, **data),
        FORM,
        {
            "title": "向上反映",
            "about": found.shown.name,
            "submit": "登记",
            "effect": "登记在册并一直跟到办结；发函请另走公文。",
            "crumb": found.shown.name,
            "crumb_url": reverse("services:item", args=[key]),
        },
        back=reverse("services:item", args=[key]),
        done="已登记。",
    )


@guarded("services.read_items")
def upward(request: HttpRequest, upward_id: int) -> HttpResponse:
    """One question: what was asked, what came of it."""
    row = items.upward(request.actor, upward_id)
    may = policies.edit_items(request.actor, row.item) and row.state != Upward.SETTLED
    form = forms.AnswerForm(request.POST or None, initial={"answer": row.answer, "outcome": row.outcome})
    return form_view(
        request,
        form,
        lambda data, once: actions.record_answer(request.actor, upward_id=row.pk, once=once, **data),
        "services/items/upward.html",
        {"one": row, "element": sheets.title_of(row.element), "may": may},
        back=reverse("services:upwards"),
        done="已登记。",
    )


# Imports --------------------------------------------------------------------------------------------------------------


@guarded("services.keep_items")
def imports(request: HttpRequest) -> HttpResponse:
    """Import a file, and what was imported so far."""
    form = forms.ImportForm(request.POST or None, request.FILES or None, units=_units(request.actor))

    def run(data: dict[str, Any], once: str):
        rest = directory.units().get(int(data["rest"])).key if data["rest"] else ""
        return actions.import_items(
            request.actor,
            title=data["title"],
            data=data["file"].read(),
            name=data["file"].name,
            rest=rest,
            once=once,
        )

    return form_view(
        request,
        form,
        run,
        "services/items/imports.html",
        {"batches": items.batches(request.actor)[:30]},
        back=reverse("services:imports"),
        onward=lambda batch: reverse("services:imported", args=[batch.pk]),
    )


@guarded("services.keep_items")
def imported(request: HttpRequest, batch_id: int) -> HttpResponse:
    """The report of an import: what was taken, what was refused and why, what has no column."""
    batch = items.batch(request.actor, batch_id)
    found = page(items.refused_records(request.actor, batch_id), request, ("place", "id"))
    return render(
        request,
        "services/items/imported.html",
        {
            "batch": batch,
            "page": found,
            "rows": found.rows,
            "reasons": items.refusals(batch),
            "unmapped": items.unmapped(batch),
        },
    )
