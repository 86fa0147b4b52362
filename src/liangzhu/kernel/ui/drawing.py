"""Small drawings made on the server as SVG: clocks, bars, lines, seals.

Sizes and positions are SVG attributes, never ``style``: pages are served with ``style-src 'self'``. Text stands in HTML
beside the drawing, so that it keeps its size at 360 px; every drawing has the same facts in words.
"""

import math
from collections.abc import Sequence
from itertools import pairwise


def share(value: float | None) -> float:
    """A share in percent held between 0 and 100; None is 0."""
    return round(min(100.0, max(0.0, float(value or 0))), 2)


def arc(radius: float, start: float, end: float, centre: tuple[float, float] = (100, 100)) -> str:
    """SVG path of an arc on the clock's open circle. ``start`` and ``end`` are shares (0-100) of its 240 degrees."""

    def point(at: float) -> tuple[float, float]:
        angle = math.radians(150 + 240 * at / 100)
        return centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle)

    (x1, y1), (x2, y2) = point(start), point(end)
    large = 1 if (end - start) * 2.4 > 180 else 0
    return f"M{x1:.2f} {y1:.2f}A{radius} {radius} 0 {large} 1 {x2:.2f} {y2:.2f}"


def ticks(values: Sequence[float], around: int = 4) -> list[float]:
    """Round figures that enclose the values, lowest first: what an axis is labelled with.

    Starts at zero unless the values lie close together and far from it.
    """
    low, high = min(values), max(values)
    if (low > 0 and (high - low) > high * 0.35) or low == high:
        low = min(0.0, low)
    if low == high:
        high = low + 1
    raw = (high - low) / around
    magnitude = 10 ** math.floor(math.log10(raw))
    step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if m * magnitude >= raw * 0.999)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(n * step, 10) for n in range(first, last + 1)]


def lines(values: Sequence[float | None], scale: Sequence[float]) -> list[list[tuple[float, float]]]:
    """Runs of points on a 100 by 100 field, each in the middle of its column, broken where a value is missing."""
    low, high = scale[0], scale[-1]
    runs: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
            continue
        x = 100 * (place + 0.5) / len(values)
        runs[-1].append((round(x, 2), round(100 - 100 * (value - low) / (high - low), 2)))
    return [run for run in runs if run]


def stretches(parts: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """(start, length) of stretches given as (start, end) shares."""
    return [(share(start), round(share(end) - share(start), 2)) for start, end in parts if end > start]


def seal_grid(text: str) -> list[tuple[str, float, float, float]]:
    """(character, x, y, size) of a seal on a 48 by 48 square: rows of two, or of three from the fifth character on."""
    text = "".join(text.split())[:9]
    across = 1 if len(text) == 1 else 2 if len(text) <= 4 else 3
    down = math.ceil(len(text) / across)
    size = min(38 / across, 38 / down)
    top = 24 - size * down / 2
    left = 24 - size * across / 2
    return [
        (
            char,
            round(left + size * (n % across + 0.5), 2),
            round(top + size * (n // across + 0.86), 2),
            round(size * 0.92, 2),
        )
        for n, char in enumerate(text)
    ]


def polyline(run: Sequence[tuple[float, float]]) -> str:
    """``points`` of a polyline."""
    return " ".join(f"{x:g},{y:g}" for x, y in run)


def area(run: Sequence[tuple[float, float]]) -> str:
    """``points`` of the area under a run."""
    return f"{run[0][0]:g},100 {polyline(run)} {run[-1][0]:g},100"


def trend(values: Sequence[float]) -> str:
    """In a word: 上升, 下降, 持平 or 起伏."""
    steps = [later - earlier for earlier, later in pairwise(values)]
    if not any(steps):
        return "持平"
    if all(step >= 0 for step in steps):
        return "上升"
    return "下降" if all(step <= 0 for step in steps) else "起伏"
