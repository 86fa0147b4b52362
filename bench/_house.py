"""An installation of its own for a bench: a folder or a PostgreSQL server, one unit, one officer, some matters."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

OPINION = "同意，请按程序办理，三个工作日内反馈结果。"


MADE = ("liangzhu.sqlite3", "master-key")
"""What the first process of a bench leaves in the folder that ``BENCH_MIGRATED`` names, and the next ones begin with."""


@contextmanager
def home(database: str = "sqlite") -> Iterator[str]:
    """Point this process and its children at a new installation; yields its folder. Once a process: Django reads settings once."""
    folder = tempfile.mkdtemp(prefix="liangzhu-bench-")
    os.environ |= {
        "LIANGZHU_HOME": folder,
        "LIANGZHU_LOG_LEVEL": "ERROR",
        # One client is measured here, not kept in bounds.
        "LIANGZHU_API_RATE": "0",
        "DJANGO_SETTINGS_MODULE": "bench._settings",
    }
    try:
        if database == "postgresql":
            sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
            from postgres import server

            with server() as address:
                os.environ["LIANGZHU_DATABASE"] = address
                yield folder
        else:
            os.environ.pop("LIANGZHU_DATABASE", None)
            # The key with the tables: migrations seal with it.
            for name in os.listdir(kept := os.environ.get("BENCH_MIGRATED") or folder):
                shutil.copy(Path(kept) / name, folder)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def found(matters: int):
    """Migrate, and put one officer and so many open matters into the installation; returns (officer, ids of the matters)."""
    import django

    django.setup()
    _migrate()
    from django.db import transaction

    from liangzhu.beams.people.directory import api as directory
    from liangzhu.beams.people.directory.models import Holding, Person, Post, PostRole, Unit, UnitSpell
    from liangzhu.beams.work.matters import api
    from liangzhu.kernel.actions import action
    from liangzhu.kernel.policies import public
    from liangzhu.kernel.refs import Ref

    api.load_processes()
    since = date(2020, 1, 1)
    unit = Unit.objects.create(key="bench", kind=Unit.DEPARTMENT)
    UnitSpell.objects.create(
        unit=unit, name="示例区测速局", short_name="测速局", valid_from=since, source="测速"
    )
    post = Post.objects.create(key="bench", unit=unit, title="科长")
    PostRole.objects.create(post=post, role="matters.officer")
    person = Person.objects.create(name="示例")
    Holding.objects.create(post=post, person=person, valid_from=since)
    officer = directory.staff(person.pk, post.pk, Ref("account", "1"))

    @action("bench.open")
    def open_one(act, *, number: int):
        act.check(public)
        return api.open_matter(
            act,
            kind="bench_round",
            title=f"往复事项第 {number} 件",
            parties={"lead": unit.pk},
            holding_unit_id=unit.pk,
        )

    ids = []
    for start in range(0, matters, 500):
        with transaction.atomic():
            ids += [open_one(officer, number=n).pk for n in range(start, min(start + 500, matters))]
    return officer, ids


def _migrate() -> None:
    """Every table; on SQLite kept for the next process of this bench, see `home`."""
    from django.core.management import call_command
    from django.db import connection

    kept = os.environ.get("BENCH_MIGRATED") if connection.vendor == "sqlite" else None
    if kept and os.listdir(kept):
        return
    call_command("migrate", verbosity=0)
    if kept:
        connection.close()
        for name in MADE:
            shutil.copy(Path(os.environ["LIANGZHU_HOME"]) / name, kept)


def token(officer) -> str:
    """A token with which a program acts as the officer."""
    from liangzhu.beams.people.access.actions import make_token
    from liangzhu.beams.people.access.models import Account

    account = Account.objects.create(username="bench", person_id=officer.person_id)
    return make_token(replace(officer, ref=account.ref), name="测速", scopes=["matters:write"], days=1).text


@contextmanager
def served() -> Iterator[int]:
    """The product's server, as `liangzhu up` starts it, on the installation of `home`; yields its port."""
    from liangzhu.site.serving import default_workers, granian

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*granian("127.0.0.1", port, default_workers())]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        for _ in range(300):
            if server.poll() is not None:
                raise SystemExit("服务没有启动。")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield port
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)
