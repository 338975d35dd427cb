"""The reach of a ping: how many people it has, and in which channels it pings nobody."""

from typing import Any

import pytest
from django.utils import translation

from notices.advice.permissions import EMBED_LINKS, MENTION_EVERYONE
from notices.advice.reach import Reach, reach_of
from notices.models import Channel, Study
from tests.roles import EVERYTHING, MEMBERS_ROLE, OTHER_GUILD, make_everyone, make_role, see


@pytest.fixture(autouse=True)
def _english() -> Any:
    with translation.override("en"):
        yield


@pytest.fixture
def pinging(study: Study) -> Study:
    study.ping_role_id = MEMBERS_ROLE
    study.save()
    return study


def reach(ping: str, study: Study, *channels: Channel) -> Reach:
    return reach_of(ping, study, channels or study.channels.all())


def test_nobody_is_pinged_unless_somebody_is_picked(study: Study) -> None:
    assert (reach("none", study).who, reach("none", study).people) == ("", 0)


def test_a_role_is_named_with_its_people_counted_once(pinging: Study) -> None:
    make_role(member_count=24)
    assert reach("role", pinging).words == "Pings @스터디원: about 24 people."


def test_a_role_that_nobody_counted_has_at_most_the_people_of_its_server(pinging: Study) -> None:
    make_role()
    make_everyone(31)
    assert reach("role", pinging).words == "Pings @스터디원: at most 31 people."


@pytest.mark.parametrize(("ping", "who"), [("everyone", "@everyone"), ("here", "@here")])
def test_everyone_is_at_most_the_people_of_each_server(
    study: Study, other_channel: Channel, ping: str, who: str
) -> None:
    make_everyone(31)
    make_everyone(9, OTHER_GUILD)
    found = reach(ping, study, *study.channels.all(), other_channel)
    assert found.words == f"Pings {who}: at most 40 people."


@pytest.mark.parametrize("ping", ["role", "everyone"])
def test_an_uncounted_ping_has_an_unknown_reach_and_counts_as_large(
    pinging: Study, ping: str
) -> None:
    found = reach(ping, pinging)
    assert found.people is None
    assert found.is_large
    assert "nobody knows how many" in found.words


def test_from_the_set_number_of_people_on_a_ping_is_large(study: Study, settings: Any) -> None:
    make_everyone(50)
    assert [reach("everyone", study).is_large, reach("none", study).is_large] == [True, False]
    settings.LARGE_PING = 51
    assert not reach("everyone", study).is_large


@pytest.mark.parametrize("ping", ["everyone", "here"])
def test_without_the_permission_it_is_said_that_nobody_is_pinged(
    study: Study, channel: Channel, second_channel: Channel, ping: str
) -> None:
    make_everyone(100)
    see(channel, EVERYTHING & ~MENTION_EVERYONE)
    found = reach(ping, study)
    [silence] = found.silences
    assert "#공지" in silence
    assert "Mention @everyone, @here and All Roles" in silence
    assert found.people == 100  # in the other channel
    see(second_channel, EVERYTHING & ~MENTION_EVERYONE)
    assert reach(ping, study).people == 0
    assert not reach(ping, study).is_large


def test_a_role_pings_where_everybody_or_the_bot_may_mention_it(
    pinging: Study, channel: Channel
) -> None:
    role = make_role(member_count=24, mentionable=False)
    see(channel, EVERYTHING & ~MENTION_EVERYONE)
    [silence] = reach("role", pinging, Channel.objects.get(pk=channel.pk)).silences
    assert "@스터디원 does not ping in #공지" in silence
    role.mentionable = True
    role.save()
    assert not reach("role", pinging).silences
    role.mentionable = False
    role.save()
    see(channel)
    assert not reach("role", pinging).silences


def test_a_role_pings_on_no_other_server(pinging: Study, other_channel: Channel) -> None:
    make_role(member_count=24)
    found = reach("role", pinging, other_channel)
    assert found.people == 0
    assert "another server" in found.silences[0]


def test_a_deleted_role_is_told_apart_from_one_that_was_never_seen(pinging: Study) -> None:
    assert not reach("role", pinging).silences
    make_everyone(31)
    [silence] = reach("role", pinging).silences
    assert "deleted in Discord" in silence


def test_a_study_without_a_role_says_so(study: Study) -> None:
    [silence] = reach("role", study).silences
    assert "no role to ping" in silence


def test_a_channel_that_cannot_show_the_notice_pings_nobody(
    study: Study, channel: Channel, second_channel: Channel
) -> None:
    make_everyone(31)
    see(channel, EVERYTHING & ~EMBED_LINKS)
    assert reach("everyone", study).people == 31
    see(second_channel, 0)
    found = reach("everyone", study)
    assert (found.people, found.silences) == (0, ())
