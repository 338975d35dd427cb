"""Keeps `var/` to its owner: the secret key, the database, the demo's logins."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def own(folder: Path) -> None:
    """Let this process make files for its owner alone, and take `folder` from everybody else.

    A folder that cannot be made is no error here: with PostgreSQL and a SECRET_KEY nothing need be
    written.
    """
    os.umask(OTHERS)
    with suppress(OSError):
        folder.mkdir(exist_ok=True)
    was_open = _is_open(folder)
    with suppress(OSError):
        _close(folder)
        # If the folder was closed, only the files in it need a look.
        for path in folder.rglob("*") if was_open else folder.iterdir():
            _close(path)


def refuse_unwritable(folder: Path, what_for: str, remedy: str) -> None:
    try:
        # Only writing shows whether the disk is read-only; rights do not.
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{folder} cannot be written to ({error.strerror}), and {what_for}. {remedy}"
        ) from error


def _is_open(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & OTHERS)
    except OSError:
        return False


def _close(path: Path) -> None:
    """Take rights from others, but not through links: their targets may be meant to be read."""
    # A file that is gone, another user's or on a read-only disk stays as it is.
    with suppress(OSError):
        if not path.is_symlink() and (mode := path.stat().st_mode) & OTHERS:
            path.chmod(stat.S_IMODE(mode) & ~OTHERS)
