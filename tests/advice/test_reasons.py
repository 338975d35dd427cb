"""Reasons: every code is explained in words, in the reader's language."""

from collections.abc import Iterator

import pytest
from django.utils import translation

from notices.advice.reasons import explain
from notices.models import Channel, ErrorCode

KNOWN = [*ErrorCode.values, 0, 400, 401, 403, 404, 429, 10003, 10004, 20016, 20022, 20028]
KNOWN += [20029, 30046, 40062]
KNOWN += [40001, 50001, 50006, 50008, 50013, 50035, 50083, 160005]
KNOWN += [20009, 30015, 40004, 40006, 40007, 40058, 40067, 50003, 50005, 50009, 50021, 50024]
KNOWN += [50045, 50046, 50110, 50123, 50124, 50146, 200000, 200001, 220001, 220003, 240000]
KNOWN += [400001]


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


@pytest.mark.parametrize("code", [0, 429, 500, 20022])
def test_the_remedy_of_a_final_failure_promises_no_other_try(code: int) -> None:
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


@pytest.mark.parametrize("code", [20009, 200000, 200001, 240000, 50045, 50046, 400001])
def test_the_remedy_for_a_refused_text_is_to_change_it(code: int) -> None:
    remedy = explain(code, for_good=True).remedy
    assert "save; the notice is then sent by itself" in remedy
    assert not remedy.startswith("Send it again")


def test_automod_is_named_with_its_two_remedies() -> None:
    why = explain(200000)
    assert "AutoMod" in why.reason
    assert "exempt the bot's role" in why.remedy


@pytest.mark.parametrize("code", [50008, 50024, 50001, 50013, 400])
def test_a_channel_that_takes_no_messages_is_the_reason_for_its_refusals(code: int) -> None:
    forum = Channel(pk=7, name="questions", type=Channel.Type.FORUM, permissions=0)
    why = explain(code, forum)
    assert why.reason == "#questions takes no messages: it is a forum."
    assert "post by its own id" in why.remedy
    category = Channel(pk=7, name="weeks", type=Channel.Type.CATEGORY)
    assert "it is a category" in explain(code, category).reason
    assert "text channel" in explain(code, category).remedy


@pytest.mark.parametrize("code", [50083, 160005])
def test_a_locked_thread_names_the_permission_that_opens_it(code: int) -> None:
    locked = Channel(pk=7, name="week 7", type=Channel.Type.PUBLIC_THREAD, is_locked=True)
    locked.permissions = (1 << 10) | (1 << 38) | (1 << 14)
    assert "Manage Threads" in explain(code, locked).reason
    assert "open" in explain(50083).remedy
