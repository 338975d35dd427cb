"""Runs what studybot is measured against: discord.py as one would use it, in its own process.

It stores and confirms nothing, which is in its favour.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable

import discord

from benchmarks import jobs
from benchmarks.frontend import TEXT

# The channel and title of each message.
Messages = list[tuple[str, str]]
Send = Callable[[str, str], Awaitable[None]]


async def all_at_once(send: Send, messages: Messages) -> None:
    """Send all at once, and leave the limits to discord.py."""
    sends = (send(channel, title) for channel, title in messages)
    await asyncio.gather(*sends, return_exceptions=True)


async def queue_and_worker(send: Send, messages: Messages) -> None:
    """Send by one asyncio queue and one worker, as a small bot does it."""
    waiting: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    for message in messages:
        waiting.put_nowait(message)

    async def work() -> None:
        while not waiting.empty():
            await send(*waiting.get_nowait())

    await work()


async def task_per_channel(send: Send, messages: Messages) -> None:
    """Send to all channels at once: the fastest way found without limits."""
    titles = defaultdict(list)
    for channel, title in messages:
        titles[channel].append(title)

    async def work(channel: str) -> None:
        for title in titles[channel]:
            await send(channel, title)

    await asyncio.gather(*map(work, titles))


WAYS = {
    "all at once": all_at_once,
    "queue and worker": queue_and_worker,
    "task per channel": task_per_channel,
}


async def run(way: str, api_url: str, messages: Messages, *, gateway: bool) -> None:
    """Send the messages; with `gateway` as a bot that is connected, and not by HTTP alone."""
    discord.http.Route.BASE = api_url
    # It asks the HTTP interface where the gateway is.
    client = discord.AutoShardedClient(intents=discord.Intents.default())

    async def send(channel: str, title: str) -> None:
        embed = discord.Embed(title=title, description=TEXT)
        await client.get_partial_messageable(int(channel)).send(embed=embed)

    async with client:
        await client.login("bench")
        if not gateway:
            await WAYS[way](send, messages)
            await client.http.close()
            return
        connected = asyncio.create_task(client.connect())
        await client.wait_until_ready()
        await WAYS[way](send, messages)
        await client.close()
        await connected


def main() -> None:
    job = jobs.job()
    # It would log only a line for each 429.
    logging.getLogger("discord").setLevel(logging.CRITICAL)
    asyncio.run(run(job["way"], job["api_url"], job["messages"], gateway=job.get("gateway", False)))
    jobs.answer({})


if __name__ == "__main__":
    main()
