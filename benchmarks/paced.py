"""Measures how near sending comes to Discord's limit: 400 notices, or one to 400 channels."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import jobs, setups
from benchmarks.contenders import BARE, QUEUE
from benchmarks.discord_server import (
    ROUND_TRIP_SECONDS,
    channel_ids,
    discord_server,
)
from benchmarks.processes import cpu_seconds, family
from benchmarks.result import Result, Row
from benchmarks.sighting import Sighting, look
from benchmarks.stack import EVERYTHING, Stack

MESSAGES = 400
CHANNELS_OF_BURST = 100
CONNECTIONS = 8
# After it, Discord's window and the bot's memory of it are empty again.
SETTLE_SECONDS = 2.0
# A message that has not come for so long is lost.
QUIET_SECONDS = 15.0
RIVALS = {BARE: "all at once", QUEUE: "queue and worker"}
LATENCY = ("--latency", str(ROUND_TRIP_SECONDS))

Messages = list[tuple[str, str]]
# When each POST began and was answered.
Posts = list[tuple[float, float]]
Post = Callable[[Stack, int], Posts]


@dataclass(frozen=True, slots=True)
class Sent:
    """What studybot took for all messages, from the first POST until all are recorded."""

    posts: Posts
    cpu_seconds: dict[str, float]  # by process


def run_burst(contenders: list[str], folder: Path) -> Result:
    channels = channel_ids(CHANNELS_OF_BURST)
    messages = [(channels[n % len(channels)], f"notice {n}") for n in range(MESSAGES)]

    def post(stack: Stack, study: int) -> Posts:
        job = {
            "port": stack.port, "key": stack.key, "study": study, "notices": messages,
            "connections": CONNECTIONS,
        }  # fmt: skip
        posted = jobs.run("benchmarks.posting", job)
        if posted["errors"]:
            raise RuntimeError(f"{len(posted['errors'])} POSTs failed: {posted['errors'][0]}")
        return [(begun, ended) for begun, ended in posted["times"]]

    return _result(
        f"{MESSAGES} notices over {CHANNELS_OF_BURST} channels",
        f"posted to `/notice/` over {CONNECTIONS} connections while the bot sends",
        _race(contenders, folder, CHANNELS_OF_BURST, messages, post),
    )


def run_fanout(contenders: list[str], folder: Path) -> Result:
    title = "to all"
    messages = [(channel, title) for channel in channel_ids(MESSAGES)]

    def post(stack: Stack, study: int) -> Posts:
        begun = time.time()
        stack.frontend().post_to_all(study, title)
        return [(begun, time.time())]

    return _result(
        f"One notice to {MESSAGES} channels",
        "posted to `/api/v1/notices/` once",
        _race(contenders, folder, MESSAGES, messages, post),
    )


def _race(
    contenders: list[str], folder: Path, channels: int, messages: Messages, post: Post
) -> Iterator[tuple[str, Sighting, Sent | None]]:
    for contender in contenders:
        with discord_server(folder, channels, *LATENCY) as discord:
            if way := RIVALS.get(contender):
                job = {"way": way, "api_url": discord.api_url, "messages": messages}
                jobs.run("benchmarks.rivals", job)
                yield contender, look(discord, messages), None
            else:
                with setups.setup(contender, folder) as setup:
                    sent = _send_by_studybot(Stack(setup, discord, folder), messages, post)
                    yield contender, look(discord, messages), sent


def _send_by_studybot(stack: Stack, messages: Messages, post: Post) -> Sent:
    with stack:
        stack.start(*EVERYTHING)
        study = stack.add_study(sorted({channel for channel, _title in messages}))
        time.sleep(SETTLE_SECONDS)
        stack.discord.reset()
        before = _cpu_seconds(stack)
        posts = post(stack, study)
        _wait_until_quiet(stack, len(messages))
        taken = {name: after - before[name] for name, after in _cpu_seconds(stack).items()}
    return Sent(posts, taken)


def _cpu_seconds(stack: Stack) -> dict[str, float]:
    return {name: sum(map(cpu_seconds, family(stack.pid(name)))) for name in EVERYTHING}


def _wait_until_quiet(stack: Stack, messages: int) -> None:
    """Wait until all are recorded or nothing more comes. A double would come soon after."""
    seen, last_news = 0, time.monotonic()
    while time.monotonic() - last_news < QUIET_SECONDS:
        time.sleep(0.2)
        created = stack.discord.creates()
        if created != seen:
            seen, last_news = created, time.monotonic()
        elif created >= messages and not stack.count_unsettled():
            break


def _result(
    title: str,
    posted: str,
    race: Iterator[tuple[str, Sighting, Sent | None]],
) -> Result:
    rows: list[Row] = []
    curves = {}
    for contender, sighting, sent in race:
        rows.append(_row(contender, sighting, sent))
        curves[contender] = sighting.curve()
    how = (
        f"{ROUND_TRIP_SECONDS * 1000:.0f} ms round trip, 50 requests a second, 5 per 5 s and "
        f"channel. studybot's notices are {posted}; the others have theirs in memory. Time is from "
        "the first message's creation to the last one's at the server; the share of the limit is "
        f"{MESSAGES} / 50 s by that time, where none is lost."
    )
    return Result(title, how, rows, {"curves": curves})


def _row(contender: str, sighting: Sighting, sent: Sent | None) -> Row:
    row: Row = {
        "": contender,
        "first to last (s)": round(sighting.seconds, 2),
        # With lost messages a short time is no merit.
        "of the limit": "" if sighting.lost else round(sighting.efficiency, 3),
        "answers 429": sighting.refused,
        "lost": sighting.lost,
        "doubled": sighting.doubled,
        "first POST to last (s)": "",
        "POSTs a second": "",
        "CPU of web + qcluster + runbot each (ms)": "",
    }
    if sent is None:
        return row
    posts = sent.posts
    row["first POST to last (s)"] = round(sighting.shown_at[-1] - posts[0][0], 2)
    if len(posts) > 1:
        seconds = max(ended for _begun, ended in posts) - posts[0][0]
        row["POSTs a second"] = round(len(posts) / seconds)
    each = [sent.cpu_seconds[name] / MESSAGES * 1000 for name in EVERYTHING]
    told = " + ".join(f"{ms:.1f}" for ms in each)
    row["CPU of web + qcluster + runbot each (ms)"] = f"{told} = {sum(each):.1f}"
    return row
