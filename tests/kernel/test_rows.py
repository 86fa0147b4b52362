"""Rows written and read with composed-once statements are those that the ORM would write and read."""

from datetime import UTC, datetime

import pytest
from django.db import connection, models
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from liangzhu.kernel import rows
from liangzhu.kernel.actions import Act
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.models import Delivery, LogDetail, LogLeaf, OutboxEvent, Release

instants = st.integers(946684800, 4102444800).map(lambda second: datetime.fromtimestamp(second, UTC))
words = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), max_size=60)


def plain(row: models.Model) -> dict:
    return {
        f.attname: bytes(v) if isinstance(v := getattr(row, f.attname), memoryview) else v
        for f in row._meta.local_concrete_fields
    }


class SameAsTheOrm(TestCase):
    @given(name=words, body=words, at=instants)
    def test_what_is_inserted_is_read_back_by_both(self, name, body, at):
        made = rows.insert(
            OutboxEvent(name=name, subject="unit:1", body=body, actor="system:worker", request_id="", at=at)
        )
        assert (
            plain(OutboxEvent.objects.get(pk=made.pk)) == plain(made) == plain(rows.get(OutboxEvent, made.pk))
        )

    @given(attempts=st.integers(0, 30000), due=instants, done=st.none() | instants, error=words)
    def test_an_update_writes_the_named_fields_only(self, attempts, due, done, error):
        event = rows.insert(OutboxEvent(name="n", subject="unit:1", body="{}", actor="a", at=due))
        row = rows.insert(Delivery(event=event, handler="h", subject="unit:1", due_at=due))
        row.attempts, row.done_at, row.error, row.handler = attempts, done, error, "not written"
        rows.update(row, "attempts", "done_at", "error")
        found = Delivery.objects.get(pk=row.pk)
        assert (found.attempts, found.done_at, found.error, found.handler) == (attempts, done, error, "h")
        row.handler = "written"
        rows.update(row)
        assert plain(Delivery.objects.get(pk=row.pk)) == plain(row)


@pytest.mark.django_db
def test_bytes_and_keys_that_are_given_survive():
    leaf = rows.insert(LogLeaf(at=datetime(2022, 1, 1, tzinfo=UTC), action="a", actor="b", subject="c:1"))
    assert leaf.recorded_at is not None
    rows.insert(LogDetail(leaf=leaf, salt=b"\x00\xff" * 8, body="{}"))
    assert bytes(rows.get(LogDetail, leaf.pk).salt) == b"\x00\xff" * 8
    assert rows.get(LogDetail, leaf.pk + 1) is None


@pytest.mark.django_db
def test_values_are_those_of_the_rows_asked_for():
    for number in (1, 2):
        rows.insert(
            Release(
                kind="k", key="x", number=number, body="b", drafted_at=datetime(2022, 1, number, tzinfo=UTC)
            )
        )
    rows.insert(Release(kind="k", key="y", number=1, body="b", drafted_at=datetime(2022, 1, 1, tzinfo=UTC)))
    found = rows.values(Release, ("number", "drafted_at"), "key", "x")
    assert sorted(found) == [[n, datetime(2022, 1, n, tzinfo=UTC)] for n in (1, 2)]


@pytest.mark.django_db(transaction=True)
def test_a_locked_read_holds_the_row_until_the_end(django_db_blocker):
    """On PostgreSQL another connection finds it locked; SQLite has one writer anyway."""
    if connection.vendor != "postgresql":
        assert "FOR UPDATE" not in rows._select_statement(Release, "sqlite", ("id",), "id", True)[0]
        return
    import psycopg
    from django.db import transaction

    row = rows.insert(
        Release(kind="k", key="x", number=1, body="b", drafted_at=datetime(2022, 1, 1, tzinfo=UTC))
    )
    with transaction.atomic():
        rows.get(Release, row.pk, lock=True)
        with (
            psycopg.connect(
                **connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}
            ) as other,
            pytest.raises(psycopg.errors.LockNotAvailable),
        ):
            other.execute("SELECT 1 FROM kernel_release FOR UPDATE NOWAIT")


@pytest.mark.django_db
def test_only_the_object_read_last_counts_as_held():
    row = rows.insert(
        Release(kind="k", key="x", number=1, body="b", drafted_at=datetime(2022, 1, 1, tzinfo=UTC))
    )
    act = Act(SYSTEM, "test.hold")
    first, second = act.lock(Release, pk=row.pk), act.lock(Release, pk=row.pk)
    assert act.holds(second) and not act.holds(first)


@pytest.mark.django_db
def test_a_prepared_query_answers_as_the_queryset_does():
    day = datetime(2022, 1, 1, tzinfo=UTC)
    for number, key in enumerate(("x", "x", "y"), 1):
        rows.insert(Release(kind="k", key=key, number=number, body="b", drafted_at=day))

    def build(key: str):
        return (
            Release.objects.filter(key=key)
            .order_by("number")
            .values_list("number", "drafted_at", "released_at")
        )

    prepared = rows.Prepared(build)
    for key in ("x", "y", "z", "x"):
        assert prepared(key) == list(build(key))
