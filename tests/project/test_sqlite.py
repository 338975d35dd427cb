"""The differences of our backend for SQLite from Django's."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, reset_queries
from django.test.utils import CaptureQueriesContext

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="it is SQLite's"),
]


def test_debug_costs_no_log_of_queries(settings: Any) -> None:
    settings.DEBUG = True
    reset_queries()
    assert not User.objects.exists()
    assert connection.queries == []


def test_a_test_that_asks_for_the_queries_gets_them() -> None:
    with CaptureQueriesContext(connection) as captured:
        assert not User.objects.exists()
    assert len(captured) == 1
