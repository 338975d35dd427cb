"""Keeps out of the log what nobody is to read there."""

import logging
import re

_READER = re.compile(r"(/members/)[^/?\s]+")


class NotReadyz(logging.Filter):
    """Drops a 503 of /readyz, which every poll may get: Django logs it as ERROR."""

    def filter(self, record: logging.LogRecord) -> bool:
        path = getattr(getattr(record, "request", None), "path", None)
        return not (path == "/readyz" and getattr(record, "status_code", None) == 503)


class WithoutReader(logging.Filter):
    """Takes the reader out of a logged address: the log says nothing of who reads what."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                _READER.sub(r"\1…", arg) if isinstance(arg, str) else arg for arg in record.args
            )
        return True
