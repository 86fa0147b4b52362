"""Light, clock and path of a matter: ``{% load matters %}``. They draw with the pieces of `kernel.ui`.

The clock tags carry the names of those pieces on purpose: load this library after ``ui`` and they take a
matter.
"""

from typing import Any
from uuid import uuid4

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString

from liangzhu.beams.work.matters import lights, queries, showing
from liangzhu.beams.work.matters.clocks import last_day, work_calendar
from liangzhu.beams.work.matters.engine import process_of
from liangzhu.beams.work.matters.models import Matter
from liangzhu.kernel.search import highlight
from liangzhu.kernel.ui.templatetags import ui
from liangzhu.kernel.workdays import Day

register = template.Library()


@register.simple_tag
def light_of(matter: Matter, link: bool = False) -> SafeString:
    """``{% light_of matter %}``: shape and words; with ``link=True`` it opens the clock that made it."""
    found = lights.light(matter)
    return ui.light(found.shape, found.text, reverse("matters:clock", args=[matter.pk]) if link else "")


@register.inclusion_tag("ui/clock_bar.html")
def clock_bar(matter: Matter) -> dict[str, Any]:
    """``{% clock_bar matter %}``: the clock as a thin bar, for rows."""
    used, promised = lights.bar(matter)
    return ui.clock_bar(used, promised, lights.light(matter).shape)


@register.inclusion_tag("matters/clock_arcs.html")
def clock_arcs(matter: Matter, link: bool = True) -> dict[str, Any]:
    """``{% clock_arcs matter %}``: promised inside legal as two arcs, and in words."""
    found = lights.clock_of(matter)
    promised, legal = found.promised, found.legal
    leg = promised or legal
    context = {"leg": leg, "light": lights.light(matter), "url": ""}
    if link:
        context["url"] = reverse("matters:clock", args=[matter.pk])
    if leg is None:
        return context
    # One clock alone is drawn as the inner arc, which carries the colour of the light.
    both = promised is not None and legal is not None
    late = f"已超{leg.kind_title}" if leg.late else leg.kind_title
    return context | {
        "both": both,
        "outer": legal.used if both else None,
        "inner": leg.used,
        "stretches": legal.stretches if both else (),
        "state": context["light"].shape,
        "unit": "" if leg.paused else f"{leg.measure}（{late}）",
        "under": "中止计时" if leg.paused else f"{showing.end_words(leg)}到期",
        "notes": _notes(leg, legal if both else None),
    }


def _notes(leg: lights.Leg | None, legal: lights.Leg | None) -> list[str]:
    """What stands below the arcs: the legal term, the holidays on the way, why the clock stands still."""
    found = []
    if legal:
        found.append(f"{legal.title}：{showing.words(legal)}")
    if leg and leg.paused:
        found.append(leg.stops[-1].reason)
    elif leg:
        found += [
            text
            for text in (showing.holidays(leg.skipped), "放假安排公布前为暂定" if leg.provisional else "")
            if text
        ]
    return found


@register.simple_tag
def new_key() -> str:
    """``{% new_key %}``: the ``once`` of a form that a page draws by hand."""
    return uuid4().hex


@register.filter
def clock_words(leg: lights.Leg) -> str:
    """``{{ leg|clock_words }}``: a clock in one sentence."""
    return showing.words(leg)


@register.filter
def day_words(day: Any) -> str:
    """``{{ day|day_words }}``: 10月25日（周二）."""
    return showing.day_words(day)


@register.filter
def due_day(moment: Any) -> str:
    """``{{ row.light.due_at|due_day }}``: the last day before an end, which is exclusive."""
    return showing.day_words(last_day(moment))


@register.filter
def found(text: str, query: str) -> SafeString:
    """``{{ title|found:q }}``: a text with what was looked for marked."""
    return highlight(text, query)


@register.filter
def day_mark(day: Day) -> dict[str, str]:
    """``{{ day|day_mark }}``: how a day of the calendar is drawn: its ``kind`` and, where it is notable, a ``letter``."""
    weekend = day.date.weekday() >= 5
    if day.date in work_calendar().overrides:
        return {"kind": f"local{'' if day.workday else ' off'}", "letter": "本"}
    if day.workday and weekend:
        return {"kind": "makeup", "letter": "班"}
    if not day.workday and not weekend:
        return {"kind": "holiday off", "letter": "休"}
    return {"kind": "" if day.workday else "off", "letter": ""}


@register.filter
def at_key(table: dict, key: Any) -> Any:
    """``{{ names|at_key:post_id }}``: the value of a mapping, "" when there is none."""
    return table.get(key, "")


@register.inclusion_tag("ui/path.html", takes_context=True)
def path_of(context: template.Context, matter: Matter) -> dict[str, Any]:
    """``{% path_of matter %}``: where it is, with its parts as parallel beams."""
    actor = context["request"].actor
    lines = queries.history(actor, matter)
    parts = [(view, []) for view in queries.parts(actor, matter)]
    return ui.path(showing.path(matter, process_of(matter).flow, lines, parts))
