"""A start that cannot be ends with one sentence, whoever starts: no traceback hides it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ImproperlyConfigured

# gunicorn takes it for "do not try again", and would start anew without end after any other.
CANNOT_BOOT = 3


@contextmanager
def in_one_sentence(code: int = 1) -> Iterator[None]:
    try:
        yield
    except ImproperlyConfigured as error:
        sys.stderr.write(f"studybot cannot run: {error}\n")
        raise SystemExit(code) from None
