"""Measures what studybot costs while there is nothing to do."""

import time
from pathlib import Path

from benchmarks import setups
from benchmarks.discord_server import discord_server
from benchmarks.processes import cpu_seconds, family
from benchmarks.result import Result, Row
from benchmarks.stack import EVERYTHING, Stack

CHANNELS = 100
MEASURED_SECONDS = 30.0
# After that, the work of the first notices is over.
SETTLE_SECONDS = 6.0


def run(contenders: list[str], folder: Path) -> Result:
    how = f"Share of a core over {MEASURED_SECONDS:.0f} s, of /proc; each with what it started."
    return Result("Idle", how, [_row(one, folder) for one in contenders])


def _row(contender: str, folder: Path) -> Row:
    with (
        discord_server(folder, CHANNELS) as discord,
        setups.setup(contender, folder) as setup,
        Stack(setup, discord, folder) as stack,
    ):
        stack.start(*EVERYTHING)
        time.sleep(SETTLE_SECONDS)
        before = {name: _used(stack, name) for name in EVERYTHING}
        time.sleep(MEASURED_SECONDS)
        used = {name: _used(stack, name) - before[name] for name in EVERYTHING}
    shares = {name: round(100 * used[name] / MEASURED_SECONDS, 2) for name in EVERYTHING}
    return {"": contender, **{f"{name} (%)": share for name, share in shares.items()}}


def _used(stack: Stack, name: str) -> float:
    return sum(map(cpu_seconds, family(stack.pid(name))))
