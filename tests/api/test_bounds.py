"""The work on a request grows with its size alone, and the answer to a bad one stays short."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from notices.api.fields import MOST_IDS
from notices.api.parsers import LIMIT_BYTES
from notices.api.refusals import MOST_NAMED
from notices.models import Study
from notices.text import composed
from tests.api.conftest import fields_refused
from tests.cpu_time import at_most

NOTICES = "/api/v1/notices/"


def answered(frontend: APIClient, body: str | bytes) -> Any:
    assert len(body) <= LIMIT_BYTES
    with at_most(1):
        answer = frontend.post(NOTICES, body, content_type="application/json")
    assert answer.status_code == 400
    assert len(answer.content) < 10_000
    return answer


def names(count: int) -> list[str]:
    return [f"n{number}" for number in range(count)]


def test_a_name_that_is_there_twice_is_found_at_once(frontend: APIClient) -> None:
    pairs = ",".join(f'"{name}":1' for name in [*names(6000), "last", "last"])

    answer = answered(frontend, "{" + pairs + "}")

    assert '\\"last\\" is there twice' in answer.content.decode()


def test_it_names_the_first_of_many_unknown_fields(frontend: APIClient) -> None:
    answer = answered(frontend, json.dumps(dict.fromkeys(names(5000), 1)))

    assert fields_refused(answer) == names(MOST_NAMED)


def test_it_names_the_first_of_many_unknown_parameters(frontend: APIClient) -> None:
    for query in ("&".join(f"{name}=1" for name in names(900)), "&".join(names(450) * 2)):
        answer = frontend.get(f"{NOTICES}?{query}")
        assert fields_refused(answer) == names(MOST_NAMED)


def test_a_list_of_ids_has_a_limit_that_is_told(frontend: APIClient, post: dict[str, Any]) -> None:
    answer = answered(frontend, json.dumps(post | {"channel_ids": [1] * (MOST_IDS + 1)}))

    assert f"has {MOST_IDS + 1} ids; name at most {MOST_IDS}" in answer.json()["detail"]


def test_it_names_the_first_of_many_foreign_channels(
    frontend: APIClient, post: dict[str, Any]
) -> None:
    answer = answered(frontend, json.dumps(post | {"channel_ids": list(range(1, MOST_IDS))}))

    assert "9, 10, … is not connected" in answer.json()["detail"]


@pytest.mark.parametrize("field", ["title", "content", "author"])
def test_many_marks_on_one_letter_take_no_time(
    frontend: APIClient, post: dict[str, Any], field: str
) -> None:
    """Python needs quadratic time to put the marks in order."""
    answer = answered(frontend, json.dumps(post | {field: "a" + "\u0301\u0327" * 5000}))

    assert "has 10001 characters" in answer.json()["detail"]


def test_composing_a_text_takes_no_quadratic_time() -> None:
    for text in ("a" + "\u0301\u0327" * 50_000, ("a" + "\u0301\u0327" * 15) * 3000):
        with at_most(2):
            composed(text)


def test_events_of_a_callback_are_each_looked_at_once(frontend: APIClient, study: Study) -> None:
    events = ["notice.sent"] * 4000 + ["notice.no"]
    body = json.dumps({"url": "https://example.com/", "events": events})

    with at_most(1):
        answer = frontend.post("/api/v1/callbacks/", body, content_type="application/json")

    assert fields_refused(answer) == ["events"]
