"""A slow frontend delays the callbacks of no other."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiohttp import AsyncResolver, ClientTimeout
from aiohttp.abc import AbstractResolver, ResolveResult
from django.db import connection

from notices.callbacks import http, queueing, sending
from notices.models import CallbackEndpoint, Channel, Study
from tests.callback_server import CallbackServer
from tests.callbacks.test_callbacks import listen, publish
from tests.callbacks.test_rights import make_key

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 60


class HangingServer(CallbackServer):
    """Takes each request and answers none of them until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        super().__init__(before_answer=lambda: assert_within(self.let_go.wait))


def assert_within(wait: Callable[[float], bool]) -> None:
    assert wait(PATIENCE_SECONDS)


@pytest.fixture(autouse=True)
def private(settings: Any) -> None:
    settings.CALLBACK_ALLOW_PRIVATE = True


@pytest.fixture
def hanging() -> Iterator[HangingServer]:
    with HangingServer() as server:
        try:
            yield server
        finally:
            server.let_go.set()


@pytest.fixture
def quick() -> Iterator[CallbackServer]:
    with CallbackServer() as server:
        yield server


@contextmanager
def worker(**options: Any) -> Iterator[list[bool]]:
    """Run a worker on the callbacks meanwhile; the list holds its result once it has ended."""
    returned: list[bool] = []

    def run() -> None:
        returned.append(sending.send_due(**options))
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield returned
    thread.join()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_no_endpoint_waits_for_the_answer_of_another(
    hanging: HangingServer, quick: CallbackServer, study: Study, channel: Channel,
    other_study: Study, other_channel: Channel,
) -> None:  # fmt: skip
    slow = listen(hanging.url, study)
    listen(quick.url, other_study)
    publish(study, channel)
    with worker() as returned:
        wait_for(lambda: len(hanging.received) == 1)
        for number in range(1, 4):
            publish(other_study, other_channel)
            wait_for(lambda number=number: len(quick.received) == number)  # type: ignore[misc]
        assert not hanging.let_go.is_set()
        hanging.let_go.set()

    assert returned == [True]
    assert slow.messages.get().state == "delivered"
    slow.refresh_from_db()
    assert slow.seconds > 0


def test_one_key_with_many_slow_endpoints_fills_no_more_than_its_places(
    hanging: HangingServer, quick: CallbackServer, study: Study, channel: Channel,
    other_study: Study, other_channel: Channel,
) -> None:  # fmt: skip
    key = make_key(study)
    for _n in range(queueing.MOST_LANES_OF_A_KEY * 2):
        listen(hanging.url, study, key=key)
    listen(quick.url, other_study, key=make_key(other_study))
    publish(study, channel)
    with worker():
        wait_for(lambda: len(hanging.received) == queueing.MOST_LANES_OF_A_KEY)
        publish(other_study, other_channel)
        wait_for(lambda: len(quick.received) == 1)
        assert len(hanging.received) == queueing.MOST_LANES_OF_A_KEY
        hanging.let_go.set()

    assert len(hanging.received) == queueing.MOST_LANES_OF_A_KEY * 2


def test_one_host_fills_no_more_than_its_places_for_any_key() -> None:
    busy = [CallbackEndpoint(url="http://slow.example/") for _n in range(20)]
    room = queueing.LaneLimits(busy[: queueing.MOST_LANES_TO_A_HOST])

    assert not room.has_place_for(CallbackEndpoint(url="https://SLOW.example.:8443/elsewhere"))
    assert room.has_place_for(CallbackEndpoint(url="http://other.example/"))


def test_slow_endpoints_together_leave_places_for_the_others() -> None:
    slow = [
        CallbackEndpoint(url=f"http://n{n}.example/", seconds=9, key_id=str(n)) for n in range(200)
    ]
    room = queueing.LaneLimits(())
    for endpoint in slow:
        if room.has_place_for(endpoint):
            room.take(endpoint)

    assert not room.has_place_for(CallbackEndpoint(url="http://new.example/", seconds=9))
    assert room.has_place_for(CallbackEndpoint(url="http://new.example/"))
    assert room.has_place_for(CallbackEndpoint(url="http://n1.example/"))


def test_a_slice_ends_in_time_and_costs_the_endpoint_that_was_cut_off_no_try(
    hanging: HangingServer, study: Study, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "GRACE_SECONDS", 0.2)
    slow = listen(hanging.url, study)
    publish(study, channel)
    begun = time.monotonic()
    with worker(seconds=0.2) as returned:
        wait_for(lambda: len(hanging.received) == 1)
    assert returned == [False]
    assert time.monotonic() - begun < 5

    message = slow.messages.get()
    assert (message.state, message.tries) == ("waiting", 0)
    hanging.let_go.set()
    assert sending.send_due()
    first, second = hanging.received
    assert first.id == second.id
    assert slow.messages.get().state == "delivered"


def test_a_slow_endpoint_is_begun_only_while_there_is_time_for_it(
    quick: CallbackServer, study: Study, channel: Channel
) -> None:
    listen(quick.url, study, seconds=9)
    publish(study, channel)
    now = CallbackEndpoint.objects.get().messages.get().due_at
    assert now is not None

    assert queueing.take(now, time_left=5) == []
    (lane,) = queueing.take(now, time_left=10)
    assert lane.messages


def test_a_slice_leaves_the_rest_to_the_next_one_at_once(
    quick: CallbackServer, hanging: HangingServer, study: Study, channel: Channel,
    other_study: Study, other_channel: Channel,
) -> None:  # fmt: skip
    listen(hanging.url, study)
    listen(quick.url, other_study, seconds=9)
    publish(study, channel)
    with worker(seconds=5) as returned:
        wait_for(lambda: len(hanging.received) == 1)
        publish(other_study, other_channel)
        hanging.let_go.set()
    assert returned == [False]
    assert quick.received == []

    assert sending.send_due(seconds=5)
    assert len(quick.received) == 1


class SomeNames(AbstractResolver):
    """One name is answered, all others hang as if their name server did not answer."""

    def __init__(self, known: str) -> None:
        self.known = known

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host != self.known:
            await asyncio.Event().wait()
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, proto=0, flags=0, family=socket.AF_INET
            )
        ]

    async def close(self) -> None:
        pass


def test_nobody_waits_for_a_name_server_that_hangs(
    quick: CallbackServer, study: Study, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "TIMEOUT", ClientTimeout(total=10, connect=2))
    hung = [listen(f"http://hangs-{n}.example/", study) for n in range(20)]
    listen(f"http://answers.example:{quick.port}/", study)
    publish(study, channel)
    with worker(resolver=SomeNames("answers.example")):
        wait_for(lambda: len(quick.received) == 1)

    for endpoint in hung:
        message = endpoint.messages.get()
        assert (message.state, message.tries) == ("waiting", 1)


def test_a_name_server_that_hangs_holds_no_thread() -> None:
    """The system's look-up would hold one: it cannot be cut off, and has few threads."""
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))

    async def ask() -> float:
        resolver = AsyncResolver(
            nameservers=["127.0.0.1"], udp_port=silent.getsockname()[1], timeout=60, tries=1
        )
        async with http.session(resolver) as session:
            begun = asyncio.get_running_loop().time()
            envelopes = (
                http.Envelope(f"http://n{n}.example/", "whsec_aaaa", "msg_1", b"{}")
                for n in range(30)
            )
            posts = [asyncio.create_task(http.post(session, one)) for one in envelopes]
            done, _pending = await asyncio.wait(posts, timeout=PATIENCE_SECONDS)
            assert len(done) == len(posts)
            assert all(task.result().code is None for task in posts)
            return asyncio.get_running_loop().time() - begun

    threads = threading.active_count()
    connect_seconds = http.TIMEOUT.connect
    assert connect_seconds is not None
    assert asyncio.run(ask()) < connect_seconds * 2
    assert threading.active_count() <= threads + 2
    silent.close()
