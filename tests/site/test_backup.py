"""A backup is taken while others write, is checked before it is believed, and gives back the same installation."""

import contextlib
import errno
import os
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path

import psycopg
import pytest

from liangzhu.kernel import crypto
from liangzhu.site import backup as backing

LIANGZHU = [sys.executable, "-m", "liangzhu.site.cli"]
ROOT = Path(__file__).resolve().parents[2]
DATABASE = os.environ.get("LIANGZHU_TEST_ADDRESS", "")


def on_postgresql(test):
    """A test that needs both databases, which are there when the suite runs on PostgreSQL."""
    return test if DATABASE else None


def run(home: Path, *words, database: str = "", ok: bool = True) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIANGZHU_")}
    given = kept | {"LIANGZHU_HOME": str(home), "PYTHONPATH": str(ROOT / "src")}
    if database:
        given["LIANGZHU_DATABASE"] = database
    done = subprocess.run(
        [*LIANGZHU, *map(str, words)], env=given, capture_output=True, text=True, timeout=300
    )
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done.stdout + done.stderr


@contextlib.contextmanager
def another_database(name: str):
    """An empty database beside the tests' own; "" for SQLite, which lies in its home."""
    if not DATABASE:
        yield ""
        return
    with psycopg.connect(DATABASE, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
        try:
            head, _, query = DATABASE.partition("?")
            yield f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def source(tmp_path_factory, migrated):
    """(home, database, backup) of a small district with files and a log."""
    home = tmp_path_factory.mktemp("source") / "home"
    with another_database("backup_source") as database:
        if not database:
            migrated(home)
        run(home, "make-district", "--people", 0, "--matters", 40, database=database)
        file = home.parent / "b.lzb"
        said = run(home, "backup", file, database=database)
        assert "表" in said and "附件：7" in said
        yield home, database, file


def figures(home: Path, database: str) -> dict[str, int]:
    """Rows of some tables."""
    tables = (
        "matters_matter",
        "matters_entry",
        "kernel_logleaf",
        "files_attachment",
        "directory_person",
        "kernel_key",
    )
    connect = psycopg.connect(database) if database else sqlite3.connect(home / "liangzhu.sqlite3")
    with contextlib.closing(connect) as connection:
        found = {}
        for table in tables:
            with contextlib.suppress(sqlite3.OperationalError, psycopg.errors.UndefinedTable):
                found[table] = connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
        return found


def test_what_is_restored_is_what_was_there_and_its_log_verifies(source, tmp_path):
    home, database, file = source
    with another_database("backup_target") as target:
        said = run(tmp_path / "home", "restore", file, database=target)
        assert "日志" in said and "相符" in said
        before, after = figures(home, database), figures(tmp_path / "home", target)
        assert before == after and before["matters_matter"] == 40
        files = sorted(path.relative_to(home) for path in (home / "files").rglob("*") if path.is_file())
        again = tmp_path / "home"
        assert files == sorted(
            path.relative_to(again) for path in (again / "files").rglob("*") if path.is_file()
        )
        assert "没有做完" not in run(
            again, "make-district", "--matters", 5, "--people", 0, "--add", database=target
        )
        refused = run(again, "restore", file, database=target, ok=False)
        assert "不是空的" in refused


FORGET = """
import sys
from liangzhu.site.cli import set_up_django
set_up_django()
from liangzhu.beams.work.matters.models import Matter
from liangzhu.beams.work.matters.retention import destroy
from liangzhu.kernel.actors import SYSTEM
first, second = Matter.objects.order_by("id")[:2]
if sys.argv[1:] == ["forget"]:
    destroy(SYSTEM, matter_id=first.pk, rule="档案到期销毁清册第 3 号")
    first.refresh_from_db()
print([first.title == "已依规删除", bool(first.sealed_key), second.title == "已依规删除", bool(second.sealed_key)])
"""


def look(home: Path, database: str, *words: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIANGZHU_")}
    given = kept | {"LIANGZHU_HOME": str(home), "PYTHONPATH": str(ROOT / "src")}
    if database:
        given["LIANGZHU_DATABASE"] = database
    done = subprocess.run(
        [sys.executable, "-c", FORGET, *words], env=given, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_what_was_deleted_after_the_backup_is_deleted_again_when_it_is_restored(source, tmp_path):
    _, _, file = source
    one, two = tmp_path / "one", tmp_path / "two"
    gone = "[True, False, False, True]"
    with another_database("backup_one") as database:
        assert "没有比备份更新的删除台账" in run(one, "restore", file, database=database)
        assert look(one, database) == "[False, True, False, True]"
        assert look(one, database, "forget") == gone
    ledger = (one / "forgotten.jsonl").read_text()
    assert "matters.Matter" in ledger and "清册" not in ledger
    with another_database("backup_two") as database:
        said = run(two, "restore", file, "--forgotten", one / "forgotten.jsonl", database=database)
        assert "重新删除" in said and "没有比备份更新的删除台账" not in said and "相符" in said
        assert look(two, database) == gone
        run(two, "backup", tmp_path / "later.lzb", database=database)
    with tarfile.open(tmp_path / "later.lzb", "r:gz") as later:
        kept = later.extractfile("forgotten").read().decode()
    assert set(ledger.splitlines()) <= set(kept.splitlines())


@on_postgresql
def test_a_backup_is_restored_into_the_other_database(source, tmp_path):
    home, database, file = source
    said = run(tmp_path / "lite", "restore", file)
    assert "相符" in said
    assert figures(tmp_path / "lite", "") == figures(home, database)
    run(tmp_path / "lite", "backup", tmp_path / "lite.lzb")
    with another_database("backup_target") as target:
        assert "相符" in run(tmp_path / "back", "restore", tmp_path / "lite.lzb", database=target)
        assert figures(tmp_path / "back", target) == figures(home, database)


def test_a_cut_archive_is_refused_and_nothing_is_touched(source, tmp_path):
    whole = source[2].read_bytes()
    for share in (0.3, 0.7, 0.999):
        cut = tmp_path / "cut.lzb"
        cut.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(backing.BadBackup):
            backing.check(cut)
    said = run(tmp_path / "home", "restore", cut, ok=False)
    assert "不完整" in said or "截断" in said
    assert not (tmp_path / "home" / "files").exists()


def test_a_changed_byte_is_seen(source, tmp_path):
    whole = source[2].read_bytes()
    for place in (len(whole) // 3, len(whole) // 2, len(whole) - 6):
        changed = bytearray(whole)
        changed[place] ^= 0x10
        bad = tmp_path / "bad.lzb"
        bad.write_bytes(changed)
        with pytest.raises(backing.BadBackup):
            backing.check(bad)


def test_a_member_that_was_exchanged_is_named(source, tmp_path):
    """Somebody who packs it anew keeps every checksum of gzip, and none of the manifest."""
    packed = tmp_path / "other.lzb"
    with tarfile.open(source[2], "r:gz") as old, tarfile.open(packed, "w:gz") as new:
        for info in old:
            body = old.extractfile(info).read()
            if info.name.startswith("rows/matters_matter/"):
                body = body.replace(b"closed", b"issued")
            info.size = len(body)
            new.addfile(info, __import__("io").BytesIO(body))
    with pytest.raises(backing.BadBackup, match="rows/matters_matter"):
        backing.check(packed)


def test_a_sealed_backup_opens_with_its_passphrase_only_and_shows_nothing(source, tmp_path):
    home, database, _ = source
    secret = tmp_path / "passphrase"
    secret.write_text("四个不相干的词 correct horse\n")
    file = tmp_path / "sealed.lzb"
    run(home, "backup", file, "--passphrase-file", secret, database=database)
    assert b"matters_matter" not in file.read_bytes() and file.read_bytes()[:2] != b"\x1f\x8b"
    assert backing.check(file, passphrase=secret.read_text().strip())["rows"]["matters_matter"] == 40
    with pytest.raises(backing.WrongPassphrase):
        backing.check(file, passphrase="wrong")
    with pytest.raises(backing.WrongPassphrase):
        backing.check(file)
    cut = tmp_path / "cut.lzb"
    cut.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(backing.BadBackup):
        backing.check(cut, passphrase=secret.read_text().strip())


@pytest.mark.django_db(transaction=True)
def test_a_full_disk_is_said_and_leaves_no_half_file(tmp_path, monkeypatch):
    target = tmp_path / "b.lzb"
    target.write_bytes(b"yesterday's")
    written = []

    def full(to, name, body):
        written.append(name)
        if len(written) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(backing._Archive, "_write", full)
    with pytest.raises(backing.NoRoom, match="No space left"):
        backing.backup(target)
    assert [path.name for path in tmp_path.iterdir()] == ["b.lzb"]
    assert target.read_bytes() == b"yesterday's"


def test_pieces_of_a_sealed_backup_cannot_change_places():
    key = crypto.new_key()
    first = crypto.seal(key, b"one", backing._aad(0, False))
    with pytest.raises(crypto.CryptoError):
        crypto.unseal(key, first, backing._aad(1, False))
