"""An answer is final only if it is Discord's own JSON about what was asked."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import orjson
import pytest

from notices.advice.error_codes import PAUSE_SECONDS, Rests
from notices.bot.discord_errors import LONGEST_PAUSE_SECONDS, can_be_slept_out, read_error
from notices.delivery.request import PermanentError, TransientError
from notices.models import Attempt, ErrorCode

JSON = {"Content-Type": "application/json"}
PAGE = b"<!DOCTYPE html><title>blocked</title>"
ACTIONS = Attempt.Action.values


def answer(
    status: int,
    body: Any,
    action: str = "create",
    *,
    headers: dict[str, str] | None = None,
    kind: str = "application/json",
) -> TransientError | PermanentError:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return read_error(status, {"Content-Type": kind, **(headers or {})}, raw, action)


def code(number: int) -> dict[str, Any]:
    return {"message": "words", "code": number}


def assert_waits(error: TransientError | PermanentError, code: int) -> None:
    assert isinstance(error, TransientError)
    assert (error.code, error.done) == (code, False)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 418, 451])
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (PAGE, "text/html"),
        (b"", "text/plain"),
        (b"", "application/json"),
        (PAGE, "application/json"),
        (code(10008), "text/html"),
        (code(10003), "text/plain"),
        (code(0), "application/json"),
        (code(404), "application/json"),
        ({"message": "words"}, "application/json"),
        ({"error": "not_found"}, "application/json"),
        ({"message": "words", "code": "10008"}, "application/json"),
        ({"message": "words", "code": True}, "application/json"),
        ({"message": "words", "code": None}, "application/json"),
        ({"message": "words", "code": 10008.0}, "application/json"),
        ({"message": "words", "code": 2**40}, "application/json"),
        ([10008], "application/json"),
        (10008, "application/json"),
        ("10008", "application/json"),
    ],
)
def test_it_waits_out_an_answer_that_is_not_discords(
    status: int, action: str, body: Any, kind: str
) -> None:
    wanted = 401 if status == 401 else ErrorCode.NOT_FROM_DISCORD
    assert_waits(answer(status, body, action, kind=kind), wanted)


@pytest.mark.parametrize(
    ("status", "number"),
    [
        (403, 40333), (404, 10004 + 11), (404, 10062), (400, 40060), (403, 40002), (403, 40004),
        (403, 40006), (503 - 100, 130000), (400, 30007), (400, 99999), (403, 50007),
    ],
)  # fmt: skip
@pytest.mark.parametrize("action", ACTIONS)
def test_it_waits_out_a_code_about_something_else(status: int, number: int, action: str) -> None:
    assert_waits(answer(status, code(number), action), number)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
@pytest.mark.parametrize("number", [40001, 50014])
def test_it_knows_a_lost_token_by_its_code(status: int, number: int) -> None:
    assert_waits(answer(status, code(number)), number)


@pytest.mark.parametrize(
    ("status", "number"),
    [
        (400, 50035), (400, 50006), (400, 200000), (400, 240000), (400, 20009), (413, 40005),
        (403, 10003), (404, 10003), (403, 50001), (403, 50013), (403, 50024), (400, 50008),
        (404, 10004), (403, 160005), (404, 10008),
    ],
)  # fmt: skip
def test_a_code_about_the_created_message_is_final(status: int, number: int) -> None:
    error = answer(status, code(number))
    assert isinstance(error, PermanentError)
    assert error.code == number


@pytest.mark.parametrize(
    ("action", "number"),
    [
        ("delete", 50035), ("delete", 200000), ("delete", 40005),
        ("look_up", 10008), ("look_up", 50006),
    ],
)  # fmt: skip
def test_a_code_that_does_not_fit_the_action_is_not_final(action: str, number: int) -> None:
    assert_waits(answer(404, code(number), action), number)


def test_an_answer_with_a_charset_is_discords_too() -> None:
    error = answer(404, code(10008), "delete", kind="application/json; charset=utf-8")
    assert isinstance(error, PermanentError)


def test_the_details_of_an_invalid_form_are_kept() -> None:
    body = code(50035) | {"errors": {"embeds": {"0": {"url": {"_errors": ["bad"]}}}}}
    assert "url" in answer(400, body).detail


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 524, 530])
@pytest.mark.parametrize("body", [PAGE, code(10008), code(0)])
def test_the_outcome_is_unknown_after_a_server_error(status: int, body: Any) -> None:
    error = answer(status, body)
    assert isinstance(error, TransientError)
    assert (error.code, error.done) == (status, None)


def limited(**more: Any) -> dict[str, Any]:
    return {"message": "You are being rate limited.", "retry_after": 65.5, "global": False, **more}


@pytest.mark.parametrize(
    ("body", "headers", "rests"),
    [
        (limited(), {"X-RateLimit-Scope": "user"}, Rests.CHANNEL),
        (limited(), {"X-RateLimit-Scope": "shared"}, Rests.CHANNEL),
        (limited(), {}, Rests.CHANNEL),
        (limited(code=20029), {}, Rests.GUILD),
        (limited(code=30046), {}, Rests.MESSAGE),
        (limited(code=20028), {}, Rests.CHANNEL),
        (limited(**{"global": True}), {}, Rests.EVERYTHING),
        (limited(), {"X-RateLimit-Scope": "global"}, Rests.EVERYTHING),
        (limited(), {"X-RateLimit-Global": "true"}, Rests.EVERYTHING),
    ],
)
def test_a_429_rests_the_scope_that_it_names(
    body: Any, headers: dict[str, str], rests: Rests
) -> None:
    error = answer(429, body, headers=headers)
    assert isinstance(error, TransientError)
    assert (error.rests, error.retry_after, error.done) == (rests, 65.5, False)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"error code: 1015", "text/plain"), (PAGE, "text/html"), (b"", "text/html"),
        ([], "application/json"), ({}, "application/json"),
    ],
)  # fmt: skip
def test_cloudflares_429_rests_everything(body: Any, kind: str) -> None:
    error = answer(429, body, kind=kind, headers={"Retry-After": "120"})
    assert isinstance(error, TransientError)
    assert (error.code, error.rests, error.retry_after) == (429, Rests.EVERYTHING, 120)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0), ("7.25", 7.25), (" 7 ", 7.0), ("1e300", LONGEST_PAUSE_SECONDS),
        ("inf", LONGEST_PAUSE_SECONDS), ("9" * 400, LONGEST_PAUSE_SECONDS),
        ("-5", PAUSE_SECONDS), ("nan", PAUSE_SECONDS), ("soon", PAUSE_SECONDS),
        ("", PAUSE_SECONDS), ("Wed, 21 Oct 2015 07:28:00 GMT", PAUSE_SECONDS),
        ("Wed, 21 Oct 99999 07:28:00 GMT", PAUSE_SECONDS),
    ],
)  # fmt: skip
def test_retry_after_is_read_in_any_form(text: str, seconds: float) -> None:
    error = answer(429, PAGE, kind="text/html", headers={"Retry-After": text})
    assert isinstance(error, TransientError)
    assert error.retry_after == seconds


def test_retry_after_may_be_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    error = answer(429, PAGE, kind="text/html", headers={"Retry-After": date})
    assert isinstance(error, TransientError)
    assert 85 < error.retry_after <= 90


@pytest.mark.parametrize("value", [-1, "x", None, True, [], {}])
def test_a_malformed_pause_is_replaced_by_the_headers(value: Any) -> None:
    error = answer(429, limited(retry_after=value), headers={"Retry-After": "8"})
    assert isinstance(error, TransientError)
    assert error.retry_after == 8


def test_a_limit_may_come_with_another_status() -> None:
    error = answer(403, code(20028))
    assert isinstance(error, TransientError)
    assert (error.code, error.rests) == (20028, Rests.CHANNEL)
    assert error.retry_after == PAUSE_SECONDS


@pytest.mark.parametrize(
    ("body", "headers", "is_short"),
    [
        (limited(retry_after=1), {"Via": "1.1 google"}, True),
        (limited(retry_after=0), {"Via": "1.1 google"}, True),
        (limited(retry_after=6), {"Via": "1.1 google"}, False),
        (limited(retry_after=-1), {"Via": "1.1 google"}, False),
        (limited(retry_after="x"), {"Via": "1.1 google"}, False),
        (limited(retry_after=1), {}, False),
        ({}, {"Via": "1.1 google"}, False),
        (
            limited(retry_after=1),
            {"Via": "1.1 google", "Content-Type": "application/json; charset=utf-8"},
            False,
        ),
    ],
)
def test_only_a_short_429_that_discord_py_understands_can_be_slept_out(
    body: Any, headers: dict[str, str], is_short: bool
) -> None:
    assert can_be_slept_out({**JSON, **headers}, orjson.dumps(body), 5.0) == is_short
