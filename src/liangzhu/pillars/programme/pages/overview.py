"""How true the plan is: the leader's page, the rows behind its numbers, papers and workbooks, the wall, the public pages."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.http import content_disposition_header

from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.errors import Invalid
from liangzhu.kernel.now import now, today
from liangzhu.kernel.pack import pack
from liangzhu.kernel.web import guarded
from liangzhu.kernel.workbook import Sheet, as_xlsx
from liangzhu.kernel.workdays import shanghai_date
from liangzhu.pillars.programme import letters, overview, policies, queries
from liangzhu.pillars.programme.models import Clause, ClauseDay, PlanDocument
from liangzhu.pillars.programme.pages.overview_forms import ClauseForm, DayForm, PublicForm
from liangzhu.pillars.programme.papers.docx import as_docx
from liangzhu.pillars.programme.papers.gbt9704 import Paper
from liangzhu.pillars.programme.papers.pdf import as_pdf
from liangzhu.pillars.programme.papers.report import report_paper
from liangzhu.pillars.programme.queries import Group
from liangzhu.pillars.programme.truth import LIGHTS, Judged, Truth

STATES = overview.STATES
FORMATS: dict[str, tuple[Callable[[Paper], bytes], str]] = {
    "pdf": (as_pdf, "application/pdf"),
    "docx": (as_docx, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FAILING_SHOWN = 60
"""Clauses listed on the leader's page; the rest is a link away."""


# How true the plan is -------------------------------------------------------------------------------------------------


class Links:
    """Addresses of the rows behind the numbers of one plan on one day."""

    def __init__(self, document: PlanDocument, day: date):
        self.base: dict[str, Any] = {"document": document.pk}
        if day != today():
            self.base["day"] = day.isoformat()

    def clauses(self, **wanted: str) -> str:
        """The clauses that a number counts."""
        return f"{reverse('programme:clauses')}?{urlencode({**self.base, **wanted})}"

    def to(self, name: str, **more: str) -> str:
        """Another page of this plan on this day."""
        return f"{reverse(name)}?{urlencode({**self.base, **more})}"

    def parts(self, counts: dict[str, int], **wanted: str) -> list[dict[str, Any]]:
        """The four states with their counts, each with the address of its rows; nothing opens to no rows."""
        return [
            {
                "state": state,
                "label": title,
                "light": LIGHTS[state],
                "value": counts[state],
                "url": self.clauses(state=state, **wanted) if counts[state] else "",
            }
            for state, title in STATES.items()
        ]


def _group_rows(links: Links, name: str, groups: Iterable[Group]) -> list[dict[str, Any]]:
    return [
        {
            "label": group.label,
            "total": group.total,
            "percent": group.percent,
            "url": links.clauses(**{name: group.key or overview.NO_CHAPTER}),
            "parts": links.parts(group.counts, **{name: group.key or overview.NO_CHAPTER}),
        }
        for group in groups
    ]


def _look(request: HttpRequest, form: DayForm) -> date:
    """The day asked for; a day that cannot be stays in the form with its error, and today holds."""
    return (form.cleaned_data.get("day") if form.is_valid() else None) or today()


def _document(request: HttpRequest) -> PlanDocument | None:
    return queries.current_document(request.actor, request.GET.get("document"))


@guarded("programme.read_ledger")
def truth(request: HttpRequest) -> HttpResponse:
    """The leader's page: how true the plan is on a day, by unit and chapter and over time, and what fails and why."""
    document = _document(request)
    if document is None:
        return render(request, "programme/overview/truth.html", {"document": None})
    form = DayForm(request.GET)
    asked = _look(request, form)
    found = queries.truth_on(request.actor, document, asked)
    links = Links(document, found.day)
    course = overview.course(request.actor, document, found if found.day == today() else None)
    units = queries.by_unit(found)
    return render(
        request,
        "programme/overview/truth.html",
        {
            "document": document,
            "documents": overview.plans(request.actor),
            "found": found,
            "form": form,
            "asked": asked,
            "is_today": found.day == today(),
            "recorded": bool(found.clauses),
            "kept": found.counts[ClauseDay.KEPT],
            "total": len(found.clauses),
            "kept_url": links.clauses(state=ClauseDay.KEPT) if found.counts[ClauseDay.KEPT] else "",
            "all_url": links.clauses(),
            "parts": links.parts(found.counts),
            "units": _group_rows(links, "unit", units),
            "chapters": _group_rows(links, "chapter", queries.by_chapter(found)),
            "late": _late(links, overview.late_units(found, units)),
            "failing": _failing(found),
            "failing_count": len(found.failing),
            "targets": overview.targets(found.clauses),
            "chart": _chart(course, found.day),
            "days": _days(document, course),
            "before": max((one.day for one in course if one.day < found.day), default=None),
            "after": min((one.day for one in course if one.day > found.day), default=None),
            "report_url": links.to("programme:report"),
            "export_url": links.to("programme:export_clauses"),
            "may_report": policies.oversee(request.actor),
        },
    )


def _late(links: Links, units: Sequence[overview.LateUnit]) -> list[dict[str, Any]]:
    return [
        {
            "label": unit.group.label,
            "count": unit.group.counts[ClauseDay.OVERDUE],
            "url": links.clauses(state=ClauseDay.OVERDUE, unit=unit.group.key),
            "days": unit.days,
            "worst": unit.worst,
        }
        for unit in units
    ]


def _failing(found: Truth) -> list[dict[str, Any]]:
    return [_row(judged, found.day) for judged in found.failing[:FAILING_SHOWN]]


def _row(judged: Judged, day: date) -> dict[str, Any]:
    return {
        "judged": judged,
        "clause": judged.clause,
        "task": judged.clause.task,
        "unit": overview.lead_of(judged.clause.task),
        "days": overview.days_late(judged, day),
    }


CHART_WIDTH, CHART_HEIGHT = 1000, 240
"""The field of the drawing over time, in its own units."""

CHART_ORDER = (ClauseDay.KEPT, ClauseDay.UNDER_WAY, ClauseDay.UNMEASURED, ClauseDay.OVERDUE)
"""From the bottom to the top: what is kept grows from the ground."""


def _chart(course: Sequence[overview.Day], day: date) -> dict[str, Any]:
    """Counts by state over time as layers of areas; days are placed by the calendar, so that a gap is a gap."""
    if len(course) < 2:
        return {}
    first, last = course[0].day, course[-1].day
    span = max((last - first).days, 1)
    top = max(one.total for one in course) or 1

    def x(of: date) -> float:
        return round(CHART_WIDTH * (of - first).days / span, 1)

    def y(count: int) -> float:
        return round(CHART_HEIGHT * (1 - count / top), 1)

    layers, floor = [], [0] * len(course)
    for state in CHART_ORDER:
        roof = [low + one.counts[state] for low, one in zip(floor, course, strict=True)]
        upper = [f"{x(one.day)},{y(count)}" for one, count in zip(course, roof, strict=True)]
        lower = [f"{x(one.day)},{y(count)}" for one, count in zip(course, floor, strict=True)]
        layers.append({"state": LIGHTS[state], "points": " ".join([*upper, *reversed(lower)])})
        floor = roof
    now_counts = course[-1].counts
    return {
        "width": CHART_WIDTH,
        "height": CHART_HEIGHT,
        "layers": layers,
        "here": x(day) if first <= day <= last else None,
        "first": first,
        "last": last,
        "top": top,
        "legend": [{"label": STATES[state], "light": LIGHTS[state]} for state in reversed(CHART_ORDER)],
        "words": (
            f"从 {first:%Y-%m-%d} 到 {last:%Y-%m-%d}，已兑现比例由 {course[0].percent}% 变为 {course[-1].percent}%；"
            f"最后一天{'、'.join(f'{STATES[state]} {now_counts[state]} 条' for state in STATES)}。"
        ),
    }


DAYS_LISTED = 31
"""Days that the table behind the chart lists one by one; of earlier months it has the last day. Any day can be asked for."""


def _days(document: PlanDocument, course: Sequence[overview.Day]) -> list[dict[str, Any]]:
    """The table behind the chart, the newest day first; every figure opens to its rows."""
    out: list[dict[str, Any]] = []
    later: date | None = None
    for one in reversed(course):
        month_ends = later is None or (later.year, later.month) != (one.day.year, one.day.month)
        later = one.day
        if not month_ends and (course[-1].day - one.day).days >= DAYS_LISTED:
            continue
        links = Links(document, one.day)
        out.append(
            {
                "day": one.day,
                "url": links.to("programme:truth"),
                "percent": one.percent,
                "parts": links.parts(one.counts),
            }
        )
    return out


# The rows behind the numbers ------------------------------------------------------------------------------------------


def _chosen(
    request: HttpRequest, document: PlanDocument
) -> tuple[Truth, list[Judged], ClauseForm, dict[str, str]]:
    """The clauses that the address asks for; what it asks wrongly stands in the form with its error and is left out."""
    day_form = DayForm(request.GET)
    found = queries.truth_on(request.actor, document, _look(request, day_form))
    choices = {
        "state": list(STATES.items()),
        "unit": [(group.key, group.label) for group in queries.by_unit(found)],
        "chapter": [(group.label, group.label) for group in queries.by_chapter(found)],
        "kind": list(Clause.KINDS),
    }
    form = ClauseForm(request.GET, choices=choices)
    form.is_valid()
    wanted = {name: form.cleaned_data.get(name) or "" for name in choices}
    return found, overview.select(found, **wanted), form, wanted


@guarded("programme.read_ledger")
def clauses(request: HttpRequest) -> HttpResponse:
    """The rows behind every number of the overview."""
    document = _document(request)
    if document is None:
        return render(request, "programme/overview/clauses.html", {"document": None})
    found, rows, form, wanted = _chosen(request, document)
    links = Links(document, found.day)
    return render(
        request,
        "programme/overview/clauses.html",
        {
            "document": document,
            "documents": overview.plans(request.actor),
            "found": found,
            "form": form,
            "rows": [_row(judged, found.day) for judged in rows],
            "wanted": wanted,
            "narrowed": any(wanted.values()),
            "is_today": found.day == today(),
            "whole_url": links.clauses(),
            "truth_url": links.to("programme:truth"),
            "export_url": links.to("programme:export_clauses", **{k: v for k, v in wanted.items() if v}),
        },
    )


# Papers and workbooks -------------------------------------------------------------------------------------------------


def _file(data: bytes, name: str, kind: str) -> HttpResponse:
    """A file to keep. The name may be Chinese (RFC 5987)."""
    answer = HttpResponse(data, content_type=kind)
    answer.headers["Content-Disposition"] = content_disposition_header(True, name)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _needed(request: HttpRequest) -> PlanDocument:
    document = _document(request)
    if document is None:
        raise Invalid("还没有建账的计划文件，没有可以导出的内容。", todo="请先上传方案、校核并建账。")
    return document


def _asked_day(request: HttpRequest) -> date:
    """The day of a file. Raises Invalid: a file has no form in which an error could stand."""
    form = DayForm(request.GET)
    if not form.is_valid():
        raise Invalid({"day": " ".join(form.errors.get("day", []))}, todo="请回到总览页重新选择日期。")
    return form.cleaned_data["day"]


def _about(document: PlanDocument, day: date) -> str:
    return f"{document.number or document.title}，{day:%Y-%m-%d}" + ("，演示数据" if document.demo else "")


CLAUSE_COLUMNS = (
    ("条款", 8),
    ("内容", 44),
    ("类别", 10),
    ("任务", 8),
    ("任务名称", 34),
    ("章", 30),
    ("牵头单位", 18),
    ("考核日", 12),
    ("状态", 12),
    ("依据和原因", 50),
    ("指标", 30),
    ("比较", 8),
    ("目标值", 10),
    ("实测值", 10),
    ("计量单位", 10),
    ("实测时点", 12),
    ("逾期天数", 10),
)


def _clause_rows(rows: Iterable[Judged], day: date) -> Iterable[list]:
    for judged in rows:
        clause, result = judged.clause, judged.result
        snapshot = result.snapshot if result else None
        yield [
            clause.no,
            clause.text,
            clause.get_kind_display(),
            clause.task.article_no,
            clause.task.title,
            clause.task.chapter or overview.NO_CHAPTER,
            overview.lead_of(clause.task),
            clause.due_on,
            judged.title,
            judged.why,
            clause.indicator.title if clause.indicator_id else clause.name,
            clause.get_op_display() if clause.op else "",
            clause.amount,
            result.value if result else None,
            clause.measure,
            snapshot.as_of if snapshot else None,
            overview.days_late(judged, day),
        ]


@guarded("programme.read_ledger")
def export_clauses(request: HttpRequest) -> HttpResponse:
    """The clauses that the page shows, as a workbook."""
    document = _needed(request)
    _asked_day(request)
    found, rows, _, _ = _chosen(request, document)
    sheet = Sheet("条款", CLAUSE_COLUMNS, _clause_rows(rows, found.day))
    data = as_xlsx(document.title, _about(document, found.day), [sheet], found.day)
    return _file(data, f"条款清单{found.day:%Y%m%d}.xlsx", XLSX)


@guarded("programme.read_ledger")
def export_ledger(request: HttpRequest) -> HttpResponse:
    """The ledger as a workbook: tasks, steps, clauses, helpers, open sets; narrowed as the ledger's page is."""
    document = _needed(request)
    asked = {name: request.GET.get(name, "").strip()[:50] for name in ("unit", "light", "state", "q")}
    own = getattr(request.actor, "unit_id", None)
    unit = str(own or "") if asked["unit"] == "mine" else asked["unit"]
    rows = queries.ledger(
        request.actor,
        document,
        unit_id=int(unit) if unit.isascii() and unit.isdigit() and len(unit) < 16 else None,
        light=asked["light"],
        state=asked["state"],
        text=asked["q"],
    )
    chosen = {row.task.pk for row in rows}
    found = queries.truth(request.actor, document)
    judged = [one for one in found.clauses if one.clause.task_id in chosen]
    steps = [step for step in overview.steps(request.actor, document) if step.task_id in chosen]
    helpers = [helper for helper in overview.helpers(request.actor, document) if helper.task_id in chosen]
    names = {unit.id: unit.short for unit in directory.units().all()}
    sheets = [
        Sheet("任务", TASK_COLUMNS, _task_rows(rows, helpers, names)),
        Sheet("节点", STEP_COLUMNS, _step_rows(steps, names)),
        Sheet("条款", CLAUSE_COLUMNS, _clause_rows(judged, found.day)),
        Sheet("配合单位", HELPER_COLUMNS, _helper_rows(helpers, names)),
        Sheet("参与范围", SCOPE_COLUMNS, _scope_rows(overview.open_sets(request.actor, document, chosen))),
    ]
    data = as_xlsx(document.title, _about(document, found.day), sheets, found.day)
    return _file(data, f"任务台账{found.day:%Y%m%d}.xlsx", XLSX)


TASK_COLUMNS = (
    ("任务", 8),
    ("任务名称", 36),
    ("章", 30),
    ("牵头单位", 18),
    ("配合单位", 40),
    ("期限", 12),
    ("状态", 10),
    ("亮灯", 10),
    ("时限情况", 18),
    ("节点", 8),
    ("已完成节点", 10),
    ("下一节点", 34),
    ("下一节点日期", 12),
    ("下达日期", 12),
    ("办结日期", 12),
    ("对外公开", 10),
    ("原文", 60),
)


def _task_rows(rows: Sequence[queries.LedgerRow], helpers: Sequence, names: dict[int, str]) -> Iterable[list]:
    helping: dict[int, list[str]] = {}
    for helper in helpers:
        helping.setdefault(helper.task_id, []).append(names.get(helper.unit_id, ""))
    for row in rows:
        task = row.task
        closed = task.matter.closed_at if task.matter_id else None
        yield [
            task.article_no,
            task.title,
            task.chapter or overview.NO_CHAPTER,
            overview.lead_of(task),
            "、".join(helping.get(task.pk, [])),
            task.due_on,
            row.state,
            row.light.word if row.light else "",
            row.light.text if row.light else "",
            row.steps,
            row.steps_done,
            row.next_step.title if row.next_step else "",
            row.next_step.due_on if row.next_step else None,
            shanghai_date(task.issued_at) if task.issued_at else None,
            shanghai_date(closed) if closed else None,
            "是" if task.public else "否",
            task.text,
        ]


STEP_COLUMNS = (
    ("任务", 8),
    ("任务名称", 36),
    ("节点", 40),
    ("承担单位", 18),
    ("计划完成", 12),
    ("实际完成", 12),
    ("逾期天数", 10),
    ("完成情况", 60),
)


def _step_rows(steps: Iterable, names: dict[int, str]) -> Iterable[list]:
    for step in steps:
        open_task = step.task.matter_id is None or step.task.matter.closed_at is None
        end = step.done_on or (today() if open_task else step.due_on)
        yield [
            step.task.article_no,
            step.task.title,
            step.title,
            names.get(step.unit_id, ""),
            step.due_on,
            step.done_on,
            max((end - step.due_on).days, 0),
            step.result,
        ]


HELPER_COLUMNS = (
    ("任务", 8),
    ("任务名称", 36),
    ("配合单位", 20),
    ("来自概称", 28),
    ("状态", 12),
    ("完成日期", 12),
    ("配合情况", 60),
)


def _helper_rows(helpers: Iterable, names: dict[int, str]) -> Iterable[list]:
    for helper in helpers:
        part = helper.part
        yield [
            helper.task.article_no,
            helper.task.title,
            names.get(helper.unit_id, ""),
            helper.expression,
            overview.helper_state(helper),
            shanghai_date(part.done_at) if part and part.done_at else None,
            part.result if part else "",
        ]


SCOPE_COLUMNS = (
    ("任务", 8),
    ("任务名称", 36),
    ("概称", 28),
    ("单位", 36),
)


def _scope_rows(sets: Iterable[overview.OpenSet]) -> Iterable[list]:
    """One row for each unit of each set of each task, so that a sheet can be filtered by any of them."""
    rows = [
        [task.article_no, task.title, found.expression, unit]
        for found in sets
        for task in found.tasks
        for unit in found.units
    ]
    return sorted(rows, key=lambda row: row[0])


@guarded("programme.oversee")
def report(request: HttpRequest) -> HttpResponse:
    """The progress report on a day, as .docx or .pdf."""
    document, day = _needed(request), _asked_day(request)
    kind = request.GET.get("format", "docx")
    if kind not in FORMATS:
        raise Invalid({"format": f"没有“{kind[:20]}”这种格式。"}, todo="请选择 docx 或 pdf。")
    found = queries.truth_on(request.actor, document, day)
    paper = report_paper(
        found,
        queries.by_unit(found),
        queries.by_chapter(found),
        overview.targets(found.clauses),
        overview.course(request.actor, document, found if found.day == today() else None),
        queries.ledger(request.actor, document),
        overview.open_sets(request.actor, document),
    )
    return _paper(paper, f"实施情况报告{found.day:%Y%m%d}", kind)


@guarded("programme.read_ledger")
def letter_file(request: HttpRequest, letter_id: int, format: str) -> HttpResponse:
    """A letter of supervision as an official paper, for whoever may read the letter."""
    letter = queries.letter(request.actor, letter_id)
    return _paper(letters.paper_of(letter), letter.number or letter.get_kind_display(), format)


def _paper(paper: Paper, name: str, kind: str) -> HttpResponse:
    draw, media_type = FORMATS[kind]
    return _file(draw(paper), f"{name}.{kind}", media_type)


# The wall -------------------------------------------------------------------------------------------------------------

WALL_LATE, WALL_ROWS = 4, 7
"""Rows of the lists on the wall, late ones and all: what fits without scrolling, at a size that is read from six metres."""


@guarded("programme.read_ledger")
def wall(request: HttpRequest) -> HttpResponse:
    """The plan on the big screen, renewed every minute."""
    document = _document(request)
    if document is None:
        return render(request, "programme/overview/wall.html", {"document": None})
    seen = overview.wall(request.actor, document)
    links = Links(document, seen.truth.day)
    return render(
        request,
        "programme/overview/wall.html",
        {
            "document": document,
            "documents": overview.plans(request.actor),
            "seen": seen,
            "moment": now(),
            "parts": links.parts(seen.truth.counts),
            "truth_url": links.to("programme:truth"),
            "late": seen.late[:WALL_LATE],
            "late_more": max(len(seen.late) - WALL_LATE, 0),
            "next": seen.next[: WALL_ROWS - min(len(seen.late), WALL_LATE)],
            "points": [(f"{one.day:%m-%d}", one.percent) for one in seen.course],
            "chart": _chart(seen.course, seen.truth.day),
        },
    )


# What the public sees -------------------------------------------------------------------------------------------------


@guarded("programme.read_public")
def public(request: HttpRequest) -> HttpResponse:
    """The published tasks by chapter: who, until when, how far."""
    rows = overview.published()
    units = {str(row.found.task.lead_unit_id): row.found.lead for row in rows}
    figures = overview.public_figures(rows)
    form = PublicForm(
        request.GET,
        choices={
            "unit": sorted(units.items(), key=lambda pair: pair[1]),
            "state": [(figure.state, figure.label) for figure in figures],
        },
    )
    form.is_valid()
    asked = {name: form.cleaned_data.get(name) or "" for name in ("q", "unit", "state")}
    shown = overview.search_published(rows, text=asked["q"], unit=asked["unit"], state=asked["state"])
    chapters: dict[tuple[str, str], list] = {}
    for row in shown:
        task = row.found.task
        chapters.setdefault((str(task.document), task.chapter), []).append(row)
    return render(
        request,
        "programme/overview/public.html",
        {
            "form": form,
            "asked": asked,
            "narrowed": any(asked.values()),
            "chapters": [(chapter, of) for (_, chapter), of in chapters.items()],
            "shown": len(shown),
            "total": len(rows),
            "figures": figures,
            "documents": list({row.found.task.document_id: row.found.task.document for row in rows}.values()),
        },
    )


@guarded("programme.read_public")
def public_task(request: HttpRequest, task_id: int) -> HttpResponse:
    """One published task: what, who, until when, how far, and what was measured."""
    row = overview.published_task(task_id)
    return render(
        request,
        "programme/overview/public_task.html",
        {"row": row, "task": row.found.task, "lead": row.found.lead, "targets": row.targets},
    )


FEED_ENTRIES = 50


@guarded("programme.read_public")
def public_feed(request: HttpRequest) -> HttpResponse:
    """What changed among the published tasks, as Atom: a task was published, a task is done."""
    district = pack().district["name"]
    feed = Atom1Feed(
        title=f"{district}方案落实情况",
        link=request.build_absolute_uri(reverse("programme:public")),
        feed_url=request.build_absolute_uri(),
        description="公开的任务及其完成情况",
        language="zh-Hans",
    )
    for change in overview.public_changes(overview.published(), FEED_ENTRIES):
        task = change.row.found.task
        link = request.build_absolute_uri(change.url)
        feed.add_item(
            title=f"{change.what}：{task.title}",
            link=link,
            unique_id=f"{link}#{'done' if change.what == '完成' else 'published'}",
            description=f"牵头单位：{change.row.found.lead}。进展：{change.row.word}。{task.summary}",
            pubdate=change.at,
            updateddate=change.at,
        )
    return HttpResponse(feed.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")
