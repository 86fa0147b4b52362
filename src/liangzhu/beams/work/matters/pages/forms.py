"""The forms of this app. That of a step is made from the fields its process declares."""

from collections.abc import Iterable
from typing import Any

from django import forms

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.files.api import StagedFilesField
from liangzhu.beams.work.matters import answers, formed
from liangzhu.beams.work.matters.actions import COMMENT_MAX
from liangzhu.beams.work.matters.grammar import Field, Transition
from liangzhu.beams.work.matters.kinds import Kind
from liangzhu.beams.work.matters.models import Matter
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.ui.forms import DateField, Form, TextField


def step_form(
    step: Transition,
    actor: Actor,
    matter: Matter,
    *args: Any,
    at_step: formed.AtStep | None = None,
    **kwargs: Any,
) -> Form:
    """A form for a step of a matter: one field for each that the process declares, and the finished draft of its form."""
    return _asked(step.fields, actor, matter, at_step, {})(*args, **kwargs)


def opening_form(
    kind: Kind, asked: Iterable[Field], actor: Actor, *args: Any, at_step: formed.AtStep | None = None
) -> Form:
    """A form for opening a matter of a kind."""
    first = {"title": forms.CharField(label="标题", max_length=200)} if kind.opening.titled else {}
    return _asked(asked, actor, None, at_step, first)(*args)


def _asked(
    asked: Iterable[Field],
    actor: Actor,
    matter: Matter | None,
    at_step: formed.AtStep | None,
    first: dict[str, forms.Field],
) -> type[Form]:
    fields = first | {field.name: _field(field, actor, matter) for field in asked}
    if at_step and at_step.ready:
        draft = at_step.found.draft
        for name, value in ((formed.DRAFT, draft.pk), (formed.VERSION, draft.version)):
            fields[name] = forms.IntegerField(widget=forms.HiddenInput, initial=value)
        if at_step.form.declaration:
            fields[formed.DECLARED] = forms.BooleanField(label="我已阅读并作出以上承诺")
    return type("StepForm", (Form,), fields)


def given(form_data: dict[str, Any]) -> dict[str, Any]:
    """Cleaned values as `matters.step` takes them: ids for units, nothing for what was left empty."""
    values = {}
    for name, value in form_data.items():
        if isinstance(value, directory.UnitView):
            value = value.id
        elif isinstance(value, list):
            value = [one.id if isinstance(one, directory.UnitView) else one for one in value]
        if value not in (None, "", []):
            values[name] = value
    return values


def _field(field: Field, actor: Actor, matter: Matter | None) -> forms.Field:
    common = {"label": field.label, "required": field.required, "help_text": field.help}
    if field.type == "longtext":
        return TextField(max_length=field.max or answers.TEXT_MAX["longtext"], **common)
    if field.type == "date":
        return DateField(**common)
    if field.type == "files":
        made = StagedFilesField(**common)
        made.actor = actor
        return made
    if field.type == "number":
        return forms.DecimalField(max_value=field.max, **common)
    if field.type == "choice":
        return _choice(answers.options(field, actor, matter), **common)
    if field.type == "unit":
        return directory.UnitField(**common)
    if field.type == "units":
        common["help_text"] = field.help or "每行写一个单位，可写简称。"
        return directory.UnitsField(**common)
    if field.type == "post":
        return _choice(posts_of(matter.holding_unit_id if matter else actor.unit_id), **common)
    return forms.CharField(max_length=field.max or answers.TEXT_MAX["text"], **common)


def _choice(options: list[tuple[str, str]], *, required: bool, **common: Any) -> forms.ChoiceField:
    """Up to six as boxes, more as a list."""
    if len(options) <= 6 and required:
        return forms.ChoiceField(choices=options, required=True, widget=forms.RadioSelect, **common)
    return forms.ChoiceField(
        choices=[("", "请选择" if required else "不选"), *options], required=required, **common
    )


def posts_of(unit_id: int) -> list[tuple[str, str]]:
    """The posts of a unit that somebody holds, as choices."""
    return [
        (str(post.id), f"{post.person_name} · {post.title}")
        for post in directory.posts(unit_id)
        if post.person_id
    ]


class CommentForm(Form):
    """A remark."""

    text = TextField(label="批注", rows=3, max_length=COMMENT_MAX)


class OverrideForm(Form):
    """A day that counts otherwise here than in the national calendar."""

    day = DateField(label="日期")
    workday = forms.ChoiceField(
        label="这一天",
        choices=[("off", "放假，不计工作日"), ("on", "上班，计工作日")],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label="事由", max_length=200, help_text="显示给办理人，例如：大厅停电检修。")
    source = forms.CharField(label="依据", max_length=200, help_text="公告或通知的文号、网址。")


class AssignForm(Form):
    """Who of the unit shall do it; nobody takes it back."""

    post_id = forms.ChoiceField(label="承办岗位", required=False, widget=forms.RadioSelect)

    def __init__(self, unit_id: int, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["post_id"].choices = [*posts_of(unit_id), ("", "收回，暂不分派")]
