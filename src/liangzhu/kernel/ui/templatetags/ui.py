"""The tags every page uses: ``{% load ui %}``. README.md of this app lists them with an example each."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from django import template
from django.contrib.staticfiles import finders
from django.forms import BoundField, CheckboxInput, FileInput
from django.template import Context
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from liangzhu.kernel.now import SHANGHAI, now, today
from liangzhu.kernel.ui import drawing, icons
from liangzhu.kernel.ui import nav as navigation
from liangzhu.kernel.ui.forms import Form

register = template.Library()

LIGHTS = {"ok": "正常", "near": "临期", "over": "超承诺", "law": "超法定", "none": "未起算", "done": "办结"}
NO_DATA = mark_safe('<span class="muted" title="暂无数据">—</span>')
STEPS = {"done": "已办", "now": "正在办理", "todo": "未到", "skip": "不适用"}


# Shell ----------------------------------------------------------------------------------------------------------------


@register.simple_tag
def assets() -> SafeString:
    """Style and script of the house: the bundle when it was built, else the sources, so that a clone without Node works."""
    return format_html('<link rel="stylesheet" href="{}"><script type="module" src="{}"></script>', *bundle())


def bundle() -> tuple[str, str]:
    """The addresses of style and script."""
    place = "dist/ui.{}" if finders.find("dist/ui.css") else "ui/{0}/ui.{0}"
    return static(place.format("css")), static(place.format("js"))


@register.simple_tag(takes_context=True)
def nav_groups(context: Context, face: str) -> list[navigation.Group]:
    """``{% nav_groups "workbench" as groups %}``: what the present actor may open on a face."""
    request = context["request"]
    return navigation.items(face, request.actor, request)


@register.simple_tag
def icon(name: str) -> SafeString:
    """``{% icon "search" %}``: an icon beside a word; readers of the page do not hear it."""
    return icons.icon(name)


@register.simple_tag
def breadcrumbs(*parts: Any) -> SafeString:
    """``{% breadcrumbs "工作台" home "任务台账" ledger "任务 5" %}``: label, address, …, and last the page itself."""
    pairs = [(str(parts[n]), str(parts[n + 1])) for n in range(0, len(parts) - 1, 2)]
    here = str(parts[-1]) if len(parts) % 2 else ""
    links = format_html_join("", '<li><a href="{}">{}</a></li>', ((url, label) for label, url in pairs))
    last = format_html('<li aria-current="page">{}</li>', here) if here else ""
    return format_html('<nav class="crumbs" aria-label="所在位置"><ol>{}{}</ol></nav>', links, last)


@register.inclusion_tag("ui/page_links.html")
def page_links(page: Any) -> dict[str, Any]:
    """``{% page_links page %}``: ways to the next and previous rows; ``page.next`` and ``.previous`` are query strings."""
    return {"next": getattr(page, "next", None), "previous": getattr(page, "previous", None)}


@register.simple_tag
def empty(title: str, text: str = "", url: str = "", label: str = "") -> SafeString:
    """``{% empty "还没有任务" "下达后出现在这里。" url "新建任务" %}``: what would be here, and what to do."""
    action = format_html('<p><a class="btn quiet" href="{}">{}</a></p>', url, label) if url else ""
    words = format_html("<p>{}</p>", text) if text else ""
    return format_html('<div class="empty"><p class="empty-title">{}</p>{}{}</div>', title, words, action)


# Forms ----------------------------------------------------------------------------------------------------------------


@register.inclusion_tag("ui/form.html", takes_context=True)
def form(
    context: Context,
    form: Form,
    submit: str = "提交",
    effect: str = "",
    cancel: str = "",
    cancel_label: str = "返回",
    keep: str = "",
    action: str = "",
    also: str = "",
    also_name: str = "",
    danger: bool = False,
    confirm: str = "",
) -> dict[str, Any]:
    """A whole form: csrf, once, version, what went wrong, the fields, the buttons.

    ``effect`` says beside the button what will happen; ``keep`` names the draft kept in the browser; ``cancel`` is the way
    back; ``also`` with ``also_name`` is a second submit button; ``confirm`` is asked before sending (with script).
    """
    return {
        **_head(context, form),
        "submit": submit,
        "effect": effect,
        "cancel": cancel,
        "cancel_label": cancel_label,
        "keep": keep,
        "action": action,
        "also": also,
        "also_name": also_name,
        "danger": danger,
        "confirm": confirm,
        "fieldsets": _fieldsets(form),
    }


@register.inclusion_tag("ui/form_head.html", takes_context=True)
def form_head(context: Context, form: Form) -> dict[str, Any]:
    """The inside top of a form that a page lays out itself: csrf, once, version, what went wrong."""
    return _head(context, form)


@register.inclusion_tag("ui/form_faults.html")
def form_faults(form: Form) -> dict[str, Any]:
    """What went wrong, alone: for a form that is sent as an address (GET), where nothing secret belongs."""
    return {"form": form, "errors": form.error_list() if form.is_bound else []}


@register.inclusion_tag("ui/field.html")
def field(bound: BoundField) -> dict[str, Any]:
    """``{% field form.due %}``: label, help, error and control of one field."""
    widget = bound.field.widget
    lost = isinstance(widget, FileInput) and bound.form.is_bound and not bound.form.is_valid()
    return {
        "field": bound,
        "optional": not bound.field.required and not isinstance(widget, CheckboxInput),
        "single_box": isinstance(widget, CheckboxInput),
        "choose_again": lost and bound.html_name in bound.form.files,
    }


def _head(context: Context, form: Form) -> dict[str, Any]:
    return {
        "form": form,
        "request": context.get("request"),
        "csrf_token": context.get("csrf_token"),
        "errors": form.error_list() if form.is_bound else [],
    }


def _fieldsets(form: Form) -> list[tuple[str, list[BoundField]]]:
    named = {name for _, names in form.fieldsets for name in names}
    groups = [
        (title, [form[name] for name in names if name in form.fields]) for title, names in form.fieldsets
    ]
    rest = [bound for bound in form.visible_fields() if bound.name not in named]
    if rest:
        groups.append(("", rest))
    return [(title, fields) for title, fields in groups if fields]


# Pieces ---------------------------------------------------------------------------------------------------------------


@register.simple_tag
def light(state: str, text: str = "", url: str = "") -> SafeString:
    """``{% light "near" "临期 · 剩 2 个工作日" url %}``: shape, word and colour; opens the clock that made it.

    ``state`` is ok, near, over, law, none or done. Raises ValueError for another one.
    """
    if state not in LIGHTS:
        raise ValueError(f"unknown light {state!r}; one of {', '.join(LIGHTS)}")
    words = text or LIGHTS[state]
    if url:
        return format_html('<a class="light {}" href="{}">{}</a>', state, url, words)
    return format_html('<span class="light {}">{}</span>', state, words)


@register.inclusion_tag("ui/clock_bar.html")
def clock_bar(
    used: float | None,
    promised: float | None = None,
    state: str = "ok",
    stops: Sequence[tuple[float, float]] = (),
    words: str = "",
) -> dict[str, Any]:
    """``{% clock_bar 55 62 "ok" %}``: a clock in a row. All figures are shares in percent of the legal term.

    ``used`` is the time gone, ``promised`` where the promised term ends, ``stops`` stretches (start, end) when it stood.
    """
    return {
        "used": drawing.share(used),
        "promised": None if promised is None else drawing.share(promised),
        "state": state,
        "stops": drawing.stretches(stops),
        "words": words,
    }


@register.inclusion_tag("ui/clock_arcs.html")
def clock_arcs(
    legal: float | None,
    promised: float | None = None,
    state: str = "ok",
    number: Any = "",
    unit: str = "",
    under: str = "",
    stops: Sequence[tuple[float, float]] = (),
) -> dict[str, Any]:
    """The clock as two arcs, promised inside legal. ``legal`` and ``promised`` are the shares used, in percent.

    ``number`` and ``unit`` stand in the middle (3, 个工作日), ``under`` below; ``stops`` are stretches of the legal arc.
    """
    return {
        "legal_track": drawing.arc(84, 0, 100),
        "legal": drawing.arc(84, 0, drawing.share(legal)) if drawing.share(legal) else "",
        "stops": [drawing.arc(84, drawing.share(a), drawing.share(b)) for a, b in stops if b > a],
        "promised_track": drawing.arc(66, 0, 100) if promised is not None else "",
        "promised": drawing.arc(66, 0, drawing.share(promised))
        if promised and drawing.share(promised)
        else "",
        "state": state,
        "number": number,
        "unit": unit,
        "under": under,
    }


@register.inclusion_tag("ui/path.html")
def path(steps: Iterable[Mapping[str, Any]], label: str = "办理进度") -> dict[str, Any]:
    """``{% path steps %}``: where a matter is, a beam across pillars.

    A step is ``{title, state: done|now|todo|skip, mine, note, url, parts}``; ``parts`` are steps that run side by side.
    """
    return {"steps": [_step(step) for step in steps], "label": label}


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    state = step.get("state", "todo")
    if state not in STEPS:
        raise ValueError(f"unknown state of a step {state!r}; one of {', '.join(STEPS)}")
    parts = [_step(part) for part in step.get("parts", ())]
    return {**step, "state": state, "word": STEPS[state], "parts": parts}


@register.simple_tag
def number(value: Any, url: str = "", unit: str = "") -> SafeString:
    """``{% number 87.2 url "%" %}``: a figure that opens to its definition and rows; None shows as —."""
    if value is None or value == "":
        return NO_DATA
    words = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    inside = format_html('{}<span class="unit">{}</span>', words, unit) if unit else format_html("{}", words)
    if url:
        return format_html('<a class="num" href="{}">{}</a>', url, inside)
    return format_html('<span class="figure">{}</span>', inside)


@register.inclusion_tag("ui/stat.html")
def stat(
    label: str, value: Any, url: str = "", unit: str = "", note: str = "", state: str = ""
) -> dict[str, Any]:
    """``{% stat "按时办结率" 99.4 url "%" "承诺时限" "ok" %}``: a tile with a figure; ``state`` colours the note."""
    return {"label": label, "value": value, "url": url, "unit": unit, "note": note, "state": state}


@register.simple_tag
def source_tag(
    source: str, when: date | datetime | None = None, url: str = "", given: bool = False
) -> SafeString:
    """``{% source_tag "区卫健委" when url %}``: beside a value that came from government, not from the applicant.

    ``given=True``: the applicant gave it. ``when`` is the moment of reading; ``url`` opens the receipt.
    """
    if given:
        words = f"申请人提交 · {source}" if source else "申请人提交"
    else:
        words = " · ".join(part for part in (f"来自 {source}", cn_when(when), "不用您提交") if part)
    kind = "source given" if given else "source"
    if url:
        return format_html('<a class="{}" href="{}">{}</a>', kind, url, words)
    return format_html('<span class="{}">{}</span>', kind, words)


@register.inclusion_tag("ui/seal.html")
def seal(text: str, url: str = "", label: str = "") -> dict[str, Any]:
    """``{% seal "行政审批" url %}``: a drawn seal of up to nine characters; ``url`` leads to the proof."""
    return {"chars": drawing.seal_grid(text), "url": url, "label": label or f"印章：{text}"}


@register.simple_tag
def unconfirmed(source: str = "") -> SafeString:
    """``{% unconfirmed source %}``: marks a local value that nobody of the district has confirmed yet."""
    if not source:
        return format_html('<span class="unconfirmed">{}</span>', "待确认")
    return format_html(
        '<span class="unconfirmed">{}<span class="unconfirmed-source">{}</span></span>',
        "待确认",
        f"（{source}）",
    )


@register.inclusion_tag("ui/bars.html")
def bars(rows: Iterable[Mapping[str, Any]], top: float | None = None, label: str = "") -> dict[str, Any]:
    """``{% bars rows %}``: horizontal bars. A row is ``{label, value, text, url, state}``.

    ``value`` is a number (None: no data), ``text`` what is written beside it; ``top`` is the value of a full bar, the
    largest value if absent. ``state`` is ok, near, over, law, none or empty.
    """
    listed = [dict(row) for row in rows]
    full = float(top or max((float(row.get("value") or 0) for row in listed), default=0) or 1)
    for row in listed:
        value = row.get("value")
        row["share"] = drawing.share(100 * float(value or 0) / full)
        row["words"] = row.get("text") or ("—" if value is None else value)
    return {"rows": listed, "label": label}


@register.inclusion_tag("ui/stacked.html")
def stacked(parts: Iterable[Mapping[str, Any]], label: str = "") -> dict[str, Any]:
    """``{% stacked parts "任务状态" %}``: one bar of several parts with its legend. A part is ``{label, value, state, url}``."""
    listed = [dict(part) for part in parts]
    total = sum(float(part.get("value") or 0) for part in listed)
    at = 0.0
    for part in listed:
        part["share"] = round(100 * float(part.get("value") or 0) / total, 2) if total else 0
        part["at"] = round(at, 2)
        at += part["share"]
    return {"parts": listed, "label": label}


@register.inclusion_tag("ui/line_chart.html")
def line_chart(
    points: Iterable[tuple[Any, Any]], label: str, unit: str = "", target: float | None = None
) -> dict[str, Any]:
    """``{% line_chart points "一网通办率" "%" 85 %}``: a small line with its table. Points are (label, value or None)."""
    listed = [(str(name), None if value is None else float(value)) for name, value in points]
    known = [(name, value) for name, value in listed if value is not None]
    if not known:
        return {"label": label, "rows": [], "empty": True}
    figures = [value for _, value in known]
    goal = None if target is None else float(target)
    scale = drawing.ticks([*figures, goal] if goal is not None else figures)
    runs = drawing.lines([value for _, value in listed], scale)
    span = scale[-1] - scale[0]
    summary = (
        f"{label}：{known[0][0]} {known[0][1]:g}{unit}，{known[-1][0]} {known[-1][1]:g}{unit}，"
        f"最高 {max(figures):g}{unit}，最低 {min(figures):g}{unit}，{drawing.trend(figures)}。"
    )
    step = max(1, -(-len(listed) // 6))
    return {
        "label": label,
        "unit": unit,
        "summary": summary if goal is None else f"{summary}目标 {goal:g}{unit}。",
        "runs": [{"line": drawing.polyline(run), "area": drawing.area(run)} for run in runs],
        "last": runs[-1][-1],
        "target": None if goal is None else round(100 - 100 * (goal - scale[0]) / span, 2),
        "goal": goal,
        "ticks": list(reversed(scale)),
        "grid": [round(100 - 100 * (tick - scale[0]) / span, 2) for tick in scale],
        "names": [name if (len(listed) - 1 - n) % step == 0 else "" for n, (name, _) in enumerate(listed)],
        "rows": listed,
    }


# Filters --------------------------------------------------------------------------------------------------------------


def _local(value: datetime) -> datetime:
    return value.astimezone(SHANGHAI) if value.tzinfo else value.replace(tzinfo=SHANGHAI)


@register.filter
def cn_date(value: date | datetime | None) -> str:
    """2022年10月20日, in Shanghai; empty for nothing."""
    if not value:
        return ""
    day = _local(value).date() if isinstance(value, datetime) else value
    return f"{day.year}年{day.month}月{day.day}日"


@register.filter
def cn_datetime(value: datetime | None) -> str:
    """10月20日 10:32, in Shanghai; with the year when it is not the present one; empty for nothing."""
    if not value:
        return ""
    if not isinstance(value, datetime):
        return cn_date(value)
    local = _local(value)
    year = "" if local.year == now().astimezone(SHANGHAI).year else f"{local.year}年"
    return f"{year}{local.month}月{local.day}日 {local:%H:%M}"


@register.filter
def cn_when(value: date | datetime | None) -> str:
    """As one says it: 今天 10:32, 昨天 16:05, 10月11日 09:12; a day without time is 今天, 昨天 or its date."""
    if not value:
        return ""
    moment = isinstance(value, datetime)
    day = _local(value).date() if moment else value
    clock = f" {_local(value):%H:%M}" if moment else ""
    if day == today():
        return f"今天{clock}"
    if day == today() - timedelta(days=1):
        return f"昨天{clock}"
    return cn_datetime(value) if moment else cn_date(value)


@register.filter
def percent(value: Any, digits: int = 1) -> str:
    """A share as percent: 0.8723 is 87.2%, 0.85 is 85%; ``—`` for nothing. Half rounds up."""
    if value is None or value == "":
        return "—"
    try:
        exact = Decimal(str(value)) * 100
    except InvalidOperation:
        raise ValueError(f"not a share: {value!r}") from None
    text = f"{exact.quantize(Decimal(1).scaleb(-int(digits)), ROUND_HALF_UP)}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}%"


@register.filter
def filesize_cn(value: int | None) -> str:
    """A size in bytes for people: 860 字节, 12 KB, 1.2 MB, 3.4 GB."""
    size = float(value or 0)
    if size < 1024:
        return f"{int(size)} 字节"
    for unit in ("KB", "MB", "GB"):
        size /= 1024
        if size < 1024 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "KB" or size >= 100 else f"{size:.1f} {unit}"
    raise AssertionError("unreachable")
