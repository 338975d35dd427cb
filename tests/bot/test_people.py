"""Who is still on the server, and sees the study's channels, is found out without an intent."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from notices.bot.discord_people import look_for_people, people_to_look_for
from notices.models import Channel, Membership, Person, Study
from tests.fakediscord.cast import LAYOUT, LEADER, MEMBER, STUDY, TALK, write_layout
from tests.fakediscord_driver import FakeDiscordProcess
from tests.live_bot import Bot, live

pytestmark = pytest.mark.django_db(transaction=True)

STRANGER = 409997578424290000
HIDDEN = "1080812751753854999"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FakeDiscordProcess]:
    layout = json.loads(json.dumps(LAYOUT))
    with FakeDiscordProcess("--layout", str(write_layout(tmp_path, layout))) as process:
        yield process


def study_in(*channel_ids: str) -> Study:
    study = Study.objects.create(name="알고리즘")
    for pk in channel_ids:
        channel = Channel.objects.create(pk=int(pk), name="공지", guild_id=int(STUDY))
        study.channels.add(channel)
    return study


def member(study: Study, discord_id: str | int, **facts: Any) -> Membership:
    person, _is_new = Person.objects.get_or_create(discord_id=int(discord_id))
    return Membership.objects.create(study=study, person=person, way="listed", **facts)


def look(server: FakeDiscordProcess) -> int:
    looked: list[int] = []

    async def scenario(bot: Bot) -> None:
        await bot.client.wait_until_ready()
        looked.append(await look_for_people(bot.client, bot.in_database, pause=0))

    live(server, scenario)
    return looked[0]


def test_it_tells_who_sees_who_cannot_and_who_has_left(server: FakeDiscordProcess) -> None:
    server.post("/_fake/channels", {"guild_id": STUDY, "id": HIDDEN, "name": "숨은방",
        "overwrites": [{"id": STUDY, "type": 0, "deny": ["VIEW_CHANNEL"]}]})  # fmt: skip
    open_study, hidden_study = study_in(TALK), study_in(HIDDEN)
    sees, cannot = member(open_study, MEMBER), member(hidden_study, MEMBER)
    left = member(open_study, STRANGER)
    owner = member(hidden_study, LEADER)

    assert look(server) == 4

    for one in (sees, cannot, left, owner):
        one.refresh_from_db()
    assert sees.sight == Membership.Sight.SEES
    assert cannot.sight == Membership.Sight.CANNOT_SEE
    assert left.sight == Membership.Sight.LEFT
    assert owner.sight == Membership.Sight.SEES
    assert Person.objects.get(discord_id=int(MEMBER)).name == "하늘이"
    assert Person.objects.get(discord_id=STRANGER).name == ""
    assert look(server) == 0


def test_people_are_asked_for_a_hundred_at_a_time(server: FakeDiscordProcess) -> None:
    study = study_in(TALK)
    for number in range(150):
        member(study, STRANGER + number)
    last = member(study, MEMBER)

    assert look(server) == 151

    last.refresh_from_db()
    assert last.sight == Membership.Sight.SEES


def test_nobody_is_taken_for_gone_where_the_bot_is_not(server: FakeDiscordProcess) -> None:
    study = Study.objects.create(name="먼 곳")
    study.channels.add(Channel.objects.create(pk=5, name="먼 채널", guild_id=6))
    gone = member(study, MEMBER)
    assert look(server) == 0
    gone.refresh_from_db()
    assert gone.sight == Membership.Sight.UNKNOWN


def test_each_is_looked_for_once_a_day() -> None:
    study, now = study_in(TALK), timezone.now()
    guilds = [int(STUDY)]
    old = member(study, 1, looked_at=now - timedelta(hours=25))
    member(study, 2, looked_at=now - timedelta(hours=23))
    new = member(study, 3)
    member(study, 4, until=now, since=now)
    assert [one.membership_id for one in people_to_look_for(guilds, now)] == [new.pk, old.pk]
    assert people_to_look_for([7], now) == []
