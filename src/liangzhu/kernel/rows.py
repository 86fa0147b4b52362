"""Reading and writing single rows with statements that are composed once: what a step of a matter does a dozen times.

The ORM composes the same statement anew for each row, which costs more than the database's own work. Only for models of
the house without inheritance, signals or defaults of the database; elsewhere the ORM is right.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar

from django.db import connection, models

M = TypeVar("M", bound=models.Model)


@lru_cache(maxsize=256)
def _insert_statement(model: type[models.Model], vendor: str, with_key: bool) -> tuple[str, tuple]:
    fields = tuple(f for f in model._meta.local_concrete_fields if with_key or not f.primary_key)
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    returning = "" if with_key else f" RETURNING {quote(model._meta.pk.column)}"
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({marks}){returning}", fields


@lru_cache(maxsize=256)
def _update_statement(model: type[models.Model], vendor: str, names: tuple[str, ...]) -> tuple[str, tuple]:
    fields = tuple(model._meta.get_field(name) for name in names)
    quote = connection.ops.quote_name
    sets = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    return (
        f"UPDATE {quote(model._meta.db_table)} SET {sets} WHERE {quote(model._meta.pk.column)} = %s",
        fields,
    )


@lru_cache(maxsize=256)
def _select_statement(
    model: type[models.Model], vendor: str, names: tuple[str, ...], by: str, locked: bool
) -> tuple[str, tuple]:
    fields = tuple(model._meta.get_field(name) for name in names)
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    table, key = quote(model._meta.db_table), quote(model._meta.get_field(by).column)
    lock = (
        f" {connection.ops.for_update_sql()}" if locked and connection.features.has_select_for_update else ""
    )
    converters = tuple(
        (place, tuple(found), field.get_col(model._meta.db_table))
        for place, field in enumerate(fields)
        if (
            found := [
                *connection.ops.get_db_converters(field.get_col(model._meta.db_table)),
                *field.get_db_converters(connection),
            ]
        )
    )
    return f"SELECT {columns} FROM {table} WHERE {key} = %s{lock}", converters


def _read(statement: str, converters: tuple, key) -> list[list]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [key])
        found = [list(row) for row in cursor.fetchall()]
    for row in found:
        for place, functions, column in converters:
            for convert in functions:
                row[place] = convert(row[place], column, connection)
    return found


_TEXT, _NUMBER, _FLAG = frozenset({str}), frozenset({int, type(None)}), frozenset({bool, type(None)})
_AS_IT_IS: dict[type[models.Field], frozenset[type]] = {
    models.CharField: _TEXT,
    models.TextField: _TEXT,
    models.BooleanField: _FLAG,
    **dict.fromkeys((models.ForeignKey, models.OneToOneField, models.BigAutoField), _NUMBER),
    **dict.fromkeys((models.IntegerField, models.BigIntegerField, models.PositiveIntegerField), _NUMBER),
    **dict.fromkeys((models.SmallIntegerField, models.PositiveSmallIntegerField), _NUMBER),
}
"""Values that both databases take as they are, by the exact class of their field; all others ask the field."""


def _values(row: models.Model, fields: Iterable[models.Field], add: bool) -> list:
    own, naive, out = row.__dict__, connection.vendor == "sqlite", []
    for field in fields:
        value, kind = own.get(field.attname), type(field)
        if type(value) in _AS_IT_IS.get(kind, ()):
            out.append(value)
        elif (
            kind is models.DateTimeField
            and type(value) is datetime
            and value.tzinfo is UTC
            and not (field.auto_now or field.auto_now_add)
        ):
            # SQLite keeps instants as text of UTC, as the field itself would write them.
            out.append(str(value.replace(tzinfo=None)) if naive else value)
        else:
            out.append(field.get_db_prep_save(field.pre_save(row, add), connection))
    return out


def insert(row: M) -> M:
    """Insert a new row and give it its key; the same object is returned."""
    with_key = row.pk is not None
    statement, fields = _insert_statement(type(row), connection.vendor, with_key)
    with connection.cursor() as cursor:
        cursor.execute(statement, _values(row, fields, True))
        if not with_key:
            row.pk = cursor.fetchone()[0]
    row._state.adding, row._state.db = False, connection.alias
    return row


def update(row: models.Model, *names: str) -> None:
    """Write the named fields of a row; without names, all but its key."""
    if not names:
        names = _all_names(type(row), False)
    statement, fields = _update_statement(type(row), connection.vendor, names)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*_values(row, fields, False), row.pk])


@lru_cache(maxsize=256)
def _all_names(model: type[models.Model], with_key: bool) -> tuple[str, ...]:
    return tuple(f.name for f in model._meta.local_concrete_fields if with_key or not f.primary_key)


def get(model: type[M], key, *, lock: bool = False) -> M | None:
    """The row with that key, or None; ``lock`` makes others wait for this transaction (select for update)."""
    names = _all_names(model, True)
    statement, converters = _select_statement(model, connection.vendor, names, model._meta.pk.name, lock)
    found = _read(statement, converters, key)
    if not found:
        return None
    attributes = [model._meta.get_field(name).attname for name in names]
    return model.from_db(connection.alias, attributes, found[0])


def values(model: type[models.Model], names: tuple[str, ...], by: str, key) -> list[list]:
    """The named columns of the rows whose field ``by`` is ``key``, in no order."""
    return _read(*_select_statement(model, connection.vendor, names, by, False), key)


class Prepared:
    """A query with one text to fill in, composed once: ``build(key)`` returns a queryset of `values_list`.

    Calling it with a key returns the rows as tuples, typed as the queryset would.
    """

    _MARK = "\x00the text that is filled in"

    def __init__(self, build: Callable[[str], models.QuerySet]):
        self._build = build
        self._composed: dict[str, tuple] = {}

    def __call__(self, key: str) -> list[tuple]:
        """The rows for a key."""
        if connection.vendor not in self._composed:
            compiler = self._build(self._MARK).query.get_compiler(connection=connection)
            statement, parameters = compiler.as_sql()
            converters = compiler.get_converters([column for column, *_ in compiler.select])
            self._composed[connection.vendor] = compiler, statement, parameters, converters
        compiler, statement, parameters, converters = self._composed[connection.vendor]
        with connection.cursor() as cursor:
            cursor.execute(statement, [key if one == self._MARK else one for one in parameters])
            found = cursor.fetchall()
        return [tuple(row) for row in compiler.apply_converters(found, converters)] if converters else found
