"""Keyset pages: every row once, in order, forwards and backwards, with empty values last."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import RequestFactory
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from liangzhu.kernel.models import PeriodicRun
from liangzhu.kernel.paging import page

START = datetime(2022, 1, 1, tzinfo=UTC)


def walk(order, size):
    """All names by following `next`, and by following `previous` from the last page."""
    factory, forwards, link, last = RequestFactory(), [], "?", None
    while link:
        last = page(PeriodicRun.objects.all(), factory.get("/" + link), order, size)
        forwards += [row.name for row in last]
        link = last.next
    backwards = [row.name for row in last]
    while last.previous:
        last = page(PeriodicRun.objects.all(), factory.get("/" + last.previous), order, size)
        backwards = [row.name for row in last] + backwards
    return forwards, backwards


class EveryRowOnce(TestCase):
    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(st.one_of(st.none(), st.integers(0, 5)), max_size=25),
        st.integers(1, 7),
        st.sampled_from([("last_at", "name"), ("-last_at", "name"), ("-last_at", "-name")]),
    )
    def test_walking_forwards_and_backwards_gives_every_row_once_in_order(self, days, size, order):
        PeriodicRun.objects.all().delete()
        PeriodicRun.objects.bulk_create(
            PeriodicRun(name=f"job{i:03}", last_at=None if day is None else START + timedelta(days=day))
            for i, day in enumerate(days)
        )
        forwards, backwards = walk(order, size)
        rows = sorted(PeriodicRun.objects.all(), key=lambda row: row.name, reverse=order[1] == "-name")
        given_days = sorted(
            (row for row in rows if row.last_at), key=lambda row: row.last_at, reverse=order[0] == "-last_at"
        )
        expected = [row.name for row in given_days] + [row.name for row in rows if not row.last_at]
        assert forwards == expected
        assert backwards == expected


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["", "x", "!!!", "WzFd", "eyJhIjoxfQ", "W3sidCI6IngifSwxXQ"])
def test_a_broken_token_shows_the_first_page(token):
    PeriodicRun.objects.create(name="only")
    found = page(PeriodicRun.objects.all(), RequestFactory().get("/", {"after": token}), ("last_at", "name"))
    assert [row.name for row in found] == ["only"]


@pytest.mark.django_db
def test_a_page_keeps_the_other_parameters_and_does_not_count(django_assert_num_queries):
    PeriodicRun.objects.bulk_create(PeriodicRun(name=f"job{i}") for i in range(5))
    with django_assert_num_queries(1):
        found = page(PeriodicRun.objects.all(), RequestFactory().get("/?scope=mine"), ("name",), 2)
    assert "scope=mine" in found.next and not found.previous
