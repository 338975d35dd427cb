"""Measures whether runbot's memory stays flat over 100,000 deliveries."""

from itertools import pairwise
from pathlib import Path
from statistics import linear_regression

from benchmarks import setups
from benchmarks.discord_server import discord_server
from benchmarks.processes import resident_kib
from benchmarks.result import Json, Result, Row
from benchmarks.stack import Stack
from benchmarks.unlimited import lay, warm_bot

# It is just above what the bot reaches, because the pacer remembers as many moments.
LIFTED = {"SEND_RATE": "5000"}
DELIVERIES = 100_000
CHANNELS = 250
SAMPLE_EVERY = 5_000
# The share of the run in which caches and arenas find their size.
WARM_UP = 0.25


def run(contenders: list[str], folder: Path) -> Result:
    data: Json = {one: _sample(one, folder) for one in contenders}
    how = (
        f"Resident memory of runbot each {SAMPLE_EVERY:,} deliveries, limits lifted. The growth is "
        f"the slope of the straight line through the samples after the first {WARM_UP:.0%}."
    )
    return Result("Memory", how, [_row(one, samples) for one, samples in data.items()], data)


def _sample(contender: str, folder: Path) -> list[tuple[int, int]]:
    """Return samples of deliveries and KiB."""
    with (
        discord_server(folder, CHANNELS, "--no-limits") as discord,
        setups.setup(contender, folder) as setup,
        Stack(setup, discord, folder, **LIFTED) as stack,
    ):
        warm_bot(stack, CHANNELS)
        samples = [(0, resident_kib(stack.pid("runbot")))]
        for done, following in pairwise(range(0, DELIVERIES + 1, SAMPLE_EVERY)):
            lay(stack, following - done, CHANNELS)
            samples.append((following, resident_kib(stack.pid("runbot"))))
    return samples


def _row(contender: str, samples: list[tuple[int, int]]) -> Row:
    settled = [one for one in samples if one[0] >= DELIVERIES * WARM_UP]
    slope, _start = linear_regression(*zip(*settled, strict=True))
    return {
        "": contender,
        "at the start (MiB)": round(samples[0][1] / 1024, 1),
        "after the warm-up (MiB)": round(settled[0][1] / 1024, 1),
        "at the end (MiB)": round(samples[-1][1] / 1024, 1),
        "growth (bytes a delivery)": round(slope * 1024),
    }
