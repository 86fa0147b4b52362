"""Whether the program lives, and whether it can work: for a process manager and a reverse proxy."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.timezone import now as machine_now  # noqa: TID251 - the worker's runs are on the machine's clock

from liangzhu.kernel import keys
from liangzhu.kernel.models import PeriodicRun
from liangzhu.kernel.worker import all_periodic

LATE = timedelta(minutes=5)
"""How long after its time a periodic job may come before the worker counts as away."""

FREE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. ``detail`` names no secret and no person."""

    name: str
    ok: bool
    detail: str = ""


def ready() -> list[Check]:
    """Look at everything that work needs; what fails is said, and hides nothing of the rest."""
    return [
        _looked_at(name, look)
        for name, look in (
            ("database", _database),
            ("migrations", _migrations),
            ("keys", _keys),
            ("worker", _worker),
            ("disk", _disk),
        )
    ]


def _looked_at(name: str, look: Callable[[], str]) -> Check:
    try:
        found = look()
    except Exception as error:
        return Check(name, False, type(error).__name__)
    return Check(name, not found, found)


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return ""


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return f"{missing} not applied" if missing else ""


def _keys() -> str:
    for purpose in ("log", "seal", "blind"):
        keys.current(purpose)
    return ""


def _worker() -> str:
    seen = (
        PeriodicRun.objects.exclude(last_at=None)
        .order_by("-last_at")
        .values_list("last_at", flat=True)
        .first()
    )
    if seen is None:
        return "never ran"
    shortest = min((job.minutes for job in all_periodic().values()), default=0)
    silent = machine_now() - seen
    return (
        f"silent for {int(silent.total_seconds())} s" if silent > timedelta(minutes=shortest) + LATE else ""
    )


def _disk() -> str:
    free = shutil.disk_usage(settings.HOME).free
    return f"{free // 1024**2} MB free" if free < FREE_BYTES else ""
