"""The web behind the real nginx, with the very file that is documented."""

import http.client
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.browser.cast import NEWS
from tests.e2e.own_nginx import NAME, OwnNginx
from tests.e2e.stack import Stack, wait_for
from tests.fakediscord_driver import FakeDiscordProcess

pytestmark = pytest.mark.nginx

# Alone it takes some milliseconds; this machine may be busy.
AT_ONCE_SECONDS = 3.0
PASSWORD = "a-site-admins-password"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    discord = FakeDiscordProcess()
    web = Stack(
        tmp_path_factory.mktemp("web"), discord, DEBUG="0", ALLOWED_HOSTS=NAME,
        BEHIND_TLS_PROXY="1", SECRET_KEY="k" * 60, DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )  # fmt: skip
    web.manage("collectstatic", "--noinput", "-v0")
    web.manage("createsuperuser", "--noinput", "--username", "admin", "--email", "")
    web.start("web")
    yield web
    web.close()
    discord.stop()


@pytest.fixture
def nginx(tmp_path: Path, web: Stack) -> Iterator[OwnNginx]:
    nginx = OwnNginx(tmp_path / "nginx", web.port)
    nginx.start()
    yield nginx
    nginx.close()


def slow_connection(nginx: OwnNginx, begun: str) -> socket.socket:
    """It has sent so much, and holds the line."""
    trusted = ssl.create_default_context(cafile=str(nginx.certificate))
    plain = socket.create_connection(("127.0.0.1", nginx.port), timeout=20)
    secure = trusted.wrap_socket(plain, server_hostname=NAME)
    secure.sendall(begun.replace("\n", "\r\n").encode())
    return secure


@pytest.mark.alone
@pytest.mark.parametrize(
    "begun",
    [
        "GET /admin/login/ HTTP/1.1\nHost: {host}\nX-Half: ",
        "POST /admin/login/ HTTP/1.1\nHost: {host}\nContent-Length: 400\n"
        "Content-Type: application/x-www-form-urlencoded\n\nusername=",
        "POST /notice/ HTTP/1.1\nHost: {host}\nContent-Length: 400\n"
        "Content-Type: application/json\n\n{{",
        "POST /admin/uploads/ HTTP/1.1\nHost: {host}\nTransfer-Encoding: chunked\n"
        "Content-Type: application/octet-stream\n\n4\nPart\n",
    ],
    ids=["half headers", "a slow login", "a slow notice", "a slow file"],
)
def test_slow_connections_hold_up_nobody(nginx: OwnNginx, begun: str) -> None:
    """Ten times as many as the web has threads."""
    with ExitStack() as held:
        for _n in range(60):
            held.enter_context(slow_connection(nginx, begun.format(host=nginx.host)))
        for path in ("/healthz", "/admin/login/"):
            began = time.monotonic()
            assert nginx.ask("GET", path)[0] == 200
            assert time.monotonic() - began < AT_ONCE_SECONDS


def test_a_slow_connection_is_ended(nginx: OwnNginx) -> None:
    with slow_connection(nginx, f"GET / HTTP/1.1\nHost: {nginx.host}\nX-Half: ") as half:
        half.settimeout(20)  # client_header_timeout is 10 s
        assert half.recv(1) == b""


@pytest.mark.parametrize(
    ("path", "megabytes", "status"),
    [
        ("/admin/login/", 1, 413), ("/notice/", 2, 413), ("/api/v1/notices/", 2, 413),
        ("/admin/uploads/", 12, 413), ("/api/v1/uploads/?name=a", 12, 413),
        ("/api/v1/uploads/?name=a", 10, 401),
    ],
)  # fmt: skip
def test_a_body_is_as_large_as_its_address_needs(
    nginx: OwnNginx, path: str, megabytes: int, status: int
) -> None:
    headers = {"Content-Type": "application/octet-stream", "Expect": "100-continue",
               "Content-Length": str(megabytes * 1024 * 1024)}  # fmt: skip
    connection = nginx.connect()
    connection.putrequest("POST", path, skip_host=True)
    for name, value in {"Host": nginx.host, **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    if status != 413:
        connection.send(bytes(megabytes * 1024 * 1024))
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == status


def log_in(nginx: OwnNginx, **headers: str) -> tuple[int, bytes]:
    page = nginx.connect()
    page.request("GET", "/admin/login/", headers={"Host": nginx.host})
    answer = page.getresponse()
    cookie = SimpleCookie(answer.headers["Set-Cookie"])
    form = answer.read().decode()
    page.close()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    assert token
    filled = {"username": "admin", "password": PASSWORD, "next": "/admin/",
              "csrfmiddlewaretoken": token[1]}  # fmt: skip
    sent = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": "; ".join(f"{name}={one.value}" for name, one in cookie.items()),
        "Origin": f"https://{nginx.host}",
        **headers,
    }
    return nginx.ask("POST", "/admin/login/", urlencode(filled), sent)


def test_a_person_logs_in_at_a_port_of_ones_own(nginx: OwnNginx) -> None:
    """The Host keeps its port: without it Django takes each form for another site's."""
    assert log_in(nginx)[0] == 302
    assert log_in(nginx, Origin=f"https://{NAME}:1")[0] == 403


def test_tries_of_passwords_are_limited_and_readings_of_pages_are_not(
    nginx: OwnNginx,
) -> None:
    tried = [nginx.ask("POST", "/admin/login/", "username=a")[0] for _n in range(30)]
    assert tried[0] == 403
    assert tried[-1] == 429
    assert {nginx.ask("GET", "/admin/login/")[0] for _n in range(15)} == {200}


def test_a_stream_is_passed_on_as_it_comes(nginx: OwnNginx, web: Stack) -> None:
    study = web.prepare("addstudy", "알고리즘", "--channel", NEWS)
    key = web.prepare("createapikey", "frontend", "--study", study)
    sent = {"X-API-Key": key, "Content-Type": "application/json"}
    notice = f'{{"study_id": {study}, "title": "8주차", "content": "화요일"}}'.encode()
    _status, posted = nginx.ask("POST", "/api/v1/notices/", notice, sent)
    number = re.search(rb'"id":(\d+)', posted)
    assert number, posted
    stream = nginx.connect()
    path = f"/api/v1/notices/{int(number[1])}/events/"
    stream.request("GET", path, headers={"Host": nginx.host, "X-API-Key": key})
    answer = stream.getresponse()
    assert answer.readline() == b"retry: 3000\n"  # while the stream goes on
    stream.close()


def test_the_metrics_are_for_machines_beside_the_web(nginx: OwnNginx, web: Stack) -> None:
    assert nginx.ask("GET", "/metrics")[0] == 403
    assert nginx.ask("GET", "/healthz")[0] == 200
    wait_for(web.is_web_up, "the web itself answers by its address")


def test_plain_http_leads_to_https(nginx: OwnNginx) -> None:
    plain = http.client.HTTPConnection("127.0.0.1", nginx.plain_port, timeout=20)
    plain.request("GET", "/admin/?a=b", headers={"Host": NAME})
    answer = plain.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{NAME}/admin/?a=b")
    plain.close()
