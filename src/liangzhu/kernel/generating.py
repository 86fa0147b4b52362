"""Generating a district (生成虚构地区): made-up rows in any number, the same for the same seed.

Apps own what is generated of them, in a shelf `generators.py` that only `liangzhu make-district` loads:

    @generator("directory.staff", order=10)
    def staff(district: District) -> None: ...

Rows go past the actions, in bulk; each generator is itself one action (or many) of the system and leaves what the
actions would have left: history, clocks, leaves. A test holds that against the engine's own rules.
"""

import json
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from liangzhu.kernel import crypto, keys
from liangzhu.kernel.log import canonical, commit
from liangzhu.kernel.models import LogDetail, LogLeaf, Series
from liangzhu.kernel.sealing import (
    Sealed,
    SealedTextField,
    key_place,
    sealed_bytes,
    sealed_fields,
)


@dataclass
class District:
    """What is wanted: so many residents and matters between two instants, from one seed.

    ``base`` is how many matters there were before.
    ``folder`` is where a generator may keep what it needs to go on after an interruption.
    """

    seed: int
    people: int
    matters: int
    first: datetime
    last: datetime
    folder: Path
    base: int = 0
    say: Callable[[str], None] = field(default=lambda line: None)

    def random(self, *name: object) -> random.Random:
        """A source of chance of its own for each purpose, so that one more draw here moves nothing there."""
        return random.Random(f"{self.seed}:{':'.join(map(str, name))}")


@dataclass(frozen=True)
class Generator:
    """One registered part of a district. ``done`` says whether an interrupted run need not do it again."""

    name: str
    order: int
    run: Callable[[District], None]
    done: Callable[[District], bool]


_generators: dict[str, Generator] = {}


def generator(name: str, *, order: int, done: Callable[[District], bool]) -> Callable[[Callable], Callable]:
    """Register a part. Raises ValueError when the name is taken."""

    def register(run: Callable[[District], None]) -> Callable[[District], None]:
        if name in _generators and _generators[name].run.__qualname__ != run.__qualname__:
            raise ValueError(f"generator {name} is registered twice")
        _generators[name] = Generator(name, order, run, done)
        return run

    return register


def all_generators() -> list[Generator]:
    """Every part in its order, those of all apps loaded."""
    for app in apps.get_app_configs():
        if app.name.startswith("liangzhu.") and find_spec(f"{app.name}.generators"):
            import_module(f"{app.name}.generators")
    return sorted(_generators.values(), key=lambda one: (one.order, one.name))


# Rows -----------------------------------------------------------------------------------------------------------------


def _text_of_moment(value: datetime | None) -> str | None:
    """As Django writes an instant into SQLite: naive UTC."""
    return None if value is None else str(value)[:-6]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


class Sheet:
    """Rows of one model on their way into the database. Keys are given here, from the highest that is there."""

    def __init__(self, model: type[models.Model], subjects: "Subjects"):
        self.model, self.subjects = model, subjects
        self.fields = list(model._meta.local_concrete_fields)
        self.key = model._meta.pk.attname
        self._place = {one.attname: place for place, one in enumerate(self.fields)}
        self._blank = [self._default(model, one) for one in self.fields]
        self._sealed = [one for one in self.fields if isinstance(one, SealedTextField)]
        self._rows: list[list] = []
        self.begin()

    def begin(self) -> None:
        """Count on from the highest key that is there now."""
        highest = self.model._default_manager.aggregate(top=models.Max(self.key))["top"]
        self._last = self.subjects.written[self.model] = highest if isinstance(highest, int) else 0

    @staticmethod
    def _default(model: type[models.Model], one: models.Field) -> object:
        if getattr(one, "auto_now_add", False) or getattr(one, "auto_now", False):
            return one.pre_save(model(), True)
        return one.get_default()

    def new_id(self) -> int:
        """The next key."""
        self._last += 1
        return self._last

    def add(self, **values: Any) -> int:
        """Add a row by its columns (``matter_id=7``); what is left out has the model's default. Returns the key."""
        row = self._blank.copy()
        for name, value in values.items():
            row[self._place[name]] = value
        key = self._place[self.key]
        if row[key] is None:
            row[key] = self.new_id()
        self.subjects.pass_on(self.model, row[key], values)
        for one in self._sealed:
            if text := row[self._place[one.attname]]:
                own = self.subjects.key_for(one, row[key], values)
                row[self._place[one.attname]] = sealed_bytes(text, own, one.place)
        if issubclass(self.model, Sealed):
            row[self._place["sealed_key"]] = self.subjects.wrapped(self.model, row[key])
        self._rows.append(row)
        return row[key]

    def write(self) -> int:
        """Write what was added, inside the caller's transaction; returns how many rows."""
        rows, self._rows = self._rows, []
        if not rows:
            return 0
        quote = connection.ops.quote_name
        table = quote(self.model._meta.db_table)
        columns = ", ".join(quote(one.column) for one in self.fields)
        for place, convert in self._conversions():
            for row in rows:
                row[place] = convert(row[place])
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            else:
                marks = ", ".join(["?"] * len(self.fields))
                # The wrapper would rewrite each statement; a million times that is most of the work.
                cursor.cursor.connection.executemany(
                    f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows
                )
        return len(rows)

    def _conversions(self) -> Iterator[tuple[int, Callable]]:
        """What must be put into another form for this database, by column."""
        for place, one in enumerate(self.fields):
            if isinstance(one, SealedTextField):
                yield place, lambda value: value or b""
            elif type(one).__module__.startswith("django.") is False:
                yield place, lambda value, one=one: one.get_db_prep_save(value, connection)
            elif connection.vendor == "sqlite":
                if isinstance(one, models.DateTimeField):
                    yield place, _text_of_moment
                elif isinstance(one, (models.DateField, models.DecimalField)):
                    yield place, _text


class Subjects:
    """The keys of subjects that are being made: whatever belongs to one may come before its own row does."""

    def __init__(self):
        self.written: dict[type, int] = {}
        """The highest key of each model that stands in the tables."""
        self._wrapped: dict[tuple[type, int], bytes] = {}
        self._plain: dict[tuple[type, int], bytes] = {}
        self._ways: dict[tuple[type, int], dict[str, Any]] = {}
        # Rows on the way to an owner: a clock between its stop and its matter.
        self._passed = {
            one.model._meta.get_field(one.owner.partition(".")[0]).related_model
            for one in sealed_fields()
            if "." in one.owner
        }

    def clear(self, written: dict[type, int]) -> None:
        """Forget what was written: it is read from the tables from now on."""
        self.written |= written
        self._wrapped.clear()
        self._plain.clear()
        self._ways.clear()

    def pass_on(self, model: type, key: int, values: dict[str, Any]) -> None:
        """Remember what a row points to, if others reach their owner through it."""
        if model in self._passed:
            self._ways[model, key] = values

    def wrapped(self, model: type[models.Model], key: int) -> bytes:
        """The wrapped key of a subject, as it stands in its row."""
        found = self._wrapped.get((model, key))
        if found is None:
            if model not in self.written or key <= self.written[model]:
                found = bytes(model._default_manager.values_list("sealed_key", flat=True).get(pk=key))
            else:
                plain = self._plain[model, key] = crypto.new_key()
                found = keys.wrap(plain, key_place(model))
            self._wrapped[model, key] = found
        return found

    def key_for(self, field: SealedTextField, key: int, values: dict[str, Any]) -> bytes | None:
        """The key that seals a value of a row; None is the installation's."""
        if not field.owner:
            return None
        model = field.model
        for step in field.owner.split(".") if field.owner != "self" else ():
            relation = model._meta.get_field(step)
            values = values if model is field.model else self._ways[model, key]
            model, key = relation.related_model, values.get(relation.attname)
            if key is None:
                return None
        plain = self._plain.get((model, key))
        if plain is None:
            plain = self._plain[model, key] = keys.unwrap(self.wrapped(model, key), key_place(model))
        return plain


class Book:
    """The sheets of several models, written together; and leaves of the log."""

    def __init__(self, rng: random.Random):
        self.rng = rng
        self.sheets: dict[type[models.Model], Sheet] = {}
        self.subjects = Subjects()

    def __getitem__(self, model: type[models.Model]) -> Sheet:
        if model not in self.sheets:
            self.sheets[model] = Sheet(model, self.subjects)
        return self.sheets[model]

    def begin(self) -> None:
        """Begin a transaction: others may have written since the last one."""
        for sheet in self.sheets.values():
            sheet.begin()

    def leaf(
        self, at: datetime, actor: str, on_behalf: str, action: str, subject: str, details: dict
    ) -> None:
        """A leaf as `Act.log` writes it, at an instant of the past."""
        salt, body = self.rng.randbytes(16), canonical(details)
        number = self[LogLeaf].add(
            at=at,
            action=action,
            actor=actor,
            on_behalf=on_behalf,
            subject=subject,
            commitment=commit(salt, body),
        )
        self[LogDetail].add(leaf_id=number, salt=salt, body=body)

    def write(self) -> int:
        """Write all sheets inside the caller's transaction, and let the database count on; returns how many rows."""
        count = sum(sheet.write() for sheet in self.sheets.values())
        self.subjects.clear({model: sheet._last for model, sheet in self.sheets.items()})
        count_on(self.sheets)
        return count


def give_numbers(counts: dict[tuple[str, int], int]) -> None:
    """Note in the series (name, year) that numbers up to these were given out."""
    for (name, year), last in counts.items():
        Series.objects.update_or_create(name=name, year=year, defaults={"last": last})


# Speed ----------------------------------------------------------------------------------------------------------------


def indexes(tables: Iterable[str]) -> list[tuple[str, str]]:
    """(name, statement that makes it) of every index of the tables that no constraint keeps."""
    found = []
    with connection.cursor() as cursor:
        for table in tables:
            if connection.vendor == "postgresql":
                cursor.execute(
                    "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i "
                    "JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = %s::regclass AND NOT EXISTS "
                    "(SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid) ORDER BY 1",
                    [f'"{table}"'],
                )
            else:
                cursor.execute(
                    "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
                    "AND tbl_name = %s ORDER BY 1",
                    [table],
                )
            found += cursor.fetchall()
    return found


def _check_keys(cursor) -> None:
    """PostgreSQL alters no table whose foreign keys are still to be checked in the same transaction."""
    if connection.vendor == "postgresql":
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


@contextmanager
def without_indexes(tables: Iterable[str], note: Path) -> Iterator[None]:
    """Leave the indexes of some tables out while they are filled, and make them again at the end.

    ``note`` is a file that keeps the statements: who is interrupted calls this again, and finds them there.
    """
    if note.exists():
        kept = json.loads(note.read_text())
    else:
        kept = indexes(tables)
        note.write_text(json.dumps(kept))
    here = {name for name, _ in indexes(tables)}
    with transaction.atomic(), connection.cursor() as cursor:
        _check_keys(cursor)
        for name, _ in kept:
            if name in here:
                cursor.execute(f"DROP INDEX {connection.ops.quote_name(name)}")
    yield
    with transaction.atomic(), connection.cursor() as cursor:
        _check_keys(cursor)
        for _, statement in kept:
            cursor.execute(statement)
    note.unlink()


@contextmanager
def hurried() -> Iterator[None]:
    """SQLite: wait for no disk while made-up rows are written, and look up no foreign key.

    A machine that fails meanwhile may leave a broken file; one begins again. Without their indexes each key would be a
    walk through the whole table; that none points nowhere is a matter of the tests.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        before = cursor.execute("PRAGMA synchronous").fetchone()[0]
        cursor.execute("PRAGMA synchronous = OFF")
        cursor.execute("PRAGMA foreign_keys = OFF")
        cursor.execute("PRAGMA cache_size = -200000")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA synchronous = {int(before)}")
            cursor.execute("PRAGMA cache_size = -20000")
            cursor.execute("PRAGMA foreign_keys = ON")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def count_on(all_models: Iterable[type[models.Model]]) -> None:
    """Let the database give out keys from the highest on that is there. SQLite does so by itself."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for model in all_models:
            key = model._meta.pk
            if isinstance(key, models.AutoField):
                table, column = model._meta.db_table, key.column
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('\"{table}\"', '{column}'), MAX(\"{column}\")) "
                    f'FROM "{table}" HAVING MAX("{column}") IS NOT NULL'
                )


def know_sizes() -> None:
    """Let the database look at its tables, so that it chooses the right indexes."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


# Names ----------------------------------------------------------------------------------------------------------------

MADE_UP = "（虚构）"
"""Stands behind every made-up name of staff and organisations, so that nobody takes it for a real one. Residents go without
it: their rows say where they come from, and a mask would show its characters as those of a name.
"""

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_MALE, _FEMALE = "伟强磊军勇杰涛超刚建国志海峰", "芳娜静丽艳娟秀霞桂英玉兰燕梅雪"
_EITHER = "敏洋明平华文晓东春宁远思齐嘉禾子涵"


def made_up_name(rng: random.Random, *, sex: str = "") -> str:
    """A person's name: 王晓宁. ``sex`` (male, female) chooses among names that are given to it, empty among all."""
    given = {"male": _MALE, "female": _FEMALE}.get(sex, _MALE + _FEMALE) + _EITHER
    return rng.choice(_SURNAMES) + "".join(rng.sample(given, rng.choice((1, 2, 2, 2))))
