"""A version of an item as one body: its columns and the rows below it. What is loaded, edited, compared and exported."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from liangzhu.kernel.log import canonical, sm3
from liangzhu.pillars.services.models import (
    ItemBasis,
    ItemFee,
    ItemMaterial,
    ItemQuestion,
    ItemStep,
    ItemVersion,
)
from liangzhu.pillars.services.models.items import SERVED, WAYS

SECTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "basics": (
        "基本信息",
        (
            "name", "task_type", "task_state", "level", "catalog_code", "task_code", "handle_code",
            "local_catalog_code", "local_code", "licence_number", "power_source", "body_name", "body_code",
            "body_type", "entrusted", "joint_units",
        ),
    ),
    "handling": (
        "条件和时限",
        (
            "conditions", "flow", "legal_amount", "legal_unit", "legal_note", "promised_amount", "promised_unit",
            "promised_note", "project_type", "review", "special_procedure", "site_check", "quota", "intermediary",
        ),
    ),
    "served": ("服务对象和主题", ("served", "person_topics", "organisation_topics", "says")),
    "channels": (
        "怎么办、在哪里办",
        (
            "ways", "visits", "visits_why", "online", "depth", "online_depths", "online_url", "link_url", "mobile",
            "mobile_url", "single_login", "app_single_login", "address", "hours", "contact", "complaints",
            "in_centre", "area", "appointments", "express", "terminals", "town_name", "town_code", "village_name",
            "village_code",
        ),
    ),
    "result": (
        "结果和收费",
        (
            "result", "result_type", "result_sample", "certificate_type", "fee", "fee_basis", "pays_online",
        ),
    ),
    "system": ("办件设置和来源", ("case_kind", "form", "window_unit", "source", "unconfirmed")),
}  # fmt: skip
"""What is edited together: section to title and columns."""

ROWS: dict[str, type[models.Model]] = {
    "bases": ItemBasis,
    "materials": ItemMaterial,
    "steps": ItemStep,
    "fees": ItemFee,
    "questions": ItemQuestion,
}
"""The rows below a version."""

COLUMNS = tuple(name for _, names in SECTIONS.values() for name in names)
NOTES = ("locked",)
"""What is kept with a version, but nobody edits."""

LISTS = {"served": SERVED, "ways": WAYS}


def row_columns(kind: str) -> tuple[str, ...]:
    """The columns of a kind of rows, without its place."""
    return tuple(
        one.name for one in ROWS[kind]._meta.concrete_fields if one.name not in ("id", "version", "place")
    )


def title_of(element: str) -> str:
    """The Chinese title of a column or a kind of rows."""
    if element in ROWS:
        return str(ROWS[element]._meta.verbose_name)
    return str(ItemVersion._meta.get_field(element).verbose_name)


def section_of(element: str) -> str:
    """Where an element is edited: a section, or the kind of rows itself."""
    if element in ROWS:
        return element
    return next((name for name, (_, names) in SECTIONS.items() if element in names), "basics")


@dataclass
class Sheet:
    """A version with the rows below it, read once; also one that stands nowhere yet."""

    version: ItemVersion
    materials: list[ItemMaterial] = field(default_factory=list)
    steps: list[ItemStep] = field(default_factory=list)
    fees: list[ItemFee] = field(default_factory=list)
    questions: list[ItemQuestion] = field(default_factory=list)
    bases: list[ItemBasis] = field(default_factory=list)
    exempt: frozenset[str] = frozenset()
    """Keys of the materials that a signed exemption covers today."""

    @classmethod
    def of(cls, version: ItemVersion, exempt: Iterable[str] = ()) -> "Sheet":
        """Read it. With `prefetch_related(*ROWS)` it costs no query."""
        return cls(
            version, **{kind: list(getattr(version, kind).all()) for kind in ROWS}, exempt=frozenset(exempt)
        )

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> "Sheet":
        """From a body that is stored nowhere."""
        version = ItemVersion(**{name: body[name] for name in (*COLUMNS, *NOTES) if name in body})
        rows = {
            kind: [
                model(place=place, **{name: row[name] for name in row_columns(kind) if name in row})
                for place, row in enumerate(body.get(kind, ()))
            ]
            for kind, model in ROWS.items()
        }
        return cls(version, **rows)

    @property
    def by_law(self) -> str:
        """The legal grounds in one text (by_law)."""
        return "；".join(str(one) for one in self.bases)

    def body(self) -> dict[str, Any]:
        """Everything that it says, as plain values."""
        found: dict[str, Any] = {name: getattr(self.version, name) for name in (*COLUMNS, *NOTES)}
        for kind in ROWS:
            found[kind] = [
                {name: getattr(row, name) for name in row_columns(kind)} for row in getattr(self, kind)
            ]
        return found


def fingerprint(body: Mapping[str, Any]) -> str:
    """SM3 of a body."""
    return sm3(canonical(dict(body)).encode())


def write_rows(version: ItemVersion, kind: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Give a version that has none its rows of a kind."""
    model = ROWS[kind]
    model.objects.bulk_create(model(version=version, place=place, **row) for place, row in enumerate(rows))


# Comparing ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """What differs between two versions: the element, in words, before and after ("" where there was nothing)."""

    element: str
    title: str
    before: str
    after: str


def difference(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> list[Change]:
    """What a version changes against another, in the order of the sections; None compares with nothing."""
    found = []
    for name in COLUMNS:
        before = words(name, old[name]) if old else ""
        after = words(name, new[name])
        if before != after:
            found.append(Change(name, title_of(name), before, after))
    for kind in ROWS:
        before_rows = {_name_of(kind, row): row for row in (old or {}).get(kind, ())}
        after_rows = {_name_of(kind, row): row for row in new[kind]}
        for key in [*before_rows, *(key for key in after_rows if key not in before_rows)]:
            before, after = before_rows.get(key), after_rows.get(key)
            if before != after:
                found.append(
                    Change(
                        kind, f"{title_of(kind)}“{key}”", _row_words(kind, before), _row_words(kind, after)
                    )
                )
    return found


def _name_of(kind: str, row: Mapping[str, Any]) -> str:
    first = {"bases": "law", "questions": "question"}.get(kind, "name")
    return f"{row[first]}{row['article']}" if kind == "bases" else str(row[first])


def _row_words(kind: str, row: Mapping[str, Any] | None) -> str:
    if row is None:
        return ""
    model = ROWS[kind]
    parts = []
    for name, value in row.items():
        if value in ("", None, False, 0):
            continue
        column = model._meta.get_field(name)
        parts.append(f"{column.verbose_name}：{_plain(column, value)}")
    return "；".join(parts)


def _plain(column: models.Field, value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return str(dict(column.flatchoices).get(value, value))


def words(name: str, value: Any) -> str:
    """A value of a column as people read it."""
    if value is None or value == "":
        return ""
    if name in LISTS:
        return "、".join(LISTS[name].get(one, one) for one in str(value).split())
    return _plain(ItemVersion._meta.get_field(name), value)


def term(amount: int | None, unit: str) -> str:
    """A limit in words: 20 个工作日, 当场, or "" when there is none."""
    if not unit or (amount is None and unit != "spot"):
        return ""
    words = dict(ItemVersion._meta.get_field("legal_unit").flatchoices)[unit]
    return words if unit == "spot" else f"{amount} {words}"


def workdays(amount: int | None, unit: str) -> float | None:
    """A limit in working days, to compare; natural days count five sevenths, a month 30 days."""
    if unit == "spot":
        return 0.0
    if amount is None or not unit:
        return None
    return {"hour": amount / 8, "day": amount * 5 / 7, "month": amount * 30 * 5 / 7}.get(unit, float(amount))
