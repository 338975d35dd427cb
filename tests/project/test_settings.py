"""A wrong value in the environment is refused by its name, itself and the remedy."""

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.exceptions import ImproperlyConfigured

from studybot import addresses, environment
from tests import forked

BASE_DIR = Path(__file__).resolve().parents[2]


def refusal(read: Callable[[], object]) -> str:
    with pytest.raises(ImproperlyConfigured) as refused:
        read()
    return str(refused.value)


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("DEBUG", "maybe", "write 1 or 0"),
        ("BOT_API_PORT", "eighty", "write a number from 1 to 65535"),
        ("BOT_API_PORT", "65536", "write a number from 1 to 65535"),
        ("BOT_API_PORT", "80.5", "write a whole number from 1 to 65535"),
        ("BOT_API_HOST", "http://0.0.0.0", "write an address such as 127.0.0.1, 0.0.0.0 or ::1"),
        ("BOT_API_HOST", "0.0.0.0:8000", "write an address such as 127.0.0.1, 0.0.0.0 or ::1"),
        ("BOT_API_HOST", "my host", "write an address such as 127.0.0.1, 0.0.0.0 or ::1"),
        ("MAX_SEND_RETRIES", "-1", "write a number from 0 to 100"),
        ("NONCE_WINDOW", "nan", "write a number from 1 to 120"),
        ("NONCE_WINDOW", "600", "write a number from 1 to 120"),
        ("LARGE_PING", "many", "write a number from 1 to 100000"),
        ("KEEP_ATTEMPTS_DAYS", "-1", "write a number from 0 to 36500"),
        ("KEEP_DELIVERIES_DAYS", "0.5", "write a whole number from 0 to 36500"),
        ("LOG_LEVEL", "LOUD", "write one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("TIME_ZONE", "Seoul", "write a name of the tz database such as Asia/Seoul"),
        ("DISCORD_API_URL", "discord.com", "write an address that begins with https"),
        ("DISCORD_API_URL", "http://localhost:abc", "its port is no number from 1 to 65535"),
        ("DISCORD_API_URL", "https:///api/v10", "write scheme, host and path alone"),
        ("DISCORD_API_URL", "https://discord.com/api/v10?a=b", "write scheme, host and path alone"),
        ("DISCORD_CLIENT_ID", "studybot", "write the number that the Discord developer portal"),
        ("DISCORD_CLIENT_ID", "0123456789012345678", "write the number that the Discord developer"),
        ("DISCORD_OAUTH_URL", "discord.com", "write an address that begins with https"),
        ("REDIS_URL", "localhost:6379", "write an address that begins with redis"),
        ("PUBLIC_URL", "notices.example.org", "write origins such as"),
        ("EMAIL_URL", "mail.example.org:25", "write an address that begins with smtp+tls://"),
        ("EMAIL_URL", "smtps://mail.example.org", "write an address that begins with smtp+tls://"),
        ("EMAIL_URL", "smtp://mail.example.org/box", "smtp+tls://user:password@mail.example.org"),
        ("PUBLIC_URL", "https://notices.example.org/studybot", "with nothing behind"),
        ("WEB_CONCURRENCY", "many", "write a number from 1 to 256"),
        ("CORS_ALLOWED_ORIGINS", "https://a@b.example", "write origins such as"),
        ("CORS_ALLOWED_ORIGINS", "https://b.example/", "with nothing behind"),
        ("CORS_ALLOWED_ORIGINS", "http://localhost:0", "write origins such as"),
    ],
)
def test_a_wrong_value_is_refused(name: str, value: str, remedy: str) -> None:
    said = said_by_settings(**{name: value})
    assert f"{name}={value!r}" in said
    assert remedy in said


@pytest.mark.parametrize(
    "hosts",
    [
        "https://notices.example.org", "notices.example.org:8443", "a b", '["a"]', "*",
        "*.example.org", "notices.example.org/admin", "'notices.example.org'", "a;b", "[::1]:80",
        "notices.example.org.", "me@example.org", "a..b", "-a", "my_host", "http:",
    ],
)  # fmt: skip
def test_a_malformed_host_is_refused(hosts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", hosts)
    said = refusal(lambda: environment.hosts("ALLOWED_HOSTS"))
    assert f"ALLOWED_HOSTS={hosts!r} cannot be used: write names and addresses alone" in said


def test_hosts_are_taken_as_browsers_send_them(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = "Notices.Example.org, .example.org,스터디.한국, ::1, [2001:DB8::0:1],192.0.2.7"
    monkeypatch.setenv("ALLOWED_HOSTS", hosts)
    assert environment.hosts("ALLOWED_HOSTS") == [
        "notices.example.org", ".example.org", "xn--2z1b50xhll.xn--3e0b707e", "[::1]",
        "[2001:db8::1]", "192.0.2.7",
    ]  # fmt: skip


def test_origins_are_taken_as_browsers_send_them(monkeypatch: pytest.MonkeyPatch) -> None:
    given = "https://Study.Example.org, https://스터디.한국:443,http://b:80,http://[::1]:3000"
    monkeypatch.setenv("CORS_ALLOWED_ORIGINS", given)
    assert environment.origins("CORS_ALLOWED_ORIGINS") == [
        "https://study.example.org", "https://xn--2z1b50xhll.xn--3e0b707e", "http://b",
        "http://[::1]:3000",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("address", "remedy"),
    [
        ("mysql://bot:hunter2@db/studybot", "begins with sqlite:// or postgres://"),
        ("postgres:bot:hunter2@db/studybot", "begins with sqlite:// or postgres://"),
        ("postgres://bot:hunter2@ss#w%rd/1@h:5432/db", "write @ as %40"),
        ("postgres://bot:hunter2@ss@h:5432/db", "write @ as %40"),
        ("postgres://bot:hunter2#ss@h:5432/db", "write @ as %40"),
        ("postgres://bot:hunter2/ss@h:5432/db", "write @ as %40"),
        ("postgres://bot:hunter2?ss@h:5432/db", "write @ as %40"),
        ("postgres://bot:x@hunter2/ss@h:5432/db", "write @ as %40"),
        ("postgres://bot:x@h?hunter2=1@h:5432/db", "write @ as %40"),
        ("postgres://bot:hunter2%@h:5432/db", "% as %25"),
        ("postgres://bot:hunter2%zz@h:5432/db", "% as %25"),
        ("postgres://bot:hunter2[@h:5432/db", "write @ as %40"),
        ("postgres://bot:hunter2 ss@h:5432/db", "a blank as %20"),
        ("postgres://bot:hunter2/db", "its port is no number"),
        ("postgres://bot:hunter2@h:70000/db", "its port is no number"),
        ("postgres://bot:hunter2@h:0/db", "its port is no number"),
        ("postgres://bot:hunter2@h:/db", "its port is no number"),
        ("postgres://bot:hunter2@:5432/db", "there is no host"),
        ("postgres://bot:hunter2@h:5432", "name the database"),
        ("postgres://bot:hunter2@h:5432/", "name the database"),
        ("postgres://bot:hunter2@h/db?conn_max_age=60", "the option 'conn_max_age', which is not"),
        ("postgres://bot:hunter2@h/db?pool=true", "the option 'pool', which is not known"),
        ("postgres://bot:hunter2@h/db?sslmode=on", "its 'sslmode' is none of disable"),
        ("postgres://bot:hunter2@h/db?sslmode=require&sslmode=allow", "'sslmode' twice"),
        ("postgres://bot:hunter2@h/db?connect_timeout=soon", "'connect_timeout' is no whole"),
        ("postgres://bot:hunter2@h/db?connect_timeout=2.5", "'connect_timeout' is no whole"),
        ("postgres://h/db?user=bot&password=x&hunter2=1", "an option, which is not known"),
        ("postgres://bot:hunter2@h/db?sslmode", "write options as ?name=value"),
        ("sqlite://hunter2.sqlite3", "as in sqlite:////srv/a/file"),
        ("sqlite:///:memory:", "as in sqlite:////srv/a/file"),
        ("sqlite:////tmp/hunter2#1.sqlite3", "write # as %23"),
        ("sqlite:////tmp/hunter2.sqlite3?timeout=5", "? as %3F"),
        ("sqlite:////tmp", "/tmp is a folder; name a file in it"),
    ],
)
def test_an_ambiguous_database_address_is_refused(
    address: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", address)
    said = refusal(lambda: addresses.database("DATABASE_URL", Path("/unused"), BASE_DIR))
    assert "DATABASE_URL=" in said
    assert remedy in said
    assert "hunter2" not in said or address.startswith("sqlite")


@pytest.mark.parametrize(
    ("address", "remedy"),
    [
        ("redis://:hunter2#x@h:6379/0", "write @ as %40"),
        ("redis://:hunter2/x@h:6379/0", "write @ as %40"),
        ("redis://:hunter2@x@h:6379/0", "write @ as %40"),
        ("redis://:hunter2%@h:6379/0", "% as %25"),
        ("redis://:hunter2@h:port/0", "its port is no number"),
        ("redis:///0", "name the host"),
        ("redis://:hunter2@h/queue", "behind the host stands a number"),
        ("redis://:hunter2@h/0?decode_responses=1", "'decode_responses', which is not known"),
        ("redis://:hunter2@h/0?socket_timeout=soon", "'socket_timeout' is no number"),
        ("http://:hunter2@h/0", "write an address that begins with redis://"),
    ],
)
def test_an_ambiguous_redis_address_is_refused(
    address: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", address)
    said = refusal(lambda: addresses.redis("REDIS_URL"))
    assert "REDIS_URL=" in said
    assert remedy in said
    assert "hunter2" not in said


def test_a_scheme_of_redis_may_be_written_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "REDIS://:Pass@h:6379/0")
    assert addresses.redis("REDIS_URL") == "redis://:Pass@h:6379/0"


def test_escaped_signs_and_every_option_of_libpq_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    query = "sslmode=verify-full&sslcert=/a/b%23c&passfile=/p&hostaddr=192.0.2.1&application_name=x"
    address = f"postgres://u%40x:p%40s%23s%2F%25%3F%20@db.example.org:6543/studybot?{query}"
    monkeypatch.setenv("DATABASE_URL", address)
    found = addresses.database("DATABASE_URL", Path("/unused"), Path("/"))
    assert found["PASSWORD"] == "p@s#s/%? "
    assert (found["USER"], found["HOST"], found["PORT"]) == ("u@x", "db.example.org", 6543)
    assert found["OPTIONS"] == {
        "sslmode": "verify-full", "sslcert": "/a/b#c", "passfile": "/p", "hostaddr": "192.0.2.1",
        "application_name": "x",
    }  # fmt: skip


@pytest.mark.parametrize(
    "address",
    [
        "postgres://u:p@db/studybot", "postgresql://u@[2001:db8::1]:5432/studybot",
        "postgres:///studybot", "postgres://%2Fvar%2Frun%2Fpostgresql/studybot",
        "postgres://?service=studybot", "postgres:///studybot?host=a,b&port=5432,5433"
        "&target_session_attrs=read-write", "postgres://u:p@a,b/studybot",
    ],
)  # fmt: skip
def test_an_address_that_libpq_can_use_is_taken(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", address)
    assert addresses.database("DATABASE_URL", Path("/unused"), Path("/"))["ENGINE"]


@pytest.mark.parametrize("folder", ["C#", "a?b", "a%20b", "100%", "a b", "스터디", "a&b;c", "it's"])
def test_the_database_may_lie_in_a_folder_of_any_name(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    default = tmp_path / folder / "studybot.sqlite3"
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert addresses.database("DATABASE_URL", default, tmp_path)["NAME"] == str(default)
    default.parent.mkdir()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{quote(str(default))}")
    assert addresses.database("DATABASE_URL", default, tmp_path)["NAME"] == str(default)


def test_a_relative_path_begins_at_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:///our%20own.sqlite3")
    found = addresses.database("DATABASE_URL", Path("/unused"), tmp_path)
    assert found["NAME"] == str(tmp_path / "our own.sqlite3")


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ('"hunter2"', "quotation marks"), ("'hunter2'", "quotation marks"),
        ("“hunter2”", "quotation marks"), ("Bot hunter2", "without the word before it"),
        ("bearer hunter2", "without the word before it"), ("hunter2 x", "it holds a blank"),
        ("hunter2나", "a character that no token has"),
    ],
)  # fmt: skip
def test_a_malformed_token_is_refused_and_not_repeated(
    token: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOT_TOKEN", token)
    said = refusal(lambda: environment.token("BOT_TOKEN"))
    assert "BOT_TOKEN=" in said
    assert why in said
    assert "hunter2" not in said


@pytest.mark.parametrize("given", ["'hunter2'", "hunter2 x", "hunter2나", "hunter2=", "a:hunter2"])
def test_a_malformed_secret_is_refused_and_not_repeated(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_CLIENT_SECRET", given)
    said = refusal(lambda: environment.secret("DISCORD_CLIENT_SECRET"))
    assert "DISCORD_CLIENT_SECRET=" in said
    assert "(your application, OAuth2, Reset Secret)" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("DISCORD_CLIENT_ID", "DISCORD_CLIENT_SECRET"),
        ("DISCORD_CLIENT_SECRET", "DISCORD_CLIENT_ID"),
    ],
)
def test_an_application_without_its_secret_is_refused(given: str, missing: str) -> None:
    alone = {given: "1180000000000000001", missing: ""}
    assert f"{given} is set and {missing} is not: set both, or neither." in said_by_settings(
        **alone
    )
    both = alone | {missing: "1180000000000000002"}
    assert said_by_settings(**both) == ""


def test_a_short_secret_key_is_refused_and_not_repeated() -> None:
    said = said_by_settings(SECRET_KEY="hunter2")
    assert "SECRET_KEY=" in said
    assert "write at least 32 random characters" in said
    assert "hunter2" not in said


REAL = "https://discord.com/api/v10"
ANYBODY = "0.0.0.0"  # noqa: S104 - nothing listens there
OURS = "http://127.0.0.1:8001/api/v10"


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"BOT_API_HOST": ANYBODY}, "BOT_API_HOST='0.0.0.0' lets others in"),
        ({"BOT_API_HOST": "::"}, "BOT_API_HOST='::' lets others in"),
        ({"BOT_API_HOST": "192.0.2.7"}, "BOT_API_HOST='192.0.2.7' lets others in"),
        ({"ALLOWED_HOSTS": "localhost,notices.example.org"}, "ALLOWED_HOSTS has 'notices.example"),
        ({"BEHIND_TLS_PROXY": "1"}, "BEHIND_TLS_PROXY=1"),
        ({"BOT_TOKEN": "a.real.token", "DISCORD_API_URL": REAL}, "BOT_TOKEN is set"),
        ({"BOT_TOKEN": "a.real.token", "DISCORD_API_URL": ""}, "BOT_TOKEN is set"),
    ],
)
def test_debug_is_refused_where_others_could_see_it(variables: dict[str, str], why: str) -> None:
    said = said_by_settings(DEBUG="1", **variables)
    assert f"DEBUG=1 cannot be used: {why}" in said
    assert said_by_settings(DEBUG="0", **variables) == ""


@pytest.mark.parametrize(
    "variables",
    [
        {"BOT_TOKEN": "a.token", "DISCORD_API_URL": OURS},
        {"BOT_TOKEN": "a.token", "DISCORD_API_URL": "http://[::1]:8001/api/v10"},
        {"BOT_API_HOST": "localhost", "ALLOWED_HOSTS": "localhost,127.0.0.1,::1,a.localhost"},
        {"BOT_API_HOST": "::1"},
    ],
)
def test_debug_is_taken_where_nobody_else_is(variables: dict[str, str]) -> None:
    assert said_by_settings(DEBUG="1", **variables) == ""


def test_an_empty_variable_counts_as_not_set() -> None:
    assert said_by_settings(DEBUG="", BOT_API_PORT="", DATABASE_URL="") == ""


def said_by_settings(**variables: str) -> str:
    """The last line that an import of the settings prints, which is empty if all is well."""
    here = {**os.environ, "DEBUG": "1", "DATABASE_URL": "", "REDIS_URL": ""}
    ended = forked.run(
        "-c", "import studybot.settings", folder=BASE_DIR, environment=here | variables
    )
    return ended.stderr.strip().rpartition("\n")[2]


def test_the_secret_key_is_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    first = environment.secret_key("NO_SUCH_VARIABLE", tmp_path)
    assert environment.secret_key("NO_SUCH_VARIABLE", tmp_path) == first
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("given", "port", "tls"),
    [
        ("smtp+tls://notices%40example.org:p%40ss@mail.example.org", 587, "EMAIL_USE_TLS"),
        ("smtp+ssl://notices%40example.org:p%40ss@mail.example.org", 465, "EMAIL_USE_SSL"),
        ("smtp://notices%40example.org:p%40ss@mail.example.org:2525", 2525, None),
    ],
)
def test_a_mail_server_is_read_with_the_usual_port(
    monkeypatch: pytest.MonkeyPatch, given: str, port: int, tls: str | None
) -> None:
    monkeypatch.setenv("EMAIL_URL", given)
    read = addresses.mail("EMAIL_URL")
    assert (read["EMAIL_HOST"], read["EMAIL_PORT"]) == ("mail.example.org", port)
    assert (read["EMAIL_HOST_USER"], read["EMAIL_HOST_PASSWORD"]) == (
        "notices@example.org",
        "p@ss",
    )
    assert {name for name in read if name.startswith("EMAIL_USE_")} == ({tls} if tls else set())


def test_a_mail_server_that_cannot_be_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EMAIL_URL", "imap://notices:hunter2@mail.example.org")
    said = refusal(lambda: addresses.mail("EMAIL_URL"))
    assert "EMAIL_URL=" in said
    assert "hunter2" not in said


def test_mail_needs_an_address_to_come_from() -> None:
    said = said_by_settings(EMAIL_URL="smtp://mail.example.org")
    assert "EMAIL_FROM='' cannot be used: write an address such as notices@example.org" in said
