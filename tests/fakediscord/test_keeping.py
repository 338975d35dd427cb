"""With a state file, guilds, channels and messages are there after a restart."""

import json
from pathlib import Path

import pytest

from fakediscord.keeping import StateError, read_state
from fakediscord.snowflake import Snowflakes, made_at
from tests.fakediscord.cast import BOT, STUDY, TALK
from tests.fakediscord_driver import FakeDiscordProcess


@pytest.fixture
def arguments(tmp_path: Path, layout: Path) -> list[str]:
    return ["--no-limits", "--layout", str(layout), "--state", str(tmp_path / "state.json")]


def test_what_was_there_is_there_after_a_stop(arguments: list[str]) -> None:
    with FakeDiscordProcess(*arguments) as discord:
        first = discord.write(TALK, "안녕하세요", user_id=BOT, nonce="n-1")
        channel = discord.add_channel(STUDY, "새-채널")
        discord.change_channel(TALK, name="수다", overwrites=[{"id": BOT, "deny": ["EMBED_LINKS"]}])
        before = discord.state()
        assert discord.stop() == 0
    with FakeDiscordProcess(*arguments) as discord:
        assert discord.state() == before
        assert discord.messages(TALK)[0]["nonce"] == "n-1"
        second = discord.write(channel["id"], "다시")
        assert int(second["id"]) > int(first["id"])


def test_what_was_there_survives_a_crash(arguments: list[str], tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with FakeDiscordProcess(*arguments) as discord:
        discord.write(TALK, "안녕하세요")
        discord.wait_for(lambda: state.exists() and b"\\uc548" in state.read_bytes())
        discord.process.kill()
    with FakeDiscordProcess(*arguments) as discord:
        assert [message["content"] for message in discord.messages(TALK)] == ["안녕하세요"]


def test_the_layout_is_for_the_first_start_only(arguments: list[str], tmp_path: Path) -> None:
    with FakeDiscordProcess(*arguments) as discord:
        discord.delete(f"/_fake/guilds/{STUDY}")
    with FakeDiscordProcess(*arguments) as discord:
        assert STUDY not in [guild["id"] for guild in discord.state()["guilds"]]
    assert json.loads((tmp_path / "state.json").read_text())["format"] == 1


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"format": 99}'])
def test_a_state_that_cannot_be_read_is_refused_with_the_remedy(
    content: str, tmp_path: Path
) -> None:
    path = tmp_path / "state.json"
    path.write_text(content)
    with pytest.raises(StateError, match="remove it"):
        read_state(path)


def test_ids_only_grow_and_know_their_time() -> None:
    snowflakes = Snowflakes()
    made = [snowflakes.make() for _ in range(10_000)]
    assert made == sorted(set(made), key=int)
    assert all(len(one) == 19 for one in made)
    assert made_at("175928847299117063") == pytest.approx(1462015105.796)
