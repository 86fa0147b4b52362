"""Every read of decision tables."""

from dataclasses import dataclass

from liangzhu.beams.work.decisions import checking, policies
from liangzhu.beams.work.decisions.rules import RELEASE_KIND, of_release
from liangzhu.beams.work.decisions.table import Row, Table, condition_words
from liangzhu.kernel import releases
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.located import DataFileError
from liangzhu.kernel.models import Release
from liangzhu.kernel.refs import Ref, describe


@dataclass(frozen=True)
class Listed:
    """A table as listed: what is in force, and whether a draft waits for its second person."""

    table: Table
    release: Release
    draft: Release | None


def tables(actor: Actor) -> list[Listed]:
    """The tables in force."""
    policies.read.require(actor)
    rows = Release.objects.filter(kind=RELEASE_KIND, state__in=[Release.IN_FORCE, Release.DRAFT]).order_by(
        "key", "number"
    )
    drafts = {row.key: row for row in rows if row.state == Release.DRAFT}
    return [
        Listed(of_release(row), row, drafts.get(row.key)) for row in rows if row.state == Release.IN_FORCE
    ]


@dataclass(frozen=True)
class Shown:
    """One release of a table as it is shown, beside the others of its key (newest first)."""

    row: Release
    releases: list[Release]
    table: Table | None
    faults: list[str]
    before: Release | None
    changes: list[str]
    difference: list[tuple[str, str]]
    drafter: str
    examples: list[tuple[str, list[tuple[str, str]], str]]


def shown(actor: Actor, key: str, number: int | None = None) -> Shown:
    """The release of that number, else the one in force, else the newest. Raises NotThere."""
    policies.read.require(actor)
    rows = list(Release.objects.filter(kind=RELEASE_KIND, key=key).order_by("-number"))
    if not rows:
        raise NotThere("没有这张决策表。")
    if number is None:
        row = next((one for one in rows if one.state == Release.IN_FORCE), rows[0])
    else:
        row = next((one for one in rows if one.number == number), None)
        if row is None:
            raise NotThere(f"这张决策表没有第 {number} 版。")
    table, faults = _read(row)
    before = next(
        (
            one
            for one in rows
            if one.number < row.number and one.state not in (Release.REFUSED, Release.WITHDRAWN)
        ),
        None,
    )
    earlier = _read(before)[0] if before else None
    return Shown(
        row=row,
        releases=rows,
        table=table,
        faults=faults,
        before=before,
        changes=changes(earlier, table) if earlier and table else [],
        difference=releases.difference(before.body, row.body) if before else [],
        drafter=_name(row.drafted_by, actor),
        examples=_examples(table) if table else [],
    )


def _read(row: Release) -> tuple[Table | None, list[str]]:
    try:
        return (
            of_release(row) if row.state != Release.DRAFT else checking.parse(row.body, row.origin or row.key)
        ), []
    except DataFileError as error:
        return None, error.detail.splitlines()


def _name(text: str, actor: Actor) -> str:
    ref = Ref.parse(text)
    return "系统载入" if ref.kind == "system" else describe([ref], actor)[ref][0]


def _examples(table: Table) -> list[tuple[str, list[tuple[str, str]], str]]:
    """The examples in words: day, inputs, what comes out."""
    found = []
    for one in table.examples:
        given = [(column.title, column.words(one.given.get(column.name))) for column in table.inputs]
        ends = "不适用任何一行"
        if one.gives is not None:
            ends = "；".join(
                f"{column.title} {column.words(one.gives[column.name])}" for column in table.outputs
            )
        found.append((one.on.isoformat() if one.on else "", given, ends))
    return found


def changes(old: Table, new: Table) -> list[str]:
    """What became different from one table to another, in words, row by row."""
    found = []
    if old.hit != new.hit or old.aggregate != new.aggregate:
        found.append("命中策略改了")
    for word, before, after in (("输入", old.inputs, new.inputs), ("结论", old.outputs, new.outputs)):
        names = {one.name: one for one in before}
        for column in after:
            if column.name not in names:
                found.append(f"新增{word}“{column.title}”")
            elif names[column.name] != column:
                found.append(f"{word}“{column.title}”的定义改了")
        kept = {one.name for one in after}
        found += [f"删去{word}“{one.title}”" for one in before if one.name not in kept]
    rows = {row.name: row for row in old.rows}
    for row in new.rows:
        if row.name not in rows:
            found.append(f"新增第 {row.number} 行（{row.name}）：{row_words(new, row)}")
        elif parts := _row_changes(old, rows[row.name], new, row):
            found.append(f"第 {row.number} 行（{row.name}）：{'；'.join(parts)}")
    kept = {row.name for row in new.rows}
    found += [
        f"删去第 {row.number} 行（{row.name}）：{row_words(old, row)}"
        for row in old.rows
        if row.name not in kept
    ]
    return found


def row_words(table: Table, row: Row) -> str:
    """A row in one sentence."""
    conditions = [
        f"{column.title} {condition_words(column, row.when[column.name])}"
        for column in table.inputs
        if row.when.get(column.name)
    ]
    ends = [f"{column.title} {column.words(row.then[column.name])}" for column in table.outputs]
    return f"{'，'.join(conditions) or '任何情形'} → {'，'.join(ends)}"


def _row_changes(old: Table, before: Row, new: Table, after: Row) -> list[str]:
    found = []
    earlier = {column.name: column for column in old.inputs}
    for column in new.inputs:
        was = condition_words(earlier.get(column.name, column), before.when.get(column.name, ()))
        now = condition_words(column, after.when.get(column.name, ()))
        if was != now:
            found.append(f"{column.title}由“{was}”改为“{now}”")
    for column in new.outputs:
        was, now = before.then.get(column.name), after.then[column.name]
        if was != now:
            found.append(f"{column.title}由“{column.words(was)}”改为“{column.words(now)}”")
    if before.span_words() != after.span_words():
        found.append(f"有效期由“{before.span_words() or '不限'}”改为“{after.span_words() or '不限'}”")
    if before.basis != after.basis:
        found.append("依据改了")
    if before.number != after.number:
        found.append(f"原在第 {before.number} 行")
    return found
