"""What is left out on PostgreSQL is what opens no database: a test that would open one all the same fails on SQLite.

This file is left out there itself; it needs nothing.
"""

import os

import pytest
from django.contrib.contenttypes.models import ContentType


def test_it_starts_no_process():
    with pytest.raises(AssertionError, match="mark it django_db"):
        os.system("true")


def test_it_forks_none():
    with pytest.raises(AssertionError, match="mark it django_db"):
        os.fork()


def test_it_asks_no_database():
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        ContentType.objects.count()
