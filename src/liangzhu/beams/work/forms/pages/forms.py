"""The form of one step: made from what the file declares and from what the draft holds; and reading what was sent.

Every part carries a hidden ``has`` with its name, so that what the page did not offer (hidden, locked) is left as it is and a
box that nobody ticked can be told from one that was not there.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.files import api as attachments
from liangzhu.beams.work.forms import showing, state, values
from liangzhu.beams.work.forms.grammar import TEXT_MAX, Field, FormSpec, Step
from liangzhu.kernel import places
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.ui.forms import DateInput, Form, TextField

HAS = "has"
ROWS = "rows-"
YES_NO = [("yes", "是"), ("no", "否")]
FEW = 6


class _Loose(forms.Field):
    """A field that only shows: what is wrong is decided in `state.faults`, the same for pages, imports and API."""

    def clean(self, value: Any) -> Any:
        """Whatever it is."""
        return value


class _LooseChoice(_Loose, forms.ChoiceField):
    """A choice that only shows."""


class FilesWidget(forms.Widget):
    """The files of a draft, each with a box to take it out, and a control for more."""

    template_name = "forms/files.html"
    needs_multipart_form = True

    def __init__(self, kept: list[attachments.Attachment], accept: str):
        super().__init__()
        self.kept, self.accept = kept, accept

    def get_context(self, name: str, value: Any, attrs: dict | None) -> dict:
        """What the template shows."""
        context = super().get_context(name, None, attrs)
        context["widget"] |= {"kept": self.kept, "accept": self.accept}
        return context


class PlaceWidget(forms.MultiWidget):
    """A place: words, degrees as they are typed, and the system they are in. Works without script."""

    template_name = "forms/place.html"
    labels = ("地址", "经度", "纬度", "坐标系")

    def __init__(self):
        degrees = {"inputmode": "decimal", "autocomplete": "off", "class": "input-short", "maxlength": 40}
        super().__init__(
            [
                forms.TextInput({"maxlength": 400, "autocomplete": "off"}),
                forms.TextInput(degrees | {"placeholder": "119.165123"}),
                forms.TextInput(degrees | {"placeholder": "34.596401"}),
                forms.Select(choices=[("", "填了坐标请选择"), *places.SYSTEMS.items()]),
            ]
        )
        self.widgets_names = [f"-{name}" for name in values.PLACE_PARTS]

    def decompress(self, value: Any) -> list:
        """Nothing: what is shown comes from the draft."""
        return []

    def get_context(self, name: str, value: Any, attrs: dict | None) -> dict:
        """Each control with its label."""
        context = super().get_context(name, value, attrs)
        context["widget"]["parts"] = list(zip(self.labels, context["widget"]["subwidgets"], strict=True))
        return context


@dataclass
class Block:
    """One thing on the page: a note, a field, a locked value, or a table with its rows."""

    kind: str
    name: str
    hidden: bool
    field: Field
    bound: Any = None
    words: str = ""
    origin: showing.Origin | None = None
    rows: list[list["Block"]] = field(default_factory=list)
    fault: str = ""
    doubt: str = ""
    full: bool = False


class StepForm(Form):
    """The form of one step. ``blocks`` is its layout."""

    use_required_attribute = False
    blocks: list[Block]
    row_labels: dict[str, str]
    table_faults: list[tuple[str, str, str]]

    def error_list(self) -> list[tuple[str, str, str]]:
        """Every error, those of tables first; a cell is named with its row."""
        found = []
        for target, label, message in super().error_list():
            where = self.row_labels.get(target, "")
            found.append((target, f"{where} {label}".strip() if where else label, message))
        return [*self.table_faults, *found]


def step_form(
    form: FormSpec,
    step: Step,
    content: dict[str, Any],
    *,
    version: int,
    files: list[attachments.Attachment],
    wrong: dict[str, str] | None = None,
) -> StepForm:
    """The form of a step with what a draft holds (``content``) and what is wrong, by the name on the page."""
    answers, origins = content["answers"], content["origins"]
    seen = state.view(form, answers)
    fields: dict[str, forms.Field] = {}
    data: MultiValueDict = MultiValueDict()
    blocks: list[Block] = []
    labels: dict[str, str] = {}
    wrong = wrong or {}
    for one in step.fields:
        hidden, value = one.name not in seen.fields, answers.get(one.name)
        origin = showing.origin_of(one, origins.get(one.name), value)
        if not one.takes:
            blocks.append(Block("note", one.name, hidden, one))
        elif origin and origin.locked:
            blocks.append(
                Block("locked", one.name, hidden, one, words=values.words(one, value), origin=origin)
            )
        elif one.type == "table":
            rows, most = value or [], one.most or values.ROWS_MAX
            table = Block(
                "table", one.name, hidden, one, fault=wrong.get(one.name, ""), full=len(rows) >= most
            )
            for place, row in enumerate(rows):
                cells = []
                for column in one.fields:
                    name = state.html_name(one.name, place, column.name)
                    away = hidden or column.name not in seen.rows[one.name][place]
                    if column.takes:
                        fields[name] = _field(column, [])
                        _put(data, name, column, row.get(column.name))
                        labels[name] = f"{one.label} 第 {place + 1} {one.row}"
                    cells.append(Block("field" if column.takes else "note", name, away, column))
                table.rows.append(cells)
            blocks.append(table)
        else:
            kept = [row for row in files if row.pk in (value or ())] if one.type == "files" else []
            fields[one.name] = _field(one, kept)
            _put(data, one.name, one, value)
            doubt = values.doubt(one, value)
            blocks.append(Block("field", one.name, hidden, one, origin=origin, doubt=doubt))
    made = type("StepFormOf", (StepForm,), fields)(data, version=version)
    made.data["version"] = str(version)
    made.blocks, made.row_labels, made.table_faults = blocks, {}, []
    made.full_clean()
    for block in blocks:
        if block.kind == "table":
            if block.fault and not block.hidden:
                made.table_faults.append((f"part-{block.name}", block.field.label, block.fault))
            for cells in block.rows:
                for cell in cells:
                    _bind(made, cell, wrong, labels)
        else:
            _bind(made, block, wrong, labels)
    return made


def _bind(made: StepForm, block: Block, wrong: dict[str, str], labels: dict[str, str]) -> None:
    if block.kind != "field":
        return
    block.bound = made[block.name]
    if block.name in labels:
        bound = block.bound
        made.row_labels[f"{bound.auto_id}_0" if bound.use_fieldset else bound.id_for_label] = labels[
            block.name
        ]
    if block.name in wrong and not block.hidden:
        made.add_error(block.name, wrong[block.name])


def _put(data: MultiValueDict, name: str, one: Field, value: Any) -> None:
    """What a control shows of a kept value."""
    if value is None or one.type == "files":
        return
    if one.type == "place":
        typed = value[values.RAW] if values.is_raw(value) else value | value.get("shown", {})
        for part in values.PLACE_PARTS:
            data[f"{name}-{part}"] = typed.get(part, "")
    elif values.is_raw(value):
        data[name] = value[values.RAW]
    elif one.type == "choices":
        data.setlist(name, value)
    elif one.type == "yesno":
        data[name] = "yes" if value else "no"
    elif one.type == "unit":
        data[name] = directory.unit_name(value)
    else:
        data[name] = value


def _field(one: Field, kept: list[attachments.Attachment]) -> forms.Field:
    common = {"label": one.label, "required": one.required, "help_text": _help(one)}
    if one.type in ("choice", "yesno"):
        options = YES_NO if one.type == "yesno" else list(one.options)
        if len(options) <= FEW:
            return _LooseChoice(choices=options, widget=forms.RadioSelect, **common)
        return _LooseChoice(choices=[("", "请选择"), *options], **common)
    if one.type == "choices":
        return _LooseChoice(choices=one.options, widget=forms.CheckboxSelectMultiple, **common)
    if one.type == "longtext":
        return _Loose(widget=TextField(max_length=one.most or TEXT_MAX["longtext"]).widget, **common)
    if one.type == "date":
        return _Loose(widget=DateInput(), **common)
    if one.type == "place":
        return _Loose(widget=PlaceWidget(), **common)
    if one.type == "unit":
        return _Loose(widget=directory.UnitField().widget, **common)
    if one.type == "files":
        kinds = [attachments.KINDS[kind] for kind in (one.kinds or attachments.KINDS)]
        accept = ",".join(f".{end}" for kind in kinds for end in kind.extensions)
        return _Loose(widget=FilesWidget(kept, accept), **common)
    attrs: dict[str, Any] = {"maxlength": 400, "autocomplete": "off"}
    if one.type in ("number", "money"):
        attrs |= {"class": "input-short", "inputmode": "decimal"}
    if one.type == "phone":
        attrs |= {"inputmode": "tel", "class": "input-middle"}
    if one.type in ("person", "uscc"):
        attrs |= {"class": "input-middle", "spellcheck": "false"}
    return _Loose(widget=forms.TextInput(attrs=attrs), **common)


def _help(one: Field) -> str:
    unit = "元" if one.type == "money" else one.unit
    return " ".join(part for part in (one.help, f"单位：{unit}" if unit else "") if part)


# Reading what was sent --------------------------------------------------------------------------------------


def sent(form: FormSpec, step: Step, post: QueryDict, answers: dict[str, Any]) -> dict[str, Any]:
    """What was typed on a step, as kept values by field; only what the page offered. ``answers`` are those of the draft."""
    offered = set(post.getlist(HAS))
    found: dict[str, Any] = {}
    for one in step.fields:
        if one.name not in offered or not one.takes:
            continue
        if one.type == "table":
            found[one.name] = _rows(one, post, offered, answers.get(one.name) or [])
        else:
            found[one.name] = _value(one, one.name, post)
    return found


def marks(step: Step, answers: dict[str, Any]) -> str:
    """What the fields of a step are drawn with, as marks by name, for the page to bring back."""
    return json.dumps({one.name: state.mark(answers.get(one.name)) for one in step.fields if one.takes})


def drawn_with(post: QueryDict) -> dict[str, str]:
    """The marks that a page brought back; {} without."""
    try:
        found = json.loads(post.get("drawn", ""))
    except ValueError:
        return {}
    return {str(name): str(one) for name, one in found.items()} if isinstance(found, dict) else {}


def changed(given: dict[str, Any], drawn: dict[str, str]) -> dict[str, Any]:
    """What somebody changed on a page: given values that are not those that the page was drawn with.

    So that a page which stood open does not put back what was typed on another device meanwhile. Without marks, all of it.
    """
    return {name: value for name, value in given.items() if drawn.get(name) != state.mark(value)}


def _rows(table: Field, post: QueryDict, offered: set[str], before: list[dict]) -> list[dict] | None:
    try:
        count = min(int(post.get(ROWS + table.name, "")), (table.most or values.ROWS_MAX) + 1)
    except ValueError:
        return before or None
    rows = []
    for place in range(count):
        row = dict(before[place]) if place < len(before) else {}
        for column in table.fields:
            name = state.html_name(table.name, place, column.name)
            if column.takes and name in offered:
                row[column.name] = _value(column, name, post)
        rows.append({name: value for name, value in row.items() if value is not None})
    return rows or None


def _value(one: Field, name: str, post: QueryDict) -> Any:
    if one.type == "files":
        return [int(pk) for pk in post.getlist(f"{name}_kept") if pk.isdecimal()] or None
    if one.type == "choices":
        known = dict(one.options)
        return values.read(one, [value for value in post.getlist(name) if value in known])
    if one.type == "place":
        parts = {part: post.get(f"{name}-{part}", "").strip()[:400] for part in values.PLACE_PARTS}
        if not any(parts[part] for part in values.PLACE_PARTS[:3]):
            return None
        try:
            return values.read(one, parts)
        except ValueError:
            return values.raw(parts)
    text = post.get(name, "")
    try:
        return values.read(one, text)
    except ValueError:
        return None if one.type in ("choice", "yesno") else values.raw(text.strip())


def uploads(
    request: HttpRequest, step: Step, answers: dict[str, Any], actor: Actor
) -> tuple[dict[str, list[int]], dict[str, str]]:
    """Files that came with a step, kept at once: (ids by field, what was refused by field)."""
    ids: dict[str, list[int]] = {}
    refused: dict[str, str] = {}
    offered = set(request.POST.getlist(HAS))
    for one in step.fields:
        if one.type != "files" or one.name not in offered:
            continue
        here = len(request.POST.getlist(f"{one.name}_kept"))
        most = one.most or values.FILES_MAX
        for upload in request.FILES.getlist(one.name):
            if here + len(ids.get(one.name, ())) >= most:
                refused[one.name] = f"最多 {most} 个文件，“{upload.name}”没有收。"
                break
            try:
                row = attachments.stage(actor, upload=upload, kinds=one.kinds or None)
            except Problem as problem:
                refused[one.name] = f"{refused.get(one.name, '')}{problem.detail}{problem.todo}"
            else:
                ids.setdefault(one.name, []).append(row.pk)
    return ids, refused


class CoSignerForm(Form):
    """Whom to ask for a signature."""

    person = directory.PersonField(label="姓名", help_text="写姓名；有重名时连编号一起写。")


class ResidentSignerForm(Form):
    """Which resident to ask for a signature."""

    name = forms.CharField(label="姓名", max_length=60, widget=forms.TextInput({"autocomplete": "off"}))
    number = forms.CharField(
        label="证件号码或手机号",
        max_length=40,
        help_text="写证件号码的，只有这个人能看到；写手机号的，对方要用这个号码在省平台登记过，或者输入签署码。",
        widget=forms.TextInput({"autocomplete": "off"}),
    )


class CodeForm(Form):
    """The code of a request to sign."""

    code = forms.CharField(
        label="签署码",
        max_length=20,
        help_text="填表人告诉您的十位字母和数字，大小写不分。",
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "characters"}),
    )


class AnswerForm(Form):
    """What a co-signer answers."""

    reason = TextField(label="不同意的理由", rows=3, max_length=300, required=False)


class DeclareForm(Form):
    """The promise before sending, and the version that was read."""

    declared = forms.BooleanField(label="我已阅读并作出以上承诺", required=False)


class RevealForm(Form):
    """Why somebody wants to read what is masked."""

    reason = forms.CharField(label="为什么要看全部内容", max_length=200, help_text="原因和查看人记入日志。")


def subject_of(text: str) -> str:
    """A subject from an address: a Ref as text, or "" for none. Raises ValueError."""
    return str(Ref.parse(text)) if text else ""
