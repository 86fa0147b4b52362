"""Changes of items: drafted by one person, released by another (四眼原则), in force from a day."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError

from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.errors import Conflict, Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.now import now, today
from liangzhu.pillars.services import checks, policies, sheets
from liangzhu.pillars.services.events import ItemInForce
from liangzhu.pillars.services.models import Item, ItemMaterial, ItemVersion
from liangzhu.pillars.services.queries import items as queries

_KEY = re.compile(r"[a-z][a-z0-9_]{2,39}")
MATERIAL_OWN = ("free", "source", "certificate_type", "form", "copies", "notes", "blank", "sample")
"""What the district fills in about a material that the upper level asks for: how it is had, and how it looks."""


class NotReady(StepNotAllowed):
    """A version with errors; ``findings`` are what must be mended before it can be released."""

    code, title = "item_not_ready", "实施清单还有必须改正的地方"
    todo = "请按提示逐项修改，再提交审核；已填写的内容都保留着。"

    def __init__(self, findings: list[checks.Finding]):
        self.findings = findings
        super().__init__("；".join(f"{one.message}（{one.rule}）" for one in findings))


# From files -----------------------------------------------------------------------------------------------------------


@action("services.take_in_items")
def take_in(act: Act, *, entries: Iterable[tuple[str, int, Mapping[str, Any]]]) -> None:
    """Put bodies from the pack into versions: ``(key, unit_id, body)``.

    The first of an item comes into force, a changed one becomes a draft, in place of the pack's earlier one. While a
    person has a draft open, the pack waits.
    """
    act.check(policies.keep_time)
    for key, unit_id, body in entries:
        item = Item.objects.select_for_update().filter(key=key).first()
        first = item is None
        if first:
            item = Item.objects.create(key=key, unit_id=unit_id, created_at=now())
        open_one = item.versions.filter(state__in=ItemVersion.OPEN).first()
        if open_one is not None and open_one.drafted_by != str(act.actor.ref):
            act.log(item.ref, key=key, waits_for=open_one.number)
            continue
        if open_one is not None:
            open_one.state = ItemVersion.WITHDRAWN
            open_one.save(update_fields=["state"])
        version = create_version(
            act,
            item,
            body,
            state=ItemVersion.IN_FORCE if first else ItemVersion.SUBMITTED,
            fingerprint=sheets.fingerprint(body),
            in_force_from=today(),
            released_by=str(act.actor.ref) if first else "",
            released_label=act.actor.label if first else "",
            released_at=now() if first else None,
            change_note="" if first else "资料包更新",
        )
        act.log(version.ref, key=key, number=version.number, state=version.state)


def create_version(act: Act, item: Item, body: Mapping[str, Any], **given: Any) -> ItemVersion:
    """A next version of an item that says what a body says; within an action. ``given``: its other columns."""
    last = item.versions.order_by("-number").values_list("number", flat=True).first() or 0
    columns = {name: body[name] for name in (*sheets.COLUMNS, *sheets.NOTES)}
    version = ItemVersion.objects.create(
        item=item,
        number=last + 1,
        drafted_by=str(act.actor.ref),
        drafted_label=act.actor.label,
        drafted_at=now(),
        **columns,
        **given,
    )
    for kind in sheets.ROWS:
        sheets.write_rows(version, kind, body[kind])
    return version


# Drafting -------------------------------------------------------------------------------------------------------------


@action("services.begin_item")
def begin_item(act: Act, *, key: str, name: str, task_type: str, unit_id: int) -> ItemVersion:
    """Begin a new item with a first draft. ``key``: small letters, digits, underscores. Raises Invalid, Denied."""
    act.check(policies.edit_items, Item(unit_id=unit_id))
    if not _KEY.fullmatch(key):
        raise Invalid({"key": "写成小写字母开头的拼音或英文，可以有数字和下划线，例如 zhensuo_beian。"})
    if Item.objects.filter(key=key).exists():
        raise Invalid({"key": f"{key} 已经有事项在用，请换一个。"})
    item = Item.objects.create(key=key, unit_id=unit_id, created_at=now())
    blank = sheets.Sheet(ItemVersion(name=name, task_type=task_type)).body()
    version = create_version(act, item, blank)
    act.log(version.ref, key=key, number=1, state=version.state)
    return version


@action("services.begin_draft")
def begin_draft(act: Act, *, item_id: int) -> ItemVersion:
    """Begin a draft that says what the version in force says. Raises StepNotAllowed when one is open already."""
    item = act.lock(Item, pk=item_id)
    act.check(policies.edit_items, item)
    open_one = item.versions.filter(state__in=ItemVersion.OPEN).first()
    if open_one is not None:
        raise StepNotAllowed(
            f"第 {open_one.number} 版{open_one.get_state_display()}，由 {open_one.drafted_label or '系统'} 起草。",
            todo="请接着改那一版，或等它生效、撤回以后再起草。",
        )
    kept = item.versions.exclude(state__in=[ItemVersion.REFUSED, ItemVersion.WITHDRAWN])
    last = (kept if kept.exists() else item.versions).latest("number")
    version = create_version(act, item, sheets.Sheet.of(last).body())
    act.log(version.ref, key=item.key, number=version.number, state=version.state)
    return version


def _draft(act: Act, version_id: int, revision: int | None) -> ItemVersion:
    row = act.lock(ItemVersion, pk=version_id)
    act.check(policies.edit_items, row.item)
    if row.state != ItemVersion.DRAFT:
        raise StepNotAllowed(
            f"第 {row.number} 版已是“{row.get_state_display()}”，不能再改。", todo="请起草一个新版本。"
        )
    if revision is not None and revision != row.revision:
        raise Conflict("这份草稿刚刚在别处保存过。")
    return row


def _saved(act: Act, row: ItemVersion, **details: Any) -> ItemVersion:
    row.revision += 1
    row.drafted_by, row.drafted_label, row.drafted_at = str(act.actor.ref), act.actor.label, now()
    row.save()
    act.log(row.ref, number=row.number, revision=row.revision, **details)
    return row


@action("services.edit_section")
def edit_section(
    act: Act, *, version_id: int, section: str, values: Mapping[str, Any], version: int | None = None
) -> ItemVersion:
    """Write the columns of a section of a draft; what ``values`` does not name stays.

    ``version`` is the revision that was read. Raises Invalid for a column that the upper level locked, Conflict.
    """
    row = _draft(act, version_id, version)
    names = set(sheets.SECTIONS[section][1])
    problems = {}
    for name, value in values.items():
        if name not in names:
            raise Invalid({name: "这一项不在这一节里。"})
        if name in row.locked_names and value != getattr(row, name):
            problems[name] = "这是上级统一的要素，本地不能改；有不同意见请“向上反映”。"
        setattr(row, name, value)
    if problems:
        raise Invalid(problems)
    try:
        row.clean_fields(exclude=[one.name for one in row._meta.fields if one.name not in names])
    except ValidationError as error:
        raise Invalid({name: " ".join(texts) for name, texts in error.message_dict.items()}) from None
    return _saved(act, row, section=section)


@action("services.put_row")
def put_row(
    act: Act,
    *,
    version_id: int,
    kind: str,
    values: Mapping[str, Any],
    row_id: int | None = None,
    version: int | None = None,
) -> ItemVersion:
    """Add a row below a draft, or write one. Where the upper level set the materials, what is added is marked local.

    Raises Invalid for what is locked, NotThere, Conflict.
    """
    draft = _draft(act, version_id, version)
    model, locked = sheets.ROWS[kind], kind in draft.locked_names
    rows = model.objects.filter(version=draft)
    row = rows.filter(pk=row_id).first() if row_id else None
    if row_id and row is None:
        raise NotThere("没有找到这一行，可能刚刚被删去。")
    values = dict(values)
    if kind == "materials":
        _material_values(draft, rows, row, values, locked)
    elif locked:
        raise Invalid(f"“{sheets.title_of(kind)}”是上级统一的要素，本地不能改；有不同意见请“向上反映”。")
    if row is None:
        row = model(version=draft, place=_next_place(rows))
    for name, value in values.items():
        setattr(row, name, value)
    try:
        row.clean_fields(exclude=["version"])
    except ValidationError as error:
        raise Invalid({name: " ".join(texts) for name, texts in error.message_dict.items()}) from None
    row.save()
    return _saved(act, draft, kind=kind)


def _next_place(rows) -> int:
    last = rows.order_by("-place").values_list("place", flat=True).first()
    return 0 if last is None else last + 1


def _material_values(draft: ItemVersion, rows, row: ItemMaterial | None, values: dict, locked: bool) -> None:
    if row is None:
        values["local"] = locked
        if not values.get("key"):
            used = set(rows.values_list("key", flat=True))
            values["key"] = next(key for n in range(1, 1000) if (key := f"m{n}") not in used)
        elif rows.filter(key=values["key"]).exists():
            raise Invalid({"key": "这份材料已经在清单里。"})
        return
    values.pop("key", None)
    values.pop("local", None)
    if locked and not row.local:
        wrong = [
            name for name, value in values.items() if name not in MATERIAL_OWN and value != getattr(row, name)
        ]
        if wrong:
            raise Invalid(
                dict.fromkeys(wrong, "这份材料由上级统一，本地只能改怎样免交和怎样填；请“向上反映”。")
            )


@action("services.remove_row")
def remove_row(
    act: Act, *, version_id: int, kind: str, row_id: int, version: int | None = None
) -> ItemVersion:
    """Take a row out of a draft. Raises Invalid for what is locked, NotThere."""
    draft = _draft(act, version_id, version)
    row = sheets.ROWS[kind].objects.filter(version=draft, pk=row_id).first()
    if row is None:
        raise NotThere("没有找到这一行，可能刚刚被删去。")
    if kind in draft.locked_names and not getattr(row, "local", False):
        raise Invalid("这一行由上级统一，本地不能删；有不同意见请“向上反映”。")
    row.delete()
    return _saved(act, draft, removed=kind)


# Releasing ------------------------------------------------------------------------------------------------------------


def _blocked(row: ItemVersion, on: date | None) -> list[checks.Finding]:
    """The errors that keep a version from coming into force on a day."""
    sheet = sheets.Sheet.of(row, queries.exempt(row.item_id, max(on or today(), today())))
    return [one for one in checks.check(sheet) if one.blocks]


@action("services.submit_version")
def submit(
    act: Act, *, version_id: int, note: str, in_force_from: date | None = None, version: int | None = None
) -> ItemVersion:
    """Hand a draft to the second person; ``in_force_from`` None means at once. Raises NotReady, Invalid."""
    row = _draft(act, version_id, version)
    if in_force_from is not None and in_force_from < today():
        raise Invalid({"in_force_from": "生效日期不能早于今天。"})
    if found := _blocked(row, in_force_from):
        raise NotReady(found)
    row.state, row.in_force_from, row.change_note = ItemVersion.SUBMITTED, in_force_from, note
    return _saved(act, row, state=row.state)


@action("services.decide_version")
def decide(act: Act, *, version_id: int, accept: bool, note: str = "") -> ItemVersion:
    """Release a version, or refuse it. Who drafted it cannot. Errors that arose meanwhile (an exemption ended) block too.

    Raises Denied, NotReady, Invalid, StepNotAllowed.
    """
    row = act.lock(ItemVersion, pk=version_id)
    act.check(policies.review_items, row.item)
    if row.state != ItemVersion.SUBMITTED:
        raise StepNotAllowed(f"第 {row.number} 版已是“{row.get_state_display()}”，不能审核。")
    if row.drafted_by == str(act.actor.ref):
        raise Denied("起草人不能审核自己起草的版本。", todo="请另一位事项审核人审核发布。")
    if not accept and not note.strip():
        raise Invalid({"note": "不同意的，请写明原因。"})
    if accept and (found := _blocked(row, row.in_force_from)):
        raise NotReady(found)
    row.released_by, row.released_label, row.released_at = str(act.actor.ref), act.actor.label, now()
    row.decision_note = note
    row.state = ItemVersion.SCHEDULED if accept else ItemVersion.REFUSED
    row.save()
    act.log(row.ref, number=row.number, state=row.state)
    if accept and (row.in_force_from is None or row.in_force_from <= today()):
        _begin(act, row)
    return row


@action("services.withdraw_version")
def withdraw(act: Act, *, version_id: int) -> ItemVersion:
    """Take back what is not in force yet. Raises StepNotAllowed."""
    row = act.lock(ItemVersion, pk=version_id)
    act.check(policies.edit_items, row.item)
    if row.state not in ItemVersion.OPEN:
        raise StepNotAllowed(f"第 {row.number} 版已是“{row.get_state_display()}”，不能撤回。")
    row.state = ItemVersion.WITHDRAWN
    row.save(update_fields=["state"])
    act.log(row.ref, number=row.number, state=row.state)
    return row


@action("services.bring_into_force")
def bring_into_force(act: Act, *, version_id: int) -> ItemVersion:
    """Put a released version in force whose day has come. Run by the program."""
    row = act.lock(ItemVersion, pk=version_id)
    act.check(policies.keep_time)
    if row.state != ItemVersion.SCHEDULED or row.in_force_from > today():
        raise StepNotAllowed(f"第 {row.number} 版还没有到生效的日子，或已经生效。")
    _begin(act, row)
    return row


def _begin(act: Act, row: ItemVersion) -> None:
    row.in_force_from = row.in_force_from or today()
    ItemVersion.objects.filter(item=row.item_id, state=ItemVersion.IN_FORCE).update(
        state=ItemVersion.SUPERSEDED, in_force_to=row.in_force_from
    )
    row.state = ItemVersion.IN_FORCE
    row.save(update_fields=["state", "in_force_from"])
    act.log(row.ref, number=row.number, state=row.state, from_day=row.in_force_from)
    act.emit(ItemInForce(subject=row.item.ref, key=row.item.key, version_id=row.pk, number=row.number))
