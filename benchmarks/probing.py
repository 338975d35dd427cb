"""Posts one notice at a time, sees it in Discord and reads its status, in its own process."""

import json
import queue
import random
import threading
import time
import urllib.request
from datetime import datetime
from typing import Any

from benchmarks import jobs
from benchmarks.frontend import Frontend
from benchmarks.result import Json

WAIT_SECONDS = 20.0

Shown = queue.SimpleQueue[tuple[str, float]]


class Feed(threading.Thread):
    """Reads fakediscord's live feed: each new message's title, and when it was created."""

    def __init__(self, discord_url: str) -> None:
        super().__init__(daemon=True)
        self._answer = urllib.request.urlopen(f"{discord_url}/_page/events")  # noqa: S310
        self.shown = Shown()

    def run(self) -> None:
        event = b""
        for line in self._answer:
            if line.startswith(b"event: "):
                event = line.strip()
            elif line.startswith(b"data: ") and event == b"event: MESSAGE_CREATE":
                message = json.loads(line.removeprefix(b"data: "))
                created = datetime.fromisoformat(message["timestamp"]).timestamp()
                self.shown.put((message["embeds"][0]["title"], created))


def probe(frontend: Frontend, feed: Feed, study: int, channel: str, title: str) -> Json:
    """Return the moments of one notice. The status is asked for once the message is there."""
    begun = time.time()
    notice = frontend.post_notice(study, channel, title)
    accepted = time.time()
    seen, shown = feed.shown.get(timeout=WAIT_SECONDS)
    assert seen == title, f"{seen} was shown, and not {title}"
    gets = []
    status = ""
    while status != "sent":
        asked = time.time()
        status = frontend.status(notice)
        gets.append(time.time() - asked)
    return {
        "begun": begun, "accepted": accepted, "shown": shown, "readable": time.time(), "gets": gets,
    }  # fmt: skip


def main() -> None:
    job: Any = jobs.job()
    frontend = Frontend(job["port"], job["key"])
    feed = Feed(job["discord_url"])
    feed.start()
    shortest, longest = job["pause_seconds"]
    samples = []
    for number in range(job["samples"]):
        # The pauses are random, so that nothing falls in step with a poll.
        time.sleep(random.uniform(shortest, longest))
        channel = job["channels"][number % len(job["channels"])]
        samples.append(probe(frontend, feed, job["study"], channel, f"probe {number}"))
    jobs.answer(samples)


if __name__ == "__main__":
    main()
