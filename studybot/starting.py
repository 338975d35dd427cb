"""Ends a start that cannot succeed with one sentence in place of a traceback."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, OperationalError
from psycopg.errors import UndefinedColumn, UndefinedTable

# gunicorn gives up at this code, and restarts for ever at any other.
CANNOT_BOOT = 3
# A pooler refuses the session options by which we bound how long a lost session holds rows.
_OF_A_POOLER = "unsupported startup parameter"
_NOT_MIGRATED = ("no such table", "no such column")  # SQLite's words
_DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT)
_OF_THE_DISK = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, *_DISK_IS_FULL)


@contextmanager
def in_one_sentence(code: int = 1) -> Iterator[None]:
    """Let errors through that are not of the set-up, and all of them with --traceback."""
    try:
        yield
    except (ImproperlyConfigured, ModuleNotFoundError, DatabaseError, OSError) as error:
        told = _told(error)
        if not told or "--traceback" in sys.argv:
            raise
    else:
        return
    sys.stderr.write(f"studybot cannot run: {told}\n")
    raise SystemExit(code)


def _told(error: Exception) -> str:
    """Return the sentence, or "" if the error may be our own fault."""
    match error:
        case ModuleNotFoundError():
            return _of_what_is_installed(error)
        case DatabaseError():
            return _of_the_database(error)
        case OSError():
            return _of_the_disk(error)
    return str(error)


def _of_what_is_installed(error: ModuleNotFoundError) -> str:
    settings = os.environ.get("DJANGO_SETTINGS_MODULE", "")
    if error.name and f"{settings}.".startswith(f"{error.name}."):
        return f"DJANGO_SETTINGS_MODULE={settings!r} is another site's: unset it."
    return f"{error}. Install what studybot needs: pip install -r requirements.txt"


def _of_the_database(error: DatabaseError) -> str:
    said = " ".join(str(error).split())  # libpq has a line for each of several hosts
    if _OF_A_POOLER in said:
        return (
            "DATABASE_URL leads to a PgBouncer: set DATABASE_POOLER to session or transaction, "
            "whichever its pool_mode is."
        )
    is_outdated = isinstance(error.__cause__, UndefinedTable | UndefinedColumn)
    if is_outdated or said.startswith(_NOT_MIGRATED):
        return f"the database is not up to date ({said}): run `manage.py migrate`."
    # SQLite raises a plain DatabaseError for a damaged file, or one that is no database.
    if type(error) in (OperationalError, DatabaseError):
        return (
            f"the database cannot be used ({said}). See that it answers, and that DATABASE_URL "
            "says where; unset, it is a file under var/."
        )
    return ""


def _of_the_disk(error: OSError) -> str:
    if error.errno not in _OF_THE_DISK:
        return ""
    where = error.filename or "a file"
    remedy = "make room" if error.errno in _DISK_IS_FULL else "give this user the right to (chown)"
    return f"{where} cannot be used ({error.strerror}): {remedy}."
