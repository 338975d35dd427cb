"""Runs fakediscord as a process, with as many channels as a benchmark needs."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT
from benchmarks.result import Json

READY = "fakediscord listening on "
GUILD = 10**18
ROUND_TRIP_SECONDS = 0.08
WARM_UP_CHANNEL = str(GUILD + 1)


def channel_ids(count: int) -> list[str]:
    """Return the channels of a benchmark. The one for warming up is not among them."""
    return [str(GUILD + 1000 + number) for number in range(count)]


class DiscordServer:
    """Asks fakediscord under /_fake/, as its README explains."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.api_url = f"{url}/api/v10"

    def stats(self) -> Json:
        return dict(self._ask("GET", "/_fake/stats"))

    def creates(self) -> int:
        """Return how many messages were created since the start or the last reset."""
        return int(self.stats()["creates"])

    def is_gateway_up(self) -> bool:
        return any(one["connected"] for one in self._ask("GET", "/_fake/gateway")["sessions"])

    def messages(self) -> dict[str, list[Json]]:
        """Return each channel's messages, oldest first."""
        return dict(self._ask("GET", "/_fake/state")["messages"])

    def created_at(self, since: int) -> list[float]:
        """Return when each create with the answer 200 arrived, after the `since`-th request."""
        return [
            entry["time"]
            for entry in self._ask("GET", f"/_fake/requests?since={since}")
            if entry["method"] == "POST" and entry["status"] == 200
        ]

    def reset(self) -> None:
        """Begin limits and counts anew."""
        self._ask("POST", "/_fake/reset")

    def _ask(self, method: str, path: str) -> Any:
        request = urllib.request.Request(self.url + path, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)


@contextmanager
def discord_server(folder: Path, channels: int, *options: str) -> Iterator[DiscordServer]:
    layout = folder / f"layout-{channels}.json"
    layout.write_text(json.dumps(_layout(channels)), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "fakediscord", "--port", "0", "--any-token",
         "--layout", str(layout), *options],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout
        line = process.stdout.readline()
        if not line.startswith(READY):
            raise RuntimeError("fakediscord did not start; what it says is above")
        yield DiscordServer(line.removeprefix(READY).strip())
    finally:
        process.terminate()
        process.communicate()


def _layout(channels: int) -> Json:
    ids = [WARM_UP_CHANNEL, *channel_ids(channels)]
    return {
        "application": {"id": "1", "name": "studybot"},
        "bot": {"id": "1", "username": "studybot"},
        "people": [{"id": "2", "username": "leader"}],
        "guilds": [
            {
                "id": str(GUILD),
                "name": "benchmarks",
                "channels": [{"id": one, "name": f"channel-{one[-4:]}"} for one in ids],
            }
        ],
    }
