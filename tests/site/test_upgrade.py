"""The data of the last release goes on under the present program: migrated, opened, worked on, its log verified.

The release is the newest one that CHANGELOG.md names with a commit. Its own program makes its demonstration, with the
packages that are installed now: they are a superset of what it asked for.
"""

import contextlib
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLES = (
    "matters_matter", "matters_entry", "matters_clock", "matters_part", "matters_comment", "matters_notice",
    "programme_plantask", "programme_clause", "programme_clauseday", "directory_unit", "directory_person",
    "directory_post", "access_account", "files_attachment", "indicators_snapshot", "kernel_logleaf", "kernel_logdetail",
    "kernel_release", "kernel_outboxevent",
)  # fmt: skip

LOOK = """
import json, re, sys
from liangzhu.site.cli import set_up_django
set_up_django()
from django.conf import settings
settings.ALLOWED_HOSTS = ["testserver"]
from django.test import Client
from liangzhu.beams.people.access.api import Account, actor_of
from liangzhu.beams.work.matters import api as matters
seen = {}
for name in ("office", "leader", "auditor", "admin", None):
    client = Client()
    if name:
        client.force_login(Account.objects.get(username=name))
    page = client.get("/start/" if name else "/", follow=True)
    addresses = [page.request["PATH_INFO"], *re.findall(r'href="(/[^"#]*)"', page.content.decode())]
    for address in dict.fromkeys(addresses):
        if not address.startswith("/static/") and "logout" not in address:
            seen[f"{name} {address}"] = client.get(address, follow=True).status_code
matter = matters.Matter.objects.filter(kind="plan_task", state="working", closed_at=None).first()
actor = actor_of("office")
matters.comment(actor, matter_id=matter.pk, text="升级后照常批注")
entries = [(row.entry.title, row.entry.actor_label, row.entry.note) for row in matters.history(actor, matter)]
from liangzhu.kernel.worker import drain
drain()
from liangzhu.kernel.log import sequence_now
while sequence_now():
    pass
print("RESULT" + json.dumps({"pages": seen, "title": matter.title, "entries": entries}, ensure_ascii=False, default=str))
"""


def last_release() -> str:
    """The commit of the newest release in CHANGELOG.md; skipped, visibly, where the history is not there."""
    found = re.search(
        r"^## \d+\.\d+\.\d+ .*?`([0-9a-f]{7,40})`", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M
    )
    assert found, "CHANGELOG.md names no release with its commit"
    known = subprocess.run(
        ["git", "cat-file", "-e", f"{found[1]}^{{commit}}"], cwd=ROOT, capture_output=True, check=False
    )
    if known.returncode:
        pytest.skip(f"commit {found[1]} of the last release is not here: a shallow clone, or no clone")
    return found[1]


def test_the_changelog_names_a_release_of_this_history():
    last_release()


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Path:
    """The program of the last release, unpacked."""
    folder = tmp_path_factory.mktemp("released")
    archive = subprocess.run(["git", "archive", last_release()], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    return folder


@contextlib.contextmanager
def a_database(vendor: str):
    if vendor == "sqlite":
        yield ""
    else:
        from postgres import server  # tools/postgres.py

        with server() as address:
            yield address


def run(program: Path, home: Path, database: str, *words: str) -> str:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("LIANGZHU_", "DJANGO_"))
    }
    given = kept | {"LIANGZHU_HOME": str(home), "PYTHONPATH": str(program / "src")}
    if database:
        given["LIANGZHU_DATABASE"] = database
    done = subprocess.run(
        [sys.executable, *words], env=given, cwd=program, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout


def counts(home: Path, database: str) -> dict[str, int]:
    connect = psycopg.connect(database) if database else sqlite3.connect(home / "liangzhu.sqlite3")
    with contextlib.closing(connect) as connection:
        return {name: connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in TABLES}


@pytest.mark.slow
@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"])
def test_the_data_of_the_last_release_goes_on(vendor, released, tmp_path):
    import json

    home, command = tmp_path / "home", ("-m", "liangzhu.site.cli")
    with a_database(vendor) as database:
        run(released, home, database, *command, "load", "--demo")
        before = counts(home, database)
        assert before["matters_matter"] > 20 and before["kernel_logleaf"] > 500
        assert "升级步骤" in run(ROOT, home, database, *command, "migrate")
        assert counts(home, database) == before
        run(ROOT, home, database, *command, "load")
        after = counts(home, database)
        # The pack of today may bring accounts that the last release did not have.
        assert after["access_account"] >= before["access_account"]
        assert {name: after[name] for name in ("matters_matter", "matters_entry")} == {
            name: before[name] for name in ("matters_matter", "matters_entry")
        }
        result = json.loads(run(ROOT, home, database, "-c", LOOK).rpartition("RESULT")[2])
        bad = {address: status for address, status in result["pages"].items() if status != 200}
        assert not bad and len(result["pages"]) > 30
        assert re.match(r"\d+\. \S", result["title"])
        assert all(entry[0] and "无法解读" not in str(entry) for entry in result["entries"])
        assert "全部相符" in run(ROOT, home, database, *command, "log", "verify")
