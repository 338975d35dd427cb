"""What a person orders in Discord is recorded, and then answered, to her alone."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connections
from django.utils import timezone

from notices.bot.discord_orders import COMMANDS, Answers, read_interaction, sync_commands
from notices.bot.discord_transport import DiscordTransport
from notices.bot.orders import Interaction, Orders
from notices.models import Channel, Membership, Person, Study
from notices.outside import clock
from notices.people.orders import Order, Told
from tests.fakediscord.cast import LAYOUT, LEADER, MEMBER, TALK, TASKS, write_layout
from tests.fakediscord_driver import FakeDiscordProcess
from tests.live_bot import connected

pytestmark = pytest.mark.django_db(transaction=True)

Json = dict[str, Any]
USER_SELECT = 5
Scenario = Callable[["Reader"], Awaitable[None]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FakeDiscordProcess]:
    layout = write_layout(tmp_path, json.loads(json.dumps(LAYOUT)))
    with FakeDiscordProcess("--layout", str(layout)) as process:
        yield process


@pytest.fixture
def talk() -> Study:
    """The study of the channel in which she gives the commands."""
    study = Study.objects.create(name="알고리즘")
    study.channels.add(Channel.objects.create(pk=int(TALK), name="자유"))
    return study


class Reader:
    """A person on the server, who orders and presses what she is shown."""

    def __init__(self, server: FakeDiscordProcess) -> None:
        self._server = server
        self.seen: Json = {}

    async def orders(self, command: str, channel: str = TALK) -> str:
        self.seen = await asyncio.to_thread(self._server.command, channel, command)
        return self.text

    async def presses(self, label: str, user_id: str = MEMBER) -> str:
        (found,) = [one for one in self._controls() if one.get("label") == label]
        return await self._uses(found, user_id=user_id)

    async def picks(self, *user_ids: str) -> str:
        (found,) = [one for one in self._controls() if one["type"] == USER_SELECT]
        return await self._uses(found, user_id=MEMBER, values=list(user_ids))

    async def _uses(self, control: Json, **how: Any) -> str:
        message_id = self.seen["message"]["id"]
        self.seen = await asyncio.to_thread(
            self._server.press, message_id, control["custom_id"], **how
        )
        return self.text

    @property
    def text(self) -> str:
        assert "error" not in self.seen, self.seen
        return str(self.seen["message"]["content"])

    def _controls(self) -> list[Json]:
        return [one for row in self.seen["message"]["components"] for one in row["components"]]


def live(server: FakeDiscordProcess, scenario: Scenario) -> None:
    """Run the bot's part that takes orders, with its commands told to Discord."""

    async def run() -> None:
        answers = Answers(server.api_url)
        orders = Orders(answers.answer)
        transport = DiscordTransport(rate=50, request_timeout=5)
        transport.active = True
        async with connected(server, transport, ordered=orders.take) as client:
            running = asyncio.create_task(orders.run())
            assert client.application_id
            assert await sync_commands(client.http, client.application_id)
            assert not await sync_commands(client.http, client.application_id)
            async with asyncio.timeout(60):
                await client.wait_until_ready()
                await scenario(Reader(server))
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        await answers.close()

    asyncio.run(run())


def test_she_joins_and_leaves_and_joins_again(server: FakeDiscordProcess, talk: Study) -> None:
    async def scenario(reader: Reader) -> None:
        assert "알고리즘" in await reader.orders("참여")
        assert reader.seen["ephemeral"]
        assert "알고리즘" in await reader.orders("참여")
        await reader.presses("그만두기")
        await reader.orders("참여")

    live(server, scenario)
    membership = Membership.objects.select_related("person").get()
    assert membership.study == talk
    assert membership.until is None
    assert membership.way == Membership.Way.JOINED
    assert (membership.person.discord_id, membership.person.name) == (int(MEMBER), "하늘이")
    assert membership.person.language == "ko"


def test_she_leaves_by_the_button(server: FakeDiscordProcess, talk: Study) -> None:
    async def scenario(reader: Reader) -> None:
        await reader.orders("참여")
        await reader.orders("참여")
        await reader.presses("그만두기")

    live(server, scenario)
    assert Membership.objects.get().until is not None


def test_of_two_studies_in_a_channel_she_picks_one(server: FakeDiscordProcess, talk: Study) -> None:
    other = Study.objects.create(name="자료구조")
    other.channels.set(talk.channels.all())

    async def scenario(reader: Reader) -> None:
        await reader.orders("참여")
        await reader.presses("자료구조")

    live(server, scenario)
    assert Membership.objects.get().study == other


def test_a_channel_of_no_study_is_named_as_one(server: FakeDiscordProcess, talk: Study) -> None:
    async def scenario(reader: Reader) -> None:
        assert "스터디" in await reader.orders("참여", TASKS)

    live(server, scenario)
    assert not Person.objects.exists()


@pytest.fixture
def leading(talk: Study) -> User:
    """A leader whose Discord account is linked: the person who gives the commands here."""
    user = User.objects.create_user("minji")
    talk.roles.create(user=user, role="leader")
    Person.objects.create(discord_id=int(MEMBER), name="하늘이", user=user)
    return user


def test_a_leader_picks_people_for_the_roster(
    server: FakeDiscordProcess, talk: Study, leading: User
) -> None:
    async def scenario(reader: Reader) -> None:
        assert "0" in await reader.orders("명단")
        assert "2" in await reader.picks(LEADER, MEMBER)

    live(server, scenario)
    assert {one.person.discord_id for one in talk.memberships.all()} == {int(LEADER), int(MEMBER)}
    assert {one.way for one in talk.memberships.all()} == {Membership.Way.PICKED}


def test_a_leader_has_a_join_button_posted_that_all_may_press(
    server: FakeDiscordProcess, talk: Study, leading: User
) -> None:
    async def scenario(reader: Reader) -> None:
        await reader.orders("명단")
        await reader.presses("여기에 참여 버튼 올리기")
        assert not reader.seen["ephemeral"]
        posted = reader.seen["message"]
        for user_id in (LEADER, MEMBER, MEMBER):
            reader.seen = {"message": posted}
            await reader.presses("참여하기", user_id=user_id)
            assert reader.seen["ephemeral"]
        await reader.presses("그만두기")

    live(server, scenario)
    on_it = talk.memberships.filter(until=None)
    assert [one.person.discord_id for one in on_it] == [int(LEADER)]


@pytest.mark.parametrize("change", ["no link", "a writer", "another study", "switched off"])
def test_nobody_else_changes_a_roster(
    server: FakeDiscordProcess, talk: Study, leading: User, change: str
) -> None:
    async def scenario(reader: Reader) -> None:
        await reader.orders("명단")
        to_pick = reader.seen
        await reader.orders("명단")
        to_post = reader.seen
        await asyncio.to_thread(lose_right)
        assert "연결" in await reader.orders("명단")
        reader.seen = to_pick
        assert "연결" in await reader.picks(LEADER)
        reader.seen = to_post
        assert "연결" in await reader.presses("여기에 참여 버튼 올리기")

    def lose_right() -> None:
        match change:
            case "no link":
                Person.objects.update(user=None)
            case "a writer":
                talk.roles.update(role="writer")
            case "another study":
                talk.roles.update(study=Study.objects.create(name="다른 스터디"))
            case "switched off":
                User.objects.update(is_active=False)
        connections.close_all()

    live(server, scenario)
    assert not talk.memberships.exists()


def test_she_sees_takes_along_and_deletes_what_is_kept(
    server: FakeDiscordProcess, talk: Study
) -> None:
    async def scenario(reader: Reader) -> None:
        await reader.orders("참여")
        assert "하늘이" in await reader.orders("내정보")
        await reader.presses("파일로 받기")
        (file,) = reader.seen["message"]["attachments"]
        assert file["filename"] == "studybot.json"
        await reader.orders("내정보")
        await reader.presses("지우기")
        await reader.presses("네, 지울게요")
        assert "하늘이" not in await reader.orders("내정보")

    live(server, scenario)
    assert not Person.objects.exists()
    assert not Membership.objects.exists()


# --- without Discord ------------------------------------------------------------------------


def interaction(number: int = 1, verb: str = "join", ago: float = 0) -> Interaction:
    order = Order(verb, 100 + number, f"사람 {number}", "ko", int(TALK))
    return Interaction(number, "token", order, clock.monotonic() - ago)


def carried_out(
    *interactions: Interaction, database: ThreadPoolExecutor | None = None
) -> list[tuple[int, Told | None]]:
    told: list[tuple[int, Told | None]] = []
    all_told = asyncio.Event()

    async def answer(one: Interaction, what: Told | None) -> None:
        told.append((one.id, what))
        if len(told) == len(interactions):
            all_told.set()

    async def run() -> None:
        orders = Orders(answer, database)
        for one in interactions:
            orders.take(one)
        running = asyncio.create_task(orders.run())
        async with asyncio.timeout(60):
            await all_told.wait()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(run())
    return told


def test_many_at_once_are_each_recorded_and_answered(talk: Study) -> None:
    told = carried_out(*map(interaction, range(1, 301)))
    assert [number for number, _what in told] == list(range(1, 301))
    assert talk.memberships.count() == 300


def test_an_order_that_fails_by_its_own_data_stops_no_other(talk: Study) -> None:
    bad = interaction(2)
    bad = replace(bad, order=replace(bad.order, language="xx"))
    told = dict(carried_out(interaction(1), bad, interaction(3)))
    assert told[2] is None
    assert told[1] is not None
    assert told[3] is not None
    on_it = talk.memberships.values_list("person__discord_id", flat=True)
    assert set(on_it) == {101, 103}


class FailingDatabase(ThreadPoolExecutor):
    """A database that does not answer so many times."""

    def __init__(self, times: int) -> None:
        super().__init__(1)
        self._times = times

    def submit(self, work: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self._times and getattr(work, "__name__", "") == "carry_out":
            self._times -= 1
            failed: Future[Any] = Future()
            failed.set_exception(OperationalError("gone"))
            return failed
        return super().submit(work, *args, **kwargs)


def test_an_order_waits_for_the_database_while_discord_waits(talk: Study) -> None:
    ((_number, told),) = carried_out(interaction(), database=FailingDatabase(3))
    assert told is not None
    assert talk.memberships.count() == 1


def test_she_is_told_when_nothing_could_be_saved(talk: Study) -> None:
    told = carried_out(interaction(ago=2.45), database=FailingDatabase(10**6))
    assert told == [(1, None)]
    assert not talk.memberships.exists()


def test_a_membership_that_ended_begins_anew(talk: Study) -> None:
    carried_out(interaction())
    past = timezone.now() - timedelta(days=3)
    Membership.objects.update(since=past, until=past, way=Membership.Way.LISTED)
    carried_out(interaction())
    membership = Membership.objects.get()
    assert membership.until is None
    assert membership.since > past
    assert membership.way == Membership.Way.JOINED


@pytest.mark.parametrize(
    "changed",
    [
        {"type": 1}, {"type": 4}, {"type": 5}, {"member": None}, {"data": None},
        {"data": {"name": "다른명령"}},
        {"type": 3, "data": {"custom_id": "r1:read:23456789AB"}},
        {"type": 3, "data": {"custom_id": "p10:join:1"}},
        {"type": 3, "data": {}},
    ],
)  # fmt: skip
def test_other_interactions_are_left_alone(changed: Json) -> None:
    told: Json = {
        "id": "5", "token": "t", "type": 2, "channel_id": TALK, "locale": "ko",
        "data": {"name": "참여"}, "member": {"user": {"id": "7", "username": "a"}},
    }  # fmt: skip
    assert read_interaction(told)
    assert read_interaction(told | changed) is None


@pytest.mark.parametrize("custom_id", ["p1:join:", "p1:join:²", "p1:join:-1", "p1:join:x", "p1:"])
def test_a_button_with_no_study_is_read_without_one(custom_id: str) -> None:
    found = read_interaction({
        "id": "5", "token": "t", "type": 3, "channel_id": TALK, "data": {"custom_id": custom_id},
        "member": {"user": {"id": "7", "username": "a"}},
    })  # fmt: skip
    assert found is not None
    assert found.order.study_id is None
    assert found.order.language == "en"


def test_the_commands_keep_discords_limits() -> None:
    for command in COMMANDS:
        assert 1 <= len(command["name"]) <= 32
        descriptions = [command["description"], *command["description_localizations"].values()]
        assert all(1 <= len(one) <= 100 for one in descriptions)
