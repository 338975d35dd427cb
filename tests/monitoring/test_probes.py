"""A probe may ask by an address; people's pages take only the names in ALLOWED_HOSTS."""

import pytest
from django.conf import LazySettings
from django.test import Client

pytestmark = pytest.mark.django_db

PATHS = ("/healthz", "/readyz", "/metrics")
MACHINES = (
    "10.42.0.17:8000", "192.0.2.7", "[2001:db8::17]:8000", "[::1]", "127.0.0.1:8000", "web:8000",
    "studybot-web", "my_web:8000", "localhost:8000", "",
)  # fmt: skip
OTHERS = ("other.example.org", "10.42.0.17.example.org", "rebound.example.org:8000", "a b.c", "[x]")


@pytest.fixture(autouse=True)
def hosts(settings: LazySettings) -> LazySettings:
    settings.ALLOWED_HOSTS = ["notices.example.org"]
    return settings


@pytest.mark.parametrize("host", MACHINES)
@pytest.mark.parametrize("path", PATHS)
def test_a_probe_by_an_address_is_answered(client: Client, path: str, host: str) -> None:
    assert client.get(path, headers={"host": host}).status_code in (200, 503)
    assert client.head(path, headers={"host": host}).status_code in (200, 503)


@pytest.mark.parametrize("path", PATHS)
def test_a_probe_by_our_name_is_answered(client: Client, path: str) -> None:
    answer = client.get(path, headers={"host": "notices.example.org"})
    assert answer.status_code in (200, 503)


@pytest.mark.parametrize("host", OTHERS)
@pytest.mark.parametrize("path", PATHS)
def test_a_probe_by_another_name_is_refused(client: Client, path: str, host: str) -> None:
    assert client.get(path, headers={"host": host}).status_code == 400


@pytest.mark.parametrize(
    "path", ["/admin/login/", "/api/v1/notices/", "/", "/healthz/", "/nothing"]
)
def test_nothing_else_is_opened_to_addresses(client: Client, path: str) -> None:
    assert client.get(path, headers={"host": "10.42.0.17:8000"}).status_code == 400


def test_a_probe_is_not_sent_to_https(client: Client, settings: LazySettings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    for path in PATHS:
        assert client.get(path, headers={"host": "10.42.0.17"}).status_code in (200, 503)
