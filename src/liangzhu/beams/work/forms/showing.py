"""What was filled in, in words: for the summary before sending, for a co-signer, for whoever reads the snapshot."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from liangzhu.beams.work.files import api as attachments
from liangzhu.beams.work.forms import prefilling, state, values
from liangzhu.beams.work.forms.grammar import Field, FormSpec, Step

ORIGINS = {"source": "", "corrected": "已更正", "typed": "自填"}


@dataclass(frozen=True)
class Origin:
    """Where a value came from: the source's title, when, and how it stands to what came (source, corrected, typed)."""

    title: str
    at: datetime
    kind: str
    original: str = ""
    failed: str = ""
    locked: bool = False
    url: str = ""


@dataclass(frozen=True)
class Line:
    """One field in words. ``rows`` are those of a table: for each row (label, words, fault) of its cells."""

    name: str
    label: str
    words: str
    given: bool
    fault: str = ""
    doubt: str = ""
    origin: Origin | None = None
    rows: tuple[tuple[tuple[str, str, str], ...], ...] = ()
    row: str = ""
    files: tuple[attachments.Attachment, ...] = ()


@dataclass(frozen=True)
class Part:
    """The lines of one step."""

    step: Step
    lines: tuple[Line, ...]
    wrong: bool


def origin_of(one: Field, origin: dict | None, value: Any, *, masked: bool = False) -> Origin | None:
    """The origin of a value for the page; None for a field without a source."""
    if origin is None:
        return None
    kind = prefilling.kind(origin, value)
    return Origin(
        title=origin["title"],
        at=datetime.fromisoformat(origin["at"]),
        kind=kind,
        original=values.words(one, origin["value"], masked=masked) if kind == "corrected" else "",
        failed=origin.get("failed", ""),
        locked=origin.get("locked", False),
        # What proves it is for the one who filled in; nobody else can open it.
        url="" if masked else origin.get("url", ""),
    )


def summary(
    form: FormSpec,
    answers: state.Answers,
    *,
    origins: dict[str, dict] | None = None,
    files: list[attachments.Attachment] = (),
    masked: bool = False,
    check: bool = False,
    only: tuple[str, ...] = (),
) -> list[Part]:
    """The shown steps with their fields in words. ``check`` adds what is wrong; without it, empty fields are left out.
    ``only`` these fields, if there are any, and the steps that hold them.
    """
    seen = state.view(form, answers)
    wrong = state.faults(form, answers) if check else {}
    doubts = state.doubts(form, answers) if check else {}
    known = {row.pk: row for row in files}
    parts = []
    for step in form.steps:
        if step.name not in seen.steps:
            continue
        lines = []
        for one in step.fields:
            value = answers.get(one.name)
            if only and one.name not in only:
                continue
            if not one.takes or one.name not in seen.fields or (not check and value in (None, [])):
                continue
            lines.append(
                Line(
                    name=one.name,
                    label=one.label,
                    words=values.words(one, value, masked=masked, files=files),
                    given=value not in (None, []),
                    fault=wrong.get(one.name, ""),
                    doubt=doubts.get(one.name, ""),
                    origin=origin_of(one, (origins or {}).get(one.name), value, masked=masked),
                    rows=_rows(one, value, seen, wrong, masked) if one.type == "table" else (),
                    row=one.row,
                    files=tuple(known[pk] for pk in value or () if pk in known)
                    if one.type == "files"
                    else (),
                )
            )
        if only and not lines:
            continue
        names = {name.split("-")[0] for name in wrong}
        parts.append(Part(step, tuple(lines), bool(names & {one.name for one in step.fields})))
    return parts


def _rows(table: Field, value: Any, seen: state.View, wrong: dict[str, str], masked: bool) -> tuple:
    return tuple(
        tuple(
            (
                column.label,
                values.words(column, row.get(column.name), masked=masked),
                wrong.get(state.html_name(table.name, place, column.name), ""),
            )
            for column in table.fields
            if column.takes and column.name in seen.rows[table.name][place]
        )
        for place, row in enumerate(value or ())
    )


def difference_words(
    form: FormSpec, before: state.Answers, after: state.Answers, *, masked: bool = False
) -> list[tuple[str, str, str]]:
    """What changed between two sets of answers: (label, before, after) in words."""
    return [
        (one.label, flat_words(one, old, masked=masked), flat_words(one, new, masked=masked))
        for one, old, new in state.differences(form, before, after)
    ]


def flat_words(one: Field, value: Any, *, masked: bool = False) -> str:
    """A value in one line, a table with all its rows."""
    if one.type != "table" or not value:
        return values.words(one, value, masked=masked)
    columns = [column for column in one.fields if column.takes]
    rows = [
        "，".join(
            f"{column.label} {values.words(column, row.get(column.name), masked=masked)}"
            for column in columns
            if row.get(column.name) is not None
        )
        for row in value
    ]
    return "；".join(f"{place}. {row}" for place, row in enumerate(rows, 1))
