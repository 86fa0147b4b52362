"""Full-text search in Chinese (全文检索), the same on both databases: FTS5 on SQLite, tsvector with GIN on PostgreSQL.

Text becomes *terms*: Han characters alone and in pairs, words of Latin letters and digits. Full-width forms are
folded, traditional characters are left as they are. An identity number or a telephone number is one term, also when
it was written with spaces or hyphens, so it is found by equality only.

**The index holds no readable text.** Every term is stored as a keyed token (`token`); without the key of this
installation nobody reads words out of it. What remains visible is how often a token occurs.

Whoever owns a kind of thing keeps it here::

    search.index("matter", 12, [title, number], scope=["u7", "open"])   # replaces
    search.add("matter", 12, remark)                                    # appends, reads nothing
    search.rescope("matter", 12, ["u7", "u9"])
    search.remove("matter", 12)
    search.find("噪声 扰民", kind="matter", any_of=["u7"], limit=50)    # newest first

``scope`` are plain marks (letters, digits, underscore) that a search can demand: who may see it, whether it is open.
They narrow inside the index, so that a page never runs empty because most of its hits belong to others. They are no
substitute for the policy: the caller reads the rows through its own scoped query.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from django.db import connection
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from liangzhu.kernel import keys
from liangzhu.kernel.models import SearchDoc
from liangzhu.kernel.rows import insert

TOKEN_LENGTH = 11
"""Characters of a token: 44 bits. A million terms collide with a given one by a chance of one in ten million."""

MAX_TERMS = 12_000
"""Terms kept of one text: a tsvector counts positions up to 16,383."""

MAX_CHUNKS, MAX_QUERY = 8, 100
"""Pieces and characters of a query that count."""

_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_RUN = re.compile(rf"([{_HAN}]+)|([^\W_{_HAN}]+)")
_JOINED = (
    re.compile(r"(?<![0-9])(1[3-9][0-9])[\s-]([0-9]{4})[\s-]([0-9]{4})(?![0-9])"),  # mobile telephone
    re.compile(r"(?<![0-9])(0[0-9]{2,3})[\s-]([0-9]{7,8})(?![0-9])()"),  # fixed line with its area code
    re.compile(r"(?<![0-9])([0-9]{6})[\s-]([0-9]{8})[\s-]([0-9]{3}[0-9x])(?![0-9a-z])"),  # identity number
)
_LONG_NUMBER = re.compile(r"[0-9][0-9\s-]{8}[0-9]")
"""No number above is shorter: most texts need no further look."""

_BREAK = "zz"
"""Stands between texts, so that no phrase runs from one into the next. No token has this length."""

_MARK = re.compile(r"[a-z0-9_]+")


# Terms ------------------------------------------------------------------------------------------------------


def fold(text: str) -> str:
    """Text as it is compared: full-width and compatibility forms folded (NFKC), letters small, numbers joined."""
    text = unicodedata.normalize("NFKC", text).casefold()
    if _LONG_NUMBER.search(text):
        for pattern in _JOINED:
            text = pattern.sub(r"\1\2\3", text)
    return text


@dataclass(frozen=True)
class Terms:
    """What a text is found by: ``singles`` (Han characters, unordered), ``stream`` (pairs and words, in order)."""

    singles: tuple[str, ...]
    stream: tuple[str, ...]


def _runs(folded: str) -> Iterator[tuple[str, str]]:
    """Stretches of one sort: ("han", 噪声) or ("word", pt2022)."""
    for found in _RUN.finditer(folded):
        yield ("han", found[1]) if found[1] else ("word", found[2])


@lru_cache(maxsize=4096)
def terms(text: str) -> Terms:
    """Cut a text into terms."""
    singles: dict[str, None] = {}
    stream: list[str] = []
    for sort, run in _runs(fold(text)):
        if sort == "word":
            stream.append(run)
        else:
            singles.update(dict.fromkeys(run))
            stream += [run[n : n + 2] for n in range(len(run) - 1)]
        if len(stream) >= MAX_TERMS:
            break
    return Terms(tuple(singles), tuple(stream[:MAX_TERMS]))


@dataclass(frozen=True)
class Wanted:
    """A query: every one of ``singles`` occurs, and every one of ``phrases`` in its order."""

    singles: tuple[str, ...]
    phrases: tuple[tuple[str, ...], ...]

    def __bool__(self) -> bool:
        return bool(self.singles or self.phrases)


def wanted(query: str) -> Wanted:
    """Read a query. Pieces apart by spaces must all occur; what is written together must stand together.

    Numbers with their hyphens are a phrase (PT-2022-0007). Where Han and Latin meet inside a piece, both must
    occur.
    """
    singles: dict[str, None] = {}
    phrases: dict[tuple[str, ...], None] = {}
    for chunk in fold(query[:MAX_QUERY]).split()[:MAX_CHUNKS]:
        words: list[str] = []
        for sort, run in [*_runs(chunk), ("end", "")]:
            if sort == "word":
                words.append(run)
                continue
            if words:
                phrases[tuple(words)], words = None, []
            if sort == "han" and len(run) == 1:
                singles[run] = None
            elif sort == "han":
                phrases[tuple(run[n : n + 2] for n in range(len(run) - 1))] = None
    return Wanted(tuple(singles), tuple(phrases))


def token(term: str) -> str:
    """The keyed token that stands for a term in the index now: hex HMAC-SM3, shortened."""
    return _token(keys.current("blind").secret, term)


@lru_cache(maxsize=200_000)
def _token(secret: bytes, term: str) -> str:
    # The secret is part of the question only so that what is remembered ends with the key.
    return keys.blind("search", term)[:TOKEN_LENGTH]


def _tokens(several: Iterable[str]) -> list[str]:
    secret = keys.current("blind").secret
    return [_token(secret, term) for term in several]


# Keeping ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Doc:
    """One thing for the index: its number within its kind, its texts, its marks."""

    ident: int
    texts: tuple[str, ...]
    scope: tuple[str, ...]


def index(
    kind: str, ident: int, texts: Iterable[str], scope: Iterable[str] = (), *, new: bool = False
) -> None:
    """Keep a thing under the terms of its texts, in place of what was kept for it. Joins the caller's transaction.

    ``new``: the thing was made in this transaction, so that nothing can be kept for it yet.
    """
    if new:
        row = insert(SearchDoc(kind=kind, ident=ident))
    else:
        row, _ = SearchDoc.objects.get_or_create(kind=kind, ident=ident)
    doc = Doc(ident, tuple(texts), tuple(scope))
    _engine().put(kind, [(row.pk, doc)])


def index_many(kind: str, docs: Iterable[Doc]) -> None:
    """Keep many things that are not in the index yet; for loaders and `liangzhu search rebuild`."""
    docs = list(docs)
    rows = SearchDoc.objects.bulk_create([SearchDoc(kind=kind, ident=doc.ident) for doc in docs])
    _engine().put(kind, [(row.pk, doc) for row, doc in zip(rows, docs, strict=True)])


def add(kind: str, ident: int, text: str, scope: Iterable[str] | None = None) -> None:
    """Let a thing be found by one more text, and give it other marks unless ``scope`` is None.

    What is not in the index stays out of it.
    """
    pk = SearchDoc.objects.filter(kind=kind, ident=ident).values_list("pk", flat=True).first()
    if pk is not None:
        _engine().append(pk, terms(text), None if scope is None else _marks(kind, scope))


def rescope(kind: str, ident: int, scope: Iterable[str]) -> None:
    """Give a thing other marks."""
    add(kind, ident, "", scope)


def remove(kind: str, ident: int) -> None:
    """Forget a thing."""
    pks = list(SearchDoc.objects.filter(kind=kind, ident=ident).values_list("pk", flat=True))
    _engine().drop(pks)
    SearchDoc.objects.filter(pk__in=pks).delete()


def clear(kind: str) -> None:
    """Forget every thing of a kind."""
    _engine().clear(kind)
    SearchDoc.objects.filter(kind=kind).delete()


# Finding ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hit:
    """A thing that was found. ``place`` is where it stands in the index: the key of paging, newest highest."""

    ident: int
    place: int


def find(
    query: str,
    *,
    kind: str,
    any_of: Iterable[str] | None = None,
    all_of: Iterable[str] = (),
    before: int | None = None,
    after: int | None = None,
    limit: int = 50,
) -> list[Hit]:
    """The things of a kind that a query finds, newest first; at most ``limit``.

    ``any_of``: one of these marks is there (None: not asked; empty: nothing is found). ``all_of``: every one is.
    ``before`` and ``after`` are places: hits older than the one, or the oldest hits newer than the other.
    A query without terms finds nothing.
    """
    asked = wanted(query)
    one = None if any_of is None else tuple(any_of)
    if not asked or one == ():
        return []
    pks = _engine().find(asked, (_kind_mark(kind), *all_of), one, before, after, limit)
    idents = dict(SearchDoc.objects.filter(pk__in=pks).values_list("pk", "ident"))
    return [Hit(idents[pk], pk) for pk in sorted(pks, reverse=True) if pk in idents]


# Showing ----------------------------------------------------------------------------------------------------


def highlight(text: str, query: str) -> SafeString:
    """A readable text with what the query asked for in ``<mark>``, as safe HTML."""
    needles = sorted({run for chunk in fold(query[:MAX_QUERY]).split() for _, run in _runs(chunk)}, key=len)
    # Folding may change lengths (㈱, ﬁ), so each character is folded alone and remembers where it came from.
    folded, origin = [], []
    for place, char in enumerate(text):
        for piece in unicodedata.normalize("NFKC", char).casefold():
            folded.append(piece)
            origin.append(place)
    flat, marked = "".join(folded), [False] * len(text)
    for needle in needles:
        start = flat.find(needle)
        while start >= 0:
            for place in origin[start : start + len(needle)]:
                marked[place] = True
            start = flat.find(needle, start + 1)
    out, inside = [], False
    for char, on in zip(text, marked, strict=True):
        if on != inside:
            out.append("<mark>" if on else "</mark>")
            inside = on
        out.append(escape(char))
    return mark_safe("".join(out) + ("</mark>" if inside else ""))  # every character is escaped above


def snippet(text: str, query: str, width: int = 60) -> SafeString:
    """The stretch of a long text around what the query asked for, highlighted; "" when nothing of it is there."""
    folded = "".join(unicodedata.normalize("NFKC", char).casefold()[:1] or " " for char in text)
    places = [folded.find(run) for chunk in fold(query[:MAX_QUERY]).split() for _, run in _runs(chunk)]
    if not places or max(places) < 0:
        return mark_safe("")
    start = max(min(place for place in places if place >= 0) - width // 3, 0)
    cut = text[start : start + width]
    return mark_safe(
        f"{'…' if start else ''}{highlight(cut, query)}{'…' if start + width < len(text) else ''}"
    )


# The two databases ------------------------------------------------------------------------------------------


def _marks(kind: str, scope: Iterable[str]) -> list[str]:
    marks = list(dict.fromkeys(scope))
    for mark in marks:
        if not _MARK.fullmatch(mark):
            raise ValueError(f"a mark is letters, digits and underscores, not {mark!r}")
    return [_kind_mark(kind), *marks]


def _kind_mark(kind: str) -> str:
    return f"kind_{kind}"


def _streams(texts: Iterable[str]) -> tuple[list[str], list[list[str]]]:
    """Tokens of several texts: the singles of all, the stream of each."""
    singles: dict[str, None] = {}
    streams = []
    for text in texts:
        found = terms(text)
        singles.update(dict.fromkeys(_tokens(found.singles)))
        streams.append(_tokens(found.stream))
    return list(singles), [stream for stream in streams if stream]


class _Sqlite:
    """An FTS5 table beside `SearchDoc`; its row number is the document's. Reading it backwards is reading by age."""

    def put(self, kind: str, docs: list[tuple[int, Doc]]) -> None:
        rows = []
        for pk, doc in docs:
            singles, streams = _streams(doc.texts)
            stream = f" {_BREAK} ".join(" ".join(each) for each in streams)
            rows.append((pk, " ".join(_marks(kind, doc.scope)), " ".join(singles), stream))
        with connection.cursor() as cursor:
            # A row of that number may be left from a table that was emptied around us.
            cursor.executemany(
                "INSERT OR REPLACE INTO kernel_searchtext(rowid, scope, singles, stream) VALUES (%s, %s, %s, %s)",
                rows,
            )

    def append(self, pk: int, found: Terms, marks: list[str] | None) -> None:
        sets, values = [], []
        if marks is not None:
            sets, values = ["scope = %s"], [" ".join(marks)]
        if found.singles:
            sets.append("singles = singles || %s")
            values.append("".join(f" {one}" for one in _tokens(found.singles)))
        if found.stream:
            sets.append("stream = stream || %s")
            values.append(f" {_BREAK}" + "".join(f" {one}" for one in _tokens(found.stream)))
        _set("kernel_searchtext", "rowid", sets, values, pk)

    def drop(self, pks: list[int]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany("DELETE FROM kernel_searchtext WHERE rowid = %s", [(pk,) for pk in pks])

    def clear(self, kind: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM kernel_searchtext WHERE rowid IN (SELECT id FROM kernel_searchdoc WHERE kind = %s)",
                [kind],
            )

    def find(self, asked, all_of, any_of, before, after, limit) -> list[int]:
        parts = [f'singles:"{token(one)}"' for one in asked.singles]
        parts += [f'stream:"{" ".join(token(one) for one in phrase)}"' for phrase in asked.phrases]
        parts += [f'scope:"{mark}"' for mark in all_of]
        if any_of is not None:
            parts.append("scope:(" + " OR ".join(f'"{mark}"' for mark in any_of) + ")")
        sql, values = (
            "SELECT rowid FROM kernel_searchtext WHERE kernel_searchtext MATCH %s",
            [" AND ".join(parts)],
        )
        return _paged(sql, "rowid", values, before, after, limit)


class _Postgresql:
    """Two columns of `SearchDoc` that only the database knows, under one GIN index."""

    def put(self, kind: str, docs: list[tuple[int, Doc]]) -> None:
        rows = []
        for pk, doc in docs:
            singles, streams = _streams(doc.texts)
            rows.append((_marks(kind, doc.scope), _vector(singles, streams), pk))
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE kernel_searchdoc SET scope = %s, words = %s::tsvector WHERE id = %s", rows
            )

    def append(self, pk: int, found: Terms, marks: list[str] | None) -> None:
        sets, values = [], []
        if marks is not None:
            sets, values = ["scope = %s"], [marks]
        if found.singles or found.stream:
            # A word between the two keeps their ends apart: appending shifts places by the last one.
            sets.append(f"words = words || '{_BREAK}:1'::tsvector || %s::tsvector")
            values.append(_vector(_tokens(found.singles), [_tokens(found.stream)]))
        _set("kernel_searchdoc", "id", sets, values, pk)

    def drop(self, pks: list[int]) -> None:
        """The columns go with the row."""

    def clear(self, kind: str) -> None:
        """The columns go with the rows."""

    def find(self, asked, all_of, any_of, before, after, limit) -> list[int]:
        parts = [f"'{token(one)}'" for one in asked.singles]
        parts += ["(" + " <-> ".join(f"'{token(one)}'" for one in phrase) + ")" for phrase in asked.phrases]
        sql = "SELECT id FROM kernel_searchdoc WHERE words @@ %s::tsquery AND scope @> %s"
        values: list = [" & ".join(parts), list(all_of)]
        if any_of is not None:
            sql += " AND scope && %s"
            values.append(list(any_of))
        return _paged(sql, "id", values, before, after, limit)


def _set(table: str, key: str, sets: list[str], values: list, pk: int) -> None:
    if sets:
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET {', '.join(sets)} WHERE {key} = %s", [*values, pk])


def _vector(singles: list[str], streams: list[list[str]]) -> str:
    """A tsvector in text: singles of a sort of their own (`s…`, no places), the streams with their places."""
    places: dict[str, list[int]] = {}
    at = 0
    for stream in streams:
        for one in stream:
            at += 1
            places.setdefault(one, []).append(at)
        at += 1
    parts = [f"'{one}'" for one in singles if one not in places]
    parts += [f"'{one}':{','.join(str(n) for n in found[:255])}" for one, found in places.items()]
    return " ".join(parts)


def _paged(sql: str, key: str, values: list, before: int | None, after: int | None, limit: int) -> list[int]:
    if before is not None:
        sql += f" AND {key} < %s"
        values.append(before)
    if after is not None:
        sql += f" AND {key} > %s"
        values.append(after)
    sql += f" ORDER BY {key} {'DESC' if after is None else 'ASC'} LIMIT %s"
    with connection.cursor() as cursor:
        cursor.execute(sql, [*values, limit])
        return [row[0] for row in cursor.fetchall()]


def _engine() -> _Sqlite | _Postgresql:
    return _Postgresql() if connection.vendor == "postgresql" else _Sqlite()
