"""A leader opens those addresses of the desk that are hers, and they show no other study."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from notices.models import Channel, Delivery, Membership, Notice, Person, Study, StudyRole
from notices.people import roster

# The pages that every leader opens. None names a row in its address or shows another study.
OPEN = {
    "index", "login", "logout", "password_change", "password_change_done", "jsi18n",
    "autocomplete", "search", "app_list", "notices_notice_changelist", "notices_notice_add",
    "notices_notice_reach", "notices_study_changelist", "notices_channel_changelist", "uploads",
    "manifest", "notices_invitation_changelist", "notices_invitation_add", "discord",
    "discord_unlink", "discord_login", "discord_callback", "notices_membership_changelist",
}  # fmt: skip
REFUSED = (302, 403, 404, 405)
# A row that does not exist, for the pages that only site admins see.
ANY_ROW = "1"


def addresses(patterns: list[Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Each address under /admin/ as Django writes it, with its name."""
    for pattern in patterns:
        there = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, there)
        elif isinstance(pattern, URLPattern) and there.startswith("admin/"):
            yield there, pattern.name or ""


ADDRESSES = dict(addresses(get_resolver("studybot.urls").url_patterns))


@pytest.fixture
def theirs(other_notice: Notice, other_channel: Channel, other_leader: User) -> dict[str, str]:
    """The ids of another study's rows, by the part of the address before them."""
    roster.add(other_notice.study, [1100000000000000101], "listed", timezone.now())
    Delivery.objects.create(
        notice=other_notice, channel=other_channel, wanted=1, due_at=timezone.now()
    )
    return {
        "notices/notice/": str(other_notice.pk),
        "notices/study/": str(other_notice.study_id),
        "notices/channel/": str(other_channel.pk),
        "notices/membership/of/": str(other_notice.study_id),
        "notices/membership/": str(Membership.objects.get(study=other_notice.study).pk),
        "auth/user/": str(other_leader.pk),
    }


def filled(address: str, theirs: dict[str, str]) -> str:
    row = next((row for before, row in theirs.items() if before in address), ANY_ROW)
    places = {
        "<int:pk>": row, "<path:object_id>": row, "<id>": row,
        "<int:channel_id>": theirs["notices/channel/"],
        "<slug:action>": "withdraw", "<slug:choice>": "send_again",
        "<path:content_type_id>": "1", "(?P<url>.*)$": "nowhere/",
    }  # fmt: skip
    for place, value in places.items():
        address = address.replace(place, value)
    address = re.sub(r"\^\(\?P<app_label>[^)]+\)/\$", "notices/", address)
    assert "<" not in address, f"{address}: say in `filled` what stands in its place"
    return f"/{address}"


def everything() -> list[Any]:
    tables: tuple[Any, ...] = (Notice, Study, Channel, User, Delivery, Membership, Person)
    rows = [list(table.objects.order_by("pk").values()) for table in tables]
    links = StudyRole.objects.order_by("pk").values(), Study.channels.through.objects
    return [*rows, list(links[0]), list(links[1].order_by("pk").values())]


@pytest.mark.parametrize("address", [one for one, name in ADDRESSES.items() if name not in OPEN])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_address_that_is_not_a_leaders_refuses_her(
    desk: Client, notice: Notice, theirs: dict[str, str], address: str, method: str
) -> None:
    """A new page for leaders has to be put into `OPEN`, and needs a test of its contents."""
    before = everything()
    forged = {
        "post": "yes",
        "confirmed": "yes",
        "name": "taken",
        "text": "1100000000000000102",
        "title": "taken",
        "_save": "1",
    }
    answer = getattr(desk, method)(filled(address, theirs), forged if method == "post" else {})
    assert answer.status_code in REFUSED
    assert "독서 모임" not in answer.content.decode()
    assert everything() == before


@pytest.mark.parametrize("address", [one for one, name in ADDRESSES.items() if name in OPEN])
def test_a_page_open_to_a_leader_shows_nothing_of_another_study(
    desk: Client, notice: Notice, theirs: dict[str, str], address: str
) -> None:
    assert "<" not in address.replace("^(?P<app_label>", ""), "a row of others could stand in it"
    page = desk.get(filled(address, theirs)).content.decode()
    assert "독서" not in page
    assert "이달의 책" not in page


@pytest.mark.parametrize("query", ["study={notices/study/}", "study=&channels={notices/channel/}"])
def test_a_leader_is_not_told_whom_another_study_pings(
    desk: Client, notice: Notice, theirs: dict[str, str], query: str
) -> None:
    asked = query.replace("{notices/study/}", theirs["notices/study/"])
    asked = asked.replace("{notices/channel/}", theirs["notices/channel/"])
    answer = desk.get(f"/admin/notices/notice/reach/?{asked}&ping=everyone")
    assert answer.status_code == 404


def test_a_leader_reaches_no_channel_of_another_study_through_her_notice(
    desk: Client, notice: Notice, other_channel: Channel
) -> None:
    address = f"/admin/notices/notice/{notice.pk}/channel/{other_channel.pk}/send_again/"
    assert desk.post(address).status_code == 404
    told = desk.get(f"/admin/notices/notice/{notice.pk}/effects/?channels={other_channel.pk}")
    assert "독서" not in told.content.decode()


def test_every_open_address_is_there() -> None:
    assert set(ADDRESSES.values()) >= OPEN
