"""What all benches share: options, repeated timing, the table and the JSON line."""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """One line of a table: what was done, how often a second (median of the rounds), and beside what."""

    work: str
    per_second: float
    beside: str = ""
    ratio: float | None = None
    """Ours over the other's; absent for the other's own line."""
    note: str = ""


def options(description: str) -> argparse.Namespace:
    """The two options of every bench."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="end within 45 seconds")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    return parser.parse_args()


def rate(run: Callable[[], object], *, seconds: float, rounds: int = 5) -> float:
    """Calls per second: the median of some rounds after a warm-up, so that one disturbance does not count."""
    run()
    rates = []
    for _ in range(rounds):
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds / rounds:
            run()
            count += 1
        rates.append(count / (time.perf_counter() - start))
    return statistics.median(rates)


def show(title: str, rows: list[Row], arguments: argparse.Namespace, **figures: float) -> None:
    """Print the table, and the JSON line when it was asked for."""
    print(f"\n{title}")
    for row in rows:
        beside = f"  ×{row.ratio:.2f} {row.beside}" if row.ratio is not None else ""
        print(
            f"  {row.per_second:>12,.1f} /s  {row.work}{beside}{'  (' + row.note + ')' if row.note else ''}"
        )
    for name, value in figures.items():
        print(f"  {name} = {value:.2f}")
    if arguments.json:
        print(
            json.dumps({"title": title, "rows": [asdict(row) for row in rows], **figures}, ensure_ascii=False)
        )
