"""Figures for Prometheus (运行指标), at ``/metrics``: counted while working, and looked up when asked.

Several server processes count into one folder (``PROMETHEUS_MULTIPROC_DIR``, set by ``liangzhu up``); what stands in
the database is asked of it by whichever process is scraped. Labels are names of routes, actions and kinds: few, and
never a person's.
"""

from collections.abc import Iterable

from django.db import DatabaseError
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.models import LogLeaf, PeriodicRun
from liangzhu.kernel.observing import listen
from liangzhu.kernel.outbox import outbox_state

BOUND = 100_000
"""Rows counted at most for one figure: beyond it a scrape says this number."""

requests = Counter("liangzhu_requests", "Requests answered", ["route", "method", "status"])
latency = Histogram(
    "liangzhu_request_seconds",
    "Time from the first byte of a request to the answer",
    ["route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
actions = Counter("liangzhu_actions", "Actions done, refused or failed", ["action", "outcome"])
deliveries = Counter("liangzhu_deliveries", "Deliveries of the outbox", ["handler", "outcome"])
database_errors = Counter(
    "liangzhu_database_errors", "Errors of the database that reached an action", ["kind"]
)


def _count(what: str, facts: dict) -> None:
    if what == "action":
        actions.labels(facts["name"], facts["outcome"]).inc()
        if error := facts.get("error"):
            database_errors.labels(error).inc()
    elif what == "delivery":
        deliveries.labels(facts["handler"], facts["outcome"]).inc()


listen(_count)


def answered(route: str, method: str, status: int, seconds: float) -> None:
    """Count a request."""
    requests.labels(route, method, str(status)).inc()
    latency.labels(route).observe(seconds)


def _bounded(rows) -> int:
    return rows.order_by()[:BOUND].count()


class _Stored(Collector):
    """What stands in the database when somebody asks. A database that is away gives ``liangzhu_database_up 0``."""

    def describe(self) -> list:
        """Nothing beforehand: registering must not ask the database."""
        return []

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """All of it, or that it cannot be had."""
        up = GaugeMetricFamily("liangzhu_database_up", "Whether the database answers")
        try:
            found = list(self._figures())
            up.add_metric([], 1)
        except DatabaseError:
            found = []
            up.add_metric([], 0)
        return [up, *found]

    def _figures(self) -> Iterable[GaugeMetricFamily]:
        state = outbox_state()
        outbox = GaugeMetricFamily("liangzhu_outbox", "Deliveries owed, by how they stand", labels=["state"])
        for name in ("pending", "retrying", "dead", "unattended"):
            outbox.add_metric([name], getattr(state, name))
        yield outbox
        failed_timers = matters.timer_state()
        timers = GaugeMetricFamily(
            "liangzhu_timers_failed", "Timers of processes that failed, by how they stand", labels=["state"]
        )
        for name in ("retrying", "dead"):
            timers.add_metric([name], getattr(failed_timers, name))
        yield timers
        yield GaugeMetricFamily(
            "liangzhu_outbox_oldest_seconds", "Age of the delivery that is due the longest", state.oldest
        )
        yield GaugeMetricFamily(
            "liangzhu_log_unnumbered",
            f"Leaves of the log that wait for their number, at most {BOUND}",
            _bounded(LogLeaf.objects.filter(number=None)),
        )
        runs = GaugeMetricFamily(
            "liangzhu_periodic_last_run_timestamp_seconds", "When a periodic job last ran", labels=["job"]
        )
        failed = GaugeMetricFamily(
            "liangzhu_periodic_failed", "Whether the last run of a periodic job failed", labels=["job"]
        )
        for run in PeriodicRun.objects.exclude(last_at=None):
            runs.add_metric([run.name], run.last_at.timestamp())
            failed.add_metric([run.name], int(bool(run.error)))
        yield runs
        yield failed
        lights = GaugeMetricFamily(
            "liangzhu_open_matters",
            f"Open matters by kind and light, at most {BOUND} each",
            labels=["kind", "light"],
        )
        for kind in matters.all_kinds():
            for light in ("ok", "near", "over", "law", "paused", "none"):
                rows = matters.Matter.objects.filter(matters.light_q(light), kind=kind)
                lights.add_metric([kind, light], _bounded(rows))
        yield lights


_stored = _Stored()


def exposition() -> bytes:
    """Everything in Prometheus' text format."""
    registry = CollectorRegistry()
    if values.ValueClass.__name__ == "MmapedValue":
        MultiProcessCollector(registry)
    else:
        registry.register(_Whole())
    registry.register(_stored)
    return generate_latest(registry)


class _Whole(Collector):
    """What this one process counted."""

    def collect(self) -> Iterable:
        """The families of the process's own registry."""
        return REGISTRY.collect()
