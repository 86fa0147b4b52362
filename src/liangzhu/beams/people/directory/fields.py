"""Form fields that take units and persons by name, with a list to choose from."""

from collections.abc import Callable, Iterable

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from liangzhu.beams.people.directory.models import Person
from liangzhu.beams.people.directory.tree import AmbiguousUnit, UnitView, UnknownUnit, resolve_unit, units
from liangzhu.kernel.ui.forms import TextField

MOST = 1000
"""Names offered at most; what is not offered can still be typed."""


class ListedInput(forms.TextInput):
    """A line of text with a list of proposals, which browsers filter while one types."""

    def __init__(self, choices: Callable[[], Iterable[str]], attrs: dict | None = None):
        super().__init__({"autocomplete": "off", **(attrs or {})})
        self.choices = choices

    def render(self, name: str, value, attrs: dict | None = None, renderer=None) -> SafeString:
        """The line and its list."""
        attrs = {**(attrs or {}), "list": f"{(attrs or {}).get('id', name)}-list"}
        line = super().render(name, value, attrs, renderer)
        options = format_html_join("", '<option value="{}"></option>', ((text,) for text in self.choices()))
        return format_html('{}<datalist id="{}">{}</datalist>', line, attrs["list"], options)


def _unit_names() -> list[str]:
    views = units().all()[:MOST]
    names = [view.name for view in views]
    return [
        view.name if names.count(view.name) == 1 else f"{view.name}（{view.code or view.key}）"
        for view in views
    ]


def _resolve(text: str) -> UnitView:
    try:
        return resolve_unit(text)
    except (UnknownUnit, AmbiguousUnit) as problem:
        raise ValidationError(f"{problem.detail}{problem.todo}", code=problem.code) from None


class UnitField(forms.CharField):
    """A unit by name, short name, alias, former name or code. The cleaned value is a UnitView, None when left empty."""

    def __init__(self, **kwargs):
        super().__init__(widget=ListedInput(_unit_names), **kwargs)

    def clean(self, value) -> UnitView | None:
        """The unit. Raises ValidationError that names an unknown or ambiguous name and says what to do."""
        text = super().clean(value)
        return _resolve(text) if text else None


class UnitsField(TextField):
    """Units, one on a line. The cleaned value is a list of UnitViews."""

    def clean(self, value) -> list[UnitView]:
        """The units. Raises ValidationError naming the line."""
        found = []
        for place, line in enumerate(super().clean(value).split("\n"), 1):
            if line.strip():
                try:
                    found.append(_resolve(line))
                except ValidationError as error:
                    raise ValidationError(f"第 {place} 行：{error.messages[0]}", code=error.code) from None
        return found


def _person_names() -> list[str]:
    return [f"{person.name}（{person.pk}）" for person in Person.objects.order_by("name", "pk")[:MOST]]


class PersonField(forms.CharField):
    """A person by name, or as "name（number）" where two are called the same. The cleaned value is the Person."""

    def __init__(self, **kwargs):
        super().__init__(widget=ListedInput(_person_names), **kwargs)

    def clean(self, value) -> Person | None:
        """The person. Raises ValidationError for an unknown or ambiguous name."""
        text = "".join(super().clean(value).split()).translate(str.maketrans("()", "（）"))
        if not text:
            return None
        name, _, number = text.removesuffix("）").partition("（")
        found = Person.objects.filter(name=name)
        if number.isdecimal():
            found = found.filter(pk=int(number))
        rows = list(found[:6])
        if not rows:
            raise ValidationError(f"没有登记过“{text}”，请先在“人员”中登记。", code="unknown_person")
        if len(rows) > 1:
            names = "、".join(f"{row.name}（{row.pk}）" for row in rows)
            raise ValidationError(f"有重名：{names}。请连编号一起填。", code="ambiguous_person")
        return rows[0]
