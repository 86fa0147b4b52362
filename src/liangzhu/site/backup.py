"""Backup and restore (备份、恢复): one file that holds rows, attachments, heads of the log and what is needed to check it.

A tar in gzip, written and read as a stream: rows of all tables as JSON lines, in one snapshot of the database while it
goes on serving; the attachments; the file of signed heads; the ledger of deletions; and, as the last member, a manifest with the SM3 of every
other one. The same form serves SQLite and PostgreSQL, so that a backup of one is restored into the other. Derived rows
(search) and sessions are left out: the one is built again, the others sign in again.
"""

import base64
import gzip
import io
import json
import os
import sqlite3
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import scrypt
from pathlib import Path
from secrets import token_bytes
from uuid import UUID

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from liangzhu.kernel import crypto, forgotten, keys
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.forgotten import ledger_file
from liangzhu.kernel.log.heads import heads_file

FORMAT = 1
MANIFEST = "manifest.json"
PIECE = 2 * 1024 * 1024
"""Bytes of rows in one member, and of plain text in one sealed piece."""

MAGIC = b"LIANGZHU-BACKUP-SM4\x01"
SCRYPT = {"n": 2**15, "r": 8, "p": 1, "dklen": 16, "maxmem": 64 * 1024 * 1024}
LEFT_OUT = ("kernel_search", "django_migrations", "django_session", "sqlite_")
"""Beginnings of tables that are derived, kept by Django itself, or end with the machine."""

OWN_KEYS = ("master-key", "secret-key")
"""Files of the home with keys that the program made itself; keys that were given as settings are in no backup."""


class BadBackup(Problem):
    """A file that is no backup, is cut off, or was changed."""

    code, title, status = "bad_backup", "备份文件不能使用", 422
    todo = "请换一份备份；原来的数据没有动。"


class NotEmpty(Problem):
    """The target of a restore holds something."""

    code, title = "not_empty", "恢复的目标不是空的"
    todo = "请用 --home 指定一个空目录（PostgreSQL 另建一个空库），恢复不会覆盖任何数据。"


class NoRoom(Problem):
    """The disk is full, or cannot be written."""

    code, title, status = "no_room", "写不下", 507
    todo = "请腾出磁盘空间或换一个位置，再做一次；没有留下半个文件。"


class WrongPassphrase(Problem):
    """The backup is sealed and the passphrase does not open it, or none was given."""

    code, title, status = "wrong_passphrase", "口令不对", 422
    todo = "请用 --passphrase-file 给出做备份时的口令。"


# Sealing --------------------------------------------------------------------------------------------------------------


def _aad(number: int, last: bool) -> bytes:
    return MAGIC + struct.pack(">Q?", number, last)


class _Sealing(io.RawIOBase):
    """Writes pieces under SM4-GCM; each is bound to its place, and the last one says that it is the last."""

    def __init__(self, to: io.BufferedIOBase, passphrase: str):
        salt = token_bytes(16)
        self.to, self.key = to, scrypt(passphrase.encode(), salt=salt, **SCRYPT)
        self.number, self.waiting = 0, bytearray()
        to.write(MAGIC + salt)
        # The first piece is empty: it tells a wrong passphrase from a file that was cut or changed.
        self._piece(b"", last=False)

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self.waiting += data
        while len(self.waiting) > PIECE:
            self._piece(bytes(self.waiting[:PIECE]), last=False)
            del self.waiting[:PIECE]
        return len(data)

    def _piece(self, plain: bytes, *, last: bool) -> None:
        sealed = crypto.seal(self.key, plain, _aad(self.number, last))
        self.to.write(struct.pack(">I?", len(sealed), last) + sealed)
        self.number += 1

    def finish(self) -> None:
        """Write the last piece."""
        self._piece(bytes(self.waiting), last=True)


class _Opening(io.RawIOBase):
    """Reads what `_Sealing` wrote. Raises WrongPassphrase, BadBackup."""

    def __init__(self, source: io.BufferedIOBase, passphrase: str):
        self.source = source
        self.key = scrypt(passphrase.encode(), salt=source.read(16), **SCRYPT)
        self.number, self.ready, self.ended = 0, b"", False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        while not self.ready and not self.ended:
            head = self.source.read(5)
            if len(head) < 5:
                raise BadBackup("备份文件在末尾之前就断了。")
            size, last = struct.unpack(">I?", head)
            try:
                self.ready = crypto.unseal(self.key, self.source.read(size), _aad(self.number, last))
            except crypto.CryptoError:
                if self.number == 0:
                    raise WrongPassphrase("这个口令打不开备份。") from None
                raise BadBackup("备份文件被改动过，或中间断了。") from None
            self.number, self.ended = self.number + 1, last
        count = min(len(buffer), len(self.ready))
        buffer[:count] = self.ready[:count]
        self.ready = self.ready[count:]
        return count


# Values ---------------------------------------------------------------------------------------------------------------


def _plain(value: object) -> object:
    """A value of either database as JSON has it; bytes and moments are marked."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case bytes() | memoryview():
            return {"b": base64.b64encode(bytes(value)).decode()}
        case datetime():
            return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
        case date() | Decimal():
            return str(value)
        case UUID():
            return value.hex
        case _:
            raise TypeError(f"{type(value).__name__} has no form in a backup")


def _back(value: object) -> object:
    if isinstance(value, dict):
        return base64.b64decode(value["b"])
    if isinstance(value, bool):
        # SQLite has no booleans; PostgreSQL reads 1 and 0 as such.
        return int(value)
    return value


def _tables() -> list[str]:
    return [name for name in sorted(connection.introspection.table_names()) if not name.startswith(LEFT_OUT)]


@contextmanager
def _snapshot() -> Iterator[Callable[[str], Iterator[tuple[list[str], tuple]]]]:
    """One moment of the whole database while others write: a function that reads a table of it, row by row."""
    quote = connection.ops.quote_name
    if connection.vendor == "sqlite":
        # A connection of its own: the product's take the writer's lock with every transaction.
        own = sqlite3.connect(f"file:{connection.settings_dict['NAME']}?mode=ro", uri=True)
        try:
            own.execute("BEGIN")
            own.execute("SELECT 1 FROM sqlite_master").fetchone()

            def read(table: str) -> Iterator[tuple[list[str], tuple]]:
                cursor = own.execute(f"SELECT * FROM {quote(table)}")
                names = [column[0] for column in cursor.description]
                yield from ((names, row) for row in cursor)

            yield read
        finally:
            own.close()
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SELECT 1")

        def read(table: str) -> Iterator[tuple[list[str], tuple]]:
            with connection.chunked_cursor() as cursor:
                cursor.execute(f"SELECT * FROM {quote(table)}")
                names: list[str] = []
                while rows := cursor.fetchmany(2000):
                    names = names or [column.name for column in cursor.description]
                    yield from ((names, row) for row in rows)

        yield read


# Backup ---------------------------------------------------------------------------------------------------------------


class _Archive:
    """A tar that is being written, and what stands in it."""

    def __init__(self, to: io.RawIOBase):
        self.tar = tarfile.open(fileobj=to, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - closed by `backup`
        self.members: dict[str, dict] = {}

    def __enter__(self) -> "_Archive":
        return self

    def __exit__(self, kind, error, trace) -> None:
        # What failed is not finished: the stream below must not write its end when it is thrown away.
        if error is not None:
            self.tar.fileobj.closed = True

    def add(self, name: str, body: bytes) -> None:
        """Add a member."""
        self._write(name, body)
        self.members[name] = {"size": len(body), "sm3": crypto.sm3_hex(body)}

    def _write(self, name: str, body: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(body), 0o600
        self.tar.addfile(info, io.BytesIO(body))

    def close(self, manifest: dict) -> None:
        """Write the manifest and the end."""
        body = json.dumps(manifest | {"members": self.members}, ensure_ascii=False, indent=1).encode()
        self._write(MANIFEST, body)
        self.tar.close()


def backup(file: Path, *, passphrase: str = "", say: Callable[[str], None] = lambda line: None) -> dict:
    """Write a backup; returns its manifest. The file appears whole or not at all. Raises NoRoom."""
    part = file.with_name(f"{file.name}.part")
    try:
        with open(part, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as raw:
            manifest = _write(raw, passphrase, say)
            raw.flush()
            os.fsync(raw.fileno())
        os.replace(part, file)
    except OSError as error:
        raise NoRoom(f"写不进 {file}：{error.strerror or error}。") from None
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    return manifest


def _write(raw: io.BufferedIOBase, passphrase: str, say: Callable[[str], None]) -> dict:
    sealing = _Sealing(raw, passphrase) if passphrase else None
    with (
        gzip.GzipFile(fileobj=sealing or raw, mode="wb", compresslevel=3, mtime=0) as packed,
        _Archive(packed) as archive,
    ):
        counts = {}
        with _snapshot() as read:
            for table in _tables():
                counts[table] = _rows(archive, table, read(table))
        say(f"数据库：{len(counts)} 张表，{sum(counts.values()):,} 行")
        # After the rows: a file is there before the row that names it.
        files = _files(archive)
        say(f"附件：{files:,} 个文件")
        if heads_file().exists():
            archive.add("log-heads", heads_file().read_bytes())
        if ledger_file().exists():
            archive.add("forgotten", ledger_file().read_bytes())
        own = [name for name in OWN_KEYS if (settings.HOME / name).exists()]
        for name in own:
            archive.add(f"keys/{name}", (settings.HOME / name).read_bytes())
        manifest = {
            "format": FORMAT,
            "made_at": f"{datetime.fromtimestamp(os.stat(raw.name).st_mtime, UTC):%Y-%m-%dT%H:%M:%SZ}",
            "database": connection.vendor,
            "migrations": sorted(map(list, MigrationRecorder(connection).applied_migrations())),
            "rows": counts,
            "files": files,
            "own_keys": own,
        }
        archive.close(manifest)
    if sealing:
        sealing.finish()
    return manifest


def _rows(archive: _Archive, table: str, rows: Iterator[tuple[list[str], tuple]]) -> int:
    count, piece, lines, size = 0, 0, [], 0
    for names, row in rows:
        if not lines:
            lines, size = [json.dumps(names)], 0
        lines.append(json.dumps([_plain(value) for value in row], ensure_ascii=False, separators=(",", ":")))
        size += len(lines[-1])
        count += 1
        if size > PIECE:
            archive.add(f"rows/{table}/{piece:06d}.jsonl", "\n".join(lines).encode())
            piece, lines = piece + 1, []
    if lines:
        archive.add(f"rows/{table}/{piece:06d}.jsonl", "\n".join(lines).encode())
    return count


def _files(archive: _Archive) -> int:
    if not isinstance(default_storage, FileSystemStorage):
        raise NoRoom(
            "附件不在本机的目录里，这个命令不能备份它们。", todo="请用存储服务自己的备份，并单独备份数据库。"
        )
    root, count = Path(default_storage.location), 0
    for path in sorted(root.rglob("*")) if root.exists() else ():
        # What is swept meanwhile is named by no row.
        with suppress(FileNotFoundError):
            if path.is_file():
                archive.add(f"files/{path.relative_to(root).as_posix()}", path.read_bytes())
                count += 1
    return count


# Restore --------------------------------------------------------------------------------------------------------------


@contextmanager
def _opened(file: Path, passphrase: str) -> Iterator[tarfile.TarFile]:
    """The tar of a backup. What breaks while it is read becomes BadBackup."""
    try:
        with open(file, "rb") as raw:
            start = raw.read(len(MAGIC))
            if start == MAGIC:
                if not passphrase:
                    raise WrongPassphrase("这份备份加了密。")
                source: io.BufferedIOBase = io.BufferedReader(_Opening(raw, passphrase), PIECE)
            else:
                raw.seek(0)
                source = raw
            with gzip.GzipFile(fileobj=source) as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
                yield tar
                # To the very end: there the checksum of the whole stands.
                while packed.read(PIECE):
                    pass
    except FileNotFoundError:
        raise BadBackup(f"没有文件 {file}。") from None
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadBackup(f"备份文件不完整或被改动过（{type(error).__name__}）。") from None


def _members(tar: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for info in tar:
        body = tar.extractfile(info)
        if not info.isreg() or body is None or info.name.startswith("/") or ".." in Path(info.name).parts:
            raise BadBackup(f"备份里有不该有的内容：{info.name}。")
        yield info.name, body.read()


def check(file: Path, *, passphrase: str = "") -> dict:
    """Read a backup through and hold every member against the manifest; returns it. Raises BadBackup, WrongPassphrase."""
    seen: dict[str, dict] = {}
    manifest = None
    with _opened(file, passphrase) as tar:
        for name, body in _members(tar):
            if name == MANIFEST:
                try:
                    manifest = json.loads(body)
                except ValueError:
                    raise BadBackup("备份清单读不出来。") from None
            else:
                seen[name] = {"size": len(body), "sm3": crypto.sm3_hex(body)}
    if manifest is None:
        raise BadBackup("备份文件里没有清单，没有写完或被截断。")
    if manifest.get("format") != FORMAT:
        raise BadBackup(f"不认识的备份格式 {manifest.get('format')}。", todo="请用做这份备份的程序版本恢复。")
    wrong = sorted(
        name
        for name in seen.keys() | manifest["members"].keys()
        if seen.get(name) != manifest["members"].get(name)
    )
    if wrong:
        raise BadBackup(f"与清单的 SM3 不符：{'、'.join(wrong[:3])}{'等' if len(wrong) > 3 else ''}。")
    return manifest


def require_empty() -> None:
    """Raise NotEmpty when database or home hold anything."""
    held = [table for table in _tables() if _holds_rows(table)]
    if held:
        raise NotEmpty(f"数据库里已有数据（{'、'.join(held[:3])}{'等' if len(held) > 3 else ''}）。")
    root = Path(default_storage.location)
    if root.exists() and any(root.iterdir()):
        raise NotEmpty(f"{root} 里已有附件。")


def _holds_rows(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(table)} LIMIT 1")
        return cursor.fetchone() is not None


def restore(
    file: Path,
    *,
    manifest: dict,
    passphrase: str = "",
    ledger: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Fill an empty installation from a backup that `check` has read, and do the deletions again that came after it.

    Those stand in ``ledger``, a copy of the ledger of deletions that is newer than the backup, or in the ledger that lies
    in the home already. Raises NotEmpty, BadBackup, NoRoom.
    """
    require_empty()
    try:
        later = ledger.read_text(encoding="utf-8") if ledger else ""
        if ledger_file().exists():
            later += "\n" + ledger_file().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadBackup(f"删除台账读不出来：{error}。", todo="请给出 forgotten.jsonl 的完好副本。") from None
    try:
        _tables_of(manifest)
        with _without_keys():
            _fill(file, passphrase)
        _count_on()
        keys.forget_cached()
        executor = MigrationExecutor(connection)
        steps = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if steps:
            executor.migrate(executor.loader.graph.leaf_nodes())
            say(f"升级了 {len(steps)} 步。")
    except OSError as error:
        raise NoRoom(
            f"恢复没有做完：{error.strerror or error}。", todo="请腾出空间，清空目标后再恢复一次。"
        ) from None
    found = {
        table: _count(table) for table in manifest["rows"] if table in connection.introspection.table_names()
    }
    if not steps and found != {table: manifest["rows"][table] for table in found}:
        raise BadBackup("恢复后的行数与清单不符。")
    _delete_again(later, say)


def _delete_again(later: str, say: Callable[[str], None]) -> None:
    """Do the deletions of the ledgers again; say so, and say when there was none but the backup's own."""
    forgotten.append(forgotten.read(later))
    if again := forgotten.forget_again(forgotten.read(ledger_file().read_text(encoding="utf-8"))):
        say(f"按删除台账重新删除了 {again} 个对象的内容：它们在备份之后已依规删除。")
    if not later.strip():
        say(
            "注意：没有比备份更新的删除台账。备份之后依规删除过的内容会随恢复回来；"
            "请用 --forgotten 给出原安装目录里的 forgotten.jsonl 另做一次，或核对日志后重新删除。"
        )


def _tables_of(manifest: dict) -> None:
    """Make the tables as they were when the backup was made."""
    executor = MigrationExecutor(connection)
    had = {tuple(each) for each in manifest["migrations"]}
    for key, migration in executor.loader.disk_migrations.items():
        # Django keeps the names of those that a migration replaces, too.
        if migration.replaces and had.issuperset(migration.replaces):
            had = had.difference(migration.replaces) | {key}
    unknown = had - executor.loader.graph.nodes.keys()
    if unknown:
        raise BadBackup(
            f"备份来自更新的程序（本程序没有 {'.'.join(min(unknown))}）。",
            todo="请先把程序升级到做备份的版本。",
        )
    graph = executor.loader.graph
    ends = [node for node in had if not any(child.key in had for child in graph.node_map[node].children)]
    executor.migrate(ends)
    with transaction.atomic(), connection.cursor() as cursor:
        for table in _tables():
            cursor.execute(
                f"DELETE FROM {connection.ops.quote_name(table)}"
            ) if connection.vendor == "sqlite" else cursor.execute(
                f"TRUNCATE {connection.ops.quote_name(table)} CASCADE"
            )


@contextmanager
def _without_keys() -> Iterator[None]:
    """Fill the tables in any order: foreign keys are checked at the end, all at once."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA foreign_keys = OFF")
            yield
            cursor.execute("PRAGMA foreign_keys = ON")
            connection.check_constraints()
            return
        cursor.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE contype = 'f' AND connamespace = current_schema()::regnamespace"
        )
        kept = cursor.fetchall()
        quote = connection.ops.quote_name
        for table, name, _ in kept:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {quote(name)}")
        yield
        for table, name, rule in kept:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {quote(name)} {rule}")


def _fill(file: Path, passphrase: str) -> None:
    root = Path(default_storage.location)
    with _opened(file, passphrase) as tar:
        for name, body in _members(tar):
            place, _, rest = name.partition("/")
            if place == "rows":
                _insert(rest.partition("/")[0], body)
            elif place == "files":
                _put(root / rest, body)
            elif place == "keys":
                if rest in OWN_KEYS:
                    _put(settings.HOME / rest, body)
                if rest == "master-key":
                    # This process began with a key that was made for the empty home.
                    settings.LIANGZHU_MASTER_KEYS = [bytes.fromhex(body.decode().strip())]
            elif place == "log-heads":
                _put(heads_file(), body)
            elif place == "forgotten":
                forgotten.append(forgotten.read(body.decode()))


def _put(path: Path, body: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(body)


def _insert(table: str, body: bytes) -> None:
    head, *lines = body.decode().split("\n")
    quote = connection.ops.quote_name
    columns = ", ".join(map(quote, json.loads(head)))
    rows = ([_back(value) for value in json.loads(line)] for line in lines)
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {quote(table)} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join("?" * len(json.loads(head)))
            cursor.cursor.connection.executemany(
                f"INSERT INTO {quote(table)} ({columns}) VALUES ({marks})", rows
            )


def _count_on() -> None:
    """PostgreSQL: give out keys from the highest on that is there."""
    if connection.vendor != "postgresql":
        return
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for table in _tables():
            for each in connection.introspection.get_sequences(cursor, table):
                cursor.execute(
                    f"SELECT setval(%s, (SELECT MAX({quote(each['column'])}) FROM {quote(table)})) "
                    f"WHERE EXISTS (SELECT 1 FROM {quote(table)})",
                    [each["name"]],
                )


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}")
        return cursor.fetchone()[0]
