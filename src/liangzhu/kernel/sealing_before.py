"""For migrations: sealing what an installation holds in plain text already, a million rows if need be."""

from django.db import models
from django.db.migrations.operations.base import Operation

from liangzhu.kernel import keys
from liangzhu.kernel.sealing import SealedKeyField, SealedTextField, key_place, new_subject_key, sealed_bytes

BATCH = 2000


class Seal(Operation):
    """Make text columns of a model sealed ones, in place; ``keyed`` makes the model `Sealed`: each row gets a key first.

    One pass over the table for its form and one for its rows. There is no way back: what was sealed is not written in
    plain text again. `clean_up` follows in a migration that is not atomic.
    """

    reduces_to_sql = False
    reversible = False

    def __init__(self, model: str, *, keyed: bool = False, **fields: SealedTextField):
        self.model, self.keyed, self.fields = model, keyed, fields

    def deconstruct(self):
        """For squashing."""
        return type(self).__name__, [self.model], {"keyed": self.keyed, **self.fields}

    def describe(self) -> str:
        """One line for who migrates."""
        return f"Seal {', '.join(self.fields)} of {self.model}"

    def state_forwards(self, app_label: str, state) -> None:
        """The model as it is afterwards."""
        if self.keyed:
            state.add_field(app_label, self.model, "sealed_key", SealedKeyField(), True)
        for name, field in self.fields.items():
            state.alter_field(app_label, self.model, name, field, True)

    def database_forwards(self, app_label: str, schema_editor, from_state, to_state) -> None:
        """Change the columns, then seal what stands in them."""
        before, after = (state.apps.get_model(app_label, self.model) for state in (from_state, to_state))
        changed = [(before._meta.get_field(name), after._meta.get_field(name)) for name in self.fields]
        key = after._meta.get_field("sealed_key") if self.keyed else None
        if schema_editor.connection.vendor == "sqlite":
            # What alter_field does for one column; a table of ten would be written ten times.
            schema_editor._remake_table(before, create_field=key, alter_fields=changed)
        else:
            if key:
                schema_editor.add_field(before, key)
            quote = schema_editor.quote_name
            schema_editor.execute(
                f"ALTER TABLE {quote(after._meta.db_table)} "
                + ", ".join(
                    f"ALTER COLUMN {quote(new.column)} TYPE bytea USING convert_to({quote(new.column)}, 'UTF8')"
                    for _, new in changed
                )
            )
        if key:
            _give_keys(after, schema_editor.connection)
        _seal_rows(after, list(self.fields), schema_editor.connection)

    def database_backwards(self, app_label: str, schema_editor, from_state, to_state) -> None:
        """Never called: not reversible."""
        raise NotImplementedError


def _give_keys(model: type[models.Model], connection) -> None:
    quote = connection.ops.quote_name
    statement = (
        f"UPDATE {quote(model._meta.db_table)} SET sealed_key = %s WHERE {quote(model._meta.pk.column)} = %s"
    )
    while ids := list(model.objects.filter(sealed_key=b"").values_list("pk", flat=True)[:BATCH]):
        with connection.cursor() as cursor:
            cursor.executemany(statement, [(new_subject_key(model), pk) for pk in ids])


def _seal_rows(model: type[models.Model], names: list[str], connection) -> None:
    """Seal the rows by key, from the first to the last. The columns hold text yet, which the model cannot read."""
    fields = [model._meta.get_field(name) for name in names]
    quote, table, pk = connection.ops.quote_name, model._meta.db_table, model._meta.pk.column
    columns = [quote(field.column) for field in fields]
    select = f"SELECT {quote(pk)}, {', '.join(columns)} FROM {quote(table)} WHERE {quote(pk)} > %s ORDER BY {quote(pk)} LIMIT {BATCH}"
    update = f"UPDATE {quote(table)} SET {', '.join(f'{column} = %s' for column in columns)} WHERE {quote(pk)} = %s"
    last: object = 0 if isinstance(model._meta.pk, models.AutoField | models.ForeignKey) else ""
    with connection.cursor() as cursor:
        while True:
            cursor.execute(select, [last])
            rows = cursor.fetchall()
            if not rows:
                return
            owners = {
                owner: _owner_keys(model, owner, [row[0] for row in rows])
                for owner in {f.owner for f in fields}
            }
            cursor.executemany(
                update,
                [
                    (
                        *(
                            sealed_bytes(_text(value), owners[field.owner].get(key), field.place)
                            for field, value in zip(fields, values, strict=True)
                        ),
                        key,
                    )
                    for key, *values in rows
                ],
            )
            last = rows[-1][0]


def _owner_keys(model: type[models.Model], owner: str, ids: list) -> dict:
    """The opened key of each row's owner; a row without one has none."""
    if not owner:
        return {}
    steps = [] if owner == "self" else owner.split(".")
    holder = model
    for step in steps:
        holder = holder._meta.get_field(step).related_model
    rows = model.objects.filter(pk__in=ids).values_list("pk", "__".join([*steps, "sealed_key"]))
    return {key: keys.unwrap(bytes(wrapped), key_place(holder)) for key, wrapped in rows if wrapped}


def _text(value) -> str:
    return value if isinstance(value, str) else bytes(value).decode()


def clean_up(apps, schema_editor) -> None:
    """Write the files anew, so that no free page holds what was plain; takes the database's size once more meanwhile."""
    if not apps.get_model("kernel", "LogLeaf").objects.exists():
        return
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "sqlite":
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            cursor.execute("VACUUM FULL")
