"""Reasons: every code is explained in words, in the reader's language."""

from collections.abc import Iterator

import pytest
from django.utils import translation

from notices.models import ErrorCode
from notices.reasons import explain

KNOWN = [*ErrorCode.values, 0, 400, 401, 403, 404, 429, 10003, 10004, 20022, 30046]
KNOWN += [40001, 50001, 50006, 50008, 50013, 50035, 50083, 160005]


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.mark.parametrize("code", KNOWN)
def test_a_known_code_is_explained_without_its_number(code: int) -> None:
    reason = explain(code)

    assert type(reason.reason) is type(reason.remedy) is str
    assert reason.reason
    assert reason.remedy
    assert "code" not in reason.reason


@pytest.mark.parametrize("code", [500, 502, 503, 524])
def test_discords_own_trouble_needs_no_remedy_of_ours(code: int) -> None:
    reason = explain(code)

    assert str(code) in reason.reason
    assert "nothing to do" in reason.remedy


@pytest.mark.parametrize("code", [0, 429, 500])
def test_what_failed_for_good_is_not_said_to_be_tried_again(code: int) -> None:
    assert explain(code, for_good=True).reason == explain(code).reason
    assert explain(code, for_good=True).remedy == "Send it again."


@pytest.mark.parametrize("code", [-1, 99, 418, 99999])
def test_an_unknown_code_is_named_for_the_site_admin(code: int) -> None:
    reason = explain(code)

    assert str(code) in reason.reason
    assert "site admin" in reason.remedy


def test_a_missing_permission_names_the_permissions_to_give() -> None:
    assert "Send Messages" in explain(50013).remedy
    assert "View Channel" in explain(50001).remedy
