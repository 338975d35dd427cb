"""Measures the engine itself: no limits, and the deliveries waiting in the database."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from statistics import median

from benchmarks import jobs, setups
from benchmarks.contenders import OURS
from benchmarks.discord_server import DiscordServer, channel_ids, discord_server
from benchmarks.result import Json, Result, Row
from benchmarks.stack import Stack
from benchmarks.waiting import wait_for

DELIVERIES = 10_000
ROUNDS = 3
WARM_UP_DELIVERIES = 1000
LIFTED = {"SEND_RATE": "100000"}
PATIENCE_SECONDS = 120.0
# A channel takes one request at a time, with the database's answer in between, and Discord lets it
# have one a second. Such rates need very many channels.
MANY_CHANNELS = 1000
FEW_CHANNELS = 250


# The channels of each notice: one, as posted one by one, or many.
OUR_WAYS = {"1 channel": 1, "250 channels": 250}
# Whether the gateway is asked too. Bare discord.py knows no notices.
AS_A_BOT = "as a bot"
BARE_WAYS = {AS_A_BOT: True, "HTTP alone": False}

Shape = tuple[int, str]
"""The number of channels, and the way in which they are sent to."""


@dataclass(slots=True)
class Contender:
    """A contender; `stack` is None for bare discord.py."""

    title: str
    discord: DiscordServer
    stack: Stack | None
    rates: dict[Shape, list[float]] = field(default_factory=dict)

    @property
    def shapes(self) -> Iterable[Shape]:
        ways = BARE_WAYS if self.stack is None else OUR_WAYS
        return product((MANY_CHANNELS, FEW_CHANNELS), ways)

    def measure(self, shape: Shape) -> None:
        channels, way = shape
        if self.stack is None:
            rate = send_bare(self.discord, channels, gateway=BARE_WAYS[way])
        else:
            rate = drain(self.stack, channels, OUR_WAYS[way])
        self.rates.setdefault(shape, []).append(rate)


def run(contenders: list[str], folder: Path) -> Result:
    with ExitStack() as opened:
        # Each has a fakediscord of its own, so that idle bots do not hear of the others' messages.
        running = [_enter(opened, title, folder) for title in contenders]
        for _round in range(ROUNDS):
            for contender in running:
                for shape in contender.shapes:
                    contender.measure(shape)
    return _result(running)


def _enter(opened: ExitStack, title: str, folder: Path) -> Contender:
    discord = opened.enter_context(discord_server(folder, MANY_CHANNELS, "--no-limits"))
    if title not in OURS:
        return Contender(title, discord, None)
    setup = opened.enter_context(setups.setup(title, folder))
    stack = opened.enter_context(Stack(setup, discord, folder, **LIFTED))
    warm_bot(stack, MANY_CHANNELS)
    return Contender(title, discord, stack)


def warm_bot(stack: Stack, channels: int) -> None:
    stack.add_study(channel_ids(channels))
    stack.start("runbot")
    lay(stack, WARM_UP_DELIVERIES, channels)
    stack.manage("shell", "-c", "from benchmarks import backlog; backlog.analyze()")


def drain(stack: Stack, channels: int, channels_each: int) -> float:
    """Return deliveries a second, from the first create's arrival to the last one's."""
    since = int(stack.discord.stats()["requests"])
    lay(stack, DELIVERIES, channels, channels_each)
    return _rate(stack.discord, since)


def lay(stack: Stack, deliveries: int, channels: int, channels_each: int = 1) -> None:
    """Make deliveries; return when all of them are shown, and recorded as sent."""
    wanted = stack.discord.creates() + deliveries
    lay_them = f"backlog.lay({deliveries}, {channels}, {channels_each}, 'notice')"
    stack.manage("shell", "-c", f"from benchmarks import backlog; {lay_them}")
    # The database is asked only at the end, so as not to slow it down.
    wait_for(lambda: stack.discord.creates() >= wanted, "all are shown", PATIENCE_SECONDS)
    wait_for(lambda: not stack.count_unsettled(), "all are recorded", PATIENCE_SECONDS)


def send_bare(discord: DiscordServer, channels: int, *, gateway: bool) -> float:
    since = int(discord.stats()["requests"])
    ids = channel_ids(channels)
    messages = [(ids[n % channels], f"message {n}") for n in range(DELIVERIES)]
    job: Json = {"way": "task per channel", "api_url": discord.api_url, "messages": messages}
    job["gateway"] = gateway
    jobs.run("benchmarks.rivals", job)
    return _rate(discord, since)


def _rate(discord: DiscordServer, since: int) -> float:
    times = sorted(discord.created_at(since))
    assert len(times) == DELIVERIES, f"{len(times)} messages, and not {DELIVERIES}"
    return (len(times) - 1) / (times[-1] - times[0])


def _result(running: list[Contender]) -> Result:
    measured: Json = {
        one.title: {f"{channels}, {way}": rates for (channels, way), rates in one.rates.items()}
        for one in running
    }
    bare = {
        channels: median(rates)
        for one in running
        for (channels, way), rates in one.rates.items()
        if way == AS_A_BOT
    }
    how = (
        f"{DELIVERIES:,} deliveries, fanned out beforehand and due at the same moment, no limits "
        "and no round trip. A second's deliveries from the first create's arrival at the server to "
        f"the last one's; medians of {ROUNDS}, taken by turns. Bare discord.py stores nothing and "
        "has as many requests at once as there are channels; the share is of its rate over as "
        "many channels as a bot, which like ours hears of every message at the gateway."
    )
    return Result("Limits lifted", how, list(_rows(running, bare)), measured)


def _rows(running: list[Contender], bare: dict[int, float]) -> Iterator[Row]:
    for contender in running:
        for (channels, way), rates in contender.rates.items():
            rate, rival = median(rates), bare.get(channels)
            yield {
                "": contender.title,
                "channels": channels,
                "each notice to": way,
                "a second": round(rate),
                "of bare discord.py": round(rate / rival, 2) if rival else "",
                "each round": ", ".join(f"{rate:.0f}" for rate in rates),
            }
