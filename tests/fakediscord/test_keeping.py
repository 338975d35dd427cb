"""With a state file, guilds, channels and messages are there after a restart."""

import json
from pathlib import Path
from typing import Any

import pytest

from fakediscord.keeping import StateError, read_state
from fakediscord.snowflake import Snowflakes, made_at
from tests.fakediscord.cast import BOT, STUDY, TALK
from tests.fakediscord_driver import FakeDiscordError, FakeDiscordProcess, run_to_its_end


@pytest.fixture
def arguments(tmp_path: Path, layout: Path) -> list[str]:
    return ["--no-limits", "--layout", str(layout), "--state", str(tmp_path / "state.json")]


def test_it_has_the_same_state_after_a_stop(arguments: list[str]) -> None:
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


def create(discord: FakeDiscordProcess, content: str, nonce: str) -> Any:
    payload = {"content": content, "nonce": nonce, "enforce_nonce": True}
    path = f"/api/v10/channels/{TALK}/messages"
    return discord.call("POST", path, payload, headers={"Authorization": "Bot token"})


def test_not_even_a_kill_loses_or_doubles_a_message(arguments: list[str]) -> None:
    with FakeDiscordProcess(*arguments) as discord:
        first = create(discord, "하나", "n-1")
        second = create(discord, "둘", "n-2")
        path = f"/api/v10/channels/{TALK}/messages/{first['id']}"
        token = {"Authorization": "Bot token"}
        discord.call("PATCH", path, {"content": "고침"}, headers=token)
        third = create(discord, "셋", "n-3")
        discord.delete_message(TALK, third["id"])
        discord.process.kill()
        discord.process.wait()
    for _ in range(2):
        with FakeDiscordProcess(*arguments) as discord:
            shown = discord.messages(TALK)
            assert [message["content"] for message in shown] == ["고침", "둘"]
            assert [message["nonce"] for message in shown] == ["n-1", "n-2"]
            assert create(discord, "둘", "n-2")["id"] == second["id"]
            with pytest.raises(FakeDiscordError, match="10008"):
                create(discord, "셋", "n-3")
            discord.process.kill()
            discord.process.wait()


def test_a_line_that_was_cut_off_is_left_out(arguments: list[str], tmp_path: Path) -> None:
    with FakeDiscordProcess(*arguments) as discord:
        create(discord, "하나", "n-1")
        discord.process.kill()
        discord.process.wait()
    (log,) = tmp_path.glob("state.json.log*")
    with log.open("a") as file:
        file.write('{"event": "MESSAGE_CR')
    with FakeDiscordProcess(*arguments) as discord:
        assert len(discord.messages(TALK)) == 1
        assert discord.stop() == 0
    assert len(list(tmp_path.glob("state.json*"))) == 2


def test_a_state_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    ended = run_to_its_end(["--port", "0", "--state", str(tmp_path / "nowhere" / "state.json")])
    assert ended.returncode == 2
    assert "cannot write the state" in ended.stderr


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
