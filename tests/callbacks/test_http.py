"""A callback reaches only the internet, even if a name server names an address inside."""

import asyncio
import socket
import time
from typing import Any

import pytest
from aiohttp import ClientTimeout
from aiohttp.abc import AbstractResolver, ResolveResult

from notices.callbacks import http
from notices.callbacks.http import EndpointResponse, Envelope, is_public, names_private_address
from notices.models import new_secret
from tests.callback_server import CallbackServer

NOT_PUBLIC = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1",  # noqa: S104
    "169.254.169.254",
    "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254",
    "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1", "2002:7f00:1::1", "2001:0:7f00:1::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "93.184.215.14", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


class FakeNames(AbstractResolver):
    """Answers each look-up with its next addresses, and from then on with the last ones."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(
                hostname=host, host=address, port=port, proto=0, flags=0,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
            )
            for address in found
        ]  # fmt: skip

    async def close(self) -> None:
        pass


def post(url: str, names: FakeNames | None = None, times: int = 1) -> list[EndpointResponse]:
    envelope = Envelope(url, new_secret(), "msg_1", b"{}")

    async def send() -> list[EndpointResponse]:
        async with http.session(names) as session:
            posts = (http.post(session, envelope) for _n in range(times))
            return await asyncio.gather(*posts)

    return asyncio.run(send())


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_outside_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", [one for one in NOT_PUBLIC if "%" not in one])
def test_a_name_that_leads_inside_is_not_followed(address: str) -> None:
    (answer,) = post("http://callbacks.example/", FakeNames([address]))
    assert answer.code is None
    assert "no address of the public internet" in answer.error


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "127.1", "2130706433"]
)
def test_no_spelling_of_this_machine_leads_to_it(host: str) -> None:
    with CallbackServer() as server:
        (answer,) = post(f"http://{host}:{server.port}/")
    assert answer.code is None
    assert server.received == []


def test_a_name_that_resolves_to_the_inside_later_is_refused_at_the_connection() -> None:
    with CallbackServer() as server:
        names = FakeNames(["192.0.2.1"], ["127.0.0.1"])
        first, second = (post(f"http://rebinding.example:{server.port}/", names)[0] for _n in "ab")
    assert names.asked == 2
    assert [first.code, second.code] == [None, None]
    assert server.received == []


def test_addresses_inside_are_left_out_of_several() -> None:
    with CallbackServer() as server:
        names = FakeNames(["127.0.0.1", "::1", "10.0.0.1"])
        (answer,) = post(f"http://several.example:{server.port}/", names)
    assert answer.code is None
    assert server.received == []


def test_a_redirect_inside_is_an_answer_and_not_followed(settings: Any) -> None:
    settings.CALLBACK_ALLOW_PRIVATE = True
    with CallbackServer() as inside, CallbackServer(answers=[307]) as server:
        server.headers = {"Location": inside.url}
        (answer,) = post(server.url)
    assert answer.code == 307
    assert inside.received == []


def test_a_proxy_of_the_environment_is_not_asked(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CALLBACK_ALLOW_PRIVATE = True
    with CallbackServer() as proxy, CallbackServer() as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        (answer,) = post(server.url)
    assert answer.is_success
    assert proxy.received == []


def test_it_gives_up_on_a_server_that_does_not_answer(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CALLBACK_ALLOW_PRIVATE = True
    monkeypatch.setattr(http, "TIMEOUT", ClientTimeout(total=0.3))
    listener = socket.create_server(("127.0.0.1", 0))
    begun = time.monotonic()
    (answer,) = post(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    listener.close()
    assert answer == EndpointResponse(None, "no answer within 0.3 seconds")
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "file:///etc/passwd", "http://", "http://[::"]
)
def test_a_malformed_address_is_a_failure_in_words(url: str) -> None:
    (answer,) = post(url)
    assert answer.code is None
    assert answer.error


def test_an_address_that_is_plainly_inside_is_known_at_once(settings: Any) -> None:
    assert names_private_address("http://169.254.169.254/latest")
    assert names_private_address("http://[::1]:8000/")
    assert not names_private_address("http://callbacks.example/")
    settings.CALLBACK_ALLOW_PRIVATE = True
    assert not names_private_address("http://10.0.0.1/")
