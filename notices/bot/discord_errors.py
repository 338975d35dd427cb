"""Turns an unsuccessful answer into one of the two errors of a request."""

import math
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

import orjson

from notices.advice import error_codes
from notices.advice.error_codes import About, Rests
from notices.delivery.request import PermanentError, TransientError
from notices.models import ErrorCode
from notices.outside import clock

UNAUTHORIZED = 401
TOO_MANY_REQUESTS = 429
FIRST_SERVER_ERROR = 500
# Discord's own longest pause is an hour, so a longer one than this is a mistake.
LONGEST_PAUSE_SECONDS = 24 * 3600.0

Headers = Mapping[str, str]


def read_error(
    status: int, headers: Headers, body: bytes, action: str
) -> TransientError | PermanentError:
    """Return the error that an answer of `status` (400 or more) means for this action."""
    told = _json(headers, body)
    if status >= FIRST_SERVER_ERROR:
        pause = _header_seconds(headers) or 0.0
        return TransientError(f"HTTP {status}", code=status, done=None, retry_after=pause)
    if status == TOO_MANY_REQUESTS:
        return _rate_limited(headers, told)
    code = _code(told)
    match error_codes.about(code):
        case About.LIMIT:
            return _limit(code, headers, told)
        case About.TOKEN:
            return TransientError(_words(told, body), code=code)
        case _ if code and error_codes.is_final(code, action):
            return PermanentError(_words(told, body), code=code)
    if status == UNAUTHORIZED:
        return TransientError(_words(told, body), code=status)
    detail = f"HTTP {status}: {_words(told, body)}"
    return TransientError(detail, code=code or ErrorCode.NOT_FROM_DISCORD)


def is_json(headers: Headers, body: bytes) -> bool:
    """Return whether the answer may be Discord's own, and not a page of a proxy."""
    return bool(_json(headers, body))


def can_be_slept_out(headers: Headers, body: bytes, longest: float) -> bool:
    """Return whether discord.py understands this 429 and would sleep `longest` at most."""
    if "Via" not in headers or headers.get("Content-Type") != "application/json":
        return False  # discord.py would take it for a ban
    pause = _number(_json(headers, body).get("retry_after"))
    return pause is not None and 0 <= pause <= longest


def _json(headers: Headers, body: bytes) -> dict[str, object]:
    """Return the object of an error in JSON, or an empty one for any other answer."""
    if headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        return {}
    try:
        told = orjson.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _code(told: dict[str, object]) -> int:
    """Return Discord's error code, or 0 without one. The column holds no larger number."""
    code = told.get("code")
    if type(code) is int and error_codes.FIRST_CODE <= code < 2**31:
        return code
    return 0


def _words(told: dict[str, object], body: bytes) -> str:
    if "message" not in told:
        return body.decode(errors="replace")
    errors = told.get("errors")
    return f"{told['message']} {orjson.dumps(errors).decode()}" if errors else str(told["message"])


def _rate_limited(headers: Headers, told: dict[str, object]) -> TransientError:
    pause = _number(told.get("retry_after"))
    if pause is None or pause < 0:
        pause = _header_seconds(headers)
    code = _code(told)
    if pause is None:
        pause = error_codes.pause_seconds(code)
    return TransientError(
        str(told.get("message") or "rate limited"),
        code=code if error_codes.about(code) is About.LIMIT else TOO_MANY_REQUESTS,
        retry_after=min(pause, LONGEST_PAUSE_SECONDS),
        rests=_rests(code, headers, told),
    )


def _rests(code: int, headers: Headers, told: dict[str, object]) -> Rests:
    scope = headers.get("X-RateLimit-Scope")
    if told.get("global") is True or scope == "global" or "X-RateLimit-Global" in headers:
        return Rests.EVERYTHING
    if "retry_after" in told or scope is not None or "X-RateLimit-Bucket" in headers:
        return error_codes.rests(code)
    # Cloudflare shuts out this address, whatever the request was.
    return Rests.EVERYTHING


def _limit(code: int, headers: Headers, told: dict[str, object]) -> TransientError:
    """Read a limit that comes with another status than 429."""
    pause = _number(told.get("retry_after"))
    if pause is None or pause < 0:
        pause = _header_seconds(headers)
    return TransientError(
        str(told.get("message") or "rate limited"),
        code=code,
        retry_after=min(error_codes.pause_seconds(code) if pause is None else pause,
                        LONGEST_PAUSE_SECONDS),
        rests=error_codes.rests(code),
    )  # fmt: skip


def _header_seconds(headers: Headers) -> float | None:
    """Return the seconds of Retry-After, a number or a date; None if unreadable or past."""
    text = headers.get("Retry-After", "").strip()
    seconds = _number(text)
    if seconds is None:
        try:
            until = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        seconds = (until - clock.now()).total_seconds()
    return min(seconds, LONGEST_PAUSE_SECONDS) if seconds >= 0 else None


def _number(value: object) -> float | None:
    """Return a number of seconds, or None. What no clock could hold becomes a long one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(number) else min(number, LONGEST_PAUSE_SECONDS)
