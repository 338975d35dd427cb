"""Storms have a database of their own, in memory."""

import gc
import logging
from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker


@pytest.fixture(autouse=True)
def unblocked(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """pytest-django knows only its own database."""
    logging.disable(logging.CRITICAL)
    with django_db_blocker.unblock():
        yield
    logging.disable(logging.NOTSET)
    gc.collect()  # what the dead have left behind, whose complaints the tests ignore
