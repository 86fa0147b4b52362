"""What is filled in at a step: checked against the fields of the process, and kept as it was."""

import json
from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.matters import registry
from liangzhu.beams.work.matters.grammar import Field
from liangzhu.beams.work.matters.models import Answer, Matter
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Invalid, Problem
from liangzhu.kernel.log import canonical
from liangzhu.kernel.now import now
from liangzhu.kernel.rows import insert
from liangzhu.kernel.sealing import Stand

TEXT_MAX = {"text": 200, "longtext": 5000}
"""Characters, where the process gives no other maximum."""


def clean(
    title: str, fields: Iterable[Field], data: dict[str, Any] | None, actor: Actor, matter: Matter | None
) -> dict[str, Any]:
    """The values of the fields of the step ``title``, typed: str, date, Decimal, int (unit, post), list of int
    (units, files).

    Fields left empty are left out. Raises Invalid naming every field that is wrong, unknown or missing.
    """
    data = dict(data or {})
    errors: dict[str, str] = {}
    values: dict[str, Any] = {}
    for field in fields:
        given = data.pop(field.name, None)
        if given in (None, "", [], ()) or (isinstance(given, str) and not given.strip()):
            if field.required:
                errors[field.name] = f"请填写{field.label}。"
            continue
        try:
            values[field.name] = _read(field, given, actor, matter)
        except (TypeError, ValueError, InvalidOperation):
            errors[field.name] = f"{field.label}的内容无法识别，请重新填写。"
        except Problem as problem:
            errors[field.name] = problem.detail
    for name in data:
        errors[name] = f"“{title}”没有名为 {name} 的填写项。"
    if errors:
        raise Invalid(errors)
    return values


def _read(field: Field, given: Any, actor: Actor, matter: Matter | None) -> Any:
    if field.type in TEXT_MAX:
        text = str(given).replace("\r\n", "\n").replace("\x00", "").strip()
        limit = field.max or TEXT_MAX[field.type]
        if len(text) > limit:
            raise Invalid(f"{field.label}最多 {limit} 个字，现在有 {len(text)} 个。")
        return text
    if field.type == "date":
        return given if isinstance(given, date) else date.fromisoformat(given)
    if field.type == "number":
        number = Decimal(str(given))
        if not number.is_finite():
            raise ValueError
        if field.max is not None and number > field.max:
            raise Invalid(f"{field.label}不能大于 {field.max}。")
        return number
    if field.type == "choice":
        if str(given) not in {str(value) for value, _ in options(field, actor, matter)}:
            named = "、".join(label for _, label in options(field, actor, matter)[:12])
            raise Invalid(f"{field.label}“{str(given)[:40]}”不在可选的范围内，可选：{named}。")
        return str(given)
    if field.type == "post":
        return directory.post(int(given)).id
    ids = [int(one) for one in (given if isinstance(given, list | tuple) else [given])]
    if field.type in ("unit", "units"):
        tree = directory.units()
        if any(tree.get(one) is None for one in ids):
            raise Invalid(f"{field.label}中有不存在或已撤销的单位，请重新选择。")
        return ids[0] if field.type == "unit" else ids
    return ids


def options(field: Field, actor: Actor, matter: Matter | None) -> list[tuple[str, str]]:
    """The (value, label) pairs of a choice; before a matter is opened there is None."""
    return list(registry.sources[field.source](actor, matter) if field.source else field.options)


def keep(matter: Matter, form: str, values: dict[str, Any], files: list[int]) -> Answer | None:
    """Keep what was filled in; None when nothing was. ``files`` are kept under "files" beside the fields."""
    body = {name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()}
    if files:
        body.setdefault("files", files)
    if not body:
        return None
    return insert(Answer(matter=matter, form=form, body=canonical(body), at=now()))


def read(answer: Answer) -> dict[str, Any]:
    """The plain values of what was kept: dates as ISO text, numbers as text. Nothing when it was destroyed by rule."""
    return {} if isinstance(answer.body, Stand) else json.loads(answer.body)


def last_value(matter: Matter, name: str) -> Any:
    """The plain value that was filled in last under a name; None when none ever was."""
    for answer in matter.answers.order_by("-id"):
        values = read(answer)
        if name in values:
            return values[name]
    return None
