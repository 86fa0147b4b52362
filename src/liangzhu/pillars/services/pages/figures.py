"""Pages of the leader's figures: the numbers of a period, the rows behind each, and both as a file."""

import csv
import io
from collections.abc import Iterable
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header

from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.errors import Invalid, NotThere
from liangzhu.kernel.now import today
from liangzhu.kernel.paging import page
from liangzhu.kernel.refs import Ref, describe
from liangzhu.kernel.ui.forms import DateField, Form
from liangzhu.kernel.web import guarded
from liangzhu.kernel.workbook import Sheet, as_xlsx
from liangzhu.pillars.services import figures as counting
from liangzhu.pillars.services.figures import COUNTS, FIGURES, Span
from liangzhu.pillars.services.queries import figures as queries

FOLDER = "services/figures/"
LONGEST = 1100
"""Days of the longest period: three years, so that a mistyped year does not ask for a century."""

BLOCKS = (
    ("网上办", ("whole_online", "online_done", "online_possible", "mobile_possible")),
    ("办得快", ("immediate", "same_day", "compression", "visits")),
    ("不用交", ("spared", "vowed")),
    ("按时办", ("in_promise", "in_law")),
    ("好差评", ("good", "bad", "active", "followed")),
)
RATED = ("level_5", "level_4", "level_3", "level_2", "level_1", "default", "waiting", "void")
FOLLOWED = ("bad_all", "bad_open", "bad_late", "bad_ended", "again", "again_good")

TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "cases": (
        "办件",
        ("received", "online_done", "spared", "decided", "same_day", "in_promise", "in_law", "late"),
    ),
    "items": (
        "事项",
        ("items", "whole_online", "online_possible", "immediate", "compression", "visits"),
    ),
    "ratings": ("好差评", ("asked", "active", "good", "bad_all", "bad_late", "followed", "again", "default")),
}
"""Columns of the tables by unit and item: keys of figures, and of counts."""

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class PeriodForm(Form):
    """Which days, and of which unit. What is asked wrongly stays in the form with its error; this month holds then."""

    first = DateField(label="从")
    last = DateField(label="到")
    unit = forms.ChoiceField(label="单位", required=False)

    def __init__(self, data: QueryDict, units: list[tuple[str, str]]):
        month = counting.month(today())
        data = data.copy()
        if not (data.get("first") or data.get("last")):
            data["first"], data["last"] = month.first.isoformat(), month.last.isoformat()
        super().__init__(data)
        self.fields["unit"].choices = [("", "全部"), *units]
        self.fields["unit"].error_messages["invalid_choice"] = "没有这个单位的数，已显示全部。"

    def clean(self) -> dict[str, Any]:
        """The period the right way round, begun, and not too long."""
        given = super().clean()
        first, last = given.get("first"), given.get("last")
        if first and first > today():
            self.add_error("first", "这一天还没有到。")
        elif first and last and last < first:
            self.add_error("last", "结束日不能早于开始日。")
        elif first and last and (last - first).days > LONGEST:
            self.add_error("last", "最长看三年。")
        return given

    @property
    def span(self) -> Span:
        """The period asked for, or this month."""
        if not self.is_valid() and {"first", "last"} & set(self.errors):
            return counting.month(today())
        return Span(self.cleaned_data["first"], self.cleaned_data["last"])

    @property
    def unit_id(self) -> int | None:
        """The unit asked for."""
        self.is_valid()
        return int(self.cleaned_data.get("unit") or 0) or None


class Links:
    """Addresses within the period and unit that are looked at."""

    def __init__(self, span: Span, unit_id: int | None):
        self.base = {"first": span.first.isoformat(), "last": span.last.isoformat()}
        if unit_id:
            self.base["unit"] = str(unit_id)

    def page(self, span: Span | None = None, **more: str) -> str:
        """The page itself, for another period or view."""
        other = {"first": span.first.isoformat(), "last": span.last.isoformat()} if span else {}
        return f"{reverse('services:figures')}?{urlencode({**self.base, **other, **more})}"

    def rows(self, count: str, number: int | None, **only: str) -> str:
        """The rows of a count; nothing opens to no rows, and a sum of days or visits opens to none."""
        if not number or COUNTS[count].rows:
            return ""
        return f"{reverse('services:figure_rows', args=[count])}?{urlencode({**self.base, **only})}"

    def file(self, form: str) -> str:
        """The whole as a file."""
        return f"{reverse('services:figures_file', args=[form])}?{urlencode(self.base)}"


def _form(request: HttpRequest) -> PeriodForm:
    return PeriodForm(request.GET, queries.units(request.actor))


@guarded("services.read_figures")
def figures(request: HttpRequest) -> HttpResponse:
    """The figures of a period: as a whole, over twelve months, by unit and by item."""
    form = _form(request)
    span, unit_id = form.span, form.unit_id
    found, links = queries.board(request.actor, span, unit_id), Links(span, unit_id)
    chosen = request.GET.get("trend", "online_done")
    chosen = chosen if chosen in FIGURES else "online_done"
    shown = request.GET.get("table", "cases")
    shown = shown if shown in TABLES else "cases"
    by = "item" if request.GET.get("by") == "item" else "unit"
    view = {"trend": chosen, "table": shown, "by": by}
    context = {
        "form": form,
        "found": found,
        "unfinished": span.last >= today(),
        "periods": [
            (title, links.page(make(min(span.last, today())), **view), make(span.last) == span)
            for title, make in counting.PERIODS.values()
        ],
        "before": links.page(span.before(), **view),
        "after": links.page(_next(span), **view) if _next(span).first <= today() else "",
        "blocks": [(title, [_card(links, found.lines[key]) for key in keys]) for title, keys in BLOCKS],
        "late": _number(links, "late", found.counts),
        "beyond": [_number(links, name, found.counts) for name in ("beyond_promise", "beyond_law")],
        "rated": [_number(links, name, found.counts) for name in RATED],
        "followed": [_number(links, name, found.counts) for name in FOLLOWED],
        "unlike": _number(links, "items_unlike", found.counts),
        "points": queries.trend(request.actor, chosen, min(span.last, today()), unit_id),
        "chosen": FIGURES[chosen],
        "trends": [
            (one.title, links.page(**{**view, "trend": key}) + "#trend", key == chosen)
            for key, one in FIGURES.items()
        ],
        "tables": [
            (title, links.page(**{**view, "table": key}) + "#groups", key == shown)
            for key, (title, _) in TABLES.items()
        ],
        "ways": [
            (title, links.page(**{**view, "by": key}) + "#groups", key == by)
            for key, title in (("unit", "按单位"), ("item", "按事项"))
        ],
        "first_column": "单位" if by == "unit" else "事项",
        "columns": [_title(key) for key in TABLES[shown][1]],
        "listed": _groups(links, found, by, TABLES[shown][1]),
        "files": [(form_, links.file(form_)) for form_ in ("xlsx", "csv")],
        "whole": queries.sees_all(request.actor) and not unit_id,
        "unit": directory.unit_name(unit_id or getattr(request.actor, "unit_id", 0)),
    }
    return render(request, FOLDER + "figures.html", context)


def _next(span: Span) -> Span:
    """The period after: the one whose period before is this one."""
    day = date.fromordinal(span.last.toordinal() + 1)
    for _, make in counting.PERIODS.values():
        if make(span.first) == span:
            return make(day)
    return Span(day, date.fromordinal(day.toordinal() + (span.last - span.first).days))


def _number(links: Links, name: str, counts: Any, **only: str) -> dict[str, Any]:
    number = counts.get(name, 0)
    return {
        "title": COUNTS[name].title,
        "value": number,
        "measure": COUNTS[name].measure,
        "url": links.rows(name, number, **only),
    }


def _card(links: Links, line: queries.Line) -> dict[str, Any]:
    one = line.figure
    return {
        "line": line,
        "part": _number(links, one.part, line.counts),
        "whole": _number(links, one.whole, line.counts),
        "over": _number(links, summed, line.counts) if (summed := COUNTS[one.whole].rows) else None,
        "indicator": queries.INDICATORS.get(one.key, ""),
    }


def _title(key: str) -> str:
    return FIGURES[key].title if key in FIGURES else COUNTS[key].title


def _groups(links: Links, found: queries.Board, by: str, columns: Iterable[str]) -> list[dict[str, Any]]:
    """The rows of a table: the largest first; a group without anything of this kind is left out."""
    columns = list(columns)
    groups = found.units if by == "unit" else found.items
    first = columns[0]
    out = []
    for group in sorted(groups, key=lambda one: (-one.counts.get(first, 0), one.title)):
        cells = [_cell(links, group, key, {by: group.key}) for key in columns]
        if any(cell["value"] for cell in cells):
            out.append({"title": group.title, "cells": cells})
    return out


def _cell(links: Links, group: queries.Group, key: str, only: dict[str, str]) -> dict[str, Any]:
    if key in COUNTS and key not in FIGURES:
        return _number(links, key, group.counts, **only) | {"share": False}
    one = FIGURES[key]
    base = COUNTS[one.whole].rows or one.whole
    return {
        "title": one.title,
        "value": group.value(key),
        "measure": one.measure,
        "url": links.rows(base, group.counts.get(base), **only),
        "share": True,
    }


# The rows behind a number ---------------------------------------------------------------------------------------------


@guarded("services.read_figures")
def rows(request: HttpRequest, count: str) -> HttpResponse:
    """The rows that a number counts, exactly as many; who applied is not named here."""
    form = _form(request)
    span, unit_id, item = form.span, form.unit_id, request.GET.get("item", "")[:80]
    family, found = queries.rows(request.actor, count, span, unit_id, item)
    listed = page(found, request, queries.ORDERS.get(family, ("-id",)), 50)
    names = queries.titles()
    matters = [Ref("matter", str(one)) for row in listed if (one := _matter(family, row))]
    seen = describe(matters, request.actor)
    context = {
        "count": COUNTS[count],
        "family": family,
        "span": span,
        "on": min(span.last, today()),
        "total": found.order_by().count(),
        "page": listed,
        "lines": [_line(family, row, names, seen) for row in listed],
        "unit": directory.unit_name(unit_id) if unit_id else "",
        "item": names.get(item, item),
        "back": Links(span, None).page(),
    }
    return render(request, FOLDER + "rows.html", context)


def _matter(family: str, row: Any) -> int | None:
    if family == counting.ITEMS:
        return None
    return row.case.matter_id if family == counting.MATERIALS else row.matter_id


def _line(family: str, row: Any, names: dict[str, str], seen: dict[Ref, tuple[str, str]]) -> dict[str, Any]:
    """A row as it is shown: what it is, where it opens if the reader may see it, whose it is, and facts."""
    matter = _matter(family, row)
    address = seen.get(Ref("matter", str(matter)), ("", ""))[1] if matter else ""
    if family == counting.ITEMS:
        facts = [
            ("网办", row.get_depth_display() or ("网上可办" if row.online else "不网办")),
            ("到现场", "没有写明" if row.visits is None else f"{row.visits} 次"),
            ("办件类型", row.get_project_type_display()),
            ("法定", _limit(row.legal_amount, row.get_legal_unit_display())),
            ("承诺", _limit(row.promised_amount, row.get_promised_unit_display())),
        ]
        return {
            "title": row.name,
            "url": reverse("services:guide", args=[row.item.key]),
            "unit": row.item.unit_id,
            "facts": facts,
        }
    if family == counting.RATINGS:
        facts = [
            ("邀请", row.asked_at),
            ("评价", row.get_level_display() if row.level else row.get_state_display()),
            ("状态", row.get_state_display()),
        ]
        if row.matter_id:
            facts.append(("差评办理", _followed(row)))
        return {"title": row.title, "url": address, "unit": row.unit_id, "facts": facts}
    case = row.case if family == counting.MATERIALS else row
    if family == counting.MATERIALS:
        facts = [
            ("材料", row.material.title),
            ("怎样", row.material.get_state_display()),
            ("办件", case.code),
        ]
        return {"title": case.name, "url": address, "unit": case.unit_id, "facts": facts}
    facts = [("办件", case.code), ("收件", case.received_on), ("渠道", case.get_channel_display())]
    if family == counting.OPEN:
        facts.append(("时限", case.matter.due_at))
    elif case.decided_on:
        facts += [
            ("决定", case.decided_on),
            ("承诺时限", _kept(case.in_promise)),
            ("法定时限", _kept(case.in_law)),
        ]
    return {"title": case.name, "url": address, "unit": case.unit_id, "facts": facts}


def _limit(amount: int | None, unit: str) -> str:
    if unit == "当场":
        return unit
    return "没有" if amount is None else f"{amount} {unit}"


def _kept(kept: bool | None) -> str:
    return {True: "之内", False: "超过", None: "没有"}[kept]


def _followed(row: Any) -> str:
    if row.matter.closed_at:
        return f"已办结，再评“{row.get_again_display()}”" if row.again else "已办结"
    return f"办理中，{row.matter.due_at:%Y-%m-%d} 前" if row.matter.due_at else "办理中"


# Files ----------------------------------------------------------------------------------------------------------------


COLUMNS = (
    ("范围", 8),
    ("名称", 36),
    ("指标", 24),
    ("数值", 10),
    ("计量单位", 10),
    ("分子", 12),
    ("分母", 12),
    ("上期数值", 10),
    ("算式", 36),
    ("口径", 60),
    ("依据", 40),
)


def _table(found: queries.Board) -> Iterable[list[Any]]:
    """One line for each figure of the whole, of each unit, of each item; a figure that cannot be computed has no value."""
    for line in found.lines.values():
        one = line.figure
        yield [
            "合计",
            "",
            one.title,
            _plain(line.value),
            one.measure,
            line.counts.get(one.part, 0),
            line.counts.get(one.whole, 0),
            _plain(line.before),
            one.formula,
            one.caliber,
            one.source,
        ]
    for kind, groups in (("单位", found.units), ("事项", found.items)):
        for group in sorted(groups, key=lambda each: each.title):
            for key, one in FIGURES.items():
                if group.counts.get(one.whole):
                    yield [
                        kind,
                        group.title,
                        one.title,
                        _plain(group.value(key)),
                        one.measure,
                        group.counts.get(one.part, 0),
                        group.counts.get(one.whole, 0),
                        None,
                        one.formula,
                        one.caliber,
                        one.source,
                    ]


def _plain(value: Any) -> float | None:
    return None if value is None else float(value)


@guarded("services.read_figures")
def export(request: HttpRequest, form: str) -> HttpResponse:
    """The figures of a period as ``xlsx`` or ``csv``: one line for each figure and group."""
    asked = _form(request)
    if not asked.is_valid():
        raise Invalid({name: errors[0] for name, errors in asked.errors.items()})
    span = asked.span
    found = queries.board(request.actor, span, asked.unit_id)
    if form == "xlsx":
        title = f"政务服务运行指标（{span}）"
        sheet = Sheet("指标", COLUMNS, _table(found))
        body, media = as_xlsx(title, f"{span}，由办件、事项和评价算出", [sheet], today()), XLSX
    elif form == "csv":
        body, media = _csv(_table(found)), "text/csv; charset=utf-8"
    else:
        raise NotThere("没有这种格式。", todo="可以用 xlsx 或 csv。")
    answer = HttpResponse(body, content_type=media)
    name = f"政务服务运行指标{span.first:%Y%m%d}-{span.last:%Y%m%d}.{form}"
    answer.headers["Content-Disposition"] = content_disposition_header(True, name)
    return answer


def _csv(lines: Iterable[list[Any]]) -> bytes:
    """UTF-8 with mark; a text that begins like a formula begins with an apostrophe."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([name for name, _ in COLUMNS])
    for line in lines:
        writer.writerow(
            [f"'{one}" if isinstance(one, str) and one[:1] in "=+-@\t\r" and one else one for one in line]
        )
    return out.getvalue().encode("utf-8-sig")
