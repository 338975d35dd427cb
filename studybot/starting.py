"""A start that cannot be ends with one sentence, whoever starts: no traceback hides it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError

# Of those that a session begins with, by which we bound how long a lost one keeps its rows.
_OF_A_POOLER = "unsupported startup parameter"
# gunicorn takes it for "do not try again", and would start anew without end after any other.
CANNOT_BOOT = 3


@contextmanager
def in_one_sentence(code: int = 1) -> Iterator[None]:
    try:
        yield
    except ImproperlyConfigured as error:
        told = str(error)
    except OperationalError as error:
        if _OF_A_POOLER not in str(error):
            raise
        told = (
            "DATABASE_URL leads to a PgBouncer: set DATABASE_POOLER to session or transaction, "
            "whichever its pool_mode is."
        )
    else:
        return
    sys.stderr.write(f"studybot cannot run: {told}\n")
    raise SystemExit(code)
