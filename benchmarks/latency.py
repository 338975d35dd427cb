"""Measures the time from the POST to the message, and to the status being readable."""

from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks import jobs, setups
from benchmarks.discord_server import channel_ids, discord_server
from benchmarks.result import Json, Result, Row
from benchmarks.stack import EVERYTHING, Stack

SAMPLES = 150
CHANNELS = 100
# Short enough to be done soon, and long enough for every process to finish the last notice.
PAUSE_SECONDS = (0.05, 0.25)


def run(contenders: list[str], folder: Path) -> Result:
    rows: list[Row] = []
    data: Json = {}
    for contender in contenders:
        samples = _probe(contender, folder)
        data[contender] = {
            "shown_ms": _milliseconds(samples, "begun", "shown"),
            "readable_ms": _milliseconds(samples, "shown", "readable"),
        }
        rows.append(_row(contender, samples))
    how = (
        f"{SAMPLES} notices, one at a time with a random pause between them, no round trip added. "
        "The clock starts before the POST is sent; the message is shown when fakediscord has "
        "created it. From then on the status is asked for without a pause over a kept connection; "
        "it is readable when the first GET that says `sent` is answered. Half such a GET is the "
        "resolution, and one GET is part of the time: its own is in the last column."
    )
    return Result("POST to shown, to readable", how, rows, data)


def _probe(contender: str, folder: Path) -> Any:
    channels = channel_ids(CHANNELS)
    with (
        discord_server(folder, CHANNELS) as discord,
        setups.setup(contender, folder) as setup,
        Stack(setup, discord, folder) as stack,
    ):
        stack.start(*EVERYTHING)
        return jobs.run(
            "benchmarks.probing",
            {
                "port": stack.port, "key": stack.key, "study": stack.add_study(channels),
                "channels": channels, "samples": SAMPLES, "discord_url": discord.url,
                "pause_seconds": PAUSE_SECONDS,
            },
        )  # fmt: skip


def _milliseconds(samples: list[Json], begin: str, end: str) -> list[float]:
    return [round((sample[end] - sample[begin]) * 1000, 1) for sample in samples]


def _row(contender: str, samples: list[Json]) -> Row:
    shown = _milliseconds(samples, "begun", "shown")
    readable = _milliseconds(samples, "shown", "readable")
    return {
        "": contender,
        "POST to shown, median (ms)": round(median(shown), 1),
        "95 % within": _p95(shown),
        "POST to its 202, median": round(median(_milliseconds(samples, "begun", "accepted")), 1),
        "shown to readable, median (ms)": round(median(readable), 1),
        "95 % of these within": _p95(readable),
        "a GET itself, median": round(median(s for one in samples for s in one["gets"]) * 1000, 1),
    }


def _p95(values: list[float]) -> float:
    return round(quantiles(values, n=20)[-1], 1)
