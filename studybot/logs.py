"""What is logged, and what is left out of the log: a reader's id or name among it."""

import logging
import re
from typing import Any

# The API's address of one member.
_READER = re.compile(r"(/members/)[^/?\s]+")


def _is_not_readyz(record: logging.LogRecord) -> bool:
    """Return False for a 503 of /readyz, which every poll may get: Django logs it as ERROR."""
    path = getattr(getattr(record, "request", None), "path", None)
    return not (path == "/readyz" and getattr(record, "status_code", None) == 503)


def _without_reader(record: logging.LogRecord) -> bool:
    """Take the reader out of a logged address: the log says nothing of who reads what."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            _READER.sub(r"\1…", arg) if isinstance(arg, str) else arg for arg in record.args
        )
    return True


def logging_at(level: str) -> dict[str, Any]:
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
        "filters": {
            "not_readyz": {"()": "django.utils.log.CallbackFilter", "callback": _is_not_readyz},
            "without_reader": {
                "()": "django.utils.log.CallbackFilter",
                "callback": _without_reader,
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # At INFO there are four lines for each task, and the bot's own line says what it did.
            "django-q": {"level": "WARNING" if level == "INFO" else level},
            # Django's own handler would write each line a second time.
            "django": {"propagate": True},
            "django.request": {"filters": ["not_readyz", "without_reader"]},
            "notices.api.errors": {"filters": ["without_reader"]},
            # It logs at INFO whatever LOG_LEVEL is. axes would log names as they were typed.
            "studybot.security": {"level": "INFO"},
            "axes": {"level": "CRITICAL"},
        },
    }
