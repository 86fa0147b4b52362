"""Forms: one way to show, to keep and to perform what a person fills in.

A form carries ``once``, a key made when the page is drawn, so that a form that is sent twice is performed once, and, if
the page gives it, ``version``, so that two people who change the same thing do not overwrite each other unseen.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.core import validators
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from liangzhu.kernel.errors import AlreadyDone, Conflict, Invalid, Problem

ALREADY_DONE = "这份表单已经提交过，没有重复办理。"
PAGE_INCOMPLETE = "页面内容不完整，请刷新页面后重新提交。"

_ONCE = re.compile(r"[0-9A-Za-z_-]{16,64}")
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?|(\d{4})(\d{2})(\d{2})")

_WORDS = {
    validators.MaxLengthValidator: "最多 %(limit_value)d 个字，现在有 %(show_value)d 个。",
    validators.MinLengthValidator: "至少 %(limit_value)d 个字，现在有 %(show_value)d 个。",
    validators.MaxValueValidator: "不能大于 %(limit_value)s。",
    validators.MinValueValidator: "不能小于 %(limit_value)s。",
}
_REQUIRED = str(forms.Field.default_error_messages["required"])


class DateInput(forms.DateInput):
    """A date as text, so that every usual way to write one is accepted; script adds a calendar button."""

    input_type = "text"

    def __init__(self, attrs: dict[str, Any] | None = None, format: str = "%Y-%m-%d"):
        attrs = {
            "class": "input-date",
            "data-date": True,
            "autocomplete": "off",
            "size": "14",
            **(attrs or {}),
        }
        super().__init__(attrs, format)


class DateField(forms.DateField):
    """A day: ``2022-10-20``, ``2022年10月20日``, ``2022/10/20``, ``20221020``, with half- or full-width digits."""

    widget = DateInput

    def to_python(self, value: Any) -> date | None:
        """Read a day. Raises ValidationError that names an impossible day (2022年2月30日)."""
        if value in self.empty_values:
            return None
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        found = _DATE.fullmatch(unicodedata.normalize("NFKC", str(value)).strip())
        if not found:
            raise ValidationError("请写成 2022-10-20 或 2022年10月20日 这样的日期。", code="invalid")
        year, month, day = (int(part) for part in found.groups() if part is not None)
        try:
            return date(year, month, day)
        except ValueError:
            raise ValidationError(f"{year}年{month}月{day}日不存在，请核对日期。", code="invalid") from None


class TextField(forms.CharField):
    """Several lines of text. A line break counts as one character, in the browser and here."""

    def __init__(self, *, rows: int = 5, **kwargs: Any):
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": rows}))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        """The text with line breaks as ``\\n``."""
        if isinstance(value, str):
            value = value.replace("\r\n", "\n")
        return super().to_python(value)


class FilesInput(forms.FileInput):
    """A file control that takes several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files at once; the cleaned value is a list, empty when nothing was chosen."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        """Check every file as a FileField would. Raises ValidationError."""
        given = data if isinstance(data, list | tuple) else [data] if data else []
        if not given:
            super().clean(None, initial)
            return []
        return [super(FilesField, self).clean(one, initial) for one in given]


class Form(forms.Form):
    """A form of the house.

    ``fieldsets`` may group the fields: ``(("办理信息", ("due", "unit")), …)``; fields not named there come last.
    ``problem`` holds the Problem that an attempt ended with, for the box on top.
    """

    fieldsets: Sequence[tuple[str, Sequence[str]]] = ()

    once = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, version: int | None = None, **kwargs: Any):
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.problem: Problem | None = None
        self._version = version
        if version is not None:
            self.fields["version"] = forms.IntegerField(
                widget=forms.HiddenInput,
                error_messages=dict.fromkeys(("required", "invalid"), PAGE_INCOMPLETE),
            )
        for field in self.fields.values():
            _speak_plainly(field)

    def clean_once(self) -> str:
        """The key of this rendering. A lost or spoilt one is replaced: it protects, it must not obstruct."""
        given = self.cleaned_data.get("once", "")
        return given if _ONCE.fullmatch(given) else uuid4().hex

    @property
    def once_value(self) -> str:
        """What the hidden ``once`` carries: a new key on a fresh page, the same one again after a failed attempt."""
        given = self.data.get(self.add_prefix("once"), "") if self.is_bound else ""
        return given if _ONCE.fullmatch(given) else uuid4().hex

    @property
    def version_value(self) -> str | None:
        """What the hidden ``version`` carries, or None.

        After a Conflict it is the version that the page holds now: the message tells who changed what meanwhile, and
        whoever sends again has read it.
        """
        if self._version is None:
            return None
        if self.is_bound and not isinstance(self.problem, Conflict):
            return self.data.get(self.add_prefix("version"), str(self._version))
        return str(self._version)

    def error_list(self) -> list[tuple[str, str, str]]:
        """Every error as (id of the control or "", label, message), in the order of the page.

        The label is left out where the message names the field itself.
        """
        rows = [("", "", str(message)) for message in self.non_field_errors()]
        first = [name for _, names in self.fieldsets for name in names]
        for bound in sorted(self, key=lambda one: first.index(one.name) if one.name in first else len(first)):
            target = f"{bound.auto_id}_0" if bound.use_fieldset else bound.id_for_label
            for message in bound.errors:
                if bound.is_hidden:
                    rows.append(("", "", str(message)))
                else:
                    label = str(bound.label)
                    rows.append((target, "" if label in message else label, str(message)))
        return rows


def _speak_plainly(field: forms.Field) -> None:
    """Give a field messages that say what to do, where its author wrote none."""
    name = str(field.label or "")
    if str(field.error_messages.get("required", "")) == _REQUIRED and not isinstance(
        field.widget, forms.HiddenInput
    ):
        if isinstance(field, forms.FileField):
            verb = "请选择文件"
        elif isinstance(field, forms.ChoiceField | forms.ModelChoiceField):
            verb = "请选择"
        elif isinstance(field, forms.BooleanField):
            verb, name = "请勾选", f"“{name}”"
        else:
            verb = "请填写"
        joint = "：" if name and verb == "请选择文件" else ""
        field.error_messages["required"] = f"{verb}{joint}{name}。"
    for place, check in enumerate(field.validators):
        words = _WORDS.get(type(check))
        if words and "message" not in vars(check):
            field.validators[place] = type(check)(check.limit_value, words)


@dataclass(frozen=True)
class Done:
    """What became of a form: ``ok``, the action's ``result`` (the printed Ref of the first sending when ``already``), the HTTP ``status`` to answer with."""

    ok: bool
    result: Any = None
    already: bool = False
    status: int = 200


def perform(request: HttpRequest, form: Form, run: Callable[[dict[str, Any], str], Any]) -> Done:
    """Run the action of a form that was sent.

    ``run(data, once)`` gets the cleaned fields, without ``once`` and with ``version`` if the form has one, and calls the
    action. Invalid goes beside the fields, every other Problem on top of the form (``form.problem``); what was typed
    stays. A form that was performed before counts as done, and says so. Does nothing on GET.
    """
    if request.method != "POST" or not form.is_bound:
        return Done(ok=False)
    if not form.is_valid():
        return Done(ok=False, status=Invalid.status)
    data = dict(form.cleaned_data)
    once = data.pop("once")
    try:
        return Done(ok=True, result=run(data, once))
    except AlreadyDone as again:
        messages.info(request, ALREADY_DONE)
        return Done(ok=True, result=again.result, already=True)
    except Invalid as invalid:
        for name, message in invalid.fields.items():
            known = name in form.fields and not form.fields[name].widget.is_hidden
            form.add_error(name if known else None, message)
        return Done(ok=False, status=invalid.status)
    except Problem as problem:
        form.problem = problem
        return Done(ok=False, status=problem.status)


def press(request: HttpRequest, run: Callable[[], Any], done: str | Callable[[Any], str]) -> Done:
    """Run the action that a single button starts, and say above the next page how it went.

    ``done`` is what is said when it succeeded, or makes that of the result.
    """
    try:
        result = run()
    except Problem as problem:
        messages.warning(request, f"{problem.detail}{problem.todo}")
        return Done(ok=False, status=problem.status)
    messages.success(request, done if isinstance(done, str) else done(result))
    return Done(ok=True, result=result)


def form_view(
    request: HttpRequest,
    form: Form,
    run: Callable[[dict[str, Any], str], Any],
    template: str,
    context: dict[str, Any],
    *,
    back: str,
    done: str = "",
    onward: Callable[[Any], str] | None = None,
) -> HttpResponse:
    """The page that is about one form: performed, it says ``done`` and goes on; else it shows what went wrong.

    One goes to ``onward(result)``, else ``back``, which the page offers too. A form that was performed before goes
    ``back`` (there is no result to go on with), and says only that nothing was done twice. The template gets the context
    with ``form`` and ``back``.
    """
    outcome = perform(request, form, run)
    if outcome.ok:
        if done and not outcome.already:
            messages.success(request, done)
        return redirect(onward(outcome.result) if onward and not outcome.already else back)
    return render(request, template, {**context, "form": form, "back": back}, status=outcome.status)
