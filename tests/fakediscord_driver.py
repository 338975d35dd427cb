"""Runs fakediscord as a process of its own and gives it orders, for tests of what talks to it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from tests.forked import Forked

ROOT = Path(__file__).resolve().parent.parent
READY = "fakediscord listening on "
START_SECONDS = 20.0
STOP_SECONDS = 5.0
REQUEST_SECONDS = 30.0
UNLIMITED: dict[str, None] = dict.fromkeys(
    ("global_rate", "bucket_limit", "crosspost_limit", "other_limit", "invalid_limit")
)

Json = dict[str, Any]


class FakeDiscordError(Exception):
    """The server refused this; the message is its reason."""


class FakeDiscordProcess:
    """`with FakeDiscordProcess() as discord:`; `arguments` are the command's own."""

    def __init__(self, *arguments: str, any_token: bool = True) -> None:
        tokens = ("--any-token",) if any_token and "--token" not in arguments else ()
        with TemporaryDirectory() as folder:
            log = Path(folder, "log")
            self.process = Forked(
                "-m", "fakediscord", "--port", "0", *tokens, *arguments,
                folder=ROOT, environment=os.environ, log=log,
            )  # fmt: skip
            self.url = self._address(log)
        self.api_url = f"{self.url}/api/v10"

    def _address(self, log: Path) -> str:
        """Wait for the line in which the server names the free port that it listens on."""
        log.touch()
        until = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < until:
            for line in log.read_text(encoding="utf-8").splitlines(keepends=True):
                if line.startswith(READY) and line.endswith("\n"):
                    return line.removeprefix(READY).strip()
            time.sleep(0.005)
        said = log.read_text(encoding="utf-8")
        raise FakeDiscordError(f"did not start; exit code {self.stop()}: {said}")

    @property
    def gateway_url(self) -> str:
        return self.url.replace("http://", "ws://") + "/gateway"

    # The channels, and the requests so far.

    def messages(self, channel_id: str | int) -> list[Json]:
        """Oldest first, each with the `nonce` that it was sent with."""
        state: Json = self.get(f"/_fake/state?channel_id={channel_id}")
        found: list[Json] = state["messages"][str(channel_id)]
        return found

    def state(self) -> Json:
        state: Json = self.get("/_fake/state")
        return state

    def text_channels(self) -> list[str]:
        """The channels of the default layout in which the bot may send."""
        return [
            channel["id"]
            for guild in self.state()["guilds"]
            for channel in guild["channels"]
            if channel["type"] == 0 and not channel.get("permission_overwrites")
        ]

    def requests(self, since: int = 0) -> list[Json]:
        """The REST requests after the `since`-th: n, time, method, path, status, bucket."""
        found: list[Json] = self.get(f"/_fake/requests?since={since}")
        return found

    def chronicle(self, since: int = 0) -> list[Json]:
        """Every message made and deleted: n, time, event, channel_id, message_id, nonce."""
        found: list[Json] = self.get(f"/_fake/chronicle?since={since}")
        return found

    def stats(self) -> Json:
        stats: Json = self.get("/_fake/stats")
        return stats

    def sessions(self) -> list[Json]:
        """The gateway's: id, shard, intents, seq, connected."""
        found: list[Json] = self.get("/_fake/gateway")["sessions"]
        return found

    def wait_for(self, condition: Callable[[], Any], *, seconds: float = 10.0) -> Any:
        """The first true thing that `condition` returns."""
        until = time.monotonic() + seconds
        while not (found := condition()):
            if time.monotonic() > until:
                raise TimeoutError(f"not within {seconds:g} s; {self.stats()}")
            time.sleep(0.02)
        return found

    # Faults.

    def fault(self, **order: Any) -> int:
        """For instance `fault(kind="status", status=503, method="POST", path="/messages$")`."""
        fault_id: int = self.post("/_fake/faults", order)["id"]
        return fault_id

    def faults(self) -> list[Json]:
        """Each with its `hits`."""
        found: list[Json] = self.get("/_fake/faults")
        return found

    def clear_faults(self, fault_id: int | None = None) -> None:
        self.delete("/_fake/faults" if fault_id is None else f"/_fake/faults/{fault_id}")

    def gateway(self, action: str, **order: Any) -> Json:
        """An action of `fakediscord.connections.ACTIONS`: drop, close, reconnect, mute_echo…"""
        answer: Json = self.post("/_fake/gateway", {"action": action, **order})
        return answer

    def settings(self, **changes: Any) -> Json:
        """The settings as they are after the changes."""
        settings: Json = self.call("PATCH", "/_fake/settings", changes)
        return settings

    def lift_limits(self) -> None:
        self.settings(**UNLIMITED)

    def reset(self) -> None:
        """Faults, limits and counts begin anew; guilds and messages stay."""
        self.post("/_fake/reset", {})

    # People's deeds.

    def write(self, channel_id: str | int, content: str, **more: Any) -> Json:
        order = {"channel_id": str(channel_id), "content": content, **more}
        message: Json = self.post("/_fake/messages", order)
        return message

    def press(self, message_id: str | int, custom_id: str, **more: Any) -> Json:
        """A button: `type`, `ephemeral`, `message` of the answer, or `error`."""
        order = {"message_id": str(message_id), "custom_id": custom_id, **more}
        answer: Json = self.post("/_fake/interactions", order)
        return answer

    def command(self, channel_id: str | int, name: str, **more: Any) -> Json:
        """A slash command; `options` is an object of names and values."""
        order = {"channel_id": str(channel_id), "command": name, **more}
        answer: Json = self.post("/_fake/interactions", order)
        return answer

    def delete_message(self, channel_id: str | int, message_id: str | int) -> None:
        """As a moderator does it."""
        self.delete(f"/_fake/channels/{channel_id}/messages/{message_id}")

    def delete_messages(self, channel_id: str | int, *message_ids: str | int) -> None:
        """All at once, as a purge does it."""
        ids = [str(one) for one in message_ids]
        self.post(f"/_fake/channels/{channel_id}/messages/bulk-delete", {"messages": ids})

    def suppress_embeds(
        self, channel_id: str | int, message_id: str | int, *, flags: int = 4
    ) -> None:
        """As a moderator removes the embed of somebody's message, or with 0 brings it back."""
        path = f"/_fake/channels/{channel_id}/messages/{message_id}"
        self.call("PATCH", path, {"flags": flags})

    def add_thread(self, parent_id: str | int, name: str, **more: Any) -> Json:
        """From then on it is a channel that `change_channel` archives, opens and locks."""
        order = {"parent_id": str(parent_id), "name": name, **more}
        thread: Json = self.post("/_fake/threads", order)
        return thread

    def time_out(self, guild_id: str | int, user_id: str | int, until: str | None) -> None:
        """As a moderator does it; null takes it back."""
        path = f"/_fake/guilds/{guild_id}/members/{user_id}"
        self.call("PATCH", path, {"communication_disabled_until": until})

    def add_channel(self, guild_id: str | int, name: str, **more: Any) -> Json:
        order = {"guild_id": str(guild_id), "name": name, **more}
        channel: Json = self.post("/_fake/channels", order)
        return channel

    def change_channel(self, channel_id: str | int, **changes: Any) -> Json:
        """For instance `overwrites=[{"id": bot_id, "deny": ["SEND_MESSAGES"]}]`, `name="…"`."""
        channel: Json = self.call("PATCH", f"/_fake/channels/{channel_id}", changes)
        return channel

    def delete_channel(self, channel_id: str | int) -> None:
        self.delete(f"/_fake/channels/{channel_id}")

    # Requests to the server.

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def read(self, path: str) -> bytes:
        """As it is, for instance an attachment."""
        with urllib.request.urlopen(self.url + path, timeout=REQUEST_SECONDS) as answer:  # noqa: S310
            content: bytes = answer.read()
        return content

    def post(self, path: str, data: Any) -> Any:
        return self.call("POST", path, data)

    def delete(self, path: str) -> Any:
        return self.call("DELETE", path)

    def call(
        self,
        method: str,
        path: str,
        data: Any = None,
        headers: dict[str, str] | None = None,
        *,
        body: bytes | None = None,
    ) -> Any:
        """`data` as JSON, or a `body` of another kind."""
        body = body if data is None else json.dumps(data).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(  # noqa: S310
            self.url + path, body, headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as response:  # noqa: S310
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                raise FakeDiscordError(f"{method} {path}: {error.read().decode()}") from error

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """The exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        try:
            return self.process.wait(STOP_SECONDS)
        finally:
            self.process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def run_to_its_end(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """For a start that is expected to be refused."""
    command = [sys.executable, "-m", "fakediscord", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=START_SECONDS, check=False
    )
