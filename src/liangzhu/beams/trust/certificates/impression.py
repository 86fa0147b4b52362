"""A seal drawn as SVG (印模): the name of the unit on its arc, a star, the use below it, the number at the foot.

Colours and sizes are SVG attributes: pages are served without inline style.
"""

import math
import unicodedata

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

CINNABAR = "#A8322A"
FACES = "Noto Serif CJK SC, Songti SC, SimSun, serif"
SIZE, CENTRE = 120, 60


def impression(legend: str, use: str, number: str, *, label: str = "", millimetres: int = 0) -> SafeString:
    """The seal; ``use`` is left out for 公章. ``millimetres`` gives its size on paper; on a page style does."""
    size = (
        format_html('width="{0}mm" height="{0}mm"', millimetres)
        if millimetres
        else format_html('width="{0}" height="{0}"', SIZE)
    )
    return format_html(
        '<svg class="stamp" viewBox="0 0 {0} {0}" {1} role="img" aria-label="{2}" focusable="false">'
        '<circle cx="60" cy="60" r="57.5" fill="none" stroke="{3}" stroke-width="2.6"/>'
        '<path d="{4}" fill="{3}"/><g fill="{3}" font-family="{5}" text-anchor="middle">{6}{7}{8}</g></svg>',
        SIZE,
        size,
        label or f"印章：{legend}{use}，编码 {number}",
        CINNABAR,
        _star(60, 58, 15),
        FACES,
        _arc(legend, radius=44.5, span=_span(legend), size=_size(legend), top=True),
        _line(use),
        _arc(number, radius=51.5, span=74, size=6, top=False),
    )


def _span(legend: str) -> float:
    """Degrees that a name takes: the longer, the wider, never more than 250."""
    return min(250.0, 24.0 * max(len(legend) - 1, 1))


def _size(legend: str) -> float:
    """Size of type: as large as the arc has room for, at most 13.5."""
    room = math.radians(_span(legend)) * 44.5 / max(len(legend) - 1, 1)
    return round(min(13.5, room * 0.94), 2)


def _arc(text: str, *, radius: float, span: float, size: float, top: bool) -> SafeString:
    """Characters along an arc, each in its own place: text on a path is not drawn alike everywhere."""
    step = span / max(len(text) - 1, 1)
    rows = []
    for place, char in enumerate(text):
        turn = -span / 2 + step * place if len(text) > 1 else 0.0
        angle = math.radians(turn)
        sign = -1 if top else 1
        x, y = CENTRE + radius * math.sin(angle), CENTRE + sign * radius * math.cos(angle)
        rows.append((f"{x:.2f}", f"{y:.2f}", f"{turn if top else -turn:.2f}", f"{size * 0.36:.2f}", char))
    return format_html(
        '<g font-size="{}" font-weight="{}">{}</g>',
        size,
        700 if top else 400,
        format_html_join("", '<text transform="translate({},{}) rotate({})" y="{}">{}</text>', rows),
    )


def _line(use: str) -> SafeString:
    if not use or use == "公章":
        return mark_safe("")
    wide = sum(1 if unicodedata.east_asian_width(char) in "WF" else 0.5 for char in use)
    size = round(min(12.5, 66 / wide), 2)
    return format_html('<text x="60" y="90" font-size="{}" font-weight="700">{}</text>', size, use)


def _star(x: float, y: float, radius: float) -> str:
    points = []
    for place in range(10):
        angle = math.radians(-90 + 36 * place)
        far = radius if place % 2 == 0 else radius * 0.382
        points.append(f"{x + far * math.cos(angle):.2f} {y + far * math.sin(angle):.2f}")
    return f"M{'L'.join(points)}Z"
