"""Sealed columns: what people type is kept as SM4-GCM ciphertext, and read and written as plain text through the model.

    class Matter(Sealed):                                   # has a key of its own: the column ``sealed_key``
        title = SealedTextField("标题", max_length=200)       # owner="self": under this row's key

    class Entry(models.Model):
        matter = models.ForeignKey(Matter, …)
        note = SealedTextField(owner="matter")              # under the key of that matter; fetch it with the row

    class Notice(models.Model):
        text = SealedTextField(owner="")                    # under the installation's key for this column

A subject's key is random and stands in its row, wrapped under the newest version of the key "seal" (`kernel.keys`).
`forget` destroys it with everything that it sealed. The ciphertext is bound to its table and column.

What works: attributes, ``save``, ``create``, ``bulk_create``, ``get_or_create`` (``defaults``), ``only``, ``defer``,
``refresh_from_db``, ``kernel.rows``. What does not: filters, order and expressions (a named FieldError: find text with
`kernel.search`, equal values with a `BlindIndexField`); ``values`` and ``values_list`` give a `Blob`; ``update`` and
``bulk_update`` take text only where the installation's key seals it. Without the owner at hand (``select_related``),
reading costs a query, as for every relation.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import FieldError
from django.db import models, transaction
from django.db.models.functions import Length

from liangzhu.kernel import crypto, keys
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.now import now

if TYPE_CHECKING:
    from liangzhu.kernel.actions import Act

logger = logging.getLogger("liangzhu.sealing")

GONE = "已依规删除"
UNREADABLE = "（内容无法解读，请联系系统管理员）"
HIDDEN = "***"

# The first byte of a column. Nothing at all is an empty text.
_DESTROYED, _SUBJECT, _INSTALLATION = b"\x00", b"\x01", b"\x02"


class Destroyed(Problem):
    """Something was to be written to what was destroyed by rule."""

    code, title, status = "destroyed", "内容已依规删除", 409
    todo = "已依规删除的内容不能再改写；需要时请另行登记。"


class Blob:
    """A sealed value as it stands in the column. Printed, it shows its text only if the installation's key opens it."""

    __slots__ = ("data", "field", "text")

    def __init__(self, data: bytes, field: "SealedTextField", text: str | None = None):
        self.data, self.field, self.text = data, field, text

    def __str__(self) -> str:
        if self.data[:1] == _SUBJECT:
            return HIDDEN
        return str(self.field.open(None, self))

    def __repr__(self) -> str:
        return f"<Blob of {self.field}, {len(self.data)} bytes>"

    def __bool__(self) -> bool:
        return bool(self.data)


class Stand(str):
    """A text that stands for a sealed value which is not shown; saved again, the value stays what it is."""

    data: bytes

    def __new__(cls, text: str, data: bytes):
        """``data`` is what the column holds."""
        self = super().__new__(cls, text)
        self.data = data
        return self


class Gone(Stand):
    """What was destroyed by rule."""


class Unreadable(Stand):
    """What does not open: altered, or moved from another row."""


class Masked(Stand):
    """A value of grade 3, masked. `masking.reveal` gives the text, for a reason, with a leaf."""


def is_gone(text: str) -> bool:
    """Whether a text that was read is one that was destroyed by rule."""
    return isinstance(text, Gone)


# Columns --------------------------------------------------------------------------------------------------------------


class _Attribute:
    """Opens a sealed value when it is read. In the instance's dict stands a Blob as it came, or the text as it was set."""

    def __init__(self, field: "SealedTextField"):
        self.field = field

    def __get__(self, instance: models.Model | None, cls=None):
        if instance is None:
            return self
        name = self.field.attname
        if name not in instance.__dict__:
            instance.__dict__[name] = self.field.fetch(instance)
        value = instance.__dict__[name]
        return self.field.show(instance, value) if isinstance(value, Blob) else value

    def __set__(self, instance: models.Model, value) -> None:
        if isinstance(value, Stand):
            value = Blob(value.data, self.field)
        instance.__dict__[self.field.attname] = value


class SealedTextField(models.Field):
    """A text that is stored as ciphertext.

    ``owner`` is the way to the `Sealed` row whose key seals it: "self", a relation ("matter"), several ("clock.matter");
    "" is the installation's own key, which also serves where a relation is empty. ``grade`` 3 (DB32/T 4608.1: personal
    data whose disclosure does serious harm) is read masked by ``mask``, and in full through `masking.reveal` only.
    ``place`` binds the ciphertext; give it when a table or column is renamed.
    """

    descriptor_class = _Attribute
    description = "sealed text"

    def __init__(
        self,
        *args,
        owner: str = "self",
        grade: int = 2,
        mask: Callable[[str], str] | None = None,
        place: str = "",
        **kwargs,
    ):
        kwargs["null"], kwargs["editable"] = False, False
        self.owner, self.grade, self.mask, self.given_place = owner, grade, mask, place
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        """For migrations."""
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        given = {"owner": self.owner, "grade": self.grade, "mask": self.mask, "place": self.given_place}
        usual = {"owner": "self", "grade": 2, "mask": None, "place": ""}
        kwargs |= {key: value for key, value in given.items() if value != usual[key]}
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        """Bytes in every database."""
        return "BinaryField"

    @property
    def place(self) -> bytes:
        """What the ciphertext is bound to."""
        return (self.given_place or f"{self.model._meta.db_table}.{self.column}").encode()

    # -- opening --------------------------------------------------------------------------------------------

    def show(self, instance: models.Model, blob: Blob) -> str:
        """What a reader of the attribute gets: the text, masked for grade 3, or what stands for it."""
        if blob.text is None:
            blob.text = self.open(instance, blob)
        if self.grade >= 3 and not isinstance(blob.text, Stand) and blob.text:
            return Masked(self.mask(blob.text) if self.mask else HIDDEN, blob.data)
        return blob.text

    def open(self, instance: models.Model | None, blob: Blob) -> str:
        """The text of a value. Never raises for what is destroyed, altered or has lost its owner."""
        data = blob.data
        kind = data[:1]
        if not data:
            return ""
        if kind == _DESTROYED:
            return Gone(GONE, data)
        try:
            if kind == _INSTALLATION:
                version, sealed = int.from_bytes(data[1:3], "big"), data[3:]
                _, key = keys.column_key(self.place.decode(), version)
            else:
                owner, sealed = self.owner_of(instance), data[1:]
                wrapped = bytes(owner.sealed_key or b"")
                if not wrapped:
                    return Gone(GONE, data)
                key = key_of(owner)
            text = crypto.unseal(key, sealed, self.place).decode()
        except (crypto.CryptoError, keys.NoSuchKey, AttributeError, UnicodeDecodeError) as fault:
            logger.error("%s of row %s cannot be opened: %s", self, getattr(instance, "pk", "?"), fault)
            return Unreadable(UNREADABLE, data)
        return text

    def plain(self, instance: models.Model) -> str:
        """The text in full, of whatever grade. For `masking.reveal`, which writes down who read it."""
        value = getattr(instance, self.attname)
        if self.grade >= 3:
            for watcher in _watchers.get():
                watcher.append((instance, self.name))
        return instance.__dict__[self.attname].text if isinstance(value, Masked) else value

    def owner_of(self, instance: models.Model | None) -> "Sealed | None":
        """The row whose key seals the value of an instance; None: the installation's key."""
        found = instance
        for step in self.owner.split(".") if self.owner not in ("", "self") else ():
            found = getattr(found, step) if found is not None else None
        return found if self.owner else None

    def fetch(self, instance: models.Model) -> Blob | str:
        """The value of a row that was read without it."""
        rows = type(instance)._base_manager.using(instance._state.db)
        found = (
            rows.filter(pk=instance.pk).values_list(self.attname, flat=True).first() if instance.pk else None
        )
        return "" if found is None else found

    # -- sealing --------------------------------------------------------------------------------------------

    def pre_save(self, instance: models.Model, add: bool) -> Blob:
        """Seal what was set; what came from the database goes back as it came. Raises Destroyed, ValueError (too long)."""
        value = instance.__dict__[self.attname] if self.attname in instance.__dict__ else self.fetch(instance)
        if isinstance(value, Blob) and not add:
            return value
        # A copy may have another owner.
        text = value.text if isinstance(value, Blob) and value.text is not None else value
        if isinstance(text, Blob | Stand):
            return value
        if hasattr(text, "resolve_expression"):
            raise FieldError(f"{self} is sealed: the database cannot compute it.")
        # An empty text needs no key, and no query for its owner.
        owner = self.owner_of(instance) if text else None
        done = Blob(self.seal(owner, str(text)), self, str(text))
        instance.__dict__[self.attname] = done
        return done

    def seal(self, owner: "Sealed | None", text: str) -> bytes:
        """The column's bytes for a text. Raises Destroyed when the owner's key is no more, ValueError when too long."""
        if self.max_length and len(text) > self.max_length:
            raise ValueError(f"{self} takes {self.max_length} characters, not {len(text)}")
        return sealed_bytes(text, owner.own_key() if owner is not None and text else None, self.place)

    # -- database -------------------------------------------------------------------------------------------

    def from_db_value(self, value, expression, connection) -> Blob | None:
        """Keep the bytes; they are opened when somebody reads them."""
        return None if value is None else Blob(bytes(value), self)

    def get_db_prep_value(self, value, connection, prepared=False):
        """The bytes for a statement. Text without a row can only go under the installation's key: raises FieldError."""
        if isinstance(value, Blob | Stand):
            value = value.data
        elif isinstance(value, str):
            if value and self.owner:
                raise FieldError(
                    f"{self} is sealed under the key of a row: write it with save or bulk_create."
                )
            value = self.seal(None, value)
        return None if value is None else connection.Database.Binary(value)

    def get_lookup(self, lookup_name: str):
        """Raises FieldError: nothing can be filtered by ciphertext."""
        raise FieldError(
            f"{self} is sealed: rows cannot be filtered by it ({lookup_name}). Find text with kernel.search, equal values "
            "with a BlindIndexField."
        )

    def get_transform(self, lookup_name: str):
        """Raises FieldError, as `get_lookup`."""
        return self.get_lookup(lookup_name)


class SealedKeyField(models.BinaryField):
    """The key of a row, wrapped. Made with the row; empty when it was destroyed."""

    def __init__(self, *args, **kwargs):
        kwargs |= {"max_length": 64, "editable": False, "default": b""}
        super().__init__(*args, **kwargs)

    def pre_save(self, instance: models.Model, add: bool):
        """Make the key of a new row."""
        if add and not getattr(instance, self.attname):
            setattr(instance, self.attname, new_subject_key(type(instance)))
        return super().pre_save(instance, add)


class Sealed(models.Model):
    """A row with a key of its own: the subject that can be forgotten. What others seal under it names it as owner."""

    sealed_key = SealedKeyField()

    class Meta:
        abstract = True

    def save(self, *args, **kwargs) -> None:
        """Write the row; a blind index is written with the text that it follows."""
        named = kwargs.get("update_fields")
        if named is not None:
            follow = {
                f.name
                for f in self._meta.concrete_fields
                if isinstance(f, BlindIndexField) and f.source in named
            }
            kwargs["update_fields"] = {*named, *follow}
        super().save(*args, **kwargs)

    def own_key(self) -> bytes:
        """The key, for sealing. A row that was not saved yet gets one. Raises Destroyed."""
        if not self.sealed_key:
            if not self._state.adding:
                raise Destroyed(f"{self._meta.verbose_name}的内容已依规删除。")
            self.sealed_key = new_subject_key(type(self))
        return key_of(self)


def key_place(model: type[models.Model]) -> bytes:
    """What a subject's wrapped key is bound to."""
    return f"{model._meta.db_table}.sealed_key".encode()


def key_of(row: models.Model) -> bytes:
    """The key of a subject's row, also of one as a migration knows it."""
    return keys.unwrap(bytes(row.sealed_key), key_place(type(row)))


def sealed_bytes(text: str, key: bytes | None, place: bytes) -> bytes:
    """A column's bytes: under a subject's key, or without one under the installation's for this column."""
    if not text:
        return b""
    if key is not None:
        return _SUBJECT + crypto.seal(key, text.encode(), place)
    version, key = keys.column_key(place.decode())
    return _INSTALLATION + version.to_bytes(2, "big") + crypto.seal(key, text.encode(), place)


def new_subject_key(model: type[models.Model]) -> bytes:
    """A fresh key for a row of that model, wrapped."""
    return keys.wrap(crypto.new_key(), key_place(model))


# Equality -------------------------------------------------------------------------------------------------------------


class _Token(str):
    """A blind index that was computed; anything else is a value to be looked for."""


def plain_form(text: str) -> str:
    """The usual form of a value before it is compared: no blanks or hyphens, letters large."""
    return "".join(text.split()).replace("-", "").upper()


class BlindIndexField(models.CharField):
    """The blind index of a sealed field beside it: ``filter(number_blind="3207…")`` finds equal values, nothing else can
    be asked, and nothing can be read back. ``what`` names the kind of value: the same in two tables compares across them.
    """

    def __init__(self, *args, source: str, what: str, form: Callable[[str], str] = plain_form, **kwargs):
        kwargs |= {"max_length": 16, "editable": False, "blank": True}
        kwargs.setdefault("default", "")
        self.source, self.what, self.form = source, what, form
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        """For migrations."""
        name, path, args, kwargs = super().deconstruct()
        for key in ("max_length", "editable", "blank"):
            kwargs.pop(key, None)
        kwargs |= {"source": self.source, "what": self.what}
        if self.form is not plain_form:
            kwargs["form"] = self.form
        return name, path, args, kwargs

    def token(self, text: str) -> str:
        """The blind index of a value; "" of an empty one."""
        value = self.form(text)
        return _Token(keys.blind(self.what, value) if value else "")

    def pre_save(self, instance: models.Model, add: bool) -> str:
        """Follow the sealed field."""
        field = instance._meta.get_field(self.source)
        value = instance.__dict__.get(field.attname, "")
        if isinstance(value, Blob):
            value = value.text if value.text is not None else field.open(instance, value)
        found = _Token("") if isinstance(value, Gone) else self.token(str(value))
        setattr(instance, self.attname, found)
        return found

    def get_prep_value(self, value):
        """A value to be looked for becomes its blind index."""
        return value if value is None or isinstance(value, _Token) else self.token(str(value))

    def get_lookup(self, lookup_name: str):
        """Raises FieldError for anything but equality."""
        if lookup_name not in ("exact", "in", "isnull"):
            raise FieldError(f"{self} is a blind index: it answers equality only, not {lookup_name}.")
        return super().get_lookup(lookup_name)


def rebuild_blind_indexes(registry=apps) -> None:
    """Compute every blind index again: after the key was rotated."""
    for model in registry.get_models():
        fields = [field for field in model._meta.concrete_fields if isinstance(field, BlindIndexField)]
        if fields:
            for row in model._base_manager.iterator(chunk_size=1000):
                given = {field.attname: field.pre_save(row, False) for field in fields}
                model._base_manager.filter(pk=row.pk).update(**given)


keys.on_rotation("blind", rebuild_blind_indexes)


# The registry ---------------------------------------------------------------------------------------------------------

_dependants: dict[type[models.Model], list[Callable[["Act", Any], dict[str, int]]]] = {}
_told: list[Callable[["Sealed", str, str], None]] = []
_by_reference: list[tuple[type["Sealed"], str]] = []
_with_it: list[tuple[type["Sealed"], str]] = []
_parts: dict[type[models.Model], list[Callable[[Any], Iterable[object]]]] = {}
_watchers: ContextVar[tuple[list, ...]] = ContextVar("grade 3 watchers", default=())


def sealed_fields(registry=apps) -> list[SealedTextField]:
    """Every sealed column of the installed models."""
    return [
        field
        for model in registry.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, SealedTextField)
    ]


def grade_3_fields(registry=apps) -> list[SealedTextField]:
    """The sealed columns that are read masked, and in full with a leaf only."""
    return [field for field in sealed_fields(registry) if field.grade >= 3]


@contextmanager
def watching() -> Iterator[list[tuple[models.Model, str]]]:
    """The (row, field) of every value of grade 3 that is read in full meanwhile in this context; for tests of reading."""
    seen: list = []
    token = _watchers.set((*_watchers.get(), seen))
    try:
        yield seen
    finally:
        _watchers.reset(token)


# Forgetting -----------------------------------------------------------------------------------------------------------


def on_forget(model: type[models.Model], destroy: Callable[["Act", Any], dict[str, int]]) -> None:
    """Have ``destroy(act, row)`` called when a row of that model is forgotten; it returns how much of what it destroyed.

    For what is no sealed column: the terms of a search index, contents of files.
    """
    _dependants.setdefault(model, []).append(destroy)


def on_forgotten(tell: Callable[["Sealed", str, str], None]) -> None:
    """Have ``tell(row, fingerprint of its wrapped key, when)`` called after a deletion was committed."""
    _told.append(tell)


def key_fingerprint(wrapped: bytes) -> str:
    """What a subject's wrapped key is told apart by, also when it is no more: 16 hexadecimal characters."""
    return crypto.sm3_hex(wrapped)[:16]


def hangs_on(model: type[Sealed], column: str) -> type[Sealed]:
    """Have the rows of a model forgotten with the subject whose reference ("matter:12") stands in their ``column``."""
    _by_reference.append((model, column))
    return model


def goes_with(model: type[Sealed], name: str) -> type[Sealed]:
    """Have the rows of a model, which have a key of their own, forgotten with the row that their foreign key names."""
    _with_it.append((model, name))
    return model


def has_parts(model: type[models.Model], parts: Callable[[Any], Iterable[object]]) -> None:
    """Have what hangs on the references ``parts(row)`` forgotten with a row of that model: its parts have no key of their own."""
    _parts.setdefault(model, []).append(parts)


def forget(act: "Act", row: Sealed, *, rule: str) -> dict[str, int]:
    """Destroy a subject's key and everything that it seals, by a rule that names its ground; the leaves stay.

    Emptied are the sealed columns of the row and of all rows that name it as owner, with their blind indexes, what
    `on_forget` registered, and the details of its leaves and delivered events; what `hangs_on` it or on its parts
    (`has_parts`), or `goes_with` it, is forgotten too. One leaf proves it: the rule, how many
    values of which columns, and the fingerprint of the key that is no more. The caller has asked its policy and holds
    the row's lock. Returns the counts. Doing it again destroys what was added since, as a rule nothing.
    """
    if not rule.strip():
        raise ValueError("forgetting names its rule")
    with transaction.atomic():
        fingerprint = key_fingerprint(bytes(row.sealed_key)) if row.sealed_key else ""
        counts: dict[str, int] = {}
        for field in sealed_fields(row._meta.apps):
            for rows in _owned(field, row):
                counts[f"{field.model._meta.label}.{field.name}"] = _empty(rows, field)
        type(row)._base_manager.filter(pk=row.pk).update(sealed_key=b"")
        for destroy in _dependants.get(type(row), ()):
            counts |= destroy(act, row)
        subjects = [str(row.ref), *(str(ref) for find in _parts.get(type(row), ()) for ref in find(row))]
        hanging = [(model, {f"{column}__in": subjects}) for model, column in _by_reference]
        hanging += [
            (model, {name: row})
            for model, name in _with_it
            if isinstance(row, model._meta.get_field(name).related_model)
        ]
        for model, found in hanging:
            for other in model._base_manager.filter(**found).exclude(sealed_key=b""):
                forget(act, other, rule=rule)
                counts[model._meta.label] = counts.get(model._meta.label, 0) + 1
        for subject in subjects:
            for name, count in forget_traces(subject).items():
                counts[name] = counts.get(name, 0) + count
        counts = {name: count for name, count in counts.items() if count}
        row.refresh_from_db()
        act.log(row.ref, forgotten=rule.strip(), key=fingerprint, emptied=counts)
        if fingerprint:
            for told in _told:
                transaction.on_commit(partial(told, row, fingerprint, f"{now():%Y-%m-%dT%H:%M:%SZ}"))
    return counts


def _owned(field: SealedTextField, row: Sealed) -> Iterator[models.QuerySet]:
    """The rows whose values of a field are sealed under the key of a row."""
    rows = field.model._base_manager
    if field.owner == "self":
        if isinstance(row, field.model):
            yield rows.filter(pk=row.pk)
        return
    target, steps = field.model, field.owner.split(".") if field.owner else []
    for step in steps:
        target = target._meta.get_field(step).related_model
    if steps and isinstance(row, target):
        yield rows.filter(**{"__".join(steps): row})


def _empty(rows: models.QuerySet, field: SealedTextField) -> int:
    """Destroy the values of a column; what was empty stays empty. Returns how many held something."""
    blind = {
        other.attname: _Token("")
        for other in field.model._meta.concrete_fields
        if isinstance(other, BlindIndexField) and other.source == field.name
    }
    held = rows.alias(held=Length(models.F(field.attname), output_field=models.IntegerField())).filter(
        held__gt=1
    )
    ids = list(held.values_list("pk", flat=True))
    for start in range(0, len(ids), 500):
        some = field.model._base_manager.filter(pk__in=ids[start : start + 500])
        some.update(**{field.attname: Blob(_DESTROYED, field)}, **blind)
    return len(ids)


def forget_traces(subject: str) -> dict[str, int]:
    """Destroy the details of a subject's leaves and the bodies of its events that nobody is owed any more.

    `forget` does it for the subject itself; an `on_forget` may for what has leaves but no key of its own. Returns counts.
    """
    detail, event = apps.get_model("kernel", "LogDetail"), apps.get_model("kernel", "OutboxEvent")
    gone, _ = detail.objects.filter(leaf__subject=subject).delete()
    owed = apps.get_model("kernel", "Delivery").objects.filter(done_at=None, dead_at=None)
    done = event.objects.filter(subject=subject).exclude(pk__in=owed.values("event"))
    return {"kernel.LogDetail": gone, "kernel.OutboxEvent.body": _empty(done, event._meta.get_field("body"))}
