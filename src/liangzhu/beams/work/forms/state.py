"""What a form is with certain answers: which parts are shown, what is wrong, what of it counts.

Answers map names of fields to kept values (`values.py`). What is hidden is neither required nor kept: conditions, checks, the
summary and the snapshot see only what is shown.
"""

from dataclasses import dataclass, field
from typing import Any

from liangzhu.beams.work.forms import registry, values
from liangzhu.beams.work.forms.grammar import CoSigner, Field, FormSpec, Step
from liangzhu.kernel.log import canonical, sm3

Answers = dict[str, Any]


def html_name(table: str, row: int, column: str) -> str:
    """What a cell of a table is called on the page."""
    return f"{table}-{row}-{column}"


@dataclass(frozen=True)
class View:
    """What is shown: names of steps and fields, and of notes; for each row of a table the names of its columns."""

    steps: frozenset[str]
    fields: frozenset[str]
    rows: dict[str, tuple[frozenset[str], ...]] = field(hash=False)

    def names(self) -> list[str]:
        """Every field and cell that is shown, as it is called on the page."""
        cells = [
            html_name(table, place, column)
            for table, rows in self.rows.items()
            for place, columns in enumerate(rows)
            for column in columns
        ]
        return sorted([*self.fields, *cells])


def view(form: FormSpec, answers: Answers) -> View:
    """What is shown with these answers: one pass from top to bottom, because conditions look back only."""
    steps: set[str] = set()
    shown: set[str] = set()
    rows: dict[str, tuple[frozenset[str], ...]] = {}
    known: Answers = {}
    for step in form.steps:
        if step.show_if and not step.show_if.holds(known.get):
            continue
        steps.add(step.name)
        for one in step.fields:
            if one.show_if and not one.show_if.holds(known.get):
                continue
            shown.add(one.name)
            if one.type == "table":
                rows[one.name] = tuple(
                    _columns(one, row, known) for row in answers.get(one.name) or () if isinstance(row, dict)
                )
            if one.takes:
                known[one.name] = values.typed(one, answers.get(one.name))
    return View(frozenset(steps), frozenset(shown), rows)


def _columns(table: Field, row: Answers, known: Answers) -> frozenset[str]:
    shown: set[str] = set()
    here: Answers = {}

    def value_of(name: str) -> Any:
        return here[name] if name in here else known.get(name)

    for column in table.fields:
        # A column that is hidden in this row must not be looked for outside of it.
        here[column.name] = None
        if column.show_if and not column.show_if.holds(value_of):
            continue
        shown.add(column.name)
        if column.takes:
            here[column.name] = values.typed(column, row.get(column.name))
    return frozenset(shown)


def counted(form: FormSpec, answers: Answers, seen: View | None = None) -> Answers:
    """The answers that count: shown, given, readable; in the order of the form."""
    seen = seen or view(form, answers)
    out: Answers = {}
    for _, one in form.all_fields():
        value = answers.get(one.name)
        if one.name not in seen.fields or value in (None, []) or values.is_raw(value):
            continue
        if one.type == "table":
            columns = [column for column in one.fields if column.takes]
            value = [
                {
                    column.name: row[column.name]
                    for column in columns
                    if column.name in shown
                    and row.get(column.name) is not None
                    and not values.is_raw(row[column.name])
                }
                for row, shown in zip(value, seen.rows[one.name], strict=True)
            ]
        out[one.name] = value
    return out


def faults(form: FormSpec, answers: Answers, step: Step | None = None) -> dict[str, str]:
    """What is wrong, by the name on the page: of the whole form, or of one step. Hidden parts are never wrong."""
    seen = view(form, answers)
    found: dict[str, str] = {}
    for place, one in form.all_fields():
        if one.name not in seen.fields or (step is not None and place is not step):
            continue
        if message := values.fault(one, answers.get(one.name)):
            found[one.name] = message
        if one.type == "table":
            for number, row in enumerate(answers.get(one.name) or ()):
                for column in one.fields:
                    if column.takes and column.name in seen.rows[one.name][number]:
                        message = values.fault(column, row.get(column.name))
                        if message:
                            found[html_name(one.name, number, column.name)] = message
    for check in form.checks:
        last = max(check.fields, key=lambda name: form.steps.index(form.step_of(name)))
        if step is not None and form.step_of(last) is not step:
            continue
        shown = [name for name in check.fields if name in seen.fields]
        if not shown or any(name in found for name in check.fields):
            continue
        given = [
            values.typed(form.field(name), answers.get(name)) if name in seen.fields else None
            for name in check.fields
        ]
        if not registry.checks[check.name].run(given, check.params):
            target = next(
                (
                    name
                    for name in reversed(check.fields)
                    if name in seen.fields and (step is None or form.step_of(name) is step)
                ),
                last,
            )
            found[target] = check.message
    return found


def doubts(form: FormSpec, answers: Answers, step: Step | None = None) -> dict[str, str]:
    """What is probably wrong, though it may be sent, by field: of the whole form, or of one step."""
    seen = view(form, answers)
    return {
        one.name: message
        for place, one in form.all_fields()
        if one.name in seen.fields
        and (step is None or place is step)
        and (message := values.doubt(one, answers.get(one.name)))
    }


def unfinished(form: FormSpec, answers: Answers) -> list[Step]:
    """The shown steps on which something is wrong or missing, in order."""
    seen = view(form, answers)
    wrong = faults(form, answers)
    names = {name.split("-")[0] for name in wrong}
    return [
        step for step in form.steps if step.name in seen.steps and names & {one.name for one in step.fields}
    ]


def places(form: FormSpec, answers: Answers) -> list[CoSigner]:
    """The places for co-signers that these answers ask for."""
    seen = view(form, answers)
    known = {
        one.name: values.typed(one, answers.get(one.name))
        for _, one in form.all_fields()
        if one.name in seen.fields
    }
    return [one for one in form.cosigners if one.show_if is None or one.show_if.holds(known.get)]


def mark(value: Any) -> str:
    """A short mark of a kept value: equal for equal values, whatever stands for nothing."""
    return sm3(canonical(None if value in (None, "", []) else value).encode())[:12]


def differences(form: FormSpec, before: Answers, after: Answers) -> list[tuple[Field, Any, Any]]:
    """The fields that differ between two sets of counted answers, with both values (None: not there)."""
    return [
        (one, before.get(one.name), after.get(one.name))
        for _, one in form.all_fields()
        if before.get(one.name) != after.get(one.name)
    ]


def fitting(
    old: FormSpec, new: FormSpec, answers: Answers
) -> tuple[Answers, list[str], list[tuple[Field, Any]]]:
    """Answers carried from one release to another: (what fits, what changed in words, (field, value) that do not fit)."""
    before = {one.name: one for _, one in old.all_fields()}
    after = {one.name: one for _, one in new.all_fields()}
    kept: Answers = {}
    said: list[str] = []
    lost: list[tuple[Field, Any]] = []
    for name, one in after.items():
        if name not in before:
            said.append(f"新增“{one.label}”{'（必填）' if one.required else ''}")
        elif _changed(before[name], one):
            said.append(f"“{one.label}”：{'、'.join(_changed(before[name], one))}")
    said += [f"不再填写“{one.label}”" for name, one in before.items() if name not in after]
    for name, value in answers.items():
        if name not in before:
            continue
        if name in after and _fits(before[name], after[name], value):
            kept[name] = value
        elif value not in (None, []):
            lost.append((before[name], value))
    return kept, said, lost


def _changed(old: Field, new: Field) -> list[str]:
    words = {
        "type": "类型",
        "label": f"名称（原为“{old.label}”）",
        "help": "填写说明",
        "required": "改为必填" if new.required else "改为选填",
        "options": "选项",
        "least": "下限",
        "most": "上限",
        "fields": "栏目",
        "show_if": "出现的条件",
        "prefill": "预填来源",
        "kinds": "文件种类",
        "exact": "坐标改为必填" if new.exact else "坐标改为选填",
    }
    return [word for part, word in words.items() if getattr(old, part) != getattr(new, part)]


def _fits(old: Field, new: Field, value: Any) -> bool:
    if old.type != new.type:
        return False
    if values.is_raw(value):
        return True
    if new.type == "choice":
        return value in dict(new.options)
    if new.type == "choices":
        return set(value) <= set(dict(new.options))
    if new.type == "table":
        columns = {column.name: column for column in new.fields}
        earlier = {column.name: column for column in old.fields}
        return all(
            name in columns and name in earlier and _fits(earlier[name], columns[name], one)
            for row in value
            for name, one in row.items()
            if one is not None
        )
    return True
