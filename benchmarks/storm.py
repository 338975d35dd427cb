"""Measures whether all POSTs succeed: thousands of them while qcluster and the bot work."""

import time
from pathlib import Path

from benchmarks import jobs, setups
from benchmarks.discord_server import channel_ids, discord_server
from benchmarks.result import Result, Row
from benchmarks.stack import EVERYTHING, Stack
from benchmarks.unlimited import LIFTED
from benchmarks.waiting import wait_for
from benchmarks.web import COUNTED

POSTS = 10_000
CONNECTIONS = 16
CHANNELS = 100
PATIENCE_SECONDS = 1200.0
LOCKED = "database is locked"


def run(contenders: list[str], folder: Path) -> Result:
    how = (
        f"{POSTS:,} notices, posted over {CONNECTIONS} connections while web, qcluster and runbot "
        "work, no limits and no round trip. Then all are waited for; `locked` counts the lines of "
        f'the processes\' logs that say "{LOCKED}".'
    )
    return Result("A storm of posts", how, [_row(one, folder) for one in contenders])


def _row(contender: str, folder: Path) -> Row:
    with (
        discord_server(folder, CHANNELS, "--no-limits") as discord,
        setups.setup(contender, folder) as setup,
        Stack(setup, discord, folder, **COUNTED, **LIFTED) as stack,
    ):
        stack.start(*EVERYTHING)
        channels = channel_ids(CHANNELS)
        study = stack.add_study(channels)
        stack.discord.reset()
        begun = time.monotonic()
        posted = jobs.run(
            "benchmarks.posting",
            {
                "port": stack.port, "key": stack.key, "study": study, "connections": CONNECTIONS,
                "notices": [(channels[n % CHANNELS], f"notice {n}") for n in range(POSTS)],
            },
            seconds=PATIENCE_SECONDS,
        )  # fmt: skip
        seconds = time.monotonic() - begun
        errors = len(posted["errors"])
        wait_for(
            lambda: discord.creates() >= POSTS - errors and not stack.count_unsettled(),
            "all are shown and recorded",
            PATIENCE_SECONDS,
        )
        return {
            "": contender,
            "POSTs a second": round(POSTS / seconds),
            "errors": errors,
            "locked": stack.count_in_logs(LOCKED),
            "not fanned out": stack.count_waiting(),
            "shown": discord.creates(),
            "first POST to last shown (s)": round(time.monotonic() - begun, 1),
        }
