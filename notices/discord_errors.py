"""An answer that is none of success, as one of the two errors of transport.py: whose is it?"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from notices import codes
from notices.codes import About, Rests
from notices.models import ErrorCode
from notices.transport import PermanentError, TransientError

UNAUTHORIZED = 401
TOO_MANY_REQUESTS = 429
FIRST_SERVER_ERROR = 500
# The longest that anybody can mean; Discord's own longest is an hour.
LONGEST_PAUSE_SECONDS = 24 * 3600.0

Headers = Mapping[str, str]


def read_error(
    status: int, headers: Headers, body: bytes, action: str
) -> TransientError | PermanentError:
    """What an answer of `status` (400 or more) to this action means."""
    told = _json(headers, body)
    if status >= FIRST_SERVER_ERROR:
        pause = _header_seconds(headers) or 0.0
        return TransientError(f"HTTP {status}", code=status, done=None, retry_after=pause)
    if status == TOO_MANY_REQUESTS:
        return _rate_limited(headers, told)
    code = _code(told)
    match codes.about(code):
        case About.LIMIT:
            return _limit(code, headers, told)
        case About.TOKEN:
            return TransientError(_words(told, body), code=code)
        case _ if code and codes.is_final(code, action):
            return PermanentError(_words(told, body), code=code)
    if status == UNAUTHORIZED:
        return TransientError(_words(told, body), code=status)
    detail = f"HTTP {status}: {_words(told, body)}"
    return TransientError(detail, code=code or ErrorCode.NOT_FROM_DISCORD)


def is_json(headers: Headers, body: bytes) -> bool:
    """Whether it may be Discord's own answer, rather than a page of something on the way."""
    return bool(_json(headers, body))


def can_be_slept_out(headers: Headers, body: bytes, longest: float) -> bool:
    """Whether discord.py understands this 429, and its pause is short."""
    if "Via" not in headers or headers.get("Content-Type") != "application/json":
        return False  # it would take it for a ban
    pause = _number(_json(headers, body).get("retry_after"))
    return pause is not None and 0 <= pause <= longest


def _json(headers: Headers, body: bytes) -> dict[str, Any]:
    """Discord's errors are objects in JSON, and say so; nothing for what is none."""
    if headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        return {}
    try:
        told = orjson.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _code(told: dict[str, Any]) -> int:
    """Discord's own; 0 where there is none. The column holds no more than an int."""
    code = told.get("code")
    is_own = type(code) is int and codes.FIRST_CODE <= code < 2**31
    return code if is_own and code is not None else 0


def _words(told: dict[str, Any], body: bytes) -> str:
    if "message" not in told:
        return body.decode(errors="replace")
    errors = told.get("errors")
    return f"{told['message']} {orjson.dumps(errors).decode()}" if errors else str(told["message"])


def _rate_limited(headers: Headers, told: dict[str, Any]) -> TransientError:
    pause = _number(told.get("retry_after"))
    if pause is None or pause < 0:
        pause = _header_seconds(headers)
    code = _code(told)
    if pause is None:
        pause = codes.pause_seconds(code)
    return TransientError(
        str(told.get("message") or "rate limited"),
        code=code if codes.about(code) is About.LIMIT else TOO_MANY_REQUESTS,
        retry_after=min(pause, LONGEST_PAUSE_SECONDS),
        rests=_rests(code, headers, told),
    )


def _rests(code: int, headers: Headers, told: dict[str, Any]) -> Rests:
    scope = headers.get("X-RateLimit-Scope")
    if told.get("global") is True or scope == "global" or "X-RateLimit-Global" in headers:
        return Rests.EVERYTHING
    if "retry_after" in told or scope is not None or "X-RateLimit-Bucket" in headers:
        return codes.rests(code)
    # Cloudflare's: it shuts out this address, whatever was asked for.
    return Rests.EVERYTHING


def _limit(code: int, headers: Headers, told: dict[str, Any]) -> TransientError:
    """With another status than 429."""
    pause = _number(told.get("retry_after"))
    if pause is None or pause < 0:
        pause = _header_seconds(headers)
    return TransientError(
        str(told.get("message") or "rate limited"),
        code=code,
        retry_after=min(codes.pause_seconds(code) if pause is None else pause,
                        LONGEST_PAUSE_SECONDS),
        rests=codes.rests(code),
    )  # fmt: skip


def _header_seconds(headers: Headers) -> float | None:
    """Retry-After: seconds, or a date. Null where it is neither, or of the past."""
    text = headers.get("Retry-After", "").strip()
    seconds = _number(text)
    if seconds is None:
        try:
            until = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        seconds = (until - datetime.now(UTC)).total_seconds()
    return min(seconds, LONGEST_PAUSE_SECONDS) if seconds >= 0 else None


def _number(value: Any) -> float | None:
    """Null for what is no number of seconds; what no clock could hold is a long one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(number) else min(number, LONGEST_PAUSE_SECONDS)
